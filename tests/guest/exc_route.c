// SPDX-License-Identifier: Apache-2.0
//
// exc_route.c - to which level synchronous exceptions go: by HCR_EL2.TGE with and without E2H, by
// the Security state, by HCR_EL2.TEA and SCR_EL3.EA for external aborts; and alignment and illegal-
// state exceptions at every level. (exc_basic.c has the plain cases of SVC, HVC, SMC, BRK and UDF.)

#include "emit.h"

#define HAS_VHE id_field(read_sysreg(id_aa64mmfr1_el1), 8)
#define HAS_SEL2 id_field(read_sysreg(id_aa64pfr0_el1), 36)

SNIPPET(svc_1, "svc #1");
SNIPPET(svc_ffff, "svc #0xffff");
SNIPPET(hvc_ffff, "hvc #0xffff");
SNIPPET(smc_8000, "smc #0x8000");
SNIPPET(hvc_1, "hvc #1");
SNIPPET(smc_1, "smc #1");
SNIPPET(brk_1, "brk #1");
SNIPPET(udf_1, "udf #1");
SNIPPET(nothing, "nop");
SNIPPET(branch_x0, "br x0");
SNIPPET(load_x0, "ldr x1, [x0]");
SNIPPET(store_x0, "str x1, [x0]");
SNIPPET(eret_only, "eret");

#define SECURE (SCR_BASE & ~SCR_NS)
#define HCR_TEA BIT(37)

// ---- Immediates and reserved encodings ----------------------------------------------------------

TEST(svc_hvc_smc_report_all_16_bits_of_the_immediate)
{
	struct exc svc = run_at(EL1, svc_ffff);
	struct exc hvc = run_at(EL1, hvc_ffff);
	struct exc smc = run_at(EL2, smc_8000);

	EXPECT_EXC(svc, EL1, EC_SVC, 0xffff);
	EXPECT_EXC(hvc, EL2, EC_HVC, 0xffff);
	EXPECT_EXC(smc, EL3, EC_SMC, 0x8000);
}

TEST(unallocated_encodings_are_undefined)
{
	// Reserved top-level groups, unallocated exception generation, unallocated branches.
	const uint32_t insns[] = {0x00010000, 0x02000000, 0xd4000000,
				  0xd4200001, 0xd65f0001, 0xd6ff0000};

	for (unsigned i = 0; i < sizeof(insns) / sizeof(insns[0]); i++) {
		struct exc e = run_at(EL1, emit(insns[i]));

		EXPECT_EXC(e, EL1, EC_UNKNOWN, 0);
		EXPECT_EQ(e.elr, emit(insns[i]));
	}
}

// ---- TGE without E2H ----------------------------------------------------------------------------

TEST(tge_takes_brk_of_el0_to_el2)
{
	write_sysreg(hcr_el2, HCR_BASE | HCR_TGE);
	struct exc e = run_at(EL0, brk_1);

	EXPECT_EXC(e, EL2, EC_BRK, 1);
	EXPECT_EQ(e.elr, brk_1);
}

TEST(tge_takes_hvc_and_smc_of_el0_to_el2_as_undefined)
{
	write_sysreg(hcr_el2, HCR_BASE | HCR_TGE);
	struct exc hvc = run_at(EL0, hvc_1);
	struct exc smc = run_at(EL0, smc_1);

	EXPECT_EXC(hvc, EL2, EC_UNKNOWN, 0);
	EXPECT_EXC(smc, EL2, EC_UNKNOWN, 0);
	EXPECT_EQ(smc.elr, smc_1);
}

TEST(tge_takes_pc_alignment_fault_of_el0_to_el2)
{
	write_sysreg(hcr_el2, HCR_BASE | HCR_TGE);
	struct exc e = run_at(EL0, branch_x0, nothing + 1);

	EXPECT_EXC(e, EL2, EC_PC_ALIGN, 0);
	EXPECT_EQ(e.elr, nothing + 1);
	EXPECT_EQ(e.far, nothing + 1);
}

TEST(tge_takes_illegal_state_of_el0_to_el2)
{
	write_sysreg(hcr_el2, HCR_BASE | HCR_TGE);
	struct exc e = run_at_spsr(SPSR_IL | SPSR_DAIF | SPSR_M_EL0T, nothing);

	EXPECT_EXC(e, EL2, EC_ILLEGAL, 0);
	EXPECT_EQ(e.elr, nothing);
}

TEST(tge_takes_alignment_fault_of_el0_to_el2)
{
	write_sysreg(hcr_el2, HCR_BASE | HCR_TGE);
	write_sysreg(sctlr_el1, SCTLR_EL1_BASE | SCTLR_A);
	struct exc e = run_at(EL0, load_x0, scratch[0] + 1);

	EXPECT_EXC(e, EL2, EC_DABT_LOWER, FSC_ALIGNMENT);
	EXPECT_EQ(e.far, scratch[0] + 1);
}

TEST(tge_does_not_change_exceptions_of_el2_and_el3)
{
	write_sysreg(hcr_el2, HCR_BASE | HCR_TGE);
	struct exc e2 = run_at(EL2, svc_1);
	struct exc e3 = run_at(EL3, svc_1);

	EXPECT_EXC(e2, EL2, EC_SVC, 1);
	EXPECT_EXC(e3, EL3, EC_SVC, 1);
}

TEST(tge_says_nothing_in_secure_state_without_secure_el2)
{
	write_sysreg(hcr_el2, HCR_BASE | HCR_TGE);
	write_sysreg(scr_el3, SECURE);
	struct exc e = run_at(EL0, svc_1);

	EXPECT_EXC(e, EL1, EC_SVC, 1);
}

TEST(tge_takes_exceptions_of_secure_el0_to_secure_el2)
{
	SKIP_UNLESS(HAS_SEL2, "no FEAT_SEL2");
	write_sysreg(hcr_el2, HCR_BASE | HCR_TGE);
	write_sysreg(scr_el3, SECURE | SCR_EEL2);
	struct exc e = run_at(EL0, svc_1);

	EXPECT_EXC(e, EL2, EC_SVC, 1);
}

// ---- TGE with E2H: a host's EL0 -----------------------------------------------------------------

TEST(host_takes_every_kind_of_el0_exception_to_el2)
{
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H | HCR_TGE);
	write_sysreg(sctlr_el2, SCTLR_EL2_BASE | SCTLR_A);
	struct exc svc = run_at(EL0, svc_1);
	struct exc brk = run_at(EL0, brk_1);
	struct exc udf = run_at(EL0, udf_1);
	struct exc pc = run_at(EL0, branch_x0, nothing + 2);
	struct exc il = run_at_spsr(SPSR_IL | SPSR_DAIF | SPSR_M_EL0T, nothing);
	struct exc align = run_at(EL0, load_x0, scratch[0] + 1);

	EXPECT_EXC(svc, EL2, EC_SVC, 1);
	EXPECT_EXC(brk, EL2, EC_BRK, 1);
	EXPECT_EXC(udf, EL2, EC_UNKNOWN, 0);
	EXPECT_EXC(pc, EL2, EC_PC_ALIGN, 0);
	EXPECT_EXC(il, EL2, EC_ILLEGAL, 0);
	EXPECT_EXC(align, EL2, EC_DABT_LOWER, FSC_ALIGNMENT);
}

TEST(e2h_without_tge_leaves_el0_exceptions_to_el1)
{
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H);
	struct exc svc = run_at(EL0, svc_1);
	struct exc udf = run_at(EL0, udf_1);
	struct exc hvc = run_at(EL1, hvc_1);
	struct exc svc2 = run_at(EL2, svc_1);

	EXPECT_EXC(svc, EL1, EC_SVC, 1);
	EXPECT_EXC(udf, EL1, EC_UNKNOWN, 0);
	EXPECT_EXC(hvc, EL2, EC_HVC, 1);
	EXPECT_EXC(svc2, EL2, EC_SVC, 1);
}

// ---- HCD, SMD, HCE in other states --------------------------------------------------------------

// HCR_EL2.HCD is RES0 where EL3 is implemented: SCR_EL3.HCE decides.
TEST(hcr_hcd_is_ignored_with_el3)
{
	QEMU_7_DIFFERS("gives HCR_EL2.HCD its meaning");
	write_sysreg(hcr_el2, HCR_BASE | HCR_HCD);
	struct exc e = run_at(EL1, hvc_1);

	EXPECT_EXC(e, EL2, EC_HVC, 1);
}

TEST(hvc_at_secure_el1_with_secure_el2_goes_there)
{
	SKIP_UNLESS(HAS_SEL2, "no FEAT_SEL2");
	write_sysreg(scr_el3, SECURE | SCR_EEL2);
	struct exc e = run_at(EL1, hvc_1);

	EXPECT_EXC(e, EL2, EC_HVC, 1);
}

TEST(smc_at_secure_el1_goes_to_el3)
{
	write_sysreg(scr_el3, SECURE);
	write_sysreg(hcr_el2, HCR_BASE | HCR_TSC); // no effect here
	struct exc e = run_at(EL1, smc_1);

	EXPECT_EXC(e, EL3, EC_SMC, 1);
}

