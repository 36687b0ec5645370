// SPDX-License-Identifier: Apache-2.0
// Conversions between formats (FPConvert) and to and from integers and fixed-point numbers
// (FPToFixed, FixedToFP, FPToFixedJS).
#include "cpu/fp/fp.h"

#include "cpu/fp/fp_fast.h"
#include "cpu/fp/fp_internal.h"

// FPConvert()
FP_INLINE uint64_t convert(struct fp_env *env, const struct fp_format *from,
			   const struct fp_format *to, enum fp_rounding rounding, uint64_t bits)
{
	struct fp_num n = fp_unpack_cv(env, from, bits);
	bool alternative = to->exp_bits == 5 && (env->fpcr & FP_CR_AHP);

	switch (n.type) {
	case FP_TYPE_SNAN:
	case FP_TYPE_QNAN:
		if (alternative || n.type == FP_TYPE_SNAN) {
			fp_raise(env, FP_SR_IOC);
		}
		if (alternative) {
			return fp_zero(to, n.sign); // the format has no NaN
		}
		return (env->fpcr & FP_CR_DN) ? fp_default_nan(env, to)
					      : fp_convert_nan(from, to, bits);
	case FP_TYPE_INFINITY:
		if (alternative) {
			fp_raise(env, FP_SR_IOC);
			return fp_sign_bit(to, n.sign) | ((1ull << (to->width - 1)) - 1);
		}
		return fp_infinity(to, n.sign);
	case FP_TYPE_ZERO:
		return fp_zero(to, n.sign);
	case FP_TYPE_NONZERO:
		break;
	}
	fp_process_denorm(env, from, &n);
	// FPRoundCV(): FZ16 does not flush the result either.
	return fp_round_base(env, env->fpcr & ~FP_CR_FZ16, to, rounding, n.sign, n.exp, n.frac);
}

FP_INLINE uint64_t convert_by_rmode(struct fp_env *env, const struct fp_format *from,
				    const struct fp_format *to, uint64_t bits)
{
	return convert(env, from, to, fp_rounding_from_fpcr(env->fpcr), bits);
}

FP_INLINE uint64_t low_bits(uint64_t value, unsigned size)
{
	return size >= 64 ? value : value & ((1ull << size) - 1);
}

// SatQ() of a magnitude with a sign, carry being the magnitude's bit 64. True if it saturated.
FP_INLINE bool saturate(bool sign, bool carry, uint64_t mag, bool is_unsigned, unsigned intsize,
			uint64_t *result)
{
	uint64_t top = 1ull << (intsize - 1);
	uint64_t max = is_unsigned ? low_bits(UINT64_MAX, intsize) : sign ? top : top - 1;

	if (sign && is_unsigned) {
		max = 0;
	}
	if (carry || mag > max) {
		*result = low_bits(sign ? 0 - max : max, intsize);
		return true;
	}
	*result = low_bits(sign ? 0 - mag : mag, intsize);
	return false;
}

FP_INLINE uint64_t to_fixed(struct fp_env *env, const struct fp_format *f, uint64_t bits,
			    unsigned fracbits, bool is_unsigned, enum fp_rounding rounding,
			    unsigned intsize)
{
	struct fp_num n = fp_unpack(env, f, bits);
	uint64_t mag = 0;
	uint64_t rest = 0;
	uint64_t result;
	bool carry = false;

	if (fp_is_nan(&n)) {
		fp_raise(env, FP_SR_IOC);
		return 0;
	}
	if (fp_is_zero(&n)) {
		return 0;
	}
	if (fp_is_inf(&n) || !fp_split_integer(&n, (int)fracbits, &mag, &rest)) {
		carry = true;
	} else if (fp_round_up(rounding, n.sign, mag & 1, rest, 1ull << 63)) {
		carry = ++mag == 0;
	}
	if (saturate(n.sign, carry, mag, is_unsigned, intsize, &result)) {
		fp_raise(env, FP_SR_IOC);
	} else if (rest != 0) {
		fp_raise(env, FP_SR_IXC);
	}
	return result;
}

