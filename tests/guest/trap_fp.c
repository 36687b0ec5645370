// SPDX-License-Identifier: Apache-2.0
//
// trap_fp.c - who may use the FP and SIMD registers: CPACR_EL1.FPEN, CPTR_EL2 in both of its
// layouts, CPTR_EL3.TFP, and TCPAC. All of them report EC 0x07 with ISS 0x1e00000.

#include "emit.h"

#define HAS_VHE id_field(read_sysreg(id_aa64mmfr1_el1), 8)

SNIPPET(fp_add, "fadd d0, d0, d0");
SNIPPET(simd_load, "ld1 {v0.16b}, [x0]");
SNIPPET(read_fpcr, "mrs x0, fpcr");
SNIPPET(write_fpsr, "msr fpsr, xzr");

static const struct sysreg cpacr = SYSREG(cpacr_el1, 3, 0, 1, 0, 2);
static const struct sysreg cptr2 = SYSREG(cptr_el2, 3, 4, 1, 1, 2);
static const struct sysreg cpacr12 = SYSREG(cpacr_el12, 3, 5, 1, 0, 2);

// Every kind of use, from one level.
static void expect_fp(int line, enum el from, int to)
{
	const char *const uses[] = {fp_add, simd_load, read_fpcr, write_fpsr};

	for (unsigned i = 0; i < 4; i++) {
		struct exc e = run_at(from, uses[i], scratch[0]);

		if (to == EL_NONE) {
			guest_expect_no_exc("fp", line, &e);
		} else {
			guest_expect_exc("fp", line, &e, to, ESR(EC_FP_TRAP, ISS_FP));
			guest_expect_eq("fp", line, "elr", e.elr, (uint64_t)uses[i]);
		}
	}
}

#define EXPECT_FP(from, to) expect_fp(__LINE__, from, to)

static void fpen(unsigned value)
{
	write_sysreg(cpacr_el1, CPACR_ZEN(3) | CPACR_FPEN(value));
}

// ---- CPACR_EL1.FPEN -----------------------------------------------------------------------------

TEST(fpen_0_traps_el0_and_el1_to_el1)
{
	fpen(0);
	EXPECT_FP(EL0, EL1);
	EXPECT_FP(EL1, EL1);
	EXPECT_FP(EL2, EL_NONE);
}

TEST(fpen_1_traps_el0_only)
{
	fpen(1);
	EXPECT_FP(EL0, EL1);
	EXPECT_FP(EL1, EL_NONE);
}

TEST(fpen_2_traps_as_0)
{
	fpen(2);
	EXPECT_FP(EL0, EL1);
	EXPECT_FP(EL1, EL1);
}

TEST(fpen_3_traps_nothing)
{
	fpen(3);
	for (enum el el = EL0; el <= EL3; el++) {
		EXPECT_FP(el, EL_NONE);
	}
}

// With TGE the trap would go to EL2 and is reported there as an unknown instruction.
TEST(fpen_trap_at_el0_with_tge_is_ec_0_at_el2)
{
	write_sysreg(hcr_el2, HCR_BASE | HCR_TGE);
	fpen(0);
	struct exc add = run_at(EL0, fp_add);
	struct exc mrs = run_at(EL0, read_fpcr);

	EXPECT_EXC(add, EL2, EC_UNKNOWN, 0);
	EXPECT_EQ(add.elr, fp_add);
	EXPECT_EXC(mrs, EL2, EC_UNKNOWN, 0);
}

TEST(fpen_of_cpacr_el1_says_nothing_in_a_host)
{
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H | HCR_TGE);
	write_sysreg(cptr_el2, CPACR_BASE);
	fpen(0);
	EXPECT_FP(EL0, EL_NONE);
}

// ---- CPTR_EL2 with E2H = 0 ----------------------------------------------------------------------

TEST(cptr_el2_tfp_traps_el0_el1_el2_to_el2)
{
	write_sysreg(cptr_el2, CPTR_EL2_BASE | CPTR_TFP);
	EXPECT_FP(EL0, EL2);
	EXPECT_FP(EL1, EL2);
	EXPECT_FP(EL2, EL2);
	EXPECT_FP(EL3, EL_NONE);
}

TEST(cpacr_comes_before_cptr_el2_tfp)
{
	write_sysreg(cptr_el2, CPTR_EL2_BASE | CPTR_TFP);
	fpen(0);
	EXPECT_FP(EL0, EL1);
	EXPECT_FP(EL1, EL1);
}

TEST(cptr_el2_tfp_says_nothing_in_secure_state_without_secure_el2)
{
	write_sysreg(scr_el3, SCR_BASE & ~SCR_NS);
	write_sysreg(cptr_el2, CPTR_EL2_BASE | CPTR_TFP);
	EXPECT_FP(EL1, EL_NONE);
	EXPECT_FP(EL0, EL_NONE);
}

TEST(cptr_el2_tcpac_traps_cpacr_el1_from_el1)
{
	EXPECT_ACCESS(EL1, READ, cpacr);
	write_sysreg(cptr_el2, CPTR_EL2_BASE | CPTR_TCPAC);
	EXPECT_TRAP(EL1, READ, cpacr, EL2);
	EXPECT_TRAP(EL1, WRITE, cpacr, EL2);
	EXPECT_ACCESS(EL2, READ, cpacr);
	EXPECT_ACCESS(EL2, READ, cptr2);
}

