// SPDX-License-Identifier: Apache-2.0
// Running a PE: from block to block in the threaded code, and what happens between: interrupts,
// waits, the deadline, stepping one instruction at a time, finding code at a virtual address.
#include <string.h>

#include "cpu/debug.h"
#include "cpu/exec_internal.h"
#include "cpu/mem.h"
#include "cpu/sysreg_fields.h"
#include "cpu/wait.h"

// ---- finding code -------------------------------------------------------------------------------

static void fetch_abort(struct pe *pe, uint64_t pc, const struct mmu_fault *fault)
{
	pe->cur = NULL;
	mem_abort(pe, pc, fault, true, false);
	pe->budget--; // a fetch that faults costs a cycle, so that a vector that cannot be fetched
		      // does not hang
	exception_take_fault(pe, pc, pc, 0, false);
}

// The exec entry of the page at pc, filled when missing. NULL: the fetch fault was taken.
static struct exec_entry *exec_page(struct pe *pe, uint64_t pc)
{
	struct fast_tlb *fast = pe->exec_fast;
	struct exec_entry *entry = &fast->x[(pc >> PAGE_SHIFT) & (FAST_EXEC_COUNT - 1)];
	uint64_t page = pc & ~PAGE_MASK;
	struct mmu_access access = {.va = va_make(pc),
				    .type = MMU_EXEC,
				    .el0 = pe->el == 0,
				    .size = 4};
	struct mmu_result result;
	struct mmu_fault fault;
	struct bus_ram *ram;

	if (likely(entry->tag == page)) {
		return entry;
	}
	if (!mmu_view_translate(pe->tlb, pe->mmu, &access, &result, &fault)) {
		fetch_abort(pe, pc, &fault);
		return NULL;
	}
	ram = bus_ram_find(pe->bus, result.pas, result.pa.v);
	if (ram == NULL) {
		// Instructions are fetched from RAM and flash only: a device answers with an
		// external abort.
		fault = (struct mmu_fault){.type = MMU_FAULT_EXTERNAL};
		fetch_abort(pe, pc, &fault);
		return NULL;
	}
	// The translation may have dropped entries; the slot is filled last. What the TLB itself
	// does not hold is used for this fetch only.
	entry = result.transient ? &pe->exec_transient : fast_exec_slot(fast, pc);
	entry->page = code_page_get(pe->code, ram, result.pa.v & ~PAGE_MASK);
	entry->tag = page;
	entry->guarded = result.guarded;
	return entry;
}

static const struct uop *misaligned(struct pe *pe, uint64_t pc)
{
	fault_trap(pe, 0, EC_PC_ALIGNMENT, 0, TRACE_CAUSE_PC_ALIGNMENT, NULL);
	pe->fault.has_far = true;
	pe->fault.far = pc;
	pe->budget--;
	exception_take_fault(pe, pc, pc, 0, false);
	return NULL;
}

// BRK is the one instruction whose own exception must save PSTATE.BTYPE (AArch64.TakeException):
// wherever it is the target of an indirect branch, BTYPE is kept for it.
static bool is_brk(const struct exec_entry *exec, uint64_t pc)
{
	uint32_t insn;

	memcpy(&insn, exec->page->host + (pc & PAGE_MASK), sizeof(insn));
	return (insn & 0xffe0001f) == 0xd4200000;
}

const struct uop *code_lookup(struct pe *pe, uint64_t pc)
{
	struct exec_entry *exec;
	struct jump_entry *entry;
	struct code_page *page;
	const struct uop *block;

	pc = exception_branch_address(pe, pc);
	pe->pc = pc;
	pe->btype = 0;
	if (unlikely(pe->attention & PE_ATTENTION_SLOW)) {
		pe_kick(pe);
		return NULL;
	}
	if (unlikely(pc & 3)) {
		return misaligned(pe, pc);
	}
	exec = exec_page(pe, pc);
	if (exec == NULL) {
		return NULL;
	}
	page = exec->page;
	if (page->entry[(pc & PAGE_MASK) >> 2] == 0) {
		// Building may empty the whole cache, this page object included: look it up anew
		// afterwards.
		struct bus_ram *ram = page->ram;
		uint64_t pa = page->pa;

		block = code_block(page, (unsigned)(pc & PAGE_MASK));
		page = ram->page_code[(pa - ram->base) >> PAGE_SHIFT];
		exec->page = page;
		exec->tag = pc & ~PAGE_MASK;
	} else {
		block = code_block(page, (unsigned)(pc & PAGE_MASK));
	}
	if (exec != &pe->exec_transient) {
		entry = &pe->jumps[jump_hash(pc)];
		entry->pc = pc;
		entry->id = pe->jump_id | (exec->guarded || is_brk(exec, pc) ? JUMP_GUARDED : 0);
		entry->block = block;
		entry->page = page;
	}
	pe->vpage = pc & ~PAGE_MASK;
	pe->code_page = page;
	return block;
}

