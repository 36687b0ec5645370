// SPDX-License-Identifier: Apache-2.0
// GICv3: the virtual CPU interface of one PE (IHI 0069, chapter 6): the list registers and controls
// that a hypervisor writes (ICH_*), and what its guest sees through them in place of the physical
// interface (ICV_*).
#include <stddef.h>

#include "gic/gicv3_internal.h"

// ICH_HCR_EL2
#define ICH_HCR_EN BIT(0)
#define ICH_HCR_UIE BIT(1)
#define ICH_HCR_LRENPIE BIT(2)
#define ICH_HCR_NPIE BIT(3)
#define ICH_HCR_VGRP0EIE BIT(4)
#define ICH_HCR_VGRP0DIE BIT(5)
#define ICH_HCR_VGRP1EIE BIT(6)
#define ICH_HCR_VGRP1DIE BIT(7)
#define ICH_HCR_MAINTENANCE MASK(7, 1) // all controls of the maintenance interrupt
#define ICH_HCR_TC BIT(10)
#define ICH_HCR_TALL0 BIT(11)
#define ICH_HCR_TALL1 BIT(12)
#define ICH_HCR_TDIR BIT(14)
#define ICH_HCR_EOICOUNT_HI 31
#define ICH_HCR_EOICOUNT_LO 27
// TSEI is RES0 where the CPU interface makes no SErrors (ICH_VTR_EL2.SEIS).
#define ICH_HCR_WRITABLE \
	(MASK(7, 0) | ICH_HCR_TC | ICH_HCR_TALL0 | ICH_HCR_TALL1 | ICH_HCR_TDIR | \
	 MASK(ICH_HCR_EOICOUNT_HI, ICH_HCR_EOICOUNT_LO))

// ICH_VTR_EL2: four list registers, TDIR, no GICv2 compatibility, Aff3, 16-bit INTIDs, 5 priority
// and preemption bits.
#define ICH_VTR \
	((uint64_t)(LR_COUNT - 1) | BIT(19) | BIT(20) | BIT(21) | \
	 (uint64_t)(PRIORITY_BITS - 1) << 26 | (uint64_t)(PRIORITY_BITS - 1) << 29)

// ICH_MISR_EL2
#define ICH_MISR_EOI BIT(0)
#define ICH_MISR_U BIT(1)
#define ICH_MISR_LRENP BIT(2)
#define ICH_MISR_NP BIT(3)
#define ICH_MISR_VGRP0E BIT(4)
#define ICH_MISR_VGRP0D BIT(5)
#define ICH_MISR_VGRP1E BIT(6)
#define ICH_MISR_VGRP1D BIT(7)

// ICH_VMCR_EL2
#define ICH_VMCR_VENG0 BIT(0)
#define ICH_VMCR_VENG1 BIT(1)
#define ICH_VMCR_VFIQEN BIT(3) // RES1 with system registers
#define ICH_VMCR_VCBPR BIT(4)
#define ICH_VMCR_VEOIM BIT(9)
#define ICH_VMCR_WRITABLE \
	(ICH_VMCR_VENG0 | ICH_VMCR_VENG1 | ICH_VMCR_VCBPR | ICH_VMCR_VEOIM | MASK(31, 18))

// ICH_LR<n>_EL2
#define ICH_LR_VINTID(lr) ((uint32_t)(lr))
#define ICH_LR_PINTID(lr) ((uint32_t)bits((lr), 44, 32))
#define ICH_LR_EOI BIT(41) // with HW clear
#define ICH_LR_PRIORITY(lr) ((uint32_t)bits((lr), 55, 48))
#define ICH_LR_NMI BIT(59) // FEAT_GICv3_NMI
#define ICH_LR_GROUP1 BIT(60)
#define ICH_LR_HW BIT(61)
#define ICH_LR_PENDING BIT(62)
#define ICH_LR_ACTIVE BIT(63)
#define ICH_LR_STATE (ICH_LR_PENDING | ICH_LR_ACTIVE)
#define ICH_LR_WRITABLE \
	(MASK(31, 0) | MASK(44, 32) | (uint64_t)PRIORITY_MASK << 48 | ICH_LR_GROUP1 | ICH_LR_HW | \
	 ICH_LR_STATE)

// ---- priorities ---------------------------------------------------------------------------------

static uint32_t vmcr_bpr(const struct gicv3_virt *v, bool group1)
{
	return (uint32_t)(group1 ? bits(v->vmcr, 20, 18) : bits(v->vmcr, 23, 21));
}

static void vmcr_set_bpr(struct gicv3_virt *v, bool group1, uint64_t bpr)
{
	uint64_t least = group1 ? BPR_MIN_NS : BPR_MIN;

	bpr &= 7;
	bpr = bpr < least ? least : bpr;
	v->vmcr = group1 ? bits_set(v->vmcr, 20, 18, bpr) : bits_set(v->vmcr, 23, 21, bpr);
}

static uint32_t vmcr_pmr(const struct gicv3_virt *v)
{
	return (uint32_t)bits(v->vmcr, 31, 24);
}

// As for physical Non-secure priorities, but that a guest's Group 1 is always of the Non-secure
// kind.
static uint32_t group_priority_mask(const struct gicv3_virt *v, bool group1)
{
	uint32_t bpr;

	if (group1 && !(v->vmcr & ICH_VMCR_VCBPR)) {
		bpr = vmcr_bpr(v, true) - 1; // at least BPR_MIN_NS
	} else {
		bpr = vmcr_bpr(v, false);
	}
	return ~UINT32_C(0) << (bpr + 1);
}

static uint32_t running_priority(const struct gicv3_virt *v)
{
	uint32_t active = v->active[0] | v->active[1];

	if (unlikely(v->nmi)) {
		return 0;
	}
	return active == 0 ? PRIORITY_IDLE : (uint32_t)__builtin_ctz(active) << LEVEL_SHIFT;
}

// An NMI has the highest priority, whatever its list register's field says.
static uint32_t lr_priority(const struct gicv3_virt *v, unsigned i)
{
	return (v->lr_nmi >> i) & 1 ? 0 : ICH_LR_PRIORITY(v->lr[i]);
}

// Write a list register.
static void lr_set(struct gicv3_virt *v, unsigned i, uint64_t lr)
{
	uint8_t mask = (uint8_t)(1u << i);
	uint64_t state = lr & ICH_LR_STATE;

	v->lr[i] = lr;
	v->lr_pending = (uint8_t)((v->lr_pending & ~mask) | (state == ICH_LR_PENDING ? mask : 0));
	v->lr_valid = (uint8_t)((v->lr_valid & ~mask) | (state != 0 ? mask : 0));
	v->lr_group1 = (uint8_t)((v->lr_group1 & ~mask) | ((lr & ICH_LR_GROUP1) ? mask : 0));
	v->lr_nmi = (uint8_t)((v->lr_nmi & ~mask) |
			      ((lr & (ICH_LR_GROUP1 | ICH_LR_NMI)) == (ICH_LR_GROUP1 | ICH_LR_NMI)
				       ? mask
				       : 0));
	v->lr_eoi = (uint8_t)((v->lr_eoi & ~mask) |
			      ((lr & (ICH_LR_STATE | ICH_LR_HW | ICH_LR_EOI)) == ICH_LR_EOI ? mask
											    : 0));
}

// HighestPriorityVirtualInterrupt: among list registers that are pending (not active and pending)
// and whose group is enabled; an NMI wins among equals, then the lowest numbered one. -1: none.
static int best_lr(const struct gicv3_virt *v)
{
	unsigned enabled = ((v->vmcr & ICH_VMCR_VENG1) ? v->lr_group1 : 0u) |
			   ((v->vmcr & ICH_VMCR_VENG0) ? ~(unsigned)v->lr_group1 : 0u);
	uint32_t best_priority = PRIORITY_IDLE;
	int best = -1;

	for (unsigned pending = v->lr_pending & enabled; pending != 0; pending &= pending - 1) {
		int i = __builtin_ctz(pending);

		uint32_t priority = lr_priority(v, (unsigned)i);

		if (priority < best_priority ||
		    (priority == best_priority && best >= 0 && !((v->lr_nmi >> best) & 1) &&
		     ((v->lr_nmi >> i) & 1))) {
			best_priority = priority;
			best = i;
		}
	}
	return best;
}

// CanSignalVirtualInterrupt
static bool can_preempt(const struct gicv3_virt *v)
{
	uint32_t priority;
	uint32_t running;
	uint32_t mask;
	bool nmi;

	if (!(v->hcr & ICH_HCR_EN) || v->best < 0) {
		return false;
	}
	priority = lr_priority(v, (unsigned)v->best);
	nmi = (v->lr_nmi >> v->best) & 1;
	if (!nmi && priority >= vmcr_pmr(v)) {
		return false;
	}
	running = running_priority(v);
	if (running == PRIORITY_IDLE) {
		return true;
	}
	mask = group_priority_mask(v, (v->lr[v->best] & ICH_LR_GROUP1) != 0);
	if ((priority & mask) == (running & mask)) {
		return nmi && !v->nmi;
	}
	return (priority & mask) < (running & mask);
}

// ---- status of the list registers, and the maintenance interrupt --------------------------------

static uint64_t elrsr_of(const struct gicv3_virt *v)
{
	uint64_t elrsr = 0;

	for (unsigned i = 0; i < LR_COUNT; i++) {
		if (!(v->lr[i] & ICH_LR_STATE) &&
		    ((v->lr[i] & ICH_LR_HW) || !(v->lr[i] & ICH_LR_EOI))) {
			elrsr |= BIT(i);
		}
	}
	return elrsr;
}

static uint64_t misr_of(const struct gicv3_virt *v)
{
	static const struct {
		uint64_t control, cause; // in ICH_HCR_EL2 and ICH_VMCR_EL2
		bool when; // the cause is set, or clear
		uint64_t status;
	} groups[] = {
		{ICH_HCR_VGRP0EIE, ICH_VMCR_VENG0, true, ICH_MISR_VGRP0E},
		{ICH_HCR_VGRP0DIE, ICH_VMCR_VENG0, false, ICH_MISR_VGRP0D},
		{ICH_HCR_VGRP1EIE, ICH_VMCR_VENG1, true, ICH_MISR_VGRP1E},
		{ICH_HCR_VGRP1DIE, ICH_VMCR_VENG1, false, ICH_MISR_VGRP1D},
	};
	uint64_t misr = v->lr_eoi != 0 ? ICH_MISR_EOI : 0;

	if (!(v->hcr & ICH_HCR_MAINTENANCE)) {
		return misr;
	}
	if ((v->hcr & ICH_HCR_UIE) && (v->lr_valid & (v->lr_valid - 1)) == 0) {
		misr |= ICH_MISR_U;
	}
	if ((v->hcr & ICH_HCR_LRENPIE) &&
	    bits(v->hcr, ICH_HCR_EOICOUNT_HI, ICH_HCR_EOICOUNT_LO) != 0) {
		misr |= ICH_MISR_LRENP;
	}
	if ((v->hcr & ICH_HCR_NPIE) && v->lr_pending == 0) {
		misr |= ICH_MISR_NP;
	}
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		if ((v->hcr & groups[i].control) &&
		    ((v->vmcr & groups[i].cause) != 0) == groups[i].when) {
			misr |= groups[i].status;
		}
	}
	return misr;
}

