// SPDX-License-Identifier: Apache-2.0
// Scalar floating point: conversions with integers, fixed point and between precisions, and
// rounding to integral values (Arm ARM C4.1.96).
#include "cpu/simd_internal.h"

#define FP_ENV (&pe->fp)

// aux of the conversions: fraction bits in 7:0, rounding in 11:8 (ROUNDING_DYNAMIC: by FPCR),
// unsigned in 16.
enum { ROUNDING_DYNAMIC = 15, AUX_UNSIGNED = 1u << 16 };

static inline enum fp_rounding aux_rounding(const struct pe *pe, const struct uop *op)
{
	unsigned rounding = op->aux >> 8 & 15;

	return rounding == ROUNDING_DYNAMIC ? fp_rounding_from_fpcr(pe->fp.fpcr)
					    : (enum fp_rounding)rounding;
}

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

// ---- integer and fixed point --------------------------------------------------------------------

#define DEF_CONVERT(name, width, field) \
	static OP(op_to_w_##name) \
	{ \
		XD = fp##width##_to_fixed(FP_ENV, VN.field[0], op->aux & 0xff, \
					  op->aux & AUX_UNSIGNED, aux_rounding(pe, op), 32); \
		NEXT; \
	} \
	static OP(op_to_x_##name) \
	{ \
		XD = fp##width##_to_fixed(FP_ENV, VN.field[0], op->aux & 0xff, \
					  op->aux & AUX_UNSIGNED, aux_rounding(pe, op), 64); \
		NEXT; \
	} \
	static OP(op_from_w_##name) \
	{ \
		WRITE_SCALAR(field, rd, \
			     fp##width##_from_fixed(FP_ENV, WN, op->aux & 0xff, \
						    op->aux & AUX_UNSIGNED, aux_rounding(pe, op), \
						    32)); \
		NEXT; \
	} \
	static OP(op_from_x_##name) \
	{ \
		WRITE_SCALAR(field, rd, \
			     fp##width##_from_fixed(FP_ENV, XN, op->aux & 0xff, \
						    op->aux & AUX_UNSIGNED, aux_rounding(pe, op), \
						    64)); \
		NEXT; \
	}

DEF_CONVERT(h, 16, h)
DEF_CONVERT(s, 32, s)
DEF_CONVERT(d, 64, d)

static bool tr_to_int(struct tr *t, uint32_t insn, unsigned rounding, unsigned fracbits)
{
	static op_fn *const fns[2][3] = {
		{op_to_w_h, op_to_w_s, op_to_w_d},
		{op_to_x_h, op_to_x_s, op_to_x_d},
	};
	int type = fp_type_index(t, insn);
	struct uop *u;

	if (type < 0) {
		return false;
	}
	u = simd_emit_op(t, insn, fns[F_SF(insn)][type]);
	u->rd = tr_xw(F_RD(insn));
	u->aux = fracbits | rounding << 8 | (bit(insn, 16) ? AUX_UNSIGNED : 0);
	return true;
}

static bool tr_from_int(struct tr *t, uint32_t insn, unsigned fracbits)
{
	static op_fn *const fns[2][3] = {
		{op_from_w_h, op_from_w_s, op_from_w_d},
		{op_from_x_h, op_from_x_s, op_from_x_d},
	};
	int type = fp_type_index(t, insn);
	struct uop *u;

	if (type < 0) {
		return false;
	}
	u = simd_emit_op(t, insn, fns[F_SF(insn)][type]);
	u->rn = tr_xr(F_RN(insn));
	u->aux = fracbits | ROUNDING_DYNAMIC << 8 | (bit(insn, 16) ? AUX_UNSIGNED : 0);
	return true;
}

bool tr_fp_to_int(struct tr *t, uint32_t insn)
{
	return tr_to_int(t, insn, (unsigned)bits(insn, 20, 19), 0);
}

bool tr_fp_to_int_away(struct tr *t, uint32_t insn)
{
	return tr_to_int(t, insn, FP_ROUNDING_TIEAWAY, 0);
}

