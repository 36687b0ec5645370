// SPDX-License-Identifier: Apache-2.0
// `strata test`.
#ifndef STRATA_CLI_TEST_H
#define STRATA_CLI_TEST_H

// argv[0] is "test". Returns the exit status.
int test_command(int argc, char **argv);

#endif
