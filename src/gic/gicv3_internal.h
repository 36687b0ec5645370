// SPDX-License-Identifier: Apache-2.0
// GICv3, inside: the state that its four parts share (gicv3.c selection, _mmio frames, _cpu ICC_*,
// _virt ICH_*/ICV_*).
#ifndef STRATA_GIC_GICV3_INTERNAL_H
#define STRATA_GIC_GICV3_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bits.h"
#include "base/log.h"
#include "bus/bus.h"
#include "cpu/sysreg.h"
#include "gic/gicv3.h"

// INTIDs
#define INTID_PPI 16
#define INTID_SPI 32
#define INTID_SECURE 1020 // "a Secure Group 1 interrupt is pending", told to EL3
#define INTID_NONSECURE 1021 // "a Non-secure Group 1 interrupt is pending", told to EL3
#define INTID_NMI 1022 // "the interrupt is to be acknowledged with ICC_NMIAR1_EL1"
#define INTID_SPURIOUS 1023
#define INTID_LPI 8192

#define BANK_COUNT 32 // banks of 32 INTIDs below 1024

// Five of eight priority bits are implemented, and all of them preempt: 32 levels, and the same for
// a guest.
#define PRIORITY_BITS 5
#define PRIORITY_MASK 0xf8u
#define PRIORITY_IDLE 0xffu
#define LEVEL_SHIFT \
	(8 - PRIORITY_BITS) // active priority bit n stands for priority n << LEVEL_SHIFT
#define BPR_MIN (7 - PRIORITY_BITS)
#define BPR_MIN_NS (BPR_MIN + 1)

#define LR_COUNT 4

// GICD_CTLR as the Secure state sees it, or anyone with one Security state (then bit 1 is
// EnableGrp1, bit 2 RES0).
#define GICD_CTLR_ENABLE_G0 BIT(0)
#define GICD_CTLR_ENABLE_G1NS BIT(1)
#define GICD_CTLR_ENABLE_G1S BIT(2)
#define GICD_CTLR_ARE BIT(4)
#define GICD_CTLR_ARE_NS BIT(5)
#define GICD_CTLR_DS BIT(6)

#define GICR_WAKER_SLEEP BIT(1)
#define GICR_WAKER_ASLEEP BIT(2)

#define HCR_FMO BIT(3)
#define HCR_IMO BIT(4)
#define SCR_NS BIT(0)
#define SCR_IRQ BIT(1)
#define SCR_FIQ BIT(2)

// With one Security state Group 1 is kept as GROUP_1NS and GROUP_1S does not occur.
enum gicv3_group { GROUP_0, GROUP_1S, GROUP_1NS, GROUP_COUNT };

// What is known of 32 interrupts, bit n for INTID 32 * bank + n.
struct gicv3_bank {
	uint32_t valid; // implemented
	uint32_t group, grpmod;
	uint32_t enabled;
	uint32_t pending; // latched: by an edge, a message or a write
	uint32_t level; // of the input
	uint32_t edge; // edge-triggered, else level-sensitive
	uint32_t active;
	uint32_t nmi; // non-maskable property; says nothing of Group 0
	uint32_t ready; // derived: pending, enabled and not active; see gicv3_bank_refresh
	uint64_t nsacr; // two bits each
	uint8_t priority[32]; // Secure view
};

enum gicv3_state { STATE_S, STATE_NS, STATE_COUNT };

// ICC_* of one PE.
struct gicv3_cpu {
	uint32_t pmr;
	uint32_t bpr[GROUP_COUNT];
	uint32_t active[GROUP_COUNT]; // AP0R0, AP1R0 (S), AP1R0 (NS)
	bool nmi[GROUP_COUNT]; // the NMI bit of AP1R0: an NMI of the group is active
	bool enabled[GROUP_COUNT]; // IGRPEN
	bool common_bpr[STATE_COUNT]; // CTLR.CBPR
	bool eoi_split[STATE_COUNT]; // CTLR.EOImode
	bool eoi_split_el3;
};

