// SPDX-License-Identifier: Apache-2.0
// Running a case: restore, set, execute one instruction, look.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/check.h"
#include "board/state.h"
#include "cpu/pe.h"
#include "cpu/sysreg.h"
#include "explain/open.h"
#include "strata/strata.h"
#include "strata/strata_explain.h"
#include "traptest/agree.h"
#include "traptest/check.h"
#include "traptest/outcome.h"

#define STORES_BEGIN OPEN_DATA
#define STORES_END (OPEN_DEVICE + OPEN_PLACE_SIZE)
#define PSTATE_UNCHECKED (BIT(21) | MASK(11, 10)) // SPSR.SS and BTYPE follow rules of their own

struct case_run {
	struct tt_prepared *m;
	const struct tt_item *item;
	struct tt_record first; // the first transition, or the state after the instruction
	struct tt_record then; // a second one, if any
	unsigned events;
	uint64_t registers[SYSREG_COUNT]; // before
	uint64_t rt_before;
	uint8_t *memory; // before
	bool control_by_illegal; // unused
};

// ---- looking ------------------------------------------------------------------------------------

static void on_event(void *opaque, const struct trace_event *event)
{
	struct case_run *run = opaque;

	if (run->events++ == 0) {
		tt_look(run->m->strata, event->pe, &run->item->slots, event, &run->first);
	}
}

// The TimerValue views count down by themselves.
static bool is_view(enum sysreg reg)
{
	const char *name = sysreg_name(reg);
	const char *tval = strstr(name, "_TVAL_");

	return tval != NULL;
}

static void remember_registers(struct case_run *run)
{
	for (unsigned reg = 0; reg < SYSREG_COUNT; reg++) {
		run->registers[reg] = 0;
		(void)pe_peek(run->m->pe, (enum sysreg)reg, &run->registers[reg]);
	}
}

// Registers that taking the exception itself writes.
static bool of_exception(const struct case_run *run, enum sysreg reg)
{
	static const uint16_t own[4][5] = {
		{0},
		{SR_ESR_EL1, SR_ELR_EL1, SR_SPSR_EL1, SR_FAR_EL1, SR_ESR_EL1},
		{SR_ESR_EL2, SR_ELR_EL2, SR_SPSR_EL2, SR_FAR_EL2, SR_HPFAR_EL2},
		{SR_ESR_EL3, SR_ELR_EL3, SR_SPSR_EL3, SR_FAR_EL3, SR_ESR_EL3},
	};

	if (!run->first.has_event || run->first.event.type != TRACE_EXCEPTION) {
		return false;
	}
	for (unsigned i = 0; i < 5; i++) {
		if (own[run->first.event.to_el][i] == reg) {
			return true;
		}
	}
	return false;
}

// The names of the registers that have changed, separated by commas; true if they are those wanted.
static bool changed_registers(const struct case_run *run, const struct tt_case *k, char *text,
			      size_t size)
{
	bool right = true;
	size_t found = 0;

	text[0] = '\0';
	for (unsigned reg = 0; reg < SYSREG_COUNT; reg++) {
		uint64_t now = 0;
		bool wanted = false;
		size_t used = strlen(text);

		if (!pe_peek(run->m->pe, (enum sysreg)reg, &now) || now == run->registers[reg] ||
		    is_view((enum sysreg)reg) || of_exception(run, (enum sysreg)reg)) {
			continue;
		}
		for (size_t i = 0; i < k->write_count; i++) {
			wanted = wanted || k->writes[i] == reg;
		}
		found += wanted;
		right = right && wanted;
		snprintf(text + used, size - used, "%s%s", used != 0 ? "," : "",
			 sysreg_name((enum sysreg)reg));
	}
	if (text[0] == '\0') {
		snprintf(text, size, "none");
	}
	return right && found == k->write_count;
}

static bool changed_memory(const struct case_run *run, const struct tt_case *k, char *text,
			   size_t size)
{
	bool right = true, found = false;

	text[0] = '\0';
	for (uint64_t at = STORES_BEGIN; at < STORES_END; at += 4096) {
		uint8_t now[4096];

		CHECK(strata_read(run->m->strata, at, now, sizeof(now)) == 0);
		if (memcmp(now, run->memory + (at - STORES_BEGIN), sizeof(now)) == 0) {
			continue;
		}
		for (unsigned i = 0; i < sizeof(now); i++) {
			uint64_t address = at + i;

			if (now[i] == run->memory[address - STORES_BEGIN]) {
				continue;
			}
			if (text[0] == '\0') {
				snprintf(text, size, "stores [0x%llx]",
					 (unsigned long long)address);
			}
			if (k->stores_any && address - k->stores < 8) {
				found = true;
			} else {
				right = false;
			}
		}
	}
	if (text[0] == '\0') {
		snprintf(text, size, "stores none");
	}
	return right && found == k->stores_any;
}

