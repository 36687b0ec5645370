// SPDX-License-Identifier: Apache-2.0
// One translation from front to back: range checks, stage 1 through the TLB, permissions, hardware
// updates, stage 2, and the attributes of the result (AArch64.S1Translate,
// AArch64.S1DisabledOutput, AArch64.FullTranslate).
#include <string.h>

#include "mmu/mmu_internal.h"

static bool access_reads(const struct mmu_access *access)
{
	return access->type == MMU_READ || (access->type == MMU_WRITE && access->atomic);
}

static bool access_writes(const struct mmu_access *access)
{
	return access->type == MMU_WRITE;
}

// A stage-1 leaf after stage 1 is done with it.
struct s1_output {
	struct leaf leaf;
	uint64_t oa;
	enum pas pas;
	uint8_t shift;
	struct mem_attrs attrs;
	bool readable, writable, executable; // without a descriptor update
	bool guarded;
	bool held; // the TLB holds what this came from
};

// Rights of the access's privilege (AArch64.S1DirectBasePermissions), and what took one away.
struct s1_rights {
	bool r, w, x;
	const char *no_data; // control that removed r and w
	const char *no_exec; // control that removed x
};

static void s1_rights(const struct walker *w, const struct s1_params *params,
                      const struct leaf *leaf, struct s1_rights *rights)
{
	const struct mmu_regime *regime = w->regime;
	const struct mmu_access *access = w->access;
	uint64_t desc = leaf->desc;
	bool read_only = ((desc & DESC_AP2) != 0 && !(params->hd && (desc & DESC_DBM) != 0)) ||
	                 (leaf->table_perms & TABLE_READ_ONLY) != 0;
	bool el0 = params->two_ranges && !params->nv1 && (desc & DESC_AP1) != 0 &&
	           (leaf->table_perms & TABLE_NO_EL0) == 0;
	bool px;
	bool ux = true;
	bool writes;

	memset(rights, 0, sizeof(*rights));
	if (params->nv1 || !params->two_ranges) {
		px = (desc & DESC_UXN) == 0 && (leaf->table_perms & TABLE_PXN) == 0;
	} else {
		ux = (desc & DESC_UXN) == 0 && (leaf->table_perms & TABLE_UXN) == 0;
		// What EL0 can write is never executable above it.
		px = (desc & DESC_PXN) == 0 && (leaf->table_perms & TABLE_PXN) == 0 &&
		     !(el0 && !read_only);
	}
	if (access->el0 && params->two_ranges) {
		rights->r = el0;
		rights->w = writes = el0 && !read_only;
		rights->x = ux;
	} else {
		rights->r = true;
		rights->w = writes = !read_only;
		rights->x = px;
		if (access->pan && params->two_ranges && !params->nv1 && regime->features->pan) {
			bool epan = regime->features->pan3 && (regime->sctlr & SCTLR_EPAN) != 0;

			if (el0 || (epan && ux)) {
				rights->r = rights->w = false;
				rights->no_data =
				        el0 ? "PSTATE.PAN" : control_name(regime, CONTROL_EPAN);
			}
		}
	}
	if (rights->x && writes && (regime->sctlr & SCTLR_WXN) != 0) {
		rights->x = false;
		rights->no_exec = control_name(regime, CONTROL_WXN);
	}
	if (rights->x && regime_secure(regime) && leaf->pas == PAS_NONSECURE &&
	    (regime->scr & SCR_SIF) != 0) {
		rights->x = false;
		rights->no_exec = "SCR_EL3.SIF";
	}
}

