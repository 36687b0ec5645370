// SPDX-License-Identifier: Apache-2.0
// The device tree: what it must hold in each configuration, that dtc has nothing to say about it,
// and --dtb's fix-ups.
#include <check.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "board/dtb.h"

static struct dtb_config config;
static void *dtb;
static size_t size;
static char error[256];

static void setup(void)
{
	config = (struct dtb_config){
		.ram_base = 0x40000000,
		.ram_size = 0x40000000,
		.pe_count = 1,
		.cpu_compatible = "arm,cortex-a72",
		.psci = DTB_PSCI_SMC,
		.el2 = true,
		.pmu = true,
	};
	dtb = NULL;
}

static void teardown(void)
{
	free(dtb);
}

static void build(void)
{
	ck_assert_int_eq(dtb_build(&config, &dtb, &size), 0);
	ck_assert_int_eq(fdt_check_full(dtb, size), 0);
}

static const void *property(const char *path, const char *name, int *length)
{
	int node = fdt_path_offset(dtb, path);

	ck_assert_msg(node >= 0, "no node %s", path);
	return fdt_getprop(dtb, node, name, length);
}

static bool has_node(const char *path)
{
	return fdt_path_offset(dtb, path) >= 0;
}

static uint32_t cell(const char *path, const char *name, int index)
{
	int length;
	const fdt32_t *cells = property(path, name, &length);

	ck_assert_msg(cells != NULL && length > 4 * index, "no %s in %s", name, path);
	return fdt32_to_cpu(cells[index]);
}

static const char *text(const char *path, const char *name)
{
	return property(path, name, NULL);
}

// dtc's verdict: no output at all. Returns false where dtc is not installed.
static bool dtc_is_content(void)
{
	char name[] = "/tmp/strata-test-XXXXXX";
	char command[128], line[256];
	int fd = mkstemp(name);
	FILE *output;
	int status;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, dtb, size), (ssize_t)size);
	close(fd);
	snprintf(command, sizeof(command), "dtc -I dtb -O dts -o /dev/null %s 2>&1", name);
	output = popen(command, "r");
	ck_assert_ptr_nonnull(output);
	line[0] = '\0';
	(void)!fgets(line, sizeof(line), output);
	status = pclose(output);
	unlink(name);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
		return false;
	}
	ck_assert_msg(status == 0 && line[0] == '\0', "dtc says: %s", line);
	return true;
}

START_TEST(dtc_has_no_warnings)
{
	config.pe_count = _i & 1 ? 18 : 1;
	config.secure = _i & 2;
	config.el2 = _i & 4;
	config.vhe = config.el2;
	config.psci = _i & 4 ? DTB_PSCI_SMC : _i & 2 ? DTB_PSCI_NONE : DTB_PSCI_HVC;
	config.ram_base = _i & 1 ? UINT64_C(0x100000000) : 0x40000000;
	config.append = "console=ttyAMA0";
	config.initrd_start = 0x48000000;
	config.initrd_end = 0x48001000;
	config.has_kaslr_seed = true;
	build();
	(void)dtc_is_content();
}
END_TEST

START_TEST(memory_and_cpus)
{
	config.pe_count = 17;
	config.ram_base = UINT64_C(0x8080000000);
	config.ram_size = UINT64_C(0x123456000);
	build();
	ck_assert_uint_eq(cell("/memory@8080000000", "reg", 0), 0x80);
	ck_assert_uint_eq(cell("/memory@8080000000", "reg", 1), 0x80000000);
	ck_assert_uint_eq(cell("/memory@8080000000", "reg", 2), 1);
	ck_assert_uint_eq(cell("/memory@8080000000", "reg", 3), 0x23456000);
	ck_assert_uint_eq(cell("/cpus/cpu@f", "reg", 0), 15);
	ck_assert_uint_eq(cell("/cpus/cpu@100", "reg", 0), 0x100);
	ck_assert(!has_node("/cpus/cpu@10"));
	ck_assert_str_eq(text("/cpus/cpu@0", "compatible"), "arm,cortex-a72");
	ck_assert_str_eq(text("/cpus/cpu@0", "enable-method"), "psci");
}
END_TEST

