// SPDX-License-Identifier: Apache-2.0
//
// start.S - the first instructions, at EL3 or EL2, MMU off.
//
// A machine with firmware starts us at EL2. One without starts us at EL3, and then we are the
// firmware: el3_init() opens to EL2 what EL3 would keep for itself, and el3_vectors stay behind to
// serve SMCs.

#include "arch.h"

	.section .text.start, "ax"
	.global _start
_start:
	mrs	x0, mpidr_el1
	and	x0, x0, #0xffffff
	cbnz	x0, park			// one PE is enough
	msr	DAIFSet, #15
	adrp	x0, hyp_bss_start
	add	x0, x0, :lo12:hyp_bss_start
	adrp	x1, hyp_bss_end
	add	x1, x1, :lo12:hyp_bss_end
1:	stp	xzr, xzr, [x0], #16
	cmp	x0, x1
	b.lo	1b
	mrs	x19, CurrentEL
	lsr	x19, x19, #2
	cmp	x19, #2
	b.lo	too_low
	b.eq	start_el2

	// EL3: prepare, then leave for EL2 like from an exception.
	adrp	x0, el3_stack_top
	add	sp, x0, :lo12:el3_stack_top
	adrp	x0, el3_vectors
	add	x0, x0, :lo12:el3_vectors
	msr	vbar_el3, x0
	isb
	bl	el3_init
	adr	x0, start_el2
	msr	elr_el3, x0
	mov	x0, #(SPSR_DAIF | SPSR_EL2H)
	msr	spsr_el3, x0
	eret

start_el2:
	msr	SPSel, #1
#if HYP_VHE
	mrs	x0, id_aa64mmfr1_el1
	ubfx	x0, x0, #8, #4
	cbz	x0, no_vhe
	ldr	x0, =HCR_HOST
#else
	ldr	x0, =HCR_RW
#endif
	msr	hcr_el2, x0
	isb					// from here E2H decides what *_EL1 means
	adrp	x0, hyp_stack_top
	add	sp, x0, :lo12:hyp_stack_top
	mov	x0, x19
	bl	hyp_main			// does not return

too_low:
	adrp	x0, hyp_stack_top
	add	sp, x0, :lo12:hyp_stack_top
	adr	x0, too_low_text
	b	say_and_park
#if HYP_VHE
no_vhe:
	adrp	x0, hyp_stack_top
	add	sp, x0, :lo12:hyp_stack_top
	adr	x0, no_vhe_text
#endif
say_and_park:
	mov	x20, x0
	bl	uart_init
	mov	x0, x20
	bl	uart_print
park:
	wfi
	b	park

too_low_text:
	.asciz	"This is a hypervisor: start it at EL2 or EL3.\n"
#if HYP_VHE
no_vhe_text:
	.asciz	"This PE has no FEAT_VHE: use hypervisor.elf.\n"
#endif

// ---- What stays at EL3 --------------------------------------------------------------------------

	.text
	.macro	el3_slot target
	.balign	0x80
	b	\target
	.endm

	.balign	0x800
el3_vectors:
	el3_slot el3_unexpected			// from EL3 with SP_EL0
	el3_slot el3_unexpected
	el3_slot el3_unexpected
	el3_slot el3_unexpected
	el3_slot el3_power_key			// from EL3: the HLT below, where semihosting is off
	el3_slot el3_unexpected
	el3_slot el3_unexpected
	el3_slot el3_unexpected
	el3_slot el3_call			// from a lower level: SMC
	el3_slot el3_unexpected
	el3_slot el3_unexpected
	el3_slot el3_unexpected
	el3_slot el3_unexpected
	el3_slot el3_unexpected
	el3_slot el3_unexpected
	el3_slot el3_unexpected

el3_call:
	stp	x1, x2, [sp, #-16]!
	mrs	x1, esr_el3
	lsr	x1, x1, #26
	cmp	x1, #0x17			// EC: SMC from AArch64
	b.ne	el3_unexpected
	ldr	x2, =PSCI_SYSTEM_OFF
	cmp	x0, x2
	b.eq	el3_off
	mov	x0, #-1				// NOT_SUPPORTED
	ldp	x1, x2, [sp], #16
	eret

// There is no firmware to ask. Semihosting ends an emulator with an exit status; without it HLT is
// undefined, and its exception brings us to the board's power switch.
el3_off:
	adr	x1, exit_block
	mov	w0, #0x20			// SYS_EXIT_EXTENDED
	hlt	#0xf000
el3_power_key:
	ldr	x1, =SECURE_PL061_BASE		// line 0 of the Secure GPIO
	mov	w0, #1
	str	w0, [x1, #0x400]		// GPIODIR: output
	str	wzr, [x1, #4]			// GPIODATA, masked by the address to line 0
	str	w0, [x1, #4]
el3_unexpected:
	wfi
	b	el3_unexpected

	.balign	8
exit_block:
	.quad	0x20026, 0			// ADP_Stopped_ApplicationExit, status 0

	.bss
	.balign	4096
	.space	4096
el3_stack_top:
	.space	16384
	.global hyp_stack_top
hyp_stack_top:
