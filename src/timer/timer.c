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
#define KCTL_EVNTIS BIT(17) // EVNTI counts from bit 8 of the counter (FEAT_ECV)

#define CNTHCTL_ECV BIT(12)
#define SCR_ECVEN BIT(28)

#define HCR_TGE BIT(27)
#define HCR_E2H BIT(34)

// The last value of the counter that is reached before virtual time ends.
#define TICK_LAST (UINT64_MAX >> TIMER_NS_SHIFT)

// Whose idea of the count: the system counter's, or less an offset that EL2 chose.
enum view { VIEW_SYSTEM, VIEW_PHYSICAL, VIEW_VIRTUAL, VIEW_COUNT };

struct comparator_row {
	const char *name;
	enum sysreg ctl, cval, tval;
	unsigned ppi;
	enum view view;
};

static const struct comparator_row comparator_rows[TIMER_COUNT] = {
	[TIMER_PHYS] = {"cntp", SR_CNTP_CTL_EL0, SR_CNTP_CVAL_EL0, SR_CNTP_TVAL_EL0, 14,
			VIEW_PHYSICAL},
	[TIMER_VIRT] = {"cntv", SR_CNTV_CTL_EL0, SR_CNTV_CVAL_EL0, SR_CNTV_TVAL_EL0, 11,
			VIEW_VIRTUAL},
	[TIMER_HYP] = {"cnthp", SR_CNTHP_CTL_EL2, SR_CNTHP_CVAL_EL2, SR_CNTHP_TVAL_EL2, 10,
		       VIEW_SYSTEM},
	[TIMER_HYP_VIRT] = {"cnthv", SR_CNTHV_CTL_EL2, SR_CNTHV_CVAL_EL2, SR_CNTHV_TVAL_EL2, 12,
			    VIEW_SYSTEM},
	[TIMER_SEC_PHYS] = {"cntps", SR_CNTPS_CTL_EL1, SR_CNTPS_CVAL_EL1, SR_CNTPS_TVAL_EL1, 13,
			    VIEW_SYSTEM},
	[TIMER_SEC_HYP] = {"cnthps", SR_CNTHPS_CTL_EL2, SR_CNTHPS_CVAL_EL2, SR_CNTHPS_TVAL_EL2, 4,
			   VIEW_SYSTEM},
	[TIMER_SEC_HYP_VIRT] = {"cnthvs", SR_CNTHVS_CTL_EL2, SR_CNTHVS_CVAL_EL2, SR_CNTHVS_TVAL_EL2,
				3, VIEW_SYSTEM},
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
	enum view view;
	struct event event;
};

enum { STREAM_KERNEL, STREAM_HYP, STREAM_COUNT };

struct timer {
	struct pe *pe;
	struct event_queue *queue;
	// What each view takes off the count: zero; CNTPOFF_EL2 where it is enabled; CNTVOFF_EL2.
	uint64_t offsets[VIEW_COUNT];
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
	return count - c->timer->offsets[c->row->view] >= c->cval;
}

