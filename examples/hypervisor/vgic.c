// SPDX-License-Identifier: Apache-2.0
//
// vgic.c - interrupts: physical ones taken at EL2, virtual ones given to the guest.
//
// With HCR_EL2.IMO set, a physical IRQ goes to EL2 whatever the guest masks, and the guest's ICC_*
// accesses act on the virtual CPU interface. A virtual interrupt is written into a list register;
// when the guest has it unmasked, it takes IRQ at EL1 and reads the number from ICC_IAR1_EL1 like
// on bare metal. Two kinds are shown:
//
//	the alarm	CNTHP, the hypervisor's own timer (INTID 26), ends here; the guest gets
//			INTID 40, which no hardware has (HW = 0)
//	its timer	CNTV (INTID 27) belongs to the guest; the list register links virtual 27
//			with physical 27 (HW = 1), so that the guest's end of interrupt also
//			deactivates the physical one

#include "hyp.h"

#define GICR_SGI_BASE (GICR_BASE + 0x10000ul)
#define GICR_WAKER 0x14
#define GICR_IGROUPR0 0x80
#define GICR_ISENABLER0 0x100
#define GICR_IPRIORITYR 0x400

#define ICC_CTLR_EOIMODE (1ul << 1)
#define ICH_HCR_EN 1ul
#define LR_PENDING (1ul << 62)
#define LR_HW (1ul << 61)
#define LR_GROUP1 (1ul << 60)
#define LR_PRIORITY(n) ((uint64_t)(n) << 48)
#define LR_PINTID(n) ((uint64_t)(n) << 32)

#define CNT_CTL_ENABLE 1ul

static void enable_ppi(unsigned intid)
{
	*(volatile uint8_t *)(GICR_SGI_BASE + GICR_IPRIORITYR + intid) = 0x80;
	write32(GICR_SGI_BASE + GICR_ISENABLER0, 1u << intid);
}

static void init_redistributor(void)
{
	// No effect where EL3 has done it and keeps it for itself.
	write32(GICR_BASE + GICR_WAKER, read32(GICR_BASE + GICR_WAKER) & ~2u);
	while (read32(GICR_BASE + GICR_WAKER) & 4) {
	}
	write32(GICR_SGI_BASE + GICR_IGROUPR0, ~0u);
	enable_ppi(INTID_CNTHP);
	enable_ppi(INTID_CNTV);
}

void gic_init(void)
{
	write_sysreg(ICC_SRE_EL2, 0xf); // system registers, and EL1 may use its own
	isb();
	write_sysreg(ICC_SRE_EL1, 7);
	isb();
	// The bits that Non-secure code sees with two security states and those of a GIC with one
	// overlap here: affinity routing (bit 4) and Group 1 (bit 1).
	write32(GICD_BASE, 1u << 4);
	write32(GICD_BASE, 1u << 4 | 1u << 1);
	init_redistributor();
	write_sysreg(ICC_PMR_EL1, 0xff);
	write_sysreg(ICC_BPR1_EL1, 0);
	// EOIR only drops the priority; deactivation is DIR's, or the guest's by way of the list
	// register.
	write_sysreg(ICC_CTLR_EL1, ICC_CTLR_EOIMODE);
	write_sysreg(ICC_IGRPEN1_EL1, 1);
	write_sysreg(ICH_VMCR_EL2, 0); // the guest sets its mask and enable bits itself
	write_sysreg(ICH_LR0_EL2, 0);
	write_sysreg(ICH_HCR_EL2, ICH_HCR_EN);
	isb();
}

// One list register is enough for two interrupts that the guest never has at the same time; a
// hypervisor with more would keep a queue and ask for the maintenance interrupt.
static bool inject(uint64_t list_register)
{
	if (!(read_sysreg(ICH_ELRSR_EL2) & 1)) {
		uart_print("[EL2] list register 0 is busy, interrupt dropped\n");
		return false;
	}
	write_sysreg(ICH_LR0_EL2, list_register | LR_PENDING | LR_GROUP1 | LR_PRIORITY(0x80));
	isb();
	return true;
}

bool vgic_has_pending(void)
{
	return read_sysreg(ICH_LR0_EL2) & LR_PENDING;
}

// The hypervisor's timer. With E2H, CNTP_* at EL2 is this same timer: code written for EL1 would
// run unchanged.
#if HYP_VHE
#define own_timer_ctl cntp_ctl_el0
#define own_timer_cval cntp_cval_el0
#else
#define own_timer_ctl cnthp_ctl_el2
#define own_timer_cval cnthp_cval_el2
#endif

void alarm_set(uint64_t ticks)
{
	write_sysreg(own_timer_cval, read_sysreg(cntpct_el0) + ticks);
	write_sysreg(own_timer_ctl, CNT_CTL_ENABLE);
	isb();
}

void gic_handle_irq(void)
{
	uint64_t intid = read_sysreg(ICC_IAR1_EL1) & 0xffffff;

	if (intid >= 1020) {
		return; // spurious
	}
	if (intid == INTID_CNTHP) {
		uart_print("[EL2] IRQ %u (CNTHP): injecting INTID %u through ICH_LR0_EL2\n", intid,
			   (uint64_t)INTID_ALARM);
		write_sysreg(own_timer_ctl, 0); // level-sensitive: take the level away first
		isb();
		inject(INTID_ALARM);
		write_sysreg(ICC_EOIR1_EL1, intid);
		write_sysreg(ICC_DIR_EL1, intid);
	} else if (intid == INTID_CNTV) {
		uart_print("[EL2] IRQ %u (CNTV): injecting it with HW = 1\n", intid);
		write_sysreg(ICC_EOIR1_EL1, intid); // still active, so it does not come again
		if (!inject(LR_HW | LR_PINTID(intid) | intid)) {
			write_sysreg(ICC_DIR_EL1, intid);
		}
	} else {
		uart_print("[EL2] IRQ %u: not ours\n", intid);
		write_sysreg(ICC_EOIR1_EL1, intid);
		write_sysreg(ICC_DIR_EL1, intid);
	}
}
