// SPDX-License-Identifier: Apache-2.0
// BFloat16 arithmetic: BFMulH, FPAdd_BF16 and BFDotAdd in the Standard BFloat16 behaviours
// (FPCR.EBF is 0), and the fused BFMulAddH, which is single precision.
#include "cpu/fp/fp.h"

#include "cpu/fp/fp_internal.h"

// Under the standard behaviours FPCR is as if FZ and DN were set, and no flag is reported: an
// environment of this FPCR takes the flags and is thrown away. `nan` below is the default NaN,
// whose sign the real FPCR decides.
#define BF16_FPCR (FP_CR_FZ | FP_CR_DN)

// Single precision, but its overflow under round to odd is always an infinity (BFRound()).
static uint32_t round_odd(struct fp_env *env, bool sign, int exp, uint64_t frac)
{
	if (exp > -fp_format32.min_exp + 1) {
		return (uint32_t)fp_infinity(&fp_format32, sign);
	}
	return (uint32_t)fp_round_to(env, &fp_format32, FP_ROUNDING_ODD, sign, exp, frac);
}

// BFMulH()
static uint32_t mul_h(struct fp_env *env, uint32_t nan, uint16_t a_bits, uint16_t b_bits)
{
	struct fp_num a = fp_unpack(env, &fp_format_bf16, a_bits);
	struct fp_num b = fp_unpack(env, &fp_format_bf16, b_bits);
	bool sign = a.sign ^ b.sign;

	if (fp_is_nan(&a) || fp_is_nan(&b)) {
		return nan;
	}
	if (fp_is_inf(&a) || fp_is_inf(&b)) {
		return fp_is_zero(&a) || fp_is_zero(&b) ? nan
							: (uint32_t)fp_infinity(&fp_format32, sign);
	}
	if (fp_is_zero(&a) || fp_is_zero(&b)) {
		return (uint32_t)fp_zero(&fp_format32, sign);
	}
	// Eight-bit significands: the product of their 32-bit heads is exact.
	uint64_t product = (a.frac >> 32) * (b.frac >> 32);
	unsigned lead = (unsigned)__builtin_clzll(product);

	return round_odd(env, sign, a.exp + b.exp + 1 - (int)lead, product << lead);
}

// FPAdd_BF16()
static uint32_t add(struct fp_env *env, uint32_t nan, uint32_t a_bits, uint32_t b_bits)
{
	struct fp_num a = fp_unpack(env, &fp_format32, a_bits);
	struct fp_num b = fp_unpack(env, &fp_format32, b_bits);

	if (fp_is_nan(&a) || fp_is_nan(&b) ||
	    (fp_is_inf(&a) && fp_is_inf(&b) && a.sign != b.sign)) {
		return nan;
	}
	if (fp_is_inf(&a) || fp_is_inf(&b)) {
		return (uint32_t)fp_infinity(&fp_format32, fp_is_inf(&a) ? a.sign : b.sign);
	}
	if (fp_is_zero(&a) && fp_is_zero(&b)) {
		return (uint32_t)fp_zero(&fp_format32, a.sign && b.sign);
	}
	if (fp_is_zero(&a) || fp_is_zero(&b)) {
		return fp_is_zero(&a) ? b_bits : a_bits;
	}
	if (b.exp > a.exp || (b.exp == a.exp && b.frac > a.frac)) {
		struct fp_num t = a;

		a = b;
		b = t;
	}
	uint64_t big = a.frac >> 1;
	uint64_t small = fp_shift_jam64(b.frac >> 1, (unsigned)(a.exp - b.exp));
	uint64_t sum = a.sign == b.sign ? big + small : big - small;

	if (sum == 0) {
		return (uint32_t)fp_zero(&fp_format32, false);
	}
	unsigned lead = (unsigned)__builtin_clzll(sum);
	return round_odd(env, a.sign, a.exp + 1 - (int)lead, sum << lead);
}

uint32_t bf16_dot_add(const struct fp_env *env, uint32_t addend, uint16_t a0, uint16_t a1,
		      uint16_t b0, uint16_t b1)
{
	struct fp_env standard = {.fpcr = BF16_FPCR};
	uint32_t nan = (uint32_t)fp_default_nan(env, &fp_format32);
	uint32_t sum =
		add(&standard, nan, mul_h(&standard, nan, a0, b0), mul_h(&standard, nan, a1, b1));

	return add(&standard, nan, addend, sum);
}

void bf16_mat_mul_add(const struct fp_env *env, uint32_t result[4], const uint32_t addend[4],
		      const uint16_t a[8], const uint16_t b[8])
{
	for (unsigned i = 0; i < 2; i++) {
		for (unsigned j = 0; j < 2; j++) {
			const uint16_t *x = a + 4 * i;
			const uint16_t *y = b + 4 * j;
			uint32_t sum = bf16_dot_add(env, addend[2 * i + j], x[0], x[1], y[0], y[1]);

			result[2 * i + j] = bf16_dot_add(env, sum, x[2], x[3], y[2], y[3]);
		}
	}
}

uint32_t bf16_mul_add(struct fp_env *env, uint32_t addend, uint16_t a, uint16_t b)
{
	struct fp_env quiet;

	return fp32_mul_add(fp_quiet_if_alternate(env, &quiet), addend, (uint32_t)a << 16,
			    (uint32_t)b << 16);
}
