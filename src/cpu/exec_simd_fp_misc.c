// SPDX-License-Identifier: Apache-2.0
// Advanced SIMD floating point with one source: conversions, rounding to integral values, compares
// with zero, estimates, roots.
#include "cpu/simd_internal.h"

#define FP_ENV (&pe->fp)

#define DEF_FP_ALL(shape, name, expr) \
	DEF_FOR_HSD(shape, name, expr(fp16), expr(fp32), expr(fp64)) \
	TABLE_HSD(name);

// ---- arithmetic and compares with zero ----------------------------------------------------------

#define FABS(p) p##_abs(FP_ENV, a)
#define FNEG(p) p##_neg(FP_ENV, a)
#define FSQRT(p) p##_sqrt(FP_ENV, a)
#define FRECPE(p) p##_recip_estimate(FP_ENV, a)
#define FRSQRTE(p) p##_rsqrt_estimate(FP_ENV, a)
#define FRECPX(p) p##_recpx(FP_ENV, a)
#define ALL_ONES_IF(condition) -(uint64_t)(condition)
#define FCMEQ_ZERO(p) ALL_ONES_IF(p##_compare_eq(FP_ENV, a, 0))
#define FCMGE_ZERO(p) ALL_ONES_IF(p##_compare_ge(FP_ENV, a, 0))
#define FCMGT_ZERO(p) ALL_ONES_IF(p##_compare_gt(FP_ENV, a, 0))
#define FCMLE_ZERO(p) ALL_ONES_IF(p##_compare_ge(FP_ENV, 0, a))
#define FCMLT_ZERO(p) ALL_ONES_IF(p##_compare_gt(FP_ENV, 0, a))

DEF_FP_ALL(DEF_UNARY, fabs, FABS)
DEF_FP_ALL(DEF_UNARY, fneg, FNEG)
DEF_FP_ALL(DEF_UNARY, fsqrt, FSQRT)
DEF_FP_ALL(DEF_UNARY, frecpe, FRECPE)
DEF_FP_ALL(DEF_UNARY, frsqrte, FRSQRTE)
DEF_FP_ALL(DEF_UNARY, frecpx, FRECPX)
DEF_FP_ALL(DEF_UNARY, fcmeq_zero, FCMEQ_ZERO)
DEF_FP_ALL(DEF_UNARY, fcmge_zero, FCMGE_ZERO)
DEF_FP_ALL(DEF_UNARY, fcmgt_zero, FCMGT_ZERO)
DEF_FP_ALL(DEF_UNARY, fcmle_zero, FCMLE_ZERO)
DEF_FP_ALL(DEF_UNARY, fcmlt_zero, FCMLT_ZERO)

TR_FP(simd_fabs, fabs)
TR_FP(simd_fneg, fneg)
TR_FP(simd_fsqrt, fsqrt)
TR_FP(simd_frecpe, frecpe)
TR_FP_SCALAR(simd_frecpe_x, frecpe, RD)
TR_FP(simd_frsqrte, frsqrte)
TR_FP_SCALAR(simd_frsqrte_x, frsqrte, RD)
TR_FP_SCALAR(simd_frecpx_x, frecpx, RD)
TR_FP(simd_fcmeq_zero, fcmeq_zero)
TR_FP(simd_fcmeq_zero_x, fcmeq_zero)
TR_FP(simd_fcmge_zero, fcmge_zero)
TR_FP(simd_fcmge_zero_x, fcmge_zero)
TR_FP(simd_fcmgt_zero, fcmgt_zero)
TR_FP(simd_fcmgt_zero_x, fcmgt_zero)
TR_FP(simd_fcmle_zero, fcmle_zero)
TR_FP(simd_fcmle_zero_x, fcmle_zero)
TR_FP(simd_fcmlt_zero, fcmlt_zero)
TR_FP(simd_fcmlt_zero_x, fcmlt_zero)

// ---- conversions with integers and fixed point --------------------------------------------------

static inline enum fp_rounding aux_rounding(const struct pe *pe, const struct uop *op)
{
	unsigned rounding = op->aux >> 8 & 15;

	return rounding == SIMD_ROUNDING_DYNAMIC ? fp_rounding_from_fpcr(pe->fp.fpcr)
						 : (enum fp_rounding)rounding;
}

#define TO_FIXED(p, is_unsigned) \
	p##_to_fixed(FP_ENV, a, op->aux & 0xff, is_unsigned, aux_rounding(pe, op), \
		     (unsigned)sizeof(a) * 8)