// Bring the outputs in line with the registers, after any change.
static void virt_update(struct gicv3_pe *p)
{
	struct gicv3_virt *v = &p->virt;
	bool signalled;
	bool group1;

	v->best = best_lr(v);
	signalled = can_preempt(v);
	group1 = signalled && (v->lr[v->best] & ICH_LR_GROUP1) != 0;
	if (group1) {
		gicv3_set_superpriority(p, PE_LINE_VIRQ, (v->lr_nmi >> v->best) & 1);
	}
	gicv3_set_line(p, PE_LINE_VIRQ, group1);
	gicv3_set_line(p, PE_LINE_VFIQ, signalled && !group1);
	irq_set(&v->maintenance, (v->hcr & ICH_HCR_EN) != 0 && misr_of(v) != 0);
}

uint32_t gicv3_virt_intid(const struct gicv3_pe *p)
{
	return p->virt.best < 0 ? INTID_SPURIOUS : ICH_LR_VINTID(p->virt.lr[p->virt.best]);
}

// ---- what the guest does ------------------------------------------------------------------------

static bool intid_is_special(uint32_t intid)
{
	return intid >= INTID_SECURE && intid <= INTID_SPURIOUS;
}

static void set_hcr(struct gicv3_pe *p, uint64_t hcr)
{
	p->virt.hcr = hcr;
	sysreg_set(p->pe, SR_ICH_HCR_EL2, hcr);
}

// VirtualReadHPPIR0, VirtualReadHPPIR1
uint64_t gicv3_virt_hppir(struct gicv3_pe *p, bool group1)
{
	const struct gicv3_virt *v = &p->virt;

	if (v->best < 0 || ((v->lr[v->best] & ICH_LR_GROUP1) != 0) != group1) {
		return INTID_SPURIOUS;
	}
	return ICH_LR_VINTID(v->lr[v->best]);
}

// VirtualReadIAR0, VirtualReadIAR1
static uint64_t acknowledge(struct gicv3_pe *p, bool group1, bool from_nmiar)
{
	struct gicv3_virt *v = &p->virt;
	uint64_t lr;
	uint32_t intid;
	uint32_t level;
	bool nmi;

	if (!can_preempt(v) || ((v->lr[v->best] & ICH_LR_GROUP1) != 0) != group1) {
		return INTID_SPURIOUS;
	}
	lr = v->lr[v->best];
	nmi = (v->lr_nmi >> v->best) & 1;
	if (from_nmiar && !nmi) {
		return INTID_SPURIOUS;
	}
	if (unlikely(nmi) && !from_nmiar && gicv3_nmi_apart(p)) {
		return INTID_NMI;
	}
	intid = ICH_LR_VINTID(lr);
	if (intid_is_special(intid)) {
		// A hypervisor's error: consumed, nothing becomes active.
		lr_set(v, (unsigned)v->best, lr & ~ICH_LR_STATE);
		virt_update(p);
		return intid;
	}
	if (nmi) {
		v->nmi = true;
	} else {
		level = (ICH_LR_PRIORITY(lr) & group_priority_mask(v, group1)) >> LEVEL_SHIFT;
		v->active[group1] |= (uint32_t)BIT(level);
	}
	lr &= ~ICH_LR_PENDING;
	// LPIs have no active state.
	lr_set(v, (unsigned)v->best, intid < INTID_LPI ? lr | ICH_LR_ACTIVE : lr);
	virt_update(p);
	return intid;
}

uint64_t gicv3_virt_iar(struct gicv3_pe *p, bool group1)
{
	return acknowledge(p, group1, false);
}

uint64_t gicv3_virt_nmiar(struct gicv3_pe *p)
{
	return acknowledge(p, true, true);
}

// The list register in which this virtual interrupt is active, or -1.
static int find_active(const struct gicv3_virt *v, uint32_t intid)
{
	for (unsigned valid = v->lr_valid; valid != 0; valid &= valid - 1) {
		int i = __builtin_ctz(valid);

		if ((v->lr[i] & ICH_LR_ACTIVE) && ICH_LR_VINTID(v->lr[i]) == intid) {
			return i;
		}
	}
	return -1;
}

