// SPDX-License-Identifier: Apache-2.0
// LD1-LD4, ST1-ST4 and LD1R-LD4R: multiple and single structures, with and without post-index (Arm
// ARM C4.1.94).
//
// A load reads everything into pe->scratch before it changes a register, and the base is written
// back last. Each element is an access of its own for alignment and faults; where the whole of it
// lies in one page that the fast TLB knows, neither can occur and it moves at once.
#include <string.h>

#include "cpu/exec_internal.h"
#include "cpu/mem.h"

// aux: log2 of the element's bytes in 1:0, registers of a structure in 4:2, structures side by side
// (LD1 of several registers) in 7:5, Q in 8, total bytes in 23:16, index of a single structure in
// 31:24. The base becomes base + imm + Xm afterwards: imm is 0 and rm the zero register where they
// do not count.
#define AUX_SIZE (op->aux & 3)
#define AUX_SELEM (op->aux >> 2 & 7)
#define AUX_RPT (op->aux >> 5 & 7)
#define AUX_Q (op->aux >> 8 & 1)
#define AUX_TOTAL (op->aux >> 16 & 0xff)
#define AUX_INDEX (op->aux >> 24)

static inline union vreg *ldst_reg(struct pe *pe, const struct uop *op, unsigned i)
{
	return &pe->v[(op->rd + i) & 31];
}

static bool read_elements(struct pe *pe, const struct uop *op, uint64_t va)
{
	uint8_t *out = (uint8_t *)pe->scratch;
	unsigned size = 1u << AUX_SIZE;

	for (unsigned at = 0; at < AUX_TOTAL; at += size) {
		struct mem_val r = mem_load(pe, op, va + at, size);

		if (!r.ok) {
			return false;
		}
		memcpy(out + at, &r.v, size);
	}
	return true;
}

static bool write_elements(struct pe *pe, const struct uop *op, uint64_t va)
{
	const uint8_t *in = (const uint8_t *)pe->scratch;
	unsigned size = 1u << AUX_SIZE;

	for (unsigned at = 0; at < AUX_TOTAL; at += size) {
		uint64_t v = 0;

		memcpy(&v, in + at, size);
		if (!mem_store(pe, op, va + at, size, v)) {
			return false;
		}
	}
	return true;
}

// memcpy of the usual sizes without a call.
static inline void copy(void *to, const void *from, unsigned total)
{
	switch (total) {
	case 16:
		memcpy(to, from, 16);
		break;
	case 32:
		memcpy(to, from, 32);
		break;
	case 64:
		memcpy(to, from, 64);
		break;
	default:
		memcpy(to, from, total);
		break;
	}
}

static inline bool read_scratch(struct pe *pe, const struct uop *op, uint64_t va)
{
	const struct fast_entry *entry = mem_entry(pe->fast, va);
	unsigned total = AUX_TOTAL;

	if (mem_hit(entry->tag_r, va, total)) {
		copy(pe->scratch, (const void *)(uintptr_t)(va + entry->addend), total);
		return true;
	}
	return read_elements(pe, op, va);
}

static inline bool write_scratch(struct pe *pe, const struct uop *op, uint64_t va)
{
	const struct fast_entry *entry = mem_entry(pe->fast, va);
	unsigned total = AUX_TOTAL;

	if (mem_hit(entry->tag_w, va, total)) {
		copy((void *)(uintptr_t)(va + entry->addend), pe->scratch, total);
		return true;
	}
	return write_elements(pe, op, va);
}

#define WRITE_BACK (XN = base + op->imm + XM)

// ---- placing and gathering ----------------------------------------------------------------------

// Whole registers, one after the other.
static void place_whole(struct pe *pe, const struct uop *op)
{
	const uint64_t *in = pe->scratch;

	for (unsigned i = 0; i < AUX_RPT; i++) {
		union vreg *v = ldst_reg(pe, op, i);

		v->d[0] = *in++;
		v->d[1] = AUX_Q ? *in++ : 0;
	}
}

