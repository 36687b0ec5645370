// SPDX-License-Identifier: Apache-2.0
//
// afp.c - FEAT_AFP, FPCR.{NEP,AH,FIZ}, and FEAT_RPRES (Arm ARM A1.4, FPUnpackBase(), FPRoundBase(),
// FPProcessNaNs(), FPMax(), FPRecipEstimate(), IsMerging()): one property a test, the numbers
// worked out by hand.

#include "guest.h"

#define NEEDS_AFP SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr1_el1), 44) >= 1, "no FEAT_AFP")
#define NEEDS_RPRES SKIP_UNLESS(id_field(read_sysreg(id_aa64isar2_el1), 4) >= 1, "no FEAT_RPRES")

#define FIZ BIT(0)
#define AH BIT(1)
#define NEP BIT(2)
#define RP BIT(22) // round towards plus infinity
#define FZ BIT(24)
#define DN BIT(25)

#define IOC BIT(0)
#define DZC BIT(1)
#define UFC BIT(3)
#define IXC BIT(4)
#define IDC BIT(7)

// Single precision.
#define ONE 0x3f800000u
#define TWO 0x40000000u
#define INF 0x7f800000u
#define ZERO 0x00000000u
#define MINUS 0x80000000u
#define TINY 0x00000001u // the smallest denormal
#define QNAN1 0x7fc00001u
#define QNAN2 0x7fc00002u
#define QNAN3 0x7fc00003u
#define SNAN1 0x7f800001u
#define SNAN2 0x7f800002u
#define DEFAULT 0x7fc00000u

// x0 is FPCR; x1, x2, x3 go to element 0 of v1, v2, v3. The other bytes of v0 to v3 are 0xaa, 0x11,
// 0x22, 0x33. The instruction's result is v0, in x5 and x6, and x7 is FPSR.
#define FP(name, size, reg, insn) \
	SNIPPET(name, "msr fpcr, x0\n\tmsr fpsr, xzr\n\t" \
		      "movi v0.16b, #0xaa\n\tmovi v1.16b, #0x11\n\tmovi v2.16b, #0x22\n\t" \
		      "movi v3.16b, #0x33\n\tmov v1." size "[0], " reg "1\n\t" \
		      "mov v2." size "[0], " reg "2\n\tmov v3." size "[0], " reg "3\n\t" insn \
		      "\n\tmov x5, v0.d[0]\n\tmov x6, v0.d[1]\n\tmrs x7, fpsr\n\tmsr fpcr, xzr")
#define FP_S(name, insn) FP(name, "s", "w", insn)
#define FP_D(name, insn) FP(name, "d", "x", insn)

