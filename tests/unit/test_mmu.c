// SPDX-License-Identifier: Apache-2.0
// Translation without a TLB: each fault type and level at each granule, sizes, permissions,
// hardware updates, attributes, security, and how outcomes are encoded. Tables are made by hand;
// expectations are the Arm ARM's.
#include "mmu_world.h"

// A VA whose table indices differ from each other and from 0 at every granule.
#define VA UINT64_C(0x0000123456789abc)
#define OA UINT64_C(0x0000000300000000)

struct geometry {
	unsigned granule;
	uint64_t tg0;
	int start_level; // for a 48-bit VA
	int block_level; // first level with blocks (without 52-bit addresses)
};

static const struct geometry geometries[] = {
	{12, TCR_TG0_4K, 0, 1},
	{14, TCR_TG0_16K, 0, 2},
	{16, TCR_TG0_64K, 1, 2},
};

static unsigned shift_of(const struct geometry *g, int level)
{
	return g->granule + (g->granule - 3) * (unsigned)(3 - level);
}

static void use(const struct geometry *g)
{
	w.regime.tcr = bits_set(w.regime.tcr, 15, 14, g->tg0 >> 14);
	w.regime.ttbr[0] = new_table(g->granule);
}

static uint64_t leaf_type(int level)
{
	return level == 3 ? D_PAGE : D_BLOCK;
}

// A leaf for VA at this level with these further bits; returns its place.
static uint64_t map_at(const struct geometry *g, int level, uint64_t oa, uint64_t more)
{
	uint64_t place = descriptor_at(w.regime.ttbr[0], VA, g->granule, g->start_level, level);

	put(place, (oa & ~(BIT(shift_of(g, level)) - 1)) | leaf_type(level) | more);
	return place;
}

static uint64_t map_page(uint64_t more)
{
	return map_at(&geometries[0], 3, OA, D_AF | more);
}

START_TEST(translation_faults)
{
	const struct geometry *g = &geometries[_i];

	use(g);
	for (int level = g->start_level; level <= 3; level++) {
		uint64_t place =
			descriptor_at(w.regime.ttbr[0], VA, g->granule, g->start_level, level);

		put(place, 0);
		ASSERT_FAULT(VA, MMU_READ, false, 4 + (unsigned)level);
		ck_assert(!w.fault.write);
		ASSERT_FAULT(VA, MMU_WRITE, true, 4 + (unsigned)level);
		ck_assert(w.fault.write);
		ASSERT_FAULT(VA, MMU_EXEC, false, 4 + (unsigned)level);
		// Bit 0 clear is invalid whatever the rest; block encodings are reserved at 3 and
		// above the blocks.
		put(place, OA | D_AF | 2);
		ASSERT_FAULT(VA, MMU_READ, false, 4 + (unsigned)level);
		if (level == 3 || level < g->block_level) {
			put(place, OA | D_AF | 1);
			ASSERT_FAULT(VA, MMU_READ, false, 4 + (unsigned)level);
		}
		put(place, 0);
	}
}
END_TEST

START_TEST(leaves_of_every_level)
{
	const struct geometry *g = &geometries[_i];

	for (int level = g->block_level; level <= 3; level++) {
		uint64_t size = BIT(shift_of(g, level));
		uint64_t base = UINT64_C(0x5a3000000000) & ~(size - 1);

		use(g);
		map_at(g, level, base, D_AF | D_AP_EL0);
		ASSERT_PA(VA, base | (VA & (size - 1)));
		ck_assert_uint_eq(w.result.page_shift, shift_of(g, level));
		ck_assert_uint_eq(w.result.ipa.v, w.result.pa.v);
		ck_assert(w.result.global);
		ck_assert(!w.result.has_stage2);
	}
}
END_TEST

START_TEST(contiguous_leaves)
{
	static const struct {
		unsigned geometry;
		int level;
		unsigned extra;
	} cases[] = {{0, 3, 4}, {0, 2, 4}, {0, 1, 4}, {1, 3, 7}, {1, 2, 5}, {2, 3, 5}, {2, 2, 5}};
	const struct geometry *g = &geometries[cases[_i].geometry];
	unsigned shift = shift_of(g, cases[_i].level) + cases[_i].extra;
	uint64_t base = UINT64_C(0x500000000000) & ~(BIT(shift) - 1);
	uint64_t inside = VA & (BIT(shift) - 1) & ~(BIT(shift_of(g, cases[_i].level)) - 1);

	use(g);
	map_at(g, cases[_i].level, base | inside, D_AF | D_CONT);
	ASSERT_PA(VA, base | (VA & (BIT(shift) - 1)));
	ck_assert_uint_eq(w.result.page_shift, shift);
}
END_TEST

START_TEST(access_flag_faults)
{
	const struct geometry *g = &geometries[_i];

	for (int level = g->block_level; level <= 3; level++) {
		uint64_t place;

		use(g);
		place = map_at(g, level, OA, D_AP_EL0);
		ASSERT_FAULT(VA, MMU_READ, false, 8 + (unsigned)level);
		ASSERT_FAULT(VA, MMU_EXEC, true, 8 + (unsigned)level);
		// Access flag before permission.
		put(place, get(place) | D_AP_RO);
		ASSERT_FAULT(VA, MMU_WRITE, false, 8 + (unsigned)level);
		put(place, get(place) | D_AF);
		ASSERT_FAULT(VA, MMU_WRITE, false, 12 + (unsigned)level);
		ASSERT_OK(VA, MMU_READ, false);
	}
}
END_TEST

