// SPDX-License-Identifier: Apache-2.0
// Memory that lives as long as its owner, and growing arrays in it.
#ifndef STRATA_TRAPTEST_ARENA_H
#define STRATA_TRAPTEST_ARENA_H

#include <stddef.h>

struct tt_arena;

struct tt_arena *tt_arena_create(void);
void tt_arena_destroy(struct tt_arena *arena);

void *tt_alloc(struct tt_arena *arena, size_t size); // zeroed; never NULL
char *tt_copy(struct tt_arena *arena, const char *text, size_t size); // with a zero after it
char *tt_format(struct tt_arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

// Room for one more: the array `items` of `count` elements, doubled at powers of two.
void *tt_grow(struct tt_arena *arena, void *items, size_t count, size_t size);

#endif
