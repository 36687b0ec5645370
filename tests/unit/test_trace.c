// SPDX-License-Identifier: Apache-2.0
// The event stream and its sinks: times per level, filters, the text and JSON lines, the table, ESR
// in words.
#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/describe.h"
#include "trace/sinks.h"
#include "trace/trace.h"

static struct trace *trace;
static FILE *file;
static char *output;
static size_t output_size;
static struct trace_event last;
static unsigned count;

// Two symbols: "vector" at 0x1000, 0x100 bytes at any level; "hyp" at 0x2000 at EL2 only.
static const char *find_symbol(void *opaque, unsigned el, uint64_t addr, uint64_t *offset)
{
	(void)opaque;
	if (addr >= 0x1000 && addr < 0x1100) {
		*offset = addr - 0x1000;
		return "vector";
	}
	if (el == 2 && addr >= 0x2000 && addr < 0x2100) {
		*offset = addr - 0x2000;
		return "hyp\"x";
	}
	return NULL;
}

static bool find_range(void *opaque, const char *name, uint64_t *start, uint64_t *end)
{
	(void)opaque;
	*start = 0x1000;
	*end = 0x1100;
	return strcmp(name, "vector") == 0;
}

static const struct trace_names names = {.symbol = find_symbol, .symbol_range = find_range};

static void keep(void *opaque, const struct trace_event *event)
{
	(void)opaque;
	last = *event;
	count++;
}

static void setup(void)
{
	trace = trace_create(&names);
	ck_assert_ptr_nonnull(trace);
	file = open_memstream(&output, &output_size);
	ck_assert_ptr_nonnull(file);
	count = 0;
}

static void teardown(void)
{
	trace_destroy(trace);
	fclose(file);
	free(output);
}

static struct trace_event hvc(unsigned from, unsigned to, uint64_t time)
{
	return (struct trace_event){
		.type = TRACE_EXCEPTION,
		.cause = TRACE_CAUSE_HVC,
		.time = time,
		.cycles = time,
		.insns = time,
		.from_el = (uint8_t)from,
		.to_el = (uint8_t)to,
		.has_esr = true,
		.esr = 0x5a000012,
		.pc = 0x1010,
		.elr = 0x1014,
		.has_insn = true,
		.insn = 0xd4000242, // hvc #0x12
		.fault_level = -2,
		.vector = 0x3400,
	};
}

static struct trace_event eret(unsigned from, unsigned to, uint64_t time)
{
	return (struct trace_event){
		.type = TRACE_RETURN,
		.cause = TRACE_CAUSE_ERET,
		.time = time,
		.cycles = time,
		.insns = time,
		.from_el = (uint8_t)from,
		.to_el = (uint8_t)to,
		.pc = 0x2004,
		.elr = 0x1014,
		.fault_level = -2,
		.vector = 0x1014,
	};
}

static const char *finished(void)
{
	trace_finish(trace);
	fflush(file);
	return output;
}

static void contains(const char *text, const char *words)
{
	ck_assert_msg(strstr(text, words) != NULL, "'%s' is not in: %s", words, text);
}

START_TEST(nothing_attached_is_not_enabled)
{
	ck_assert(!trace_enabled(NULL));
	ck_assert(!trace_enabled(trace));
	trace_attach(trace, trace_sink_callback_create(keep, NULL));
	ck_assert(trace_enabled(trace));
}
END_TEST

START_TEST(time_in_a_level_runs_from_its_entry)
{
	struct trace_event event;

	trace_attach(trace, trace_sink_callback_create(keep, NULL));
	trace_emit(trace, hvc(1, 2, 100));
	ck_assert_uint_eq(last.level_time, 100);
	// Within EL2 nothing is left: the clock of the level goes on.
	event = hvc(2, 2, 130);
	trace_emit(trace, event);
	trace_emit(trace, eret(2, 2, 140));
	trace_emit(trace, eret(2, 1, 150));
	ck_assert_uint_eq(last.level_time, 50);
	ck_assert_uint_eq(last.level_cycles, 50);
	// Other PEs have their own clock.
	event = hvc(1, 2, 170);
	event.pe = 5;
	trace_emit(trace, event);
	ck_assert_uint_eq(last.level_time, 170);
	trace_emit(trace, hvc(1, 2, 175));
	ck_assert_uint_eq(last.level_time, 25);
}
END_TEST

