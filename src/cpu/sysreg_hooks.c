// SPDX-License-Identifier: Apache-2.0
// Effects of the system registers that live in the PE itself: PSTATE fields, identification, the OS
// lock, random numbers, and registers whose layout or content depends on others.
#include <stdio.h>

#include "base/bits.h"
#include "base/check.h"
#include "cpu/model.h"
#include "cpu/pe_internal.h"
#include "cpu/mte.h"
#include "cpu/sysreg_fields.h"
#include "cpu/sysreg_internal.h"

#define HOOK_UNUSED __attribute__((unused))

// ---- PSTATE -------------------------------------------------------------------------------------

static uint64_t read_nzcv(struct pe *pe, HOOK_UNUSED void *opaque, HOOK_UNUSED enum sysreg reg)
{
	return pe_nzcv(pe);
}

static void write_nzcv(struct pe *pe, HOOK_UNUSED void *opaque, HOOK_UNUSED enum sysreg reg,
		       uint64_t value)
{
	pe_set_nzcv(pe, (uint32_t)value);
}

static uint64_t read_daif(struct pe *pe, HOOK_UNUSED void *opaque, HOOK_UNUSED enum sysreg reg)
{
	return (uint64_t)(pe->daif & PE_DAIF_MASK) << 6;
}

static void write_daif(struct pe *pe, HOOK_UNUSED void *opaque, HOOK_UNUSED enum sysreg reg,
		       uint64_t value)
{
	bool debug = ((pe->daif ^ (value >> 6)) & 8) != 0;

	pe->daif = (uint8_t)((pe->daif & PE_ALLINT) | ((value >> 6) & PE_DAIF_MASK));
	pe_interrupts_changed(pe);
	if (debug) {
		pe_debug_changed(pe);
	}
}

static uint64_t read_allint(struct pe *pe, HOOK_UNUSED void *opaque, HOOK_UNUSED enum sysreg reg)
{
	return (uint64_t)(pe->daif & PE_ALLINT) << 6;
}

static void write_allint(struct pe *pe, HOOK_UNUSED void *opaque, HOOK_UNUSED enum sysreg reg,
			 uint64_t value)
{
	pe->daif = (uint8_t)((pe->daif & PE_DAIF_MASK) | ((value >> 6) & PE_ALLINT));
}

static uint64_t read_current_el(struct pe *pe, HOOK_UNUSED void *opaque,
				HOOK_UNUSED enum sysreg reg)
{
	// To a guest hypervisor at EL1, EL2.
	return (uint64_t)(pe->el == 1 && pe_nv(pe) ? 2 : pe->el) << 2;
}

static uint64_t read_sp_sel(struct pe *pe, HOOK_UNUSED void *opaque, HOOK_UNUSED enum sysreg reg)
{
	return pe->sp_sel;
}

static void write_sp_sel(struct pe *pe, HOOK_UNUSED void *opaque, HOOK_UNUSED enum sysreg reg,
			 uint64_t value)
{
	pe_set_el_sp(pe, pe->el, value & 1);
	pe_interrupts_changed(pe); // SCTLR_ELx.SPINTMASK
}

static uint64_t read_pan(struct pe *pe, HOOK_UNUSED void *opaque, HOOK_UNUSED enum sysreg reg)
{
	return (uint64_t)pe->pan << 22;
}

static void write_pan(struct pe *pe, HOOK_UNUSED void *opaque, HOOK_UNUSED enum sysreg reg,
		      uint64_t value)
{
	pe->pan = bit(value, 22);
	pe_context_select(pe);
}

static uint64_t read_uao(struct pe *pe, HOOK_UNUSED void *opaque, HOOK_UNUSED enum sysreg reg)
{
	return (uint64_t)pe->uao << 23;
}

static void write_uao(struct pe *pe, HOOK_UNUSED void *opaque, HOOK_UNUSED enum sysreg reg,
		      uint64_t value)
{
	pe->uao = bit(value, 23);
	pe_context_select(pe);
}

static uint64_t read_dit(struct pe *pe, HOOK_UNUSED void *opaque, HOOK_UNUSED enum sysreg reg)
{
	return (uint64_t)pe->dit << 24;
}

