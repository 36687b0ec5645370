// SPDX-License-Identifier: Apache-2.0
// `strata explain` and `strata list-sysregs`.
#ifndef STRATA_CLI_EXPLAIN_H
#define STRATA_CLI_EXPLAIN_H

// argv[0] is the name of the command. Both return the status of the program.
int explain_command(int argc, char **argv);
int list_sysregs_command(int argc, char **argv);

#endif
