// SPDX-License-Identifier: Apache-2.0
// Scalar floating point: arithmetic, compare, select, immediate (Arm ARM C4.1.96). Conversions:
// exec_fp_convert.c.
#include "cpu/fp/fp_fast.h"
#include "cpu/simd_internal.h"

// Index by ftype into {half, single, double}; -1 for the reserved type and for half precision
// without FEAT_FP16.
static int fp_type_index(const struct tr *t, uint32_t insn)
{
	switch (bits(insn, 23, 22)) {
	case 0:
		return 1;
	case 1:
		return 2;
	case 3:
		return tr_has(t, FEAT_FP16) ? 0 : -1;
	default:
		return -1;
	}
}

static bool tr_fp_typed(struct tr *t, uint32_t insn, op_fn *const fns[3])
{
	int type = fp_type_index(t, insn);

	if (type < 0) {
		return false;
	}
	simd_emit_op(t, insn, fns[type])->ra = (uint8_t)F_RA(insn);
	return true;
}

// ---- arithmetic ---------------------------------------------------------------------------------
// expr uses the functions of one precision (fp32_add...) on E32(rn) and so on, the elements of Rn,
// Rm and Ra. `others`: which of them the rest of the result is taken from with FPCR.NEP set.

#define E16(reg) (pe->v[op->reg].h[0])
#define E32(reg) (pe->v[op->reg].s[0])
#define E64(reg) (pe->v[op->reg].d[0])

#define FP_ENV (&pe->fp)

#define DEF_FP_OP(name, view, others, expr) \
	static OP(name) \
	{ \
		WRITE_SCALAR(view, others, expr); \
		NEXT; \
	}

