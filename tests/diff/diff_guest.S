// SPDX-License-Identifier: Apache-2.0
// The guest half of the differential test: runs each test instruction at EL0 from a known state and records all that
// it changed. diff.py builds the image around it: page tables, test slots, states. Layout of both in diff.py.

#define VARS_SAVE 0
#define VARS_INDEX 16
#define VARS_COUNT 24
#define VARS_RESULT 32
#define VARS_SLOTS 40
#define VARS_STATES 48
#define VARS_TESTS 56
#define VARS_WINDOW 64
#define VARS_RESULTS 72
#define VARS_TTBR 80
#define VARS_DUMP 88 // start and size of the memory dumped at the end
#define VARS_BLOCK 104

#define STATE_SIZE 1056
#define RESULT_SIZE 1072

	.arch armv8.4-a
	.text
	.global _start
_start:
	ldr x0, =0x40400000
	mov sp, x0
	adr x1, vectors
	msr vbar_el1, x1
	mov x1, #0xff // Attr0: Normal, write-back
	msr mair_el1, x1
	ldr x1, =0x0000000200803519 // 39-bit VA, 4 KiB granule, write-back inner shareable walks, 40-bit PA, EPD1
	msr tcr_el1, x1
	ldr x1, [sp, #VARS_TTBR]
	msr ttbr0_el1, x1
	mov x1, #3 << 20
	msr cpacr_el1, x1
	dsb sy
	tlbi vmalle1
	dsb sy
	isb
	ldr x1, =0x30d0399d // RES1 bits, M, C, I, SA, SA0, EnDB (QEMU strips PACs only if some key is enabled)
	msr sctlr_el1, x1
	isb

next_test:
	ldp x0, x1, [sp, #VARS_INDEX]
	cmp x0, x1
	b.hs done
	ldr x2, [sp, #VARS_SLOTS]
	add x2, x2, x0, lsl #6
	msr elr_el1, x2
	ldr x3, [sp, #VARS_TESTS]
	ldr w3, [x3, x0, lsl #2]
	ldr x4, [sp, #VARS_STATES]
	mov w5, #STATE_SIZE
	madd x4, x3, x5, x4
	ldr x5, [sp, #VARS_WINDOW]
	add x6, x4, #800
	.rept 8
	ldp q0, q1, [x6], #32
	stp q0, q1, [x5], #32
	.endr
	ldr x6, [x4, #768]
	msr spsr_el1, x6
	ldr x6, [x4, #776]
	msr fpcr, x6
	ldr x6, [x4, #784]
	msr fpsr, x6
	ldr x6, [x4, #248]
	msr sp_el0, x6
	ldp q0, q1, [x4, #256]
	ldp q2, q3, [x4, #288]
	ldp q4, q5, [x4, #320]
	ldp q6, q7, [x4, #352]
	ldp q8, q9, [x4, #384]
	ldp q10, q11, [x4, #416]
	ldp q12, q13, [x4, #448]
	ldp q14, q15, [x4, #480]
	ldp q16, q17, [x4, #512]
	ldp q18, q19, [x4, #544]
	ldp q20, q21, [x4, #576]
	ldp q22, q23, [x4, #608]
	ldp q24, q25, [x4, #640]
	ldp q26, q27, [x4, #672]
	ldp q28, q29, [x4, #704]
	ldp q30, q31, [x4, #736]
	ldp x0, x1, [x4, #0]
	ldp x2, x3, [x4, #16]
	ldp x6, x7, [x4, #48]
	ldp x8, x9, [x4, #64]
	ldp x10, x11, [x4, #80]
	ldp x12, x13, [x4, #96]
	ldp x14, x15, [x4, #112]
	ldp x16, x17, [x4, #128]
	ldp x18, x19, [x4, #144]
	ldp x20, x21, [x4, #160]
	ldp x22, x23, [x4, #176]
	ldp x24, x25, [x4, #192]
	ldp x26, x27, [x4, #208]
	ldp x28, x29, [x4, #224]
	ldr x30, [x4, #240]
	ldp x4, x5, [x4, #32]
	eret

save:
	ldr x0, [sp, #VARS_RESULT]
	stp x2, x3, [x0, #16]
	stp x4, x5, [x0, #32]
	stp x6, x7, [x0, #48]
	stp x8, x9, [x0, #64]
	stp x10, x11, [x0, #80]
	stp x12, x13, [x0, #96]
	stp x14, x15, [x0, #112]
	stp x16, x17, [x0, #128]
	stp x18, x19, [x0, #144]
	stp x20, x21, [x0, #160]
	stp x22, x23, [x0, #176]
	stp x24, x25, [x0, #192]
	stp x26, x27, [x0, #208]
	stp x28, x29, [x0, #224]
	mrs x1, sp_el0
	stp x30, x1, [x0, #240]
	ldp x2, x3, [sp, #VARS_SAVE]
	stp x2, x3, [x0, #0]
	stp q0, q1, [x0, #256]
	stp q2, q3, [x0, #288]
	stp q4, q5, [x0, #320]
	stp q6, q7, [x0, #352]
	stp q8, q9, [x0, #384]
	stp q10, q11, [x0, #416]
	stp q12, q13, [x0, #448]
	stp q14, q15, [x0, #480]
	stp q16, q17, [x0, #512]
	stp q18, q19, [x0, #544]
	stp q20, q21, [x0, #576]
	stp q22, q23, [x0, #608]
	stp q24, q25, [x0, #640]
	stp q26, q27, [x0, #672]
	stp q28, q29, [x0, #704]
	stp q30, q31, [x0, #736]
	add x7, x0, #768
	mrs x1, spsr_el1
	mrs x2, fpcr
	stp x1, x2, [x7]
	mrs x1, fpsr
	mrs x2, esr_el1
	stp x1, x2, [x7, #16]
	ldr x3, [sp, #VARS_INDEX]
	ldr x4, [sp, #VARS_SLOTS]
	add x4, x4, x3, lsl #6
	mrs x1, elr_el1
	sub x1, x1, x4
	// FAR_EL1 means something for instruction aborts, PC alignment faults and data aborts: EC 0x20 to 0x25.
	lsr x2, x2, #26
	sub x2, x2, #0x20
	cmp x2, #5
	mrs x5, far_el1
	csel x2, x5, xzr, ls
	stp x1, x2, [x7, #32]
	ldr x5, [sp, #VARS_WINDOW]
	add x6, x0, #816
	.rept 8
	ldp q0, q1, [x5], #32
	stp q0, q1, [x6], #32
	.endr
	add x0, x0, #RESULT_SIZE
	str x0, [sp, #VARS_RESULT]
	add x3, x3, #1
	str x3, [sp, #VARS_INDEX]
	b next_test

done:
	adr x1, open_block
	mov w0, #1 // SYS_OPEN
	hlt #0xf000
	cmn x0, #1
	b.eq fatal
	mov x19, x0
	ldr x2, [sp, #VARS_RESULTS]
	ldr x3, [sp, #VARS_RESULT]
	sub x3, x3, x2
	bl write
	ldp x2, x3, [sp, #VARS_DUMP]
	bl write
	str x19, [sp, #VARS_SAVE]
	mov x1, sp
	mov w0, #2 // SYS_CLOSE
	hlt #0xf000
	mov x1, #0
	b exit

// x2, x3: start and size; x19: handle. The parameter block lies on the vars page.
write:
	add x1, sp, #VARS_BLOCK
	stp x19, x2, [x1]
	str x3, [x1, #16]
	mov w0, #5 // SYS_WRITE
	hlt #0xf000
	cbnz x0, fatal
	ret

fatal:
	mov x1, #3
exit:
	ldr x2, =0x20026 // ADP_Stopped_ApplicationExit
	stp x2, x1, [sp, #VARS_BLOCK]
	add x1, sp, #VARS_BLOCK
	mov w0, #0x18 // SYS_EXIT
	hlt #0xf000
	b .

	.balign 8
open_block:
	.quad file_name, 5, 10
file_name:
	.asciz "result.bin"

	.balign 2048
vectors:
	.rept 8
	b fatal
	.balign 128
	.endr
	stp x0, x1, [sp, #VARS_SAVE] // synchronous, from EL0
	b save
	.balign 128
	.rept 7
	b fatal
	.balign 128
	.endr
	.ltorg
