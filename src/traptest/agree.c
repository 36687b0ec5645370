// SPDX-License-Identifier: Apache-2.0
// The explanation of a case against its run.
#include "traptest/agree.h"

#include <stdio.h>
#include <string.h>

#include "base/bits.h"
#include "base/check.h"
#include "strata/strata_explain.h"

// An interrupt comes before the instruction, which is then not what the case is about.
static bool has_line(const struct tt_item *item)
{
	const struct tt_settings *settings = &item->c.settings;

	for (size_t i = 0; i < settings->count; i++) {
		if (settings->items[i].kind == TT_SET_LINE) {
			return true;
		}
	}
	return false;
}

struct strata_explanation *tt_explain(struct tt_prepared *m, const struct tt_machine *machine,
				      const struct tt_item *item)
{
	const struct strata_explain_options options = {.cpu = machine->cpu,
						       .no_el2 = !machine->el2,
						       .no_el3 = !machine->el3};
	struct strata_explanation *explanation = NULL;
	char error[256];

	if (has_line(item)) {
		return NULL;
	}
	if (m->explainer == NULL) {
		CHECK(strata_explainer_create(&m->explainer, &options, error, sizeof(error)) == 0);
	}
	if (strata_explain_machine(m->explainer, &explanation, m->strata, 0, error,
				   sizeof(error)) != 0) {
		return NULL; // nothing stands at the PC that could be explained
	}
	return explanation;
}

// The control that decides by the chain; NULL when something after it does (a fault of the access
// itself).
static const char *decider(const struct strata_explanation *e)
{
	for (size_t i = 0; i < e->control_count; i++) {
		if (e->controls[i].decides && e->controls[i].then.ec == e->end.ec) {
			return e->controls[i].name;
		}
	}
	return NULL;
}

bool tt_agrees(const struct strata_explanation *e, const struct tt_record *seen, char *text,
	       size_t size)
{
	const struct trace_event *event = &seen->event;
	bool trapped = seen->has_event && event->type == TRACE_EXCEPTION;
	bool says = e->end.outcome == STRATA_EXPLAIN_EXCEPTION ||
		    e->end.outcome == STRATA_EXPLAIN_UNDEFINED;
	const char *control = decider(e);

	// An illegal return is one event, the exception that follows it another.
	if (seen->has_event && event->type == TRACE_RETURN && says && e->end.ec == 0x0e) {
		return true;
	}
	if (trapped != says) {
		snprintf(text, size, "says: %s", e->end.text);
		return false;
	}
	if (trapped && (e->end.el != event->to_el || e->end.ec != bits(event->esr, 31, 26) ||
			e->end.iss != bits(event->esr, 24, 0))) {
		snprintf(text, size, "says: %s; it was EL%u, EC 0x%02x, ISS 0x%x", e->end.text,
			 event->to_el, (unsigned)bits(event->esr, 31, 26),
			 (unsigned)bits(event->esr, 24, 0));
		return false;
	}
	if (e->is_access && !e->chain_agrees) {
		snprintf(text, size, "lists controls that say something else than: %s",
			 e->end.text);
		return false;
	}
	if (trapped && e->end.outcome == STRATA_EXPLAIN_EXCEPTION && e->is_access &&
	    event->control != NULL && control != NULL && strcmp(control, event->control) != 0) {
		snprintf(text, size, "says that %s decides, and it was %s", control,
			 event->control);
		return false;
	}
	return true;
}
