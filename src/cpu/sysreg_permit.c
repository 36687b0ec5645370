// SPDX-License-Identifier: Apache-2.0
// May this access be made, and if not, what happens instead? Pure: nothing is changed here. The
// order of the checks is the one of every accessor in the Arm ARM: does the encoding exist here
// (feature, level, nested virtualization, state), then the traps to EL1, those of nested
// virtualization, fine-grained traps, the other traps to EL2, those to EL3, and at last what nested
// virtualization does in memory. One iterator knows that order: the decision is the first control
// of it that is involved and holds.
#include "base/bits.h"
#include "cpu/esr.h"
#include "cpu/model.h"
#include "cpu/pe_internal.h"
#include "cpu/sysreg_fields.h"
#include "cpu/sysreg_internal.h"
#include "cpu/sysreg_nv.h"

_Static_assert(SYSREG_CHAIN_TRAP_WORDS == CPU_MODEL_TRAP_WORDS, "the chain has a bit per row");
_Static_assert(SYSREG_CHAIN_NV >= SYSREG_NV_CONTROLS_MAX, "the chain keeps what NV says");

// The stages of an access; some last several steps.
enum stage {
	STAGE_IDST, // an encoding that is no register here ...
	STAGE_IMPDEF,
	STAGE_NOTHING,
	STAGE_LEVEL, // ... or one of another level ...
	STAGE_NV_FOREIGN,
	STAGE_NOT_HERE,
	STAGE_RULES, // ... or a register
	STAGE_TRAPS_EL1,
	STAGE_NV_TRAPS,
	STAGE_FGT,
	STAGE_TRAPS_EL2,
	STAGE_HPMN,
	STAGE_TRAPS_EL3,
	STAGE_NV_LAST,
	STAGE_END
};

static void state_gather(struct sysreg_state *s, const struct pe *pe)
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

// An exception of EL0 that EL1 would take, or one of a higher level that it takes itself.
static unsigned own_target(const struct sysreg_state *s)
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

// Reserved for IMPLEMENTATION DEFINED registers and instructions; we have none.
static bool is_impdef(uint16_t enc)
{
	unsigned op0 = enc >> 14;
	unsigned crn = (enc >> 7) & 15;

	return (op0 == 3 || op0 == 1) && (crn == 11 || crn == 15);
}

static void collect_traps(struct sysreg_chain *chain, const uint8_t *groups, unsigned count)
{
	for (unsigned i = 0; i < count && groups[i] != TG_NONE; i++) {
		const uint64_t *index = chain->state.pe->model->group_traps[groups[i]];

		for (unsigned word = 0; word < CPU_MODEL_TRAP_WORDS; word++) {
			chain->traps[word] |= index[word];
		}
	}
}

void sysreg_chain_begin(struct sysreg_chain *chain, const struct pe *pe, uint16_t enc, bool read)
{
	static const uint8_t impdef[] = {TG_IMPDEF};
	enum sysreg reg = sysreg_find(enc);
	const struct sysreg_row *row = reg != SYSREG_NONE ? &sysreg_rows[reg] : NULL;

	state_gather(&chain->state, pe);
	chain->reg = reg;
	chain->enc = enc;
	chain->read = read;
	chain->row = NULL;
	chain->step = 0;
	chain->nv_count = 0;
	for (unsigned word = 0; word < CPU_MODEL_TRAP_WORDS; word++) {
		chain->traps[word] = 0;
	}
	if (row == NULL || sysreg_lacks(&pe->model->features, reg) != FEAT_NONE) {
		chain->stage = STAGE_IDST;
		if (is_impdef(enc)) {
			collect_traps(chain, impdef, 1);
		}
		return;
	}
	chain->row = row;
	if (((read ? row->read_els : row->write_els) >> chain->state.el) & 1) {
		chain->stage = STAGE_RULES;
		collect_traps(chain, row->groups, SYSREG_GROUPS_MAX);
	} else {
		chain->stage = STAGE_LEVEL;
	}
}

// Leave out of a list what can decide nothing at this level; false: nothing is left of it.
static bool chain_narrow(struct sysreg_chain *chain)
{
	const struct sysreg_state *s = &chain->state;
	const uint64_t *asked = s->pe->model->level_traps[s->el][chain->read];
	uint64_t left = 0;

	for (unsigned word = 0; word < CPU_MODEL_TRAP_WORDS; word++) {
		left |= chain->traps[word] &= asked[word];
	}
	return left != 0 || chain->stage != STAGE_RULES || sysreg_has_rules(chain->row) ||
	       (chain->row->fgt != FGT_NONE && s->el <= 1) || (s->el == 1 && has(s->pe, FEAT_NV));
}