bool tr_fp_from_int(struct tr *t, uint32_t insn)
{
	return tr_from_int(t, insn, 0);
}

// A fixed-point W register has at most 32 fraction bits.
static bool fixed_fracbits(uint32_t insn, unsigned *fracbits)
{
	*fracbits = 64 - (unsigned)bits(insn, 15, 10);
	return F_SF(insn) || *fracbits <= 32;
}

bool tr_fp_to_fixed(struct tr *t, uint32_t insn)
{
	unsigned fracbits;

	return fixed_fracbits(insn, &fracbits) && tr_to_int(t, insn, FP_ROUNDING_ZERO, fracbits);
}

bool tr_fp_from_fixed(struct tr *t, uint32_t insn)
{
	unsigned fracbits;

	return fixed_fracbits(insn, &fracbits) && tr_from_int(t, insn, fracbits);
}

static NOINLINE uint64_t fjcvtzs(struct pe *pe, uint64_t a)
{
	bool z;
	uint64_t r = fp64_to_js(FP_ENV, a, &z);

	pe_set_nzcv(pe, z ? 1u << 30 : 0);
	return r;
}

static OP(op_fjcvtzs)
{
	XD = fjcvtzs(pe, VN.d[0]);
	NEXT;
}

bool tr_fjcvtzs(struct tr *t, uint32_t insn)
{
	simd_emit_op(t, insn, op_fjcvtzs)->rd = tr_xw(F_RD(insn));
	return true;
}

// ---- FMOV with general-purpose registers --------------------------------------------------------

static OP(op_fmov_h_to_general)
{
	XD = VN.h[0];
	NEXT;
}

static OP(op_fmov_s_to_general)
{
	XD = VN.s[0];
	NEXT;
}

static OP(op_fmov_d_to_general)
{
	XD = VN.d[0];
	NEXT;
}

static OP(op_fmov_top_to_general)
{
	XD = VN.d[1];
	NEXT;
}

static OP(op_fmov_h_from_general)
{
	VD.d[0] = (uint16_t)XN;
	VD.d[1] = 0;
	NEXT;
}

static OP(op_fmov_s_from_general)
{
	VD.d[0] = WN;
	VD.d[1] = 0;
	NEXT;
}

static OP(op_fmov_d_from_general)
{
	VD.d[0] = XN;
	VD.d[1] = 0;
	NEXT;
}

static OP(op_fmov_top_from_general)
{
	VD.d[1] = XN;
	NEXT;
}

// Half with W or X, single with W, double with X.
static bool fmov_general_ok(const struct tr *t, uint32_t insn, int *type)
{
	*type = fp_type_index(t, insn);
	return *type == 0 || (*type == 1 && !F_SF(insn)) || (*type == 2 && F_SF(insn));
}

bool tr_fmov_to_general(struct tr *t, uint32_t insn)
{
	static op_fn *const fns[3] = {op_fmov_h_to_general, op_fmov_s_to_general,
				      op_fmov_d_to_general};
	int type;

	if (!fmov_general_ok(t, insn, &type)) {
		return false;
	}
	simd_emit_op(t, insn, fns[type])->rd = tr_xw(F_RD(insn));
	return true;
}

bool tr_fmov_from_general(struct tr *t, uint32_t insn)
{
	static op_fn *const fns[3] = {op_fmov_h_from_general, op_fmov_s_from_general,
				      op_fmov_d_from_general};
	int type;

	if (!fmov_general_ok(t, insn, &type)) {
		return false;
	}
	simd_emit_op(t, insn, fns[type])->rn = tr_xr(F_RN(insn));
	return true;
}

bool tr_fmov_top_to_general(struct tr *t, uint32_t insn)
{
	simd_emit_op(t, insn, op_fmov_top_to_general)->rd = tr_xw(F_RD(insn));
	return true;
}

bool tr_fmov_top_from_general(struct tr *t, uint32_t insn)
{
	simd_emit_op(t, insn, op_fmov_top_from_general)->rn = tr_xr(F_RN(insn));
	return true;
}

// ---- between precisions -------------------------------------------------------------------------

