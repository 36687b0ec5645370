// SPDX-License-Identifier: Apache-2.0
// Features: names, dependencies, the ID register fields and the control bits that they bring.
#include "cpu/feature.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/bits.h"
#include "cpu/sysreg.h"
#include "cpu/sysreg_fields.h"

struct feature_row {
	const char *name;
	uint16_t id_reg; // SYSREG_NONE: no plain field
	uint8_t lsb;
	uint8_t value;
	uint16_t needs[2]; // FEAT_NONE: nothing
};

static const struct feature_row feature_rows[FEATURE_COUNT] = {
	[FEAT_NONE] = {.name = "FEAT_NONE", .id_reg = SYSREG_NONE},
#define FEATURE(row_name, row_reg, row_lsb, row_value, need1, need2) \
	[row_name] = {.name = #row_name, \
		      .id_reg = row_reg, \
		      .lsb = row_lsb, \
		      .value = row_value, \
		      .needs = {need1, need2}},
#include "cpu/feature.def"
#undef FEATURE
};

const char *feature_name(enum feature feature)
{
	return feature < FEATURE_COUNT ? feature_rows[feature].name : "?";
}

enum feature feature_find(const char *name)
{
	if (strncasecmp(name, "FEAT_", 5) == 0) {
		name += 5;
	}
	for (unsigned f = FEAT_NONE + 1; f < FEATURE_COUNT; f++) {
		if (strcasecmp(feature_rows[f].name + 5, name) == 0) {
			return (enum feature)f;
		}
	}
	return FEAT_NONE;
}

void feature_add(struct feature_set *set, enum feature feature)
{
	set->word[feature / 64] |= BIT(feature % 64);
}

void feature_drop(struct feature_set *set, enum feature feature)
{
	set->word[feature / 64] &= ~BIT(feature % 64);
	for (unsigned f = FEAT_NONE + 1; f < FEATURE_COUNT; f++) {
		const struct feature_row *row = &feature_rows[f];

		if ((row->needs[0] == feature || row->needs[1] == feature) &&
		    feature_in(set, (enum feature)f)) {
			feature_drop(set, (enum feature)f);
		}
	}
}

enum feature feature_missing(const struct feature_set *set, enum feature feature)
{
	for (unsigned i = 0; i < 2; i++) {
		enum feature need = (enum feature)feature_rows[feature].needs[i];

		if (!feature_in(set, need)) {
			return need;
		}
	}
	return FEAT_NONE;
}

// ---- ID registers -------------------------------------------------------------------------------

static void set_field(uint64_t *reg, unsigned lsb, uint64_t value)
{
	*reg = bits_set(*reg, lsb + 3, lsb, value);
}

// ID_AA64ISAR1_EL1.{APA, API, GPA, GPI} and ID_AA64ISAR2_EL1.{APA3, GPA3}: the algorithm chooses
// the field.
static void pauth_fields(const struct feature_set *set, uint64_t *id)
{
	static const uint16_t levels[] = {FEAT_PAuth, FEAT_EPAC, FEAT_PAuth2, FEAT_FPAC,
					  FEAT_FPACCOMBINE};
	uint64_t value = 0;

	for (unsigned i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (feature_in(set, (enum feature)levels[i])) {
			value = i + 1;
		}
	}
	if (feature_in(set, FEAT_PACQARMA5)) {
		set_field(&id[SR_ID_AA64ISAR1_EL1], 4, value); // APA
		set_field(&id[SR_ID_AA64ISAR1_EL1], 24, 1); // GPA
	}
	if (feature_in(set, FEAT_PACIMP)) {
		set_field(&id[SR_ID_AA64ISAR1_EL1], 8, value); // API
		set_field(&id[SR_ID_AA64ISAR1_EL1], 28, 1); // GPI
	}
	if (feature_in(set, FEAT_PACQARMA3)) {
		set_field(&id[SR_ID_AA64ISAR2_EL1], 12, value); // APA3
		set_field(&id[SR_ID_AA64ISAR2_EL1], 8, 1); // GPA3
	}
}

