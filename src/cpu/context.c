// SPDX-License-Identifier: Apache-2.0
// Translation contexts: which regime applies, and the fast TLB that belongs to it. Changing EL, ASID or VMID selects
// another fast TLB; nothing is flushed. What the architectural TLB drops is dropped here too.
#include <string.h>

#include "cpu/exec_internal.h"
#include "cpu/sysreg_fields.h"

// ---- which regime ---------------------------------------------------------------------------------------------

bool pe_is_secure(const struct pe *pe)
{
	return pe->el == 3 || pe_secure_below_el3(pe);
}

uint64_t pe_scr(const struct pe *pe)
{
	// Without EL3 the PE behaves as if Non-secure with nothing trapped or routed to EL3.
	return pe->has_el3 ? pe->sr[SR_SCR_EL3] :
			     SCR_EL3_NS | SCR_EL3_RW | SCR_EL3_HCE | SCR_EL3_APK | SCR_EL3_API;
}

bool pe_el2_enabled(const struct pe *pe)
{
	if (!pe->has_el2) {
		return false;
	}
	return !pe_secure_below_el3(pe) || (pe->sr[SR_SCR_EL3] & SCR_EL3_EEL2);
}

bool pe_in_host(const struct pe *pe)
{
	uint64_t hcr = pe_hcr_effective(pe);

	if (!(hcr & HCR_EL2_E2H)) {
		return false;
	}
	return pe->el == 2 || (pe->el == 0 && (hcr & HCR_EL2_TGE));
}

unsigned pe_regime_el(const struct pe *pe)
{
	if (pe->el == 0) {
		return pe_in_host(pe) ? 2 : 1;
	}
	return pe->el;
}

void pe_regime_build(const struct pe *pe, unsigned el, bool secure, struct mmu_regime *r)
{
	uint64_t hcr = 0;
	bool el2_on = pe->has_el2 && (!secure || (pe->sr[SR_SCR_EL3] & SCR_EL3_EEL2));

	if (el2_on) {
		hcr = pe->sr[SR_HCR_EL2];
	}
	memset(r, 0, sizeof(*r));
	r->secure = secure;
	r->features = &pe->model->mmu;
	r->scr = pe_scr(pe);
	r->has_el2 = el2_on;
	if (el == 3) {
		r->kind = MMU_REGIME_EL3;
		r->secure = true;
		r->sctlr = pe->sr[SR_SCTLR_EL3];
		r->tcr = pe->sr[SR_TCR_EL3];
		r->ttbr[0] = pe->sr[SR_TTBR0_EL3];
		r->mair = pe->sr[SR_MAIR_EL3];
	} else if (el == 2 || (el == 0 && (hcr & HCR_EL2_E2H) && (hcr & HCR_EL2_TGE))) {
		r->kind = (hcr & HCR_EL2_E2H) ? MMU_REGIME_EL20 : MMU_REGIME_EL2;
		r->sctlr = pe->sr[SR_SCTLR_EL2];
		r->tcr = pe->sr[SR_TCR_EL2];
		r->ttbr[0] = pe->sr[SR_TTBR0_EL2];
		r->ttbr[1] = pe->sr[SR_TTBR1_EL2];
		r->mair = pe->sr[SR_MAIR_EL2];
		r->hcr = hcr;
	} else {
		r->kind = MMU_REGIME_EL10;
		r->sctlr = pe->sr[SR_SCTLR_EL1];
		r->tcr = pe->sr[SR_TCR_EL1];
		r->ttbr[0] = pe->sr[SR_TTBR0_EL1];
		r->ttbr[1] = pe->sr[SR_TTBR1_EL1];
		r->mair = pe->sr[SR_MAIR_EL1];
		r->hcr = hcr;
		// HCR_EL2.{TGE,DC} force stage 1 of EL1&0 off (SCTLR_EL1.M reads as 0 for translation).
		if (hcr & (HCR_EL2_TGE | HCR_EL2_DC)) {
			r->sctlr &= ~SCTLR_M;
		}
		if (el2_on) {
			r->s2_ee = (pe->sr[SR_SCTLR_EL2] & SCTLR_EE) != 0;
			r->vtcr = pe->sr[SR_VTCR_EL2];
			r->vttbr = pe->sr[SR_VTTBR_EL2];
			r->vstcr = pe->sr[SR_VSTCR_EL2];
			r->vsttbr = pe->sr[SR_VSTTBR_EL2];
		}
	}
}

// ---- fast TLBs ------------------------------------------------------------------------------------------------

static void fast_clear(struct fast_tlb *fast)
{
	if (fast->empty) {
		return;
	}
	for (unsigned i = 0; i < FAST_COUNT; i++) {
		fast->e[i].tag_r = FAST_INVALID;
		fast->e[i].tag_w = FAST_INVALID;
	}
	for (unsigned i = 0; i < FAST_EXEC_COUNT; i++) {
		fast->x[i].tag = FAST_INVALID;
	}
	fast->empty = true;
}

static void fast_reset(struct fast_tlb *fast)
{
	fast->empty = false;
	fast_clear(fast);
}

static bool key_equal(const struct fast_key *a, const struct fast_key *b)
{
	return a->asid == b->asid && a->vmid == b->vmid && a->kind == b->kind && a->secure == b->secure &&
	       a->el0 == b->el0 && a->pan == b->pan && a->has_el2 == b->has_el2 && a->sctlr == b->sctlr &&
	       a->tcr == b->tcr && a->mair == b->mair && a->hcr == b->hcr && a->vtcr == b->vtcr && a->scr == b->scr;
}

#define SCTLR_CONTEXT (SCTLR_M | SCTLR_A | SCTLR_C | SCTLR_I | SCTLR_WXN | SCTLR_EE | SCTLR_E0E | SCTLR_EPAN)
#define HCR_CONTEXT \
	(HCR_EL2_VM | HCR_EL2_DC | HCR_EL2_PTW | HCR_EL2_CD | HCR_EL2_ID | HCR_EL2_FWB | HCR_EL2_TGE | HCR_EL2_E2H)

static void key_build(const struct mmu_regime *r, bool el0, bool pan, struct fast_key *key)
{
	memset(key, 0, sizeof(*key));
	key->sctlr = r->sctlr & SCTLR_CONTEXT;
	key->tcr = r->tcr;
	key->mair = r->mair;
	key->hcr = r->hcr & HCR_CONTEXT;
	key->vtcr = r->vtcr ^ ror64(r->vstcr, 32);
	key->scr = r->scr & (SCR_EL3_SIF | SCR_EL3_NS | SCR_EL3_EEL2);
	key->asid = (r->sctlr & SCTLR_M) ? mmu_regime_asid(r) : 0;
	key->vmid = mmu_regime_vmid(r);
	key->kind = (uint8_t)r->kind;
	key->secure = r->secure;
	key->has_el2 = r->has_el2;
	key->el0 = el0;
	key->pan = pan;
}

static unsigned key_hash(const struct fast_key *key)
{
	uint64_t h = key->sctlr ^ ror64(key->tcr, 17) ^ ror64(key->mair, 31) ^ ror64(key->hcr, 43) ^ ror64(key->vtcr, 7);

	h ^= (uint64_t)key->asid << 20 ^ (uint64_t)key->vmid << 40 ^ (uint64_t)key->kind << 60 ^
	     (uint64_t)key->el0 << 13 ^ (uint64_t)key->pan << 14 ^ (uint64_t)key->secure << 15;
	h *= UINT64_C(0x9e3779b97f4a7c15);
	return (unsigned)(h >> 32) & (CONTEXT_HINTS - 1);
}

// A free context, or the one that was not used for longest.
static struct fast_tlb *context_allocate(struct pe *pe)
{
	struct fast_tlb *oldest = NULL;

