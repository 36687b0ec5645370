// SPDX-License-Identifier: Apache-2.0
// Tests of whole programs: the block from `test` to `end`.
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bits.h"
#include "cpu/sysreg.h"
#include "traptest/arena.h"
#include "traptest/parse.h"

#define DEPTH_MAX 16 // of nested `repeat`
#define LIMIT_INSNS UINT64_C(10000000)

static bool at_end(struct tt_parser *p, struct tt_cursor *c)
{
	return tt_at_end(c) ? true : tt_expected(&p->r, c, "the end of the line");
}

// ---- patterns -----------------------------------------------------------------------------------

static void add_number(struct tt_parser *p, struct tt_checks *checks, enum tt_subject subject,
		       uint64_t value)
{
	struct tt_check check = {.subject = subject, .hi = 63, .word = ""};

	check.value = (struct tt_value){.count = 1, .mask = UINT64_MAX};
	check.value.range[0].lo = check.value.range[0].hi = value;
	TT_LIST_ADD(p, checks->items, checks->count, check);
}

// "EL1", "EL*", "S-EL1", "NS-EL0".
static bool parse_level(struct tt_parser *p, struct tt_cursor w, struct tt_checks *checks,
			bool from, int *level)
{
	const char *begin = w.at;
	bool secure = tt_take(&w, "S-");
	bool nonsecure = !secure && tt_take(&w, "NS-");

	*level = -1;
	if (!tt_take(&w, "EL") || w.at == w.end) {
		return tt_fail(&p->r, begin, "expected a level: EL0 to EL3, EL*, S-EL1, ...");
	}
	if (*w.at >= '0' && *w.at <= '3') {
		*level = *w.at - '0';
		add_number(p, checks, from ? TT_FROM : TT_TO, (uint64_t)*level);
	} else if (*w.at != '*') {
		return tt_fail(&p->r, w.at, "expected 0, 1, 2, 3 or *");
	}
	if (w.at + 1 != w.end) {
		return tt_fail(&p->r, w.at + 1, "expected a space");
	}
	if (secure || nonsecure) {
		add_number(p, checks, from ? TT_FROM_SECURE : TT_TO_SECURE, secure);
	}
	return true;
}

static bool is_level(const struct tt_cursor *w)
{
	struct tt_cursor c = *w;

	(void)(tt_take(&c, "S-") || tt_take(&c, "NS-"));
	return tt_take(&c, "EL") && c.at < c.end && (isdigit((unsigned char)*c.at) || *c.at == '*');
}

static bool parse_arrow(struct tt_parser *p, struct tt_cursor from, struct tt_cursor *c,
			struct tt_checks *checks, int *from_level, int *to_level)
{
	struct tt_cursor arrow;

	if (!parse_level(p, from, checks, true, from_level)) {
		return false;
	}
	arrow = tt_word(c, NULL);
	if (!tt_is_word(&arrow, "->")) {
		return tt_fail(&p->r, arrow.at, "expected ->");
	}
	return parse_level(p, tt_word(c, NULL), checks, false, to_level);
}

// "x3", "x1..5", "x2..", "*", "+", "?".
static bool parse_repeat(struct tt_parser *p, struct tt_cursor w, uint32_t *min, uint32_t *max,
			 bool *is)
{
	uint64_t lo, hi;

	*is = true;
	if (tt_is_word(&w, "*") || tt_is_word(&w, "+") || tt_is_word(&w, "?")) {
		*min = *w.at == '+';
		*max = *w.at == '?' ? 1 : TT_MANY;
		return true;
	}
	if (w.end - w.at < 2 || *w.at != 'x' || !isdigit((unsigned char)w.at[1])) {
		*is = false;
		return true;
	}
	w.at++;
	if (!tt_number(&p->r, &w, &lo)) {
		return false;
	}
	hi = lo;
	if (tt_take(&w, "..")) {
		hi = UINT64_MAX;
		if (w.at != w.end && !tt_number(&p->r, &w, &hi)) {
			return false;
		}
	}
	if (w.at != w.end || lo > 100000 || hi < lo || (hi > 100000 && hi != UINT64_MAX)) {
		return tt_fail(&p->r, w.at,
			       "expected xN, xN..M or xN.. with N and M at most 100000");
	}
	*min = (uint32_t)lo;
	*max = hi == UINT64_MAX ? TT_MANY : (uint32_t)hi;
	return true;
}

// Is there a way to say the kind of transition by its words? cause=ERET is a return.
static bool says_return(const struct tt_checks *checks)
{
	for (size_t i = 0; i < checks->count; i++) {
		const struct tt_check *k = &checks->items[i];

		if (k->subject == TT_CAUSE && strncmp(k->text, "ERET", 4) == 0 &&
		    strcmp(k->text, "ERET-TRAP") != 0) {
			return true;
		}
	}
	return false;
}

// The words of a pattern from c on, up to the end or to a comparison (`ops`). repeat may be NULL.
static bool parse_pattern(struct tt_parser *p, struct tt_cursor *c, struct tt_checks *checks,
			  uint32_t *repeat, bool ops)
{
	int from = -1, to = -1, kind = -1;

	while (!tt_at_end(c)) {
		struct tt_cursor before = *c, w = tt_word(c, NULL);
		bool is = false;

		if (ops && memchr("<>=!", *w.at, 4) != NULL) {
			*c = before;
			break;
		}
		if (is_level(&w)) {
			if (!parse_arrow(p, w, c, checks, &from, &to)) {
				return false;
			}
			continue;
		}
		if (tt_is_word(&w, "return") || tt_is_word(&w, "exception")) {
			kind = tt_is_word(&w, "return");
			continue;
		}
		if (tt_take(&w, "from=")) {
			if (!parse_level(p, w, checks, true, &from)) {
				return false;
			}
			continue;
		}
		if (tt_take(&w, "to=")) {
			if (!parse_level(p, w, checks, false, &to)) {
				return false;
			}
			continue;
		}
		if (repeat != NULL) {
			if (!parse_repeat(p, w, &repeat[0], &repeat[1], &is)) {
				return false;
			}
			if (is) {
				return at_end(p, c);
			}
		}
		if (!tt_parse_check(p, w, checks)) {
			return tt_fail(&p->r, w.at,
				       "expected EL -> EL, return, exception or a check (cause=, "
				       "ec=, ...)");
		}
	}
	if (kind < 0 && from >= 0 && to >= 0) {
		kind = to < from || says_return(checks);
	} else if (kind < 0 && says_return(checks)) {
		kind = 1;
	}
	if (kind >= 0) {
		add_number(p, checks, TT_RETURN, (uint64_t)kind);
	}
	return true;
}

// ---- expect -------------------------------------------------------------------------------------

static bool parse_any(struct tt_parser *p, struct tt_cursor c, struct tt_step *step)
{
	struct tt_cursor w = tt_word(&c, NULL);
	uint64_t lo, hi;

	step->kind = TT_ANY;
	step->max = TT_MANY;
	if (w.at != w.end && isdigit((unsigned char)*w.at)) {
		if (!tt_number(&p->r, &w, &lo)) {
			return false;
		}
		hi = lo;
		if (tt_take(&w, "..") && !tt_number(&p->r, &w, &hi)) {
			return false;
		}
		if (w.at != w.end || hi < lo || hi > 100000) {
			return tt_fail(&p->r, w.at, "expected N..M, at most 100000");
		}
		step->min = (uint32_t)lo;
		step->max = (uint32_t)hi;
		w = tt_word(&c, NULL);
	}
	if (tt_is_word(&w, "except")) {
		if (tt_at_end(&c)) {
			return tt_expected(&p->r, &c, "what must not occur");
		}
		return parse_pattern(p, &c, &step->checks, NULL, false);
	}
	return w.at == w.end ? true
			     : tt_fail(&p->r, w.at, "expected N..M, except or the end of the line");
}