#define FROM_FIXED(p, is_unsigned) \
	p##_from_fixed(FP_ENV, a, op->aux & 0xff, is_unsigned, aux_rounding(pe, op), \
		       (unsigned)sizeof(a) * 8)
#define TO_SIGNED(p) TO_FIXED(p, false)
#define TO_UNSIGNED(p) TO_FIXED(p, true)
#define FROM_SIGNED(p) FROM_FIXED(p, false)
#define FROM_UNSIGNED(p) FROM_FIXED(p, true)

DEF_FOR_HSD(DEF_UNARY, to_signed, TO_SIGNED(fp16), TO_SIGNED(fp32), TO_SIGNED(fp64))
DEF_FOR_HSD(DEF_UNARY, to_unsigned, TO_UNSIGNED(fp16), TO_UNSIGNED(fp32), TO_UNSIGNED(fp64))
DEF_FOR_HSD(DEF_UNARY, from_signed, FROM_SIGNED(fp16), FROM_SIGNED(fp32), FROM_SIGNED(fp64))
DEF_FOR_HSD(DEF_UNARY, from_unsigned, FROM_UNSIGNED(fp16), FROM_UNSIGNED(fp32), FROM_UNSIGNED(fp64))

simd_fn *const simd_to_fixed_fns[2][4] = {
	{NULL, to_signed_h, to_signed_s, to_signed_d},
	{NULL, to_unsigned_h, to_unsigned_s, to_unsigned_d},
};
simd_fn *const simd_from_fixed_fns[2][4] = {
	{NULL, from_signed_h, from_signed_s, from_signed_d},
	{NULL, from_unsigned_h, from_unsigned_s, from_unsigned_d},
};

// One-source forms whose rounding goes into aux.
static bool tr_fp_aux(struct tr *t, uint32_t insn, simd_fn *const fns[4], unsigned size,
		      uint32_t aux)
{
	if (!simd_is_scalar(insn) && size == 3 && !F_Q(insn)) {
		return false;
	}
	simd_emit(t, insn, fns[size], simd_bytes(insn, size))->aux = aux;
	return !simd_is_scalar(insn) || simd_merging(t, F_RD(insn));
}

#define TR_FP_AUX(row, table, aux) \
	bool tr_simd_##row(struct tr *t, uint32_t insn) \
	{ \
		return tr_fp_aux(t, insn, table, 2 + bit(insn, 22), aux); \
	} \
	bool tr_simd_##row##_h(struct tr *t, uint32_t insn) \
	{ \
		return tr_fp_aux(t, insn, table, 1, aux); \
	}

