// SPDX-License-Identifier: Apache-2.0
//
// runtime.c - from entry to the program, its command line, and its result.

#include "bench.h"

#define SYS_WRITE0 0x04
#define SYS_GET_CMDLINE 0x15
#define SYS_EXIT_EXTENDED 0x20
#define APPLICATION_EXIT 0x20026

#define SCR_NS BIT(0)
#define SCR_HCE BIT(8)
#define SCR_RW BIT(10)
#define SCR_APK BIT(16)
#define SCR_API BIT(17)

void bench_main(void);
void runtime_el3(void);
void runtime_el2(void);
_Noreturn void runtime_unexpected(uint64_t el, uint64_t esr, uint64_t elr, uint64_t far);
extern char vectors_unexpected[];

static uint64_t percent = 100;

// What the compiler may call even in freestanding code.
void *memset(void *to, int value, size_t size)
{
	uint8_t *p = to;

	while (size--) {
		*p++ = (uint8_t)value;
	}
	return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	uint8_t *p = to;
	const uint8_t *q = from;

	while (size--) {
		*p++ = *q++;
	}
	return to;
}

// ---- Semihosting --------------------------------------------------------------------------------

static uint64_t semihost(uint64_t op, const void *parameter)
{
	register uint64_t x0 __asm__("x0") = op;
	register const void *x1 __asm__("x1") = parameter;

	__asm__ volatile("hlt #0xf000" : "+r"(x0) : "r"(x1) : "memory");
	return x0;
}

static _Noreturn void finish(uint64_t status)
{
	uint64_t block[2] = {APPLICATION_EXIT, status};

	for (;;) {
		semihost(SYS_EXIT_EXTENDED, block);
	}
}

struct line {
	char text[200];
	size_t size;
};

static void add_text(struct line *line, const char *text)
{
	while (*text && line->size < sizeof(line->text) - 1) {
		line->text[line->size++] = *text++;
	}
}

static void add_number(struct line *line, uint64_t value, unsigned base)
{
	char digits[24];
	size_t at = sizeof(digits) - 1;

	digits[at] = '\0';
	do {
		digits[--at] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	add_text(line, &digits[at]);
}

static void print(struct line *line)
{
	add_text(line, "\n");
	line->text[line->size] = '\0';
	semihost(SYS_WRITE0, line->text);
}

// "percent=N" anywhere on the command line.
static void read_command_line(void)
{
	static char text[1024];
	uint64_t block[2] = {(uint64_t)text, sizeof(text)};
	static const char key[] = "percent=";

	if (semihost(SYS_GET_CMDLINE, block) != 0) {
		return;
	}
	for (const char *p = text; *p; p++) {
		size_t n = 0;

		while (key[n] && p[n] == key[n]) {
			n++;
		}
		if (!key[n]) {
			percent = 0;
			for (p += n; *p >= '0' && *p <= '9'; p++) {
				percent = percent * 10 + (uint64_t)(*p - '0');
			}
			return;
		}
	}
}

uint64_t bench_count(uint64_t full)
{
	uint64_t count = full * percent / 100;

	return count || !percent ? count : 1;
}

_Noreturn void bench_done(uint64_t operations, uint64_t checksum)
{
	struct line line = {.size = 0};

	add_text(&line, "bench: ");
	add_number(&line, operations, 10);
	add_text(&line, " operations, checksum ");
	add_number(&line, checksum, 16);
	print(&line);
	finish(0);
}

_Noreturn void bench_fail(const char *why, uint64_t value)
{
	struct line line = {.size = 0};

	add_text(&line, "bench: failed: ");
	add_text(&line, why);
	add_text(&line, " 0x");
	add_number(&line, value, 16);
	print(&line);
	finish(1);
}

_Noreturn void runtime_unexpected(uint64_t el, uint64_t esr, uint64_t elr, uint64_t far)
{
	struct line line = {.size = 0};

	add_text(&line, "bench: failed: unexpected exception at EL");
	add_number(&line, el, 10);
	add_text(&line, " ESR 0x");
	add_number(&line, esr, 16);
	add_text(&line, " ELR 0x");
	add_number(&line, elr, 16);
	add_text(&line, " FAR 0x");
	add_number(&line, far, 16);
	print(&line);
	finish(1);
}

// ---- Entry --------------------------------------------------------------------------------------

void runtime_el3(void)
{
	write_sysreg(scr_el3, SCR_NS | SCR_HCE | SCR_RW | SCR_APK | SCR_API | 0x30);
	write_sysreg(cptr_el3, 0);
	write_sysreg(mdcr_el3, 0);
	write_sysreg(S3_6_C12_C12_5, 0xf); // ICC_SRE_EL3
	stage1_root = stage1_new();
	memory_on_el3();
}

void runtime_el2(void)
{
	read_command_line();
	if (!stage1_root) {
		stage1_root = stage1_new();
	}
	write_sysreg(hcr_el2, HCR_BASE);
	write_sysreg(cptr_el2, 0x33ff);
	write_sysreg(mdcr_el2, 0);
	write_sysreg(cnthctl_el2, 3);
	write_sysreg(cntvoff_el2, 0);
	write_sysreg(S3_4_C12_C9_5, 0xf); // ICC_SRE_EL2
	write_sysreg(vpidr_el2, read_sysreg(midr_el1));
	write_sysreg(vmpidr_el2, read_sysreg(mpidr_el1));
	write_sysreg(cpacr_el1, 3ul << 20);
	write_sysreg(cntkctl_el1, 3);
	write_sysreg(vbar_el1, vectors_unexpected);
	memory_on_el2();
	memory_on_el1();
	bench_main();
	bench_fail("the program came back", 0);
}
