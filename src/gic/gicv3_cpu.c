// SPDX-License-Identifier: Apache-2.0
// GICv3: the physical CPU interface, that is the ICC_* system registers of one PE (IHI 0069, 4.8
// and 12.2). Whether an access is allowed was decided before a hook is called; what it does by
// Security state is decided here.
#include <stddef.h>
#include <string.h>

#include "gic/gicv3_internal.h"

// ICC_CTLR_EL3
#define CTLR3_CBPR_S BIT(0)
#define CTLR3_CBPR_NS BIT(1)
#define CTLR3_EOIMODE_EL3 BIT(2)
#define CTLR3_EOIMODE_S BIT(3)
#define CTLR3_EOIMODE_NS BIT(4)

// ICC_SGI*R_EL1
#define SCTLR_NMI BIT(61)

#define SGIR_IRM BIT(40)
#define SGIR_AFFINITY (MASK(55, 44) | MASK(39, 32) | MASK(23, 16)) // Aff3, RS, Aff2, Aff1

// ---- state of the PE ----------------------------------------------------------------------------

static bool is_secure(const struct gicv3_pe *p)
{
	return p->has_el3 && pe_is_secure(p->pe);
}

static bool is_el3(const struct gicv3_pe *p)
{
	return p->has_el3 && pe_el(p->pe) == 3;
}

// Which copy of a banked register is accessed: at EL3 that of SCR_EL3.NS.
static enum gicv3_state state_of(const struct gicv3_pe *p)
{
	return p->has_el3 && !(sysreg_get(p->pe, SR_SCR_EL3) & SCR_NS) ? STATE_S : STATE_NS;
}

static enum gicv3_group group1_of(const struct gicv3_pe *p)
{
	return state_of(p) == STATE_S ? GROUP_1S : GROUP_1NS;
}

// Does the PE see only the Non-secure half of the priorities? (4.8.6: Non-secure, and Group 0
// belongs to EL3.)
static bool half_priorities(const struct gicv3_pe *p)
{
	return p->has_el3 && !is_secure(p) && (sysreg_get(p->pe, SR_SCR_EL3) & SCR_FIQ);
}

// Is the interrupt a Secure one, which Non-secure software must not see?
static bool group_is_secure(const struct gicv3_pe *p, enum gicv3_group group)
{
	return !gicv3_one_state(p->gic) && group != GROUP_1NS;
}

// Are priority drop and deactivation separate for the current Exception level?
static bool eoi_is_split(const struct gicv3_pe *p)
{
	return is_el3(p) ? p->cpu.eoi_split_el3 : p->cpu.eoi_split[state_of(p)];
}

// ---- priorities ---------------------------------------------------------------------------------

// The priority of a group's NMIs (4.8.1).
static uint32_t nmi_priority(const struct gicv3_pe *p, enum gicv3_group group)
{
	return group == GROUP_1NS && !gicv3_one_state(p->gic) ? 0x80 : 0;
}

// The running priority: of the highest active priority, PRIORITY_IDLE if nothing is active.
static uint32_t running_priority(const struct gicv3_pe *p)
{
	const struct gicv3_cpu *cpu = &p->cpu;
	uint32_t active = cpu->active[GROUP_0] | cpu->active[GROUP_1S] | cpu->active[GROUP_1NS];
	uint32_t running =
		active == 0 ? PRIORITY_IDLE : (uint32_t)__builtin_ctz(active) << LEVEL_SHIFT;

	for (enum gicv3_group group = GROUP_1S; group < GROUP_COUNT; group++) {
		if (unlikely(cpu->nmi[group]) && nmi_priority(p, group) < running) {
			running = nmi_priority(p, group);
		}
	}
	return running;
}

// The group priority field as a mask (4.8.4). A Binary Point Register counts the bits of the
// subpriority, less one in the Non-secure one; with CBPR, Group 1 uses BPR0.
static uint32_t group_priority_mask(const struct gicv3_cpu *cpu, enum gicv3_group group)
{
	uint32_t bpr;

	if ((group == GROUP_1S && cpu->common_bpr[STATE_S]) ||
	    (group == GROUP_1NS && cpu->common_bpr[STATE_NS])) {
		group = GROUP_0;
	}
	bpr = cpu->bpr[group];
	if (group == GROUP_1NS) {
		bpr--; // at least BPR_MIN_NS
	}
	return ~UINT32_C(0) << (bpr + 1);
}

