// SPDX-License-Identifier: Apache-2.0
// Self-hosted debug: breakpoints, watchpoints and software step (Arm ARM D2). Nothing of it costs
// anything while it is not enabled: breakpoints and steps run in the slow loop, which
// PE_ATTENTION_SLOW asks for; watchpoints empty the fast TLB of the current context, so that every
// access comes by mem.c.
#include "cpu/debug.h"

#include "cpu/esr.h"
#include "cpu/exec_internal.h"
#include "cpu/sysreg_fields.h"

#define BREAKPOINTS_MAX 16
#define WATCHPOINTS_MAX 16

// DBGBCRn_EL1 and DBGWCRn_EL1; what they share stands at the same place.
#define DBGCR_E BIT(0)
#define DBGCR_PXC(v) ((unsigned)bits((v), 2, 1)) // PMC of a breakpoint, PAC of a watchpoint
#define DBGCR_HMC(v) bit((v), 13)
#define DBGCR_SSC(v) ((unsigned)bits((v), 15, 14))
#define DBGCR_LBN(v) ((unsigned)bits((v), 19, 16))
#define DBGBCR_BT(v) ((unsigned)bits((v), 23, 20))
#define DBGWCR_LSC(v) ((unsigned)bits((v), 4, 3))
#define DBGWCR_BAS(v) ((unsigned)bits((v), 12, 5))
#define DBGWCR_WT(v) bit((v), 20)
#define DBGWCR_MASK(v) ((unsigned)bits((v), 28, 24))

// DBGBCRn_EL1.BT: bit 0 says linked; the rest what is compared.
enum {
	BT_LINKED = 1,
	BT_ADDRESS = 0x0,
	BT_CONTEXT = 0x2, // CONTEXTIDR of the regime in use
	BT_CONTEXT_EL1 = 0x6,
	BT_VMID = 0x8,
	BT_CONTEXT_EL1_VMID = 0xa,
	BT_CONTEXT_EL2 = 0xc,
	BT_CONTEXT_BOTH = 0xe,
};

#define OSLSR_EL1_OSLK BIT(1)
#define OSDLR_EL1_DLK BIT(0)
#define DBGPRCR_EL1_CORENPDRQ BIT(0)
#define VTCR_EL2_VS BIT(19)

#define FSC_DEBUG 0x22u
#define FAR_BLOCK 64u // may be no larger than a block of DC ZVA
#define ISS_STEP_EX BIT(6)
#define ISS_STEP_ISV BIT(24)

struct pair {
	uint16_t value, control;
};

#define PAIR(kind, n) \
	{ \
		SR_DBG##kind##VR##n##_EL1, SR_DBG##kind##CR##n##_EL1 \
	}
#define PAIRS(kind) \
	PAIR(kind, 0), PAIR(kind, 1), PAIR(kind, 2), PAIR(kind, 3), PAIR(kind, 4), PAIR(kind, 5), \
		PAIR(kind, 6), PAIR(kind, 7), PAIR(kind, 8), PAIR(kind, 9), PAIR(kind, 10), \
		PAIR(kind, 11), PAIR(kind, 12), PAIR(kind, 13), PAIR(kind, 14), PAIR(kind, 15)

static const struct pair breakpoint_regs[BREAKPOINTS_MAX] = {PAIRS(B)};
static const struct pair watchpoint_regs[WATCHPOINTS_MAX] = {PAIRS(W)};

static uint64_t breakpoint_control(const struct pe *pe, unsigned n)
{
	return pe->sr[breakpoint_regs[n].control];
}

static uint64_t watchpoint_control(const struct pe *pe, unsigned n)
{
	return pe->sr[watchpoint_regs[n].control];
}

// ---- are debug exceptions enabled, and where do they go -----------------------------------------

// DoubleLockStatus: FEAT_DoPD removes the lock.
static bool double_lock(const struct pe *pe)
{
	return !has(pe, FEAT_DoPD) && (pe->sr[SR_OSDLR_EL1] & OSDLR_EL1_DLK) &&
	       !(pe->sr[SR_DBGPRCR_EL1] & DBGPRCR_EL1_CORENPDRQ);
}

