// SPDX-License-Identifier: Apache-2.0
//
// exc_basic.c - the instructions that generate exceptions, at each level, with the exact syndrome,
// return address and vector; and the illegal exception return.

#include "guest.h"

SNIPPET(svc_1234, "svc #0x1234");
SNIPPET(hvc_1234, "hvc #0x1234");
SNIPPET(smc_1234, "smc #0x1234");
SNIPPET(brk_1234, "brk #0x1234");
SNIPPET(hlt_1, "hlt #1");
SNIPPET(udf_0, "udf #0");
SNIPPET(eret_only, "eret");
SNIPPET(nothing, "nop");

// ---- SVC: to EL1 from EL0 and EL1, to the same level above --------------------------------------

TEST(svc_at_el0_goes_to_el1)
{
	struct exc e = run_at(EL0, svc_1234);

	EXPECT_EXC(e, EL1, EC_SVC, 0x1234);
	EXPECT_EQ(e.elr, svc_1234 + 4);
	EXPECT_EQ(e.offset, 0x400);
}

TEST(svc_at_el1_stays_at_el1)
{
	struct exc e = run_at(EL1, svc_1234);

	EXPECT_EXC(e, EL1, EC_SVC, 0x1234);
	EXPECT_EQ(e.elr, svc_1234 + 4);
	EXPECT_EQ(e.offset, 0x200);
}

TEST(svc_at_el2_stays_at_el2)
{
	struct exc e = run_at(EL2, svc_1234);

	EXPECT_EXC(e, EL2, EC_SVC, 0x1234);
	EXPECT_EQ(e.elr, svc_1234 + 4);
}

TEST(svc_at_el3_stays_at_el3)
{
	struct exc e = run_at(EL3, svc_1234);

	EXPECT_EXC(e, EL3, EC_SVC, 0x1234);
	EXPECT_EQ(e.elr, svc_1234 + 4);
}

TEST(svc_at_el0_goes_to_el2_with_tge)
{
	write_sysreg(hcr_el2, HCR_BASE | HCR_TGE);
	struct exc e = run_at(EL0, svc_1234);

	EXPECT_EXC(e, EL2, EC_SVC, 0x1234);
	EXPECT_EQ(e.elr, svc_1234 + 4);
	EXPECT_EQ(e.offset, 0x400);
}

TEST(svc_with_sp0_selected_uses_vector_0)
{
	struct exc e1 = run_at_spsr(SPSR_DAIF | SPSR_M_EL1T, svc_1234);
	struct exc e2 = run_at_spsr(SPSR_DAIF | SPSR_M_EL2T, svc_1234);
	struct exc e3 = run_at_spsr(SPSR_DAIF | SPSR_M_EL3T, svc_1234);

	EXPECT_EXC_AT(e1, EL1, 0x000, ESR(EC_SVC, 0x1234));
	EXPECT_EXC_AT(e2, EL2, 0x000, ESR(EC_SVC, 0x1234));
	EXPECT_EXC_AT(e3, EL3, 0x000, ESR(EC_SVC, 0x1234));
	EXPECT_MASKED(e1.spsr, SPSR_M_MASK, SPSR_M_EL1T);
	EXPECT_MASKED(e2.spsr, SPSR_M_MASK, SPSR_M_EL2T);
	EXPECT_MASKED(e3.spsr, SPSR_M_MASK, SPSR_M_EL3T);
}

// ---- HVC ----------------------------------------------------------------------------------------

TEST(hvc_at_el0_is_undefined)
{
	struct exc e = run_at(EL0, hvc_1234);

	EXPECT_EXC(e, EL1, EC_UNKNOWN, 0);
	EXPECT_EQ(e.elr, hvc_1234);
}

TEST(hvc_at_el1_goes_to_el2)
{
	struct exc e = run_at(EL1, hvc_1234);

	EXPECT_EXC(e, EL2, EC_HVC, 0x1234);
	EXPECT_EQ(e.elr, hvc_1234 + 4);
}

TEST(hvc_at_el2_stays_at_el2)
{
	struct exc e = run_at(EL2, hvc_1234);

	EXPECT_EXC(e, EL2, EC_HVC, 0x1234);
}