// Deactivate, in the list register and, with HW, in the distributor.
static void deactivate(struct gicv3_pe *p, int i)
{
	uint64_t lr = p->virt.lr[i];

	lr_set(&p->virt, (unsigned)i, lr & ~ICH_LR_ACTIVE);
	if ((lr & ICH_LR_HW) && ICH_LR_PINTID(lr) < p->gic->intid_count) {
		gicv3_deactivate(p, ICH_LR_PINTID(lr));
	}
}

// A guest ended an interrupt that is in no list register: the hypervisor had to move it out
// (EOIcount).
static void count_eoi(struct gicv3_pe *p, uint32_t intid)
{
	uint64_t count = bits(p->virt.hcr, ICH_HCR_EOICOUNT_HI, ICH_HCR_EOICOUNT_LO) + 1;

	if (intid < INTID_LPI) {
		set_hcr(p, bits_set(p->virt.hcr, ICH_HCR_EOICOUNT_HI, ICH_HCR_EOICOUNT_LO, count));
	}
}

// Drop the running priority; group 0 goes first when both groups are active at it. PRIORITY_IDLE:
// nothing was active.
static uint32_t drop_priority(struct gicv3_virt *v)
{
	uint32_t running = running_priority(v);
	unsigned group;

	if (v->nmi) {
		v->nmi = false;
	} else if (running != PRIORITY_IDLE) {
		group = bit(v->active[0], running >> LEVEL_SHIFT) ? 0 : 1;
		v->active[group] &= v->active[group] - 1;
	}
	return running;
}

// VirtualWriteEOIR0, VirtualWriteEOIR1
void gicv3_virt_eoir(struct gicv3_pe *p, bool group1, uint64_t value)
{
	struct gicv3_virt *v = &p->virt;
	uint32_t intid = value & 0xffffff;
	bool split = (v->vmcr & ICH_VMCR_VEOIM) != 0;
	uint32_t dropped;
	int i;

	if (intid_is_special(intid)) {
		return;
	}
	dropped = drop_priority(v);
	if (dropped == PRIORITY_IDLE) {
		return;
	}
	i = find_active(v, intid);
	if (!split && i < 0) {
		count_eoi(p, intid);
	} else if (!split && ((v->lr[i] & ICH_LR_GROUP1) != 0) == group1 &&
		   (lr_priority(v, (unsigned)i) & group_priority_mask(v, group1)) == dropped) {
		deactivate(p, i);
	}
	virt_update(p);
}

// VirtualWriteDIR
void gicv3_virt_dir(struct gicv3_pe *p, uint64_t value)
{
	struct gicv3_virt *v = &p->virt;
	uint32_t intid = value & 0xffffff;
	int i;

	if (intid_is_special(intid) || !(v->vmcr & ICH_VMCR_VEOIM)) {
		return;
	}
	i = find_active(v, intid);
	if (i < 0) {
		count_eoi(p, intid);
	} else {
		deactivate(p, i);
	}
	virt_update(p);
}

uint64_t gicv3_virt_bpr(struct gicv3_pe *p, bool group1)
{
	const struct gicv3_virt *v = &p->virt;
	uint32_t bpr = vmcr_bpr(v, group1);

	if (group1 && (v->vmcr & ICH_VMCR_VCBPR)) {
		bpr = vmcr_bpr(v, false);
		return bpr == 7 ? 7 : bpr + 1;
	}
	return bpr;
}

void gicv3_virt_set_bpr(struct gicv3_pe *p, bool group1, uint64_t value)
{
	if (group1 && (p->virt.vmcr & ICH_VMCR_VCBPR)) {
		return;
	}
	vmcr_set_bpr(&p->virt, group1, value);
	virt_update(p);
}

uint64_t gicv3_virt_pmr(struct gicv3_pe *p)
{
	return vmcr_pmr(&p->virt);
}

void gicv3_virt_set_pmr(struct gicv3_pe *p, uint64_t value)
{
	p->virt.vmcr = bits_set(p->virt.vmcr, 31, 24, value & PRIORITY_MASK);
	virt_update(p);
}

uint64_t gicv3_virt_rpr(struct gicv3_pe *p)
{
	return running_priority(&p->virt) | (p->virt.nmi ? ICC_RPR_NMI : 0);
}

