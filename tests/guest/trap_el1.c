// SPDX-License-Identifier: Apache-2.0
//
// trap_el1.c - what EL1 keeps from EL0: SCTLR_EL1.{UCI, UCT, DZE, UMA, nTWI, nTWE, EnRCTX, TSCXT},
// PMUSERENR_EL0, MDSCR_EL1.TDCC; where TGE moves these traps to; and the same controls in SCTLR_EL2
// for the EL0 of a host.

#include "emit.h"

#define HAS_VHE id_field(read_sysreg(id_aa64mmfr1_el1), 8)

static const struct sysreg ctr = SYSREG(ctr_el0, 3, 3, 0, 0, 1);
static const struct sysreg dczid = SYSREG(dczid_el0, 3, 3, 0, 0, 7);
static const struct sysreg dc_zva = SYSREG(dc_zva, 1, 3, 7, 4, 1);
static const struct sysreg daif = SYSREG(daif, 3, 3, 4, 2, 1);
static const struct sysreg uci_ops[] = {
	SYSREG(ic_ivau, 1, 3, 7, 5, 1),   SYSREG(dc_cvac, 1, 3, 7, 10, 1),
	SYSREG(dc_cvau, 1, 3, 7, 11, 1),  SYSREG(dc_cvap, 1, 3, 7, 12, 1),
	SYSREG(dc_cvadp, 1, 3, 7, 13, 1), SYSREG(dc_civac, 1, 3, 7, 14, 1),
};

static void sctlr_el1(uint64_t clear, uint64_t set)
{
	write_sysreg(sctlr_el1, (SCTLR_EL1_BASE & ~clear) | set);
}

static void host(uint64_t sctlr_set)
{
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H | HCR_TGE);
	write_sysreg(sctlr_el2, SCTLR_EL2_BASE | sctlr_set);
}

// ---- UCI, UCT, DZE ------------------------------------------------------------------------------

TEST(sctlr_uci_clear_traps_cache_maintenance_at_el0_to_el1)
{
	sctlr_el1(SCTLR_UCI, 0);
	FOR_EACH_REG(r, uci_ops)
	{
		EXPECT_TRAP(EL0, WRITE, *r, EL1);
		EXPECT_ACCESS_VALUE(EL1, WRITE, *r, scratch[0]);
	}
}

TEST(sctlr_uci_set_allows_cache_maintenance_at_el0)
{
	FOR_EACH_REG(r, uci_ops)
	{
		EXPECT_ACCESS_VALUE(EL0, WRITE, *r, scratch[0]);
	}
}

TEST(sctlr_uct_clear_traps_ctr_at_el0_to_el1)
{
	EXPECT_ACCESS(EL0, READ, ctr);
	sctlr_el1(SCTLR_UCT, 0);
	EXPECT_TRAP(EL0, READ, ctr, EL1);
	EXPECT_ACCESS(EL1, READ, ctr);
}

TEST(ctr_at_el0_goes_to_el2_with_tge)
{
	write_sysreg(hcr_el2, HCR_BASE | HCR_TGE);
	sctlr_el1(SCTLR_UCT, 0);
	EXPECT_TRAP(EL0, READ, ctr, EL2);
}

TEST(dczid_is_always_readable_at_el0)
{
	sctlr_el1(SCTLR_UCT | SCTLR_DZE | SCTLR_UCI, 0);
	EXPECT_ACCESS(EL0, READ, dczid);
}

TEST(sctlr_dze_clear_traps_dc_zva_at_el0_to_el1)
{
	sctlr_el1(SCTLR_DZE, 0);
	EXPECT_TRAP(EL0, WRITE, dc_zva, EL1);
}

TEST(sctlr_dze_clear_sets_dczid_dzp_at_el0_only)
{
	sctlr_el1(SCTLR_DZE, 0);
	struct exc e0 = access_at(EL0, READ, dczid, 0);
	struct exc e1 = access_at(EL1, READ, dczid, 0);

	EXPECT_MASKED(e0.x[EMIT_RT], BIT(4), BIT(4));
	EXPECT_MASKED(e1.x[EMIT_RT], BIT(4), 0);
}

// ---- UMA: DAIF and the MSR (immediate) forms ----------------------------------------------------

SNIPPET(daifset_15_x, "msr DAIFSet, #15");
SNIPPET(daifclr_2, "msr DAIFClr, #2\n\tmrs x0, DAIF");
SNIPPET(daifclr_2_el0, "msr DAIFClr, #2\n\tmrs x0, DAIF" ESCAPE_SVC);

