// SPDX-License-Identifier: Apache-2.0
// Ordering: FPCompare, FPCompareEQ, FPCompareGE, FPCompareGT, FPMax, FPMin, FPMaxNum and FPMinNum.
#include "cpu/fp/fp.h"

#include "cpu/fp/fp_fast.h"
#include "cpu/fp/fp_internal.h"

// NZCV as FPCompare() returns it.
#define NZCV_LESS 0x8u
#define NZCV_EQUAL 0x6u
#define NZCV_GREATER 0x2u
#define NZCV_UNORDERED 0x3u

// The bit pattern of an operand, after flushing, as an integer that orders as its value does: both
// zeros are 0. The operand is not a NaN.
FP_INLINE int64_t order_key(const struct fp_format *f, const struct fp_num *n, uint64_t bits)
{
	int64_t magnitude = (int64_t)(bits & (fp_sign_bit(f, true) - 1));

	if (fp_is_zero(n)) {
		return 0;
	}
	return n->sign ? -magnitude : magnitude;
}

// FPCompare(). signal_quiet says that a quiet NaN is an invalid operand too.
FP_INLINE uint32_t compare(struct fp_env *env, const struct fp_format *f, uint64_t a_bits,
			   uint64_t b_bits, bool signal_quiet)
{
	struct fp_num a = fp_unpack(env, f, a_bits);
	struct fp_num b = fp_unpack(env, f, b_bits);

	if (fp_is_nan(&a) || fp_is_nan(&b)) {
		if (signal_quiet || a.type == FP_TYPE_SNAN || b.type == FP_TYPE_SNAN) {
			fp_raise(env, FP_SR_IOC);
		}
		return NZCV_UNORDERED;
	}
	fp_process_denorms(env, f, &a, &b);
	int64_t x = order_key(f, &a, a_bits);
	int64_t y = order_key(f, &b, b_bits);

	if (x == y) {
		return NZCV_EQUAL;
	}
	return x < y ? NZCV_LESS : NZCV_GREATER;
}

// The larger or smaller one of two operands, neither a NaN. Zeros of different signs are in order.
FP_INLINE uint64_t extreme_of(struct fp_env *env, const struct fp_format *f, const struct fp_num *a,
			      const struct fp_num *b, uint64_t a_bits, uint64_t b_bits,
			      bool want_max)
{
	fp_process_denorms(env, f, a, b);
	int64_t x = order_key(f, a, a_bits);
	int64_t y = order_key(f, b, b_bits);
	bool first = want_max ? x > y : x < y;

	if (fp_is_zero(first ? a : b)) {
		// Of two zeros, max takes the positive one and min the negative one. Where only one
		// operand is zero, the other one's sign does not get in the way: it is the opposite
		// of what would change the outcome, or the same as the zero's.
		return fp_zero(f, want_max ? a->sign && b->sign : a->sign || b->sign);
	}
	return first ? a_bits : b_bits;
}

// FPMax() and FPMin(). With FPCR.AH set they are what a comparison and a choice would give: where
// neither operand is the larger one, it is the second.
FP_INLINE uint64_t extreme(struct fp_env *env, const struct fp_format *f, uint64_t a_bits,
			   uint64_t b_bits, bool want_max)
{
	struct fp_num a = fp_unpack(env, f, a_bits);
	struct fp_num b = fp_unpack(env, f, b_bits);
	bool nan = fp_is_nan(&a) || fp_is_nan(&b);

	if (fp_alternate(env->fpcr) && (nan || (fp_is_zero(&a) && fp_is_zero(&b)))) {
		if (nan) {
			fp_raise(env, FP_SR_IOC);
		}
		return fp_is_zero(&b) ? fp_zero(f, b.sign) : b_bits;
	}
	if (nan) {
		return fp_process_nans(env, f, &a, &b, a_bits, b_bits);
	}
	return extreme_of(env, f, &a, &b, a_bits, b_bits, want_max);
}

// FPMaxNum() and FPMinNum(): a lone quiet NaN gives way to the other operand. FPCR.AH leaves zeros
// alone here, but makes two NaNs of any kind one of them.
FP_INLINE uint64_t extreme_number(struct fp_env *env, const struct fp_format *f, uint64_t a_bits,
				  uint64_t b_bits, bool want_max)
{
	struct fp_num a = fp_unpack(env, f, a_bits);
	struct fp_num b = fp_unpack(env, f, b_bits);
	struct fp_num least = {.type = FP_TYPE_INFINITY, .sign = want_max};

	if (fp_is_nan(&a) && fp_is_nan(&b) && fp_alternate(env->fpcr)) {
		return fp_process_nans(env, f, &a, &b, a_bits, b_bits);
	}
	if (a.type == FP_TYPE_QNAN && b.type != FP_TYPE_QNAN) {
		a = least;
		a_bits = fp_infinity(f, want_max);
	} else if (b.type == FP_TYPE_QNAN && a.type != FP_TYPE_QNAN) {
		b = least;
		b_bits = fp_infinity(f, want_max);
	}
	if (fp_is_nan(&a) || fp_is_nan(&b)) {
		return fp_process_nans(env, f, &a, &b, a_bits, b_bits);
	}
	uint64_t result = extreme_of(env, f, &a, &b, a_bits, b_bits, want_max);

	// A denormal that was let in (FPCR.AH set, FIZ clear) is flushed on its way out by FZ.
	if (fp_alternate(env->fpcr) && (env->fpcr & f->fz) && !(result & fp_exp_mask(f)) &&
	    (result & ~fp_sign_bit(f, true))) {
		fp_raise(env, FP_SR_UFC | FP_SR_IXC);
		result &= fp_sign_bit(f, true);
	}
	return result;
}

