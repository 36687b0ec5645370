// SPDX-License-Identifier: Apache-2.0
//
// debug_step.c - software step: the states active-not-pending and active-pending, the syndrome's
// ISV and EX, routing and masking, and what exceptions of the stepped instruction do to SPSR.SS.

#include "guest.h"

#define AIF (SPSR_A | SPSR_I | SPSR_F)
#define ISS_STEP_EX BIT(6)
#define ISS_STEP_ISV BIT(24)
#define STEPPED (ISS_STEP_ISV | FSC_DEBUG)
#define STEPPED_EX (ISS_STEP_ISV | ISS_STEP_EX | FSC_DEBUG)
#define NOT_STEPPED FSC_DEBUG

SNIPPET(count_up, "add x0, x0, #1\n\tadd x0, x0, #1\n\tadd x0, x0, #1");
SNIPPET(svc_1, "svc #1");
SNIPPET(udf_0, "udf #0");
SNIPPET(brk_7, "brk #7");
SNIPPET(forward, "b 1f\n\tnop\n1:\tnop");
SNIPPET(load_exclusive, "ldxr x1, [x0]\n\tnop");
SNIPPET(load_acquire_pair, "ldaxp x1, x2, [x0]\n\tnop");
SNIPPET(store_exclusive, "stxr w2, x1, [x0]\n\tnop");
SNIPPET(load_acquire, "ldar x1, [x0]\n\tnop");
SNIPPET(eret_only, "eret");

static void step_on(void)
{
	write_sysreg(mdscr_el1, MDSCR_SS);
}

static void kernel_step_on(void)
{
	write_sysreg(mdscr_el1, MDSCR_SS | MDSCR_KDE);
}

static void route_to_el2(void)
{
	write_sysreg(mdcr_el2, read_sysreg(mdcr_el2) | MDCR_EL2_TDE);
}

// ---- The state machine --------------------------------------------------------------------------

TEST(one_instruction_at_el0_is_stepped)
{
	step_on();
	struct exc e = run_at_spsr(SPSR_SS | SPSR_M_EL0T | SPSR_DAIF, count_up);

	EXPECT_EXC(e, EL1, EC_STEP_LOWER, STEPPED);
	EXPECT_EQ(e.elr, count_up + 4);
	EXPECT_REG(e, 0, 1);
	EXPECT_MASKED(e.spsr, SPSR_SS, 0);
	EXPECT_MASKED(e.pstate, SPSR_SS, 0);
}

TEST(return_with_ss_clear_is_pending_at_once)
{
	step_on();
	struct exc e = run_at_spsr(SPSR_M_EL0T | SPSR_DAIF, count_up);

	EXPECT_EXC(e, EL1, EC_STEP_LOWER, NOT_STEPPED);
	EXPECT_EQ(e.elr, count_up);
	EXPECT_REG(e, 0, 0);
}

TEST(ss_in_spsr_without_mdscr_ss_does_nothing)
{
	struct exc e = run_at_spsr(SPSR_SS | SPSR_M_EL0T | SPSR_DAIF, svc_1);

	EXPECT_EXC(e, EL1, EC_SVC, 1);
	EXPECT_MASKED(e.spsr, SPSR_SS, 0);
}

TEST(step_after_step)
{
	step_on();
	struct exc e = run_at_spsr(SPSR_SS | SPSR_M_EL0T | SPSR_DAIF, count_up);
	struct exc e2 = run_at_spsr(e.spsr | SPSR_SS, e.elr, e.x[0]);
	struct exc e3 = run_at_spsr(e2.spsr | SPSR_SS, e2.elr, e2.x[0]);

	EXPECT_EXC(e2, EL1, EC_STEP_LOWER, STEPPED);
	EXPECT_EQ(e2.elr, count_up + 8);
	EXPECT_EXC(e3, EL1, EC_STEP_LOWER, STEPPED);
	EXPECT_EQ(e3.elr, count_up + 12);
	EXPECT_REG(e3, 0, 3);
}

TEST(stepped_branch_leads_to_its_target)
{
	step_on();
	struct exc e = run_at_spsr(SPSR_SS | SPSR_M_EL0T | SPSR_DAIF, forward);

	EXPECT_EXC(e, EL1, EC_STEP_LOWER, STEPPED);
	EXPECT_EQ(e.elr, forward + 8);
}

SNIPPET(call_x0, "blr x0");