TEST(sctlr_uma_clear_traps_daif_at_el0_to_el1)
{
	EXPECT_TRAP(EL0, READ, daif, EL1);
	EXPECT_TRAP(EL0, WRITE, daif, EL1);
}

// The immediate forms are reported as what they are: op0 0, op1 3, CRn 4, CRm = imm, Rt 31.
TEST(sctlr_uma_clear_traps_daifset_and_daifclr_at_el0)
{
	QEMU_DIFFERS("swaps op1 and op2 in this syndrome");
	struct exc set = run_at(EL0, daifset_15_x);
	struct exc clr = run_at(EL0, daifclr_2);

	EXPECT_EXC(set, EL1, EC_SYSREG, ISS_SYSREG_WRITE(0, 3, 4, 15, 6, 31));
	EXPECT_EQ(set.elr, daifset_15_x);
	EXPECT_EXC(clr, EL1, EC_SYSREG, ISS_SYSREG_WRITE(0, 3, 4, 2, 7, 31));
}

TEST(sctlr_uma_set_lets_el0_change_daif)
{
	sctlr_el1(0, SCTLR_UMA);
	struct exc e = run_at(EL0, daifclr_2_el0);

	EXPECT_NO_EXC(e);
	EXPECT_REG(e, 0, SPSR_D | SPSR_A | SPSR_F);
}

// SCTLR_EL2 has no UMA: a host's EL0 never gets at DAIF.
TEST(daif_is_always_trapped_at_el0_of_a_host)
{
	QEMU_DIFFERS("asks bit 9 of SCTLR_EL2, which is RES0");
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	sctlr_el1(0, SCTLR_UMA);
	host(SCTLR_UMA);
	struct exc clr = run_at(EL0, daifclr_2);

	EXPECT_TRAP(EL0, READ, daif, EL2);
	EXPECT_TRAP(EL0, WRITE, daif, EL2);
	EXPECT_EXC(clr, EL2, EC_SYSREG, ISS_SYSREG_WRITE(0, 3, 4, 2, 7, 31));
}

// ---- nTWI, nTWE ---------------------------------------------------------------------------------

SNIPPET(wfi, "wfi");
SNIPPET(wfe, "sevl\n\twfe\n\twfe");

TEST(sctlr_ntwi_clear_traps_wfi_at_el0_to_el1)
{
	sctlr_el1(SCTLR_NTWI, 0);
	struct exc e = run_at(EL0, wfi);

	EXPECT_EXC(e, EL1, EC_WFX, ISS_WFX(0));
	EXPECT_EQ(e.elr, wfi);
}

TEST(sctlr_ntwe_clear_traps_wfe_at_el0_to_el1)
{
	QEMU_7_DIFFERS("never traps WFE");
	sctlr_el1(SCTLR_NTWE, 0);
	struct exc e = run_at(EL0, wfe);

	EXPECT_EXC(e, EL1, EC_WFX, ISS_WFX(1));
	EXPECT_EQ(e.elr, wfe + 8);
}

TEST(sctlr_ntwi_clear_goes_to_el2_with_tge)
{
	write_sysreg(hcr_el2, HCR_BASE | HCR_TGE);
	sctlr_el1(SCTLR_NTWI, 0);
	struct exc e = run_at(EL0, wfi);

	EXPECT_EXC(e, EL2, EC_WFX, ISS_WFX(0));
}

// ---- EnRCTX, TSCXT ------------------------------------------------------------------------------

static const struct sysreg rctx_ops[] = {
	SYSREG(cfp_rctx, 1, 3, 7, 3, 4),
	SYSREG(dvp_rctx, 1, 3, 7, 3, 5),
	SYSREG(cpp_rctx, 1, 3, 7, 3, 7),
};

TEST(sctlr_enrctx_clear_traps_prediction_restriction_at_el0)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64isar1_el1), 40), "no FEAT_SPECRES");
	FOR_EACH_REG(r, rctx_ops)
	{
		EXPECT_TRAP(EL0, WRITE, *r, EL1);
		EXPECT_ACCESS(EL1, WRITE, *r);
	}
	sctlr_el1(0, SCTLR_ENRCTX);
	FOR_EACH_REG(r, rctx_ops)
	{
		EXPECT_ACCESS(EL0, WRITE, *r);
	}
}

