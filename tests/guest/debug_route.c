// SPDX-License-Identifier: Apache-2.0
//
// debug_route.c - what of debug and trace is there, and what its controls may be: the OS double
// lock that FEAT_DoPD removes; registers of profiling, trace and branch records that are not
// implemented; the fields of MDCR_EL2 and MDCR_EL3 that are RES0 with them; MDCR_EL2.{TDE, TDA,
// TDOSA, TDRA} and MDCR_EL3.{TDA, TDOSA, SDD} where several of them, TGE or the Security state
// compete; where debug exceptions go (Arm ARM D2.4, D24.3).

#include "emit.h"

#define DFR0 read_sysreg(id_aa64dfr0_el1)
#define HAS_VHE id_field(read_sysreg(id_aa64mmfr1_el1), 8)
#define HAS_SEL2 id_field(read_sysreg(id_aa64pfr0_el1), 36)
#define DEBUG_V8P2 8
#define DEBUG_V8P4 9
#define NO_DOUBLE_LOCK 0xf

#define SECURE (SCR_BASE & ~SCR_NS)
#define MDSCR_SS BIT(0)
#define MDSCR_KDE BIT(13)
#define MDSCR_MDE BIT(15)
#define MDCR_EL3_SDD_BIT BIT(16)
#define BCR_EL1_EL0 (BIT(0) | 3 << 1 | 0xf << 5)

static const struct sysreg osdlr = SYSREG(osdlr_el1, 2, 0, 1, 3, 4);
static const struct sysreg oslsr = SYSREG(oslsr_el1, 2, 0, 1, 1, 4);
static const struct sysreg mdscr = SYSREG(mdscr_el1, 2, 0, 0, 2, 2);
static const struct sysreg mdrar = SYSREG(mdrar_el1, 2, 0, 1, 0, 0);
static const struct sysreg mdccsr = SYSREG(mdccsr_el0, 2, 3, 0, 1, 0);
static const struct sysreg mdcr2 = SYSREG(mdcr_el2, 3, 4, 1, 1, 1);

static const struct sysreg profiling[] = {
	SYSREG(pmscr_el1, 3, 0, 9, 9, 0),      SYSREG(pmsnevfr_el1, 3, 0, 9, 9, 1),
	SYSREG(pmsicr_el1, 3, 0, 9, 9, 2),     SYSREG(pmsirr_el1, 3, 0, 9, 9, 3),
	SYSREG(pmsfcr_el1, 3, 0, 9, 9, 4),     SYSREG(pmsevfr_el1, 3, 0, 9, 9, 5),
	SYSREG(pmslatfr_el1, 3, 0, 9, 9, 6),   SYSREG(pmsidr_el1, 3, 0, 9, 9, 7),
	SYSREG(pmblimitr_el1, 3, 0, 9, 10, 0), SYSREG(pmbptr_el1, 3, 0, 9, 10, 1),
	SYSREG(pmbsr_el1, 3, 0, 9, 10, 3),     SYSREG(pmbidr_el1, 3, 0, 9, 10, 7),
	SYSREG(pmscr_el2, 3, 4, 9, 9, 0),      SYSREG(pmscr_el12, 3, 5, 9, 9, 0),
};
static const struct sysreg trace[] = {
	SYSREG(trfcr_el1, 3, 0, 1, 2, 1),   SYSREG(trfcr_el2, 3, 4, 1, 2, 1),
	SYSREG(trfcr_el12, 3, 5, 1, 2, 1),  SYSREG(trblimitr_el1, 3, 0, 9, 11, 0),
	SYSREG(trbptr_el1, 3, 0, 9, 11, 1), SYSREG(trbbaser_el1, 3, 0, 9, 11, 2),
	SYSREG(trbsr_el1, 3, 0, 9, 11, 3),  SYSREG(trbidr_el1, 3, 0, 9, 11, 7),
	SYSREG(brbcr_el1, 2, 1, 9, 0, 0),   SYSREG(brbfcr_el1, 2, 1, 9, 0, 1),
	SYSREG(brbinf0_el1, 2, 1, 8, 0, 0), SYSREG(brbidr0_el1, 2, 1, 9, 2, 0),
	SYSREG(brbcr_el2, 2, 4, 9, 0, 0),   SYSREG(trcprgctlr, 2, 1, 0, 1, 0),
	SYSREG(trcidr0, 2, 1, 0, 8, 7),
};

