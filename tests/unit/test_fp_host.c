// SPDX-License-Identifier: Apache-2.0
// Random cross-checks of cpu/fp: the soft path against the host's own floating-point unit in all
// four rounding modes, results and exception flags; and the fast paths against the soft one.
//
// The host is x86-64: it has tininess after rounding where the architecture has it before, and its
// own rules for NaN payloads, so a NaN is only compared for being one. Build with -frounding-math.
#include <check.h>
#include <fenv.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "cpu/fp/fp.h"
#include "cpu/fp/fp_fast.h"
#include "cpu/fp/fp_internal.h"

#define ROUNDS 200000

#define MIN_NORMAL32 0x00800000u
#define MIN_NORMAL64 0x0010000000000000u

// In the order of FPCR.RMode.
static const int host_rounding[4] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};

static uint64_t seed;

static uint64_t random_next(void)
{
	uint64_t z = (seed += 0x9e3779b97f4a7c15ull);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

// Patterns of which many are special, near one another, at the ends of the range, or short.
static uint64_t random_float(unsigned exp_bits, unsigned frac_bits)
{
	uint64_t r = random_next();
	uint64_t exp_max = (1ull << exp_bits) - 1;
	uint64_t frac_mask = (1ull << frac_bits) - 1;
	uint64_t exp = random_next() & exp_max;
	uint64_t frac = random_next() & frac_mask;

	switch (r & 7) {
	case 0:
		exp = r & 8 ? r >> 8 & 3 : exp_max - (r >> 8 & 3);
		break;
	case 1:
		exp = r & 8 ? 0 : exp_max;
		frac = r & 16 ? 0 : frac;
		break;
	case 2:
	case 3:
	case 4:
		exp = exp_max / 2 + (r >> 8 & 63) - 31;
		break;
	default:
		break;
	}
	switch (r >> 40 & 3) {
	case 0:
		frac &= ~(frac_mask >> (r >> 44) % (frac_bits + 1));
		break;
	case 1:
		frac |= frac_mask >> (r >> 44) % (frac_bits + 1);
		break;
	default:
		break;
	}
	return (r >> 63) << (exp_bits + frac_bits) | (exp & exp_max) << frac_bits | frac;
}

static uint32_t random32(void)
{
	return (uint32_t)random_float(8, 23);
}

static uint64_t random64(void)
{
	return random_float(11, 52);
}

static bool is_nan32(uint32_t a)
{
	return (a & 0x7fffffff) > 0x7f800000;
}

static bool is_nan64(uint64_t a)
{
	return (a & 0x7fffffffffffffff) > 0x7ff0000000000000;
}

static uint32_t flags_of_host(void)
{
	int e = fetestexcept(FE_ALL_EXCEPT);

	return (e & FE_INVALID ? FP_SR_IOC : 0) | (e & FE_DIVBYZERO ? FP_SR_DZC : 0) |
	       (e & FE_OVERFLOW ? FP_SR_OFC : 0) | (e & FE_UNDERFLOW ? FP_SR_UFC : 0) |
	       (e & FE_INEXACT ? FP_SR_IXC : 0);
}

// Run expr, an assignment to a volatile, on the host in the given mode.
#define ON_HOST(mode, flags, expr) \
	do { \
		fesetround(host_rounding[mode]); \
		feclearexcept(FE_ALL_EXCEPT); \
		expr; \
		(flags) = flags_of_host(); \
		fesetround(FE_TONEAREST); \
	} while (0)

// in is what went in, for the message alone; a single-precision operand is zero-extended.
static void judge32(const char *what, unsigned mode, const uint64_t *in, uint32_t want,
		    uint32_t want_flags, uint32_t got, uint32_t got_flags)
{
	bool same = is_nan32(want) ? is_nan32(got) : want == got;

	if ((want & 0x7fffffff) == MIN_NORMAL32 && (want_flags & FP_SR_IXC)) {
		want_flags = (want_flags & ~FP_SR_UFC) | (got_flags & FP_SR_UFC);
	}
	if (!same || want_flags != got_flags) {
		ck_abort_msg("%s mode %u of %llx %llx %llx: host %08x flags %x, ours %08x flags %x",
			     what, mode, (unsigned long long)in[0], (unsigned long long)in[1],
			     (unsigned long long)in[2], want, want_flags, got, got_flags);
	}
}

static void judge64(const char *what, unsigned mode, const uint64_t *in, uint64_t want,
		    uint32_t want_flags, uint64_t got, uint32_t got_flags)
{
	bool same = is_nan64(want) ? is_nan64(got) : want == got;

	if ((want & 0x7fffffffffffffff) == MIN_NORMAL64 && (want_flags & FP_SR_IXC)) {
		want_flags = (want_flags & ~FP_SR_UFC) | (got_flags & FP_SR_UFC);
	}
	if (!same || want_flags != got_flags) {
		ck_abort_msg("%s mode %u of %016llx %016llx %016llx: host %016llx flags %x, ours "
			     "%016llx flags %x",
			     what, mode, (unsigned long long)in[0], (unsigned long long)in[1],
			     (unsigned long long)in[2], (unsigned long long)want, want_flags,
			     (unsigned long long)got, got_flags);
	}
}

#define TRY32(name, host_expr, soft_expr) \
	do { \
		struct fp_env env = {.fpcr = mode << FP_CR_RMODE_SHIFT}; \
		volatile float r; \
		uint32_t flags; \
		ON_HOST(mode, flags, r = (host_expr)); \
		uint32_t got = (soft_expr); \
		judge32(name, mode, in, fp32_bits(r), flags, got, env.fpsr); \
	} while (0)

#define TRY64(name, host_expr, soft_expr) \
	do { \
		struct fp_env env = {.fpcr = mode << FP_CR_RMODE_SHIFT}; \
		volatile double r; \
		uint32_t flags; \
		ON_HOST(mode, flags, r = (host_expr)); \
		uint64_t got = (soft_expr); \
		judge64(name, mode, in, fp64_bits(r), flags, got, env.fpsr); \
	} while (0)

START_TEST(single_precision_agrees_with_host)
{
	unsigned mode = (unsigned)_i;

	seed = 0x5eed0032 + mode;
	for (unsigned n = 0; n < ROUNDS; n++) {
		uint64_t in[3] = {random32(), random32(), 0};

		if (n % 16 == 0) {
			in[1] = in[0] ^ (random_next() & 1);
		}
		uint32_t x = (uint32_t)in[0];
		uint32_t y = (uint32_t)in[1];
		volatile float a = fp32_host(x);
		volatile float b = fp32_host(y);

		TRY32("add", a + b, fp32_add_soft(&env, x, y));
		TRY32("sub", a - b, fp32_sub_soft(&env, x, y));
		TRY32("mul", a * b, fp32_mul_soft(&env, x, y));
		TRY32("div", a / b, fp32_div_soft(&env, x, y));
		TRY32("sqrt", sqrtf(a), fp32_sqrt_soft(&env, x));
		TRY64("widen", (double)a, fp32_to_fp64_soft(&env, x));
	}
}
END_TEST

START_TEST(double_precision_agrees_with_host)
{
	unsigned mode = (unsigned)_i;

	seed = 0x5eed0064 + mode;
	for (unsigned n = 0; n < ROUNDS; n++) {
		uint64_t in[3] = {random64(), random64(), random64()};

		if (n % 16 == 0) {
			in[1] = in[0] ^ (random_next() & 1);
		}
		volatile double a = fp64_host(in[0]);
		volatile double b = fp64_host(in[1]);

		TRY64("add", a + b, fp64_add_soft(&env, in[0], in[1]));
		TRY64("sub", a - b, fp64_sub_soft(&env, in[0], in[1]));
		TRY64("mul", a * b, fp64_mul_soft(&env, in[0], in[1]));
		TRY64("div", a / b, fp64_div_soft(&env, in[0], in[1]));
		TRY64("sqrt", sqrt(a), fp64_sqrt_soft(&env, in[0]));

		struct fp_env env = {.fpcr = mode << FP_CR_RMODE_SHIFT};
		volatile float narrow;
		uint32_t flags;
		ON_HOST(mode, flags, narrow = (float)a);
		uint32_t got = fp64_to_fp32_soft(&env, in[0]);
		judge32("narrow", mode, in, fp32_bits(narrow), flags, got, env.fpsr);
	}
}
END_TEST

// Where a NaN or inf * 0 meets a NaN addend the flags are the implementation's choice in IEEE 754.
START_TEST(fused_multiply_add_agrees_with_host)
{
	unsigned mode = (unsigned)_i;

	seed = 0x5eed0f3a + mode;
	for (unsigned n = 0; n < ROUNDS; n++) {
		uint64_t in64[3] = {random64(), random64(), random64()};
		uint32_t in32[3] = {random32(), random32(), random32()};

		if (n % 4 == 0) {
			// An addend of the product's size, so that the two cancel.
			struct fp_env scratch = {0};
			uint64_t low = random_next() & 3;

			in64[2] = fp64_mul_soft(&scratch, in64[0], in64[1]) ^ 1ull << 63 ^ low;
			in32[2] = fp32_mul_soft(&scratch, in32[0], in32[1]) ^ 1u << 31 ^
				  (uint32_t)low;
		}
		if (!is_nan64(in64[2])) {
			const uint64_t *in = in64;
			volatile double a = fp64_host(in[0]);
			volatile double b = fp64_host(in[1]);
			volatile double c = fp64_host(in[2]);

			TRY64("fma", fma(a, b, c), fp64_mul_add_soft(&env, in[2], in[0], in[1]));
		}
		if (!is_nan32(in32[2])) {
			const uint64_t in[3] = {in32[0], in32[1], in32[2]};
			volatile float a = fp32_host(in32[0]);
			volatile float b = fp32_host(in32[1]);
			volatile float c = fp32_host(in32[2]);

			TRY32("fmaf", fmaf(a, b, c),
			      fp32_mul_add_soft(&env, in32[2], in32[0], in32[1]));
		}
	}
}
END_TEST

START_TEST(integer_conversions_agree_with_host)
{
	unsigned mode = (unsigned)_i;
	enum fp_rounding rounding = (enum fp_rounding)mode;

	seed = 0x5eed0123 + mode;
	for (unsigned n = 0; n < ROUNDS; n++) {
		uint64_t in[3] = {random_next() >> (random_next() & 63), 0, 0};

		if (n & 1) {
			in[0] = 0 - in[0];
		}
		volatile int64_t i = (int64_t)in[0];
		TRY64("scvtf", (double)i,
		      fp64_from_fixed_soft(&env, in[0], 0, false, rounding, 64));
		TRY32("scvtf", (float)i, fp32_from_fixed_soft(&env, in[0], 0, false, rounding, 64));
		// To integer: llrint() obeys the mode; out of range it is invalid, with another
		// result.
		uint64_t bits = random64();
		volatile double d = fp64_host(bits);
		struct fp_env env = {0};
		volatile long long want;
		uint32_t flags;
		ON_HOST(mode, flags, want = llrint(d));
		uint64_t got = fp64_to_fixed_soft(&env, bits, 0, false, rounding, 64);
		if (env.fpsr != flags || (!(flags & FP_SR_IOC) && got != (uint64_t)want)) {
			ck_abort_msg("llrint(%a) mode %u: host %lld flags %x, ours %lld flags %x",
				     d, mode, want, flags, (long long)got, env.fpsr);
		}
	}
}
END_TEST

START_TEST(integral_roundings_agree_with_host)
{
	unsigned mode = (unsigned)_i;

	seed = 0x5eed0777 + mode;
	for (unsigned n = 0; n < ROUNDS; n++) {
		uint64_t in[3] = {random64(), 0, 0};
		volatile double a = fp64_host(in[0]);

		TRY64("rint", rint(a),
		      fp64_round_int(&env, in[0], fp_rounding_from_fpcr(env.fpcr), true));
	}
}
END_TEST

// A failure is reported by ck_abort_msg() under an if: ck_assert() costs a system call each time.

// Every function with a fast path, on any operands and any FPCR and FPSR, against its soft self.
static struct fp_env random_env(void)
{
	uint64_t r = random_next();
	struct fp_env env = {0};

	env.fpcr = (r & 3) ? 0 : (uint32_t)(r >> 8 & 3) << FP_CR_RMODE_SHIFT;
	env.fpcr |= (r & 0x0c) ? 0 : FP_CR_FZ;
	env.fpcr |= (r & 0x30) ? 0 : FP_CR_DN;
	env.fpcr |= (r >> 16 & 3) ? 0 : (uint32_t)(r >> 12) & (FP_CR_AH | FP_CR_FIZ);
	env.fpsr = (r & 0x40) ? FP_SR_IXC : 0;
	return env;
}

#define SAME(call, ...) \
	do { \
		struct fp_env fast = start, soft = start; \
		uint64_t x = call(&fast, __VA_ARGS__); \
		uint64_t y = call##_soft(&soft, __VA_ARGS__); \
		if (x != y || fast.fpsr != soft.fpsr) { \
			ck_abort_msg(#call ": fast %llx fpsr %x, soft %llx fpsr %x, fpcr %x from " \
					   "%llx %llx %llx", \
				     (unsigned long long)x, fast.fpsr, (unsigned long long)y, \
				     soft.fpsr, start.fpcr, (unsigned long long)a, \
				     (unsigned long long)b, (unsigned long long)c); \
		} \
	} while (0)

static void compare_paths64(struct fp_env start, uint64_t a, uint64_t b, uint64_t c)
{
	enum fp_rounding rounding = (enum fp_rounding)(c % 5);
	unsigned intsize = c & 8 ? 32 : 64;
	bool is_unsigned = c & 16;

	SAME(fp64_add, a, b);
	SAME(fp64_sub, a, b);
	SAME(fp64_mul, a, b);
	SAME(fp64_div, a, b);
	SAME(fp64_sqrt, a);
	SAME(fp64_mul_add, c, a, b);
	SAME(fp64_compare, a, b, false);
	SAME(fp64_compare, a, b, true);
	SAME(fp64_to_fp32, a);
	SAME(fp64_to_fixed, a, 0, is_unsigned, rounding, intsize);
	SAME(fp64_to_fixed, a, 0, is_unsigned, FP_ROUNDING_ZERO, intsize);
}

static void compare_paths32(struct fp_env start, uint32_t a, uint32_t b, uint32_t c)
{
	enum fp_rounding rounding = (enum fp_rounding)(c % 5);
	unsigned intsize = c & 8 ? 32 : 64;
	bool is_unsigned = c & 16;

	SAME(fp32_add, a, b);
	SAME(fp32_sub, a, b);
	SAME(fp32_mul, a, b);
	SAME(fp32_div, a, b);
	SAME(fp32_sqrt, a);
	SAME(fp32_mul_add, c, a, b);
	SAME(fp32_compare, a, b, false);
	SAME(fp32_compare, a, b, true);
	SAME(fp32_to_fp64, a);
	SAME(fp32_to_fixed, a, 0, is_unsigned, rounding, intsize);
	SAME(fp32_to_fixed, a, 0, is_unsigned, FP_ROUNDING_ZERO, intsize);
}

static void compare_paths_integer(struct fp_env start, uint64_t a)
{
	const uint64_t b = 0;
	const uint64_t c = 0;

	for (unsigned k = 0; k < 16; k++) {
		enum fp_rounding rounding = (enum fp_rounding)(k & 3);
		unsigned intsize = k & 4 ? 32 : 64;

		SAME(fp64_from_fixed, a, 0, k & 8, rounding, intsize);
		SAME(fp32_from_fixed, a, 0, k & 8, rounding, intsize);
	}
}

START_TEST(fast_path_is_the_soft_path)
{
	seed = 0x5eedfa57;
	for (unsigned n = 0; n < 5 * ROUNDS; n++) {
		struct fp_env start = random_env();
		uint64_t a = random64();
		uint64_t b = n % 8 == 0 ? a ^ (random_next() & 1) : random64();
		uint64_t c = random64();

		compare_paths64(start, a, b, c);
		compare_paths32(start, random32(), random32(), random32());
		compare_paths_integer(start, random_next() >> (random_next() & 63));
	}
}
END_TEST

// Values around the limits of the fast path: the smallest normal numbers, ties, and exact results.
START_TEST(fast_path_at_its_limits)
{
	static const uint64_t edge[] = {
		0,
		1,
		0x000fffffffffffff,
		0x0010000000000000,
		0x0010000000000001,
		0x001fffffffffffff,
		0x0020000000000000,
		0x0020000000000001,
		0x3fdfffffffffffff,
		0x3fe0000000000000,
		0x3fe0000000000001,
		0x3fefffffffffffff,
		0x3ff0000000000000,
		0x3ff0000000000001,
		0x3ff8000000000000,
		0x4000000000000000,
		0x4008000000000000,
		0x41dfffffffc00000,
		0x41e0000000000000,
		0x43dfffffffffffff,
		0x43e0000000000000,
		0x43efffffffffffff,
		0x43f0000000000000,
		0x4340000000000000,
		0x4330000000000001,
		0x7fdfffffffffffff,
		0x7fe0000000000000,
		0x7fefffffffffffff,
		0x7ff0000000000000,
		0x7ff0000000000001,
		0x7ff8000000000000,
		0x3810000000000000,
		0x380fffffffffffff,
		0x380fffffe0000000,
		0x380ffffff0000000,
		0x47efffffe0000000,
		0x47effffff0000000,
		0x47efffffefffffff,
		0x3ca0000000000000,
		0x3cb0000000000000,
		0x3c9fffffffffffff,
	};
	const unsigned count = sizeof(edge) / sizeof(edge[0]);

	seed = 0x5eeded9e;
	for (unsigned i = 0; i < count * count * 4; i++) {
		uint64_t a = edge[i / 4 / count] | (uint64_t)(i & 1) << 63;
		uint64_t b = edge[i / 4 % count] | (uint64_t)(i >> 1 & 1) << 63;
		struct fp_env env = {0};
		uint32_t a32 = fp64_to_fp32_soft(&env, a);
		uint32_t b32 = fp64_to_fp32_soft(&env, b);

		for (unsigned k = 0; k < 8; k++) {
			struct fp_env start = {.fpcr = k & 1 ? FP_CR_FZ : 0,
					       .fpsr = k & 2 ? FP_SR_IXC : 0};
			uint64_t c = k & 4 ? random64() : edge[random_next() % count];

			compare_paths64(start, a, b, c);
			compare_paths32(start, a32, b32, fp64_to_fp32_soft(&env, c));
			compare_paths_integer(start, a);
		}
	}
	for (unsigned bit = 0; bit < 64; bit++) {
		for (int delta = -2; delta <= 2; delta++) {
			compare_paths_integer((struct fp_env){0},
					      (1ull << bit) + (uint64_t)(int64_t)delta);
		}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fp_host");
	TCase *host = tcase_create("host");
	TCase *fast = tcase_create("fast");
	SRunner *runner;
	int failed;

	tcase_set_timeout(host, 120);
	tcase_set_timeout(fast, 120);
	tcase_add_loop_test(host, single_precision_agrees_with_host, 0, 4);
	tcase_add_loop_test(host, double_precision_agrees_with_host, 0, 4);
	tcase_add_loop_test(host, fused_multiply_add_agrees_with_host, 0, 4);
	tcase_add_loop_test(host, integer_conversions_agree_with_host, 0, 4);
	tcase_add_loop_test(host, integral_roundings_agree_with_host, 0, 4);
	tcase_add_test(fast, fast_path_is_the_soft_path);
	tcase_add_test(fast, fast_path_at_its_limits);
	suite_add_tcase(suite, host);
	suite_add_tcase(suite, fast);

	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
