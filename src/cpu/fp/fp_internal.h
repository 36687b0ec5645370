// SPDX-License-Identifier: Apache-2.0
// The exact ("soft") heart of the floating-point library: unpacking, NaN rules and rounding.
//
// Functions take the format as a pointer to one of the constants below and are always inlined, so
// that each caller gets code specialised for its precision. Nothing here touches the host's
// floating-point unit.
#ifndef CPU_FP_FP_INTERNAL_H
#define CPU_FP_FP_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "cpu/fp/fp.h"

#define FP_INLINE static inline __attribute__((always_inline))

struct fp_format {
	unsigned width; // bits in all
	unsigned frac_bits; // F of the pseudocode
	unsigned exp_bits; // E of the pseudocode
	int min_exp; // exponent of the smallest normal number
	uint32_t fz; // the FPCR bit that flushes denormals of this format
	uint32_t fiz; // the FPCR bit that flushes denormal inputs alone: half precision has none
	uint32_t idc; // the FPSR bit that a denormal input sets: half precision reports none
};

static const struct fp_format fp_format16 = {16, 10, 5, -14, FP_CR_FZ16, 0, 0};
static const struct fp_format fp_format32 = {32, 23, 8, -126, FP_CR_FZ, FP_CR_FIZ, FP_SR_IDC};
static const struct fp_format fp_format64 = {64, 52, 11, -1022, FP_CR_FZ, FP_CR_FIZ, FP_SR_IDC};
static const struct fp_format fp_format_bf16 = {16, 7, 8, -126, FP_CR_FZ, FP_CR_FIZ, FP_SR_IDC};

// FPType
enum fp_type {
	FP_TYPE_ZERO,
	FP_TYPE_NONZERO,
	FP_TYPE_INFINITY,
	FP_TYPE_QNAN,
	FP_TYPE_SNAN,
};

// An unpacked operand. A NONZERO one has the value (-1)^sign * frac * 2^(exp - 63) with frac's bit
// 63 set; for other types exp and frac are zero. FPType_Denormal is NONZERO and `denormal`.
struct fp_num {
	uint64_t frac;
	int exp;
	enum fp_type type;
	bool sign;
	bool denormal;
};

// The alternate handling of floating-point numbers, FPCR.AH (FEAT_AFP).
FP_INLINE bool fp_alternate(uint32_t fpcr)
{
	return (fpcr & FP_CR_AH) != 0;
}

FP_INLINE void fp_raise(struct fp_env *env, uint32_t flags)
{
	env->fpsr |= flags;
}

FP_INLINE uint64_t fp_sign_bit(const struct fp_format *f, bool sign)
{
	return (uint64_t)sign << (f->width - 1);
}

FP_INLINE uint64_t fp_zero(const struct fp_format *f, bool sign)
{
	return fp_sign_bit(f, sign);
}

FP_INLINE uint64_t fp_exp_mask(const struct fp_format *f)
{
	return ((1ull << f->exp_bits) - 1) << f->frac_bits;
}

FP_INLINE uint64_t fp_infinity(const struct fp_format *f, bool sign)
{
	return fp_sign_bit(f, sign) | fp_exp_mask(f);
}

FP_INLINE uint64_t fp_max_normal(const struct fp_format *f, bool sign)
{
	return fp_infinity(f, sign) - 1;
}

FP_INLINE uint64_t fp_quiet_bit(const struct fp_format *f)
{
	return 1ull << (f->frac_bits - 1);
}

// FPDefaultNaN()
FP_INLINE uint64_t fp_default_nan(const struct fp_env *env, const struct fp_format *f)
{
	return fp_sign_bit(f, fp_alternate(env->fpcr)) | fp_exp_mask(f) | fp_quiet_bit(f);
}

FP_INLINE bool fp_is_nan(const struct fp_num *n)
{
	return n->type >= FP_TYPE_QNAN;
}

FP_INLINE bool fp_is_inf(const struct fp_num *n)
{
	return n->type == FP_TYPE_INFINITY;
}

FP_INLINE bool fp_is_zero(const struct fp_num *n)
{
	return n->type == FP_TYPE_ZERO;
}

