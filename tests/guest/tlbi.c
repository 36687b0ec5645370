// SPDX-License-Identifier: Apache-2.0
//
// tlbi.c - after a change of the tables and the right TLBI the new translation is in use: by VA,
// ASID, VMID, IPA, range and all, local and broadcast; and that ASID, VMID, nG and the regime keep
// translations apart without any. No test depends on an old translation being kept.

#include "abort.h"
#include "emit.h"

SNIPPET(load_x0, "ldr x1, [x0]");
SNIPPET(dsb, "dsb sy\n\tisb");

#define VA 0xc0000000ul
#define LOW_IPA 0x80000000ul

static struct pgtable s1, s2;

static void mark_pages(void)
{
	for (unsigned i = 0; i < 8; i++) {
		*(volatile uint64_t *)scratch[i] = 0x1000 + i;
	}
}

static void start(uint64_t attrs)
{
	guest_reset();
	mark_pages();
	pgtable_init(&s1, 12, 39);
	map_guest_code(&s1);
	map_page(&s1, VA, (uint64_t)scratch[0], PT_NORMAL | attrs, 3);
}

static void expect_page(int line, enum el el, uint64_t va, unsigned page)
{
	struct exc e = run_at(el, load_x0, va);

	guest_expect_no_exc("load", line, &e);
	guest_expect_eq("load", line, "page", e.x[1], 0x1000 + page);
}

#define EXPECT_PAGE(el, va, page) expect_page(__LINE__, el, va, page)

// Runs TLBI at el with its operand, then DSB and ISB.
static void tlbi(const char *name, int line, enum el el, struct sysreg op, uint64_t operand)
{
	struct exc e = access_at(el, WRITE, op, operand);

	guest_expect_no_exc(name, line, &e);
	(void)run_at(el, dsb);
}

#define TLBI(el, op, operand) tlbi((op).name, __LINE__, el, op, operand)

#define VA_OP(va) ((va) >> 12 & 0xffffffffffful)
#define ASID_OP(asid) ((uint64_t)(asid) << 48)
// Range: BaseADDR [36:0], TTL [38:37], NUM [43:39], SCALE [45:44], TG [47:46] (1: 4 KiB).
#define RANGE_OP(va, num, scale) \
	(((va) >> 12 & 0x1ffffffffful) | (uint64_t)(num) << 39 | (uint64_t)(scale) << 44 | \
	 1ul << 46)
#define HAS_RANGE (id_field(read_sysreg(id_aa64isar0_el1), 56) >= 2)
#define HAS_OS (id_field(read_sysreg(id_aa64isar0_el1), 56) >= 1)

// ---- EL1&0: every instruction that covers an address --------------------------------------------

// Loads through the old mapping, changes it by break-before-make with this TLBI, loads through the
// new.
static void expect_remap(int line, struct sysreg op, uint64_t operand, uint64_t attrs, enum el from)
{
	start(attrs);
	stage1_on_el1(&s1);
	expect_page(line, EL1, VA, 0);
	*pgtable_entry(&s1, VA, 3) = 0;
	tlbi(op.name, line, from, op, operand);
	struct exc gone = run_at(EL1, load_x0, VA);
	guest_expect_exc(op.name, line, &gone, EL1, ESR(EC_DABT_SAME, FSC_TRANSLATION(3)));
	map_page(&s1, VA, (uint64_t)scratch[1], PT_NORMAL | attrs, 3);
	dsb_isb();
	expect_page(line, EL1, VA, 1); // an invalid entry is never cached: no TLBI wanted
}

#define EXPECT_REMAP(op, operand) expect_remap(__LINE__, op, operand, PT_AP_RW_ALL | PT_NG, EL1)

