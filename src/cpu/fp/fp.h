// SPDX-License-Identifier: Apache-2.0
// Floating-point arithmetic of the A64 instruction set as pure functions over bit patterns.
//
// Each function is the Arm ARM shared pseudocode function named beside it, bit for bit, for half
// (fp16_), single (fp32_) and double (fp64_) precision. The only state is struct fp_env: the caller
// copies FPCR in, the functions OR cumulative exception bits into fpsr, and never clear one.
//
// FPCR bits honoured: FIZ, AH, AHP (conversions only), DN, FZ, RMode, FZ16. NEP is about registers,
// not numbers: it is the instructions' business. Trapped exceptions and FEAT_EBF16 (EBF) are
// ignored: they read as zero on our models.
#ifndef CPU_FP_FP_H
#define CPU_FP_FP_H

#include <stdbool.h>
#include <stdint.h>

struct fp_env {
	uint32_t fpcr; // as in the architectural FPCR
	uint32_t fpsr; // cumulative exception bits are ORed in; other bits are left alone
	bool rpres; // FEAT_RPRES: single-precision estimates of twelve bits while FPCR.AH is set
};

// FPCR fields that these functions and the instructions read.
#define FP_CR_FIZ (1u << 0)
#define FP_CR_AH (1u << 1)
#define FP_CR_NEP (1u << 2)
#define FP_CR_FZ16 (1u << 19)
#define FP_CR_RMODE_SHIFT 22
#define FP_CR_RMODE (3u << FP_CR_RMODE_SHIFT)
#define FP_CR_FZ (1u << 24)
#define FP_CR_DN (1u << 25)
#define FP_CR_AHP (1u << 26)

// FPSR cumulative exception bits.
#define FP_SR_IOC (1u << 0)
#define FP_SR_DZC (1u << 1)
#define FP_SR_OFC (1u << 2)
#define FP_SR_UFC (1u << 3)
#define FP_SR_IXC (1u << 4)
#define FP_SR_IDC (1u << 7)

// FPRounding. The first four are the encodings of FPCR.RMode.
enum fp_rounding {
	FP_ROUNDING_TIEEVEN = 0,
	FP_ROUNDING_POSINF = 1,
	FP_ROUNDING_NEGINF = 2,
	FP_ROUNDING_ZERO = 3,
	FP_ROUNDING_TIEAWAY = 4, // to-integer conversions and roundings only
	FP_ROUNDING_ODD = 5, // FCVTXN only
};

// FPRoundingMode()
static inline enum fp_rounding fp_rounding_from_fpcr(uint32_t fpcr)
{
	return (enum fp_rounding)((fpcr & FP_CR_RMODE) >> FP_CR_RMODE_SHIFT);
}

// FPAdd(), FPSub(), FPMul(), FPMulX(), FPDiv()
uint16_t fp16_add(struct fp_env *env, uint16_t a, uint16_t b);
uint32_t fp32_add(struct fp_env *env, uint32_t a, uint32_t b);
uint64_t fp64_add(struct fp_env *env, uint64_t a, uint64_t b);
uint16_t fp16_sub(struct fp_env *env, uint16_t a, uint16_t b);
uint32_t fp32_sub(struct fp_env *env, uint32_t a, uint32_t b);
uint64_t fp64_sub(struct fp_env *env, uint64_t a, uint64_t b);
uint16_t fp16_mul(struct fp_env *env, uint16_t a, uint16_t b);
uint32_t fp32_mul(struct fp_env *env, uint32_t a, uint32_t b);
uint64_t fp64_mul(struct fp_env *env, uint64_t a, uint64_t b);
uint16_t fp16_mulx(struct fp_env *env, uint16_t a, uint16_t b);
uint32_t fp32_mulx(struct fp_env *env, uint32_t a, uint32_t b);
uint64_t fp64_mulx(struct fp_env *env, uint64_t a, uint64_t b);
uint16_t fp16_div(struct fp_env *env, uint16_t a, uint16_t b);
uint32_t fp32_div(struct fp_env *env, uint32_t a, uint32_t b);
uint64_t fp64_div(struct fp_env *env, uint64_t a, uint64_t b);

// FPSqrt()
uint16_t fp16_sqrt(struct fp_env *env, uint16_t a);
uint32_t fp32_sqrt(struct fp_env *env, uint32_t a);
uint64_t fp64_sqrt(struct fp_env *env, uint64_t a);

// FPMulAdd(): addend + a * b with one rounding. FMSUB, FNMADD and FCMLA negate operands first.
uint16_t fp16_mul_add(struct fp_env *env, uint16_t addend, uint16_t a, uint16_t b);
uint32_t fp32_mul_add(struct fp_env *env, uint32_t addend, uint32_t a, uint32_t b);
uint64_t fp64_mul_add(struct fp_env *env, uint64_t addend, uint64_t a, uint64_t b);

// FPMulAddH(): single-precision addend plus the exact product of two halves (FMLAL, FMLSL).
uint32_t fp32_mul_add_h(struct fp_env *env, uint32_t addend, uint16_t a, uint16_t b);