// The priority mask does not hold NMIs, but one that shuts out the whole Non-secure half.
static bool nmi_masked(const struct gicv3_pe *p)
{
	return nmi_priority(p, p->best_group) == 0x80 &&
	       (p->cpu.pmr < 0x80 || (p->cpu.pmr == 0x80 && is_secure(p)));
}

// Does the best pending interrupt preempt what the PE is doing?
static bool can_preempt(const struct gicv3_pe *p)
{
	const struct gicv3_cpu *cpu = &p->cpu;
	uint32_t running;
	uint32_t mask;

	if (unlikely(p->best_nmi)) {
		if (nmi_masked(p)) {
			return false;
		}
	} else if (p->best_priority >= cpu->pmr) {
		return false; // also when there is none: PRIORITY_IDLE is above any mask
	}
	running = running_priority(p);
	if (running == PRIORITY_IDLE) {
		return true;
	}
	mask = group_priority_mask(cpu, p->best_group);
	if ((p->best_priority & mask) == (running & mask)) {
		return p->best_nmi && !cpu->nmi[p->best_group]; // Superpriority
	}
	return (p->best_priority & mask) < (running & mask);
}

// Table of 4.6.2: Group 0 is an FIQ; Group 1 is an IRQ in its own Security state, and else (so at
// EL3) an FIQ.
static bool best_is_fiq(const struct gicv3_pe *p)
{
	if (p->best_group == GROUP_0) {
		return true;
	}
	if (!p->has_el3) {
		return false;
	}
	return is_el3(p) || is_secure(p) != (p->best_group == GROUP_1S);
}

void gicv3_cpu_signal(struct gicv3_pe *p)
{
	bool irq = false;
	bool fiq = false;

	if (p->best_intid != INTID_SPURIOUS && can_preempt(p)) {
		fiq = best_is_fiq(p);
		irq = !fiq;
	}
	if (irq) {
		gicv3_set_superpriority(p, PE_LINE_IRQ, p->best_nmi);
	}
	if (fiq) {
		gicv3_set_superpriority(p, PE_LINE_FIQ, p->best_nmi);
	}
	gicv3_set_line(p, PE_LINE_IRQ, irq);
	gicv3_set_line(p, PE_LINE_FIQ, fiq);
}

// ---- acknowledge, end, deactivate ---------------------------------------------------------------

// What HPPIR0 and IAR0 would return: CheckGroup0ForSpecialIdentifiers.
static uint32_t best_of_group0(const struct gicv3_pe *p)
{
	bool secure = group_is_secure(p, p->best_group);

	if (p->best_intid == INTID_SPURIOUS) {
		return INTID_SPURIOUS;
	}
	if (p->best_group != GROUP_0) {
		// EL3 is told that there is a Group 1 interrupt for another level.
		return !is_el3(p) ? INTID_SPURIOUS : secure ? INTID_SECURE : INTID_NONSECURE;
	}
	return secure && !is_secure(p) ? INTID_SPURIOUS : p->best_intid;
}

// What HPPIR1 and IAR1 would return: CheckGroup1ForSpecialIdentifiers.
static inline uint32_t best_of_group1(const struct gicv3_pe *p)
{
	if (p->best_intid == INTID_SPURIOUS || p->best_group == GROUP_0) {
		return INTID_SPURIOUS;
	}
	if (group_is_secure(p, p->best_group)) {
		return is_secure(p) ? p->best_intid : INTID_SPURIOUS;
	}
	return p->has_el3 && is_secure(p) && !is_el3(p) ? INTID_SPURIOUS : p->best_intid;
}

bool gicv3_nmi_apart(const struct gicv3_pe *p)
{
	static const enum sysreg sctlr[4] = {SR_SCTLR_EL1, SR_SCTLR_EL1, SR_SCTLR_EL2,
					     SR_SCTLR_EL3};

	return (sysreg_get(p->pe, sctlr[pe_el(p->pe)]) & SCTLR_NMI) != 0;
}

