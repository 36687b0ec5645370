// SPDX-License-Identifier: Apache-2.0
// Hand-computed cases of cpu/fp: NaNs, signed zeros, ties in each rounding mode, overflow,
// underflow, flushing, saturation and the estimates' tables. Expected values follow from the Arm
// ARM's pseudocode, worked out by hand. Each case runs with IXC clear and with IXC set beforehand,
// since that is what switches the fast paths.
#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "cpu/fp/fp.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define RN 0u
#define RP (1u << FP_CR_RMODE_SHIFT)
#define RM (2u << FP_CR_RMODE_SHIFT)
#define RZ (3u << FP_CR_RMODE_SHIFT)
#define FZ FP_CR_FZ
#define DN FP_CR_DN
#define AHP FP_CR_AHP
#define FZ16 FP_CR_FZ16

#define IOC FP_SR_IOC
#define DZC FP_SR_DZC
#define OFC FP_SR_OFC
#define UFC FP_SR_UFC
#define IXC FP_SR_IXC
#define IDC FP_SR_IDC

// A name for each rounding argument that is not FPCR's.
#define N_ FP_ROUNDING_TIEEVEN
#define P_ FP_ROUNDING_POSINF
#define M_ FP_ROUNDING_NEGINF
#define Z_ FP_ROUNDING_ZERO
#define A_ FP_ROUNDING_TIEAWAY

// Evaluate call, which uses env, under fpcr; its value and the flags that it sets must be these.
#define EXPECT(fpcr_bits, call, want, flags) \
	do { \
		for (uint32_t before = 0; before <= IXC; before += IXC) { \
			struct fp_env fpenv = {.fpcr = (fpcr_bits), .fpsr = before}; \
			struct fp_env *env = &fpenv; \
			uint64_t got = (call); \
			ck_assert_msg(got == (uint64_t)(want) && fpenv.fpsr == ((flags) | before), \
				      #call " with fpcr %x fpsr %x: got %llx fpsr %x, want %llx " \
					    "flags %x", \
				      (unsigned)(fpcr_bits), before, (unsigned long long)got, \
				      fpenv.fpsr, (unsigned long long)(want), (unsigned)(flags)); \
		} \
	} while (0)

START_TEST(nan_operands)
{
	EXPECT(RN, fp32_add(env, 0x7fc00001, 0x3f800000), 0x7fc00001, 0);
	EXPECT(RN, fp32_add(env, 0x3f800000, 0x7fc00001), 0x7fc00001, 0);
	EXPECT(RN, fp32_add(env, 0x7f800001, 0x3f800000), 0x7fc00001, IOC);
	EXPECT(RN, fp32_add(env, 0x7fc00001, 0xffc00002), 0x7fc00001, 0);
	EXPECT(RN, fp32_add(env, 0x7fc00001, 0xff800002), 0xffc00002, IOC);
	EXPECT(RN, fp32_add(env, 0x7f800001, 0xff800002), 0x7fc00001, IOC);
	EXPECT(RN, fp32_sub(env, 0x3f800000, 0xffc00002), 0xffc00002, 0);
	EXPECT(DN, fp32_add(env, 0xffc00001, 0x3f800000), 0x7fc00000, 0);
	EXPECT(DN, fp32_mul(env, 0x3f800000, 0xff800001), 0x7fc00000, IOC);
	EXPECT(RN, fp64_div(env, 0x7ff0000000000001, 0), 0x7ff8000000000001, IOC);
	EXPECT(RN, fp64_mul(env, 0xfff8000000000123, 0x7ff0000000000000), 0xfff8000000000123, 0);
	EXPECT(RN, fp64_sqrt(env, 0xfff0000000000001), 0xfff8000000000001, IOC);
	EXPECT(DN, fp64_sqrt(env, 0xfff8000000000001), 0x7ff8000000000000, 0);
	EXPECT(RN, fp16_add(env, 0x7c01, 0x3c00), 0x7e01, IOC);
	EXPECT(DN, fp16_add(env, 0xfe01, 0x3c00), 0x7e00, 0);
	// A flushed denormal is reported even beside a NaN.
	EXPECT(FZ, fp32_add(env, 0x7fc00001, 0x00000001), 0x7fc00001, IDC);
}
END_TEST

START_TEST(invalid_operations)
{
	EXPECT(RN, fp32_add(env, 0x7f800000, 0xff800000), 0x7fc00000, IOC);
	EXPECT(RN, fp32_sub(env, 0x7f800000, 0x7f800000), 0x7fc00000, IOC);
	EXPECT(RN, fp32_sub(env, 0x7f800000, 0xff800000), 0x7f800000, 0);
	EXPECT(RN, fp32_mul(env, 0x80000000, 0x7f800000), 0x7fc00000, IOC);
	EXPECT(RN, fp32_mulx(env, 0x80000000, 0x7f800000), 0xc0000000, 0);
	EXPECT(RN, fp64_mulx(env, 0x7ff0000000000000, 0), 0x4000000000000000, 0);
	EXPECT(RN, fp16_mulx(env, 0xfc00, 0x8000), 0x4000, 0);
	EXPECT(RN, fp16_mulx(env, 0x3c00, 0x4200), 0x4200, 0);
	EXPECT(RN, fp32_div(env, 0, 0x80000000), 0x7fc00000, IOC);
	EXPECT(RN, fp32_div(env, 0x7f800000, 0xff800000), 0x7fc00000, IOC);
	EXPECT(RN, fp32_div(env, 0x3f800000, 0x80000000), 0xff800000, DZC);
	EXPECT(RN, fp32_div(env, 0x7f800000, 0), 0x7f800000, 0);
	EXPECT(RN, fp32_div(env, 0x3f800000, 0xff800000), 0x80000000, 0);
	EXPECT(RN, fp32_sqrt(env, 0xbf800000), 0x7fc00000, IOC);
	EXPECT(RN, fp32_sqrt(env, 0xff800000), 0x7fc00000, IOC);
	EXPECT(RN, fp32_sqrt(env, 0x80000000), 0x80000000, 0);
	EXPECT(RN, fp64_sqrt(env, 0x7ff0000000000000), 0x7ff0000000000000, 0);
	// Flushed, the divisor is a zero and the negative radicand is one too.
	EXPECT(FZ, fp32_div(env, 0x3f800000, 0x00000001), 0x7f800000, DZC | IDC);
	EXPECT(FZ, fp32_sqrt(env, 0x80000001), 0x80000000, IDC);
}
END_TEST

START_TEST(signed_zero_sums)
{
	EXPECT(RN, fp32_add(env, 0, 0x80000000), 0, 0);
	EXPECT(RM, fp32_add(env, 0, 0x80000000), 0x80000000, 0);
	EXPECT(RN, fp32_add(env, 0x80000000, 0x80000000), 0x80000000, 0);
	EXPECT(RP, fp32_sub(env, 0x3f800000, 0x3f800000), 0, 0);
	EXPECT(RM, fp32_sub(env, 0x3f800000, 0x3f800000), 0x80000000, 0);
	EXPECT(RN, fp64_sub(env, 0x8000000000000000, 0), 0x8000000000000000, 0);
	EXPECT(RN, fp64_sub(env, 0, 0), 0, 0);
	EXPECT(RM, fp64_sub(env, 0, 0), 0x8000000000000000, 0);
	EXPECT(RN, fp64_mul(env, 0x8000000000000000, 0x3ff0000000000000), 0x8000000000000000, 0);
}
END_TEST

