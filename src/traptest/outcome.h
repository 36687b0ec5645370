// SPDX-License-Identifier: Apache-2.0
// How a test went, and the text that is said about it.
#ifndef STRATA_TRAPTEST_OUTCOME_H
#define STRATA_TRAPTEST_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "traptest/prepared.h"
#include "traptest/test_file.h"

// As enum strata_test_status.
enum tt_status { TT_PASSED, TT_FAILED, TT_SKIPPED, TT_HUNG, TT_CRASHED, TT_BROKEN, TT_UNUSABLE };

#define TT_MESSAGE_MAX 16384

struct tt_result {
	enum tt_status status;
	double seconds;
	bool explain; // asked for: the explanation has to agree
	size_t used;
	char message[TT_MESSAGE_MAX]; // lines, each with its newline
};

// Add a line; what does not fit is cut off.
void tt_say(struct tt_result *result, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

// One line about a record: "EL1 -> EL2 HVC ec=0x16 ...".
void tt_describe(const struct tt_record *record, char *text, size_t size);

// case.c and program.c: run one item. The status is set, and a message unless it passed.
void tt_run_case(struct tt_pool *pool, const struct tt_file *file, const struct tt_item *item,
		 struct tt_result *result);
void tt_run_test(struct tt_pool *pool, const struct tt_file *file, const struct tt_item *item,
		 struct tt_result *result);

#endif
