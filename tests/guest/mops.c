// SPDX-License-Identifier: Apache-2.0
//
// mops.c - memory copy and memory set (FEAT_MOPS): what the three instructions together have done,
// in either direction and across pages; faults in the middle, after which the same instruction goes
// on; controls; and the exception for registers that the other of the two options (A and B, Arm ARM
// C6.2 CPYFP) left. Which option there is, is asked first: each test holds for both.

#include "abort.h"

__asm__(".arch_extension mops\n");

#define NEEDS_MOPS \
	SKIP_UNLESS(id_field(read_sysreg(id_aa64isar2_el1), 16) >= 1, "no FEAT_MOPS"); \
	start()
#define NEEDS_SETG \
	NEEDS_MOPS; \
	SKIP_UNLESS(id_field(read_sysreg(id_aa64pfr1_el1), 8) >= 2, "no FEAT_MTE2"); \
	tags_on()

#define EC_MOPS 0x27
#define ISS_SET BIT(24)
#define ISS_SETG BIT(23)
#define ISS_OPTIONS(n) ((uint64_t)(n) << 19)
#define ISS_EPILOGUE BIT(18)
#define ISS_WRONG_OPTION BIT(17)
#define ISS_OPTION_A BIT(16)
#define ISS_REGS(d, s, n) ((uint64_t)(d) << 10 | (uint64_t)(s) << 5 | (uint64_t)(n))
#define SCTLR_MSCEN BIT(33)
#define SCTLR_ATA0 BIT(42)
#define SCTLR_ATA BIT(43)
#define HCRX_MCE2 BIT(10)
#define HCRX_MSCEN BIT(11)
#define SCR_HXEN BIT(38)
#define SCR_ATA BIT(26)
#define HCR_ATA BIT(56)
#define TCR_TBI0 BIT(37)
#define hcrx_el2 S3_4_C1_C2_2

// Copies take x0 (to), x1 (from), x2 (size); sets x0 (to), x1 (size), x2 (value).
SNIPPET(cpyf, "cpyfp [x0]!, [x1]!, x2!\n\tcpyfm [x0]!, [x1]!, x2!\n\tcpyfe [x0]!, [x1]!, x2!");
SNIPPET(cpy, "cpyp [x0]!, [x1]!, x2!\n\tcpym [x0]!, [x1]!, x2!\n\tcpye [x0]!, [x1]!, x2!");
SNIPPET(set, "setp [x0]!, x1!, x2\n\tsetm [x0]!, x1!, x2\n\tsete [x0]!, x1!, x2");
SNIPPET(set_zero, "setp [x0]!, x1!, xzr\n\tsetm [x0]!, x1!, xzr\n\tsete [x0]!, x1!, xzr");
SNIPPET(setg, "setgp [x0]!, x1!, x2\n\tsetgm [x0]!, x1!, x2\n\tsetge [x0]!, x1!, x2");
SNIPPET(cpyf_write_unprivileged, "cpyfpwt [x0]!, [x1]!, x2!\n\tcpyfmwt [x0]!, [x1]!, x2!\n\t"
				 "cpyfewt [x0]!, [x1]!, x2!");
SNIPPET(cpyf_read_unprivileged, "cpyfprt [x0]!, [x1]!, x2!\n\tcpyfmrt [x0]!, [x1]!, x2!\n\t"
				"cpyfert [x0]!, [x1]!, x2!");
SNIPPET(cpyf_unprivileged, "cpyfpt [x0]!, [x1]!, x2!\n\tcpyfmt [x0]!, [x1]!, x2!\n\t"
			   "cpyfet [x0]!, [x1]!, x2!");
SNIPPET(set_unprivileged, "setpt [x0]!, x1!, x2\n\tsetmt [x0]!, x1!, x2\n\tsetet [x0]!, x1!, x2");
// One stage alone, as a word: the assembler warns of it.
SNIPPET(one_cpyfp, ".inst 0x19010440\n\tmrs x3, nzcv"); // CPYFP [X0]!, [X1]!, X2!
SNIPPET(one_cpyp, ".inst 0x1d010440\n\tmrs x3, nzcv"); // CPYP [X0]!, [X1]!, X2!
SNIPPET(one_setp, ".inst 0x19c20420\n\tmrs x3, nzcv"); // SETP [X0]!, X1!, X2
SNIPPET(one_setgp, ".inst 0x1dc20420\n\tmrs x3, nzcv"); // SETGP [X0]!, X1!, X2
SNIPPET(one_cpyfm, ".inst 0x19410440"); // CPYFM [X0]!, [X1]!, X2!
SNIPPET(one_cpyfe, ".inst 0x19810440"); // CPYFE [X0]!, [X1]!, X2!
SNIPPET(one_cpymrtn, ".inst 0x1d41e440"); // CPYMRTN [X0]!, [X1]!, X2!
SNIPPET(one_setm, ".inst 0x19c24420"); // SETM [X0]!, X1!, X2
SNIPPET(one_setetn, ".inst 0x19c2b420"); // SETETN [X0]!, X1!, X2
SNIPPET(one_setgm, ".inst 0x1dc24420"); // SETGM [X0]!, X1!, X2
SNIPPET(other_registers, "mov x7, x0\n\tmov x9, x1\n\tmov x11, x2\n\t"
			 ".inst 0x19490567"); // CPYFM [X7]!, [X9]!, X11!

