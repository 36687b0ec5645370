// SPDX-License-Identifier: Apache-2.0
//
// stage2.c - the guest's memory: intermediate physical address (what the guest takes for physical)
// to physical.
//
// 39-bit IPA, 4 KiB granule, start at level 1. What is not mapped here faults to EL2 with the IPA
// in HPFAR_EL2, which is how memory on demand and the virtual device are made.

#include "hyp.h"

#define DESC_VALID 1ul
#define DESC_TABLE 3ul
#define DESC_PAGE 3ul
#define DESC_BLOCK 1ul
#define S2_MEMATTR_NORMAL (0xful << 2) // a type, not an index as in stage 1
#define S2AP_R (1ul << 6)
#define S2AP_W (1ul << 7)
#define SH_INNER (3ul << 8)
#define AF (1ul << 10)
#define S2_XN (1ul << 54)
#define ADDRESS_MASK 0xfffffffff000ul

// T0SZ, SL0 = 1 (level 1 for 4 KiB), walks cacheable, PS 40 bits, RES1.
#define VTCR ((64 - 39) | 1ul << 6 | 1ul << 8 | 1ul << 10 | 3ul << 12 | 2ul << 16 | 1ul << 31)
#define VMID 1ul

extern char guest_code_start[], guest_code_end[], guest_data_start[], guest_data_end[];
extern char user_code_start[], user_code_end[], user_data_start[], user_data_end[];

static uint64_t *root;

static unsigned index_of(uint64_t ipa, int level)
{
	return ipa >> (12 + 9 * (3 - level)) & 511;
}

// The descriptor of ipa at level, with tables made on the way down; NULL where make is false and
// one is missing.
static uint64_t *entry_of(uint64_t ipa, int level, bool make)
{
	uint64_t *table = root;

	for (int l = 1; l < level; l++) {
		uint64_t *entry = &table[index_of(ipa, l)];
		if (!(*entry & DESC_VALID)) {
			if (!make) {
				return NULL;
			}
			*entry = (uint64_t)page_alloc() | DESC_TABLE;
		}
		table = (uint64_t *)(*entry & ADDRESS_MASK);
	}
	return &table[index_of(ipa, level)];
}

// From invalid to valid needs no TLB maintenance, but the walker has to see the new descriptor.
static void set_entry(uint64_t *entry, uint64_t descriptor)
{
	*(volatile uint64_t *)entry = descriptor;
	dsb();
	isb();
}

void stage2_map_page(uint64_t ipa, uint64_t pa, bool writable, bool executable)
{
	set_entry(entry_of(ipa, 3, true), pa | AF | SH_INNER | S2AP_R | (writable ? S2AP_W : 0) |
						  (executable ? 0 : S2_XN) | S2_MEMATTR_NORMAL |
						  DESC_PAGE);
}

void stage2_map_block(uint64_t ipa, uint64_t pa)
{
	set_entry(entry_of(ipa, 2, true),
		  pa | AF | SH_INNER | S2AP_R | S2AP_W | S2_XN | S2_MEMATTR_NORMAL | DESC_BLOCK);
}

uint64_t stage2_lookup(uint64_t ipa)
{
	if (ipa >> 39) {
		return 0;
	}
	for (int level = 1; level <= 3; level++) {
		uint64_t *entry = entry_of(ipa, level, false);
		if (!entry || !(*entry & DESC_VALID)) {
			return 0;
		}
		if (level == 3 || (*entry & DESC_TABLE) == DESC_BLOCK) {
			uint64_t size = 1ul << (12 + 9 * (3 - level));
			return (*entry & ADDRESS_MASK & ~(size - 1)) | (ipa & (size - 1));
		}
	}
	return 0;
}

static void map_identity(const char *start, const char *end, bool writable, bool executable)
{
	for (uint64_t page = (uint64_t)start; page < (uint64_t)end; page += PAGE_SIZE) {
		stage2_map_page(page, page, writable, executable);
	}
}

void stage2_init(void)
{
	root = page_alloc();
	map_identity(guest_code_start, guest_code_end, false, true);
	map_identity(guest_data_start, guest_data_end, true, false);
	map_identity(user_code_start, user_code_end, false, true);
	map_identity(user_data_start, user_data_end, true, false);
	// Here the guest's idea of an address is not ours.
	stage2_map_block(GUEST_RAM, GUEST_RAM_BLOCK);
	write_sysreg(vtcr_el2, VTCR);
	write_sysreg(vttbr_el2, VMID << 48 | (uint64_t)root);
	isb();
}
