// SPDX-License-Identifier: Apache-2.0
//
// mmu_s2.c - stage 2: faults at every level of every granule with FAR and HPFAR, permissions, the
// syndrome that describes the access (ISV), faults on the walks of stage 1, XNX, PTW, hardware
// flags.

#include "abort.h"
#include "emit.h"

SNIPPET(load_x0, "ldr x1, [x0]");
SNIPPET(store_x0, "str x1, [x0]");
SNIPPET(branch_x0, "br x0");
SNIPPET(call_x0, "mov x19, x30\n\tblr x0\n\tmov x30, x19");

#define IPA 0x923442780000ul
#define IPA_BITS 48
#define LOW_IPA 0x80000000ul // for tables of 40 bits
#define INSN_RET 0xd65f03c0u
#define HPFAR_OF(ipa) ((uint64_t)(ipa) >> 12 << 4)
// LDR X1 and STR X1.
#define ISS_X1 (ISS_ISV | ISS_SAS(3) | ISS_SF | ISS_SRT(1))

static struct pgtable s1, s2;

static void start_granule(unsigned granule)
{
	guest_reset();
	pgtable_init_stage2(&s2, granule, IPA_BITS, granule == 16 ? 1 : 0);
	if (granule ==
	    14) { // level 0 of 16 KiB has two entries: not allowed, two tables at level 1
		pgtable_init_stage2(&s2, granule, IPA_BITS, 1);
	}
	map_guest_code_stage2(&s2);
}

static void start(void)
{
	guest_reset();
	*(volatile uint32_t *)scratch[4] = INSN_RET;
	__asm__ volatile("dsb sy\n\tic iallu\n\tdsb sy\n\tisb" ::: "memory");
	pgtable_init_stage2(&s2, 12, 40, 1);
	map_guest_code_stage2(&s2);
}

// (QEMU 7.2 reports the level of stage 1 for S1PTW; the status code is that of the stage-2 walk.)
static void expect_s2(int line, const struct exc *e, uint64_t ec, uint64_t iss, uint64_t far,
		      uint64_t ipa)
{
	struct exc seen = *e;

	if (guest_qemu() && (iss & ISS_S1PTW)) {
		seen.esr = (seen.esr & ~3ul) | (iss & 3);
	}
	expect_abort(line, &seen, EL2, ec, iss, far);
	guest_expect_eq("stage 2", line, "HPFAR", e->hpfar, HPFAR_OF(ipa));
}

#define EXPECT_S2(e, ec, iss, far, ipa) expect_s2(__LINE__, &(e), ec, iss, far, ipa)

static void expect_fault_by_all(int line, unsigned fsc)
{
	const uint64_t ipa = IPA + 0x1008;
	struct exc l1 = run_at(EL1, load_x0, ipa);
	struct exc s1_ = run_at(EL1, store_x0, ipa);
	struct exc f1 = run_at(EL1, branch_x0, ipa);
	struct exc l0 = run_at(EL0, load_x0, ipa);
	struct exc s0 = run_at(EL0, store_x0, ipa);
	struct exc f0 = run_at(EL0, branch_x0, ipa);

	expect_s2(line, &l1, EC_DABT_LOWER, ISS_X1 | fsc, ipa, ipa);
	expect_s2(line, &s1_, EC_DABT_LOWER, ISS_X1 | ISS_WNR | fsc, ipa, ipa);
	expect_s2(line, &f1, EC_IABT_LOWER, fsc, ipa, ipa);
	expect_s2(line, &l0, EC_DABT_LOWER, ISS_X1 | fsc, ipa, ipa);
	expect_s2(line, &s0, EC_DABT_LOWER, ISS_X1 | ISS_WNR | fsc, ipa, ipa);
	expect_s2(line, &f0, EC_IABT_LOWER, fsc, ipa, ipa);
}

// ---- Faults at every level ----------------------------------------------------------------------

TEST_GRANULES(stage2_translation_fault_at_every_level)
{
	start_granule(granule);
	for (int level = s2.start_level; level <= 3; level++) {
		start_granule(granule);
		*pgtable_entry(&s2, IPA + 0x1008, level) = 0;
		stage2_on(&s2);
		expect_fault_by_all(__LINE__, FSC_TRANSLATION(level));
	}
}

TEST_GRANULES(stage2_access_flag_fault_at_every_leaf_level)
{
	for (int level = first_block_level(granule); level <= 3; level++) {
		start_granule(granule);
		uint64_t size = pgtable_level_size(&s2, level);
		map_page(&s2, (IPA + 0x1008) & ~(size - 1), 0x40000000ul & ~(size - 1),
			 (S2_NORMAL & ~PT_AF) | S2_RW, level);
		stage2_on(&s2);
		expect_fault_by_all(__LINE__, FSC_ACCESS(level));
	}
}

