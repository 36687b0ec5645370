// SPDX-License-Identifier: Apache-2.0
// Exceptions: building faults, routing, entry, return, interrupts (Arm ARM D1.3;
// AArch64.TakeException, AArch64.ExceptionReturn, and the asynchronous routing tables of D1.3.6).
#include <stdio.h>
#include <string.h>

#include "cpu/debug.h"
#include "cpu/exec_internal.h"
#include "cpu/pmu.h"
#include "cpu/sysreg_fields.h"
#include "cpu/sysreg_internal.h"

enum vector { VECTOR_SYNC = 0x000, VECTOR_IRQ = 0x080, VECTOR_FIQ = 0x100, VECTOR_SERROR = 0x180 };

// PSTATE bits in an SPSR.
#define SPSR_N BIT(31)
#define SPSR_TCO BIT(25)
#define SPSR_DIT BIT(24)
#define SPSR_UAO BIT(23)
#define SPSR_PAN BIT(22)
#define SPSR_SS BIT(21)
#define SPSR_IL BIT(20)
#define SPSR_SSBS BIT(12)
#define SPSR_M4 BIT(4)
#define SPSR_FLAGS (SPSR_TCO | SPSR_IL | SPSR_PAN | SPSR_UAO | SPSR_DIT | SPSR_SSBS | MASK(11, 10))

#define STUCK_LIMIT 10000 // exceptions in a row, each soon after the other, none returned from
#define STUCK_WINDOW 256 // instructions between two of them at the most, on average

// Banked by target level (1..3).
static const uint16_t elr_of[4] = {0, SR_ELR_EL1, SR_ELR_EL2, SR_ELR_EL3};
static const uint16_t spsr_of[4] = {0, SR_SPSR_EL1, SR_SPSR_EL2, SR_SPSR_EL3};
static const uint16_t esr_of[4] = {0, SR_ESR_EL1, SR_ESR_EL2, SR_ESR_EL3};
static const uint16_t far_of[4] = {0, SR_FAR_EL1, SR_FAR_EL2, SR_FAR_EL3};
static const uint16_t vbar_of[4] = {0, SR_VBAR_EL1, SR_VBAR_EL2, SR_VBAR_EL3};
static const uint16_t sctlr_of[4] = {0, SR_SCTLR_EL1, SR_SCTLR_EL2, SR_SCTLR_EL3};

enum sysreg exception_elr(unsigned el)
{
	return (enum sysreg)elr_of[el];
}

enum sysreg exception_spsr(unsigned el)
{
	return (enum sysreg)spsr_of[el];
}

// ---- building faults ----------------------------------------------------------------------------

void fault_trap(struct pe *pe, unsigned target_el, enum ec ec, uint32_t iss, enum trace_cause cause,
		const char *control)
{
	struct fault *f = &pe->fault;

	memset(f, 0, offsetof(struct fault, name));
	f->ec = (uint8_t)ec;
	f->iss = iss;
	f->target_el = (uint8_t)target_el;
	f->cause = cause;
	f->control = control;
	f->level = -2;
}

void fault_undefined(struct pe *pe)
{
	fault_trap(pe, 0, EC_UNKNOWN, 0, TRACE_CAUSE_UNDEFINED, NULL);
}

const struct uop *exc_undefined(struct pe *pe, const struct uop *op)
{
	fault_undefined(pe);
	return exc_raise(pe, op);
}

// The uop of an encoding that is not implemented. aux: index of its row (its feature is absent) or
// all ones.
OP(op_undefined)
{
	if (op->aux < a64_row_count && op->insn != 0) {
		const struct a64_row *row = &a64_rows[op->aux];

		log_line(pe->log, LOG_LEVEL_UNIMP,
			 "PE %u: instruction 0x%08x needs %s, which this CPU model has not",
			 pe->index, op->insn, feature_name((enum feature)row->feature));
	} else if (op->insn != 0) {
		log_line(pe->log, LOG_LEVEL_UNIMP, "PE %u: undefined instruction 0x%08x at EL%u",
			 pe->index, op->insn, pe->el);
	}
	return exc_undefined(pe, op);
}

// ---- FP/SIMD access -----------------------------------------------------------------------------

// CheckFPAdvSIMDEnabled64. Returns the target level of the trap, 0 if none, and the control that
// decided.
static unsigned fp_trap_target(const struct pe *pe, const char **control)
{
	uint64_t hcr = pe_hcr_effective(pe);
	bool e2h = hcr & HCR_EL2_E2H, tge = hcr & HCR_EL2_TGE;

	if (pe->el < 2 && !(e2h && tge)) {
		unsigned fpen = (unsigned)bits(pe->sr[SR_CPACR_EL1], 21, 20);

		if ((fpen & 1) == 0 || (fpen == 1 && pe->el == 0)) {
			*control = "CPACR_EL1.FPEN";
			return tge ? 2 : 1;
		}
	}
	if (pe->el < 3 && pe_el2_enabled(pe)) {
		uint64_t cptr = pe->sr[SR_CPTR_EL2];

		if (e2h) {
			unsigned fpen = (unsigned)bits(cptr, 21, 20);

			if (fpen == 1 ? pe->el == 0 && tge : fpen != 3 && !(pe->el == 1 && tge)) {
				*control = "CPTR_EL2.FPEN";
				return 2;
			}
		} else if (cptr & CPTR_EL2_TFP) {
			*control = "CPTR_EL2.TFP";
			return 2;
		}
	}
	if (pe->has_el3 && (pe->sr[SR_CPTR_EL3] & CPTR_EL3_TFP)) {
		*control = "CPTR_EL3.TFP";
		return 3;
	}
	return 0;
}

