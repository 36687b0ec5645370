// SPDX-License-Identifier: Apache-2.0
// Physical address spaces: RAM, MMIO windows, IRQ lines, and the tracking of pages that hold
// decoded code.
#ifndef STRATA_BUS_BUS_H
#define STRATA_BUS_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

struct bus;

// Who makes an access and how; devices that care (the GIC, an SMMU) look at it.
struct bus_attrs {
	enum pas pas;
	unsigned pe; // index of the requesting PE; BUS_PE_NONE for other masters
	uint32_t stream_id; // of a DMA master
	bool privileged;
	bool instruction;
};

#define BUS_PE_NONE (~0u)

// What a device answers. BUS_ERROR becomes a synchronous external abort at the PE.
enum bus_result { BUS_OK, BUS_ERROR };

// A device type: const, apart from its instances. size is 1, 2, 4 or 8; offset is aligned to size;
// data is zero-extended. Accesses of a size outside [min_size, max_size] are answered BUS_ERROR by
// the bus.
struct bus_device_type {
	const char *name;
	enum bus_result (*read)(void *device, uint64_t offset, unsigned size,
				struct bus_attrs attrs, uint64_t *data);
	enum bus_result (*write)(void *device, uint64_t offset, unsigned size,
				 struct bus_attrs attrs, uint64_t data);
	unsigned min_size;
	unsigned max_size;
	void (*reset)(void *device); // may be NULL
};

// An interrupt line or any other wire: a callback with a number. `set` is called only when the
// level changes by its own bookkeeping in irq_set.
struct irq_line {
	void (*set)(void *opaque, unsigned number, bool level);
	void *opaque;
	unsigned number;
	bool level;
};

static inline void irq_set(struct irq_line *line, bool level)
{
	if (line->level != level) {
		line->level = level;
		if (line->set != NULL) {
			line->set(line->opaque, line->number, level);
		}
	}
}

// Page flags of RAM, kept by physical 4 KiB page. WRITTEN: the page has been written, or may be by
// whoever holds a host pointer to it, since the RAM was mapped or bus_checkpoint or bus_restore
// was called.
enum { BUS_PAGE_CODE = 1, BUS_PAGE_WRITABLE_MAPPED = 2, BUS_PAGE_WRITTEN = 4 };

// A stretch of RAM. Host memory is zero-filled and touched lazily.
struct bus_ram {
	uint64_t base; // physical, page aligned
	uint64_t size; // bytes, multiple of PAGE_SIZE
	uint8_t *host;
	uint8_t *page_flags; // one byte per page
	uint8_t **page_saved; // by bus_checkpoint: NULL (zeros), or a copy of the page
	uint8_t **page_tags; // allocation tags, a byte for each 16: see bus_tag_get. NULL: all zero
	uint8_t **page_tags_saved; // by bus_checkpoint
	void **page_code; // the cpu room's code page, or NULL, one per page
	uint8_t pas_mask; // BIT(enum pas) of the address spaces in which it appears
	bool read_only; // flash: guest writes are ignored by the RAM path and reported as BUS_ERROR
};

struct bus *bus_create(void);
void bus_destroy(struct bus *bus);

// Map RAM. Returns 0, -EINVAL (unaligned, empty, wraps), -EEXIST (overlaps) or -ENOMEM.
int bus_map_ram(struct bus *bus, uint64_t base, uint64_t size, uint8_t pas_mask, bool read_only);

// Map a device's window of `size` bytes at `base`, page aligned. Same errors. pas_mask as for RAM.
int bus_map(struct bus *bus, uint64_t base, uint64_t size, uint8_t pas_mask,
	    const struct bus_device_type *type, void *device);

// The RAM holding this page in this address space, or NULL. Hot: a one-entry cache in front of a
// sorted array.
struct bus_ram *bus_ram_find(struct bus *bus, enum pas pas, uint64_t pa);

// The allocation tag (FEAT_MTE, 0..15) of the 16 bytes at pa, which lies in ram.
unsigned bus_tag_get(const struct bus_ram *ram, uint64_t pa);

// Set it. Tags take memory from the first one of a page that is not zero.
void bus_tag_set(struct bus_ram *ram, uint64_t pa, unsigned tag);

// Host pointer to [pa, pa + size) if it lies wholly in RAM of this address space, else NULL.
uint8_t *bus_ram_ptr(struct bus *bus, enum pas pas, uint64_t pa, uint64_t size);

// One aligned access of 1, 2, 4 or 8 bytes by anyone, to RAM or a device. Little endian.
// Writing RAM this way tells the code tracker.
enum bus_result bus_read(struct bus *bus, uint64_t pa, unsigned size, struct bus_attrs attrs,
			 uint64_t *data);
enum bus_result bus_write(struct bus *bus, uint64_t pa, unsigned size, struct bus_attrs attrs,
			  uint64_t data);

// Any length, any alignment, RAM only (loaders, semihosting, DMA). 0 or -EFAULT when any byte is
// not RAM; then nothing was written. Ignores read_only.
int bus_ram_read(struct bus *bus, enum pas pas, uint64_t pa, void *data, uint64_t size);
int bus_ram_write(struct bus *bus, enum pas pas, uint64_t pa, const void *data, uint64_t size);

// Registered by the cpu room: called when RAM of a page flagged BUS_PAGE_CODE is written by anyone
// through the bus; the callee drops the decoded code and clears the flag.
void bus_set_code_listener(struct bus *bus,
			   void (*written)(void *opaque, struct bus_ram *ram, uint64_t pa),
			   void *opaque);
void bus_code_written(struct bus *bus, struct bus_ram *ram, uint64_t pa);

void bus_reset_devices(struct bus *bus);

// Remember the content of all RAM, in place of what was remembered before; and put it back, which
// costs as much as was written since. Nobody may hold a writable host pointer to RAM across either.
// 0 or -ENOMEM.
int bus_checkpoint(struct bus *bus);
void bus_restore(struct bus *bus);

// Walk over what is mapped, in address order (for `info` listings and the loaders' checks). Returns
// false at the end.
struct bus_region_info {
	uint64_t base;
	uint64_t size;
	const char *name;
	bool is_ram;
	uint8_t pas_mask;
};
bool bus_region(const struct bus *bus, size_t index, struct bus_region_info *info);

#endif
