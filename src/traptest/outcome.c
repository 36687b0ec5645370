// SPDX-License-Identifier: Apache-2.0
// What is said about a test.
#include "traptest/outcome.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bits.h"

void tt_say(struct tt_result *result, const char *fmt, ...)
{
	size_t room = sizeof(result->message) - result->used;
	va_list args;
	int n;

	if (room < 3) {
		return;
	}
	va_start(args, fmt);
	n = vsnprintf(result->message + result->used, room - 1, fmt, args);
	va_end(args);
	result->used += n < 0 ? 0 : (size_t)n < room - 1 ? (size_t)n : room - 2;
	result->message[result->used++] = '\n';
	result->message[result->used] = '\0';
}

static void add(char *text, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static void add(char *text, size_t size, const char *fmt, ...)
{
	size_t used = strlen(text);
	va_list args;

	va_start(args, fmt);
	vsnprintf(text + used, size - used, fmt, args);
	va_end(args);
}

static const char *level_name(unsigned el, bool secure)
{
	static const char *const names[2][4] = {{"EL0", "EL1", "EL2", "EL3"},
						{"S-EL0", "S-EL1", "S-EL2", "EL3"}};

	return names[secure][el];
}

void tt_describe(const struct tt_record *r, char *text, size_t size)
{
	const struct trace_event *e = &r->event;

	text[0] = '\0';
	add(text, size, "%s -> %s", level_name(e->from_el, e->from_secure),
	    level_name(e->to_el, e->to_secure));
	if (e->type == TRACE_RETURN) {
		add(text, size, " return cause=%s elr=0x%llx spsr=0x%llx",
		    trace_cause_name(e->cause), (unsigned long long)e->elr,
		    (unsigned long long)e->spsr);
		return;
	}
	add(text, size, "%s cause=%s", e->to_el < e->from_el ? " exception" : "",
	    trace_cause_name(e->cause));
	if (e->has_esr) {
		add(text, size, " ec=0x%llx iss=0x%llx", (unsigned long long)bits(e->esr, 31, 26),
		    (unsigned long long)bits(e->esr, 24, 0));
	}
	if (r->sysreg[0] != '\0') {
		add(text, size, " sysreg=%s", r->sysreg);
	}
	if (e->control != NULL) {
		add(text, size, " control=%s", e->control);
	}
	if (e->has_intid) {
		add(text, size, " intid=%u", e->intid);
	}
	if (e->has_far) {
		add(text, size, " far=0x%llx", (unsigned long long)e->far);
	}
	if (e->has_ipa) {
		add(text, size, " ipa=0x%llx", (unsigned long long)e->ipa);
	}
	add(text, size, " pc=0x%llx elr=%+lld", (unsigned long long)e->pc,
	    (long long)(e->elr - e->pc));
}