#define DEF_FCVT(name, fn, from, to) \
	static OP(op_fcvt_##name) \
	{ \
		WRITE_SCALAR(to, rd, fn(FP_ENV, VN.from[0])); \
		NEXT; \
	}

DEF_FCVT(h_to_s, fp16_to_fp32, h, s)
DEF_FCVT(h_to_d, fp16_to_fp64, h, d)
DEF_FCVT(s_to_h, fp32_to_fp16, s, h)
DEF_FCVT(s_to_d, fp32_to_fp64, s, d)
DEF_FCVT(d_to_h, fp64_to_fp16, d, h)
DEF_FCVT(d_to_s, fp64_to_fp32, d, s)
DEF_FCVT(s_to_bf16, fp32_to_bf16, s, h)

// FCVT is base floating point even for half precision.
bool tr_fcvt(struct tr *t, uint32_t insn)
{
	static op_fn *const fns[4][4] = {
		{NULL, op_fcvt_s_to_d, NULL, op_fcvt_s_to_h},
		{op_fcvt_d_to_s, NULL, NULL, op_fcvt_d_to_h},
		{NULL, NULL, NULL, NULL},
		{op_fcvt_h_to_s, op_fcvt_h_to_d, NULL, NULL},
	};
	op_fn *fn = fns[bits(insn, 23, 22)][bits(insn, 16, 15)];

	if (fn == NULL) {
		return false;
	}
	simd_emit_op(t, insn, fn);
	return true;
}

bool tr_bfcvt(struct tr *t, uint32_t insn)
{
	simd_emit_op(t, insn, op_fcvt_s_to_bf16);
	return true;
}

// ---- rounding to integral values ----------------------------------------------------------------

#define AUX_EXACT (1u << 16)

#define DEF_FRINT(name, width, field) \
	static OP(op_frint_##name) \
	{ \
		WRITE_SCALAR(field, rd, \
			     fp##width##_round_int(FP_ENV, VN.field[0], aux_rounding(pe, op), \
						   op->aux &AUX_EXACT)); \
		NEXT; \
	}

DEF_FRINT(h, 16, h)
DEF_FRINT(s, 32, s)
DEF_FRINT(d, 64, d)

bool tr_frint(struct tr *t, uint32_t insn)
{
	// FRINTN, P, M, Z, A, reserved, X, I.
	static const uint32_t aux[8] = {
		FP_ROUNDING_TIEEVEN << 8,          FP_ROUNDING_POSINF << 8,
		FP_ROUNDING_NEGINF << 8,           FP_ROUNDING_ZERO << 8,
		FP_ROUNDING_TIEAWAY << 8,          0,
		ROUNDING_DYNAMIC << 8 | AUX_EXACT, ROUNDING_DYNAMIC << 8,
	};
	static op_fn *const fns[3] = {op_frint_h, op_frint_s, op_frint_d};
	unsigned rmode = (unsigned)bits(insn, 17, 15);
	int type = fp_type_index(t, insn);

	if (type < 0 || rmode == 5) {
		return false;
	}
	simd_emit_op(t, insn, fns[type])->aux = aux[rmode];
	return true;
}

static OP(op_frint_sized_s)
{
	WRITE_SCALAR(s, rd,
		     fp32_round_int_n(FP_ENV, VN.s[0], aux_rounding(pe, op), op->aux & 0xff));
	NEXT;
}

static OP(op_frint_sized_d)
{
	WRITE_SCALAR(d, rd,
		     fp64_round_int_n(FP_ENV, VN.d[0], aux_rounding(pe, op), op->aux & 0xff));
	NEXT;
}

// FRINT32Z, FRINT32X, FRINT64Z, FRINT64X.
bool tr_frint_sized(struct tr *t, uint32_t insn)
{
	struct uop *u = simd_emit_op(t, insn, bit(insn, 22) ? op_frint_sized_d : op_frint_sized_s);

	u->aux = (bit(insn, 16) ? 64u : 32u) |
		 (bit(insn, 15) ? (unsigned)ROUNDING_DYNAMIC : FP_ROUNDING_ZERO) << 8;
	return true;
}
