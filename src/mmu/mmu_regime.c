// SPDX-License-Identifier: Apache-2.0
// From raw control registers to walk parameters: granule, sizes, start level, first table
// (AArch64.GetS1TTWParams, AArch64.GetS2TTWParams, AArch64.S1InitialTTWState,
// AArch64.SS2InitialTTWState).
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "mmu/mmu_internal.h"

static const char *const control_names[CONTROL_COUNT][3] = {
	[CONTROL_TXSZ0] = {"TCR_EL1.T0SZ", "TCR_EL2.T0SZ", "TCR_EL3.T0SZ"},
	[CONTROL_TXSZ1] = {"TCR_EL1.T1SZ", "TCR_EL2.T1SZ", "TCR_EL3.T1SZ"},
	[CONTROL_EPD0] = {"TCR_EL1.EPD0", "TCR_EL2.EPD0", "TCR_EL3.EPD0"},
	[CONTROL_EPD1] = {"TCR_EL1.EPD1", "TCR_EL2.EPD1", "TCR_EL3.EPD1"},
	[CONTROL_E0PD0] = {"TCR_EL1.E0PD0", "TCR_EL2.E0PD0", "TCR_EL3.E0PD0"},
	[CONTROL_E0PD1] = {"TCR_EL1.E0PD1", "TCR_EL2.E0PD1", "TCR_EL3.E0PD1"},
	[CONTROL_IPS] = {"TCR_EL1.IPS", "TCR_EL2.PS", "TCR_EL3.PS"},
	[CONTROL_WXN] = {"SCTLR_EL1.WXN", "SCTLR_EL2.WXN", "SCTLR_EL3.WXN"},
	[CONTROL_EPAN] = {"SCTLR_EL1.EPAN", "SCTLR_EL2.EPAN", "SCTLR_EL3.EPAN"},
	[CONTROL_HD] = {"TCR_EL1.HD", "TCR_EL2.HD", "TCR_EL3.HD"},
	[CONTROL_PIR] = {"PIR_EL1", "PIR_EL2", "PIR_EL3"},
	[CONTROL_PIRE0] = {"PIRE0_EL1", "PIRE0_EL2", NULL},
	[CONTROL_POR] = {"POR_EL1", "POR_EL2", "POR_EL3"},
};

const char *control_name(const struct mmu_regime *regime, enum control control)
{
	unsigned column = regime->kind == MMU_REGIME_EL10  ? 0
			  : regime->kind == MMU_REGIME_EL3 ? 2
							   : 1;

	return control_names[control][column];
}

bool regime_two_ranges(const struct mmu_regime *regime)
{
	return regime->kind == MMU_REGIME_EL10 || regime->kind == MMU_REGIME_EL20;
}

// Without FEAT_RME, EL3 is in Secure state.
bool regime_secure(const struct mmu_regime *regime)
{
	return regime->secure || regime->kind == MMU_REGIME_EL3;
}

bool regime_nv1(const struct mmu_regime *regime)
{
	return regime->features->nv1 && regime->kind == MMU_REGIME_EL10 && regime->has_el2 &&
	       (regime->hcr & (HCR_NV | HCR_NV1)) == (HCR_NV | HCR_NV1);
}

bool regime_s1_enabled(const struct mmu_regime *regime)
{
	if (regime->kind == MMU_REGIME_EL10 && regime->has_el2 &&
	    (regime->hcr & (HCR_DC | HCR_TGE)) != 0) {
		return false;
	}
	return (regime->sctlr & SCTLR_M) != 0;
}

bool regime_s2_enabled(const struct mmu_regime *regime)
{
	return regime->kind == MMU_REGIME_EL10 && regime->has_el2 &&
	       (regime->hcr & (HCR_VM | HCR_DC)) != 0;
}

uint16_t mmu_regime_asid(const struct mmu_regime *regime)
{
	uint64_t asid;

	if (!regime_two_ranges(regime)) {
		return 0;
	}
	asid = bits(regime->ttbr[(regime->tcr & TCR_A1) != 0], 63, 48);
	if ((regime->tcr & TCR_AS) == 0 || !regime->features->asid16) {
		asid &= 0xff;
	}
	return (uint16_t)asid;
}