START_TEST(exact_and_inexact_results)
{
	EXPECT(RN, fp64_add(env, 0x3fb999999999999a, 0x3fc999999999999a), 0x3fd3333333333334, IXC);
	EXPECT(RN, fp64_add(env, 0x4008000000000000, 0x4010000000000000), 0x401c000000000000, 0);
	EXPECT(RN, fp64_div(env, 0x3ff0000000000000, 0x4008000000000000), 0x3fd5555555555555, IXC);
	EXPECT(RP, fp64_div(env, 0x3ff0000000000000, 0x4008000000000000), 0x3fd5555555555556, IXC);
	EXPECT(RN, fp64_div(env, 0x4024000000000000, 0x4010000000000000), 0x4004000000000000, 0);
	EXPECT(RN, fp64_mul(env, 0x4008000000000000, 0x4014000000000000), 0x402e000000000000, 0);
	EXPECT(RN, fp64_sqrt(env, 0x4000000000000000), 0x3ff6a09e667f3bcd, IXC);
	EXPECT(RZ, fp64_sqrt(env, 0x4000000000000000), 0x3ff6a09e667f3bcc, IXC);
	EXPECT(RN, fp64_sqrt(env, 0x4022000000000000), 0x4008000000000000, 0);
	EXPECT(RN, fp64_sqrt(env, 1), 0x1e60000000000000, 0); // 2^-1074 is an even power
	EXPECT(RN, fp32_sqrt(env, 0x40000000), 0x3fb504f3, IXC);
	EXPECT(RN, fp32_div(env, 0x3f800000, 0x40400000), 0x3eaaaaab, IXC);
	EXPECT(RZ, fp32_div(env, 0x3f800000, 0x40400000), 0x3eaaaaaa, IXC);
	EXPECT(RN, fp32_div(env, 0x40c00000, 0x40400000), 0x40000000, 0);
	EXPECT(RN, fp16_div(env, 0x3c00, 0x4200), 0x3555, IXC);
	EXPECT(RN, fp16_sqrt(env, 0x4000), 0x3da8, IXC);
	EXPECT(RN, fp16_sqrt(env, 0x4400), 0x4000, 0);
	// 2^53 + 1 is a tie that goes down to even; from above, 2^53 + 3 goes up.
	EXPECT(RN, fp64_add(env, 0x4340000000000000, 0x3ff0000000000000), 0x4340000000000000, IXC);
	EXPECT(RN, fp64_add(env, 0x4340000000000001, 0x3ff0000000000000), 0x4340000000000002, IXC);
}
END_TEST

START_TEST(ties_in_each_mode)
{
	static const struct {
		uint32_t a;
		uint32_t b;
		uint32_t want[4]; // by RMode
	} rows[] = {
		// 1 + 2^-24, 1 + 3 * 2^-24 and their negatives, then just above and below a tie
		{0x3f800000, 0x33800000, {0x3f800000, 0x3f800001, 0x3f800000, 0x3f800000}},
		{0x3f800001, 0x33800000, {0x3f800002, 0x3f800002, 0x3f800001, 0x3f800001}},
		{0xbf800000, 0xb3800000, {0xbf800000, 0xbf800000, 0xbf800001, 0xbf800000}},
		{0xbf800001, 0xb3800000, {0xbf800002, 0xbf800001, 0xbf800002, 0xbf800001}},
		{0x3f800000, 0x33800001, {0x3f800001, 0x3f800001, 0x3f800000, 0x3f800000}},
		{0x3f800000, 0x337fffff, {0x3f800000, 0x3f800001, 0x3f800000, 0x3f800000}},
		// sticky bits far away, added and subtracted
		{0x3f800000, 0x00000001, {0x3f800000, 0x3f800001, 0x3f800000, 0x3f800000}},
		{0x3f800000, 0x80000001, {0x3f800000, 0x3f800000, 0x3f7fffff, 0x3f7fffff}},
		// 1 - 2^-25 lies halfway between 1 - 2^-24 and 1
		{0x3f800000, 0xb3000000, {0x3f800000, 0x3f800000, 0x3f7fffff, 0x3f7fffff}},
	};

	for (unsigned i = 0; i < COUNT(rows); i++) {
		for (uint32_t mode = 0; mode < 4; mode++) {
			EXPECT(mode << FP_CR_RMODE_SHIFT, fp32_add(env, rows[i].a, rows[i].b),
			       rows[i].want[mode], IXC);
		}
	}
}
END_TEST

START_TEST(overflow_in_each_mode)
{
	static const uint32_t positive[4] = {0x7f800000, 0x7f800000, 0x7f7fffff, 0x7f7fffff};
	static const uint32_t negative[4] = {0xff800000, 0xff7fffff, 0xff800000, 0xff7fffff};

	for (uint32_t mode = 0; mode < 4; mode++) {
		uint32_t fpcr = mode << FP_CR_RMODE_SHIFT;

		EXPECT(fpcr, fp32_mul(env, 0x7f7fffff, 0x40000000), positive[mode], OFC | IXC);
		EXPECT(fpcr, fp32_mul(env, 0x7f7fffff, 0xc0000000), negative[mode], OFC | IXC);
	}
	// Half an ulp above the largest number: to nearest it overflows, toward zero it is just
	// inexact.
	EXPECT(RN, fp32_add(env, 0x7f7fffff, 0x73000000), 0x7f800000, OFC | IXC);
	EXPECT(RZ, fp32_add(env, 0x7f7fffff, 0x73000000), 0x7f7fffff, IXC);
	EXPECT(RN, fp32_add(env, 0x7f7fffff, 0x72ffffff), 0x7f7fffff, IXC);
	EXPECT(RN, fp64_add(env, 0x7fefffffffffffff, 0x7fefffffffffffff), 0x7ff0000000000000,
	       OFC | IXC);
	EXPECT(RN, fp16_add(env, 0x7bff, 0x7bff), 0x7c00, OFC | IXC);
	EXPECT(RZ, fp16_add(env, 0x7bff, 0x7bff), 0x7bff, OFC | IXC);
	// AHP is for conversions only.
	EXPECT(AHP, fp16_add(env, 0x7bff, 0x7bff), 0x7c00, OFC | IXC);
	EXPECT(AHP, fp16_add(env, 0x7c00, 0xfc00), 0x7e00, IOC);
}
END_TEST

START_TEST(underflow)
{
	EXPECT(RN, fp32_mul(env, 0x00800000, 0x3f000000), 0x00400000, 0); // exact: no underflow
	EXPECT(RN, fp32_mul(env, 0x00800001, 0x3f000000), 0x00400000, UFC | IXC);
	EXPECT(RP, fp32_mul(env, 0x00800001, 0x3f000000), 0x00400001, UFC | IXC);
	// Tiny before rounding, the smallest normal number after it.
	EXPECT(RN, fp32_mul(env, 0x00ffffff, 0x3f000000), 0x00800000, UFC | IXC);
	EXPECT(RZ, fp32_mul(env, 0x00ffffff, 0x3f000000), 0x007fffff, UFC | IXC);
	EXPECT(RN, fp32_mul(env, 0x00000001, 0x00000001), 0, UFC | IXC);
	EXPECT(RP, fp32_mul(env, 0x00000001, 0x00000001), 1, UFC | IXC);
	EXPECT(RM, fp32_mul(env, 0x00000001, 0x80000001), 0x80000001, UFC | IXC);
	EXPECT(RN, fp64_mul(env, 0x0010000000000001, 0x3fe0000000000000), 0x0008000000000000,
	       UFC | IXC);
	EXPECT(RN, fp64_div(env, 0x0010000000000000, 0x4000000000000000), 0x0008000000000000, 0);
	EXPECT(RN, fp64_sub(env, 0x0010000000000001, 0x0010000000000000), 1, 0);
	EXPECT(RN, fp16_mul(env, 0x0400, 0x3800), 0x0200, 0);
	EXPECT(RN, fp16_mul(env, 0x0401, 0x3800), 0x0200, UFC | IXC);
}
END_TEST

START_TEST(flush_to_zero)
{
	EXPECT(FZ, fp32_mul(env, 0x00800000, 0x3f000000), 0, UFC);
	EXPECT(FZ, fp32_mul(env, 0x80ffffff, 0x3f000000), 0x80000000, UFC);
	EXPECT(FZ | RP, fp32_mul(env, 0x00ffffff, 0x3f000000), 0, UFC);
	EXPECT(FZ, fp32_add(env, 0x00000001, 0x3f800000), 0x3f800000, IDC);
	EXPECT(FZ, fp32_add(env, 0x80000001, 0x80000001), 0x80000000, IDC);
	EXPECT(FZ, fp64_sub(env, 0x0010000000000001, 0x0010000000000000), 0, UFC);
	EXPECT(FZ, fp64_mul(env, 1, 0x7fe0000000000000), 0, IDC);
	EXPECT(FZ, fp64_mul_add(env, 0x3ff0000000000000, 1, 0x7fe0000000000000), 0x3ff0000000000000,
	       IDC);
	EXPECT(FZ, fp64_mul_add(env, 1, 0x3ff0000000000000, 0x3ff0000000000000), 0x3ff0000000000000,
	       IDC);
	// FZ leaves half precision alone, and FZ16 the others; FZ16 never reports an input.
	EXPECT(FZ, fp16_mul(env, 0x0400, 0x3800), 0x0200, 0);
	EXPECT(FZ16, fp16_mul(env, 0x0400, 0x3800), 0, UFC);
	EXPECT(FZ16, fp16_add(env, 0x0001, 0x3c00), 0x3c00, 0);
	EXPECT(RN, fp16_add(env, 0x0001, 0x3c00), 0x3c00, IXC);
	EXPECT(FZ16, fp32_mul(env, 0x00800000, 0x3f000000), 0x00400000, 0);
}
END_TEST