START_TEST(secure_and_nonsecure_are_different_levels)
{
	struct trace_event event = eret(3, 1, 10);

	trace_attach(trace, trace_sink_filter_create(NULL, TRACE_DETAIL_LEVELS,
						     trace_sink_callback_create(keep, NULL)));
	event.from_el = 1;
	event.from_secure = true;
	trace_emit(trace, event);
	ck_assert_uint_eq(count, 1);
	event.from_secure = false;
	trace_emit(trace, event);
	ck_assert_uint_eq(count, 1);
}
END_TEST

// How many of a fixed set of events pass a filter.
static unsigned passing(const char *const *texts)
{
	struct trace_filter *filter = trace_filter_create();
	char error[128];
	unsigned passed = 0;
	struct trace_event events[4] = {hvc(1, 2, 1), eret(2, 1, 2), hvc(0, 1, 3), hvc(1, 3, 4)};

	events[2].cause = TRACE_CAUSE_SVC;
	events[2].pe = 1;
	events[3].cause = TRACE_CAUSE_SMC;
	events[3].pc = 0x9000;
	events[3].elr = 0x9004;
	for (; *texts != NULL; texts++) {
		ck_assert_msg(trace_filter_parse(filter, *texts, &names, error, sizeof(error)),
			      "%s", error);
	}
	for (unsigned i = 0; i < 4; i++) {
		passed += trace_filter_passes(filter, &events[i]) ? 1u << i : 0;
	}
	trace_filter_destroy(filter);
	return passed;
}

START_TEST(filters_choose)
{
	static const struct {
		const char *texts[3];
		unsigned passed;
	} cases[] = {
		{{NULL}, 0xf},
		{{"pe=0", NULL}, 0xb},
		{{"pe=1", NULL}, 0x4},
		{{"from=1", NULL}, 0x9},
		{{"to=EL1", NULL}, 0x6},
		{{"cause=hvc", NULL}, 0x1},
		{{"cause=HVC,cause=SMC", NULL}, 0x9},
		{{"cause=HVC", "cause=ERET", NULL}, 0x3}, // values of one key add up
		{{"from=1,cause=SMC", NULL}, 0x8}, // keys restrict one another
		{{"from=1", "cause=ERET", NULL}, 0x0},
		{{"symbol=vector", NULL}, 0x7},
	};

	ck_assert_uint_eq(passing(cases[_i].texts), cases[_i].passed);
}
END_TEST

START_TEST(wrong_filters_are_refused)
{
	static const char *const texts[] = {"pe",        "pe=",         "pe=x",
					    "pe=-1",     "from=4",      "to=EL",
					    "cause=FOO", "symbol=nope", "colour=red",
					    "",          "pe=0,",       "pe=99999999999999999999"};
	struct trace_filter *filter = trace_filter_create();

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char error[128] = "";

		ck_assert_msg(!trace_filter_parse(filter, texts[i], &names, error, sizeof(error)),
			      "%s", texts[i]);
		ck_assert_str_ne(error, "");
	}
	trace_filter_destroy(filter);
}
END_TEST

START_TEST(text_tells_what_happened)
{
	struct trace_event event = hvc(1, 2, UINT64_C(1234567891));
	const char *text;

	trace_attach(trace, trace_sink_text_create(file, &names));
	event.control = "HCR_EL2.TSC";
	trace_emit(trace, event);
	trace_emit(trace, eret(2, 1, UINT64_C(1234567900)));
	text = finished();
	contains(text, "# strata trace 1\n");
	contains(text, "1.234567891");
	contains(text, "EL1 -> EL2");
	contains(text, "HVC");
	contains(text, "#0x12");
	contains(text, "by HCR_EL2.TSC");
	contains(text, "at vector+0x10 (0x1010): hvc #0x12");
	contains(text, "ESR 0x5a000012 HVC64: imm=0x12");
	contains(text, "EL2 -> EL1");
	contains(text, "to vector+0x14 (0x1014)");
	contains(text, "from hyp\"x+0x4 (0x2004)");
	contains(text, "[9 cycles in EL2]");
}
END_TEST