FP_S(fadd_s, "fadd s0, s1, s2");
FP_S(fmul_s, "fmul s0, s1, s2");
FP_S(fnmul_s, "fnmul s0, s1, s2");
FP_S(fdiv_s, "fdiv s0, s1, s2");
FP_S(fmax_s, "fmax s0, s1, s2");
FP_S(fmin_s, "fmin s0, s1, s2");
FP_S(fmaxnm_s, "fmaxnm s0, s1, s2");
FP_S(fabd_s, "fabd s0, s1, s2");
FP_S(fmulx_s, "fmulx s0, s1, s2");
FP_S(fmadd_s, "fmadd s0, s1, s2, s3");
FP_S(fmsub_s, "fmsub s0, s1, s2, s3");
FP_S(fabs_s, "fabs s0, s1");
FP_S(fneg_s, "fneg s0, s1");
FP_S(fsqrt_s, "fsqrt s0, s1");
FP_S(fmov_s, "fmov s0, s1");
FP_S(fcsel_s, "fcsel s0, s1, s2, al");
FP_S(frintz_s, "frintz s0, s1");
FP_S(fcvt_d_s, "fcvt d0, s1");
FP_S(fcvtzs_s, "fcvtzs s0, s1");
FP_S(scvtf_s, "scvtf s0, w1");
FP_S(fcmp_s, "fcmp s1, s2");
FP_S(fcmeq_s, "fcmeq s0, s1, s2");
FP_S(fcmeq_zero_s, "fcmeq s0, s1, #0.0");
FP_S(facgt_s, "facgt s0, s1, s2");
FP_S(frecpe_s, "frecpe s0, s1");
FP_S(frecpx_s, "frecpx s0, s1");
FP_S(frsqrte_s, "frsqrte s0, s1");
FP_S(frecps_s, "frecps s0, s1, s2");
FP_S(fmla_element_s, "fmla s0, s1, v2.s[0]");
FP_S(fmul_element_s, "fmul s0, s1, v2.s[0]");
FP_S(faddp_s, "mov v1.s[1], w2\n\tfaddp s0, v1.2s");
FP_S(fabs_4s, "fabs v0.4s, v1.4s");
FP_S(fmls_4s, "movi v0.4s, #0\n\tfmls v0.4s, v1.4s, v2.4s");
FP_S(bfcvt_s, "bfcvt h0, s1");
FP_S(bfdot_2s, "bfdot v0.2s, v1.4h, v2.4h");
FP_D(fadd_d, "fadd d0, d1, d2");
FP_D(fcvt_s_d, "fcvt s0, d1");
FP_D(fcvtxn_d, "fcvtxn s0, d1");
FP_D(frecpe_d, "frecpe d0, d1");
SNIPPET(fadd_h, "msr fpcr, x0\n\tmsr fpsr, xzr\n\tmovi v1.16b, #0x11\n\tmov v1.h[0], w1\n\t"
		"fmov h2, w2\n\tfadd h0, h1, h2\n\tmov x5, v0.d[0]\n\tmov x6, v0.d[1]\n\t"
		"mrs x7, fpsr\n\tmsr fpcr, xzr");

static struct exc run_fp(const char *snippet, uint64_t fpcr, uint64_t a, uint64_t b, uint64_t c)
{
	return run_at(EL1, snippet, fpcr, a, b, c);
}

// The result in v0's low half and FPSR.
#define EXPECT_FP(snippet, fpcr, a, b, c, value, fpsr_) \
	do { \
		struct exc fp_ = run_fp(snippet, fpcr, a, b, c); \
\
		EXPECT_NO_EXC(fp_); \
		EXPECT_REG(fp_, 5, value); \
		EXPECT_REG(fp_, 7, fpsr_); \
	} while (0)
// The whole of v0.
#define EXPECT_V(snippet, fpcr, a, b, c, high, low) \
	do { \
		struct exc fp_ = run_fp(snippet, fpcr, a, b, c); \
\
		EXPECT_NO_EXC(fp_); \
		EXPECT_REG(fp_, 6, high); \
		EXPECT_REG(fp_, 5, low); \
	} while (0)

#define ALL(byte) (0x0101010101010101ul * (byte))
#define OVER(byte, single) ((ALL(byte) & 0xffffffff00000000ul) | (single))

TEST(fpcr_fields_are_there)
{
	SNIPPET(write_fpcr, "msr fpcr, x0\n\tmrs x5, fpcr\n\tmsr fpcr, xzr");

	NEEDS_AFP;
	struct exc e = run_at(EL1, write_fpcr, NEP | AH | FIZ);

	EXPECT_REG(e, 5, NEP | AH | FIZ);
}

// ---- AH: NaNs -----------------------------------------------------------------------------------

TEST(default_nan_has_the_sign_of_ah)
{
	NEEDS_AFP;
	EXPECT_FP(fdiv_s, 0, ZERO, ZERO, 0, DEFAULT, IOC);
	EXPECT_FP(fdiv_s, AH, ZERO, ZERO, 0, MINUS | DEFAULT, IOC);
	EXPECT_FP(fadd_s, AH | DN, QNAN1, ONE, 0, MINUS | DEFAULT, 0);
}

