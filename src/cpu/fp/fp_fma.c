// SPDX-License-Identifier: Apache-2.0
// The fused operations: FPMulAdd, FPMulAddH, FPRecipStepFused and FPRSqrtStepFused.
#include "cpu/fp/fp.h"

#include "cpu/fp/fp_fast.h"
#include "cpu/fp/fp_internal.h"

// (addend + a * b) * 2^scale with one rounding; no operand is an infinity or a NaN. A zero result
// takes the sign of a sum that cancels.
FP_INLINE uint64_t fused(struct fp_env *env, const struct fp_format *f, struct fp_num addend,
			 struct fp_num a, struct fp_num b, int scale)
{
	bool sign = a.sign ^ b.sign;

	if (fp_is_zero(&a) || fp_is_zero(&b)) {
		if (fp_is_zero(&addend)) {
			return fp_exact_zero(env, f);
		}
		return fp_round(env, f, addend.sign, addend.exp + scale, addend.frac);
	}
	unsigned __int128 big = (unsigned __int128)a.frac * b.frac;
	int exp = a.exp + b.exp + 1;

	if (!(big >> 127)) {
		big <<= 1;
		exp--;
	}
	if (fp_is_zero(&addend)) {
		return fp_round(env, f, sign, exp + scale, fp_jam_high64(big));
	}
	// One bit of headroom, as in FPAdd: 106 product bits leave room enough below.
	unsigned __int128 small = (unsigned __int128)addend.frac << 63;
	bool small_sign = addend.sign;
	int shift = exp - addend.exp;

	big >>= 1;
	if (shift < 0 || (shift == 0 && small > big)) {
		unsigned __int128 t = big;

		big = small;
		small = t;
		small_sign = sign;
		sign = addend.sign;
		exp = addend.exp;
		shift = -shift;
	}
	small = fp_shift_jam128(small, (unsigned)shift);
	unsigned __int128 sum = sign == small_sign ? big + small : big - small;

	if (sum == 0) {
		return fp_exact_zero(env, f);
	}
	unsigned lead = fp_clz128(sum);
	return fp_round(env, f, sign, exp + 1 - (int)lead + scale, fp_jam_high64(sum << lead));
}

// FPMulAdd() past its NaNs, the factors being of format p.
FP_INLINE uint64_t mul_add_numbers(struct fp_env *env, const struct fp_format *f,
				   const struct fp_format *p, struct fp_num addend, struct fp_num a,
				   struct fp_num b)
{
	bool product_sign = a.sign ^ b.sign;
	bool product_inf = fp_is_inf(&a) || fp_is_inf(&b);
	bool product_zero = fp_is_zero(&a) || fp_is_zero(&b);

	if (product_inf && (product_zero || (fp_is_inf(&addend) && addend.sign != product_sign))) {
		return fp_invalid(env, f);
	}
	fp_process_denorm(env, f, &addend);
	fp_process_denorms(env, p, &a, &b);
	if (product_inf) {
		return fp_infinity(f, product_sign);
	}
	if (fp_is_inf(&addend)) {
		return fp_infinity(f, addend.sign);
	}
	if (product_zero && fp_is_zero(&addend) && addend.sign == product_sign) {
		return fp_zero(f, addend.sign);
	}
	return fused(env, f, addend, a, b, 0);
}

FP_INLINE bool infinity_times_zero(const struct fp_num *a, const struct fp_num *b)
{
	return (fp_is_inf(a) && fp_is_zero(b)) || (fp_is_zero(a) && fp_is_inf(b));
}

// Which of addend, a and b (0 to 2), at least one of them a NaN, gives the result, and whether as a
// signalling one: the first signalling NaN or, without one, the first quiet NaN. With FPCR.AH set
// the first NaN of a, b and addend, signalling if any is.
FP_INLINE unsigned choose_nan3(const struct fp_env *env, const struct fp_num *n, enum fp_type *type)
{
	bool signalling =
		n[0].type == FP_TYPE_SNAN || n[1].type == FP_TYPE_SNAN || n[2].type == FP_TYPE_SNAN;
	unsigned i = 0;

	*type = signalling ? FP_TYPE_SNAN : FP_TYPE_QNAN;
	if (fp_alternate(env->fpcr)) {
		return fp_is_nan(&n[1]) ? 1 : fp_is_nan(&n[2]) ? 2 : 0;
	}
	while (n[i].type != *type) {
		i++;
	}
	return i;
}

// FPProcessNaNs3H() for a product format p, which is FPProcessNaNs3() where p is f.
FP_INLINE uint64_t process_nans3(struct fp_env *env, const struct fp_format *f,
				 const struct fp_format *p, const struct fp_num *n,
				 const uint64_t *bits)
{
	enum fp_type type;
	unsigned i = choose_nan3(env, n, &type);

	if (i == 0) {
		return fp_process_nan(env, f, type, bits[0]);
	}
	uint64_t nan = fp_process_nan(env, p, type, bits[i]);

	return p->width == f->width ? nan : fp_convert_nan(p, f, nan);
}

// FPMulAdd() and, with half-precision factors, FPMulAddH().
FP_INLINE uint64_t mul_add(struct fp_env *env, const struct fp_format *f, const struct fp_format *p,
			   uint64_t addend, uint64_t a, uint64_t b)
{
	const uint64_t bits[3] = {addend, a, b};
	const struct fp_num n[3] = {
		fp_unpack(env, f, addend),
		fp_unpack(env, p, a),
		fp_unpack(env, p, b),
	};

	if (fp_is_nan(&n[0]) || fp_is_nan(&n[1]) || fp_is_nan(&n[2])) {
		uint64_t nan = process_nans3(env, f, p, n, bits);

		// A quiet addend does not hide the invalid product, but with FPCR.AH set.
		if (!fp_alternate(env->fpcr) && n[0].type == FP_TYPE_QNAN &&
		    infinity_times_zero(&n[1], &n[2])) {
			return fp_invalid(env, f);
		}
		return nan;
	}
	return mul_add_numbers(env, f, p, n[0], n[1], n[2]);
}