TEST_GRANULES(stage2_permission_fault_at_every_leaf_level)
{
	for (int level = first_block_level(granule); level <= 3; level++) {
		start_granule(granule);
		uint64_t size = pgtable_level_size(&s2, level);
		map_page(&s2, IPA & ~(size - 1), 0x40000000ul & ~(size - 1),
			 S2_NORMAL | S2_R | S2_XN(2), level);
		stage2_on(&s2);
		struct exc l = run_at(EL1, load_x0, IPA);
		struct exc s = run_at(EL1, store_x0, IPA);
		struct exc s0 = run_at(EL0, store_x0, IPA);
		struct exc f = run_at(EL1, branch_x0, IPA);

		EXPECT_NO_EXC(l);
		EXPECT_ABORT(s, EL2, EC_DABT_LOWER, ISS_X1 | ISS_WNR | FSC_PERMISSION(level), IPA);
		EXPECT_ABORT(s0, EL2, EC_DABT_LOWER, ISS_X1 | ISS_WNR | FSC_PERMISSION(level), IPA);
		EXPECT_ABORT(f, EL2, EC_IABT_LOWER, FSC_PERMISSION(level), IPA);
	}
}

static void stage2_on_with_ps(uint64_t ps)
{
	stage2_on(&s2);
	write_sysreg(vtcr_el2, (vtcr_value(&s2) & ~(7ul << 16)) | ps << 16);
	tlbi_all();
}

// The output size of stage 2: a leaf and a table beyond it.
TEST(stage2_address_size_faults_at_every_level)
{
	for (int level = 1; level <= 3; level++) {
		guest_reset();
		pgtable_init_stage2(&s2, 12, 32, 1);
		map_guest_code_stage2(&s2);
		map_page(&s2, LOW_IPA, 1ul << 36, S2_NORMAL | S2_RW, level);
		stage2_on_with_ps(0);
		struct exc leaf = run_at(EL1, load_x0, LOW_IPA);

		EXPECT_S2(leaf, EC_DABT_LOWER, ISS_X1 | FSC_ADDR_SIZE(level), LOW_IPA, LOW_IPA);
		if (level < 3) {
			*pgtable_entry(&s2, LOW_IPA, level) = 1ul << 36 | 3;
			tlbi_all();
			struct exc table = run_at(EL1, load_x0, LOW_IPA);

			EXPECT_S2(table, EC_DABT_LOWER, ISS_X1 | FSC_ADDR_SIZE(level), LOW_IPA,
				  LOW_IPA);
		}
	}
}

TEST(ipa_beyond_vtcr_t0sz_is_a_translation_fault_at_level_0)
{
	start();
	stage2_on(&s2);
	struct exc e = run_at(EL1, load_x0, 1ul << 40);

	EXPECT_S2(e, EC_DABT_LOWER, ISS_X1 | FSC_TRANSLATION(0), 1ul << 40, 1ul << 40);
}

TEST(reserved_stage2_descriptor_at_level_3_is_a_translation_fault)
{
	start();
	*pgtable_entry(&s2, LOW_IPA, 3) = (uint64_t)scratch[0] | S2_NORMAL | S2_RW | 1;
	stage2_on(&s2);
	struct exc e = run_at(EL1, load_x0, LOW_IPA);

	EXPECT_S2(e, EC_DABT_LOWER, ISS_X1 | FSC_TRANSLATION(3), LOW_IPA, LOW_IPA);
}

TEST(concatenated_start_tables_hold_the_whole_range)
{
	// 43 bits from level 1: 16 tables.
	const uint64_t high = 0x7ff00000000ul;

	guest_reset();
	pgtable_init_stage2(&s2, 12, 43, 1);
	map_guest_code_stage2(&s2);
	map_page(&s2, high, 0x40000000, S2_NORMAL | S2_RW, 1);
	stage2_on(&s2);
	const uint64_t inside = high + ((uint64_t)scratch[0] - 0x40000000);
	*(volatile uint64_t *)scratch[0] = 0x777;
	struct exc good = run_at(EL1, load_x0, inside);
	struct exc bad = run_at(EL1, load_x0, high - 0x40000000);

	EXPECT_NO_EXC(good);
	EXPECT_REG(good, 1, 0x777);
	EXPECT_S2(bad, EC_DABT_LOWER, ISS_X1 | FSC_TRANSLATION(1), high - 0x40000000,
		  high - 0x40000000);
}

TEST(start_at_level_2)
{
	// 34 bits from level 2: 16 tables.
	guest_reset();
	pgtable_init_stage2(&s2, 12, 34, 2);
	map_guest_code_stage2(&s2);
	map_page(&s2, LOW_IPA, (uint64_t)scratch[0], S2_NORMAL | S2_RW, 3);
	stage2_on(&s2);
	struct exc good = run_at(EL1, load_x0, LOW_IPA);
	struct exc bad = run_at(EL1, load_x0, LOW_IPA + 0x40000000);

	EXPECT_NO_EXC(good);
	EXPECT_S2(bad, EC_DABT_LOWER, ISS_X1 | FSC_TRANSLATION(2), LOW_IPA + 0x40000000,
		  LOW_IPA + 0x40000000);
}

