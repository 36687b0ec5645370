// SPDX-License-Identifier: Apache-2.0
// The matcher: the steps become a program of lines, jumps and splits, and all ways through it are
// followed at once, one record at a time (Thompson's construction), so that no pattern takes more
// than (records x lines) looks.
#include "traptest/match.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "traptest/check.h"

#define PROGRAM_MAX 200000u
#define CONTEXT 6u // records shown before a difference

enum op { OP_LINE, OP_ANY, OP_SPLIT, OP_JUMP, OP_MATCH };

struct insn {
	enum op op;
	const struct tt_step *step; // OP_LINE, OP_ANY
	uint32_t a, b; // OP_SPLIT: both; OP_JUMP: a
};

struct program {
	struct insn *insns;
	uint32_t count, capacity;
	bool too_large;
};

const struct tt_record *tt_return_of(const struct tt_history *history, size_t index)
{
	const struct trace_event *e = &history->records[index].event;
	unsigned depth = 0; // of exceptions within their own level

	for (size_t i = index + 1; i < history->count && e->type == TRACE_EXCEPTION; i++) {
		const struct trace_event *r = &history->records[i].event;

		if (r->pe != e->pe) {
			continue;
		}
		if (r->type == TRACE_EXCEPTION) {
			depth += e->from_el == e->to_el && r->from_el == e->from_el &&
				 r->to_el == e->to_el;
		} else if (r->from_el == e->to_el && r->to_el == e->from_el && depth-- == 0) {
			return &history->records[i];
		}
	}
	return NULL;
}

static bool holds(const struct tt_check *check, const struct tt_history *history, size_t index)
{
	return tt_check_holds(check, &history->records[index],
			      check->after ? tt_return_of(history, index) : NULL, history->strata);
}

bool tt_all_hold(const struct tt_checks *checks, const struct tt_history *history, size_t index)
{
	for (size_t i = 0; i < checks->count; i++) {
		if (!holds(&checks->items[i], history, index)) {
			return false;
		}
	}
	return true;
}

// ---- the program --------------------------------------------------------------------------------

static uint32_t emit(struct program *p, enum op op, const struct tt_step *step)
{
	if (p->count == PROGRAM_MAX) {
		p->too_large = true;
		return p->count - 1;
	}
	if (p->count == p->capacity) {
		p->capacity = p->capacity * 2 + 64;
		p->insns = realloc(p->insns, p->capacity * sizeof(*p->insns));
		CHECK(p->insns != NULL);
	}
	p->insns[p->count] = (struct insn){.op = op, .step = step};
	return p->count++;
}

static void compile(struct program *p, const struct tt_step *step);

static void compile_once(struct program *p, const struct tt_step *step)
{
	if (step->kind != TT_GROUP) {
		(void)emit(p, step->kind == TT_ANY ? OP_ANY : OP_LINE, step);
		return;
	}
	for (size_t i = 0; i < step->step_count && !p->too_large; i++) {
		compile(p, &step->steps[i]);
	}
}

// min times, then either as often as may be, or up to max times, each of which may be the last.
static void compile(struct program *p, const struct tt_step *step)
{
	for (uint32_t i = 0; i < step->min && !p->too_large; i++) {
		compile_once(p, step);
	}
	if (step->max == TT_MANY) {
		uint32_t split = emit(p, OP_SPLIT, NULL);

		compile_once(p, step);
		p->insns[emit(p, OP_JUMP, NULL)].a = split;
		p->insns[split].a = split + 1;
		p->insns[split].b = p->count;
		return;
	}
	for (uint32_t i = step->min; i < step->max && !p->too_large; i++) {
		uint32_t split = emit(p, OP_SPLIT, NULL);

		compile_once(p, step);
		p->insns[split].a = split + 1;
		p->insns[split].b = p->count;
	}
}

// ---- following it -------------------------------------------------------------------------------

struct threads {
	uint32_t *at; // of OP_LINE, OP_ANY and OP_MATCH
	uint32_t count;
	size_t *mark; // by instruction: the round in which it was added, plus 1
};

struct matcher {
	const struct program *p;
	struct threads now, next;
	uint32_t *stack;
	// How far it came: the last line that was waited for, and since which record.
	uint32_t best;
	size_t best_since;
};

static void add_thread(struct matcher *m, struct threads *t, uint32_t pc, size_t round)
{
	uint32_t depth = 0;

	m->stack[depth++] = pc;
	while (depth != 0) {
		const struct insn *insn;

		pc = m->stack[--depth];
		if (t->mark[pc] == round + 1) {
			continue;
		}
		t->mark[pc] = round + 1;
		insn = &m->p->insns[pc];
		if (insn->op == OP_SPLIT) {
			m->stack[depth++] = insn->b;
			m->stack[depth++] = insn->a;
		} else if (insn->op == OP_JUMP) {
			m->stack[depth++] = insn->a;
		} else {
			t->at[t->count++] = pc;
			if (pc > m->best && insn->op != OP_ANY) {
				m->best = pc;
				m->best_since = round;
			}
		}
	}
}

// One record. False: no way is left.
static bool advance(struct matcher *m, const struct tt_history *history, size_t index)
{
	struct threads swap;

	m->next.count = 0;
	for (uint32_t i = 0; i < m->now.count; i++) {
		uint32_t pc = m->now.at[i];
		const struct insn *insn = &m->p->insns[pc];

		if (insn->op == OP_LINE  ? tt_all_hold(&insn->step->checks, history, index)
		    : insn->op == OP_ANY ? insn->step->checks.count == 0 ||
						   !tt_all_hold(&insn->step->checks, history, index)
					 : false) {
			add_thread(m, &m->next, pc + 1, index + 1);
		}
	}
	if (m->next.count == 0) {
		return false;
	}
	swap = m->now;
	m->now = m->next;
	m->next = swap;
	return true;
}

