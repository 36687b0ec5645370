// SPDX-License-Identifier: Apache-2.0
// FEAT_NV2: registers that live in memory. What EL1 reads or writes by the name of such a register
// is a doubleword of the page that VNCR_EL2 names, accessed as EL2 would (Arm ARM, NVMem).
#ifndef STRATA_CPU_VNCR_H
#define STRATA_CPU_VNCR_H

#include <stdbool.h>
#include <stdint.h>

struct pe;
struct uop;

// The doubleword at this offset of the page. False: pe->fault, which is a Data Abort or Watchpoint
// exception with ESR_ELx.VNCR set.
bool vncr_load(struct pe *pe, const struct uop *op, unsigned offset, uint64_t *value);
bool vncr_store(struct pe *pe, const struct uop *op, unsigned offset, uint64_t value);

#endif