// EL2 implemented and enabled in that Security state.
static bool el2_enabled_in(const struct pe *pe, bool secure)
{
	return pe->has_el2 && (!secure || (pe->sr[SR_SCR_EL3] & SCR_EL3_EEL2));
}

// DebugTargetFrom.
static unsigned target_from(const struct pe *pe, bool secure)
{
	bool to_el2 = el2_enabled_in(pe, secure) &&
		      ((pe->sr[SR_HCR_EL2] & HCR_EL2_TGE) || (pe->sr[SR_MDCR_EL2] & MDCR_EL2_TDE));

	return to_el2 ? 2 : 1;
}

// AArch64.GenerateDebugExceptionsFrom.
static bool enabled_from(const struct pe *pe, unsigned el, bool secure, bool masked)
{
	unsigned target = target_from(pe, secure);

	if ((pe->sr[SR_OSLSR_EL1] & OSLSR_EL1_OSLK) || double_lock(pe)) {
		return false;
	}
	if (pe->has_el3 && secure && (pe->sr[SR_MDCR_EL3] & MDCR_EL3_SDD)) {
		return false;
	}
	if (el == target) {
		return (pe->sr[SR_MDSCR_EL1] & MDSCR_EL1_KDE) && !masked;
	}
	return el < target;
}

static bool masked_by_d(const struct pe *pe)
{
	return (pe->daif & 8) != 0;
}

bool debug_exceptions_enabled(const struct pe *pe)
{
	return enabled_from(pe, pe->el, pe_is_secure(pe), masked_by_d(pe));
}

unsigned debug_target_el(const struct pe *pe)
{
	return target_from(pe, pe_is_secure(pe));
}

// The control that sent a debug exception to EL2, for the trace.
static const char *routed_by(const struct pe *pe, unsigned target)
{
	if (target != 2) {
		return NULL;
	}
	return (pe->sr[SR_MDCR_EL2] & MDCR_EL2_TDE) ? "MDCR_EL2.TDE" : "HCR_EL2.TGE";
}

static void debug_fault(struct pe *pe, enum ec ec, uint64_t iss, enum trace_cause cause)
{
	unsigned target = debug_target_el(pe);

	fault_trap(pe, target, ec, (uint32_t)iss, cause, routed_by(pe, target));
}

// ---- what breakpoints and watchpoints share -----------------------------------------------------

// CheckValidStateMatch: reserved combinations of HMC, SSC and PMC or PAC never match. AArch32 is
// absent.
static bool state_reserved(const struct pe *pe, unsigned hmc, unsigned ssc, unsigned pxc)
{
	unsigned all = hmc << 4 | ssc << 2 | pxc;

	if (hmc == 0 && pxc == 0 && ssc != 3) {
		return true;
	}
	if (!pe->has_el3 && !pe->has_el2 && (hmc != 0 || ssc != 0)) {
		return true;
	}
	if (!pe->has_el3 && (ssc == 1 || ssc == 2) && all != 0x14) {
		return true;
	}
	if ((!pe->has_el3 && all == 0x18) || (!pe->has_el2 && all == 0x1c)) {
		return true;
	}
	if (!has(pe, FEAT_SEL2) && (all == 0x0c || all == 0x14 || (all & 0xd) == 0xd)) {
		return true;
	}
	return all == 0x0e || (all & 0x1d) == 0x10 || all == 0x16 || (all & 0x1b) == 0x1a;
}

// The levels (bit n for ELn) that HMC, SSC and PMC or PAC name (AArch64.StateMatch).
static unsigned state_levels(const struct pe *pe, uint64_t control)
{
	unsigned hmc = DBGCR_HMC(control), ssc = DBGCR_SSC(control), pxc = DBGCR_PXC(control);
	unsigned levels = 0;

	if (state_reserved(pe, hmc, ssc, pxc)) {
		return 0;
	}
	if (pe->has_el3 && hmc && !(ssc & 1)) {
		levels |= 8;
	}
	if (pe->has_el2 && ((hmc && !(ssc == 2 && pxc == 0)) || ssc == 3)) {
		levels |= 4;
	}
	return levels | ((pxc & 1) ? 2 : 0) | ((pxc & 2) ? 1 : 0);
}

