// SPDX-License-Identifier: Apache-2.0
// The effect of SYS instructions: TLB maintenance (as DVM messages), address translation, data
// cache operations. Which level may execute them, and what traps, is decided before
// (sysreg_permitted).
#include "cpu/exec_sysins.h"

#include <string.h>

#include "cpu/debug.h"
#include "cpu/exec_internal.h"
#include "cpu/mem.h"
#include "cpu/mte.h"
#include "cpu/sysreg_fields.h"

#define ZVA_SIZE 64 // DCZID_EL0.BS = 4
#define DC_WATCH_SIZE 64 // DataCacheWatchpointSize: a line, CTR_EL0.DminLine

// ---- TLB maintenance ----------------------------------------------------------------------------

enum domain { DOMAIN_LOCAL, DOMAIN_SHARED };

static void tlbi_send(struct pe *pe, enum domain domain, const struct mmu_tlbi *message)
{
	mmu_tlb_invalidate(pe->tlb, message);
	if (domain == DOMAIN_SHARED && pe->services.dvm != NULL) {
		pe->services.dvm(pe, pe->services.opaque, message);
	}
}

// The VMID of EL1&0 (mmu_regime_vmid of its regime).
static uint16_t tlbi_vmid(const struct pe *pe, bool secure)
{
	uint64_t vmid = pe->sr[SR_VTTBR_EL2] >> 48;

	if (!pe->has_el2 || (secure && !(pe->sr[SR_SCR_EL3] & SCR_EL3_EEL2))) {
		return 0;
	}
	return (uint16_t)(bit(pe->sr[SR_VTCR_EL2], 19) && pe->model->mmu.vmid16 ? vmid
										: vmid & 0xff);
}

// Regime, Security state and VMID to which an operation named for `el` applies from the current
// state.
static void tlbi_scope(const struct pe *pe, unsigned el, struct mmu_tlbi *m)
{
	uint64_t hcr = pe_hcr_effective(pe);

	m->secure = el == 3 || pe_secure_below_el3(pe);
	if (el == 3) {
		m->kind = MMU_REGIME_EL3;
	} else if (el == 2) {
		m->kind = (hcr & HCR_EL2_E2H) ? MMU_REGIME_EL20 : MMU_REGIME_EL2;
	} else if ((hcr & HCR_EL2_E2H) && (hcr & HCR_EL2_TGE)) {
		m->kind = MMU_REGIME_EL20;
	} else {
		m->kind = MMU_REGIME_EL10;
		m->use_vmid = pe_el2_enabled(pe);
		m->vmid = tlbi_vmid(pe, m->secure);
	}
}

static bool has_52bit_pages(const struct pe *pe, enum mmu_regime_kind kind)
{
	switch (kind) {
	case MMU_REGIME_EL10:
		return bit(pe->sr[SR_TCR_EL1], 59);
	case MMU_REGIME_EL20:
		return bit(pe->sr[SR_TCR_EL2], 59);
	case MMU_REGIME_EL2:
		return bit(pe->sr[SR_TCR_EL2], 32);
	default:
		return bit(pe->sr[SR_TCR_EL3], 32);
	}
}

// The operand of a range operation: base, scale, number, granule (Arm ARM, TLBI RVA*). False:
// reserved, no effect.
static bool tlbi_range(const struct pe *pe, uint64_t value, bool ipa, struct mmu_tlbi *m)
{
	static const uint8_t shifts[4] = {0, 12, 14, 16};
	unsigned granule = shifts[bits(value, 47, 46)], scale = (unsigned)bits(value, 45, 44);
	uint64_t pages = (bits(value, 43, 39) + 1) << (5 * scale + 1), base = bits(value, 36, 0);
	bool ds = ipa ? bit(pe->sr[SR_VTCR_EL2], 32) : has_52bit_pages(pe, m->kind);

	if (granule == 0) {
		return false;
	}
	base <<= ds ? 16 : granule;
	if (!ipa) {
		base = (uint64_t)sext(base, ds ? 53 : 37 + granule);
	}
	m->start = base;
	m->end = base + (pages << granule);
	m->ttl = (uint8_t)bits(value, 38, 37);
	if (m->end < m->start) {
		m->end = 0;
	}
	return true;
}