// FPRecipStepFused(), 2 - a * b, and FPRSqrtStepFused(), (3 - a * b) / 2.
FP_INLINE uint64_t step_fused(struct fp_env *outer, const struct fp_format *f, uint64_t a_bits,
			      uint64_t b_bits, bool rsqrt)
{
	struct fp_env quiet;
	struct fp_env *env = fp_quiet_if_alternate(outer, &quiet);

	// The negation comes first: it shows in the sign of a NaN, but with FPCR.AH set (FPNeg()).
	if (!fp_alternate(env->fpcr) || (a_bits & ~fp_sign_bit(f, true)) <= fp_exp_mask(f)) {
		a_bits ^= fp_sign_bit(f, true);
	}

	struct fp_num a = fp_unpack(env, f, a_bits);
	struct fp_num b = fp_unpack(env, f, b_bits);
	struct fp_num constant = {
		.frac = rsqrt ? 3ull << 62 : 1ull << 63,
		.exp = 1,
		.type = FP_TYPE_NONZERO,
	};

	if (fp_is_nan(&a) || fp_is_nan(&b)) {
		return fp_process_nans(env, f, &a, &b, a_bits, b_bits);
	}
	if (infinity_times_zero(&a, &b)) {
		// FPOnePointFive() or FPTwo()
		return fp_round(env, f, false, rsqrt ? 0 : 1, constant.frac);
	}
	if (fp_is_inf(&a) || fp_is_inf(&b)) {
		return fp_infinity(f, a.sign ^ b.sign);
	}
	return fused(env, f, constant, a, b, rsqrt ? -1 : 0);
}

#if defined(__x86_64__)
__attribute__((target("fma"))) static double host_fma(double a, double b, double c)
{
	return __builtin_fma(a, b, c);
}
#endif

// Double precision by the host's own fused multiply-add, under the conditions of fp_fast.h.
static inline bool fp64_fast_mul_add(const struct fp_env *env, uint64_t addend, uint64_t a,
				     uint64_t b, uint64_t *result)
{
#if defined(__x86_64__)
	if (!fp_fast_nearest(env) || !fp_fast_inexact_known(env) ||
	    !__builtin_cpu_supports("fma")) {
		return false;
	}
	uint64_t bits = fp64_bits(host_fma(fp64_host(a), fp64_host(b), fp64_host(addend)));

	if (!fp64_fast_result_ok(bits) || fp64_fast_flushes(env, a, b) ||
	    fp64_fast_flushes(env, addend, 0)) {
		return false;
	}
	*result = bits;
	return true;
#else
	(void)env;
	(void)addend;
	(void)a;
	(void)b;
	(void)result;
	return false;
#endif
}

uint32_t fp32_mul_add_soft(struct fp_env *env, uint32_t addend, uint32_t a, uint32_t b)
{
	return (uint32_t)mul_add(env, &fp_format32, &fp_format32, addend, a, b);
}

uint64_t fp64_mul_add_soft(struct fp_env *env, uint64_t addend, uint64_t a, uint64_t b)
{
	return mul_add(env, &fp_format64, &fp_format64, addend, a, b);
}

uint16_t fp16_mul_add(struct fp_env *env, uint16_t addend, uint16_t a, uint16_t b)
{
	return (uint16_t)mul_add(env, &fp_format16, &fp_format16, addend, a, b);
}

uint32_t fp32_mul_add(struct fp_env *env, uint32_t addend, uint32_t a, uint32_t b)
{
	uint32_t result;

	return fp32_fast_mul_add(env, addend, a, b, &result) ? result
							     : fp32_mul_add_soft(env, addend, a, b);
}

uint64_t fp64_mul_add(struct fp_env *env, uint64_t addend, uint64_t a, uint64_t b)
{
	uint64_t result;

	return fp64_fast_mul_add(env, addend, a, b, &result) ? result
							     : fp64_mul_add_soft(env, addend, a, b);
}

uint32_t fp32_mul_add_h(struct fp_env *env, uint32_t addend, uint16_t a, uint16_t b)
{
	return (uint32_t)mul_add(env, &fp_format32, &fp_format16, addend, a, b);
}

uint16_t fp16_recip_step_fused(struct fp_env *env, uint16_t a, uint16_t b)
{
	return (uint16_t)step_fused(env, &fp_format16, a, b, false);
}

uint32_t fp32_recip_step_fused(struct fp_env *env, uint32_t a, uint32_t b)
{
	return (uint32_t)step_fused(env, &fp_format32, a, b, false);
}

uint64_t fp64_recip_step_fused(struct fp_env *env, uint64_t a, uint64_t b)
{
	return step_fused(env, &fp_format64, a, b, false);
}

uint16_t fp16_rsqrt_step_fused(struct fp_env *env, uint16_t a, uint16_t b)
{
	return (uint16_t)step_fused(env, &fp_format16, a, b, true);
}

uint32_t fp32_rsqrt_step_fused(struct fp_env *env, uint32_t a, uint32_t b)
{
	return (uint32_t)step_fused(env, &fp_format32, a, b, true);
}

uint64_t fp64_rsqrt_step_fused(struct fp_env *env, uint64_t a, uint64_t b)
{
	return step_fused(env, &fp_format64, a, b, true);
}
