// SPDX-License-Identifier: Apache-2.0
// Registers and their fields by name: what a person writes as HCR_EL2.TVM.
#ifndef STRATA_CPU_FIELD_H
#define STRATA_CPU_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cpu/sysreg.h"

struct cpu_model;

enum field_layout { FIELD_ANY, FIELD_E2H0, FIELD_E2H1 };

struct sysreg_field {
	const char *name; // "TVM"
	uint16_t reg; // enum sysreg
	uint8_t hi, lo;
	uint8_t layout; // enum field_layout: of registers with two
};

uint64_t sysreg_field_mask(const struct sysreg_field *field);

// A register or system instruction by its name as printed, by the name of its row, or as
// S<op0>_<op1>_C<n>_C<m>_<op2>; in any case of letters. SYSREG_NONE: there is none.
enum sysreg sysreg_by_name(const char *name);

// The encoding that a name stands for, also one without a register. False: it is no name.
bool sysreg_encoding_by_name(const char *name, uint16_t *enc);

// A field by name, in the layout for this value of HCR_EL2.E2H; NULL: there is none. Any case.
const struct sysreg_field *sysreg_field_find(enum sysreg reg, const char *name, bool e2h);

// The field that a bit of the register belongs to, NULL if none is known.
const struct sysreg_field *sysreg_field_of_bit(enum sysreg reg, unsigned bit, bool e2h);

// All of them, in the order of field.def and fgt.def. NULL after the last.
const struct sysreg_field *sysreg_field_at(size_t index);

// The name of the fields that mask covers: "TVM", "{IRQ,FIQ}", "[3:2]"; returns text.
const char *sysreg_fields_text(enum sysreg reg, uint64_t mask, bool e2h, char *text, size_t size);

// May the bits of mask hold these values in this model? What a write cannot change must have its
// fixed value. 0, or -EINVAL with one line that names the register and the bits.
int sysreg_value_check(const struct cpu_model *model, enum sysreg reg, uint64_t mask,
		       uint64_t value, bool e2h, char *error, size_t error_size);

// What is known of a register's row, for tables that people read.
struct sysreg_info {
	const char *name;
	uint16_t enc;
	enum feature feature, also; // it needs both; FEAT_NONE: nothing
	uint8_t read_els, write_els; // bit n: exists for ELn
	enum sysreg e2h, alias; // SYSREG_NONE: none
	unsigned index;
	uint16_t vncr; // FEAT_NV2 offset
	bool has_vncr;
	const char *fgt; // the field of the fine-grained trap registers, NULL: none
	bool needs_el2; // UNDEFINED at EL3 while EL2 is not enabled
	const char *groups[8]; // ends with NULL
};
void sysreg_describe(enum sysreg reg, struct sysreg_info *info);

#endif
