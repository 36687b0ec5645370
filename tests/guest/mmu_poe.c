// SPDX-License-Identifier: Apache-2.0
//
// mmu_poe.c - stage-1 permission overlays (FEAT_S1POE): what the fields of POR_ELx take away and
// what they leave, over indirect and direct permissions; which accesses ask which register; how
// faults tell of it; and who may use the registers.

#include "emit.h"
#include "pie.h"

#define POE_TEST(name) PERM_TEST(FIELD_S1POE, name)

SNIPPET(load_unprivileged, "ldtr x1, [x0]");
SNIPPET(store_unprivileged, "sttr x1, [x0]");
SNIPPET(add_x0, "ldadd x1, x2, [x0]");
SNIPPET(pair_x0, "stp x1, x1, [x0]");
SNIPPET(invalidate_x0, "dc ivac, x0");
SNIPPET(clean_x0, "dc cvac, x0");
SNIPPET(at_s1e0r, "at s1e0r, x0\n\tisb\n\tmrs x0, par_el1");
SNIPPET(at_s1e1r, "at s1e1r, x0\n\tisb\n\tmrs x0, par_el1");
SNIPPET(at_s1e1w, "at s1e1w, x0\n\tisb\n\tmrs x0, par_el1");

static struct pgtable tables;
static uint64_t *page; // its descriptor

static const char *const overlays[16] = {"", "r", "x", "rx", "w", "rw", "wx", "rwx",
					 "", "",  "",  "",   "",  "",   "",   ""};

static void map_tables(uint64_t attrs)
{
	permissions_reset();
	write_sysreg(cpacr_el1, CPACR_BASE | CPACR_E0POE);
	pgtable_init(&tables, 12, 39);
	map_guest_code(&tables);
	map_page(&tables, PAGE_VA, (uint64_t)scratch[4], PT_NORMAL | attrs, 3);
	page = pgtable_entry(&tables, PAGE_VA, 3);
}

static void set_base(unsigned priv, unsigned el0)
{
	write_reg(PIR_EL1, CODE_PERM | PERM(PAGE_INDEX, priv));
	write_reg(PIRE0_EL1, CODE_PERM | PERM(PAGE_INDEX, el0));
}

static void set_overlays(unsigned priv, unsigned el0)
{
	write_reg(POR_EL1, PERM(PAGE_OVERLAY, priv));
	write_reg(POR_EL0, PERM(PAGE_OVERLAY, el0));
}

#define PAGE_ATTRS (PT_PI(PAGE_INDEX) | PT_PO(PAGE_OVERLAY))

static void start_with(uint64_t attrs, unsigned priv, unsigned el0)
{
	map_tables(attrs);
	set_base(priv, el0);
	set_overlays(7, 7);
	write_reg(TCR2_EL1, TCR2_PIE | TCR2_POE | TCR2_E0POE);
	stage1_on_el1(&tables);
}

static void start(unsigned priv, unsigned el0)
{
	start_with(PAGE_ATTRS, priv, el0);
}

// ---- The fields ---------------------------------------------------------------------------------

POE_TEST(each_value_of_por_el1)
{
	start(7, 0);
	for (unsigned n = 0; n < 16; n++) {
		set_overlays(n, 0);
		EXPECT_OVERLAID(EL1, overlays[n]);
	}
}

POE_TEST(each_value_of_por_el0)
{
	start(0, 7);
	for (unsigned n = 0; n < 16; n++) {
		set_overlays(0, n);
		EXPECT_OVERLAID(EL0, overlays[n]);
	}
}

POE_TEST(the_index_is_bits_62_to_60)
{
	for (unsigned n = 0; n < 8; n++) {
		start_with(PT_PI(PAGE_INDEX) | PT_PO(n), 5, 0);
		for (unsigned k = 0; k < 16; k++) {
			write_reg(POR_EL1, PERM(k, 5));
			struct exc r = run_at(EL1, load_x0, PAGE_VA);

			if (k == n) {
				EXPECT_NO_EXC(r);
			} else {
				EXPECT_ABORT(r, EL1, EC_DABT_SAME, ISS2_OVERLAY | FSC_PERMISSION(3),
					     PAGE_VA);
			}
		}
	}
}

POE_TEST(an_overlay_gives_nothing)
{
	start(1, 2);
	EXPECT_RIGHTS(EL1, "r");
	EXPECT_RIGHTS(EL0, "x");
	set_base(0, 0);
	EXPECT_RIGHTS(EL1, "");
	EXPECT_RIGHTS(EL0, "");
}

// Entries with their highest bit set are out of reach of overlays.
POE_TEST(base_permissions_without_overlay)
{
	start(0, 0);
	set_overlays(0, 0);
	set_base(0xe, 0);
	EXPECT_RIGHTS(EL1, "rwx");
	set_base(0xc, 8);
	EXPECT_RIGHTS(EL1, "rw");
	EXPECT_RIGHTS(EL0, "r");
	set_base(8, 0xe);
	EXPECT_RIGHTS(EL1, "r");
	EXPECT_RIGHTS(EL0, "rwx");
}

// Read, write, and execute unless the overlay lets it execute, which then takes writing.
POE_TEST(write_and_execute_exclude_each_other_in_entry_6)
{
	start(6, 0);
	set_overlays(7, 0);
	expect_rights(__LINE__, EL1, 0, EL1, CAN_READ | CAN_EXEC, CAN_WRITE);
	set_overlays(5, 0);
	expect_rights(__LINE__, EL1, 0, EL1, CAN_READ | CAN_WRITE, CAN_EXEC);
	set_overlays(3, 0);
	expect_rights(__LINE__, EL1, 0, EL1, CAN_READ | CAN_EXEC, CAN_WRITE);
	set_base(0, 6);
	set_overlays(0, 7);
	expect_rights(__LINE__, EL0, 0, EL1, CAN_READ | CAN_EXEC, CAN_WRITE);
	write_reg(TCR2_EL1, TCR2_PIE);
	tlbi_all();
	EXPECT_RIGHTS(EL0, "rw");
}

// ---- Which register -----------------------------------------------------------------------------

POE_TEST(poe_is_of_el1_and_e0poe_of_el0)
{
	start(5, 5);
	set_overlays(0, 0);
	for (unsigned enables = 0; enables < 4; enables++) {
		write_reg(TCR2_EL1,
			  TCR2_PIE | (enables & 1 ? TCR2_POE : 0) | (enables & 2 ? TCR2_E0POE : 0));
		tlbi_all();
		// Nothing executes: that is of the base permissions.
		expect_rights(__LINE__, EL1, 0, EL1, enables & 1 ? 0 : CAN_READ | CAN_WRITE,
			      enables & 1 ? CAN_ALL : 0);
		expect_rights(__LINE__, EL0, 0, EL1, enables & 2 ? 0 : CAN_READ | CAN_WRITE,
			      enables & 2 ? CAN_ALL : 0);
	}
}

POE_TEST(unprivileged_loads_and_stores_go_by_por_el0)
{
	start(5, 5);
	set_overlays(0, 1);
	struct exc r = run_at(EL1, load_unprivileged, PAGE_VA);
	struct exc w = run_at(EL1, store_unprivileged, PAGE_VA, 1);

	EXPECT_NO_EXC(r);
	EXPECT_ABORT(w, EL1, EC_DABT_SAME, ISS2_OVERLAY | ISS_WNR | FSC_PERMISSION(3), PAGE_VA);
	set_overlays(5, 0);
	w = run_at_spsr(guest_spsr(EL1) | SPSR_UAO, store_unprivileged, PAGE_VA, 1);
	EXPECT_NO_EXC(w);
	r = run_at(EL1, load_unprivileged, PAGE_VA);
	EXPECT_ABORT(r, EL1, EC_DABT_SAME, ISS2_OVERLAY | FSC_PERMISSION(3), PAGE_VA);
	set_overlays(0, 5);
	w = run_at(EL1, store_unprivileged, PAGE_VA, 1);
	EXPECT_NO_EXC(w);
}

POE_TEST(a_host_has_por_el2_and_por_el0)
{
	map_tables(PAGE_ATTRS);
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H | HCR_TGE);
	write_reg(TCR2_EL2, TCR2_PIE | TCR2_POE | TCR2_E0POE);
	stage1_on_el20(&tables);
	for (unsigned n = 0; n < 16; n++) {
		write_reg(PIR_EL2, CODE_PERM | PERM(PAGE_INDEX, 7));
		write_reg(PIRE0_EL2, CODE_PERM);
		write_reg(POR_EL2, PERM(PAGE_OVERLAY, n));
		write_reg(POR_EL0, 0);
		EXPECT_OVERLAID_TO(EL2, EL2, overlays[n]);
		write_reg(PIR_EL2, CODE_PERM);
		write_reg(PIRE0_EL2, CODE_PERM | PERM(PAGE_INDEX, 7));
		write_reg(POR_EL2, 0);
		write_reg(POR_EL0, PERM(PAGE_OVERLAY, n));
		EXPECT_OVERLAID_TO(EL0, EL2, overlays[n]);
	}
}

POE_TEST(por_el2_is_of_el2)
{
	map_tables(PAGE_ATTRS);
	write_reg(TCR2_EL2, TCR2_PIE | TCR2_POE | TCR2_E0POE);
	write_reg(PIR_EL2, CODE_PERM | PERM(PAGE_INDEX, 7));
	write_reg(POR_EL0, 0);
	stage1_on_el2(&tables);
	for (unsigned n = 0; n < 16; n++) {
		write_reg(POR_EL2, PERM(PAGE_OVERLAY, n));
		EXPECT_OVERLAID_TO(EL2, EL2, overlays[n]);
	}
}

POE_TEST(por_el3_is_of_el3)
{
	map_tables(PAGE_ATTRS);
	map_image_el3(&tables);
	write_reg(PIR_EL3, PERM(1, 0xe) | PERM(PAGE_INDEX, 7));
	stage1_on_el3(&tables);
	write_sysreg(tcr_el3, read_sysreg(tcr_el3) | TCR_EL3_PIE | TCR_EL3_POE);
	tlbi_all();
	for (unsigned n = 0; n < 16; n++) {
		write_reg(POR_EL3, PERM(PAGE_OVERLAY, n));
		EXPECT_OVERLAID_TO(EL3, EL3, overlays[n]);
	}
	write_sysreg(sctlr_el3, SCTLR_EL3_BASE);
}

// ---- Over direct permissions --------------------------------------------------------------------

static void start_direct(uint64_t attrs)
{
	start_with(attrs | PT_PO(PAGE_OVERLAY), 0, 0);
	write_reg(POR_EL1, PERM(PAGE_OVERLAY, 7) | PERM(0, 7));
	write_reg(POR_EL0, PERM(PAGE_OVERLAY, 7) | PERM(0, 7));
	write_reg(TCR2_EL1, TCR2_POE | TCR2_E0POE);
	tlbi_all();
}

POE_TEST(overlays_take_from_direct_permissions)
{
	start_direct(PT_AP_RW_EL1);
	for (unsigned n = 0; n < 16; n++) {
		write_reg(POR_EL1, PERM(PAGE_OVERLAY, n) | PERM(0, 7));
		EXPECT_OVERLAID(EL1, overlays[n]);
	}
	start_direct(PT_AP_RW_ALL);
	for (unsigned n = 0; n < 16; n++) {
		write_reg(POR_EL0, PERM(PAGE_OVERLAY, n) | PERM(0, 7));
		EXPECT_OVERLAID(EL0, overlays[n]);
	}
	EXPECT_RIGHTS(EL1, "rw");
}