START_TEST(fused_multiply_add)
{
	// (1 + 2^-23) * (1 - 2^-23) - 1 = -2^-46, lost by separate operations
	EXPECT(RN, fp32_mul_add(env, 0xbf800000, 0x3f800001, 0x3f7ffffe), 0xa8800000, 0);
	EXPECT(RN, fp32_mul_add(env, 0x40a00000, 0x40000000, 0x40400000), 0x41300000, 0);
	// (1 + 2^-52) * (1 - 2^-52) - 1 = -2^-104
	EXPECT(RN, fp64_mul_add(env, 0xbff0000000000000, 0x3ff0000000000001, 0x3feffffffffffffe),
	       0xb970000000000000, 0);
	EXPECT(RN, fp64_mul_add(env, 0x3ff0000000000000, 0x0010000000000000, 0x0010000000000000),
	       0x3ff0000000000000, IXC);
	EXPECT(RM, fp64_mul_add(env, 0x3ff0000000000000, 0x0010000000000000, 0x8010000000000000),
	       0x3fefffffffffffff, IXC);
	// (1 + 2^-12)^2 = 1 + 2^-11 + 2^-24 is a tie in single precision; an addend of 2^-60 beside
	// it decides it, which a sum in double precision would have lost.
	EXPECT(RN, fp32_mul_add(env, 0x33800000, 0x3f800000, 0x3f800000), 0x3f800000, IXC);
	EXPECT(RN, fp32_mul_add(env, 0x21800000, 0x3f800001, 0x3f800001), 0x3f800002, IXC);
	EXPECT(RN, fp32_mul_add(env, 0x21800000, 0x3f801000, 0x3f801000), 0x3f802002, IXC);
	EXPECT(RN, fp32_mul_add(env, 0, 0x3f801000, 0x3f801000), 0x3f802002, 0);
	EXPECT(RN, fp32_mul_add(env, 0x80000000, 0x3f800800, 0x3f800800), 0x3f801000, IXC);
	EXPECT(RN, fp32_mul_add(env, 0x21800000, 0x3f800800, 0x3f800800), 0x3f801001, IXC);
	EXPECT(RN, fp32_mul_add(env, 0xa1800000, 0x3f800800, 0x3f800800), 0x3f801000, IXC);
	EXPECT(RN, fp16_mul_add(env, 0x3c00, 0x4000, 0x4200), 0x4700, 0);
	EXPECT(RN, fp64_mul_add(env, 0xfff0000000000000, 0x7fe0000000000000, 0x7fe0000000000000),
	       0xfff0000000000000, 0); // the exact product does not overflow by itself
}
END_TEST

START_TEST(fused_specials)
{
	const uint32_t one = 0x3f800000;
	const uint32_t inf = 0x7f800000;

	EXPECT(RN, fp32_mul_add(env, one, inf, 0), 0x7fc00000, IOC);
	EXPECT(RN, fp32_mul_add(env, 0xffc00001, inf, 0), 0x7fc00000, IOC);
	EXPECT(RN, fp32_mul_add(env, 0xffc00001, 0x80000000, inf), 0x7fc00000, IOC);
	EXPECT(RN, fp32_mul_add(env, 0xff800001, inf, 0), 0xffc00001, IOC);
	EXPECT(RN, fp32_mul_add(env, 0x7fc00003, 0x7fc00001, 0x7fc00002), 0x7fc00003, 0);
	EXPECT(RN, fp32_mul_add(env, one, 0x7fc00001, 0x7fc00002), 0x7fc00001, 0);
	EXPECT(RN, fp32_mul_add(env, one, one, 0x7fc00002), 0x7fc00002, 0);
	EXPECT(RN, fp32_mul_add(env, 0x7fc00003, 0x7fc00001, 0x7f800002), 0x7fc00002, IOC);
	EXPECT(RN, fp32_mul_add(env, 0x7f800003, 0x7f800001, 0x7f800002), 0x7fc00003, IOC);
	EXPECT(RN, fp32_mul_add(env, 0xff800000, inf, one), 0x7fc00000, IOC);
	EXPECT(RN, fp32_mul_add(env, inf, inf, one), inf, 0);
	EXPECT(RN, fp32_mul_add(env, 0xff800000, one, one), 0xff800000, 0);
	EXPECT(RN, fp32_mul_add(env, 0, 0, 0xbf800000), 0, 0);
	EXPECT(RM, fp32_mul_add(env, 0, 0, 0xbf800000), 0x80000000, 0);
	EXPECT(RN, fp32_mul_add(env, 0x80000000, 0, 0xbf800000), 0x80000000, 0);
	EXPECT(RN, fp32_mul_add(env, 0xbf800000, one, one), 0, 0);
	EXPECT(RM, fp32_mul_add(env, 0xbf800000, one, one), 0x80000000, 0);
	EXPECT(DN, fp64_mul_add(env, 0xfff8000000000001, 0, 0), 0x7ff8000000000000, 0);
}
END_TEST

START_TEST(half_products_into_single)
{
	EXPECT(RN, fp32_mul_add_h(env, 0x3f800000, 0x3c00, 0x4000), 0x40400000, 0);
	EXPECT(RN, fp32_mul_add_h(env, 0, 0x7bff, 0x7bff), 0x4f7fc004, 0); // 65504^2
	EXPECT(RN, fp32_mul_add_h(env, 0, 0x0001, 0x0001), 0x27800000, 0); // 2^-48
	EXPECT(FZ16, fp32_mul_add_h(env, 0x3f800000, 0x0001, 0x3c00), 0x3f800000, 0);
	EXPECT(FZ, fp32_mul_add_h(env, 0x00000001, 0x3c00, 0x3c00), 0x3f800000, IDC);
	EXPECT(RN, fp32_mul_add_h(env, 0x3f800000, 0x7e01, 0x3c00), 0x7fc02000, 0);
	EXPECT(RN, fp32_mul_add_h(env, 0x3f800000, 0x3c00, 0xfc01), 0xffc02000, IOC);
	EXPECT(RN, fp32_mul_add_h(env, 0x7fc00001, 0x7c00, 0x0000), 0x7fc00000, IOC);
	EXPECT(DN, fp32_mul_add_h(env, 0x3f800000, 0xfe01, 0x3c00), 0x7fc00000, 0);
}
END_TEST

START_TEST(newton_steps)
{
	const uint32_t one = 0x3f800000;

	EXPECT(RN, fp32_recip_step_fused(env, one, one), one, 0);
	EXPECT(RN, fp32_rsqrt_step_fused(env, one, one), one, 0);
	EXPECT(RN, fp32_recip_step_fused(env, 0x7f800000, 0x80000000), 0x40000000, 0);
	EXPECT(RN, fp32_rsqrt_step_fused(env, 0, 0xff800000), 0x3fc00000, 0);
	EXPECT(RN, fp32_recip_step_fused(env, 0x7f800000, one), 0xff800000, 0);
	EXPECT(RN, fp32_recip_step_fused(env, 0x40000000, one), 0, 0);
	EXPECT(RM, fp32_recip_step_fused(env, 0x40000000, one), 0x80000000, 0);
	EXPECT(RN, fp32_rsqrt_step_fused(env, 0, one), 0x3fc00000, 0);
	EXPECT(RN, fp32_recip_step_fused(env, 0x7fc00001, one), 0xffc00001, 0); // negated first
	EXPECT(RN, fp32_recip_step_fused(env, one, 0x7fc00001), 0x7fc00001, 0);
	EXPECT(RN, fp64_rsqrt_step_fused(env, 0x4008000000000000, 0x3fe0000000000000),
	       0x3fe8000000000000, 0); // (3 - 1.5) / 2
	// (3 - max * max') / 2 stays finite where 3 - max * max' alone would not
	EXPECT(RN, fp32_rsqrt_step_fused(env, 0x7f7fffff, 0x40000000), 0xff7fffff, IXC);
	EXPECT(RN, fp16_recip_step_fused(env, 0x3c00, 0x3800), 0x3e00, 0);
	EXPECT(RN, fp16_rsqrt_step_fused(env, 0x3c00, 0x3c00), 0x3c00, 0);
}
END_TEST

