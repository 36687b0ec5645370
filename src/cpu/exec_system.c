// SPDX-License-Identifier: Apache-2.0
// Exception generation, hints, barriers, PSTATE and system-register instructions (Arm ARM C4.1.93).
#include <stdio.h>

#include "cpu/exec_internal.h"
#include "cpu/exec_pauth.h"
#include "cpu/exec_sysins.h"
#include "cpu/sysreg_fields.h"
#include "cpu/sysreg_internal.h"
#include "cpu/vncr.h"
#include "cpu/wait.h"

// ---- exception generation -----------------------------------------------------------------------

static OP(op_udf)
{
	return exc_undefined(pe, op);
}

bool tr_udf(struct tr *t, uint32_t insn)
{
	(void)insn;
	tr_emit(t, op_udf);
	return true;
}

// DCPSn outside Debug state.
bool tr_dcps(struct tr *t, uint32_t insn)
{
	(void)t;
	(void)insn;
	return false;
}

bool tr_drps(struct tr *t, uint32_t insn)
{
	(void)t;
	(void)insn;
	return false;
}

// SSAdvance: a stepped instruction that is itself an exception call counts as executed.
static void step_advance(struct pe *pe)
{
	if (pe->sr[SR_MDSCR_EL1] & MDSCR_EL1_SS) {
		pe->ss = false;
	}
}

// AArch64.CheckForSVCTrap: trapped by a fine-grained control, the SVC has not been executed.
static NOINLINE OP(op_svc_trapped)
{
	const char *control = sysreg_traps_svc(pe);

	fault_trap(pe, control != NULL ? 2 : 0, EC_SVC, op->aux, TRACE_CAUSE_SVC, control);
	if (control == NULL) {
		pe->fault.after = true;
		step_advance(pe);
	}
	return exc_raise(pe, op);
}

static OP(op_svc)
{
	if (unlikely(pe->sr[SR_HFGITR_EL2] & HFGITR_EL2_SVC)) {
		return op_svc_trapped(pe, op);
	}
	fault_trap(pe, 0, EC_SVC, op->aux, TRACE_CAUSE_SVC, NULL);
	pe->fault.after = true;
	step_advance(pe);
	return exc_raise(pe, op);
}

static uint32_t imm16(uint32_t insn)
{
	return (uint32_t)bits(insn, 20, 5);
}

bool tr_svc(struct tr *t, uint32_t insn)
{
	tr_emit(t, op_svc)->aux = imm16(insn);
	return true;
}

// Let the board's firmware service deal with a call; true if it did.
static NOINLINE bool firmware_call(struct pe *pe, const struct uop *op,
				   bool (*service)(struct pe *, void *, uint16_t))
{
	bool done;

	pe->cur = op;
	done = service != NULL && service(pe, pe->services.opaque, (uint16_t)op->aux);
	pe->cur = NULL;
	return done;
}

// AArch64.CheckForHVC and CallHypervisor.
static OP(op_hvc)
{
	if (pe->el != 0 && firmware_call(pe, op, pe->services.hvc)) {
		GOTO_NEXT_PC;
	}
	if (pe->el == 0 || !pe->has_el2 || (pe->el == 1 && !pe_el2_enabled(pe)) ||
	    (pe->has_el3 ? !(pe->sr[SR_SCR_EL3] & SCR_EL3_HCE)
			 : (pe->sr[SR_HCR_EL2] & HCR_EL2_HCD) != 0)) {
		return exc_undefined(pe, op);
	}
	fault_trap(pe, pe->el == 3 ? 3 : 2, EC_HVC, op->aux, TRACE_CAUSE_HVC, NULL);
	pe->fault.after = true;
	step_advance(pe);
	return exc_raise(pe, op);
}

bool tr_hvc(struct tr *t, uint32_t insn)
{
	tr_emit(t, op_hvc)->aux = imm16(insn);
	return true;
}

