// SPDX-License-Identifier: Apache-2.0
// Symbols of what runs on a machine: from ELF files and from System.map, by address and by name.
#ifndef STRATA_BOARD_SYMBOLS_H
#define STRATA_BOARD_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct symbols;

struct symbols *symbols_create(void); // NULL: no memory
void symbols_destroy(struct symbols *symbols);

// Add one; size 0: up to the next symbol. rank orders those of the same address, the highest is
// shown. 0 or -ENOMEM.
int symbols_add(struct symbols *symbols, uint64_t address, uint64_t size, const char *name,
		size_t name_size, unsigned rank);

// Add the lines "ADDRESS TYPE NAME" of a System.map (or of nm). Returns how many, or -EINVAL if it
// is no such file, or -ENOMEM.
int symbols_add_map(struct symbols *symbols, const char *text, size_t size);

// The code of [start, start + size) also runs at `linked` in the symbols' addresses: kernels before
// their MMU is on.
void symbols_alias(struct symbols *symbols, uint64_t start, uint64_t size, uint64_t linked);

// The symbol that covers an address and the offset into it; NULL if none. With el 2, code of an
// alias is also found at any other address that agrees with it in the low 30 bits, where a
// hypervisor keeps its own mapping of the kernel.
const char *symbols_find(const struct symbols *symbols, unsigned el, uint64_t address,
			 uint64_t *offset);

// Address range of a name; false if unknown.
bool symbols_range(const struct symbols *symbols, const char *name, uint64_t *start, uint64_t *end);

size_t symbols_count(const struct symbols *symbols);

#endif
