// SPDX-License-Identifier: Apache-2.0
// Which events pass to a sink.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bits.h"
#include "trace/sinks.h"

#define PES_MAX 1024

struct symbol_range {
	uint64_t start, end;
};

struct trace_filter {
	bool has_pe, has_from, has_to, has_cause;
	uint8_t pes[PES_MAX / 8];
	uint8_t from, to; // bit n: ELn
	uint64_t causes; // bit n: enum trace_cause
	struct symbol_range *ranges;
	size_t range_count;
};

_Static_assert(TRACE_CAUSE_COUNT <= 64, "causes fit one word");

struct trace_filter *trace_filter_create(void)
{
	return calloc(1, sizeof(struct trace_filter));
}

void trace_filter_destroy(struct trace_filter *filter)
{
	if (filter != NULL) {
		free(filter->ranges);
		free(filter);
	}
}

static bool parse_pe(struct trace_filter *filter, const char *value)
{
	char *end;
	unsigned long pe;

	errno = 0;
	pe = strtoul(value, &end, 10);
	if (value[0] < '0' || value[0] > '9' || *end != '\0' || errno != 0 || pe >= PES_MAX) {
		return false;
	}
	filter->pes[pe / 8] |= (uint8_t)(1u << (pe % 8));
	filter->has_pe = true;
	return true;
}

static bool parse_level(uint8_t *levels, bool *has, const char *value)
{
	if (strncasecmp(value, "el", 2) == 0) {
		value += 2;
	}
	if (value[0] < '0' || value[0] > '3' || value[1] != '\0') {
		return false;
	}
	*levels |= (uint8_t)(1u << (value[0] - '0'));
	*has = true;
	return true;
}

static bool parse_cause(struct trace_filter *filter, const char *value)
{
	for (unsigned i = 0; i < TRACE_CAUSE_COUNT; i++) {
		if (strcasecmp(value, trace_cause_name(i)) == 0) {
			filter->causes |= BIT(i);
			filter->has_cause = true;
			return true;
		}
	}
	return false;
}

static bool parse_symbol(struct trace_filter *filter, const char *value,
			 const struct trace_names *names)
{
	struct symbol_range range;
	struct symbol_range *ranges;

	if (names == NULL || names->symbol_range == NULL ||
	    !names->symbol_range(names->opaque, value, &range.start, &range.end)) {
		return false;
	}
	ranges = realloc(filter->ranges, (filter->range_count + 1) * sizeof(*ranges));
	if (ranges == NULL) {
		return false;
	}
	filter->ranges = ranges;
	ranges[filter->range_count++] = range;
	return true;
}

static bool parse_one(struct trace_filter *filter, char *item, const struct trace_names *names,
		      char *error, size_t error_size)
{
	char *value = strchr(item, '=');
	bool ok;

	if (value == NULL) {
		snprintf(error, error_size, "'%s' is not KEY=VALUE", item);
		return false;
	}
	*value++ = '\0';
	if (strcmp(item, "pe") == 0) {
		ok = parse_pe(filter, value);
	} else if (strcmp(item, "from") == 0) {
		ok = parse_level(&filter->from, &filter->has_from, value);
	} else if (strcmp(item, "to") == 0) {
		ok = parse_level(&filter->to, &filter->has_to, value);
	} else if (strcmp(item, "cause") == 0) {
		ok = parse_cause(filter, value);
	} else if (strcmp(item, "symbol") == 0) {
		ok = parse_symbol(filter, value, names);
	} else {
		snprintf(error, error_size, "unknown key '%s' (pe, from, to, cause or symbol)",
			 item);
		return false;
	}
	if (!ok) {
		snprintf(error, error_size, "unknown %s '%s'", item, value);
	}
	return ok;
}

