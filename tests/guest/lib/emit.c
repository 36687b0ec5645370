// SPDX-License-Identifier: Apache-2.0
//
// emit.c - instructions made at run time (see emit.h).

#include "emit.h"

__asm__(".pushsection .snippets, \"ax\"\n"
	".balign 64\n"
	".global emit_slot\n"
	"emit_slot:\n\t.space 64\n"
	".popsection\n");

extern char emit_slot[];

#define INSN_RET 0xd65f03c0u

const char *emit(uint32_t insn)
{
	volatile uint32_t *slot = (volatile uint32_t *)emit_slot;

	slot[0] = insn;
	slot[1] = INSN_RET;
	__asm__ volatile("dc cvau, %0\n\tdsb ish\n\tic ivau, %0\n\tdsb ish\n\tisb" ::"r"(emit_slot)
			 : "memory");
	return emit_slot;
}

uint32_t sysreg_insn(enum direction direction, struct sysreg r)
{
	return 0xd5000000u | (uint32_t)direction << 21 | (uint32_t)r.op0 << 19 |
	       (uint32_t)r.op1 << 16 | (uint32_t)r.crn << 12 | (uint32_t)r.crm << 8 |
	       (uint32_t)r.op2 << 5 | EMIT_RT;
}

struct exc access_at(enum el el, enum direction direction, struct sysreg r, uint64_t value)
{
	return run_at(el, emit(sysreg_insn(direction, r)), 0, 0, 0, value);
}

void emit_expect_trap(int line, enum el el, enum direction direction, struct sysreg r, enum el to)
{
	struct exc e = access_at(el, direction, r, 0);

	guest_expect_exc(r.name, line, &e, to,
			 ESR(EC_SYSREG,
			     ISS_SYSREG(r.op0, r.op1, r.crn, r.crm, r.op2, EMIT_RT, direction)));
	guest_expect_eq(r.name, line, "elr", e.elr, (uint64_t)emit_slot);
}

void emit_expect_undefined(int line, enum el el, enum direction direction, struct sysreg r,
			   enum el to)
{
	struct exc e = access_at(el, direction, r, 0);

	guest_expect_exc(r.name, line, &e, to, ESR(EC_UNKNOWN, 0));
	guest_expect_eq(r.name, line, "elr", e.elr, (uint64_t)emit_slot);
}

void emit_expect_access(int line, enum el el, enum direction direction, struct sysreg r,
			uint64_t value)
{
	struct exc e = access_at(el, direction, r, value);

	guest_expect_no_exc(r.name, line, &e);
}
