// SPDX-License-Identifier: Apache-2.0
// strata_explain from a program: what is in the result, and the explanation of a running machine.
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "strata/strata.h"
#include "strata/strata_explain.h"

static char error[256];

static struct strata_explanation *explain(const char *insn, unsigned el,
					  const char *const *settings, size_t count)
{
	const struct strata_explain_options options = {.el = el,
						       .settings = settings,
						       .setting_count = count};
	struct strata_explanation *e = NULL;

	ck_assert_msg(strata_explain(&e, &options, insn, error, sizeof(error)) == 0, "%s", error);
	return e;
}

START_TEST(trap_with_reasons)
{
	const char *const settings[] = {"HCR_EL2.TVM=1", "HFGWTR_EL2.TTBR0_EL1=1"};
	struct strata_explanation *e = explain("MSR TTBR0_EL1, X3", 1, settings, 2);
	unsigned deciding = 0;

	ck_assert_uint_eq(e->word, 0xd5182003);
	ck_assert_str_eq(e->reg, "TTBR0_EL1");
	ck_assert_int_eq(e->end.outcome, STRATA_EXPLAIN_EXCEPTION);
	ck_assert_uint_eq(e->end.el, 2);
	ck_assert_uint_eq(e->end.ec, 0x18);
	ck_assert_uint_eq(e->end.iss, 0x300860);
	ck_assert_str_eq(e->end.control, "HFGWTR_EL2.TTBR0_EL1");
	ck_assert(e->is_access && e->chain_agrees);
	for (size_t i = 0; i < e->control_count; i++) {
		deciding += e->controls[i].decides;
		if (strcmp(e->controls[i].name, "HCR_EL2.TVM") == 0) {
			ck_assert(e->controls[i].involved && e->controls[i].holds);
			ck_assert(!e->controls[i].decides);
			ck_assert_uint_eq(e->controls[i].value, 1);
		}
	}
	ck_assert_uint_eq(deciding, 1);
	ck_assert_uint_eq(e->without_count, 2);
	ck_assert_str_eq(e->without[0].end.control, "HCR_EL2.TVM");
	ck_assert_int_eq(e->without[1].end.outcome, STRATA_EXPLAIN_COMPLETES);
	strata_explain_free(e);
}
END_TEST

START_TEST(no_access)
{
	struct strata_explanation *e = explain("HVC #5", 1, NULL, 0);
	bool found = false;

	ck_assert(!e->is_access);
	ck_assert_uint_eq(e->control_count, 0);
	ck_assert_uint_eq(e->end.ec, 0x16);
	ck_assert_uint_eq(e->end.iss, 5);
	for (size_t i = 0; i < e->change_count; i++) {
		found |= strcmp(e->changes[i].controls, "SCR_EL3.HCE=0") == 0 &&
			 e->changes[i].end.outcome == STRATA_EXPLAIN_UNDEFINED;
	}
	ck_assert(found);
	strata_explain_free(e);
}
END_TEST

START_TEST(refusals)
{
	const char *const bad[] = {"HCR_EL2.TVN=1"};
	const struct strata_explain_options options = {.el = 1,
						       .settings = bad,
						       .setting_count = 1};
	const struct strata_explain_options vax = {.el = 1, .cpu = "vax"};
	struct strata_explanation *e;

	ck_assert_int_ne(strata_explain(&e, &options, "NOP", error, sizeof(error)), 0);
	ck_assert_ptr_null(e);
	ck_assert_ptr_nonnull(strstr(error, "TVN"));
	ck_assert_int_ne(strata_explain(&e, &vax, "NOP", error, sizeof(error)), 0);
	ck_assert_ptr_nonnull(strstr(error, "vax"));
	ck_assert_int_ne(strata_explain(&e, &(struct strata_explain_options){.el = 1}, "FROB",
					error, sizeof(error)),
			 0);
	strata_explain_free(NULL);
}
END_TEST