static void tlbi_page(uint64_t value, bool ipa, struct mmu_tlbi *m)
{
	uint64_t base = bits(value, 43, 0) << 12;

	m->start = ipa ? base : (uint64_t)sext(base, 56);
	m->end = m->start + PAGE_SIZE;
	m->ttl = (uint8_t)bits(value, 47, 44);
}

// Stage 2 by IPA: op1 4, CRm 0 (Inner Shareable) and 4 (local and Outer Shareable).
static void tlbi_ipa(struct pe *pe, unsigned crm, unsigned op2, uint64_t value)
{
	struct mmu_tlbi m = {.op = MMU_TLBI_IPA};
	bool range = op2 == 2 || op2 == 6 || (crm == 4 && (op2 == 3 || op2 == 7)),
	     local = crm == 4 && (op2 == 1 || op2 == 2 || op2 == 5 || op2 == 6);

	m.secure = pe_secure_below_el3(pe);
	m.kind = MMU_REGIME_EL10;
	m.use_vmid = true;
	m.vmid = tlbi_vmid(pe, m.secure);
	m.ipa_ns = bit(value, 63) || !m.secure;
	m.last_level_only = op2 >= 4;
	if (!pe_el2_enabled(pe)) {
		return;
	}
	if (range ? !tlbi_range(pe, value, true, &m) : (tlbi_page(value, true, &m), false)) {
		return;
	}
	tlbi_send(pe, local ? DOMAIN_LOCAL : DOMAIN_SHARED, &m);
}

static void tlbi(struct pe *pe, unsigned op1, unsigned crm, unsigned op2, uint64_t value)
{
	struct mmu_tlbi m = {0};
	unsigned el = op1 == 6 ? 3 : op1 == 4 ? 2 : 1;
	bool range = crm == 2 || crm == 5 || crm == 6;
	enum domain domain = crm == 7 || crm == 6 ? DOMAIN_LOCAL : DOMAIN_SHARED;

	if (op1 == 4 && (crm == 0 || crm == 4)) {
		tlbi_ipa(pe, crm, op2, value);
		return;
	}
	if (pe->el == 1 && (pe_hcr_effective(pe) & HCR_EL2_FB)) {
		domain = DOMAIN_SHARED; // HCR_EL2.FB broadcasts EL1's local operations
	}
	tlbi_scope(pe, el, &m);
	m.asid = (uint16_t)bits(value, 63, 48);
	m.last_level_only = (op2 & 4) && op2 != 4 && op2 != 6;
	switch (op2) {
	case 0: // VMALLE1, ALLE2, ALLE3
		m.op = el == 1 && m.kind == MMU_REGIME_EL10 ? MMU_TLBI_VMALL : MMU_TLBI_ALL;
		break;
	case 2:
		m.op = MMU_TLBI_ASID;
		break;
	case 4: // ALLE1
	case 6: // VMALLS12E1
		m.op = op2 == 4 ? MMU_TLBI_ALL : MMU_TLBI_VMALLS12;
		tlbi_scope(pe, 1, &m);
		if (m.kind != MMU_REGIME_EL10) {
			// These name EL1&0 whatever HCR_EL2.{E2H,TGE} say.
			m.kind = MMU_REGIME_EL10;
			m.vmid = tlbi_vmid(pe, m.secure);
		}
		m.use_vmid = op2 == 6 && pe_el2_enabled(pe);
		break;
	default: // VA 1, 5; VAA 3, 7
		m.op = (op2 & 2) || m.kind == MMU_REGIME_EL2 || m.kind == MMU_REGIME_EL3
			       ? MMU_TLBI_VAA
			       : MMU_TLBI_VA;
		if (!range) {
			tlbi_page(value, false, &m);
		} else if (!tlbi_range(pe, value, false, &m)) {
			return;
		}
		break;
	}
	tlbi_send(pe, domain, &m);
}