static bool can_end(const struct matcher *m)
{
	for (uint32_t i = 0; i < m->now.count; i++) {
		if (m->p->insns[m->now.at[i]].op == OP_MATCH) {
			return true;
		}
	}
	return false;
}

// ---- the difference -----------------------------------------------------------------------------

static void say_record(struct tt_result *result, char mark, const struct tt_history *history,
		       size_t index)
{
	char text[512];

	tt_describe(&history->records[index], text, sizeof(text));
	tt_say(result, "    %c %s", mark, text);
}

// Which checks of a line a record does not meet.
static void say_unmet(struct tt_result *result, const struct tt_step *step,
		      const struct tt_history *history, size_t index)
{
	char seen[200];

	for (size_t i = 0; i < step->checks.count; i++) {
		const struct tt_check *check = &step->checks.items[i];

		if (check->word[0] == '\0' || holds(check, history, index)) {
			continue;
		}
		tt_check_seen(check, &history->records[index],
			      check->after ? tt_return_of(history, index) : NULL, history->strata,
			      seen, sizeof(seen));
		tt_say(result, "      expected %s, seen %s", check->word, seen);
	}
}

static void say_context(struct tt_result *result, const struct tt_history *history, size_t index)
{
	size_t from = index > CONTEXT ? index - CONTEXT : 0;

	if (from != 0) {
		tt_say(result, "      (%zu transitions as expected)", from);
	}
	for (size_t i = from; i < index; i++) {
		say_record(result, ' ', history, i);
	}
}

// No way led past this record.
static void say_stopped(const struct matcher *m, const struct tt_history *history, size_t index,
			struct tt_result *result)
{
	const struct tt_step *only = NULL;
	unsigned shown = 0;

	say_context(result, history, index);
	for (uint32_t i = 0; i < m->now.count; i++) {
		const struct insn *insn = &m->p->insns[m->now.at[i]];

		if (insn->op == OP_MATCH) {
			tt_say(result, "    - (no more transitions)");
		} else if (shown++ < 4) {
			tt_say(result, "    - line %u: %s", insn->step->line, insn->step->text);
			only = shown == 1 && insn->op == OP_LINE ? insn->step : NULL;
		}
	}
	say_record(result, '+', history, index);
	if (only != NULL) {
		say_unmet(result, only, history, index);
	}
}

// The levels and the direction of a line, without its other checks.
static bool same_levels(const struct tt_step *step, const struct tt_history *history, size_t index)
{
	for (size_t i = 0; i < step->checks.count; i++) {
		enum tt_subject s = step->checks.items[i].subject;

		if ((s == TT_FROM || s == TT_TO || s == TT_RETURN || s == TT_CAUSE) &&
		    !holds(&step->checks.items[i], history, index)) {
			return false;
		}
	}
	return true;
}

// The run ended before the steps did.
static void say_ended(const struct matcher *m, const struct tt_history *history, const char *ending,
		      struct tt_result *result)
{
	const struct insn *insn = &m->p->insns[m->best];
	size_t near = history->count;

	if (insn->op == OP_MATCH) {
		say_context(result, history, m->best_since);
		tt_say(result, "    - (no more transitions)");
		say_record(result, '+', history,
			   m->best_since < history->count ? m->best_since : history->count - 1);
		return;
	}
	for (size_t i = m->best_since; i < history->count && near == history->count; i++) {
		if (same_levels(insn->step, history, i)) {
			near = i;
		}
	}
	say_context(result, history, m->best_since);
	tt_say(result, "    - line %u: %s", insn->step->line, insn->step->text);
	tt_say(result, "    + nothing like it in the %zu transitions that followed; %s",
	       history->count - m->best_since, ending);
	if (near < history->count) {
		tt_say(result, "      the most alike:");
		say_record(result, ' ', history, near);
		say_unmet(result, insn->step, history, near);
	}
}

static void threads_init(struct threads *t, uint32_t count)
{
	t->at = calloc(count, sizeof(*t->at));
	t->mark = calloc(count, sizeof(*t->mark));
	CHECK(t->at != NULL && t->mark != NULL);
}

static bool follow(struct matcher *m, const struct tt_history *history, const char *ending,
		   struct tt_result *result)
{
	add_thread(m, &m->now, 0, 0);
	for (size_t i = 0; i < history->count; i++) {
		if (!advance(m, history, i)) {
			say_stopped(m, history, i, result);
			return false;
		}
	}
	if (!can_end(m)) {
		say_ended(m, history, ending, result);
		return false;
	}
	return true;
}

bool tt_match(const struct tt_step *expect, const struct tt_history *history, const char *ending,
	      struct tt_result *result)
{
	struct program p = {.count = 0};
	struct matcher m = {.p = &p};
	bool matches = false;

	compile(&p, expect);
	(void)emit(&p, OP_MATCH, NULL);
	if (p.too_large) {
		tt_say(result, "      the repetitions of expect are too many to be followed");
	} else {
		threads_init(&m.now, p.count);
		threads_init(&m.next, p.count);
		m.stack = calloc(2 * (size_t)p.count + 2, sizeof(*m.stack));
		CHECK(m.stack != NULL);
		matches = follow(&m, history, ending, result);
		free(m.now.at);
		free(m.now.mark);
		free(m.next.at);
		free(m.next.mark);
		free(m.stack);
	}
	free(p.insns);
	return matches;
}
