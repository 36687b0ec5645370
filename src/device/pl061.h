// SPDX-License-Identifier: Apache-2.0
// PL061 GPIO: eight lines, each an input with an interrupt or an output.
#ifndef STRATA_DEVICE_PL061_H
#define STRATA_DEVICE_PL061_H

#include <stdbool.h>
#include <stdint.h>

#include "bus/bus.h"

struct checkpoint;
struct pl061;

#define PL061_SIZE UINT64_C(0x1000)
#define PL061_LINES 8

extern const struct bus_device_type pl061_type;

struct pl061 *pl061_create(void); // NULL: no memory
void pl061_destroy(struct pl061 *gpio);
void pl061_checkpoint(struct pl061 *gpio, struct checkpoint *checkpoint);
struct irq_line *pl061_irq(struct pl061 *gpio);

// What drives the pin `line` (0..7) when it is an output; the level is low while it is an input.
struct irq_line *pl061_output(struct pl061 *gpio, unsigned line);

// The outside world drives an input pin (0..7).
void pl061_set_input(struct pl061 *gpio, unsigned line, bool level);

#endif
