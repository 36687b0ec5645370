// SPDX-License-Identifier: Apache-2.0
//
// mmu_s1.c - stage 1 of EL1&0: translation, access flag, permission and address size faults at
// every level of every granule, for loads, stores and fetches; the same in brief for the EL2, EL2&0
// and EL3 regimes; and mapping sizes.

#include "abort.h"
#include "emit.h"

SNIPPET(load_x0, "ldr x1, [x0]");
SNIPPET(load_x0_svc, "ldr x1, [x0]" ESCAPE_SVC);
SNIPPET(store_x0, "str x1, [x0]");
SNIPPET(branch_x0, "br x0");

// Far from the image in every table of a 48-bit space (16 KiB: level 0 has two entries); a multiple
// of 64 KiB.
#define VA 0x923442780000ul
#define VA_BITS 48

#define PS_32 0ul
#define TCR_IPS(n) ((n) << 32)
#define TCR_IPS_MASK (7ul << 32)

static void start(struct pgtable *pt, unsigned granule)
{
	guest_reset();
	pgtable_init(pt, granule, VA_BITS);
	map_guest_code(pt);
}

// Load, store and fetch of VA + 8 at EL1 and EL0, all with the same fault.
static void expect_fault_by_all(int line, unsigned fsc)
{
	struct exc l1 = run_at(EL1, load_x0, VA + 8);
	struct exc s1 = run_at(EL1, store_x0, VA + 8);
	struct exc f1 = run_at(EL1, branch_x0, VA + 8);
	struct exc l0 = run_at(EL0, load_x0, VA + 8);
	struct exc s0 = run_at(EL0, store_x0, VA + 8);
	struct exc f0 = run_at(EL0, branch_x0, VA + 8);

	expect_abort(line, &l1, EL1, EC_DABT_SAME, fsc, VA + 8);
	expect_abort(line, &s1, EL1, EC_DABT_SAME, ISS_WNR | fsc, VA + 8);
	expect_abort(line, &f1, EL1, EC_IABT_SAME, fsc, VA + 8);
	expect_abort(line, &l0, EL1, EC_DABT_LOWER, fsc, VA + 8);
	expect_abort(line, &s0, EL1, EC_DABT_LOWER, ISS_WNR | fsc, VA + 8);
	expect_abort(line, &f0, EL1, EC_IABT_LOWER, fsc, VA + 8);
	guest_expect_eq("mmu_s1.c", line, "elr", l1.elr, (uint64_t)load_x0);
	guest_expect_eq("mmu_s1.c", line, "elr of fetch", f1.elr, VA + 8);
}

// ---- Translation faults -------------------------------------------------------------------------

TEST_GRANULES(translation_fault_at_every_level)
{
	struct pgtable pt;

	start(&pt, granule);
	for (int level = pt.start_level; level <= 3; level++) {
		start(&pt, granule);
		*pgtable_entry(&pt, VA, level) = 0;
		stage1_on_el1(&pt);
		expect_fault_by_all(__LINE__, FSC_TRANSLATION(level));
	}
}

// Bit 0 clear is invalid whatever the other bits say.
TEST_GRANULES(descriptor_with_bit_0_clear_is_invalid)
{
	struct pgtable pt;

	start(&pt, granule);
	for (int level = pt.start_level; level <= 3; level++) {
		start(&pt, granule);
		*pgtable_entry(&pt, VA, level) = ((uint64_t)scratch[0] | PT_NORMAL | 2);
		stage1_on_el1(&pt);
		expect_fault_by_all(__LINE__, FSC_TRANSLATION(level));
	}
}

TEST_GRANULES(reserved_descriptor_at_level_3_is_a_translation_fault)
{
	struct pgtable pt;

	start(&pt, granule);
	*pgtable_entry(&pt, VA, 3) = (uint64_t)scratch[0] | PT_NORMAL | PT_AP_RW_ALL | 1;
	stage1_on_el1(&pt);
	expect_fault_by_all(__LINE__, FSC_TRANSLATION(3));
}

static void expect_no_block(int line, unsigned granule, int level)
{
	struct pgtable pt;

	start(&pt, granule);
	*pgtable_entry(&pt, VA, level) = 0x40000000ul | PT_NORMAL | PT_AP_RW_ALL | 1;
	stage1_on_el1(&pt);
	expect_fault_by_all(line, FSC_TRANSLATION(level));
}

