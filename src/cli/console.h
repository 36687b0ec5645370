// SPDX-License-Identifier: Apache-2.0
// The host's end of the console: standard input and output, a terminal in raw mode, the escape key,
// and signals.
#ifndef STRATA_CLI_CONSOLE_H
#define STRATA_CLI_CONSOLE_H

#include "strata/strata.h"

// Set up standard input and output, and catch the signals that end a run. One console for a
// process, as there is one terminal. The machine is told to stop when a signal comes
// (console_attach).
void console_open(struct strata_console *console);
void console_attach(struct strata *strata);

// Restore the terminal. Also done at exit() and by fatal signals.
void console_close(void);

// The signal that asked for the end; 0: none.
int console_signal(void);

#endif