static bool security_matches(const struct pe *pe, uint64_t control)
{
	bool secure = pe_is_secure(pe);

	switch (DBGCR_SSC(control)) {
	case 0:
		return true;
	case 1:
		return !secure;
	case 2:
		return secure;
	default:
		return DBGCR_HMC(control) || secure;
	}
}

// AArch64.StateMatch without linking; el is the level as which the access is made.
static bool state_matches(const struct pe *pe, uint64_t control, unsigned el)
{
	return ((state_levels(pe, control) >> el) & 1) && security_matches(pe, control);
}

static unsigned first_context_breakpoint(const struct pe *pe)
{
	unsigned contexts = (unsigned)bits(pe->sr[SR_ID_AA64DFR0_EL1], 31, 28) + 1;

	return contexts < pe->model->breakpoints ? pe->model->breakpoints - contexts : 0;
}

// DebugAddrTop: bits above are not compared.
static unsigned address_top(const struct pe *pe)
{
	return has(pe, FEAT_LVA) ? 52 : 48;
}

// ---- breakpoints --------------------------------------------------------------------------------

// Reserved or unsupported types behave as disabled breakpoints.
static bool type_reserved(const struct pe *pe, unsigned n, unsigned type)
{
	switch (type & ~(unsigned)BT_LINKED) {
	case BT_ADDRESS:
		return false;
	case BT_CONTEXT:
		return n < first_context_breakpoint(pe);
	case BT_VMID:
	case BT_CONTEXT_EL1_VMID:
		return n < first_context_breakpoint(pe) || !pe->has_el2;
	case BT_CONTEXT_EL1:
		return n < first_context_breakpoint(pe) ||
		       (!has(pe, FEAT_VHE) && !has(pe, FEAT_Debugv8p2));
	case BT_CONTEXT_EL2:
	case BT_CONTEXT_BOTH:
		return n < first_context_breakpoint(pe) || !pe->has_el2 ||
		       (!has(pe, FEAT_VHE) && !has(pe, FEAT_Debugv8p2));
	default:
		return true; // address mismatch is for AArch32
	}
}

static bool address_matches(const struct pe *pe, unsigned n, uint64_t pc)
{
	uint64_t value = pe->sr[breakpoint_regs[n].value];

	return ((pc ^ value) & MASK(address_top(pe), 2)) == 0;
}

static bool context_matches(const struct pe *pe, uint64_t value)
{
	if (pe_in_host(pe)) {
		return (uint32_t)pe->sr[SR_CONTEXTIDR_EL2] == (uint32_t)value;
	}
	return pe->el <= 1 && (uint32_t)pe->sr[SR_CONTEXTIDR_EL1] == (uint32_t)value;
}

static bool context_el1_matches(const struct pe *pe, uint64_t value)
{
	return pe->el <= 1 && !pe_in_host(pe) &&
	       (uint32_t)pe->sr[SR_CONTEXTIDR_EL1] == (uint32_t)value;
}

static bool context_el2_matches(const struct pe *pe, uint64_t value)
{
	return pe_el2_enabled(pe) && (uint32_t)pe->sr[SR_CONTEXTIDR_EL2] == (uint32_t)(value >> 32);
}

static bool vmid_matches(const struct pe *pe, uint64_t value)
{
	bool wide = has(pe, FEAT_VMID16) && (pe->sr[SR_VTCR_EL2] & VTCR_EL2_VS);
	uint64_t mask = wide ? 0xffff : 0xff;

	return pe->el <= 1 && pe_el2_enabled(pe) && !pe_in_host(pe) &&
	       (((pe->sr[SR_VTTBR_EL2] >> 48) ^ (value >> 32)) & mask) == 0;
}

