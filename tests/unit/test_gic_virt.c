// SPDX-License-Identifier: Apache-2.0
// The GICv3's virtual CPU interface alone. Expectations follow the GIC architecture specification
// (IHI 0069): chapter 6 (virtual interrupts) and 12.4 (ICH_* registers).
#include "gic_world.h"

#define LR_PENDING (UINT64_C(1) << 62)
#define LR_ACTIVE (UINT64_C(1) << 63)
#define LR_HW (UINT64_C(1) << 61)
#define LR_GROUP1 (UINT64_C(1) << 60)
#define LR_EOI (UINT64_C(1) << 41)
#define LR(priority, vintid) ((uint64_t)(priority) << 48 | (vintid))

static bool virq(void)
{
	return pes[0].lines[PE_LINE_VIRQ];
}

static bool vfiq(void)
{
	return pes[0].lines[PE_LINE_VFIQ];
}

// PE 0 runs a guest at EL1 with physical interrupts routed to EL2; its groups are enabled and its
// mask is open.
static void enter_guest(void)
{
	pes[0].sr[SR_HCR_EL2] = HCR_IMO | HCR_FMO;
	fake_write(&pes[0], SR_ICH_HCR_EL2, 1);
	fake_write(&pes[0], SR_ICH_VMCR_EL2, UINT64_C(0xff) << 24 | 3);
	fake_enter(&pes[0], 1, false);
}

START_TEST(virtual_identification)
{
	uint64_t vtr = fake_read(&pes[0], SR_ICH_VTR_EL2);

	ck_assert_uint_eq(vtr & 0x1f, 3); // four list registers
	ck_assert_uint_eq(vtr >> 29, 4); // five priority bits
	ck_assert_uint_eq((vtr >> 26) & 7, 4); // five preemption bits
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICH_ELRSR_EL2), 0xf);
	// VMCR: VFIQEn RES1, binary points at their least, five bits of mask.
	fake_write(&pes[0], SR_ICH_VMCR_EL2, UINT64_C(0xff) << 24);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICH_VMCR_EL2), 0xf84c0008);
	fake_write(&pes[0], SR_ICH_LR2_EL2, ~UINT64_C(0));
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICH_LR2_EL2), UINT64_C(0xf8f81fffffffffff));
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICH_ELRSR_EL2), 0xb);
}
END_TEST

START_TEST(virtual_interrupt_life)
{
	enter_guest();
	fake_write(&pes[0], SR_ICH_LR1_EL2, LR_PENDING | LR_GROUP1 | LR(0xa0, 27));
	ck_assert(virq() && !vfiq() && !irq(0));
	ck_assert_uint_eq(pes[0].intid(&pes[0], pes[0].intid_opaque, PE_LINE_VIRQ), 27);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_HPPIR1_EL1), 27);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_HPPIR0_EL1), SPURIOUS);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_IAR0_EL1), SPURIOUS);
	ck_assert_uint_eq(iar1(0), 27);
	ck_assert(!virq());
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICH_LR1_EL2), LR_ACTIVE | LR_GROUP1 | LR(0xa0, 27));
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICH_AP1R0_EL2), UINT32_C(1) << (0xa0 >> 3));
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_RPR_EL1), 0xa0);
	ck_assert_uint_eq(iar1(0), SPURIOUS);
	eoi1(0, 27);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICH_LR1_EL2), LR_GROUP1 | LR(0xa0, 27));
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_RPR_EL1), 0xff);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICH_ELRSR_EL2), 0xf);
}
END_TEST

