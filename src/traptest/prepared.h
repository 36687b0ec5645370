// SPDX-License-Identifier: Apache-2.0
// Prepared machines: built once, in the open state (docs/trap-tests.md), and restored for each
// test.
#ifndef STRATA_TRAPTEST_PREPARED_H
#define STRATA_TRAPTEST_PREPARED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/trace.h"
#include "traptest/test_file.h"

struct strata;
struct strata_load;
struct strata_options;
struct pe;
struct strata_explainer;

// What was seen at a transition, or at the end.
struct tt_record {
	struct trace_event event;
	bool has_event;
	char sysreg[32]; // event.sysreg, copied
	uint64_t vbar, far, hpfar, pstate, sp, pc;
	uint64_t *values; // of the item's slots
	uint64_t since; // instructions of the PE since the record before
};

// The outside of a machine's first UART.
struct tt_console {
	char *output;
	size_t output_size, output_capacity;
	const char *input;
	size_t input_size;
};

struct tt_prepared {
	char *key;
	struct strata *strata;
	struct pe *pe;
	struct strata_explainer *explainer; // agree.c; NULL until it is needed
	struct tt_console console;
	// Called for each event of the run.
	void (*event)(void *opaque, const struct trace_event *event);
	void *event_opaque;
};

struct tt_pool; // of prepared machines

struct tt_pool *tt_pool_create(void);
void tt_pool_destroy(struct tt_pool *pool);

// The machine of cases and assembly tests, restored. NULL with a message in error.
struct tt_prepared *tt_pool_get(struct tt_pool *pool, const struct tt_machine *machine, char *error,
				size_t error_size);

// The machine of a test with an image, as it is after loading and reset, restored.
struct tt_prepared *tt_pool_get_image(struct tt_pool *pool, const struct tt_test *test, char *error,
				      size_t error_size);

// The options of strata_create that a test's machine means.
void tt_image_options(const struct tt_test *test, struct strata_options *options,
		      struct strata_load *loads);

// Put the PE into a state: registers of the open state that depend on E2H, the state's words, then
// the settings.
void tt_apply(struct tt_prepared *m, const struct tt_state *state,
	      const struct tt_settings *settings);
// Settings alone, for images.
void tt_apply_settings(struct strata *strata, const struct tt_settings *settings);

// Look at the machine as it is now. event may be NULL.
void tt_look(struct strata *strata, unsigned pe, const struct tt_slots *slots,
	     const struct trace_event *event, struct tt_record *record);

#endif