// Level 0 of 4 KiB and 16 KiB; of 16 KiB also level 1, as TCR.DS is 0. (A level-1 block of 64 KiB
// is legal with 52-bit addresses.)
TEST(block_at_a_level_without_blocks_is_a_translation_fault)
{
	QEMU_7_DIFFERS("takes it for a block");
	expect_no_block(__LINE__, 12, 0);
	expect_no_block(__LINE__, 14, 0);
	expect_no_block(__LINE__, 14, 1);
}

// An input address beyond TxSZ faults at level 0, wherever the walk would start.
TEST_GRANULES(address_beyond_t0sz_is_a_translation_fault_at_level_0)
{
	struct pgtable pt;
	const unsigned bits = 36;

	guest_reset();
	pgtable_init(&pt, granule, bits);
	map_guest_code(&pt);
	stage1_on_el1(&pt);
	struct exc e = run_at(EL1, load_x0, 1ul << bits);
	struct exc top = run_at(EL1, load_x0, 0x0000ffffffffffff);
	struct exc f = run_at(EL0, branch_x0, 1ul << bits);

	EXPECT_ABORT(e, EL1, EC_DABT_SAME, FSC_TRANSLATION(0), 1ul << bits);
	EXPECT_ABORT(top, EL1, EC_DABT_SAME, FSC_TRANSLATION(0), 0x0000ffffffffffff);
	EXPECT_ABORT(f, EL1, EC_IABT_LOWER, FSC_TRANSLATION(0), 1ul << bits);
}

TEST(address_between_the_halves_is_a_translation_fault_at_level_0)
{
	struct pgtable pt;

	start(&pt, 12);
	stage1_on_el1(&pt);
	struct exc low = run_at(EL1, load_x0, 0x0001000000000000);
	struct exc high = run_at(EL1, load_x0, 0xfffe000000000000);

	EXPECT_ABORT(low, EL1, EC_DABT_SAME, FSC_TRANSLATION(0), 0x0001000000000000);
	EXPECT_ABORT(high, EL1, EC_DABT_SAME, FSC_TRANSLATION(0), 0xfffe000000000000);
}

TEST_GRANULES(start_level_follows_t0sz)
{
	// The smallest input sizes that still need each start level, and one bit less.
	const unsigned sizes[3][4] = {{48, 39, 30, 25}, {48, 47, 36, 28}, {48, 42, 32, 30}};
	const int levels[3][4] = {{0, 1, 2, 2}, {0, 1, 2, 2}, {1, 2, 2, 2}};
	const unsigned row = (granule - 12) / 2;

	for (unsigned i = 0; i < 4; i++) {
		struct pgtable pt;

		if (sizes[row][i] < 31) {
			continue; // the image would not fit in
		}
		guest_reset();
		pgtable_init(&pt, granule, sizes[row][i]);
		map_guest_code(&pt);
		stage1_on_el1(&pt);
		// The top of the space: nothing there, so the first level faults.
		uint64_t top = (1ul << sizes[row][i]) - 8;
		struct exc e = run_at(EL1, load_x0, top);

		EXPECT_ABORT(e, EL1, EC_DABT_SAME, FSC_TRANSLATION(levels[row][i]), top);
	}
}

// ---- Access flag faults -------------------------------------------------------------------------

TEST_GRANULES(access_flag_fault_at_every_leaf_level)
{
	struct pgtable pt;

	for (int level = first_block_level(granule); level <= 3; level++) {
		start(&pt, granule);
		uint64_t size = pgtable_level_size(&pt, level);
		map_page(&pt, VA & ~(size - 1), 0x40000000ul & ~(size - 1),
			 (PT_NORMAL & ~PT_AF) | PT_AP_RW_ALL, level);
		stage1_on_el1(&pt);
		expect_fault_by_all(__LINE__, FSC_ACCESS(level));
	}
}

// ---- Permission faults --------------------------------------------------------------------------

TEST_GRANULES(permission_fault_at_every_leaf_level)
{
	struct pgtable pt;

	for (int level = first_block_level(granule); level <= 3; level++) {
		start(&pt, granule);
		uint64_t size = pgtable_level_size(&pt, level);
		map_page(&pt, VA & ~(size - 1), 0x40000000ul & ~(size - 1),
			 PT_NORMAL | PT_AP_RO_EL1 | PT_PXN | PT_UXN, level);
		stage1_on_el1(&pt);
		struct exc s1 = run_at(EL1, store_x0, VA);
		struct exc l0 = run_at(EL0, load_x0, VA);
		struct exc s0 = run_at(EL0, store_x0, VA);
		struct exc f1 = run_at(EL1, branch_x0, VA);
		struct exc f0 = run_at(EL0, branch_x0, VA);

		EXPECT_ABORT(s1, EL1, EC_DABT_SAME, ISS_WNR | FSC_PERMISSION(level), VA);
		EXPECT_ABORT(l0, EL1, EC_DABT_LOWER, FSC_PERMISSION(level), VA);
		EXPECT_ABORT(s0, EL1, EC_DABT_LOWER, ISS_WNR | FSC_PERMISSION(level), VA);
		EXPECT_ABORT(f1, EL1, EC_IABT_SAME, FSC_PERMISSION(level), VA);
		EXPECT_ABORT(f0, EL1, EC_IABT_LOWER, FSC_PERMISSION(level), VA);
	}
}

// The order of the checks: access flag before permission.
TEST(access_flag_fault_comes_before_permission_fault)
{
	struct pgtable pt;

	start(&pt, 12);
	map_page(&pt, VA, (uint64_t)scratch[0], (PT_NORMAL & ~PT_AF) | PT_AP_RO_EL1, 3);
	stage1_on_el1(&pt);
	struct exc e = run_at(EL0, store_x0, VA);

	EXPECT_ABORT(e, EL1, EC_DABT_LOWER, ISS_WNR | FSC_ACCESS(3), VA);
}

// ---- Address size faults ------------------------------------------------------------------------

static void stage1_on_with_ips(const struct pgtable *pt, uint64_t ips)
{
	stage1_on_el1(pt);
	write_sysreg(tcr_el1, (tcr_el1_value(pt) & ~TCR_IPS_MASK) | TCR_IPS(ips));
	tlbi_all();
}

TEST_GRANULES(leaf_beyond_ips_is_an_address_size_fault)
{
	struct pgtable pt;

	for (int level = first_block_level(granule); level <= 3; level++) {
		start(&pt, granule);
		map_page(&pt, VA & ~(pgtable_level_size(&pt, level) - 1), 1ul << 36,
			 PT_NORMAL | PT_AP_RW_ALL, level);
		stage1_on_with_ips(&pt, PS_32);
		expect_fault_by_all(__LINE__, FSC_ADDR_SIZE(level));
	}
}

TEST_GRANULES(table_beyond_ips_is_an_address_size_fault_of_its_descriptor_level)
{
	struct pgtable pt;

	start(&pt, granule);
	for (int level = pt.start_level; level <= 2; level++) {
		start(&pt, granule);
		*pgtable_entry(&pt, VA, level) = 1ul << 36 | 3;
		stage1_on_with_ips(&pt, PS_32);
		expect_fault_by_all(__LINE__, FSC_ADDR_SIZE(level));
	}
}

TEST(ttbr_beyond_ips_is_an_address_size_fault_at_level_0)
{
	struct pgtable pt;

	// The image must stay reachable: the faulting half is that of TTBR1.
	start(&pt, 12);
	stage1_on_el1(&pt);
	write_sysreg(tcr_el1, (tcr_el1_value(&pt) & ~(TCR_IPS_MASK | BIT(23))) | TCR_IPS(PS_32) |
				      25ul << 16);
	write_sysreg(ttbr1_el1, 1ul << 36);
	tlbi_all();
	struct exc e = run_at(EL1, load_x0, 0xffffffff00000000);

	EXPECT_ABORT(e, EL1, EC_DABT_SAME, FSC_ADDR_SIZE(0), 0xffffffff00000000);
}

// ---- External aborts on walks -------------------------------------------------------------------

#define HOLE 0x3f00000000ul

