// SPDX-License-Identifier: Apache-2.0
//
// traffic.c - pointer chases through pages of 4 KiB, streams over fresh and warm pages, and device
// registers.

#include "lib/bench.h"
#include "lib/gic.h"

#define LINE 64ul
#define SMALL (2 * MIB)
#define LARGE (64 * MIB)
#define SMALL_STEPS 6000000ul
#define LARGE_STEPS 2500000ul

static uint64_t chase_size, chase_steps;

// ---- Pointer chases -----------------------------------------------------------------------------

// One cycle through all cache lines in random order (Sattolo's algorithm on line numbers). The
// links are what EL1 sees.
static void link_lines(uint64_t size)
{
	uint64_t lines = size / LINE, state = 0x1234567;

	for (uint64_t i = 0; i < lines; i++) {
		*(uint64_t *)(ARENA + i * LINE) = WINDOW_VA + i * LINE;
	}
	for (uint64_t i = lines - 1; i > 0; i--) {
		uint64_t j = (random_next(&state) >> 32) * i >> 32;
		uint64_t *a = (uint64_t *)(ARENA + i * LINE), *b = (uint64_t *)(ARENA + j * LINE);
		uint64_t link = *a;

		*a = *b;
		*b = link;
	}
}

static void chase_el1(void)
{
	uint64_t steps = bench_count(chase_steps);
	uint64_t *at = (uint64_t *)WINDOW_VA;

	for (uint64_t i = 0; i < steps; i++) {
		at = *(uint64_t *volatile *)at;
	}
	bench_done(steps, (uint64_t)at);
}

static void chase(uint64_t size, uint64_t steps, bool stage2)
{
	chase_size = size;
	chase_steps = steps;
	link_lines(size);
	map_pages(stage1_root, WINDOW_VA, ARENA, size, PT_DATA);
	if (stage2) {
		stage2_on(stage2_new(ARENA, ARENA + size));
	}
	enter_el1(chase_el1);
}

void bench_chase_2m(void)
{
	chase(SMALL, SMALL_STEPS, false);
}

void bench_chase_2m_stage2(void)
{
	chase(SMALL, SMALL_STEPS, true);
}

void bench_chase_64m(void)
{
	chase(LARGE, LARGE_STEPS, false);
}

void bench_chase_64m_stage2(void)
{
	chase(LARGE, LARGE_STEPS, true);
}

// ---- Streams ------------------------------------------------------------------------------------

#define FRESH_SIZE (384 * MIB)
#define WARM_SIZE (512ul << 10)
#define WARM_ROUNDS 4000ul

// Pages that nobody touched before, written by pairs: what a kernel does that clears memory.
static void fresh_el1(void)
{
	uint64_t size = bench_count(FRESH_SIZE / PAGE) * PAGE, sum = 0;

	for (uint64_t at = WINDOW_VA; at < WINDOW_VA + size; at += 64) {
		__asm__ volatile("stp %0, xzr, [%0]\n\t"
				 "stp xzr, xzr, [%0, #16]\n\t"
				 "stp xzr, %0, [%0, #32]\n\t"
				 "stp xzr, xzr, [%0, #48]\n\t" ::"r"(at)
				 : "memory");
	}
	for (uint64_t at = WINDOW_VA; at < WINDOW_VA + size; at += 64 * PAGE) {
		sum = mix(sum, *(volatile uint64_t *)at);
	}
	bench_done(size, sum);
}

void bench_stream_fresh(void)
{
	map_pages(stage1_root, WINDOW_VA, ARENA, FRESH_SIZE, PT_DATA);
	enter_el1(fresh_el1);
}

// A copy back and forth between two warm areas, by pairs. Bytes are those read and those written.
static void warm_el1(void)
{
	uint64_t rounds = bench_count(WARM_ROUNDS), sum = 0;

	for (uint64_t i = 0; i < rounds; i++) {
		uint64_t from = WINDOW_VA + (i & 1) * WARM_SIZE,
			 to = WINDOW_VA + (~i & 1) * WARM_SIZE;
		uint64_t end = from + WARM_SIZE;

		__asm__ volatile("1:	ldp	x2, x3, [%0]\n\t"
				 "ldp	x4, x5, [%0, #16]\n\t"
				 "ldp	x6, x7, [%0, #32]\n\t"
				 "ldp	x8, x9, [%0, #48]\n\t"
				 "add	%0, %0, #64\n\t"
				 "stp	x2, x3, [%1]\n\t"
				 "stp	x4, x5, [%1, #16]\n\t"
				 "stp	x6, x7, [%1, #32]\n\t"
				 "stp	x8, x9, [%1, #48]\n\t"
				 "add	%1, %1, #64\n\t"
				 "cmp	%0, %2\n\t"
				 "b.ne	1b\n\t"
				 : "+r"(from), "+r"(to)
				 : "r"(end)
				 : "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "cc", "memory");
		*(volatile uint64_t *)(to - 8) += i;
	}
	for (uint64_t i = 0; i < 2 * WARM_SIZE; i += 8) {
		sum = mix(sum, *(uint64_t *)(WINDOW_VA + i));
	}
	bench_done(rounds * WARM_SIZE * 2, sum);
}

void bench_stream_warm(void)
{
	uint64_t state = 0x2468ace;

	for (uint64_t i = 0; i < 2 * WARM_SIZE; i += 8) {
		*(uint64_t *)(ARENA + i) = random_next(&state);
	}
	map_pages(stage1_root, WINDOW_VA, ARENA, 2 * WARM_SIZE, PT_DATA);
	enter_el1(warm_el1);
}

// ---- Devices ------------------------------------------------------------------------------------

#define UART 0x09000000ul
#define UART_FR 0x18
#define UART_IMSC 0x38
#define MMIO_ROUNDS 8000000ul

// Each round reads one register and writes another.
static void pl011_el1(void)
{
	uint64_t rounds = bench_count(MMIO_ROUNDS), sum = 0;

	for (uint64_t i = 0; i < rounds; i++) {
		sum += *mmio(UART + UART_FR);
		*mmio(UART + UART_IMSC) = 0;
	}
	bench_done(rounds * 2, sum);
}

void bench_mmio_pl011(void)
{
	enter_el1(pl011_el1);
}

static void gic_el1(void)
{
	uint64_t rounds = bench_count(MMIO_ROUNDS), sum = 0;

	for (uint64_t i = 0; i < rounds; i++) {
		sum += *mmio(GICD + GICD_CTLR) & 0x12;
		*mmio(GICD + GICD_IPRIORITYR + 40) = (uint32_t)i & 0xf0f0f0f0;
	}
	bench_done(rounds * 2, sum + *mmio(GICD + GICD_IPRIORITYR + 40));
}

void bench_mmio_gic(void)
{
	gic_init();
	enter_el1(gic_el1);
}
