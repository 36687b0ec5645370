// SPDX-License-Identifier: Apache-2.0
// PL011 UART (Arm DDI 0183, r1p3: 16-byte FIFOs). The transmit side has no line to wait for: its
// FIFO is empty again as soon as it is written. The receive side is timed: bytes enter at the
// virtual time given by the board.
#include "device/pl011.h"

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/checkpoint.h"

enum {
	REG_DR = 0x00,
	REG_RSR = 0x04, // reads RSR, writes ECR
	REG_FR = 0x18,
	REG_ILPR = 0x20,
	REG_IBRD = 0x24,
	REG_FBRD = 0x28,
	REG_LCR_H = 0x2c,
	REG_CR = 0x30,
	REG_IFLS = 0x34,
	REG_IMSC = 0x38,
	REG_RIS = 0x3c,
	REG_MIS = 0x40,
	REG_ICR = 0x44,
	REG_DMACR = 0x48,
	REG_ID = 0xfe0
};

enum { FR_RXFE = 1 << 4, FR_TXFF = 1 << 5, FR_RXFF = 1 << 6, FR_TXFE = 1 << 7 };
enum { LCR_H_BRK = 1 << 0, LCR_H_FEN = 1 << 4 };
enum { CR_UARTEN = 1 << 0, CR_LBE = 1 << 7, CR_TXE = 1 << 8, CR_RXE = 1 << 9 };
enum { INT_RX = 1 << 4, INT_TX = 1 << 5, INT_RT = 1 << 6, INT_BE = 1 << 9, INT_OE = 1 << 10 };
enum { INT_ALL = 0x7ff };
enum { DATA_BE = 1 << 10, DATA_OE = 1 << 11 };

#define FIFO_DEPTH 16
#define UART_CLOCK UINT64_C(24000000)
#define TIMEOUT_BITS 32 // the receive time-out, in bit periods (DDI 0183, 2.4.4)
#define POLLING_READS 8 // FR reads without a write in between that show a guest waiting for input

struct pl011 {
	struct irq_line irq;
	struct event_queue *queue;
	struct event timeout;
	void (*transmit)(void *opaque, uint8_t byte);
	void *opaque;
	uint16_t fifo[FIFO_DEPTH]; // data with its error flags, bits 11:8
	unsigned fifo_head, fifo_count;
	uint32_t rsr, ilpr, ibrd, fbrd, lcr_h, cr, ifls, imsc, ris, dmacr;
	unsigned fr_reads; // consecutive reads of FR, saturating
	bool overrun; // the next byte read carries OE
};

static void update(struct pl011 *uart)
{
	irq_set(&uart->irq, (uart->ris & uart->imsc) != 0);
}

static unsigned fifo_depth(const struct pl011 *uart)
{
	return uart->lcr_h & LCR_H_FEN ? FIFO_DEPTH : 1;
}

// Bytes at which the receive interrupt is raised: 1/8, 1/4, 1/2, 3/4, 7/8 of the FIFO (IFLS bits
// 5:3).
static unsigned rx_trigger(const struct pl011 *uart)
{
	static const uint8_t levels[8] = {2, 4, 8, 12, 14, 14, 14, 14};

	return uart->lcr_h & LCR_H_FEN ? levels[bits(uart->ifls, 5, 3)] : 1;
}

static uint64_t timeout_ns(const struct pl011 *uart)
{
	uint64_t divisor = ((uint64_t)uart->ibrd << 6) + uart->fbrd; // in 1/64

	if (divisor < 64) {
		divisor = UINT64_C(13) << 6; // unprogrammed: about 115200 baud
	}
	// One bit lasts 16 * divisor / 64 clocks.
	return TIMEOUT_BITS * divisor * 16 * UINT64_C(1000000000) / (64 * UART_CLOCK);
}

static void timeout_fired(struct event *event, void *opaque)
{
	struct pl011 *uart = opaque;

	(void)event;
	if (uart->fifo_count != 0) {
		uart->ris |= INT_RT;
		update(uart);
	}
}