TEST(hvc_at_el3_stays_at_el3)
{
	QEMU_7_DIFFERS("takes it to EL2");
	struct exc e = run_at(EL3, hvc_1234);

	EXPECT_EXC(e, EL3, EC_HVC, 0x1234);
}

TEST(hvc_without_scr_hce_is_undefined_where_it_stands)
{
	write_sysreg(scr_el3, SCR_BASE & ~SCR_HCE);
	struct exc e1 = run_at(EL1, hvc_1234);
	struct exc e2 = run_at(EL2, hvc_1234);
	struct exc e3 = run_at(EL3, hvc_1234);

	EXPECT_EXC(e1, EL1, EC_UNKNOWN, 0);
	EXPECT_EXC(e2, EL2, EC_UNKNOWN, 0);
	EXPECT_EXC(e3, EL3, EC_UNKNOWN, 0);
	EXPECT_EQ(e1.elr, hvc_1234);
}

TEST(hvc_at_secure_el1_without_secure_el2_is_undefined)
{
	QEMU_DIFFERS("takes it to EL2");
	write_sysreg(scr_el3, SCR_BASE & ~SCR_NS);
	struct exc e = run_at(EL1, hvc_1234);

	EXPECT_EXC(e, EL1, EC_UNKNOWN, 0);
}

// ---- SMC ----------------------------------------------------------------------------------------

TEST(smc_at_el0_is_undefined)
{
	struct exc e = run_at(EL0, smc_1234);

	EXPECT_EXC(e, EL1, EC_UNKNOWN, 0);
	EXPECT_EQ(e.elr, smc_1234);
}

TEST(smc_at_el1_el2_el3_goes_to_el3)
{
	for (enum el el = EL1; el <= EL3; el++) {
		struct exc e = run_at(el, smc_1234);

		EXPECT_EXC(e, EL3, EC_SMC, 0x1234);
		EXPECT_EQ(e.elr, smc_1234 + 4);
	}
}

TEST(hcr_tsc_traps_smc_from_el1_to_el2_with_the_smc_as_return_address)
{
	write_sysreg(hcr_el2, HCR_BASE | HCR_TSC);
	struct exc e1 = run_at(EL1, smc_1234);
	struct exc e2 = run_at(EL2, smc_1234);

	EXPECT_EXC(e1, EL2, EC_SMC, 0x1234);
	EXPECT_EQ(e1.elr, smc_1234);
	EXPECT_EXC(e2, EL3, EC_SMC, 0x1234);
}

TEST(scr_smd_makes_smc_undefined)
{
	write_sysreg(scr_el3, SCR_BASE | SCR_SMD);
	struct exc e1 = run_at(EL1, smc_1234);
	struct exc e2 = run_at(EL2, smc_1234);
	struct exc e3 = run_at(EL3, smc_1234);

	EXPECT_EXC(e1, EL1, EC_UNKNOWN, 0);
	EXPECT_EXC(e2, EL2, EC_UNKNOWN, 0);
	EXPECT_EXC(e3, EL3, EC_UNKNOWN, 0);
	EXPECT_EQ(e1.elr, smc_1234);
}

TEST(hcr_tsc_comes_before_scr_smd)
{
	write_sysreg(scr_el3, SCR_BASE | SCR_SMD);
	write_sysreg(hcr_el2, HCR_BASE | HCR_TSC);
	struct exc e = run_at(EL1, smc_1234);

	EXPECT_EXC(e, EL2, EC_SMC, 0x1234);
}

// ---- BRK, HLT, UDF ------------------------------------------------------------------------------

TEST(brk_goes_to_el1_from_el0_and_stays_above)
{
	struct exc e0 = run_at(EL0, brk_1234);
	struct exc e1 = run_at(EL1, brk_1234);
	struct exc e2 = run_at(EL2, brk_1234);
	struct exc e3 = run_at(EL3, brk_1234);

	EXPECT_EXC(e0, EL1, EC_BRK, 0x1234);
	EXPECT_EXC(e1, EL1, EC_BRK, 0x1234);
	EXPECT_EXC(e2, EL2, EC_BRK, 0x1234);
	EXPECT_EXC(e3, EL3, EC_BRK, 0x1234);
	EXPECT_EQ(e0.elr, brk_1234);
	EXPECT_EQ(e1.elr, brk_1234);
}

TEST(mdcr_tde_routes_brk_from_el0_and_el1_to_el2)
{
	write_sysreg(mdcr_el2, read_sysreg(mdcr_el2) | MDCR_EL2_TDE);
	struct exc e0 = run_at(EL0, brk_1234);
	struct exc e1 = run_at(EL1, brk_1234);

	EXPECT_EXC(e0, EL2, EC_BRK, 0x1234);
	EXPECT_EXC(e1, EL2, EC_BRK, 0x1234);
}

TEST(udf_is_undefined_everywhere)
{
	struct exc e0 = run_at(EL0, udf_0);
	struct exc e1 = run_at(EL1, udf_0);
	struct exc e2 = run_at(EL2, udf_0);
	struct exc e3 = run_at(EL3, udf_0);

	EXPECT_EXC(e0, EL1, EC_UNKNOWN, 0);
	EXPECT_EXC(e1, EL1, EC_UNKNOWN, 0);
	EXPECT_EXC(e2, EL2, EC_UNKNOWN, 0);
	EXPECT_EXC(e3, EL3, EC_UNKNOWN, 0);
	EXPECT_EQ(e0.elr, udf_0);
}

TEST(udf_at_el0_goes_to_el2_with_tge)
{
	write_sysreg(hcr_el2, HCR_BASE | HCR_TGE);
	struct exc e = run_at(EL0, udf_0);

	EXPECT_EXC(e, EL2, EC_UNKNOWN, 0);
}

// Halting debug is not enabled on the board.
TEST(hlt_is_undefined_without_halting_debug)
{
	struct exc e = run_at(EL1, hlt_1);

	EXPECT_EXC(e, EL1, EC_UNKNOWN, 0);
	EXPECT_EQ(e.elr, hlt_1);
}

TEST(eret_at_el0_is_undefined)
{
	struct exc e = run_at(EL0, eret_only);

	EXPECT_EXC(e, EL1, EC_UNKNOWN, 0);
	EXPECT_EQ(e.elr, eret_only);
}

// ---- Illegal exception returns: PSTATE.IL is set and the level stays, then EC 0x0e at the target

static void illegal_return_from_el1(uint64_t spsr)
{
	write_sysreg(spsr_el1, spsr);
	write_sysreg(elr_el1, nothing);
	struct exc e = run_at(EL1, eret_only);

	EXPECT_EXC(e, EL1, EC_ILLEGAL, 0);
	EXPECT_EQ(e.elr, nothing);
	EXPECT_MASKED(e.spsr, SPSR_IL, SPSR_IL);
	// The handler itself runs with IL clear, or its first instruction would raise the exception
	// again.
	EXPECT_MASKED(e.pstate, SPSR_IL, 0);
}

TEST(eret_to_higher_level_is_illegal)
{
	illegal_return_from_el1(SPSR_DAIF | SPSR_M_EL2H);
	illegal_return_from_el1(SPSR_DAIF | SPSR_M_EL3H);
}

TEST(eret_to_reserved_mode_is_illegal)
{
	illegal_return_from_el1(SPSR_DAIF | 0x1); // EL0 with SPSel 1
	illegal_return_from_el1(SPSR_DAIF | 0x6); // M[1] set
}

TEST(eret_from_el2_to_el1_with_tge_is_illegal)
{
	write_sysreg(hcr_el2, HCR_BASE | HCR_TGE);
	write_sysreg(spsr_el2, SPSR_DAIF | SPSR_M_EL1H);
	write_sysreg(elr_el2, nothing);
	struct exc e = run_at(EL2, eret_only);

	EXPECT_EXC(e, EL2, EC_ILLEGAL, 0);
	EXPECT_EQ(e.elr, nothing);
}

