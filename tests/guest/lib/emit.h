// SPDX-License-Identifier: Apache-2.0
//
// emit.h - instructions made at run time, for tests that go through a table of system registers or
// of system instructions:
//
//	static const struct sysreg vm_controls[] = {SYSREG(sctlr_el1, 3, 0, 1, 0, 0), ...};
//
//	EXPECT_TRAP(EL1, WRITE, vm_controls[i], EL2);
#ifndef EMIT_H
#define EMIT_H

#include "guest.h"

struct sysreg {
	const char *name;
	uint8_t op0, op1, crn, crm, op2;
};

#define SYSREG(name, op0, op1, crn, crm, op2) \
	{ \
#name, op0, op1, crn, crm, op2 \
	}

enum direction { WRITE, READ };

// The register that the emitted instruction uses: Rt of its syndrome.
#define EMIT_RT 3

// A function of one instruction and a RET, for run_at(); good until the next emit(). It lies among
// the snippets, so that map_guest_code() maps it.
const char *emit(uint32_t insn);
// MRS x3, r or MSR r, x3 (op0 1: SYS with x3).
uint32_t sysreg_insn(enum direction direction, struct sysreg r);
// Runs that instruction at el; a write takes value from x3.
struct exc access_at(enum el el, enum direction direction, struct sysreg r, uint64_t value);

// EC 0x18 with the exact ISS, taken to a level, at the instruction; EC 0x00 likewise; no exception.
// A failing one names the register.
#define EXPECT_TRAP(el, direction, r, to) emit_expect_trap(__LINE__, el, direction, r, to)
#define EXPECT_UNDEFINED(el, direction, r, to) emit_expect_undefined(__LINE__, el, direction, r, to)
#define EXPECT_ACCESS(el, direction, r) emit_expect_access(__LINE__, el, direction, r, 0)
#define EXPECT_ACCESS_VALUE(el, direction, r, value) \
	emit_expect_access(__LINE__, el, direction, r, (uint64_t)(value))

void emit_expect_trap(int line, enum el el, enum direction direction, struct sysreg r, enum el to);
void emit_expect_undefined(int line, enum el el, enum direction direction, struct sysreg r,
			   enum el to);
void emit_expect_access(int line, enum el el, enum direction direction, struct sysreg r,
			uint64_t value);

// The same for each register of an array.
#define FOR_EACH_REG(r, array) \
	for (const struct sysreg *r = (array); r < (array) + sizeof(array) / sizeof((array)[0]); \
	     r++)

#endif
