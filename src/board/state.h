// SPDX-License-Identifier: Apache-2.0
// What the rooms above may do with a machine between runs, beside strata.h: reach its PEs, step one
// of them, listen to its events.
#ifndef STRATA_BOARD_STATE_H
#define STRATA_BOARD_STATE_H

#include <stdbool.h>

#include "strata/strata.h"

struct pe;
struct symbols;
struct trace_sink;

struct pe *board_pe(struct strata *strata, unsigned index);

// The sink gets every event from now on, and is destroyed with the machine. The machine must have
// been created with an event callback or a trace.
void board_attach(struct strata *strata, struct trace_sink *sink);

// One pe_step with the machine's clock running.
void board_step(struct strata *strata, unsigned index);

// HLT #0xf0f0 to #0xf0ff end the run with STRATA_EXITED and the last hexadecimal digit as status;
// without it they are what the architecture says.
#define BOARD_TEST_HLT 0xf0f0u
void board_serve_test_hlt(struct strata *strata);

// Without an image: reset, with the first PE at an address and no firmware that answers calls.
void board_start_bare(struct strata *strata, uint64_t entry);

// The allocation tag of a granule of RAM; 0 where there are none.
unsigned board_tag(struct strata *strata, uint64_t address);
bool board_set_tag(struct strata *strata, uint64_t address, unsigned tag);

// Ends the run as the guest could have: for an event's listener.
void board_quit(struct strata *strata);

// The symbol that covers an address as it is executed at a level; NULL if none does.
const char *board_symbol(const struct strata *strata, unsigned el, uint64_t address);

// Limits of the next run, in place of those of the options; what a limit has ended may go on.
void board_set_limits(struct strata *strata, uint64_t max_insns, uint64_t max_time);

#endif
