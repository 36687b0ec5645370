// SPDX-License-Identifier: Apache-2.0
//
// mte.c - the Memory Tagging Extension (FEAT_MTE2, MTE3): tags in registers and in memory, which
// accesses are checked, synchronous and asynchronous tag check faults, PSTATE.TCO, and what turns
// tags off.

#include "abort.h"
#include "emit.h"

__asm__(".arch_extension mops\n");

#define NEEDS_MTE \
	SKIP_UNLESS(id_field(read_sysreg(id_aa64pfr1_el1), 8) >= 2, "no FEAT_MTE2"); \
	start()
#define NEEDS_MTE3 \
	NEEDS_MTE; \
	SKIP_UNLESS(id_field(read_sysreg(id_aa64pfr1_el1), 8) >= 3, "no FEAT_MTE3")

#define SCR_ATA BIT(26)
#define SCR_HXEN BIT(38)
#define HCR_ATA BIT(56)
#define HCR_DCT BIT(57)
#define HCR_TID5 BIT(58)
#define HCRX_MSCEN BIT(11)
#define SCTLR_TCF0(n) ((uint64_t)(n) << 38)
#define SCTLR_TCF(n) ((uint64_t)(n) << 40)
#define SCTLR_ATA0 BIT(42)
#define SCTLR_ATA BIT(43)
#define TCR_TBI0 BIT(37)
#define TCR_TBI1 BIT(38)
#define TCR_TCMA0 BIT(57)
#define TCR_TCMA1 BIT(58)
#define TCR_EL2_TBI BIT(20)
#define TCR_EL2_TCMA BIT(30)
enum { TCF_NONE, TCF_SYNC, TCF_ASYNC, TCF_ASYMMETRIC };
#define FSC_TAG 0x11u
#define GCR_RRND BIT(16)
#define TF0 BIT(0)
#define TF1 BIT(1)

#define gcr_el1 S3_0_C1_C0_6
#define rgsr_el1 S3_0_C1_C0_5
#define tfsr_el1 S3_0_C5_C6_0
#define tfsre0_el1 S3_0_C5_C6_1
#define tfsr_el2 S3_4_C5_C6_0
#define tfsr_el3 S3_6_C5_C6_0
#define hcrx_el2 S3_4_C1_C2_2

static const struct sysreg gcr = SYSREG(gcr_el1, 3, 0, 1, 0, 6);
static const struct sysreg rgsr = SYSREG(rgsr_el1, 3, 0, 1, 0, 5);
static const struct sysreg tfsr1 = SYSREG(tfsr_el1, 3, 0, 5, 6, 0);
static const struct sysreg tfsre0 = SYSREG(tfsre0_el1, 3, 0, 5, 6, 1);
static const struct sysreg tfsr2 = SYSREG(tfsr_el2, 3, 4, 5, 6, 0);
static const struct sysreg gmid = SYSREG(gmid_el1, 3, 1, 0, 0, 4);
static const struct sysreg tco = SYSREG(tco, 3, 3, 4, 2, 7);

#define TAG(n) ((uint64_t)(n) << 56)
// Four pages of tagged memory, read-only alias of them, then memory that is Normal but not tagged.
#define VA 0x80000000ul
#define RO_VA 0x80010000ul
#define PLAIN_VA 0x80020000ul
#define MAIR_TAGGED 3
#define PT_TAGGED (PT_AF | PT_SH_INNER | PT_ATTR(MAIR_TAGGED))
#define HIGH 0xffffff8000000000ul

static struct pgtable tables;
static uint8_t *const memory = scratch[4];

SNIPPET(irg_x, "irg x0, x0, x1");
SNIPPET(irg_sp, "mov x9, sp\n\tmov sp, x0\n\tirg sp, sp\n\tmov x0, sp\n\tmov sp, x9");
SNIPPET(gmi_x, "gmi x0, x0, x1");
SNIPPET(addg_16_2, "addg x0, x0, #16, #2\n\tmrs x1, nzcv");
SNIPPET(addg_0_0, "addg x0, x0, #0, #0");
SNIPPET(subg_32_15, "subg x0, x0, #32, #15");
SNIPPET(subp_x, "subp x0, x0, x1\n\tmrs x1, nzcv");
SNIPPET(subps_x, "subps x0, x0, x1\n\tmrs x1, nzcv");
SNIPPET(load_tag, "ldg x1, [x0]\n\tmov x0, x1");
SNIPPET(store_tag, "stg x1, [x0]");
SNIPPET(store_tag_pre, "stg x1, [x0, #-32]!");
SNIPPET(store_tag_post, "stg x1, [x0], #4080");
SNIPPET(store_tag_sp, "mov x9, sp\n\tmov sp, x0\n\tstg sp, [sp, #16]\n\tmov sp, x9");
SNIPPET(store_tags, "st2g x1, [x0]");
SNIPPET(store_tag_zero, "stzg x1, [x0]");
SNIPPET(store_tags_zero, "stz2g x1, [x0]");
SNIPPET(store_pair, "stgp x1, x2, [x0]");
SNIPPET(store_pair_pre, "stgp x1, x2, [x0, #16]!");
SNIPPET(store_pair_post, "stgp x1, x2, [x0], #-16");
SNIPPET(load_block, "ldgm x1, [x0]\n\tmov x0, x1");
SNIPPET(store_block, "stgm x1, [x0]");
SNIPPET(zero_block, "stzgm x1, [x0]");
SNIPPET(load_x, "ldr x1, [x0]");
SNIPPET(store_x, "str x1, [x0]");
SNIPPET(load_b, "ldrb w1, [x0]");
SNIPPET(load_pair, "ldp x1, x2, [x0]");
SNIPPET(load_q, "ldr q0, [x0]");
SNIPPET(store_q, "str q0, [x0]");
SNIPPET(load_unprivileged, "ldtr x1, [x0]");
SNIPPET(load_exclusive, "ldxr x1, [x0]");
SNIPPET(load_acquire, "ldar x1, [x0]");
SNIPPET(store_release, "stlr x1, [x0]");
SNIPPET(add_x, "ldadd x1, x2, [x0]");
SNIPPET(cas_x, "cas x1, x2, [x0]");
SNIPPET(prefetch, "prfm pldl1keep, [x0]");
SNIPPET(clean_x, "dc cvac, x0");
SNIPPET(dc_zva, "dc zva, x0");
SNIPPET(dc_gva, "sys #3, c7, c4, #3, x0");
SNIPPET(dc_gzva, "sys #3, c7, c4, #4, x0");
SNIPPET(sp_offset, "mov x9, sp\n\tmov sp, x0\n\tldr x1, [sp, #8]\n\tstp x1, x2, [sp, #16]\n\t"
		   "ldur x1, [sp, #8]\n\tmov sp, x9");
SNIPPET(sp_post, "mov x9, sp\n\tmov sp, x0\n\tldr x1, [sp], #16\n\tmov sp, x9");
SNIPPET(sp_register, "mov x9, sp\n\tmov sp, x0\n\tldr x1, [sp, x2]\n\tmov sp, x9");
SNIPPET(set_tco, "msr tco, #1\n\tmrs x0, tco\n\tmsr tco, #0\n\tmrs x1, tco\n\tmov x2, #-1\n\t"
		 "msr tco, x2\n\tmrs x2, tco");
