// SPDX-License-Identifier: Apache-2.0
//
// mmu_ctrl.c - controls of translation: EPD, TBI and tagged addresses, hardware access flag and
// dirty state, 52-bit addresses, alignment, big-endian walks, the MMU being off.

#include "abort.h"
#include "emit.h"

SNIPPET(load_x0, "ldr x1, [x0]");
SNIPPET(load_x0_svc, "ldr x1, [x0]" ESCAPE_SVC);
SNIPPET(store_x0, "str x1, [x0]");
SNIPPET(branch_x0, "br x0");
SNIPPET(call_x0, "mov x19, x30\n\tblr x0\n\tmov x30, x19");

#define VA 0x80000000ul
#define TCR_EPD0 BIT(7)
#define TCR_TBI0 BIT(37)
#define TCR_TBID0 BIT(51)
#define TCR_HA BIT(39)
#define TCR_HD BIT(40)
#define TCR_EL2_HA BIT(21)
#define TCR_EL2_HD BIT(22)
#define TAG 0x5aul << 56
#define INSN_RET 0xd65f03c0u

static struct pgtable tables;

static void start_granule(unsigned granule, uint64_t attrs)
{
	guest_reset();
	*(volatile uint32_t *)scratch[4] = INSN_RET;
	__asm__ volatile("dsb sy\n\tic iallu\n\tdsb sy\n\tisb" ::: "memory");
	pgtable_init(&tables, granule, 39);
	map_guest_code(&tables);
	map_page(&tables, VA, (uint64_t)scratch[4], PT_NORMAL | attrs, 3);
	stage1_on_el1(&tables);
}

static void start(uint64_t attrs)
{
	start_granule(12, attrs);
}

static void set_tcr(uint64_t bits)
{
	write_sysreg(tcr_el1, tcr_el1_value(&tables) | bits);
	tlbi_all();
}

static uint64_t entry(int level)
{
	return *(volatile uint64_t *)pgtable_entry(&tables, VA, level);
}

// ---- EPD ----------------------------------------------------------------------------------------

TEST(epd1_faults_the_upper_half_at_level_0)
{
	start(PT_AP_RW_ALL);
	write_sysreg(ttbr1_el1, tables.root);
	write_sysreg(tcr_el1, (tcr_el1_value(&tables) & ~(0x3ful << 16)) | 25ul << 16); // EPD1 is 1
	tlbi_all();
	struct exc e1 = run_at(EL1, load_x0, 0xffffffff80000000);
	struct exc e0 = run_at(EL0, branch_x0, 0xffffffff80000000);

	EXPECT_ABORT(e1, EL1, EC_DABT_SAME, FSC_TRANSLATION(0), 0xffffffff80000000);
	EXPECT_ABORT(e0, EL1, EC_IABT_LOWER, FSC_TRANSLATION(0), 0xffffffff80000000);
}

// ---- TBI ----------------------------------------------------------------------------------------

TEST(tbi0_ignores_the_top_byte_of_data_addresses)
{
	start(PT_AP_RW_ALL);
	struct exc off = run_at(EL1, load_x0, VA | TAG);
	set_tcr(TCR_TBI0);
	struct exc on = run_at(EL1, load_x0, VA | TAG);
	struct exc on0 = run_at(EL0, load_x0_svc, VA | TAG);

	EXPECT_ABORT(off, EL1, EC_DABT_SAME, FSC_TRANSLATION(0), VA | TAG);
	EXPECT_NO_EXC(on);
	EXPECT_NO_EXC(on0);
}

TEST(far_keeps_the_tag)
{
	start(PT_AP_RW_ALL);
	set_tcr(TCR_TBI0);
	struct exc e = run_at(EL1, load_x0, (VA + 0x1000) | TAG);

	EXPECT_ABORT(e, EL1, EC_DABT_SAME, FSC_TRANSLATION(3), (VA + 0x1000) | TAG);
}

// Branches drop the tag on the way into the PC (AArch64.BranchAddr).
TEST(tbi0_removes_the_tag_of_a_branch_target)
{
	start(PT_AP_RO_ALL);
	set_tcr(TCR_TBI0);
	struct exc good = run_at(EL1, call_x0, VA | TAG);
	struct exc bad = run_at(EL1, branch_x0, (VA + 0x1000) | TAG);

	EXPECT_NO_EXC(good);
	EXPECT_ABORT(bad, EL1, EC_IABT_SAME, FSC_TRANSLATION(3), VA + 0x1000);
	EXPECT_EQ(bad.elr, VA + 0x1000);
}

