// SPDX-License-Identifier: Apache-2.0
//
// pmu_irq.c - the overflow interrupt of the performance monitors (PPI 7): when it is raised, when
// it falls, and to which level it comes.

#include "guest.h"

#include "pmu_regs.h"

SNIPPET(spin, "1:\tb 1b");
SNIPPET(count_down, "1:\tsub x0, x0, #1\n\tcbnz x0, 1b");
SNIPPET(swinc_x0, "msr pmswinc_el0, x0\n\tisb\n\tnop\n\tnop");

static void connect(void)
{
	gic_init();
	gic_enable(INTID_PMU, GIC_G1NS, 0x80);
}

// The cycle counter, `left` cycles from its overflow; counts at EL0 and EL1 only.
static void cycles_near_overflow(uint64_t left)
{
	write_sysreg(pmccfiltr_el0, FILTER_M);
	write_sysreg(pmccntr_el0, -left);
	write_sysreg(pmintenset_el1, PMU_C);
	write_sysreg(pmcntenset_el0, PMU_C);
	write_sysreg(pmcr_el0, PMCR_LC | PMCR_E);
}

TEST(cycle_overflow_interrupts_el0)
{
	connect();
	cycles_near_overflow(10000);
	struct exc e = run_at_spsr(SPSR_M_EL0T, spin);

	EXPECT_INTERRUPT(e, EL1, VECTOR_IRQ);
	EXPECT_EQ(e.elr, spin);
	EXPECT_EQ(read_sysreg(pmovsset_el0), PMU_C);
	EXPECT_TRUE(gic_is_pending(INTID_PMU));
}

TEST(overflow_interrupt_is_not_early_and_hardly_late)
{
	QEMU_DIFFERS("counts the host's time");
	connect();
	cycles_near_overflow(10000);
	struct exc e = run_at_spsr(SPSR_M_EL0T, spin);

	EXPECT_INTERRUPT(e, EL1, VECTOR_IRQ);
	EXPECT_TRUE(read_sysreg(pmccntr_el0) < 100);
}

TEST(line_falls_when_the_flag_is_cleared)
{
	connect();
	cycles_near_overflow(1000);
	run_at_spsr(SPSR_M_EL0T, spin);
	EXPECT_TRUE(gic_is_pending(INTID_PMU));
	write_sysreg(pmovsclr_el0, PMU_C);
	EXPECT_TRUE(!gic_is_pending(INTID_PMU));
}

TEST(line_follows_flag_and_enable)
{
	connect();
	write_sysreg(pmcr_el0, PMCR_LC | PMCR_E);
	write_sysreg(pmovsset_el0, 4);
	EXPECT_TRUE(!gic_is_pending(INTID_PMU));
	write_sysreg(pmintenset_el1, 4);
	EXPECT_TRUE(gic_is_pending(INTID_PMU));
	write_sysreg(pmintenclr_el1, 4);
	EXPECT_TRUE(!gic_is_pending(INTID_PMU));
}

TEST(line_follows_pmcr_e)
{
	QEMU_DIFFERS("does not look again when E changes");
	connect();
	write_sysreg(pmcr_el0, PMCR_LC | PMCR_E);
	write_sysreg(pmovsset_el0, 4);
	write_sysreg(pmintenset_el1, 4);
	write_sysreg(pmcr_el0, PMCR_LC);
	EXPECT_TRUE(!gic_is_pending(INTID_PMU));
	write_sysreg(pmcr_el0, PMCR_LC | PMCR_E);
	EXPECT_TRUE(gic_is_pending(INTID_PMU));
}

TEST(no_interrupt_without_its_enable)
{
	connect();
	cycles_near_overflow(100);
	write_sysreg(pmintenclr_el1, PMU_C);
	struct exc e = run_at_spsr(SPSR_M_EL0T, count_down, 5000000);

	EXPECT_NO_EXC(e);
	EXPECT_EQ(read_sysreg(pmovsset_el0), PMU_C);
}

TEST(event_counter_overflow_interrupts)
{
	connect();
	write_sysreg(pmevtyper2_el0, EVENT_CPU_CYCLES | FILTER_M);
	write_sysreg(pmevcntr2_el0, 0xffffffff - 5000);
	write_sysreg(pmintenset_el1, 4);
	write_sysreg(pmcntenset_el0, 4);
	write_sysreg(pmcr_el0, PMCR_LC | PMCR_E);
	struct exc e = run_at_spsr(SPSR_M_EL0T, spin);

	EXPECT_INTERRUPT(e, EL1, VECTOR_IRQ);
	EXPECT_EQ(read_sysreg(pmovsset_el0), 4);
}

