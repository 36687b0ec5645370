// SPDX-License-Identifier: Apache-2.0
// From an instruction word to uops: the interface of the translator functions. Each row of a64.def,
// INSN(name, "pattern", CLASS, FEATURE, FLAGS), has one function `bool tr_name(struct tr *t,
// uint32_t insn)`, which emits one uop (rarely more) and returns true, or returns false when the
// encoding is unallocated (UNDEFINED).
#ifndef STRATA_CPU_TRANSLATE_H
#define STRATA_CPU_TRANSLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bits.h"
#include "cpu/feature.h"
#include "cpu/uop.h"

// Row flags.
enum {
	TR_NONE = 0,
	TR_ENDS_BLOCK = 1, // branches, and everything that may change the regime or raise by nature
	TR_FP = 2, // needs FP/SIMD access (CPACR_EL1.FPEN and friends): checked once before the
		   // first in a block
	TR_PURE = 4, // cannot fault and does not read NZCV
};

enum tr_class {
	CLASS_DPIMM,
	CLASS_DPREG,
	CLASS_BRANCH,
	CLASS_EXCGEN,
	CLASS_SYSTEM,
	CLASS_LDST,
	CLASS_ATOMIC,
	CLASS_FP,
	CLASS_SIMD,
	CLASS_CRYPTO,
	CLASS_SIMD_LDST
};

#define TR_BLOCK_MAX 32 // instructions in a block

struct tr {
	const struct feature_set *features;
	struct uop *out; // next free uop
	struct uop *last; // the one uop of the instruction before, for fusion; NULL: none, or more
			  // than one
	struct uop *flags_from; // set NZCV, and nothing since could see them; NULL: none
	op_fn *flags_dead; // its handler, should no one ever see them
	struct uop *run; // the first uop of the run of pairs that `last` belongs to (exec_pair.c)
	bool fused; // tr_fuse took `last` back
	bool goes_on; // set by a translator of a TR_ENDS_BLOCK row: this one does not end the block
		      // after all
	uint16_t pc_off; // of the instruction being translated
	uint32_t insn;
};

// Append a uop; insn, pc_off and zeroed operands are filled in. At most two for one instruction.
struct uop *tr_emit(struct tr *t, op_fn *fn);

// u sets all of NZCV and reads none of it. Flags that u buries unseen are not computed. plain: the
// handler of u that leaves them alone.
static inline void tr_sets_flags(struct tr *t, struct uop *u, op_fn *plain)
{
	if (t->flags_from != NULL) {
		t->flags_from->fn = t->flags_dead;
	}
	t->flags_from = u;
	t->flags_dead = plain;
}

// Take back the last uop: the one emitted next does the work of both instructions. The pair must be
// one in which nothing can fault.
static inline void tr_fuse(struct tr *t)
{
	t->out = t->last;
	t->fused = true;
}

static inline bool tr_has(const struct tr *t, enum feature feature)
{
	return feature_in(t->features, feature);
}

// Register numbers as pe->x indices: reading or writing, X31 as zero or as SP.
static inline uint8_t tr_xr(unsigned r)
{
	return (uint8_t)r; // X_ZERO == 31
}
static inline uint8_t tr_xr_sp(unsigned r)
{
	return r == 31 ? X_SP : (uint8_t)r;
}
static inline uint8_t tr_xw(unsigned r)
{
	return r == 31 ? X_SINK : (uint8_t)r;
}
static inline uint8_t tr_xw_sp(unsigned r)
{
	return r == 31 ? X_SP : (uint8_t)r;
}

// Common fields.
#define F_RD(i) ((unsigned)((i)&31))
#define F_RN(i) ((unsigned)(((i) >> 5) & 31))
#define F_RM(i) ((unsigned)(((i) >> 16) & 31))
#define F_RA(i) ((unsigned)(((i) >> 10) & 31))
#define F_SF(i) ((unsigned)((i) >> 31))
#define F_Q(i) ((unsigned)(((i) >> 30) & 1))
#define F_U(i) ((unsigned)(((i) >> 29) & 1))
#define F_SIZE(i) ((unsigned)(((i) >> 22) & 3))

// Find the row for an encoding; returns its index or -1 (generated from a64.def by
// tools/gen_decode.py).
int a64_decode(uint32_t insn);

struct a64_row {
	const char *name;
	bool (*translate)(struct tr *t, uint32_t insn);
	uint32_t mask, value;
	uint8_t class;
	uint8_t flags;
	uint16_t feature;
};

extern const struct a64_row a64_rows[];
extern const unsigned a64_row_count;

#endif