// from_nmiar: ICC_NMIAR1_EL1, which acknowledges NMIs and nothing else. ICC_IAR1_EL1 leaves them to
// it where SCTLR_ELx.NMI tells them apart.
static inline uint64_t acknowledge(struct gicv3_pe *p, uint32_t intid, bool from_nmiar)
{
	uint32_t level;

	// One of the lines is high exactly if the best interrupt can preempt: gicv3_cpu_signal
	// follows every change.
	if (!(p->lines[PE_LINE_IRQ] | p->lines[PE_LINE_FIQ])) {
		return INTID_SPURIOUS;
	}
	if (intid >= INTID_SECURE) {
		return intid; // a special identifier acknowledges nothing
	}
	if (from_nmiar && !p->best_nmi) {
		return INTID_SPURIOUS;
	}
	if (unlikely(p->best_nmi) && !from_nmiar && gicv3_nmi_apart(p)) {
		return INTID_NMI;
	}
	if (unlikely(p->best_nmi)) {
		p->cpu.nmi[p->best_group] = true;
	} else {
		level = (p->best_priority & group_priority_mask(&p->cpu, p->best_group)) >>
			LEVEL_SHIFT;
		p->cpu.active[p->best_group] |= (uint32_t)BIT(level);
	}
	gicv3_activate(p, intid);
	return intid;
}

static uint64_t iar0_read(struct pe *pe, void *opaque, enum sysreg reg)
{
	struct gicv3_pe *p = opaque;

	(void)pe;
	(void)reg;
	return gicv3_virt_access(p, HCR_FMO) ? gicv3_virt_iar(p, false)
					     : acknowledge(p, best_of_group0(p), false);
}

static uint64_t iar1_read(struct pe *pe, void *opaque, enum sysreg reg)
{
	struct gicv3_pe *p = opaque;

	(void)pe;
	(void)reg;
	return gicv3_virt_access(p, HCR_IMO) ? gicv3_virt_iar(p, true)
					     : acknowledge(p, best_of_group1(p), false);
}

static uint64_t nmiar1_read(struct pe *pe, void *opaque, enum sysreg reg)
{
	struct gicv3_pe *p = opaque;

	(void)pe;
	(void)reg;
	return gicv3_virt_access(p, HCR_IMO) ? gicv3_virt_nmiar(p)
					     : acknowledge(p, best_of_group1(p), true);
}

static uint64_t hppir0_read(struct pe *pe, void *opaque, enum sysreg reg)
{
	struct gicv3_pe *p = opaque;

	(void)pe;
	(void)reg;
	return gicv3_virt_access(p, HCR_FMO) ? gicv3_virt_hppir(p, false) : best_of_group0(p);
}

static uint64_t hppir1_read(struct pe *pe, void *opaque, enum sysreg reg)
{
	struct gicv3_pe *p = opaque;

	(void)pe;
	(void)reg;
	return gicv3_virt_access(p, HCR_IMO) ? gicv3_virt_hppir(p, true) : best_of_group1(p);
}

// The group of the highest active priority, GROUP_COUNT if nothing is active. An active NMI comes
// before other interrupts of its priority.
static enum gicv3_group running_group(const struct gicv3_pe *p)
{
	const struct gicv3_cpu *cpu = &p->cpu;
	uint32_t running = running_priority(p);
	uint32_t active = cpu->active[GROUP_0] | cpu->active[GROUP_1S] | cpu->active[GROUP_1NS];
	uint32_t highest = active & -active;

	for (enum gicv3_group group = GROUP_1S; group < GROUP_COUNT; group++) {
		if (unlikely(cpu->nmi[group]) && nmi_priority(p, group) == running) {
			return group;
		}
	}
	if (cpu->active[GROUP_0] & highest) {
		return GROUP_0;
	}
	if (cpu->active[GROUP_1S] & highest) {
		return GROUP_1S;
	}
	return highest != 0 ? GROUP_1NS : GROUP_COUNT;
}