// AArch64.S1CheckPermissions.
static bool s1_permits(struct walker *w, const struct leaf *leaf, const struct s1_rights *rights)
{
	const struct mmu_access *access = w->access;
	const char *control = rights->no_data;

	if (access->type == MMU_EXEC) {
		return rights->x ||
		       fault_set(w, MMU_FAULT_PERMISSION, leaf->level, rights->no_exec);
	}
	if (access->cache_op) {
		// Invalidation needs write permission; the rest needs to read, and only at EL0.
		bool ok = access_writes(access) ? rights->w : !access->el0 || rights->r;

		return ok || fault_set(w, MMU_FAULT_PERMISSION, leaf->level, control);
	}
	if (access_reads(access) && !rights->r) {
		w->fault->write = access->at;
		return fault_set(w, MMU_FAULT_PERMISSION, leaf->level, control);
	}
	if (access_writes(access) && !rights->w) {
		w->fault->write = true;
		return fault_set(w, MMU_FAULT_PERMISSION, leaf->level, control);
	}
	return true;
}

static bool s1_needs_dirty(const struct s1_params *params, const struct mmu_access *access,
                           uint64_t desc)
{
	return params->hd && access_writes(access) && !access->at && !access->cache_op &&
	       (desc & (DESC_DBM | DESC_AP2)) == (DESC_DBM | DESC_AP2);
}

// Hardware update of the Access flag and dirty state; the write goes through stage 2 with write
// permission.
static bool s1_update(struct walker *w, const struct s1_params *params, struct leaf *leaf,
                      const struct s1_place *place)
{
	uint64_t desc = leaf->desc;
	uint64_t pa = place->desc_pa;
	enum pas pas = place->desc_pas;

	if (w->no_update) {
		return true;
	}
	if (params->ha) {
		desc |= DESC_AF;
	}
	if (s1_needs_dirty(params, w->access, desc)) {
		desc &= ~DESC_AP2;
	}
	if (desc == leaf->desc) {
		return true;
	}
	if (w->s2_on) {
		struct s2_access access = {.read = true,
		                           .write = true,
		                           .walk = true,
		                           .el0 = w->access->el0};
		struct s2_output out;

		if (!s2_translate(w, place->desc_ipa, place->desc_ipa_pas, &access, &out)) {
			return false;
		}
		pa = out.pa;
		pas = out.leaf.pas;
	}
	if (!descriptor_write(w, pa, pas, params->ee, desc)) {
		return fault_set(w, MMU_FAULT_EXTERNAL_WALK, leaf->level, NULL);
	}
	leaf->desc = desc;
	return true;
}

// Attributes after the cacheability controls of the regime.
static struct mem_attrs s1_attrs(const struct walker *w, const struct s1_params *params,
                                 uint64_t desc)
{
	const struct mmu_regime *regime = w->regime;
	bool fetch = w->access->type == MMU_EXEC;
	unsigned index = (unsigned)bits(desc, 4, 2);
	struct mem_attrs attrs =
	        attr_s1_decode((uint8_t)bits(regime->mair, index * 8 + 7, index * 8),
	                       params->ds ? params->sh : (unsigned)bits(desc, 9, 8));

	if (fetch ? attrs.is_device || (regime->sctlr & SCTLR_I) == 0
	          : !attrs.is_device && (regime->sctlr & SCTLR_C) == 0) {
		attrs = attr_normal_nc();
	}
	// Device and Normal Non-cacheable are Outer Shareable already for stage 2 to combine with
	// (Arm ARM D8.6.2); it shows where FWB makes such memory cacheable.
	attrs.share = attr_share_effective(&attrs);
	return attrs;
}

// AArch64.VAIsOutOfRange.
static bool va_out_of_range(const struct s1_params *params, uint64_t va)
{
	unsigned top = params->addr_top;
	uint64_t high;

	if (top < params->ia_bits) {
		return false;
	}
	high = bits(va, top, params->ia_bits);
	return high != (params->upper ? bits(~UINT64_C(0), top, params->ia_bits) : 0);
}

