// SPDX-License-Identifier: Apache-2.0
// The event stream: hands every event to the attached sinks, and measures the time spent in each
// level.
#include "trace/trace.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/checkpoint.h"

// When the level that a PE is in was entered.
struct level_entry {
	uint64_t time;
	uint64_t cycles;
};

struct trace {
	struct trace_names names;
	struct trace_sink *sinks; // in order of attaching
	struct trace_sink **last;
	struct level_entry *entered; // by PE
	size_t pe_count;
};

struct trace *trace_create(const struct trace_names *names)
{
	struct trace *trace = calloc(1, sizeof(*trace));

	if (trace != NULL) {
		if (names != NULL) {
			trace->names = *names;
		}
		trace->last = &trace->sinks;
	}
	return trace;
}

void trace_destroy(struct trace *trace)
{
	if (trace == NULL) {
		return;
	}
	while (trace->sinks != NULL) {
		struct trace_sink *sink = trace->sinks;

		trace->sinks = sink->next;
		sink->type->destroy(sink);
	}
	free(trace->entered);
	free(trace);
}

void trace_attach(struct trace *trace, struct trace_sink *sink)
{
	sink->next = NULL;
	*trace->last = sink;
	trace->last = &sink->next;
}

void trace_finish(struct trace *trace)
{
	for (struct trace_sink *sink = trace->sinks; sink != NULL; sink = sink->next) {
		sink->type->finish(sink);
	}
}

void trace_checkpoint(struct trace *trace, struct checkpoint *checkpoint)
{
	checkpoint_add(checkpoint, &trace->pe_count, sizeof(trace->pe_count));
	checkpoint_add_moving(checkpoint, (void *)&trace->entered,
			      trace->pe_count * sizeof(*trace->entered));
}

bool trace_enabled(const struct trace *trace)
{
	return trace != NULL && trace->sinks != NULL;
}

static struct level_entry *level_of(struct trace *trace, unsigned pe)
{
	if (pe >= trace->pe_count) {
		size_t count = (size_t)pe + 1;
		struct level_entry *entered = realloc(trace->entered, count * sizeof(*entered));

		CHECK(entered != NULL);
		for (size_t i = trace->pe_count; i < count; i++) {
			entered[i] = (struct level_entry){0, 0};
		}
		trace->entered = entered;
		trace->pe_count = count;
	}
	return &trace->entered[pe];
}

void trace_emit(struct trace *trace, struct trace_event event)
{
	struct level_entry *entered = level_of(trace, event.pe);

	if (event.cause == TRACE_CAUSE_RESET) {
		*entered = (struct level_entry){event.time, event.cycles};
	}
	event.level_time = event.time - entered->time;
	event.level_cycles = event.cycles - entered->cycles;
	if (event.from_el != event.to_el || event.from_secure != event.to_secure) {
		*entered = (struct level_entry){event.time, event.cycles};
	}
	for (struct trace_sink *sink = trace->sinks; sink != NULL; sink = sink->next) {
		sink->type->event(sink, &event);
	}
}

const char *trace_cause_name(enum trace_cause cause)
{
	static const char *const names[TRACE_CAUSE_COUNT] = {
		[TRACE_CAUSE_RESET] = "RESET",
		[TRACE_CAUSE_ERET] = "ERET",
		[TRACE_CAUSE_INSN] = "INSN",
		[TRACE_CAUSE_MOPS] = "MOPS",
		[TRACE_CAUSE_LS64] = "LS64",
		[TRACE_CAUSE_ERET_ILLEGAL] = "ERET-ILLEGAL",
		[TRACE_CAUSE_SVC] = "SVC",
		[TRACE_CAUSE_HVC] = "HVC",
		[TRACE_CAUSE_SMC] = "SMC",
		[TRACE_CAUSE_SYSREG] = "SYSREG",
		[TRACE_CAUSE_WFX] = "WFX",
		[TRACE_CAUSE_FP] = "FP",
		[TRACE_CAUSE_ERET_TRAP] = "ERET-TRAP",
		[TRACE_CAUSE_PAUTH_TRAP] = "PAUTH-TRAP",
		[TRACE_CAUSE_PAUTH_FAIL] = "PAUTH-FAIL",
		[TRACE_CAUSE_BTI] = "BTI",
		[TRACE_CAUSE_ILLEGAL_STATE] = "ILLEGAL-STATE",
		[TRACE_CAUSE_UNDEFINED] = "UNDEFINED",
		[TRACE_CAUSE_INSN_ABORT] = "INSN-ABORT",
		[TRACE_CAUSE_DATA_ABORT] = "DATA-ABORT",
		[TRACE_CAUSE_PC_ALIGNMENT] = "PC-ALIGNMENT",
		[TRACE_CAUSE_SP_ALIGNMENT] = "SP-ALIGNMENT",
		[TRACE_CAUSE_BREAKPOINT] = "BREAKPOINT",
		[TRACE_CAUSE_STEP] = "STEP",
		[TRACE_CAUSE_WATCHPOINT] = "WATCHPOINT",
		[TRACE_CAUSE_BRK] = "BRK",
		[TRACE_CAUSE_IRQ] = "IRQ",
		[TRACE_CAUSE_FIQ] = "FIQ",
		[TRACE_CAUSE_SERROR] = "SERROR",
		[TRACE_CAUSE_VIRQ] = "VIRQ",
		[TRACE_CAUSE_VFIQ] = "VFIQ",
		[TRACE_CAUSE_VSERROR] = "VSERROR",
		[TRACE_CAUSE_OTHER] = "OTHER",
	};

	CHECK((unsigned)cause < TRACE_CAUSE_COUNT);
	return names[cause];
}
