// SPDX-License-Identifier: Apache-2.0
// What the guest did wrong, as a value: built where it is found, routed by exception.c, encoded by
// esr.h.
#ifndef STRATA_CPU_FAULT_H
#define STRATA_CPU_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "cpu/esr.h"
#include "trace/trace.h"

struct pe;
struct mmu_fault;
struct uop;

struct fault {
	uint8_t ec; // ESR_ELx.EC as taken to a higher EL; EC_*_LOWER become the _SAME form at the
		    // same EL
	uint32_t iss;
	uint32_t iss2; // ESR_ELx[55:32]
	uint8_t target_el; // 0: default routing (EL1, or EL2 by TGE ...)
	bool il16; // IL = 0 (never for AArch64 but kept for completeness)
	bool has_far, has_ipa, ipa_ns;
	uint64_t far, ipa;
	uint8_t stage; // of an abort, for the trace
	int8_t level;
	bool s1ptw, write;
	enum trace_cause cause;
	const char *control;
	const char *sysreg;
	bool sysreg_read;
	bool after; // preferred return address is the next instruction (SVC, HVC, SMC)
	char name[24]; // storage for the name of an unnamed system register
};

// Builders: fill pe->fault. They take nothing yet; the handler then does `return exc_raise(pe,
// op)`.
void fault_undefined(struct pe *pe);
void fault_trap(struct pe *pe, unsigned target_el, enum ec ec, uint32_t iss, enum trace_cause cause,
		const char *control);

// Take pe->fault as an exception of the instruction of `op`; goes on at the vector.
const struct uop *exc_raise(struct pe *pe, const struct uop *op);

// UNDEFINED, with a log line when an unimplemented feature is the reason.
const struct uop *exc_undefined(struct pe *pe, const struct uop *op);

#endif