// AArch64.CheckForSMCUndefOrTrap and CallSecureMonitor. A firmware service stands for an EL3 that
// is not simulated, or for the firmware that an EL3 without any would have.
static OP(op_smc)
{
	bool trapped = pe->el == 1 && pe_el2_enabled(pe) && (pe->sr[SR_HCR_EL2] & HCR_EL2_TSC);

	if (pe->el == 0) {
		return exc_undefined(pe, op);
	}
	// Without EL3 TSC has an effect for a guest hypervisor only.
	if (!pe->has_el3 && pe->services.smc == NULL && !(trapped && pe_nv(pe))) {
		return exc_undefined(pe, op);
	}
	if (!trapped && pe->el < 3 && firmware_call(pe, op, pe->services.smc)) {
		GOTO_NEXT_PC;
	}
	if (!trapped && (!pe->has_el3 || (pe->sr[SR_SCR_EL3] & SCR_EL3_SMD))) {
		return exc_undefined(pe, op);
	}
	if (trapped) {
		fault_trap(pe, 2, EC_SMC, op->aux, TRACE_CAUSE_SMC, "HCR_EL2.TSC");
	} else {
		fault_trap(pe, 3, EC_SMC, op->aux, TRACE_CAUSE_SMC, NULL);
		pe->fault.after = true;
		step_advance(pe);
	}
	return exc_raise(pe, op);
}

bool tr_smc(struct tr *t, uint32_t insn)
{
	tr_emit(t, op_smc)->aux = imm16(insn);
	return true;
}

// AArch64.SoftwareBreakpoint.
static OP(op_brk)
{
	unsigned target = 0;
	const char *control = NULL;

	if (pe->el < 2 && pe_el2_enabled(pe) && (pe->sr[SR_MDCR_EL2] & MDCR_EL2_TDE)) {
		target = 2;
		control = "MDCR_EL2.TDE";
	}
	fault_trap(pe, target, EC_BRK, op->aux, TRACE_CAUSE_BRK, control);
	return exc_raise(pe, op);
}

bool tr_brk(struct tr *t, uint32_t insn)
{
	tr_emit(t, op_brk)->aux = imm16(insn);
	return true;
}

// Halting debug is not implemented: HLT is semihosting where the board offers it, else UNDEFINED.
static OP(op_hlt)
{
	if (firmware_call(pe, op, pe->services.hlt)) {
		GOTO_NEXT_PC;
	}
	return exc_undefined(pe, op);
}

bool tr_hlt(struct tr *t, uint32_t insn)
{
	tr_emit(t, op_hlt)->aux = imm16(insn);
	return true;
}

// AArch64.CheckForERetTrap, after the cheap test.
static NOINLINE bool eret_trapped_by(struct pe *pe, const struct uop *op)
{
	uint64_t hcr = pe_hcr_effective(pe);
	bool pac = bit(op->insn, 11);
	const char *control;

	if (pe->el != 1 || !pe_el2_enabled(pe)) {
		return false;
	}
	control = (hcr & HCR_EL2_NV) ? "HCR_EL2.NV" : sysreg_traps_eret(pe);
	if (control == NULL) {
		return false;
	}
	fault_trap(pe, 2, EC_ERET, iss_eret(pac, pac && bit(op->insn, 10)), TRACE_CAUSE_ERET_TRAP,
		   control);
	return true;
}

static inline bool eret_trapped(struct pe *pe, const struct uop *op)
{
	uint64_t traps = (pe->sr[SR_HCR_EL2] & HCR_EL2_NV) | pe->sr[SR_HFGITR_EL2];

	return unlikely(traps != 0) && eret_trapped_by(pe, op);
}

static OP(op_eret)
{
	if (pe->el == 0) {
		return exc_undefined(pe, op);
	}
	if (eret_trapped(pe, op)) {
		return exc_raise(pe, op);
	}
	exception_eret(pe, op);
	if (unlikely(pe->btype != 0)) {
		return NULL; // the run loop looks at the target
	}
	GOTO_PC(pe->pc);
}

bool tr_eret(struct tr *t, uint32_t insn)
{
	(void)insn;
	tr_emit(t, op_eret);
	return true;
}