bool fp_access_trapped(const struct pe *pe)
{
	const char *control;

	return fp_trap_target(pe, &control) != 0;
}

OP(op_fp_check)
{
	if (unlikely(pe->checks.fp_trap)) {
		return exc_fp_trap(pe, op);
	}
	NEXT;
}

const struct uop *exc_fp_trap(struct pe *pe, const struct uop *op)
{
	const char *control = NULL;
	unsigned target = fp_trap_target(pe, &control);

	// AArch64.AdvSIMDFPAccessTrap: EL1's trap of EL0 that TGE takes to EL2 loses its class
	// there.
	if (target == 2 && pe->el == 0 && pe_tge(pe) && !pe_in_host(pe) &&
	    !strncmp(control, "CPACR_EL1", 9)) {
		fault_trap(pe, target, EC_UNKNOWN, 0, TRACE_CAUSE_FP, control);
	} else {
		fault_trap(pe, target, EC_FP, iss_fp(), TRACE_CAUSE_FP, control);
	}
	return exc_raise(pe, op);
}

// ---- entry --------------------------------------------------------------------------------------

static inline uint64_t spsr_from_pstate(const struct pe *pe)
{
	uint64_t rest = (uint64_t)pe_nzcv(pe) | (uint64_t)pe->daif << 6 | (uint64_t)pe->el << 2 |
			(uint64_t)(pe->sp_sel && pe->el != 0);

	if (likely(pe_flags(pe) == 0)) {
		return rest;
	}
	return rest | (pe->tco ? SPSR_TCO : 0) | (pe->dit ? SPSR_DIT : 0) |
	       (pe->uao ? SPSR_UAO : 0) | (pe->pan ? SPSR_PAN : 0) | (pe->ss ? SPSR_SS : 0) |
	       (pe->il ? SPSR_IL : 0) | (pe->ssbs ? SPSR_SSBS : 0) | (uint64_t)pe->btype << 10;
}

uint64_t pe_spsr_from_pstate(const struct pe *pe)
{
	return spsr_from_pstate(pe);
}

// What an exception to `target` saves: a guest hypervisor reads of its own exceptions that they
// came from EL2, unless NV1 alone lets it have SPSR_EL1 only by way of EL2 (GetPSRFromPSTATE).
static inline uint64_t saved_spsr(const struct pe *pe, unsigned target)
{
	uint64_t spsr = spsr_from_pstate(pe), nv;

	if (likely(!(pe->sr[SR_HCR_EL2] & PE_NV)) || target != 1 || pe->el != 1) {
		return spsr;
	}
	nv = pe_nv(pe);
	return nv == PE_NV || (nv & PE_NV2) ? bits_set(spsr, 3, 2, 2) : spsr;
}

static inline void set_el_sp(struct pe *pe, unsigned el, bool sp_sel)
{
	*pe->sp_banks[pe->sp_sel ? pe->el : 0] = pe->x[X_SP];
	pe->el = (uint8_t)el;
	pe->sp_sel = el != 0 && sp_sel;
	pe->x[X_SP] = *pe->sp_banks[pe->sp_sel ? el : 0];
	pe_access_tag_set(pe);
}

void pe_set_el_sp(struct pe *pe, unsigned el, bool sp_sel)
{
	set_el_sp(pe, el, sp_sel);
}

static inline void interrupts_changed(struct pe *pe);

static inline bool is_secure(const struct pe *pe)
{
	return pe->has_el3 && (pe->el == 3 || pe_secure_below_el3(pe));
}

// Does nobody watch the changes of level: no trace, no event counters, no debug exceptions?
static inline bool unwatched(const struct pe *pe)
{
	return !pe_watched(pe) && !(pe->sr[SR_MDSCR_EL1] & (MDSCR_EL1_SS | MDSCR_EL1_MDE));
}

static NOINLINE void watched_level_changed(struct pe *pe)
{
	if (pe->pmu_active) {
		pmu_el_changed(pe);
	}
	if ((pe->sr[SR_MDSCR_EL1] & (MDSCR_EL1_SS | MDSCR_EL1_MDE)) || pe->break_active ||
	    pe->watch_active) {
		pe_debug_changed(pe);
	}
}

// After a change of EL: contexts, the GIC's view, debug, PMU. old_secure matters only with EL3.
static inline __attribute__((always_inline)) void level_changed(struct pe *pe, unsigned old_el,
								bool old_secure)
{
	pe_context_select(pe);
	if (pe->has_el3 && pe->state_changed != NULL &&
	    (is_secure(pe) != old_secure || (pe->el == 3) != (old_el == 3))) {
		pe->state_changed(pe, pe->state_changed_opaque);
	}
	if (unlikely(!unwatched(pe))) {
		watched_level_changed(pe);
	}
	interrupts_changed(pe);
}

