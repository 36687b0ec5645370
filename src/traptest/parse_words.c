// SPDX-License-Identifier: Apache-2.0
// Settings, states and checks of trap tests: words and what they name in a CPU model.
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bits.h"
#include "cpu/field.h"
#include "cpu/model.h"
#include "cpu/sysreg.h"
#include "trace/trace.h"
#include "traptest/arena.h"
#include "traptest/parse.h"

// ---- values -------------------------------------------------------------------------------------

static bool parse_range(struct tt_parser *p, struct tt_cursor *c, struct tt_value *value)
{
	uint64_t lo, hi;

	if (!tt_number(&p->r, c, &lo)) {
		return false;
	}
	hi = lo;
	if (tt_take(c, "..")) {
		if (!tt_number(&p->r, c, &hi)) {
			return false;
		}
		if (hi < lo) {
			return tt_fail(&p->r, c->at, "the range ends below its beginning");
		}
	}
	if (value->count == TT_RANGES_MAX) {
		return tt_fail(&p->r, c->at, "expected at most %d alternatives", TT_RANGES_MAX);
	}
	value->range[value->count].lo = lo;
	value->range[value->count++].hi = hi;
	return true;
}

bool tt_parse_value(struct tt_parser *p, struct tt_cursor *c, struct tt_value *value)
{
	*value = (struct tt_value){.mask = UINT64_MAX};
	if (tt_take(c, "any")) {
		value->any = true;
		return true;
	}
	value->relative = tt_take(c, "+");
	if (tt_take(c, "{")) {
		do {
			if (!parse_range(p, c, value)) {
				return false;
			}
		} while (tt_take(c, ","));
		if (!tt_take(c, "}")) {
			return tt_expected(&p->r, c, "a comma or }");
		}
	} else if (!parse_range(p, c, value)) {
		return false;
	}
	if (tt_take(c, "/")) {
		return tt_number(&p->r, c, &value->mask);
	}
	return true;
}

// ---- names --------------------------------------------------------------------------------------

bool tt_find_register(struct tt_parser *p, const char *at, const char *name, size_t size,
		      uint16_t *reg)
{
	char text[64];
	enum sysreg found;

	if (size >= sizeof(text)) {
		return tt_fail(&p->r, at, "expected a register");
	}
	memcpy(text, name, size);
	text[size] = '\0';
	found = sysreg_by_name(text);
	if (found == SYSREG_NONE) {
		return tt_fail(&p->r, at, "there is no register %s", text);
	}
	*reg = (uint16_t)found;
	return true;
}

static bool is_general(const char *name, size_t size, unsigned *n)
{
	if (size < 2 || size > 3 || (name[0] != 'X' && name[0] != 'x') ||
	    !isdigit((unsigned char)name[1]) || (size == 3 && !isdigit((unsigned char)name[2]))) {
		return false;
	}
	*n = (unsigned)(name[1] - '0');
	if (size == 3) {
		*n = *n * 10 + (unsigned)(name[2] - '0');
	}
	return *n <= 30;
}

static bool same_word(const char *word, size_t size, const char *text)
{
	return strlen(text) == size && strncasecmp(word, text, size) == 0;
}

// "[3:2]" or "[3]".
static bool parse_bits(struct tt_parser *p, struct tt_cursor *c, uint8_t *hi, uint8_t *lo)
{
	uint64_t a, b;

	if (!tt_take(c, "[")) {
		return tt_expected(&p->r, c, "[");
	}
	if (!tt_number(&p->r, c, &a)) {
		return false;
	}
	b = a;
	if (tt_take(c, ":") && !tt_number(&p->r, c, &b)) {
		return false;
	}
	if (a > 63 || b > a) {
		return tt_fail(&p->r, c->at, "expected bits as [HIGHEST:LOWEST], at most 63");
	}
	if (!tt_take(c, "]")) {
		return tt_expected(&p->r, c, "]");
	}
	*hi = (uint8_t)a;
	*lo = (uint8_t)b;
	return true;
}

static size_t name_size(const struct tt_cursor *c)
{
	size_t n = 0;

	while (c->at + n < c->end && (isalnum((unsigned char)c->at[n]) || c->at[n] == '_')) {
		n++;
	}
	return n;
}

// REG, REG.FIELD or REG[hi:lo] at the beginning of c.
static bool parse_register(struct tt_parser *p, struct tt_cursor *c, bool e2h, uint16_t *reg,
			   uint8_t *hi, uint8_t *lo)
{
	const struct sysreg_field *field;
	size_t size = name_size(c);
	char name[64];

	if (size == 0 || !tt_find_register(p, c->at, c->at, size, reg)) {
		return size == 0 ? tt_expected(&p->r, c, "a register") : false;
	}
	c->at += size;
	*hi = 63;
	*lo = 0;
	if (c->at < c->end && *c->at == '[') {
		return parse_bits(p, c, hi, lo);
	}
	if (!tt_take(c, ".")) {
		return true;
	}
	size = name_size(c);
	if (size == 0 || size >= sizeof(name)) {
		return tt_expected(&p->r, c, "the name of a field");
	}
	memcpy(name, c->at, size);
	name[size] = '\0';
	field = sysreg_field_find((enum sysreg) * reg, name, e2h);
	if (field == NULL) {
		return tt_fail(&p->r, c->at, "%s has no field %s", sysreg_name((enum sysreg) * reg),
			       name);
	}
	*hi = field->hi;
	*lo = field->lo;
	c->at += size;
	return true;
}

// "[ADDRESS]" and ":SIZE".
static bool parse_memory(struct tt_parser *p, struct tt_cursor *c, uint64_t *address, uint8_t *size)
{
	const char *begin;
	uint64_t n = 8;

	if (!tt_take(c, "[")) {
		return tt_expected(&p->r, c, "[");
	}
	begin = c->at;
	if (!tt_number(&p->r, c, address)) {
		return false;
	}
	if (!tt_take(c, "]")) {
		return tt_expected(&p->r, c, "]");
	}
	if (tt_take(c, ":") && !tt_number(&p->r, c, &n)) {
		return false;
	}
	if (n != 1 && n != 2 && n != 4 && n != 8) {
		return tt_fail(&p->r, c->at, "expected a size of 1, 2, 4 or 8 bytes");
	}
	*size = (uint8_t)n;
	if (p->ram_size < n || *address < p->ram_base || *address - p->ram_base > p->ram_size - n) {
		return tt_fail(&p->r, begin, "expected an address in RAM, 0x%llx to 0x%llx",
			       (unsigned long long)p->ram_base,
			       (unsigned long long)(p->ram_base + p->ram_size - 1));
	}
	return true;
}

static bool has_tags(struct tt_parser *p, const struct tt_cursor *c)
{
	return p->skip != NULL || feature_in(&p->model->features, FEAT_MTE2)
		       ? true
		       : tt_fail(&p->r, c->at,
				 "a tag needs FEAT_MTE2, which this CPU model has not");
}

// ---- settings -----------------------------------------------------------------------------------

bool tt_settings_e2h(const struct tt_settings *settings)
{
	uint64_t hcr = 0;

	for (size_t i = 0; i < settings->count; i++) {
		const struct tt_setting *s = &settings->items[i];

		if (s->kind == TT_SET_REG && s->reg == SR_HCR_EL2) {
			hcr = (hcr & ~s->mask) | s->value;
		}
	}
	return (hcr >> 34) & 1;
}

// A state has the whole of PSTATE, so that these would not last.
static bool is_pstate(const char *name)
{
	static const char *const names[] = {"CURRENTEL", "SPSEL", "DAIF", "NZCV", "PAN",
					    "UAO",       "DIT",   "SSBS", "TCO",  "ALLINT"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcasecmp(name, names[i]) == 0) {
			return true;
		}
	}
	return false;
}

static bool set_register(struct tt_parser *p, struct tt_cursor *c, bool e2h, struct tt_setting *s)
{
	const char *begin = c->at;
	struct sysreg_info info;
	char error[160];
	uint64_t value;
	uint8_t hi, lo;

	if (!parse_register(p, c, e2h, &s->reg, &hi, &lo)) {
		return false;
	}
	if (!tt_take(c, "=")) {
		return tt_expected(&p->r, c, "=");
	}
	if (!tt_number(&p->r, c, &value)) {
		return false;
	}
	sysreg_describe((enum sysreg)s->reg, &info);
	if (info.write_els == 0 && info.enc >> 14 == 3 && (info.enc >> 7 & 15) == 0) {
		return tt_fail(&p->r, begin, "%s says what the CPU model is", info.name);
	}
	if (!p->of_image && is_pstate(info.name)) {
		return tt_fail(&p->r, begin,
			       "%s is part of PSTATE, which the state says (EL1 DAIF=0 NZCV=4 PAN)",
			       info.name);
	}
	s->kind = TT_SET_REG;
	s->mask = MASK(hi, lo);
	if (value > (s->mask >> lo)) {
		return tt_fail(&p->r, begin, "the value does not fit %u bits", hi - lo + 1u);
	}
	s->value = value << lo;
	if (p->skip == NULL && sysreg_value_check(p->model, (enum sysreg)s->reg, s->mask, s->value,
						  e2h, error, sizeof(error)) != 0) {
		return tt_fail(&p->r, begin, "%s", error);
	}
	return true;
}