SNIPPET(brk, "brk #9");
SNIPPET(two_nops, "nop\n\tnop");
SNIPPET(hints, "psb csync\n\ttsb csync\n\tnop");

// ---- The OS double lock -------------------------------------------------------------------------

TEST(without_double_lock_osdlr_reads_as_zero)
{
	SKIP_UNLESS(id_field(DFR0, 36) == NO_DOUBLE_LOCK, "FEAT_DoubleLock");
	for (enum el el = EL1; el <= EL3; el++) {
		EXPECT_ACCESS_VALUE(el, WRITE, osdlr, ~0ul);
		struct exc e = access_at(el, READ, osdlr, 0);

		EXPECT_NO_EXC(e);
		EXPECT_REG(e, EMIT_RT, 0);
	}
	EXPECT_UNDEFINED(EL0, READ, osdlr, EL1);
}

TEST(without_double_lock_nothing_masks_debug_exceptions)
{
	SKIP_UNLESS(id_field(DFR0, 36) == NO_DOUBLE_LOCK, "FEAT_DoubleLock");
	write_sysreg(osdlr_el1, 1);
	write_sysreg(oslar_el1, 0);
	write_sysreg(mdscr_el1, MDSCR_MDE);
	write_sysreg(dbgbvr0_el1, two_nops);
	write_sysreg(dbgbcr0_el1, BCR_EL1_EL0);
	struct exc e = run_at(EL0, two_nops);

	EXPECT_EXC(e, EL1, EC_BREAKPT_LOWER, FSC_DEBUG);
	write_sysreg(dbgbcr0_el1, 0);
}

TEST(debug_versions_agree)
{
	QEMU_11_DIFFERS("claims FEAT_Debugv8p8 and FEAT_DoubleLock");
	SKIP_UNLESS(id_field(DFR0, 0) >= DEBUG_V8P2, "before FEAT_Debugv8p2");
	// FEAT_DoPD comes with the removal of the double lock, FEAT_Debugv8p8 without it as well.
	EXPECT_TRUE(id_field(DFR0, 0) < DEBUG_V8P4 + 1 || id_field(DFR0, 36) == NO_DOUBLE_LOCK);
}

// ---- What is not implemented --------------------------------------------------------------------

TEST(profiling_registers_are_undefined)
{
	SKIP_UNLESS(id_field(DFR0, 32) == 0, "FEAT_SPE");
	QEMU_7_DIFFERS("has some of them");
	FOR_EACH_REG(r, profiling)
	{
		EXPECT_UNDEFINED(EL0, READ, *r, EL1);
		EXPECT_UNDEFINED(EL1, READ, *r, EL1);
		EXPECT_UNDEFINED(EL2, READ, *r, EL2);
		EXPECT_UNDEFINED(EL3, READ, *r, EL3);
		EXPECT_UNDEFINED(EL1, WRITE, *r, EL1);
	}
}

TEST(trace_registers_are_undefined)
{
	SKIP_UNLESS(id_field(DFR0, 40) == 0 && id_field(DFR0, 44) == 0 && id_field(DFR0, 52) == 0 &&
			    id_field(DFR0, 4) == 0,
		    "a trace extension");
	QEMU_7_DIFFERS("has some of them");
	FOR_EACH_REG(r, trace)
	{
		EXPECT_UNDEFINED(EL0, READ, *r, EL1);
		EXPECT_UNDEFINED(EL1, READ, *r, EL1);
		EXPECT_UNDEFINED(EL2, READ, *r, EL2);
		EXPECT_UNDEFINED(EL3, READ, *r, EL3);
		EXPECT_UNDEFINED(EL1, WRITE, *r, EL1);
	}
}

