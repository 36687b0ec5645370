// SPDX-License-Identifier: Apache-2.0
//
// debug_breakpoint.c - hardware breakpoints: at which level and in which Security state they hit,
// where the exception goes, what masks it, and matching by address, context and VMID.

#include "guest.h"

#include "pgtable.h"

// DBGBCR<n>_EL1
#define BCR_E BIT(0)
#define BCR_PMC(n) ((uint64_t)(n) << 1) // 1 EL1, 2 EL0, 3 both
#define BCR_BAS (0xful << 5)
#define BCR_HMC BIT(13)
#define BCR_SSC(n) ((uint64_t)(n) << 14)
#define BCR_LBN(n) ((uint64_t)(n) << 16)
#define BCR_BT(n) ((uint64_t)(n) << 20)
#define BCR_EL0 (BCR_E | BCR_BAS | BCR_PMC(2))
#define BCR_EL1 (BCR_E | BCR_BAS | BCR_PMC(1))
#define BCR_EL1_EL0 (BCR_E | BCR_BAS | BCR_PMC(3))
#define BCR_EL2 (BCR_E | BCR_BAS | BCR_HMC | BCR_SSC(3) | BCR_PMC(0))
#define BT_LINKED_ADDRESS 1
#define BT_CONTEXT 2
#define BT_LINKED_CONTEXT 3
#define BT_CONTEXT_EL1_LINKED 7
#define BT_VMID 8
#define BT_LINKED_VMID 9
#define BT_LINKED_CONTEXT_EL2 13

#define AIF (SPSR_A | SPSR_I | SPSR_F)

SNIPPET(nops, "nop\n\tnop\n\tnop");
#define TARGET (nops + 4)

static void breakpoint(uint64_t address, uint64_t control)
{
	write_sysreg(dbgbvr0_el1, address);
	write_sysreg(dbgbcr0_el1, control);
	write_sysreg(mdscr_el1, read_sysreg(mdscr_el1) | MDSCR_MDE);
}

static void kernel_debug(void)
{
	write_sysreg(mdscr_el1, read_sysreg(mdscr_el1) | MDSCR_KDE);
}

static void route_to_el2(void)
{
	write_sysreg(mdcr_el2, read_sysreg(mdcr_el2) | MDCR_EL2_TDE);
}

#define EXPECT_BREAKPOINT(e, level, ec) \
	do { \
		EXPECT_EXC(e, level, ec, FSC_DEBUG); \
		EXPECT_EQ((e).elr, TARGET); \
	} while (0)

// The highest breakpoint is always context-aware.
#define CONTEXT_BREAKPOINT 5
static bool last_breakpoint_is_5(void)
{
	return id_field(read_sysreg(id_aa64dfr0_el1), 12) == 5;
}

static void context_breakpoint(uint64_t value, unsigned type, uint64_t levels)
{
	write_sysreg(dbgbvr5_el1, value);
	write_sysreg(dbgbcr5_el1, BCR_E | BCR_BAS | levels | BCR_BT(type));
}

// ---- Where it goes ------------------------------------------------------------------------------

TEST(breakpoint_at_el0_goes_to_el1)
{
	breakpoint((uint64_t)TARGET, BCR_EL0);
	struct exc e = run_at(EL0, nops);

	EXPECT_BREAKPOINT(e, EL1, EC_BREAKPT_LOWER);
	EXPECT_MASKED(e.spsr, SPSR_SS, 0);
}

TEST(breakpoint_on_the_first_instruction_hits)
{
	breakpoint((uint64_t)nops, BCR_EL0);
	struct exc e = run_at(EL0, nops);

	EXPECT_EXC(e, EL1, EC_BREAKPT_LOWER, FSC_DEBUG);
	EXPECT_EQ(e.elr, nops);
}

TEST(breakpoint_at_el1_stays_at_el1_with_kde)
{
	breakpoint((uint64_t)TARGET, BCR_EL1);
	kernel_debug();
	struct exc e = run_at_spsr(SPSR_M_EL1H | AIF, nops);

	EXPECT_BREAKPOINT(e, EL1, EC_BREAKPT_SAME);
}

