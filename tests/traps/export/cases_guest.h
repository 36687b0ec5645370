// SPDX-License-Identifier: Apache-2.0
//
// cases_guest.h - the tables that compare.py generates for cases_guest.c.
#ifndef CASES_GUEST_H
#define CASES_GUEST_H

#include <stdint.h>

#define REGISTER_MAX 1024

// Two functions in assembly for each register: x0 = it, it = x0.
struct case_register_code {
	const void *read, *write;
};
extern const struct case_register_code case_register_code[];
extern const uint64_t case_open[]; // values in the open state
extern const unsigned case_register_count;
extern const char case_escape[]; // SMC #ESC_DONE

// Identification registers.
struct case_id {
	uint32_t enc;
	const void *read;
};
extern const struct case_id case_ids[];
extern const unsigned case_id_count;

struct case_word {
	uint64_t address, value;
};
extern const struct case_word case_tables[]; // page tables
extern const unsigned case_table_count;

struct case_value {
	uint16_t reg;
	uint64_t value;
};
extern const struct case_value case_changes[], case_x[];
extern const uint16_t case_written[];

struct case_memory {
	uint64_t address, value;
	unsigned size;
};
extern const struct case_memory case_memory[];

struct test_case {
	unsigned number;
	uint32_t insn;
	uint64_t pc, pstate;
	unsigned changes, change_count; // of case_changes
	unsigned x, x_count; // of case_x: those that are not as usual
	unsigned memory, memory_count;
	unsigned written, written_count; // registers that are compared before and after
};
extern const struct test_case cases[];
extern const unsigned case_count;

#endif
