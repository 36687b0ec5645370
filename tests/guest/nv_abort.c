// SPDX-License-Identifier: Apache-2.0
//
// nv_abort.c - FEAT_NV2: accesses to the page of VNCR_EL2 are made in EL2's translation regime, and
// their aborts and watchpoints are EL2's own in class (EC 0x25, 0x35) with ESR_EL2.VNCR set, though
// they come from EL1.

#include "abort.h"
#include "nv.h"

#define VA 0x80000000ul
#define HIGH_VA 0xffffff8000000000ul
#define HOLE 0x0f000000ul // of the board's memory map
#define TPIDR 0x90
#define VTTBR 0x20

static const struct sysreg tpidr_el2 = SYSREG(tpidr_el2, 3, 4, 13, 0, 2);
static const struct sysreg vttbr_el2 = SYSREG(vttbr_el2, 3, 4, 2, 1, 0);

static struct pgtable tables;

// EL2's stage 1 with the page at VA, and VNCR_EL2 there.
static void start(uint64_t attrs)
{
	guest_reset();
	pgtable_init(&tables, 12, 39);
	map_guest_code(&tables);
	map_page(&tables, VA, (uint64_t)NV_PAGE, PT_NORMAL | attrs, 3);
	stage1_on_el2(&tables);
	nv2_set(0);
	write_sysreg(VNCR_EL2, VA);
	nv_page_clear();
}

// The same of the EL2&0 regime.
static void start_host(uint64_t attrs)
{
	guest_reset();
	nv2_set(HCR_E2H);
	pgtable_init(&tables, 12, 39);
	map_guest_code(&tables);
	map_page(&tables, VA, (uint64_t)NV_PAGE, PT_NORMAL | attrs, 3);
	stage1_on_el20(&tables);
	write_sysreg(VNCR_EL2, VA);
	nv_page_clear();
}

// The class is that of an abort of EL2, the vector and SPSR those of an exception from EL1.
static void expect_vncr_abort(int line, const struct exc *e, int to, uint64_t iss, uint64_t far)
{
	guest_expect_exc("abort", line, e, to, ESR(EC_DABT_SAME, ISS_VNCR | iss));
	guest_expect_eq("abort", line, "FAR", e->far, far);
	guest_expect_eq("abort", line, "offset", e->offset, VECTOR_LOWER_A64);
}

#define EXPECT_VNCR_ABORT(e, to, iss, far) expect_vncr_abort(__LINE__, &(e), to, iss, far)

// ---- The regime ---------------------------------------------------------------------------------

TEST(the_address_is_translated_by_el2)
{
	NEEDS_NV2;
	start(PT_AP_RW_EL1 | PT_UXN);
	NV_PAGE[TPIDR / 8] = 0x1234;
	struct exc r = access_at(EL1, READ, tpidr_el2, 0);
	struct exc w = access_at(EL1, WRITE, vttbr_el2, 0x5678);

	EXPECT_NO_EXC(r);
	EXPECT_REG(r, EMIT_RT, 0x1234);
	EXPECT_NO_EXC(w);
	EXPECT_EQ(NV_PAGE[VTTBR / 8], 0x5678);
}

TEST(el1s_own_translation_does_not_matter)
{
	struct pgtable el1;

	NEEDS_NV2;
	start(PT_AP_RW_EL1 | PT_UXN);
	pgtable_init(&el1, 12, 39);
	map_guest_code(&el1); // nothing at VA
	stage1_on_el1(&el1);
	NV_PAGE[TPIDR / 8] = 0x1234;
	EXPECT_EQ(access_at(EL1, READ, tpidr_el2, 0).x[EMIT_RT], 0x1234);
}

TEST(stage_2_does_not_matter)
{
	struct pgtable s2;

	NEEDS_NV2;
	start(PT_AP_RW_EL1 | PT_UXN);
	pgtable_init_stage2(&s2, 12, 40, 1);
	map_guest_code_stage2(&s2); // neither VA nor what it leads to
	stage2_on(&s2);
	NV_PAGE[TPIDR / 8] = 0x1234;
	EXPECT_EQ(access_at(EL1, READ, tpidr_el2, 0).x[EMIT_RT], 0x1234);
}

TEST(a_host_translates_by_its_two_ranges)
{
	NEEDS_NV2;
	start_host(PT_AP_RW_EL1 | PT_UXN);
	NV_PAGE[TPIDR / 8] = 0x1234;
	EXPECT_EQ(access_at(EL1, READ, tpidr_el2, 0).x[EMIT_RT], 0x1234);
}