TEST(hcr_tsc_traps_smc_at_secure_el1_with_secure_el2)
{
	SKIP_UNLESS(HAS_SEL2, "no FEAT_SEL2");
	write_sysreg(scr_el3, SECURE | SCR_EEL2);
	write_sysreg(hcr_el2, HCR_BASE | HCR_TSC);
	struct exc e = run_at(EL1, smc_1);

	EXPECT_EXC(e, EL2, EC_SMC, 1);
	EXPECT_EQ(e.elr, smc_1);
}

TEST(hcr_tsc_leaves_smc_of_el0_undefined)
{
	write_sysreg(hcr_el2, HCR_BASE | HCR_TSC);
	struct exc e = run_at(EL0, smc_1);

	EXPECT_EXC(e, EL1, EC_UNKNOWN, 0);
}

TEST(scr_smd_holds_in_secure_state_too)
{
	write_sysreg(scr_el3, SECURE | SCR_SMD);
	struct exc e = run_at(EL1, smc_1);

	EXPECT_EXC(e, EL1, EC_UNKNOWN, 0);
}

TEST(svc_at_secure_el0_goes_to_secure_el1)
{
	write_sysreg(scr_el3, SECURE);
	struct exc e = run_at(EL0, svc_1);

	EXPECT_EXC(e, EL1, EC_SVC, 1);
}

// ---- PC alignment, illegal state, SP alignment at each level ------------------------------------

TEST(pc_alignment_fault_is_taken_where_it_happens)
{
	for (enum el el = EL1; el <= EL3; el++) {
		struct exc e = run_at(el, branch_x0, nothing + 3);

		EXPECT_EXC(e, el, EC_PC_ALIGN, 0);
		EXPECT_EQ(e.elr, nothing + 3);
		EXPECT_EQ(e.far, nothing + 3);
	}
}

// What is raised instead of the first instruction at the target saves PSTATE.BTYPE as BR left it
// (AArch64.TakeException).
TEST(exceptions_at_the_target_of_an_indirect_branch_save_btype)
{
	SNIPPET(call_x0, "blr x0");
	SKIP_UNLESS(id_field(read_sysreg(id_aa64pfr1_el1), 0), "no FEAT_BTI");
	struct exc unaligned = run_at(EL0, call_x0, nothing + 2);
	struct exc abort = run_at(EL0, call_x0, 1ul << 52);
	write_sysreg(dbgbvr0_el1, nothing);
	write_sysreg(dbgbcr0_el1, BIT(0) | 2 << 1 | 0xf << 5);
	write_sysreg(mdscr_el1, BIT(15));
	struct exc breakpoint = run_at(EL0, call_x0, nothing);
	write_sysreg(mdscr_el1, 0);
	write_sysreg(dbgbcr0_el1, 0);

	EXPECT_EXC(unaligned, EL1, EC_PC_ALIGN, 0);
	EXPECT_MASKED(unaligned.spsr, SPSR_BTYPE(3), SPSR_BTYPE(2));
	EXPECT_EXC(abort, EL1, EC_IABT_LOWER, FSC_ADDR_SIZE(0));
	EXPECT_MASKED(abort.spsr, SPSR_BTYPE(3), SPSR_BTYPE(2));
	EXPECT_EXC(breakpoint, EL1, EC_BREAKPT_LOWER, FSC_DEBUG);
	EXPECT_MASKED(breakpoint.spsr, SPSR_BTYPE(3), SPSR_BTYPE(2));
}

TEST(exception_return_to_a_misaligned_address_faults_at_the_target)
{
	struct exc e0 = run_at(EL0, nothing + 2);
	struct exc e1 = run_at(EL1, nothing + 1);

	EXPECT_EXC(e0, EL1, EC_PC_ALIGN, 0);
	EXPECT_EQ(e0.far, nothing + 2);
	EXPECT_EXC(e1, EL1, EC_PC_ALIGN, 0);
	EXPECT_EQ(e1.elr, nothing + 1);
}

TEST(illegal_state_exception_is_taken_at_each_level)
{
	const int to[] = {EL1, EL1, EL2, EL3};

	for (enum el el = EL0; el <= EL3; el++) {
		struct exc e = run_at_spsr(guest_spsr(el) | SPSR_IL, svc_1);

		EXPECT_EXC(e, to[el], EC_ILLEGAL, 0);
		EXPECT_EQ(e.elr, svc_1);
		EXPECT_MASKED(e.spsr, SPSR_IL, SPSR_IL);
	}
}

