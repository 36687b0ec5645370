// SPDX-License-Identifier: Apache-2.0
//
// code.c - code that never ran before, code that changes, and indirect calls.

#include "lib/bench.h"

// ---- Code that never ran before -----------------------------------------------------------------

#define FUNCTIONS 60000ul
#define FUNCTION_SIZE 64ul
#define FUNCTION_INSNS 16ul

// One function of 16 instructions: two thirds integer operations, the rest a load, a store and a
// short branch, with immediates that differ from function to function. X0 is the running sum, X1 a
// buffer of 4 KiB.
static void write_function(uint32_t *p, uint64_t *state)
{
	uint64_t r = random_next(state), s = random_next(state);

#define IMM12(value) ((uint32_t)((value)&0xfff) << 10)
#define IMM6(value) ((uint32_t)((value)&0x3f) << 10)
#define SLOT(value) ((uint32_t)((value)&0x1ff) << 10) // of eight bytes
	p[0] = 0x91000000 | IMM12(r); // add x0, x0, #
	p[1] = 0xd2800002 | (uint32_t)(r >> 12 & 0xffff) << 5; // movz x2, #
	p[2] = 0xca020000 | IMM6(r >> 28); // eor x0, x0, x2, lsl #
	p[3] = 0xf9400023 | SLOT(r >> 34); // ldr x3, [x1, #]
	p[4] = 0x8b030000 | IMM6(r >> 43); // add x0, x0, x3, lsl #
	p[5] = 0xf2a00002 | (uint32_t)(s & 0xffff) << 5; // movk x2, #, lsl #16
	p[6] = 0xf100001f | IMM12(s >> 16); // cmp x0, #
	p[7] = 0x54000049; // b.ls to p[9]
	p[8] = 0xcb020000 | IMM6(s >> 28); // sub x0, x0, x2, lsl #
	p[9] = 0x9ac22404; // lsr x4, x0, x2
	p[10] = 0xaa040003 | IMM6(s >> 34); // orr x3, x0, x4, lsl #
	p[11] = 0xf9000023 | SLOT(s >> 40); // str x3, [x1, #]
	p[12] = 0x9b027c84; // mul x4, x4, x2
	p[13] = 0xca040000 | IMM6(s >> 49); // eor x0, x0, x4, lsl #
	p[14] = 0x9a821400; // csinc x0, x0, x2, ne
	p[15] = 0xd65f03c0; // ret
}

static void clean_code(uint64_t from, uint64_t to)
{
	for (uint64_t at = from; at < to; at += 64) {
		__asm__ volatile("dc cvau, %0" ::"r"(at) : "memory");
	}
	__asm__ volatile("dsb ish\n\tic iallu\n\tdsb ish\n\tisb" ::: "memory");
}

static void fresh_el1(void)
{
	static uint64_t buffer[512] __attribute__((aligned(4096)));
	uint64_t count = bench_count(FUNCTIONS), state = 99, sum = 0;

	for (uint64_t i = 0; i < FUNCTIONS; i++) {
		write_function((uint32_t *)(ARENA + i * FUNCTION_SIZE), &state);
	}
	clean_code(ARENA, ARENA + FUNCTIONS * FUNCTION_SIZE);
	for (uint64_t i = 0; i < count; i++) {
		register uint64_t x0 __asm__("x0") = sum;
		register uint64_t *x1 __asm__("x1") = buffer;

		__asm__ volatile("blr %2"
				 : "+r"(x0)
				 : "r"(x1), "r"(ARENA + i * FUNCTION_SIZE)
				 : "x2", "x3", "x4", "x30", "cc", "memory");
		sum = x0;
	}
	bench_done(count * FUNCTION_INSNS, sum);
}

void bench_code_fresh(void)
{
	enter_el1(fresh_el1);
}

// ---- Code that changes --------------------------------------------------------------------------

#define REWRITES 80000ul

static void rewrite_el1(void)
{
	volatile uint32_t *code = (volatile uint32_t *)ARENA;
	uint64_t count = bench_count(REWRITES), sum = 0;

	code[1] = 0x91000400; // add x0, x0, #1
	code[2] = 0xd65f03c0; // ret
	for (uint64_t i = 0; i < count; i++) {
		register uint64_t x0 __asm__("x0");

		code[0] = 0xd2800000 | (uint32_t)(i & 0xffff) << 5; // movz x0, #
		__asm__ volatile("dc cvau, %1\n\t"
				 "dsb ish\n\t"
				 "ic ivau, %1\n\t"
				 "dsb ish\n\t"
				 "isb\n\t"
				 "blr %1\n\t"
				 : "=r"(x0)
				 : "r"(code)
				 : "x30", "memory");
		sum = mix(sum, x0);
	}
	bench_done(count, sum);
}

void bench_code_rewrite(void)
{
	enter_el1(rewrite_el1);
}

// ---- Indirect calls -----------------------------------------------------------------------------

#define TARGETS 1000ul
#define TARGET_SIZE 64ul // functions are seldom smaller
#define CALL_ROUNDS 20000ul

uint64_t indirect_loop(uint64_t *table, uint64_t entries, uint64_t rounds);
extern char indirect_targets[];

static void indirect_el1(void)
{
	static uint64_t table[TARGETS];
	uint64_t rounds = bench_count(CALL_ROUNDS), state = 7;

	for (uint64_t i = 0; i < TARGETS; i++) {
		table[i] = (uint64_t)indirect_targets + i * TARGET_SIZE;
	}
	for (uint64_t i = TARGETS - 1; i > 0; i--) {
		uint64_t j = (random_next(&state) >> 32) * (i + 1) >> 32, entry = table[i];

		table[i] = table[j];
		table[j] = entry;
	}
	bench_done(rounds * TARGETS, rounds ? indirect_loop(table, TARGETS, rounds) : 0);
}

void bench_indirect(void)
{
	enter_el1(indirect_el1);
}
