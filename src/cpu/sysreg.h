// SPDX-License-Identifier: Apache-2.0
// System registers: names, storage, permission, effect, and the binding of handlers by other rooms
// (timers, GIC).
#ifndef STRATA_CPU_SYSREG_H
#define STRATA_CPU_SYSREG_H

#include <stdbool.h>
#include <stdint.h>

#include "cpu/feature.h"

struct pe;
struct sysreg_row;

// SR_<name>: one id per row of sysreg.def, in its order.
enum sysreg {
#define SYSREG(name, ...) SR_##name,
#include "cpu/sysreg.def"
#undef SYSREG
	SYSREG_COUNT,
	SYSREG_NONE = 0xffff
};

// op0:op1:CRn:CRm:op2 packed as in MRS/MSR bits [20:5] with op0 in full: op0<<14 | op1<<11 | CRn<<7
// | CRm<<3 | op2.
#define SYSREG_ENC(op0, op1, crn, crm, op2) \
	((uint16_t)(((op0) << 14) | ((op1) << 11) | ((crn) << 7) | ((crm) << 3) | (op2)))

const char *sysreg_name(enum sysreg reg);

// The feature that a register needs and the set has not; FEAT_NONE: none is missing.
enum feature sysreg_lacks(const struct feature_set *set, enum sysreg reg);

// Raw storage: no permission, no redirection, no hooks, no masks. What other rooms and the
// exception model use.
uint64_t sysreg_get(const struct pe *pe, enum sysreg reg);
void sysreg_set(struct pe *pe, enum sysreg reg, uint64_t value);

// Hooks replace (read) or follow (write) the storage of one register of one PE; they cannot raise
// exceptions. A read hook returns the value; NULL reads storage. A write hook gets the value
// already masked to the writable bits and must store it itself (sysreg_set) if it is to be stored;
// NULL stores.
typedef uint64_t sysreg_read_fn(struct pe *pe, void *opaque, enum sysreg reg);
typedef void sysreg_write_fn(struct pe *pe, void *opaque, enum sysreg reg, uint64_t value);
void sysreg_bind(struct pe *pe, enum sysreg reg, sysreg_read_fn *read, sysreg_write_fn *write,
		 void *opaque);

// What the hooks of other rooms may ask of a PE.
unsigned pe_el(const struct pe *pe); // 0..3
bool pe_is_secure(const struct pe *pe); // current Security state is Secure (EL3 counts as Secure)
bool pe_has(const struct pe *pe, enum feature feature);
bool pe_el2_enabled(
	const struct pe *pe); // EL2 implemented and enabled in the current Security state
uint64_t pe_hcr(const struct pe *pe); // HCR_EL2 as it is in effect: 0 where EL2 is not enabled
uint64_t pe_guest_hcr(const struct pe *pe); // the same at EL1, and 0 at other levels
unsigned pe_index(const struct pe *pe);
uint64_t pe_affinity(const struct pe *pe); // MPIDR_EL1 Aff3..Aff0 fields, other bits zero
uint64_t
pe_time(const struct pe *pe); // virtual time, nanoseconds, exact at the current instruction

// Interrupt inputs of a PE, level sensitive, as the GIC's CPU interface drives them.
enum pe_line {
	PE_LINE_IRQ,
	PE_LINE_FIQ,
	PE_LINE_SERROR,
	PE_LINE_VIRQ,
	PE_LINE_VFIQ,
	PE_LINE_COUNT
};
void pe_set_line(struct pe *pe, enum pe_line line, bool level);

// Does the interrupt that a line stands for, or will when it goes high next, have Superpriority
// (FEAT_NMI)? Of IRQ, FIQ and their virtual forms.
void pe_set_superpriority(struct pe *pe, enum pe_line line, bool superpriority);

// Called when the Security state or EL3-ness of the PE changed (exception entry and return), so
// that the GIC can route Group 1 anew. One listener; NULL removes.
void pe_set_state_listener(struct pe *pe, void (*changed)(struct pe *pe, void *opaque),
			   void *opaque);

// The GIC answers which INTID a line stands for (for the trace); NULL: unknown.
void pe_set_intid_source(struct pe *pe,
			 uint32_t (*intid)(struct pe *pe, void *opaque, enum pe_line line),
			 void *opaque);

// What the interrupt controller implements: bits of priority (5 to 7) and list registers (1 to 16).
// Registers beyond are UNDEFINED (GIC architecture specification, ICC_AP0R<n>_EL1, ICH_LR<n>_EL2).
// Until it is said, all are there.
void pe_set_gic(struct pe *pe, unsigned priority_bits, unsigned list_registers);