static bool set_memory(struct tt_parser *p, struct tt_cursor *c, struct tt_setting *s)
{
	s->kind = tt_take(c, "tag") ? TT_SET_TAG : TT_SET_MEM;
	if (s->kind == TT_SET_TAG && !has_tags(p, c)) {
		return false;
	}
	if (!parse_memory(p, c, &s->address, &s->size)) {
		return false;
	}
	if (!tt_take(c, "=")) {
		return tt_expected(&p->r, c, "=");
	}
	if (!tt_number(&p->r, c, &s->value)) {
		return false;
	}
	if (s->kind == TT_SET_TAG ? s->value > 15 : s->size < 8 && s->value >> (8 * s->size) != 0) {
		return tt_fail(&p->r, c->at, "the value does not fit");
	}
	return true;
}

static bool set_line(const struct tt_cursor *c, struct tt_setting *s)
{
	static const struct {
		const char *name;
		enum pe_line line;
	} lines[] = {{"irq", PE_LINE_IRQ},
		     {"fiq", PE_LINE_FIQ},
		     {"serror", PE_LINE_SERROR},
		     {"virq", PE_LINE_VIRQ},
		     {"vfiq", PE_LINE_VFIQ}};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (tt_is_word(c, lines[i].name)) {
			s->kind = TT_SET_LINE;
			s->reg = (uint16_t)lines[i].line;
			return true;
		}
	}
	if (tt_is_word(c, "vserror")) { // HCR_EL2.VSE is the input
		s->kind = TT_SET_REG;
		s->reg = SR_HCR_EL2;
		s->mask = s->value = UINT64_C(1) << 8;
		return true;
	}
	return false;
}

static bool set_general(struct tt_parser *p, struct tt_cursor *c, struct tt_setting *s, bool *is)
{
	size_t size = name_size(c);
	unsigned n = 0;

	*is = true;
	if (same_word(c->at, size, "SP")) {
		s->kind = TT_SET_SP;
	} else if (same_word(c->at, size, "PC")) {
		s->kind = TT_SET_PC;
	} else if (is_general(c->at, size, &n)) {
		s->kind = TT_SET_X;
		s->reg = (uint16_t)n;
	} else {
		*is = false;
		return true;
	}
	c->at += size;
	if (!tt_take(c, "=")) {
		return tt_expected(&p->r, c, "=");
	}
	return tt_number(&p->r, c, &s->value);
}

static bool parse_setting(struct tt_parser *p, struct tt_cursor c, struct tt_settings *settings)
{
	struct tt_setting s = {0};
	bool is_general_register = false;

	tt_skip_space(&c);
	while (c.end > c.at && (c.end[-1] == ' ' || c.end[-1] == '\t')) {
		c.end--;
	}
	if (c.at == c.end) {
		return tt_expected(&p->r, &c, "a setting");
	}
	if (*c.at == '[' || (c.end - c.at > 4 && memcmp(c.at, "tag[", 4) == 0)) {
		if (!set_memory(p, &c, &s)) {
			return false;
		}
	} else if (set_line(&c, &s)) {
		c.at = c.end;
	} else if (!set_general(p, &c, &s, &is_general_register) ||
		   (!is_general_register && !set_register(p, &c, tt_settings_e2h(settings), &s))) {
		return false;
	}
	if (!tt_at_end(&c)) {
		return tt_expected(&p->r, &c, "a comma or the end of the settings");
	}
	TT_LIST_ADD(p, settings->items, settings->count, s);
	return true;
}