// Whatever a hypervisor sets: the register is not there to be trapped.
TEST(absent_registers_are_not_trapped)
{
	SKIP_UNLESS(id_field(DFR0, 32) == 0 && id_field(DFR0, 40) == 0, "they are there");
	QEMU_7_DIFFERS("has some of them");
	write_sysreg(mdcr_el2, read_sysreg(mdcr_el2) | MDCR_EL2_TDE | MDCR_EL2_TDA | MDCR_EL2_TPM |
				       BIT(14) | BIT(19));
	write_sysreg(mdcr_el3, MDCR_EL3_TDA | MDCR_EL3_TPM | BIT(19));
	EXPECT_UNDEFINED(EL1, READ, profiling[0], EL1);
	EXPECT_UNDEFINED(EL1, READ, trace[0], EL1);
	EXPECT_UNDEFINED(EL2, READ, trace[1], EL2);
	write_sysreg(mdcr_el3, 0);
}

TEST(barriers_of_absent_extensions_do_nothing)
{
	for (enum el el = EL0; el <= EL3; el++) {
		struct exc e = run_at(el, hints);

		EXPECT_NO_EXC(e);
	}
}

TEST(mdcr_fields_of_absent_extensions_are_res0)
{
	QEMU_DIFFERS("keeps some of them");
	SKIP_UNLESS(id_field(DFR0, 32) == 0 && id_field(DFR0, 40) == 0 && id_field(DFR0, 44) == 0 &&
			    id_field(DFR0, 48) != 1,
		    "they are there");
	write_sysreg(mdcr_el2, ~0ul);
	// E2PB, TPMS, TTRF, E2TB, MTPME, HPMFZO and what lies above.
	EXPECT_MASKED(read_sysreg(mdcr_el2),
		      3 << 12 | BIT(14) | BIT(19) | 3ul << 24 | BIT(28) | BIT(29) | ~0ul << 30, 0);
	write_sysreg(mdcr_el2, 0);
	write_sysreg(mdcr_el3, ~0ul);
	// NSPB, NSPBE, NSTB, NSTBE, TTRF, MTPME; SPD32 without AArch32.
	EXPECT_MASKED(read_sysreg(mdcr_el3),
		      3 << 12 | BIT(11) | BIT(19) | 7ul << 24 | BIT(28) | 3 << 14, 0);
	write_sysreg(mdcr_el3, 0);
}

// ---- Traps of registers, where several controls compete -----------------------------------------

TEST(el2s_trap_of_a_debug_register_comes_before_el3s)
{
	QEMU_DIFFERS("does not trap MDCR_EL2 by MDCR_EL3.TDA");
	write_sysreg(mdcr_el2, read_sysreg(mdcr_el2) | MDCR_EL2_TDA);
	write_sysreg(mdcr_el3, MDCR_EL3_TDA);
	EXPECT_TRAP(EL1, READ, mdscr, EL2);
	EXPECT_TRAP(EL2, READ, mdscr, EL3);
	EXPECT_TRAP(EL2, READ, mdcr2, EL3);
	EXPECT_ACCESS(EL3, READ, mdscr);
	write_sysreg(mdcr_el3, 0);
}

TEST(tde_is_as_tdosa_and_comes_before_el3s)
{
	write_sysreg(mdcr_el2, read_sysreg(mdcr_el2) | MDCR_EL2_TDE);
	write_sysreg(mdcr_el3, MDCR_EL3_TDOSA);
	EXPECT_TRAP(EL1, READ, oslsr, EL2);
	EXPECT_TRAP(EL2, READ, oslsr, EL3);
	EXPECT_TRAP(EL1, READ, mdrar, EL2);
	EXPECT_ACCESS(EL2, READ, mdrar);
	write_sysreg(mdcr_el3, 0);
}

TEST(tdcc_of_el1_comes_before_tda)
{
	QEMU_7_DIFFERS("ignores MDSCR_EL1.TDCC");
	write_sysreg(mdscr_el1, BIT(12));
	write_sysreg(mdcr_el2, read_sysreg(mdcr_el2) | MDCR_EL2_TDA);
	write_sysreg(mdcr_el3, MDCR_EL3_TDA);
	EXPECT_TRAP(EL0, READ, mdccsr, EL1);
	EXPECT_TRAP(EL1, READ, mdccsr, EL2);
	write_sysreg(mdscr_el1, 0);
	EXPECT_TRAP(EL0, READ, mdccsr, EL2);
	write_sysreg(mdcr_el2, read_sysreg(mdcr_el2) & ~MDCR_EL2_TDA);
	EXPECT_TRAP(EL0, READ, mdccsr, EL3);
	write_sysreg(mdcr_el3, 0);
	EXPECT_ACCESS(EL0, READ, mdccsr);
}