START_TEST(address_size_faults)
{
	const struct geometry *g = &geometries[_i];

	w.regime.tcr = bits_set(w.regime.tcr, 34, 32, 1); // 36 bits
	for (int level = g->start_level; level <= 3; level++) {
		uint64_t place;

		use(g);
		place = descriptor_at(w.regime.ttbr[0], VA, g->granule, g->start_level, level);
		if (level >= g->block_level) {
			// Size before Access flag.
			put(place, BIT(37) << (level < 3 ? 8 : 0) | leaf_type(level));
			ASSERT_FAULT(VA, MMU_READ, false, (unsigned)level);
			ASSERT_CONTROL("TCR_EL1.IPS");
		}
		if (level < 3) {
			put(place, BIT(36) | D_TABLE);
			ASSERT_FAULT(VA, MMU_READ, false, (unsigned)level);
		}
	}
	// The first table: level 0, whatever level it has.
	w.regime.ttbr[0] = BIT(36);
	ASSERT_FAULT(VA, MMU_READ, false, 0);
}
END_TEST

START_TEST(external_aborts_on_walks)
{
	const struct geometry *g = &geometries[_i];

	for (int level = g->start_level; level < 3; level++) {
		use(g);
		put(descriptor_at(w.regime.ttbr[0], VA, g->granule, g->start_level, level),
		    UINT64_C(0x200000000) | D_TABLE);
		ASSERT_FAULT(VA, MMU_READ, false, 0x14 + (unsigned)level + 1);
	}
	w.regime.ttbr[0] = UINT64_C(0x200000000);
	ASSERT_FAULT(VA, MMU_WRITE, false, 0x14 + (unsigned)g->start_level);
	ck_assert(w.fault.type == MMU_FAULT_EXTERNAL_WALK);
}
END_TEST

START_TEST(input_sizes)
{
	// 4K: T0SZ 16..24 start at level 0, 25..33 at 1, 34..42 at 2, 43..48 at 3 (FEAT_TTST).
	for (unsigned t0sz = 16; t0sz <= 48; t0sz++) {
		int start = (int)(t0sz - 16) / 9;
		uint64_t va = BIT(63 - t0sz) | 0x123;

		w.regime.ttbr[0] = new_table(12);
		w.regime.tcr = bits_set(w.regime.tcr, 5, 0, t0sz);
		put(descriptor_at(w.regime.ttbr[0], va, 12, start, 3), OA | D_PAGE | D_AF);
		ASSERT_PA(va, OA | 0x123);
		ASSERT_FAULT(BIT(64 - t0sz), MMU_READ, false, 4);
		ASSERT_CONTROL("TCR_EL1.T0SZ");
	}
	w.regime.tcr = bits_set(w.regime.tcr, 5, 0, 49);
	ASSERT_FAULT(0x123, MMU_READ, false, 4);
	w.regime.tcr = bits_set(w.regime.tcr, 5, 0, 15);
	ASSERT_FAULT(0x123, MMU_READ, false, 4);
	// Without small tables 39 is the end; 64K may go down to 12 with FEAT_LVA.
	w.features.ttst = false;
	w.regime.tcr = bits_set(w.regime.tcr, 5, 0, 40);
	ASSERT_FAULT(0x123, MMU_READ, false, 4);
	w.regime.tcr = bits_set(w.regime.tcr, 15, 14, 1);
	w.regime.tcr = bits_set(w.regime.tcr, 5, 0, 12);
	w.regime.ttbr[0] = new_table(16);
	put(w.regime.ttbr[0] + 8 * 512, OA | D_AF | D_BLOCK); // VA bit 51: index 512 of level 1
	ASSERT_FAULT(BIT(51), MMU_READ, false, 5); // no level 1 block below 52-bit PAs
	w.features.pa_bits = 52;
	put(w.regime.ttbr[0] + 8 * 512, D_AF | D_BLOCK | UINT64_C(3) << 42 | UINT64_C(9) << 12);
	w.regime.tcr = bits_set(w.regime.tcr, 34, 32, 6);
	ASSERT_PA(BIT(51) | 0x777, UINT64_C(9) << 48 | UINT64_C(3) << 42 | 0x777);
}
END_TEST

START_TEST(sizes_out_of_range_without_lva_are_clamped)
{
	w.features.lva = w.features.lpa = w.features.lpa2 = false;
	w.regime.tcr = bits_set(w.regime.tcr, 5, 0, 3);
	map_page(0);
	ASSERT_PA(VA, OA | (VA & 0xfff));
}
END_TEST

START_TEST(upper_range)
{
	uint64_t va = UINT64_C(0xffff923456789abc);

	put(descriptor_at(w.regime.ttbr[1], va, 12, 0, 3), OA | D_PAGE | D_AF | D_NG);
	ASSERT_PA(va, OA | 0xabc);
	ck_assert(!w.result.global);
	// A hole between the ranges.
	ASSERT_FAULT(UINT64_C(0xfffe923456789abc), MMU_READ, false, 4);
	ASSERT_CONTROL("TCR_EL1.T1SZ");
	ASSERT_FAULT(UINT64_C(0xff7f923456789abc), MMU_READ, false, 4);
	ASSERT_CONTROL("TCR_EL1.T0SZ");
	ASSERT_FAULT(UINT64_C(0xfeff923456789abc), MMU_READ, false, 4);
	ASSERT_CONTROL("TCR_EL1.T1SZ");
	ASSERT_FAULT(BIT(48) | VA, MMU_READ, false, 4);
	// TG1 has its own encoding: 16K is 1, 64K is 3.
	w.regime.tcr = bits_set(w.regime.tcr, 31, 30, 1);
	w.regime.ttbr[1] = new_table(14);
	put(descriptor_at(w.regime.ttbr[1], va & MASK(47, 0), 14, 0, 3), OA | D_PAGE | D_AF);
	ASSERT_PA(va, OA | (va & 0x3fff));
	w.regime.tcr = bits_set(w.regime.tcr, 31, 30, 3);
	w.regime.ttbr[1] = new_table(16);
	put(descriptor_at(w.regime.ttbr[1], va & MASK(47, 0), 16, 1, 3), OA | D_PAGE | D_AF);
	ASSERT_PA(va, OA | (va & 0xffff));
}
END_TEST

