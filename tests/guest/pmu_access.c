// SPDX-License-Identifier: Apache-2.0
//
// pmu_access.c - who sees which counter: MDCR_EL2.HPMN, the select register, PMUSERENR_EL0 and the
// traps of the PMU.

#include "guest.h"

#include "pmu_regs.h"

SNIPPET(read_pmcr, "mrs x0, pmcr_el0");
SNIPPET(write_pmcr, "msr pmcr_el0, x0");
SNIPPET(write_and_read_cntenset, "msr pmcntenset_el0, x0\n\tmrs x1, pmcntenset_el0");
SNIPPET(clear_all,
	"mov x0, #-1\n\tmsr pmcntenclr_el0, x0\n\tmsr pmovsclr_el0, x0\n\tmsr pmintenclr_el1, x0");
SNIPPET(read_masks, "mrs x0, pmcntenset_el0\n\tmrs x1, pmovsset_el0\n\tmrs x2, pmintenset_el1\n\t"
		    "mrs x3, pmcntenclr_el0\n\tmrs x4, pmovsclr_el0\n\tmrs x5, pmintenclr_el1");
SNIPPET(swinc_x0, "msr pmswinc_el0, x0");

static unsigned counters(void)
{
	return PMCR_N(read_sysreg(pmcr_el0));
}

// ---- HPMN ---------------------------------------------------------------------------------------

TEST(all_counters_belong_to_el1_at_reset_of_a_test)
{
	struct exc e = run_at(EL1, read_pmcr);

	EXPECT_TRUE(counters() >= 4);
	EXPECT_EQ(PMCR_N(e.x[0]), counters());
	EXPECT_EQ(e.x[0] >> 32, 0);
}

TEST(hpmn_is_what_el1_sees_as_n)
{
	QEMU_7_DIFFERS("shows all of them");
	write_sysreg(mdcr_el2, 2);
	struct exc e1 = run_at(EL1, read_pmcr);
	struct exc e2 = run_at(EL2, read_pmcr);
	write_sysreg(scr_el3, SCR_BASE & ~SCR_NS);
	struct exc secure = run_at(EL1, read_pmcr);

	EXPECT_EQ(PMCR_N(e1.x[0]), 2);
	EXPECT_EQ(PMCR_N(e2.x[0]), counters());
	EXPECT_EQ(PMCR_N(secure.x[0]), counters()); // EL2 is not enabled there
}

TEST(hpmn_hides_counters_from_el1)
{
	QEMU_DIFFERS("does not hide them");
	write_sysreg(mdcr_el2, 2);
	write_sysreg(pmcntenset_el0, 0xf | PMU_C);
	write_sysreg(pmovsset_el0, 0xf | PMU_C);
	write_sysreg(pmintenset_el1, 0xf | PMU_C);
	struct exc e1 = run_at(EL1, read_masks);
	struct exc e2 = run_at(EL2, read_masks);

	for (unsigned i = 0; i < 6; i++) {
		EXPECT_EQ(e1.x[i], 3 | PMU_C);
		EXPECT_EQ(e2.x[i], 0xf | PMU_C);
	}
	run_at(EL1, clear_all);
	EXPECT_EQ(read_sysreg(pmcntenset_el0), 0xc);
	EXPECT_EQ(read_sysreg(pmovsset_el0), 0xc);
	EXPECT_EQ(read_sysreg(pmintenset_el1), 0xc);
	struct exc w = run_at(EL1, write_and_read_cntenset, 0xff);

	EXPECT_EQ(w.x[1], 3);
	EXPECT_EQ(read_sysreg(pmcntenset_el0), 0xf);
}

TEST(masks_hold_only_the_counters_that_are_there)
{
	write_sysreg(pmcntenset_el0, 0xffffffff);
	EXPECT_EQ(read_sysreg(pmcntenset_el0), PMU_C | ((1ul << counters()) - 1));
	write_sysreg(pmcntenclr_el0, 0xffffffff);
	EXPECT_EQ(read_sysreg(pmcntenset_el0), 0);
}

TEST(pmcr_p_at_el1_spares_the_counters_of_el2)
{
	QEMU_DIFFERS("clears them all");
	write_sysreg(mdcr_el2, 1);
	write_sysreg(pmevcntr0_el0, 10);
	write_sysreg(pmevcntr1_el0, 11);
	run_at(EL1, write_pmcr, PMCR_LC | PMCR_P);
	EXPECT_EQ(read_sysreg(pmevcntr0_el0), 0);
	EXPECT_EQ(read_sysreg(pmevcntr1_el0), 11);
	run_at(EL2, write_pmcr, PMCR_LC | PMCR_P);
	EXPECT_EQ(read_sysreg(pmevcntr1_el0), 0);
}

TEST(hpme_enables_the_counters_of_el2_and_pmcr_e_the_others)
{
	QEMU_DIFFERS("swaps nothing of software increments of EL2");
	write_sysreg(mdcr_el2, 1);
	write_sysreg(pmevtyper0_el0, EVENT_SW_INCR | FILTER_NSH);
	write_sysreg(pmevtyper1_el0, EVENT_SW_INCR | FILTER_NSH);
	write_sysreg(pmevcntr0_el0, 0);
	write_sysreg(pmevcntr1_el0, 0);
	write_sysreg(pmcntenset_el0, 3);
	write_sysreg(pmcr_el0, PMCR_LC | PMCR_E);
	run_at(EL2, swinc_x0, 3);
	EXPECT_EQ(read_sysreg(pmevcntr0_el0), 1);
	EXPECT_EQ(read_sysreg(pmevcntr1_el0), 0);
	write_sysreg(pmcr_el0, PMCR_LC);
	write_sysreg(mdcr_el2, 1 | MDCR_EL2_HPME);
	run_at(EL2, swinc_x0, 3);
	EXPECT_EQ(read_sysreg(pmevcntr0_el0), 1);
	EXPECT_EQ(read_sysreg(pmevcntr1_el0), 1);
	// EL1 has no hold on counter 1.
	write_sysreg(pmcr_el0, PMCR_LC | PMCR_E);
	run_at(EL1, swinc_x0, 3);
	EXPECT_EQ(read_sysreg(pmevcntr0_el0), 2);
	EXPECT_EQ(read_sysreg(pmevcntr1_el0), 1);
}

// ---- The select register ------------------------------------------------------------------------

TEST(pmselr_selects_type_and_value)
{
	for (unsigned i = 0; i < 4; i++) {
		write_sysreg(pmselr_el0, i);
		write_sysreg(pmxevtyper_el0, EVENT_SW_INCR | FILTER_U);
		write_sysreg(pmxevcntr_el0, 100 + i);
	}
	EXPECT_EQ(read_sysreg(pmevcntr0_el0), 100);
	EXPECT_EQ(read_sysreg(pmevcntr3_el0), 103);
	EXPECT_EQ(read_sysreg(pmevtyper2_el0), FILTER_U);
	write_sysreg(pmselr_el0, 1);
	EXPECT_EQ(read_sysreg(pmxevcntr_el0), 101);
	EXPECT_EQ(read_sysreg(pmxevtyper_el0), FILTER_U);
}

TEST(pmselr_31_selects_the_cycle_filter)
{
	write_sysreg(pmselr_el0, 31);
	write_sysreg(pmxevtyper_el0, FILTER_P);
	EXPECT_EQ(read_sysreg(pmccfiltr_el0), FILTER_P);
	write_sysreg(pmccfiltr_el0, FILTER_U);
	EXPECT_EQ(read_sysreg(pmxevtyper_el0), FILTER_U);
}

SNIPPET(select_3_and_write,
	"mov x1, #3\n\tmsr pmselr_el0, x1\n\tmsr pmxevcntr_el0, x0\n\tmrs x2, pmxevcntr_el0");

TEST(selecting_a_counter_of_el2_reaches_nothing)
{
	QEMU_DIFFERS("reaches it");
	write_sysreg(pmevcntr3_el0, 5);
	write_sysreg(mdcr_el2, 2);
	run_at(EL1, select_3_and_write, 99);
	EXPECT_EQ(read_sysreg(pmevcntr3_el0), 5);
}

// ---- PMUSERENR_EL0 ------------------------------------------------------------------------------

SNIPPET(read_pmccntr, "mrs x0, pmccntr_el0");
SNIPPET(write_pmccntr, "msr pmccntr_el0, x0");
SNIPPET(read_evcntr0, "mrs x0, pmevcntr0_el0");
SNIPPET(write_evcntr0, "msr pmevcntr0_el0, x0");
SNIPPET(read_userenr, "mrs x0, pmuserenr_el0");
SNIPPET(write_userenr, "msr pmuserenr_el0, x0");
SNIPPET(read_intenset, "mrs x0, pmintenset_el1");

#define PMUSERENR_EN 1
#define PMUSERENR_SW 2
#define PMUSERENR_CR 4
#define PMUSERENR_ER 8