// Two areas of sixteen pages; the page before and the page after each are not mapped.
#define FROM 0x80010000ul
#define TO 0x80030000ul
#define LONG_VA 0x80100000ul
#define AREA 0x10000ul

static struct pgtable tables;
static uint8_t *const from_mem = scratch[4];
static uint8_t *const to_mem = scratch[5];

static uint8_t pattern(uint64_t i)
{
	return (uint8_t)(i * 7 + (i >> 8) * 13 + 1);
}

static void fill(void)
{
	for (uint64_t i = 0; i < AREA; i++) {
		from_mem[i] = pattern(i);
		to_mem[i] = 0xee;
	}
}

// The areas for EL1 and EL0, everything permitted.
static void start(void)
{
	guest_reset();
	write_sysreg(scr_el3, SCR_BASE | SCR_HXEN);
	write_sysreg(hcrx_el2, HCRX_MSCEN);
	fill();
	pgtable_init(&tables, 12, 39);
	map_guest_code(&tables);
	map_range(&tables, FROM, (uint64_t)from_mem, AREA, PT_NORMAL | PT_AP_RW_ALL, 3);
	map_range(&tables, TO, (uint64_t)to_mem, AREA, PT_NORMAL | PT_AP_RW_ALL, 3);
	stage1_on_el1(&tables);
	write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | SCTLR_MSCEN);
}

static void unmap(uint64_t va)
{
	*pgtable_entry(&tables, va, 3) = 0;
	tlbi_all();
}

static void set_page(uint64_t va, uint64_t attrs)
{
	uint64_t pa = va >= TO ? (uint64_t)to_mem + (va - TO) : (uint64_t)from_mem + (va - FROM);

	*pgtable_entry(&tables, va, 3) = pa | PT_NORMAL | attrs | 3;
	tlbi_all();
}

// Do SET* and CPY* work by option A here? PSTATE.C says so after a prologue.
static bool option_a(void)
{
	struct exc e = run_at(EL1, one_cpyfp, TO, FROM, 0x8000);

	fill();
	return !(e.x[3] & SPSR_C);
}

// Does the destination hold size bytes of the source, from offset to offset, and nothing else new?
static bool copied(uint64_t to, uint64_t from, uint64_t size)
{
	for (uint64_t i = 0; i < AREA; i++) {
		uint8_t want = i - to < size ? pattern(from + i - to) : 0xee;

		if (to_mem[i] != want) {
			guest_printf("byte 0x%lx: 0x%x, not 0x%x\n", i, to_mem[i], want);
			return false;
		}
	}
	return true;
}

// The same for one value.
static bool set_to(uint64_t to, uint8_t value, uint64_t size)
{
	for (uint64_t i = 0; i < AREA; i++) {
		uint8_t want = i - to < size ? value : 0xee;

		if (to_mem[i] != want) {
			guest_printf("byte 0x%lx: 0x%x, not 0x%x\n", i, to_mem[i], want);
			return false;
		}
	}
	return true;
}

// Goes on where an exception was taken, with the registers and flags that it left.
static struct exc resume(const struct exc *e)
{
	return run_at_spsr(e->spsr, e->elr, e->x[0], e->x[1], e->x[2]);
}

// ---- Copies -------------------------------------------------------------------------------------

static const uint16_t sizes[] = {0, 1, 7, 8, 15, 16, 17, 100, 0xfff, 0x1000, 0x1001, 0x2345};

TEST(cpyf_copies_any_size_at_any_alignment)
{
	NEEDS_MOPS;
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint64_t to = 0xff8 + i, from = 0x1005 + 3 * i, size = sizes[i];

		fill();
		struct exc e = run_at(EL1, cpyf, TO + to, FROM + from, size);

		EXPECT_NO_EXC(e);
		EXPECT_TRUE(copied(to, from, size));
		EXPECT_REG(e, 0, TO + to + size);
		EXPECT_REG(e, 1, FROM + from + size);
		EXPECT_REG(e, 2, 0);
	}
}

TEST(cpy_copies_any_size_at_any_alignment)
{
	NEEDS_MOPS;
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint64_t to = 0xff8 + i, from = 0x1005 + 3 * i, size = sizes[i];

		fill();
		struct exc e = run_at(EL1, cpy, TO + to, FROM + from, size);

		EXPECT_NO_EXC(e);
		EXPECT_TRUE(copied(to, from, size));
		EXPECT_REG(e, 2, 0);
	}
}

TEST(cpyf_copies_the_whole_area)
{
	NEEDS_MOPS;
	struct exc e = run_at(EL1, cpyf, TO, FROM, AREA);

	EXPECT_NO_EXC(e);
	EXPECT_TRUE(copied(0, 0, AREA));
}

// In one area: from lower to higher addresses, by less than the size, and the other way round.
static void move(uint64_t to, uint64_t from, uint64_t size)
{
	fill();
	struct exc e = run_at(EL1, cpy, FROM + to, FROM + from, size);

	EXPECT_NO_EXC(e);
	EXPECT_REG(e, 2, 0);
	for (uint64_t i = 0; i < AREA; i++) {
		uint8_t want = pattern(i - to < size ? from + i - to : i);

		if (from_mem[i] != want) {
			EXPECT_EQ(i, ~0ul);
			EXPECT_EQ(from_mem[i], want);
			return;
		}
	}
}

