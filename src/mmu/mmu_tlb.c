// SPDX-License-Identifier: Apache-2.0
// The architectural TLB: stage-1 leaves, stage-2 leaves and table pointers (the walk cache), each
// in a set-associative array hashed by (address >> size, size); the sizes in use are a bitmap, so
// that a lookup or a TLBI by address probes one set per size. Entries belong to a context (regime,
// security, VMID, ASID or global, stage); a context has a generation, and bumping it drops all its
// entries at once.
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "mmu/mmu_internal.h"

#define WAYS 4
#define CONTEXT_WAYS 8
#define CONTEXT_NONE 0xffffu
#define CONTEXT_COUNT_SIZED 2048u
#define CONTEXT_COUNT_KEEP 32768u
#define KEEP_ENTRIES_MAX (UINT64_C(1) << 22)
#define RECENT_COUNT 16
#define ANNOUNCE_MAX 16 // precise announcements of one message; after that, one broad one

// Context keys.
#define KEY_KIND MASK(1, 0)
#define KEY_SECURE BIT(2)
#define KEY_STAGE2 BIT(3)
#define KEY_GLOBAL BIT(4)
#define KEY_IPA_NS BIT(5)
#define KEY_ASID_SHIFT 16
#define KEY_ASID MASK(31, 16)
#define KEY_VMID_SHIFT 32
#define KEY_VMID MASK(47, 32)
#define KEY_USED BIT(63)

struct tlb_entry {
	uint64_t tag; // address >> shift
	uint64_t oa; // output address, or the table
	uint64_t desc;
	uint32_t gen; // of its context when inserted; 0: free
	uint16_t context;
	uint8_t shift;
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
	size_t count; // entries, stale ones included
	uint64_t shifts; // bitmap of sizes in use
	size_t per_shift[64]; // entries of each size, stale ones included
	bool walk; // table pointers
};

struct tlb_context {
	uint64_t key; // 0: free
	uint64_t stamp; // last use
	uint32_t gen; // never 0
	uint32_t leaves; // live entries
	uint32_t walks;
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
	uint16_t recent[RECENT_COUNT]; // contexts found lately, by hash; a hint, checked on use
};

struct bus *tlb_bus(struct mmu_tlb *tlb)
{
	return tlb->bus;
}

bool tlb_keeps(const struct mmu_tlb *tlb)
{
	return tlb != NULL && tlb->mode != MMU_TLB_FORGET;
}

static void array_init(struct tlb_array *array, size_t entries, bool keep)
{
	array->set_count = entries / WAYS;
	array->entries = calloc(entries, sizeof(*array->entries));
	array->next = calloc(array->set_count, 1);
	CHECK(array->entries != NULL && array->next != NULL);
	array->extra = NULL;
	if (keep) {
		array->extra = calloc(array->set_count, sizeof(*array->extra));
		CHECK(array->extra != NULL);
	}
	memset(array->per_shift, 0, sizeof(array->per_shift));
	array->shifts = 0;
	array->count = 0;
}

static void array_done(struct tlb_array *array)
{
	for (size_t set = 0; array->extra != NULL && set < array->set_count; set++) {
		free(array->extra[set].entries);
	}
	free(array->extra);
	free(array->entries);
	free(array->next);
}

// The entries of a set, by number: the ways, then the extra ones.
static inline size_t set_size(const struct tlb_array *array, size_t set)
{
	return WAYS + (unlikely(array->extra != NULL) ? array->extra[set].count : 0);
}

static inline struct tlb_entry *set_entry(const struct tlb_array *array, size_t set, size_t i)
{
	return likely(i < WAYS) ? &array->entries[set * WAYS + i]
	                        : &array->extra[set].entries[i - WAYS];
}