// PSTATE.BTYPE as the branch left it, and not yet looked at.
TEST(step_of_an_indirect_branch_saves_btype)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64pfr1_el1), 0), "no FEAT_BTI");
	step_on();
	struct exc blr = run_at_spsr(SPSR_SS | SPSR_M_EL0T | SPSR_DAIF, call_x0, count_up);
	struct exc add = run_at_spsr(blr.spsr | SPSR_SS, blr.elr);

	EXPECT_EQ(blr.elr, count_up);
	EXPECT_MASKED(blr.spsr, SPSR_BTYPE(3), SPSR_BTYPE(2));
	EXPECT_MASKED(blr.pstate, SPSR_BTYPE(3), 0);
	EXPECT_EQ(add.elr, count_up + 4);
	EXPECT_MASKED(add.spsr, SPSR_BTYPE(3), 0);
}

TEST(el1_steps_el0_by_its_own_eret)
{
	step_on();
	write_sysreg(spsr_el1, SPSR_SS | SPSR_M_EL0T);
	write_sysreg(elr_el1, count_up);
	struct exc e = run_at(EL1, eret_only);

	EXPECT_EXC_AT(e, EL1, VECTOR_LOWER_A64, ESR(EC_STEP_LOWER, STEPPED));
	EXPECT_EQ(e.elr, count_up + 4);
	EXPECT_MASKED(e.spsr, SPSR_M_MASK | SPSR_SS, SPSR_M_EL0T);
}

TEST(el2_steps_el1_by_its_own_eret)
{
	step_on();
	route_to_el2();
	write_sysreg(spsr_el2, SPSR_SS | SPSR_DAIF | SPSR_M_EL1H);
	write_sysreg(elr_el2, count_up);
	struct exc e = run_at(EL2, eret_only);

	EXPECT_EXC_AT(e, EL2, VECTOR_LOWER_A64, ESR(EC_STEP_LOWER, STEPPED));
	EXPECT_EQ(e.elr, count_up + 4);
	EXPECT_MASKED(e.spsr, SPSR_M_MASK | SPSR_SS, SPSR_M_EL1H);
}

// ---- EX -----------------------------------------------------------------------------------------

TEST(syndrome_tells_a_load_exclusive)
{
	step_on();
	struct exc ldxr = run_at_spsr(SPSR_SS | SPSR_M_EL0T | SPSR_DAIF, load_exclusive, scratch);
	struct exc ldaxp =
		run_at_spsr(SPSR_SS | SPSR_M_EL0T | SPSR_DAIF, load_acquire_pair, scratch);
	struct exc stxr = run_at_spsr(SPSR_SS | SPSR_M_EL0T | SPSR_DAIF, store_exclusive, scratch);
	struct exc ldar = run_at_spsr(SPSR_SS | SPSR_M_EL0T | SPSR_DAIF, load_acquire, scratch);

	EXPECT_EXC(ldxr, EL1, EC_STEP_LOWER, STEPPED_EX);
	EXPECT_EXC(ldaxp, EL1, EC_STEP_LOWER, STEPPED_EX);
	EXPECT_EXC(stxr, EL1, EC_STEP_LOWER, STEPPED);
	EXPECT_EXC(ldar, EL1, EC_STEP_LOWER, STEPPED);
}

SNIPPET(swap_pair, ".arch_extension lse\n\tcaspa x2, x3, x4, x5, [x0]\n\tnop");

// CASPA has the bits of LDAXP but for the highest.
TEST(syndrome_tells_no_compare_and_swap)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64isar0_el1), 20), "no FEAT_LSE");
	step_on();
	struct exc e = run_at_spsr(SPSR_SS | SPSR_M_EL0T | SPSR_DAIF, swap_pair, scratch);

	EXPECT_EXC(e, EL1, EC_STEP_LOWER, STEPPED);
}

// ---- Exceptions of the stepped instruction ------------------------------------------------------

TEST(stepped_svc_saves_ss_clear)
{
	step_on();
	struct exc e = run_at_spsr(SPSR_SS | SPSR_M_EL0T | SPSR_DAIF, svc_1);

	EXPECT_EXC(e, EL1, EC_SVC, 1);
	EXPECT_EQ(e.elr, svc_1 + 4);
	EXPECT_MASKED(e.spsr, SPSR_SS, 0);
}

