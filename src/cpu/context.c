// SPDX-License-Identifier: Apache-2.0
// Translation contexts: which regime applies, and the fast TLB that belongs to it. Changing EL,
// ASID or VMID selects another fast TLB; nothing is flushed. What the architectural TLB drops is
// dropped here too.
#include <string.h>

#include "cpu/exec_internal.h"
#include "cpu/mte.h"
#include "cpu/sysreg_fields.h"
#include "cpu/sysreg_internal.h"

// ---- which regime -------------------------------------------------------------------------------

bool pe_is_secure(const struct pe *pe)
{
	return pe->el == 3 || pe_secure_below_el3(pe);
}

uint64_t pe_scr(const struct pe *pe)
{
	// Without EL3 the PE behaves as if Non-secure with nothing trapped or routed to EL3.
	return pe->has_el3 ? pe->sr[SR_SCR_EL3]
			   : SCR_EL3_NS | SCR_EL3_RW | SCR_EL3_HCE | SCR_EL3_APK | SCR_EL3_API;
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

// TCR2_ELx as far as it has effect (IsTCR2EL1Enabled, IsTCR2EL2Enabled), and the permission
// registers that it puts to use. Whether SCR_EL3.PIEn makes those read as zero is IMPLEMENTATION
// SPECIFIC; here it traps them and no more.
static void permissions_build(const struct pe *pe, struct mmu_regime *r)
{
	bool on = has(pe, FEAT_TCR2) && (!pe->has_el3 || (pe->sr[SR_SCR_EL3] & SCR_EL3_TCR2En));
	bool el1 = r->kind == MMU_REGIME_EL10;

	if (r->kind == MMU_REGIME_EL3) {
		r->tcr2 = (pe->sr[SR_TCR_EL3] & TCR_EL3_PIE ? TCR2_PIE : 0) |
			  (pe->sr[SR_TCR_EL3] & TCR_EL3_POE ? TCR2_POE : 0);
		r->pir = pe->sr[SR_PIR_EL3];
		r->por = pe->sr[SR_POR_EL3];
		return;
	}
	if (el1 && r->has_el2) {
		on = on && (sysreg_effective_hcrx(pe) & HCRX_EL2_TCR2En);
	}
	r->s2por = el1 && (r->vtcr & VTCR_EL2_S2POE) ? pe->sr[SR_S2POR_EL1] : 0;
	r->s2pir = el1 && (r->vtcr & VTCR_EL2_S2PIE) ? pe->sr[SR_S2PIR_EL2] : 0;
	if (!on) {
		return;
	}
	r->tcr2 = pe->sr[el1 ? SR_TCR2_EL1 : SR_TCR2_EL2] & (TCR2_PIE | TCR2_POE | TCR2_E0POE);
	if (r->tcr2 & TCR2_PIE) {
		r->pir = pe->sr[el1 ? SR_PIR_EL1 : SR_PIR_EL2];
		r->pire0 = pe->sr[el1 ? SR_PIRE0_EL1 : SR_PIRE0_EL2];
	}
	if (r->tcr2 & TCR2_POE) {
		r->por = pe->sr[el1 ? SR_POR_EL1 : SR_POR_EL2];
	}
	if (r->tcr2 & TCR2_E0POE) {
		r->por_el0 = pe->sr[SR_POR_EL0];
	}
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
		// HCR_EL2.{TGE,DC} force stage 1 of EL1&0 off (SCTLR_EL1.M reads as 0 for
		// translation).
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
	if (has(pe, FEAT_TCR2) || has(pe, FEAT_S2PIE)) {
		permissions_build(pe, r);
	}
}

// ---- fast TLBs ----------------------------------------------------------------------------------

static void entry_kill(struct fast_entry *e)
{
	e->tag_r = FAST_INVALID;
	e->tag_w = FAST_INVALID;
}

static void fast_clear_data(struct fast_tlb *fast)
{
	if (fast->empty) {
		return;
	}
	for (unsigned w = 0; w < FAST_COUNT / 64; w++) {
		for (uint64_t used = fast->used_e[w]; used != 0; used &= used - 1) {
			entry_kill(&fast->e[w * 64 + ctz64(used)]);
		}
		fast->used_e[w] = 0;
	}
	for (uint32_t used = fast->used_a; used != 0; used &= used - 1) {
		entry_kill(&fast->a[ctz64(used)]);
	}
	fast->used_a = 0;
	fast->empty = true;
}

static void fast_clear_exec(struct fast_tlb *fast)
{
	if (fast->empty_x) {
		return;
	}
	for (unsigned w = 0; w < FAST_EXEC_COUNT / 64; w++) {
		for (uint64_t used = fast->used_x[w]; used != 0; used &= used - 1) {
			fast->x[w * 64 + ctz64(used)].tag = FAST_INVALID;
		}
		fast->used_x[w] = 0;
	}
	fast->empty_x = true;
}

static void fast_clear(struct fast_tlb *fast)
{
	fast_clear_data(fast);
	fast_clear_exec(fast);
}

static void fast_reset(struct fast_tlb *fast)
{
	for (unsigned i = 0; i < FAST_COUNT; i++) {
		entry_kill(&fast->e[i]);
	}
	for (unsigned i = 0; i < FAST_ALIGNED_COUNT; i++) {
		entry_kill(&fast->a[i]);
	}
	for (unsigned i = 0; i < FAST_EXEC_COUNT; i++) {
		fast->x[i].tag = FAST_INVALID;
	}
	memset(fast->used_e, 0, sizeof(fast->used_e));
	memset(fast->used_x, 0, sizeof(fast->used_x));
	fast->used_a = 0;
	fast->empty = true;
	fast->empty_x = true;
}

static bool key_equal(const struct fast_key *a, const struct fast_key *b)
{
	return a->asid == b->asid && a->vmid == b->vmid && a->kind == b->kind &&
	       a->secure == b->secure && a->el0 == b->el0 && a->pan == b->pan &&
	       a->has_el2 == b->has_el2 && a->tags == b->tags && a->sctlr == b->sctlr &&
	       a->tcr == b->tcr && a->mair == b->mair && a->hcr == b->hcr && a->vtcr == b->vtcr &&
	       a->scr == b->scr && a->tcr2 == b->tcr2 && a->pir == b->pir && a->pire0 == b->pire0 &&
	       a->por == b->por && a->s2pir == b->s2pir && a->s2por == b->s2por;
}

#define SCTLR_CONTEXT \
	(SCTLR_M | SCTLR_A | SCTLR_C | SCTLR_I | SCTLR_WXN | SCTLR_EE | SCTLR_E0E | SCTLR_EPAN)
#define HCR_CONTEXT \
	(HCR_EL2_VM | HCR_EL2_DC | HCR_EL2_PTW | HCR_EL2_CD | HCR_EL2_ID | HCR_EL2_FWB | \
	 HCR_EL2_TGE | HCR_EL2_E2H | HCR_EL2_NV | HCR_EL2_NV1)

static void key_build(const struct mmu_regime *r, bool el0, bool pan, struct fast_key *key)
{
	memset(key, 0, sizeof(*key));
	key->sctlr = r->sctlr & SCTLR_CONTEXT;
	key->tcr = r->tcr;
	key->mair = r->mair;
	key->hcr = r->hcr & HCR_CONTEXT;
	key->vtcr = r->vtcr ^ ror64(r->vstcr, 32);
	key->scr = r->scr & (SCR_EL3_SIF | SCR_EL3_NS | SCR_EL3_EEL2);
	key->tcr2 = r->tcr2;
	key->pir = r->pir;
	key->pire0 = r->pire0;
	key->por = el0 ? r->por_el0 : r->por;
	key->s2pir = r->s2pir;
	key->s2por = r->s2por;
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
	uint64_t h = key->sctlr ^ ror64(key->tcr, 17) ^ ror64(key->mair, 31) ^ ror64(key->hcr, 43) ^
		     ror64(key->vtcr, 7) ^ ror64(key->pir, 3) ^ ror64(key->pire0, 29) ^ key->por ^
		     ror64(key->s2pir, 37) ^ ror64(key->s2por, 53) ^ key->tcr2 << 48;

	h ^= (uint64_t)key->asid << 20 ^ (uint64_t)key->vmid << 40 ^ (uint64_t)key->kind << 60 ^
	     (uint64_t)key->el0 << 13 ^ (uint64_t)key->pan << 14 ^ (uint64_t)key->secure << 15 ^
	     (uint64_t)key->tags << 16;
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

		if ((oldest == NULL || fast->used < oldest->used) && fast != pe->fast &&
		    fast != pe->fast_unpriv && fast != pe->exec_fast) {
			oldest = fast;
		}
	}
	fast_clear(oldest);
	pe->view_epoch++; // a view may have pointed to it
	return oldest;
}