struct mmu_tlb *mmu_tlb_create(struct bus *bus, enum mmu_tlb_mode mode, size_t entries,
                               mmu_tlb_dropped_fn *dropped, void *opaque)
{
	struct mmu_tlb *tlb = calloc(1, sizeof(*tlb));
	size_t contexts = mode == MMU_TLB_KEEP ? CONTEXT_COUNT_KEEP : CONTEXT_COUNT_SIZED;

	if (tlb == NULL) {
		return NULL;
	}
	CHECK(entries >= 64 && entries <= 65536 && (entries & (entries - 1)) == 0);
	tlb->bus = bus;
	tlb->mode = mode;
	tlb->dropped = dropped;
	tlb->opaque = opaque;
	array_init(&tlb->s1, entries, mode == MMU_TLB_KEEP);
	array_init(&tlb->s2, entries, mode == MMU_TLB_KEEP);
	array_init(&tlb->walk, entries, mode == MMU_TLB_KEEP);
	tlb->walk.walk = true;
	tlb->context_sets = contexts / CONTEXT_WAYS;
	tlb->contexts = calloc(contexts, sizeof(*tlb->contexts));
	tlb->active = calloc(contexts, sizeof(*tlb->active));
	CHECK(tlb->contexts != NULL && tlb->active != NULL);
	return tlb;
}

void mmu_tlb_destroy(struct mmu_tlb *tlb)
{
	if (tlb == NULL) {
		return;
	}
	array_done(&tlb->s1);
	array_done(&tlb->s2);
	array_done(&tlb->walk);
	free(tlb->contexts);
	free(tlb->active);
	free(tlb);
}

// Announcements.

static void announce(struct mmu_tlb *tlb, const struct mmu_tlb_drop *drop)
{
	if (tlb->dropped != NULL) {
		tlb->dropped(tlb->opaque, drop);
	}
}

// What is dropped with everything of a context, or with one entry of it (the caller narrows the
// VA).
static struct mmu_tlb_drop drop_of_context(const struct tlb_context *context)
{
	uint64_t key = context->key;
	struct mmu_tlb_drop drop = {.all_va = true};

	drop.kind = (enum mmu_regime_kind)(key & KEY_KIND);
	drop.secure = (key & KEY_SECURE) != 0;
	drop.asid = (uint16_t)bits(key, 31, 16);
	drop.vmid = (uint16_t)bits(key, 47, 32);
	drop.global = (key & KEY_GLOBAL) != 0;
	drop.any_vmid = drop.kind != MMU_REGIME_EL10;
	// Global entries serve every ASID; stage-2 entries serve every VA; EL2 and EL3 have no
	// ASID.
	if ((key & (KEY_GLOBAL | KEY_STAGE2)) != 0 || drop.kind == MMU_REGIME_EL2 ||
	    drop.kind == MMU_REGIME_EL3) {
		drop.any_asid = true;
		drop.global = true;
	}
	drop.exec = context->exec;
	return drop;
}

static void announce_entry(struct mmu_tlb *tlb, const struct tlb_entry *entry)
{
	const struct tlb_context *context = &tlb->contexts[entry->context];
	struct mmu_tlb_drop drop = drop_of_context(context);

	drop.exec = entry->exec;
	if ((context->key & KEY_STAGE2) == 0) {
		drop.all_va = false;
		drop.va = entry->tag << entry->shift;
		drop.shift = entry->shift;
	}
	announce(tlb, &drop);
}

// Contexts.

static size_t context_set(const struct mmu_tlb *tlb, uint64_t key)
{
	uint64_t hash = key * UINT64_C(0x9e3779b97f4a7c15);

	return (size_t)(hash >> 40) & (tlb->context_sets - 1);
}

static unsigned context_find(struct mmu_tlb *tlb, uint64_t key)
{
	uint16_t *recent = &tlb->recent[(key * UINT64_C(0x9e3779b97f4a7c15)) >> 60];
	size_t first;

	if (likely(tlb->contexts[*recent].key == key)) {
		return *recent;
	}
	first = context_set(tlb, key) * CONTEXT_WAYS;
	for (size_t i = first; i < first + CONTEXT_WAYS; i++) {
		if (tlb->contexts[i].key == key) {
			*recent = (uint16_t)i;
			return (unsigned)i;
		}
	}
	return CONTEXT_NONE;
}

