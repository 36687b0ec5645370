// SPDX-License-Identifier: Apache-2.0
//
// trap_cnt.c - access to the counters and timers: CNTKCTL_EL1, CNTHCTL_EL2 in both layouts, in a
// host and under TGE, the EL1 physical Secure timer by SCR_EL3.ST, and what is UNDEFINED.

#include "emit.h"

#define HAS_VHE id_field(read_sysreg(id_aa64mmfr1_el1), 8)

static const struct sysreg cntfrq = SYSREG(cntfrq_el0, 3, 3, 14, 0, 0);
static const struct sysreg cntpct = SYSREG(cntpct_el0, 3, 3, 14, 0, 1);
static const struct sysreg cntvct = SYSREG(cntvct_el0, 3, 3, 14, 0, 2);
static const struct sysreg cntp[] = {
	SYSREG(cntp_tval_el0, 3, 3, 14, 2, 0),
	SYSREG(cntp_ctl_el0, 3, 3, 14, 2, 1),
	SYSREG(cntp_cval_el0, 3, 3, 14, 2, 2),
};
static const struct sysreg cntv[] = {
	SYSREG(cntv_tval_el0, 3, 3, 14, 3, 0),
	SYSREG(cntv_ctl_el0, 3, 3, 14, 3, 1),
	SYSREG(cntv_cval_el0, 3, 3, 14, 3, 2),
};
static const struct sysreg cntps[] = {
	SYSREG(cntps_tval_el1, 3, 7, 14, 2, 0),
	SYSREG(cntps_ctl_el1, 3, 7, 14, 2, 1),
	SYSREG(cntps_cval_el1, 3, 7, 14, 2, 2),
};
static const struct sysreg cnthp[] = {
	SYSREG(cnthp_tval_el2, 3, 4, 14, 2, 0),
	SYSREG(cnthp_ctl_el2, 3, 4, 14, 2, 1),
	SYSREG(cnthp_cval_el2, 3, 4, 14, 2, 2),
};
static const struct sysreg cnthv[] = {
	SYSREG(cnthv_tval_el2, 3, 4, 14, 3, 0),
	SYSREG(cnthv_ctl_el2, 3, 4, 14, 3, 1),
	SYSREG(cnthv_cval_el2, 3, 4, 14, 3, 2),
};
static const struct sysreg cntvoff = SYSREG(cntvoff_el2, 3, 4, 14, 0, 3);

#define EXPECT_TIMER_TRAP(el, regs, to) \
	FOR_EACH_REG(r_, regs) \
	{ \
		EXPECT_TRAP(el, READ, *r_, to); \
		EXPECT_TRAP(el, WRITE, *r_, to); \
	}
#define EXPECT_TIMER_ACCESS(el, regs) \
	FOR_EACH_REG(r_, regs) \
	{ \
		EXPECT_ACCESS(el, READ, *r_); \
		EXPECT_ACCESS(el, WRITE, *r_); \
	}

// ---- CNTKCTL_EL1 --------------------------------------------------------------------------------

TEST(cntkctl_el0pcten_clear_traps_the_physical_counter_to_el1)
{
	EXPECT_ACCESS(EL0, READ, cntpct);
	write_sysreg(cntkctl_el1, CNTKCTL_BASE & ~CNTKCTL_EL0PCTEN);
	EXPECT_TRAP(EL0, READ, cntpct, EL1);
	EXPECT_ACCESS(EL0, READ, cntvct);
	EXPECT_ACCESS(EL0, READ, cntfrq);
	EXPECT_ACCESS(EL1, READ, cntpct);
}

TEST(cntkctl_el0vcten_clear_traps_the_virtual_counter_to_el1)
{
	EXPECT_ACCESS(EL0, READ, cntvct);
	write_sysreg(cntkctl_el1, CNTKCTL_BASE & ~CNTKCTL_EL0VCTEN);
	EXPECT_TRAP(EL0, READ, cntvct, EL1);
	EXPECT_ACCESS(EL0, READ, cntpct);
	EXPECT_ACCESS(EL0, READ, cntfrq);
	EXPECT_ACCESS(EL1, READ, cntvct);
}

TEST(cntfrq_traps_only_with_both_counters_disabled)
{
	write_sysreg(cntkctl_el1, CNTKCTL_BASE & ~(CNTKCTL_EL0VCTEN | CNTKCTL_EL0PCTEN));
	EXPECT_TRAP(EL0, READ, cntfrq, EL1);
}

TEST(cntkctl_el0pten_clear_traps_the_physical_timer_to_el1)
{
	EXPECT_TIMER_ACCESS(EL0, cntp);
	write_sysreg(cntkctl_el1, CNTKCTL_BASE & ~CNTKCTL_EL0PTEN);
	EXPECT_TIMER_TRAP(EL0, cntp, EL1);
	EXPECT_TIMER_ACCESS(EL0, cntv);
	EXPECT_TIMER_ACCESS(EL1, cntp);
}