TEST(stepped_faulting_instruction_saves_ss_set)
{
	step_on();
	struct exc udf = run_at_spsr(SPSR_SS | SPSR_M_EL0T | SPSR_DAIF, udf_0);
	struct exc brk = run_at_spsr(SPSR_SS | SPSR_M_EL0T | SPSR_DAIF, brk_7);

	EXPECT_EXC(udf, EL1, EC_UNKNOWN, 0);
	EXPECT_EQ(udf.elr, udf_0);
	EXPECT_MASKED(udf.spsr, SPSR_SS, SPSR_SS);
	EXPECT_EXC(brk, EL1, EC_BRK, 7);
	EXPECT_MASKED(brk.spsr, SPSR_SS, SPSR_SS);
}

TEST(stepped_hvc_saves_ss_clear_and_trapped_smc_keeps_it)
{
	SNIPPET(hvc_3, "hvc #3");
	SNIPPET(smc_3, "smc #3");
	step_on();
	write_sysreg(mdscr_el1, MDSCR_SS | MDSCR_KDE);
	struct exc hvc = run_at_spsr(SPSR_SS | SPSR_M_EL1H | AIF, hvc_3);
	write_sysreg(hcr_el2, HCR_BASE | HCR_TSC);
	struct exc smc = run_at_spsr(SPSR_SS | SPSR_M_EL1H | AIF, smc_3);

	EXPECT_EXC(hvc, EL2, EC_HVC, 3);
	EXPECT_MASKED(hvc.spsr, SPSR_SS, 0);
	EXPECT_EXC(smc, EL2, EC_SMC, 3);
	EXPECT_EQ(smc.elr, smc_3);
	EXPECT_MASKED(smc.spsr, SPSR_SS, SPSR_SS);
}

// ---- Routing and masking ------------------------------------------------------------------------

TEST(tde_routes_steps_of_el0_and_el1_to_el2)
{
	step_on();
	route_to_el2();
	struct exc e0 = run_at_spsr(SPSR_SS | SPSR_M_EL0T | SPSR_DAIF, count_up);
	struct exc e1 = run_at_spsr(SPSR_SS | SPSR_M_EL1H | SPSR_DAIF, count_up);

	EXPECT_EXC(e0, EL2, EC_STEP_LOWER, STEPPED);
	EXPECT_EXC(e1, EL2, EC_STEP_LOWER, STEPPED);
	EXPECT_EQ(e1.elr, count_up + 4);
}

TEST(tge_routes_steps_of_el0_to_el2)
{
	step_on();
	write_sysreg(hcr_el2, HCR_BASE | HCR_TGE);
	struct exc e = run_at_spsr(SPSR_SS | SPSR_M_EL0T | SPSR_DAIF, count_up);

	EXPECT_EXC(e, EL2, EC_STEP_LOWER, STEPPED);
}

TEST(el1_steps_itself_with_kde_and_d_clear)
{
	kernel_step_on();
	struct exc e = run_at_spsr(SPSR_SS | SPSR_M_EL1H | AIF, count_up);
	struct exc masked = run_at_spsr(SPSR_SS | SPSR_M_EL1H | SPSR_DAIF, count_up);
	step_on();
	struct exc no_kde = run_at_spsr(SPSR_SS | SPSR_M_EL1H | AIF, count_up);

	EXPECT_EXC(e, EL1, EC_STEP_SAME, STEPPED);
	EXPECT_EQ(e.elr, count_up + 4);
	EXPECT_NO_EXC(masked);
	EXPECT_NO_EXC(no_kde);
	EXPECT_REG(no_kde, 0, 3);
}

TEST(el2_steps_itself_with_tde_kde_and_d_clear)
{
	kernel_step_on();
	struct exc no_tde = run_at_spsr(SPSR_SS | SPSR_M_EL2H | AIF, count_up);
	route_to_el2();
	struct exc e = run_at_spsr(SPSR_SS | SPSR_M_EL2H | AIF, count_up);
	struct exc masked = run_at_spsr(SPSR_SS | SPSR_M_EL2H | SPSR_DAIF, count_up);

	EXPECT_NO_EXC(no_tde);
	EXPECT_EXC(e, EL2, EC_STEP_SAME, STEPPED);
	EXPECT_NO_EXC(masked);
}

TEST(el3_is_never_stepped)
{
	kernel_step_on();
	struct exc e = run_at_spsr(SPSR_SS | SPSR_M_EL3H | AIF, count_up);

	EXPECT_NO_EXC(e);
	EXPECT_REG(e, 0, 3);
}

