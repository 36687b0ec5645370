// SPDX-License-Identifier: Apache-2.0
// Stage 2 without a TLB: each fault type and level at each granule, faults on stage 1 walks, start
// levels and concatenation, permissions, hardware updates, combined attributes, Secure stage 2.
#include "mmu_world.h"

#define VA UINT64_C(0x0000123456789abc)
// Stage 1 maps VA to this IPA; its indices differ at each level and granule.
#define IPA UINT64_C(0x0000005a3b7c1000)
#define PA_OUT UINT64_C(0x0000007123400000)

struct geometry {
	unsigned granule;
	uint64_t tg0;
	unsigned t0sz;
	uint64_t sl0;
	int start_level;
	int block_level;
};

// A 40-bit IPA.
static const struct geometry geometries[] = {
	{12, TCR_TG0_4K, 24, 1, 1, 1}, // two concatenated level 1 tables
	{14, TCR_TG0_16K, 24, 1, 2, 2}, // sixteen concatenated level 2 tables
	{16, TCR_TG0_64K, 24, 1, 2, 2},
};

static uint64_t s2_top;

static uint64_t lsb_of(unsigned granule, int level)
{
	return granule + (granule - 3) * (unsigned)(3 - level);
}

// The stage 2 descriptor for ipa at this level; tables are made on the way.
static uint64_t s2_place(const struct geometry *g, uint64_t ipa, int level)
{
	uint64_t table = s2_top;
	uint64_t place = table + 8 * (ipa >> lsb_of(g->granule, g->start_level));

	for (int i = g->start_level; i < level; i++) {
		if ((get(place) & 3) != 3) {
			put(place, new_table(g->granule) | D_TABLE);
		}
		table = get(place) & MASK(47, 0) & ~(BIT(g->granule) - 1);
		place = table + 8 * table_index(ipa, g->granule, i + 1);
	}
	return place;
}

static void s2_identity(const struct geometry *g)
{
	int level = g->block_level;

	// All RAM (tables of both stages and stage 1's outputs there) by the largest blocks that
	// start with it.
	for (uint64_t pa = RAM_BASE; pa < RAM_BASE + RAM_SIZE;
	     pa += BIT(lsb_of(g->granule, level))) {
		put(s2_place(g, pa, level), pa | D_BLOCK | D_S2_RW);
	}
}

static void s2_use(const struct geometry *g)
{
	// The first table, up to 16 together, aligned to all of them.
	uint64_t size = BIT(64 - g->t0sz - lsb_of(g->granule, g->start_level) + 3);

	s2_top = align_up(w.free_table, size < 0x10000 ? 0x10000 : size);
	w.free_table = s2_top + size;
	w.regime.has_el2 = true;
	w.regime.hcr = BIT(0);
	w.regime.vtcr = g->tg0 | g->t0sz | g->sl0 << 6 | UINT64_C(5) << 16;
	w.regime.vttbr = s2_top;
	s2_identity(g);
}

// Stage 1: VA -> IPA, by a 4K page. Returns the place of its descriptor.
static uint64_t s1_map(uint64_t more)
{
	uint64_t place = descriptor_at(w.regime.ttbr[0], VA, 12, 0, 3);

	put(place, IPA | D_PAGE | D_AF | more);
	return place;
}

static uint64_t s2_map(const struct geometry *g, int level, uint64_t more)
{
	uint64_t place = s2_place(g, IPA, level);
	uint64_t mask = ~(BIT(lsb_of(g->granule, level)) - 1);

	put(place, (PA_OUT & mask) | (level == 3 ? D_PAGE : D_BLOCK) | more);
	return place;
}

static void setup(void)
{
	world_setup();
	s2_use(&geometries[0]);
	s1_map(D_AP_EL0 | D_SH(3));
}