SNIPPET(load_sp_off_8, "mov x1, sp\n\tadd sp, x1, #8\n\tldr x2, [sp]\n\tmov sp, x1");
SNIPPET(store_pair_sp_off_8,
	"mov x1, sp\n\tsub sp, x1, #8\n\tstp x2, x3, [sp, #-16]\n\tmov sp, x1");
SNIPPET(move_sp_off_8, "mov x1, sp\n\tadd sp, x1, #8\n\tmov x2, sp\n\tmov sp, x1");
SNIPPET(prefetch_sp_off_8, "mov x1, sp\n\tsub sp, x1, #8\n\tprfm pldl1keep, [sp]\n\tmov sp, x1");

TEST(sp_alignment_fault_at_el2_and_el3_by_their_sctlr_sa)
{
	QEMU_DIFFERS("does not check the stack pointer");
	write_sysreg(sctlr_el2, SCTLR_EL2_BASE | SCTLR_SA);
	write_sysreg(sctlr_el3, SCTLR_EL3_BASE | SCTLR_SA);
	struct exc e2 = run_at(EL2, store_pair_sp_off_8);
	struct exc e3 = run_at(EL3, store_pair_sp_off_8);

	EXPECT_EXC(e2, EL2, EC_SP_ALIGN, 0);
	EXPECT_EQ(e2.elr, store_pair_sp_off_8 + 8);
	EXPECT_EXC(e3, EL3, EC_SP_ALIGN, 0);
}

TEST(sp_alignment_is_checked_on_memory_accesses_alone)
{
	write_sysreg(sctlr_el1, SCTLR_EL1_BASE | SCTLR_SA);
	struct exc move = run_at(EL1, move_sp_off_8);
	struct exc prefetch = run_at(EL1, prefetch_sp_off_8);

	EXPECT_NO_EXC(move);
	EXPECT_NO_EXC(prefetch);
}

TEST(sp_alignment_fault_of_el0_goes_to_el2_with_tge)
{
	QEMU_DIFFERS("does not check the stack pointer");
	write_sysreg(hcr_el2, HCR_BASE | HCR_TGE);
	write_sysreg(sctlr_el1, SCTLR_EL1_BASE | SCTLR_SA0);
	struct exc e = run_at(EL0, load_sp_off_8);

	EXPECT_EXC(e, EL2, EC_SP_ALIGN, 0);
}

TEST(sctlr_el2_sa0_decides_for_el0_of_a_host)
{
	QEMU_DIFFERS("does not check the stack pointer");
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H | HCR_TGE);
	write_sysreg(sctlr_el1, SCTLR_EL1_BASE | SCTLR_SA0);
	write_sysreg(sctlr_el2, SCTLR_EL2_BASE & ~(SCTLR_SA0 | SCTLR_SA));
	struct exc off = run_at(EL0, load_sp_off_8);
	write_sysreg(sctlr_el2, SCTLR_EL2_BASE | SCTLR_SA0);
	struct exc on = run_at(EL0, load_sp_off_8);

	EXPECT_NO_EXC(off);
	EXPECT_EXC(on, EL2, EC_SP_ALIGN, 0);
}

// ---- External aborts ----------------------------------------------------------------------------

// Above all RAM of the board, in its RAM window: nothing answers.
#define HOLE 0x3f00000000ul
#define FSC_MASK 0x3ful
#define EC_SHIFT 26

static void expect_external(int line, const struct exc *e, int to, uint64_t ec)
{
	guest_expect_eq("external", line, "level", (uint64_t)e->el, (uint64_t)to);
	guest_expect_eq("external", line, "EC", e->esr >> EC_SHIFT, ec);
	guest_expect_eq("external", line, "FSC", e->esr & FSC_MASK, FSC_EXTERNAL);
	guest_expect_eq("external", line, "FAR", e->far, HOLE);
}

#define EXPECT_EXTERNAL(e, to, ec) expect_external(__LINE__, &(e), to, ec)

TEST(external_abort_goes_to_el1_by_default)
{
	struct exc e0 = run_at(EL0, load_x0, HOLE);
	struct exc e1 = run_at(EL1, load_x0, HOLE);
	struct exc e2 = run_at(EL2, load_x0, HOLE);
	struct exc e3 = run_at(EL3, load_x0, HOLE);

	EXPECT_EXTERNAL(e0, EL1, EC_DABT_LOWER);
	EXPECT_EXTERNAL(e1, EL1, EC_DABT_SAME);
	EXPECT_EXTERNAL(e2, EL2, EC_DABT_SAME);
	EXPECT_EXTERNAL(e3, EL3, EC_DABT_SAME);
}

