// SPDX-License-Identifier: Apache-2.0
// WFI, WFE, WFIT, WFET: traps (AArch64.CheckForWFxTrap), sleeping and waking.
#include "cpu/wait.h"

#include "cpu/exec_internal.h"
#include "cpu/pe.h"
#include "cpu/pmu.h"
#include "cpu/sysreg_fields.h"

// What a trap of a wait waits for first: WFETrapDelay.
struct delay {
	uint64_t control; // of the register that traps
	uint64_t enable;
	unsigned lsb; // of TWEDEL
};

// Is the wait trapped from here? True: pe->fault, and the delay of the control that decided.
static bool wait_trapped(struct pe *pe, bool wfe, bool timed, unsigned rn, struct delay *delay)
{
	uint64_t hcr = pe_hcr_effective(pe);
	bool host = (hcr & HCR_EL2_E2H) && (hcr & HCR_EL2_TGE);
	uint32_t iss = iss_wfx((timed ? 2u : 0u) | wfe, timed, rn);

	if (pe->el == 0) {
		uint64_t sctlr = pe->sr[host ? SR_SCTLR_EL2 : SR_SCTLR_EL1];

		if (!(sctlr & (wfe ? SCTLR_NTWE : SCTLR_NTWI))) {
			fault_trap(pe, hcr & HCR_EL2_TGE ? 2 : 1, EC_WFX, iss, TRACE_CAUSE_WFX,
				   host ? (wfe ? "SCTLR_EL2.nTWE" : "SCTLR_EL2.nTWI")
					: (wfe ? "SCTLR_EL1.nTWE" : "SCTLR_EL1.nTWI"));
			*delay = (struct delay){sctlr, SCTLR_TWEDEN, 46};
			return true;
		}
	}
	if (pe->el < 2 && !(pe->el == 0 && host) && (hcr & (wfe ? HCR_EL2_TWE : HCR_EL2_TWI))) {
		fault_trap(pe, 2, EC_WFX, iss, TRACE_CAUSE_WFX,
			   wfe ? "HCR_EL2.TWE" : "HCR_EL2.TWI");
		*delay = (struct delay){hcr, HCR_EL2_TWEDEn, 60};
		return true;
	}
	if (pe->el < 3 && pe->has_el3 && (pe->sr[SR_SCR_EL3] & (wfe ? SCR_EL3_TWE : SCR_EL3_TWI))) {
		fault_trap(pe, 3, EC_WFX, iss, TRACE_CAUSE_WFX,
			   wfe ? "SCR_EL3.TWE" : "SCR_EL3.TWI");
		*delay = (struct delay){pe->sr[SR_SCR_EL3], SCR_EL3_TWEDEn, 30};
		return true;
	}
	return false;
}

static enum wait_outcome wait_over(struct pe *pe)
{
	pe->cur = NULL;
	return WAIT_DONE;
}

static enum wait_outcome wait_sleep(struct pe *pe, bool wfe, uint64_t until)
{
	// With its monitor armed, another observer's store is what a WFE waits for. It cannot be
	// seen here, but losing the monitor is: the board takes it away when another PE runs, which
	// is an event.
	pe->wait = wfe ? PE_WAIT_WFE : PE_WAIT_WFI;
	pe->wait_until = until;
	pe->cur = NULL;
	pe_attend(pe, PE_ATTENTION_WAIT);
	if (until != EVENT_NEVER) {
		event_set(pe->queue, &pe->wait_event, until);
	}
	return WAIT_SLEEPS;
}

void pe_standby(struct pe *pe)
{
	if (!pe_wakes(pe, false)) {
		(void)wait_sleep(pe, false, EVENT_NEVER);
	}
}

