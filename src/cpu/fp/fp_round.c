// SPDX-License-Identifier: Apache-2.0
// Rounding to an integral floating-point number: FPRoundInt and FPRoundIntN.
#include "cpu/fp/fp.h"

#include "cpu/fp/fp_internal.h"

// The integer mag with a sign, which the format is known to hold exactly.
FP_INLINE uint64_t pack_integer(struct fp_env *env, const struct fp_format *f, bool sign,
				uint64_t mag)
{
	if (mag == 0) {
		return fp_zero(f, sign);
	}
	unsigned lead = (unsigned)__builtin_clzll(mag);
	return fp_round_to(env, f, FP_ROUNDING_ZERO, sign, 63 - (int)lead, mag << lead);
}

FP_INLINE uint64_t round_int(struct fp_env *env, const struct fp_format *f, uint64_t bits,
			     enum fp_rounding rounding, bool exact)
{
	struct fp_num n = fp_unpack(env, f, bits);
	uint64_t mag;
	uint64_t rest;

	if (fp_is_nan(&n)) {
		return fp_process_nan(env, f, n.type, bits);
	}
	if (fp_is_zero(&n)) {
		return fp_zero(f, n.sign);
	}
	if (fp_is_inf(&n) || n.exp >= (int)f->frac_bits) {
		return bits;
	}
	fp_split_integer(&n, 0, &mag, &rest);
	mag += fp_round_up(rounding, n.sign, mag & 1, rest, 1ull << 63);
	if (rest != 0 && exact) {
		fp_raise(env, FP_SR_IXC);
	}
	return pack_integer(env, f, n.sign, mag);
}

FP_INLINE uint64_t round_int_n(struct fp_env *env, const struct fp_format *f, uint64_t bits,
			       enum fp_rounding rounding, unsigned intsize)
{
	struct fp_num n = fp_unpack(env, f, bits);
	uint64_t limit = 1ull << (intsize - 1);
	uint64_t mag;
	uint64_t rest;

	if (fp_is_zero(&n)) {
		return fp_zero(f, n.sign);
	}
	if (n.type == FP_TYPE_NONZERO && fp_split_integer(&n, 0, &mag, &rest)) {
		// Below 2^64 a number with a fraction is far from overflowing the magnitude.
		mag += fp_round_up(rounding, n.sign, mag & 1, rest, 1ull << 63);
		if (mag < limit || (mag == limit && n.sign)) {
			if (rest != 0) {
				fp_raise(env, FP_SR_IXC);
			}
			return pack_integer(env, f, n.sign, mag);
		}
	}
	// A NaN, an infinity or an integer out of range gives the most negative one.
	fp_raise(env, FP_SR_IOC);
	return pack_integer(env, f, true, limit);
}

uint16_t fp16_round_int(struct fp_env *env, uint16_t a, enum fp_rounding rounding, bool exact)
{
	return (uint16_t)round_int(env, &fp_format16, a, rounding, exact);
}

uint32_t fp32_round_int(struct fp_env *env, uint32_t a, enum fp_rounding rounding, bool exact)
{
	return (uint32_t)round_int(env, &fp_format32, a, rounding, exact);
}

uint64_t fp64_round_int(struct fp_env *env, uint64_t a, enum fp_rounding rounding, bool exact)
{
	return round_int(env, &fp_format64, a, rounding, exact);
}

uint32_t fp32_round_int_n(struct fp_env *env, uint32_t a, enum fp_rounding rounding,
			  unsigned intsize)
{
	return (uint32_t)round_int_n(env, &fp_format32, a, rounding, intsize);
}

uint64_t fp64_round_int_n(struct fp_env *env, uint64_t a, enum fp_rounding rounding,
			  unsigned intsize)
{
	return round_int_n(env, &fp_format64, a, rounding, intsize);
}
