// SPDX-License-Identifier: Apache-2.0
// Physical address spaces. Everything mapped is a region; a radix tree by physical page (1 GiB, 2
// MiB, 4 KiB) per address space leads from an address to its region, so that dispatch costs the
// same with two devices or two hundred and a region of any size at any place below 2^52 costs a few
// table words.
#include "bus/bus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/bits.h"
#include "base/check.h"
#include "bus/bus_internal.h"

#define BUS_PA_BITS 52
#define NODE_BITS 9
#define NODE_COUNT (1u << NODE_BITS)
#define LEVEL0_SHIFT 30
#define LEVEL1_SHIFT 21
#define ROOT_COUNT (UINT64_C(1) << (BUS_PA_BITS - LEVEL0_SHIFT))
#define ROOT_SIZE (ROOT_COUNT * sizeof(uint32_t))

// A slot of the tree: 0 nothing, a region's number + 1, or a node's number with this flag.
#define SLOT_NODE UINT32_C(0x80000000)

struct bus_node {
	uint32_t slot[NODE_COUNT];
};

struct bus_entry {
	uint64_t base;
	uint64_t size;
	uint8_t pas_mask;
	struct bus_ram *ram; // NULL for a device
	const struct bus_device_type *type;
	void *device;
};

struct bus {
	struct bus_entry *entries; // in order of mapping; the tree holds their numbers
	size_t entry_count;
	size_t *order; // entry numbers in address order
	struct bus_node **nodes;
	size_t node_count;
	uint32_t *root[PAS_COUNT]; // ROOT_COUNT slots, touched lazily; NULL while nothing is mapped
				   // there
	struct bus_ram *last_ram[PAS_COUNT]; // the one-entry cache of bus_ram_find
	void (*code_written)(void *opaque, struct bus_ram *ram, uint64_t pa);
	void *code_opaque;
};

void *bus_lazy_alloc(uint64_t size)
{
	void *p;

	if (size > SIZE_MAX / 2) {
		return NULL;
	}
	p = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return p == MAP_FAILED ? NULL : p;
}

void bus_lazy_free(void *p, uint64_t size)
{
	if (p != NULL) {
		munmap(p, (size_t)size);
	}
}

struct bus *bus_create(void)
{
	return calloc(1, sizeof(struct bus));
}

static void ram_free(struct bus_ram *ram)
{
	if (ram == NULL) {
		return;
	}
	bus_tags_destroy(ram);
	bus_lazy_free(ram->host, ram->size);
	bus_lazy_free(ram->page_flags, ram->size >> PAGE_SHIFT);
	bus_lazy_free(ram->page_code, (ram->size >> PAGE_SHIFT) * sizeof(*ram->page_code));
	if (ram->page_saved != NULL) {
		for (uint64_t i = 0; i < ram->size >> PAGE_SHIFT; i++) {
			free(ram->page_saved[i]);
		}
		bus_lazy_free(ram->page_saved,
			      (ram->size >> PAGE_SHIFT) * sizeof(*ram->page_saved));
	}
	free(ram);
}

void bus_destroy(struct bus *bus)
{
	if (bus == NULL) {
		return;
	}
	for (size_t i = 0; i < bus->entry_count; i++) {
		ram_free(bus->entries[i].ram);
	}
	for (size_t i = 0; i < bus->node_count; i++) {
		free(bus->nodes[i]);
	}
	for (size_t i = 0; i < PAS_COUNT; i++) {
		bus_lazy_free(bus->root[i], ROOT_SIZE);
	}
	free(bus->entries);
	free(bus->order);
	free(bus->nodes);
	free(bus);
}

// The node behind a slot; a slot that held one value becomes a node full of that value. NULL: no
// memory.
static struct bus_node *slot_split(struct bus *bus, uint32_t *slot)
{
	struct bus_node *node;
	struct bus_node **nodes;

	if (*slot & SLOT_NODE) {
		return bus->nodes[*slot & ~SLOT_NODE];
	}
	nodes = realloc(bus->nodes, (bus->node_count + 1) * sizeof(*nodes));
	if (nodes == NULL) {
		return NULL;
	}
	bus->nodes = nodes;
	node = malloc(sizeof(*node));
	if (node == NULL) {
		return NULL;
	}
	for (size_t i = 0; i < NODE_COUNT; i++) {
		node->slot[i] = *slot;
	}
	nodes[bus->node_count] = node;
	*slot = SLOT_NODE | (uint32_t)bus->node_count++;
	return node;
}

