// SPDX-License-Identifier: Apache-2.0
// Checkpoints: what runs after a restore is what ran after the checkpoint, and what a fresh machine
// does, to the last byte of its trace. The guests are given on the command line.
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board/state.h"
#include "strata/strata.h"

struct log {
	char *text;
	size_t size, capacity;
};

static void note(struct log *log, const char *text, size_t size)
{
	if (log->size + size > log->capacity) {
		log->capacity = (log->size + size) * 2;
		log->text = realloc(log->text, log->capacity);
		ck_assert_ptr_nonnull(log->text);
	}
	memcpy(log->text + log->size, text, size);
	log->size += size;
}

static void on_event(void *opaque, const struct strata_event *e)
{
	char line[512];
	int n = snprintf(line, sizeof(line),
			 "%llu %llu %u %d%d %d%d %s %s %s esr %llx elr %llx spsr %llx far %llx pc "
			 "%llx %llx %llu\n",
			 (unsigned long long)e->time, (unsigned long long)e->insns, e->pe,
			 e->from_el, e->from_secure, e->to_el, e->to_secure, e->cause,
			 e->control != NULL ? e->control : "-", e->sysreg != NULL ? e->sysreg : "-",
			 (unsigned long long)e->esr, (unsigned long long)e->elr,
			 (unsigned long long)e->spsr, (unsigned long long)e->far,
			 (unsigned long long)e->pc, (unsigned long long)e->vector,
			 (unsigned long long)e->level_time);

	note(opaque, line, (size_t)n);
}

static void on_output(void *opaque, const void *data, size_t size)
{
	note(opaque, data, size);
}

static const char *guest_of_test;
static unsigned boot_el_of_test, smp_of_test;

static struct strata *machine(struct log *log)
{
	struct strata_options o;
	struct strata *s;
	char error[256];

	strata_options_init(&o);
	o.image = guest_of_test;
	o.cpu = "max";
	o.memory = UINT64_C(64) << 20;
	o.boot_el = boot_el_of_test;
	o.smp = smp_of_test;
	o.semihosting = true;
	o.console.write = on_output;
	o.console.opaque = log;
	o.event = on_event;
	o.event_opaque = log;
	ck_assert_msg(strata_create(&s, &o, error, sizeof(error)) == 0, "%s", error);
	return s;
}

static void run(struct strata *s, struct log *log)
{
	struct strata_result r;
	char line[400];

	strata_run(s, &r);
	note(log, line,
	     (size_t)snprintf(line, sizeof(line), "outcome %d %d %s %llu %llu x0 %llx\n", r.outcome,
			      r.status, r.message, (unsigned long long)r.insns,
			      (unsigned long long)r.time, (unsigned long long)strata_x(s, 0, 0)));
}

static void same(const struct log *a, const struct log *b, const char *what)
{
	size_t i = 0;

	while (i < a->size && i < b->size && a->text[i] == b->text[i]) {
		i++;
	}
	ck_assert_msg(a->size == b->size && i == a->size,
		      "%s: byte %zu of %zu and %zu:\n%.*s\n%.*s", what, i, a->size, b->size,
		      (int)(a->size - i < 400 ? a->size - i : 400), a->text + i,
		      (int)(b->size - i < 400 ? b->size - i : 400), b->text + i);
}

#define LIMIT 30000000

// A restored machine against a fresh one.
START_TEST(restored_is_fresh)
{
	struct log fresh = {0}, log = {0};
	struct strata *s = machine(&fresh);

	board_set_limits(s, LIMIT, 0);
	run(s, &fresh);
	strata_destroy(s);
	ck_assert_uint_gt(fresh.size, 100);
	s = machine(&log);
	board_set_limits(s, LIMIT, 0);
	ck_assert_int_eq(strata_restore(s), -EINVAL);
	ck_assert_int_eq(strata_checkpoint(s), 0);
	for (unsigned i = 0; i < 3; i++) {
		log.size = 0;
		run(s, &log);
		same(&fresh, &log, "after the checkpoint or a restore");
		ck_assert_int_eq(strata_restore(s), 0);
	}
	strata_destroy(s);
	free(fresh.text);
	free(log.text);
}
END_TEST

