// SPDX-License-Identifier: Apache-2.0
// The machine that is asked: the open state, settings on top of it, and one instruction run from
// it.
#include "explain/scene.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "board/state.h"
#include "cpu/field.h"
#include "cpu/model.h"
#include "cpu/pe.h"
#include "explain/open.h"
#include "strata/strata.h"

#define RAM_SIZE (UINT64_C(4) << 20)
// Tags of copied memory: where data lies.
#define TAGS_BEGIN OPEN_DATA
#define TAGS_END (OPEN_DATA + 0x90000)
#define E2H BIT(34)
#define TGE BIT(27)

struct scene {
	struct strata *machine;
	struct cpu_model *model;
	bool has_el2, has_el3;
	uint64_t pc;
	struct scene_outcome *listening; // of the instruction that runs
};

// ---- creation -----------------------------------------------------------------------------------

static void listen(void *opaque, const struct strata_event *event)
{
	struct scene *s = opaque;
	struct scene_outcome *o = s->listening;

	if (o == NULL || o->exception) {
		return;
	}
	if (event->is_return) {
		o->returned = true;
		return;
	}
	o->exception = true;
	o->el = event->to_el;
	o->secure = event->to_secure;
	o->esr = event->esr;
	o->far = event->far;
	o->has_far = event->has_far;
	if (event->control != NULL) {
		snprintf(o->control_text, sizeof(o->control_text), "%s", event->control);
		o->control = o->control_text;
	}
	snprintf(o->cause_text, sizeof(o->cause_text), "%s", event->cause);
	o->cause = o->cause_text;
}

int scene_create(struct scene **out, const char *cpu, bool has_el2, bool has_el3, char *error,
		 size_t error_size)
{
	struct scene *s = calloc(1, sizeof(*s));
	struct strata_options options;
	int err;

	*out = NULL;
	if (s == NULL) {
		snprintf(error, error_size, "out of memory");
		return -ENOMEM;
	}
	strata_options_init(&options);
	options.cpu = cpu;
	options.memory = RAM_SIZE;
	options.ram_base = OPEN_RAM_BASE;
	options.boot_el = !has_el2 ? 1 : has_el3 ? 3 : 2; // EL2 is there from boot_el 2 on
	options.secure = has_el3;
	options.event = listen;
	options.event_opaque = s;
	s->has_el2 = has_el2;
	s->has_el3 = has_el3;
	s->model = cpu_model_parse(cpu, has_el2, has_el3, error, error_size);
	if (s->model == NULL) {
		scene_destroy(s);
		return -EINVAL;
	}
	err = strata_create(&s->machine, &options, error, error_size);
	if (err != 0) {
		s->machine = NULL;
		scene_destroy(s);
		return err;
	}
	*out = s;
	return 0;
}

void scene_destroy(struct scene *s)
{
	if (s != NULL) {
		strata_destroy(s->machine);
		free(s->model);
		free(s);
	}
}

struct pe *scene_pe(struct scene *s)
{
	return board_pe(s->machine, 0);
}

const struct cpu_model *scene_model(const struct scene *s)
{
	return s->model;
}

// ---- the state ----------------------------------------------------------------------------------

static int fail(char *error, size_t error_size, const char *text)
{
	snprintf(error, error_size, "%s", text);
	return -EINVAL;
}

// The value of HCR_EL2 that the settings ask for: fields are named by E2H.
static int find_hcr(struct scene *s, const struct scene_state *state, uint64_t *hcr, char *error,
		    size_t error_size)
{
	char ignored[160];

	*hcr = 0;
	for (size_t i = 0; i < state->setting_count; i++) {
		struct setting setting;

		if (setting_parse(state->settings[i], false, &setting, ignored, sizeof(ignored)) !=
			    0 ||
		    setting.kind != SETTING_SYSREG || setting.reg != SR_HCR_EL2) {
			continue;
		}
		if (setting_check(&setting, s->model, false, error, error_size) != 0) {
			return -EINVAL;
		}
		*hcr = (*hcr & ~setting.mask) | setting.value;
	}
	return 0;
}

// What software cannot write in the ID space says what the model is, and follows from --cpu.
static bool is_identification(enum sysreg reg)
{
	struct sysreg_info info;

	sysreg_describe(reg, &info);
	return info.write_els == 0 && (info.enc >> 14) == 3 && ((info.enc >> 7) & 15) == 0;
}

