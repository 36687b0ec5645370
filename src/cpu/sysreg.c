// SPDX-License-Identifier: Apache-2.0
// System registers: the rows, lookup, raw and masked access, reset, and the check of the table.
// What may be accessed is decided in sysreg_permit.c; the effects of registers of the PE itself are
// in sysreg_hooks.c.
#include "cpu/sysreg.h"

#include <stdio.h>
#include <string.h>

#include "base/bits.h"
#include "base/check.h"
#include "cpu/model.h"
#include "cpu/pe_internal.h"
#include "cpu/sysreg_fields.h"
#include "cpu/sysreg_internal.h"

// The words of sysreg.def.
#define RW_EL0 .read_els = 0xf, .write_els = 0xf
#define RO_EL0 .read_els = 0xf
#define WO_EL0 .write_els = 0xf
#define RO_EL0_RW_EL1 .read_els = 0xf, .write_els = 0xe
#define R0_WTOP .read_els = 0xf, .write_els = 0xe
#define RW_EL1 .read_els = 0xe, .write_els = 0xe
#define RO_EL1 .read_els = 0xe
#define WO_EL1 .write_els = 0xe
#define RW_EL2 .read_els = 0xc, .write_els = 0xc
#define RW_EL12 .read_els = 0xc, .write_els = 0xc
#define RO_EL2 .read_els = 0xc
#define WO_EL2 .write_els = 0xc
#define RW_EL3 .read_els = 0x8, .write_els = 0x8
#define RO_EL3 .read_els = 0x8
#define WO_EL3 .write_els = 0x8
#define NOTHING 0
#define NO_TRAPS .groups = {TG_NONE}
#define TRAPS(...) TRAPS_OF(__VA_ARGS__, NONE, NONE, NONE)
#define TRAPS_OF(a, b, c, d, ...) .groups = {TG_##a, TG_##b, TG_##c, TG_##d}
#define CTX SYSREG_CHANGES_CONTEXT
#define IRQ SYSREG_CHANGES_INTERRUPTS
#define DBG SYSREG_CHANGES_DEBUG
#define EL2ON SYSREG_NEEDS_EL2_ENABLED

// A row overrides the default of .writable.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
const struct sysreg_row sysreg_rows[SYSREG_COUNT] = {
#define SYSREG(row_name, op0, op1, crn, crm, op2, access, row_feature, row_traps, ...) \
	{.name = #row_name, \
	 .enc = SYSREG_ENC(op0, op1, crn, crm, op2), \
	 access, \
	 .feature = row_feature, \
	 row_traps, \
	 .writable = ~UINT64_C(0), \
	 __VA_ARGS__},
#include "cpu/sysreg.def"
#undef SYSREG
};
#pragma GCC diagnostic pop

// Encoding to id + 1. A duplicate encoding is a compile-time warning here (-Woverride-init).
static const uint16_t sysreg_index[1 << 16] = {
#define SYSREG(row_name, op0, op1, crn, crm, op2, ...) \
	[SYSREG_ENC(op0, op1, crn, crm, op2)] = SR_##row_name + 1,
#include "cpu/sysreg.def"
#undef SYSREG
};

enum sysreg sysreg_find(uint16_t enc)
{
	return sysreg_index[enc] != 0 ? (enum sysreg)(sysreg_index[enc] - 1) : SYSREG_NONE;
}

const char *sysreg_name(enum sysreg reg)
{
	return (unsigned)reg < SYSREG_COUNT ? sysreg_rows[reg].name : "?";
}

enum feature sysreg_lacks(const struct feature_set *set, enum sysreg reg)
{
	enum feature first = (enum feature)sysreg_rows[reg].feature;
	enum feature second = (enum feature)sysreg_rows[reg].also;

	return !feature_in(set, first) ? first : !feature_in(set, second) ? second : FEAT_NONE;
}

uint64_t sysreg_get(const struct pe *pe, enum sysreg reg)
{
	return pe->sr[reg];
}

void sysreg_set(struct pe *pe, enum sysreg reg, uint64_t value)
{
	pe->sr[reg] = value;
}

void sysreg_hook_changed(struct pe *pe, enum sysreg reg)
{
	struct sysreg_hook *hook = &pe->hooks[reg];

	hook->after = (uint8_t)((sysreg_rows[reg].flags & SYSREG_ENDS_BLOCK) |
				(hook->decides ? SYSREG_DECIDES : 0));
	hook->plain_write = hook->write == NULL && hook->after == 0;
	pe->sysreg_epoch++; // uops may remember that there was no hook
	pe_access_tag_set(pe);
}