START_TEST(psci_conduit)
{
	static const char *const methods[] = {NULL, "hvc", "smc"};

	config.psci = (enum dtb_psci)_i;
	build();
	if (methods[_i] == NULL) {
		ck_assert(!has_node("/psci"));
		ck_assert_ptr_null(property("/cpus/cpu@0", "enable-method", NULL));
	} else {
		ck_assert_str_eq(text("/psci", "method"), methods[_i]);
		ck_assert_uint_eq(cell("/psci", "cpu_on", 0), 0xc4000003);
	}
}
END_TEST

START_TEST(interrupts_are_the_boards)
{
	config.vhe = true;
	build();
	// Secure physical 13, physical 14, virtual 11, hypervisor 10, hypervisor virtual 12: PPIs,
	// active high.
	ck_assert_uint_eq(cell("/timer", "interrupts", 1), 13);
	ck_assert_uint_eq(cell("/timer", "interrupts", 4), 14);
	ck_assert_uint_eq(cell("/timer", "interrupts", 7), 11);
	ck_assert_uint_eq(cell("/timer", "interrupts", 10), 10);
	ck_assert_uint_eq(cell("/timer", "interrupts", 13), 12);
	ck_assert_uint_eq(cell("/timer", "interrupts", 0), 1);
	ck_assert_uint_eq(cell("/timer", "interrupts", 2), 4);
	ck_assert_uint_eq(cell("/pmu", "interrupts", 1), 7);
	ck_assert_uint_eq(cell("/intc@8000000", "interrupts", 1), 9);
	ck_assert_uint_eq(cell("/pl011@9000000", "interrupts", 0), 0);
	ck_assert_uint_eq(cell("/pl011@9000000", "interrupts", 1), 1);
	ck_assert_uint_eq(cell("/pl031@9010000", "interrupts", 1), 2);
	ck_assert_uint_eq(cell("/pl061@9030000", "interrupts", 1), 7);
	ck_assert_uint_eq(cell("/gpio-keys/poweroff", "gpios", 1), 3);
	ck_assert_uint_eq(cell("/intc@8000000", "reg", 1), 0x08000000);
	ck_assert_uint_eq(cell("/intc@8000000", "reg", 5), 0x080a0000);
}
END_TEST

START_TEST(secure_devices_only_with_secure)
{
	build();
	ck_assert(!has_node("/pl011@9040000"));
	ck_assert(!has_node("/secram@e000000"));
	free(dtb);
	config.secure = true;
	build();
	ck_assert_str_eq(text("/pl011@9040000", "status"), "disabled");
	ck_assert_str_eq(text("/pl011@9040000", "secure-status"), "okay");
	ck_assert_uint_eq(cell("/pl011@9040000", "interrupts", 1), 8);
	ck_assert_uint_eq(cell("/secram@e000000", "reg", 3), 0x01000000);
	ck_assert_str_eq(text("/secram@e000000", "secure-status"), "okay");
	ck_assert_uint_eq(cell("/gpio-poweroff", "gpios", 1), 0);
	ck_assert(has_node("/pl061@90b0000"));
}
END_TEST

START_TEST(chosen_has_what_was_asked_for)
{
	config.append = "a b=c";
	config.initrd_start = UINT64_C(0x148000000);
	config.initrd_end = UINT64_C(0x148000123);
	build();
	ck_assert_str_eq(text("/chosen", "bootargs"), "a b=c");
	ck_assert_str_eq(text("/chosen", "stdout-path"), "/pl011@9000000");
	ck_assert_uint_eq(cell("/chosen", "linux,initrd-start", 0), 1);
	ck_assert_uint_eq(cell("/chosen", "linux,initrd-end", 1), 0x48000123);
	ck_assert_ptr_null(property("/chosen", "kaslr-seed", NULL));
	ck_assert_ptr_nonnull(property("/chosen", "rng-seed", NULL));
}
END_TEST