// The event stream and SEV-like events: set the event register and wake a PE in WFE.
void pe_signal_event(struct pe *pe);

// ---- permission ---------------------------------------------------------------------------------

enum sysreg_outcome {
	SYSREG_PERMITTED,
	SYSREG_UNDEFINED,
	SYSREG_TRAPPED,
	SYSREG_IN_MEMORY // FEAT_NV2: done in the page of VNCR_EL2
};

struct sysreg_decision {
	enum sysreg_outcome outcome;
	enum sysreg reg; // PERMITTED: the register accessed after redirection (E2H, _EL12)
	uint8_t target_el; // TRAPPED
	uint8_t ec; // TRAPPED: 0x18, 0x07, 0x00 ...
	uint16_t vncr; // IN_MEMORY: offset from VNCR_EL2.BADDR
	uint32_t iss; // TRAPPED: ISS[24:0]
	const char *control; // what decided, "HCR_EL2.TVM"; NULL: the encoding itself
};

// One control that has, or could have, a say in an access.
enum sysreg_test {
	SYSREG_SET, // some bit of the field
	SYSREG_CLEAR, // no bit
	SYSREG_ALL, // every bit
	SYSREG_NOT_ALL,
	SYSREG_LOW_CLEAR // its lowest bit is clear
};

struct sysreg_control {
	const char *name; // "HCR_EL2.TVM"; NULL: the encoding itself, or its level
	const char *when; // the state in which it is asked, in words; NULL: always
	enum sysreg reg; // the register of the control; SYSREG_NONE: none
	uint64_t mask; // the bits that are tested
	enum sysreg_test test;
	uint8_t from; // bit n: it is asked for accesses from ELn
	bool involved; // it is asked now: level, Security state, E2H, TGE ...
	bool holds; // its bits answer the test now
	// What follows when it is involved and holds:
	enum sysreg_outcome outcome;
	enum sysreg instead; // PERMITTED: another register is accessed
	uint8_t target_el; // TRAPPED
	uint8_t ec; // TRAPPED
	uint16_t vncr; // IN_MEMORY
};

// May the instruction at `enc` (MRS/MSR op0 2,3 or SYS/SYSL op0 1; read = MRS/SYSL) with Rt = rt be
// executed in the PE's current state? Pure: changes nothing.
struct sysreg_decision sysreg_permitted(const struct pe *pe, uint16_t enc, bool read, unsigned rt);

// Every control that could send the access somewhere, in the architecture's order; the first that
// is involved and holds is what sysreg_permitted answers, and after the last the access is made.
//
//   struct sysreg_chain chain;
//   struct sysreg_control control;
//   sysreg_chain_begin(&chain, pe, enc, read);
//   while (sysreg_chain_next(&chain, &control)) { ... }
//
// Controls of features that the PE has not are left out, and those of the other direction.
#define SYSREG_CHAIN_TRAP_WORDS 4u
#define SYSREG_CHAIN_NV 4u

struct sysreg_state { // what the checks know of the PE, gathered once
	const struct pe *pe;
	unsigned el;
	bool el2_enabled;
	uint64_t hcr; // raw HCR_EL2; 0 when EL2 is not enabled
	bool e2h, tge, host;
	bool secure; // SCR_EL3.NS says Secure
};

struct sysreg_chain { // private
	struct sysreg_state state;
	const struct sysreg_row *row; // NULL: the encoding is no register here
	enum sysreg reg;
	uint16_t enc;
	bool read;
	uint8_t stage, step, nv_count;
	uint64_t traps[SYSREG_CHAIN_TRAP_WORDS]; // rows of trap.def that are still to come
	struct sysreg_control nv[SYSREG_CHAIN_NV];
};

void sysreg_chain_begin(struct sysreg_chain *chain, const struct pe *pe, uint16_t enc, bool read);
bool sysreg_chain_next(struct sysreg_chain *chain, struct sysreg_control *control);

// What fine-grained traps say of ERET (field "ERET") and SVC ("SVC_EL0", "SVC_EL1") now: the name
// of the control that traps them to EL2, or NULL.
const char *sysreg_traps_eret(const struct pe *pe);
const char *sysreg_traps_svc(const struct pe *pe);

// Perform a permitted access. Values outside the writable mask keep their reset/RES value.
uint64_t sysreg_read(struct pe *pe, enum sysreg reg);
void sysreg_write(struct pe *pe, enum sysreg reg, uint64_t value);

// Row lookup by encoding, SYSREG_NONE if the encoding is not in the table. (Not considering
// features.)
enum sysreg sysreg_find(uint16_t enc);

#endif
