// SPDX-License-Identifier: Apache-2.0
// The end of a run that our own bug has spoiled.
#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void check_failed(const char *expr, const char *file, int line)
{
	fprintf(stderr, "strata: internal error: %s (%s:%d); please report this\n", expr, file,
		line);
	abort();
}
