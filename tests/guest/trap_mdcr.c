// SPDX-License-Identifier: Apache-2.0
//
// trap_mdcr.c - MDCR_EL2.{TPM, TPMCR, TDA, TDOSA, TDRA, TDE} and MDCR_EL3.{TPM, TDA, TDOSA}: the
// PMU and debug registers that a hypervisor and a monitor keep for themselves, and in which order.

#include "emit.h"

static const struct sysreg pmu_regs[] = {
	// those that EL0 may use too
	SYSREG(pmcr_el0, 3, 3, 9, 12, 0),       SYSREG(pmcntenset_el0, 3, 3, 9, 12, 1),
	SYSREG(pmcntenclr_el0, 3, 3, 9, 12, 2), SYSREG(pmovsclr_el0, 3, 3, 9, 12, 3),
	SYSREG(pmselr_el0, 3, 3, 9, 12, 5),     SYSREG(pmceid0_el0, 3, 3, 9, 12, 6),
	SYSREG(pmceid1_el0, 3, 3, 9, 12, 7),    SYSREG(pmccntr_el0, 3, 3, 9, 13, 0),
	SYSREG(pmxevtyper_el0, 3, 3, 9, 13, 1), SYSREG(pmxevcntr_el0, 3, 3, 9, 13, 2),
	SYSREG(pmovsset_el0, 3, 3, 9, 14, 3),   SYSREG(pmccfiltr_el0, 3, 3, 14, 15, 7),
	SYSREG(pmevcntr0_el0, 3, 3, 14, 8, 0),  SYSREG(pmevtyper0_el0, 3, 3, 14, 12, 0),
};
static const struct sysreg pmu_el1_regs[] = {
	SYSREG(pmintenset_el1, 3, 0, 9, 14, 1),
	SYSREG(pmintenclr_el1, 3, 0, 9, 14, 2),
};
static const struct sysreg pmcr = SYSREG(pmcr_el0, 3, 3, 9, 12, 0);
static const struct sysreg pmccntr = SYSREG(pmccntr_el0, 3, 3, 9, 13, 0);
static const struct sysreg pmuserenr = SYSREG(pmuserenr_el0, 3, 3, 9, 14, 0);

static const struct sysreg debug_regs[] = {
	SYSREG(mdscr_el1, 2, 0, 0, 2, 2),   SYSREG(mdccint_el1, 2, 0, 0, 2, 0),
	SYSREG(dbgbvr0_el1, 2, 0, 0, 0, 4), SYSREG(dbgbcr0_el1, 2, 0, 0, 0, 5),
	SYSREG(dbgwvr0_el1, 2, 0, 0, 0, 6), SYSREG(dbgwcr0_el1, 2, 0, 0, 0, 7),
};
static const struct sysreg more_debug_regs[] = {
	SYSREG(oseccr_el1, 2, 0, 0, 6, 2),
	SYSREG(dbgclaimset_el1, 2, 0, 7, 8, 6),
	SYSREG(dbgclaimclr_el1, 2, 0, 7, 9, 6),
	SYSREG(dbgauthstatus_el1, 2, 0, 7, 14, 6),
};
static const struct sysreg os_lock_regs[] = {
	SYSREG(oslsr_el1, 2, 0, 1, 1, 4),
	SYSREG(osdlr_el1, 2, 0, 1, 3, 4),
};
static const struct sysreg dbgprcr = SYSREG(dbgprcr_el1, 2, 0, 1, 4, 4);
static const struct sysreg oslar = SYSREG(oslar_el1, 2, 0, 1, 0, 4);
static const struct sysreg mdrar = SYSREG(mdrar_el1, 2, 0, 1, 0, 0);
static const struct sysreg mdccsr = SYSREG(mdccsr_el0, 2, 3, 0, 1, 0);
static const struct sysreg mdcr2 = SYSREG(mdcr_el2, 3, 4, 1, 1, 1);

static void mdcr_el2(uint64_t bits)
{
	write_sysreg(mdcr_el2, (read_sysreg(mdcr_el2) & 0x1f) | bits);
}

// ---- MDCR_EL2.TPM, TPMCR ------------------------------------------------------------------------

TEST(mdcr_el2_tpm_traps_every_pmu_register)
{
	write_sysreg(pmuserenr_el0, 1);
	mdcr_el2(MDCR_EL2_TPM);
	FOR_EACH_REG(r, pmu_regs)
	{
		EXPECT_TRAP(EL1, READ, *r, EL2);
		EXPECT_TRAP(EL0, READ, *r, EL2);
		EXPECT_ACCESS(EL2, READ, *r);
	}
	FOR_EACH_REG(r, pmu_el1_regs)
	{
		EXPECT_TRAP(EL1, READ, *r, EL2);
		EXPECT_TRAP(EL1, WRITE, *r, EL2);
	}
}

TEST(mdcr_el2_tpm_traps_pmuserenr_at_el1_and_el0)
{
	QEMU_7_DIFFERS("does not trap PMUSERENR_EL0 from EL0");
	mdcr_el2(MDCR_EL2_TPM);
	EXPECT_TRAP(EL1, READ, pmuserenr, EL2);
	EXPECT_TRAP(EL1, WRITE, pmuserenr, EL2);
	EXPECT_TRAP(EL0, READ, pmuserenr, EL2);
}

TEST(mdcr_el2_tpm_is_not_asked_without_pmuserenr_permission)
{
	mdcr_el2(MDCR_EL2_TPM);
	EXPECT_TRAP(EL0, READ, pmccntr, EL1);
}

TEST(mdcr_el2_tpmcr_traps_pmcr_alone)
{
	QEMU_7_DIFFERS("ignores MDCR_EL2.TPMCR");
	write_sysreg(pmuserenr_el0, 1);
	mdcr_el2(MDCR_EL2_TPMCR);
	EXPECT_TRAP(EL1, READ, pmcr, EL2);
	EXPECT_TRAP(EL1, WRITE, pmcr, EL2);
	EXPECT_TRAP(EL0, READ, pmcr, EL2);
	EXPECT_ACCESS(EL1, READ, pmccntr);
	EXPECT_ACCESS(EL0, READ, pmccntr);
	EXPECT_ACCESS(EL2, READ, pmcr);
}

TEST(mdcr_el2_says_nothing_in_secure_state_without_secure_el2)
{
	write_sysreg(scr_el3, SCR_BASE & ~SCR_NS);
	mdcr_el2(MDCR_EL2_TPM | MDCR_EL2_TPMCR | MDCR_EL2_TDA);
	EXPECT_ACCESS(EL1, READ, pmcr);
	EXPECT_ACCESS(EL1, READ, debug_regs[0]);
}

TEST(mdcr_el2_hpmn_limits_pmcr_n_below_el2)
{
	uint64_t n = read_sysreg(pmcr_el0) >> 11 & 0x1f;

	SKIP_UNLESS(n >= 2, "fewer than two event counters");
	write_sysreg(mdcr_el2, n - 1);
	struct exc e1 = run_at(EL1, emit(sysreg_insn(READ, pmcr)));
	struct exc e2 = run_at(EL2, emit(sysreg_insn(READ, pmcr)));

	EXPECT_EQ(e1.x[EMIT_RT] >> 11 & 0x1f, n - 1);
	EXPECT_EQ(e2.x[EMIT_RT] >> 11 & 0x1f, n);
}

// ---- MDCR_EL2.TDA, TDOSA, TDRA, TDE -------------------------------------------------------------

TEST(mdcr_el2_tda_traps_debug_registers)
{
	FOR_EACH_REG(r, debug_regs)
	{
		EXPECT_ACCESS(EL1, READ, *r);
	}
	mdcr_el2(MDCR_EL2_TDA);
	FOR_EACH_REG(r, debug_regs)
	{
		EXPECT_TRAP(EL1, READ, *r, EL2);
		EXPECT_ACCESS(EL2, READ, *r);
	}
	EXPECT_TRAP(EL1, WRITE, debug_regs[0], EL2);
	EXPECT_TRAP(EL0, READ, mdccsr, EL2);
}

TEST(mdcr_el2_tda_traps_claim_tags_oseccr_and_dbgauthstatus)
{
	QEMU_DIFFERS("lacks these registers");
	FOR_EACH_REG(r, more_debug_regs)
	{
		EXPECT_ACCESS(EL1, READ, *r);
	}
	mdcr_el2(MDCR_EL2_TDA);
	FOR_EACH_REG(r, more_debug_regs)
	{
		EXPECT_TRAP(EL1, READ, *r, EL2);
		EXPECT_ACCESS(EL2, READ, *r);
	}
}

TEST(mdcr_tdosa_traps_dbgprcr)
{
	QEMU_DIFFERS("lacks DBGPRCR_EL1");
	EXPECT_ACCESS(EL1, READ, dbgprcr);
	mdcr_el2(MDCR_EL2_TDOSA);
	EXPECT_TRAP(EL1, READ, dbgprcr, EL2);
	write_sysreg(mdcr_el3, MDCR_EL3_TDOSA);
	EXPECT_TRAP(EL1, READ, dbgprcr, EL2);
	EXPECT_TRAP(EL2, READ, dbgprcr, EL3);
}

TEST(mdcr_el2_tda_does_not_trap_os_lock_and_debug_rom)
{
	mdcr_el2(MDCR_EL2_TDA);
	FOR_EACH_REG(r, os_lock_regs)
	{
		EXPECT_ACCESS(EL1, READ, *r);
	}
	EXPECT_ACCESS(EL1, READ, mdrar);
}

TEST(mdcr_el2_tdosa_traps_os_lock_registers)
{
	FOR_EACH_REG(r, os_lock_regs)
	{
		EXPECT_ACCESS(EL1, READ, *r);
	}
	mdcr_el2(MDCR_EL2_TDOSA);
	FOR_EACH_REG(r, os_lock_regs)
	{
		EXPECT_TRAP(EL1, READ, *r, EL2);
		EXPECT_ACCESS(EL2, READ, *r);
	}
	EXPECT_TRAP(EL1, WRITE, oslar, EL2);
	EXPECT_ACCESS(EL1, READ, debug_regs[0]);
}

