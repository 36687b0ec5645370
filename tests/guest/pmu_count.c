// SPDX-License-Identifier: Apache-2.0
//
// pmu_count.c - what the performance monitors count: enables, filters by level and Security state,
// prohibited regions, counter widths, overflow flags, chained counters, exceptions.

#include "guest.h"

#include "pmu_regs.h"

static uint64_t event_counter_mask(void)
{
	return id_field(read_sysreg(id_aa64dfr0_el1), 8) >= 6 ? ~0ul : 0xfffffffful;
}

static bool has_secure_prohibition(void)
{
	// Before FEAT_Debugv8p2 an external debugger's permission overrides it.
	return id_field(read_sysreg(id_aa64dfr0_el1), 0) >= 8;
}

static void cycles_on(uint64_t filter)
{
	write_sysreg(pmccfiltr_el0, filter);
	write_sysreg(pmcntenset_el0, PMU_C);
	write_sysreg(pmcr_el0, PMCR_LC | PMCR_E | PMCR_C);
}

// Counter 0 on this event, from zero.
static void event_on(uint64_t event)
{
	write_sysreg(pmevtyper0_el0, event);
	write_sysreg(pmevcntr0_el0, 0);
	write_sysreg(pmcntenset_el0, BIT(0));
	write_sysreg(pmcr_el0, PMCR_LC | PMCR_E);
}

SNIPPET(four_nops, "nop\n\tnop\n\tnop\n\tnop");
SNIPPET(measure_cycles, "mrs x0, pmccntr_el0\n\tnop\n\tnop\n\tnop\n\tnop\n\tmrs x1, pmccntr_el0");
SNIPPET(measure_events,
	"mrs x0, pmevcntr0_el0\n\tnop\n\tnop\n\tnop\n\tnop\n\tmrs x1, pmevcntr0_el0");

// By how much the counter advances at that level itself.
static uint64_t cycles_of(enum el el)
{
	write_sysreg(pmuserenr_el0, 1);
	struct exc e = run_at(el, measure_cycles);
	return e.x[1] - e.x[0];
}

static uint64_t events_of(enum el el)
{
	write_sysreg(pmuserenr_el0, 1);
	struct exc e = run_at(el, measure_events);
	return e.x[1] - e.x[0];
}

// ---- Enables ------------------------------------------------------------------------------------

TEST(cycle_counter_advances)
{
	cycles_on(0);
	uint64_t a = read_sysreg(pmccntr_el0), b = read_sysreg(pmccntr_el0),
		 c = read_sysreg(pmccntr_el0);

	EXPECT_TRUE(a < b);
	EXPECT_TRUE(b < c);
}

TEST(cycle_counter_needs_e_and_its_own_bit)
{
	cycles_on(0);
	write_sysreg(pmcr_el0, PMCR_LC);
	uint64_t a = read_sysreg(pmccntr_el0);
	EXPECT_EQ(read_sysreg(pmccntr_el0), a);
	write_sysreg(pmcr_el0, PMCR_LC | PMCR_E);
	EXPECT_TRUE(read_sysreg(pmccntr_el0) > a);
	write_sysreg(pmcntenclr_el0, PMU_C);
	a = read_sysreg(pmccntr_el0);
	EXPECT_EQ(read_sysreg(pmccntr_el0), a);
}

SNIPPET(five_apart, "mrs x0, pmccntr_el0\n\tnop\n\tnop\n\tnop\n\tnop\n\tmrs x1, pmccntr_el0");
SNIPPET(one_apart, "mrs x0, pmccntr_el0\n\tmrs x1, pmccntr_el0");

TEST(an_instruction_is_a_cycle)
{
	QEMU_DIFFERS("counts the host's time");
	cycles_on(0);
	struct exc five = run_at(EL1, five_apart), one = run_at(EL1, one_apart);

	EXPECT_EQ(five.x[1] - five.x[0], 5);
	EXPECT_EQ(one.x[1] - one.x[0], 1);
}

