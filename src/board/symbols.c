// SPDX-License-Identifier: Apache-2.0
// The symbol table: an array sorted by address when it is first asked, with the names in one pool.
#include "board/symbols.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"

#define GAP_MAX (UINT64_C(1) << 24) // a symbol without a size covers at most this much
#define ALIASES_MAX 4
#define HYP_BITS 30 // a kernel's mapping of itself for EL2 keeps at least these address bits

struct symbol {
	uint64_t address;
	uint64_t size;
	uint32_t name; // offset into the pool
	uint32_t order; // rank << 28 | sequence, the greater is preferred
};

struct symbols {
	struct symbol *list;
	size_t count, capacity;
	char *pool;
	size_t pool_size, pool_capacity;
	bool sorted;
	struct {
		uint64_t start, size, linked;
	} alias[ALIASES_MAX];
	size_t alias_count;
};

struct symbols *symbols_create(void)
{
	return calloc(1, sizeof(struct symbols));
}

void symbols_destroy(struct symbols *symbols)
{
	if (symbols != NULL) {
		free(symbols->list);
		free(symbols->pool);
		free(symbols);
	}
}

size_t symbols_count(const struct symbols *symbols)
{
	return symbols->count;
}

static bool grow(void **p, size_t *capacity, size_t needed, size_t item)
{
	size_t wanted = *capacity ? *capacity : 1024;
	void *q;

	if (needed <= *capacity) {
		return true;
	}
	while (wanted < needed) {
		wanted *= 2;
	}
	q = realloc(*p, wanted * item);
	if (q == NULL) {
		return false;
	}
	*p = q;
	*capacity = wanted;
	return true;
}

int symbols_add(struct symbols *symbols, uint64_t address, uint64_t size, const char *name,
		size_t name_size, unsigned rank)
{
	void *list = symbols->list;
	void *pool = symbols->pool;
	bool ok;

	if (name_size == 0 || symbols->pool_size + name_size + 1 > UINT32_MAX ||
	    symbols->count >= BIT(28)) {
		return name_size == 0 ? 0 : -ENOMEM;
	}
	ok = grow(&list, &symbols->capacity, symbols->count + 1, sizeof(struct symbol));
	symbols->list = list;
	if (ok) {
		ok = grow(&pool, &symbols->pool_capacity, symbols->pool_size + name_size + 1, 1);
		symbols->pool = pool;
	}
	if (!ok) {
		return -ENOMEM;
	}
	symbols->list[symbols->count] = (struct symbol){
		.address = address,
		.size = size,
		.name = (uint32_t)symbols->pool_size,
		.order = (uint32_t)((rank & 15) << 28 | symbols->count),
	};
	memcpy(symbols->pool + symbols->pool_size, name, name_size);
	symbols->pool[symbols->pool_size + name_size] = '\0';
	symbols->pool_size += name_size + 1;
	symbols->count++;
	symbols->sorted = false;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct symbol *x = a;
	const struct symbol *y = b;

	if (x->address != y->address) {
		return x->address < y->address ? -1 : 1;
	}
	return x->order < y->order ? -1 : x->order > y->order;
}