static int tree_fill(struct bus *bus, enum pas pas, uint64_t base, uint64_t size, uint32_t value)
{
	uint64_t pa = base;
	uint64_t end = base + size;

	if (bus->root[pas] == NULL) {
		bus->root[pas] = bus_lazy_alloc(ROOT_SIZE);
		if (bus->root[pas] == NULL) {
			return -ENOMEM;
		}
	}
	while (pa < end) {
		uint32_t *slot = &bus->root[pas][pa >> LEVEL0_SHIFT];
		unsigned shift = LEVEL0_SHIFT;

		while (shift > PAGE_SHIFT &&
		       ((pa & (BIT(shift) - 1)) != 0 || end - pa < BIT(shift))) {
			struct bus_node *node = slot_split(bus, slot);

			if (node == NULL) {
				return -ENOMEM;
			}
			shift -= NODE_BITS;
			slot = &node->slot[(pa >> shift) & (NODE_COUNT - 1)];
		}
		*slot = value;
		pa += BIT(shift);
	}
	return 0;
}

static inline struct bus_entry *entry_find(const struct bus *bus, enum pas pas, uint64_t pa)
{
	uint32_t slot;

	if (unlikely(pa >> BUS_PA_BITS != 0 || bus->root[pas] == NULL)) {
		return NULL;
	}
	slot = bus->root[pas][pa >> LEVEL0_SHIFT];
	if (slot & SLOT_NODE) {
		slot = bus->nodes[slot & ~SLOT_NODE]->slot[(pa >> LEVEL1_SHIFT) & (NODE_COUNT - 1)];
		if (slot & SLOT_NODE) {
			slot = bus->nodes[slot & ~SLOT_NODE]
				       ->slot[(pa >> PAGE_SHIFT) & (NODE_COUNT - 1)];
		}
	}
	return slot == 0 ? NULL : &bus->entries[slot - 1];
}

static int check_range(const struct bus *bus, uint64_t base, uint64_t size, uint8_t pas_mask)
{
	if (size == 0 || (base | size) & PAGE_MASK || base >> BUS_PA_BITS != 0 ||
	    size > BIT(BUS_PA_BITS) - base || pas_mask == 0 || pas_mask >> PAS_COUNT != 0) {
		return -EINVAL;
	}
	for (size_t i = 0; i < bus->entry_count; i++) {
		const struct bus_entry *e = &bus->entries[i];

		if ((e->pas_mask & pas_mask) != 0 && base < e->base + e->size &&
		    e->base < base + size) {
			return -EEXIST;
		}
	}
	return 0;
}

static int entry_add(struct bus *bus, const struct bus_entry *entry)
{
	size_t count = bus->entry_count + 1;
	size_t place = bus->entry_count;
	struct bus_entry *entries = realloc(bus->entries, count * sizeof(*entries));
	size_t *order;

	if (entries == NULL) {
		return -ENOMEM;
	}
	bus->entries = entries;
	order = realloc(bus->order, count * sizeof(*order));
	if (order == NULL) {
		return -ENOMEM;
	}
	bus->order = order;
	for (unsigned pas = 0; pas < PAS_COUNT; pas++) {
		int err = (entry->pas_mask >> pas) & 1
				  ? tree_fill(bus, pas, entry->base, entry->size, (uint32_t)count)
				  : 0;

		if (err != 0) {
			// What was filled names an entry that does not come to be: take it out
			// again.
			for (unsigned p = 0; p <= pas; p++) {
				if ((entry->pas_mask >> p) & 1 && bus->root[p] != NULL) {
					(void)tree_fill(bus, p, entry->base, entry->size, 0);
				}
			}
			return err;
		}
	}
	while (place > 0 && entries[order[place - 1]].base > entry->base) {
		order[place] = order[place - 1];
		place--;
	}
	order[place] = bus->entry_count;
	entries[bus->entry_count] = *entry;
	bus->entry_count = count;
	return 0;
}

int bus_map_ram(struct bus *bus, uint64_t base, uint64_t size, uint8_t pas_mask, bool read_only)
{
	struct bus_entry entry = {.base = base, .size = size, .pas_mask = pas_mask};
	int err = check_range(bus, base, size, pas_mask);
	struct bus_ram *ram;

	if (err != 0) {
		return err;
	}
	ram = calloc(1, sizeof(*ram));
	if (ram == NULL) {
		return -ENOMEM;
	}
	ram->base = base;
	ram->size = size;
	ram->pas_mask = pas_mask;
	ram->read_only = read_only;
	ram->host = bus_lazy_alloc(size);
#ifdef MADV_HUGEPAGE
	// Fresh pages then come 2 MiB at a time where the host has them to give: a fault for each 4
	// KiB costs more than clearing what surrounds it.
	if (ram->host != NULL) {
		(void)madvise(ram->host, size, MADV_HUGEPAGE);
	}
#endif
	ram->page_flags = bus_lazy_alloc(size >> PAGE_SHIFT);
	ram->page_code = bus_lazy_alloc((size >> PAGE_SHIFT) * sizeof(*ram->page_code));
	entry.ram = ram;
	err = ram->host == NULL || ram->page_flags == NULL || ram->page_code == NULL
		      ? -ENOMEM
		      : entry_add(bus, &entry);
	if (err != 0) {
		ram_free(ram);
	}
	return err;
}

int bus_map(struct bus *bus, uint64_t base, uint64_t size, uint8_t pas_mask,
	    const struct bus_device_type *type, void *device)
{
	struct bus_entry entry = {
		.base = base, .size = size, .pas_mask = pas_mask, .type = type, .device = device};
	int err = check_range(bus, base, size, pas_mask);

	CHECK(type->read != NULL && type->write != NULL);
	return err != 0 ? err : entry_add(bus, &entry);
}

struct bus_ram *bus_ram_find(struct bus *bus, enum pas pas, uint64_t pa)
{
	struct bus_ram *ram = bus->last_ram[pas];
	struct bus_entry *entry;

	if (likely(ram != NULL && pa - ram->base < ram->size)) {
		return ram;
	}
	entry = entry_find(bus, pas, pa);
	if (entry == NULL || entry->ram == NULL) {
		return NULL;
	}
	bus->last_ram[pas] = entry->ram;
	return entry->ram;
}

uint8_t *bus_ram_ptr(struct bus *bus, enum pas pas, uint64_t pa, uint64_t size)
{
	struct bus_ram *ram = bus_ram_find(bus, pas, pa);

	if (ram == NULL || size > ram->size - (pa - ram->base)) {
		return NULL;
	}
	return ram->host + (pa - ram->base);
}

static bool size_valid(unsigned size)
{
	return size == 1 || size == 2 || size == 4 || size == 8;
}

// Guest memory is little endian, whatever the host is.
static uint64_t ram_load(const uint8_t *p, unsigned size)
{
	uint64_t value = 0;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	switch (size) {
	case 8:
		memcpy(&value, p, 8);
		break;
	case 4:
		memcpy(&value, p, 4);
		break;
	default:
		memcpy(&value, p, size);
		break;
	}
#else
	for (unsigned i = 0; i < size; i++) {
		value |= (uint64_t)p[i] << (8 * i);
	}
#endif
	return value;
}

static void ram_store(uint8_t *p, unsigned size, uint64_t value)
{
	for (unsigned i = 0; i < size; i++) {
		p[i] = (uint8_t)(value >> (8 * i));
	}
}

static bool device_accepts(const struct bus_entry *entry, uint64_t pa, unsigned size)
{
	return size >= entry->type->min_size && size <= entry->type->max_size &&
	       (pa & (size - 1)) == 0;
}