TEST(the_page_may_be_in_the_upper_range)
{
	struct pgtable high;

	NEEDS_NV2;
	start_host(PT_AP_RW_EL1 | PT_UXN);
	pgtable_init(&high, 12, 39);
	map_page(&high, HIGH_VA, (uint64_t)NV_PAGE, PT_NORMAL | PT_AP_RW_EL1, 3);
	write_sysreg(ttbr1_el2, high.root);
	// T1SZ 25, 4 KiB, inner shareable write-back; EPD1 0.
	write_sysreg(tcr_el2, (read_sysreg(tcr_el2) & ~(0xfffful << 16)) | 25ul << 16 | 1ul << 24 |
				      1ul << 26 | 3ul << 28 | 2ul << 30);
	write_sysreg(VNCR_EL2, HIGH_VA);
	tlbi_all();
	NV_PAGE[TPIDR / 8] = 0x4321;
	struct exc e = access_at(EL1, READ, tpidr_el2, 0);

	EXPECT_NO_EXC(e);
	EXPECT_REG(e, EMIT_RT, 0x4321);
}

// The access is privileged, and PAN is EL1's.
TEST(pan_of_the_guest_does_not_matter)
{
	NEEDS_NV2;
	start_host(PT_AP_RW_ALL | PT_UXN);
	NV_PAGE[TPIDR / 8] = 0x1234;
	struct exc e = run_at_spsr(guest_spsr(EL1) | SPSR_PAN, emit(sysreg_insn(READ, tpidr_el2)));

	EXPECT_NO_EXC(e);
	EXPECT_REG(e, EMIT_RT, 0x1234);
}

TEST(alignment_checks_of_el2_find_nothing)
{
	NEEDS_NV2;
	start(PT_AP_RW_EL1 | PT_UXN);
	write_sysreg(sctlr_el2, read_sysreg(sctlr_el2) | SCTLR_A);
	EXPECT_RUNS(access_at(EL1, READ, tpidr_el2, 0));
}

TEST(device_memory_serves_too)
{
	NEEDS_NV2;
	start(PT_AP_RW_EL1);
	map_page(&tables, VA, (uint64_t)NV_PAGE, PT_DEVICE | PT_AP_RW_EL1, 3);
	tlbi_all();
	NV_PAGE[TPIDR / 8] = 0x77;
	EXPECT_EQ(access_at(EL1, READ, tpidr_el2, 0).x[EMIT_RT], 0x77);
}

// ---- Aborts -------------------------------------------------------------------------------------

TEST(a_translation_fault_goes_to_el2)
{
	NEEDS_NV2;
	start(PT_AP_RW_EL1);
	write_sysreg(VNCR_EL2, VA + 0x1000);
	struct exc r = access_at(EL1, READ, tpidr_el2, 0);
	uint64_t elr = (uint64_t)emit(sysreg_insn(READ, tpidr_el2));
	struct exc w = access_at(EL1, WRITE, tpidr_el2, 0);

	EXPECT_VNCR_ABORT(r, EL2, FSC_TRANSLATION(3), VA + 0x1000 + TPIDR);
	EXPECT_EQ(r.elr, elr);
	EXPECT_VNCR_ABORT(w, EL2, ISS_WNR | FSC_TRANSLATION(3), VA + 0x1000 + TPIDR);
}

TEST(the_fault_says_which_register)
{
	NEEDS_NV2;
	start(PT_AP_RW_EL1);
	write_sysreg(VNCR_EL2, VA + 0x1000);
	struct exc e = access_at(EL1, READ, vttbr_el2, 0);

	EXPECT_VNCR_ABORT(e, EL2, FSC_TRANSLATION(3), VA + 0x1000 + VTTBR);
}

TEST(an_aborted_read_leaves_the_register_alone)
{
	NEEDS_NV2;
	start(PT_AP_RW_EL1);
	write_sysreg(VNCR_EL2, VA + 0x1000);
	struct exc e = run_at(EL1, emit(sysreg_insn(READ, tpidr_el2)), 0, 0, 0, 0x5555);

	EXPECT_EQ(e.el, EL2);
	EXPECT_REG(e, EMIT_RT, 0x5555);
}

TEST(a_fault_of_the_first_level)
{
	NEEDS_NV2;
	start(PT_AP_RW_EL1);
	write_sysreg(VNCR_EL2, 0x4000000000);
	struct exc e = access_at(EL1, READ, tpidr_el2, 0);

	EXPECT_VNCR_ABORT(e, EL2, FSC_TRANSLATION(1), 0x4000000000 + TPIDR);
}

