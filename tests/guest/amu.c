// SPDX-License-Identifier: Apache-2.0
//
// amu.c - FEAT_AMUv1 and FEAT_AMUv1p1: the activity monitors, what their four architected counters
// count, who may read and write them, and the traps (Arm ARM D12, D24.6). Here an instruction takes
// a cycle of a nanosecond, and the system counter advances every 16.

#include "emit.h"
#include "gic.h"

#define NEEDS_AMU SKIP_UNLESS(id_field(read_sysreg(id_aa64pfr0_el1), 44) >= 1, "no FEAT_AMUv1")
#define HAS_AMUV1P1 (id_field(read_sysreg(id_aa64pfr0_el1), 44) >= 2)
#define HAS_VHE id_field(read_sysreg(id_aa64mmfr1_el1), 8)
#define HAS_FGT id_field(read_sysreg(id_aa64mmfr0_el1), 56)

#define CPTR_TAM BIT(30)
#define SCR_FGTEN BIT(27)

static const struct sysreg controls[] = {
	SYSREG(amcr, 3, 3, 13, 2, 0),        SYSREG(amcfgr, 3, 3, 13, 2, 1),
	SYSREG(amcgcr, 3, 3, 13, 2, 2),      SYSREG(amcntenclr0, 3, 3, 13, 2, 4),
	SYSREG(amcntenset0, 3, 3, 13, 2, 5), SYSREG(amevcntr00, 3, 3, 13, 4, 0),
	SYSREG(amevcntr01, 3, 3, 13, 4, 1),  SYSREG(amevcntr02, 3, 3, 13, 4, 2),
	SYSREG(amevcntr03, 3, 3, 13, 4, 3),  SYSREG(amevtyper00, 3, 3, 13, 6, 0),
	SYSREG(amevtyper01, 3, 3, 13, 6, 1), SYSREG(amevtyper02, 3, 3, 13, 6, 2),
	SYSREG(amevtyper03, 3, 3, 13, 6, 3),
};
static const struct sysreg written_at_the_top[] = {
	SYSREG(amcr, 3, 3, 13, 2, 0),        SYSREG(amcntenclr0, 3, 3, 13, 2, 4),
	SYSREG(amcntenset0, 3, 3, 13, 2, 5), SYSREG(amevcntr00, 3, 3, 13, 4, 0),
	SYSREG(amevcntr03, 3, 3, 13, 4, 3),
};
static const struct sysreg absent[] = {
	SYSREG(amcntenclr1, 3, 3, 13, 3, 0),  SYSREG(amcntenset1, 3, 3, 13, 3, 1),
	SYSREG(amevcntr10, 3, 3, 13, 12, 0),  SYSREG(amevcntr115, 3, 3, 13, 13, 7),
	SYSREG(amevtyper10, 3, 3, 13, 14, 0), SYSREG(amevcntr04, 3, 3, 13, 4, 4),
	SYSREG(amevtyper04, 3, 3, 13, 6, 4),
};
static const struct sysreg amuserenr_row = SYSREG(amuserenr, 3, 3, 13, 2, 3);
static const struct sysreg amevcntr00 = SYSREG(amevcntr00, 3, 3, 13, 4, 0);
static const struct sysreg amevtyper00 = SYSREG(amevtyper00, 3, 3, 13, 6, 0);

// All four before and after 1,000 rounds of two instructions.
#define READ_ALL(a, b, c, d) \
	"mrs x" #a ", S3_3_C13_C4_0\n\tmrs x" #b ", S3_3_C13_C4_1\n\tmrs x" #c \
	", S3_3_C13_C4_2\n\t" \
	"mrs x" #d ", S3_3_C13_C4_3\n\t"
SNIPPET(measure,
	READ_ALL(0, 1, 2, 3) "mov x9, #1000\n1:\tsubs x9, x9, #1\n\tb.ne 1b\n\t" READ_ALL(4, 5, 6,
											  7) "nop");
SNIPPET(measure_wfi, READ_ALL(0, 1, 2, 3) "wfi\n\t" READ_ALL(4, 5, 6, 7) "nop");
SNIPPET(count_twice, "mrs x0, S3_3_C13_C4_0\n\tmrs x1, S3_3_C13_C4_0");

