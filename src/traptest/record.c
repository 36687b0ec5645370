// SPDX-License-Identifier: Apache-2.0
// strata test --record: a run as a test that expects it. Transitions that repeat are folded.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/check.h"
#include "board/state.h"
#include "strata/strata.h"
#include "strata/strata_test.h"
#include "trace/sinks.h"
#include "traptest/outcome.h"

#define FOLD_MAX 16u // transitions in a repeated group, at most
#define LINES_MAX 1000000u

struct recording {
	struct strata *strata;
	char **lines;
	size_t count, capacity;
};

// " sysreg=X", or " sysreg="TLBI X"".
static void add_name(char *line, size_t size, const char *word, const char *name)
{
	const char *mark = strchr(name, ' ') != NULL ? "\"" : "";
	size_t used = strlen(line);

	snprintf(line + used, size - used, " %s=%s%s%s", word, mark, name, mark);
}

static void on_event(void *opaque, const struct trace_event *e)
{
	struct recording *rec = opaque;
	const char *symbol;
	char line[600];
	size_t used;

	if (rec->count == LINES_MAX) {
		board_quit(rec->strata);
		return;
	}
	if (rec->count == rec->capacity) {
		rec->capacity = rec->capacity * 2 + 256;
		rec->lines = realloc(rec->lines, rec->capacity * sizeof(*rec->lines));
		CHECK(rec->lines != NULL);
	}
	snprintf(line, sizeof(line), "%sEL%u -> %sEL%u",
		 e->from_secure && e->from_el < 3 ? "S-" : "", e->from_el,
		 e->to_secure && e->to_el < 3 ? "S-" : "", e->to_el);
	used = strlen(line);
	if (e->type == TRACE_RETURN) {
		snprintf(line + used, sizeof(line) - used, " return%s",
			 e->cause == TRACE_CAUSE_ERET_ILLEGAL ? " cause=ERET-ILLEGAL" : "");
	} else {
		snprintf(line + used, sizeof(line) - used, "%s cause=%s",
			 e->to_el < e->from_el ? " exception" : "", trace_cause_name(e->cause));
		used = strlen(line);
		if (e->has_esr) {
			snprintf(line + used, sizeof(line) - used, " ec=0x%llx iss=0x%llx",
				 (unsigned long long)bits(e->esr, 31, 26),
				 (unsigned long long)bits(e->esr, 24, 0));
			used = strlen(line);
		}
		if (e->sysreg != NULL) {
			add_name(line, sizeof(line), "sysreg", e->sysreg);
		}
		if (e->control != NULL) {
			add_name(line, sizeof(line), "control", e->control);
		}
		used = strlen(line);
		symbol = board_symbol(rec->strata, e->from_el, e->pc);
		if (symbol != NULL && strpbrk(symbol, " []{}\"") == NULL) {
			snprintf(line + used, sizeof(line) - used, " at=%s", symbol);
		}
	}
	rec->lines[rec->count] = strdup(line);
	CHECK(rec->lines[rec->count] != NULL);
	rec->count++;
}

// How often the `size` lines from i on stand there in a row.
static size_t repeats(const struct recording *rec, size_t i, size_t size)
{
	size_t n = 1;

	while (i + (n + 1) * size <= rec->count) {
		for (size_t k = 0; k < size; k++) {
			if (strcmp(rec->lines[i + k], rec->lines[i + n * size + k]) != 0) {
				return n;
			}
		}
		n++;
	}
	return n;
}

static void write_lines(const struct recording *rec, FILE *file)
{
	size_t i = 0;

	while (i < rec->count) {
		size_t best_size = 1, best = 1;

		for (size_t size = 1; size <= FOLD_MAX; size++) {
			size_t n = repeats(rec, i, size);

			if (n > 1 && (n - 1) * size > (best - 1) * best_size) {
				best = n;
				best_size = size;
			}
		}
		if (best == 1) {
			fprintf(file, "    %s\n", rec->lines[i]);
		} else if (best_size == 1) {
			fprintf(file, "    %s x%zu\n", rec->lines[i], best);
		} else {
			fprintf(file, "    repeat x%zu\n", best);
			for (size_t k = 0; k < best_size; k++) {
				fprintf(file, "      %s\n", rec->lines[i + k]);
			}
			fprintf(file, "    end\n");
		}
		i += best * best_size;
	}
}

// As a text in quotation marks.
static void write_text(FILE *file, const char *text, const char *after)
{
	fputc('"', file);
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\') {
			fprintf(file, "\\%c", c);
		} else if (c < 0x20 || c == 0x7f) {
			fprintf(file, "\\x%02x", c);
		} else {
			fputc(c, file);
		}
	}
	fprintf(file, "%s\"", after);
}