static const struct sysreg by_va[] = {
	SYSREG(vae1, 1, 0, 8, 7, 1),    SYSREG(vaae1, 1, 0, 8, 7, 3),
	SYSREG(vale1, 1, 0, 8, 7, 5),   SYSREG(vaale1, 1, 0, 8, 7, 7),
	SYSREG(vae1is, 1, 0, 8, 3, 1),  SYSREG(vaae1is, 1, 0, 8, 3, 3),
	SYSREG(vale1is, 1, 0, 8, 3, 5), SYSREG(vaale1is, 1, 0, 8, 3, 7),
};
static const struct sysreg by_va_outer[] = {
	SYSREG(vae1os, 1, 0, 8, 1, 1),
	SYSREG(vaae1os, 1, 0, 8, 1, 3),
	SYSREG(vale1os, 1, 0, 8, 1, 5),
	SYSREG(vaale1os, 1, 0, 8, 1, 7),
};
static const struct sysreg by_range[] = {
	SYSREG(rvae1, 1, 0, 8, 6, 1),   SYSREG(rvaae1, 1, 0, 8, 6, 3),
	SYSREG(rvale1, 1, 0, 8, 6, 5),  SYSREG(rvaale1, 1, 0, 8, 6, 7),
	SYSREG(rvae1is, 1, 0, 8, 2, 1), SYSREG(rvaae1is, 1, 0, 8, 2, 3),
	SYSREG(rvae1os, 1, 0, 8, 5, 1), SYSREG(rvaale1os, 1, 0, 8, 5, 7),
};
static const struct sysreg by_all[] = {
	SYSREG(vmalle1, 1, 0, 8, 7, 0),
	SYSREG(vmalle1is, 1, 0, 8, 3, 0),
};
static const struct sysreg by_asid[] = {
	SYSREG(aside1, 1, 0, 8, 7, 2),
	SYSREG(aside1is, 1, 0, 8, 3, 2),
};

TEST(tlbi_by_va_lets_the_new_mapping_in)
{
	FOR_EACH_REG(r, by_va)
	{
		EXPECT_REMAP(*r, VA_OP(VA));
	}
}

TEST(tlbi_by_va_outer_shareable_lets_the_new_mapping_in)
{
	SKIP_UNLESS(HAS_OS, "no FEAT_TLBIOS");
	FOR_EACH_REG(r, by_va_outer)
	{
		EXPECT_REMAP(*r, VA_OP(VA));
	}
}

TEST(tlbi_by_va_with_ttl_lets_the_new_mapping_in)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr2_el1), 48), "no FEAT_TTL");
	const uint64_t ttl_4k_level_3 = 7ul << 44;

	FOR_EACH_REG(r, by_va)
	{
		EXPECT_REMAP(*r, VA_OP(VA) | ttl_4k_level_3);
	}
}

TEST(tlbi_by_range_lets_the_new_mapping_in)
{
	SKIP_UNLESS(HAS_RANGE, "no FEAT_TLBIRANGE");
	FOR_EACH_REG(r, by_range)
	{
		// 2 pages from VA; and 64 * 32 pages of which VA is somewhere in the middle.
		EXPECT_REMAP(*r, RANGE_OP(VA, 0, 0));
		EXPECT_REMAP(*r, RANGE_OP(VA - 0x100000, 31, 1));
	}
}

TEST(tlbi_by_asid_lets_the_new_mapping_in)
{
	FOR_EACH_REG(r, by_asid)
	{
		EXPECT_REMAP(*r, ASID_OP(0));
	}
}

TEST(tlbi_vmalle1_lets_the_new_mapping_in)
{
	FOR_EACH_REG(r, by_all)
	{
		EXPECT_REMAP(*r, 0);
	}
}

TEST(tlbi_of_el1_from_el2_and_el3_lets_the_new_mapping_in)
{
	const struct sysreg alle1 = SYSREG(alle1, 1, 4, 8, 7, 4);
	const struct sysreg alle1is = SYSREG(alle1is, 1, 4, 8, 3, 4);
	const struct sysreg vmalls12e1 = SYSREG(vmalls12e1, 1, 4, 8, 7, 6);

	expect_remap(__LINE__, by_va[0], VA_OP(VA), PT_AP_RW_ALL | PT_NG, EL2);
	expect_remap(__LINE__, by_va[0], VA_OP(VA), PT_AP_RW_ALL | PT_NG, EL3);
	expect_remap(__LINE__, by_all[0], 0, PT_AP_RW_ALL, EL2);
	expect_remap(__LINE__, alle1, 0, PT_AP_RW_ALL, EL2);
	expect_remap(__LINE__, alle1is, 0, PT_AP_RW_ALL, EL3);
	expect_remap(__LINE__, vmalls12e1, 0, PT_AP_RW_ALL, EL2);
}

// Global entries match whatever ASID the operand holds.
TEST(tlbi_nxs_lets_the_new_mapping_in)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64isar1_el1), 56) >= 1, "no FEAT_XS");
	static const struct sysreg by_va_nxs[] = {
		SYSREG(vae1nxs, 1, 0, 9, 7, 1),
		SYSREG(vaae1isnxs, 1, 0, 9, 3, 3),
		SYSREG(vale1osnxs, 1, 0, 9, 1, 5),
	};
	const struct sysreg rvae1isnxs = SYSREG(rvae1isnxs, 1, 0, 9, 2, 1);
	const struct sysreg aside1nxs = SYSREG(aside1nxs, 1, 0, 9, 7, 2);
	const struct sysreg vmalle1isnxs = SYSREG(vmalle1isnxs, 1, 0, 9, 3, 0);
	const struct sysreg alle1nxs = SYSREG(alle1nxs, 1, 4, 9, 7, 4);
	const struct sysreg vmalls12e1osnxs = SYSREG(vmalls12e1osnxs, 1, 4, 9, 1, 6);

	FOR_EACH_REG(r, by_va_nxs)
	{
		EXPECT_REMAP(*r, VA_OP(VA));
	}
	EXPECT_REMAP(rvae1isnxs, RANGE_OP(VA, 0, 0));
	EXPECT_REMAP(aside1nxs, ASID_OP(0));
	EXPECT_REMAP(vmalle1isnxs, 0);
	expect_remap(__LINE__, alle1nxs, 0, PT_AP_RW_ALL, EL2);
	expect_remap(__LINE__, vmalls12e1osnxs, 0, PT_AP_RW_ALL, EL3);
}

TEST(tlbi_by_va_of_a_global_entry_ignores_the_asid)
{
	expect_remap(__LINE__, by_va[0], VA_OP(VA) | ASID_OP(77), PT_AP_RW_ALL, EL1);
}

TEST(tlbi_by_va_removes_a_block)
{
	const uint64_t va = 0x100000000ul;

	for (unsigned i = 0; i < 2; i++) {
		start(PT_AP_RW_ALL);
		map_page(&s1, va, 0x40000000, PT_NORMAL | PT_AP_RW_ALL, 1);
		stage1_on_el1(&s1);
		uint64_t inside = va + ((uint64_t)scratch[0] - 0x40000000);
		EXPECT_PAGE(EL1, inside, 0);
		*pgtable_entry(&s1, va, 1) = 0;
		TLBI(EL1, by_va[0], VA_OP(i ? va : inside)); // any address of the block
		struct exc gone = run_at(EL1, load_x0, inside);
		EXPECT_ABORT(gone, EL1, EC_DABT_SAME, FSC_TRANSLATION(1), inside);
	}
}

TEST(tlbi_by_va_removes_the_walk_above_the_leaf)
{
	struct pgtable other;

	start(PT_AP_RW_ALL);
	stage1_on_el1(&s1);
	EXPECT_PAGE(EL1, VA, 0);
	// A new level-3 table below the same level-2 entry.
	pgtable_init(&other, 12, 39);
	map_page(&other, VA, (uint64_t)scratch[2], PT_NORMAL | PT_AP_RW_ALL, 3);
	*pgtable_entry(&s1, VA, 2) = *pgtable_entry(&other, VA, 2);
	TLBI(EL1, by_va[0], VA_OP(VA));
	EXPECT_PAGE(EL1, VA, 2);
}

TEST(tlbi_after_a_permission_change)
{
	SNIPPET(store_x0, "str x1, [x0]");

	start(PT_AP_RW_ALL);
	stage1_on_el1(&s1);
	struct exc good = run_at(EL1, store_x0, VA, 0x1000);
	*pgtable_entry(&s1, VA, 3) |= PT_AP_RO_EL1;
	TLBI(EL1, by_va[0], VA_OP(VA));
	struct exc bad = run_at(EL1, store_x0, VA);

	EXPECT_NO_EXC(good);
	EXPECT_ABORT(bad, EL1, EC_DABT_SAME, ISS_WNR | FSC_PERMISSION(3), VA);
}