bool tt_parse_settings(struct tt_parser *p, struct tt_cursor c, struct tt_settings *settings)
{
	struct tt_cursor part, rest = c;

	tt_skip_space(&rest);
	if (tt_at_end(&rest)) {
		return true;
	}
	part = tt_word(&rest, NULL);
	if (tt_is_word(&part, "-") && tt_at_end(&rest)) {
		return true;
	}
	while (tt_cut(&c, ',', &part)) {
		if (!parse_setting(p, part, settings)) {
			return false;
		}
	}
	return true;
}

// ---- states -------------------------------------------------------------------------------------

static const struct {
	const char *name;
	uint64_t bit;
	enum feature feature;
} pstate_words[] = {
	{"PAN", BIT(22), FEAT_PAN},   {"UAO", BIT(23), FEAT_UAO},    {"DIT", BIT(24), FEAT_DIT},
	{"SSBS", BIT(12), FEAT_SSBS}, {"TCO", BIT(25), FEAT_MTE},    {"IL", BIT(20), FEAT_NONE},
	{"SS", BIT(21), FEAT_NONE},   {"ALLINT", BIT(13), FEAT_NMI},
};

static bool state_number(struct tt_parser *p, struct tt_cursor *word, struct tt_state *state)
{
	const char *begin = word->at;
	unsigned shift, max;
	uint64_t value;

	if (tt_take(word, "DAIF=")) {
		state->spsr &= ~MASK(9, 6);
		shift = 6;
		max = 15;
	} else if (tt_take(word, "NZCV=")) {
		shift = 28;
		max = 15;
	} else if (tt_take(word, "BTYPE=")) {
		shift = 10;
		max = 3;
		if (p->skip == NULL && !feature_in(&p->model->features, FEAT_BTI)) {
			return tt_fail(&p->r, begin,
				       "PSTATE.BTYPE needs FEAT_BTI, which this CPU model has not");
		}
	} else {
		return tt_expected(&p->r, word,
				   "a word of the state (NS, S, EL0 to EL3, SP0, PAN, DAIF=, mmu, "
				   "stage2, ...)");
	}
	if (!tt_number(&p->r, word, &value)) {
		return false;
	}
	if (value > max || word->at != word->end) {
		return tt_fail(&p->r, begin, "expected a number up to %u", max);
	}
	state->spsr |= value << shift;
	return true;
}

static bool state_word(struct tt_parser *p, struct tt_cursor word, struct tt_state *state,
		       bool *sp0)
{
	for (unsigned el = 0; el <= 3; el++) {
		const char name[4] = {'E', 'L', (char)('0' + el), '\0'};

		if (tt_is_word(&word, name)) {
			if (state->el != 0xff) {
				return tt_fail(&p->r, word.at, "the level is said twice");
			}
			state->el = (uint8_t)el;
			return true;
		}
	}
	for (size_t i = 0; i < sizeof(pstate_words) / sizeof(pstate_words[0]); i++) {
		if (tt_is_word(&word, pstate_words[i].name)) {
			if (p->skip == NULL &&
			    !feature_in(&p->model->features, pstate_words[i].feature)) {
				return tt_fail(&p->r, word.at,
					       "PSTATE.%s needs %s, which this CPU model has not",
					       pstate_words[i].name,
					       feature_name(pstate_words[i].feature));
			}
			state->spsr |= pstate_words[i].bit;
			return true;
		}
	}
	if (tt_is_word(&word, "NS") || tt_is_word(&word, "S")) {
		state->secure = tt_is_word(&word, "S");
		state->said_secure = true;
	} else if (tt_is_word(&word, "SP0")) {
		*sp0 = true;
	} else if (tt_is_word(&word, "mmu")) {
		state->mmu = true;
	} else if (tt_is_word(&word, "stage2")) {
		state->stage2 = true;
	} else if (tt_is_word(&word, "stage1-el1")) {
		state->stage1_el1 = true;
	} else {
		return state_number(p, &word, state);
	}
	return true;
}

bool tt_parse_state(struct tt_parser *p, struct tt_cursor c, struct tt_state *state)
{
	struct tt_cursor at = c;
	bool sp0 = false;

	*state = (struct tt_state){.el = 0xff, .spsr = MASK(9, 6), .text = tt_text(&p->r, c)};
	while (!tt_at_end(&c)) {
		if (!state_word(p, tt_word(&c, NULL), state, &sp0)) {
			return false;
		}
	}
	if (state->el == 0xff) {
		return tt_expected(&p->r, &at, "the level: EL0, EL1, EL2 or EL3");
	}
	if ((state->el == 3 && !p->machine->el3) || (state->el == 2 && !p->machine->el2) ||
	    (state->secure && !p->machine->el3)) {
		tt_skip_space(&at);
		return tt_fail(&p->r, at.at, "this machine has no %s",
			       state->el == 2 && !p->machine->el2 ? "EL2"
			       : state->el == 3                   ? "EL3"
								  : "Secure state");
	}
	state->spsr |= (uint64_t)state->el << 2 | (state->el != 0 && !sp0);
	return true;
}