POE_TEST(hierarchical_permissions_do_not_count_beside_overlays)
{
	for (unsigned enables = 0; enables < 4; enables++) {
		start_direct(PT_AP_RW_ALL);
		*pgtable_entry(&tables, PAGE_VA, 2) |= PT_AP_TABLE(3) | PT_XN_TABLE;
		write_reg(TCR2_EL1, (enables & 1 ? TCR2_POE : 0) | (enables & 2 ? TCR2_E0POE : 0));
		tlbi_all();
		EXPECT_RIGHTS(EL1, enables == 0 ? "rx" : "rw");
		EXPECT_RIGHTS(EL0, enables == 0 ? "" : "rwx");
	}
}

POE_TEST(overlays_and_wxn)
{
	start_direct(PT_AP_RW_EL1);
	write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | SCTLR_WXN);
	tlbi_all();
	expect_rights(__LINE__, EL1, 0, EL1, CAN_READ | CAN_EXEC, CAN_WRITE);
	write_reg(POR_EL1, PERM(PAGE_OVERLAY, 5) | PERM(0, 7));
	expect_rights(__LINE__, EL1, 0, EL1, CAN_READ | CAN_WRITE, CAN_EXEC);
}

// What EPAN has taken WXN need not take: the store is denied by PAN and not by the overlay. PAN is
// nothing to fetches.
POE_TEST(overlays_and_wxn_and_epan)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr1_el1), 20) >= 3, "no FEAT_PAN3");
	start_direct(PT_AP_RW_EL1);
	write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | SCTLR_WXN | SCTLR_EPAN);
	tlbi_all();
	expect_rights(__LINE__, EL1, 0, EL1, CAN_READ | CAN_EXEC, CAN_WRITE);
	expect_rights(__LINE__, EL1, SPSR_PAN, EL1, CAN_EXEC, 0);
	write_reg(POR_EL1, PERM(PAGE_OVERLAY, 3) | PERM(0, 7));
	expect_rights(__LINE__, EL1, SPSR_PAN, EL1, CAN_EXEC, CAN_WRITE);
}

// ---- How faults tell of it ----------------------------------------------------------------------

// The overlay is asked first.
POE_TEST(denied_by_both_is_denied_by_the_overlay)
{
	start(0, 0);
	set_overlays(0, 0);
	expect_rights(__LINE__, EL1, 0, EL1, 0, CAN_ALL);
	expect_rights(__LINE__, EL0, 0, EL1, 0, CAN_ALL);
	set_overlays(1, 1);
	expect_rights(__LINE__, EL1, 0, EL1, 0, CAN_WRITE | CAN_EXEC);
}

POE_TEST(denied_by_pan_is_not_denied_by_the_overlay)
{
	start(5, 1);
	expect_rights(__LINE__, EL1, SPSR_PAN, EL1, 0, 0);
	set_overlays(0, 0);
	expect_rights(__LINE__, EL1, SPSR_PAN, EL1, 0, CAN_ALL);
}

POE_TEST(atomics_and_pairs)
{
	start(5, 0);
	set_overlays(1, 0);
	struct exc add = run_at(EL1, add_x0, PAGE_VA);
	struct exc pair = run_at(EL1, pair_x0, PAGE_VA);

	EXPECT_ABORT(add, EL1, EC_DABT_SAME, ISS2_OVERLAY | ISS_WNR | FSC_PERMISSION(3), PAGE_VA);
	EXPECT_ABORT(pair, EL1, EC_DABT_SAME, ISS2_OVERLAY | ISS_WNR | FSC_PERMISSION(3), PAGE_VA);
	set_overlays(4, 0);
	add = run_at(EL1, add_x0, PAGE_VA);
	pair = run_at(EL1, pair_x0, PAGE_VA);
	EXPECT_ABORT(add, EL1, EC_DABT_SAME, ISS2_OVERLAY | FSC_PERMISSION(3), PAGE_VA);
	EXPECT_NO_EXC(pair);
}

// Both rights are asked for at each step: reading, which the base permissions lack, is not what the
// overlay told of (Arm ARM D8.15.5.1, the example; the page is clean, too).
POE_TEST(an_atomic_is_denied_by_the_first_step_that_lacks_either_right)
{
	start_with(PAGE_ATTRS | PT_NDIRTY, 0, 0);
	set_overlays(1, 0);
	struct exc write = run_at(EL1, add_x0, PAGE_VA);

	EXPECT_ABORT(write, EL1, EC_DABT_SAME, ISS2_OVERLAY | ISS_WNR | FSC_PERMISSION(3), PAGE_VA);
	set_overlays(5, 0);
	struct exc read = run_at(EL1, add_x0, PAGE_VA);

	EXPECT_ABORT(read, EL1, EC_DABT_SAME, FSC_PERMISSION(3), PAGE_VA);
	set_base(1, 0);
	write = run_at(EL1, add_x0, PAGE_VA);
	EXPECT_ABORT(write, EL1, EC_DABT_SAME, ISS_WNR | FSC_PERMISSION(3), PAGE_VA);
	set_base(5, 0);
	write = run_at(EL1, add_x0, PAGE_VA);
	EXPECT_ABORT(write, EL1, EC_DABT_SAME, ISS2_DIRTY | ISS_WNR | FSC_PERMISSION(3), PAGE_VA);
}

POE_TEST(cache_maintenance)
{
	const uint64_t iss = ISS2_OVERLAY | ISS_CM | ISS_WNR | FSC_PERMISSION(3);

	start(5, 5);
	write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | SCTLR_UCI);
	set_overlays(1, 0);
	struct exc clean = run_at(EL1, clean_x0, PAGE_VA);
	struct exc invalidate = run_at(EL1, invalidate_x0, PAGE_VA);
	struct exc clean0 = run_at(EL0, clean_x0, PAGE_VA);

	EXPECT_NO_EXC(clean);
	EXPECT_ABORT(invalidate, EL1, EC_DABT_SAME, iss, PAGE_VA);
	EXPECT_ABORT(clean0, EL1, EC_DABT_LOWER, iss, PAGE_VA);
}

POE_TEST(pan_is_nothing_to_cache_maintenance)
{
	const uint64_t iss = ISS2_OVERLAY | ISS_CM | ISS_WNR | FSC_PERMISSION(3);
	const uint64_t pan = guest_spsr(EL1) | SPSR_PAN;

	start(5, 1);
	struct exc invalidate = run_at_spsr(pan, invalidate_x0, PAGE_VA);

	EXPECT_NO_EXC(invalidate);
	set_overlays(1, 0);
	invalidate = run_at_spsr(pan, invalidate_x0, PAGE_VA);
	EXPECT_ABORT(invalidate, EL1, EC_DABT_SAME, iss, PAGE_VA);
}

static uint64_t par_of(const char *snippet)
{
	struct exc e = run_at(EL1, snippet, PAGE_VA);

	EXPECT_NO_EXC(e);
	return e.x[0];
}

#define PAR_PERMISSION_3 (BIT(11) | FSC_PERMISSION(3) << 1 | 1)

POE_TEST(par_el1_tells_of_the_overlay)
{
	start(5, 1);
	set_overlays(1, 0);
	EXPECT_EQ(par_of(at_s1e1r) & 1, 0);
	EXPECT_EQ(par_of(at_s1e1w), PAR_PERMISSION_3 | PAR_OVERLAY);
	EXPECT_EQ(par_of(at_s1e0r), PAR_PERMISSION_3 | PAR_OVERLAY);
	set_overlays(5, 1);
	EXPECT_EQ(par_of(at_s1e1w) & 1, 0);
	EXPECT_EQ(par_of(at_s1e0r) & 1, 0);
	set_base(1, 1);
	EXPECT_EQ(par_of(at_s1e1w), PAR_PERMISSION_3);
}

