// SPDX-License-Identifier: Apache-2.0
// The performance monitors (Arm ARM D13): PMUv3 up to FEAT_PMUv3p5.
//
// What counts time (cycles, instructions) is brought up to date when it is read or when anything
// that decides about counting changes: a register, the level, the Security state. An overflow that
// must interrupt is one event on the queue, at the time at which it will happen if nothing changes.
// All register state stands in pe->sr.
#include "cpu/pmu.h"

#include <stdlib.h>

#include "base/checkpoint.h"
#include "base/event.h"
#include "cpu/pe_internal.h"
#include "cpu/sysreg_fields.h"

#define CYCLE \
	31 // the cycle counter's bit in the masks, and its place among the counters and filters
#define CYCLE_BIT (UINT32_C(1) << CYCLE)

#define PMCR_EL0_E BIT(0)
#define PMCR_EL0_P BIT(1)
#define PMCR_EL0_C BIT(2)
#define PMCR_EL0_D BIT(3)
#define PMCR_EL0_LC BIT(6)
#define PMCR_EL0_N MASK(15, 11)

// PMEVTYPERn_EL0 and PMCCFILTR_EL0.
#define FILTER_P 31
#define FILTER_U 30
#define FILTER_NSK 29
#define FILTER_NSU 28
#define FILTER_NSH 27
#define FILTER_M 26
#define FILTER_SH 24

// A counter further from its overflow than this needs no event yet (two years).
#define FAR_AWAY BIT(56)

struct pmu {
	struct pe *pe;
	struct event event; // the next overflow that interrupts
	struct irq_line line;
	unsigned counters; // event counters, without the cycle counter
	uint64_t since; // counted(pe) when the counters were last brought up to date
	unsigned divided; // cycles since PMCCNTR_EL0 last advanced (PMCR_EL0.D)
	uint32_t enabled; // counters that are switched on
	uint32_t counting; // those of them that count in the PE's current state
	uint32_t timed; // and those of these that advance with time
};

// ---- registers ----------------------------------------------------------------------------------

// The rows of the numbered registers stand side by side in the order of their encodings.
_Static_assert(SR_PMEVCNTR30_EL0 == SR_PMEVCNTR0_EL0 + 30, "PMEVCNTRn_EL0 rows are contiguous");
_Static_assert(SR_PMEVTYPER30_EL0 == SR_PMEVTYPER0_EL0 + 30, "PMEVTYPERn_EL0 rows are contiguous");

static enum sysreg value_reg(unsigned i)
{
	return i == CYCLE ? SR_PMCCNTR_EL0 : (enum sysreg)(SR_PMEVCNTR0_EL0 + i);
}

static enum sysreg filter_reg(unsigned i)
{
	return i == CYCLE ? SR_PMCCFILTR_EL0 : (enum sysreg)(SR_PMEVTYPER0_EL0 + i);
}

// The event that a counter counts.
static unsigned event_of(const struct pmu *pmu, unsigned i)
{
	if (i == CYCLE) {
		return PMU_CPU_CYCLES;
	}
	// evtCount is 10 bits before FEAT_PMUv3p1.
	return (unsigned)(pmu->pe->sr[filter_reg(i)] &
			  (has(pmu->pe, FEAT_PMUv3p1) ? 0xffff : 0x3ff));
}

static uint32_t low_mask(unsigned count)
{
	return (uint32_t)(BIT(count) - 1);
}

// Event counters from this one on belong to EL2 (MDCR_EL2.HPMN). A number that is too large means
// all.
static unsigned first_reserved(const struct pmu *pmu)
{
	unsigned hpmn = (unsigned)(pmu->pe->sr[SR_MDCR_EL2] & MDCR_EL2_HPMN);

	return pmu->pe->has_el2 && hpmn < pmu->counters ? hpmn : pmu->counters;
}

// How many event counters the current level may access.
static unsigned accessible(const struct pmu *pmu)
{
	const struct pe *pe = pmu->pe;

	return pe->el <= 1 && pe_el2_enabled(pe) ? first_reserved(pmu) : pmu->counters;
}

static uint32_t accessible_mask(const struct pmu *pmu)
{
	return low_mask(accessible(pmu)) | CYCLE_BIT;
}