TEST(mdcr_el2_tdra_traps_debug_rom)
{
	mdcr_el2(MDCR_EL2_TDRA);
	EXPECT_TRAP(EL1, READ, mdrar, EL2);
	EXPECT_ACCESS(EL2, READ, mdrar);
	EXPECT_ACCESS(EL1, READ, debug_regs[0]);
	EXPECT_ACCESS(EL1, READ, os_lock_regs[0]);
}

TEST(mdcr_el2_tde_acts_as_tda_tdosa_tdra)
{
	mdcr_el2(MDCR_EL2_TDE);
	EXPECT_TRAP(EL1, READ, debug_regs[0], EL2);
	EXPECT_TRAP(EL1, READ, os_lock_regs[0], EL2);
	EXPECT_TRAP(EL1, READ, mdrar, EL2);
	EXPECT_ACCESS(EL1, READ, pmcr);
}

TEST(hcr_tge_routes_debug_exceptions_but_not_el1_registers)
{
	write_sysreg(hcr_el2, HCR_BASE | HCR_TGE);
	EXPECT_TRAP(EL0, READ, mdccsr, EL2);
}

// ---- MDCR_EL3 -----------------------------------------------------------------------------------

TEST(mdcr_el3_tpm_traps_every_pmu_register_below_el3)
{
	write_sysreg(pmuserenr_el0, 1);
	write_sysreg(mdcr_el3, MDCR_EL3_TPM);
	FOR_EACH_REG(r, pmu_regs)
	{
		EXPECT_TRAP(EL0, READ, *r, EL3);
		EXPECT_TRAP(EL1, READ, *r, EL3);
		EXPECT_TRAP(EL2, READ, *r, EL3);
		EXPECT_ACCESS(EL3, READ, *r);
	}
}

TEST(mdcr_el2_tpm_comes_before_mdcr_el3_tpm)
{
	mdcr_el2(MDCR_EL2_TPM);
	write_sysreg(mdcr_el3, MDCR_EL3_TPM);
	EXPECT_TRAP(EL1, READ, pmcr, EL2);
	EXPECT_TRAP(EL2, READ, pmcr, EL3);
}

TEST(mdcr_el3_tda_traps_mdcr_el2)
{
	QEMU_DIFFERS("does not trap it");
	write_sysreg(mdcr_el3, MDCR_EL3_TDA);
	EXPECT_TRAP(EL2, READ, mdcr2, EL3);
	EXPECT_TRAP(EL2, WRITE, mdcr2, EL3);
}

TEST(mdcr_el3_tda_traps_debug_registers)
{
	write_sysreg(mdcr_el3, MDCR_EL3_TDA);
	EXPECT_TRAP(EL1, READ, debug_regs[0], EL3);
	EXPECT_TRAP(EL2, READ, debug_regs[0], EL3);
	EXPECT_TRAP(EL2, WRITE, debug_regs[3], EL3);
	EXPECT_TRAP(EL0, READ, mdccsr, EL3);
	EXPECT_TRAP(EL1, READ, mdrar, EL3);
	EXPECT_ACCESS(EL3, READ, mdcr2);
	EXPECT_ACCESS(EL2, READ, os_lock_regs[0]);
}

TEST(mdcr_el3_tdosa_traps_os_lock_registers)
{
	write_sysreg(mdcr_el3, MDCR_EL3_TDOSA);
	FOR_EACH_REG(r, os_lock_regs)
	{
		EXPECT_TRAP(EL1, READ, *r, EL3);
		EXPECT_TRAP(EL2, READ, *r, EL3);
		EXPECT_ACCESS(EL3, READ, *r);
	}
	EXPECT_TRAP(EL2, WRITE, oslar, EL3);
	EXPECT_ACCESS(EL1, READ, debug_regs[0]);
}

TEST(mdcr_el2_tda_comes_before_mdcr_el3_tda)
{
	mdcr_el2(MDCR_EL2_TDA);
	write_sysreg(mdcr_el3, MDCR_EL3_TDA);
	EXPECT_TRAP(EL1, READ, debug_regs[0], EL2);
}

// ---- OS lock ------------------------------------------------------------------------------------

TEST(oslar_sets_and_clears_oslsr_oslk)
{
	write_sysreg(oslar_el1, 1);
	struct exc locked = access_at(EL1, READ, os_lock_regs[0], 0);
	write_sysreg(oslar_el1, 0);
	struct exc unlocked = access_at(EL1, READ, os_lock_regs[0], 0);

	EXPECT_MASKED(locked.x[EMIT_RT], BIT(1), BIT(1));
	EXPECT_MASKED(unlocked.x[EMIT_RT], BIT(1), 0);
}