TEST(an_address_outside_the_range_faults_at_level_0)
{
	NEEDS_NV2;
	start(PT_AP_RW_EL1);
	write_sysreg(VNCR_EL2, HIGH_VA); // EL2 without E2H has no upper range
	struct exc e = access_at(EL1, READ, tpidr_el2, 0);

	EXPECT_VNCR_ABORT(e, EL2, FSC_TRANSLATION(0), HIGH_VA + TPIDR);
}

TEST(a_permission_fault_goes_to_el2)
{
	NEEDS_NV2;
	start(PT_AP_RO_EL1);
	NV_PAGE[TPIDR / 8] = 0x99;
	struct exc r = access_at(EL1, READ, tpidr_el2, 0);
	struct exc w = access_at(EL1, WRITE, tpidr_el2, 0);

	EXPECT_NO_EXC(r);
	EXPECT_VNCR_ABORT(w, EL2, ISS_WNR | FSC_PERMISSION(3), VA + TPIDR);
	EXPECT_EQ(NV_PAGE[TPIDR / 8], 0x99);
}

TEST(an_access_flag_fault_goes_to_el2)
{
	NEEDS_NV2;
	start(PT_AP_RW_EL1);
	*pgtable_entry(&tables, VA, 3) &= ~PT_AF;
	tlbi_all();
	struct exc e = access_at(EL1, READ, tpidr_el2, 0);

	EXPECT_VNCR_ABORT(e, EL2, FSC_ACCESS(3), VA + TPIDR);
}

TEST(a_fault_in_a_hosts_regime)
{
	NEEDS_NV2;
	start_host(PT_AP_RO_EL1);
	struct exc w = access_at(EL1, WRITE, tpidr_el2, 0);
	write_sysreg(VNCR_EL2, VA + 0x1000);
	struct exc r = access_at(EL1, READ, tpidr_el2, 0);

	EXPECT_VNCR_ABORT(w, EL2, ISS_WNR | FSC_PERMISSION(3), VA + TPIDR);
	EXPECT_VNCR_ABORT(r, EL2, FSC_TRANSLATION(3), VA + 0x1000 + TPIDR);
}

TEST(a_repaired_fault_is_gone_after_maintenance_of_el2s_tlb)
{
	NEEDS_NV2;
	start(PT_AP_RO_EL1);
	(void)access_at(EL1, WRITE, tpidr_el2, 1);
	*pgtable_entry(&tables, VA, 3) &= ~PT_AP_RO_EL1;
	__asm__ volatile("dsb sy\n\ttlbi vae2, %0\n\tdsb sy\n\tisb" ::"r"(VA >> 12) : "memory");
	struct exc e = access_at(EL1, WRITE, tpidr_el2, 0x31);

	EXPECT_NO_EXC(e);
	EXPECT_EQ(NV_PAGE[TPIDR / 8], 0x31);
}

TEST(the_fault_comes_in_secure_state_too)
{
	NEEDS_NV2;
	start(PT_AP_RW_EL1);
	write_sysreg(scr_el3, SECURE | SCR_EEL2);
	write_sysreg(VNCR_EL2, VA + 0x1000);
	struct exc e = access_at(EL1, READ, tpidr_el2, 0);

	EXPECT_VNCR_ABORT(e, EL2, FSC_TRANSLATION(3), VA + 0x1000 + TPIDR);
}

TEST(traps_come_before_the_abort)
{
	const struct sysreg ttbr0_el1 = SYSREG(ttbr0_el1, 3, 0, 2, 0, 0);

	NEEDS_NV2;
	start(PT_AP_RW_EL1);
	nv2_set(HCR_NV1 | HCR_TVM);
	write_sysreg(VNCR_EL2, VA + 0x1000);
	EXPECT_TRAP(EL1, WRITE, ttbr0_el1, EL2);
	struct exc e = access_at(EL1, READ, ttbr0_el1, 0);

	EXPECT_VNCR_ABORT(e, EL2, FSC_TRANSLATION(3), VA + 0x1200);
}

// ---- External aborts ----------------------------------------------------------------------------

TEST(an_external_abort_goes_to_el2)
{
	NEEDS_NV2;
	nv2_set(0);
	write_sysreg(VNCR_EL2, HOLE);
	struct exc r = access_at(EL1, READ, tpidr_el2, 0);
	struct exc w = access_at(EL1, WRITE, tpidr_el2, 0);

	EXPECT_VNCR_ABORT(r, EL2, FSC_EXTERNAL, HOLE + TPIDR);
	EXPECT_VNCR_ABORT(w, EL2, ISS_WNR | FSC_EXTERNAL, HOLE + TPIDR);
}