// EOIR0 and EOIR1: only the register of the running priority's group ends it, and only from a state
// that may.
static void end_of_interrupt(struct gicv3_pe *p, bool group1, uint64_t value)
{
	uint32_t intid = value & 0xffffff;
	enum gicv3_group group = running_group(p);

	if (intid >= p->gic->intid_count || group == GROUP_COUNT || group1 != (group != GROUP_0)) {
		return; // special, not implemented, or out of order: ignored, as the specification
			// lets us
	}
	if (p->has_el3 &&
	    (group_is_secure(p, group) ? !is_secure(p)
				       : group == GROUP_1NS && is_secure(p) && !is_el3(p))) {
		return;
	}
	if (unlikely(p->cpu.nmi[group]) && running_priority(p) == nmi_priority(p, group)) {
		p->cpu.nmi[group] = false;
	} else {
		p->cpu.active[group] &= p->cpu.active[group] - 1;
	}
	if (eoi_is_split(p)) {
		gicv3_cpu_signal(p);
		return;
	}
	gicv3_deactivate(p, intid);
	if (intid >= INTID_SPI) {
		gicv3_cpu_signal(p); // the interrupt may be routed elsewhere by now
	}
}

static void eoir0_write(struct pe *pe, void *opaque, enum sysreg reg, uint64_t value)
{
	struct gicv3_pe *p = opaque;

	(void)pe;
	(void)reg;
	if (gicv3_virt_access(p, HCR_FMO)) {
		gicv3_virt_eoir(p, false, value);
	} else {
		end_of_interrupt(p, false, value);
	}
}

static void eoir1_write(struct pe *pe, void *opaque, enum sysreg reg, uint64_t value)
{
	struct gicv3_pe *p = opaque;

	(void)pe;
	(void)reg;
	if (gicv3_virt_access(p, HCR_IMO)) {
		gicv3_virt_eoir(p, true, value);
	} else {
		end_of_interrupt(p, true, value);
	}
}

// May the current level deactivate an interrupt of this group? (ICC_DIR_EL1: only what is not
// routed to a higher level, and what belongs to its Security state.)
static bool may_deactivate(const struct gicv3_pe *p, enum gicv3_group group)
{
	uint64_t scr = p->has_el3 ? sysreg_get(p->pe, SR_SCR_EL3) : 0;
	uint64_t hcr = pe_el(p->pe) == 1 ? pe_hcr(p->pe) : 0;

	if (is_el3(p)) {
		return true;
	}
	if (group_is_secure(p, group) && p->has_el3 && !is_secure(p)) {
		return false;
	}
	if (group == GROUP_0) {
		return !(scr & SCR_FIQ) && !(hcr & HCR_FMO);
	}
	return !(scr & SCR_IRQ) && !(hcr & HCR_IMO);
}

static void dir_write(struct pe *pe, void *opaque, enum sysreg reg, uint64_t value)
{
	struct gicv3_pe *p = opaque;
	uint32_t intid = value & 0xffffff;

	(void)pe;
	(void)reg;
	if (gicv3_virt_access(p, HCR_FMO | HCR_IMO)) {
		gicv3_virt_dir(p, value);
	} else if (intid < p->gic->intid_count && eoi_is_split(p) &&
		   may_deactivate(p, gicv3_group_of(p, intid))) {
		gicv3_deactivate(p, intid);
	}
}

// ---- masks, binary points, controls -------------------------------------------------------------

static uint64_t pmr_read(struct pe *pe, void *opaque, enum sysreg reg)
{
	struct gicv3_pe *p = opaque;
	uint32_t pmr = p->cpu.pmr;

	(void)pe;
	(void)reg;
	if (gicv3_virt_access(p, HCR_FMO | HCR_IMO)) {
		return gicv3_virt_pmr(p);
	}
	if (half_priorities(p)) {
		return pmr & 0x80 ? (pmr << 1) & 0xff : 0;
	}
	return pmr;
}

static void pmr_write(struct pe *pe, void *opaque, enum sysreg reg, uint64_t value)
{
	struct gicv3_pe *p = opaque;

	(void)pe;
	(void)reg;
	if (gicv3_virt_access(p, HCR_FMO | HCR_IMO)) {
		gicv3_virt_set_pmr(p, value);
		return;
	}
	if (half_priorities(p)) {
		if (!(p->cpu.pmr & 0x80)) {
			return; // a Secure mask is not for Non-secure software to lift
		}
		value = 0x80 | (value & 0xff) >> 1;
	}
	p->cpu.pmr = value & PRIORITY_MASK;
	gicv3_cpu_signal(p);
}