TEST(breakpoint_at_el0_goes_to_el2_with_tde)
{
	breakpoint((uint64_t)TARGET, BCR_EL0);
	route_to_el2();
	struct exc e = run_at(EL0, nops);

	EXPECT_BREAKPOINT(e, EL2, EC_BREAKPT_LOWER);
}

TEST(breakpoint_at_el1_goes_to_el2_with_tde_whatever_kde_and_d)
{
	breakpoint((uint64_t)TARGET, BCR_EL1);
	route_to_el2();
	struct exc e = run_at(EL1, nops);

	EXPECT_BREAKPOINT(e, EL2, EC_BREAKPT_LOWER);
	EXPECT_MASKED(e.spsr, SPSR_D, SPSR_D);
}

TEST(breakpoint_at_el0_goes_to_el2_with_tge)
{
	breakpoint((uint64_t)TARGET, BCR_EL0);
	write_sysreg(hcr_el2, HCR_BASE | HCR_TGE);
	struct exc e = run_at(EL0, nops);

	EXPECT_BREAKPOINT(e, EL2, EC_BREAKPT_LOWER);
}

SNIPPET(write_hcr, "msr hcr_el2, x0\n\tisb\n\tnop");

// HCR_EL2.TGE makes EL2 the target of debug exceptions at once, without a change of level.
TEST(breakpoint_at_el2_hits_when_tge_is_set_there)
{
	breakpoint((uint64_t)write_hcr + 8, BCR_EL2);
	kernel_debug();
	struct exc same = run_at_spsr(SPSR_M_EL2H | AIF, write_hcr, HCR_BASE);
	struct exc tge = run_at_spsr(SPSR_M_EL2H | AIF, write_hcr, HCR_BASE | HCR_TGE);
	struct exc cleared = run_at_spsr(SPSR_M_EL2H | AIF, write_hcr, HCR_BASE);

	EXPECT_NO_EXC(same);
	EXPECT_EXC(tge, EL2, EC_BREAKPT_SAME, FSC_DEBUG);
	EXPECT_EQ(tge.elr, write_hcr + 8);
	EXPECT_NO_EXC(cleared);
}

TEST(breakpoint_at_el2_needs_tde_and_kde)
{
	breakpoint((uint64_t)TARGET, BCR_EL2);
	kernel_debug();
	struct exc no_tde = run_at_spsr(SPSR_M_EL2H | AIF, nops);
	route_to_el2();
	struct exc e = run_at_spsr(SPSR_M_EL2H | AIF, nops);
	struct exc masked = run_at(EL2, nops);
	write_sysreg(mdscr_el1, MDSCR_MDE);
	struct exc no_kde = run_at_spsr(SPSR_M_EL2H | AIF, nops);

	EXPECT_NO_EXC(no_tde);
	EXPECT_BREAKPOINT(e, EL2, EC_BREAKPT_SAME);
	EXPECT_NO_EXC(masked);
	EXPECT_NO_EXC(no_kde);
}

TEST(breakpoint_never_hits_at_el3)
{
	breakpoint((uint64_t)TARGET, BCR_E | BCR_BAS | BCR_HMC | BCR_PMC(3));
	kernel_debug();
	struct exc e3 = run_at_spsr(SPSR_M_EL3H | AIF, nops);
	// The same one does hit below.
	struct exc e1 = run_at_spsr(SPSR_M_EL1H | AIF, nops);

	EXPECT_NO_EXC(e3);
	EXPECT_BREAKPOINT(e1, EL1, EC_BREAKPT_SAME);
}

// ---- What keeps it from hitting -----------------------------------------------------------------

TEST(nothing_hits_without_mde)
{
	breakpoint((uint64_t)TARGET, BCR_EL0);
	write_sysreg(mdscr_el1, 0);
	struct exc e = run_at(EL0, nops);

	EXPECT_NO_EXC(e);
}

TEST(nothing_hits_without_e)
{
	breakpoint((uint64_t)TARGET, BCR_EL0 & ~BCR_E);
	struct exc e = run_at(EL0, nops);

	EXPECT_NO_EXC(e);
}

TEST(another_address_does_not_hit)
{
	breakpoint((uint64_t)nops - 4, BCR_EL0);
	struct exc e = run_at(EL0, nops);

	EXPECT_NO_EXC(e);
}

TEST(same_level_is_masked_by_d_and_without_kde)
{
	breakpoint((uint64_t)TARGET, BCR_EL1);
	struct exc no_kde = run_at_spsr(SPSR_M_EL1H | AIF, nops);
	kernel_debug();
	struct exc masked = run_at(EL1, nops);

	EXPECT_NO_EXC(no_kde);
	EXPECT_NO_EXC(masked);
}

SNIPPET(unmask_then_nops, "msr DAIFClr, #8\n\tnop\n\tnop\n\tmsr DAIFSet, #8");

TEST(unmasking_d_lets_a_breakpoint_through)
{
	breakpoint((uint64_t)unmask_then_nops + 8, BCR_EL1);
	kernel_debug();
	struct exc e = run_at(EL1, unmask_then_nops);

	EXPECT_EXC(e, EL1, EC_BREAKPT_SAME, FSC_DEBUG);
	EXPECT_EQ(e.elr, unmask_then_nops + 8);
	EXPECT_MASKED(e.spsr, SPSR_D, 0);
}

TEST(pmc_chooses_the_level)
{
	kernel_debug();
	breakpoint((uint64_t)TARGET, BCR_EL1);
	struct exc el1_only_at_el0 = run_at(EL0, nops);
	breakpoint((uint64_t)TARGET, BCR_EL0);
	struct exc el0_only_at_el1 = run_at_spsr(SPSR_M_EL1H | AIF, nops);
	breakpoint((uint64_t)TARGET, BCR_EL1_EL0);
	struct exc both_at_el0 = run_at(EL0, nops);
	struct exc both_at_el1 = run_at_spsr(SPSR_M_EL1H | AIF, nops);
	route_to_el2();
	struct exc both_at_el2 = run_at_spsr(SPSR_M_EL2H | AIF, nops);

	EXPECT_NO_EXC(el1_only_at_el0);
	EXPECT_NO_EXC(el0_only_at_el1);
	EXPECT_BREAKPOINT(both_at_el0, EL1, EC_BREAKPT_LOWER);
	EXPECT_BREAKPOINT(both_at_el1, EL1, EC_BREAKPT_SAME);
	EXPECT_NO_EXC(both_at_el2);
}

TEST(reserved_pmc_0_without_hmc_never_hits)
{
	breakpoint((uint64_t)TARGET, BCR_E | BCR_BAS);
	kernel_debug();
	struct exc e0 = run_at(EL0, nops);
	struct exc e1 = run_at_spsr(SPSR_M_EL1H | AIF, nops);

	EXPECT_NO_EXC(e0);
	EXPECT_NO_EXC(e1);
}

TEST(ssc_chooses_the_security_state)
{
	breakpoint((uint64_t)TARGET, BCR_EL0 | BCR_SSC(2));
	struct exc secure_only_in_ns = run_at(EL0, nops);
	breakpoint((uint64_t)TARGET, BCR_EL0 | BCR_SSC(1));
	struct exc ns_only_in_ns = run_at(EL0, nops);
	write_sysreg(scr_el3, SCR_BASE & ~SCR_NS);
	struct exc ns_only_in_secure = run_at(EL0, nops);
	breakpoint((uint64_t)TARGET, BCR_EL0 | BCR_SSC(2));
	struct exc secure_only_in_secure = run_at(EL0, nops);

	EXPECT_NO_EXC(secure_only_in_ns);
	EXPECT_BREAKPOINT(ns_only_in_ns, EL1, EC_BREAKPT_LOWER);
	EXPECT_NO_EXC(ns_only_in_secure);
	EXPECT_BREAKPOINT(secure_only_in_secure, EL1, EC_BREAKPT_LOWER);
}

TEST(mdcr_el3_sdd_disables_secure_debug_only)
{
	breakpoint((uint64_t)TARGET, BCR_EL0);
	write_sysreg(mdcr_el3, MDCR_EL3_SDD);
	struct exc ns = run_at(EL0, nops);
	write_sysreg(scr_el3, SCR_BASE & ~SCR_NS);
	struct exc disabled = run_at(EL0, nops);
	write_sysreg(mdcr_el3, 0);
	struct exc enabled = run_at(EL0, nops);

	EXPECT_BREAKPOINT(ns, EL1, EC_BREAKPT_LOWER);
	EXPECT_NO_EXC(disabled);
	EXPECT_BREAKPOINT(enabled, EL1, EC_BREAKPT_LOWER);
}

