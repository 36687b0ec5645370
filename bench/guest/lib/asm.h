// SPDX-License-Identifier: Apache-2.0
//
// asm.h - numbers and macros that the assembly of the benchmark guests shares.
#ifndef BENCH_ASM_H
#define BENCH_ASM_H

// Exception vectors of one level: what is not named leads to bench_unexpected. IRQs and synchronous exceptions are told
// apart by whether they come from the level itself (with its own stack) or from a lower one.
	.macro	vector_slot target
	.balign	0x80
	b	\target
	.endm

	.macro	vector_table name, sync=bench_unexpected, irq=bench_unexpected, lower_sync=bench_unexpected, lower_irq=bench_unexpected
	.balign	0x800
	.global	\name
\name:
	vector_slot bench_unexpected	// from the level itself with SP_EL0
	vector_slot bench_unexpected
	vector_slot bench_unexpected
	vector_slot bench_unexpected
	vector_slot \sync
	vector_slot \irq
	vector_slot bench_unexpected
	vector_slot bench_unexpected
	vector_slot \lower_sync
	vector_slot \lower_irq
	vector_slot bench_unexpected
	vector_slot bench_unexpected
	vector_slot bench_unexpected	// from AArch32
	vector_slot bench_unexpected
	vector_slot bench_unexpected
	vector_slot bench_unexpected
	.endm

	.macro	address register, symbol
	adrp	\register, \symbol
	add	\register, \register, :lo12:\symbol
	.endm

	.macro	function name
	.balign	16
	.global	\name
	.type	\name, %function
\name:
	.endm

#endif
