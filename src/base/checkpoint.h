// SPDX-License-Identifier: Apache-2.0
// A checkpoint of a machine's state in memory: each room names the stretches of memory that hold
// its state, they are copied, and copied back as often as wanted. It serves the machine that it was
// taken of, in the same process: pointers in the state stay what they are. What is derived (TLBs,
// decoded code) is no part of it; its room forgets it after a restore.
#ifndef STRATA_BASE_CHECKPOINT_H
#define STRATA_BASE_CHECKPOINT_H

#include <stddef.h>

struct checkpoint;
struct event_queue;

struct checkpoint *checkpoint_create(void); // NULL: no memory
void checkpoint_destroy(struct checkpoint *checkpoint);

// Copy `size` bytes now; checkpoint_restore puts them back where they were.
void checkpoint_add(struct checkpoint *checkpoint, void *data, size_t size);

// The same of memory that may be moved by realloc, but never shrinks: *data says where it is.
void checkpoint_add_moving(struct checkpoint *checkpoint, void *data, size_t size);

// The queue itself; the events in it belong to the state of their owners.
void checkpoint_add_queue(struct checkpoint *checkpoint, struct event_queue *queue);

void checkpoint_restore(const struct checkpoint *checkpoint);

#endif