// A file by its absolute name, since nobody knows yet where the test will lie. after: what follows.
static void write_path(FILE *file, const char *path, const char *after)
{
	char *whole = realpath(path, NULL);
	const char *name = whole != NULL ? whole : path;

	if (name[strcspn(name, " \t\"\\#{}[]@")] == '\0') {
		fprintf(file, "%s%s", name, after);
	} else {
		write_text(file, name, after);
	}
	free(whole);
}

static void write_machine(const struct strata_options *o, FILE *file)
{
	static const char *const tlbs[] = {"sized", "forget", "keep"};

	fprintf(file, "  machine cpu=%s memory=%lluK boot-el=%u smp=%u", o->cpu,
		(unsigned long long)(o->memory >> 10), o->boot_el, o->smp);
	if (o->secure) {
		fprintf(file, " secure=yes");
	}
	if (o->semihosting) {
		fprintf(file, " semihosting=yes");
	}
	if (o->initrd != NULL) {
		fputs(" initrd=", file);
		write_path(file, o->initrd, "");
	}
	if (o->append != NULL) {
		fputs(" append=", file);
		write_text(file, o->append, "");
	}
	if (o->dtb != NULL) {
		fputs(" dtb=", file);
		write_path(file, o->dtb, "");
	}
	if (o->tlb != STRATA_TLB_SIZED) {
		fprintf(file, " tlb=%s", tlbs[o->tlb]);
	}
	if (o->has_entry) {
		fprintf(file, " entry=0x%llx", (unsigned long long)o->entry);
	}
	if (o->has_seed) {
		fprintf(file, " seed=0x%llx", (unsigned long long)o->seed);
	}
	if (o->ram_base != 0x40000000) {
		fprintf(file, " ram-base=0x%llx", (unsigned long long)o->ram_base);
	}
	for (size_t i = 0; i < o->load_count; i++) {
		fputs(" load=", file);
		write_path(file, o->loads[i].path, "");
		fprintf(file, "@0x%llx", (unsigned long long)o->loads[i].address);
	}
	fputc('\n', file);
	for (size_t i = 0; i < o->symbol_count; i++) {
		fputs("  symbols ", file);
		write_path(file, o->symbols[i], "");
		fputc('\n', file);
	}
}

static void write_end(const struct strata_result *r, FILE *file)
{
	switch (r->outcome) {
	case STRATA_POWERED_OFF:
		fprintf(file, "  ends powered-off\n");
		break;
	case STRATA_EXITED:
		fprintf(file, "  ends exited %d\n", r->status & 0xff);
		break;
	case STRATA_RESET:
		fprintf(file, "  ends reset\n");
		break;
	case STRATA_STUCK:
		fprintf(file, "  ends stuck\n");
		break;
	case STRATA_LIMIT:
		fprintf(file, "  ends limit\n");
		break;
	default:
		break;
	}
}

static void ignore_event(void *opaque, const struct strata_event *event)
{
	(void)opaque;
	(void)event;
}

static void quiet(void *opaque, const void *data, size_t size)
{
	(void)opaque;
	(void)data;
	(void)size;
}

int strata_test_record(const struct strata_options *options, const char *name, FILE *file,
		       char *error, size_t error_size)
{
	struct strata_options o = *options;
	struct recording rec = {.count = 0};
	struct strata_result r;
	struct trace_sink *sink;
	char address[24] = "";
	int err;

	o.event = ignore_event;
	o.no_reboot = true;
	if (o.console.write == NULL) {
		o.console.write = quiet;
	}
	err = strata_create(&rec.strata, &o, error, error_size);
	if (err != 0) {
		return err;
	}
	sink = trace_sink_callback_create(on_event, &rec);
	CHECK(sink != NULL);
	board_attach(rec.strata, sink);
	strata_run(rec.strata, &r);
	fprintf(file, "test %s\n", name);
	write_machine(&o, file);
	fputs("  image ", file);
	if (o.image_is_flat) {
		snprintf(address, sizeof(address), "@0x%llx", (unsigned long long)o.image_address);
	}
	write_path(file, o.image != NULL ? o.image : "-", address);
	fprintf(file, "\n  limit insns=%llu\n  expect\n",
		(unsigned long long)(r.outcome == STRATA_LIMIT ? r.insns : r.insns * 2 + 1000));
	write_lines(&rec, file);
	fprintf(file, "  end\n");
	write_end(&r, file);
	fprintf(file, "end\n");
	for (size_t i = 0; i < rec.count; i++) {
		free(rec.lines[i]);
	}
	free(rec.lines);
	strata_destroy(rec.strata);
	return 0;
}
