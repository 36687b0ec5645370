// SPDX-License-Identifier: Apache-2.0
// The table-like estimates: FPRecipEstimate, FPRSqrtEstimate, FPRecpX, UnsignedRecipEstimate and
// UnsignedRSqrtEstimate. Estimates have eight bits, or twelve in single precision with FEAT_RPRES
// while FPCR.AH is set.
#include "cpu/fp/fp.h"

#include "cpu/fp/fp_internal.h"

// RecipEstimate(): a is 256 to 511 for [0.5, 1.0), the result 256 to 511 for [1.0, 2.0).
static uint32_t recip_estimate9(uint32_t a)
{
	return ((1u << 19) / (a * 2 + 1) + 1) / 2;
}

// RecipEstimate() with increased precision: a is 2048 to 4095 for [0.5, 1.0), the result 4096 to
// 8191 for [1.0, 2.0), rounded to nearest (there are no ties: the divisor is odd).
static uint32_t recip_estimate13(uint32_t a)
{
	uint32_t divisor = a * 2 + 1;

	return ((1u << 25) + divisor / 2) / divisor;
}

// Half of the largest b with a * b * b < limit, rounded up. The pseudocode counts up to it; here
// the root is taken and corrected.
static uint32_t rsqrt_rounded(uint64_t a, uint64_t limit)
{
	uint64_t b = (uint64_t)__builtin_sqrt((double)limit / (double)a);

	while (a * b * b >= limit) {
		b--;
	}
	while (a * (b + 1) * (b + 1) < limit) {
		b++;
	}
	return (uint32_t)((b + 1) / 2);
}

// RecipSqrtEstimate(): a is 128 to 511 for [0.25, 1.0), the result 256 to 511 for [1.0, 2.0).
static uint32_t rsqrt_estimate9(uint32_t a)
{
	return rsqrt_rounded(a < 256 ? a * 2 + 1 : ((a >> 1 << 1) + 1) * 2, 1ull << 28);
}

// RecipSqrtEstimate() with increased precision: a is 1024 to 4095 for [0.25, 1.0), the result 4096
// to 8191 for [1.0, 2.0).
static uint32_t rsqrt_estimate13(uint32_t a)
{
	return rsqrt_rounded(a < 2048 ? a * 2 + 1 : ((a >> 1 << 1) + 1) * 2, 1ull << 39);
}

// Whether an estimate has twelve bits.
FP_INLINE bool increased_precision(const struct fp_env *env, const struct fp_format *f)
{
	return env->rpres && f->width == 32 && fp_alternate(env->fpcr);
}

FP_INLINE uint64_t recip_estimate(struct fp_env *outer, const struct fp_format *f, uint64_t bits)
{
	struct fp_env quiet;
	struct fp_env *env = fp_quiet_if_alternate(outer, &quiet);
	struct fp_num n = fp_unpack(env, f, bits);

	if (fp_is_nan(&n)) {
		return fp_process_nan(env, f, n.type, bits);
	}
	if (fp_is_inf(&n)) {
		return fp_zero(f, n.sign);
	}
	if (fp_is_zero(&n)) {
		fp_raise(env, FP_SR_DZC);
		return fp_infinity(f, n.sign);
	}
	if (n.exp < f->min_exp - 2) {
		return fp_overflow(env, env->fpcr & ~FP_CR_AHP, f, fp_rounding_from_fpcr(env->fpcr),
				   n.sign);
	}
	if ((env->fpcr & f->fz) && n.exp >= -f->min_exp) {
		// The result would be denormal.
		fp_raise(env, FP_SR_UFC);
		return fp_zero(f, n.sign);
	}
	// The estimate of 1/1.x is in [0.5, 1.0), handed back doubled: 1.fraction * 2^(-1 - exp).
	uint64_t fraction = increased_precision(env, f)
				    ? (uint64_t)(recip_estimate13((uint32_t)(n.frac >> 52)) & 0xfff)
					      << (f->frac_bits - 12)
				    : (uint64_t)(recip_estimate9((uint32_t)(n.frac >> 55)) & 0xff)
					      << (f->frac_bits - 8);
	int biased = -n.exp - f->min_exp;

	if (biased <= 0) {
		// At most two denormal places, which the fraction's zeros below it can take.
		fraction = (fraction | 1ull << f->frac_bits) >> (1 - biased);
		biased = 0;
	}
	return fp_sign_bit(f, n.sign) | (uint64_t)biased << f->frac_bits | fraction;
}

