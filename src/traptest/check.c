// SPDX-License-Identifier: Apache-2.0
// Checks: which number of a record a check is about, and whether it is the one wanted.
#include "traptest/check.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/bits.h"
#include "board/state.h"

bool tt_value_matches(const struct tt_value *value, uint64_t seen, uint64_t base)
{
	if (value->any) {
		return true;
	}
	if (value->relative) {
		seen -= base;
	}
	seen &= value->mask;
	for (unsigned i = 0; i < value->count; i++) {
		if (seen >= value->range[i].lo && seen <= value->range[i].hi) {
			return true;
		}
	}
	return false;
}

// An ESR is there for every exception but interrupts.
static bool has_esr(const struct tt_record *r)
{
	return r->has_event && r->event.type == TRACE_EXCEPTION && r->event.has_esr;
}

static bool is_exception(const struct tt_record *r)
{
	return r->has_event && r->event.type == TRACE_EXCEPTION;
}

// The number of a subject; false: the record has none.
static bool number_of(const struct tt_check *check, const struct tt_record *r, uint64_t *value)
{
	const struct trace_event *e = &r->event;

	switch (check->subject) {
	case TT_ESR:
	case TT_ISS_INSN:
		*value = e->esr;
		return has_esr(r);
	case TT_SPSR:
		*value = e->spsr;
		return r->has_event;
	case TT_ELR:
		*value = e->elr;
		return r->has_event;
	case TT_FAR:
		*value = r->far;
		return is_exception(r);
	case TT_HPFAR:
		*value = r->hpfar;
		return is_exception(r);
	case TT_IPA:
		*value = e->ipa;
		return r->has_event && e->has_ipa;
	case TT_VECTOR:
		*value = r->pc - r->vbar;
		return is_exception(r);
	case TT_PC:
		*value = r->pc;
		return true;
	case TT_SP:
		*value = r->sp;
		return true;
	case TT_PSTATE:
		*value = r->pstate;
		return true;
	case TT_X:
	case TT_REG:
	case TT_MEM:
	case TT_TAG:
		*value = r->values[check->slot];
		return true;
	case TT_PE:
		*value = e->pe;
		return r->has_event;
	case TT_INTID:
		*value = e->intid;
		return r->has_event && e->has_intid;
	case TT_INSN:
		*value = e->insn;
		return r->has_event && e->has_insn;
	case TT_WITHIN:
		*value = r->since;
		return r->has_event;
	case TT_FROM:
		*value = e->from_el;
		return r->has_event;
	case TT_TO:
		*value = e->to_el;
		return r->has_event;
	case TT_FROM_SECURE:
		*value = e->from_secure;
		return r->has_event;
	case TT_TO_SECURE:
		*value = e->to_secure;
		return r->has_event;
	case TT_RETURN:
		*value = e->type == TRACE_RETURN;
		return r->has_event;
	default:
		return false;
	}
}

static const char *text_of(const struct tt_check *check, const struct tt_record *r,
			   const struct strata *strata)
{
	const struct trace_event *e = &r->event;

	if (!r->has_event) {
		return NULL;
	}
	switch (check->subject) {
	case TT_CONTROL:
		return e->control;
	case TT_CAUSE:
		return trace_cause_name(e->cause);
	case TT_SYSREG_NAME:
		return r->sysreg[0] != '\0' ? r->sysreg : NULL;
	case TT_AT:
		return strata != NULL ? board_symbol(strata, e->from_el, e->pc) : NULL;
	default:
		return strata != NULL ? board_symbol(strata, e->to_el, r->pc) : NULL;
	}
}

static bool is_text(const struct tt_check *check)
{
	return check->subject == TT_CONTROL || check->subject == TT_CAUSE ||
	       check->subject == TT_SYSREG_NAME || check->subject == TT_AT ||
	       check->subject == TT_TO_SYMBOL;
}

bool tt_check_holds(const struct tt_check *check, const struct tt_record *record,
		    const struct tt_record *later, const struct strata *strata)
{
	const struct tt_record *r = check->after ? later : record;
	uint64_t value = 0;
	uint32_t iss = 0;

	if (r == NULL) {
		return false;
	}
	if (is_text(check)) {
		const char *text = text_of(check, r, strata);

		return text != NULL ? strcasecmp(text, check->text) == 0
				    : strcmp(check->text, "none") == 0;
	}
	if (!number_of(check, r, &value)) {
		return check->value.any;
	}
	if (check->subject == TT_ISS_INSN) {
		return r->event.has_insn &&
		       tt_iss_of_insn((unsigned)bits(value, 31, 26), r->event.insn, &iss) &&
		       bits(value, 24, 0) == iss;
	}
	return tt_value_matches(&check->value, bits(value, check->hi, check->lo), r->event.pc);
}

void tt_check_seen(const struct tt_check *check, const struct tt_record *record,
		   const struct tt_record *later, const struct strata *strata, char *text,
		   size_t size)
{
	const struct tt_record *r = check->after ? later : record;
	const char *equals = strchr(check->word, '=');
	int name = equals != NULL ? (int)(equals - check->word) : (int)strlen(check->word);
	uint64_t value = 0;
	uint32_t iss = 0;

	if (r == NULL) {
		snprintf(text, size, "%.*s: no return", name, check->word);
	} else if (is_text(check)) {
		const char *seen = text_of(check, r, strata);

		snprintf(text, size, "%.*s=%s", name, check->word, seen != NULL ? seen : "none");
	} else if (!number_of(check, r, &value)) {
		snprintf(text, size, "%.*s: there is none", name, check->word);
	} else if (check->subject == TT_ISS_INSN) {
		if (!tt_iss_of_insn((unsigned)bits(value, 31, 26), r->event.insn, &iss)) {
			snprintf(text, size, "iss=0x%llx, no rule for this EC",
				 (unsigned long long)bits(value, 24, 0));
		} else {
			snprintf(text, size, "iss=0x%llx, of the instruction 0x%x",
				 (unsigned long long)bits(value, 24, 0), iss);
		}
	} else if (check->value.relative) {
		snprintf(text, size, "%.*s=%+lld", name, check->word,
			 (long long)(value - r->event.pc));
	} else {
		snprintf(text, size, "%.*s=0x%llx", name, check->word,
			 (unsigned long long)bits(value, check->hi, check->lo));
	}
}
