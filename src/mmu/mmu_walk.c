// SPDX-License-Identifier: Apache-2.0
// Walks of translation tables: descriptors, the stage-1 walk (AArch64.S1Walk), the stage-2 walk
// with its permissions and hardware updates (AArch64.S2Walk, AArch64.S2Translate).
#include <string.h>

#include "mmu/mmu_tlb_internal.h"

bool fault_set(struct walker *w, enum mmu_fault_type type, int level, const char *control)
{
	w->fault->type = type;
	w->fault->level = (int8_t)level;
	w->fault->control = control;
	return false;
}

// Arm ARM D8.2.1 and sail's OAOutOfRange: no bit at or above `bits` is set.
bool address_fits(uint64_t address, unsigned bits)
{
	return bits >= 64 || address >> bits == 0;
}

static struct bus_attrs walk_attrs(enum pas pas)
{
	return (struct bus_attrs){.pas = pas, .pe = BUS_PE_NONE, .privileged = true};
}

static inline uint64_t descriptor_load(const uint8_t *host, bool big_endian)
{
	uint64_t desc;

	memcpy(&desc, host, sizeof(desc));
	return unlikely(big_endian != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__))
		       ? __builtin_bswap64(desc)
		       : desc;
}

// Tables elsewhere than in the RAM of the last one.
static __attribute__((noinline)) bool
descriptor_read_far(struct walker *w, uint64_t pa, enum pas pas, bool big_endian, uint64_t *desc)
{
	const struct bus_ram *ram = bus_ram_find(w->bus, pas, pa);

	if (ram != NULL) {
		w->windows[pas] = (struct ram_window){ram->base, ram->size, ram->host};
		*desc = descriptor_load(ram->host + (pa - ram->base), big_endian);
		return true;
	}
	if (bus_read(w->bus, pa, 8, walk_attrs(pas), desc) != BUS_OK) {
		return false;
	}
	if (unlikely(big_endian)) {
		*desc = __builtin_bswap64(*desc);
	}
	return true;
}

// Fetch one descriptor; its address is a multiple of 8. False: bus error.
static inline bool descriptor_read(struct walker *w, uint64_t pa, enum pas pas, bool big_endian,
				   uint64_t *desc)
{
	const struct ram_window *window = &w->windows[pas];

	if (unlikely(pa - window->base >= window->size)) {
		return descriptor_read_far(w, pa, pas, big_endian, desc);
	}
	*desc = descriptor_load(window->host + (pa - window->base), big_endian);
	return true;
}

bool descriptor_write(struct walker *w, uint64_t pa, enum pas pas, bool big_endian, uint64_t desc)
{
	return bus_write(w->bus, pa, 8, walk_attrs(pas),
			 big_endian ? __builtin_bswap64(desc) : desc) == BUS_OK;
}

// AArch64.DecodeDescriptorType, AArch64.BlockDescSupported.
enum desc_kind desc_kind(uint64_t desc, unsigned granule, int level, bool ds, unsigned pa_bits)
{
	bool block;

	if ((desc & DESC_VALID) == 0) {
		return DESC_INVALID;
	}
	if (level == 3) {
		return (desc & DESC_TABLE) != 0 ? DESC_IS_LEAF : DESC_INVALID;
	}
	if ((desc & DESC_TABLE) != 0) {
		return DESC_IS_TABLE;
	}
	switch (granule) {
	case 12:
		block = level == 2 || level == 1 || (level == 0 && ds);
		break;
	case 14:
		block = level == 2 || (level == 1 && ds);
		break;
	default:
		block = level == 2 || (level == 1 && pa_bits >= 52);
		break;
	}
	return block ? DESC_IS_LEAF : DESC_INVALID;
}

// Output or next-table address with everything below bit `low` cleared (AArch64.LeafBase,
// AArch64.NextTableBase): bits 51:48 sit at 15:12 with 64K granules, at 9:8 and 49:48 with DS.
uint64_t desc_address(uint64_t desc, unsigned granule, unsigned low, bool ds, bool lpa)
{
	uint64_t address = desc & MASK(47, 0) & ~(BIT(low) - 1);

	if (granule == 16) {
		if (lpa) {
			address |= bits(desc, 15, 12) << 48;
		}
	} else if (ds) {
		address |= bits(desc, 9, 8) << 50 | bits(desc, 49, 48) << 48;
	}
	return address;
}