TEST(cpy_moves_upwards_within_what_it_reads)
{
	NEEDS_MOPS;
	move(0x1001, 0x1000, 0x3000);
	move(0x1010, 0x1000, 0x11);
	move(0x2ff0, 0x1ff8, 0x2003);
}

TEST(cpy_moves_downwards_within_what_it_reads)
{
	NEEDS_MOPS;
	move(0x1000, 0x1001, 0x3000);
	move(0x1000, 0x1010, 0x11);
	move(0x1ff8, 0x2ff0, 0x2003);
}

TEST(cpy_onto_itself_changes_nothing)
{
	NEEDS_MOPS;
	move(0x1003, 0x1003, 0x1ffe);
}

// A backward copy ends at the beginning.
TEST(cpy_backward_leaves_the_lowest_addresses)
{
	NEEDS_MOPS;
	struct exc e = run_at(EL1, cpy, FROM + 0x1100, FROM + 0x1000, 0x1800);

	EXPECT_NO_EXC(e);
	EXPECT_REG(e, 0, FROM + 0x1100);
	EXPECT_REG(e, 1, FROM + 0x1000);
	EXPECT_REG(e, 2, 0);
}

// CPY compares addresses without their top bytes.
TEST(cpy_takes_overlap_without_tags)
{
	NEEDS_MOPS;
	write_sysreg(tcr_el1, tcr_el1_value(&tables) | TCR_TBI0);
	tlbi_all();
	struct exc e = run_at(EL1, cpy, FROM + 0x10, (0x5aul << 56) + FROM, 0x1800);

	EXPECT_NO_EXC(e);
	EXPECT_EQ(from_mem[0x10], pattern(0));
	EXPECT_EQ(from_mem[0x180f], pattern(0x17ff));
}

// ---- Sets ---------------------------------------------------------------------------------------

TEST(set_fills_any_size_at_any_alignment)
{
	NEEDS_MOPS;
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint64_t to = 0xff9 + i, size = sizes[i];

		fill();
		struct exc e = run_at(EL1, set, TO + to, size, 0xabcdef100 + i);

		EXPECT_NO_EXC(e);
		EXPECT_TRUE(set_to(to, (uint8_t)i, size));
		EXPECT_REG(e, 0, TO + to + size);
		EXPECT_REG(e, 1, 0);
		EXPECT_REG(e, 2, 0xabcdef100 + i);
	}
}

TEST(set_takes_31_for_zero)
{
	NEEDS_MOPS;
	struct exc e = run_at(EL1, set_zero, TO + 5, 0x1234);

	EXPECT_NO_EXC(e);
	EXPECT_TRUE(set_to(5, 0, 0x1234));
}

// ---- Prologues ----------------------------------------------------------------------------------

// Option A: 0000; option B: 0010, backward 1010.
TEST(prologues_set_the_flags)
{
	NEEDS_MOPS;
	uint64_t forward = option_a() ? 0 : SPSR_C, backward = option_a() ? 0 : SPSR_N | SPSR_C;
	uint64_t spsr = guest_spsr(EL1) | SPSR_N | SPSR_Z | SPSR_C | SPSR_V;
	struct exc e = run_at_spsr(spsr, one_cpyfp, TO, FROM, 0x3000);

	EXPECT_REG(e, 3, forward);
	e = run_at_spsr(spsr, one_cpyp, TO, FROM, 0x3000);
	EXPECT_REG(e, 3, forward);
	e = run_at_spsr(spsr, one_cpyp, FROM, FROM + 0x10, 0x3000);
	EXPECT_REG(e, 3, forward);
	e = run_at_spsr(spsr, one_cpyp, FROM + 0x10, FROM, 0x3000);
	EXPECT_REG(e, 3, backward);
	e = run_at_spsr(spsr, one_cpyp, FROM + 0x3000, FROM, 0x3000);
	EXPECT_REG(e, 3, forward);
	e = run_at_spsr(spsr, one_setp, TO, 0x3000, 0);
	EXPECT_REG(e, 3, forward);
}

// Xn[63] set: the greatest size. Option A has added it to the address, option B has it in Xn, less
// what the prologue did.
static uint64_t saturated(const struct exc *e, uint64_t to, uint64_t left)
{
	return option_a() ? e->x[0] - to : left + (e->x[0] - to);
}

TEST(sizes_saturate)
{
	NEEDS_MOPS;
	struct exc e = run_at(EL1, one_cpyfp, TO, FROM, ~0ul);

	EXPECT_NO_EXC(e);
	EXPECT_EQ(saturated(&e, TO, e.x[2]), 0x7ffffffffffffffful);
	e = run_at(EL1, one_cpyfp, TO, FROM, 0x4000000000000000);
	EXPECT_EQ(saturated(&e, TO, e.x[2]), 0x4000000000000000);
	e = run_at(EL1, one_setp, TO, ~0ul, 0);
	EXPECT_EQ(saturated(&e, TO, e.x[1]), 0x7ffffffffffffffful);
	e = run_at(EL1, one_setp, TO, 0x0080000000000000, 0);
	EXPECT_EQ(saturated(&e, TO, e.x[1]), 0x0080000000000000);
}

