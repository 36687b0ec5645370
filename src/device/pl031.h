// SPDX-License-Identifier: Apache-2.0
// PL031 real-time clock: seconds of virtual time on top of a base date that the board gives.
#ifndef STRATA_DEVICE_PL031_H
#define STRATA_DEVICE_PL031_H

#include <stdint.h>

#include "base/event.h"
#include "bus/bus.h"

struct checkpoint;
struct pl031;

#define PL031_SIZE UINT64_C(0x1000)

extern const struct bus_device_type pl031_type;

// base: seconds since 1970-01-01 at virtual time 0 (the register has 32 bits). NULL: no memory.
struct pl031 *pl031_create(struct event_queue *queue, uint32_t base);
void pl031_destroy(struct pl031 *rtc);
void pl031_checkpoint(struct pl031 *rtc, struct checkpoint *checkpoint);
struct irq_line *pl031_irq(struct pl031 *rtc);

#endif