TEST(secure_el1_is_trapped_by_mdcr_el2_only_with_secure_el2)
{
	write_sysreg(mdcr_el2, read_sysreg(mdcr_el2) | MDCR_EL2_TDA | MDCR_EL2_TDOSA);
	write_sysreg(scr_el3, SECURE);
	EXPECT_ACCESS(EL1, READ, mdscr);
	EXPECT_ACCESS(EL1, READ, oslsr);
	SKIP_UNLESS(HAS_SEL2, "no FEAT_SEL2");
	write_sysreg(scr_el3, SECURE | SCR_EEL2);
	EXPECT_TRAP(EL1, READ, mdscr, EL2);
	EXPECT_TRAP(EL1, READ, oslsr, EL2);
}

TEST(secure_el1_is_trapped_by_mdcr_el3)
{
	write_sysreg(scr_el3, SECURE);
	write_sysreg(mdcr_el3, MDCR_EL3_TDA | MDCR_EL3_TDOSA);
	EXPECT_TRAP(EL1, READ, mdscr, EL3);
	EXPECT_TRAP(EL1, READ, oslsr, EL3);
	write_sysreg(mdcr_el3, 0);
}

// ---- Where debug exceptions go ------------------------------------------------------------------

static void break_at(const char *where, uint64_t control)
{
	write_sysreg(oslar_el1, 0);
	write_sysreg(mdscr_el1, MDSCR_MDE | MDSCR_KDE);
	write_sysreg(dbgbvr0_el1, where);
	write_sysreg(dbgbcr0_el1, control);
}

TEST(tde_and_tge_both_route_to_el2)
{
	break_at(two_nops, BCR_EL1_EL0);
	write_sysreg(hcr_el2, HCR_BASE | HCR_TGE);
	struct exc e = run_at(EL0, two_nops);

	EXPECT_EXC(e, EL2, EC_BREAKPT_LOWER, FSC_DEBUG);
	write_sysreg(mdcr_el2, read_sysreg(mdcr_el2) | MDCR_EL2_TDE);
	e = run_at(EL0, two_nops);
	EXPECT_EXC(e, EL2, EC_BREAKPT_LOWER, FSC_DEBUG);
	write_sysreg(hcr_el2, HCR_BASE);
	e = run_at(EL0, two_nops);
	EXPECT_EXC(e, EL2, EC_BREAKPT_LOWER, FSC_DEBUG);
	write_sysreg(dbgbcr0_el1, 0);
}

TEST(tde_routes_secure_debug_exceptions_with_secure_el2)
{
	SKIP_UNLESS(HAS_SEL2, "no FEAT_SEL2");
	break_at(two_nops, BCR_EL1_EL0);
	write_sysreg(mdcr_el2, read_sysreg(mdcr_el2) | MDCR_EL2_TDE);
	write_sysreg(scr_el3, SECURE | SCR_EEL2);
	struct exc e = run_at(EL1, two_nops);

	EXPECT_EXC(e, EL2, EC_BREAKPT_LOWER, FSC_DEBUG);
	write_sysreg(scr_el3, SECURE);
	e = run_at_spsr(guest_spsr(EL1) & ~SPSR_D, two_nops);
	EXPECT_EXC(e, EL1, EC_BREAKPT_SAME, FSC_DEBUG);
	write_sysreg(dbgbcr0_el1, 0);
}

TEST(sdd_stops_breakpoints_but_not_brk)
{
	break_at(two_nops, BCR_EL1_EL0);
	write_sysreg(mdcr_el3, MDCR_EL3_SDD_BIT);
	write_sysreg(scr_el3, SECURE);
	struct exc e = run_at(EL0, two_nops);

	EXPECT_NO_EXC(e);
	e = run_at(EL0, brk);
	EXPECT_EXC(e, EL1, EC_BRK, 9);
	// Non-secure debug is not SDD's affair.
	write_sysreg(scr_el3, SCR_BASE);
	e = run_at(EL0, two_nops);
	EXPECT_EXC(e, EL1, EC_BREAKPT_LOWER, FSC_DEBUG);
	write_sysreg(mdcr_el3, 0);
	write_sysreg(dbgbcr0_el1, 0);
}