TEST(cntkctl_el0vten_clear_traps_the_virtual_timer_to_el1)
{
	EXPECT_TIMER_ACCESS(EL0, cntv);
	write_sysreg(cntkctl_el1, CNTKCTL_BASE & ~CNTKCTL_EL0VTEN);
	EXPECT_TIMER_TRAP(EL0, cntv, EL1);
	EXPECT_TIMER_ACCESS(EL0, cntp);
	EXPECT_TIMER_ACCESS(EL1, cntv);
}

TEST(cntkctl_traps_go_to_el2_with_tge)
{
	write_sysreg(hcr_el2, HCR_BASE | HCR_TGE);
	write_sysreg(cntkctl_el1, 0);
	EXPECT_TRAP(EL0, READ, cntpct, EL2);
	EXPECT_TRAP(EL0, READ, cntvct, EL2);
	EXPECT_TRAP(EL0, READ, cntfrq, EL2);
	EXPECT_TRAP(EL0, READ, cntv[1], EL2);
	EXPECT_TRAP(EL0, READ, cntp[1], EL2);
}

// ---- CNTHCTL_EL2 with E2H = 0 -------------------------------------------------------------------

TEST(cnthctl_el1pcten_clear_traps_the_physical_counter_to_el2)
{
	write_sysreg(cnthctl_el2, CNTHCTL_EL1PCEN);
	EXPECT_TRAP(EL1, READ, cntpct, EL2);
	EXPECT_ACCESS(EL1, READ, cntvct);
	EXPECT_ACCESS(EL0, READ, cntvct);
	EXPECT_ACCESS(EL2, READ, cntpct);
	EXPECT_TIMER_ACCESS(EL1, cntp);
}

TEST(cnthctl_el1pcten_clear_traps_el0_too)
{
	QEMU_7_DIFFERS("asks EL1PCEN there");
	write_sysreg(cnthctl_el2, CNTHCTL_EL1PCEN);
	EXPECT_TRAP(EL0, READ, cntpct, EL2);
	write_sysreg(cnthctl_el2, CNTHCTL_EL1PCTEN);
	EXPECT_ACCESS(EL0, READ, cntpct);
}

TEST(cnthctl_el1pcen_clear_traps_the_physical_timer_to_el2)
{
	write_sysreg(cnthctl_el2, CNTHCTL_EL1PCTEN);
	EXPECT_TIMER_TRAP(EL1, cntp, EL2);
	EXPECT_TIMER_TRAP(EL0, cntp, EL2);
	EXPECT_TIMER_ACCESS(EL1, cntv);
	EXPECT_TIMER_ACCESS(EL2, cntp);
	EXPECT_ACCESS(EL1, READ, cntpct);
}

TEST(cntkctl_comes_before_cnthctl)
{
	write_sysreg(cnthctl_el2, 0);
	write_sysreg(cntkctl_el1, 0);
	EXPECT_TRAP(EL0, READ, cntpct, EL1);
	EXPECT_TRAP(EL0, READ, cntp[1], EL1);
}

TEST(cnthctl_never_traps_the_virtual_timer)
{
	write_sysreg(cnthctl_el2, 0);
	EXPECT_TIMER_ACCESS(EL1, cntv);
	EXPECT_TIMER_ACCESS(EL0, cntv);
	EXPECT_ACCESS(EL1, READ, cntvct);
}

TEST(cnthctl_says_nothing_in_secure_state_without_secure_el2)
{
	write_sysreg(cnthctl_el2, 0);
	write_sysreg(scr_el3, SCR_BASE & ~SCR_NS);
	EXPECT_ACCESS(EL1, READ, cntpct);
	EXPECT_TIMER_ACCESS(EL1, cntp);
}

// ---- CNTHCTL_EL2 with E2H = 1 -------------------------------------------------------------------

TEST(cnthctl_e2h_el1pcten_is_bit_10)
{
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H);
	write_sysreg(cnthctl_el2, CNTHCTL_E2H_EL1PTEN);
	EXPECT_TRAP(EL1, READ, cntpct, EL2);
	EXPECT_TRAP(EL0, READ, cntpct, EL2);
	write_sysreg(cnthctl_el2, CNTHCTL_E2H_EL1PTEN | CNTHCTL_E2H_EL1PCTEN);
	EXPECT_ACCESS(EL1, READ, cntpct);
	EXPECT_ACCESS(EL0, READ, cntpct);
}

TEST(cnthctl_e2h_el1pten_is_bit_11)
{
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H);
	write_sysreg(cnthctl_el2, CNTHCTL_E2H_EL1PCTEN);
	EXPECT_TIMER_TRAP(EL1, cntp, EL2);
	EXPECT_TIMER_TRAP(EL0, cntp, EL2);
	write_sysreg(cnthctl_el2, CNTHCTL_E2H_EL1PTEN | CNTHCTL_E2H_EL1PCTEN);
	EXPECT_TIMER_ACCESS(EL1, cntp);
	EXPECT_TIMER_ACCESS(EL0, cntp);
}