START_TEST(virtual_groups_priorities_and_mask)
{
	enter_guest();
	fake_write(&pes[0], SR_ICH_LR0_EL2, LR_PENDING | LR_GROUP1 | LR(0xa0, 40));
	fake_write(&pes[0], SR_ICH_LR1_EL2, LR_PENDING | LR(0x90, 41)); // Group 0, higher
	ck_assert(!virq() && vfiq());
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_IAR0_EL1), 41);
	ck_assert(!virq() && !vfiq());
	fake_write(&pes[0], SR_ICH_LR2_EL2, LR_PENDING | LR_GROUP1 | LR(0x80, 42));
	ck_assert(virq());
	ck_assert_uint_eq(iar1(0), 42);
	eoi1(0, 42);
	fake_write(&pes[0], SR_ICC_EOIR0_EL1, 41);
	ck_assert(virq());
	// The guest's own mask and enables, which are the hypervisor's ICH_VMCR_EL2.
	fake_write(&pes[0], SR_ICC_PMR_EL1, 0xa0);
	ck_assert(!virq());
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICH_VMCR_EL2) >> 24, 0xa0);
	fake_write(&pes[0], SR_ICC_PMR_EL1, 0xa8);
	ck_assert(virq());
	fake_write(&pes[0], SR_ICC_IGRPEN1_EL1, 0);
	ck_assert(!virq());
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICH_VMCR_EL2) & 3, 1);
	fake_write(&pes[0], SR_ICC_IGRPEN1_EL1, 1);
	ck_assert(virq());
	fake_write(&pes[0], SR_ICH_HCR_EL2, 0);
	ck_assert(!virq());
	ck_assert_uint_eq(iar1(0), SPURIOUS);
	// The physical interface was not touched.
	pes[0].sr[SR_HCR_EL2] = 0;
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_PMR_EL1), 0xf8);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_IGRPEN1_EL1), 1);
}
END_TEST

START_TEST(virtual_access_by_imo_and_fmo)
{
	enter_guest();
	fake_write(&pes[0], SR_ICC_PMR_EL1, 0x40);
	fake_write(&pes[0], SR_ICC_BPR0_EL1, 5);
	pes[0].sr[SR_HCR_EL2] = HCR_IMO; // Group 0 registers are physical, common ones virtual
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_BPR0_EL1), 2);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_PMR_EL1), 0x40);
	pes[0].sr[SR_HCR_EL2] = HCR_FMO;
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_BPR0_EL1), 5);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_PMR_EL1), 0x40);
	fake_enter(&pes[0], 2, false); // the hypervisor itself is not a guest
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_PMR_EL1), 0xf8);
}
END_TEST

START_TEST(virtual_controls)
{
	enter_guest();
	fake_write(&pes[0], SR_ICC_BPR0_EL1, 0);
	fake_write(&pes[0], SR_ICC_BPR1_EL1, 0);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_BPR0_EL1), 2);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_BPR1_EL1), 3);
	fake_write(&pes[0], SR_ICC_BPR0_EL1, 7);
	fake_write(&pes[0], SR_ICC_CTLR_EL1, 3);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_CTLR_EL1) & 3, 3);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_BPR1_EL1), 7);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICH_VMCR_EL2) & 0x210, 0x210);
	fake_write(&pes[0], SR_ICC_AP0R0_EL1, 0x100);
	fake_write(&pes[0], SR_ICC_AP1R0_EL1, 0x200);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICH_AP0R0_EL2), 0x100);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICH_AP1R0_EL2), 0x200);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_RPR_EL1), 0x40);
}
END_TEST

START_TEST(virtual_binary_point)
{
	enter_guest();
	fake_write(&pes[0], SR_ICC_BPR1_EL1, 5);
	fake_write(&pes[0], SR_ICH_LR0_EL2, LR_PENDING | LR_GROUP1 | LR(0xb8, 40));
	ck_assert_uint_eq(iar1(0), 40);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_RPR_EL1), 0xa0);
	fake_write(&pes[0], SR_ICH_LR1_EL2, LR_PENDING | LR_GROUP1 | LR(0xa0, 41));
	ck_assert(!virq());
	fake_write(&pes[0], SR_ICH_LR2_EL2, LR_PENDING | LR_GROUP1 | LR(0x98, 42));
	ck_assert(virq());
	eoi1(0, 40);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICH_LR0_EL2) & LR_ACTIVE, 0);
}
END_TEST

START_TEST(hardware_list_register_deactivates)
{
	struct irq_line timer = {0};

	// The hypervisor acknowledges the physical timer interrupt, drops its priority, and hands
	// it on.
	gicv3_ppi_line(gic, 0, 11, &timer);
	enable(0, 27, G1NS, 0x80);
	fake_write(&pes[0], SR_ICC_CTLR_EL1, 2);
	irq_set(&timer, true);
	ck_assert_uint_eq(iar1(0), 27);
	eoi1(0, 27);
	ck_assert(bank_bit(0, 27, ISACTIVER) && !irq(0));
	fake_write(&pes[0], SR_ICH_LR0_EL2,
		   LR_PENDING | LR_HW | LR_GROUP1 | UINT64_C(27) << 32 | LR(0xa0, 27));
	enter_guest();
	ck_assert(virq() && !irq(0));
	ck_assert_uint_eq(iar1(0), 27);
	irq_set(&timer, false);
	eoi1(0, 27);
	ck_assert(!bank_bit(0, 27, ISACTIVER));
	ck_assert(!virq() && !irq(0));
}
END_TEST

