// SPDX-License-Identifier: Apache-2.0
//
// guest.S - the guest kernel's entry, vectors, and its way into the EL0 task and back.

#include "arch.h"

	.section .text, "ax"
	.global guest_entry
guest_entry:
	adrp	x0, guest_stack_top
	add	sp, x0, :lo12:guest_stack_top
	adrp	x0, guest_vectors
	add	x0, x0, :lo12:guest_vectors
	msr	vbar_el1, x0
	isb
	bl	guest_main			// does not return

// uint64_t guest_call(x0, x1, x2), by HVC and by SMC
	.global guest_hvc
guest_hvc:
	hvc	#0
	ret
	.global guest_smc
guest_smc:
	smc	#0
	ret

// void guest_run_task(entry, stack): runs EL0 until the task exits by its system call.
	.global guest_run_task
guest_run_task:
	stp	x29, x30, [sp, #-96]!
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	adrp	x2, kernel_sp
	add	x2, x2, :lo12:kernel_sp
	mov	x3, sp
	str	x3, [x2]
	msr	elr_el1, x0
	msr	sp_el0, x1
	mov	x2, #SPSR_EL0T			// interrupts open
	msr	spsr_el1, x2
	eret

	.global guest_leave_task
guest_leave_task:
	adrp	x2, kernel_sp
	add	x2, x2, :lo12:kernel_sp
	ldr	x3, [x2]
	mov	sp, x3
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #64]
	ldp	x27, x28, [sp, #80]
	ldp	x29, x30, [sp], #96
	ret

	.macro	slot kind
	.balign	0x80
	sub	sp, sp, #(34 * 8)
	stp	x0, x1, [sp]
	mov	x1, #\kind
	b	guest_exception
	.endm

	.balign	0x800
guest_vectors:
	.irp	kind, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	slot	\kind
	.endr

guest_exception:
	stp	x2, x3, [sp, #(2 * 8)]
	stp	x4, x5, [sp, #(4 * 8)]
	stp	x6, x7, [sp, #(6 * 8)]
	stp	x8, x9, [sp, #(8 * 8)]
	stp	x10, x11, [sp, #(10 * 8)]
	stp	x12, x13, [sp, #(12 * 8)]
	stp	x14, x15, [sp, #(14 * 8)]
	stp	x16, x17, [sp, #(16 * 8)]
	stp	x18, x29, [sp, #(18 * 8)]
	mrs	x2, elr_el1
	mrs	x3, spsr_el1
	stp	x30, x2, [sp, #(20 * 8)]
	str	x3, [sp, #(22 * 8)]
	mov	x0, sp
	bl	guest_handle			// (frame, kind)
	ldr	x3, [sp, #(22 * 8)]
	ldp	x30, x2, [sp, #(20 * 8)]
	msr	elr_el1, x2
	msr	spsr_el1, x3
	ldp	x18, x29, [sp, #(18 * 8)]
	ldp	x16, x17, [sp, #(16 * 8)]
	ldp	x14, x15, [sp, #(14 * 8)]
	ldp	x12, x13, [sp, #(12 * 8)]
	ldp	x10, x11, [sp, #(10 * 8)]
	ldp	x8, x9, [sp, #(8 * 8)]
	ldp	x6, x7, [sp, #(6 * 8)]
	ldp	x4, x5, [sp, #(4 * 8)]
	ldp	x2, x3, [sp, #(2 * 8)]
	ldp	x0, x1, [sp], #(34 * 8)
	eret

	.bss
	.balign	16
kernel_sp:
	.space	16
	.space	8192
guest_stack_top:
