// SPDX-License-Identifier: Apache-2.0
//
// guest.h - the API of the bare-metal guest tests.
//
// One .c file becomes one ELF that holds many tests. A test is C that runs at EL3 with the MMU off,
// sets the control registers up, sends a snippet of assembly to the level under test and looks at
// what came of it:
//
//	SNIPPET(write_sctlr, "msr sctlr_el1, x0");
//
//	TEST(hcr_tvm_traps_sctlr_el1_write_to_el2)
//	{
//		write_sysreg(hcr_el2, HCR_BASE | HCR_TVM);
//		struct exc e = run_at(EL1, write_sctlr, SCTLR_EL1_BASE);
//
//		EXPECT_EXC(e, EL2, EC_SYSREG, ISS_SYSREG_WRITE(3, 0, 1, 0, 0, 0));
//		EXPECT_EQ(e.elr, write_sctlr);
//	}
//
// Before each test all control registers are set to the *_BASE values below: Non-secure, AArch64
// everywhere, nothing trapped, all MMUs off, DAIF masked, GIC and timers silent. Exceptions taken
// to EL1, EL2 or EL3 are all recorded and end the snippet. A snippet ends with an implied RET to
// x30; one that changes level by itself uses ESCAPE_SVC (EL0) or ESCAPE_SMC (EL1 to EL3).
//
// Expectations are written by hand from the Arm Architecture Reference Manual. A test that QEMU is
// known to fail says so with QEMU_DIFFERS("why"), or QEMU_7_DIFFERS and QEMU_11_DIFFERS where one
// of the two versions that were compared (7.2 and 11.1) does, so that run_qemu.sh can cross-check
// all others.
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest_asm.h"
#include "regs.h"

// Snippets and inline assembly may use any instruction that the assembler knows; the compiler emits
// Armv8.0 only.
__asm__(".arch armv8.7-a+crypto+sha3+sm4+fp16+fp16fml+rng+memtag+sve2+profile+ssbs+sb+predres"
	"+bf16+i8mm\n");

enum el { EL_NONE = -1, EL0, EL1, EL2, EL3 };

// What came of a snippet. Where el is EL_NONE it ran to its end and esr, elr, spsr, far and offset
// are 0.
struct exc {
	int el; // the level that took the exception
	uint64_t offset; // of the vector: 0x000 to 0x780
	uint64_t esr, elr, spsr, far; // that level's ESR, ELR, SPSR and FAR
	uint64_t hpfar; // HPFAR_EL2, whatever the level
	uint64_t pstate; // at the vector's first instruction or the snippet's end, as an SPSR
	uint64_t start; // the SPSR that the snippet was started with
	uint64_t x[31]; // general registers at that moment
};

// Assembly text for the level under test. name is a const char[] at the first instruction.
#define SNIPPET(name, ...) \
	extern const char name[]; \
	__asm__(".pushsection .snippets, \"ax\"\n" \
		".balign 16\n" \
		".global " #name "\n" \
		".type " #name ", %function\n" #name ":\n\t" __VA_ARGS__ "\n\tret\n" \
		".size " #name ", . - " #name "\n" \
		".popsection\n")

#define GUEST_STR_(x) #x
#define GUEST_STR(x) GUEST_STR_(x)
#define ESCAPE_SVC "\n\tsvc #" GUEST_STR(ESC_DONE) "\n"
#define ESCAPE_SMC "\n\tsmc #" GUEST_STR(ESC_DONE) "\n"

// Runs a snippet at el with SPSel = 1 (EL0: SP_EL0) and DAIF masked. The arguments, up to eight, go
// to x0-x7; the other registers start as 0, x30 apart.
#define run_at(el, snippet, ...) run_at_spsr(guest_spsr(el), snippet, ##__VA_ARGS__)