// ICC_RPR_EL1.{NMI, NMI_NS}: which Group 1 has an active NMI, of those that may be seen.
static uint64_t rpr_nmi(const struct gicv3_pe *p)
{
	const bool *nmi = p->cpu.nmi;

	if (gicv3_one_state(p->gic) || (p->has_el3 && !is_secure(p))) {
		return nmi[GROUP_1NS] ? ICC_RPR_NMI : 0;
	}
	return (nmi[GROUP_1S] ? ICC_RPR_NMI : 0) | (nmi[GROUP_1NS] ? ICC_RPR_NMI_NS : 0);
}

static uint64_t rpr_read(struct pe *pe, void *opaque, enum sysreg reg)
{
	struct gicv3_pe *p = opaque;
	uint32_t running;

	(void)pe;
	(void)reg;
	if (gicv3_virt_access(p, HCR_FMO | HCR_IMO)) {
		return gicv3_virt_rpr(p);
	}
	running = running_priority(p);
	if (half_priorities(p) && running != PRIORITY_IDLE) {
		running = running & 0x80 ? (running << 1) & 0xff : 0;
	}
	return running | rpr_nmi(p);
}

static uint64_t bpr0_read(struct pe *pe, void *opaque, enum sysreg reg)
{
	struct gicv3_pe *p = opaque;

	(void)pe;
	(void)reg;
	return gicv3_virt_access(p, HCR_FMO) ? gicv3_virt_bpr(p, false) : p->cpu.bpr[GROUP_0];
}

static void bpr0_write(struct pe *pe, void *opaque, enum sysreg reg, uint64_t value)
{
	struct gicv3_pe *p = opaque;

	(void)pe;
	(void)reg;
	if (gicv3_virt_access(p, HCR_FMO)) {
		gicv3_virt_set_bpr(p, false, value);
		return;
	}
	value &= 7;
	p->cpu.bpr[GROUP_0] = value < BPR_MIN ? BPR_MIN : (uint32_t)value;
	gicv3_cpu_signal(p);
}

// With CBPR, below EL3, BPR1 is another name of BPR0 in the Secure state, and a read-only BPR0 + 1
// in the other.
static uint64_t bpr1_read(struct pe *pe, void *opaque, enum sysreg reg)
{
	struct gicv3_pe *p = opaque;
	enum gicv3_state state = state_of(p);
	uint32_t bpr0 = p->cpu.bpr[GROUP_0];

	(void)pe;
	(void)reg;
	if (gicv3_virt_access(p, HCR_IMO)) {
		return gicv3_virt_bpr(p, true);
	}
	if (p->cpu.common_bpr[state] && !is_el3(p)) {
		return state == STATE_S ? bpr0 : bpr0 == 7 ? 7 : bpr0 + 1;
	}
	return p->cpu.bpr[group1_of(p)];
}

static void bpr1_write(struct pe *pe, void *opaque, enum sysreg reg, uint64_t value)
{
	struct gicv3_pe *p = opaque;
	enum gicv3_state state = state_of(p);
	enum gicv3_group group = group1_of(p);
	uint32_t least = state == STATE_S ? BPR_MIN : BPR_MIN_NS;

	(void)pe;
	(void)reg;
	if (gicv3_virt_access(p, HCR_IMO)) {
		gicv3_virt_set_bpr(p, true, value);
		return;
	}
	if (p->cpu.common_bpr[state] && !is_el3(p)) {
		if (state == STATE_NS) {
			return;
		}
		group = GROUP_0;
	}
	value &= 7;
	p->cpu.bpr[group] = value < least ? least : (uint32_t)value;
	gicv3_cpu_signal(p);
}

static uint64_t ctlr_read(struct pe *pe, void *opaque, enum sysreg reg)
{
	struct gicv3_pe *p = opaque;
	enum gicv3_state state = state_of(p);

	(void)pe;
	(void)reg;
	if (gicv3_virt_access(p, HCR_FMO | HCR_IMO)) {
		return gicv3_virt_ctlr(p);
	}
	return ICC_CTLR_FIXED | (p->cpu.common_bpr[state] ? ICC_CTLR_CBPR : 0) |
	       (p->cpu.eoi_split[state] ? ICC_CTLR_EOIMODE : 0);
}