static bool parse_steps(struct tt_parser *p, struct tt_step *group, unsigned depth);

static bool parse_step(struct tt_parser *p, struct tt_cursor c, struct tt_step *step,
		       unsigned depth)
{
	struct tt_cursor at = c, w = tt_word(&at, NULL);
	uint32_t repeat[2] = {1, 1};
	bool is = false;

	step->line = tt_line_number(&p->r);
	step->text = tt_text(&p->r, c);
	step->min = 0;
	if (tt_is_word(&w, "any")) {
		return parse_any(p, at, step);
	}
	if (tt_is_word(&w, "repeat")) {
		w = tt_word(&at, NULL);
		if (!parse_repeat(p, w, &step->min, &step->max, &is)) {
			return false;
		}
		if (!is || depth == DEPTH_MAX) {
			return tt_fail(&p->r, w.at,
				       is ? "expected at most 16 groups in each other"
					  : "expected how often: xN, xN..M, *, + or ?");
		}
		step->kind = TT_GROUP;
		return at_end(p, &at) && parse_steps(p, step, depth + 1);
	}
	step->kind = TT_LINE;
	if (!parse_pattern(p, &c, &step->checks, repeat, false)) {
		return false;
	}
	step->min = repeat[0];
	step->max = repeat[1];
	return true;
}

static bool parse_steps(struct tt_parser *p, struct tt_step *group, unsigned depth)
{
	unsigned line = tt_line_number(&p->r);
	struct tt_cursor c;

	while (tt_next_line(&p->r, &c)) {
		struct tt_step step = {0};
		struct tt_cursor at = c, w = tt_word(&at, NULL);

		if (tt_is_word(&w, "end")) {
			return at_end(p, &at);
		}
		if (!parse_step(p, c, &step, depth)) {
			return false;
		}
		TT_LIST_ADD(p, group->steps, group->step_count, step);
	}
	return tt_fail(&p->r, NULL, "expected end of what began in line %u", line);
}

// ---- snippets -----------------------------------------------------------------------------------

// "end", also with a comment of ours or of the assembler's after it.
static bool is_end_line(const char *text, size_t size)
{
	struct tt_cursor c = {text, text + size}, w;

	tt_skip_space(&c);
	if (!tt_take(&c, "end")) {
		return false;
	}
	w = (struct tt_cursor){c.at, c.end};
	return tt_at_end(&c) ||
	       (c.at != w.at && (*c.at == '#' || tt_take(&c, "//") || tt_take(&c, "/*")));
}

static bool parse_place(struct tt_parser *p, struct tt_cursor w, struct tt_snippet *snippet)
{
	const char *begin = w.at;
	uint64_t offset;

	if (w.at == w.end) {
		return true;
	}
	if (!tt_take(&w, "EL") || w.at == w.end || *w.at < '1' || *w.at > '3') {
		return tt_fail(&p->r, begin, "expected EL1, EL2 or EL3, or nothing");
	}
	snippet->el = (uint8_t)(*w.at++ - '0');
	snippet->all = w.at == w.end;
	if (snippet->all) {
		return true;
	}
	if (!tt_take(&w, "+") || !tt_number(&p->r, &w, &offset) || w.at != w.end ||
	    (offset & 0x7f) != 0 || offset > 0x780) {
		return tt_fail(
			&p->r, begin,
			"expected ELn+OFFSET with the offset of a vector (0, 0x80, ... 0x780)");
	}
	snippet->offset = (uint16_t)offset;
	return true;
}

static bool parse_snippet(struct tt_parser *p, struct tt_cursor c, struct tt_test *t, bool hex)
{
	struct tt_snippet snippet = {.line = p->r.line + 1, .hex = hex};
	const struct tt_cursor whole = c;
	const char *begin = p->r.next, *text;
	unsigned line = tt_line_number(&p->r);
	size_t size;

	if (!parse_place(p, tt_word(&c, NULL), &snippet) || !at_end(p, &c)) {
		return false;
	}
	for (size_t i = 0; snippet.el != 0 && i < t->snippet_count; i++) {
		const struct tt_snippet *s = &t->snippets[i];

		if (s->el == snippet.el && s->all == snippet.all && s->offset == snippet.offset) {
			return tt_fail(&p->r, whole.at, "this handler is given in line %u already",
				       s->line - 1);
		}
	}
	while (tt_next_raw(&p->r, &text, &size)) {
		if (is_end_line(text, size)) {
			snippet.text = tt_copy(p->arena, begin, (size_t)(text - begin));
			TT_LIST_ADD(p, t->snippets, t->snippet_count, snippet);
			return true;
		}
	}
	p->r.size = 0;
	return tt_fail(&p->r, NULL, "expected end of what began in line %u", line);
}

static bool parse_vectors(struct tt_parser *p, struct tt_cursor c, struct tt_test *t)
{
	struct tt_cursor w = tt_word(&c, NULL), what = tt_word(&c, NULL);
	unsigned el;

	if (w.end - w.at != 3 || memcmp(w.at, "EL", 2) != 0 || w.at[2] < '1' || w.at[2] > '3') {
		return tt_fail(&p->r, w.at, "expected EL1, EL2 or EL3");
	}
	el = (unsigned)(w.at[2] - '0');
	if (t->said_vectors[el]) {
		return tt_fail(&p->r, w.at, "the vectors of EL%u are said twice", el);
	}
	t->said_vectors[el] = true;
	if (tt_is_word(&what, "stop")) {
		t->vectors[el] = TT_VECTORS_STOP;
	} else if (tt_is_word(&what, "return")) {
		t->vectors[el] = TT_VECTORS_RETURN;
	} else if (tt_is_word(&what, "skip")) {
		t->vectors[el] = TT_VECTORS_SKIP;
	} else {
		return tt_fail(&p->r, what.at, "expected stop, return or skip");
	}
	return at_end(p, &c);
}

// ---- bounds, ends and limits --------------------------------------------------------------------

static bool parse_compare(struct tt_parser *p, struct tt_cursor *c, enum tt_compare *compare)
{
	static const char *const words[] = {"==", "!=", "<", "<=", ">", ">="};
	struct tt_cursor w = tt_word(c, NULL);

	for (unsigned i = 0; i < 6; i++) {
		if (tt_is_word(&w, words[i])) {
			*compare = (enum tt_compare)i;
			return true;
		}
	}
	return tt_fail(&p->r, w.at, "expected ==, !=, <, <=, > or >=");
}

static bool parse_duration(struct tt_parser *p, struct tt_cursor *c, uint64_t *ns)
{
	const char *begin = c->at;
	uint64_t unit;

	if (!tt_number(&p->r, c, ns)) {
		return false;
	}
	unit = tt_take(c, "ms")   ? 1000000
	       : tt_take(c, "us") ? 1000
	       : tt_take(c, "ns") ? 1
	       : tt_take(c, "s")  ? 1000000000
				  : 1;
	if (*ns > UINT64_MAX / unit) {
		return tt_fail(&p->r, begin, "the time does not fit 64 bits of nanoseconds");
	}
	*ns *= unit;
	return true;
}

static bool parse_bound(struct tt_parser *p, struct tt_cursor c, struct tt_cursor word,
			struct tt_test *t)
{
	struct tt_bound bound = {.line = tt_line_number(&p->r)};
	struct tt_cursor whole = {word.at, c.end}, w;
	bool ok = true;