TEST(tde_does_not_reach_secure_el1_without_secure_el2)
{
	breakpoint((uint64_t)TARGET, BCR_EL0);
	route_to_el2();
	write_sysreg(scr_el3, SCR_BASE & ~SCR_NS);
	struct exc e = run_at(EL0, nops);

	EXPECT_BREAKPOINT(e, EL1, EC_BREAKPT_LOWER);
}

TEST(os_lock_disables_breakpoints)
{
	QEMU_DIFFERS("tests another bit of OSLSR_EL1");
	breakpoint((uint64_t)TARGET, BCR_EL0);
	write_sysreg(oslar_el1, 1);
	EXPECT_MASKED(read_sysreg(oslsr_el1), 2, 2);
	struct exc locked = run_at(EL0, nops);
	write_sysreg(oslar_el1, 0);
	EXPECT_MASKED(read_sysreg(oslsr_el1), 2, 0);
	struct exc unlocked = run_at(EL0, nops);

	EXPECT_NO_EXC(locked);
	EXPECT_BREAKPOINT(unlocked, EL1, EC_BREAKPT_LOWER);
}

TEST(os_double_lock_disables_breakpoints)
{
	QEMU_DIFFERS("has no DBGPRCR_EL1");
	SKIP_UNLESS(id_field(read_sysreg(id_aa64dfr0_el1), 36) == 0, "no OS double lock");
	breakpoint((uint64_t)TARGET, BCR_EL0);
	write_sysreg(dbgprcr_el1, 0);
	write_sysreg(osdlr_el1, 1);
	struct exc locked = run_at(EL0, nops);
	write_sysreg(osdlr_el1, 0);
	struct exc unlocked = run_at(EL0, nops);

	EXPECT_NO_EXC(locked);
	EXPECT_BREAKPOINT(unlocked, EL1, EC_BREAKPT_LOWER);
}

// ---- Priority -----------------------------------------------------------------------------------

SNIPPET(branch_to_x0, "br x0");

TEST(instruction_abort_comes_before_the_breakpoint)
{
	QEMU_DIFFERS("looks at breakpoints first");
	struct pgtable pt;
	uint64_t hole = 0x3000000000;

	pgtable_init(&pt, 12, 39);
	map_guest_code(&pt);
	stage1_on_el1(&pt);
	breakpoint(hole, BCR_EL0);
	struct exc e = run_at(EL0, branch_to_x0, hole);

	EXPECT_MASKED(e.esr >> 26, 0x3f, EC_IABT_LOWER);
	EXPECT_EQ(e.elr, hole);
	EXPECT_EQ(e.far, hole);
}

SNIPPET(udf_after_nop, "nop\n\tudf #0");

TEST(breakpoint_comes_before_the_exception_of_its_instruction)
{
	breakpoint((uint64_t)udf_after_nop + 4, BCR_EL0);
	struct exc e = run_at(EL0, udf_after_nop);

	EXPECT_EXC(e, EL1, EC_BREAKPT_LOWER, FSC_DEBUG);
	EXPECT_EQ(e.elr, udf_after_nop + 4);
}

// ---- Context and VMID ---------------------------------------------------------------------------

TEST(linked_context_must_match)
{
	SKIP_UNLESS(last_breakpoint_is_5(), "other number of breakpoints");
	breakpoint((uint64_t)TARGET,
		   BCR_EL0 | BCR_BT(BT_LINKED_ADDRESS) | BCR_LBN(CONTEXT_BREAKPOINT));
	context_breakpoint(0x1234, BT_LINKED_CONTEXT, 0);
	write_sysreg(contextidr_el1, 0x1235);
	struct exc other = run_at(EL0, nops);
	write_sysreg(contextidr_el1, 0x1234);
	struct exc same = run_at(EL0, nops);
	write_sysreg(dbgbcr5_el1, 0);
	struct exc disabled = run_at(EL0, nops);

	EXPECT_NO_EXC(other);
	EXPECT_BREAKPOINT(same, EL1, EC_BREAKPT_LOWER);
	EXPECT_NO_EXC(disabled);
}

TEST(linked_context_breakpoint_does_not_hit_by_itself)
{
	SKIP_UNLESS(last_breakpoint_is_5(), "other number of breakpoints");
	breakpoint(0, 0);
	context_breakpoint(0x1234, BT_LINKED_CONTEXT, BCR_PMC(3));
	write_sysreg(contextidr_el1, 0x1234);
	struct exc e = run_at(EL0, nops);

	EXPECT_NO_EXC(e);
}

TEST(link_to_a_breakpoint_that_compares_no_context_never_hits)
{
	SKIP_UNLESS(last_breakpoint_is_5(), "other number of breakpoints");
	breakpoint((uint64_t)TARGET,
		   BCR_EL0 | BCR_BT(BT_LINKED_ADDRESS) | BCR_LBN(CONTEXT_BREAKPOINT));
	context_breakpoint((uint64_t)TARGET, 0, 0);
	struct exc e = run_at(EL0, nops);

	EXPECT_NO_EXC(e);
}

TEST(unlinked_context_hits_every_instruction)
{
	QEMU_DIFFERS("does not implement unlinked context breakpoints");
	SKIP_UNLESS(last_breakpoint_is_5(), "other number of breakpoints");
	breakpoint(0, 0);
	context_breakpoint(0x77, BT_CONTEXT, BCR_PMC(2));
	write_sysreg(contextidr_el1, 0x78);
	struct exc other = run_at(EL0, nops);
	write_sysreg(contextidr_el1, 0x77);
	struct exc same = run_at(EL0, nops);

	EXPECT_NO_EXC(other);
	EXPECT_EXC(same, EL1, EC_BREAKPT_LOWER, FSC_DEBUG);
	EXPECT_EQ(same.elr, nops);
}

TEST(context_type_in_a_breakpoint_without_context_is_reserved)
{
	QEMU_7_DIFFERS("not checked there");
	breakpoint(0x77, BCR_EL0 | BCR_BT(BT_CONTEXT)); // breakpoint 0 compares addresses only
	write_sysreg(contextidr_el1, 0x77);
	struct exc e = run_at(EL0, nops);

	EXPECT_NO_EXC(e);
}

TEST(linked_vmid_must_match)
{
	QEMU_DIFFERS("does not implement VMID breakpoints");
	SKIP_UNLESS(last_breakpoint_is_5(), "other number of breakpoints");
	breakpoint((uint64_t)TARGET,
		   BCR_EL0 | BCR_BT(BT_LINKED_ADDRESS) | BCR_LBN(CONTEXT_BREAKPOINT));
	context_breakpoint(0x42ul << 32, BT_LINKED_VMID, 0);
	write_sysreg(vttbr_el2, 0x43ul << 48);
	struct exc other = run_at(EL0, nops);
	write_sysreg(vttbr_el2, 0x42ul << 48);
	struct exc same = run_at(EL0, nops);
	// VTCR_EL2.VS is 0: only eight bits of the VMID are compared.
	write_sysreg(vttbr_el2, 0x142ul << 48);
	struct exc low_byte = run_at(EL0, nops);

	EXPECT_NO_EXC(other);
	EXPECT_BREAKPOINT(same, EL1, EC_BREAKPT_LOWER);
	EXPECT_BREAKPOINT(low_byte, EL1, EC_BREAKPT_LOWER);
}

TEST(unlinked_vmid_hits_at_el1_and_not_at_el2)
{
	QEMU_DIFFERS("does not implement VMID breakpoints");
	SKIP_UNLESS(last_breakpoint_is_5(), "other number of breakpoints");
	breakpoint(0, 0);
	context_breakpoint(0x42ul << 32, BT_VMID, BCR_HMC | BCR_SSC(1) | BCR_PMC(1));
	write_sysreg(vttbr_el2, 0x42ul << 48);
	route_to_el2();
	kernel_debug();
	struct exc e1 = run_at(EL1, nops);
	struct exc e2 = run_at_spsr(SPSR_M_EL2H | AIF, nops);

	EXPECT_EXC(e1, EL2, EC_BREAKPT_LOWER, FSC_DEBUG);
	EXPECT_EQ(e1.elr, nops);
	EXPECT_NO_EXC(e2);
}