static void timeout_restart(struct pl011 *uart)
{
	if (uart->fifo_count == 0 || !(uart->lcr_h & LCR_H_FEN)) {
		event_cancel(uart->queue, &uart->timeout);
		return;
	}
	event_set(uart->queue, &uart->timeout, event_queue_time(uart->queue) + timeout_ns(uart));
}

static void fifo_put(struct pl011 *uart, uint16_t data)
{
	if (uart->fifo_count >= fifo_depth(uart)) {
		uart->overrun = true;
		uart->rsr |= DATA_OE >> 8;
		uart->ris |= INT_OE;
		update(uart);
		return;
	}
	if (uart->overrun) {
		data |= DATA_OE;
		uart->overrun = false;
	}
	uart->fifo[(uart->fifo_head + uart->fifo_count) % FIFO_DEPTH] = data;
	uart->fifo_count++;
	if (uart->fifo_count >= rx_trigger(uart)) {
		uart->ris |= INT_RX;
	}
	if (data & DATA_BE) {
		uart->ris |= INT_BE;
	}
	timeout_restart(uart);
	update(uart);
}

static uint32_t fifo_get(struct pl011 *uart)
{
	uint32_t data;

	if (uart->fifo_count == 0) {
		return 0;
	}
	data = uart->fifo[uart->fifo_head];
	uart->fifo_head = (uart->fifo_head + 1) % FIFO_DEPTH;
	uart->fifo_count--;
	uart->rsr = data >> 8;
	if (uart->fifo_count < rx_trigger(uart)) {
		uart->ris &= ~(uint32_t)INT_RX;
	}
	if (uart->fifo_count == 0) {
		uart->ris &= ~(uint32_t)INT_RT;
	}
	timeout_restart(uart);
	update(uart);
	return data;
}

static void fifo_drop(struct pl011 *uart)
{
	uart->fifo_head = 0;
	uart->fifo_count = 0;
	uart->ris &= ~(uint32_t)(INT_RX | INT_RT);
	event_cancel(uart->queue, &uart->timeout);
}

static uint32_t flags(const struct pl011 *uart)
{
	uint32_t fr = FR_TXFE;

	if (uart->fifo_count == 0) {
		fr |= FR_RXFE;
	}
	if (uart->fifo_count >= fifo_depth(uart)) {
		fr |= FR_RXFF;
	}
	return fr;
}

