// SPDX-License-Identifier: Apache-2.0
// A PE's state from outside: checkpoints, and registers read and set as they are stored, for tests
// and debuggers.
#include "base/checkpoint.h"
#include "cpu/exec_internal.h"
#include "cpu/pmu.h"
#include "cpu/sysreg_fields.h"
#include "cpu/sysreg_internal.h"

// ---- checkpoints --------------------------------------------------------------------------------

// What is derived is forgotten; numbers that tell old translations from new ones go on.
static void forget_derived(struct pe *pe)
{
	mmu_tlb_flush(pe->tlb);
	pe_contexts_reset(pe);
	pe->code_page = NULL;
	pe->sysreg_epoch++;
	pe_access_tag_set(pe);
}

// All of struct pe but the numbers that only ever rise, because what is remembered outside of it
// (uops, jump caches) is compared with them.
static void add_state(struct pe *pe, struct checkpoint *checkpoint)
{
#define RISING(field) \
	{ \
		offsetof(struct pe, field), sizeof(pe->field) \
	}
	static const struct {
		size_t offset, size;
	} rising[] = {RISING(sysreg_epoch), RISING(view_epoch), RISING(context_sequence)};
#undef RISING
	size_t at = 0;

	for (size_t i = 0; i < sizeof(rising) / sizeof(rising[0]); i++) {
		CHECK(rising[i].offset >= at);
		checkpoint_add(checkpoint, (char *)pe + at, rising[i].offset - at);
		at = rising[i].offset + rising[i].size;
	}
	checkpoint_add(checkpoint, (char *)pe + at, sizeof(*pe) - at);
}

void pe_checkpoint(struct pe *pe, struct checkpoint *checkpoint)
{
	forget_derived(pe);
	pe_poked(pe);
	add_state(pe, checkpoint);
	if (pe->pmu != NULL) {
		pmu_checkpoint(pe->pmu, checkpoint);
	}
}

void pe_restored(struct pe *pe)
{
	forget_derived(pe);
	pe_context_changed(pe);
}

// ---- registers ----------------------------------------------------------------------------------

// Bound by a device or living in the PE's own fields: the hooks are the way to the storage.
static bool by_hook(enum sysreg reg, const struct sysreg_hook *hook)
{
	return hook->opaque != NULL || reg == SR_FPCR || reg == SR_FPSR;
}

// Fields of PSTATE are no registers here, and a view of another register is not stored.
static bool is_stored(const struct pe *pe, enum sysreg reg)
{
	const struct sysreg_row *row = &sysreg_rows[reg];
	const struct sysreg_hook *hook = &pe->hooks[reg];

	if (row->enc >> 14 == 1 || row->alias != 0) {
		return false;
	}
	if (by_hook(reg, hook)) {
		// Acknowledging and the like have one direction; what has both is a register.
		return row->read_els != 0 && (row->write_els != 0 || hook->read == NULL);
	}
	switch (reg) {
	case SR_NZCV:
	case SR_DAIF:
	case SR_ALLINT:
	case SR_CurrentEL:
	case SR_SPSel:
	case SR_PAN:
	case SR_UAO:
	case SR_DIT:
	case SR_SSBS:
	case SR_RNDR:
	case SR_RNDRRS:
	case SR_CNTP_TVAL_EL0:
		return false;
	default:
		return row->read_els != 0;
	}
}

// The stack pointer in use is kept apart from its register.
static bool is_current_sp(const struct pe *pe, enum sysreg reg)
{
	unsigned bank = pe->sp_sel ? pe->el : 0;

	return pe->sp_banks[bank] == &pe->sr[reg];
}

bool pe_peek(struct pe *pe, enum sysreg reg, uint64_t *value)
{
	const struct sysreg_hook *hook = &pe->hooks[reg];

	if (!is_stored(pe, reg)) {
		return false;
	}
	if (is_current_sp(pe, reg)) {
		*value = pe->x[X_SP];
	} else if (by_hook(reg, hook) && hook->read != NULL) {
		uint8_t el = pe->el;

		// Hooks answer a guest with its virtual registers; EL3 sees the register itself.
		pe->el = 3;
		*value = hook->read(pe, hook->opaque, reg);
		pe->el = el;
	} else {
		*value = pe->sr[reg];
	}
	return true;
}

bool pe_poke(struct pe *pe, enum sysreg reg, uint64_t value)
{
	const struct sysreg_hook *hook = &pe->hooks[reg];

	if (!is_stored(pe, reg)) {
		return false;
	}
	if (is_current_sp(pe, reg)) {
		pe->x[X_SP] = value;
	} else if (by_hook(reg, hook) && hook->write != NULL) {
		uint8_t el = pe->el;

		pe->el = 3;
		hook->write(pe, hook->opaque, reg, value);
		pe->el = el;
	} else {
		pe->sr[reg] = value;
	}
	return true;
}

void pe_poked(struct pe *pe)
{
	pe->sysreg_epoch++;
	pe_access_tag_set(pe);
	pe_context_changed(pe);
	pe_debug_changed(pe);
	pe_interrupts_changed(pe);
	if (pe->pmu != NULL) {
		pmu_el_changed(pe);
	}
	if (pe->state_changed != NULL) {
		pe->state_changed(pe, pe->state_changed_opaque);
	}
}

uint64_t pe_impossible(const struct pe *pe, enum sysreg reg, uint64_t value)
{
	if (sysreg_rows[reg].write_els == 0) {
		return 0; // what the hardware reports: a test may have it report anything
	}
	return (value ^ pe->model->id[reg]) & ~pe->model->writable[reg];
}

bool pe_has_register(const struct pe *pe, enum sysreg reg)
{
	return sysreg_lacks(&pe->model->features, reg) == FEAT_NONE;
}

void pe_set_pstate(struct pe *pe, uint64_t spsr)
{
	pe_set_el_sp(pe, (unsigned)bits(spsr, 3, 2), bit(spsr, 0));
	pe_set_nzcv(pe, (uint32_t)spsr & 0xf0000000u);
	pe->daif = pe_masks_of(spsr) & (has(pe, FEAT_NMI) ? 0xff : PE_DAIF_MASK);
	pe->il = bit(spsr, 20);
	pe->ss = bit(spsr, 21);
	pe->pan = bit(spsr, 22) && has(pe, FEAT_PAN);
	pe->uao = bit(spsr, 23) && has(pe, FEAT_UAO);
	pe->dit = bit(spsr, 24) && has(pe, FEAT_DIT);
	pe->ssbs = bit(spsr, 12) && has(pe, FEAT_SSBS);
	pe->tco = bit(spsr, 25) && has(pe, FEAT_MTE);
	pe->btype = has(pe, FEAT_BTI) ? (uint8_t)bits(spsr, 11, 10) : 0;
}

void pe_set_sp(struct pe *pe, uint64_t value)
{
	pe->x[X_SP] = value;
}