// ---- ASID, nG -----------------------------------------------------------------------------------

TEST(asids_keep_address_spaces_apart_without_tlbi)
{
	struct pgtable other;

	start(PT_AP_RW_ALL | PT_NG);
	pgtable_init(&other, 12, 39);
	map_guest_code(&other);
	map_page(&other, VA, (uint64_t)scratch[1], PT_NORMAL | PT_AP_RW_ALL | PT_NG, 3);
	stage1_on_el1(&s1);
	for (unsigned i = 0; i < 3; i++) {
		write_sysreg(ttbr0_el1, (uint64_t)s1.root | ASID_OP(1));
		EXPECT_PAGE(EL1, VA, 0);
		write_sysreg(ttbr0_el1, (uint64_t)other.root | ASID_OP(2));
		EXPECT_PAGE(EL1, VA, 1);
	}
}

TEST(asid_has_16_bits_with_tcr_as)
{
	const uint64_t tcr_as = BIT(36);
	struct pgtable other;

	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr0_el1), 4) == 2, "8-bit ASIDs");
	start(PT_AP_RW_ALL | PT_NG);
	pgtable_init(&other, 12, 39);
	map_guest_code(&other);
	map_page(&other, VA, (uint64_t)scratch[1], PT_NORMAL | PT_AP_RW_ALL | PT_NG, 3);
	stage1_on_el1(&s1);
	write_sysreg(tcr_el1, tcr_el1_value(&s1) | tcr_as);
	tlbi_all();
	for (unsigned i = 0; i < 2; i++) {
		write_sysreg(ttbr0_el1, (uint64_t)s1.root | ASID_OP(0x0101));
		EXPECT_PAGE(EL1, VA, 0);
		write_sysreg(ttbr0_el1, (uint64_t)other.root | ASID_OP(0x0201));
		EXPECT_PAGE(EL1, VA, 1);
	}
}

TEST(tcr_a1_takes_the_asid_from_ttbr1)
{
	struct pgtable other;

	start(PT_AP_RW_ALL | PT_NG);
	pgtable_init(&other, 12, 39);
	map_guest_code(&other);
	map_page(&other, VA, (uint64_t)scratch[1], PT_NORMAL | PT_AP_RW_ALL | PT_NG, 3);
	stage1_on_el1(&s1);
	write_sysreg(tcr_el1, tcr_el1_value(&s1) | BIT(22));
	tlbi_all();
	for (unsigned i = 0; i < 2; i++) {
		write_sysreg(ttbr1_el1, ASID_OP(1));
		write_sysreg(ttbr0_el1, s1.root);
		EXPECT_PAGE(EL1, VA, 0);
		write_sysreg(ttbr1_el1, ASID_OP(2));
		write_sysreg(ttbr0_el1, other.root);
		EXPECT_PAGE(EL1, VA, 1);
	}
}

TEST(tlbi_by_asid_of_another_address_space_while_it_is_not_in_use)
{
	struct pgtable other;

	start(PT_AP_RW_ALL | PT_NG);
	pgtable_init(&other, 12, 39);
	map_guest_code(&other);
	map_page(&other, VA, (uint64_t)scratch[1], PT_NORMAL | PT_AP_RW_ALL | PT_NG, 3);
	stage1_on_el1(&s1);
	write_sysreg(ttbr0_el1, (uint64_t)other.root | ASID_OP(2));
	EXPECT_PAGE(EL1, VA, 1);
	write_sysreg(ttbr0_el1, (uint64_t)s1.root | ASID_OP(1));
	map_page(&other, VA, (uint64_t)scratch[3], PT_NORMAL | PT_AP_RW_ALL | PT_NG, 3);
	TLBI(EL1, by_asid[0], ASID_OP(2));
	EXPECT_PAGE(EL1, VA, 0);
	write_sysreg(ttbr0_el1, (uint64_t)other.root | ASID_OP(2));
	EXPECT_PAGE(EL1, VA, 3);
}

// ---- Stage 2: VMID and IPA ----------------------------------------------------------------------

