// SPDX-License-Identifier: Apache-2.0
// Settings as text: what is named, whether the value fits, whether the model can hold it.
#include "explain/setting.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bits.h"
#include "cpu/field.h"
#include "cpu/model.h"

#define NAME_SIZE 48

static int fail(char *error, size_t error_size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(char *error, size_t error_size, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(error, error_size, fmt, args);
	va_end(args);
	for (char *c = error; *c != '\0'; c++) {
		*c = iscntrl((unsigned char)*c) ? '?' : *c; // one line
	}
	return -EINVAL;
}

// PSTATE's fields where an SPSR has them.
static const struct {
	const char *name;
	uint8_t hi, lo;
	enum feature feature;
} pstate_fields[] = {{"NZCV", 31, 28, FEAT_NONE}, {"TCO", 25, 25, FEAT_MTE},
		     {"DIT", 24, 24, FEAT_DIT},   {"UAO", 23, 23, FEAT_UAO},
		     {"PAN", 22, 22, FEAT_PAN},   {"SS", 21, 21, FEAT_NONE},
		     {"IL", 20, 20, FEAT_NONE},   {"ALLINT", 13, 13, FEAT_NMI},
		     {"SSBS", 12, 12, FEAT_SSBS}, {"BTYPE", 11, 10, FEAT_BTI},
		     {"DAIF", 9, 6, FEAT_NONE},   {"SP", 0, 0, FEAT_NONE}};

bool setting_number(const char *text, uint64_t *value)
{
	unsigned base = 10;
	uint64_t n = 0;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		base = 16;
		text += 2;
	} else if (text[0] == '0' && (text[1] == 'b' || text[1] == 'B')) {
		base = 2;
		text += 2;
	}
	if (!isxdigit((unsigned char)*text)) {
		return false;
	}
	for (; *text != '\0'; text++) {
		unsigned digit;

		if (*text == '_' && isxdigit((unsigned char)text[1])) {
			continue;
		}
		if (!isxdigit((unsigned char)*text)) {
			return false;
		}
		digit = isdigit((unsigned char)*text)
				? (unsigned)(*text - '0')
				: (unsigned)(tolower((unsigned char)*text) - 'a') + 10;
		if (digit >= base || n > (UINT64_MAX - digit) / base) {
			return false;
		}
		n = n * base + digit;
	}
	*value = n;
	return true;
}

// A number of one or two digits, the place of a bit. NULL: there is none.
static const char *bit_place(const char *text, unsigned *place)
{
	char *end;

	if (!isdigit((unsigned char)*text)) {
		return NULL;
	}
	*place = (unsigned)strtoul(text, &end, 10);
	return end - text <= 2 && *place <= 63 ? end : NULL;
}

// "[27:26]" or "[26]" after a register's name.
static int bit_range(const char *text, const char *whole, uint64_t *mask, char *error,
		     size_t error_size)
{
	unsigned hi = 0, lo = 0;
	const char *at = bit_place(text + 1, &hi);

	lo = hi;
	if (at != NULL && *at == ':') {
		at = bit_place(at + 1, &lo);
	}
	if (at == NULL || strcmp(at, "]") != 0 || lo > hi) {
		return fail(error, error_size, "'%.60s': bits are written [HIGH:LOW] or [N]",
			    whole);
	}
	*mask = MASK(hi, lo);
	return 0;
}

static int pstate_target(const char *field, struct setting *s, char *error, size_t error_size)
{
	s->kind = SETTING_PSTATE;
	for (size_t i = 0; i < sizeof(pstate_fields) / sizeof(pstate_fields[0]); i++) {
		if (strcasecmp(field, pstate_fields[i].name) == 0) {
			s->mask = MASK(pstate_fields[i].hi, pstate_fields[i].lo);
			return 0;
		}
	}
	return fail(error, error_size, "PSTATE has no field '%.40s' that can be set", field);
}

// X0 to X30, SP, PC. False: something else.
static bool general_register(const char *name, struct setting *s)
{
	char *end;
	unsigned long n;

	s->mask = ~UINT64_C(0);
	if (strcasecmp(name, "SP") == 0) {
		s->kind = SETTING_SP;
		return true;
	}
	if (strcasecmp(name, "PC") == 0) {
		s->kind = SETTING_PC;
		return true;
	}
	if (toupper((unsigned char)name[0]) != 'X' || !isdigit((unsigned char)name[1]) ||
	    strlen(name) > 3 || (name[1] == '0' && name[2] != '\0')) {
		return false;
	}
	n = strtoul(name + 1, &end, 10);
	if (*end != '\0' || n > 30) {
		return false;
	}
	s->kind = SETTING_X;
	s->x = (unsigned)n;
	return true;
}