	bound.text = tt_text(&p->r, whole);
	if (tt_is_word(&word, "count")) {
		bound.kind = TT_COUNT;
		ok = parse_pattern(p, &c, &bound.checks, NULL, true);
	} else if (tt_is_word(&word, "insns")) {
		bound.kind = TT_INSNS;
	} else if (tt_is_word(&word, "time")) {
		bound.kind = TT_TIME;
	} else {
		struct tt_cursor before = c;

		bound.kind = TT_CYCLES;
		w = tt_word(&c, NULL);
		if (tt_is_word(&w, "in")) {
			bound.kind = TT_CYCLES_IN;
			w = tt_word(&c, NULL);
			if (w.end - w.at != 3 || memcmp(w.at, "EL", 2) != 0 || w.at[2] < '0' ||
			    w.at[2] > '3') {
				return tt_fail(&p->r, w.at, "expected a level");
			}
			bound.el = (uint8_t)(w.at[2] - '0');
		} else {
			c = before;
		}
	}
	if (!ok || !parse_compare(p, &c, &bound.compare)) {
		return false;
	}
	tt_skip_space(&c);
	ok = bound.kind == TT_TIME ? parse_duration(p, &c, &bound.value)
				   : tt_number(&p->r, &c, &bound.value);
	if (!ok || !at_end(p, &c)) {
		return false;
	}
	TT_LIST_ADD(p, t->bounds, t->bound_count, bound);
	return true;
}

static bool parse_ends(struct tt_parser *p, struct tt_cursor c, struct tt_test *t)
{
	static const struct {
		const char *name;
		enum tt_end end;
	} words[] = {{"finished", TT_END_FINISHED}, {"stopped", TT_END_STOPPED},
		     {"powered-off", TT_END_OFF},   {"exited", TT_END_EXITED},
		     {"reset", TT_END_RESET},       {"stuck", TT_END_STUCK},
		     {"limit", TT_END_LIMIT}};
	struct tt_cursor w = tt_word(&c, NULL), value;
	bool stopped;
	uint64_t n;

	t->end_value = -1;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (tt_is_word(&w, words[i].name)) {
			t->end = words[i].end;
		}
	}
	if (t->end == TT_END_DEFAULT) {
		return tt_fail(
			&p->r, w.at,
			"expected finished, stopped, powered-off, exited, reset, stuck or limit");
	}
	value = tt_word(&c, NULL);
	if (value.at != value.end && (t->end == TT_END_EXITED || t->end == TT_END_STOPPED)) {
		stopped = t->end == TT_END_STOPPED;
		w = value;
		if (stopped && !tt_take(&value, "EL")) {
			return tt_expected(&p->r, &value, "EL1, EL2 or EL3");
		}
		if (!tt_number(&p->r, &value, &n)) {
			return false;
		}
		if (stopped ? n < 1 || n > 3 : n > 255) {
			return tt_fail(&p->r, w.at,
				       stopped ? "expected EL1, EL2 or EL3"
					       : "expected an exit status from 0 to 255");
		}
		t->end_value = (int)n;
	}
	return value.at == value.end ? at_end(p, &c)
				     : tt_expected(&p->r, &value, "the end of the line");
}

static bool parse_limit(struct tt_parser *p, struct tt_cursor c, struct tt_test *t)
{
	while (!tt_at_end(&c)) {
		struct tt_cursor w = tt_word(&c, NULL);
		const char *begin = w.at;
		uint64_t n = 0;
		bool ok;

		if (tt_take(&w, "insns=")) {
			ok = tt_number(&p->r, &w, &n);
			t->limit_insns = n;
		} else if (tt_take(&w, "time=")) {
			ok = parse_duration(p, &w, &n);
			t->limit_time = n;
		} else if (tt_take(&w, "host=")) {
			ok = tt_number(&p->r, &w, &n);
			t->limit_host = ok ? (double)n : 0;
		} else {
			return tt_expected(&p->r, &w, "insns=, time= or host=");
		}
		if (!ok) {
			return false;
		}
		if (n == 0) {
			return tt_fail(&p->r, begin, "expected a limit above 0");
		}
		if (w.at != w.end) {
			return tt_expected(&p->r, &w, "a space");
		}
	}
	return true;
}

