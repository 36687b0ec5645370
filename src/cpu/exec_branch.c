// SPDX-License-Identifier: Apache-2.0
// Branches, and the uops that begin and end blocks (Arm ARM C4.1.93).
#include "cpu/exec_internal.h"
#include "cpu/exec_pauth.h"

// ---- block plumbing -----------------------------------------------------------------------------

OP(op_leave_before)
{
	pe->pc = pe_uop_pc(pe, op);
	return NULL;
}

// What becomes of the first uop of a block whose page was written: give the budget back and look up
// anew. The header knows where the block begins; the first uop may be a pair and have the address
// of its second instruction.
OP(op_dead)
{
	pe->budget += (int64_t)op[-1].aux;
	return code_lookup_enter(pe, pe_uop_pc(pe, op - 1));
}

OP(op_b_in)
{
	GOTO_IN_PAGE;
}

OP(op_b_out)
{
	GOTO_OUT_OF_PAGE;
}

// Last uop of a block after an instruction that may have changed anything.
OP(op_leave_next)
{
	GOTO_NEXT_PC;
}

// ---- direct branches ----------------------------------------------------------------------------

// Set up a branch to pc_off + offset. In page: aux is the target's page offset and target starts
// NULL.
static struct uop *emit_branch(struct tr *t, op_fn *in, op_fn *out, int64_t offset)
{
	uint64_t to = t->pc_off + (uint64_t)offset;
	struct uop *u;

	if (to < PAGE_SIZE) {
		u = tr_emit(t, in);
		u->target = NULL;
		u->aux = (uint32_t)to;
	} else {
		u = tr_emit(t, out);
		u->imm = to;
	}
	return u;
}

#define DEF_LINKING(name, where) \
	static OP(name) \
	{ \
		pe->x[30] = pe_uop_pc(pe, op) + 4; \
		where; \
	}
DEF_LINKING(op_bl_in, GOTO_IN_PAGE)
DEF_LINKING(op_bl_out, GOTO_OUT_OF_PAGE)

bool tr_b(struct tr *t, uint32_t insn)
{
	int64_t offset = sext(bits(insn, 25, 0), 26) * 4;

	if (bit(insn, 31)) {
		emit_branch(t, op_bl_in, op_bl_out, offset);
	} else {
		emit_branch(t, op_b_in, op_b_out, offset);
	}
	return true;
}