static void array_clear(struct tlb_array *array)
{
	memset(array->entries, 0, array->set_count * WAYS * sizeof(*array->entries));
	for (size_t set = 0; array->extra != NULL && set < array->set_count; set++) {
		array->extra[set].count = 0;
	}
	memset(array->per_shift, 0, sizeof(array->per_shift));
	array->shifts = 0;
	array->count = 0;
}

// Forget an entry; its context's count is the caller's business.
static void entry_free(struct tlb_array *array, struct tlb_entry *entry)
{
	entry->gen = 0;
	array->count--;
	if (--array->per_shift[entry->shift] == 0) {
		array->shifts &= ~BIT(entry->shift);
	}
}

static void array_forget_context(struct tlb_array *array, unsigned id)
{
	for (size_t set = 0; set < array->set_count; set++) {
		for (size_t i = 0; i < set_size(array, set); i++) {
			struct tlb_entry *entry = set_entry(array, set, i);

			if (entry->gen != 0 && entry->context == id) {
				entry_free(array, entry);
			}
		}
	}
}

// Everything of this context is gone from now on; announcing it is the caller's business.
static void context_bump(struct mmu_tlb *tlb, struct tlb_context *context)
{
	context->leaves = 0;
	context->walks = 0;
	context->exec = false;
	if (unlikely(++context->gen == 0)) {
		// Generations are used up: old entries could come alive again, so they are erased
		// by hand.
		struct tlb_array *arrays[3] = {&tlb->s1, &tlb->s2, &tlb->walk};
		unsigned id = (unsigned)(context - tlb->contexts);

		for (size_t a = 0; a < 3; a++) {
			array_forget_context(arrays[a], id);
		}
		context->gen = 1;
	}
}

static unsigned context_make(struct mmu_tlb *tlb, uint64_t key)
{
	unsigned id = context_find(tlb, key);
	size_t first = context_set(tlb, key) * CONTEXT_WAYS;
	struct tlb_context *context;

	if (id == CONTEXT_NONE) {
		// A free place, else the one unused for longest. Those of the translation being
		// made are fewer than the ways and the youngest, so none of them goes.
		id = (unsigned)first;
		for (size_t i = first + 1; i < first + CONTEXT_WAYS; i++) {
			if (tlb->contexts[i].stamp < tlb->contexts[id].stamp) {
				id = (unsigned)i;
			}
		}
		context = &tlb->contexts[id];
		if (context->leaves != 0) {
			struct mmu_tlb_drop drop = drop_of_context(context);

			announce(tlb, &drop);
		}
		context_bump(tlb, context);
		context->key = key;
	}
	context = &tlb->contexts[id];
	context->stamp = ++tlb->clock;
	if (!context->listed) {
		context->listed = true;
		tlb->active[tlb->active_count++] = (uint16_t)id;
	}
	return id;
}

void tlb_tags_s1(const struct mmu_regime *regime, struct tlb_tags *tags)
{
	uint64_t key = KEY_USED | (uint64_t)regime->kind | (regime_secure(regime) ? KEY_SECURE : 0);

	key |= (uint64_t)mmu_regime_vmid(regime) << KEY_VMID_SHIFT;
	tags->asid_key = key | (uint64_t)mmu_regime_asid(regime) << KEY_ASID_SHIFT;
	// Regimes without ASIDs have one context.
	tags->global_key = regime_two_ranges(regime) ? key | KEY_GLOBAL : tags->asid_key;
}

uint64_t tlb_key_s2(const struct mmu_regime *regime, enum pas ipa_pas)
{
	return KEY_USED | MMU_REGIME_EL10 | (regime->secure ? KEY_SECURE : 0) | KEY_STAGE2 |
	       (regime->secure && ipa_pas == PAS_NONSECURE ? KEY_IPA_NS : 0) |
	       (uint64_t)mmu_regime_vmid(regime) << KEY_VMID_SHIFT;
}

// Arrays.

