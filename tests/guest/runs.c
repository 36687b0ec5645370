// SPDX-License-Identifier: Apache-2.0
//
// runs.c - instructions that an emulator may execute together are still executed one by one: a run
// of STP or LDP that faults in its middle, an address that is computed before a load that faults,
// flags that are set twice with a fault in between.

#include "abort.h"

#define VA 0x80000000ul
#define MIXED (VA + 0x1000 - 32) // two pairs before the page that is not mapped

#define STORE_RUN \
	"stp x1, x2, [x0]\n\tstp x3, x4, [x0, #16]\n\tstp x5, x6, [x0, #32]\n\tstp x7, x8, [x0, " \
	"#48]"
#define LOAD_RUN \
	"ldp x1, x2, [x0]\n\tldp x3, x4, [x0, #16]\n\tldp x5, x6, [x0, #32]\n\tldp x7, x8, [x0, " \
	"#48]"

SNIPPET(store_run, STORE_RUN);
SNIPPET(load_run, LOAD_RUN);
SNIPPET(load_run_over_base, "ldp x2, x3, [x4]\n\tldp x4, x5, [x4, #16]\n\tldp x6, x7, [x4, #32]");
SNIPPET(store_run_zero, "stp x27, x28, [x0]\n\tstp x29, xzr, [x0, #16]");
SNIPPET(store_run_last_zero, "mov x29, x1\n\tmov x19, x30\n\tmov x30, x2\n\tstp x28, x29, [x0]\n\t"
			     "stp x30, xzr, [x0, #16]\n\tmov x30, x19");
SNIPPET(store_gap, "stp x1, x2, [x0]\n\tstp x3, x4, [x0, #32]\n\tstp x5, x6, [x0, #48]");
SNIPPET(page_then_load, "adr x1, .\n\tldr x2, [x0]");
SNIPPET(add_then_load, "add x1, x0, #8\n\tldr x1, [x1]");
SNIPPET(add_then_own_load, "add x0, x0, #8\n\tldr x0, [x0]");
SNIPPET(flags_around_fault, "adds x1, xzr, xzr\n\tldr x2, [x0]\n\tsubs x1, xzr, x0");
SNIPPET(flags_buried, "adds x1, x2, x3\n\tands x4, x5, x6\n\tsubs x7, x0, x0\n\tmrs x0, nzcv");
SNIPPET(flags_read_between, "subs xzr, x0, x0\n\tcset x1, eq\n\tadds xzr, x2, x3\n\tmrs x0, nzcv");

static struct pgtable tables;

static void start(void)
{
	guest_reset();
	pgtable_init(&tables, 12, 39);
	map_guest_code(&tables);
	map_page(&tables, VA, (uint64_t)scratch[4], PT_NORMAL | PT_AP_RW_EL1, 3);
	*pgtable_entry(&tables, VA + 0x1000, 3) = 0;
	stage1_on_el1(&tables);
}

// The word at this offset of the mapped page.
static volatile uint64_t *word(uint64_t offset)
{
	return (volatile uint64_t *)((uint64_t)scratch[4] + offset);
}

TEST(store_run_stores_every_register)
{
	start();
	struct exc e = run_at(EL1, store_run, VA, 1, 2, 3, 4, 5, 6, 7);

	EXPECT_NO_EXC(e);
	for (uint64_t i = 0; i < 7; i++) {
		EXPECT_EQ(*word(8 * i), i + 1);
	}
	EXPECT_EQ(*word(56), 0);
}

TEST(load_run_loads_every_register)
{
	start();
	for (uint64_t i = 0; i < 8; i++) {
		*word(8 * i) = 0x100 + i;
	}
	struct exc e = run_at(EL1, load_run, VA);

	EXPECT_NO_EXC(e);
	for (unsigned i = 0; i < 8; i++) {
		EXPECT_EQ(e.x[i + 1], 0x100 + i);
	}
}

// The third pair is the first that does not fit: the two before it are stored, the fourth is not.
TEST(store_run_faults_at_the_pair_that_does_not_fit)
{
	start();
	struct exc e = run_at(EL1, store_run, MIXED, 1, 2, 3, 4, 5, 6, 7);

	expect_abort(__LINE__, &e, EL1, EC_DABT_SAME, ISS_WNR | FSC_TRANSLATION(3), VA + 0x1000);
	EXPECT_EQ(e.elr, (uint64_t)store_run + 8);
	EXPECT_EQ(*word(0xfe0), 1);
	EXPECT_EQ(*word(0xff8), 4);
}

TEST(load_run_faults_at_the_pair_that_does_not_fit)
{
	start();
	*word(0xfe0) = 0x11;
	*word(0xff8) = 0x44;
	struct exc e = run_at(EL1, load_run, MIXED);

	expect_abort(__LINE__, &e, EL1, EC_DABT_SAME, FSC_TRANSLATION(3), VA + 0x1000);
	EXPECT_EQ(e.elr, (uint64_t)load_run + 8);
	EXPECT_EQ(e.x[1], 0x11);
	EXPECT_EQ(e.x[4], 0x44);
	EXPECT_EQ(e.x[5], 0);
}

// The second pair loads the base, so the third one's address is another.
TEST(load_run_follows_a_base_that_it_loads)
{
	start();
	*word(16) = VA + 0x200;
	*word(32) = 0xbad;
	*word(0x200 + 32) = 0x600d;
	struct exc e = run_at(EL1, load_run_over_base, 0, 0, 0, 0, VA);

	EXPECT_NO_EXC(e);
	EXPECT_EQ(e.x[4], VA + 0x200);
	EXPECT_EQ(e.x[6], 0x600d);
}

TEST(store_run_ends_in_the_zero_register)
{
	start();
	*word(24) = 0xbad;
	struct exc e = run_at(EL1, store_run_zero, VA);

	EXPECT_NO_EXC(e);
	EXPECT_EQ(*word(24), 0);
	*word(24) = 0xbad;
	e = run_at(EL1, store_run_last_zero, VA, 0x1d, 0x1e);
	EXPECT_NO_EXC(e);
	EXPECT_EQ(*word(8), 0x1d);
	EXPECT_EQ(*word(16), 0x1e);
	EXPECT_EQ(*word(24), 0);
}

TEST(stores_with_a_gap_leave_the_gap)
{
	start();
	*word(16) = 0x777;
	*word(24) = 0x888;
	struct exc e = run_at(EL1, store_gap, VA, 1, 2, 3, 4, 5, 6);

	EXPECT_NO_EXC(e);
	EXPECT_EQ(*word(16), 0x777);
	EXPECT_EQ(*word(24), 0x888);
	EXPECT_EQ(*word(32), 3);
	EXPECT_EQ(*word(56), 6);
}

// The load's fault finds the address written, and is the load's.
TEST(address_is_written_before_a_load_that_faults)
{
	start();
	struct exc e = run_at(EL1, page_then_load, VA + 0x1000);

	expect_abort(__LINE__, &e, EL1, EC_DABT_SAME, FSC_TRANSLATION(3), VA + 0x1000);
	EXPECT_EQ(e.elr, (uint64_t)page_then_load + 4);
	EXPECT_EQ(e.x[1], (uint64_t)page_then_load);
	e = run_at(EL1, add_then_load, VA + 0x1000);
	expect_abort(__LINE__, &e, EL1, EC_DABT_SAME, FSC_TRANSLATION(3), VA + 0x1008);
	EXPECT_EQ(e.elr, (uint64_t)add_then_load + 4);
	EXPECT_EQ(e.x[1], VA + 0x1008);
	e = run_at(EL1, add_then_own_load, VA + 0x1000);
	EXPECT_EQ(e.x[0], VA + 0x1008);
}

TEST(flags_before_a_fault_are_seen)
{
	start();
	struct exc e = run_at(EL1, flags_around_fault, VA + 0x1000);

	EXPECT_EQ(e.elr, (uint64_t)flags_around_fault + 4);
	EXPECT_EQ(e.spsr >> 28, 4); // Z of 0 + 0
}

TEST(flags_set_again_are_the_last_ones)
{
	start();
	// x2 + x3 sets N and V, x5 & x6 sets N; x0 - x0 sets Z and C.
	struct exc e = run_at(EL1, flags_buried, 5, 0, ~0ul >> 1, 1, 0, ~0ul, ~0ul);

	EXPECT_EQ(e.x[0], 6ul << 28);
	EXPECT_EQ(e.x[1], 1ul << 63);
	EXPECT_EQ(e.x[4], ~0ul);
	EXPECT_EQ(e.x[7], 0);
}

TEST(flags_read_in_between_are_computed)
{
	start();
	struct exc e = run_at(EL1, flags_read_between, 5, 0, ~0ul, 1);

	EXPECT_EQ(e.x[1], 1);
	EXPECT_EQ(e.x[0], 6ul << 28); // ~0 + 1: Z and C
}
