// SPDX-License-Identifier: Apache-2.0
// The activity monitors extension (Arm ARM D12, FEAT_AMUv1, FEAT_AMUv1p1): the counters of group
// 0, which no level and no Security state stops, and no auxiliary group. sr[] holds what a counter
// had counted at pe->amu_since; what came after it is computed.
#include "cpu/amu.h"

#include "cpu/pe_internal.h"
#include "cpu/pmu.h"
#include "cpu/sysreg_fields.h"
#include "cpu/sysreg_internal.h"

#define COUNTERS 4u

#define AMCFGR_N (COUNTERS - 1)
#define AMCFGR_SIZE ((uint64_t)63 << 8) // 64 bits
#define AMCFGR_HDBG BIT(24) // AMCR_EL0.HDBG is there (PEs are never halted by a debugger here)
#define AMCFGR (AMCFGR_N | AMCFGR_SIZE | AMCFGR_HDBG) // NCG 0: one group
#define AMCGCR COUNTERS // CG1NC 0

// The architected events of group 0, by counter.
#define EVENT_CNT_CYCLES 0x4004u
#define EVENT_STALL_BACKEND_MEM 0x4005u

static const struct {
	uint16_t counter, type; // the registers
	uint16_t event;
	uint16_t offset; // the register that a guest's reads are less by, or SYSREG_NONE
} rows[COUNTERS] = {
	{SR_AMEVCNTR00_EL0, SR_AMEVTYPER00_EL0, PMU_CPU_CYCLES, SR_AMEVCNTVOFF00_EL2},
	{SR_AMEVCNTR01_EL0, SR_AMEVTYPER01_EL0, EVENT_CNT_CYCLES, SYSREG_NONE},
	{SR_AMEVCNTR02_EL0, SR_AMEVTYPER02_EL0, PMU_INST_RETIRED, SR_AMEVCNTVOFF02_EL2},
	{SR_AMEVCNTR03_EL0, SR_AMEVTYPER03_EL0, EVENT_STALL_BACKEND_MEM, SR_AMEVCNTVOFF03_EL2},
};

// How often the event of a counter has happened at a time. A waiting PE counts nothing, the
// constant frequency cycles included, which are those of the generic timers' counter: one in 16 ns.
static uint64_t events(unsigned n, uint64_t active_time)
{
	switch (rows[n].event) {
	case PMU_CPU_CYCLES:
	case PMU_INST_RETIRED:
		return active_time;
	case EVENT_CNT_CYCLES:
		return active_time >> 4;
	default:
		return 0; // the base timing never stalls
	}
}

static uint64_t active_time(const struct pe *pe)
{
	return pe_now(pe) - pe->idle;
}

static uint64_t count(const struct pe *pe, unsigned n)
{
	uint64_t value = pe->sr[rows[n].counter];

	if (bit(pe->sr[SR_AMCNTENSET0_EL0], n)) {
		value += events(n, active_time(pe)) - events(n, pe->amu_since);
	}
	return value;
}

// Bring every counter up to date.
static void sync(struct pe *pe)
{
	for (unsigned n = 0; n < COUNTERS; n++) {
		pe->sr[rows[n].counter] = count(pe, n);
	}
	pe->amu_since = active_time(pe);
}

// Do EL0 and EL1 read less than was counted (AMEVCNTR0<n>_EL0)?
static bool offsets_hold(const struct pe *pe)
{
	return pe->el < 2 && !pe_in_host(pe) && (pe_hcr_effective(pe) & HCR_EL2_AMVOFFEN) &&
	       (!pe->has_el3 || (pe->sr[SR_SCR_EL3] & SCR_EL3_AMVOFFEN));
}

static uint64_t read_counter(struct pe *pe, void *opaque, enum sysreg reg)
{
	unsigned n = sysreg_rows[reg].index;
	uint64_t value = count(pe, n);

	(void)opaque;
	if (rows[n].offset != SYSREG_NONE && offsets_hold(pe)) {
		value -= pe->sr[rows[n].offset];
	}
	return value;
}

static void write_counter(struct pe *pe, void *opaque, enum sysreg reg, uint64_t value)
{
	(void)opaque;
	sync(pe);
	pe->sr[reg] = value;
}

static uint64_t read_enabled(struct pe *pe, void *opaque, enum sysreg reg)
{
	(void)opaque;
	(void)reg;
	return pe->sr[SR_AMCNTENSET0_EL0];
}

static void write_enable(struct pe *pe, void *opaque, enum sysreg reg, uint64_t value)
{
	(void)opaque;
	sync(pe);
	pe->sr[reg] |= value;
}

static void write_disable(struct pe *pe, void *opaque, enum sysreg reg, uint64_t value)
{
	(void)opaque;
	(void)reg;
	sync(pe);
	pe->sr[SR_AMCNTENSET0_EL0] &= ~value;
}

void amu_bind(struct pe *pe)
{
	for (unsigned n = 0; n < COUNTERS; n++) {
		// With an argument, so that a look from outside comes by the hooks, too.
		sysreg_bind(pe, (enum sysreg)rows[n].counter, read_counter, write_counter, pe);
	}
	sysreg_bind(pe, SR_AMCNTENSET0_EL0, read_enabled, write_enable, NULL);
	sysreg_bind(pe, SR_AMCNTENCLR0_EL0, read_enabled, write_disable, NULL);
}

void amu_reset(struct pe *pe, bool handed_over)
{
	pe->sr[SR_AMCFGR_EL0] = AMCFGR;
	pe->sr[SR_AMCGCR_EL0] = AMCGCR;
	for (unsigned n = 0; n < COUNTERS; n++) {
		pe->sr[rows[n].type] = rows[n].event;
		pe->sr[rows[n].counter] = 0;
	}
	pe->sr[SR_AMCNTENSET0_EL0] = handed_over ? (1u << COUNTERS) - 1 : 0;
	pe->amu_since = active_time(pe);
}