static int field_target(struct setting *s, const char *name, bool e2h, char *error,
			size_t error_size)
{
	const struct sysreg_field *field = sysreg_field_find(s->reg, name, e2h);

	if (field == NULL && sysreg_field_find(s->reg, name, !e2h) != NULL) {
		return fail(error, error_size, "%s has no field %s while HCR_EL2.E2H is %d",
			    sysreg_name(s->reg), name, e2h);
	}
	if (field == NULL) {
		return fail(error, error_size, "%s has no field '%.40s'", sysreg_name(s->reg),
			    name);
	}
	s->mask = sysreg_field_mask(field);
	return 0;
}

int setting_target(const char *text, bool e2h, struct setting *s, char *error, size_t error_size)
{
	size_t n = strcspn(text, ".[");
	struct sysreg_info info;
	char name[NAME_SIZE];
	uint16_t enc;

	*s = (struct setting){.kind = SETTING_SYSREG, .mask = ~UINT64_C(0), .reg = SYSREG_NONE};
	if (n == 0 || n >= sizeof(name)) {
		return fail(error, error_size, "'%.60s': no such register", text);
	}
	memcpy(name, text, n);
	name[n] = '\0';
	if (text[n] == '.' && strcasecmp(name, "PSTATE") == 0) {
		return pstate_target(text + n + 1, s, error, error_size);
	}
	if (text[n] == '\0' && general_register(name, s)) {
		return 0;
	}
	s->kind = SETTING_SYSREG;
	s->reg = sysreg_by_name(name);
	if (s->reg == SYSREG_NONE || !sysreg_encoding_by_name(name, &enc) || (enc >> 14) < 2) {
		s->reg = SYSREG_NONE;
		return fail(error, error_size, "'%.48s': no such register", name);
	}
	sysreg_describe(s->reg, &info);
	if (info.alias != SYSREG_NONE) {
		return fail(error, error_size, "%s is another name of %s: set that", info.name,
			    sysreg_name(info.alias));
	}
	if (text[n] == '[') {
		return bit_range(text + n, text, &s->mask, error, error_size);
	}
	return text[n] == '.' ? field_target(s, text + n + 1, e2h, error, error_size) : 0;
}

int setting_parse(const char *text, bool e2h, struct setting *s, char *error, size_t error_size)
{
	const char *equals = strchr(text, '=');
	char target[2 * NAME_SIZE];
	size_t n = equals != NULL ? (size_t)(equals - text) : 0;
	uint64_t value;
	int error_number;

	if (equals == NULL || n == 0 || n >= sizeof(target)) {
		return fail(error, error_size,
			    "'%.60s': a setting is written REGISTER=VALUE or REGISTER.FIELD=VALUE",
			    text);
	}
	memcpy(target, text, n);
	target[n] = '\0';
	error_number = setting_target(target, e2h, s, error, error_size);
	if (error_number != 0) {
		return error_number;
	}
	if (!setting_number(equals + 1, &value)) {
		return fail(error, error_size, "'%.60s': '%.40s' is no number of up to 64 bits",
			    text, equals + 1);
	}
	if (value > s->mask >> ctz64(s->mask)) {
		return fail(error, error_size, "%s: %s has %d bit%s", text, target,
			    __builtin_popcountll(s->mask),
			    __builtin_popcountll(s->mask) == 1 ? "" : "s");
	}
	s->value = value << ctz64(s->mask);
	return 0;
}

static int pstate_check(const struct setting *s, const struct cpu_model *model, char *error,
			size_t error_size)
{
	for (size_t i = 0; i < sizeof(pstate_fields) / sizeof(pstate_fields[0]); i++) {
		if (s->mask == MASK(pstate_fields[i].hi, pstate_fields[i].lo) && s->value != 0 &&
		    !feature_in(&model->features, pstate_fields[i].feature)) {
			return fail(error, error_size,
				    "PSTATE.%s needs %s, which this CPU model has not",
				    pstate_fields[i].name, feature_name(pstate_fields[i].feature));
		}
	}
	return 0;
}

int setting_check(const struct setting *s, const struct cpu_model *model, bool e2h, char *error,
		  size_t error_size)
{
	if (s->kind == SETTING_PSTATE) {
		return pstate_check(s, model, error, error_size);
	}
	if (s->kind != SETTING_SYSREG) {
		return 0;
	}
	return sysreg_value_check(model, s->reg, s->mask, s->value, e2h, error, error_size);
}