START_TEST(top_byte_ignore)
{
	map_page(0);
	ASSERT_FAULT(VA | UINT64_C(0x5a) << 56, MMU_READ, false, 4);
	w.regime.tcr |= BIT(37);
	ASSERT_PA(VA | UINT64_C(0x5a) << 56, OA | 0xabc);
	ASSERT_OK(VA | UINT64_C(0x5a) << 56, MMU_EXEC, false);
	// TBID: not for instruction fetches.
	w.regime.tcr |= BIT(51);
	ASSERT_FAULT(VA | UINT64_C(0x5a) << 56, MMU_EXEC, false, 4);
	ASSERT_PA(VA | UINT64_C(0x5a) << 56, OA | 0xabc);
	// Bits below the top byte still count; bit 55 selects the table.
	ASSERT_FAULT(VA | BIT(54), MMU_READ, false, 4);
	put(descriptor_at(w.regime.ttbr[1], VA | MASK(63, 48), 12, 0, 3), 0);
	ASSERT_FAULT((VA | MASK(55, 48)), MMU_READ, false, 4);
	ASSERT_CONTROL("TCR_EL1.T1SZ");
	w.regime.tcr |= BIT(38);
	ASSERT_FAULT((VA | MASK(55, 48)), MMU_READ, false, 7);
}
END_TEST

START_TEST(disabled_ranges)
{
	uint64_t upper = VA | MASK(63, 48);

	map_page(D_AP_EL0);
	put(descriptor_at(w.regime.ttbr[1], upper, 12, 0, 3), OA | D_PAGE | D_AF | D_AP_EL0);
	ASSERT_OK(VA, MMU_READ, true);
	ASSERT_OK(upper, MMU_READ, true);
	w.regime.tcr |= BIT(7);
	ASSERT_FAULT(VA, MMU_READ, false, 4);
	ASSERT_CONTROL("TCR_EL1.EPD0");
	ASSERT_OK(upper, MMU_READ, false);
	w.regime.tcr ^= BIT(7) | BIT(23);
	ASSERT_FAULT(upper, MMU_EXEC, false, 4);
	ASSERT_CONTROL("TCR_EL1.EPD1");
	ASSERT_OK(VA, MMU_READ, false);
	w.regime.tcr ^= BIT(23) | BIT(56);
	ASSERT_OK(upper, MMU_READ, false);
	ASSERT_FAULT(upper, MMU_READ, true, 4);
	ASSERT_CONTROL("TCR_EL1.E0PD1");
	ASSERT_OK(VA, MMU_READ, true);
	w.regime.tcr ^= BIT(56) | BIT(55);
	ASSERT_FAULT(VA, MMU_WRITE, true, 4);
	ck_assert(w.fault.write);
	ASSERT_CONTROL("TCR_EL1.E0PD0");
	w.features.e0pd = false;
	ASSERT_OK(VA, MMU_READ, true);
}
END_TEST

// Expected rights as a string: EL1 r w x, EL0 r w x.
static void check_rights(uint64_t va, const char *want)
{
	for (unsigned i = 0; i < 6; i++) {
		enum mmu_access_type type = i % 3 == 0   ? MMU_READ
					    : i % 3 == 1 ? MMU_WRITE
							 : MMU_EXEC;
		bool ok = try_access(va, type, i >= 3);

		ck_assert_msg(ok == (want[i] != '-'), "right %u of %s", i, want);
		if (ok) {
			ck_assert(type == MMU_READ    ? w.result.readable
				  : type == MMU_WRITE ? w.result.writable
						      : w.result.executable);
			ck_assert_int_eq(w.result.readable, want[i / 3 * 3] != '-');
			ck_assert_int_eq(w.result.writable, want[i / 3 * 3 + 1] != '-');
			ck_assert_int_eq(w.result.executable, want[i / 3 * 3 + 2] != '-');
		} else {
			ck_assert_int_eq(w.fault.type, MMU_FAULT_PERMISSION);
			ck_assert_int_eq(w.fault.level, 3);
			ck_assert_int_eq(w.fault.write, type == MMU_WRITE);
		}
	}
}

START_TEST(access_permissions)
{
	static const struct {
		uint64_t bits;
		const char *want;
	} cases[] = {
		{0, "rwx--x"},
		{D_AP_EL0, "rw-rwx"}, // writable at EL0: never executable above
		{D_AP_RO, "r-x--x"},
		{D_AP_RO | D_AP_EL0, "r-xr-x"},
		{D_UXN, "rwx---"},
		{D_PXN, "rw---x"},
		{D_AP_EL0 | D_UXN, "rw-rw-"},
		{D_AP_RO | D_AP_EL0 | D_PXN, "r--r-x"},
		{D_AP_RO | D_AP_EL0 | D_PXN | D_UXN, "r--r--"},
		{D_AP_RO | D_UXN, "r-x---"},
	};

	map_page(cases[_i].bits);
	check_rights(VA, cases[_i].want);
}
END_TEST