	if (pe->context_count < FAST_CONTEXTS) {
		oldest = &pe->contexts[pe->context_count++];
		fast_reset(oldest);
		return oldest;
	}
	for (unsigned i = 0; i < FAST_CONTEXTS; i++) {
		struct fast_tlb *fast = &pe->contexts[i];

		if ((oldest == NULL || fast->used < oldest->used) && fast != pe->fast && fast != pe->fast_unpriv &&
		    fast != pe->exec_fast) {
			oldest = fast;
		}
	}
	fast_clear(oldest);
	pe->view_epoch++; // a view may have pointed to it
	return oldest;
}

static struct fast_tlb *context_find(struct pe *pe, const struct fast_key *key)
{
	uint16_t *hint = &pe->context_hint[key_hash(key)];
	struct fast_tlb *found = NULL;

	if (*hint < pe->context_count && key_equal(&pe->contexts[*hint].key, key)) {
		found = &pe->contexts[*hint];
	}
	for (unsigned i = 0; found == NULL && i < pe->context_count; i++) {
		if (key_equal(&pe->contexts[i].key, key)) {
			found = &pe->contexts[i];
		}
	}
	if (found == NULL) {
		found = context_allocate(pe);
		found->key = *key;
		found->id = ++pe->context_sequence;
		pe->context_tags[found - pe->contexts] = (struct context_tag){
			.asid = key->asid,
			.vmid = key->vmid,
			.kind = key->kind,
			.secure = key->secure,
			.s1_on = key->sctlr & SCTLR_M,
		};
	}
	*hint = (uint16_t)(found - pe->contexts);
	found->used = ++pe->context_clock;
	return found;
}

void pe_contexts_reset(struct pe *pe)
{
	pe->view_epoch++;
	pe->context_count = 0;
	fast_reset(pe->none);
	pe->none->id = ++pe->context_sequence;
	pe->fast = pe->fast_unpriv = pe->exec_fast = pe->none;
}

static struct fast_tlb *context_for(struct pe *pe, unsigned el, bool pan)
{
	struct mmu_regime regime;
	struct fast_key key;

	pe_regime_build(pe, el, el == 3 || pe_secure_below_el3(pe), &regime);
	key_build(&regime, el == 0, pan, &key);
	return context_find(pe, &key);
}

// EL0's view through LDTR/STTR: from EL1, or from EL2 with E2H and TGE (Arm ARM, AArch64.IsUnprivAccessPriv).
static bool unpriv_level(const struct pe *pe)
{
	uint64_t hcr = pe_hcr_effective(pe);

	return pe->el == 1 || (pe->el == 2 && (hcr & HCR_EL2_E2H) && (hcr & HCR_EL2_TGE));
}

bool pe_unpriv_is_el0(const struct pe *pe)
{
	return !pe->uao && unpriv_level(pe);
}

void pe_view_build(struct pe *pe, struct level_view *view, bool pan)
{
	uint64_t sctlr;

	pe_regime_build(pe, pe->el, pe_is_secure(pe), &view->regime);
	view->fast = context_for(pe, pe->el, pan);
	view->unpriv = unpriv_level(pe) ? context_for(pe, 0, false) : view->fast;
	// HCR_EL2.{TGE,DC} mask M only; the other bits of SCTLR apply as they are.
	sctlr = view->regime.sctlr;
	view->checks.align = sctlr & SCTLR_A;
	view->checks.sp = sctlr & (pe->el == 0 ? SCTLR_SA0 : SCTLR_SA);
	view->checks.fp_trap = fp_access_trapped(pe);
	// Alignment checks and watchpoints want to see every access.
	view->data = view->fast;
	if (view->checks.align || pe->watch_active) {
		view->data = view->unpriv = pe->none;
	}
	view->epoch = pe->view_epoch; // last: finding a context may raise it
}

void pe_context_select(struct pe *pe)
{
	// PAN applies to privileged accesses in a regime with unprivileged ones.
	bool pan = pe->pan && (pe->el == 1 || (pe->el == 2 && pe_e2h(pe)));
	struct level_view *view = &pe->views[pe->el][pan];

	if (unlikely(view->epoch != pe->view_epoch)) {
		pe_view_build(pe, view, pan);
	}
	pe->regime = &view->regime;
	pe->exec_fast = view->fast;
	pe->jump_id = view->fast->id;
	pe->fast = view->data;
	pe->fast_unpriv = pe->uao ? view->data : view->unpriv;
	pe->checks = view->checks;
}

