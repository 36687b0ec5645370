// SPDX-License-Identifier: Apache-2.0
//
// start.S - entry at EL3 or EL2, the way down to EL1, and what catches an exception that nobody expects.

#include "asm.h"

	.arch armv8-a

	.section .text.start, "ax"
	.global	_start
_start:
	msr	SPSel, #1
	msr	DAIFSet, #15
	address	x0, bss_start
	address	x1, bss_end
1:	cmp	x0, x1
	b.hs	2f
	stp	xzr, xzr, [x0], #16
	b	1b
2:	mrs	x0, CurrentEL
	cmp	x0, #(2 << 2)
	b.eq	start_el2
	b.lo	hang

	// EL3 leaves everything to EL2 but the vectors for SMC.
	address	x0, stack_el3_top
	mov	sp, x0
	address	x0, bench_vectors_el3
	msr	vbar_el3, x0
	bl	runtime_el3
	adr	x0, start_el2
	msr	elr_el3, x0
	mov	x0, #0x3c9			// EL2h, DAIF masked
	msr	spsr_el3, x0
	eret

start_el2:
	msr	SPSel, #1
	address	x0, stack_el2_top
	mov	sp, x0
	address	x0, vectors_unexpected
	msr	vbar_el2, x0
	bl	runtime_el2
hang:
	wfe
	b	hang

	.text

// _Noreturn void enter_el1(void (*fn)(void)): from EL2, with EL1's stack and all interrupts masked
function enter_el1
	msr	elr_el2, x0
	mov	x1, #0x3c5
	msr	spsr_el2, x1
	address	x1, stack_el1_top
	msr	sp_el1, x1
	address	x30, hang
	isb
	eret

// _Noreturn void enter_el0(uint64_t pc, uint64_t x0, uint64_t x1): from EL1; x2 and up are not defined
function enter_el0
	msr	elr_el1, x0
	msr	spsr_el1, xzr
	mov	x0, x1
	mov	x1, x2
	isb
	eret

	.global	bench_unexpected
bench_unexpected:
	mrs	x0, CurrentEL
	lsr	x0, x0, #2
	cmp	x0, #2
	b.eq	2f
	b.hi	3f
	address	x1, stack_el1_top
	mov	sp, x1
	mrs	x1, esr_el1
	mrs	x2, elr_el1
	mrs	x3, far_el1
	b	runtime_unexpected
2:	address	x1, stack_el2_top
	mov	sp, x1
	mrs	x1, esr_el2
	mrs	x2, elr_el2
	mrs	x3, far_el2
	b	runtime_unexpected
3:	address	x1, stack_el3_top
	mov	sp, x1
	mrs	x1, esr_el3
	mrs	x2, elr_el3
	mrs	x3, far_el3
	b	runtime_unexpected

	vector_table vectors_unexpected

	.bss
	.balign	4096
	.space	16384
	.global	stack_el3_top
stack_el3_top:
	.space	16384
	.global	stack_el2_top
stack_el2_top:
	.space	16384
	.global	stack_el1_top
stack_el1_top:
