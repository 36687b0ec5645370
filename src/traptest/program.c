// SPDX-License-Identifier: Apache-2.0
// Tests of whole programs: not run yet, reported as skipped.
#include <stdio.h>
#include "strata/strata_test.h"
#include "traptest/assembler.h"
#include "traptest/outcome.h"
int tt_assemble_file(struct tt_file *file, char *error, size_t error_size)
{
	(void)file;
	(void)error;
	(void)error_size;
	return 0;
}
void tt_run_test(struct tt_pool *pool, const struct tt_file *file, const struct tt_item *item,
		 struct tt_result *result)
{
	(void)pool;
	(void)file;
	(void)item;
	result->status = TT_SKIPPED;
	tt_say(result, "not yet");
}
int strata_test_record(const struct strata_options *options, const char *name, FILE *file,
		       char *error, size_t error_size)
{
	(void)options;
	(void)name;
	(void)file;
	snprintf(error, error_size, "not yet");
	return -1;
}