START_TEST(json_is_json)
{
	struct trace_event event = hvc(0, 2, 77);
	const char *line;
	json_t *record;

	event.cause = TRACE_CAUSE_DATA_ABORT;
	event.esr = 0x93810046; // from a lower level, ISV, W1... , write, translation fault level 2
	event.control = NULL;
	event.has_far = event.has_ipa = true;
	event.far = UINT64_C(0xffff000012345678);
	event.ipa = 0x9000000;
	event.fault_stage = 2;
	event.fault_level = 2;
	event.fault_write = true;
	event.from_secure = true;
	trace_attach(trace, trace_sink_jsonl_create(file, &names));
	trace_emit(trace, event);
	trace_emit(trace, eret(2, 0, 80));
	line = finished();
	record = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);
	ck_assert_str_eq(json_string_value(json_object_get(record, "type")), "header");
	ck_assert_int_eq(json_integer_value(json_object_get(record, "version")), 1);
	json_decref(record);
	line = strchr(line, '\n') + 1;
	record = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);
	ck_assert_ptr_nonnull(record);
	ck_assert_str_eq(json_string_value(json_object_get(record, "type")), "exception");
	ck_assert_str_eq(json_string_value(json_object_get(record, "cause")), "DATA-ABORT");
	ck_assert_int_eq(json_integer_value(json_object_get(record, "time")), 77);
	ck_assert_int_eq(json_integer_value(json_object_get(record, "from_el")), 0);
	ck_assert(json_is_true(json_object_get(record, "from_secure")));
	ck_assert_str_eq(json_string_value(json_object_get(record, "far")), "0xffff000012345678");
	ck_assert_str_eq(json_string_value(json_object_get(record, "ipa")), "0x9000000");
	ck_assert_int_eq(json_integer_value(json_object_get(record, "fault_level")), 2);
	ck_assert_str_eq(json_string_value(json_object_get(record, "pc_sym")), "vector+0x10");
	ck_assert_int_eq(json_integer_value(json_object_get(record, "level_cycles")), 77);
	json_decref(record);
	line = strchr(line, '\n') + 1;
	record = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);
	ck_assert_ptr_nonnull(record);
	ck_assert_str_eq(json_string_value(json_object_get(record, "type")), "return");
	ck_assert_str_eq(json_string_value(json_object_get(record, "elr_sym")), "vector+0x14");
	ck_assert_str_eq(json_string_value(json_object_get(record, "pc_sym")), "hyp\"x+0x4");
	ck_assert_ptr_null(json_object_get(record, "esr"));
	json_decref(record);
}
END_TEST

// Leave EL1 after so many cycles, and come back after 10 more.
static uint64_t visit(uint64_t now, uint64_t cycles)
{
	trace_emit(trace, hvc(1, 2, now + cycles));
	trace_emit(trace, eret(2, 1, now + cycles + 10));
	return now + cycles + 10;
}

START_TEST(stats_count_and_measure)
{
	char from[8], to[8], cause[16];
	unsigned long long n, total, median, max;
	uint64_t now = 0;
	const char *row;

	trace_attach(trace, trace_sink_stats_create(file));
	now = visit(now, 5);
	now = visit(now, 200);
	now = visit(now, 7);
	now = visit(now, 1000000);
	now = visit(now, 100);
	(void)now;
	trace_emit(trace, hvc(1, 1, now));
	row = strchr(finished(), '\n') + 1;
	ck_assert_int_eq(sscanf(row, "%7s %7s %15s %llu -", from, to, cause, &n), 4);
	ck_assert_str_eq(to, "EL1");
	ck_assert_uint_eq(n, 1);
	row = strchr(row, '\n') + 1;
	ck_assert_int_eq(sscanf(row, "%7s %7s %15s %llu %llu %llu %llu", from, to, cause, &n,
				&total, &median, &max),
			 7);
	ck_assert_str_eq(from, "EL1");
	ck_assert_str_eq(to, "EL2");
	ck_assert_str_eq(cause, "HVC");
	ck_assert_uint_eq(n, 5);
	ck_assert_uint_eq(total, 1000312);
	ck_assert_uint_eq(median, 100);
	ck_assert_uint_eq(max, 1000000);
	row = strchr(row, '\n') + 1;
	ck_assert_int_eq(sscanf(row, "%7s %7s %15s %llu %llu %llu %llu", from, to, cause, &n,
				&total, &median, &max),
			 7);
	ck_assert_str_eq(cause, "ERET");
	ck_assert_uint_eq(total, 50);
	ck_assert_uint_eq(median, 10);
}
END_TEST

