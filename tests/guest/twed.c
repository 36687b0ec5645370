// SPDX-License-Identifier: Apache-2.0
//
// twed.c - FEAT_TWED: a trap of WFE or WFET waits for 2^(TWEDEL + 8) cycles when the control that
// traps says so, and is not taken at all when something ends the wait before (Arm ARM D1.6.1,
// Hint_WFE, WFETrapDelay). One cycle is one nanosecond here, and the counter advances every 16.

#include "guest.h"
#include "gic.h"

#define HAS_VHE id_field(read_sysreg(id_aa64mmfr1_el1), 8)
#define NEEDS_TWED SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr1_el1), 32) >= 1, "no FEAT_TWED")
#define NEEDS_WFXT SKIP_UNLESS(id_field(read_sysreg(id_aa64isar2_el1), 0) >= 2, "no FEAT_WFxT")

#define SCTLR_TWEDEN BIT(45)
#define SCTLR_TWEDEL(n) ((uint64_t)(n) << 46)
#define HCR_TWEDEN BIT(59)
#define HCR_TWEDEL(n) ((uint64_t)(n) << 60)
#define SCR_TWEDEN BIT(29)
#define SCR_TWEDEL(n) ((uint64_t)(n) << 30)

#define FIELD(hi, lo) ((2ul << (hi)) - (1ul << (lo)))
#define TICKS(n) (1ul << ((n) + 8) >> 4) // of a delay with TWEDEL = n
#define OVERHEAD 0x1000 // ticks that a snippet takes at the most, without waiting

#define ISS_WFET(rn) (0x1e00000ul | (rn) << 5 | BIT(2) | 3)

// The return to the level under test sets the event register: the first WFE consumes that event.
SNIPPET(wfe_twice, "wfe\n\twfe\n\tmov x9, #1");
SNIPPET(sev_wfe, "wfe\n\tsevl\n\twfe\n\tmov x9, #1");
SNIPPET(wfe_again, "wfe\n\twfe\n\tmov x9, #1\n\twfe");
SNIPPET(wfet_x0, "wfe\n\tmrs x1, cntvct_el0\n\tadd x0, x0, x1\n\t.inst 0xd5031000\n\tmov x9, #1");
SNIPPET(wfi_once, "wfi");

// The PE's counter before and after.
static struct exc timed_run(uint64_t spsr, const char *snippet, uint64_t x0, uint64_t *ticks)
{
	uint64_t before;
	struct exc e;

	dsb_isb();
	before = read_sysreg(cntpct_el0);
	e = run_at_spsr(spsr, snippet, x0);
	dsb_isb();
	*ticks = read_sysreg(cntpct_el0) - before;
	return e;
}

static void expect_delay(int line, uint64_t ticks, uint64_t expected)
{
	guest_expect_eq(__FILE__, line, "waited long enough", ticks >= expected, 1);
	guest_expect_eq(__FILE__, line, "waited no longer", ticks < expected + OVERHEAD, 1);
}

TEST(twed_fields_can_be_written)
{
	const uint64_t sctlr = FIELD(49, 45), hcr = FIELD(63, 59);
	const uint64_t scr = FIELD(33, 29);

	NEEDS_TWED;
	write_sysreg(sctlr_el1, SCTLR_EL1_BASE | sctlr);
	EXPECT_MASKED(read_sysreg(sctlr_el1), sctlr, sctlr);
	write_sysreg(sctlr_el2, SCTLR_EL2_BASE | sctlr);
	EXPECT_MASKED(read_sysreg(sctlr_el2), sctlr, sctlr);
	write_sysreg(hcr_el2, HCR_BASE | hcr);
	EXPECT_MASKED(read_sysreg(hcr_el2), hcr, hcr);
	write_sysreg(scr_el3, SCR_BASE | scr);
	EXPECT_MASKED(read_sysreg(scr_el3), scr, scr);
}

TEST(without_tweden_the_trap_is_immediate)
{
	uint64_t ticks;

	NEEDS_TWED;
	write_sysreg(hcr_el2, HCR_BASE | HCR_TWE | HCR_TWEDEL(15));
	struct exc e = timed_run(guest_spsr(EL1), wfe_twice, 0, &ticks);

	EXPECT_EXC(e, EL2, EC_WFX, ISS_WFX(1));
	expect_delay(__LINE__, ticks, 0);
}

TEST(hcr_tweden_delays_the_trap_of_el1)
{
	NEEDS_TWED;
	for (unsigned n = 8; n < 16; n += 3) {
		uint64_t ticks;

		write_sysreg(hcr_el2, HCR_BASE | HCR_TWE | HCR_TWEDEN | HCR_TWEDEL(n));
		struct exc e = timed_run(guest_spsr(EL1), wfe_twice, 0, &ticks);

		EXPECT_EXC(e, EL2, EC_WFX, ISS_WFX(1));
		EXPECT_EQ(e.elr, wfe_twice + 4);
		EXPECT_REG(e, 9, 0);
		expect_delay(__LINE__, ticks, TICKS(n));
	}
}

TEST(hcr_tweden_delays_the_trap_of_el0)
{
	uint64_t ticks;

	NEEDS_TWED;
	write_sysreg(sctlr_el1, SCTLR_EL1_BASE | SCTLR_NTWE);
	write_sysreg(hcr_el2, HCR_BASE | HCR_TWE | HCR_TWEDEN | HCR_TWEDEL(10));
	struct exc e = timed_run(guest_spsr(EL0), wfe_twice, 0, &ticks);

	EXPECT_EXC(e, EL2, EC_WFX, ISS_WFX(1));
	expect_delay(__LINE__, ticks, TICKS(10));
}

TEST(sctlr_el1_tweden_delays_the_trap_of_el0)
{
	uint64_t ticks;

	NEEDS_TWED;
	write_sysreg(sctlr_el1, (SCTLR_EL1_BASE & ~SCTLR_NTWE) | SCTLR_TWEDEN | SCTLR_TWEDEL(11));
	struct exc e = timed_run(guest_spsr(EL0), wfe_twice, 0, &ticks);

	EXPECT_EXC(e, EL1, EC_WFX, ISS_WFX(1));
	EXPECT_EQ(e.elr, wfe_twice + 4);
	expect_delay(__LINE__, ticks, TICKS(11));
}

TEST(sctlr_el1_tweden_counts_when_tge_takes_the_trap_to_el2)
{
	uint64_t ticks;

	NEEDS_TWED;
	write_sysreg(sctlr_el1, (SCTLR_EL1_BASE & ~SCTLR_NTWE) | SCTLR_TWEDEN | SCTLR_TWEDEL(11));
	write_sysreg(hcr_el2, HCR_BASE | HCR_TGE);
	struct exc e = timed_run(guest_spsr(EL0), wfe_twice, 0, &ticks);

	EXPECT_EXC(e, EL2, EC_WFX, ISS_WFX(1));
	expect_delay(__LINE__, ticks, TICKS(11));
}

TEST(sctlr_el2_tweden_delays_the_trap_of_a_hosts_el0)
{
	uint64_t ticks;

	NEEDS_TWED;
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H | HCR_TGE);
	write_sysreg(sctlr_el2, (SCTLR_EL2_BASE & ~SCTLR_NTWE) | SCTLR_TWEDEN | SCTLR_TWEDEL(11));
	struct exc e = timed_run(guest_spsr(EL0), wfe_twice, 0, &ticks);

	EXPECT_EXC(e, EL2, EC_WFX, ISS_WFX(1));
	expect_delay(__LINE__, ticks, TICKS(11));
}

TEST(scr_tweden_delays_the_traps_to_el3)
{
	NEEDS_TWED;
	write_sysreg(sctlr_el1, SCTLR_EL1_BASE | SCTLR_NTWE);
	write_sysreg(scr_el3, SCR_BASE | SCR_TWE | SCR_TWEDEN | SCR_TWEDEL(9));
	for (enum el el = EL0; el <= EL2; el++) {
		uint64_t ticks;
		struct exc e = timed_run(guest_spsr(el), wfe_twice, 0, &ticks);

		EXPECT_EXC(e, EL3, EC_WFX, ISS_WFX(1));
		EXPECT_EQ(e.elr, wfe_twice + 4);
		expect_delay(__LINE__, ticks, TICKS(9));
	}
}

// The first control that traps decides, with its own delay.
TEST(the_trap_of_the_lowest_level_has_its_own_delay)
{
	uint64_t ticks;

	NEEDS_TWED;
	write_sysreg(sctlr_el1, SCTLR_EL1_BASE & ~SCTLR_NTWE);
	write_sysreg(hcr_el2, HCR_BASE | HCR_TWE | HCR_TWEDEN | HCR_TWEDEL(15));
	write_sysreg(scr_el3, SCR_BASE | SCR_TWE | SCR_TWEDEN | SCR_TWEDEL(15));
	struct exc e = timed_run(guest_spsr(EL0), wfe_twice, 0, &ticks);

	EXPECT_EXC(e, EL1, EC_WFX, ISS_WFX(1));
	expect_delay(__LINE__, ticks, 0);
}

TEST(an_event_that_is_there_needs_no_trap)
{
	NEEDS_TWED;
	write_sysreg(hcr_el2, HCR_BASE | HCR_TWE | HCR_TWEDEN | HCR_TWEDEL(8));
	struct exc e = run_at(EL1, sev_wfe);

	EXPECT_NO_EXC(e);
	EXPECT_REG(e, 9, 1);
}

// The event stream of CNTKCTL_EL1: an event every 2^9 ticks, well before 2^12.
TEST(an_event_during_the_delay_ends_the_wait)
{
	uint64_t ticks;

	NEEDS_TWED;
	write_sysreg(hcr_el2, HCR_BASE | HCR_TWE | HCR_TWEDEN | HCR_TWEDEL(15));
	write_sysreg(cntkctl_el1, BIT(2) | 8 << 4);
	struct exc e = timed_run(guest_spsr(EL1), wfe_twice, 0, &ticks);

	write_sysreg(cntkctl_el1, 0);
	EXPECT_NO_EXC(e);
	EXPECT_REG(e, 9, 1);
	expect_delay(__LINE__, ticks, 0);
}

// Each WFE has a delay of its own; the second one here is not ended.
TEST(after_an_event_the_next_wfe_waits_anew)
{
	NEEDS_TWED;
	write_sysreg(hcr_el2, HCR_BASE | HCR_TWE | HCR_TWEDEN | HCR_TWEDEL(8));
	struct exc e = run_at(EL1, wfe_again);

	EXPECT_EXC(e, EL2, EC_WFX, ISS_WFX(1));
	EXPECT_EQ(e.elr, wfe_again + 4);
}

// An unmasked interrupt ends the WFE, which is then executed: it is taken after it.
TEST(an_interrupt_during_the_delay_is_taken_instead)
{
	NEEDS_TWED;
	gic_init();
	gic_enable(INTID_CNTP, GIC_G1NS, 0x40);
	write_sysreg(hcr_el2, HCR_BASE | HCR_TWE | HCR_TWEDEN | HCR_TWEDEL(15));
	dsb_isb();
	write_sysreg(cntp_cval_el0, read_sysreg(cntpct_el0) + 0x800);
	write_sysreg(cntp_ctl_el0, CNT_CTL_ENABLE);
	struct exc e = run_at_spsr(guest_spsr(EL1) & ~SPSR_I, wfe_twice);

	write_sysreg(cntp_ctl_el0, 0);
	EXPECT_INTERRUPT(e, EL1, VECTOR_IRQ);
	EXPECT_EQ(e.elr, wfe_twice + 8);
}

TEST(a_masked_interrupt_does_not_end_the_delay)
{
	uint64_t ticks;

	NEEDS_TWED;
	gic_init();
	gic_enable(INTID_CNTP, GIC_G1NS, 0x40);
	write_sysreg(hcr_el2, HCR_BASE | HCR_TWE | HCR_TWEDEN | HCR_TWEDEL(12));
	dsb_isb();
	write_sysreg(cntp_cval_el0, read_sysreg(cntpct_el0) + 0x800);
	write_sysreg(cntp_ctl_el0, CNT_CTL_ENABLE);
	struct exc e = timed_run(guest_spsr(EL1), wfe_twice, 0, &ticks);

	write_sysreg(cntp_ctl_el0, 0);
	EXPECT_EXC(e, EL2, EC_WFX, ISS_WFX(1));
	expect_delay(__LINE__, ticks, TICKS(12));
}

TEST(wfet_whose_time_ends_within_the_delay_is_not_trapped)
{
	uint64_t ticks;

	NEEDS_TWED;
	NEEDS_WFXT;
	write_sysreg(hcr_el2, HCR_BASE | HCR_TWE | HCR_TWEDEN | HCR_TWEDEL(15));
	struct exc e = timed_run(guest_spsr(EL1), wfet_x0, 0x2000, &ticks);

	EXPECT_NO_EXC(e);
	EXPECT_REG(e, 9, 1);
	expect_delay(__LINE__, ticks, 0x2000);
}

TEST(wfet_whose_time_is_longer_is_trapped_after_the_delay)
{
	uint64_t ticks;

	NEEDS_TWED;
	NEEDS_WFXT;
	write_sysreg(hcr_el2, HCR_BASE | HCR_TWE | HCR_TWEDEN | HCR_TWEDEL(10));
	struct exc e = timed_run(guest_spsr(EL1), wfet_x0, 1ul << 30, &ticks);

	EXPECT_EXC(e, EL2, EC_WFX, ISS_WFET(0));
	EXPECT_EQ(e.elr, wfet_x0 + 12);
	expect_delay(__LINE__, ticks, TICKS(10));
}

TEST(wfi_is_not_delayed)
{
	uint64_t ticks;

	NEEDS_TWED;
	write_sysreg(hcr_el2, HCR_BASE | HCR_TWE | HCR_TWI | HCR_TWEDEN | HCR_TWEDEL(15));
	struct exc e = timed_run(guest_spsr(EL1), wfi_once, 0, &ticks);

	EXPECT_EXC(e, EL2, EC_WFX, ISS_WFX(0));
	expect_delay(__LINE__, ticks, 0);
}

TEST(a_stepped_wfe_that_finds_its_event_is_executed)
{
	NEEDS_TWED;
	write_sysreg(hcr_el2, HCR_BASE | HCR_TWE | HCR_TWEDEN | HCR_TWEDEL(8));
	write_sysreg(mdcr_el2, MDCR_EL2_TDE);
	write_sysreg(mdscr_el1, BIT(0));
	struct exc e = run_at_spsr(guest_spsr(EL1) | SPSR_SS, wfe_twice);

	EXPECT_EQ(e.el, EL2);
	EXPECT_EQ(e.esr >> 26, EC_STEP_LOWER);
	EXPECT_EQ(e.elr, wfe_twice + 4);
}
