// SPDX-License-Identifier: Apache-2.0
//
// tlb.c - TLB maintenance and what follows it: by address, everything, and address spaces that take
// turns. The operations are those of the Inner Shareable domain, as operating systems use them.

#include "lib/bench.h"

#define VA_PAGES 16ul
#define VA_OPERATIONS 1600000ul
#define ALL_PAGES 256ul
#define ALL_ROUNDS 14000ul
#define SPACES 64ul
#define SPACE_PAGES 12ul
#define SPACE_SWITCHES 100000ul

static void fill(uint64_t pages)
{
	for (uint64_t i = 0; i < pages; i++) {
		*(uint64_t *)(ARENA + i * PAGE) = i * 0x10001 + 7;
	}
}

static uint64_t read_page(uint64_t page)
{
	return *(volatile uint64_t *)(WINDOW_VA + page * PAGE);
}

// ---- TLBI by address, and the walk after it -----------------------------------------------------

static void va_el1(void)
{
	uint64_t operations = bench_count(VA_OPERATIONS), sum = 0;

	for (uint64_t i = 0; i < operations; i++) {
		uint64_t page = i % VA_PAGES;

		__asm__ volatile("tlbi vae1is, %0\n\tdsb ish\n\tisb" ::"r"((WINDOW_VA >> 12) + page)
				 : "memory");
		sum += read_page(page) ^ i;
	}
	bench_done(operations, sum);
}

void bench_tlbi_va(void)
{
	fill(VA_PAGES);
	map_pages(stage1_root, WINDOW_VA, ARENA, VA_PAGES * PAGE, PT_DATA);
	enter_el1(va_el1);
}

void bench_tlbi_va_stage2(void)
{
	fill(VA_PAGES);
	map_pages(stage1_root, WINDOW_VA, ARENA, VA_PAGES * PAGE, PT_DATA);
	stage2_on(stage2_new(ARENA, ARENA + 2 * MIB));
	enter_el1(va_el1);
}

// ---- TLBI of everything, and the walks after it -------------------------------------------------

static void all_el1(void)
{
	uint64_t rounds = bench_count(ALL_ROUNDS), sum = 0;

	for (uint64_t i = 0; i < rounds; i++) {
		__asm__ volatile("tlbi vmalle1is\n\tdsb ish\n\tisb" ::: "memory");
		for (uint64_t page = 0; page < ALL_PAGES; page++) {
			sum += read_page(page) ^ i;
		}
	}
	bench_done(rounds * ALL_PAGES, sum);
}

void bench_tlbi_all(void)
{
	fill(ALL_PAGES);
	map_pages(stage1_root, WINDOW_VA, ARENA, ALL_PAGES * PAGE, PT_DATA);
	enter_el1(all_el1);
}

// ---- 64 address spaces, each with pages of its own ----------------------------------------------

static uint64_t ttbr[SPACES];

static void spaces_el1(void)
{
	uint64_t switches = bench_count(SPACE_SWITCHES), sum = 0;

	for (uint64_t i = 0; i < switches; i++) {
		write_sysreg(ttbr0_el1, ttbr[i * 37 % SPACES]);
		isb();
		for (uint64_t page = 0; page < SPACE_PAGES; page++) {
			sum += read_page(page) ^ i;
		}
	}
	bench_done(switches, sum);
}

void bench_asid_switch(void)
{
	fill(SPACES * SPACE_PAGES);
	for (uint64_t i = 0; i < SPACES; i++) {
		uint64_t *root = table_new();

		// Kernel and devices are global and shared, as in an operating system.
		for (unsigned j = 0; j < 64; j++) {
			root[j] = stage1_root[j];
		}
		map_pages(root, WINDOW_VA, ARENA + i * SPACE_PAGES * PAGE, SPACE_PAGES * PAGE,
			  PT_DATA | PT_NOT_GLOBAL);
		ttbr[i] = (uint64_t)root | (i + 1) << 48;
	}
	enter_el1(spaces_el1);
}