TEST(context_of_a_host_is_contextidr_el2)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr1_el1), 8), "no FEAT_VHE");
	SKIP_UNLESS(last_breakpoint_is_5(), "other number of breakpoints");
	breakpoint((uint64_t)TARGET,
		   BCR_EL0 | BCR_BT(BT_LINKED_ADDRESS) | BCR_LBN(CONTEXT_BREAKPOINT));
	context_breakpoint(0x99, BT_LINKED_CONTEXT, 0);
	write_sysreg(contextidr_el1, 0x11);
	write_sysreg(S3_4_C13_C0_1, 0x99); // CONTEXTIDR_EL2
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H | HCR_TGE);
	struct exc host = run_at(EL0, nops);
	write_sysreg(hcr_el2, HCR_BASE);
	struct exc guest = run_at(EL0, nops);

	EXPECT_BREAKPOINT(host, EL2, EC_BREAKPT_LOWER);
	EXPECT_NO_EXC(guest);
}

TEST(linked_contextidr_el2_types)
{
	QEMU_DIFFERS("does not implement these types");
	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr1_el1), 8), "no FEAT_VHE");
	SKIP_UNLESS(last_breakpoint_is_5(), "other number of breakpoints");
	breakpoint((uint64_t)TARGET,
		   BCR_EL0 | BCR_BT(BT_LINKED_ADDRESS) | BCR_LBN(CONTEXT_BREAKPOINT));
	write_sysreg(contextidr_el1, 0x11);
	write_sysreg(S3_4_C13_C0_1, 0x99);
	context_breakpoint(0x99ul << 32, BT_LINKED_CONTEXT_EL2, 0);
	struct exc el2 = run_at(EL0, nops);
	context_breakpoint(0x11, BT_CONTEXT_EL1_LINKED, 0);
	struct exc el1 = run_at(EL0, nops);
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H | HCR_TGE);
	struct exc el1_in_host = run_at(EL0, nops);

	EXPECT_BREAKPOINT(el2, EL1, EC_BREAKPT_LOWER);
	EXPECT_BREAKPOINT(el1, EL1, EC_BREAKPT_LOWER);
	EXPECT_NO_EXC(el1_in_host);
}

TEST(reserved_type_never_hits)
{
	breakpoint((uint64_t)TARGET, BCR_EL0 | BCR_BT(4)); // address mismatch: AArch32 only
	struct exc e = run_at(EL0, nops);

	EXPECT_NO_EXC(e);
}

// ---- Several, and many times --------------------------------------------------------------------

TEST(each_of_several_breakpoints_hits)
{
	breakpoint((uint64_t)nops + 8, BCR_EL0);
	write_sysreg(dbgbvr1_el1, nops + 4);
	write_sysreg(dbgbcr1_el1, BCR_EL0);
	struct exc first = run_at(EL0, nops);
	struct exc second = run_at(EL0, nops + 8);

	EXPECT_BREAKPOINT(first, EL1, EC_BREAKPT_LOWER);
	EXPECT_EXC(second, EL1, EC_BREAKPT_LOWER, FSC_DEBUG);
	EXPECT_EQ(second.elr, nops + 8);
}

SNIPPET(loop_100, "mov x1, #0\n1:\tadd x1, x1, #1\n\tcmp x1, #100\n\tb.ne 1b\n\tmov x2, #1");

TEST(code_runs_rightly_while_a_breakpoint_elsewhere_is_set)
{
	breakpoint((uint64_t)loop_100 + 16, BCR_EL0);
	struct exc e = run_at(EL0, loop_100);

	EXPECT_EXC(e, EL1, EC_BREAKPT_LOWER, FSC_DEBUG);
	EXPECT_EQ(e.elr, loop_100 + 16);
	EXPECT_REG(e, 1, 100);
	EXPECT_REG(e, 2, 0);
}