FP_INLINE uint64_t from_fixed(struct fp_env *env, const struct fp_format *f, uint64_t value,
			      unsigned fracbits, bool is_unsigned, enum fp_rounding rounding,
			      unsigned intsize)
{
	uint64_t mag = low_bits(value, intsize);
	bool sign = !is_unsigned && (mag >> (intsize - 1) & 1);

	if (mag == 0) {
		return fp_zero(f, false);
	}
	if (sign) {
		mag = low_bits(0 - mag, intsize);
	}
	unsigned lead = (unsigned)__builtin_clzll(mag);
	return fp_round_to(env, f, rounding, sign, 63 - (int)lead - (int)fracbits, mag << lead);
}

// Whether the integer is of at most 2^limit, which a host conversion turns into the very same
// number in any rounding mode. *result is its value.
FP_INLINE bool fits_host(uint64_t value, bool is_unsigned, unsigned intsize, unsigned limit,
			 int64_t *result)
{
	int64_t v = (int64_t)value;

	if (intsize == 32) {
		v = is_unsigned ? (int64_t)(uint32_t)value : (int32_t)value;
	} else if (intsize != 64 || (is_unsigned && v < 0)) {
		return false;
	}
	*result = v;
	return (uint64_t)v + (1ull << limit) <= 2ull << limit;
}

uint64_t fp32_to_fp64_soft(struct fp_env *env, uint32_t a)
{
	return convert_by_rmode(env, &fp_format32, &fp_format64, a);
}

uint32_t fp64_to_fp32_soft(struct fp_env *env, uint64_t a)
{
	return (uint32_t)convert_by_rmode(env, &fp_format64, &fp_format32, a);
}

uint64_t fp32_to_fixed_soft(struct fp_env *env, uint32_t a, unsigned fracbits, bool is_unsigned,
			    enum fp_rounding rounding, unsigned intsize)
{
	return to_fixed(env, &fp_format32, a, fracbits, is_unsigned, rounding, intsize);
}

uint64_t fp64_to_fixed_soft(struct fp_env *env, uint64_t a, unsigned fracbits, bool is_unsigned,
			    enum fp_rounding rounding, unsigned intsize)
{
	return to_fixed(env, &fp_format64, a, fracbits, is_unsigned, rounding, intsize);
}

uint32_t fp32_from_fixed_soft(struct fp_env *env, uint64_t value, unsigned fracbits,
			      bool is_unsigned, enum fp_rounding rounding, unsigned intsize)
{
	return (uint32_t)from_fixed(env, &fp_format32, value, fracbits, is_unsigned, rounding,
				    intsize);
}

uint64_t fp64_from_fixed_soft(struct fp_env *env, uint64_t value, unsigned fracbits,
			      bool is_unsigned, enum fp_rounding rounding, unsigned intsize)
{
	return from_fixed(env, &fp_format64, value, fracbits, is_unsigned, rounding, intsize);
}

uint32_t fp16_to_fp32(struct fp_env *env, uint16_t a)
{
	return (uint32_t)convert_by_rmode(env, &fp_format16, &fp_format32, a);
}

uint64_t fp16_to_fp64(struct fp_env *env, uint16_t a)
{
	return convert_by_rmode(env, &fp_format16, &fp_format64, a);
}

uint16_t fp32_to_fp16(struct fp_env *env, uint32_t a)
{
	return (uint16_t)convert_by_rmode(env, &fp_format32, &fp_format16, a);
}

uint64_t fp32_to_fp64(struct fp_env *env, uint32_t a)
{
	uint64_t result;

	return fp32_fast_to_fp64(env, a, &result) ? result : fp32_to_fp64_soft(env, a);
}

uint16_t fp64_to_fp16(struct fp_env *env, uint64_t a)
{
	return (uint16_t)convert_by_rmode(env, &fp_format64, &fp_format16, a);
}

uint32_t fp64_to_fp32(struct fp_env *env, uint64_t a)
{
	uint32_t result;

	return fp64_fast_to_fp32(env, a, &result) ? result : fp64_to_fp32_soft(env, a);
}

uint32_t fp64_to_fp32_odd(struct fp_env *env, uint64_t a)
{
	return (uint32_t)convert(env, &fp_format64, &fp_format32, FP_ROUNDING_ODD, a);
}

uint16_t fp32_to_bf16(struct fp_env *env, uint32_t a)
{
	struct fp_env quiet;

	// FPConvertBF(): single precision in every respect but the length of the fraction.
	return (uint16_t)convert_by_rmode(fp_quiet_if_alternate(env, &quiet), &fp_format32,
					  &fp_format_bf16, a);
}

uint64_t fp16_to_fixed(struct fp_env *env, uint16_t a, unsigned fracbits, bool is_unsigned,
		       enum fp_rounding rounding, unsigned intsize)
{
	return to_fixed(env, &fp_format16, a, fracbits, is_unsigned, rounding, intsize);
}

uint64_t fp32_to_fixed(struct fp_env *env, uint32_t a, unsigned fracbits, bool is_unsigned,
		       enum fp_rounding rounding, unsigned intsize)
{
	uint64_t result;

	if (fracbits == 0 && rounding == FP_ROUNDING_ZERO && intsize >= 32 &&
	    fp32_fast_to_int(env, a, is_unsigned, intsize, &result)) {
		return result;
	}
	return fp32_to_fixed_soft(env, a, fracbits, is_unsigned, rounding, intsize);
}

uint64_t fp64_to_fixed(struct fp_env *env, uint64_t a, unsigned fracbits, bool is_unsigned,
		       enum fp_rounding rounding, unsigned intsize)
{
	uint64_t result;

	if (fracbits == 0 && rounding == FP_ROUNDING_ZERO && intsize >= 32 &&
	    fp64_fast_to_int(env, a, is_unsigned, intsize, &result)) {
		return result;
	}
	return fp64_to_fixed_soft(env, a, fracbits, is_unsigned, rounding, intsize);
}

uint16_t fp16_from_fixed(struct fp_env *env, uint64_t value, unsigned fracbits, bool is_unsigned,
			 enum fp_rounding rounding, unsigned intsize)
{
	return (uint16_t)from_fixed(env, &fp_format16, value, fracbits, is_unsigned, rounding,
				    intsize);
}

uint32_t fp32_from_fixed(struct fp_env *env, uint64_t value, unsigned fracbits, bool is_unsigned,
			 enum fp_rounding rounding, unsigned intsize)
{
	int64_t v;

	if (fracbits == 0 && fits_host(value, is_unsigned, intsize, 24, &v)) {
		return fp32_bits((float)v);
	}
	return fp32_from_fixed_soft(env, value, fracbits, is_unsigned, rounding, intsize);
}

uint64_t fp64_from_fixed(struct fp_env *env, uint64_t value, unsigned fracbits, bool is_unsigned,
			 enum fp_rounding rounding, unsigned intsize)
{
	int64_t v;

	if (fracbits == 0 && fits_host(value, is_unsigned, intsize, 53, &v)) {
		return fp64_bits((double)v);
	}
	return fp64_from_fixed_soft(env, value, fracbits, is_unsigned, rounding, intsize);
}

uint32_t fp64_to_js(struct fp_env *env, uint64_t a, bool *z)
{
	struct fp_num n = fp_unpack(env, &fp_format64, a);
	uint64_t mag = 0;
	uint64_t rest = 0;

	*z = false;
	if (fp_is_nan(&n) || fp_is_inf(&n)) {
		fp_raise(env, FP_SR_IOC);
		return 0;
	}
	if (fp_is_zero(&n)) {
		*z = a == 0; // neither minus zero nor a flushed denormal is the integer 0
		return 0;
	}
	if (!fp_split_integer(&n, 0, &mag, &rest)) {
		// Beyond 2^64 the low half of the integer is still asked for, modulo 2^32.
		fp_raise(env, FP_SR_IOC);
		mag = n.exp > 63 + 31 ? 0 : n.frac << (n.exp - 63);
		return (uint32_t)(n.sign ? 0 - mag : mag);
	}
	if (mag > (n.sign ? 0x80000000u : 0x7fffffffu)) {
		fp_raise(env, FP_SR_IOC);
	} else if (rest != 0) {
		fp_raise(env, FP_SR_IXC);
	} else {
		*z = true;
	}
	return (uint32_t)(n.sign ? 0 - mag : mag);
}