TEST(first_nan_wins_even_over_a_signalling_one)
{
	NEEDS_AFP;
	EXPECT_FP(fadd_s, 0, QNAN1, SNAN2, 0, QNAN2, IOC);
	EXPECT_FP(fadd_s, AH, QNAN1, SNAN2, 0, QNAN1, IOC);
	EXPECT_FP(fadd_s, AH, SNAN1, QNAN2, 0, QNAN1, IOC);
	EXPECT_FP(fadd_s, AH, ONE, SNAN2, 0, QNAN2, IOC);
	EXPECT_FP(fadd_s, AH, QNAN1, QNAN2, 0, QNAN1, 0);
}

TEST(fused_multiply_prefers_the_factors_nans)
{
	NEEDS_AFP;
	EXPECT_FP(fmadd_s, 0, QNAN1, QNAN2, QNAN3, QNAN3, 0);
	EXPECT_FP(fmadd_s, AH, QNAN1, QNAN2, QNAN3, QNAN1, 0);
	EXPECT_FP(fmadd_s, AH, ONE, QNAN2, QNAN3, QNAN2, 0);
	EXPECT_FP(fmadd_s, AH, ONE, ONE, QNAN3, QNAN3, 0);
	EXPECT_FP(fmadd_s, AH, QNAN1, ONE, SNAN2, QNAN1, IOC);
}

TEST(a_quiet_addend_hides_an_invalid_product)
{
	NEEDS_AFP;
	EXPECT_FP(fmadd_s, 0, INF, ZERO, QNAN3, DEFAULT, IOC);
	EXPECT_FP(fmadd_s, AH, INF, ZERO, QNAN3, QNAN3, 0);
	EXPECT_FP(fmadd_s, AH, INF, ZERO, ONE, MINUS | DEFAULT, IOC);
}

TEST(abs_and_neg_leave_nans_alone)
{
	NEEDS_AFP;
	EXPECT_FP(fabs_s, 0, MINUS | QNAN1, 0, 0, QNAN1, 0);
	EXPECT_FP(fabs_s, AH, MINUS | QNAN1, 0, 0, MINUS | QNAN1, 0);
	EXPECT_FP(fabs_s, AH, MINUS | ONE, 0, 0, ONE, 0);
	EXPECT_FP(fneg_s, AH, SNAN1, 0, 0, SNAN1, 0);
	EXPECT_FP(fneg_s, AH, INF, 0, 0, MINUS | INF, 0);
}

TEST(vector_abs_leaves_nans_alone)
{
	NEEDS_AFP;
	QEMU_11_DIFFERS("FABS of a vector clears the sign of NaNs while FPCR.AH is set");
	EXPECT_V(fabs_4s, AH, MINUS | QNAN1, 0, 0, ALL(0x11), OVER(0x11, MINUS | QNAN1));
}

TEST(negated_operands_and_results_leave_nans_alone)
{
	NEEDS_AFP;
	EXPECT_FP(fnmul_s, 0, QNAN1, ONE, 0, MINUS | QNAN1, 0);
	EXPECT_FP(fnmul_s, AH, QNAN1, ONE, 0, QNAN1, 0);
	EXPECT_FP(fmsub_s, 0, QNAN1, ONE, ONE, MINUS | QNAN1, 0);
	EXPECT_FP(fmsub_s, AH, QNAN1, ONE, ONE, QNAN1, 0);
	EXPECT_FP(fabd_s, AH, MINUS | QNAN1, ONE, 0, MINUS | QNAN1, 0);
	EXPECT_FP(frecps_s, 0, QNAN1, ONE, 0, MINUS | QNAN1, 0);
	EXPECT_FP(frecps_s, AH, QNAN1, ONE, 0, QNAN1, 0);
}

TEST(fmls_leaves_nans_alone)
{
	NEEDS_AFP;
	// The other three elements: 0 - a * b of small numbers.
	struct exc e = run_fp(fmls_4s, AH, QNAN1, ONE, 0);

	EXPECT_MASKED(e.x[5], 0xffffffff, QNAN1);
	e = run_fp(fmls_4s, 0, QNAN1, ONE, 0);
	EXPECT_MASKED(e.x[5], 0xffffffff, MINUS | QNAN1);
}