// ---- checks -------------------------------------------------------------------------------------

uint16_t tt_slot(struct tt_parser *p, enum tt_subject subject, unsigned reg, uint64_t address,
		 unsigned size)
{
	struct tt_slot slot = {.subject = subject,
			       .reg = (uint16_t)reg,
			       .size = (uint8_t)size,
			       .address = address};

	for (size_t i = 0; i < p->slots->count; i++) {
		const struct tt_slot *s = &p->slots->items[i];

		if (s->subject == subject && s->reg == reg && s->address == address &&
		    s->size == size) {
			return (uint16_t)i;
		}
	}
	TT_LIST_ADD(p, p->slots->items, p->slots->count, slot);
	return (uint16_t)(p->slots->count - 1);
}

static const struct {
	const char *name;
	uint8_t subject, hi, lo;
} check_words[] = {
	{"ec", TT_ESR, 31, 26},       {"iss", TT_ESR, 24, 0},     {"esr", TT_ESR, 63, 0},
	{"esr.il", TT_ESR, 25, 25},   {"iss2", TT_ESR, 55, 32},   {"fsc", TT_ESR, 5, 0},
	{"wnr", TT_ESR, 6, 6},        {"s1ptw", TT_ESR, 7, 7},    {"cm", TT_ESR, 8, 8},
	{"ea", TT_ESR, 9, 9},         {"fnv", TT_ESR, 10, 10},    {"vncr", TT_ESR, 13, 13},
	{"isv", TT_ESR, 24, 24},      {"sas", TT_ESR, 23, 22},    {"sse", TT_ESR, 21, 21},
	{"srt", TT_ESR, 20, 16},      {"sf", TT_ESR, 15, 15},     {"ar", TT_ESR, 14, 14},
	{"set", TT_ESR, 12, 11},      {"lst", TT_ESR, 12, 11},    {"imm", TT_ESR, 15, 0},
	{"ti", TT_ESR, 1, 0},         {"rt", TT_ESR, 9, 5},       {"dir", TT_ESR, 0, 0},
	{"elr", TT_ELR, 63, 0},       {"far", TT_FAR, 63, 0},     {"hpfar", TT_HPFAR, 63, 0},
	{"ipa", TT_IPA, 63, 0},       {"spsr", TT_SPSR, 63, 0},   {"vector", TT_VECTOR, 63, 0},
	{"pc", TT_PC, 63, 0},         {"sp", TT_PSTATE, 0, 0},    {"el", TT_PSTATE, 3, 2},
	{"pe", TT_PE, 31, 0},         {"intid", TT_INTID, 31, 0}, {"insn", TT_INSN, 31, 0},
	{"within", TT_WITHIN, 63, 0},
};

static const struct {
	const char *name;
	uint8_t hi, lo;
} spsr_fields[] = {
	{"m", 4, 0},     {"el", 3, 2},    {"sp", 0, 0},      {"daif", 9, 6},     {"nzcv", 31, 28},
	{"pan", 22, 22}, {"uao", 23, 23}, {"dit", 24, 24},   {"ssbs", 12, 12},   {"tco", 25, 25},
	{"il", 20, 20},  {"ss", 21, 21},  {"btype", 11, 10}, {"allint", 13, 13},
};

static bool parse_spsr_field(struct tt_cursor *c, struct tt_check *check)
{
	size_t size = name_size(c);

	for (size_t i = 0; i < sizeof(spsr_fields) / sizeof(spsr_fields[0]); i++) {
		if (same_word(c->at, size, spsr_fields[i].name)) {
			check->hi = spsr_fields[i].hi;
			check->lo = spsr_fields[i].lo;
			c->at += size;
			return true;
		}
	}
	return false;
}

