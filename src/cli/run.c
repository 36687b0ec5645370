// SPDX-License-Identifier: Apache-2.0
// `strata run`: from the command line to the exit status.
#include "cli/run.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/console.h"
#include "cli/options.h"
#include "strata/strata.h"

static int usage_error(const char *error)
{
	fprintf(stderr, "strata: %s\n", error);
	return RUN_USAGE;
}

static int status_of(const struct strata_result *result)
{
	switch (result->outcome) {
	case STRATA_POWERED_OFF:
		return RUN_POWERED_OFF;
	case STRATA_EXITED:
		return result->status;
	case STRATA_LIMIT:
		return RUN_LIMIT;
	case STRATA_STUCK:
		return RUN_STUCK;
	case STRATA_QUIT:
		return console_signal() != 0 ? RUN_SIGNAL + console_signal() : RUN_QUIT;
	case STRATA_RESET:
		return RUN_RESET;
	default:
		return RUN_HOST;
	}
}

static void print_summary(const struct strata_result *result)
{
	double mips =
		result->host_seconds > 0 ? (double)result->insns / result->host_seconds / 1e6 : 0;

	fprintf(stderr,
		"strata: %llu instructions, %llu.%09llu s virtual time, %.3f s host time, %.1f "
		"MIPS\n",
		(unsigned long long)result->insns, (unsigned long long)(result->time / 1000000000),
		(unsigned long long)(result->time % 1000000000), result->host_seconds, mips);
}

static int run_machine(struct strata *strata, const struct run_options *options)
{
	struct strata_result result;

	console_attach(strata);
	strata_run(strata, &result);
	console_close();
	if (result.message[0] != '\0') {
		fprintf(stderr, "strata: %s\n", result.message);
	}
	if (result.outcome == STRATA_STUCK) {
		strata_dump(strata, stderr);
	}
	strata_finish(strata);
	if (options->machine.stats) {
		print_summary(&result);
	}
	return status_of(&result);
}

int run_command(int argc, char **argv)
{
	struct run_options *options = calloc(1, sizeof(*options));
	struct strata *strata = NULL;
	char error[512];
	int status;

	if (options == NULL) {
		return usage_error("out of memory");
	}
	if (run_options_parse(options, argc, argv, error, sizeof(error)) != 0) {
		status = usage_error(error);
	} else if (options->help) {
		run_options_help(stdout);
		status = RUN_POWERED_OFF;
	} else {
		bool only_dump = options->machine.image == NULL && options->machine.load_count == 0;

		console_open(&options->machine.console);
		if (strata_create(&strata, &options->machine, error, sizeof(error)) != 0) {
			status = usage_error(error);
		} else {
			status = only_dump ? RUN_POWERED_OFF : run_machine(strata, options);
			strata_destroy(strata);
		}
	}
	run_options_done(options);
	free(options);
	return status;
}