void pe_context_changed(struct pe *pe)
{
	pe->view_epoch++;
	pe_context_select(pe);
}

// ---- dropping -------------------------------------------------------------------------------------------------

static bool drop_matches(const struct context_tag *tag, const struct mmu_tlb_drop *drop)
{
	if (drop->all) {
		return true;
	}
	if (tag->kind != drop->kind || tag->secure != drop->secure) {
		return false;
	}
	if (!drop->any_vmid && drop->kind == MMU_REGIME_EL10 && tag->vmid != drop->vmid) {
		return false;
	}
	// A context with stage 1 off has no ASID: stage-2 derived entries of any ASID are in it.
	return drop->any_asid || drop->global || tag->asid == drop->asid || !tag->s1_on;
}

static void fast_drop_range(struct fast_tlb *fast, uint64_t va, unsigned shift)
{
	uint64_t size = shift < 64 ? UINT64_C(1) << shift : 0, base = shift < 64 ? va & ~(size - 1) : 0;

	if (shift == PAGE_SHIFT) {
		struct fast_entry *e = &fast->e[(va >> PAGE_SHIFT) & (FAST_COUNT - 1)];
		struct exec_entry *x = &fast->x[(va >> PAGE_SHIFT) & (FAST_EXEC_COUNT - 1)];

		if (e->tag_r == base) {
			e->tag_r = FAST_INVALID;
		}
		if (e->tag_w == base) {
			e->tag_w = FAST_INVALID;
		}
		if (x->tag == base) {
			x->tag = FAST_INVALID;
		}
		return;
	}
	for (unsigned i = 0; i < FAST_COUNT; i++) {
		struct fast_entry *e = &fast->e[i];

		if (e->tag_r - base < size) {
			e->tag_r = FAST_INVALID;
		}
		if (e->tag_w - base < size) {
			e->tag_w = FAST_INVALID;
		}
	}
	for (unsigned i = 0; i < FAST_EXEC_COUNT; i++) {
		if (fast->x[i].tag - base < size) {
			fast->x[i].tag = FAST_INVALID;
		}
	}
}

void pe_tlb_dropped(void *opaque, const struct mmu_tlb_drop *drop)
{
	struct pe *pe = opaque;

	for (unsigned i = 0; i < pe->context_count; i++) {
		struct fast_tlb *fast = &pe->contexts[i];

		if (!drop_matches(&pe->context_tags[i], drop)) {
			continue;
		}
		if (!fast->empty) {
			if (drop->all || drop->all_va || drop->shift >= 64) {
				fast_clear(fast);
			} else {
				fast_drop_range(fast, drop->va, drop->shift);
			}
		}
		if (drop->exec || drop->all) {
			fast->id = ++pe->context_sequence;
		}
	}
	if (pe->exec_fast != NULL) {
		pe->jump_id = pe->exec_fast->id;
	}
}

// ---- code -----------------------------------------------------------------------------------------------------

void pe_code_flushed(struct pe *pe)
{
	for (unsigned i = 0; i < JUMP_COUNT; i++) {
		pe->jumps[i].id = 0;
	}
	for (unsigned i = 0; i < pe->context_count; i++) {
		for (unsigned j = 0; j < FAST_EXEC_COUNT; j++) {
			pe->contexts[i].x[j].tag = FAST_INVALID;
		}
	}
	pe->code_page = NULL;
}

void pe_write_protect(struct pe *pe, const uint8_t *host)
{
	for (unsigned i = 0; i < pe->context_count; i++) {
		struct fast_tlb *fast = &pe->contexts[i];

		if (fast->empty) {
			continue;
		}
		for (unsigned j = 0; j < FAST_COUNT; j++) {
			struct fast_entry *e = &fast->e[j];

			if (e->tag_w != FAST_INVALID && e->tag_w + e->addend == (uintptr_t)host) {
				e->tag_w = FAST_INVALID;
			}
		}
	}
}