START_TEST(translation_faults)
{
	const struct geometry *g = &geometries[_i];

	s2_use(g);
	for (int level = g->start_level; level <= 3; level++) {
		put(s2_place(g, IPA, level), 0);
		ASSERT_S2_FAULT(VA, MMU_READ, false, 4 + (unsigned)level, false);
		ck_assert_uint_eq(w.fault.ipa.v, IPA | 0xabc);
		ck_assert(!w.fault.write);
		ck_assert(!w.fault.ipa_ns);
		ASSERT_S2_FAULT(VA, MMU_WRITE, true, 4 + (unsigned)level, false);
		ck_assert(w.fault.write);
		ASSERT_S2_FAULT(VA, MMU_EXEC, true, 4 + (unsigned)level, false);
		// AT S1E1R stops before.
		w.access.s1_only = true;
		ASSERT_PA(VA, IPA | 0xabc);
		w.access.s1_only = false;
	}
}
END_TEST

START_TEST(leaves)
{
	const struct geometry *g = &geometries[_i];

	for (int level = g->block_level; level <= 3; level++) {
		uint64_t mask = BIT(lsb_of(g->granule, level)) - 1;

		s2_use(g);
		s2_map(g, level, D_S2_RW);
		ASSERT_PA(VA, (PA_OUT & ~mask) | ((IPA | 0xabc) & mask));
		ck_assert_uint_eq(w.result.page_shift, 12);
		ck_assert_uint_eq(w.result.ipa.v, IPA | 0xabc);
		ck_assert(w.result.has_stage2);
	}
	s2_use(&geometries[0]);
	s2_map(&geometries[0], 3, D_S2_RW | D_CONT);
	ASSERT_PA(VA, (PA_OUT & ~UINT64_C(0xffff)) | ((IPA | 0xabc) & 0xffff));
}
END_TEST

START_TEST(access_flag_permission_and_size)
{
	const struct geometry *g = &geometries[_i];

	for (int level = g->block_level; level <= 3; level++) {
		s2_use(g);
		s2_map(g, level, D_S2_RW & ~D_AF);
		ASSERT_S2_FAULT(VA, MMU_READ, false, 8 + (unsigned)level, false);
		s2_map(g, level, D_S2_RW & ~D_S2_W);
		ASSERT_OK(VA, MMU_READ, false);
		ck_assert(!w.result.writable);
		ASSERT_S2_FAULT(VA, MMU_WRITE, false, 12 + (unsigned)level, false);
		ck_assert(w.fault.write);
		s2_map(g, level, D_S2_RW & ~D_S2_R);
		ASSERT_S2_FAULT(VA, MMU_READ, false, 12 + (unsigned)level, false);
		ck_assert(!w.fault.write);
		ASSERT_OK(VA, MMU_WRITE, false);
		w.access.atomic = true;
		ASSERT_S2_FAULT(VA, MMU_WRITE, false, 12 + (unsigned)level, false);
		ck_assert(!w.fault.write);
		w.access.atomic = false;
		// Output beyond VTCR_EL2.PS (36 bits).
		s2_map(g, level, D_S2_RW);
		w.regime.vtcr = bits_set(w.regime.vtcr, 18, 16, 1);
		ASSERT_S2_FAULT(VA, MMU_READ, false, (unsigned)level, false);
		ASSERT_CONTROL("VTCR_EL2.PS");
		// A table beyond it.
		put(s2_place(g, IPA, 2), BIT(37) | D_TABLE);
		ASSERT_S2_FAULT(VA, MMU_READ, false, 2, false);
	}
	put(s2_place(&geometries[_i], IPA, 2), UINT64_C(0x200000000) | D_TABLE);
	ck_assert(!try_access(VA, MMU_READ, false));
	ck_assert_uint_eq(mmu_fault_status(&w.fault), 0x17);
	w.regime.vttbr = BIT(40);
	ASSERT_S2_FAULT(VA, MMU_READ, false, 0, true);
}
END_TEST

