// SPDX-License-Identifier: Apache-2.0
// When a register exists, beyond its level and its feature: an access that breaks a rule is
// UNDEFINED.
#include "base/bits.h"
#include "cpu/model.h"
#include "cpu/pe_internal.h"
#include "cpu/sysreg_fields.h"
#include "cpu/sysreg_internal.h"

static const struct {
	unsigned rule;
	uint16_t reg; // that the rule depends on; SYSREG_NONE: none that software writes
	const char *name;
	uint64_t mask;
	enum sysreg_test test; // breaks the rule
} rules[] = {
	{RULE_ALIAS, SR_HCR_EL2, "HCR_EL2.E2H", HCR_EL2_E2H, SYSREG_CLEAR},
	{RULE_EL2ON, SR_SCR_EL3, "SCR_EL3.{NS,EEL2}", SCR_EL3_NS | SCR_EL3_EEL2, SYSREG_CLEAR},
	{RULE_SP0, SYSREG_NONE, "SPSel", 1, SYSREG_CLEAR},
	{RULE_BRP, SYSREG_NONE, "ID_AA64DFR0_EL1.BRPs", 0, SYSREG_SET},
	{RULE_WRP, SYSREG_NONE, "ID_AA64DFR0_EL1.WRPs", 0, SYSREG_SET},
	{RULE_PMEV, SYSREG_NONE, "PMCR_EL0.N", 0, SYSREG_SET},
	{RULE_RVBAR1, SYSREG_NONE, "EL1 is not the highest level", 0, SYSREG_SET},
	{RULE_RVBAR2, SYSREG_NONE, "EL2 is not the highest level", 0, SYSREG_SET},
	{RULE_SECURE_EL2, SR_SCR_EL3, "SCR_EL3.NS", SCR_EL3_NS, SYSREG_SET},
	{RULE_CNTPS, SR_SCR_EL3, "SCR_EL3.{NS,EEL2}", SCR_EL3_NS | SCR_EL3_EEL2, SYSREG_SET},
	{RULE_NONSECURE, SR_SCR_EL3, "SCR_EL3.NS", SCR_EL3_NS, SYSREG_CLEAR},
	{RULE_TOP_WRITES, SYSREG_NONE, "written from the highest level only", 0, SYSREG_SET},
	{RULE_AMU1, SYSREG_NONE, "AMCGCR_EL0.CG1NC", 0, SYSREG_SET},
	{RULE_AP, SYSREG_NONE, "ICC_CTLR_EL1.PRIbits", 0, SYSREG_SET},
	{RULE_LR, SYSREG_NONE, "ICH_VTR_EL2.ListRegs", 0, SYSREG_SET},
};
#define RULE_COUNT (sizeof(rules) / sizeof(rules[0]))

static unsigned highest_el(const struct pe *pe)
{
	return pe->has_el3 ? 3 : pe->has_el2 ? 2 : 1;
}

// AMCGCR_EL0.CG1NC
static unsigned aux_activity_counters(const struct pe *pe)
{
	return (unsigned)bits(pe->model->id[SR_AMCGCR_EL0], 15, 8);
}

// ICC_AP0R<n>_EL1 and its like: the second needs six bits of priority, the others seven.
static bool has_active_priorities(const struct pe *pe, unsigned n)
{
	return n == 0 || pe->gic_priority_bits >= (n == 1 ? 6 : 7);
}

bool sysreg_is_implemented(const struct pe *pe, const struct sysreg_row *row)
{
	return (!(row->rules & RULE_AMU1) || row->index < aux_activity_counters(pe)) &&
	       (!(row->rules & RULE_AP) || has_active_priorities(pe, row->index)) &&
	       (!(row->rules & RULE_LR) || row->index < pe->gic_list_registers);
}

