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

	.macro	fault_save
	stp	x9, x10, [sp, #-48]!
	stp	x11, x12, [sp, #16]
	str	x13, [sp, #32]
	.endm
	.macro	fault_return
	ldr	x13, [sp, #32]
	ldp	x11, x12, [sp, #16]
	ldp	x9, x10, [sp], #48
	eret
	.endm

// X9: the address of the fault. Its descriptor becomes valid, and that of the page before it, whose number stays in X13
// and whose address in X9, invalid; X12 points to fault_layout.
	.macro	fault_map
	address	x12, fault_layout
	ldp	x10, x11, [x12]			// window, table
	sub	x9, x9, x10
	lsr	x9, x9, #12			// page
	ldr	x10, [x12, #16]			// descriptor of page 0
	add	x10, x10, x9, lsl #12
	ldr	x13, [x12, #24]			// page mapped now
	str	xzr, [x11, x13, lsl #3]
	str	x10, [x11, x9, lsl #3]
	str	x9, [x12, #24]
	ldr	x9, [x12]
	add	x9, x9, x13, lsl #12
	lsr	x9, x9, #12
	dsb	ishst
	.endm

// Stage 1, at EL1.
stage1_fault:
	fault_save
	mrs	x9, esr_el1
	lsr	x10, x9, #26
	cmp	x10, #0x25			// data abort from the level itself
	b.ne	bench_unexpected
	mrs	x9, far_el1
	fault_map
	tlbi	vaae1is, x9
	dsb	ish
	isb
	fault_return

// Stage 2, at EL2. What EL1 may hold of both stages combined goes by VMALLE1.
stage2_fault:
	fault_save
	mrs	x9, esr_el2
	lsr	x10, x9, #26
	cmp	x10, #0x24			// data abort from a lower level
	b.ne	bench_unexpected
	mrs	x9, hpfar_el2
	lsl	x9, x9, #8			// FIPA[47:12] stands at bit 4
	fault_map
	tlbi	ipas2e1is, x9
	dsb	ish
	tlbi	vmalle1is
	dsb	ish
	isb
	fault_return

	vector_table vectors_stage1, sync=stage1_fault
	vector_table vectors_stage2, lower_sync=stage2_fault
