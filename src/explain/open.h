// SPDX-License-Identifier: Apache-2.0
// The open state of a machine (docs/trap-tests.md): where nothing says otherwise, nothing is
// trapped; memory has known places, and tables that map them. What is explained and what is tested
// begins here.
#ifndef STRATA_EXPLAIN_OPEN_H
#define STRATA_EXPLAIN_OPEN_H

#include <stdbool.h>
#include <stdint.h>

#include "cpu/sysreg.h"

struct pe;
struct strata;

#define OPEN_RAM_BASE UINT64_C(0x40000000)
#define OPEN_CODE UINT64_C(0x40010000)
#define OPEN_DATA UINT64_C(0x40020000)
#define OPEN_USER UINT64_C(0x40030000)
#define OPEN_RO UINT64_C(0x40040000)
#define OPEN_TAGGED UINT64_C(0x40050000)
#define OPEN_STACK_PAGES UINT64_C(0x40060000)
#define OPEN_STACK UINT64_C(0x40068000)
#define OPEN_GUARDED UINT64_C(0x40070000)
#define OPEN_VECTORS(el) (UINT64_C(0x40070000) + (uint64_t)(el)*0x10000)
#define OPEN_DEVICE UINT64_C(0x400b0000)
#define OPEN_TABLES UINT64_C(0x40100000)
#define OPEN_UNMAPPED UINT64_C(0x40200000)
#define OPEN_UNMAPPED2 UINT64_C(0x40210000)
#define OPEN_NOTHING UINT64_C(0x0f800000)
#define OPEN_PLACE_SIZE UINT64_C(0x10000)

// Bits of a register as it is stored; what the model lacks keeps its fixed value.
void open_poke(struct pe *pe, enum sysreg reg, uint64_t mask, uint64_t value);

// All registers, after a reset; and what differs, on top, while HCR_EL2.E2H is set.
void open_registers(struct pe *pe);
void open_registers_e2h(struct pe *pe);

// The page tables, and zeros elsewhere.
void open_memory(struct strata *strata);

// Stage 1 of a level's regime on (EL2's with one table or, with E2H, two); stage 2 on.
void open_mmu(struct pe *pe, unsigned el, bool e2h);
void open_stage2(struct pe *pe);

#endif
