// SPDX-License-Identifier: Apache-2.0
// The board's end of the console: output is gathered, input waits here until the UART listens, so
// that what is typed early is not lost. Input enters between slices only, that is at a definite
// virtual time.
#include "board/board_internal.h"
#include "device/pl011.h"

void console_flush(struct strata *s)
{
	struct board_console *c = &s->console;

	if (c->out_count != 0 && c->host.write != NULL) {
		c->host.write(c->host.opaque, c->out, c->out_count);
	}
	c->out_count = 0;
}

void console_put(struct strata *s, uint8_t byte)
{
	struct board_console *c = &s->console;

	c->out[c->out_count++] = byte;
	if (c->out_count == sizeof(c->out)) {
		console_flush(s);
	}
}

static int take(struct board_console *c)
{
	int byte;

	if (c->in_count == 0) {
		return -1;
	}
	byte = c->in[c->in_head];
	c->in_head = (c->in_head + 1) % CONSOLE_IN_SIZE;
	c->in_count--;
	return byte;
}

void console_feed(struct strata *s)
{
	while (s->console.in_count != 0 && pl011_can_receive(s->uart)) {
		pl011_receive(s->uart, (uint8_t)take(&s->console));
	}
}

// Read from the host into the ring. Returns what the host's read returned.
static int fill(struct strata *s, uint64_t timeout_ns)
{
	struct board_console *c = &s->console;
	uint8_t data[256];
	size_t room = CONSOLE_IN_SIZE - c->in_count;
	int n;

	if (c->ended || c->host.read == NULL) {
		c->ended = true;
		return STRATA_CONSOLE_END;
	}
	if (room == 0) {
		return 0; // the guest does not listen: the host keeps the rest
	}
	n = c->host.read(c->host.opaque, data, room < sizeof(data) ? room : sizeof(data),
			 timeout_ns);
	for (int i = 0; i < n; i++) {
		c->in[(c->in_head + c->in_count) % CONSOLE_IN_SIZE] = data[i];
		c->in_count++;
	}
	if (n == STRATA_CONSOLE_END) {
		c->ended = true;
	} else if (n == STRATA_CONSOLE_QUIT) {
		board_end(s, STRATA_QUIT, "%s", "");
	} else if (n == STRATA_CONSOLE_POWER_KEY) {
		virt_press_power_key(s);
	}
	return n;
}

void console_poll(struct strata *s, uint64_t timeout_ns)
{
	console_flush(s);
	(void)fill(s, timeout_ns);
	console_feed(s);
}

int console_get(struct strata *s)
{
	console_flush(s);
	while (s->console.in_count == 0) {
		if (fill(s, STRATA_WAIT_FOREVER) == STRATA_CONSOLE_END || s->ended ||
		    atomic_load(&s->stop)) {
			return -1;
		}
	}
	return take(&s->console);
}