uint64_t gicv3_virt_ctlr(struct gicv3_pe *p)
{
	uint64_t vmcr = p->virt.vmcr;

	return ICC_CTLR_FIXED | ((vmcr & ICH_VMCR_VCBPR) ? ICC_CTLR_CBPR : 0) |
	       ((vmcr & ICH_VMCR_VEOIM) ? ICC_CTLR_EOIMODE : 0);
}

void gicv3_virt_set_ctlr(struct gicv3_pe *p, uint64_t value)
{
	p->virt.vmcr &= ~(ICH_VMCR_VCBPR | ICH_VMCR_VEOIM);
	p->virt.vmcr |= ((value & ICC_CTLR_CBPR) ? ICH_VMCR_VCBPR : 0) |
			((value & ICC_CTLR_EOIMODE) ? ICH_VMCR_VEOIM : 0);
	virt_update(p);
}

uint64_t gicv3_virt_igrpen(struct gicv3_pe *p, bool group1)
{
	return (p->virt.vmcr & (group1 ? ICH_VMCR_VENG1 : ICH_VMCR_VENG0)) != 0;
}

void gicv3_virt_set_igrpen(struct gicv3_pe *p, bool group1, uint64_t value)
{
	uint64_t enable = group1 ? ICH_VMCR_VENG1 : ICH_VMCR_VENG0;

	p->virt.vmcr = (value & 1) ? p->virt.vmcr | enable : p->virt.vmcr & ~enable;
	virt_update(p);
}

uint64_t gicv3_virt_apr(struct gicv3_pe *p, bool group1)
{
	return p->virt.active[group1] | (group1 && p->virt.nmi ? ICC_AP1R_NMI : 0);
}

void gicv3_virt_set_apr(struct gicv3_pe *p, bool group1, uint64_t value)
{
	p->virt.active[group1] = (uint32_t)value;
	if (group1) {
		p->virt.nmi = p->has_nmi && (value & ICC_AP1R_NMI);
	}
	virt_update(p);
}

// ---- what the hypervisor does -------------------------------------------------------------------

static void hcr_write(struct pe *pe, void *opaque, enum sysreg reg, uint64_t value)
{
	struct gicv3_pe *p = opaque;

	(void)pe;
	(void)reg;
	set_hcr(p, value & ICH_HCR_WRITABLE);
	virt_update(p);
}

static uint64_t vtr_read(struct pe *pe, void *opaque, enum sysreg reg)
{
	(void)pe;
	(void)opaque;
	(void)reg;
	return ICH_VTR;
}

static uint64_t misr_read(struct pe *pe, void *opaque, enum sysreg reg)
{
	(void)pe;
	(void)reg;
	return misr_of(&((struct gicv3_pe *)opaque)->virt);
}

static uint64_t eisr_read(struct pe *pe, void *opaque, enum sysreg reg)
{
	(void)pe;
	(void)reg;
	return ((struct gicv3_pe *)opaque)->virt.lr_eoi;
}

static uint64_t elrsr_read(struct pe *pe, void *opaque, enum sysreg reg)
{
	(void)pe;
	(void)reg;
	return elrsr_of(&((struct gicv3_pe *)opaque)->virt);
}

static uint64_t vmcr_read(struct pe *pe, void *opaque, enum sysreg reg)
{
	(void)pe;
	(void)reg;
	return ((struct gicv3_pe *)opaque)->virt.vmcr;
}

static void set_vmcr(struct gicv3_virt *v, uint64_t value)
{
	v->vmcr = (value & ICH_VMCR_WRITABLE) | ICH_VMCR_VFIQEN;
	v->vmcr = bits_set(v->vmcr, 31, 24, vmcr_pmr(v) & PRIORITY_MASK);
	vmcr_set_bpr(v, false, vmcr_bpr(v, false));
	vmcr_set_bpr(v, true, vmcr_bpr(v, true));
}

