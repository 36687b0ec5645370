// SPDX-License-Identifier: Apache-2.0
// The performance monitors of a PE (PMUv3). Counting costs nothing while instructions run: counts are computed from
// virtual time when someone looks, when the level changes, and at the predicted overflow.
#ifndef STRATA_CPU_PMU_H
#define STRATA_CPU_PMU_H

#include <stdbool.h>
#include <stdint.h>

struct irq_line;
struct pe;
struct pmu;

// NULL: out of memory. Binds the PM* registers of the PE.
struct pmu *pmu_create(struct pe *pe);
void pmu_destroy(struct pmu *pmu); // NULL is fine
void pmu_reset(struct pmu *pmu);

// The level or Security state changed; called only while pe->pmu_active.
void pmu_el_changed(struct pe *pe, unsigned old_el, bool old_secure);

// The overflow interrupt, to be connected by the board.
struct irq_line *pmu_line(struct pe *pe);

#endif