static void trace_insn(struct pe *pe, struct trace_event *event, uint64_t pc)
{
	uint32_t insn;

	event->pc = pc;
	if (!event->has_insn && (pc & 3) == 0 && pe_read_memory(pe, pc, &insn, 4) == 4) {
		event->insn = insn;
		event->has_insn = true;
	}
}

static void trace_stamp(struct pe *pe, struct trace_event *event)
{
	event->pe = pe->index;
	event->time = pe_now(pe);
	event->insns = pe_insns(pe);
	event->cycles = event->insns;
}

static NOINLINE void trace_one_insn(struct pe *pe, const struct uop *op)
{
	struct trace_event event = {.type = TRACE_INSN,
				    .cause = TRACE_CAUSE_INSN,
				    .from_el = pe->el,
				    .to_el = pe->el,
				    .from_secure = pe_is_secure(pe),
				    .to_secure = pe_is_secure(pe),
				    .has_insn = true,
				    .insn = op->insn};

	pe->cur = op;
	trace_stamp(pe, &event);
	pe->cur = NULL;
	event.pc = event.elr = pe_uop_pc(pe, op);
	trace_emit(pe->trace, event);
}

// Stands before the uops of an instruction where instructions are traced.
OP(op_trace_insn)
{
	if (pe->tracing) {
		trace_one_insn(pe, op);
	}
	NEXT;
}

// STUCK_LIMIT exceptions were taken and none was returned from: stuck, if they came one soon after
// the other.
static NOINLINE void judge_progress(struct pe *pe, uint64_t pc, uint64_t vector)
{
	uint64_t insns = pe_insns(pe);

	if (insns - pe->stuck_insns <= (uint64_t)STUCK_LIMIT * STUCK_WINDOW &&
	    pe->services.stuck != NULL) {
		char why[160];

		snprintf(why, sizeof(why),
			 "PE %u takes exceptions forever without a return: %s at pc 0x%llx, vector "
			 "0x%llx",
			 pe->index, trace_cause_name(pe->fault.cause), (unsigned long long)pc,
			 (unsigned long long)vector);
		pe->services.stuck(pe, pe->services.opaque, why);
		pe_request_stop(pe);
	}
	pe->stuck_count = 0;
}

static inline void watch_progress(struct pe *pe, uint64_t pc, uint64_t vector)
{
	if (pe->stuck_count++ == 0) {
		pe->stuck_insns = pe_now(pe) - pe->idle;
	} else if (unlikely(pe->stuck_count > STUCK_LIMIT)) {
		judge_progress(pe, pc, vector);
	}
}

struct entry {
	unsigned target_el;
	enum vector vector;
	bool has_esr;
	uint64_t esr;
	uint64_t elr;
	uint64_t pc; // of the instruction that caused it
};

// AArch64.TakeException: PSTATE.{SS,IL,BTYPE,UAO} are cleared, SSBS and PAN follow the target's
// SCTLR.
static NOINLINE void entry_rule_build(struct pe *pe, unsigned target)
{
	struct entry_rule *rule = &pe->entry_rules[target];
	uint64_t sctlr = pe->sr[sctlr_of[target]];

	rule->keep =
		~(PE_FLAG_MASK(ss) | PE_FLAG_MASK(il) | PE_FLAG_MASK(btype) | PE_FLAG_MASK(uao));
	rule->set = 0;
	if (has(pe, FEAT_SSBS)) {
		rule->keep &= ~PE_FLAG_MASK(ssbs);
		rule->set |= sctlr & SCTLR_DSSBS ? PE_FLAG(ssbs) : 0;
	}
	if (has(pe, FEAT_MTE)) {
		rule->keep &= ~PE_FLAG_MASK(tco);
		rule->set |= PE_FLAG(tco);
	}
	if (has(pe, FEAT_PAN) && !(sctlr & SCTLR_SPAN) &&
	    (target == 1 || (target == 2 && pe_e2h(pe) && pe_tge(pe)))) {
		rule->keep &= ~PE_FLAG_MASK(pan);
		rule->set |= PE_FLAG(pan);
	}
	rule->masks = PE_DAIF_MASK;
	if (has(pe, FEAT_NMI) && !(sctlr & SCTLR_SPINTMASK)) {
		rule->masks |= PE_ALLINT;
	}
	rule->epoch = pe->view_epoch;
}

// AArch64.TakeException: the state change itself.
static inline __attribute__((always_inline)) void enter(struct pe *pe, const struct entry *e)
{
	unsigned from = pe->el, target = e->target_el;
	uint64_t spsr = saved_spsr(pe, target), vector;
	bool was_secure = is_secure(pe), from_sp = pe->sp_sel;
	const struct entry_rule *rule = &pe->entry_rules[target];

	CHECK(target >= from && target != 0);
	if (unlikely(pe->pmu_active)) {
		pmu_count(pe, PMU_EXC_TAKEN);
	}
	if (unlikely(rule->epoch != pe->view_epoch)) {
		entry_rule_build(pe, target);
	}
	vector = pe->sr[vbar_of[target]] & ~UINT64_C(0x7ff);
	vector += (target != from ? 0x400u : from_sp ? 0x200u : 0u) + (unsigned)e->vector;
	if (e->has_esr) {
		pe->sr[esr_of[target]] = e->esr;
	}
	pe->sr[elr_of[target]] = e->elr;
	pe->sr[spsr_of[target]] = spsr;
	set_el_sp(pe, target, true);
	pe->daif = rule->masks;
	pe_set_flags(pe, (pe_flags(pe) & rule->keep) | rule->set);
	pe->cur = NULL;
	level_changed(pe, from, was_secure);
	pe->pc = likely((int64_t)(vector << 8) >> 8 == (int64_t)vector)
			 ? vector
			 : exception_branch_address(pe, vector);
	watch_progress(pe, e->pc, vector);
}

