// SPDX-License-Identifier: Apache-2.0
// Registers and fields by name: lookup, and what a value may be in a model.
#include "cpu/field.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/bits.h"
#include "cpu/model.h"
#include "cpu/sysreg_internal.h"

#define ANY FIELD_ANY
#define E2H0 FIELD_E2H0
#define E2H1 FIELD_E2H1
// A row of fgt.def is one field in one register, or one in each of two.
#define FGT_R(read, write, field, bit) {#field, SR_##read, bit, bit, FIELD_ANY},
#define FGT_W(read, write, field, bit) {#field, SR_##write, bit, bit, FIELD_ANY},
#define FGT_RW(read, write, field, bit) \
	FGT_R(read, write, field, bit) FGT_W(read, write, field, bit)
#define FGT_IN_HFG(field, bit, dir) FGT_##dir(HFGRTR_EL2, HFGWTR_EL2, field, bit)
#define FGT_IN_HDFG(field, bit, dir) FGT_##dir(HDFGRTR_EL2, HDFGWTR_EL2, field, bit)
#define FGT_IN_HFGI(field, bit, dir) FGT_R(HFGITR_EL2, HFGITR_EL2, field, bit)
#define FGT_IN_HAFG(field, bit, dir) FGT_R(HAFGRTR_EL2, HAFGRTR_EL2, field, bit)

static const struct sysreg_field fields[] = {
#define FIELD(reg, name, hi, lo, layout) {#name, SR_##reg, hi, lo, layout},
#include "cpu/field.def"
#undef FIELD
#define FGT(regs, field, bit, test, dir, feature) FGT_IN_##regs(field, bit, dir)
#include "cpu/fgt.def"
#undef FGT
};
#undef ANY
#undef E2H0
#undef E2H1
#define FIELDS_COUNT (sizeof(fields) / sizeof(fields[0]))

static const char *const fgt_names[FGT_COUNT] = {
#define FGT(regs, field, ...) [FGT_##field] = #field,
#include "cpu/fgt.def"
#undef FGT
};

static const char *const group_names[TG_COUNT] = {
#define GROUP(name) [TG_##name] = #name,
#include "cpu/trap_group.def"
#undef GROUP
};

// Names of the rows where .name differs from them ("IC_IALLU" of "IC IALLU").
static const char *const row_names[SYSREG_COUNT] = {
#define SYSREG(row_name, ...) [SR_##row_name] = #row_name,
#include "cpu/sysreg.def"
#undef SYSREG
};

uint64_t sysreg_field_mask(const struct sysreg_field *field)
{
	return MASK(field->hi, field->lo);
}

// One number of S3_0_C1_C0_0, after `prefix`; the rest of the text in *text.
static bool generic_part(const char **text, const char *prefix, unsigned max, unsigned *value)
{
	const char *s = *text;
	unsigned n = 0, digits = 0;

	for (; *prefix != '\0'; prefix++, s++) {
		if (toupper((unsigned char)*s) != *prefix) {
			return false;
		}
	}
	for (; isdigit((unsigned char)*s) && digits < 3; s++, digits++) {
		n = n * 10 + (unsigned)(*s - '0');
	}
	*text = s;
	*value = n;
	return digits != 0 && n <= max;
}

static bool generic_name(const char *name, uint16_t *enc)
{
	unsigned op0, op1, crn, crm, op2;

	if (!generic_part(&name, "S", 3, &op0) || !generic_part(&name, "_", 7, &op1) ||
	    !generic_part(&name, "_C", 15, &crn) || !generic_part(&name, "_C", 15, &crm) ||
	    !generic_part(&name, "_", 7, &op2) || *name != '\0') {
		return false;
	}
	*enc = SYSREG_ENC(op0, op1, crn, crm, op2);
	return true;
}

bool sysreg_encoding_by_name(const char *name, uint16_t *enc)
{
	for (unsigned reg = 0; reg < SYSREG_COUNT; reg++) {
		if (strcasecmp(name, sysreg_rows[reg].name) == 0 ||
		    strcasecmp(name, row_names[reg]) == 0) {
			*enc = sysreg_rows[reg].enc;
			return true;
		}
	}
	return generic_name(name, enc);
}

enum sysreg sysreg_by_name(const char *name)
{
	uint16_t enc;

	return sysreg_encoding_by_name(name, &enc) ? sysreg_find(enc) : SYSREG_NONE;
}

static bool layout_is(const struct sysreg_field *field, bool e2h)
{
	return field->layout == FIELD_ANY || (field->layout == FIELD_E2H1) == e2h;
}