START_TEST(hierarchical_permissions)
{
	static const struct {
		uint64_t table;
		const char *want;
	} cases[] = {
		{0, "rw-rwx"},
		{BIT(61), "rwx--x"}, // APTable[0]: no EL0 access
		{BIT(62), "r-xr-x"}, // APTable[1]: no write
		{BIT(61) | BIT(62), "r-x--x"},
		{BIT(59), "rw-rwx"}, // PXNTable (EL1 execution is gone already)
		{BIT(60), "rw-rw-"}, // UXNTable
		{BIT(62) | BIT(59) | BIT(60), "r--r--"},
	};
	uint64_t place = map_page(D_AP_EL0);

	(void)place;
	for (int level = 0; level < 3; level++) {
		uint64_t table = descriptor_at(w.regime.ttbr[0], VA, 12, 0, level);
		uint64_t old = get(table);

		put(table, old | cases[_i].table);
		check_rights(VA, cases[_i].want);
		w.regime.tcr |= BIT(41); // HPD0
		check_rights(VA, "rw-rwx");
		w.regime.tcr ^= BIT(41);
		put(table, old);
	}
}
END_TEST

START_TEST(write_implies_execute_never)
{
	w.regime.sctlr |= BIT(19);
	map_page(0);
	check_rights(VA, "rw---x");
	ASSERT_FAULT(VA, MMU_EXEC, false, 15);
	ASSERT_CONTROL("SCTLR_EL1.WXN");
	map_page(D_AP_EL0);
	check_rights(VA, "rw-rw-");
	map_page(D_AP_EL0 | D_AP_RO);
	check_rights(VA, "r-xr-x");
}
END_TEST

START_TEST(privileged_access_never)
{
	map_page(D_AP_EL0);
	w.access.pan = true;
	ASSERT_FAULT(VA, MMU_READ, false, 15);
	ASSERT_CONTROL("PSTATE.PAN");
	ASSERT_FAULT(VA, MMU_WRITE, false, 15);
	w.access.pan = false;
	ASSERT_OK(VA, MMU_WRITE, false);
	w.access.pan = true;
	map_page(0);
	ASSERT_OK(VA, MMU_WRITE, false);
	// EPAN: pages that EL0 can execute, too.
	w.regime.sctlr |= BIT(57);
	ASSERT_FAULT(VA, MMU_READ, false, 15);
	ASSERT_CONTROL("SCTLR_EL1.EPAN");
	map_page(D_UXN);
	ASSERT_OK(VA, MMU_READ, false);
	// Fetches are not concerned.
	map_page(D_AP_EL0 | D_AP_RO);
	ASSERT_OK(VA, MMU_EXEC, false);
	ck_assert(!w.result.readable);
	w.features.pan = false;
	ASSERT_OK(VA, MMU_READ, false);
}
END_TEST

START_TEST(atomics_and_cache_operations)
{
	// WnR of a read-modify-write: 0 where the read alone would fault.
	map_page(D_AP_RO);
	w.access.atomic = true;
	ASSERT_FAULT(VA, MMU_WRITE, false, 15);
	ck_assert(w.fault.write);
	ASSERT_FAULT(VA, MMU_WRITE, true, 15);
	ck_assert(!w.fault.write);
	put(map_page(0), 0);
	ASSERT_FAULT(VA, MMU_WRITE, false, 7);
	ck_assert(!w.fault.write);
	w.access.atomic = false;
	w.access.cache_op = true;
	ASSERT_FAULT(VA, MMU_READ, false, 7);
	ck_assert(w.fault.write);
	// Clean at EL1 needs no permission, at EL0 it must read; invalidation must write.
	map_page(D_AP_RO);
	ASSERT_OK(VA, MMU_READ, false);
	ASSERT_FAULT(VA, MMU_READ, true, 15);
	ck_assert(w.fault.write);
	ASSERT_FAULT(VA, MMU_WRITE, false, 15);
}
END_TEST

START_TEST(one_range_regimes)
{
	for (unsigned i = 0; i < 2; i++) {
		w.regime.kind = i == 0 ? MMU_REGIME_EL2 : MMU_REGIME_EL3;
		w.regime.tcr = 16 | UINT64_C(5) << 16;
		// XN is bit 54; AP[1] and PXN mean nothing; no ASIDs, everything is global.
		map_page(D_PXN | D_NG | D_NS);
		ASSERT_OK(VA, MMU_EXEC, false);
		ck_assert(w.result.global);
		map_page(D_UXN | D_NS);
		ASSERT_FAULT(VA, MMU_EXEC, false, 15);
		map_page(D_AP_EL0 | D_NS);
		w.access.pan = true;
		ASSERT_OK(VA, MMU_READ, false);
		ASSERT_OK(VA, MMU_EXEC, false);
		w.access.pan = false;
		ASSERT_FAULT(VA | MASK(63, 48), MMU_READ, false, 4);
		ASSERT_CONTROL(i == 0 ? "TCR_EL2.T0SZ" : "TCR_EL3.T0SZ");
		// TBI is bit 20, HPD bit 24.
		w.regime.tcr |= BIT(20);
		ASSERT_OK(VA | UINT64_C(0x7f) << 56, MMU_READ, false);
		put(descriptor_at(w.regime.ttbr[0], VA, 12, 0, 1),
		    get(descriptor_at(w.regime.ttbr[0], VA, 12, 0, 1)) | BIT(62) | BIT(60));
		ASSERT_FAULT(VA, MMU_WRITE, false, 15);
		ASSERT_FAULT(VA, MMU_EXEC, false, 15);
		w.regime.tcr |= BIT(24);
		ASSERT_OK(VA, MMU_WRITE, false);
		ASSERT_OK(VA, MMU_EXEC, false);
		w.regime.sctlr |= BIT(19);
		ASSERT_FAULT(VA, MMU_EXEC, false, 15);
		ASSERT_CONTROL(i == 0 ? "SCTLR_EL2.WXN" : "SCTLR_EL3.WXN");
		w.regime.sctlr ^= BIT(19);
		put(descriptor_at(w.regime.ttbr[0], VA, 12, 0, 1),
		    get(descriptor_at(w.regime.ttbr[0], VA, 12, 0, 1)) & MASK(47, 0));
	}
	// EL2&0 has two ranges and EL0.
	w.regime.kind = MMU_REGIME_EL20;
	w.regime.tcr = 16 | UINT64_C(16) << 16 | UINT64_C(2) << 30 | TCR_IPS(5);
	map_page(D_AP_EL0);
	check_rights(VA, "rw-rwx");
	w.access.pan = true;
	ASSERT_FAULT(VA, MMU_READ, false, 15);
}
END_TEST

START_TEST(hardware_access_flag)
{
	uint64_t place = map_at(&geometries[0], 3, OA, D_DBM | D_AP_RO);

	w.regime.tcr |= BIT(39);
	// A fault leaves the flag alone.
	ASSERT_FAULT(VA, MMU_WRITE, false, 15);
	ck_assert_uint_eq(get(place) & D_AF, 0);
	ASSERT_OK(VA, MMU_READ, false);
	ck_assert_uint_eq(get(place), OA | D_PAGE | D_DBM | D_AP_RO | D_AF);
	// The flag is set by an AT, but not by a walk that may not write.
	put(place, OA | D_PAGE);
	w.access.at = true;
	ASSERT_OK(VA, MMU_READ, false);
	ck_assert_uint_eq(get(place), OA | D_PAGE | D_AF);
	put(place, OA | D_PAGE);
	ck_assert(mmu_walk(w.bus, &w.regime, &w.access, true, &w.result, &w.fault));
	ck_assert_uint_eq(get(place), OA | D_PAGE);
	w.features.haf = false;
	w.access.at = false;
	ASSERT_FAULT(VA, MMU_READ, false, 11);
}
END_TEST

START_TEST(hardware_dirty_state)
{
	uint64_t place = map_page(D_DBM | D_AP_RO);
	uint64_t clean = get(place);

	w.regime.tcr |= BIT(39) | BIT(40);
	ASSERT_OK(VA, MMU_READ, false);
	ck_assert(!w.result.writable);
	ck_assert_uint_eq(get(place), clean);
	w.access.at = true;
	ASSERT_OK(VA, MMU_WRITE, false);
	w.access.at = false;
	ck_assert_uint_eq(get(place), clean);
	ASSERT_FAULT(VA, MMU_WRITE, true, 15);
	ck_assert_uint_eq(get(place), clean);
	ASSERT_OK(VA, MMU_WRITE, false);
	ck_assert(w.result.writable);
	ck_assert_uint_eq(get(place), clean & ~D_AP_RO);
	// Without DBM, and without HD, it is a plain read-only page.
	put(place, clean & ~D_DBM);
	ASSERT_FAULT(VA, MMU_WRITE, false, 15);
	put(place, clean);
	w.regime.tcr ^= BIT(40);
	ASSERT_FAULT(VA, MMU_WRITE, false, 15);
	// HD needs HA.
	w.regime.tcr ^= BIT(39) | BIT(40);
	ASSERT_FAULT(VA, MMU_WRITE, false, 15);
	// Access flag and dirty state at once; read-only from above stays read-only.
	w.regime.tcr |= BIT(39);
	put(place, clean & ~D_AF);
	ASSERT_OK(VA, MMU_WRITE, false);
	ck_assert_uint_eq(get(place), clean & ~D_AP_RO);
	put(place, clean);
	put(descriptor_at(w.regime.ttbr[0], VA, 12, 0, 2),
	    get(descriptor_at(w.regime.ttbr[0], VA, 12, 0, 2)) | BIT(62));
	ASSERT_FAULT(VA, MMU_WRITE, false, 15);
	ck_assert_uint_eq(get(place), clean);
}
END_TEST

START_TEST(big_endian_tables)
{
	uint64_t place;

	w.regime.tcr |= BIT(39);
	map_at(&geometries[0], 3, OA, 0);
	for (int level = 0; level <= 3; level++) {
		place = descriptor_at(w.regime.ttbr[0], VA, 12, 0, 3);
	}
	for (int level = 3; level >= 0; level--) {
		place = descriptor_at(w.regime.ttbr[0], VA, 12, 0, level);
		put(place, __builtin_bswap64(get(place)));
	}
	// (The chain of little-endian tables is gone from here on.)
	w.regime.sctlr |= BIT(25);
	ASSERT_PA(VA, OA | 0xabc);
	w.regime.sctlr ^= BIT(25);
	ck_assert(!try_access(VA, MMU_READ, false));
}
END_TEST

START_TEST(lpa2_4k)
{
	// DS: 52-bit VA from level -1; OA[51:50] in bits 9:8, OA[49:48] in 49:48; shareability from
	// TCR.
	uint64_t va = UINT64_C(0x000a123456789abc);
	uint64_t top;
	uint64_t place;

	w.features.pa_bits = 52;
	w.regime.tcr = 12 | UINT64_C(2) << 12 | TCR_IPS(6) | BIT(59);
	top = new_table(12);
	w.regime.ttbr[0] = top;
	ASSERT_FAULT(va, MMU_READ, false, 0x2b);
	put(top + 8 * 0xa, D_BLOCK | D_AF);
	ASSERT_FAULT(va, MMU_READ, false, 0x2b);
	put(top + 8 * 0xa, 0);
	for (int level = 0; level <= 3; level++) {
		place = descriptor_at(top, va, 12, -1, level);
		ASSERT_FAULT(va, MMU_READ, false, 4 + (unsigned)level);
	}
	put(place, UINT64_C(0x345678000) | D_PAGE | D_AF | UINT64_C(2) << 8 | UINT64_C(1) << 48);
	ASSERT_PA(va, UINT64_C(0x9000345678abc));
	ck_assert_uint_eq(w.result.shareability, 2);
	// A 512 GiB block at level 0.
	place = descriptor_at(top, va, 12, -1, 0);
	put(place, UINT64_C(0x18000000000) | D_BLOCK | D_AF | UINT64_C(3) << 8);
	ASSERT_PA(va, UINT64_C(0xc018000000000) | (va & MASK(38, 0)));
	ck_assert_uint_eq(w.result.page_shift, 39);
	// Address size at level -1: a table out of a 48-bit PA.
	w.regime.tcr = bits_set(w.regime.tcr, 34, 32, 5);
	put(top + 8 * 0xa, D_TABLE | BIT(48));
	ASSERT_FAULT(va, MMU_READ, false, 0x29);
	// TTBR[5:2] are address bits 51:48.
	w.regime.tcr = bits_set(w.regime.tcr, 34, 32, 6);
	w.regime.ttbr[0] = top | UINT64_C(5) << 2;
	ASSERT_FAULT(va, MMU_READ, false, 0x13); // nothing there: external abort, level -1
	// Without the feature DS is nothing, and T0SZ 12 is out of range.
	w.features.lpa2 = false;
	w.regime.ttbr[0] = top;
	ASSERT_FAULT(va, MMU_READ, false, 4);
}
END_TEST

START_TEST(lpa2_16k)
{
	uint64_t va = UINT64_C(0x000a123456789abc);
	uint64_t top = new_table(14);
	uint64_t place;

	w.features.pa_bits = 52;
	w.regime.tcr = 12 | TCR_TG0_16K | TCR_IPS(6) | BIT(59);
	// Level 0 is indexed by VA[51:47]: 32 entries.
	w.regime.ttbr[0] = top;
	put(top + 8 * (va >> 47), new_table(14) | D_TABLE);
	place = (get(top + 8 * (va >> 47)) & MASK(47, 14)) + 8 * table_index(va, 14, 1);
	ASSERT_FAULT(va, MMU_READ, false, 5);
	put(place, UINT64_C(0x5) << 36 | D_BLOCK | D_AF | UINT64_C(1) << 8);
	ASSERT_PA(va, UINT64_C(1) << 50 | UINT64_C(5) << 36 | (va & MASK(35, 0)));
	ck_assert_uint_eq(w.result.page_shift, 36);
	// Not contiguous at level 1.
	put(place, get(place) | D_CONT);
	ASSERT_PA(va, UINT64_C(1) << 50 | UINT64_C(5) << 36 | (va & MASK(35, 0)));
	ck_assert_uint_eq(w.result.page_shift, 36);
}
END_TEST

START_TEST(lpa_64k)
{
	const struct geometry *g = &geometries[2];
	uint64_t place;

	w.features.pa_bits = 52;
	w.regime.tcr = bits_set(w.regime.tcr, 34, 32, 6);
	use(g);
	place = map_at(g, 3, OA, D_AF | UINT64_C(0xb) << 12);
	ASSERT_PA(VA, UINT64_C(0xb) << 48 | OA | (VA & 0xffff));
	// Bits 15:12 do not exist as address bits without FEAT_LPA.
	w.features.lpa = false;
	w.features.pa_bits = 48;
	ASSERT_PA(VA, OA | (VA & 0xffff));
	w.features.lpa = true;
	ASSERT_FAULT(VA, MMU_READ, false, 3);
	put(place, OA | D_PAGE | D_AF);
	ASSERT_PA(VA, OA | (VA & 0xffff));
}
END_TEST

START_TEST(mmu_off)
{
	w.regime.sctlr = 0;
	ASSERT_PA(VA, VA);
	ck_assert_int_eq(w.result.memtype, MMU_MEM_DEVICE);
	ck_assert_uint_eq(w.result.device, 0);
	ck_assert_uint_eq(w.result.attr, 0);
	ck_assert_uint_eq(w.result.shareability, 2);
	ck_assert(w.result.readable && w.result.writable && w.result.executable);
	ck_assert(!w.result.transient);
	ASSERT_OK(VA, MMU_EXEC, false);
	ck_assert_int_eq(w.result.memtype, MMU_MEM_NORMAL_NC);
	w.regime.sctlr = BIT(12);
	ASSERT_OK(VA, MMU_EXEC, false);
	ck_assert_int_eq(w.result.memtype, MMU_MEM_NORMAL);
	ck_assert_uint_eq(w.result.attr, 0xaa);
	// Beyond the PA size.
	ASSERT_FAULT(BIT(48), MMU_READ, false, 0);
	ASSERT_FAULT(UINT64_C(0xffff000000000000), MMU_EXEC, false, 0);
	ASSERT_FAULT(BIT(63) | VA, MMU_READ, false, 0);
	w.regime.tcr |= BIT(37);
	ASSERT_PA(BIT(62) | VA, VA);
	w.features.pa_bits = 40;
	ASSERT_FAULT(BIT(40), MMU_READ, false, 0);
	// HCR_EL2.DC: write-back; TGE turns stage 1 off, too.
	w.features.pa_bits = 48;
	w.regime.sctlr = BIT(0);
	w.regime.has_el2 = true;
	w.regime.hcr = BIT(27);
	ASSERT_PA(VA, VA);
}
END_TEST