static void write_dit(struct pe *pe, HOOK_UNUSED void *opaque, HOOK_UNUSED enum sysreg reg,
		      uint64_t value)
{
	pe->dit = bit(value, 24);
}

static uint64_t read_ssbs(struct pe *pe, HOOK_UNUSED void *opaque, HOOK_UNUSED enum sysreg reg)
{
	return (uint64_t)pe->ssbs << 12;
}

static void write_ssbs(struct pe *pe, HOOK_UNUSED void *opaque, HOOK_UNUSED enum sysreg reg,
		       uint64_t value)
{
	pe->ssbs = bit(value, 12);
}

static uint64_t read_fpcr(struct pe *pe, HOOK_UNUSED void *opaque, HOOK_UNUSED enum sysreg reg)
{
	return pe->fp.fpcr;
}

static void write_fpcr(struct pe *pe, HOOK_UNUSED void *opaque, HOOK_UNUSED enum sysreg reg,
		       uint64_t value)
{
	pe->fp.fpcr = (uint32_t)value;
}

static uint64_t read_fpsr(struct pe *pe, HOOK_UNUSED void *opaque, HOOK_UNUSED enum sysreg reg)
{
	return pe->fp.fpsr;
}

static void write_fpsr(struct pe *pe, HOOK_UNUSED void *opaque, HOOK_UNUSED enum sysreg reg,
		       uint64_t value)
{
	pe->fp.fpsr = (uint32_t)value;
}

// ---- identification -----------------------------------------------------------------------------

// A guest at EL1 sees what its hypervisor wrote.
static uint64_t read_midr(struct pe *pe, HOOK_UNUSED void *opaque, enum sysreg reg)
{
	return pe->el == 1 && pe_el2_enabled(pe) ? pe->sr[SR_VPIDR_EL2] : pe->sr[reg];
}

static uint64_t read_mpidr(struct pe *pe, HOOK_UNUSED void *opaque, enum sysreg reg)
{
	return pe->el == 1 && pe_el2_enabled(pe) ? pe->sr[SR_VMPIDR_EL2] : pe->sr[reg];
}

// The cache that CSSELR_EL1 chose; UNKNOWN for one that is not there: zero.
static uint64_t read_ccsidr(struct pe *pe, HOOK_UNUSED void *opaque, HOOK_UNUSED enum sysreg reg)
{
	unsigned level = (unsigned)bits(pe->sr[SR_CSSELR_EL1], 3, 1);

	return level < 7 ? pe->model->ccsidr[level][pe->sr[SR_CSSELR_EL1] & 1] : 0;
}

// DC ZVA is prohibited (DZP) where a DC ZVA would trap: HCR_EL2.TDZ, SCTLR_ELx.DZE.
static uint64_t read_dczid(struct pe *pe, HOOK_UNUSED void *opaque, enum sysreg reg)
{
	uint64_t hcr = pe_el2_enabled(pe) ? pe->sr[SR_HCR_EL2] : 0;
	bool host = (hcr & HCR_EL2_E2H) && (hcr & HCR_EL2_TGE);
	bool prohibited = pe->el <= 1 && !host && (hcr & HCR_EL2_TDZ);

	if (pe->el == 0 && !(pe->sr[host ? SR_SCTLR_EL2 : SR_SCTLR_EL1] & SCTLR_DZE)) {
		prohibited = true;
	}
	return pe->sr[reg] | (prohibited ? BIT(4) : 0);
}

// ---- exceptions and RAS -------------------------------------------------------------------------

static uint64_t read_isr(struct pe *pe, HOOK_UNUSED void *opaque, HOOK_UNUSED enum sysreg reg)
{
	return pe_isr(pe);
}

// Where DISR_EL1 leads: the virtual one for a guest whose SErrors EL2 takes; nowhere below an EL3
// that takes them.
static enum sysreg disr_register(const struct pe *pe)
{
	if (pe->el == 1 && pe_el2_enabled(pe) && (pe->sr[SR_HCR_EL2] & HCR_EL2_AMO)) {
		return SR_VDISR_EL2;
	}
	if (pe->el < 3 && pe->has_el3 && (pe->sr[SR_SCR_EL3] & SCR_EL3_EA)) {
		return SYSREG_NONE;
	}
	return SR_DISR_EL1;
}

static uint64_t read_disr(struct pe *pe, HOOK_UNUSED void *opaque, HOOK_UNUSED enum sysreg reg)
{
	enum sysreg where = disr_register(pe);

	return where == SYSREG_NONE ? 0 : pe->sr[where];
}

static void write_disr(struct pe *pe, HOOK_UNUSED void *opaque, HOOK_UNUSED enum sysreg reg,
		       uint64_t value)
{
	enum sysreg where = disr_register(pe);

	if (where != SYSREG_NONE) {
		pe->sr[where] = value;
	}
}

// ---- debug --------------------------------------------------------------------------------------

#define OSLSR_OSLK BIT(1)

static void write_oslar(struct pe *pe, HOOK_UNUSED void *opaque, HOOK_UNUSED enum sysreg reg,
			uint64_t value)
{
	pe->sr[SR_OSLSR_EL1] = (pe->sr[SR_OSLSR_EL1] & ~OSLSR_OSLK) | (value & 1 ? OSLSR_OSLK : 0);
}

// While the OS lock is off, the fields that mirror EDSCR are read-only.
static void write_mdscr(struct pe *pe, HOOK_UNUSED void *opaque, enum sysreg reg, uint64_t value)
{
	uint64_t locked_only =
		MASK(30, 29) | MASK(27, 26) | MASK(23, 21) | MDSCR_EL1_HDE | MDSCR_EL1_ERR;

	if (!(pe->sr[SR_OSLSR_EL1] & OSLSR_OSLK)) {
		value = (value & ~locked_only) | (pe->sr[reg] & locked_only);
	}
	pe->sr[reg] = value;
}

static uint64_t read_claim_set(HOOK_UNUSED struct pe *pe, HOOK_UNUSED void *opaque,
			       HOOK_UNUSED enum sysreg reg)
{
	return 0xff; // implemented claim tags
}

static void write_claim_set(struct pe *pe, HOOK_UNUSED void *opaque, HOOK_UNUSED enum sysreg reg,
			    uint64_t value)
{
	pe->sr[SR_DBGCLAIMCLR_EL1] |= value & 0xff;
}

static void write_claim_clear(struct pe *pe, HOOK_UNUSED void *opaque, enum sysreg reg,
			      uint64_t value)
{
	pe->sr[reg] &= ~value;
}

// Secure and Non-secure, invasive and non-invasive debug: implemented, and enabled for the states
// there are.
static uint64_t read_authstatus(struct pe *pe, HOOK_UNUSED void *opaque,
				HOOK_UNUSED enum sysreg reg)
{
	return pe->has_el3 ? 0xff : 0x0f;
}

// The debug communications channel has no debugger at its other end: nothing arrives, what is sent
// is lost.
static uint64_t read_zero(HOOK_UNUSED struct pe *pe, HOOK_UNUSED void *opaque,
			  HOOK_UNUSED enum sysreg reg)
{
	return 0;
}

static void write_ignored(HOOK_UNUSED struct pe *pe, HOOK_UNUSED void *opaque,
			  HOOK_UNUSED enum sysreg reg, HOOK_UNUSED uint64_t value)
{
}

// ---- registers with two layouts -----------------------------------------------------------------

// CPTR_EL2 keeps what the layout in effect has; the other layout's fields read as it says (RES0,
// RES1).
static void write_cptr_el2(struct pe *pe, HOOK_UNUSED void *opaque, enum sysreg reg, uint64_t value)
{
	if (!pe->has_el2) {
		pe->sr[reg] = 0;
	} else if (pe->sr[SR_HCR_EL2] & HCR_EL2_E2H) {
		pe->sr[reg] =
			value & (CPTR_EL2_TCPAC | CPTR_EL2_TAM | CPTR_EL2_E0POE | CPTR_EL2_FPEN);
	} else {
		pe->sr[reg] = (value & (CPTR_EL2_TCPAC | CPTR_EL2_TAM | CPTR_EL2_TFP)) |
			      CPTR_EL2_RES1_E2H0;
	}
}

// ---- LORegions ----------------------------------------------------------------------------------

#define LORC_DS(lorc) ((unsigned)bits((lorc), 3, 2))

