// SPDX-License-Identifier: Apache-2.0
//
// debug_regs.c - the debug registers themselves: the locks, claim tags, how many breakpoints there
// are, their traps, and where BRK goes.

#include "guest.h"

// ---- OS lock ------------------------------------------------------------------------------------

TEST(os_lock_is_set_and_cleared_by_oslar)
{
	write_sysreg(oslar_el1, 1);
	EXPECT_MASKED(read_sysreg(oslsr_el1), BIT(1), BIT(1));
	write_sysreg(oslar_el1, 0);
	EXPECT_MASKED(read_sysreg(oslsr_el1), BIT(1), 0);
	// OSLM = 0b10: the lock is implemented; nTT is RAZ.
	EXPECT_MASKED(read_sysreg(oslsr_el1), BIT(3) | BIT(2) | BIT(0), BIT(3));
}

TEST(oslar_uses_bit_0_only)
{
	write_sysreg(oslar_el1, ~0ul - 1);
	EXPECT_MASKED(read_sysreg(oslsr_el1), BIT(1), 0);
	write_sysreg(oslar_el1, ~0ul);
	EXPECT_MASKED(read_sysreg(oslsr_el1), BIT(1), BIT(1));
}

TEST(mdscr_bits_of_the_external_debugger_are_written_only_under_the_os_lock)
{
	QEMU_DIFFERS("keeps whatever is written");
	write_sysreg(mdscr_el1, MDSCR_MDE | BIT(14)); // HDE
	EXPECT_EQ(read_sysreg(mdscr_el1), MDSCR_MDE);
	write_sysreg(oslar_el1, 1);
	write_sysreg(mdscr_el1, MDSCR_MDE | BIT(14));
	EXPECT_EQ(read_sysreg(mdscr_el1), MDSCR_MDE | BIT(14));
	// All of them: RXfull, TXfull, RXO, TXU, INTdis, TDA, HDE, ERR.
	write_sysreg(mdscr_el1, 0x6ce04040);
	EXPECT_EQ(read_sysreg(mdscr_el1), 0x6ce04040);
	write_sysreg(mdscr_el1, 0);
}

TEST(breakpoint_registers_hold_what_is_written)
{
	write_sysreg(dbgbvr0_el1, 0xffff800012345678);
	write_sysreg(dbgbcr0_el1, 2 << 1 | 0xf << 5);
	write_sysreg(dbgwvr0_el1, 0x0000123456789abc);
	write_sysreg(dbgwcr0_el1, 2 << 1 | 3 << 3 | 0xff << 5);
	EXPECT_EQ(read_sysreg(dbgbvr0_el1) & ~3ul, 0xffff800012345678);
	EXPECT_EQ(read_sysreg(dbgbcr0_el1), 2 << 1 | 0xf << 5);
	EXPECT_EQ(read_sysreg(dbgwvr0_el1), 0x0000123456789abc);
	EXPECT_EQ(read_sysreg(dbgwcr0_el1), 2 << 1 | 3 << 3 | 0xff << 5);
}

SNIPPET(read_bvr15, "mrs x0, dbgbvr15_el1");
SNIPPET(read_wvr15, "mrs x0, dbgwvr15_el1");

TEST(breakpoints_that_are_not_there_are_undefined)
{
	uint64_t dfr0 = read_sysreg(id_aa64dfr0_el1);

	SKIP_UNLESS(id_field(dfr0, 12) < 15 && id_field(dfr0, 20) < 15, "all are there");
	struct exc b = run_at(EL1, read_bvr15);
	struct exc w = run_at(EL1, read_wvr15);

	EXPECT_EXC(b, EL1, EC_UNKNOWN, 0);
	EXPECT_EXC(w, EL1, EC_UNKNOWN, 0);
}

TEST(claim_tags_are_set_and_cleared)
{
	QEMU_7_DIFFERS("has no claim tags");
	EXPECT_EQ(read_sysreg(dbgclaimset_el1), 0xff);
	write_sysreg(dbgclaimclr_el1, 0xff);
	EXPECT_EQ(read_sysreg(dbgclaimclr_el1), 0);
	write_sysreg(dbgclaimset_el1, 0x5a);
	write_sysreg(dbgclaimset_el1, 0x01);
	EXPECT_EQ(read_sysreg(dbgclaimclr_el1), 0x5b);
	write_sysreg(dbgclaimclr_el1, 0x18);
	EXPECT_EQ(read_sysreg(dbgclaimclr_el1), 0x43);
	write_sysreg(dbgclaimclr_el1, 0xff);
}

// ---- Traps --------------------------------------------------------------------------------------

SNIPPET(write_mdscr, "msr mdscr_el1, x0");
SNIPPET(read_bvr0, "mrs x0, dbgbvr0_el1");
SNIPPET(write_oslar, "msr oslar_el1, x0");
SNIPPET(read_mdrar, "mrs x0, mdrar_el1");

