// SPDX-License-Identifier: Apache-2.0
// The small assembler: forms by pattern (assemble.def), and what patterns cannot say: the
// operations of AT, TLBI, DC, IC and the like by their names, and conditional branches.
#include "explain/assemble.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bits.h"
#include "cpu/field.h"
#include "cpu/sysreg.h"

#define MNEMONIC_MAX 15
#define NAME_MAX_LENGTH 39

struct form {
	const char *mnemonic;
	const char *operands;
	uint32_t word;
};

static const struct form forms[] = {
#define ASM(mnemonic, operands, word) {#mnemonic, operands, word},
#include "explain/assemble.def"
#include "explain/assemble_mem.def"
#undef ASM
};
#define FORM_COUNT (sizeof(forms) / sizeof(forms[0]))

static const char *const condition_names[] = {"eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc",
					      "hi", "ls", "ge", "lt", "gt", "le", "al", "nv"};

// The text while one form is tried, and the farthest that any form came.
struct input {
	const char *text;
	const char *at;
	const char *far;
	char expected[240]; // at `far`, of all the forms that came so far
};

static void skip_space(struct input *in)
{
	while (isspace((unsigned char)*in->at)) {
		in->at++;
	}
}

static bool at_end(const struct input *in)
{
	return *in->at == '\0' || (in->at[0] == '/' && in->at[1] == '/');
}

static bool expected(struct input *in, const char *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

// Is `word` one of the alternatives "A or B or C"?
static bool is_said(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = list; (at = strstr(at, word)) != NULL; at++) {
		if ((at == list || at[-1] == ' ') && (at[n] == '\0' || at[n] == ' ')) {
			return true;
		}
	}
	return false;
}

// Note what would have been right here, if no form came farther. Returns false.
static bool expected(struct input *in, const char *at, const char *fmt, ...)
{
	char text[96];
	size_t used;
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (at > in->far || in->expected[0] == '\0') {
		in->far = at;
		in->expected[0] = '\0';
	} else if (at < in->far || is_said(in->expected, text)) {
		return false;
	}
	used = strlen(in->expected);
	if (used + strlen(text) + 12 < sizeof(in->expected)) {
		snprintf(in->expected + used, sizeof(in->expected) - used, "%s%s",
			 used > 0 ? " or " : "", text);
	} else if (used < 4 || strcmp(in->expected + used - 4, " ...") != 0) {
		snprintf(in->expected + used, sizeof(in->expected) - used, " ...");
	}
	return false;
}

// ---- operands -----------------------------------------------------------------------------------

