// SPDX-License-Identifier: Apache-2.0
//
// guest.S - the assembly of the program that runs trap-test cases under another emulator: entry at
// EL3, the vectors of the three levels, and the way into a case and back.

	.section .text.start, "ax"
	.global _start
_start:
	msr	DAIFSet, #15
	adrp	x0, stack_top
	add	x0, x0, :lo12:stack_top
	mov	sp, x0
	adrp	x0, vectors_el3
	msr	vbar_el3, x0
	isb
	b	guest_main

// EL1 and EL2 leave everything to EL3: the first thing an exception there does is to come here.
	.section .text.low, "ax"
	.balign	4096
	.global vectors_low
vectors_low:
	.rept	16
	.balign	128
	smc	#0xbeef
	b	.
	.endr

	.section .text.high, "ax"
	.balign	4096
	.global vectors_el3
vectors_el3:
	.rept	16
	.balign	128
	b	el3_entry
	.endr

// Outside of a case: a register that is not there; remember it and go on. Else the case is over.
el3_entry:
	stp	x0, x1, [sp, #-16]!
	adrp	x0, in_case
	ldr	w1, [x0, :lo12:in_case]
	cbnz	w1, case_over
	mov	w1, #1
	adrp	x0, setup_fault
	str	w1, [x0, :lo12:setup_fault]
	mrs	x0, elr_el3
	add	x0, x0, #4
	msr	elr_el3, x0
	ldp	x0, x1, [sp], #16
	eret

case_over:
	str	wzr, [x0, :lo12:in_case]
	adrp	x0, saved
	add	x0, x0, :lo12:saved
	ldp	x19, x20, [x0]
	ldp	x21, x22, [x0, #16]
	ldp	x23, x24, [x0, #32]
	ldp	x25, x26, [x0, #48]
	ldp	x27, x28, [x0, #64]
	ldp	x29, x30, [x0, #80]
	ldr	x1, [x0, #96]
	mov	sp, x1
	ret

// void enter_case(uint64_t pc, uint64_t spsr, uint64_t x3): comes back by case_over.
	.global enter_case
enter_case:
	adrp	x9, saved
	add	x9, x9, :lo12:saved
	stp	x19, x20, [x9]
	stp	x21, x22, [x9, #16]
	stp	x23, x24, [x9, #32]
	stp	x25, x26, [x9, #48]
	stp	x27, x28, [x9, #64]
	stp	x29, x30, [x9, #80]
	mov	x10, sp
	str	x10, [x9, #96]
	msr	elr_el3, x0
	msr	spsr_el3, x1
	mov	x3, x2
	mov	w9, #1
	adrp	x10, in_case
	str	w9, [x10, :lo12:in_case]
	dsb	sy
	isb
	ldr	x0, =0x5555555555555555
	mov	x1, x0
	mov	x2, x0
	mov	x9, x0
	mov	x10, x0
	eret

	.bss
	.balign	16
saved:	.skip	128
	.global in_case, setup_fault
in_case:	.skip	4
setup_fault:	.skip	4
	.balign	16
	.skip	16384
stack_top:
