// SPDX-License-Identifier: Apache-2.0
// The trace for programs: one JSON object a line, a header first (docs/trace.md, "JSON lines").
#include <stdlib.h>

#include "trace/describe.h"
#include "trace/sinks.h"

struct jsonl_sink {
	struct trace_sink sink;
	FILE *file;
	struct trace_names names;
	struct disassembler *disassembler;
	bool begun;
};

static void put_string(FILE *file, const char *string)
{
	fputc('"', file);
	for (const unsigned char *c = (const unsigned char *)string; *c != '\0'; c++) {
		if (*c == '"' || *c == '\\') {
			fputc('\\', file);
			fputc(*c, file);
		} else if (*c < 0x20 || *c >= 0x7f) {
			// Names are bytes of no known encoding: each stands for the character of
			// its number.
			fprintf(file, "\\u%04x", *c);
		} else {
			fputc(*c, file);
		}
	}
	fputc('"', file);
}

static void put_name(struct jsonl_sink *s, const char *key)
{
	fprintf(s->file, ",\"%s\":", key);
}

static void put_text(struct jsonl_sink *s, const char *key, const char *value)
{
	put_name(s, key);
	put_string(s->file, value);
}

// 64-bit values as hexadecimal strings: readers of JSON may keep numbers as doubles.
static void put_hex(struct jsonl_sink *s, const char *key, uint64_t value)
{
	fprintf(s->file, ",\"%s\":\"0x%llx\"", key, (unsigned long long)value);
}

static void put_number(struct jsonl_sink *s, const char *key, uint64_t value)
{
	fprintf(s->file, ",\"%s\":%llu", key, (unsigned long long)value);
}

static void put_bool(struct jsonl_sink *s, const char *key, bool value)
{
	fprintf(s->file, ",\"%s\":%s", key, value ? "true" : "false");
}

static void put_place(struct jsonl_sink *s, const char *key, unsigned el, uint64_t address)
{
	char buffer[512];
	struct text text;

	text_init(&text, buffer, sizeof(buffer));
	describe_symbol(&s->names, el, address, &text);
	if (text.used != 0) {
		put_text(s, key, buffer);
	}
}

static void put_exception(struct jsonl_sink *s, const struct trace_event *event)
{
	char buffer[256];
	struct text text;

	if (event->control != NULL) {
		put_text(s, "control", event->control);
	}
	if (event->sysreg != NULL) {
		put_text(s, "sysreg", event->sysreg);
		put_text(s, "direction", event->sysreg_read ? "read" : "write");
	}
	if (event->has_esr) {
		put_hex(s, "esr", event->esr);
		put_text(s, "ec", esr_class_name(event->esr));
		text_init(&text, buffer, sizeof(buffer));
		esr_decode(event->esr, &text);
		put_text(s, "iss", buffer);
	}
	if (event->fault_stage != 0) {
		put_number(s, "fault_stage", event->fault_stage);
		if (event->fault_level >= -1) {
			fprintf(s->file, ",\"fault_level\":%d", event->fault_level);
		}
		put_bool(s, "fault_s1ptw", event->fault_s1ptw);
		put_bool(s, "fault_write", event->fault_write);
	}
	if (event->has_far) {
		put_hex(s, "far", event->far);
	}
	if (event->has_ipa) {
		put_hex(s, "ipa", event->ipa);
	}
	if (event->has_intid) {
		put_number(s, "intid", event->intid);
	}
	put_hex(s, "vector", event->vector);
	put_place(s, "vector_sym", event->to_el, event->vector);
}

static void begin(struct jsonl_sink *s)
{
	if (!s->begun) {
		fprintf(s->file,
			"{\"type\":\"header\",\"format\":\"strata-trace\",\"version\":%d}\n",
			TRACE_FORMAT_VERSION);
		s->begun = true;
	}
}

static void jsonl_event(struct trace_sink *sink, const struct trace_event *event)
{
	static const char *const types[] = {
		[TRACE_EXCEPTION] = "exception", [TRACE_RETURN] = "return", [TRACE_INSN] = "insn"};
	struct jsonl_sink *s = (struct jsonl_sink *)sink;

	begin(s);
	fprintf(s->file, "{\"type\":\"%s\"", types[event->type]);
	put_number(s, "time", event->time);
	put_number(s, "cycles", event->cycles);
	put_number(s, "insns", event->insns);
	put_number(s, "pe", event->pe);
	put_number(s, "from_el", event->from_el);
	put_bool(s, "from_secure", event->from_secure);
	put_number(s, "to_el", event->to_el);
	put_bool(s, "to_secure", event->to_secure);
	put_text(s, "cause", trace_cause_name(event->cause));
	put_hex(s, "pc", event->pc);
	put_place(s, "pc_sym", event->from_el, event->pc);
	if (event->has_insn) {
		char buffer[192];
		struct text text;

		put_hex(s, "insn", event->insn);
		text_init(&text, buffer, sizeof(buffer));
		disassemble(s->disassembler, event->insn, event->pc, &text);
		put_text(s, "asm", buffer);
	}
	if (event->type == TRACE_INSN) {
		fputs("}\n", s->file);
		return;
	}
	put_hex(s, "elr", event->elr);
	put_place(s, "elr_sym", event->type == TRACE_RETURN ? event->to_el : event->from_el,
		  event->elr);
	put_hex(s, "spsr", event->spsr);
	if (event->type == TRACE_EXCEPTION) {
		put_exception(s, event);
	}
	put_number(s, "level_time", event->level_time);
	put_number(s, "level_cycles", event->level_cycles);
	fputs("}\n", s->file);
}

static void jsonl_finish(struct trace_sink *sink)
{
	struct jsonl_sink *s = (struct jsonl_sink *)sink;

	begin(s);
	fflush(s->file);
}

static void jsonl_destroy(struct trace_sink *sink)
{
	struct jsonl_sink *s = (struct jsonl_sink *)sink;

	disassembler_destroy(s->disassembler);
	free(s);
}

static const struct trace_sink_type jsonl_type = {
	.name = "jsonl",
	.event = jsonl_event,
	.finish = jsonl_finish,
	.destroy = jsonl_destroy,
};

struct trace_sink *trace_sink_jsonl_create(FILE *file, const struct trace_names *names)
{
	struct jsonl_sink *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		return NULL;
	}
	s->sink.type = &jsonl_type;
	s->file = file;
	s->disassembler = disassembler_create();
	if (names != NULL) {
		s->names = *names;
	}
	return &s->sink;
}
