// SPDX-License-Identifier: Apache-2.0
// Running a test: its program from a prepared machine to its end, and what was seen of it against
// what the test expects.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "board/state.h"
#include "cpu/pe.h"
#include "cpu/sysreg.h"
#include "explain/open.h"
#include "strata/strata.h"
#include "traptest/assembler.h"
#include "traptest/check.h"
#include "traptest/match.h"
#include "traptest/outcome.h"

#define RECORDS_MAX 200000u

struct program_run {
	struct tt_prepared *m;
	const struct tt_item *item;
	const struct tt_test *t;
	struct tt_history history;
	struct tt_record scratch; // being looked at
	uint64_t *scratch_values;
	uint64_t last_insns[STRATA_PES_MAX]; // at the record before, by PE
	uint64_t entered[STRATA_PES_MAX]; // when a PE came to its level, in its cycles
	uint64_t level_cycles[4];
	bool reached_until;
};

// ---- recording ----------------------------------------------------------------------------------

// Does some pattern match the record that was just looked at?
static bool any_pattern(const struct tt_pattern *patterns, size_t count,
			const struct tt_record *record, const struct strata *strata)
{
	for (size_t i = 0; i < count; i++) {
		bool all = true;

		for (size_t k = 0; k < patterns[i].checks.count && all; k++) {
			all = tt_check_holds(&patterns[i].checks.items[k], record, NULL, strata);
		}
		if (all) {
			return true;
		}
	}
	return false;
}

static void keep_record(struct program_run *run)
{
	struct tt_history *h = &run->history;
	size_t slots = run->item->slots.count;
	struct tt_record *r;

	if (h->count == RECORDS_MAX) {
		h->overflow = true;
		board_quit(run->m->strata);
		return;
	}
	if (h->count == h->capacity) {
		h->capacity = h->capacity * 2 + 64;
		h->records = realloc(h->records, h->capacity * sizeof(*h->records));
		CHECK(h->records != NULL);
	}
	r = &h->records[h->count++];
	*r = run->scratch;
	r->values = NULL;
	if (slots != 0) {
		r->values = malloc(slots * sizeof(*r->values));
		CHECK(r->values != NULL);
		memcpy(r->values, run->scratch_values, slots * sizeof(*r->values));
	}
}

static void on_event(void *opaque, const struct trace_event *event)
{
	struct program_run *run = opaque;
	const struct tt_test *t = run->t;
	struct strata *s = run->m->strata;
	uint64_t *last = &run->last_insns[event->pe % STRATA_PES_MAX];

	if (event->from_el != event->to_el || event->from_secure != event->to_secure) {
		run->level_cycles[event->from_el] += event->level_cycles;
		run->entered[event->pe % STRATA_PES_MAX] = event->cycles;
	}
	run->scratch.values = run->scratch_values;
	tt_look(s, event->pe, &run->item->slots, event, &run->scratch);
	run->scratch.since = event->insns - *last;
	if (t->watch_count != 0 && !any_pattern(t->watches, t->watch_count, &run->scratch, s)) {
		return;
	}
	*last = event->insns;
	keep_record(run);
	if (any_pattern(t->untils, t->until_count, &run->scratch, s)) {
		run->reached_until = true;
		board_quit(s);
	}
}

// What every PE has done in its level since its last change of level.
static void count_last_stretch(struct program_run *run)
{
	for (unsigned i = 0; i < strata_pe_count(run->m->strata); i++) {
		const struct pe *pe = board_pe(run->m->strata, i);

		run->level_cycles[pe_el(pe)] += pe_insns(pe) - run->entered[i];
	}
}

// ---- the end ------------------------------------------------------------------------------------

static void describe_end(const struct program_run *run, const struct strata_result *r, char *text,
			 size_t size)
{
	static const char *const words[] = {[STRATA_POWERED_OFF] = "the machine was powered off",
					    [STRATA_EXITED] = "exited",
					    [STRATA_LIMIT] = "reached a limit",
					    [STRATA_STUCK] = "stuck",
					    [STRATA_QUIT] = "until was reached",
					    [STRATA_RESET] = "the machine was reset",
					    [STRATA_FAILED] = "failed"};

	if (r->outcome == STRATA_EXITED && run->t->image == NULL) {
		if (r->status == 0) {
			snprintf(text, size, "the program finished");
		} else {
			snprintf(text, size, "stopped in the vectors of EL%d", r->status);
		}
	} else if (r->outcome == STRATA_EXITED) {
		snprintf(text, size, "exited with status %d", r->status);
	} else {
		snprintf(text, size, "%s%s%s", words[r->outcome], r->message[0] != '\0' ? ": " : "",
			 r->message);
	}
}

