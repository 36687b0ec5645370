// SPDX-License-Identifier: Apache-2.0
// One setting of a machine's state as text: "HCR_EL2.TVM=1", "SCTLR_EL1=0x30d00980",
// "HCR_EL2[27:26]=1", "X3=5", "SP=0x1000", "PSTATE.PAN=1".
#ifndef STRATA_EXPLAIN_SETTING_H
#define STRATA_EXPLAIN_SETTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cpu/sysreg.h"

struct cpu_model;

enum setting_kind { SETTING_SYSREG, SETTING_X, SETTING_SP, SETTING_PC, SETTING_PSTATE };

struct setting {
	enum setting_kind kind;
	enum sysreg reg; // SETTING_SYSREG
	unsigned x; // SETTING_X
	uint64_t mask; // the bits that are set: of the register, or of PSTATE as in an SPSR
	uint64_t value; // in place
};

// A number: decimal, 0x or 0b, with _ between digits. False: it is none, or has more than 64 bits.
bool setting_number(const char *text, uint64_t *value);

// What stands before the '=': a register, and a field or bits of it. e2h: the value of HCR_EL2.E2H
// for which the fields are meant. 0, or -EINVAL with one line in error.
int setting_target(const char *text, bool e2h, struct setting *setting, char *error,
		   size_t error_size);

// All of it. The value has to fit.
int setting_parse(const char *text, bool e2h, struct setting *setting, char *error,
		  size_t error_size);

// Can the model hold it? Refused by name: registers and fields that the model lacks, RES0 and RES1
// bits.
int setting_check(const struct setting *setting, const struct cpu_model *model, bool e2h,
		  char *error, size_t error_size);

#endif