START_TEST(memory_attributes)
{
	static const struct {
		uint8_t mair;
		unsigned sh;
		enum mmu_memtype memtype;
		unsigned device;
		uint8_t attr;
		unsigned want_sh;
	} cases[] = {
		{0x00, 0, MMU_MEM_DEVICE, 0, 0x00, 2}, {0x04, 3, MMU_MEM_DEVICE, 1, 0x04, 2},
		{0x08, 0, MMU_MEM_DEVICE, 2, 0x08, 2}, {0x0c, 0, MMU_MEM_DEVICE, 3, 0x0c, 2},
		{0xff, 3, MMU_MEM_NORMAL, 0, 0xff, 3}, {0xff, 2, MMU_MEM_NORMAL, 0, 0xff, 2},
		{0xff, 0, MMU_MEM_NORMAL, 0, 0xff, 0}, {0x44, 3, MMU_MEM_NORMAL_NC, 0, 0x44, 2},
		{0xbb, 3, MMU_MEM_NORMAL, 0, 0xbb, 3}, {0x4f, 3, MMU_MEM_NORMAL, 0, 0x4f, 3},
		{0x77, 3, MMU_MEM_NORMAL, 0, 0x77, 3}, {0xee, 3, MMU_MEM_NORMAL, 0, 0xee, 3},
	};

	w.regime.mair = (uint64_t)cases[_i].mair << 40;
	map_page(D_ATTR(5) | D_SH(cases[_i].sh) | D_GP);
	ASSERT_OK(VA, MMU_READ, false);
	ck_assert_int_eq(w.result.memtype, cases[_i].memtype);
	ck_assert_uint_eq(w.result.device, cases[_i].device);
	ck_assert_uint_eq(w.result.attr, cases[_i].attr);
	ck_assert_uint_eq(w.result.shareability, cases[_i].want_sh);
	ck_assert(w.result.guarded);
	// Cacheability controls.
	w.regime.sctlr &= ~(BIT(2) | BIT(12));
	ASSERT_OK(VA, MMU_READ, false);
	ck_assert_int_eq(w.result.memtype,
			 cases[_i].memtype == MMU_MEM_DEVICE ? MMU_MEM_DEVICE : MMU_MEM_NORMAL_NC);
	ASSERT_OK(VA, MMU_EXEC, false);
	ck_assert_int_eq(w.result.memtype, MMU_MEM_NORMAL_NC);
	w.features.bti = false;
	ASSERT_OK(VA, MMU_READ, false);
	ck_assert(!w.result.guarded);
}
END_TEST

START_TEST(secure_output)
{
	uint64_t table;

	w.regime.secure = true;
	map_page(0);
	ASSERT_OK(VA, MMU_READ, false);
	ck_assert_int_eq(w.result.pas, PAS_SECURE);
	ck_assert(!w.result.ns);
	map_page(D_NS);
	ASSERT_OK(VA, MMU_EXEC, false);
	ck_assert_int_eq(w.result.pas, PAS_NONSECURE);
	ck_assert(w.result.ns);
	ck_assert(w.result.global);
	w.regime.scr = BIT(9);
	ASSERT_FAULT(VA, MMU_EXEC, false, 15);
	ASSERT_CONTROL("SCR_EL3.SIF");
	ASSERT_OK(VA, MMU_READ, false);
	// NSTable: everything below is Non-secure and not global, whatever NS and nG say.
	map_page(0);
	table = descriptor_at(w.regime.ttbr[0], VA, 12, 0, 1);
	put(table, get(table) | BIT(63));
	ASSERT_OK(VA, MMU_READ, false);
	ck_assert_int_eq(w.result.pas, PAS_NONSECURE);
	ck_assert(!w.result.global);
	// EL3 is Secure; a Non-secure walk does not know NS.
	w.regime.kind = MMU_REGIME_EL3;
	w.regime.secure = false;
	w.regime.tcr = 16 | UINT64_C(5) << 16;
	put(table, get(table) & ~BIT(63));
	ASSERT_OK(VA, MMU_READ, false);
	ck_assert_int_eq(w.result.pas, PAS_SECURE);
	w.regime.kind = MMU_REGIME_EL2;
	ASSERT_OK(VA, MMU_READ, false);
	ck_assert_int_eq(w.result.pas, PAS_NONSECURE);
}
END_TEST

START_TEST(asid_and_vmid)
{
	w.regime.ttbr[0] = UINT64_C(0x1234) << 48;
	w.regime.ttbr[1] = UINT64_C(0x5678) << 48;
	w.regime.vttbr = UINT64_C(0x9abc) << 48;
	ck_assert_uint_eq(mmu_regime_asid(&w.regime), 0x34);
	w.regime.tcr |= BIT(22);
	ck_assert_uint_eq(mmu_regime_asid(&w.regime), 0x78);
	w.regime.tcr |= BIT(36);
	ck_assert_uint_eq(mmu_regime_asid(&w.regime), 0x5678);
	w.features.asid16 = false;
	ck_assert_uint_eq(mmu_regime_asid(&w.regime), 0x78);
	ck_assert_uint_eq(mmu_regime_vmid(&w.regime), 0);
	w.regime.has_el2 = true;
	ck_assert_uint_eq(mmu_regime_vmid(&w.regime), 0xbc);
	w.regime.vtcr |= BIT(19);
	ck_assert_uint_eq(mmu_regime_vmid(&w.regime), 0x9abc);
	w.regime.kind = MMU_REGIME_EL2;
	ck_assert_uint_eq(mmu_regime_vmid(&w.regime), 0);
	ck_assert_uint_eq(mmu_regime_asid(&w.regime), 0);
}
END_TEST

START_TEST(status_codes)
{
	static const struct {
		enum mmu_fault_type type;
		int level;
		unsigned status;
	} cases[] = {
		{MMU_FAULT_ADDRESS_SIZE, 0, 0x00},       {MMU_FAULT_ADDRESS_SIZE, 3, 0x03},
		{MMU_FAULT_ADDRESS_SIZE, -1, 0x29},      {MMU_FAULT_TRANSLATION, 2, 0x06},
		{MMU_FAULT_TRANSLATION, -1, 0x2b},       {MMU_FAULT_ACCESS_FLAG, 1, 0x09},
		{MMU_FAULT_PERMISSION, 3, 0x0f},         {MMU_FAULT_EXTERNAL, 0, 0x10},
		{MMU_FAULT_EXTERNAL_WALK, 0, 0x14},      {MMU_FAULT_EXTERNAL_WALK, 3, 0x17},
		{MMU_FAULT_EXTERNAL_WALK, -1, 0x13},     {MMU_FAULT_ALIGNMENT, 0, 0x21},
		{MMU_FAULT_TLB_CONFLICT, 0, 0x30},       {MMU_FAULT_UNSUPPORTED_HW_UPDATE, 0, 0x31},
		{MMU_FAULT_UNSUPPORTED_ATOMIC, 0, 0x35},
	};
	struct mmu_fault fault = {.type = cases[_i].type, .level = (int8_t)cases[_i].level};

	ck_assert_uint_eq(mmu_fault_status(&fault), cases[_i].status);
	ck_assert_uint_eq(mmu_par_fault(&fault), BIT(11) | cases[_i].status << 1 | 1);
	fault.stage2 = fault.s1ptw = true;
	ck_assert_uint_eq(mmu_par_fault(&fault),
			  BIT(11) | BIT(9) | BIT(8) | cases[_i].status << 1 | 1);
}
END_TEST

START_TEST(par_of_success)
{
	w.regime.secure = true;
	map_page(D_NS | D_SH(3));
	ASSERT_OK(VA, MMU_READ, false);
	ck_assert_uint_eq(mmu_par_success(&w.regime, &w.result),
			  UINT64_C(0xff) << 56 | OA | BIT(11) | BIT(9) | UINT64_C(3) << 7);
	map_page(D_ATTR(3));
	ASSERT_OK(VA, MMU_READ, false);
	ck_assert_uint_eq(mmu_par_success(&w.regime, &w.result),
			  UINT64_C(4) << 56 | OA | BIT(11) | UINT64_C(2) << 7);
}
END_TEST

START_TEST(granules_not_implemented)
{
	w.features.gran64k = w.features.gran16k = false;
	map_page(0);
	w.regime.tcr |= TCR_TG0_64K;
	ASSERT_PA(VA, OA | 0xabc);
	w.features.gran4k = false;
	w.features.gran64k = true;
	w.regime.tcr = bits_set(w.regime.tcr, 15, 14, 0);
	w.regime.ttbr[0] = new_table(16);
	put(descriptor_at(w.regime.ttbr[0], VA, 16, 1, 3), OA | D_PAGE | D_AF);
	ASSERT_PA(VA, OA | (VA & 0xffff));
}
END_TEST

START_TEST(nested_virtualisation_el1)
{
	// NV, NV1: bit 54 is PXN, AP[1] and APTable[0] do not exist, PAN does not apply.
	w.features.nv1 = true;
	w.regime.has_el2 = true;
	w.regime.hcr = BIT(42) | BIT(43);
	map_page(D_AP_EL0);
	w.access.pan = true;
	ASSERT_OK(VA, MMU_WRITE, false);
	ASSERT_OK(VA, MMU_EXEC, false);
	ASSERT_FAULT(VA, MMU_READ, true, 15);
	map_page(D_UXN);
	ASSERT_FAULT(VA, MMU_EXEC, false, 15);
	map_page(D_PXN);
	ASSERT_OK(VA, MMU_EXEC, false);
	w.regime.hcr = BIT(43);
	ASSERT_FAULT(VA, MMU_EXEC, false, 15);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mmu");
	TCase *tcase = tcase_create("stage 1");

	tcase_add_checked_fixture(tcase, world_setup, world_teardown);
	tcase_add_loop_test(tcase, translation_faults, 0, 3);
	tcase_add_loop_test(tcase, leaves_of_every_level, 0, 3);
	tcase_add_loop_test(tcase, contiguous_leaves, 0, 7);
	tcase_add_loop_test(tcase, access_flag_faults, 0, 3);
	tcase_add_loop_test(tcase, address_size_faults, 0, 3);
	tcase_add_loop_test(tcase, external_aborts_on_walks, 0, 3);
	tcase_add_test(tcase, input_sizes);
	tcase_add_test(tcase, sizes_out_of_range_without_lva_are_clamped);
	tcase_add_test(tcase, upper_range);
	tcase_add_test(tcase, top_byte_ignore);
	tcase_add_test(tcase, disabled_ranges);
	tcase_add_loop_test(tcase, access_permissions, 0, 10);
	tcase_add_loop_test(tcase, hierarchical_permissions, 0, 7);
	tcase_add_test(tcase, write_implies_execute_never);
	tcase_add_test(tcase, privileged_access_never);
	tcase_add_test(tcase, atomics_and_cache_operations);
	tcase_add_test(tcase, one_range_regimes);
	tcase_add_test(tcase, hardware_access_flag);
	tcase_add_test(tcase, hardware_dirty_state);
	tcase_add_test(tcase, big_endian_tables);
	tcase_add_test(tcase, lpa2_4k);
	tcase_add_test(tcase, lpa2_16k);
	tcase_add_test(tcase, lpa_64k);
	tcase_add_test(tcase, mmu_off);
	tcase_add_loop_test(tcase, memory_attributes, 0, 12);
	tcase_add_test(tcase, secure_output);
	tcase_add_test(tcase, asid_and_vmid);
	tcase_add_loop_test(tcase, status_codes, 0, 15);
	tcase_add_test(tcase, par_of_success);
	tcase_add_test(tcase, granules_not_implemented);
	tcase_add_test(tcase, nested_virtualisation_el1);
	suite_add_tcase(suite, tcase);
	return world_run(suite);
}