static void fill_abort(struct trace_event *event, const struct fault *f)
{
	event->has_far = f->has_far;
	event->far = f->far;
	event->has_ipa = f->has_ipa;
	event->ipa = f->ipa & ~PAGE_MASK;
	event->fault_stage = f->stage;
	event->fault_level = f->level;
	event->fault_s1ptw = f->s1ptw;
	event->fault_write = f->write;
}

// The syndrome's EC as seen at the target: some have a "same level" form, one above.
static unsigned ec_at(unsigned ec, bool same)
{
	switch (ec) {
	case EC_INSN_ABORT:
	case EC_DATA_ABORT:
	case EC_BREAKPOINT:
	case EC_STEP:
	case EC_WATCHPOINT:
		return ec + same;
	default:
		return ec;
	}
}

// The record of an exception or return begins before the state changes and is completed after it;
// it lives in the PE, so that the untraced way needs no room for it.
static NOINLINE void trace_begin(struct pe *pe, enum trace_type type, enum trace_cause cause)
{
	struct trace_event *event = &pe->event;

	memset(event, 0, sizeof(*event));
	event->type = type;
	event->cause = cause;
	event->from_el = pe->el;
	event->from_secure = pe_is_secure(pe);
	event->fault_level = -2;
	trace_stamp(pe, event);
}

static NOINLINE void trace_begin_fault(struct pe *pe, const struct entry *e, uint32_t insn,
				       bool has_insn)
{
	struct trace_event *event = &pe->event;
	const struct fault *f = &pe->fault;

	trace_begin(pe, TRACE_EXCEPTION, f->cause);
	event->control = f->control;
	if (event->control == NULL && pe->el == 0 && e->target_el == 2) {
		event->control = "HCR_EL2.TGE";
	}
	event->sysreg = f->sysreg;
	event->sysreg_read = f->sysreg_read;
	event->has_esr = true;
	event->esr = e->esr;
	event->elr = e->elr;
	event->spsr = saved_spsr(pe, e->target_el);
	event->insn = insn;
	event->has_insn = has_insn;
	trace_insn(pe, event, e->pc);
	fill_abort(event, f);
}

static NOINLINE void trace_end(struct pe *pe)
{
	pe->event.to_el = pe->el;
	pe->event.to_secure = pe_is_secure(pe);
	pe->event.vector = pe->pc;
	trace_emit(pe->trace, pe->event);
}

// The level that takes pe->fault: its own target, or the default: EL0's to EL1, or to EL2 while
// HCR_EL2.TGE is set; else the same level.
static unsigned fault_target(const struct pe *pe)
{
	unsigned target = pe->fault.target_el;

	if (target < pe->el || target == 0) {
		target = pe->el != 0 ? pe->el : 1;
	}
	return target == 1 && pe->el == 0 && pe_tge(pe) ? 2 : target;
}

// By its fault status: of the access itself, or of a walk for it at level -1 to 3.
static bool is_external_abort(const struct fault *f)
{
	unsigned status = f->iss & 0x3f;

	return (f->ec == EC_INSN_ABORT || f->ec == EC_DATA_ABORT || f->ec == EC_DATA_ABORT_SAME) &&
	       (status == 0x10 || (status >= 0x13 && status <= 0x17));
}

static inline __attribute__((always_inline)) void
take_fault(struct pe *pe, uint64_t elr, uint64_t pc, uint32_t insn, bool has_insn)
{
	const struct fault *f = &pe->fault;
	struct entry e = {.target_el = fault_target(pe),
			  .vector = VECTOR_SYNC,
			  .has_esr = true,
			  .elr = elr,
			  .pc = pc};

	e.esr = esr_make(ec_at(f->ec, e.target_el == pe->el), true, f->iss) | (uint64_t)f->iss2
										      << 32;
	if (unlikely(pe->tracing)) {
		trace_begin_fault(pe, &e, insn, has_insn);
	}
	if (f->has_far) {
		pe->sr[far_of[e.target_el]] = f->far;
		// FEAT_DoubleFault: a synchronous external abort taken to EL3 uses the SError
		// vector.
		if (e.target_el == 3 && is_external_abort(f) && has(pe, FEAT_DoubleFault) &&
		    (pe->sr[SR_SCR_EL3] & SCR_EL3_EASE)) {
			e.vector = VECTOR_SERROR;
		}
	}
	if (f->has_ipa && e.target_el == 2) {
		pe->sr[SR_HPFAR_EL2] =
			(f->ipa >> 12) << 4 | (f->ipa_ns && pe_secure_below_el3(pe) ? BIT(63) : 0);
	}
	enter(pe, &e);
	if (unlikely(pe->tracing)) {
		trace_end(pe);
	}
}

void exception_take_fault(struct pe *pe, uint64_t elr, uint64_t pc, uint32_t insn, bool has_insn)
{
	take_fault(pe, elr, pc, insn, has_insn);
}