TEST(instructions_of_el0_are_counted_exactly)
{
	QEMU_DIFFERS("does not count instructions");
	event_on(EVENT_INST_RETIRED | FILTER_P);
	// Four NOPs, RET, and the SVC it returns to.
	run_at(EL0, four_nops);
	EXPECT_EQ(read_sysreg(pmevcntr0_el0), 6);
	run_at(EL1, four_nops);
	run_at(EL2, four_nops);
	EXPECT_EQ(read_sysreg(pmevcntr0_el0), 6);
	run_at(EL0, four_nops);
	EXPECT_EQ(read_sysreg(pmevcntr0_el0), 12);
}

SNIPPET(count_down, "1:\tsub x0, x0, #1\n\tcbnz x0, 1b");

TEST(a_long_loop_is_counted_exactly)
{
	QEMU_DIFFERS("does not count instructions");
	event_on(EVENT_INST_RETIRED | FILTER_P);
	run_at(EL0, count_down, 100000);
	EXPECT_EQ(read_sysreg(pmevcntr0_el0), 200002);
}

TEST(unknown_events_do_not_count)
{
	event_on(0x3ff);
	run_at(EL0, four_nops);
	EXPECT_EQ(read_sysreg(pmevcntr0_el0), 0);
}

TEST(pmceid_tells_what_is_counted)
{
	uint64_t low = read_sysreg(pmceid0_el0);

	EXPECT_MASKED(low, BIT(EVENT_SW_INCR) | BIT(EVENT_CPU_CYCLES),
		      BIT(EVENT_SW_INCR) | BIT(EVENT_CPU_CYCLES));
	if (id_field(read_sysreg(id_aa64dfr0_el1), 8) >= 4) {
		// FEAT_PMUv3p1 requires STALL_FRONTEND and STALL_BACKEND.
		EXPECT_MASKED(read_sysreg(pmceid1_el0), BIT(3) | BIT(4), BIT(3) | BIT(4));
	}
}

// ---- Filters ------------------------------------------------------------------------------------

static const struct {
	uint64_t filter;
	bool el0, el1, el2; // Non-secure
} filters[] = {
	{FILTER_M, true, true, false},
	{FILTER_P, true, false, false},
	{FILTER_M | FILTER_U, false, true, false},
	{FILTER_P | FILTER_U, false, false, false},
	{FILTER_P | FILTER_NSK, true, true, false},
	{FILTER_M | FILTER_NSK, true, false, false},
	{FILTER_M | FILTER_NSU, false, true, false},
	{FILTER_M | FILTER_U | FILTER_NSU, true, true, false},
	{FILTER_M | FILTER_NSH, true, true, true},
	{FILTER_P | FILTER_U | FILTER_NSH, false, false, true},
};
#define FILTERS (sizeof(filters) / sizeof(filters[0]))

TEST(cycle_filter_by_level)
{
	for (unsigned i = 0; i < FILTERS; i++) {
		cycles_on(filters[i].filter);
		EXPECT_EQ(cycles_of(EL0) != 0, filters[i].el0);
		EXPECT_EQ(cycles_of(EL1) != 0, filters[i].el1);
		EXPECT_EQ(cycles_of(EL2) != 0, filters[i].el2);
	}
}

TEST(event_filter_by_level)
{
	for (unsigned i = 0; i < FILTERS; i++) {
		event_on(EVENT_CPU_CYCLES | filters[i].filter);
		EXPECT_EQ(events_of(EL0) != 0, filters[i].el0);
		EXPECT_EQ(events_of(EL1) != 0, filters[i].el1);
		EXPECT_EQ(events_of(EL2) != 0, filters[i].el2);
	}
}