// AArch64.S1DisabledOutput.
static bool s1_disabled(struct walker *w, struct s1_output *out)
{
	const struct mmu_regime *regime = w->regime;
	uint64_t va = w->access->va.v;
	bool fetch = w->access->type == MMU_EXEC;
	struct s1_params params;
	unsigned pa_bits = regime->features->pa_bits;

	s1_params_decode(regime, va, fetch, &params);
	memset(out, 0, sizeof(*out));
	out->oa = va & MASK(55, 0);
	out->pas = regime_secure(regime) ? PAS_SECURE : PAS_NONSECURE;
	out->shift = 30;
	out->readable = out->writable = out->executable = true;
	out->held = true;
	out->leaf.global = true;
	if (regime->kind == MMU_REGIME_EL10 && regime->has_el2 && (regime->hcr & HCR_DC) != 0) {
		out->attrs.inner = out->attrs.outer =
		        (struct mem_hints){.cache = MEM_WB, .alloc = 3};
		out->attrs.share = SHARE_NON;
	} else if (fetch) {
		out->attrs = attr_normal_nc();
		if ((regime->sctlr & SCTLR_I) != 0) {
			out->attrs.inner = out->attrs.outer =
			        (struct mem_hints){.cache = MEM_WT, .alloc = 2};
		}
		out->attrs.share = SHARE_OUTER;
	} else {
		out->attrs = attr_device(0);
	}
	if (params.addr_top >= pa_bits && bits(va, params.addr_top, pa_bits) != 0) {
		return fault_set(w, MMU_FAULT_ADDRESS_SIZE, 0, NULL);
	}
	return true;
}

// AArch64.S1Translate.
static bool s1_translate(struct walker *w, struct s1_output *out)
{
	const struct mmu_regime *regime = w->regime;
	const struct mmu_access *access = w->access;
	uint64_t va = access->va.v;
	bool fetch = access->type == MMU_EXEC;
	struct s1_params params;
	struct s1_rights rights;
	struct s1_place place;
	struct leaf *leaf = &out->leaf;
	bool hit;

	s1_params_decode(regime, va, fetch, &params);
	if (params.size_fault || va_out_of_range(&params, va)) {
		return fault_set(w, MMU_FAULT_TRANSLATION, 0,
		                 control_name(regime,
		                              params.upper ? CONTROL_TXSZ1 : CONTROL_TXSZ0));
	}
	if (access->el0 && params.e0pd) {
		return fault_set(w, MMU_FAULT_TRANSLATION, 0,
		                 control_name(regime,
		                              params.upper ? CONTROL_E0PD1 : CONTROL_E0PD0));
	}
	tlb_tags_s1(regime, &w->tags);
	hit = tlb_lookup_s1(w->tlb, &w->tags, va, fetch, leaf) &&
	      address_fits(leaf->oa, params.oa_bits) &&
	      !s1_needs_dirty(&params, access, leaf->desc);
	if (!hit && !s1_walk(w, &params, va, leaf, &place)) {
		return false;
	}
	s1_rights(w, &params, leaf, &rights);
	if (!s1_permits(w, leaf, &rights)) {
		return false;
	}
	out->held = hit;
	if (!hit) {
		if (!s1_update(w, &params, leaf, &place)) {
			return false;
		}
		if ((leaf->desc & DESC_AF) != 0) {
			tlb_insert_s1(w->tlb, &w->tags, va, fetch, leaf);
			out->held = tlb_keeps(w->tlb);
		}
	}
	out->oa = leaf->oa | (va & (BIT(leaf->shift) - 1));
	out->pas = leaf->pas;
	out->shift = leaf->shift;
	out->attrs = s1_attrs(w, &params, leaf->desc);
	out->readable = rights.r;
	out->writable = rights.w && (leaf->desc & DESC_AP2) == 0;
	out->executable = rights.x;
	out->guarded = regime->features->bti && (leaf->desc & DESC_GP) != 0;
	return true;
}

