// SPDX-License-Identifier: Apache-2.0
//
// debug_watchpoint.c - watchpoints: which bytes, which kind of access, at which level; the
// syndrome, FAR, and what has priority.

#include "guest.h"

#include "pgtable.h"

// DBGWCR<n>_EL1
#define WCR_E BIT(0)
#define WCR_PAC(n) ((uint64_t)(n) << 1) // 1 EL1, 2 EL0, 3 both
#define WCR_LOAD (1ul << 3)
#define WCR_STORE (2ul << 3)
#define WCR_BOTH (3ul << 3)
#define WCR_BAS(n) ((uint64_t)(n) << 5)
#define WCR_HMC BIT(13)
#define WCR_SSC(n) ((uint64_t)(n) << 14)
#define WCR_LBN(n) ((uint64_t)(n) << 16)
#define WCR_WT BIT(20)
#define WCR_MASK(n) ((uint64_t)(n) << 24)
#define WCR_EL0 (WCR_E | WCR_PAC(2))
#define WCR_EL1 (WCR_E | WCR_PAC(1))
#define ALL_BYTES WCR_BAS(0xff)

#define ISS_LOAD FSC_DEBUG
#define ISS_STORE (FSC_DEBUG | ISS_WNR)
#define AIF (SPSR_A | SPSR_I | SPSR_F)

SNIPPET(load_x, "nop\n\tldr x1, [x0]");
SNIPPET(load_b, "nop\n\tldrb w1, [x0]");
SNIPPET(store_x, "nop\n\tstr x1, [x0]");
SNIPPET(store_b, "nop\n\tstrb w1, [x0]");

static uint64_t data(void)
{
	return (uint64_t)scratch;
}

static void watch(uint64_t address, uint64_t control)
{
	write_sysreg(dbgwvr0_el1, address);
	write_sysreg(dbgwcr0_el1, control);
	write_sysreg(mdscr_el1, read_sysreg(mdscr_el1) | MDSCR_MDE);
}

// Unaligned accesses and DC ZVA need Normal memory: stage 1 on, two pages.
static void normal_memory(void)
{
	struct pgtable pt;

	pgtable_init(&pt, 12, 39);
	map_guest_code(&pt);
	map_range(&pt, data(), data(), 0x2000, PT_NORMAL | PT_AP_RW_ALL | PT_UXN | PT_PXN, 3);
	stage1_on_el1(&pt);
}

static void kernel_debug(void)
{
	write_sysreg(mdscr_el1, read_sysreg(mdscr_el1) | MDSCR_KDE);
}

// Exactly this access to exactly its first watched byte.
#define EXPECT_WATCHPOINT(e, level, ec, iss, address, pc) \
	do { \
		EXPECT_EXC(e, level, ec, iss); \
		EXPECT_EQ((e).far, address); \
		EXPECT_EQ((e).elr, pc); \
	} while (0)

// FAR may be anything from the lowest byte accessed to the highest watched one.
#define EXPECT_FAR_WITHIN(e, low, high) EXPECT_TRUE((e).far >= (low) && (e).far <= (high))

// ---- Kind of access -----------------------------------------------------------------------------

TEST(load_hits_a_load_watchpoint)
{
	watch(data(), WCR_EL0 | WCR_LOAD | ALL_BYTES);
	struct exc load = run_at(EL0, load_x, data(), 0x55);
	struct exc store = run_at(EL0, store_x, data(), 0x55);

	EXPECT_WATCHPOINT(load, EL1, EC_WATCHPT_LOWER, ISS_LOAD, data(), load_x + 4);
	EXPECT_REG(load, 1, 0x55); // not executed
	EXPECT_NO_EXC(store);
}

TEST(store_hits_a_store_watchpoint_and_writes_nothing)
{
	*(volatile uint64_t *)scratch = 0x1111;
	watch(data(), WCR_EL0 | WCR_STORE | ALL_BYTES);
	struct exc load = run_at(EL0, load_x, data());
	struct exc store = run_at(EL0, store_x, data(), 0x2222);

	EXPECT_NO_EXC(load);
	EXPECT_REG(load, 1, 0x1111);
	EXPECT_WATCHPOINT(store, EL1, EC_WATCHPT_LOWER, ISS_STORE, data(), store_x + 4);
	EXPECT_EQ(*(volatile uint64_t *)scratch, 0x1111);
}