// A name that the trace never has would make `not` and `count` hold for no reason.
static bool known_control(struct tt_parser *p, const char *at, const char *text)
{
	static const char *const others[] = {"none", "ICH_LRn_EL2"}; // not in the tables
	size_t size = strcspn(text, ".");
	char name[64];
	enum sysreg reg;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (strcasecmp(text, others[i]) == 0) {
			return true;
		}
	}
	if (strncasecmp(text, "PSTATE.", 7) == 0 || feature_find(text) != FEAT_NONE ||
	    size >= sizeof(name)) {
		return true;
	}
	memcpy(name, text, size);
	name[size] = '\0';
	reg = sysreg_by_name(name);
	if (reg == SYSREG_NONE) {
		return tt_fail(&p->r, at, "there is no register %s, so it controls nothing", name);
	}
	text += size + (text[size] == '.');
	if (*text != '\0' && strpbrk(text, "{ ") == NULL &&
	    sysreg_field_find(reg, text, false) == NULL &&
	    sysreg_field_find(reg, text, true) == NULL) {
		return tt_fail(&p->r, at + size + 1, "%s has no field %s", sysreg_name(reg), text);
	}
	return true;
}

static bool known_name(struct tt_parser *p, const char *at, struct tt_check *check)
{
	const char *space = strrchr(check->text, ' ');
	uint16_t enc;

	switch (check->subject) {
	case TT_CONTROL:
		return known_control(p, at, check->text);
	case TT_CAUSE:
		for (unsigned n = 0; n < TRACE_CAUSE_COUNT; n++) {
			const char *name = trace_cause_name((enum trace_cause)n);

			if (strcasecmp(check->text, name) == 0) {
				check->text = name;
				return true;
			}
		}
		return tt_fail(&p->r, at, "%s is no cause (docs/trace.md)", check->text);
	case TT_SYSREG_NAME:
		return strcasecmp(check->text, "none") == 0 ||
				       sysreg_by_name(check->text) != SYSREG_NONE ||
				       sysreg_encoding_by_name(space != NULL ? space + 1
									     : check->text,
							       &enc)
			       ? true
			       : tt_fail(&p->r, at, "there is no register %s", check->text);
	default:
		return true;
	}
}

static bool text_check(struct tt_parser *p, struct tt_cursor *c, struct tt_check *check, bool *is)
{
	static const struct {
		const char *name;
		enum tt_subject subject;
	} words[] = {{"control=", TT_CONTROL},
		     {"cause=", TT_CAUSE},
		     {"sysreg=", TT_SYSREG_NAME},
		     {"at=", TT_AT},
		     {"to-symbol=", TT_TO_SYMBOL}};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (tt_take(c, words[i].name)) {
			const char *begin = c->at;

			*is = true;
			check->subject = words[i].subject;
			if (c->at == c->end) {
				return tt_expected(&p->r, c, "a name");
			}
			if (*c->at == '"') { // "TLBI VAE1" has a space
				return tt_string(&p->r, c, &check->text) &&
				       known_name(p, begin + 1, check);
			}
			check->text = tt_copy(p->arena, c->at, (size_t)(c->end - c->at));
			c->at = c->end;
			return known_name(p, begin, check);
		}
	}
	return true;
}

