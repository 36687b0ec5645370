// SPDX-License-Identifier: Apache-2.0
// FPAdd, FPSub, FPMul, FPMulX, FPDiv and FPSqrt.
#include "cpu/fp/fp.h"

#include "cpu/fp/fp_fast.h"
#include "cpu/fp/fp_internal.h"

// The sum of two operands, neither a NaN.
FP_INLINE uint64_t add_magnitudes(struct fp_env *env, const struct fp_format *f, struct fp_num a,
				  struct fp_num b)
{
	if (fp_is_zero(&a)) {
		return fp_round(env, f, b.sign, b.exp, b.frac);
	}
	if (fp_is_zero(&b)) {
		return fp_round(env, f, a.sign, a.exp, a.frac);
	}
	if (b.exp > a.exp || (b.exp == a.exp && b.frac > a.frac)) {
		struct fp_num t = a;

		a = b;
		b = t;
	}
	// One bit of headroom for the carry. At least ten zero bits stay below the significand, so
	// that a shift that loses bits can only cancel one: the sticky bit then stays below
	// rounding.
	uint64_t big = a.frac >> 1;
	uint64_t small = fp_shift_jam64(b.frac >> 1, (unsigned)(a.exp - b.exp));
	uint64_t sum = a.sign == b.sign ? big + small : big - small;

	if (sum == 0) {
		return fp_exact_zero(env, f);
	}
	unsigned lead = (unsigned)__builtin_clzll(sum);
	return fp_round(env, f, a.sign, a.exp + 1 - (int)lead, sum << lead);
}

FP_INLINE uint64_t add(struct fp_env *env, const struct fp_format *f, uint64_t a_bits,
		       uint64_t b_bits, bool subtract)
{
	struct fp_num a = fp_unpack(env, f, a_bits);
	struct fp_num b = fp_unpack(env, f, b_bits);

	if (fp_is_nan(&a) || fp_is_nan(&b)) {
		return fp_process_nans(env, f, &a, &b, a_bits, b_bits);
	}
	fp_process_denorms(env, f, &a, &b);
	b.sign ^= subtract;
	if (fp_is_inf(&a)) {
		if (fp_is_inf(&b) && a.sign != b.sign) {
			return fp_invalid(env, f);
		}
		return fp_infinity(f, a.sign);
	}
	if (fp_is_inf(&b)) {
		return fp_infinity(f, b.sign);
	}
	if (fp_is_zero(&a) && fp_is_zero(&b)) {
		return a.sign == b.sign ? fp_zero(f, a.sign) : fp_exact_zero(env, f);
	}
	return add_magnitudes(env, f, a, b);
}

// FPMul(), and FPMulX() when extended.
FP_INLINE uint64_t mul(struct fp_env *env, const struct fp_format *f, uint64_t a_bits,
		       uint64_t b_bits, bool extended)
{
	struct fp_num a = fp_unpack(env, f, a_bits);
	struct fp_num b = fp_unpack(env, f, b_bits);
	bool sign = a.sign ^ b.sign;

	if (fp_is_nan(&a) || fp_is_nan(&b)) {
		return fp_process_nans(env, f, &a, &b, a_bits, b_bits);
	}
	fp_process_denorms(env, f, &a, &b);
	if (fp_is_inf(&a) || fp_is_inf(&b)) {
		if (!fp_is_zero(&a) && !fp_is_zero(&b)) {
			return fp_infinity(f, sign);
		}
		if (extended) {
			return fp_round(env, f, sign, 1, 1ull << 63); // FPTwo()
		}
		return fp_invalid(env, f);
	}
	if (fp_is_zero(&a) || fp_is_zero(&b)) {
		return fp_zero(f, sign);
	}
	unsigned __int128 product = (unsigned __int128)a.frac * b.frac;
	int exp = a.exp + b.exp + 1;

	if (!(product >> 127)) {
		product <<= 1;
		exp--;
	}
	return fp_round(env, f, sign, exp, fp_jam_high64(product));
}