static void start_s2(struct pgtable *pt, unsigned page)
{
	pgtable_init_stage2(pt, 12, 40, 1);
	map_guest_code_stage2(pt);
	map_page(pt, LOW_IPA, (uint64_t)scratch[page], S2_NORMAL | S2_RW, 3);
}

#define VMID(n) ((uint64_t)(n) << 48)

TEST(vmids_keep_guests_apart_without_tlbi)
{
	struct pgtable other;

	guest_reset();
	mark_pages();
	start_s2(&s2, 0);
	start_s2(&other, 1);
	stage2_on(&s2);
	for (unsigned i = 0; i < 3; i++) {
		write_sysreg(vttbr_el2, (uint64_t)s2.root | VMID(1));
		EXPECT_PAGE(EL1, LOW_IPA, 0);
		write_sysreg(vttbr_el2, (uint64_t)other.root | VMID(2));
		EXPECT_PAGE(EL1, LOW_IPA, 1);
	}
}

TEST(vmid_has_16_bits_with_vtcr_vs)
{
	struct pgtable other;

	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr1_el1), 4) == 2, "no FEAT_VMID16");
	guest_reset();
	mark_pages();
	start_s2(&s2, 0);
	start_s2(&other, 1);
	stage2_on(&s2);
	write_sysreg(vtcr_el2, vtcr_value(&s2) | BIT(19));
	tlbi_all();
	for (unsigned i = 0; i < 2; i++) {
		write_sysreg(vttbr_el2, (uint64_t)s2.root | VMID(0x0105));
		EXPECT_PAGE(EL1, LOW_IPA, 0);
		write_sysreg(vttbr_el2, (uint64_t)other.root | VMID(0x0205));
		EXPECT_PAGE(EL1, LOW_IPA, 1);
	}
}

// Stage-1 translations are tagged with the VMID too.
TEST(vmids_keep_stage1_translations_apart)
{
	struct pgtable other;

	start(PT_AP_RW_ALL);
	map_page(&s1, VA, LOW_IPA, PT_NORMAL | PT_AP_RW_ALL, 3);
	start_s2(&s2, 0);
	start_s2(&other, 1);
	uint64_t tables = (uint64_t)image_end & ~0x1ffffful;
	map_range(&s2, tables, tables, 0x400000, S2_NORMAL | S2_RW, 2);
	map_range(&other, tables, tables, 0x400000, S2_NORMAL | S2_RW, 2);
	stage1_on_el1(&s1);
	stage2_on(&s2);
	for (unsigned i = 0; i < 2; i++) {
		write_sysreg(vttbr_el2, (uint64_t)s2.root | VMID(1));
		EXPECT_PAGE(EL1, VA, 0);
		write_sysreg(vttbr_el2, (uint64_t)other.root | VMID(2));
		EXPECT_PAGE(EL1, VA, 1);
	}
}

static const struct sysreg by_ipa[] = {
	SYSREG(ipas2e1, 1, 4, 8, 4, 1),
	SYSREG(ipas2le1, 1, 4, 8, 4, 5),
	SYSREG(ipas2e1is, 1, 4, 8, 0, 1),
	SYSREG(ipas2le1is, 1, 4, 8, 0, 5),
};
static const struct sysreg by_ipa_range[] = {
	SYSREG(ripas2e1, 1, 4, 8, 4, 2),
	SYSREG(ripas2le1, 1, 4, 8, 4, 6),
	SYSREG(ripas2e1is, 1, 4, 8, 0, 2),
};

static void expect_s2_remap(int line, struct sysreg op, uint64_t operand)
{
	guest_reset();
	mark_pages();
	start_s2(&s2, 0);
	stage2_on(&s2);
	expect_page(line, EL1, LOW_IPA, 0);
	*pgtable_entry(&s2, LOW_IPA, 3) = 0;
	tlbi(op.name, line, EL2, op, operand);
	// KVM does the same: combined translations of both stages must go as well.
	(void)run_at(EL2, dsb);
	tlbi("vmalle1", line, EL2, by_all[0], 0);
	struct exc gone = run_at(EL1, load_x0, LOW_IPA);
	guest_expect_eq(op.name, line, "level", (uint64_t)gone.el, EL2);
	guest_expect_eq(op.name, line, "FSC", gone.esr & 0x3f, FSC_TRANSLATION(3));
	map_page(&s2, LOW_IPA, (uint64_t)scratch[1], S2_NORMAL | S2_RW, 3);
	dsb_isb();
	expect_page(line, EL1, LOW_IPA, 1);
}

