// SPDX-License-Identifier: Apache-2.0
//
// uart.c - the console: a PL011.

#include "hyp.h"

#include <stdarg.h>

#define UARTDR 0x00
#define UARTFR 0x18
#define UARTFR_TXFF (1u << 5)
#define UARTLCR_H 0x2c
#define UARTCR 0x30

void uart_init(void)
{
	write32(PL011_BASE + UARTCR, 0);
	write32(PL011_BASE + UARTLCR_H, 3u << 5 | 1u << 4); // 8 bits, FIFOs
	write32(PL011_BASE + UARTCR, 1u << 0 | 1u << 8 | 1u << 9); // enable, transmit, receive
}

void uart_putc(char c)
{
	if (c == '\n') {
		uart_putc('\r');
	}
	while (read32(PL011_BASE + UARTFR) & UARTFR_TXFF) {
	}
	write32(PL011_BASE + UARTDR, (uint8_t)c);
}

static void put_number(uint64_t value, unsigned base)
{
	char digits[20];
	unsigned n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	while (n) {
		uart_putc(digits[--n]);
	}
}

void uart_print(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	for (; *format; format++) {
		if (*format != '%') {
			uart_putc(*format);
			continue;
		}
		switch (*++format) {
		case 's':
			for (const char *s = va_arg(args, const char *); *s; s++) {
				uart_putc(*s);
			}
			break;
		case 'c':
			uart_putc((char)va_arg(args, int));
			break;
		case 'u':
			put_number(va_arg(args, uint64_t), 10);
			break;
		case 'x':
			uart_putc('0');
			uart_putc('x');
			put_number(va_arg(args, uint64_t), 16);
			break;
		default:
			uart_putc(*format);
			break;
		}
	}
	va_end(args);
}
