// SPDX-License-Identifier: Apache-2.0
// `strata run`.
#ifndef STRATA_CLI_RUN_H
#define STRATA_CLI_RUN_H

// argv[0] is "run". Returns the exit status.
int run_command(int argc, char **argv);

// The exit statuses besides what a guest gives by semihosting.
enum run_status {
	RUN_POWERED_OFF = 0,
	RUN_USAGE = 2,
	RUN_LIMIT = 3,
	RUN_STUCK = 4,
	RUN_QUIT = 5,
	RUN_RESET = 6,
	RUN_HOST = 7,
	RUN_SIGNAL = 128
};

#endif