// ---- what is wrong ------------------------------------------------------------------------------

struct differences {
	char wanted[1024], seen[1024];
	unsigned count;
};

static void differ(struct differences *d, const char *wanted, const char *seen)
{
	size_t w = strlen(d->wanted), s = strlen(d->seen);

	snprintf(d->wanted + w, sizeof(d->wanted) - w, " %s", wanted);
	snprintf(d->seen + s, sizeof(d->seen) - s, " %s", seen);
	d->count++;
}

static void differ_number(struct differences *d, const char *name, uint64_t wanted, uint64_t seen)
{
	char a[64], b[64];

	if (wanted != seen) {
		snprintf(a, sizeof(a), "%s=0x%llx", name, (unsigned long long)wanted);
		snprintf(b, sizeof(b), "%s=0x%llx", name, (unsigned long long)seen);
		differ(d, a, b);
	}
}

static bool says(const struct tt_case *k, enum tt_subject subject, unsigned bit_number)
{
	for (size_t i = 0; i < k->checks.count; i++) {
		const struct tt_check *c = &k->checks.items[i];

		if (c->subject == subject && bit_number <= c->hi && bit_number >= c->lo) {
			return true;
		}
	}
	return false;
}

// The bits of a register that no check of the case is about.
static uint64_t unsaid(const struct tt_case *k, enum tt_subject subject)
{
	uint64_t mask = UINT64_MAX;

	for (size_t i = 0; i < k->checks.count; i++) {
		const struct tt_check *c = &k->checks.items[i];

		if (c->subject == subject) {
			mask &= ~MASK(c->hi, c->lo);
		}
	}
	return mask;
}

// ELR, SPSR, IL and vector, as far as the case does not speak of them.
static void check_usual(const struct tt_case *k, const struct tt_record *r, struct differences *d)
{
	const struct trace_event *e = &r->event;
	unsigned ec = (unsigned)bits(e->esr, 31, 26);
	bool asynchronous = !e->has_esr || ec == 0x2f;
	uint64_t next = ec == 0x15 || ec == 0x16 || (ec == 0x17 && e->to_el == 3) ? 4 : 0;
	uint64_t mask = unsaid(k, TT_SPSR) & ~PSTATE_UNCHECKED;
	uint64_t vector = e->from_el < e->to_el ? 0x400 : (k->state.spsr & 1) ? 0x200 : 0;

	if (e->has_esr && !says(k, TT_ESR, 25)) {
		differ_number(d, "esr.il", 1, bit(e->esr, 25));
	}
	if (!says(k, TT_ELR, 0)) {
		differ_number(d, "elr", e->pc + (asynchronous ? 0 : next), e->elr);
	}
	differ_number(d, "spsr", k->state.spsr & mask, e->spsr & mask);
	if (!asynchronous && !says(k, TT_VECTOR, 0)) {
		differ_number(d, "vector", vector, r->pc - r->vbar);
	}
}

static void check_all(const struct case_run *run, const struct tt_case *k, struct differences *d)
{
	for (size_t i = 0; i < k->checks.count; i++) {
		char seen[160];

		if (!tt_check_holds(&k->checks.items[i], &run->first, NULL, run->m->strata)) {
			tt_check_seen(&k->checks.items[i], &run->first, NULL, run->m->strata, seen,
				      sizeof(seen));
			differ(d, k->checks.items[i].word, seen);
		}
	}
}

static void check_effects(const struct case_run *run, const struct tt_case *k,
			  struct differences *d)
{
	char text[400], wanted[400] = "writes ", seen[420];
	uint64_t rt = pe_x(run->m->pe, k->insn & 31);

	if (k->checks_writes && !changed_registers(run, k, text, sizeof(text))) {
		for (size_t i = 0; i < k->write_count; i++) {
			size_t used = strlen(wanted);

			snprintf(wanted + used, sizeof(wanted) - used, "%s%s", i != 0 ? "," : "",
				 sysreg_name((enum sysreg)k->writes[i]));
		}
		if (k->write_count == 0) {
			snprintf(wanted, sizeof(wanted), "writes none");
		}
		snprintf(seen, sizeof(seen), "writes %s", text);
		differ(d, wanted, seen);
	}
	if (k->has_reads && rt != run->registers[k->reads]) {
		snprintf(wanted, sizeof(wanted), "reads %s (0x%llx)",
			 sysreg_name((enum sysreg)k->reads),
			 (unsigned long long)run->registers[k->reads]);
		snprintf(seen, sizeof(seen), "X%u=0x%llx", k->insn & 31, (unsigned long long)rt);
		differ(d, wanted, seen);
	} else if (k->has_reads && rt == 0) {
		differ(d, "a value other than 0 (set the register)", "0");
	} else if (k->has_reads && run->rt_before == rt) {
		differ(d, "another value in the destination before", "the same");
	}
	if (k->checks_stores && !changed_memory(run, k, text, sizeof(text))) {
		snprintf(wanted, sizeof(wanted), "stores none");
		if (k->stores_any) {
			snprintf(wanted, sizeof(wanted), "stores [0x%llx]",
				 (unsigned long long)k->stores);
		}
		differ(d, wanted, text);
	}
}