START_TEST(maxima_and_minima)
{
	EXPECT(RN, fp32_max(env, 0, 0x80000000), 0, 0);
	EXPECT(RN, fp32_max(env, 0x80000000, 0), 0, 0);
	EXPECT(RN, fp32_max(env, 0x80000000, 0x80000000), 0x80000000, 0);
	EXPECT(RN, fp32_min(env, 0, 0x80000000), 0x80000000, 0);
	EXPECT(RN, fp32_min(env, 0x80000000, 0), 0x80000000, 0);
	EXPECT(RN, fp32_max(env, 0xbf800000, 0x80000000), 0x80000000, 0);
	EXPECT(RN, fp32_min(env, 0xbf800000, 0xc0000000), 0xc0000000, 0);
	EXPECT(RN, fp32_max(env, 0x00000002, 0x00000001), 0x00000002, 0);
	EXPECT(FZ, fp32_max(env, 0x00000001, 0x80000000), 0, IDC);
	EXPECT(FZ, fp32_min(env, 0x00000001, 0x3f800000), 0, IDC);
	EXPECT(RN, fp32_max(env, 0x7fc00001, 0x3f800000), 0x7fc00001, 0);
	EXPECT(RN, fp32_maxnum(env, 0x7fc00001, 0x3f800000), 0x3f800000, 0);
	EXPECT(RN, fp32_maxnum(env, 0x3f800000, 0x7fc00001), 0x3f800000, 0);
	EXPECT(RN, fp32_minnum(env, 0x7fc00001, 0xff800000), 0xff800000, 0);
	EXPECT(RN, fp32_maxnum(env, 0x7fc00001, 0xff800000), 0xff800000, 0);
	EXPECT(RN, fp32_maxnum(env, 0x7fc00001, 0x7fc00002), 0x7fc00001, 0);
	EXPECT(RN, fp32_maxnum(env, 0x7f800001, 0x3f800000), 0x7fc00001, IOC);
	EXPECT(RN, fp32_minnum(env, 0x7fc00001, 0x7f800002), 0x7fc00002, IOC);
	EXPECT(RN, fp64_maxnum(env, 0x8000000000000000, 0x7ff8000000000001), 0x8000000000000000, 0);
	EXPECT(RN, fp16_min(env, 0xbc00, 0x3c00), 0xbc00, 0);
	EXPECT(FZ16, fp16_minnum(env, 0x8001, 0x0000), 0x8000, 0);
}
END_TEST

START_TEST(comparisons)
{
	EXPECT(RN, fp32_compare(env, 0x3f800000, 0x3f800000, false), 0x6, 0);
	EXPECT(RN, fp32_compare(env, 0, 0x80000000, true), 0x6, 0);
	EXPECT(RN, fp32_compare(env, 0x80000001, 0, false), 0x8, 0);
	EXPECT(FZ, fp32_compare(env, 0x80000001, 0, false), 0x6, IDC);
	EXPECT(RN, fp32_compare(env, 0x7f800000, 0x7f7fffff, false), 0x2, 0);
	EXPECT(RN, fp32_compare(env, 0xbf800000, 0xc0000000, false), 0x2, 0);
	EXPECT(RN, fp64_compare(env, 0x7ff8000000000000, 0, false), 0x3, 0);
	EXPECT(RN, fp64_compare(env, 0x7ff8000000000000, 0, true), 0x3, IOC);
	EXPECT(RN, fp64_compare(env, 0, 0x7ff0000000000001, false), 0x3, IOC);
	EXPECT(RN, fp64_compare(env, 0xbff0000000000000, 0x3ff0000000000000, false), 0x8, 0);
	EXPECT(RN, fp16_compare(env, 0xbc00, 0xc000, false), 0x2, 0);
	EXPECT(FZ16, fp16_compare(env, 0x0001, 0x8001, false), 0x6, 0);
	EXPECT(RN, fp32_compare_eq(env, 0x7fc00000, 0x7fc00000), false, 0);
	EXPECT(RN, fp32_compare_eq(env, 0x7f800001, 0), false, IOC);
	EXPECT(RN, fp32_compare_ge(env, 0x7fc00000, 0), false, IOC);
	EXPECT(RN, fp64_compare_ge(env, 0x8000000000000000, 0), true, 0);
	EXPECT(RN, fp64_compare_gt(env, 0, 0x7ff8000000000000), false, IOC);
	EXPECT(RN, fp64_compare_gt(env, 0, 0x8000000000000000), false, 0);
	EXPECT(RN, fp16_compare_gt(env, 0x3c01, 0x3c00), true, 0);
	EXPECT(RN, fp16_compare_ge(env, 0x3c00, 0x3c01), false, 0);
	EXPECT(RN, fp16_compare_eq(env, 0x0000, 0x8000), true, 0);
}
END_TEST

START_TEST(integral_roundings)
{
	static const struct {
		uint32_t a;
		uint32_t want[5]; // N, P, M, Z, A
	} rows[] = {
		{0x40200000, {0x40000000, 0x40400000, 0x40000000, 0x40000000, 0x40400000}},
		{0xc0200000, {0xc0000000, 0xc0000000, 0xc0400000, 0xc0000000, 0xc0400000}},
		{0x40600000, {0x40800000, 0x40800000, 0x40400000, 0x40400000, 0x40800000}},
		{0x3f000000, {0x00000000, 0x3f800000, 0x00000000, 0x00000000, 0x3f800000}},
		{0xbf000000, {0x80000000, 0x80000000, 0xbf800000, 0x80000000, 0xbf800000}},
		{0x3f000001, {0x3f800000, 0x3f800000, 0x00000000, 0x00000000, 0x3f800000}},
		{0x3effffff, {0x00000000, 0x3f800000, 0x00000000, 0x00000000, 0x00000000}},
		{0x00000001, {0x00000000, 0x3f800000, 0x00000000, 0x00000000, 0x00000000}},
		{0x4affffff, {0x4b000000, 0x4b000000, 0x4afffffe, 0x4afffffe, 0x4b000000}},
	};

	for (unsigned i = 0; i < COUNT(rows); i++) {
		for (unsigned r = 0; r < 5; r++) {
			enum fp_rounding rounding = (enum fp_rounding)r;

			EXPECT(RN, fp32_round_int(env, rows[i].a, rounding, false), rows[i].want[r],
			       0);
			EXPECT(RN, fp32_round_int(env, rows[i].a, rounding, true), rows[i].want[r],
			       IXC);
		}
	}
	EXPECT(RN, fp32_round_int(env, 0x4b800001, N_, true), 0x4b800001, 0);
	EXPECT(RN, fp32_round_int(env, 0xff800000, N_, true), 0xff800000, 0);
	EXPECT(RN, fp32_round_int(env, 0x7f800001, N_, false), 0x7fc00001, IOC);
	EXPECT(RN, fp32_round_int(env, 0x80000000, P_, true), 0x80000000, 0);
	EXPECT(FZ, fp32_round_int(env, 0x00000001, P_, true), 0, IDC);
	EXPECT(FZ16, fp16_round_int(env, 0x0001, P_, true), 0, 0);
	EXPECT(RN, fp16_round_int(env, 0x3e00, A_, false), 0x4000, 0);
	EXPECT(RN, fp64_round_int(env, 0x432fffffffffffff, N_, true), 0x4330000000000000, IXC);
	EXPECT(RN, fp64_round_int(env, 0xbfe0000000000001, Z_, true), 0x8000000000000000, IXC);
}
END_TEST

START_TEST(bounded_integral_roundings)
{
	EXPECT(RN, fp32_round_int_n(env, 0x4f000000, Z_, 32), 0xcf000000, IOC);
	EXPECT(RN, fp32_round_int_n(env, 0xcf000000, Z_, 32), 0xcf000000, 0);
	EXPECT(RN, fp32_round_int_n(env, 0x7fc00000, Z_, 32), 0xcf000000, IOC);
	EXPECT(RN, fp32_round_int_n(env, 0xff800000, N_, 64), 0xdf000000, IOC);
	EXPECT(RN, fp32_round_int_n(env, 0x5f000000, N_, 64), 0xdf000000, IOC);
	EXPECT(RN, fp32_round_int_n(env, 0x5effffff, N_, 64), 0x5effffff, 0);
	EXPECT(RN, fp32_round_int_n(env, 0x3fc00000, N_, 64), 0x40000000, IXC);
	EXPECT(RN, fp32_round_int_n(env, 0xbe800000, N_, 32), 0x80000000, IXC);
	EXPECT(RN, fp64_round_int_n(env, 0x41dfffffffe00000, N_, 32), 0xc1e0000000000000, IOC);
	EXPECT(RN, fp64_round_int_n(env, 0x41dfffffffe00000, Z_, 32), 0x41dfffffffc00000, IXC);
	EXPECT(RN, fp64_round_int_n(env, 0xc1e0000000100000, N_, 32), 0xc1e0000000000000, IXC);
	EXPECT(RN, fp64_round_int_n(env, 0xc1e0000000100000, M_, 32), 0xc1e0000000000000, IOC);
	EXPECT(RN, fp64_round_int_n(env, 0x43efffffffffffff, Z_, 64), 0xc3e0000000000000, IOC);
	EXPECT(RN, fp64_round_int_n(env, 0x7fe0000000000000, Z_, 64), 0xc3e0000000000000, IOC);
	EXPECT(FZ, fp64_round_int_n(env, 0x8000000000000001, M_, 64), 0x8000000000000000, IDC);
}
END_TEST

START_TEST(to_fixed_point)
{
	EXPECT(RN, fp32_to_fixed(env, 0x3fc00000, 0, false, N_, 32), 2, IXC);
	EXPECT(RN, fp32_to_fixed(env, 0x40200000, 0, false, N_, 32), 2, IXC);
	EXPECT(RN, fp32_to_fixed(env, 0x40200000, 0, false, A_, 32), 3, IXC);
	EXPECT(RN, fp32_to_fixed(env, 0xc0200000, 0, false, A_, 32), 0xfffffffd, IXC);
	EXPECT(RN, fp32_to_fixed(env, 0xc0200000, 0, false, M_, 64), UINT64_MAX - 2, IXC);
	EXPECT(RN, fp32_to_fixed(env, 0xc0200000, 0, false, P_, 32), 0xfffffffe, IXC);
	EXPECT(RN, fp32_to_fixed(env, 0x40400000, 0, true, Z_, 32), 3, 0);
	EXPECT(RN, fp32_to_fixed(env, 0xc0400000, 0, false, Z_, 64), UINT64_MAX - 2, 0);
	EXPECT(RN, fp32_to_fixed(env, 0x7fc00000, 0, false, N_, 32), 0, IOC);
	EXPECT(RN, fp32_to_fixed(env, 0x4f000000, 0, false, Z_, 32), 0x7fffffff, IOC);
	EXPECT(RN, fp32_to_fixed(env, 0x4f000000, 0, true, Z_, 32), 0x80000000, 0);
	EXPECT(RN, fp32_to_fixed(env, 0xcf000000, 0, false, Z_, 32), 0x80000000, 0);
	EXPECT(RN, fp32_to_fixed(env, 0xcf000001, 0, false, Z_, 32), 0x80000000, IOC);
	EXPECT(RN, fp32_to_fixed(env, 0xbf800000, 0, true, Z_, 32), 0, IOC);
	EXPECT(RN, fp32_to_fixed(env, 0xbf000000, 0, true, Z_, 32), 0, IXC);
	EXPECT(RN, fp32_to_fixed(env, 0xbf000000, 0, true, N_, 32), 0, IXC);
	EXPECT(RN, fp32_to_fixed(env, 0xbf000001, 0, true, N_, 32), 0, IOC);
	EXPECT(RN, fp32_to_fixed(env, 0x3f400000, 2, false, Z_, 32), 3, 0);
	EXPECT(RN, fp32_to_fixed(env, 0x00000001, 0, false, P_, 32), 1, IXC);
	EXPECT(FZ, fp32_to_fixed(env, 0x00000001, 0, false, P_, 32), 0, IDC);
	EXPECT(RN, fp64_to_fixed(env, 0x41efffffffffffff, 0, true, N_, 32), 0xffffffff, IOC);
	EXPECT(RN, fp64_to_fixed(env, 0x41efffffffffffff, 0, true, Z_, 32), 0xffffffff, IXC);
	EXPECT(RN, fp64_to_fixed(env, 0x43e0000000000000, 0, false, Z_, 64), INT64_MAX, IOC);
	EXPECT(RN, fp64_to_fixed(env, 0xc3e0000000000000, 0, false, Z_, 64), 1ull << 63, 0);
	EXPECT(RN, fp64_to_fixed(env, 0x43e0000000000000, 0, true, Z_, 64), 1ull << 63, 0);
	EXPECT(RN, fp64_to_fixed(env, 0x43f0000000000000, 0, true, Z_, 64), UINT64_MAX, IOC);
	EXPECT(RN, fp64_to_fixed(env, 0xfff0000000000000, 0, true, Z_, 64), 0, IOC);
	EXPECT(RN, fp64_to_fixed(env, 0xfff0000000000000, 0, false, Z_, 64), 1ull << 63, IOC);
	EXPECT(RN, fp64_to_fixed(env, 0x3fe0000000000000, 64, true, Z_, 64), 1ull << 63, 0);
	EXPECT(RN, fp64_to_fixed(env, 0x7fefffffffffffff, 64, false, Z_, 64), INT64_MAX, IOC);
	EXPECT(RN, fp16_to_fixed(env, 0x7bff, 0, false, Z_, 16), 0x7fff, IOC);
	EXPECT(RN, fp16_to_fixed(env, 0x7bff, 0, true, Z_, 16), 0xffe0, 0);
	EXPECT(RN, fp16_to_fixed(env, 0xfc00, 0, false, Z_, 16), 0x8000, IOC);
	EXPECT(RN, fp16_to_fixed(env, 0xbc00, 0, false, Z_, 64), UINT64_MAX, 0);
	EXPECT(FZ16, fp16_to_fixed(env, 0x0001, 0, false, P_, 16), 0, 0);
}
END_TEST

START_TEST(from_fixed_point)
{
	EXPECT(RN, fp32_from_fixed(env, 0xffffffff, 0, false, N_, 32), 0xbf800000, 0);
	EXPECT(RN, fp32_from_fixed(env, 0xdead00000000, 0, false, N_, 32), 0, 0);
	EXPECT(RM, fp32_from_fixed(env, 0, 0, false, M_, 64), 0, 0);
	EXPECT(RN, fp32_from_fixed(env, 0xffffffff, 0, true, N_, 32), 0x4f800000, IXC);
	EXPECT(RZ, fp32_from_fixed(env, 0xffffffff, 0, true, Z_, 32), 0x4f7fffff, IXC);
	EXPECT(RN, fp32_from_fixed(env, 0x80000000, 0, false, N_, 32), 0xcf000000, 0);
	EXPECT(RN, fp32_from_fixed(env, 16777217, 0, false, N_, 32), 0x4b800000, IXC);
	EXPECT(RP, fp32_from_fixed(env, 16777217, 0, false, P_, 32), 0x4b800001, IXC);
	EXPECT(RN, fp32_from_fixed(env, 1, 64, true, N_, 64), 0x1f800000, 0);
	EXPECT(RN, fp64_from_fixed(env, UINT64_MAX, 0, true, N_, 64), 0x43f0000000000000, IXC);
	EXPECT(RN, fp64_from_fixed(env, UINT64_MAX, 0, false, N_, 64), 0xbff0000000000000, 0);
	EXPECT(RN, fp64_from_fixed(env, 1ull << 63, 0, false, N_, 64), 0xc3e0000000000000, 0);
	EXPECT(RN, fp64_from_fixed(env, 1ull << 63, 0, true, N_, 64), 0x43e0000000000000, 0);
	EXPECT(RN, fp64_from_fixed(env, 3, 1, false, N_, 32), 0x3ff8000000000000, 0);
	EXPECT(RN, fp64_from_fixed(env, 0x8000, 0, false, N_, 16), 0xc0e0000000000000, 0);
	EXPECT(RN, fp16_from_fixed(env, 65519, 0, false, N_, 32), 0x7bff, IXC);
	EXPECT(RN, fp16_from_fixed(env, 65520, 0, false, N_, 32), 0x7c00, OFC | IXC);
	EXPECT(RZ, fp16_from_fixed(env, 65520, 0, false, Z_, 32), 0x7bff, IXC);
	EXPECT(RZ, fp16_from_fixed(env, 65536, 0, false, Z_, 32), 0x7bff, OFC | IXC);
	EXPECT(RN, fp16_from_fixed(env, 1, 24, true, N_, 32), 0x0001, 0);
	EXPECT(RN, fp16_from_fixed(env, 1, 32, true, N_, 32), 0, UFC | IXC);
	EXPECT(FZ16, fp16_from_fixed(env, 1, 24, true, N_, 32), 0, UFC);
	EXPECT(AHP, fp16_from_fixed(env, 65536, 0, false, N_, 32), 0x7c00, OFC | IXC);
}
END_TEST

START_TEST(between_formats)
{
	EXPECT(RN, fp32_to_fp64(env, 0x3f800000), 0x3ff0000000000000, 0);
	EXPECT(RN, fp32_to_fp64(env, 0x00000001), 0x36a0000000000000, 0);
	EXPECT(FZ, fp32_to_fp64(env, 0x80000001), 0x8000000000000000, IDC);
	EXPECT(RN, fp32_to_fp64(env, 0xff800000), 0xfff0000000000000, 0);
	EXPECT(RN, fp32_to_fp64(env, 0x7fc00001), 0x7ff8000020000000, 0);
	EXPECT(RN, fp32_to_fp64(env, 0xff800001), 0xfff8000020000000, IOC);
	EXPECT(DN, fp32_to_fp64(env, 0xffc00001), 0x7ff8000000000000, 0);
	EXPECT(RN, fp64_to_fp32(env, 0x7ff0000000000001), 0x7fc00000, IOC);
	EXPECT(RN, fp64_to_fp32(env, 0x7ff8000020000000), 0x7fc00001, 0);
	EXPECT(RN, fp64_to_fp32(env, 0x47efffffefffffff), 0x7f7fffff, IXC);
	EXPECT(RN, fp64_to_fp32(env, 0x47effffff0000000), 0x7f800000, OFC | IXC);
	EXPECT(RM, fp64_to_fp32(env, 0x47f0000000000000), 0x7f7fffff, OFC | IXC);
	EXPECT(RN, fp64_to_fp32(env, 0x3690000000000000), 0, UFC | IXC);
	EXPECT(RP, fp64_to_fp32(env, 0x3690000000000000), 1, UFC | IXC);
	EXPECT(RN, fp64_to_fp32(env, 0x3690000000000001), 1, UFC | IXC);
	EXPECT(RN, fp64_to_fp32(env, 0x3800000000000000), 0x00400000, 0);
	EXPECT(FZ, fp64_to_fp32(env, 0xb800000000000000), 0x80000000, UFC);
	EXPECT(FZ, fp64_to_fp32(env, 0x0000000000000001), 0, IDC);
	EXPECT(RN, fp64_to_fp32_odd(env, 0x3ff0000000400000), 0x3f800001, IXC);
	EXPECT(RN, fp64_to_fp32_odd(env, 0x3ff000003fffffff), 0x3f800001, IXC);
	EXPECT(RN, fp64_to_fp32_odd(env, 0xbff8000000000000), 0xbfc00000, 0);
	EXPECT(RN, fp64_to_fp32_odd(env, 0x47f0000000000000), 0x7f7fffff, OFC | IXC);
	EXPECT(RN, fp64_to_fp32_odd(env, 0x7ff0000000000000), 0x7f800000, 0);
	EXPECT(RN, fp64_to_fp32_odd(env, 0x3690000000000000), 1, UFC | IXC);
}
END_TEST

START_TEST(half_precision_formats)
{
	EXPECT(RN, fp16_to_fp32(env, 0x0001), 0x33800000, 0);
	EXPECT(FZ16, fp16_to_fp32(env, 0x0001), 0x33800000, 0); // FZ16 is not for conversions
	EXPECT(FZ, fp16_to_fp64(env, 0x0001), 0x3e70000000000000, 0);
	EXPECT(FZ | FZ16, fp32_to_fp16(env, 0x33800000), 0x0001, 0);
	EXPECT(FZ, fp32_to_fp16(env, 0x00000001), 0, IDC);
	EXPECT(RN, fp32_to_fp16(env, 0x477fefff), 0x7bff, IXC);
	EXPECT(RN, fp32_to_fp16(env, 0x477ff000), 0x7c00, OFC | IXC);
	EXPECT(RN, fp32_to_fp16(env, 0x33000000), 0, UFC | IXC);
	EXPECT(RN, fp32_to_fp16(env, 0x33000001), 1, UFC | IXC);
	EXPECT(RN, fp64_to_fp16(env, 0x3ff0020000000001), 0x3c01, IXC); // rounded once
	EXPECT(RN, fp64_to_fp16(env, 0x3ff0020000000000), 0x3c00, IXC);
	EXPECT(RN, fp32_to_fp16(env, 0x7f802000), 0x7e01, IOC);
	EXPECT(RN, fp64_to_fp16(env, 0xfff8040000000000), 0xfe01, 0);
	EXPECT(DN, fp64_to_fp16(env, 0xfff8040000000000), 0x7e00, 0);
	EXPECT(RN, fp16_to_fp32(env, 0x7c01), 0x7fc02000, IOC);
	EXPECT(RN, fp16_to_fp64(env, 0xfc00), 0xfff0000000000000, 0);
}
END_TEST

START_TEST(alternative_half_precision)
{
	EXPECT(AHP, fp16_to_fp32(env, 0x7c00), 0x47800000, 0); // 65536
	EXPECT(AHP, fp16_to_fp32(env, 0xffff), 0xc7ffe000, 0); // -131008
	EXPECT(AHP, fp16_to_fp64(env, 0x7e00), 0x40f8000000000000, 0);
	EXPECT(AHP, fp32_to_fp16(env, 0x477ff000), 0x7c00, IXC);
	EXPECT(AHP, fp32_to_fp16(env, 0x47ffe000), 0x7fff, 0);
	EXPECT(AHP, fp32_to_fp16(env, 0x47ffefff), 0x7fff, IXC);
	EXPECT(AHP, fp32_to_fp16(env, 0x47fff000), 0x7fff, IOC);
	EXPECT(AHP | RZ, fp32_to_fp16(env, 0x47fff000), 0x7fff, IXC);
	EXPECT(AHP, fp32_to_fp16(env, 0xc8000000), 0xffff, IOC);
	EXPECT(AHP, fp32_to_fp16(env, 0xff800000), 0xffff, IOC);
	EXPECT(AHP, fp32_to_fp16(env, 0xffc00001), 0x8000, IOC);
	EXPECT(AHP | DN, fp64_to_fp16(env, 0x7ff8000000000000), 0, IOC);
	EXPECT(AHP | FZ16, fp64_to_fp16(env, 0x3e70000000000000), 1, 0);
	EXPECT(AHP, fp32_to_fp64(env, 0x7f800000), 0x7ff0000000000000, 0);
}
END_TEST

