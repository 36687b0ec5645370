// SPDX-License-Identifier: Apache-2.0
// Common Short Sequence Compression (FEAT_CSSC): absolute value, bit counts, minimum and maximum
// (Arm ARM C4.1.92, C4.1.95).
#include "base/bits.h"
#include "cpu/exec_int.h"

#define DEF_UNARY(name, expr64, expr32) \
	static OP(name##_x) \
	{ \
		uint64_t a = XN; \
\
		XD = (expr64); \
		NEXT; \
	} \
	static OP(name##_w) \
	{ \
		uint32_t a = WN; \
\
		XD = (uint32_t)(expr32); \
		NEXT; \
	}

DEF_UNARY(op_abs, (int64_t)a < 0 ? -a : a, (int32_t)a < 0 ? -a : a)
DEF_UNARY(op_cnt, (uint64_t)__builtin_popcountll(a), __builtin_popcount(a))
DEF_UNARY(op_ctz, a == 0 ? 64 : (uint64_t)__builtin_ctzll(a), a == 0 ? 32 : __builtin_ctz(a))

static bool tr_unary(struct tr *t, uint32_t insn)
{
	static op_fn *const fns[2][3] = {{op_ctz_w, op_cnt_w, op_abs_w},
					 {op_ctz_x, op_cnt_x, op_abs_x}};
	unsigned opcode = (unsigned)bits(insn, 13, 10); // CTZ 6, CNT 7, ABS 8: one row each
	struct uop *u;

	u = tr_emit(t, fns[F_SF(insn)][opcode - 6]);
	u->rd = tr_xw(F_RD(insn));
	u->rn = tr_xr(F_RN(insn));
	return true;
}

bool tr_ctz(struct tr *t, uint32_t insn)
{
	return tr_unary(t, insn);
}

bool tr_cnt(struct tr *t, uint32_t insn)
{
	return tr_unary(t, insn);
}

bool tr_abs(struct tr *t, uint32_t insn)
{
	return tr_unary(t, insn);
}

#define SIGNED_x (int64_t)
#define SIGNED_w (int32_t)(uint32_t)
#define UNSIGNED_x (uint64_t)
#define UNSIGNED_w (uint32_t)
#define DEF_CHOICE_ONE(name, width, operand, cast, relation) \
	static OP(name##_##width) \
	{ \
		uint64_t a = XN, b = (operand); \
\
		XD = UNSIGNED_##width((cast##_##width a)relation(cast##_##width b) ? a : b); \
		NEXT; \
	}
#define DEF_CHOICE(name, operand, cast, relation) \
	DEF_CHOICE_ONE(name, x, operand, cast, relation) \
	DEF_CHOICE_ONE(name, w, operand, cast, relation)

DEF_CHOICE(op_smax_imm, op->imm, SIGNED, >=)
DEF_CHOICE(op_umax_imm, op->imm, UNSIGNED, >=)
DEF_CHOICE(op_smin_imm, op->imm, SIGNED, <=)
DEF_CHOICE(op_umin_imm, op->imm, UNSIGNED, <=)
DEF_CHOICE(op_smax_reg, XM, SIGNED, >=)
DEF_CHOICE(op_umax_reg, XM, UNSIGNED, >=)
DEF_CHOICE(op_smin_reg, XM, SIGNED, <=)
DEF_CHOICE(op_umin_reg, XM, UNSIGNED, <=)

// In the order of bits 19:18 of the immediate form and of bits 11:10 of the register form: SMAX,
// UMAX, SMIN, UMIN.
bool tr_minmax_imm(struct tr *t, uint32_t insn)
{
	static op_fn *const fns[2][4] = {{op_smax_imm_w, op_umax_imm_w, op_smin_imm_w,
					  op_umin_imm_w},
					 {op_smax_imm_x, op_umax_imm_x, op_smin_imm_x,
					  op_umin_imm_x}};
	unsigned opc = (unsigned)bits(insn, 19, 18);
	struct uop *u = tr_emit(t, fns[F_SF(insn)][opc]);
	uint64_t imm = bits(insn, 17, 10);

	u->rd = tr_xw(F_RD(insn));
	u->rn = tr_xr(F_RN(insn));
	u->imm = opc & 1 ? imm : (uint64_t)sext(imm, 8);
	return true;
}

bool tr_minmax_reg(struct tr *t, uint32_t insn)
{
	static op_fn *const fns[2][4] = {{op_smax_reg_w, op_umax_reg_w, op_smin_reg_w,
					  op_umin_reg_w},
					 {op_smax_reg_x, op_umax_reg_x, op_smin_reg_x,
					  op_umin_reg_x}};

	tr_rrr(tr_emit(t, fns[F_SF(insn)][bits(insn, 11, 10)]), insn);
	return true;
}