// Nothing answers at the next table. The abort belongs to stage 2 and goes to EL2.
TEST(external_abort_on_a_stage2_walk_goes_to_el2)
{
	const uint64_t hole = 0x3f00000000ul;

	for (int level = 1; level <= 2; level++) {
		start();
		*pgtable_entry(&s2, LOW_IPA, level) = hole | 3;
		stage2_on(&s2);
		struct exc e = run_at(EL1, load_x0, LOW_IPA);

		EXPECT_EQ(e.el, EL2);
		EXPECT_EQ(e.esr >> 26, EC_DABT_LOWER);
		EXPECT_MASKED(e.esr, 0x3f, FSC_EXTERNAL_WALK(level + 1));
		EXPECT_EQ(e.far, LOW_IPA);
	}
}

// ---- Permissions --------------------------------------------------------------------------------

TEST(s2ap_says_who_may_read_and_write)
{
	for (unsigned ap = 0; ap < 4; ap++) {
		start();
		map_page(&s2, LOW_IPA, (uint64_t)scratch[4], S2_NORMAL | (uint64_t)ap << 6, 3);
		stage2_on(&s2);
		struct exc r = run_at(EL1, load_x0, LOW_IPA);
		struct exc w = run_at(EL0, store_x0, LOW_IPA, INSN_RET);

		if (ap & 1) {
			EXPECT_NO_EXC(r);
		} else {
			EXPECT_ABORT(r, EL2, EC_DABT_LOWER, ISS_X1 | FSC_PERMISSION(3), LOW_IPA);
		}
		if (ap & 2) {
			EXPECT_NO_EXC(w);
		} else {
			EXPECT_ABORT(w, EL2, EC_DABT_LOWER, ISS_X1 | ISS_WNR | FSC_PERMISSION(3),
				     LOW_IPA);
		}
	}
}

TEST(xnx_says_who_may_execute)
{
	const bool el1_may[] = {true, false, false, true}, el0_may[] = {true, true, false, false};

	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr1_el1), 28), "no FEAT_XNX");
	for (unsigned xn = 0; xn < 4; xn++) {
		start();
		map_page(&s2, LOW_IPA, (uint64_t)scratch[4], S2_NORMAL | S2_R | S2_XN(xn), 3);
		stage2_on(&s2);
		struct exc e1 = run_at(EL1, call_x0, LOW_IPA);
		struct exc e0 = run_at(EL0, call_x0, LOW_IPA);

		if (el1_may[xn]) {
			EXPECT_NO_EXC(e1);
		} else {
			EXPECT_ABORT(e1, EL2, EC_IABT_LOWER, FSC_PERMISSION(3), LOW_IPA);
		}
		if (el0_may[xn]) {
			EXPECT_NO_EXC(e0);
		} else {
			EXPECT_ABORT(e0, EL2, EC_IABT_LOWER, FSC_PERMISSION(3), LOW_IPA);
		}
	}
}

TEST(el2_and_el3_are_not_translated_by_stage2)
{
	start();
	stage2_on(&s2);
	struct exc e2 = run_at(EL2, load_x0, scratch[0]);
	struct exc e3 = run_at(EL3, load_x0, scratch[0]);

	EXPECT_NO_EXC(e2);
	EXPECT_NO_EXC(e3);
}

// ---- Both stages --------------------------------------------------------------------------------

#define VA 0xc0000000ul

// VA -> LOW_IPA in stage 1; the tables of stage 1 and the code are identity mapped in stage 2.
static void start_both(uint64_t s1_attrs)
{
	start();
	pgtable_init(&s1, 12, 39);
	map_guest_code(&s1);
	map_page(&s1, VA, LOW_IPA, PT_NORMAL | s1_attrs, 3);
	uint64_t tables = (uint64_t)image_end & ~0x1ffffful;
	map_range(&s2, tables, tables, 0x400000, S2_NORMAL | S2_RW, 2);
	stage1_on_el1(&s1);
}

TEST(both_stages_translate_in_turn)
{
	start_both(PT_AP_RW_ALL);
	map_page(&s2, LOW_IPA, (uint64_t)scratch[0], S2_NORMAL | S2_RW, 3);
	stage2_on(&s2);
	*(volatile uint64_t *)(scratch[0] + 0x18) = 0xfeed;
	struct exc e1 = run_at(EL1, load_x0, VA + 0x18);
	struct exc w0 = run_at(EL0, store_x0, VA + 0x20, 0xbeef);

	EXPECT_NO_EXC(e1);
	EXPECT_REG(e1, 1, 0xfeed);
	EXPECT_NO_EXC(w0);
	EXPECT_EQ(*(volatile uint64_t *)(scratch[0] + 0x20), 0xbeef);
}

TEST(far_is_the_va_and_hpfar_the_ipa)
{
	start_both(PT_AP_RW_ALL);
	stage2_on(&s2);
	struct exc e1 = run_at(EL1, load_x0, VA + 0x18);
	struct exc e0 = run_at(EL0, store_x0, VA + 0x20);

	EXPECT_S2(e1, EC_DABT_LOWER, ISS_X1 | FSC_TRANSLATION(1), VA + 0x18, LOW_IPA);
	EXPECT_S2(e0, EC_DABT_LOWER, ISS_X1 | ISS_WNR | FSC_TRANSLATION(1), VA + 0x20, LOW_IPA);
}

