// SPDX-License-Identifier: Apache-2.0
// PL011 UART. Transmits at once; receives through its FIFO, with the trigger-level and time-out
// interrupts.
#ifndef STRATA_DEVICE_PL011_H
#define STRATA_DEVICE_PL011_H

#include <stdbool.h>
#include <stdint.h>

#include "base/event.h"
#include "bus/bus.h"

struct checkpoint;
struct pl011;

#define PL011_SIZE UINT64_C(0x1000)

extern const struct bus_device_type pl011_type;

// transmit gets every byte sent, in order; may be NULL. The queue times the receive time-out. NULL:
// no memory.
struct pl011 *pl011_create(struct event_queue *queue, void (*transmit)(void *opaque, uint8_t byte),
			   void *opaque);
void pl011_destroy(struct pl011 *uart);
void pl011_checkpoint(struct pl011 *uart, struct checkpoint *checkpoint);

// The UART's interrupt output (UARTINTR), for the board to connect.
struct irq_line *pl011_irq(struct pl011 *uart);

// A byte arrives from outside at the current virtual time. With a full FIFO it is lost, as on the
// wire (overrun).
void pl011_receive(struct pl011 *uart, uint8_t byte);

// Is there room, and does the guest listen: reception interrupts unmasked, or the flag register
// being polled? A console keeps its bytes until then; what arrives while a driver sets up the UART
// would be thrown away.
bool pl011_can_receive(const struct pl011 *uart);

// Could a byte received now raise the interrupt?
bool pl011_can_interrupt(const struct pl011 *uart);

#endif
