// SPDX-License-Identifier: Apache-2.0
//
// empty.c - nothing: what it takes is what every program takes before and after its operations.

#include "lib/bench.h"

void bench_empty(void)
{
	bench_done(0, 0);
}
