// SPDX-License-Identifier: Apache-2.0
//
// mmu_pie.c - stage-1 indirect permissions (FEAT_S1PIE): what the entries of PIR_ELx and PIRE0_ELx
// give, which index a descriptor has, what no longer counts, dirty state, the regimes, and what
// turns it all off (FEAT_TCR2); SCTLR2_ELx.

#include "emit.h"
#include "pie.h"

#define PIE_TEST(name) PERM_TEST(FIELD_S1PIE, name)

SNIPPET(load_unprivileged, "ldtr x1, [x0]");
SNIPPET(store_unprivileged, "sttr x1, [x0]");
SNIPPET(add_x0, "ldadd x1, x2, [x0]");
SNIPPET(clean_x0, "dc cvac, x0");
SNIPPET(invalidate_x0, "dc ivac, x0");
SNIPPET(at_s1e0r, "at s1e0r, x0\n\tisb\n\tmrs x0, par_el1");
SNIPPET(at_s1e0w, "at s1e0w, x0\n\tisb\n\tmrs x0, par_el1");
SNIPPET(at_s1e1r, "at s1e1r, x0\n\tisb\n\tmrs x0, par_el1");
SNIPPET(at_s1e1w, "at s1e1w, x0\n\tisb\n\tmrs x0, par_el1");
SNIPPET(at_s1e1rp, "sys #0, c7, c9, #0, x0\n\tisb\n\tmrs x0, par_el1");

static struct pgtable tables;
static uint64_t *page; // its descriptor

// What each entry gives where no overlay applies.
static const char *const entries[16] = {"",  "r", "x",  "rx", "",   "rw", "rw",  "rwx",
					"r", "r", "rx", "",   "rw", "",   "rwx", ""};

static void map_tables(uint64_t attrs)
{
	permissions_reset();
	pgtable_init(&tables, 12, 39);
	map_guest_code(&tables);
	map_page(&tables, PAGE_VA, (uint64_t)scratch[4], PT_NORMAL | attrs, 3);
	page = pgtable_entry(&tables, PAGE_VA, 3);
}

static void set_without_tlbi(unsigned priv, unsigned el0)
{
	write_reg(PIR_EL1, CODE_PERM | PERM(PAGE_INDEX, priv));
	write_reg(PIRE0_EL1, CODE_PERM | PERM(PAGE_INDEX, el0));
}

static void set_el1(unsigned priv, unsigned el0)
{
	set_without_tlbi(priv, el0);
	tlbi_all();
}

static void start_with(uint64_t attrs, unsigned priv, unsigned el0)
{
	map_tables(attrs);
	set_el1(priv, el0);
	write_reg(TCR2_EL1, TCR2_PIE);
	stage1_on_el1(&tables);
}

static void start(unsigned priv, unsigned el0)
{
	start_with(PT_PI(PAGE_INDEX), priv, el0);
}

// ---- The entries --------------------------------------------------------------------------------

PIE_TEST(each_entry_of_pir_el1)
{
	start(0, 0);
	for (unsigned n = 0; n < 16; n++) {
		set_el1(n, 0);
		EXPECT_RIGHTS(EL1, entries[n]);
		EXPECT_RIGHTS(EL0, "");
	}
}

PIE_TEST(each_entry_of_pire0_el1)
{
	start(0, 0);
	for (unsigned n = 0; n < 16; n++) {
		set_el1(0, n);
		EXPECT_RIGHTS(EL0, entries[n]);
		EXPECT_RIGHTS(EL1, "");
	}
}

PIE_TEST(both_registers_have_their_say)
{
	start(5, 8);
	EXPECT_RIGHTS(EL1, "rw");
	EXPECT_RIGHTS(EL0, "r");
	set_el1(8, 0xe);
	EXPECT_RIGHTS(EL1, "r");
	EXPECT_RIGHTS(EL0, "rwx");
}