// ---- statements ---------------------------------------------------------------------------------

// later: what comes after the transition is known when the pattern is asked.
static bool parse_pattern_line(struct tt_parser *p, struct tt_cursor c, struct tt_pattern **list,
			       size_t *count, bool later)
{
	struct tt_pattern pattern = {.line = tt_line_number(&p->r), .text = tt_text(&p->r, c)};
	const char *begin = c.at;

	if (tt_at_end(&c)) {
		return tt_expected(&p->r, &c, "the words of a transition");
	}
	if (!parse_pattern(p, &c, &pattern.checks, NULL, false)) {
		return false;
	}
	for (size_t i = 0; !later && i < pattern.checks.count; i++) {
		if (pattern.checks.items[i].after) {
			return tt_fail(
				&p->r, begin,
				"%s looks at a return that has not been yet: it is for expect, "
				"not and count",
				pattern.checks.items[i].word);
		}
	}
	TT_LIST_ADD(p, *list, *count, pattern);
	return true;
}

static bool parse_file_line(struct tt_parser *p, struct tt_cursor c, const char **path)
{
	struct tt_cursor w = tt_word(&c, NULL);

	if (w.at == w.end) {
		return tt_expected(&p->r, &w, "a file");
	}
	if (*w.at == '"') {
		const char *text = NULL;

		if (!tt_string(&p->r, &w, &text)) {
			return false;
		}
		if (w.at != w.end) {
			return tt_expected(&p->r, &w, "the end of the line");
		}
		*path = tt_path(p, text, w.at);
	} else {
		*path = tt_path(p, tt_copy(p->arena, w.at, (size_t)(w.end - w.at)), w.at);
	}
	return *path != NULL && at_end(p, &c);
}

// Can it be asked when nothing happens any more?
static bool is_of_end(const struct tt_check *check)
{
	switch (check->subject) {
	case TT_REG:
	case TT_X:
	case TT_SP:
	case TT_PC:
	case TT_PSTATE:
	case TT_MEM:
	case TT_TAG:
		return !check->after;
	default:
		return false;
	}
}

static bool parse_after(struct tt_parser *p, struct tt_cursor c, struct tt_test *t)
{
	struct tt_cursor part;

	while (tt_cut(&c, ',', &part)) {
		struct tt_cursor w = tt_word(&part, NULL);

		if (!tt_parse_check(p, w, &t->after) ||
		    !is_of_end(&t->after.items[t->after.count - 1])) {
			return tt_fail(&p->r, w.at, "expected a check of a register or of memory");
		}
		if (!tt_at_end(&part)) {
			return tt_expected(&p->r, &part, "a comma");
		}
	}
	return true;
}

// The machine is complete when something first depends on it.
static bool settle(struct tt_parser *p, struct tt_test *t, const char *at)
{
	const struct tt_machine *m = &t->machine;
	const struct tt_place place = {m->line, 1};

	if (t->image == NULL && m->image_word != NULL) {
		return tt_fail_place(&p->r, place, "%s is for tests with an image, said before it",
				     m->image_word);
	}
	if (t->image != NULL && m->level_word != NULL) {
		return tt_fail_place(&p->r, place,
				     "%s is for tests without an image: boot-el= and secure= say "
				     "which levels one has",
				     m->level_word);
	}
	if (t->image == NULL && m->el3 && !m->el2) {
		return tt_fail_place(&p->r, place, TT_NO_EL3_ALONE);
	}
	if (t->image != NULL && t->machine.boot_el == 0) {
		t->machine.boot_el = 2;
	}
	t->machine.el2 = t->image != NULL ? t->machine.boot_el >= 2 : t->machine.el2;
	t->machine.el3 =
		t->image != NULL ? t->machine.boot_el == 3 || t->machine.secure : t->machine.el3;
	p->settled = true;
	tt_use_machine(p, &t->machine, t->image != NULL);
	p->model = tt_model(p, &t->machine, at);
	return p->model != NULL;
}

