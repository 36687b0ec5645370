// SPDX-License-Identifier: Apache-2.0
// LDP, STP, LDNP, STNP, LDPSW of general-purpose and SIMD&FP registers (Arm ARM C4.1.94).
#include "cpu/exec_internal.h"
#include "cpu/mem.h"

// The second register is op->rm. Both loads complete before a register changes, so that a fault on the second leaves
// everything as it was.

#define PRE_imm base + op->imm
#define PRE_pre base + op->imm
#define PRE_post base
#define AFTER_imm
#define AFTER_pre pe->x[op->rn] = va
#define AFTER_post pe->x[op->rn] = base + op->imm

#define ALL_MODES(DEF, name, ...) \
	DEF(name, imm, __VA_ARGS__) \
	DEF(name, pre, __VA_ARGS__) \
	DEF(name, post, __VA_ARGS__) \
	static op_fn *const name[4] = {name##_imm, name##_post, name##_imm, name##_pre};

#define DEF_LOAD_PAIR(name, mode, size, store) \
	static OP(name##_##mode) \
	{ \
		uint64_t base = XN, va = PRE_##mode; \
		struct mem_val a, b; \
\
		CHECK_SP_ALIGNMENT(base); \
		a = mem_load(pe, op, va, size); \
		if (unlikely(!a.ok)) { \
			return exc_raise(pe, op); \
		} \
		b = mem_load(pe, op, va + size, size); \
		if (unlikely(!b.ok)) { \
			return exc_raise(pe, op); \
		} \
		store; \
		AFTER_##mode; \
		NEXT; \
	}

#define DEF_STORE_PAIR(name, mode, size, first, second) \
	static OP(name##_##mode) \
	{ \
		uint64_t base = XN, va = PRE_##mode; \
\
		CHECK_SP_ALIGNMENT(base); \
		if (unlikely(!mem_store(pe, op, va, size, first) || \
			     !mem_store(pe, op, va + size, size, second))) { \
			return exc_raise(pe, op); \
		} \
		AFTER_##mode; \
		NEXT; \
	}

ALL_MODES(DEF_STORE_PAIR, stp_w, 4, XD, XM)
ALL_MODES(DEF_STORE_PAIR, stp_x, 8, XD, XM)
ALL_MODES(DEF_LOAD_PAIR, ldp_w, 4, (XD = a.v, XM = b.v))
ALL_MODES(DEF_LOAD_PAIR, ldpsw, 4, (XD = (uint64_t)(int32_t)a.v, XM = (uint64_t)(int32_t)b.v))
ALL_MODES(DEF_LOAD_PAIR, ldp_x, 8, (XD = a.v, XM = b.v))
ALL_MODES(DEF_STORE_PAIR, stp_s, 4, VD.d[0], VM.d[0])
ALL_MODES(DEF_STORE_PAIR, stp_d, 8, VD.d[0], VM.d[0])
ALL_MODES(DEF_LOAD_PAIR, ldp_s, 4, (VD.d[0] = a.v, VD.d[1] = 0, VM.d[0] = b.v, VM.d[1] = 0))
ALL_MODES(DEF_LOAD_PAIR, ldp_d, 8, (VD.d[0] = a.v, VD.d[1] = 0, VM.d[0] = b.v, VM.d[1] = 0))

#define DEF_LDP_Q(name, mode, unused) \
	static OP(name##_##mode) \
	{ \
		uint64_t base = XN, va = PRE_##mode; \
\
		CHECK_SP_ALIGNMENT(base); \
		if (unlikely(!mem_load16(pe, op, va, &pe->scratch[0]) || \
			     !mem_load16(pe, op, va + 16, &pe->scratch[2]))) { \
			return exc_raise(pe, op); \
		} \
		VD.d[0] = pe->scratch[0]; \
		VD.d[1] = pe->scratch[1]; \
		VM.d[0] = pe->scratch[2]; \
		VM.d[1] = pe->scratch[3]; \
		AFTER_##mode; \
		NEXT; \
	}

#define DEF_STP_Q(name, mode, unused) \
	static OP(name##_##mode) \
	{ \
		uint64_t base = XN, va = PRE_##mode; \
\
		CHECK_SP_ALIGNMENT(base); \
		if (unlikely(!mem_store16(pe, op, va, &VD) || !mem_store16(pe, op, va + 16, &VM))) { \
			return exc_raise(pe, op); \
		} \
		AFTER_##mode; \
		NEXT; \
	}

ALL_MODES(DEF_LDP_Q, ldp_q, 0)
ALL_MODES(DEF_STP_Q, stp_q, 0)

// Fill in the operands common to all pairs; scale is log2 of one register's size.
static void tr_pair(struct uop *u, uint32_t insn, unsigned scale)
{
	u->rn = tr_xr_sp(F_RN(insn));
	u->sp_mask = F_RN(insn) == 31 ? 15 : 0;
	u->imm = (uint64_t)sext(bits(insn, 21, 15), 7) << scale;
}

bool tr_ldst_pair(struct tr *t, uint32_t insn)
{
	static op_fn *const *const fns[4][2] = {{stp_w, ldp_w}, {NULL, ldpsw}, {stp_x, ldp_x}, {NULL, NULL}};
	unsigned opc = insn >> 30, mode = (unsigned)bits(insn, 24, 23);
	bool load = bit(insn, 22);
	struct uop *u;

	if (fns[opc][load] == NULL || (opc == 1 && mode == 0)) {
		return false;
	}
	u = tr_emit(t, fns[opc][load][mode]);
	tr_pair(u, insn, opc == 2 ? 3 : 2);
	u->rd = load ? tr_xw(F_RD(insn)) : tr_xr(F_RD(insn));
	u->rm = load ? tr_xw(F_RA(insn)) : tr_xr(F_RA(insn));
	return true;
}

bool tr_ldst_pair_v(struct tr *t, uint32_t insn)
{
	static op_fn *const *const fns[3][2] = {{stp_s, ldp_s}, {stp_d, ldp_d}, {stp_q, ldp_q}};
	unsigned opc = insn >> 30, mode = (unsigned)bits(insn, 24, 23);
	struct uop *u;

	if (opc == 3) {
		return false;
	}
	u = tr_emit(t, fns[opc][bit(insn, 22)][mode]);
	tr_pair(u, insn, opc + 2);
	u->rd = (uint8_t)F_RD(insn);
	u->rm = (uint8_t)F_RA(insn);
	return true;
}
