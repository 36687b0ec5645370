// SPDX-License-Identifier: Apache-2.0
//
// gic.c - the board's GICv3 (see gic.h).

#include "gic.h"

void gic_init(void)
{
	uint32_t enabled = 1u << INTID_SGI | 1u << INTID_CNTV;

	*mmio(GICD + GICD_CTLR) = 0x12; // ARE, group 1
	*mmio(GICR + GICR_WAKER) &= ~2u; // ProcessorSleep
	while (*mmio(GICR + GICR_WAKER) & 4) { // ChildrenAsleep
	}
	*mmio(GICR_SGI + GICD_IGROUPR) = ~0u;
	*mmio(GICR_SGI + GICD_IPRIORITYR + (INTID_SGI & ~3u)) = 0xa0a0a0a0;
	*mmio(GICR_SGI + GICD_IPRIORITYR + (INTID_CNTV & ~3u)) = 0xa0a0a0a0;
	*mmio(GICR_SGI + GICD_ISENABLER) = enabled;
	write_sysreg(S3_0_C12_C12_5, 7); // ICC_SRE_EL1
	isb();
	write_sysreg(S3_0_C4_C6_0, 0xff); // ICC_PMR_EL1
	write_sysreg(S3_0_C12_C12_7, 1); // ICC_IGRPEN1_EL1
	dsb();
	isb();
}
