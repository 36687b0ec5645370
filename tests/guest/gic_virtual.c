// SPDX-License-Identifier: Apache-2.0
//
// gic_virtual.c - the virtual CPU interface: list registers, what a guest at EL1 sees of them,
// priority drop and deactivation, the hardware bit, maintenance interrupts, trap controls. Rules:
// IHI 0069, chapter 6 and 12.4.

#include "guest.h"
#include "gic.h"

#define LR_PENDING BIT(62)
#define LR_ACTIVE BIT(63)
#define LR_HW BIT(61)
#define LR_GROUP1 BIT(60)
#define LR_EOI BIT(41)
#define LR_PINTID(n) ((uint64_t)(n) << 32)
#define LR(priority, vintid) ((uint64_t)(priority) << 48 | (vintid))

#define ICH_EN BIT(0)
#define ICH_UIE BIT(1)
#define ICH_LRENPIE BIT(2)
#define ICH_NPIE BIT(3)
#define ICH_VGRP0EIE BIT(4)
#define ICH_VGRP1DIE BIT(7)
#define ICH_TC BIT(10)
#define ICH_TALL0 BIT(11)
#define ICH_TALL1 BIT(12)
#define ICH_TDIR BIT(14)

#define VMCR_OPEN (0xf8ul << 24 | 3) // both groups enabled, mask open
#define HCR_GUEST (HCR_BASE | HCR_IMO | HCR_FMO)

SNIPPET(wait_a_little, "mov x9, #0x1000\n1:\tsubs x9, x9, #1\n\tb.ne 1b");
SNIPPET(ack0, "mrs x0, icc_iar0_el1\n\tisb");
SNIPPET(ack1, "mrs x0, icc_iar1_el1\n\tisb\n\tmrs x1, icc_rpr_el1");
SNIPPET(ack_and_end1, "mrs x0, icc_iar1_el1\n\tisb\n\tmsr icc_eoir1_el1, x0\n\tisb\n\t"
		      "mrs x1, icc_rpr_el1");
SNIPPET(end0, "msr icc_eoir0_el1, x0\n\tisb");
SNIPPET(end1, "msr icc_eoir1_el1, x0\n\tisb");
SNIPPET(end_and_dir1, "msr icc_eoir1_el1, x0\n\tisb\n\tmsr icc_dir_el1, x0\n\tisb");
SNIPPET(dir, "msr icc_dir_el1, x0\n\tisb");
SNIPPET(read_all, "mrs x0, icc_pmr_el1\n\tmrs x1, icc_bpr0_el1\n\tmrs x2, icc_bpr1_el1\n\t"
		  "mrs x3, icc_ctlr_el1\n\tmrs x4, icc_igrpen0_el1\n\tmrs x5, icc_igrpen1_el1\n\t"
		  "mrs x6, icc_hppir0_el1\n\tmrs x7, icc_hppir1_el1\n\tmrs x8, icc_rpr_el1");
SNIPPET(write_all, "msr icc_pmr_el1, x0\n\tmsr icc_bpr0_el1, x1\n\tmsr icc_bpr1_el1, x2\n\t"
		   "msr icc_ctlr_el1, x3\n\tmsr icc_igrpen0_el1, x4\n\t"
		   "msr icc_igrpen1_el1, x5\n\tisb");
SNIPPET(read_ctlr, "mrs x0, icc_ctlr_el1");
SNIPPET(read_bpr0, "mrs x0, icc_bpr0_el1");
SNIPPET(read_bpr1, "mrs x0, icc_bpr1_el1");

// A hypervisor's preparations, then its guest at EL1.
static void prepare(uint64_t ich_hcr)
{
	write_sysreg(hcr_el2, HCR_GUEST);
	write_sysreg(ich_vmcr_el2, VMCR_OPEN);
	write_sysreg(ich_hcr_el2, ich_hcr);
}

#define lr0() read_sysreg(ich_lr0_el2)
#define set_lr0(value) write_sysreg(ich_lr0_el2, value)

// ---- The hypervisor's registers -----------------------------------------------------------------

TEST(vtr_tells_four_list_registers)
{
	uint64_t vtr = read_sysreg(ich_vtr_el2);

	EXPECT_EQ(vtr & 0x1f, 3);
	EXPECT_EQ(vtr >> 26, 4ul << 3 | 4); // five bits of priority and of preemption
}

TEST(empty_list_registers)
{
	EXPECT_EQ(read_sysreg(ich_elrsr_el2), 0xf);
	EXPECT_EQ(read_sysreg(ich_eisr_el2), 0);
	set_lr0(LR_PENDING | LR(0xa0, 40));
	write_sysreg(ich_lr2_el2, LR_ACTIVE | LR(0xa0, 41));
	EXPECT_EQ(read_sysreg(ich_elrsr_el2), 0xa);
}

TEST(vmcr_minima)
{
	write_sysreg(ich_vmcr_el2, 0);
	// VFIQEn is RES1; binary points 2 and 3.
	EXPECT_EQ(read_sysreg(ich_vmcr_el2), 2ul << 21 | 3ul << 18 | 8);
}

TEST(list_registers_are_not_accessible_at_el1)
{
	SNIPPET(read_lr0, "mrs x0, ich_lr0_el2");
	struct exc e = run_at(EL1, read_lr0);

	EXPECT_EXC(e, EL1, EC_UNKNOWN, 0);
}

// ---- Virtual interrupts as exceptions -----------------------------------------------------------

TEST(group1_list_register_is_a_virtual_irq)
{
	prepare(ICH_EN);
	set_lr0(LR_PENDING | LR_GROUP1 | LR(0xa0, 40));
	struct exc e = run_at_spsr(SPSR_M_EL1H, wait_a_little);

	EXPECT_INTERRUPT(e, EL1, VECTOR_IRQ);
	e = run_at_spsr(SPSR_M_EL0T, wait_a_little);
	EXPECT_INTERRUPT(e, EL1, VECTOR_IRQ);
}

TEST(group0_list_register_is_a_virtual_fiq)
{
	prepare(ICH_EN);
	set_lr0(LR_PENDING | LR(0xa0, 40));
	struct exc e = run_at_spsr(SPSR_M_EL1H, wait_a_little);

	EXPECT_INTERRUPT(e, EL1, VECTOR_FIQ);
}

TEST(virtual_irq_is_masked_by_i)
{
	prepare(ICH_EN);
	set_lr0(LR_PENDING | LR_GROUP1 | LR(0xa0, 40));
	struct exc e = run_at_spsr(SPSR_M_EL1H | SPSR_I, wait_a_little);

	EXPECT_NO_EXC(e);
}

TEST(virtual_irq_needs_imo)
{
	prepare(ICH_EN);
	write_sysreg(hcr_el2, HCR_BASE | HCR_FMO);
	set_lr0(LR_PENDING | LR_GROUP1 | LR(0xa0, 40));
	struct exc e = run_at_spsr(SPSR_M_EL1H, wait_a_little);

	EXPECT_NO_EXC(e);
}

TEST(virtual_irq_is_not_taken_with_tge)
{
	prepare(ICH_EN);
	write_sysreg(hcr_el2, HCR_GUEST | HCR_TGE);
	set_lr0(LR_PENDING | LR_GROUP1 | LR(0xa0, 40));
	struct exc e = run_at_spsr(SPSR_M_EL0T, wait_a_little);

	EXPECT_NO_EXC(e);
}

TEST(virtual_irq_is_not_taken_at_el2)
{
	prepare(ICH_EN);
	set_lr0(LR_PENDING | LR_GROUP1 | LR(0xa0, 40));
	struct exc e = run_at_spsr(SPSR_M_EL2H, wait_a_little);

	EXPECT_NO_EXC(e);
}

