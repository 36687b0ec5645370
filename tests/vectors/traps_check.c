// SPDX-License-Identifier: Apache-2.0
// Compares sysreg_permitted() with the trap vectors: for each configuration of the control
// registers, level and direction, what every live encoding does. Usage: traps_check traps.jsonl.gz
// traps_exceptions.txt [-v]
//
// Left out, and counted: configurations that use controls of features we have not (fine-grained
// traps, HCRX_EL2, nested virtualization), and encodings without a row of ours. A disagreement is a
// failure unless a line of the exceptions file names it: "ENCODING EL DIRECTION THEIRS OURS # the
// rule that decides", each field may be "*"; a line that excuses nothing is a failure too.
#include <fnmatch.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "cpu/model.h"
#include "cpu/pe_internal.h"
#include "cpu/sysreg.h"
#include "cpu/sysreg_internal.h"

#define EXCEPTIONS_MAX 256

struct exception {
	char encoding[32], el[8], direction[8], theirs[64], ours[64];
	unsigned line;
	unsigned long used;
};

struct checker {
	struct pe *pe;
	json_t *base; // the first configuration: everything permitted
	struct exception exceptions[EXCEPTIONS_MAX];
	size_t exception_count;
	unsigned long agreed, excused, failed, other_config, no_row, unknown_control;
	bool verbose;
};

static bool load_exceptions(struct checker *c, const char *path)
{
	FILE *file = fopen(path, "r");
	char text[512];
	unsigned line = 0;

	if (file == NULL) {
		perror(path);
		return false;
	}
	while (fgets(text, sizeof(text), file) != NULL) {
		struct exception *e = &c->exceptions[c->exception_count];

		line++;
		if (text[0] == '#' || text[0] == '\n') {
			continue;
		}
		if (c->exception_count == EXCEPTIONS_MAX ||
		    sscanf(text, "%31s %7s %7s %63s %63s #", e->encoding, e->el, e->direction,
			   e->theirs, e->ours) != 5 ||
		    strchr(text, '#') == NULL) {
			fprintf(stderr, "%s:%u: not \"ENCODING EL DIRECTION THEIRS OURS # rule\"\n",
				path, line);
			fclose(file);
			return false;
		}
		e->line = line;
		c->exception_count++;
	}
	fclose(file);
	return true;
}

static bool excused(struct checker *c, const char *encoding, int el, const char *direction,
		    const char *theirs, const char *ours)
{
	char level[8];

	snprintf(level, sizeof(level), "%d", el);
	for (size_t i = 0; i < c->exception_count; i++) {
		struct exception *e = &c->exceptions[i];

		if (fnmatch(e->encoding, encoding, 0) == 0 && fnmatch(e->el, level, 0) == 0 &&
		    fnmatch(e->direction, direction, 0) == 0 &&
		    fnmatch(e->theirs, theirs, 0) == 0 && fnmatch(e->ours, ours, 0) == 0) {
			e->used++;
			return true;
		}
	}
	return false;
}

static uint64_t hex(const json_t *value)
{
	return strtoull(json_string_value(value), NULL, 16);
}

// Does the configuration lean on a control of a feature that we have not?
static bool config_usable(struct checker *c, json_t *config)
{
	static const char *const foreign[] = {"HFGRTR_EL2",  "HFGWTR_EL2",   "HFGITR_EL2",
					      "HCRX_EL2",    "HDFGRTR_EL2",  "HDFGWTR_EL2",
					      "HAFGRTR_EL2", "HDFGRTR2_EL2", "HDFGWTR2_EL2",
					      "HFGRTR2_EL2", "HFGWTR2_EL2",  "HFGITR2_EL2",
					      "SCTLR2_EL1",  "SCTLR2_EL2",   "TCR2_EL1",
					      "TCR2_EL2"};
	static const struct {
		const char *name;
		uint64_t mask;
	} fields[] = {
		{"HCR_EL2", MASK(45, 42)}, // NV, NV1, AT, NV2: FEAT_NV2
		{"MDCR_EL2", BIT(27)}, // TDCC: FEAT_FGT
		{"MDCR_EL3", BIT(27)},     {"CNTHCTL_EL2", MASK(19, 12)}, // FEAT_ECV
		{"SCR_EL3", BIT(40)}, // TRNDR: FEAT_RNG_TRAP
		{"SCTLR_EL1", BIT(63)}, // TIDCP: FEAT_TIDCP1
		{"SCTLR_EL2", BIT(63)},
	};

	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		if (hex(json_object_get(config, foreign[i])) !=
		    hex(json_object_get(c->base, foreign[i]))) {
			return false;
		}
	}
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		uint64_t changed = hex(json_object_get(config, fields[i].name)) ^
				   hex(json_object_get(c->base, fields[i].name));

		if (changed & fields[i].mask) {
			return false;
		}
	}
	return true;
}

