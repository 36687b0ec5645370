// SPDX-License-Identifier: Apache-2.0
// The run loop. PEs take turns in slices of virtual time that end at the next event, so that the
// same machine always interleaves in the same way; when all of them wait, time jumps to the next
// event.
#include <stdarg.h>
#include <time.h>

#include "board/board_internal.h"
#include "cpu/pe.h"
#include "cpu/sysreg.h"
#include "device/pl011.h"

#define SLICE_SINGLE UINT64_C(1000000) // nanoseconds, with one PE
#define SLICE_SHARED UINT64_C(2000) // nanoseconds, with several
#define POLL_INTERVAL UINT64_C(1000000) // virtual nanoseconds between looks at the console
#define TICK_PERIOD_MAX \
	UINT64_C(300000000) // virtual nanoseconds within which a background event comes again
#define PACE_STEP UINT64_C(100000000) // host nanoseconds slept before looking at the stop flag

void board_end(struct strata *s, enum strata_outcome outcome, const char *fmt, ...)
{
	va_list args;

	if (s->running >= 0) {
		pe_request_stop(s->pes[s->running].pe);
	}
	if (s->ended) {
		return; // the first reason counts
	}
	s->ended = true;
	s->outcome = outcome;
	va_start(args, fmt);
	vsnprintf(s->message, sizeof(s->message), fmt, args);
	va_end(args);
}

uint64_t board_insns(const struct strata *s)
{
	uint64_t insns = 0;

	for (unsigned i = 0; i < s->pe_count; i++) {
		insns += pe_insns(s->pes[i].pe);
	}
	return insns;
}

uint64_t board_time(const struct strata *s)
{
	return s->now;
}

static bool is_runnable(const struct strata *s, unsigned i)
{
	return pe_is_runnable(s->pes[i].pe);
}

// Let PE i run until `until` or the next event, whichever is earlier by then.
static void run_pe(struct strata *s, unsigned i, uint64_t until)
{
	struct pe *pe = s->pes[i].pe;

	// What this PE stores may be what another one's exclusive monitor is armed for. At once,
	// not when that one runs again: it may be in a WFE that this ends.
	for (unsigned other = 0; other < s->pe_count; other++) {
		if (other != i) {
			pe_clear_exclusive(s->pes[other].pe);
		}
	}
	s->running = (int)i;
	(void)pe_run(pe, until);
	s->running = -1;
}

// One slice of all PEs. Returns the time that the machine has reached then.
static uint64_t run_slice(struct strata *s, uint64_t target)
{
	bool any = false;
	uint64_t latest = s->now;

	for (unsigned i = 0; i < s->pe_count && !s->ended && !s->reset_wanted; i++) {
		uint64_t deadline = event_queue_deadline(&s->queue);
		uint64_t until = target < deadline ? target : deadline;
		uint64_t time;

		if (!is_runnable(s, i)) {
			continue;
		}
		pe_advance(s->pes[i].pe, s->now);
		time = pe_time(s->pes[i].pe);
		if (time < until) {
			run_pe(s, i, until);
			time = pe_time(s->pes[i].pe);
		}
		if (is_runnable(s, i)) {
			any = true;
		}
		latest = time > latest ? time : latest;
	}
	if (!any || s->ended) {
		// All wait, or it is over: the machine has come as far as the last of them did.
		return latest < target ? latest : target;
	}
	// An event that came up during the slice ended it for the PEs after it: it fires before
	// time goes on.
	if (event_queue_deadline(&s->queue) < target) {
		target = event_queue_deadline(&s->queue);
	}
	return target > s->now ? target : s->now;
}

static bool all_wait(const struct strata *s)
{
	for (unsigned i = 0; i < s->pe_count; i++) {
		if (is_runnable(s, i)) {
			return false;
		}
	}
	return true;
}

static bool all_halted(const struct strata *s)
{
	for (unsigned i = 0; i < s->pe_count; i++) {
		if (!pe_is_halted(s->pes[i].pe)) {
			return false;
		}
	}
	return true;
}

static uint64_t host_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void host_sleep(uint64_t ns)
{
	struct timespec t = {.tv_sec = (time_t)(ns / 1000000000),
			     .tv_nsec = (long)(ns % 1000000000)};

	(void)nanosleep(&t, NULL);
}