static int apply(struct scene *s, const struct setting *set, uint64_t *pstate, const char *text,
		 char *error, size_t error_size)
{
	struct pe *pe = scene_pe(s);
	uint64_t value = 0;

	switch (set->kind) {
	case SETTING_X:
		pe_set_x(pe, set->x, set->value);
		return 0;
	case SETTING_SP:
		pe_set_sp(pe, set->value);
		return 0;
	case SETTING_PC:
		s->pc = set->value;
		return 0;
	case SETTING_PSTATE:
		*pstate = (*pstate & ~set->mask) | set->value;
		return 0;
	case SETTING_SYSREG:
		break;
	}
	if (is_identification(set->reg)) {
		snprintf(error, error_size,
			 "'%.60s': %s is read-only, it follows from the CPU model", text,
			 sysreg_name(set->reg));
		return -EINVAL;
	}
	if (!pe_peek(pe, set->reg, &value) ||
	    !pe_poke(pe, set->reg, (value & ~set->mask) | set->value)) {
		snprintf(error, error_size, "'%.60s': %s has no value that could be set", text,
			 sysreg_name(set->reg));
		return -EINVAL;
	}
	return 0;
}

// Can the PE be at this level with these registers at all?
static int check_level(struct scene *s, const struct scene_state *state, char *error,
		       size_t error_size)
{
	uint64_t scr = scene_value(s, SR_SCR_EL3);
	uint64_t hcr = scene_value(s, SR_HCR_EL2);
	bool secure = s->has_el3 && !(scr & 1);
	bool el2 = s->has_el2 && (!secure || (scr & BIT(18)));

	if (state->el > 3) {
		return fail(error, error_size, "the levels are EL0 to EL3");
	}
	if ((state->el == 2 && !s->has_el2) || (state->el == 3 && !s->has_el3) ||
	    (state->secure && !s->has_el3)) {
		return fail(error, error_size, "this machine has no such level");
	}
	if (state->el < 3 && s->has_el3 && secure != state->secure) {
		return fail(error, error_size,
			    "SCR_EL3.NS says another Security state than the one asked for");
	}
	if (state->el == 2 && !el2) {
		return fail(error, error_size, "there is no Secure EL2: SCR_EL3.EEL2 is 0");
	}
	if (state->stage2 && !s->has_el2) {
		return fail(error, error_size, "this machine has no EL2, and so no stage 2");
	}
	if (state->el == 1 && el2 && (hcr & TGE)) {
		return fail(error, error_size, "nothing can be at EL1 while HCR_EL2.TGE is 1");
	}
	return 0;
}

int scene_set(struct scene *s, const struct scene_state *state, char *error, size_t error_size)
{
	struct pe *pe = scene_pe(s);
	bool e2h, host;
	uint64_t hcr;
	uint64_t pstate =
		0x3c0 | (uint64_t)(state->el & 3) << 2 | (state->el != 0 && !state->sp0 ? 1 : 0);

	if (find_hcr(s, state, &hcr, error, error_size) != 0) {
		return -EINVAL;
	}
	e2h = (hcr & E2H) != 0;
	host = e2h && (hcr & TGE);
	board_start_bare(s->machine, OPEN_CODE);
	s->pc = OPEN_CODE;
	open_registers(pe);
	if (e2h) {
		open_registers_e2h(pe);
	}
	if (state->secure) {
		open_poke(pe, SR_SCR_EL3, BIT(0), 0);
		open_poke(pe, SR_SCR_EL3, BIT(18), state->el == 2 ? BIT(18) : 0);
	}
	if (state->mmu) {
		open_mmu(pe, state->el == 0 ? (host ? 2 : 1) : state->el, e2h);
	}
	if (state->stage2) {
		open_stage2(pe);
	}
	if (state->mmu || state->stage2) {
		open_memory(s->machine);
	}
	open_poke(pe, SR_VNCR_EL2, UINT64_MAX, OPEN_DATA);
	pe_set_pstate(pe, pstate);
	for (unsigned n = 0; n <= 30; n++) {
		pe_set_x(pe, n, OPEN_DATA);
	}
	pe_set_sp(pe, OPEN_STACK);
	for (size_t i = 0; i < state->setting_count; i++) {
		struct setting set;

		if (setting_parse(state->settings[i], e2h, &set, error, error_size) != 0 ||
		    setting_check(&set, s->model, e2h, error, error_size) != 0 ||
		    apply(s, &set, &pstate, state->settings[i], error, error_size) != 0) {
			return -EINVAL;
		}
	}
	if (state->el == 0 && (pstate & 1)) {
		return fail(error, error_size, "PSTATE.SP is 0 at EL0, which has SP_EL0 only");
	}
	pe_set_pstate(pe, pstate);
	pe_set_pc(pe, s->pc);
	pe_poked(pe);
	return check_level(s, state, error, error_size);
}

