// SPDX-License-Identifier: Apache-2.0
// Advanced SIMD: the handler that calls workers, and the translators of the common shapes.
#include <string.h>

#include "cpu/simd_internal.h"

// aux of by-element forms: index in 7:0, Rm in 15:8. The worker finds the repeated element through
// op->rm. aux of scalar forms that merge: the register in 28:24.
#define ELEMENT_SCRATCH 32
#define MERGE_REGISTER 24

OP(op_simd_call)
{
	((simd_fn *)(uintptr_t)op->imm)(pe, op);
	NEXT;
}

static inline void repeat_element(struct pe *pe, const struct uop *op)
{
	const union vreg *from = &pe->v[op->aux >> 8 & 31];
	unsigned index = op->aux & 0xff;

	switch (op->ra) {
	case 2:
		VREG_AS(v_uint16, rm) = (v_uint16){0} + from->h[index];
		break;
	case 4:
		VREG_AS(v_uint32, rm) = (v_uint32){0} + from->s[index];
		break;
	default:
		VREG_AS(v_uint64, rm) = (v_uint64){0} + from->d[index];
	}
}

// A scalar form with FPCR.NEP set: the worker's result, whose size is op->ra, over the elements of
// another register. A worker of a by-element form finds the repeated element where its handler puts
// it.
static NOINLINE void merge(struct pe *pe, const struct uop *op)
{
	union vreg result = pe->v[op->aux >> MERGE_REGISTER & 31];

	((simd_fn *)(uintptr_t)op->imm)(pe, op);
	memcpy(&result, &VD, op->ra);
	VD = result;
}

OP(op_simd_merging)
{
	if (op->rm == ELEMENT_SCRATCH) {
		repeat_element(pe, op);
	}
	if (unlikely(pe->fp.fpcr & FP_CR_NEP)) {
		merge(pe, op);
	} else {
		((simd_fn *)(uintptr_t)op->imm)(pe, op);
	}
	NEXT;
}

bool simd_merging(struct tr *t, unsigned others)
{
	struct uop *u = t->out - 1;

	if (tr_has(t, FEAT_AFP)) {
		u->fn = op_simd_merging;
		u->aux |= others << MERGE_REGISTER;
	}
	return true;
}

struct uop *simd_emit_op(struct tr *t, uint32_t insn, op_fn *fn)
{
	struct uop *u = tr_emit(t, fn);

	u->rd = (uint8_t)F_RD(insn);
	u->rn = (uint8_t)F_RN(insn);
	u->rm = (uint8_t)F_RM(insn);
	return u;
}

struct uop *simd_emit(struct tr *t, uint32_t insn, simd_fn *fn, unsigned bytes)
{
	struct uop *u = simd_emit_op(t, insn, op_simd_call);

	u->imm = (uintptr_t)fn;
	u->ra = (uint8_t)bytes;
	return u;
}

bool simd_tr_sized(struct tr *t, uint32_t insn, simd_fn *const fns[4])
{
	unsigned size = F_SIZE(insn);

	if (fns[size] == NULL || (!simd_is_scalar(insn) && size == 3 && !F_Q(insn))) {
		return false;
	}
	simd_emit(t, insn, fns[size], simd_bytes(insn, size));
	return true;
}

bool simd_tr_sized_op(struct tr *t, uint32_t insn, op_fn *const fns[2][4])
{
	unsigned size = F_SIZE(insn), q = simd_is_scalar(insn) ? 0 : F_Q(insn);

	if (fns[q][size] == NULL || (!simd_is_scalar(insn) && size == 3 && !q)) {
		return false;
	}
	simd_emit_op(t, insn, fns[q][size]);
	return true;
}

bool simd_tr_fp(struct tr *t, uint32_t insn, simd_fn *const fns[4])
{
	unsigned size = 2 + bit(insn, 22);

	if (fns[size] == NULL || (!simd_is_scalar(insn) && size == 3 && !F_Q(insn))) {
		return false;
	}
	simd_emit(t, insn, fns[size], simd_bytes(insn, size));
	return true;
}

bool simd_tr_fp16(struct tr *t, uint32_t insn, simd_fn *const fns[4])
{
	if (fns[1] == NULL) {
		return false;
	}
	simd_emit(t, insn, fns[1], simd_bytes(insn, 1));
	return true;
}

// ---- by element ---------------------------------------------------------------------------------

#define DEF_ELEMENT(name, type, view) \
	OP(op_simd_element_##name) \
	{ \
		VREG_AS(type, rm) = (type){0} + pe->v[op->aux >> 8 & 31].view[op->aux & 0xff]; \
		((simd_fn *)(uintptr_t)op->imm)(pe, op); \
		NEXT; \
	}

DEF_ELEMENT(h, v_uint16, h)
DEF_ELEMENT(s, v_uint32, s)
DEF_ELEMENT(d, v_uint64, d)

struct uop *simd_emit_element(struct tr *t, uint32_t insn, simd_fn *fn, unsigned size, unsigned rm,
			      unsigned index, unsigned bytes)
{
	static op_fn *const ops[4] = {NULL, op_simd_element_h, op_simd_element_s,
				      op_simd_element_d};
	struct uop *u = simd_emit(t, insn, fn, bytes);

	u->fn = ops[size];
	u->rm = ELEMENT_SCRATCH;
	u->aux = rm << 8 | index;
	return u;
}

bool simd_tr_element(struct tr *t, uint32_t insn, simd_fn *fn, unsigned size, unsigned bytes)
{
	unsigned h = bit(insn, 11), l = bit(insn, 21), m = bit(insn, 20);

	switch (size) {
	case 1:
		simd_emit_element(t, insn, fn, size, (unsigned)bits(insn, 19, 16),
				  h << 2 | l << 1 | m, bytes);
		return true;
	case 2:
		simd_emit_element(t, insn, fn, size, F_RM(insn), h << 1 | l, bytes);
		return true;
	default:
		if (l) {
			return false;
		}
		simd_emit_element(t, insn, fn, size, F_RM(insn), h, bytes);
		return true;
	}
}
