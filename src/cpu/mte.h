// SPDX-License-Identifier: Apache-2.0
// The Memory Tagging Extension (FEAT_MTE, MTE2, MTE3): which accesses are checked against the
// allocation tags of memory, and what a mismatch does. The tags themselves are the bus room's.
#ifndef STRATA_CPU_MTE_H
#define STRATA_CPU_MTE_H

#include <stdbool.h>
#include <stdint.h>

#include "bus/bus.h"

struct pe;

#define MTE_GRANULE 16u
#define GMID_BS 6u // log2 of the words that LDGM and STGM transfer the tags of: 16 granules

// AArch64.AllocationTagAccessIsEnabled for the current level, or for EL0 from it (el0).
bool mte_tags_enabled(const struct pe *pe, bool el0);

// May accesses of this privilege fail a tag check at all, whatever PSTATE.TCO says now?
bool mte_checks_enabled(const struct pe *pe, bool el0);

// Check an access of size bytes, which lies in one page of Normal Tagged memory at pa of ram.
// False: a synchronous fault, in pe->fault. atomic: it reads and writes.
bool mte_check(struct pe *pe, uint64_t va, unsigned size, bool write, bool atomic, bool el0,
	       const struct bus_ram *ram, uint64_t pa);

// GMID_EL1, RGSR_EL1 as at reset, and the hooks of TCO.
void mte_init(struct pe *pe);

static inline unsigned mte_tag(uint64_t address)
{
	return (unsigned)(address >> 56) & 15;
}

static inline uint64_t mte_with_tag(uint64_t address, unsigned tag)
{
	return (address & ~(UINT64_C(15) << 56)) | (uint64_t)tag << 56;
}

#endif
