// SPDX-License-Identifier: Apache-2.0
// Interrupts with the non-maskable property (FEAT_GICv3_NMI): GICD_INMIR and GICR_INMIR0, their
// priority and Superpriority, ICC_NMIAR1_EL1, active NMIs, and the same of list registers.
// Expectations follow IHI 0069H, 4.8, 12.2 and 12.9.
#include "gic_world.h"

#define INMIR 0xf80
#define TYPER_NMI (1u << 9)
#define SCTLR_NMI (UINT64_C(1) << 61)
#define NMI (UINT64_C(1) << 63) // of AP1R0 and RPR
#define NMI_NS (UINT64_C(1) << 62) // of RPR
#define INTID_NMI 1022
#define LR_GROUP1_PENDING (UINT64_C(5) << 60)
#define LR_NMI (UINT64_C(1) << 59)

static void enable_nmi(unsigned intid, enum group group)
{
	enable(0, intid, group, 0xa0);
	bank_set(0, intid, INMIR, true);
}

static uint64_t nmiar1(void)
{
	return fake_read(&pes[0], SR_ICC_NMIAR1_EL1);
}

static bool superpriority(enum pe_line line)
{
	return pes[0].lines[line] && pes[0].superpriority[line];
}

START_TEST(typer_and_inmir)
{
	ck_assert_uint_eq(frame_read(DIST + GICD_TYPER, 4, true) & TYPER_NMI, TYPER_NMI);
	for (unsigned intid = 3; intid < 128; intid += 40) {
		bank_set(0, intid, IGROUPR, true);
		bank_set(0, intid, INMIR, true);
		ck_assert(bank_bit(0, intid, INMIR));
		bank_set(0, intid, INMIR, false);
		ck_assert(!bank_bit(0, intid, INMIR));
		// RES0 for Group 0.
		bank_set(0, intid, IGROUPR, false);
		bank_set(0, intid, INMIR, true);
		ck_assert(!bank_bit(0, intid, INMIR));
	}
	// The distributor's first register is the redistributors' business.
	frame_write(DIST + INMIR, 4, true, ~UINT32_C(0));
	ck_assert_uint_eq(frame_read(DIST + INMIR, 4, true), 0);
	// SPIs that are not implemented.
	frame_write(DIST + INMIR + 4 * 31, 4, true, ~UINT32_C(0));
	ck_assert_uint_eq(frame_read(DIST + INMIR + 4 * 31, 4, true), 0);
}
END_TEST

START_TEST(inmir_of_the_secure_state_is_hidden)
{
	enable(0, 40, G1NS, 0xa0);
	enable(0, 41, G1S, 0xa0);
	enable(0, 42, G0, 0xa0);
	frame_write(DIST + INMIR + 4, 4, true, 7u << 8);
	ck_assert_uint_eq(frame_read(DIST + INMIR + 4, 4, true), 3u << 8);
	ck_assert_uint_eq(frame_read(DIST + INMIR + 4, 4, false), 1u << 8);
	frame_write(DIST + INMIR + 4, 4, false, 0);
	ck_assert_uint_eq(frame_read(DIST + INMIR + 4, 4, true), 2u << 8);
}
END_TEST

START_TEST(nmi_has_superpriority)
{
	enable(0, 40, G1NS, 0);
	enable_nmi(41, G1NS);
	enable_nmi(3, G1NS);
	pend(0, 40);
	ck_assert(irq(0) && !superpriority(PE_LINE_IRQ));
	pend(0, 41);
	ck_assert(irq(0) && superpriority(PE_LINE_IRQ));
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_HPPIR1_EL1), 41);
	pend(0, 3); // the lowest INTID of equals
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_HPPIR1_EL1), 3);
	// The property can be taken away while the interrupt is pending.
	bank_set(0, 3, INMIR, false);
	bank_set(0, 41, INMIR, false);
	ck_assert(irq(0) && !superpriority(PE_LINE_IRQ));
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_HPPIR1_EL1), 40);
}
END_TEST

