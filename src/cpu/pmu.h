// SPDX-License-Identifier: Apache-2.0
// The performance monitors of one PE (PMUv3). Counters are computed when someone looks: nothing is
// paid per instruction.
#ifndef STRATA_CPU_PMU_H
#define STRATA_CPU_PMU_H

#include <stdbool.h>

#include "bus/bus.h"

struct checkpoint;
struct pe;
struct pmu;

// Common event numbers that are counted.
enum pmu_event {
	PMU_SW_INCR = 0x00,
	PMU_INST_RETIRED = 0x08,
	PMU_EXC_TAKEN = 0x09,
	PMU_EXC_RETURN = 0x0a,
	PMU_CPU_CYCLES = 0x11,
	PMU_CHAIN = 0x1e,
	PMU_STALL_FRONTEND = 0x23, // FEAT_PMUv3p1; the base timing never stalls
	PMU_STALL_BACKEND = 0x24,
	PMU_STALL = 0x3c, // FEAT_PMUv3p4
};

// Create the PMU of a PE that has FEAT_PMUv3 and bind its PM* registers, MDCR_EL2 and MDCR_EL3.
// NULL: out of memory.
struct pmu *pmu_create(struct pe *pe);
void pmu_destroy(struct pmu *pmu);
void pmu_checkpoint(struct pmu *pmu, struct checkpoint *checkpoint);

// After the system registers were reset: counters at zero, nothing enabled, the line low.
void pmu_reset(struct pmu *pmu);

// The overflow interrupt, to be connected before the machine runs; NULL if the PE has no PMU.
struct irq_line *pmu_line(struct pe *pe);

// The hooks of the execution engine. All are needed only while pe->pmu_active.
// An exception is about to be taken or returned from (PMU_EXC_TAKEN, PMU_EXC_RETURN): before the
// level changes, since an exception counts for the level it leaves.
void pmu_count(struct pe *pe, enum pmu_event event);
// The level or Security state has changed.
void pmu_el_changed(struct pe *pe);
// The PE has left WFI or WFE, during which its counters stood still.
void pmu_woken(struct pe *pe);

#endif