// AArch64.BreakpointValueMatch of a breakpoint that compares the context.
static bool context_value_matches(const struct pe *pe, unsigned n, unsigned type)
{
	uint64_t value = pe->sr[breakpoint_regs[n].value];

	switch (type & ~(unsigned)BT_LINKED) {
	case BT_CONTEXT:
		return context_matches(pe, value);
	case BT_CONTEXT_EL1:
		return context_el1_matches(pe, value);
	case BT_VMID:
		return vmid_matches(pe, value);
	case BT_CONTEXT_EL1_VMID:
		return context_el1_matches(pe, value) && vmid_matches(pe, value);
	case BT_CONTEXT_EL2:
		return context_el2_matches(pe, value);
	case BT_CONTEXT_BOTH:
		return context_el1_matches(pe, value) && context_el2_matches(pe, value);
	default:
		return false;
	}
}

// Does the breakpoint that another one or a watchpoint is linked to agree? A link that leads
// nowhere matches nothing.
static bool link_matches(const struct pe *pe, unsigned n)
{
	uint64_t control;
	unsigned type;

	if (n >= pe->model->breakpoints || n < first_context_breakpoint(pe)) {
		return false;
	}
	control = breakpoint_control(pe, n);
	type = DBGBCR_BT(control);
	return (control & DBGCR_E) && (type & BT_LINKED) && type != (BT_ADDRESS | BT_LINKED) &&
	       !type_reserved(pe, n, type) && context_value_matches(pe, n, type);
}

// Can this breakpoint match by itself at the current level, whatever the address?
static bool breakpoint_applies(const struct pe *pe, unsigned n)
{
	uint64_t control = breakpoint_control(pe, n);
	unsigned type = DBGBCR_BT(control);

	if (!(control & DBGCR_E) || type_reserved(pe, n, type)) {
		return false;
	}
	if ((type & BT_LINKED) && type != (BT_ADDRESS | BT_LINKED)) {
		return false; // only a link's other end
	}
	return state_matches(pe, control, pe->el);
}

// AArch64.BreakpointMatch.
static bool breakpoint_matches(const struct pe *pe, unsigned n, uint64_t pc)
{
	uint64_t control = breakpoint_control(pe, n);
	unsigned type = DBGBCR_BT(control);

	if (!breakpoint_applies(pe, n)) {
		return false;
	}
	if ((type & ~(unsigned)BT_LINKED) != BT_ADDRESS) {
		return context_value_matches(pe, n, type);
	}
	return address_matches(pe, n, pc) &&
	       (!(type & BT_LINKED) || link_matches(pe, DBGCR_LBN(control)));
}

static bool monitor_enabled(const struct pe *pe)
{
	return (pe->sr[SR_MDSCR_EL1] & MDSCR_EL1_MDE) && debug_exceptions_enabled(pe);
}

static bool breaking(const struct pe *pe)
{
	if (!monitor_enabled(pe)) {
		return false;
	}
	for (unsigned n = 0; n < pe->model->breakpoints; n++) {
		if (breakpoint_applies(pe, n)) {
			return true;
		}
	}
	return false;
}

// A fetch that cannot be made raises its own exception, which comes before the breakpoint (Arm ARM,
// Synchronous exception prioritization).
static bool fetch_faults(struct pe *pe, uint64_t pc)
{
	struct mmu_access access = {.va = va_make(pc),
				    .type = MMU_EXEC,
				    .el0 = pe->el == 0,
				    .size = 4};
	struct mmu_result result;
	struct mmu_fault mf;

	return (pc & 3) != 0 || !mmu_view_translate(pe->tlb, pe->mmu, &access, &result, &mf) ||
	       bus_ram_find(pe->bus, result.pas, result.pa.v) == NULL;
}

static bool breakpoint_hit(struct pe *pe, uint64_t pc)
{
	if (!monitor_enabled(pe)) {
		return false;
	}
	for (unsigned n = 0; n < pe->model->breakpoints; n++) {
		if (breakpoint_matches(pe, n, pc)) {
			if (fetch_faults(pe, pc)) {
				return false;
			}
			debug_fault(pe, EC_BREAKPOINT, FSC_DEBUG, TRACE_CAUSE_BREAKPOINT);
			return true;
		}
	}
	return false;
}

// ---- watchpoints --------------------------------------------------------------------------------