TEST(scr_ea_takes_an_external_abort_to_el3)
{
	QEMU_11_DIFFERS("ignores SCR_EL3.EA for synchronous aborts");
	NEEDS_NV2;
	nv2_set(0);
	write_sysreg(scr_el3, SCR_BASE | SCR_EA);
	write_sysreg(VNCR_EL2, HOLE);
	struct exc e = access_at(EL1, READ, tpidr_el2, 0);

	// To EL3 it is one of a lower level (AArch64.TakeException).
	EXPECT_EXC(e, EL3, EC_DABT_LOWER, ISS_VNCR | FSC_EXTERNAL);
	EXPECT_EQ(e.far, HOLE + TPIDR);
}

TEST(scr_ea_leaves_other_aborts_to_el2)
{
	NEEDS_NV2;
	start(PT_AP_RW_EL1);
	write_sysreg(scr_el3, SCR_BASE | SCR_EA);
	write_sysreg(VNCR_EL2, VA + 0x1000);
	struct exc e = access_at(EL1, READ, tpidr_el2, 0);

	EXPECT_VNCR_ABORT(e, EL2, FSC_TRANSLATION(3), VA + 0x1000 + TPIDR);
}

// ---- Watchpoints --------------------------------------------------------------------------------

#define WCR_EL2 (BIT(0) | 3ul << 3 | 0xfful << 5 | BIT(13) | 3ul << 14) // HMC 1, SSC 3, PAC 0
#define WCR_EL1 (BIT(0) | 1ul << 1 | 3ul << 3 | 0xfful << 5)

static void watch(uint64_t control)
{
	write_sysreg(dbgwvr0_el1, (uint64_t)NV_PAGE + TPIDR);
	write_sysreg(dbgwcr0_el1, control);
	write_sysreg(mdscr_el1, read_sysreg(mdscr_el1) | MDSCR_MDE | MDSCR_KDE);
	write_sysreg(oslar_el1, 0);
}

static struct exc access_unmasked(struct sysreg reg)
{
	return run_at_spsr(SPSR_M_EL1H | SPSR_A | SPSR_I | SPSR_F, emit(sysreg_insn(WRITE, reg)));
}

TEST(a_watchpoint_of_el2_sees_the_access)
{
	QEMU_11_DIFFERS("looks at watchpoints as for an access of EL1");
	NEEDS_NV2;
	nv2_set(0);
	watch(WCR_EL2);
	write_sysreg(mdcr_el2, read_sysreg(mdcr_el2) | MDCR_EL2_TDE);
	struct exc e = access_unmasked(tpidr_el2);

	EXPECT_EQ(e.el, EL2);
	EXPECT_EQ(e.esr, ESR(EC_WATCHPT_SAME, ISS_VNCR | ISS_WNR | FSC_DEBUG));
	EXPECT_EQ(e.far, (uint64_t)NV_PAGE + TPIDR);
	EXPECT_EQ(e.offset, VECTOR_LOWER_A64);
}

// Whether debug exceptions are enabled is asked as for EL2 with PSTATE.D clear
// (AArch64.CheckDebug).
TEST(a_watchpoint_of_el2_needs_tde_and_kde_but_not_d)
{
	QEMU_11_DIFFERS("looks at watchpoints as for an access of EL1");
	NEEDS_NV2;
	nv2_set(0);
	watch(WCR_EL2);
	struct exc no_tde = access_unmasked(tpidr_el2);
	write_sysreg(mdcr_el2, read_sysreg(mdcr_el2) | MDCR_EL2_TDE);
	struct exc masked = run_at(EL1, emit(sysreg_insn(WRITE, tpidr_el2)));
	write_sysreg(mdscr_el1, MDSCR_MDE);
	struct exc no_kde = access_unmasked(tpidr_el2);

	EXPECT_NO_EXC(no_tde);
	EXPECT_EQ(masked.el, EL2);
	EXPECT_EQ(masked.esr, ESR(EC_WATCHPT_SAME, ISS_VNCR | ISS_WNR | FSC_DEBUG));
	EXPECT_NO_EXC(no_kde);
}

TEST(a_watchpoint_of_el1_does_not)
{
	QEMU_11_DIFFERS("looks at watchpoints as for an access of EL1");
	NEEDS_NV2;
	nv2_set(0);
	watch(WCR_EL1);
	write_sysreg(mdcr_el2, read_sysreg(mdcr_el2) | MDCR_EL2_TDE);
	struct exc e = access_unmasked(tpidr_el2);

	EXPECT_NO_EXC(e);
}