TEST(secure_levels_ignore_nsk_and_nsu)
{
	write_sysreg(scr_el3, SCR_BASE & ~SCR_NS);
	cycles_on(FILTER_M | FILTER_NSK | FILTER_NSU);
	EXPECT_TRUE(cycles_of(EL0) != 0);
	EXPECT_TRUE(cycles_of(EL1) != 0);
	cycles_on(FILTER_P | FILTER_NSK);
	EXPECT_TRUE(cycles_of(EL0) != 0);
	EXPECT_EQ(cycles_of(EL1), 0);
	cycles_on(FILTER_M | FILTER_U | FILTER_NSU);
	EXPECT_EQ(cycles_of(EL0), 0);
}

TEST(secure_el2_counts_where_sh_differs_from_nsh)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64pfr0_el1), 36) >= 1, "no FEAT_SEL2");
	QEMU_DIFFERS("has no SH");
	write_sysreg(scr_el3, (SCR_BASE & ~SCR_NS) | SCR_EEL2);
	write_sysreg(mdcr_el3, MDCR_EL3_SPME);
	for (unsigned i = 0; i < 4; i++) {
		uint64_t filter = FILTER_M | (i & 1 ? FILTER_SH : 0) | (i & 2 ? FILTER_NSH : 0);

		event_on(EVENT_CPU_CYCLES | filter);
		EXPECT_EQ(events_of(EL2) != 0, i == 1 || i == 2);
		cycles_on(filter);
		EXPECT_EQ(cycles_of(EL2) != 0, i == 1 || i == 2);
	}
}

TEST(el3_counts_where_m_equals_p)
{
	cycles_on(FILTER_M);
	uint64_t off = read_sysreg(pmccntr_el0);
	EXPECT_EQ(read_sysreg(pmccntr_el0), off);
	cycles_on(FILTER_M | FILTER_P);
	uint64_t on = read_sysreg(pmccntr_el0);
	EXPECT_TRUE(read_sysreg(pmccntr_el0) > on);
}

// ---- Prohibited regions -------------------------------------------------------------------------

TEST(secure_events_need_spme)
{
	QEMU_DIFFERS("has no MDCR_EL3.SPME at EL3");
	SKIP_UNLESS(has_secure_prohibition(), "overridden by external debug");
	write_sysreg(scr_el3, SCR_BASE & ~SCR_NS);
	event_on(EVENT_CPU_CYCLES | FILTER_M);
	EXPECT_EQ(events_of(EL1), 0);
	write_sysreg(mdcr_el3, MDCR_EL3_SPME);
	EXPECT_TRUE(events_of(EL1) != 0);
}

TEST(cycle_counter_is_prohibited_only_with_dp)
{
	SKIP_UNLESS(has_secure_prohibition(), "overridden by external debug");
	write_sysreg(scr_el3, SCR_BASE & ~SCR_NS);
	cycles_on(FILTER_M);
	EXPECT_TRUE(cycles_of(EL1) != 0);
	write_sysreg(pmcr_el0, PMCR_LC | PMCR_E | PMCR_DP);
	EXPECT_EQ(cycles_of(EL1), 0);
	write_sysreg(scr_el3, SCR_BASE);
	EXPECT_TRUE(cycles_of(EL1) != 0);
}

TEST(hpmd_prohibits_events_at_el2)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64dfr0_el1), 8) >= 4 && has_secure_prohibition(),
		    "no FEAT_PMUv3p1");
	event_on(EVENT_CPU_CYCLES | FILTER_M | FILTER_NSH);
	EXPECT_TRUE(events_of(EL2) != 0);
	write_sysreg(mdcr_el2, read_sysreg(mdcr_el2) | MDCR_EL2_HPMD);
	EXPECT_EQ(events_of(EL2), 0);
	EXPECT_TRUE(events_of(EL1) != 0);
}

TEST(hpmd_does_not_prohibit_the_counters_of_el2)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64dfr0_el1), 8) >= 4, "no FEAT_PMUv3p1");
	QEMU_7_DIFFERS("prohibits them too");
	event_on(EVENT_CPU_CYCLES | FILTER_M | FILTER_NSH);
	// HPMN = 0 is not allowed without FEAT_HPMN0: counter 1 is the first of EL2's.
	write_sysreg(pmevtyper1_el0, EVENT_CPU_CYCLES | FILTER_M | FILTER_NSH);
	write_sysreg(pmcntenset_el0, BIT(1));
	write_sysreg(mdcr_el2, 1 | MDCR_EL2_HPME | MDCR_EL2_HPMD);
	write_sysreg(pmevcntr1_el0, 0);
	EXPECT_EQ(events_of(EL2), 0);
	EXPECT_TRUE(read_sysreg(pmevcntr1_el0) != 0);
}

