// SPDX-License-Identifier: Apache-2.0
// CPU models: named cores as lists of features and the identification values that no feature
// decides, and the parser of "NAME,switch=value,...". What a real core has and Strata has not is
// simply absent from its list.
#include "cpu/model.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bits.h"
#include "cpu/mte.h"
#include "cpu/sysreg_fields.h"
#include "cpu/sysreg_internal.h"

// Armv8.0 as every core here implements it: FP, SIMD, CRC32 and cryptography, EL2, EL3, a GICv3 CPU
// interface.
#define FEATURES_V8_0 \
	FEAT_FP, FEAT_AdvSIMD, FEAT_CRC32, FEAT_AES, FEAT_PMULL, FEAT_SHA1, FEAT_SHA256, \
		FEAT_PMUv3, FEAT_EL2, FEAT_EL3, FEAT_GICv3, FEAT_GRAN4K, FEAT_GRAN64K, FEAT_ASID16

#define FEATURES_V8_2 \
	FEATURES_V8_0, FEAT_LSE, FEAT_RDM, FEAT_PAN, FEAT_PAN2, FEAT_VHE, FEAT_HAFDBS, \
		FEAT_VMID16, FEAT_LOR, FEAT_HPDS, FEAT_HPDS2, FEAT_XNX, FEAT_TTCNP, FEAT_UAO, \
		FEAT_RAS, FEAT_IESB, FEAT_FP16, FEAT_DotProd, FEAT_LRCPC, FEAT_DPB, FEAT_SSBS, \
		FEAT_SSBS2, FEAT_CSV2, FEAT_CSV3, FEAT_PMUv3p1, FEAT_Debugv8p1, FEAT_Debugv8p2, \
		FEAT_GRAN16K

#define FEATURES_V8_4 \
	FEATURES_V8_2, FEAT_LSE2, FEAT_LRCPC2, FEAT_SHA512, FEAT_SHA3, FEAT_SM3, FEAT_SM4, \
		FEAT_FCMA, FEAT_JSCVT, FEAT_FHM, FEAT_FlagM, FEAT_BF16, FEAT_I8MM, FEAT_DIT, \
		FEAT_DPB2, FEAT_DGH, FEAT_PAuth, FEAT_PAuth2, FEAT_RNG, FEAT_S2FWB, FEAT_IDST, \
		FEAT_EVT, FEAT_RASv1p1, FEAT_DoubleFault, FEAT_PMUv3p4, FEAT_Debugv8p4, FEAT_DoPD

// Of `max`: waits, timers, interrupts, activity monitors, debug, permissions by index.
#define FEATURES_SYSTEM \
	FEAT_TWED, FEAT_ECV, FEAT_ECV_POFF, FEAT_NMI, FEAT_GICv3_NMI, FEAT_AMUv1, FEAT_AMUv1p1, \
		FEAT_Debugv8p8, FEAT_TCR2, FEAT_SCTLR2, FEAT_S1PIE, FEAT_S2PIE, FEAT_S1POE, \
		FEAT_S2POE

static const uint16_t features_a53[] = {FEATURES_V8_0, FEAT_NONE};
static const uint16_t features_a72[] = {FEATURES_V8_0, FEAT_NONE};
static const uint16_t features_n1[] = {FEATURES_V8_2, FEAT_NONE};
static const uint16_t features_v1[] = {FEATURES_V8_4, FEAT_CCIDX, FEAT_PACQARMA5, FEAT_NONE};
static const uint16_t features_max[] = {
	FEATURES_V8_4, FEAT_FRINTTS,   FEAT_FlagM2, FEAT_SB,      FEAT_SPECRES,     FEAT_SPECRES2,
	FEAT_BTI,      FEAT_FPAC,      FEAT_PACIMP, FEAT_WFxT,    FEAT_PAN3,        FEAT_TTL,
	FEAT_TLBIOS,   FEAT_TLBIRANGE, FEAT_XS,     FEAT_E0PD,    FEAT_LVA,         FEAT_LPA,
	FEAT_LPA2,     FEAT_GTG,       FEAT_TTST,   FEAT_CSV2_2,  FEAT_SEL2,        FEAT_ETS2,
	FEAT_FGT,      FEAT_FGT2,      FEAT_HCX,    FEAT_TIDCP1,  FEAT_RNG_TRAP,    FEATURES_SYSTEM,
	FEAT_NV,       FEAT_NV2,       FEAT_MTE,    FEAT_MTE2,    FEAT_MTE3,        FEAT_MOPS,
	FEAT_CSSC,     FEAT_HBC,       FEAT_ExS,    FEAT_PMUv3p5, FEAT_FPACCOMBINE, FEAT_AFP,
	FEAT_RPRES,    FEAT_NONE};

struct model_row {
	const char *name;
	const char *description;
	const uint16_t *features; // ends with FEAT_NONE
	uint32_t midr, revidr, ctr, clidr;
	uint32_t pmcr; // IMP, IDCODE and N of PMCR_EL0
	uint8_t pa_bits;
	uint8_t breakpoints, watchpoints, context_breakpoints;
	uint16_t tlb_entries;
	uint64_t ccsidr[2][2]; // L1 data, L1 instruction; L2 unified
};

static const struct model_row model_rows[] = {
	{
		.name = "max",
		.description = "every feature that Strata implements",
		.features = features_max,
		.midr = 0x000f0510,
		.ctr = 0xb444c004, // IDC and DIC: no cache maintenance is needed for coherent code
		.clidr = 0x02000023, // FEAT_S2FWB: LoUU and LoUIS are 0
		.ccsidr = {{0x701fe00a, 0x201fe012}, {0x70ffe07a, 0}},
		.pmcr = 0x00003000,
		.pa_bits = 52,
		.breakpoints = 6,
		.watchpoints = 4,
		.context_breakpoints = 2,
		.tlb_entries = 4096,
	},
	{
		.name = "cortex-a53",
		.description = "Arm Cortex-A53 r0p4 (Armv8.0)",
		.features = features_a53,
		.midr = 0x410fd034,
		.revidr = 0x100,
		.ctr = 0x84448004,
		.clidr = 0x0a200023,
		.ccsidr = {{0x700fe01a, 0x201fe00a}, {0x707fe07a, 0}},
		.pmcr = 0x41033000,
		.pa_bits = 40,
		.breakpoints = 6,
		.watchpoints = 4,
		.context_breakpoints = 2,
		.tlb_entries = 512,
	},
	{
		.name = "cortex-a72",
		.description = "Arm Cortex-A72 r0p3 (Armv8.0)",
		.features = features_a72,
		.midr = 0x410fd083,
		.ctr = 0x8444c004,
		.clidr = 0x0a200023,
		.ccsidr = {{0x701fe00a, 0x201fe012}, {0x707fe07a, 0}},
		.pmcr = 0x41023000,
		.pa_bits = 44,
		.breakpoints = 6,
		.watchpoints = 4,
		.context_breakpoints = 2,
		.tlb_entries = 1024,
	},
	{
		.name = "neoverse-n1",
		.description = "Arm Neoverse N1 r4p1 (Armv8.2)",
		.features = features_n1,
		.midr = 0x414fd0c1,
		.ctr = 0x8444c004,
		.clidr = 0x82000023,
		.ccsidr = {{0x701fe01a, 0x201fe01a}, {0x70ffe03a, 0}},
		.pmcr = 0x410c3000,
		.pa_bits = 48,
		.breakpoints = 6,
		.watchpoints = 4,
		.context_breakpoints = 2,
		.tlb_entries = 1024,
	},
	{
		.name = "neoverse-v1",
		.description = "Arm Neoverse V1 r1p2 (Armv8.4, without SVE, statistical profiling, "
			       "nested virtualization)",
		.features = features_v1,
		.midr = 0x411fd402,
		.ctr = 0xb444c004,
		.clidr = 0x82000023,
		// FEAT_CCIDX format: NumSets - 1 in [55:32], ways - 1 in [23:3].
		.ccsidr = {{UINT64_C(0xff0000001a), UINT64_C(0xff0000001a)},
			   {UINT64_C(0x7ff0000003a), 0}},
		.pmcr = 0x41213000,
		.pa_bits = 48,
		.breakpoints = 6,
		.watchpoints = 4,
		.context_breakpoints = 2,
		.tlb_entries = 2048,
	},
};
#define MODEL_COUNT (sizeof(model_rows) / sizeof(model_rows[0]))

