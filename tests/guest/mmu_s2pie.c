// SPDX-License-Identifier: Apache-2.0
//
// mmu_s2pie.c - stage-2 indirect permissions and overlays (FEAT_S2PIE, FEAT_S2POE): what the
// entries of S2PIR_EL2 give to EL1, EL0 and the walks of stage 1, what those of S2POR_EL1 take
// away, dirty state, and how faults tell of it.

#include "emit.h"
#include "pie.h"

#define S2PIE_TEST(name) PERM_TEST(FIELD_S2PIE, name)

SNIPPET(add_x0, "ldadd x1, x2, [x0]");
SNIPPET(at_s12e1r, "at s12e1r, x0\n\tisb\n\tmrs x0, par_el1");
SNIPPET(at_s12e1w, "at s12e1w, x0\n\tisb\n\tmrs x0, par_el1");
SNIPPET(at_s12e0r, "at s12e0r, x0\n\tisb\n\tmrs x0, par_el1");

// LDR X1 and STR X1.
#define ISS_X1 (ISS_ISV | ISS_SAS(3) | ISS_SF | ISS_SRT(1))
#define HPFAR_OF(ipa) ((uint64_t)(ipa) >> 12 << 4)
// map_guest_code_stage2() gives code the index 1; the image's other pages have this one.
#define IMAGE_INDEX 2u
#define S2_CODE_PERM PERM(1, 0xb)

static struct pgtable s1, s2;
static uint64_t *page; // its descriptor of stage 2
static uint64_t *s1_page; // and of stage 1

// By entry: r, w; x at EL1, u at EL0; m: walks of stage 1 may write.
static const char *const entries[16] = {"",  "",   "rm", "rm",  "w",   "",     "rm",   "rm",
					"r", "ru", "rx", "rxu", "rwm", "rwum", "rwxm", "rwxum"};

static bool has(const char *letters, char c)
{
	for (; *letters; letters++) {
		if (*letters == c) {
			return true;
		}
	}
	return false;
}

static void start_with(uint64_t attrs)
{
	permissions_reset();
	pgtable_init_stage2(&s2, 12, 40, 1);
	map_guest_code_stage2(&s2);
	map_page(&s2, PAGE_VA, (uint64_t)scratch[4], S2_NORMAL | attrs, 3);
	page = pgtable_entry(&s2, PAGE_VA, 3);
	stage2_on(&s2);
	write_sysreg(vtcr_el2, vtcr_value(&s2) | VTCR_S2PIE);
	tlbi_all();
}

static void set_without_tlbi(unsigned value)
{
	write_reg(S2PIR_EL2, S2_CODE_PERM | PERM(IMAGE_INDEX, 0xc) | PERM(PAGE_INDEX, value));
}

static void set(unsigned value)
{
	set_without_tlbi(value);
	tlbi_all();
}

static void start(unsigned value)
{
	start_with(PT_PI(PAGE_INDEX) | S2_DIRTY);
	set(value);
}

static void expect_s2(int line, const char *what, const struct exc *e, bool allowed, uint64_t ec,
		      uint64_t iss)
{
	if (allowed) {
		guest_expect_no_exc(what, line, e);
		return;
	}
	expect_abort(line, e, EL2, ec, iss | FSC_PERMISSION(3), PAGE_VA);
	guest_expect_eq(what, line, "HPFAR", e->hpfar, HPFAR_OF(PAGE_VA));
}

static void expect_entry(int line, enum el el, const char *letters)
{
	struct exc r = run_at(el, load_x0, PAGE_VA);
	struct exc w = run_at(el, store_x0, PAGE_VA, INSN_RET);
	struct exc x = run_at(el, call_x0, PAGE_VA);

	expect_s2(line, "read", &r, has(letters, 'r'), EC_DABT_LOWER, ISS_X1);
	expect_s2(line, "write", &w, has(letters, 'w'), EC_DABT_LOWER, ISS_X1 | ISS_WNR);
	expect_s2(line, "exec", &x, has(letters, el == EL0 ? 'u' : 'x'), EC_IABT_LOWER, 0);
}

#define EXPECT_ENTRY(el, letters) expect_entry(__LINE__, el, letters)

// ---- The entries --------------------------------------------------------------------------------

S2PIE_TEST(each_entry_at_el1)
{
	start(0);
	for (unsigned n = 0; n < 16; n++) {
		set(n);
		EXPECT_ENTRY(EL1, entries[n]);
	}
}