void scene_copy(struct scene *s, struct strata *from, unsigned index, size_t ram)
{
	struct pe *pe = scene_pe(s), *its = board_pe(from, index);
	uint8_t page[4096], mine[4096];

	board_start_bare(s->machine, OPEN_CODE);
	for (unsigned reg = 0; reg < SYSREG_COUNT; reg++) {
		uint64_t value;

		if (pe_has_register(pe, (enum sysreg)reg) &&
		    pe_peek(its, (enum sysreg)reg, &value)) {
			pe_poke(pe, (enum sysreg)reg, value);
		}
	}
	pe_set_pstate(pe, pe_pstate(its));
	for (unsigned n = 0; n <= 30; n++) {
		pe_set_x(pe, n, pe_x(its, n));
	}
	pe_set_sp(pe, pe_sp(its));
	for (uint64_t at = 0; at < ram && at < RAM_SIZE; at += sizeof(page)) {
		if (strata_read(from, OPEN_RAM_BASE + at, page, sizeof(page)) == 0 &&
		    strata_read(s->machine, OPEN_RAM_BASE + at, mine, sizeof(mine)) == 0 &&
		    memcmp(page, mine, sizeof(page)) != 0) {
			strata_write(s->machine, OPEN_RAM_BASE + at, page, sizeof(page));
		}
	}
	for (uint64_t at = TAGS_BEGIN; feature_in(&s->model->features, FEAT_MTE2) && at < TAGS_END;
	     at += 16) {
		board_set_tag(s->machine, at, board_tag(from, at));
	}
	s->pc = pe_pc(its);
	pe_set_pc(pe, s->pc);
	pe_poked(pe);
}

void scene_instruction(struct scene *s, uint32_t word)
{
	strata_write(s->machine, s->pc, &word, sizeof(word));
	strata_checkpoint(s->machine);
}

bool scene_change(struct scene *s, enum sysreg reg, uint64_t mask, uint64_t value)
{
	struct pe *pe = scene_pe(s);
	uint64_t old;

	if (reg == SYSREG_NONE || !pe_has_register(pe, reg) || !pe_peek(pe, reg, &old) ||
	    (mask & ~s->model->writable[reg] & (old ^ value)) != 0 ||
	    !pe_poke(pe, reg, (old & ~mask) | (value & mask))) {
		return false;
	}
	pe_poked(pe);
	return true;
}

bool scene_change_pstate(struct scene *s, uint64_t mask, uint64_t value)
{
	struct pe *pe = scene_pe(s);
	uint64_t wanted = (pe_pstate(pe) & ~mask) | (value & mask);

	pe_set_pstate(pe, wanted);
	pe_poked(pe);
	return pe_pstate(pe) == wanted;
}

uint64_t scene_value(struct scene *s, enum sysreg reg)
{
	uint64_t value = 0;

	return reg != SYSREG_NONE && pe_peek(scene_pe(s), reg, &value) ? value : 0;
}

void scene_undo(struct scene *s)
{
	strata_restore(s->machine);
}

void scene_run(struct scene *s, struct scene_outcome *o)
{
	struct pe *pe = scene_pe(s);

	memset(o, 0, sizeof(*o));
	s->listening = o;
	board_step(s->machine, 0);
	s->listening = NULL;
	if (!o->exception) {
		o->el = pe_el(pe);
		o->secure = pe_is_secure(pe);
	}
	o->waits = !o->exception && pe_is_waiting(pe);
	o->sp_sel = pe_pstate(pe) & 1;
	o->pc = pe_pc(pe);
}
