// SPDX-License-Identifier: Apache-2.0
// Hardware updates of stage 1 (FEAT_HAFDBS) beside permissions: what a page with DBM allows before
// and after its first write, with and without a TLB, with overlays and indirect permissions.
#include "mmu_world.h"

#define VA UINT64_C(0x0000123456789abc)
#define PA UINT64_C(0x0000000045678000)
#define TCR_HA BIT(39)
#define TCR_HD BIT(40)
#define SCTLR_WXN BIT(19)
#define PIE BIT(1)
#define E0POE BIT(2)
#define POE BIT(3)
#define FSC_ACCESS_3 0x0b
#define FSC_PERMISSION_3 0x0f

static uint64_t place; // of the descriptor of VA

static void setup(void)
{
	world_setup();
	w.regime.tcr |= TCR_HA | TCR_HD;
	place = descriptor_at(w.regime.ttbr[0], VA, 12, 0, 3);
}

static void start(int i, uint64_t more)
{
	if (i != 0 && w.tlb == NULL) {
		w.tlb = mmu_tlb_create(w.bus, MMU_TLB_SIZED, 64, NULL, NULL);
	}
	if (w.tlb != NULL) {
		mmu_tlb_flush(w.tlb);
	}
	put(place, PA | D_PAGE | more);
}

#define CLEAN (D_AF | D_DBM | D_AP_RO)

// An access that succeeds leaves the descriptor as it was and says these rights of the page.
static void assert_as_is(enum mmu_access_type type, bool el0, bool r, bool wr, bool x)
{
	uint64_t before = get(place);

	for (unsigned again = 0; again < 2; again++) { // from the TLB, the second time
		ASSERT_OK(VA, type, el0);
		ck_assert_int_eq(w.result.readable, r);
		ck_assert_int_eq(w.result.writable, wr);
		ck_assert_int_eq(w.result.executable, x);
		ck_assert(get(place) == before);
	}
}

START_TEST(reads_and_fetches_leave_clean_pages_clean)
{
	start(_i, CLEAN);
	assert_as_is(MMU_READ, false, true, false, true);
	assert_as_is(MMU_EXEC, false, true, false, true);
	start(_i, CLEAN | D_AP_EL0);
	assert_as_is(MMU_READ, true, true, false, true);
	assert_as_is(MMU_READ, false, true, false, false);
}
END_TEST

START_TEST(a_write_makes_dirty)
{
	for (unsigned el0 = 0; el0 < 2; el0++) {
		start(_i, CLEAN | D_AP_EL0);
		ASSERT_OK(VA, MMU_READ, el0);
		ASSERT_OK(VA, MMU_WRITE, el0);
		ck_assert(w.result.writable);
		ck_assert(get(place) == (PA | D_PAGE | D_AF | D_DBM | D_AP_EL0));
		assert_as_is(MMU_WRITE, el0, true, true, el0);
		assert_as_is(MMU_READ, el0, true, true, el0);
	}
}
END_TEST

// A page that EL0 could write after an update is not executable above it, clean or not.
START_TEST(execution_counts_dbm_as_writable)
{
	start(_i, CLEAN | D_AP_EL0);
	ASSERT_FAULT(VA, MMU_EXEC, false, FSC_PERMISSION_3);
	ASSERT_OK(VA, MMU_EXEC, true);
	w.regime.tcr &= ~TCR_HD;
	start(_i, CLEAN | D_AP_EL0);
	assert_as_is(MMU_EXEC, false, true, false, true);
}
END_TEST

START_TEST(wxn_counts_dbm_as_writable)
{
	w.regime.sctlr |= SCTLR_WXN;
	start(_i, CLEAN);
	ASSERT_FAULT(VA, MMU_EXEC, false, FSC_PERMISSION_3);
	ASSERT_CONTROL("SCTLR_EL1.WXN");
	assert_as_is(MMU_READ, false, true, false, false);
	w.regime.tcr &= ~TCR_HD;
	start(_i, CLEAN);
	assert_as_is(MMU_EXEC, false, true, false, true);
}
END_TEST

START_TEST(without_hd_dbm_is_nothing)
{
	w.regime.tcr &= ~TCR_HD;
	start(_i, CLEAN);
	ASSERT_FAULT(VA, MMU_WRITE, false, FSC_PERMISSION_3);
	assert_as_is(MMU_READ, false, true, false, true);
	w.regime.tcr |= TCR_HD;
	w.regime.tcr &= ~TCR_HA;
	start(_i, CLEAN);
	ASSERT_FAULT(VA, MMU_WRITE, false, FSC_PERMISSION_3);
}
END_TEST

START_TEST(tables_that_make_read_only_win)
{
	uint64_t table = descriptor_at(w.regime.ttbr[0], VA, 12, 0, 2);

	put(table, get(table) | BIT(62)); // APTable[1]
	start(_i, CLEAN);
	ASSERT_FAULT(VA, MMU_WRITE, false, FSC_PERMISSION_3);
	assert_as_is(MMU_READ, false, true, false, true);
	start(_i, CLEAN | D_AP_EL0);
	assert_as_is(MMU_EXEC, false, true, false, true);
}
END_TEST

START_TEST(pan_and_at_make_nothing_dirty)
{
	start(_i, CLEAN | D_AP_EL0);
	w.access.pan = true;
	ASSERT_FAULT(VA, MMU_WRITE, false, FSC_PERMISSION_3);
	ASSERT_FAULT(VA, MMU_READ, false, FSC_PERMISSION_3);
	w.access.pan = false;
	w.access.at = true;
	ASSERT_OK(VA, MMU_WRITE, false);
	w.access.at = false;
	w.access.cache_op = true;
	ASSERT_OK(VA, MMU_WRITE, false);
	w.access.cache_op = false;
	ck_assert(get(place) == (PA | D_PAGE | CLEAN | D_AP_EL0));
}
END_TEST

START_TEST(access_flag)
{
	static const enum mmu_access_type types[] = {MMU_READ, MMU_WRITE, MMU_EXEC};

	for (unsigned t = 0; t < 3; t++) {
		start(_i, 0);
		ASSERT_OK(VA, types[t], false);
		ck_assert(get(place) == (PA | D_PAGE | D_AF));
		ck_assert(!w.result.transient || _i == 0);
	}
	// With both at once: one write to the descriptor's effect.
	start(_i, D_DBM | D_AP_RO);
	ASSERT_OK(VA, MMU_WRITE, false);
	ck_assert(get(place) == (PA | D_PAGE | D_AF | D_DBM));
	// Denied: the access flag may be set or not, the dirty state is not.
	start(_i, D_AP_RO);
	ASSERT_FAULT(VA, MMU_WRITE, false, FSC_PERMISSION_3);
	ck_assert(get(place) & D_AP_RO);
	w.regime.tcr &= ~TCR_HA;
	start(_i, 0);
	ASSERT_FAULT(VA, MMU_READ, false, FSC_ACCESS_3);
	ck_assert(get(place) == (PA | D_PAGE));
}
END_TEST

START_TEST(blocks)
{
	uint64_t block = descriptor_at(w.regime.ttbr[0], VA, 12, 0, 2);

	start(_i, 0);
	put(block, (PA & ~MASK(20, 0)) | D_BLOCK | CLEAN);
	assert_as_is(MMU_READ, false, true, false, true);
	ck_assert_uint_eq(w.result.page_shift, 21);
	ASSERT_OK(VA, MMU_WRITE, false);
	ck_assert(!(get(block) & D_AP_RO));
	assert_as_is(MMU_READ, false, true, true, true);
}
END_TEST

// Direct permissions under an overlay: what the overlay denies is not made dirty.
START_TEST(overlays_over_dbm)
{
	w.regime.tcr2 = POE | E0POE;
	w.regime.por = w.regime.por_el0 = 3;
	start(_i, CLEAN);
	assert_as_is(MMU_READ, false, true, false, true);
	ASSERT_FAULT(VA, MMU_WRITE, false, FSC_PERMISSION_3);
	ck_assert(w.fault.overlay);
	ck_assert(get(place) & D_AP_RO);
	w.regime.por = 7;
	assert_as_is(MMU_READ, false, true, false, true);
	ASSERT_OK(VA, MMU_WRITE, false);
	ck_assert(!(get(place) & D_AP_RO));
	w.regime.por = 3;
	assert_as_is(MMU_READ, false, true, false, true);
	ASSERT_FAULT(VA, MMU_WRITE, false, FSC_PERMISSION_3);
}
END_TEST

// Indirect permissions: DBM is a bit of the index (2), and nDirty alone tells.
START_TEST(indirect_permissions)
{
	w.regime.tcr2 = PIE;
	w.regime.pir = UINT64_C(0xe) << 8;
	start(_i, CLEAN);
	assert_as_is(MMU_READ, false, true, false, true);
	assert_as_is(MMU_EXEC, false, true, false, true);
	ASSERT_OK(VA, MMU_WRITE, false);
	ck_assert(get(place) == (PA | D_PAGE | D_AF | D_DBM));
	assert_as_is(MMU_WRITE, false, true, true, true);
	// The access flag and the dirty state at once.
	start(_i, D_DBM | D_AP_RO);
	ASSERT_OK(VA, MMU_WRITE, false);
	ck_assert(get(place) == (PA | D_PAGE | D_AF | D_DBM));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mmu_update");
	TCase *tcase = tcase_create("stage 1");

	tcase_add_checked_fixture(tcase, setup, world_teardown);
	tcase_add_loop_test(tcase, reads_and_fetches_leave_clean_pages_clean, 0, 2);
	tcase_add_loop_test(tcase, a_write_makes_dirty, 0, 2);
	tcase_add_loop_test(tcase, execution_counts_dbm_as_writable, 0, 2);
	tcase_add_loop_test(tcase, wxn_counts_dbm_as_writable, 0, 2);
	tcase_add_loop_test(tcase, without_hd_dbm_is_nothing, 0, 2);
	tcase_add_loop_test(tcase, tables_that_make_read_only_win, 0, 2);
	tcase_add_loop_test(tcase, pan_and_at_make_nothing_dirty, 0, 2);
	tcase_add_loop_test(tcase, access_flag, 0, 2);
	tcase_add_loop_test(tcase, blocks, 0, 2);
	tcase_add_loop_test(tcase, overlays_over_dbm, 0, 2);
	tcase_add_loop_test(tcase, indirect_permissions, 0, 2);
	suite_add_tcase(suite, tcase);
	return world_run(suite);
}
