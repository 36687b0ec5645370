// SPDX-License-Identifier: Apache-2.0
//
// ecv.c - FEAT_ECV: the self-synchronised views of the counters, CNTPOFF_EL2 and what lets it act,
// event streams of the scaled counter, and the further traps of CNTHCTL_EL2 (Arm ARM D11.2,
// D24.10).

#include "emit.h"
#include "gic.h"

#define ECV_VERSION id_field(read_sysreg(id_aa64mmfr0_el1), 60)
#define NEEDS_ECV SKIP_UNLESS(ECV_VERSION >= 1, "no FEAT_ECV")
#define NEEDS_POFF SKIP_UNLESS(ECV_VERSION >= 2, "no FEAT_ECV_POFF")
#define HAS_VHE id_field(read_sysreg(id_aa64mmfr1_el1), 8)
#define HAS_SEL2 id_field(read_sysreg(id_aa64pfr0_el1), 36)

#define SCR_ECVEN BIT(28)
// CNTHCTL_EL2: EL1PCTEN and EL1PCEN with E2H = 0.
#define CNTHCTL_OPEN 3ul
#define CNTHCTL_ECV BIT(12)
#define CNTHCTL_EL1TVT BIT(13)
#define CNTHCTL_EL1TVCT BIT(14)
#define EVNTEN BIT(2)
#define EVNTI(n) ((uint64_t)(n) << 4)
#define EVNTIS BIT(17)

#define cntpoff_el2 S3_4_C14_C0_6
#define OFFSET 0x123456789aul

static const struct sysreg cntpctss = SYSREG(cntpctss_el0, 3, 3, 14, 0, 5);
static const struct sysreg cntvctss = SYSREG(cntvctss_el0, 3, 3, 14, 0, 6);
static const struct sysreg cntpoff = SYSREG(cntpoff_el2, 3, 4, 14, 0, 6);
static const struct sysreg cntvct = SYSREG(cntvct_el0, 3, 3, 14, 0, 2);
static const struct sysreg cnthctl = SYSREG(cnthctl_el2, 3, 4, 14, 1, 0);
static const struct sysreg cntkctl = SYSREG(cntkctl_el1, 3, 0, 14, 1, 0);
static const struct sysreg virtual_timer[] = {
	SYSREG(cntv_tval_el0, 3, 3, 14, 3, 0),
	SYSREG(cntv_ctl_el0, 3, 3, 14, 3, 1),
	SYSREG(cntv_cval_el0, 3, 3, 14, 3, 2),
};
static const struct sysreg physical_timer[] = {
	SYSREG(cntp_tval_el0, 3, 3, 14, 2, 0),
	SYSREG(cntp_ctl_el0, 3, 3, 14, 2, 1),
	SYSREG(cntp_cval_el0, 3, 3, 14, 2, 2),
};

SNIPPET(read_physical, "isb\n\tmrs x0, cntpct_el0\n\tmrs x1, S3_3_C14_C0_5\n\tisb\n\t"
		       "mrs x2, cntpct_el0");
SNIPPET(read_virtual, "isb\n\tmrs x0, cntvct_el0\n\tmrs x1, S3_3_C14_C0_6\n\tisb\n\t"
		      "mrs x2, cntvct_el0");
SNIPPET(set_tval, "msr cntp_tval_el0, x0\n\tmrs x0, cntp_cval_el0\n\tmrs x1, cntp_tval_el0");
SNIPPET(spin, "1: b 1b");
SNIPPET(wfe_twice, "wfe\n\twfe");

static uint64_t now(void)
{
	dsb_isb();
	return read_sysreg(cntpct_el0);
}

// An offset larger than the count would wrap it.
static void wait_for_count(uint64_t count)
{
	while (now() < count) {
	}
}

// Everything that lets CNTPOFF_EL2 act at EL1 and EL0.
static void offset_on(uint64_t offset)
{
	write_sysreg(scr_el3, SCR_BASE | SCR_ECVEN);
	write_sysreg(cntpoff_el2, offset);
	write_sysreg(cnthctl_el2, CNTHCTL_OPEN | CNTHCTL_ECV);
}

// The physical count of a level less the system counter's, about.
static void expect_offset(int line, enum el el, uint64_t offset)
{
	uint64_t before = now();
	struct exc e = run_at(el, read_physical);
	uint64_t after = now();

	guest_expect_no_exc(__FILE__, line, &e);
	for (unsigned i = 0; i < 3; i++) {
		guest_expect_eq(__FILE__, line, "count",
				before <= e.x[i] + offset && e.x[i] + offset <= after, 1);
	}
}