// Granules: TGran4 and TGran64 are signed (0xf: absent), TGran16 is not; the stage-2 fields come
// with FEAT_GTG.
static void granule_fields(const struct feature_set *set, uint64_t *mmfr0)
{
	bool g4 = feature_in(set, FEAT_GRAN4K);
	bool g16 = feature_in(set, FEAT_GRAN16K);
	bool g64 = feature_in(set, FEAT_GRAN64K);
	bool lpa2 = feature_in(set, FEAT_LPA2);

	set_field(mmfr0, 28, g4 ? (lpa2 ? 1 : 0) : 0xf);
	set_field(mmfr0, 24, g64 ? 0 : 0xf);
	set_field(mmfr0, 20, g16 ? (lpa2 ? 2 : 1) : 0);
	if (feature_in(set, FEAT_GTG)) {
		set_field(mmfr0, 40, g4 ? (lpa2 ? 3 : 2) : 1);
		set_field(mmfr0, 36, g64 ? 2 : 1);
		set_field(mmfr0, 32, g16 ? (lpa2 ? 3 : 2) : 1);
	}
}

void feature_id_registers(const struct feature_set *set, uint64_t *id)
{
	uint64_t fp = feature_in(set, FEAT_FP) ? feature_in(set, FEAT_FP16) : 0xf;
	uint64_t simd = feature_in(set, FEAT_AdvSIMD) ? feature_in(set, FEAT_FP16) : 0xf;

	for (unsigned f = FEAT_NONE + 1; f < FEATURE_COUNT; f++) {
		const struct feature_row *row = &feature_rows[f];

		if (row->id_reg != SYSREG_NONE && feature_in(set, (enum feature)f) &&
		    bits(id[row->id_reg], row->lsb + 3u, row->lsb) < row->value) {
			set_field(&id[row->id_reg], row->lsb, row->value);
		}
	}
	set_field(&id[SR_ID_AA64PFR0_EL1], 0, 1); // EL0: AArch64 only
	set_field(&id[SR_ID_AA64PFR0_EL1], 4, 1); // EL1: AArch64 only
	set_field(&id[SR_ID_AA64PFR0_EL1], 16, fp);
	set_field(&id[SR_ID_AA64PFR0_EL1], 20, simd);
	set_field(&id[SR_ID_AA64MMFR0_EL1], 12, 1); // SNSMem
	granule_fields(set, &id[SR_ID_AA64MMFR0_EL1]);
	pauth_fields(set, id);
	if (bits(id[SR_ID_AA64DFR0_EL1], 3, 0) == 0) {
		set_field(&id[SR_ID_AA64DFR0_EL1], 0, 6); // Armv8 debug
	}
	if (feature_in(set, FEAT_DoPD)) {
		set_field(&id[SR_ID_AA64DFR0_EL1], 36, 0xf); // no OS double lock
	}
}

// ---- control bits that features bring -----------------------------------------------------------

