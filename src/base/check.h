// SPDX-License-Identifier: Apache-2.0
// CHECK: assertions about our own code, kept in every build. Never for guest or user mistakes.
#ifndef STRATA_BASE_CHECK_H
#define STRATA_BASE_CHECK_H

#include "base/bits.h"

_Noreturn void check_failed(const char *expr, const char *file, int line);

#define CHECK(expr) \
	do { \
		if (unlikely(!(expr))) { \
			check_failed(#expr, __FILE__, __LINE__); \
		} \
	} while (0)

#endif
