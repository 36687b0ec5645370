// SPDX-License-Identifier: Apache-2.0
// The generic timers of one PE (Arm ARM D11). Comparators and event streams put exactly one event
// each on the queue: the next moment at which their condition changes; nothing is polled.
#include "timer/timer.h"

#include <stdlib.h>

#include "base/bits.h"
#include "base/check.h"
#include "base/checkpoint.h"
#include "cpu/sysreg.h"

// CNT*_CTL_*
#define CTL_ENABLE BIT(0)
#define CTL_IMASK BIT(1)
#define CTL_ISTATUS BIT(2)

// Event stream fields, at the same place in CNTKCTL_EL1 and in both layouts of CNTHCTL_EL2.
#define KCTL_EVNTEN BIT(2)
#define KCTL_EVNTDIR BIT(3)
#define KCTL_EVNTI(v) ((unsigned)bits((v), 7, 4))

#define HCR_TGE BIT(27)
#define HCR_E2H BIT(34)

// The last value of the counter that is reached before virtual time ends.
#define TICK_LAST (UINT64_MAX >> TIMER_NS_SHIFT)

struct comparator_row {
	const char *name;
	enum sysreg ctl, cval, tval;
	unsigned ppi;
	bool virtual_count; // counts with CNTVOFF_EL2 subtracted
};

static const struct comparator_row comparator_rows[TIMER_COUNT] = {
	[TIMER_PHYS] = {"cntp", SR_CNTP_CTL_EL0, SR_CNTP_CVAL_EL0, SR_CNTP_TVAL_EL0, 14, false},
	[TIMER_VIRT] = {"cntv", SR_CNTV_CTL_EL0, SR_CNTV_CVAL_EL0, SR_CNTV_TVAL_EL0, 11, true},
	[TIMER_HYP] = {"cnthp", SR_CNTHP_CTL_EL2, SR_CNTHP_CVAL_EL2, SR_CNTHP_TVAL_EL2, 10, false},
	[TIMER_HYP_VIRT] = {"cnthv", SR_CNTHV_CTL_EL2, SR_CNTHV_CVAL_EL2, SR_CNTHV_TVAL_EL2, 12,
			    false},
	[TIMER_SEC_PHYS] = {"cntps", SR_CNTPS_CTL_EL1, SR_CNTPS_CVAL_EL1, SR_CNTPS_TVAL_EL1, 13,
			    false},
	[TIMER_SEC_HYP] = {"cnthps", SR_CNTHPS_CTL_EL2, SR_CNTHPS_CVAL_EL2, SR_CNTHPS_TVAL_EL2, 4,
			   false},
	[TIMER_SEC_HYP_VIRT] = {"cnthvs", SR_CNTHVS_CTL_EL2, SR_CNTHVS_CVAL_EL2, SR_CNTHVS_TVAL_EL2,
				3, false},
};

struct comparator {
	struct timer *timer;
	const struct comparator_row *row;
	uint64_t ctl; // ENABLE and IMASK; ISTATUS is computed
	uint64_t cval;
	struct event event; // the next moment at which ISTATUS changes
	struct irq_line line;
};

struct event_stream {
	struct timer *timer;
	enum sysreg control;
	bool virtual_count;
	struct event event;
};

enum { STREAM_KERNEL, STREAM_HYP, STREAM_COUNT };

struct timer {
	struct pe *pe;
	struct event_queue *queue;
	uint64_t offset; // CNTVOFF_EL2, a copy of what sr[] holds
	// Time of the latest event seen here. A PE that lags a little behind the queue must not
	// read an earlier time than that of the interrupt that it has just taken.
	uint64_t time_floor;
	struct comparator comparators[TIMER_COUNT];
	struct event_stream streams[STREAM_COUNT];
};

static uint64_t timer_time(const struct timer *timer)
{
	uint64_t time = pe_time(timer->pe);

	return time > timer->time_floor ? time : timer->time_floor;
}

static uint64_t counter(const struct timer *timer)
{
	return timer_time(timer) >> TIMER_NS_SHIFT;
}

static uint64_t offset_of(const struct timer *timer, bool virtual_count)
{
	return virtual_count ? timer->offset : 0;
}

// The virtual time of the first nanosecond at which the counter has gone `ticks` beyond `count`.
static uint64_t time_of_tick(uint64_t count, uint64_t ticks)
{
	if (ticks > TICK_LAST - count) {
		return EVENT_NEVER;
	}
	return (count + ticks) << TIMER_NS_SHIFT;
}

// ---- comparators --------------------------------------------------------------------------------

// IsTimerConditionMet: an unsigned comparison of the count, less its offset modulo 2^64, with the
// compare value.
static bool condition_met(const struct comparator *c, uint64_t count)
{
	return count - offset_of(c->timer, c->row->virtual_count) >= c->cval;
}

