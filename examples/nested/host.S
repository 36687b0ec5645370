// SPDX-License-Identifier: Apache-2.0
//
// host.S - the host's first instructions at EL2, its vectors, and the switch of general registers.

	.section .text.start, "ax"
	.global host_start
host_start:
	msr	DAIFSet, #15
	mrs	x0, CurrentEL
	cmp	x0, #(2 << 2)
1:	b.ne	1b				// this host is started at EL2
	mrs	x0, mpidr_el1
	and	x0, x0, #0xffffff
2:	cbnz	x0, 2b				// one PE is enough
	msr	SPSel, #1
	adrp	x0, host_stack_top
	add	sp, x0, :lo12:host_stack_top
	adrp	x0, host_vectors
	add	x0, x0, :lo12:host_vectors
	msr	vbar_el2, x0
	isb
	bl	host_main
	b	resume

	.macro	slot function
	.balign	0x80
	stp	x0, x1, [sp, #-16]!
	adr	x1, \function
	b	leave
	.endm

	.text
	.balign	0x800
host_vectors:
	.rept	8
	slot	host_unexpected			// from EL2: a bug of the host
	.endr
	slot	host_sync			// from EL1 or EL0, whoever is there
	slot	host_irq
	.rept	6
	slot	host_unexpected
	.endr

leave:						// x1: the function; x0 and x1 on the stack
	adrp	x0, host_x
	add	x0, x0, :lo12:host_x
	stp	x2, x3, [x0, #(2 * 8)]
	stp	x4, x5, [x0, #(4 * 8)]
	stp	x6, x7, [x0, #(6 * 8)]
	stp	x8, x9, [x0, #(8 * 8)]
	stp	x10, x11, [x0, #(10 * 8)]
	stp	x12, x13, [x0, #(12 * 8)]
	stp	x14, x15, [x0, #(14 * 8)]
	stp	x16, x17, [x0, #(16 * 8)]
	stp	x18, x19, [x0, #(18 * 8)]
	stp	x20, x21, [x0, #(20 * 8)]
	stp	x22, x23, [x0, #(22 * 8)]
	stp	x24, x25, [x0, #(24 * 8)]
	stp	x26, x27, [x0, #(26 * 8)]
	stp	x28, x29, [x0, #(28 * 8)]
	str	x30, [x0, #(30 * 8)]
	ldp	x2, x3, [sp], #16
	stp	x2, x3, [x0]
	blr	x1

resume:
	adrp	x0, host_x
	add	x0, x0, :lo12:host_x
	ldr	x30, [x0, #(30 * 8)]
	ldp	x28, x29, [x0, #(28 * 8)]
	ldp	x26, x27, [x0, #(26 * 8)]
	ldp	x24, x25, [x0, #(24 * 8)]
	ldp	x22, x23, [x0, #(22 * 8)]
	ldp	x20, x21, [x0, #(20 * 8)]
	ldp	x18, x19, [x0, #(18 * 8)]
	ldp	x16, x17, [x0, #(16 * 8)]
	ldp	x14, x15, [x0, #(14 * 8)]
	ldp	x12, x13, [x0, #(12 * 8)]
	ldp	x10, x11, [x0, #(10 * 8)]
	ldp	x8, x9, [x0, #(8 * 8)]
	ldp	x6, x7, [x0, #(6 * 8)]
	ldp	x4, x5, [x0, #(4 * 8)]
	ldp	x2, x3, [x0, #(2 * 8)]
	ldp	x0, x1, [x0]
	eret

	.bss
	.balign	16
	.space	4096
host_stack_top:

// The hypervisor as it is, where it wants to lie (host.ld).
	.section .payload, "awx"
	.incbin	PAYLOAD
