// SPDX-License-Identifier: Apache-2.0
// A trap-test file as parsed (docs/trap-tests.md): settings, states, checks, cases and tests.
#ifndef STRATA_TRAPTEST_TEST_FILE_H
#define STRATA_TRAPTEST_TEST_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cpu/feature.h"

struct cpu_model;

#define TT_VERSION 1
#define TT_MANY UINT32_MAX // an upper bound that is none

// ---- what a person wrote as a value: ranges, alternatives, a mask -------------------------------

#define TT_RANGES_MAX 8

struct tt_value {
	unsigned count;
	struct {
		uint64_t lo, hi;
	} range[TT_RANGES_MAX];
	uint64_t mask; // applied to what is seen before it is compared
	bool relative; // "+4": to the instruction
	bool any;
};

enum tt_setting_kind {
	TT_SET_REG,
	TT_SET_X,
	TT_SET_SP,
	TT_SET_PC,
	TT_SET_MEM,
	TT_SET_TAG,
	TT_SET_LINE
};

struct tt_setting {
	enum tt_setting_kind kind;
	uint16_t reg; // enum sysreg; n of X; enum pe_line
	uint8_t size; // of memory
	uint64_t mask, value, address;
};

struct tt_settings {
	struct tt_setting *items;
	size_t count;
};

enum tt_subject {
	TT_ESR, // bits hi:lo
	TT_SPSR,
	TT_ELR,
	TT_FAR,
	TT_HPFAR,
	TT_IPA,
	TT_VECTOR, // offset from VBAR
	TT_PC,
	TT_SP,
	TT_X,
	TT_REG,
	TT_PSTATE,
	TT_MEM,
	TT_TAG,
	TT_LEVEL, // PSTATE.EL afterwards
	TT_ISS_INSN, // ISS formed from the instruction
	TT_CONTROL, // text
	TT_CAUSE,
	TT_SYSREG_NAME,
	TT_AT,
	TT_TO_SYMBOL,
	TT_PE,
	TT_INTID,
	TT_INSN,
	TT_WITHIN,
	TT_FROM, // mask of levels; of a transition
	TT_TO,
	TT_FROM_SECURE,
	TT_TO_SECURE,
	TT_RETURN, // 1: a return
};

struct tt_check {
	enum tt_subject subject;
	uint16_t reg; // enum sysreg, n of X
	uint8_t hi, lo, size;
	bool after; // at the matching return
	uint64_t address;
	struct tt_value value;
	uint16_t slot; // of a record: where the value that is compared stands
	const char *text; // TT_CONTROL and other names
	const char *word; // as written
};

// What has to be looked at when a transition is recorded, because some check asks for it.
struct tt_slot {
	enum tt_subject subject; // TT_X, TT_REG, TT_MEM, TT_TAG
	uint16_t reg;
	uint8_t size;
	uint64_t address;
};

struct tt_slots {
	struct tt_slot *items;
	size_t count;
};

struct tt_checks {
	struct tt_check *items;
	size_t count;
};

struct tt_state {
	uint8_t el;
	bool secure, said_secure;
	bool mmu, stage2, stage1_el1;
	uint64_t spsr; // PSTATE in the layout of an SPSR
	const char *text;
};

enum tt_outcome { TT_OK, TT_EXCEPTION };

struct tt_case {
	struct tt_settings settings;
	struct tt_state state;
	uint32_t insn;
	const char *insn_text;
	enum tt_outcome outcome;
	uint8_t el; // of an exception
	struct tt_checks checks;
	bool checks_writes; // `writes`: exactly these have changed
	uint16_t *writes;
	size_t write_count;
	bool has_reads;
	uint16_t reads;
	bool checks_stores, stores_any;
	uint64_t stores;
	bool control_none;
	const char *settings_text, *expected_text; // the first with the defaults
};

// ---- tests of whole programs --------------------------------------------------------------------

enum tt_step_kind { TT_LINE, TT_ANY, TT_GROUP };

struct tt_step {
	enum tt_step_kind kind;
	unsigned line;
	uint32_t min, max; // how often; TT_MANY
	struct tt_checks checks; // TT_LINE; TT_ANY: what it must not be
	struct tt_step *steps; // TT_GROUP
	size_t step_count;
	const char *text;
};

