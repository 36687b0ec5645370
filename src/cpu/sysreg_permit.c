// SPDX-License-Identifier: Apache-2.0
// May this access be made, and if not, what happens instead? Pure: nothing is changed here. The
// order of the checks is the one of every accessor in the Arm ARM: does the encoding exist here
// (level, feature, state), then the traps of trap.def from the lowest target level up.
#include <stdio.h>

#include "base/bits.h"
#include "cpu/esr.h"
#include "cpu/model.h"
#include "cpu/pe_internal.h"
#include "cpu/sysreg_fields.h"
#include "cpu/sysreg_internal.h"

enum trap_test { TEST_SET, TEST_CLEAR, TEST_ALL, TEST_NOT_ALL, TEST_LOW_CLEAR };
enum trap_dir { DIR_R = 1, DIR_W = 2, DIR_RW = 3 };
enum trap_from { FROM_EL0 = 1, FROM_EL1 = 2, FROM_EL2 = 4, FROM_EL3 = 8 };
enum trap_when {
	WHEN_ALWAYS,
	WHEN_HOST,
	WHEN_NOT_HOST,
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
	 .test = TEST_##row_test, \
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

// What the checks need to know of the PE, gathered once.
struct state {
	const struct pe *pe;
	unsigned el;
	bool el2_enabled;
	uint64_t hcr; // raw HCR_EL2; 0 when EL2 is not enabled
	bool e2h, tge, host;
	bool secure; // SCR_EL3.NS says Secure
};

static void state_gather(struct state *s, const struct pe *pe)
{
	s->pe = pe;
	s->el = pe->el;
	s->el2_enabled = pe_el2_enabled(pe);
	s->hcr = s->el2_enabled ? pe->sr[SR_HCR_EL2] : 0;
	s->e2h = (s->hcr & HCR_EL2_E2H) != 0;
	s->tge = (s->hcr & HCR_EL2_TGE) != 0;
	s->host = s->e2h && s->tge;
	s->secure = pe->has_el3 && !(pe->sr[SR_SCR_EL3] & SCR_EL3_NS);
}

static struct sysreg_decision undefined(const char *control)
{
	return (struct sysreg_decision){.outcome = SYSREG_UNDEFINED,
					.reg = SYSREG_NONE,
					.control = control};
}

static uint32_t access_iss(uint16_t enc, bool read, unsigned rt)
{
	return iss_sysreg(enc >> 14, (enc >> 11) & 7, (enc >> 7) & 15, (enc >> 3) & 15, enc & 7, rt,
			  read);
}

static struct sysreg_decision trapped(unsigned to, unsigned ec, uint16_t enc, bool read,
				      unsigned rt, const char *control)
{
	return (struct sysreg_decision){
		.outcome = SYSREG_TRAPPED,
		.reg = sysreg_find(enc),
		.target_el = (uint8_t)to,
		.ec = (uint8_t)ec,
		.iss = ec == EC_SYSREG ? access_iss(enc, read, rt)
		       : ec == EC_FP   ? iss_fp()
				       : 0,
		.control = control,
	};
}

// An exception of EL0 that EL1 would take, or one of a higher level that it takes itself.
static unsigned own_target(const struct state *s)
{
	if (s->el == 0) {
		return s->tge ? 2 : 1;
	}
	return s->el;
}

// FEAT_IDST: reads of the ID space that do not exist here are reported with EC 0x18, not as
// UNDEFINED.
static bool is_id_space(uint16_t enc)
{
	unsigned op1 = (enc >> 11) & 7;

	return (enc >> 14) == 3 && (op1 == 0 || op1 == 1 || op1 == 3) && ((enc >> 7) & 15) == 0 &&
	       ((enc >> 3) & 15) <= 7;
}

// An encoding without a register (or without its feature).
static struct sysreg_decision unallocated(const struct state *s, uint16_t enc, bool read,
					  unsigned rt)
{
	unsigned op0 = enc >> 14;
	unsigned crn = (enc >> 7) & 15;

	if (read && is_id_space(enc) && has(s->pe, FEAT_IDST)) {
		return trapped(own_target(s), EC_SYSREG, enc, read, rt, "FEAT_IDST");
	}
	// Reserved for IMPLEMENTATION DEFINED registers and instructions; we have none.
	if ((op0 == 3 || op0 == 1) && (crn == 11 || crn == 15) && s->el <= 1 && !s->host &&
	    (s->hcr & HCR_EL2_TIDCP)) {
		return trapped(2, EC_SYSREG, enc, read, rt, "HCR_EL2.TIDCP");
	}
	return undefined(NULL);
}

static unsigned highest_el(const struct pe *pe)
{
	return pe->has_el3 ? 3 : pe->has_el2 ? 2 : 1;
}

// _EL12 and _EL02 names exist at EL2 and EL3 while E2H is 1.
static bool alias_exists(const struct state *s)
{
	return s->pe->has_el2 && (s->pe->sr[SR_HCR_EL2] & HCR_EL2_E2H) &&
	       (s->el == 3 || s->el2_enabled);
}

// Registers of Secure EL2: Secure state at EL2; at EL3 while SCR_EL3.EEL2 is 1.
static bool secure_el2_exists(const struct state *s)
{
	return s->el == 3 ? (s->pe->sr[SR_SCR_EL3] & SCR_EL3_EEL2) != 0 : s->secure;
}

// CNTPS_*_EL1: EL3, and Secure EL1 while Secure EL2 is not enabled (AArch64.CheckAccess of
// CNTPS_CTL_EL1).
static bool secure_timer_exists(const struct state *s)
{
	return s->el == 3 || (s->el == 1 && s->secure && !(s->pe->sr[SR_SCR_EL3] & SCR_EL3_EEL2));
}

// AMCGCR_EL0.CG1NC
static unsigned aux_activity_counters(const struct pe *pe)
{
	return (unsigned)bits(pe->model->id[SR_AMCGCR_EL0], 15, 8);
}

// Does the register exist in this state, beyond what its row's level and feature say?
static bool exists(const struct state *s, const struct sysreg_row *row, bool read)
{
	const struct pe *pe = s->pe;
	unsigned rules = row->rules;

	if (row->alias != 0 && !alias_exists(s)) {
		return false;
	}
	if ((row->flags & SYSREG_NEEDS_EL2_ENABLED) && s->el == 3 && !s->el2_enabled) {
		return false;
	}
	if (rules == 0) {
		return true;
	}
	if ((rules & RULE_SP0) && !pe->sp_sel) {
		return false;
	}
	if (((rules & RULE_BRP) && row->index >= pe->model->breakpoints) ||
	    ((rules & RULE_WRP) && row->index >= pe->model->watchpoints) ||
	    ((rules & RULE_PMEV) && row->index >= pe->model->pmu_counters) ||
	    ((rules & RULE_AMU1) && row->index >= aux_activity_counters(pe))) {
		return false;
	}
	if (((rules & RULE_RVBAR1) && highest_el(pe) != 1) ||
	    ((rules & RULE_RVBAR2) && highest_el(pe) != 2)) {
		return false;
	}
	if ((rules & RULE_TOP_WRITES) && !read && s->el != highest_el(pe)) {
		return false;
	}
	if ((rules & RULE_SECURE_EL2) && !secure_el2_exists(s)) {
		return false;
	}
	if ((rules & RULE_CNTPS) && !secure_timer_exists(s)) {
		return false;
	}
	if ((rules & RULE_AMU) && !has(pe, FEAT_AMUv1)) {
		return false;
	}
	return !((rules & RULE_NONSECURE) && s->secure);
}

static bool test_holds(const struct trap_row *t, uint64_t value)
{
	uint64_t field = value & t->mask;

	switch ((enum trap_test)t->test) {
	case TEST_SET:
		return field != 0;
	case TEST_CLEAR:
		return field == 0;
	case TEST_ALL:
		return field == t->mask;
	case TEST_NOT_ALL:
		return field != t->mask;
	case TEST_LOW_CLEAR:
		return (field & t->mask & -t->mask) == 0;
	}
	return false;
}

static bool when_holds(const struct trap_row *t, const struct state *s)
{
	uint64_t virt = s->el == 1 ? s->hcr : 0;

	switch ((enum trap_when)t->when) {
	case WHEN_ALWAYS:
		return true;
	case WHEN_HOST:
		return s->host;
	case WHEN_NOT_HOST:
		return !s->host;
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

// Event counters that EL2 keeps for itself: MDCR_EL2.HPMN. Without FEAT_FGT this access is
// CONSTRAINED UNPREDICTABLE; we trap it to EL2, as FEAT_FGT does.
static bool counter_reserved(const struct state *s, const struct sysreg_row *row)
{
	return (row->rules & RULE_PMEV) && s->el <= 1 && s->el2_enabled &&
	       row->index >= (s->pe->sr[SR_MDCR_EL2] & MDCR_EL2_HPMN);
}

static bool row_traps(const struct trap_row *t, const struct state *s, bool read)
{
	if (!(t->dir & (read ? DIR_R : DIR_W)) || !((t->from >> s->el) & 1)) {
		return false;
	}
	if ((t->to == 2 && !s->el2_enabled) || (t->to == 3 && !s->pe->has_el3)) {
		return false;
	}
	return when_holds(t, s) && test_holds(t, s->pe->sr[t->reg]);
}

// The trap that takes this access, NULL if none does.
static const struct trap_row *find_trap(const struct state *s, const uint8_t *groups, bool read)
{
	uint64_t rows[CPU_MODEL_TRAP_WORDS] = {0};

	if (groups[0] == TG_NONE) {
		return NULL;
	}
	for (unsigned i = 0; i < SYSREG_GROUPS_MAX; i++) {
		const uint64_t *index = s->pe->model->group_traps[groups[i]];

		for (unsigned word = 0; word < CPU_MODEL_TRAP_WORDS; word++) {
			rows[word] |= index[word];
		}
	}
	for (unsigned word = 0; word < CPU_MODEL_TRAP_WORDS; word++) {
		for (uint64_t left = rows[word]; left != 0; left &= left - 1) {
			const struct trap_row *t = &trap_rows[word * 64 + ctz64(left)];

			if (row_traps(t, s, read)) {
				return t;
			}
		}
	}
	return NULL;
}

void sysreg_index_traps(uint64_t (*group_traps)[CPU_MODEL_TRAP_WORDS])
{
	for (size_t i = 0; i < TRAP_COUNT; i++) {
		group_traps[trap_rows[i].group][i / 64] |= BIT(i % 64);
	}
}

// EL1's traps of EL0 go to EL2 while TGE is 1; then the FP trap loses its class
// (AdvSIMDFPAccessTrap).
static struct sysreg_decision take_trap(const struct state *s, const struct trap_row *t,
					uint16_t enc, bool read, unsigned rt)
{
	unsigned to = t->to;
	unsigned ec = t->ec;

	if (to == 1 && s->tge) {
		to = 2;
		ec = ec == EC_FP ? EC_UNKNOWN : ec;
	}
	return trapped(to, ec, enc, read, rt, t->control);
}

static enum sysreg redirect(const struct state *s, enum sysreg reg)
{
	const struct sysreg_row *row = &sysreg_rows[reg];

	if (row->alias != 0) {
		return (enum sysreg)row->alias;
	}
	if (row->e2h == 0 || !s->e2h) {
		return reg;
	}
	// _EL1 names at EL2; the EL0 timers at EL2 and at EL0 of a host. In Secure state the timers
	// of Secure EL2.
	if (s->el != 2 && !(s->el == 0 && s->tge)) {
		return reg;
	}
	if (s->secure) {
		switch (row->e2h) {
		case SR_CNTHP_TVAL_EL2:
			return SR_CNTHPS_TVAL_EL2;
		case SR_CNTHP_CTL_EL2:
			return SR_CNTHPS_CTL_EL2;
		case SR_CNTHP_CVAL_EL2:
			return SR_CNTHPS_CVAL_EL2;
		case SR_CNTHV_TVAL_EL2:
			return SR_CNTHVS_TVAL_EL2;
		case SR_CNTHV_CTL_EL2:
			return SR_CNTHVS_CTL_EL2;
		case SR_CNTHV_CVAL_EL2:
			return SR_CNTHVS_CVAL_EL2;
		default:
			break;
		}
	}
	return (enum sysreg)row->e2h;
}

enum sysreg sysreg_redirect(const struct pe *pe, enum sysreg reg)
{
	struct state s;

	state_gather(&s, pe);
	return redirect(&s, reg);
}

struct sysreg_decision sysreg_permitted(const struct pe *pe, uint16_t enc, bool read, unsigned rt)
{
	enum sysreg reg = sysreg_find(enc);
	const struct sysreg_row *row;
	const struct trap_row *trap;
	struct state s;

	state_gather(&s, pe);
	if (reg == SYSREG_NONE) {
		return unallocated(&s, enc, read, rt);
	}
	row = &sysreg_rows[reg];
	if (!has(pe, (enum feature)row->feature)) {
		return unallocated(&s, enc, read, rt);
	}
	if (!(((read ? row->read_els : row->write_els) >> s.el) & 1)) {
		if (read && s.el == 0 && (row->rules & RULE_IDSPACE) && has(pe, FEAT_IDST)) {
			return trapped(own_target(&s), EC_SYSREG, enc, read, rt, "FEAT_IDST");
		}
		return undefined(NULL);
	}
	if (!exists(&s, row, read)) {
		return undefined(NULL);
	}
	trap = find_trap(&s, row->groups, read);
	if (trap != NULL && trap->to <= 2) {
		return take_trap(&s, trap, enc, read, rt);
	}
	if (counter_reserved(&s, row)) {
		return trapped(2, EC_SYSREG, enc, read, rt, "MDCR_EL2.HPMN");
	}
	if (trap != NULL) {
		return take_trap(&s, trap, enc, read, rt);
	}
	return (struct sysreg_decision){.outcome = SYSREG_PERMITTED, .reg = redirect(&s, reg)};
}

bool sysreg_decides(enum sysreg reg)
{
	if (reg == SR_HCR_EL2 || reg == SR_SCR_EL3 || reg == SR_MDCR_EL2) {
		return true;
	}
	for (size_t i = 0; i < TRAP_COUNT; i++) {
		if (trap_rows[i].reg == reg) {
			return true;
		}
	}
	return false;
}

// ---- the check of the table ---------------------------------------------------------------------

static const char *trap_fault(size_t i)
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
	for (unsigned reg = 0; reg < SYSREG_COUNT; reg++) {
		for (unsigned g = 0; g < SYSREG_GROUPS_MAX; g++) {
			if (sysreg_rows[reg].groups[g] == t->group) {
				return NULL;
			}
		}
	}
	return "traps a group without registers";
}

unsigned sysreg_check_traps(char *error, size_t error_size)
{
	unsigned bad = 0;

	for (size_t i = 0; i < TRAP_COUNT; i++) {
		const char *fault = trap_fault(i);

		if (fault != NULL && bad++ == 0) {
			snprintf(error, error_size, "trap.def: row %zu (%s) %s", i + 1,
				 trap_rows[i].control, fault);
		}
	}
	return bad;
}