// ---- who counts ---------------------------------------------------------------------------------

static bool switched_on(const struct pmu *pmu, unsigned i)
{
	const struct pe *pe = pmu->pe;

	if (!bit(pe->sr[SR_PMCNTENSET_EL0], i)) {
		return false;
	}
	if (i != CYCLE && i >= first_reserved(pmu)) {
		return pe->sr[SR_MDCR_EL2] & MDCR_EL2_HPME;
	}
	return pe->sr[SR_PMCR_EL0] & PMCR_EL0_E;
}

// Is counting prohibited in the current state, the filters apart?
static bool prohibited(const struct pmu *pmu, unsigned i)
{
	const struct pe *pe = pmu->pe;
	bool secure = pe->has_el3 && pe_is_secure(pe), p5 = has(pe, FEAT_PMUv3p5);
	bool reserved = i != CYCLE && i >= first_reserved(pmu);
	bool stop = secure && !(pe->sr[SR_MDCR_EL3] & MDCR_EL3_SPME);

	if (pe->el == 2 && has(pe, FEAT_PMUv3p1) && !reserved &&
	    (pe->sr[SR_MDCR_EL2] & MDCR_EL2_HPMD)) {
		stop = true;
	}
	// Before FEAT_Debugv8p2 external debug overrides this while it is allowed, as
	// DBGAUTHSTATUS_EL1 says it is.
	if (!has(pe, FEAT_Debugv8p2)) {
		stop = false;
	}
	if (i != CYCLE) {
		return stop;
	}
	if (stop && (pe->sr[SR_PMCR_EL0] & PMCR_EL0_DP)) {
		return true;
	}
	return p5 && ((secure && (pe->sr[SR_MDCR_EL3] & MDCR_EL3_SCCD)) ||
		      (pe->el == 2 && (pe->sr[SR_MDCR_EL2] & MDCR_EL2_HCCD)));
}

static bool filtered(const struct pmu *pmu, unsigned i)
{
	const struct pe *pe = pmu->pe;
	uint64_t filter = pe->sr[filter_reg(i)];
	bool secure = pe->has_el3 && pe_is_secure(pe);
	bool nsh = pe->has_el2 && bit(filter, FILTER_NSH),
	     sh = has(pe, FEAT_SEL2) && bit(filter, FILTER_SH);

	switch (pe->el) {
	case 0:
		return bit(filter, FILTER_U) != (pe->has_el3 && !secure && bit(filter, FILTER_NSU));
	case 1:
		return bit(filter, FILTER_P) != (pe->has_el3 && !secure && bit(filter, FILTER_NSK));
	case 2:
		return secure ? nsh == sh : !nsh;
	default:
		return bit(filter, FILTER_M) != bit(filter, FILTER_P);
	}
}

// CountPMUEvents, for all counters at once.
static void decide(struct pmu *pmu)
{
	uint32_t candidates = (uint32_t)pmu->pe->sr[SR_PMCNTENSET_EL0];

	pmu->enabled = pmu->counting = pmu->timed = 0;
	for (; candidates != 0; candidates &= candidates - 1) {
		unsigned i = ctz64(candidates), event;

		if (!switched_on(pmu, i)) {
			continue;
		}
		pmu->enabled |= UINT32_C(1) << i;
		if (prohibited(pmu, i) || filtered(pmu, i)) {
			continue;
		}
		pmu->counting |= UINT32_C(1) << i;
		event = event_of(pmu, i);
		if (event == PMU_CPU_CYCLES || event == PMU_INST_RETIRED) {
			pmu->timed |= UINT32_C(1) << i;
		}
	}
	pmu->pe->pmu_active = pmu->enabled != 0;
}

// ---- counting -----------------------------------------------------------------------------------

// Does the counter overflow at bit 64 rather than at bit 32?
static bool is_long(const struct pmu *pmu, unsigned i)
{
	const struct pe *pe = pmu->pe;

	if (i == CYCLE) {
		return pe->sr[SR_PMCR_EL0] & PMCR_EL0_LC;
	}
	if (!has(pe, FEAT_PMUv3p5)) {
		return false;
	}
	return i < first_reserved(pmu) ? (pe->sr[SR_PMCR_EL0] & PMCR_EL0_LP)
				       : (pe->sr[SR_MDCR_EL2] & MDCR_EL2_HLP);
}

