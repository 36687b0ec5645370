// SPDX-License-Identifier: Apache-2.0
// The predecoded form of an instruction, and the few macros through which handler bodies reach
// operands and the next instruction. The same bodies build every variant of the interpreter (see
// docs/design.md, "Execution").
//
// Rules for a handler body (they keep the dispatch a tail call):
//  - never take the address of a local variable;
//  - anything that needs more than a few lines goes to a noinline function that gets pe and returns
//  a value;
//  - end every path with NEXT, or `return exc_raise(pe, op)`, or one of the block-end macros of
//  exec_internal.h.
#ifndef STRATA_CPU_UOP_H
#define STRATA_CPU_UOP_H

#include <stdint.h>

struct pe;
struct uop;

// Returns the next uop to run in the looping build; NULL leaves the threaded code. In the
// tail-calling build the handler itself calls the next one and what comes back is NULL.
typedef const struct uop *op_fn(struct pe *pe, const struct uop *op);

// Register indices rd, rn, rm, ra point into pe->x (0..30, X_ZERO, X_SP, X_SINK) or pe->v (0..31),
// as the translator chose: X31 is resolved to zero, SP or the write sink when the block is built.
struct uop {
	op_fn *fn;
	union {
		uint64_t imm;
		const struct uop *target; // of a direct branch, once chained
	};
	uint32_t insn; // the instruction word, for syndromes and rarely needed fields
	uint8_t rd, rn, rm, ra;
	uint16_t pc_off; // byte offset of the instruction in its 4 KiB page
	uint8_t rest; // instructions of the block that come after this one
	uint8_t sp_mask; // 15 when rn is SP: a set bit in (base & sp_mask) asks for the SP
			 // alignment check; else 0
	uint32_t aux; // small operands of the handler's own meaning
};

_Static_assert(sizeof(struct uop) == 32, "uop stays small: memory per decoded instruction");

enum { X_ZERO = 31, X_SP = 32, X_SINK = 33, X_COUNT = 34 };

#define OP(name) const struct uop *name(struct pe *pe __attribute__((unused)), const struct uop *op)

#if STRATA_TAIL_CALLS
#define GOTO_OP(o) \
	do { \
		const struct uop *next_op_ = (o); \
		return next_op_->fn(pe, next_op_); \
	} while (0)
#else
#define GOTO_OP(o) \
	do { \
		(void)pe; \
		return (o); \
	} while (0)
#endif
#define NEXT GOTO_OP(op + 1)

// Operands.
#define XD (pe->x[op->rd])
#define XN (pe->x[op->rn])
#define XM (pe->x[op->rm])
#define XA (pe->x[op->ra])
#define WN ((uint32_t)pe->x[op->rn])
#define WM ((uint32_t)pe->x[op->rm])
#define WA ((uint32_t)pe->x[op->ra])
#define VD (pe->v[op->rd])
#define VN (pe->v[op->rn])
#define VM (pe->v[op->rm])
#define VAD (pe->v[op->ra]) // the third source ("Va"); not VA, which is an address

#endif