uint16_t mmu_regime_vmid(const struct mmu_regime *regime)
{
	uint64_t vmid;

	if (regime->kind != MMU_REGIME_EL10 || !regime->has_el2) {
		return 0;
	}
	vmid = bits(regime->vttbr, 63, 48);
	if ((regime->vtcr & VTCR_VS) == 0 || !regime->features->vmid16) {
		vmid &= 0xff;
	}
	return (uint16_t)vmid;
}

unsigned level_shift(unsigned granule, int level)
{
	return granule + (granule - 3) * (unsigned)(3 - level);
}

unsigned contiguous_shift(unsigned granule, int level)
{
	switch (granule) {
	case 12:
		return level >= 1 ? 4 : 0;
	case 14:
		return level == 3 ? 7 : level == 2 ? 5 : 0;
	default:
		return level >= 2 ? 5 : 0;
	}
}

// Encoded physical address size, limited by what is implemented (AArch64.PhysicalAddressSize).
static unsigned address_size(const struct mmu_features *features, unsigned ps, unsigned granule)
{
	static const uint8_t sizes[8] = {32, 36, 40, 42, 44, 48, 52, 56};
	unsigned max = granule == 16 ? (features->lpa ? 52 : 48) : (features->lpa2 ? 52 : 48);

	if (max > features->pa_bits) {
		max = features->pa_bits;
	}
	return sizes[ps] < max ? sizes[ps] : max;
}

// A granule that is reserved or not implemented is treated as one that is (IMPLEMENTATION DEFINED
// choice).
static unsigned granule_pick(unsigned granule, bool has4k, bool has16k, bool has64k)
{
	if ((granule == 12 && has4k) || (granule == 14 && has16k) || (granule == 16 && has64k)) {
		return granule;
	}
	return has4k ? 12 : has64k ? 16 : 14;
}

static unsigned granule_tg0(unsigned tg0)
{
	static const uint8_t granules[4] = {12, 16, 14, 0};

	return granules[tg0];
}

static unsigned granule_tg1(unsigned tg1)
{
	static const uint8_t granules[4] = {0, 14, 12, 16};

	return granules[tg1];
}

// TxSZ above the maximum: with FEAT_TTST 48 (47 for 64K), else 39 (AArch64.MaxTxSZ).
static unsigned txsz_max(const struct mmu_features *features, unsigned granule)
{
	return !features->ttst ? 39 : granule == 16 ? 47 : 48;
}

// A size out of range is a fault where 52-bit addresses exist and is otherwise taken as the nearest
// one in range (both allowed; AArch64.S1TxSZFaults).
static unsigned txsz_clamp(unsigned txsz, unsigned min, unsigned max, bool faults, bool *fault)
{
	*fault = (txsz < min || txsz > max) && faults;
	return txsz < min ? min : txsz > max ? max : txsz;
}

static int s1_start_level(unsigned ia_bits, unsigned granule)
{
	return 3 - (int)((ia_bits - 1 - granule) / (granule - 3));
}

// Base of the first table: aligned to its size; bits 51:48 come from TTBR[5:2] with 52-bit
// addresses.
static uint64_t table_base(uint64_t ttbr, unsigned ia_bits, unsigned granule, int start_level,
			   bool wide)
{
	unsigned lsb = level_shift(granule, start_level);
	unsigned size = (ia_bits > lsb ? ia_bits - lsb : 0) + 3;
	uint64_t base = ttbr & MASK(47, 1);

	if (wide) {
		base |= bits(ttbr, 5, 2) << 48;
		if (size < 6) {
			size = 6;
		}
	}
	return align_down(base, BIT(size));
}