// Logical right shift that ORs every bit shifted out into bit 0. shift may be any size.
FP_INLINE uint64_t fp_shift_jam64(uint64_t v, unsigned shift)
{
	if (shift == 0) {
		return v;
	}
	if (shift > 63) {
		return v != 0;
	}
	return v >> shift | ((v << (64 - shift)) != 0);
}

FP_INLINE unsigned __int128 fp_shift_jam128(unsigned __int128 v, unsigned shift)
{
	if (shift == 0) {
		return v;
	}
	if (shift > 127) {
		return v != 0;
	}
	return v >> shift | ((v << (128 - shift)) != 0);
}

FP_INLINE unsigned fp_clz128(unsigned __int128 v)
{
	uint64_t hi = (uint64_t)(v >> 64);

	return hi ? (unsigned)__builtin_clzll(hi) : 64u + (unsigned)__builtin_clzll((uint64_t)v);
}

// Narrow a 128-bit significand to 64 bits, keeping what is lost in the sticky bit 0.
FP_INLINE uint64_t fp_jam_high64(unsigned __int128 v)
{
	return (uint64_t)(v >> 64) | ((uint64_t)v != 0);
}

// Whether a denormal input becomes a zero: by FPCR.FZ, which tells in FPSR.IDC, or by FPCR.FIZ.
// With FPCR.AH set FZ is about results alone. FZ16 knows neither.
FP_INLINE bool fp_flush_input(struct fp_env *env, uint32_t fpcr, const struct fp_format *f)
{
	bool fz = (fpcr & f->fz) && !(f->fiz && fp_alternate(fpcr));

	if (fz) {
		fp_raise(env, f->idc);
	}
	return fz || (fpcr & f->fiz);
}

// FPUnpackBase(). fpcr is passed apart from env because FPUnpack() and FPUnpackCV() mask bits of
// it.
FP_INLINE struct fp_num fp_unpack_base(struct fp_env *env, uint32_t fpcr, const struct fp_format *f,
				       uint64_t bits)
{
	unsigned exp_max = (1u << f->exp_bits) - 1;
	unsigned biased = (unsigned)(bits >> f->frac_bits) & exp_max;
	uint64_t frac = bits & ((1ull << f->frac_bits) - 1);
	struct fp_num n = {0, 0, FP_TYPE_ZERO, (bits >> (f->width - 1)) & 1, false};

	if (biased == 0) {
		if (frac == 0) {
			return n;
		}
		if (fp_flush_input(env, fpcr, f)) {
			return n;
		}
		unsigned lead = (unsigned)__builtin_clzll(frac);
		n.type = FP_TYPE_NONZERO;
		n.frac = frac << lead;
		n.exp = f->min_exp + (63 - (int)f->frac_bits) - (int)lead;
		n.denormal = true;
		return n;
	}
	if (biased == exp_max && !(f->exp_bits == 5 && (fpcr & FP_CR_AHP))) {
		if (frac == 0) {
			n.type = FP_TYPE_INFINITY;
		} else {
			n.type = (frac & fp_quiet_bit(f)) ? FP_TYPE_QNAN : FP_TYPE_SNAN;
		}
		return n;
	}
	n.type = FP_TYPE_NONZERO;
	n.frac = 1ull << 63 | frac << (63 - f->frac_bits);
	n.exp = (int)biased - 1 + f->min_exp;
	return n;
}

// FPUnpack(): data processing ignores AHP.
FP_INLINE struct fp_num fp_unpack(struct fp_env *env, const struct fp_format *f, uint64_t bits)
{
	return fp_unpack_base(env, env->fpcr & ~FP_CR_AHP, f, bits);
}

// FPUnpackCV(): conversions between formats ignore FZ16.
FP_INLINE struct fp_num fp_unpack_cv(struct fp_env *env, const struct fp_format *f, uint64_t bits)
{
	return fp_unpack_base(env, env->fpcr & ~FP_CR_FZ16, f, bits);
}

// FPProcessDenorm(): with FPCR.AH set a denormal input that was not flushed is reported once the
// operation turns out to have used it.
FP_INLINE void fp_process_denorm(struct fp_env *env, const struct fp_format *f,
				 const struct fp_num *n)
{
	if (fp_alternate(env->fpcr) && n->denormal) {
		fp_raise(env, f->idc);
	}
}

// FPProcessDenorms()
FP_INLINE void fp_process_denorms(struct fp_env *env, const struct fp_format *f,
				  const struct fp_num *a, const struct fp_num *b)
{
	fp_process_denorm(env, f, a);
	fp_process_denorm(env, f, b);
}

// FPProcessNaN()
FP_INLINE uint64_t fp_process_nan(struct fp_env *env, const struct fp_format *f, enum fp_type type,
				  uint64_t bits)
{
	if (type == FP_TYPE_SNAN) {
		fp_raise(env, FP_SR_IOC);
		bits |= fp_quiet_bit(f);
	}
	return (env->fpcr & FP_CR_DN) ? fp_default_nan(env, f) : bits;
}

// FPProcessNaNs() for operands of which at least one is a NaN. With FPCR.AH set the first of two is
// taken, made quiet if either is signalling.
FP_INLINE uint64_t fp_process_nans(struct fp_env *env, const struct fp_format *f,
				   const struct fp_num *a, const struct fp_num *b, uint64_t a_bits,
				   uint64_t b_bits)
{
	if (fp_alternate(env->fpcr) && fp_is_nan(a) && fp_is_nan(b)) {
		return fp_process_nan(env, f, a->type > b->type ? a->type : b->type, a_bits);
	}
	if (a->type == FP_TYPE_SNAN || (a->type == FP_TYPE_QNAN && b->type != FP_TYPE_SNAN)) {
		return fp_process_nan(env, f, a->type, a_bits);
	}
	return fp_process_nan(env, f, b->type, b_bits);
}

// An operation without a meaningful result: default NaN and Invalid Operation.
FP_INLINE uint64_t fp_invalid(struct fp_env *env, const struct fp_format *f)
{
	fp_raise(env, FP_SR_IOC);
	return fp_default_nan(env, f);
}

// Whether an overflow of this sign gives infinity rather than the largest normal number.
FP_INLINE bool fp_overflow_to_inf(enum fp_rounding rounding, bool sign)
{
	switch (rounding) {
	case FP_ROUNDING_TIEEVEN:
	case FP_ROUNDING_TIEAWAY:
		return true;
	case FP_ROUNDING_POSINF:
		return !sign;
	case FP_ROUNDING_NEGINF:
		return sign;
	case FP_ROUNDING_ZERO:
	case FP_ROUNDING_ODD:
		break;
	}
	return false;
}

// Whether a magnitude grows by one unit: rest is the discarded part, half the value of one half.
FP_INLINE bool fp_round_up(enum fp_rounding rounding, bool sign, bool odd, uint64_t rest,
			   uint64_t half)
{
	switch (rounding) {
	case FP_ROUNDING_TIEEVEN:
		return rest > half || (rest == half && odd);
	case FP_ROUNDING_TIEAWAY:
		return rest >= half;
	case FP_ROUNDING_POSINF:
		return rest != 0 && !sign;
	case FP_ROUNDING_NEGINF:
		return rest != 0 && sign;
	case FP_ROUNDING_ZERO:
	case FP_ROUNDING_ODD:
		break;
	}
	return false;
}

// The overflow part of FPRoundBase().
FP_INLINE uint64_t fp_overflow(struct fp_env *env, uint32_t fpcr, const struct fp_format *f,
			       enum fp_rounding rounding, bool sign)
{
	if (f->exp_bits == 5 && (fpcr & FP_CR_AHP)) {
		// Alternative half precision has no infinity: saturate and call it invalid.
		fp_raise(env, FP_SR_IOC);
		return fp_sign_bit(f, sign) | ((1ull << (f->width - 1)) - 1);
	}
	fp_raise(env, FP_SR_OFC | FP_SR_IXC);
	return fp_overflow_to_inf(rounding, sign) ? fp_infinity(f, sign) : fp_max_normal(f, sign);
}

// Whether a number below the smallest normal one stays below it when it is rounded as if exponents
// had no lower limit: tininess after rounding.
FP_INLINE bool fp_tiny_rounded(const struct fp_format *f, enum fp_rounding rounding, bool sign,
			       int biased, uint64_t frac)
{
	const unsigned drop = 63 - f->frac_bits;
	uint64_t mant = frac >> drop;
	uint64_t rest = frac & ((1ull << drop) - 1);

	return biased < 0 || mant != (2ull << f->frac_bits) - 1 ||
	       !fp_round_up(rounding, sign, true, rest, 1ull << (drop - 1));
}

// FPRoundBase() of (-1)^sign * frac * 2^(exp - 63), frac having bit 63 set and bit 0 sticky.
// Tininess is judged before rounding, and a flushed result reports Underflow but not Inexact. With
// FPCR.AH set it is judged after rounding, and a flushed result reports both.
FP_INLINE uint64_t fp_round_base(struct fp_env *env, uint32_t fpcr, const struct fp_format *f,
				 enum fp_rounding rounding, bool sign, int exp, uint64_t frac)
{
	const unsigned drop = 63 - f->frac_bits;
	bool alternative = f->exp_bits == 5 && (fpcr & FP_CR_AHP);
	int exp_limit = (1 << f->exp_bits) - (alternative ? 0 : 1);
	int biased = exp - f->min_exp + 1;
	bool tiny = false;

	if (biased <= 0) {
		tiny = !fp_alternate(fpcr) || fp_tiny_rounded(f, rounding, sign, biased, frac);
		if (tiny && (fpcr & f->fz)) {
			fp_raise(env, FP_SR_UFC | (fp_alternate(fpcr) ? FP_SR_IXC : 0));
			return fp_zero(f, sign);
		}
		frac = fp_shift_jam64(frac, 1u - (unsigned)biased);
		biased = 0;
	} else if (biased >= exp_limit) {
		return fp_overflow(env, fpcr, f, rounding, sign);
	}

	uint64_t mant = frac >> drop;
	uint64_t rest = frac & ((1ull << drop) - 1);

	if (rest != 0) {
		if (tiny) {
			fp_raise(env, FP_SR_UFC);
		}
		if (rounding == FP_ROUNDING_ODD) {
			mant |= 1;
		} else if (fp_round_up(rounding, sign, mant & 1, rest, 1ull << (drop - 1))) {
			mant++;
		}
	}

	// The hidden bit of a normal number adds the last one to the exponent, and so does the
	// carry of a mantissa that was rounded up to the next power of two.
	uint64_t packed = mant + (biased > 0 ? (uint64_t)(biased - 1) << f->frac_bits : 0);

	if (packed >> f->frac_bits >= (uint64_t)exp_limit) {
		return fp_overflow(env, fpcr, f, rounding, sign);
	}
	if (rest != 0) {
		fp_raise(env, FP_SR_IXC);
	}
	return packed | fp_sign_bit(f, sign);
}

// FPRound(): data processing ignores AHP.
FP_INLINE uint64_t fp_round_to(struct fp_env *env, const struct fp_format *f,
			       enum fp_rounding rounding, bool sign, int exp, uint64_t frac)
{
	return fp_round_base(env, env->fpcr & ~FP_CR_AHP, f, rounding, sign, exp, frac);
}

// FPRound() by FPCR.RMode.
FP_INLINE uint64_t fp_round(struct fp_env *env, const struct fp_format *f, bool sign, int exp,
			    uint64_t frac)
{
	return fp_round_to(env, f, fp_rounding_from_fpcr(env->fpcr), sign, exp, frac);
}

// The zero of a sum that cancels exactly: its sign depends on the rounding mode alone.
FP_INLINE uint64_t fp_exact_zero(const struct fp_env *env, const struct fp_format *f)
{
	return fp_zero(f, fp_rounding_from_fpcr(env->fpcr) == FP_ROUNDING_NEGINF);
}