// The next row of trap.def with a target up to `to`.
static bool next_trap(struct sysreg_chain *chain, unsigned to, struct sysreg_control *c)
{
	for (unsigned word = 0; word < CPU_MODEL_TRAP_WORDS; word++) {
		while (chain->traps[word] != 0) {
			unsigned row = word * 64 + (unsigned)ctz64(chain->traps[word]);

			if (sysreg_trap_target(row) > to) {
				return false;
			}
			chain->traps[word] &= chain->traps[word] - 1;
			if (sysreg_trap_control(&chain->state, row, chain->read, c)) {
				return true;
			}
		}
	}
	return false;
}

// FEAT_IDST: reported with EC 0x18 where other encodings are UNDEFINED.
static bool idst(const struct sysreg_chain *chain, struct sysreg_control *c)
{
	const struct sysreg_state *s = &chain->state;
	bool mine = chain->row == NULL ? is_id_space(chain->enc)
				       : s->el == 0 && (chain->row->rules & RULE_IDSPACE);

	if (!chain->read || !mine || !has(s->pe, FEAT_IDST)) {
		return false;
	}
	*c = (struct sysreg_control){.name = "FEAT_IDST",
				     .reg = SYSREG_NONE,
				     .from = chain->row == NULL ? 0xf : 1,
				     .involved = true,
				     .holds = true,
				     .outcome = SYSREG_TRAPPED,
				     .target_el = (uint8_t)own_target(s),
				     .ec = EC_SYSREG};
	return true;
}

static bool undefined(const struct sysreg_chain *chain, struct sysreg_control *c)
{
	unsigned els = chain->row == NULL ? 0
		       : chain->read      ? chain->row->read_els
					  : chain->row->write_els;

	*c = (struct sysreg_control){.reg = SYSREG_NONE,
				     .from = (uint8_t)(0xf & ~els),
				     .involved = true,
				     .holds = true,
				     .outcome = SYSREG_UNDEFINED};
	return true;
}

// What nested virtualization says at this stage, control by control.
static bool next_nv(struct sysreg_chain *chain, enum sysreg_nv_stage stage,
		    struct sysreg_control *c)
{
	const struct sysreg_state *s = &chain->state;

	if (chain->step == 0) {
		bool asked = s->el == 1 && s->el2_enabled && has(s->pe, FEAT_NV) &&
			     (chain->read ? chain->row->read_els : chain->row->write_els) != 0;

		chain->nv_count = asked ? (uint8_t)sysreg_nv_decide(s->pe, chain->reg, chain->read,
								    stage, chain->nv)
					: 0;
	}
	if (chain->step >= chain->nv_count) {
		return false;
	}
	*c = chain->nv[chain->step++];
	return true;
}

static bool next_rule(struct sysreg_chain *chain, struct sysreg_control *c)
{
	if (!sysreg_has_rules(chain->row)) {
		return false;
	}
	while (chain->step < sysreg_rule_count()) {
		if (sysreg_rule_control(&chain->state, chain->row, chain->read, chain->step++, c)) {
			return true;
		}
	}
	return false;
}

// Event counters that EL2 keeps for itself: MDCR_EL2.HPMN. Without FEAT_FGT this access is
// CONSTRAINED UNPREDICTABLE; we trap it to EL2, as FEAT_FGT does.
static bool hpmn(const struct sysreg_chain *chain, struct sysreg_control *c)
{
	const struct sysreg_state *s = &chain->state;
	unsigned kept = (unsigned)(s->pe->sr[SR_MDCR_EL2] & MDCR_EL2_HPMN);

	if (!(chain->row->rules & RULE_PMEV)) {
		return false;
	}
	*c = (struct sysreg_control){.name = "MDCR_EL2.HPMN",
				     .when = "the counter is one of EL2's",
				     .reg = SR_MDCR_EL2,
				     .mask = MDCR_EL2_HPMN,
				     .test = SYSREG_NOT_ALL,
				     .from = 3,
				     .involved = s->el <= 1 && s->el2_enabled,
				     .holds = chain->row->index >= kept,
				     .outcome = SYSREG_TRAPPED,
				     .target_el = 2,
				     .ec = EC_SYSREG};
	return true;
}

static bool fgt(const struct sysreg_chain *chain, struct sysreg_control *c)
{
	const struct sysreg_row *row = chain->row;

	if (!sysreg_fgt_control(&chain->state, (enum sysreg_fgt)row->fgt, chain->read, c)) {
		return false;
	}
	if (sysreg_is_tlbi_nxs(row)) {
		sysreg_fgt_nxs(&chain->state, c);
	}
	return true;
}