TEST(virtual_irq_needs_the_interface_enabled)
{
	prepare(0);
	set_lr0(LR_PENDING | LR_GROUP1 | LR(0xa0, 40));
	struct exc e = run_at_spsr(SPSR_M_EL1H, wait_a_little);

	EXPECT_NO_EXC(e);
	e = run_at(EL1, ack1);
	EXPECT_REG(e, 0, INTID_SPURIOUS);
}

TEST(virtual_irq_needs_its_group_and_priority)
{
	prepare(ICH_EN);
	set_lr0(LR_PENDING | LR_GROUP1 | LR(0xa0, 40));
	write_sysreg(ich_vmcr_el2, 0xf8ul << 24 | 1);
	struct exc e = run_at_spsr(SPSR_M_EL1H, wait_a_little);

	EXPECT_NO_EXC(e);
	write_sysreg(ich_vmcr_el2, 0xa0ul << 24 | 3);
	e = run_at_spsr(SPSR_M_EL1H, wait_a_little);
	EXPECT_NO_EXC(e);
	write_sysreg(ich_vmcr_el2, 0xa8ul << 24 | 3);
	e = run_at_spsr(SPSR_M_EL1H, wait_a_little);
	EXPECT_INTERRUPT(e, EL1, VECTOR_IRQ);
}

TEST(virtual_irq_with_a_host_of_e2h)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr1_el1), 8), "no FEAT_VHE");
	prepare(ICH_EN);
	write_sysreg(hcr_el2, HCR_GUEST | HCR_E2H);
	set_lr0(LR_PENDING | LR_GROUP1 | LR(0xa0, 40));
	struct exc e = run_at_spsr(SPSR_M_EL0T, wait_a_little);

	EXPECT_INTERRUPT(e, EL1, VECTOR_IRQ);
}

// ---- The guest's acknowledge and end ------------------------------------------------------------

TEST(guest_acknowledges_and_ends)
{
	prepare(ICH_EN);
	set_lr0(LR_PENDING | LR_GROUP1 | LR(0xa0, 40));
	struct exc e = run_at(EL1, ack1);

	EXPECT_REG(e, 0, 40);
	EXPECT_REG(e, 1, 0xa0);
	EXPECT_EQ(lr0(), LR_ACTIVE | LR_GROUP1 | LR(0xa0, 40));
	EXPECT_EQ(read_sysreg(ich_ap1r0_el2), 1u << (0xa0 >> 3));
	run_at(EL1, end1, 40);
	EXPECT_EQ(lr0(), LR_GROUP1 | LR(0xa0, 40));
	EXPECT_EQ(read_sysreg(ich_ap1r0_el2), 0);
}

TEST(guest_group0_uses_the_group0_registers)
{
	prepare(ICH_EN);
	set_lr0(LR_PENDING | LR(0xa0, 40));
	struct exc e = run_at(EL1, ack1);

	EXPECT_REG(e, 0, INTID_SPURIOUS);
	e = run_at(EL1, ack0);
	EXPECT_REG(e, 0, 40);
	EXPECT_EQ(read_sysreg(ich_ap0r0_el2), 1u << (0xa0 >> 3));
	run_at(EL1, end0, 40);
	EXPECT_EQ(lr0(), LR(0xa0, 40));
}

TEST(guest_sees_the_highest_priority)
{
	prepare(ICH_EN);
	set_lr0(LR_PENDING | LR_GROUP1 | LR(0xb0, 40));
	write_sysreg(ich_lr1_el2, LR_PENDING | LR_GROUP1 | LR(0x90, 41));
	write_sysreg(ich_lr2_el2, LR_PENDING | LR_GROUP1 | LR(0xa0, 42));
	struct exc e = run_at(EL1, read_all);

	EXPECT_REG(e, 7, 41);
	EXPECT_REG(e, 6, INTID_SPURIOUS);
	e = run_at(EL1, ack_and_end1);
	EXPECT_REG(e, 0, 41);
	EXPECT_REG(e, 1, 0xff);
	e = run_at(EL1, ack_and_end1);
	EXPECT_REG(e, 0, 42);
	e = run_at(EL1, ack_and_end1);
	EXPECT_REG(e, 0, 40);
	e = run_at(EL1, ack_and_end1);
	EXPECT_REG(e, 0, INTID_SPURIOUS);
}

