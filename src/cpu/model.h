// SPDX-License-Identifier: Apache-2.0
// CPU models: named cores, each with MIDR and ID registers, and feature switches ("max,pauth=off").
#ifndef STRATA_CPU_MODEL_H
#define STRATA_CPU_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "cpu/feature.h"
#include "cpu/sysreg.h"
#include "mmu/mmu.h"

#define CPU_MODEL_TRAP_GROUPS 96u
#define CPU_MODEL_TRAP_WORDS 4u

struct cpu_model {
	char name[32];
	struct feature_set features;
	// Value of every register at reset: ID registers (MIDR_EL1, ID_AA64*, CTR_EL0, DCZID_EL0,
	// ...) as computed, RES1 bits, and what else sysreg.def says. Bits that are not writable
	// keep it.
	uint64_t id[SYSREG_COUNT];
	uint64_t writable[SYSREG_COUNT]; // bits that a write changes, with the features of this
					 // model
	uint64_t ccsidr[7][2]; // CCSIDR_EL1 by level and kind (0 data or unified, 1 instruction);
			       // 0: no such cache
	uint8_t pa_bits;
	unsigned breakpoints, watchpoints,
		pmu_counters; // pmu_counters: event counters, without the cycle counter
	unsigned tlb_entries; // leaf entries of the sized architectural TLB
	struct mmu_features mmu;
	// Rows of trap.def by register group, one bit each (sysreg_permit.c).
	uint64_t group_traps[CPU_MODEL_TRAP_GROUPS][CPU_MODEL_TRAP_WORDS];
	// The same by the level and the direction that they are asked in (0 write, 1 read).
	uint64_t level_traps[4][2][CPU_MODEL_TRAP_WORDS];
};

// Parse "NAME[,switch=on|off|value]...". has_el2/has_el3: the board's levels (reflected in
// ID_AA64PFR0_EL1). Returns a model to be freed with free(), or NULL with a one-line message in
// error.
struct cpu_model *cpu_model_parse(const char *text, bool has_el2, bool has_el3, char *error,
				  size_t error_size);

// Names of all models and switches, for --help: calls fn for each.
void cpu_model_list(void (*fn)(void *opaque, const char *name, const char *description),
		    void *opaque);

#endif