static const struct {
	uint16_t reg;
	uint16_t feature;
	uint64_t mask;
} feature_bits[] = {
	{SR_SCTLR_EL1, FEAT_PAN, SCTLR_SPAN},
	{SR_SCTLR_EL1, FEAT_PAN3, SCTLR_EPAN},
	{SR_SCTLR_EL1, FEAT_ExS, SCTLR_EIS | SCTLR_EOS},
	{SR_SCTLR_EL1, FEAT_IESB, SCTLR_IESB},
	{SR_SCTLR_EL1, FEAT_CSV2_2, SCTLR_TSCXT},
	{SR_SCTLR_EL1, FEAT_SPECRES, SCTLR_ENRCTX},
	{SR_SCTLR_EL1, FEAT_LSE2, SCTLR_NAA},
	{SR_SCTLR_EL1, FEAT_PAuth, SCTLR_ENIA | SCTLR_ENIB | SCTLR_ENDA | SCTLR_ENDB},
	{SR_SCTLR_EL1, FEAT_BTI, SCTLR_BT0 | SCTLR_BT1},
	{SR_SCTLR_EL1, FEAT_SSBS, SCTLR_DSSBS},
	{SR_SCTLR_EL2, FEAT_VHE, SCTLR_EL2_VHE_ONLY},
	{SR_SCTLR_EL2, FEAT_PAN3, SCTLR_EPAN},
	{SR_SCTLR_EL2, FEAT_ExS, SCTLR_EIS | SCTLR_EOS},
	{SR_SCTLR_EL2, FEAT_IESB, SCTLR_IESB},
	{SR_SCTLR_EL2, FEAT_SPECRES, SCTLR_ENRCTX},
	{SR_SCTLR_EL2, FEAT_LSE2, SCTLR_NAA},
	{SR_SCTLR_EL2, FEAT_PAuth, SCTLR_ENIA | SCTLR_ENIB | SCTLR_ENDA | SCTLR_ENDB},
	{SR_SCTLR_EL2, FEAT_BTI, SCTLR_BT0 | SCTLR_BT1},
	{SR_SCTLR_EL2, FEAT_SSBS, SCTLR_DSSBS},
	{SR_SCTLR_EL3, FEAT_ExS, SCTLR_EIS | SCTLR_EOS},
	{SR_SCTLR_EL3, FEAT_IESB, SCTLR_IESB},
	{SR_SCTLR_EL3, FEAT_LSE2, SCTLR_NAA},
	{SR_SCTLR_EL3, FEAT_PAuth, SCTLR_ENIA | SCTLR_ENIB | SCTLR_ENDA | SCTLR_ENDB},
	{SR_SCTLR_EL3, FEAT_BTI, SCTLR_BT1},
	{SR_SCTLR_EL3, FEAT_SSBS, SCTLR_DSSBS},
	{SR_HCR_EL2, FEAT_VHE, HCR_EL2_E2H},
	{SR_HCR_EL2, FEAT_LOR, HCR_EL2_TLOR},
	{SR_HCR_EL2, FEAT_RAS, HCR_EL2_TERR | HCR_EL2_TEA},
	{SR_HCR_EL2, FEAT_PAuth, HCR_EL2_APK | HCR_EL2_API},
	{SR_HCR_EL2, FEAT_S2FWB, HCR_EL2_FWB},
	{SR_HCR_EL2, FEAT_RASv1p1, HCR_EL2_FIEN},
	{SR_HCR_EL2, FEAT_EVT,
	 HCR_EL2_TID4 | HCR_EL2_TICAB | HCR_EL2_TOCU | HCR_EL2_TTLBIS | HCR_EL2_TTLBOS},
	{SR_HCR_EL2, FEAT_CSV2_2, HCR_EL2_EnSCXT},
	{SR_SCR_EL3, FEAT_EL2, SCR_EL3_HCE},
	{SR_SCR_EL3, FEAT_LOR, SCR_EL3_TLOR},
	{SR_SCR_EL3, FEAT_RAS, SCR_EL3_TERR},
	{SR_SCR_EL3, FEAT_PAuth, SCR_EL3_APK | SCR_EL3_API},
	{SR_SCR_EL3, FEAT_SEL2, SCR_EL3_EEL2},
	{SR_SCR_EL3, FEAT_DoubleFault, SCR_EL3_EASE | SCR_EL3_NMEA},
	{SR_SCR_EL3, FEAT_RASv1p1, SCR_EL3_FIEN},
	{SR_SCR_EL3, FEAT_CSV2_2, SCR_EL3_EnSCXT},
	{SR_CPACR_EL1, FEAT_FP, CPACR_EL1_FPEN},
	{SR_TCR_EL1, FEAT_ASID16, BIT(36)},
	{SR_TCR_EL1, FEAT_HAFDBS, MASK(40, 39)},
	{SR_TCR_EL1, FEAT_HPDS, MASK(42, 41)},
	{SR_TCR_EL1, FEAT_HPDS2, MASK(50, 43)},
	{SR_TCR_EL1, FEAT_PAuth, MASK(52, 51)}, // TBID
	{SR_TCR_EL1, FEAT_E0PD, MASK(56, 55)},
	{SR_TCR_EL1, FEAT_LPA2, BIT(59)}, // DS
	{SR_TCR_EL3, FEAT_HAFDBS, MASK(22, 21)},
	{SR_TCR_EL3, FEAT_HPDS, BIT(24)},
	{SR_TCR_EL3, FEAT_HPDS2, MASK(28, 25)},
	{SR_TCR_EL3, FEAT_PAuth, BIT(29)}, // TBID
	{SR_TCR_EL3, FEAT_LPA2, BIT(32)}, // DS
	{SR_VTCR_EL2, FEAT_VMID16, BIT(19)},
	{SR_VTCR_EL2, FEAT_HAFDBS, MASK(22, 21)},
	{SR_VTCR_EL2, FEAT_HPDS2, MASK(28, 25)},
	{SR_VTCR_EL2, FEAT_SEL2, MASK(30, 29)},
	{SR_VTCR_EL2, FEAT_LPA2, MASK(33, 32)}, // DS, SL2
	{SR_VSTCR_EL2, FEAT_LPA2, BIT(33)},
	{SR_TTBR0_EL1, FEAT_TTCNP, BIT(0)},
	{SR_TTBR1_EL1, FEAT_TTCNP, BIT(0)},
	{SR_TTBR0_EL2, FEAT_TTCNP, BIT(0)},
	{SR_TTBR1_EL2, FEAT_TTCNP, BIT(0)},
	{SR_TTBR0_EL3, FEAT_TTCNP, BIT(0)},
	{SR_VTTBR_EL2, FEAT_TTCNP, BIT(0)},
	{SR_VTTBR_EL2, FEAT_VMID16, MASK(63, 56)},
	{SR_VSTTBR_EL2, FEAT_TTCNP, BIT(0)},
	{SR_TTBR0_EL2, FEAT_VHE, MASK(63, 48)}, // ASID
	{SR_HPFAR_EL2, FEAT_SEL2, BIT(63)},
	{SR_MDCR_EL2, FEAT_PMUv3, MASK(7, 0)},
	{SR_MDCR_EL2, FEAT_PMUv3p1, MDCR_EL2_HPMD},
	{SR_MDCR_EL2, FEAT_PMUv3p5, MDCR_EL2_HCCD | MDCR_EL2_HLP},
	{SR_MDCR_EL3, FEAT_PMUv3, MDCR_EL3_TPM | MDCR_EL3_SPME | MDCR_EL3_EPMAD},
	{SR_MDCR_EL3, FEAT_PMUv3p5, MDCR_EL3_SCCD},
	{SR_PMCR_EL0, FEAT_PMUv3p5, PMCR_EL0_LP},
	{SR_FPCR, FEAT_AFP, MASK(2, 0)}, // FIZ, AH, NEP
	{SR_FPCR, FEAT_FP16, BIT(19)}, // FZ16
	{SR_SCTLR_EL1, FEAT_MTE2, SCTLR_ITFSB | SCTLR_TCF | SCTLR_ATA | SCTLR_TCF0 | SCTLR_ATA0},
	{SR_SCTLR_EL1, FEAT_NMI, SCTLR_NMI | SCTLR_SPINTMASK},
	{SR_SCTLR_EL1, FEAT_MOPS, SCTLR_MSCEN},
	{SR_SCTLR_EL1, FEAT_TWED, SCTLR_TWEDEN | SCTLR_TWEDEL},
	{SR_SCTLR_EL1, FEAT_LS64, SCTLR_ENALS},
	{SR_SCTLR_EL1, FEAT_LS64_V, SCTLR_ENASR},
	{SR_SCTLR_EL1, FEAT_LS64_ACCDATA, SCTLR_ENAS0},
	{SR_SCTLR_EL1, FEAT_TIDCP1, SCTLR_TIDCP},
	{SR_SCTLR_EL2, FEAT_MTE2, SCTLR_ITFSB | SCTLR_TCF | SCTLR_ATA | SCTLR_TCF0 | SCTLR_ATA0},
	{SR_SCTLR_EL2, FEAT_NMI, SCTLR_NMI | SCTLR_SPINTMASK},
	{SR_SCTLR_EL2, FEAT_MOPS, SCTLR_MSCEN},
	{SR_SCTLR_EL2, FEAT_TWED, SCTLR_TWEDEN | SCTLR_TWEDEL},
	{SR_SCTLR_EL2, FEAT_LS64, SCTLR_ENALS},
	{SR_SCTLR_EL2, FEAT_LS64_V, SCTLR_ENASR},
	{SR_SCTLR_EL2, FEAT_LS64_ACCDATA, SCTLR_ENAS0},
	{SR_SCTLR_EL2, FEAT_TIDCP1, SCTLR_TIDCP},
	{SR_SCTLR_EL3, FEAT_MTE2, SCTLR_ITFSB | SCTLR_TCF | SCTLR_ATA},
	{SR_SCTLR_EL3, FEAT_NMI, SCTLR_NMI | SCTLR_SPINTMASK},
	{SR_HCR_EL2, FEAT_NV, HCR_EL2_NV | HCR_EL2_NV1 | HCR_EL2_AT},
	{SR_HCR_EL2, FEAT_NV2, HCR_EL2_NV2},
	{SR_HCR_EL2, FEAT_AMUv1p1, HCR_EL2_AMVOFFEN},
	{SR_HCR_EL2, FEAT_MTE2, HCR_EL2_ATA | HCR_EL2_DCT | HCR_EL2_TID5},
	{SR_HCR_EL2, FEAT_TWED, HCR_EL2_TWEDEn | HCR_EL2_TWEDEL},
	{SR_HCRX_EL2, FEAT_XS, HCRX_EL2_FnXS | HCRX_EL2_FGTnXS},
	{SR_HCRX_EL2, FEAT_LS64, HCRX_EL2_EnALS},
	{SR_HCRX_EL2, FEAT_LS64_V, HCRX_EL2_EnASR},
	{SR_HCRX_EL2, FEAT_LS64_ACCDATA, HCRX_EL2_EnAS0},
	{SR_ICC_AP1R0_EL1, FEAT_GICv3_NMI, BIT(63)}, // NMI
	{SR_ICH_AP1R0_EL2, FEAT_GICv3_NMI, BIT(63)}, // NMI
	{SR_HCRX_EL2, FEAT_NMI, HCRX_EL2_TALLINT | HCRX_EL2_VINMI | HCRX_EL2_VFNMI},
	{SR_HCRX_EL2, FEAT_MOPS, HCRX_EL2_MCE2 | HCRX_EL2_MSCEn},
	{SR_HCRX_EL2, FEAT_TCR2, HCRX_EL2_TCR2En},
	{SR_HCRX_EL2, FEAT_SCTLR2, HCRX_EL2_SCTLR2En},
	{SR_SCR_EL3, FEAT_MTE2, SCR_EL3_ATA},
	{SR_SCR_EL3, FEAT_FGT, SCR_EL3_FGTEn},
	{SR_SCR_EL3, FEAT_FGT2, SCR_EL3_FGTEn2},
	{SR_SCR_EL3, FEAT_ECV_POFF, SCR_EL3_ECVEn},
	{SR_SCR_EL3, FEAT_TWED, SCR_EL3_TWEDEn | SCR_EL3_TWEDEL},
	{SR_SCR_EL3, FEAT_AMUv1p1, SCR_EL3_AMVOFFEN},
	{SR_SCR_EL3, FEAT_LS64_ACCDATA, SCR_EL3_EnAS0 | SCR_EL3_ADEn},
	{SR_SCR_EL3, FEAT_HCX, SCR_EL3_HXEn},
	{SR_SCR_EL3, FEAT_RNG_TRAP, SCR_EL3_TRNDR},
	{SR_SCR_EL3, FEAT_TCR2, SCR_EL3_TCR2En},
	{SR_SCR_EL3, FEAT_SCTLR2, SCR_EL3_SCTLR2En},
	{SR_CPACR_EL1, FEAT_S1POE, CPACR_EL1_E0POE},
	{SR_CPTR_EL2, FEAT_S1POE, CPTR_EL2_E0POE},
	{SR_CPTR_EL2, FEAT_AMUv1, CPTR_EL2_TAM},
	{SR_CPTR_EL3, FEAT_AMUv1, CPTR_EL3_TAM},
	{SR_CNTKCTL_EL1, FEAT_ECV, CNTKCTL_EL1_EVNTIS},
	{SR_CNTHCTL_EL2, FEAT_VHE, MASK(11, 8)}, // of the layout with E2H = 1
	{SR_CNTHCTL_EL2, FEAT_ECV, MASK(17, 13)},
	{SR_CNTHCTL_EL2, FEAT_ECV_POFF, CNTHCTL_EL2_ECV},
	{SR_MDCR_EL2, FEAT_FGT, MDCR_EL2_TDCC},
	{SR_MDCR_EL3, FEAT_FGT, MDCR_EL3_TDCC},
	{SR_TCR_EL1, FEAT_MTE2, TCR_TCMA},
	{SR_TCR_EL3, FEAT_MTE2, TCR_EL3_TCMA},
	{SR_TCR_EL3, FEAT_S1PIE, TCR_EL3_PIE},
	{SR_TCR_EL3, FEAT_S1POE, TCR_EL3_POE},
	{SR_TCR2_EL1, FEAT_S1PIE, TCR2_PIE},
	{SR_TCR2_EL1, FEAT_S1POE, TCR2_E0POE | TCR2_POE},
	{SR_TCR2_EL2, FEAT_S1PIE, TCR2_PIE},
	{SR_TCR2_EL2, FEAT_S1POE, TCR2_E0POE | TCR2_POE},
	{SR_VTCR_EL2, FEAT_S2PIE, VTCR_EL2_S2PIE},
	{SR_VTCR_EL2, FEAT_S2POE, VTCR_EL2_S2POE},
	{SR_AMCR_EL0, FEAT_AMUv1p1, BIT(17)},
};