// The virtual time at which a WFIT or WFET ends by itself; 0: its time is over.
// LocalTimeoutEvent: an unsigned comparison.
static uint64_t local_timeout(struct pe *pe, uint64_t timeout)
{
	uint64_t count = sysreg_read(pe, SR_CNTVCT_EL0);

	if (timeout <= count) {
		return 0;
	}
	// The counter advances every 16 ns (62.5 MHz); wake at the start of the tick.
	if (timeout - count < UINT64_C(1) << 56) {
		return ((pe_now(pe) >> 4) + (timeout - count)) << 4;
	}
	return EVENT_NEVER;
}

enum wait_outcome wait_begin(struct pe *pe, const struct uop *op, bool wfe, bool timed,
			     uint64_t timeout, unsigned rn)
{
	uint64_t until = EVENT_NEVER, trap_time;
	struct delay delay;

	pe->cur = op;
	if (wfe && pe->event_register) {
		pe->event_register = false;
		return wait_over(pe);
	}
	if (timed) {
		until = local_timeout(pe, timeout);
		if (until == 0) {
			return wait_over(pe);
		}
	}
	if (pe_wakes(pe, wfe)) {
		return wait_over(pe);
	}
	if (!wait_trapped(pe, wfe, timed, rn, &delay)) {
		return wait_sleep(pe, wfe, until);
	}
	// FEAT_TWED: the WFE waits for 2^(TWEDEL + 8) cycles, and is trapped if nothing ended it
	// before (WaitForEventUntilDelay). One cycle is one nanosecond.
	if (!wfe || !(delay.control & delay.enable)) {
		return WAIT_TRAPPED;
	}
	trap_time =
		pe_now(pe) + (UINT64_C(1) << (bits(delay.control, delay.lsb + 3, delay.lsb) + 8));
	if (until <= trap_time) {
		return wait_sleep(pe, wfe, until);
	}
	pe->wait_trap = true;
	pe->wait_insn = op->insn;
	return wait_sleep(pe, wfe, trap_time);
}

// A timed wait is over: nothing to do but to be looked at, which the queue's firing brings about.
void wait_timeout(struct event *event, void *opaque)
{
	struct pe *pe = opaque;

	(void)event;
	pe->wait = PE_WAIT_NONE;
	pe->wait_trap_due = pe->wait_trap;
	if (pe->pmu_active) {
		pmu_woken(pe);
	}
}

void wait_take_trap(struct pe *pe)
{
	uint32_t insn = pe->wait_insn;
	bool timed = (insn & 0xfffff000) == 0xd5031000; // WFET, not the hint
	struct delay delay;

	pe->wait_trap = pe->wait_trap_due = false;
	pe->pc -= 4;
	if (wait_trapped(pe, true, timed, timed ? insn & 31 : 31, &delay)) {
		exception_take_fault(pe, pe->pc, pe->pc, insn, true);
	} else {
		pe->pc += 4;
	}
}

bool pe_is_waiting(struct pe *pe)
{
	if (pe->wait == PE_WAIT_NONE || pe->halted) {
		return false;
	}
	if (pe->wait == PE_WAIT_WFE && pe->event_register) {
		pe->event_register = false;
		pe->wait = PE_WAIT_NONE;
	} else if (pe_wakes(pe, pe->wait == PE_WAIT_WFE)) {
		pe->wait = PE_WAIT_NONE;
	}
	if (pe->wait == PE_WAIT_NONE) {
		pe->attention &= ~(unsigned)PE_ATTENTION_WAIT;
		event_cancel(pe->queue, &pe->wait_event);
		if (pe->wait_trap) {
			pe->wait_trap = pe->ss = false; // executed after all (SSAdvance)
		}
		if (pe->pmu_active) {
			pmu_woken(pe);
		}
		return false;
	}
	return true;
}

void pe_signal_event(struct pe *pe)
{
	pe->event_register = true;
}

void pe_clear_exclusive(struct pe *pe)
{
	if (pe->excl_valid) {
		pe->excl_valid = false;
		pe->event_register = true; // the monitor going from exclusive to open is an event
					   // (Arm ARM B2.12.3)
	}
}