// Does the instruction accept an indirect branch of this BTYPE (BTypeCompatible)?
static bool btype_compatible(const struct pe *pe, uint32_t insn, unsigned btype)
{
	bool bt = pe->regime->sctlr & (pe->el == 0 ? SCTLR_BT0 : SCTLR_BT1);

	if ((insn & 0xffffff3f) == 0xd503241f) { // BTI, BTI c, BTI j, BTI jc
		unsigned targets = (unsigned)bits(insn, 7, 6);

		return targets == 3 || (targets == 1 && btype != 3) || (targets == 2 && btype != 2);
	}
	if ((insn & 0xffffffbf) == 0xd503233f) { // PACIASP, PACIBSP
		return btype != 3 || !bt;
	}
	// BRK and HLT always.
	return (insn & 0xffe0001f) == 0xd4200000 || (insn & 0xffe0001f) == 0xd4400000;
}

static const struct uop *branch_target_exception(struct pe *pe, uint64_t pc, uint32_t insn,
						 unsigned btype)
{
	fault_trap(pe, 0, EC_BTI, btype, TRACE_CAUSE_BTI, NULL);
	pe->btype = (uint8_t)btype;
	pe->budget--;
	exception_take_fault(pe, pc, pc, insn, true);
	return NULL;
}

// Is the page that is being executed guarded? Since it was entered its entry may have made way for
// another page's.
static bool on_guarded_page(struct pe *pe)
{
	const struct exec_entry *from =
		&pe->exec_fast->x[(pe->vpage >> PAGE_SHIFT) & (FAST_EXEC_COUNT - 1)];
	struct mmu_access access = {.va = va_make(pe->vpage),
				    .type = MMU_EXEC,
				    .el0 = pe->el == 0,
				    .size = 4};
	struct mmu_result result;
	struct mmu_fault fault;

	if (from->tag == pe->vpage) {
		return from->guarded;
	}
	return mmu_view_translate(pe->tlb, pe->mmu, &access, &result, &fault) && result.guarded;
}

const struct uop *code_lookup_indirect(struct pe *pe, uint64_t pc, unsigned btype)
{
	struct exec_entry *exec;

	if (!has(pe, FEAT_BTI)) {
		return code_lookup(pe, pc);
	}
	// BR from a page that is not guarded is as tolerant as one through X16.
	if (btype == 3 && !on_guarded_page(pe)) {
		btype = 1;
	}
	pc = exception_branch_address(pe, pc);
	pe->pc = pc;
	pe->btype = (uint8_t)btype; // as an interrupt or a fetch fault at the target would save it
	if (pe->budget <= 0) {
		return NULL;
	}
	if (pc & 3) {
		return misaligned(pe, pc);
	}
	exec = exec_page(pe, pc);
	if (exec == NULL) {
		return NULL;
	}
	return code_check_btype(pe, exec, pc);
}

const struct uop *code_check_btype(struct pe *pe, const struct exec_entry *exec, uint64_t pc)
{
	unsigned btype = pe->btype;
	uint32_t insn;

	memcpy(&insn, exec->page->host + (pc & PAGE_MASK), sizeof(insn));
	if (btype != 0 && exec->guarded && !btype_compatible(pe, insn, btype)) {
		return branch_target_exception(pe, pc, insn, btype);
	}
	if (is_brk(exec, pc)) {
		const struct uop *block = code_lookup(pe, pc);

		pe->btype = (uint8_t)btype;
		return block;
	}
	return code_lookup(pe, pc); // clears BTYPE
}