const struct uop *exc_raise(struct pe *pe, const struct uop *op)
{
	uint64_t pc = pe_uop_pc(pe, op);
	uint8_t rest = op->rest;

	// The instructions of the block after this one were not executed.
	pe->cur = NULL;
	pe->budget += rest;
	take_fault(pe, pe->fault.after ? pc + 4 : pc, pc, op->insn, true);
	if (unlikely(pe->attention != 0)) {
		pe_kick(pe);
	}
	GOTO_PC(pe->pc);
}

// ---- interrupts ---------------------------------------------------------------------------------

static void drop_serror(struct pe *pe)
{
	pe->lines_high -= pe->lines[PE_LINE_SERROR];
	pe->lines[PE_LINE_SERROR] = false;
}

struct pending {
	enum pe_line line;
	bool is_virtual;
	unsigned target_el;
	const char *control;
};

// EffectiveNMEA, with FEAT_DoubleFault: at EL3 an SError that is routed there is not masked.
static inline bool serror_unmaskable(const struct pe *pe)
{
	return pe->el == 3 && !(~pe->sr[SR_SCR_EL3] & (SCR_EL3_EA | SCR_EL3_NMEA));
}

// Is the interrupt of a line masked by PSTATE at its target level, if that is the current one
// (AArch64.PendingUnmaskedPhysicalInterrupts, ...VirtualInterrupts)? With SCTLR_ELx.NMI, ALLINT or
// (SPINTMASK) the use of SP_ELx masks all of them, and what has Superpriority is masked by nothing
// else.
static inline __attribute__((always_inline)) bool masked_here(const struct pe *pe,
							      unsigned daif_bit, bool superpriority)
{
	bool masked = (pe->daif >> daif_bit) & 1;
	uint64_t sctlr;

	if (daif_bit == 2) {
		return masked && !serror_unmaskable(pe);
	}
	if (likely(!has(pe, FEAT_NMI))) {
		return masked;
	}
	sctlr = pe->sr[sctlr_of[pe_regime_el(pe)]];
	if (likely(!(sctlr & SCTLR_NMI))) {
		return masked;
	}
	if (pe->el != 0 && ((pe->daif & PE_ALLINT) || (pe->sp_sel && (sctlr & SCTLR_SPINTMASK)))) {
		return true;
	}
	return masked && !superpriority;
}

static inline bool has_superpriority(const struct pe *pe, enum pe_line line)
{
	return (pe->superpriority >> line) & 1;
}

// Where a physical interrupt goes, and whether the PE's state lets it through (Arm ARM D1.3.6).
static inline __attribute__((always_inline)) bool
physical_taken(const struct pe *pe, uint64_t hcr, enum pe_line line, uint64_t scr_bit,
	       uint64_t hcr_bit, unsigned daif_bit, const char *scr_name, const char *hcr_name,
	       struct pending *p)
{
	bool host = (hcr & HCR_EL2_E2H) && (hcr & HCR_EL2_TGE);
	bool masked = masked_here(pe, daif_bit, has_superpriority(pe, line));

	p->control = NULL;
	if (pe->has_el3 && (pe->sr[SR_SCR_EL3] & scr_bit)) {
		p->target_el = 3;
		p->control = scr_name;
		return pe->el < 3 || !masked;
	}
	if (pe->el < 3 && (hcr & (hcr_bit | HCR_EL2_TGE))) {
		p->target_el = 2;
		p->control = (hcr & hcr_bit) && !host ? hcr_name : "HCR_EL2.TGE";
		// From below, PSTATE does not mask, except in the EL2&0 regime's own EL0.
		return (pe->el < 2 && !host) || !masked;
	}
	p->target_el = 1;
	return pe->el <= 1 && !masked;
}

// HCR_EL2.<xMO> gives EL1 and EL0 virtual interrupts, unless TGE.
static inline bool virtual_enabled(const struct pe *pe, uint64_t mo_bit)
{
	uint64_t hcr = pe_hcr_effective(pe);

	return (hcr & mo_bit) && !(hcr & HCR_EL2_TGE);
}

static inline bool virtual_pending(const struct pe *pe, uint64_t mo_bit, uint64_t v_bit, bool line)
{
	return virtual_enabled(pe, mo_bit) && (line || (pe->sr[SR_HCR_EL2] & v_bit));
}

// Of a pending virtual interrupt: the list register's, or that HCRX_EL2.{VINMI, VFNMI} give to
// HCR_EL2.{VI, VF}.
static bool virtual_superpriority(const struct pe *pe, enum pe_line line, uint64_t v_bit,
				  uint64_t nmi_bit)
{
	return (pe->lines[line] && has_superpriority(pe, line)) ||
	       ((pe->sr[SR_HCR_EL2] & v_bit) && has(pe, FEAT_NMI) &&
		(sysreg_effective_hcrx(pe) & nmi_bit));
}

// The interrupt to take now, if any. Order: physical SError, FIQ, IRQ, then the virtual ones.
static inline __attribute__((always_inline)) bool find_pending(const struct pe *pe,
							       struct pending *p)
{
	uint64_t hcr = pe_hcr_effective(pe);