START_TEST(nmi_with_one_state_has_the_highest_priority)
{
	enable_nmi(41, G1NS);
	pend(0, 41);
	fake_write(&pes[0], SR_ICC_PMR_EL1, 0); // holds no NMI
	ck_assert(superpriority(PE_LINE_IRQ));
	ck_assert_uint_eq(nmiar1(), 41);
	ck_assert(!irq(0));
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_RPR_EL1), NMI);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_AP1R0_EL1), NMI);
	eoi1(0, 41);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_RPR_EL1), 0xff);
	ck_assert(!bank_bit(0, 41, ISACTIVER));
}
END_TEST

START_TEST(iar1_leaves_nmis_to_nmiar1)
{
	enable_nmi(41, G1NS);
	enable(0, 40, G1NS, 0xa0);
	pend(0, 40);
	ck_assert_uint_eq(nmiar1(), SPURIOUS); // no NMI
	pend(0, 41);
	pes[0].sr[SR_SCTLR_EL2] = SCTLR_NMI;
	ck_assert_uint_eq(iar1(0), INTID_NMI);
	pes[0].sr[SR_SCTLR_EL2] = 0;
	pes[0].sr[SR_SCTLR_EL1] = SCTLR_NMI; // of another level
	ck_assert_uint_eq(iar1(0), 41);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_AP1R0_EL1), NMI);
	ck_assert_uint_eq(nmiar1(), SPURIOUS);
}
END_TEST

START_TEST(nmi_nests_above_plain_interrupts)
{
	enable(0, 40, G1NS, 0);
	enable_nmi(41, G1NS);
	enable_nmi(42, G1NS);
	pend(0, 40);
	ck_assert_uint_eq(iar1(0), 40);
	pend(0, 41);
	ck_assert(superpriority(PE_LINE_IRQ)); // preempts priority 0
	ck_assert_uint_eq(nmiar1(), 41);
	pend(0, 42);
	ck_assert(!irq(0)); // an NMI does not preempt an NMI
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_AP1R0_EL1), NMI | 1);
	eoi1(0, 41);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_AP1R0_EL1), 1);
	ck_assert(superpriority(PE_LINE_IRQ));
	ck_assert_uint_eq(nmiar1(), 42);
	eoi1(0, 42);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_RPR_EL1), 0);
	eoi1(0, 40);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_RPR_EL1), 0xff);
}
END_TEST

START_TEST(nmis_of_two_states)
{
	enable(0, 43, G0, 0x40);
	enable_nmi(41, G1NS);
	enable_nmi(42, G1S);
	pend(0, 41);
	ck_assert(superpriority(PE_LINE_IRQ));
	ck_assert_uint_eq(nmiar1(), 41);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_RPR_EL1), NMI | 0x80);
	// Group 0 in the Secure half preempts it, and a Secure NMI that.
	pend(0, 43);
	ck_assert(fiq(0) && !superpriority(PE_LINE_FIQ));
	fake_enter(&pes[0], 3, true);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_IAR0_EL1), 43);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_RPR_EL1), NMI_NS | 0x40);
	pend(0, 42);
	ck_assert(superpriority(PE_LINE_FIQ));
	ck_assert_uint_eq(nmiar1(), 42);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_RPR_EL1), NMI | NMI_NS);
	// They end in order.
	eoi1(0, 42);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_RPR_EL1), NMI_NS | 0x40);
	fake_write(&pes[0], SR_ICC_EOIR0_EL1, 43);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_RPR_EL1), NMI_NS | 0x80);
	fake_enter(&pes[0], 2, false);
	eoi1(0, 41);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_RPR_EL1), 0xff);
}
END_TEST