void sysreg_bind(struct pe *pe, enum sysreg reg, sysreg_read_fn *read, sysreg_write_fn *write,
		 void *opaque)
{
	struct sysreg_hook *hook = &pe->hooks[reg];

	CHECK((unsigned)reg < SYSREG_COUNT);
	hook->read = read;
	hook->write = write;
	hook->opaque = opaque;
	sysreg_hook_changed(pe, reg);
}

uint64_t sysreg_read(struct pe *pe, enum sysreg reg)
{
	const struct sysreg_hook *hook = &pe->hooks[reg];

	return hook->read != NULL ? hook->read(pe, hook->opaque, reg) : pe->sr[reg];
}

void sysreg_write(struct pe *pe, enum sysreg reg, uint64_t value)
{
	const struct sysreg_hook *hook = &pe->hooks[reg];
	uint64_t writable = pe->model->writable[reg];
	unsigned flags = hook->after;

	value = (pe->sr[reg] & ~writable) | (value & writable);
	if (likely(flags == 0 && hook->write != NULL)) {
		hook->write(pe, hook->opaque, reg,
			    value); // of a device: nothing of the PE follows it
		return;
	}
	if (hook->write != NULL) {
		hook->write(pe, hook->opaque, reg, value);
	} else {
		pe->sr[reg] = value;
	}
	if (flags & SYSREG_DECIDES) {
		pe->sysreg_epoch++;
		pe_access_tag_set(pe);
	}
	if (flags & SYSREG_CHANGES_CONTEXT) {
		pe_context_changed(pe);
	}
	if (flags & SYSREG_CHANGES_DEBUG) {
		pe_debug_changed(pe);
	}
	if (flags & SYSREG_CHANGES_INTERRUPTS) {
		pe_interrupts_changed(pe);
	}
}

void sysreg_reset(struct pe *pe)
{
	for (unsigned reg = 0; reg < SYSREG_COUNT; reg++) {
		pe->sr[reg] = pe->model->id[reg];
	}
	pe->sr[SR_MPIDR_EL1] = pe->affinity | BIT(31);
	pe->sr[SR_VMPIDR_EL2] = pe->sr[SR_MPIDR_EL1];
	memset(pe->lor, 0, sizeof(pe->lor));
}

// ---- the check of the table ---------------------------------------------------------------------

// What is wrong with a row, or NULL.
static const char *row_fault(unsigned reg)
{
	const struct sysreg_row *row = &sysreg_rows[reg];

	if (reg > 0 && row[-1].enc >= row->enc) {
		return row[-1].enc == row->enc ? "has the encoding of the row before it"
					       : "is not in the order of encodings";
	}
	if ((row->enc >> 14) == 0) {
		return "has op0 = 0, which is no register";
	}
	if ((row->read_els | row->write_els) == 0) {
		return "can be accessed from nowhere";
	}
	if ((row->enc >> 14) == 1 && row->read_els != 0) {
		return "is a SYS instruction that can be read";
	}
	if (row->feature >= FEATURE_COUNT || row->also >= FEATURE_COUNT) {
		return "names no feature";
	}
	if (row->e2h != 0 && (row->e2h >= SYSREG_COUNT || sysreg_rows[row->e2h].e2h != 0)) {
		return "redirects (E2H) to a register that is itself redirected";
	}
	if (row->e2h != 0 && (sysreg_rows[row->e2h].read_els != 0xc ||
			      ((row->enc ^ sysreg_rows[row->e2h].enc) >> 14) != 0)) {
		return "redirects (E2H) to what is no _EL2 register";
	}
	if (row->alias != 0 && (row->alias >= SYSREG_COUNT || sysreg_rows[row->alias].alias != 0)) {
		return "is an alias of an alias";
	}
	if (row->alias != 0 && ((row->enc >> 11) & 7) != 5) {
		return "is an alias but no _EL12 or _EL02 name (op1 = 5)";
	}
	if (row->alias == 0 && ((row->enc >> 11) & 7) == 5 && (row->enc >> 14) == 3) {
		return "is an _EL12 or _EL02 name without .alias";
	}
	if ((row->rules & (RULE_BRP | RULE_WRP)) != 0 && row->index > 15) {
		return "has an index above 15";
	}
	return NULL;
}

unsigned sysreg_check_table(char *error, size_t error_size)
{
	unsigned bad = 0;

	for (unsigned reg = 0; reg < SYSREG_COUNT; reg++) {
		const char *fault = row_fault(reg);

		if (fault != NULL && bad++ == 0) {
			snprintf(error, error_size, "sysreg.def: %s %s", sysreg_rows[reg].name,
				 fault);
		}
	}
	return bad;
}
