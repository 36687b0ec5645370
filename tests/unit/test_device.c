// SPDX-License-Identifier: Apache-2.0
// PL011, PL031 and PL061 as their drivers see them (Arm DDI 0183, DDI 0224, DDI 0190).
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/event.h"
#include "device/pl011.h"
#include "device/pl031.h"
#include "device/pl061.h"

enum {
	DR = 0x00,
	RSR = 0x04,
	FR = 0x18,
	IBRD = 0x24,
	FBRD = 0x28,
	LCR_H = 0x2c,
	CR = 0x30,
	IFLS = 0x34
};
enum { IMSC = 0x38, RIS = 0x3c, MIS = 0x40, ICR = 0x44 };
enum { RXFE = 1 << 4, TXFF = 1 << 5, RXFF = 1 << 6, TXFE = 1 << 7 };
enum { RX = 1 << 4, TX = 1 << 5, RT = 1 << 6, OE = 1 << 10 };

#define SECOND UINT64_C(1000000000)

static struct event_queue queue;
static struct pl011 *uart;
static struct pl031 *rtc;
static struct pl061 *gpio;
static char sent[64];
static size_t sent_count;
static bool line;
static unsigned line_changes;

static void transmit(void *opaque, uint8_t byte)
{
	(void)opaque;
	ck_assert_uint_lt(sent_count, sizeof(sent));
	sent[sent_count++] = (char)byte;
}

static void line_set(void *opaque, unsigned number, bool level)
{
	(void)opaque;
	(void)number;
	line = level;
	line_changes++;
}

static void watch(struct irq_line *irq)
{
	irq->set = line_set;
}

static void setup(void)
{
	event_queue_init(&queue);
	uart = pl011_create(&queue, transmit, NULL);
	rtc = pl031_create(&queue, 1000);
	gpio = pl061_create();
	ck_assert(uart != NULL && rtc != NULL && gpio != NULL);
	sent_count = 0;
	line = false;
	line_changes = 0;
}

static void teardown(void)
{
	pl011_destroy(uart);
	pl031_destroy(rtc);
	pl061_destroy(gpio);
	event_queue_done(&queue);
}

static uint32_t rd_size(const struct bus_device_type *type, void *device, uint64_t offset,
			unsigned size)
{
	uint64_t data = 0;

	ck_assert_int_eq(type->read(device, offset, size, (struct bus_attrs){.pas = PAS_NONSECURE},
				    &data),
			 BUS_OK);
	return (uint32_t)data;
}

static uint32_t rd(uint64_t offset)
{
	return rd_size(&pl011_type, uart, offset, 4);
}

static void wr(uint64_t offset, uint32_t value)
{
	ck_assert_int_eq(pl011_type.write(uart, offset, 4, (struct bus_attrs){.pas = PAS_NONSECURE},
					  value),
			 BUS_OK);
}

// As a driver sets the UART up: 115200 baud from 24 MHz, 8 bits, FIFOs.
static void uart_start(void)
{
	watch(pl011_irq(uart));
	wr(IBRD, 13);
	wr(FBRD, 1);
	wr(LCR_H, 0x70);
	wr(CR, 0x301);
}

