// SPDX-License-Identifier: Apache-2.0
// Cases: one line, four or five columns.
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "cpu/field.h"
#include "cpu/sysreg.h"
#include "explain/assemble.h"
#include "traptest/arena.h"
#include "traptest/parse.h"

#define COLUMNS_MAX 5

static bool parse_marks(struct tt_parser *p, struct tt_cursor c, struct tt_item *item)
{
	struct tt_requires marks = {0};
	struct tt_cursor part;
	bool after_requires = false;

	while (tt_cut(&c, ',', &part)) {
		struct tt_cursor word = tt_word(&part, NULL);
		bool feature = after_requires &&
			       (*word.at == '!' ||
				(word.end - word.at > 5 && memcmp(word.at, "FEAT_", 5) == 0));

		after_requires = feature || tt_is_word(&word, "requires");
		if (feature) { // "requires FEAT_X, FEAT_Y"
			part.at = word.at;
			if (!tt_parse_requires(p, part, &marks)) {
				return false;
			}
			part.at = part.end;
		} else if (tt_is_word(&word, "no-qemu")) {
			if (!tt_string(&p->r, &part, &item->no_qemu)) {
				return false;
			}
		} else if (tt_is_word(&word, "requires")) {
			if (!tt_parse_requires(p, part, &marks)) {
				return false;
			}
			part.at = part.end;
		} else {
			return tt_fail(&p->r, word.at, "expected no-qemu or requires");
		}
		if (!tt_at_end(&part)) {
			return tt_expected(&p->r, &part, "a comma or the end of the line");
		}
	}
	item->skip = item->skip != NULL ? item->skip : marks.unmet;
	item->requires[2] = marks.features;
	return true;
}

static bool parse_insn(struct tt_parser *p, struct tt_cursor c, struct tt_case *k)
{
	unsigned column = 1;
	char error[160];

	tt_skip_space(&c);
	k->insn_text = tt_text(&p->r, c);
	if (assemble(k->insn_text, &k->insn, &column, error, sizeof(error)) != 0) {
		return tt_fail(&p->r, c.at + (column != 0 ? column - 1 : 0), "%s", error);
	}
	return true;
}

static bool parse_writes(struct tt_parser *p, struct tt_cursor *c, struct tt_case *k)
{
	struct tt_cursor list = tt_word(c, NULL);
	struct tt_cursor part;

	k->checks_writes = true;
	if (tt_is_word(&list, "none")) {
		return true;
	}
	if (list.at == list.end) {
		return tt_expected(&p->r, &list, "a register, or none");
	}
	while (tt_cut(&list, ',', &part)) {
		uint16_t reg = 0;

		if (!tt_find_register(p, part.at, part.at, (size_t)(part.end - part.at), &reg)) {
			return false;
		}
		TT_LIST_ADD(p, k->writes, k->write_count, reg);
	}
	return true;
}

static bool parse_stores(struct tt_parser *p, struct tt_cursor *c, struct tt_case *k)
{
	struct tt_cursor word = tt_word(c, NULL);

	k->checks_stores = true;
	if (tt_is_word(&word, "none")) {
		return true;
	}
	k->stores_any = true;
	if (!tt_take(&word, "[")) {
		return tt_expected(&p->r, &word, "[ADDRESS], or none");
	}
	if (!tt_number(&p->r, &word, &k->stores)) {
		return false;
	}
	return tt_take(&word, "]") && word.at == word.end ? true : tt_expected(&p->r, &word, "]");
}

static bool parse_case_check(struct tt_parser *p, struct tt_cursor word, struct tt_cursor *c,
			     struct tt_case *k)
{
	if (tt_is_word(&word, "writes")) {
		return parse_writes(p, c, k);
	}
	if (tt_is_word(&word, "stores")) {
		return parse_stores(p, c, k);
	}
	if (tt_is_word(&word, "reads")) {
		struct tt_cursor name = tt_word(c, NULL);

		k->has_reads = true;
		return tt_find_register(p, name.at, name.at, (size_t)(name.end - name.at),
					&k->reads);
	}
	if (tt_parse_check(p, word, &k->checks)) {
		const struct tt_check *check = &k->checks.items[k->checks.count - 1];

		return !check->after && check->subject != TT_WITHIN && check->subject != TT_AT &&
				       check->subject != TT_TO_SYMBOL
			       ? true
			       : tt_fail(&p->r, word.at,
					 "%s is for the transitions of tests, not for cases",
					 check->word);
	}
	return tt_fail(&p->r, word.at, "expected a check (ec=, iss=, X3=, writes REG, ...)");
}

