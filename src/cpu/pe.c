// SPDX-License-Identifier: Apache-2.0
// A PE as an object: creation, reset, its state by value, its lines.
#include "cpu/pe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/amu.h"
#include "cpu/exec_internal.h"
#include "cpu/pauth/pauth.h"
#include "cpu/pmu.h"
#include "cpu/sysreg_fields.h"
#include "cpu/sysreg_internal.h"
#include "cpu/wait.h"

int pe_create(struct pe **out, const struct pe_config *config, const char **error)
{
	struct pe *pe = NULL;

	*out = NULL;
	if (posix_memalign((void **)&pe, 64, sizeof(*pe)) != 0) {
		*error = "out of memory for a PE";
		return -ENOMEM;
	}
	memset(pe, 0, sizeof(*pe));
	pe->model = config->model;
	pe->bus = config->bus;
	pe->queue = config->queue;
	pe->code = config->code;
	pe->trace = config->trace;
	pe->log = config->log;
	pe->services = config->services;
	pe->index = config->index;
	pe->affinity = config->affinity;
	pe->has_el2 = config->has_el2 && has(pe, FEAT_EL2);
	pe->has_el3 = config->has_el3 && has(pe, FEAT_EL3);
	pe->contexts = calloc(FAST_CONTEXTS, sizeof(*pe->contexts));
	pe->none = calloc(1, sizeof(*pe->none));
	pe->jumps = calloc(JUMP_COUNT, sizeof(*pe->jumps));
	pe->pauth_cache = calloc(1, sizeof(*pe->pauth_cache));
	pe->tlb = mmu_tlb_create(config->bus, config->tlb_mode, config->model->tlb_entries,
				 pe_tlb_dropped, pe);
	for (unsigned i = 0; i < 8; i++) {
		pe->views[i / 2][i % 2].mmu = mmu_view_create();
		pe->view_at[i / 2][i % 2] = &pe->views[i / 2][i % 2];
	}
	pe->vncr.mmu = mmu_view_create();
	if (pe->contexts == NULL || pe->none == NULL || pe->jumps == NULL ||
	    pe->pauth_cache == NULL || pe->tlb == NULL) {
		pe_destroy(pe);
		*error = "out of memory for a PE";
		return -ENOMEM;
	}
	pe->sp_banks[0] = &pe->sr[SR_SP_EL0];
	pe->sp_banks[1] = &pe->sr[SR_SP_EL1];
	pe->sp_banks[2] = &pe->sr[SR_SP_EL2];
	pe->sp_banks[3] = &pe->sp_el3; // has no system register
	event_init(&pe->wait_event, "wait timeout", wait_timeout, pe);
	sysreg_init(pe);
	pe_set_gic(pe, 7, 16);
	if (has(pe, FEAT_PMUv3)) {
		pe->pmu = pmu_create(pe);
		if (pe->pmu == NULL) {
			pe_destroy(pe);
			*error = "out of memory for a PE";
			return -ENOMEM;
		}
	}
	if (has(pe, FEAT_AMUv1)) {
		amu_bind(pe);
	}
	code_cache_attach(pe->code, pe);
	pe->halted = true;
	*out = pe;
	return 0;
}

void pe_destroy(struct pe *pe)
{
	if (pe == NULL) {
		return;
	}
	if (pe->code != NULL) {
		code_cache_detach(pe->code, pe);
	}
	event_cancel(pe->queue, &pe->wait_event);
	pmu_destroy(pe->pmu);
	mmu_tlb_destroy(pe->tlb);
	for (unsigned i = 0; i < 8; i++) {
		mmu_view_destroy(pe->views[i / 2][i % 2].mmu);
	}
	mmu_view_destroy(pe->vncr.mmu);
	free(pe->contexts);
	free(pe->none);
	free(pe->jumps);
	free(pe->pauth_cache);
	free(pe);
}

void pe_set_gic(struct pe *pe, unsigned priority_bits, unsigned list_registers)
{
	pe->gic_priority_bits = (uint8_t)priority_bits;
	pe->gic_list_registers = (uint8_t)list_registers;
}

void pe_without_firmware(struct pe *pe)
{
	pe->services.smc = NULL;
	pe->services.hvc = NULL;
}

// What firmware above `el` leaves behind: nothing trapped, AArch64 below, timers and GIC registers
// accessible.
static void hand_over(struct pe *pe, unsigned el, bool secure)
{
	if (pe->has_el3 && el < 3) {
		uint64_t scr = pe->sr[SR_SCR_EL3] | SCR_EL3_RW | SCR_EL3_HCE | SCR_EL3_ST;

		scr |= SCR_EL3_APK | SCR_EL3_API | SCR_EL3_EnSCXT | SCR_EL3_FIEN | SCR_EL3_ATA |
		       SCR_EL3_FGTEn | SCR_EL3_FGTEn2 | SCR_EL3_ECVEn | SCR_EL3_AMVOFFEN |
		       SCR_EL3_EnAS0 | SCR_EL3_ADEn | SCR_EL3_HXEn | SCR_EL3_TCR2En |
		       SCR_EL3_SCTLR2En | SCR_EL3_PIEn;
		scr = secure ? scr & ~SCR_EL3_NS : scr | SCR_EL3_NS;
		if (secure && el == 2) {
			scr |= SCR_EL3_EEL2;
		}
		pe->sr[SR_SCR_EL3] = scr & (pe->model->writable[SR_SCR_EL3] | SCR_EL3_RESET);
		pe->sr[SR_CPTR_EL3] = 0;
		pe->sr[SR_MDCR_EL3] = 0;
		pe->sr[SR_ICC_SRE_EL3] = 0xf;
	}
	if (pe->has_el2 && el < 2) {
		pe->sr[SR_HCR_EL2] |=
			HCR_EL2_RW |
			(pe->model->writable[SR_HCR_EL2] &
			 (HCR_EL2_APK | HCR_EL2_API | HCR_EL2_EnSCXT | HCR_EL2_FIEN | HCR_EL2_ATA));
		pe->sr[SR_HCRX_EL2] = pe->model->writable[SR_HCRX_EL2] &
				      (HCRX_EL2_EnAS0 | HCRX_EL2_EnALS | HCRX_EL2_EnASR |
				       HCRX_EL2_MSCEn | HCRX_EL2_TCR2En | HCRX_EL2_SCTLR2En);
		pe->sr[SR_HFGRTR_EL2] = pe->model->writable[SR_HFGRTR_EL2] & HFGxTR_EL2_INVERTED;
		pe->sr[SR_HFGWTR_EL2] = pe->model->writable[SR_HFGWTR_EL2] & HFGxTR_EL2_INVERTED;
		pe->sr[SR_CNTHCTL_EL2] = 3;
		pe->sr[SR_ICC_SRE_EL2] = 0xf;
	}
}

void pe_reset(struct pe *pe, unsigned el, bool secure, uint64_t pc)
{
	uint64_t now = pe_now(pe);

	pe->cur = NULL;
	memset(pe->x, 0, sizeof(pe->x));
	memset(pe->v, 0, sizeof(pe->v));
	memset(&pe->fp, 0, sizeof(pe->fp));
	pe->fp.rpres = has(pe, FEAT_RPRES);
	pe_set_nzcv(pe, 0);
	pe->il = pe->ss = pe->pan = pe->uao = pe->dit = pe->ssbs = pe->tco = false;
	pe->btype = 0;
	pe->daif = 0xf;
	pe->excl_valid = false;
	pe->event_register = false;
	pe->wait = PE_WAIT_NONE;
	pe->wait_trap = pe->wait_trap_due = false;
	event_cancel(pe->queue, &pe->wait_event);
	pe->attention = 0;
	pe->halted = false;
	pe->stuck_count = 0;
	pe->lines_high = (uint8_t)(pe->lines_high - pe->lines[PE_LINE_SERROR]);
	pe->lines[PE_LINE_SERROR] = false;
	sysreg_reset(pe);
	pe->sysreg_epoch++;
	pe->el = (uint8_t)el;
	pe->sp_sel = true;
	pe_access_tag_set(pe);
	mmu_tlb_flush(pe->tlb);
	pe_contexts_reset(pe);
	hand_over(pe, el, secure);
	if (pe->pmu != NULL) {
		pmu_reset(pe->pmu);
	}
	pe->pc = pc;
	pe->deadline = now;
	pe->budget = 0;
	if (has(pe, FEAT_AMUv1)) {
		amu_reset(pe, el < 3);
	}
	pe_context_changed(pe);
	pe_debug_changed(pe);
	pe_interrupts_changed(pe);
	if (pe->state_changed != NULL) {
		pe->state_changed(pe, pe->state_changed_opaque);
	}
}

void pe_dvm(struct pe *pe, const struct mmu_tlbi *message)
{
	mmu_tlb_invalidate(pe->tlb, message);
}

// ---- what other rooms ask -----------------------------------------------------------------------

unsigned pe_el(const struct pe *pe)
{
	return pe->el;
}

bool pe_has(const struct pe *pe, enum feature feature)
{
	switch (feature) {
	case FEAT_EL2:
		return pe->has_el2;
	case FEAT_EL3:
		return pe->has_el3;
	default:
		return has(pe, feature);
	}
}

uint64_t pe_hcr(const struct pe *pe)
{
	return pe_hcr_effective(pe);
}

uint64_t pe_guest_hcr(const struct pe *pe)
{
	return pe->el == 1 ? pe_hcr_effective(pe) : 0;
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
	return pe_now(pe);
}

void pe_set_line(struct pe *pe, enum pe_line line, bool level)
{
	if (pe->lines[line] != level) {
		pe->lines[line] = level;
		pe->lines_high = (uint8_t)(pe->lines_high + (level ? 1 : -1));
		pe_interrupts_changed(pe);
	}
}

void pe_set_superpriority(struct pe *pe, enum pe_line line, bool superpriority)
{
	uint8_t mask = (uint8_t)(1u << line);

	if (((pe->superpriority & mask) != 0) != superpriority) {
		pe->superpriority ^= mask;
		if (pe->lines[line]) {
			pe_interrupts_changed(pe);
		}
	}
}

void pe_set_state_listener(struct pe *pe, void (*changed)(struct pe *pe, void *opaque),
			   void *opaque)
{
	pe->state_changed = changed;
	pe->state_changed_opaque = opaque;
}

void pe_set_intid_source(struct pe *pe,
			 uint32_t (*intid)(struct pe *pe, void *opaque, enum pe_line line),
			 void *opaque)
{
	pe->intid = intid;
	pe->intid_opaque = opaque;
}

// ---- state by value -----------------------------------------------------------------------------

uint64_t pe_x(const struct pe *pe, unsigned n)
{
	return n < 31 ? pe->x[n] : 0;
}

void pe_set_x(struct pe *pe, unsigned n, uint64_t value)
{
	if (n < 31) {
		pe->x[n] = value;
	}
}

uint64_t pe_sp(const struct pe *pe)
{
	return pe->x[X_SP];
}

uint64_t pe_pc(const struct pe *pe)
{
	return pe->cur != NULL ? pe_uop_pc(pe, pe->cur) : pe->pc;
}

void pe_set_pc(struct pe *pe, uint64_t pc)
{
	pe->pc = pc;
	pe->btype = 0;
}

uint64_t pe_pstate(const struct pe *pe)
{
	return pe_spsr_from_pstate(pe);
}

uint64_t pe_insns(const struct pe *pe)
{
	return pe_now(pe) - pe->idle;
}

void pe_dump(const struct pe *pe, FILE *file)
{
	fprintf(file, "PE %u: EL%u %s pc 0x%016llx sp 0x%016llx pstate 0x%08llx\n", pe->index,
		pe->el, pe_is_secure(pe) ? "Secure" : "Non-secure", (unsigned long long)pe_pc(pe),
		(unsigned long long)pe->x[X_SP], (unsigned long long)pe_pstate(pe));
	for (unsigned i = 0; i < 31; i++) {
		fprintf(file, "  x%-2u 0x%016llx%s", i, (unsigned long long)pe->x[i],
			i % 4 == 3 || i == 30 ? "\n" : "");
	}
	for (unsigned el = 1; el <= 3; el++) {
		static const enum sysreg esr[4] = {0, SR_ESR_EL1, SR_ESR_EL2, SR_ESR_EL3};
		static const enum sysreg far[4] = {0, SR_FAR_EL1, SR_FAR_EL2, SR_FAR_EL3};
		static const enum sysreg vbar[4] = {0, SR_VBAR_EL1, SR_VBAR_EL2, SR_VBAR_EL3};

		if ((el == 2 && !pe->has_el2) || (el == 3 && !pe->has_el3)) {
			continue;
		}
		fprintf(file,
			"  EL%u: ESR 0x%08llx ELR 0x%016llx FAR 0x%016llx SPSR 0x%08llx VBAR "
			"0x%016llx\n",
			el, (unsigned long long)pe->sr[esr[el]],
			(unsigned long long)pe->sr[exception_elr(el)],
			(unsigned long long)pe->sr[far[el]],
			(unsigned long long)pe->sr[exception_spsr(el)],
			(unsigned long long)pe->sr[vbar[el]]);
	}
}