enum tt_compare { TT_EQ, TT_NE, TT_LT, TT_LE, TT_GT, TT_GE };

enum tt_bound_kind { TT_COUNT, TT_INSNS, TT_CYCLES, TT_TIME, TT_CYCLES_IN };

struct tt_bound {
	enum tt_bound_kind kind;
	enum tt_compare compare;
	uint64_t value;
	uint8_t el;
	struct tt_checks checks;
	const char *text;
	unsigned line;
};

enum tt_end {
	TT_END_DEFAULT,
	TT_END_FINISHED,
	TT_END_STOPPED,
	TT_END_OFF,
	TT_END_EXITED,
	TT_END_RESET,
	TT_END_STUCK,
	TT_END_LIMIT
};
enum tt_vectors { TT_VECTORS_STOP, TT_VECTORS_RETURN, TT_VECTORS_SKIP };

struct tt_snippet {
	uint8_t el; // 0: the program
	bool all; // handler of all vectors
	bool hex; // words, not assembly
	uint16_t offset;
	unsigned line; // of its first line
	char *text;
};

struct tt_load {
	const char *path;
	uint64_t address;
};

struct tt_machine {
	const char *cpu;
	bool el2, el3;
	uint64_t memory; // 0: the default
	// Of images.
	unsigned boot_el, smp;
	bool secure, semihosting, has_entry, has_seed;
	uint64_t entry, seed, ram_base;
	const char *initrd, *append, *dtb;
	int tlb; // enum strata_tlb
	struct tt_load loads[8];
	size_t load_count;
	// Words that a test said itself: of images, and of machines without; NULL.
	const char *image_word, *level_word;
	unsigned line; // of its `machine`
};

struct tt_lines {
	const char **items;
	size_t count;
};

struct tt_pattern { // `not`, `watch`, `until`
	struct tt_checks checks;
	const char *text;
	unsigned line;
};

struct tt_test {
	struct tt_machine machine;
	const char *image;
	bool image_is_flat;
	uint64_t image_address; // of a flat one
	struct tt_lines symbols, needs, outputs;
	const char *input;
	struct tt_state state;
	bool has_state;
	struct tt_settings settings;
	struct tt_snippet *snippets;
	size_t snippet_count;
	enum tt_vectors vectors[4];
	bool said_vectors[4];
	bool has_expect;
	struct tt_step expect; // a group
	struct tt_pattern *nots, *watches, *untils;
	size_t not_count, watch_count, until_count;
	struct tt_bound *bounds;
	size_t bound_count;
	struct tt_checks after;
	enum tt_end end;
	int end_value; // exit status, or level of a stop; -1: any
	uint64_t limit_insns, limit_time;
	double limit_host; // seconds; 0: of the run
	// By the assembler: the words of all snippets, from tt_code on.
	uint8_t *code;
	size_t code_size;
};

struct tt_item {
	const char *name; // without the file's
	unsigned line;
	bool is_case;
	const char *skip; // reason; NULL: run it
	const char *no_qemu; // reason
	const char *requires[3]; // features of the file, of the section, of the case; or NULL
	struct tt_slots slots;
	struct tt_case c;
	struct tt_test t;
};

struct tt_file {
	const char *path, *stem;
	struct tt_machine machine;
	struct cpu_model *model; // of the cases
	struct tt_item *items;
	size_t item_count;
	struct tt_arena *arena;
};

// What a file may refer to, and what replaces what it says.
struct tt_context {
	const char *const *defines; // NAME=VALUE
	size_t define_count;
	const char *cpu; // instead of the file's; NULL
	bool headless; // the text is without the first line of a file
};

// Parse a file's text. path is for messages and for what is relative to it. NULL with one line in
// error: "FILE:LINE:COLUMN: ...".
struct tt_file *tt_file_parse(const char *path, const char *text, size_t size,
			      const struct tt_context *context, char *error, size_t error_size);
void tt_file_free(struct tt_file *file);

// The ISS that follows from EC and the instruction word alone; false: no rule for this EC.
bool tt_iss_of_insn(unsigned ec, uint32_t insn, uint32_t *iss);

// ---- places of the prepared machine -------------------------------------------------------------

bool tt_place(const char *name, size_t size, uint64_t *address);

#endif