// The fine-grained trap registers have the fields of the features present.
static void fgt_mask_registers(const struct feature_set *set, uint64_t *writable)
{
	static const struct {
		uint16_t read_reg, write_reg, feature;
		uint8_t bit;
		bool read, write;
	} fields[] = {
#define HFG SR_HFGRTR_EL2, SR_HFGWTR_EL2
#define HDFG SR_HDFGRTR_EL2, SR_HDFGWTR_EL2
#define HFGI SR_HFGITR_EL2, SR_HFGITR_EL2
#define HAFG SR_HAFGRTR_EL2, SR_HAFGRTR_EL2
#define FGT(regs, field, row_bit, test, dir, row_feature) \
	{regs, .feature = row_feature, .bit = row_bit, FIELD_##dir},
#define FIELD_R .read = true
#define FIELD_W .write = true
#define FIELD_RW .read = true, .write = true
#include "cpu/fgt.def"
#undef FGT
#undef FIELD_R
#undef FIELD_W
#undef FIELD_RW
#undef HFG
#undef HDFG
#undef HFGI
#undef HAFG
	};
	static const uint16_t regs[] = {SR_HFGRTR_EL2,  SR_HFGWTR_EL2,  SR_HFGITR_EL2,
					SR_HDFGRTR_EL2, SR_HDFGWTR_EL2, SR_HAFGRTR_EL2};

	for (size_t i = 0; i < sizeof(regs) / sizeof(regs[0]); i++) {
		writable[regs[i]] = 0;
	}
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (!feature_in(set, (enum feature)fields[i].feature)) {
			continue;
		}
		writable[fields[i].read_reg] |= fields[i].read ? BIT(fields[i].bit) : 0;
		writable[fields[i].write_reg] |= fields[i].write ? BIT(fields[i].bit) : 0;
	}
}

