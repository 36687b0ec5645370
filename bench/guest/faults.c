// SPDX-License-Identifier: Apache-2.0
//
// faults.c - stage-1 faults that EL1 fixes in its table, and stage-2 faults for which EL2 maps a
// page. Pages are touched one after another; only one is mapped at a time, so that each handler
// maps the page that is missing, takes the one before it away, and invalidates what the TLB holds
// of that.

#include "lib/bench.h"

#define PAGES 256ul
#define STAGE1_ROUNDS 2000ul
#define STAGE2_ROUNDS 500ul

// What the handlers read and write (faults.S).
struct {
	uint64_t window; // VA, or IPA
	uint64_t *table; // of the last level, first entry of the window
	uint64_t descriptor; // of the first page
	uint64_t mapped; // number of the page that is there
} fault_layout;

uint64_t touch_pages(uint64_t va, uint64_t pages);
extern char vectors_stage1[], vectors_stage2[];

static void fill_pages(void)
{
	for (uint64_t i = 0; i < PAGES; i++) {
		*(uint64_t *)(ARENA + i * PAGE) = i * 0x10001 + 7;
	}
}

static void touch_el1(uint64_t full)
{
	uint64_t rounds = bench_count(full), sum = 0;

	for (uint64_t i = 0; i < rounds; i++) {
		sum = mix(sum, touch_pages(WINDOW_VA, PAGES));
	}
	bench_done(rounds * PAGES, sum);
}

static void stage1_el1(void)
{
	touch_el1(STAGE1_ROUNDS);
}

void bench_stage1_fault(void)
{
	fill_pages();
	fault_layout.window = WINDOW_VA;
	fault_layout.table = table_entry(stage1_root, WINDOW_VA, 3);
	fault_layout.descriptor = page_descriptor(ARENA, PT_DATA);
	write_sysreg(vbar_el1, vectors_stage1);
	enter_el1(stage1_el1);
}

static void stage2_el1(void)
{
	touch_el1(STAGE2_ROUNDS);
}

void bench_stage2_fault(void)
{
	uint64_t *stage2 = stage2_new(ARENA, ARENA);

	fill_pages();
	map_pages(stage1_root, WINDOW_VA, WINDOW_IPA, PAGES * PAGE, PT_DATA);
	fault_layout.window = WINDOW_IPA;
	fault_layout.table = table_entry(stage2, WINDOW_IPA, 3);
	fault_layout.descriptor = page_descriptor(ARENA, S2_NORMAL);
	stage2_on(stage2);
	write_sysreg(vbar_el2, vectors_stage2);
	enter_el1(stage2_el1);
}