TEST(tbi0_removes_the_tag_of_an_exception_return_address)
{
	start(PT_AP_RW_ALL);
	set_tcr(TCR_TBI0);
	struct exc e = run_at(EL1, (VA + 0x1000) | TAG);

	EXPECT_ABORT(e, EL1, EC_IABT_SAME, FSC_TRANSLATION(3), VA + 0x1000);
}

TEST(tbid0_keeps_tbi_from_instruction_addresses)
{
	QEMU_DIFFERS("drops the tag of a branch target all the same");
	start(PT_AP_RO_ALL);
	set_tcr(TCR_TBI0 | TCR_TBID0);
	struct exc data = run_at(EL1, load_x0, VA | TAG);
	struct exc fetch = run_at(EL1, branch_x0, VA | TAG);

	EXPECT_NO_EXC(data);
	EXPECT_ABORT(fetch, EL1, EC_IABT_SAME, FSC_TRANSLATION(0), VA | TAG);
}

// Bit 55 chooses the half, not bit 63.
TEST(tbi_selects_the_half_by_bit_55)
{
	start(PT_AP_RW_ALL);
	set_tcr(TCR_TBI0);
	struct exc low = run_at(EL1, load_x0, VA | 0xfful << 56);
	struct exc high = run_at(EL1, load_x0, VA | 0x80ul << 48);

	EXPECT_NO_EXC(low);
	EXPECT_EQ(high.el, EL1);
	EXPECT_MASKED(high.esr, 0x3f, FSC_TRANSLATION(0));
}

// ---- Hardware management of the access flag and dirty state -------------------------------------

#define NEEDS_HAFDBS SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr1_el1), 0) >= 2, "no FEAT_HAFDBS")

TEST_GRANULES(ha_sets_the_access_flag)
{
	NEEDS_HAFDBS;
	start_granule(granule, PT_AP_RW_ALL);
	*pgtable_entry(&tables, VA, 3) &= ~PT_AF;
	set_tcr(TCR_HA);
	uint64_t before = entry(3);
	struct exc e = run_at(EL1, load_x0, VA);

	EXPECT_NO_EXC(e);
	EXPECT_EQ(entry(3), before | PT_AF);
}

TEST(ha_sets_the_access_flag_for_fetches)
{
	NEEDS_HAFDBS;
	start(PT_AP_RO_ALL);
	*pgtable_entry(&tables, VA, 3) &= ~PT_AF;
	set_tcr(TCR_HA);
	struct exc e = run_at(EL1, call_x0, VA);

	EXPECT_NO_EXC(e);
	EXPECT_MASKED(entry(3), PT_AF, PT_AF);
}

TEST(ha_sets_the_access_flag_of_a_block)
{
	const uint64_t va = 0x100000000ul;
	volatile uint64_t *block;

	NEEDS_HAFDBS;
	start(PT_AP_RW_ALL);
	map_page(&tables, va, 0x40000000, (PT_NORMAL & ~PT_AF) | PT_AP_RW_ALL, 1);
	block = pgtable_entry(&tables, va, 1);
	set_tcr(TCR_HA);
	struct exc e = run_at(EL1, load_x0, va);

	EXPECT_NO_EXC(e);
	EXPECT_MASKED(*block, PT_AF, PT_AF);
}

TEST(without_ha_the_access_flag_stays_clear)
{
	start(PT_AP_RW_ALL);
	*pgtable_entry(&tables, VA, 3) &= ~PT_AF;
	tlbi_all();
	struct exc e = run_at(EL1, load_x0, VA);

	EXPECT_ABORT(e, EL1, EC_DABT_SAME, FSC_ACCESS(3), VA);
	EXPECT_MASKED(entry(3), PT_AF, 0);
}

TEST(hd_makes_a_page_with_dbm_writable_on_the_first_store)
{
	NEEDS_HAFDBS;
	start(PT_AP_RO_ALL | PT_DBM);
	set_tcr(TCR_HA | TCR_HD);
	struct exc r = run_at(EL1, load_x0, VA);
	uint64_t clean = entry(3);
	struct exc w = run_at(EL1, store_x0, VA, INSN_RET);

	EXPECT_NO_EXC(r);
	EXPECT_MASKED(clean, BIT(7), BIT(7)); // AP[2]: a read leaves it clean
	EXPECT_NO_EXC(w);
	EXPECT_MASKED(entry(3), BIT(7), 0);
	EXPECT_EQ(entry(3), clean & ~BIT(7));
}