TEST(hccd_and_sccd_stop_the_cycle_counter)
{
	QEMU_7_DIFFERS("does not implement them in this version");
	SKIP_UNLESS(id_field(read_sysreg(id_aa64dfr0_el1), 8) >= 6, "no FEAT_PMUv3p5");
	cycles_on(FILTER_M | FILTER_NSH);
	write_sysreg(mdcr_el2, read_sysreg(mdcr_el2) | MDCR_EL2_HCCD);
	EXPECT_EQ(cycles_of(EL2), 0);
	EXPECT_TRUE(cycles_of(EL1) != 0);
	write_sysreg(mdcr_el3, MDCR_EL3_SCCD);
	EXPECT_TRUE(cycles_of(EL1) != 0);
	write_sysreg(scr_el3, SCR_BASE & ~SCR_NS);
	EXPECT_EQ(cycles_of(EL1), 0);
}

// ---- Writing, resetting, width ------------------------------------------------------------------

TEST(counters_hold_what_is_written_while_stopped)
{
	write_sysreg(pmccntr_el0, 0x123456789abcdef0);
	write_sysreg(pmevcntr0_el0, 0x89abcdef);
	EXPECT_EQ(read_sysreg(pmccntr_el0), 0x123456789abcdef0);
	EXPECT_EQ(read_sysreg(pmevcntr0_el0), 0x89abcdef);
}

TEST(pmcr_c_clears_the_cycle_counter_and_p_the_others)
{
	write_sysreg(pmccntr_el0, 77);
	write_sysreg(pmevcntr0_el0, 88);
	write_sysreg(pmovsset_el0, PMU_C | 1);
	write_sysreg(pmcr_el0, PMCR_LC | PMCR_C);
	EXPECT_EQ(read_sysreg(pmccntr_el0), 0);
	EXPECT_EQ(read_sysreg(pmevcntr0_el0), 88);
	write_sysreg(pmccntr_el0, 77);
	write_sysreg(pmcr_el0, PMCR_LC | PMCR_P);
	EXPECT_EQ(read_sysreg(pmccntr_el0), 77);
	EXPECT_EQ(read_sysreg(pmevcntr0_el0), 0);
	// Overflow flags stay; P and C read as zero.
	EXPECT_EQ(read_sysreg(pmovsset_el0), PMU_C | 1);
	EXPECT_MASKED(read_sysreg(pmcr_el0), PMCR_P | PMCR_C, 0);
}

TEST(cycle_counter_overflows_at_32_bits_without_lc)
{
	write_sysreg(pmcr_el0, 0);
	SKIP_UNLESS(!(read_sysreg(pmcr_el0) & PMCR_LC), "LC is RES1");
	write_sysreg(pmccfiltr_el0, FILTER_M);
	write_sysreg(pmccntr_el0, 0xfffffffe);
	write_sysreg(pmcntenset_el0, PMU_C);
	write_sysreg(pmcr_el0, PMCR_E);
	cycles_of(EL1);
	EXPECT_EQ(read_sysreg(pmovsset_el0), PMU_C);
	EXPECT_TRUE(read_sysreg(pmccntr_el0) >= 0x100000000);
}

TEST(cycle_counter_overflows_at_64_bits_with_lc)
{
	cycles_on(FILTER_M);
	write_sysreg(pmccntr_el0, 0xfffffffe);
	cycles_of(EL1);
	EXPECT_EQ(read_sysreg(pmovsset_el0), 0);
	write_sysreg(pmccntr_el0, ~0ul - 1);
	cycles_of(EL1);
	EXPECT_EQ(read_sysreg(pmovsset_el0), PMU_C);
	write_sysreg(pmovsclr_el0, PMU_C);
	EXPECT_EQ(read_sysreg(pmovsset_el0), 0);
}

