// SPDX-License-Identifier: Apache-2.0
// What can be attached to a trace: sinks that print, export, count or call back, and the filter in
// front of them.
#ifndef STRATA_TRACE_SINKS_H
#define STRATA_TRACE_SINKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "trace/trace.h"

// All creators return NULL when memory is short. Files stay the caller's; names may be NULL.

// One line for each event, made to be read by people.
struct trace_sink *trace_sink_text_create(FILE *file, const struct trace_names *names);

// One JSON object for each event, after a header object (docs/trace.md).
struct trace_sink *trace_sink_jsonl_create(FILE *file, const struct trace_names *names);

// A table by (from, to, cause), printed to file at the end.
struct trace_sink *trace_sink_stats_create(FILE *file);

typedef void trace_callback_fn(void *opaque, const struct trace_event *event);
struct trace_sink *trace_sink_callback_create(trace_callback_fn *fn, void *opaque);

// What passes: an event that satisfies every key given, by any of the key's values.
struct trace_filter;
struct trace_filter *trace_filter_create(void);
void trace_filter_destroy(struct trace_filter *filter);

// Add "KEY=VALUE[,KEY=VALUE]...", keys: pe, from, to, cause, symbol. Symbols are looked up through
// names at once. False with a one-line message in error.
bool trace_filter_parse(struct trace_filter *filter, const char *text,
			const struct trace_names *names, char *error, size_t error_size);

bool trace_filter_passes(const struct trace_filter *filter, const struct trace_event *event);

// How much of the stream a filter sink considers.
enum trace_detail {
	TRACE_DETAIL_LEVELS, // changes of level or Security state
	TRACE_DETAIL_EXCEPTIONS, // every exception and return
	TRACE_DETAIL_INSNS // every instruction too
};

// A sink that hands on what passes. Owns inner; the filter has to outlive it and may be NULL. NULL
// if inner is NULL.
struct trace_sink *trace_sink_filter_create(const struct trace_filter *filter,
					    enum trace_detail detail, struct trace_sink *inner);

#endif