FP_INLINE uint64_t rsqrt_estimate(struct fp_env *outer, const struct fp_format *f, uint64_t bits)
{
	struct fp_env quiet;
	struct fp_env *env = fp_quiet_if_alternate(outer, &quiet);
	struct fp_num n = fp_unpack(env, f, bits);

	if (fp_is_nan(&n)) {
		return fp_process_nan(env, f, n.type, bits);
	}
	if (fp_is_zero(&n)) {
		fp_raise(env, FP_SR_DZC);
		return fp_infinity(f, n.sign);
	}
	if (n.sign) {
		return fp_invalid(env, f);
	}
	if (fp_is_inf(&n)) {
		return fp_zero(f, false);
	}
	// 1.x * 2^exp is scaled to [0.25, 0.5) * 2^(exp + 2) for an even exp, which is an odd
	// biased exponent, and to [0.5, 1.0) * 2^(exp + 1) for an odd one.
	bool odd = n.exp & 1;
	uint64_t fraction =
		increased_precision(env, f)
			? (uint64_t)(rsqrt_estimate13((uint32_t)(n.frac >> (odd ? 52 : 53))) &
				     0xfff)
				  << (f->frac_bits - 12)
			: (uint64_t)(rsqrt_estimate9((uint32_t)(n.frac >> (odd ? 55 : 56))) & 0xff)
				  << (f->frac_bits - 8);
	int exp = -((n.exp + (odd ? 1 : 2)) / 2);

	return (uint64_t)(exp + 1 - f->min_exp) << f->frac_bits | fraction;
}

FP_INLINE uint64_t recpx(struct fp_env *outer, const struct fp_format *f, uint64_t bits)
{
	struct fp_env quiet;
	struct fp_env *env = fp_quiet_if_alternate(outer, &quiet);
	struct fp_num n = fp_unpack(env, f, bits);
	uint64_t exp = bits & fp_exp_mask(f);

	if (fp_is_nan(&n)) {
		return fp_process_nan(env, f, n.type, bits);
	}
	if (exp == 0) {
		exp = fp_exp_mask(f) - (1ull << f->frac_bits); // the largest finite exponent
	} else {
		exp ^= fp_exp_mask(f);
	}
	return fp_sign_bit(f, n.sign) | exp;
}

uint16_t fp16_recip_estimate(struct fp_env *env, uint16_t a)
{
	return (uint16_t)recip_estimate(env, &fp_format16, a);
}

uint32_t fp32_recip_estimate(struct fp_env *env, uint32_t a)
{
	return (uint32_t)recip_estimate(env, &fp_format32, a);
}

uint64_t fp64_recip_estimate(struct fp_env *env, uint64_t a)
{
	return recip_estimate(env, &fp_format64, a);
}

uint16_t fp16_rsqrt_estimate(struct fp_env *env, uint16_t a)
{
	return (uint16_t)rsqrt_estimate(env, &fp_format16, a);
}

uint32_t fp32_rsqrt_estimate(struct fp_env *env, uint32_t a)
{
	return (uint32_t)rsqrt_estimate(env, &fp_format32, a);
}

uint64_t fp64_rsqrt_estimate(struct fp_env *env, uint64_t a)
{
	return rsqrt_estimate(env, &fp_format64, a);
}

uint16_t fp16_recpx(struct fp_env *env, uint16_t a)
{
	return (uint16_t)recpx(env, &fp_format16, a);
}

uint32_t fp32_recpx(struct fp_env *env, uint32_t a)
{
	return (uint32_t)recpx(env, &fp_format32, a);
}

uint64_t fp64_recpx(struct fp_env *env, uint64_t a)
{
	return recpx(env, &fp_format64, a);
}

uint32_t fp_unsigned_recip_estimate(uint32_t a)
{
	if (a < 0x80000000u) {
		return UINT32_MAX; // 2.0 or more does not fit
	}
	return recip_estimate9(a >> 23) << 23;
}

uint32_t fp_unsigned_rsqrt_estimate(uint32_t a)
{
	if (a < 0x40000000u) {
		return UINT32_MAX;
	}
	return rsqrt_estimate9(a >> 23) << 23;
}