// A context as drops see it.
#define CONTEXT_TAG_ASID MASK(15, 0)
#define CONTEXT_TAG_VMID_SHIFT 16
#define CONTEXT_TAG_VMID MASK(31, 16)
#define CONTEXT_TAG_KIND_SHIFT 32
#define CONTEXT_TAG_KIND MASK(35, 32)
#define CONTEXT_TAG_SECURE BIT(36)
#define CONTEXT_TAG_S1_OFF BIT(37) // without stage 1 the ASID means nothing

static uint64_t context_tag(unsigned asid, unsigned vmid, unsigned kind, bool secure)
{
	return asid | (uint64_t)vmid << CONTEXT_TAG_VMID_SHIFT |
	       (uint64_t)kind << CONTEXT_TAG_KIND_SHIFT | (secure ? CONTEXT_TAG_SECURE : 0);
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
		pe->context_tags[found - pe->contexts] =
			context_tag(key->asid, key->vmid, key->kind, key->secure) |
			(key->sctlr & SCTLR_M ? 0 : CONTEXT_TAG_S1_OFF);
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

// EL0's view through LDTR/STTR: from EL1, unless NV and NV1 make it privileged, or from EL2 with
// E2H and TGE (Arm ARM, AArch64.IsUnprivAccessPriv).
bool pe_has_unpriv(const struct pe *pe)
{
	uint64_t hcr = pe_hcr_effective(pe);

	return (pe->el == 1 && !(pe_nv(pe) & PE_NV1)) ||
	       (pe->el == 2 && (hcr & HCR_EL2_E2H) && (hcr & HCR_EL2_TGE));
}

bool pe_unpriv_is_el0(const struct pe *pe)
{
	return !pe->uao && pe_has_unpriv(pe);
}

void pe_view_build(struct pe *pe, struct level_view *view, bool pan)
{
	struct fast_key key;
	uint64_t sctlr;

	pe_regime_build(pe, pe->el, pe_is_secure(pe), &view->regime);
	mmu_view_set(view->mmu, &view->regime);
	key_build(&view->regime, pe->el == 0, pan, &key);
	key.tags = mte_checks_enabled(pe, false);
	view->fast = view->unpriv = context_find(pe, &key);
	if (pe_has_unpriv(pe)) {
		// EL0 is of the same regime.
		key_build(&view->regime, true, false, &key);
		key.tags = mte_checks_enabled(pe, true);
		view->unpriv = context_find(pe, &key);
	}
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

void pe_context_changed(struct pe *pe)
{
	pe->view_epoch++;
	pe_context_select(pe);
}

// ---- dropping -----------------------------------------------------------------------------------

// The contexts that a drop means: those whose tag, masked, is one of two values.
struct drop_match {
	uint64_t mask, value;
	uint64_t off_mask, off_value;
};

static struct drop_match drop_match(const struct mmu_tlb_drop *drop)
{
	struct drop_match m = {0};

	if (drop->all) {
		return m;
	}
	m.mask = CONTEXT_TAG_KIND | CONTEXT_TAG_SECURE;
	if (!drop->any_vmid && drop->kind == MMU_REGIME_EL10) {
		m.mask |= CONTEXT_TAG_VMID;
	}
	m.value = m.off_value = context_tag(drop->asid, drop->vmid, drop->kind, drop->secure);
	// A context with stage 1 off has no ASID: stage-2 derived entries of any ASID are in it.
	m.off_mask = m.mask | CONTEXT_TAG_S1_OFF;
	m.off_value |= CONTEXT_TAG_S1_OFF;
	if (!drop->any_asid && !drop->global) {
		m.mask |= CONTEXT_TAG_ASID;
	}
	m.value &= m.mask;
	m.off_value &= m.off_mask;
	return m;
}

static inline void entry_drop(struct fast_entry *e, uint64_t base, uint64_t size)
{
	if (e->tag_r - base < size) {
		e->tag_r = FAST_INVALID;
	}
	if (e->tag_w - base < size) {
		e->tag_w = FAST_INVALID;
	}
}

static void fast_drop_data(struct fast_tlb *fast, uint64_t va, unsigned shift)
{
	uint64_t size = UINT64_C(1) << shift, base = va & ~(size - 1), page = va >> PAGE_SHIFT;

	if (shift == PAGE_SHIFT) {
		entry_drop(&fast->e[page & (FAST_COUNT - 1)], base, size);
		if (unlikely(fast->used_a != 0)) {
			entry_drop(&fast->a[page & (FAST_ALIGNED_COUNT - 1)], base, size);
		}
		return;
	}
	for (unsigned w = 0; w < FAST_COUNT / 64; w++) {
		for (uint64_t used = fast->used_e[w]; used != 0; used &= used - 1) {
			entry_drop(&fast->e[w * 64 + ctz64(used)], base, size);
		}
	}
	for (uint32_t used = fast->used_a; used != 0; used &= used - 1) {
		entry_drop(&fast->a[ctz64(used)], base, size);
	}
}

static void fast_drop_exec(struct fast_tlb *fast, uint64_t va, unsigned shift)
{
	uint64_t size = UINT64_C(1) << shift, base = va & ~(size - 1);

	for (unsigned w = 0; w < FAST_EXEC_COUNT / 64; w++) {
		for (uint64_t used = fast->used_x[w]; used != 0; used &= used - 1) {
			struct exec_entry *x = &fast->x[w * 64 + ctz64(used)];

			if (x->tag - base < size) {
				x->tag = FAST_INVALID;
			}
		}
	}
}

// Fetches keep what they have unless the drop says that an entry was fetched through.
void pe_tlb_dropped(void *opaque, const struct mmu_tlb_drop *drop)
{
	struct pe *pe = opaque;
	struct drop_match m = drop_match(drop);
	bool everything = drop->all || drop->all_va || drop->shift >= 64,
	     exec = drop->exec || drop->all;

	for (unsigned i = 0; i < pe->context_count; i++) {
		uint64_t tag = pe->context_tags[i];
		struct fast_tlb *fast = &pe->contexts[i];

		if (likely((tag & m.mask) != m.value && (tag & m.off_mask) != m.off_value)) {
			continue;
		}
		if (!fast->empty) {
			if (everything) {
				fast_clear_data(fast);
			} else {
				fast_drop_data(fast, drop->va, drop->shift);
			}
		}
		if (exec) {
			fast->id = ++pe->context_sequence;
			if (everything) {
				fast_clear_exec(fast);
			} else {
				fast_drop_exec(fast, drop->va, drop->shift);
			}
		}
	}
	if (pe->exec_fast != NULL) {
		pe->jump_id = pe->exec_fast->id;
	}
}

// ---- code ---------------------------------------------------------------------------------------

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

static inline void entry_protect(struct fast_entry *e, const uint8_t *host)
{
	if (e->tag_w + e->addend == (uintptr_t)host && e->tag_w != FAST_INVALID &&
	    !(e->pa & FAST_MMIO)) {
		e->tag_w = FAST_INVALID;
	}
}

void pe_write_protect(struct pe *pe, const uint8_t *host)
{
	for (unsigned i = 0; i < pe->context_count; i++) {
		struct fast_tlb *fast = &pe->contexts[i];

		if (fast->empty) {
			continue;
		}
		for (unsigned w = 0; w < FAST_COUNT / 64; w++) {
			for (uint64_t used = fast->used_e[w]; used != 0; used &= used - 1) {
				entry_protect(&fast->e[w * 64 + ctz64(used)], host);
			}
		}
		for (uint32_t used = fast->used_a; used != 0; used &= used - 1) {
			entry_protect(&fast->a[ctz64(used)], host);
		}
	}
}