TEST(external_abort_of_a_store_sets_wnr)
{
	struct exc e = run_at(EL1, store_x0, HOLE);

	EXPECT_EXTERNAL(e, EL1, EC_DABT_SAME);
	EXPECT_MASKED(e.esr, ISS_WNR, ISS_WNR);
}

TEST(external_abort_on_fetch_is_an_instruction_abort)
{
	struct exc e = run_at(EL1, branch_x0, HOLE);

	EXPECT_EXTERNAL(e, EL1, EC_IABT_SAME);
	EXPECT_EQ(e.elr, HOLE);
}

TEST(hcr_tea_takes_external_aborts_to_el2)
{
	QEMU_DIFFERS("ignores HCR_EL2.TEA");
	write_sysreg(hcr_el2, HCR_BASE | HCR_TEA);
	struct exc e0 = run_at(EL0, load_x0, HOLE);
	struct exc e1 = run_at(EL1, load_x0, HOLE);

	EXPECT_EXTERNAL(e0, EL2, EC_DABT_LOWER);
	EXPECT_EXTERNAL(e1, EL2, EC_DABT_LOWER);
}

TEST(scr_ea_takes_external_aborts_to_el3)
{
	QEMU_DIFFERS("ignores SCR_EL3.EA for synchronous aborts");
	write_sysreg(scr_el3, SCR_BASE | SCR_EA);
	write_sysreg(hcr_el2, HCR_BASE | HCR_TEA);
	for (enum el el = EL0; el <= EL2; el++) {
		struct exc e = run_at(el, load_x0, HOLE);

		EXPECT_EXTERNAL(e, EL3, EC_DABT_LOWER);
	}
}

TEST(tge_takes_external_aborts_of_el0_to_el2)
{
	write_sysreg(hcr_el2, HCR_BASE | HCR_TGE);
	struct exc e = run_at(EL0, load_x0, HOLE);

	EXPECT_EXTERNAL(e, EL2, EC_DABT_LOWER);
}

// ---- Vectors ------------------------------------------------------------------------------------

TEST(exception_from_two_levels_below_uses_the_lower_level_vectors)
{
	write_sysreg(scr_el3, SCR_BASE & ~SCR_API);
	struct exc e0 = run_at(EL0, emit(0x9ac23020)); // PACGA x0, x1, x2
	struct exc e1 = run_at(EL1, emit(0x9ac23020));

	EXPECT_EXC_AT(e0, EL3, 0x400, ESR(EC_PAC_TRAP, 0));
	EXPECT_EXC_AT(e1, EL3, 0x400, ESR(EC_PAC_TRAP, 0));
}

TEST(vbar_low_bits_are_res0)
{
	QEMU_DIFFERS("keeps bits [10:5]");
	write_sysreg(vbar_el1, (uint64_t)lower_vectors | 0x7ff);
	struct exc e = run_at(EL0, svc_1);

	EXPECT_EXC(e, EL1, EC_SVC, 1);
}

TEST(far_is_not_changed_by_svc_and_undefined)
{
	write_sysreg(far_el1, 0x1234);
	struct exc svc = run_at(EL1, svc_1);
	struct exc udf = run_at(EL1, udf_1);

	EXPECT_EQ(svc.far, 0x1234);
	EXPECT_EQ(udf.far, 0x1234);
}

TEST(exception_to_el2_leaves_el1_syndrome_registers)
{
	write_sysreg(esr_el1, 0x11);
	write_sysreg(elr_el1, 0x22);
	write_sysreg(spsr_el1, 0x3c5);
	(void)run_at(EL1, hvc_1);
	EXPECT_EQ(read_sysreg(esr_el1), 0x11);
	EXPECT_EQ(read_sysreg(elr_el1), 0x22);
	EXPECT_EQ(read_sysreg(spsr_el1), 0x3c5);
}

TEST(eret_and_drps_are_undefined_where_they_must_be)
{
	struct exc e0 = run_at(EL0, eret_only);
	struct exc drps1 = run_at(EL1, emit(0xd6bf03e0)); // DRPS outside Debug state
	struct exc drps3 = run_at(EL3, emit(0xd6bf03e0));

	EXPECT_EXC(e0, EL1, EC_UNKNOWN, 0);
	EXPECT_EXC(drps1, EL1, EC_UNKNOWN, 0);
	EXPECT_EXC(drps3, EL3, EC_UNKNOWN, 0);
}

TEST(dcps_is_undefined_outside_debug_state)
{
	struct exc e1 = run_at(EL1, emit(0xd4a00001));
	struct exc e2 = run_at(EL2, emit(0xd4a00002));

	EXPECT_EXC(e1, EL1, EC_UNKNOWN, 0);
	EXPECT_EXC(e2, EL2, EC_UNKNOWN, 0);
}