// In the middle of a run: what follows the checkpoint in two machines, and after each restore.
START_TEST(in_the_middle)
{
	for (uint64_t limit = 1000; limit < 2000000; limit *= 3) {
		struct log first = {0}, log = {0};

		for (unsigned machines = 0; machines < 2; machines++) {
			struct strata *s = machine(&log);

			board_set_limits(s, limit, 0);
			run(s, &log);
			board_set_limits(s, LIMIT, 0);
			ck_assert_int_eq(strata_checkpoint(s), 0);
			for (unsigned i = 0; i < 3; i++) {
				log.size = 0;
				run(s, &log);
				if (first.size == 0) {
					note(&first, log.text, log.size);
				}
				same(&first, &log, i == 0 ? "after the checkpoint" : "restored");
				ck_assert_int_eq(strata_restore(s), 0);
			}
			log.size = 0;
			strata_destroy(s);
		}
		free(first.text);
		free(log.text);
	}
}
END_TEST

// RAM and registers come back, also what was written from outside.
START_TEST(state_comes_back)
{
	struct log log = {0};
	struct strata *s = machine(&log);
	uint64_t value = 0, before = 0, word = 0x1122334455667788;

	ck_assert_int_eq(strata_get_register(s, 0, "VBAR_EL1", &before), 0);
	ck_assert_int_eq(strata_checkpoint(s), 0);
	ck_assert_int_eq(strata_set_register(s, 0, "vbar_el1", 0x41000000), 0);
	ck_assert_int_eq(strata_set_register(s, 0, "X7", 7), 0);
	ck_assert_int_eq(strata_write(s, 0x42345678, &word, sizeof(word)), 0);
	ck_assert_int_eq(strata_get_register(s, 0, "VBAR_EL1", &value), 0);
	ck_assert_uint_eq(value, 0x41000000);
	ck_assert_int_eq(strata_restore(s), 0);
	ck_assert_int_eq(strata_get_register(s, 0, "VBAR_EL1", &value), 0);
	ck_assert_uint_eq(value, before);
	ck_assert_uint_eq(strata_x(s, 0, 7), 0);
	ck_assert_int_eq(strata_read(s, 0x42345678, &word, sizeof(word)), 0);
	ck_assert_uint_eq(word, 0);
	ck_assert_int_eq(strata_set_register(s, 0, "NO_SUCH_REGISTER", 0), -ENOENT);
	ck_assert_int_eq(strata_set_register(s, 0, "VBAR_EL1", 1), -EINVAL); // RES0
	ck_assert_int_eq(strata_set_register(s, 1, "X0", 1), smp_of_test > 1 ? 0 : -ENOENT);
	strata_destroy(s);
	free(log.text);
}
END_TEST

// IMAGE:BOOT-EL:PES of each guest on the command line.
int main(int argc, char **argv)
{
	int failed = 0;

	for (int i = 1; i < argc; i++) {
		char *colon = strrchr(argv[i], ':');
		Suite *suite = suite_create("checkpoint");
		TCase *tcase = tcase_create("all");
		SRunner *runner;

		smp_of_test = (unsigned)atoi(colon + 1);
		*colon = '\0';
		colon = strrchr(argv[i], ':');
		boot_el_of_test = (unsigned)atoi(colon + 1);
		*colon = '\0';
		guest_of_test = argv[i];
		tcase_set_timeout(tcase, 120);
		tcase_add_test(tcase, restored_is_fresh);
		tcase_add_test(tcase, in_the_middle);
		tcase_add_test(tcase, state_comes_back);
		suite_add_tcase(suite, tcase);
		runner = srunner_create(suite);
		srunner_run_all(runner, CK_NORMAL);
		failed += srunner_ntests_failed(runner);
		srunner_free(runner);
	}
	return failed != 0 || argc < 2;
}