TEST(tlbi_by_ipa_lets_the_new_mapping_in)
{
	FOR_EACH_REG(r, by_ipa)
	{
		expect_s2_remap(__LINE__, *r, VA_OP(LOW_IPA));
	}
}

TEST(tlbi_by_ipa_range_lets_the_new_mapping_in)
{
	SKIP_UNLESS(HAS_RANGE, "no FEAT_TLBIRANGE");
	FOR_EACH_REG(r, by_ipa_range)
	{
		expect_s2_remap(__LINE__, *r, RANGE_OP(LOW_IPA, 0, 0));
	}
}

TEST(tlbi_vmalls12e1_lets_the_new_mapping_in)
{
	const struct sysreg ops[] = {SYSREG(vmalls12e1, 1, 4, 8, 7, 6),
				     SYSREG(vmalls12e1is, 1, 4, 8, 3, 6)};

	FOR_EACH_REG(r, ops)
	{
		expect_s2_remap(__LINE__, *r, 0);
	}
}

// ---- EL2 and EL3 --------------------------------------------------------------------------------

TEST(tlbi_of_el2_lets_the_new_mapping_in)
{
	const struct sysreg ops[] = {
		SYSREG(alle2, 1, 4, 8, 7, 0),  SYSREG(vae2, 1, 4, 8, 7, 1),
		SYSREG(vale2, 1, 4, 8, 7, 5),  SYSREG(alle2is, 1, 4, 8, 3, 0),
		SYSREG(vae2is, 1, 4, 8, 3, 1), SYSREG(vale2is, 1, 4, 8, 3, 5),
	};

	FOR_EACH_REG(r, ops)
	{
		start(PT_AP_RW_ALL);
		stage1_on_el2(&s1);
		EXPECT_PAGE(EL2, VA, 0);
		map_page(&s1, VA, (uint64_t)scratch[1], PT_NORMAL | PT_AP_RW_ALL, 3);
		TLBI(EL2, *r, VA_OP(VA));
		EXPECT_PAGE(EL2, VA, 1);
	}
}

// With E2H these act on the EL2&0 regime.
TEST(tlbi_of_a_host_lets_the_new_mapping_in)
{
	const struct sysreg ops[] = {
		SYSREG(vae2, 1, 4, 8, 7, 1),   SYSREG(alle2, 1, 4, 8, 7, 0),
		SYSREG(vae1, 1, 0, 8, 7, 1),   SYSREG(vmalle1, 1, 0, 8, 7, 0),
		SYSREG(vae1is, 1, 0, 8, 3, 1), SYSREG(aside1, 1, 0, 8, 7, 2),
	};

	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr1_el1), 8), "no FEAT_VHE");
	FOR_EACH_REG(r, ops)
	{
		start(PT_AP_RW_EL1 | PT_NG);
		write_sysreg(hcr_el2, HCR_BASE | HCR_E2H | HCR_TGE);
		stage1_on_el20(&s1);
		EXPECT_PAGE(EL2, VA, 0);
		map_page(&s1, VA, (uint64_t)scratch[1], PT_NORMAL | PT_AP_RW_EL1 | PT_NG, 3);
		TLBI(EL2, *r, r->crm == 7 && r->op1 == 0 && r->op2 == 2 ? 0 : VA_OP(VA));
		EXPECT_PAGE(EL2, VA, 1);
	}
}

