// SPDX-License-Identifier: Apache-2.0
// Advanced SIMD integer arithmetic: three registers of the same type, two-register miscellaneous,
// pairwise and across lanes. Multiplications and the widening forms are in exec_simd_mul.c, shifts
// in exec_simd_shift.c.
#include "cpu/simd_internal.h"

// ---- whole-register handlers --------------------------------------------------------------------
// a, b and c are Rn, Rm and Rd. The _lo handler is for results of 64 bits: the upper half of Rd
// becomes zero.

#define DEF_WHOLE(name, type, expr) \
	SIMD_OP(op_##name##_q) \
	{ \
		type a = VREG_AS(type, rn), b = VREG_AS(type, rm), c = VREG_AS(type, rd); \
\
		(void)b; \
		(void)c; \
		VREG_AS(type, rd) = (type)(expr); \
		NEXT; \
	} \
	SIMD_OP(op_##name##_lo) \
	{ \
		type a = VREG_AS(type, rn), b = VREG_AS(type, rm), c = VREG_AS(type, rd); \
\
		(void)b; \
		(void)c; \
		VREG_AS(type, rd) = (type)(expr); \
		VD.d[1] = 0; \
		NEXT; \
	}

#define TR_WHOLE_BHS(name) \
	static op_fn *const name##_fns[2][4] = { \
		{op_##name##_b_lo, op_##name##_h_lo, op_##name##_s_lo, NULL}, \
		{op_##name##_b_q, op_##name##_h_q, op_##name##_s_q, NULL}, \
	}; \
	TR_SIZED_OP(simd_##name, name)

#define DEF_WHOLE_BHS(name, sign, expr) \
	DEF_WHOLE(name##_b, v_##sign##8, expr) \
	DEF_WHOLE(name##_h, v_##sign##16, expr) \
	DEF_WHOLE(name##_s, v_##sign##32, expr) \
	TR_WHOLE_BHS(name)

// With a 64-bit form and a scalar row.
#define DEF_WHOLE_BHSD(name, sign, expr) \
	DEF_WHOLE(name##_b, v_##sign##8, expr) \
	DEF_WHOLE(name##_h, v_##sign##16, expr) \
	DEF_WHOLE(name##_s, v_##sign##32, expr) \
	DEF_WHOLE(name##_d, v_##sign##64, expr) \
	static op_fn *const name##_fns[2][4] = { \
		{op_##name##_b_lo, op_##name##_h_lo, op_##name##_s_lo, op_##name##_d_lo}, \
		{op_##name##_b_q, op_##name##_h_q, op_##name##_s_q, op_##name##_d_q}, \
	}; \
	TR_SIZED_OP(simd_##name, name) \
	TR_SIZED_OP(simd_##name##_x, name)

DEF_WHOLE_BHSD(add, uint, a + b)
DEF_WHOLE_BHSD(sub, uint, a - b)
DEF_WHOLE_BHSD(cmeq, uint, a == b)
DEF_WHOLE_BHSD(cmtst, uint, (a & b) != 0)
DEF_WHOLE_BHSD(cmgt, int, a > b)
DEF_WHOLE_BHSD(cmge, int, a >= b)
DEF_WHOLE_BHSD(cmhi, uint, a > b)
DEF_WHOLE_BHSD(cmhs, uint, a >= b)
DEF_WHOLE_BHSD(cmeq_zero, int, a == 0)
DEF_WHOLE_BHSD(cmgt_zero, int, a > 0)
DEF_WHOLE_BHSD(cmge_zero, int, a >= 0)
DEF_WHOLE_BHSD(cmle_zero, int, a <= 0)
DEF_WHOLE_BHSD(cmlt_zero, int, a < 0)
DEF_WHOLE_BHSD(neg, uint, -a)

#define SELECT(mask, x, y) (((x) & (mask)) | ((y) & ~(mask)))
DEF_WHOLE_BHS(smax, int, SELECT(a > b, a, b))
DEF_WHOLE_BHS(smin, int, SELECT(a < b, a, b))
DEF_WHOLE_BHS(umax, uint, SELECT(a > b, a, b))
DEF_WHOLE_BHS(umin, uint, SELECT(a < b, a, b))
DEF_WHOLE_BHS(mul, uint, a *b)
DEF_WHOLE_BHS(mla, uint, c + a * b)
DEF_WHOLE_BHS(mls, uint, c - a * b)

#define DEF_LOGICAL(name, expr) \
	DEF_WHOLE(name, v_uint64, expr) \
	bool tr_simd_##name(struct tr *t, uint32_t insn) \
	{ \
		simd_emit_op(t, insn, F_Q(insn) ? op_##name##_q : op_##name##_lo); \
		return true; \
	}

DEF_LOGICAL(and, a &b)
DEF_LOGICAL(bic, a & ~b)
DEF_LOGICAL(orr, a | b)
DEF_LOGICAL(orn, a | ~b)
DEF_LOGICAL(eor, a ^ b)
DEF_LOGICAL(bsl, SELECT(c, a, b))
DEF_LOGICAL(bit, SELECT(b, a, c))
DEF_LOGICAL(bif, SELECT(b, c, a))
DEF_LOGICAL(not, ~a)

// ---- halving, saturating, absolute difference ---------------------------------------------------

#define DEF_BINARY_BHS(name, sign, expr) \
	DEF_FOR_BHS(DEF_BINARY, name, sign, expr) \
	TABLE_BHS(name); \
	TR_SIZED(simd_##name, name)

#define DEF_TERNARY_BHS(name, sign, expr) \
	DEF_FOR_BHS(DEF_TERNARY, name, sign, expr) \
	TABLE_BHS(name); \
	TR_SIZED(simd_##name, name)

#define DEF_BINARY_BHSD_X(name, sign, expr) \
	DEF_FOR_BHSD(DEF_BINARY, name, sign, expr) \
	TABLE_BHSD(name); \
	TR_SIZED(simd_##name, name) \
	TR_SIZED(simd_##name##_x, name)

#define DEF_UNARY_BHSD_X(name, sign, expr) \
	DEF_FOR_BHSD(DEF_UNARY, name, sign, expr) \
	TABLE_BHSD(name); \
	TR_SIZED(simd_##name, name) \
	TR_SIZED(simd_##name##_x, name)

#define DEF_UNARY_BHS(name, sign, expr) \
	DEF_FOR_BHS(DEF_UNARY, name, sign, expr) \
	TABLE_BHS(name); \
	TR_SIZED(simd_##name, name)

#define WIDTH(v) ((unsigned)sizeof(v) * 8)

DEF_BINARY_BHS(shadd, int, ((int64_t)a + b) >> 1)
DEF_BINARY_BHS(uhadd, uint, ((uint64_t)a + b) >> 1)
DEF_BINARY_BHS(srhadd, int, ((int64_t)a + b + 1) >> 1)
DEF_BINARY_BHS(urhadd, uint, ((uint64_t)a + b + 1) >> 1)
DEF_BINARY_BHS(shsub, int, ((int64_t)a - b) >> 1)
DEF_BINARY_BHS(uhsub, uint, ((uint64_t)a - b) >> 1)
DEF_BINARY_BHS(sabd, int, a > b ? (int64_t)a - b : (int64_t)b - a)
DEF_BINARY_BHS(uabd, uint, a > b ? a - b : b - a)
DEF_TERNARY_BHS(saba, int, c + (a > b ? (int64_t)a - b : (int64_t)b - a))
DEF_TERNARY_BHS(uaba, uint, c + (uint64_t)(a > b ? a - b : b - a))

DEF_BINARY_BHSD_X(sqadd, int, simd_sat_signed(pe, (__int128)a + b, WIDTH(a)))
DEF_BINARY_BHSD_X(uqadd, uint, simd_sat_unsigned(pe, (__int128)a + b, WIDTH(a)))
DEF_BINARY_BHSD_X(sqsub, int, simd_sat_signed(pe, (__int128)a - b, WIDTH(a)))
DEF_BINARY_BHSD_X(uqsub, uint, simd_sat_unsigned(pe, (__int128)a - b, WIDTH(a)))
DEF_UNARY_BHSD_X(sqabs, int, simd_sat_signed(pe, a < 0 ? -(__int128)a : a, WIDTH(a)))
DEF_UNARY_BHSD_X(sqneg, int, simd_sat_signed(pe, -(__int128)a, WIDTH(a)))
DEF_UNARY_BHSD_X(abs, uint, a >> (WIDTH(a) - 1) ? -(uint64_t)a : a)

// SUQADD and USQADD accumulate into Rd the other signedness of Rn.
#define DEF_ACCUMULATE(name, view, type, expr) \
	SIMD_WORKER(name) \
	{ \
		union vreg n = VN, d = VD, r = {{0}}; \
		unsigned count = op->ra / (unsigned)sizeof(type); \
\
		for (unsigned i = 0; i < count; i++) { \
			type a = n.view[i], c = d.view[i]; \
\
			r.view[i] = (expr); \
		} \
		VD = r; \
	}

DEF_FOR_BHSD(DEF_ACCUMULATE, suqadd, uint,
	     simd_sat_signed(pe, (__int128)a + sext(c, WIDTH(c)), WIDTH(a)))
DEF_FOR_BHSD(DEF_ACCUMULATE, usqadd, uint,
	     simd_sat_unsigned(pe, (__int128)sext(a, WIDTH(a)) + c, WIDTH(a)))
TABLE_BHSD(suqadd);
TABLE_BHSD(usqadd);
TR_SIZED(simd_suqadd, suqadd)
TR_SIZED(simd_suqadd_x, suqadd)
TR_SIZED(simd_usqadd, usqadd)
TR_SIZED(simd_usqadd_x, usqadd)

// ---- bits ---------------------------------------------------------------------------------------

DEF_UNARY_BHS(clz, uint, clz32(a) - (32 - WIDTH(a)))
// CLS counts the bits after the sign bit that equal it.
DEF_UNARY_BHS(cls, int, clz32((uint32_t)(a ^ (a >> (WIDTH(a) - 1)))) - (32 - WIDTH(a)) - 1)

DEF_UNARY(cnt_b, b, uint8_t, (uint8_t)__builtin_popcount(a))

static inline uint8_t reverse_byte(uint8_t v)
{
	v = (uint8_t)((v >> 1 & 0x55) | (v & 0x55) << 1);
	v = (uint8_t)((v >> 2 & 0x33) | (v & 0x33) << 2);
	return (uint8_t)(v >> 4 | v << 4);
}

DEF_UNARY(rbit_b, b, uint8_t, reverse_byte(a))

bool tr_simd_cnt(struct tr *t, uint32_t insn)
{
	simd_emit(t, insn, cnt_b, simd_bytes(insn, 0));
	return true;
}

bool tr_simd_rbit(struct tr *t, uint32_t insn)
{
	simd_emit(t, insn, rbit_b, simd_bytes(insn, 0));
	return true;
}

// REV16, REV32, REV64: the elements in each container change places.
#define DEF_REVERSE(name, view, container) \
	SIMD_WORKER(name) \
	{ \
		union vreg n = VN, r = {{0}}; \
		unsigned count = op->ra / (unsigned)sizeof(n.view[0]), \
			 flip = (container) / (unsigned)sizeof(n.view[0]) - 1; \
\
		for (unsigned i = 0; i < count; i++) { \
			r.view[i] = n.view[i ^ flip]; \
		} \
		VD = r; \
	}

DEF_REVERSE(rev64_b, b, 8)
DEF_REVERSE(rev64_h, h, 8)
DEF_REVERSE(rev64_s, s, 8)
DEF_REVERSE(rev32_b, b, 4)
DEF_REVERSE(rev32_h, h, 4)
DEF_REVERSE(rev16_b, b, 2)
TABLE_BHS(rev64);
static simd_fn *const rev32_fns[4] = {rev32_b, rev32_h, NULL, NULL};
static simd_fn *const rev16_fns[4] = {rev16_b, NULL, NULL, NULL};
TR_SIZED(simd_rev64, rev64)
TR_SIZED(simd_rev32, rev32)
TR_SIZED(simd_rev16, rev16)

// ---- pairwise -----------------------------------------------------------------------------------
// Element i of the result joins elements 2i and 2i + 1 of Rm:Rn.

#define DEF_PAIRWISE(name, view, type, expr) \
	SIMD_WORKER(name) \
	{ \
		union vreg n = VN, m = VM, r = {{0}}; \
		unsigned count = op->ra / (unsigned)sizeof(type), half = count / 2; \
\
		for (unsigned i = 0; i < half; i++) { \
			type a = (type)n.view[2 * i], b = (type)n.view[2 * i + 1]; \
\
			r.view[i] = (expr); \
			a = (type)m.view[2 * i]; \
			b = (type)m.view[2 * i + 1]; \
			r.view[half + i] = (expr); \
		} \
		VD = r; \
	}

#define DEF_PAIRWISE_BHS(name, sign, expr) \
	DEF_FOR_BHS(DEF_PAIRWISE, name, sign, expr) \
	TABLE_BHS(name); \
	TR_SIZED(simd_##name, name)

DEF_PAIRWISE_BHS(smaxp, int, a > b ? a : b)
DEF_PAIRWISE_BHS(sminp, int, a < b ? a : b)
DEF_PAIRWISE_BHS(umaxp, uint, a > b ? a : b)
DEF_PAIRWISE_BHS(uminp, uint, a < b ? a : b)
DEF_FOR_BHSD(DEF_PAIRWISE, addp, uint, a + b)
TABLE_BHSD(addp);
TR_SIZED(simd_addp, addp)

static OP(op_addp_x)
{
	VD.d[0] = VN.d[0] + VN.d[1];
	VD.d[1] = 0;
	NEXT;
}

bool tr_simd_addp_x(struct tr *t, uint32_t insn)
{
	simd_emit_op(t, insn, op_addp_x);
	return true;
}

// SADDLP, UADDLP and the accumulating SADALP, UADALP: adjacent elements into one of twice the size.
#define DEF_ADD_LONG_PAIRWISE(name, from, from_type, to, to_type) \
	SIMD_WORKER(name##addlp_##from) \
	{ \
		union vreg n = VN, r = {{0}}; \
		unsigned count = op->ra / (unsigned)sizeof(to_type); \
\
		for (unsigned i = 0; i < count; i++) { \
			r.to[i] = (to_type)((to_type)(from_type)n.from[2 * i] + \
					    (from_type)n.from[2 * i + 1]); \
		} \
		VD = r; \
	} \
	SIMD_WORKER(name##adalp_##from) \
	{ \
		union vreg n = VN, r = {{0}}, d = VD; \
		unsigned count = op->ra / (unsigned)sizeof(to_type); \
\
		for (unsigned i = 0; i < count; i++) { \
			to_type sum = (to_type)((to_type)(from_type)n.from[2 * i] + \
						(from_type)n.from[2 * i + 1]); \
\
			r.to[i] = d.to[i] + (uint64_t)sum; \
		} \
		VD = r; \
	}

DEF_ADD_LONG_PAIRWISE(s, b, int8_t, h, int16_t)
DEF_ADD_LONG_PAIRWISE(s, h, int16_t, s, int32_t)
DEF_ADD_LONG_PAIRWISE(s, s, int32_t, d, int64_t)
DEF_ADD_LONG_PAIRWISE(u, b, uint8_t, h, uint16_t)
DEF_ADD_LONG_PAIRWISE(u, h, uint16_t, s, uint32_t)
DEF_ADD_LONG_PAIRWISE(u, s, uint32_t, d, uint64_t)
TABLE_BHS(saddlp);
TABLE_BHS(uaddlp);
TABLE_BHS(sadalp);
TABLE_BHS(uadalp);
TR_SIZED(simd_saddlp, saddlp)
TR_SIZED(simd_uaddlp, uaddlp)
TR_SIZED(simd_sadalp, sadalp)
TR_SIZED(simd_uadalp, uadalp)

// ---- across lanes -------------------------------------------------------------------------------
// op->ra counts the bytes of the source here; the result is a scalar of type `to`. expr joins acc
// and a.

#define DEF_ACROSS(name, view, type, to, to_type, expr) \
	SIMD_WORKER(name) \
	{ \
		union vreg n = VN, r = {{0}}; \
		unsigned count = op->ra / (unsigned)sizeof(type); \
		to_type acc = (type)n.view[0]; \
\
		for (unsigned i = 1; i < count; i++) { \
			type a = (type)n.view[i]; \
\
			acc = (to_type)(expr); \
		} \
		r.to[0] = acc; \
		VD = r; \
	}

// A vector of two words is reserved.
static bool tr_across(struct tr *t, uint32_t insn, simd_fn *const fns[4])
{
	if (F_SIZE(insn) == 2 && !F_Q(insn)) {
		return false;
	}
	return simd_tr_sized(t, insn, fns);
}

#define DEF_ACROSS_SAME(name, sign, expr) \
	DEF_ACROSS(name##_b, b, sign##8_t, b, sign##8_t, expr) \
	DEF_ACROSS(name##_h, h, sign##16_t, h, sign##16_t, expr) \
	DEF_ACROSS(name##_s, s, sign##32_t, s, sign##32_t, expr) \
	TABLE_BHS(name); \
	bool tr_simd_##name(struct tr *t, uint32_t insn) \
	{ \
		return tr_across(t, insn, name##_fns); \
	}

#define DEF_ACROSS_LONG(name, sign) \
	DEF_ACROSS(name##_b, b, sign##8_t, h, sign##16_t, acc + a) \
	DEF_ACROSS(name##_h, h, sign##16_t, s, sign##32_t, acc + a) \
	DEF_ACROSS(name##_s, s, sign##32_t, d, sign##64_t, acc + a) \
	TABLE_BHS(name); \
	bool tr_simd_##name(struct tr *t, uint32_t insn) \
	{ \
		return tr_across(t, insn, name##_fns); \
	}

DEF_ACROSS_SAME(addv, uint, acc + a)
DEF_ACROSS_SAME(smaxv, int, acc > a ? acc : a)
DEF_ACROSS_SAME(sminv, int, acc < a ? acc : a)
DEF_ACROSS_SAME(umaxv, uint, acc > a ? acc : a)
DEF_ACROSS_SAME(uminv, uint, acc < a ? acc : a)
DEF_ACROSS_LONG(saddlv, int)
DEF_ACROSS_LONG(uaddlv, uint)

// ---- unsigned estimates -------------------------------------------------------------------------

DEF_UNARY(urecpe, s, uint32_t, fp_unsigned_recip_estimate(a))
DEF_UNARY(ursqrte, s, uint32_t, fp_unsigned_rsqrt_estimate(a))

bool tr_simd_urecpe(struct tr *t, uint32_t insn)
{
	simd_emit(t, insn, urecpe, simd_bytes(insn, 2));
	return true;
}

bool tr_simd_ursqrte(struct tr *t, uint32_t insn)
{
	simd_emit(t, insn, ursqrte, simd_bytes(insn, 2));
	return true;
}