TEST(stage1_faults_come_before_stage2_faults)
{
	start_both(PT_AP_RO_ALL);
	stage2_on(&s2);
	struct exc s1_perm = run_at(EL1, store_x0, VA);
	struct exc s1_trans = run_at(EL1, load_x0, VA + 0x1000);

	EXPECT_ABORT(s1_perm, EL1, EC_DABT_SAME, ISS_WNR | FSC_PERMISSION(3), VA);
	EXPECT_ABORT(s1_trans, EL1, EC_DABT_SAME, FSC_TRANSLATION(3), VA + 0x1000);
}

TEST(a_stage1_permission_and_a_stage2_permission_both_hold)
{
	start_both(PT_AP_RW_ALL);
	map_page(&s2, LOW_IPA, (uint64_t)scratch[0], S2_NORMAL | S2_R, 3);
	stage2_on(&s2);
	struct exc r = run_at(EL1, load_x0, VA);
	struct exc w = run_at(EL1, store_x0, VA);

	EXPECT_NO_EXC(r);
	EXPECT_ABORT(w, EL2, EC_DABT_LOWER, ISS_X1 | ISS_WNR | FSC_PERMISSION(3), VA);
}

// The stage-1 table of a level lies at an IPA that stage 2 does not map: S1PTW, the IPA of the
// descriptor in HPFAR, no ISV; FSC is the level of the stage-2 walk.
TEST(stage2_fault_on_a_stage1_walk_sets_s1ptw)
{
	for (int level = 1; level <= 2; level++) {
		const uint64_t hole = 0x200000000ul;

		start_both(PT_AP_RW_ALL);
		*pgtable_entry(&s1, VA, level) = hole | 3;
		stage2_on(&s2);
		struct exc l = run_at(EL1, load_x0, VA);
		struct exc f = run_at(EL0, branch_x0, VA);

		EXPECT_S2(l, EC_DABT_LOWER, ISS_S1PTW | FSC_TRANSLATION(1), VA, hole);
		EXPECT_S2(f, EC_IABT_LOWER, ISS_S1PTW | FSC_TRANSLATION(1), VA, hole);
	}
}

TEST(hpfar_of_a_walk_fault_is_the_page_of_the_descriptor)
{
	const uint64_t hole = 0x200003000ul;
	const uint64_t va = VA + 0x7000; // level-3 index 7

	start_both(PT_AP_RW_ALL);
	*pgtable_entry(&s1, va, 2) = hole | 3;
	stage2_on(&s2);
	struct exc e = run_at(EL1, load_x0, va);

	EXPECT_S2(e, EC_DABT_LOWER, ISS_S1PTW | FSC_TRANSLATION(1), va, hole);
}

TEST(stage2_access_flag_and_permission_faults_on_a_stage1_walk)
{
	const uint64_t ipa = 0x90000000ul;

	start_both(PT_AP_RW_ALL);
	*pgtable_entry(&s1, VA, 2) = ipa | 3;
	map_page(&s2, ipa, (uint64_t)scratch[1], (S2_NORMAL & ~PT_AF) | S2_RW, 3);
	stage2_on(&s2);
	struct exc af = run_at(EL1, load_x0, VA);
	*pgtable_entry(&s2, ipa, 3) = (uint64_t)scratch[1] | S2_NORMAL | S2_W | 3;
	tlbi_all();
	struct exc perm = run_at(EL1, load_x0, VA);

	EXPECT_S2(af, EC_DABT_LOWER, ISS_S1PTW | FSC_ACCESS(3), VA, ipa);
	EXPECT_S2(perm, EC_DABT_LOWER, ISS_S1PTW | FSC_PERMISSION(3), VA, ipa);
}

// HCR_EL2.PTW: a stage-1 walk of Device memory is a permission fault.
TEST(hcr_ptw_forbids_walks_of_device_memory)
{
	const uint64_t ipa = 0x90000000ul;

	start_both(PT_AP_RW_ALL);
	*pgtable_entry(&s1, VA, 2) = ipa | 3;
	*(volatile uint64_t *)scratch[1] = 0;
	map_page(&s2, ipa, (uint64_t)scratch[1], S2_DEVICE | S2_RW, 3);
	stage2_on(&s2);
	struct exc without = run_at(EL1, load_x0, VA);
	write_sysreg(hcr_el2, read_sysreg(hcr_el2) | HCR_PTW);
	tlbi_all();
	struct exc with = run_at(EL1, load_x0, VA);

	EXPECT_ABORT(without, EL1, EC_DABT_SAME, FSC_TRANSLATION(3), VA);
	EXPECT_S2(with, EC_DABT_LOWER, ISS_S1PTW | FSC_PERMISSION(3), VA, ipa);
}

// ---- Alignment on Device memory -----------------------------------------------------------------

// Of stage 1: before anything of stage 2, whatever that makes of the memory.
TEST(alignment_of_stage1_comes_before_stage2)
{
	QEMU_7_DIFFERS("does not check alignment on Device memory");
	start_both(PT_AP_RW_ALL);
	*pgtable_entry(&s1, VA, 3) = LOW_IPA | PT_DEVICE | PT_AP_RW_ALL | 3;
	stage2_on(&s2); // LOW_IPA is not mapped
	struct exc e = run_at(EL1, load_x0, VA + 4);
	struct exc aligned = run_at(EL1, load_x0, VA + 8);

	EXPECT_ABORT(e, EL1, EC_DABT_SAME, FSC_ALIGNMENT, VA + 4);
	EXPECT_S2(aligned, EC_DABT_LOWER, ISS_X1 | FSC_TRANSLATION(1), VA + 8, LOW_IPA);
}