// What is executable above EL0 and writable at EL0 is neither, nor anything else.
PIE_TEST(privileged_execution_and_unprivileged_writing_exclude_each_other)
{
	start(0xa, 0xc);
	EXPECT_RIGHTS(EL1, "");
	EXPECT_RIGHTS(EL0, "");
	set_el1(2, 5);
	EXPECT_RIGHTS(EL1, "");
	EXPECT_RIGHTS(EL0, "");
	set_el1(6, 5); // executable before the WXN of this entry takes it away
	EXPECT_RIGHTS(EL1, "");
	set_el1(0xc, 0xc);
	EXPECT_RIGHTS(EL1, "rw");
	EXPECT_RIGHTS(EL0, "rw");
	set_el1(0xa, 0xa);
	EXPECT_RIGHTS(EL1, "rx");
	EXPECT_RIGHTS(EL0, "rx");
}

// A guarded control stack (0b1001) is as code above EL0 and as written at EL0.
PIE_TEST(control_stacks_exclude_each_other_too)
{
	start(9, 5);
	EXPECT_RIGHTS(EL1, "");
	EXPECT_RIGHTS(EL0, "");
	set_el1(0xa, 9);
	EXPECT_RIGHTS(EL1, "");
	EXPECT_RIGHTS(EL0, "");
	set_el1(9, 9);
	EXPECT_RIGHTS(EL1, "");
	set_el1(9, 8);
	EXPECT_RIGHTS(EL1, "r");
	EXPECT_RIGHTS(EL0, "r");
	set_el1(0xc, 9);
	EXPECT_RIGHTS(EL1, "rw");
	EXPECT_RIGHTS(EL0, "r");
}

PIE_TEST(the_index_is_bits_54_53_51_and_6)
{
	for (unsigned n = 0; n < 16; n++) {
		if (n == 1) {
			continue; // code
		}
		start_with(PT_PI(n), 0, 0);
		for (unsigned k = 0; k < 16; k++) {
			if (k != 1) {
				write_pir(PIR_EL1, CODE_PERM | PERM(k, 0xc));
				EXPECT_RIGHTS(EL1, k == n ? "rw" : "");
			}
		}
	}
}

// ---- What no longer counts ----------------------------------------------------------------------

// The bits that are AP[1], PXN and UXN elsewhere are of the index; AP[2] is dirty state.
PIE_TEST(attributes_of_descriptors_are_only_an_index)
{
	start_with(PT_AP_RO_ALL | PT_PXN | PT_UXN, 0, 0);
	write_reg(PIR_EL1, CODE_PERM | PERM(13, 0xa));
	write_reg(PIRE0_EL1, CODE_PERM | PERM(13, 0xa));
	EXPECT_RIGHTS(EL1, "rx");
	EXPECT_RIGHTS(EL0, "rx");
}

PIE_TEST(hierarchical_permissions_do_not_count)
{
	start(0xe, 0);
	*pgtable_entry(&tables, PAGE_VA, 2) |= PT_AP_TABLE(3) | PT_PXN_TABLE | PT_XN_TABLE;
	*pgtable_entry(&tables, PAGE_VA, 1) |= PT_AP_TABLE(3) | PT_PXN_TABLE | PT_XN_TABLE;
	tlbi_all();
	EXPECT_RIGHTS(EL1, "rwx");
	set_el1(0, 0xe);
	EXPECT_RIGHTS(EL0, "rwx");
}

PIE_TEST(sctlr_wxn_does_not_count)
{
	start(0xe, 0);
	write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | SCTLR_WXN);
	tlbi_all();
	EXPECT_RIGHTS(EL1, "rwx");
	set_el1(7, 0);
	EXPECT_RIGHTS(EL1, "rwx");
}

// ---- PAN, unprivileged accesses, E0PD -----------------------------------------------------------