TEST(event_counter_overflows_at_32_bits)
{
	event_on(EVENT_CPU_CYCLES | FILTER_M);
	write_sysreg(pmevcntr0_el0, 0xfffffffe);
	run_at(EL1, four_nops);
	EXPECT_EQ(read_sysreg(pmovsclr_el0), 1);
	EXPECT_TRUE((read_sysreg(pmevcntr0_el0) & 0xffffffff) < 0xfffffffe);
}

TEST(event_counter_is_64_bits_wide_with_pmuv3p5)
{
	QEMU_7_DIFFERS("has 32-bit counters");
	SKIP_UNLESS(id_field(read_sysreg(id_aa64dfr0_el1), 8) >= 6, "no FEAT_PMUv3p5");
	event_on(EVENT_CPU_CYCLES | FILTER_M);
	write_sysreg(pmevcntr0_el0, 0x1fffffffe);
	run_at(EL1, four_nops);
	EXPECT_EQ(read_sysreg(pmovsclr_el0), 1);
	EXPECT_EQ(read_sysreg(pmevcntr0_el0) >> 32, 2);
	// LP moves the overflow to bit 64.
	write_sysreg(pmovsclr_el0, 1);
	write_sysreg(pmcr_el0, PMCR_LC | PMCR_E | PMCR_LP);
	write_sysreg(pmevcntr0_el0, 0x1fffffffe);
	run_at(EL1, four_nops);
	EXPECT_EQ(read_sysreg(pmovsclr_el0), 0);
	write_sysreg(pmevcntr0_el0, ~0ul - 1);
	run_at(EL1, four_nops);
	EXPECT_EQ(read_sysreg(pmovsclr_el0), 1);
}

// ---- Software increment and chains --------------------------------------------------------------

SNIPPET(swinc_x0, "msr pmswinc_el0, x0");

TEST(software_increment)
{
	event_on(EVENT_SW_INCR);
	write_sysreg(pmevtyper1_el0, EVENT_CPU_CYCLES | FILTER_M);
	write_sysreg(pmevcntr1_el0, 0);
	run_at(EL1, swinc_x0, 3);
	run_at(EL1, swinc_x0, 1);
	run_at(EL1, swinc_x0, 2);
	EXPECT_EQ(read_sysreg(pmevcntr0_el0), 2);
	EXPECT_EQ(read_sysreg(pmevcntr1_el0), 0); // not enabled, and another event
}

TEST(software_increment_obeys_enables_and_filters)
{
	event_on(EVENT_SW_INCR | FILTER_P);
	run_at(EL1, swinc_x0, 1);
	EXPECT_EQ(read_sysreg(pmevcntr0_el0), 0);
	event_on(EVENT_SW_INCR);
	write_sysreg(pmcntenclr_el0, 1);
	run_at(EL1, swinc_x0, 1);
	EXPECT_EQ(read_sysreg(pmevcntr0_el0), 0);
	write_sysreg(pmcntenset_el0, 1);
	write_sysreg(pmcr_el0, PMCR_LC);
	run_at(EL1, swinc_x0, 1);
	EXPECT_EQ(read_sysreg(pmevcntr0_el0), 0);
}

TEST(chain_counts_overflows_of_the_counter_before)
{
	QEMU_DIFFERS("has no CHAIN event");
	event_on(EVENT_SW_INCR);
	write_sysreg(pmevtyper1_el0, EVENT_CHAIN);
	write_sysreg(pmevcntr0_el0, 0xffffffff);
	write_sysreg(pmevcntr1_el0, 6);
	write_sysreg(pmcntenset_el0, 3);
	run_at(EL1, swinc_x0, 1);
	EXPECT_EQ(read_sysreg(pmevcntr0_el0), 0x100000000 & event_counter_mask());
	EXPECT_EQ(read_sysreg(pmevcntr1_el0), 7);
	EXPECT_EQ(read_sysreg(pmovsset_el0), 1);
	run_at(EL1, swinc_x0, 1);
	EXPECT_EQ(read_sysreg(pmevcntr1_el0), 7);
}