// FPMax(), FPMin(), FPMaxNum(), FPMinNum()
uint16_t fp16_max(struct fp_env *env, uint16_t a, uint16_t b);
uint32_t fp32_max(struct fp_env *env, uint32_t a, uint32_t b);
uint64_t fp64_max(struct fp_env *env, uint64_t a, uint64_t b);
uint16_t fp16_min(struct fp_env *env, uint16_t a, uint16_t b);
uint32_t fp32_min(struct fp_env *env, uint32_t a, uint32_t b);
uint64_t fp64_min(struct fp_env *env, uint64_t a, uint64_t b);
uint16_t fp16_maxnum(struct fp_env *env, uint16_t a, uint16_t b);
uint32_t fp32_maxnum(struct fp_env *env, uint32_t a, uint32_t b);
uint64_t fp64_maxnum(struct fp_env *env, uint64_t a, uint64_t b);
uint16_t fp16_minnum(struct fp_env *env, uint16_t a, uint16_t b);
uint32_t fp32_minnum(struct fp_env *env, uint32_t a, uint32_t b);
uint64_t fp64_minnum(struct fp_env *env, uint64_t a, uint64_t b);

// FPCompare(): returns N:Z:C:V in bits [3:0]. signal_nans is true for FCMPE and FCCMPE.
uint32_t fp16_compare(struct fp_env *env, uint16_t a, uint16_t b, bool signal_nans);
uint32_t fp32_compare(struct fp_env *env, uint32_t a, uint32_t b, bool signal_nans);
uint32_t fp64_compare(struct fp_env *env, uint64_t a, uint64_t b, bool signal_nans);

// FPCompareEQ(), FPCompareGE(), FPCompareGT(). FACGE and FACGT take absolute values first.
bool fp16_compare_eq(struct fp_env *env, uint16_t a, uint16_t b);
bool fp32_compare_eq(struct fp_env *env, uint32_t a, uint32_t b);
bool fp64_compare_eq(struct fp_env *env, uint64_t a, uint64_t b);
bool fp16_compare_ge(struct fp_env *env, uint16_t a, uint16_t b);
bool fp32_compare_ge(struct fp_env *env, uint32_t a, uint32_t b);
bool fp64_compare_ge(struct fp_env *env, uint64_t a, uint64_t b);
bool fp16_compare_gt(struct fp_env *env, uint16_t a, uint16_t b);
bool fp32_compare_gt(struct fp_env *env, uint32_t a, uint32_t b);
bool fp64_compare_gt(struct fp_env *env, uint64_t a, uint64_t b);

// FPRoundInt(). exact is true for FRINTX alone; rounding is any but ODD.
uint16_t fp16_round_int(struct fp_env *env, uint16_t a, enum fp_rounding rounding, bool exact);
uint32_t fp32_round_int(struct fp_env *env, uint32_t a, enum fp_rounding rounding, bool exact);
uint64_t fp64_round_int(struct fp_env *env, uint64_t a, enum fp_rounding rounding, bool exact);

// FPRoundIntN() (FEAT_FRINTTS). intsize is 32 or 64.
uint32_t fp32_round_int_n(struct fp_env *env, uint32_t a, enum fp_rounding rounding,
			  unsigned intsize);
uint64_t fp64_round_int_n(struct fp_env *env, uint64_t a, enum fp_rounding rounding,
			  unsigned intsize);

// FPToFixed(): fracbits is 0 to 64, intsize 16, 32 or 64. The result is zero-extended from intsize.
uint64_t fp16_to_fixed(struct fp_env *env, uint16_t a, unsigned fracbits, bool is_unsigned,
		       enum fp_rounding rounding, unsigned intsize);
uint64_t fp32_to_fixed(struct fp_env *env, uint32_t a, unsigned fracbits, bool is_unsigned,
		       enum fp_rounding rounding, unsigned intsize);
uint64_t fp64_to_fixed(struct fp_env *env, uint64_t a, unsigned fracbits, bool is_unsigned,
		       enum fp_rounding rounding, unsigned intsize);

// FixedToFP(): the integer is the low intsize (16, 32 or 64) bits of value; fracbits is 0 to 64.
uint16_t fp16_from_fixed(struct fp_env *env, uint64_t value, unsigned fracbits, bool is_unsigned,
			 enum fp_rounding rounding, unsigned intsize);
uint32_t fp32_from_fixed(struct fp_env *env, uint64_t value, unsigned fracbits, bool is_unsigned,
			 enum fp_rounding rounding, unsigned intsize);
uint64_t fp64_from_fixed(struct fp_env *env, uint64_t value, unsigned fracbits, bool is_unsigned,
			 enum fp_rounding rounding, unsigned intsize);

// FPToFixedJS() (FJCVTZS): z receives PSTATE.Z; N, C and V become zero.
uint32_t fp64_to_js(struct fp_env *env, uint64_t a, bool *z);

