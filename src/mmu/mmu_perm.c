// SPDX-License-Identifier: Apache-2.0
// Permissions: what a leaf descriptor and the permission registers let an access do, of both stages
// (AArch64.S1ComputePermissions, AArch64.S1CheckPermissions, AArch64.S2ComputePermissions). The TLB
// keeps descriptors, and with them indices; the registers are looked at anew for every access, by
// way of the view, so that a change of one needs no TLBI.
#include "mmu/mmu_internal.h"

// ---- stage 1, by index --------------------------------------------------------------------------

// An entry of PIR_ELx or PIRE0_ELx (AArch64.S1IndirectBasePermissions). 0b1001 is a guarded control
// stack: read-only to all accesses there are without FEAT_GCS.
#define S1_BASE_GCS 9u
static const uint8_t s1_base[16] = {
	[0x0] = RIGHT_OVERLAID,
	[0x1] = RIGHT_OVERLAID | RIGHT_READ,
	[0x2] = RIGHT_OVERLAID | RIGHT_FETCH,
	[0x3] = RIGHT_OVERLAID | RIGHT_READ | RIGHT_FETCH,
	[0x4] = RIGHT_OVERLAID,
	[0x5] = RIGHT_OVERLAID | RIGHT_READ | RIGHT_WRITE,
	[0x6] = RIGHT_OVERLAID | RIGHT_READ | RIGHT_WRITE | RIGHT_FETCH | RIGHT_WXN,
	[0x7] = RIGHT_OVERLAID | RIGHT_READ | RIGHT_WRITE | RIGHT_FETCH,
	[0x8] = RIGHT_READ,
	[0x9] = RIGHT_READ,
	[0xa] = RIGHT_READ | RIGHT_FETCH,
	[0xc] = RIGHT_READ | RIGHT_WRITE,
	[0xe] = RIGHT_READ | RIGHT_WRITE | RIGHT_FETCH,
};

// An entry of POR_ELx (AArch64.S1OverlayPermissions).
static const uint8_t s1_overlay[16] = {
	[1] = RIGHT_READ,
	[2] = RIGHT_FETCH,
	[3] = RIGHT_READ | RIGHT_FETCH,
	[4] = RIGHT_WRITE,
	[5] = RIGHT_READ | RIGHT_WRITE,
	[6] = RIGHT_WRITE | RIGHT_FETCH,
	[7] = RIGHTS_ALL,
};

static unsigned entry_of(uint64_t reg, unsigned index)
{
	return (unsigned)(reg >> 4 * index) & 15;
}

static unsigned pi_index(uint64_t desc)
{
	return (unsigned)(bits(desc, 54, 53) << 2 | bits(desc, 51, 51) << 1 | bits(desc, 6, 6));
}

static unsigned po_index(uint64_t desc)
{
	return (unsigned)bits(desc, 62, 60);
}

static unsigned s2_po_index(uint64_t desc)
{
	return (unsigned)bits(desc, 62, 59);
}

static void base_prepare(struct mmu_view *view, unsigned index)
{
	const struct mmu_regime *regime = view->regime;
	unsigned of_el0 = view->two_ranges && !view->nv1 ? entry_of(regime->pire0, index) : 0;
	uint8_t priv = s1_base[entry_of(regime->pir, index)];
	uint8_t el0 = s1_base[of_el0];
	bool stack = entry_of(regime->pir, index) == S1_BASE_GCS;

	// What EL0 can write is never executable or a control stack above it: here nothing at all
	// is left. A control stack of EL0 counts as written.
	if (((priv & RIGHT_FETCH) != 0 || stack) &&
	    ((el0 & RIGHT_WRITE) != 0 || of_el0 == S1_BASE_GCS)) {
		priv &= (uint8_t)~RIGHTS_ALL;
		el0 &= (uint8_t)~RIGHTS_ALL;
	}
	view->base[BASE_PRIV][index] = priv;
	view->base[BASE_EL0][index] = el0;
	if (view->pan && of_el0 != 0) {
		priv &= (uint8_t) ~(RIGHT_READ | RIGHT_WRITE);
	}
	view->base[BASE_PAN][index] = priv;
}

void perm_view_prepare(struct mmu_view *view)
{
	const struct mmu_regime *regime = view->regime;
	const struct mmu_features *features = regime->features;

	view->nv1 = regime_nv1(regime);
	view->indirect = features->s1pie && (regime->tcr2 & TCR2_PIE) != 0;
	view->overlaid[BASE_PRIV] = features->s1poe && (regime->tcr2 & TCR2_POE) != 0;
	view->overlaid[BASE_EL0] = features->s1poe && (regime->tcr2 & TCR2_E0POE) != 0 &&
				   view->two_ranges && !view->nv1;
	view->indexed = view->indirect || view->overlaid[BASE_PRIV] || view->overlaid[BASE_EL0];
	if (view->indirect) {
		for (unsigned i = 0; i < 16; i++) {
			base_prepare(view, i);
		}
	}
	for (unsigned i = 0; i < 8 && view->indexed; i++) {
		view->overlay[BASE_PRIV][i] = s1_overlay[entry_of(regime->por, i)];
		view->overlay[BASE_EL0][i] = s1_overlay[entry_of(regime->por_el0, i)];
	}
}