// ---- AH: maximum and minimum --------------------------------------------------------------------

TEST(max_and_min_of_zeros_are_the_second)
{
	NEEDS_AFP;
	EXPECT_FP(fmax_s, 0, ZERO, MINUS, 0, ZERO, 0);
	EXPECT_FP(fmax_s, AH, ZERO, MINUS, 0, MINUS, 0);
	EXPECT_FP(fmin_s, 0, MINUS, ZERO, 0, MINUS, 0);
	EXPECT_FP(fmin_s, AH, MINUS, ZERO, 0, ZERO, 0);
}

TEST(max_and_min_with_a_nan_are_the_second)
{
	NEEDS_AFP;
	EXPECT_FP(fmax_s, AH, QNAN1, ONE, 0, ONE, IOC);
	EXPECT_FP(fmax_s, AH, ONE, QNAN2, 0, QNAN2, IOC);
	EXPECT_FP(fmin_s, AH, ONE, SNAN2, 0, SNAN2, IOC); // not even made quiet
	EXPECT_FP(fmin_s, AH | DN, QNAN1, SNAN2, 0, SNAN2, IOC);
	EXPECT_FP(fmax_s, AH | FIZ, QNAN1, MINUS | TINY, 0, MINUS, IOC);
}

TEST(max_does_not_flush_its_result)
{
	NEEDS_AFP;
	EXPECT_FP(fmax_s, AH | FZ, TINY, MINUS | ONE, 0, TINY, IDC);
	EXPECT_FP(fmax_s, FZ, TINY, MINUS | ONE, 0, ZERO, IDC);
}

TEST(maxnm_keeps_its_order_of_zeros)
{
	NEEDS_AFP;
	EXPECT_FP(fmaxnm_s, AH, ZERO, MINUS, 0, ZERO, 0);
	EXPECT_FP(fmaxnm_s, AH, MINUS, ZERO, 0, ZERO, 0);
}

TEST(maxnm_of_a_number_and_a_nan)
{
	NEEDS_AFP;
	EXPECT_FP(fmaxnm_s, AH, QNAN1, TWO, 0, TWO, 0);
	EXPECT_FP(fmaxnm_s, AH, TWO, SNAN2, 0, QNAN2, IOC);
	EXPECT_FP(fmaxnm_s, 0, QNAN1, SNAN2, 0, QNAN2, IOC);
	EXPECT_FP(fmaxnm_s, AH, QNAN1, SNAN2, 0, QNAN1, IOC);
}

// ---- denormals ----------------------------------------------------------------------------------

TEST(ah_reports_denormal_inputs_that_it_uses)
{
	NEEDS_AFP;
	EXPECT_FP(fadd_s, 0, TINY, ZERO, 0, TINY, 0);
	EXPECT_FP(fadd_s, AH, TINY, ZERO, 0, TINY, IDC);
	EXPECT_FP(fadd_s, AH, TINY, QNAN2, 0, QNAN2, 0); // a NaN decides alone
	EXPECT_FP(fcvt_d_s, AH, TINY, 0, 0, 0x36a0000000000000, IDC); // 2^-149
	EXPECT_FP(fmul_s, AH, TINY, INF, 0, INF, IDC);
}

TEST(ah_reports_denormal_inputs_of_compares)
{
	NEEDS_AFP;
	struct exc e = run_fp(fcmp_s, AH, TINY, ONE, 0);

	EXPECT_REG(e, 7, IDC);
	e = run_fp(fcmp_s, AH, TINY, QNAN2, 0);
	EXPECT_REG(e, 7, 0);
}

TEST(division_by_zero_hides_a_denormal)
{
	NEEDS_AFP;
	EXPECT_FP(fdiv_s, AH, TINY, ZERO, 0, INF, DZC);
	EXPECT_FP(fsqrt_s, AH, MINUS | TINY, 0, 0, MINUS | DEFAULT, IOC);
}