// A machine in the middle of its work: the instruction at its PC, in its state, without a change.
START_TEST(of_a_machine)
{
	// mov x0, #1<<19 (HCR_EL2.TSC); msr hcr_el2 ...: set from outside instead
	static const uint32_t code[] = {0xd4000043}; // smc #2
	const struct strata_explain_options cpu = {.cpu = "max"};
	char path[] = "/tmp/strata_explainXXXXXX";
	int fd = mkstemp(path);
	struct strata_options o;
	struct strata *s;
	struct strata_explainer *x;
	struct strata_explanation *e;
	uint64_t before, after;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, code, sizeof(code)), sizeof(code));
	close(fd);
	strata_options_init(&o);
	o.image = path;
	o.image_is_flat = true;
	o.image_address = 0x40200000;
	o.boot_el = 3;
	o.secure = true;
	o.memory = 4 << 20;
	ck_assert_msg(strata_create(&s, &o, error, sizeof(error)) == 0, "%s", error);
	ck_assert_int_eq(strata_explainer_create(&x, &cpu, error, sizeof(error)), 0);
	ck_assert_msg(strata_explain_machine(x, &e, s, 0, error, sizeof(error)) == 0, "%s", error);
	ck_assert_uint_eq(e->word, code[0]);
	ck_assert_uint_eq(e->el, 3);
	ck_assert_uint_eq(e->end.el, 3);
	ck_assert_uint_eq(e->end.ec, 0x17);
	strata_explain_free(e);
	// The answer follows the machine's registers, and the machine stays as it was.
	ck_assert_int_eq(strata_get_register(s, 0, "SCR_EL3", &before), 0);
	ck_assert_int_eq(strata_set_register(s, 0, "SCR_EL3", before | 0x80), 0); // SMD
	ck_assert_int_eq(strata_explain_machine(x, &e, s, 0, error, sizeof(error)), 0);
	ck_assert_int_eq(e->end.outcome, STRATA_EXPLAIN_UNDEFINED);
	strata_explain_free(e);
	ck_assert_int_eq(strata_get_register(s, 0, "SCR_EL3", &after), 0);
	ck_assert_uint_eq(after, before | 0x80);
	ck_assert_uint_eq(strata_pc(s, 0), 0x40200000);
	strata_explainer_destroy(x);
	strata_destroy(s);
	remove(path);
}
END_TEST

START_TEST(printers)
{
	struct strata_explain_options options = {.el = 1};
	struct strata_explanation *e = explain("SVC 1", 0, NULL, 0);
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(file);
	strata_explain_print(e, file, false, false);
	strata_explain_print(e, file, true, false);
	strata_explain_free(e);
	ck_assert_int_eq(strata_explain_matrix(&options, "VBAR_EL1", file, false, error,
					       sizeof(error)),
			 0);
	ck_assert_int_eq(strata_explain_matrix(&options, "VBAR_EL9", file, false, error,
					       sizeof(error)),
			 -EINVAL);
	ck_assert_int_eq(strata_list_sysregs(&options, file, true, false, error, sizeof(error)), 0);
	fclose(file);
	ck_assert_ptr_nonnull(strstr(text, "SVC 1 at NS EL0 -> EL1, EC 0x15 (SVC), ISS 0x1"));
	ck_assert_ptr_nonnull(strstr(text, "\"outcome\":\"exception\""));
	ck_assert_ptr_nonnull(strstr(text, "NS EL2, E2H=1, read: permitted, reads VBAR_EL2"));
	free(text);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("explain");
	TCase *tc = tcase_create("explain");
	SRunner *runner = srunner_create(s);
	int failed;

	tcase_add_test(tc, trap_with_reasons);
	tcase_add_test(tc, no_access);
	tcase_add_test(tc, refusals);
	tcase_add_test(tc, of_a_machine);
	tcase_add_test(tc, printers);
	suite_add_tcase(s, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
