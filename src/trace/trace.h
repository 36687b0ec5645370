// SPDX-License-Identifier: Apache-2.0
// The event stream: one record for every exception taken and every return, and if asked for every
// instruction, handed to every attached sink. The record carries facts only; sinks print, count,
// filter or export it. The stream knows no CPU and no board: names and the instruction text come
// through the callbacks of struct trace_names.
#ifndef STRATA_TRACE_TRACE_H
#define STRATA_TRACE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TRACE_FORMAT_VERSION 1

enum trace_type {
	TRACE_EXCEPTION,
	TRACE_RETURN,
	TRACE_INSN // about to be executed at pc: only time, counts, pe, from_el, pc and insn mean
		   // something
};

// Why. The printed name of each stands in trace_cause_name().
enum trace_cause {
	TRACE_CAUSE_RESET,
	TRACE_CAUSE_ERET, // a legal exception return
	TRACE_CAUSE_ERET_ILLEGAL, // an illegal exception return
	TRACE_CAUSE_SVC,
	TRACE_CAUSE_HVC,
	TRACE_CAUSE_SMC, // SMC to EL3, or trapped by HCR_EL2.TSC (control says so)
	TRACE_CAUSE_SYSREG, // trapped MRS/MSR/SYS of `sysreg`
	TRACE_CAUSE_WFX, // trapped WFI/WFE/WFIT/WFET
	TRACE_CAUSE_FP, // trapped FP/SIMD access
	TRACE_CAUSE_ERET_TRAP,
	TRACE_CAUSE_PAUTH_TRAP, // trapped use of pointer authentication
	TRACE_CAUSE_PAUTH_FAIL, // FEAT_FPAC authentication failure
	TRACE_CAUSE_BTI,
	TRACE_CAUSE_ILLEGAL_STATE,
	TRACE_CAUSE_UNDEFINED,
	TRACE_CAUSE_INSN_ABORT,
	TRACE_CAUSE_DATA_ABORT,
	TRACE_CAUSE_PC_ALIGNMENT,
	TRACE_CAUSE_SP_ALIGNMENT,
	TRACE_CAUSE_BREAKPOINT,
	TRACE_CAUSE_STEP,
	TRACE_CAUSE_WATCHPOINT,
	TRACE_CAUSE_BRK,
	TRACE_CAUSE_IRQ,
	TRACE_CAUSE_FIQ,
	TRACE_CAUSE_SERROR,
	TRACE_CAUSE_VIRQ,
	TRACE_CAUSE_VFIQ,
	TRACE_CAUSE_VSERROR,
	TRACE_CAUSE_LS64, // a trapped load or store of 64 bytes
	TRACE_CAUSE_MOPS, // a memory copy or set in the middle, of the other option
	TRACE_CAUSE_INSN, // of TRACE_INSN: none
	TRACE_CAUSE_OTHER,
	TRACE_CAUSE_COUNT
};

struct trace_event {
	enum trace_type type;
	enum trace_cause cause;
	uint64_t time; // virtual time, nanoseconds
	uint64_t cycles; // of this PE since reset
	uint64_t insns; // executed by this PE since reset
	unsigned pe;
	uint8_t from_el, to_el; // 0..3
	bool from_secure, to_secure;
	const char *control; // what routed it here, e.g. "HCR_EL2.TWI"; NULL: nothing but the
			     // exception model itself
	const char *sysreg; // TRACE_CAUSE_SYSREG: name, or "S3_0_C..." ; else NULL
	bool sysreg_read;
	bool has_esr, has_far, has_ipa, has_insn, has_intid;
	uint64_t esr;
	uint64_t elr; // preferred return address (exception) or the address returned to (return)
	uint64_t pc; // address of the instruction that caused it (ERET's own address for a return)
	uint64_t spsr;
	uint64_t far;
	uint64_t ipa; // faulting IPA of a stage-2 fault (what HPFAR_EL2 reports, with the page
		      // offset zero)
	uint64_t vector; // where execution goes on
	uint32_t insn; // the instruction word at pc
	uint32_t intid; // pending INTID of an IRQ/FIQ/vIRQ/vFIQ
	uint8_t fault_stage; // 1 or 2 for an abort, 0 if no stage
	int8_t fault_level; // -1..3, or -2: none
	bool fault_s1ptw; // stage 2 fault on a stage 1 walk
	bool fault_write;
	// Filled by trace_emit: virtual time spent in the level that is being left, and whether the
	// level changed.
	uint64_t level_time;
	uint64_t level_cycles;
};

struct trace_names {
	// Symbol covering addr as it is executed at el (valid until the next call) and its offset;
	// NULL if none.
	const char *(*symbol)(void *opaque, unsigned el, uint64_t addr, uint64_t *offset);
	// Address range of a symbol for filters; false if unknown.
	bool (*symbol_range)(void *opaque, const char *name, uint64_t *start, uint64_t *end);
	void *opaque;
};

struct checkpoint;
struct trace;
struct trace_sink;

// A sink: const behaviour and its own state. Created by trace_sink_*_create; owned by the trace
// once attached.
struct trace_sink_type {
	const char *name;
	void (*event)(struct trace_sink *sink, const struct trace_event *event);
	void (*finish)(struct trace_sink *sink); // at exit: print tables, flush, close
	void (*destroy)(struct trace_sink *sink);
};

struct trace_sink {
	const struct trace_sink_type *type;
	struct trace_sink *next;
};

struct trace *trace_create(const struct trace_names *names);
void trace_destroy(struct trace *trace);
void trace_attach(struct trace *trace, struct trace_sink *sink);
void trace_finish(struct trace *trace);

// Part of a checkpoint of the machine: when each level was entered.
void trace_checkpoint(struct trace *trace, struct checkpoint *checkpoint);

// True when some sink is attached; the only thing that a producer checks before it fills a record.
bool trace_enabled(const struct trace *trace);

// Every event passes here exactly once. Takes the record by value: level_time is filled per PE.
void trace_emit(struct trace *trace, struct trace_event event);

const char *trace_cause_name(enum trace_cause cause);

#endif
