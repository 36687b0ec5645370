// SPDX-License-Identifier: Apache-2.0
// WFI, WFE and their timed forms: traps, sleeping, waking.
#ifndef STRATA_CPU_WAIT_H
#define STRATA_CPU_WAIT_H

#include <stdbool.h>
#include <stdint.h>

struct event;
struct pe;
struct uop;

enum wait_outcome { WAIT_DONE, WAIT_TRAPPED, WAIT_SLEEPS };

// Execute WFI or WFE. timed: with a timeout, a value of CNTVCT_EL0 in register rn. WAIT_TRAPPED:
// pe->fault. WAIT_SLEEPS: the PE waits; it leaves the threaded code.
enum wait_outcome wait_begin(struct pe *pe, const struct uop *op, bool wfe, bool timed,
			     uint64_t timeout, unsigned rn);

// The delay before the trap of a WFE (pe->wait_trap_due) is over: take the trap.
void wait_take_trap(struct pe *pe);

// The event of a timed wait fired.
void wait_timeout(struct event *event, void *opaque);

#endif