uint32_t fp32_compare_soft(struct fp_env *env, uint32_t a, uint32_t b, bool signal_nans)
{
	return compare(env, &fp_format32, a, b, signal_nans);
}

uint32_t fp64_compare_soft(struct fp_env *env, uint64_t a, uint64_t b, bool signal_nans)
{
	return compare(env, &fp_format64, a, b, signal_nans);
}

uint32_t fp16_compare(struct fp_env *env, uint16_t a, uint16_t b, bool signal_nans)
{
	return compare(env, &fp_format16, a, b, signal_nans);
}

uint32_t fp32_compare(struct fp_env *env, uint32_t a, uint32_t b, bool signal_nans)
{
	uint32_t nzcv;

	return fp32_fast_compare(env, a, b, &nzcv) ? nzcv
						   : fp32_compare_soft(env, a, b, signal_nans);
}

uint32_t fp64_compare(struct fp_env *env, uint64_t a, uint64_t b, bool signal_nans)
{
	uint32_t nzcv;

	return fp64_fast_compare(env, a, b, &nzcv) ? nzcv
						   : fp64_compare_soft(env, a, b, signal_nans);
}

bool fp16_compare_eq(struct fp_env *env, uint16_t a, uint16_t b)
{
	return fp16_compare(env, a, b, false) == NZCV_EQUAL;
}

bool fp32_compare_eq(struct fp_env *env, uint32_t a, uint32_t b)
{
	return fp32_compare(env, a, b, false) == NZCV_EQUAL;
}

bool fp64_compare_eq(struct fp_env *env, uint64_t a, uint64_t b)
{
	return fp64_compare(env, a, b, false) == NZCV_EQUAL;
}

static bool is_ge(uint32_t nzcv)
{
	return nzcv == NZCV_EQUAL || nzcv == NZCV_GREATER;
}

bool fp16_compare_ge(struct fp_env *env, uint16_t a, uint16_t b)
{
	return is_ge(fp16_compare(env, a, b, true));
}

bool fp32_compare_ge(struct fp_env *env, uint32_t a, uint32_t b)
{
	return is_ge(fp32_compare(env, a, b, true));
}

bool fp64_compare_ge(struct fp_env *env, uint64_t a, uint64_t b)
{
	return is_ge(fp64_compare(env, a, b, true));
}

bool fp16_compare_gt(struct fp_env *env, uint16_t a, uint16_t b)
{
	return fp16_compare(env, a, b, true) == NZCV_GREATER;
}

bool fp32_compare_gt(struct fp_env *env, uint32_t a, uint32_t b)
{
	return fp32_compare(env, a, b, true) == NZCV_GREATER;
}

bool fp64_compare_gt(struct fp_env *env, uint64_t a, uint64_t b)
{
	return fp64_compare(env, a, b, true) == NZCV_GREATER;
}

uint16_t fp16_max(struct fp_env *env, uint16_t a, uint16_t b)
{
	return (uint16_t)extreme(env, &fp_format16, a, b, true);
}

uint32_t fp32_max(struct fp_env *env, uint32_t a, uint32_t b)
{
	return (uint32_t)extreme(env, &fp_format32, a, b, true);
}

uint64_t fp64_max(struct fp_env *env, uint64_t a, uint64_t b)
{
	return extreme(env, &fp_format64, a, b, true);
}

uint16_t fp16_min(struct fp_env *env, uint16_t a, uint16_t b)
{
	return (uint16_t)extreme(env, &fp_format16, a, b, false);
}

uint32_t fp32_min(struct fp_env *env, uint32_t a, uint32_t b)
{
	return (uint32_t)extreme(env, &fp_format32, a, b, false);
}

uint64_t fp64_min(struct fp_env *env, uint64_t a, uint64_t b)
{
	return extreme(env, &fp_format64, a, b, false);
}

uint16_t fp16_maxnum(struct fp_env *env, uint16_t a, uint16_t b)
{
	return (uint16_t)extreme_number(env, &fp_format16, a, b, true);
}

uint32_t fp32_maxnum(struct fp_env *env, uint32_t a, uint32_t b)
{
	return (uint32_t)extreme_number(env, &fp_format32, a, b, true);
}

uint64_t fp64_maxnum(struct fp_env *env, uint64_t a, uint64_t b)
{
	return extreme_number(env, &fp_format64, a, b, true);
}

uint16_t fp16_minnum(struct fp_env *env, uint16_t a, uint16_t b)
{
	return (uint16_t)extreme_number(env, &fp_format16, a, b, false);
}

uint32_t fp32_minnum(struct fp_env *env, uint32_t a, uint32_t b)
{
	return (uint32_t)extreme_number(env, &fp_format32, a, b, false);
}

uint64_t fp64_minnum(struct fp_env *env, uint64_t a, uint64_t b)
{
	return extreme_number(env, &fp_format64, a, b, false);
}
