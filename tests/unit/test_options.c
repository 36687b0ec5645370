// SPDX-License-Identifier: Apache-2.0
// The command line of `strata run`: what each option sets, and one line for each mistake.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options.h"

static struct run_options options;
static char error[256];

// In place of the library's: no model is needed to read a command line.
void strata_list_cpus(void (*fn)(void *opaque, const char *name, const char *description),
		      void *opaque)
{
	fn(opaque, "max", "everything");
}

// Words separated by single spaces.
static int parse(const char *line)
{
	static char copy[1024];
	static char *argv[128];
	int argc = 1;
	char *rest = copy;

	snprintf(copy, sizeof(copy), "%s", line);
	argv[0] = (char *)(uintptr_t) "run";
	while (rest != NULL && *rest != '\0' && argc < 127) {
		argv[argc++] = strsep(&rest, " ");
	}
	argv[argc] = NULL;
	error[0] = '\0';
	return run_options_parse(&options, argc, argv, error, sizeof(error));
}

static void accepts(const char *line)
{
	ck_assert_msg(parse(line) == 0, "%s: %s", line, error);
}

static void teardown(void)
{
	run_options_done(&options);
}

START_TEST(defaults)
{
	accepts("kernel");
	ck_assert_str_eq(options.machine.image, "kernel");
	ck_assert(!options.machine.image_is_flat);
	ck_assert_str_eq(options.machine.cpu, "max");
	ck_assert_uint_eq(options.machine.memory, UINT64_C(1) << 30);
	ck_assert_uint_eq(options.machine.ram_base, 0x40000000);
	ck_assert_uint_eq(options.machine.smp, 1);
	ck_assert_uint_eq(options.machine.boot_el, 2);
	ck_assert(!options.machine.secure);
	ck_assert_int_eq(options.machine.trace, STRATA_TRACE_OFF);
	ck_assert_int_eq(options.machine.tlb, STRATA_TLB_SIZED);
}
END_TEST

START_TEST(every_option_sets_its_field)
{
	accepts("--cpu cortex-a72 --memory=512M --smp 4 --boot-el 3 --secure --ram-base "
		"0x100000000 --initrd i --append a "
		"--dtb d --dump-dtb o --load x@0x1000 --load y@4096 --entry 0x2000 --symbols s "
		"--symbols t "
		"--semihosting-dir h --max-insns 5M --max-time 10ms --tlb keep --trace exc "
		"--trace-out f "
		"--trace-format jsonl --trace-filter pe=0 --stats --seed 7 --rtc 12345 --no-reboot "
		"kernel");
	ck_assert_str_eq(options.machine.cpu, "cortex-a72");
	ck_assert_uint_eq(options.machine.memory, UINT64_C(512) << 20);
	ck_assert_uint_eq(options.machine.smp, 4);
	ck_assert_uint_eq(options.machine.boot_el, 3);
	ck_assert(options.machine.secure);
	ck_assert_uint_eq(options.machine.ram_base, UINT64_C(0x100000000));
	ck_assert_str_eq(options.machine.initrd, "i");
	ck_assert_str_eq(options.machine.append, "a");
	ck_assert_str_eq(options.machine.dtb, "d");
	ck_assert_str_eq(options.machine.dump_dtb, "o");
	ck_assert_uint_eq(options.machine.load_count, 2);
	ck_assert_str_eq(options.machine.loads[0].path, "x");
	ck_assert_uint_eq(options.machine.loads[0].address, 0x1000);
	ck_assert_str_eq(options.machine.loads[1].path, "y");
	ck_assert_uint_eq(options.machine.loads[1].address, 0x1000);
	ck_assert(options.machine.has_entry);
	ck_assert_uint_eq(options.machine.entry, 0x2000);
	ck_assert_uint_eq(options.machine.symbol_count, 2);
	ck_assert_str_eq(options.machine.symbols[1], "t");
	ck_assert(options.machine.semihosting);
	ck_assert_str_eq(options.machine.semihosting_dir, "h");
	ck_assert_uint_eq(options.machine.max_insns, 5000000);
	ck_assert_uint_eq(options.machine.max_time, 10000000);
	ck_assert_int_eq(options.machine.tlb, STRATA_TLB_KEEP);
	ck_assert_int_eq(options.machine.trace, STRATA_TRACE_EXC);
	ck_assert_int_eq(options.machine.trace_format, STRATA_TRACE_JSONL);
	ck_assert_str_eq(options.machine.trace_out, "f");
	ck_assert_str_eq(options.machine.trace_filters[0], "pe=0");
	ck_assert(options.machine.stats);
	ck_assert(options.machine.has_seed);
	ck_assert_uint_eq(options.machine.seed, 7);
	ck_assert_uint_eq(options.machine.rtc, 12345);
	ck_assert(options.machine.no_reboot);
}
END_TEST