START_TEST(uart_reset_values_and_id)
{
	static const uint8_t id[8] = {0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

	ck_assert_uint_eq(rd(FR), RXFE | TXFE);
	ck_assert_uint_eq(rd(CR), 0x300);
	ck_assert_uint_eq(rd(IFLS), 0x12);
	ck_assert_uint_eq(rd(IMSC), 0);
	ck_assert_uint_eq(rd(RIS), 0);
	for (unsigned i = 0; i < 8; i++) {
		ck_assert_uint_eq(rd(0xfe0 + 4 * i), id[i]);
		ck_assert_uint_eq(rd_size(&pl011_type, uart, 0xfe0 + 4 * i, 2), id[i]);
		ck_assert_uint_eq(rd_size(&pl011_type, uart, 0xfe0 + 4 * i, 1), id[i]);
	}
}
END_TEST

START_TEST(uart_sends_at_once_and_raises_tx)
{
	uart_start();
	wr(IMSC, TX);
	ck_assert(!line);
	wr(DR, 'a');
	wr(DR, 'b');
	ck_assert_uint_eq(sent_count, 2);
	ck_assert_mem_eq(sent, "ab", 2);
	ck_assert_uint_eq(rd(FR) & (TXFE | TXFF), TXFE);
	ck_assert(line);
	ck_assert_uint_eq(rd(MIS), TX);
	wr(ICR, TX);
	ck_assert(!line);
	ck_assert_uint_eq(rd(RIS), 0);
}
END_TEST

START_TEST(uart_receives_in_order)
{
	uart_start();
	pl011_receive(uart, 'x');
	pl011_receive(uart, 'y');
	ck_assert_uint_eq(rd(FR) & (RXFE | RXFF), 0);
	ck_assert_uint_eq(rd(DR), 'x');
	ck_assert_uint_eq(rd(DR), 'y');
	ck_assert_uint_eq(rd(FR) & RXFE, RXFE);
	ck_assert_uint_eq(rd(DR), 0);
}
END_TEST

START_TEST(uart_rx_interrupt_at_the_trigger_level)
{
	static const struct {
		uint32_t select;
		unsigned level;
	} cases[] = {{0, 2}, {1, 4}, {2, 8}, {3, 12}, {4, 14}};

	uart_start();
	wr(IMSC, RX);
	wr(IFLS, cases[_i].select << 3);
	for (unsigned n = 1; n < cases[_i].level; n++) {
		pl011_receive(uart, 'x');
		ck_assert(!line);
	}
	pl011_receive(uart, 'x');
	ck_assert(line);
	rd(DR); // below the level again
	ck_assert(!line);
}
END_TEST

START_TEST(uart_receive_timeout_after_32_bits)
{
	// 32 bit times at 24 MHz / (16 * (13 + 1/64)): 32 * 16 * 833 / 64 / 24 MHz = 277.666 us.
	const uint64_t timeout = UINT64_C(32) * 16 * 833 * SECOND / (64 * UINT64_C(24000000));

	uart_start();
	wr(IMSC, RT);
	pl011_receive(uart, 'x');
	ck_assert_uint_eq(event_queue_deadline(&queue), timeout);
	event_queue_run(&queue, timeout - 1);
	ck_assert(!line);
	event_queue_run(&queue, timeout);
	ck_assert(line);
	ck_assert_uint_eq(rd(MIS), RT);
	ck_assert_uint_eq(rd(DR), 'x'); // the FIFO is empty: the interrupt is gone
	ck_assert(!line);
	ck_assert_uint_eq(event_queue_deadline(&queue), EVENT_NEVER);
}
END_TEST

START_TEST(uart_every_byte_restarts_the_timeout)
{
	uint64_t first;

	uart_start();
	wr(IMSC, RT);
	pl011_receive(uart, 'x');
	first = event_queue_deadline(&queue);
	event_queue_run(&queue, first / 2);
	pl011_receive(uart, 'y');
	ck_assert_uint_eq(event_queue_deadline(&queue), first / 2 + first);
	// ICR clears it; what is left in the FIFO raises it again only after a change.
	event_queue_run(&queue, first / 2 + first);
	ck_assert(line);
	wr(ICR, RT);
	ck_assert(!line);
}
END_TEST

START_TEST(uart_without_fifo_holds_one_byte)
{
	uart_start();
	wr(LCR_H, 0x60);
	wr(IMSC, RX);
	pl011_receive(uart, 'x');
	ck_assert(line);
	ck_assert_uint_eq(rd(FR) & RXFF, RXFF);
	ck_assert_uint_eq(rd(DR), 'x');
	ck_assert(!line);
}
END_TEST

START_TEST(uart_overrun_is_reported)
{
	uart_start();
	wr(IMSC, OE);
	for (unsigned i = 0; i < 16; i++) {
		pl011_receive(uart, (uint8_t)('a' + i));
		ck_assert(!line);
	}
	ck_assert_uint_eq(rd(FR) & RXFF, RXFF);
	pl011_receive(uart, 'z');
	ck_assert(line);
	ck_assert_uint_eq(rd(RSR) & 8, 8);
	wr(RSR, 0);
	ck_assert_uint_eq(rd(RSR), 0);
	for (unsigned i = 0; i < 16; i++) {
		ck_assert_uint_eq(rd(DR), 'a' + i);
	}
	// The first byte after the loss carries the flag.
	pl011_receive(uart, 'n');
	ck_assert_uint_eq(rd(DR), 'n' | 1u << 11);
}
END_TEST

START_TEST(uart_takes_input_only_from_a_guest_that_listens)
{
	uart_start();
	ck_assert(!pl011_can_receive(uart));
	wr(IMSC, RX | RT);
	ck_assert(pl011_can_receive(uart));
	ck_assert(pl011_can_interrupt(uart));
	for (unsigned i = 0; i < 16; i++) {
		ck_assert(pl011_can_receive(uart));
		pl011_receive(uart, 'x');
	}
	ck_assert(!pl011_can_receive(uart));
	// Or from one that polls.
	wr(IMSC, 0);
	rd(DR);
	ck_assert(!pl011_can_receive(uart));
	for (unsigned i = 0; i < 8; i++) {
		rd(FR);
	}
	ck_assert(pl011_can_receive(uart));
	ck_assert(!pl011_can_interrupt(uart));
	wr(DR, 'o'); // waiting for room to send is not listening
	ck_assert(!pl011_can_receive(uart));
}
END_TEST

START_TEST(uart_loopback)
{
	uart_start();
	wr(CR, 0x381);
	wr(DR, 'l');
	ck_assert_uint_eq(sent_count, 0);
	pl011_receive(uart, 'n'); // the pin is cut off
	ck_assert_uint_eq(rd(DR), 'l');
	ck_assert_uint_eq(rd(FR) & RXFE, RXFE);
}
END_TEST

START_TEST(rtc_counts_virtual_seconds)
{
	ck_assert_uint_eq(rd_size(&pl031_type, rtc, 0x00, 4), 1000);
	event_queue_run(&queue, 5 * SECOND + 1);
	ck_assert_uint_eq(rd_size(&pl031_type, rtc, 0x00, 4), 1005);
	pl031_type.write(rtc, 0x08, 4, (struct bus_attrs){.pas = PAS_NONSECURE}, 77); // load
	ck_assert_uint_eq(rd_size(&pl031_type, rtc, 0x00, 4), 77);
	event_queue_run(&queue, 7 * SECOND);
	ck_assert_uint_eq(rd_size(&pl031_type, rtc, 0x00, 4), 79);
	ck_assert_uint_eq(rd_size(&pl031_type, rtc, 0xfe0, 4), 0x31);
}
END_TEST

START_TEST(rtc_alarm_rings_at_its_second)
{
	const struct bus_attrs attrs = {.pas = PAS_NONSECURE};

	watch(pl031_irq(rtc));
	pl031_type.write(rtc, 0x10, 4, attrs, 1); // unmask
	pl031_type.write(rtc, 0x04, 4, attrs, 1003); // match
	event_queue_run(&queue, 3 * SECOND - 1);
	ck_assert(!line);
	event_queue_run(&queue, 3 * SECOND);
	ck_assert(line);
	ck_assert_uint_eq(rd_size(&pl031_type, rtc, 0x18, 4), 1);
	pl031_type.write(rtc, 0x1c, 4, attrs, 1);
	ck_assert(!line);
}
END_TEST

static void gw(uint64_t offset, uint32_t value)
{
	ck_assert_int_eq(pl061_type.write(gpio, offset, 4, (struct bus_attrs){.pas = PAS_NONSECURE},
					  value),
			 BUS_OK);
}

static uint32_t gr(uint64_t offset)
{
	return rd_size(&pl061_type, gpio, offset, 4);
}

START_TEST(gpio_address_bits_mask_the_data)
{
	gw(0x400, 0xf0); // DIR: high four are outputs
	gw(0x3fc, 0xff);
	ck_assert_uint_eq(gr(0x3fc), 0xf0);
	gw(0x10 << 2, 0); // only line 4
	ck_assert_uint_eq(gr(0x3fc), 0xe0);
	ck_assert_uint_eq(gr(0x60 << 2), 0x60);
	pl061_set_input(gpio, 3, true);
	ck_assert_uint_eq(gr(0x3fc), 0xe8);
}
END_TEST

START_TEST(gpio_outputs_drive_their_lines)
{
	watch(pl061_output(gpio, 0));
	gw(0x3fc, 1); // an input: nothing happens
	ck_assert(!line);
	gw(0x400, 1);
	gw(0x1 << 2, 1);
	ck_assert(line);
	gw(0x1 << 2, 0);
	ck_assert(!line);
}
END_TEST

START_TEST(gpio_key_interrupts_at_both_edges)
{
	watch(pl061_irq(gpio));
	gw(0x408, 0x08); // IBE
	gw(0x410, 0x08); // IE
	pl061_set_input(gpio, 3, true);
	ck_assert(line);
	ck_assert_uint_eq(gr(0x418), 0x08);
	gw(0x41c, 0x08);
	ck_assert(!line);
	pl061_set_input(gpio, 3, false);
	ck_assert(line);
}
END_TEST

START_TEST(gpio_levels_follow_the_pin)
{
	watch(pl061_irq(gpio));
	gw(0x404, 0x08); // IS
	gw(0x40c, 0x08); // IEV: high
	gw(0x410, 0x08);
	ck_assert(!line);
	pl061_set_input(gpio, 3, true);
	ck_assert(line);
	gw(0x41c, 0x08); // a level is not cleared
	ck_assert(line);
	pl061_set_input(gpio, 3, false);
	ck_assert(!line);
}
END_TEST

START_TEST(gpio_single_edge)
{
	watch(pl061_irq(gpio));
	gw(0x40c, 0); // falling
	gw(0x410, 0x01);
	pl061_set_input(gpio, 0, true);
	ck_assert(!line);
	pl061_set_input(gpio, 0, false);
	ck_assert(line);
	ck_assert_uint_eq(gr(0xfe0), 0x61);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("device");
	TCase *tcase = tcase_create("device");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, uart_reset_values_and_id);
	tcase_add_test(tcase, uart_sends_at_once_and_raises_tx);
	tcase_add_test(tcase, uart_receives_in_order);
	tcase_add_loop_test(tcase, uart_rx_interrupt_at_the_trigger_level, 0, 5);
	tcase_add_test(tcase, uart_receive_timeout_after_32_bits);
	tcase_add_test(tcase, uart_every_byte_restarts_the_timeout);
	tcase_add_test(tcase, uart_without_fifo_holds_one_byte);
	tcase_add_test(tcase, uart_overrun_is_reported);
	tcase_add_test(tcase, uart_takes_input_only_from_a_guest_that_listens);
	tcase_add_test(tcase, uart_loopback);
	tcase_add_test(tcase, rtc_counts_virtual_seconds);
	tcase_add_test(tcase, rtc_alarm_rings_at_its_second);
	tcase_add_test(tcase, gpio_address_bits_mask_the_data);
	tcase_add_test(tcase, gpio_outputs_drive_their_lines);
	tcase_add_test(tcase, gpio_key_interrupts_at_both_edges);
	tcase_add_test(tcase, gpio_levels_follow_the_pin);
	tcase_add_test(tcase, gpio_single_edge);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