static void sort(const struct symbols *symbols)
{
	// Sorting changes the order of storage, not what the table says.
	struct symbols *s = (struct symbols *)(uintptr_t)symbols;

	if (!s->sorted && s->count != 0) {
		qsort(s->list, s->count, sizeof(*s->list), compare);
	}
	s->sorted = true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	if (c >= 'a' && c <= 'f') {
		return c - 'a' + 10;
	}
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool has_prefix(const char *name, size_t size, const char *prefix)
{
	size_t n = strlen(prefix);

	return size >= n && memcmp(name, prefix, n) == 0;
}

// One line; false if it is not of the form "HEX TYPE NAME".
static bool map_line(const char *line, size_t size, uint64_t *address, char *type,
		     const char **name, size_t *name_size)
{
	size_t i = 0;

	*address = 0;
	while (i < size && i < 16 && hex_digit(line[i]) >= 0) {
		*address = *address << 4 | (uint64_t)hex_digit(line[i]);
		i++;
	}
	if (i == 0 || i + 3 >= size || line[i] != ' ' || line[i + 2] != ' ') {
		return false;
	}
	*type = line[i + 1];
	*name = line + i + 3;
	*name_size = size - i - 3;
	// nm and kallsyms may put a module's name after a tab.
	for (size_t k = 0; k < *name_size; k++) {
		if ((unsigned char)(*name)[k] <= ' ') {
			*name_size = k;
		}
	}
	return true;
}

// Functions before data, global before local, the plain name before an alias of the same code.
static unsigned map_rank(char type, const char *name, size_t size)
{
	unsigned rank = 0;

	rank += type == 'T' || type == 't' || type == 'W' || type == 'w' ? 4 : 0;
	rank += type >= 'A' && type <= 'Z' ? 2 : 0;
	rank += has_prefix(name, size, "__efistub_") || has_prefix(name, size, "__pi_") ||
				has_prefix(name, size, "__kvm_nvhe_") || name[0] == '.'
			? 0
			: 1;
	return rank;
}

int symbols_add_map(struct symbols *symbols, const char *text, size_t size)
{
	size_t at = 0;
	int count = 0;

	while (at < size) {
		const char *line = text + at;
		const char *newline = memchr(line, '\n', size - at);
		size_t length = newline != NULL ? (size_t)(newline - line) : size - at;
		const char *name;
		size_t name_size;
		uint64_t address;
		char type;

		at += length + 1;
		if (length == 0) {
			continue;
		}
		if (!map_line(line, length, &address, &type, &name, &name_size)) {
			return -EINVAL;
		}
		if (type == 'A' || type == 'a' || type == 'U' || name_size == 0 || name[0] == '$') {
			continue; // absolute values are no places
		}
		if (symbols_add(symbols, address, 0, name, name_size,
				map_rank(type, name, name_size)) != 0) {
			return -ENOMEM;
		}
		count++;
	}
	return count;
}

void symbols_alias(struct symbols *symbols, uint64_t start, uint64_t size, uint64_t linked)
{
	if (symbols->alias_count < ALIASES_MAX) {
		symbols->alias[symbols->alias_count].start = start;
		symbols->alias[symbols->alias_count].size = size;
		symbols->alias[symbols->alias_count].linked = linked;
		symbols->alias_count++;
	}
}

static const char *find_linked(const struct symbols *symbols, uint64_t address, uint64_t *offset)
{
	size_t low = 0;
	size_t high = symbols->count;
	const struct symbol *s;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (symbols->list[mid].address <= address) {
			low = mid + 1;
		} else {
			high = mid;
		}
	}
	if (low == 0) {
		return NULL;
	}
	s = &symbols->list[low - 1];
	*offset = address - s->address;
	if (*offset >= (s->size != 0 ? s->size : GAP_MAX)) {
		// A sized symbol may lie inside a bigger one that began earlier: look back a
		// little.
		for (size_t i = low - 1; i > 0 && low - i < 16; i--) {
			s = &symbols->list[i - 1];
			if (s->size != 0 && address - s->address < s->size) {
				*offset = address - s->address;
				return symbols->pool + s->name;
			}
		}
		return NULL;
	}
	return symbols->pool + s->name;
}

const char *symbols_find(const struct symbols *symbols, unsigned el, uint64_t address,
			 uint64_t *offset)
{
	const char *name;

	sort(symbols);
	for (size_t i = 0; i < symbols->alias_count; i++) {
		uint64_t distance = address - symbols->alias[i].start;

		if (distance < symbols->alias[i].size) {
			return find_linked(symbols, symbols->alias[i].linked + distance, offset);
		}
	}
	name = find_linked(symbols, address, offset);
	for (size_t i = 0; name == NULL && el == 2 && i < symbols->alias_count; i++) {
		uint64_t distance = zext(address - symbols->alias[i].start, HYP_BITS);

		if (distance < symbols->alias[i].size) {
			name = find_linked(symbols, symbols->alias[i].linked + distance, offset);
		}
	}
	return name;
}

bool symbols_range(const struct symbols *symbols, const char *name, uint64_t *start, uint64_t *end)
{
	sort(symbols);
	for (size_t i = 0; i < symbols->count; i++) {
		const struct symbol *s = &symbols->list[i];

		if (strcmp(symbols->pool + s->name, name) != 0) {
			continue;
		}
		*start = s->address;
		*end = s->address + GAP_MAX;
		if (s->size != 0) {
			*end = s->address + s->size;
			return true;
		}
		for (size_t k = i + 1; k < symbols->count; k++) {
			if (symbols->list[k].address != s->address) {
				*end = symbols->list[k].address;
				break;
			}
		}
		return true;
	}
	return false;
}
