// SPDX-License-Identifier: Apache-2.0
//
// faults.S - touching pages that are not there, and the handlers that map them.

#include "lib/asm.h"

	.arch armv8-a

	.text

// uint64_t touch_pages(uint64_t va, uint64_t pages): sum of the first word of each
function touch_pages
	mov	x2, #0
	cbz	x1, 2f
1:	ldr	x3, [x0]
	add	x0, x0, #4096
	add	x2, x2, x3
	subs	x1, x1, #1
	b.ne	1b
2:	mov	x0, x2
	ret

// Stage 1, at EL1: the descriptor is fault_table[page of FAR - window], its output page that of fault_pages.
stage1_fault:
	stp	x9, x10, [sp, #-32]!
	stp	x11, x12, [sp, #16]
	mrs	x9, esr_el1
	lsr	x10, x9, #26
	cmp	x10, #0x25			// data abort from the level itself
	b.ne	bench_unexpected
	mrs	x9, far_el1
	address	x12, fault_layout
	ldp	x10, x11, [x12]			// window, table
	sub	x9, x9, x10
	lsr	x9, x9, #12
	ldr	x10, [x12, #16]			// first descriptor
	add	x10, x10, x9, lsl #12
	str	x10, [x11, x9, lsl #3]
	dsb	ishst
	isb
	ldp	x11, x12, [sp, #16]
	ldp	x9, x10, [sp], #32
	eret

// Stage 2, at EL2: the same by HPFAR. HVC takes all pages away again.
stage2_fault:
	stp	x9, x10, [sp, #-32]!
	stp	x11, x12, [sp, #16]
	mrs	x9, esr_el2
	lsr	x10, x9, #26
	cmp	x10, #0x24			// data abort from a lower level
	b.ne	1f
	mrs	x9, hpfar_el2
	lsl	x9, x9, #8			// FIPA[47:12] stands at bit 4
	address	x12, fault_layout
	ldp	x10, x11, [x12]
	sub	x9, x9, x10
	lsr	x9, x9, #12
	ldr	x10, [x12, #16]
	add	x10, x10, x9, lsl #12
	str	x10, [x11, x9, lsl #3]
	dsb	ishst
	isb
	ldp	x11, x12, [sp, #16]
	ldp	x9, x10, [sp], #32
	eret
1:	cmp	x10, #0x16			// HVC
	b.ne	bench_unexpected
	address	x12, fault_layout
	ldp	x11, x9, [x12, #8]		// table, first descriptor
	ldr	x9, [x12, #24]			// pages
2:	str	xzr, [x11], #8
	subs	x9, x9, #1
	b.ne	2b
	dsb	ishst
	tlbi	vmalls12e1is
	dsb	ish
	isb
	ldp	x11, x12, [sp, #16]
	ldp	x9, x10, [sp], #32
	eret

	vector_table vectors_stage1, sync=stage1_fault
	vector_table vectors_stage2, lower_sync=stage2_fault