TEST(dbm_without_hd_is_read_only)
{
	NEEDS_HAFDBS;
	start(PT_AP_RO_ALL | PT_DBM);
	set_tcr(TCR_HA);
	struct exc w = run_at(EL1, store_x0, VA);

	EXPECT_ABORT(w, EL1, EC_DABT_SAME, ISS_WNR | FSC_PERMISSION(3), VA);
	EXPECT_MASKED(entry(3), BIT(7), BIT(7));
}

// HD counts only with HA.
TEST(hd_without_ha_does_nothing)
{
	NEEDS_HAFDBS;
	QEMU_7_DIFFERS("asks HD alone");
	start(PT_AP_RO_ALL | PT_DBM);
	set_tcr(TCR_HD);
	struct exc w = run_at(EL1, store_x0, VA);

	EXPECT_ABORT(w, EL1, EC_DABT_SAME, ISS_WNR | FSC_PERMISSION(3), VA);
}

TEST(hd_does_not_help_a_store_that_el0_may_not_make)
{
	NEEDS_HAFDBS;
	start(PT_AP_RO_EL1 | PT_DBM);
	set_tcr(TCR_HA | TCR_HD);
	struct exc w = run_at(EL0, store_x0, VA);

	EXPECT_ABORT(w, EL1, EC_DABT_LOWER, ISS_WNR | FSC_PERMISSION(3), VA);
	EXPECT_MASKED(entry(3), BIT(7), BIT(7));
}

TEST(ha_and_hd_together_on_a_store)
{
	NEEDS_HAFDBS;
	start(PT_AP_RO_ALL | PT_DBM);
	*pgtable_entry(&tables, VA, 3) &= ~PT_AF;
	set_tcr(TCR_HA | TCR_HD);
	struct exc w = run_at(EL1, store_x0, VA, INSN_RET);

	EXPECT_NO_EXC(w);
	EXPECT_MASKED(entry(3), PT_AF | BIT(7), PT_AF);
}

TEST(el2_ha_and_hd)
{
	NEEDS_HAFDBS;
	guest_reset();
	pgtable_init(&tables, 12, 39);
	map_guest_code(&tables);
	map_page(&tables, VA, (uint64_t)scratch[4], (PT_NORMAL & ~PT_AF) | PT_AP_RO_ALL | PT_DBM,
		 3);
	stage1_on_el2(&tables);
	write_sysreg(tcr_el2, tcr_el2_value(&tables) | TCR_EL2_HA | TCR_EL2_HD);
	tlbi_all();
	struct exc w = run_at(EL2, store_x0, VA, INSN_RET);

	EXPECT_NO_EXC(w);
	EXPECT_MASKED(entry(3), PT_AF | BIT(7), PT_AF);
}

// ---- 52-bit output addresses --------------------------------------------------------------------

// Nothing answers above 48 bits, so that an external abort says that the bits reached the address.

#define IPS_52 (6ul << 32)
#define IPS_MASK (7ul << 32)
#define NEEDS_PA52 \
	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr0_el1), 0) == 6, "no 52-bit physical " \
								     "addresses")

TEST(lpa2_ds_puts_address_bits_51_50_into_the_shareability_field)
{
	const uint64_t normal = PT_AF | PT_ATTR(MAIR_WB);

	NEEDS_PA52;
	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr0_el1), 28) == 1, "no 52-bit with 4 KiB");
	guest_reset();
	pgtable_init(&tables, 12, 39);
	tables.lpa2 = true;
	map_range(&tables, (uint64_t)vectors_start, (uint64_t)vectors_start,
		  (uint64_t)(vectors_end - vectors_start), normal | PT_AP_RO_ALL, 3);
	map_range(&tables, (uint64_t)snippets_start, (uint64_t)snippets_start,
		  (uint64_t)(snippets_end - snippets_start), normal | PT_AP_RO_ALL, 3);
	map_page(&tables, VA, (uint64_t)scratch[0], normal | PT_AP_RW_ALL, 3);
	map_page(&tables, VA + 0x1000, (uint64_t)scratch[0], normal | PT_AP_RW_ALL | 1ul << 8,
		 3); // PA[50]
	stage1_on_el1(&tables);
	write_sysreg(tcr_el1, (tcr_el1_value(&tables) & ~IPS_MASK) | IPS_52);
	tlbi_all();
	struct exc low = run_at(EL1, load_x0, VA);
	struct exc high = run_at(EL1, load_x0, VA + 0x1000);

	EXPECT_NO_EXC(low);
	EXPECT_EQ(high.el, EL1);
	EXPECT_MASKED(high.esr, 0x3f, FSC_EXTERNAL);
}

TEST(bits_15_12_of_a_64k_descriptor_are_address_bits_51_48)
{
	NEEDS_PA52;
	start_granule(16, PT_AP_RW_ALL);
	*pgtable_entry(&tables, VA, 3) |= 1ul << 12; // PA[48]
	write_sysreg(tcr_el1, (tcr_el1_value(&tables) & ~IPS_MASK) | IPS_52);
	tlbi_all();
	struct exc e = run_at(EL1, load_x0, VA);

	EXPECT_EQ(e.el, EL1);
	EXPECT_MASKED(e.esr, 0x3f, FSC_EXTERNAL);
}

// ---- Sizes of the input address -----------------------------------------------------------------

// Level -1 has status codes of its own.
#define FSC_TRANSLATION_MINUS_1 0x2b
#define FSC_ADDR_SIZE_MINUS_1 0x29
#define HIGH_VA (1ul << 51)

// Without shareability bits, which belong to the address with TCR.DS.
static void map_code_lpa2(void)
{
	const uint64_t attrs = PT_AF | PT_ATTR(MAIR_WB) | PT_AP_RO_ALL;

	map_range(&tables, (uint64_t)vectors_start, (uint64_t)vectors_start,
		  (uint64_t)(vectors_end - vectors_start), attrs, 3);
	map_range(&tables, (uint64_t)snippets_start, (uint64_t)snippets_start,
		  (uint64_t)(snippets_end - snippets_start), attrs, 3);
}

static void start_52(unsigned granule, bool ds)
{
	guest_reset();
	*(volatile uint64_t *)scratch[0] = 0x5252;
	pgtable_init(&tables, granule, 52);
	tables.lpa2 = ds;
	map_code_lpa2();
	map_page(&tables, HIGH_VA, (uint64_t)scratch[0], PT_AF | PT_ATTR(MAIR_WB) | PT_AP_RW_ALL,
		 3);
	stage1_on_el1(&tables);
}

TEST(lpa2_walk_of_52_bits_with_4k_starts_at_level_minus_1)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr0_el1), 28) == 1, "no 52-bit with 4 KiB");
	start_52(12, true);
	struct exc good = run_at(EL1, load_x0, HIGH_VA);
	struct exc minus1 = run_at(EL1, load_x0, HIGH_VA | 1ul << 50);
	struct exc minus1_fetch = run_at(EL0, branch_x0, HIGH_VA | 1ul << 50);
	struct exc level0 = run_at(EL1, load_x0, HIGH_VA | 1ul << 47);
	struct exc level3 = run_at(EL1, store_x0, HIGH_VA + 0x1000);
	struct exc beyond = run_at(EL1, load_x0, 1ul << 52);

	EXPECT_NO_EXC(good);
	EXPECT_REG(good, 1, 0x5252);
	EXPECT_ABORT(minus1, EL1, EC_DABT_SAME, FSC_TRANSLATION_MINUS_1, HIGH_VA | 1ul << 50);
	EXPECT_ABORT(minus1_fetch, EL1, EC_IABT_LOWER, FSC_TRANSLATION_MINUS_1,
		     HIGH_VA | 1ul << 50);
	EXPECT_ABORT(level0, EL1, EC_DABT_SAME, FSC_TRANSLATION(0), HIGH_VA | 1ul << 47);
	EXPECT_ABORT(level3, EL1, EC_DABT_SAME, ISS_WNR | FSC_TRANSLATION(3), HIGH_VA + 0x1000);
	EXPECT_ABORT(beyond, EL1, EC_DABT_SAME, FSC_TRANSLATION(0), 1ul << 52);
}

TEST(lpa2_table_of_level_minus_1_beyond_ips_is_an_address_size_fault_of_that_level)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr0_el1), 28) == 1, "no 52-bit with 4 KiB");
	start_52(12, true);
	*pgtable_entry(&tables, HIGH_VA, -1) = 1ul << 36 | 3;
	write_sysreg(tcr_el1, tcr_el1_value(&tables) & ~IPS_MASK);
	tlbi_all();
	struct exc e = run_at(EL1, load_x0, HIGH_VA);

	EXPECT_ABORT(e, EL1, EC_DABT_SAME, FSC_ADDR_SIZE_MINUS_1, HIGH_VA);
}

TEST(lpa2_block_at_level_0_of_4k_is_legal)
{
	const uint64_t block = 1ul << 48;

	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr0_el1), 28) == 1, "no 52-bit with 4 KiB");
	start_52(12, true);
	map_page(&tables, block, 0, PT_AF | PT_ATTR(MAIR_WB) | PT_AP_RW_ALL, 0);
	tlbi_all();
	struct exc e = run_at(EL1, load_x0, block + (uint64_t)scratch[0]);

	EXPECT_NO_EXC(e);
	EXPECT_REG(e, 1, 0x5252);
}

