// SPDX-License-Identifier: Apache-2.0
//
// xlat_basic.c - the plainest aborts of each regime: translation and permission faults with level
// and address, and a stage-2 fault with the syndrome that lets a hypervisor emulate the access.

#include "guest.h"
#include "pgtable.h"

SNIPPET(load_x0, "ldr x1, [x0]");
SNIPPET(load_w5_signed_half, "ldrsh w5, [x0]");
SNIPPET(store_x1, "str x1, [x0]");
SNIPPET(jump_x0, "br x0");

#define VA 0x80000000ul

static void make_table(struct pgtable *pt, uint64_t attrs)
{
	pgtable_init(pt, 12, 39);
	map_guest_code(pt);
	map_page(pt, VA, (uint64_t)scratch[0], PT_NORMAL | attrs, 3);
}

TEST(el1_reads_and_writes_through_its_table)
{
	struct pgtable pt;

	make_table(&pt, PT_AP_RW_EL1);
	stage1_on_el1(&pt);
	*(volatile uint64_t *)scratch[0] = 0;
	struct exc w = run_at(EL1, store_x1, VA + 8, 0x1122334455667788);
	struct exc r = run_at(EL1, load_x0, VA + 8);

	EXPECT_NO_EXC(w);
	EXPECT_NO_EXC(r);
	EXPECT_REG(r, 1, 0x1122334455667788);
	EXPECT_EQ(*(volatile uint64_t *)(scratch[0] + 8), 0x1122334455667788);
}

TEST(el1_translation_fault_level_3)
{
	struct pgtable pt;

	make_table(&pt, PT_AP_RW_EL1);
	stage1_on_el1(&pt);
	struct exc r = run_at(EL1, load_x0, VA + 0x1008);
	struct exc w = run_at(EL1, store_x1, VA + 0x1008);

	EXPECT_EXC(r, EL1, EC_DABT_SAME, FSC_TRANSLATION(3));
	EXPECT_EQ(r.far, VA + 0x1008);
	EXPECT_EQ(r.elr, load_x0);
	EXPECT_EXC(w, EL1, EC_DABT_SAME, ISS_WNR | FSC_TRANSLATION(3));
}

TEST(el0_permission_fault_on_privileged_page)
{
	struct pgtable pt;

	make_table(&pt, PT_AP_RW_EL1);
	stage1_on_el1(&pt);
	struct exc e = run_at(EL0, load_x0, VA);

	EXPECT_EXC(e, EL1, EC_DABT_LOWER, FSC_PERMISSION(3));
	EXPECT_EQ(e.far, VA);
}

TEST(el1_cannot_execute_pxn)
{
	struct pgtable pt;

	make_table(&pt, PT_AP_RO_ALL | PT_PXN);
	stage1_on_el1(&pt);
	struct exc e = run_at(EL1, jump_x0, VA);

	EXPECT_EXC(e, EL1, EC_IABT_SAME, FSC_PERMISSION(3));
	EXPECT_EQ(e.far, VA);
	EXPECT_EQ(e.elr, VA);
}

// ISV is for stage-2 aborts only.
TEST(el2_translation_fault_level_1)
{
	struct pgtable pt;

	QEMU_7_DIFFERS("sets ISV for aborts taken from EL2");
	make_table(&pt, PT_AP_RW_ALL);
	stage1_on_el2(&pt);
	struct exc good = run_at(EL2, load_x0, VA);
	struct exc e = run_at(EL2, load_x0, 0x100000000);

	EXPECT_NO_EXC(good);
	EXPECT_EXC(e, EL2, EC_DABT_SAME, FSC_TRANSLATION(1));
	EXPECT_EQ(e.far, 0x100000000);
}

TEST(el20_translation_fault_level_1)
{
	struct pgtable pt;

	QEMU_7_DIFFERS("sets ISV for aborts taken from EL2");
	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr1_el1), 8), "no FEAT_VHE");
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H);
	make_table(&pt, PT_AP_RW_EL1);
	stage1_on_el20(&pt);
	struct exc good = run_at(EL2, load_x0, VA);
	struct exc e = run_at(EL2, load_x0, 0x100000000);

	EXPECT_NO_EXC(good);
	EXPECT_EXC(e, EL2, EC_DABT_SAME, FSC_TRANSLATION(1));
}

TEST(el3_translation_fault_level_1)
{
	struct pgtable pt;

	make_table(&pt, PT_AP_RW_ALL);
	map_image_el3(&pt);
	stage1_on_el3(&pt);
	struct exc good = run_at(EL3, load_x0, VA);
	struct exc e = run_at(EL3, load_x0, 0x100000000);

	EXPECT_NO_EXC(good);
	EXPECT_EXC(e, EL3, EC_DABT_SAME, FSC_TRANSLATION(1));
}

TEST(stage2_fault_says_how_to_emulate_the_access)
{
	struct pgtable s2;
	const uint64_t ipa = 0x0a000f04;

	pgtable_init_stage2(&s2, 12, 40, 1);
	map_guest_code_stage2(&s2);
	map_page(&s2, 0x0a001000, (uint64_t)scratch[0], S2_NORMAL | S2_RW, 3);
	stage2_on(&s2);
	struct exc r = run_at(EL1, load_w5_signed_half, ipa);
	struct exc w = run_at(EL0, store_x1, ipa + 4);

	EXPECT_EXC(r, EL2, EC_DABT_LOWER,
		   ISS_ISV | ISS_SAS(1) | ISS_SSE | ISS_SRT(5) | FSC_TRANSLATION(3));
	EXPECT_EQ(r.far, ipa);
	EXPECT_EQ(r.hpfar, ipa >> 12 << 4);
	EXPECT_EQ(r.elr, load_w5_signed_half);
	EXPECT_EXC(w, EL2, EC_DABT_LOWER,
		   ISS_ISV | ISS_SAS(3) | ISS_SF | ISS_SRT(1) | ISS_WNR | FSC_TRANSLATION(3));
}
