// SPDX-License-Identifier: Apache-2.0
// One processing element, as the board sees it: creation, reset, running, and its state by value.
#ifndef STRATA_CPU_PE_H
#define STRATA_CPU_PE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/event.h"
#include "base/log.h"
#include "bus/bus.h"
#include "cpu/feature.h"
#include "cpu/sysreg.h"
#include "mmu/mmu.h"
#include "trace/trace.h"

struct checkpoint;
struct pe;
struct cpu_model; // a named core with its features and ID registers (cpu/model.h)
struct code_cache; // decoded code, shared by all PEs of a board (cpu/code.h)

// Services that the board offers to a PE. Each returns true when it dealt with the instruction; X
// registers are read and written with pe_x/pe_set_x. NULL entries: the architected behaviour.
struct pe_services {
	// HVC/SMC taken by firmware that is not simulated (PSCI). imm is the instruction's
	// immediate.
	bool (*smc)(struct pe *pe, void *opaque, uint16_t imm);
	bool (*hvc)(struct pe *pe, void *opaque, uint16_t imm);
	// HLT: semihosting (imm 0xf000).
	bool (*hlt)(struct pe *pe, void *opaque, uint16_t imm);
	// TLBI and other DVM messages for the rest of the shareability domain (other PEs, SMMUs).
	void (*dvm)(struct pe *pe, void *opaque, const struct mmu_tlbi *message);
	// SEV: signal every other PE.
	void (*sev)(struct pe *pe, void *opaque);
	// The guest is stuck: an exception loop without progress. The PE stops after this.
	void (*stuck)(struct pe *pe, void *opaque, const char *why);
	void *opaque;
};

struct pe_config {
	unsigned index;
	uint64_t affinity; // MPIDR_EL1 affinity fields
	const struct cpu_model *model;
	struct bus *bus;
	struct event_queue *queue;
	struct code_cache *code;
	struct trace *trace; // may be NULL
	struct log *log;
	struct pe_services services;
	enum mmu_tlb_mode tlb_mode;
	bool has_el2, has_el3; // levels implemented (may be fewer than the model has)
};

// 0, or -ENOMEM / -EINVAL with a message in *error (static string).
int pe_create(struct pe **pe, const struct pe_config *config, const char **error);
void pe_destroy(struct pe *pe);

// From now on there is no firmware above that takes HVC and SMC.
void pe_without_firmware(struct pe *pe);

// Cold reset: highest implemented EL, then moved to `el` (1..3) as firmware would hand over, with
// registers that a level above would have had to set up for `el` to be usable set up
// (SCR_EL3.RW/NS/HCE..., HCR_EL2.RW, CNTHCTL...). secure: the Security state of that level.
void pe_reset(struct pe *pe, unsigned el, bool secure, uint64_t pc);

enum pe_stop { PE_STOP_DEADLINE, PE_STOP_WAITING, PE_STOP_HALTED, PE_STOP_REQUESTED };

// Run until virtual time >= until (first block boundary at or after), or the PE waits (WFI/WFE), is
// halted (powered off) or a stop was requested.
enum pe_stop pe_run(struct pe *pe, uint64_t until);

// Make a running PE return from pe_run at the next block boundary.
void pe_request_stop(struct pe *pe);

// Lower the time at which the running PE looks up from its work (a new earliest event).
void pe_set_deadline(struct pe *pe, uint64_t deadline);

// Move a waiting PE's clock forward to `time` (never backwards).
void pe_advance(struct pe *pe, uint64_t time);

// Is the PE in WFI/WFE with no reason to wake? (Re-evaluates the wake-up conditions.)
bool pe_is_waiting(struct pe *pe);

// Neither halted nor waiting: would pe_run execute anything?
bool pe_is_runnable(struct pe *pe);

// Wait as WFI does, without its traps, after the instruction that is being executed (PSCI standby).
void pe_standby(struct pe *pe);

// Power state (PSCI). A halted PE executes nothing until pe_reset.
void pe_halt(struct pe *pe);
bool pe_is_halted(const struct pe *pe);

// Another PE ran meanwhile: the exclusive monitor is lost (see docs/design.md, "exclusives").
void pe_clear_exclusive(struct pe *pe);

// Deliver a DVM message from another observer.
void pe_dvm(struct pe *pe, const struct mmu_tlbi *message);

// State by value. n 0..30 for x; sp is the current stack pointer.
uint64_t pe_x(const struct pe *pe, unsigned n);
void pe_set_x(struct pe *pe, unsigned n, uint64_t value);
uint64_t pe_sp(const struct pe *pe);
uint64_t pe_pc(const struct pe *pe);
void pe_set_pc(struct pe *pe, uint64_t pc);
uint64_t pe_pstate(const struct pe *pe); // SPSR layout: NZCV, DAIF, EL, SP, PAN, ...
uint64_t pe_insns(const struct pe *pe); // instructions executed since reset

// A debugger's view of memory at a virtual address in the PE's current regime: no side effects, no
// faults. Returns the number of bytes copied (stops at the first that is not mapped RAM).
size_t pe_read_memory(struct pe *pe, uint64_t va, void *data, size_t size);
size_t pe_write_memory(struct pe *pe, uint64_t va, const void *data, size_t size);

// ---- tests and debuggers: the state by name, from outside ---------------------------------------

// Part of a checkpoint of the machine. Both calls empty the TLBs, as a PE may at any time, so that
// what follows a checkpoint and what follows a restore are the same to the last byte.
void pe_checkpoint(struct pe *pe, struct checkpoint *checkpoint);
void pe_restored(struct pe *pe); // after checkpoint_restore

// A register as it is stored, under its own name whatever E2H and the level say: no permission, no
// redirection. pe_poke leaves what is derived of registers behind the times; pe_poked computes it
// anew. False: the register has no storage of that kind (a view, an operation, part of PSTATE).
bool pe_peek(struct pe *pe, enum sysreg reg, uint64_t *value);
bool pe_poke(struct pe *pe, enum sysreg reg, uint64_t value);
void pe_poked(struct pe *pe);

// Can the register hold this value on this model? Else the bits that it can't have.
uint64_t pe_impossible(const struct pe *pe, enum sysreg reg, uint64_t value);
bool pe_has_register(const struct pe *pe, enum sysreg reg); // as the model's features have it

// PSTATE from the layout of an SPSR, without the checks of a return; then pe_poked.
void pe_set_pstate(struct pe *pe, uint64_t spsr);
void pe_set_sp(struct pe *pe, uint64_t value); // the current stack pointer

// Take a pending interrupt or execute the instruction at the PC: one of both, and nothing else.
void pe_step(struct pe *pe);

// Print the registers, for the report of a stuck guest.
void pe_dump(const struct pe *pe, FILE *file);

#endif