S2PIE_TEST(each_entry_at_el0)
{
	start(0);
	for (unsigned n = 0; n < 16; n++) {
		set(n);
		EXPECT_ENTRY(EL0, entries[n]);
	}
}

S2PIE_TEST(the_index_is_bits_54_53_51_and_6)
{
	for (unsigned n = 0; n < 16; n++) {
		if (n == 1) {
			continue; // code
		}
		start_with(PT_PI(n) | S2_DIRTY);
		for (unsigned k = 0; k < 16; k++) {
			if (k != 1) {
				write_pir(S2PIR_EL2, S2_CODE_PERM | PERM(k, 0xc));
				EXPECT_ENTRY(EL1, k == n ? "rw" : "");
			}
		}
	}
}

S2PIE_TEST(write_only_memory)
{
	start(4);
	EXPECT_ENTRY(EL1, "w");
	struct exc add = run_at(EL1, add_x0, PAGE_VA);

	EXPECT_MASKED(add.esr, ISS_WNR | 0x3f, FSC_PERMISSION(3));
	EXPECT_EQ(add.el, EL2);
}

S2PIE_TEST(a_fault_has_the_level_of_the_block)
{
	const uint64_t block = 0xc0000000;

	for (int level = 1; level <= 2; level++) {
		start(0);
		map_page(&s2, block, 0x40000000, S2_NORMAL | PT_PI(PAGE_INDEX) | S2_DIRTY, level);
		tlbi_all();
		struct exc e = run_at(EL1, load_x0, block + 0x1238);

		EXPECT_ABORT(e, EL2, EC_DABT_LOWER, ISS_X1 | FSC_PERMISSION(level), block + 0x1238);
	}
}

S2PIE_TEST(without_s2pie_permissions_are_direct)
{
	start(0);
	EXPECT_ENTRY(EL1, "");
	// The index 4 is "execute never at EL1" and no right to read; Dirty is the right to write.
	write_sysreg(vtcr_el2, vtcr_value(&s2));
	tlbi_all();
	EXPECT_ENTRY(EL1, "w");
}

// A PE may keep the register in its TLB; Strata does not.
S2PIE_TEST(changes_need_no_tlbi)
{
	QEMU_11_DIFFERS("keeps it in its TLB, as it may");
	start(0);
	for (unsigned i = 0; i < 8; i++) {
		set_without_tlbi(0xc);
		EXPECT_ENTRY(EL1, "rw");
		set_without_tlbi(0xb);
		EXPECT_ENTRY(EL1, "rx");
		EXPECT_ENTRY(EL0, "ru");
		set_without_tlbi(0);
		EXPECT_ENTRY(EL1, "");
	}
}

// TCR2_EL1 and what lets it count have nothing to do with stage 2.
S2PIE_TEST(tcr2en_does_not_matter)
{
	start(8);
	write_reg(HCRX_EL2, 0);
	write_sysreg(scr_el3, SCR_BASE | SCR_PIEN);
	tlbi_all();
	EXPECT_ENTRY(EL1, "r");
}

// It traps the register, and nothing else. (Whether it is as 0 then is IMPLEMENTATION DEFINED.)
S2PIE_TEST(scr_pien_does_not_turn_permissions_off)
{
	QEMU_11_DIFFERS("takes the register for 0, as it may");
	start(8);
	write_sysreg(scr_el3, SCR_BASE | SCR_HXEN | SCR_TCR2EN);
	tlbi_all();
	EXPECT_ENTRY(EL1, "r");
}

// ---- Dirty state --------------------------------------------------------------------------------

S2PIE_TEST(a_write_to_clean_memory_is_told_to_software)
{
	QEMU_11_DIFFERS("knows no dirty state of indirect permissions");
	start_with(PT_PI(PAGE_INDEX));
	set(0xc);
	struct exc r = run_at(EL1, load_x0, PAGE_VA);
	struct exc w = run_at(EL1, store_x0, PAGE_VA, 1);
	struct exc w0 = run_at(EL0, store_x0, PAGE_VA, 1);

	EXPECT_NO_EXC(r);
	expect_s2(__LINE__, "EL1", &w, false, EC_DABT_LOWER, ISS2_DIRTY | ISS_X1 | ISS_WNR);
	expect_s2(__LINE__, "EL0", &w0, false, EC_DABT_LOWER, ISS2_DIRTY | ISS_X1 | ISS_WNR);
	set(8);
	w = run_at(EL1, store_x0, PAGE_VA, 1);
	expect_s2(__LINE__, "RO", &w, false, EC_DABT_LOWER, ISS_X1 | ISS_WNR);
	*page |= S2_DIRTY;
	set(0xc);
	tlbi_all();
	w = run_at(EL1, store_x0, PAGE_VA, 1);
	EXPECT_NO_EXC(w);
}

S2PIE_TEST(hardware_makes_memory_dirty)
{
	QEMU_11_DIFFERS("knows no dirty state of indirect permissions");
	for (unsigned n = 4; n < 8; n++) {
		start_with(PT_PI(n));
		write_pir(S2PIR_EL2, S2_CODE_PERM | PERM(n, 0xc));
		write_sysreg(vtcr_el2, vtcr_value(&s2) | VTCR_S2PIE | VTCR_HA | VTCR_HD);
		tlbi_all();
		uint64_t before = *page;
		struct exc r = run_at(EL1, load_x0, PAGE_VA);

		EXPECT_NO_EXC(r);
		EXPECT_EQ(*page, before);
		struct exc w = run_at(EL1, store_x0, PAGE_VA, 1);

		EXPECT_NO_EXC(w);
		EXPECT_EQ(*page, before | S2_DIRTY);
	}
}

S2PIE_TEST(a_denied_write_makes_nothing_dirty)
{
	start_with(PT_PI(PAGE_INDEX));
	set(8);
	write_sysreg(vtcr_el2, vtcr_value(&s2) | VTCR_S2PIE | VTCR_HA | VTCR_HD);
	tlbi_all();
	EXPECT_ENTRY(EL1, "r");
	EXPECT_EQ(*page & S2_DIRTY, 0);
}

S2PIE_TEST(the_access_flag_comes_before_permissions)
{
	start(0);
	*page &= ~PT_AF;
	tlbi_all();
	struct exc e = run_at(EL1, load_x0, PAGE_VA);

	EXPECT_ABORT(e, EL2, EC_DABT_LOWER, ISS_X1 | FSC_ACCESS(3), PAGE_VA);
	set(8);
	write_sysreg(vtcr_el2, vtcr_value(&s2) | VTCR_S2PIE | VTCR_HA);
	tlbi_all();
	e = run_at(EL1, load_x0, PAGE_VA);
	EXPECT_NO_EXC(e);
	EXPECT_EQ(*page & PT_AF, PT_AF);
}

static uint64_t par_of(const char *snippet)
{
	struct exc e = run_at(EL2, snippet, PAGE_VA);

	EXPECT_NO_EXC(e);
	return e.x[0];
}

#define PAR_PERMISSION_3 (BIT(11) | BIT(9) | FSC_PERMISSION(3) << 1 | 1)

S2PIE_TEST(address_translation_instructions_go_by_the_entries)
{
	QEMU_11_DIFFERS("knows no dirty state of indirect permissions");
	start_with(PT_PI(PAGE_INDEX));
	set(0xc);
	EXPECT_EQ(par_of(at_s12e1r) & 1, 0);
	EXPECT_EQ(par_of(at_s12e0r) & 1, 0);
	EXPECT_EQ(par_of(at_s12e1w), PAR_PERMISSION_3 | PAR_DIRTY);
	set(4);
	EXPECT_EQ(par_of(at_s12e1r), PAR_PERMISSION_3);
	set(8);
	EXPECT_EQ(par_of(at_s12e1w), PAR_PERMISSION_3);
}

// ---- Walks of stage 1 ---------------------------------------------------------------------------

// Stage 1 of EL1 over the image's pages, with one page of stage 1 on its own in a table that has
// the index under test.
static void start_two_stages(uint64_t table_attrs, unsigned value)
{
	start_with(PT_PI(IMAGE_INDEX) | S2_DIRTY);
	pgtable_init(&s1, 12, 39);
	map_guest_code(&s1);
	map_page(&s1, PAGE_VA, PAGE_VA, PT_NORMAL | PT_AP_RW_ALL, 3);
	s1_page = pgtable_entry(&s1, PAGE_VA, 3);
	// Everything from the image's start on to where its tables are.
	for (uint64_t at = (uint64_t)image_start; at < (uint64_t)image_end + (4ul << 20);
	     at += 4096) {
		bool code = (at >= (uint64_t)vectors_start && at < (uint64_t)vectors_end) ||
			    (at >= (uint64_t)snippets_start && at < (uint64_t)snippets_end);
		bool table = at == ((uint64_t)s1_page & ~0xffful);

		if (!code) {
			map_page(&s2, at, at,
				 S2_NORMAL | (table ? PT_PI(PAGE_INDEX) | table_attrs
						    : PT_PI(IMAGE_INDEX) | S2_DIRTY),
				 3);
		}
	}
	set(value);
	stage1_on_el1(&s1);
}

#define TABLE_IPA ((uint64_t)s1_page & ~0xffful)

static void expect_walk_fault(int line, const struct exc *e, uint64_t iss)
{
	expect_abort(line, e, EL2, EC_DABT_LOWER, iss | ISS_S1PTW | FSC_PERMISSION(3), PAGE_VA);
	guest_expect_eq("walk", line, "HPFAR", e->hpfar, HPFAR_OF(TABLE_IPA));
}

// With each entry, which `use` puts into its register; ISS bits of what is denied.
static void expect_walks_to_read(void (*use)(unsigned value), uint64_t iss)
{
	for (unsigned n = 0; n < 16; n++) {
		use(n);
		tlbi_all();
		struct exc e = run_at(EL1, load_x0, PAGE_VA);

		if (has(entries[n], 'r')) {
			EXPECT_NO_EXC(e);
		} else {
			expect_walk_fault(__LINE__, &e, iss);
		}
	}
}

static void expect_walks_to_write(void (*use)(unsigned value), uint64_t iss)
{
	write_sysreg(tcr_el1, read_sysreg(tcr_el1) | TCR_HA | TCR_HD);
	for (unsigned n = 0; n < 16; n++) {
		*s1_page &= ~PT_AF;
		use(n);
		tlbi_all();
		struct exc e = run_at(EL1, load_x0, PAGE_VA);

		if (has(entries[n], 'm')) {
			EXPECT_NO_EXC(e);
			EXPECT_EQ(*s1_page & PT_AF, PT_AF);
		} else {
			EXPECT_EQ(e.el, EL2);
			EXPECT_MASKED(e.esr, ISS2_OVERLAY | ISS_S1PTW | 0x3f,
				      iss | ISS_S1PTW | FSC_PERMISSION(3));
			EXPECT_EQ(*s1_page & PT_AF, 0);
		}
	}
}

S2PIE_TEST(walks_of_stage_1_read_by_the_entries)
{
	start_two_stages(S2_DIRTY, 0xc);
	expect_walks_to_read(set, 0);
}

// Mostly read-only memory: stores are denied, hardware updates of stage 1 are not.
S2PIE_TEST(walks_of_stage_1_write_by_the_entries)
{
	start_two_stages(S2_DIRTY, 0xc);
	expect_walks_to_write(set, 0);
}

S2PIE_TEST(mostly_read_only_memory_is_not_written_by_stores)
{
	start(0);
	for (unsigned n = 2; n < 8; n++) {
		if (n == 4 || n == 5) {
			continue;
		}
		set(n);
		EXPECT_ENTRY(EL1, "r");
		EXPECT_ENTRY(EL0, "r");
	}
}

S2PIE_TEST(updates_of_stage_1_make_tables_dirty)
{
	QEMU_11_DIFFERS("knows no dirty state of indirect permissions");
	start_two_stages(0, 2);
	uint64_t *table = pgtable_entry(&s2, TABLE_IPA, 3);

	write_sysreg(tcr_el1, read_sysreg(tcr_el1) | TCR_HA);
	*s1_page &= ~PT_AF;
	tlbi_all();
	struct exc e = run_at(EL1, load_x0, PAGE_VA);

	EXPECT_EQ(e.el, EL2);
	EXPECT_MASKED(e.esr, ISS2_DIRTY | ISS_S1PTW | 0x3f,
		      ISS2_DIRTY | ISS_S1PTW | FSC_PERMISSION(3));
	EXPECT_EQ(*table & S2_DIRTY, 0);
	write_sysreg(vtcr_el2, vtcr_value(&s2) | VTCR_S2PIE | VTCR_HA | VTCR_HD);
	tlbi_all();
	e = run_at(EL1, load_x0, PAGE_VA);
	EXPECT_NO_EXC(e);
	EXPECT_EQ(*table & S2_DIRTY, S2_DIRTY);
	EXPECT_EQ(*s1_page & PT_AF, PT_AF);
}