TEST(guest_preemption)
{
	prepare(ICH_EN);
	set_lr0(LR_PENDING | LR_GROUP1 | LR(0xa0, 40));
	run_at(EL1, ack1);
	write_sysreg(ich_lr1_el2, LR_PENDING | LR_GROUP1 | LR(0xa0, 41));
	struct exc e = run_at_spsr(SPSR_M_EL1H, wait_a_little);

	EXPECT_NO_EXC(e);
	write_sysreg(ich_lr2_el2, LR_PENDING | LR_GROUP1 | LR(0x90, 42));
	e = run_at_spsr(SPSR_M_EL1H, wait_a_little);
	EXPECT_INTERRUPT(e, EL1, VECTOR_IRQ);
	e = run_at(EL1, ack1);
	EXPECT_REG(e, 0, 42);
	EXPECT_REG(e, 1, 0x90);
}

TEST(active_and_pending_becomes_pending_at_the_end)
{
	prepare(ICH_EN);
	set_lr0(LR_PENDING | LR_GROUP1 | LR(0xa0, 40));
	run_at(EL1, ack1);
	set_lr0(LR_PENDING | LR_ACTIVE | LR_GROUP1 | LR(0xa0, 40));
	struct exc e = run_at_spsr(SPSR_M_EL1H, wait_a_little);

	EXPECT_NO_EXC(e);
	run_at(EL1, end1, 40);
	EXPECT_EQ(lr0(), LR_PENDING | LR_GROUP1 | LR(0xa0, 40));
}

TEST(guest_eoimode)
{
	prepare(ICH_EN);
	write_sysreg(ich_vmcr_el2, VMCR_OPEN | BIT(9)); // VEOIM
	set_lr0(LR_PENDING | LR_GROUP1 | LR(0xa0, 40));
	struct exc e = run_at(EL1, ack_and_end1);

	EXPECT_REG(e, 0, 40);
	EXPECT_REG(e, 1, 0xff);
	EXPECT_EQ(lr0(), LR_ACTIVE | LR_GROUP1 | LR(0xa0, 40));
	run_at(EL1, dir, 40);
	EXPECT_EQ(lr0(), LR_GROUP1 | LR(0xa0, 40));
}

TEST(guest_registers_are_views_of_vmcr)
{
	prepare(ICH_EN);
	run_at(EL1, write_all, 0xb0, 4, 5, 2, 0, 1);
	EXPECT_EQ(read_sysreg(ich_vmcr_el2), 0xb0ul << 24 | 4ul << 21 | 5ul << 18 | BIT(9) | 8 | 2);
	write_sysreg(ich_vmcr_el2, 0x80ul << 24 | 3ul << 21 | 6ul << 18 | 1);
	struct exc e = run_at(EL1, read_all);

	EXPECT_REG(e, 0, 0x80);
	EXPECT_REG(e, 1, 3);
	EXPECT_REG(e, 2, 6);
	EXPECT_EQ(e.x[3] & 3, 0);
	EXPECT_REG(e, 4, 1);
	EXPECT_REG(e, 5, 0);
	EXPECT_REG(e, 8, 0xff);
	// VCBPR: BPR1 reads as BPR0 + 1.
	write_sysreg(ich_vmcr_el2, 3ul << 21 | 6ul << 18 | BIT(4));
	e = run_at(EL1, read_all);
	EXPECT_REG(e, 2, 4);
}

TEST(hypervisor_sees_its_own_physical_interface)
{
	prepare(ICH_EN);
	set_lr0(LR_PENDING | LR_GROUP1 | LR(0xa0, 40));
	struct exc e = run_at(EL2, ack1);

	EXPECT_REG(e, 0, INTID_SPURIOUS);
	EXPECT_EQ(lr0(), LR_PENDING | LR_GROUP1 | LR(0xa0, 40));
}

