// SPDX-License-Identifier: Apache-2.0
//
// nv_exc.c - exceptions and returns of a guest hypervisor: ERET goes to EL2 with EC 0x1A, SPSR_EL1
// says that exceptions from EL1 came from EL2, SMC and HVC.

#include "nv.h"

SNIPPET(eret_only, "eret");
SNIPPET(eretaa_only, "eretaa");
SNIPPET(eretab_only, "eretab");
SNIPPET(pacia_x0, "pacia x0, x1");
SNIPPET(svc_5, "svc #5");
SNIPPET(svc_5_sp0, "msr SPSel, #0\n\tsvc #5");
SNIPPET(hvc_5, "hvc #5");
SNIPPET(smc_5, "smc #5");
SNIPPET(undefined, "udf #0");
SNIPPET(wait_for_virq, "msr daifclr, #2\n\tnop\n\tnop\n\tnop");
SNIPPET(brk_9, "brk #9");
SNIPPET(msr_sp_sel, "msr SPSel, #0\n\tmrs x0, SPSel\n\tmsr SPSel, #1");

#define ISS_ERET 0
#define ISS_ERETAA 2
#define ISS_ERETAB 3
#define M_MASK 0xful

static void el1_returns_to(uint64_t spsr, const char *pc)
{
	write_sysreg(spsr_el1, spsr);
	write_sysreg(elr_el1, pc);
}

// ---- ERET ---------------------------------------------------------------------------------------

TEST(eret_at_el1_goes_to_el2_with_nv)
{
	NEEDS_NV;
	nv_set(HCR_NV);
	el1_returns_to(SPSR_DAIF | SPSR_M_EL0T, brk_9);
	struct exc e = run_at(EL1, eret_only);

	EXPECT_EXC(e, EL2, EC_ERET, ISS_ERET);
	EXPECT_EQ(e.elr, eret_only);
}

TEST(eret_is_not_performed_when_it_is_trapped)
{
	NEEDS_NV;
	nv_set(HCR_NV);
	el1_returns_to(SPSR_DAIF | SPSR_M_EL0T | SPSR_N, brk_9);
	struct exc e = run_at(EL1, eret_only);

	EXPECT_MASKED(e.spsr, M_MASK, SPSR_M_EL1H);
	EXPECT_MASKED(e.spsr, SPSR_N, 0);
	EXPECT_EQ(read_sysreg(elr_el1), brk_9);
}

TEST(eret_at_el1_returns_without_nv)
{
	nv_set(0);
	el1_returns_to(SPSR_DAIF | SPSR_M_EL0T, brk_9);
	struct exc e = run_at(EL1, eret_only);

	EXPECT_EXC_AT(e, EL1, 0x400, ESR(EC_BRK, 9));
}

TEST(eretaa_and_eretab_say_which_they_are)
{
	NEEDS_NV;
	nv_set(HCR_NV);
	struct exc a = run_at(EL1, eretaa_only), b = run_at(EL1, eretab_only);

	EXPECT_EXC(a, EL2, EC_ERET, ISS_ERETAA);
	EXPECT_EXC(b, EL2, EC_ERET, ISS_ERETAB);
}

// The trap of ERETAA comes before the one of pointer authentication.
TEST(eretaa_is_trapped_as_eret_where_pauth_is_trapped_too)
{
	NEEDS_NV;
	write_sysreg(hcr_el2, HCR_RW | HCR_APK | HCR_NV);
	struct exc e = run_at(EL1, eretaa_only), p;
	write_sysreg(sctlr_el1, SCTLR_EL1_BASE | SCTLR_ENIA);
	p = run_at(EL1, pacia_x0);

	EXPECT_EXC(e, EL2, EC_ERET, ISS_ERETAA);
	EXPECT_EXC(p, EL2, EC_PAC_TRAP, 0);
}

TEST(eret_is_trapped_with_nv1_and_with_nv2)
{
	NEEDS_NV2;
	nv_set(HCR_NV | HCR_NV1);
	struct exc e = run_at(EL1, eret_only);
	EXPECT_EXC(e, EL2, EC_ERET, ISS_ERET);
	nv2_set(0);
	e = run_at(EL1, eret_only);
	EXPECT_EXC(e, EL2, EC_ERET, ISS_ERET);
	nv2_set(HCR_NV1 | HCR_E2H);
	e = run_at(EL1, eret_only);
	EXPECT_EXC(e, EL2, EC_ERET, ISS_ERET);
}

TEST(an_illegal_return_is_trapped_all_the_same)
{
	NEEDS_NV;
	nv_set(HCR_NV);
	el1_returns_to(SPSR_DAIF | SPSR_M_EL3H, brk_9);
	struct exc e = run_at(EL1, eret_only);

	EXPECT_EXC(e, EL2, EC_ERET, ISS_ERET);
}

TEST(eret_at_el0_stays_undefined)
{
	NEEDS_NV;
	nv_set(HCR_NV);
	struct exc e = run_at(EL0, eret_only);

	EXPECT_EXC(e, EL1, EC_UNKNOWN, 0);
}

TEST(eret_at_el2_is_not_trapped)
{
	NEEDS_NV;
	nv_set(HCR_NV);
	write_sysreg(spsr_el2, SPSR_DAIF | SPSR_M_EL2H);
	write_sysreg(elr_el2, brk_9);
	struct exc e = run_at(EL2, eret_only);

	EXPECT_EXC_AT(e, EL2, 0x200, ESR(EC_BRK, 9));
}

