// SPDX-License-Identifier: Apache-2.0
// The architectural TLB: stage-1 leaves, stage-2 leaves and table pointers (the walk cache), each
// in a set-associative array hashed by (address >> size, size, context). Entries belong to a
// context (regime, security, VMID, ASID or global, stage), which knows the sizes of its entries as
// a bitmap, so that a lookup or a TLBI by address probes one set per size. A context has a
// generation, and bumping it drops all its entries at once.
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "mmu/mmu_tlb_internal.h"

#define CONTEXT_WAYS 8
#define EXACT_MAX 2 // contexts that a message can name by their keys
#define CONTEXT_COUNT_SIZED 2048u
#define CONTEXT_COUNT_KEEP 32768u
#define KEEP_ENTRIES_MAX (UINT64_C(1) << 22)
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

struct bus *tlb_bus(struct mmu_tlb *tlb)
{
	return tlb->bus;
}

struct ram_window *tlb_windows(struct mmu_tlb *tlb)
{
	return tlb->windows;
}

bool tlb_keeps(const struct mmu_tlb *tlb)
{
	return tlb != NULL && tlb->mode != MMU_TLB_FORGET;
}

bool tlb_never_forgets(const struct mmu_tlb *tlb)
{
	return tlb != NULL && tlb->mode == MMU_TLB_KEEP;
}

static void array_init(struct tlb_array *array, size_t entries, bool keep)
{
	array->set_count = entries / WAYS;
	array->hash_shift = 64 - (unsigned)ctz64(array->set_count);
	array->entries = calloc(entries, sizeof(*array->entries));
	array->next = calloc(array->set_count, 1);
	CHECK(array->entries != NULL && array->next != NULL);
	array->extra = NULL;
	if (keep) {
		array->extra = calloc(array->set_count, sizeof(*array->extra));
		CHECK(array->extra != NULL);
	}
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
	const struct tlb_context *context = entry_context(tlb, entry);
	struct mmu_tlb_drop drop = drop_of_context(context);

	drop.exec = entry->exec;
	if ((context->key & KEY_STAGE2) == 0) {
		unsigned shift = owner_shift(entry->owner);

		drop.all_va = false;
		drop.va = entry->tag << shift;
		drop.shift = (uint8_t)shift;
	}
	announce(tlb, &drop);
}

// Contexts.

static size_t context_set(const struct mmu_tlb *tlb, uint64_t key)
{
	uint64_t hash = key * UINT64_C(0x9e3779b97f4a7c15);

	return (size_t)(hash >> 40) & (tlb->context_sets - 1);
}

unsigned tlb_context_find(struct mmu_tlb *tlb, uint64_t key)
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
	array->count = 0;
}

// Forget an entry; its context's count is the caller's business.
static void entry_free(struct tlb_array *array, struct tlb_entry *entry)
{
	entry->owner = 0;
	array->count--;
}

