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
	uint32_t attr_key; // ATTR_*
	bool readable, writable, executable; // without a descriptor update
	bool guarded;
	bool held; // the TLB holds what this came from
};

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
	if (s1_needs_dirty(w, params, desc)) {
		desc &= ~DESC_AP2;
	}
	if (desc == leaf->desc) {
		return true;
	}
	if (w->view->s2_on) {
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

// Attributes after the cacheability controls of the regime, by the ATTR_* of stage 1.
static struct mem_attrs s1_attrs(const struct walker *w, uint32_t key)
{
	const struct mmu_regime *regime = w->regime;
	bool fetch = w->access->type == MMU_EXEC;
	unsigned index = key & 7;
	struct mem_attrs attrs;

	if ((key & ATTR_S1_OFF) != 0) {
		if (regime->kind == MMU_REGIME_EL10 && regime->has_el2 &&
		    (regime->hcr & HCR_DC) != 0) {
			memset(&attrs, 0, sizeof(attrs));
			attrs.inner = attrs.outer = (struct mem_hints){.cache = MEM_WB, .alloc = 3};
			attrs.share = SHARE_NON;
			attrs.tagged = regime->features->mte2 && (regime->hcr & HCR_DCT) != 0;
			return attrs;
		}
		if (!fetch) {
			return attr_device(0);
		}
		attrs = attr_normal_nc(true);
		if ((regime->sctlr & SCTLR_I) != 0) {
			attrs.inner = attrs.outer = (struct mem_hints){.cache = MEM_WT, .alloc = 2};
		}
		attrs.share = SHARE_OUTER;
		return attrs;
	}
	attrs = attr_s1_decode((uint8_t)bits(regime->mair, index * 8 + 7, index * 8),
			       (key >> ATTR_SH_SHIFT) & 3);
	attrs.tagged = attrs.tagged && regime->features->mte2;
	if (fetch ? attrs.is_device || (regime->sctlr & SCTLR_I) == 0
		  : !attrs.is_device && (regime->sctlr & SCTLR_C) == 0) {
		attrs = attr_normal_nc(attrs.xs);
	}
	// Device and Normal Non-cacheable are Outer Shareable already for stage 2 to combine with
	// (Arm ARM D8.6.2); it shows where FWB makes such memory cacheable.
	attrs.share = attr_share_effective(&attrs);
	return attrs;
}

// Those of both stages (s2 == NULL: of the first alone).
void attr_combine_stages(const struct walker *w, uint32_t s1_key, const struct s2_output *s2,
			 struct attr_result *out)
{
	struct mem_attrs s1 = s1_attrs(w, s1_key);
	bool fetch = w->access->type == MMU_EXEC;
	struct mem_attrs attrs = s1;

	if (s2 != NULL) {
		uint64_t desc = s2->leaf.desc;
		unsigned sh = s2->params->ds ? s2->params->sh : (unsigned)bits(desc, 9, 8);

		if (s2->fwb) {
			attrs = attr_combine_fwb(&s1, (unsigned)bits(desc, 5, 2), sh,
						 bit(desc, 11));
		} else {
			attrs = attr_s2_decode((unsigned)bits(desc, 5, 2), sh);
			attrs.xs = !bit(desc, 11); // FnXS
		}
		if (fetch ? attrs.is_device || (w->regime->hcr & HCR_ID) != 0
			  : !attrs.is_device && (w->regime->hcr & HCR_CD) != 0) {
			attrs = attr_normal_nc(attrs.xs);
		}
		if (!s2->fwb) {
			attrs = attr_combine(&s1, &attrs);
		}
	}
	attrs.xs |= !w->regime->features->xs;
	attr_report(&attrs, out);
	// HCR_EL2.FWB may make Normal memory of what stage 1 has for Device memory.
	out->aligned = s1.is_device || attrs.is_device;
}

// AArch64.S1HasAlignmentFault, which comes before permissions and before stage 2.
static bool s1_misaligned(const struct walker *w, uint32_t attr_key)
{
	return unlikely(w->access->misaligned) && s1_attrs(w, attr_key).is_device;
}

// AArch64.VAIsOutOfRange.
static inline bool va_out_of_range(const struct s1_params *params, uint64_t va, bool fetch)
{
	unsigned top = fetch ? params->addr_top_fetch : params->addr_top;
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
	uint64_t va = w->access->va.v;
	const struct s1_params *params = view_s1(w->view, bit(va, 55));
	unsigned pa_bits = w->regime->features->pa_bits;
	unsigned top = w->access->type == MMU_EXEC ? params->addr_top_fetch : params->addr_top;

	out->oa = va & MASK(55, 0);
	out->pas = w->view->secure ? PAS_SECURE : PAS_NONSECURE;
	out->shift = 30;
	out->readable = out->writable = out->executable = true;
	out->guarded = false;
	out->held = true;
	out->leaf.global = true;
	out->attr_key = ATTR_S1_OFF;
	if (top >= pa_bits && bits(va, top, pa_bits) != 0) {
		return fault_set(w, MMU_FAULT_ADDRESS_SIZE, 0, NULL);
	}
	return !s1_misaligned(w, out->attr_key) || fault_set(w, MMU_FAULT_ALIGNMENT, 0, NULL);
}

// AArch64.S1Translate.
static bool s1_translate(struct walker *w, struct s1_output *out)
{
	const struct mmu_regime *regime = w->regime;
	const struct mmu_access *access = w->access;
	uint64_t va = access->va.v;
	bool fetch = access->type == MMU_EXEC;
	struct mmu_view *view = w->view;
	const struct s1_params *params = view_s1(view, bit(va, 55));
	struct s1_rights rights;
	struct s1_place place;
	struct leaf *leaf = &out->leaf;
	unsigned allowed;
	bool hit;

	if (params->size_fault || va_out_of_range(params, va, fetch)) {
		return fault_set(w, MMU_FAULT_TRANSLATION, 0,
				 control_name(regime,
					      params->upper ? CONTROL_TXSZ1 : CONTROL_TXSZ0));
	}
	if (access->el0 && params->e0pd) {
		return fault_set(w, MMU_FAULT_TRANSLATION, 0,
				 control_name(regime,
					      params->upper ? CONTROL_E0PD1 : CONTROL_E0PD0));
	}
	hit = tlb_lookup_s1(w->tlb, &view->by_asid, &view->global, va, fetch, leaf) &&
	      address_fits(leaf->oa, params->oa_bits) && !s1_needs_dirty(w, params, leaf->desc);
	if (!hit && !s1_walk(w, params, va, leaf, &place)) {
		return false;
	}
	out->attr_key =
		(uint32_t)(bits(leaf->desc, 4, 2) |
			   (params->ds ? params->sh : bits(leaf->desc, 9, 8)) << ATTR_SH_SHIFT);
	if (s1_misaligned(w, out->attr_key)) {
		return fault_set(w, MMU_FAULT_ALIGNMENT, leaf->level, NULL);
	}
	s1_rights(w, params, leaf, &rights);
	if (!s1_permits(w, params, leaf, &rights)) {
		return false;
	}
	out->held = hit;
	if (!hit) {
		if (!s1_update(w, params, leaf, &place)) {
			return false;
		}
		if ((leaf->desc & DESC_AF) != 0) {
			tlb_insert_s1(w->tlb, leaf->global ? &view->global : &view->by_asid, va,
				      fetch, leaf);
			out->held = tlb_keeps(w->tlb);
		}
	}
	out->oa = leaf->oa | (va & (BIT(leaf->shift) - 1));
	out->pas = leaf->pas;
	out->shift = leaf->shift;
	allowed = rights.base & rights.overlay;
	out->readable = (allowed & RIGHT_READ) != 0;
	out->writable = (allowed & RIGHT_WRITE) != 0 && (leaf->desc & DESC_AP2) == 0;
	out->executable = (allowed & RIGHT_FETCH) != 0;
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
				      .at = access->at,
				      .misaligned = access->misaligned};
	struct s2_output s2;

	if (!s2_translate(w, s1->oa, s1->pas, &s2_access, &s2)) {
		return false;
	}
	report_attrs(w, s1->attr_key, &s2, result);
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
	struct mmu_view *view = w->view;
	struct s1_output s1;

	if (unlikely(view->ready == 0)) {
		view_prepare(view);
	}
	memset(w->fault, 0, sizeof(*w->fault));
	w->fault->write =
		access->cache_op || access->at || (access_writes(access) && !access_reads(access));
	if (view->s1_on ? !s1_translate(w, &s1) : !s1_disabled(w, &s1)) {
		return false;
	}
	result->ipa = ipa_make(s1.oa);
	result->page_shift = s1.shift;
	result->guarded = s1.guarded;
	result->global = s1.leaf.global;
	result->transient = !s1.held;
	if (view->s2_on && !access->s1_only) {
		if (!s2_apply(w, &s1, result)) {
			return false;
		}
	} else {
		report_attrs(w, s1.attr_key, NULL, result);
		result->pa = pa_make(s1.oa);
		result->pas = s1.pas;
		result->has_stage2 = false;
		result->readable = s1.readable;
		result->writable = s1.writable;
		result->executable = s1.executable;
	}
	result->ns = result->pas == PAS_NONSECURE;
	return true;
}

