// SPDX-License-Identifier: Apache-2.0
// Checks against what was seen.
#ifndef STRATA_TRAPTEST_CHECK_H
#define STRATA_TRAPTEST_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "traptest/prepared.h"
#include "traptest/test_file.h"

struct strata;

// Does the record satisfy it? `later` is the record of the matching return for after:, NULL if
// there is none. symbols of the machine may be asked for.
bool tt_check_holds(const struct tt_check *check, const struct tt_record *record,
		    const struct tt_record *later, const struct strata *strata);

// "what=seen" for the same subject, for the difference that a person reads.
void tt_check_seen(const struct tt_check *check, const struct tt_record *record,
		   const struct tt_record *later, const struct strata *strata, char *text,
		   size_t size);

bool tt_value_matches(const struct tt_value *value, uint64_t seen, uint64_t base);

#endif