// CPY downwards is forward whatever the size: Xn[63:55] not 0.
TEST(cpy_saturates_at_55_bits)
{
	NEEDS_MOPS;
	struct exc e = run_at(EL1, one_cpyp, FROM, TO, 0x0080000000000000);

	EXPECT_NO_EXC(e);
	EXPECT_EQ(saturated(&e, FROM, e.x[2]), 0x007ffffffffffffful);
	e = run_at(EL1, one_cpyp, FROM, TO, ~0ul);
	EXPECT_EQ(saturated(&e, FROM, e.x[2]), 0x007ffffffffffffful);
}

TEST(a_size_of_zero_touches_nothing)
{
	NEEDS_MOPS;
	struct exc e = run_at(EL1, cpyf, 0x40, 0x80, 0);

	EXPECT_NO_EXC(e);
	EXPECT_REG(e, 0, 0x40);
	EXPECT_REG(e, 1, 0x80);
	e = run_at(EL1, cpy, 0x40, 0x80, 0);
	EXPECT_NO_EXC(e);
	e = run_at(EL1, set, 0x40, 0, 1);
	EXPECT_NO_EXC(e);
	EXPECT_REG(e, 0, 0x40);
}

// ---- Faults and going on ------------------------------------------------------------------------

TEST(a_read_fault_in_the_middle_is_resumed)
{
	NEEDS_MOPS;
	unmap(FROM + 0x3000);
	struct exc e = run_at(EL1, cpyf, TO + 0x123, FROM + 0xf00, 0x4321);

	EXPECT_ABORT(e, EL1, EC_DABT_SAME, FSC_TRANSLATION(3), FROM + 0x3000);
	EXPECT_TRUE(e.elr >= (uint64_t)cpyf && e.elr <= (uint64_t)cpyf + 8);
	EXPECT_TRUE(copied(0x123, 0xf00, 0x2100));
	set_page(FROM + 0x3000, PT_AP_RW_ALL);
	e = resume(&e);
	EXPECT_NO_EXC(e);
	EXPECT_TRUE(copied(0x123, 0xf00, 0x4321));
	EXPECT_REG(e, 2, 0);
}

TEST(a_write_fault_in_the_middle_is_resumed)
{
	NEEDS_MOPS;
	set_page(TO + 0x2000, PT_AP_RO_ALL);
	struct exc e = run_at(EL1, cpyf, TO + 0x123, FROM + 0xf00, 0x4321);

	EXPECT_ABORT(e, EL1, EC_DABT_SAME, ISS_WNR | FSC_PERMISSION(3), TO + 0x2000);
	EXPECT_TRUE(copied(0x123, 0xf00, 0x1edd));
	set_page(TO + 0x2000, PT_AP_RW_ALL);
	e = resume(&e);
	EXPECT_NO_EXC(e);
	EXPECT_TRUE(copied(0x123, 0xf00, 0x4321));
	EXPECT_REG(e, 0, TO + 0x123 + 0x4321);
	EXPECT_REG(e, 1, FROM + 0xf00 + 0x4321);
	EXPECT_REG(e, 2, 0);
}

TEST(a_fault_of_el0_is_taken_to_el1_and_resumed)
{
	NEEDS_MOPS;
	set_page(TO + 0x1000, PT_AP_RW_EL1);
	struct exc e = run_at(EL0, cpyf, TO + 0x800, FROM, 0x1800);

	EXPECT_ABORT(e, EL1, EC_DABT_LOWER, ISS_WNR | FSC_PERMISSION(3), TO + 0x1000);
	set_page(TO + 0x1000, PT_AP_RW_ALL);
	e = resume(&e);
	EXPECT_NO_EXC(e);
	EXPECT_TRUE(copied(0x800, 0, 0x1800));
}

// Where in the page that faults a backward access begins is left open.
TEST(a_fault_of_a_backward_copy_is_resumed)
{
	NEEDS_MOPS;
	unmap(FROM + 0x2000);
	struct exc e = run_at(EL1, cpy, FROM + 0x3080, FROM + 0x1000, 0x3000);

	EXPECT_EQ(e.el, EL1);
	EXPECT_EQ(e.esr, ESR(EC_DABT_SAME, FSC_TRANSLATION(3)));
	EXPECT_EQ(e.far & ~0xffful, FROM + 0x2000);
	set_page(FROM + 0x2000, PT_AP_RW_ALL);
	e = resume(&e);
	EXPECT_NO_EXC(e);
	for (uint64_t i = 0; i < 0x3000; i++) {
		if (from_mem[0x3080 + i] != pattern(0x1000 + i)) {
			EXPECT_EQ(i, ~0ul);
			break;
		}
	}
	EXPECT_EQ(from_mem[0x307f], pattern(0x307f));
	EXPECT_EQ(from_mem[0x6080], pattern(0x6080));
}