static inline size_t array_set(const struct tlb_array *array, uint64_t tag, unsigned shift)
{
	uint64_t hash = (tag ^ (uint64_t)shift << 48) * UINT64_C(0x9e3779b97f4a7c15);

	return (size_t)(hash >> 32) & (array->set_count - 1);
}

static inline bool entry_live(const struct mmu_tlb *tlb, const struct tlb_entry *entry)
{
	return entry->gen != 0 && entry->gen == tlb->contexts[entry->context].gen;
}

// Take a live entry out of its context's count, and free it.
static void entry_remove(struct mmu_tlb *tlb, struct tlb_array *array, struct tlb_entry *entry)
{
	struct tlb_context *context = &tlb->contexts[entry->context];

	if (array->walk) {
		context->walks--;
	} else {
		context->leaves--;
	}
	entry_free(array, entry);
}

static struct tlb_entry *array_find_at(const struct mmu_tlb *tlb, const struct tlb_array *array,
                                       unsigned c1, unsigned c2, uint64_t ia, unsigned shift)
{
	uint64_t tag = ia >> shift;
	size_t set = array_set(array, tag, shift);
	size_t size = set_size(array, set);

	for (size_t i = 0; i < size; i++) {
		struct tlb_entry *entry = set_entry(array, set, i);

		if (entry->tag == tag && entry->shift == shift &&
		    (entry->context == c1 || entry->context == c2) && entry_live(tlb, entry)) {
			return entry;
		}
	}
	return NULL;
}

static struct tlb_entry *array_find(const struct mmu_tlb *tlb, const struct tlb_array *array,
                                    unsigned c1, unsigned c2, uint64_t ia)
{
	for (uint64_t shifts = array->shifts; shifts != 0; shifts &= shifts - 1) {
		struct tlb_entry *entry = array_find_at(tlb, array, c1, c2, ia, ctz64(shifts));

		if (entry != NULL) {
			return entry;
		}
	}
	return NULL;
}

// MMU_TLB_KEEP: one more place in a set.
static struct tlb_entry *set_extend(struct tlb_array *array, size_t set)
{
	struct tlb_extra *extra = &array->extra[set];

	if (extra->count == extra->capacity) {
		uint32_t capacity = extra->capacity == 0 ? 4 : extra->capacity * 2;
		struct tlb_entry *entries = realloc(extra->entries, capacity * sizeof(*entries));

		CHECK(entries != NULL);
		extra->entries = entries;
		extra->capacity = capacity;
	}
	return &extra->entries[extra->count++];
}

// MMU_TLB_KEEP: twice the sets, everything live put in its new place.
static void array_grow(struct mmu_tlb *tlb, struct tlb_array *array)
{
	struct tlb_array old = *array;

	array_init(array, old.set_count * WAYS * 2, true);
	for (size_t from_set = 0; from_set < old.set_count; from_set++) {
		for (size_t i = 0; i < set_size(&old, from_set); i++) {
			const struct tlb_entry *from = set_entry(&old, from_set, i);
			struct tlb_entry *to = NULL;
			size_t set;

			if (!entry_live(tlb, from)) {
				continue;
			}
			set = array_set(array, from->tag, from->shift);
			for (size_t way = 0; way < WAYS && to == NULL; way++) {
				if (set_entry(array, set, way)->gen == 0) {
					to = set_entry(array, set, way);
				}
			}
			if (to == NULL) {
				to = set_extend(array, set);
			}
			*to = *from;
			array->count++;
			array->per_shift[from->shift]++;
			array->shifts |= BIT(from->shift);
		}
	}
	array_done(&old);
}

