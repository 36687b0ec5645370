// SPDX-License-Identifier: Apache-2.0
//
// el_switch.c - legal moves between the levels by ERET and by exceptions: what each level sees of
// itself, which stack pointer it uses, and that all registers and flags survive the way.

#include "guest.h"

SNIPPET(read_current_el, "mrs x0, CurrentEL\n\tmrs x1, SPSel\n\tmrs x2, DAIF\n\tmov x3, sp");
SNIPPET(read_nzcv, "mrs x0, NZCV");
SNIPPET(double_x0_to_x7, "add x0, x0, x0\n\tadd x1, x1, x1\n\tadd x2, x2, x2\n\tadd x3, x3, x3\n\t"
			 "add x4, x4, x4\n\tadd x5, x5, x5\n\tadd x6, x6, x6\n\tadd x7, x7, x7");
SNIPPET(eret_only, "eret");
SNIPPET(svc_0, "svc #0");

TEST(current_el_reads_the_level)
{
	for (enum el el = EL1; el <= EL3; el++) {
		struct exc e = run_at(el, read_current_el);

		EXPECT_NO_EXC(e);
		EXPECT_REG(e, 0, (uint64_t)el << 2);
		EXPECT_REG(e, 1, 1);
		EXPECT_REG(e, 2, SPSR_DAIF);
		EXPECT_MASKED(e.pstate, SPSR_M_MASK, (uint64_t)el << 2 | 1);
	}
}

TEST(current_el_is_undefined_at_el0)
{
	struct exc e = run_at(EL0, read_current_el);

	EXPECT_EXC(e, EL1, EC_UNKNOWN, 0);
	EXPECT_EQ(e.elr, read_current_el);
}

TEST(each_level_has_its_own_sp)
{
	struct exc e1 = run_at(EL1, read_current_el);
	struct exc e2 = run_at(EL2, read_current_el);

	EXPECT_REG(e1, 3, stack_el1_top);
	EXPECT_REG(e2, 3, stack_el2_top);
}

TEST(spsel_0_selects_sp_el0)
{
	struct exc e1 = run_at_spsr(SPSR_DAIF | SPSR_M_EL1T, read_current_el);
	struct exc e2 = run_at_spsr(SPSR_DAIF | SPSR_M_EL2T, read_current_el);

	EXPECT_REG(e1, 1, 0);
	EXPECT_REG(e1, 3, stack_el0_top);
	EXPECT_REG(e2, 3, stack_el0_top);
}

TEST(registers_survive_the_way_down_and_back)
{
	for (enum el el = EL0; el <= EL3; el++) {
		struct exc e = run_at(el, double_x0_to_x7, 1, 2, 3, 4, 5, 6, 7, 1ul << 62);

		EXPECT_NO_EXC(e);
		EXPECT_REG(e, 0, 2);
		EXPECT_REG(e, 6, 14);
		EXPECT_REG(e, 7, 1ul << 63);
	}
}

TEST(eret_loads_flags_from_spsr)
{
	struct exc e = run_at_spsr(SPSR_N | SPSR_V | SPSR_DAIF | SPSR_M_EL0T, read_nzcv);

	EXPECT_NO_EXC(e);
	EXPECT_REG(e, 0, SPSR_N | SPSR_V);
}

TEST(eret_from_el2_to_el1_to_el0_and_svc_back_to_el1)
{
	write_sysreg(spsr_el2, SPSR_DAIF | SPSR_M_EL1H);
	write_sysreg(elr_el2, eret_only);
	write_sysreg(spsr_el1, SPSR_M_EL0T);
	write_sysreg(elr_el1, svc_0);
	struct exc e = run_at(EL2, eret_only);

	EXPECT_EXC_AT(e, EL1, VECTOR_LOWER_A64, ESR(EC_SVC, 0));
	EXPECT_EQ(e.elr, svc_0 + 4);
	EXPECT_MASKED(e.spsr, SPSR_M_MASK | SPSR_DAIF, SPSR_M_EL0T);
}

TEST(eret_from_el2_to_el0_with_tge_and_e2h)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr1_el1), 8), "no FEAT_VHE");
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H | HCR_TGE);
	write_sysreg(spsr_el2, SPSR_M_EL0T);
	write_sysreg(elr_el2, svc_0);
	struct exc e = run_at(EL2, eret_only);

	EXPECT_EXC_AT(e, EL2, VECTOR_LOWER_A64, ESR(EC_SVC, 0));
	EXPECT_EQ(e.elr, svc_0 + 4);
}

TEST(eret_within_a_level_changes_sp)
{
	write_sysreg(spsr_el1, SPSR_DAIF | SPSR_M_EL1T);
	write_sysreg(elr_el1, read_current_el);
	struct exc e = run_at(EL1, eret_only);

	EXPECT_NO_EXC(e);
	EXPECT_REG(e, 1, 0);
	EXPECT_REG(e, 3, stack_el0_top);
}

TEST(secure_el1_is_reached_without_ns)
{
	write_sysreg(scr_el3, SCR_BASE & ~SCR_NS);
	struct exc e = run_at(EL1, read_current_el);

	EXPECT_NO_EXC(e);
	EXPECT_REG(e, 0, 1 << 2);
}

TEST(secure_el2_without_eel2_is_an_illegal_return)
{
	write_sysreg(scr_el3, SCR_BASE & ~SCR_NS);
	struct exc e = run_at(EL2, read_current_el);

	// The return fails at EL3, which then takes the illegal state exception at the target
	// address.
	EXPECT_EXC_AT(e, EL3, VECTOR_CURRENT_SPX, ESR(EC_ILLEGAL, 0));
	EXPECT_EQ(e.elr, read_current_el);
}