const struct sysreg_field *sysreg_field_find(enum sysreg reg, const char *name, bool e2h)
{
	for (size_t i = 0; i < FIELDS_COUNT; i++) {
		if (fields[i].reg == reg && layout_is(&fields[i], e2h) &&
		    strcasecmp(fields[i].name, name) == 0) {
			return &fields[i];
		}
	}
	return NULL;
}

const struct sysreg_field *sysreg_field_of_bit(enum sysreg reg, unsigned bit_number, bool e2h)
{
	for (size_t i = 0; i < FIELDS_COUNT; i++) {
		if (fields[i].reg == reg && layout_is(&fields[i], e2h) &&
		    bit_number <= fields[i].hi && bit_number >= fields[i].lo) {
			return &fields[i];
		}
	}
	return NULL;
}

const struct sysreg_field *sysreg_field_at(size_t index)
{
	return index < FIELDS_COUNT ? &fields[index] : NULL;
}

const char *sysreg_fields_text(enum sysreg reg, uint64_t mask, bool e2h, char *text, size_t size)
{
	unsigned count = 0;
	size_t used = 0;

	text[0] = '\0';
	for (uint64_t left = mask; left != 0;) {
		unsigned low = (unsigned)ctz64(left);
		const struct sysreg_field *f = sysreg_field_of_bit(reg, low, e2h);
		int n = f != NULL ? snprintf(text + used, size - used, "%s%s", count ? "," : "",
					     f->name)
				  : snprintf(text + used, size - used, "%s[%u]", count ? "," : "",
					     low);

		if (n < 0 || (size_t)n >= size - used) {
			break;
		}
		used += (size_t)n;
		count++;
		left &= f != NULL ? ~sysreg_field_mask(f) : ~BIT(low);
	}
	if (count > 1 && used + 3 <= size) {
		memmove(text + 1, text, used);
		text[0] = '{';
		text[used + 1] = '}';
		text[used + 2] = '\0';
	}
	return text;
}

int sysreg_value_check(const struct cpu_model *model, enum sysreg reg, uint64_t mask,
		       uint64_t value, bool e2h, char *error, size_t error_size)
{
	uint64_t fixed = mask & ~model->writable[reg];
	uint64_t wrong = (value ^ model->id[reg]) & fixed;
	const struct sysreg_field *field;
	char bits_text[32];
	unsigned low;

	if (sysreg_lacks(&model->features, reg) != FEAT_NONE) {
		snprintf(error, error_size, "%s needs %s, which this CPU model has not",
			 sysreg_name(reg), feature_name(sysreg_lacks(&model->features, reg)));
		return -EINVAL;
	}
	if (wrong == 0) {
		return 0;
	}
	low = (unsigned)ctz64(wrong);
	field = sysreg_field_of_bit(reg, low, e2h);
	if (field != NULL) {
		snprintf(error, error_size, "%s.%s is fixed to %llu in this CPU model",
			 sysreg_name(reg), field->name,
			 (unsigned long long)bits(model->id[reg], field->hi, field->lo));
	} else {
		snprintf(bits_text, sizeof(bits_text), "bit %u", low);
		snprintf(error, error_size, "%s: %s is RES%u", sysreg_name(reg), bits_text,
			 (unsigned)bit(model->id[reg], low));
	}
	return -EINVAL;
}

void sysreg_describe(enum sysreg reg, struct sysreg_info *info)
{
	const struct sysreg_row *row = &sysreg_rows[reg];
	unsigned n = 0;

	*info = (struct sysreg_info){
		.name = row->name,
		.enc = row->enc,
		.feature = (enum feature)row->feature,
		.also = (enum feature)row->also,
		.read_els = row->read_els,
		.write_els = row->write_els,
		.e2h = row->e2h != 0 ? (enum sysreg)row->e2h : SYSREG_NONE,
		.alias = row->alias != 0 ? (enum sysreg)row->alias : SYSREG_NONE,
		.index = row->index,
		.vncr = row->vncr,
		.has_vncr = row->vncr != 0,
		.fgt = fgt_names[row->fgt],
		.needs_el2 = (row->flags & SYSREG_NEEDS_EL2_ENABLED) != 0,
	};
	for (unsigned i = 0; i < SYSREG_GROUPS_MAX; i++) {
		if (row->groups[i] != TG_NONE && n < 7) {
			info->groups[n++] = group_names[row->groups[i]];
		}
	}
}
