// SPDX-License-Identifier: Apache-2.0
// A checkpoint: a list of pieces of memory with a copy of each.
#include "base/checkpoint.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/event.h"

struct part {
	void *data; // or the address of the pointer to it
	bool moving;
	size_t size;
	void *copy;
};

struct checkpoint {
	struct part *parts;
	size_t count;
};

struct checkpoint *checkpoint_create(void)
{
	return calloc(1, sizeof(struct checkpoint));
}

void checkpoint_destroy(struct checkpoint *checkpoint)
{
	if (checkpoint == NULL) {
		return;
	}
	for (size_t i = 0; i < checkpoint->count; i++) {
		free(checkpoint->parts[i].copy);
	}
	free(checkpoint->parts);
	free(checkpoint);
}

static void *where(const struct part *part)
{
	void *data = part->data;

	if (part->moving) {
		memcpy(&data, part->data, sizeof(data));
	}
	return data;
}

static void add(struct checkpoint *checkpoint, void *data, size_t size, bool moving)
{
	struct part *parts =
		realloc(checkpoint->parts, (checkpoint->count + 1) * sizeof(*checkpoint->parts));
	struct part *part;

	CHECK(parts != NULL);
	checkpoint->parts = parts;
	part = &parts[checkpoint->count++];
	*part = (struct part){.data = data, .moving = moving, .size = size};
	if (size != 0) {
		part->copy = malloc(size);
		CHECK(part->copy != NULL);
		memcpy(part->copy, where(part), size);
	}
}

void checkpoint_add(struct checkpoint *checkpoint, void *data, size_t size)
{
	add(checkpoint, data, size, false);
}

void checkpoint_add_moving(struct checkpoint *checkpoint, void *data, size_t size)
{
	add(checkpoint, data, size, true);
}

void checkpoint_add_queue(struct checkpoint *checkpoint, struct event_queue *queue)
{
	checkpoint_add(checkpoint, &queue->count, sizeof(queue->count));
	checkpoint_add(checkpoint, &queue->sequence, sizeof(queue->sequence));
	checkpoint_add(checkpoint, &queue->now, sizeof(queue->now));
	checkpoint_add_moving(checkpoint, (void *)&queue->heap,
			      queue->count * sizeof(*queue->heap));
}

void checkpoint_restore(const struct checkpoint *checkpoint)
{
	for (size_t i = 0; i < checkpoint->count; i++) {
		const struct part *part = &checkpoint->parts[i];

		if (part->size != 0) {
			memcpy(where(part), part->copy, part->size);
		}
	}
}
