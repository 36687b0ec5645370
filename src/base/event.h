// SPDX-License-Identifier: Apache-2.0
// The event queue: what is to happen at a virtual time. One per machine; every device, timer and
// waiting PE hangs its deadline here. Deterministic: events of the same time fire in the order in
// which they were set.
#ifndef STRATA_BASE_EVENT_H
#define STRATA_BASE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Virtual time is counted in cycles of the nominal 1 GHz core clock, that is in nanoseconds, from
// reset.
#define EVENT_NEVER UINT64_MAX

struct event;
typedef void event_fn(struct event *event, void *opaque);

// Embedded in its owner; initialise once with event_init. A pending event belongs to exactly one
// queue.
struct event {
	const char *name;
	event_fn *fn;
	void *opaque;
	uint64_t time; // valid while pending
	uint64_t sequence;
	size_t index; // place in the heap + 1; 0: not pending
	bool background; // set after event_init: a mere tick, which leads to nothing while every PE
			 // is in WFI
};

struct event_queue {
	struct event **heap;
	size_t count;
	size_t capacity;
	uint64_t sequence;
	uint64_t now; // time of the event being fired, else of the last one
	// Called whenever the earliest deadline became earlier, so that a running PE can be told
	// (may be NULL).
	void (*earlier)(void *opaque, uint64_t deadline);
	void *earlier_opaque;
	// The virtual time of whoever runs right now (a PE in the middle of its slice); NULL:
	// `now`.
	uint64_t (*time_source)(void *opaque);
	void *time_source_opaque;
};

// The virtual time at this very moment: what a device uses to stamp and to compute deadlines.
static inline uint64_t event_queue_time(const struct event_queue *queue)
{
	return queue->time_source != NULL ? queue->time_source(queue->time_source_opaque)
					  : queue->now;
}

void event_init(struct event *event, const char *name, event_fn *fn, void *opaque);
void event_queue_init(struct event_queue *queue);
void event_queue_done(struct event_queue *queue);

// (Re)schedule at an absolute virtual time; EVENT_NEVER cancels. A time in the past fires at the
// next run.
void event_set(struct event_queue *queue, struct event *event, uint64_t time);
void event_remove(struct event_queue *queue, struct event *event); // a pending one

static inline bool event_pending(const struct event *event)
{
	return event->index != 0;
}

static inline void event_cancel(struct event_queue *queue, struct event *event)
{
	if (event_pending(event)) {
		event_remove(queue, event);
	}
}

// Deadline of the earliest event, or EVENT_NEVER.
static inline uint64_t event_queue_deadline(const struct event_queue *queue)
{
	return queue->count ? queue->heap[0]->time : EVENT_NEVER;
}

// Deadline of the earliest event that is not in the background, or EVENT_NEVER. Looks at all of
// them.
uint64_t event_queue_foreground_deadline(const struct event_queue *queue);

// Fire, in order, every event whose time is <= now.
void event_queue_run(struct event_queue *queue, uint64_t now);

#endif