void s1_params_decode(const struct mmu_regime *regime, bool upper, struct s1_params *params)
{
	const struct mmu_features *features = regime->features;
	uint64_t tcr = regime->tcr;
	unsigned txsz;
	unsigned ps;
	bool tbi;
	bool tbid;

	params->two_ranges = regime_two_ranges(regime);
	params->upper = params->two_ranges && upper;
	params->epd = false;
	params->e0pd = false;
	params->nv1 = false;
	if (params->two_ranges) {
		bool up = params->upper;

		params->granule =
			(uint8_t)granule_pick(up ? granule_tg1((unsigned)bits(tcr, 31, 30))
						 : granule_tg0((unsigned)bits(tcr, 15, 14)),
					      features->gran4k, features->gran16k,
					      features->gran64k);
		txsz = (unsigned)(up ? bits(tcr, 21, 16) : bits(tcr, 5, 0));
		params->sh = (uint8_t)(up ? bits(tcr, 29, 28) : bits(tcr, 13, 12));
		ps = (unsigned)bits(tcr, 34, 32);
		tbi = (tcr & (up ? TCR_TBI1 : TCR_TBI0)) != 0;
		tbid = (tcr & (up ? TCR_TBID1 : TCR_TBID0)) != 0;
		params->hpd = features->hpds && (tcr & (up ? TCR_HPD1 : TCR_HPD0)) != 0;
		params->ha = features->haf && (tcr & TCR_HA) != 0;
		params->hd = params->ha && features->hdbs && (tcr & TCR_HD) != 0;
		params->ds = (tcr & TCR_DS) != 0;
		params->epd = (tcr & (up ? TCR_EPD1 : TCR_EPD0)) != 0;
		params->e0pd = features->e0pd && (tcr & (up ? TCR_E0PD1 : TCR_E0PD0)) != 0;
		params->nv1 = regime_nv1(regime);
	} else {
		params->granule = (uint8_t)granule_pick(granule_tg0((unsigned)bits(tcr, 15, 14)),
							features->gran4k, features->gran16k,
							features->gran64k);
		txsz = (unsigned)bits(tcr, 5, 0);
		params->sh = (uint8_t)bits(tcr, 13, 12);
		ps = (unsigned)bits(tcr, 18, 16);
		tbi = (tcr & TCR1R_TBI) != 0;
		tbid = (tcr & TCR1R_TBID) != 0;
		params->hpd = features->hpds && (tcr & TCR1R_HPD) != 0;
		params->ha = features->haf && (tcr & TCR1R_HA) != 0;
		params->hd = params->ha && features->hdbs && (tcr & TCR1R_HD) != 0;
		params->ds = (tcr & TCR1R_DS) != 0;
	}
	params->ds = params->ds && features->lpa2 && params->granule != 16;
	// Neither indirect permissions nor overlays have hierarchical ones beside them (Arm ARM
	// R_JHSVW, R_BVXDG).
	params->hpd |= (features->s1pie && (regime->tcr2 & TCR2_PIE) != 0) ||
		       (features->s1poe && (regime->tcr2 & TCR2_POE) != 0) ||
		       (features->s1poe && (regime->tcr2 & TCR2_E0POE) != 0 && params->two_ranges &&
			!params->nv1);
	params->ee = (regime->sctlr & SCTLR_EE) != 0;
	params->addr_top = tbi ? 55 : 63;
	params->addr_top_fetch = tbi && !tbid ? 55 : 63;
	params->oa_bits = (uint8_t)address_size(features, ps, params->granule);
	txsz = txsz_clamp(txsz, (features->lva && params->granule == 16) || params->ds ? 12 : 16,
			  txsz_max(features, params->granule), features->lva, &params->size_fault);
	params->ia_bits = (uint8_t)(64 - txsz);
	params->start_level = (int8_t)s1_start_level(params->ia_bits, params->granule);
	params->table =
		table_base(regime->ttbr[params->upper], params->ia_bits, params->granule,
			   params->start_level,
			   (features->lpa && params->granule == 16 && ps == 6) || params->ds);
}

// AArch64.S2StartLevel with AArch64.S2InvalidSL: the level, or 4 for an invalid encoding.
static int s2_start_level(const struct mmu_features *features, unsigned granule, unsigned sl0,
			  bool sl2, bool ds)
{
	unsigned pa_bits = features->pa_bits;

	switch (granule) {
	case 12:
		if (sl2) {
			return sl0 == 0 ? -1 : 4;
		}
		switch (sl0) {
		case 0:
			return 2;
		case 1:
			return 1;
		case 2:
			return pa_bits < 44 ? 4 : 0;
		default:
			return features->ttst ? 3 : 4;
		}
	case 14:
		return sl0 == 3 ? (ds ? 0 : 4) : sl0 == 2 && pa_bits < 42 ? 4 : 3 - (int)sl0;
	default:
		return sl0 == 3 || (sl0 == 2 && pa_bits < 44) ? 4 : 3 - (int)sl0;
	}
}