// The filters of the performance monitors have a bit for each level and Security state there is.
static void pmu_mask_registers(const struct feature_set *set, uint64_t *writable)
{
	bool el2 = feature_in(set, FEAT_EL2), el3 = feature_in(set, FEAT_EL3);
	bool p1 = feature_in(set, FEAT_PMUv3p1);
	uint64_t absent = (el3 ? 0 : PMCCFILTR_NS | PMCCFILTR_M) | (el2 ? 0 : PMCCFILTR_NSH) |
			  (feature_in(set, FEAT_SEL2) ? 0 : PMCCFILTR_SH);

	writable[SR_PMCCFILTR_EL0] &= ~absent;
	for (unsigned reg = SR_PMEVTYPER0_EL0; reg <= SR_PMEVTYPER30_EL0; reg++) {
		writable[reg] &= ~(absent | (p1 ? 0 : PMEVTYPER_EVTCOUNT_HI));
	}
	// Nowhere is counting prohibited.
	if (!el3 && !(p1 && el2)) {
		writable[SR_PMCR_EL0] &= ~PMCR_EL0_DP;
	}
}

// It has the fields of TCR_EL3 with E2H = 0, and those of TCR_EL1 with E2H = 1.
static void tcr_el2_mask_register(const struct feature_set *set, uint64_t *writable)
{
	uint64_t fields = writable[SR_TCR_EL3] & ~(TCR_EL3_PIE | TCR_EL3_POE);

	if (feature_in(set, FEAT_VHE)) {
		fields |= writable[SR_TCR_EL1];
	}
	writable[SR_TCR_EL2] &= fields;
}