START_TEST(virtual_eoimode_and_dir)
{
	enter_guest();
	fake_write(&pes[0], SR_ICC_CTLR_EL1, 2);
	bank_set(0, 50, ISACTIVER, true);
	fake_write(&pes[0], SR_ICH_LR3_EL2,
		   LR_PENDING | LR_HW | LR_GROUP1 | UINT64_C(50) << 32 | LR(0xa0, 60));
	ck_assert_uint_eq(iar1(0), 60);
	eoi1(0, 60);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_RPR_EL1), 0xff);
	ck_assert_uint_ne(fake_read(&pes[0], SR_ICH_LR3_EL2) & LR_ACTIVE, 0);
	ck_assert(bank_bit(0, 50, ISACTIVER));
	fake_write(&pes[0], SR_ICC_DIR_EL1, 60);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICH_LR3_EL2) & LR_ACTIVE, 0);
	ck_assert(!bank_bit(0, 50, ISACTIVER));
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICH_HCR_EL2) >> 27, 0);
	// In no list register: an EOIR write, which does not deactivate here, is not counted; DIR
	// is.
	fake_write(&pes[0], SR_ICH_AP1R0_EL2, UINT32_C(1) << 20);
	eoi1(0, 61);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_RPR_EL1), 0xff);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICH_HCR_EL2) >> 27, 0);
	fake_write(&pes[0], SR_ICC_DIR_EL1, 61);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICH_HCR_EL2) >> 27, 1);
}
END_TEST

START_TEST(pending_and_active_is_not_offered)
{
	enter_guest();
	fake_write(&pes[0], SR_ICH_LR0_EL2, LR_PENDING | LR_ACTIVE | LR_GROUP1 | LR(0xa0, 40));
	ck_assert(!virq());
	fake_write(&pes[0], SR_ICH_AP1R0_EL2, UINT32_C(1) << (0xa0 >> 3));
	eoi1(0, 40);
	// Active and pending becomes pending.
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICH_LR0_EL2),
			  LR_PENDING | LR_GROUP1 | LR(0xa0, 40));
	ck_assert(virq());
}
END_TEST

START_TEST(eoi_count)
{
	enter_guest();
	eoi1(0, 70); // nothing active: no priority to drop
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICH_HCR_EL2) >> 27, 0);
	fake_write(&pes[0], SR_ICH_AP1R0_EL2, UINT32_C(1) << 20);
	eoi1(0, 70);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICH_HCR_EL2) >> 27, 1);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICH_AP1R0_EL2), 0);
	// LPIs are not counted.
	fake_write(&pes[0], SR_ICH_AP1R0_EL2, UINT32_C(1) << 20);
	eoi1(0, 8200);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICH_HCR_EL2) >> 27, 1);
	fake_write(&pes[0], SR_ICH_HCR_EL2, 1);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICH_HCR_EL2) >> 27, 0);
}
END_TEST

START_TEST(special_vintid_is_consumed)
{
	enter_guest();
	fake_write(&pes[0], SR_ICH_LR0_EL2, LR_PENDING | LR_GROUP1 | LR(0xa0, 1022));
	ck_assert_uint_eq(iar1(0), 1022);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICH_LR0_EL2) & (LR_PENDING | LR_ACTIVE), 0);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_RPR_EL1), 0xff);
}
END_TEST