static void array_forget_context(struct tlb_array *array, unsigned id)
{
	for (size_t set = 0; set < array->set_count; set++) {
		for (size_t i = 0; i < set_size(array, set); i++) {
			struct tlb_entry *entry = set_entry(array, set, i);

			if (entry->owner != 0 && owner_context(entry->owner) == id) {
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
	context->leaf_shifts = 0;
	context->walk_shifts = 0;
	context->exec = false;
	tlb->walk_changes++;
	context->owner += BIT(OWNER_GEN_SHIFT);
	if (unlikely(context->owner >> OWNER_GEN_SHIFT == 0)) {
		// Generations are used up: old entries could come alive again, so they are erased
		// by hand.
		struct tlb_array *arrays[3] = {&tlb->s1, &tlb->s2, &tlb->walk};
		unsigned id = (unsigned)(context - tlb->contexts);

		for (size_t a = 0; a < 3; a++) {
			array_forget_context(arrays[a], id);
		}
		context->owner += BIT(OWNER_GEN_SHIFT);
	}
}

static unsigned context_make(struct mmu_tlb *tlb, struct tlb_tag *tag)
{
	uint64_t key = tag->key;
	unsigned id = tag_find(tlb, tag);
	struct tlb_context *context;

	if (unlikely(id == CONTEXT_NONE)) {
		size_t first = context_set(tlb, key) * CONTEXT_WAYS;

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
		context->owner = (context->owner & ~MASK(31, 0)) | (uint64_t)id
									   << OWNER_CONTEXT_SHIFT;
		tag->id = (uint16_t)id;
	}
	context = &tlb->contexts[id];
	context->stamp = ++tlb->clock;
	if (!context->listed) {
		context->listed = true;
		tlb->active[tlb->active_count++] = (uint16_t)id;
	}
	return id;
}

void tlb_tags_s1(const struct mmu_regime *regime, struct tlb_tag *by_asid, struct tlb_tag *global)
{
	uint64_t key = KEY_USED | (uint64_t)regime->kind | (regime_secure(regime) ? KEY_SECURE : 0);

	key |= (uint64_t)mmu_regime_vmid(regime) << KEY_VMID_SHIFT;
	by_asid->key = key | (uint64_t)mmu_regime_asid(regime) << KEY_ASID_SHIFT;
	// Regimes without ASIDs have one context.
	global->key = regime_two_ranges(regime) ? key | KEY_GLOBAL : by_asid->key;
	by_asid->id = global->id = 0;
}

void tlb_tag_s2(const struct mmu_regime *regime, enum pas ipa_pas, struct tlb_tag *tag)
{
	tag->key = KEY_USED | MMU_REGIME_EL10 | (regime->secure ? KEY_SECURE : 0) | KEY_STAGE2 |
		   (regime->secure && ipa_pas == PAS_NONSECURE ? KEY_IPA_NS : 0) |
		   (uint64_t)mmu_regime_vmid(regime) << KEY_VMID_SHIFT;
	tag->id = 0;
}

// Arrays.

// Take a live entry out of its context's count, and free it.
static void entry_remove(struct mmu_tlb *tlb, struct tlb_array *array, struct tlb_entry *entry)
{
	struct tlb_context *context = entry_context(tlb, entry);

	if (array->walk) {
		context->walks--;
		tlb->walk_changes++;
	} else {
		context->leaves--;
	}
	entry_free(array, entry);
}

struct tlb_entry *tlb_extra_find(const struct tlb_array *array, size_t set, uint64_t tag,
				 uint64_t owner)
{
	for (size_t i = WAYS; i < set_size(array, set); i++) {
		struct tlb_entry *entry = set_entry(array, set, i);

		if (entry->tag == tag && entry->owner == owner) {
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
			set = array_set(array, from->tag, from->owner);
			for (size_t way = 0; way < WAYS && to == NULL; way++) {
				if (set_entry(array, set, way)->owner == 0) {
					to = set_entry(array, set, way);
				}
			}
			if (to == NULL) {
				to = set_extend(array, set);
			}
			*to = *from;
			array->count++;
		}
	}
	array_done(&old);
}

// A free place in the set: free, stale, or by eviction (announced for leaves).
static struct tlb_entry *array_place(struct mmu_tlb *tlb, struct tlb_array *array, uint64_t tag,
				     uint64_t owner)
{
	struct tlb_entry *entry;
	size_t set;

	if (array->extra != NULL && array->count >= array->set_count * WAYS &&
	    array->set_count * WAYS < KEEP_ENTRIES_MAX) {
		array_grow(tlb, array);
	}
	set = array_set(array, tag, owner);
	for (size_t i = 0; i < set_size(array, set); i++) {
		entry = set_entry(array, set, i);
		if (entry->owner == 0) {
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

struct tlb_entry *tlb_array_insert(struct mmu_tlb *tlb, struct tlb_array *array,
				   struct tlb_tag *whose, uint64_t ia, unsigned shift)
{
	unsigned id = context_make(tlb, whose);
	struct tlb_context *context = &tlb->contexts[id];
	uint64_t owner = owner_make(tlb, id, shift);
	struct tlb_entry *entry = array_place(tlb, array, ia >> shift, owner);

	entry->tag = ia >> shift;
	entry->owner = owner;
	entry->exec = false;
	array->count++;
	if (array->walk) {
		context->walks++;
		context->walk_shifts |= BIT(shift);
	} else {
		context->leaves++;
		context->leaf_shifts |= BIT(shift);
	}
	return entry;
}

static void entry_to_leaf(const struct tlb_entry *entry, struct leaf *leaf)
{
	leaf->desc = entry->desc;
	leaf->oa = entry->oa;
	leaf->shift = (uint8_t)owner_shift(entry->owner);
	leaf->level = entry->level;
	leaf->table_perms = entry->table_perms;
	leaf->pas = (enum pas)entry->pas;
	leaf->global = entry->global;
}

void tlb_mark_exec(struct mmu_tlb *tlb, struct tlb_entry *entry)
{
	entry->exec = true;
	entry_context(tlb, entry)->exec = true;
}

static void leaf_insert(struct mmu_tlb *tlb, struct tlb_array *array, struct tlb_tag *tag,
			uint64_t ia, bool exec, const struct leaf *leaf)
{
	unsigned id = tag_find(tlb, tag);
	struct tlb_entry *entry = NULL;

	if (id != CONTEXT_NONE && (tlb->contexts[id].leaf_shifts & BIT(leaf->shift)) != 0) {
		entry = array_find_at(array, owner_make(tlb, id, leaf->shift), ia >> leaf->shift);
	}
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
		entry = tlb_array_insert(tlb, array, tag, ia, leaf->shift);
	}
	entry->desc = leaf->desc;
	entry->oa = leaf->oa;
	entry->level = leaf->level;
	entry->table_perms = leaf->table_perms;
	entry->pas = (uint8_t)leaf->pas;
	entry->global = leaf->global;
	if (exec) {
		tlb_mark_exec(tlb, entry);
	}
}

static bool leaf_found(struct mmu_tlb *tlb, struct tlb_entry *entry, bool exec, struct leaf *leaf)
{
	entry_context(tlb, entry)->stamp = ++tlb->clock;
	if (exec && !entry->exec) {
		tlb_mark_exec(tlb, entry);
	}
	entry_to_leaf(entry, leaf);
	return true;
}

bool tlb_lookup_s1(struct mmu_tlb *tlb, struct tlb_tag *by_asid, struct tlb_tag *global,
		   uint64_t va, bool exec, struct leaf *leaf)
{
	uint64_t ia = (uint64_t)sext(va, 56);
	struct tlb_entry *entry;
	unsigned id;

	if (!tlb_keeps(tlb)) {
		return false;
	}
	id = tag_find(tlb, by_asid);
	if (id != CONTEXT_NONE) {
		entry = array_find(tlb, &tlb->s1, id, ia);
		if (entry != NULL) {
			return leaf_found(tlb, entry, exec, leaf);
		}
	}
	if (global->key == by_asid->key) {
		return false;
	}
	id = tag_find(tlb, global);
	entry = id == CONTEXT_NONE ? NULL : array_find(tlb, &tlb->s1, id, ia);
	return entry != NULL && leaf_found(tlb, entry, exec, leaf);
}

bool tlb_lookup_s2(struct mmu_tlb *tlb, struct tlb_tag *tag, uint64_t ipa, bool exec,
		   struct leaf *leaf)
{
	struct tlb_entry *entry;
	unsigned id;

	if (!tlb_keeps(tlb)) {
		return false;
	}
	id = tag_find(tlb, tag);
	entry = id == CONTEXT_NONE ? NULL : array_find(tlb, &tlb->s2, id, ipa);
	return entry != NULL && leaf_found(tlb, entry, exec, leaf);
}

bool tlb_s2_ref(struct mmu_tlb *tlb, struct tlb_tag *tag, uint64_t ipa, struct s2_ref *ref)
{
	unsigned id = tag_find(tlb, tag);
	const struct tlb_entry *entry;

	if (tlb->mode != MMU_TLB_SIZED || id == CONTEXT_NONE) {
		return false;
	}
	entry = array_find(tlb, &tlb->s2, id, ipa);
	if (entry == NULL) {
		return false;
	}
	*ref = (struct s2_ref){entry, entry->tag, entry->owner, entry->oa, entry->desc};
	return true;
}

void tlb_insert_s1(struct mmu_tlb *tlb, struct tlb_tag *tag, uint64_t va, bool exec,
		   const struct leaf *leaf)
{
	if (tlb_keeps(tlb)) {
		leaf_insert(tlb, &tlb->s1, tag, (uint64_t)sext(va, 56), exec, leaf);
	}
}

void tlb_insert_s2(struct mmu_tlb *tlb, struct tlb_tag *tag, uint64_t ipa, bool exec,
		   const struct leaf *leaf)
{
	if (tlb_keeps(tlb)) {
		leaf_insert(tlb, &tlb->s2, tag, ipa, exec, leaf);
	}
}

bool tlb_walk_lookup(struct mmu_tlb *tlb, struct tlb_tag *tag, uint64_t ia, unsigned granule,
		     int start_level, struct walk_point *point)
{
	unsigned shift = 2 * granule - 3;
	unsigned id;

	if (!tlb_keeps(tlb)) {
		return false;
	}
	id = tag_find(tlb, tag);
	if (id == CONTEXT_NONE || tlb->contexts[id].walks == 0) {
		return false;
	}
	for (int level = 3; level > start_level; level--, shift += granule - 3) {
		const struct tlb_entry *entry;

		if ((tlb->contexts[id].walk_shifts & BIT(shift)) == 0) {
			continue;
		}
		entry = array_find_at(&tlb->walk, owner_make(tlb, id, shift), ia >> shift);
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

void tlb_walk_insert(struct mmu_tlb *tlb, struct tlb_tag *tag, uint64_t ia, unsigned granule,
		     const struct walk_point *point)
{
	unsigned shift = level_shift(granule, point->level - 1);
	struct tlb_entry *entry = NULL;
	unsigned id;

	if (!tlb_keeps(tlb) || shift > 55) {
		return;
	}
	id = tag_find(tlb, tag);
	if (id != CONTEXT_NONE && (tlb->contexts[id].walk_shifts & BIT(shift)) != 0) {
		entry = array_find_at(&tlb->walk, owner_make(tlb, id, shift), ia >> shift);
	}
	if (entry == NULL) {
		entry = tlb_array_insert(tlb, &tlb->walk, tag, ia, shift);
	} else {
		tlb->walk_changes++;
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
	uint64_t exact[EXACT_MAX]; // the keys that are meant, where the message names all of them
	unsigned exact_count; // 0: look at every context
	unsigned announced;
	bool broad; // more was dropped than announced
	bool broad_exec;
};

static bool context_meant(const struct invalidation *inv, uint64_t key)
{
	return (key & inv->mask) == inv->value || (key & inv->global_mask) == inv->global_value;
}

// A live entry of a context that is meant.
static void invalidate_entry(struct invalidation *inv, struct tlb_array *array,
			     struct tlb_entry *entry)
{
	struct mmu_tlb *tlb = inv->tlb;

	if (!array->walk) {
		// The TTL hint of the cruel machine: an entry of another level may stay (D8.14.5).
		if (tlb->mode == MMU_TLB_KEEP && (inv->message->ttl & 3) != 0 &&
		    entry->level != (int8_t)(inv->message->ttl & 3)) {
			return;
		}
		// All stage-2 drops of one message are one announcement.
		if (array != &tlb->s2 && inv->announced < ANNOUNCE_MAX) {
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
			unsigned shift = owner_shift(entry->owner);

			if (entry_live(inv->tlb, entry) && entry->tag >= inv->first >> shift &&
			    entry->tag <= inv->last >> shift &&
			    context_meant(inv, entry_context(inv->tlb, entry)->key)) {
				invalidate_entry(inv, array, entry);
			}
		}
	}
}

// The range in one context. False: it is large, a scan finds it faster.
static inline __attribute__((always_inline)) bool
invalidate_in_context(struct invalidation *inv, struct tlb_array *array,
		      const struct tlb_context *context)
{
	uint64_t shifts = array->walk ? context->walk_shifts : context->leaf_shifts;

	if ((array->walk ? context->walks : context->leaves) == 0) {
		return true;
	}
	for (; shifts != 0; shifts &= shifts - 1) {
		unsigned shift = (unsigned)__builtin_ctzll(shifts);
		uint64_t owner = context->owner | (uint64_t)shift << OWNER_SHIFT_SHIFT;
		uint64_t last = inv->last >> shift;
		uint64_t tag = inv->first >> shift;

		if (unlikely(last - tag > array->set_count)) {
			return false;
		}
		do {
			struct tlb_entry *entry = array_find_at(array, owner, tag);

			if (entry != NULL) {
				invalidate_entry(inv, array, entry);
			}
		} while (unlikely(tag++ != last));
	}
	return true;
}

// The range in the leaves of one stage and, where they are meant, in the table pointers.
static void invalidate_range(struct invalidation *inv, struct tlb_array *leaves)
{
	struct mmu_tlb *tlb = inv->tlb;
	bool walks = !inv->message->last_level_only;
	bool in_leaves = true;
	bool in_walks = true;

	if (inv->exact_count != 0) {
		for (unsigned i = 0; i < inv->exact_count; i++) {
			unsigned id = tlb_context_find(tlb, inv->exact[i]);

			if (id != CONTEXT_NONE) {
				in_leaves =
					invalidate_in_context(inv, leaves, &tlb->contexts[id]) &&
					in_leaves;
				in_walks = (!walks || invalidate_in_context(inv, &tlb->walk,
									    &tlb->contexts[id])) &&
					   in_walks;
			}
		}
	} else {
		for (size_t i = 0; i < tlb->active_count; i++) {
			const struct tlb_context *context = &tlb->contexts[tlb->active[i]];

			if (context_meant(inv, context->key)) {
				in_leaves =
					invalidate_in_context(inv, leaves, context) && in_leaves;
				in_walks = (!walks ||
					    invalidate_in_context(inv, &tlb->walk, context)) &&
					   in_walks;
			}
		}
	}
	if (unlikely(!in_leaves)) {
		invalidate_by_scan(inv, leaves);
	}
	if (unlikely(!in_walks)) {
		invalidate_by_scan(inv, &tlb->walk);
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

// Which contexts the message means, as masks over their keys, and as keys where it names them.
static inline void invalidation_scope(struct invalidation *inv)
{
	const struct mmu_tlbi *message = inv->message;
	bool has_vmid = message->kind == MMU_REGIME_EL10;
	bool has_asid = has_vmid || message->kind == MMU_REGIME_EL20;
	bool by_vmid = has_vmid && message->use_vmid && message->op != MMU_TLBI_ALL;

	inv->mask = KEY_USED | KEY_KIND | KEY_SECURE;
	inv->value = KEY_USED | (uint64_t)message->kind |
		     (message->secure || message->kind == MMU_REGIME_EL3 ? KEY_SECURE : 0);
	if (by_vmid) {
		inv->mask |= KEY_VMID;
		inv->value |= (uint64_t)message->vmid << KEY_VMID_SHIFT;
	}
	switch (message->op) {
	case MMU_TLBI_ALL:
	case MMU_TLBI_VMALLS12:
		break;
	case MMU_TLBI_IPA:
		inv->mask |= KEY_STAGE2 | KEY_IPA_NS;
		inv->value |= KEY_STAGE2 | (message->secure && message->ipa_ns ? KEY_IPA_NS : 0);
		break;
	default:
		inv->mask |= KEY_STAGE2;
		break;
	}
	inv->global_mask = inv->mask;
	inv->global_value = inv->value;
	if (has_asid && (message->op == MMU_TLBI_ASID || message->op == MMU_TLBI_VA)) {
		inv->mask |= KEY_ASID | KEY_GLOBAL;
		inv->value |= (uint64_t)message->asid << KEY_ASID_SHIFT;
		if (message->op == MMU_TLBI_ASID) {
			inv->global_mask = inv->mask;
			inv->global_value = inv->value;
		} else {
			inv->global_mask |= KEY_GLOBAL;
			inv->global_value |= KEY_GLOBAL;
		}
	}
	if (has_vmid && !by_vmid) {
		return;
	}
	if (message->op == MMU_TLBI_IPA || !has_asid) {
		inv->exact[inv->exact_count++] = inv->value;
	} else if (message->op == MMU_TLBI_VA) {
		inv->exact[inv->exact_count++] = inv->value;
		inv->exact[inv->exact_count++] = inv->global_value;
	}
}

void mmu_tlb_invalidate(struct mmu_tlb *tlb, const struct mmu_tlbi *message)
{
	struct invalidation inv = {.tlb = tlb, .message = message};
	bool ipa = message->op == MMU_TLBI_IPA;

	invalidation_scope(&inv);
	switch (message->op) {
	case MMU_TLBI_VA:
	case MMU_TLBI_VAA:
	case MMU_TLBI_IPA:
		inv.first = ipa ? message->start : (uint64_t)sext(message->start, 56);
		inv.last = inv.first + (message->end - message->start) - 1;
		if (message->end == message->start) {
			return;
		}
		if (message->end == 0 || inv.last < inv.first) {
			inv.last = UINT64_MAX;
		}
		invalidate_range(&inv, ipa ? &tlb->s2 : &tlb->s1);
		break;
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