TEST(os_lock_disables_steps)
{
	QEMU_DIFFERS("tests another bit of OSLSR_EL1");
	step_on();
	write_sysreg(oslar_el1, 1);
	struct exc e = run_at_spsr(SPSR_SS | SPSR_M_EL0T | SPSR_DAIF, count_up);

	EXPECT_NO_EXC(e);
}

TEST(mdcr_el3_sdd_disables_secure_steps)
{
	step_on();
	write_sysreg(scr_el3, SCR_BASE & ~SCR_NS);
	struct exc enabled = run_at_spsr(SPSR_SS | SPSR_M_EL0T | SPSR_DAIF, count_up);
	write_sysreg(mdcr_el3, MDCR_EL3_SDD);
	struct exc disabled = run_at_spsr(SPSR_SS | SPSR_M_EL0T | SPSR_DAIF, count_up);

	EXPECT_EXC(enabled, EL1, EC_STEP_LOWER, STEPPED);
	EXPECT_NO_EXC(disabled);
}

// ---- Becoming enabled on the way ----------------------------------------------------------------

SNIPPET(unmask, "add x0, x0, #1\n\tmsr DAIFClr, #8\n\tadd x0, x0, #1\n\tmsr DAIFSet, #8");

TEST(unmasking_d_makes_the_step_pending)
{
	kernel_step_on();
	struct exc e = run_at_spsr(SPSR_SS | SPSR_M_EL1H | SPSR_DAIF, unmask);

	// SS was not kept by the return, which was to a masked state.
	EXPECT_EXC(e, EL1, EC_STEP_SAME, NOT_STEPPED);
	EXPECT_EQ(e.elr, unmask + 8);
	EXPECT_REG(e, 0, 1);
}

SNIPPET(turn_on, "msr mdscr_el1, x1\n\tisb\n\tadd x0, x0, #1\n\tadd x0, x0, #1");

TEST(turning_ss_on_at_the_same_level_is_pending_at_once)
{
	struct exc e = run_at_spsr(SPSR_M_EL1H | AIF, turn_on, 0, MDSCR_SS | MDSCR_KDE);

	// The write takes effect at the ISB at the latest, and may do so before.
	EXPECT_MASKED(e.esr >> 26, 0x3f, EC_STEP_SAME);
	EXPECT_TRUE(e.elr == (uint64_t)turn_on + 4 || e.elr == (uint64_t)turn_on + 8);
	EXPECT_REG(e, 0, 0);
}

TEST(eret_from_a_stepping_level_loses_ss)
{
	kernel_step_on();
	write_sysreg(spsr_el1, SPSR_SS | SPSR_M_EL0T);
	write_sysreg(elr_el1, count_up);
	struct exc e = run_at_spsr(SPSR_SS | SPSR_M_EL1H | AIF, eret_only);

	// Stepping was enabled at the source, so that the step of the ERET itself is what is
	// pending now. ISV may be either.
	EXPECT_EQ(e.el, EL1);
	EXPECT_EQ(e.offset, VECTOR_LOWER_A64);
	EXPECT_MASKED(e.esr, ~ISS_STEP_ISV, ESR(EC_STEP_LOWER, FSC_DEBUG));
	EXPECT_EQ(e.elr, count_up);
	EXPECT_REG(e, 0, 0);
}

// ---- Priority -----------------------------------------------------------------------------------

TEST(pending_step_comes_before_a_breakpoint)
{
	write_sysreg(dbgbvr0_el1, count_up);
	write_sysreg(dbgbcr0_el1, BIT(0) | 0xf << 5 | 2 << 1);
	write_sysreg(mdscr_el1, MDSCR_SS | MDSCR_MDE);
	struct exc pending = run_at_spsr(SPSR_M_EL0T | SPSR_DAIF, count_up);
	struct exc stepped = run_at_spsr(SPSR_SS | SPSR_M_EL0T | SPSR_DAIF, count_up);

	EXPECT_EXC(pending, EL1, EC_STEP_LOWER, NOT_STEPPED);
	EXPECT_EXC(stepped, EL1, EC_BREAKPT_LOWER, FSC_DEBUG);
	EXPECT_EQ(stepped.elr, count_up);
	EXPECT_MASKED(stepped.spsr, SPSR_SS, SPSR_SS);
}

SNIPPET(branch_to_x0, "br x0");

