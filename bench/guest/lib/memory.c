// SPDX-License-Identifier: Apache-2.0
//
// memory.c - translation tables, and the MMUs of the three levels.

#include "bench.h"

#define DESC_TABLE 3ul
#define DESC_BLOCK 1ul
#define DESC_ADDRESS 0xfffffff000ul

#define MAIR 0xff04ul // 0: Device-nGnRE, 1: Normal Write-Back
#define WALKS (1ul << 8 | 1ul << 10 | 3ul << 12) // Write-Back, inner shareable
#define T0SZ (64ul - 39)
#define PS_40 2ul
#define SCTLR_M_C_I (BIT(0) | BIT(2) | BIT(12))
#define SCTLR_EL1_RES1 0x30d00800ul
#define SCTLR_EL2_RES1 0x30c50830ul

#define DEVICES 0x08000000ul
#define DEVICES_END 0x0a000000ul
#define RAM 0x40000000ul

uint64_t *stage1_root;
static uint64_t tables_next = TABLES;

uint64_t *table_new(void)
{
	uint64_t *table = (uint64_t *)tables_next;

	if (tables_next >= TABLES_END) {
		bench_fail("no room for translation tables", tables_next);
	}
	tables_next += PAGE;
	for (unsigned i = 0; i < 512; i++) {
		table[i] = 0;
	}
	return table;
}

uint64_t *table_entry(uint64_t *root, uint64_t address, int level)
{
	uint64_t *entry = &root[address >> 30 & 511];

	for (int l = 2; l <= level; l++) {
		if (!*entry) {
			*entry = (uint64_t)table_new() | DESC_TABLE;
		}
		entry = &((uint64_t *)(*entry & DESC_ADDRESS))[address >> (l == 2 ? 21 : 12) & 511];
	}
	return entry;
}

void map_pages(uint64_t *root, uint64_t address, uint64_t pa, uint64_t size, uint64_t attributes)
{
	for (uint64_t at = 0; at < size; at += PAGE) {
		*table_entry(root, address + at, 3) = page_descriptor(pa + at, attributes);
	}
}

void map_blocks(uint64_t *root, uint64_t address, uint64_t pa, uint64_t size, uint64_t attributes)
{
	for (uint64_t at = 0; at < size; at += 2 * MIB) {
		*table_entry(root, address + at, 2) = (pa + at) | attributes | DESC_BLOCK;
	}
}

uint64_t *stage1_new(void)
{
	uint64_t *root = table_new();

	map_blocks(root, DEVICES, DEVICES, DEVICES_END - DEVICES, PT_DEVICE | PT_UXN | PT_PXN);
	map_blocks(root, RAM, RAM, ARENA_END - RAM, PT_NORMAL);
	map_pages(root, USER_VA, (uint64_t)user_start, (uint64_t)(user_end - user_start),
		  PT_NORMAL | PT_EL0 | PT_READ_ONLY);
	return root;
}

uint64_t *stage2_new(uint64_t pages, uint64_t pages_end)
{
	uint64_t *root = table_new();

	map_blocks(root, DEVICES, DEVICES, DEVICES_END - DEVICES, S2_DEVICE);
	map_blocks(root, RAM, RAM, pages - RAM, S2_NORMAL);
	map_pages(root, pages, pages, pages_end - pages, S2_NORMAL);
	map_blocks(root, pages_end, pages_end, ARENA_END - pages_end, S2_NORMAL);
	return root;
}

void stage2_on(uint64_t *root)
{
	// Start at level 1 (SL0 = 1); bit 31 is RES1.
	write_sysreg(vtcr_el2, T0SZ | 1ul << 6 | WALKS | PS_40 << 16 | BIT(31));
	write_sysreg(vttbr_el2, (uint64_t)root | 1ul << 48);
	write_sysreg(hcr_el2, read_sysreg(hcr_el2) | HCR_VM);
	__asm__ volatile("dsb ish\n\ttlbi alle1\n\tdsb ish\n\tisb" ::: "memory");
}

void memory_on_el1(void)
{
	write_sysreg(mair_el1, MAIR);
	// Nothing by TTBR1 (EPD1); 16-bit ASIDs where there are any (AS).
	write_sysreg(tcr_el1,
		     T0SZ | WALKS | 16ul << 16 | BIT(23) | 2ul << 30 | PS_40 << 32 | BIT(36));
	write_sysreg(ttbr0_el1, stage1_root);
	write_sysreg(sctlr_el1, SCTLR_EL1_RES1 | SCTLR_M_C_I);
	__asm__ volatile("dsb ish\n\ttlbi alle1\n\tdsb ish\n\tisb" ::: "memory");
}

void memory_on_el2(void)
{
	write_sysreg(mair_el2, MAIR);
	write_sysreg(tcr_el2, T0SZ | WALKS | PS_40 << 16 | BIT(31) | BIT(23));
	write_sysreg(ttbr0_el2, stage1_root);
	__asm__ volatile("dsb ish\n\ttlbi alle2\n\tdsb ish\n\tisb" ::: "memory");
	write_sysreg(sctlr_el2, SCTLR_EL2_RES1 | SCTLR_M_C_I);
	isb();
}

void memory_on_el3(void)
{
	write_sysreg(mair_el3, MAIR);
	write_sysreg(tcr_el3, T0SZ | WALKS | PS_40 << 16 | BIT(31) | BIT(23));
	write_sysreg(ttbr0_el3, stage1_root);
	__asm__ volatile("dsb ish\n\ttlbi alle3\n\tdsb ish\n\tisb" ::: "memory");
	write_sysreg(sctlr_el3, SCTLR_EL2_RES1 | SCTLR_M_C_I);
	isb();
}