TEST(sctlr_tscxt_traps_scxtnum_el0_at_el0)
{
	const struct sysreg scxtnum0 = SYSREG(scxtnum_el0, 3, 3, 13, 0, 7);
	const uint64_t scr_enscxt = BIT(25), hcr_enscxt = BIT(53);

	SKIP_UNLESS(id_field(read_sysreg(id_aa64pfr0_el1), 56) >= 2, "no FEAT_CSV2_2");
	write_sysreg(scr_el3, SCR_BASE | scr_enscxt);
	write_sysreg(hcr_el2, HCR_BASE | hcr_enscxt);
	EXPECT_TRAP(EL0, READ, scxtnum0, EL1);
	EXPECT_TRAP(EL0, WRITE, scxtnum0, EL1);
	sctlr_el1(SCTLR_TSCXT, 0);
	EXPECT_ACCESS(EL0, READ, scxtnum0);
}

// ---- SCTLR_EL2 in a host ------------------------------------------------------------------------

TEST(sctlr_el2_uci_uct_dze_decide_for_el0_of_a_host)
{
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	sctlr_el1(SCTLR_UCI | SCTLR_UCT | SCTLR_DZE, 0);
	host(SCTLR_UCI | SCTLR_UCT | SCTLR_DZE);
	EXPECT_ACCESS(EL0, READ, ctr);
	EXPECT_ACCESS_VALUE(EL0, WRITE, uci_ops[0], scratch[0]);
	EXPECT_ACCESS_VALUE(EL0, WRITE, uci_ops[5], scratch[0]);
	write_sysreg(sctlr_el1, SCTLR_EL1_BASE);
	host(0);
	EXPECT_TRAP(EL0, READ, ctr, EL2);
	FOR_EACH_REG(r, uci_ops)
	{
		EXPECT_TRAP(EL0, WRITE, *r, EL2);
	}
	EXPECT_TRAP(EL0, WRITE, dc_zva, EL2);
}

// ---- PMUSERENR_EL0 ------------------------------------------------------------------------------

#define PMUSERENR_EN BIT(0)
#define PMUSERENR_SW BIT(1)
#define PMUSERENR_CR BIT(2)
#define PMUSERENR_ER BIT(3)

static const struct sysreg pmu_regs[] = {
	SYSREG(pmcr_el0, 3, 3, 9, 12, 0),       SYSREG(pmcntenset_el0, 3, 3, 9, 12, 1),
	SYSREG(pmcntenclr_el0, 3, 3, 9, 12, 2), SYSREG(pmovsclr_el0, 3, 3, 9, 12, 3),
	SYSREG(pmselr_el0, 3, 3, 9, 12, 5),     SYSREG(pmceid0_el0, 3, 3, 9, 12, 6),
	SYSREG(pmceid1_el0, 3, 3, 9, 12, 7),    SYSREG(pmccntr_el0, 3, 3, 9, 13, 0),
	SYSREG(pmxevtyper_el0, 3, 3, 9, 13, 1), SYSREG(pmxevcntr_el0, 3, 3, 9, 13, 2),
	SYSREG(pmovsset_el0, 3, 3, 9, 14, 3),   SYSREG(pmccfiltr_el0, 3, 3, 14, 15, 7),
};
static const struct sysreg pmccntr = SYSREG(pmccntr_el0, 3, 3, 9, 13, 0);
static const struct sysreg pmswinc = SYSREG(pmswinc_el0, 3, 3, 9, 12, 4);
static const struct sysreg pmselr = SYSREG(pmselr_el0, 3, 3, 9, 12, 5);
static const struct sysreg pmcr = SYSREG(pmcr_el0, 3, 3, 9, 12, 0);
static const struct sysreg pmevcntr0 = SYSREG(pmevcntr0_el0, 3, 3, 14, 8, 0);
static const struct sysreg pmevtyper0 = SYSREG(pmevtyper0_el0, 3, 3, 14, 12, 0);
static const struct sysreg pmuserenr = SYSREG(pmuserenr_el0, 3, 3, 9, 14, 0);

TEST(pmuserenr_clear_traps_every_pmu_register_at_el0)
{
	FOR_EACH_REG(r, pmu_regs)
	{
		EXPECT_TRAP(EL0, READ, *r, EL1);
		EXPECT_ACCESS(EL1, READ, *r);
	}
	EXPECT_TRAP(EL0, WRITE, pmswinc, EL1);
	EXPECT_TRAP(EL0, READ, pmevcntr0, EL1);
	EXPECT_TRAP(EL0, WRITE, pmevtyper0, EL1);
}

