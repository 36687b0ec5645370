// SPDX-License-Identifier: Apache-2.0
// Random draws of a test program that takes [SEED [ROUNDS]].
#ifndef DRAWS_H
#define DRAWS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

static uint64_t seed = 1;
static unsigned rounds = 20000;
static uint64_t state; // not 0

static uint64_t next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * UINT64_C(0x2545f4914f6cdd1d);
}

static bool coin(unsigned n)
{
	return next() % n == 0;
}

static void draws_arguments(int argc, char **argv)
{
	if (argc > 1) {
		seed = strtoull(argv[1], NULL, 0);
	}
	if (argc > 2) {
		rounds = (unsigned)strtoul(argv[2], NULL, 0);
	}
}

#endif