START_TEST(faults_on_stage1_walks)
{
	const struct geometry *g = &geometries[0];
	uint64_t tables[4];

	// Give each stage 1 table its own 4K stage 2 page.
	for (int level = 0; level <= 3; level++) {
		tables[level] = descriptor_at(w.regime.ttbr[0], VA, 12, 0, level) & ~PAGE_MASK;
	}
	put(s2_place(g, RAM_BASE, 1), 0);
	for (uint64_t pa = RAM_BASE; pa < RAM_BASE + 0x400000; pa += 0x1000) {
		put(s2_place(g, pa, 3), pa | D_PAGE | D_S2_RW);
	}
	s2_map(g, 3, D_S2_RW);
	ASSERT_OK(VA, MMU_WRITE, false);
	for (int level = 0; level <= 3; level++) {
		uint64_t place = s2_place(g, tables[level], 3);
		uint64_t old = get(place);

		put(place, 0);
		ASSERT_S2_FAULT(VA, MMU_READ, false, 7, true);
		ck_assert_uint_eq(w.fault.ipa.v, tables[level] + 8 * table_index(VA, 12, level));
		// s1_only still walks through stage 2.
		w.access.s1_only = true;
		ASSERT_S2_FAULT(VA, MMU_READ, false, 7, true);
		w.access.s1_only = false;
		put(place, old & ~D_AF);
		ASSERT_S2_FAULT(VA, MMU_EXEC, false, 11, true);
		put(place, old & ~D_S2_R);
		ASSERT_S2_FAULT(VA, MMU_READ, false, 15, true);
		put(place, old & ~D_S2_W);
		ASSERT_OK(VA, MMU_WRITE, false);
		// Device memory: allowed, unless HCR_EL2.PTW.
		put(place, (old & ~D_S2_MEM(15)) | D_S2_MEM(1));
		ASSERT_OK(VA, MMU_READ, false);
		w.regime.hcr |= BIT(2);
		ASSERT_S2_FAULT(VA, MMU_READ, false, 15, true);
		ASSERT_CONTROL("HCR_EL2.PTW");
		w.regime.hcr ^= BIT(2);
		put(place, old);
	}
}
END_TEST

START_TEST(stage1_updates_need_stage2_write_permission)
{
	const struct geometry *g = &geometries[0];
	uint64_t place = s1_map(D_DBM | D_AP_RO);
	uint64_t clean = get(place);
	uint64_t s2;

	put(s2_place(g, RAM_BASE, 1), 0);
	for (uint64_t pa = RAM_BASE; pa < RAM_BASE + 0x400000; pa += 0x1000) {
		put(s2_place(g, pa, 3), pa | D_PAGE | D_S2_RW);
	}
	s2_map(g, 3, D_S2_RW);
	s2 = s2_place(g, place, 3);
	put(s2, get(s2) & ~D_S2_W);
	w.regime.tcr |= BIT(39) | BIT(40);
	ASSERT_OK(VA, MMU_READ, false);
	ASSERT_S2_FAULT(VA, MMU_WRITE, false, 15, true);
	ck_assert_uint_eq(w.fault.ipa.v, place);
	ck_assert_uint_eq(get(place), clean);
	put(place, clean & ~D_AF);
	ASSERT_S2_FAULT(VA, MMU_READ, false, 15, true);
	// Stage 2's own dirty state makes the page of the table writable.
	w.regime.vtcr |= BIT(21) | BIT(22);
	put(s2, get(s2) | D_DBM);
	ASSERT_OK(VA, MMU_WRITE, false);
	ck_assert_uint_eq(get(place), clean & ~D_AP_RO);
	ck_assert(get(s2) & D_S2_W);
}
END_TEST

START_TEST(hardware_updates)
{
	const struct geometry *g = &geometries[0];
	uint64_t place = s2_map(g, 3, (D_S2_RW & ~(D_AF | D_S2_W)) | D_DBM);
	uint64_t clean = get(place) | D_AF;

	w.regime.vtcr |= BIT(21);
	ASSERT_OK(VA, MMU_READ, false);
	ck_assert_uint_eq(get(place), clean);
	ASSERT_S2_FAULT(VA, MMU_WRITE, false, 15, false);
	w.regime.vtcr |= BIT(22);
	ASSERT_OK(VA, MMU_READ, false);
	ck_assert(!w.result.writable);
	ck_assert_uint_eq(get(place), clean);
	w.access.at = true;
	ASSERT_OK(VA, MMU_WRITE, false);
	ck_assert_uint_eq(get(place), clean);
	w.access.at = false;
	ASSERT_OK(VA, MMU_WRITE, false);
	ck_assert(w.result.writable);
	ck_assert_uint_eq(get(place), clean | D_S2_W);
}
END_TEST

START_TEST(execute_never)
{
	// XN[1:0] = bits 54:53: EL1, EL0.
	static const char *const want[4] = {"xx", "-x", "--", "x-"};
	const struct geometry *g = &geometries[0];

	s1_map(D_AP_EL0 | D_AP_RO);
	s2_map(g, 3, D_S2_RW | (uint64_t)_i << 53);
	for (unsigned el0 = 0; el0 < 2; el0++) {
		if (want[_i][el0] == 'x') {
			ASSERT_OK(VA, MMU_EXEC, el0);
			ck_assert(w.result.executable);
		} else {
			ASSERT_S2_FAULT(VA, MMU_EXEC, el0, 15, false);
			ASSERT_OK(VA, MMU_READ, el0);
			ck_assert(!w.result.executable);
		}
		// Without FEAT_XNX only bit 54 counts.
		w.features.xnx = false;
		ck_assert_int_eq(try_access(VA, MMU_EXEC, el0), _i < 2);
		w.features.xnx = true;
	}
}
END_TEST

START_TEST(cache_operations)
{
	const struct geometry *g = &geometries[0];

	w.access.cache_op = true;
	s2_map(g, 3, D_S2_RW & ~(D_S2_R | D_S2_W));
	ASSERT_OK(VA, MMU_READ, false);
	ASSERT_S2_FAULT(VA, MMU_READ, true, 15, false);
	ck_assert(w.fault.write);
	ASSERT_S2_FAULT(VA, MMU_WRITE, false, 15, false);
}
END_TEST

START_TEST(start_levels)
{
	static const struct {
		unsigned granule;
		uint64_t tg0;
		unsigned sl0;
		unsigned t0sz_min, t0sz_max; // consistent sizes, inclusive
	} cases[] = {
		{12, TCR_TG0_4K, 2, 16, 24}, // level 0: 40..48 bits
		{12, TCR_TG0_4K, 1, 21, 33}, // level 1: 31..43
		{12, TCR_TG0_4K, 0, 30, 42}, // level 2: 22..34
		{12, TCR_TG0_4K, 3, 39, 48}, // level 3, FEAT_TTST: 16..25
		{14, TCR_TG0_16K, 2, 16, 27}, // level 1: 37..51
		{14, TCR_TG0_16K, 1, 24, 38}, // level 2
		{14, TCR_TG0_16K, 0, 35, 48}, // level 3: 15..29
		{16, TCR_TG0_64K, 2, 16, 21}, // level 1: 43..
		{16, TCR_TG0_64K, 1, 18, 34}, // level 2: 30..46
		{16, TCR_TG0_64K, 0, 31, 47}, // level 3: 17..33
	};

	w.regime.sctlr = 0; // stage 1 off: the IPA is the VA
	for (unsigned t0sz = 16; t0sz <= 48; t0sz++) {
		bool fits = t0sz >= cases[_i].t0sz_min && t0sz <= cases[_i].t0sz_max;

		w.regime.vtcr =
			cases[_i].tg0 | t0sz | (uint64_t)cases[_i].sl0 << 6 | UINT64_C(5) << 16;
		w.regime.vttbr = RAM_BASE + 0x3000000; // zeros
		ck_assert(!try_access(0x1234, MMU_READ, false));
		ck_assert(w.fault.stage2);
		ck_assert_int_eq(w.fault.type, MMU_FAULT_TRANSLATION);
		if (!fits) {
			ck_assert_int_eq(w.fault.level, 0);
			ck_assert_ptr_nonnull(w.fault.control);
		} else {
			ck_assert_int_eq(w.fault.level,
					 (cases[_i].granule == 12
						  ? (const int[]){2, 1, 0, 3}[cases[_i].sl0]
						  : 3 - (int)cases[_i].sl0));
			// Just outside of the IPA size.
			ck_assert(!try_access(BIT(64 - t0sz), MMU_READ, false));
			ck_assert_int_eq(w.fault.level, 0);
		}
	}
	ck_assert(!try_access(0, MMU_READ, false));
	w.regime.vtcr = bits_set(w.regime.vtcr, 5, 0, 15);
	ASSERT_S2_FAULT(0, MMU_READ, false, 4, false);
	ASSERT_CONTROL("VTCR_EL2.T0SZ");
	w.regime.vtcr = bits_set(w.regime.vtcr, 5, 0, 50);
	ASSERT_S2_FAULT(0, MMU_READ, false, 4, false);
}
END_TEST

START_TEST(reserved_start_levels)
{
	w.regime.sctlr = 0;
	// 16K and 64K SL0 = 3.
	w.regime.vtcr = TCR_TG0_16K | 20 | UINT64_C(3) << 6 | UINT64_C(5) << 16;
	ASSERT_S2_FAULT(0, MMU_READ, false, 4, false);
	ASSERT_CONTROL("VTCR_EL2.SL0");
	w.regime.vtcr = TCR_TG0_64K | 20 | UINT64_C(3) << 6 | UINT64_C(5) << 16;
	ASSERT_S2_FAULT(0, MMU_READ, false, 4, false);
	// Level 3 without FEAT_TTST.
	w.features.ttst = false;
	w.regime.vtcr = TCR_TG0_4K | 39 | UINT64_C(3) << 6 | UINT64_C(5) << 16;
	ASSERT_S2_FAULT(0, MMU_READ, false, 4, false);
	// Level 0 with a PA below 44 bits.
	w.features.pa_bits = 40;
	w.regime.vtcr = TCR_TG0_4K | 24 | UINT64_C(2) << 6 | UINT64_C(2) << 16;
	ASSERT_S2_FAULT(0, MMU_READ, false, 4, false);
}
END_TEST

START_TEST(lpa2)
{
	uint64_t top = RAM_BASE + 0x3000000;

	// 52-bit IPA: SL2 starts 4K at level -1.
	w.features.pa_bits = 52;
	w.regime.sctlr = 0;
	w.regime.vttbr = top;
	w.regime.vtcr = TCR_TG0_4K | 12 | UINT64_C(6) << 16 | BIT(32) | BIT(33) | UINT64_C(3) << 12;
	ASSERT_S2_FAULT(UINT64_C(0x9000000000000), MMU_READ, false, 0x2b, false);
	put(top + 8 * 9, (top + 0x1000) | D_TABLE);
	put(top + 0x1000,
	    D_BLOCK | D_AF | D_S2_R | D_S2_MEM(15) | UINT64_C(1) << 9 | UINT64_C(1) << 39);
	ASSERT_PA(UINT64_C(0x9000000000abc), BIT(51) | BIT(39) | 0xabc);
	ck_assert_uint_eq(w.result.page_shift, 30); // (a flat stage 1)
	// SL2 with SL0 other than 0 is reserved.
	w.regime.vtcr |= UINT64_C(1) << 6;
	ASSERT_S2_FAULT(0, MMU_READ, false, 4, false);
	// 16K SL0 = 3 is level 0 with DS.
	w.regime.vtcr = TCR_TG0_16K | 12 | UINT64_C(6) << 16 | BIT(32) | UINT64_C(3) << 6;
	w.regime.vttbr = top + 0x100000;
	ASSERT_S2_FAULT(0, MMU_READ, false, 4, false);
	ck_assert_ptr_null(w.fault.control);
}
END_TEST

struct attr_case {
	uint8_t s1; // MAIR attribute
	unsigned s1_sh;
	unsigned s2; // MemAttr[3:0]
	unsigned s2_sh;
	uint8_t attr;
	unsigned sh;
};

static void check_attrs(const struct attr_case *c)
{
	w.regime.mair = c->s1;
	s1_map(D_SH(c->s1_sh));
	s2_map(&geometries[0], 3,
	       (D_S2_RW & ~(D_S2_MEM(15) | D_SH(3))) | D_S2_MEM(c->s2) | D_SH(c->s2_sh));
	ASSERT_OK(VA, MMU_READ, false);
	ck_assert_uint_eq(w.result.attr, c->attr);
	ck_assert_uint_eq(w.result.shareability, c->sh);
}

START_TEST(combined_attributes)
{
	static const struct attr_case cases[] =
		{
			{0xff, 3, 15, 3, 0xff, 3}, {0xff, 0, 15, 3, 0xff, 3},
			{0xff, 3, 15, 2, 0xff, 2}, {0xff, 0, 15, 0, 0xff, 0},
			{0xff, 3, 10, 3, 0xbb, 3}, // write-through weakens write-back
			{0xff, 3, 5, 3, 0x44, 2}, // non-cacheable, then outer shareable
			{0x44, 3, 15, 3, 0x44, 2}, {0xff, 3, 7, 3, 0x4f, 3}, // outer NC, inner WB
			{0xff, 3, 0, 3, 0x00, 2},  {0xff, 3, 1, 3, 0x04, 2}, // device wins
			{0x0c, 0, 15, 3, 0x0c, 2}, {0x0c, 0, 1, 0, 0x04, 2}, // the stronger device
			{0x00, 0, 3, 0, 0x00, 2},  {0x04, 0, 15, 0, 0x04, 2},
		};

	check_attrs(&cases[_i]);
}
END_TEST

START_TEST(forced_write_back)
{
	static const struct attr_case cases[] = {
		{0xff, 3, 7, 3, 0xff, 3}, // 0b0111: stage 1 alone
		{0x44, 3, 7, 3, 0x44, 2}, {0x04, 3, 7, 3, 0x04, 2},
		{0x44, 3, 6, 3, 0xff, 2}, // 0b0110: write-back
		{0x04, 3, 6, 3, 0xff, 2}, {0xbb, 0, 6, 3, 0xff, 3},
		{0xff, 3, 5, 3, 0x44, 2}, // 0b0101: non-cacheable
		{0x04, 3, 5, 3, 0x04, 2}, {0xff, 3, 1, 3, 0x04, 2}, // device
		{0x00, 3, 2, 3, 0x00, 2},
	};

	w.regime.hcr |= BIT(46);
	// RAM with the tables, in this encoding.
	put(s2_place(&geometries[0], RAM_BASE, 1),
	    RAM_BASE | D_BLOCK | D_S2_R | D_S2_W | D_S2_MEM(6) | D_AF);
	check_attrs(&cases[_i]);
}
END_TEST

// FEAT_XS: FnXS, bit 11 of a leaf of stage 2, takes the attribute away; stage 2 never gives it.
START_TEST(xs_attribute)
{
	static const struct {
		uint8_t s1; // MAIR attribute
		unsigned s2; // MemAttr[3:0]
		bool fnxs, fwb;
		uint8_t attr;
	} cases[] = {
		{0x44, 15, false, false, 0x44},
		{0x44, 15, true, false, 0x40},
		{0x40, 15, false, false, 0x40},
		{0xaa, 15, true, false, 0xa0},
		{0xa0, 15, false, false, 0xa0},
		{0xa0, 5, false, false, 0x40},
		{0xab, 15, true, false, 0xa0}, // inner hints are not told apart
		{0xbb, 15, true, false, 0xbb}, // no such encoding without XS
		{0x04, 15, true, false, 0x05},
		{0x05, 15, false, false, 0x05},
		{0x05, 0, false, false, 0x01},
		{0x44, 1, false, false, 0x04},
		{0x44, 1, true, false, 0x05},
		{0xff, 1, false, false, 0x05}, // write-back has it not
		{0xff, 15, true, false, 0xff},
		{0xff, 5, false, false, 0x40},
		{0xff, 10, false, false, 0xbb},
		{0x44, 7, true, true, 0x40},
		{0x04, 7, true, true, 0x05},
		{0x44, 6, false, true, 0xff},
		{0x44, 1, false, true, 0x04},
		{0xff, 1, false, true, 0x05},
		{0xff, 5, false, true, 0x40},
		{0x44, 5, true, true, 0x40},
	};

	w.features.xs = true;
	w.regime.mair = cases[_i].s1;
	s1_map(D_SH(3));
	if (cases[_i].fwb) {
		w.regime.hcr |= BIT(46);
		put(s2_place(&geometries[0], RAM_BASE, 1),
		    RAM_BASE | D_BLOCK | D_S2_R | D_S2_W | D_S2_MEM(6) | D_AF);
	}
	s2_map(&geometries[0], 3,
	       (D_S2_RW & ~D_S2_MEM(15)) | D_S2_MEM(cases[_i].s2) | (cases[_i].fnxs ? BIT(11) : 0));
	ASSERT_OK(VA, MMU_READ, false);
	ck_assert_uint_eq(w.result.attr, cases[_i].attr);
}
END_TEST

START_TEST(stage2_cache_disables)
{
	s2_map(&geometries[0], 3, D_S2_RW);
	w.regime.hcr |= BIT(32); // CD
	ASSERT_OK(VA, MMU_READ, false);
	ck_assert_int_eq(w.result.memtype, MMU_MEM_NORMAL_NC);
	s1_map(D_AP_EL0 | D_AP_RO);
	ASSERT_OK(VA, MMU_EXEC, false);
	ck_assert_int_eq(w.result.memtype, MMU_MEM_NORMAL);
	w.regime.hcr ^= BIT(32) | BIT(33); // ID
	ASSERT_OK(VA, MMU_EXEC, false);
	ck_assert_int_eq(w.result.memtype, MMU_MEM_NORMAL_NC);
	ASSERT_OK(VA, MMU_READ, false);
	ck_assert_int_eq(w.result.memtype, MMU_MEM_NORMAL);
}
END_TEST

START_TEST(default_cacheable)
{
	// DC: stage 1 off whatever SCTLR_EL1.M says, write-back, and stage 2 on without VM.
	w.regime.hcr = BIT(12);
	s2_map(&geometries[0], 3, D_S2_RW);
	ASSERT_PA(IPA | 0x10, PA_OUT | 0x10);
	ck_assert_uint_eq(w.result.attr, 0xff);
	ck_assert_uint_eq(w.result.shareability, 3);
	put(s2_place(&geometries[0], IPA, 3), 0);
	ASSERT_S2_FAULT(IPA, MMU_READ, false, 7, false);
}
END_TEST

START_TEST(stage2_applies_to_el10_only)
{
	w.regime.kind = MMU_REGIME_EL20;
	ASSERT_PA(VA, IPA | 0xabc);
	ck_assert(!w.result.has_stage2);
	w.regime.kind = MMU_REGIME_EL10;
	w.regime.has_el2 = false;
	ASSERT_PA(VA, IPA | 0xabc);
	w.regime.has_el2 = true;
	w.regime.hcr = 0;
	ASSERT_PA(VA, IPA | 0xabc);
}
END_TEST

START_TEST(big_endian)
{
	uint64_t place = s2_map(&geometries[0], 3, D_S2_RW);

	ASSERT_OK(VA, MMU_READ, false);
	// SCTLR_EL2.EE, not SCTLR_EL1.EE, is for stage 2.
	w.regime.sctlr = 0;
	w.regime.s2_ee = true;
	for (int level = 3; level >= 1; level--) {
		place = s2_place(&geometries[0], IPA, level);
		put(place, __builtin_bswap64(get(place)));
	}
	ASSERT_PA(IPA, PA_OUT);
}
END_TEST

START_TEST(secure_stage2)
{
	uint64_t secure_top = RAM_BASE + 0x3000000;
	uint64_t ns_top = RAM_BASE + 0x3100000;

	w.regime.secure = true;
	w.regime.vstcr = TCR_TG0_4K | 24 | UINT64_C(1) << 6;
	w.regime.vsttbr = secure_top;
	w.regime.vttbr = ns_top;
	put(secure_top + 8 * 1, RAM_BASE | D_BLOCK | D_S2_RW);
	put(secure_top + 8 * (IPA >> 30), UINT64_C(0x100000000) | D_BLOCK | D_S2_RW);
	put(ns_top + 8 * (IPA >> 30), UINT64_C(0x200000000) | D_BLOCK | D_S2_RW);
	s1_map(0);
	ASSERT_PA(VA, UINT64_C(0x100000000) | ((IPA | 0xabc) & MASK(29, 0)));
	ck_assert_int_eq(w.result.pas, PAS_SECURE);
	s1_map(D_NS);
	ASSERT_PA(VA, UINT64_C(0x200000000) | ((IPA | 0xabc) & MASK(29, 0)));
	ck_assert_int_eq(w.result.pas, PAS_SECURE); // NSW = NSA = 0
	w.regime.vtcr |= BIT(30); // NSA
	ASSERT_OK(VA, MMU_READ, false);
	ck_assert_int_eq(w.result.pas, PAS_NONSECURE);
	w.regime.vtcr ^= BIT(30);
	w.regime.vstcr |= BIT(30); // SA: both spaces are output as Non-secure
	ASSERT_OK(VA, MMU_READ, false);
	ck_assert_int_eq(w.result.pas, PAS_NONSECURE);
	s1_map(0);
	ASSERT_OK(VA, MMU_READ, false);
	ck_assert_int_eq(w.result.pas, PAS_NONSECURE);
	put(secure_top + 8 * (IPA >> 30), 0);
	ASSERT_S2_FAULT(VA, MMU_READ, false, 5, false);
	ck_assert(!w.fault.ipa_ns);
	put(ns_top + 8 * (IPA >> 30), 0);
	s1_map(D_NS);
	ASSERT_S2_FAULT(VA, MMU_READ, false, 5, false);
	ck_assert(w.fault.ipa_ns);
	w.regime.vstcr = bits_set(w.regime.vstcr, 5, 0, 40);
	ASSERT_S2_FAULT(VA, MMU_READ, false, 4, true);
	ASSERT_CONTROL("VSTCR_EL2.SL0");
}
END_TEST

START_TEST(secure_stage2_tables_in_their_space)
{
	// SW and NSW choose where the tables themselves are: give each space its own memory at one
	// address.
	struct bus *old = w.bus;
	uint64_t desc = UINT64_C(0x100000000) | D_BLOCK | D_S2_RW;

	w.bus = bus_create();
	ck_assert_int_eq(bus_map_ram(w.bus, RAM_BASE, 0x1000000, BIT(PAS_NONSECURE), false), 0);
	ck_assert_int_eq(bus_map_ram(w.bus, RAM_BASE, 0x1000000, BIT(PAS_SECURE), false), 0);
	w.regime.secure = true;
	w.regime.sctlr = 0;
	w.regime.vstcr = TCR_TG0_4K | 24 | UINT64_C(1) << 6;
	w.regime.vsttbr = RAM_BASE + 0x10000;
	ck_assert_int_eq(bus_ram_write(w.bus, PAS_SECURE, RAM_BASE + 0x10000, &desc, 8), 0);
	ASSERT_OK(0x1000, MMU_READ, false);
	w.regime.vstcr |= BIT(29);
	ASSERT_S2_FAULT(0x1000, MMU_READ, false, 5, false);
	ck_assert_int_eq(bus_ram_write(w.bus, PAS_NONSECURE, RAM_BASE + 0x10000, &desc, 8), 0);
	ASSERT_OK(0x1000, MMU_READ, false);
	ck_assert_int_eq(w.result.pas, PAS_NONSECURE);
	bus_destroy(old);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mmu_s2");
	TCase *tcase = tcase_create("stage 2");

	tcase_add_checked_fixture(tcase, setup, world_teardown);
	tcase_add_loop_test(tcase, translation_faults, 0, 3);
	tcase_add_loop_test(tcase, leaves, 0, 3);
	tcase_add_loop_test(tcase, access_flag_permission_and_size, 0, 3);
	tcase_add_test(tcase, faults_on_stage1_walks);
	tcase_add_test(tcase, stage1_updates_need_stage2_write_permission);
	tcase_add_test(tcase, hardware_updates);
	tcase_add_loop_test(tcase, execute_never, 0, 4);
	tcase_add_test(tcase, cache_operations);
	tcase_add_loop_test(tcase, start_levels, 0, 10);
	tcase_add_test(tcase, reserved_start_levels);
	tcase_add_test(tcase, lpa2);
	tcase_add_loop_test(tcase, combined_attributes, 0, 14);
	tcase_add_loop_test(tcase, forced_write_back, 0, 10);
	tcase_add_loop_test(tcase, xs_attribute, 0, 24);
	tcase_add_test(tcase, stage2_cache_disables);
	tcase_add_test(tcase, default_cacheable);
	tcase_add_test(tcase, stage2_applies_to_el10_only);
	tcase_add_test(tcase, big_endian);
	tcase_add_test(tcase, secure_stage2);
	tcase_add_test(tcase, secure_stage2_tables_in_their_space);
	suite_add_tcase(suite, tcase);
	return world_run(suite);
}
