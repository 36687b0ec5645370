// SPDX-License-Identifier: Apache-2.0
// The activity monitors of one PE (FEAT_AMUv1): four architected counters. Like those of the PMU
// they are computed when someone looks.
#ifndef STRATA_CPU_AMU_H
#define STRATA_CPU_AMU_H

#include <stdbool.h>

struct pe;

// Bind the AM* registers of a PE that has FEAT_AMUv1.
void amu_bind(struct pe *pe);

// After the system registers were reset: counters at zero, and enabled if firmware would have done
// so before it handed over.
void amu_reset(struct pe *pe, bool handed_over);

#endif
