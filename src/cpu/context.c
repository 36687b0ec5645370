// SPDX-License-Identifier: Apache-2.0
// Translation contexts: which regime applies, and the fast TLB that belongs to it. Changing EL, ASID or VMID selects
// another fast TLB; nothing is flushed. What the architectural TLB drops is dropped here too.
#include <string.h>

#include "cpu/exec_internal.h"
#include "cpu/sysreg_fields.h"

// ---- which regime ---------------------------------------------------------------------------------------------

bool pe_secure_below_el3(const struct pe *pe)
{
	return pe->has_el3 ? !(pe->sr[SR_SCR_EL3] & SCR_EL3_NS) : false;
}

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

uint64_t pe_hcr_effective(const struct pe *pe)
{
	return pe_el2_enabled(pe) ? pe->sr[SR_HCR_EL2] : 0;
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

static struct fast_tlb *context_find(struct pe *pe, const struct fast_key *key)
{
	struct fast_tlb *oldest = &pe->contexts[0];

	pe->context_clock++;
	for (unsigned i = 0; i < FAST_CONTEXTS; i++) {
		struct fast_tlb *fast = &pe->contexts[i];

		if (!fast->valid) {
			oldest = fast;
			break;
		}
		if (key_equal(&fast->key, key)) {
			fast->used = pe->context_clock;
			return fast;
		}
		if (fast->used < oldest->used && fast != pe->fast && fast != pe->fast_unpriv) {
			oldest = fast;
		}
	}
	if (!oldest->valid) {
		fast_reset(oldest);
	} else {
		fast_clear(oldest);
	}
	oldest->valid = true;
	oldest->key = *key;
	oldest->used = pe->context_clock;
	oldest->id = ++pe->context_sequence;
	// A cached pointer to what was replaced must go.
	memset(pe->context_cache, 0, sizeof(pe->context_cache));
	return oldest;
}

void pe_contexts_reset(struct pe *pe)
{
	memset(pe->context_cache, 0, sizeof(pe->context_cache));
	for (unsigned i = 0; i < FAST_CONTEXTS; i++) {
		pe->contexts[i].valid = false;
	}
	fast_reset(pe->none);
	pe->none->id = ++pe->context_sequence;
	pe->fast = pe->fast_unpriv = pe->exec_fast = pe->none;
}

static struct fast_tlb *context_for(struct pe *pe, unsigned el, bool pan)
{
	struct fast_tlb **cached = &pe->context_cache[el][pan];

	if (*cached == NULL) {
		struct mmu_regime regime;
		struct fast_key key;
		struct fast_tlb *found;

		pe_regime_build(pe, el, el == 3 || pe_secure_below_el3(pe), &regime);
		key_build(&regime, el == 0, pan, &key);
		found = context_find(pe, &key); // may clear context_cache
		pe->context_cache[el][pan] = found;
	}
	return *cached;
}

static void fp_access_select(struct pe *pe)
{
	pe->fp_trap = fp_access_trapped(pe);
}

static void checks_select(struct pe *pe)
{
	uint64_t sctlr = pe->regime.sctlr;

	// HCR_EL2.{TGE,DC} mask M only; the other bits of SCTLR apply as they are.
	pe->align_check = sctlr & SCTLR_A;
	pe->sp_check = pe->el == 0 ? (sctlr & SCTLR_SA0) : (sctlr & SCTLR_SA);
}

// EL0's view through LDTR/STTR: from EL1, or from EL2 with E2H and TGE (Arm ARM, AArch64.IsUnprivAccessPriv).
bool pe_unpriv_is_el0(const struct pe *pe)
{
	uint64_t hcr = pe_hcr_effective(pe);

	if (pe->uao && has(pe, FEAT_UAO)) {
		return false;
	}
	if (pe->el == 1) {
		return true;
	}
	return pe->el == 2 && (hcr & HCR_EL2_E2H) && (hcr & HCR_EL2_TGE);
}

void pe_context_select(struct pe *pe)
{
	// PAN applies to privileged accesses in a regime with unprivileged ones.
	bool pan = pe->pan && (pe->el == 1 || (pe->el == 2 && pe_e2h(pe)));
	struct fast_tlb *fast = context_for(pe, pe->el, pan);

	pe_regime_build(pe, pe->el, pe_is_secure(pe), &pe->regime);
	pe->exec_fast = fast;
	pe->jump_id = fast->id;
	pe->fast_unpriv = pe_unpriv_is_el0(pe) ? context_for(pe, 0, false) : fast;
	pe->fast = fast;
	if (pe->watch_active || (pe->regime.sctlr & SCTLR_A)) {
		pe->fast = pe->fast_unpriv = pe->none;
	}
	checks_select(pe);
	fp_access_select(pe);
}

void pe_context_changed(struct pe *pe)
{
	memset(pe->context_cache, 0, sizeof(pe->context_cache));
	pe_context_select(pe);
}

// ---- dropping -------------------------------------------------------------------------------------------------

static bool drop_matches(const struct fast_key *key, const struct mmu_tlb_drop *drop)
{
	if (drop->all) {
		return true;
	}
	if (key->kind != drop->kind || key->secure != drop->secure) {
		return false;
	}
	if (!drop->any_vmid && drop->kind == MMU_REGIME_EL10 && key->vmid != drop->vmid) {
		return false;
	}
	// A context with stage 1 off has no ASID: stage-2 derived entries of any ASID are in it.
	return drop->any_asid || drop->global || key->asid == drop->asid || !(key->sctlr & SCTLR_M);
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

	for (unsigned i = 0; i < FAST_CONTEXTS; i++) {
		struct fast_tlb *fast = &pe->contexts[i];

		if (!fast->valid) {
			break;
		}
		if (!drop_matches(&fast->key, drop)) {
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
	for (unsigned i = 0; i < FAST_CONTEXTS; i++) {
		for (unsigned j = 0; pe->contexts[i].valid && j < FAST_EXEC_COUNT; j++) {
			pe->contexts[i].x[j].tag = FAST_INVALID;
		}
	}
	pe->code_page = NULL;
}

void pe_write_protect(struct pe *pe, const uint8_t *host)
{
	for (unsigned i = 0; i < FAST_CONTEXTS && pe->contexts[i].valid; i++) {
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
