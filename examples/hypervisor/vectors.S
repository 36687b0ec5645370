// SPDX-License-Identifier: Apache-2.0
//
// vectors.S - the door between the hypervisor and the guest.
//
// An exception from the guest arrives at offset 0x400 (synchronous) or 0x480 (IRQ) of el2_vectors
// with the guest's general registers still in place. They go to struct vcpu, whose address
// TPIDR_EL2 keeps; then trap_handle() decides, and the same registers go back by ERET.

#include "arch.h"

	.text
	.macro	slot_guest cause
	.balign	0x80
	stp	x0, x1, [sp, #-16]!
	mov	x1, #\cause
	b	guest_exit
	.endm

	.macro	slot_panic
	.balign	0x80
	b	hyp_panic
	.endm

	.balign	0x800
	.global el2_vectors
el2_vectors:
	slot_panic				// from EL2 with SP_EL0: never used here
	slot_panic
	slot_panic
	slot_panic
	slot_panic				// from EL2 itself: a bug of the hypervisor
	slot_panic
	slot_panic
	slot_panic
	slot_guest EXIT_SYNC			// from the guest, EL1 or EL0
	slot_guest EXIT_IRQ
	slot_guest EXIT_OTHER
	slot_guest EXIT_OTHER
	slot_guest EXIT_OTHER			// from AArch32: HCR_EL2.RW rules it out
	slot_guest EXIT_OTHER
	slot_guest EXIT_OTHER
	slot_guest EXIT_OTHER

	.type	guest_exit, %function
guest_exit:
	mrs	x0, tpidr_el2
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
	mrs	x2, OWN(elr)			// with E2H this reads "elr_el1" and means ELR_EL2
	mrs	x3, OWN(spsr)
	stp	x2, x3, [x0, #VCPU_ELR]
#if HYP_VHE
	ldr	x2, =HCR_HOST			// TGE on: back in the world of the host
	msr	hcr_el2, x2
	isb
#endif
	mov	x19, x0
	bl	trap_handle
	mov	x0, x19
	// Falls through.

	.global vcpu_run
	.type	vcpu_run, %function
vcpu_run:					// x0 = struct vcpu
	msr	tpidr_el2, x0
	ldr	x1, [x0, #VCPU_HCR]
	msr	hcr_el2, x1
	ldp	x2, x3, [x0, #VCPU_ELR]
	msr	OWN(elr), x2
	msr	OWN(spsr), x3
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
	eret					// synchronises all the writes above

hyp_panic:
	adrp	x0, hyp_stack_top
	add	sp, x0, :lo12:hyp_stack_top
	mrs	x0, OWN(esr)
	mrs	x1, OWN(elr)
	mrs	x2, OWN(far)
	b	hyp_report_panic