#define DEF_FP(row, others, expr16, expr32, expr64) \
	DEF_FP_OP(op_##row##_h, h, others, (uint16_t)(expr16)) \
	DEF_FP_OP(op_##row##_s, s, others, expr32) \
	DEF_FP_OP(op_##row##_d, d, others, expr64) \
	bool tr_##row(struct tr *t, uint32_t insn) \
	{ \
		static op_fn *const fns[3] = {op_##row##_h, op_##row##_s, op_##row##_d}; \
\
		return tr_fp_typed(t, insn, fns); \
	}

#define DEF_FP_BINARY(row, fn) \
	DEF_FP(row, rn, fp16_##fn(FP_ENV, E16(rn), E16(rm)), fp32_##fn(FP_ENV, E32(rn), E32(rm)), \
	       fp64_##fn(FP_ENV, E64(rn), E64(rm)))

// The most used ones go to the host first. Its result is the architecture's, and raises no flag but
// Inexact, when rounding is to nearest, denormals are not flushed, and the result is a normal
// number away from the smallest; and Inexact is set already. All else is the slow twin's.
static inline bool fp_plain(const struct pe *pe)
{
	const uint32_t special = FP_CR_RMODE | FP_CR_FZ | FP_CR_FIZ | FP_CR_AH | FP_CR_NEP;

	return likely((pe->fp.fpcr & special) == 0 && (pe->fp.fpsr & FP_SR_IXC) != 0);
}

#define WRITE_PLAIN(value) \
	do { \
		VD.d[0] = (value); \
		VD.d[1] = 0; \
	} while (0)

#define DEF_FP_HOST(row, fn, operator) \
	DEF_FP_OP(op_##row##_h, h, rn, fp16_##fn(FP_ENV, E16(rn), E16(rm))) \
	DEF_FP_OP(op_##row##_s_slow, s, rn, fp32_##fn(FP_ENV, E32(rn), E32(rm))) \
	DEF_FP_OP(op_##row##_d_slow, d, rn, fp64_##fn(FP_ENV, E64(rn), E64(rm))) \
	static OP(op_##row##_s) \
	{ \
		uint32_t r = fp32_bits(fp32_host(E32(rn)) operator fp32_host(E32(rm))); \
\
		if (!fp_plain(pe) || unlikely(((r >> 23) & 0xff) - 2 >= 253)) { \
			return op_##row##_s_slow(pe, op); \
		} \
		WRITE_PLAIN(r); \
		NEXT; \
	} \
	static OP(op_##row##_d) \
	{ \
		uint64_t r = fp64_bits(fp64_host(E64(rn)) operator fp64_host(E64(rm))); \
\
		if (!fp_plain(pe) || unlikely(((r >> 52) & 0x7ff) - 2 >= 2045)) { \
			return op_##row##_d_slow(pe, op); \
		} \
		WRITE_PLAIN(r); \
		NEXT; \
	} \
	bool tr_##row(struct tr *t, uint32_t insn) \
	{ \
		static op_fn *const fns[3] = {op_##row##_h, op_##row##_s, op_##row##_d}; \
\
		return tr_fp_typed(t, insn, fns); \
	}

DEF_FP_HOST(fadd, add, +)
DEF_FP_HOST(fsub, sub, -)
DEF_FP_HOST(fmul, mul, *)
DEF_FP_BINARY(fdiv, div)
DEF_FP_BINARY(fmax, max)
DEF_FP_BINARY(fmin, min)
DEF_FP_BINARY(fmaxnm, maxnum)
DEF_FP_BINARY(fminnm, minnum)
DEF_FP(fnmul, rn, fp16_neg(FP_ENV, fp16_mul(FP_ENV, E16(rn), E16(rm))),
       fp32_neg(FP_ENV, fp32_mul(FP_ENV, E32(rn), E32(rm))),
       fp64_neg(FP_ENV, fp64_mul(FP_ENV, E64(rn), E64(rm))))

DEF_FP(fabs, rd, fp16_abs(FP_ENV, E16(rn)), fp32_abs(FP_ENV, E32(rn)), fp64_abs(FP_ENV, E64(rn)))
DEF_FP(fneg, rd, fp16_neg(FP_ENV, E16(rn)), fp32_neg(FP_ENV, E32(rn)), fp64_neg(FP_ENV, E64(rn)))
DEF_FP(fsqrt, rd, fp16_sqrt(FP_ENV, E16(rn)), fp32_sqrt(FP_ENV, E32(rn)),
       fp64_sqrt(FP_ENV, E64(rn)))

// FMADD and its negations: FMSUB negates Rn, FNMADD Rn and Ra, FNMSUB Ra.
#define KEEP(p, v) (v)
#define NEGATE(p, v) p##_neg(FP_ENV, v)
#define DEF_FP_FMA(name, of_a, of_c) \
	DEF_FP_OP(op_##name##_h, h, ra, \
		  fp16_mul_add(FP_ENV, of_c(fp16, E16(ra)), of_a(fp16, E16(rn)), E16(rm))) \
	DEF_FP_OP(op_##name##_s, s, ra, \
		  fp32_mul_add(FP_ENV, of_c(fp32, E32(ra)), of_a(fp32, E32(rn)), E32(rm))) \
	DEF_FP_OP(op_##name##_d, d, ra, \
		  fp64_mul_add(FP_ENV, of_c(fp64, E64(ra)), of_a(fp64, E64(rn)), E64(rm)))

DEF_FP_FMA(fmadd, KEEP, KEEP)
DEF_FP_FMA(fmsub, NEGATE, KEEP)
DEF_FP_FMA(fnmadd, NEGATE, NEGATE)
DEF_FP_FMA(fnmsub, KEEP, NEGATE)

bool tr_fmadd(struct tr *t, uint32_t insn)
{
	static op_fn *const fns[4][3] = {
		{op_fmadd_h, op_fmadd_s, op_fmadd_d},
		{op_fmsub_h, op_fmsub_s, op_fmsub_d},
		{op_fnmadd_h, op_fnmadd_s, op_fnmadd_d},
		{op_fnmsub_h, op_fnmsub_s, op_fnmsub_d},
	};

	return tr_fp_typed(t, insn, fns[bit(insn, 21) << 1 | bit(insn, 15)]);
}

// A move is no arithmetic: FPCR.NEP is not for it, nor for FCSEL.
#define DEF_FMOV(name, e) \
	static OP(op_fmov_##name) \
	{ \
		WRITE_PLAIN(e(rn)); \
		NEXT; \
	}

DEF_FMOV(h, E16)
DEF_FMOV(s, E32)
DEF_FMOV(d, E64)

bool tr_fmov_reg(struct tr *t, uint32_t insn)
{
	static op_fn *const fns[3] = {op_fmov_h, op_fmov_s, op_fmov_d};

	return tr_fp_typed(t, insn, fns);
}

// ---- compare ------------------------------------------------------------------------------------
// aux bit 0: quiet NaNs are invalid operands too. rm is a register, or the compare is with +0.0.

#define DEF_FP_COMPARE(name, width, e) \
	static OP(op_fcmp_##name) \
	{ \
		pe_set_nzcv(pe, fp##width##_compare(FP_ENV, e(rn), e(rm), op->aux) << 28); \
		NEXT; \
	} \
	static OP(op_fcmp_zero_##name) \
	{ \
		pe_set_nzcv(pe, fp##width##_compare(FP_ENV, e(rn), 0, op->aux) << 28); \
		NEXT; \
	} \
	static OP(op_fccmp_##name) \
	{ \
		if (cond_holds(pe, op->rd)) { \
			pe_set_nzcv(pe, fp##width##_compare(FP_ENV, e(rn), e(rm), op->aux) << 28); \
		} else { \
			pe_set_nzcv(pe, (op->insn & 15) << 28); \
		} \
		NEXT; \
	}

DEF_FP_COMPARE(h, 16, E16)
DEF_FP_COMPARE(s, 32, E32)
DEF_FP_COMPARE(d, 64, E64)

bool tr_fcmp(struct tr *t, uint32_t insn)
{
	static op_fn *const fns[2][3] = {
		{op_fcmp_h, op_fcmp_s, op_fcmp_d},
		{op_fcmp_zero_h, op_fcmp_zero_s, op_fcmp_zero_d},
	};
	int type = fp_type_index(t, insn);

	if (type < 0) {
		return false;
	}
	simd_emit_op(t, insn, fns[bit(insn, 3)][type])->aux = bit(insn, 4);
	return true;
}

bool tr_fccmp(struct tr *t, uint32_t insn)
{
	static op_fn *const fns[3] = {op_fccmp_h, op_fccmp_s, op_fccmp_d};
	int type = fp_type_index(t, insn);
	struct uop *u;

	if (type < 0) {
		return false;
	}
	u = simd_emit_op(t, insn, fns[type]);
	u->rd = (uint8_t)bits(insn, 15, 12);
	u->aux = bit(insn, 4);
	return true;
}

#define DEF_FCSEL(name, e) \
	static OP(op_fcsel_##name) \
	{ \
		WRITE_PLAIN(cond_holds(pe, op->aux) ? e(rn) : e(rm)); \
		NEXT; \
	}

DEF_FCSEL(h, E16)
DEF_FCSEL(s, E32)
DEF_FCSEL(d, E64)

bool tr_fcsel(struct tr *t, uint32_t insn)
{
	static op_fn *const fns[3] = {op_fcsel_h, op_fcsel_s, op_fcsel_d};
	int type = fp_type_index(t, insn);

	if (type < 0) {
		return false;
	}
	simd_emit_op(t, insn, fns[type])->aux = (uint32_t)bits(insn, 15, 12);
	return true;
}

// ---- immediate ----------------------------------------------------------------------------------

OP(op_fmov_imm)
{
	VD.d[0] = op->imm;
	VD.d[1] = 0;
	NEXT;
}

// VFPExpandImm() for half (0), single (1) and double (2) precision.
uint64_t simd_expand_fp_imm(unsigned imm8, unsigned type)
{
	static const unsigned exp_bits[3] = {5, 8, 11}, frac_bits[3] = {10, 23, 52};
	unsigned e = exp_bits[type], f = frac_bits[type];
	uint64_t sign = imm8 >> 7, exp = bit(imm8, 6) ? MASK(e - 2, 2) & ~BIT(e - 1) : BIT(e - 1);

	exp |= bits(imm8, 5, 4);
	return sign << (e + f) | exp << f | bits(imm8, 3, 0) << (f - 4);
}

bool tr_fmov_imm(struct tr *t, uint32_t insn)
{
	int type = fp_type_index(t, insn);

	if (type < 0) {
		return false;
	}
	simd_emit_op(t, insn, op_fmov_imm)->imm =
		simd_expand_fp_imm((unsigned)bits(insn, 20, 13), (unsigned)type);
	return true;
}
