// SPDX-License-Identifier: Apache-2.0
// What handler bodies share: flags, conditions, and the ways out of a block.
#ifndef STRATA_CPU_EXEC_INTERNAL_H
#define STRATA_CPU_EXEC_INTERNAL_H

#include "base/addr.h"
#include "cpu/pe_internal.h"
#include "cpu/translate.h"
#include "cpu/uop.h"

#define NOINLINE __attribute__((noinline))

// ---- flags --------------------------------------------------------------------------------------

static inline void flags_add64(struct pe *pe, uint64_t a, uint64_t b, uint64_t r)
{
	pe->nf = r;
	pe->zf = r;
	pe->cf = r < a;
	pe->vf = (a ^ r) & (b ^ r);
}

static inline void flags_sub64(struct pe *pe, uint64_t a, uint64_t b, uint64_t r)
{
	pe->nf = r;
	pe->zf = r;
	pe->cf = a >= b;
	pe->vf = (a ^ b) & (a ^ r);
}

static inline void flags_add32(struct pe *pe, uint32_t a, uint32_t b, uint32_t r)
{
	pe->nf = (uint64_t)r << 32;
	pe->zf = r;
	pe->cf = r < a;
	pe->vf = (uint64_t)((a ^ r) & (b ^ r)) << 32;
}

static inline void flags_sub32(struct pe *pe, uint32_t a, uint32_t b, uint32_t r)
{
	pe->nf = (uint64_t)r << 32;
	pe->zf = r;
	pe->cf = a >= b;
	pe->vf = (uint64_t)((a ^ b) & (a ^ r)) << 32;
}

static inline void flags_logic64(struct pe *pe, uint64_t r)
{
	pe->nf = r;
	pe->zf = r;
	pe->cf = 0;
	pe->vf = 0;
}

static inline void flags_logic32(struct pe *pe, uint32_t r)
{
	flags_logic64(pe, (uint64_t)r << 32);
}

// ConditionHolds. cond is a constant in most callers, so that the switch folds away.
static inline __attribute__((always_inline)) bool cond_holds(const struct pe *pe, unsigned cond)
{
	bool result;

	switch (cond >> 1) {
	case 0:
		result = pe->zf == 0;
		break;
	case 1:
		result = pe->cf;
		break;
	case 2:
		result = (int64_t)pe->nf < 0;
		break;
	case 3:
		result = (int64_t)pe->vf < 0;
		break;
	case 4:
		result = pe->cf && pe->zf != 0;
		break;
	case 5:
		result = (int64_t)(pe->nf ^ pe->vf) >= 0;
		break;
	case 6:
		result = pe->zf != 0 && (int64_t)(pe->nf ^ pe->vf) >= 0;
		break;
	default:
		return true;
	}
	return (cond & 1) ? !result : result;
}

// ---- ways out of a block ------------------------------------------------------------------------
// A block begins with a header uop that is never run: aux holds its number of instructions. Who
// goes to a block takes them from the budget first, or leaves the threaded code when the budget is
// used up. All that is not the plain case is a tail call, so that no handler needs a stack frame
// for it.

// Leave the threaded code before the block with this header.
op_fn op_leave_before;

#define ENTER_BLOCK(header) \
	do { \
		const struct uop *block_ = (header); \
		int64_t budget_ = pe->budget; \
		if (unlikely(budget_ <= 0)) { \
			return op_leave_before(pe, block_); \
		} \
		pe->budget = budget_ - (int64_t)block_->aux; \
		GOTO_OP(block_ + 1); \
	} while (0)

// Find or decode the block at pc in the current context. NULL: leave the threaded code, pe->pc is
// where to go on (a fetch fault was taken, or instructions run one at a time).
const struct uop *code_lookup(struct pe *pe, uint64_t pc);

// PSTATE.IL is set: takes the exception of the instruction at pe->pc, which is that of the Illegal
// Execution state unless a step, the PC's alignment, the fetch or a breakpoint comes before (Arm
// ARM, Prioritization of Synchronous exceptions taken to AArch64 state).
void code_illegal_state(struct pe *pe);

// The same, and go on there.
const struct uop *code_lookup_enter(struct pe *pe, uint64_t pc);

// The same for a BR or BLR that sets PSTATE.BTYPE to btype (1..3).
const struct uop *code_lookup_indirect(struct pe *pe, uint64_t pc, unsigned btype);
const struct uop *code_lookup_indirect_enter(struct pe *pe, uint64_t pc, unsigned btype);