static void s1_indirect(const struct walker *w, bool el0, uint64_t desc, struct s1_rights *rights)
{
	const struct mmu_view *view = w->view;
	enum base_column column = el0 ? BASE_EL0 : w->access->pan ? BASE_PAN : BASE_PRIV;
	unsigned index = pi_index(desc);

	rights->base = view->base[column][index];
	rights->clean = (desc & DESC_NDIRTY) != 0;
	rights->no_exec = control_name(w->regime, el0 ? CONTROL_PIRE0 : CONTROL_PIR);
	rights->no_data = column == BASE_PAN && rights->base != view->base[BASE_PRIV][index]
				  ? "PSTATE.PAN"
				  : rights->no_exec;
}

// ---- stage 1, by the bits of the descriptors ----------------------------------------------------

// AArch64.S1DirectBasePermissions.
static void s1_direct(const struct walker *w, const struct s1_params *params,
		      const struct leaf *leaf, struct s1_rights *rights)
{
	const struct mmu_view *view = w->view;
	const struct mmu_access *access = w->access;
	uint64_t desc = leaf->desc;
	bool read_only = ((desc & DESC_AP2) != 0 && !(params->hd && (desc & DESC_DBM) != 0)) ||
			 (leaf->table_perms & TABLE_READ_ONLY) != 0;
	bool el0 = params->two_ranges && !params->nv1 && (desc & DESC_AP1) != 0 &&
		   (leaf->table_perms & TABLE_NO_EL0) == 0;
	bool px;
	bool ux = true;
	bool r = true;
	bool x;

	rights->clean = false;
	rights->no_data = NULL;
	rights->no_exec = NULL;
	if (params->nv1 || !params->two_ranges) {
		px = (desc & DESC_UXN) == 0 && (leaf->table_perms & TABLE_PXN) == 0;
	} else {
		ux = (desc & DESC_UXN) == 0 && (leaf->table_perms & TABLE_UXN) == 0;
		// What EL0 can write is never executable above it.
		px = (desc & DESC_PXN) == 0 && (leaf->table_perms & TABLE_PXN) == 0 &&
		     !(el0 && !read_only);
	}
	if (access->el0 && params->two_ranges) {
		r = el0;
		x = ux;
	} else {
		x = px;
	}
	rights->base = RIGHT_OVERLAID | (r ? RIGHT_READ : 0) | (r && !read_only ? RIGHT_WRITE : 0) |
		       (x ? RIGHT_FETCH : 0);
	if (!access->el0 && access->pan && view->pan && !params->nv1 &&
	    (el0 || (view->epan && ux))) {
		rights->base &= (uint8_t) ~(RIGHT_READ | RIGHT_WRITE);
		rights->no_data = el0 ? "PSTATE.PAN" : control_name(w->regime, CONTROL_EPAN);
	}
	// What PAN has taken is not written.
	if (unlikely(view->wxn) && x && (rights->base & RIGHT_WRITE) != 0) {
		rights->base |= RIGHT_WXN;
	}
}

// ---- stage 1 ------------------------------------------------------------------------------------

// AArch64.S1ComputePermissions.
void s1_rights(const struct walker *w, const struct s1_params *params, const struct leaf *leaf,
	       struct s1_rights *rights)
{
	const struct mmu_view *view = w->view;
	bool el0 = w->access->el0 && params->two_ranges;
	bool overlaid;

	if (view->indirect) {
		s1_indirect(w, el0, leaf->desc, rights);
	} else {
		s1_direct(w, params, leaf, rights);
	}
	overlaid = view->overlaid[el0] && (rights->base & RIGHT_OVERLAID) != 0;
	rights->overlay = overlaid ? view->overlay[el0][po_index(leaf->desc)] : RIGHTS_ALL;
	if (unlikely((rights->base & RIGHT_WXN) != 0)) {
		// An overlay that lets execute takes writing; else execution goes.
		if (overlaid && (rights->overlay & RIGHT_FETCH) != 0) {
			rights->overlay &= (uint8_t)~RIGHT_WRITE;
		} else {
			rights->base &= (uint8_t)~RIGHT_FETCH;
			if (!view->indirect) {
				rights->no_exec = control_name(w->regime, CONTROL_WXN);
			}
		}
	}
	if (unlikely(view->sif) && (rights->base & RIGHT_FETCH) != 0 &&
	    leaf->pas == PAS_NONSECURE) {
		rights->base &= (uint8_t)~RIGHT_FETCH;
		rights->no_exec = "SCR_EL3.SIF";
	}
}

static bool reads(const struct mmu_access *access)
{
	return access->type == MMU_READ || (access->type == MMU_WRITE && access->atomic);
}

static bool writes(const struct mmu_access *access)
{
	return access->type == MMU_WRITE;
}

