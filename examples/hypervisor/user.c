// SPDX-License-Identifier: Apache-2.0
//
// user.c - the task at EL0. Its code and data lie in pages of their own, the only ones that EL0 may
// use.

#include "user.h"

#include <stdint.h>

static uint64_t syscall(uint64_t number, uint64_t a, uint64_t b)
{
	register uint64_t x0 __asm__("x0") = a;
	register uint64_t x1 __asm__("x1") = b;
	register uint64_t x8 __asm__("x8") = number;

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x1), "r"(x8) : "memory");
	return x0;
}

static const char hello[] = "[EL0] the task speaks, by SVC to EL1 and HVC to EL2\n";

void user_main(void)
{
	syscall(SYSCALL_WRITE, (uint64_t)hello, sizeof(hello) - 1);
	// The kernel's memory, which stage 1 keeps from EL0: a data abort to EL1, and EL2 hears
	// nothing of it.
	__asm__ volatile("ldr xzr, [%0]" ::"r"(0x40200000ul) : "memory");
	syscall(SYSCALL_EXIT, 7, 0);
	__builtin_unreachable();
}
