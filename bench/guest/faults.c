// SPDX-License-Identifier: Apache-2.0
//
// faults.c - stage-1 faults that EL1 fixes in its table, and stage-2 faults that EL2 maps. 256 pages are touched one after
// another, each once; then all are taken away again and the TLB is invalidated.

#include "lib/bench.h"

#define PAGES 256ul
#define STAGE1_ROUNDS 2400ul
#define STAGE2_ROUNDS 800ul

// What the handlers read (faults.S).
struct {
	uint64_t window; // VA, or IPA
	uint64_t *table; // of the last level, first entry of the window
	uint64_t descriptor; // of the first page
	uint64_t pages;
} fault_layout;

uint64_t touch_pages(uint64_t va, uint64_t pages);
extern char vectors_stage1[], vectors_stage2[];

static void fill_pages(void)
{
	for (uint64_t i = 0; i < PAGES; i++) {
		*(uint64_t *)(ARENA + i * PAGE) = i * 0x10001 + 7;
	}
}

static void stage1_el1(void)
{
	uint64_t rounds = bench_count(STAGE1_ROUNDS), sum = 0;

	for (uint64_t i = 0; i < rounds; i++) {
		sum = mix(sum, touch_pages(WINDOW_VA, PAGES));
		for (unsigned j = 0; j < PAGES; j++) {
			((volatile uint64_t *)fault_layout.table)[j] = 0;
		}
		__asm__ volatile("dsb ishst\n\ttlbi vmalle1is\n\tdsb ish\n\tisb" ::: "memory");
	}
	bench_done(rounds * PAGES, sum);
}

void bench_stage1_fault(void)
{
	fill_pages();
	fault_layout.window = WINDOW_VA;
	fault_layout.table = table_entry(stage1_root, WINDOW_VA, 3);
	fault_layout.descriptor = page_descriptor(ARENA, PT_DATA);
	fault_layout.pages = PAGES;
	write_sysreg(vbar_el1, vectors_stage1);
	enter_el1(stage1_el1);
}

static void stage2_el1(void)
{
	uint64_t rounds = bench_count(STAGE2_ROUNDS), sum = 0;

	for (uint64_t i = 0; i < rounds; i++) {
		sum = mix(sum, touch_pages(WINDOW_VA, PAGES));
		__asm__ volatile("hvc #0" ::: "memory");
	}
	bench_done(rounds * PAGES, sum);
}

void bench_stage2_fault(void)
{
	uint64_t *stage2 = stage2_new(ARENA, ARENA);

	fill_pages();
	map_pages(stage1_root, WINDOW_VA, WINDOW_IPA, PAGES * PAGE, PT_DATA);
	fault_layout.window = WINDOW_IPA;
	fault_layout.table = table_entry(stage2, WINDOW_IPA, 3);
	fault_layout.descriptor = page_descriptor(ARENA, S2_NORMAL);
	fault_layout.pages = PAGES;
	stage2_on(stage2);
	write_sysreg(vbar_el2, vectors_stage2);
	enter_el1(stage2_el1);
}