TEST(alignment_with_stage1_off_comes_before_stage2)
{
	QEMU_DIFFERS("asks stage 2 first, or not at all");
	start();
	stage2_on(&s2);
	struct exc e = run_at(EL1, store_x0, LOW_IPA + 4);
	struct exc e0 = run_at(EL0, load_x0, LOW_IPA + 4);

	EXPECT_ABORT(e, EL1, EC_DABT_SAME, ISS_WNR | FSC_ALIGNMENT, LOW_IPA + 4);
	EXPECT_ABORT(e0, EL1, EC_DABT_LOWER, FSC_ALIGNMENT, LOW_IPA + 4);
	write_sysreg(hcr_el2, read_sysreg(hcr_el2) | HCR_DC);
	tlbi_all();
	e = run_at(EL1, store_x0, LOW_IPA + 4);
	EXPECT_S2(e, EC_DABT_LOWER, ISS_X1 | ISS_WNR | FSC_TRANSLATION(1), LOW_IPA + 4, LOW_IPA);
}

// Of stage 2 alone: a fault of stage 2, and before its permissions. (HPFAR is UNKNOWN.)
TEST(alignment_on_device_memory_of_stage2_faults_to_el2)
{
	QEMU_7_DIFFERS("does not check alignment on Device memory");
	start_both(PT_AP_RW_ALL);
	map_page(&s2, LOW_IPA, (uint64_t)scratch[1], S2_DEVICE | S2_R, 3);
	stage2_on(&s2);
	struct exc r = run_at(EL1, load_x0, VA + 4);
	struct exc w = run_at(EL0, store_x0, VA + 4);
	struct exc aligned = run_at(EL1, store_x0, VA + 8);

	EXPECT_ABORT(r, EL2, EC_DABT_LOWER, ISS_X1 | FSC_ALIGNMENT, VA + 4);
	EXPECT_ABORT(w, EL2, EC_DABT_LOWER, ISS_X1 | ISS_WNR | FSC_ALIGNMENT, VA + 4);
	EXPECT_S2(aligned, EC_DABT_LOWER, ISS_X1 | ISS_WNR | FSC_PERMISSION(3), VA + 8, LOW_IPA);
}

TEST(alignment_on_device_memory_of_stage2_is_checked_on_tlb_hits)
{
	QEMU_DIFFERS("takes it to EL1 then, or does not check it");
	start_both(PT_AP_RW_ALL);
	map_page(&s2, LOW_IPA, (uint64_t)scratch[1], S2_DEVICE | S2_RW, 3);
	stage2_on(&s2);
	struct exc good = run_at(EL1, store_x0, VA + 8);
	struct exc r = run_at(EL1, load_x0, VA + 4);
	struct exc w = run_at(EL1, store_x0, VA + 4);

	EXPECT_NO_EXC(good);
	EXPECT_ABORT(r, EL2, EC_DABT_LOWER, ISS_X1 | FSC_ALIGNMENT, VA + 4);
	EXPECT_ABORT(w, EL2, EC_DABT_LOWER, ISS_X1 | ISS_WNR | FSC_ALIGNMENT, VA + 4);
}

TEST(dc_zva_of_device_memory_of_stage2_faults_to_el2)
{
	const struct sysreg zva = SYSREG(dc_zva, 1, 3, 7, 4, 1);

	QEMU_DIFFERS("lets it pass");
	start_both(PT_AP_RW_ALL);
	map_page(&s2, LOW_IPA, (uint64_t)scratch[1], S2_DEVICE | S2_RW, 3);
	stage2_on(&s2);
	struct exc e = access_at(EL1, WRITE, zva, VA);

	EXPECT_ABORT(e, EL2, EC_DABT_LOWER, ISS_WNR | FSC_ALIGNMENT, VA);
}

// HCR_EL2.FWB makes Normal memory of it; stage 1 has been asked before.
TEST(alignment_of_stage1_holds_where_stage2_forces_write_back)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr2_el1), 40), "no FEAT_S2FWB");
	QEMU_DIFFERS("lets it pass");
	start_both(PT_AP_RW_ALL);
	*pgtable_entry(&s1, VA, 3) = LOW_IPA | PT_DEVICE | PT_AP_RW_ALL | 3;
	map_page(&s2, LOW_IPA, (uint64_t)scratch[1], PT_AF | PT_SH_INNER | S2_MEMATTR(6) | S2_RW,
		 3);
	stage2_on(&s2);
	write_sysreg(hcr_el2, read_sysreg(hcr_el2) | HCR_FWB);
	tlbi_all();
	for (unsigned i = 0; i < 2; i++) {
		struct exc good = run_at(EL1, store_x0, VA + 8, 1);
		struct exc e = run_at(EL1, store_x0, VA + 4, 1);

		EXPECT_NO_EXC(good);
		EXPECT_ABORT(e, EL1, EC_DABT_SAME, ISS_WNR | FSC_ALIGNMENT, VA + 4);
	}
}

