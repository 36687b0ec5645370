// SPDX-License-Identifier: Apache-2.0
// What happens without the control that decides, and without the one that decides then, until none
// does. A control is undone by giving its bits another value, and the instruction is executed
// again.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bits.h"
#include "cpu/field.h"
#include "cpu/pe.h"
#include "explain/explain.h"
#include "explain/setting.h"
#include "trace/describe.h"

#define LAYERS_MAX 8 // controls undone one after the other

// Bits with another value than in the state that is asked about.
struct change {
	enum sysreg reg; // SYSREG_NONE: PSTATE
	uint64_t mask, value;
	char name[64];
};

struct layers {
	struct scene *scene;
	struct strata_explanation *e;
	explain_run_fn *run;
	struct change changes[LAYERS_MAX];
	size_t count;
};

static bool apply(struct scene *scene, const struct change *c)
{
	return c->reg == SYSREG_NONE ? scene_change_pstate(scene, c->mask, c->value)
				     : scene_change(scene, c->reg, c->mask, c->value);
}

// The changes add up, so that each layer is played again from the start.
static bool replay(struct layers *l)
{
	bool all = true;

	scene_undo(l->scene);
	for (size_t i = 0; i < l->count; i++) {
		all &= apply(l->scene, &l->changes[i]);
	}
	return all;
}

static bool is_undone(const struct layers *l, const char *name)
{
	for (size_t i = 0; i < l->count; i++) {
		if (strcmp(l->changes[i].name, name) == 0) {
			return true;
		}
	}
	return false;
}

// The value at which a control of an access does nothing. False: it has no bits.
static bool harmless(struct scene *scene, const struct sysreg_control *c, struct change *change)
{
	uint64_t lowest = c->mask & (~c->mask + 1);

	if (c->reg == SYSREG_NONE || c->mask == 0) {
		return false;
	}
	*change = (struct change){.reg = c->reg, .mask = c->mask};
	snprintf(change->name, sizeof(change->name), "%s", c->name);
	switch (c->test) {
	case SYSREG_SET:
		break;
	case SYSREG_ALL:
		change->mask = explain_named_bits(scene_pe(scene), c);
		break;
	case SYSREG_CLEAR:
	case SYSREG_NOT_ALL:
		change->value = c->mask;
		break;
	case SYSREG_LOW_CLEAR:
		change->mask = change->value = lowest;
		break;
	}
	return true;
}

// Undo the control of an access that decides now. False: none does, or it cannot be undone alone.
static bool next_of_access(struct layers *l, uint16_t enc, bool read,
			   struct strata_explain_end *end)
{
	struct change *change = &l->changes[l->count];
	struct sysreg_control c;

	replay(l);
	if (!explain_deciding_control(l->scene, enc, read, &c) || c.name == NULL ||
	    is_undone(l, c.name) || !harmless(l->scene, &c, change)) {
		return false;
	}
	l->count++;
	if (!replay(l) || (explain_deciding_control(l->scene, enc, read, &c) && c.name != NULL &&
			   strcmp(c.name, change->name) == 0)) {
		return false;
	}
	l->run(l->scene, l->e, end);
	return true;
}

// The n-th other value of a field: all ones, all zeros, then those between. False: there are no
// more; of wide fields only the first two are tried.
static bool other_value(uint64_t mask, unsigned n, uint64_t *value)
{
	uint64_t max = mask >> ctz64(mask);

	if (n > (max > 3 ? 1 : max)) {
		return false;
	}
	*value = (n == 0 ? max : n - 1) << ctz64(mask);
	return true;
}

// What is no register access: the exception names its control. Undone is it when it is not named
// any more.
static bool next_by_name(struct layers *l, struct strata_explain_end *end)
{
	struct change *change = &l->changes[l->count];
	char name[sizeof(end->control)], error[8];
	struct setting s;
	uint64_t old;
	bool e2h;

	replay(l);
	e2h = (scene_value(l->scene, SR_HCR_EL2) >> 34) & 1;
	memcpy(name, end->control, sizeof(name));
	if (name[0] == '\0' || is_undone(l, name) ||
	    setting_target(name, e2h, &s, error, sizeof(error)) != 0 ||
	    (s.kind != SETTING_SYSREG && s.kind != SETTING_PSTATE) || s.mask == ~UINT64_C(0)) {
		return false;
	}
	*change = (struct change){.reg = s.kind == SETTING_SYSREG ? s.reg : SYSREG_NONE,
				  .mask = s.mask};
	memcpy(change->name, name, sizeof(name));
	old = (s.kind == SETTING_SYSREG ? scene_value(l->scene, s.reg)
					: pe_pstate(scene_pe(l->scene))) &
	      s.mask;
	l->count++;
	for (unsigned n = 0; other_value(s.mask, n, &change->value); n++) {
		if (change->value == old || !replay(l)) {
			continue;
		}
		l->run(l->scene, l->e, end);
		if (strcmp(end->control, name) != 0) {
			return true;
		}
	}
	return false;
}

static int add_layer(struct layers *l, const struct strata_explain_end *end)
{
	struct strata_explanation *e = l->e;
	struct strata_explain_other *slot =
		explain_grow((void **)&e->without, &e->without_count, sizeof(*slot));
	struct text text;

	if (slot == NULL) {
		return -ENOMEM;
	}
	text_init(&text, slot->controls, sizeof(slot->controls));
	for (size_t i = 0; i < l->count; i++) {
		text_add(&text, "%s%s", i > 0 ? " and " : "", l->changes[i].name);
	}
	slot->end = *end;
	return 0;
}

int explain_without(struct scene *scene, struct strata_explanation *e, uint16_t enc, bool read,
		    explain_run_fn *run)
{
	struct layers l = {.scene = scene, .e = e, .run = run};
	struct strata_explain_end end = e->end;
	int err = 0;

	while (err == 0 && l.count < LAYERS_MAX &&
	       (e->is_access ? next_of_access(&l, enc, read, &end) : next_by_name(&l, &end))) {
		err = add_layer(&l, &end);
	}
	scene_undo(scene);
	return err;
}
