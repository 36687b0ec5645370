// SPDX-License-Identifier: Apache-2.0
// Decoded code: physical pages of uops, shared by all PEs of a board. A page's blocks are decoded
// once, when they are first run, and dropped when the page is written.
#ifndef STRATA_CPU_CODE_H
#define STRATA_CPU_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus/bus.h"
#include "cpu/feature.h"
#include "cpu/uop.h"

struct code_cache;
struct pe;

struct code_page {
	struct code_cache *cache;
	struct bus_ram *ram;
	uint64_t pa; // page aligned
	const uint8_t *host;
	uint16_t first, last; // instructions at which blocks begin lie within
	uint64_t decoded[16]; // one bit per instruction that is part of a block
	uint32_t entry[1024]; // index of the block's entry uop in the arena, by instruction; 0: not
			      // decoded
};

#define CODE_ARENA_UOPS (1u << 20) // 32 MiB of decoded code at the most
#define CODE_PAGES_MAX 4096u // 16 MiB of page tables of it

// NULL when memory is short.
struct code_cache *code_cache_create(struct bus *bus, const struct feature_set *features);

// From now on blocks hand every instruction to the PE's trace before it is executed. Before
// anything is decoded.
void code_cache_trace_insns(struct code_cache *cache);
void code_cache_destroy(struct code_cache *cache);

// PEs register so that a flush reaches their jump caches.
void code_cache_attach(struct code_cache *cache, struct pe *pe);

void code_cache_detach(struct code_cache *cache, struct pe *pe);

// The page object of a RAM page, created when missing; may flush everything when full.
struct code_page *code_page_get(struct code_cache *cache, struct bus_ram *ram, uint64_t pa);

// The entry uop of the block at byte offset `off` (multiple of 4) of the page, decoded when
// missing.
const struct uop *code_block(struct code_page *page, unsigned off);

// Is any instruction of [off, off + size) decoded?
bool code_overlaps(const struct code_page *page, unsigned off, unsigned size);

// Writes to the page are reported from now on (bus_code_written).
void code_protect(struct code_page *page);

// Told to each attached PE: every uop is gone; jump caches and code page pointers are stale.
void pe_code_flushed(struct pe *pe);

// Told to each attached PE: drop write permission for this host page from the fast TLBs.
void pe_write_protect(struct pe *pe, const uint8_t *host);

// The feature that an instruction needs (FEAT_NONE: none). False: no instruction has this encoding.
bool code_insn_feature(uint32_t insn, enum feature *feature);

// Translate the one instruction `insn` at page offset off into out (at most 7 uops); returns how
// many.
unsigned code_translate_one(struct code_cache *cache, uint32_t insn, unsigned off, struct uop *out);

#endif
