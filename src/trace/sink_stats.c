// SPDX-License-Identifier: Apache-2.0
// The table of transitions: count, and the cycles spent in the level that was left (total, median,
// maximum), by (from, to, cause). Cycle counts go into a histogram of fixed size: exact below 256,
// above that within 1/128.
#include <stdlib.h>

#include "base/bits.h"
#include "base/check.h"
#include "trace/describe.h"
#include "trace/sinks.h"

#define SUB_BITS 7 // buckets of one octave: 2^SUB_BITS
#define SUB_COUNT (1u << SUB_BITS)
#define BUCKETS ((64 - SUB_BITS) * SUB_COUNT + SUB_COUNT)

// (from EL, to EL, from Secure, to Secure, cause)
#define KEYS (4 * 4 * 2 * 2 * TRACE_CAUSE_COUNT)

struct row {
	uint64_t count;
	uint64_t total;
	uint64_t max;
	uint64_t bucket[BUCKETS];
};

struct stats_sink {
	struct trace_sink sink;
	FILE *file;
	struct row *rows[KEYS]; // NULL: never seen
};

static unsigned bucket_of(uint64_t value)
{
	unsigned octave;

	if (value < 2 * SUB_COUNT) {
		return (unsigned)value;
	}
	octave = 63 - clz64(value) - SUB_BITS; // >= 1
	return octave * SUB_COUNT + (unsigned)(value >> octave);
}

// The smallest value of a bucket.
static uint64_t bucket_value(unsigned bucket)
{
	unsigned octave;

	if (bucket < 2 * SUB_COUNT) {
		return bucket;
	}
	octave = bucket / SUB_COUNT - 1;
	return (uint64_t)(bucket - octave * SUB_COUNT) << octave;
}

static unsigned key_of(const struct trace_event *event)
{
	unsigned levels = (unsigned)event->from_el << 4 | (unsigned)event->to_el << 2 |
			  (unsigned)event->from_secure << 1 | event->to_secure;

	return levels * TRACE_CAUSE_COUNT + event->cause;
}

static void stats_event(struct trace_sink *sink, const struct trace_event *event)
{
	struct stats_sink *s = (struct stats_sink *)sink;
	struct row **slot = &s->rows[key_of(event)];
	struct row *row = *slot;

	if (row == NULL) {
		row = *slot = calloc(1, sizeof(*row));
		CHECK(row != NULL);
	}
	row->count++;
	row->total += event->level_cycles;
	row->max = event->level_cycles > row->max ? event->level_cycles : row->max;
	row->bucket[bucket_of(event->level_cycles)]++;
}

static uint64_t median(const struct row *row)
{
	uint64_t middle = (row->count - 1) / 2; // the lower one of an even count
	uint64_t seen = 0;

	for (unsigned i = 0; i < BUCKETS; i++) {
		seen += row->bucket[i];
		if (seen > middle) {
			return bucket_value(i);
		}
	}
	return row->max;
}

static void print_row(FILE *file, unsigned key, const struct row *row)
{
	unsigned levels = key / TRACE_CAUSE_COUNT;
	unsigned from = levels >> 4 & 3;
	unsigned to = levels >> 2 & 3;
	bool from_secure = levels >> 1 & 1;
	bool to_secure = levels & 1;
	char from_name[8], to_name[8];
	struct text text;

	text_init(&text, from_name, sizeof(from_name));
	describe_level(from, from_secure, &text);
	text_init(&text, to_name, sizeof(to_name));
	describe_level(to, to_secure, &text);
	fprintf(file, "%-5s %-5s %-13s %10llu", from_name, to_name,
		trace_cause_name(key % TRACE_CAUSE_COUNT), (unsigned long long)row->count);
	if (from != to || from_secure != to_secure) {
		fprintf(file, " %16llu %12llu %12llu\n", (unsigned long long)row->total,
			(unsigned long long)median(row), (unsigned long long)row->max);
	} else {
		// Within a level no level is left: there is no time to tell.
		fprintf(file, " %16s %12s %12s\n", "-", "-", "-");
	}
}

static void stats_finish(struct trace_sink *sink)
{
	struct stats_sink *s = (struct stats_sink *)sink;

	fprintf(s->file, "%-5s %-5s %-13s %10s %16s %12s %12s\n", "from", "to", "cause", "count",
		"cycles in from", "median", "max");
	for (unsigned key = 0; key < KEYS; key++) {
		if (s->rows[key] != NULL) {
			print_row(s->file, key, s->rows[key]);
		}
	}
	fflush(s->file);
}

static void stats_destroy(struct trace_sink *sink)
{
	struct stats_sink *s = (struct stats_sink *)sink;

	for (unsigned key = 0; key < KEYS; key++) {
		free(s->rows[key]);
	}
	free(s);
}

static const struct trace_sink_type stats_type = {
	.name = "stats",
	.event = stats_event,
	.finish = stats_finish,
	.destroy = stats_destroy,
};

struct trace_sink *trace_sink_stats_create(FILE *file)
{
	struct stats_sink *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		return NULL;
	}
	s->sink.type = &stats_type;
	s->file = file;
	return &s->sink;
}