TEST(mdcr_el2_tda_traps_debug_registers_to_el2)
{
	write_sysreg(mdcr_el2, read_sysreg(mdcr_el2) | MDCR_EL2_TDA);
	struct exc w = run_at(EL1, write_mdscr);
	struct exc r = run_at(EL1, read_bvr0);
	struct exc os = run_at(EL1, write_oslar);
	struct exc el2 = run_at(EL2, read_bvr0);

	EXPECT_EXC(w, EL2, EC_SYSREG, ISS_SYSREG_WRITE(2, 0, 0, 2, 2, 0));
	EXPECT_EXC(r, EL2, EC_SYSREG, ISS_SYSREG_READ(2, 0, 0, 0, 4, 0));
	EXPECT_NO_EXC(os);
	EXPECT_NO_EXC(el2);
}

TEST(mdcr_el2_tdosa_and_tdra)
{
	write_sysreg(mdcr_el2, read_sysreg(mdcr_el2) | MDCR_EL2_TDOSA);
	struct exc os = run_at(EL1, write_oslar);
	struct exc rom = run_at(EL1, read_mdrar);
	write_sysreg(mdcr_el2, (read_sysreg(mdcr_el2) & ~MDCR_EL2_TDOSA) | MDCR_EL2_TDRA);
	struct exc os2 = run_at(EL1, write_oslar);
	struct exc rom2 = run_at(EL1, read_mdrar);

	EXPECT_EXC(os, EL2, EC_SYSREG, ISS_SYSREG_WRITE(2, 0, 1, 0, 4, 0));
	EXPECT_NO_EXC(rom);
	EXPECT_NO_EXC(os2);
	EXPECT_EXC(rom2, EL2, EC_SYSREG, ISS_SYSREG_READ(2, 0, 1, 0, 0, 0));
}

TEST(mdcr_el2_tde_traps_all_debug_registers)
{
	write_sysreg(mdcr_el2, read_sysreg(mdcr_el2) | MDCR_EL2_TDE);
	struct exc w = run_at(EL1, write_mdscr);
	struct exc os = run_at(EL1, write_oslar);
	struct exc rom = run_at(EL1, read_mdrar);

	EXPECT_EXC(w, EL2, EC_SYSREG, ISS_SYSREG_WRITE(2, 0, 0, 2, 2, 0));
	EXPECT_EXC(os, EL2, EC_SYSREG, ISS_SYSREG_WRITE(2, 0, 1, 0, 4, 0));
	EXPECT_EXC(rom, EL2, EC_SYSREG, ISS_SYSREG_READ(2, 0, 1, 0, 0, 0));
}

TEST(mdcr_el3_tda_traps_el1_and_el2_to_el3)
{
	write_sysreg(mdcr_el3, MDCR_EL3_TDA);
	struct exc e1 = run_at(EL1, write_mdscr);
	struct exc e2 = run_at(EL2, write_mdscr);

	EXPECT_EXC(e1, EL3, EC_SYSREG, ISS_SYSREG_WRITE(2, 0, 0, 2, 2, 0));
	EXPECT_EXC(e2, EL3, EC_SYSREG, ISS_SYSREG_WRITE(2, 0, 0, 2, 2, 0));
}

// ---- BRK ----------------------------------------------------------------------------------------

SNIPPET(brk_42, "brk #0x42");

TEST(brk_needs_neither_mde_nor_kde_nor_an_open_lock)
{
	write_sysreg(oslar_el1, 1);
	struct exc e1 = run_at(EL1, brk_42);
	struct exc e2 = run_at(EL2, brk_42);

	EXPECT_EXC(e1, EL1, EC_BRK, 0x42);
	EXPECT_EXC(e2, EL2, EC_BRK, 0x42);
	EXPECT_EQ(e1.elr, brk_42);
}

TEST(brk_at_el0_goes_to_el2_with_tge)
{
	write_sysreg(hcr_el2, HCR_BASE | HCR_TGE);
	struct exc e = run_at(EL0, brk_42);

	EXPECT_EXC(e, EL2, EC_BRK, 0x42);
}

TEST(brk_in_secure_state_is_not_routed_by_tde)
{
	write_sysreg(mdcr_el2, read_sysreg(mdcr_el2) | MDCR_EL2_TDE);
	write_sysreg(scr_el3, SCR_BASE & ~SCR_NS);
	struct exc e0 = run_at(EL0, brk_42);
	struct exc e1 = run_at(EL1, brk_42);

	EXPECT_EXC(e0, EL1, EC_BRK, 0x42);
	EXPECT_EXC(e1, EL1, EC_BRK, 0x42);
}
