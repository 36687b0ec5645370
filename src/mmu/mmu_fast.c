// SPDX-License-Identifier: Apache-2.0
// mmu_view_translate, and its short way: Non-secure, 4K granule, tables in little-endian RAM, no
// hardware update to be made, a plain access that succeeds or meets an invalid descriptor. It does
// what mmu_translate.c and mmu_walk.c do, in one piece; for anything else it stands back, and the
// long way does the whole translation.
#include <string.h>

#include "mmu/mmu_tlb_internal.h"

// AArch64.S1DirectBasePermissions as RIGHT_*.
static inline unsigned direct_rights(const struct mmu_view *view, const struct mmu_access *access,
				     uint64_t desc, unsigned table_perms)
{
	static const uint8_t data[2][4] = {{RIGHT_READ | RIGHT_WRITE, RIGHT_READ | RIGHT_WRITE,
					    RIGHT_READ, RIGHT_READ},
					   {0, RIGHT_READ | RIGHT_WRITE, 0, RIGHT_READ}};
	unsigned ap = (unsigned)(desc >> 6) & 3; // bit 0: EL0 too; bit 1: read-only
	bool ux = (desc & DESC_UXN) == 0 && (table_perms & TABLE_UXN) == 0;
	bool el0 = false;
	unsigned rights;
	bool clean = false;
	bool x;

	if (view->hd && (desc & (DESC_DBM | DESC_AP2)) == (DESC_DBM | DESC_AP2)) {
		// Writable, after an update of the descriptor.
		clean = true;
		ap &= ~2u;
	}
	if ((table_perms & TABLE_READ_ONLY) != 0) {
		ap |= 2;
	}
	if (view->two_ranges) {
		if ((table_perms & TABLE_NO_EL0) != 0) {
			ap &= ~1u;
		}
		el0 = access->el0;
		// What EL0 can write is never executable above it.
		x = el0 ? ux : (desc & DESC_PXN) == 0 && (table_perms & TABLE_PXN) == 0 && ap != 1;
	} else {
		x = (desc & DESC_UXN) == 0 && (table_perms & TABLE_PXN) == 0;
	}
	rights = data[el0][ap];
	if (access->pan && view->pan && !el0 && ((ap & 1) != 0 || (view->epan && ux))) {
		rights = 0;
	}
	if (unlikely(view->wxn) && (rights & RIGHT_WRITE) != 0) {
		x = false;
	}
	if (unlikely(clean)) {
		rights &= ~(unsigned)RIGHT_WRITE;
	}
	return rights | (x ? RIGHT_FETCH : 0);
}

// Where indirect permissions or overlays are on. What would need an update of dirty state is not
// allowed.
static __attribute__((noinline)) unsigned indexed_rights(const struct walker *w, uint64_t desc,
							 unsigned table_perms)
{
	struct leaf leaf = {.desc = desc,
			    .table_perms = (uint8_t)table_perms,
			    .pas = PAS_NONSECURE};
	struct s1_rights rights;

	s1_rights(w, view_s1(w->view, bit(w->access->va.v, 55)), &leaf, &rights);
	return rights.base & rights.overlay &
	       ((desc & DESC_AP2) != 0 ? ~(unsigned)RIGHT_WRITE : RIGHTS_ALL);
}

static inline unsigned fast_rights(const struct walker *w, uint64_t desc, unsigned table_perms)
{
	return unlikely(w->view->indexed) ? indexed_rights(w, desc, table_perms)
					  : direct_rights(w->view, w->access, desc, table_perms);
}

// One descriptor of a stage-1 table. False: not by this way.
static inline bool fast_descriptor(struct walker *w, uint64_t ipa, int level, uint64_t *desc)
{
	if (w->view->s2_on) {
		struct table_hint *hint = &w->view->hints[table_hint_index(ipa)];

		if (hint->page != table_hint_page(ipa, PAS_NONSECURE) ||
		    !tlb_s2_ref_holds(w->tlb, &hint->ref)) {
			struct walk_point point = {.level = (int8_t)level, .pas = PAS_NONSECURE};
			struct s1_place place = {.desc_ipa = ipa, .desc_ipa_pas = PAS_NONSECURE};

			return s1_descriptor_by_s2(w, view_s1(w->view, bit(w->access->va.v, 55)),
						   &point, &place, desc, hint);
		}
		memcpy(desc, hint->host + (ipa & PAGE_MASK), sizeof(*desc));
	} else {
		const struct ram_window *window = &w->windows[PAS_NONSECURE];

		if (ipa - window->base >= window->size) {
			return false;
		}
		memcpy(desc, window->host + (ipa - window->base), sizeof(*desc));
	}
	if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) {
		*desc = __builtin_bswap64(*desc);
	}
	return true;
}