TEST(both_kinds)
{
	watch(data(), WCR_EL0 | WCR_BOTH | ALL_BYTES);
	struct exc load = run_at(EL0, load_x, data());
	struct exc store = run_at(EL0, store_x, data());

	EXPECT_WATCHPOINT(load, EL1, EC_WATCHPT_LOWER, ISS_LOAD, data(), load_x + 4);
	EXPECT_WATCHPOINT(store, EL1, EC_WATCHPT_LOWER, ISS_STORE, data(), store_x + 4);
}

TEST(other_address_does_not_hit)
{
	watch(data(), WCR_EL0 | WCR_BOTH | ALL_BYTES);
	struct exc after = run_at(EL0, load_x, data() + 8);
	struct exc store = run_at(EL0, store_x, data() + 4096);

	EXPECT_NO_EXC(after);
	EXPECT_NO_EXC(store);
}

// ---- Which bytes --------------------------------------------------------------------------------

TEST(bas_selects_bytes_of_a_doubleword)
{
	watch(data(), WCR_EL0 | WCR_LOAD | WCR_BAS(1 << 3));
	for (unsigned i = 0; i < 8; i++) {
		struct exc e = run_at(EL0, load_b, data() + i);

		if (i == 3) {
			EXPECT_WATCHPOINT(e, EL1, EC_WATCHPT_LOWER, ISS_LOAD, data() + 3,
					  load_b + 4);
		} else {
			EXPECT_NO_EXC(e);
		}
	}
	struct exc all = run_at(EL0, load_x, data());

	EXPECT_EXC(all, EL1, EC_WATCHPT_LOWER, ISS_LOAD);
	EXPECT_FAR_WITHIN(all, data(), data() + 3);
}

TEST(bas_selects_a_range_of_bytes)
{
	watch(data(), WCR_EL0 | WCR_STORE | WCR_BAS(0x3c));
	for (unsigned i = 0; i < 8; i++) {
		struct exc e = run_at(EL0, store_b, data() + i);

		if (i >= 2 && i <= 5) {
			EXPECT_WATCHPOINT(e, EL1, EC_WATCHPT_LOWER, ISS_STORE, data() + i,
					  store_b + 4);
		} else {
			EXPECT_NO_EXC(e);
		}
	}
}

TEST(word_address_with_bas)
{
	watch(data() + 4, WCR_EL0 | WCR_LOAD | WCR_BAS(0xf));
	struct exc low = run_at(EL0, load_b, data() + 3);
	struct exc first = run_at(EL0, load_b, data() + 4);
	struct exc last = run_at(EL0, load_b, data() + 7);
	struct exc high = run_at(EL0, load_b, data() + 8);

	EXPECT_NO_EXC(low);
	EXPECT_WATCHPOINT(first, EL1, EC_WATCHPT_LOWER, ISS_LOAD, data() + 4, load_b + 4);
	EXPECT_WATCHPOINT(last, EL1, EC_WATCHPT_LOWER, ISS_LOAD, data() + 7, load_b + 4);
	EXPECT_NO_EXC(high);
}

TEST(bas_of_zero_never_hits)
{
	watch(data(), WCR_EL0 | WCR_BOTH);
	struct exc e = run_at(EL0, load_x, data());

	EXPECT_NO_EXC(e);
}

SNIPPET(load_x_at_5, "ldur x1, [x0, #5]");

TEST(unaligned_access_that_reaches_a_watched_byte_hits)
{
	normal_memory();
	watch(data() + 8, WCR_EL0 | WCR_LOAD | WCR_BAS(1 << 4));
	struct exc e = run_at(EL0, load_x_at_5, data()); // bytes 5 to 12

	EXPECT_EXC(e, EL1, EC_WATCHPT_LOWER, ISS_LOAD);
	EXPECT_FAR_WITHIN(e, data() + 5, data() + 12);
}

