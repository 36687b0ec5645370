// SPDX-License-Identifier: Apache-2.0
//
// el3.c - the part of firmware that a hypervisor cannot do without, run once at EL3 where there is
// no other firmware.
//
// Most of what EL2 may do is EL3's to grant. After reset nothing is granted: EL2 may not even exist
// for the lower levels (SCR_EL3.NS, HCE, RW), the GIC's system registers trap, and all interrupts
// belong to the Secure side.

#include "hyp.h"

#define SCR_NS (1ul << 0) // the levels below are Non-secure
#define SCR_RES1 (3ul << 4)
#define SCR_HCE (1ul << 8) // HVC is allowed
#define SCR_RW (1ul << 10) // EL2 is AArch64
#define SCR_APK (1ul << 16) // pointer authentication does not trap
#define SCR_API (1ul << 17)

void el3_init(void);

// Until EL3 says otherwise every interrupt is Group 0, which reaches a PE as FIQ and is invisible
// to Non-secure code.
static void give_interrupts_to_non_secure(void)
{
	write_sysreg(ICC_SRE_EL3, 0xf); // system registers, for the lower levels too
	isb();
	write32(GICD_BASE, 1u << 4 | 1u << 5); // GICD_CTLR: ARE_S, ARE_NS
	write32(GICD_BASE, 1u << 4 | 1u << 5 | 1u << 1); // and Non-secure Group 1 enabled
	for (unsigned n = 1; n < 9; n++) {
		write32(GICD_BASE + 0x80 + 4 * n, ~0u); // GICD_IGROUPR: SPIs
	}
	write32(GICR_BASE + 0x14, read32(GICR_BASE + 0x14) & ~2u); // GICR_WAKER: not asleep
	while (read32(GICR_BASE + 0x14) & 4) {
	}
	write32(GICR_BASE + 0x10000 + 0x80, ~0u); // GICR_IGROUPR0: SGIs and PPIs
	write32(GICR_BASE + 0x10000 + 0xd00, 0); // GICR_IGRPMODR0
	write_sysreg(ICC_PMR_EL1, 0xff);
	isb();
}

void el3_init(void)
{
	write_sysreg(scr_el3, SCR_NS | SCR_RES1 | SCR_HCE | SCR_RW | SCR_APK | SCR_API);
	write_sysreg(cptr_el3, 0); // floating point, CPACR and CPTR accesses do not trap
	write_sysreg(mdcr_el3, 0); // nor do debug and PMU
	isb(); // SCR_EL3.NS chooses which copy of the banked ICC registers is meant
	give_interrupts_to_non_secure();
	if (read_sysreg(cntfrq_el0) == 0) {
		write_sysreg(cntfrq_el0, 62500000); // only the highest level can write it
	}
	write_sysreg(hcr_el2, 0); // unknown after reset
	write_sysreg(sctlr_el2, 0x30c50830); // RES1 bits; MMU off
	isb();
}