	p->is_virtual = false;
	if (unlikely(pe->lines[PE_LINE_SERROR]) &&
	    physical_taken(pe, hcr, PE_LINE_SERROR, SCR_EL3_EA, HCR_EL2_AMO, 2, "SCR_EL3.EA",
			   "HCR_EL2.AMO", p)) {
		p->line = PE_LINE_SERROR;
		return true;
	}
	if (pe->lines[PE_LINE_FIQ] && physical_taken(pe, hcr, PE_LINE_FIQ, SCR_EL3_FIQ, HCR_EL2_FMO,
						     0, "SCR_EL3.FIQ", "HCR_EL2.FMO", p)) {
		p->line = PE_LINE_FIQ;
		return true;
	}
	if (pe->lines[PE_LINE_IRQ] && physical_taken(pe, hcr, PE_LINE_IRQ, SCR_EL3_IRQ, HCR_EL2_IMO,
						     1, "SCR_EL3.IRQ", "HCR_EL2.IMO", p)) {
		p->line = PE_LINE_IRQ;
		return true;
	}
	p->is_virtual = true;
	p->target_el = 1;
	p->control = NULL;
	if (pe->el > 1 || !(hcr & (HCR_EL2_AMO | HCR_EL2_FMO | HCR_EL2_IMO))) {
		return false; // also while EL2 is not enabled
	}
	if (!(pe->daif & 4) && virtual_pending(pe, HCR_EL2_AMO, HCR_EL2_VSE, false)) {
		p->line = PE_LINE_SERROR;
		p->control = "HCR_EL2.VSE";
		return true;
	}
	if (virtual_pending(pe, HCR_EL2_FMO, HCR_EL2_VF, pe->lines[PE_LINE_VFIQ]) &&
	    !masked_here(pe, 0,
			 virtual_superpriority(pe, PE_LINE_VFIQ, HCR_EL2_VF, HCRX_EL2_VFNMI))) {
		p->line = PE_LINE_VFIQ;
		p->control = pe->lines[PE_LINE_VFIQ] ? "ICH_LRn_EL2" : "HCR_EL2.VF";
		return true;
	}
	if (virtual_pending(pe, HCR_EL2_IMO, HCR_EL2_VI, pe->lines[PE_LINE_VIRQ]) &&
	    !masked_here(pe, 1,
			 virtual_superpriority(pe, PE_LINE_VIRQ, HCR_EL2_VI, HCRX_EL2_VINMI))) {
		p->line = PE_LINE_VIRQ;
		p->control = pe->lines[PE_LINE_VIRQ] ? "ICH_LRn_EL2" : "HCR_EL2.VI";
		return true;
	}
	return false;
}

// Could anything be pending at all? The cheap test before the exact one.
static inline bool something_pending(const struct pe *pe)
{
	return pe->lines_high != 0 ||
	       (pe->sr[SR_HCR_EL2] & (HCR_EL2_VI | HCR_EL2_VF | HCR_EL2_VSE)) != 0;
}

static NOINLINE void look_for_pending(struct pe *pe)
{
	struct pending p;

	if (find_pending(pe, &p)) {
		pe_attend(pe, PE_ATTENTION_INTERRUPT);
	} else {
		pe->attention &= ~(unsigned)PE_ATTENTION_INTERRUPT;
	}
}

static inline void interrupts_changed(struct pe *pe)
{
	// Fully masked, and routed nowhere above: whatever is pending has to wait.
	bool masked =
		(pe->daif & PE_DAIF_MASK) == PE_DAIF_MASK && !pe->has_el3 &&
		!(pe->superpriority | (pe->sr[SR_HCRX_EL2] & (HCRX_EL2_VINMI | HCRX_EL2_VFNMI))) &&
		(pe->el == 2 ||
		 !(pe->sr[SR_HCR_EL2] & (HCR_EL2_AMO | HCR_EL2_FMO | HCR_EL2_IMO | HCR_EL2_TGE)));

	if (unlikely(something_pending(pe)) && !masked) {
		look_for_pending(pe);
	} else {
		pe->attention &= ~(unsigned)PE_ATTENTION_INTERRUPT;
	}
}

void pe_interrupts_changed(struct pe *pe)
{
	interrupts_changed(pe);
}

uint64_t pe_isr(const struct pe *pe)
{
	bool irq = pe->lines[PE_LINE_IRQ], fiq = pe->lines[PE_LINE_FIQ],
	     serror = pe->lines[PE_LINE_SERROR];
	bool irq_super = irq && has_superpriority(pe, PE_LINE_IRQ),
	     fiq_super = fiq && has_superpriority(pe, PE_LINE_FIQ);

	if (pe->el == 1 && pe_el2_enabled(pe)) {
		if (virtual_enabled(pe, HCR_EL2_IMO)) {
			irq = virtual_pending(pe, HCR_EL2_IMO, HCR_EL2_VI, pe->lines[PE_LINE_VIRQ]);
			irq_super =
				virtual_superpriority(pe, PE_LINE_VIRQ, HCR_EL2_VI, HCRX_EL2_VINMI);
		}
		if (virtual_enabled(pe, HCR_EL2_FMO)) {
			fiq = virtual_pending(pe, HCR_EL2_FMO, HCR_EL2_VF, pe->lines[PE_LINE_VFIQ]);
			fiq_super =
				virtual_superpriority(pe, PE_LINE_VFIQ, HCR_EL2_VF, HCRX_EL2_VFNMI);
		}
		if (virtual_enabled(pe, HCR_EL2_AMO)) {
			serror = virtual_pending(pe, HCR_EL2_AMO, HCR_EL2_VSE, false);
		}
	}
	return (uint64_t)irq_super << 10 | (uint64_t)fiq_super << 9 | (uint64_t)serror << 8 |
	       (uint64_t)irq << 7 | (uint64_t)fiq << 6;
}

