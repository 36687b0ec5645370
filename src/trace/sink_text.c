// SPDX-License-Identifier: Apache-2.0
// The trace for people: one aligned line for each event (docs/trace.md, "Text").
#include <stdlib.h>

#include "trace/describe.h"
#include "trace/sinks.h"

struct text_sink {
	struct trace_sink sink;
	FILE *file;
	struct trace_names names;
	struct disassembler *disassembler;
	bool begun;
};

// "symbol+0x10 (0xffff800008001234)", or the address alone.
static void add_place(struct text_sink *s, unsigned el, uint64_t address, struct text *text)
{
	size_t before = text->used;

	describe_symbol(&s->names, el, address, text);
	text_add(text, text->used != before ? " (0x%llx)" : "0x%llx", (unsigned long long)address);
}

// Calls return to the instruction that follows: that needs no words.
static bool is_call(enum trace_cause cause)
{
	return cause == TRACE_CAUSE_SVC || cause == TRACE_CAUSE_HVC || cause == TRACE_CAUSE_SMC;
}

static void add_exception(struct text_sink *s, const struct trace_event *event, struct text *text)
{
	if (event->control != NULL) {
		text_add(text, "%sby %s", text->used != 0 ? "  " : "", event->control);
	}
	text_add(text, "%sat ", text->used != 0 ? "  " : "");
	add_place(s, event->from_el, event->pc, text);
	if (event->has_insn) {
		text_add(text, ": ");
		disassemble(s->disassembler, event->insn, event->pc, text);
	}
	if (event->elr != event->pc && !(is_call(event->cause) && event->elr == event->pc + 4)) {
		text_add(text, "  ELR ");
		add_place(s, event->from_el, event->elr, text);
	}
	if (event->has_esr) {
		text_add(text, "  ESR 0x%llx %s", (unsigned long long)event->esr,
			 esr_class_name(event->esr));
		if ((event->esr & 0x1ffffff) != 0) {
			text_add(text, ": ");
			esr_decode(event->esr, text);
		}
	}
	text_add(text, "  vector ");
	add_place(s, event->to_el, event->vector, text);
}

static void add_return(struct text_sink *s, const struct trace_event *event, struct text *text)
{
	text_add(text, "to ");
	add_place(s, event->to_el, event->elr, text);
	text_add(text, "  from ");
	add_place(s, event->from_el, event->pc, text);
	text_add(text, "  SPSR 0x%llx", (unsigned long long)event->spsr);
}

static void begin(struct text_sink *s)
{
	if (!s->begun) {
		fprintf(s->file, "# strata trace %d\n", TRACE_FORMAT_VERSION);
		fprintf(s->file, "# %12s %12s %-4s %-14s %-13s what\n", "seconds", "instructions",
			"PE", "levels", "cause");
		s->begun = true;
	}
}

// An instruction: the columns of an event with its level alone, then address and text.
static void text_insn(struct text_sink *s, const struct trace_event *event)
{
	char level[16], line[512];
	struct text level_text, text;

	text_init(&level_text, level, sizeof(level));
	describe_level(event->from_el, event->from_secure, &level_text);
	text_init(&text, line, sizeof(line));
	add_place(s, event->from_el, event->pc, &text);
	text_add(&text, ": ");
	disassemble(s->disassembler, event->insn, event->pc, &text);
	fprintf(s->file, "%4llu.%09llu %12llu PE%-2u %-14s %-13s %s\n",
		(unsigned long long)(event->time / 1000000000),
		(unsigned long long)(event->time % 1000000000), (unsigned long long)event->insns,
		event->pe, level, trace_cause_name(event->cause), line);
}

static void text_event(struct trace_sink *sink, const struct trace_event *event)
{
	struct text_sink *s = (struct text_sink *)sink;
	char levels[32], line[1024];
	struct text level_text, text;

	begin(s);
	text_init(&level_text, levels, sizeof(levels));
	describe_level(event->from_el, event->from_secure, &level_text);
	text_add(&level_text, " -> ");
	describe_level(event->to_el, event->to_secure, &level_text);
	text_init(&text, line, sizeof(line));
	if (event->type == TRACE_INSN) {
		text_insn(s, event);
		return;
	}
	describe_detail(event, &text);
	if (event->type == TRACE_RETURN) {
		add_return(s, event, &text);
	} else {
		add_exception(s, event, &text);
	}
	fprintf(s->file, "%4llu.%09llu %12llu PE%-2u %-14s %-13s %s",
		(unsigned long long)(event->time / 1000000000),
		(unsigned long long)(event->time % 1000000000), (unsigned long long)event->insns,
		event->pe, levels, trace_cause_name(event->cause), line);
	if (event->from_el != event->to_el || event->from_secure != event->to_secure) {
		fprintf(s->file, "  [%llu cycles in EL%u]", (unsigned long long)event->level_cycles,
			event->from_el);
	}
	fputc('\n', s->file);
}

static void text_finish(struct trace_sink *sink)
{
	struct text_sink *s = (struct text_sink *)sink;

	begin(s);
	fflush(s->file);
}

static void text_destroy(struct trace_sink *sink)
{
	struct text_sink *s = (struct text_sink *)sink;

	disassembler_destroy(s->disassembler);
	free(s);
}

static const struct trace_sink_type text_type = {
	.name = "text",
	.event = text_event,
	.finish = text_finish,
	.destroy = text_destroy,
};

struct trace_sink *trace_sink_text_create(FILE *file, const struct trace_names *names)
{
	struct text_sink *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		return NULL;
	}
	s->sink.type = &text_type;
	s->file = file;
	s->disassembler = disassembler_create();
	if (names != NULL) {
		s->names = *names;
	}
	return &s->sink;
}
