// SPDX-License-Identifier: Apache-2.0
// The C interface of trap tests.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "strata/strata_test.h"
#include "traptest/export.h"
#include "traptest/suite.h"

#define LIMIT_SECONDS 20

static struct tt_context context_of(const struct strata_test_options *o)
{
	return (struct tt_context){.defines = o->defines,
				   .define_count = o->define_count,
				   .cpu = o->cpu};
}

static unsigned jobs_of(const struct strata_test_options *o)
{
	long processors;

	if (o->jobs == STRATA_TEST_IN_PROCESS) {
		return 0;
	}
	if (o->jobs != 0) {
		return o->jobs;
	}
	processors = sysconf(_SC_NPROCESSORS_ONLN);
	return processors > 0 ? (unsigned)processors : 1;
}

static const struct strata_test_options defaults;

// Returns what the first file that can't be used gave; the others are loaded all the same.
static int load(struct tt_suite *suite, const char *const *paths, size_t count,
		const struct strata_test_options *o, char *error, size_t error_size)
{
	struct tt_context context = context_of(o);
	int err = 0;

	memset(suite, 0, sizeof(*suite));
	suite->limit = o->limit > 0 ? o->limit : LIMIT_SECONDS;
	suite->explain = o->explain;
	for (size_t i = 0; i < count; i++) {
		char text[512];
		int one = tt_suite_add_path(suite, paths[i], &context, text, sizeof(text));

		if (one != 0) {
			tt_suite_add_unusable(suite, paths[i], text);
			if (err == 0) {
				err = one;
				snprintf(error, error_size, "%s", text);
			}
		}
	}
	tt_suite_select(suite, o->filters, o->filter_count);
	return err;
}

int strata_test_run_files(const char *const *paths, size_t count,
			  const struct strata_test_options *options, strata_test_fn *fn,
			  void *opaque, char *error, size_t error_size)
{
	const struct strata_test_options *o = options != NULL ? options : &defaults;
	struct tt_suite suite;
	int err = load(&suite, paths, count, o, error, error_size);

	tt_suite_run(&suite, jobs_of(o), fn, opaque);
	tt_suite_done(&suite);
	return err;
}

int strata_test_run_file(const char *path, const struct strata_test_options *options,
			 strata_test_fn *fn, void *opaque, char *error, size_t error_size)
{
	return strata_test_run_files(&path, 1, options, fn, opaque, error, error_size);
}

int strata_test_run_string(const char *name, const char *text,
			   const struct strata_test_options *options, strata_test_fn *fn,
			   void *opaque, char *error, size_t error_size)
{
	const struct strata_test_options *o = options != NULL ? options : &defaults;
	struct tt_context context = context_of(o);
	struct tt_suite suite = {.limit = o->limit > 0 ? o->limit : LIMIT_SECONDS,
				 .explain = o->explain};
	int err = tt_suite_add_text(&suite, name, text, strlen(text), &context, error, error_size);

	if (err == 0) {
		tt_suite_select(&suite, o->filters, o->filter_count);
		tt_suite_run(&suite, jobs_of(o), fn, opaque);
	}
	tt_suite_done(&suite);
	return err;
}

int strata_test_list(const char *const *paths, size_t count,
		     const struct strata_test_options *options, strata_test_fn *fn, void *opaque,
		     char *error, size_t error_size)
{
	const struct strata_test_options *o = options != NULL ? options : &defaults;
	struct tt_suite suite;
	int err = load(&suite, paths, count, o, error, error_size);

	for (size_t i = 0; err == 0 && i < suite.count; i++) {
		const struct tt_entry *entry = &suite.entries[i];
		const struct strata_test_result r = {.name = entry->name,
						     .path = entry->file->path,
						     .line = entry->item->line,
						     .message = entry->item->skip != NULL
									? entry->item->skip
									: ""};

		fn(opaque, &r);
	}
	tt_suite_done(&suite);
	return err;
}

int strata_test_export(const char *const *paths, size_t count,
		       const struct strata_test_options *options, FILE *file, char *error,
		       size_t error_size)
{
	const struct strata_test_options *o = options != NULL ? options : &defaults;
	struct tt_suite suite;
	int err = load(&suite, paths, count, o, error, error_size);

	if (err == 0) {
		err = tt_export(&suite, file, error, error_size);
	}
	tt_suite_done(&suite);
	return err;
}

enum strata_test_status strata_test_one(const char *text, char *message, size_t message_size)
{
	const struct tt_context context = {.headless = true};
	struct tt_suite suite = {.limit = LIMIT_SECONDS};
	enum strata_test_status status = STRATA_TEST_BROKEN;
	char error[512];

	if (tt_suite_add_text(&suite, "test", text, strlen(text), &context, error, sizeof(error)) !=
	    0) {
		snprintf(message, message_size, "%s\n", error);
	} else if (suite.count != 1) {
		snprintf(message, message_size, "expected one case or test, not %zu\n",
			 suite.count);
	} else {
		struct tt_pool *pool = tt_pool_create();
		struct tt_result *result = malloc(sizeof(*result));

		CHECK(result != NULL);
		tt_suite_run_one(&suite, 0, pool, result);
		status = (enum strata_test_status)result->status;
		snprintf(message, message_size, "%s", result->message);
		tt_pool_destroy(pool);
		free(result);
	}
	tt_suite_done(&suite);
	return status;
}