// ---- Self-synchronised views --------------------------------------------------------------------

TEST(self_synchronised_views_agree_with_the_counts)
{
	NEEDS_ECV;
	write_sysreg(cntvoff_el2, OFFSET);
	for (enum el el = EL0; el <= EL3; el++) {
		struct exc p = run_at(el, read_physical), v = run_at(el, read_virtual);

		EXPECT_NO_EXC(p);
		EXPECT_TRUE(p.x[0] <= p.x[1] && p.x[1] <= p.x[2]);
		EXPECT_NO_EXC(v);
		EXPECT_TRUE(v.x[0] <= v.x[1] && v.x[1] <= v.x[2]);
		EXPECT_TRUE((int64_t)v.x[1] < 0);
	}
}

TEST(self_synchronised_views_cannot_be_written)
{
	NEEDS_ECV;
	EXPECT_UNDEFINED(EL1, WRITE, cntpctss, EL1);
	EXPECT_UNDEFINED(EL1, WRITE, cntvctss, EL1);
	EXPECT_UNDEFINED(EL3, WRITE, cntpctss, EL3);
}

TEST(self_synchronised_views_have_the_traps_of_the_counts)
{
	NEEDS_ECV;
	write_sysreg(cntkctl_el1, 0);
	EXPECT_TRAP(EL0, READ, cntpctss, EL1);
	EXPECT_TRAP(EL0, READ, cntvctss, EL1);
	EXPECT_ACCESS(EL1, READ, cntpctss);
	write_sysreg(cntkctl_el1, 2);
	EXPECT_TRAP(EL0, READ, cntpctss, EL1);
	EXPECT_ACCESS(EL0, READ, cntvctss);
	write_sysreg(cntkctl_el1, 3);
	write_sysreg(cnthctl_el2, 0);
	EXPECT_TRAP(EL0, READ, cntpctss, EL2);
	EXPECT_TRAP(EL1, READ, cntpctss, EL2);
	EXPECT_ACCESS(EL1, READ, cntvctss);
	EXPECT_ACCESS(EL2, READ, cntpctss);
}

TEST(self_synchronised_views_of_a_hosts_el0)
{
	NEEDS_ECV;
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H | HCR_TGE);
	write_sysreg(cnthctl_el2, 1);
	EXPECT_ACCESS(EL0, READ, cntpctss);
	EXPECT_TRAP(EL0, READ, cntvctss, EL2);
	write_sysreg(cnthctl_el2, 2);
	EXPECT_TRAP(EL0, READ, cntpctss, EL2);
	EXPECT_ACCESS(EL0, READ, cntvctss);
}

// ---- CNTPOFF_EL2 --------------------------------------------------------------------------------

TEST(cntpoff_is_el2s_and_needs_leave_of_el3)
{
	NEEDS_POFF;
	EXPECT_UNDEFINED(EL0, READ, cntpoff, EL1);
	EXPECT_UNDEFINED(EL1, READ, cntpoff, EL1);
	EXPECT_UNDEFINED(EL1, WRITE, cntpoff, EL1);
	EXPECT_TRAP(EL2, READ, cntpoff, EL3);
	EXPECT_TRAP(EL2, WRITE, cntpoff, EL3);
	EXPECT_ACCESS(EL3, READ, cntpoff);
	write_sysreg(scr_el3, SCR_BASE | SCR_ECVEN);
	EXPECT_ACCESS_VALUE(EL2, WRITE, cntpoff, ~0ul);
	EXPECT_EQ(read_sysreg(cntpoff_el2), ~0ul);
}

TEST(physical_offset_is_subtracted_at_el1_and_el0)
{
	NEEDS_POFF;
	offset_on(OFFSET);
	expect_offset(__LINE__, EL0, OFFSET);
	expect_offset(__LINE__, EL1, OFFSET);
	expect_offset(__LINE__, EL2, 0);
	expect_offset(__LINE__, EL3, 0);
}

TEST(physical_offset_needs_cnthctl_ecv)
{
	NEEDS_POFF;
	offset_on(OFFSET);
	write_sysreg(cnthctl_el2, CNTHCTL_OPEN);
	expect_offset(__LINE__, EL1, 0);
}