static void vmcr_write(struct pe *pe, void *opaque, enum sysreg reg, uint64_t value)
{
	struct gicv3_pe *p = opaque;

	(void)pe;
	(void)reg;
	set_vmcr(&p->virt, value);
	virt_update(p);
}

static uint64_t ich_ap0r_read(struct pe *pe, void *opaque, enum sysreg reg)
{
	(void)pe;
	(void)reg;
	return gicv3_virt_apr(opaque, false);
}

static void ich_ap0r_write(struct pe *pe, void *opaque, enum sysreg reg, uint64_t value)
{
	(void)pe;
	(void)reg;
	gicv3_virt_set_apr(opaque, false, value);
}

static uint64_t ich_ap1r_read(struct pe *pe, void *opaque, enum sysreg reg)
{
	(void)pe;
	(void)reg;
	return gicv3_virt_apr(opaque, true);
}

static void ich_ap1r_write(struct pe *pe, void *opaque, enum sysreg reg, uint64_t value)
{
	(void)pe;
	(void)reg;
	gicv3_virt_set_apr(opaque, true, value);
}

static void ignore_write(struct pe *pe, void *opaque, enum sysreg reg, uint64_t value)
{
	(void)pe;
	(void)opaque;
	(void)reg;
	(void)value;
}

static const enum sysreg lr_regs[LR_COUNT] = {SR_ICH_LR0_EL2, SR_ICH_LR1_EL2, SR_ICH_LR2_EL2,
					      SR_ICH_LR3_EL2};

static unsigned lr_index(enum sysreg reg)
{
	for (unsigned i = 0; i < LR_COUNT - 1; i++) {
		if (reg == lr_regs[i]) {
			return i;
		}
	}
	return LR_COUNT - 1;
}

static uint64_t lr_read(struct pe *pe, void *opaque, enum sysreg reg)
{
	(void)pe;
	return ((struct gicv3_pe *)opaque)->virt.lr[lr_index(reg)];
}

static void lr_write(struct pe *pe, void *opaque, enum sysreg reg, uint64_t value)
{
	struct gicv3_pe *p = opaque;

	(void)pe;
	lr_set(&p->virt, lr_index(reg), value & (ICH_LR_WRITABLE | (p->has_nmi ? ICH_LR_NMI : 0)));
	virt_update(p);
}

static const struct {
	enum sysreg reg;
	sysreg_read_fn *read;
	sysreg_write_fn *write;
} virt_rows[] = {
	{SR_ICH_AP0R0_EL2, ich_ap0r_read, ich_ap0r_write},
	{SR_ICH_AP1R0_EL2, ich_ap1r_read, ich_ap1r_write},
	{SR_ICH_HCR_EL2, NULL, hcr_write},
	{SR_ICH_VTR_EL2, vtr_read, ignore_write},
	{SR_ICH_MISR_EL2, misr_read, ignore_write},
	{SR_ICH_EISR_EL2, eisr_read, ignore_write},
	{SR_ICH_ELRSR_EL2, elrsr_read, ignore_write},
	{SR_ICH_VMCR_EL2, vmcr_read, vmcr_write},
};

void gicv3_virt_bind(struct gicv3_pe *p)
{
	for (size_t i = 0; i < sizeof(virt_rows) / sizeof(virt_rows[0]); i++) {
		sysreg_bind(p->pe, virt_rows[i].reg, virt_rows[i].read, virt_rows[i].write, p);
	}
	for (unsigned i = 0; i < LR_COUNT; i++) {
		sysreg_bind(p->pe, lr_regs[i], lr_read, lr_write, p);
	}
}

void gicv3_virt_reset(struct gicv3_pe *p)
{
	struct gicv3_virt *v = &p->virt;

	v->active[0] = v->active[1] = 0;
	v->nmi = false;
	for (unsigned i = 0; i < LR_COUNT; i++) {
		lr_set(v, i, 0);
	}
	set_vmcr(v, 0);
	set_hcr(p, 0);
	virt_update(p);
}