const struct uop *code_lookup_enter(struct pe *pe, uint64_t pc)
{
	const struct uop *header = code_lookup(pe, pc);

	if (header == NULL) {
		return NULL;
	}
	ENTER_BLOCK(header);
}

const struct uop *code_lookup_indirect_enter(struct pe *pe, uint64_t pc, unsigned btype)
{
	const struct uop *header = code_lookup_indirect(pe, pc, btype);

	if (header == NULL) {
		return NULL;
	}
	ENTER_BLOCK(header);
}

OP(code_link_enter)
{
	struct code_page *page = pe->code_page;
	uint32_t off = op->aux & PAGE_MASK;

	if (page == NULL || (pe->attention & PE_ATTENTION_SLOW) || page->entry[off >> 2] == 0) {
		// Building may move everything; the next time finds it.
		return code_lookup_enter(pe, pe->vpage + off);
	}
	((struct uop *)(uintptr_t)op)->target = code_block(page, off);
	ENTER_BLOCK(op->target);
}

// ---- one instruction at a time ------------------------------------------------------------------

void code_illegal_state(struct pe *pe)
{
	uint64_t pc = pe->pc;

	if (debug_before_insn(pe, pc)) {
		exception_take_fault(pe, pc, pc, 0, false);
	} else if (pc & 3) {
		misaligned(pe, pc);
	} else if (exec_page(pe, pc) != NULL) {
		fault_trap(pe, 0, EC_ILLEGAL_STATE, 0, TRACE_CAUSE_ILLEGAL_STATE, NULL);
		exception_take_fault(pe, pc, pc, 0, false);
	}
}

// Run the instruction at pe->pc, and nothing more. Breakpoints and software step are looked at
// first.
static void step_one(struct pe *pe)
{
	const struct uop *op = pe->step_uops;
	struct exec_entry *exec;
	uint64_t pc = pe->pc;
	uint32_t insn;

	if (debug_before_insn(pe, pc)) {
		pe->budget--;
		exception_take_fault(pe, pc, pc, 0, false);
		return;
	}
	if (pc & 3) {
		misaligned(pe, pc);
		return;
	}
	exec = exec_page(pe, pc);
	if (exec == NULL) {
		return;
	}
	memcpy(&insn, exec->page->host + (pc & PAGE_MASK), sizeof(insn));
	if (pe->btype != 0 && exec->guarded && !btype_compatible(pe, insn, pe->btype)) {
		branch_target_exception(pe, pc, insn, pe->btype);
		return;
	}
	if (!is_brk(exec, pc)) {
		pe->btype = 0;
	}
	pe->vpage = pc & ~PAGE_MASK;
	pe->code_page = NULL; // no linking out of the step buffer
	code_translate_one(pe->code, insn, (unsigned)(pc & PAGE_MASK), pe->step_uops);
	// The instruction is paid for, and the budget is then empty, so that no block is entered
	// after it.
	pe->deadline = pe->deadline - (uint64_t)pe->budget + 1;
	pe->budget = 0;
	while (op != NULL) {
		op = op->fn(pe, op);
	}
	debug_after_insn(pe, insn);
}

// ---- the loop -----------------------------------------------------------------------------------

static void run_blocks(struct pe *pe)
{
	const struct uop *op;

	if (unlikely(pe->btype != 0)) {
		struct exec_entry *exec = pe->pc & 3 ? NULL : exec_page(pe, pe->pc);

		op = exec != NULL ? code_check_btype(pe, exec, pe->pc)
		     : pe->pc & 3 ? misaligned(pe, pe->pc)
				  : NULL;
	} else {
		const struct jump_entry *entry = &pe->jumps[jump_hash(pe->pc)];

		if (likely(entry->pc == pe->pc && (entry->id & ~JUMP_GUARDED) == pe->jump_id)) {
			pe->vpage = pe->pc & ~PAGE_MASK;
			pe->code_page = entry->page;
			op = entry->block;
		} else {
			op = code_lookup(pe, pe->pc);
		}
	}
	if (op == NULL) {
		return;
	}
	pe->budget -= (int64_t)op->aux;
	op++;
	while (op != NULL) {
		op = op->fn(pe, op);
	}
}

