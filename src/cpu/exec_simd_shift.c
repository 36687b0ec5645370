// SPDX-License-Identifier: Apache-2.0
// Advanced SIMD shifts, by register and by immediate, and the narrowing and widening moves that are
// their kin.
#include "cpu/simd_internal.h"

#define WIDTH(v) ((unsigned)sizeof(v) * 8)

// ---- by register --------------------------------------------------------------------------------

enum { SHIFT_ROUND = 1, SHIFT_SATURATE = 2 };

// SSHL and its relatives: left by the signed low byte of Rm, or right if that is negative. v is
// extended from an element of `width` bits. 128 bits hold each intermediate value exactly.
static inline uint64_t shift_by_register(struct pe *pe, __int128 v, int shift, unsigned width,
					 bool is_unsigned, unsigned how)
{
	if (shift >= 0) {
		if (shift >= (int)width) {
			// Every bit leaves: zero stays zero, anything else saturates.
			if (!(how & SHIFT_SATURATE)) {
				return 0;
			}
			v = v == 0 ? 0 : v > 0 ? (__int128)1 << 100 : -((__int128)1 << 100);
		} else {
			v *= (__int128)1 << shift;
		}
		if (how & SHIFT_SATURATE) {
			return is_unsigned ? simd_sat_unsigned(pe, v, width)
					   : simd_sat_signed(pe, v, width);
		}
		return (uint64_t)v;
	}
	shift = shift < -100 ? 100 : -shift;
	if (how & SHIFT_ROUND) {
		v += (__int128)1 << (shift - 1);
	}
	return (uint64_t)(v >> shift);
}