static bool parse_needs(struct tt_parser *p, struct tt_cursor c, struct tt_item *item)
{
	const char *path = NULL;

	if (!parse_file_line(p, c, &path)) {
		return false;
	}
	if (access(path, R_OK) != 0 && item->skip == NULL) {
		item->skip = tt_format(p->arena, "there is no %s", path);
	}
	return true;
}

static bool parse_text_line(struct tt_parser *p, struct tt_cursor c, const char **text)
{
	return tt_string(&p->r, &c, text) && at_end(p, &c);
}

// FILE, or FILE@ADDRESS of a flat binary.
static bool parse_image(struct tt_parser *p, struct tt_cursor c, struct tt_test *t)
{
	const char *sign;
	char *end;

	if (!parse_file_line(p, c, &t->image)) {
		return false;
	}
	sign = strrchr(t->image, '@');
	if (sign != NULL && isdigit((unsigned char)sign[1]) && access(t->image, F_OK) != 0) {
		errno = 0;
		t->image_address = strtoull(sign + 1, &end, 0);
		t->image_is_flat = *end == '\0' && errno == 0;
	}
	if (t->image_is_flat) {
		t->image = tt_copy(p->arena, t->image, (size_t)(sign - t->image));
	}
	return true;
}

static bool parse_program(struct tt_parser *p, struct tt_cursor c, struct tt_cursor word,
			  struct tt_item *item, bool *is)
{
	struct tt_test *t = &item->t;
	const char *path = NULL;

	*is = true;
	if (p->settled && (tt_is_word(&word, "image") || tt_is_word(&word, "machine"))) {
		return tt_fail(&p->r, word.at,
			       "the image and the machine come before what depends on them");
	}
	if ((t->image != NULL && tt_is_word(&word, "image")) ||
	    (t->input != NULL && tt_is_word(&word, "input")) ||
	    (t->end != TT_END_DEFAULT && tt_is_word(&word, "ends")) ||
	    (t->has_state && tt_is_word(&word, "state"))) {
		return tt_fail(&p->r, word.at, "a test has only one %.*s",
			       (int)(word.end - word.at), word.at);
	}
	if (tt_is_word(&word, "image")) {
		return parse_image(p, c, t);
	}
	if (tt_is_word(&word, "machine")) {
		t->machine.line = tt_line_number(&p->r);
		return tt_parse_machine(p, c, &t->machine, true);
	}
	if (tt_is_word(&word, "symbols")) {
		if (!parse_file_line(p, c, &path)) {
			return false;
		}
		TT_LIST_ADD(p, t->symbols.items, t->symbols.count, path);
		return true;
	}
	if (tt_is_word(&word, "needs")) {
		return parse_needs(p, c, item);
	}
	if (tt_is_word(&word, "input")) {
		return parse_text_line(p, c, &t->input);
	}
	if (tt_is_word(&word, "asm") || tt_is_word(&word, "hex")) {
		return parse_snippet(p, c, t, tt_is_word(&word, "hex"));
	}
	if (tt_is_word(&word, "vectors")) {
		return parse_vectors(p, c, t);
	}
	if (tt_is_word(&word, "limit")) {
		return parse_limit(p, c, t);
	}
	if (tt_is_word(&word, "ends")) {
		return parse_ends(p, c, t);
	}
	*is = false;
	return true;
}

static bool parse_expected(struct tt_parser *p, struct tt_cursor c, struct tt_cursor word,
			   struct tt_item *item)
{
	struct tt_test *t = &item->t;
	const char *text = NULL;

