// SPDX-License-Identifier: Apache-2.0
// The `strata` command.
#include <stdio.h>
#include <string.h>

#include "cli/explain.h"
#include "cli/run.h"
#include "cli/test.h"

static void print_help(FILE *file)
{
	fputs("Usage: strata COMMAND [ARGUMENT]...\n"
	      "An AArch64 emulator whose subject is the exception levels: boots hypervisors, "
	      "kernels and\n"
	      "bare-metal images at EL3, EL2 or EL1, and shows every transition between levels.\n\n"
	      "Commands:\n"
	      "  run IMAGE [OPTION]...  run an image (strata run --help)\n"
	      "  test FILE...           run trap tests (strata test --help)\n"
	      "  explain INSTRUCTION    where an instruction goes in a state, and why\n"
	      "  list-sysregs           every system register of a CPU model\n\n"
	      "      --help             print this help and exit\n"
	      "      --version          print the version and exit\n",
	      file);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fputs("strata: no command is given (see strata --help)\n", stderr);
		return RUN_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0) {
		print_help(stdout);
		return 0;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("strata " STRATA_VERSION "\nLicence: Apache-2.0");
		return 0;
	}
	if (strcmp(argv[1], "run") == 0) {
		return run_command(argc - 1, argv + 1);
	}
	if (strcmp(argv[1], "test") == 0) {
		return test_command(argc - 1, argv + 1);
	}
	if (strcmp(argv[1], "explain") == 0) {
		return explain_command(argc - 1, argv + 1);
	}
	if (strcmp(argv[1], "list-sysregs") == 0) {
		return list_sysregs_command(argc - 1, argv + 1);
	}
	fprintf(stderr, "strata: unknown %s '%s' (see strata --help)\n",
		argv[1][0] == '-' ? "option" : "command", argv[1]);
	return RUN_USAGE;
}