static OP(op_ereta)
{
	if (pe->el == 0) {
		return exc_undefined(pe, op);
	}
	if (eret_trapped(pe, op)) {
		return exc_raise(pe, op);
	}
	if (!pauth_auth_branch(pe, op, pe->sr[exception_elr(pe->el)], pe->x[X_SP],
			       bit(op->insn, 10))) {
		return exc_raise(pe, op);
	}
	exception_return(pe, pe->scratch[0], pe->sr[exception_spsr(pe->el)], pe_uop_pc(pe, op),
			 op->insn);
	if (unlikely(pe->btype != 0)) {
		return NULL;
	}
	GOTO_PC(pe->pc);
}

bool tr_ereta(struct tr *t, uint32_t insn)
{
	(void)insn;
	tr_emit(t, op_ereta);
	return true;
}

// ---- hints and barriers -------------------------------------------------------------------------

// What does nothing needs no uop: the instruction still counts in its block.
static bool tr_nothing(void)
{
	return true;
}

// NOP, YIELD, DGH, CSDB, BTI, PSB, TSB and every unallocated hint.
bool tr_hint(struct tr *t, uint32_t insn)
{
	(void)t;
	(void)insn;
	return tr_nothing();
}

bool tr_dsb(struct tr *t, uint32_t insn)
{
	(void)t;
	(void)insn;
	return tr_nothing();
}

// nXS leaves out what nothing here does anyway: waiting for accesses to memory with the XS
// attribute.
bool tr_dsb_nxs(struct tr *t, uint32_t insn)
{
	return tr_dsb(t, insn);
}

bool tr_dmb(struct tr *t, uint32_t insn)
{
	(void)t;
	(void)insn;
	return tr_nothing();
}

bool tr_sb(struct tr *t, uint32_t insn)
{
	(void)t;
	(void)insn;
	return tr_nothing();
}

bool tr_isb(struct tr *t, uint32_t insn)
{
	(void)t;
	(void)insn;
	return tr_nothing();
}

static OP(op_esb)
{
	exception_esb(pe);
	NEXT;
}

bool tr_esb(struct tr *t, uint32_t insn)
{
	(void)insn;
	if (tr_has(t, FEAT_RAS)) {
		tr_emit(t, op_esb);
	}
	return true;
}

static OP(op_sev)
{
	pe->cur = op;
	if (pe->services.sev != NULL) {
		pe->services.sev(pe, pe->services.opaque);
	}
	pe->cur = NULL;
	pe->event_register = true;
	NEXT;
}

static OP(op_sevl)
{
	pe->event_register = true;
	NEXT;
}

bool tr_sev(struct tr *t, uint32_t insn)
{
	tr_emit(t, bit(insn, 5) ? op_sevl : op_sev);
	return true;
}

// WFI, WFE, WFIT, WFET. aux: TI of the syndrome (0..3); rn: the timeout.
static OP(op_wait)
{
	switch (wait_begin(pe, op, op->aux & 1, op->aux >= 2, XN, op->rn)) {
	case WAIT_TRAPPED:
		return exc_raise(pe, op);
	case WAIT_SLEEPS:
		pe->pc = pe_uop_pc(pe, op) + 4;
		return NULL;
	default:
		NEXT;
	}
}

static bool emit_wait(struct tr *t, uint32_t ti, unsigned rn)
{
	struct uop *u = tr_emit(t, op_wait);

	u->aux = ti;
	u->rn = tr_xr(rn);
	return true;
}

bool tr_wfi(struct tr *t, uint32_t insn)
{
	(void)insn;
	return emit_wait(t, 0, 31);
}

bool tr_wfe(struct tr *t, uint32_t insn)
{
	(void)insn;
	return emit_wait(t, 1, 31);
}

bool tr_wfxt(struct tr *t, uint32_t insn)
{
	// WFET is op2 0, WFIT op2 1; in the syndrome WFIT is 2 and WFET 3.
	return emit_wait(t, bit(insn, 5) ? 2 : 3, F_RD(insn));
}

// ---- PSTATE fields ------------------------------------------------------------------------------

