// SPDX-License-Identifier: Apache-2.0
// Putting images into the RAM of a machine: what lies where, and one clear line for everything that
// can't be.
#ifndef STRATA_BOARD_LOADER_H
#define STRATA_BOARD_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board/symbols.h"
#include "bus/bus.h"

// A stretch of RAM that something has been loaded into, [start, end).
struct loader_range {
	uint64_t start, end;
	const char *what; // for messages; lives as long as the loader
};

struct loader {
	struct bus *bus;
	uint64_t ram_base, ram_size; // the main RAM, for placing what has no address of its own
	bool fresh; // RAM is still all zero, so that zeroing touches nothing
	struct symbols *symbols; // gets the symbols of ELF images; may be NULL
	struct loader_range *ranges; // in order of claiming
	size_t range_count, range_capacity;
	char *error; // one line, without newline
	size_t error_size;
};

// What became of an image.
struct image_info {
	uint64_t entry;
	uint64_t base, size; // of a Linux kernel: where it lies, BSS included
	bool is_linux; // started by the arm64 Linux boot protocol
};

void loader_init(struct loader *loader, struct bus *bus, uint64_t ram_base, uint64_t ram_size,
		 bool fresh, char *error, size_t error_size);
void loader_done(struct loader *loader);

// Write the message and return -err.
int loader_fail(struct loader *loader, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

// Take [start, start + size) for `what`: 0, or an error when part of it is not RAM or is taken.
// Size 0 takes nothing.
int loader_claim(struct loader *loader, uint64_t start, uint64_t size, const char *what);

// The lowest free address at or above `from` (else anywhere in main RAM), aligned (a power of two),
// with room for size bytes. False: there is none. Claims nothing.
bool loader_place(const struct loader *loader, uint64_t size, uint64_t align, uint64_t from,
		  uint64_t *address);

// Fill RAM that has been claimed.
void loader_write(struct loader *loader, uint64_t address, const void *data, uint64_t size);
void loader_zero(struct loader *loader, uint64_t address, uint64_t size);

// A file's contents, writable and private. Free with loader_unmap.
struct loader_file {
	uint8_t *data;
	size_t size;
	bool mapped;
};
int loader_map(struct loader *loader, const char *path, struct loader_file *file);
void loader_unmap(struct loader_file *file);

// Load an image from memory, which it may change. name is for messages; flat images go to
// `address`, everything else is recognised by its contents. Safe with any contents.
int image_load(struct loader *loader, const char *name, uint8_t *data, size_t size, bool flat,
	       uint64_t address, struct image_info *info);

// The parts of image_load. `depth` counts the wrappings (compression) taken off so far.
bool elf_recognise(const uint8_t *data, size_t size);
int elf_load(struct loader *loader, const char *name, uint8_t *data, size_t size,
	     struct image_info *info);

// Add the symbols of an ELF file in memory to loader->symbols. Returns how many, or -errno with a
// message.
int elf_symbols(struct loader *loader, const char *name, uint8_t *data, size_t size);

// Decompress into a buffer to be freed with free(), of at most max bytes. name is for messages.
enum compression { COMPRESSION_NONE, COMPRESSION_GZIP, COMPRESSION_ZSTD };
enum compression decompress_recognise(const uint8_t *data, size_t size);
int decompress(struct loader *loader, const char *name, enum compression kind, const uint8_t *data,
	       size_t size, uint64_t max, uint8_t **out, size_t *out_size);

#endif