	if (tt_is_word(&word, "set")) {
		return tt_parse_settings(p, c, &t->settings);
	}
	if (tt_is_word(&word, "state")) {
		t->has_state = true;
		return tt_parse_state(p, c, &t->state);
	}
	if (tt_is_word(&word, "requires")) {
		struct tt_requires requires = {.unmet = item->skip};

		if (!tt_parse_requires(p, c, &requires)) {
			return false;
		}
		item->skip = requires.unmet;
		return true;
	}
	if (tt_is_word(&word, "expect")) {
		if (t->has_expect) {
			return tt_fail(&p->r, word.at, "a test has one expect");
		}
		t->has_expect = true;
		t->expect = (struct tt_step){.kind = TT_GROUP, .min = 1, .max = 1};
		return at_end(p, &c) && parse_steps(p, &t->expect, 0);
	}
	if (tt_is_word(&word, "not")) {
		return parse_pattern_line(p, c, &t->nots, &t->not_count, true);
	}
	if (tt_is_word(&word, "watch")) {
		return parse_pattern_line(p, c, &t->watches, &t->watch_count, false);
	}
	if (tt_is_word(&word, "until")) {
		return parse_pattern_line(p, c, &t->untils, &t->until_count, false);
	}
	if (tt_is_word(&word, "after")) {
		return parse_after(p, c, t);
	}
	if (tt_is_word(&word, "output")) {
		if (!parse_text_line(p, c, &text)) {
			return false;
		}
		TT_LIST_ADD(p, t->outputs.items, t->outputs.count, text);
		return true;
	}
	if (tt_is_word(&word, "count") || tt_is_word(&word, "insns") ||
	    tt_is_word(&word, "cycles") || tt_is_word(&word, "time")) {
		return parse_bound(p, c, word, t);
	}
	return tt_fail(&p->r, word.at,
		       "expected a statement of a test (image, asm, set, expect, not, count, ends, "
		       "end, ...)");
}

static bool finish(struct tt_parser *p, struct tt_item *item)
{
	struct tt_test *t = &item->t;

	if (t->image == NULL && t->snippet_count == 0) {
		return tt_fail(&p->r, NULL, "the test %s has neither image nor asm", item->name);
	}
	if (t->image != NULL && (t->snippet_count != 0 || t->has_state)) {
		return tt_fail(&p->r, NULL,
			       "the test %s has an image: asm, hex and state are for tests without",
			       item->name);
	}
	if (!t->has_state) {
		t->state = (struct tt_state){.el = t->machine.el3   ? 3
						   : t->machine.el2 ? 2
								    : 1,
					     .text = ""};
		t->state.spsr = MASK(9, 6) | (uint64_t)t->state.el << 2 | 1;
	}
	TT_LIST_ADD(p, p->file->items, p->file->item_count, *item);
	return true;
}

bool tt_parse_test(struct tt_parser *p, struct tt_cursor c)
{
	struct tt_item item = {.line = tt_line_number(&p->r)};
	struct tt_cursor name = tt_word(&c, NULL);

	if (!tt_parse_name(p, name, &item.name) || !at_end(p, &c)) {
		return false;
	}
	for (size_t i = 0; i < p->file->item_count; i++) {
		if (strcmp(p->file->items[i].name, item.name) == 0) {
			return tt_fail(&p->r, name.at, "the name %s is already that of line %u",
				       item.name, p->file->items[i].line);
		}
	}
	item.skip = tt_unmet(p);
	item.no_qemu = "a program";
	item.t.machine = p->file->machine;
	item.t.limit_insns = LIMIT_INSNS;
	item.t.end_value = -1;
	p->slots = &item.slots;
	p->settings = &item.t.settings;
	p->settled = false;
	while (tt_next_line(&p->r, &c)) {
		struct tt_cursor word = tt_word(&c, NULL);
		bool is = false;

		if (tt_is_word(&word, "end")) {
			return at_end(p, &c) && settle(p, &item.t, word.at) && finish(p, &item);
		}
		if (!parse_program(p, c, word, &item, &is)) {
			return false;
		}
		p->skip = item.skip;
		if (!is && (!settle(p, &item.t, word.at) || !parse_expected(p, c, word, &item))) {
			return false;
		}
	}
	return tt_fail(&p->r, NULL, "expected end of the test that began in line %u", item.line);
}