TEST(brk_goes_to_el2_with_tde_and_stays_at_el3)
{
	write_sysreg(mdcr_el2, read_sysreg(mdcr_el2) | MDCR_EL2_TDE);
	for (enum el el = EL0; el <= EL3; el++) {
		struct exc e = run_at(el, brk);

		EXPECT_EXC(e, el < EL2 ? EL2 : el, EC_BRK, 9);
	}
	write_sysreg(scr_el3, SECURE);
	struct exc e = run_at(EL1, brk);

	EXPECT_EXC(e, EL1, EC_BRK, 9);
}

TEST(software_step_of_secure_el0_with_secure_el2_and_tde)
{
	SKIP_UNLESS(HAS_SEL2, "no FEAT_SEL2");
	write_sysreg(oslar_el1, 0);
	write_sysreg(mdscr_el1, MDSCR_SS);
	write_sysreg(mdcr_el2, read_sysreg(mdcr_el2) | MDCR_EL2_TDE);
	write_sysreg(scr_el3, SECURE | SCR_EEL2);
	struct exc e = run_at_spsr(guest_spsr(EL0) | SPSR_SS, two_nops);

	EXPECT_EQ(e.el, EL2);
	EXPECT_EQ(e.esr >> 26, EC_STEP_LOWER);
	EXPECT_EQ(e.elr, two_nops + 4);
	write_sysreg(mdcr_el3, MDCR_EL3_SDD_BIT);
	e = run_at_spsr(guest_spsr(EL0) | SPSR_SS, two_nops);
	EXPECT_NO_EXC(e);
	write_sysreg(mdcr_el3, 0);
	write_sysreg(mdscr_el1, 0);
}

// An instruction that cannot be fetched, from a device, is no instruction yet that a breakpoint
// could hit.
TEST(external_abort_of_the_fetch_comes_before_the_breakpoint)
{
	const char *uart = (const char *)0x09000000;

	QEMU_DIFFERS("executes from devices");
	break_at(uart, BCR_EL1_EL0);
	struct exc e = run_at(EL0, uart);

	EXPECT_EXC(e, EL1, EC_IABT_LOWER, FSC_EXTERNAL);
	EXPECT_EQ(e.elr, uart);
	write_sysreg(dbgbcr0_el1, 0);
}

// ---- Implementation defined instructions --------------------------------------------------------

// SYS #0, C11, C0, #0 and SYS #3, C15, C2, #0, with x3.
static const struct sysreg implementation_defined[] = {
	SYSREG(sys_c11, 1, 0, 11, 0, 0),
	SYSREG(sys_c15, 1, 3, 15, 2, 0),
};

TEST(tidcp_traps_implementation_defined_instructions)
{
	const uint64_t tidcp = BIT(63); // of SCTLR_EL1 and SCTLR_EL2

	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr1_el1), 52) >= 1, "no FEAT_TIDCP1");
	FOR_EACH_REG(r, implementation_defined)
	{
		write_sysreg(hcr_el2, HCR_BASE);
		write_sysreg(sctlr_el1, SCTLR_EL1_BASE);
		EXPECT_UNDEFINED(EL0, WRITE, *r, EL1);
		EXPECT_UNDEFINED(EL1, WRITE, *r, EL1);
		write_sysreg(sctlr_el1, SCTLR_EL1_BASE | tidcp);
		EXPECT_TRAP(EL0, WRITE, *r, EL1);
		EXPECT_TRAP(EL0, READ, *r, EL1);
		EXPECT_UNDEFINED(EL1, WRITE, *r, EL1);
		write_sysreg(hcr_el2, HCR_BASE | HCR_TIDCP);
		EXPECT_TRAP(EL1, WRITE, *r, EL2);
		EXPECT_TRAP(EL0, WRITE, *r, EL1);
	}
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H | HCR_TGE);
	write_sysreg(sctlr_el2, SCTLR_EL2_BASE | tidcp);
	FOR_EACH_REG(r, implementation_defined)
	{
		EXPECT_TRAP(EL0, WRITE, *r, EL2);
		EXPECT_TRAP(EL0, READ, *r, EL2);
	}
}