TEST(illegal_return_keeps_flags_and_masks_of_the_spsr)
{
	write_sysreg(spsr_el1, SPSR_N | SPSR_C | SPSR_D | SPSR_F | SPSR_M_EL2H);
	write_sysreg(elr_el1, nothing);
	struct exc e = run_at(EL1, eret_only);

	EXPECT_EXC(e, EL1, EC_ILLEGAL, 0);
	EXPECT_MASKED(e.spsr, 0xf0000000 | SPSR_DAIF, SPSR_N | SPSR_C | SPSR_D | SPSR_F);
}

TEST(il_set_in_spsr_raises_illegal_state_at_the_target)
{
	struct exc e = run_at_spsr(SPSR_IL | SPSR_DAIF | SPSR_M_EL1H, nothing);

	EXPECT_EXC(e, EL1, EC_ILLEGAL, 0);
	EXPECT_EQ(e.elr, nothing);
}

// ---- What exception entry does to PSTATE --------------------------------------------------------

TEST(entry_masks_daif_and_selects_own_sp)
{
	struct exc e = run_at_spsr(SPSR_M_EL0T, svc_1234);

	EXPECT_EXC(e, EL1, EC_SVC, 0x1234);
	EXPECT_MASKED(e.spsr, SPSR_DAIF, 0);
	EXPECT_MASKED(e.pstate, SPSR_DAIF | SPSR_M_MASK, SPSR_DAIF | SPSR_M_EL1H);
}

TEST(entry_saves_flags)
{
	struct exc e = run_at_spsr(SPSR_N | SPSR_Z | SPSR_V | SPSR_DAIF | SPSR_M_EL0T, svc_1234);

	EXPECT_MASKED(e.spsr, 0xf0000000, SPSR_N | SPSR_Z | SPSR_V);
}

TEST(pan_is_set_on_entry_when_span_is_clear)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr1_el1), 20), "no FEAT_PAN");
	struct exc kept = run_at(EL0, svc_1234);
	write_sysreg(sctlr_el1, SCTLR_EL1_BASE & ~SCTLR_SPAN);
	struct exc set = run_at(EL0, svc_1234);

	EXPECT_MASKED(kept.pstate, SPSR_PAN, 0);
	EXPECT_MASKED(set.pstate, SPSR_PAN, SPSR_PAN);
}

// ---- PC and SP alignment ------------------------------------------------------------------------

SNIPPET(branch_to_x0, "br x0");
SNIPPET(load_from_misaligned_sp, "mov x1, sp\n\tadd sp, x1, #8\n\tldr x2, [sp]\n\tmov sp, x1");

TEST(branch_to_misaligned_pc_is_a_pc_alignment_fault)
{
	struct exc e0 = run_at(EL0, branch_to_x0, nothing + 2);
	struct exc e2 = run_at(EL2, branch_to_x0, nothing + 1);

	EXPECT_EXC(e0, EL1, EC_PC_ALIGN, 0);
	EXPECT_EQ(e0.elr, nothing + 2);
	EXPECT_EQ(e0.far, nothing + 2);
	EXPECT_EXC(e2, EL2, EC_PC_ALIGN, 0);
	EXPECT_EQ(e2.elr, nothing + 1);
}

TEST(misaligned_sp_faults_where_sctlr_sa_says_so)
{
	QEMU_DIFFERS("does not check the stack pointer");
	struct exc off = run_at(EL1, load_from_misaligned_sp);
	write_sysreg(sctlr_el1, SCTLR_EL1_BASE | SCTLR_SA);
	struct exc el1 = run_at(EL1, load_from_misaligned_sp);
	struct exc el0_off = run_at(EL0, load_from_misaligned_sp);
	write_sysreg(sctlr_el1, SCTLR_EL1_BASE | SCTLR_SA0);
	struct exc el0 = run_at(EL0, load_from_misaligned_sp);

	EXPECT_NO_EXC(off);
	EXPECT_EXC(el1, EL1, EC_SP_ALIGN, 0);
	EXPECT_EQ(el1.elr, load_from_misaligned_sp + 8);
	EXPECT_NO_EXC(el0_off);
	EXPECT_EXC(el0, EL1, EC_SP_ALIGN, 0);
}
