// SPDX-License-Identifier: Apache-2.0
// All tests of some files: which are run, by how many workers, and their results in order.
#ifndef STRATA_TRAPTEST_SUITE_H
#define STRATA_TRAPTEST_SUITE_H

#include <stdbool.h>
#include <stddef.h>

#include "strata/strata_test.h"
#include "traptest/outcome.h"
#include "traptest/test_file.h"

struct tt_entry {
	const struct tt_file *file;
	const struct tt_item *item;
	char *name; // "FILE/NAME"
	// Of a file that can't be used: what is wrong with it and its path; there is no item then.
	char *error;
	const char *path;
};

struct tt_suite {
	struct tt_file **files;
	size_t file_count;
	struct tt_entry *entries;
	size_t count;
	double limit; // host seconds of a test
	bool explain; // cases are explained too, and have to agree
};

// Parsed and assembled. 0, or -errno with one line in error.
int tt_suite_add_path(struct tt_suite *suite, const char *path, const struct tt_context *context,
		      char *error, size_t error_size);
int tt_suite_add_text(struct tt_suite *suite, const char *path, const char *text, size_t size,
		      const struct tt_context *context, char *error, size_t error_size);
// In the place of a file that can't be used, so that it is reported. path has to stay.
void tt_suite_add_unusable(struct tt_suite *suite, const char *path, const char *error);
// Unusable files are always kept.
void tt_suite_select(struct tt_suite *suite, const char *const *filters, size_t filter_count);
void tt_suite_done(struct tt_suite *suite);

// Run all, calling fn in order. jobs 0: in this process.
void tt_suite_run(const struct tt_suite *suite, unsigned jobs, strata_test_fn *fn, void *opaque);

// The test of an entry, once, in this process.
void tt_suite_run_one(const struct tt_suite *suite, size_t index, struct tt_pool *pool,
		      struct tt_result *result);

bool tt_wildcard(const char *pattern, const char *text);

#endif
