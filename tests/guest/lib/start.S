// SPDX-License-Identifier: Apache-2.0
//
// start.S - entry at EL3, the vector tables of all levels, and the way down to a level under test
// and back.
//
// The tables at EL1 and EL2 hold a single SMC per slot, whose immediate is ESC_SLOT plus the slot's
// offset. They touch no register and no memory, so that the machine state which EL3 collects
// afterwards is exactly what the exception left behind, and a test's page tables need to map
// nothing but the table itself, for execution. Where SCR_EL3.SMD makes SMC undefined, a second pair
// of tables gets to EL3 by a register access that CPTR_EL3.TCPAC traps.

#include "guest_asm.h"

	.arch armv8.5-a

	.section .text.start, "ax"
	.global _start
_start:
	mrs	x0, mpidr_el1
	and	x0, x0, #0xffffff
	cbnz	x0, park
	mrs	x0, CurrentEL
	cmp	x0, #(3 << 2)
	b.ne	not_el3
	msr	SPSel, #1
	msr	DAIFSet, #15
	adrp	x0, el3_vectors
	add	x0, x0, :lo12:el3_vectors
	msr	vbar_el3, x0
	isb
	adrp	x0, stack_el3_top
	add	sp, x0, :lo12:stack_el3_top
	adrp	x0, bss_start
	add	x0, x0, :lo12:bss_start
	adrp	x1, bss_end
	add	x1, x1, :lo12:bss_end
1:	stp	xzr, xzr, [x0], #16
	cmp	x0, x1
	b.lo	1b
	bl	guest_main
park:
	wfe
	b	park

not_el3:
	adr	x1, not_el3_text
	mov	w0, #SEMIHOST_SYS_WRITE0
	hlt	#0xf000
	adr	x1, not_el3_exit
	mov	w0, #SEMIHOST_SYS_EXIT_EXTENDED
	hlt	#0xf000
	b	park

	.balign	8
not_el3_exit:
	.quad	SEMIHOST_APPLICATION_EXIT, 1
not_el3_text:
	.asciz	"guest tests must be entered at EL3\n"
	.balign	4

	.text

// uint64_t guest_enter(const struct guest_entry *entry)
//
// ERETs to entry->pc with entry->spsr and all of entry->x[]; comes back when an exception is taken
// to EL3, and returns the offset of the EL3 vector that took it. Registers at that moment are in
// guest_exit_x[].
	.global guest_enter
	.type	guest_enter, %function
