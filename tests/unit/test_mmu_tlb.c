// SPDX-License-Identifier: Apache-2.0
// The architectural TLB: what stays, what each TLBI removes, what is announced, the walk cache,
// capacity, modes; and a random run that holds the TLB to its promise: what was not announced as
// dropped is still answered.
#include "mmu_world.h"

#define VA UINT64_C(0x0000123456789000)
#define OA UINT64_C(0x0000000300000000)
#define OTHER UINT64_C(0x0000000400000000)
#define DROPS_MAX 4096

static struct mmu_tlb_drop drops[DROPS_MAX];
static size_t drop_count;
static struct mmu_tlbi tlbi;

static void dropped(void *opaque, const struct mmu_tlb_drop *drop)
{
	ck_assert_ptr_eq(opaque, &drop_count);
	ck_assert_uint_lt(drop_count, DROPS_MAX);
	drops[drop_count++] = *drop;
}

static void use_tlb(enum mmu_tlb_mode mode, size_t entries)
{
	mmu_tlb_destroy(w.tlb);
	w.tlb = mmu_tlb_create(w.bus, mode, entries, dropped, &drop_count);
	ck_assert_ptr_nonnull(w.tlb);
}

static void setup(void)
{
	world_setup();
	drop_count = 0;
	memset(&tlbi, 0, sizeof(tlbi));
	use_tlb(MMU_TLB_SIZED, 256);
}

static uint64_t map(uint64_t va, uint64_t oa, uint64_t more)
{
	uint64_t place = descriptor_at(w.regime.ttbr[va >> 63] & MASK(47, 1), va, 12, 0, 3);

	put(place, oa | D_PAGE | D_AF | more);
	return place;
}

static void set_asid(unsigned asid)
{
	w.regime.tcr |= BIT(36);
	w.regime.ttbr[0] = bits_set(w.regime.ttbr[0], 63, 48, asid);
}

static void invalidate(enum mmu_tlbi_op op, uint64_t start, uint64_t size)
{
	tlbi.op = op;
	tlbi.start = start;
	tlbi.end = start + size;
	mmu_tlb_invalidate(w.tlb, &tlbi);
}

// Which of two mappings the access sees.
#define ASSERT_STALE(va) ASSERT_PA((va), OA)
#define ASSERT_FRESH(va) ASSERT_PA((va), OTHER)

START_TEST(entries_stay_until_invalidated)
{
	uint64_t place = map(VA, OA, 0);

	ASSERT_PA(VA, OA);
	ck_assert(!w.result.transient);
	ck_assert_uint_eq(mmu_tlb_count(w.tlb), 1);
	put(place, OTHER | D_PAGE | D_AF);
	ASSERT_STALE(VA);
	put(place, 0);
	ASSERT_STALE(VA);
	ck_assert_uint_eq(drop_count, 0);
	invalidate(MMU_TLBI_VA, VA, 0x1000);
	ck_assert_uint_eq(drop_count, 1);
	ASSERT_FAULT(VA, MMU_READ, false, 7);
	// Faults are not kept.
	put(place, OTHER | D_PAGE);
	ASSERT_FAULT(VA, MMU_READ, false, 11);
	put(place, OTHER | D_PAGE | D_AF);
	ASSERT_FRESH(VA);
}
END_TEST

START_TEST(announcements_are_precise)
{
	map(VA, OA, D_NG);
	map(VA + 0x1000, OA, 0);
	set_asid(0x77);
	w.regime.has_el2 = true;
	w.regime.vttbr = UINT64_C(0x12) << 48;
	ASSERT_PA(VA, OA);
	ASSERT_OK(VA + 0x1000, MMU_EXEC, false);
	tlbi.use_vmid = true;
	tlbi.vmid = 0x12;
	tlbi.asid = 0x77;
	invalidate(MMU_TLBI_VA, VA, 0x2000);
	ck_assert_uint_eq(drop_count, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct mmu_tlb_drop *drop = &drops[i];
		bool first = drop->va == VA;

		ck_assert(!drop->all && !drop->all_va && !drop->any_vmid && !drop->secure);
		ck_assert_int_eq(drop->kind, MMU_REGIME_EL10);
		ck_assert_uint_eq(drop->vmid, 0x12);
		ck_assert_uint_eq(drop->shift, 12);
		ck_assert_uint_eq(drop->va, first ? VA : VA + 0x1000);
		ck_assert_int_eq(drop->any_asid, !first);
		ck_assert_int_eq(drop->global, !first);
		ck_assert_int_eq(drop->exec, !first);
		if (first) {
			ck_assert_uint_eq(drop->asid, 0x77);
		}
	}
	// Nothing held, nothing said.
	invalidate(MMU_TLBI_VA, VA, 0x2000);
	invalidate(MMU_TLBI_VMALL, 0, 0);
	invalidate(MMU_TLBI_ALL, 0, 0);
	invalidate(MMU_TLBI_ASID, 0, 0);
	ck_assert_uint_eq(drop_count, 2);
}
END_TEST

START_TEST(asids)
{
	uint64_t place = map(VA, OA, D_NG);
	uint64_t global = map(VA + 0x1000, OA, 0);

	set_asid(1);
	ASSERT_STALE(VA);
	ASSERT_STALE(VA + 0x1000);
	put(place, OTHER | D_PAGE | D_AF | D_NG);
	put(global, OTHER | D_PAGE | D_AF);
	set_asid(2);
	ASSERT_FRESH(VA);
	ASSERT_STALE(VA + 0x1000);
	put(place, OA | D_PAGE | D_AF | D_NG);
	// By VA and the wrong ASID: only the global entry goes.
	tlbi.asid = 3;
	invalidate(MMU_TLBI_VA, VA, 0x2000);
	ASSERT_FRESH(VA);
	ASSERT_FRESH(VA + 0x1000);
	put(global, OA | D_PAGE | D_AF);
	// By ASID: global entries stay.
	tlbi.asid = 2;
	invalidate(MMU_TLBI_ASID, 0, 0);
	ck_assert_uint_eq(drops[drop_count - 1].asid, 2);
	ck_assert(drops[drop_count - 1].all_va && !drops[drop_count - 1].any_asid &&
		  !drops[drop_count - 1].global);
	ASSERT_STALE(VA);
	ASSERT_FRESH(VA + 0x1000);
	set_asid(1);
	put(place, OTHER | D_PAGE | D_AF | D_NG);
	ASSERT_STALE(VA);
	set_asid(2);
	ASSERT_STALE(VA);
	// By VA, all ASIDs.
	invalidate(MMU_TLBI_VAA, VA, 0x1000);
	ASSERT_FRESH(VA);
	set_asid(1);
	ASSERT_FRESH(VA);
}
END_TEST

START_TEST(vmids)
{
	uint64_t place = map(VA, OA, 0);

	w.regime.has_el2 = true;
	w.regime.vttbr = UINT64_C(1) << 48;
	ASSERT_STALE(VA);
	put(place, OTHER | D_PAGE | D_AF);
	w.regime.vttbr = UINT64_C(2) << 48;
	ASSERT_FRESH(VA);
	w.regime.vttbr = UINT64_C(1) << 48;
	ASSERT_STALE(VA);
	tlbi.use_vmid = true;
	tlbi.vmid = 2;
	invalidate(MMU_TLBI_VAA, VA, 0x1000);
	invalidate(MMU_TLBI_VMALL, 0, 0);
	invalidate(MMU_TLBI_VMALLS12, 0, 0);
	ASSERT_STALE(VA);
	tlbi.vmid = 1;
	invalidate(_i == 0 ? MMU_TLBI_VMALL : _i == 1 ? MMU_TLBI_VMALLS12 : MMU_TLBI_ALL, 0, 0);
	ck_assert(drops[drop_count - 1].all_va && drops[drop_count - 1].any_asid);
	ck_assert_int_eq(drops[drop_count - 1].any_vmid, _i == 2);
	ASSERT_FRESH(VA);
}
END_TEST

START_TEST(regimes_and_security)
{
	static const enum mmu_regime_kind kinds[] = {MMU_REGIME_EL10, MMU_REGIME_EL20,
						     MMU_REGIME_EL2, MMU_REGIME_EL3};
	uint64_t place = map(VA, OA, D_NS);
	uint64_t tcr2 = w.regime.tcr;

	use_tlb(MMU_TLB_KEEP, 256); // (seven entries of one VA)
	for (unsigned secure = 0; secure < 2; secure++) {
		for (unsigned i = 0; i < 4; i++) {
			w.regime.kind = kinds[i];
			w.regime.secure = secure;
			w.regime.tcr = i < 2 ? tcr2 : (16 | UINT64_C(5) << 16);
			ASSERT_PA(VA, OA);
		}
	}
	ck_assert_uint_eq(mmu_tlb_count(w.tlb), 7); // EL3 has one security state
	put(place, OTHER | D_PAGE | D_AF | D_NS);
	for (unsigned i = 0; i < 4; i++) {
		tlbi.kind = kinds[i];
		tlbi.secure = i % 2 == 0;
		drop_count = 0;
		invalidate(i < 2 ? MMU_TLBI_ALL : MMU_TLBI_VA, VA, 0x1000);
		ck_assert_uint_eq(drop_count, 1);
		ck_assert_int_eq(drops[0].kind, kinds[i]);
		ck_assert_int_eq(drops[0].secure, i % 2 == 0 || i == 3);
		for (unsigned secure = 0; secure < 2; secure++) {
			w.regime.kind = kinds[i];
			w.regime.secure = secure;
			w.regime.tcr = i < 2 ? tcr2 : (16 | UINT64_C(5) << 16);
			if (secure == (i % 2 == 0) || i == 3) {
				ASSERT_FRESH(VA);
			} else {
				ASSERT_STALE(VA);
			}
		}
	}
}
END_TEST

START_TEST(blocks_go_by_any_address_in_them)
{
	uint64_t base = VA & ~MASK(20, 0);
	uint64_t place = descriptor_at(w.regime.ttbr[0], VA, 12, 0, 2);

	put(place, OA | D_BLOCK | D_AF);
	ASSERT_PA(base + 0x1000, OA + 0x1000);
	ASSERT_PA(base + 0x180000, OA + 0x180000);
	ck_assert_uint_eq(mmu_tlb_count(w.tlb), 1);
	put(place, OTHER | D_BLOCK | D_AF);
	invalidate(MMU_TLBI_VA, base - 0x1000, 0x1000);
	invalidate(MMU_TLBI_VA, base + 0x200000, 0x1000);
	ASSERT_PA(base + 0x1000, OA + 0x1000);
	invalidate(MMU_TLBI_VA, base + 0x1ff000, 0x1000);
	ck_assert_uint_eq(drop_count, 1);
	ck_assert_uint_eq(drops[0].va, base);
	ck_assert_uint_eq(drops[0].shift, 21);
	ASSERT_PA(base + 0x1000, OTHER + 0x1000);
}
END_TEST

START_TEST(contiguous_entries_are_one)
{
	uint64_t base = VA & ~MASK(15, 0);

	for (unsigned i = 0; i < 16; i++) {
		map(base + i * 0x1000, OA + i * 0x1000, D_CONT);
	}
	ASSERT_PA(base + 0x3000, OA + 0x3000);
	put(descriptor_at(w.regime.ttbr[0], base + 0xa000, 12, 0, 3), 0);
	ASSERT_PA(base + 0xa123, OA + 0xa123);
	ck_assert_uint_eq(w.result.page_shift, 16);
	invalidate(MMU_TLBI_VA, base + 0xf000, 0x1000);
	ck_assert_uint_eq(drops[0].shift, 16);
	ASSERT_FAULT(base + 0xa123, MMU_READ, false, 7);
}
END_TEST

START_TEST(walk_cache)
{
	uint64_t old_table = descriptor_at(w.regime.ttbr[0], VA, 12, 0, 3) & ~PAGE_MASK;
	uint64_t new = new_table(12);
	uint64_t pointer = descriptor_at(w.regime.ttbr[0], VA, 12, 0, 2);

	map(VA, OA, 0);
	ASSERT_STALE(VA);
	// Another last table in its place.
	put(new + 8 * table_index(VA, 12, 3), OTHER | D_PAGE | D_AF);
	put(pointer, new | D_TABLE);
	// Last level only: the leaf goes, the pointer to the old table stays.
	tlbi.last_level_only = true;
	invalidate(MMU_TLBI_VA, VA, 0x1000);
	ASSERT_STALE(VA);
	put(old_table + 8 * table_index(VA, 12, 3), 0);
	invalidate(MMU_TLBI_VA, VA, 0x1000);
	ASSERT_FAULT(VA, MMU_READ, false, 7);
	// Another address of the same 2 MiB takes the pointer along, when not last level only.
	tlbi.last_level_only = false;
	invalidate(MMU_TLBI_VA, VA ^ 0x10000, 0x1000);
	ASSERT_FRESH(VA);
}
END_TEST

START_TEST(walk_cache_is_tagged)
{
	uint64_t pointer;
	uint64_t new = new_table(12);

	map(VA, OA, D_NG);
	set_asid(1);
	ASSERT_STALE(VA);
	pointer = descriptor_at(w.regime.ttbr[0] & MASK(47, 1), VA, 12, 0, 2);
	put(new + 8 * table_index(VA, 12, 3), OTHER | D_PAGE | D_AF | D_NG);
	put(pointer, new | D_TABLE);
	set_asid(2);
	ASSERT_FRESH(VA);
	set_asid(1);
	ASSERT_STALE(VA);
	// ASID 2's invalidation does not touch ASID 1's pointers.
	tlbi.asid = 2;
	invalidate(MMU_TLBI_ASID, 0, 0);
	tlbi.asid = 1;
	tlbi.last_level_only = true;
	invalidate(MMU_TLBI_VA, VA, 0x1000);
	ASSERT_STALE(VA);
	invalidate(MMU_TLBI_ASID, 0, 0);
	ASSERT_FRESH(VA);
}
END_TEST

START_TEST(hierarchical_permissions_are_kept_with_pointers)
{
	uint64_t pointer = descriptor_at(w.regime.ttbr[0], VA, 12, 0, 1);

	map(VA, OA, 0);
	map(VA ^ 0x1000, OA, 0);
	put(pointer, get(pointer) | BIT(62));
	ASSERT_STALE(VA);
	ck_assert(!w.result.writable);
	put(pointer, get(pointer) & ~BIT(62));
	ASSERT_FAULT(VA ^ 0x1000, MMU_WRITE, false, 15);
	invalidate(MMU_TLBI_VAA, VA, 0x1000);
	invalidate(MMU_TLBI_VAA, VA ^ 0x1000, 0x1000);
	ASSERT_OK(VA ^ 0x1000, MMU_WRITE, false);
}
END_TEST

START_TEST(walk_disable_stops_walks_only)
{
	map(VA, OA, 0);
	map(VA + 0x1000, OA, 0);
	ASSERT_STALE(VA);
	w.regime.tcr |= BIT(7); // EPD0
	ASSERT_STALE(VA);
	ASSERT_FAULT(VA + 0x1000, MMU_READ, false, 4);
}
END_TEST

START_TEST(dirty_state_goes_past_the_entry)
{
	uint64_t place = map(VA, OA, D_DBM | D_AP_RO);

	w.regime.tcr |= BIT(39) | BIT(40);
	ASSERT_STALE(VA);
	ck_assert(!w.result.writable);
	ASSERT_OK(VA, MMU_WRITE, false);
	ck_assert(w.result.writable);
	ck_assert_uint_eq(get(place) & D_AP_RO, 0);
	// The entry was made dirty, not announced: what was derived for reading is still right.
	ck_assert_uint_eq(drop_count, 0);
	ck_assert_uint_eq(mmu_tlb_count(w.tlb), 1);
	put(place, get(place) | D_AP_RO);
	ASSERT_OK(VA, MMU_WRITE, false);
	ck_assert_uint_eq(get(place) & D_AP_RO, D_AP_RO);
}
END_TEST

START_TEST(stale_permissions)
{
	uint64_t place = map(VA, OA, D_AP_RO);

	ASSERT_STALE(VA);
	put(place, OA | D_PAGE | D_AF);
	ASSERT_FAULT(VA, MMU_WRITE, false, 15);
	invalidate(MMU_TLBI_VA, VA, 0x1000);
	ASSERT_OK(VA, MMU_WRITE, false);
}
END_TEST

START_TEST(ranges)
{
	unsigned gone = 0;

	for (unsigned i = 0; i < 64; i++) {
		map(VA + i * 0x1000, OA, 0);
		ASSERT_PA(VA + i * 0x1000, OA);
		map(VA + i * 0x1000, OTHER, 0);
	}
	invalidate(MMU_TLBI_VAA, VA + 8 * 0x1000, 4 * 0x1000);
	ck_assert_uint_eq(drop_count, 4);
	for (unsigned i = 0; i < 64; i++) {
		ck_assert(try_access(VA + i * 0x1000, MMU_READ, false));
		ck_assert_int_eq(w.result.pa.v == OTHER, i >= 8 && i < 12);
	}
	// A large range: some precise announcements, then one for all addresses.
	drop_count = 0;
	invalidate(MMU_TLBI_VAA, VA + 0x1000 * 2, 0x1000 * 60);
	ck_assert_uint_le(drop_count, 32);
	ck_assert(drops[drop_count - 1].all_va);
	for (unsigned i = 0; i < 64; i++) {
		ck_assert(try_access(VA + i * 0x1000, MMU_READ, false));
		gone += w.result.pa.v == OTHER;
	}
	ck_assert_uint_eq(gone, 60);
	// Huge, and to the top.
	invalidate(MMU_TLBI_VAA, BIT(44), BIT(46));
	ASSERT_FRESH(VA);
	map(VA, OA, 0);
	invalidate(MMU_TLBI_VAA, 0, 0);
	ASSERT_FRESH(VA);
	tlbi.op = MMU_TLBI_VAA;
	tlbi.start = VA;
	tlbi.end = 0;
	mmu_tlb_invalidate(w.tlb, &tlbi);
	ASSERT_STALE(VA);
}
END_TEST

START_TEST(last_page_of_the_address_space)
{
	uint64_t va = ~UINT64_C(0xfff);

	map(va, OA, 0);
	ASSERT_STALE(va);
	map(va, OTHER, 0);
	// As a TLBI operand may give it: bits 63:56 zero.
	invalidate(MMU_TLBI_VAA, va & MASK(55, 0), 0x1000);
	ASSERT_FRESH(va);
	map(va, OA, 0);
	invalidate(MMU_TLBI_VAA, va, 0x1000);
	ck_assert_uint_eq(drops[drop_count - 1].va, va);
	ASSERT_STALE(va);
}
END_TEST

START_TEST(tagged_addresses_share_an_entry)
{
	w.regime.tcr |= BIT(37);
	map(VA, OA, 0);
	ASSERT_STALE(VA | UINT64_C(0x35) << 56);
	put(descriptor_at(w.regime.ttbr[0], VA, 12, 0, 3), 0);
	ASSERT_STALE(VA | UINT64_C(0x99) << 56);
	ck_assert_uint_eq(mmu_tlb_count(w.tlb), 1);
	invalidate(MMU_TLBI_VA, VA, 0x1000);
	ASSERT_FAULT(VA | UINT64_C(0x35) << 56, MMU_READ, false, 7);
}
END_TEST

START_TEST(capacity)
{
	use_tlb(MMU_TLB_SIZED, 64);
	for (unsigned i = 0; i < 512; i++) {
		map(VA + i * 0x1000, OA, 0);
		ASSERT_PA(VA + i * 0x1000, OA);
		map(VA + i * 0x1000, OTHER, 0);
		ck_assert_uint_eq(mmu_tlb_count(w.tlb) + drop_count, i + 1);
		ck_assert_uint_le(mmu_tlb_count(w.tlb), 64);
	}
	ck_assert_uint_gt(drop_count, 512 - 64 - 1);
	for (size_t i = 0; i < drop_count; i++) {
		ck_assert(!drops[i].all_va);
		ck_assert_uint_eq(drops[i].shift, 12);
	}
}
END_TEST

START_TEST(keep_mode_never_forgets)
{
	use_tlb(MMU_TLB_KEEP, 64);
	for (unsigned i = 0; i < 8192; i++) {
		uint64_t va = VA + i * UINT64_C(0x1000);

		map(va, OA, 0);
		ASSERT_PA(va, OA);
		map(va, OTHER, 0);
	}
	ck_assert_uint_eq(drop_count, 0);
	ck_assert_uint_eq(mmu_tlb_count(w.tlb), 8192);
	for (unsigned i = 0; i < 8192; i++) {
		ASSERT_STALE(VA + i * UINT64_C(0x1000));
	}
	// The level hint counts here: a leaf of another level may stay, and stays.
	tlbi.ttl = 1 << 2 | 2;
	invalidate(MMU_TLBI_VA, VA, 0x1000);
	ASSERT_STALE(VA);
	tlbi.ttl = 1 << 2 | 3;
	invalidate(MMU_TLBI_VA, VA, 0x1000);
	ASSERT_FRESH(VA);
}
END_TEST

START_TEST(forget_mode_keeps_nothing)
{
	use_tlb(MMU_TLB_FORGET, 64);
	map(VA, OA, 0);
	ASSERT_STALE(VA);
	ck_assert(w.result.transient);
	map(VA, OTHER, 0);
	ASSERT_FRESH(VA);
	put(descriptor_at(w.regime.ttbr[0], VA, 12, 0, 2), 0);
	ASSERT_FAULT(VA, MMU_READ, false, 6);
	ck_assert_uint_eq(mmu_tlb_count(w.tlb), 0);
	ck_assert_uint_eq(drop_count, 0);
	w.regime.sctlr = 0;
	ASSERT_PA(VA, VA);
	ck_assert(!w.result.transient);
}
END_TEST

START_TEST(flush)
{
	map(VA, OA, 0);
	ASSERT_OK(VA, MMU_EXEC, false);
	map(VA, OTHER, 0);
	mmu_tlb_flush(w.tlb);
	ck_assert_uint_eq(drop_count, 1);
	ck_assert(drops[0].all && drops[0].exec);
	ck_assert_uint_eq(mmu_tlb_count(w.tlb), 0);
	ASSERT_FRESH(VA);
}
END_TEST

START_TEST(exec_is_remembered)
{
	map(VA, OA, 0);
	ASSERT_OK(VA, MMU_READ, false);
	invalidate(MMU_TLBI_VA, VA, 0x1000);
	ck_assert(!drops[0].exec);
	ASSERT_OK(VA, MMU_READ, false);
	ASSERT_OK(VA, MMU_EXEC, false);
	ASSERT_OK(VA, MMU_READ, false);
	invalidate(MMU_TLBI_VA, VA, 0x1000);
	ck_assert(drops[1].exec);
	ASSERT_OK(VA, MMU_EXEC, false);
	invalidate(MMU_TLBI_VMALL, 0, 0);
	ck_assert(drops[2].exec);
	ASSERT_OK(VA, MMU_READ, false);
	invalidate(MMU_TLBI_VMALL, 0, 0);
	ck_assert(!drops[3].exec);
}
END_TEST

// Stage 2: RAM by one block, a few more pages at 0x8000_0000 by descriptor.
static uint64_t s2_l3;

static void stage2_setup(void)
{
	uint64_t top = new_table(14); // two level 1 tables
	uint64_t l2 = new_table(12);

	s2_l3 = new_table(12);
	put(top + 8 * 1, RAM_BASE | D_BLOCK | D_S2_RW);
	put(top + 8 * 2, l2 | D_TABLE);
	put(l2, s2_l3 | D_TABLE);
	w.regime.has_el2 = true;
	w.regime.hcr = BIT(0);
	w.regime.vtcr = 24 | UINT64_C(1) << 6 | UINT64_C(5) << 16;
	w.regime.vttbr = top | UINT64_C(9) << 48;
	tlbi.use_vmid = true;
	tlbi.vmid = 9;
	map(VA, UINT64_C(0x80000000), 0);
	put(s2_l3, OA | D_PAGE | D_S2_RW);
}

START_TEST(stage2_entries)
{
	stage2_setup();
	ASSERT_STALE(VA);
	put(s2_l3, OTHER | D_PAGE | D_S2_RW);
	ASSERT_STALE(VA);
	// Stage 1 invalidation leaves stage 2.
	invalidate(MMU_TLBI_VMALL, 0, 0);
	ASSERT_STALE(VA);
	invalidate(MMU_TLBI_VAA, VA, 0x1000);
	ASSERT_STALE(VA);
	// By IPA, wrong page, wrong VMID, wrong space.
	invalidate(MMU_TLBI_IPA, 0x80001000, 0x1000);
	tlbi.vmid = 8;
	invalidate(MMU_TLBI_IPA, 0x80000000, 0x1000);
	tlbi.vmid = 9;
	tlbi.secure = true;
	invalidate(MMU_TLBI_IPA, 0x80000000, 0x1000);
	tlbi.secure = false;
	ASSERT_STALE(VA);
	drop_count = 0;
	tlbi.last_level_only = true;
	invalidate(MMU_TLBI_IPA, 0x80000000, 0x1000);
	ck_assert_uint_eq(drop_count, 1);
	ck_assert(drops[0].all_va && drops[0].any_asid && !drops[0].any_vmid);
	ck_assert_uint_eq(drops[0].vmid, 9);
	ck_assert_int_eq(drops[0].kind, MMU_REGIME_EL10);
	ASSERT_FRESH(VA);
}
END_TEST

START_TEST(stage2_mass_invalidation)
{
	stage2_setup();
	ASSERT_STALE(VA);
	put(s2_l3, OTHER | D_PAGE | D_S2_RW);
	tlbi.vmid = 3;
	invalidate(MMU_TLBI_VMALLS12, 0, 0);
	ASSERT_STALE(VA);
	tlbi.vmid = 9;
	drop_count = 0;
	invalidate(_i == 0 ? MMU_TLBI_VMALLS12 : MMU_TLBI_ALL, 0, 0);
	ck_assert_uint_eq(drop_count, 1);
	ck_assert(drops[0].all_va);
	ck_assert_uint_eq(mmu_tlb_count(w.tlb), 0);
	ASSERT_FRESH(VA);
}
END_TEST

START_TEST(stage2_walk_cache)
{
	uint64_t other_l3 = new_table(12);
	uint64_t l2;

	stage2_setup();
	ASSERT_STALE(VA);
	l2 = get((w.regime.vttbr & MASK(47, 12)) + 8 * 2) & MASK(47, 12);
	put(other_l3, OTHER | D_PAGE | D_S2_RW);
	put(l2, other_l3 | D_TABLE);
	tlbi.last_level_only = true;
	invalidate(MMU_TLBI_IPA, 0x80000000, 0x1000);
	ASSERT_STALE(VA);
	tlbi.last_level_only = false;
	invalidate(MMU_TLBI_IPA, 0x80000000, 0x1000);
	ASSERT_FRESH(VA);
}
END_TEST

START_TEST(stage2_without_stage1)
{
	stage2_setup();
	w.regime.sctlr = 0;
	ASSERT_STALE(0x80000000);
	ck_assert(!w.result.transient);
	put(s2_l3, OTHER | D_PAGE | D_S2_RW);
	ASSERT_STALE(0x80000000);
	drop_count = 0;
	invalidate(MMU_TLBI_IPA, 0x80000000, 0x1000);
	ck_assert_uint_eq(drop_count, 1);
	ASSERT_FRESH(0x80000000);
}
END_TEST

static size_t counted;

static void count_drop(void *opaque, const struct mmu_tlb_drop *drop)
{
	(void)opaque;
	(void)drop;
	counted++;
}

static void context_of(unsigned i)
{
	set_asid(i);
	w.regime.has_el2 = true;
	w.regime.vtcr = BIT(19);
	w.regime.vttbr = (uint64_t)(i % 7) << 48;
}

START_TEST(many_contexts)
{
	size_t stale = 0;

	// More ASIDs and VMIDs than contexts are kept: what does not fit is announced, nothing is
	// mixed up.
	mmu_tlb_destroy(w.tlb);
	counted = 0;
	w.tlb = mmu_tlb_create(w.bus, _i == 0 ? MMU_TLB_SIZED : MMU_TLB_KEEP, 256, count_drop,
			       NULL);
	for (unsigned i = 0; i < 6000; i++) {
		uint64_t va = VA + i % 64 * 0x1000;

		context_of(i);
		map(va, OA + i * UINT64_C(0x1000), D_NG);
		ASSERT_PA(va, OA + i * UINT64_C(0x1000));
		ck_assert_uint_eq(_i == 0 ? mmu_tlb_count(w.tlb) <= 256
					  : mmu_tlb_count(w.tlb) == i + 1,
				  1);
	}
	ck_assert_int_eq(_i == 0, counted >= 6000 - 256);
	ck_assert_int_eq(_i == 1, counted == 0);
	for (unsigned i = 6000; i-- > 0;) {
		uint64_t va = VA + i % 64 * 0x1000;

		context_of(i);
		map(va, OTHER + (UINT64_C(1) << 40), D_NG);
		ck_assert(try_access(va, MMU_READ, false));
		stale += w.result.pa.v == OA + i * UINT64_C(0x1000);
		ck_assert(w.result.pa.v == OTHER + (UINT64_C(1) << 40) ||
			  w.result.pa.v == OA + i * UINT64_C(0x1000));
	}
	ck_assert_uint_ge(stale, _i == 0 ? 1 : 6000);
}
END_TEST

// A model of what a PE derives: it keeps every result until an announcement takes it away, and the
// TLB must give the same result as long as it is kept, whatever happens to the tables meanwhile.
struct derived {
	bool valid;
	uint64_t va;
	uint64_t pa;
	unsigned asid, vmid;
	bool global;
	bool exec;
	uint8_t shift;
};

#define DERIVED_COUNT 64
static struct derived derived[DERIVED_COUNT];

static void derived_dropped(void *opaque, const struct mmu_tlb_drop *drop)
{
	(void)opaque;
	for (size_t i = 0; i < DERIVED_COUNT; i++) {
		struct derived *d = &derived[i];
		bool asid = drop->any_asid || (d->global ? drop->global : drop->asid == d->asid);
		bool range = drop->all_va || ((d->va ^ drop->va) >> drop->shift) == 0;

		if (!d->valid) {
			continue;
		}
		if (drop->all || (drop->kind == MMU_REGIME_EL10 && !drop->secure && asid && range &&
				  (drop->any_vmid || drop->vmid == d->vmid))) {
			// Nothing that was fetched from goes unless the announcement says so.
			d->valid = d->exec && !drop->exec;
		}
	}
}

static uint64_t random_state;

static uint64_t random_next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static uint64_t random_va(void)
{
	return VA + (random_next() % 40) * 0x1000 + (random_next() % 3) * 0x200000;
}

static void random_context(unsigned *asid, unsigned *vmid)
{
	*asid = (unsigned)(random_next() % 3);
	*vmid = (unsigned)(random_next() % 2);
	set_asid(*asid);
	w.regime.vttbr = bits_set(w.regime.vttbr, 63, 48, *vmid);
}

static void random_access(void)
{
	struct derived d = {.valid = true};
	enum mmu_access_type type = random_next() % 3 == 0 ? MMU_EXEC : MMU_READ;

	random_context(&d.asid, &d.vmid);
	d.va = random_va();
	if (!try_access(d.va, type, false)) {
		return;
	}
	d.pa = w.result.pa.v;
	d.global = w.result.global;
	d.shift = w.result.page_shift;
	d.exec = type == MMU_EXEC;
	derived[random_next() % DERIVED_COUNT] = d;
}

static void random_tlbi(void)
{
	static const enum mmu_tlbi_op ops[] = {MMU_TLBI_VA,  MMU_TLBI_VAA,      MMU_TLBI_VA,
					       MMU_TLBI_VAA, MMU_TLBI_ASID,     MMU_TLBI_VMALL,
					       MMU_TLBI_IPA, MMU_TLBI_VMALLS12, MMU_TLBI_ALL};
	uint64_t pick = random_next() % 64;

	tlbi.asid = (uint16_t)(random_next() % 3);
	tlbi.vmid = (uint16_t)(random_next() % 2);
	tlbi.use_vmid = true;
	tlbi.last_level_only = random_next() & 1;
	pick = pick < sizeof(ops) / sizeof(ops[0]) ? pick : pick % 4;
	invalidate(ops[pick],
		   ops[pick] == MMU_TLBI_IPA ? 0x80000000 + (random_next() % 16) * 0x1000
					     : random_va(),
		   (1 + random_next() % 4 * (random_next() % 30)) * 0x1000);
}

// A page is global or not for good: software may not let both kinds live in the TLB for one
// address.
static void random_table_write(void)
{
	uint64_t va = random_va();

	if (random_next() % 8 == 0) {
		put(s2_l3 + 8 * (random_next() % 16),
		    (OA + (random_next() % 64) * 0x1000) | D_PAGE | D_S2_RW);
	} else if (random_next() % 16 == 0) {
		put(descriptor_at(w.regime.ttbr[0] & MASK(47, 1), va, 12, 0, 3), 0);
	} else {
		map(va, UINT64_C(0x80000000) + (random_next() % 16) * 0x1000,
		    (va & 0x1000) != 0 ? D_NG : 0);
	}
}

START_TEST(what_is_not_announced_is_kept)
{
	size_t checked = 0;

	random_state = UINT64_C(0x9e3779b97f4a7c15) * (uint64_t)(_i + 1);
	memset(derived, 0, sizeof(derived));
	mmu_tlb_destroy(w.tlb);
	w.tlb = mmu_tlb_create(w.bus, _i % 4 == 3 ? MMU_TLB_KEEP : MMU_TLB_SIZED,
			       _i % 4 == 2 ? 64 : 256, derived_dropped, NULL);
	stage2_setup();
	for (unsigned i = 0; i < 16; i++) {
		put(s2_l3 + 8 * i, (OA + i * 0x1000) | D_PAGE | D_S2_RW);
	}
	for (unsigned step = 0; step < 20000; step++) {
		uint64_t pick = random_next() % 16;
		struct derived *d = &derived[random_next() % DERIVED_COUNT];

		if (pick < 8) {
			random_access();
		} else if (pick < 10) {
			random_tlbi();
		} else if (pick < 14) {
			random_table_write();
		} else if (d->valid) {
			struct derived before = *d;

			set_asid(d->asid);
			w.regime.vttbr = bits_set(w.regime.vttbr, 63, 48, d->vmid);
			ck_assert(try_access(d->va, before.exec ? MMU_EXEC : MMU_READ, false));
			// Looking may itself have evicted it (and said so).
			ck_assert(!d->valid || w.result.pa.v == before.pa);
			checked++;
		}
	}
	ck_assert_uint_gt(checked, 100);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mmu_tlb");
	TCase *tcase = tcase_create("tlb");

	tcase_add_checked_fixture(tcase, setup, world_teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, entries_stay_until_invalidated);
	tcase_add_test(tcase, announcements_are_precise);
	tcase_add_test(tcase, asids);
	tcase_add_loop_test(tcase, vmids, 0, 3);
	tcase_add_test(tcase, regimes_and_security);
	tcase_add_test(tcase, blocks_go_by_any_address_in_them);
	tcase_add_test(tcase, contiguous_entries_are_one);
	tcase_add_test(tcase, walk_cache);
	tcase_add_test(tcase, walk_cache_is_tagged);
	tcase_add_test(tcase, hierarchical_permissions_are_kept_with_pointers);
	tcase_add_test(tcase, walk_disable_stops_walks_only);
	tcase_add_test(tcase, dirty_state_goes_past_the_entry);
	tcase_add_test(tcase, stale_permissions);
	tcase_add_test(tcase, ranges);
	tcase_add_test(tcase, last_page_of_the_address_space);
	tcase_add_test(tcase, tagged_addresses_share_an_entry);
	tcase_add_test(tcase, capacity);
	tcase_add_test(tcase, keep_mode_never_forgets);
	tcase_add_test(tcase, forget_mode_keeps_nothing);
	tcase_add_test(tcase, flush);
	tcase_add_test(tcase, exec_is_remembered);
	tcase_add_test(tcase, stage2_entries);
	tcase_add_loop_test(tcase, stage2_mass_invalidation, 0, 2);
	tcase_add_test(tcase, stage2_walk_cache);
	tcase_add_test(tcase, stage2_without_stage1);
	tcase_add_loop_test(tcase, many_contexts, 0, 2);
	tcase_add_loop_test(tcase, what_is_not_announced_is_kept, 0, 24);
	suite_add_tcase(suite, tcase);
	return world_run(suite);
}