// Bring the output and the event of an enabled comparator in line with the registers at `time`.
static void comparator_arm(struct comparator *c, uint64_t time)
{
	struct timer *timer = c->timer;
	uint64_t count = time >> TIMER_NS_SHIFT;
	uint64_t view = count - offset_of(timer, c->row->virtual_count);
	bool met = view >= c->cval;
	// Not met: it will be when the view reaches CVAL. Met: it ends when the view wraps to zero,
	// which a large CNTVOFF_EL2 brings within reach, unless CVAL is zero.
	uint64_t ticks = met ? -view : c->cval - view;

	event_set(timer->queue, &c->event,
		  met && c->cval == 0 ? EVENT_NEVER : time_of_tick(count, ticks));
	irq_set(&c->line, met && !(c->ctl & CTL_IMASK));
}

// The same of any comparator; what is disabled asks for no time.
static inline void comparator_update(struct comparator *c)
{
	if (c->ctl & CTL_ENABLE) {
		comparator_arm(c, timer_time(c->timer));
		return;
	}
	event_cancel(c->timer->queue, &c->event);
	irq_set(&c->line, false);
}

static void comparator_fire(struct event *event, void *opaque)
{
	struct comparator *c = opaque;

	if (event->time > c->timer->time_floor) {
		c->timer->time_floor = event->time;
	}
	comparator_arm(c, c->timer->time_floor);
}

static uint64_t ctl_read(struct pe *pe, void *opaque, enum sysreg reg)
{
	struct comparator *c = opaque;

	(void)pe;
	(void)reg;
	// ISTATUS is UNKNOWN while the timer is disabled; zero is what software that polls expects.
	if ((c->ctl & CTL_ENABLE) && condition_met(c, counter(c->timer))) {
		return c->ctl | CTL_ISTATUS;
	}
	return c->ctl;
}

static void ctl_write(struct pe *pe, void *opaque, enum sysreg reg, uint64_t value)
{
	struct comparator *c = opaque;

	(void)pe;
	(void)reg;
	c->ctl = value & (CTL_ENABLE | CTL_IMASK);
	comparator_update(c);
}

static uint64_t cval_read(struct pe *pe, void *opaque, enum sysreg reg)
{
	(void)pe;
	(void)reg;
	return ((struct comparator *)opaque)->cval;
}

static void cval_write(struct pe *pe, void *opaque, enum sysreg reg, uint64_t value)
{
	struct comparator *c = opaque;

	(void)pe;
	(void)reg;
	c->cval = value;
	comparator_update(c);
}

// The TimerValue view: the low 32 bits of what is left (D11.2.4, operation of the TimerValue
// views).
static uint64_t tval_read(struct pe *pe, void *opaque, enum sysreg reg)
{
	struct comparator *c = opaque;

	(void)pe;
	(void)reg;
	return (uint32_t)(c->cval -
			  (counter(c->timer) - offset_of(c->timer, c->row->virtual_count)));
}

static void tval_write(struct pe *pe, void *opaque, enum sysreg reg, uint64_t value)
{
	struct comparator *c = opaque;
	uint64_t view = counter(c->timer) - offset_of(c->timer, c->row->virtual_count);

	cval_write(pe, opaque, reg, view + (uint64_t)sext(value, 32));
}

// ---- event streams ------------------------------------------------------------------------------

// An event at every transition of bit EVNTI of the counter, 0 to 1 or (EVNTDIR) 1 to 0 (D11.2.5).
static void stream_update(struct event_stream *s, uint64_t time)
{
	struct timer *timer = s->timer;
	uint64_t control = sysreg_get(timer->pe, s->control);
	uint64_t count = time >> TIMER_NS_SHIFT;
	uint64_t period;
	uint64_t phase;

	if (!(control & KCTL_EVNTEN)) {
		event_cancel(timer->queue, &s->event);
		return;
	}
	period = BIT(KCTL_EVNTI(control) + 1);
	phase = (control & KCTL_EVNTDIR) ? 0 : period / 2;
	phase = (phase - (count - offset_of(timer, s->virtual_count))) & (period - 1);
	event_set(timer->queue, &s->event, time_of_tick(count, phase != 0 ? phase : period));
}

static void stream_fire(struct event *event, void *opaque)
{
	struct event_stream *s = opaque;

	if (event->time > s->timer->time_floor) {
		s->timer->time_floor = event->time;
	}
	stream_update(s, event->time);
	pe_signal_event(s->timer->pe);
}

static void stream_write(struct pe *pe, void *opaque, enum sysreg reg, uint64_t value)
{
	struct event_stream *s = opaque;

	sysreg_set(pe, reg, value);
	stream_update(s, timer_time(s->timer));
}

// ---- counters -----------------------------------------------------------------------------------