TEST(pmuserenr_en_allows_the_pmu_registers_at_el0)
{
	write_sysreg(pmuserenr_el0, PMUSERENR_EN);
	FOR_EACH_REG(r, pmu_regs)
	{
		EXPECT_ACCESS(EL0, READ, *r);
	}
	EXPECT_ACCESS(EL0, WRITE, pmswinc);
}

TEST(pmuserenr_cr_allows_reads_of_the_cycle_counter_alone)
{
	write_sysreg(pmuserenr_el0, PMUSERENR_CR);
	EXPECT_ACCESS(EL0, READ, pmccntr);
	EXPECT_TRAP(EL0, WRITE, pmccntr, EL1);
	EXPECT_TRAP(EL0, READ, pmcr, EL1);
	EXPECT_TRAP(EL0, READ, pmevcntr0, EL1);
}

TEST(pmuserenr_sw_allows_pmswinc_alone)
{
	write_sysreg(pmuserenr_el0, PMUSERENR_SW);
	EXPECT_ACCESS(EL0, WRITE, pmswinc);
	EXPECT_TRAP(EL0, READ, pmccntr, EL1);
	EXPECT_TRAP(EL0, WRITE, pmselr, EL1);
}

TEST(pmuserenr_er_allows_reads_of_event_counters_and_pmselr)
{
	write_sysreg(pmuserenr_el0, PMUSERENR_ER);
	EXPECT_ACCESS(EL0, READ, pmevcntr0);
	EXPECT_ACCESS(EL0, READ, pmselr);
	EXPECT_ACCESS(EL0, WRITE, pmselr);
	EXPECT_TRAP(EL0, WRITE, pmevcntr0, EL1);
	EXPECT_TRAP(EL0, READ, pmevtyper0, EL1);
}

TEST(pmuserenr_itself_is_readable_and_not_writable_at_el0)
{
	write_sysreg(pmuserenr_el0, PMUSERENR_CR);
	struct exc e = access_at(EL0, READ, pmuserenr, 0);

	EXPECT_NO_EXC(e);
	EXPECT_REG(e, EMIT_RT, PMUSERENR_CR);
	EXPECT_UNDEFINED(EL0, WRITE, pmuserenr, EL1);
}

TEST(pmu_trap_of_el0_goes_to_el2_with_tge)
{
	write_sysreg(hcr_el2, HCR_BASE | HCR_TGE);
	EXPECT_TRAP(EL0, READ, pmccntr, EL2);
}

// ---- MDSCR_EL1.TDCC -----------------------------------------------------------------------------

TEST(mdscr_tdcc_traps_the_debug_channel_at_el0)
{
	const struct sysreg mdccsr = SYSREG(mdccsr_el0, 2, 3, 0, 1, 0);
	const struct sysreg dbgdtr = SYSREG(dbgdtr_el0, 2, 3, 0, 4, 0);
	const struct sysreg dbgdtrrx = SYSREG(dbgdtrrx_el0, 2, 3, 0, 5, 0);

	QEMU_7_DIFFERS("ignores MDSCR_EL1.TDCC and has no DBGDTR_EL0");
	EXPECT_ACCESS(EL0, READ, mdccsr);
	write_sysreg(mdscr_el1, MDSCR_TDCC);
	EXPECT_TRAP(EL0, READ, mdccsr, EL1);
	EXPECT_TRAP(EL0, READ, dbgdtr, EL1);
	EXPECT_TRAP(EL0, READ, dbgdtrrx, EL1);
	EXPECT_TRAP(EL0, WRITE, dbgdtr, EL1);
}

// ---- Registers of higher levels are UNDEFINED ---------------------------------------------------

TEST(el1_registers_are_undefined_at_el0)
{
	static const struct sysreg regs[] = {
		SYSREG(sctlr_el1, 3, 0, 1, 0, 0), SYSREG(vbar_el1, 3, 0, 12, 0, 0),
		SYSREG(elr_el1, 3, 0, 4, 0, 1),   SYSREG(spsr_el1, 3, 0, 4, 0, 0),
		SYSREG(cpacr_el1, 3, 0, 1, 0, 2), SYSREG(spsel, 3, 0, 4, 2, 0),
		SYSREG(sp_el0, 3, 0, 4, 1, 0),    SYSREG(tpidr_el1, 3, 0, 13, 0, 4),
		SYSREG(par_el1, 3, 0, 7, 4, 0),   SYSREG(isr_el1, 3, 0, 12, 1, 0),
	};

	FOR_EACH_REG(r, regs)
	{
		EXPECT_UNDEFINED(EL0, READ, *r, EL1);
	}
}

