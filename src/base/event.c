// SPDX-License-Identifier: Apache-2.0
// The event queue: a binary heap ordered by (time, sequence).
#include "base/event.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

void event_init(struct event *event, const char *name, event_fn *fn, void *opaque)
{
	memset(event, 0, sizeof(*event));
	event->name = name;
	event->fn = fn;
	event->opaque = opaque;
}

void event_queue_init(struct event_queue *queue)
{
	memset(queue, 0, sizeof(*queue));
}

void event_queue_done(struct event_queue *queue)
{
	free(queue->heap);
	queue->heap = NULL;
	queue->count = queue->capacity = 0;
}

static bool event_before(const struct event *a, const struct event *b)
{
	return a->time != b->time ? a->time < b->time : a->sequence < b->sequence;
}

static void heap_place(struct event_queue *queue, size_t i, struct event *event)
{
	queue->heap[i] = event;
	event->index = i + 1;
}

static void heap_up(struct event_queue *queue, size_t i, struct event *event)
{
	while (i > 0) {
		size_t parent = (i - 1) / 2;

		if (!event_before(event, queue->heap[parent])) {
			break;
		}
		heap_place(queue, i, queue->heap[parent]);
		i = parent;
	}
	heap_place(queue, i, event);
}

static void heap_down(struct event_queue *queue, size_t i, struct event *event)
{
	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= queue->count) {
			break;
		}
		if (child + 1 < queue->count &&
		    event_before(queue->heap[child + 1], queue->heap[child])) {
			child++;
		}
		if (!event_before(queue->heap[child], event)) {
			break;
		}
		heap_place(queue, i, queue->heap[child]);
		i = child;
	}
	heap_place(queue, i, event);
}

void event_remove(struct event_queue *queue, struct event *event)
{
	size_t i = event->index - 1;
	struct event *last;

	CHECK(i < queue->count && queue->heap[i] == event);
	event->index = 0;
	last = queue->heap[--queue->count];
	if (last == event) {
		return;
	}
	if (event_before(last, event)) {
		heap_up(queue, i, last);
	} else {
		heap_down(queue, i, last);
	}
}

void event_set(struct event_queue *queue, struct event *event, uint64_t time)
{
	uint64_t before;

	if (time == EVENT_NEVER) {
		event_cancel(queue, event);
		return;
	}
	before = event_queue_deadline(queue);
	event_cancel(queue, event);
	if (queue->count == queue->capacity) {
		size_t capacity = queue->capacity ? queue->capacity * 2 : 32;
		struct event **heap = realloc(queue->heap, capacity * sizeof(*heap));

		CHECK(heap != NULL);
		queue->heap = heap;
		queue->capacity = capacity;
	}
	event->time = time;
	event->sequence = queue->sequence++;
	queue->count++;
	heap_up(queue, queue->count - 1, event);
	if (time < before && queue->earlier != NULL) {
		queue->earlier(queue->earlier_opaque, time);
	}
}

uint64_t event_queue_foreground_deadline(const struct event_queue *queue)
{
	uint64_t deadline = EVENT_NEVER;

	for (size_t i = 0; i < queue->count; i++) {
		if (!queue->heap[i]->background && queue->heap[i]->time < deadline) {
			deadline = queue->heap[i]->time;
		}
	}
	return deadline;
}

void event_queue_run(struct event_queue *queue, uint64_t now)
{
	while (queue->count != 0 && queue->heap[0]->time <= now) {
		struct event *event = queue->heap[0];

		queue->now = event->time;
		event_remove(queue, event);
		event->fn(event, event->opaque);
	}
	queue->now = now;
}