// Can this watchpoint match at the current level? LDTR and STTR count as accesses of EL0, unless
// PSTATE.UAO makes them plain ones, which is asked when they come.
static bool watchpoint_applies(const struct pe *pe, unsigned n)
{
	uint64_t control = watchpoint_control(pe, n);

	if (!(control & DBGCR_E) || DBGWCR_LSC(control) == 0) {
		return false;
	}
	return state_matches(pe, control, pe->el) ||
	       (pe_has_unpriv(pe) && state_matches(pe, control, 0));
}

bool debug_watching(const struct pe *pe)
{
	if (!monitor_enabled(pe)) {
		return false;
	}
	for (unsigned n = 0; n < pe->model->watchpoints; n++) {
		if (watchpoint_applies(pe, n)) {
			return true;
		}
	}
	return false;
}

// The first byte of [va, va + size) for which AArch64.WatchpointByteMatch holds, or size.
// CONSTRAINED UNPREDICTABLE programming: reserved masks disable; with a mask BAS and the masked
// bits of the address are ignored; BAS with gaps watches exactly its bytes.
static unsigned watchpoint_first_byte(const struct pe *pe, unsigned n, uint64_t va, unsigned size)
{
	uint64_t control = watchpoint_control(pe, n), value = pe->sr[watchpoint_regs[n].value];
	unsigned mask = DBGWCR_MASK(control), bas = DBGWCR_BAS(control), top = address_top(pe);

	if (mask == 1 || mask == 2) {
		return size;
	}
	for (unsigned i = 0; i < size; i++) {
		uint64_t byte = va + i, differs = byte ^ value;

		if (mask != 0) {
			if ((differs & MASK(top, mask)) == 0) {
				return i;
			}
		} else if (bit(value, 2)) {
			// A word address: BAS[3:0] select, BAS[7:4] are RES0.
			if ((differs & MASK(top, 2)) == 0 && bit(bas & 0xf, (unsigned)byte & 3)) {
				return i;
			}
		} else if ((differs & MASK(top, 3)) == 0 && bit(bas, (unsigned)byte & 7)) {
			return i;
		}
	}
	return size;
}

// AArch64.WatchpointMatch. `far` is the address to record: of the first byte of the access that
// lies in the same naturally aligned block as the watched one (Arm ARM, Fault address information).
static bool watchpoint_matches(const struct pe *pe, unsigned n, uint64_t va, unsigned size,
			       bool write, unsigned el, uint64_t *far)
{
	uint64_t control = watchpoint_control(pe, n), block;
	unsigned first;

	if (!(control & DBGCR_E) || !bit(DBGWCR_LSC(control), write ? 1 : 0) ||
	    !state_matches(pe, control, el)) {
		return false;
	}
	first = watchpoint_first_byte(pe, n, va, size);
	if (first == size || (DBGWCR_WT(control) && !link_matches(pe, DBGCR_LBN(control)))) {
		return false;
	}
	block = (va + first) & ~(uint64_t)(FAR_BLOCK - 1);
	*far = ((va ^ block) & ~(uint64_t)(FAR_BLOCK - 1)) == 0 ? va : block;
	return true;
}

// Where debug exceptions are enabled for an access made as `el`.
static bool watchpoint_hit(struct pe *pe, uint64_t va, unsigned size, bool write, unsigned el)
{
	uint64_t far;

	for (unsigned n = 0; n < pe->model->watchpoints; n++) {
		if (watchpoint_matches(pe, n, va, size, write, el, &far)) {
			debug_fault(pe, EC_WATCHPOINT,
				    iss_abort(FSC_DEBUG, write, false, false, false, false),
				    TRACE_CAUSE_WATCHPOINT);
			pe->fault.has_far = true;
			pe->fault.far = far;
			pe->fault.write = write;
			return true;
		}
	}
	return false;
}

bool debug_watchpoint_as(struct pe *pe, uint64_t va, unsigned size, bool write, bool unprivileged)
{
	return monitor_enabled(pe) &&
	       watchpoint_hit(pe, va, size, write, unprivileged ? 0 : pe->el);
}

