// SPDX-License-Identifier: Apache-2.0
// Host fast paths: each function either computes exactly what its soft counterpart would, result
// and flags, and returns true, or does nothing and returns false.
//
// They lean on the host being IEEE 754 with round to nearest even, no flush modes and no excess
// precision (SSE2), and on the compiler keeping each operation apart (-ffp-contract=off, no
// -ffast-math). A result is taken only where the guest rounds to nearest and the result is
// comfortably normal: its exponent field is at least 2, so that the value was not tiny even before
// rounding, and it did not overflow. Then no NaN, infinity, underflow or division by zero is in
// play, FZ cannot flush the output, DN does not matter, and the only flag left is Inexact, which
// either is set already or is decided exactly here.
#ifndef CPU_FP_FP_FAST_H
#define CPU_FP_FP_FAST_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "cpu/fp/fp.h"

// The FPCR bits that make denormal inputs something else than small numbers.
#define FP_FAST_DENORMALS (FP_CR_FZ | FP_CR_FIZ | FP_CR_AH)

static inline float fp32_host(uint32_t bits)
{
	float x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

static inline uint32_t fp32_bits(float x)
{
	uint32_t bits;

	memcpy(&bits, &x, sizeof(bits));
	return bits;
}

static inline double fp64_host(uint64_t bits)
{
	double x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

static inline uint64_t fp64_bits(double x)
{
	uint64_t bits;

	memcpy(&bits, &x, sizeof(bits));
	return bits;
}

static inline bool fp_fast_nearest(const struct fp_env *env)
{
	return (env->fpcr & FP_CR_RMODE) == 0;
}

static inline bool fp_fast_inexact_known(const struct fp_env *env)
{
	return (env->fpsr & FP_SR_IXC) != 0;
}

// Exponent field from 2 to the last finite one.
static inline bool fp32_fast_result_ok(uint32_t bits)
{
	return ((bits >> 23) & 0xff) - 2 <= 0xfe - 2;
}

static inline bool fp64_fast_result_ok(uint64_t bits)
{
	return ((bits >> 52) & 0x7ff) - 2 <= 0x7fe - 2;
}

static inline bool fp32_fast_denormal(uint32_t bits)
{
	return (bits & 0x7f800000) == 0 && (bits & 0x007fffff) != 0;
}

static inline bool fp64_fast_denormal(uint64_t bits)
{
	return (bits & 0x7ff0000000000000) == 0 && (bits & 0x000fffffffffffff) != 0;
}

// Whether an input would be flushed or reported (FPCR.AH). Infinities and NaNs need no look: no
// good result has one.
static inline bool fp32_fast_flushes(const struct fp_env *env, uint32_t a, uint32_t b)
{
	return (env->fpcr & FP_FAST_DENORMALS) && (fp32_fast_denormal(a) || fp32_fast_denormal(b));
}

static inline bool fp64_fast_flushes(const struct fp_env *env, uint64_t a, uint64_t b)
{
	return (env->fpcr & FP_FAST_DENORMALS) && (fp64_fast_denormal(a) || fp64_fast_denormal(b));
}

static inline bool fp32_fast_add(struct fp_env *env, uint32_t a, uint32_t b, uint32_t *result)
{
	float x = fp32_host(a);
	float y = fp32_host(b);
	float s = x + y;
	uint32_t bits = fp32_bits(s);

	if (!fp_fast_nearest(env) || !fp32_fast_result_ok(bits) || fp32_fast_flushes(env, a, b)) {
		return false;
	}
	// Subtracting the larger operand from a sum is exact (Dekker), so that test alone is
	// decisive; the other one holds whenever the sum is exact.
	if (!fp_fast_inexact_known(env) && (s - x != y || s - y != x)) {
		env->fpsr |= FP_SR_IXC;
	}
	*result = bits;
	return true;
}

static inline bool fp64_fast_add(struct fp_env *env, uint64_t a, uint64_t b, uint64_t *result)
{
	double x = fp64_host(a);
	double y = fp64_host(b);
	double s = x + y;
	uint64_t bits = fp64_bits(s);

	if (!fp_fast_nearest(env) || !fp64_fast_result_ok(bits) || fp64_fast_flushes(env, a, b)) {
		return false;
	}
	if (!fp_fast_inexact_known(env) && (s - x != y || s - y != x)) {
		env->fpsr |= FP_SR_IXC;
	}
	*result = bits;
	return true;
}

// A good result excludes NaN operands, so that negating the second one is subtraction.
static inline bool fp32_fast_sub(struct fp_env *env, uint32_t a, uint32_t b, uint32_t *result)
{
	return fp32_fast_add(env, a, b ^ 0x80000000u, result);
}

static inline bool fp64_fast_sub(struct fp_env *env, uint64_t a, uint64_t b, uint64_t *result)
{
	return fp64_fast_add(env, a, b ^ 0x8000000000000000u, result);
}

static inline bool fp32_fast_mul(struct fp_env *env, uint32_t a, uint32_t b, uint32_t *result)
{
	double product = (double)fp32_host(a) * (double)fp32_host(b); // 48 bits: exact
	float r = (float)product;
	uint32_t bits = fp32_bits(r);

	if (!fp_fast_nearest(env) || !fp32_fast_result_ok(bits) || fp32_fast_flushes(env, a, b)) {
		return false;
	}
	if ((double)r != product) {
		env->fpsr |= FP_SR_IXC;
	}
	*result = bits;
	return true;
}

static inline bool fp64_fast_mul(struct fp_env *env, uint64_t a, uint64_t b, uint64_t *result)
{
	uint64_t bits = fp64_bits(fp64_host(a) * fp64_host(b));

	if (!fp_fast_nearest(env) || !fp64_fast_result_ok(bits) || fp64_fast_flushes(env, a, b)) {
		return false;
	}
	if (!fp_fast_inexact_known(env)) {
		// The product of the significands has at most 106 bits and exactly as many trailing
		// zeros as both have together: with 53 of them it surely fits. Denormals, whose
		// hidden bit is not there, only have more leading zeros.
		uint64_t x = a << 12 >> 12 | 1ull << 52;
		uint64_t y = b << 12 >> 12 | 1ull << 52;

		if (__builtin_ctzll(x) + __builtin_ctzll(y) < 53) {
			return false;
		}
	}
	*result = bits;
	return true;
}

static inline bool fp32_fast_div(struct fp_env *env, uint32_t a, uint32_t b, uint32_t *result)
{
	float x = fp32_host(a);
	float y = fp32_host(b);
	float q = x / y;
	uint32_t bits = fp32_bits(q);

	if (!fp_fast_nearest(env) || !fp32_fast_result_ok(bits) || fp32_fast_flushes(env, a, b)) {
		return false;
	}
	if ((double)q * (double)y != (double)x) {
		env->fpsr |= FP_SR_IXC;
	}
	*result = bits;
	return true;
}

static inline bool fp64_fast_div(struct fp_env *env, uint64_t a, uint64_t b, uint64_t *result)
{
	if (!fp_fast_nearest(env) || !fp_fast_inexact_known(env)) {
		return false;
	}
	uint64_t bits = fp64_bits(fp64_host(a) / fp64_host(b));

	if (!fp64_fast_result_ok(bits) || fp64_fast_flushes(env, a, b)) {
		return false;
	}
	*result = bits;
	return true;
}

static inline bool fp32_fast_sqrt(struct fp_env *env, uint32_t a, uint32_t *result)
{
	// The root of a positive number is always well inside the normal range; a negative one, or
	// a NaN, has a sign or an exponent that the second test refuses.
	if (!fp_fast_nearest(env) || a - 0x00800000u >= 0x7f000000u) {
		return false;
	}
	float x = fp32_host(a);
	float r = __builtin_sqrtf(x);

	if ((double)r * (double)r != (double)x) {
		env->fpsr |= FP_SR_IXC;
	}
	*result = fp32_bits(r);
	return true;
}

static inline bool fp64_fast_sqrt(struct fp_env *env, uint64_t a, uint64_t *result)
{
	if (!fp_fast_nearest(env) || !fp_fast_inexact_known(env) ||
	    a - 0x0010000000000000u >= 0x7fe0000000000000u) {
		return false;
	}
	*result = fp64_bits(__builtin_sqrt(fp64_host(a)));
	return true;
}

// Single-precision fused multiply-add by way of double: the product is exact, the sum is rounded to
// 53 bits. Rounding that again to 24 is right but where the double sits exactly on a tie, which may
// itself be the product of the first rounding.
static inline bool fp32_fast_mul_add(struct fp_env *env, uint32_t addend, uint32_t a, uint32_t b,
				     uint32_t *result)
{
	double product = (double)fp32_host(a) * (double)fp32_host(b);
	double c = (double)fp32_host(addend);
	double s = product + c;
	float r = (float)s;
	uint32_t bits = fp32_bits(r);

	if (!fp_fast_nearest(env) || !fp32_fast_result_ok(bits) || fp32_fast_flushes(env, a, b) ||
	    fp32_fast_flushes(env, addend, 0) || (fp64_bits(s) & 0x1fffffff) == 0x10000000) {
		return false;
	}
	if ((double)r != s || s - product != c || s - c != product) {
		env->fpsr |= FP_SR_IXC;
	}
	*result = bits;
	return true;
}

static inline bool fp32_fast_to_fp64(const struct fp_env *env, uint32_t a, uint64_t *result)
{
	(void)env;
	if (((a >> 23) & 0xff) - 1 > 0xfd) {
		return false;
	}
	*result = fp64_bits((double)fp32_host(a));
	return true;
}

static inline bool fp64_fast_to_fp32(struct fp_env *env, uint64_t a, uint32_t *result)
{
	double x = fp64_host(a);
	float r = (float)x;
	uint32_t bits = fp32_bits(r);

	if (!fp_fast_nearest(env) || !fp32_fast_result_ok(bits)) {
		return false;
	}
	if ((double)r != x) {
		env->fpsr |= FP_SR_IXC;
	}
	*result = bits;
	return true;
}

// NZCV of an ordered comparison. An unordered one goes the soft way.
static inline bool fp64_fast_compare(const struct fp_env *env, uint64_t a, uint64_t b,
				     uint32_t *nzcv)
{
	double x = fp64_host(a);
	double y = fp64_host(b);

	if (__builtin_isunordered(x, y) || fp64_fast_flushes(env, a, b)) {
		return false;
	}
	*nzcv = x == y ? 6 : x < y ? 8 : 2;
	return true;
}

static inline bool fp32_fast_compare(const struct fp_env *env, uint32_t a, uint32_t b,
				     uint32_t *nzcv)
{
	float x = fp32_host(a);
	float y = fp32_host(b);

	if (__builtin_isunordered(x, y) || fp32_fast_flushes(env, a, b)) {
		return false;
	}
	*nzcv = x == y ? 6 : x < y ? 8 : 2;
	return true;
}

// FCVTZS and FCVTZU to an integer, for 1 <= |a| < 2^31 or 2^63 (a non-negative number of that size
// is the same signed and unsigned), intsize 32 or 64.
static inline bool fp64_fast_to_int(struct fp_env *env, uint64_t a, bool is_unsigned,
				    unsigned intsize, uint64_t *result)
{
	uint64_t limit = intsize == 64 ? 63 : 31;
	uint64_t exp = (a >> 52 & 0x7ff) - 1023;

	if (exp >= limit || (is_unsigned && a >> 63)) {
		return false;
	}
	double x = fp64_host(a);
	int64_t i = (int64_t)x;

	if ((double)i != x) {
		env->fpsr |= FP_SR_IXC;
	}
	*result = intsize == 64 ? (uint64_t)i : (uint32_t)i;
	return true;
}

static inline bool fp32_fast_to_int(struct fp_env *env, uint32_t a, bool is_unsigned,
				    unsigned intsize, uint64_t *result)
{
	uint32_t limit = intsize == 64 ? 63 : 31;
	uint32_t exp = (a >> 23 & 0xff) - 127;

	if (exp >= limit || (is_unsigned && a >> 31)) {
		return false;
	}
	float x = fp32_host(a);
	int64_t i = (int64_t)x;

	if ((float)i != x) {
		env->fpsr |= FP_SR_IXC;
	}
	*result = intsize == 64 ? (uint64_t)i : (uint32_t)i;
	return true;
}

#endif