// MSR DAIFSet/DAIFClr at EL0 while SCTLR_ELx.UMA is 0 (or the other fields, which are UNDEFINED
// there).
static NOINLINE bool daif_trapped(struct pe *pe, const struct uop *op)
{
	uint32_t i = op->insn;
	bool host = pe_in_host(pe);

	// SCTLR_EL2 has no UMA: a host's EL0 is always trapped.
	if (pe->el != 0 || (!host && (pe->sr[SR_SCTLR_EL1] & SCTLR_UMA))) {
		return false;
	}
	pe->cur = op;
	fault_trap(pe, host || pe_tge(pe) ? 2 : 1, EC_SYSREG,
		   iss_sysreg(0, (unsigned)bits(i, 18, 16), 4, (unsigned)bits(i, 11, 8),
			      (unsigned)bits(i, 7, 5), 31, false),
		   TRACE_CAUSE_SYSREG, host ? "HCR_EL2.TGE" : "SCTLR_EL1.UMA");
	pe->fault.sysreg = "DAIF";
	return true;
}

static OP(op_daifset)
{
	if (unlikely(daif_trapped(pe, op))) {
		return exc_raise(pe, op);
	}
	pe->daif |= (uint8_t)op->aux;
	pe_interrupts_changed(pe);
	NEXT;
}

static OP(op_daifclr)
{
	if (unlikely(daif_trapped(pe, op))) {
		return exc_raise(pe, op);
	}
	pe->daif &= (uint8_t)~op->aux;
	pe_interrupts_changed(pe);
	if (unlikely(pe->break_active || (op->aux & 8))) {
		pe_debug_changed(pe);
	}
	NEXT;
}

static OP(op_msr_spsel)
{
	if (unlikely(pe->el == 0)) {
		return exc_undefined(pe, op);
	}
	pe_set_el_sp(pe, pe->el, op->aux & 1);
	pe_interrupts_changed(pe); // SCTLR_ELx.SPINTMASK
	NEXT;
}

// HCRX_EL2.TALLINT traps setting PSTATE.ALLINT at EL1.
static NOINLINE bool allint_trapped(struct pe *pe, const struct uop *op)
{
	if (pe->el != 1 || !(op->aux & 1) || !(sysreg_effective_hcrx(pe) & HCRX_EL2_TALLINT)) {
		return false;
	}
	pe->cur = op;
	fault_trap(pe, 2, EC_SYSREG, iss_sysreg(0, 1, 4, op->aux, 0, 31, false), TRACE_CAUSE_SYSREG,
		   "HCRX_EL2.TALLINT");
	pe->fault.sysreg = "ALLINT";
	return true;
}

static OP(op_msr_allint)
{
	if (unlikely(pe->el == 0)) {
		return exc_undefined(pe, op);
	}
	if (unlikely(allint_trapped(pe, op))) {
		return exc_raise(pe, op);
	}
	pe->daif = (uint8_t)((pe->daif & PE_DAIF_MASK) | (op->aux & 1 ? PE_ALLINT : 0));
	pe_interrupts_changed(pe);
	NEXT;
}

static OP(op_msr_pan)
{
	if (unlikely(pe->el == 0)) {
		return exc_undefined(pe, op);
	}
	pe->pan = op->aux & 1;
	pe_context_select(pe);
	NEXT;
}

static OP(op_msr_uao)
{
	if (unlikely(pe->el == 0)) {
		return exc_undefined(pe, op);
	}
	pe->uao = op->aux & 1;
	pe_context_select(pe);
	NEXT;
}

static OP(op_msr_dit)
{
	pe->dit = op->aux & 1;
	NEXT;
}

static OP(op_msr_tco)
{
	pe->tco = op->aux & 1;
	NEXT;
}

static OP(op_msr_ssbs)
{
	pe->ssbs = op->aux & 1;
	NEXT;
}