TEST(conversions_to_integers_do_not_report_denormals)
{
	NEEDS_AFP;
	EXPECT_V(fcvtzs_s, AH, TINY, 0, 0, 0, 0);
	EXPECT_FP(fcvtzs_s, AH, TINY, 0, 0, 0, IXC);
	EXPECT_FP(frintz_s, AH, TINY, 0, 0, ZERO, 0);
}

TEST(fz_flushes_inputs_only_without_ah)
{
	NEEDS_AFP;
	EXPECT_FP(fadd_s, FZ, TINY, ONE, 0, ONE, IDC);
	EXPECT_FP(fadd_s, FZ | AH, TINY, ONE, 0, ONE, IDC | IXC); // it was added
}

TEST(fiz_flushes_inputs_silently)
{
	NEEDS_AFP;
	EXPECT_FP(fadd_s, FIZ, TINY, ZERO, 0, ZERO, 0);
	EXPECT_FP(fadd_s, FIZ, TINY, ONE, 0, ONE, 0);
	EXPECT_FP(fadd_s, FIZ | AH, MINUS | TINY, MINUS, 0, MINUS, 0);
	EXPECT_FP(fadd_s, FIZ | FZ, TINY, ONE, 0, ONE, IDC); // FZ tells
}

TEST(fiz_lets_results_be_denormal)
{
	NEEDS_AFP;
	// 2^-126 * 0.5
	EXPECT_FP(fmul_s, FIZ, 0x00800000, 0x3f000000, 0, 0x00400000, 0);
}

TEST(fiz_is_not_for_half_precision)
{
	NEEDS_AFP;
	EXPECT_FP(fadd_h, FIZ, 0x0001, 0, 0, 0x0001, 0);
	EXPECT_FP(fadd_h, AH, 0x0001, 0, 0, 0x0001, 0); // and no IDC
}

TEST(flushed_results_are_inexact_with_ah)
{
	NEEDS_AFP;
	// 2^-100 * 2^-100
	EXPECT_FP(fmul_s, FZ, 0x0d800000, 0x0d800000, 0, ZERO, UFC);
	EXPECT_FP(fmul_s, FZ | AH, 0x0d800000, 0x0d800000, 0, ZERO, UFC | IXC);
	// 2^-126 * 0.5 is exact, and flushed all the same
	EXPECT_FP(fmul_s, FZ | AH, 0x00800000, 0x3f000000, 0, ZERO, UFC | IXC);
}

TEST(tininess_is_judged_after_rounding_with_ah)
{
	NEEDS_AFP;
	// 2^-126 - 2^-76 * 2^-76 rounds to 2^-126, with 24 bits and any exponent.
	EXPECT_FP(fmsub_s, 0, 0x19800000, 0x19800000, 0x00800000, 0x00800000, UFC | IXC);
	EXPECT_FP(fmsub_s, AH, 0x19800000, 0x19800000, 0x00800000, 0x00800000, IXC);
	EXPECT_FP(fmsub_s, AH | FZ, 0x19800000, 0x19800000, 0x00800000, 0x00800000, IXC);
	// (1 - 2^-24) * 2^-126 needs no rounding with 24 bits: it is tiny, and only as a denormal
	// it becomes 2^-126.
	EXPECT_FP(fmul_s, AH, 0x3f7fffff, 0x00800000, 0, 0x00800000, UFC | IXC);
	EXPECT_FP(fmul_s, AH | FZ, 0x3f7fffff, 0x00800000, 0, ZERO, UFC | IXC);
}

// ---- AH: estimates and BFloat16 -----------------------------------------------------------------