static uint32_t register_read(struct pl011 *uart, uint64_t offset)
{
	static const uint8_t id[8] = {0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

	switch (offset) {
	case REG_DR:
		uart->fr_reads = 0;
		return fifo_get(uart);
	case REG_RSR:
		return uart->rsr;
	case REG_FR:
		uart->fr_reads += uart->fr_reads < POLLING_READS;
		return flags(uart);
	case REG_ILPR:
		return uart->ilpr;
	case REG_IBRD:
		return uart->ibrd;
	case REG_FBRD:
		return uart->fbrd;
	case REG_LCR_H:
		return uart->lcr_h;
	case REG_CR:
		return uart->cr;
	case REG_IFLS:
		return uart->ifls;
	case REG_IMSC:
		return uart->imsc;
	case REG_RIS:
		return uart->ris;
	case REG_MIS:
		return uart->ris & uart->imsc;
	case REG_DMACR:
		return uart->dmacr;
	default:
		return offset >= REG_ID ? id[(offset - REG_ID) / 4] : 0;
	}
}

static enum bus_result pl011_read(void *device, uint64_t offset, unsigned size,
				  struct bus_attrs attrs, uint64_t *data)
{
	(void)attrs;
	// Narrow reads above the low byte lanes see those lanes of the register, without side
	// effects twice.
	*data = zext(register_read(device, offset & ~UINT64_C(3)) >> (8 * (offset & 3)), size * 8);
	return BUS_OK;
}

static void send(struct pl011 *uart, uint8_t byte)
{
	if (uart->cr & CR_LBE) {
		fifo_put(uart, byte);
	} else if (uart->transmit != NULL) {
		// Sent even while UARTEN is clear: early consoles of small images rely on it on
		// this board.
		uart->transmit(uart->opaque, byte);
	}
	// The FIFO passed its trigger level on the way back to empty.
	uart->ris |= INT_TX;
	update(uart);
}

static void lcr_h_write(struct pl011 *uart, uint32_t value)
{
	if ((uart->lcr_h ^ value) & LCR_H_FEN) {
		fifo_drop(uart); // DDI 0183, 3.3.7: the FIFOs become one-byte holding registers and
				 // back
	}
	if ((value & LCR_H_BRK) && !(uart->lcr_h & LCR_H_BRK) && (uart->cr & CR_LBE)) {
		fifo_put(uart, DATA_BE);
	}
	uart->lcr_h = value & 0xff;
	update(uart);
}

static enum bus_result pl011_write(void *device, uint64_t offset, unsigned size,
				   struct bus_attrs attrs, uint64_t data)
{
	struct pl011 *uart = device;
	uint32_t value = (uint32_t)data;

	(void)size;
	(void)attrs;
	uart->fr_reads = 0;
	switch (offset) {
	case REG_DR:
		send(uart, (uint8_t)value);
		break;
	case REG_RSR:
		uart->rsr = 0;
		break;
	case REG_ILPR:
		uart->ilpr = value & 0xff;
		break;
	case REG_IBRD:
		uart->ibrd = value & 0xffff;
		break;
	case REG_FBRD:
		uart->fbrd = value & 0x3f;
		break;
	case REG_LCR_H:
		lcr_h_write(uart, value);
		break;
	case REG_CR:
		uart->cr = value & 0xff87;
		break;
	case REG_IFLS:
		uart->ifls = value & 0x3f;
		break;
	case REG_IMSC:
		uart->imsc = value & INT_ALL;
		update(uart);
		break;
	case REG_ICR:
		uart->ris &= ~(value & INT_ALL);
		update(uart);
		break;
	case REG_DMACR:
		uart->dmacr = value & 7; // no DMA controller listens
		break;
	default:
		break; // read-only or reserved: ignored
	}
	return BUS_OK;
}

static void pl011_reset(void *device)
{
	struct pl011 *uart = device;

	fifo_drop(uart);
	uart->rsr = uart->ilpr = uart->ibrd = uart->fbrd = uart->lcr_h = 0;
	uart->imsc = uart->ris = uart->dmacr = 0;
	uart->cr = CR_TXE | CR_RXE;
	uart->ifls = 0x12;
	uart->fr_reads = 0;
	uart->overrun = false;
	update(uart);
}

const struct bus_device_type pl011_type = {
	.name = "pl011",
	.read = pl011_read,
	.write = pl011_write,
	.min_size = 1,
	.max_size = 4,
	.reset = pl011_reset,
};

struct pl011 *pl011_create(struct event_queue *queue, void (*transmit)(void *opaque, uint8_t byte),
			   void *opaque)
{
	struct pl011 *uart = calloc(1, sizeof(*uart));

	if (uart == NULL) {
		return NULL;
	}
	uart->queue = queue;
	uart->transmit = transmit;
	uart->opaque = opaque;
	event_init(&uart->timeout, "pl011 receive time-out", timeout_fired, uart);
	pl011_reset(uart);
	return uart;
}

void pl011_destroy(struct pl011 *uart)
{
	if (uart != NULL) {
		event_cancel(uart->queue, &uart->timeout);
		free(uart);
	}
}

void pl011_checkpoint(struct pl011 *uart, struct checkpoint *checkpoint)
{
	checkpoint_add(checkpoint, uart, sizeof(*uart));
}

struct irq_line *pl011_irq(struct pl011 *uart)
{
	return &uart->irq;
}

void pl011_receive(struct pl011 *uart, uint8_t byte)
{
	if (uart->cr & CR_LBE) {
		return; // the input pin is disconnected
	}
	fifo_put(uart, byte);
}

bool pl011_can_receive(const struct pl011 *uart)
{
	bool listens = (uart->imsc & (INT_RX | INT_RT)) != 0 || uart->fr_reads >= POLLING_READS;

	return listens && !(uart->cr & CR_LBE) && uart->fifo_count < fifo_depth(uart);
}

bool pl011_can_interrupt(const struct pl011 *uart)
{
	return (uart->imsc & (INT_RX | INT_RT)) != 0 && !(uart->cr & CR_LBE);
}