START_TEST(javascript_conversion)
{
	static const struct {
		uint64_t a;
		uint32_t want;
		uint32_t flags;
		bool z;
	} rows[] = {
		{0x0000000000000000, 0, 0, true},
		{0x8000000000000000, 0, 0, false},
		{0x3ff8000000000000, 1, IXC, false},
		{0xbff8000000000000, 0xffffffff, IXC, false},
		{0xbfe0000000000000, 0, IXC, false},
		{0x41dfffffffc00000, 0x7fffffff, 0, true},
		{0x41e0000000000000, 0x80000000, IOC, false},
		{0xc1e0000000000000, 0x80000000, 0, true},
		{0xc1e0000000100000, 0x80000000, IXC, false}, // -2^31 - 0.5
		{0x41f0000000500000, 5, IOC, false}, // 2^32 + 5
		{0xc200000000380000, 0xfffffff9, IOC, false}, // -(2^33 + 7)
		{0x43e0000000000001, 0x800, IOC, false},
		{0x4400000000000001, 0x2000, IOC, false},
		{0xc400000000000001, 0xffffe000, IOC, false},
		{0x4520000000000001, 0x80000000, IOC, false}, // 2^83 + 2^31
		{0x4530000000000001, 0, IOC, false},
		{0x7fefffffffffffff, 0, IOC, false},
		{0x7ff0000000000000, 0, IOC, false},
		{0x7ff8000000000000, 0, IOC, false},
		{0x0000000000000001, 0, IXC, false},
	};

	for (unsigned i = 0; i < COUNT(rows); i++) {
		bool z = !rows[i].z;

		EXPECT(RP, fp64_to_js(env, rows[i].a, &z), rows[i].want, rows[i].flags);
		ck_assert_msg(z == rows[i].z, "row %u", i);
	}
	bool z = true;
	EXPECT(FZ, fp64_to_js(env, 1, &z), 0, IDC);
	ck_assert(!z);
}
END_TEST

START_TEST(reciprocal_estimates)
{
	EXPECT(RN, fp32_recip_estimate(env, 0x3f800000), 0x3f7f8000, 0); // 511/512
	EXPECT(RN, fp32_recip_estimate(env, 0xc0000000), 0xbeff8000, 0);
	EXPECT(RN, fp32_recip_estimate(env, 0x3fffffff), 0x3f000000, 0); // the table's other end
	EXPECT(RN, fp64_recip_estimate(env, 0x3ff0000000000000), 0x3feff00000000000, 0);
	EXPECT(RN, fp16_recip_estimate(env, 0x3c00), 0x3bfc, 0);
	EXPECT(RN, fp32_recip_estimate(env, 0x80000000), 0xff800000, DZC);
	EXPECT(RN, fp32_recip_estimate(env, 0xff800000), 0x80000000, 0);
	EXPECT(RN, fp32_recip_estimate(env, 0x7f800001), 0x7fc00001, IOC);
	EXPECT(RN, fp32_recip_estimate(env, 0x001fffff), 0x7f800000, OFC | IXC);
	EXPECT(RZ, fp32_recip_estimate(env, 0x801fffff), 0xff7fffff, OFC | IXC);
	EXPECT(RP, fp32_recip_estimate(env, 0x801fffff), 0xff7fffff, OFC | IXC);
	EXPECT(RM, fp32_recip_estimate(env, 0x801fffff), 0xff800000, OFC | IXC);
	EXPECT(RN, fp32_recip_estimate(env, 0x00200000), 0x7f7f8000, 0); // 2^-128
	EXPECT(RN, fp32_recip_estimate(env, 0x00400000), 0x7eff8000, 0); // 2^-127
	EXPECT(RN, fp32_recip_estimate(env, 0x7e800000), 0x007fc000, 0); // 2^126: denormal
	EXPECT(RN, fp32_recip_estimate(env, 0x7f000000), 0x003fe000, 0); // 2^127
	EXPECT(FZ, fp32_recip_estimate(env, 0xfe800000), 0x80000000, UFC);
	EXPECT(FZ, fp32_recip_estimate(env, 0x7e7fffff), 0x00800000, 0);
	EXPECT(FZ, fp32_recip_estimate(env, 0x80200000), 0xff800000, DZC | IDC);
	EXPECT(FZ16, fp16_recip_estimate(env, 0x7400), 0, UFC);
	EXPECT(RN, fp16_recip_estimate(env, 0x7400), 0x03fe, 0);
	EXPECT(FZ16, fp16_recip_estimate(env, 0x8100), 0xfc00, DZC);
	ck_assert_uint_eq(fp_unsigned_recip_estimate(0x80000000), 0xff800000);
	ck_assert_uint_eq(fp_unsigned_recip_estimate(0xffffffff), 0x80000000);
	ck_assert_uint_eq(fp_unsigned_recip_estimate(0xc0000000), 0xaa800000);
	ck_assert_uint_eq(fp_unsigned_recip_estimate(0x7fffffff), 0xffffffff);
}
END_TEST

START_TEST(reciprocal_root_estimates)
{
	EXPECT(RN, fp32_rsqrt_estimate(env, 0x3f800000), 0x3f7f8000, 0);
	EXPECT(RN, fp32_rsqrt_estimate(env, 0x40800000), 0x3eff8000, 0);
	EXPECT(RN, fp32_rsqrt_estimate(env, 0x40000000), 0x3f348000, 0);
	EXPECT(RN, fp64_rsqrt_estimate(env, 0x4000000000000000), 0x3fe6900000000000, 0);
	EXPECT(RN, fp16_rsqrt_estimate(env, 0x4000), 0x39a4, 0);
	EXPECT(RN, fp32_rsqrt_estimate(env, 0x00000001), 0x64b48000, 0); // 2^-149
	EXPECT(RN, fp32_rsqrt_estimate(env, 0x7f7fffff), 0x1f800000, 0);
	EXPECT(RN, fp32_rsqrt_estimate(env, 0xbf800000), 0x7fc00000, IOC);
	EXPECT(RN, fp32_rsqrt_estimate(env, 0x80000000), 0xff800000, DZC);
	EXPECT(RN, fp32_rsqrt_estimate(env, 0x7f800000), 0, 0);
	EXPECT(RN, fp32_rsqrt_estimate(env, 0xffc00001), 0xffc00001, 0);
	EXPECT(FZ, fp32_rsqrt_estimate(env, 0x80000001), 0xff800000, DZC | IDC);
	EXPECT(FZ16, fp16_rsqrt_estimate(env, 0x0001), 0x7c00, DZC);
	ck_assert_uint_eq(fp_unsigned_rsqrt_estimate(0x40000000), 0xff800000);
	ck_assert_uint_eq(fp_unsigned_rsqrt_estimate(0x80000000), 0xb4800000);
	ck_assert_uint_eq(fp_unsigned_rsqrt_estimate(0xffffffff), 0x80000000);
	ck_assert_uint_eq(fp_unsigned_rsqrt_estimate(0x3fffffff), 0xffffffff);
}
END_TEST

START_TEST(reciprocal_exponents)
{
	EXPECT(RN, fp32_recpx(env, 0x3f800000), 0x40000000, 0);
	EXPECT(RN, fp32_recpx(env, 0xc0400000), 0xbf800000, 0);
	EXPECT(RN, fp32_recpx(env, 0x80000000), 0xff000000, 0);
	EXPECT(RN, fp32_recpx(env, 0x00000001), 0x7f000000, 0);
	EXPECT(FZ, fp32_recpx(env, 0x00000001), 0x7f000000, IDC);
	EXPECT(RN, fp32_recpx(env, 0xff800000), 0x80000000, 0);
	EXPECT(RN, fp32_recpx(env, 0x7f800001), 0x7fc00001, IOC);
	EXPECT(DN, fp64_recpx(env, 0xfff8000000000001), 0x7ff8000000000000, 0);
	EXPECT(RN, fp64_recpx(env, 0x3ff0000000000000), 0x4000000000000000, 0);
	EXPECT(RN, fp16_recpx(env, 0x3c00), 0x4000, 0);
}
END_TEST

START_TEST(bfloat16_conversion)
{
	EXPECT(RN, fp32_to_bf16(env, 0x3f800000), 0x3f80, 0);
	EXPECT(RN, fp32_to_bf16(env, 0x3f808000), 0x3f80, IXC);
	EXPECT(RN, fp32_to_bf16(env, 0x3f818000), 0x3f82, IXC);
	EXPECT(RP, fp32_to_bf16(env, 0x3f800001), 0x3f81, IXC);
	EXPECT(RM, fp32_to_bf16(env, 0xbf800001), 0xbf81, IXC);
	EXPECT(RN, fp32_to_bf16(env, 0x7f7fffff), 0x7f80, OFC | IXC);
	EXPECT(RZ, fp32_to_bf16(env, 0x7f7fffff), 0x7f7f, IXC);
	EXPECT(RN, fp32_to_bf16(env, 0xff800000), 0xff80, 0);
	EXPECT(RN, fp32_to_bf16(env, 0x7fc12345), 0x7fc1, 0);
	EXPECT(RN, fp32_to_bf16(env, 0x7f800001), 0x7fc0, IOC);
	EXPECT(DN, fp32_to_bf16(env, 0xffc12345), 0x7fc0, 0);
	EXPECT(RN, fp32_to_bf16(env, 0x00400000), 0x0040, 0);
	EXPECT(RN, fp32_to_bf16(env, 0x00400001), 0x0040, UFC | IXC);
	EXPECT(FZ, fp32_to_bf16(env, 0x80400000), 0x8000, IDC);
}
END_TEST