TEST(estimates_report_nothing_with_ah)
{
	NEEDS_AFP;
	EXPECT_FP(frecpe_s, 0, ZERO, 0, 0, INF, DZC);
	EXPECT_FP(frecpe_s, AH, ZERO, 0, 0, INF, 0);
	EXPECT_FP(frecpe_s, AH, SNAN1, 0, 0, QNAN1, 0);
	EXPECT_FP(frecpe_s, AH, 0x00400000, 0, 0, INF, 0); // a denormal counts as zero
	EXPECT_FP(frecpe_s, AH, 0x7e800000, 0, 0, ZERO, 0); // 2^126: the result would be denormal
	EXPECT_FP(frsqrte_s, AH, MINUS | ONE, 0, 0, MINUS | DEFAULT, 0);
}

TEST(steps_report_nothing_and_round_to_nearest_with_ah)
{
	NEEDS_AFP;
	// 2 - 2^-30
	EXPECT_FP(frecps_s, RP, ONE, 0x30800000, 0, TWO, IXC);
	EXPECT_FP(frecps_s, AH | RP, ONE, 0x30800000, 0, TWO, 0);
	EXPECT_FP(frecps_s, BIT(23), ONE, 0x30800000, 0, 0x3fffffff, IXC); // to minus infinity
	EXPECT_FP(frecps_s, AH | BIT(23), ONE, 0x30800000, 0, TWO, 0);
	EXPECT_FP(frecps_s, AH, INF, TINY, 0, TWO, 0); // infinity by zero
	EXPECT_FP(frecpx_s, AH, SNAN1, 0, 0, QNAN1, 0);
}

TEST(single_estimates_have_twelve_bits)
{
	NEEDS_RPRES;
	EXPECT_FP(frecpe_s, 0, ONE, 0, 0, 0x3f7f8000, 0); // 511/512
	EXPECT_FP(frecpe_s, AH, ONE, 0, 0, 0x3f7ff000, 0); // 4095/4096
	EXPECT_FP(frsqrte_s, 0, ONE, 0, 0, 0x3f7f8000, 0);
	EXPECT_FP(frsqrte_s, AH, ONE, 0, 0, 0x3f7ff000, 0);
}

TEST(double_estimates_have_eight_bits)
{
	NEEDS_RPRES;
	EXPECT_FP(frecpe_d, AH, 0x3ff0000000000000, 0, 0, 0x3feff00000000000, 0);
}

TEST(bfloat16_conversion_rounds_to_nearest_with_ah)
{
	NEEDS_AFP;
	EXPECT_FP(bfcvt_s, RP, 0x3f800001, 0, 0, 0x3f81, IXC);
	EXPECT_FP(bfcvt_s, AH | RP, 0x3f800001, 0, 0, 0x3f80, 0);
	EXPECT_FP(bfcvt_s, AH, 0x00400000, 0, 0, 0, 0); // flushed
	EXPECT_FP(bfcvt_s, AH, SNAN1, 0, 0, 0x7fc0, 0);
}

TEST(bfloat16_dot_product_has_the_default_nan_of_ah)
{
	NEEDS_AFP;
	struct exc e = run_fp(bfdot_2s, AH, 0x7f80, 0, 0); // infinity by zero

	EXPECT_MASKED(e.x[5], 0xffffffff, MINUS | DEFAULT);
	EXPECT_REG(e, 7, 0);
	e = run_fp(bfdot_2s, 0, 0x7f80, 0, 0);
	EXPECT_MASKED(e.x[5], 0xffffffff, DEFAULT);
}

// ---- NEP ----------------------------------------------------------------------------------------

TEST(without_nep_other_elements_are_zero)
{
	EXPECT_V(fadd_s, 0, ONE, ONE, 0, 0, TWO);
	EXPECT_V(fcmeq_s, 0, ONE, ONE, 0, 0, 0xffffffff);
	EXPECT_V(fmla_element_s, 0, ZERO, ZERO, 0, 0, 0xaaaaaaaa);
}