bool mmu_long_translate(struct mmu_tlb *tlb, struct mmu_view *view, const struct mmu_access *access,
			struct mmu_result *result, struct mmu_fault *fault)
{
	struct walker w = {.bus = tlb_bus(tlb),
			   .tlb = tlb,
			   .view = view,
			   .regime = view->regime,
			   .access = access,
			   .windows = tlb_windows(tlb),
			   .fault = fault};

	return translate(&w, result);
}

bool mmu_translate(struct mmu_tlb *tlb, const struct mmu_regime *regime,
		   const struct mmu_access *access, struct mmu_result *result,
		   struct mmu_fault *fault)
{
	struct mmu_view view;

	mmu_view_set(&view, regime);
	return mmu_view_translate(tlb, &view, access, result, fault);
}

bool mmu_walk(struct bus *bus, const struct mmu_regime *regime, const struct mmu_access *access,
	      bool no_update, struct mmu_result *result, struct mmu_fault *fault)
{
	struct ram_window windows[PAS_COUNT] = {{0, 0, NULL}};
	struct mmu_view view;
	struct walker w = {.bus = bus,
			   .view = &view,
			   .regime = regime,
			   .access = access,
			   .windows = windows,
			   .no_update = no_update,
			   .fault = fault};

	mmu_view_set(&view, regime);
	return translate(&w, result);
}
