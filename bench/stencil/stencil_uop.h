// SPDX-License-Identifier: Apache-2.0
// Stands in for src/cpu/uop.h when handler bodies are compiled into stencils (bench/stencil/run,
// clang-19 only): the same macros, with operands that are symbols without a definition. Each use of
// one leaves a relocation in the object, which is patched when the stencil is pasted. Included
// before all else by -include.
//
// op is a constant object whose fields are such symbols, so that op->imm, op->aux and so on in a
// body become immediates; where op itself escapes, to a slow path, its address is one more hole:
// the real uop.
#ifndef STRATA_CPU_UOP_H
#define STRATA_CPU_UOP_H

#include <stdint.h>

struct pe;
struct uop;

#if STENCIL_PINNED
// Eight guest registers live in host registers. preserve_none passes all of these in registers and
// saves none.
#define STENCIL_PARAMS \
	struct pe *pe, uint64_t r0, uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, \
		uint64_t r5, uint64_t r6, uint64_t r7
#define STENCIL_ARGS pe, r0, r1, r2, r3, r4, r5, r6, r7
#define STENCIL_CALL __attribute__((preserve_none))
#else
#define STENCIL_PARAMS struct pe *pe __attribute__((unused)), const struct uop *op_through
#define STENCIL_ARGS pe, op_through
#define STENCIL_CALL
#endif

typedef STENCIL_CALL const struct uop *op_fn(STENCIL_PARAMS);

#if STENCIL_IMM64
#define STENCIL_IMM_QUAL \
	volatile // not folded: loaded from the real uop, which has imm at the same offset
#else
#define STENCIL_IMM_QUAL
#endif

struct uop {
	op_fn *fn;
	union {
		STENCIL_IMM_QUAL uint64_t imm;
		const struct uop *target;
	};
	uintptr_t insn, rd, rn, rm, ra, pc_off, rest, sp_mask, aux;
};

// A uop as the interpreter lays it out.
struct real_uop {
	const struct uop *(*fn)(struct pe *pe, const struct uop *op);
	uint64_t imm;
	uint32_t insn;
	uint8_t rd, rn, rm, ra;
	uint16_t pc_off;
	uint8_t rest, sp_mask;
	uint32_t aux;
};

enum { X_ZERO = 31, X_SP = 32, X_SINK = 33, X_COUNT = 34 };

// Weak, or the compiler would take it for granted that no two of them are equal and none is 0.
#pragma clang attribute push(__attribute__((weak)), apply_to = variable(is_global))
extern const char hole_imm[], hole_insn[], hole_rd[], hole_rn[], hole_rm[], hole_ra[],
	hole_pc_off[], hole_rest[], hole_sp_mask[], hole_aux[];
extern const char hole_xd[], hole_xn[], hole_xm[], hole_xa[]; // byte offsets in pe->x
extern const char hole_vd[], hole_vn[], hole_vm[], hole_va[]; // and in pe->v
extern const char hole_target_insns[]; // instructions in the block that a branch goes to
#pragma clang attribute pop
extern const struct uop hole_target; // its header
extern op_fn stencil_next, stencil_target,
	stencil_slow; // the uop after this, the branch's target, this one's handler

#define OP(name) __attribute__((weak)) STENCIL_CALL const struct uop *name(STENCIL_PARAMS)
#define TAIL(f) __attribute__((musttail)) return f(STENCIL_ARGS)
#define SIMD_CLONES // one kind of host will do
#define NEXT TAIL(stencil_next)
#define GOTO_SLOW(f) TAIL(stencil_slow)

#define HOLE_X(hole) (*(uint64_t *)((char *)pe->x + (uintptr_t)(hole)))
#define HOLE_V(hole) (*(union vreg *)((char *)pe->v + (uintptr_t)(hole)))
#ifdef PIN_D
#define XD PIN_D
#else
#define XD HOLE_X(hole_xd)
#endif
#ifdef PIN_N
#define XN PIN_N
#else
#define XN HOLE_X(hole_xn)
#endif
#ifdef PIN_M
#define XM PIN_M
#else
#define XM HOLE_X(hole_xm)
#endif
#define XA HOLE_X(hole_xa)
#define WN ((uint32_t)XN)
#define WM ((uint32_t)XM)
#define WA ((uint32_t)XA)
#define VD HOLE_V(hole_vd)
#define VN HOLE_V(hole_vn)
#define VM HOLE_V(hole_vm)
#define VAD HOLE_V(hole_va)