bool tr_msr_imm(struct tr *t, uint32_t insn)
{
	struct uop *u;
	op_fn *fn;

	switch (bits(insn, 18, 16) << 3 | bits(insn, 7, 5)) {
	case 003:
		fn = tr_has(t, FEAT_UAO) ? op_msr_uao : NULL;
		break;
	case 004:
		fn = tr_has(t, FEAT_PAN) ? op_msr_pan : NULL;
		break;
	case 005:
		fn = op_msr_spsel;
		break;
	case 010: // CRm<3:1> is part of the encoding
		fn = tr_has(t, FEAT_NMI) && bits(insn, 11, 9) == 0 ? op_msr_allint : NULL;
		break;
	case 031:
		fn = tr_has(t, FEAT_SSBS2) ? op_msr_ssbs : NULL;
		break;
	case 032:
		fn = tr_has(t, FEAT_DIT) ? op_msr_dit : NULL;
		break;
	case 034:
		fn = tr_has(t, FEAT_MTE) ? op_msr_tco : NULL;
		break;
	case 036:
		fn = op_daifset;
		break;
	case 037:
		fn = op_daifclr;
		break;
	default:
		fn = NULL;
		break;
	}
	if (fn == NULL) {
		return false;
	}
	u = tr_emit(t, fn);
	u->aux = (uint32_t)bits(insn, 11, 8);
	t->goes_on = fn == op_daifset || fn == op_msr_dit || fn == op_msr_ssbs ||
		     fn == op_msr_tco; // nothing opens
	return true;
}

// ---- system registers ---------------------------------------------------------------------------

// The name of what was accessed: of the table, or S<op0>_<op1>_C<n>_C<m>_<op2>.
static const char *access_name(struct pe *pe, uint32_t insn)
{
	uint16_t enc = (uint16_t)bits(insn, 20, 5);
	enum sysreg reg = sysreg_find(enc);

	if (reg != SYSREG_NONE) {
		return sysreg_name(reg);
	}
	snprintf(pe->fault.name, sizeof(pe->fault.name), "S%u_%u_C%u_C%u_%u",
		 (unsigned)bits(insn, 20, 19), (unsigned)bits(insn, 18, 16),
		 (unsigned)bits(insn, 15, 12), (unsigned)bits(insn, 11, 8),
		 (unsigned)bits(insn, 7, 5));
	return pe->fault.name;
}

// sysreg_permitted, where a trap that is taken again and again is remembered, and which place in
// memory is meant (FEAT_NV2).
static struct sysreg_decision decide(struct pe *pe, uint16_t enc, bool read, unsigned rt)
{
	struct sysreg_trapped *t =
		&pe->sysreg_trapped[(enc ^ enc >> 5) & (SYSREG_TRAPPED_COUNT - 1)];
	struct sysreg_decision d;

	if (t->tag == pe->access_tag && t->enc == enc && t->read == read) {
		d = t->decision;
		d.iss = (d.iss & ~ISS_SYSREG_RT) | rt << 5;
		return d;
	}
	d = sysreg_permitted(pe, enc, read, rt);
	if ((d.outcome == SYSREG_TRAPPED && d.ec == EC_SYSREG) || d.outcome == SYSREG_IN_MEMORY) {
		*t = (struct sysreg_trapped){pe->access_tag, enc, read, d};
	}
	return d;
}

// May the access be made? d.reg is then the register, or d.vncr its place in memory. False:
// pe->fault.
static NOINLINE bool sysreg_access(struct pe *pe, const struct uop *op, bool read,
				   struct sysreg_decision *d)
{
	uint32_t insn = op->insn;

	*d = decide(pe, (uint16_t)bits(insn, 20, 5), read, F_RD(insn));
	if (likely(d->outcome == SYSREG_PERMITTED || d->outcome == SYSREG_IN_MEMORY)) {
		return true;
	}
	pe->cur = op;
	if (d->outcome == SYSREG_UNDEFINED) {
		log_line(pe->log, LOG_LEVEL_UNIMP,
			 "PE %u: %s %s at EL%u is UNDEFINED (pc 0x%llx)%s%s", pe->index,
			 read ? "read of" : "write to", access_name(pe, insn), pe->el,
			 (unsigned long long)pe_uop_pc(pe, op), d->control != NULL ? ": " : "",
			 d->control != NULL ? d->control : "");
		fault_undefined(pe);
		pe->fault.control = d->control;
	} else {
		fault_trap(pe, d->target_el, (enum ec)d->ec, d->iss,
			   d->ec == EC_FP ? TRACE_CAUSE_FP : TRACE_CAUSE_SYSREG, d->control);
	}
	pe->fault.sysreg = access_name(pe, insn);
	pe->fault.sysreg_read = read;
	return false;
}