// Bits 0 and 1 belong to the EL0 of a host there.
TEST(cnthctl_e2h_bits_0_and_1_say_nothing_to_el1)
{
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H);
	write_sysreg(cnthctl_el2, CNTHCTL_EL1PCTEN | CNTHCTL_EL1PCEN);
	EXPECT_TRAP(EL1, READ, cntpct, EL2);
	EXPECT_TRAP(EL1, READ, cntp[1], EL2);
}

TEST(cnthctl_decides_for_el0_of_a_host)
{
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H | HCR_TGE);
	write_sysreg(cnthctl_el2, 0);
	EXPECT_TRAP(EL0, READ, cntpct, EL2);
	EXPECT_TRAP(EL0, READ, cntvct, EL2);
	EXPECT_TRAP(EL0, READ, cntfrq, EL2);
	EXPECT_TIMER_TRAP(EL0, cntp, EL2);
	EXPECT_TIMER_TRAP(EL0, cntv, EL2);
}

TEST(cnthctl_enables_each_resource_for_el0_of_a_host)
{
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	write_sysreg(cntkctl_el1, 0); // has no say
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H | HCR_TGE);
	write_sysreg(cnthctl_el2, CNTHCTL_E2H_EL0PCTEN);
	EXPECT_ACCESS(EL0, READ, cntpct);
	EXPECT_ACCESS(EL0, READ, cntfrq);
	EXPECT_TRAP(EL0, READ, cntvct, EL2);
	write_sysreg(cnthctl_el2, CNTHCTL_E2H_EL0VCTEN);
	EXPECT_ACCESS(EL0, READ, cntvct);
	EXPECT_ACCESS(EL0, READ, cntfrq);
	EXPECT_TRAP(EL0, READ, cntpct, EL2);
	write_sysreg(cnthctl_el2, CNTHCTL_E2H_EL0PTEN);
	EXPECT_TIMER_ACCESS(EL0, cntp);
	EXPECT_TRAP(EL0, READ, cntv[1], EL2);
	write_sysreg(cnthctl_el2, CNTHCTL_E2H_EL0VTEN);
	EXPECT_TIMER_ACCESS(EL0, cntv);
	EXPECT_TRAP(EL0, READ, cntp[1], EL2);
}

// ---- The Secure physical timer ------------------------------------------------------------------

TEST(cntps_is_undefined_at_el2_and_non_secure_el1)
{
	FOR_EACH_REG(r, cntps)
	{
		EXPECT_UNDEFINED(EL1, READ, *r, EL1);
		EXPECT_UNDEFINED(EL2, READ, *r, EL2);
		EXPECT_UNDEFINED(EL0, READ, *r, EL1);
		EXPECT_ACCESS(EL3, READ, *r);
	}
}

TEST(scr_st_clear_traps_cntps_from_secure_el1_to_el3)
{
	write_sysreg(scr_el3, SCR_BASE & ~SCR_NS);
	EXPECT_TIMER_TRAP(EL1, cntps, EL3);
}

TEST(scr_st_set_gives_cntps_to_secure_el1)
{
	write_sysreg(scr_el3, (SCR_BASE & ~SCR_NS) | SCR_ST);
	EXPECT_TIMER_ACCESS(EL1, cntps);
}

TEST(cntps_is_undefined_at_secure_el1_with_secure_el2)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64pfr0_el1), 36), "no FEAT_SEL2");
	QEMU_7_DIFFERS("allows it");
	write_sysreg(scr_el3, (SCR_BASE & ~SCR_NS) | SCR_EEL2 | SCR_ST);
	EXPECT_UNDEFINED(EL1, READ, cntps[1], EL1);
}

// ---- EL2 timers ---------------------------------------------------------------------------------

TEST(el2_timers_and_cntvoff_are_undefined_below_el2)
{
	FOR_EACH_REG(r, cnthp)
	{
		EXPECT_UNDEFINED(EL1, READ, *r, EL1);
		EXPECT_UNDEFINED(EL0, READ, *r, EL1);
		EXPECT_ACCESS(EL2, READ, *r);
	}
	EXPECT_UNDEFINED(EL1, READ, cntvoff, EL1);
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	FOR_EACH_REG(r, cnthv)
	{
		EXPECT_UNDEFINED(EL1, READ, *r, EL1);
		EXPECT_ACCESS(EL2, READ, *r);
	}
}

TEST(counters_are_not_writable)
{
	EXPECT_UNDEFINED(EL3, WRITE, cntpct, EL3);
	EXPECT_UNDEFINED(EL3, WRITE, cntvct, EL3);
	EXPECT_UNDEFINED(EL1, WRITE, cntfrq, EL1);
	EXPECT_UNDEFINED(EL2, WRITE, cntfrq, EL2);
}