static void start(void)
{
	write_sysreg(amcntenset0_el0, 0xf);
}

TEST(amu_is_identified)
{
	NEEDS_AMU;
	uint64_t cfgr = read_sysreg(amcfgr_el0);

	EXPECT_EQ(cfgr & 0xff, 3); // N: four counters
	EXPECT_EQ(cfgr >> 8 & 0x3f, 63); // of 64 bits
	EXPECT_EQ(cfgr >> 28 & 0xf, 0); // in one group
	EXPECT_EQ(cfgr >> 24 & 1, 1); // HDBG
	EXPECT_EQ(read_sysreg(amcgcr_el0), 4);
}

TEST(event_types_are_architected)
{
	NEEDS_AMU;
	EXPECT_EQ(read_sysreg(S3_3_C13_C6_0), 0x11); // CPU_CYCLES
	EXPECT_EQ(read_sysreg(S3_3_C13_C6_1), 0x4004); // CNT_CYCLES
	EXPECT_EQ(read_sysreg(S3_3_C13_C6_2), 0x08); // INST_RETIRED
	EXPECT_EQ(read_sysreg(S3_3_C13_C6_3), 0x4005); // STALL_BACKEND_MEM
	EXPECT_UNDEFINED(EL3, WRITE, amevtyper00, EL3);
}

TEST(what_is_not_implemented_is_undefined)
{
	NEEDS_AMU;
	write_sysreg(amuserenr_el0, 1);
	FOR_EACH_REG(r, absent)
	{
		EXPECT_UNDEFINED(EL0, READ, *r, EL1);
		EXPECT_UNDEFINED(EL1, READ, *r, EL1);
		EXPECT_UNDEFINED(EL2, READ, *r, EL2);
		EXPECT_UNDEFINED(EL3, READ, *r, EL3);
	}
}

TEST(enables_are_set_and_cleared)
{
	NEEDS_AMU;
	write_sysreg(amcntenclr0_el0, ~0ul);
	EXPECT_EQ(read_sysreg(amcntenset0_el0), 0);
	write_sysreg(amcntenset0_el0, ~0ul);
	EXPECT_EQ(read_sysreg(amcntenset0_el0), 0xf);
	EXPECT_EQ(read_sysreg(amcntenclr0_el0), 0xf);
	write_sysreg(amcntenclr0_el0, 5);
	EXPECT_EQ(read_sysreg(amcntenset0_el0), 0xa);
	write_sysreg(amcntenset0_el0, 1);
	EXPECT_EQ(read_sysreg(amcntenclr0_el0), 0xb);
}

TEST(amcr_has_hdbg)
{
	NEEDS_AMU;
	write_sysreg(amcr_el0, ~0ul);
	// CG1RZ is of FEAT_AMUv1p1.
	EXPECT_EQ(read_sysreg(amcr_el0), HAS_AMUV1P1 ? BIT(10) | BIT(17) : BIT(10));
	write_sysreg(amcr_el0, 0);
	EXPECT_EQ(read_sysreg(amcr_el0), 0);
}

TEST(counters_count_at_every_level)
{
	NEEDS_AMU;
	start();
	write_sysreg(amuserenr_el0, 1);
	for (enum el el = EL0; el <= EL3; el++) {
		struct exc e = run_at(el, measure);

		EXPECT_NO_EXC(e);
		EXPECT_TRUE(e.x[4] - e.x[0] >= 2000 && e.x[4] - e.x[0] < 2020);
		EXPECT_EQ(e.x[6] - e.x[2], e.x[4] - e.x[0]);
		EXPECT_TRUE(e.x[5] - e.x[1] >= 2000 / 16 && e.x[5] - e.x[1] <= 2020 / 16 + 1);
		EXPECT_EQ(e.x[7] - e.x[3], 0);
	}
}

TEST(counters_count_in_secure_state)
{
	NEEDS_AMU;
	start();
	write_sysreg(scr_el3, SCR_BASE & ~SCR_NS);
	struct exc e = run_at(EL1, measure);

	EXPECT_TRUE(e.x[4] - e.x[0] >= 2000 && e.x[4] - e.x[0] < 2020);
}

TEST(a_cycle_is_seen_by_the_next_instruction)
{
	NEEDS_AMU;
	start();
	struct exc e = run_at(EL1, count_twice);

	EXPECT_EQ(e.x[1] - e.x[0], 1);
}

TEST(what_is_not_enabled_stands_still)
{
	NEEDS_AMU;
	start();
	write_sysreg(amcntenclr0_el0, 5);
	struct exc e = run_at(EL1, measure);

	EXPECT_EQ(e.x[4], e.x[0]);
	EXPECT_TRUE(e.x[5] > e.x[1]);
	EXPECT_EQ(e.x[6], e.x[2]);
	uint64_t stopped = e.x[4];

	write_sysreg(amcntenset0_el0, 1);
	e = run_at(EL1, measure);
	EXPECT_TRUE(e.x[0] >= stopped && e.x[0] < stopped + 0x1000);
	EXPECT_TRUE(e.x[4] - e.x[0] >= 2000);
}

TEST(counters_can_be_written_and_wrap)
{
	NEEDS_AMU;
	write_sysreg(amcntenclr0_el0, 0xf);
	write_sysreg(amevcntr00_el0, 0x123456789abcdef0);
	write_sysreg(amevcntr01_el0, 1);
	write_sysreg(amevcntr02_el0, 2);
	write_sysreg(amevcntr03_el0, 3);
	EXPECT_EQ(read_sysreg(amevcntr00_el0), 0x123456789abcdef0);
	EXPECT_EQ(read_sysreg(amevcntr01_el0), 1);
	EXPECT_EQ(read_sysreg(amevcntr02_el0), 2);
	EXPECT_EQ(read_sysreg(amevcntr03_el0), 3);
	write_sysreg(amevcntr00_el0, ~0ul - 100);
	start();
	struct exc e = run_at(EL1, measure);

	EXPECT_TRUE(e.x[4] < 0x10000);
	EXPECT_TRUE(read_sysreg(amevcntr02_el0) > 2000);
	EXPECT_EQ(read_sysreg(amevcntr03_el0), 3);
}

// A waiting PE does nothing: not even the constant frequency cycles go on.
TEST(waiting_is_not_counted)
{
	NEEDS_AMU;
	start();
	gic_init();
	gic_enable(INTID_CNTP, GIC_G1NS, 0x40);
	dsb_isb();
	uint64_t begin = read_sysreg(cntpct_el0);

	write_sysreg(cntp_cval_el0, begin + 0x10000);
	write_sysreg(cntp_ctl_el0, CNT_CTL_ENABLE);
	struct exc e = run_at(EL1, measure_wfi);

	write_sysreg(cntp_ctl_el0, 0);
	EXPECT_NO_EXC(e);
	EXPECT_TRUE(read_sysreg(cntpct_el0) - begin >= 0x10000);
	EXPECT_TRUE(e.x[4] - e.x[0] < 20 && e.x[6] - e.x[2] < 20);
	EXPECT_TRUE(e.x[5] - e.x[1] <= 2);
}

// ---- Who may ------------------------------------------------------------------------------------

TEST(amuserenr_lets_el0_read)
{
	NEEDS_AMU;
	write_sysreg(amuserenr_el0, 0);
	FOR_EACH_REG(r, controls)
	{
		EXPECT_TRAP(EL0, READ, *r, EL1);
		EXPECT_ACCESS(EL1, READ, *r);
	}
	EXPECT_ACCESS(EL0, READ, amuserenr_row); // always
	EXPECT_UNDEFINED(EL0, WRITE, amuserenr_row, EL1);
	EXPECT_ACCESS_VALUE(EL1, WRITE, amuserenr_row, ~0ul);
	EXPECT_EQ(read_sysreg(amuserenr_el0), 1);
	FOR_EACH_REG(r, controls)
	{
		EXPECT_ACCESS(EL0, READ, *r);
	}
}

TEST(amuserenr_traps_to_el2_with_tge)
{
	NEEDS_AMU;
	write_sysreg(hcr_el2, HCR_BASE | HCR_TGE);
	write_sysreg(amuserenr_el0, 0);
	EXPECT_TRAP(EL0, READ, amevcntr00, EL2);
	write_sysreg(amuserenr_el0, 1);
	EXPECT_ACCESS(EL0, READ, amevcntr00);
}