TEST(eret_is_not_trapped_where_el2_is_not_enabled)
{
	NEEDS_NV;
	nv_set(HCR_NV);
	write_sysreg(scr_el3, SECURE);
	el1_returns_to(SPSR_DAIF | SPSR_M_EL0T, brk_9);
	struct exc e = run_at(EL1, eret_only);

	EXPECT_EXC_AT(e, EL1, 0x400, ESR(EC_BRK, 9));
}

// ---- What SPSR_EL1 says -------------------------------------------------------------------------

// M of an SVC that EL1 takes from itself.
static uint64_t own_svc_mode(const char *snippet)
{
	struct exc e = run_at(EL1, snippet);

	EXPECT_EQ(e.el, EL1);
	EXPECT_EQ(e.esr, ESR(EC_SVC, 5));
	return e.spsr & M_MASK;
}

TEST(without_nv_an_exception_of_el1_comes_from_el1)
{
	EXPECT_EQ(own_svc_mode(svc_5), SPSR_M_EL1H);
	EXPECT_EQ(own_svc_mode(svc_5_sp0), SPSR_M_EL1T);
}

TEST(with_nv_it_seems_to_come_from_el2)
{
	NEEDS_NV;
	nv_set(HCR_NV);
	EXPECT_EQ(own_svc_mode(svc_5), SPSR_M_EL2H);
	EXPECT_EQ(own_svc_mode(svc_5_sp0), SPSR_M_EL2T);
}

// SPSR_EL1 is then read by way of EL2 only.
TEST(with_nv1_it_comes_from_el1)
{
	NEEDS_NV;
	nv_set(HCR_NV | HCR_NV1);
	EXPECT_EQ(own_svc_mode(svc_5), SPSR_M_EL1H);
}

TEST(with_nv2_it_seems_to_come_from_el2_whatever_nv1_is)
{
	NEEDS_NV2;
	nv2_set(0);
	EXPECT_EQ(own_svc_mode(svc_5), SPSR_M_EL2H);
	nv2_set(HCR_NV1);
	EXPECT_EQ(own_svc_mode(svc_5), SPSR_M_EL2H);
	EXPECT_EQ(own_svc_mode(svc_5_sp0), SPSR_M_EL2T);
}

TEST(nv1_or_nv2_without_nv_change_nothing)
{
	NEEDS_NV2;
	nv_set(HCR_NV1);
	EXPECT_EQ(own_svc_mode(svc_5), SPSR_M_EL1H);
	nv_set(HCR_NV2);
	EXPECT_EQ(own_svc_mode(svc_5), SPSR_M_EL1H);
}

TEST(other_synchronous_exceptions_seem_to_come_from_el2_too)
{
	NEEDS_NV;
	nv_set(HCR_NV);
	struct exc e = run_at(EL1, undefined);

	EXPECT_EQ(e.el, EL1);
	EXPECT_EQ(e.esr, ESR(EC_UNKNOWN, 0));
	EXPECT_MASKED(e.spsr, M_MASK, SPSR_M_EL2H);
}

// The vector is that of the current level all the same.
TEST(the_vector_is_the_one_of_the_current_level)
{
	NEEDS_NV;
	nv_set(HCR_NV);
	struct exc e = run_at(EL1, svc_5);

	EXPECT_EQ(e.offset, VECTOR_CURRENT_SPX);
}

TEST(a_virtual_interrupt_seems_to_come_from_el2)
{
	NEEDS_NV;
	nv_set(HCR_NV | HCR_IMO | HCR_VI);
	struct exc e = run_at(EL1, wait_for_virq);

	EXPECT_EQ(e.el, EL1);
	EXPECT_EQ(e.offset, VECTOR_CURRENT_SPX + VECTOR_IRQ);
	EXPECT_MASKED(e.spsr, M_MASK, SPSR_M_EL2H);
}

TEST(an_exception_from_el0_comes_from_el0)
{
	NEEDS_NV;
	nv_set(HCR_NV);
	struct exc e = run_at(EL0, svc_5);

	EXPECT_EXC(e, EL1, EC_SVC, 5);
	EXPECT_MASKED(e.spsr, M_MASK, SPSR_M_EL0T);
}

TEST(what_el2_takes_from_el1_comes_from_el1)
{
	NEEDS_NV;
	nv_set(HCR_NV);
	struct exc e = run_at(EL1, hvc_5);

	EXPECT_EXC(e, EL2, EC_HVC, 5);
	EXPECT_MASKED(e.spsr, M_MASK, SPSR_M_EL1H);
}

TEST(what_el3_takes_from_el1_comes_from_el1)
{
	NEEDS_NV;
	nv_set(HCR_NV);
	struct exc e = run_at(EL1, smc_5);

	EXPECT_EXC(e, EL3, EC_SMC, 5);
	EXPECT_MASKED(e.spsr, M_MASK, SPSR_M_EL1H);
}

// ---- SMC, SPSel ---------------------------------------------------------------------------------

TEST(tsc_traps_an_smc_of_a_guest_hypervisor)
{
	NEEDS_NV;
	nv_set(HCR_NV | HCR_TSC);
	struct exc e = run_at(EL1, smc_5);

	EXPECT_EXC(e, EL2, EC_SMC, 5);
	EXPECT_EQ(e.elr, smc_5);
}

TEST(sp_sel_is_the_guest_hypervisors_own)
{
	NEEDS_NV;
	nv_set(HCR_NV);
	struct exc e = run_at(EL1, msr_sp_sel);

	EXPECT_NO_EXC(e);
	EXPECT_REG(e, 0, 0);
}