TEST(external_abort_on_a_walk_names_the_level_of_the_fetched_descriptor)
{
	struct pgtable pt;

	for (int level = 0; level <= 2; level++) {
		start(&pt, 12);
		*pgtable_entry(&pt, VA, level) = HOLE | 3;
		stage1_on_el1(&pt);
		struct exc d = run_at(EL1, load_x0, VA);
		struct exc i = run_at(EL0, branch_x0, VA);

		EXPECT_MASKED(d.esr, 0x3f, FSC_EXTERNAL_WALK(level + 1));
		EXPECT_EQ(d.esr >> 26, EC_DABT_SAME);
		EXPECT_EQ(d.far, VA);
		EXPECT_MASKED(i.esr, 0x3f, FSC_EXTERNAL_WALK(level + 1));
		EXPECT_EQ(i.esr >> 26, EC_IABT_LOWER);
	}
}

// ---- What is mapped -----------------------------------------------------------------------------

TEST_GRANULES(leaf_of_every_level_maps_its_whole_size)
{
	struct pgtable pt;

	for (int level = first_block_level(granule); level <= 3; level++) {
		start(&pt, granule);
		uint64_t size = pgtable_level_size(&pt, level);
		uint64_t va = VA & ~(size - 1);
		uint64_t pa = (uint64_t)scratch[0] & ~(size - 1);
		map_page(&pt, va, pa, PT_NORMAL | PT_AP_RW_ALL, level);
		stage1_on_el1(&pt);
		*(volatile uint64_t *)scratch[0] = 0x1111 * (uint64_t)(level + 1);
		uint64_t inside = va + ((uint64_t)scratch[0] - pa);
		struct exc e1 = run_at(EL1, load_x0, inside);
		struct exc e0 = run_at(EL0, load_x0_svc, inside);
		struct exc below = run_at(EL1, load_x0, va - 8);
		struct exc above = run_at(EL1, load_x0, va + size);

		EXPECT_NO_EXC(e1);
		EXPECT_REG(e1, 1, 0x1111 * (uint64_t)(level + 1));
		EXPECT_NO_EXC(e0);
		EXPECT_REG(e0, 1, 0x1111 * (uint64_t)(level + 1));
		EXPECT_EQ(below.el, EL1);
		EXPECT_EQ(below.far, va - 8);
		EXPECT_EQ(above.el, EL1);
		EXPECT_EQ(above.far, va + size);
	}
}

TEST_GRANULES(contiguous_entries_map_as_single_ones)
{
	struct pgtable pt;
	const unsigned count = granule == 12 ? 16 : granule == 14 ? 128 : 32; // at level 3
	const uint64_t page = 1ul << granule;
	const uint64_t va = VA & ~(count * page - 1), pa = 0x42000000ul;

	start(&pt, granule);
	map_range(&pt, va, pa, count * page, PT_NORMAL | PT_AP_RW_ALL | PT_CONTIGUOUS, 3);
	stage1_on_el1(&pt);
	for (unsigned i = 0; i < count; i += count / 4) {
		*(volatile uint64_t *)(pa + i * page) = 0xc000 + i;
		struct exc e = run_at(EL1, load_x0, va + i * page);

		EXPECT_NO_EXC(e);
		EXPECT_REG(e, 1, 0xc000 + i);
	}
}

TEST(far_of_an_access_across_pages_is_in_the_faulting_one)
{
	struct pgtable pt;

	start(&pt, 12);
	map_page(&pt, VA, (uint64_t)scratch[0], PT_NORMAL | PT_AP_RW_ALL, 3);
	map_page(&pt, VA + 0x2000, (uint64_t)scratch[0], PT_NORMAL | PT_AP_RW_ALL, 3);
	stage1_on_el1(&pt);
	struct exc second = run_at(EL1, load_x0, VA + 0xffc);
	struct exc first = run_at(EL1, store_x0, VA + 0x1ffc);

	EXPECT_ABORT(second, EL1, EC_DABT_SAME, FSC_TRANSLATION(3), VA + 0x1000);
	EXPECT_ABORT(first, EL1, EC_DABT_SAME, ISS_WNR | FSC_TRANSLATION(3), VA + 0x1ffc);
}