TEST(unaligned_access_that_stops_short_does_not_hit)
{
	QEMU_7_DIFFERS("reads two whole doublewords");
	normal_memory();
	watch(data() + 8, WCR_EL0 | WCR_LOAD | WCR_BAS(1 << 5));
	struct exc e = run_at(EL0, load_x_at_5, data());

	EXPECT_NO_EXC(e);
}

TEST(mask_watches_a_power_of_two)
{
	watch(data() + 0x1000, WCR_EL0 | WCR_LOAD | ALL_BYTES | WCR_MASK(12));
	struct exc below = run_at(EL0, load_b, data() + 0xfff);
	struct exc first = run_at(EL0, load_b, data() + 0x1000);
	struct exc middle = run_at(EL0, load_x, data() + 0x1818);
	struct exc last = run_at(EL0, load_b, data() + 0x1fff);
	struct exc above = run_at(EL0, load_b, data() + 0x2000);

	EXPECT_NO_EXC(below);
	EXPECT_WATCHPOINT(first, EL1, EC_WATCHPT_LOWER, ISS_LOAD, data() + 0x1000, load_b + 4);
	EXPECT_WATCHPOINT(middle, EL1, EC_WATCHPT_LOWER, ISS_LOAD, data() + 0x1818, load_x + 4);
	EXPECT_WATCHPOINT(last, EL1, EC_WATCHPT_LOWER, ISS_LOAD, data() + 0x1fff, load_b + 4);
	EXPECT_NO_EXC(above);
}

TEST(access_across_the_edge_of_a_mask_hits)
{
	normal_memory();
	watch(data() + 0x1000, WCR_EL0 | WCR_STORE | ALL_BYTES | WCR_MASK(12));
	*(volatile uint32_t *)(data() + 0xffc) = 0x5a5a5a5a;
	SNIPPET(store_across, "stur x1, [x0, #-4]");
	struct exc e = run_at(EL0, store_across, data() + 0x1000, ~0ul);

	EXPECT_EXC(e, EL1, EC_WATCHPT_LOWER, ISS_STORE);
	EXPECT_FAR_WITHIN(e, data() + 0xffc, data() + 0x1003);
	EXPECT_EQ(e.elr, store_across);
	EXPECT_EQ(*(volatile uint32_t *)(data() + 0xffc), 0x5a5a5a5a);
}

// FAR lies in the same naturally aligned block as the watched byte, which is no larger than what DC
// ZVA zeroes.
TEST(far_is_in_the_block_of_the_watched_byte)
{
	QEMU_7_DIFFERS("reports the address that the access begins at");
	uint64_t block = 4ul << (read_sysreg(dczid_el0) & 15);

	SKIP_UNLESS(block <= 0x800, "no DC ZVA");
	normal_memory();
	watch(data() + block, WCR_EL0 | WCR_BOTH | ALL_BYTES);
	struct exc load = run_at(EL0, load_x, data() + block - 3);
	struct exc store = run_at(EL0, store_x, data() + block - 3);
	watch(data() + block - 8, WCR_EL0 | WCR_BOTH | ALL_BYTES);
	struct exc lower = run_at(EL0, load_x, data() + block - 3);

	EXPECT_EXC(load, EL1, EC_WATCHPT_LOWER, ISS_LOAD);
	EXPECT_FAR_WITHIN(load, data() + block, data() + block + 4);
	EXPECT_EXC(store, EL1, EC_WATCHPT_LOWER, ISS_STORE);
	EXPECT_FAR_WITHIN(store, data() + block, data() + block + 4);
	EXPECT_EXC(lower, EL1, EC_WATCHPT_LOWER, ISS_LOAD);
	EXPECT_FAR_WITHIN(lower, data() + block - 3, data() + block - 1);
}

// ---- Level, Security state, routing -------------------------------------------------------------

TEST(pac_chooses_the_level)
{
	kernel_debug();
	watch(data(), WCR_EL1 | WCR_LOAD | ALL_BYTES);
	struct exc el1_only_at_el0 = run_at(EL0, load_x, data());
	struct exc el1 = run_at_spsr(SPSR_M_EL1H | AIF, load_x, data());
	struct exc masked = run_at(EL1, load_x, data());
	watch(data(), WCR_EL0 | WCR_LOAD | ALL_BYTES);
	struct exc el0_only_at_el1 = run_at_spsr(SPSR_M_EL1H | AIF, load_x, data());

	EXPECT_NO_EXC(el1_only_at_el0);
	EXPECT_WATCHPOINT(el1, EL1, EC_WATCHPT_SAME, ISS_LOAD, data(), load_x + 4);
	EXPECT_NO_EXC(masked);
	EXPECT_NO_EXC(el0_only_at_el1);
}