static void ctlr_write(struct pe *pe, void *opaque, enum sysreg reg, uint64_t value)
{
	struct gicv3_pe *p = opaque;
	enum gicv3_state state = state_of(p);

	(void)pe;
	(void)reg;
	if (gicv3_virt_access(p, HCR_FMO | HCR_IMO)) {
		gicv3_virt_set_ctlr(p, value);
		return;
	}
	p->cpu.eoi_split[state] = (value & ICC_CTLR_EOIMODE) != 0;
	// With EL3 and two Security states CBPR is EL3's to decide, here it can only be read.
	if (!p->has_el3 || gicv3_one_state(p->gic)) {
		p->cpu.common_bpr[state] = (value & ICC_CTLR_CBPR) != 0;
	}
	gicv3_cpu_signal(p);
}

static uint64_t ctlr3_read(struct pe *pe, void *opaque, enum sysreg reg)
{
	const struct gicv3_cpu *cpu = &((struct gicv3_pe *)opaque)->cpu;

	(void)pe;
	(void)reg;
	return ICC_CTLR_FIXED | (cpu->common_bpr[STATE_S] ? CTLR3_CBPR_S : 0) |
	       (cpu->common_bpr[STATE_NS] ? CTLR3_CBPR_NS : 0) |
	       (cpu->eoi_split_el3 ? CTLR3_EOIMODE_EL3 : 0) |
	       (cpu->eoi_split[STATE_S] ? CTLR3_EOIMODE_S : 0) |
	       (cpu->eoi_split[STATE_NS] ? CTLR3_EOIMODE_NS : 0);
}

static void ctlr3_write(struct pe *pe, void *opaque, enum sysreg reg, uint64_t value)
{
	struct gicv3_pe *p = opaque;

	(void)pe;
	(void)reg;
	p->cpu.common_bpr[STATE_S] = (value & CTLR3_CBPR_S) != 0;
	p->cpu.common_bpr[STATE_NS] = (value & CTLR3_CBPR_NS) != 0;
	p->cpu.eoi_split_el3 = (value & CTLR3_EOIMODE_EL3) != 0;
	p->cpu.eoi_split[STATE_S] = (value & CTLR3_EOIMODE_S) != 0;
	p->cpu.eoi_split[STATE_NS] = (value & CTLR3_EOIMODE_NS) != 0;
	gicv3_cpu_signal(p);
}

static uint64_t igrpen0_read(struct pe *pe, void *opaque, enum sysreg reg)
{
	struct gicv3_pe *p = opaque;

	(void)pe;
	(void)reg;
	return gicv3_virt_access(p, HCR_FMO) ? gicv3_virt_igrpen(p, false)
					     : p->cpu.enabled[GROUP_0];
}

static void igrpen0_write(struct pe *pe, void *opaque, enum sysreg reg, uint64_t value)
{
	struct gicv3_pe *p = opaque;

	(void)pe;
	(void)reg;
	if (gicv3_virt_access(p, HCR_FMO)) {
		gicv3_virt_set_igrpen(p, false, value);
		return;
	}
	p->cpu.enabled[GROUP_0] = value & 1;
	gicv3_select(p);
}

static uint64_t igrpen1_read(struct pe *pe, void *opaque, enum sysreg reg)
{
	struct gicv3_pe *p = opaque;

	(void)pe;
	(void)reg;
	return gicv3_virt_access(p, HCR_IMO) ? gicv3_virt_igrpen(p, true)
					     : p->cpu.enabled[group1_of(p)];
}

static void igrpen1_write(struct pe *pe, void *opaque, enum sysreg reg, uint64_t value)
{
	struct gicv3_pe *p = opaque;

	(void)pe;
	(void)reg;
	if (gicv3_virt_access(p, HCR_IMO)) {
		gicv3_virt_set_igrpen(p, true, value);
		return;
	}
	p->cpu.enabled[group1_of(p)] = value & 1;
	gicv3_select(p);
}

// ICC_IGRPEN1_EL3: EnableGrp1NS and EnableGrp1S side by side.
static uint64_t igrpen13_read(struct pe *pe, void *opaque, enum sysreg reg)
{
	const struct gicv3_cpu *cpu = &((struct gicv3_pe *)opaque)->cpu;

	(void)pe;
	(void)reg;
	return (uint64_t)cpu->enabled[GROUP_1NS] | (uint64_t)cpu->enabled[GROUP_1S] << 1;
}

