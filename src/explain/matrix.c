// SPDX-License-Identifier: Apache-2.0
// The whole table of one register: for each level and direction, the controls in the order in which
// they are asked and where each sends the access; and what the name means with HCR_EL2.E2H.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bits.h"
#include "cpu/field.h"
#include "cpu/model.h"
#include "cpu/pe.h"
#include "explain/explain.h"
#include "trace/describe.h"

#define E2H BIT(34)
#define TGE BIT(27)
#define CONTROLS_MAX 64

// A state in which the access is looked at.
struct place {
	const char *name;
	unsigned el;
	bool secure, e2h, tge;
	bool eel2; // Secure EL2 is there
};

static const struct place places[] = {
	{"NS EL0", 0, false, false, false, false},
	{"NS EL0, E2H=1, TGE=1 (a host's)", 0, false, true, true, false},
	{"NS EL1", 1, false, false, false, false},
	{"NS EL1, E2H=1", 1, false, true, false, false},
	{"NS EL2", 2, false, false, false, false},
	{"NS EL2, E2H=1", 2, false, true, false, false},
	{"Secure EL1", 1, true, false, false, false},
	{"Secure EL1, EEL2=1", 1, true, false, false, true},
	{"Secure EL2", 2, true, false, false, true},
	{"EL3", 3, true, false, false, false},
	{"EL3, E2H=1", 3, true, true, false, false},
};
#define PLACE_COUNT (sizeof(places) / sizeof(places[0]))

// What was found at one place in one direction.
struct cell {
	bool possible; // the machine has the place
	struct strata_explain_end end; // with every control open
	struct sysreg_control controls[CONTROLS_MAX];
	size_t control_count;
};

static bool set_place(struct scene *scene, const struct place *p)
{
	const char *settings[3];
	struct scene_state state = {.el = p->el,
				    .secure = p->secure && p->el != 3,
				    .settings = settings};
	char error[256];

	if (p->e2h) {
		settings[state.setting_count++] = "HCR_EL2.E2H=1";
	}
	if (p->tge) {
		settings[state.setting_count++] = "HCR_EL2.TGE=1";
	}
	if (p->eel2) {
		settings[state.setting_count++] = "SCR_EL3.EEL2=1";
	}
	return scene_set(scene, &state, error, sizeof(error)) == 0;
}

static void look(struct scene *scene, const struct place *p, uint16_t enc, bool read,
		 struct cell *cell)
{
	struct sysreg_control open = {.outcome = SYSREG_PERMITTED};
	struct sysreg_decision d;
	struct sysreg_chain chain;
	struct sysreg_control c;
	struct pe *pe;

	memset(cell, 0, sizeof(*cell));
	cell->possible = set_place(scene, p);
	if (!cell->possible) {
		return;
	}
	pe = scene_pe(scene);
	d = sysreg_permitted(pe, enc, read, 0);
	open.outcome = d.outcome;
	open.instead = d.reg;
	open.name = d.control;
	open.target_el = d.target_el;
	open.ec = d.ec;
	open.vncr = d.vncr;
	explain_end_of_control(&open, enc, read, 0, pe, &cell->end);
	sysreg_chain_begin(&chain, pe, enc, read);
	while (sysreg_chain_next(&chain, &c)) {
		// Without bits and not so in this machine: never so.
		if (c.involved && c.name != NULL && (c.reg != SYSREG_NONE || c.holds) &&
		    cell->control_count < CONTROLS_MAX) {
			cell->controls[cell->control_count++] = c;
		}
		if (c.involved && c.holds) {
			break; // decided by where the access is made: nothing after it is asked
		}
	}
}

// Other fields than the one that is named have to be 1 too: HCR_EL2.NV2 "with NV=1".
static void add_companions(const struct sysreg_control *c, uint64_t named, bool e2h,
			   struct text *text)
{
	bool first = true;

	for (uint64_t rest = c->mask & ~named; rest != 0; rest &= rest - 1) {
		const struct sysreg_field *field =
			sysreg_field_of_bit(c->reg, (unsigned)ctz64(rest), e2h);

		text_add(text, "%s%s=1", first ? " with " : ", ",
			 field != NULL ? field->name : "?");
		first = false;
	}
}

// "=1", "=0 or 2", "=1 with NV=1": the value at which the control acts.
static void acting_value(const struct pe *pe, const struct sysreg_control *c, uint16_t enc,
			 char *buffer, size_t size)
{
	uint64_t named = explain_named_bits(pe, c);
	bool one = (named & (named - 1)) == 0;
	struct sysreg_info info;
	struct text text;

	text_init(&text, buffer, size);
	if (c->reg == SYSREG_NONE) {
		return;
	}
	switch (c->test) {
	case SYSREG_SET:
		text_add(&text, one ? "=1" : "=not 0");
		break;
	case SYSREG_CLEAR:
		text_add(&text, "=0");
		break;
	case SYSREG_ALL:
		text_add(&text, one ? "=1" : "=all ones");
		add_companions(c, named, (pe_hcr(pe) >> 34) & 1, &text);
		break;
	case SYSREG_NOT_ALL:
		if (strcmp(c->name, "MDCR_EL2.HPMN") == 0) { // a number, not a pattern
			sysreg_describe(sysreg_find(enc), &info);
			text_add(&text, "=0 to %u", info.index);
		} else {
			text_add(&text, "=0, 1 or 2");
		}
		break;
	case SYSREG_LOW_CLEAR:
		text_add(&text, "=0 or 2");
		break;
	}
}

static void print_cell(const struct place *p, bool read, bool is_sys, const struct cell *cell,
		       uint16_t enc, struct pe *pe, FILE *file)
{
	fprintf(file, "  %s, %s: %s\n", p->name,
		is_sys ? "execute"
		: read ? "read"
		       : "write",
		cell->end.text);
	for (size_t i = 0; i < cell->control_count; i++) {
		const struct sysreg_control *c = &cell->controls[i];
		struct strata_explain_end end;
		char value[64];

		explain_end_of_control(c, enc, read, 0, pe, &end);
		acting_value(pe, c, enc, value, sizeof(value));
		if (c->outcome == SYSREG_TRAPPED) {
			fprintf(file, "    %s%s -> EL%u, EC 0x%02x", c->name, value, c->target_el,
				c->ec);
			fprintf(file, *explain_control_text(c->name) != '\0' ? "  (%s)\n" : "\n",
				explain_control_text(c->name));
		} else {
			fprintf(file, "    %s%s -> %s\n", c->name, value, end.text);
		}
	}
}

static void json_cell(struct json *json, const struct place *p, bool read, bool is_sys,
		      const struct cell *cell, uint16_t enc, struct pe *pe)
{
	json_open(json, NULL, '{');
	json_text(json, "state", p->name);
	json_number(json, "el", p->el);
	json_bool(json, "secure", p->secure);
	json_bool(json, "e2h", p->e2h);
	json_bool(json, "tge", p->tge);
	json_bool(json, "eel2", p->eel2);
	json_text(json, "direction", is_sys ? "execute" : read ? "read" : "write");
	json_open(json, "open", '{');
	json_end(json, &cell->end);
	json_close(json, '}');
	json_open(json, "controls", '[');
	for (size_t i = 0; i < cell->control_count; i++) {
		const struct sysreg_control *c = &cell->controls[i];
		struct strata_explain_end end;
		char value[64];

		explain_end_of_control(c, enc, read, 0, pe, &end);
		acting_value(pe, c, enc, value, sizeof(value));
		json_open(json, NULL, '{');
		json_text(json, "name", c->name);
		if (*explain_control_text(c->name) != '\0') {
			json_text(json, "about", explain_control_text(c->name));
		}
		if (value[0] != '\0') {
			json_text(json, "acts_at", value + 1);
		}
		json_open(json, "then", '{');
		json_end(json, &end);
		json_close(json, '}');
		json_close(json, '}');
	}
	json_close(json, ']');
	json_close(json, '}');
}

static void print_head(const struct sysreg_info *info, uint16_t enc, const char *name, FILE *file)
{
	fprintf(file, "%s: S%u_%u_C%u_C%u_%u", info != NULL ? info->name : name, enc >> 14,
		enc >> 11 & 7, enc >> 7 & 15, enc >> 3 & 15, enc & 7);
	if (info != NULL) {
		if (info->feature != FEAT_NONE) {
			fprintf(file, ", %s", feature_name(info->feature));
		}
		if (info->e2h != SYSREG_NONE) {
			fprintf(file, ", at EL2 with HCR_EL2.E2H=1 it means %s",
				sysreg_name(info->e2h));
		}
		if (info->alias != SYSREG_NONE) {
			fprintf(file, ", another name of %s", sysreg_name(info->alias));
		}
		if (info->has_vncr) {
			fprintf(file, ", VNCR_EL2.BADDR + 0x%x", info->vncr);
		}
	}
	fputc('\n', file);
}

static void json_head(struct json *json, const struct sysreg_info *info, uint16_t enc,
		      const char *name)
{
	json_text(json, "name", info != NULL ? info->name : name);
	json_number(json, "op0", enc >> 14);
	json_number(json, "op1", enc >> 11 & 7);
	json_number(json, "crn", enc >> 7 & 15);
	json_number(json, "crm", enc >> 3 & 15);
	json_number(json, "op2", enc & 7);
	if (info != NULL && info->e2h != SYSREG_NONE) {
		json_text(json, "e2h", sysreg_name(info->e2h));
	}
	if (info != NULL && info->alias != SYSREG_NONE) {
		json_text(json, "alias_of", sysreg_name(info->alias));
	}
	if (info != NULL && info->has_vncr) {
		json_hex(json, "vncr", info->vncr);
	}
}

int strata_explain_matrix(const struct strata_explain_options *options, const char *name,
			  FILE *file, bool json, char *error, size_t error_size)
{
	struct scene *scene;
	struct sysreg_info info;
	struct json j = {.file = file};
	struct cell *cell = malloc(sizeof(*cell));
	bool known;
	uint16_t enc;
	int err;

	if (cell == NULL || !sysreg_encoding_by_name(name, &enc) || (enc >> 14) == 0) {
		snprintf(error, error_size, "'%.60s': no such register or system instruction",
			 name);
		free(cell);
		return -EINVAL;
	}
	err = scene_create(&scene, options->cpu != NULL ? options->cpu : "max", !options->no_el2,
			   !options->no_el3, error, error_size);
	if (err != 0) {
		free(cell);
		return err;
	}
	known = sysreg_find(enc) != SYSREG_NONE;
	if (known) {
		sysreg_describe(sysreg_find(enc), &info);
	}
	if (json) {
		json_open(&j, NULL, '{');
		json_head(&j, known ? &info : NULL, enc, name);
		json_open(&j, "states", '[');
	} else {
		print_head(known ? &info : NULL, enc, name, file);
	}
	for (size_t i = 0; i < PLACE_COUNT; i++) {
		for (unsigned read = (enc >> 14) == 1 ? 0 : 2; read-- > 0 || (enc >> 14) == 1;) {
			bool is_read = (enc >> 14) != 1 && read == 1;

			look(scene, &places[i], enc, is_read, cell);
			if (cell->possible && json) {
				json_cell(&j, &places[i], is_read, (enc >> 14) == 1, cell, enc,
					  scene_pe(scene));
			} else if (cell->possible) {
				print_cell(&places[i], is_read, (enc >> 14) == 1, cell, enc,
					   scene_pe(scene), file);
			}
			if ((enc >> 14) == 1) {
				break;
			}
		}
	}
	if (json) {
		json_close(&j, ']');
		json_close(&j, '}');
		fputc('\n', file);
	}
	scene_destroy(scene);
	free(cell);
	return 0;
}
