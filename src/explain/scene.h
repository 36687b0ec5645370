// SPDX-License-Identifier: Apache-2.0
// A machine that exists to be asked: one PE whose controls all permit unless a setting says
// otherwise, in a given state, in front of one instruction. The instruction can be run any number
// of times from the same state.
#ifndef STRATA_EXPLAIN_SCENE_H
#define STRATA_EXPLAIN_SCENE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cpu/sysreg.h"
#include "explain/setting.h"

struct pe;
struct scene;

struct scene_state {
	unsigned el; // 0..3
	bool secure; // below EL3
	bool sp0; // SPSel is 0
	bool mmu; // stage 1 is on for the level's regime, with the maps of open.h
	bool stage2; // stage 2 too
	const char *const *settings; // "HCR_EL2.TVM=1"
	size_t setting_count;
};

// What happened to the instruction.
struct scene_outcome {
	bool exception; // one was taken; else the instruction completed
	bool returned; // an exception return was made, legal or not, before that
	bool waits; // it completed, and the PE waits
	unsigned el; // afterwards: the level taken to, or the level it is in
	bool secure, sp_sel;
	uint64_t esr, far, pc;
	bool has_far;
	const char *control; // of the exception, NULL: none is named
	const char *cause;
	char control_text[64], cause_text[32];
};

// 0, or -errno with one line in error. cpu: model with switches.
int scene_create(struct scene **scene, const char *cpu, bool has_el2, bool has_el3, char *error,
		 size_t error_size);
void scene_destroy(struct scene *scene);

struct pe *scene_pe(struct scene *scene);
const struct cpu_model *scene_model(const struct scene *scene);

// Put the machine into a state. 0, or -EINVAL with one line that names what is impossible.
int scene_set(struct scene *scene, const struct scene_state *state, char *error, size_t error_size);

// Copy the state from a PE of another machine with the same model: registers and PSTATE, and the
// main RAM that both have up to `ram` bytes.
struct strata;
void scene_copy(struct scene *scene, struct strata *from, unsigned pe, size_t ram);

// The instruction that stands at the PC, remembered with the state.
void scene_instruction(struct scene *scene, uint32_t word);

// The same state with some bits of a register different. False: they cannot be.
bool scene_change(struct scene *scene, enum sysreg reg, uint64_t mask, uint64_t value);
bool scene_change_pstate(struct scene *scene, uint64_t mask, uint64_t value);
uint64_t scene_value(struct scene *scene, enum sysreg reg);
void scene_undo(struct scene *scene); // all changes since scene_instruction

// Run the instruction in the state as it is now. What it did stands until scene_undo.
void scene_run(struct scene *scene, struct scene_outcome *outcome);

#endif
