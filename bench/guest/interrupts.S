// SPDX-License-Identifier: Apache-2.0
//
// interrupts.S - the loops and handlers of interrupts.c. X19 counts interrupts, X20 sums their numbers; nothing else uses
// these registers, so that a handler need not save them.

#include "lib/asm.h"

	.arch armv8-a
#define ICC_IAR1_EL1 S3_0_C12_C12_0
#define ICC_EOIR1_EL1 S3_0_C12_C12_1
#define ICC_SGI1R_EL1 S3_0_C12_C11_5
#define ICH_LR0_EL2 S3_4_C12_C12_0

	.text

// Acknowledge, add up, complete. For the timer: off again first.
	.macro	irq_entry name, timer
\name:
	stp	x0, x1, [sp, #-16]!
	mrs	x0, ICC_IAR1_EL1
	add	x20, x20, x0
	add	x19, x19, #1
	.if	\timer
	msr	cntv_ctl_el0, xzr
	isb
	.endif
	msr	ICC_EOIR1_EL1, x0
	ldp	x0, x1, [sp], #16
	eret
	.endm

	irq_entry irq_plain, 0
	irq_entry irq_timer, 1
	vector_table vectors_irq, irq=irq_plain
	vector_table vectors_timer, irq=irq_timer

// void NAME_loop(uint64_t count): each ends in interrupts_done(x19, x20)
	.macro	loop_entry
	mov	x21, x0
	mov	x19, #0
	mov	x20, #0
	cbz	x21, 9f
	.endm
	.macro	loop_exit
9:	msr	daifset, #2
	mov	x0, x19
	mov	x1, x20
	b	interrupts_done
	.endm

// Waiting for x19 to get to x22 is what makes one round one interrupt, however late it comes.
function sgi_loop
	loop_entry
	mov	x3, #1
	movk	x3, #(1 << 8), lsl #16		// INTID 1 to the PE with affinity 0.0.0.0
	msr	daifclr, #2
	mov	x22, #0
1:	add	x22, x22, #1
	msr	ICC_SGI1R_EL1, x3
	isb
2:	cmp	x19, x22
	b.ne	2b
	cmp	x22, x21
	b.ne	1b
	loop_exit

function timer_loop
	loop_entry
	mov	x3, #1
	msr	daifclr, #2
	mov	x22, #0
1:	add	x22, x22, #1
	msr	cntv_tval_el0, x3		// the next tick: the wait is not what is measured
	msr	cntv_ctl_el0, x3
	isb
2:	cmp	x19, x22
	b.ne	2b
	cmp	x22, x21
	b.ne	1b
	loop_exit

// Masked: the PE wakes, and takes the interrupt from the GIC by hand.
function wfi_loop
	loop_entry
	mov	x3, #1
	mov	x4, #20				// 320 ns
1:	msr	cntv_tval_el0, x4
	msr	cntv_ctl_el0, x3
	isb
2:	wfi
	mrs	x0, ICC_IAR1_EL1
	cmp	x0, #27				// it may wake for nothing
	b.ne	2b
	msr	cntv_ctl_el0, xzr
	isb
	msr	ICC_EOIR1_EL1, x0
	add	x20, x20, x0
	add	x19, x19, #1
	cmp	x19, x21
	b.ne	1b
	loop_exit

// EL1 asks by HVC; EL2 writes the list register; EL1 takes the virtual interrupt.
function virq_loop
	loop_entry
	msr	daifclr, #2
	mov	x22, #0
1:	add	x22, x22, #1
	hvc	#0
2:	cmp	x19, x22
	b.ne	2b
	cmp	x22, x21
	b.ne	1b
	loop_exit

virq_inject:
	stp	x0, x1, [sp, #-16]!
	mov	x0, #40				// INTID_VIRTUAL
	movk	x0, #0x50a0, lsl #48		// pending, group 1, priority 0xa0
	msr	ICH_LR0_EL2, x0
	ldp	x0, x1, [sp], #16
	eret

	vector_table vectors_virq_el2, lower_sync=virq_inject