static void igrpen13_write(struct pe *pe, void *opaque, enum sysreg reg, uint64_t value)
{
	struct gicv3_pe *p = opaque;

	(void)pe;
	(void)reg;
	p->cpu.enabled[GROUP_1NS] = value & 1;
	p->cpu.enabled[GROUP_1S] = (value >> 1) & 1;
	gicv3_select(p);
}

static uint64_t ap0r_read(struct pe *pe, void *opaque, enum sysreg reg)
{
	struct gicv3_pe *p = opaque;

	(void)pe;
	(void)reg;
	return gicv3_virt_access(p, HCR_FMO) ? gicv3_virt_apr(p, false) : p->cpu.active[GROUP_0];
}

static void ap0r_write(struct pe *pe, void *opaque, enum sysreg reg, uint64_t value)
{
	struct gicv3_pe *p = opaque;

	(void)pe;
	(void)reg;
	if (gicv3_virt_access(p, HCR_FMO)) {
		gicv3_virt_set_apr(p, false, value);
		return;
	}
	p->cpu.active[GROUP_0] = (uint32_t)value;
	gicv3_cpu_signal(p);
}

static uint64_t ap1r_read(struct pe *pe, void *opaque, enum sysreg reg)
{
	struct gicv3_pe *p = opaque;

	(void)pe;
	(void)reg;
	return gicv3_virt_access(p, HCR_IMO)
		       ? gicv3_virt_apr(p, true)
		       : p->cpu.active[group1_of(p)] |
				 (p->cpu.nmi[group1_of(p)] ? ICC_AP1R_NMI : 0);
}

static void ap1r_write(struct pe *pe, void *opaque, enum sysreg reg, uint64_t value)
{
	struct gicv3_pe *p = opaque;

	(void)pe;
	(void)reg;
	if (gicv3_virt_access(p, HCR_IMO)) {
		gicv3_virt_set_apr(p, true, value);
		return;
	}
	p->cpu.active[group1_of(p)] = (uint32_t)value;
	p->cpu.nmi[group1_of(p)] = p->has_nmi && (value & ICC_AP1R_NMI);
	gicv3_cpu_signal(p);
}

// ---- software generated interrupts --------------------------------------------------------------

// Make an SGI pending at a PE, if its group there is the one asked for (12.1.10, table of SGI
// forwarding).
static __attribute__((noinline)) bool sgi_permitted(struct gicv3_pe *to, uint32_t intid,
						    enum gicv3_group group, bool from_ns)
{
	enum gicv3_group actual = gicv3_group_of(to, intid);

	// A Secure Group 1 SGI may also be delivered as Group 0, if the target is set up like that.
	if (actual != group && !(group == GROUP_1S && actual == GROUP_0)) {
		return false;
	}
	// Non-secure software needs GICR_NSACR's leave for what is Secure at the target.
	return !from_ns || actual == GROUP_1NS ||
	       ((to->bank.nsacr >> (2 * intid)) & 3) >= (actual == GROUP_0 ? 1u : 2u);
}

static inline void sgi_send(const struct gicv3_pe *from, struct gicv3_pe *to, uint32_t intid,
			    enum gicv3_group group)
{
	// One Security state: there is but one Group 1, whichever register names it.
	if (gicv3_one_state(to->gic) ? (group != GROUP_0) == bit(to->bank.group, intid)
				     : sgi_permitted(to, intid, group, !is_secure(from))) {
		to->bank.pending |= (uint32_t)BIT(intid);
		gicv3_own_changed(to);
	}
}

static void sgi_generate(struct gicv3_pe *p, uint64_t value, enum gicv3_group group)
{
	uint32_t intid = (uint32_t)bits(value, 27, 24);
	struct gicv3_pe *end = p->gic->pes + p->gic->config.pe_count;

	for (struct gicv3_pe *to = p->gic->pes; to < end; to++) {
		// The list names 16 values of Aff0, from 16 * RS on.
		bool targeted = (value & SGIR_AFFINITY) == to->sgi_affinity &&
				bit(value, to->affinity & 15);

		if ((value & SGIR_IRM) ? to != p : targeted) {
			sgi_send(p, to, intid, group);
		}
	}
}

static void sgi0r_write(struct pe *pe, void *opaque, enum sysreg reg, uint64_t value)
{
	(void)pe;
	(void)reg;
	sgi_generate(opaque, value, GROUP_0);
}

