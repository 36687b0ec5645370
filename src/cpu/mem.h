// SPDX-License-Identifier: Apache-2.0
// Memory accesses of instructions. The inlined part is a hit in the fast TLB; everything else (a
// miss, MMIO, a page crossing, Device memory, alignment checks, watchpoints) is out of line in
// mem.c.
//
// A load returns its value and whether it succeeded; on failure pe->fault is set and the handler
// returns exc_raise(pe, op) without having changed any register.
#ifndef STRATA_CPU_MEM_H
#define STRATA_CPU_MEM_H

#include <string.h>

#include "base/addr.h"
#include "cpu/pe_internal.h"

struct mem_val {
	uint64_t v;
	uint64_t ok;
};

// How an access differs from a plain one.
enum {
	MEM_PLAIN = 0,
	MEM_UNPRIV = 1, // LDTR/STTR: with EL0's permissions where those apply
	MEM_ATOMIC = 2, // atomic read-modify-write or compare-and-swap: alignment, WnR
	MEM_EXCLUSIVE = 4,
	MEM_ORDERED = 8, // acquire or release: alignment rules of FEAT_LSE2
	MEM_UNTAGGED = 16, // Tag Unchecked whatever the instruction is (FEAT_MTE)
	MEM_FOR_WRITE = 32, // a read that needs write permission too (the load half of an atomic)
	MEM_MISALIGNED = 64, // part of an access that is not aligned
};

// size 1, 2, 4 or 8.
struct mem_val mem_load_slow(struct pe *pe, const struct uop *op, uint64_t va, unsigned size,
			     unsigned flags);
bool mem_store_slow(struct pe *pe, const struct uop *op, uint64_t va, unsigned size, uint64_t value,
		    unsigned flags);
// 16 bytes, to and from anything that is not on the handler's stack.
bool mem_load16_slow(struct pe *pe, const struct uop *op, uint64_t va, void *out, unsigned flags);
bool mem_store16_slow(struct pe *pe, const struct uop *op, uint64_t va, const void *in,
		      unsigned flags);

// Before a store that is one access of more bytes than are written at a time: does it hit a
// watchpoint? True: pe->fault, and nothing may be written.
bool mem_watched_store(struct pe *pe, const struct uop *op, uint64_t va, unsigned size);

// One access that must be both readable and writable: a host pointer to `size` aligned bytes of
// RAM, for atomics and exclusives. NULL with *fault set on failure, or, when the target is a
// device, with pe->fault set likewise (IMPLEMENTATION DEFINED abort: unsupported atomic).
void *mem_atomic_ptr(struct pe *pe, const struct uop *op, uint64_t va, unsigned size,
		     unsigned flags);

// The physical address (PAS in bits 63:62) that an aligned access at va reaches, checked for read
// or write permission and alignment as the access itself would be; false: pe->fault. For the
// exclusive monitor.
bool mem_physical(struct pe *pe, const struct uop *op, uint64_t va, unsigned size, bool write,
		  unsigned flags, uint64_t *pa);

// Where the allocation tag of va is: ram is NULL where there are none. Checked for read or write
// permission as an access of the tag would be; false: pe->fault.
struct mem_tags {
	struct bus_ram *ram;
	uint64_t pa;
};
bool mem_locate_tags(struct pe *pe, const struct uop *op, uint64_t va, bool write,
		     struct mem_tags *place);

// pe->fault: an alignment fault at va.
void mem_alignment_fault(struct pe *pe, const struct uop *op, uint64_t va, bool write);

static inline const struct fast_entry *mem_entry(const struct fast_tlb *fast, uint64_t va)
{
	return &fast->e[(va >> PAGE_SHIFT) & (FAST_COUNT - 1)];
}

static inline bool mem_hit(uint64_t tag, uint64_t va, unsigned size)
{
	return likely(tag == ((va + size - 1) & ~PAGE_MASK));
}

// The host address of a hit.
static inline void *mem_host(const struct fast_entry *entry, uint64_t va)
{
	return (void *)(uintptr_t)(va + entry->addend);
}