static bool fail(char *error, size_t error_size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static bool fail(char *error, size_t error_size, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(error, error_size, fmt, args);
	va_end(args);
	return false;
}

// ---- switches -----------------------------------------------------------------------------------

static const struct {
	const char *name;
	uint16_t feature;
} pauth_algorithms[] = {{"qarma5", FEAT_PACQARMA5},
			{"qarma3", FEAT_PACQARMA3},
			{"impdef", FEAT_PACIMP}};
#define PAUTH_ALGORITHM_COUNT (sizeof(pauth_algorithms) / sizeof(pauth_algorithms[0]))

static void drop_pauth_algorithms(struct feature_set *set)
{
	for (size_t i = 0; i < PAUTH_ALGORITHM_COUNT; i++) {
		feature_drop(set, (enum feature)pauth_algorithms[i].feature);
	}
}

static bool set_pauth_algorithm(struct feature_set *set, const char *value, char *error,
				size_t error_size)
{
	if (!feature_in(set, FEAT_PAuth)) {
		return fail(error, error_size,
			    "pauth-algorithm=%s needs FEAT_PAuth, which this CPU has not", value);
	}
	for (size_t i = 0; i < PAUTH_ALGORITHM_COUNT; i++) {
		if (strcasecmp(value, pauth_algorithms[i].name) == 0) {
			drop_pauth_algorithms(set);
			feature_add(set, (enum feature)pauth_algorithms[i].feature);
			return true;
		}
	}
	return fail(error, error_size,
		    "pauth-algorithm=%s: the algorithms are qarma5, qarma3 and impdef", value);
}

// One "name=value" of the text; `on` collects what was turned on, to be checked when all are known.
static bool apply_switch(struct feature_set *set, struct feature_set *on, char *text, char *error,
			 size_t error_size)
{
	char *value = strchr(text, '=');
	enum feature feature;

	if (value == NULL) {
		return fail(error, error_size, "CPU switch '%s': write %s=on or %s=off", text, text,
			    text);
	}
	*value++ = '\0';
	if (strcasecmp(text, "pauth-algorithm") == 0) {
		return set_pauth_algorithm(set, value, error, error_size);
	}
	feature = feature_find(text);
	if (feature == FEAT_NONE) {
		return fail(error, error_size, "CPU switch '%s': no such feature", text);
	}
	if (feature == FEAT_EL2 || feature == FEAT_EL3 || feature == FEAT_GICv3) {
		return fail(error, error_size, "CPU switch '%s': the board decides this", text);
	}
	if (strcasecmp(value, "off") == 0) {
		feature_drop(set, feature);
		feature_drop(on, feature);
		return true;
	}
	if (strcasecmp(value, "on") != 0) {
		return fail(error, error_size, "CPU switch '%s=%s': the values are on and off",
			    text, value);
	}
	if (feature == FEAT_PACQARMA5 || feature == FEAT_PACQARMA3 || feature == FEAT_PACIMP) {
		drop_pauth_algorithms(set);
	}
	feature_add(set, feature);
	feature_add(on, feature);
	return true;
}

static bool check_consistent(struct feature_set *set, const struct feature_set *on, char *error,
			     size_t error_size)
{
	for (unsigned f = FEAT_NONE + 1; f < FEATURE_COUNT; f++) {
		enum feature missing;

		if (!feature_in(on, (enum feature)f)) {
			continue;
		}
		missing = feature_missing(set, (enum feature)f);
		if (missing != FEAT_NONE) {
			return fail(error, error_size, "%s=on needs %s, which this CPU has not",
				    feature_name((enum feature)f) + 5, feature_name(missing));
		}
	}
	// PAuth turned on in a model without it: the fast algorithm.
	if (feature_in(set, FEAT_PAuth) && !feature_in(set, FEAT_PACQARMA5) &&
	    !feature_in(set, FEAT_PACQARMA3) && !feature_in(set, FEAT_PACIMP)) {
		feature_add(set, FEAT_PACIMP);
	}
	if (!feature_in(set, FEAT_GRAN4K) && !feature_in(set, FEAT_GRAN16K) &&
	    !feature_in(set, FEAT_GRAN64K)) {
		return fail(error, error_size, "a CPU needs one of GRAN4K, GRAN16K and GRAN64K");
	}
	return true;
}

// ---- building -----------------------------------------------------------------------------------

// ID_AA64MMFR0_EL1.PARange
static unsigned pa_range(unsigned pa_bits)
{
	static const uint8_t sizes[] = {32, 36, 40, 42, 44, 48, 52};
	unsigned range = 0;

	while (range + 1 < sizeof(sizes) && sizes[range] < pa_bits) {
		range++;
	}
	return range;
}

static void build_id(struct cpu_model *model, const struct model_row *row)
{
	uint64_t *id = model->id;

	for (unsigned reg = 0; reg < SYSREG_COUNT; reg++) {
		id[reg] = sysreg_rows[reg].reset;
	}
	feature_id_registers(&model->features, id);
	id[SR_MIDR_EL1] = row->midr;
	id[SR_VPIDR_EL2] = row->midr;
	id[SR_REVIDR_EL1] = row->revidr;
	id[SR_CTR_EL0] = row->ctr;
	id[SR_DCZID_EL0] = 4; // 64 bytes
	id[SR_GMID_EL1] = feature_in(&model->features, FEAT_MTE2) ? GMID_BS : 0;
	id[SR_CLIDR_EL1] = row->clidr;
	id[SR_CCSIDR_EL1] = row->ccsidr[0][0];
	id[SR_ID_AA64MMFR0_EL1] |= pa_range(model->pa_bits);
	id[SR_ID_AA64DFR0_EL1] |= (uint64_t)(row->breakpoints - 1) << 12 |
				  (uint64_t)(row->watchpoints - 1) << 20 |
				  (uint64_t)(row->context_breakpoints - 1) << 28;
	id[SR_LORID_EL1] = 4 << 16 | 4; // descriptors, regions
	if (feature_in(&model->features, FEAT_PMUv3)) {
		id[SR_PMCR_EL0] = row->pmcr | BIT(6); // LC is RES1 without AArch32
		id[SR_MDCR_EL2] = model->pmu_counters; // HPMN
	}
}

// Physical addresses end where the model's do: what is above is RES0.
static void limit_addresses(struct cpu_model *model)
{
	model->writable[SR_HPFAR_EL2] &= BIT(63) | MASK(model->pa_bits - 9, 4); // FIPA: IPA >> 8
	model->writable[SR_LORSA_EL1] &= MASK(model->pa_bits - 1, 0);
	model->writable[SR_LOREA_EL1] &= MASK(model->pa_bits - 1, 0);
}

// Without EL2 its registers read as zero from EL3. Not so EL1's own stack pointer among them, and
// the identities: VPIDR_EL2 is MIDR_EL1 then, VMPIDR_EL2 MPIDR_EL1 (sysreg_reset).
static void hide_el2(struct cpu_model *model)
{
	for (unsigned reg = 0; reg < SYSREG_COUNT; reg++) {
		unsigned enc = sysreg_rows[reg].enc;

		if ((enc >> 14) == 3 && ((enc >> 11) & 7) == 4 && reg != SR_SP_EL1) {
			model->id[reg] = reg == SR_VPIDR_EL2 ? model->id[SR_MIDR_EL1] : 0;
			model->writable[reg] = 0;
		}
	}
}

static void build_mmu(struct cpu_model *model)
{
	const struct feature_set *set = &model->features;
	struct mmu_features *mmu = &model->mmu;

	mmu->pa_bits = model->pa_bits;
	mmu->gran4k = mmu->s2_gran4k = feature_in(set, FEAT_GRAN4K);
	mmu->gran16k = mmu->s2_gran16k = feature_in(set, FEAT_GRAN16K);
	mmu->gran64k = mmu->s2_gran64k = feature_in(set, FEAT_GRAN64K);
	mmu->lva = feature_in(set, FEAT_LVA);
	mmu->lpa = feature_in(set, FEAT_LPA);
	mmu->lpa2 = feature_in(set, FEAT_LPA2);
	mmu->haf = mmu->hdbs = feature_in(set, FEAT_HAFDBS);
	mmu->hpds = feature_in(set, FEAT_HPDS);
	mmu->hpds2 = feature_in(set, FEAT_HPDS2);
	mmu->pan = feature_in(set, FEAT_PAN);
	mmu->pan3 = feature_in(set, FEAT_PAN3);
	mmu->xnx = feature_in(set, FEAT_XNX);
	mmu->ttcnp = feature_in(set, FEAT_TTCNP);
	mmu->s2fwb = feature_in(set, FEAT_S2FWB);
	mmu->e0pd = feature_in(set, FEAT_E0PD);
	mmu->vmid16 = feature_in(set, FEAT_VMID16);
	mmu->asid16 = feature_in(set, FEAT_ASID16);
	mmu->ttst = feature_in(set, FEAT_TTST);
	mmu->bti = feature_in(set, FEAT_BTI);
	mmu->sel2 = feature_in(set, FEAT_SEL2);
	mmu->nv1 = feature_in(set, FEAT_NV);
	mmu->mte2 = feature_in(set, FEAT_MTE2);
	mmu->s1pie = feature_in(set, FEAT_S1PIE);
	mmu->s1poe = feature_in(set, FEAT_S1POE);
	mmu->s2pie = feature_in(set, FEAT_S2PIE);
	mmu->s2poe = feature_in(set, FEAT_S2POE);
	mmu->xs = feature_in(set, FEAT_XS);
}

static void build(struct cpu_model *model, const struct model_row *row)
{
	const struct feature_set *set = &model->features;

	snprintf(model->name, sizeof(model->name), "%s", row->name);
	model->pa_bits = row->pa_bits > 48 && !feature_in(set, FEAT_LPA) ? 48 : row->pa_bits;
	model->breakpoints = row->breakpoints;
	model->watchpoints = row->watchpoints;
	model->pmu_counters = feature_in(set, FEAT_PMUv3) ? (row->pmcr >> 11) & 31 : 0;
	model->tlb_entries = row->tlb_entries;
	model->ccsidr[0][0] = row->ccsidr[0][0];
	model->ccsidr[0][1] = row->ccsidr[0][1];
	model->ccsidr[1][0] = row->ccsidr[1][0];
	build_id(model, row);
	for (unsigned reg = 0; reg < SYSREG_COUNT; reg++) {
		model->writable[reg] = sysreg_rows[reg].writable;
	}
	feature_mask_registers(set, model->writable);
	limit_addresses(model);
	if (!feature_in(set, FEAT_EL2)) {
		hide_el2(model);
	}
	build_mmu(model);
	sysreg_index_traps(model);
}

static const struct model_row *find_row(const char *name)
{
	for (size_t i = 0; i < MODEL_COUNT; i++) {
		if (strcasecmp(name, model_rows[i].name) == 0) {
			return &model_rows[i];
		}
	}
	return NULL;
}

static bool parse(struct cpu_model *model, char *text, bool has_el2, bool has_el3, char *error,
		  size_t error_size)
{
	struct feature_set on = {{0}};
	char *rest = NULL;
	char *word = strtok_r(text, ",", &rest);
	const struct model_row *row = word != NULL ? find_row(word) : NULL;

	if (row == NULL) {
		return fail(error, error_size,
			    "unknown CPU model '%s' (max, cortex-a53, cortex-a72, neoverse-n1, "
			    "neoverse-v1)",
			    word != NULL ? word : "");
	}
	for (const uint16_t *f = row->features; *f != FEAT_NONE; f++) {
		feature_add(&model->features, (enum feature) * f);
	}
	if (!has_el2) {
		feature_drop(&model->features, FEAT_EL2);
	}
	if (!has_el3) {
		feature_drop(&model->features, FEAT_EL3);
	}
	while ((word = strtok_r(NULL, ",", &rest)) != NULL) {
		if (!apply_switch(&model->features, &on, word, error, error_size)) {
			return false;
		}
	}
	if (!check_consistent(&model->features, &on, error, error_size)) {
		return false;
	}
	build(model, row);
	return true;
}

struct cpu_model *cpu_model_parse(const char *text, bool has_el2, bool has_el3, char *error,
				  size_t error_size)
{
	struct cpu_model *model = calloc(1, sizeof(*model));
	char *copy = strdup(text);

	if (model == NULL || copy == NULL) {
		fail(error, error_size, "out of memory");
	} else if (parse(model, copy, has_el2, has_el3, error, error_size)) {
		free(copy);
		return model;
	}
	free(copy);
	free(model);
	return NULL;
}

void cpu_model_list(void (*fn)(void *opaque, const char *name, const char *description),
		    void *opaque)
{
	for (size_t i = 0; i < MODEL_COUNT; i++) {
		fn(opaque, model_rows[i].name, model_rows[i].description);
	}
	fn(opaque, "FEATURE=on|off",
	   "switch a feature by its architectural name, for example lse=off, pauth=off, lpa2=off");
	fn(opaque, "pauth-algorithm=ALG",
	   "pointer authentication by qarma5, qarma3 or impdef (fast)");
}