// Where EL0 has any entry but 0b0000, even one that allows nothing.
PIE_TEST(pan_holds_where_el0_has_an_entry)
{
	QEMU_11_DIFFERS("goes by what the entry allows, not by the entry");
	start(0xc, 0);
	EXPECT_RIGHTS_WITH(EL1, SPSR_PAN, "rw");
	for (unsigned n = 1; n < 16; n++) {
		set_el1(0xc, n);
		EXPECT_RIGHTS_WITH(EL1, SPSR_PAN, "");
		EXPECT_RIGHTS(EL1, "rw");
	}
}

PIE_TEST(pan_leaves_execution)
{
	start(0xa, 8);
	EXPECT_RIGHTS_WITH(EL1, SPSR_PAN, "x");
}

PIE_TEST(unprivileged_loads_and_stores_go_by_pire0)
{
	start(0xc, 8);
	struct exc r = run_at_spsr(guest_spsr(EL1) | SPSR_PAN, load_unprivileged, PAGE_VA);
	struct exc w = run_at(EL1, store_unprivileged, PAGE_VA, INSN_RET);

	EXPECT_NO_EXC(r);
	EXPECT_ABORT(w, EL1, EC_DABT_SAME, ISS_WNR | FSC_PERMISSION(3), PAGE_VA);
	w = run_at_spsr(guest_spsr(EL1) | SPSR_UAO, store_unprivileged, PAGE_VA, INSN_RET);
	EXPECT_NO_EXC(w);
	set_el1(8, 0xc);
	w = run_at(EL1, store_unprivileged, PAGE_VA, INSN_RET);
	EXPECT_NO_EXC(w);
}

PIE_TEST(e0pd_comes_first)
{
	start(0xc, 0xc);
	write_sysreg(tcr_el1, read_sysreg(tcr_el1) | BIT(55));
	tlbi_all();
	struct exc ldtr = run_at(EL1, load_unprivileged, PAGE_VA);

	EXPECT_ABORT(ldtr, EL1, EC_DABT_SAME, FSC_TRANSLATION(0), PAGE_VA);
	EXPECT_RIGHTS(EL1, "rw");
}

// ---- Other kinds of access ----------------------------------------------------------------------

PIE_TEST(atomics_report_the_access_that_is_missing)
{
	start(8, 0);
	struct exc e = run_at(EL1, add_x0, PAGE_VA);

	EXPECT_ABORT(e, EL1, EC_DABT_SAME, ISS_WNR | FSC_PERMISSION(3), PAGE_VA);
	set_el1(0, 0);
	e = run_at(EL1, add_x0, PAGE_VA);
	EXPECT_ABORT(e, EL1, EC_DABT_SAME, FSC_PERMISSION(3), PAGE_VA);
	set_el1(0xc, 0);
	e = run_at(EL1, add_x0, PAGE_VA);
	EXPECT_NO_EXC(e);
}

PIE_TEST(cache_maintenance_needs_what_it_does)
{
	QEMU_11_DIFFERS("does not translate for cache maintenance");
	start(8, 0);
	write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | SCTLR_UCI);
	struct exc clean = run_at(EL1, clean_x0, PAGE_VA);
	struct exc invalidate = run_at(EL1, invalidate_x0, PAGE_VA);
	struct exc clean0 = run_at(EL0, clean_x0, PAGE_VA);

	EXPECT_NO_EXC(clean);
	EXPECT_ABORT(invalidate, EL1, EC_DABT_SAME, ISS_CM | ISS_WNR | FSC_PERMISSION(3), PAGE_VA);
	EXPECT_ABORT(clean0, EL1, EC_DABT_LOWER, ISS_CM | ISS_WNR | FSC_PERMISSION(3), PAGE_VA);
	set_el1(0, 8);
	clean0 = run_at(EL0, clean_x0, PAGE_VA);
	EXPECT_NO_EXC(clean0);
}

// Entries that would take a privileged write take no invalidation.
PIE_TEST(pan_is_nothing_to_cache_maintenance)
{
	const uint64_t pan = guest_spsr(EL1) | SPSR_PAN;

	start(0xc, 8);
	struct exc w = run_at_spsr(pan, store_x0, PAGE_VA, INSN_RET);
	struct exc invalidate = run_at_spsr(pan, invalidate_x0, PAGE_VA);

	EXPECT_ABORT(w, EL1, EC_DABT_SAME, ISS_WNR | FSC_PERMISSION(3), PAGE_VA);
	EXPECT_NO_EXC(invalidate);
}

static uint64_t par_of(const char *snippet)
{
	struct exc e = run_at(EL1, snippet, PAGE_VA);

	EXPECT_NO_EXC(e);
	return e.x[0];
}

#define PAR_PERMISSION_3 (BIT(11) | FSC_PERMISSION(3) << 1 | 1)

PIE_TEST(address_translation_instructions_go_by_the_entries)
{
	start(8, 0xc);
	EXPECT_EQ(par_of(at_s1e1r) & 1, 0);
	EXPECT_EQ(par_of(at_s1e1w), PAR_PERMISSION_3);
	EXPECT_EQ(par_of(at_s1e0r) & 1, 0);
	EXPECT_EQ(par_of(at_s1e0w) & 1, 0);
	set_el1(0xc, 8);
	EXPECT_EQ(par_of(at_s1e1w) & 1, 0);
	EXPECT_EQ(par_of(at_s1e0w), PAR_PERMISSION_3);
	struct exc pan = run_at_spsr(guest_spsr(EL1) | SPSR_PAN, at_s1e1rp, PAGE_VA);

	EXPECT_EQ(pan.x[0], PAR_PERMISSION_3);
}

PIE_TEST(faults_have_the_level_of_the_block)
{
	const uint64_t block = 0xc0000000;

	for (int level = 1; level <= 2; level++) {
		start(0, 0);
		map_page(&tables, block,
			 (uint64_t)scratch[4] & ~(pgtable_level_size(&tables, level) - 1),
			 PT_NORMAL | PT_PI(PAGE_INDEX), level);
		tlbi_all();
		struct exc e = run_at(EL1, load_x0, block + 0x1238);

		EXPECT_ABORT(e, EL1, EC_DABT_SAME, FSC_PERMISSION(level), block + 0x1238);
	}
}

// ---- Access flag and dirty state ----------------------------------------------------------------

PIE_TEST(a_write_to_clean_memory_is_told_to_software)
{
	QEMU_11_DIFFERS("knows no dirty state of indirect permissions");
	start_with(PT_PI(PAGE_INDEX) | PT_NDIRTY, 0xc, 0);
	struct exc r = run_at(EL1, load_x0, PAGE_VA);
	struct exc w = run_at(EL1, store_x0, PAGE_VA, INSN_RET);

	EXPECT_NO_EXC(r);
	EXPECT_ABORT(w, EL1, EC_DABT_SAME, ISS2_DIRTY | ISS_WNR | FSC_PERMISSION(3), PAGE_VA);
	EXPECT_EQ(par_of(at_s1e1w), PAR_PERMISSION_3 | PAR_DIRTY);
	*page &= ~PT_NDIRTY;
	tlbi_all();
	w = run_at(EL1, store_x0, PAGE_VA, INSN_RET);
	EXPECT_NO_EXC(w);
}

PIE_TEST(clean_memory_that_may_not_be_written_is_no_matter_of_dirty_state)
{
	start_with(PT_PI(PAGE_INDEX) | PT_NDIRTY, 8, 0xc);
	EXPECT_RIGHTS(EL1, "r");
	EXPECT_EQ(par_of(at_s1e1w), PAR_PERMISSION_3);
	struct exc w = run_at(EL0, store_x0, PAGE_VA, INSN_RET);

	EXPECT_ABORT(w, EL1, EC_DABT_LOWER, ISS2_DIRTY | ISS_WNR | FSC_PERMISSION(3), PAGE_VA);
}

// Whatever DBM is: it belongs to the index.
PIE_TEST(hardware_makes_memory_dirty)
{
	QEMU_11_DIFFERS("knows no dirty state of indirect permissions");
	for (unsigned n = 4; n < 8; n++) {
		start_with(PT_PI(n) | PT_NDIRTY, 0, 0);
		write_reg(PIR_EL1, CODE_PERM | PERM(n, 0xc));
		write_sysreg(tcr_el1, read_sysreg(tcr_el1) | TCR_HA | TCR_HD);
		tlbi_all();
		struct exc r = run_at(EL1, load_x0, PAGE_VA);

		EXPECT_NO_EXC(r);
		EXPECT_EQ(*page & PT_NDIRTY, PT_NDIRTY);
		EXPECT_EQ(par_of(at_s1e1w) & 1, 0);
		EXPECT_EQ(*page & PT_NDIRTY, PT_NDIRTY);
		uint64_t before = *page;
		struct exc w = run_at(EL1, store_x0, PAGE_VA, INSN_RET);

		EXPECT_NO_EXC(w);
		EXPECT_EQ(*page, before & ~PT_NDIRTY);
	}
}

PIE_TEST(a_denied_write_makes_nothing_dirty)
{
	start_with(PT_PI(PAGE_INDEX) | PT_NDIRTY, 8, 0);
	write_sysreg(tcr_el1, read_sysreg(tcr_el1) | TCR_HA | TCR_HD);
	tlbi_all();
	EXPECT_RIGHTS(EL1, "r");
	EXPECT_EQ(*page & PT_NDIRTY, PT_NDIRTY);
}

PIE_TEST(dirty_state_by_hardware_wants_the_access_flag_by_hardware)
{
	start_with(PT_PI(PAGE_INDEX) | PT_NDIRTY, 0xc, 0);
	write_sysreg(tcr_el1, read_sysreg(tcr_el1) | TCR_HD);
	tlbi_all();
	struct exc w = run_at(EL1, store_x0, PAGE_VA, INSN_RET);

	EXPECT_ABORT(w, EL1, EC_DABT_SAME, ISS2_DIRTY | ISS_WNR | FSC_PERMISSION(3), PAGE_VA);
}

PIE_TEST(the_access_flag_comes_before_permissions)
{
	start_with(PT_PI(PAGE_INDEX), 0, 0);
	*page &= ~PT_AF;
	tlbi_all();
	struct exc e = run_at(EL1, load_x0, PAGE_VA);

	EXPECT_ABORT(e, EL1, EC_DABT_SAME, FSC_ACCESS(3), PAGE_VA);
	set_el1(8, 0);
	write_sysreg(tcr_el1, read_sysreg(tcr_el1) | TCR_HA);
	tlbi_all();
	e = run_at(EL1, load_x0, PAGE_VA);
	EXPECT_NO_EXC(e);
	EXPECT_EQ(*page & PT_AF, PT_AF);
}

PIE_TEST(an_atomic_makes_memory_dirty)
{
	QEMU_11_DIFFERS("knows no dirty state of indirect permissions");
	start_with(PT_PI(PAGE_INDEX) | PT_NDIRTY, 0xc, 0);
	struct exc e = run_at(EL1, add_x0, PAGE_VA);

	EXPECT_ABORT(e, EL1, EC_DABT_SAME, ISS2_DIRTY | ISS_WNR | FSC_PERMISSION(3), PAGE_VA);
	write_sysreg(tcr_el1, read_sysreg(tcr_el1) | TCR_HA | TCR_HD);
	tlbi_all();
	e = run_at(EL1, add_x0, PAGE_VA);
	EXPECT_NO_EXC(e);
	EXPECT_EQ(*page & PT_NDIRTY, 0);
}

// ---- TLBs ---------------------------------------------------------------------------------------

// A PE may keep them in its TLB; Strata does not.
PIE_TEST(indices_are_looked_up_anew)
{
	QEMU_11_DIFFERS("keeps them in its TLB, as it may");
	start(0xc, 0);
	for (unsigned i = 0; i < 4; i++) {
		set_without_tlbi(0xc, 0);
		EXPECT_RIGHTS(EL1, "rw");
		set_without_tlbi(0xa, 0xa);
		EXPECT_RIGHTS(EL1, "rx");
		EXPECT_RIGHTS(EL0, "rx");
		set_without_tlbi(0, 8);
		EXPECT_RIGHTS(EL1, "");
		EXPECT_RIGHTS(EL0, "r");
	}
}

// ---- The other regimes --------------------------------------------------------------------------

PIE_TEST(pir_el2_is_of_el2)
{
	map_tables(PT_PI(PAGE_INDEX));
	write_reg(TCR2_EL2, TCR2_PIE);
	stage1_on_el2(&tables);
	write_pir(PIRE0_EL2, 0);
	for (unsigned n = 0; n < 16; n++) {
		write_pir(PIR_EL2, CODE_PERM | PERM(PAGE_INDEX, n));
		EXPECT_RIGHTS_TO(EL2, EL2, entries[n]);
	}
	// One range of addresses: no unprivileged side.
	write_pir(PIRE0_EL2, ~0ul);
	write_pir(PIR_EL2, CODE_PERM | PERM(PAGE_INDEX, 0xe));
	expect_rights(__LINE__, EL2, SPSR_PAN, EL2, CAN_ALL, 0);
}

PIE_TEST(a_host_has_pir_el2_and_pire0_el2)
{
	map_tables(PT_PI(PAGE_INDEX));
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H | HCR_TGE);
	write_reg(TCR2_EL2, TCR2_PIE);
	stage1_on_el20(&tables);
	for (unsigned n = 0; n < 16; n++) {
		write_pir(PIR_EL2, CODE_PERM | PERM(PAGE_INDEX, n));
		write_pir(PIRE0_EL2, CODE_PERM);
		EXPECT_RIGHTS_TO(EL2, EL2, entries[n]);
		write_pir(PIR_EL2, CODE_PERM);
		write_pir(PIRE0_EL2, CODE_PERM | PERM(PAGE_INDEX, n));
		EXPECT_RIGHTS_TO(EL0, EL2, entries[n]);
	}
	write_pir(PIR_EL2, CODE_PERM | PERM(PAGE_INDEX, 0xc));
	write_pir(PIRE0_EL2, CODE_PERM | PERM(PAGE_INDEX, 8));
	expect_rights(__LINE__, EL2, SPSR_PAN, EL2, 0, 0);
}

PIE_TEST(pir_el3_is_of_el3)
{
	map_tables(PT_PI(PAGE_INDEX));
	map_image_el3(&tables);
	write_pir(PIR_EL3, PERM(1, 0xe));
	stage1_on_el3(&tables);
	write_sysreg(tcr_el3, read_sysreg(tcr_el3) | TCR_EL3_PIE);
	tlbi_all();
	for (unsigned n = 0; n < 16; n++) {
		write_pir(PIR_EL3, PERM(1, 0xe) | PERM(PAGE_INDEX, n));
		EXPECT_RIGHTS_TO(EL3, EL3, entries[n]);
	}
	write_sysreg(sctlr_el3, SCTLR_EL3_BASE);
}

// ---- What turns it off --------------------------------------------------------------------------

// Direct permissions of the page's descriptor: EL1 reads and writes (PXN), EL0 executes.
#define DIRECT_EL1 "rw"
#define DIRECT_EL0 "x"

PIE_TEST(without_tcr2_pie_permissions_are_direct)
{
	start(8, 8);
	EXPECT_RIGHTS(EL1, "r");
	write_reg(TCR2_EL1, 0);
	tlbi_all();
	EXPECT_RIGHTS(EL1, DIRECT_EL1);
	EXPECT_RIGHTS(EL0, DIRECT_EL0);
}

PIE_TEST(hcrx_tcr2en_makes_tcr2_el1_count)
{
	start(8, 8);
	write_reg(HCRX_EL2, 0);
	tlbi_all();
	EXPECT_RIGHTS(EL1, DIRECT_EL1);
	EXPECT_RIGHTS(EL0, DIRECT_EL0);
	write_reg(HCRX_EL2, HCRX_TCR2EN);
	tlbi_all();
	EXPECT_RIGHTS(EL1, "r");
	// Without SCR_EL3.HXEn HCRX_EL2 is as 0.
	write_sysreg(scr_el3, SCR_BASE | SCR_TCR2EN | SCR_PIEN);
	tlbi_all();
	EXPECT_RIGHTS(EL1, DIRECT_EL1);
}

PIE_TEST(hcrx_tcr2en_is_nothing_to_secure_el1_without_el2)
{
	map_tables(PT_PI(PAGE_INDEX));
	set_el1(8, 8);
	write_reg(TCR2_EL1, TCR2_PIE);
	write_reg(HCRX_EL2, 0);
	write_sysreg(scr_el3, (SCR_BASE & ~SCR_NS) | SCR_HXEN | SCR_TCR2EN | SCR_PIEN);
	stage1_on_el1(&tables);
	EXPECT_RIGHTS(EL1, "r");
	write_sysreg(scr_el3, (SCR_BASE & ~SCR_NS) | SCR_HXEN | SCR_PIEN);
	tlbi_all();
	EXPECT_RIGHTS(EL1, DIRECT_EL1);
}

PIE_TEST(scr_tcr2en_makes_tcr2_count_at_el1_and_el2)
{
	start(8, 8);
	write_sysreg(scr_el3, SCR_BASE | SCR_HXEN | SCR_PIEN);
	tlbi_all();
	EXPECT_RIGHTS(EL1, DIRECT_EL1);
	map_tables(PT_PI(PAGE_INDEX));
	write_reg(TCR2_EL2, TCR2_PIE);
	write_reg(PIR_EL2, CODE_PERM | PERM(PAGE_INDEX, 8));
	stage1_on_el2(&tables);
	EXPECT_RIGHTS_TO(EL2, EL2, "r");
	write_sysreg(scr_el3, SCR_BASE | SCR_HXEN | SCR_PIEN);
	tlbi_all();
	EXPECT_RIGHTS_TO(EL2, EL2, "rwx"); // PXN is not a bit of EL2
}

// It traps the registers, and nothing else. (Whether they are as 0 then is IMPLEMENTATION DEFINED.)
PIE_TEST(scr_pien_does_not_turn_permissions_off)
{
	QEMU_11_DIFFERS("takes the registers for 0, as it may");
	start(8, 8);
	write_sysreg(scr_el3, SCR_BASE | SCR_HXEN | SCR_TCR2EN);
	EXPECT_RIGHTS(EL1, "r");
	EXPECT_RIGHTS(EL0, "r");
}

// ---- The registers ------------------------------------------------------------------------------

static const struct sysreg el1_registers[] = {SYSREG(tcr2_el1, 3, 0, 2, 0, 3),
					      SYSREG(pire0_el1, 3, 0, 10, 2, 2),
					      SYSREG(pir_el1, 3, 0, 10, 2, 3)};
static const struct sysreg el2_registers[] = {SYSREG(tcr2_el2, 3, 4, 2, 0, 3),
					      SYSREG(pire0_el2, 3, 4, 10, 2, 2),
					      SYSREG(pir_el2, 3, 4, 10, 2, 3)};

PIE_TEST(tcr2_has_the_fields_of_what_there_is)
{
	uint64_t mmfr3 = read_reg(ID_AA64MMFR3_EL1);
	uint64_t fields = TCR2_PIE | (id_field(mmfr3, FIELD_S1POE) ? TCR2_POE | TCR2_E0POE : 0) |
			  (id_field(mmfr3, FIELD_AIE) ? TCR2_AIE : 0) |
			  (id_field(read_reg(ID_AA64MMFR4_EL1), FIELD_ASID2) ? TCR2_ASID2 : 0);

	permissions_reset();
	write_reg(TCR2_EL1, ~0ul);
	EXPECT_EQ(read_reg(TCR2_EL1), fields);
	write_reg(PIR_EL1, 0xfedcba9876543210);
	EXPECT_EQ(read_reg(PIR_EL1), 0xfedcba9876543210);
	write_reg(PIRE0_EL1, 0x123456789abcdef0);
	EXPECT_EQ(read_reg(PIRE0_EL1), 0x123456789abcdef0);
	EXPECT_EQ(read_reg(PIR_EL1), 0xfedcba9876543210);
}