SNIPPET(svc_1, "svc #1");
SNIPPET(copy, "cpyfp [x0]!, [x1]!, x2!\n\tcpyfm [x0]!, [x1]!, x2!\n\tcpyfe [x0]!, [x1]!, x2!");

static void tcr(uint64_t bits)
{
	write_sysreg(tcr_el1, tcr_el1_value(&tables) | bits);
	tlbi_all();
}

static void check(unsigned tcf, unsigned tcf0)
{
	write_sysreg(sctlr_el1, (read_sysreg(sctlr_el1) & ~(SCTLR_TCF(3) | SCTLR_TCF0(3))) |
					SCTLR_TCF(tcf) | SCTLR_TCF0(tcf0));
	write_sysreg(tfsr_el1, 0);
	write_sysreg(tfsre0_el1, 0);
}

static void set_tag(uint64_t va, unsigned tag)
{
	struct exc e = run_at(EL1, store_tag, va, TAG(tag));

	EXPECT_NO_EXC(e);
}

static uint64_t tag_at(uint64_t va)
{
	struct exc e = run_at(EL1, load_tag, va, 0);

	EXPECT_NO_EXC(e);
	return e.x[0] >> 56;
}

// Everything permitted, no checks; memory counts its doublewords, tags are 0.
static void start(void)
{
	guest_reset();
	for (unsigned i = 0; i < 0x4000 / 8; i++) {
		((volatile uint64_t *)memory)[i] = i + 1;
	}
	write_sysreg(scr_el3, SCR_BASE | SCR_ATA);
	write_sysreg(hcr_el2, HCR_BASE | HCR_ATA);
	write_sysreg(gcr_el1, 0);
	pgtable_init(&tables, 12, 39);
	map_guest_code(&tables);
	map_range(&tables, VA, (uint64_t)memory, 0x4000, PT_TAGGED | PT_AP_RW_ALL, 3);
	map_range(&tables, RO_VA, (uint64_t)memory, 0x4000, PT_TAGGED | PT_AP_RO_ALL, 3);
	map_range(&tables, PLAIN_VA, (uint64_t)memory, 0x4000, PT_NORMAL | PT_AP_RW_ALL, 3);
	stage1_on_el1(&tables);
	write_sysreg(mair_el1, MAIR_BASE | 0xf0ul << 8 * MAIR_TAGGED);
	tcr(TCR_TBI0);
	write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | SCTLR_ATA | SCTLR_ATA0);
	check(TCF_NONE, TCF_NONE);
	for (uint64_t va = VA; va < VA + 0x4000; va += 256) {
		struct exc e = run_at(EL1, store_block, va, 0);

		EXPECT_NO_EXC(e);
	}
}

// A synchronous tag check fault. FAR[63:60] is UNKNOWN; here it is that of the address.
#define EXPECT_TAG_FAULT(e, to, ec, wnr, far) expect_tag_fault(__LINE__, &(e), to, ec, wnr, far)

static void expect_tag_fault(int line, const struct exc *e, enum el to, uint64_t ec, uint64_t wnr,
			     uint64_t far)
{
	struct exc seen = *e;

	if (guest_qemu()) {
		seen.esr = (uint32_t)seen.esr; // QEMU extends bit 31
	}
	expect_abort(line, &seen, to, ec, wnr | FSC_TAG, far);
}

static uint64_t word(uint64_t offset)
{
	return *(volatile uint64_t *)(memory + offset);
}

// ---- Tags in registers --------------------------------------------------------------------------

TEST(irg_takes_no_excluded_tag)
{
	NEEDS_MTE;
	for (unsigned tag = 0; tag < 16; tag++) {
		write_sysreg(gcr_el1, 0xffff & ~BIT(tag));
		struct exc e = run_at(EL1, irg_x, 0xab12345678912345, 0);

		EXPECT_REG(e, 0, 0xa012345678912345 | TAG(tag));
		write_sysreg(gcr_el1, 0x00ff);
		e = run_at(EL1, irg_x, 0x0012345678912345, 0xff00 & ~BIT(tag));
		EXPECT_REG(e, 0, 0x0012345678912345 | TAG(tag < 8 ? 0 : tag));
	}
}

TEST(irg_of_all_excluded_is_tag_0)
{
	NEEDS_MTE;
	write_sysreg(gcr_el1, 0xffff);
	struct exc e = run_at(EL1, irg_x, TAG(7) + VA, 0);

	EXPECT_REG(e, 0, VA);
	write_sysreg(gcr_el1, GCR_RRND | 0xffff);
	e = run_at(EL1, irg_x, TAG(7) + VA, 0);
	EXPECT_REG(e, 0, VA);
}

// Without RRND: four bits of the shift register are the distance from the last tag.
TEST(irg_goes_by_the_seed)
{
	NEEDS_MTE;
	// 0x0001: bit 0 comes out as 1, then three times 0.
	write_sysreg(rgsr_el1, 0x000100);
	struct exc e = run_at(EL1, irg_x, VA, 0);

	EXPECT_REG(e, 0, TAG(1) + VA);
	EXPECT_EQ(read_sysreg(rgsr_el1), 0x100001);
	// 0x002d: bits 5, 3, 2 and 0 are 1: 0, then 0x0016 gives 1, 0x800b 0 and 0x4005 0.
	write_sysreg(rgsr_el1, 0x002d03);
	e = run_at(EL1, irg_x, VA, 0);
	EXPECT_REG(e, 0, TAG(3 + 2) + VA);
	EXPECT_EQ(read_sysreg(rgsr_el1), 0x200205);
	// What is excluded is not counted: from 3 two steps on without 4.
	write_sysreg(rgsr_el1, 0x002d03);
	e = run_at(EL1, irg_x, VA, BIT(4));
	EXPECT_REG(e, 0, TAG(6) + VA);
}

TEST(irg_reads_and_writes_sp)
{
	NEEDS_MTE;
	write_sysreg(gcr_el1, 0xffff & ~BIT(9));
	struct exc e = run_at(EL1, irg_sp, VA);

	EXPECT_REG(e, 0, TAG(9) + VA);
}

TEST(gmi_adds_a_tag_to_the_mask)
{
	NEEDS_MTE;
	struct exc e = run_at(EL1, gmi_x, TAG(5) + VA, 0x8001);

	EXPECT_REG(e, 0, 0x8021);
	e = run_at(EL0, gmi_x, TAG(15), 0);
	EXPECT_REG(e, 0, 0x8000);
}

TEST(addg_and_subg_step_over_excluded_tags)
{
	NEEDS_MTE;
	struct exc e = run_at_spsr(guest_spsr(EL1) | SPSR_Z, addg_16_2, TAG(3) + VA);

	EXPECT_REG(e, 0, TAG(5) + VA + 16);
	EXPECT_REG(e, 1, SPSR_Z);
	e = run_at(EL1, addg_16_2, TAG(15) + VA);
	EXPECT_REG(e, 0, TAG(1) + VA + 16);
	e = run_at(EL1, subg_32_15, TAG(3) + VA);
	EXPECT_REG(e, 0, TAG(2) + VA - 32);
	write_sysreg(gcr_el1, BIT(4) | BIT(6));
	e = run_at(EL1, addg_16_2, TAG(3) + VA);
	EXPECT_REG(e, 0, TAG(7) + VA + 16);
	// With a step of 0 an excluded tag gives way to the next.
	e = run_at(EL1, addg_0_0, TAG(4) + VA);
	EXPECT_REG(e, 0, TAG(5) + VA);
	write_sysreg(gcr_el1, 0xffff);
	e = run_at(EL1, addg_16_2, TAG(3) + VA);
	EXPECT_REG(e, 0, VA + 16);
}

TEST(subp_subtracts_56_bits_with_sign)
{
	NEEDS_MTE;
	struct exc e = run_at(EL1, subp_x, TAG(7) + VA, 0xff00000080000010);

	EXPECT_REG(e, 0, -16ul);
	EXPECT_REG(e, 1, 0);
	e = run_at(EL1, subp_x, 0x0080000000000000, 1);
	EXPECT_REG(e, 0, 0xff7fffffffffffff);
	e = run_at(EL1, subps_x, TAG(7) + VA, VA);
	EXPECT_REG(e, 0, 0);
	EXPECT_REG(e, 1, SPSR_Z | SPSR_C);
	e = run_at(EL1, subps_x, VA, VA + 1);
	EXPECT_REG(e, 0, ~0ul);
	EXPECT_REG(e, 1, SPSR_N);
}

TEST(without_ata_tags_of_registers_are_0)
{
	NEEDS_MTE;
	write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) & ~SCTLR_ATA);
	struct exc irg = run_at(EL1, irg_x, TAG(7) + VA, BIT(0));
	struct exc addg = run_at(EL1, addg_16_2, TAG(7) + VA);
	struct exc gmi = run_at(EL1, gmi_x, TAG(5), 1);
	struct exc el0 = run_at(EL0, addg_16_2, TAG(7) + VA);

	EXPECT_REG(irg, 0, VA);
	EXPECT_REG(addg, 0, VA + 16);
	EXPECT_REG(gmi, 0, 0x21);
	EXPECT_REG(el0, 0, TAG(9) + VA + 16);
}

// ---- Tags in memory -----------------------------------------------------------------------------

TEST(stg_and_ldg_move_each_tag)
{
	NEEDS_MTE;
	for (unsigned tag = 0; tag < 16; tag++) {
		set_tag(VA + 0x40, tag);
		EXPECT_EQ(tag_at(VA + 0x40), tag);
		EXPECT_EQ(tag_at(VA + 0x30), 0);
		EXPECT_EQ(tag_at(VA + 0x50), 0);
	}
	EXPECT_EQ(word(0x40), 9);
	EXPECT_EQ(tag_at(RO_VA + 0x40), 15);
}

TEST(ldg_replaces_the_tag_of_its_register)
{
	NEEDS_MTE;
	set_tag(VA + 0x40, 6);
	struct exc e = run_at(EL1, load_tag, TAG(3) + VA + 0x4f, 0xffffffffffffffff);

	EXPECT_REG(e, 0, 0xf6ffffffffffffff);
	e = run_at(EL0, load_tag, VA + 0x47, 0x1234);
	EXPECT_REG(e, 0, TAG(6) + 0x1234);
}

TEST(stg_writes_its_base_back)
{
	QEMU_7_DIFFERS("forgets the offset in the page");
	NEEDS_MTE;
	struct exc pre = run_at(EL1, store_tag_pre, VA + 0x100, TAG(5));
	struct exc post = run_at(EL1, store_tag_post, VA + 0x200, TAG(6));
	struct exc sp = run_at(EL1, store_tag_sp, TAG(7) + VA + 0x300);

	EXPECT_REG(pre, 0, VA + 0xe0);
	EXPECT_REG(post, 0, VA + 0x200 + 4080);
	EXPECT_NO_EXC(sp);
	EXPECT_EQ(tag_at(VA + 0xe0), 5);
	EXPECT_EQ(tag_at(VA + 0x200), 6);
	EXPECT_EQ(tag_at(VA + 0x310), 7);
	EXPECT_EQ(tag_at(VA + 0x300), 0);
}

TEST(st2g_tags_two_granules_even_of_two_pages)
{
	NEEDS_MTE;
	struct exc e = run_at(EL1, store_tags, VA + 0xff0, TAG(12));

	EXPECT_NO_EXC(e);
	EXPECT_EQ(tag_at(VA + 0xfe0), 0);
	EXPECT_EQ(tag_at(VA + 0xff0), 12);
	EXPECT_EQ(tag_at(VA + 0x1000), 12);
	EXPECT_EQ(tag_at(VA + 0x1010), 0);
}

TEST(stzg_and_stz2g_zero_the_data)
{
	NEEDS_MTE;
	struct exc one = run_at(EL0, store_tag_zero, VA + 0x40, TAG(3));
	struct exc two = run_at(EL1, store_tags_zero, VA + 0xff0, TAG(4));

	EXPECT_NO_EXC(one);
	EXPECT_NO_EXC(two);
	EXPECT_EQ(word(0x38), 8);
	EXPECT_EQ(word(0x40) | word(0x48), 0);
	EXPECT_EQ(word(0x50), 11);
	EXPECT_EQ(word(0xfe8), 0x1fe);
	EXPECT_EQ(word(0xff0) | word(0xff8) | word(0x1000) | word(0x1008), 0);
	EXPECT_EQ(word(0x1010), 0x203);
	EXPECT_EQ(tag_at(VA + 0x40), 3);
	EXPECT_EQ(tag_at(VA + 0xff0), 4);
	EXPECT_EQ(tag_at(VA + 0x1000), 4);
}

TEST(stores_of_tags_want_aligned_addresses)
{
	NEEDS_MTE;
	struct exc stg = run_at(EL1, store_tag, VA + 0x48, TAG(3));
	struct exc zero = run_at(EL0, store_tag_zero, VA + 0x41, TAG(3));
	struct exc two = run_at(EL1, store_tags, VA + 0x44, TAG(3));
	struct exc pair = run_at(EL1, store_pair, VA + 0x48, 1, 2);

	EXPECT_ABORT(stg, EL1, EC_DABT_SAME, ISS_WNR | FSC_ALIGNMENT, VA + 0x48);
	EXPECT_ABORT(zero, EL1, EC_DABT_LOWER, ISS_WNR | FSC_ALIGNMENT, VA + 0x41);
	EXPECT_ABORT(two, EL1, EC_DABT_SAME, ISS_WNR | FSC_ALIGNMENT, VA + 0x44);
	EXPECT_ABORT(pair, EL1, EC_DABT_SAME, ISS_WNR | FSC_ALIGNMENT, VA + 0x48);
	EXPECT_EQ(tag_at(VA + 0x40), 0);
	EXPECT_EQ(word(0x40), 9);
}

