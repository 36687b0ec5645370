// SPDX-License-Identifier: Apache-2.0
//
// irq_basic.c - an interrupt of each GIC group and a timer, brought to each level that routing can
// name.

#include "guest.h"
#include "gic.h"

SNIPPET(spin, "1: b 1b");
SNIPPET(few_nops, "nop\n\tnop\n\tisb\n\tnop");

#define SGI 3

static void pend_g1ns(void)
{
	gic_init();
	gic_enable(SGI, GIC_G1NS, 0x80);
	gic_set_pending(SGI, true);
}

TEST(irq_from_el0_goes_to_el1)
{
	pend_g1ns();
	struct exc e = run_at_spsr(SPSR_M_EL0T, spin);

	EXPECT_INTERRUPT(e, EL1, VECTOR_IRQ);
	EXPECT_EQ(e.elr, spin);
}

TEST(hcr_imo_routes_irq_to_el2)
{
	pend_g1ns();
	write_sysreg(hcr_el2, HCR_BASE | HCR_IMO);
	struct exc e = run_at_spsr(SPSR_M_EL1H | SPSR_DAIF, spin);

	// The masks of EL1 do not hold against an interrupt for EL2.
	EXPECT_INTERRUPT(e, EL2, VECTOR_IRQ);
}

TEST(scr_irq_routes_irq_to_el3)
{
	pend_g1ns();
	write_sysreg(scr_el3, SCR_BASE | SCR_IRQ);
	write_sysreg(hcr_el2, HCR_BASE | HCR_IMO);
	struct exc e = run_at_spsr(SPSR_M_EL2H | SPSR_DAIF, spin);

	EXPECT_INTERRUPT(e, EL3, VECTOR_IRQ);
}

TEST(irq_masked_at_its_own_level_stays_pending)
{
	pend_g1ns();
	struct exc e = run_at_spsr(SPSR_M_EL1H | SPSR_I, few_nops);

	EXPECT_NO_EXC(e);
	EXPECT_TRUE(gic_is_pending(SGI));
}

TEST(irq_for_a_lower_level_is_not_taken_above)
{
	pend_g1ns();
	struct exc e = run_at_spsr(SPSR_M_EL2H, few_nops);

	EXPECT_NO_EXC(e);
}

TEST(group0_is_fiq)
{
	gic_init();
	gic_enable(SGI, GIC_G0, 0x10);
	gic_set_pending(SGI, true);
	struct exc e = run_at_spsr(SPSR_M_EL0T, spin);

	EXPECT_INTERRUPT(e, EL1, VECTOR_FIQ);
}

TEST(secure_group1_is_fiq_in_non_secure_state_and_irq_in_secure)
{
	gic_init();
	gic_enable(SGI, GIC_G1S, 0x10);
	gic_set_pending(SGI, true);
	struct exc ns = run_at_spsr(SPSR_M_EL0T, spin);
	write_sysreg(scr_el3, SCR_BASE & ~SCR_NS);
	struct exc s = run_at_spsr(SPSR_M_EL0T, spin);

	EXPECT_INTERRUPT(ns, EL1, VECTOR_FIQ);
	EXPECT_INTERRUPT(s, EL1, VECTOR_IRQ);
}

TEST(virtual_irq_by_hcr_vi)
{
	write_sysreg(hcr_el2, HCR_BASE | HCR_IMO | HCR_VI);
	struct exc e = run_at_spsr(SPSR_M_EL0T, spin);
	struct exc masked = run_at_spsr(SPSR_M_EL1H | SPSR_I, few_nops);

	EXPECT_INTERRUPT(e, EL1, VECTOR_IRQ);
	EXPECT_NO_EXC(masked);
}

// ICC_IAR1_EL1, ICC_EOIR1_EL1
SNIPPET(acknowledge, "isb\n\tmrs x0, S3_0_C12_C12_0\n\tmsr S3_0_C12_C12_1, x0");

TEST(acknowledge_at_el2_returns_the_intid)
{
	pend_g1ns();
	struct exc e = run_at(EL2, acknowledge);
	struct exc again = run_at(EL2, acknowledge);

	EXPECT_NO_EXC(e);
	EXPECT_REG(e, 0, SGI);
	EXPECT_REG(again, 0, INTID_SPURIOUS);
	EXPECT_TRUE(!gic_is_pending(SGI));
	EXPECT_TRUE(!gic_is_active(SGI));
}

TEST(hypervisor_timer_reaches_el2)
{
	gic_init();
	gic_enable(INTID_CNTHP, GIC_G1NS, 0x80);
	write_sysreg(hcr_el2, HCR_BASE | HCR_IMO);
	write_sysreg(cnthp_cval_el2, read_sysreg(cntpct_el0) + 1000);
	write_sysreg(cnthp_ctl_el2, CNT_CTL_ENABLE);
	struct exc e = run_at_spsr(SPSR_M_EL1H, spin);

	EXPECT_INTERRUPT(e, EL2, VECTOR_IRQ);
	EXPECT_EQ(read_sysreg(cnthp_ctl_el2), CNT_CTL_ENABLE | CNT_CTL_ISTATUS);
}