// An abort of an access in memory names the register too.
static void fault_of_access(struct pe *pe, const struct uop *op, bool read)
{
	pe->fault.sysreg = access_name(pe, op->insn);
	pe->fault.sysreg_read = read;
}

static struct sysreg_cached *cached_permission(struct pe *pe, uint32_t enc, bool read)
{
	return &pe->sysreg_cache[read][pe->el << 1 | pe->sp_sel]
				[(enc ^ enc >> 7) & (SYSREG_CACHE_COUNT - 1)];
}

static void remember_permission(struct pe *pe, uint32_t enc, bool read, enum sysreg reg)
{
	*cached_permission(pe, enc, read) = (struct sysreg_cached){.enc = (uint16_t)enc,
								   .reg = (uint16_t)reg,
								   .epoch = pe->sysreg_epoch};
}

// A uop remembers that its access is permitted and goes straight to the stored value of a register:
// access_tag with the register in its low 16 bits.
static inline void remember_in_uop(struct pe *pe, const struct uop *op, unsigned reg)
{
	((struct uop *)(uintptr_t)op)->imm = pe->access_tag | reg;
}

// The access in full: the permission is decided and, if it leads to a register, remembered.
static NOINLINE bool do_mrs(struct pe *pe, const struct uop *op)
{
	struct sysreg_decision d;

	if (!sysreg_access(pe, op, true, &d)) {
		return false;
	}
	if (d.outcome == SYSREG_IN_MEMORY) {
		uint64_t value;

		if (!vncr_load(pe, op, d.vncr, &value)) {
			fault_of_access(pe, op, true);
			return false;
		}
		XD = value;
		return true;
	}
	remember_permission(pe, op->aux, true, d.reg);
	if (pe->hooks[d.reg].read == NULL) {
		remember_in_uop(pe, op, d.reg);
	}
	pe->cur = op;
	XD = sysreg_read(pe, d.reg);
	pe->cur = NULL;
	return true;
}

static NOINLINE OP(op_mrs_decide)
{
	if (unlikely(!do_mrs(pe, op))) {
		return exc_raise(pe, op);
	}
	NEXT;
}

static NOINLINE OP(op_mrs_hook)
{
	pe->cur = op;
	XD = sysreg_read(pe, (enum sysreg)pe->access_reg);
	pe->cur = NULL;
	NEXT;
}

static NOINLINE OP(op_mrs_find)
{
	const struct sysreg_cached *cached = cached_permission(pe, op->aux, true);
	const struct sysreg_hook *hook = &pe->hooks[cached->reg];

	if (unlikely(cached->enc != op->aux || cached->epoch != pe->sysreg_epoch)) {
		return op_mrs_decide(pe, op);
	}
	if (likely(hook->read == NULL)) {
		remember_in_uop(pe, op, cached->reg);
		XD = pe->sr[cached->reg];
		NEXT;
	}
	pe->access_reg = cached->reg;
	return op_mrs_hook(pe, op);
}

// aux: the encoding.
static OP(op_mrs)
{
	uint64_t reg = op->imm ^ pe->access_tag;

	if (unlikely(reg >= SYSREG_COUNT)) {
		return op_mrs_find(pe, op);
	}
	XD = pe->sr[reg];
	NEXT;
}

bool tr_mrs(struct tr *t, uint32_t insn)
{
	struct uop *u = tr_emit(t, op_mrs);

	u->rd = tr_xw(F_RD(insn));
	u->aux = (uint32_t)bits(insn, 20, 5);
	return true;
}