TEST(lpa2_walk_of_52_bits_with_16k_starts_at_level_0)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr0_el1), 20) == 2, "no 52-bit with 16 KiB");
	start_52(14, true);
	struct exc good = run_at(EL1, load_x0, HIGH_VA);
	struct exc level0 = run_at(EL1, load_x0, HIGH_VA | 1ul << 48);

	EXPECT_NO_EXC(good);
	EXPECT_REG(good, 1, 0x5252);
	EXPECT_ABORT(level0, EL1, EC_DABT_SAME, FSC_TRANSLATION(0), HIGH_VA | 1ul << 48);
}

TEST(lva_walk_of_52_bits_with_64k_starts_at_level_1)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr2_el1), 16) >= 1, "no FEAT_LVA");
	start_52(16, false);
	struct exc good = run_at(EL1, load_x0, HIGH_VA);
	struct exc level1 = run_at(EL1, load_x0, HIGH_VA | 1ul << 50);
	struct exc level2 = run_at(EL1, load_x0, HIGH_VA | 1ul << 30);

	EXPECT_NO_EXC(good);
	EXPECT_REG(good, 1, 0x5252);
	EXPECT_ABORT(level1, EL1, EC_DABT_SAME, FSC_TRANSLATION(1), HIGH_VA | 1ul << 50);
	EXPECT_ABORT(level2, EL1, EC_DABT_SAME, FSC_TRANSLATION(2), HIGH_VA | 1ul << 30);
}

// FEAT_TTST: 16 bits of address, that is one table of level 3.
TEST(small_upper_half_starts_at_level_3)
{
	struct pgtable upper;
	const uint64_t high = -(1ul << 16);

	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr2_el1), 28), "no FEAT_TTST");
	start(PT_AP_RW_ALL);
	pgtable_init(&upper, 12, 16);
	map_page(&upper, high, (uint64_t)scratch[4], PT_NORMAL | PT_AP_RW_ALL, 3);
	write_sysreg(tcr_el1, (tcr_el1_value(&tables) & ~(BIT(23) | 0x3ful << 16)) | 48ul << 16 |
				      1ul << 24 | 1ul << 26 | 3ul << 28);
	write_sysreg(ttbr1_el1, upper.root);
	tlbi_all();
	struct exc good = run_at(EL1, load_x0, high);
	struct exc level3 = run_at(EL1, load_x0, high + 0x1000);
	struct exc beyond = run_at(EL1, load_x0, high - 0x1000);

	EXPECT_NO_EXC(good);
	EXPECT_ABORT(level3, EL1, EC_DABT_SAME, FSC_TRANSLATION(3), high + 0x1000);
	EXPECT_ABORT(beyond, EL1, EC_DABT_SAME, FSC_TRANSLATION(0), high - 0x1000);
}

// ---- Alignment ----------------------------------------------------------------------------------

SNIPPET(ldxr_x0, "ldxr x1, [x0]");
SNIPPET(ldadd_x0, "ldadd x1, x2, [x0]");
SNIPPET(ldxp_x0, "ldxp x1, x2, [x0]");
SNIPPET(ldrb_x0, "ldrb w1, [x0]");
SNIPPET(ldp_x0, "ldp x1, x2, [x0]");
SNIPPET(ldar_x0, "ldar x1, [x0]");
SNIPPET(ldr_q_x0, "ldr q0, [x0]");
SNIPPET(str_q_x0, "str q0, [x0]");
SNIPPET(zva_x0, "dc zva, x0");

TEST(sctlr_a_checks_alignment_at_el1_and_el0)
{
	start(PT_AP_RW_ALL);
	struct exc off = run_at(EL1, load_x0, VA + 1);
	write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | SCTLR_A);
	struct exc on = run_at(EL1, load_x0, VA + 1);
	struct exc w = run_at(EL1, store_x0, VA + 4);
	struct exc on0 = run_at(EL0, load_x0, VA + 2);
	struct exc byte = run_at(EL1, ldrb_x0, VA + 1);
	struct exc pair = run_at(EL1, ldp_x0, VA + 8); // aligned to its elements

	EXPECT_NO_EXC(off);
	EXPECT_ABORT(on, EL1, EC_DABT_SAME, FSC_ALIGNMENT, VA + 1);
	EXPECT_ABORT(w, EL1, EC_DABT_SAME, ISS_WNR | FSC_ALIGNMENT, VA + 4);
	EXPECT_ABORT(on0, EL1, EC_DABT_LOWER, FSC_ALIGNMENT, VA + 2);
	EXPECT_NO_EXC(byte);
	EXPECT_NO_EXC(pair);
}

TEST(sctlr_el2_a_and_el3_a_check_alignment_at_their_levels)
{
	write_sysreg(sctlr_el2, SCTLR_EL2_BASE | SCTLR_A);
	write_sysreg(sctlr_el3, SCTLR_EL3_BASE | SCTLR_A);
	struct exc e2 = run_at(EL2, load_x0, scratch[0] + 1);
	struct exc e3 = run_at(EL3, load_x0, scratch[0] + 1);

	EXPECT_ABORT(e2, EL2, EC_DABT_SAME, FSC_ALIGNMENT, scratch[0] + 1);
	EXPECT_ABORT(e3, EL3, EC_DABT_SAME, FSC_ALIGNMENT, scratch[0] + 1);
}

TEST(alignment_fault_comes_before_translation_fault)
{
	start(PT_AP_RW_ALL);
	write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | SCTLR_A);
	struct exc e = run_at(EL1, load_x0, VA + 0x1001);

	EXPECT_ABORT(e, EL1, EC_DABT_SAME, FSC_ALIGNMENT, VA + 0x1001);
}

// Whether FEAT_LSE2 is there or not.
TEST(exclusives_across_16_bytes_are_alignment_faults)
{
	QEMU_11_DIFFERS("takes them for writes");
	start(PT_AP_RW_ALL);
	struct exc ldxr = run_at(EL1, ldxr_x0, VA + 12);
	struct exc ldxp = run_at(EL1, ldxp_x0, VA + 8);

	EXPECT_ABORT(ldxr, EL1, EC_DABT_SAME, FSC_ALIGNMENT, VA + 12);
	EXPECT_ABORT(ldxp, EL1, EC_DABT_SAME, FSC_ALIGNMENT, VA + 8);
}

// FEAT_LSE2: atomics and ordered accesses may be unaligned within 16 bytes.
TEST(atomics_across_16_bytes_are_alignment_faults)
{
	QEMU_7_DIFFERS("has no FEAT_LSE2 and demands full alignment");
	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr2_el1), 32), "no FEAT_LSE2");
	start(PT_AP_RW_ALL);
	struct exc inside = run_at(EL1, ldadd_x0, VA + 4);
	struct exc across = run_at(EL1, ldadd_x0, VA + 12);
	struct exc ordered_inside = run_at(EL1, ldar_x0, VA + 4);
	struct exc ordered_across = run_at(EL1, ldar_x0, VA + 12);

	EXPECT_NO_EXC(inside);
	EXPECT_EQ(across.el, EL1);
	EXPECT_MASKED(across.esr, 0x3f, FSC_ALIGNMENT);
	EXPECT_EQ(across.far, VA + 12);
	EXPECT_NO_EXC(ordered_inside);
	EXPECT_ABORT(ordered_across, EL1, EC_DABT_SAME, FSC_ALIGNMENT, VA + 12);
}

// The read would have faulted.
TEST(misaligned_atomics_are_told_as_reads)
{
	QEMU_DIFFERS("takes them for writes");
	start(PT_AP_RW_ALL);
	struct exc e = run_at(EL1, ldadd_x0, VA + 12);

	EXPECT_ABORT(e, EL1, EC_DABT_SAME, FSC_ALIGNMENT, VA + 12);
}

TEST(sctlr_naa_lets_ordered_accesses_cross_16_bytes)
{
	QEMU_7_DIFFERS("has no FEAT_LSE2");
	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr2_el1), 32), "no FEAT_LSE2");
	start(PT_AP_RW_ALL);
	write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | SCTLR_NAA);
	struct exc ordered = run_at(EL1, ldar_x0, VA + 12);

	EXPECT_NO_EXC(ordered);
}

TEST(device_memory_must_be_accessed_aligned)
{
	QEMU_7_DIFFERS("does not check alignment on Device memory");
	start(PT_AP_RW_ALL);
	*pgtable_entry(&tables, VA, 3) &= ~PT_ATTR(7); // index 0: Device-nGnRnE
	tlbi_all();
	struct exc e = run_at(EL1, load_x0, VA + 4);
	struct exc good = run_at(EL1, load_x0, VA + 8);

	EXPECT_ABORT(e, EL1, EC_DABT_SAME, FSC_ALIGNMENT, VA + 4);
	EXPECT_NO_EXC(good);
}

static void start_device(uint64_t attrs)
{
	start(attrs);
	*pgtable_entry(&tables, VA, 3) &= ~PT_ATTR(7); // index 0: Device-nGnRnE
	tlbi_all();
}

