// SPDX-License-Identifier: Apache-2.0
//
// guest.c - runs trap-test cases bare metal, for qemu-system-aarch64 with EL3 and semihosting: the
// records of cases.h lie at CASES_AT; for each one the registers are written from EL3, one
// instruction is executed in its state, and a line says what came of it:
//
//   NUMBER TARGET ESR ELR UNKNOWN   ELR relative to the instruction; TARGET 9: it completed;
//                            UNKNOWN 1: UNDEFINED, and EL3 cannot read such a register either
//   NUMBER absent            a register or field that the case sets is not there

#include "cases.h"

#define CODE_AT 0x40010000ul
#define POISON 0xdead0000ul

extern uint32_t in_case;
extern volatile uint32_t setup_fault;
extern char vectors_low[];

void enter_case(uint64_t pc, uint64_t spsr, uint64_t x3);
void guest_main(void);

static uint32_t stub[4] __attribute__((aligned(64)));

#define READ(name) \
	({ \
		uint64_t value_; \
		__asm__ volatile("mrs %0, " #name : "=r"(value_)); \
		value_; \
	})
#define WRITE(name, value) __asm__ volatile("msr " #name ", %0" : : "r"((uint64_t)(value)))

static void semihost(uint64_t operation, const void *argument)
{
	register uint64_t x0 __asm__("x0") = operation;
	register const void *x1 __asm__("x1") = argument;

	__asm__ volatile("hlt #0xf000" : "+r"(x0) : "r"(x1) : "memory");
}

static char line[160];
static unsigned line_size;

static void put_char(char c)
{
	line[line_size++] = c;
}

static void put_hex(uint64_t value)
{
	put_char(' ');
	for (int shift = 60; shift >= 0; shift -= 4) {
		if (value >> shift != 0 || shift == 0) {
			put_char("0123456789abcdef"[value >> shift & 15]);
		}
	}
}

static void put_text(const char *text)
{
	put_char(' ');
	while (*text != 0) {
		put_char(*text++);
	}
}

static void flush(void)
{
	put_char('\n');
	put_char(0);
	semihost(4, line); // SYS_WRITE0
	line_size = 0;
}

static void code_changed(const void *at)
{
	__asm__ volatile("dc cvau, %0\n\tdsb ish\n\tic ivau, %0\n\tdsb ish\n\tisb"
			 :
			 : "r"(at)
			 : "memory");
}

// MSR or MRS with X1, made here. False: UNDEFINED.
static uint64_t run_stub(uint32_t insn, uint64_t value, uint32_t *good)
{
	register uint64_t x1 __asm__("x1") = value;
	register uint32_t *x2 __asm__("x2") = stub;

	if (stub[0] != insn) {
		stub[0] = insn;
		stub[1] = 0xd5033fdf; // ISB
		stub[2] = 0xd65f0060; // RET X3
		code_changed(stub);
	}
	setup_fault = 0;
	__asm__ volatile("adr x3, 1f\n\tbr x2\n1:" : "+r"(x1) : "r"(x2) : "x3", "memory");
	*good = !setup_fault;
	return x1;
}

static uint32_t prepare(const struct case_record *c)
{
	const struct case_register *r = (const struct case_register *)(c + 1);
	uint32_t usable = 1, good;

	for (uint32_t i = 0; i < c->register_count; i++) {
		uint64_t seen = 0;

		run_stub(r[i].msr, r[i].value, &good);
		if (good) {
			seen = run_stub(r[i].msr | 1u << 21, 0, &good);
		}
		if (r[i].wanted != 0 && (!good || ((seen ^ r[i].value) & r[i].wanted) != 0)) {
			usable = 0;
		}
	}
	return usable;
}

// An SPSR or ELR that a guest's exception would change, so that it shows.
static void poison(void)
{
	WRITE(esr_el1, POISON);
	WRITE(esr_el2, POISON);
	WRITE(elr_el1, POISON);
	WRITE(elr_el2, POISON);
	WRITE(vbar_el1, (uint64_t)vectors_low);
	WRITE(vbar_el2, (uint64_t)vectors_low);
	WRITE(sp_el1, 0x40068000);
	WRITE(sp_el2, 0x40068000);
}

// Can nobody read the register of an MRS or MSR, that is, is it not there?
static uint32_t is_unknown(uint32_t insn)
{
	uint32_t good;

	if ((insn & 0xffc00000) != 0xd5000000 || (insn & 1u << 20) == 0) {
		return 0;
	}
	WRITE(hcr_el2, READ(hcr_el2) | 1ul << 34); // for the names of EL2 hosts
	run_stub((insn & ~31u) | 1u << 21 | 1, 0, &good);
	return !good;
}

static void report(uint32_t number, const struct case_record *c)
{
	uint64_t target = 3, esr = READ(esr_el3), elr = READ(elr_el3);

	if (READ(elr_el1) != POISON && READ(esr_el1) != POISON) {
		target = 1;
		esr = READ(esr_el1);
		elr = READ(elr_el1);
	} else if (READ(elr_el2) != POISON && READ(esr_el2) != POISON) {
		target = 2;
		esr = READ(esr_el2);
		elr = READ(elr_el2);
	}
	elr -= CODE_AT;
	// What comes after the instruction is SMC #0xa5a5.
	if ((elr == 8 && esr >> 26 == 0x17) ||
	    (elr == 4 && (c->is_call == 0 || (esr & 0xffff) == 0xa5a5))) {
		target = 9;
	}
	put_hex(number);
	put_hex(target);
	put_hex(esr & 0xffffffff);
	put_hex(elr);
	put_hex(target != 9 && (esr >> 26 & 63) == 0 && is_unknown(c->insn));
	flush();
}

void guest_main(void)
{
	const struct cases_head *head = (const struct cases_head *)CASES_AT;
	const char *at = (const char *)(head + 1);
	uint32_t *code = (uint32_t *)CODE_AT;
	uint64_t exit_block[2] = {0x20026, 0};

	for (uint32_t i = 0; i < head->count; i++) {
		const struct case_record *c = (const struct case_record *)at;

		at += sizeof(*c) + c->register_count * sizeof(struct case_register);
		if (i < head->first) {
			continue;
		}
		code[0] = c->insn;
		code[1] = 0xd4000003 | 0xa5a5 << 5;
		code[2] = 0x14000000;
		code_changed(code);
		if (prepare(c)) {
			poison();
			enter_case(CODE_AT, c->spsr, c->x3);
			report(i, c);
		} else {
			put_hex(i);
			put_text("absent");
			flush();
		}
	}
	semihost(0x18, exit_block); // SYS_EXIT
	for (;;) {
	}
}
