// SPDX-License-Identifier: Apache-2.0
//
// exceptions.c - SVC, HVC, SMC and back, and a system register that traps to EL2.

#include "lib/bench.h"

#define LEAST_OPERATIONS 1500000ul
#define FRAME_OPERATIONS 1200000ul
#define TRAP_OPERATIONS 1400000ul

struct frame {
	uint64_t x[31];
	uint64_t elr, spsr, unused;
};

void frame_call(struct frame *frame, uint64_t esr);
void hvc_loop(uint64_t count, uint64_t zero);
void smc_loop(uint64_t count, uint64_t zero);
void hvc_frame_loop(uint64_t count);
void smc_frame_loop(uint64_t count);
void trap_loop(uint64_t count, uint64_t zero);
_Noreturn void trap_done(uint64_t sum);
extern char svc_loop[], svc_frame_loop[], vectors_least[], vectors_svc_frame[], vectors_hvc_frame[],
	vectors_trap[];

// ---- What the frames lead to: a table of calls --------------------------------------------------

static uint64_t call_end(struct frame *frame)
{
	bench_done(bench_count(FRAME_OPERATIONS), frame->x[0]);
}

static uint64_t call_add(struct frame *frame)
{
	return frame->x[0] * 33 + frame->x[1];
}

void frame_call(struct frame *frame, uint64_t esr)
{
	static uint64_t (*const calls[])(struct frame * frame) = {call_end, call_add};
	uint64_t number = frame->x[8];

	if (number >= 2) {
		bench_fail("unknown call", esr);
	}
	frame->x[0] = calls[number](frame);
}

static uint64_t frame_count(void)
{
	uint64_t count = bench_count(FRAME_OPERATIONS);

	if (!count) {
		bench_done(0, 0);
	}
	return count;
}

// ---- The programs -------------------------------------------------------------------------------

static void svc_el1(void)
{
	enter_el0(USER(svc_loop), bench_count(LEAST_OPERATIONS), 0);
}

void bench_svc(void)
{
	write_sysreg(vbar_el1, vectors_least);
	enter_el1(svc_el1);
}

static void svc_frame_el1(void)
{
	enter_el0(USER(svc_frame_loop), frame_count(), 0);
}

void bench_svc_frame(void)
{
	write_sysreg(vbar_el1, vectors_svc_frame);
	enter_el1(svc_frame_el1);
}

static void hvc_el1(void)
{
	hvc_loop(bench_count(LEAST_OPERATIONS), 0);
}

void bench_hvc(void)
{
	write_sysreg(vbar_el2, vectors_least);
	enter_el1(hvc_el1);
}

static void hvc_frame_el1(void)
{
	hvc_frame_loop(frame_count());
}

void bench_hvc_frame(void)
{
	write_sysreg(vbar_el2, vectors_hvc_frame);
	enter_el1(hvc_frame_el1);
}

static void smc_el1(void)
{
	smc_loop(bench_count(LEAST_OPERATIONS), 0);
}

void bench_smc(void)
{
	enter_el1(smc_el1);
}

static void smc_frame_el1(void)
{
	smc_frame_loop(frame_count());
}

void bench_smc_frame(void)
{
	enter_el1(smc_frame_el1);
}

_Noreturn void trap_done(uint64_t sum)
{
	bench_done(bench_count(TRAP_OPERATIONS / 2) * 2, sum);
}

static void trap_el1(void)
{
	uint64_t count = bench_count(TRAP_OPERATIONS / 2);

	if (!count) {
		trap_done(0);
	}
	trap_loop(count, 0);
}

void bench_trap_sysreg(void)
{
	write_sysreg(vbar_el2, vectors_trap);
	write_sysreg(hcr_el2, HCR_BASE | HCR_TVM | HCR_TID3);
	enter_el1(trap_el1);
}