// Group 1 of the current Security state; EL3 is Secure.
static void sgi1r_write(struct pe *pe, void *opaque, enum sysreg reg, uint64_t value)
{
	(void)pe;
	(void)reg;
	sgi_generate(opaque, value, is_secure(opaque) ? GROUP_1S : GROUP_1NS);
}

// Group 1 of the other Security state.
static void asgi1r_write(struct pe *pe, void *opaque, enum sysreg reg, uint64_t value)
{
	(void)pe;
	(void)reg;
	sgi_generate(opaque, value, is_secure(opaque) ? GROUP_1NS : GROUP_1S);
}

// ---- binding ------------------------------------------------------------------------------------

// Active priority registers beyond the first belong to more priority bits than there are.
static uint64_t zero_read(struct pe *pe, void *opaque, enum sysreg reg)
{
	(void)pe;
	(void)opaque;
	(void)reg;
	return 0;
}

static void ignore_write(struct pe *pe, void *opaque, enum sysreg reg, uint64_t value)
{
	(void)pe;
	(void)opaque;
	(void)reg;
	(void)value;
}

static const struct {
	enum sysreg reg;
	sysreg_read_fn *read;
	sysreg_write_fn *write;
} cpu_rows[] = {
	{SR_ICC_PMR_EL1, pmr_read, pmr_write},
	{SR_ICC_IAR0_EL1, iar0_read, ignore_write},
	{SR_ICC_EOIR0_EL1, zero_read, eoir0_write},
	{SR_ICC_HPPIR0_EL1, hppir0_read, ignore_write},
	{SR_ICC_BPR0_EL1, bpr0_read, bpr0_write},
	{SR_ICC_AP0R0_EL1, ap0r_read, ap0r_write},
	{SR_ICC_AP1R0_EL1, ap1r_read, ap1r_write},
	{SR_ICC_NMIAR1_EL1, nmiar1_read, ignore_write},
	{SR_ICC_DIR_EL1, zero_read, dir_write},
	{SR_ICC_RPR_EL1, rpr_read, ignore_write},
	{SR_ICC_SGI1R_EL1, zero_read, sgi1r_write},
	{SR_ICC_ASGI1R_EL1, zero_read, asgi1r_write},
	{SR_ICC_SGI0R_EL1, zero_read, sgi0r_write},
	{SR_ICC_IAR1_EL1, iar1_read, ignore_write},
	{SR_ICC_EOIR1_EL1, zero_read, eoir1_write},
	{SR_ICC_HPPIR1_EL1, hppir1_read, ignore_write},
	{SR_ICC_BPR1_EL1, bpr1_read, bpr1_write},
	{SR_ICC_CTLR_EL1, ctlr_read, ctlr_write},
	{SR_ICC_IGRPEN0_EL1, igrpen0_read, igrpen0_write},
	{SR_ICC_IGRPEN1_EL1, igrpen1_read, igrpen1_write},
	{SR_ICC_CTLR_EL3, ctlr3_read, ctlr3_write},
	{SR_ICC_IGRPEN1_EL3, igrpen13_read, igrpen13_write},
};

void gicv3_cpu_bind(struct gicv3_pe *p)
{
	for (size_t i = 0; i < sizeof(cpu_rows) / sizeof(cpu_rows[0]); i++) {
		sysreg_bind(p->pe, cpu_rows[i].reg, cpu_rows[i].read, cpu_rows[i].write, p);
	}
}

void gicv3_cpu_reset(struct gicv3_pe *p)
{
	memset(&p->cpu, 0, sizeof(p->cpu));
	p->forwarded = 0;
	p->cpu.bpr[GROUP_0] = BPR_MIN;
	p->cpu.bpr[GROUP_1S] = BPR_MIN;
	p->cpu.bpr[GROUP_1NS] = BPR_MIN_NS;
	// System register access is always on (SRE RAO/WI); access from below is granted until it
	// is taken away.
	sysreg_set(p->pe, SR_ICC_SRE_EL1, 0x7);
	sysreg_set(p->pe, SR_ICC_SRE_EL2, 0xf);
	sysreg_set(p->pe, SR_ICC_SRE_EL3, 0xf);
}