// The same with a chosen SPSR_EL3: SP selection, masks, PAN, BTYPE, SS...
#define run_at_spsr(spsr, snippet, ...) \
	guest_run((uint64_t)(spsr), (uint64_t)(snippet), \
		  (const uint64_t[8]){ \
			  GUEST_ARGS(0, ##__VA_ARGS__, 8, 7, 6, 5, 4, 3, 2, 1, 0)(__VA_ARGS__)})

// Casts each argument, so that addresses and numbers mix.
#define GUEST_ARGS(zero, a, b, c, d, e, f, g, h, n, ...) GUEST_ARGS_##n
#define GUEST_ARGS_0() 0
#define GUEST_ARGS_1(a) (uint64_t)(a)
#define GUEST_ARGS_2(a, ...) (uint64_t)(a), GUEST_ARGS_1(__VA_ARGS__)
#define GUEST_ARGS_3(a, ...) (uint64_t)(a), GUEST_ARGS_2(__VA_ARGS__)
#define GUEST_ARGS_4(a, ...) (uint64_t)(a), GUEST_ARGS_3(__VA_ARGS__)
#define GUEST_ARGS_5(a, ...) (uint64_t)(a), GUEST_ARGS_4(__VA_ARGS__)
#define GUEST_ARGS_6(a, ...) (uint64_t)(a), GUEST_ARGS_5(__VA_ARGS__)
#define GUEST_ARGS_7(a, ...) (uint64_t)(a), GUEST_ARGS_6(__VA_ARGS__)
#define GUEST_ARGS_8(a, ...) (uint64_t)(a), GUEST_ARGS_7(__VA_ARGS__)

struct exc guest_run(uint64_t spsr, uint64_t pc, const uint64_t x[8]);

// M[3:0] for a level with its own stack pointer, and DAIF set.
static inline uint64_t guest_spsr(enum el el)
{
	return SPSR_DAIF | (el == EL0 ? 0 : (uint64_t)el << 2 | 1);
}

// Puts every register that steers exceptions, translation, traps, debug, timers and interrupts at
// its base value and invalidates all TLBs. The runtime does it before each test; a test may do it
// again between its parts.
void guest_reset(void);

struct guest_test {
	const char *name;
	void (*fn)(void);
};

#define TEST(name) \
	static void test_##name(void); \
	static const struct guest_test guest_test_##name \
		__attribute__((used, section(".tests"), aligned(8))) = {#name, test_##name}; \
	static void test_##name(void)

// Expectations. A failing one prints file, line, expected and seen, and the test goes on.

// A synchronous exception taken to to_el from the level that run_at() named, with exactly this
// syndrome (IL is 1 for every A64 instruction). The vector offset and SPSR.M are checked against
// the level the snippet was started at.
#define EXPECT_EXC(e, to_el, ec, iss) \
	guest_expect_exc(__FILE__, __LINE__, &(e), to_el, ESR(ec, iss))
// The same for an exception taken at another level than the snippet's first, or for an asynchronous
// one.
#define EXPECT_EXC_AT(e, to_el, vector_offset, esr_value) \
	guest_expect_exc_at(__FILE__, __LINE__, &(e), to_el, vector_offset, esr_value)
// An interrupt (no syndrome): offset within the group of four is VECTOR_IRQ, VECTOR_FIQ or
// VECTOR_SERROR.
#define EXPECT_INTERRUPT(e, to_el, kind) \
	guest_expect_interrupt(__FILE__, __LINE__, &(e), to_el, kind)
#define EXPECT_NO_EXC(e) guest_expect_no_exc(__FILE__, __LINE__, &(e))
#define EXPECT_EQ(seen, expected) \
	guest_expect_eq(__FILE__, __LINE__, #seen, (uint64_t)(seen), (uint64_t)(expected))
#define EXPECT_MASKED(seen, mask, expected) \
	guest_expect_eq(__FILE__, __LINE__, #seen " & " #mask, \
			(uint64_t)(seen) & (uint64_t)(mask), (uint64_t)(expected))
#define EXPECT_REG(e, n, expected) \
	guest_expect_eq(__FILE__, __LINE__, "x" #n, (e).x[n], (uint64_t)(expected))
#define EXPECT_TRUE(condition) guest_expect_eq(__FILE__, __LINE__, #condition, !!(condition), 1)

// Leaves the test as skipped, with the reason printed.
#define SKIP_UNLESS(condition, reason) \
	do { \
		if (!(condition)) { \
			guest_skip(reason); \
			return; \
		} \
	} while (0)
// What QEMU does otherwise: every version; those before 11, which mended it; those from 11, which
// brought the feature or the difference.
#define QEMU_DIFFERS(reason) SKIP_UNLESS(!guest_qemu(), "QEMU differs: " reason)
#define QEMU_7_DIFFERS(reason) \
	SKIP_UNLESS(!guest_qemu() || guest_qemu() >= 11, "QEMU 7.2 differs: " reason)
#define QEMU_11_DIFFERS(reason) SKIP_UNLESS(guest_qemu() < 11, "QEMU 11.1 differs: " reason)

void guest_expect_exc(const char *file, int line, const struct exc *e, int el, uint64_t esr);
void guest_expect_exc_at(const char *file, int line, const struct exc *e, int el, uint64_t offset,
			 uint64_t esr);
void guest_expect_interrupt(const char *file, int line, const struct exc *e, int el, uint64_t kind);
void guest_expect_no_exc(const char *file, int line, const struct exc *e);
void guest_expect_eq(const char *file, int line, const char *what, uint64_t seen,
		     uint64_t expected);
void guest_skip(const char *reason);
// The major version of QEMU as run_qemu.sh tells it, or 0: it is Strata.
unsigned guest_qemu(void);

// %s, %d (int), %x (unsigned), %lx (uint64_t), %lu, %%.
void guest_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

// System registers, from EL3; the name may be of the form S3_0_C1_C0_0.
#define read_sysreg(reg) \
	({ \
		uint64_t value_; \
		__asm__ volatile("mrs %0, " #reg : "=r"(value_)::"memory"); \
		value_; \
	})
#define write_sysreg(reg, value) \
	__asm__ volatile("msr " #reg ", %x0\n\tisb" ::"rZ"((uint64_t)(value)) : "memory")

static inline void dsb_isb(void)
{
	__asm__ volatile("dsb sy\n\tisb" ::: "memory");
}

// Invalidates everything of every regime in both Security states.
void tlbi_all(void);

// An ID register field (4 bits).
static inline unsigned id_field(uint64_t reg, unsigned lsb)
{
	return reg >> lsb & 0xf;
}

// Sixteen pages of 64 KiB for tests, aligned to 64 KiB; not cleared between tests.
extern uint8_t scratch[16][65536];
extern const char stack_el0_top[], stack_el1_top[], stack_el2_top[];
// The linker's idea of the parts of the image (see link.ld), the vectors, and where snippets return
// to.
extern char image_start[], image_end[], vectors_start[], vectors_end[], snippets_start[],
	snippets_end[];
extern const char lower_vectors[], lower_vectors_smd_el1[], lower_vectors_smd_el2[], el3_vectors[];
extern const char escape_stubs[], escape_stubs_end[], escape_svc[], escape_smc[], escape_smd_el1[],
	escape_smd_el2[];

#endif