TEST(alignment_on_device_memory_comes_before_permissions)
{
	QEMU_7_DIFFERS("does not check alignment on Device memory");
	start_device(PT_AP_RO_EL1);
	struct exc w = run_at(EL1, store_x0, VA + 4);
	struct exc r0 = run_at(EL0, load_x0, VA + 4);
	struct exc aligned = run_at(EL1, store_x0, VA + 8);

	EXPECT_ABORT(w, EL1, EC_DABT_SAME, ISS_WNR | FSC_ALIGNMENT, VA + 4);
	EXPECT_ABORT(r0, EL1, EC_DABT_LOWER, FSC_ALIGNMENT, VA + 4);
	EXPECT_ABORT(aligned, EL1, EC_DABT_SAME, ISS_WNR | FSC_PERMISSION(3), VA + 8);
}

TEST(the_access_flag_comes_before_alignment_on_device_memory)
{
	start_device(PT_AP_RW_ALL);
	*pgtable_entry(&tables, VA, 3) &= ~PT_AF;
	tlbi_all();
	struct exc e = run_at(EL1, load_x0, VA + 4);

	EXPECT_ABORT(e, EL1, EC_DABT_SAME, FSC_ACCESS(3), VA + 4);
}

// A pair is aligned as its halves are; 16 bytes of one SIMD register are not.
TEST(simd_registers_in_device_memory_are_aligned_to_16_bytes)
{
	QEMU_7_DIFFERS("does not check alignment on Device memory");
	start_device(PT_AP_RW_ALL);
	for (unsigned i = 0; i < 2; i++) {
		struct exc pair = run_at(EL1, ldp_x0, VA + 8);
		struct exc good = run_at(EL1, ldr_q_x0, VA + 16);
		struct exc r = run_at(EL1, ldr_q_x0, VA + 8);
		struct exc w = run_at(EL1, str_q_x0, VA + 24);

		EXPECT_NO_EXC(pair);
		EXPECT_NO_EXC(good);
		EXPECT_ABORT(r, EL1, EC_DABT_SAME, FSC_ALIGNMENT, VA + 8);
		EXPECT_ABORT(w, EL1, EC_DABT_SAME, ISS_WNR | FSC_ALIGNMENT, VA + 24);
	}
}

TEST(dc_zva_of_device_memory_is_an_alignment_fault)
{
	QEMU_DIFFERS("lets it pass");
	start_device(PT_AP_RO_ALL);
	struct exc e = run_at(EL1, zva_x0, VA + 8);

	EXPECT_ABORT(e, EL1, EC_DABT_SAME, ISS_WNR | FSC_ALIGNMENT, VA + 8);
	e = run_at(EL2, zva_x0, scratch[0]);
	EXPECT_ABORT(e, EL2, EC_DABT_SAME, ISS_WNR | FSC_ALIGNMENT, scratch[0]);
}

TEST(data_is_device_memory_with_the_mmu_off)
{
	QEMU_7_DIFFERS("does not check alignment on Device memory");
	struct exc e1 = run_at(EL1, load_x0, scratch[0] + 1);
	struct exc e2 = run_at(EL2, store_x0, scratch[0] + 2);
	struct exc e3 = run_at(EL3, load_x0, scratch[0] + 4);
	struct exc e0 = run_at(EL0, load_x0, scratch[0] + 1);

	EXPECT_ABORT(e1, EL1, EC_DABT_SAME, FSC_ALIGNMENT, scratch[0] + 1);
	EXPECT_ABORT(e2, EL2, EC_DABT_SAME, ISS_WNR | FSC_ALIGNMENT, scratch[0] + 2);
	EXPECT_ABORT(e3, EL3, EC_DABT_SAME, FSC_ALIGNMENT, scratch[0] + 4);
	EXPECT_ABORT(e0, EL1, EC_DABT_LOWER, FSC_ALIGNMENT, scratch[0] + 1);
}

// With HCR_EL2.DC stage 1 off means Normal memory.
TEST(hcr_dc_makes_data_normal_memory)
{
	struct pgtable s2;

	pgtable_init_stage2(&s2, 12, 40, 1);
	map_guest_code_stage2(&s2);
	map_page(&s2, (uint64_t)scratch[0], (uint64_t)scratch[0], S2_NORMAL | S2_RW, 3);
	stage2_on(&s2);
	write_sysreg(hcr_el2, HCR_BASE | HCR_DC);
	tlbi_all();
	struct exc e = run_at(EL1, load_x0, scratch[0] + 1);

	EXPECT_NO_EXC(e);
}

// ---- Endianness ---------------------------------------------------------------------------------

#define MMFR0 read_sysreg(id_aa64mmfr0_el1)

TEST(sctlr_ee_makes_el1_data_big_endian)
{
	SKIP_UNLESS(id_field(MMFR0, 8), "no mixed endianness");
	start(PT_AP_RW_ALL);
	*(volatile uint64_t *)scratch[4] = 0x0102030405060708;

	write_sysreg(sctlr_el1, SCTLR_EL1_BASE | SCTLR_EE); // MMU off
	struct exc e = run_at(EL1, load_x0, scratch[4]);
	struct exc e0 = run_at(EL0, load_x0_svc, scratch[4]);

	EXPECT_NO_EXC(e);
	EXPECT_REG(e, 1, 0x0807060504030201);
	EXPECT_REG(e0, 1, 0x0102030405060708);
}

TEST(sctlr_e0e_makes_el0_data_big_endian)
{
	SKIP_UNLESS(id_field(MMFR0, 8) || id_field(MMFR0, 16), "no mixed endianness at EL0");
	*(volatile uint64_t *)scratch[4] = 0x0102030405060708;
	write_sysreg(sctlr_el1, SCTLR_EL1_BASE | SCTLR_E0E);
	struct exc e0 = run_at(EL0, load_x0_svc, scratch[4]);
	struct exc e1 = run_at(EL1, load_x0, scratch[4]);

	EXPECT_REG(e0, 1, 0x0807060504030201);
	EXPECT_REG(e1, 1, 0x0102030405060708);
}

static void swap_table(uint64_t *table, int level)
{
	for (unsigned i = 0; i < 512; i++) {
		uint64_t d = table[i];

		if (level < 3 && (d & 3) == 3) {
			swap_table((uint64_t *)(d & 0xfffffffff000), level + 1);
		}
		table[i] = __builtin_bswap64(d);
	}
}

TEST(sctlr_ee_makes_walks_big_endian)
{
	SKIP_UNLESS(id_field(MMFR0, 8), "no mixed endianness");
	start(PT_AP_RW_ALL);
	*(volatile uint64_t *)scratch[4] = 0x0102030405060708;
	swap_table(tables.root, 1);
	write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | SCTLR_EE);
	tlbi_all();
	struct exc e = run_at(EL1, load_x0, VA);
	struct exc miss = run_at(EL1, load_x0, VA + 0x1000);

	EXPECT_NO_EXC(e);
	EXPECT_REG(e, 1, 0x0807060504030201);
	EXPECT_ABORT(miss, EL1, EC_DABT_SAME, FSC_TRANSLATION(3), VA + 0x1000);
}

// ---- The MMU off --------------------------------------------------------------------------------

TEST(addresses_are_flat_with_the_mmu_off)
{
	*(volatile uint64_t *)scratch[4] = 0x99;
	for (enum el el = EL1; el <= EL3; el++) {
		struct exc e = run_at(el, load_x0, scratch[4]);

		EXPECT_NO_EXC(e);
		EXPECT_REG(e, 1, 0x99);
	}
}

// Beyond the implemented physical address size: address size fault, level 0.
TEST(address_beyond_pamax_with_the_mmu_off_is_an_address_size_fault)
{
	struct exc e1 = run_at(EL1, load_x0, 1ul << 53);
	struct exc e2 = run_at(EL2, load_x0, 1ul << 53);
	struct exc i1 = run_at(EL1, branch_x0, 1ul << 53);

	EXPECT_ABORT(e1, EL1, EC_DABT_SAME, FSC_ADDR_SIZE(0), 1ul << 53);
	EXPECT_ABORT(e2, EL2, EC_DABT_SAME, FSC_ADDR_SIZE(0), 1ul << 53);
	EXPECT_ABORT(i1, EL1, EC_IABT_SAME, FSC_ADDR_SIZE(0), 1ul << 53);
}

TEST(turning_the_mmu_on_and_off_takes_effect)
{
	start(PT_AP_RW_ALL);
	*(volatile uint64_t *)scratch[4] = 0x42;
	struct exc on = run_at(EL1, load_x0, VA);
	write_sysreg(sctlr_el1, SCTLR_EL1_BASE);
	struct exc off = run_at(EL1, load_x0, scratch[4]);
	write_sysreg(sctlr_el1, SCTLR_EL1_BASE | SCTLR_M);
	struct exc again = run_at(EL1, load_x0, scratch[4]);

	EXPECT_REG(on, 1, 0x42);
	EXPECT_REG(off, 1, 0x42);
	EXPECT_ABORT(again, EL1, EC_DABT_SAME, FSC_TRANSLATION(3), scratch[4]);
}