// The next control of the stage that the chain is in; false: the stage is over.
static bool stage_next(struct sysreg_chain *chain, struct sysreg_control *c)
{
	bool once = chain->step++ == 0;

	switch ((enum stage)chain->stage) {
	case STAGE_IDST:
	case STAGE_LEVEL:
		return once && idst(chain, c);
	case STAGE_IMPDEF:
		return next_trap(chain, 3, c);
	case STAGE_NOTHING:
	case STAGE_NOT_HERE:
		return once && undefined(chain, c);
	case STAGE_NV_FOREIGN:
		chain->step--;
		return next_nv(chain, SYSREG_NV_FOREIGN, c);
	case STAGE_RULES:
		chain->step--;
		return next_rule(chain, c);
	case STAGE_TRAPS_EL1:
		return next_trap(chain, 1, c);
	case STAGE_NV_TRAPS:
		chain->step--;
		return next_nv(chain, SYSREG_NV_TRAPS, c);
	case STAGE_FGT:
		return once && fgt(chain, c);
	case STAGE_TRAPS_EL2:
		return next_trap(chain, 2, c);
	case STAGE_HPMN:
		return once && hpmn(chain, c);
	case STAGE_TRAPS_EL3:
		return next_trap(chain, 3, c);
	case STAGE_NV_LAST:
		chain->step--;
		return next_nv(chain, SYSREG_NV_LAST, c);
	case STAGE_END:
		break;
	}
	return false;
}

bool sysreg_chain_next(struct sysreg_chain *chain, struct sysreg_control *control)
{
	while (chain->stage != STAGE_END) {
		if (stage_next(chain, control)) {
			return true;
		}
		chain->step = 0;
		// What does not exist here ends in UNDEFINED, not with the traps of a register.
		if (chain->stage == STAGE_NOTHING || chain->stage == STAGE_NOT_HERE) {
			chain->stage = STAGE_END;
		} else {
			chain->stage++;
		}
	}
	return false;
}

static enum sysreg redirect(const struct sysreg_state *s, enum sysreg reg)
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
	struct sysreg_state s;

	state_gather(&s, pe);
	return redirect(&s, reg);
}

static uint32_t access_iss(uint16_t enc, bool read, unsigned rt)
{
	return iss_sysreg(enc >> 14, (enc >> 11) & 7, (enc >> 7) & 15, (enc >> 3) & 15, enc & 7, rt,
			  read);
}

// The decision that follows from the control that decides.
static struct sysreg_decision decided(const struct sysreg_chain *chain,
				      const struct sysreg_control *c, unsigned rt)
{
	struct sysreg_decision d = {.outcome = c->outcome, .reg = chain->reg, .control = c->name};

	switch (c->outcome) {
	case SYSREG_PERMITTED:
		d.reg = c->instead;
		break;
	case SYSREG_UNDEFINED:
		d.reg = SYSREG_NONE;
		d.control = NULL;
		break;
	case SYSREG_IN_MEMORY:
		d.vncr = c->vncr;
		break;
	case SYSREG_TRAPPED:
		d.target_el = c->target_el;
		d.ec = c->ec;
		d.iss = c->ec == EC_SYSREG ? access_iss(chain->enc, chain->read, rt)
			: c->ec == EC_FP   ? iss_fp()
					   : 0;
		break;
	}
	return d;
}

struct sysreg_decision sysreg_permitted(const struct pe *pe, uint16_t enc, bool read, unsigned rt)
{
	struct sysreg_chain chain;
	struct sysreg_control control;

	sysreg_chain_begin(&chain, pe, enc, read);
	if (chain_narrow(&chain)) {
		while (sysreg_chain_next(&chain, &control)) {
			if (control.involved && control.holds) {
				return decided(&chain, &control, rt);
			}
		}
	}
	return (struct sysreg_decision){.outcome = SYSREG_PERMITTED,
					.reg = redirect(&chain.state, chain.reg)};
}

static const char *instruction_trap(const struct pe *pe, enum sysreg_fgt field)
{
	struct sysreg_state s;
	struct sysreg_control control;

	state_gather(&s, pe);
	return sysreg_fgt_control(&s, field, false, &control) && control.involved && control.holds
		       ? control.name
		       : NULL;
}

const char *sysreg_traps_eret(const struct pe *pe)
{
	if (pe->el != 1) {
		return NULL;
	}
	if (has(pe, FEAT_NV) && pe_el2_enabled(pe) && (pe->sr[SR_HCR_EL2] & HCR_EL2_NV)) {
		return "HCR_EL2.NV";
	}
	return instruction_trap(pe, FGT_ERET);
}

const char *sysreg_traps_svc(const struct pe *pe)
{
	return pe->el <= 1 ? instruction_trap(pe, pe->el == 0 ? FGT_SVC_EL0 : FGT_SVC_EL1) : NULL;
}

void sysreg_mark_deciders(bool marks[SYSREG_COUNT])
{
	memset(marks, 0, SYSREG_COUNT * sizeof(*marks));
	marks[SR_HCR_EL2] = marks[SR_SCR_EL3] = marks[SR_MDCR_EL2] = true;
	sysreg_mark_trap_registers(marks);
}