// ICH_* of one PE; ICV_* are views of these.
struct gicv3_virt {
	uint64_t hcr; // a copy of what sr[] holds
	uint64_t vmcr;
	uint32_t active[2]; // AP0R0, AP1R0
	bool nmi; // AP1R0.NMI
	uint64_t lr[LR_COUNT];
	// Of the list registers, one bit each: derived when one is written.
	uint8_t lr_pending; // pending, and not active as well
	uint8_t lr_valid; // pending or active
	uint8_t lr_group1;
	uint8_t lr_nmi; // of Group 1
	uint8_t lr_eoi; // ended, and maintenance was asked for
	int best; // list register of the highest priority pending virtual interrupt, or -1
	struct irq_line maintenance;
};

struct gicv3_pe {
	struct gicv3 *gic;
	struct pe *pe;
	uint64_t affinity; // MPIDR_EL1 layout
	uint64_t sgi_affinity; // the same in ICC_SGI*R_EL1's: Aff3, RS, Aff2, Aff1
	unsigned index;
	bool has_el3;
	bool has_nmi; // FEAT_GICv3_NMI
	bool asleep_told; // the log knows that an interrupt was held back
	uint64_t waker;
	struct gicv3_bank bank; // SGIs and PPIs
	uint32_t routed[BANK_COUNT]; // SPIs that are routed here
	uint8_t forwarded; // one bit per group: enabled here and in the distributor
	// The highest priority pending interrupt of the enabled groups; INTID_SPURIOUS and
	// PRIORITY_IDLE if none.
	uint32_t best_intid;
	uint32_t best_priority;
	enum gicv3_group best_group;
	bool best_nmi;
	bool lines[PE_LINE_COUNT]; // as last told to the PE
	bool superpriority[PE_LINE_COUNT]; // the same
	struct gicv3_cpu cpu;
	struct gicv3_virt virt;
};

struct gicv3 {
	struct gicv3_config config; // pes: our copy
	struct log *log;
	unsigned intid_count; // 32 + SPIs
	uint64_t ctlr; // GICD_CTLR: enables and DS
	bool has_nmi; // GICD_TYPER.NMI
	bool handed_over; // by gicv3_hand_over, since the last reset
	uint32_t ready_banks; // SPI banks with any ready interrupt
	struct gicv3_bank banks[BANK_COUNT]; // [0] is unused: it is in the redistributors
	uint64_t router[BANK_COUNT * 32]; // GICD_IROUTER
	struct gicv3_pe *pes;
};

static inline bool gicv3_one_state(const struct gicv3 *gic)
{
	return (gic->ctlr & GICD_CTLR_DS) != 0;
}

// The interrupts of a bank that belong to a group, as a mask.
static inline uint32_t gicv3_bank_group(const struct gicv3 *gic, const struct gicv3_bank *bank,
					enum gicv3_group group)
{
	uint32_t grpmod = gicv3_one_state(gic) ? 0 : bank->grpmod;

	switch (group) {
	case GROUP_0:
		return ~bank->group & ~grpmod;
	case GROUP_1S:
		return ~bank->group & grpmod;
	default:
		return bank->group;
	}
}

// The interrupts of a bank with the non-maskable property, which Group 0 cannot have.
static inline uint32_t gicv3_bank_nmi(const struct gicv3 *gic, const struct gicv3_bank *bank)
{
	return bank->nmi & (bank->group | (gicv3_one_state(gic) ? 0 : bank->grpmod));
}

// gicv3.c: state of single interrupts and selection
// -------------------------------------------------------------

// The bank of an INTID below intid_count, as this PE sees it.
static inline struct gicv3_bank *gicv3_bank_of(struct gicv3_pe *p, uint32_t intid)
{
	return intid < INTID_SPI ? &p->bank : &p->gic->banks[intid / 32];
}

enum gicv3_group gicv3_group_of(struct gicv3_pe *p, uint32_t intid);

// After a change to the interrupts `changed` of the bank of SPIs `n`, or to those of a PE's own
// bank.
void gicv3_spis_changed(struct gicv3 *gic, unsigned n, uint32_t changed);
void gicv3_own_changed(struct gicv3_pe *p);

// Store IROUTER of an SPI and route it to its PE.
void gicv3_route(struct gicv3 *gic, uint32_t intid, uint64_t router);

// Select anew for this PE, or all, after a change of group enables or of sleep.
void gicv3_select(struct gicv3_pe *p);
void gicv3_select_all(struct gicv3 *gic);

// Acknowledge and deactivate; intid below intid_count.
void gicv3_activate(struct gicv3_pe *p, uint32_t intid);
void gicv3_deactivate(struct gicv3_pe *p, uint32_t intid);

// Drive a line of the PE, if its level changes.
static inline void gicv3_set_line(struct gicv3_pe *p, enum pe_line line, bool level)
{
	if (p->lines[line] != level) {
		p->lines[line] = level;
		pe_set_line(p->pe, line, level);
	}
}

// Tell the PE, before the line of an interrupt goes high, whether the interrupt is an NMI.
static inline void gicv3_set_superpriority(struct gicv3_pe *p, enum pe_line line, bool nmi)
{
	if (p->superpriority[line] != nmi) {
		p->superpriority[line] = nmi;
		pe_set_superpriority(p->pe, line, nmi);
	}
}

// gicv3_mmio.c
// -------------------------------------------------------------------------------------------------
extern const struct bus_device_type gicv3_mmio_dist_type; // device: struct gicv3
extern const struct bus_device_type gicv3_mmio_redist_type; // device: struct gicv3

// gicv3_cpu.c
// --------------------------------------------------------------------------------------------------
void gicv3_cpu_bind(struct gicv3_pe *p);
void gicv3_cpu_reset(struct gicv3_pe *p);
// Drive IRQ and FIQ from the selected interrupt and the CPU interface's state.
void gicv3_cpu_signal(struct gicv3_pe *p);

// gicv3_virt.c
// -------------------------------------------------------------------------------------------------
void gicv3_virt_bind(struct gicv3_pe *p);
void gicv3_virt_reset(struct gicv3_pe *p);
uint32_t
gicv3_virt_intid(const struct gicv3_pe *p); // of the best virtual interrupt, or INTID_SPURIOUS

// Is an access by the PE to a register that HCR_EL2's bits (FMO, IMO) virtualise one to ICV_*?
static inline bool gicv3_virt_access(const struct gicv3_pe *p, uint64_t hcr_bits)
{
	return (pe_guest_hcr(p->pe) & hcr_bits) != 0;
}

// SCTLR_ELx.NMI of the current level: do its NMIs have a register of their own to acknowledge them?
bool gicv3_nmi_apart(const struct gicv3_pe *p);

#define ICC_AP1R_NMI BIT(63)
#define ICC_RPR_NMI BIT(63)
#define ICC_RPR_NMI_NS BIT(62)

// The ICV_* side of the registers of gicv3_cpu.c. group1: the register ends in 1.
uint64_t gicv3_virt_iar(struct gicv3_pe *p, bool group1);
uint64_t gicv3_virt_nmiar(struct gicv3_pe *p);
void gicv3_virt_eoir(struct gicv3_pe *p, bool group1, uint64_t value);
void gicv3_virt_dir(struct gicv3_pe *p, uint64_t value);
uint64_t gicv3_virt_hppir(struct gicv3_pe *p, bool group1);
uint64_t gicv3_virt_bpr(struct gicv3_pe *p, bool group1);
void gicv3_virt_set_bpr(struct gicv3_pe *p, bool group1, uint64_t value);
uint64_t gicv3_virt_pmr(struct gicv3_pe *p);
void gicv3_virt_set_pmr(struct gicv3_pe *p, uint64_t value);
uint64_t gicv3_virt_rpr(struct gicv3_pe *p);
uint64_t gicv3_virt_ctlr(struct gicv3_pe *p);
void gicv3_virt_set_ctlr(struct gicv3_pe *p, uint64_t value);
uint64_t gicv3_virt_igrpen(struct gicv3_pe *p, bool group1);
void gicv3_virt_set_igrpen(struct gicv3_pe *p, bool group1, uint64_t value);
uint64_t gicv3_virt_apr(struct gicv3_pe *p, bool group1);
void gicv3_virt_set_apr(struct gicv3_pe *p, bool group1, uint64_t value);

// The read-only part that ICC_CTLR_EL1, ICC_CTLR_EL3 and ICV_CTLR_EL1 share.
#define ICC_CTLR_CBPR BIT(0)
#define ICC_CTLR_EOIMODE BIT(1)
#define ICC_CTLR_PRIBITS ((uint64_t)(PRIORITY_BITS - 1) << 8)
#define ICC_CTLR_A3V BIT(15)
#define ICC_CTLR_RSS BIT(18)
#define ICC_CTLR_FIXED (ICC_CTLR_PRIBITS | ICC_CTLR_A3V | ICC_CTLR_RSS)

#endif