TEST(a_fault_of_set_is_resumed)
{
	NEEDS_MOPS;
	unmap(TO + 0x2000);
	struct exc e = run_at(EL1, set, TO + 0x811, 0x2800, 0x77);

	EXPECT_ABORT(e, EL1, EC_DABT_SAME, ISS_WNR | FSC_TRANSLATION(3), TO + 0x2000);
	EXPECT_TRUE(set_to(0x811, 0x77, 0x17ef));
	set_page(TO + 0x2000, PT_AP_RW_ALL);
	e = resume(&e);
	EXPECT_NO_EXC(e);
	EXPECT_TRUE(set_to(0x811, 0x77, 0x2800));
}

TEST(a_stage_2_fault_has_no_isv)
{
	static struct pgtable s2;
	NEEDS_MOPS;
	pgtable_init_stage2(&s2, 12, 40, 1);
	map_guest_code_stage2(&s2);
	map_range(&s2, 0x40000000, 0x40000000, 0x400000, S2_NORMAL | S2_RW, 3);
	*pgtable_entry(&s2, (uint64_t)to_mem + 0x1000, 3) = 0;
	stage2_on(&s2);
	struct exc e = run_at(EL1, cpyf, TO + 0x800, FROM, 0x1800);

	EXPECT_ABORT(e, EL2, EC_DABT_LOWER, ISS_WNR | FSC_TRANSLATION(3), TO + 0x1000);
	EXPECT_EQ(e.hpfar, ((uint64_t)to_mem + 0x1000) >> 12 << 4);
	*pgtable_entry(&s2, (uint64_t)to_mem + 0x1000, 3) =
		((uint64_t)to_mem + 0x1000) | S2_NORMAL | S2_RW | 3;
	tlbi_all();
	e = resume(&e);
	EXPECT_NO_EXC(e);
	EXPECT_TRUE(copied(0x800, 0, 0x1800));
}

TEST(alignment_checks_leave_copies_alone)
{
	NEEDS_MOPS;
	write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | SCTLR_A);
	struct exc e = run_at(EL1, cpyf, TO + 3, FROM + 1, 0x1ffd);

	EXPECT_NO_EXC(e);
	EXPECT_TRUE(copied(3, 1, 0x1ffd));
	fill();
	e = run_at(EL1, set, TO + 1, 0x1777, 1);
	EXPECT_NO_EXC(e);
	EXPECT_TRUE(set_to(1, 1, 0x1777));
}

// FAR may be any address that the access has and that is not above the watched ones.
TEST(a_watchpoint_of_a_copy_is_resumed)
{
	const uint64_t el0 = BIT(0) | 2ul << 1 | 0xfful << 5, load = 1ul << 3, store = 2ul << 3;

	NEEDS_MOPS;
	write_sysreg(mdscr_el1, read_sysreg(mdscr_el1) | MDSCR_MDE);
	write_sysreg(dbgwvr0_el1, TO + 0x1808);
	write_sysreg(dbgwcr0_el1, el0 | store);
	struct exc e = run_at(EL0, cpyf, TO + 1, FROM, 0x3000);

	EXPECT_EXC(e, EL1, EC_WATCHPT_LOWER, ISS_WNR | FSC_DEBUG);
	EXPECT_TRUE(e.far > TO + 0x1800 - 16 && e.far < TO + 0x1810);
	EXPECT_EQ(to_mem[0x1808], 0xee);
	write_sysreg(dbgwvr0_el1, FROM + 0x2010);
	write_sysreg(dbgwcr0_el1, el0 | load);
	e = resume(&e);
	EXPECT_EQ(e.el, EL1);
	EXPECT_EQ(e.esr, ESR(EC_WATCHPT_LOWER, FSC_DEBUG));
	EXPECT_TRUE(e.far > FROM + 0x2010 - 16 && e.far < FROM + 0x2018);
	write_sysreg(dbgwcr0_el1, 0);
	e = resume(&e);
	EXPECT_NO_EXC(e);
	EXPECT_TRUE(copied(1, 0, 0x3000));
}

// ---- Unprivileged accesses ----------------------------------------------------------------------

// For single stepping each of them is one instruction (Arm ARM C3.2.14), however much it does.
TEST(a_step_is_of_a_whole_instruction)
{
	const uint64_t size = 0x28000;

	NEEDS_MOPS;
	for (uint64_t i = 0; i < size; i += 0x1000) { // all of them the same memory
		map_page(&tables, LONG_VA + i, (uint64_t)to_mem, PT_NORMAL | PT_AP_RW_ALL, 3);
	}
	tlbi_all();
	write_sysreg(mdscr_el1, BIT(0));
	struct exc p = run_at_spsr(SPSR_SS | SPSR_M_EL0T | SPSR_DAIF, set, LONG_VA, size, 0x5a);
	struct exc m = run_at_spsr(p.spsr | SPSR_SS, p.elr, p.x[0], p.x[1], p.x[2]);
	struct exc e = run_at_spsr(m.spsr | SPSR_SS, m.elr, m.x[0], m.x[1], m.x[2]);

	EXPECT_EXC(p, EL1, EC_STEP_LOWER, BIT(24) | FSC_DEBUG);
	EXPECT_EQ(p.elr, set + 4);
	EXPECT_EXC(m, EL1, EC_STEP_LOWER, BIT(24) | FSC_DEBUG);
	EXPECT_EQ(m.elr, set + 8);
	EXPECT_EXC(e, EL1, EC_STEP_LOWER, BIT(24) | FSC_DEBUG);
	EXPECT_EQ(e.elr, set + 12);
	EXPECT_REG(e, 1, 0);
}