// ---- address translation ------------------------------------------------------------------------

static bool at(struct pe *pe, unsigned op1, unsigned crm, unsigned op2, uint64_t va)
{
	unsigned el = op1 == 6 ? 3 : op1 == 4 && op2 < 4 ? 2 : 1;
	bool secure = el == 3 || pe_secure_below_el3(pe);
	struct mmu_access access = {
		.va = va_make(va),
		.type = op2 & 1 ? MMU_WRITE : MMU_READ,
		.el0 = (op2 & 2) != 0,
		.pan = crm == 9 && pe->pan,
		.at = true,
		.s1_only = op1 != 4 || op2 < 4,
		.size = 1,
	};
	uint64_t hcr = pe_hcr_effective(pe);
	struct mmu_regime regime;
	struct mmu_result result;
	struct mmu_fault fault;

	// AT S1E0* and S1E1* mean the EL2&0 regime while HCR_EL2.{E2H,TGE} are set; S12* always
	// EL1&0.
	if (op1 == 0 && (hcr & HCR_EL2_E2H) && (hcr & HCR_EL2_TGE)) {
		el = 2;
	}
	pe_regime_build(pe, el, secure, &regime);
	// By what the TLB holds, as an access would go. KVM relies on that where it looks up the
	// IPA of a stage-2 fault: a walk of its own could meet a fault that the access did not, and
	// KVM would let the guest try again for ever.
	if (mmu_translate(pe->tlb, &regime, &access, &result, &fault)) {
		pe->sr[SR_PAR_EL1] = mmu_par_success(&regime, &result);
		return true;
	}
	// From EL1 a stage-2 fault on the walk, and from any level an external abort on it, is
	// taken as an exception.
	if ((fault.s1ptw && pe->el == 1) || fault.type == MMU_FAULT_EXTERNAL_WALK) {
		mem_abort(pe, va, &fault, false, true);
		return false;
	}
	pe->sr[SR_PAR_EL1] = mmu_par_fault(&fault);
	return true;
}

// ---- caches -------------------------------------------------------------------------------------

// DC ZVA. False: pe->fault.
static bool dc_zva(struct pe *pe, uint64_t va, unsigned flags)
{
	const struct uop *op = pe->cur;
	struct mmu_access access = {.va = va_make(va),
				    .type = MMU_WRITE,
				    .el0 = pe->el == 0,
				    .size = 1,
				    .misaligned = true}; // a fault on any Device memory
	uint64_t start = va & ~(uint64_t)(ZVA_SIZE - 1);
	const struct fast_entry *entry;
	struct mmu_result result;
	struct mmu_fault fault;

	access.pan = pe->pan && !access.el0;
	if (!mem_hit(mem_entry(pe->fast, start)->tag_w, start, 1)) {
		if (!mmu_view_translate(pe->tlb, pe->mmu, &access, &result, &fault)) {
			mem_abort(pe, va, &fault, false, false);
			return false;
		}
	}
	if (pe->watch_active && debug_watchpoint(pe, start, ZVA_SIZE, true)) {
		return false;
	}
	entry = mem_entry(pe->fast, start);
	if (likely(mem_hit(entry->tag_w, start, 1))) {
		memset(mem_host(entry, start), 0, ZVA_SIZE);
		return true;
	}
	for (unsigned i = 0; i < ZVA_SIZE; i += 8) {
		if (!mem_store_to(pe, pe->fast, op, start + i, 8, 0, flags)) {
			pe->fault.far = va;
			return false;
		}
	}
	pe->cur = op;
	return true;
}

// DC GVA, DC GZVA: the tag in the address to every granule of the block. False: pe->fault.
static bool dc_gva(struct pe *pe, uint64_t va)
{
	const struct uop *op = pe->cur;
	uint64_t start = va & ~(uint64_t)(ZVA_SIZE - 1);
	struct mem_tags place;

	for (unsigned i = 0; i < ZVA_SIZE; i += MTE_GRANULE) {
		if (!mem_locate_tags(pe, op, start + i, true, &place)) {
			pe->fault.far = va;
			return false;
		}
		// One store to the whole block.
		if (i == 0 && pe->watch_active && debug_watchpoint(pe, start, ZVA_SIZE, true)) {
			return false;
		}
		if (place.ram != NULL && mte_tags_enabled(pe, pe->el == 0)) {
			bus_tag_set(place.ram, place.pa, mte_tag(va));
		}
	}
	pe->cur = op;
	return true;
}

// DC ZVA (op2 1), GVA (3), GZVA (4).
static bool dc_block(struct pe *pe, unsigned op2, uint64_t va)
{
	unsigned unchecked = op2 == 4 ? MEM_UNTAGGED : MEM_PLAIN;

	return (op2 == 3 || dc_zva(pe, va, unchecked)) && (op2 == 1 || dc_gva(pe, va));
}

// DC IVAC and its like are watched as stores to a line. True: pe->fault.
static bool invalidate_watched(struct pe *pe, uint64_t va)
{
	if (!pe->watch_active ||
	    !debug_watchpoint(pe, va & ~(uint64_t)(DC_WATCH_SIZE - 1), DC_WATCH_SIZE, true)) {
		return false;
	}
	pe->fault.iss |= ISS_CM;
	return true;
}

// Maintenance by address: caches do not exist, the translation and its faults do. PSTATE.PAN is not
// asked (CreateAccDescDC, CreateAccDescIC).
static bool cache_by_va(struct pe *pe, uint64_t va, bool invalidate)
{
	struct mmu_access access = {
		.va = va_make(va),
		.type = invalidate ? MMU_WRITE : MMU_READ,
		.el0 = pe->el == 0,
		.cache_op = true,
		.size = 1,
	};
	const struct fast_entry *entry = mem_entry(pe->fast, va);
	struct mmu_result result;
	struct mmu_fault fault;

	if (mem_hit(invalidate ? entry->tag_w : entry->tag_r, va, 1)) {
		return true;
	}
	if (mmu_view_translate(pe->tlb, pe->mmu, &access, &result, &fault)) {
		return !invalidate || !invalidate_watched(pe, va);
	}
	mem_abort(pe, va, &fault, false, true);
	return false;
}

bool sysins_execute(struct pe *pe, uint16_t enc, uint64_t value)
{
	unsigned op1 = (unsigned)bits(enc, 13, 11), crn = (unsigned)bits(enc, 10, 7),
		 crm = (unsigned)bits(enc, 6, 3), op2 = (unsigned)bits(enc, 2, 0);

	if (crn == 8 || crn == 9) { // 9: nXS, here the same
		tlbi(pe, op1, crm, op2, value);
		return true;
	}
	if (crn != 7) {
		return true;
	}
	switch (crm) {
	case 4:
		return op1 != 3 || dc_block(pe, op2, value);
	case 5: // IC IVAU; IC IALLU
	case 10: // DC CVAC; CSW
	case 11: // DC CVAU
	case 12: // DC CVAP
	case 13: // DC CVADP
	case 14: // DC CIVAC; CISW
		return op1 != 3 || cache_by_va(pe, value, false);
	case 6: // DC IVAC; ISW
		return op2 == 2 || op2 == 4 || op2 == 6 || cache_by_va(pe, value, true);
	case 8:
	case 9:
		return at(pe, op1, crm, op2, value);
	default: // IC IALLUIS, CFP, DVP, COSP, CPP: nothing is predicted or stale
		return true;
	}
}
