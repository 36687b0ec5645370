// SPDX-License-Identifier: Apache-2.0
// Cases in a form that other machines can run: `strata test --export`.
#ifndef STRATA_TRAPTEST_EXPORT_H
#define STRATA_TRAPTEST_EXPORT_H

#include <stdio.h>

#include "traptest/suite.h"

// JSON lines: the registers of the open state, the words of the page tables, and for each case of
// the default machine what differs when the instruction begins. 0, or -EINVAL with a message.
int tt_export(const struct tt_suite *suite, FILE *file, char *error, size_t error_size);

#endif