// A free place for (ia, shift): free, stale, or by eviction (announced for leaves).
static struct tlb_entry *array_place(struct mmu_tlb *tlb, struct tlb_array *array, uint64_t ia,
                                     unsigned shift)
{
	struct tlb_entry *entry;
	size_t set;

	if (array->extra != NULL && array->count >= array->set_count * WAYS &&
	    array->set_count * WAYS < KEEP_ENTRIES_MAX) {
		array_grow(tlb, array);
	}
	set = array_set(array, ia >> shift, shift);
	for (size_t i = 0; i < set_size(array, set); i++) {
		entry = set_entry(array, set, i);
		if (entry->gen == 0) {
			return entry;
		}
		if (!entry_live(tlb, entry)) {
			entry_free(array, entry);
			return entry;
		}
	}
	if (array->extra != NULL) {
		return set_extend(array, set);
	}
	entry = set_entry(array, set, array->next[set]++ % WAYS);
	if (!array->walk) {
		announce_entry(tlb, entry);
	}
	entry_remove(tlb, array, entry);
	return entry;
}

static struct tlb_entry *array_insert(struct mmu_tlb *tlb, struct tlb_array *array, uint64_t key,
                                      uint64_t ia, unsigned shift)
{
	unsigned id = context_make(tlb, key);
	struct tlb_entry *entry = array_place(tlb, array, ia, shift);

	entry->tag = ia >> shift;
	entry->shift = (uint8_t)shift;
	entry->context = (uint16_t)id;
	entry->gen = tlb->contexts[id].gen;
	entry->exec = false;
	array->count++;
	array->per_shift[shift]++;
	array->shifts |= BIT(shift);
	if (array->walk) {
		tlb->contexts[id].walks++;
	} else {
		tlb->contexts[id].leaves++;
	}
	return entry;
}

static void entry_to_leaf(const struct tlb_entry *entry, struct leaf *leaf)
{
	leaf->desc = entry->desc;
	leaf->oa = entry->oa;
	leaf->shift = entry->shift;
	leaf->level = entry->level;
	leaf->table_perms = entry->table_perms;
	leaf->pas = (enum pas)entry->pas;
	leaf->global = entry->global;
}

static void entry_mark_exec(struct mmu_tlb *tlb, struct tlb_entry *entry)
{
	entry->exec = true;
	tlb->contexts[entry->context].exec = true;
}

static void leaf_insert(struct mmu_tlb *tlb, struct tlb_array *array, uint64_t key, uint64_t ia,
                        bool exec, const struct leaf *leaf)
{
	unsigned id = context_find(tlb, key);
	struct tlb_entry *entry =
	        id == CONTEXT_NONE ? NULL : array_find_at(tlb, array, id, id, ia, leaf->shift);

	if (entry != NULL) {
		// Walked again although held (a dirty-state update): a new dirty or access flag
		// leaves what was derived valid, anything else does not.
		uint64_t changed = (entry->desc ^ leaf->desc) & ~(DESC_AF | DESC_AP2);

		if (changed != 0 || entry->oa != leaf->oa ||
		    entry->table_perms != leaf->table_perms || entry->pas != (uint8_t)leaf->pas) {
			announce_entry(tlb, entry);
		}
		tlb->contexts[id].stamp = ++tlb->clock;
	} else {
		entry = array_insert(tlb, array, key, ia, leaf->shift);
	}
	entry->desc = leaf->desc;
	entry->oa = leaf->oa;
	entry->level = leaf->level;
	entry->table_perms = leaf->table_perms;
	entry->pas = (uint8_t)leaf->pas;
	entry->global = leaf->global;
	if (exec) {
		entry_mark_exec(tlb, entry);
	}
}

bool tlb_lookup_s1(struct mmu_tlb *tlb, const struct tlb_tags *tags, uint64_t va, bool exec,
                   struct leaf *leaf)
{
	struct tlb_entry *entry;
	unsigned c1;
	unsigned c2;

	if (!tlb_keeps(tlb) || tlb->s1.shifts == 0) {
		return false;
	}
	c1 = context_find(tlb, tags->asid_key);
	c2 = tags->global_key == tags->asid_key ? c1 : context_find(tlb, tags->global_key);
	if (c1 == CONTEXT_NONE && c2 == CONTEXT_NONE) {
		return false;
	}
	entry = array_find(tlb, &tlb->s1, c1, c2, (uint64_t)sext(va, 56));
	if (entry == NULL) {
		return false;
	}
	tlb->contexts[entry->context].stamp = ++tlb->clock;
	if (exec && !entry->exec) {
		entry_mark_exec(tlb, entry);
	}
	entry_to_leaf(entry, leaf);
	return true;
}

