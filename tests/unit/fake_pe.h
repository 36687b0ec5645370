// SPDX-License-Identifier: Apache-2.0
// A PE that is nothing but its system registers, its lines and its clock, so that the timer and GIC
// rooms are tested alone. Include once in a test program: it defines what cpu/sysreg.h declares for
// other rooms.
#ifndef STRATA_TESTS_FAKE_PE_H
#define STRATA_TESTS_FAKE_PE_H

#include <stdlib.h>

#include "base/bits.h"
#include "base/check.h"
#include "cpu/sysreg.h"

struct pe {
	uint64_t sr[SYSREG_COUNT];
	struct {
		sysreg_read_fn *read;
		sysreg_write_fn *write;
		void *opaque;
	} hooks[SYSREG_COUNT];
	unsigned index;
	uint64_t affinity;
	uint64_t time;
	unsigned el;
	bool secure;
	bool has_el3;
	bool lines[PE_LINE_COUNT];
	bool superpriority[PE_LINE_COUNT];
	unsigned line_changes;
	unsigned events;
	void (*changed)(struct pe *pe, void *opaque);
	void *changed_opaque;
	uint32_t (*intid)(struct pe *pe, void *opaque, enum pe_line line);
	void *intid_opaque;
};

uint64_t sysreg_get(const struct pe *pe, enum sysreg reg)
{
	return pe->sr[reg];
}

void sysreg_set(struct pe *pe, enum sysreg reg, uint64_t value)
{
	pe->sr[reg] = value;
}

void sysreg_bind(struct pe *pe, enum sysreg reg, sysreg_read_fn *read, sysreg_write_fn *write,
		 void *opaque)
{
	pe->hooks[reg].read = read;
	pe->hooks[reg].write = write;
	pe->hooks[reg].opaque = opaque;
}

void pe_set_gic(struct pe *pe, unsigned priority_bits, unsigned list_registers)
{
	(void)pe;
	ck_assert(priority_bits == 5 && list_registers == 4);
}

unsigned pe_el(const struct pe *pe)
{
	return pe->el;
}

bool pe_is_secure(const struct pe *pe)
{
	return pe->has_el3 && (pe->el == 3 || pe->secure);
}

bool pe_has(const struct pe *pe, enum feature feature)
{
	return feature == FEAT_EL3 ? pe->has_el3 : true;
}

bool pe_el2_enabled(const struct pe *pe)
{
	return !pe->secure;
}

uint64_t pe_hcr(const struct pe *pe)
{
	return pe_el2_enabled(pe) ? pe->sr[SR_HCR_EL2] : 0;
}

uint64_t pe_guest_hcr(const struct pe *pe)
{
	return pe->el == 1 ? pe_hcr(pe) : 0;
}

unsigned pe_index(const struct pe *pe)
{
	return pe->index;
}

uint64_t pe_affinity(const struct pe *pe)
{
	return pe->affinity;
}

uint64_t pe_time(const struct pe *pe)
{
	return pe->time;
}

void pe_set_line(struct pe *pe, enum pe_line line, bool level)
{
	pe->lines[line] = level;
	pe->line_changes++;
}

void pe_set_superpriority(struct pe *pe, enum pe_line line, bool superpriority)
{
	pe->superpriority[line] = superpriority;
}

void pe_set_state_listener(struct pe *pe, void (*changed)(struct pe *pe, void *opaque),
			   void *opaque)
{
	pe->changed = changed;
	pe->changed_opaque = opaque;
}

void pe_set_intid_source(struct pe *pe,
			 uint32_t (*intid)(struct pe *pe, void *opaque, enum pe_line line),
			 void *opaque)
{
	pe->intid = intid;
	pe->intid_opaque = opaque;
}

void pe_signal_event(struct pe *pe)
{
	pe->events++;
}

// What an MRS or MSR that was permitted does.
static inline uint64_t fake_read(struct pe *pe, enum sysreg reg)
{
	return pe->hooks[reg].read != NULL ? pe->hooks[reg].read(pe, pe->hooks[reg].opaque, reg)
					   : pe->sr[reg];
}

static inline void fake_write(struct pe *pe, enum sysreg reg, uint64_t value)
{
	if (pe->hooks[reg].write != NULL) {
		pe->hooks[reg].write(pe, pe->hooks[reg].opaque, reg, value);
	} else {
		pe->sr[reg] = value;
	}
}

// Exception entry or return to a level of a Security state (of the levels below, for EL3).
static inline void fake_enter(struct pe *pe, unsigned el, bool secure)
{
	pe->el = el;
	pe->secure = secure;
	pe->sr[SR_SCR_EL3] = (pe->sr[SR_SCR_EL3] & ~UINT64_C(1)) | !secure;
	if (pe->changed != NULL) {
		pe->changed(pe, pe->changed_opaque);
	}
}

#endif