static bool end_is(const struct program_run *run, const struct strata_result *r)
{
	const struct tt_test *t = run->t;
	bool assembly = t->image == NULL;

	switch (t->end) {
	case TT_END_FINISHED:
		return assembly && r->outcome == STRATA_EXITED && r->status == 0;
	case TT_END_STOPPED:
		return assembly && r->outcome == STRATA_EXITED && r->status != 0 &&
		       (t->end_value < 0 || r->status == t->end_value);
	case TT_END_EXITED:
		return !assembly && r->outcome == STRATA_EXITED &&
		       (t->end_value < 0 || (r->status & 0xff) == t->end_value);
	case TT_END_OFF:
		return r->outcome == STRATA_POWERED_OFF;
	case TT_END_RESET:
		return r->outcome == STRATA_RESET;
	case TT_END_STUCK:
		return r->outcome == STRATA_STUCK;
	case TT_END_LIMIT:
		return r->outcome == STRATA_LIMIT;
	default:
		return r->outcome != STRATA_STUCK && r->outcome != STRATA_LIMIT &&
		       r->outcome != STRATA_FAILED;
	}
}

static bool check_end(const struct program_run *run, const struct strata_result *r,
		      const char *ending, struct tt_result *result)
{
	static const char *const words[] = {"neither stuck nor at a limit",
					    "finished",
					    "stopped",
					    "powered-off",
					    "exited",
					    "reset",
					    "stuck",
					    "limit"};

	if (run->t->until_count != 0 && run->reached_until) {
		return true;
	}
	if (run->t->until_count == 0 && end_is(run, r)) {
		return true;
	}
	if (run->t->until_count != 0) {
		tt_say(result, "    - until %s", run->t->untils[0].text);
	} else if (run->t->end_value >= 0) {
		tt_say(result, "    - ends %s %s%d", words[run->t->end],
		       run->t->end == TT_END_STOPPED ? "EL" : "", run->t->end_value);
	} else {
		tt_say(result, "    - ends %s", words[run->t->end]);
	}
	tt_say(result, "    + %s", ending);
	return false;
}

// ---- bounds, nots, registers, output ------------------------------------------------------------

static bool compare(enum tt_compare how, uint64_t a, uint64_t b)
{
	switch (how) {
	case TT_EQ:
		return a == b;
	case TT_NE:
		return a != b;
	case TT_LT:
		return a < b;
	case TT_LE:
		return a <= b;
	case TT_GT:
		return a > b;
	default:
		return a >= b;
	}
}

static bool check_bounds(const struct program_run *run, const struct strata_result *r,
			 struct tt_result *result)
{
	bool good = true;

	for (size_t i = 0; i < run->t->bound_count; i++) {
		const struct tt_bound *b = &run->t->bounds[i];
		uint64_t seen = 0;

		switch (b->kind) {
		case TT_COUNT:
			for (size_t k = 0; k < run->history.count; k++) {
				seen += tt_all_hold(&b->checks, &run->history, k);
			}
			break;
		case TT_CYCLES_IN:
			seen = run->level_cycles[b->el];
			break;
		case TT_INSNS:
		case TT_CYCLES: // an instruction is a cycle
			seen = r->insns;
			break;
		case TT_TIME:
			seen = r->time;
			break;
		}
		if (!compare(b->compare, seen, b->value)) {
			tt_say(result, "    - line %u: %s", b->line, b->text);
			tt_say(result, "    + %llu%s", (unsigned long long)seen,
			       b->kind == TT_TIME ? " ns" : "");
			good = false;
		}
	}
	return good;
}

static bool check_nots(const struct program_run *run, struct tt_result *result)
{
	bool good = true;
	char text[512];

	for (size_t i = 0; i < run->t->not_count; i++) {
		for (size_t k = 0; k < run->history.count; k++) {
			if (tt_all_hold(&run->t->nots[i].checks, &run->history, k)) {
				tt_describe(&run->history.records[k], text, sizeof(text));
				tt_say(result, "    - line %u: not %s", run->t->nots[i].line,
				       run->t->nots[i].text);
				tt_say(result, "    + transition %zu: %s", k + 1, text);
				good = false;
				break;
			}
		}
	}
	return good;
}

static bool check_after(struct program_run *run, struct tt_result *result)
{
	bool good = true;
	char seen[200];

	run->scratch.values = run->scratch_values;
	tt_look(run->m->strata, 0, &run->item->slots, NULL, &run->scratch);
	for (size_t i = 0; i < run->t->after.count; i++) {
		const struct tt_check *check = &run->t->after.items[i];

		if (!tt_check_holds(check, &run->scratch, NULL, run->m->strata)) {
			tt_check_seen(check, &run->scratch, NULL, run->m->strata, seen,
				      sizeof(seen));
			tt_say(result, "    - after %s", check->word);
			tt_say(result, "    + %s", seen);
			good = false;
		}
	}
	return good;
}

// As it would be written in a test: what is no plain character is escaped.
static void say_quoted(const char *data, size_t data_size, char *text, size_t size)
{
	size_t used = 0;

	text[used++] = '"';
	for (size_t i = 0; i < data_size && used + 6 < size; i++) {
		unsigned char c = (unsigned char)data[i];
		const char *name = c == '\n' ? "n" : c == '\r' ? "r" : c == '\t' ? "t" : NULL;

		if (name != NULL || c == '"' || c == '\\') {
			text[used++] = '\\';
			text[used++] = name != NULL ? *name : (char)c;
		} else if (c < 0x20 || c >= 0x7f) {
			used += (size_t)snprintf(text + used, size - used, "\\x%02x", c);
		} else {
			text[used++] = (char)c;
		}
	}
	text[used++] = '"';
	text[used] = '\0';
}

