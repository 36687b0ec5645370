// SPDX-License-Identifier: Apache-2.0
//
// nv_stage1.c - HCR_EL2.{NV,NV1} = {1,1}: a guest hypervisor's tables for an EL2 without EL0 are
// walked as EL1&0's. AP[1] and APTable[0] are 0, bit 54 is PXN, bit 60 PXNTable, PAN means nothing,
// and LDTR and STTR are privileged.

#include "abort.h"
#include "nv.h"

SNIPPET(load_x0, "ldr x1, [x0]");
SNIPPET(load_x0_svc, "ldr x1, [x0]" ESCAPE_SVC);
SNIPPET(store_x0, "str x1, [x0]");
SNIPPET(call_x0, "mov x19, x30\n\tblr x0\n\tmov x30, x19");
SNIPPET(load_unprivileged, "ldtr x1, [x0]");
SNIPPET(store_unprivileged, "sttr x1, [x0]");
SNIPPET(at_s1e1r, "at s1e1r, x0\n\tisb\n\tmrs x1, par_el1");
SNIPPET(at_s1e1rp, "at S1E1RP, x0\n\tisb\n\tmrs x1, par_el1");
SNIPPET(at_s1e0r, "at s1e0r, x0\n\tisb\n\tmrs x1, par_el1");

#define VA 0x80000000ul
#define INSN_RET 0xd65f03c0u
#define PAR_FAULT BIT(0)

static struct pgtable tables;

static void start(uint64_t hcr, uint64_t attrs)
{
	guest_reset();
	*(volatile uint32_t *)scratch[4] = INSN_RET;
	__asm__ volatile("dsb sy\n\tic iallu\n\tdsb sy\n\tisb" ::: "memory");
	pgtable_init(&tables, 12, 39);
	map_guest_code(&tables);
	map_page(&tables, VA, (uint64_t)scratch[4], PT_NORMAL | attrs, 3);
	nv_set(hcr);
	stage1_on_el1(&tables);
}

#define NV1 (HCR_NV | HCR_NV1)

// An abort of EL1's own; without NV1 its SPSR_EL1 says EL2.
static void expect_own_abort(int line, const struct exc *e, uint64_t ec, uint64_t iss)
{
	guest_expect_eq("abort", line, "level", (uint64_t)e->el, EL1);
	guest_expect_eq("abort", line, "ESR", e->esr, ESR(ec, iss));
	guest_expect_eq("abort", line, "FAR", e->far, VA);
	guest_expect_eq("abort", line, "SPSR.M", e->spsr & SPSR_M_MASK, SPSR_M_EL2H);
}

#define EXPECT_OWN_ABORT(e, ec, iss) expect_own_abort(__LINE__, &(e), ec, iss)

static void table_attrs(int level, uint64_t bits)
{
	*pgtable_entry(&tables, VA, level) |= bits;
	tlbi_all();
}

// ---- AP[1] --------------------------------------------------------------------------------------

TEST(nv1_takes_el0_access_whatever_ap_1_says)
{
	NEEDS_NV;
	start(HCR_NV, PT_AP_RW_ALL);
	struct exc without = run_at(EL0, load_x0_svc, VA);
	start(NV1, PT_AP_RW_ALL);
	struct exc with = run_at(EL0, load_x0_svc, VA);

	EXPECT_NO_EXC(without);
	EXPECT_ABORT(with, EL1, EC_DABT_LOWER, FSC_PERMISSION(3), VA);
}

TEST(nv1_leaves_read_and_write_to_el1)
{
	NEEDS_NV;
	start(NV1, PT_AP_RW_ALL);
	EXPECT_RUNS(run_at(EL1, load_x0, VA));
	EXPECT_RUNS(run_at(EL1, store_x0, VA, INSN_RET));
	start(NV1, PT_AP_RO_ALL);
	EXPECT_RUNS(run_at(EL1, load_x0, VA));
	struct exc e = run_at(EL1, store_x0, VA);

	EXPECT_ABORT(e, EL1, EC_DABT_SAME, ISS_WNR | FSC_PERMISSION(3), VA);
}

TEST(pan_means_nothing_with_nv1)
{
	const uint64_t spsr = guest_spsr(EL1) | SPSR_PAN;

	NEEDS_NV;
	start(HCR_NV, PT_AP_RW_ALL);
	struct exc without = run_at_spsr(spsr, load_x0, VA);
	start(NV1, PT_AP_RW_ALL);
	struct exc with = run_at_spsr(spsr, load_x0, VA);

	EXPECT_OWN_ABORT(without, EC_DABT_SAME, FSC_PERMISSION(3));
	EXPECT_NO_EXC(with);
}

TEST(pan_can_still_be_set_and_read)
{
	NEEDS_NV;
	start(NV1, PT_AP_RW_ALL);
	struct exc e = run_at_spsr(guest_spsr(EL1) | SPSR_PAN, load_x0, VA);

	EXPECT_MASKED(e.pstate, SPSR_PAN, SPSR_PAN);
}

// What EL0 could write, EL1 could not execute; EL0 cannot.
TEST(writable_memory_with_ap_1_is_executable_with_nv1)
{
	NEEDS_NV;
	start(HCR_NV, PT_AP_RW_ALL);
	struct exc without = run_at(EL1, call_x0, VA);
	start(NV1, PT_AP_RW_ALL);
	struct exc with = run_at(EL1, call_x0, VA);

	EXPECT_OWN_ABORT(without, EC_IABT_SAME, FSC_PERMISSION(3));
	EXPECT_NO_EXC(with);
}

// ---- PXN ----------------------------------------------------------------------------------------

TEST(bit_54_is_pxn_with_nv1)
{
	NEEDS_NV;
	start(HCR_NV, PT_AP_RW_EL1 | PT_UXN);
	struct exc without = run_at(EL1, call_x0, VA);
	start(NV1, PT_AP_RW_EL1 | PT_UXN);
	struct exc with = run_at(EL1, call_x0, VA);

	EXPECT_NO_EXC(without);
	EXPECT_ABORT(with, EL1, EC_IABT_SAME, FSC_PERMISSION(3), VA);
}

TEST(bit_53_is_ignored_with_nv1)
{
	NEEDS_NV;
	start(HCR_NV, PT_AP_RW_EL1 | PT_PXN);
	struct exc without = run_at(EL1, call_x0, VA);
	start(NV1, PT_AP_RW_EL1 | PT_PXN);
	struct exc with = run_at(EL1, call_x0, VA);

	EXPECT_OWN_ABORT(without, EC_IABT_SAME, FSC_PERMISSION(3));
	EXPECT_NO_EXC(with);
}

TEST(wxn_holds_with_nv1)
{
	NEEDS_NV;
	start(NV1, PT_AP_RW_EL1);
	write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | SCTLR_WXN);
	tlbi_all();
	struct exc e = run_at(EL1, call_x0, VA);

	EXPECT_ABORT(e, EL1, EC_IABT_SAME, FSC_PERMISSION(3), VA);
}

// ---- Table descriptors --------------------------------------------------------------------------

TEST(bit_60_of_a_table_is_pxntable_with_nv1)
{
	NEEDS_NV;
	for (int level = 1; level <= 2; level++) {
		start(NV1, PT_AP_RW_EL1);
		table_attrs(level, PT_XN_TABLE);
		struct exc e = run_at(EL1, call_x0, VA);

		EXPECT_ABORT(e, EL1, EC_IABT_SAME, FSC_PERMISSION(3), VA);
	}
}

TEST(bit_59_of_a_table_is_ignored_with_nv1)
{
	NEEDS_NV;
	for (int level = 1; level <= 2; level++) {
		start(NV1, PT_AP_RW_EL1);
		table_attrs(level, PT_PXN_TABLE);
		EXPECT_RUNS(run_at(EL1, call_x0, VA));
	}
}

TEST(aptable_0_is_ignored_and_aptable_1_holds_with_nv1)
{
	NEEDS_NV;
	start(NV1, PT_AP_RW_EL1);
	table_attrs(1, PT_AP_TABLE(1));
	EXPECT_RUNS(run_at(EL1, store_x0, VA, INSN_RET));
	table_attrs(1, PT_AP_TABLE(2));
	struct exc e = run_at(EL1, store_x0, VA);

	EXPECT_ABORT(e, EL1, EC_DABT_SAME, ISS_WNR | FSC_PERMISSION(3), VA);
}