TEST(only_the_highest_level_writes)
{
	NEEDS_AMU;
	write_sysreg(amuserenr_el0, 1);
	FOR_EACH_REG(r, written_at_the_top)
	{
		EXPECT_UNDEFINED(EL0, WRITE, *r, EL1);
		EXPECT_UNDEFINED(EL1, WRITE, *r, EL1);
		EXPECT_UNDEFINED(EL2, WRITE, *r, EL2);
		EXPECT_ACCESS(EL3, WRITE, *r);
	}
}

TEST(cptr_el2_tam_traps)
{
	NEEDS_AMU;
	write_sysreg(amuserenr_el0, 1);
	write_sysreg(cptr_el2, CPTR_EL2_BASE | CPTR_TAM);
	FOR_EACH_REG(r, controls)
	{
		EXPECT_TRAP(EL0, READ, *r, EL2);
		EXPECT_TRAP(EL1, READ, *r, EL2);
		EXPECT_ACCESS(EL2, READ, *r);
	}
	EXPECT_TRAP(EL0, READ, amuserenr_row, EL2);
	EXPECT_TRAP(EL1, WRITE, amuserenr_row, EL2);
	// EL1's own control comes first.
	write_sysreg(amuserenr_el0, 0);
	EXPECT_TRAP(EL0, READ, amevcntr00, EL1);
	write_sysreg(cptr_el2, CPTR_EL2_BASE);
}

TEST(cptr_el2_tam_with_e2h)
{
	NEEDS_AMU;
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	write_sysreg(amuserenr_el0, 1);
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H);
	write_sysreg(cptr_el2, CPACR_BASE | CPTR_TAM);
	EXPECT_TRAP(EL1, READ, amevcntr00, EL2);
	EXPECT_TRAP(EL0, READ, amevcntr00, EL2);
	write_sysreg(cptr_el2, CPACR_BASE);
	EXPECT_ACCESS(EL1, READ, amevcntr00);
}

TEST(cptr_el3_tam_traps)
{
	NEEDS_AMU;
	write_sysreg(amuserenr_el0, 1);
	write_sysreg(cptr_el3, CPTR_EL3_BASE | CPTR_TAM);
	FOR_EACH_REG(r, controls)
	{
		EXPECT_TRAP(EL0, READ, *r, EL3);
		EXPECT_TRAP(EL1, READ, *r, EL3);
		EXPECT_TRAP(EL2, READ, *r, EL3);
		EXPECT_ACCESS(EL3, READ, *r);
	}
	// EL2's comes first.
	write_sysreg(cptr_el2, CPTR_EL2_BASE | CPTR_TAM);
	EXPECT_TRAP(EL1, READ, amevcntr00, EL2);
	EXPECT_TRAP(EL2, READ, amevcntr00, EL3);
	write_sysreg(cptr_el2, CPTR_EL2_BASE);
	write_sysreg(cptr_el3, CPTR_EL3_BASE);
}

TEST(hafgrtr_traps_reads_of_a_counter)
{
	NEEDS_AMU;
	SKIP_UNLESS(HAS_FGT, "no FEAT_FGT");
	write_sysreg(amuserenr_el0, 1);
	write_sysreg(scr_el3, SCR_BASE | SCR_FGTEN);
	write_sysreg(hafgrtr_el2, BIT(1)); // AMEVCNTR00_EL0
	EXPECT_TRAP(EL1, READ, amevcntr00, EL2);
	EXPECT_TRAP(EL0, READ, amevcntr00, EL2);
	EXPECT_ACCESS(EL1, READ, controls[6]); // AMEVCNTR01_EL0
	EXPECT_ACCESS(EL2, READ, amevcntr00);
	write_sysreg(hafgrtr_el2, 0);
}

// ---- FEAT_AMUv1p1: offsets for guests -----------------------------------------------------------

#define HCR_AMVOFFEN BIT(51)
#define SCR_AMVOFFEN BIT(35)
#define OFFSET 0x100000

// Read at a level; counters stand still, at 0x1000000 and the counter's number.
static struct exc read_all_at(enum el el)
{
	struct exc e = run_at(el, measure);

	EXPECT_NO_EXC(e);
	return e;
}