static const struct fp_env plain; // FPCR is 0

START_TEST(bfloat16_products)
{
	// 5 + (1 * 3 + 2 * 4) = 16
	ck_assert_uint_eq(bf16_dot_add(&plain, 0x40a00000, 0x3f80, 0x4000, 0x4040, 0x4080),
			  0x41800000);
	// Round to odd: 1 + 2^-30, and 1 - 2^-30
	ck_assert_uint_eq(bf16_dot_add(&plain, 0x30800000, 0x3f80, 0, 0x3f80, 0), 0x3f800001);
	ck_assert_uint_eq(bf16_dot_add(&plain, 0xb0800000, 0x3f80, 0, 0x3f80, 0), 0x3f7fffff);
	// Each step is rounded: (2^30 * 1 + 1 * 1) rounds to odd before -2^30 is added.
	ck_assert_uint_eq(bf16_dot_add(&plain, 0xce800000, 0x4e80, 0x3f80, 0x3f80, 0x3f80),
			  0x43000000);
	// Overflow is an infinity whatever the direction; so NaNs come out of their difference.
	ck_assert_uint_eq(bf16_dot_add(&plain, 0, 0x7f7f, 0, 0x7f7f, 0), 0x7f800000);
	ck_assert_uint_eq(bf16_dot_add(&plain, 0x3f800000, 0x7f7f, 0x7f7f, 0x7f7f, 0xff7f),
			  0x7fc00000);
	ck_assert_uint_eq(bf16_dot_add(&plain, 0xff7fffff, 0xff7f, 0, 0x3f80, 0), 0xff800000);
	// Denormals are zeros on the way in and on the way out.
	ck_assert_uint_eq(bf16_dot_add(&plain, 0, 0x0040, 0, 0x7f00, 0), 0);
	ck_assert_uint_eq(bf16_dot_add(&plain, 0x00400000, 0x3f80, 0, 0x3f80, 0), 0x3f800000);
	ck_assert_uint_eq(bf16_dot_add(&plain, 0, 0x0080, 0, 0x3f00, 0), 0);
	// Zeros: minus zero only when everything is.
	ck_assert_uint_eq(bf16_dot_add(&plain, 0x80000000, 0x8000, 0x8000, 0x3f80, 0x3f80),
			  0x80000000);
	ck_assert_uint_eq(bf16_dot_add(&plain, 0x80000000, 0x8000, 0x0000, 0x3f80, 0x3f80), 0);
	ck_assert_uint_eq(bf16_dot_add(&plain, 0xbf800000, 0x3f80, 0, 0x3f80, 0), 0);
	// The only NaN is the default one.
	ck_assert_uint_eq(bf16_dot_add(&plain, 0xffc00001, 0x3f80, 0, 0x3f80, 0), 0x7fc00000);
	ck_assert_uint_eq(bf16_dot_add(&plain, 0, 0xff81, 0, 0x3f80, 0), 0x7fc00000);
	ck_assert_uint_eq(bf16_dot_add(&plain, 0, 0x7f80, 0, 0x8000, 0), 0x7fc00000);
	ck_assert_uint_eq(bf16_dot_add(&plain, 0x7f800000, 0xff80, 0, 0x3f80, 0), 0x7fc00000);

	// BFMLAL is ordinary single precision.
	EXPECT(RN, bf16_mul_add(env, 0x3f800000, 0x4000, 0x4040), 0x40e00000, 0);
	EXPECT(RN, bf16_mul_add(env, 0x30800000, 0x3f80, 0x3f80), 0x3f800000, IXC);
	EXPECT(FZ, bf16_mul_add(env, 0x3f800000, 0x0001, 0x3f80), 0x3f800000, IDC);
	EXPECT(RN, bf16_mul_add(env, 0x3f800000, 0x7f81, 0x3f80), 0x7fc10000, IOC);
}
END_TEST

START_TEST(bfloat16_matrices)
{
	// Rows 1 2 3 4 and 5 6 7 8, multiplied by their own transpose.
	static const uint16_t m[8] = {0x3f80, 0x4000, 0x4040, 0x4080,
				      0x40a0, 0x40c0, 0x40e0, 0x4100};
	uint32_t sum[4] = {0x3f800000, 0, 0x80000000, 0xbf800000}; // 1, 0, -0, -1

	bf16_mat_mul_add(&plain, sum, sum, m, m);
	ck_assert_uint_eq(sum[0], 0x41f80000); // 31
	ck_assert_uint_eq(sum[1], 0x428c0000); // 70
	ck_assert_uint_eq(sum[2], 0x428c0000); // 70
	ck_assert_uint_eq(sum[3], 0x432d0000); // 173
}
END_TEST

START_TEST(signs_and_other_bits)
{
	EXPECT(RN, fp16_abs(env, 0xfc01), 0x7c01, 0);
	EXPECT(RN, fp32_neg(env, 0x7f800001), 0xff800001, 0);
	EXPECT(RN, fp64_neg(env, 0), 0x8000000000000000, 0);
	EXPECT(RN, fp64_abs(env, 0xfff0000000000001), 0x7ff0000000000001, 0);
	EXPECT(RN, fp16_neg(env, 0x8000), 0, 0);
	EXPECT(RN, fp32_abs(env, 0x80000000), 0, 0);
	ck_assert_int_eq(fp_rounding_from_fpcr(RM | FZ | DN), FP_ROUNDING_NEGINF);

	// FPSR bits that are not ours, QC among them, survive.
	struct fp_env env = {.fpsr = 1u << 27 | IOC};
	fp32_div(&env, 0x3f800000, 0);
	ck_assert_uint_eq(env.fpsr, 1u << 27 | IOC | DZC);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fp");
	TCase *arithmetic = tcase_create("arithmetic");
	TCase *conversion = tcase_create("conversion");
	TCase *estimate = tcase_create("estimate");
	TCase *bfloat16 = tcase_create("bfloat16");
	SRunner *runner;
	int failed;

	tcase_add_test(arithmetic, nan_operands);
	tcase_add_test(arithmetic, invalid_operations);
	tcase_add_test(arithmetic, signed_zero_sums);
	tcase_add_test(arithmetic, exact_and_inexact_results);
	tcase_add_test(arithmetic, ties_in_each_mode);
	tcase_add_test(arithmetic, overflow_in_each_mode);
	tcase_add_test(arithmetic, underflow);
	tcase_add_test(arithmetic, flush_to_zero);
	tcase_add_test(arithmetic, fused_multiply_add);
	tcase_add_test(arithmetic, fused_specials);
	tcase_add_test(arithmetic, half_products_into_single);
	tcase_add_test(arithmetic, newton_steps);
	tcase_add_test(arithmetic, maxima_and_minima);
	tcase_add_test(arithmetic, comparisons);
	tcase_add_test(arithmetic, signs_and_other_bits);
	tcase_add_test(conversion, integral_roundings);
	tcase_add_test(conversion, bounded_integral_roundings);
	tcase_add_test(conversion, to_fixed_point);
	tcase_add_test(conversion, from_fixed_point);
	tcase_add_test(conversion, between_formats);
	tcase_add_test(conversion, half_precision_formats);
	tcase_add_test(conversion, alternative_half_precision);
	tcase_add_test(conversion, javascript_conversion);
	tcase_add_test(estimate, reciprocal_estimates);
	tcase_add_test(estimate, reciprocal_root_estimates);
	tcase_add_test(estimate, reciprocal_exponents);
	tcase_add_test(bfloat16, bfloat16_conversion);
	tcase_add_test(bfloat16, bfloat16_products);
	tcase_add_test(bfloat16, bfloat16_matrices);
	suite_add_tcase(suite, arithmetic);
	suite_add_tcase(suite, conversion);
	suite_add_tcase(suite, estimate);
	suite_add_tcase(suite, bfloat16);

	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
