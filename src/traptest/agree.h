// SPDX-License-Identifier: Apache-2.0
// Does `strata explain` say what the machine does? Asked before a case is run, compared after it.
#ifndef STRATA_TRAPTEST_AGREE_H
#define STRATA_TRAPTEST_AGREE_H

#include <stdbool.h>
#include <stddef.h>

#include "traptest/prepared.h"
#include "traptest/test_file.h"

struct strata_explanation;

// The explanation of the instruction at the PC of the machine, in its present state; to be freed.
// NULL: the case is about something that comes before any instruction.
struct strata_explanation *tt_explain(struct tt_prepared *m, const struct tt_machine *machine,
				      const struct tt_item *item);

// False: what is different, in text.
bool tt_agrees(const struct strata_explanation *explanation, const struct tt_record *seen,
	       char *text, size_t size);

#endif