bool tlb_lookup_s2(struct mmu_tlb *tlb, uint64_t key, uint64_t ipa, bool exec, struct leaf *leaf)
{
	struct tlb_entry *entry;
	unsigned id;

	if (!tlb_keeps(tlb) || tlb->s2.shifts == 0) {
		return false;
	}
	id = context_find(tlb, key);
	if (id == CONTEXT_NONE) {
		return false;
	}
	entry = array_find(tlb, &tlb->s2, id, id, ipa);
	if (entry == NULL) {
		return false;
	}
	tlb->contexts[id].stamp = ++tlb->clock;
	if (exec && !entry->exec) {
		entry_mark_exec(tlb, entry);
	}
	entry_to_leaf(entry, leaf);
	return true;
}

void tlb_insert_s1(struct mmu_tlb *tlb, const struct tlb_tags *tags, uint64_t va, bool exec,
                   const struct leaf *leaf)
{
	if (tlb_keeps(tlb)) {
		leaf_insert(tlb, &tlb->s1, leaf->global ? tags->global_key : tags->asid_key,
		            (uint64_t)sext(va, 56), exec, leaf);
	}
}

void tlb_insert_s2(struct mmu_tlb *tlb, uint64_t key, uint64_t ipa, bool exec,
                   const struct leaf *leaf)
{
	if (tlb_keeps(tlb)) {
		leaf_insert(tlb, &tlb->s2, key, ipa, exec, leaf);
	}
}

bool tlb_walk_lookup(struct mmu_tlb *tlb, uint64_t key, uint64_t ia, unsigned granule,
                     int start_level, struct walk_point *point)
{
	unsigned id;

	if (!tlb_keeps(tlb) || tlb->walk.shifts == 0) {
		return false;
	}
	id = context_find(tlb, key);
	if (id == CONTEXT_NONE || tlb->contexts[id].walks == 0) {
		return false;
	}
	for (int level = 3; level > start_level; level--) {
		unsigned shift = level_shift(granule, level - 1);
		const struct tlb_entry *entry;

		if ((tlb->walk.shifts & BIT(shift)) == 0) {
			continue;
		}
		entry = array_find_at(tlb, &tlb->walk, id, id, ia, shift);
		if (entry != NULL && entry->level == level) {
			point->table = entry->oa;
			point->level = entry->level;
			point->table_perms = entry->table_perms;
			point->pas = (enum pas)entry->pas;
			return true;
		}
	}
	return false;
}

void tlb_walk_insert(struct mmu_tlb *tlb, uint64_t key, uint64_t ia, unsigned granule,
                     const struct walk_point *point)
{
	unsigned shift = level_shift(granule, point->level - 1);
	struct tlb_entry *entry;
	unsigned id;

	if (!tlb_keeps(tlb) || shift > 55) {
		return;
	}
	id = context_find(tlb, key);
	entry = id == CONTEXT_NONE ? NULL : array_find_at(tlb, &tlb->walk, id, id, ia, shift);
	if (entry == NULL) {
		entry = array_insert(tlb, &tlb->walk, key, ia, shift);
	}
	entry->oa = point->table;
	entry->desc = 0;
	entry->level = point->level;
	entry->table_perms = point->table_perms;
	entry->pas = (uint8_t)point->pas;
	entry->global = false;
}

// Invalidation.

// One message at work: which contexts it means, and what it has dropped.
struct invalidation {
	struct mmu_tlb *tlb;
	const struct mmu_tlbi *message;
	uint64_t mask, value; // contexts by key
	uint64_t global_mask, global_value; // and these
	uint64_t first, last; // addresses, inclusive
	unsigned announced;
	bool broad; // more was dropped than announced
	bool broad_exec;
};

static bool context_meant(const struct invalidation *inv, uint64_t key)
{
	return (key & inv->mask) == inv->value || (key & inv->global_mask) == inv->global_value;
}

