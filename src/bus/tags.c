// SPDX-License-Identifier: Apache-2.0
// Allocation tags of RAM (FEAT_MTE2): a byte for each granule of 16 bytes, in a table for each page
// in which some tag was set.
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "bus/bus_internal.h"

static unsigned granule(uint64_t pa)
{
	return (unsigned)(pa & PAGE_MASK) / TAG_GRANULE;
}

unsigned bus_tag_get(const struct bus_ram *ram, uint64_t pa)
{
	uint64_t page = (pa - ram->base) >> PAGE_SHIFT;

	if (ram->page_tags == NULL || ram->page_tags[page] == NULL) {
		return 0;
	}
	return ram->page_tags[page][granule(pa)];
}

void bus_tag_set(struct bus_ram *ram, uint64_t pa, unsigned tag)
{
	uint64_t page = (pa - ram->base) >> PAGE_SHIFT;

	if (ram->page_tags == NULL) {
		if (tag == 0) {
			return;
		}
		ram->page_tags =
			bus_lazy_alloc((ram->size >> PAGE_SHIFT) * sizeof(*ram->page_tags));
		CHECK(ram->page_tags != NULL);
	}
	if (ram->page_tags[page] == NULL) {
		if (tag == 0) {
			return;
		}
		ram->page_tags[page] = calloc(1, TAGS_PER_PAGE);
		CHECK(ram->page_tags[page] != NULL);
	}
	ram->page_tags[page][granule(pa)] = (uint8_t)(tag & 15);
	ram->page_flags[page] |= BUS_PAGE_WRITTEN;
}

int bus_tags_save(struct bus_ram *ram, uint64_t page)
{
	if (ram->page_tags == NULL || ram->page_tags[page] == NULL) {
		return 0;
	}
	if (ram->page_tags_saved == NULL) {
		ram->page_tags_saved =
			bus_lazy_alloc((ram->size >> PAGE_SHIFT) * sizeof(*ram->page_tags_saved));
		if (ram->page_tags_saved == NULL) {
			return -1;
		}
	}
	if (ram->page_tags_saved[page] == NULL) {
		ram->page_tags_saved[page] = malloc(TAGS_PER_PAGE);
		if (ram->page_tags_saved[page] == NULL) {
			return -1;
		}
	}
	memcpy(ram->page_tags_saved[page], ram->page_tags[page], TAGS_PER_PAGE);
	return 0;
}

void bus_tags_restore(struct bus_ram *ram, uint64_t page)
{
	if (ram->page_tags == NULL || ram->page_tags[page] == NULL) {
		return;
	}
	if (ram->page_tags_saved != NULL && ram->page_tags_saved[page] != NULL) {
		memcpy(ram->page_tags[page], ram->page_tags_saved[page], TAGS_PER_PAGE);
	} else {
		memset(ram->page_tags[page], 0, TAGS_PER_PAGE);
	}
}

static void table_free(uint8_t **table, uint64_t pages)
{
	if (table != NULL) {
		for (uint64_t i = 0; i < pages; i++) {
			free(table[i]);
		}
		bus_lazy_free(table, pages * sizeof(*table));
	}
}

void bus_tags_destroy(struct bus_ram *ram)
{
	table_free(ram->page_tags, ram->size >> PAGE_SHIFT);
	table_free(ram->page_tags_saved, ram->size >> PAGE_SHIFT);
}