TEST(counter_that_is_filtered_out_here_does_not_interrupt_here)
{
	connect();
	cycles_near_overflow(100);
	write_sysreg(pmccfiltr_el0, FILTER_M | FILTER_U); // EL1 only
	struct exc e0 = run_at_spsr(SPSR_M_EL0T, count_down, 100000);

	// What EL1's vector costs is not enough.
	EXPECT_NO_EXC(e0);
	struct exc e1 = run_at_spsr(SPSR_M_EL1H, spin);

	EXPECT_INTERRUPT(e1, EL1, VECTOR_IRQ);
}

TEST(overflow_interrupt_reaches_el2_with_imo)
{
	connect();
	cycles_near_overflow(1000);
	write_sysreg(hcr_el2, HCR_BASE | HCR_IMO);
	struct exc e = run_at_spsr(SPSR_M_EL1H | SPSR_DAIF, spin);

	EXPECT_INTERRUPT(e, EL2, VECTOR_IRQ);
	EXPECT_EQ(e.elr, spin);
}

TEST(software_increment_can_overflow_and_interrupt)
{
	connect();
	write_sysreg(pmevtyper0_el0, EVENT_SW_INCR);
	write_sysreg(pmevcntr0_el0, 0xfffffffe);
	write_sysreg(pmintenset_el1, 1);
	write_sysreg(pmcntenset_el0, 1);
	write_sysreg(pmcr_el0, PMCR_LC | PMCR_E);
	struct exc first = run_at_spsr(SPSR_M_EL1H, swinc_x0, 1);
	struct exc second = run_at_spsr(SPSR_M_EL1H, swinc_x0, 1);

	EXPECT_NO_EXC(first);
	EXPECT_INTERRUPT(second, EL1, VECTOR_IRQ);
}

TEST(chained_pair_interrupts_by_its_odd_counter)
{
	QEMU_DIFFERS("has no CHAIN event");
	connect();
	write_sysreg(pmevtyper0_el0, EVENT_CPU_CYCLES | FILTER_M);
	write_sysreg(pmevtyper1_el0, EVENT_CHAIN | FILTER_M);
	write_sysreg(pmevcntr0_el0, 0xffffffff - 3000);
	write_sysreg(pmevcntr1_el0, 0xffffffff);
	write_sysreg(pmintenset_el1, 2); // the even one overflows silently
	write_sysreg(pmcntenset_el0, 3);
	write_sysreg(pmcr_el0, PMCR_LC | PMCR_E);
	struct exc e = run_at_spsr(SPSR_M_EL0T, spin);

	EXPECT_INTERRUPT(e, EL1, VECTOR_IRQ);
	EXPECT_EQ(read_sysreg(pmovsset_el0), 3);
}

TEST(counters_of_el2_interrupt_by_hpme)
{
	QEMU_DIFFERS("looks at PMCR_EL0.E only");
	connect();
	write_sysreg(mdcr_el2, 1 | MDCR_EL2_HPME);
	write_sysreg(pmevtyper1_el0, EVENT_CPU_CYCLES | FILTER_M);
	write_sysreg(pmevcntr1_el0, 0xffffffff - 3000);
	write_sysreg(pmintenset_el1, 2);
	write_sysreg(pmcntenset_el0, 2);
	write_sysreg(pmcr_el0, PMCR_LC); // E is 0
	write_sysreg(hcr_el2, HCR_BASE | HCR_IMO);
	struct exc e = run_at_spsr(SPSR_M_EL0T, spin);

	EXPECT_INTERRUPT(e, EL2, VECTOR_IRQ);
	write_sysreg(mdcr_el2, 1);
	EXPECT_TRUE(!gic_is_pending(INTID_PMU));
}

SNIPPET(work_wait_work, "1:\tsub x0, x0, #1\n\tcbnz x0, 1b\n\twfi\n\t2:\tsub x1, x1, #1\n\tcbnz "
			"x1, 2b\n\t3:\tb 3b");

TEST(waiting_puts_the_overflow_off)
{
	QEMU_DIFFERS("counts the host's time");
	connect();
	gic_enable(INTID_CNTP, GIC_G1S, 0x80);
	cycles_near_overflow(10000);
	// The timer ends the wait long after the overflow would have come; it is masked (a FIQ at
	// EL1), so that work goes on, up to the overflow.
	write_sysreg(cntp_tval_el0, 10000);
	write_sysreg(cntp_ctl_el0, CNT_CTL_ENABLE);
	uint64_t before = read_sysreg(cntpct_el0);
	struct exc e = run_at_spsr(SPSR_M_EL1H | SPSR_F, work_wait_work, 2000, 1000);

	EXPECT_INTERRUPT(e, EL1, VECTOR_IRQ);
	EXPECT_REG(e, 1, 0);
	EXPECT_TRUE(read_sysreg(cntpct_el0) - before >= 10000);
	EXPECT_TRUE(read_sysreg(pmccntr_el0) < 100);
}