// FPConvertNaN(): the payload is kept from its top, and the result is quiet.
FP_INLINE uint64_t fp_convert_nan(const struct fp_format *from, const struct fp_format *to,
				  uint64_t bits)
{
	uint64_t top = bits << (64 - from->frac_bits); // payload at bit 63, its quiet bit first
	uint64_t sign = bits >> (from->width - 1) & 1;

	return fp_sign_bit(to, sign != 0) | fp_exp_mask(to) | fp_quiet_bit(to) |
	       top >> (64 - to->frac_bits);
}

// The split of a NONZERO operand, scaled by 2^scale, into integer and fraction: magnitude is
// mag + rest / 2^64, rest being sticky in bit 0. False if the magnitude does not fit 64 bits.
FP_INLINE bool fp_split_integer(const struct fp_num *n, int scale, uint64_t *mag, uint64_t *rest)
{
	int exp = n->exp + scale;

	if (exp > 63) {
		return false;
	}
	if (exp < 0) {
		*mag = 0;
		*rest = fp_shift_jam64(n->frac, (unsigned)(-1 - exp));
	} else {
		*mag = n->frac >> (63 - exp);
		*rest = exp == 63 ? 0 : n->frac << (exp + 1);
	}
	return true;
}

// With FPCR.AH set the operations that are steps of a longer computation, estimates and BFloat16
// among them, round to nearest, flush denormals and report nothing: this environment, in *quiet.
FP_INLINE struct fp_env *fp_quiet_if_alternate(struct fp_env *env, struct fp_env *quiet)
{
	if (!fp_alternate(env->fpcr)) {
		return env;
	}
	*quiet = *env;
	quiet->fpcr = (env->fpcr & ~FP_CR_RMODE) | FP_CR_FIZ | FP_CR_FZ;
	return quiet;
}

// The same operations as in fp.h without their host fast path, for the functions that have one.
uint32_t fp32_add_soft(struct fp_env *env, uint32_t a, uint32_t b);
uint64_t fp64_add_soft(struct fp_env *env, uint64_t a, uint64_t b);
uint32_t fp32_sub_soft(struct fp_env *env, uint32_t a, uint32_t b);
uint64_t fp64_sub_soft(struct fp_env *env, uint64_t a, uint64_t b);
uint32_t fp32_mul_soft(struct fp_env *env, uint32_t a, uint32_t b);
uint64_t fp64_mul_soft(struct fp_env *env, uint64_t a, uint64_t b);
uint32_t fp32_div_soft(struct fp_env *env, uint32_t a, uint32_t b);
uint64_t fp64_div_soft(struct fp_env *env, uint64_t a, uint64_t b);
uint32_t fp32_sqrt_soft(struct fp_env *env, uint32_t a);
uint64_t fp64_sqrt_soft(struct fp_env *env, uint64_t a);
uint32_t fp32_mul_add_soft(struct fp_env *env, uint32_t addend, uint32_t a, uint32_t b);
uint64_t fp64_mul_add_soft(struct fp_env *env, uint64_t addend, uint64_t a, uint64_t b);
uint32_t fp32_compare_soft(struct fp_env *env, uint32_t a, uint32_t b, bool signal_nans);
uint32_t fp64_compare_soft(struct fp_env *env, uint64_t a, uint64_t b, bool signal_nans);
uint64_t fp32_to_fp64_soft(struct fp_env *env, uint32_t a);
uint32_t fp64_to_fp32_soft(struct fp_env *env, uint64_t a);
uint64_t fp32_to_fixed_soft(struct fp_env *env, uint32_t a, unsigned fracbits, bool is_unsigned,
			    enum fp_rounding rounding, unsigned intsize);
uint64_t fp64_to_fixed_soft(struct fp_env *env, uint64_t a, unsigned fracbits, bool is_unsigned,
			    enum fp_rounding rounding, unsigned intsize);
uint32_t fp32_from_fixed_soft(struct fp_env *env, uint64_t value, unsigned fracbits,
			      bool is_unsigned, enum fp_rounding rounding, unsigned intsize);
uint64_t fp64_from_fixed_soft(struct fp_env *env, uint64_t value, unsigned fracbits,
			      bool is_unsigned, enum fp_rounding rounding, unsigned intsize);

#endif
