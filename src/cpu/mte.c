// SPDX-License-Identifier: Apache-2.0
// Tag checks of data accesses (Arm ARM D10; AArch64.AccessIsTagChecked, AArch64.CheckTag,
// AArch64.TagCheckFault). Only what goes the slow way comes here: a page of Normal Tagged memory
// never enters the fast TLB of a context in which checks are enabled (mem.c).
#include "cpu/mte.h"

#include "cpu/esr.h"
#include "cpu/exec_internal.h"
#include "cpu/sysreg_fields.h"

#define FSC_TAG_CHECK 0x11u

enum { TCF_NONE, TCF_SYNC, TCF_ASYNC, TCF_ASYMMETRIC };

// The SCTLR of the regime of the current level.
static uint64_t sctlr(const struct pe *pe)
{
	static const enum sysreg of[4] = {SR_SCTLR_EL1, SR_SCTLR_EL1, SR_SCTLR_EL2, SR_SCTLR_EL3};

	return pe->sr[of[pe_regime_el(pe)]];
}

bool mte_tags_enabled(const struct pe *pe, bool el0)
{
	uint64_t hcr = pe_hcr_effective(pe);
	bool host = (hcr & HCR_EL2_E2H) && (hcr & HCR_EL2_TGE);
	unsigned el = el0 ? 0 : pe->el;

	if (el < 3 && pe->has_el3 && !(pe->sr[SR_SCR_EL3] & SCR_EL3_ATA)) {
		return false;
	}
	if (el < 2 && pe_el2_enabled(pe) && !host && !(hcr & HCR_EL2_ATA)) {
		return false;
	}
	return (sctlr(pe) & (el == 0 ? SCTLR_ATA0 : SCTLR_ATA)) != 0;
}

// EffectiveTCF; the value of FEAT_MTE3 means nothing without it.
static unsigned effective_tcf(const struct pe *pe, bool el0)
{
	unsigned tcf =
		(unsigned)(el0 || pe->el == 0 ? bits(sctlr(pe), 39, 38) : bits(sctlr(pe), 41, 40));

	return tcf == TCF_ASYMMETRIC && !has(pe, FEAT_MTE3) ? TCF_NONE : tcf;
}

bool mte_checks_enabled(const struct pe *pe, bool el0)
{
	return has(pe, FEAT_MTE2) && effective_tcf(pe, el0) != TCF_NONE &&
	       mte_tags_enabled(pe, el0);
}

// Is the address checked: is its top byte ignored, and is its tag not one that TCMA lets through?
static bool address_checked(const struct pe *pe, uint64_t va)
{
	uint64_t tcr = pe->regime->tcr;
	unsigned matched = (unsigned)bits(va, 59, 55);
	bool high = bit(va, 55), tbi, tcma;

	if (pe->regime->kind == MMU_REGIME_EL10 || pe->regime->kind == MMU_REGIME_EL20) {
		tbi = bit(tcr, high ? 38 : 37);
		tcma = bit(tcr, high ? 58 : 57);
	} else {
		tbi = bit(tcr, 20);
		tcma = bit(tcr, 30);
	}
	return tbi && !(tcma && (matched == 0 || matched == 31));
}

// Loads and stores whose base is SP without writeback are Tag Unchecked, unless the offset is a
// register; so are literals (the tagchecked of each instruction's decode pseudocode). STGP and the
// stores of tags do not ask.
static bool insn_checked(uint32_t insn)
{
	bool sp = F_RN(insn) == 31;

	if ((insn & 0x3b000000) == 0x18000000) {
		return false; // literals
	}
	if ((insn & 0x3b200c00) == 0x19000400) {
		return true; // memory copy and set: their addresses are never SP
	}
	if ((insn & 0x3a000000) == 0x28000000) {
		return !sp || bit(insn, 23); // pairs: with writeback
	}
	if ((insn & 0x3b200c00) == 0x38200800 || (insn & 0x3b200400) == 0x38000400) {
		return true; // register offset; pre- and post-indexed
	}
	if ((insn & 0xff200400) == 0xf8200400) {
		return !sp || bit(insn, 11); // LDRAA, LDRAB
	}
	if ((insn & 0xbe800000) == 0x0c800000) {
		return true; // Advanced SIMD structures, post-indexed
	}
	if ((insn & 0xffc00000) == 0xd5000000) {
		return true; // DC ZVA
	}
	return !sp;
}

// AArch64.ReportTagCheckFault.
static void report(struct pe *pe, uint64_t va, bool el0)
{
	unsigned el = el0 ? 0 : pe->el;
	uint64_t flag = el != 3 && bit(va, 55) ? BIT(1) : BIT(0);

	pe->sr[el == 0   ? SR_TFSRE0_EL1
	       : el == 1 ? SR_TFSR_EL1
	       : el == 2 ? SR_TFSR_EL2
			 : SR_TFSR_EL3] |= flag;
}

bool mte_check(struct pe *pe, uint64_t va, unsigned size, bool write, bool atomic, bool el0,
	       const struct bus_ram *ram, uint64_t pa)
{
	unsigned tcf, tag = mte_tag(va);
	uint64_t at = pa & ~(uint64_t)(MTE_GRANULE - 1);

	if (pe->tco || !mte_checks_enabled(pe, el0) || !address_checked(pe, va) ||
	    (pe->cur != NULL && !insn_checked(pe->cur->insn))) {
		return true;
	}
	while (at < pa + size && (ram != NULL ? bus_tag_get(ram, at) : 0) == tag) {
		at += MTE_GRANULE;
	}
	if (at >= pa + size) {
		return true;
	}
	tcf = effective_tcf(pe, el0);
	if (tcf == TCF_ASYNC || (tcf == TCF_ASYMMETRIC && write && !atomic)) {
		report(pe, va, el0);
		return true;
	}
	// An access of two granules is one of single bytes: the first whose tag is wrong faults. An
	// atomic would fault as a read, too.
	write = write && !atomic;
	fault_trap(pe, 0, EC_DATA_ABORT,
		   iss_abort(FSC_TAG_CHECK, write, false, false, false, false),
		   TRACE_CAUSE_DATA_ABORT, NULL);
	pe->fault.has_far = true;
	pe->fault.far = at > pa ? va + (at - pa) : va;
	pe->fault.write = write;
	return false;
}

static uint64_t read_tco(struct pe *pe, void *opaque, enum sysreg reg)
{
	(void)opaque;
	(void)reg;
	return pe->tco ? BIT(25) : 0;
}

static void write_tco(struct pe *pe, void *opaque, enum sysreg reg, uint64_t value)
{
	(void)opaque;
	(void)reg;
	pe->tco = bit(value, 25);
}

void mte_init(struct pe *pe)
{
	sysreg_bind(pe, SR_TCO, read_tco, write_tco, NULL);
}