// ---- The hardware bit ---------------------------------------------------------------------------

#define PHYSICAL 3

static void activate_physical(void)
{
	gic_init();
	gic_enable(PHYSICAL, GIC_G1NS, 0xa0);
	gic_set_pending(PHYSICAL, true);
	write_sysreg(icc_ctlr_el3, 4); // EOImode_EL3: drop the priority, stay active
	EXPECT_EQ(read_sysreg(icc_iar1_el1), PHYSICAL);
	write_sysreg(icc_eoir1_el1, PHYSICAL);
	EXPECT_TRUE(gic_is_active(PHYSICAL));
}

TEST(end_of_a_hardware_interrupt_deactivates_the_physical_one)
{
	activate_physical();
	prepare(ICH_EN);
	set_lr0(LR_PENDING | LR_HW | LR_GROUP1 | LR_PINTID(PHYSICAL) | LR(0xa0, 50));
	struct exc e = run_at(EL1, ack_and_end1);

	EXPECT_REG(e, 0, 50);
	EXPECT_EQ(lr0() >> 62, 0);
	EXPECT_TRUE(!gic_is_active(PHYSICAL));
}

TEST(dir_of_a_hardware_interrupt_deactivates_the_physical_one)
{
	activate_physical();
	prepare(ICH_EN);
	write_sysreg(ich_vmcr_el2, VMCR_OPEN | BIT(9));
	set_lr0(LR_PENDING | LR_HW | LR_GROUP1 | LR_PINTID(PHYSICAL) | LR(0xa0, 50));
	run_at(EL1, ack_and_end1);
	EXPECT_TRUE(gic_is_active(PHYSICAL));
	run_at(EL1, dir, 50);
	EXPECT_TRUE(!gic_is_active(PHYSICAL));
}

TEST(end_of_a_software_interrupt_leaves_the_physical_one)
{
	activate_physical();
	prepare(ICH_EN);
	set_lr0(LR_PENDING | LR_GROUP1 | LR_PINTID(PHYSICAL) | LR(0xa0, 50));
	run_at(EL1, ack_and_end1);
	EXPECT_TRUE(gic_is_active(PHYSICAL));
}

// ---- Maintenance --------------------------------------------------------------------------------

#define misr() read_sysreg(ich_misr_el2)

static bool maintenance_pending(void)
{
	return gic_is_pending(INTID_MAINTENANCE);
}

TEST(maintenance_underflow)
{
	gic_init();
	prepare(ICH_EN | ICH_UIE);
	EXPECT_EQ(misr(), 2);
	EXPECT_TRUE(maintenance_pending());
	set_lr0(LR_PENDING | LR(0xa0, 40));
	EXPECT_EQ(misr(), 2);
	write_sysreg(ich_lr1_el2, LR_ACTIVE | LR(0xa0, 41));
	EXPECT_EQ(misr(), 0);
	EXPECT_TRUE(!maintenance_pending());
}

TEST(maintenance_no_pending)
{
	gic_init();
	prepare(ICH_EN | ICH_NPIE);
	set_lr0(LR_PENDING | LR_GROUP1 | LR(0xa0, 40));
	EXPECT_EQ(misr(), 0);
	run_at(EL1, ack1);
	EXPECT_EQ(misr(), 8);
	EXPECT_TRUE(maintenance_pending());
}

TEST(maintenance_end_of_interrupt)
{
	gic_init();
	prepare(ICH_EN);
	set_lr0(LR_PENDING | LR_GROUP1 | LR_EOI | LR(0xa0, 40));
	EXPECT_EQ(misr(), 0);
	run_at(EL1, ack_and_end1);
	EXPECT_EQ(misr(), 1);
	EXPECT_EQ(read_sysreg(ich_eisr_el2), 1);
	EXPECT_EQ(read_sysreg(ich_elrsr_el2), 0xe);
	EXPECT_TRUE(maintenance_pending());
	set_lr0(0);
	EXPECT_EQ(misr(), 0);
	EXPECT_TRUE(!maintenance_pending());
}