// Stage 2 of the access itself, combined with what stage 1 gave.
static bool s2_apply(struct walker *w, const struct s1_output *s1, struct mmu_result *result)
{
	const struct mmu_access *access = w->access;
	bool fetch = access->type == MMU_EXEC;
	struct s2_access s2_access = {.read = access_reads(access),
	                              .write = access_writes(access),
	                              .fetch = fetch,
	                              .el0 = access->el0,
	                              .cache_op = access->cache_op,
	                              .at = access->at};
	struct s2_output s2;
	struct mem_attrs attrs;
	unsigned sh;

	if (!s2_translate(w, s1->oa, s1->pas, &s2_access, &s2)) {
		return false;
	}
	sh = s2.params->ds ? s2.params->sh : (unsigned)bits(s2.leaf.desc, 9, 8);
	if (s2.fwb) {
		attrs = attr_combine_fwb(&s1->attrs, (unsigned)bits(s2.leaf.desc, 5, 2), sh);
	} else {
		attrs = attr_s2_decode((unsigned)bits(s2.leaf.desc, 5, 2), sh);
	}
	if (fetch ? attrs.is_device || (w->regime->hcr & HCR_ID) != 0
	          : !attrs.is_device && (w->regime->hcr & HCR_CD) != 0) {
		attrs = attr_normal_nc();
	}
	if (!s2.fwb) {
		attrs = attr_combine(&s1->attrs, &attrs);
	}
	attr_report(&attrs, result);
	result->pa = pa_make(s2.pa);
	result->pas = s2.leaf.pas;
	result->has_stage2 = true;
	result->readable = s1->readable && s2.readable;
	result->writable = s1->writable && s2.writable;
	result->executable = s1->executable && (access->el0 ? s2.ux : s2.px);
	if (s2.leaf.shift < result->page_shift) {
		result->page_shift = s2.leaf.shift;
	}
	result->transient |= !tlb_keeps(w->tlb) || (s2.leaf.desc & DESC_AF) == 0;
	return true;
}

static bool translate(struct walker *w, struct mmu_result *result)
{
	const struct mmu_access *access = w->access;
	struct s1_output s1;

	memset(w->fault, 0, sizeof(*w->fault));
	w->fault->write =
	        access->cache_op || access->at || (access_writes(access) && !access_reads(access));
	w->s2_on = regime_s2_enabled(w->regime);
	w->s2_ready[0] = w->s2_ready[1] = false;
	if (regime_s1_enabled(w->regime) ? !s1_translate(w, &s1) : !s1_disabled(w, &s1)) {
		return false;
	}
	memset(result, 0, sizeof(*result));
	result->ipa = ipa_make(s1.oa);
	result->page_shift = s1.shift;
	result->guarded = s1.guarded;
	result->global = s1.leaf.global;
	result->transient = !s1.held;
	if (w->s2_on && !access->s1_only) {
		if (!s2_apply(w, &s1, result)) {
			return false;
		}
	} else {
		attr_report(&s1.attrs, result);
		result->pa = pa_make(s1.oa);
		result->pas = s1.pas;
		result->readable = s1.readable;
		result->writable = s1.writable;
		result->executable = s1.executable;
	}
	result->ns = result->pas == PAS_NONSECURE;
	return true;
}

bool mmu_translate(struct mmu_tlb *tlb, const struct mmu_regime *regime,
                   const struct mmu_access *access, struct mmu_result *result,
                   struct mmu_fault *fault)
{
	struct walker w = {.bus = tlb_bus(tlb),
	                   .tlb = tlb,
	                   .regime = regime,
	                   .access = access,
	                   .fault = fault};

	return translate(&w, result);
}

bool mmu_walk(struct bus *bus, const struct mmu_regime *regime, const struct mmu_access *access,
              bool no_update, struct mmu_result *result, struct mmu_fault *fault)
{
	struct walker w = {.bus = bus,
	                   .regime = regime,
	                   .access = access,
	                   .no_update = no_update,
	                   .fault = fault};

	return translate(&w, result);
}