TEST(stgp_stores_two_registers_and_the_tag_of_the_address)
{
	QEMU_7_DIFFERS("forgets the offset in the page");
	NEEDS_MTE;
	check(TCF_SYNC, TCF_NONE);
	struct exc e = run_at(EL1, store_pair, TAG(5) + VA + 0x40, 0x111, 0x222);
	struct exc pre = run_at(EL1, store_pair_pre, TAG(6) + VA + 0x80, 0x333, 0x444);
	struct exc post = run_at(EL1, store_pair_post, TAG(7) + VA + 0xc0, 0x555, 0x666);

	EXPECT_NO_EXC(e);
	EXPECT_REG(pre, 0, TAG(6) + VA + 0x90);
	EXPECT_REG(post, 0, TAG(7) + VA + 0xb0);
	EXPECT_EQ(word(0x40), 0x111);
	EXPECT_EQ(word(0x48), 0x222);
	EXPECT_EQ(word(0x90), 0x333);
	EXPECT_EQ(word(0xc8), 0x666);
	EXPECT_EQ(tag_at(VA + 0x40), 5);
	EXPECT_EQ(tag_at(VA + 0x90), 6);
	EXPECT_EQ(tag_at(VA + 0xc0), 7);
}

TEST(blocks_of_tags_are_for_el1_and_above)
{
	NEEDS_MTE;
	struct exc load = run_at(EL0, load_block, VA);
	struct exc store = run_at(EL0, store_block, VA, 0);
	struct exc zero = run_at(EL0, zero_block, VA, 0);

	EXPECT_EXC(load, EL1, EC_UNKNOWN, 0);
	EXPECT_EXC(store, EL1, EC_UNKNOWN, 0);
	EXPECT_EXC(zero, EL1, EC_UNKNOWN, 0);
}

// GMID_EL1.BS: log2 of the block's words; the tags are where their granules are in 256 bytes.
TEST(stgm_and_ldgm_move_the_tags_of_a_block)
{
	QEMU_7_DIFFERS("forgets the offset in the page");
	NEEDS_MTE;
	uint64_t block = 4ul << (read_sysreg(S3_1_C0_C0_4) & 15);
	uint64_t first = VA + 0x200, mask = block == 256 ? ~0ul : BIT(block / 4) - 1;
	struct exc e = run_at(EL1, store_block, first + block - 1, 0xfedcba9876543210);

	EXPECT_TRUE(block >= 16 && block <= 256);
	EXPECT_NO_EXC(e);
	for (uint64_t at = 0; at < block; at += 16) {
		EXPECT_EQ(tag_at(first + at), at / 16);
	}
	EXPECT_EQ(tag_at(first + block), 0);
	e = run_at(EL1, load_block, first + 8);
	EXPECT_REG(e, 0, 0xfedcba9876543210 & mask);
}

TEST(stzgm_zeroes_a_block_and_tags_it)
{
	QEMU_7_DIFFERS("forgets the offset in the page");
	NEEDS_MTE;
	uint64_t block = 4ul << (read_sysreg(dczid_el0) & 15);
	struct exc e = run_at(EL1, zero_block, VA + block + 8, 0xfffffffffffffff5);

	EXPECT_NO_EXC(e);
	EXPECT_EQ(word(block - 8), block / 8);
	EXPECT_EQ(tag_at(VA + block - 16), 0);
	for (uint64_t at = 0; at < block; at += 16) {
		EXPECT_EQ(word(block + at) | word(block + at + 8), 0);
		EXPECT_EQ(tag_at(VA + block + at), 5);
	}
	EXPECT_EQ(tag_at(VA + 2 * block), 0);
	EXPECT_EQ(word(2 * block), 2 * block / 8 + 1);
}

TEST(dc_gva_tags_and_dc_gzva_zeroes_too)
{
	QEMU_7_DIFFERS("forgets the offset in the page");
	NEEDS_MTE;
	uint64_t block = 4ul << (read_sysreg(dczid_el0) & 15);
	struct exc e = run_at(EL0, dc_gva, TAG(5) + VA + block + 5);

	EXPECT_NO_EXC(e);
	EXPECT_EQ(tag_at(VA + block - 16), 0);
	EXPECT_EQ(tag_at(VA + block), 5);
	EXPECT_EQ(tag_at(VA + 2 * block - 16), 5);
	EXPECT_EQ(word(block), block / 8 + 1);
	e = run_at(EL0, dc_gzva, TAG(6) + VA + block);
	EXPECT_NO_EXC(e);
	EXPECT_EQ(tag_at(VA + block), 6);
	EXPECT_EQ(word(block) | word(2 * block - 8), 0);
}

TEST(tag_stores_want_the_right_to_write_and_loads_to_read)
{
	NEEDS_MTE;
	struct exc ro = run_at(EL1, store_tag, RO_VA + 0x40, TAG(3));
	struct exc load = run_at(EL1, load_tag, VA + 0x8000);
	struct exc store = run_at(EL0, store_tag, VA + 0x8000, TAG(3));
	struct exc two = run_at(EL1, store_tags, VA + 0x3ff0, TAG(3));

	EXPECT_ABORT(ro, EL1, EC_DABT_SAME, ISS_WNR | FSC_PERMISSION(3), RO_VA + 0x40);
	EXPECT_ABORT(load, EL1, EC_DABT_SAME, FSC_TRANSLATION(3), VA + 0x8000);
	EXPECT_ABORT(store, EL1, EC_DABT_LOWER, ISS_WNR | FSC_TRANSLATION(3), VA + 0x8000);
	EXPECT_ABORT(two, EL1, EC_DABT_SAME, ISS_WNR | FSC_TRANSLATION(3), VA + 0x4000);
}

TEST(untagged_memory_has_tag_0_and_keeps_none)
{
	NEEDS_MTE;
	set_tag(VA + 0x40, 9);
	EXPECT_EQ(tag_at(PLAIN_VA + 0x40), 0);
	set_tag(PLAIN_VA + 0x40, 3);
	EXPECT_EQ(tag_at(VA + 0x40), 9);
	struct exc e = run_at(EL1, load_block, PLAIN_VA);

	EXPECT_REG(e, 0, 0);
	e = run_at(EL1, store_tag_zero, PLAIN_VA + 0x40, TAG(3));
	EXPECT_NO_EXC(e);
	EXPECT_EQ(word(0x40), 0);
	EXPECT_EQ(tag_at(VA + 0x40), 9);
}

// A watchpoint on the upper half of a granule: MemTag translates 16 bytes.
static void watch_granule(void)
{
	write_sysreg(dbgwvr0_el1, VA + 0x48);
	write_sysreg(dbgwcr0_el1, BIT(0) | 2ul << 1 | 3ul << 3 | 0xfful << 5); // EL0
	write_sysreg(mdscr_el1, read_sysreg(mdscr_el1) | MDSCR_MDE);
}

TEST(watchpoints_see_stores_of_tags)
{
	NEEDS_MTE;
	watch_granule();
	struct exc e = run_at(EL0, store_tag, VA + 0x40, TAG(3));
	struct exc other = run_at(EL0, store_tag, VA + 0x50, TAG(3));

	EXPECT_EXC(e, EL1, EC_WATCHPT_LOWER, ISS_WNR | FSC_DEBUG);
	EXPECT_NO_EXC(other);
	EXPECT_EQ(tag_at(VA + 0x40), 0);
}

TEST(watchpoints_see_loads_of_tags)
{
	QEMU_DIFFERS("looks at the first byte alone");
	NEEDS_MTE;
	watch_granule();
	struct exc e = run_at(EL0, load_tag, VA + 0x40);

	EXPECT_EXC(e, EL1, EC_WATCHPT_LOWER, FSC_DEBUG);
}