bool pe_wakes(struct pe *pe, bool wfe)
{
	struct pending p;

	if (wfe) {
		return find_pending(pe, &p); // a masked interrupt is no reason to leave WFE
	}
	if (pe->lines[PE_LINE_IRQ] || pe->lines[PE_LINE_FIQ] || pe->lines[PE_LINE_SERROR]) {
		return true;
	}
	if (pe->el < 2 && pe_el2_enabled(pe) &&
	    (virtual_pending(pe, HCR_EL2_IMO, HCR_EL2_VI, pe->lines[PE_LINE_VIRQ]) ||
	     virtual_pending(pe, HCR_EL2_FMO, HCR_EL2_VF, pe->lines[PE_LINE_VFIQ]) ||
	     virtual_pending(pe, HCR_EL2_AMO, HCR_EL2_VSE, false))) {
		return true;
	}
	return find_pending(pe, &p);
}

static uint64_t serror_esr(struct pe *pe, bool is_virtual)
{
	if (is_virtual && has(pe, FEAT_RAS)) {
		return esr_make(EC_SERROR, true, (uint32_t)(pe->sr[SR_VSESR_EL2] & 0x1ffffff));
	}
	return esr_make(EC_SERROR, true, 0);
}

bool exception_take_interrupt(struct pe *pe)
{
	enum trace_cause cause;
	struct pending p;
	struct entry e = {.elr = pe->pc, .pc = pe->pc};

	if (!find_pending(pe, &p)) {
		return false;
	}
	e.target_el = p.target_el;
	switch (p.line) {
	case PE_LINE_SERROR:
		e.vector = VECTOR_SERROR;
		e.has_esr = true;
		e.esr = serror_esr(pe, p.is_virtual);
		cause = p.is_virtual ? TRACE_CAUSE_VSERROR : TRACE_CAUSE_SERROR;
		if (p.is_virtual) {
			pe->sr[SR_HCR_EL2] &= ~HCR_EL2_VSE; // taking it clears the pending bit
		} else {
			drop_serror(pe); // edge: one SError is one exception
		}
		break;
	case PE_LINE_FIQ:
	case PE_LINE_VFIQ:
		e.vector = VECTOR_FIQ;
		cause = p.is_virtual ? TRACE_CAUSE_VFIQ : TRACE_CAUSE_FIQ;
		break;
	default:
		e.vector = VECTOR_IRQ;
		cause = p.is_virtual ? TRACE_CAUSE_VIRQ : TRACE_CAUSE_IRQ;
		break;
	}
	pe->fault.cause = cause;
	if (unlikely(pe->tracing)) {
		trace_begin(pe, TRACE_EXCEPTION, cause);
		pe->event.control = p.control;
		pe->event.has_esr = e.has_esr;
		pe->event.esr = e.esr;
		pe->event.elr = e.elr;
		pe->event.spsr = saved_spsr(pe, e.target_el);
		if (pe->intid != NULL && p.line != PE_LINE_SERROR) {
			pe->event.intid = pe->intid(pe, pe->intid_opaque, p.line);
			pe->event.has_intid = pe->event.intid < 1020 || pe->event.intid >= 8192;
		}
		trace_insn(pe, &pe->event, e.pc);
	}
	enter(pe, &e);
	if (unlikely(pe->tracing)) {
		trace_end(pe);
	}
	return true;
}

// AArch64.ESBOperation, then AArch64.vESBOperation: an SError that is masked here is deferred, one
// that is not is taken before the next instruction.
void exception_esb(struct pe *pe)
{
	struct pending p;

	if (pe->lines[PE_LINE_SERROR] &&
	    !physical_taken(pe, pe_hcr_effective(pe), PE_LINE_SERROR, SCR_EL3_EA, HCR_EL2_AMO, 2,
			    "SCR_EL3.EA", "HCR_EL2.AMO", &p)) {
		pe->sr[SR_DISR_EL1] = BIT(31);
		drop_serror(pe);
	}
	if (pe->el < 2 && (pe->daif & 4) && virtual_pending(pe, HCR_EL2_AMO, HCR_EL2_VSE, false)) {
		pe->sr[SR_VDISR_EL2] = BIT(31) | (pe->sr[SR_VSESR_EL2] & 0x1ffffff);
		pe->sr[SR_HCR_EL2] &= ~HCR_EL2_VSE;
	}
}

// ---- return -------------------------------------------------------------------------------------

// ELFromSPSR and IllegalExceptionReturn; the target level, or -1.
static int return_level(const struct pe *pe, uint64_t spsr)
{
	unsigned el = (unsigned)bits(spsr, 3, 2);

	if ((spsr & SPSR_M4) || bit(spsr, 1) || (el == 0 && bit(spsr, 0))) {
		return -1; // AArch32, reserved, EL0 with SP_EL1
	}
	if (el > pe->el || (el == 3 && !pe->has_el3) || (el == 2 && !pe_el2_enabled(pe))) {
		return -1;
	}
	if (el == 1 && pe_tge(pe)) {
		return -1;
	}
	return (int)el;
}