// Bring the output and the event of an enabled comparator in line with the registers at `time`.
static void comparator_arm(struct comparator *c, uint64_t time)
{
	struct timer *timer = c->timer;
	uint64_t count = time >> TIMER_NS_SHIFT;
	uint64_t view = count - timer->offsets[c->row->view];
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
// views). CNTPOFF_EL2 is for EL1 and EL0: above, CNTP_TVAL_EL0 is about the system counter.
static uint64_t tval_view(const struct comparator *c)
{
	bool system = c->row->view == VIEW_PHYSICAL && pe_el(c->timer->pe) > 1;

	return counter(c->timer) - c->timer->offsets[system ? VIEW_SYSTEM : c->row->view];
}

static uint64_t tval_read(struct pe *pe, void *opaque, enum sysreg reg)
{
	const struct comparator *c = opaque;

	(void)pe;
	(void)reg;
	return (uint32_t)(c->cval - tval_view(c));
}

static void tval_write(struct pe *pe, void *opaque, enum sysreg reg, uint64_t value)
{
	uint64_t view = tval_view(opaque);

	cval_write(pe, opaque, reg, view + (uint64_t)sext(value, 32));
}

// ---- event streams ------------------------------------------------------------------------------

// An event at every transition of bit EVNTI of the counter, or of its bits from 8 on (EVNTIS), 0 to
// 1 or (EVNTDIR) 1 to 0 (D11.2.5).
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
	period = BIT(KCTL_EVNTI(control) + ((control & KCTL_EVNTIS) ? 9 : 1));
	phase = (control & KCTL_EVNTDIR) ? 0 : period / 2;
	phase = (phase - (count - timer->offsets[s->view])) & (period - 1);
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

// At EL1 and EL0 less CNTPOFF_EL2, where that is enabled.
static uint64_t cntpct_read(struct pe *pe, void *opaque, enum sysreg reg)
{
	const struct timer *timer = opaque;

	(void)reg;
	return counter(timer) - timer->offsets[pe_el(pe) < 2 ? VIEW_PHYSICAL : VIEW_SYSTEM];
}

// CNTVCT_EL0 shows the physical count to a host: at EL2 with E2H, and at EL0 with E2H and TGE.
static uint64_t cntvct_read(struct pe *pe, void *opaque, enum sysreg reg)
{
	const struct timer *timer = opaque;
	uint64_t hcr = pe_hcr(pe);
	unsigned el = pe_el(pe);
	bool host = (hcr & HCR_E2H) && (el == 2 || (el == 0 && (hcr & HCR_TGE)));

	(void)reg;
	return counter(timer) - timer->offsets[host ? VIEW_SYSTEM : VIEW_VIRTUAL];
}

static void cntvoff_write(struct pe *pe, void *opaque, enum sysreg reg, uint64_t value)
{
	struct timer *timer = opaque;
	uint64_t time = timer_time(timer);

	sysreg_set(pe, reg, value);
	timer->offsets[VIEW_VIRTUAL] = value;
	comparator_update(&timer->comparators[TIMER_VIRT]);
	stream_update(&timer->streams[STREAM_KERNEL], time);
}

// CNTPOFF_EL2 as it is in effect: CNTHCTL_EL2.ECV and SCR_EL3.ECVEn let it, and EL2 is enabled and
// not a host with its own EL0 below it.
static uint64_t physical_offset(const struct timer *timer)
{
	const struct pe *pe = timer->pe;
	uint64_t hcr = pe_hcr(pe);

	if (!pe_has(pe, FEAT_ECV_POFF) || !pe_el2_enabled(pe) ||
	    !(sysreg_get(pe, SR_CNTHCTL_EL2) & CNTHCTL_ECV) ||
	    (pe_has(pe, FEAT_EL3) && !(sysreg_get(pe, SR_SCR_EL3) & SCR_ECVEN)) ||
	    ((hcr & HCR_E2H) && (hcr & HCR_TGE))) {
		return 0;
	}
	return sysreg_get(pe, SR_CNTPOFF_EL2);
}

static void physical_offset_changed(struct timer *timer)
{
	uint64_t offset = physical_offset(timer);

	if (offset != timer->offsets[VIEW_PHYSICAL]) {
		timer->offsets[VIEW_PHYSICAL] = offset;
		comparator_update(&timer->comparators[TIMER_PHYS]);
	}
}

// Of CNTPOFF_EL2 and of the registers that decide whether it is in effect.
static void offset_control_write(struct pe *pe, void *opaque, enum sysreg reg, uint64_t value)
{
	sysreg_set(pe, reg, value);
	physical_offset_changed(opaque);
}

static void cnthctl_write(struct pe *pe, void *opaque, enum sysreg reg, uint64_t value)
{
	struct event_stream *s = opaque;

	stream_write(pe, opaque, reg, value);
	physical_offset_changed(s->timer);
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
	sysreg_bind(pe, SR_CNTKCTL_EL1, NULL, stream_write, &timer->streams[STREAM_KERNEL]);
	sysreg_bind(pe, SR_CNTHCTL_EL2, NULL, cnthctl_write, &timer->streams[STREAM_HYP]);
	sysreg_bind(pe, SR_CNTPCT_EL0, cntpct_read, NULL, timer);
	sysreg_bind(pe, SR_CNTVCT_EL0, cntvct_read, NULL, timer);
	// Nothing here is out of order: what synchronises itself reads as the others do.
	sysreg_bind(pe, SR_CNTPCTSS_EL0, cntpct_read, NULL, timer);
	sysreg_bind(pe, SR_CNTVCTSS_EL0, cntvct_read, NULL, timer);
	sysreg_bind(pe, SR_CNTVOFF_EL2, NULL, cntvoff_write, timer);
	if (pe_has(pe, FEAT_ECV_POFF)) {
		sysreg_bind(pe, SR_CNTPOFF_EL2, NULL, offset_control_write, timer);
		sysreg_bind(pe, SR_HCR_EL2, NULL, offset_control_write, timer);
		sysreg_bind(pe, SR_SCR_EL3, NULL, offset_control_write, timer);
	}
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
		s->view = i == STREAM_KERNEL ? VIEW_VIRTUAL : VIEW_SYSTEM;
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
	timer->offsets[VIEW_VIRTUAL] = sysreg_get(timer->pe, SR_CNTVOFF_EL2);
	timer->offsets[VIEW_PHYSICAL] = physical_offset(timer);
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