// The left side of a check, up to "=". *is: it is one.
static bool parse_subject(struct tt_parser *p, struct tt_cursor *c, struct tt_check *check,
			  bool *is)
{
	size_t size = 0;
	unsigned n = 0;
	const char *begin;
	char error[160];

	*is = true;
	if (tt_take(c, "tag[")) {
		c->at--;
		check->subject = TT_TAG;
		check->hi = 3;
		return has_tags(p, c) && parse_memory(p, c, &check->address, &check->size);
	}
	if (c->at < c->end && *c->at == '[') {
		check->subject = TT_MEM;
		if (!parse_memory(p, c, &check->address, &check->size)) {
			return false;
		}
		check->hi = (uint8_t)(8 * check->size - 1);
		return true;
	}
	if (tt_take(c, "spsr.") || tt_take(c, "SPSR.")) {
		check->subject = TT_SPSR;
		return parse_spsr_field(c, check)
			       ? true
			       : tt_expected(&p->r, c, "a field of an SPSR (m, el, daif, ...)");
	}
	if (tt_take(c, "PSTATE.")) {
		check->subject = TT_PSTATE;
		return parse_spsr_field(c, check)
			       ? true
			       : tt_expected(&p->r, c, "a field of PSTATE (EL, DAIF, PAN, ...)");
	}
	if (c->end - c->at > 4 && memcmp(c->at, "iss[", 4) == 0) {
		c->at += 3;
		check->subject = TT_ESR;
		if (!parse_bits(p, c, &check->hi, &check->lo)) {
			return false;
		}
		return check->hi <= 24 ? true : tt_expected(&p->r, c, "bits of ISS, 24 to 0");
	}
	while (c->at + size < c->end && c->at[size] != '=') {
		size++;
	}
	for (size_t i = 0; i < sizeof(check_words) / sizeof(check_words[0]); i++) {
		if (strlen(check_words[i].name) == size &&
		    memcmp(c->at, check_words[i].name, size) == 0) {
			check->subject = (enum tt_subject)check_words[i].subject;
			check->hi = check_words[i].hi;
			check->lo = check_words[i].lo;
			c->at += size;
			return true;
		}
	}
	if (is_general(c->at, size, &n) || same_word(c->at, size, "SP")) {
		check->subject = size != 2 || (c->at[1] != 'P' && c->at[1] != 'p') ? TT_X : TT_SP;
		check->reg = (uint16_t)n;
		c->at += size;
		return true;
	}
	if (size == (size_t)(c->end - c->at)) { // no "="
		*is = false;
		return true;
	}
	check->subject = TT_REG;
	begin = c->at;
	if (!parse_register(p, c, p->settings != NULL && tt_settings_e2h(p->settings), &check->reg,
			    &check->hi, &check->lo)) {
		return false;
	}
	return p->skip != NULL || sysreg_value_check(p->model, (enum sysreg)check->reg, 0, 0, false,
						     error, sizeof(error)) == 0
		       ? true
		       : tt_fail(&p->r, begin, "%s", error);
}

// What could never be seen there is refused.
static bool check_fits(struct tt_parser *p, const char *at, const struct tt_check *check)
{
	unsigned size = check->hi - check->lo + 1u;

	for (unsigned i = 0; i < check->value.count && !check->value.relative; i++) {
		if (check->value.range[i].hi > MASK(size - 1, 0)) {
			return tt_fail(&p->r, at, "the value does not fit %u bits", size);
		}
	}
	return true;
}

static bool give_slot(struct tt_parser *p, const char *at, struct tt_check *check)
{
	switch (check->subject) {
	case TT_REG:
	case TT_X:
		check->slot = tt_slot(p, check->subject, check->reg, 0, 0);
		return true;
	case TT_MEM:
	case TT_TAG:
		check->slot = tt_slot(p, check->subject, 0, check->address, check->size);
		return true;
	default:
		return check->after
			       ? tt_fail(&p->r, at, "after: can look at registers and memory only")
			       : true;
	}
}

bool tt_parse_check(struct tt_parser *p, struct tt_cursor word, struct tt_checks *checks)
{
	struct tt_check check = {.hi = 63,
				 .word = tt_copy(p->arena, word.at, (size_t)(word.end - word.at))};
	const char *begin = word.at;
	bool is = false;

	check.value.mask = UINT64_MAX;
	check.after = tt_take(&word, "after:");
	if (!check.after) {
		(void)tt_take(&word, "before:");
	}
	if (!text_check(p, &word, &check, &is)) {
		return false;
	}
	if (!is) {
		if (!parse_subject(p, &word, &check, &is) || !is) {
			return false;
		}
		if (!tt_take(&word, "=")) {
			return tt_expected(&p->r, &word, "=");
		}
		if (check.subject == TT_ESR && check.hi == 24 && check.lo == 0 &&
		    tt_take(&word, "insn")) {
			check.subject = TT_ISS_INSN;
		} else if (!tt_parse_value(p, &word, &check.value)) {
			return false;
		}
		if (!check_fits(p, begin, &check)) {
			return false;
		}
		if (check.subject == TT_WITHIN && check.value.count == 1 &&
		    check.value.range[0].lo == check.value.range[0].hi) {
			check.value.range[0].lo = 0; // at most
		}
		if (check.value.relative && check.subject != TT_ELR && check.subject != TT_PC) {
			return tt_fail(&p->r, begin, "only elr= and pc= can be relative");
		}
	}
	if (word.at != word.end) {
		return tt_expected(&p->r, &word, "a space");
	}
	if (!give_slot(p, begin, &check)) {
		return false;
	}
	TT_LIST_ADD(p, checks->items, checks->count, check);
	return true;
}