TEST(tlbi_of_el3_lets_the_new_mapping_in)
{
	const struct sysreg ops[] = {
		SYSREG(alle3, 1, 6, 8, 7, 0),
		SYSREG(vae3, 1, 6, 8, 7, 1),
		SYSREG(vale3, 1, 6, 8, 7, 5),
		SYSREG(vae3is, 1, 6, 8, 3, 1),
	};

	FOR_EACH_REG(r, ops)
	{
		start(PT_AP_RW_ALL);
		map_image_el3(&s1);
		stage1_on_el3(&s1);
		EXPECT_PAGE(EL3, VA, 0);
		write_sysreg(sctlr_el3,
			     SCTLR_EL3_BASE); // the tables are read-only to nobody, but stay plain
		map_page(&s1, VA, (uint64_t)scratch[1], PT_NORMAL | PT_AP_RW_ALL, 3);
		TLBI(EL3, *r, VA_OP(VA));
		write_sysreg(sctlr_el3, SCTLR_EL3_BASE | SCTLR_M | SCTLR_C | SCTLR_I);
		EXPECT_PAGE(EL3, VA, 1);
	}
}

TEST(regimes_keep_translations_of_one_address_apart)
{
	struct pgtable el2;

	start(PT_AP_RW_EL1);
	pgtable_init(&el2, 12, 39);
	map_guest_code(&el2);
	map_page(&el2, VA, (uint64_t)scratch[5], PT_NORMAL | PT_AP_RW_ALL, 3);
	stage1_on_el1(&s1);
	stage1_on_el2(&el2);
	for (unsigned i = 0; i < 3; i++) {
		EXPECT_PAGE(EL1, VA, 0);
		EXPECT_PAGE(EL2, VA, 5);
	}
}

TEST(security_states_keep_translations_of_one_address_apart)
{
	struct pgtable secure;

	start(PT_AP_RW_EL1);
	pgtable_init(&secure, 12, 39);
	map_guest_code(&secure);
	map_page(&secure, VA, (uint64_t)scratch[6], PT_NORMAL | PT_AP_RW_EL1 | PT_NS, 3);
	// Normal RAM is Non-secure memory: the image is reached from Secure state with NS = 1 as
	// well.
	map_range(&secure, (uint64_t)vectors_start, (uint64_t)vectors_start,
		  (uint64_t)(vectors_end - vectors_start), PT_NORMAL | PT_AP_RO_ALL | PT_NS, 3);
	map_range(&secure, (uint64_t)snippets_start, (uint64_t)snippets_start,
		  (uint64_t)(snippets_end - snippets_start), PT_NORMAL | PT_AP_RO_ALL | PT_NS, 3);
	stage1_on_el1(&s1);
	for (unsigned i = 0; i < 3; i++) {
		write_sysreg(scr_el3, SCR_BASE);
		write_sysreg(ttbr0_el1, s1.root);
		EXPECT_PAGE(EL1, VA, 0);
		write_sysreg(scr_el3, SCR_BASE & ~SCR_NS);
		write_sysreg(ttbr0_el1, secure.root);
		EXPECT_PAGE(EL1, VA, 6);
	}
}

// ---- Code ---------------------------------------------------------------------------------------

SNIPPET(call_x0, "mov x19, x30\n\tblr x0\n\tmov x30, x19");

static void make_function(unsigned page, unsigned result)
{
	volatile uint32_t *code = (volatile uint32_t *)scratch[page];

	code[0] = 0xd2800001u | result << 5; // MOV X1, #result
	code[1] = 0xd65f03c0u; // RET
	__asm__ volatile("dsb sy\n\tic iallu\n\tdsb sy\n\tisb" ::: "memory");
}

TEST(remapped_code_page_runs_the_new_code_after_tlbi)
{
	start(PT_AP_RO_ALL);
	make_function(0, 10);
	make_function(1, 11);
	stage1_on_el1(&s1);
	struct exc first = run_at(EL1, call_x0, VA);
	map_page(&s1, VA, (uint64_t)scratch[1], PT_NORMAL | PT_AP_RO_ALL, 3);
	TLBI(EL1, by_va[0], VA_OP(VA));
	struct exc second = run_at(EL1, call_x0, VA);

	EXPECT_REG(first, 1, 10);
	EXPECT_REG(second, 1, 11);
}

TEST(modified_code_runs_after_ic_ivau)
{
	guest_reset();
	make_function(0, 20);
	struct exc first = run_at(EL1, call_x0, scratch[0]);
	make_function(0, 21);
	struct exc second = run_at(EL1, call_x0, scratch[0]);

	EXPECT_REG(first, 1, 20);
	EXPECT_REG(second, 1, 21);
}