PIE_TEST(sctlr2_has_the_field_of_mec_alone)
{
	uint64_t emec = id_field(read_reg(ID_AA64MMFR3_EL1), FIELD_MEC) ? BIT(1) : 0;

	permissions_reset();
	write_sysreg(S3_0_C1_C0_3, ~0ul);
	EXPECT_EQ(read_sysreg(S3_0_C1_C0_3), 0);
	write_sysreg(S3_4_C1_C0_3, ~0ul);
	EXPECT_EQ(read_sysreg(S3_4_C1_C0_3), emec);
	write_sysreg(S3_6_C1_C0_3, ~0ul);
	EXPECT_EQ(read_sysreg(S3_6_C1_C0_3), emec);
	write_sysreg(S3_4_C1_C0_3, 0);
	write_sysreg(S3_6_C1_C0_3, 0);
}

PIE_TEST(hcr_tvm_and_trvm_trap_the_registers)
{
	permissions_reset();
	FOR_EACH_REG(r, el1_registers)
	{
		write_sysreg(hcr_el2, HCR_BASE | HCR_TVM);
		EXPECT_TRAP(EL1, WRITE, *r, EL2);
		EXPECT_ACCESS(EL1, READ, *r);
		write_sysreg(hcr_el2, HCR_BASE | HCR_TRVM);
		EXPECT_TRAP(EL1, READ, *r, EL2);
		EXPECT_ACCESS(EL2, READ, *r);
	}
}

PIE_TEST(scr_el3_traps_the_registers)
{
	permissions_reset();
	for (unsigned i = 0; i < 3; i++) {
		uint64_t enable = i == 0 ? SCR_TCR2EN : SCR_PIEN;

		write_sysreg(scr_el3, (SCR_BASE | SCR_HXEN | SCR_TCR2EN | SCR_PIEN) & ~enable);
		EXPECT_TRAP(EL1, READ, el1_registers[i], EL3);
		EXPECT_TRAP(EL2, READ, el1_registers[i], EL3);
		EXPECT_TRAP(EL2, READ, el2_registers[i], EL3);
		EXPECT_ACCESS(EL3, READ, el2_registers[i]);
	}
}

SNIPPET(write_pir_el1, "msr S3_0_C10_C2_3, x0\n\tmsr S3_0_C10_C2_2, x1\n\tmsr S3_0_C2_C0_3, x2");
SNIPPET(read_el12, "mrs x0, S3_5_C10_C2_3\n\tmrs x1, S3_5_C10_C2_2\n\tmrs x2, S3_5_C2_C0_3");

PIE_TEST(names_of_el1_mean_el2_in_a_host)
{
	permissions_reset();
	write_reg(PIR_EL1, 0x111);
	write_reg(PIRE0_EL1, 0x222);
	write_reg(TCR2_EL1, TCR2_PIE);
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H);
	struct exc e = run_at(EL2, write_pir_el1, 0x333, 0x444, 0);

	EXPECT_NO_EXC(e);
	e = run_at(EL2, read_el12);
	EXPECT_REG(e, 0, 0x111);
	EXPECT_REG(e, 1, 0x222);
	EXPECT_REG(e, 2, TCR2_PIE);
	EXPECT_EQ(read_reg(PIR_EL2), 0x333);
	EXPECT_EQ(read_reg(PIRE0_EL2), 0x444);
	EXPECT_EQ(read_reg(PIR_EL1), 0x111);
}
