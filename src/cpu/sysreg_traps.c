// SPDX-License-Identifier: Apache-2.0
// The controls that trap accesses: the rows of trap.def and the fields of fgt.def, and whether one
// is involved in a state and holds. The order in which they are asked is sysreg_permit.c's.
#include <stdio.h>

#include "base/bits.h"
#include "cpu/esr.h"
#include "cpu/model.h"
#include "cpu/pe_internal.h"
#include "cpu/sysreg_fields.h"
#include "cpu/sysreg_internal.h"

enum trap_dir { DIR_R = 1, DIR_W = 2, DIR_RW = 3 };
enum trap_from { FROM_EL0 = 1, FROM_EL1 = 2, FROM_EL2 = 4, FROM_EL3 = 8 };
enum trap_when {
	WHEN_ALWAYS,
	WHEN_HOST,
	WHEN_NOT_HOST,
	WHEN_NOT_HOST_EL0,
	WHEN_E2H0,
	WHEN_E2H1,
	WHEN_E2H1_TGE0,
	WHEN_PHYS0,
	WHEN_PHYS1,
	WHEN_PHYS_ANY
};

struct trap_row {
	const char *control;
	uint64_t mask;
	uint16_t reg;
	uint8_t group, test, dir, from, to, ec, when;
};

#define EL0 FROM_EL0
#define EL1 FROM_EL1
#define EL2 FROM_EL2
#define EL3 FROM_EL3
static const struct trap_row trap_rows[] = {
#define TRAP_NAMED(name, row_group, row_reg, field, row_test, row_dir, row_from, row_to, row_ec, \
		   row_when) \
	{.control = name, \
	 .group = TG_##row_group, \
	 .mask = row_reg##_##field, \
	 .reg = SR_##row_reg, \
	 .test = SYSREG_##row_test, \
	 .dir = DIR_##row_dir, \
	 .from = row_from, \
	 .to = row_to, \
	 .ec = row_ec, \
	 .when = WHEN_##row_when},
#define TRAP(row_group, row_reg, field, ...) \
	TRAP_NAMED(#row_reg "." #field, row_group, row_reg, field, __VA_ARGS__)
#include "cpu/trap.def"
#undef TRAP
#undef TRAP_NAMED
};
#undef EL0
#undef EL1
#undef EL2
#undef EL3
#define TRAP_COUNT (sizeof(trap_rows) / sizeof(trap_rows[0]))
_Static_assert(TRAP_COUNT <= 64 * CPU_MODEL_TRAP_WORDS,
	       "struct cpu_model.group_traps has a bit for each row");

struct fgt_row {
	const char *read_control, *write_control;
	uint16_t read_reg, write_reg;
	uint8_t bit, test, dir;
};

static const struct fgt_row fgt_rows[FGT_COUNT] = {
#define HFG(field) "HFGRTR_EL2." field, "HFGWTR_EL2." field, SR_HFGRTR_EL2, SR_HFGWTR_EL2
#define HDFG(field) "HDFGRTR_EL2." field, "HDFGWTR_EL2." field, SR_HDFGRTR_EL2, SR_HDFGWTR_EL2
#define HFGI(field) "HFGITR_EL2." field, "HFGITR_EL2." field, SR_HFGITR_EL2, SR_HFGITR_EL2
#define HAFG(field) "HAFGRTR_EL2." field, "HAFGRTR_EL2." field, SR_HAFGRTR_EL2, SR_HAFGRTR_EL2
#define FGT(regs, field, row_bit, row_test, row_dir, ...) \
	[FGT_##field] = {regs(#field), .bit = row_bit, .test = SYSREG_##row_test, \
			 .dir = DIR_##row_dir},
#include "cpu/fgt.def"
#undef FGT
#undef HFG
#undef HDFG
#undef HFGI
#undef HAFG
};

// HCRX_EL2 is as if 0 while SCR_EL3.HXEn is 0 (IsHCRXEL2Enabled).
uint64_t sysreg_effective_hcrx(const struct pe *pe)
{
	bool enabled = !pe->has_el3 || (pe->sr[SR_SCR_EL3] & SCR_EL3_HXEn);

	return enabled && has(pe, FEAT_HCX) && pe_el2_enabled(pe) ? pe->sr[SR_HCRX_EL2] : 0;
}

static uint64_t control_value(const struct pe *pe, enum sysreg reg)
{
	return reg == SR_HCRX_EL2 ? sysreg_effective_hcrx(pe) : pe->sr[reg];
}

static bool test_holds(enum sysreg_test test, uint64_t mask, uint64_t value)
{
	uint64_t field = value & mask;

	switch (test) {
	case SYSREG_SET:
		return field != 0;
	case SYSREG_CLEAR:
		return field == 0;
	case SYSREG_ALL:
		return field == mask;
	case SYSREG_NOT_ALL:
		return field != mask;
	case SYSREG_LOW_CLEAR:
		return (field & mask & -mask) == 0;
	}
	return false;
}

static bool when_holds(const struct trap_row *t, const struct sysreg_state *s)
{
	uint64_t virt = s->el == 1 ? s->hcr : 0;

	switch ((enum trap_when)t->when) {
	case WHEN_ALWAYS:
		return true;
	case WHEN_HOST:
		return s->host;
	case WHEN_NOT_HOST:
		return !s->host;
	case WHEN_NOT_HOST_EL0:
		return !s->host || s->el != 0;
	case WHEN_E2H0:
		return !s->e2h;
	case WHEN_E2H1:
		return s->e2h;
	case WHEN_E2H1_TGE0:
		return s->e2h && !s->tge;
	case WHEN_PHYS0:
		return !(virt & HCR_EL2_FMO);
	case WHEN_PHYS1:
		return !(virt & HCR_EL2_IMO);
	case WHEN_PHYS_ANY:
		return !(virt & (HCR_EL2_FMO | HCR_EL2_IMO));
	}
	return false;
}

static const char *when_text(enum trap_when when)
{
	switch (when) {
	case WHEN_ALWAYS:
		return NULL;
	case WHEN_HOST:
		return "HCR_EL2.{E2H, TGE} is {1, 1}";
	case WHEN_NOT_HOST:
		return "HCR_EL2.{E2H, TGE} is not {1, 1}";
	case WHEN_NOT_HOST_EL0:
		return "at EL0, HCR_EL2.{E2H, TGE} is not {1, 1}";
	case WHEN_E2H0:
		return "HCR_EL2.E2H is 0";
	case WHEN_E2H1:
		return "HCR_EL2.E2H is 1";
	case WHEN_E2H1_TGE0:
		return "HCR_EL2.{E2H, TGE} is {1, 0}";
	case WHEN_PHYS0:
		return "at EL1, HCR_EL2.FMO is 0";
	case WHEN_PHYS1:
		return "at EL1, HCR_EL2.IMO is 0";
	case WHEN_PHYS_ANY:
		return "at EL1, HCR_EL2.{FMO, IMO} is {0, 0}";
	}
	return NULL;
}

unsigned sysreg_trap_target(unsigned row)
{
	return trap_rows[row].to;
}

bool sysreg_trap_control(const struct sysreg_state *s, unsigned row, bool read,
			 struct sysreg_control *c)
{
	const struct trap_row *t = &trap_rows[row];
	bool exists = t->to == 2 ? s->el2_enabled : t->to == 3 ? s->pe->has_el3 : true;

	if (!(t->dir & (read ? DIR_R : DIR_W))) {
		return false;
	}
	*c = (struct sysreg_control){
		.name = t->control,
		.when = when_text((enum trap_when)t->when),
		.reg = (enum sysreg)t->reg,
		.mask = t->mask,
		.test = (enum sysreg_test)t->test,
		.from = t->from,
		.involved = exists && ((t->from >> s->el) & 1) && when_holds(t, s),
		.outcome = SYSREG_TRAPPED,
		.target_el = t->to,
		.ec = t->ec,
	};
	c->holds = test_holds(c->test, c->mask, control_value(s->pe, c->reg));
	// EL1's traps of EL0 go to EL2 while TGE is 1; then the FP trap loses its class
	// (AdvSIMDFPAccessTrap).
	if (t->to == 1 && s->tge) {
		c->target_el = 2;
		c->ec = t->ec == EC_FP ? EC_UNKNOWN : t->ec;
	}
	return true;
}

bool sysreg_fgt_control(const struct sysreg_state *s, enum sysreg_fgt field, bool read,
			struct sysreg_control *c)
{
	const struct fgt_row *f = &fgt_rows[field];
	const struct pe *pe = s->pe;

	enum sysreg reg = (enum sysreg)(read ? f->read_reg : f->write_reg);

	if (field == FGT_NONE || !(f->dir & (read ? DIR_R : DIR_W)) || !has(pe, FEAT_FGT) ||
	    !(pe->model->writable[reg] & BIT(f->bit))) {
		return false; // a field that the model has not says nothing
	}
	*c = (struct sysreg_control){
		.name = read ? f->read_control : f->write_control,
		.when = pe->has_el3 ? "SCR_EL3.FGTEn is 1; at EL0, HCR_EL2.{E2H, TGE} is not {1, 1}"
				    : "at EL0, HCR_EL2.{E2H, TGE} is not {1, 1}",
		.reg = reg,
		.mask = BIT(f->bit),
		.test = (enum sysreg_test)f->test,
		.from = FROM_EL0 | FROM_EL1,
		.involved = s->el2_enabled && (s->el == 1 || (s->el == 0 && !s->host)) &&
			    (!pe->has_el3 || (pe->sr[SR_SCR_EL3] & SCR_EL3_FGTEn)),
		.outcome = SYSREG_TRAPPED,
		.target_el = 2,
		.ec = EC_SYSREG,
	};
	c->holds = test_holds(c->test, c->mask, pe->sr[c->reg]);
	return true;
}

void sysreg_fgt_nxs(const struct sysreg_state *s, struct sysreg_control *c)
{
	c->when = s->pe->has_el3 ? "SCR_EL3.FGTEn is 1, HCRX_EL2.FGTnXS is 0"
				 : "HCRX_EL2.FGTnXS is 0";
	c->involved = c->involved && !(sysreg_effective_hcrx(s->pe) & HCRX_EL2_FGTnXS);
}

void sysreg_index_traps(struct cpu_model *model)
{
	for (size_t i = 0; i < TRAP_COUNT; i++) {
		const struct trap_row *t = &trap_rows[i];

		if (!(model->writable[t->reg] & t->mask)) {
			continue; // fields that the model has not say nothing
		}
		model->group_traps[t->group][i / 64] |= BIT(i % 64);
		for (unsigned el = 0; el < 4; el++) {
			for (unsigned read = 0; read < 2; read++) {
				if (((t->from >> el) & 1) && (t->dir & (read ? DIR_R : DIR_W))) {
					model->level_traps[el][read][i / 64] |= BIT(i % 64);
				}
			}
		}
	}
}

void sysreg_mark_trap_registers(bool marks[SYSREG_COUNT])
{
	for (size_t i = 0; i < TRAP_COUNT; i++) {
		marks[trap_rows[i].reg] = true;
	}
	for (size_t i = FGT_NONE + 1; i < FGT_COUNT; i++) {
		if (fgt_rows[i].read_reg < SYSREG_COUNT) {
			marks[fgt_rows[i].read_reg] = true;
		}
		if (fgt_rows[i].write_reg < SYSREG_COUNT) {
			marks[fgt_rows[i].write_reg] = true;
		}
	}
}

// ---- the check of the table ---------------------------------------------------------------------

// The groups that some register is in; TG_IMPDEF is of encodings without a row.
static void mark_groups(bool used[TG_COUNT])
{
	used[TG_IMPDEF] = true;
	for (unsigned reg = 0; reg < SYSREG_COUNT; reg++) {
		for (unsigned i = 0; i < SYSREG_GROUPS_MAX; i++) {
			used[sysreg_rows[reg].groups[i]] = true;
		}
	}
}

static const char *trap_fault(size_t i, const bool *used)
{
	const struct trap_row *t = &trap_rows[i];

	if (i > 0 && t[-1].to > t->to) {
		return "stands after a row with a higher target level";
	}
	if (t->mask == 0) {
		return "tests no bit";
	}
	if (t->from == 0 || t->to < 1 || t->to > 3) {
		return "has no level to come from or to go to";
	}
	if ((t->from >> (t->to + 1)) != 0) {
		return "traps downwards";
	}
	return used[t->group] ? NULL : "traps a group without registers";
}

unsigned sysreg_check_traps(char *error, size_t error_size)
{
	bool used[TG_COUNT] = {false};
	unsigned bad = 0;

	mark_groups(used);
	for (size_t i = 0; i < TRAP_COUNT; i++) {
		const char *fault = trap_fault(i, used);

		if (fault != NULL && bad++ == 0) {
			snprintf(error, error_size, "trap.def: row %zu (%s) %s", i + 1,
				 trap_rows[i].control, fault);
		}
	}
	return bad;
}