static void invalidate_entry(struct invalidation *inv, struct tlb_array *array,
                             struct tlb_entry *entry)
{
	struct mmu_tlb *tlb = inv->tlb;
	const struct tlb_context *context = &tlb->contexts[entry->context];

	if (!entry_live(tlb, entry) || !context_meant(inv, context->key)) {
		return;
	}
	if (!array->walk) {
		// The TTL hint of the cruel machine: an entry of another level may stay (D8.14.5).
		if (tlb->mode == MMU_TLB_KEEP && (inv->message->ttl & 3) != 0 &&
		    entry->level != (int8_t)(inv->message->ttl & 3)) {
			return;
		}
		// All stage-2 drops of one message are one announcement.
		if ((context->key & KEY_STAGE2) == 0 && inv->announced < ANNOUNCE_MAX) {
			inv->announced++;
			announce_entry(tlb, entry);
		} else {
			inv->broad = true;
			inv->broad_exec |= entry->exec;
		}
	}
	entry_remove(tlb, array, entry);
}

// Every entry of the array whose range meets the message's.
static void invalidate_by_scan(struct invalidation *inv, struct tlb_array *array)
{
	for (size_t set = 0; set < array->set_count; set++) {
		for (size_t i = 0; i < set_size(array, set); i++) {
			struct tlb_entry *entry = set_entry(array, set, i);

			if (entry->gen != 0 && entry->tag >= inv->first >> entry->shift &&
			    entry->tag <= inv->last >> entry->shift) {
				invalidate_entry(inv, array, entry);
			}
		}
	}
}

static void invalidate_range(struct invalidation *inv, struct tlb_array *array)
{
	uint64_t probes = 0;
	uint64_t shifts;

	for (shifts = array->shifts; shifts != 0; shifts &= shifts - 1) {
		unsigned shift = ctz64(shifts);

		probes += (inv->last >> shift) - (inv->first >> shift) + 1;
		if (probes > array->set_count) {
			invalidate_by_scan(inv, array);
			return;
		}
	}
	for (shifts = array->shifts; shifts != 0; shifts &= shifts - 1) {
		unsigned shift = ctz64(shifts);

		for (uint64_t tag = inv->first >> shift; tag <= inv->last >> shift; tag++) {
			size_t set = array_set(array, tag, shift);

			for (size_t i = 0; i < set_size(array, set); i++) {
				struct tlb_entry *entry = set_entry(array, set, i);

				if (entry->gen != 0 && entry->tag == tag && entry->shift == shift) {
					invalidate_entry(inv, array, entry);
				}
			}
		}
	}
}

// Whole contexts at once, by their generations.
static void invalidate_contexts(struct invalidation *inv)
{
	struct mmu_tlb *tlb = inv->tlb;
	size_t kept = 0;

	for (size_t i = 0; i < tlb->active_count; i++) {
		struct tlb_context *context = &tlb->contexts[tlb->active[i]];

		if (context_meant(inv, context->key)) {
			inv->broad |= context->leaves != 0;
			inv->broad_exec |= context->leaves != 0 && context->exec;
			context_bump(tlb, context);
		}
		if (context->leaves == 0 && context->walks == 0) {
			context->listed = false;
		} else {
			tlb->active[kept++] = tlb->active[i];
		}
	}
	tlb->active_count = kept;
}

static void announce_broad(const struct invalidation *inv)
{
	const struct mmu_tlbi *message = inv->message;
	bool has_vmid = message->kind == MMU_REGIME_EL10;
	bool has_asid = has_vmid || message->kind == MMU_REGIME_EL20;
	struct mmu_tlb_drop drop = {.all_va = true, .kind = message->kind, .exec = inv->broad_exec};

	drop.secure = message->secure || message->kind == MMU_REGIME_EL3;
	drop.any_vmid = !has_vmid || !message->use_vmid || message->op == MMU_TLBI_ALL;
	drop.vmid = drop.any_vmid ? 0 : message->vmid;
	drop.any_asid = !has_asid || (message->op != MMU_TLBI_ASID && message->op != MMU_TLBI_VA);
	drop.asid = drop.any_asid ? 0 : message->asid;
	drop.global = message->op != MMU_TLBI_ASID;
	if (drop.global) {
		drop.any_asid = true;
	}
	announce(inv->tlb, &drop);
}