enum bus_result bus_read(struct bus *bus, uint64_t pa, unsigned size, struct bus_attrs attrs,
			 uint64_t *data)
{
	const struct bus_ram *ram;
	struct bus_entry *entry;

	CHECK(size_valid(size) && attrs.pas < PAS_COUNT);
	*data = 0;
	ram = bus->last_ram[attrs.pas];
	if (ram == NULL || pa - ram->base >= ram->size) {
		entry = entry_find(bus, attrs.pas, pa);
		if (entry == NULL) {
			return BUS_ERROR;
		}
		if (entry->ram == NULL) {
			return device_accepts(entry, pa, size)
				       ? entry->type->read(entry->device, pa - entry->base, size,
							   attrs, data)
				       : BUS_ERROR;
		}
		ram = bus->last_ram[attrs.pas] = entry->ram;
	}
	if (size > ram->size - (pa - ram->base)) {
		return BUS_ERROR;
	}
	*data = ram_load(ram->host + (pa - ram->base), size);
	return BUS_OK;
}

enum bus_result bus_write(struct bus *bus, uint64_t pa, unsigned size, struct bus_attrs attrs,
			  uint64_t data)
{
	struct bus_ram *ram;
	struct bus_entry *entry;
	uint64_t offset;

	CHECK(size_valid(size) && attrs.pas < PAS_COUNT);
	ram = bus->last_ram[attrs.pas];
	if (ram == NULL || pa - ram->base >= ram->size) {
		entry = entry_find(bus, attrs.pas, pa);
		if (entry == NULL) {
			return BUS_ERROR;
		}
		if (entry->ram == NULL) {
			return device_accepts(entry, pa, size)
				       ? entry->type->write(entry->device, pa - entry->base, size,
							    attrs, zext(data, size * 8))
				       : BUS_ERROR;
		}
		ram = bus->last_ram[attrs.pas] = entry->ram;
	}
	offset = pa - ram->base;
	if (ram->read_only || size > ram->size - offset) {
		return BUS_ERROR;
	}
	ram_store(ram->host + offset, size, data);
	bus_code_written(bus, ram, pa);
	if (unlikely(((pa ^ (pa + size - 1)) >> PAGE_SHIFT) != 0)) {
		bus_code_written(bus, ram, pa + size - 1);
	}
	return BUS_OK;
}

static bool range_is_ram(struct bus *bus, enum pas pas, uint64_t pa, uint64_t size)
{
	while (size != 0) {
		struct bus_ram *ram = bus_ram_find(bus, pas, pa);
		uint64_t run;

		if (ram == NULL) {
			return false;
		}
		run = ram->size - (pa - ram->base);
		if (run >= size) {
			return true;
		}
		pa += run;
		size -= run;
	}
	return true;
}

int bus_ram_read(struct bus *bus, enum pas pas, uint64_t pa, void *data, uint64_t size)
{
	uint8_t *to = data;

	if (!range_is_ram(bus, pas, pa, size)) {
		return -EFAULT;
	}
	while (size != 0) {
		struct bus_ram *ram = bus_ram_find(bus, pas, pa);
		uint64_t run = ram->size - (pa - ram->base);

		run = run < size ? run : size;
		memcpy(to, ram->host + (pa - ram->base), run);
		to += run;
		pa += run;
		size -= run;
	}
	return 0;
}

int bus_ram_write(struct bus *bus, enum pas pas, uint64_t pa, const void *data, uint64_t size)
{
	const uint8_t *from = data;

	if (!range_is_ram(bus, pas, pa, size)) {
		return -EFAULT;
	}
	while (size != 0) {
		struct bus_ram *ram = bus_ram_find(bus, pas, pa);
		uint64_t run = ram->size - (pa - ram->base);

		run = run < size ? run : size;
		memcpy(ram->host + (pa - ram->base), from, run);
		for (uint64_t page = align_down(pa, PAGE_SIZE); page < pa + run;
		     page += PAGE_SIZE) {
			bus_code_written(bus, ram, page);
		}
		from += run;
		pa += run;
		size -= run;
	}
	return 0;
}

void bus_set_code_listener(struct bus *bus,
			   void (*written)(void *opaque, struct bus_ram *ram, uint64_t pa),
			   void *opaque)
{
	bus->code_written = written;
	bus->code_opaque = opaque;
}

void bus_code_written(struct bus *bus, struct bus_ram *ram, uint64_t pa)
{
	uint8_t *flags = &ram->page_flags[(pa - ram->base) >> PAGE_SHIFT];

	*flags |= BUS_PAGE_WRITTEN;
	if (unlikely(*flags & BUS_PAGE_CODE) && bus->code_written != NULL) {
		bus->code_written(bus->code_opaque, ram, pa);
	}
}