START_TEST(seeds_are_repeatable)
{
	void *first;
	size_t first_size;
	uint32_t seed;

	config.has_kaslr_seed = true;
	config.seed = 5;
	build();
	first = dtb;
	first_size = size;
	build();
	ck_assert_uint_eq(size, first_size);
	ck_assert_mem_eq(dtb, first, size);
	seed = cell("/chosen", "kaslr-seed", 0);
	free(first);
	free(dtb);
	config.seed = 6;
	build();
	ck_assert_uint_ne(cell("/chosen", "kaslr-seed", 0), seed);
}
END_TEST

START_TEST(long_command_lines_fit)
{
	static char append[200000];

	memset(append, 'x', sizeof(append) - 1);
	config.append = append;
	build();
	ck_assert_uint_eq(strlen(text("/chosen", "bootargs")), sizeof(append) - 1);
}
END_TEST

START_TEST(a_given_tree_is_completed)
{
	void *given;
	size_t given_size;

	build();
	given = dtb;
	given_size = size;
	config.ram_base = UINT64_C(0x200000000);
	config.append = "new";
	config.initrd_start = 0x1000;
	config.initrd_end = 0x2000;
	ck_assert_int_eq(dtb_adopt(&config, given, given_size, &dtb, &size, error, sizeof(error)),
			 0);
	free(given);
	ck_assert(!has_node("/memory@40000000"));
	ck_assert_uint_eq(cell("/memory@200000000", "reg", 0), 2);
	ck_assert_str_eq(text("/chosen", "bootargs"), "new");
	ck_assert_uint_eq(cell("/chosen", "linux,initrd-end", 1), 0x2000);
	(void)dtc_is_content();
}
END_TEST

START_TEST(a_given_tree_keeps_its_command_line)
{
	void *given;
	size_t given_size;

	config.append = "old";
	build();
	given = dtb;
	given_size = size;
	config.append = NULL;
	ck_assert_int_eq(dtb_adopt(&config, given, given_size, &dtb, &size, error, sizeof(error)),
			 0);
	free(given);
	ck_assert_str_eq(text("/chosen", "bootargs"), "old");
}
END_TEST

START_TEST(what_is_no_tree_is_refused)
{
	static const char junk[64] = "not a device tree";
	void *out = NULL;
	size_t out_size;

	ck_assert_int_lt(dtb_adopt(&config, junk, sizeof(junk), &out, &out_size, error,
				   sizeof(error)),
			 0);
	ck_assert_ptr_nonnull(strstr(error, "not a device tree"));
	build();
	// Cut off at every 7th byte.
	for (size_t cut = 0; cut < size; cut += 7) {
		void *copy = malloc(cut + 1);

		memcpy(copy, dtb, cut);
		ck_assert_int_lt(dtb_adopt(&config, copy, cut, &out, &out_size, error,
					   sizeof(error)),
				 0);
		free(copy);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dtb");
	TCase *tcase = tcase_create("dtb");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 30);
	tcase_add_loop_test(tcase, dtc_has_no_warnings, 0, 8);
	tcase_add_test(tcase, memory_and_cpus);
	tcase_add_loop_test(tcase, psci_conduit, 0, 3);
	tcase_add_test(tcase, interrupts_are_the_boards);
	tcase_add_test(tcase, secure_devices_only_with_secure);
	tcase_add_test(tcase, chosen_has_what_was_asked_for);
	tcase_add_test(tcase, seeds_are_repeatable);
	tcase_add_test(tcase, long_command_lines_fit);
	tcase_add_test(tcase, a_given_tree_is_completed);
	tcase_add_test(tcase, a_given_tree_keeps_its_command_line);
	tcase_add_test(tcase, what_is_no_tree_is_refused);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