static enum sysreg register_by_name(const char *name)
{
	for (unsigned reg = 0; reg < SYSREG_COUNT; reg++) {
		if (strcmp(sysreg_name((enum sysreg)reg), name) == 0) {
			return (enum sysreg)reg;
		}
	}
	return SYSREG_NONE;
}

static void set_config(struct checker *c, json_t *config, int el)
{
	const char *name;
	json_t *value;

	sysreg_reset(c->pe);
	json_object_foreach(config, name, value)
	{
		enum sysreg reg = register_by_name(name);

		if (reg != SYSREG_NONE) {
			c->pe->sr[reg] = hex(value);
		}
	}
	c->pe->el = (uint8_t)el;
	c->pe->sp_sel = el != 0;
}

static void describe(const struct checker *c, const struct sysreg_decision *decision, char *text,
		     size_t size)
{
	unsigned el = c->pe->el;
	bool tge = (c->pe->sr[SR_HCR_EL2] >> 27) & 1;
	unsigned own = el == 0 ? (tge ? 2 : 1) : el;

	switch (decision->outcome) {
	case SYSREG_PERMITTED:
	case SYSREG_IN_MEMORY:
		snprintf(text, size, "ok");
		break;
	case SYSREG_UNDEFINED:
		snprintf(text, size, "undef_EL%u", own);
		break;
	case SYSREG_TRAPPED:
		if (decision->ec == 0) {
			snprintf(text, size, "undef_EL%u", (unsigned)decision->target_el);
		} else {
			snprintf(text, size, "EL%u_%02x_%06x", (unsigned)decision->target_el,
				 decision->ec, decision->iss);
		}
		break;
	}
}

// The oracle performs DC ZVA that is permitted with the MMU off, on Device memory: an alignment
// fault.
static void normalise(char *theirs)
{
	for (char *p = theirs; *p != '\0'; p++) {
		if (*p == ' ') {
			*p = '_';
		}
	}
	if (strlen(theirs) > 6 && (strncmp(theirs + 3, "_24_000061", 10) == 0 ||
				   strncmp(theirs + 3, "_25_000061", 10) == 0)) {
		snprintf(theirs, 8, "ok");
	}
}

static void check_one(struct checker *c, const char *label, int el, const char *direction,
		      const char *encoding, const char *expected)
{
	unsigned op0, op1, crn, crm, op2;
	struct sysreg_decision decision;
	char ours[64], theirs[64];
	enum sysreg reg;
	uint16_t enc;

	if (sscanf(encoding, "%u,%u,%u,%u,%u", &op0, &op1, &crn, &crm, &op2) != 5) {
		fprintf(stderr, "%s: bad encoding '%s'\n", label, encoding);
		c->failed++;
		return;
	}
	enc = SYSREG_ENC(op0, op1, crn, crm, op2);
	reg = sysreg_find(enc);
	// An encoding that we do not know is some other feature's, apart from the IMPLEMENTATION
	// DEFINED ones.
	if ((reg == SYSREG_NONE && crn != 11 && crn != 15) ||
	    (reg != SYSREG_NONE && !pe_has(c->pe, (enum feature)sysreg_rows[reg].feature))) {
		c->no_row++;
		return;
	}
	snprintf(theirs, sizeof(theirs), "%s", expected);
	normalise(theirs);
	decision = sysreg_permitted(c->pe, enc, direction[0] == 'R', 0);
	describe(c, &decision, ours, sizeof(ours));
	if (strcmp(ours, theirs) == 0) {
		c->agreed++;
	} else if (excused(c, encoding, el, direction, theirs, ours)) {
		c->excused++;
	} else {
		if (c->failed++ < 40 || c->verbose) {
			printf("%s: %s %s %s from EL%d: expected %s, got %s (%s)\n", label,
			       encoding, reg == SYSREG_NONE ? "-" : sysreg_name(reg), direction, el,
			       theirs, ours, decision.control != NULL ? decision.control : "-");
		}
	}
	if (decision.outcome == SYSREG_TRAPPED && decision.control == NULL) {
		c->unknown_control++;
	}
}

