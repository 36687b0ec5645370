// SPDX-License-Identifier: Apache-2.0
// Entry of the vector generator: a stack, FP and SIMD enabled, all pointer-authentication keys
// enabled.
	.global	_start
_start:
	ldr	x0, =stack_top
	mov	sp, x0
	mov	x0, #(3 << 20)		// CPACR_EL1.FPEN
	msr	cpacr_el1, x0
	mrs	x0, sctlr_el1
	orr	x0, x0, #(1 << 31)	// EnIA
	orr	x0, x0, #(1 << 30)	// EnIB
	orr	x0, x0, #(1 << 27)	// EnDA
	orr	x0, x0, #(1 << 13)	// EnDB
	msr	sctlr_el1, x0
	isb
	bl	generate
	mov	x0, #0x18		// SYS_EXIT
	adr	x1, exit_block
	hlt	#0xf000
1:	b	1b

	.balign	8
exit_block:
	.quad	0x20026, 0		// ADP_Stopped_ApplicationExit, status

	.bss
	.balign	16
	.skip	16384
stack_top:
