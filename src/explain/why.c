// SPDX-License-Identifier: Apache-2.0
// Why something is UNDEFINED where no control is the reason: what the model or the machine has not,
// a level that may not, an encoding that is none.
#include <stdio.h>

#include "base/bits.h"
#include "cpu/code.h"
#include "cpu/field.h"
#include "cpu/model.h"
#include "cpu/pe.h"
#include "explain/explain.h"

static void say(struct strata_explanation *e, const char *text)
{
	snprintf(e->why, sizeof(e->why), "%s", text);
}

// False: the model has it.
static bool lacks(struct scene *scene, struct strata_explanation *e, enum feature feature)
{
	if (feature_in(&scene_model(scene)->features, feature)) {
		return false;
	}
	snprintf(e->why, sizeof(e->why), "needs %s, which this CPU model has not",
		 feature_name(feature));
	return true;
}

static bool is_at(uint32_t word, uint32_t mask, uint32_t value)
{
	return (word & mask) == value;
}

// MSR (immediate): op1, op2 and what the field of PSTATE needs.
static const struct {
	uint8_t op1, op2;
	enum feature feature;
} pstate_fields[] = {{0, 3, FEAT_UAO}, {0, 4, FEAT_PAN},   {0, 5, FEAT_NONE},
		     {1, 0, FEAT_NMI}, {3, 1, FEAT_SSBS2}, {3, 2, FEAT_DIT},
		     {3, 4, FEAT_MTE}, {3, 6, FEAT_NONE},  {3, 7, FEAT_NONE}};

// True: this is why.
static bool pstate_field(struct scene *scene, struct strata_explanation *e)
{
	unsigned op1 = (unsigned)bits(e->word, 18, 16), op2 = (unsigned)bits(e->word, 7, 5);

	for (size_t i = 0; i < sizeof(pstate_fields) / sizeof(pstate_fields[0]); i++) {
		if (pstate_fields[i].op1 == op1 && pstate_fields[i].op2 == op2) {
			return lacks(scene, e, pstate_fields[i].feature);
		}
	}
	say(e, "no field of PSTATE has this encoding");
	return true;
}

// Exceptions and returns from them, of words that some machine executes.
static bool special(struct scene *scene, struct strata_explanation *e)
{
	if (is_at(e->word, 0xffff0000, 0)) {
		say(e, "it is permanently UNDEFINED");
	} else if (is_at(e->word, 0xffe0001f, 0xd4400000)) {
		say(e, "halting debug is not implemented");
	} else if (is_at(e->word, 0xffe0001c, 0xd4a00000) || e->word == 0xd6bf03e0) {
		say(e, "it is for Debug state, which is not implemented");
	} else if (e->el != 0 && is_at(e->word, 0xffe0001f, 0xd4000002) &&
		   !feature_in(&scene_model(scene)->features, FEAT_EL2)) {
		say(e, "this machine has no EL2");
	} else if (e->el != 0 && is_at(e->word, 0xffe0001f, 0xd4000003) &&
		   !feature_in(&scene_model(scene)->features, FEAT_EL3)) {
		say(e, "this machine has no EL3");
	} else {
		return is_at(e->word, 0xfff8f01f, 0xd500401f) && pstate_field(scene, e);
	}
	return true;
}

// Does some single control bring it? Then that is said elsewhere.
static bool is_by_control(const struct strata_explanation *e)
{
	for (size_t i = 0; i < e->change_count; i++) {
		if (e->changes[i].end.outcome != STRATA_EXPLAIN_UNDEFINED) {
			return true;
		}
	}
	return false;
}

// UNDEFINED at EL0, and not at the level above it?
static bool is_for_higher_levels(struct scene *scene, struct strata_explanation *e,
				 explain_run_fn *run)
{
	bool tge = (pe_hcr(scene_pe(scene)) >> 27) & 1;
	struct strata_explain_end end;
	bool different = false;

	scene_undo(scene);
	if (e->el == 0 && scene_change_pstate(scene, 0xf, tge ? 0x9 : 0x5)) {
		run(scene, e, &end);
		different = end.outcome != STRATA_EXPLAIN_UNDEFINED;
	}
	scene_undo(scene);
	return different;
}

static void why_instruction(struct scene *scene, struct strata_explanation *e, explain_run_fn *run)
{
	enum feature feature;

	if (special(scene, e) || is_by_control(e)) {
		return;
	}
	if (!code_insn_feature(e->word, &feature)) {
		say(e, "no instruction has this encoding");
	} else if (!lacks(scene, e, feature) && is_for_higher_levels(scene, e, run)) {
		say(e, "it is not accessible from EL0");
	}
}

static void why_access(struct scene *scene, struct strata_explanation *e, uint16_t enc, bool read)
{
	struct sysreg_info info;
	unsigned els;

	if (sysreg_find(enc) == SYSREG_NONE) {
		say(e, "no register or operation has this encoding");
		return;
	}
	sysreg_describe(sysreg_find(enc), &info);
	els = read ? info.read_els : info.write_els;
	if (lacks(scene, e, info.feature) || lacks(scene, e, info.also)) {
		return;
	}
	if (els == 0) {
		snprintf(e->why, sizeof(e->why), "it is %s-only", read ? "write" : "read");
	} else if (!((els >> e->el) & 1)) {
		snprintf(e->why, sizeof(e->why), "it is not accessible from EL%u", e->el);
	}
}

void explain_why(struct scene *scene, struct strata_explanation *e, uint16_t enc, bool read,
		 explain_run_fn *run)
{
	if (e->end.outcome != STRATA_EXPLAIN_UNDEFINED) {
		return;
	}
	if (e->is_access) {
		why_access(scene, e, enc, read);
	} else {
		why_instruction(scene, e, run);
	}
}