START_TEST(maintenance_interrupt)
{
	struct pe *pe = &pes[0];

	// PPI 9 goes to the hypervisor at EL2.
	enable(0, 25, G1NS, 0x80);
	fake_write(pe, SR_ICH_HCR_EL2, 1 | 2); // UIE: at most one list register is valid
	ck_assert(irq(0));
	ck_assert_uint_eq(fake_read(pe, SR_ICH_MISR_EL2), 2);
	fake_write(pe, SR_ICH_LR0_EL2, LR_PENDING | LR(0xa0, 40));
	ck_assert(irq(0));
	fake_write(pe, SR_ICH_LR1_EL2, LR_ACTIVE | LR(0xa0, 41));
	ck_assert(!irq(0));
	ck_assert_uint_eq(fake_read(pe, SR_ICH_MISR_EL2), 0);
	// NPIE: no list register is pending.
	fake_write(pe, SR_ICH_HCR_EL2, 1 | 8);
	ck_assert(!irq(0));
	fake_write(pe, SR_ICH_LR0_EL2, LR_PENDING | LR_ACTIVE | LR(0xa0, 40));
	ck_assert(irq(0));
	ck_assert_uint_eq(fake_read(pe, SR_ICH_MISR_EL2), 8);
	// EOI: a list register without HW that asks for it becomes invalid.
	fake_write(pe, SR_ICH_HCR_EL2, 1);
	ck_assert(!irq(0));
	fake_write(pe, SR_ICH_LR0_EL2, LR_EOI | LR(0xa0, 40));
	ck_assert_uint_eq(fake_read(pe, SR_ICH_MISR_EL2), 1);
	ck_assert_uint_eq(fake_read(pe, SR_ICH_EISR_EL2), 1);
	ck_assert_uint_eq(fake_read(pe, SR_ICH_ELRSR_EL2), 0xc);
	ck_assert(irq(0));
	fake_write(pe, SR_ICH_LR0_EL2, LR_HW | LR_EOI | LR(0xa0, 40));
	ck_assert_uint_eq(fake_read(pe, SR_ICH_EISR_EL2), 0);
	ck_assert_uint_eq(fake_read(pe, SR_ICH_ELRSR_EL2), 0xd);
	ck_assert(!irq(0));
	// LRENPIE: EOIcount is not zero.
	fake_write(pe, SR_ICH_HCR_EL2, UINT64_C(1) << 27 | 4 | 1);
	ck_assert_uint_eq(fake_read(pe, SR_ICH_MISR_EL2), 4);
	ck_assert(irq(0));
	// Group enables and disables.
	fake_write(pe, SR_ICH_HCR_EL2, 0xf1);
	ck_assert_uint_eq(fake_read(pe, SR_ICH_MISR_EL2), 0xa0);
	fake_write(pe, SR_ICH_VMCR_EL2, 1);
	ck_assert_uint_eq(fake_read(pe, SR_ICH_MISR_EL2), 0x90);
	fake_write(pe, SR_ICH_VMCR_EL2, 2);
	ck_assert_uint_eq(fake_read(pe, SR_ICH_MISR_EL2), 0x60);
	// En: no maintenance interrupt without it.
	fake_write(pe, SR_ICH_HCR_EL2, 0xf0);
	ck_assert(!irq(0));
}
END_TEST

START_TEST(registers_of_permission_stay_in_storage)
{
	fake_write(&pes[0], SR_ICH_HCR_EL2, 0x1401);
	ck_assert_uint_eq(pes[0].sr[SR_ICH_HCR_EL2], 0x1401);
	ck_assert_uint_eq(pes[0].sr[SR_ICC_SRE_EL1], 7);
	ck_assert_uint_eq(pes[0].sr[SR_ICC_SRE_EL2], 0xf);
	ck_assert_uint_eq(pes[0].sr[SR_ICC_SRE_EL3], 0xf);
}
END_TEST

static TCase *virtual_interface(void)
{
	TCase *tcase = tcase_create("virtual interface");

	tcase_add_checked_fixture(tcase, setup_one, teardown);
	tcase_add_test(tcase, virtual_identification);
	tcase_add_test(tcase, virtual_interrupt_life);
	tcase_add_test(tcase, virtual_groups_priorities_and_mask);
	tcase_add_test(tcase, virtual_access_by_imo_and_fmo);
	tcase_add_test(tcase, virtual_controls);
	tcase_add_test(tcase, virtual_binary_point);
	tcase_add_test(tcase, hardware_list_register_deactivates);
	tcase_add_test(tcase, virtual_eoimode_and_dir);
	tcase_add_test(tcase, pending_and_active_is_not_offered);
	tcase_add_test(tcase, eoi_count);
	tcase_add_test(tcase, special_vintid_is_consumed);
	tcase_add_test(tcase, maintenance_interrupt);
	tcase_add_test(tcase, registers_of_permission_stay_in_storage);
	return tcase;
}

int main(void)
{
	Suite *suite = suite_create("gic_virt");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, virtual_interface());
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