START_TEST(masks_of_the_secure_half_hold_non_secure_nmis)
{
	enable_nmi(41, G1NS);
	pend(0, 41);
	fake_enter(&pes[0], 3, false);
	fake_write(&pes[0], SR_ICC_PMR_EL1, 0x78);
	fake_enter(&pes[0], 2, false);
	ck_assert(!irq(0) && !fiq(0));
	fake_enter(&pes[0], 3, false);
	fake_write(&pes[0], SR_ICC_PMR_EL1, 0x80);
	ck_assert(!fiq(0)); // in Secure state, 0x80 too
	fake_enter(&pes[0], 2, false);
	ck_assert(superpriority(PE_LINE_IRQ));
}
END_TEST

START_TEST(virtual_nmis)
{
	struct pe *pe = &pes[0];

	fake_write(pe, SR_HCR_EL2, HCR_IMO | HCR_FMO);
	fake_write(pe, SR_ICH_HCR_EL2, 1);
	fake_write(pe, SR_ICH_VMCR_EL2, 3); // mask 0
	fake_write(pe, SR_ICH_LR0_EL2, LR_GROUP1_PENDING | 40);
	ck_assert(!pe->lines[PE_LINE_VIRQ]);
	fake_write(pe, SR_ICH_LR1_EL2, LR_GROUP1_PENDING | LR_NMI | UINT64_C(0xa0) << 48 | 41);
	ck_assert(superpriority(PE_LINE_VIRQ));
	// NMI means nothing in Group 0.
	fake_write(pe, SR_ICH_LR1_EL2, UINT64_C(4) << 60 | LR_NMI | 41);
	ck_assert(!pe->lines[PE_LINE_VFIQ] && !pe->lines[PE_LINE_VIRQ]);
	fake_write(pe, SR_ICH_LR1_EL2, LR_GROUP1_PENDING | LR_NMI | UINT64_C(0xa0) << 48 | 41);
	pe->el = 1;
	pe->sr[SR_SCTLR_EL1] = SCTLR_NMI;
	ck_assert_uint_eq(iar1(0), INTID_NMI);
	ck_assert_uint_eq(nmiar1(), 41);
	ck_assert(!pe->lines[PE_LINE_VIRQ]);
	ck_assert_uint_eq(fake_read(pe, SR_ICH_AP1R0_EL2), NMI);
	ck_assert_uint_eq(fake_read(pe, SR_ICC_RPR_EL1), NMI);
	eoi1(0, 41);
	ck_assert_uint_eq(fake_read(pe, SR_ICC_RPR_EL1), 0xff);
	ck_assert_uint_eq(fake_read(pe, SR_ICH_LR1_EL2) >> 62, 0);
}
END_TEST

START_TEST(reset_forgets_nmis)
{
	enable_nmi(41, G1NS);
	pend(0, 41);
	ck_assert_uint_eq(nmiar1(), 41);
	gicv3_reset(gic);
	ck_assert(!bank_bit(0, 41, INMIR));
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_AP1R0_EL1), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("gic_nmi");
	TCase *one = tcase_create("one security state");
	TCase *two = tcase_create("two security states");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(one, setup_one, teardown);
	tcase_add_test(one, typer_and_inmir);
	tcase_add_test(one, nmi_has_superpriority);
	tcase_add_test(one, nmi_with_one_state_has_the_highest_priority);
	tcase_add_test(one, iar1_leaves_nmis_to_nmiar1);
	tcase_add_test(one, nmi_nests_above_plain_interrupts);
	tcase_add_test(one, virtual_nmis);
	tcase_add_test(one, reset_forgets_nmis);
	suite_add_tcase(suite, one);
	tcase_add_checked_fixture(two, setup_two, teardown);
	tcase_add_test(two, inmir_of_the_secure_state_is_hidden);
	tcase_add_test(two, nmis_of_two_states);
	tcase_add_test(two, masks_of_the_secure_half_hold_non_secure_nmis);
	suite_add_tcase(suite, two);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
