// SPDX-License-Identifier: Apache-2.0
// What the files of this room share: how an explanation is put together and how its parts read.
#ifndef STRATA_EXPLAIN_EXPLAIN_H
#define STRATA_EXPLAIN_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "cpu/sysreg.h"
#include "explain/scene.h"
#include "strata/strata_explain.h"

struct trace_sink;

// Is the word an access to a system register or a system instruction (MRS, MSR, SYS, SYSL)?
bool explain_is_access(uint32_t word, uint16_t *enc, bool *read, unsigned *rt);

// The words of an end that a control brings, or a decision about an access.
void explain_end_of_control(const struct sysreg_control *control, uint16_t enc, bool read,
			    unsigned rt, const struct pe *pe, struct strata_explain_end *end);

// "trapped MSR/MRS/system" for 0x18.
const char *explain_class_text(unsigned ec);

// The bits of a control that its name names: some test more than that.
uint64_t explain_named_bits(const struct pe *pe, const struct sysreg_control *control);

// What a control is about, in words; "" where its name says it.
const char *explain_control_text(const char *name);

// The first control of an access that is asked and holds. False: none.
bool explain_deciding_control(struct scene *scene, uint16_t enc, bool read,
			      struct sysreg_control *control);

// Execute the instruction as the scene stands, and say what happened.
typedef void explain_run_fn(struct scene *scene, struct strata_explanation *explanation,
			    struct strata_explain_end *end);

// Undo the control that decides, then the one that decides after that (without.c). 0 or -ENOMEM.
int explain_without(struct scene *scene, struct strata_explanation *explanation, uint16_t enc,
		    bool read, explain_run_fn *run);

// Try every field of the control registers for one whose change changes the end (experiment.c).
void explain_experiment(struct scene *scene, struct strata_explanation *explanation,
			explain_run_fn *run);

// Why the instruction is UNDEFINED, where no control is the reason (why.c).
void explain_why(struct scene *scene, struct strata_explanation *explanation, uint16_t enc,
		 bool read, explain_run_fn *run);

bool explain_same_end(const struct strata_explain_end *a, const struct strata_explain_end *b);

// An empty slot at the end of a growing array, NULL when out of memory.
void *explain_grow(void **array, size_t *count, size_t size);

// JSON, a value at a time. Keys with a comma before them unless they come first.
struct json {
	FILE *file;
	bool begun; // something stands before the next item
};
void json_open(struct json *json, const char *key, char bracket);
void json_close(struct json *json, char bracket);
void json_text(struct json *json, const char *key, const char *value);
void json_hex(struct json *json, const char *key, uint64_t value);
void json_number(struct json *json, const char *key, uint64_t value);
void json_bool(struct json *json, const char *key, bool value);
void json_end(struct json *json, const struct strata_explain_end *end); // its members

#endif