TEST(chain_overflows_in_its_turn)
{
	QEMU_DIFFERS("has no CHAIN event");
	event_on(EVENT_CPU_CYCLES | FILTER_M);
	write_sysreg(pmevtyper1_el0, EVENT_CHAIN | FILTER_M);
	write_sysreg(pmevcntr0_el0, 0xfffffffe);
	write_sysreg(pmevcntr1_el0, 0xffffffff);
	write_sysreg(pmcntenset_el0, 3);
	run_at(EL1, four_nops);
	EXPECT_EQ(read_sysreg(pmovsset_el0), 3);
}

TEST(even_counter_does_not_chain)
{
	QEMU_7_DIFFERS("has no CHAIN event");
	event_on(EVENT_SW_INCR);
	write_sysreg(pmevtyper1_el0, EVENT_SW_INCR);
	write_sysreg(pmevtyper2_el0, EVENT_CHAIN);
	write_sysreg(pmevcntr1_el0, 0xffffffff);
	write_sysreg(pmevcntr2_el0, 0);
	write_sysreg(pmcntenset_el0, 7);
	run_at(EL1, swinc_x0, 2);
	EXPECT_EQ(read_sysreg(pmovsset_el0), 2);
	EXPECT_EQ(read_sysreg(pmevcntr2_el0), 0);
}

// ---- Exceptions ---------------------------------------------------------------------------------

SNIPPET(eret_only, "eret");
SNIPPET(svc_0, "svc #0");

TEST(exceptions_count_for_the_level_they_leave)
{
	QEMU_DIFFERS("has no such event");
	event_on(EVENT_EXC_TAKEN | FILTER_P); // EL0 only
	run_at(EL0, svc_0); // SVC to EL1, whose vector goes on to EL3
	EXPECT_EQ(read_sysreg(pmevcntr0_el0), 1);
	event_on(EVENT_EXC_TAKEN | FILTER_M | FILTER_U); // EL1 only
	run_at(EL0, svc_0);
	EXPECT_EQ(read_sysreg(pmevcntr0_el0), 1);
	event_on(EVENT_EXC_TAKEN | FILTER_M); // both
	run_at(EL0, svc_0);
	EXPECT_EQ(read_sysreg(pmevcntr0_el0), 2);
}

TEST(returns_count_for_the_level_they_leave)
{
	QEMU_DIFFERS("has no such event");
	write_sysreg(spsr_el1, SPSR_M_EL0T);
	write_sysreg(elr_el1, svc_0);
	event_on(EVENT_EXC_RETURN | FILTER_M | FILTER_U);
	run_at(EL1, eret_only);
	EXPECT_EQ(read_sysreg(pmevcntr0_el0), 1);
}

// ---- Waiting ------------------------------------------------------------------------------------

SNIPPET(wait_a_while, "mrs x0, pmccntr_el0\n\tmrs x1, cntpct_el0\n\twfi\n\t"
		      "mrs x2, pmccntr_el0\n\tmrs x3, cntpct_el0");

TEST(no_cycles_pass_in_wfi)
{
	QEMU_DIFFERS("counts the host's time");
	cycles_on(FILTER_M);
	gic_init();
	gic_enable(INTID_CNTP, GIC_G1NS, 0x80);
	write_sysreg(cntp_tval_el0, 5000);
	write_sysreg(cntp_ctl_el0, CNT_CTL_ENABLE);
	struct exc e = run_at(EL1, wait_a_while);

	EXPECT_NO_EXC(e);
	EXPECT_TRUE(e.x[3] - e.x[1] > 4000);
	EXPECT_TRUE(e.x[2] - e.x[0] < 100);
}