TEST(maintenance_list_register_entry_not_present)
{
	gic_init();
	prepare(ICH_EN | ICH_LRENPIE);
	write_sysreg(ich_ap1r0_el2, 1u << 20);
	run_at(EL1, end1, 77);
	EXPECT_EQ(read_sysreg(ich_hcr_el2) >> 27, 1);
	EXPECT_EQ(read_sysreg(ich_ap1r0_el2), 0);
	EXPECT_EQ(misr(), 4);
	EXPECT_TRUE(maintenance_pending());
}

TEST(eoi_count_needs_something_active)
{
	prepare(ICH_EN);
	run_at(EL1, end1, 77);
	EXPECT_EQ(read_sysreg(ich_hcr_el2) >> 27, 0);
}

TEST(eoi_count_by_dir_in_eoimode_1)
{
	QEMU_DIFFERS("an EOIR write counts with EOImode 1, too");
	prepare(ICH_EN);
	write_sysreg(ich_vmcr_el2, VMCR_OPEN | BIT(9));
	write_sysreg(ich_ap1r0_el2, 1u << 20);
	run_at(EL1, end_and_dir1, 77);
	EXPECT_EQ(read_sysreg(ich_hcr_el2) >> 27, 1);
}

TEST(maintenance_group_enables)
{
	gic_init();
	prepare(ICH_EN | ICH_VGRP0EIE | ICH_VGRP1DIE);
	EXPECT_EQ(misr(), 0x10);
	run_at(EL1, write_all, 0xf8, 2, 3, 0, 0, 1);
	EXPECT_EQ(misr(), 0);
	EXPECT_TRUE(!maintenance_pending());
	run_at(EL1, write_all, 0xf8, 2, 3, 0, 0, 0);
	EXPECT_EQ(misr(), 0x80);
	EXPECT_TRUE(maintenance_pending());
}

TEST(maintenance_interrupt_is_taken_at_el2)
{
	gic_init();
	gic_enable(INTID_MAINTENANCE, GIC_G1NS, 0xa0);
	prepare(ICH_EN | ICH_UIE);
	struct exc e = run_at_spsr(SPSR_M_EL1H | SPSR_DAIF, wait_a_little);

	EXPECT_INTERRUPT(e, EL2, VECTOR_IRQ);
}

// ---- Traps --------------------------------------------------------------------------------------

TEST(ich_hcr_tc_traps_common_registers)
{
	prepare(ICH_EN | ICH_TC);
	struct exc e = run_at(EL1, read_ctlr);

	EXPECT_EXC(e, EL2, EC_SYSREG, ISS_SYSREG_READ(3, 0, 12, 12, 4, 0));
	e = run_at(EL1, read_bpr1);
	EXPECT_NO_EXC(e);
}

TEST(ich_hcr_tall0_traps_group0_registers)
{
	prepare(ICH_EN | ICH_TALL0);
	struct exc e = run_at(EL1, read_bpr0);

	EXPECT_EXC(e, EL2, EC_SYSREG, ISS_SYSREG_READ(3, 0, 12, 8, 3, 0));
	e = run_at(EL1, read_bpr1);
	EXPECT_NO_EXC(e);
}

TEST(ich_hcr_tall1_traps_group1_registers)
{
	prepare(ICH_EN | ICH_TALL1);
	struct exc e = run_at(EL1, read_bpr1);

	EXPECT_EXC(e, EL2, EC_SYSREG, ISS_SYSREG_READ(3, 0, 12, 12, 3, 0));
	e = run_at(EL1, read_bpr0);
	EXPECT_NO_EXC(e);
}

TEST(ich_hcr_tdir_traps_dir)
{
	prepare(ICH_EN | ICH_TDIR);
	struct exc e = run_at(EL1, dir, 40);

	EXPECT_EXC(e, EL2, EC_SYSREG, ISS_SYSREG_WRITE(3, 0, 12, 11, 1, 0));
}