FP_INLINE uint64_t divide(struct fp_env *env, const struct fp_format *f, uint64_t a_bits,
			  uint64_t b_bits)
{
	struct fp_num a = fp_unpack(env, f, a_bits);
	struct fp_num b = fp_unpack(env, f, b_bits);
	bool sign = a.sign ^ b.sign;

	if (fp_is_nan(&a) || fp_is_nan(&b)) {
		return fp_process_nans(env, f, &a, &b, a_bits, b_bits);
	}
	if ((fp_is_inf(&a) && fp_is_inf(&b)) || (fp_is_zero(&a) && fp_is_zero(&b))) {
		return fp_invalid(env, f);
	}
	if (fp_is_zero(&b)) {
		if (!fp_is_inf(&a)) {
			fp_raise(env, FP_SR_DZC);
		}
		return fp_infinity(f, sign);
	}
	fp_process_denorms(env, f, &a, &b);
	if (fp_is_inf(&a)) {
		return fp_infinity(f, sign);
	}
	if (fp_is_zero(&a) || fp_is_inf(&b)) {
		return fp_zero(f, sign);
	}
	int exp = a.exp - b.exp;
	uint64_t quotient;
	bool inexact;

	if (f->frac_bits < 32) {
		// Short significands: 24 bits over 24 bits with more than 32 bits of quotient.
		uint64_t divisor = b.frac >> 40;
		uint64_t dividend = a.frac >> 1;

		quotient = dividend / divisor;
		inexact = dividend % divisor != 0;
		unsigned lead = (unsigned)__builtin_clzll(quotient);
		exp += 24 - (int)lead;
		quotient <<= lead;
	} else {
		bool below = a.frac < b.frac;
		unsigned __int128 dividend = (unsigned __int128)a.frac << (below ? 64 : 63);

		quotient = (uint64_t)(dividend / b.frac);
		inexact = (unsigned __int128)quotient * b.frac != dividend;
		exp -= below;
	}
	return fp_round(env, f, sign, exp, quotient | inexact);
}

// The integer square root of n * 2^64 where 2^62 <= n, rounded down; whether it is inexact in
// *rest.
static uint64_t root128(uint64_t n, bool *rest)
{
	unsigned __int128 square = (unsigned __int128)n << 64;
	// The host's root has some 52 right bits whatever its rounding; one step of Newton's method
	// on the remainder leaves at most a unit or two for the loops. 2^64 itself cannot be a
	// root.
	double guess = __builtin_sqrt((double)n) * 0x1p32;
	uint64_t root = guess < 0x1p64 ? (uint64_t)guess : UINT64_MAX;
	__int128 remainder = (__int128)(square - (unsigned __int128)root * root);

	root += (uint64_t)(int64_t)((double)remainder / (2.0 * guess));
	while ((unsigned __int128)root * root > square) {
		root--;
	}
	while (square - (unsigned __int128)root * root > (unsigned __int128)root * 2) {
		root++;
	}
	*rest = (unsigned __int128)root * root != square;
	return root;
}

FP_INLINE uint64_t square_root(struct fp_env *env, const struct fp_format *f, uint64_t bits)
{
	struct fp_num a = fp_unpack(env, f, bits);

	if (fp_is_nan(&a)) {
		return fp_process_nan(env, f, a.type, bits);
	}
	if (fp_is_zero(&a)) {
		return fp_zero(f, a.sign);
	}
	if (a.sign) {
		return fp_invalid(env, f);
	}
	if (fp_is_inf(&a)) {
		return fp_infinity(f, false);
	}
	fp_process_denorm(env, f, &a);
	// An even exponent leaves 1.x, held in [2^62, 2^63); an odd one 2 * 1.x, in [2^63, 2^64).
	bool odd = a.exp & 1;
	bool inexact;
	uint64_t root = root128(odd ? a.frac : a.frac >> 1, &inexact);

	return fp_round(env, f, false, (a.exp - odd) / 2, root | inexact);
}

uint32_t fp32_add_soft(struct fp_env *env, uint32_t a, uint32_t b)
{
	return (uint32_t)add(env, &fp_format32, a, b, false);
}

uint64_t fp64_add_soft(struct fp_env *env, uint64_t a, uint64_t b)
{
	return add(env, &fp_format64, a, b, false);
}

uint32_t fp32_sub_soft(struct fp_env *env, uint32_t a, uint32_t b)
{
	return (uint32_t)add(env, &fp_format32, a, b, true);
}

uint64_t fp64_sub_soft(struct fp_env *env, uint64_t a, uint64_t b)
{
	return add(env, &fp_format64, a, b, true);
}

uint32_t fp32_mul_soft(struct fp_env *env, uint32_t a, uint32_t b)
{
	return (uint32_t)mul(env, &fp_format32, a, b, false);
}