TEST(physical_offset_needs_scr_ecven)
{
	NEEDS_POFF;
	offset_on(OFFSET);
	write_sysreg(scr_el3, SCR_BASE);
	expect_offset(__LINE__, EL0, 0);
	expect_offset(__LINE__, EL1, 0);
}

TEST(physical_offset_does_not_act_where_el2_is_not_enabled)
{
	NEEDS_POFF;
	offset_on(OFFSET);
	write_sysreg(scr_el3, (SCR_BASE & ~SCR_NS) | SCR_ECVEN);
	expect_offset(__LINE__, EL1, 0);
	if (HAS_SEL2) {
		write_sysreg(scr_el3, (SCR_BASE & ~SCR_NS) | SCR_ECVEN | SCR_EEL2);
		expect_offset(__LINE__, EL1, OFFSET);
	}
}

TEST(a_hosts_el0_sees_no_physical_offset)
{
	NEEDS_POFF;
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	offset_on(OFFSET);
	// With E2H, EL1PCTEN and EL1PTEN are bits 10 and 11.
	write_sysreg(cnthctl_el2, 0xc03 | CNTHCTL_ECV);
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H);
	expect_offset(__LINE__, EL0, OFFSET);
	expect_offset(__LINE__, EL1, OFFSET);
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H | HCR_TGE);
	expect_offset(__LINE__, EL0, 0);
}

TEST(physical_offset_leaves_the_virtual_count)
{
	NEEDS_POFF;
	offset_on(OFFSET);
	uint64_t before = now();
	struct exc e = run_at(EL1, read_virtual);

	EXPECT_TRUE(before <= e.x[0] && e.x[2] <= now());
}

TEST(timer_value_of_el1_is_about_the_offset_count)
{
	NEEDS_POFF;
	offset_on(OFFSET);
	uint64_t before = now();
	struct exc e = run_at(EL1, set_tval, 0x10000);
	uint64_t after = now();

	EXPECT_TRUE(before + 0x10000 <= e.x[0] + OFFSET && e.x[0] + OFFSET <= after + 0x10000);
	EXPECT_TRUE(e.x[1] <= 0x10000 && e.x[1] > 0x8000);
	// From EL2 the same register counts from the system counter.
	before = now();
	e = run_at(EL2, set_tval, 0x10000);
	EXPECT_TRUE(before + 0x10000 <= e.x[0] && e.x[0] <= now() + 0x10000);
}

TEST(condition_of_the_physical_timer_has_the_offset)
{
	NEEDS_POFF;
	wait_for_count(0x200000);
	offset_on(0);
	write_sysreg(cntp_cval_el0, now());
	write_sysreg(cntp_ctl_el0, CNT_CTL_ENABLE | CNT_CTL_IMASK);
	EXPECT_EQ(read_sysreg(cntp_ctl_el0), CNT_CTL_ENABLE | CNT_CTL_IMASK | CNT_CTL_ISTATUS);
	write_sysreg(cntpoff_el2, 0x100000);
	EXPECT_EQ(read_sysreg(cntp_ctl_el0), CNT_CTL_ENABLE | CNT_CTL_IMASK);
	write_sysreg(cnthctl_el2, CNTHCTL_OPEN);
	EXPECT_EQ(read_sysreg(cntp_ctl_el0), CNT_CTL_ENABLE | CNT_CTL_IMASK | CNT_CTL_ISTATUS);
}

// The interrupt comes later by the offset.
TEST(interrupt_of_the_physical_timer_has_the_offset)
{
	NEEDS_POFF;
	wait_for_count(0x8000);
	gic_init();
	gic_enable(INTID_CNTP, GIC_G1NS, 0x40);
	offset_on(0x4000);
	uint64_t begin = now();

	write_sysreg(cntp_cval_el0, begin);
	write_sysreg(cntp_ctl_el0, CNT_CTL_ENABLE);
	struct exc e = run_at_spsr(guest_spsr(EL1) & ~SPSR_I, spin);

	EXPECT_INTERRUPT(e, EL1, VECTOR_IRQ);
	EXPECT_TRUE(now() - begin >= 0x4000);
	// QEMU's clock is the host's, and goes on meanwhile.
	EXPECT_TRUE(guest_qemu() || now() - begin < 0x5000);
	write_sysreg(cntp_ctl_el0, 0);
}

// ---- Controls -----------------------------------------------------------------------------------