TEST(store_across_pages_writes_nothing_when_the_second_faults)
{
	struct pgtable pt;
	volatile uint32_t *last = (volatile uint32_t *)(scratch[0] + 0xffc);

	start(&pt, 12);
	map_page(&pt, VA, (uint64_t)scratch[0], PT_NORMAL | PT_AP_RW_ALL, 3);
	stage1_on_el1(&pt);
	*last = 0x5555;
	struct exc e = run_at(EL1, store_x0, VA + 0xffc, ~0ul);

	EXPECT_ABORT(e, EL1, EC_DABT_SAME, ISS_WNR | FSC_TRANSLATION(3), VA + 0x1000);
	// Architecture lets the first bytes be written or not; a half-written word would be wrong.
	EXPECT_TRUE(*last == 0x5555 || *last == 0xffffffff);
}

TEST(fetch_runs_from_a_mapped_page_and_faults_at_its_end)
{
	struct pgtable pt;
	volatile uint32_t *code = (volatile uint32_t *)(scratch[2] + 0xff8);

	code[0] = code[1] = 0xd503201f; // NOP
	__asm__ volatile("dsb sy\n\tic iallu\n\tdsb sy\n\tisb" ::: "memory");
	start(&pt, 12);
	map_page(&pt, VA, (uint64_t)scratch[2], PT_NORMAL | PT_AP_RO_ALL, 3);
	stage1_on_el1(&pt);
	struct exc e = run_at(EL1, branch_x0, VA + 0xff8);

	EXPECT_ABORT(e, EL1, EC_IABT_SAME, FSC_TRANSLATION(3), VA + 0x1000);
	EXPECT_EQ(e.elr, VA + 0x1000);
}

// ---- TTBR1 --------------------------------------------------------------------------------------

TEST_GRANULES(upper_half_is_translated_by_ttbr1)
{
	struct pgtable pt, upper;
	const unsigned bits = 42;
	const uint64_t high = -(1ul << bits);
	const uint64_t tg1 = granule == 12 ? 2 : granule == 14 ? 1 : 3;

	start(&pt, granule);
	pgtable_init(&upper, granule, bits);
	map_page(&upper, high, (uint64_t)scratch[3], PT_NORMAL | PT_AP_RW_ALL, 3);
	stage1_on_el1(&pt);
	write_sysreg(tcr_el1, (tcr_el1_value(&pt) & ~(BIT(23) | 0x3ful << 16 | 3ul << 30)) |
				      (64ul - bits) << 16 | tg1 << 30 | 1ul << 24 | 1ul << 26 |
				      3ul << 28);
	write_sysreg(ttbr1_el1, upper.root);
	tlbi_all();
	*(volatile uint64_t *)scratch[3] = 0xabc;
	struct exc good = run_at(EL0, load_x0_svc, high);
	struct exc bad = run_at(EL0, load_x0, high + (1ul << granule));
	struct exc below = run_at(EL1, load_x0, high - 8);

	EXPECT_NO_EXC(good);
	EXPECT_REG(good, 1, 0xabc);
	EXPECT_ABORT(bad, EL1, EC_DABT_LOWER, FSC_TRANSLATION(3), high + (1ul << granule));
	EXPECT_ABORT(below, EL1, EC_DABT_SAME, FSC_TRANSLATION(0), high - 8);
}

// ---- The EL2 and EL3 regimes --------------------------------------------------------------------

TEST_GRANULES(el2_faults_at_every_level)
{
	struct pgtable pt;

	start(&pt, granule);
	for (int level = pt.start_level; level <= 3; level++) {
		start(&pt, granule);
		*pgtable_entry(&pt, VA, level) = 0;
		stage1_on_el2(&pt);
		struct exc l = run_at(EL2, load_x0, VA);
		struct exc s = run_at(EL2, store_x0, VA);
		struct exc f = run_at(EL2, branch_x0, VA);

		EXPECT_ABORT(l, EL2, EC_DABT_SAME, FSC_TRANSLATION(level), VA);
		EXPECT_ABORT(s, EL2, EC_DABT_SAME, ISS_WNR | FSC_TRANSLATION(level), VA);
		EXPECT_ABORT(f, EL2, EC_IABT_SAME, FSC_TRANSLATION(level), VA);
	}
}

