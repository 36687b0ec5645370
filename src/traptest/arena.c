// SPDX-License-Identifier: Apache-2.0
// An arena: chunks in a list.
#include "traptest/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

#define CHUNK_SIZE 65536u

struct chunk {
	struct chunk *next;
	size_t used, size;
	_Alignas(16) char data[];
};

struct tt_arena {
	struct chunk *chunks;
};

struct tt_arena *tt_arena_create(void)
{
	struct tt_arena *arena = calloc(1, sizeof(*arena));

	CHECK(arena != NULL);
	return arena;
}

void tt_arena_destroy(struct tt_arena *arena)
{
	if (arena == NULL) {
		return;
	}
	while (arena->chunks != NULL) {
		struct chunk *chunk = arena->chunks;

		arena->chunks = chunk->next;
		free(chunk);
	}
	free(arena);
}

void *tt_alloc(struct tt_arena *arena, size_t size)
{
	struct chunk *chunk = arena->chunks;
	void *p;

	size = (size + 15) & ~(size_t)15;
	if (chunk == NULL || chunk->size - chunk->used < size) {
		size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;

		chunk = calloc(1, sizeof(*chunk) + room);
		CHECK(chunk != NULL);
		chunk->size = room;
		chunk->next = arena->chunks;
		arena->chunks = chunk;
	}
	p = chunk->data + chunk->used;
	chunk->used += size;
	return p;
}

char *tt_copy(struct tt_arena *arena, const char *text, size_t size)
{
	char *copy = tt_alloc(arena, size + 1);

	memcpy(copy, text, size);
	return copy;
}

char *tt_format(struct tt_arena *arena, const char *fmt, ...)
{
	va_list args;
	char *text;
	int size;

	va_start(args, fmt);
	size = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	text = tt_alloc(arena, (size_t)size + 1);
	va_start(args, fmt);
	vsnprintf(text, (size_t)size + 1, fmt, args);
	va_end(args);
	return text;
}

void *tt_grow(struct tt_arena *arena, void *items, size_t count, size_t size)
{
	void *grown;

	if ((count & (count - 1)) != 0) {
		return items;
	}
	grown = tt_alloc(arena, (count == 0 ? 1 : count * 2) * size);
	if (count != 0) {
		memcpy(grown, items, count * size);
	}
	return grown;
}