#define TR_TO_INT(row, rounding) \
	TR_FP_AUX(row##s, simd_to_fixed_fns[0], (rounding) << 8) \
	TR_FP_AUX(row##s_x, simd_to_fixed_fns[0], (rounding) << 8) \
	TR_FP_AUX(row##u, simd_to_fixed_fns[1], (rounding) << 8) \
	TR_FP_AUX(row##u_x, simd_to_fixed_fns[1], (rounding) << 8)

TR_TO_INT(fcvtn, FP_ROUNDING_TIEEVEN)
TR_TO_INT(fcvtm, FP_ROUNDING_NEGINF)
TR_TO_INT(fcvtp, FP_ROUNDING_POSINF)
TR_TO_INT(fcvtz, FP_ROUNDING_ZERO)
TR_TO_INT(fcvta, FP_ROUNDING_TIEAWAY)

TR_FP_AUX(scvtf, simd_from_fixed_fns[0], SIMD_ROUNDING_DYNAMIC << 8)
TR_FP_AUX(scvtf_x, simd_from_fixed_fns[0], SIMD_ROUNDING_DYNAMIC << 8)
TR_FP_AUX(ucvtf, simd_from_fixed_fns[1], SIMD_ROUNDING_DYNAMIC << 8)
TR_FP_AUX(ucvtf_x, simd_from_fixed_fns[1], SIMD_ROUNDING_DYNAMIC << 8)

// ---- rounding to integral values ----------------------------------------------------------------

#define AUX_EXACT (1u << 16)

#define FRINT(p) p##_round_int(FP_ENV, a, aux_rounding(pe, op), op->aux &AUX_EXACT)

DEF_FP_ALL(DEF_UNARY, frint, FRINT)

TR_FP_AUX(frintn, frint_fns, FP_ROUNDING_TIEEVEN << 8)
TR_FP_AUX(frintm, frint_fns, FP_ROUNDING_NEGINF << 8)
TR_FP_AUX(frintp, frint_fns, FP_ROUNDING_POSINF << 8)
TR_FP_AUX(frintz, frint_fns, FP_ROUNDING_ZERO << 8)
TR_FP_AUX(frinta, frint_fns, FP_ROUNDING_TIEAWAY << 8)
TR_FP_AUX(frintx, frint_fns, SIMD_ROUNDING_DYNAMIC << 8 | AUX_EXACT)
TR_FP_AUX(frinti, frint_fns, SIMD_ROUNDING_DYNAMIC << 8)

// FEAT_FRINTTS: aux bits 7:0 are the width of the integer.
DEF_UNARY(frint_sized_s, s, uint32_t,
	  fp32_round_int_n(FP_ENV, a, aux_rounding(pe, op), op->aux & 0xff))
DEF_UNARY(frint_sized_d, d, uint64_t,
	  fp64_round_int_n(FP_ENV, a, aux_rounding(pe, op), op->aux & 0xff))
static simd_fn *const frint_sized_fns[4] = {NULL, NULL, frint_sized_s, frint_sized_d};

#define TR_FRINT_SIZED(row, rounding, width) \
	bool tr_simd_##row(struct tr *t, uint32_t insn) \
	{ \
		return tr_fp_aux(t, insn, frint_sized_fns, 2 + bit(insn, 22), \
				 (rounding) << 8 | (width)); \
	}

TR_FRINT_SIZED(frint32z, FP_ROUNDING_ZERO, 32u)
TR_FRINT_SIZED(frint32x, SIMD_ROUNDING_DYNAMIC, 32u)
TR_FRINT_SIZED(frint64z, FP_ROUNDING_ZERO, 64u)
TR_FRINT_SIZED(frint64x, SIMD_ROUNDING_DYNAMIC, 64u)

// ---- between precisions -------------------------------------------------------------------------

#define DEF_FP_NARROW(name, fn, from, to, count) \
	SIMD_WORKER(name) \
	{ \
		union vreg n = VN, r = {{0}}; \
		unsigned elements = simd_is_scalar(op->insn) ? 1 : (count); \
\
		for (unsigned i = 0; i < elements; i++) { \
			r.to[i] = fn(FP_ENV, n.from[i]); \
		} \
		simd_write_half(pe, op, r.d[0]); \
	}

DEF_FP_NARROW(fcvtn_s, fp32_to_fp16, s, h, 4)
DEF_FP_NARROW(fcvtn_d, fp64_to_fp32, d, s, 2)
DEF_FP_NARROW(fcvtxn, fp64_to_fp32_odd, d, s, 2)
DEF_FP_NARROW(bfcvtn, fp32_to_bf16, s, h, 4)

bool tr_simd_fcvtn(struct tr *t, uint32_t insn)
{
	simd_emit(t, insn, bit(insn, 22) ? fcvtn_d : fcvtn_s, 8);
	return true;
}

bool tr_simd_fcvtxn(struct tr *t, uint32_t insn)
{
	simd_emit(t, insn, fcvtxn, 8);
	return true;
}

bool tr_simd_fcvtxn_x(struct tr *t, uint32_t insn)
{
	simd_emit(t, insn, fcvtxn, 4);
	return simd_merging(t, F_RD(insn));
}

bool tr_simd_bfcvtn(struct tr *t, uint32_t insn)
{
	simd_emit(t, insn, bfcvtn, 8);
	return true;
}

#define DEF_FP_LONG(name, fn, from, to, count) \
	SIMD_WORKER(name) \
	{ \
		union vreg n = simd_source_half(op, VN), r; \
\
		for (unsigned i = 0; i < (count); i++) { \
			r.to[i] = fn(FP_ENV, n.from[i]); \
		} \
		VD = r; \
	}

DEF_FP_LONG(fcvtl_h, fp16_to_fp32, h, s, 4)
DEF_FP_LONG(fcvtl_s, fp32_to_fp64, s, d, 2)

bool tr_simd_fcvtl(struct tr *t, uint32_t insn)
{
	simd_emit(t, insn, bit(insn, 22) ? fcvtl_s : fcvtl_h, 16);
	return true;
}