SNIPPET(load_unprivileged, "ldtr x1, [x0]");
SNIPPET(store_unprivileged, "sttr x1, [x0]");

TEST(unprivileged_accesses_of_el1_count_as_el0)
{
	kernel_debug();
	watch(data(), WCR_EL0 | WCR_BOTH | ALL_BYTES);
	struct exc load = run_at_spsr(SPSR_M_EL1H | AIF, load_unprivileged, data());
	struct exc store = run_at_spsr(SPSR_M_EL1H | AIF, store_unprivileged, data());
	watch(data(), WCR_EL1 | WCR_BOTH | ALL_BYTES);
	struct exc el1_only = run_at_spsr(SPSR_M_EL1H | AIF, load_unprivileged, data());

	EXPECT_WATCHPOINT(load, EL1, EC_WATCHPT_SAME, ISS_LOAD, data(), load_unprivileged);
	EXPECT_WATCHPOINT(store, EL1, EC_WATCHPT_SAME, ISS_STORE, data(), store_unprivileged);
	EXPECT_NO_EXC(el1_only);
}

SNIPPET(clear_uao, "msr uao, #0\n\tldtr x1, [x0]");

TEST(uao_decides_what_unprivileged_accesses_count_as)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr2_el1), 4), "no FEAT_UAO");
	kernel_debug();
	watch(data(), WCR_EL0 | WCR_LOAD | ALL_BYTES);
	struct exc set = run_at_spsr(SPSR_UAO | SPSR_M_EL1H | AIF, load_unprivileged, data());
	struct exc cleared = run_at_spsr(SPSR_UAO | SPSR_M_EL1H | AIF, clear_uao, data());

	EXPECT_NO_EXC(set);
	EXPECT_WATCHPOINT(cleared, EL1, EC_WATCHPT_SAME, ISS_LOAD, data(), clear_uao + 4);
}

TEST(tde_routes_to_el2)
{
	write_sysreg(mdcr_el2, read_sysreg(mdcr_el2) | MDCR_EL2_TDE);
	watch(data(), WCR_E | WCR_PAC(3) | WCR_BOTH | ALL_BYTES);
	struct exc e0 = run_at(EL0, load_x, data());
	struct exc e1 = run_at(EL1, store_x, data());

	EXPECT_WATCHPOINT(e0, EL2, EC_WATCHPT_LOWER, ISS_LOAD, data(), load_x + 4);
	EXPECT_WATCHPOINT(e1, EL2, EC_WATCHPT_LOWER, ISS_STORE, data(), store_x + 4);
}

TEST(el2_is_watched_with_hmc_tde_and_kde)
{
	write_sysreg(mdcr_el2, read_sysreg(mdcr_el2) | MDCR_EL2_TDE);
	kernel_debug();
	watch(data(), WCR_E | WCR_HMC | WCR_SSC(3) | WCR_LOAD | ALL_BYTES);
	struct exc e2 = run_at_spsr(SPSR_M_EL2H | AIF, load_x, data());
	struct exc e1 = run_at_spsr(SPSR_M_EL1H | AIF, load_x, data());

	EXPECT_WATCHPOINT(e2, EL2, EC_WATCHPT_SAME, ISS_LOAD, data(), load_x + 4);
	EXPECT_NO_EXC(e1);
}

TEST(ssc_chooses_the_security_state)
{
	watch(data(), WCR_EL0 | WCR_SSC(2) | WCR_LOAD | ALL_BYTES);
	struct exc ns = run_at(EL0, load_x, data());
	write_sysreg(scr_el3, SCR_BASE & ~SCR_NS);
	struct exc s = run_at(EL0, load_x, data());

	EXPECT_NO_EXC(ns);
	EXPECT_WATCHPOINT(s, EL1, EC_WATCHPT_LOWER, ISS_LOAD, data(), load_x + 4);
}

TEST(nothing_hits_without_mde)
{
	watch(data(), WCR_EL0 | WCR_LOAD | ALL_BYTES);
	write_sysreg(mdscr_el1, 0);
	struct exc off = run_at(EL0, load_x, data());

	EXPECT_NO_EXC(off);
}

TEST(os_lock_disables_watchpoints)
{
	QEMU_DIFFERS("tests another bit of OSLSR_EL1");
	watch(data(), WCR_EL0 | WCR_LOAD | ALL_BYTES);
	write_sysreg(oslar_el1, 1);
	struct exc locked = run_at(EL0, load_x, data());

	EXPECT_NO_EXC(locked);
}

TEST(linked_context_must_match)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64dfr0_el1), 12) == 5, "other number of breakpoints");
	write_sysreg(dbgbvr5_el1, 0xabc);
	write_sysreg(dbgbcr5_el1, BIT(0) | 0xf << 5 | 3 << 20);
	watch(data(), WCR_EL0 | WCR_LOAD | ALL_BYTES | WCR_WT | WCR_LBN(5));
	write_sysreg(contextidr_el1, 0xabd);
	struct exc other = run_at(EL0, load_x, data());
	write_sysreg(contextidr_el1, 0xabc);
	struct exc same = run_at(EL0, load_x, data());

	EXPECT_NO_EXC(other);
	EXPECT_WATCHPOINT(same, EL1, EC_WATCHPT_LOWER, ISS_LOAD, data(), load_x + 4);
}

// ---- Other accesses -----------------------------------------------------------------------------

SNIPPET(load_pair, "ldp x1, x2, [x0]");
SNIPPET(store_pair, "stp x1, x2, [x0]");
SNIPPET(load_q, "ldr q0, [x0]");
SNIPPET(load_post, "ldr x1, [x0], #8");
SNIPPET(load_exclusive, "ldxr x1, [x0]");
SNIPPET(zero_block, "dc zva, x0");
SNIPPET(add_atomic, "ldadd x1, x2, [x0]");
SNIPPET(prefetch, "prfm pldl1keep, [x0]");

TEST(pairs_and_vectors_hit_by_their_upper_half)
{
	QEMU_11_DIFFERS("takes the load of a vector for a write");
	watch(data() + 8, WCR_EL0 | WCR_BOTH | ALL_BYTES);
	struct exc ldp = run_at(EL0, load_pair, data(), 1, 2);
	struct exc stp = run_at(EL0, store_pair, data());
	struct exc q = run_at(EL0, load_q, data());

	EXPECT_EXC(ldp, EL1, EC_WATCHPT_LOWER, ISS_LOAD);
	EXPECT_FAR_WITHIN(ldp, data(), data() + 15);
	EXPECT_REG(ldp, 2, 2);
	EXPECT_EXC(stp, EL1, EC_WATCHPT_LOWER, ISS_STORE);
	EXPECT_FAR_WITHIN(stp, data(), data() + 15);
	EXPECT_EXC(q, EL1, EC_WATCHPT_LOWER, ISS_LOAD);
	EXPECT_FAR_WITHIN(q, data(), data() + 15);
}

TEST(writeback_does_not_happen)
{
	watch(data(), WCR_EL0 | WCR_LOAD | ALL_BYTES);
	struct exc e = run_at(EL0, load_post, data());

	EXPECT_WATCHPOINT(e, EL1, EC_WATCHPT_LOWER, ISS_LOAD, data(), load_post);
	EXPECT_REG(e, 0, data());
}

TEST(load_exclusive_hits)
{
	watch(data(), WCR_EL0 | WCR_LOAD | ALL_BYTES);
	struct exc e = run_at(EL0, load_exclusive, data());

	EXPECT_WATCHPOINT(e, EL1, EC_WATCHPT_LOWER, ISS_LOAD, data(), load_exclusive);
}

TEST(store_exclusive_that_would_store_hits)
{
	SNIPPET(exclusive_pair, "ldxr x1, [x0]\n\tstxr w2, x1, [x0]");
	watch(data(), WCR_EL0 | WCR_STORE | ALL_BYTES);
	struct exc e = run_at(EL0, exclusive_pair, data());

	EXPECT_WATCHPOINT(e, EL1, EC_WATCHPT_LOWER, ISS_STORE, data(), exclusive_pair + 4);
}

TEST(atomic_reports_a_read_where_a_read_would_hit)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64isar0_el1), 20), "no FEAT_LSE");
	QEMU_7_DIFFERS("reports a write");
	watch(data(), WCR_EL0 | WCR_BOTH | ALL_BYTES);
	struct exc both = run_at(EL0, add_atomic, data());

	EXPECT_WATCHPOINT(both, EL1, EC_WATCHPT_LOWER, ISS_LOAD, data(), add_atomic);
}

TEST(atomic_hits_a_store_watchpoint)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64isar0_el1), 20), "no FEAT_LSE");
	*(volatile uint64_t *)scratch = 7;
	watch(data(), WCR_EL0 | WCR_STORE | ALL_BYTES);
	struct exc e = run_at(EL0, add_atomic, data(), 1);

	EXPECT_WATCHPOINT(e, EL1, EC_WATCHPT_LOWER, ISS_STORE, data(), add_atomic);
	EXPECT_EQ(*(volatile uint64_t *)scratch, 7);
}

// The translation of an atomic is asked for both, before a watchpoint of the read.
TEST(permission_fault_of_an_atomic_comes_before_the_watchpoint)
{
	struct pgtable pt;

	SKIP_UNLESS(id_field(read_sysreg(id_aa64isar0_el1), 20), "no FEAT_LSE");
	QEMU_DIFFERS("looks at the watchpoint of the read first");
	pgtable_init(&pt, 12, 39);
	map_guest_code(&pt);
	map_range(&pt, data(), data(), 0x1000, PT_NORMAL | PT_AP_RO_ALL | PT_UXN | PT_PXN, 3);
	stage1_on_el1(&pt);
	watch(data(), WCR_EL0 | WCR_BOTH | ALL_BYTES);
	struct exc e = run_at(EL0, add_atomic, data());
	struct exc load = run_at(EL0, load_x, data());

	EXPECT_EXC(e, EL1, EC_DABT_LOWER, ISS_WNR | FSC_PERMISSION(3));
	EXPECT_EXC(load, EL1, EC_WATCHPT_LOWER, ISS_LOAD);
}

// One access of 16 bytes: all or nothing of it is seen.
TEST(store_exclusive_pair_with_a_watched_half_writes_nothing)
{
	QEMU_7_DIFFERS("writes the first half");
	SNIPPET(exclusive_pairs, "ldxp x1, x2, [x0]\n\tstxp w3, x4, x4, [x0]");
	volatile uint64_t *words = (volatile uint64_t *)scratch;

	words[0] = 5;
	words[1] = 6;
	watch(data() + 8, WCR_EL0 | WCR_STORE | ALL_BYTES);
	struct exc e = run_at(EL0, exclusive_pairs, data());

	EXPECT_EXC(e, EL1, EC_WATCHPT_LOWER, ISS_STORE);
	EXPECT_EQ(e.elr, exclusive_pairs + 4);
	EXPECT_FAR_WITHIN(e, data(), data() + 15);
	EXPECT_EQ(words[0], 5);
	EXPECT_EQ(words[1], 6);
}

TEST(dc_zva_is_a_store_to_its_whole_block)
{
	normal_memory();
	*(volatile uint64_t *)scratch = 3;
	watch(data() + 24, WCR_EL0 | WCR_BOTH | ALL_BYTES);
	struct exc e = run_at(EL0, zero_block, data());

	EXPECT_EXC(e, EL1, EC_WATCHPT_LOWER, ISS_STORE);
	EXPECT_FAR_WITHIN(e, data(), data() + 31);
	EXPECT_EQ(*(volatile uint64_t *)scratch, 3);
}

SNIPPET(invalidate, "dc ivac, x0");
SNIPPET(clean_invalidate, "dc civac, x0");

// DC IVAC is a store to a line at the least, with ESR_ELx.CM; other maintenance is not watched.
TEST(dc_ivac_is_a_store_and_other_maintenance_is_nothing)
{
	QEMU_DIFFERS("watches no maintenance");
	normal_memory();
	kernel_debug();
	watch(data() + 8, WCR_EL1 | WCR_STORE | ALL_BYTES);
	struct exc e = run_at_spsr(SPSR_M_EL1H | AIF, invalidate, data() + 1);
	struct exc civac = run_at_spsr(SPSR_M_EL1H | AIF, clean_invalidate, data());
	watch(data() + 8, WCR_EL1 | WCR_LOAD | ALL_BYTES);
	struct exc load = run_at_spsr(SPSR_M_EL1H | AIF, invalidate, data());

	EXPECT_EXC(e, EL1, EC_WATCHPT_SAME, ISS_STORE | BIT(8));
	EXPECT_FAR_WITHIN(e, data(), data() + 15);
	EXPECT_NO_EXC(civac);
	EXPECT_NO_EXC(load);
}

TEST(prefetch_never_hits)
{
	watch(data(), WCR_EL0 | WCR_BOTH | ALL_BYTES);
	struct exc e = run_at(EL0, prefetch, data());

	EXPECT_NO_EXC(e);
}

TEST(instruction_fetch_never_hits)
{
	SNIPPET(two_nops, "nop\n\tnop");
	watch((uint64_t)two_nops, WCR_EL0 | WCR_BOTH | ALL_BYTES);
	struct exc e = run_at(EL0, two_nops);

	EXPECT_NO_EXC(e);
}

// ---- Priority and translation -------------------------------------------------------------------

TEST(data_abort_comes_before_the_watchpoint)
{
	normal_memory();
	watch(data() + 0x2000, WCR_EL0 | WCR_BOTH | ALL_BYTES);
	struct exc e = run_at(EL0, load_x, data() + 0x2000); // not mapped

	EXPECT_EXC(e, EL1, EC_DABT_LOWER, FSC_TRANSLATION(3));
	EXPECT_EQ(e.far, data() + 0x2000);
}

TEST(watchpoints_compare_virtual_addresses)
{
	struct pgtable pt;
	uint64_t va = 0x2000000000;

	pgtable_init(&pt, 12, 39);
	map_guest_code(&pt);
	map_page(&pt, va, data(), PT_NORMAL | PT_AP_RW_ALL | PT_UXN | PT_PXN, 3);
	map_page(&pt, data(), data(), PT_NORMAL | PT_AP_RW_ALL | PT_UXN | PT_PXN, 3);
	stage1_on_el1(&pt);
	watch(va, WCR_EL0 | WCR_BOTH | ALL_BYTES);
	struct exc other = run_at(EL0, load_x, data());
	struct exc same = run_at(EL0, load_x, va);

	EXPECT_NO_EXC(other);
	EXPECT_WATCHPOINT(same, EL1, EC_WATCHPT_LOWER, ISS_LOAD, va, load_x + 4);
}

// A watchpoint that is turned on must catch an address whose translation is already known.
SNIPPET(load_watch_load,
	"ldr x2, [x0]\n\tmsr mdscr_el1, x1\n\tisb\n\tmsr DAIFClr, #8\n\tldr x3, [x0]");

TEST(turning_a_watchpoint_on_takes_effect_at_once)
{
	normal_memory();
	watch(data(), WCR_EL1 | WCR_LOAD | ALL_BYTES);
	write_sysreg(mdscr_el1, 0);
	struct exc e = run_at(EL1, load_watch_load, data(), MDSCR_MDE | MDSCR_KDE);

	EXPECT_WATCHPOINT(e, EL1, EC_WATCHPT_SAME, ISS_LOAD, data(), load_watch_load + 16);
}

TEST(second_watchpoint_works_too)
{
	watch(data(), WCR_EL0 | WCR_STORE | ALL_BYTES);
	write_sysreg(dbgwvr1_el1, data() + 64);
	write_sysreg(dbgwcr1_el1, WCR_EL0 | WCR_LOAD | ALL_BYTES);
	struct exc e = run_at(EL0, load_x, data() + 64);

	EXPECT_WATCHPOINT(e, EL1, EC_WATCHPT_LOWER, ISS_LOAD, data() + 64, load_x + 4);
}