TEST(wt_writes_and_rt_reads_as_el0)
{
	NEEDS_MOPS;
	set_page(FROM, PT_AP_RW_EL1);
	set_page(TO, PT_AP_RW_EL1);
	struct exc w = run_at(EL1, cpyf_write_unprivileged, TO, FROM, 0x80);
	struct exc r = run_at(EL1, cpyf_read_unprivileged, TO, FROM, 0x80);
	struct exc both = run_at(EL1, cpyf_unprivileged, TO, FROM + 0x1000, 0x80);
	struct exc s = run_at(EL1, set_unprivileged, TO, 0x80, 0);

	EXPECT_ABORT(w, EL1, EC_DABT_SAME, ISS_WNR | FSC_PERMISSION(3), TO);
	EXPECT_ABORT(r, EL1, EC_DABT_SAME, FSC_PERMISSION(3), FROM);
	EXPECT_ABORT(both, EL1, EC_DABT_SAME, ISS_WNR | FSC_PERMISSION(3), TO);
	EXPECT_ABORT(s, EL1, EC_DABT_SAME, ISS_WNR | FSC_PERMISSION(3), TO);
	set_page(TO, PT_AP_RW_ALL);
	w = run_at(EL1, cpyf_write_unprivileged, TO, FROM, 0x80);
	EXPECT_NO_EXC(w);
	EXPECT_TRUE(copied(0, 0, 0x80));
}

TEST(uao_makes_them_privileged)
{
	NEEDS_MOPS;
	set_page(FROM, PT_AP_RW_EL1);
	set_page(TO, PT_AP_RW_EL1);
	struct exc e = run_at_spsr(guest_spsr(EL1) | SPSR_UAO, cpyf_unprivileged, TO, FROM, 0x80);

	EXPECT_NO_EXC(e);
	EXPECT_TRUE(copied(0, 0, 0x80));
}

TEST(pan_does_not_hold_unprivileged_copies)
{
	NEEDS_MOPS;
	struct exc e = run_at_spsr(guest_spsr(EL1) | SPSR_PAN, cpyf_unprivileged, TO, FROM, 0x80);
	struct exc w =
		run_at_spsr(guest_spsr(EL1) | SPSR_PAN, cpyf_write_unprivileged, TO, FROM, 0x80);

	EXPECT_NO_EXC(e);
	EXPECT_TRUE(copied(0, 0, 0x80));
	EXPECT_ABORT(w, EL1, EC_DABT_SAME, FSC_PERMISSION(3), FROM);
}

// ---- Enables ------------------------------------------------------------------------------------

TEST(sctlr_mscen_lets_el0_copy)
{
	NEEDS_MOPS;
	struct exc e = run_at(EL0, cpyf, TO, FROM, 0x80);

	EXPECT_NO_EXC(e);
	write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) & ~SCTLR_MSCEN);
	e = run_at(EL0, cpyf, TO, FROM, 0x80);
	EXPECT_EXC(e, EL1, EC_UNKNOWN, 0);
	EXPECT_EQ(e.elr, cpyf);
	e = run_at(EL0, set, TO, 0, 0);
	EXPECT_EXC(e, EL1, EC_UNKNOWN, 0);
	e = run_at(EL0, one_cpyfm, TO, FROM, 0);
	EXPECT_EXC(e, EL1, EC_UNKNOWN, 0);
	e = run_at(EL1, cpyf, TO, FROM, 0x80);
	EXPECT_NO_EXC(e);
}

TEST(hcrx_mscen_lets_el1_and_el0_copy)
{
	NEEDS_MOPS;
	write_sysreg(hcrx_el2, 0);
	struct exc e1 = run_at(EL1, cpyf, TO, FROM, 0x80);
	struct exc e0 = run_at(EL0, set, TO, 0x80, 0);
	struct exc e2 = run_at(EL2, cpyf, TO, FROM, 0);

	EXPECT_EXC(e1, EL1, EC_UNKNOWN, 0);
	EXPECT_EXC(e0, EL1, EC_UNKNOWN, 0);
	EXPECT_NO_EXC(e2);
	// Without SCR_EL3.HXEn HCRX_EL2 is as 0.
	write_sysreg(hcrx_el2, HCRX_MSCEN);
	write_sysreg(scr_el3, SCR_BASE);
	e1 = run_at(EL1, cpyf, TO, FROM, 0x80);
	EXPECT_EXC(e1, EL1, EC_UNKNOWN, 0);
	// In Secure state without EL2 it is not asked.
	write_sysreg(scr_el3, SCR_BASE & ~SCR_NS);
	e1 = run_at(EL1, cpyf, TO, FROM, 0);
	EXPECT_NO_EXC(e1);
}

TEST(a_hosts_el0_asks_sctlr_el2)
{
	NEEDS_MOPS;
	write_sysreg(hcrx_el2, 0);
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H | HCR_TGE);
	write_sysreg(sctlr_el2, SCTLR_EL2_BASE | SCTLR_MSCEN);
	write_sysreg(sctlr_el1, SCTLR_EL1_BASE);
	struct exc e = run_at(EL0, cpyf, TO, FROM, 0);

	EXPECT_NO_EXC(e);
	write_sysreg(sctlr_el2, SCTLR_EL2_BASE);
	e = run_at(EL0, cpyf, TO, FROM, 0);
	EXPECT_EXC(e, EL2, EC_UNKNOWN, 0);
}