TEST(el2_registers_are_undefined_at_el1_and_el0)
{
	static const struct sysreg regs[] = {
		SYSREG(hcr_el2, 3, 4, 1, 1, 0),       SYSREG(sctlr_el2, 3, 4, 1, 0, 0),
		SYSREG(vbar_el2, 3, 4, 12, 0, 0),     SYSREG(vttbr_el2, 3, 4, 2, 1, 0),
		SYSREG(esr_el2, 3, 4, 5, 2, 0),       SYSREG(elr_el2, 3, 4, 4, 0, 1),
		SYSREG(sp_el1, 3, 4, 4, 1, 0),        SYSREG(cnthctl_el2, 3, 4, 14, 1, 0),
		SYSREG(mdcr_el2, 3, 4, 1, 1, 1),      SYSREG(hpfar_el2, 3, 4, 6, 0, 4),
		SYSREG(ich_hcr_el2, 3, 4, 12, 11, 0),
	};

	FOR_EACH_REG(r, regs)
	{
		EXPECT_UNDEFINED(EL1, READ, *r, EL1);
		EXPECT_UNDEFINED(EL0, READ, *r, EL1);
		EXPECT_ACCESS(EL2, READ, *r);
		EXPECT_ACCESS(EL3, READ, *r);
	}
}

TEST(el3_registers_are_undefined_below)
{
	static const struct sysreg regs[] = {
		SYSREG(scr_el3, 3, 6, 1, 1, 0),   SYSREG(sctlr_el3, 3, 6, 1, 0, 0),
		SYSREG(vbar_el3, 3, 6, 12, 0, 0), SYSREG(esr_el3, 3, 6, 5, 2, 0),
		SYSREG(cptr_el3, 3, 6, 1, 1, 2),  SYSREG(mdcr_el3, 3, 6, 1, 3, 1),
		SYSREG(sp_el2, 3, 6, 4, 1, 0),    SYSREG(ttbr0_el3, 3, 6, 2, 0, 0),
	};

	FOR_EACH_REG(r, regs)
	{
		EXPECT_UNDEFINED(EL0, READ, *r, EL1);
		EXPECT_UNDEFINED(EL1, READ, *r, EL1);
		EXPECT_UNDEFINED(EL2, READ, *r, EL2);
		EXPECT_ACCESS(EL3, READ, *r);
	}
}

TEST(sp_of_the_own_level_has_no_system_register_name)
{
	const struct sysreg sp_el0 = SYSREG(sp_el0, 3, 0, 4, 1, 0);
	const struct sysreg sp_el1 = SYSREG(sp_el1, 3, 4, 4, 1, 0);

	EXPECT_UNDEFINED(EL1, READ, sp_el1, EL1);
	EXPECT_ACCESS(EL1, READ, sp_el0);
	EXPECT_ACCESS(EL2, READ, sp_el1);
}

// SP_EL0 is UNDEFINED where it is the stack pointer in use.
TEST(sp_el0_is_undefined_with_spsel_0)
{
	const struct sysreg sp_el0 = SYSREG(sp_el0, 3, 0, 4, 1, 0);
	struct exc e = run_at_spsr(SPSR_DAIF | SPSR_M_EL1T, emit(sysreg_insn(READ, sp_el0)));

	EXPECT_EXC(e, EL1, EC_UNKNOWN, 0);
}

TEST(undefined_sysreg_at_el0_goes_to_el2_with_tge)
{
	const struct sysreg sctlr = SYSREG(sctlr_el1, 3, 0, 1, 0, 0);

	write_sysreg(hcr_el2, HCR_BASE | HCR_TGE);
	EXPECT_UNDEFINED(EL0, READ, sctlr, EL2);
}

TEST(read_only_registers_are_undefined_to_write)
{
	static const struct sysreg regs[] = {
		SYSREG(midr_el1, 3, 0, 0, 0, 0),    SYSREG(mpidr_el1, 3, 0, 0, 0, 5),
		SYSREG(currentel, 3, 0, 4, 2, 2),   SYSREG(ctr_el0, 3, 3, 0, 0, 1),
		SYSREG(cntpct_el0, 3, 3, 14, 0, 1), SYSREG(isr_el1, 3, 0, 12, 1, 0),
		SYSREG(clidr_el1, 3, 1, 0, 0, 1),
	};

	FOR_EACH_REG(r, regs)
	{
		EXPECT_UNDEFINED(EL1, WRITE, *r, EL1);
		EXPECT_UNDEFINED(EL2, WRITE, *r, EL2);
	}
}