// AArch64.S2InconsistentSL: at most 16 concatenated tables, at least two entries in the first.
static bool s2_inconsistent(unsigned ia_bits, unsigned granule, int start_level)
{
	unsigned min = level_shift(granule, start_level) + 1;
	unsigned max = min + (granule - 3 - 1) + 4;

	return ia_bits < min || ia_bits > max;
}

void s2_params_decode(const struct mmu_regime *regime, enum pas ipa_pas, struct s2_params *params)
{
	const struct mmu_features *features = regime->features;
	bool secure_space = regime->secure && ipa_pas == PAS_SECURE;
	uint64_t vtcr = regime->vtcr;
	uint64_t tcr = secure_space ? regime->vstcr : vtcr;
	unsigned ps = (unsigned)bits(vtcr, 18, 16);
	unsigned max_ia;
	unsigned txsz;
	bool wide;

	params->granule =
		(uint8_t)granule_pick(granule_tg0((unsigned)bits(tcr, 15, 14)), features->s2_gran4k,
				      features->s2_gran16k, features->s2_gran64k);
	params->ds = features->lpa2 && params->granule != 16 && (vtcr & VTCR_DS) != 0;
	params->sh = (uint8_t)bits(vtcr, 13, 12);
	params->ha = features->haf && (vtcr & VTCR_HA) != 0;
	params->hd = params->ha && features->hdbs && (vtcr & VTCR_HD) != 0;
	params->indirect = features->s2pie && (vtcr & VTCR_S2PIE) != 0;
	params->overlaid = params->indirect && features->s2poe && (vtcr & VTCR_S2POE) != 0;
	params->ee = regime->s2_ee;
	params->ptw = (regime->hcr & HCR_PTW) != 0 && (regime->hcr & HCR_TGE) == 0;
	params->fwb = features->s2fwb && (regime->hcr & HCR_FWB) != 0;
	params->oa_bits = (uint8_t)address_size(features, ps, params->granule);
	// AArch64.S2MinTxSZ: the IPA is no larger than the implemented PA.
	max_ia = features->lpa && params->granule != 16 && !params->ds ? 48 : 52;
	if (max_ia > features->pa_bits) {
		max_ia = features->pa_bits;
	}
	txsz = txsz_clamp((unsigned)bits(tcr, 5, 0), 64 - max_ia,
			  txsz_max(features, params->granule), features->lpa || features->lva,
			  &params->size_fault);
	params->ia_bits = (uint8_t)(64 - txsz);
	params->start_level =
		(int8_t)s2_start_level(features, params->granule, (unsigned)bits(tcr, 7, 6),
				       params->granule == 12 && params->ds && (tcr & VTCR_SL2) != 0,
				       params->ds);
	params->level_fault =
		params->start_level > 3 ||
		s2_inconsistent(params->ia_bits, params->granule, params->start_level);
	wide = (features->lpa && params->granule == 16 && ps == 6) || params->ds;
	params->table =
		params->level_fault
			? 0
			: table_base(secure_space ? regime->vsttbr : regime->vttbr, params->ia_bits,
				     params->granule, params->start_level, wide);
	if (!regime->secure) {
		params->table_pas = PAS_NONSECURE;
		params->output_pas = PAS_NONSECURE;
		return;
	}
	// AArch64.SS2InitialTTWState, AArch64.SS2OutputPASpace.
	if (secure_space) {
		params->table_pas = (regime->vstcr & VSTCR_SW) != 0 ? PAS_NONSECURE : PAS_SECURE;
		params->output_pas =
			(regime->vstcr & (VSTCR_SW | VSTCR_SA)) != 0 ? PAS_NONSECURE : PAS_SECURE;
	} else {
		params->table_pas = (vtcr & VTCR_NSW) != 0 ? PAS_NONSECURE : PAS_SECURE;
		params->output_pas = (regime->vstcr & (VSTCR_SW | VSTCR_SA)) != 0 ||
						     (vtcr & (VTCR_NSW | VTCR_NSA)) != 0
					     ? PAS_NONSECURE
					     : PAS_SECURE;
	}
}

// Views.

struct mmu_view *mmu_view_create(void)
{
	struct mmu_view *view = calloc(1, sizeof(*view));

	CHECK(view != NULL);
	return view;
}

void mmu_view_destroy(struct mmu_view *view)
{
	free(view);
}

void mmu_view_set(struct mmu_view *view, const struct mmu_regime *regime)
{
	view->regime = regime;
	view->ready = 0;
}

// What every translation of the regime needs.
void view_prepare(struct mmu_view *view)
{
	const struct mmu_regime *regime = view->regime;

	view->s1_on = regime_s1_enabled(regime);
	view->s2_on = regime_s2_enabled(regime);
	view->secure = regime_secure(regime);
	view->two_ranges = regime_two_ranges(regime);
	view->wxn = (regime->sctlr & SCTLR_WXN) != 0;
	view->pan = regime->features->pan && view->two_ranges;
	view->epan = regime->features->pan3 && (regime->sctlr & SCTLR_EPAN) != 0;
	view->sif = view->secure && (regime->scr & SCR_SIF) != 0;
	perm_view_prepare(view);
	tlb_tags_s1(regime, &view->by_asid, &view->global);
	tlb_tag_s2(regime, PAS_NONSECURE, &view->s2_tag[0]);
	tlb_tag_s2(regime, PAS_SECURE, &view->s2_tag[1]);
	memset(view->attr_key, 0xff, sizeof(view->attr_key)); // ATTR_KEY_NONE
	for (unsigned i = 0; i < TABLE_HINTS; i++) {
		view->hints[i].page = TABLE_HINT_NONE;
	}
	for (unsigned i = 0; i < WALK_HINTS; i++) {
		view->walks[i].walk_changes = UINT64_MAX; // more than ever happen
	}
	view->fast[0].ok = view->fast[1].ok = false; // until the range is decoded
	view->ready = VIEW_S1;
}

// The bits above the input address that have to be all zeros or all ones (AArch64.VAIsOutOfRange).
static uint64_t outside_mask(const struct s1_params *params, unsigned top)
{
	return top < params->ia_bits ? 0 : MASK(top, params->ia_bits);
}

static void fast_range_make(const struct mmu_view *view, const struct s1_params *params,
			    struct fast_range *range)
{
	range->ok = view->s1_on && !view->secure && params->granule == 12 && !params->size_fault &&
		    !params->ds && !params->ee && !params->nv1 && !params->epd && !params->e0pd;
	range->ia_bits = params->ia_bits;
	range->oa_bits = params->oa_bits;
	range->start_level = params->start_level;
	range->outside[0] = outside_mask(params, params->addr_top);
	range->outside[1] = outside_mask(params, params->addr_top_fetch);
	range->fill = params->upper ? ~UINT64_C(0) : 0;
	range->table = params->table;
}

const struct s1_params *view_s1(struct mmu_view *view, bool upper)
{
	if (unlikely((view->ready & (upper ? VIEW_RANGE1 : VIEW_RANGE0)) == 0)) {
		s1_params_decode(view->regime, upper, &view->s1[upper]);
		view->hd = view->s1[upper].hd;
		fast_range_make(view, &view->s1[upper], &view->fast[upper]);
		view->ready |= upper ? VIEW_RANGE1 : VIEW_RANGE0;
	}
	return &view->s1[upper];
}

const struct s2_params *view_s2(struct mmu_view *view, bool secure_space)
{
	if (unlikely((view->ready & (secure_space ? VIEW_S2_S : VIEW_S2_NS)) == 0)) {
		s2_params_decode(view->regime, secure_space ? PAS_SECURE : PAS_NONSECURE,
				 &view->s2[secure_space]);
		view->ready |= secure_space ? VIEW_S2_S : VIEW_S2_NS;
	}
	return &view->s2[secure_space];
}
