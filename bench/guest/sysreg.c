// SPDX-License-Identifier: Apache-2.0
//
// sysreg.c - system registers that trap nowhere, the interrupt masks, and the counters, read and
// written at EL1.

#include "lib/bench.h"

#define RW_ROUNDS 2500000ul
#define RW_PER_ROUND 20
#define DAIF_ROUNDS 3000000ul
#define DAIF_PER_ROUND 4
#define COUNTER_ROUNDS 3000000ul
#define COUNTER_PER_ROUND 4

static void rw_el1(void)
{
	uint64_t rounds = bench_count(RW_ROUNDS), sum = 0;

	for (uint64_t i = 0; i < rounds; i++) {
		uint64_t a, b, c;

		// Eight writes and twelve reads of what kernels touch most.
		__asm__ volatile("msr tpidr_el0, %3\n\t"
				 "msr tpidr_el1, %3\n\t"
				 "msr sp_el0, %3\n\t"
				 "msr elr_el1, %3\n\t"
				 "msr far_el1, %3\n\t"
				 "msr afsr0_el1, %3\n\t"
				 "msr esr_el1, %3\n\t"
				 "msr tpidrro_el0, %3\n\t"
				 "mrs %0, tpidr_el0\n\t"
				 "mrs %1, tpidr_el1\n\t"
				 "mrs %2, sp_el0\n\t"
				 "add %0, %0, %1\n\t"
				 "mrs %1, elr_el1\n\t"
				 "add %0, %0, %2\n\t"
				 "mrs %2, far_el1\n\t"
				 "add %0, %0, %1\n\t"
				 "mrs %1, tpidrro_el0\n\t"
				 "add %0, %0, %2\n\t"
				 "mrs %2, vbar_el1\n\t"
				 "add %0, %0, %1\n\t"
				 "mrs %1, sctlr_el1\n\t"
				 "add %0, %0, %2\n\t"
				 "mrs %2, tcr_el1\n\t"
				 "mrs %1, ttbr0_el1\n\t"
				 "add %0, %0, %2\n\t"
				 "mrs %2, mair_el1\n\t"
				 "add %0, %0, %2\n\t"
				 "mrs %1, CurrentEL\n\t"
				 "add %0, %0, %1\n\t"
				 : "=&r"(a), "=&r"(b), "=&r"(c)
				 : "r"(i & 0xffffffff));
		sum = mix(sum, a + b);
	}
	bench_done(rounds * RW_PER_ROUND, sum);
}

void bench_sysreg_rw(void)
{
	enter_el1(rw_el1);
}

static void daif_el1(void)
{
	uint64_t rounds = bench_count(DAIF_ROUNDS), sum = 0;

	// As in local_irq_save() and local_irq_restore(), and around them once more.
	for (uint64_t i = 0; i < rounds; i++) {
		uint64_t flags;

		__asm__ volatile("msr daifset, #3\n\t"
				 "mrs %0, daif\n\t"
				 "msr daifclr, #3\n\t"
				 "msr daif, %0\n\t"
				 : "=&r"(flags));
		sum = mix(sum, flags);
	}
	bench_done(rounds * DAIF_PER_ROUND, sum);
}

void bench_daif(void)
{
	enter_el1(daif_el1);
}

static void counter_el1(void)
{
	uint64_t rounds = bench_count(COUNTER_ROUNDS), backwards = 0, last = 0;

	for (uint64_t i = 0; i < rounds; i++) {
		uint64_t a, b, c, d;

		__asm__ volatile("mrs %0, cntvct_el0\n\t"
				 "mrs %1, cntvct_el0\n\t"
				 "mrs %2, cntvct_el0\n\t"
				 "mrs %3, cntvct_el0\n\t"
				 : "=&r"(a), "=&r"(b), "=&r"(c), "=&r"(d));
		backwards += (a < last) + (b < a) + (c < b) + (d < c);
		last = d;
	}
	bench_done(rounds * COUNTER_PER_ROUND, backwards);
}

void bench_counter(void)
{
	enter_el1(counter_el1);
}