#define DEF_SHIFT_REGISTER(name, sign, is_unsigned, how) \
	DEF_FOR_BHSD(DEF_BINARY, name, sign, \
		     shift_by_register(pe, a, (int8_t)b, WIDTH(a), is_unsigned, how)) \
	TABLE_BHSD(name); \
	TR_SIZED(simd_##name, name) \
	TR_SIZED(simd_##name##_x, name)

DEF_SHIFT_REGISTER(sshl, int, false, 0)
DEF_SHIFT_REGISTER(ushl, uint, true, 0)
DEF_SHIFT_REGISTER(srshl, int, false, SHIFT_ROUND)
DEF_SHIFT_REGISTER(urshl, uint, true, SHIFT_ROUND)
DEF_SHIFT_REGISTER(sqshl, int, false, SHIFT_SATURATE)
DEF_SHIFT_REGISTER(uqshl, uint, true, SHIFT_SATURATE)
DEF_SHIFT_REGISTER(sqrshl, int, false, SHIFT_SATURATE | SHIFT_ROUND)
DEF_SHIFT_REGISTER(uqrshl, uint, true, SHIFT_SATURATE | SHIFT_ROUND)

// ---- by immediate, same size --------------------------------------------------------------------
// a and c are the elements of Rn and Rd, n the shift: 1 to the width for right shifts, 0 to width -
// 1 for left ones.

#define DEF_SHIFT_IMM(name, view, type, expr) \
	SIMD_WORKER(name) \
	{ \
		union vreg vn = VN, vd = VD, r = {{0}}; \
		unsigned count = op->ra / (unsigned)sizeof(type), n = op->aux; \
\
		for (unsigned i = 0; i < count; i++) { \
			type a = (type)vn.view[i], c = (type)vd.view[i]; \
\
			(void)c; \
			r.view[i] = (expr); \
		} \
		VD = r; \
	}

#define DEF_SHIFT_IMM_BHSD(name, sign, expr) \
	DEF_FOR_BHSD(DEF_SHIFT_IMM, name, sign, expr) \
	TABLE_BHSD(name)

#define SSHR(v, n) ((n) < WIDTH(v) ? (v) >> (n) : (v) >> (WIDTH(v) - 1))
#define USHR(v, n) ((n) < WIDTH(v) ? (v) >> (n) : 0)
#define ROUND_SHR(v, n) (uint64_t)(((__int128)(v) + ((__int128)1 << ((n)-1))) >> (n))
#define LOW_ONES(n) (~UINT64_C(0) >> 1 >> (63 - (n))) // n from 0 to 63

DEF_SHIFT_IMM_BHSD(sshr, int, SSHR(a, n));
DEF_SHIFT_IMM_BHSD(ushr, uint, USHR(a, n));
DEF_SHIFT_IMM_BHSD(ssra, int, (uint64_t)c + (uint64_t)SSHR(a, n));
DEF_SHIFT_IMM_BHSD(usra, uint, c + USHR(a, n));
DEF_SHIFT_IMM_BHSD(srshr, int, ROUND_SHR(a, n));
DEF_SHIFT_IMM_BHSD(urshr, uint, ROUND_SHR(a, n));
DEF_SHIFT_IMM_BHSD(srsra, int, (uint64_t)c + ROUND_SHR(a, n));
DEF_SHIFT_IMM_BHSD(ursra, uint, c + ROUND_SHR(a, n));
DEF_SHIFT_IMM_BHSD(sri, uint, USHR(a, n) | (c & ~LOW_ONES(WIDTH(a) - n)));
DEF_SHIFT_IMM_BHSD(shl, uint, (uint64_t)a << n);
DEF_SHIFT_IMM_BHSD(sli, uint, (uint64_t)a << n | (c & LOW_ONES(n)));
DEF_SHIFT_IMM_BHSD(sqshlu_imm, int, simd_sat_unsigned(pe, a *((__int128)1 << n), WIDTH(a)));
DEF_SHIFT_IMM_BHSD(sqshl_imm, int, simd_sat_signed(pe, a *((__int128)1 << n), WIDTH(a)));
DEF_SHIFT_IMM_BHSD(uqshl_imm, uint, simd_sat_unsigned(pe, a *((__int128)1 << n), WIDTH(a)));

// The common ones of whole registers.
#define DEF_SHIFT_WHOLE(name, type, operator) \
	static OP(op_##name) \
	{ \
		type a = VREG_AS(type, rn); \
\
		VREG_AS(type, rd) = a operator(int) op->aux; \
		NEXT; \
	}

DEF_SHIFT_WHOLE(shl_b, v_uint8, <<)
DEF_SHIFT_WHOLE(shl_h, v_uint16, <<)
DEF_SHIFT_WHOLE(shl_s, v_uint32, <<)
DEF_SHIFT_WHOLE(shl_d, v_uint64, <<)
DEF_SHIFT_WHOLE(ushr_b, v_uint8, >>)
DEF_SHIFT_WHOLE(ushr_h, v_uint16, >>)
DEF_SHIFT_WHOLE(ushr_s, v_uint32, >>)
DEF_SHIFT_WHOLE(ushr_d, v_uint64, >>)
DEF_SHIFT_WHOLE(sshr_b, v_int8, >>)
DEF_SHIFT_WHOLE(sshr_h, v_int16, >>)
DEF_SHIFT_WHOLE(sshr_s, v_int32, >>)
DEF_SHIFT_WHOLE(sshr_d, v_int64, >>)

// ---- narrowing ----------------------------------------------------------------------------------
// expr of a, an element of Rn of twice the width, and n, the shift; W is the width of the result.

#define DEF_NARROW(name, from, from_type, to, to_bits, expr) \
	SIMD_WORKER(name) \
	{ \
		union vreg vn = VN, r = {{0}}; \
		unsigned count = simd_is_scalar(op->insn) ? 1 : 64 / (to_bits), n = op->aux; \
		enum { W = (to_bits) }; \
\
		(void)n; \
		for (unsigned i = 0; i < count; i++) { \
			from_type a = (from_type)vn.from[i]; \
\
			r.to[i] = (expr); \
		} \
		simd_write_half(pe, op, r.d[0]); \
	}

#define DEF_NARROW_BHS(name, sign, expr) \
	DEF_NARROW(name##_b, h, sign##16_t, b, 8, expr) \
	DEF_NARROW(name##_h, s, sign##32_t, h, 16, expr) \
	DEF_NARROW(name##_s, d, sign##64_t, s, 32, expr) \
	TABLE_BHS(name);

DEF_NARROW_BHS(shrn, uint, a >> n)
DEF_NARROW_BHS(rshrn, uint, ROUND_SHR(a, n))
DEF_NARROW_BHS(sqshrn, int, simd_sat_signed(pe, a >> n, W))
DEF_NARROW_BHS(sqrshrn, int, simd_sat_signed(pe, ((__int128)a + ((__int128)1 << (n - 1))) >> n, W))
DEF_NARROW_BHS(sqshrun, int, simd_sat_unsigned(pe, a >> n, W))
DEF_NARROW_BHS(sqrshrun, int,
	       simd_sat_unsigned(pe, ((__int128)a + ((__int128)1 << (n - 1))) >> n, W))
DEF_NARROW_BHS(uqshrn, uint, simd_sat_unsigned(pe, a >> n, W))
DEF_NARROW_BHS(uqrshrn, uint,
	       simd_sat_unsigned(pe, ((__int128)a + ((__int128)1 << (n - 1))) >> n, W))

DEF_NARROW_BHS(xtn, uint, a)
DEF_NARROW_BHS(sqxtn, int, simd_sat_signed(pe, a, W))
DEF_NARROW_BHS(sqxtun, int, simd_sat_unsigned(pe, a, W))
DEF_NARROW_BHS(uqxtn, uint, simd_sat_unsigned(pe, a, W))

// A narrow result has any element size but 64 bits, whatever Q says.
static bool tr_narrow(struct tr *t, uint32_t insn, simd_fn *const fns[4])
{
	if (fns[F_SIZE(insn)] == NULL) {
		return false;
	}
	simd_emit(t, insn, fns[F_SIZE(insn)], 0);
	return true;
}

#define TR_NARROW(row, name) \
	bool tr_##row(struct tr *t, uint32_t insn) \
	{ \
		return tr_narrow(t, insn, name##_fns); \
	}

TR_NARROW(simd_xtn, xtn)
TR_NARROW(simd_sqxtn, sqxtn)
TR_NARROW(simd_sqxtn_x, sqxtn)
TR_NARROW(simd_sqxtun, sqxtun)
TR_NARROW(simd_sqxtun_x, sqxtun)
TR_NARROW(simd_uqxtn, uqxtn)
TR_NARROW(simd_uqxtn_x, uqxtn)

// ---- widening -----------------------------------------------------------------------------------

#define DEF_SHIFT_LONG(name, from, from_type, to, count) \
	SIMD_WORKER(name) \
	{ \
		union vreg vn = simd_source_half(op, VN), r; \
\
		for (unsigned i = 0; i < (count); i++) { \
			r.to[i] = (uint64_t)(int64_t)(from_type)vn.from[i] << op->aux; \
		} \
		VD = r; \
	}

DEF_SHIFT_LONG(sshll_b, b, int8_t, h, 8)
DEF_SHIFT_LONG(sshll_h, h, int16_t, s, 4)
DEF_SHIFT_LONG(sshll_s, s, int32_t, d, 2)
DEF_SHIFT_LONG(ushll_b, b, uint8_t, h, 8)
DEF_SHIFT_LONG(ushll_h, h, uint16_t, s, 4)
DEF_SHIFT_LONG(ushll_s, s, uint32_t, d, 2)
TABLE_BHS(sshll);
TABLE_BHS(ushll);

bool tr_simd_shll(struct tr *t, uint32_t insn)
{
	unsigned size = F_SIZE(insn);

	if (size == 3) {
		return false;
	}
	simd_emit(t, insn, ushll_fns[size], 16)->aux = 8u << size;
	return true;
}

// ---- decoding of the shifts by immediate --------------------------------------------------------

enum shift_kind {
	SHIFT_NONE,
	SHIFT_RIGHT,
	SHIFT_LEFT,
	SHIFT_NARROW,
	SHIFT_LONG,
	SHIFT_TO_FIXED,
	SHIFT_FROM_FIXED
};

struct shift_row {
	enum shift_kind kind;
	bool scalar; // has a scalar form
	bool scalar_any; // of every element size, not of 64 bits alone
	simd_fn *const *fns;
};

static const struct shift_row shift_rows[2][32] = {
	{
		[0x00] = {SHIFT_RIGHT, true, false, sshr_fns},
		[0x02] = {SHIFT_RIGHT, true, false, ssra_fns},
		[0x04] = {SHIFT_RIGHT, true, false, srshr_fns},
		[0x06] = {SHIFT_RIGHT, true, false, srsra_fns},
		[0x0a] = {SHIFT_LEFT, true, false, shl_fns},
		[0x0e] = {SHIFT_LEFT, true, true, sqshl_imm_fns},
		[0x10] = {SHIFT_NARROW, false, false, shrn_fns},
		[0x11] = {SHIFT_NARROW, false, false, rshrn_fns},
		[0x12] = {SHIFT_NARROW, true, true, sqshrn_fns},
		[0x13] = {SHIFT_NARROW, true, true, sqrshrn_fns},
		[0x14] = {SHIFT_LONG, false, false, sshll_fns},
		[0x1c] = {SHIFT_FROM_FIXED, true, true, NULL},
		[0x1f] = {SHIFT_TO_FIXED, true, true, NULL},
	},
	{
		[0x00] = {SHIFT_RIGHT, true, false, ushr_fns},
		[0x02] = {SHIFT_RIGHT, true, false, usra_fns},
		[0x04] = {SHIFT_RIGHT, true, false, urshr_fns},
		[0x06] = {SHIFT_RIGHT, true, false, ursra_fns},
		[0x08] = {SHIFT_RIGHT, true, false, sri_fns},
		[0x0a] = {SHIFT_LEFT, true, false, sli_fns},
		[0x0c] = {SHIFT_LEFT, true, true, sqshlu_imm_fns},
		[0x0e] = {SHIFT_LEFT, true, true, uqshl_imm_fns},
		[0x10] = {SHIFT_NARROW, true, true, sqshrun_fns},
		[0x11] = {SHIFT_NARROW, true, true, sqrshrun_fns},
		[0x12] = {SHIFT_NARROW, true, true, uqshrn_fns},
		[0x13] = {SHIFT_NARROW, true, true, uqrshrn_fns},
		[0x14] = {SHIFT_LONG, false, false, ushll_fns},
		[0x1c] = {SHIFT_FROM_FIXED, true, true, NULL},
		[0x1f] = {SHIFT_TO_FIXED, true, true, NULL},
	},
};

// Whole 128-bit registers have handlers of their own for the common shifts.
static op_fn *shift_whole(simd_fn *const *fns, unsigned size, unsigned amount)
{
	static op_fn *const shl_ops[4] = {op_shl_b, op_shl_h, op_shl_s, op_shl_d};
	static op_fn *const ushr_ops[4] = {op_ushr_b, op_ushr_h, op_ushr_s, op_ushr_d};
	static op_fn *const sshr_ops[4] = {op_sshr_b, op_sshr_h, op_sshr_s, op_sshr_d};

	if (amount >= 8u << size) {
		return NULL;
	}
	return fns == shl_fns    ? shl_ops[size]
	       : fns == ushr_fns ? ushr_ops[size]
	       : fns == sshr_fns ? sshr_ops[size]
				 : NULL;
}

static bool tr_shift_fixed(struct tr *t, uint32_t insn, const struct shift_row *row, unsigned size,
			   unsigned fracbits)
{
	simd_fn *const *fns = row->kind == SHIFT_TO_FIXED ? simd_to_fixed_fns[F_U(insn)]
							  : simd_from_fixed_fns[F_U(insn)];
	unsigned rounding =
		row->kind == SHIFT_TO_FIXED ? (unsigned)FP_ROUNDING_ZERO : SIMD_ROUNDING_DYNAMIC;

	if (size == 0 || (size == 1 && !tr_has(t, FEAT_FP16))) {
		return false;
	}
	simd_emit(t, insn, fns[size], simd_bytes(insn, size))->aux = fracbits | rounding << 8;
	return !simd_is_scalar(insn) || simd_merging(t, F_RD(insn));
}

static bool tr_shift(struct tr *t, uint32_t insn)
{
	const struct shift_row *row = &shift_rows[F_U(insn)][bits(insn, 15, 11)];
	unsigned immh = (unsigned)bits(insn, 22, 19), immhb = (unsigned)bits(insn, 22, 16), size,
		 right;
	bool scalar = simd_is_scalar(insn);
	struct uop *u;
	op_fn *fn;

	if (immh == 0 || row->kind == SHIFT_NONE || (scalar && !row->scalar)) {
		return false;
	}
	size = 31 - clz32(immh);
	right = (16u << size) - immhb;
	switch (row->kind) {
	case SHIFT_NARROW:
	case SHIFT_LONG:
		if (size == 3) {
			return false;
		}
		break;
	default:
		if (scalar ? size != 3 && !row->scalar_any : size == 3 && !F_Q(insn)) {
			return false;
		}
		break;
	}
	if (row->kind == SHIFT_TO_FIXED || row->kind == SHIFT_FROM_FIXED) {
		return tr_shift_fixed(t, insn, row, size, right);
	}
	u = simd_emit(t, insn, row->fns[size], simd_bytes(insn, size));
	u->aux = row->kind == SHIFT_LEFT || row->kind == SHIFT_LONG ? immhb - (8u << size) : right;
	if (u->ra == 16) {
		fn = shift_whole(row->fns, size, u->aux);
		u->fn = fn != NULL ? fn : u->fn;
	}
	return true;
}

bool tr_simd_shift_imm(struct tr *t, uint32_t insn)
{
	return tr_shift(t, insn);
}

bool tr_simd_shift_imm_x(struct tr *t, uint32_t insn)
{
	return tr_shift(t, insn);
}
