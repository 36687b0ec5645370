// SPDX-License-Identifier: Apache-2.0
// How the architectural TLB is laid out, and its lookups: for the files that look something up at
// every access (mmu_tlb.c, mmu_fast.c).
#ifndef STRATA_MMU_TLB_INTERNAL_H
#define STRATA_MMU_TLB_INTERNAL_H

#include "mmu/mmu_internal.h"

#define WAYS 4
#define CONTEXT_NONE 0xffffu
#define RECENT_COUNT 16

// Whose an entry is, in one word to compare: the generation of the context when it was inserted,
// the context, the size. 0: free.
#define OWNER_GEN_SHIFT 32
#define OWNER_CONTEXT_SHIFT 16
#define OWNER_SHIFT_SHIFT 8

struct tlb_entry {
	uint64_t tag; // address >> shift
	uint64_t owner;
	uint64_t oa; // output address, or the table
	uint64_t desc;
	int8_t level; // of the leaf, or of the table
	uint8_t table_perms;
	uint8_t pas;
	bool global;
	bool exec; // used for a fetch
};

struct tlb_extra {
	struct tlb_entry *entries;
	uint32_t count;
	uint32_t capacity;
};

struct tlb_array {
	struct tlb_entry *entries;
	uint8_t *next; // per set: the way to replace
	struct tlb_extra *extra; // MMU_TLB_KEEP, per set: what the ways do not hold; else NULL
	size_t set_count;
	unsigned hash_shift; // 64 - log2(set_count)
	size_t count; // entries, stale ones included
	bool walk; // table pointers
};

struct tlb_context {
	uint64_t key; // 0: free
	uint64_t stamp; // last use
	uint64_t owner; // of its entries, without their size: the generation is never 0
	uint32_t leaves; // live entries
	uint32_t walks;
	uint64_t leaf_shifts; // bitmap of the sizes of leaves since the last bump
	uint64_t walk_shifts; // and of table pointers
	bool exec;
	bool listed;
};

struct mmu_tlb {
	struct bus *bus;
	enum mmu_tlb_mode mode;
	mmu_tlb_dropped_fn *dropped;
	void *opaque;
	struct tlb_array s1;
	struct tlb_array s2;
	struct tlb_array walk;
	struct tlb_context *contexts;
	size_t context_sets;
	uint16_t *active; // contexts that may hold something
	size_t active_count;
	uint64_t clock;
	uint64_t walk_changes; // raised whenever a table pointer was dropped or changed
	uint16_t recent[RECENT_COUNT]; // contexts found lately, by hash; a hint, checked on use
	struct ram_window windows[PAS_COUNT];
};

static inline unsigned owner_context(uint64_t owner)
{
	return (uint16_t)(owner >> OWNER_CONTEXT_SHIFT);
}

static inline unsigned owner_shift(uint64_t owner)
{
	return (uint8_t)(owner >> OWNER_SHIFT_SHIFT);
}

static inline struct tlb_context *entry_context(const struct mmu_tlb *tlb,
						const struct tlb_entry *entry)
{
	return &tlb->contexts[owner_context(entry->owner)];
}

unsigned tlb_context_find(struct mmu_tlb *tlb, uint64_t key);

// The context of a tag, which remembers where it was.
static inline unsigned tag_find(struct mmu_tlb *tlb, struct tlb_tag *tag)
{
	unsigned id;

	if (likely(tlb->contexts[tag->id].key == tag->key)) {
		return tag->id;
	}
	id = tlb_context_find(tlb, tag->key);
	if (id != CONTEXT_NONE) {
		tag->id = (uint16_t)id;
	}
	return id;
}

static inline uint64_t owner_make(const struct mmu_tlb *tlb, unsigned id, unsigned shift)
{
	return tlb->contexts[id].owner | (uint64_t)shift << OWNER_SHIFT_SHIFT;
}

static inline bool entry_live(const struct mmu_tlb *tlb, const struct tlb_entry *entry)
{
	return entry->owner != 0 &&
	       (entry->owner ^ entry_context(tlb, entry)->owner) >> OWNER_GEN_SHIFT == 0;
}

// The generation has no part in it.
static inline size_t array_set(const struct tlb_array *array, uint64_t tag, uint64_t owner)
{
	uint64_t hash = (tag ^ (uint64_t)(uint32_t)owner << 28) * UINT64_C(0x9e3779b97f4a7c15);

	return (size_t)(hash >> array->hash_shift);
}

struct tlb_entry *tlb_extra_find(const struct tlb_array *array, size_t set, uint64_t tag,
				 uint64_t owner);

// The live entry of this owner (which names generation and size) for the address.
static inline __attribute__((always_inline)) struct tlb_entry *
array_find_at(const struct tlb_array *array, uint64_t owner, uint64_t tag)
{
	size_t set = array_set(array, tag, owner);
	struct tlb_entry *entry = &array->entries[set * WAYS];

#pragma GCC unroll 4
	for (unsigned i = 0; i < WAYS; i++, entry++) {
		if (entry->tag == tag && entry->owner == owner) {
			return entry;
		}
	}
	return unlikely(array->extra != NULL) ? tlb_extra_find(array, set, tag, owner) : NULL;
}

static inline bool tlb_s2_ref_holds(const struct mmu_tlb *tlb, const struct s2_ref *ref)
{
	const struct tlb_entry *entry = ref->entry;

	return entry == NULL ||
	       (entry->owner == ref->owner && entry->tag == ref->tag && entry_live(tlb, entry) &&
		entry->oa == ref->oa && entry->desc == ref->desc);
}

static inline __attribute__((always_inline)) struct tlb_entry *
array_find_sizes(const struct mmu_tlb *tlb, const struct tlb_array *array, unsigned id, uint64_t ia,
		 uint64_t sizes)
{
	const struct tlb_context *context = &tlb->contexts[id];

	for (uint64_t shifts = context->leaf_shifts & sizes; shifts != 0; shifts &= shifts - 1) {
		unsigned shift = (unsigned)__builtin_ctzll(shifts);
		struct tlb_entry *entry =
			array_find_at(array, context->owner | (uint64_t)shift << OWNER_SHIFT_SHIFT,
				      ia >> shift);

		if (entry != NULL) {
			return entry;
		}
	}
	return NULL;
}

static inline __attribute__((always_inline)) struct tlb_entry *
array_find(const struct mmu_tlb *tlb, const struct tlb_array *array, unsigned id, uint64_t ia)
{
	return array_find_sizes(tlb, array, id, ia, ~UINT64_C(0));
}

// An entry for what is not there yet; the caller fills in desc and what follows.
struct tlb_entry *tlb_array_insert(struct mmu_tlb *tlb, struct tlb_array *array,
				   struct tlb_tag *whose, uint64_t ia, unsigned shift);
// A reference to the stage-2 leaf for ipa. False: there is none, or entries move (MMU_TLB_KEEP).
bool tlb_s2_ref(struct mmu_tlb *tlb, struct tlb_tag *tag, uint64_t ipa, struct s2_ref *ref);
void tlb_mark_exec(struct mmu_tlb *tlb, struct tlb_entry *entry);

#endif