// LORSA_EL1, LOREA_EL1 and LORN_EL1 are the descriptor that DS selects. No access is limited by a
// region: they only hold what is written.
static void write_lorc(struct pe *pe, HOOK_UNUSED void *opaque, enum sysreg reg, uint64_t value)
{
	static const uint16_t regs[] = {SR_LORSA_EL1, SR_LOREA_EL1, SR_LORN_EL1};
	unsigned from = LORC_DS(pe->sr[reg]), to = LORC_DS(value);

	for (unsigned i = 0; i < sizeof(regs) / sizeof(regs[0]); i++) {
		pe->lor[from][i] = pe->sr[regs[i]];
		pe->sr[regs[i]] = pe->lor[to][i];
	}
	pe->sr[reg] = value;
}

// ---- random numbers -----------------------------------------------------------------------------

// xorshift64*: the sequence is part of the machine's determinism. RNDR and RNDRRS clear NZCV when a
// number is there.
static uint64_t read_rndr(struct pe *pe, HOOK_UNUSED void *opaque, HOOK_UNUSED enum sysreg reg)
{
	uint64_t x = pe->rng != 0 ? pe->rng : UINT64_C(0x9e3779b97f4a7c15) * (pe->index + 1);

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	pe->rng = x;
	pe_set_nzcv(pe, 0);
	return x * UINT64_C(0x2545f4914f6cdd1d);
}

// ---- binding ------------------------------------------------------------------------------------

static const struct {
	uint16_t reg;
	sysreg_read_fn *read;
	sysreg_write_fn *write;
} own_hooks[] = {
	{SR_NZCV, read_nzcv, write_nzcv},
	{SR_DAIF, read_daif, write_daif},
	{SR_ALLINT, read_allint, write_allint},
	{SR_CurrentEL, read_current_el, NULL},
	{SR_SPSel, read_sp_sel, write_sp_sel},
	{SR_PAN, read_pan, write_pan},
	{SR_UAO, read_uao, write_uao},
	{SR_DIT, read_dit, write_dit},
	{SR_SSBS, read_ssbs, write_ssbs},
	{SR_FPCR, read_fpcr, write_fpcr},
	{SR_FPSR, read_fpsr, write_fpsr},
	{SR_MIDR_EL1, read_midr, NULL},
	{SR_MPIDR_EL1, read_mpidr, NULL},
	{SR_CCSIDR_EL1, read_ccsidr, NULL},
	{SR_DCZID_EL0, read_dczid, NULL},
	{SR_ISR_EL1, read_isr, NULL},
	{SR_DISR_EL1, read_disr, write_disr},
	{SR_OSLAR_EL1, NULL, write_oslar},
	{SR_MDSCR_EL1, NULL, write_mdscr},
	{SR_DBGCLAIMSET_EL1, read_claim_set, write_claim_set},
	{SR_DBGCLAIMCLR_EL1, NULL, write_claim_clear},
	{SR_DBGAUTHSTATUS_EL1, read_authstatus, NULL},
	{SR_DBGDTR_EL0, read_zero, write_ignored},
	{SR_DBGDTRRX_EL0, read_zero, write_ignored},
	{SR_OSDTRRX_EL1, read_zero, write_ignored},
	{SR_OSDTRTX_EL1, read_zero, write_ignored},
	{SR_CPTR_EL2, NULL, write_cptr_el2},
	{SR_LORC_EL1, NULL, write_lorc},
	{SR_RNDR, read_rndr, NULL},
	{SR_RNDRRS, read_rndr, NULL},
};

void sysreg_init(struct pe *pe)
{
	bool deciders[SYSREG_COUNT];
	char error[160];

	if (sysreg_check_table(error, sizeof(error)) != 0 ||
	    sysreg_check_traps(error, sizeof(error)) != 0) {
		fprintf(stderr, "strata: %s\n", error);
		CHECK(!"sysreg.def and trap.def are sound");
	}
	sysreg_mark_deciders(deciders);
	for (unsigned reg = 0; reg < SYSREG_COUNT; reg++) {
		pe->hooks[reg].decides = deciders[reg];
		sysreg_hook_changed(pe, (enum sysreg)reg);
	}
	for (size_t i = 0; i < sizeof(own_hooks) / sizeof(own_hooks[0]); i++) {
		sysreg_bind(pe, (enum sysreg)own_hooks[i].reg, own_hooks[i].read,
			    own_hooks[i].write, NULL);
	}
	mte_init(pe);
}