// The guest may print zero bytes too.
static const char *find(const char *data, size_t size, const char *wanted)
{
	size_t n = strlen(wanted);

	for (size_t i = 0; i + n <= size; i++) {
		if (memcmp(data + i, wanted, n) == 0) {
			return data + i;
		}
	}
	return NULL;
}

static bool check_output(const struct program_run *run, struct tt_result *result)
{
	const struct tt_console *c = &run->m->console;
	const char *output = c->output != NULL ? c->output : "";
	size_t at = 0;

	for (size_t i = 0; i < run->t->outputs.count; i++) {
		const char *wanted = run->t->outputs.items[i];
		size_t size = c->output_size - at;
		const char *found = find(output + at, size, wanted);

		if (found == NULL) {
			size_t shown = size < 200 ? size : 200;
			char text[1024];

			say_quoted(wanted, strlen(wanted), text, sizeof(text));
			tt_say(result, "    - output %s", text);
			if (size == 0) {
				tt_say(result, "    + no output%s", i != 0 ? " after that" : "");
			} else {
				say_quoted(output + c->output_size - shown, shown, text,
					   sizeof(text));
				tt_say(result, "    + the last of the output: %s", text);
			}
			return false;
		}
		at = (size_t)(found - output) + strlen(wanted);
	}
	return true;
}

// ---- running ------------------------------------------------------------------------------------

static void start_assembly(struct program_run *run)
{
	struct strata *s = run->m->strata;
	struct pe *pe = run->m->pe;

	CHECK(strata_write(s, OPEN_CODE, run->t->code, run->t->code_size) == 0);
	(void)pe_poke(pe, SR_VBAR_EL1, OPEN_CODE + TT_AREA_VECTORS(1));
	(void)pe_poke(pe, SR_VBAR_EL2, OPEN_CODE + TT_AREA_VECTORS(2));
	if (run->t->machine.el3) {
		(void)pe_poke(pe, SR_VBAR_EL3, OPEN_CODE + TT_AREA_VECTORS(3));
	}
	tt_apply(run->m, &run->t->state, &run->t->settings);
}

static struct tt_prepared *prepare(struct tt_pool *pool, const struct tt_test *t, char *error,
				   size_t error_size)
{
	return t->image != NULL ? tt_pool_get_image(pool, t, error, error_size)
				: tt_pool_get(pool, &t->machine, error, error_size);
}

static void judge(struct program_run *run, const struct strata_result *r, struct tt_result *result)
{
	const struct tt_test *t = run->t;
	char ending[400], text[512];
	bool good = true;

	describe_end(run, r, ending, sizeof(ending));
	if (run->history.overflow) {
		tt_describe(&run->history.records[run->history.count - 1], text, sizeof(text));
		tt_say(result, "      more than %u transitions: say with watch which matter",
		       RECORDS_MAX);
		tt_say(result, "      the last: %s", text);
		result->status = TT_FAILED;
		return;
	}
	if (t->has_expect) {
		good = tt_match(&t->expect, &run->history, ending, result);
	}
	good &= check_end(run, r, ending, result);
	good &= check_nots(run, result);
	good &= check_bounds(run, r, result);
	good &= check_after(run, result);
	good &= check_output(run, result);
	if (!good) {
		result->status =
			r->outcome == STRATA_LIMIT && t->end != TT_END_LIMIT ? TT_HUNG : TT_FAILED;
	}
}

static void free_history(struct tt_history *h)
{
	for (size_t i = 0; i < h->count; i++) {
		free(h->records[i].values);
	}
	free(h->records);
}

void tt_run_test(struct tt_pool *pool, const struct tt_file *file, const struct tt_item *item,
		 struct tt_result *result)
{
	struct program_run *run = calloc(1, sizeof(*run));
	const struct tt_test *t = &item->t;
	struct strata_result r;
	char error[400];

	(void)file;
	CHECK(run != NULL);
	result->status = TT_PASSED;
	run->item = item;
	run->t = t;
	run->m = prepare(pool, t, error, sizeof(error));
	if (run->m == NULL) {
		result->status = TT_BROKEN;
		tt_say(result, "      %s", error);
		free(run);
		return;
	}
	run->history.strata = run->m->strata;
	run->scratch_values = calloc(item->slots.count + 1, sizeof(*run->scratch_values));
	CHECK(run->scratch_values != NULL);
	if (t->image != NULL) {
		tt_apply_settings(run->m->strata, &t->settings);
	} else {
		start_assembly(run);
	}
	run->m->console.input = t->input;
	run->m->console.input_size = t->input != NULL ? strlen(t->input) : 0;
	run->m->event = on_event;
	run->m->event_opaque = run;
	board_set_limits(run->m->strata, t->limit_insns, t->limit_time);
	strata_run(run->m->strata, &r);
	run->m->event = NULL;
	count_last_stretch(run);
	judge(run, &r, result);
	free_history(&run->history);
	free(run->scratch_values);
	free(run);
}
