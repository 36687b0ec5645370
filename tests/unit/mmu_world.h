// SPDX-License-Identifier: Apache-2.0
// A small world for tests of the mmu room: RAM, a regime, hand-made tables, and the outcome of the
// last access.
#ifndef STRATA_TESTS_MMU_WORLD_H
#define STRATA_TESTS_MMU_WORLD_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "bus/bus.h"
#include "mmu/mmu.h"

#define RAM_BASE UINT64_C(0x40000000)
#define RAM_SIZE UINT64_C(0x40000000)

// Descriptor bits, from the Arm ARM (not from the code under test).
#define D_TABLE UINT64_C(3)
#define D_PAGE UINT64_C(3)
#define D_BLOCK UINT64_C(1)
#define D_ATTR(n) ((uint64_t)(n) << 2)
#define D_NS BIT(5)
#define D_AP_EL0 BIT(6)
#define D_AP_RO BIT(7)
#define D_SH(n) ((uint64_t)(n) << 8)
#define D_AF BIT(10)
#define D_NG BIT(11)
#define D_GP BIT(50)
#define D_DBM BIT(51)
#define D_CONT BIT(52)
#define D_PXN BIT(53)
#define D_UXN BIT(54)
#define D_S2_R BIT(6)
#define D_S2_W BIT(7)
#define D_S2_MEM(n) ((uint64_t)(n) << 2)
#define D_S2_RW (D_S2_R | D_S2_W | D_S2_MEM(15) | D_SH(3) | D_AF)

#define TCR_TG0_4K UINT64_C(0)
#define TCR_TG0_64K (UINT64_C(1) << 14)
#define TCR_TG0_16K (UINT64_C(2) << 14)
#define TCR_IPS(n) ((uint64_t)(n) << 32)

struct world {
	struct bus *bus;
	struct mmu_tlb *tlb; // NULL: walk without
	struct mmu_view *view;
	struct mmu_regime viewed; // what the view is of
	struct mmu_features viewed_features;
	const struct mmu_tlb *view_tlb;
	struct mmu_features features;
	struct mmu_regime regime;
	struct mmu_access access;
	struct mmu_result result;
	struct mmu_fault fault;
	uint64_t free_table;
};

static struct world w;

// Index in the table of each level, for the VA used throughout: each level has its own, none is 0.
__attribute__((unused)) static uint64_t table_index(uint64_t va, unsigned granule, int level)
{
	unsigned stride = granule - 3;
	unsigned lsb = granule + stride * (unsigned)(3 - level);

	return (va >> lsb) & ((1u << stride) - 1);
}

__attribute__((unused)) static void put(uint64_t pa, uint64_t value)
{
	ck_assert_int_eq(bus_ram_write(w.bus, PAS_NONSECURE, pa, &value, 8), 0);
}

__attribute__((unused)) static uint64_t get(uint64_t pa)
{
	uint64_t value = 0;

	ck_assert_int_eq(bus_ram_read(w.bus, PAS_NONSECURE, pa, &value, 8), 0);
	return value;
}

__attribute__((unused)) static uint64_t new_table(unsigned granule)
{
	uint64_t table = align_up(w.free_table, BIT(granule));

	w.free_table = table + BIT(granule);
	return table;
}

// The chain of tables that leads from `top` (of start_level) to the descriptor of va at `level`;
// tables are made where the chain does not have them. Returns the address of that descriptor.
__attribute__((unused)) static uint64_t descriptor_at(uint64_t top, uint64_t va, unsigned granule,
						      int start_level, int level)
{
	uint64_t table = top;

	for (int i = start_level; i < level; i++) {
		uint64_t place = table + 8 * table_index(va, granule, i);
		uint64_t desc = get(place);

		if ((desc & 3) != 3) {
			uint64_t next = new_table(granule);

			desc = next | D_TABLE;
			put(place, desc);
		}
		table = desc & MASK(47, 0) & ~(BIT(granule) - 1);
	}
	return table + 8 * table_index(va, granule, level);
}

__attribute__((unused)) static struct mmu_features all_features(void)
{
	return (struct mmu_features){.pa_bits = 48,
				     .gran4k = true,
				     .gran16k = true,
				     .gran64k = true,
				     .s2_gran4k = true,
				     .s2_gran16k = true,
				     .s2_gran64k = true,
				     .lva = true,
				     .lpa = true,
				     .lpa2 = true,
				     .haf = true,
				     .hdbs = true,
				     .hpds = true,
				     .hpds2 = true,
				     .pan = true,
				     .pan3 = true,
				     .xnx = true,
				     .ttcnp = true,
				     .s2fwb = true,
				     .e0pd = true,
				     .vmid16 = true,
				     .asid16 = true,
				     .ttst = true,
				     .bti = true,
				     .sel2 = true,
				     .s1pie = true,
				     .s1poe = true,
				     .s2pie = true};
}

// EL1&0, MMU and caches on, 4K granule, 48-bit VA and PA, empty TTBR0 table, MAIR: 0 write-back, 1
// Device nGnRnE, 2 Non-cacheable, 3 Device nGnRE.
__attribute__((unused)) static void world_setup(void)
{
	memset(&w, 0, sizeof(w));
	w.bus = bus_create();
	ck_assert_ptr_nonnull(w.bus);
	ck_assert_int_eq(bus_map_ram(w.bus, RAM_BASE, RAM_SIZE,
				     BIT(PAS_NONSECURE) | BIT(PAS_SECURE), false),
			 0);
	w.features = all_features();
	w.free_table = RAM_BASE + 0x100000;
	w.regime.kind = MMU_REGIME_EL10;
	w.regime.features = &w.features;
	w.regime.sctlr = BIT(0) | BIT(2) | BIT(12);
	w.regime.tcr = 16 | TCR_TG0_4K | UINT64_C(16) << 16 | UINT64_C(2) << 30 | TCR_IPS(5);
	w.regime.mair = 0x044400ff;
	w.regime.ttbr[0] = new_table(12);
	w.regime.ttbr[1] = new_table(12);
}

__attribute__((unused)) static void world_teardown(void)
{
	mmu_view_destroy(w.view);
	mmu_tlb_destroy(w.tlb);
	bus_destroy(w.bus);
}

__attribute__((unused)) static bool translate_access(void)
{
	memset(&w.result, 0xee, sizeof(w.result));
	memset(&w.fault, 0xee, sizeof(w.fault));
	if (w.tlb != NULL) {
		// A view lives as long as the registers stay what they are, as in a PE.
		if (w.view == NULL || w.view_tlb != w.tlb ||
		    memcmp(&w.viewed, &w.regime, sizeof(w.viewed)) != 0 ||
		    memcmp(&w.viewed_features, &w.features, sizeof(w.features)) != 0) {
			if (w.view == NULL) {
				w.view = mmu_view_create();
			}
			w.viewed = w.regime;
			w.viewed_features = w.features;
			w.view_tlb = w.tlb;
			mmu_view_set(w.view, &w.viewed);
		}
		return mmu_view_translate(w.tlb, w.view, &w.access, &w.result, &w.fault);
	}
	return mmu_walk(w.bus, &w.regime, &w.access, false, &w.result, &w.fault);
}

__attribute__((unused)) static bool try_access(uint64_t va, enum mmu_access_type type, bool el0)
{
	w.access.va = va_make(va);
	w.access.type = type;
	w.access.el0 = el0;
	w.access.size = 4;
	return translate_access();
}

#define ASSERT_PA(va, want) \
	do { \
		ck_assert_msg(try_access((va), MMU_READ, false), "fault %#x", \
			      mmu_fault_status(&w.fault)); \
		ck_assert_uint_eq(w.result.pa.v, (want)); \
	} while (0)

#define ASSERT_OK(va, type, el0) \
	ck_assert_msg(try_access((va), (type), (el0)), "fault %#x", mmu_fault_status(&w.fault))

// A fault of this status code (FSC with level) from stage 1.
#define ASSERT_FAULT(va, type, el0, status) \
	do { \
		ck_assert_msg(!try_access((va), (type), (el0)), "no fault, PA %#lx", \
			      (unsigned long)w.result.pa.v); \
		ck_assert_uint_eq(mmu_fault_status(&w.fault), (status)); \
		ck_assert(!w.fault.stage2); \
	} while (0)

#define ASSERT_S2_FAULT(va, type, el0, status, walk) \
	do { \
		ck_assert_msg(!try_access((va), (type), (el0)), "no fault, PA %#lx", \
			      (unsigned long)w.result.pa.v); \
		ck_assert_uint_eq(mmu_fault_status(&w.fault), (status)); \
		ck_assert(w.fault.stage2); \
		ck_assert_int_eq(w.fault.s1ptw, (walk)); \
	} while (0)

#define ASSERT_CONTROL(name) \
	do { \
		ck_assert_ptr_nonnull(w.fault.control); \
		ck_assert_str_eq(w.fault.control, (name)); \
	} while (0)

// Runs the cases and says whether all passed.
__attribute__((unused)) static int world_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