TEST(el0_is_trapped_unless_pmuserenr_allows)
{
	struct exc cycle = run_at(EL0, read_pmccntr);
	struct exc swinc = run_at(EL0, swinc_x0);
	struct exc event = run_at(EL0, read_evcntr0);

	EXPECT_EXC(cycle, EL1, EC_SYSREG, ISS_SYSREG_READ(3, 3, 9, 13, 0, 0));
	EXPECT_EXC(swinc, EL1, EC_SYSREG, ISS_SYSREG_WRITE(3, 3, 9, 12, 4, 0));
	EXPECT_EXC(event, EL1, EC_SYSREG, ISS_SYSREG_READ(3, 3, 14, 8, 0, 0));
	write_sysreg(pmuserenr_el0, PMUSERENR_EN);
	cycle = run_at(EL0, write_pmccntr);
	swinc = run_at(EL0, swinc_x0);
	event = run_at(EL0, write_evcntr0);
	EXPECT_NO_EXC(cycle);
	EXPECT_NO_EXC(swinc);
	EXPECT_NO_EXC(event);
}

TEST(pmuserenr_cr_allows_reading_the_cycle_counter)
{
	write_sysreg(pmuserenr_el0, PMUSERENR_CR);
	struct exc r = run_at(EL0, read_pmccntr);
	struct exc w = run_at(EL0, write_pmccntr);
	struct exc other = run_at(EL0, read_evcntr0);

	EXPECT_NO_EXC(r);
	EXPECT_EXC(w, EL1, EC_SYSREG, ISS_SYSREG_WRITE(3, 3, 9, 13, 0, 0));
	EXPECT_EXC(other, EL1, EC_SYSREG, ISS_SYSREG_READ(3, 3, 14, 8, 0, 0));
}

TEST(pmuserenr_sw_and_er)
{
	write_sysreg(pmuserenr_el0, PMUSERENR_SW);
	struct exc sw = run_at(EL0, swinc_x0, 0);
	struct exc sw_event = run_at(EL0, read_evcntr0);
	write_sysreg(pmuserenr_el0, PMUSERENR_ER);
	struct exc er = run_at(EL0, read_evcntr0);
	struct exc er_write = run_at(EL0, write_evcntr0);

	EXPECT_NO_EXC(sw);
	EXPECT_EXC(sw_event, EL1, EC_SYSREG, ISS_SYSREG_READ(3, 3, 14, 8, 0, 0));
	EXPECT_NO_EXC(er);
	EXPECT_EXC(er_write, EL1, EC_SYSREG, ISS_SYSREG_WRITE(3, 3, 14, 8, 0, 0));
}

TEST(el0_reads_but_never_writes_pmuserenr)
{
	write_sysreg(pmuserenr_el0, PMUSERENR_EN | PMUSERENR_CR);
	struct exc r = run_at(EL0, read_userenr);
	struct exc w = run_at(EL0, write_userenr);
	struct exc el1_only = run_at(EL0, read_intenset);

	EXPECT_NO_EXC(r);
	EXPECT_REG(r, 0, PMUSERENR_EN | PMUSERENR_CR);
	EXPECT_EXC(w, EL1, EC_UNKNOWN, 0);
	EXPECT_EXC(el1_only, EL1, EC_UNKNOWN, 0);
}

// ---- Traps to EL2 and EL3 -----------------------------------------------------------------------

TEST(mdcr_el2_tpm_traps_el1_and_el0)
{
	write_sysreg(pmuserenr_el0, PMUSERENR_EN);
	write_sysreg(mdcr_el2, read_sysreg(mdcr_el2) | MDCR_EL2_TPM);
	struct exc e0 = run_at(EL0, read_pmccntr);
	struct exc e1 = run_at(EL1, write_pmcr);
	struct exc e2 = run_at(EL2, read_pmcr);

	EXPECT_EXC(e0, EL2, EC_SYSREG, ISS_SYSREG_READ(3, 3, 9, 13, 0, 0));
	EXPECT_EXC(e1, EL2, EC_SYSREG, ISS_SYSREG_WRITE(3, 3, 9, 12, 0, 0));
	EXPECT_NO_EXC(e2);
}

TEST(mdcr_el2_tpmcr_traps_pmcr_only)
{
	QEMU_7_DIFFERS("does not implement it");
	write_sysreg(mdcr_el2, read_sysreg(mdcr_el2) | MDCR_EL2_TPMCR);
	struct exc pmcr = run_at(EL1, read_pmcr);
	struct exc other = run_at(EL1, read_pmccntr);

	EXPECT_EXC(pmcr, EL2, EC_SYSREG, ISS_SYSREG_READ(3, 3, 9, 12, 0, 0));
	EXPECT_NO_EXC(other);
}

TEST(mdcr_el3_tpm_traps_to_el3)
{
	write_sysreg(mdcr_el3, MDCR_EL3_TPM);
	struct exc e1 = run_at(EL1, read_pmcr);
	struct exc e2 = run_at(EL2, read_pmccntr);

	EXPECT_EXC(e1, EL3, EC_SYSREG, ISS_SYSREG_READ(3, 3, 9, 12, 0, 0));
	EXPECT_EXC(e2, EL3, EC_SYSREG, ISS_SYSREG_READ(3, 3, 9, 13, 0, 0));
}
