// SPDX-License-Identifier: Apache-2.0
// Self-hosted debug: breakpoints, watchpoints, software step (Arm ARM D2).
#ifndef STRATA_CPU_DEBUG_H
#define STRATA_CPU_DEBUG_H

#include <stdbool.h>
#include <stdint.h>

struct pe;

// Are debug exceptions from the current EL enabled (AArch64.GenerateDebugExceptions), and where do
// they go?
bool debug_exceptions_enabled(const struct pe *pe);
unsigned debug_target_el(const struct pe *pe);

// Does a data access hit an enabled watchpoint? True: pe->fault is the Watchpoint exception.
bool debug_watchpoint(struct pe *pe, uint64_t va, unsigned size, bool write);

// The same for an access of LDTR or STTR that is made with EL0's permissions (unprivileged).
bool debug_watchpoint_as(struct pe *pe, uint64_t va, unsigned size, bool write, bool unprivileged);

// The same for EL1's access to the page of VNCR_EL2, which counts as EL2's.
bool debug_watchpoint_nv2(struct pe *pe, uint64_t va, unsigned size, bool write);

// Before the instruction at pc runs (slow stepping only): a breakpoint hit or an active-pending
// software step? True: pe->fault is the exception, to be taken with pc as the return address.
bool debug_before_insn(struct pe *pe, uint64_t pc);

// After the instruction that debug_before_insn let run, whether it took an exception or not: a
// software step that was active-not-pending becomes active-pending (SSAdvance).
void debug_after_insn(struct pe *pe, uint32_t insn);

// Is software step active now (MDSCR_EL1.SS, not masked), so that instructions run one at a time?
bool debug_step_active(const struct pe *pe);

// Must instructions be run one at a time now (an enabled breakpoint or software step)?
bool debug_slow(const struct pe *pe);

// Is a watchpoint enabled that could match at the current EL?
bool debug_watching(const struct pe *pe);

#endif