// Event counters are 32 bits wide before FEAT_PMUv3p5.
static uint64_t value_mask(const struct pmu *pmu, unsigned i)
{
	return i == CYCLE || has(pmu->pe, FEAT_PMUv3p5) ? UINT64_MAX : UINT32_MAX;
}

// IncrementEventCounter: an even counter that overflows makes its odd neighbour count CHAIN.
static void advance(struct pmu *pmu, unsigned i, uint64_t amount)
{
	struct pe *pe = pmu->pe;

	for (;;) {
		uint64_t *value = &pe->sr[value_reg(i)], old = *value, overflows;
		bool wide = is_long(pmu, i);

		*value = (old + amount) & value_mask(pmu, i);
		if (wide) {
			overflows = old + amount < old;
		} else {
			overflows = (amount >> 32) +
				    (((old & UINT32_MAX) + (amount & UINT32_MAX)) >> 32);
		}
		if (overflows == 0) {
			return;
		}
		pe->sr[SR_PMOVSSET_EL0] |= BIT(i);
		if ((i & 1) || i + 1 >= pmu->counters || wide || !bit(pmu->counting, i + 1) ||
		    event_of(pmu, i + 1) != PMU_CHAIN) {
			return;
		}
		i++;
		amount = overflows;
	}
}

// What the counters count by: in the base timing an instruction is a cycle is a nanosecond; waiting
// is none.
static uint64_t counted(const struct pe *pe)
{
	return pe_now(pe) - pe->idle;
}

static uint64_t divide(struct pmu *pmu, uint64_t cycles)
{
	uint64_t control = pmu->pe->sr[SR_PMCR_EL0], result;

	if (!(control & PMCR_EL0_D) || (control & PMCR_EL0_LC)) {
		return cycles;
	}
	result = (pmu->divided + cycles) / 64;
	pmu->divided = (unsigned)((pmu->divided + cycles) % 64);
	return result;
}

// Bring every counter up to date.
static void sync(struct pmu *pmu)
{
	uint64_t now = counted(pmu->pe), passed = now - pmu->since;

	if ((int64_t)passed <= 0) {
		return;
	}
	pmu->since = now;
	for (uint32_t left = pmu->timed; left != 0; left &= left - 1) {
		unsigned i = ctz64(left);

		advance(pmu, i, i == CYCLE ? divide(pmu, passed) : passed);
	}
}

// ---- the interrupt ------------------------------------------------------------------------------

// CheckForPMUOverflow: what matters is the general enable of a counter (PMCR_EL0.E, MDCR_EL2.HPME),
// not its own bit.
static void line_update(struct pmu *pmu)
{
	const struct pe *pe = pmu->pe;
	uint32_t pending = (uint32_t)(pe->sr[SR_PMOVSSET_EL0] & pe->sr[SR_PMINTENSET_EL1]),
		 live = 0;
	uint32_t reserved = low_mask(pmu->counters) & ~low_mask(first_reserved(pmu));

	if (pe->sr[SR_PMCR_EL0] & PMCR_EL0_E) {
		live |= ~reserved;
	}
	if (pe->sr[SR_MDCR_EL2] & MDCR_EL2_HPME) {
		live |= reserved;
	}
	irq_set(&pmu->line, (pending & live) != 0);
}

// Increments until the counter overflows; FAR_AWAY if that is far away.
static uint64_t distance(const struct pmu *pmu, unsigned i)
{
	uint64_t value = pmu->pe->sr[value_reg(i)], left = -value;

	if (!is_long(pmu, i)) {
		left = BIT(32) - (value & UINT32_MAX);
	}
	return left == 0 || left > FAR_AWAY ? FAR_AWAY : left;
}

