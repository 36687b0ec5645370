// SPDX-License-Identifier: Apache-2.0
// The generic timers of one PE: the system counter as it sees it, its comparators and its event
// streams.
#ifndef STRATA_TIMER_TIMER_H
#define STRATA_TIMER_TIMER_H

#include <stdint.h>

#include "base/event.h"
#include "bus/bus.h"

struct pe;
struct checkpoint;
struct timer;

// The counter runs at 1 GHz / 16 = 62.5 MHz: its value is the virtual time in nanoseconds, divided
// by 16.
#define TIMER_FREQUENCY UINT32_C(62500000)
#define TIMER_NS_SHIFT 4

// The comparators, by the names of their registers.
enum timer_which {
	TIMER_PHYS, // CNTP, Non-secure EL1 physical
	TIMER_VIRT, // CNTV
	TIMER_HYP, // CNTHP, EL2 physical
	TIMER_HYP_VIRT, // CNTHV, EL2 virtual (FEAT_VHE)
	TIMER_SEC_PHYS, // CNTPS, EL3 or Secure EL1 physical
	TIMER_SEC_HYP, // CNTHPS, Secure EL2 physical (FEAT_SEL2)
	TIMER_SEC_HYP_VIRT, // CNTHVS, Secure EL2 virtual (FEAT_SEL2)
	TIMER_COUNT
};

// Create the timers of a PE, bind its CNT* registers and reset. Events go to the queue, which has
// to outlive the timers. NULL: out of memory. (Not timer_create: POSIX has that, and whoever links
// us may call it.)
struct timer *timer_new(struct pe *pe, struct event_queue *queue);
void timer_destroy(struct timer *timer);
void timer_checkpoint(struct timer *timer, struct checkpoint *checkpoint);

// To be called after every reset of the PE: all comparators disabled, CNTFRQ_EL0 set, lines low;
// event streams as the PE's CNTKCTL_EL1 and CNTHCTL_EL2 say then.
void timer_reset(struct timer *timer);

// The output of one comparator, to be connected by filling in set, opaque and number
// (gicv3_ppi_line does it) before the machine runs.
struct irq_line *timer_line(struct timer *timer, enum timer_which which);

// The PPI number (0..15, INTID - 16) at which the platform (SBSA, QEMU's virt) expects this timer.
unsigned timer_ppi(enum timer_which which);

#endif