static void add_plain(struct tt_parser *p, struct tt_case *k, const char *word, unsigned hi,
		      unsigned lo, uint64_t value)
{
	struct tt_check check = {.subject = TT_ESR,
				 .hi = (uint8_t)hi,
				 .lo = (uint8_t)lo,
				 .word = word};

	check.value = (struct tt_value){.count = 1, .mask = UINT64_MAX};
	check.value.range[0].lo = check.value.range[0].hi = value;
	TT_LIST_ADD(p, k->checks.items, k->checks.count, check);
}

static bool parse_level(struct tt_parser *p, struct tt_cursor word, uint8_t *el)
{
	if (word.end - word.at != 3 || memcmp(word.at, "EL", 2) != 0 || word.at[2] < '1' ||
	    word.at[2] > '3') {
		return tt_fail(&p->r, word.at, "expected ok, undefined, EL1, EL2 or EL3");
	}
	*el = (uint8_t)(word.at[2] - '0');
	return true;
}

static bool parse_expectation(struct tt_parser *p, struct tt_cursor c, struct tt_case *k)
{
	struct tt_cursor word;

	k->expected_text = tt_text(&p->r, c);
	word = tt_word(&c, NULL);
	k->outcome = tt_is_word(&word, "ok") ? TT_OK : TT_EXCEPTION;
	if (tt_is_word(&word, "undefined")) {
		if (!parse_level(p, tt_word(&c, NULL), &k->el)) {
			return false;
		}
		add_plain(p, k, "ec=0", 31, 26, 0);
		add_plain(p, k, "iss=0", 24, 0, 0);
	} else if (k->outcome == TT_EXCEPTION && !parse_level(p, word, &k->el)) {
		return false;
	}
	while (!tt_at_end(&c)) {
		word = tt_word(&c, NULL);
		if (!parse_case_check(p, word, &c, k)) {
			return false;
		}
	}
	return true;
}

static bool check_name(struct tt_parser *p, const char *name, const char *at)
{
	// Names are unique; files are written in order, so looking back from the end is enough for
	// most, and a file has a few hundred.
	for (size_t i = p->file->item_count; i-- != 0;) {
		if (strcmp(p->file->items[i].name, name) == 0) {
			return tt_fail(&p->r, at, "the name %s is already that of line %u", name,
				       p->file->items[i].line);
		}
	}
	return true;
}

static void inherit(struct tt_parser *p, struct tt_settings *settings,
		    const struct tt_settings *from)
{
	for (size_t i = 0; i < from->count; i++) {
		TT_LIST_ADD(p, settings->items, settings->count, from->items[i]);
	}
}

// Does a setting contradict a word of the state?
static bool check_state(struct tt_parser *p, const struct tt_case *k, const char *at)
{
	for (size_t i = 0; i < k->settings.count; i++) {
		const struct tt_setting *s = &k->settings.items[i];

		if (s->kind == TT_SET_REG && s->reg == SR_SCR_EL3 && (s->mask & 1) &&
		    k->state.said_secure && (s->value & 1) == k->state.secure) {
			return tt_fail(&p->r, at, "SCR_EL3.NS is set to %u, but the state says %s",
				       (unsigned)(s->value & 1), k->state.secure ? "S" : "NS");
		}
	}
	return true;
}

// The settings of the case after those of the file and of the section, to be shown.
static const char *all_settings(const struct tt_parser *p, const char *own)
{
	const char *parts[3] = {p->said, p->section_said, strcmp(own, "-") != 0 ? own : ""};
	const char *text = "";

	for (unsigned i = 0; i < 3; i++) {
		if (parts[i] != NULL && parts[i][0] != '\0') {
			text = text[0] != '\0' ? tt_format(p->arena, "%s, %s", text, parts[i])
					       : parts[i];
		}
	}
	return text;
}