TEST(dc_gva_with_a_watched_granule_sets_no_tag)
{
	QEMU_DIFFERS("does not watch it");
	NEEDS_MTE;
	write_sysreg(dbgwvr0_el1, VA + 0x78);
	write_sysreg(dbgwcr0_el1, BIT(0) | 2ul << 1 | 2ul << 3 | 0xfful << 5); // EL0's stores
	write_sysreg(mdscr_el1, read_sysreg(mdscr_el1) | MDSCR_MDE);
	struct exc e = run_at(EL0, dc_gva, TAG(5) + VA + 0x44);

	EXPECT_EXC(e, EL1, EC_WATCHPT_LOWER, ISS_WNR | FSC_DEBUG);
	EXPECT_EQ(tag_at(VA + 0x40), 0);
	EXPECT_EQ(tag_at(VA + 0x70), 0);
}

TEST(watchpoints_come_before_tag_check_faults)
{
	QEMU_DIFFERS("checks the tag first");
	NEEDS_MTE;
	check(TCF_SYNC, TCF_SYNC);
	watch_granule();
	struct exc load = run_at(EL0, load_x, TAG(6) + VA + 0x48);
	struct exc store = run_at(EL0, store_x, TAG(6) + VA + 0x48);
	struct exc atomic = run_at(EL0, add_x, TAG(6) + VA + 0x48);
	struct exc exclusive = run_at(EL0, load_exclusive, TAG(6) + VA + 0x48);

	EXPECT_EXC(exclusive, EL1, EC_WATCHPT_LOWER, FSC_DEBUG);
	EXPECT_EXC(load, EL1, EC_WATCHPT_LOWER, FSC_DEBUG);
	EXPECT_EXC(store, EL1, EC_WATCHPT_LOWER, ISS_WNR | FSC_DEBUG);
	EXPECT_EXC(atomic, EL1, EC_WATCHPT_LOWER, FSC_DEBUG);
}

// ---- What makes tags inaccessible ---------------------------------------------------------------

static void expect_no_tags(int line, enum el el)
{
	struct exc s = run_at(el, store_tag, VA + 0x40, TAG(3));
	struct exc z = run_at(el, store_tag_zero, VA + 0x50, TAG(3));
	struct exc l = run_at(el, load_tag, VA + 0x40, 0);
	struct exc data = run_at(el, load_x, TAG(6) + VA + 0x40);

	guest_expect_no_exc("no tags", line, &s);
	guest_expect_no_exc("no tags", line, &z);
	guest_expect_no_exc("no tags", line, &l);
	guest_expect_no_exc("no tags", line, &data);
	guest_expect_eq("no tags", line, "LDG", l.x[0], 0);
	guest_expect_eq("no tags", line, "STZG", word(0x50), 0);
}

TEST(without_ata_there_are_no_tags)
{
	const uint64_t sctlr = SCTLR_ATA | SCTLR_ATA0;

	NEEDS_MTE;
	set_tag(VA + 0x40, 9);
	check(TCF_SYNC, TCF_SYNC);
	const uint64_t on = read_sysreg(sctlr_el1);

	write_sysreg(sctlr_el1, on & ~SCTLR_ATA);
	expect_no_tags(__LINE__, EL1);
	write_sysreg(sctlr_el1, on & ~SCTLR_ATA0);
	expect_no_tags(__LINE__, EL0);
	write_sysreg(sctlr_el1, on | sctlr);
	write_sysreg(hcr_el2, HCR_BASE);
	expect_no_tags(__LINE__, EL1);
	expect_no_tags(__LINE__, EL0);
	write_sysreg(hcr_el2, HCR_BASE | HCR_ATA);
	write_sysreg(scr_el3, SCR_BASE);
	expect_no_tags(__LINE__, EL1);
	expect_no_tags(__LINE__, EL0);
	write_sysreg(scr_el3, SCR_BASE | SCR_ATA);
	EXPECT_EQ(tag_at(VA + 0x40), 9);
	EXPECT_EQ(tag_at(VA + 0x50), 0);
}

TEST(registers_of_tags_are_trapped_by_ata)
{
	const struct sysreg *el1[] = {&gcr, &rgsr, &tfsr1, &tfsre0};

	NEEDS_MTE;
	for (unsigned i = 0; i < 4; i++) {
		EXPECT_ACCESS(EL1, READ, *el1[i]);
		EXPECT_UNDEFINED(EL0, READ, *el1[i], EL1);
		write_sysreg(hcr_el2, HCR_BASE);
		EXPECT_TRAP(EL1, READ, *el1[i], EL2);
		EXPECT_TRAP(EL1, WRITE, *el1[i], EL2);
		EXPECT_ACCESS(EL2, READ, *el1[i]);
		write_sysreg(hcr_el2, HCR_BASE | HCR_ATA);
		write_sysreg(scr_el3, SCR_BASE);
		EXPECT_TRAP(EL1, READ, *el1[i], EL3);
		EXPECT_TRAP(EL2, WRITE, *el1[i], EL3);
		EXPECT_ACCESS(EL3, READ, *el1[i]);
		write_sysreg(scr_el3, SCR_BASE | SCR_ATA);
	}
	write_sysreg(scr_el3, SCR_BASE);
	EXPECT_TRAP(EL2, READ, tfsr2, EL3);
	EXPECT_UNDEFINED(EL1, READ, tfsr2, EL1);
	EXPECT_ACCESS(EL0, READ, tco);
	EXPECT_ACCESS(EL1, READ, gmid);
	write_sysreg(hcr_el2, HCR_BASE | HCR_TID5);
	EXPECT_TRAP(EL1, READ, gmid, EL2);
}

// ---- Synchronous faults -------------------------------------------------------------------------

TEST(a_wrong_tag_is_a_fault)
{
	NEEDS_MTE;
	check(TCF_SYNC, TCF_SYNC);
	set_tag(VA + 0x40, 5);
	struct exc load = run_at(EL1, load_x, TAG(6) + VA + 0x48, 0x77);
	struct exc store = run_at(EL1, store_x, TAG(4) + VA + 0x48, 0x77);
	struct exc load0 = run_at(EL0, load_x, VA + 0x48);
	struct exc store0 = run_at(EL0, store_x, TAG(1) + VA + 0x48, 0x77);

	EXPECT_TAG_FAULT(load, EL1, EC_DABT_SAME, 0, TAG(6) + VA + 0x48);
	EXPECT_REG(load, 1, 0x77);
	EXPECT_TAG_FAULT(store, EL1, EC_DABT_SAME, ISS_WNR, TAG(4) + VA + 0x48);
	EXPECT_TAG_FAULT(load0, EL1, EC_DABT_LOWER, 0, VA + 0x48);
	EXPECT_TAG_FAULT(store0, EL1, EC_DABT_LOWER, ISS_WNR, TAG(1) + VA + 0x48);
	EXPECT_EQ(word(0x48), 10);
	EXPECT_EQ(read_sysreg(tfsr_el1) | read_sysreg(tfsre0_el1), 0);
}

TEST(the_right_tag_is_none)
{
	NEEDS_MTE;
	check(TCF_SYNC, TCF_SYNC);
	for (unsigned tag = 0; tag < 16; tag++) {
		set_tag(VA + 0x40, tag);
		for (unsigned t = 0; t < 16; t++) {
			struct exc e = run_at(EL0, load_x, TAG(t) + VA + 0x40);

			EXPECT_EQ(e.el, t == tag ? EL_NONE : EL1);
		}
	}
}

TEST(each_kind_of_access_is_checked)
{
	static const char *const loads[] = {load_b,         load_pair,    load_q,
					    load_exclusive, load_acquire, load_x};
	static const char *const stores[] = {store_q, store_release, store_x};

	NEEDS_MTE;
	check(TCF_SYNC, TCF_SYNC);
	for (unsigned i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
		struct exc e = run_at(EL1, loads[i], TAG(6) + VA + 0x40);

		EXPECT_TAG_FAULT(e, EL1, EC_DABT_SAME, 0, TAG(6) + VA + 0x40);
	}
	for (unsigned i = 0; i < sizeof(stores) / sizeof(stores[0]); i++) {
		struct exc e = run_at(EL0, stores[i], TAG(6) + VA + 0x40);

		EXPECT_TAG_FAULT(e, EL1, EC_DABT_LOWER, ISS_WNR, TAG(6) + VA + 0x40);
	}
	struct exc prfm = run_at(EL1, prefetch, TAG(6) + VA + 0x40);
	struct exc clean = run_at(EL1, clean_x, TAG(6) + VA + 0x40);

	EXPECT_NO_EXC(prfm);
	EXPECT_NO_EXC(clean);
}

TEST(dc_zva_is_checked_as_a_write)
{
	QEMU_DIFFERS("reports a read");
	NEEDS_MTE;
	check(TCF_SYNC, TCF_SYNC);
	struct exc e = run_at(EL0, dc_zva, TAG(6) + VA + 0x40);

	EXPECT_TAG_FAULT(e, EL1, EC_DABT_LOWER, ISS_WNR, TAG(6) + VA + 0x40);
	EXPECT_EQ(word(0x40), 9);
}

// A read would fault, too.
TEST(an_atomic_reports_a_read)
{
	NEEDS_MTE;
	check(TCF_SYNC, TCF_SYNC);
	struct exc e = run_at(EL1, add_x, TAG(6) + VA + 0x40);

	EXPECT_TAG_FAULT(e, EL1, EC_DABT_SAME, 0, TAG(6) + VA + 0x40);
}

TEST(a_compare_and_swap_reports_a_read)
{
	QEMU_DIFFERS("reports a write");
	NEEDS_MTE;
	check(TCF_SYNC, TCF_SYNC);
	struct exc e = run_at(EL0, cas_x, TAG(6) + VA + 0x40);

	EXPECT_TAG_FAULT(e, EL1, EC_DABT_LOWER, 0, TAG(6) + VA + 0x40);
}

// What crosses a granule faults at its first byte with another tag.
TEST(an_access_of_two_granules_faults_where_the_tag_is_wrong)
{
	NEEDS_MTE;
	check(TCF_SYNC, TCF_SYNC);
	set_tag(VA + 0x40, 5);
	set_tag(VA + 0x50, 6);
	struct exc first = run_at(EL1, load_x, TAG(6) + VA + 0x4c);
	struct exc second = run_at(EL1, load_x, TAG(5) + VA + 0x4c);
	struct exc pair = run_at(EL1, load_pair, TAG(5) + VA + 0x48);
	struct exc store = run_at(EL1, store_x, TAG(5) + VA + 0x49, 0);
	struct exc q = run_at(EL1, load_q, TAG(5) + VA + 0x48);

	EXPECT_TAG_FAULT(first, EL1, EC_DABT_SAME, 0, TAG(6) + VA + 0x4c);
	EXPECT_TAG_FAULT(second, EL1, EC_DABT_SAME, 0, TAG(5) + VA + 0x50);
	EXPECT_TAG_FAULT(pair, EL1, EC_DABT_SAME, 0, TAG(5) + VA + 0x50);
	EXPECT_TAG_FAULT(store, EL1, EC_DABT_SAME, ISS_WNR, TAG(5) + VA + 0x50);
	EXPECT_TAG_FAULT(q, EL1, EC_DABT_SAME, 0, TAG(5) + VA + 0x50);
	set_tag(VA + 0x50, 5);
	second = run_at(EL1, load_x, TAG(5) + VA + 0x4c);
	EXPECT_NO_EXC(second);
}

TEST(other_faults_come_before_tags)
{
	NEEDS_MTE;
	check(TCF_SYNC, TCF_SYNC);
	struct exc ro = run_at(EL1, store_x, TAG(6) + RO_VA + 0x40);
	struct exc none = run_at(EL1, load_x, TAG(6) + VA + 0x8000);

	EXPECT_ABORT(ro, EL1, EC_DABT_SAME, ISS_WNR | FSC_PERMISSION(3), TAG(6) + RO_VA + 0x40);
	EXPECT_ABORT(none, EL1, EC_DABT_SAME, FSC_TRANSLATION(3), TAG(6) + VA + 0x8000);
}

TEST(misalignment_comes_before_tags)
{
	QEMU_7_DIFFERS("looks at tags first");
	NEEDS_MTE;
	check(TCF_SYNC, TCF_SYNC);
	write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | SCTLR_A);
	struct exc odd = run_at(EL1, load_x, TAG(6) + VA + 0x41);

	EXPECT_ABORT(odd, EL1, EC_DABT_SAME, FSC_ALIGNMENT, TAG(6) + VA + 0x41);
}

TEST(each_page_of_a_copy_is_checked)
{
	NEEDS_MTE;
	SKIP_UNLESS(id_field(read_sysreg(id_aa64isar2_el1), 16) >= 1, "no FEAT_MOPS");
	write_sysreg(scr_el3, SCR_BASE | SCR_ATA | SCR_HXEN);
	write_sysreg(hcrx_el2, HCRX_MSCEN);
	check(TCF_SYNC, TCF_SYNC);
	set_tag(VA + 0x1040, 5);
	struct exc write = run_at(EL1, copy, VA + 0x800, VA + 0x2000, 0x1000);

	EXPECT_TAG_FAULT(write, EL1, EC_DABT_SAME, ISS_WNR, VA + 0x1040);
	EXPECT_EQ(word(0x1038), 0x2838 / 8 + 1);
	EXPECT_EQ(word(0x1040), 0x1040 / 8 + 1);
	struct exc read = run_at(EL1, copy, VA + 0x2000, VA + 0x800, 0x1000);

	EXPECT_TAG_FAULT(read, EL1, EC_DABT_SAME, 0, VA + 0x1040);
	EXPECT_EQ(word(0x2840), 0x2840 / 8 + 1);
}

// ---- What is not checked ------------------------------------------------------------------------

TEST(tcf_decides_for_el1_and_tcf0_for_el0)
{
	NEEDS_MTE;
	check(TCF_SYNC, TCF_NONE);
	struct exc e1 = run_at(EL1, load_x, TAG(6) + VA);
	struct exc e0 = run_at(EL0, load_x, TAG(6) + VA);
	struct exc ldtr = run_at(EL1, load_unprivileged, TAG(6) + VA);

	EXPECT_EQ(e1.el, EL1);
	EXPECT_NO_EXC(e0);
	EXPECT_NO_EXC(ldtr);
	check(TCF_NONE, TCF_SYNC);
	e1 = run_at(EL1, load_x, TAG(6) + VA);
	e0 = run_at(EL0, load_x, TAG(6) + VA);
	ldtr = run_at(EL1, load_unprivileged, TAG(6) + VA);
	EXPECT_NO_EXC(e1);
	EXPECT_TAG_FAULT(e0, EL1, EC_DABT_LOWER, 0, TAG(6) + VA);
	EXPECT_TAG_FAULT(ldtr, EL1, EC_DABT_SAME, 0, TAG(6) + VA);
}

TEST(tco_overrides_checks)
{
	NEEDS_MTE;
	check(TCF_SYNC, TCF_SYNC);
	struct exc e = run_at_spsr(guest_spsr(EL1) | SPSR_TCO, load_x, TAG(6) + VA);
	struct exc e0 = run_at_spsr(guest_spsr(EL0) | SPSR_TCO, store_x, TAG(6) + VA);

	EXPECT_NO_EXC(e);
	EXPECT_NO_EXC(e0);
	EXPECT_MASKED(e.pstate, SPSR_TCO, SPSR_TCO);
}

TEST(tco_is_written_at_el0_and_set_by_exceptions)
{
	NEEDS_MTE;
	struct exc e = run_at(EL0, set_tco);

	EXPECT_REG(e, 0, SPSR_TCO);
	EXPECT_REG(e, 1, 0);
	EXPECT_REG(e, 2, SPSR_TCO);
	e = run_at(EL0, svc_1);
	EXPECT_MASKED(e.spsr, SPSR_TCO, 0);
	EXPECT_MASKED(e.pstate, SPSR_TCO, SPSR_TCO);
	e = run_at_spsr(guest_spsr(EL1) | SPSR_TCO, svc_1);
	EXPECT_MASKED(e.spsr, SPSR_TCO, SPSR_TCO);
	EXPECT_MASKED(e.pstate, SPSR_TCO, SPSR_TCO);
}

TEST(without_tbi_nothing_is_checked)
{
	NEEDS_MTE;
	check(TCF_SYNC, TCF_SYNC);
	set_tag(VA + 0x40, 5);
	tcr(0);
	struct exc e = run_at(EL1, load_x, VA + 0x40);

	EXPECT_NO_EXC(e);
	tcr(TCR_TBI0);
	e = run_at(EL1, load_x, VA + 0x40);
	EXPECT_EQ(e.el, EL1);
}

TEST(tcma0_lets_tag_0_through)
{
	NEEDS_MTE;
	check(TCF_SYNC, TCF_SYNC);
	set_tag(VA + 0x40, 5);
	tcr(TCR_TBI0 | TCR_TCMA0);
	struct exc zero = run_at(EL1, load_x, VA + 0x40);
	struct exc top = run_at(EL0, load_x, (0xf0ul << 56) + VA + 0x40);
	struct exc other = run_at(EL1, load_x, TAG(15) + VA + 0x40);

	EXPECT_NO_EXC(zero);
	EXPECT_NO_EXC(top);
	EXPECT_TAG_FAULT(other, EL1, EC_DABT_SAME, 0, TAG(15) + VA + 0x40);
}

// The same tables for the upper half.
static void upper_half(uint64_t bits)
{
	write_sysreg(ttbr1_el1, tables.root);
	write_sysreg(tcr_el1,
		     (tcr_el1_value(&tables) & ~(BIT(23) | 63ul << 16)) | 25ul << 16 | bits);
	tlbi_all();
}

TEST(tcma1_lets_tag_15_through)
{
	NEEDS_MTE;
	check(TCF_SYNC, TCF_SYNC);
	set_tag(VA + 0x40, 5);
	upper_half(TCR_TBI0 | TCR_TBI1 | TCR_TCMA1);
	struct exc ones = run_at(EL1, load_x, HIGH + VA + 0x40);
	struct exc zero = run_at(EL1, load_x, (HIGH & ~TAG(15)) + VA + 0x40);
	struct exc five = run_at(EL1, load_x, (HIGH & ~TAG(10)) + VA + 0x40);
	struct exc low = run_at(EL1, load_x, TAG(15) + VA + 0x40);

	EXPECT_NO_EXC(ones);
	EXPECT_NO_EXC(five);
	EXPECT_TAG_FAULT(zero, EL1, EC_DABT_SAME, 0, (HIGH & ~TAG(15)) + VA + 0x40);
	EXPECT_EQ(low.el, EL1);
}

TEST(untagged_memory_is_not_checked)
{
	NEEDS_MTE;
	check(TCF_SYNC, TCF_SYNC);
	set_tag(VA + 0x40, 5);
	struct exc load = run_at(EL1, load_x, TAG(6) + PLAIN_VA + 0x40);
	struct exc store = run_at(EL0, store_x, TAG(7) + PLAIN_VA + 0x40, 0x77);

	EXPECT_NO_EXC(load);
	EXPECT_NO_EXC(store);
	EXPECT_EQ(word(0x40), 0x77);
}

// A fixed offset from SP is not checked; writeback and register offsets are.
TEST(fixed_offsets_from_sp_are_not_checked)
{
	NEEDS_MTE;
	check(TCF_SYNC, TCF_SYNC);
	struct exc offset = run_at(EL1, sp_offset, TAG(6) + VA + 0x40);
	struct exc post = run_at(EL1, sp_post, TAG(6) + VA + 0x40);
	struct exc reg = run_at(EL1, sp_register, TAG(6) + VA + 0x40, 0, 8);

	EXPECT_NO_EXC(offset);
	EXPECT_TAG_FAULT(post, EL1, EC_DABT_SAME, 0, TAG(6) + VA + 0x40);
	EXPECT_TAG_FAULT(reg, EL1, EC_DABT_SAME, 0, TAG(6) + VA + 0x48);
}

// ---- Asynchronous and asymmetric ----------------------------------------------------------------

TEST(asynchronous_faults_are_noted)
{
	NEEDS_MTE;
	check(TCF_ASYNC, TCF_ASYNC);
	struct exc load = run_at(EL1, load_x, TAG(6) + VA + 0x40, 0);

	EXPECT_NO_EXC(load);
	EXPECT_REG(load, 1, 9);
	EXPECT_EQ(read_sysreg(tfsr_el1), TF0);
	EXPECT_EQ(read_sysreg(tfsre0_el1), 0);
	check(TCF_ASYNC, TCF_ASYNC);
	struct exc store = run_at(EL0, store_x, TAG(6) + VA + 0x40, 0x77);

	EXPECT_NO_EXC(store);
	EXPECT_EQ(word(0x40), 0x77);
	EXPECT_EQ(read_sysreg(tfsr_el1), 0);
	EXPECT_EQ(read_sysreg(tfsre0_el1), TF0);
	// Nothing clears it but a write.
	load = run_at(EL0, load_x, VA + 0x40);
	EXPECT_EQ(read_sysreg(tfsre0_el1), TF0);
}