static bool check_line(struct checker *c, const char *text, unsigned line)
{
	json_error_t error;
	json_t *root = json_loads(text, 0, &error);
	json_t *config, *results, *expected;
	const char *encoding;
	int el;

	if (root == NULL) {
		fprintf(stderr, "line %u: %s\n", line, error.text);
		return false;
	}
	config = json_object_get(root, "cfg");
	results = json_object_get(root, "res");
	el = (int)json_integer_value(json_object_get(root, "el"));
	if (c->base == NULL) {
		c->base = json_deep_copy(config);
	}
	if (!config_usable(c, config)) {
		c->other_config += json_object_size(results);
	} else {
		set_config(c, config, el);
		json_object_foreach(results, encoding, expected)
		{
			check_one(c, json_string_value(json_object_get(root, "name")), el,
				  json_string_value(json_object_get(root, "dir")), encoding,
				  json_string_value(expected));
		}
	}
	json_decref(root);
	return true;
}

static bool check_file(struct checker *c, const char *path)
{
	gzFile file = gzopen(path, "rb");
	size_t size = 1 << 20;
	char *text = malloc(size);
	unsigned line = 0;
	bool good = file != NULL && text != NULL;

	while (good && gzgets(file, text, (int)size) != NULL) {
		good = check_line(c, text, ++line);
	}
	if (line == 0) {
		fprintf(stderr, "%s: cannot be read\n", path);
		good = false;
	}
	free(text);
	if (file != NULL) {
		gzclose(file);
	}
	return good;
}

int main(int argc, char **argv)
{
	struct checker *c = calloc(1, sizeof(*c));
	char error[256];
	struct cpu_model *model;
	bool good;

	if (argc < 3 || c == NULL) {
		fprintf(stderr, "usage: traps_check VECTORS EXCEPTIONS [-v]\n");
		return 2;
	}
	model = cpu_model_parse("max,ccidx=on,exs=on", true, true, error, sizeof(error));
	c->pe = calloc(1, sizeof(*c->pe));
	if (model == NULL || c->pe == NULL) {
		fprintf(stderr, "%s\n", error);
		return 2;
	}
	c->verbose = argc > 3;
	c->pe->model = model;
	c->pe->has_el2 = true;
	c->pe->has_el3 = true;
	sysreg_init(c->pe);
	good = load_exceptions(c, argv[2]) && check_file(c, argv[1]);
	printf("%lu agree, %lu excused, %lu disagree; left out: %lu in configurations of absent "
	       "features, %lu encodings "
	       "of absent features\n",
	       c->agreed, c->excused, c->failed, c->other_config, c->no_row);
	for (size_t i = 0; i < c->exception_count; i++) {
		if (c->exceptions[i].used == 0) {
			printf("exceptions file line %u excuses nothing\n", c->exceptions[i].line);
			good = false;
		}
	}
	if (c->unknown_control != 0) {
		printf("%lu traps name no control\n", c->unknown_control);
		good = false;
	}
	if (c->agreed < 100000) {
		printf("too few results were compared\n");
		good = false;
	}
	good = good && c->failed == 0;
	json_decref(c->base);
	free(c->pe);
	free(model);
	free(c);
	return good ? 0 : 1;
}