TEST(controls_of_ecv_can_be_written)
{
	NEEDS_ECV;
	EXPECT_ACCESS_VALUE(EL2, WRITE, cnthctl, 0x3f000 | CNTHCTL_OPEN);
	EXPECT_MASKED(read_sysreg(cnthctl_el2), 0x3f000, ECV_VERSION >= 2 ? 0x3f000 : 0x3e000);
	EXPECT_ACCESS_VALUE(EL1, WRITE, cntkctl, EVNTIS | 3);
	EXPECT_EQ(read_sysreg(cntkctl_el1), EVNTIS | 3);
}

TEST(el1tvt_traps_the_virtual_timer)
{
	NEEDS_ECV;
	write_sysreg(cntkctl_el1, 0x303);
	write_sysreg(cnthctl_el2, CNTHCTL_OPEN | CNTHCTL_EL1TVT);
	FOR_EACH_REG(r, virtual_timer)
	{
		EXPECT_TRAP(EL0, READ, *r, EL2);
		EXPECT_TRAP(EL1, READ, *r, EL2);
		EXPECT_TRAP(EL1, WRITE, *r, EL2);
		EXPECT_ACCESS(EL2, READ, *r);
	}
	FOR_EACH_REG(r, physical_timer)
	{
		EXPECT_ACCESS(EL1, READ, *r);
	}
	EXPECT_ACCESS(EL1, READ, cntvct);
}

TEST(el1tvct_traps_the_virtual_count)
{
	NEEDS_ECV;
	write_sysreg(cntkctl_el1, 0x303);
	write_sysreg(cnthctl_el2, CNTHCTL_OPEN | CNTHCTL_EL1TVCT);
	EXPECT_TRAP(EL0, READ, cntvct, EL2);
	EXPECT_TRAP(EL1, READ, cntvct, EL2);
	EXPECT_TRAP(EL0, READ, cntvctss, EL2);
	EXPECT_TRAP(EL1, READ, cntvctss, EL2);
	EXPECT_ACCESS(EL1, READ, cntpctss);
	EXPECT_ACCESS(EL2, READ, cntvct);
	FOR_EACH_REG(r, virtual_timer)
	{
		EXPECT_ACCESS(EL1, READ, *r);
	}
}

TEST(el1s_own_trap_comes_before_el1tvt)
{
	NEEDS_ECV;
	write_sysreg(cntkctl_el1, 0);
	write_sysreg(cnthctl_el2, CNTHCTL_OPEN | CNTHCTL_EL1TVT | CNTHCTL_EL1TVCT);
	EXPECT_TRAP(EL0, READ, virtual_timer[0], EL1);
	EXPECT_TRAP(EL0, READ, cntvct, EL1);
}

TEST(el1tvt_says_nothing_to_a_hosts_el0)
{
	NEEDS_ECV;
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H | HCR_TGE);
	write_sysreg(cnthctl_el2, 0x303 | CNTHCTL_EL1TVT | CNTHCTL_EL1TVCT);
	EXPECT_ACCESS(EL0, READ, virtual_timer[0]);
	EXPECT_ACCESS(EL0, READ, cntvct);
}

// ---- Event streams ------------------------------------------------------------------------------

// The time that a WFE waits for the event stream.
static uint64_t wfe_time(void)
{
	uint64_t begin = now();
	struct exc e = run_at(EL1, wfe_twice);

	EXPECT_NO_EXC(e);
	return now() - begin;
}

TEST(evntis_takes_the_event_stream_from_the_scaled_counter)
{
	QEMU_11_DIFFERS("counts the host's time");
	NEEDS_ECV;
	// Bit 2 + 8: a transition from 0 to 1 every 2048 ticks.
	write_sysreg(cntkctl_el1, EVNTEN | EVNTI(2) | EVNTIS);
	wfe_time();
	for (unsigned i = 0; i < 3; i++) {
		uint64_t ticks = wfe_time();

		EXPECT_TRUE(ticks > 1024 && ticks <= 2200);
	}
	write_sysreg(cntkctl_el1, 0);
	write_sysreg(cnthctl_el2, CNTHCTL_OPEN | EVNTEN | EVNTI(2) | EVNTIS);
	wfe_time();
	for (unsigned i = 0; i < 3; i++) {
		uint64_t ticks = wfe_time();

		EXPECT_TRUE(ticks > 1024 && ticks <= 2200);
	}
}