TEST(asynchronous_faults_of_unprivileged_accesses_are_el0s)
{
	NEEDS_MTE;
	check(TCF_NONE, TCF_ASYNC);
	struct exc e = run_at(EL1, load_unprivileged, TAG(6) + VA + 0x40);

	EXPECT_NO_EXC(e);
	EXPECT_EQ(read_sysreg(tfsre0_el1), TF0);
	EXPECT_EQ(read_sysreg(tfsr_el1), 0);
}

TEST(asynchronous_faults_of_the_upper_half_are_tf1)
{
	NEEDS_MTE;
	upper_half(TCR_TBI0 | TCR_TBI1);
	check(TCF_ASYNC, TCF_ASYNC);
	struct exc e = run_at(EL1, load_x, HIGH + VA + 0x40);

	EXPECT_NO_EXC(e);
	EXPECT_EQ(read_sysreg(tfsr_el1), TF1);
	e = run_at(EL1, load_x, TAG(1) + VA + 0x40);
	EXPECT_EQ(read_sysreg(tfsr_el1), TF0 | TF1);
}

TEST(asymmetric_loads_fault_and_stores_are_noted)
{
	NEEDS_MTE3;
	check(TCF_ASYMMETRIC, TCF_ASYMMETRIC);
	struct exc load = run_at(EL1, load_x, TAG(6) + VA + 0x40);
	struct exc add = run_at(EL0, add_x, TAG(6) + VA + 0x40, 1);

	EXPECT_TAG_FAULT(load, EL1, EC_DABT_SAME, 0, TAG(6) + VA + 0x40);
	EXPECT_EQ(add.el, EL1);
	EXPECT_EQ(read_sysreg(tfsr_el1) | read_sysreg(tfsre0_el1), 0);
	EXPECT_EQ(word(0x40), 9);
	struct exc store = run_at(EL1, store_x, TAG(6) + VA + 0x40, 0x77);

	EXPECT_NO_EXC(store);
	EXPECT_EQ(read_sysreg(tfsr_el1), TF0);
	EXPECT_EQ(word(0x40), 0x77);
}

// ---- Other regimes ------------------------------------------------------------------------------

TEST(el2_has_controls_of_its_own)
{
	NEEDS_MTE;
	const uint64_t value = tcr_el2_value(&tables);

	stage1_on_el2(&tables);
	write_sysreg(mair_el2, MAIR_BASE | 0xf0ul << 8 * MAIR_TAGGED);
	write_sysreg(tcr_el2, value | TCR_EL2_TBI);
	write_sysreg(sctlr_el2, read_sysreg(sctlr_el2) | SCTLR_ATA | SCTLR_TCF(TCF_SYNC));
	tlbi_all();
	set_tag(VA + 0x40, 5);
	struct exc e = run_at(EL2, load_x, TAG(6) + VA + 0x40);

	EXPECT_TAG_FAULT(e, EL2, EC_DABT_SAME, 0, TAG(6) + VA + 0x40);
	e = run_at(EL2, load_x, TAG(5) + VA + 0x40);
	EXPECT_NO_EXC(e);
	// HCR_EL2.ATA is for what is below.
	write_sysreg(hcr_el2, HCR_BASE);
	e = run_at(EL2, load_x, TAG(6) + VA + 0x40);
	EXPECT_EQ(e.el, EL2);
	write_sysreg(tcr_el2, value | TCR_EL2_TBI | TCR_EL2_TCMA);
	tlbi_all();
	e = run_at(EL2, load_x, VA + 0x40);
	EXPECT_NO_EXC(e);
	write_sysreg(tfsr_el2, 0);
	write_sysreg(sctlr_el2, (read_sysreg(sctlr_el2) & ~SCTLR_TCF(3)) | SCTLR_TCF(TCF_ASYNC));
	e = run_at(EL2, store_x, TAG(6) + VA + 0x40, 1);
	EXPECT_NO_EXC(e);
	EXPECT_EQ(read_sysreg(tfsr_el2), TF0);
	EXPECT_EQ(read_sysreg(tfsr_el1), 0);
}

TEST(a_hosts_el0_has_tcf0_of_sctlr_el2)
{
	NEEDS_MTE;
	set_tag(VA + 0x40, 5);
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H | HCR_TGE);
	stage1_on_el20(&tables);
	write_sysreg(mair_el2, MAIR_BASE | 0xf0ul << 8 * MAIR_TAGGED);
	write_sysreg(tcr_el2, tcr_el1_value(&tables) | TCR_TBI0);
	write_sysreg(sctlr_el2, read_sysreg(sctlr_el2) | SCTLR_ATA0 | SCTLR_TCF0(TCF_SYNC));
	tlbi_all();
	struct exc e = run_at(EL0, load_x, TAG(6) + VA + 0x40);

	EXPECT_TAG_FAULT(e, EL2, EC_DABT_LOWER, 0, TAG(6) + VA + 0x40);
	e = run_at(EL0, load_x, TAG(5) + VA + 0x40);
	EXPECT_NO_EXC(e);
	write_sysreg(sctlr_el2, (read_sysreg(sctlr_el2) & ~SCTLR_TCF0(3)) | SCTLR_TCF0(TCF_ASYNC));
	e = run_at(EL0, load_x, TAG(6) + VA + 0x40);
	EXPECT_NO_EXC(e);
	EXPECT_EQ(read_sysreg(tfsre0_el1), TF0);
	write_sysreg(sctlr_el2, read_sysreg(sctlr_el2) & ~SCTLR_ATA0);
	write_sysreg(tfsre0_el1, 0);
	e = run_at(EL0, load_x, TAG(6) + VA + 0x40);
	EXPECT_EQ(read_sysreg(tfsre0_el1), 0);
}

// Tags want Write-Back memory of both stages; HCR_EL2.{DC, DCT} give them without stage 1.
TEST(stage_2_may_take_tags_away)
{
	static struct pgtable s2;
	NEEDS_MTE;
	set_tag(VA + 0x40, 5);
	pgtable_init_stage2(&s2, 12, 40, 1);
	map_guest_code_stage2(&s2);
	map_range(&s2, 0x40000000, 0x40000000, 0x400000, S2_NORMAL | S2_RW, 3);
	stage2_on(&s2);
	EXPECT_EQ(tag_at(VA + 0x40), 5);
	map_page(&s2, (uint64_t)memory, (uint64_t)memory,
		 PT_AF | PT_SH_INNER | S2_MEMATTR(5) | S2_RW, 3); // Non-cacheable
	tlbi_all();
	EXPECT_EQ(tag_at(VA + 0x40), 0);
}

TEST(hcr_dct_tags_memory_without_stage_1)
{
	static struct pgtable s2;
	NEEDS_MTE;
	set_tag(VA + 0x40, 5);
	pgtable_init_stage2(&s2, 12, 40, 1);
	map_guest_code_stage2(&s2);
	map_range(&s2, 0x40000000, 0x40000000, 0x400000, S2_NORMAL | S2_RW, 3);
	write_sysreg(hcr_el2, HCR_BASE | HCR_ATA | HCR_DC | HCR_DCT);
	stage2_on(&s2);
	EXPECT_EQ(tag_at((uint64_t)memory + 0x40), 5);
	write_sysreg(hcr_el2, HCR_BASE | HCR_ATA | HCR_DC | HCR_VM);
	tlbi_all();
	EXPECT_EQ(tag_at((uint64_t)memory + 0x40), 0);
}
