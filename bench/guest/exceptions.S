// SPDX-License-Identifier: Apache-2.0
//
// exceptions.S - loops that call the level above, and what answers them: at least, and with a frame of all registers.

#include "lib/asm.h"

	.arch armv8-a

	.section .user, "ax"

// x0: how often. x1 counts the answers. The last call comes with x0 = 0.
	.global	svc_loop
svc_loop:
	svc	#0
	sub	x0, x0, #1
	b	svc_loop

// x0: how often, x19: the number of the call. x0 and x1 are arguments, x0 the result.
	.global	svc_frame_loop
svc_frame_loop:
	mov	x20, x0
	mov	x0, #0
1:	mov	x8, #1
	mov	x1, x20
	svc	#0
	subs	x20, x20, #1
	b.ne	1b
	mov	x8, #0
	svc	#0
	b	.

	.text

function hvc_loop
	hvc	#0
	sub	x0, x0, #1
	b	hvc_loop

function smc_loop
	smc	#0
	sub	x0, x0, #1
	b	smc_loop

	.macro	frame_loop name, call
function \name
	mov	x20, x0
	mov	x0, #0
1:	mov	x8, #1
	mov	x1, x20
	\call	#0
	subs	x20, x20, #1
	b.ne	1b
	mov	x8, #0
	\call	#0
	b	.
	.endm
	frame_loop hvc_frame_loop, hvc
	frame_loop smc_frame_loop, smc

// ---- The least -----------------------------------------------------------------------------------

least:
	cbz	x0, 1f
	add	x1, x1, #1
	eret
1:	mov	x0, x1
	mov	x1, x1
	b	bench_done

	vector_table vectors_least, sync=least, lower_sync=least

// ---- A frame, as kernels keep it -----------------------------------------------------------------

	.macro	frame_entry name, el, ec
\name:
	sub	sp, sp, #272
	stp	x0, x1, [sp]
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x19, [sp, #144]
	stp	x20, x21, [sp, #160]
	stp	x22, x23, [sp, #176]
	stp	x24, x25, [sp, #192]
	stp	x26, x27, [sp, #208]
	stp	x28, x29, [sp, #224]
	mrs	x22, elr_\el
	mrs	x23, spsr_\el
	stp	x30, x22, [sp, #240]
	str	x23, [sp, #256]
	mrs	x1, esr_\el
	lsr	x2, x1, #26
	cmp	x2, #\ec
	b.ne	bench_unexpected
	mov	x0, sp
	bl	frame_call
	ldp	x30, x22, [sp, #240]
	ldr	x23, [sp, #256]
	msr	elr_\el, x22
	msr	spsr_\el, x23
	ldp	x0, x1, [sp]
	ldp	x2, x3, [sp, #16]
	ldp	x4, x5, [sp, #32]
	ldp	x6, x7, [sp, #48]
	ldp	x8, x9, [sp, #64]
	ldp	x10, x11, [sp, #80]
	ldp	x12, x13, [sp, #96]
	ldp	x14, x15, [sp, #112]
	ldp	x16, x17, [sp, #128]
	ldp	x18, x19, [sp, #144]
	ldp	x20, x21, [sp, #160]
	ldp	x22, x23, [sp, #176]
	ldp	x24, x25, [sp, #192]
	ldp	x26, x27, [sp, #208]
	ldp	x28, x29, [sp, #224]
	add	sp, sp, #272
	eret
	.endm

	frame_entry svc_frame, el1, 0x15
	frame_entry hvc_frame, el2, 0x16
	frame_entry smc_frame, el3, 0x17
	vector_table vectors_svc_frame, lower_sync=svc_frame
	vector_table vectors_hvc_frame, lower_sync=hvc_frame
	vector_table vectors_smc_frame, lower_sync=smc_frame

// ---- A trapped system register -------------------------------------------------------------------

// x0: how often; x1 sums what is read back. HCR_EL2.TVM traps the write, HCR_EL2.TID3 the read.
function trap_loop
1:	msr	contextidr_el1, x0
	mrs	x2, id_aa64isar1_el1
	add	x1, x1, x2
	subs	x0, x0, #1
	b.ne	1b
	mov	x0, x1
	b	trap_done

// The register is always X0 (writes) or X2 (reads); the value last written is what is read.
trap_entry:
	stp	x16, x17, [sp, #-16]!
	mrs	x16, esr_el2
	lsr	x17, x16, #26
	cmp	x17, #0x18
	b.ne	bench_unexpected
	address	x17, trap_shadow
	tbnz	x16, #0, 1f
	str	x0, [x17]
	b	2f
1:	ldr	x2, [x17]
2:	mrs	x16, elr_el2
	add	x16, x16, #4
	msr	elr_el2, x16
	ldp	x16, x17, [sp], #16
	eret

	vector_table vectors_trap, lower_sync=trap_entry

	.bss
	.balign	8
trap_shadow:
	.space	8
