// SPDX-License-Identifier: Apache-2.0
//
// gic.c - the board's GICv3 for tests (see gic.h).

#include "gic.h"

#define GICD 0x08000000ul
#define GICR 0x080a0000ul
#define GICR_SGI (GICR + 0x10000)

#define GICD_CTLR 0x0
#define GICR_WAKER 0x14
// From here the same offsets in the distributor (SPIs) and in the redistributor's second frame
// (SGIs, PPIs).
#define IGROUPR 0x80
#define ISENABLER 0x100
#define ICENABLER 0x180
#define ISPENDR 0x200
#define ICPENDR 0x280
#define ISACTIVER 0x300
#define ICACTIVER 0x380
#define IPRIORITYR 0x400
#define IGRPMODR 0xd00

#define GICD_CTLR_GROUPS 7u
#define GICD_CTLR_ARE (3u << 4)

static bool initialised;

static volatile uint32_t *reg32(uint64_t address)
{
	return (volatile uint32_t *)address;
}

static uint64_t frame(unsigned intid)
{
	return intid < 32 ? GICR_SGI : GICD;
}

static volatile uint32_t *bank(uint64_t offset, unsigned intid)
{
	return reg32(frame(intid) + offset + intid / 32 * 4);
}

void gic_init(void)
{
	*reg32(GICD + GICD_CTLR) = GICD_CTLR_ARE;
	*reg32(GICD + GICD_CTLR) = GICD_CTLR_ARE | GICD_CTLR_GROUPS;
	*reg32(GICR + GICR_WAKER) &= ~2u; // ProcessorSleep
	while (*reg32(GICR + GICR_WAKER) & 4) { // ChildrenAsleep
	}
	write_sysreg(S3_0_C4_C6_0, 0xff); // ICC_PMR_EL1
	write_sysreg(S3_0_C12_C12_6, 1); // ICC_IGRPEN0_EL1
	write_sysreg(S3_6_C12_C12_7, 3); // ICC_IGRPEN1_EL3: both states
	initialised = true;
}

void gic_enable(unsigned intid, enum gic_group group, unsigned priority)
{
	uint32_t bit = 1u << intid % 32;
	volatile uint32_t *igroup = bank(IGROUPR, intid), *igrpmod = bank(IGRPMODR, intid);

	*igroup = group == GIC_G1NS ? *igroup | bit : *igroup & ~bit;
	*igrpmod = group == GIC_G1S ? *igrpmod | bit : *igrpmod & ~bit;
	*(volatile uint8_t *)(frame(intid) + IPRIORITYR + intid) = (uint8_t)priority;
	*bank(ISENABLER, intid) = bit;
	dsb_isb();
}

void gic_disable(unsigned intid)
{
	*bank(ICENABLER, intid) = 1u << intid % 32;
	dsb_isb();
}

void gic_set_pending(unsigned intid, bool pending)
{
	*bank(pending ? ISPENDR : ICPENDR, intid) = 1u << intid % 32;
	dsb_isb();
}

bool gic_is_pending(unsigned intid)
{
	return *bank(ISPENDR, intid) >> intid % 32 & 1;
}

bool gic_is_active(unsigned intid)
{
	return *bank(ISACTIVER, intid) >> intid % 32 & 1;
}

static void reset_list_registers(void)
{
	unsigned last = read_sysreg(S3_4_C12_C11_1) & 0x1f; // ICH_VTR_EL2.ListRegs

	write_sysreg(S3_4_C12_C11_0, 0); // ICH_HCR_EL2
	write_sysreg(S3_4_C12_C11_7, 0); // ICH_VMCR_EL2
	write_sysreg(S3_4_C12_C8_0, 0); // ICH_AP0R0_EL2
	write_sysreg(S3_4_C12_C9_0, 0); // ICH_AP1R0_EL2
	write_sysreg(S3_4_C12_C12_0, 0); // ICH_LR0_EL2 to LR3
	if (last >= 3) {
		write_sysreg(S3_4_C12_C12_1, 0);
		write_sysreg(S3_4_C12_C12_2, 0);
		write_sysreg(S3_4_C12_C12_3, 0);
	}
}

// The banked CPU interface registers of the security state that SCR_EL3.NS selects.
static void reset_banked(uint64_t ns)
{
	write_sysreg(scr_el3, (SCR_BASE & ~SCR_NS) | ns);
	write_sysreg(S3_0_C12_C12_5, 7); // ICC_SRE_EL1
	write_sysreg(S3_0_C12_C12_7, 0); // ICC_IGRPEN1_EL1
	write_sysreg(S3_0_C12_C12_4, 0); // ICC_CTLR_EL1
	write_sysreg(S3_0_C12_C12_3, 0); // ICC_BPR1_EL1
	write_sysreg(S3_0_C12_C9_0, 0); // ICC_AP1R0_EL1
}

// An interrupt that a test acknowledged and never completed. Clearing the active priorities is
// enough by the architecture; QEMU 7.2 ignores that write for Non-secure group 1, and there the end
// of interrupt helps.
static void drop_active_priorities(void)
{
	for (unsigned i = 0; i < 32 && read_sysreg(S3_0_C12_C11_3) != 0xff; i++) { // ICC_RPR_EL1
		write_sysreg(scr_el3, SCR_BASE & ~SCR_NS);
		write_sysreg(S3_0_C12_C12_1, 0); // ICC_EOIR1_EL1
		write_sysreg(scr_el3, SCR_BASE);
		write_sysreg(S3_0_C12_C12_1, 0);
		write_sysreg(S3_0_C12_C8_1, 0); // ICC_EOIR0_EL1
	}
}

void gic_reset(void)
{
	uint64_t scr = read_sysreg(scr_el3);

	if (!id_field(read_sysreg(id_aa64pfr0_el1), 24)) {
		return;
	}
	write_sysreg(S3_6_C12_C12_5, 0xf); // ICC_SRE_EL3
	write_sysreg(S3_4_C12_C9_5, 0xf); // ICC_SRE_EL2
	write_sysreg(S3_6_C12_C12_4, 0); // ICC_CTLR_EL3
	write_sysreg(S3_6_C12_C12_7, 0); // ICC_IGRPEN1_EL3
	write_sysreg(S3_0_C12_C12_6, 0); // ICC_IGRPEN0_EL1
	write_sysreg(S3_0_C12_C8_3, 0); // ICC_BPR0_EL1
	write_sysreg(S3_0_C12_C8_4, 0); // ICC_AP0R0_EL1
	reset_banked(0);
	reset_banked(SCR_NS);
	drop_active_priorities();
	write_sysreg(scr_el3, scr);
	reset_list_registers();
	if (initialised) {
		for (unsigned intid = 0; intid < 288; intid += 32) {
			*bank(ICENABLER, intid) = ~0u;
			*bank(ICPENDR, intid) = ~0u;
			*bank(ICACTIVER, intid) = ~0u;
		}
		*reg32(GICD + GICD_CTLR) = GICD_CTLR_ARE;
		initialised = false;
	}
	dsb_isb();
}