// An access that EL1 makes as EL2 is EL2's to watch and to hear of (Exception_NV2Watchpoint). It
// does so as if EL2 made it with PSTATE.D clear (AArch64.CheckDebug): MDCR_EL2.TDE and
// MDSCR_EL1.KDE are needed.
bool debug_watchpoint_nv2(struct pe *pe, uint64_t va, unsigned size, bool write)
{
	if (!(pe->sr[SR_MDSCR_EL1] & MDSCR_EL1_MDE) ||
	    !enabled_from(pe, 2, pe_is_secure(pe), false) ||
	    !watchpoint_hit(pe, va, size, write, 2)) {
		return false;
	}
	pe->fault.ec = EC_WATCHPOINT_SAME;
	pe->fault.iss |= ISS_VNCR;
	return true;
}

bool debug_watchpoint(struct pe *pe, uint64_t va, unsigned size, bool write)
{
	return debug_watchpoint_as(pe, va, size, write, false);
}

// ---- software step ------------------------------------------------------------------------------

bool debug_step_active(const struct pe *pe)
{
	return (pe->sr[SR_MDSCR_EL1] & MDSCR_EL1_SS) && debug_exceptions_enabled(pe);
}

// A Load-Exclusive or Load-Acquire Exclusive, single or pair. With bit 21 set and bit 31 clear it
// is CASPA.
static bool is_load_exclusive(uint32_t insn)
{
	return (insn & 0x3fc00000) == 0x08400000 && (!bit(insn, 21) || bit(insn, 31));
}

void debug_after_insn(struct pe *pe, uint32_t insn)
{
	if (!pe->step_armed) {
		return;
	}
	pe->step_armed = false;
	if (pe->wait_trap) {
		return; // a WFE that may yet be trapped has not been executed
	}
	// An exception, or an ERET to where the step goes on, has already settled PSTATE.SS.
	if (!pe->ss) {
		return;
	}
	// SSAdvance.
	if (pe->sr[SR_MDSCR_EL1] & MDSCR_EL1_SS) {
		pe->ss = false;
	}
	pe->stepped = true;
	pe->stepped_exclusive = is_load_exclusive(insn);
	pe->stepped_insns = pe_insns(pe);
}

// CheckSoftwareStep: active-pending raises the exception; active-not-pending lets one instruction
// run.
static bool step_hit(struct pe *pe)
{
	bool did_step;
	uint64_t iss = FSC_DEBUG;

	pe->step_armed = false;
	if (!debug_step_active(pe)) {
		return false;
	}
	if (pe->ss) {
		pe->step_armed = true;
		return false;
	}
	// SoftwareStep_DidNotStep: the instruction before this one was not the one stepped (an
	// exception, an ERET that returned with SS = 0, or the enabling of the step came between).
	did_step = pe->stepped && pe->stepped_insns == pe_insns(pe);
	pe->stepped = false;
	if (did_step) {
		iss |= ISS_STEP_ISV | (pe->stepped_exclusive ? ISS_STEP_EX : 0);
	}
	debug_fault(pe, EC_STEP, iss, TRACE_CAUSE_STEP);
	return true;
}

bool debug_before_insn(struct pe *pe, uint64_t pc)
{
	return step_hit(pe) || breakpoint_hit(pe, pc);
}

bool debug_slow(const struct pe *pe)
{
	return debug_step_active(pe) || breaking(pe);
}

// ---- notification -------------------------------------------------------------------------------

static void debug_recompute(struct pe *pe)
{
	bool watch = debug_watching(pe);

	pe->break_active = debug_slow(pe);
	if (pe->break_active) {
		pe_attend(pe, PE_ATTENTION_SLOW);
	} else {
		pe->attention &= ~(unsigned)PE_ATTENTION_SLOW;
	}
	if (watch != pe->watch_active) {
		pe->watch_active = watch;
		pe_context_changed(pe);
	}
}

void pe_debug_changed(struct pe *pe)
{
	if (likely(!(pe->sr[SR_MDSCR_EL1] & (MDSCR_EL1_SS | MDSCR_EL1_MDE)) && !pe->break_active &&
		   !pe->watch_active)) {
		return;
	}
	debug_recompute(pe);
}