static uint64_t cntpct_read(struct pe *pe, void *opaque, enum sysreg reg)
{
	(void)pe;
	(void)reg;
	return counter(opaque);
}

// CNTVCT_EL0 shows the physical count to a host: at EL2 with E2H, and at EL0 with E2H and TGE.
static uint64_t cntvct_read(struct pe *pe, void *opaque, enum sysreg reg)
{
	uint64_t hcr = pe_hcr(pe);
	unsigned el = pe_el(pe);
	bool host = (hcr & HCR_E2H) && (el == 2 || (el == 0 && (hcr & HCR_TGE)));

	(void)reg;
	return counter(opaque) - offset_of(opaque, !host);
}

static void cntvoff_write(struct pe *pe, void *opaque, enum sysreg reg, uint64_t value)
{
	struct timer *timer = opaque;
	uint64_t time = timer_time(timer);

	sysreg_set(pe, reg, value);
	timer->offset = value;
	comparator_update(&timer->comparators[TIMER_VIRT]);
	stream_update(&timer->streams[STREAM_KERNEL], time);
}

// ---- set-up -------------------------------------------------------------------------------------

static void bind_all(struct timer *timer)
{
	struct pe *pe = timer->pe;

	for (unsigned i = 0; i < TIMER_COUNT; i++) {
		struct comparator *c = &timer->comparators[i];

		sysreg_bind(pe, c->row->ctl, ctl_read, ctl_write, c);
		sysreg_bind(pe, c->row->cval, cval_read, cval_write, c);
		sysreg_bind(pe, c->row->tval, tval_read, tval_write, c);
	}
	for (unsigned i = 0; i < STREAM_COUNT; i++) {
		sysreg_bind(pe, timer->streams[i].control, NULL, stream_write, &timer->streams[i]);
	}
	sysreg_bind(pe, SR_CNTPCT_EL0, cntpct_read, NULL, timer);
	sysreg_bind(pe, SR_CNTVCT_EL0, cntvct_read, NULL, timer);
	sysreg_bind(pe, SR_CNTVOFF_EL2, NULL, cntvoff_write, timer);
}

struct timer *timer_new(struct pe *pe, struct event_queue *queue)
{
	struct timer *timer = calloc(1, sizeof(*timer));

	if (timer == NULL) {
		return NULL;
	}
	timer->pe = pe;
	timer->queue = queue;
	for (unsigned i = 0; i < TIMER_COUNT; i++) {
		struct comparator *c = &timer->comparators[i];

		c->timer = timer;
		c->row = &comparator_rows[i];
		event_init(&c->event, c->row->name, comparator_fire, c);
	}
	for (unsigned i = 0; i < STREAM_COUNT; i++) {
		struct event_stream *s = &timer->streams[i];

		s->timer = timer;
		s->control = i == STREAM_KERNEL ? SR_CNTKCTL_EL1 : SR_CNTHCTL_EL2;
		s->virtual_count = i == STREAM_KERNEL;
		event_init(&s->event, i == STREAM_KERNEL ? "event-stream" : "event-stream-el2",
			   stream_fire, s);
		s->event.background = true; // wakes from WFE only
	}
	bind_all(timer);
	timer_reset(timer);
	return timer;
}

void timer_destroy(struct timer *timer)
{
	if (timer == NULL) {
		return;
	}
	for (unsigned i = 0; i < TIMER_COUNT; i++) {
		event_cancel(timer->queue, &timer->comparators[i].event);
	}
	for (unsigned i = 0; i < STREAM_COUNT; i++) {
		event_cancel(timer->queue, &timer->streams[i].event);
	}
	free(timer);
}

void timer_checkpoint(struct timer *timer, struct checkpoint *checkpoint)
{
	checkpoint_add(checkpoint, timer, sizeof(*timer));
}

void timer_reset(struct timer *timer)
{
	uint64_t time;

	// A reset of the machine may start virtual time anew.
	timer->time_floor = 0;
	timer->offset = sysreg_get(timer->pe, SR_CNTVOFF_EL2);
	time = timer_time(timer);
	sysreg_set(timer->pe, SR_CNTFRQ_EL0, TIMER_FREQUENCY);
	for (unsigned i = 0; i < TIMER_COUNT; i++) {
		timer->comparators[i].ctl = 0;
		timer->comparators[i].cval = 0;
		comparator_update(&timer->comparators[i]);
	}
	for (unsigned i = 0; i < STREAM_COUNT; i++) {
		stream_update(&timer->streams[i], time);
	}
}

struct irq_line *timer_line(struct timer *timer, enum timer_which which)
{
	CHECK((unsigned)which < TIMER_COUNT);
	return &timer->comparators[which].line;
}

unsigned timer_ppi(enum timer_which which)
{
	CHECK((unsigned)which < TIMER_COUNT);
	return comparator_rows[which].ppi;
}