static void gather_whole(struct pe *pe, const struct uop *op)
{
	uint64_t *out = pe->scratch;

	for (unsigned i = 0; i < AUX_RPT; i++) {
		const union vreg *v = ldst_reg(pe, op, i);

		*out++ = v->d[0];
		if (AUX_Q) {
			*out++ = v->d[1];
		}
	}
}

// Structures of AUX_SELEM elements: element e of register r is element e * selem + r of memory.
// Single structures: one element at AUX_INDEX of each register.
#define DEF_PLACE(view, type) \
	static void place_##view(struct pe *pe, const struct uop *op) \
	{ \
		const type *in = (const type *)pe->scratch; \
		unsigned selem = AUX_SELEM, count = (AUX_Q ? 16 : 8) / (unsigned)sizeof(type); \
\
		for (unsigned r = 0; r < selem; r++) { \
			union vreg *v = ldst_reg(pe, op, r); \
\
			v->d[1] = 0; \
			for (unsigned e = 0; e < count; e++) { \
				v->view[e] = in[e * selem + r]; \
			} \
		} \
	} \
	static void gather_##view(struct pe *pe, const struct uop *op) \
	{ \
		type *out = (type *)pe->scratch; \
		unsigned selem = AUX_SELEM, count = (AUX_Q ? 16 : 8) / (unsigned)sizeof(type); \
\
		for (unsigned r = 0; r < selem; r++) { \
			const union vreg *v = ldst_reg(pe, op, r); \
\
			for (unsigned e = 0; e < count; e++) { \
				out[e * selem + r] = v->view[e]; \
			} \
		} \
	} \
	static void place_one_##view(struct pe *pe, const struct uop *op) \
	{ \
		for (unsigned r = 0; r < AUX_SELEM; r++) { \
			ldst_reg(pe, op, r)->view[AUX_INDEX] = ((const type *)pe->scratch)[r]; \
		} \
	} \
	static void gather_one_##view(struct pe *pe, const struct uop *op) \
	{ \
		for (unsigned r = 0; r < AUX_SELEM; r++) { \
			((type *)pe->scratch)[r] = ldst_reg(pe, op, r)->view[AUX_INDEX]; \
		} \
	} \
	static void replicate_##view(struct pe *pe, const struct uop *op) \
	{ \
		unsigned count = (AUX_Q ? 16 : 8) / (unsigned)sizeof(type); \
\
		for (unsigned r = 0; r < AUX_SELEM; r++) { \
			union vreg *v = ldst_reg(pe, op, r); \
\
			v->d[1] = 0; \
			for (unsigned e = 0; e < count; e++) { \
				v->view[e] = ((const type *)pe->scratch)[r]; \
			} \
		} \
	}

DEF_PLACE(b, uint8_t)
DEF_PLACE(h, uint16_t)
DEF_PLACE(s, uint32_t)
DEF_PLACE(d, uint64_t)

// ---- handlers -----------------------------------------------------------------------------------