void mmu_tlb_invalidate(struct mmu_tlb *tlb, const struct mmu_tlbi *message)
{
	struct invalidation inv = {.tlb = tlb, .message = message};
	bool has_vmid = message->kind == MMU_REGIME_EL10;
	bool has_asid = has_vmid || message->kind == MMU_REGIME_EL20;
	uint64_t kind = (uint64_t)message->kind;

	inv.mask = KEY_USED | KEY_KIND | KEY_SECURE;
	inv.value = KEY_USED | kind |
	            (message->secure || message->kind == MMU_REGIME_EL3 ? KEY_SECURE : 0);
	if (has_vmid && message->use_vmid && message->op != MMU_TLBI_ALL) {
		inv.mask |= KEY_VMID;
		inv.value |= (uint64_t)message->vmid << KEY_VMID_SHIFT;
	}
	switch (message->op) {
	case MMU_TLBI_ALL:
	case MMU_TLBI_VMALLS12:
		break;
	case MMU_TLBI_IPA:
		inv.mask |= KEY_STAGE2 | KEY_IPA_NS;
		inv.value |= KEY_STAGE2 | (message->secure && message->ipa_ns ? KEY_IPA_NS : 0);
		break;
	default:
		inv.mask |= KEY_STAGE2;
		break;
	}
	inv.global_mask = inv.mask;
	inv.global_value = inv.value;
	if (has_asid && (message->op == MMU_TLBI_ASID || message->op == MMU_TLBI_VA)) {
		inv.mask |= KEY_ASID | KEY_GLOBAL;
		inv.value |= (uint64_t)message->asid << KEY_ASID_SHIFT;
		if (message->op == MMU_TLBI_ASID) {
			inv.global_mask = inv.mask;
			inv.global_value = inv.value;
		} else {
			inv.global_mask |= KEY_GLOBAL;
			inv.global_value |= KEY_GLOBAL;
		}
	}
	switch (message->op) {
	case MMU_TLBI_VA:
	case MMU_TLBI_VAA:
	case MMU_TLBI_IPA: {
		bool ipa = message->op == MMU_TLBI_IPA;
		struct tlb_array *array = ipa ? &tlb->s2 : &tlb->s1;

		inv.first = ipa ? message->start : (uint64_t)sext(message->start, 56);
		inv.last = inv.first + (message->end - message->start) - 1;
		if (message->end == message->start) {
			return;
		}
		if (message->end == 0 || inv.last < inv.first) {
			inv.last = UINT64_MAX;
		}
		invalidate_range(&inv, array);
		if (!message->last_level_only) {
			invalidate_range(&inv, &tlb->walk);
		}
		break;
	}
	default:
		invalidate_contexts(&inv);
		break;
	}
	if (inv.broad) {
		announce_broad(&inv);
	}
}

void mmu_tlb_flush(struct mmu_tlb *tlb)
{
	struct mmu_tlb_drop drop = {
	        .all = true, .all_va = true, .any_asid = true, .any_vmid = true, .global = true};

	for (size_t i = 0; i < tlb->active_count; i++) {
		struct tlb_context *context = &tlb->contexts[tlb->active[i]];

		drop.exec |= context->leaves != 0 && context->exec;
		context->listed = false;
		context_bump(tlb, context);
	}
	tlb->active_count = 0;
	array_clear(&tlb->s1);
	array_clear(&tlb->s2);
	array_clear(&tlb->walk);
	announce(tlb, &drop);
}

size_t mmu_tlb_count(const struct mmu_tlb *tlb)
{
	size_t count = 0;

	for (size_t i = 0; i < tlb->active_count; i++) {
		count += tlb->contexts[tlb->active[i]].leaves;
	}
	return count;
}
