// SPDX-License-Identifier: Apache-2.0
//
// cases.h - how cases are handed to the guest: a head, then each record with its registers.
#ifndef CASES_H
#define CASES_H

#include <stdint.h>

#define CASES_AT 0x50000000ul
#define CASES_MAGIC 0x54524150u

struct cases_head {
	uint32_t magic, count, first, pad;
};

struct case_record {
	uint32_t insn, register_count;
	uint64_t spsr, x3;
	uint32_t is_call, pad; // the instruction itself calls: SVC, HVC, SMC
};

struct case_register {
	uint32_t msr, pad; // MSR register, X1
	uint64_t value;
	uint64_t
		wanted; // the bits that the case is about: it cannot be run where they do not stick
};

#endif