uint64_t fp64_mul_soft(struct fp_env *env, uint64_t a, uint64_t b)
{
	return mul(env, &fp_format64, a, b, false);
}

uint32_t fp32_div_soft(struct fp_env *env, uint32_t a, uint32_t b)
{
	return (uint32_t)divide(env, &fp_format32, a, b);
}

uint64_t fp64_div_soft(struct fp_env *env, uint64_t a, uint64_t b)
{
	return divide(env, &fp_format64, a, b);
}

uint32_t fp32_sqrt_soft(struct fp_env *env, uint32_t a)
{
	return (uint32_t)square_root(env, &fp_format32, a);
}

uint64_t fp64_sqrt_soft(struct fp_env *env, uint64_t a)
{
	return square_root(env, &fp_format64, a);
}

uint16_t fp16_add(struct fp_env *env, uint16_t a, uint16_t b)
{
	return (uint16_t)add(env, &fp_format16, a, b, false);
}

uint32_t fp32_add(struct fp_env *env, uint32_t a, uint32_t b)
{
	uint32_t result;

	return fp32_fast_add(env, a, b, &result) ? result : fp32_add_soft(env, a, b);
}

uint64_t fp64_add(struct fp_env *env, uint64_t a, uint64_t b)
{
	uint64_t result;

	return fp64_fast_add(env, a, b, &result) ? result : fp64_add_soft(env, a, b);
}

uint16_t fp16_sub(struct fp_env *env, uint16_t a, uint16_t b)
{
	return (uint16_t)add(env, &fp_format16, a, b, true);
}

uint32_t fp32_sub(struct fp_env *env, uint32_t a, uint32_t b)
{
	uint32_t result;

	return fp32_fast_sub(env, a, b, &result) ? result : fp32_sub_soft(env, a, b);
}

uint64_t fp64_sub(struct fp_env *env, uint64_t a, uint64_t b)
{
	uint64_t result;

	return fp64_fast_sub(env, a, b, &result) ? result : fp64_sub_soft(env, a, b);
}

uint16_t fp16_mul(struct fp_env *env, uint16_t a, uint16_t b)
{
	return (uint16_t)mul(env, &fp_format16, a, b, false);
}

uint32_t fp32_mul(struct fp_env *env, uint32_t a, uint32_t b)
{
	uint32_t result;

	return fp32_fast_mul(env, a, b, &result) ? result : fp32_mul_soft(env, a, b);
}

uint64_t fp64_mul(struct fp_env *env, uint64_t a, uint64_t b)
{
	uint64_t result;

	return fp64_fast_mul(env, a, b, &result) ? result : fp64_mul_soft(env, a, b);
}

uint16_t fp16_mulx(struct fp_env *env, uint16_t a, uint16_t b)
{
	return (uint16_t)mul(env, &fp_format16, a, b, true);
}

uint32_t fp32_mulx(struct fp_env *env, uint32_t a, uint32_t b)
{
	return (uint32_t)mul(env, &fp_format32, a, b, true);
}

uint64_t fp64_mulx(struct fp_env *env, uint64_t a, uint64_t b)
{
	return mul(env, &fp_format64, a, b, true);
}

uint16_t fp16_div(struct fp_env *env, uint16_t a, uint16_t b)
{
	return (uint16_t)divide(env, &fp_format16, a, b);
}

uint32_t fp32_div(struct fp_env *env, uint32_t a, uint32_t b)
{
	uint32_t result;

	return fp32_fast_div(env, a, b, &result) ? result : fp32_div_soft(env, a, b);
}

uint64_t fp64_div(struct fp_env *env, uint64_t a, uint64_t b)
{
	uint64_t result;

	return fp64_fast_div(env, a, b, &result) ? result : fp64_div_soft(env, a, b);
}

uint16_t fp16_sqrt(struct fp_env *env, uint16_t a)
{
	return (uint16_t)square_root(env, &fp_format16, a);
}

uint32_t fp32_sqrt(struct fp_env *env, uint32_t a)
{
	uint32_t result;

	return fp32_fast_sqrt(env, a, &result) ? result : fp32_sqrt_soft(env, a);
}

uint64_t fp64_sqrt(struct fp_env *env, uint64_t a)
{
	uint64_t result;

	return fp64_fast_sqrt(env, a, &result) ? result : fp64_sqrt_soft(env, a);
}
