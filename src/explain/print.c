// SPDX-License-Identifier: Apache-2.0
// An explanation in words, or as one JSON object.
#include <string.h>

#include "explain/explain.h"

#define WIDTH 110

static const struct {
	const char *name, *text;
} control_texts[] = {
#define CONTROL(name, text) {name, text},
#include "explain/control_text.def"
#undef CONTROL
};

const char *explain_control_text(const char *name)
{
	for (size_t i = 0; i < sizeof(control_texts) / sizeof(control_texts[0]); i++) {
		if (strcmp(control_texts[i].name, name) == 0) {
			return control_texts[i].text;
		}
	}
	return "";
}

static const char *state_name(const struct strata_explanation *e)
{
	static const char *const names[2][4] = {{"NS EL0", "NS EL1", "NS EL2", "EL3"},
						{"Secure EL0", "Secure EL1", "Secure EL2", "EL3"}};

	return names[e->secure][e->el & 3];
}

// The first line has it at length.
static void print_short(FILE *file, const struct strata_explain_end *end)
{
	if (end->outcome == STRATA_EXPLAIN_EXCEPTION) {
		fprintf(file, "to EL%u, EC 0x%02x", end->el, end->ec);
	} else if (end->outcome == STRATA_EXPLAIN_UNDEFINED) {
		fprintf(file, "UNDEFINED");
	} else {
		fputs(end->text, file);
	}
}

// The controls that are asked, up to the one that decides and after it.
static void print_asked(const struct strata_explanation *e, FILE *file)
{
	for (size_t i = 0; i < e->control_count; i++) {
		const struct strata_explain_control *c = &e->controls[i];

		if (!c->involved) {
			continue;
		}
		fprintf(file, "  %s%s%s", c->name, c->has_value ? "=" : "", c->value_text);
		if (*explain_control_text(c->name) != '\0') {
			fprintf(file, " (%s)", explain_control_text(c->name));
		}
		if (!c->holds) {
			fprintf(file, ": nothing\n");
			continue;
		}
		fprintf(file, ": ");
		print_short(file, &c->then);
		fprintf(file, c->decides ? "  <- decides\n" : ", if it came so far\n");
	}
}

// Those of other levels and states, in a paragraph.
static void print_others(const struct strata_explanation *e, FILE *file)
{
	size_t column = 0;

	for (size_t i = 0; i < e->control_count; i++) {
		const struct strata_explain_control *c = &e->controls[i];
		size_t length = strlen(c->name) + 2;

		if (c->involved) {
			continue;
		}
		if (column == 0) {
			column = (size_t)fprintf(file, "  not asked here: %s", c->name);
		} else if (column + length > WIDTH) {
			column = (size_t)fprintf(file, ",\n    %s", c->name);
		} else {
			column += (size_t)fprintf(file, ", %s", c->name);
		}
	}
	if (column != 0) {
		fputc('\n', file);
	}
}

// Is this a value of the control? "HCR_EL2.TVM=0" of "HCR_EL2.TVM".
static bool is_of_control(const char *change, const char *control)
{
	size_t n = strlen(control);

	return n != 0 && strncmp(change, control, n) == 0 && change[n] == '=';
}

// Is this a change of the control that decides, which "without" has said already?
static bool is_decider(const struct strata_explanation *e, const char *change)
{
	return e->without_count != 0 && is_of_control(change, e->end.control);
}

// The end with another value of some control, and who decides then, if it is not that one.
static void print_other(FILE *file, const char *word, const struct strata_explain_other *o)
{
	fprintf(file, "  %s %s: %s", word, o->controls, o->end.text);
	if (o->end.control[0] != '\0' && !is_of_control(o->controls, o->end.control)) {
		fprintf(file, ", by %s", o->end.control);
	}
	fputc('\n', file);
}

static void print_text(const struct strata_explanation *e, FILE *file, bool all)
{
	fprintf(file, "%s at %s -> %s\n", e->instruction, state_name(e), e->end.text);
	if (e->why[0] != '\0') {
		fprintf(file, "  %s\n", e->why);
	}
	print_asked(e, file);
	if (!e->is_access && e->end.control[0] != '\0') {
		const char *about = explain_control_text(e->end.control);

		fprintf(file, "  decided by %s%s%s%s\n", e->end.control, *about != '\0' ? " (" : "",
			about, *about != '\0' ? ")" : "");
	}
	print_others(e, file);
	for (size_t i = 0; i < e->without_count; i++) {
		print_other(file, "without", &e->without[i]);
	}
	// Of what is no register access, the fields that matter are found by trying them.
	for (size_t i = 0; i < e->change_count && (all || !e->is_access); i++) {
		if (all || !is_decider(e, e->changes[i].controls)) {
			print_other(file, "with", &e->changes[i]);
		}
	}
	if (!e->chain_agrees) {
		fprintf(file, "  (another rule comes before the access is looked at)\n");
	}
}

static void json_others(struct json *json, const char *key, const struct strata_explain_other *list,
			size_t count)
{
	json_open(json, key, '[');
	for (size_t i = 0; i < count; i++) {
		json_open(json, NULL, '{');
		json_text(json, "controls", list[i].controls);
		json_end(json, &list[i].end);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void json_control(struct json *json, const struct strata_explain_control *c)
{
	json_open(json, NULL, '{');
	json_text(json, "name", c->name);
	if (*explain_control_text(c->name) != '\0') {
		json_text(json, "about", explain_control_text(c->name));
	}
	if (c->has_value) {
		json_hex(json, "value", c->value);
	}
	if (c->when[0] != '\0') {
		json_text(json, "when", c->when);
	}
	json_bool(json, "involved", c->involved);
	json_bool(json, "holds", c->holds);
	json_bool(json, "decides", c->decides);
	json_open(json, "then", '{');
	json_end(json, &c->then);
	json_close(json, '}');
	json_close(json, '}');
}

static void print_json(const struct strata_explanation *e, FILE *file)
{
	struct json json = {.file = file};

	json_open(&json, NULL, '{');
	json_text(&json, "instruction", e->instruction);
	json_hex(&json, "word", e->word);
	json_text(&json, "cpu", e->cpu);
	json_open(&json, "from", '{');
	json_number(&json, "el", e->el);
	json_bool(&json, "secure", e->secure);
	json_close(&json, '}');
	if (e->is_access) {
		json_text(&json, "access", e->reg);
	}
	json_open(&json, "end", '{');
	json_end(&json, &e->end);
	json_close(&json, '}');
	if (e->why[0] != '\0') {
		json_text(&json, "why", e->why);
	}
	json_open(&json, "controls", '[');
	for (size_t i = 0; i < e->control_count; i++) {
		json_control(&json, &e->controls[i]);
	}
	json_close(&json, ']');
	json_others(&json, "without", e->without, e->without_count);
	json_others(&json, "with", e->changes, e->change_count);
	json_bool(&json, "chain_agrees", e->chain_agrees);
	json_close(&json, '}');
	fputc('\n', file);
}

void strata_explain_print(const struct strata_explanation *e, FILE *file, bool json, bool all)
{
	if (json) {
		print_json(e, file);
	} else {
		print_text(e, file, all);
	}
}