guest_enter:
	stp	x19, x20, [sp, #-96]!
	stp	x21, x22, [sp, #16]
	stp	x23, x24, [sp, #32]
	stp	x25, x26, [sp, #48]
	stp	x27, x28, [sp, #64]
	stp	x29, x30, [sp, #80]
	adrp	x1, guest_run_sp
	add	x1, x1, :lo12:guest_run_sp
	mov	x2, sp
	str	x2, [x1]
	ldp	x1, x2, [x0, #(31 * 8)]
	msr	elr_el3, x1
	msr	spsr_el3, x2
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

// int guest_call(void (*fn)(void))
//
// Calls fn; returns 0, or the EL3 vector offset + 1 if fn itself (not a snippet) ran into an
// exception at EL3.
	.global guest_call
	.type	guest_call, %function
guest_call:
	stp	x19, x20, [sp, #-96]!
	stp	x21, x22, [sp, #16]
	stp	x23, x24, [sp, #32]
	stp	x25, x26, [sp, #48]
	stp	x27, x28, [sp, #64]
	stp	x29, x30, [sp, #80]
	adrp	x1, guest_call_sp
	add	x1, x1, :lo12:guest_call_sp
	mov	x2, sp
	str	x2, [x1]
	blr	x0
	mov	x0, #0
pop_and_return:
	ldp	x29, x30, [sp, #80]
	ldp	x27, x28, [sp, #64]
	ldp	x25, x26, [sp, #48]
	ldp	x23, x24, [sp, #32]
	ldp	x21, x22, [sp, #16]
	ldp	x19, x20, [sp], #96
	ret

// All exceptions taken to EL3 arrive here with x0 = guest_exit_x, x1 = vector offset, the guest's
// x0 in TPIDR_EL3, and its x1 and x2 already stored. The stack pointer is not trusted: a snippet at
// EL3 may have broken it.
el3_common:
	mrs	x2, tpidr_el3
	str	x2, [x0]
	stp	x3, x4, [x0, #(3 * 8)]
	stp	x5, x6, [x0, #(5 * 8)]
	stp	x7, x8, [x0, #(7 * 8)]
	stp	x9, x10, [x0, #(9 * 8)]
	stp	x11, x12, [x0, #(11 * 8)]
	stp	x13, x14, [x0, #(13 * 8)]
	stp	x15, x16, [x0, #(15 * 8)]
	stp	x17, x18, [x0, #(17 * 8)]
	stp	x19, x20, [x0, #(19 * 8)]
	stp	x21, x22, [x0, #(21 * 8)]
	stp	x23, x24, [x0, #(23 * 8)]
	stp	x25, x26, [x0, #(25 * 8)]
	stp	x27, x28, [x0, #(27 * 8)]
	stp	x29, x30, [x0, #(29 * 8)]
	mov	x2, sp
	str	x2, [x0, #(31 * 8)]
	adrp	x2, guest_run_sp
	add	x2, x2, :lo12:guest_run_sp
	ldr	x3, [x2]
	str	xzr, [x2]
	cbz	x3, 1f
	mov	sp, x3
	mov	x0, x1
	b	pop_and_return
1:	// No snippet was running: the test's own C code did this. Give up on the test.
	adrp	x2, guest_call_sp
	add	x2, x2, :lo12:guest_call_sp
	ldr	x3, [x2]
	mov	sp, x3
	add	x0, x1, #1
	b	pop_and_return

	.macro	el3_slot offset
	.balign	0x80
	msr	tpidr_el3, x0
	adrp	x0, guest_exit_x
	add	x0, x0, :lo12:guest_exit_x
	stp	x1, x2, [x0, #8]
	mov	x1, #\offset
	b	el3_common
	.endm

	.balign	0x800
	.global el3_vectors
el3_vectors:
	.irp	offset, 0x000, 0x080, 0x100, 0x180, 0x200, 0x280, 0x300, 0x380, \
			0x400, 0x480, 0x500, 0x580, 0x600, 0x680, 0x700, 0x780
	el3_slot \offset
	.endr

// One table serves EL1 and EL2: EL3 knows from SPSR_EL3 which level the SMC came from.
	.section .vectors, "ax"
	.balign	0x800
	.global lower_vectors
lower_vectors:
	.irp	offset, 0x000, 0x080, 0x100, 0x180, 0x200, 0x280, 0x300, 0x380, \
			0x400, 0x480, 0x500, 0x580, 0x600, 0x680, 0x700, 0x780
	.balign	0x80
	smc	#(ESC_SLOT + \offset)
	b	.
	.endr
	.balign	0x800

// With SCR_EL3.SMD set: CPTR_EL3.TCPAC sends these accesses to EL3.
	.global lower_vectors_smd_el1
lower_vectors_smd_el1:
	.rept	16
	.balign	0x80
	mrs	xzr, cpacr_el1
	b	.
	.endr
	.balign	0x800
	.global lower_vectors_smd_el2
lower_vectors_smd_el2:
	.rept	16
	.balign	0x80
	mrs	xzr, cptr_el2
	b	.
	.endr
	.balign	0x800

// Where a snippet returns to. EL3 takes these for "finished without an exception".
	.section .snippets, "ax"
	.balign	16
	.global escape_stubs
escape_stubs:
	.global escape_svc
escape_svc:
	svc	#ESC_DONE
	b	.
	.global escape_smc
escape_smc:
	smc	#ESC_DONE
	b	.
	.global escape_smd_el1
escape_smd_el1:
	mrs	xzr, cpacr_el1
	b	.
	.global escape_smd_el2
escape_smd_el2:
	mrs	xzr, cptr_el2
	b	.
	.global escape_stubs_end
escape_stubs_end:

	.bss
	.balign	16
	.global guest_exit_x
guest_exit_x:
	.space	32 * 8
	.global guest_run_sp
guest_run_sp:
	.space	8
guest_call_sp:
	.space	8
	.balign	4096
	.space	32768
stack_el3_top:
	.global stack_el0_top
	.space	4096
stack_el0_top:
	.global stack_el1_top
	.space	4096
stack_el1_top:
	.global stack_el2_top
	.space	4096
stack_el2_top:

	.section .scratch, "aw", %nobits
	.balign	65536
	.global scratch
scratch:
	.space	16 * 65536
