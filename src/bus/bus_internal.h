// SPDX-License-Identifier: Apache-2.0
// What the files of the bus room share.
#ifndef STRATA_BUS_BUS_INTERNAL_H
#define STRATA_BUS_BUS_INTERNAL_H

#include <stdint.h>

#include "base/addr.h"
#include "bus/bus.h"

#define TAG_GRANULE 16u
#define TAGS_PER_PAGE (PAGE_SIZE / TAG_GRANULE)

// Zeroed memory that costs nothing until it is touched; NULL when there is none.
void *bus_lazy_alloc(uint64_t size);
void bus_lazy_free(void *p, uint64_t size);

// A page's tags into the checkpoint (-1: out of memory) and back.
int bus_tags_save(struct bus_ram *ram, uint64_t page);
void bus_tags_restore(struct bus_ram *ram, uint64_t page);
void bus_tags_destroy(struct bus_ram *ram);

#endif