bool tt_parse_case(struct tt_parser *p, struct tt_cursor c)
{
	struct tt_item item = {.line = tt_line_number(&p->r), .is_case = true};
	struct tt_cursor name = tt_word(&c, ":"), columns[COLUMNS_MAX];
	size_t count = 0;

	item.skip = tt_unmet(p);
	item.requires[0] = p->requires.features;
	item.requires[1] = p->section_requires.features;
	item.no_qemu = p->section_no_qemu != NULL ? p->section_no_qemu : p->no_qemu;
	if (!tt_parse_name(p, name, &item.name) || !check_name(p, item.name, name.at)) {
		return false;
	}
	tt_skip_space(&c);
	if (!tt_take(&c, ":")) {
		return tt_expected(&p->r, &c, "a colon after the name");
	}
	while (count < COLUMNS_MAX && tt_cut(&c, '|', &columns[count])) {
		count++;
	}
	if (count < 4) {
		return tt_fail(&p->r, columns[count - 1].end,
			       "expected | and the next of SETTINGS | STATE | "
			       "INSTRUCTION | EXPECTATION");
	}
	if (c.at <= c.end) {
		return tt_fail(&p->r, c.at - 1, "expected at most five columns");
	}
	tt_use_machine(p, &p->file->machine, false);
	p->model = p->file->model;
	if (count == 5 && !parse_marks(p, columns[4], &item)) {
		return false;
	}
	p->skip = item.skip;
	p->slots = &item.slots;
	p->settings = &item.c.settings;
	item.c.settings_text = all_settings(p, tt_text(&p->r, columns[0]));
	inherit(p, &item.c.settings, &p->defaults);
	inherit(p, &item.c.settings, &p->section_defaults);
	if (!tt_parse_settings(p, columns[0], &item.c.settings) ||
	    !tt_parse_state(p, columns[1], &item.c.state) || !parse_insn(p, columns[2], &item.c) ||
	    !parse_expectation(p, columns[3], &item.c) || !check_state(p, &item.c, columns[1].at)) {
		return false;
	}
	TT_LIST_ADD(p, p->file->items, p->file->item_count, item);
	return true;
}

// ---- the ISS of an instruction ------------------------------------------------------------------

bool tt_iss_of_insn(unsigned ec, uint32_t insn, uint32_t *iss)
{
	uint32_t rt = insn & 31;

	switch (ec) {
	case 0x18:
		*iss = (uint32_t)(bits(insn, 20, 19) << 20 | bits(insn, 7, 5) << 17 |
				  bits(insn, 18, 16) << 14 | bits(insn, 15, 12) << 10 | rt << 5 |
				  bits(insn, 11, 8) << 1 | bit(insn, 21));
		return true;
	case 0x14:
		*iss = (uint32_t)(bits(insn, 20, 19) << 20 | bits(insn, 7, 5) << 17 |
				  bits(insn, 18, 16) << 14 | bits(insn, 15, 12) << 10 |
				  (rt >> 1) << 6 | bits(insn, 11, 8) << 1 | bit(insn, 21));
		return true;
	case 0x15:
	case 0x16:
	case 0x17:
	case 0x3c:
		*iss = (uint32_t)bits(insn, 20, 5);
		return true;
	case 0x01: // WFI and WFE are hints; WFIT and WFET have a register
		if ((insn & 0xffffffc0) == 0xd5031000) {
			*iss = UINT32_C(0x1e00000) | rt << 5 | 1u << 2 | 2u |
			       (insn >> 5 & 1 ? 0u : 1u);
		} else {
			*iss = UINT32_C(0x1e00000) | (insn >> 5 & 1 ? 0u : 1u);
		}
		return true;
	case 0x07:
		*iss = UINT32_C(0x1e00000);
		return true;
	case 0x1a: // ERET, ERETAA, ERETAB
		*iss = bit(insn, 11) ? 2u | bit(insn, 10) : 0;
		return true;
	case 0x0a: // opc of ST64BV0, ST64BV, ST64B, LD64B in bits 14:12
		*iss = bits(insn, 14, 12) == 3 ? 0 : bits(insn, 14, 12) == 2 ? 1 : 2;
		return true;
	case 0x00:
	case 0x09:
	case 0x0e:
	case 0x22:
	case 0x26:
		*iss = 0;
		return true;
	default:
		return false;
	}
}
