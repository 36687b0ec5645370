// SPDX-License-Identifier: Apache-2.0
// Expected sequences of transitions against those that were seen.
#ifndef STRATA_TRAPTEST_MATCH_H
#define STRATA_TRAPTEST_MATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "traptest/outcome.h"

struct strata;

// What a run showed, in order.
struct tt_history {
	struct tt_record *records;
	size_t count, capacity;
	bool overflow; // there were more than are kept
	const struct strata *strata; // for symbols
};

// The matching return of a record, or NULL.
const struct tt_record *tt_return_of(const struct tt_history *history, size_t index);

// Do all checks hold for a record?
bool tt_all_hold(const struct tt_checks *checks, const struct tt_history *history, size_t index);

// Does the history match the steps from its first record to its last? If not, the difference is
// said in the result. ending: how the run ended, for the difference.
bool tt_match(const struct tt_step *expect, const struct tt_history *history, const char *ending,
	      struct tt_result *result);

#endif