// The Branch Target exception of pe->btype at pc (NULL then), or the block there.
const struct uop *code_check_btype(struct pe *pe, const struct exec_entry *exec, uint64_t pc);

#define JUMP_GUARDED BIT(63) // in the id of an entry: the page is guarded (FEAT_BTI)

static inline unsigned jump_hash(uint64_t pc)
{
	return (unsigned)((pc >> 2) ^ (pc >> 14)) & (JUMP_COUNT - 1);
}

// Go on at any virtual address.
#define GOTO_PC(target_pc) \
	do { \
		uint64_t pc_ = (target_pc); \
		const struct jump_entry *entry_ = &pe->jumps[jump_hash(pc_)]; \
		if (unlikely(entry_->pc != pc_ || (entry_->id & ~JUMP_GUARDED) != pe->jump_id)) { \
			return code_lookup_enter(pe, pc_); \
		} \
		pe->vpage = pc_ & ~PAGE_MASK; \
		pe->code_page = entry_->page; \
		ENTER_BLOCK(entry_->block); \
	} while (0)

// The same for BR and BLR. An entry of a guarded page is never found here, and with an empty budget
// BTYPE has to be seen by whoever interrupts.
#define GOTO_PC_INDIRECT(target_pc, btype) \
	do { \
		uint64_t pc_ = (target_pc); \
		const struct jump_entry *entry_ = &pe->jumps[jump_hash(pc_)]; \
		if (unlikely(entry_->pc != pc_ || entry_->id != pe->jump_id || pe->budget <= 0)) { \
			return code_lookup_indirect_enter(pe, pc_, (btype)); \
		} \
		pe->vpage = pc_ & ~PAGE_MASK; \
		pe->code_page = entry_->page; \
		ENTER_BLOCK(entry_->block); \
	} while (0)

// Go to the in-page target of a direct branch whose uop does not know it yet.
op_fn code_link_enter;

#define GOTO_IN_PAGE \
	do { \
		const struct uop *target_ = op->target; \
		if (unlikely(target_ == NULL)) { \
			return code_link_enter(pe, op); \
		} \
		ENTER_BLOCK(target_); \
	} while (0)

#define GOTO_OUT_OF_PAGE GOTO_PC(pe->vpage + op->imm)

// Go on at the instruction after this one, through the run loop's tests (after anything that may
// have changed the context). For the last uop of a block.
#define GOTO_NEXT_PC GOTO_PC(pe_uop_pc(pe, op) + 4)

// If `last` sets the flags in a way that fuses with a conditional branch, fill in the two handlers
// of the pair, with the target in the page and out of it (exec_addsub.c).
bool fuse_compare(const struct uop *last, unsigned cond, op_fn **in, op_fn **out);

// What computes an address, in a way that fuses with the load after it (exec_addsub.c).
enum address_uop {
	ADDRESS_UOP_adr,
	ADDRESS_UOP_add_imm,
	ADDRESS_UOP_add_reg,
	ADDRESS_UOP_add_lsl,
	ADDRESS_UOP_COUNT // none of them
};
enum address_uop address_uop(const struct uop *u);

// Uops that the block builder adds.
op_fn op_dead, op_undefined, op_trace_insn, op_fp_check, op_b_in, op_b_out, op_leave_next;

// ---- exceptions (exception.c) -------------------------------------------------------------------

// Take pe->fault now, with this preferred return address; pe->pc is the vector afterwards.
void exception_take_fault(struct pe *pe, uint64_t elr, uint64_t pc, uint32_t insn, bool has_insn);

// Take the highest-priority pending unmasked interrupt, if any, at pe->pc. True if one was taken.
bool exception_take_interrupt(struct pe *pe);

// The FP/SIMD access trap of the instruction of op.
const struct uop *exc_fp_trap(struct pe *pe, const struct uop *op);

// AArch64.BranchAddr: the address that a branch to va sets the PC to.
uint64_t exception_branch_address(const struct pe *pe, uint64_t va);

// Error synchronization barrier (AArch64.ESBOperation, vESBOperation).
void exception_esb(struct pe *pe);

// ELR_ELx and SPSR_ELx of an EL (1..3), as ids.
enum sysreg exception_elr(unsigned el);
enum sysreg exception_spsr(unsigned el);

// ERET: PSTATE from the SPSR of the current EL; pe->pc is where to go on.
void exception_return(struct pe *pe, uint64_t target, uint64_t spsr, uint64_t pc, uint32_t insn);

// The same for the ERET of op, at EL1 or above.
void exception_eret(struct pe *pe, const struct uop *op);

#endif