// Wait up to ns of host time for input; what came is with the UART. Returns how long it took, at
// most ns.
static uint64_t wait_input(struct strata *s, uint64_t ns)
{
	uint64_t begin = host_now();
	uint64_t elapsed;

	console_flush(s);
	if (s->console.ended || s->console.in_count == CONSOLE_IN_SIZE) {
		// No use in asking: sleep by ourselves, but remain ready to be stopped.
		host_sleep(ns < PACE_STEP ? ns : PACE_STEP);
	} else {
		console_poll(s, ns);
	}
	elapsed = host_now() - begin;
	return elapsed < ns ? elapsed : ns;
}

// Every PE waits: go on to the next event, in the host's time where a person is at the console.
static void idle(struct strata *s)
{
	uint64_t deadline = event_queue_deadline(&s->queue);
	bool listening = !s->console.ended && pl011_can_interrupt(s->uart);

	if (s->now - s->idle_since > TICK_PERIOD_MAX) {
		// Event streams have had their chance to end a WFE: what is left can't be woken by
		// them.
		deadline = event_queue_foreground_deadline(&s->queue);
	}
	if (s->options.max_time != 0 && deadline > s->options.max_time && deadline != EVENT_NEVER) {
		s->now = s->options.max_time;
		return;
	}
	if (deadline == EVENT_NEVER) {
		if (all_halted(s)) {
			board_end(s, STRATA_STUCK, "every PE is off");
		} else if (!listening) {
			board_end(s, STRATA_STUCK, "every PE waits with nothing pending");
		} else {
			(void)wait_input(s, STRATA_WAIT_FOREVER);
		}
		return;
	}
	if (s->console.host.paced && deadline > s->now) {
		s->now += wait_input(s, deadline - s->now);
	} else {
		s->now = deadline > s->now ? deadline : s->now;
	}
}

static void check_limits(struct strata *s)
{
	const struct strata_options *o = &s->options;

	if (o->max_time != 0 && s->now >= o->max_time) {
		board_end(s, STRATA_LIMIT, "the limit of %llu ns of virtual time is reached",
			  (unsigned long long)o->max_time);
	} else if (o->max_insns != 0 && board_insns(s) >= o->max_insns) {
		board_end(s, STRATA_LIMIT, "the limit of %llu instructions is reached",
			  (unsigned long long)o->max_insns);
	}
}

// Where the slice that begins now ends at the latest.
static uint64_t slice_target(struct strata *s)
{
	const struct strata_options *o = &s->options;
	uint64_t target = s->now + (s->pe_count == 1 ? SLICE_SINGLE : SLICE_SHARED);

	if (o->max_time != 0 && o->max_time < target) {
		target = o->max_time;
	}
	if (o->max_insns != 0) {
		uint64_t left = (o->max_insns - board_insns(s)) / s->pe_count;

		// One instruction takes one nanosecond.
		if (left < target - s->now) {
			target = s->now + (left != 0 ? left : 1);
		}
	}
	return target;
}

static void restart(struct strata *s)
{
	char error[256];

	s->reset_wanted = false;
	if (board_load(s, false, error, sizeof(error)) != 0) {
		board_end(s, STRATA_FAILED, "can't load again after a reset: %s", error);
		return;
	}
	board_reset(s);
}

void strata_run(struct strata *s, struct strata_result *result)
{
	uint64_t begin = host_now();

	if (!s->runnable) {
		board_end(s, STRATA_FAILED, "nothing is loaded");
	}
	while (!s->ended) {
		event_queue_run(&s->queue, s->now);
		if (s->now >= s->next_poll) {
			console_poll(s, 0);
			s->next_poll = s->now + POLL_INTERVAL;
		}
		if (atomic_load_explicit(&s->stop, memory_order_relaxed)) {
			board_end(s, STRATA_QUIT, "%s", "");
		}
		check_limits(s);
		if (s->ended) {
			break;
		}
		if (all_wait(s)) {
			idle(s);
			continue;
		}
		s->now = run_slice(s, slice_target(s));
		s->idle_since = s->now;
		if (s->reset_wanted && !s->ended) {
			restart(s);
		}
	}
	console_flush(s);
	*result = (struct strata_result){
		.outcome = s->outcome,
		.status = s->status,
		.insns = board_insns(s),
		.time = s->now,
		.host_seconds = (double)(host_now() - begin) / 1e9,
	};
	snprintf(result->message, sizeof(result->message), "%s", s->message);
}

void strata_stop(struct strata *s)
{
	atomic_store(&s->stop, true);
}