#define DEF_LDST(name) \
	static OP(op_ld_##name) \
	{ \
		uint64_t base = XN; \
\
		CHECK_SP_ALIGNMENT(base); \
		if (unlikely(!read_scratch(pe, op, base))) { \
			return exc_raise(pe, op); \
		} \
		place_##name(pe, op); \
		WRITE_BACK; \
		NEXT; \
	} \
	static OP(op_st_##name) \
	{ \
		uint64_t base = XN; \
\
		CHECK_SP_ALIGNMENT(base); \
		gather_##name(pe, op); \
		if (unlikely(!write_scratch(pe, op, base))) { \
			return exc_raise(pe, op); \
		} \
		WRITE_BACK; \
		NEXT; \
	}

#define DEF_LD_REPLICATE(view) \
	static OP(op_ld_replicate_##view) \
	{ \
		uint64_t base = XN; \
\
		CHECK_SP_ALIGNMENT(base); \
		if (unlikely(!read_scratch(pe, op, base))) { \
			return exc_raise(pe, op); \
		} \
		replicate_##view(pe, op); \
		WRITE_BACK; \
		NEXT; \
	}

DEF_LDST(whole)
DEF_LDST(b)
DEF_LDST(h)
DEF_LDST(s)
DEF_LDST(d)
DEF_LDST(one_b)
DEF_LDST(one_h)
DEF_LDST(one_s)
DEF_LDST(one_d)
DEF_LD_REPLICATE(b)
DEF_LD_REPLICATE(h)
DEF_LD_REPLICATE(s)
DEF_LD_REPLICATE(d)

// ---- translators --------------------------------------------------------------------------------

static void emit_ldst(struct tr *t, uint32_t insn, op_fn *fn, unsigned size, unsigned selem,
		      unsigned rpt, unsigned total, unsigned index)
{
	struct uop *u = tr_emit(t, fn);
	bool post = bit(insn, 23);
	unsigned rm = F_RM(insn);

	u->rd = (uint8_t)F_RD(insn);
	u->rn = tr_xr_sp(F_RN(insn));
	u->sp_mask = F_RN(insn) == 31 ? 15 : 0;
	u->rm = post ? tr_xr(rm) : X_ZERO;
	u->imm = post && rm == 31 ? total : 0;
	u->aux = size | selem << 2 | rpt << 5 | F_Q(insn) << 8 | total << 16 | index << 24;
}

bool tr_simd_ldst_multiple(struct tr *t, uint32_t insn)
{
	static op_fn *const loads[4] = {op_ld_b, op_ld_h, op_ld_s, op_ld_d},
			    *const stores[4] = {op_st_b, op_st_h, op_st_s, op_st_d};
	// By opcode: registers side by side, or else registers of a structure.
	static const struct {
		uint8_t rpt, selem;
	} shapes[16] = {
		[0] = {0, 4}, [2] = {4, 1}, [4] = {0, 3},  [6] = {3, 1},
		[7] = {1, 1}, [8] = {0, 2}, [10] = {2, 1},
	};
	unsigned opcode = (unsigned)bits(insn, 15, 12), size = (unsigned)bits(insn, 11, 10),
		 rpt = shapes[opcode].rpt, selem = shapes[opcode].selem;
	bool load = bit(insn, 22);
	op_fn *fn;

	if (selem == 0 || (selem != 1 && size == 3 && !F_Q(insn))) {
		return false;
	}
	if (rpt != 0) {
		fn = load ? op_ld_whole : op_st_whole;
	} else {
		fn = load ? loads[size] : stores[size];
	}
	emit_ldst(t, insn, fn, size, selem, rpt, (rpt != 0 ? rpt : selem) * (F_Q(insn) ? 16 : 8),
		  0);
	return true;
}

bool tr_simd_ldst_multiple_post(struct tr *t, uint32_t insn)
{
	return tr_simd_ldst_multiple(t, insn);
}

bool tr_simd_ldst_single(struct tr *t, uint32_t insn)
{
	static op_fn *const loads[4] = {op_ld_one_b, op_ld_one_h, op_ld_one_s, op_ld_one_d},
			    *const stores[4] = {op_st_one_b, op_st_one_h, op_st_one_s, op_st_one_d},
			    *const replicates[4] = {op_ld_replicate_b, op_ld_replicate_h,
						    op_ld_replicate_s, op_ld_replicate_d};
	unsigned scale = (unsigned)bits(insn, 15, 14),
		 selem = (unsigned)(bit(insn, 13) << 1 | bit(insn, 21)) + 1,
		 index = (unsigned)(F_Q(insn) << 3 | bits(insn, 12, 10)),
		 size = (unsigned)bits(insn, 11, 10);
	bool load = bit(insn, 22), s = bit(insn, 12);
	op_fn *fn;

	if (scale == 3) {
		if (!load || s) {
			return false;
		}
		emit_ldst(t, insn, replicates[size], size, selem, 0, selem << size, 0);
		return true;
	}
	if ((scale == 1 && (size & 1)) || (scale == 2 && ((size & 2) || (size == 1 && s)))) {
		return false;
	}
	if (scale == 2 && size == 1) {
		scale = 3;
	}
	fn = load ? loads[scale] : stores[scale];
	emit_ldst(t, insn, fn, scale, selem, 0, selem << scale, index >> scale);
	return true;
}

bool tr_simd_ldst_single_post(struct tr *t, uint32_t insn)
{
	return tr_simd_ldst_single(t, insn);
}