static NOINLINE bool do_msr(struct pe *pe, const struct uop *op)
{
	struct sysreg_decision d;

	if (!sysreg_access(pe, op, false, &d)) {
		return false;
	}
	if (d.outcome == SYSREG_IN_MEMORY) {
		if (!vncr_store(pe, op, d.vncr, XD)) {
			fault_of_access(pe, op, false);
			return false;
		}
		return true;
	}
	remember_permission(pe, op->aux, false, d.reg);
	if (pe->hooks[d.reg].plain_write) {
		remember_in_uop(pe, op, d.reg);
	}
	pe->cur = op;
	sysreg_write(pe, d.reg, XD);
	pe->cur = NULL;
	return true;
}

static NOINLINE OP(op_msr_decide)
{
	if (unlikely(!do_msr(pe, op))) {
		return exc_raise(pe, op);
	}
	NEXT;
}

// A permitted write with effects.
static NOINLINE OP(op_msr_effect)
{
	pe->cur = op;
	sysreg_write(pe, (enum sysreg)pe->access_reg, XD);
	pe->cur = NULL;
	NEXT;
}

static inline void write_plain(struct pe *pe, uint64_t reg, uint64_t value)
{
	uint64_t writable = pe->model->writable[reg];

	pe->sr[reg] = (pe->sr[reg] & ~writable) | (value & writable);
}

static NOINLINE OP(op_msr_find)
{
	const struct sysreg_cached *cached = cached_permission(pe, op->aux, false);

	if (unlikely(cached->enc != op->aux || cached->epoch != pe->sysreg_epoch)) {
		return op_msr_decide(pe, op);
	}
	if (likely(pe->hooks[cached->reg].plain_write)) {
		remember_in_uop(pe, op, cached->reg);
		write_plain(pe, cached->reg, XD);
		NEXT;
	}
	pe->access_reg = cached->reg;
	return op_msr_effect(pe, op);
}

static OP(op_msr)
{
	uint64_t reg = op->imm ^ pe->access_tag;

	if (unlikely(reg >= SYSREG_COUNT)) {
		return op_msr_find(pe, op);
	}
	write_plain(pe, reg, XD);
	NEXT;
}

bool tr_msr(struct tr *t, uint32_t insn)
{
	struct uop *u = tr_emit(t, op_msr);
	enum sysreg reg = sysreg_find((uint16_t)bits(insn, 20, 5));

	u->rd = tr_xr(F_RD(insn));
	u->aux = (uint32_t)bits(insn, 20, 5);
	// Thread pointers and the like change nothing that the rest of the block depends on.
	t->goes_on = reg != SYSREG_NONE && reg != SR_DAIF &&
		     !(sysreg_flags(reg) & SYSREG_ENDS_BLOCK) &&
		     !(sysreg_rows[reg].e2h != 0 &&
		       (sysreg_flags((enum sysreg)sysreg_rows[reg].e2h) & SYSREG_ENDS_BLOCK));
	return true;
}

static NOINLINE bool do_sys(struct pe *pe, const struct uop *op)
{
	const struct sysreg_cached *cached = cached_permission(pe, op->aux, false);
	struct sysreg_decision d;
	bool ok;

	if (unlikely(cached->enc != op->aux || cached->epoch != pe->sysreg_epoch)) {
		if (!sysreg_access(pe, op, false, &d)) {
			return false;
		}
		remember_permission(pe, op->aux, false, d.reg);
	}
	pe->cur = op;
	ok = sysins_execute(pe, (uint16_t)op->aux, XD);
	if (ok) {
		pe->cur = NULL;
	}
	return ok;
}

// aux: the encoding.
static OP(op_sys)
{
	if (unlikely(!do_sys(pe, op))) {
		return exc_raise(pe, op);
	}
	NEXT;
}

bool tr_sys(struct tr *t, uint32_t insn)
{
	struct uop *u = tr_emit(t, op_sys);

	u->rd = tr_xr(F_RD(insn));
	u->aux = (uint32_t)bits(insn, 20, 5);
	return true;
}

// No SYSL instruction is implemented: the permission check decides between UNDEFINED and a trap
// (TIDCP).
bool tr_sysl(struct tr *t, uint32_t insn)
{
	struct uop *u = tr_emit(t, op_mrs);

	u->rd = tr_xw(F_RD(insn));
	u->aux = (uint32_t)bits(insn, 20, 5);
	return true;
}