bool trace_filter_parse(struct trace_filter *filter, const char *text,
			const struct trace_names *names, char *error, size_t error_size)
{
	char *copy = strdup(text);
	char *rest = copy;
	bool ok = copy != NULL;

	if (!ok) {
		snprintf(error, error_size, "out of memory");
	}
	while (ok && rest != NULL) {
		char *item = strsep(&rest, ",");

		ok = parse_one(filter, item, names, error, error_size);
	}
	free(copy);
	return ok;
}

static bool in_ranges(const struct trace_filter *filter, uint64_t address)
{
	for (size_t i = 0; i < filter->range_count; i++) {
		if (address >= filter->ranges[i].start && address < filter->ranges[i].end) {
			return true;
		}
	}
	return false;
}

bool trace_filter_passes(const struct trace_filter *filter, const struct trace_event *event)
{
	if (filter->has_pe &&
	    (event->pe >= PES_MAX || !(filter->pes[event->pe / 8] >> (event->pe % 8) & 1))) {
		return false;
	}
	if (filter->has_from && !(filter->from >> event->from_el & 1)) {
		return false;
	}
	if (filter->has_to && !(filter->to >> event->to_el & 1)) {
		return false;
	}
	if (filter->has_cause && !(filter->causes >> event->cause & 1)) {
		return false;
	}
	// In the symbol: what is left, or what is returned to.
	return filter->range_count == 0 || in_ranges(filter, event->pc) ||
	       in_ranges(filter, event->elr);
}

struct filter_sink {
	struct trace_sink sink;
	const struct trace_filter *filter;
	enum trace_detail detail;
	struct trace_sink *inner;
};

static void filter_event(struct trace_sink *sink, const struct trace_event *event)
{
	struct filter_sink *f = (struct filter_sink *)sink;

	if (event->type == TRACE_INSN && f->detail != TRACE_DETAIL_INSNS) {
		return;
	}
	if (f->detail == TRACE_DETAIL_LEVELS && event->from_el == event->to_el &&
	    event->from_secure == event->to_secure) {
		return;
	}
	if (f->filter == NULL || trace_filter_passes(f->filter, event)) {
		f->inner->type->event(f->inner, event);
	}
}

static void filter_finish(struct trace_sink *sink)
{
	struct filter_sink *f = (struct filter_sink *)sink;

	f->inner->type->finish(f->inner);
}

static void filter_destroy(struct trace_sink *sink)
{
	struct filter_sink *f = (struct filter_sink *)sink;

	f->inner->type->destroy(f->inner);
	free(f);
}

static const struct trace_sink_type filter_type = {
	.name = "filter",
	.event = filter_event,
	.finish = filter_finish,
	.destroy = filter_destroy,
};

struct trace_sink *trace_sink_filter_create(const struct trace_filter *filter,
					    enum trace_detail detail, struct trace_sink *inner)
{
	struct filter_sink *f;

	if (inner == NULL) {
		return NULL;
	}
	f = calloc(1, sizeof(*f));
	if (f == NULL) {
		inner->type->destroy(inner);
		return NULL;
	}
	f->sink.type = &filter_type;
	f->filter = filter;
	f->detail = detail;
	f->inner = inner;
	return &f->sink;
}

struct callback_sink {
	struct trace_sink sink;
	trace_callback_fn *fn;
	void *opaque;
};

static void callback_event(struct trace_sink *sink, const struct trace_event *event)
{
	struct callback_sink *c = (struct callback_sink *)sink;

	c->fn(c->opaque, event);
}

static void callback_finish(struct trace_sink *sink)
{
	(void)sink;
}

static void callback_destroy(struct trace_sink *sink)
{
	free(sink);
}

static const struct trace_sink_type callback_type = {
	.name = "callback",
	.event = callback_event,
	.finish = callback_finish,
	.destroy = callback_destroy,
};

struct trace_sink *trace_sink_callback_create(trace_callback_fn *fn, void *opaque)
{
	struct callback_sink *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		return NULL;
	}
	c->sink.type = &callback_type;
	c->fn = fn;
	c->opaque = opaque;
	return &c->sink;
}