POE_TEST(dirty_state_comes_after_the_overlay)
{
	start_with(PAGE_ATTRS | PT_NDIRTY, 5, 0);
	set_overlays(1, 0);
	struct exc w = run_at(EL1, store_x0, PAGE_VA, 1);

	EXPECT_ABORT(w, EL1, EC_DABT_SAME, ISS2_OVERLAY | ISS_WNR | FSC_PERMISSION(3), PAGE_VA);
	set_overlays(5, 0);
	w = run_at(EL1, store_x0, PAGE_VA, 1);
	EXPECT_ABORT(w, EL1, EC_DABT_SAME, ISS2_DIRTY | ISS_WNR | FSC_PERMISSION(3), PAGE_VA);
	write_sysreg(tcr_el1, read_sysreg(tcr_el1) | TCR_HA | TCR_HD);
	tlbi_all();
	set_overlays(1, 0);
	w = run_at(EL1, store_x0, PAGE_VA, 1);
	EXPECT_ABORT(w, EL1, EC_DABT_SAME, ISS2_OVERLAY | ISS_WNR | FSC_PERMISSION(3), PAGE_VA);
	EXPECT_EQ(*page & PT_NDIRTY, PT_NDIRTY);
	set_overlays(5, 0);
	w = run_at(EL1, store_x0, PAGE_VA, 1);
	EXPECT_NO_EXC(w);
	EXPECT_EQ(*page & PT_NDIRTY, 0);
}

// ---- Changing it --------------------------------------------------------------------------------

POE_TEST(changes_need_no_tlbi)
{
	start(5, 5);
	for (unsigned i = 0; i < 8; i++) {
		set_overlays(5, 1);
		expect_rights(__LINE__, EL1, 0, EL1, CAN_READ | CAN_WRITE, CAN_EXEC);
		expect_rights(__LINE__, EL0, 0, EL1, CAN_READ, CAN_WRITE | CAN_EXEC);
		set_overlays(1, 0);
		expect_rights(__LINE__, EL1, 0, EL1, CAN_READ, CAN_WRITE | CAN_EXEC);
		expect_rights(__LINE__, EL0, 0, EL1, 0, CAN_ALL);
	}
}

// What turns overlays on may not be held in a TLB either, and each bit is for its own half. The
// hierarchical permissions are off all the while, by PIE.
POE_TEST(turning_overlays_on_and_off_needs_no_tlbi)
{
	start(5, 5);
	set_overlays(1, 1);
	for (unsigned i = 0; i < 8; i++) {
		write_reg(TCR2_EL1, TCR2_PIE | TCR2_E0POE);
		expect_rights(__LINE__, EL1, 0, EL1, CAN_READ | CAN_WRITE, 0);
		expect_rights(__LINE__, EL0, 0, EL1, CAN_READ, CAN_WRITE | CAN_EXEC);
		write_reg(TCR2_EL1, TCR2_PIE | TCR2_POE);
		expect_rights(__LINE__, EL1, 0, EL1, CAN_READ, CAN_WRITE | CAN_EXEC);
		expect_rights(__LINE__, EL0, 0, EL1, CAN_READ | CAN_WRITE, 0);
	}
}

// x0: address, x1, x2: values of POR_EL0, of which the first allows and the second does not.
SNIPPET(el0_takes_its_own_rights, "msr S3_3_C10_C2_4, x1\n\tisb\n\tldr x3, [x0]\n\t"
				  "str x3, [x0]\n\tmsr S3_3_C10_C2_4, x2\n\tisb\n\t"
				  "ldr x4, [x0]\n\tmov x5, #1\n\tstr x3, [x0]");

POE_TEST(el0_changes_its_rights_by_itself)
{
	start(0, 5);
	write_reg(POR_EL0, 0);
	struct exc e = run_at(EL0, el0_takes_its_own_rights, PAGE_VA, PERM(PAGE_OVERLAY, 5),
			      PERM(PAGE_OVERLAY, 1));

	EXPECT_ABORT(e, EL1, EC_DABT_LOWER, ISS2_OVERLAY | ISS_WNR | FSC_PERMISSION(3), PAGE_VA);
	EXPECT_REG(e, 5, 1); // the load before it was done
	EXPECT_EQ(read_reg(POR_EL0), PERM(PAGE_OVERLAY, 1));
}

SNIPPET(el0_flips_its_rights,
	"mov x5, #0\n"
	"1:\tmsr S3_3_C10_C2_4, x1\n\tisb\n\tstr x5, [x0]\n\tmsr S3_3_C10_C2_4, x2\n\tisb\n\t"
	"ldr x4, [x0]\n\tadd x5, x5, #1\n\tcmp x5, #200\n\tb.ne 1b\n\tstr x5, [x0]");

POE_TEST(el0_changes_its_rights_again_and_again)
{
	start(0, 5);
	struct exc e = run_at(EL0, el0_flips_its_rights, PAGE_VA, PERM(PAGE_OVERLAY, 4),
			      PERM(PAGE_OVERLAY, 1));

	EXPECT_ABORT(e, EL1, EC_DABT_LOWER, ISS2_OVERLAY | ISS_WNR | FSC_PERMISSION(3), PAGE_VA);
	EXPECT_REG(e, 5, 200);
	EXPECT_REG(e, 4, 199);
}

SNIPPET(drops_execution, "msr S3_3_C10_C2_4, x1\n\tisb\n\tmov x5, #1");

// Code takes execution from itself: what comes after the ISB is not fetched.
POE_TEST(execution_can_be_taken_from_code_that_runs)
{
	const uint64_t at = PAGE_VA + ((uint64_t)drops_execution & 0xfff);

	start(0, 7);
	map_page(&tables, PAGE_VA, (uint64_t)drops_execution & ~0xffful, PT_NORMAL | PAGE_ATTRS, 3);
	tlbi_all();
	struct exc e = run_at(EL0, at, 0, PERM(PAGE_OVERLAY, 1));

	EXPECT_MASKED(e.esr, ~0ul, ESR(EC_IABT_LOWER, ISS2_OVERLAY | FSC_PERMISSION(3)));
	EXPECT_TRUE(e.elr == at + 4 || e.elr == at + 8);
	EXPECT_REG(e, 5, 0);
	e = run_at(EL0, at, 0, PERM(PAGE_OVERLAY, 3));
	EXPECT_ABORT(e, EL1, EC_IABT_LOWER, ISS2_OVERLAY | FSC_PERMISSION(3), at);
	write_reg(POR_EL0, PERM(PAGE_OVERLAY, 3));
	e = run_at(EL0, at, 0, PERM(PAGE_OVERLAY, 2));
	EXPECT_NO_EXC(e);
	EXPECT_REG(e, 5, 1);
}

POE_TEST(without_tcr2en_there_is_no_overlay)
{
	start(7, 0);
	set_overlays(0, 0);
	write_reg(HCRX_EL2, 0);
	tlbi_all();
	EXPECT_RIGHTS(EL1, "rw"); // direct: PXN
	write_reg(HCRX_EL2, HCRX_TCR2EN);
	tlbi_all();
	EXPECT_OVERLAID(EL1, "");
	write_sysreg(scr_el3, SCR_BASE | SCR_HXEN | SCR_PIEN);
	tlbi_all();
	EXPECT_RIGHTS(EL1, "rw");
}

// ---- The registers ------------------------------------------------------------------------------

static const struct sysreg por_el0 = SYSREG(por_el0, 3, 3, 10, 2, 4);
static const struct sysreg por_el1 = SYSREG(por_el1, 3, 0, 10, 2, 4);
static const struct sysreg por_el2 = SYSREG(por_el2, 3, 4, 10, 2, 4);