// ---- Hardware access flag and dirty state -------------------------------------------------------

#define VTCR_HA BIT(21)
#define VTCR_HD BIT(22)
#define NEEDS_HAFDBS SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr1_el1), 0) >= 2, "no FEAT_HAFDBS")

TEST(vtcr_ha_sets_the_access_flag)
{
	NEEDS_HAFDBS;
	start();
	map_page(&s2, LOW_IPA, (uint64_t)scratch[0], (S2_NORMAL & ~PT_AF) | S2_RW, 3);
	stage2_on(&s2);
	write_sysreg(vtcr_el2, vtcr_value(&s2) | VTCR_HA);
	tlbi_all();
	struct exc e = run_at(EL1, load_x0, LOW_IPA);

	EXPECT_NO_EXC(e);
	EXPECT_MASKED(*(volatile uint64_t *)pgtable_entry(&s2, LOW_IPA, 3), PT_AF, PT_AF);
}

TEST(vtcr_hd_makes_a_page_with_dbm_writable)
{
	NEEDS_HAFDBS;
	start();
	map_page(&s2, LOW_IPA, (uint64_t)scratch[0], S2_NORMAL | S2_R | PT_DBM, 3);
	stage2_on(&s2);
	write_sysreg(vtcr_el2, vtcr_value(&s2) | VTCR_HA | VTCR_HD);
	tlbi_all();
	struct exc r = run_at(EL1, load_x0, LOW_IPA);
	uint64_t clean = *(volatile uint64_t *)pgtable_entry(&s2, LOW_IPA, 3);
	struct exc w = run_at(EL1, store_x0, LOW_IPA);
	uint64_t dirty = *(volatile uint64_t *)pgtable_entry(&s2, LOW_IPA, 3);

	EXPECT_NO_EXC(r);
	EXPECT_MASKED(clean, S2_W, 0);
	EXPECT_NO_EXC(w);
	EXPECT_MASKED(dirty, S2_W, S2_W);
}

// The hardware's update of a stage-1 descriptor is a write for stage 2.
TEST(stage1_flag_update_needs_stage2_write_permission)
{
	NEEDS_HAFDBS;
	start_both(PT_AP_RW_ALL);
	uint64_t *leaf = pgtable_entry(&s1, VA, 3);
	uint64_t page = (uint64_t)leaf & ~0xffful;
	const uint64_t ipa = 0x90000000ul;

	*leaf &= ~PT_AF;
	*pgtable_entry(&s1, VA, 2) = ipa | 3;
	map_page(&s2, ipa, page, S2_NORMAL | S2_R, 3);
	map_page(&s2, LOW_IPA, (uint64_t)scratch[0], S2_NORMAL | S2_RW, 3);
	write_sysreg(tcr_el1, tcr_el1_value(&s1) | BIT(39));
	stage2_on(&s2);
	struct exc e = run_at(EL1, load_x0, VA);

	EXPECT_EQ(e.el, EL2);
	EXPECT_EQ(e.esr >> 26, EC_DABT_LOWER);
	EXPECT_MASKED(e.esr, ISS_S1PTW | 0x3f, ISS_S1PTW | FSC_PERMISSION(3));
	EXPECT_EQ(e.hpfar, HPFAR_OF(ipa));
	EXPECT_MASKED(*leaf, PT_AF, 0);
}

// ---- The syndrome of the access -----------------------------------------------------------------

struct kind {
	const char *name;
	uint32_t insn; // address in x0, register 5 where there is one
	uint64_t iss; // but FSC
};

#define SIZE(n) (ISS_ISV | ISS_SAS(n) | ISS_SRT(5))
#define RN0_RT5 5u