static bool rule_broken(const struct sysreg_state *s, const struct sysreg_row *row, unsigned rule,
			bool read)
{
	const struct pe *pe = s->pe;
	uint64_t scr = pe->sr[SR_SCR_EL3];

	switch ((enum sysreg_rule)rule) {
	case RULE_IDSPACE: // no rule of existence: what is reported where it does not
		return false;
	case RULE_ALIAS: // _EL12 and _EL02 names exist at EL2 and EL3 while ELIsInHost(EL2)
		return !pe->has_el2 || !(pe->sr[SR_HCR_EL2] & HCR_EL2_E2H);
	case RULE_EL2ON:
		return s->el == 3 && !s->el2_enabled;
	case RULE_SP0:
		return !pe->sp_sel;
	case RULE_BRP:
		return row->index >= pe->model->breakpoints;
	case RULE_WRP:
		return row->index >= pe->model->watchpoints;
	case RULE_PMEV:
		return row->index >= pe->model->pmu_counters;
	case RULE_RVBAR1:
		return highest_el(pe) != 1;
	case RULE_RVBAR2:
		return highest_el(pe) != 2;
	case RULE_SECURE_EL2: // Secure state at EL2; at EL3 while SCR_EL3.EEL2 is 1
		return s->el == 3 ? !(scr & SCR_EL3_EEL2) : !s->secure;
	case RULE_CNTPS: // AArch64.CheckAccess of CNTPS_CTL_EL1
		return s->el != 3 && !(s->el == 1 && s->secure && !(scr & SCR_EL3_EEL2));
	case RULE_NONSECURE:
		return s->secure;
	case RULE_TOP_WRITES:
		return !read && s->el != highest_el(pe);
	case RULE_AMU1:
	case RULE_AP:
	case RULE_LR:
		return !sysreg_is_implemented(pe, row);
	}
	return false;
}

// What a rule says in this state only: of the bits that it depends on, those that matter here.
static void say_here(const struct sysreg_state *s, unsigned rule, struct sysreg_control *c)
{
	if ((rule == RULE_ALIAS || rule == RULE_EL2ON) && !s->pe->has_el2) { // its fields are RES0
		c->name = "EL2 is not implemented";
		c->reg = SYSREG_NONE;
	} else if (rule == RULE_EL2ON) {
		c->involved = s->el == 3;
	} else if (rule == RULE_CNTPS && s->el == 3) {
		c->involved = false;
	} else if (rule == RULE_SECURE_EL2 && s->el == 3) {
		c->name = "SCR_EL3.EEL2";
		c->mask = SCR_EL3_EEL2;
		c->test = SYSREG_CLEAR;
	} else if (rule == RULE_CNTPS && s->el == 2) {
		c->name = "EL1 and EL3 only";
		c->reg = SYSREG_NONE;
	}
}

bool sysreg_rule_control(const struct sysreg_state *s, const struct sysreg_row *row, bool read,
			 unsigned step, struct sysreg_control *c)
{
	unsigned has_rules = row->rules | (row->alias != 0 ? RULE_ALIAS | RULE_EL2ON : 0) |
			     ((row->flags & SYSREG_NEEDS_EL2_ENABLED) ? RULE_EL2ON : 0);

	if (!(has_rules & rules[step].rule)) {
		return false;
	}
	*c = (struct sysreg_control){
		.name = rules[step].name,
		.reg = (enum sysreg)rules[step].reg,
		.mask = rules[step].mask,
		.test = rules[step].test,
		.from = read ? row->read_els : row->write_els,
		.involved = true,
		.holds = rule_broken(s, row, rules[step].rule, read),
		.outcome = SYSREG_UNDEFINED,
	};
	say_here(s, rules[step].rule, c);
	return true;
}

bool sysreg_has_rules(const struct sysreg_row *row)
{
	return (row->rules & ~RULE_IDSPACE) != 0 || row->alias != 0 ||
	       (row->flags & SYSREG_NEEDS_EL2_ENABLED);
}

unsigned sysreg_rule_count(void)
{
	return RULE_COUNT;
}
