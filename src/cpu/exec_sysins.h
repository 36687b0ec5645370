// SPDX-License-Identifier: Apache-2.0
// SYS instructions: TLBI, AT, DC, IC.
#ifndef STRATA_CPU_EXEC_SYSINS_H
#define STRATA_CPU_EXEC_SYSINS_H

#include <stdbool.h>
#include <stdint.h>

struct pe;

// Perform the permitted SYS instruction at encoding enc (as SYSREG_ENC) with operand value. False:
// pe->fault.
bool sysins_execute(struct pe *pe, uint16_t enc, uint64_t value);

#endif