// Address of the descriptor for ia in the table of this level; the first table may be larger
// (concatenation) or smaller than a page.
static uint64_t desc_place(uint64_t table, uint64_t ia, unsigned granule, int level, unsigned top)
{
	unsigned lsb = level_shift(granule, level);
	unsigned width = top > lsb ? top - lsb : 0;

	return table | (lsb > 63 ? 0 : zext(ia >> lsb, width)) << 3;
}

// One past the highest address bit that indexes a table of this level.
static unsigned index_top(unsigned granule, int level, int start_level, unsigned ia_bits)
{
	return level == start_level ? ia_bits : level_shift(granule, level - 1);
}

static void leaf_fill(struct leaf *leaf, uint64_t desc, unsigned granule, int level, bool ds,
		      bool lpa)
{
	unsigned shift = level_shift(granule, level);
	uint64_t base = desc_address(desc, granule, shift, ds, lpa);

	if ((desc & DESC_CONTIGUOUS) != 0) {
		// A set of unequal or misplaced contiguous entries is taken as if each spanned the
		// whole set.
		shift += contiguous_shift(granule, level);
		base = align_down(base, BIT(shift));
	}
	leaf->desc = desc;
	leaf->oa = base;
	leaf->shift = (uint8_t)shift;
	leaf->level = (int8_t)level;
}

static uint64_t leaf_output(const struct leaf *leaf, uint64_t ia)
{
	return leaf->oa | (ia & (BIT(leaf->shift) - 1));
}

static bool s2_fault(struct walker *w, uint64_t ipa, enum pas ipa_pas,
		     const struct s2_access *access, enum mmu_fault_type type, int level,
		     const char *control)
{
	w->fault->stage2 = true;
	w->fault->s1ptw = access->walk;
	w->fault->ipa = ipa_make(ipa);
	w->fault->ipa_ns = w->regime->secure && ipa_pas == PAS_NONSECURE;
	return fault_set(w, type, level, control);
}

// What a walk of stage 2 needs and leaves behind.
struct s2_step {
	uint64_t ipa;
	enum pas ipa_pas;
	const struct s2_access *access;
	const struct s2_params *params;
	struct tlb_tag *tag;
	uint64_t desc_pa;
	enum pas desc_pas;
};