static const struct kind isv_kinds[] = {
	{"ldrb w5, [x0]", 0x39400000 | RN0_RT5, SIZE(0)},
	{"ldrh w5, [x0]", 0x79400000 | RN0_RT5, SIZE(1)},
	{"ldr w5, [x0]", 0xb9400000 | RN0_RT5, SIZE(2)},
	{"ldr x5, [x0]", 0xf9400000 | RN0_RT5, SIZE(3) | ISS_SF},
	{"ldrsb w5, [x0]", 0x39c00000 | RN0_RT5, SIZE(0) | ISS_SSE},
	{"ldrsb x5, [x0]", 0x39800000 | RN0_RT5, SIZE(0) | ISS_SSE | ISS_SF},
	{"ldrsh w5, [x0]", 0x79c00000 | RN0_RT5, SIZE(1) | ISS_SSE},
	{"ldrsh x5, [x0]", 0x79800000 | RN0_RT5, SIZE(1) | ISS_SSE | ISS_SF},
	{"ldrsw x5, [x0]", 0xb9800000 | RN0_RT5, SIZE(2) | ISS_SSE | ISS_SF},
	{"strb w5, [x0]", 0x39000000 | RN0_RT5, SIZE(0) | ISS_WNR},
	{"strh w5, [x0]", 0x79000000 | RN0_RT5, SIZE(1) | ISS_WNR},
	{"str w5, [x0]", 0xb9000000 | RN0_RT5, SIZE(2) | ISS_WNR},
	{"str x5, [x0]", 0xf9000000 | RN0_RT5, SIZE(3) | ISS_SF | ISS_WNR},
	{"ldur x5, [x0]", 0xf8400000 | RN0_RT5, SIZE(3) | ISS_SF},
	{"stur w5, [x0]", 0xb8000000 | RN0_RT5, SIZE(2) | ISS_WNR},
	{"ldtr x5, [x0]", 0xf8400800 | RN0_RT5, SIZE(3) | ISS_SF},
	{"ldtrsw x5, [x0]", 0xb8800800 | RN0_RT5, SIZE(2) | ISS_SSE | ISS_SF},
	{"sttrb w5, [x0]", 0x38000800 | RN0_RT5, SIZE(0) | ISS_WNR},
	{"ldr x5, [x0, x1]", 0xf8616800 | RN0_RT5, SIZE(3) | ISS_SF},
	{"str w5, [x0, x1]", 0xb8216800 | RN0_RT5, SIZE(2) | ISS_WNR},
	{"ldrb w5, [x0, w1, uxtw]", 0x38614800 | RN0_RT5, SIZE(0)},
	{"ldar x5, [x0]", 0xc8dffc00 | RN0_RT5, SIZE(3) | ISS_SF | ISS_AR},
	{"ldarb w5, [x0]", 0x08dffc00 | RN0_RT5, SIZE(0) | ISS_AR},
	{"stlr w5, [x0]", 0x889ffc00 | RN0_RT5, SIZE(2) | ISS_AR | ISS_WNR},
	{"stlrh w5, [x0]", 0x489ffc00 | RN0_RT5, SIZE(1) | ISS_AR | ISS_WNR},
	{"ldapr w5, [x0]", 0xb8bfc000 | RN0_RT5, SIZE(2) | ISS_AR},
	{"ldapur x5, [x0]", 0xd9400000 | RN0_RT5, SIZE(3) | ISS_SF | ISS_AR},
	{"ldapursb x5, [x0]", 0x19800000 | RN0_RT5, SIZE(0) | ISS_SSE | ISS_SF | ISS_AR},
	{"stlur w5, [x0]", 0x99000000 | RN0_RT5, SIZE(2) | ISS_AR | ISS_WNR},
};

static const struct kind no_isv_kinds[] = {
	{"ldr x5, [x0], #8", 0xf8408400 | RN0_RT5, 0},
	{"ldr x5, [x0, #0]!", 0xf8400c00 | RN0_RT5, 0},
	{"strb w5, [x0], #1", 0x38001400 | RN0_RT5, ISS_WNR},
	{"ldp x5, x6, [x0]", 0xa9401800 | RN0_RT5, 0},
	{"stp w5, w6, [x0]", 0x29001800 | RN0_RT5, ISS_WNR},
	{"ldpsw x5, x6, [x0]", 0x69401800 | RN0_RT5, 0},
	{"ldnp x5, x6, [x0]", 0xa8401800 | RN0_RT5, 0},
	{"ldxr x5, [x0]", 0xc85f7c00 | RN0_RT5, 0},
	{"ldaxrb w5, [x0]", 0x085ffc00 | RN0_RT5, 0},
	{"ldxp x5, x6, [x0]", 0xc87f1800 | RN0_RT5, 0},
	{"ldr d5, [x0]", 0xfd400000 | RN0_RT5, 0},
	{"str q5, [x0]", 0x3d800000 | RN0_RT5, ISS_WNR},
	{"ld1 {v5.16b}, [x0]", 0x4c407000 | RN0_RT5, 0},
	{"st1 {v5.16b}, [x0]", 0x4c007000 | RN0_RT5, ISS_WNR},
};

static void expect_kind(int line, const struct kind *k, enum el el)
{
	const uint64_t ipa = 0xa0000040ul;
	struct exc e = run_at(el, emit(k->insn), ipa);

	guest_expect_exc(k->name, line, &e, EL2, ESR(EC_DABT_LOWER, k->iss | FSC_TRANSLATION(1)));
	guest_expect_eq(k->name, line, "FAR", e.far, ipa);
	guest_expect_eq(k->name, line, "HPFAR", e.hpfar, HPFAR_OF(ipa));
}

static void start_kinds(void)
{
	start();
	stage2_on(&s2);
}

TEST(isv_describes_each_load_and_store_of_one_register)
{
	start_kinds();
	for (unsigned i = 0; i < sizeof(isv_kinds) / sizeof(isv_kinds[0]); i++) {
		expect_kind(__LINE__, &isv_kinds[i], EL1);
	}
}

TEST(isv_describes_accesses_of_el0_too)
{
	start_kinds();
	for (unsigned i = 0; i < sizeof(isv_kinds) / sizeof(isv_kinds[0]); i++) {
		expect_kind(__LINE__, &isv_kinds[i], EL0);
	}
}

TEST(isv_is_0_with_writeback_pairs_exclusives_and_simd)
{
	start_kinds();
	for (unsigned i = 0; i < sizeof(no_isv_kinds) / sizeof(no_isv_kinds[0]); i++) {
		expect_kind(__LINE__, &no_isv_kinds[i], EL1);
	}
}

