// SPDX-License-Identifier: Apache-2.0
// Bare-metal AArch64 program that executes each vector with the real instruction and reports, over
// semihosting, every operation whose result or flags are not as predicted. Starts at EL1 with the
// MMU off; needs Armv8.6 with FP16, FHM and BF16.
#include "fp_vectors.h"

#define SHOWN_PER_OP 4

extern const struct fp_vector vectors_start[];
extern const struct fp_vector vectors_end[];

__asm__(".section .rodata\n"
	".balign 16\n"
	".globl vectors_start\n"
	"vectors_start:\n"
	".incbin \"" FP_VECTORS_FILE "\"\n"
	".globl vectors_end\n"
	"vectors_end:\n"
	".text\n"
	".globl _start\n"
	"_start:\n"
	" mov x0, #(3 << 20)\n" // CPACR_EL1.FPEN
	" msr cpacr_el1, x0\n"
	" isb\n"
	" adrp x0, stack_end\n"
	" add x0, x0, :lo12:stack_end\n"
	" mov sp, x0\n"
	" bl run\n"
	" b .\n"
	".bss\n"
	".balign 16\n"
	".space 65536\n"
	"stack_end:\n"
	".text\n");

// Reads a, b, c from x0..x2 and v0..v2, leaves the result in x3.
#define OP(name, kind, call, assembly) \
	extern const char fpop_##name[]; \
	__asm__(".text\nfpop_" #name ":\n " assembly " ret\n");
#include "fp_ops.def"
#undef OP

struct op {
	const char *name;
	const void *code;
};

#define OP(name, kind, call, assembly) {#name, fpop_##name},
static const struct op ops[] = {
#include "fp_ops.def"
};
#undef OP

static unsigned wrong_count[sizeof(ops) / sizeof(ops[0])];

static uint64_t semihost(uint64_t number, const void *parameter)
{
	register uint64_t x0 __asm__("x0") = number;
	register const void *x1 __asm__("x1") = parameter;

	__asm__ volatile("hlt #0xf000" : "+r"(x0) : "r"(x1) : "memory");
	return x0;
}

static void put(const char *text)
{
	semihost(4, text); // SYS_WRITE0
}

static void put_hex(const char *label, uint64_t value)
{
	char text[20];
	char *p = text + sizeof(text) - 1;

	*p = 0;
	do {
		*--p = "0123456789abcdef"[value & 15];
		value >>= 4;
	} while (value);
	put(label);
	put(p);
}

static uint64_t execute(const struct fp_vector *v, uint32_t *fpsr)
{
	register uint64_t x0 __asm__("x0") = v->a;
	register uint64_t x1 __asm__("x1") = v->b;
	register uint64_t x2 __asm__("x2") = v->c;
	register uint64_t x3 __asm__("x3") = 0;
	register uint64_t x9 __asm__("x9") = (uint64_t)ops[v->op].code;
	register uint64_t x10 __asm__("x10") = v->fpcr;
	register uint64_t x11 __asm__("x11") = v->fpsr_in;

	__asm__ volatile("msr fpcr, x10\n"
			 "msr fpsr, x11\n"
			 "fmov d0, x0\n"
			 "fmov d1, x1\n"
			 "fmov d2, x2\n"
			 "movi v3.2d, #0\n"
			 "blr x9\n"
			 "mrs x11, fpsr\n"
			 "msr fpcr, xzr\n"
			 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(x9), "+r"(x10), "+r"(x11)
			 :
			 : "x4", "x30", "v0", "v1", "v2", "v3", "cc", "memory");
	*fpsr = (uint32_t)x11;
	return x3;
}

// QEMU (seen in 7.2) says that FJCVTZS of a positive denormal flushed to zero is exact, Z = 1,
// where FPToFixedJS() has Z = 0 for a zero that was not zero to begin with. Nothing else is waived,
// and the count of what was waived is printed at the end.
static int waived(const struct fp_vector *v, uint64_t result, uint32_t fpsr)
{
	const char *name = ops[v->op].name;

	return name[0] == 'j' && (v->fpcr & 1u << 24) && v->a != 0 && v->a >> 52 == 0 &&
	       v->result == 0 && result == 1ull << 33 && (fpsr & 0xff) == v->fpsr_out;
}

void run(void)
{
	static const struct {
		uint64_t reason;
		uint64_t status;
	} passed = {0x20026, 0}, failed = {0x20026, 1};
	unsigned wrong = 0;
	unsigned waived_count = 0;

	for (const struct fp_vector *v = vectors_start; v < vectors_end; v++) {
		uint32_t fpsr;
		uint64_t result = execute(v, &fpsr);

		if (result == v->result && (fpsr & 0xff) == v->fpsr_out) {
			continue;
		}
		if (waived(v, result, fpsr)) {
			waived_count++;
			continue;
		}
		wrong++;
		if (wrong_count[v->op]++ < SHOWN_PER_OP) {
			put(ops[v->op].name);
			put_hex(" a=", v->a);
			put_hex(" b=", v->b);
			put_hex(" c=", v->c);
			put_hex(" fpcr=", v->fpcr);
			put_hex(" fpsr=", v->fpsr_in);
			put_hex(": predicted ", v->result);
			put_hex(" fpsr=", v->fpsr_out);
			put_hex(", executed ", result);
			put_hex(" fpsr=", fpsr & 0xff);
			put("\n");
		}
	}
	for (unsigned i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (wrong_count[i]) {
			put(ops[i].name);
			put_hex(": wrong 0x", wrong_count[i]);
			put("\n");
		}
	}
	put_hex("vectors 0x", (uint64_t)(vectors_end - vectors_start));
	put_hex(" wrong 0x", wrong);
	put_hex(" waived 0x", waived_count);
	put("\n");
	semihost(0x18, wrong ? &failed : &passed); // SYS_EXIT
}
