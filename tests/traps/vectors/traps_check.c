// SPDX-License-Identifier: Apache-2.0
// Compares sysreg_permitted() with the trap vectors: for each configuration of the control
// registers, level and direction, what every live encoding does. Usage: traps_check traps.jsonl.gz
// traps_exceptions.txt traps_absent.txt [-v]
//
// Left out, and counted by feature: encodings without a row, which have to stand in
// traps_absent.txt
// ("ENCODING FEATURE"). A disagreement is a failure unless a line of the exceptions file names it:
// "ENCODING EL DIRECTION THEIRS OURS # the rule that decides", each field may be "*". A line of
// either file that is not needed is a failure too.
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
#define ABSENCES_MAX 256

struct exception {
	char encoding[32], el[8], direction[8], theirs[64], ours[64];
	unsigned line;
	unsigned long used;
};

// Encodings of a feature that Strata has not.
struct absence {
	char encoding[32], feature[64];
	unsigned line;
	unsigned long used;
};

struct checker {
	struct pe *pe;
	struct exception exceptions[EXCEPTIONS_MAX];
	size_t exception_count;
	struct absence absences[ABSENCES_MAX];
	size_t absence_count;
	unsigned long agreed, excused, failed, absent, unknown_control;
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

static bool load_absences(struct checker *c, const char *path)
{
	FILE *file = fopen(path, "r");
	char text[512];
	unsigned line = 0;
	bool good = true;

	if (file == NULL) {
		perror(path);
		return false;
	}
	while (good && fgets(text, sizeof(text), file) != NULL) {
		struct absence *a = &c->absences[c->absence_count];

		line++;
		if (text[0] == '#' || text[0] == '\n') {
			continue;
		}
		good = c->absence_count < ABSENCES_MAX &&
		       sscanf(text, "%31s %63[^\n]", a->encoding, a->feature) == 2;
		if (!good) {
			fprintf(stderr, "%s:%u: not \"ENCODING FEATURE\"\n", path, line);
		}
		a->line = line;
		c->absence_count++;
	}
	fclose(file);
	return good;
}

// Does an encoding without a row belong to a feature that we are known not to have? Else it has to
// be UNDEFINED, or what FEAT_IDST makes of it.
static bool left_out(struct checker *c, const char *encoding)
{
	for (size_t i = 0; i < c->absence_count; i++) {
		if (fnmatch(c->absences[i].encoding, encoding, 0) == 0) {
			c->absences[i].used++;
			c->absent++;
			return true;
		}
	}
	return false;
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
	if (reg == SYSREG_NONE && crn != 11 && crn != 15 && left_out(c, encoding)) {
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
	set_config(c, config, el);
	json_object_foreach(results, encoding, expected)
	{
		check_one(c, json_string_value(json_object_get(root, "name")), el,
			  json_string_value(json_object_get(root, "dir")), encoding,
			  json_string_value(expected));
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

static void report(const struct checker *c)
{
	printf("%lu agree, %lu are excepted, %lu disagree; left out: %lu of encodings of "
	       "absent features:\n",
	       c->agreed, c->excused, c->failed, c->absent);
	for (size_t i = 0; i < c->absence_count; i++) {
		unsigned long total = 0;
		bool first = true;

		for (size_t j = 0; j < c->absence_count; j++) {
			if (strcmp(c->absences[i].feature, c->absences[j].feature) == 0) {
				total += c->absences[j].used;
				first = first && j >= i;
			}
		}
		if (first) {
			printf("  %8lu %s\n", total, c->absences[i].feature);
		}
	}
}

int main(int argc, char **argv)
{
	// What the model max has, and what the vectors need beside it.
	static const char cpu[] =
		"max,ccidx=on,exs=on,fgt=on,hcx=on,evt=on,ecv=on,ecv_poff=on,twed=on,tidcp1=on,"
		"rng_trap=on,nmi=on,gicv3_nmi=on,mte=on,mte2=on,mte3=on,amuv1=on,amuv1p1=on,"
		"tcr2=on,sctlr2=on,s1pie=on,s2pie=on,s1poe=on,s2poe=on,nv=on,nv2=on,ls64=on,"
		"ls64_v=on,ls64_accdata=on";
	struct checker *c = calloc(1, sizeof(*c));
	char error[256];
	struct cpu_model *model;
	bool good;

	if (argc < 4 || c == NULL) {
		fprintf(stderr, "usage: traps_check VECTORS EXCEPTIONS ABSENT [-v]\n");
		return 2;
	}
	model = cpu_model_parse(cpu, true, true, error, sizeof(error));
	c->pe = calloc(1, sizeof(*c->pe));
	if (model == NULL || c->pe == NULL) {
		fprintf(stderr, "%s\n", error);
		return 2;
	}
	// The counters of the implementation that made the vectors: 4, and auxiliary ones.
	model->id[SR_AMCGCR_EL0] = 16 << 8 | 4;
	c->verbose = argc > 4;
	c->pe->model = model;
	c->pe->has_el2 = true;
	c->pe->has_el3 = true;
	sysreg_init(c->pe);
	good = load_exceptions(c, argv[2]) && load_absences(c, argv[3]) && check_file(c, argv[1]);
	report(c);
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
	for (size_t i = 0; i < c->absence_count; i++) {
		if (c->absences[i].used == 0) {
			printf("line %u of the absent encodings leaves out nothing\n",
			       c->absences[i].line);
			good = false;
		}
	}
	if (c->agreed < 500000) {
		printf("too few results were compared\n");
		good = false;
	}
	good = good && c->failed == 0;
	free(c->pe);
	free(model);
	free(c);
	return good ? 0 : 1;
}
