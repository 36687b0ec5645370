// SPDX-License-Identifier: Apache-2.0
//
// interrupts.c - to oneself by SGI, from the virtual timer with and without WFI, and virtual ones
// from EL2.

#include "lib/bench.h"
#include "lib/gic.h"

#define SGI_OPERATIONS 700000ul
#define TIMER_OPERATIONS 200000ul
#define WFI_OPERATIONS 20000ul
#define VIRQ_OPERATIONS 600000ul

_Noreturn void interrupts_done(uint64_t taken, uint64_t sum);
void sgi_loop(uint64_t count);
void timer_loop(uint64_t count);
void wfi_loop(uint64_t count);
void virq_loop(uint64_t count);
extern char vectors_irq[], vectors_timer[], vectors_virq_el2[];

_Noreturn void interrupts_done(uint64_t taken, uint64_t sum)
{
	bench_done(taken, sum);
}

static void sgi_el1(void)
{
	gic_init();
	sgi_loop(bench_count(SGI_OPERATIONS));
}

void bench_sgi(void)
{
	write_sysreg(vbar_el1, vectors_irq);
	enter_el1(sgi_el1);
}

static void timer_el1(void)
{
	gic_init();
	timer_loop(bench_count(TIMER_OPERATIONS));
}

void bench_timer(void)
{
	write_sysreg(vbar_el1, vectors_timer);
	enter_el1(timer_el1);
}

static void wfi_el1(void)
{
	gic_init();
	wfi_loop(bench_count(WFI_OPERATIONS));
}

void bench_wfi(void)
{
	enter_el1(wfi_el1);
}

static void virq_el1(void)
{
	virq_loop(bench_count(VIRQ_OPERATIONS));
}

void bench_virq(void)
{
	write_sysreg(vbar_el1, vectors_irq);
	write_sysreg(vbar_el2, vectors_virq_el2);
	write_sysreg(hcr_el2, HCR_BASE | HCR_IMO | HCR_FMO);
	write_sysreg(S3_4_C12_C11_7, 0xfful << 24 | 3); // ICH_VMCR_EL2: both groups, mask open
	write_sysreg(S3_4_C12_C11_0, 1); // ICH_HCR_EL2.En
	isb();
	enter_el1(virq_el1);
}