// FPConvert(), rounding by FPCR.RMode. The half-precision side obeys FPCR.AHP and ignores FZ16.
uint32_t fp16_to_fp32(struct fp_env *env, uint16_t a);
uint64_t fp16_to_fp64(struct fp_env *env, uint16_t a);
uint16_t fp32_to_fp16(struct fp_env *env, uint32_t a);
uint64_t fp32_to_fp64(struct fp_env *env, uint32_t a);
uint16_t fp64_to_fp16(struct fp_env *env, uint64_t a);
uint32_t fp64_to_fp32(struct fp_env *env, uint64_t a);

// FPConvert() with round to odd (FCVTXN).
uint32_t fp64_to_fp32_odd(struct fp_env *env, uint64_t a);

// FPRecipEstimate(), FPRSqrtEstimate(), FPRecpX()
uint16_t fp16_recip_estimate(struct fp_env *env, uint16_t a);
uint32_t fp32_recip_estimate(struct fp_env *env, uint32_t a);
uint64_t fp64_recip_estimate(struct fp_env *env, uint64_t a);
uint16_t fp16_rsqrt_estimate(struct fp_env *env, uint16_t a);
uint32_t fp32_rsqrt_estimate(struct fp_env *env, uint32_t a);
uint64_t fp64_rsqrt_estimate(struct fp_env *env, uint64_t a);
uint16_t fp16_recpx(struct fp_env *env, uint16_t a);
uint32_t fp32_recpx(struct fp_env *env, uint32_t a);
uint64_t fp64_recpx(struct fp_env *env, uint64_t a);

// UnsignedRecipEstimate() (URECPE), UnsignedRSqrtEstimate() (URSQRTE)
uint32_t fp_unsigned_recip_estimate(uint32_t a);
uint32_t fp_unsigned_rsqrt_estimate(uint32_t a);

// FPRecipStepFused() (FRECPS), FPRSqrtStepFused() (FRSQRTS)
uint16_t fp16_recip_step_fused(struct fp_env *env, uint16_t a, uint16_t b);
uint32_t fp32_recip_step_fused(struct fp_env *env, uint32_t a, uint32_t b);
uint64_t fp64_recip_step_fused(struct fp_env *env, uint64_t a, uint64_t b);
uint16_t fp16_rsqrt_step_fused(struct fp_env *env, uint16_t a, uint16_t b);
uint32_t fp32_rsqrt_step_fused(struct fp_env *env, uint32_t a, uint32_t b);
uint64_t fp64_rsqrt_step_fused(struct fp_env *env, uint64_t a, uint64_t b);

// FPConvertBF() (BFCVT), rounding by FPCR.RMode, or to nearest and without flags while FPCR.AH is
// set.
uint16_t fp32_to_bf16(struct fp_env *env, uint32_t a);

// BFMulAddH() (BFMLALB, BFMLALT): the fused single-precision addend + a * b, flags and all; while
// FPCR.AH is set to nearest, with denormals flushed and without flags.
uint32_t bf16_mul_add(struct fp_env *env, uint32_t addend, uint16_t a, uint16_t b);

// BFDotAdd() (BFDOT): addend + (a0 * b0 + a1 * b1) in the Standard BFloat16 behaviours: round to
// odd, denormals flushed, default NaN, no FPSR bit. Of FPCR only AH counts: the default NaN's sign.
uint32_t bf16_dot_add(const struct fp_env *env, uint32_t addend, uint16_t a0, uint16_t a1,
		      uint16_t b0, uint16_t b1);

// BFMatMulAddH() (BFMMLA): result[2 * i + j] = addend[2 * i + j] + a[i][0..3] . b[j][0..3].
// result may be addend itself.
void bf16_mat_mul_add(const struct fp_env *env, uint32_t result[4], const uint32_t addend[4],
		      const uint16_t a[8], const uint16_t b[8]);

// FPAbs(), FPNeg(): the sign alone changes, and while FPCR.AH is set not that of a NaN.
#define FP_DEF_SIGN(width, sign, infinity) \
	static inline bool fp##width##_sign_stays(const struct fp_env *env, uint##width##_t a) \
	{ \
		return (env->fpcr & FP_CR_AH) && (a & ~(sign)) > (infinity); \
	} \
	static inline uint##width##_t fp##width##_abs(const struct fp_env *env, uint##width##_t a) \
	{ \
		return fp##width##_sign_stays(env, a) ? a : (uint##width##_t)(a & ~(sign)); \
	} \
	static inline uint##width##_t fp##width##_neg(const struct fp_env *env, uint##width##_t a) \
	{ \
		return fp##width##_sign_stays(env, a) ? a : (uint##width##_t)(a ^ (sign)); \
	}

FP_DEF_SIGN(16, 0x8000u, 0x7c00u)
FP_DEF_SIGN(32, 0x80000000u, 0x7f800000u)
FP_DEF_SIGN(64, 0x8000000000000000u, 0x7ff0000000000000u)

#undef FP_DEF_SIGN

#endif