START_TEST(sizes_and_times)
{
	accepts("k --memory 2G");
	ck_assert_uint_eq(options.machine.memory, UINT64_C(2) << 30);
	accepts("k --memory 0x40000000");
	ck_assert_uint_eq(options.machine.memory, UINT64_C(1) << 30);
	accepts("k --memory 131072K");
	ck_assert_uint_eq(options.machine.memory, UINT64_C(128) << 20);
	accepts("k --max-time 2");
	ck_assert_uint_eq(options.machine.max_time, UINT64_C(2000000000));
	accepts("k --max-time 3us");
	ck_assert_uint_eq(options.machine.max_time, 3000);
	accepts("k --ram-base 4G");
	ck_assert_uint_eq(options.machine.ram_base, UINT64_C(4) << 30);
}
END_TEST

START_TEST(an_address_makes_an_image_flat)
{
	accepts("some/blob@0x40080000");
	ck_assert(options.machine.image_is_flat);
	ck_assert_str_eq(options.machine.image, "some/blob");
	ck_assert_uint_eq(options.machine.image_address, 0x40080000);
	run_options_done(&options);
	accepts("name@home"); // no number: a name
	ck_assert_str_eq(options.machine.image, "name@home");
	ck_assert(!options.machine.image_is_flat);
}
END_TEST

START_TEST(help_needs_nothing_else)
{
	accepts("--help");
	ck_assert(options.help);
	accepts("-h");
	ck_assert(options.help);
}
END_TEST

START_TEST(mistakes_are_named)
{
	static const char *const cases[][2] = {
		{"", "no image"},
		{"k l", "one image at a time: 'l'"},
		{"k --frobnicate", "unknown option '--frobnicate'"},
		{"--frobnicate=1 k", "unknown option '--frobnicate=1'"},
		{"k -z", "unknown option '-z'"},
		{"k --cpu", "missing after '--cpu'"},
		{"k --secure=yes", "no argument is allowed in '--secure=yes'"},
		{"k --memory 0", "--memory: '0'"},
		{"k --memory 1X", "--memory: '1X'"},
		{"k --memory -1", "--memory: '-1'"},
		{"k --memory 99999999999T", "--memory:"},
		{"k --memory 18446744073709551616", "--memory:"},
		{"k --smp 0", "--smp: '0'"},
		{"k --smp 65", "--smp: '65'"},
		{"k --smp 4294967297", "--smp:"},
		{"k --boot-el 0", "--boot-el: '0'"},
		{"k --boot-el 4", "--boot-el: '4'"},
		{"k --ram-base here", "--ram-base: 'here'"},
		{"k --entry 12z", "--entry: '12z'"},
		{"k --entry 0x", "--entry: '0x'"},
		{"k --load file", "--load: 'file'"},
		{"k --load @0x1000", "--load: '@0x1000'"},
		{"k --load file@", "--load: 'file@'"},
		{"k --max-insns 0", "--max-insns: '0'"},
		{"k --max-time 5h", "--max-time: '5h'"},
		{"k --tlb big", "--tlb: 'big'"},
		{"k --trace all", "--trace: 'all'"},
		{"k --trace-format xml", "--trace-format: 'xml'"},
		{"k --rtc tomorrow", "--rtc: 'tomorrow'"},
		{"k --rtc 4294967296", "--rtc: '4294967296'"},
		{"k --trace-out f", "--trace-out needs"},
		{"k --trace-filter pe=0", "--trace-filter needs"},
	};

	ck_assert_int_eq(parse(cases[_i][0]), -1);
	ck_assert_msg(strstr(error, cases[_i][1]) != NULL, "'%s' says: %s", cases[_i][0], error);
	ck_assert_ptr_null(strchr(error, '\n'));
}
END_TEST

START_TEST(too_many_of_a_kind_are_refused)
{
	char line[1024] = "k";

	for (unsigned i = 0; i < RUN_LIST_MAX / 2 + 1; i++) {
		strcat(line, " --load=a@1 --load=a@1");
	}
	ck_assert_int_eq(parse(line), -1);
	ck_assert_ptr_nonnull(strstr(error, "--load"));
}
END_TEST

START_TEST(messages_stay_one_line)
{
	ck_assert_int_eq(parse("k --tlb a\nb"), -1);
	ck_assert_ptr_null(strchr(error, '\n'));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("options");
	TCase *tcase = tcase_create("options");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_add_test(tcase, defaults);
	tcase_add_test(tcase, every_option_sets_its_field);
	tcase_add_test(tcase, sizes_and_times);
	tcase_add_test(tcase, an_address_makes_an_image_flat);
	tcase_add_test(tcase, help_needs_nothing_else);
	tcase_add_loop_test(tcase, mistakes_are_named, 0, 32);
	tcase_add_test(tcase, too_many_of_a_kind_are_refused);
	tcase_add_test(tcase, messages_stay_one_line);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