static bool is_name_char(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

// A word of letters, digits and underscores; its length, 0 if there is none or it is too long.
static size_t take_name(struct input *in, char *name)
{
	size_t n = 0;

	skip_space(in);
	while (is_name_char(in->at[n])) {
		n++;
	}
	if (n > NAME_MAX_LENGTH) {
		n = 0; // it is the name of nothing
	}
	memcpy(name, in->at, n);
	name[n] = '\0';
	in->at += n;
	return n;
}

static unsigned position(char field)
{
	return field == 'd' ? 0 : field == 'n' ? 5 : field == 'm' ? 16 : 10;
}

// Letter and number of a register, with 31 for the name that 31 has here.
static bool take_register(struct input *in, char letter, const char *name31, unsigned *number)
{
	const char *start;
	char name[NAME_MAX_LENGTH + 1];
	unsigned max = name31 != NULL ? 30 : 31;

	skip_space(in);
	start = in->at;
	if (take_name(in, name) != 0) {
		if (name31 != NULL && strcasecmp(name, name31) == 0) {
			*number = 31;
			return true;
		}
		if (letter == 'X' && (strcasecmp(name, "lr") == 0 || strcasecmp(name, "fp") == 0)) {
			*number = tolower((unsigned char)name[0]) == 'l' ? 30 : 29;
			return true;
		}
		if (toupper((unsigned char)name[0]) == letter && isdigit((unsigned char)name[1]) &&
		    strlen(name) <= 3 &&
		    (name[2] == '\0' || (isdigit((unsigned char)name[2]) && name[1] != '0'))) {
			*number = (unsigned)atoi(name + 1);
			if (*number <= max) {
				return true;
			}
		}
	}
	in->at = start;
	return name31 != NULL ? expected(in, start, "%c0 to %c30 or %s", letter, letter, name31)
			      : expected(in, start, "%c0 to %c31", letter, letter);
}

static bool take_number(struct input *in, int64_t *value)
{
	const char *start;
	char *end;
	bool negative = false;
	uint64_t n;

	skip_space(in);
	start = in->at;
	if (*in->at == '#') {
		in->at++;
	}
	if (*in->at == '-' || *in->at == '+') {
		negative = *in->at == '-';
		in->at++;
	}
	if (!isdigit((unsigned char)*in->at)) {
		in->at = start;
		return expected(in, start, "an immediate");
	}
	errno = 0;
	n = in->at[0] == '0' && tolower((unsigned char)in->at[1]) == 'b' &&
			    (in->at[2] == '0' || in->at[2] == '1')
		    ? strtoull(in->at + 2, &end, 2)
		    : strtoull(in->at, &end,
			       in->at[0] == '0' && tolower((unsigned char)in->at[1]) == 'x' ? 16
											    : 10);
	if (errno != 0 || n > INT64_MAX || is_name_char(*end)) {
		in->at = start;
		return expected(in, start, "a number");
	}
	in->at = end;
	*value = negative ? -(int64_t)n : (int64_t)n;
	return true;
}

// %u12@10*8 after the letter: width, position and scale.
static bool take_immediate(struct input *in, const char **pattern, bool is_signed, uint32_t *word)
{
	char *rest;
	unsigned width = (unsigned)strtoul(*pattern, &rest, 10), lsb, scale = 1;
	int64_t value, low, high;
	const char *start;

	lsb = (unsigned)strtoul(rest + 1, &rest, 10);
	if (*rest == '*') {
		scale = (unsigned)strtoul(rest + 1, &rest, 10);
	}
	*pattern = rest;
	low = is_signed ? -(INT64_C(1) << (width - 1)) * (int64_t)scale : 0;
	high = ((INT64_C(1) << (is_signed ? width - 1 : width)) - 1) * (int64_t)scale;
	skip_space(in);
	start = in->at;
	if (!take_number(in, &value)) {
		return false;
	}
	if (value < low || value > high || value % (int64_t)scale != 0) {
		in->at = start;
		return scale == 1 ? expected(in, start, "an immediate from %lld to %lld",
					     (long long)low, (long long)high)
				  : expected(in, start, "a multiple of %u from %lld to %lld", scale,
					     (long long)low, (long long)high);
	}
	*word |= (uint32_t)((uint64_t)(value / (int64_t)scale) & (BIT(width) - 1)) << lsb;
	return true;
}

static bool take_condition(struct input *in, unsigned lsb, uint32_t *word)
{
	const char *start;
	char name[NAME_MAX_LENGTH + 1];

	skip_space(in);
	start = in->at;
	take_name(in, name);
	if (strcasecmp(name, "hs") == 0 || strcasecmp(name, "lo") == 0) {
		strcpy(name, tolower((unsigned char)name[0]) == 'h' ? "cs" : "cc");
	}
	for (unsigned i = 0; i < 16; i++) {
		if (strcasecmp(name, condition_names[i]) == 0) {
			*word |= i << lsb;
			return true;
		}
	}
	in->at = start;
	return expected(in, start, "a condition (EQ, NE ...)");
}

// A system register of MRS and MSR.
static bool take_sysreg(struct input *in, uint32_t *word)
{
	const char *start;
	char name[NAME_MAX_LENGTH + 1];
	uint16_t enc;

	skip_space(in);
	start = in->at;
	if (take_name(in, name) == 0 || !sysreg_encoding_by_name(name, &enc) || (enc >> 14) < 2) {
		in->at = start;
		return isalpha((unsigned char)*start)
			       ? expected(in, start,
					  "a system register, or S<op0>_<op1>_C<n>_C<m>_<op2>"
					  " with op0 2 or 3")
			       : expected(in, start, "a system register");
	}
	*word |= (uint32_t)(enc & 0x7fff) << 5;
	return true;
}

// One operand: *pattern stands after the '%'.
static bool take_operand(struct input *in, const char **pattern, uint32_t *word)
{
	char kind = *(*pattern)++;
	unsigned number = 0;

	switch (kind) {
	case 'u':
	case 'i':
		return take_immediate(in, pattern, kind == 'i', word);
	case 'r':
		return take_sysreg(in, word);
	case 'c':
	case 'C': {
		char *rest;
		unsigned lsb = (unsigned)strtoul(*pattern + 1, &rest, 10);

		*pattern = rest;
		if (kind == 'c') {
			return take_condition(in, lsb, word);
		}
		if (!take_register(in, 'C', NULL, &number) || number > 15) {
			return expected(in, in->at, "C0 to C15");
		}
		*word |= number << lsb;
		return true;
	}
	default:
		break;
	}
	if (!take_register(in, kind == 'v' ? 'V' : (char)toupper((unsigned char)kind),
			   kind == 'x'   ? "xzr"
			   : kind == 'w' ? "wzr"
			   : kind == 'X' ? "sp"
			   : kind == 'W' ? "wsp"
					 : NULL,
			   &number)) {
		return false;
	}
	*word |= number << position(*(*pattern)++);
	return true;
}

// What stands for itself: a whole word, or one sign.
static bool take_literal(struct input *in, const char **pattern)
{
	size_t n = strspn(*pattern, "abcdefghijklmnopqrstuvwxyz0123456789");
	size_t length = n != 0 ? n : 1;

	skip_space(in);
	if (strncasecmp(in->at, *pattern, length) != 0 || (n != 0 && is_name_char(in->at[n]))) {
		return expected(in, in->at, n != 0 ? "%.*s" : "'%.*s'", (int)length, *pattern);
	}
	in->at += length;
	*pattern += length;
	return true;
}

static bool try_form(struct input *in, const struct form *form, uint32_t *word)
{
	const char *p = form->operands;

	*word = form->word;
	while (*p != '\0') {
		if (*p == '%') {
			p++;
			if (!take_operand(in, &p, word)) {
				return false;
			}
			continue;
		}
		if (*p == ' ') {
			p++;
			continue;
		}
		if (isdigit((unsigned char)*p) && p > form->operands && p[-1] == ' ') {
			int64_t value;
			char *rest;
			long wanted = strtol(p, &rest, 10);
			const char *start = in->at;

			if (!take_number(in, &value) || value != wanted) {
				in->at = start;
				return expected(in, start, "#%ld", wanted);
			}
			p = rest;
			continue;
		}
		if (!take_literal(in, &p)) {
			return false;
		}
	}
	skip_space(in);
	if (!at_end(in)) {
		return expected(in, in->at, "the end of the instruction");
	}
	return true;
}

// ---- what patterns cannot say -------------------------------------------------------------------

static const struct {
	const char *mnemonic;
	uint8_t op1; // 8: any
	uint8_t crn, crm; // 16: any
} system_groups[] = {{"at", 8, 7, 16}, {"dc", 8, 7, 16},  {"ic", 8, 7, 16}, {"tlbi", 8, 8, 16},
		     {"cfp", 3, 7, 3}, {"dvp", 3, 7, 3},  {"cpp", 3, 7, 3}, {"cosp", 3, 7, 3},
		     {"brb", 1, 7, 2}, {"trcit", 3, 7, 2}};

static bool is_system_group(const char *mnemonic)
{
	for (size_t i = 0; i < sizeof(system_groups) / sizeof(system_groups[0]); i++) {
		if (strcmp(mnemonic, system_groups[i].mnemonic) == 0) {
			return true;
		}
	}
	return false;
}

// "AT S1E1R, X0", "TLBI VMALLE1": the names of the rows with op0 = 1.
static bool system_operation(struct input *in, const char *mnemonic, uint32_t *word)
{
	char name[NAME_MAX_LENGTH + 1], full[NAME_MAX_LENGTH + MNEMONIC_MAX + 2];
	const char *start;
	unsigned rt = 31;
	uint16_t enc;
	bool whole;

	skip_space(in);
	start = in->at;
	if (take_name(in, name) == 0) {
		return expected(in, start, "the name of an operation");
	}
	snprintf(full, sizeof(full), "%s %s", mnemonic, name);
	if (!sysreg_encoding_by_name(full, &enc)) {
		for (size_t i = 0; i <= strlen(mnemonic); i++) {
			name[i] = (char)toupper((unsigned char)mnemonic[i]);
		}
		return expected(in, start, "an operation of %s", name);
	}
	// Those on all of something have no operand; they are accepted with one.
	whole = strstr(sysreg_name(sysreg_find(enc)), "ALL") != NULL;
	skip_space(in);
	if (*in->at == ',') {
		in->at++;
		if (!take_register(in, 'X', "xzr", &rt)) {
			return false;
		}
	} else if (!whole) {
		return expected(in, in->at, "',' and a register");
	}
	skip_space(in);
	if (!at_end(in)) {
		return expected(in, in->at, "the end of the instruction");
	}
	*word = 0xd5080000 | (uint32_t)(enc & 0x3fff) << 5 | rt;
	return true;
}

// "B.EQ #8"
static bool conditional_branch(struct input *in, uint32_t *word)
{
	const struct form form = {"b", "%i19@5*4", 0x54000000};
	uint32_t condition = 0;

	if (!take_condition(in, 0, &condition) || !try_form(in, &form, word)) {
		return false;
	}
	*word |= condition;
	return true;
}

static bool bare_word(struct input *in, uint32_t *word)
{
	int64_t value;
	const char *start = in->at;

	if (!take_number(in, &value) || value < 0 || value > (int64_t)UINT32_MAX) {
		return expected(in, start, "a word of 32 bits");
	}
	skip_space(in);
	*word = (uint32_t)value;
	return at_end(in) || expected(in, in->at, "the end of the instruction");
}

static bool parse(struct input *in, uint32_t *word)
{
	char mnemonic[MNEMONIC_MAX + 1];
	const char *operands;
	size_t n = 0;
	bool known = false;

	skip_space(in);
	if (at_end(in)) {
		return expected(in, in->at, "an instruction");
	}
	if (isdigit((unsigned char)*in->at)) {
		return bare_word(in, word);
	}
	while (is_name_char(in->at[n]) && n < MNEMONIC_MAX) {
		mnemonic[n] = (char)tolower((unsigned char)in->at[n]);
		n++;
	}
	mnemonic[n] = '\0';
	if (strcmp(mnemonic, "b") == 0 && in->at[1] == '.') {
		in->at += 2;
		return conditional_branch(in, word);
	}
	operands = in->at + n;
	if (*operands != '\0' && !isspace((unsigned char)*operands) && *operands != '/') {
		return expected(in, in->at, "the name of an instruction, or a word");
	}
	if (is_system_group(mnemonic)) {
		in->at = operands;
		return system_operation(in, mnemonic, word);
	}
	for (size_t i = 0; i < FORM_COUNT; i++) {
		if (strcmp(forms[i].mnemonic, mnemonic) == 0) {
			known = true;
			in->at = operands;
			if (try_form(in, &forms[i], word)) {
				return true;
			}
		}
	}
	return !known ? expected(in, operands - n, "the name of an instruction, or a word") : false;
}

int assemble(const char *text, uint32_t *word, unsigned *column, char *error, size_t error_size)
{
	struct input in = {.text = text, .at = text, .far = text};
	size_t length;

	if (parse(&in, word)) {
		return 0;
	}
	if (column != NULL) {
		*column = (unsigned)(in.far - text) + 1;
	}
	length = strcspn(in.far, " \t\n\r,]/");
	if (*in.far == '\0') {
		snprintf(error, error_size, "'%.60s' ends where %s is expected", text, in.expected);
	} else {
		snprintf(error, error_size, "'%.60s': '%.*s' stands where %s is expected", text,
			 (int)(length == 0   ? 1
			       : length > 40 ? 40
					     : length),
			 in.far, in.expected);
	}
	for (char *c = error; *c != '\0'; c++) {
		*c = iscntrl((unsigned char)*c) ? '?' : *c; // one line
	}
	return -EINVAL;
}

// ---- examples -----------------------------------------------------------------------------------

// An operand of the example of a form; what it is does not matter much, so long as it is legal.
static size_t example_operand(const char **pattern, char *out, size_t size, unsigned nth)
{
	char kind = *(*pattern)++;
	char *rest;

	if (kind == 'u' || kind == 'i') {
		unsigned width = (unsigned)strtoul(*pattern, &rest, 10), scale = 1;

		strtoul(rest + 1, &rest, 10);
		if (*rest == '*') {
			scale = (unsigned)strtoul(rest + 1, &rest, 10);
		}
		*pattern = rest;
		return (size_t)snprintf(out, size, "#%s%u", kind == 'i' && width != 26 ? "-" : "",
					(width > 1 ? (width < 4 ? 2u : 5u) : 1u) * scale);
	}
	if (kind == 'r') {
		return (size_t)snprintf(out, size, "TTBR0_EL1");
	}
	if (kind == 'c' || kind == 'C') {
		strtoul(*pattern + 1, &rest, 10);
		*pattern = rest;
		return kind == 'c' ? (size_t)snprintf(out, size, "GE")
				   : (size_t)snprintf(out, size, "C%u", 5 + nth);
	}
	(*pattern)++;
	return (size_t)snprintf(out, size, "%c%u", kind == 'v' ? 'V' : toupper((unsigned char)kind),
				7 + 3 * nth);
}

void assemble_examples(void (*fn)(void *opaque, const char *text), void *opaque)
{
	for (size_t i = 0; i < FORM_COUNT; i++) {
		char text[120];
		size_t used = (size_t)snprintf(text, sizeof(text), "%s ", forms[i].mnemonic);
		unsigned nth = 0;

		for (const char *p = forms[i].operands; *p != '\0';) {
			if (*p == '%') {
				p++;
				used += example_operand(&p, text + used, sizeof(text) - used,
							nth++);
			} else {
				if (isdigit((unsigned char)*p) && p[-1] == ' ') {
					text[used++] = '#';
				}
				text[used++] = *p++;
				text[used] = '\0';
			}
		}
		fn(opaque, text);
	}
	for (unsigned reg = 0; reg < SYSREG_COUNT; reg++) {
		struct sysreg_info info;
		char text[80];

		sysreg_describe((enum sysreg)reg, &info);
		if ((info.enc >> 14) == 1) {
			snprintf(text, sizeof(text), "%s%s", info.name,
				 strstr(info.name, "ALL") != NULL ? "" : ", X9");
			fn(opaque, text);
			continue;
		}
		if (info.read_els != 0) {
			snprintf(text, sizeof(text), "MRS X9, %s", info.name);
			fn(opaque, text);
		}
		if (info.write_els != 0) {
			snprintf(text, sizeof(text), "MSR %s, X9", info.name);
			fn(opaque, text);
		}
	}
}