// AArch64.BranchAddr: a tagged address loses its tag on the way into the PC.
uint64_t exception_branch_address(const struct pe *pe, uint64_t va)
{
	uint64_t tcr = pe->regime->tcr;

	if ((int64_t)(va << 8) >> 8 == (int64_t)va) {
		return va;
	}
	if (pe->regime->kind == MMU_REGIME_EL10 || pe->regime->kind == MMU_REGIME_EL20) {
		bool high = bit(va, 55);

		if (bit(tcr, high ? 38 : 37) && !bit(tcr, high ? 52 : 51)) {
			return (uint64_t)sext(va, 56);
		}
		return va;
	}
	return bit(tcr, 20) && !bit(tcr, 29) ? zext(va, 56) : va;
}

// stepping: software step was enabled where the return came from, which takes SS away
// (DebugExceptionReturnSS).
static void set_pstate(struct pe *pe, uint64_t spsr, bool legal, bool stepping)
{
	pe_set_nzcv(pe, (uint32_t)spsr & 0xf0000000u);
	pe->daif = pe_masks_of(spsr);
	pe->ss = (spsr & SPSR_SS) && !stepping && debug_step_active(pe);
	pe->pan = has(pe, FEAT_PAN) && (spsr & SPSR_PAN);
	if (!legal) {
		pe->il = true;
		return;
	}
	if (likely(!(spsr & SPSR_FLAGS))) {
		pe->il = pe->pan = pe->uao = pe->dit = pe->ssbs = pe->tco = false;
		pe->btype = 0;
		return;
	}
	pe->il = spsr & SPSR_IL;
	pe->uao = has(pe, FEAT_UAO) && (spsr & SPSR_UAO);
	pe->dit = has(pe, FEAT_DIT) && (spsr & SPSR_DIT);
	pe->ssbs = has(pe, FEAT_SSBS) && (spsr & SPSR_SSBS);
	pe->tco = has(pe, FEAT_MTE) && (spsr & SPSR_TCO);
	pe->btype = has(pe, FEAT_BTI) ? (uint8_t)bits(spsr, 11, 10) : 0;
}

void exception_return(struct pe *pe, uint64_t target, uint64_t spsr, uint64_t pc, uint32_t insn)
{
	unsigned from = pe->el;
	bool was_secure = is_secure(pe);
	bool stepping = (pe->sr[SR_MDSCR_EL1] & MDSCR_EL1_SS) && debug_step_active(pe);
	int level = return_level(pe, spsr);

	if (unlikely(pe->tracing)) {
		trace_begin(pe, TRACE_RETURN,
			    level < 0 ? TRACE_CAUSE_ERET_ILLEGAL : TRACE_CAUSE_ERET);
		pe->event.insn = insn;
		pe->event.has_insn = true;
		pe->event.pc = pc;
		pe->event.spsr = spsr;
	}
	if (unlikely(pe->pmu_active)) {
		pmu_count(pe, PMU_EXC_RETURN);
	}
	if (level >= 0) {
		pe_set_el_sp(pe, (unsigned)level, bit(spsr, 0));
	}
	set_pstate(pe, spsr, level >= 0, stepping);
	pe->excl_valid = false;
	pe->event_register = true;
	pe->stuck_count = 0;
	level_changed(pe, from, was_secure);
	pe->pc = likely((int64_t)(target << 8) >> 8 == (int64_t)target)
			 ? target
			 : exception_branch_address(pe, target);
	if (unlikely(pe->attention != 0)) {
		pe_kick(pe);
	}
	if (unlikely(pe->tracing)) {
		pe->event.elr = pe->pc;
		trace_end(pe);
	}
	if (unlikely(pe->il)) {
		code_illegal_state(pe);
	}
}

void exception_eret(struct pe *pe, const struct uop *op)
{
	unsigned from = pe->el, el;
	uint64_t target = pe->sr[elr_of[from]], spsr = pe->sr[spsr_of[from]];

	el = (unsigned)bits(spsr, 3, 2);
	// The plain case: from EL1 or EL2, down to EL1 or EL0 or to the same level, with no flags
	// but NZCV and DAIF.
	if (unlikely((spsr & (SPSR_FLAGS | SPSR_SS | SPSR_M4 | BIT(1))) != 0 || from == 3 ||
		     el > from || el == 2 || (el == 0 ? bit(spsr, 0) : pe_tge(pe)) ||
		     !unwatched(pe) || (int64_t)(target << 8) >> 8 != (int64_t)target)) {
		exception_return(pe, target, spsr, pe_uop_pc(pe, op), op->insn);
		return;
	}
	set_el_sp(pe, el, bit(spsr, 0));
	pe_set_nzcv(pe, (uint32_t)spsr & 0xf0000000u);
	pe->daif = pe_masks_of(spsr);
	if (pe_flags(pe) != 0) {
		pe_set_flags(pe, 0);
	}
	pe->excl_valid = false;
	pe->event_register = true;
	pe->stuck_count = 0;
	pe_context_select(pe); // between levels below EL3 the Security state stays
	interrupts_changed(pe);
	pe->pc = target;
	if (unlikely(pe->attention != 0)) {
		pe_kick(pe);
	}
}