static inline uint64_t va_region(uint64_t va)
{
	return (uint64_t)((int64_t)(va << 8) >> 29);
}

static inline bool walk_hint_holds(const struct mmu_tlb *tlb, const struct walk_hint *hint,
				   uint64_t va)
{
	return hint->region == va_region(va) && hint->walk_changes == tlb->walk_changes &&
	       tlb_s2_ref_holds(tlb, &hint->ref);
}

// Remember the last-level table of this 2 MiB, for as long as the TLB has the pointer to it.
static inline void walk_hint_set(struct walker *w, struct walk_hint *hint, uint64_t region,
				 uint64_t table, unsigned table_perms)
{
	const uint8_t *host = NULL;

	hint->ref.entry = NULL;
	if (w->view->s2_on) {
		const struct table_hint *known = &w->view->hints[table_hint_index(table)];

		if (known->page == table_hint_page(table, PAS_NONSECURE) &&
		    tlb_s2_ref_holds(w->tlb, &known->ref)) {
			host = known->host;
			hint->ref = known->ref;
		}
	} else if (table - w->windows[PAS_NONSECURE].base < w->windows[PAS_NONSECURE].size) {
		host = w->windows[PAS_NONSECURE].host + (table - w->windows[PAS_NONSECURE].base);
	}
	if (host != NULL) {
		hint->region = region;
		hint->walk_changes = w->tlb->walk_changes;
		hint->host = host;
		hint->table_perms = (uint8_t)table_perms;
	} else {
		hint->walk_changes = UINT64_MAX;
	}
}

// A leaf as far as a plain translation has to know it.
struct fast_leaf {
	uint64_t desc;
	uint64_t oa;
	unsigned shift;
	int level;
	unsigned table_perms;
};

// What came of the short way; FAST_NO: nothing was done that may not be done twice.
enum fast { FAST_NO, FAST_DONE, FAST_FAULT };

static void fast_fault_begin(struct walker *w)
{
	memset(w->fault, 0, sizeof(*w->fault));
	w->fault->write = w->access->type == MMU_WRITE;
}

static enum fast fast_fault_s1(struct walker *w, int level)
{
	fast_fault_begin(w);
	w->fault->type = MMU_FAULT_TRANSLATION;
	w->fault->level = (int8_t)level;
	return FAST_FAULT;
}

// AArch64.S1Walk.
static inline enum fast fast_walk(struct walker *w, const struct fast_range *range, uint64_t va,
				  struct walk_hint *hint, bool hinted, struct fast_leaf *leaf)
{
	struct mmu_view *view = w->view;
	struct mmu_tlb *tlb = w->tlb;
	uint64_t region = va_region(va);
	uint64_t desc;
	uint64_t limit = MASK(47, 12);

	leaf->level = 3;
	if (hinted) {
		memcpy(&desc, hint->host + (va >> 9 & 0xff8), sizeof(desc));
		if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) {
			desc = __builtin_bswap64(desc);
		}
		leaf->table_perms = hint->table_perms;
		if ((desc & 3) != 3) {
			return fast_fault_s1(w, 3);
		}
	} else {
		struct walk_point point = {.table = range->table,
					   .level = range->start_level,
					   .pas = PAS_NONSECURE};
		unsigned top = range->ia_bits;
		unsigned lsb;
		int first;

		if (tlb_walk_lookup(tlb, &view->by_asid, (uint64_t)sext(va, 56), 12,
				    range->start_level, &point)) {
			top = 12 + 9 * (unsigned)(4 - point.level);
		}
		first = point.level;
		for (;;) {
			uint64_t place;

			lsb = 12 + 9 * (unsigned)(3 - point.level);
			place = point.table | zext(va >> lsb, top - lsb) << 3;
			if (place >> range->oa_bits != 0 ||
			    !fast_descriptor(w, place, point.level, &desc)) {
				return FAST_NO;
			}
			if ((desc & DESC_VALID) == 0 || point.level == 3 ||
			    (desc & DESC_TABLE) == 0) {
				break;
			}
			if (unlikely(desc >> 59 != 0)) {
				point.table_perms |=
					s1_table_perms(view_s1(view, bit(va, 55)), desc);
			}
			point.table = desc & limit;
			point.level++;
			top = lsb;
		}
		if (point.level != first) {
			tlb_walk_insert(tlb, &view->by_asid, (uint64_t)sext(va, 56), 12, &point);
		}
		if (point.level == 3) {
			walk_hint_set(w, hint, region, point.table, point.table_perms);
		}
		if ((desc & DESC_VALID) == 0 ||
		    (point.level == 3 ? (desc & DESC_TABLE) == 0 : point.level < 1)) {
			return fast_fault_s1(w, point.level);
		}
		leaf->level = point.level;
		leaf->table_perms = point.table_perms;
	}
	leaf->shift = 12 + 9 * (unsigned)(3 - leaf->level);
	if (unlikely((desc & DESC_CONTIGUOUS) != 0)) {
		leaf->shift += 4;
	}
	leaf->desc = desc;
	leaf->oa = desc & limit & ~(BIT(leaf->shift) - 1);
	return (leaf->oa | (va & (BIT(leaf->shift) - 1))) >> range->oa_bits == 0 &&
			       (desc & DESC_AF) != 0
		       ? FAST_DONE
		       : FAST_NO;
}

// sizes: of the entries to look for.
static inline struct tlb_entry *fast_lookup(struct walker *w, uint64_t ia, uint64_t sizes)
{
	struct mmu_tlb *tlb = w->tlb;
	struct mmu_view *view = w->view;
	unsigned id = tag_find(tlb, &view->by_asid);
	struct tlb_entry *entry = NULL;

	if (id != CONTEXT_NONE) {
		entry = array_find_sizes(tlb, &tlb->s1, id, ia, sizes);
	}
	if (entry == NULL && view->two_ranges) {
		id = tag_find(tlb, &view->global);
		if (id != CONTEXT_NONE) {
			entry = array_find_sizes(tlb, &tlb->s1, id, ia, sizes);
		}
	}
	return entry;
}

// A place for what the TLB does not hold: free or stale, or as the TLB finds one.
static inline struct tlb_entry *fast_place(struct mmu_tlb *tlb, struct tlb_tag *tag, uint64_t ia,
					   unsigned shift)
{
	unsigned id = tag_find(tlb, tag);
	struct tlb_array *array = &tlb->s1;
	struct tlb_context *context;
	struct tlb_entry *entry;
	uint64_t owner;

	if (id == CONTEXT_NONE || !tlb->contexts[id].listed) {
		return tlb_array_insert(tlb, array, tag, ia, shift);
	}
	context = &tlb->contexts[id];
	owner = context->owner | (uint64_t)shift << OWNER_SHIFT_SHIFT;
	entry = &array->entries[array_set(array, ia >> shift, owner) * WAYS];
	for (unsigned i = 0; i < WAYS; i++, entry++) {
		if (!entry_live(tlb, entry)) {
			array->count += entry->owner == 0;
			entry->tag = ia >> shift;
			entry->owner = owner;
			entry->exec = false;
			context->stamp = ++tlb->clock;
			context->leaves++;
			context->leaf_shifts |= BIT(shift);
			return entry;
		}
	}
	return tlb_array_insert(tlb, array, tag, ia, shift);
}

static inline void fast_insert(struct walker *w, uint64_t ia, bool fetch, bool global,
			       const struct fast_leaf *leaf)
{
	struct mmu_view *view = w->view;
	struct tlb_entry *entry =
		fast_place(w->tlb, global ? &view->global : &view->by_asid, ia, leaf->shift);

	entry->desc = leaf->desc;
	entry->oa = leaf->oa;
	entry->level = (int8_t)leaf->level;
	entry->table_perms = (uint8_t)leaf->table_perms;
	entry->pas = PAS_NONSECURE;
	entry->global = global;
	if (fetch) {
		tlb_mark_exec(w->tlb, entry);
	}
}

// Stage 2 of the access itself.
static inline enum fast fast_stage2(struct walker *w, uint64_t ipa, uint32_t attr_key,
				    unsigned rights, struct mmu_result *result)
{
	const struct mmu_access *access = w->access;
	bool fetch = access->type == MMU_EXEC;
	struct s2_access s2_access = {.read = access->type == MMU_READ,
				      .write = access->type == MMU_WRITE,
				      .fetch = fetch,
				      .el0 = access->el0};
	struct s2_output s2;

	fast_fault_begin(w);
	if (!s2_translate(w, ipa, PAS_NONSECURE, &s2_access, &s2)) {
		return FAST_FAULT;
	}
	if (!s2.held) {
		return FAST_NO;
	}
	report_attrs(w, attr_key, &s2, result);
	result->pa = pa_make(s2.pa);
	result->pas = s2.leaf.pas;
	result->has_stage2 = true;
	result->readable = (rights & RIGHT_READ) != 0 && s2.readable;
	result->writable = (rights & RIGHT_WRITE) != 0 && s2.writable;
	result->executable = (rights & RIGHT_FETCH) != 0 && (access->el0 ? s2.ux : s2.px);
	if (s2.leaf.shift < result->page_shift) {
		result->page_shift = s2.leaf.shift;
	}
	result->ns = result->pas == PAS_NONSECURE;
	return FAST_DONE;
}