#define GOTO_OP(o) return (o) // replaced below; here for what the headers define

#include "cpu/exec_internal.h"
#include "cpu/fp/fp.h"
#include "cpu/mem.h"

const struct uop hole_uop = {
	.imm = (uintptr_t)hole_imm,
	.insn = (uintptr_t)hole_insn,
	.rd = (uintptr_t)hole_rd,
	.rn = (uintptr_t)hole_rn,
	.rm = (uintptr_t)hole_rm,
	.ra = (uintptr_t)hole_ra,
	.pc_off = (uintptr_t)hole_pc_off,
	.rest = (uintptr_t)hole_rest,
	.sp_mask = (uintptr_t)hole_sp_mask,
	.aux = (uintptr_t)hole_aux,
};
static const struct uop *const op = &hole_uop;

#undef ENTER_BLOCK
#undef GOTO_IN_PAGE
#undef GOTO_OP

// A uop found at run time: whatever its handler is, stencil or not.
#define GOTO_OP(o) \
	do { \
		const struct real_uop *next_op_ = (const struct real_uop *)(const void *)(o); \
		return next_op_->fn(pe, (const struct uop *)(const void *)next_op_); \
	} while (0)

#define ENTER_BLOCK(header) \
	do { \
		const struct real_uop *block_ = (const struct real_uop *)(const void *)(header); \
		int64_t budget_ = pe->budget; \
		if (unlikely(budget_ <= 0)) { \
			return op_leave_before(pe, (const struct uop *)(const void *)block_); \
		} \
		pe->budget = budget_ - (int64_t)block_->aux; \
		GOTO_OP(block_ + 1); \
	} while (0)

// A block that is linked already; a branch that is not yet does not become a stencil.
#if STENCIL_PINNED
extern op_fn stencil_leave; // stores the pinned registers, then op_leave_before of the target
#define LEAVE_BEFORE TAIL(stencil_leave)
#else
#define LEAVE_BEFORE return op_leave_before(pe, &hole_target)
#endif
#define GOTO_IN_PAGE \
	do { \
		int64_t budget_ = pe->budget; \
		if (unlikely(budget_ <= 0)) { \
			LEAVE_BEFORE; \
		} \
		pe->budget = budget_ - (int64_t)(uintptr_t)hole_target_insns; \
		TAIL(stencil_target); \
	} while (0)

#if STENCIL_PINNED
// By way of the jump cache into the other block's pinned code, which its header knows; what has
// none is reached with the registers stored.
#undef GOTO_PC
#define GOTO_PC(target_pc) \
	do { \
		uint64_t pc_ = (target_pc); \
		const struct jump_entry *entry_ = &pe->jumps[jump_hash(pc_)]; \
		const struct real_uop *block_ = \
			(const struct real_uop *)(const void *)entry_->block; \
		int64_t budget_ = pe->budget; \
		if (unlikely(entry_->pc != pc_ || (entry_->id & ~JUMP_GUARDED) != pe->jump_id || \
			     budget_ <= 0 || block_->imm == 0)) { \
			TAIL(stencil_slow); \
		} \
		pe->vpage = pc_ & ~PAGE_MASK; \
		pe->code_page = entry_->page; \
		pe->budget = budget_ - (int64_t)block_->aux; \
		__attribute__((musttail)) return ((op_fn *)(uintptr_t)block_->imm)(STENCIL_ARGS); \
	} while (0)
#undef GOTO_PC_INDIRECT
#define GOTO_PC_INDIRECT(target_pc, btype) TAIL(stencil_slow) // not in the blocks measured
#undef ENTER_BLOCK
#define ENTER_BLOCK(header) TAIL(stencil_slow)
#endif

// Handlers have to keep their names and their parameters.
#define static
#undef NOINLINE
#define NOINLINE

#endif