static bool s2_walk(struct walker *w, struct s2_step *step, struct leaf *leaf)
{
	const struct s2_params *p = step->params;
	const struct mmu_features *features = w->regime->features;
	uint64_t ipa = step->ipa;
	struct walk_point point = {.table = p->table, .level = p->start_level, .pas = p->table_pas};
	uint64_t place;
	uint64_t desc;
	int level;

	tlb_walk_lookup(w->tlb, step->tag, ipa, p->granule, p->start_level, &point);
	level = point.level;
	place = desc_place(point.table, ipa, p->granule, point.level,
			   index_top(p->granule, point.level, p->start_level, p->ia_bits));
	if (!address_fits(place, p->oa_bits)) {
		return s2_fault(w, ipa, step->ipa_pas, step->access, MMU_FAULT_ADDRESS_SIZE, 0,
				"VTCR_EL2.PS");
	}
	for (;;) {
		if (!descriptor_read(w, place, point.pas, p->ee, &desc)) {
			return s2_fault(w, ipa, step->ipa_pas, step->access,
					MMU_FAULT_EXTERNAL_WALK, point.level, NULL);
		}
		switch (desc_kind(desc, p->granule, point.level, p->ds, features->pa_bits)) {
		case DESC_INVALID:
			if (point.level != level) {
				tlb_walk_insert(w->tlb, step->tag, ipa, p->granule, &point);
			}
			return s2_fault(w, ipa, step->ipa_pas, step->access, MMU_FAULT_TRANSLATION,
					point.level, NULL);
		case DESC_IS_LEAF:
			if (point.level != level) {
				tlb_walk_insert(w->tlb, step->tag, ipa, p->granule, &point);
			}
			leaf_fill(leaf, desc, p->granule, point.level, p->ds, features->lpa);
			leaf->pas = p->output_pas;
			leaf->table_perms = 0;
			leaf->global = false;
			step->desc_pa = place;
			step->desc_pas = point.pas;
			if (!address_fits(leaf_output(leaf, ipa), p->oa_bits)) {
				return s2_fault(w, ipa, step->ipa_pas, step->access,
						MMU_FAULT_ADDRESS_SIZE, leaf->level, "VTCR_EL2.PS");
			}
			if ((desc & DESC_AF) == 0 && !p->ha && !w->no_update) {
				return s2_fault(w, ipa, step->ipa_pas, step->access,
						MMU_FAULT_ACCESS_FLAG, leaf->level, "VTCR_EL2.HA");
			}
			return true;
		case DESC_IS_TABLE:
			point.table =
				desc_address(desc, p->granule, p->granule, p->ds, features->lpa);
			place = desc_place(point.table, ipa, p->granule, point.level + 1,
					   level_shift(p->granule, point.level));
			if (!address_fits(place, p->oa_bits)) {
				return s2_fault(w, ipa, step->ipa_pas, step->access,
						MMU_FAULT_ADDRESS_SIZE, point.level, "VTCR_EL2.PS");
			}
			point.level++;
			// Of the tables on the way the last one serves for most that comes after.
			if (unlikely(tlb_never_forgets(w->tlb))) {
				tlb_walk_insert(w->tlb, step->tag, ipa, p->granule, &point);
			}
			break;
		}
	}
}

static bool s2_is_device(const struct s2_params *params, uint64_t desc)
{
	unsigned attr = (unsigned)bits(desc, 5, 2);

	return params->fwb ? (attr & 4) == 0 : (attr & 0xc) == 0;
}

// The write finds clean memory whose dirty state software keeps (indirect permissions).
static bool s2_clean(const struct s2_params *p, uint64_t desc)
{
	return p->indirect && !p->hd && (desc & DESC_S2_DIRTY) == 0;
}

// Which of them are not there: by the overlay, else by the base permissions.
static unsigned s2_lost(struct walker *w, const struct s2_rights *rights, unsigned needed)
{
	unsigned lost = needed & ~(unsigned)rights->overlay;

	w->fault->overlay = lost != 0;
	return lost != 0 ? lost : needed & ~(unsigned)rights->base;
}

// AArch64.S2CheckPermissions, for data.
static bool s2_data_permits(struct walker *w, const struct s2_step *step, uint64_t desc,
			    const struct s2_rights *rights)
{
	const struct s2_access *access = step->access;
	unsigned lost =
		s2_lost(w, rights, (access->read ? S2_R : 0u) | (access->write ? S2_W : 0u));

	if (lost != 0) {
		w->fault->write = (lost & S2_R) == 0 || access->at;
		return false;
	}
	if (access->write && unlikely(s2_clean(step->params, desc))) {
		w->fault->write = true;
		w->fault->dirty = true;
		return false;
	}
	return true;
}

// For walks of stage 1.
static bool s2_walk_permits(struct walker *w, const struct s2_step *step, uint64_t desc,
			    const struct s2_rights *rights, const char **control)
{
	if (step->params->ptw && s2_is_device(step->params, desc)) {
		*control = "HCR_EL2.PTW";
		return false;
	}
	if (s2_lost(w, rights, S2_R | (step->access->write ? S2_WALK_W : 0u)) != 0) {
		return false;
	}
	w->fault->dirty = step->access->write && s2_clean(step->params, desc);
	return !w->fault->dirty;
}

// AArch64.S2CheckPermissions.
static bool s2_permits(struct walker *w, const struct s2_step *step, const struct leaf *leaf,
		       struct s2_output *out)
{
	const struct s2_params *p = step->params;
	const struct s2_access *access = step->access;
	const char *control = p->indirect ? "S2PIR_EL2" : NULL;
	struct s2_rights rights;
	unsigned all;
	bool ok;

	s2_rights(w, p, leaf->desc, &rights);
	all = rights.base & rights.overlay;
	out->px = (all & S2_PX) != 0;
	out->ux = (all & S2_UX) != 0;
	out->readable = (all & S2_R) != 0;
	out->writable = (all & S2_W) != 0;
	if (access->walk) {
		ok = s2_walk_permits(w, step, leaf->desc, &rights, &control);
	} else if (access->fetch) {
		ok = s2_lost(w, &rights, access->el0 ? S2_UX : S2_PX) == 0;
	} else if (access->cache_op) {
		// Invalidation needs write permission; the rest needs it only at EL0.
		ok = s2_lost(w, &rights, access->write ? S2_W : access->el0 ? S2_R : 0) == 0;
	} else {
		ok = s2_data_permits(w, step, leaf->desc, &rights);
	}
	if (!ok) {
		return s2_fault(w, step->ipa, step->ipa_pas, access, MMU_FAULT_PERMISSION,
				leaf->level,
				w->fault->dirty     ? "VTCR_EL2.HD"
				: w->fault->overlay ? "S2POR_EL1"
						    : control);
	}
	return true;
}

static bool s2_needs_dirty(const struct s2_params *p, const struct s2_access *access, uint64_t desc)
{
	return p->hd && access->write && !access->at && !access->cache_op &&
	       (desc & DESC_S2AP1) == 0 && (p->indirect || (desc & DESC_DBM) != 0);
}

// Set the Access flag and the dirty state of a stage 2 descriptor where the access calls for it.
static bool s2_update(struct walker *w, const struct s2_step *step, struct leaf *leaf)
{
	const struct s2_params *p = step->params;
	const struct s2_access *access = step->access;
	uint64_t desc = leaf->desc;

	if (w->no_update) {
		return true;
	}
	if (p->ha) {
		desc |= DESC_AF;
	}
	if (s2_needs_dirty(p, access, desc)) {
		desc |= DESC_S2AP1;
	}
	if (desc == leaf->desc) {
		return true;
	}
	if (!descriptor_write(w, step->desc_pa, step->desc_pas, p->ee, desc)) {
		return s2_fault(w, step->ipa, step->ipa_pas, access, MMU_FAULT_EXTERNAL_WALK,
				leaf->level, NULL);
	}
	leaf->desc = desc;
	return true;
}

bool s2_translate(struct walker *w, uint64_t ipa, enum pas ipa_pas, const struct s2_access *access,
		  struct s2_output *out)
{
	bool space = ipa_pas == PAS_SECURE;
	const struct s2_params *p = view_s2(w->view, space);
	struct s2_step step = {.ipa = ipa, .ipa_pas = ipa_pas, .access = access, .params = p};
	struct leaf *leaf = &out->leaf;
	bool hit;

	out->params = p;
	out->fwb = p->fwb;
	if (p->size_fault || p->level_fault || !address_fits(ipa, p->ia_bits)) {
		bool secure_space = w->regime->secure && ipa_pas == PAS_SECURE;

		return s2_fault(w, ipa, ipa_pas, access, MMU_FAULT_TRANSLATION, 0,
				!p->size_fault && p->level_fault
					? (secure_space ? "VSTCR_EL2.SL0" : "VTCR_EL2.SL0")
				: secure_space ? "VSTCR_EL2.T0SZ"
					       : "VTCR_EL2.T0SZ");
	}
	step.tag = &w->view->s2_tag[space];
	hit = tlb_lookup_s2(w->tlb, step.tag, ipa, access->fetch, leaf) &&
	      address_fits(leaf_output(leaf, ipa), p->oa_bits) &&
	      !s2_needs_dirty(p, access, leaf->desc);
	if (!hit && !s2_walk(w, &step, leaf)) {
		return false;
	}
	// AArch64.S2HasAlignmentFault.
	if (unlikely(access->misaligned) && s2_is_device(p, leaf->desc)) {
		return s2_fault(w, ipa, ipa_pas, access, MMU_FAULT_ALIGNMENT, leaf->level, NULL);
	}
	if (!s2_permits(w, &step, leaf, out)) {
		return false;
	}
	if (!hit) {
		if (!s2_update(w, &step, leaf)) {
			return false;
		}
		if ((leaf->desc & DESC_AF) != 0) {
			tlb_insert_s2(w->tlb, step.tag, ipa, access->fetch, leaf);
		}
	}
	out->held = tlb_keeps(w->tlb) && (leaf->desc & DESC_AF) != 0;
	out->pa = leaf_output(leaf, ipa);
	out->writable = out->writable && (leaf->desc & DESC_S2AP1) != 0;
	return true;
}

// Hierarchical permissions of one table descriptor (AArch64.S1ApplyTablePerms).
uint8_t s1_table_perms(const struct s1_params *params, uint64_t desc)
{
	uint8_t perms = 0;

	if (params->hpd) {
		return 0;
	}
	if ((desc & DESC_AP_TABLE1) != 0) {
		perms |= TABLE_READ_ONLY;
	}
	if (params->nv1 || !params->two_ranges) {
		// One execute-never bit, at the place of UXNTable; APTable[0] does not exist.
		return (desc & DESC_UXN_TABLE) != 0 ? perms | TABLE_PXN : perms;
	}
	if ((desc & DESC_AP_TABLE0) != 0) {
		perms |= TABLE_NO_EL0;
	}
	if ((desc & DESC_PXN_TABLE) != 0) {
		perms |= TABLE_PXN;
	}
	if ((desc & DESC_UXN_TABLE) != 0) {
		perms |= TABLE_UXN;
	}
	return perms;
}

// Stage 2 of the address of a stage 1 descriptor, and the descriptor. Remembers where the page of
// the table is, as long as the TLB holds the entry that says so.
bool s1_descriptor_by_s2(struct walker *w, const struct s1_params *params,
			 const struct walk_point *point, struct s1_place *place, uint64_t *desc,
			 struct table_hint *hint)
{
	struct s2_access access = {.read = true, .walk = true, .el0 = w->access->el0};
	struct s2_output out;
	const struct ram_window *window;

	if (!s2_translate(w, place->desc_ipa, point->pas, &access, &out)) {
		return false;
	}
	place->desc_pa = out.pa;
	place->desc_pas = out.leaf.pas;
	if (!descriptor_read(w, out.pa, out.leaf.pas, params->ee, desc)) {
		return fault_set(w, MMU_FAULT_EXTERNAL_WALK, point->level, NULL);
	}
	window = &w->windows[out.leaf.pas];
	if (out.held && out.pa - window->base < window->size &&
	    tlb_s2_ref(w->tlb, &w->view->s2_tag[point->pas == PAS_SECURE], place->desc_ipa,
		       &hint->ref)) {
		hint->page = table_hint_page(place->desc_ipa, point->pas);
		hint->host = window->host + ((out.pa & ~PAGE_MASK) - window->base);
	}
	return true;
}

// Read a stage 1 descriptor; its address is an IPA where stage 2 is on.
static inline bool s1_descriptor(struct walker *w, const struct s1_params *params,
				 const struct walk_point *point, struct s1_place *place,
				 uint64_t *desc)
{
	place->desc_ipa_pas = point->pas;
	place->desc_pa = place->desc_ipa;
	place->desc_pas = point->pas;
	if (w->view->s2_on) {
		struct table_hint *hint = &w->view->hints[table_hint_index(place->desc_ipa)];

		if (w->tlb == NULL || hint->page != table_hint_page(place->desc_ipa, point->pas) ||
		    !tlb_s2_ref_holds(w->tlb, &hint->ref)) {
			return s1_descriptor_by_s2(w, params, point, place, desc, hint);
		}
		*desc = descriptor_load(hint->host + (place->desc_ipa & PAGE_MASK), params->ee);
		return true;
	}
	if (!descriptor_read(w, place->desc_pa, place->desc_pas, params->ee, desc)) {
		return fault_set(w, MMU_FAULT_EXTERNAL_WALK, point->level, NULL);
	}
	return true;
}