// ---- The exception of the other option ----------------------------------------------------------

// SPSR with PSTATE.C as the option that is not here leaves it; and the ISS in common.
static uint64_t other_option(enum el el, uint64_t *iss)
{
	bool a = option_a();

	*iss = ISS_WRONG_OPTION | (a ? ISS_OPTION_A : 0);
	return guest_spsr(el) | (a ? SPSR_C : 0);
}

TEST(the_other_options_flag_is_an_exception)
{
	NEEDS_MOPS;
	uint64_t iss, spsr = other_option(EL1, &iss);
	struct exc e = run_at_spsr(spsr, one_cpyfm, TO, FROM, 0x80);

	EXPECT_EXC(e, EL1, EC_MOPS, iss | ISS_REGS(0, 1, 2));
	EXPECT_EQ(e.elr, one_cpyfm);
	EXPECT_REG(e, 0, TO);
	EXPECT_REG(e, 1, FROM);
	EXPECT_REG(e, 2, 0x80);
	EXPECT_TRUE(copied(0, 0, 0));
	e = run_at_spsr(spsr, one_cpyfe, TO, FROM, 0x80);
	EXPECT_EXC(e, EL1, EC_MOPS, iss | ISS_EPILOGUE | ISS_REGS(0, 1, 2));
	e = run_at_spsr(spsr, one_cpymrtn, TO, FROM, 0x80);
	// Reads and writes not temporal, reads unprivileged.
	EXPECT_EXC(e, EL1, EC_MOPS, iss | ISS_OPTIONS(0xe) | ISS_REGS(0, 1, 2));
	e = run_at_spsr(spsr, other_registers, TO, FROM, 0x80);
	EXPECT_EXC(e, EL1, EC_MOPS, iss | ISS_REGS(7, 9, 11));
	EXPECT_EQ(e.elr, other_registers + 12);
}

TEST(the_other_options_flag_of_a_set_is_an_exception)
{
	NEEDS_MOPS;
	uint64_t iss, spsr = other_option(EL1, &iss);
	struct exc e = run_at_spsr(spsr, one_setm, TO, 0x80, 1);

	EXPECT_EXC(e, EL1, EC_MOPS, iss | ISS_SET | ISS_REGS(0, 2, 1));
	e = run_at_spsr(spsr, one_setetn, TO, 0x80, 1);
	EXPECT_EXC(e, EL1, EC_MOPS,
		   iss | ISS_SET | ISS_OPTIONS(3) | ISS_EPILOGUE | ISS_REGS(0, 2, 1));
	EXPECT_TRUE(set_to(0, 0, 0));
}

TEST(that_exception_goes_to_el1_or_stays)
{
	NEEDS_MOPS;
	uint64_t iss, spsr = other_option(EL0, &iss);
	struct exc e = run_at_spsr(spsr, one_cpyfm, TO, FROM, 0x80);

	EXPECT_EXC(e, EL1, EC_MOPS, iss | ISS_REGS(0, 1, 2));
	spsr = other_option(EL2, &iss);
	e = run_at_spsr(spsr, one_cpyfm, TO, FROM, 0x80);
	EXPECT_EXC(e, EL2, EC_MOPS, iss | ISS_REGS(0, 1, 2));
	spsr = other_option(EL3, &iss);
	e = run_at_spsr(spsr, one_cpyfm, TO, FROM, 0x80);
	EXPECT_EXC(e, EL3, EC_MOPS, iss | ISS_REGS(0, 1, 2));
}

TEST(tge_takes_it_from_el0_to_el2)
{
	NEEDS_MOPS;
	uint64_t iss, spsr = other_option(EL0, &iss);

	write_sysreg(hcr_el2, HCR_BASE | HCR_TGE);
	struct exc e = run_at_spsr(spsr, one_cpyfm, TO, FROM, 0x80);

	EXPECT_EXC(e, EL2, EC_MOPS, iss | ISS_REGS(0, 1, 2));
}

TEST(hcrx_mce2_takes_it_from_el1_to_el2)
{
	NEEDS_MOPS;
	uint64_t iss, spsr1 = other_option(EL1, &iss), spsr0 = other_option(EL0, &iss);

	write_sysreg(hcrx_el2, HCRX_MSCEN | HCRX_MCE2);
	struct exc e = run_at_spsr(spsr1, one_cpyfm, TO, FROM, 0x80);

	EXPECT_EXC(e, EL2, EC_MOPS, iss | ISS_REGS(0, 1, 2));
	e = run_at_spsr(spsr0, one_cpyfm, TO, FROM, 0x80);
	EXPECT_EXC(e, EL1, EC_MOPS, iss | ISS_REGS(0, 1, 2));
	write_sysreg(scr_el3, (SCR_BASE | SCR_HXEN) & ~SCR_NS);
	e = run_at_spsr(spsr1, one_cpyfm, TO, FROM, 0x80);
	EXPECT_EXC(e, EL1, EC_MOPS, iss | ISS_REGS(0, 1, 2));
}

// ---- SETG ---------------------------------------------------------------------------------------

#define MAIR_TAGGED 3

static void tags_on(void)
{
	write_sysreg(scr_el3, SCR_BASE | SCR_HXEN | SCR_ATA);
	write_sysreg(hcr_el2, HCR_BASE | HCR_ATA);
	write_sysreg(mair_el1, MAIR_BASE | 0xf0ul << 8 * MAIR_TAGGED);
	write_sysreg(tcr_el1, tcr_el1_value(&tables) | TCR_TBI0);
	write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | SCTLR_ATA | SCTLR_ATA0);
	map_range(&tables, TO, (uint64_t)to_mem, AREA,
		  PT_AF | PT_SH_INNER | PT_ATTR(MAIR_TAGGED) | PT_AP_RW_ALL, 3);
	tlbi_all();
	struct exc e = run_at(EL1, setg, TO, AREA, 0xee);

	EXPECT_NO_EXC(e);
}

SNIPPET(load_tag, "mov x1, #0\n\tldg x1, [x0]\n\tlsr x0, x1, #56");

static uint64_t tag_at(uint64_t offset)
{
	struct exc e = run_at(EL1, load_tag, TO + offset);

	EXPECT_NO_EXC(e);
	return e.x[0];
}

TEST(setg_sets_memory_and_tags)
{
	NEEDS_SETG;
	struct exc e = run_at(EL1, setg, (0x5ul << 56) + TO + 0xf80, 0x1100, 0x42);

	EXPECT_NO_EXC(e);
	EXPECT_TRUE(set_to(0xf80, 0x42, 0x1100));
	EXPECT_EQ(tag_at(0xf70), 0);
	EXPECT_EQ(tag_at(0xf80), 5);
	EXPECT_EQ(tag_at(0xff0), 5);
	EXPECT_EQ(tag_at(0x1000), 5);
	EXPECT_EQ(tag_at(0x2070), 5);
	EXPECT_EQ(tag_at(0x2080), 0);
	EXPECT_REG(e, 0, (0x5ul << 56) + TO + 0x2080);
	EXPECT_REG(e, 1, 0);
}

TEST(setg_wants_whole_granules)
{
	NEEDS_SETG;
	struct exc e = run_at(EL1, one_setgp, TO + 8, 0x20, 1);

	EXPECT_ABORT(e, EL1, EC_DABT_SAME, ISS_WNR | FSC_ALIGNMENT, TO + 8);
	e = run_at(EL1, one_setgp, TO, 0x28, 1);
	EXPECT_ABORT(e, EL1, EC_DABT_SAME, ISS_WNR | FSC_ALIGNMENT, TO);
	EXPECT_REG(e, 0, TO);
	EXPECT_REG(e, 1, 0x28);
	e = run_at(EL1, setg, TO + 8, 0, 1);
	EXPECT_NO_EXC(e);
}

// A size that saturates is aligned by that.
TEST(setg_saturates_to_whole_granules)
{
	NEEDS_SETG;
	struct exc e = run_at(EL1, one_setgp, TO, ~0ul, 0xee);

	EXPECT_NO_EXC(e);
	EXPECT_EQ(saturated(&e, TO, e.x[1]), 0x7ffffffffffffff0ul);
}

TEST(setg_without_access_to_tags_sets_memory)
{
	QEMU_11_DIFFERS("sets tags all the same");
	NEEDS_SETG;
	write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) & ~SCTLR_ATA);
	struct exc e = run_at(EL1, setg, (0x5ul << 56) + TO, 0x40, 0x42);

	EXPECT_NO_EXC(e);
	EXPECT_TRUE(set_to(0, 0x42, 0x40));
	write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | SCTLR_ATA);
	EXPECT_EQ(tag_at(0), 0);
}

TEST(the_other_options_flag_of_setg_is_an_exception)
{
	NEEDS_SETG;
	uint64_t iss, spsr = other_option(EL1, &iss);
	struct exc e = run_at_spsr(spsr, one_setgm, TO, 0x80, 1);

	EXPECT_EXC(e, EL1, EC_MOPS, iss | ISS_SET | ISS_SETG | ISS_REGS(0, 2, 1));
}

TEST(a_fault_of_setg_is_resumed)
{
	NEEDS_SETG;
	unmap(TO + 0x2000);
	struct exc e = run_at(EL1, setg, (0x9ul << 56) + TO + 0x800, 0x2800, 0x77);

	EXPECT_EQ(e.esr, ESR(EC_DABT_SAME, ISS_WNR | FSC_TRANSLATION(3)));
	EXPECT_EQ(e.far, (0x9ul << 56) + TO + 0x2000);
	*pgtable_entry(&tables, TO + 0x2000, 3) =
		((uint64_t)to_mem + 0x2000) | PT_AF | PT_SH_INNER | PT_ATTR(MAIR_TAGGED) | 3;
	tlbi_all();
	e = resume(&e);
	EXPECT_NO_EXC(e);
	EXPECT_TRUE(set_to(0x800, 0x77, 0x2800));
	EXPECT_EQ(tag_at(0x1ff0), 9);
	EXPECT_EQ(tag_at(0x2000), 9);
	EXPECT_EQ(tag_at(0x2ff0), 9);
	EXPECT_EQ(tag_at(0x3000), 0);
}
