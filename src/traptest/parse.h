// SPDX-License-Identifier: Apache-2.0
// The parser of trap-test files, inside: what its files share.
#ifndef STRATA_TRAPTEST_PARSE_H
#define STRATA_TRAPTEST_PARSE_H

#include "traptest/lines.h"
#include "traptest/test_file.h"

#define TT_MODELS_MAX 64
#define TT_NO_EL3_ALONE "there is no machine with EL3 and without EL2: say el3=no too"

// What `requires' lines say.
struct tt_requires {
	const char *unmet; // the reason to skip, or NULL
	const char *features; // their names, without those that must be absent; or NULL
};

struct tt_parser {
	struct tt_reader r;
	struct tt_file *file;
	const struct tt_context *context;
	struct tt_arena *arena;
	// Models that machines of this file have asked for.
	struct {
		char key[128];
		struct cpu_model *model;
	} models[TT_MODELS_MAX];
	size_t model_count;
	// Of the item that is being parsed.
	const struct cpu_model *model;
	const struct tt_machine *machine;
	uint64_t ram_base, ram_size; // of this machine
	bool of_image; // a test with an image
	const char *skip;
	struct tt_slots *slots;
	const struct tt_settings *settings; // of it: which layout fields of checks have
	bool settled; // a test: something has been said that depends on the machine
	// Of the file and of the section.
	struct tt_settings defaults, section_defaults;
	const char *said, *section_said; // as written
	struct tt_requires requires, section_requires;
	const char *no_qemu, *section_no_qemu;
	const char *section;
	bool in_section;
};

#define TT_LIST_ADD(p, list, count, item) \
	((list) = tt_grow((p)->arena, (list), (count), sizeof(*(list))), (list)[(count)++] = (item))

// parse_words.c: settings, states, checks.
bool tt_parse_value(struct tt_parser *p, struct tt_cursor *c, struct tt_value *value);
bool tt_parse_settings(struct tt_parser *p, struct tt_cursor c, struct tt_settings *settings);
bool tt_parse_state(struct tt_parser *p, struct tt_cursor c, struct tt_state *state);
// One check word; false without a failure noted if the word is no check.
bool tt_parse_check(struct tt_parser *p, struct tt_cursor word, struct tt_checks *checks);
uint16_t tt_slot(struct tt_parser *p, enum tt_subject subject, unsigned reg, uint64_t address,
		 unsigned size);
bool tt_find_register(struct tt_parser *p, const char *at, const char *name, size_t size,
		      uint16_t *reg);
// HCR_EL2.E2H after these settings.
bool tt_settings_e2h(const struct tt_settings *settings);

// parse_case.c, parse_test.c: one item from its first line on.
bool tt_parse_case(struct tt_parser *p, struct tt_cursor c);
bool tt_parse_test(struct tt_parser *p, struct tt_cursor c);

// parse_file.c
bool tt_parse_machine(struct tt_parser *p, struct tt_cursor c, struct tt_machine *machine,
		      bool of_test);
// From here on, what is said is about this machine.
void tt_use_machine(struct tt_parser *p, const struct tt_machine *machine, bool of_image);
const struct cpu_model *tt_model(struct tt_parser *p, const struct tt_machine *machine,
				 const char *at);
// Adds "FEAT_X, !FEAT_Y". False: noted.
bool tt_parse_requires(struct tt_parser *p, struct tt_cursor c, struct tt_requires *requires);
// The reason to skip what begins here, or NULL.
const char *tt_unmet(const struct tt_parser *p);
bool tt_parse_name(struct tt_parser *p, struct tt_cursor word, const char **name);
const char *tt_path(struct tt_parser *p, const char *text, const char *at); // NULL: noted

#endif
