// SPDX-License-Identifier: Apache-2.0
//
// code.S - a thousand small functions, and a loop that calls them in the order of a table.

#include "lib/asm.h"

	.arch armv8-a

	.text

	.macro	target number
	.balign	64
	add	x0, x0, #\number
	eor	x0, x0, x0, ror #(\number % 63 + 1)
	ret
	.endm

	.balign	64
	.global	indirect_targets
indirect_targets:
	.set	number, 0
	.rept	1000
	target	number
	.set	number, number + 1
	.endr

// uint64_t indirect_loop(uint64_t *table, uint64_t entries, uint64_t rounds): entries and rounds are not 0
function indirect_loop
	stp	x29, x30, [sp, #-16]!
	mov	x4, x0
	mov	x0, #1
1:	mov	x5, x4
	mov	x6, x1
2:	ldr	x7, [x5], #8
	blr	x7
	subs	x6, x6, #1
	b.ne	2b
	subs	x2, x2, #1
	b.ne	1b
	ldp	x29, x30, [sp], #16
	ret