static bool s1_leaf_done(struct walker *w, const struct s1_params *params,
			 const struct walk_point *point, uint64_t va, uint64_t desc,
			 struct leaf *leaf)
{
	const struct mmu_regime *regime = w->regime;

	leaf_fill(leaf, desc, params->granule, point->level, params->ds, regime->features->lpa);
	leaf->table_perms = point->table_perms;
	leaf->pas = point->pas == PAS_SECURE && (desc & DESC_NS) == 0 ? PAS_SECURE : PAS_NONSECURE;
	// A Secure walk that went through a Non-secure table gives non-global entries.
	leaf->global = !params->two_ranges ||
		       ((desc & DESC_NG) == 0 && !(w->view->secure && point->pas == PAS_NONSECURE));
	if (!address_fits(leaf_output(leaf, va), params->oa_bits)) {
		return fault_set(w, MMU_FAULT_ADDRESS_SIZE, leaf->level,
				 control_name(regime, CONTROL_IPS));
	}
	if ((desc & DESC_AF) == 0 && !params->ha && !w->no_update) {
		return fault_set(w, MMU_FAULT_ACCESS_FLAG, leaf->level, NULL);
	}
	return true;
}

bool s1_walk(struct walker *w, const struct s1_params *params, uint64_t va, struct leaf *leaf,
	     struct s1_place *place)
{
	const struct mmu_regime *regime = w->regime;
	const struct mmu_features *features = regime->features;
	struct walk_point point = {.table = params->table,
				   .level = params->start_level,
				   .pas = w->view->secure ? PAS_SECURE : PAS_NONSECURE};
	struct tlb_tag *tag = &w->view->by_asid;
	uint64_t tag_va = (uint64_t)sext(va, 56);
	uint64_t desc;
	int level;

	if (params->epd) {
		return fault_set(w, MMU_FAULT_TRANSLATION, 0,
				 control_name(regime, params->upper ? CONTROL_EPD1 : CONTROL_EPD0));
	}
	tlb_walk_lookup(w->tlb, tag, tag_va, params->granule, params->start_level, &point);
	level = point.level;
	place->desc_ipa = desc_place(point.table, va, params->granule, point.level,
				     index_top(params->granule, point.level, params->start_level,
					       params->ia_bits));
	if (!address_fits(place->desc_ipa, params->oa_bits)) {
		return fault_set(w, MMU_FAULT_ADDRESS_SIZE, 0, control_name(regime, CONTROL_IPS));
	}
	for (;;) {
		if (!s1_descriptor(w, params, &point, place, &desc)) {
			return false;
		}
		switch (desc_kind(desc, params->granule, point.level, params->ds,
				  features->pa_bits)) {
		case DESC_INVALID:
			if (point.level != level) {
				tlb_walk_insert(w->tlb, tag, tag_va, params->granule, &point);
			}
			return fault_set(w, MMU_FAULT_TRANSLATION, point.level, NULL);
		case DESC_IS_LEAF:
			if (point.level != level) {
				tlb_walk_insert(w->tlb, tag, tag_va, params->granule, &point);
			}
			return s1_leaf_done(w, params, &point, va, desc, leaf);
		case DESC_IS_TABLE:
			point.table = desc_address(desc, params->granule, params->granule,
						   params->ds, features->lpa);
			point.table_perms |= s1_table_perms(params, desc);
			if ((desc & DESC_NS_TABLE) != 0) {
				point.pas = PAS_NONSECURE;
			}
			place->desc_ipa =
				desc_place(point.table, va, params->granule, point.level + 1,
					   level_shift(params->granule, point.level));
			if (!address_fits(place->desc_ipa, params->oa_bits)) {
				return fault_set(w, MMU_FAULT_ADDRESS_SIZE, point.level,
						 control_name(regime, CONTROL_IPS));
			}
			point.level++;
			if (unlikely(tlb_never_forgets(w->tlb))) {
				tlb_walk_insert(w->tlb, tag, tag_va, params->granule, &point);
			}
			break;
		}
	}
}