// False: a Permission fault of what is missing from `set`.
static bool s1_has(struct walker *w, const struct leaf *leaf, unsigned set, unsigned needed,
		   const char *control, bool overlay)
{
	if ((set & needed) == needed) {
		return true;
	}
	w->fault->overlay = overlay;
	if (needed != RIGHT_FETCH && !w->access->cache_op) {
		w->fault->write = needed == RIGHT_WRITE || w->access->at;
	}
	return fault_set(w, MMU_FAULT_PERMISSION, leaf->level, control);
}

// By the overlay, then by the base permissions.
static bool s1_both_have(struct walker *w, const struct leaf *leaf, const struct s1_rights *rights,
			 unsigned needed)
{
	bool el0 = w->access->el0 && w->view->two_ranges;
	const char *overlay = el0 ? "POR_EL0" : control_name(w->regime, CONTROL_POR);

	return s1_has(w, leaf, rights->overlay, needed, overlay, true) &&
	       s1_has(w, leaf, rights->base, needed,
		      needed == RIGHT_FETCH ? rights->no_exec : rights->no_data, false);
}

// AArch64.S1CheckPermissions.
bool s1_permits(struct walker *w, const struct s1_params *params, const struct leaf *leaf,
		const struct s1_rights *rights)
{
	const struct mmu_access *access = w->access;
	unsigned needed = (reads(access) ? RIGHT_READ : 0u) | (writes(access) ? RIGHT_WRITE : 0u);

	if (access->type == MMU_EXEC) {
		return s1_both_have(w, leaf, rights, RIGHT_FETCH);
	}
	if (access->cache_op) {
		// Invalidation needs write permission; the rest needs to read, and only at EL0.
		return (!writes(access) && !access->el0) ||
		       s1_both_have(w, leaf, rights, writes(access) ? RIGHT_WRITE : RIGHT_READ);
	}
	if (unlikely((rights->overlay & needed) != needed)) {
		return s1_both_have(w, leaf, rights,
				    needed & ~rights->overlay & RIGHT_READ ? RIGHT_READ
									   : RIGHT_WRITE);
	}
	if ((rights->base & needed) != needed) {
		return s1_both_have(w, leaf, rights,
				    needed & ~rights->base & RIGHT_READ ? RIGHT_READ : RIGHT_WRITE);
	}
	if (unlikely(rights->clean) && writes(access) && !params->hd) {
		w->fault->dirty = true;
		w->fault->write = true;
		return fault_set(w, MMU_FAULT_PERMISSION, leaf->level,
				 control_name(w->regime, CONTROL_HD));
	}
	return true;
}

bool s1_needs_dirty(const struct walker *w, const struct s1_params *params, uint64_t desc)
{
	const struct mmu_access *access = w->access;

	return params->hd && writes(access) && !access->at && !access->cache_op &&
	       (desc & DESC_AP2) != 0 && (w->view->indirect || (desc & DESC_DBM) != 0);
}

// ---- stage 2 ------------------------------------------------------------------------------------

// An entry of S2PIR_EL2 or S2POR_EL1 (AArch64.S2IndirectBasePermissions,
// AArch64.S2OverlayPermissions). "Mostly read-only" (MRO) memory is written by walks of stage 1
// alone; without FEAT_THE its forms for top-level tables are the same.
static const uint8_t s2_entry[16] = {
	[0x2] = S2_R | S2_WALK_W,
	[0x3] = S2_R | S2_WALK_W,
	[0x4] = S2_W,
	[0x6] = S2_R | S2_WALK_W,
	[0x7] = S2_R | S2_WALK_W,
	[0x8] = S2_R,
	[0x9] = S2_R | S2_UX,
	[0xa] = S2_R | S2_PX,
	[0xb] = S2_R | S2_PX | S2_UX,
	[0xc] = S2_R | S2_W | S2_WALK_W,
	[0xd] = S2_R | S2_W | S2_UX | S2_WALK_W,
	[0xe] = S2_R | S2_W | S2_PX | S2_WALK_W,
	[0xf] = S2_R | S2_W | S2_PX | S2_UX | S2_WALK_W,
};

void s2_rights(const struct walker *w, const struct s2_params *params, uint64_t desc,
	       struct s2_rights *rights)
{
	uint8_t base = 0;

	rights->overlay = S2_ALL;
	if (unlikely(params->indirect)) {
		base = s2_entry[entry_of(w->regime->s2pir, pi_index(desc))];
		if (params->overlaid) {
			rights->overlay = s2_entry[entry_of(w->regime->s2por, s2_po_index(desc))];
		}
	} else {
		bool xn = (desc & DESC_UXN) != 0;
		bool xnx = w->regime->features->xnx && (desc & DESC_PXN) != 0;

		// DBM counts as already used.
		base |= (desc & DESC_S2AP0) != 0 ? S2_R : 0;
		base |= (desc & DESC_S2AP1) != 0 || (params->hd && (desc & DESC_DBM) != 0)
				? S2_W | S2_WALK_W
				: 0;
		base |= xn == xnx ? S2_PX : 0;
		base |= !xn ? S2_UX : 0;
	}
	rights->base = base;
}
