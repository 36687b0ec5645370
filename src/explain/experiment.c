// SPDX-License-Identifier: Apache-2.0
// Which single field, if it were different, would make the instruction go elsewhere? Found by
// trying: the answer owes nothing to any table of controls.
#include <stdio.h>
#include <string.h>

#include "base/bits.h"
#include "cpu/field.h"
#include "cpu/model.h"
#include "cpu/pe.h"
#include "explain/explain.h"

// What decides; not what is decided about (addresses, attributes, syndromes).
static const char *const control_registers[] = {
	"SCTLR_EL1",   "SCTLR2_EL1",    "CPACR_EL1",     "TCR2_EL1",    "MDSCR_EL1",
	"CNTKCTL_EL1", "PMUSERENR_EL0", "AMUSERENR_EL0", "SCTLR_EL2",   "SCTLR2_EL2",
	"HCR_EL2",     "HCRX_EL2",      "CPTR_EL2",      "MDCR_EL2",    "HSTR_EL2",
	"HFGRTR_EL2",  "HFGWTR_EL2",    "HFGITR_EL2",    "HDFGRTR_EL2", "HDFGWTR_EL2",
	"HAFGRTR_EL2", "CNTHCTL_EL2",   "ICC_SRE_EL1",   "ICC_SRE_EL2", "ICH_HCR_EL2",
	"SCTLR_EL3",   "SCTLR2_EL3",    "SCR_EL3",       "CPTR_EL3",    "MDCR_EL3",
	"ICC_SRE_EL3", "TCR2_EL2",      "GCR_EL1"};

static const struct {
	const char *name;
	uint64_t mask;
} pstate_bits[] = {{"PSTATE.PAN", BIT(22)},
		   {"PSTATE.UAO", BIT(23)},
		   {"PSTATE.TCO", BIT(25)},
		   {"PSTATE.IL", BIT(20)},
		   {"PSTATE.SP", BIT(0)}};

// The instruction was not reached at all: the MMU is on, and there are no tables.
static bool is_fetch_abort(const struct strata_explain_end *end, uint64_t pc)
{
	return (end->ec == 0x20 || end->ec == 0x21) && end->has_far && end->far == pc;
}

// Run with the change that was just made, and keep what is different.
static void try(struct scene *scene, struct strata_explanation *e, explain_run_fn *run,
		const char *what)
{
	uint64_t pc = pe_pc(scene_pe(scene));
	struct strata_explain_other *slot;
	struct strata_explain_end end;

	run(scene, e, &end);
	if (!explain_same_end(&end, &e->end) && !is_fetch_abort(&end, pc)) {
		slot = explain_grow((void **)&e->changes, &e->change_count, sizeof(*slot));
		if (slot != NULL) {
			snprintf(slot->controls, sizeof(slot->controls), "%s", what);
			slot->end = end;
		}
	}
	scene_undo(scene);
}

// E2H renames fields, and TGE takes EL1 away: such a change is another question.
static bool keeps_the_question(const struct strata_explanation *e, enum sysreg reg, uint64_t mask)
{
	if (reg == SR_HCR_EL2 && (mask & BIT(27))) {
		return e->el != 1; // TGE
	}
	if (strcmp(sysreg_name(reg), "MDSCR_EL1") == 0 && (mask & BIT(0))) {
		return e->end.ec == 0x32 || e->end.ec == 0x33; // SS: a debugger that steps
	}
	if (reg == SR_SCR_EL3) {
		return e->el == 3 || !(mask & (BIT(0) | (e->el == 2 && e->secure ? BIT(18) : 0)));
	}
	return true;
}

static void try_field(struct scene *scene, struct strata_explanation *e, explain_run_fn *run,
		      const struct sysreg_field *field)
{
	enum sysreg reg = (enum sysreg)field->reg;
	uint64_t mask = sysreg_field_mask(field);
	uint64_t old = (scene_value(scene, reg) & mask) >> field->lo;
	uint64_t max = mask >> field->lo;
	char what[96];

	if (max > 3 || !keeps_the_question(e, reg, mask)) {
		return; // no switch
	}
	for (uint64_t value = 0; value <= max; value++) {
		if (value != old && scene_change(scene, reg, mask, value << field->lo)) {
			snprintf(what, sizeof(what), "%s.%s=%llu", sysreg_name(reg), field->name,
				 (unsigned long long)value);
			try(scene, e, run, what);
		}
	}
}

static bool is_control_register(enum sysreg reg)
{
	for (size_t i = 0; i < sizeof(control_registers) / sizeof(control_registers[0]); i++) {
		if (strcmp(sysreg_name(reg), control_registers[i]) == 0) {
			return true;
		}
	}
	return false;
}

void explain_experiment(struct scene *scene, struct strata_explanation *e, explain_run_fn *run)
{
	bool e2h = (scene_value(scene, SR_HCR_EL2) >> 34) & 1;
	const struct sysreg_field *field;
	char what[32];

	scene_undo(scene);
	for (size_t i = 0; (field = sysreg_field_at(i)) != NULL; i++) {
		if ((field->layout == FIELD_ANY || (field->layout == FIELD_E2H1) == e2h) &&
		    is_control_register((enum sysreg)field->reg)) {
			try_field(scene, e, run, field);
		}
	}
	for (size_t i = 0; i < sizeof(pstate_bits) / sizeof(pstate_bits[0]); i++) {
		uint64_t mask = pstate_bits[i].mask;
		uint64_t value = ~pe_pstate(scene_pe(scene)) & mask;

		// IL would come before anything else.
		if ((mask != 1 || e->el != 0) && (mask != BIT(20) || value == 0) &&
		    scene_change_pstate(scene, mask, value)) {
			snprintf(what, sizeof(what), "%s=%d", pstate_bits[i].name, value != 0);
			try(scene, e, run, what);
		} else {
			scene_undo(scene);
		}
	}
}