// ---- CPTR_EL2 with E2H = 1: FPEN ----------------------------------------------------------------

static void e2h_fpen(uint64_t hcr, unsigned value)
{
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H | hcr);
	write_sysreg(cptr_el2, CPACR_ZEN(3) | CPACR_FPEN(value));
}

TEST(cptr_el2_fpen_0_traps_el0_el1_el2_with_e2h)
{
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	e2h_fpen(0, 0);
	EXPECT_FP(EL0, EL2);
	EXPECT_FP(EL1, EL2);
	EXPECT_FP(EL2, EL2);
}

TEST(cptr_el2_fpen_2_traps_as_0_with_e2h)
{
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	e2h_fpen(0, 2);
	EXPECT_FP(EL1, EL2);
	EXPECT_FP(EL2, EL2);
}

// Without TGE, 0b01 traps nothing: EL0 then belongs to EL1.
TEST(cptr_el2_fpen_1_traps_nothing_with_e2h_and_without_tge)
{
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	e2h_fpen(0, 1);
	EXPECT_FP(EL0, EL_NONE);
	EXPECT_FP(EL1, EL_NONE);
	EXPECT_FP(EL2, EL_NONE);
}

TEST(cptr_el2_fpen_1_traps_el0_of_a_host)
{
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	e2h_fpen(HCR_TGE, 1);
	EXPECT_FP(EL0, EL2);
	EXPECT_FP(EL2, EL_NONE);
}

TEST(cptr_el2_fpen_0_traps_el0_of_a_host)
{
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	e2h_fpen(HCR_TGE, 0);
	EXPECT_FP(EL0, EL2);
	EXPECT_FP(EL2, EL2);
}

TEST(cptr_el2_fpen_3_traps_nothing_with_e2h)
{
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	e2h_fpen(0, 3);
	EXPECT_FP(EL0, EL_NONE);
	EXPECT_FP(EL1, EL_NONE);
	EXPECT_FP(EL2, EL_NONE);
	e2h_fpen(HCR_TGE, 3);
	EXPECT_FP(EL0, EL_NONE);
}

// Bit 10 is TFP only where E2H is 0.
TEST(cptr_el2_bit_10_is_not_tfp_with_e2h)
{
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H);
	write_sysreg(cptr_el2, CPACR_BASE | CPTR_TFP);
	EXPECT_FP(EL1, EL_NONE);
	EXPECT_FP(EL2, EL_NONE);
}

TEST(cptr_el2_tcpac_traps_cpacr_with_e2h_too)
{
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H);
	write_sysreg(cptr_el2, CPACR_BASE | CPTR_TCPAC);
	EXPECT_TRAP(EL1, READ, cpacr, EL2);
	EXPECT_ACCESS(EL2, READ, cpacr);
	EXPECT_ACCESS(EL2, READ, cpacr12);
}

// ---- CPTR_EL3 -----------------------------------------------------------------------------------

TEST(cptr_el3_tfp_traps_every_level_to_el3)
{
	write_sysreg(cptr_el3, CPTR_EL3_BASE | CPTR_TFP);
	for (enum el el = EL0; el <= EL3; el++) {
		EXPECT_FP(el, EL3);
	}
}

TEST(cptr_el3_tfp_comes_last)
{
	write_sysreg(cptr_el3, CPTR_EL3_BASE | CPTR_TFP);
	write_sysreg(cptr_el2, CPTR_EL2_BASE | CPTR_TFP);
	EXPECT_FP(EL1, EL2);
	EXPECT_FP(EL2, EL2);
	fpen(0);
	EXPECT_FP(EL1, EL1);
	EXPECT_FP(EL3, EL3);
}

TEST(cptr_el3_tcpac_traps_cpacr_and_cptr_el2)
{
	write_sysreg(cptr_el3, CPTR_EL3_BASE | CPTR_TCPAC);
	EXPECT_TRAP(EL1, READ, cpacr, EL3);
	EXPECT_TRAP(EL1, WRITE, cpacr, EL3);
	EXPECT_TRAP(EL2, READ, cpacr, EL3);
	EXPECT_TRAP(EL2, READ, cptr2, EL3);
	EXPECT_TRAP(EL2, WRITE, cptr2, EL3);
	EXPECT_ACCESS(EL3, READ, cptr2);
}

TEST(cptr_el3_tcpac_reports_the_encoding_that_was_used)
{
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H);
	write_sysreg(cptr_el3, CPTR_EL3_BASE | CPTR_TCPAC);
	EXPECT_TRAP(EL2, READ, cpacr, EL3);
	EXPECT_TRAP(EL2, READ, cpacr12, EL3);
}

TEST(cptr_el2_tcpac_comes_before_cptr_el3_tcpac)
{
	write_sysreg(cptr_el3, CPTR_EL3_BASE | CPTR_TCPAC);
	write_sysreg(cptr_el2, CPTR_EL2_BASE | CPTR_TCPAC);
	EXPECT_TRAP(EL1, READ, cpacr, EL2);
}

// The trap is of the instruction: no memory access is made.
TEST(fp_trap_comes_before_the_memory_access)
{
	fpen(0);
	struct exc e = run_at(EL1, simd_load, 0xdead000000000000);

	EXPECT_EXC(e, EL1, EC_FP_TRAP, ISS_FP);
}