// ---- running ------------------------------------------------------------------------------------

static void prepare(struct case_run *run, const struct tt_case *k)
{
	struct tt_prepared *m = run->m;

	CHECK(strata_write(m->strata, OPEN_CODE, &k->insn, sizeof(k->insn)) == 0);
	tt_apply(m, &k->state, &k->settings);
	run->rt_before = pe_x(m->pe, k->insn & 31);
	if (k->checks_writes || k->has_reads) {
		remember_registers(run);
	}
	if (k->checks_stores) {
		run->memory = malloc(STORES_END - STORES_BEGIN);
		CHECK(run->memory != NULL && strata_read(m->strata, STORES_BEGIN, run->memory,
							 STORES_END - STORES_BEGIN) == 0);
	}
	m->event = on_event;
	m->event_opaque = run;
}

static void say_case(const struct tt_case *k, struct tt_result *result)
{
	tt_say(result, "      %s (0x%08x) at %s%s%s", k->insn_text, k->insn, k->state.text,
	       k->settings_text[0] != '\0' ? " with " : "", k->settings_text);
}

static void report(const struct tt_file *file, const struct tt_item *item,
		   const struct case_run *run, const struct differences *d,
		   struct tt_result *result)
{
	const struct tt_case *k = &item->c;
	char text[512];

	(void)file;
	result->status = TT_FAILED;
	say_case(k, result);
	tt_say(result, "    - %s", k->expected_text);
	if (run->first.has_event) {
		tt_describe(&run->first, text, sizeof(text));
		tt_say(result, "    + %s", text);
	} else {
		tt_say(result, "    + ok");
	}
	if (d->wanted[0] != '\0') {
		tt_say(result, "      expected:%s", d->wanted);
		tt_say(result, "      seen:    %s", d->seen);
	}
}

void tt_run_case(struct tt_pool *pool, const struct tt_file *file, const struct tt_item *item,
		 struct tt_result *result)
{
	const struct tt_case *k = &item->c;
	struct differences d = {.count = 0};
	uint64_t values[64];
	struct strata_explanation *explanation = NULL;
	struct case_run *run;
	char error[256], text[512];
	bool trapped;

	result->status = TT_PASSED;
	run = calloc(1, sizeof(*run));
	CHECK(run != NULL);
	run->item = item;
	run->first.values =
		item->slots.count <= 64 ? values : calloc(item->slots.count, sizeof(*values));
	run->m = tt_pool_get(pool, &file->machine, error, sizeof(error));
	if (run->m == NULL) {
		result->status = TT_BROKEN;
		tt_say(result, "      %s", error);
		free(run);
		return;
	}
	prepare(run, k);
	if (result->explain) {
		explanation = tt_explain(run->m, &file->machine, item);
	}
	board_step(run->m->strata, 0);
	run->m->event = NULL;
	if (run->events == 0) {
		tt_look(run->m->strata, 0, &item->slots, NULL, &run->first);
		run->first.event.pc = OPEN_CODE;
	}
	trapped = run->first.has_event && run->first.event.type == TRACE_EXCEPTION;
	if (trapped != (k->outcome == TT_EXCEPTION)) {
		d.count++;
	} else if (trapped && run->first.event.to_el != k->el) {
		snprintf(text, sizeof(text), "EL%u", k->el);
		snprintf(error, sizeof(error), "EL%u", run->first.event.to_el);
		differ(&d, text, error);
	} else {
		if (trapped) {
			check_usual(k, &run->first, &d);
		}
		check_all(run, k, &d);
		check_effects(run, k, &d);
	}
	if (d.count != 0) {
		report(file, item, run, &d, result);
	} else if (explanation != NULL &&
		   !tt_agrees(explanation, &run->first, text, sizeof(text))) {
		result->status = TT_FAILED;
		say_case(k, result);
		tt_say(result, "      strata explain %s", text);
	}
	strata_explain_free(explanation);
	if (run->first.values != values) {
		free(run->first.values);
	}
	free(run->memory);
	free(run);
}