static void set_deadline(struct pe *pe, uint64_t until)
{
	uint64_t now = pe->deadline - (uint64_t)pe->budget;

	pe->deadline = until;
	pe->budget = (int64_t)(until - now);
}

// Is there a reason not to go on, apart from the deadline?
static bool has_to_stop(struct pe *pe, enum pe_stop *why)
{
	if (pe->halted) {
		*why = PE_STOP_HALTED;
		return true;
	}
	if (pe->attention & PE_ATTENTION_STOP) {
		pe->attention &= ~(unsigned)PE_ATTENTION_STOP;
		*why = PE_STOP_REQUESTED;
		return true;
	}
	if (pe->wait != PE_WAIT_NONE && pe_is_waiting(pe)) {
		*why = PE_STOP_WAITING;
		return true;
	}
	pe->attention &= ~(unsigned)PE_ATTENTION_WAIT;
	if (unlikely(pe->wait_trap_due)) {
		wait_take_trap(pe);
	}
	return false;
}

void pe_step(struct pe *pe)
{
	pe->until = pe_now(pe) + 1;
	pe->tracing = pe->trace != NULL && trace_enabled(pe->trace);
	set_deadline(pe, pe->until);
	if ((pe->attention & PE_ATTENTION_INTERRUPT) && exception_take_interrupt(pe)) {
		return;
	}
	if (pe->il) {
		// Only from outside: an exception return that sets it takes the exception at once.
		code_illegal_state(pe);
		return;
	}
	// As while debugging, so that the next instruction is not even looked for.
	pe->attention |= PE_ATTENTION_SLOW;
	step_one(pe);
	if (!pe->break_active) {
		pe->attention &= ~(unsigned)PE_ATTENTION_SLOW;
	}
}

enum pe_stop pe_run(struct pe *pe, uint64_t until)
{
	// Differences of times stay well within 63 bits.
	uint64_t far = pe_now(pe) + (UINT64_C(1) << 60);
	enum pe_stop why;

	pe->until = until < far ? until : far;
	pe->tracing = pe->trace != NULL && trace_enabled(pe->trace);
	if (pe->halted) {
		set_deadline(pe, pe->until);
		return PE_STOP_HALTED;
	}
	for (;;) {
		set_deadline(pe, pe->until);
		if (unlikely(pe->attention &
			     (PE_ATTENTION_STOP | PE_ATTENTION_WAIT | PE_ATTENTION_HALT)) &&
		    has_to_stop(pe, &why)) {
			return why;
		}
		if (pe->budget <= 0) {
			return PE_STOP_DEADLINE;
		}
		if (unlikely(pe->attention & PE_ATTENTION_INTERRUPT) &&
		    exception_take_interrupt(pe) && pe->attention != 0) {
			continue; // another one, perhaps, that the handler's state does not mask
		}
		if (unlikely(pe->attention & PE_ATTENTION_SLOW)) {
			step_one(pe);
		} else {
			run_blocks(pe);
		}
	}
}

void pe_request_stop(struct pe *pe)
{
	pe_attend(pe, PE_ATTENTION_STOP);
}

void pe_set_deadline(struct pe *pe, uint64_t deadline)
{
	if (deadline < pe->until) {
		pe->until = deadline;
		if (deadline < pe->deadline) {
			pe->budget -= (int64_t)(pe->deadline - deadline);
			pe->deadline = deadline;
		}
	}
}

void pe_advance(struct pe *pe, uint64_t time)
{
	uint64_t now = pe_now(pe);

	if (time > now) {
		pe->idle += time - now;
		pe->deadline = time;
		pe->budget = 0;
	}
}

void pe_halt(struct pe *pe)
{
	pe->halted = true;
	pe_attend(pe, PE_ATTENTION_HALT);
}

bool pe_is_halted(const struct pe *pe)
{
	return pe->halted;
}

bool pe_is_runnable(struct pe *pe)
{
	return !pe->halted && (pe->wait == PE_WAIT_NONE || !pe_is_waiting(pe));
}
