// SPDX-License-Identifier: Apache-2.0
// WFI, WFE, WFIT, WFET: traps (AArch64.CheckForWFxTrap), sleeping and waking.
#include "cpu/wait.h"

#include "cpu/exec_internal.h"
#include "cpu/pmu.h"
#include "cpu/sysreg_fields.h"

// Is the wait trapped from here? True: pe->fault.
static bool wait_trapped(struct pe *pe, bool wfe, bool timed, unsigned rn)
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
			return true;
		}
	}
	if (pe->el < 2 && !(pe->el == 0 && host) && (hcr & (wfe ? HCR_EL2_TWE : HCR_EL2_TWI))) {
		fault_trap(pe, 2, EC_WFX, iss, TRACE_CAUSE_WFX,
			   wfe ? "HCR_EL2.TWE" : "HCR_EL2.TWI");
		return true;
	}
	if (pe->el < 3 && pe->has_el3 && (pe->sr[SR_SCR_EL3] & (wfe ? SCR_EL3_TWE : SCR_EL3_TWI))) {
		fault_trap(pe, 3, EC_WFX, iss, TRACE_CAUSE_WFX,
			   wfe ? "SCR_EL3.TWE" : "SCR_EL3.TWI");
		return true;
	}
	return false;
}

enum wait_outcome wait_begin(struct pe *pe, const struct uop *op, bool wfe, bool timed,
			     uint64_t timeout, unsigned rn)
{
	uint64_t until = EVENT_NEVER;

	pe->cur = op;
	if (timed) {
		uint64_t count = sysreg_read(pe, SR_CNTVCT_EL0);

		if (timeout <= count) { // LocalTimeoutEvent: unsigned
			pe->cur = NULL;
			return WAIT_DONE;
		}
		// The counter advances every 16 ns (62.5 MHz); wake at the start of the tick.
		if (timeout - count < UINT64_C(1) << 56) {
			until = ((pe_now(pe) >> 4) + (timeout - count)) << 4;
		}
	}
	if (wfe && pe->event_register) {
		pe->event_register = false;
		pe->cur = NULL;
		return WAIT_DONE;
	}
	if (pe_wakes(pe, wfe)) {
		pe->cur = NULL;
		return WAIT_DONE;
	}
	if (wait_trapped(pe, wfe, timed, rn)) {
		return WAIT_TRAPPED;
	}
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

// A timed wait is over: nothing to do but to be looked at, which the queue's firing brings about.
void wait_timeout(struct event *event, void *opaque)
{
	struct pe *pe = opaque;

	(void)event;
	pe->wait = PE_WAIT_NONE;
	if (pe->pmu_active) {
		pmu_woken(pe);
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