TEST_GRANULES(el2_access_flag_and_permission_faults_at_every_leaf_level)
{
	struct pgtable pt;

	for (int level = first_block_level(granule); level <= 3; level++) {
		start(&pt, granule);
		uint64_t size = pgtable_level_size(&pt, level);
		map_page(&pt, VA & ~(size - 1), 0x40000000ul & ~(size - 1),
			 PT_NORMAL | PT_AP_RO_ALL | PT_UXN, level);
		stage1_on_el2(&pt);
		struct exc l = run_at(EL2, load_x0, VA);
		struct exc s = run_at(EL2, store_x0, VA);
		struct exc f = run_at(EL2, branch_x0, VA);
		*pgtable_entry(&pt, VA, level) &= ~PT_AF;
		tlbi_all();
		struct exc a = run_at(EL2, load_x0, VA);

		EXPECT_NO_EXC(l);
		EXPECT_ABORT(s, EL2, EC_DABT_SAME, ISS_WNR | FSC_PERMISSION(level), VA);
		EXPECT_ABORT(f, EL2, EC_IABT_SAME, FSC_PERMISSION(level), VA);
		EXPECT_ABORT(a, EL2, EC_DABT_SAME, FSC_ACCESS(level), VA);
	}
}

TEST_GRANULES(el20_faults_at_every_level)
{
	struct pgtable pt;

	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr1_el1), 8), "no FEAT_VHE");
	start(&pt, granule);
	for (int level = pt.start_level; level <= 3; level++) {
		start(&pt, granule);
		write_sysreg(hcr_el2, HCR_BASE | HCR_E2H | HCR_TGE);
		*pgtable_entry(&pt, VA, level) = 0;
		stage1_on_el20(&pt);
		struct exc l2 = run_at(EL2, load_x0, VA);
		struct exc f2 = run_at(EL2, branch_x0, VA);
		struct exc l0 = run_at(EL0, load_x0, VA);
		struct exc s0 = run_at(EL0, store_x0, VA);
		struct exc f0 = run_at(EL0, branch_x0, VA);

		EXPECT_ABORT(l2, EL2, EC_DABT_SAME, FSC_TRANSLATION(level), VA);
		EXPECT_ABORT(f2, EL2, EC_IABT_SAME, FSC_TRANSLATION(level), VA);
		EXPECT_ABORT(l0, EL2, EC_DABT_LOWER, FSC_TRANSLATION(level), VA);
		EXPECT_ABORT(s0, EL2, EC_DABT_LOWER, ISS_WNR | FSC_TRANSLATION(level), VA);
		EXPECT_ABORT(f0, EL2, EC_IABT_LOWER, FSC_TRANSLATION(level), VA);
	}
}

TEST_GRANULES(el3_faults_at_every_level)
{
	struct pgtable pt;

	start(&pt, granule);
	for (int level = pt.start_level; level <= 3; level++) {
		start(&pt, granule);
		map_image_el3(&pt);
		*pgtable_entry(&pt, VA, level) = 0;
		stage1_on_el3(&pt);
		struct exc l = run_at(EL3, load_x0, VA);
		struct exc s = run_at(EL3, store_x0, VA);
		struct exc f = run_at(EL3, branch_x0, VA);

		EXPECT_ABORT(l, EL3, EC_DABT_SAME, FSC_TRANSLATION(level), VA);
		EXPECT_ABORT(s, EL3, EC_DABT_SAME, ISS_WNR | FSC_TRANSLATION(level), VA);
		EXPECT_ABORT(f, EL3, EC_IABT_SAME, FSC_TRANSLATION(level), VA);
	}
}

TEST(el3_access_flag_and_permission_faults)
{
	struct pgtable pt;

	start(&pt, 12);
	map_image_el3(&pt);
	map_page(&pt, VA, (uint64_t)scratch[0], PT_NORMAL | PT_AP_RO_ALL | PT_UXN, 3);
	map_page(&pt, VA + 0x1000, (uint64_t)scratch[0], (PT_NORMAL & ~PT_AF) | PT_AP_RO_ALL, 3);
	stage1_on_el3(&pt);
	struct exc s = run_at(EL3, store_x0, VA);
	struct exc f = run_at(EL3, branch_x0, VA);
	struct exc a = run_at(EL3, load_x0, VA + 0x1000);

	EXPECT_ABORT(s, EL3, EC_DABT_SAME, ISS_WNR | FSC_PERMISSION(3), VA);
	EXPECT_ABORT(f, EL3, EC_IABT_SAME, FSC_PERMISSION(3), VA);
	EXPECT_ABORT(a, EL3, EC_DABT_SAME, FSC_ACCESS(3), VA + 0x1000);
}
