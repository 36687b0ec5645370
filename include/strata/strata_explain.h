// SPDX-License-Identifier: Apache-2.0
// libstrata: where an instruction goes, and why. Given an instruction, a CPU model, a level and
// register settings: does it complete, or which level takes which exception, which controls were
// asked on the way, and what would be without the one that decided. Also the tables behind it.
#ifndef STRATA_STRATA_EXPLAIN_H
#define STRATA_STRATA_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

struct strata;

struct strata_explain_options {
	const char *cpu; // model with switches, "max,pauth=off"; NULL: max
	bool no_el2, no_el3; // levels that the machine has not
	unsigned el; // 0..3
	bool secure; // the Security state of the levels below EL3
	bool sp0; // SPSel is 0
	bool mmu, stage2; // stage 1 of the level's regime, and stage 2, are on: docs/trap-tests.md
	const char *const
		*settings; // "HCR_EL2.TVM=1", "SCTLR_EL1=0x30d00980", "X3=5", "PSTATE.PAN=1"
	size_t setting_count;
};

enum strata_explain_outcome {
	STRATA_EXPLAIN_COMPLETES, // it does what it is for
	STRATA_EXPLAIN_RETURNS, // an exception return, to `el`
	STRATA_EXPLAIN_MEMORY, // a register access done in memory (FEAT_NV2)
	STRATA_EXPLAIN_UNDEFINED, // taken to `el` with EC 0
	STRATA_EXPLAIN_EXCEPTION // taken to `el`
};

struct strata_explain_end {
	enum strata_explain_outcome outcome;
	unsigned el; // afterwards
	bool secure;
	unsigned ec; // of an exception
	uint32_t iss;
	bool has_far;
	uint64_t far;
	char control[64]; // the control that decided; empty: none is named
	char text[160]; // all of it in words: "EL2, EC 0x18 (...), ISS 0x300860"
};

// One control that has a say in the instruction, in the order in which they are asked.
struct strata_explain_control {
	char name[64]; // "HCR_EL2.TVM"
	char when[96]; // the state in which it is asked; empty: always
	bool has_value;
	uint64_t value; // of the field; of several, their bits where they are, from the lowest on
	char value_text[24]; // the same in words: "1", "0x1f", "{1,0}" of several fields
	bool involved; // it is asked in this state
	bool holds; // its value is the one that does something
	bool decides; // it is the one
	struct strata_explain_end then; // what it does when it is asked and holds
};

// What happens when controls have another value.
struct strata_explain_other {
	char controls[512]; // "HFGWTR_EL2.TTBR0_EL1 and HCR_EL2.TVM", or "HCR_EL2.TVM=0"
	struct strata_explain_end end;
};

struct strata_explanation {
	char instruction[96]; // as given, or as disassembled if a word was given
	uint32_t word;
	char cpu[64];
	unsigned el;
	bool secure;
	bool is_access; // of a system register or a system instruction: `controls` is complete
	char reg[32]; // the register or operation that is accessed
	char why[96]; // of an UNDEFINED that no control brings: "needs FEAT_MTE, which ..."
	struct strata_explain_end end;
	struct strata_explain_control *controls;
	size_t control_count;
	struct strata_explain_other *without; // the deciding controls undone, one after the other
	size_t without_count;
	struct strata_explain_other *changes; // single fields whose change changes the end
	size_t change_count;
	bool chain_agrees; // what the controls say is what happened when it was executed
};

// Explain one instruction, "MSR TTBR0_EL1, X3" or a word, "0xd5182003". Returns 0, or -errno with
// one line (no newline) in error.
int strata_explain(struct strata_explanation **explanation,
		   const struct strata_explain_options *options, const char *instruction,
		   char *error, size_t error_size);
void strata_explain_free(struct strata_explanation *explanation);

// The same for the instruction at the PC of a machine, in the state in which it is. The machine is
// not changed. An explainer can be used for any number of machines of one CPU model.
struct strata_explainer;
int strata_explainer_create(struct strata_explainer **explainer,
			    const struct strata_explain_options *options, char *error,
			    size_t error_size);
int strata_explain_machine(struct strata_explainer *explainer,
			   struct strata_explanation **explanation, struct strata *machine,
			   unsigned pe, char *error, size_t error_size);
void strata_explainer_destroy(struct strata_explainer *explainer);

// Print it, for people or as one JSON object. all: also the controls that are not asked in this
// state, and every field that would change the end.
void strata_explain_print(const struct strata_explanation *explanation, FILE *file, bool json,
			  bool all);

// Everything about one register or system instruction: from which levels it exists, who traps it to
// whom, what its name means elsewhere. 0, or -errno with one line in error.
int strata_explain_matrix(const struct strata_explain_options *options, const char *name,
			  FILE *file, bool json, char *error, size_t error_size);

// Every system register and system instruction of a CPU model. all: also those of features that the
// model lacks.
int strata_list_sysregs(const struct strata_explain_options *options, FILE *file, bool json,
			bool all, char *error, size_t error_size);

#ifdef __cplusplus
}
#endif

#endif