static void offsets(uint64_t hcr, uint64_t scr)
{
	write_sysreg(amuserenr_el0, 1);
	write_sysreg(amcntenclr0_el0, 0xf);
	write_sysreg(amevcntr00_el0, 0x1000000);
	write_sysreg(amevcntr01_el0, 0x1000001);
	write_sysreg(amevcntr02_el0, 0x1000002);
	write_sysreg(amevcntr03_el0, 0x1000003);
	write_sysreg(S3_4_C13_C8_0, OFFSET); // AMEVCNTVOFF00_EL2
	write_sysreg(S3_4_C13_C8_2, 2 * OFFSET); // AMEVCNTVOFF02_EL2
	write_sysreg(S3_4_C13_C8_3, 3 * OFFSET); // AMEVCNTVOFF03_EL2
	write_sysreg(hcr_el2, hcr);
	write_sysreg(scr_el3, scr);
}

#define EXPECT_OFFSETS(e, n) \
	do { \
		struct exc e_ = (e); \
		EXPECT_EQ(e_.x[0], 0x1000000 - (n)*OFFSET); \
		EXPECT_EQ(e_.x[1], 0x1000001); \
		EXPECT_EQ(e_.x[2], 0x1000002 - (n)*2 * OFFSET); \
		EXPECT_EQ(e_.x[3], 0x1000003 - (n)*3 * OFFSET); \
	} while (0)

#define NEEDS_AMUV1P1 SKIP_UNLESS(HAS_AMUV1P1, "no FEAT_AMUv1p1")

TEST(amcg1idr_names_no_auxiliary_counter)
{
	NEEDS_AMUV1P1;
	EXPECT_EQ(read_sysreg(S3_3_C13_C2_6), 0);
}

TEST(offsets_are_for_guests)
{
	NEEDS_AMUV1P1;
	offsets(HCR_BASE | HCR_AMVOFFEN, SCR_BASE | SCR_AMVOFFEN);
	EXPECT_OFFSETS(read_all_at(EL0), 1);
	EXPECT_OFFSETS(read_all_at(EL1), 1);
	EXPECT_OFFSETS(read_all_at(EL2), 0);
	EXPECT_OFFSETS(read_all_at(EL3), 0);
}

TEST(offsets_need_hcr_el2_amvoffen)
{
	NEEDS_AMUV1P1;
	offsets(HCR_BASE, SCR_BASE | SCR_AMVOFFEN);
	EXPECT_OFFSETS(read_all_at(EL1), 0);
}

TEST(offsets_need_scr_el3_amvoffen)
{
	NEEDS_AMUV1P1;
	offsets(HCR_BASE | HCR_AMVOFFEN, SCR_BASE);
	EXPECT_OFFSETS(read_all_at(EL1), 0);
	EXPECT_OFFSETS(read_all_at(EL0), 0);
}

TEST(offsets_need_el2_in_the_state)
{
	NEEDS_AMUV1P1;
	offsets(HCR_BASE | HCR_AMVOFFEN, (SCR_BASE | SCR_AMVOFFEN) & ~SCR_NS);
	EXPECT_OFFSETS(read_all_at(EL1), 0);
}

TEST(a_host_of_el0_has_no_offsets)
{
	NEEDS_AMUV1P1;
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	offsets(HCR_BASE | HCR_AMVOFFEN | HCR_E2H | HCR_TGE, SCR_BASE | SCR_AMVOFFEN);
	EXPECT_OFFSETS(read_all_at(EL0), 0);
	// EL1 of a guest of that host
	offsets(HCR_BASE | HCR_AMVOFFEN | HCR_E2H, SCR_BASE | SCR_AMVOFFEN);
	EXPECT_OFFSETS(read_all_at(EL1), 1);
}

TEST(only_three_offsets_are_there)
{
	NEEDS_AMUV1P1;
	static const struct sysreg none[] = {
		SYSREG(amevcntvoff01, 3, 4, 13, 8, 1),
		SYSREG(amevcntvoff04, 3, 4, 13, 8, 4),
		SYSREG(amevcntvoff10, 3, 4, 13, 10, 0),
		SYSREG(amevcntvoff115, 3, 4, 13, 11, 7),
	};

	FOR_EACH_REG(r, none)
	{
		EXPECT_UNDEFINED(EL2, READ, *r, EL2);
		EXPECT_UNDEFINED(EL3, WRITE, *r, EL3);
	}
}
