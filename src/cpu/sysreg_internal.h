// SPDX-License-Identifier: Apache-2.0
// The rows of sysreg.def, for the files of the cpu room.
#ifndef STRATA_CPU_SYSREG_INTERNAL_H
#define STRATA_CPU_SYSREG_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cpu/feature.h"
#include "cpu/model.h"
#include "cpu/sysreg.h"

// Groups of registers that controls trap together (trap.def).
enum sysreg_group {
	TG_NONE,
#define GROUP(name) TG_##name,
#include "cpu/trap_group.def"
#undef GROUP
	TG_COUNT
};
_Static_assert(TG_COUNT <= CPU_MODEL_TRAP_GROUPS,
	       "struct cpu_model.group_traps has a line a group");
#define SYSREG_GROUPS_MAX 4u // of one register

// When a register exists, beyond what its level and feature say (sysreg_rules.c).
enum sysreg_rule {
	RULE_IDSPACE = 1, // FEAT_IDST: EL0's reads are reported with EC 0x18
	RULE_SP0 = 2, // not while SPSel is 0
	RULE_BRP = 4, // .index below the number of breakpoints
	RULE_WRP = 8, // ... of watchpoints
	RULE_PMEV = 16, // ... of event counters
	RULE_RVBAR1 = 32, // EL1 is the highest level
	RULE_RVBAR2 = 64, // EL2 is
	RULE_SECURE_EL2 = 128, // Secure state only
	RULE_CNTPS = 256, // at EL3, and at Secure EL1 without Secure EL2
	RULE_NONSECURE = 512, // not in Secure state
	RULE_TOP_WRITES = 1024, // written from the highest level only
	RULE_AMU1 = 2048, // .index below the number of auxiliary activity counters
	RULE_ALIAS = 4096, // of every .alias: E2H is 1
	RULE_EL2ON = 8192, // of every row with that flag, and of every .alias
	RULE_AP = 16384, // .index of an active priorities register that the GIC has
	RULE_LR = 32768, // .index below the number of list registers
};

// Fields of the fine-grained trap registers (fgt.def).
enum sysreg_fgt {
	FGT_NONE,
#define FGT(regs, field, ...) FGT_##field,
#include "cpu/fgt.def"
#undef FGT
	FGT_COUNT
};

enum sysreg_flag {
	SYSREG_CHANGES_CONTEXT = 1, // a write changes the translation, trap or FP regime
	SYSREG_CHANGES_INTERRUPTS = 2, // a write may unmask or route an interrupt anew
	SYSREG_CHANGES_DEBUG = 4, // a write changes breakpoints, watchpoints or stepping
	SYSREG_NEEDS_EL2_ENABLED = 8, // UNDEFINED at EL3 while EL2 is not enabled
	SYSREG_DECIDES = 16, // in a hook only: some permission depends on the register
	SYSREG_ENDS_BLOCK =
		SYSREG_CHANGES_CONTEXT | SYSREG_CHANGES_INTERRUPTS | SYSREG_CHANGES_DEBUG
};

struct sysreg_row {
	const char *name;
	uint64_t writable; // with every feature present
	uint64_t reset; // value at reset; what is not writable keeps it
	uint16_t enc;
	uint16_t feature, also; // enum feature: it needs both; FEAT_NONE: nothing
	uint16_t e2h; // at EL2 with E2H = 1 the name means this register; 0: itself
	uint16_t alias; // what an _EL12 or _EL02 name means; 0: it is no alias
	uint8_t read_els, write_els; // bit n: exists for ELn
	uint8_t index; // n of a numbered register
	uint8_t flags; // SYSREG_*
	uint8_t groups[SYSREG_GROUPS_MAX]; // TG_*; TG_NONE ends the list
	uint16_t rules; // RULE_*
	uint16_t fgt; // enum sysreg_fgt
	uint16_t vncr; // FEAT_NV2: offset in the page of VNCR_EL2; 0: none
};

extern const struct sysreg_row sysreg_rows[SYSREG_COUNT];

static inline bool sysreg_is_tlbi_nxs(const struct sysreg_row *row)
{
	return (row->enc & SYSREG_ENC(3, 0, 15, 0, 0)) == SYSREG_ENC(1, 0, 9, 0, 0);
}

static inline unsigned sysreg_flags(enum sysreg reg)
{
	return sysreg_rows[reg].flags;
}

// Bind the effects of registers that live in the PE itself. At creation, before other rooms bind
// theirs.
void sysreg_init(struct pe *pe);

// Every register to its reset value (warm and cold alike), the ID registers to the model's.
void sysreg_reset(struct pe *pe);

// Recompute what follows from a register's hook and row.
void sysreg_hook_changed(struct pe *pe, enum sysreg reg);

// Mark the registers on whose values some answer of sysreg_permitted depends.
void sysreg_mark_deciders(bool marks[SYSREG_COUNT]);

// Does every row make sense? Returns the number of bad rows; the first is named in error.
unsigned sysreg_check_table(char *error, size_t error_size);

// The same for trap.def.
unsigned sysreg_check_traps(char *error, size_t error_size);

// Fill group_traps and level_traps of the model: a bit per row of trap.def, leaving out the
// controls that the model has not (not among the writable bits).
void sysreg_index_traps(struct cpu_model *model);

// ---- the controls, one at a time; false: it has no say in such an access ------------------------

// A row of trap.def, and its target level.
bool sysreg_trap_control(const struct sysreg_state *s, unsigned row, bool read,
			 struct sysreg_control *c);
unsigned sysreg_trap_target(unsigned row);

// A field of the fine-grained trap registers.
bool sysreg_fgt_control(const struct sysreg_state *s, enum sysreg_fgt field, bool read,
			struct sysreg_control *c);

// HCRX_EL2.FGTnXS takes TLBI nXS out of the fine-grained traps.
void sysreg_fgt_nxs(const struct sysreg_state *s, struct sysreg_control *c);

// Rule `step` of sysreg_rule_count(). Holds: it is broken.
bool sysreg_rule_control(const struct sysreg_state *s, const struct sysreg_row *row, bool read,
			 unsigned step, struct sysreg_control *c);
unsigned sysreg_rule_count(void);
bool sysreg_has_rules(const struct sysreg_row *row);
// False: of a number of registers that are alike, the implementation has fewer.
bool sysreg_is_implemented(const struct pe *pe, const struct sysreg_row *row);

// Mark the registers of trap.def and fgt.def.
void sysreg_mark_trap_registers(bool marks[SYSREG_COUNT]);

// HCRX_EL2 as it is in effect: 0 without EL2 or FEAT_HCX, and while SCR_EL3.HXEn is 0.
uint64_t sysreg_effective_hcrx(const struct pe *pe);

// The E2H or _EL12 redirection of a name in the current state (EL, HCR_EL2), without any
// permission.
enum sysreg sysreg_redirect(const struct pe *pe, enum sysreg reg);

#endif