// Conditional branches do not end a block: not taken, the next uop follows; taken, the instructions
// that were paid for and are not executed are given back.
#define DEF_CONDITIONAL(name, condition) \
	static OP(name##_in) \
	{ \
		if (condition) { \
			pe->budget += op->rest; \
			GOTO_IN_PAGE; \
		} \
		NEXT; \
	} \
	static OP(name##_out) \
	{ \
		if (condition) { \
			pe->budget += op->rest; \
			GOTO_OUT_OF_PAGE; \
		} \
		NEXT; \
	}

#define DEF_COND(n) DEF_CONDITIONAL(op_bcond_##n, cond_holds(pe, n))
DEF_COND(0)
DEF_COND(1)
DEF_COND(2)
DEF_COND(3)
DEF_COND(4)
DEF_COND(5)
DEF_COND(6)
DEF_COND(7)
DEF_COND(8)
DEF_COND(9)
DEF_COND(10)
DEF_COND(11)
DEF_COND(12)
DEF_COND(13)

#define COND_ROW(n) \
	{ \
		op_bcond_##n##_in, op_bcond_##n##_out \
	}
// AL and NV, 14 and 15, are unconditional: they are given back what follows them like any other.
DEF_COND(14)
static op_fn *const b_cond[16][2] = {
	COND_ROW(0),  COND_ROW(1),  COND_ROW(2),  COND_ROW(3),  COND_ROW(4),  COND_ROW(5),
	COND_ROW(6),  COND_ROW(7),  COND_ROW(8),  COND_ROW(9),  COND_ROW(10), COND_ROW(11),
	COND_ROW(12), COND_ROW(13), COND_ROW(14), COND_ROW(14),
};

static bool emit_conditional(struct tr *t, op_fn *in, op_fn *out, int64_t offset, unsigned rn,
			     unsigned rm)
{
	struct uop *u = emit_branch(t, in, out, offset);

	u->rn = tr_xr(rn);
	u->rm = (uint8_t)rm;
	t->goes_on = true;
	return true;
}

bool tr_b_cond(struct tr *t, uint32_t insn)
{
	op_fn *const *fns = b_cond[insn & 15];
	int64_t offset = sext(bits(insn, 23, 5), 19) * 4;
	op_fn *in, *out;

	if (t->last != NULL && fuse_compare(t->last, insn & 15, &in, &out)) {
		struct uop compare = *t->last, *u;

		tr_fuse(t);
		u = emit_branch(t, in, out, offset);
		u->rd = compare.rd;
		u->rn = compare.rn;
		u->rm = compare.rm;
		u->aux |= (uint32_t)compare.imm << 12;
		t->goes_on = true;
		return true;
	}
	return emit_conditional(t, fns[0], fns[1], sext(bits(insn, 23, 5), 19) * 4, 31, 0);
}

// BC.cond: the hint that the branch behaves consistently says nothing here.
bool tr_bc_cond(struct tr *t, uint32_t insn)
{
	return tr_b_cond(t, insn);
}

DEF_CONDITIONAL(op_cbz_w, WN == 0)
DEF_CONDITIONAL(op_cbz_x, XN == 0)
DEF_CONDITIONAL(op_cbnz_w, WN != 0)
DEF_CONDITIONAL(op_cbnz_x, XN != 0)
DEF_CONDITIONAL(op_tbz, !((XN >> op->rm) & 1))
DEF_CONDITIONAL(op_tbnz, (XN >> op->rm) & 1)

bool tr_cbz(struct tr *t, uint32_t insn)
{
	static op_fn *const fns[4][2] = {{op_cbz_w_in, op_cbz_w_out},
					 {op_cbnz_w_in, op_cbnz_w_out},
					 {op_cbz_x_in, op_cbz_x_out},
					 {op_cbnz_x_in, op_cbnz_x_out}};
	op_fn *const *row = fns[F_SF(insn) << 1 | bit(insn, 24)];

	return emit_conditional(t, row[0], row[1], sext(bits(insn, 23, 5), 19) * 4, F_RD(insn), 0);
}

bool tr_tbz(struct tr *t, uint32_t insn)
{
	unsigned n = (unsigned)(bits(insn, 31, 31) << 5 | bits(insn, 23, 19));
	int64_t offset = sext(bits(insn, 18, 5), 14) * 4;

	if (bit(insn, 24)) {
		return emit_conditional(t, op_tbnz_in, op_tbnz_out, offset, F_RD(insn), n);
	}
	return emit_conditional(t, op_tbz_in, op_tbz_out, offset, F_RD(insn), n);
}

// ---- indirect branches --------------------------------------------------------------------------
// PSTATE.BTYPE matters only when the target lies in a guarded page or when an exception is taken
// before the target runs; it is set before the look-up and cleared by it unless it has to stay
// (code_lookup_indirect).

// BTYPE of BR: 1 through X16 or X17 or from a non-guarded page, else 3 (Arm ARM, BranchTo and
// BTypeNext).
static OP(op_br)
{
	GOTO_PC_INDIRECT(XN, op->aux);
}

static OP(op_blr)
{
	uint64_t target = XN;

	pe->x[30] = pe_uop_pc(pe, op) + 4;
	GOTO_PC_INDIRECT(target, 2);
}

static OP(op_ret)
{
	GOTO_PC(XN);
}

static struct uop *emit_indirect(struct tr *t, op_fn *fn, uint32_t insn)
{
	struct uop *u = tr_emit(t, fn);

	u->rn = tr_xr(F_RN(insn));
	u->aux = F_RN(insn) == 16 || F_RN(insn) == 17 ? 1 : 3;
	return u;
}

bool tr_br(struct tr *t, uint32_t insn)
{
	emit_indirect(t, op_br, insn);
	return true;
}

bool tr_blr(struct tr *t, uint32_t insn)
{
	emit_indirect(t, op_blr, insn);
	return true;
}

bool tr_ret(struct tr *t, uint32_t insn)
{
	emit_indirect(t, op_ret, insn);
	return true;
}

// ---- authenticated branches ---------------------------------------------------------------------
// rm: modifier register (X_ZERO for the Z forms); bit 10 of the instruction selects key B.

static OP(op_bra)
{
	uint64_t target;

	if (!pauth_auth_branch(pe, op, XN, XM, bit(op->insn, 10))) {
		return exc_raise(pe, op);
	}
	target = pe->scratch[0];
	GOTO_PC_INDIRECT(target, op->aux);
}

static OP(op_blra)
{
	uint64_t target;

	if (!pauth_auth_branch(pe, op, XN, XM, bit(op->insn, 10))) {
		return exc_raise(pe, op);
	}
	target = pe->scratch[0];
	pe->x[30] = pe_uop_pc(pe, op) + 4;
	GOTO_PC_INDIRECT(target, 2);
}

static OP(op_reta)
{
	if (!pauth_auth_branch(pe, op, pe->x[30], pe->x[X_SP], bit(op->insn, 10))) {
		return exc_raise(pe, op);
	}
	GOTO_PC(pe->scratch[0]);
}

bool tr_braz(struct tr *t, uint32_t insn)
{
	emit_indirect(t, op_bra, insn)->rm = X_ZERO;
	return true;
}

bool tr_blraz(struct tr *t, uint32_t insn)
{
	emit_indirect(t, op_blra, insn)->rm = X_ZERO;
	return true;
}

bool tr_bra(struct tr *t, uint32_t insn)
{
	emit_indirect(t, op_bra, insn)->rm = tr_xr_sp(F_RD(insn));
	return true;
}

bool tr_blra(struct tr *t, uint32_t insn)
{
	emit_indirect(t, op_blra, insn)->rm = tr_xr_sp(F_RD(insn));
	return true;
}

bool tr_reta(struct tr *t, uint32_t insn)
{
	(void)insn;
	tr_emit(t, op_reta);
	return true;
}