TEST(pending_step_comes_before_the_fetch_of_its_target)
{
	step_on();
	struct exc e = run_at_spsr(SPSR_SS | SPSR_M_EL0T | SPSR_DAIF, branch_to_x0, count_up + 2);

	EXPECT_EXC(e, EL1, EC_STEP_LOWER, STEPPED);
	EXPECT_EQ(e.elr, count_up + 2);
}

TEST(pending_step_comes_before_the_illegal_state)
{
	step_on();
	route_to_el2();
	struct exc pending = run_at_spsr(SPSR_IL | SPSR_M_EL1H | SPSR_DAIF, count_up);
	struct exc stepped = run_at_spsr(SPSR_SS | SPSR_IL | SPSR_M_EL1H | SPSR_DAIF, count_up);

	EXPECT_EXC(pending, EL2, EC_STEP_LOWER, NOT_STEPPED);
	EXPECT_EQ(pending.elr, count_up);
	EXPECT_MASKED(pending.spsr, SPSR_IL | SPSR_SS, SPSR_IL);
	// Not executed, and so not stepped: EL1 takes it, whose next step is pending then.
	EXPECT_EXC(stepped, EL2, EC_STEP_LOWER, NOT_STEPPED);
	EXPECT_MASKED(stepped.spsr, SPSR_IL, 0);
	EXPECT_EQ(read_sysreg(esr_el1), ESR(EC_ILLEGAL, 0));
	EXPECT_EQ(stepped.elr, (read_sysreg(vbar_el1) & ~0x7fful) + 0x200);
}

// Of an illegal return the destination is the level that makes it (DebugExceptionReturnSS): SS is
// taken from the SPSR where unmasking D enables the step there.
TEST(illegal_return_takes_ss_from_the_spsr)
{
	QEMU_DIFFERS("keeps SS");
	kernel_step_on();
	write_sysreg(spsr_el1, SPSR_SS | AIF | SPSR_M_EL2H);
	write_sysreg(elr_el1, count_up);
	struct exc set = run_at(EL1, eret_only);
	write_sysreg(spsr_el1, AIF | SPSR_M_EL2H);
	write_sysreg(elr_el1, count_up);
	struct exc clear = run_at(EL1, eret_only);
	write_sysreg(spsr_el1, SPSR_SS | SPSR_DAIF | SPSR_M_EL2H);
	write_sysreg(elr_el1, count_up);
	struct exc masked = run_at(EL1, eret_only);

	EXPECT_EXC(set, EL1, EC_ILLEGAL, 0);
	EXPECT_MASKED(set.spsr, SPSR_SS | SPSR_IL | SPSR_M_MASK, SPSR_SS | SPSR_IL | SPSR_M_EL1H);
	EXPECT_EXC(clear, EL1, EC_STEP_SAME, NOT_STEPPED);
	EXPECT_EQ(clear.elr, count_up);
	EXPECT_MASKED(clear.spsr, SPSR_SS | SPSR_IL, SPSR_IL);
	EXPECT_EXC(masked, EL1, EC_ILLEGAL, 0);
	EXPECT_MASKED(masked.spsr, SPSR_SS, 0);
}

// A tagged VBAR_EL1: what is fetched from, and what the next exception saves, has no tag
// (AArch64.BranchAddr).
TEST(vector_address_loses_its_tag)
{
	QEMU_DIFFERS("keeps the tag");
	uint64_t vbar = read_sysreg(vbar_el1);

	write_sysreg(tcr_el1, read_sysreg(tcr_el1) | 1ul << 37); // TBI0
	write_sysreg(vbar_el1, vbar | 0x5aul << 56);
	step_on();
	route_to_el2();
	struct exc svc = run_at_spsr(SPSR_SS | SPSR_M_EL1H | SPSR_DAIF, svc_1);
	struct exc unaligned = run_at_spsr(SPSR_SS | SPSR_M_EL1H | SPSR_DAIF, svc_1 + 2);

	EXPECT_EXC(svc, EL2, EC_STEP_LOWER, NOT_STEPPED);
	EXPECT_EQ(svc.elr, vbar + 0x200);
	EXPECT_EXC(unaligned, EL2, EC_STEP_LOWER, NOT_STEPPED);
	EXPECT_EQ(unaligned.elr, vbar + 0x200);
	write_sysreg(vbar_el1, vbar);
	write_sysreg(tcr_el1, read_sysreg(tcr_el1) & ~(1ul << 37));
}