TEST(isv_carries_register_31_for_xzr)
{
	const struct kind load = {"ldr xzr, [x0]", 0xf940001f,
				  ISS_ISV | ISS_SAS(3) | ISS_SF | ISS_SRT(31)};
	const struct kind store = {"str wzr, [x0]", 0xb900001f,
				   ISS_ISV | ISS_SAS(2) | ISS_WNR | ISS_SRT(31)};

	start_kinds();
	expect_kind(__LINE__, &load, EL1);
	expect_kind(__LINE__, &store, EL1);
}

// ISV is 0: LSE atomics. Read and write both fail here, which is reported as a read.
TEST(isv_is_0_for_atomics)
{
	static const struct kind kinds[] = {
		{"ldadd x1, x5, [x0]", 0xf8210000 | RN0_RT5, 0},
		{"swp x1, x5, [x0]", 0xf8218000 | RN0_RT5, 0},
		{"cas x1, x5, [x0]", 0xc8a17c00 | RN0_RT5, 0},
	};

	QEMU_7_DIFFERS("reports a write");
	start_kinds();
	for (unsigned i = 0; i < 3; i++) {
		expect_kind(__LINE__, &kinds[i], EL1);
	}
}

TEST(writeback_does_not_happen_on_a_fault)
{
	start_kinds();
	struct exc e = run_at(EL1, emit(0xf8408400 | RN0_RT5), 0xa0000040ul); // LDR X5, [X0], #8

	EXPECT_REG(e, 0, 0xa0000040ul);
	EXPECT_REG(e, 5, 0);
}

// A fault that EL1 takes itself has no ISV (its ISS[23:14] is RES0).
TEST(isv_is_0_for_stage1_faults)
{
	start_both(PT_AP_RW_ALL);
	stage2_on(&s2);
	struct exc e = run_at(EL1, load_x0, VA + 0x1000);

	EXPECT_ABORT(e, EL1, EC_DABT_SAME, FSC_TRANSLATION(3), VA + 0x1000);
}

// A stage-1 fault of EL0 that goes to EL2 by TGE is none of stage 2's.
TEST(isv_is_0_for_stage1_faults_of_a_host_el0)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr1_el1), 8), "no FEAT_VHE");
	guest_reset();
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H | HCR_TGE);
	pgtable_init(&s1, 12, 39);
	map_guest_code(&s1);
	stage1_on_el20(&s1);
	struct exc e = run_at(EL0, load_x0, VA);

	EXPECT_ABORT(e, EL2, EC_DABT_LOWER, FSC_TRANSLATION(1), VA);
}

TEST(cache_maintenance_at_stage2_sets_cm_without_isv)
{
	const struct sysreg civac = SYSREG(dc_civac, 1, 3, 7, 14, 1);
	const struct sysreg zva = SYSREG(dc_zva, 1, 3, 7, 4, 1);

	QEMU_DIFFERS("does not translate for cache maintenance");
	start_kinds();
	struct exc c = access_at(EL1, WRITE, civac, LOW_IPA);
	write_sysreg(hcr_el2, read_sysreg(hcr_el2) | HCR_DC); // Normal memory
	tlbi_all();
	struct exc z = access_at(EL1, WRITE, zva, LOW_IPA);

	EXPECT_S2(c, EC_DABT_LOWER, ISS_CM | ISS_WNR | FSC_TRANSLATION(1), LOW_IPA, LOW_IPA);
	EXPECT_S2(z, EC_DABT_LOWER, ISS_WNR | FSC_TRANSLATION(1), LOW_IPA, LOW_IPA);
}

// The address is not the lowest of the access: ISV is 0 (AArch64.InstructionSyndromeValid).
TEST(access_across_pages_reports_the_second_ipa)
{
	QEMU_DIFFERS("sets ISV");
	guest_reset();
	start_both(PT_AP_RW_ALL);
	map_page(&s1, VA + 0x1000, LOW_IPA + 0x5000, PT_NORMAL | PT_AP_RW_ALL, 3);
	map_page(&s2, LOW_IPA, (uint64_t)scratch[0], S2_NORMAL | S2_RW, 3);
	stage2_on(&s2);
	struct exc e = run_at(EL1, load_x0, VA + 0xffc);

	EXPECT_S2(e, EC_DABT_LOWER, FSC_TRANSLATION(3), VA + 0x1000, LOW_IPA + 0x5000);
	*pgtable_entry(&s2, LOW_IPA, 3) = 0;
	tlbi_all();
	e = run_at(EL1, load_x0, VA + 0xffc);
	EXPECT_S2(e, EC_DABT_LOWER, ISS_X1 | FSC_TRANSLATION(3), VA + 0xffc, LOW_IPA);
}

TEST(stage2_off_makes_ipa_equal_pa)
{
	start();
	stage2_on(&s2);
	struct exc on = run_at(EL1, load_x0, scratch[0]);
	write_sysreg(hcr_el2, HCR_BASE);
	struct exc off = run_at(EL1, load_x0, scratch[0]);

	EXPECT_EQ(on.el, EL2);
	EXPECT_NO_EXC(off);
}