START_TEST(stats_median_of_large_values_is_close)
{
	char from[8], to[8], cause[16];
	unsigned long long n, total, median, max;
	uint64_t now = 0;
	const uint64_t value = UINT64_C(1) << (8 + 5 * _i);

	trace_attach(trace, trace_sink_stats_create(file));
	now = visit(now, value + value / 3);
	now = visit(now, value * 2);
	(void)visit(now, 1);
	ck_assert_int_eq(sscanf(strchr(finished(), '\n') + 1, "%7s %7s %15s %llu %llu %llu %llu",
				from, to, cause, &n, &total, &median, &max),
			 7);
	ck_assert_uint_le(median, value + value / 3);
	ck_assert_uint_ge(median, value + value / 3 - (value + value / 3) / 128 - 1);
}
END_TEST

START_TEST(esr_in_words)
{
	static const struct {
		uint64_t esr;
		const char *name, *words;
	} cases[] = {
		{0x02000000, "Unknown", ""},
		{0x07e00001, "WFx", "TI=WFE"},
		{0x56000007, "SVC64", "imm=0x7"},
		{0x62320421, "SysReg", "read S3_0_C1_C0_1 Rt=x1"},
		{0x92000045, "DataAbort-lower", "translation fault, level 1 WnR=1"},
		{0x93c08007, "DataAbort-lower", "ISV SAS=3 SSE=0 SRT=x0 SF=1 AR=0"},
		{0x8200000f, "InsnAbort-lower", "permission fault, level 3"},
		{0x92000087, "DataAbort-lower", "S1PTW"},
		{0x9600002b, "DataAbort-same", "translation fault, level -1"},
		{0x96000021, "DataAbort-same", "alignment fault"},
		{0xf2000123, "BRK64", "comment=0x123"},
		{0x1fe00000, "FP/SIMD", "ISS=0x1e00000"},
		{0xbe000011, "SError", "AET=0 DFSC=0x11"},
		{UINT64_C(0x409200000f), "DataAbort-lower",
		 "permission fault, level 3 WnR=0 Overlay"},
		{UINT64_C(0x209600004f), "DataAbort-same", "WnR=1 DirtyBit"},
		{0x9e020443, "MOPS", "CPY options=0 main wrong-option Rd=x1 Rs=x2 Rn=x3"},
		{0x9f8e0443, "MOPS", "SETG options=1 epilogue wrong-option Rd=x1 Rs=x2 Rn=x3"},
	};
	char buffer[256];
	struct text text;

	text_init(&text, buffer, sizeof(buffer));
	esr_decode(cases[_i].esr, &text);
	ck_assert_str_eq(esr_class_name(cases[_i].esr), cases[_i].name);
	contains(buffer, cases[_i].words);
}
END_TEST

START_TEST(every_cause_has_a_name_of_its_own)
{
	for (unsigned i = 0; i < TRACE_CAUSE_COUNT; i++) {
		ck_assert_ptr_nonnull(trace_cause_name(i));
		for (unsigned k = 0; k < i; k++) {
			ck_assert_str_ne(trace_cause_name(i), trace_cause_name(k));
		}
	}
}
END_TEST

START_TEST(every_esr_is_decoded_within_bounds)
{
	uint64_t esr = 1;

	for (unsigned i = 0; i < 200000; i++) {
		char buffer[24];
		struct text text;

		esr = esr * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		text_init(&text, buffer, sizeof(buffer));
		esr_decode(esr >> 20, &text);
		ck_assert_uint_lt(text.used, sizeof(buffer));
		ck_assert_uint_eq(strlen(buffer), text.used);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("trace");
	TCase *tcase = tcase_create("trace");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 30);
	tcase_add_test(tcase, nothing_attached_is_not_enabled);
	tcase_add_test(tcase, time_in_a_level_runs_from_its_entry);
	tcase_add_test(tcase, secure_and_nonsecure_are_different_levels);
	tcase_add_loop_test(tcase, filters_choose, 0, 11);
	tcase_add_test(tcase, wrong_filters_are_refused);
	tcase_add_test(tcase, text_tells_what_happened);
	tcase_add_test(tcase, json_is_json);
	tcase_add_test(tcase, stats_count_and_measure);
	tcase_add_loop_test(tcase, stats_median_of_large_values_is_close, 0, 10);
	tcase_add_loop_test(tcase, esr_in_words, 0, 17);
	tcase_add_test(tcase, every_cause_has_a_name_of_its_own);
	tcase_add_test(tcase, every_esr_is_decoded_within_bounds);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