// Little-endian loads and stores at any alignment; size is a constant.
static inline __attribute__((always_inline)) uint64_t host_load(const void *p, unsigned size)
{
	uint64_t v = 0;

	memcpy(&v, p, size);
	return v;
}

static inline __attribute__((always_inline)) void host_store(void *p, unsigned size, uint64_t v)
{
	memcpy(p, &v, size);
}

// The test of the plain case, for handlers whose other cases are a tail call to a slow twin: the
// access hits the fast TLB, and its base is not a misaligned stack pointer.
#define MEM_FAST(tag, base, va, size) \
	likely((((base)&op->sp_mask) | ((tag) ^ (((va) + (size)-1) & ~PAGE_MASK))) == 0)

static inline __attribute__((always_inline)) struct mem_val
mem_load_from(struct pe *pe, const struct fast_tlb *fast, const struct uop *op, uint64_t va,
	      unsigned size, unsigned flags)
{
	const struct fast_entry *entry = mem_entry(fast, va);

	if (mem_hit(entry->tag_r, va, size)) {
		return (struct mem_val){host_load(mem_host(entry, va), size), 1};
	}
	return mem_load_slow(pe, op, va, size, flags);
}

static inline __attribute__((always_inline)) bool
mem_store_to(struct pe *pe, const struct fast_tlb *fast, const struct uop *op, uint64_t va,
	     unsigned size, uint64_t value, unsigned flags)
{
	const struct fast_entry *entry = mem_entry(fast, va);

	if (mem_hit(entry->tag_w, va, size)) {
		memcpy((void *)(uintptr_t)(va + entry->addend), &value, size);
		return true;
	}
	return mem_store_slow(pe, op, va, size, value, flags);
}

static inline __attribute__((always_inline)) struct mem_val
mem_load(struct pe *pe, const struct uop *op, uint64_t va, unsigned size)
{
	return mem_load_from(pe, pe->fast, op, va, size, MEM_PLAIN);
}

static inline __attribute__((always_inline)) bool
mem_store(struct pe *pe, const struct uop *op, uint64_t va, unsigned size, uint64_t value)
{
	return mem_store_to(pe, pe->fast, op, va, size, value, MEM_PLAIN);
}

// 16 bytes; out and in must not be locals of a handler.
static inline __attribute__((always_inline)) bool mem_load16(struct pe *pe, const struct uop *op,
							     uint64_t va, void *out)
{
	const struct fast_entry *entry = mem_entry(pe->fast, va);

	if (mem_hit(entry->tag_r, va, 16)) {
		memcpy(out, (const void *)(uintptr_t)(va + entry->addend), 16);
		return true;
	}
	return mem_load16_slow(pe, op, va, out, MEM_PLAIN);
}

static inline __attribute__((always_inline)) bool mem_store16(struct pe *pe, const struct uop *op,
							      uint64_t va, const void *in)
{
	const struct fast_entry *entry = mem_entry(pe->fast, va);

	if (mem_hit(entry->tag_w, va, 16)) {
		memcpy((void *)(uintptr_t)(va + entry->addend), in, 16);
		return true;
	}
	return mem_store16_slow(pe, op, va, in, MEM_PLAIN);
}

// Build pe->fault for a translation fault or abort at va. cache_op: a DC or IC instruction by
// address.
void mem_abort(struct pe *pe, uint64_t va, const struct mmu_fault *fault, bool instruction,
	       bool cache_op);

// The SP alignment check before an access whose base is SP: false when it faults (pe->fault set).
bool mem_sp_misaligned(struct pe *pe);

// In a handler: fault if the base is a misaligned SP and the check is enabled.
#define CHECK_SP_ALIGNMENT(base) \
	do { \
		if (unlikely(((base)&op->sp_mask) != 0) && mem_sp_misaligned(pe)) { \
			return exc_raise(pe, op); \
		} \
	} while (0)

#endif