// ---- LDTR, STTR ---------------------------------------------------------------------------------

TEST(unprivileged_loads_and_stores_are_privileged_with_nv1)
{
	NEEDS_NV;
	start(HCR_NV, PT_AP_RW_EL1);
	struct exc load = run_at(EL1, load_unprivileged, VA);
	struct exc store = run_at(EL1, store_unprivileged, VA);

	EXPECT_OWN_ABORT(load, EC_DABT_SAME, FSC_PERMISSION(3));
	EXPECT_OWN_ABORT(store, EC_DABT_SAME, ISS_WNR | FSC_PERMISSION(3));
	start(NV1, PT_AP_RW_EL1);
	EXPECT_RUNS(run_at(EL1, load_unprivileged, VA));
	EXPECT_RUNS(run_at(EL1, store_unprivileged, VA, INSN_RET));
}

TEST(el0_is_unprivileged_all_the_same)
{
	NEEDS_NV;
	start(NV1, PT_AP_RW_EL1);
	struct exc e = run_at(EL0, load_x0_svc, VA);

	EXPECT_ABORT(e, EL1, EC_DABT_LOWER, FSC_PERMISSION(3), VA);
}

// ---- AT -----------------------------------------------------------------------------------------

TEST(address_translation_knows_nv1)
{
	NEEDS_NV;
	start(NV1, PT_AP_RW_ALL);
	struct exc e1 = run_at_spsr(guest_spsr(EL1) | SPSR_PAN, at_s1e1r, VA);
	struct exc pan = run_at_spsr(guest_spsr(EL1) | SPSR_PAN, at_s1e1rp, VA);
	struct exc e0 = run_at(EL1, at_s1e0r, VA);

	EXPECT_MASKED(e1.x[1], PAR_FAULT, 0);
	EXPECT_MASKED(pan.x[1], PAR_FAULT, 0);
	EXPECT_MASKED(e0.x[1], 0x7f, FSC_PERMISSION(3) << 1 | 1);
	start(HCR_NV, PT_AP_RW_ALL);
	e0 = run_at(EL1, at_s1e0r, VA);
	pan = run_at_spsr(guest_spsr(EL1) | SPSR_PAN, at_s1e1rp, VA);
	EXPECT_MASKED(e0.x[1], PAR_FAULT, 0);
	EXPECT_MASKED(pan.x[1], 0x7f, FSC_PERMISSION(3) << 1 | 1);
}

// ---- With NV2, and without NV -------------------------------------------------------------------

TEST(nv2_does_not_change_it)
{
	NEEDS_NV2;
	start(NV1 | HCR_NV2, PT_AP_RW_ALL);
	EXPECT_RUNS(run_at_spsr(guest_spsr(EL1) | SPSR_PAN, load_x0, VA));
	EXPECT_RUNS(run_at(EL1, call_x0, VA));
	start(HCR_NV | HCR_NV2, PT_AP_RW_ALL);
	struct exc e = run_at_spsr(guest_spsr(EL1) | SPSR_PAN, load_x0, VA);

	EXPECT_OWN_ABORT(e, EC_DABT_SAME, FSC_PERMISSION(3));
}

TEST(nv1_without_nv_changes_nothing)
{
	NEEDS_NV;
	start(HCR_NV1, PT_AP_RW_ALL);
	EXPECT_RUNS(run_at(EL0, load_x0_svc, VA));
	start(HCR_NV1, PT_AP_RW_EL1);
	struct exc e = run_at(EL1, load_unprivileged, VA);

	EXPECT_ABORT(e, EL1, EC_DABT_SAME, FSC_PERMISSION(3), VA);
}

TEST(nv1_has_no_effect_where_el2_is_not_enabled)
{
	NEEDS_NV;
	start(NV1, PT_AP_RW_EL1);
	write_sysreg(scr_el3, SCR_BASE & ~SCR_NS);
	tlbi_all();
	struct exc e = run_at(EL1, load_unprivileged, VA);

	EXPECT_ABORT(e, EL1, EC_DABT_SAME, FSC_PERMISSION(3), VA);
}