// Cycles until the counter overflows if the PE runs on as it does.
static uint64_t time_to_overflow(const struct pmu *pmu, unsigned i)
{
	uint64_t control = pmu->pe->sr[SR_PMCR_EL0], left = distance(pmu, i), even;

	if (bit(pmu->timed, i)) {
		if (i == CYCLE && (control & PMCR_EL0_D) && !(control & PMCR_EL0_LC)) {
			return left * 64 - pmu->divided; // left is at most 2^32 here
		}
		return left;
	}
	// A chained pair: the odd counter needs `left` overflows of the even one.
	if (!bit(pmu->counting, i) || !(i & 1) || i == CYCLE || event_of(pmu, i) != PMU_CHAIN ||
	    !bit(pmu->timed, i - 1) || is_long(pmu, i - 1)) {
		return FAR_AWAY;
	}
	even = distance(pmu, i - 1);
	return left > BIT(20) ? FAR_AWAY : ((left - 1) << 32) + even;
}

static uint64_t next_overflow(const struct pmu *pmu)
{
	const struct pe *pe = pmu->pe;
	uint32_t left =
		(uint32_t)(pmu->counting & pe->sr[SR_PMINTENSET_EL1] & ~pe->sr[SR_PMOVSSET_EL0]);
	uint64_t best = FAR_AWAY;

	for (; left != 0; left &= left - 1) {
		uint64_t time = time_to_overflow(pmu, ctz64(left));

		best = time < best ? time : best;
	}
	return best;
}

// Set the event, not before `earliest`. A PE that waits is looked at again when it wakes.
static void predict(struct pmu *pmu, uint64_t earliest)
{
	struct pe *pe = pmu->pe;
	uint64_t left = next_overflow(pmu), time = pe_now(pe) + left;

	if (left >= FAR_AWAY || pe->wait != PE_WAIT_NONE || pe->halted) {
		event_cancel(pe->queue, &pmu->event);
		return;
	}
	event_set(pe->queue, &pmu->event, time > earliest ? time : earliest);
}

// After anything that decides about counting changed (with the counters up to date).
static void update(struct pmu *pmu)
{
	decide(pmu);
	line_update(pmu);
	predict(pmu, 0);
}

static void overflow_fire(struct event *event, void *opaque)
{
	struct pmu *pmu = opaque;

	sync(pmu);
	line_update(pmu);
	// The PE may lag behind the queue; what is left is then left from the time of the event.
	predict(pmu, event->time + 1 + (pe_now(pmu->pe) < event->time ? next_overflow(pmu) : 0));
}

// ---- hooks of the engine ------------------------------------------------------------------------

void pmu_count(struct pe *pe, enum pmu_event event)
{
	struct pmu *pmu = pe->pmu;

	for (uint32_t left = pmu->counting & ~CYCLE_BIT; left != 0; left &= left - 1) {
		unsigned i = ctz64(left);

		if (event_of(pmu, i) == (unsigned)event) {
			advance(pmu, i, 1);
			line_update(pmu);
		}
	}
}

void pmu_el_changed(struct pe *pe)
{
	struct pmu *pmu = pe->pmu;

	sync(pmu);
	update(pmu);
}

void pmu_woken(struct pe *pe)
{
	sync(pe->pmu);
	predict(pe->pmu, 0);
}

// ---- register hooks -----------------------------------------------------------------------------

#define HOOK_UNUSED __attribute__((unused))

static uint64_t pmcr_read(struct pe *pe, void *opaque, enum sysreg reg)
{
	return bits_set(pe->sr[reg], 15, 11, accessible(opaque));
}

static void pmcr_write(struct pe *pe, void *opaque, enum sysreg reg, uint64_t value)
{
	struct pmu *pmu = opaque;

	sync(pmu);
	if (value & PMCR_EL0_P) {
		for (unsigned i = 0; i < accessible(pmu); i++) {
			pe->sr[value_reg(i)] = 0;
		}
	}
	if (value & PMCR_EL0_C) {
		pe->sr[SR_PMCCNTR_EL0] = 0;
		pmu->divided = 0;
	}
	pe->sr[reg] = value & ~(PMCR_EL0_P | PMCR_EL0_C);
	update(pmu);
}