void bus_reset_devices(struct bus *bus)
{
	for (size_t i = 0; i < bus->entry_count; i++) {
		const struct bus_entry *entry = &bus->entries[i];
		bool first = true;

		if (entry->type == NULL || entry->type->reset == NULL) {
			continue;
		}
		// A device with several windows is reset once.
		for (size_t k = 0; k < i; k++) {
			if (bus->entries[k].device == entry->device &&
			    bus->entries[k].type == entry->type) {
				first = false;
			}
		}
		if (first) {
			entry->type->reset(entry->device);
		}
	}
}

// ---- checkpoints --------------------------------------------------------------------------------

static int save_page(struct bus_ram *ram, uint64_t i)
{
	if (ram->page_saved[i] == NULL) {
		ram->page_saved[i] = malloc(PAGE_SIZE);
		if (ram->page_saved[i] == NULL) {
			return -ENOMEM;
		}
	}
	memcpy(ram->page_saved[i], ram->host + (i << PAGE_SHIFT), PAGE_SIZE);
	if (bus_tags_save(ram, i) != 0) {
		return -ENOMEM;
	}
	ram->page_flags[i] &= (uint8_t)~BUS_PAGE_WRITTEN;
	return 0;
}

static void restore_page(struct bus *bus, struct bus_ram *ram, uint64_t i)
{
	uint8_t *host = ram->host + (i << PAGE_SHIFT);

	if (ram->page_saved[i] != NULL) {
		memcpy(host, ram->page_saved[i], PAGE_SIZE);
	} else {
		memset(host, 0, PAGE_SIZE);
	}
	bus_tags_restore(ram, i);
	bus_code_written(bus, ram, ram->base + (i << PAGE_SHIFT));
	ram->page_flags[i] &= (uint8_t)~BUS_PAGE_WRITTEN;
}

// The next page from i on that was written; eight at a time, since most were not.
static uint64_t next_written(const struct bus_ram *ram, uint64_t i)
{
	uint64_t count = ram->size >> PAGE_SHIFT;
	uint64_t flags;

	while (i < count) {
		if (i % 8 == 0 && i + 8 <= count) {
			memcpy(&flags, &ram->page_flags[i], sizeof(flags));
			if ((flags & (BUS_PAGE_WRITTEN * UINT64_C(0x0101010101010101))) == 0) {
				i += 8;
				continue;
			}
		}
		if (ram->page_flags[i] & BUS_PAGE_WRITTEN) {
			break;
		}
		i++;
	}
	return i;
}

int bus_checkpoint(struct bus *bus)
{
	for (size_t k = 0; k < bus->entry_count; k++) {
		struct bus_ram *ram = bus->entries[k].ram;
		uint64_t count;

		if (ram == NULL) {
			continue;
		}
		count = ram->size >> PAGE_SHIFT;
		if (ram->page_saved == NULL) {
			ram->page_saved = bus_lazy_alloc(count * sizeof(*ram->page_saved));
			if (ram->page_saved == NULL) {
				return -ENOMEM;
			}
		}
		for (uint64_t i = next_written(ram, 0); i < count; i = next_written(ram, i + 1)) {
			if (save_page(ram, i) != 0) {
				return -ENOMEM;
			}
		}
	}
	return 0;
}

void bus_restore(struct bus *bus)
{
	for (size_t k = 0; k < bus->entry_count; k++) {
		struct bus_ram *ram = bus->entries[k].ram;

		if (ram == NULL || ram->page_saved == NULL) {
			continue;
		}
		for (uint64_t i = next_written(ram, 0); i < ram->size >> PAGE_SHIFT;
		     i = next_written(ram, i + 1)) {
			restore_page(bus, ram, i);
		}
	}
}

bool bus_region(const struct bus *bus, size_t index, struct bus_region_info *info)
{
	const struct bus_entry *entry;

	if (index >= bus->entry_count) {
		return false;
	}
	entry = &bus->entries[bus->order[index]];
	info->base = entry->base;
	info->size = entry->size;
	info->pas_mask = entry->pas_mask;
	info->is_ram = entry->ram != NULL;
	info->name = entry->ram == NULL ? entry->type->name : entry->ram->read_only ? "rom" : "ram";
	return true;
}