// ---- Both stages --------------------------------------------------------------------------------

S2PIE_TEST(stage_1_is_asked_first)
{
	start_two_stages(S2_DIRTY, 0xc);
	*s1_page = (*s1_page & ~PT_PI(15)) | PT_PI(PAGE_INDEX);
	*page = (*page & ~PT_PI(15)) | PT_PI(5);
	*s1_page &= ~PT_NDIRTY;
	write_reg(PIR_EL1, CODE_PERM | PERM(PAGE_INDEX, 8));
	write_reg(PIRE0_EL1, CODE_PERM);
	write_reg(TCR2_EL1, TCR2_PIE);
	write_pir(S2PIR_EL2, S2_CODE_PERM | PERM(IMAGE_INDEX, 0xc) | PERM(PAGE_INDEX, 0xc));
	tlbi_all();
	struct exc r = run_at(EL1, load_x0, PAGE_VA);
	struct exc w = run_at(EL1, store_x0, PAGE_VA, 1);

	expect_s2(__LINE__, "read", &r, false, EC_DABT_LOWER, ISS_X1);
	EXPECT_ABORT(w, EL1, EC_DABT_SAME, ISS_WNR | FSC_PERMISSION(3), PAGE_VA);
	write_reg(PIR_EL1, CODE_PERM | PERM(PAGE_INDEX, 0xc));
	w = run_at(EL1, store_x0, PAGE_VA, 1);
	expect_s2(__LINE__, "write", &w, false, EC_DABT_LOWER, ISS_X1 | ISS_WNR);
	write_pir(S2PIR_EL2,
		  S2_CODE_PERM | PERM(IMAGE_INDEX, 0xc) | PERM(PAGE_INDEX, 0xc) | PERM(5, 0xc));
	w = run_at(EL1, store_x0, PAGE_VA, 1);
	EXPECT_NO_EXC(w);
}

S2PIE_TEST(both_stages_have_their_dirty_state)
{
	QEMU_11_DIFFERS("knows no dirty state of indirect permissions");
	start_two_stages(S2_DIRTY, 0xc);
	*s1_page = (*s1_page & ~PT_PI(15)) | PT_PI(PAGE_INDEX) | PT_NDIRTY;
	*page &= ~S2_DIRTY;
	write_reg(PIR_EL1, CODE_PERM | PERM(PAGE_INDEX, 0xc));
	write_reg(PIRE0_EL1, CODE_PERM);
	write_reg(TCR2_EL1, TCR2_PIE);
	tlbi_all();
	struct exc w = run_at(EL1, store_x0, PAGE_VA, 1);

	EXPECT_ABORT(w, EL1, EC_DABT_SAME, ISS2_DIRTY | ISS_WNR | FSC_PERMISSION(3), PAGE_VA);
	write_sysreg(tcr_el1, read_sysreg(tcr_el1) | TCR_HA | TCR_HD);
	tlbi_all();
	w = run_at(EL1, store_x0, PAGE_VA, 1);
	expect_s2(__LINE__, "write", &w, false, EC_DABT_LOWER, ISS2_DIRTY | ISS_X1 | ISS_WNR);
	// Stage 1 had said yes: its descriptor is dirty.
	EXPECT_EQ(*s1_page & PT_NDIRTY, 0);
	write_sysreg(vtcr_el2, vtcr_value(&s2) | VTCR_S2PIE | VTCR_HA | VTCR_HD);
	tlbi_all();
	w = run_at(EL1, store_x0, PAGE_VA, 1);
	EXPECT_NO_EXC(w);
	EXPECT_EQ(*page & S2_DIRTY, S2_DIRTY);
}

// ---- The register -------------------------------------------------------------------------------

static const struct sysreg s2pir = SYSREG(s2pir_el2, 3, 4, 10, 2, 5);

S2PIE_TEST(s2pir_el2_is_of_el2_and_above)
{
	permissions_reset();
	write_pir(S2PIR_EL2, 0xfedcba9876543210);
	EXPECT_EQ(read_reg(S2PIR_EL2), 0xfedcba9876543210);
	EXPECT_UNDEFINED(EL1, READ, s2pir, EL1);
	EXPECT_ACCESS(EL2, READ, s2pir);
	write_sysreg(scr_el3, SCR_BASE | SCR_HXEN | SCR_TCR2EN);
	EXPECT_TRAP(EL2, READ, s2pir, EL3);
	EXPECT_TRAP(EL2, WRITE, s2pir, EL3);
	EXPECT_ACCESS(EL3, READ, s2pir);
}

// ---- Overlays -----------------------------------------------------------------------------------

#define S2POE_TEST(name) PERM_TEST(FIELD_S2POE, name)

// Everything but the page under test has the index 0, which takes nothing away.
#define REST_OVERLAY PERM(0, 0xf)
#define OVERLAY_INDEX 9u

static void overlay(unsigned value)
{
	write_reg(S2POR_EL1, REST_OVERLAY | PERM(OVERLAY_INDEX, value));
	__asm__ volatile("isb");
}

static void start_overlaid(unsigned base, unsigned value)
{
	start_with(PT_PI(PAGE_INDEX) | S2_DIRTY | S2_PO(OVERLAY_INDEX));
	write_sysreg(vtcr_el2, vtcr_value(&s2) | VTCR_S2PIE | VTCR_S2POE);
	overlay(value);
	set(base);
}

// The overlay is asked before the base permissions, and the fault tells of it.
static void expect_overlaid_one(int line, const char *what, const struct exc *e, const char *base,
				const char *over, char letter, uint64_t ec, uint64_t iss)
{
	expect_s2(line, what, e, has(base, letter) && has(over, letter), ec,
		  iss | (has(over, letter) ? 0 : ISS2_OVERLAY));
}

static void expect_overlaid(int line, enum el el, const char *base, const char *over)
{
	struct exc r = run_at(el, load_x0, PAGE_VA);
	struct exc w = run_at(el, store_x0, PAGE_VA, INSN_RET);
	struct exc x = run_at(el, call_x0, PAGE_VA);

	expect_overlaid_one(line, "read", &r, base, over, 'r', EC_DABT_LOWER, ISS_X1);
	expect_overlaid_one(line, "write", &w, base, over, 'w', EC_DABT_LOWER, ISS_X1 | ISS_WNR);
	expect_overlaid_one(line, "exec", &x, base, over, el == EL0 ? 'u' : 'x', EC_IABT_LOWER, 0);
}

#define EXPECT_S2_OVERLAID(el, base, over) expect_overlaid(__LINE__, el, base, over)

S2POE_TEST(an_access_needs_both_permissions)
{
	start_overlaid(0, 0);
	for (unsigned base = 0; base < 16; base++) {
		set(base);
		for (unsigned n = 0; n < 16; n++) {
			overlay(n);
			EXPECT_S2_OVERLAID(EL1, entries[base], entries[n]);
			EXPECT_S2_OVERLAID(EL0, entries[base], entries[n]);
		}
	}
}

S2POE_TEST(the_index_of_the_overlay_is_bits_62_to_59)
{
	for (unsigned n = 1; n < 16; n++) {
		start_with(PT_PI(PAGE_INDEX) | S2_DIRTY | S2_PO(n));
		write_sysreg(vtcr_el2, vtcr_value(&s2) | VTCR_S2PIE | VTCR_S2POE);
		set(0xf);
		for (unsigned k = 1; k < 16; k++) {
			write_reg(S2POR_EL1, REST_OVERLAY | PERM(k, 0xc));
			EXPECT_S2_OVERLAID(EL1, "rwxu", k == n ? "rw" : "");
		}
	}
}

S2POE_TEST(overlays_are_not_kept_in_a_tlb)
{
	start_overlaid(0xf, 0xf);
	for (unsigned i = 0; i < 4; i++) {
		EXPECT_S2_OVERLAID(EL1, "rwxu", "rwxu");
		overlay(8);
		EXPECT_S2_OVERLAID(EL1, "rwxu", "r");
		overlay(0xa);
		EXPECT_S2_OVERLAID(EL1, "rwxu", "rx");
		overlay(0);
		EXPECT_S2_OVERLAID(EL0, "rwxu", "");
		overlay(0xf);
	}
}

// EL1 writes the register itself.
SNIPPET(overlay_and_load, "msr S3_0_C10_C2_5, x1\n\tisb\n\tldr x1, [x0]");
S2POE_TEST(el1_takes_its_own_rights_away)
{
	start_overlaid(0xf, 0xf);
	struct exc e = run_at(EL1, overlay_and_load, PAGE_VA, REST_OVERLAY);

	expect_s2(__LINE__, "read", &e, false, EC_DABT_LOWER, ISS2_OVERLAY | ISS_X1);
	e = run_at(EL1, overlay_and_load, PAGE_VA, REST_OVERLAY | PERM(OVERLAY_INDEX, 8));
	EXPECT_NO_EXC(e);
}

S2POE_TEST(without_s2poe_there_are_no_overlays)
{
	start_overlaid(0xf, 0);
	write_sysreg(vtcr_el2, vtcr_value(&s2) | VTCR_S2PIE);
	tlbi_all();
	EXPECT_ENTRY(EL1, "rwx");
}

S2POE_TEST(direct_permissions_have_no_overlays)
{
	start_overlaid(0xf, 0);
	// The index 4 is "execute never at EL1" and no right to read; Dirty is the right to write.
	write_sysreg(vtcr_el2, vtcr_value(&s2) | VTCR_S2POE);
	tlbi_all();
	EXPECT_ENTRY(EL1, "w");
}

S2POE_TEST(an_overlay_comes_before_dirty_state)
{
	start_overlaid(0xc, 8);
	*page &= ~S2_DIRTY;
	tlbi_all();
	struct exc w = run_at(EL1, store_x0, PAGE_VA, 1);

	expect_s2(__LINE__, "overlay", &w, false, EC_DABT_LOWER, ISS2_OVERLAY | ISS_X1 | ISS_WNR);
	overlay(0xc);
	w = run_at(EL1, store_x0, PAGE_VA, 1);
	expect_s2(__LINE__, "dirty", &w, false, EC_DABT_LOWER, ISS2_DIRTY | ISS_X1 | ISS_WNR);
	overlay(8);
	write_sysreg(vtcr_el2, vtcr_value(&s2) | VTCR_S2PIE | VTCR_S2POE | VTCR_HA | VTCR_HD);
	tlbi_all();
	w = run_at(EL1, store_x0, PAGE_VA, 1);
	expect_s2(__LINE__, "hardware", &w, false, EC_DABT_LOWER, ISS2_OVERLAY | ISS_X1 | ISS_WNR);
	EXPECT_EQ(*page & S2_DIRTY, 0);
}

// Read and write: the read is asked first, of the overlay and then of the base permissions.
S2POE_TEST(an_atomic_is_told_by_what_lacks_first)
{
	start_overlaid(4, 8);
	struct exc add = run_at(EL1, add_x0, PAGE_VA);

	EXPECT_MASKED(add.esr, ISS2_OVERLAY | ISS_WNR | 0x3f,
		      ISS2_OVERLAY | ISS_WNR | FSC_PERMISSION(3));
	overlay(4);
	add = run_at(EL1, add_x0, PAGE_VA);
	EXPECT_MASKED(add.esr, ISS2_OVERLAY | ISS_WNR | 0x3f, ISS2_OVERLAY | FSC_PERMISSION(3));
	overlay(0xc);
	add = run_at(EL1, add_x0, PAGE_VA);
	EXPECT_MASKED(add.esr, ISS2_OVERLAY | ISS_WNR | 0x3f, FSC_PERMISSION(3));
}

S2POE_TEST(address_translation_tells_of_overlays)
{
	start_overlaid(0xf, 8);
	EXPECT_EQ(par_of(at_s12e1r) & 1, 0);
	EXPECT_EQ(par_of(at_s12e1w), PAR_PERMISSION_3 | PAR_OVERLAY);
	overlay(4);
	EXPECT_EQ(par_of(at_s12e1r), PAR_PERMISSION_3 | PAR_OVERLAY);
	set(8);
	overlay(0xf);
	EXPECT_EQ(par_of(at_s12e1w), PAR_PERMISSION_3);
}

S2POE_TEST(walks_of_stage_1_need_both_permissions)
{
	start_two_stages(S2_DIRTY | S2_PO(OVERLAY_INDEX), 0xc);
	write_sysreg(vtcr_el2, vtcr_value(&s2) | VTCR_S2PIE | VTCR_S2POE);
	expect_walks_to_read(overlay, ISS2_OVERLAY);
	expect_walks_to_write(overlay, ISS2_OVERLAY);
}