void feature_mask_registers(const struct feature_set *set, uint64_t *writable)
{
	static const uint16_t spsr[] = {SR_SPSR_EL1, SR_SPSR_EL2, SR_SPSR_EL3};

	for (size_t i = 0; i < sizeof(feature_bits) / sizeof(feature_bits[0]); i++) {
		if (!feature_in(set, (enum feature)feature_bits[i].feature)) {
			writable[feature_bits[i].reg] &= ~feature_bits[i].mask;
		}
	}
	for (size_t i = 0; i < sizeof(spsr) / sizeof(spsr[0]); i++) {
		writable[spsr[i]] &= ~((feature_in(set, FEAT_UAO) ? 0 : BIT(23)) |
				       (feature_in(set, FEAT_PAN) ? 0 : BIT(22)) |
				       (feature_in(set, FEAT_DIT) ? 0 : BIT(24)) |
				       (feature_in(set, FEAT_MTE) ? 0 : BIT(25)) |
				       (feature_in(set, FEAT_NMI) ? 0 : BIT(13)) |
				       (feature_in(set, FEAT_SSBS) ? 0 : BIT(12)) |
				       (feature_in(set, FEAT_BTI) ? 0 : MASK(11, 10)));
	}
	tcr_el2_mask_register(set, writable);
	fgt_mask_registers(set, writable);
	pmu_mask_registers(set, writable);
	// No OS double lock: no trap of it either.
	if (feature_in(set, FEAT_DoPD)) {
		writable[SR_OSDLR_EL1] = 0;
		writable[SR_HDFGRTR_EL2] &= ~HDFGxTR_EL2_OSDLR_EL1;
		writable[SR_HDFGWTR_EL2] &= ~HDFGxTR_EL2_OSDLR_EL1;
	}
	if (!feature_in(set, FEAT_S1PIE) && !feature_in(set, FEAT_S2PIE) &&
	    !feature_in(set, FEAT_S1POE)) {
		writable[SR_SCR_EL3] &= ~SCR_EL3_PIEn;
	}
	// Exclusive with EL3: HVC is then disabled by SCR_EL3.HCE.
	if (feature_in(set, FEAT_EL3)) {
		writable[SR_HCR_EL2] &= ~HCR_EL2_HCD;
	}
}