POE_TEST(por_registers_keep_what_is_written)
{
	permissions_reset();
	write_reg(POR_EL0, 0x76543210);
	write_reg(POR_EL1, 0x01234567);
	write_reg(POR_EL2, 0x13572460);
	write_reg(POR_EL3, 0x70707070);
	EXPECT_EQ(read_reg(POR_EL0), 0x76543210);
	EXPECT_EQ(read_reg(POR_EL1), 0x01234567);
	EXPECT_EQ(read_reg(POR_EL2), 0x13572460);
	EXPECT_EQ(read_reg(POR_EL3), 0x70707070);
}

POE_TEST(cpacr_e0poe_gives_por_el0_to_el0)
{
	permissions_reset();
	write_sysreg(cpacr_el1, CPACR_BASE);
	EXPECT_TRAP(EL0, READ, por_el0, EL1);
	EXPECT_TRAP(EL0, WRITE, por_el0, EL1);
	EXPECT_ACCESS(EL1, READ, por_el0);
	write_sysreg(cpacr_el1, CPACR_BASE | CPACR_E0POE);
	EXPECT_ACCESS(EL0, READ, por_el0);
	EXPECT_ACCESS(EL0, WRITE, por_el0);
	EXPECT_UNDEFINED(EL0, READ, por_el1, EL1);
}

POE_TEST(cptr_el2_e0poe_gives_por_el0_to_a_hosts_el0)
{
	permissions_reset();
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H | HCR_TGE);
	write_sysreg(cpacr_el1, CPACR_BASE | CPACR_E0POE);
	write_sysreg(cptr_el2, CPACR_BASE);
	EXPECT_TRAP(EL0, READ, por_el0, EL2);
	EXPECT_ACCESS(EL2, READ, por_el0);
	write_sysreg(cptr_el2, CPACR_BASE | CPACR_E0POE);
	EXPECT_ACCESS(EL0, READ, por_el0);
	write_sysreg(hcr_el2, HCR_BASE);
	write_sysreg(cptr_el2, CPTR_EL2_BASE);
}

POE_TEST(tvm_trvm_and_pien_trap_por)
{
	permissions_reset();
	write_sysreg(cpacr_el1, CPACR_BASE | CPACR_E0POE);
	write_sysreg(hcr_el2, HCR_BASE | HCR_TVM);
	EXPECT_TRAP(EL1, WRITE, por_el1, EL2);
	EXPECT_TRAP(EL1, WRITE, por_el0, EL2);
	EXPECT_ACCESS(EL1, READ, por_el1);
	write_sysreg(hcr_el2, HCR_BASE | HCR_TRVM);
	EXPECT_TRAP(EL1, READ, por_el1, EL2);
	EXPECT_TRAP(EL0, READ, por_el0, EL2);
	EXPECT_ACCESS(EL2, READ, por_el1);
	write_sysreg(hcr_el2, HCR_BASE);
	write_sysreg(scr_el3, SCR_BASE | SCR_HXEN | SCR_TCR2EN);
	EXPECT_TRAP(EL0, READ, por_el0, EL3);
	EXPECT_TRAP(EL1, READ, por_el1, EL3);
	EXPECT_TRAP(EL2, READ, por_el2, EL3);
	EXPECT_ACCESS(EL3, READ, por_el2);
}

SNIPPET(write_por_el1, "msr S3_0_C10_C2_4, x0\n\tmrs x1, S3_5_C10_C2_4");

POE_TEST(por_el1_means_por_el2_in_a_host)
{
	permissions_reset();
	write_reg(POR_EL1, 0x111);
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H);
	struct exc e = run_at(EL2, write_por_el1, 0x333);

	EXPECT_NO_EXC(e);
	EXPECT_REG(e, 1, 0x111);
	EXPECT_EQ(read_reg(POR_EL2), 0x333);
}