static inline __attribute__((always_inline)) enum fast fast_translate(struct walker *w,
								      struct mmu_result *result)
{
	static const uint8_t needs[3] = {
		[MMU_READ] = RIGHT_READ, [MMU_WRITE] = RIGHT_WRITE, [MMU_EXEC] = RIGHT_FETCH};
	const struct mmu_access *access = w->access;
	struct mmu_view *view = w->view;
	struct mmu_tlb *tlb = w->tlb;
	uint64_t va = access->va.v;
	uint64_t ia = (uint64_t)sext(va, 56);
	const struct fast_range *range;
	bool upper;
	bool fetch = access->type == MMU_EXEC;
	struct walk_hint *hint;
	struct tlb_entry *entry;
	struct fast_leaf leaf;
	bool hinted;
	bool global;
	unsigned rights;
	uint32_t attr_key;

	if (unlikely(view->ready == 0)) {
		view_prepare(view);
	}
	upper = view->two_ranges && bit(va, 55);
	range = &view->fast[upper];
	if (unlikely((view->ready & (upper ? VIEW_RANGE1 : VIEW_RANGE0)) == 0)) {
		(void)view_s1(view, upper);
	}
	if (!range->ok || tlb->mode != MMU_TLB_SIZED ||
	    (access->atomic | access->cache_op | access->at | access->s1_only |
	     access->misaligned) ||
	    ((va ^ range->fill) & range->outside[fetch]) != 0) {
		return FAST_NO;
	}
	// Where the TLB has a last-level table, it got no block since.
	hint = &view->walks[va_region(va) & (WALK_HINTS - 1)];
	hinted = walk_hint_holds(tlb, hint, va);
	entry = fast_lookup(w, ia, hinted ? BIT(12) | BIT(16) : ~UINT64_C(0));
	if (entry != NULL) {
		leaf.desc = entry->desc;
		leaf.oa = entry->oa;
		leaf.shift = owner_shift(entry->owner);
		global = entry->global;
		rights = fast_rights(w, leaf.desc, entry->table_perms);
		if ((rights & needs[access->type]) == 0 || entry->pas != PAS_NONSECURE ||
		    leaf.oa >> range->oa_bits != 0) {
			return FAST_NO;
		}
		entry_context(tlb, entry)->stamp = ++tlb->clock;
		if (fetch && !entry->exec) {
			tlb_mark_exec(tlb, entry);
		}
	} else {
		enum fast walked = fast_walk(w, range, va, hint, hinted, &leaf);

		if (walked != FAST_DONE) {
			return walked;
		}
		rights = fast_rights(w, leaf.desc, leaf.table_perms);
		if ((rights & needs[access->type]) == 0) {
			return FAST_NO;
		}
		global = !view->two_ranges || (leaf.desc & DESC_NG) == 0;
		fast_insert(w, ia, fetch, global, &leaf);
	}
	leaf.oa |= va & (BIT(leaf.shift) - 1);
	attr_key = (uint32_t)(bits(leaf.desc, 4, 2) | bits(leaf.desc, 9, 8) << ATTR_SH_SHIFT);
	result->ipa = ipa_make(leaf.oa);
	result->page_shift = (uint8_t)leaf.shift;
	result->guarded = w->regime->features->bti && (leaf.desc & DESC_GP) != 0;
	result->global = global;
	result->transient = false;
	if (view->s2_on) {
		return fast_stage2(w, leaf.oa, attr_key, rights, result);
	}
	report_attrs(w, attr_key, NULL, result);
	result->pa = pa_make(leaf.oa);
	result->pas = PAS_NONSECURE;
	result->has_stage2 = false;
	result->readable = (rights & RIGHT_READ) != 0;
	result->writable = (rights & RIGHT_WRITE) != 0;
	result->executable = (rights & RIGHT_FETCH) != 0;
	result->ns = true;
	return FAST_DONE;
}

bool mmu_view_translate(struct mmu_tlb *tlb, struct mmu_view *view, const struct mmu_access *access,
			struct mmu_result *result, struct mmu_fault *fault)
{
	struct walker w = {.bus = tlb->bus,
			   .tlb = tlb,
			   .view = view,
			   .regime = view->regime,
			   .access = access,
			   .windows = tlb->windows,
			   .fault = fault};

	enum fast fast = fast_translate(&w, result);

	if (unlikely(fast == FAST_NO)) {
		return mmu_long_translate(tlb, view, access, result, fault);
	}
	return fast == FAST_DONE;
}