TEST(nep_two_sources_take_the_first_ones)
{
	NEEDS_AFP;
	EXPECT_V(fadd_s, NEP, ONE, ONE, 0, ALL(0x11), OVER(0x11, TWO));
	EXPECT_V(fmax_s, NEP, ONE, TWO, 0, ALL(0x11), OVER(0x11, TWO));
	EXPECT_V(fnmul_s, NEP, ONE, ONE, 0, ALL(0x11), OVER(0x11, MINUS | ONE));
	EXPECT_V(fabd_s, NEP, ONE, ZERO, 0, ALL(0x11), OVER(0x11, ONE));
	EXPECT_V(fmulx_s, NEP, ONE, TWO, 0, ALL(0x11), OVER(0x11, TWO));
	EXPECT_V(frecps_s, NEP, ZERO, ZERO, 0, ALL(0x11), OVER(0x11, TWO));
	EXPECT_V(fmul_element_s, NEP, ONE, TWO, 0, ALL(0x11), OVER(0x11, TWO));
}

TEST(nep_in_double_and_half_precision)
{
	NEEDS_AFP;
	EXPECT_V(fadd_d, NEP, 0x3ff0000000000000, 0, 0, ALL(0x11), 0x3ff0000000000000);
	EXPECT_V(fadd_h, NEP, 0x3c00, 0, 0, ALL(0x11), 0x1111111111113c00);
}

TEST(nep_three_sources_take_the_addends)
{
	NEEDS_AFP;
	EXPECT_V(fmadd_s, NEP, ONE, ONE, ONE, ALL(0x33), OVER(0x33, TWO));
	EXPECT_V(fmsub_s, NEP, ONE, ONE, TWO, ALL(0x33), OVER(0x33, ONE));
}

TEST(nep_one_source_takes_the_destinations)
{
	NEEDS_AFP;
	EXPECT_V(fabs_s, NEP, MINUS | ONE, 0, 0, ALL(0xaa), OVER(0xaa, ONE));
	EXPECT_V(fsqrt_s, NEP, ONE, 0, 0, ALL(0xaa), OVER(0xaa, ONE));
	EXPECT_V(frintz_s, NEP, ONE, 0, 0, ALL(0xaa), OVER(0xaa, ONE));
	EXPECT_V(frecpx_s, NEP, ONE, 0, 0, ALL(0xaa), OVER(0xaa, TWO));
	EXPECT_V(fcvtzs_s, NEP, ONE, 0, 0, ALL(0xaa), OVER(0xaa, 1));
	EXPECT_V(scvtf_s, NEP, 1, 0, 0, ALL(0xaa), OVER(0xaa, ONE));
	EXPECT_V(fcvt_d_s, NEP, ONE, 0, 0, ALL(0xaa), 0x3ff0000000000000);
	EXPECT_V(fcvt_s_d, NEP, 0x3ff0000000000000, 0, 0, ALL(0xaa), OVER(0xaa, ONE));
	EXPECT_V(fcvtxn_d, NEP, 0x3ff0000000000000, 0, 0, ALL(0xaa), OVER(0xaa, ONE));
	EXPECT_V(fmla_element_s, NEP, ZERO, ZERO, 0, ALL(0xaa), ALL(0xaa));
}

TEST(nep_compares_take_the_second_ones)
{
	NEEDS_AFP;
	EXPECT_V(fcmeq_s, NEP, ONE, ONE, 0, ALL(0x22), OVER(0x22, 0xffffffff));
	EXPECT_V(facgt_s, NEP, MINUS | TWO, ONE, 0, ALL(0x22), OVER(0x22, 0xffffffff));
}

TEST(nep_is_not_for_moves_pairs_and_compares_with_zero)
{
	NEEDS_AFP;
	EXPECT_V(fmov_s, NEP, ONE, 0, 0, 0, ONE);
	EXPECT_V(fcsel_s, NEP, ONE, TWO, 0, 0, ONE);
	EXPECT_V(faddp_s, NEP, ONE, ONE, 0, 0, TWO);
	EXPECT_V(fcmeq_zero_s, NEP, ONE, 0, 0, 0, 0);
}
