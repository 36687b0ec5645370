// SPDX-License-Identifier: Apache-2.0
// The command line of `strata run`.
#ifndef STRATA_CLI_OPTIONS_H
#define STRATA_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "strata/strata.h"

#define RUN_LIST_MAX 64 // --load, --symbols and --trace-filter options of each kind

struct run_options {
	struct strata_options machine;
	bool help; // --help was given: nothing else counts
	struct strata_load loads[RUN_LIST_MAX];
	const char *symbols[RUN_LIST_MAX];
	const char *filters[RUN_LIST_MAX];
	char *owned[RUN_LIST_MAX + 1]; // file names cut off their @ADDRESS
	size_t owned_count;
};

// argv[0] is "run". Returns 0, or -1 with one line (no newline) in error. The result points into
// argv and into itself; free with run_options_done in both cases.
int run_options_parse(struct run_options *options, int argc, char **argv, char *error,
		      size_t error_size);
void run_options_done(struct run_options *options);

void run_options_help(FILE *file);

#endif