// The registers that come as a pair, one to set and one to clear bits of the same word.
static enum sysreg pair_of(enum sysreg reg)
{
	switch (reg) {
	case SR_PMCNTENCLR_EL0:
		return SR_PMCNTENSET_EL0;
	case SR_PMINTENCLR_EL1:
		return SR_PMINTENSET_EL1;
	case SR_PMOVSCLR_EL0:
		return SR_PMOVSSET_EL0;
	default:
		return reg;
	}
}

static uint64_t mask_read(struct pe *pe, void *opaque, enum sysreg reg)
{
	sync(opaque);
	return pe->sr[pair_of(reg)] & accessible_mask(opaque);
}

static void mask_write(struct pe *pe, void *opaque, enum sysreg reg, uint64_t value)
{
	enum sysreg word = pair_of(reg);

	sync(opaque);
	value &= accessible_mask(opaque);
	if (word == reg) {
		pe->sr[word] |= value;
	} else {
		pe->sr[word] &= ~value;
	}
	update(opaque);
}

static void swinc_write(HOOK_UNUSED struct pe *pe, void *opaque, HOOK_UNUSED enum sysreg reg,
			uint64_t value)
{
	struct pmu *pmu = opaque;
	uint32_t left = (uint32_t)value & pmu->counting & low_mask(accessible(pmu));

	for (; left != 0; left &= left - 1) {
		unsigned i = ctz64(left);

		if (event_of(pmu, i) == PMU_SW_INCR) {
			advance(pmu, i, 1);
		}
	}
	line_update(pmu);
}

static uint64_t value_read(struct pe *pe, void *opaque, enum sysreg reg)
{
	sync(opaque);
	return pe->sr[reg];
}

static void value_write(struct pe *pe, void *opaque, enum sysreg reg, uint64_t value)
{
	unsigned i = reg == SR_PMCCNTR_EL0 ? CYCLE : (unsigned)reg - SR_PMEVCNTR0_EL0;

	sync(opaque);
	pe->sr[reg] = value & value_mask(opaque, i);
	predict(opaque, 0);
}

// Filters, event types and the controls of EL2 and EL3: stored, and counting is decided anew.
static void control_write(struct pe *pe, void *opaque, enum sysreg reg, uint64_t value)
{
	sync(opaque);
	pe->sr[reg] = value;
	update(opaque);
}

// PMSELR_EL0 names a counter that is not there or not accessible: RAZ/WI, one of the CONSTRAINED
// UNPREDICTABLE choices.
static uint64_t xevtyper_read(struct pe *pe, void *opaque, HOOK_UNUSED enum sysreg reg)
{
	unsigned i = (unsigned)(pe->sr[SR_PMSELR_EL0] & 31);

	return i == CYCLE || i < accessible(opaque) ? pe->sr[filter_reg(i)] : 0;
}

static void xevtyper_write(struct pe *pe, void *opaque, HOOK_UNUSED enum sysreg reg, uint64_t value)
{
	unsigned i = (unsigned)(pe->sr[SR_PMSELR_EL0] & 31);

	if (i == CYCLE || i < accessible(opaque)) {
		control_write(pe, opaque, filter_reg(i),
			      value & pe->model->writable[filter_reg(i)]);
	}
}

static uint64_t xevcntr_read(struct pe *pe, void *opaque, HOOK_UNUSED enum sysreg reg)
{
	unsigned i = (unsigned)(pe->sr[SR_PMSELR_EL0] & 31);

	return i < accessible(opaque) ? value_read(pe, opaque, value_reg(i)) : 0;
}

static void xevcntr_write(struct pe *pe, void *opaque, HOOK_UNUSED enum sysreg reg, uint64_t value)
{
	unsigned i = (unsigned)(pe->sr[SR_PMSELR_EL0] & 31);

	if (i < accessible(opaque)) {
		value_write(pe, opaque, value_reg(i), value);
	}
}

// The events of 0x00 to 0x1f, and of 0x20 to 0x3f, that are implemented: what is counted here,
// whatever core is modelled.
static uint64_t pmceid0_read(HOOK_UNUSED struct pe *pe, HOOK_UNUSED void *opaque,
			     HOOK_UNUSED enum sysreg reg)
{
	return BIT(PMU_SW_INCR) | BIT(PMU_INST_RETIRED) | BIT(PMU_EXC_TAKEN) | BIT(PMU_EXC_RETURN) |
	       BIT(PMU_CPU_CYCLES) | BIT(PMU_CHAIN);
}

static uint64_t pmceid1_read(struct pe *pe, HOOK_UNUSED void *opaque, HOOK_UNUSED enum sysreg reg)
{
	uint64_t result = 0;

	if (has(pe, FEAT_PMUv3p1)) {
		result |= BIT(PMU_STALL_FRONTEND - 0x20) | BIT(PMU_STALL_BACKEND - 0x20);
	}
	if (has(pe, FEAT_PMUv3p4)) {
		result |= BIT(PMU_STALL - 0x20);
	}
	return result;
}

// ---- set-up -------------------------------------------------------------------------------------

static const struct {
	uint16_t reg;
	sysreg_read_fn *read;
	sysreg_write_fn *write;
} pmu_hooks[] = {
	{SR_PMCR_EL0, pmcr_read, pmcr_write},
	{SR_PMCNTENSET_EL0, mask_read, mask_write},
	{SR_PMCNTENCLR_EL0, mask_read, mask_write},
	{SR_PMINTENSET_EL1, mask_read, mask_write},
	{SR_PMINTENCLR_EL1, mask_read, mask_write},
	{SR_PMOVSSET_EL0, mask_read, mask_write},
	{SR_PMOVSCLR_EL0, mask_read, mask_write},
	{SR_PMSWINC_EL0, NULL, swinc_write},
	{SR_PMCCNTR_EL0, value_read, value_write},
	{SR_PMCCFILTR_EL0, NULL, control_write},
	{SR_PMXEVTYPER_EL0, xevtyper_read, xevtyper_write},
	{SR_PMXEVCNTR_EL0, xevcntr_read, xevcntr_write},
	{SR_PMCEID0_EL0, pmceid0_read, NULL},
	{SR_PMCEID1_EL0, pmceid1_read, NULL},
	{SR_MDCR_EL2, NULL, control_write},
	{SR_MDCR_EL3, NULL, control_write},
};

void pmu_checkpoint(struct pmu *pmu, struct checkpoint *checkpoint)
{
	checkpoint_add(checkpoint, pmu, sizeof(*pmu));
}

struct pmu *pmu_create(struct pe *pe)
{
	struct pmu *pmu = calloc(1, sizeof(*pmu));

	if (pmu == NULL) {
		return NULL;
	}
	CHECK(pe->model->pmu_counters < CYCLE);
	pmu->pe = pe;
	pmu->counters = pe->model->pmu_counters;
	event_init(&pmu->event, "pmu", overflow_fire, pmu);
	for (size_t i = 0; i < sizeof(pmu_hooks) / sizeof(pmu_hooks[0]); i++) {
		sysreg_bind(pe, (enum sysreg)pmu_hooks[i].reg, pmu_hooks[i].read,
			    pmu_hooks[i].write, pmu);
	}
	for (unsigned i = 0; i < pmu->counters; i++) {
		sysreg_bind(pe, value_reg(i), value_read, value_write, pmu);
		sysreg_bind(pe, filter_reg(i), NULL, control_write, pmu);
	}
	return pmu;
}

void pmu_destroy(struct pmu *pmu)
{
	if (pmu == NULL) {
		return;
	}
	event_cancel(pmu->pe->queue, &pmu->event);
	free(pmu);
}

void pmu_reset(struct pmu *pmu)
{
	struct pe *pe = pmu->pe;

	for (unsigned i = 0; i <= CYCLE; i++) {
		if (i < pmu->counters || i == CYCLE) {
			pe->sr[value_reg(i)] = 0;
			pe->sr[filter_reg(i)] = 0;
		}
	}
	pe->sr[SR_PMCNTENSET_EL0] = pe->sr[SR_PMINTENSET_EL1] = pe->sr[SR_PMOVSSET_EL0] = 0;
	pmu->since = counted(pe);
	pmu->divided = 0;
	update(pmu);
}

struct irq_line *pmu_line(struct pe *pe)
{
	return pe->pmu != NULL ? &pe->pmu->line : NULL;
}
