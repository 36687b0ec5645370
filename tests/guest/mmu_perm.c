// SPDX-License-Identifier: Apache-2.0
//
// mmu_perm.c - stage-1 permissions: AP, UXN, PXN, WXN, the hierarchical attributes of table
// descriptors and HPD, PAN, EPAN, UAO, unprivileged loads and stores, E0PD.

#include "abort.h"
#include "emit.h"

SNIPPET(load_x0, "ldr x1, [x0]");
SNIPPET(load_x0_svc, "ldr x1, [x0]" ESCAPE_SVC);
SNIPPET(store_x0, "str x1, [x0]");
SNIPPET(store_x0_svc, "str x1, [x0]" ESCAPE_SVC);
SNIPPET(call_x0, "mov x19, x30\n\tblr x0\n\tmov x30, x19");
SNIPPET(load_unprivileged, "ldtr x1, [x0]");
SNIPPET(store_unprivileged, "sttr x1, [x0]");
SNIPPET(invalidate_x0, "dc ivac, x0");
SNIPPET(clean_x0, "dc cvac, x0");
SNIPPET(zero_x0, "dc zva, x0");

#define VA 0x80000000ul
#define TCR_HPD0 BIT(41)
#define TCR_E0PD0 BIT(55)
#define INSN_RET 0xd65f03c0u

static struct pgtable tables;

static void start(uint64_t attrs)
{
	guest_reset();
	*(volatile uint32_t *)scratch[4] = INSN_RET;
	__asm__ volatile("dsb sy\n\tic iallu\n\tdsb sy\n\tisb" ::: "memory");
	pgtable_init(&tables, 12, 39);
	map_guest_code(&tables);
	map_page(&tables, VA, (uint64_t)scratch[4], PT_NORMAL | attrs, 3);
	stage1_on_el1(&tables);
}

enum { READ_OK = 1, WRITE_OK = 2, EXEC_OK = 4 };

// Tries a read, a write and a call at VA and compares with what shall be allowed.
static void expect_access(int line, enum el el, uint64_t pstate, unsigned allowed)
{
	const uint64_t spsr = guest_spsr(el) | pstate;
	const uint64_t dabt = el == EL0 ? EC_DABT_LOWER : EC_DABT_SAME;
	const uint64_t iabt = el == EL0 ? EC_IABT_LOWER : EC_IABT_SAME;
	struct exc r = run_at_spsr(spsr, load_x0, VA);
	struct exc w = run_at_spsr(spsr, store_x0, VA, INSN_RET);
	struct exc x = run_at_spsr(spsr, call_x0, VA);

	if (allowed & READ_OK) {
		guest_expect_no_exc("read", line, &r);
	} else {
		expect_abort(line, &r, EL1, dabt, FSC_PERMISSION(3), VA);
	}
	if (allowed & WRITE_OK) {
		guest_expect_no_exc("write", line, &w);
	} else {
		expect_abort(line, &w, EL1, dabt, ISS_WNR | FSC_PERMISSION(3), VA);
	}
	if (allowed & EXEC_OK) {
		guest_expect_no_exc("exec", line, &x);
	} else {
		expect_abort(line, &x, EL1, iabt, FSC_PERMISSION(3), VA);
	}
}

#define EXPECT_PERMITTED(el, allowed) expect_access(__LINE__, el, 0, allowed)
#define EXPECT_PERMITTED_WITH(el, pstate, allowed) expect_access(__LINE__, el, pstate, allowed)

#define RW (READ_OK | WRITE_OK)
#define RX (READ_OK | EXEC_OK)
#define RWX (READ_OK | WRITE_OK | EXEC_OK)

// ---- AP, UXN, PXN -------------------------------------------------------------------------------

// EL0 may execute what it may not read.
TEST(ap_0_gives_el1_read_write)
{
	start(PT_AP_RW_EL1);
	EXPECT_PERMITTED(EL1, RWX);
	EXPECT_PERMITTED(EL0, EXEC_OK);
}

// What EL0 may write, EL1 may not execute.
TEST(ap_1_gives_both_read_write_and_takes_execution_from_el1)
{
	start(PT_AP_RW_ALL);
	EXPECT_PERMITTED(EL1, RW);
	EXPECT_PERMITTED(EL0, RWX);
}

TEST(ap_2_gives_el1_read_only)
{
	start(PT_AP_RO_EL1);
	EXPECT_PERMITTED(EL1, RX);
	EXPECT_PERMITTED(EL0, EXEC_OK);
}

TEST(ap_3_gives_both_read_only)
{
	start(PT_AP_RO_ALL);
	EXPECT_PERMITTED(EL1, RX);
	EXPECT_PERMITTED(EL0, RX);
}

TEST(uxn_takes_execution_from_el0_alone)
{
	start(PT_AP_RO_ALL | PT_UXN);
	EXPECT_PERMITTED(EL1, RX);
	EXPECT_PERMITTED(EL0, READ_OK);
}

TEST(pxn_takes_execution_from_el1_alone)
{
	start(PT_AP_RO_ALL | PT_PXN);
	EXPECT_PERMITTED(EL1, READ_OK);
	EXPECT_PERMITTED(EL0, RX);
}

TEST(uxn_and_pxn_together_take_it_from_both)
{
	start(PT_AP_RW_EL1 | PT_PXN | PT_UXN);
	EXPECT_PERMITTED(EL1, RW);
	EXPECT_PERMITTED(EL0, 0);
}

// ---- WXN ----------------------------------------------------------------------------------------

TEST(wxn_takes_execution_of_writable_memory)
{
	start(PT_AP_RW_EL1);
	write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | SCTLR_WXN);
	tlbi_all();
	EXPECT_PERMITTED(EL1, RW);
	EXPECT_PERMITTED(EL0, EXEC_OK); // not writable to EL0
	start(PT_AP_RW_ALL);
	write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | SCTLR_WXN);
	tlbi_all();
	EXPECT_PERMITTED(EL1, RW);
	EXPECT_PERMITTED(EL0, RW);
}

TEST(wxn_leaves_read_only_memory_executable)
{
	start(PT_AP_RO_ALL);
	write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | SCTLR_WXN);
	tlbi_all();
	EXPECT_PERMITTED(EL1, RX);
	EXPECT_PERMITTED(EL0, RX);
}

TEST(wxn_holds_at_el2)
{
	guest_reset();
	pgtable_init(&tables, 12, 39);
	map_guest_code(&tables);
	map_page(&tables, VA, (uint64_t)scratch[4], PT_NORMAL | PT_AP_RW_ALL, 3);
	stage1_on_el2(&tables);
	*(volatile uint32_t *)scratch[4] = INSN_RET;
	__asm__ volatile("dsb sy\n\tic iallu\n\tdsb sy\n\tisb" ::: "memory");
	struct exc without = run_at(EL2, call_x0, VA);
	write_sysreg(sctlr_el2, read_sysreg(sctlr_el2) | SCTLR_WXN);
	tlbi_all();
	struct exc with = run_at(EL2, call_x0, VA);

	EXPECT_NO_EXC(without);
	EXPECT_ABORT(with, EL2, EC_IABT_SAME, FSC_PERMISSION(3), VA);
}

// ---- Hierarchical attributes --------------------------------------------------------------------

// Sets attributes in the table descriptor of a level above VA's page.
static void table_attrs(int level, uint64_t bits)
{
	*pgtable_entry(&tables, VA, level) |= bits;
	tlbi_all();
}

TEST(aptable_1_takes_el0_access)
{
	for (int level = 1; level <= 2; level++) {
		start(PT_AP_RW_ALL | PT_UXN);
		table_attrs(level, PT_AP_TABLE(1));
		EXPECT_PERMITTED(EL0, 0);
		// AP becomes 00: EL1 may execute again.
		EXPECT_PERMITTED(EL1, RWX);
	}
}

TEST(aptable_2_takes_write_access)
{
	for (int level = 1; level <= 2; level++) {
		start(PT_AP_RW_ALL);
		table_attrs(level, PT_AP_TABLE(2));
		EXPECT_PERMITTED(EL0, RX);
		EXPECT_PERMITTED(EL1, RX);
	}
}

TEST(aptable_3_takes_both)
{
	start(PT_AP_RW_ALL);
	table_attrs(1, PT_AP_TABLE(3));
	EXPECT_PERMITTED(EL0, EXEC_OK);
	EXPECT_PERMITTED(EL1, RX);
}

TEST(aptable_of_two_levels_adds_up)
{
	start(PT_AP_RW_ALL | PT_UXN);
	table_attrs(1, PT_AP_TABLE(1));
	table_attrs(2, PT_AP_TABLE(2));
	EXPECT_PERMITTED(EL0, 0);
	EXPECT_PERMITTED(EL1, RX);
}

TEST(uxntable_and_pxntable_take_execution)
{
	for (int level = 1; level <= 2; level++) {
		start(PT_AP_RO_ALL);
		table_attrs(level, PT_XN_TABLE);
		EXPECT_PERMITTED(EL0, READ_OK);
		EXPECT_PERMITTED(EL1, RX);
		start(PT_AP_RO_ALL);
		table_attrs(level, PT_PXN_TABLE);
		EXPECT_PERMITTED(EL0, RX);
		EXPECT_PERMITTED(EL1, READ_OK);
	}
}

TEST(hpd0_switches_hierarchical_attributes_off)
{
	start(PT_AP_RW_ALL | PT_UXN);
	table_attrs(1, PT_AP_TABLE(3) | PT_XN_TABLE | PT_PXN_TABLE);
	write_sysreg(tcr_el1, tcr_el1_value(&tables) | TCR_HPD0);
	tlbi_all();
	EXPECT_PERMITTED(EL0, RW);
	EXPECT_PERMITTED(EL1, RW);
}

// In the EL2 regime APTable[0] and PXNTable say nothing; APTable[1] and XNTable hold.
TEST(el2_hierarchical_attributes)
{
	guest_reset();
	*(volatile uint32_t *)scratch[4] = INSN_RET;
	pgtable_init(&tables, 12, 39);
	map_guest_code(&tables);
	map_page(&tables, VA, (uint64_t)scratch[4], PT_NORMAL | PT_AP_RW_ALL, 3);
	table_attrs(2, PT_AP_TABLE(2) | PT_XN_TABLE);
	stage1_on_el2(&tables);
	struct exc r = run_at(EL2, load_x0, VA);
	struct exc w = run_at(EL2, store_x0, VA);
	struct exc x = run_at(EL2, call_x0, VA);

	EXPECT_NO_EXC(r);
	EXPECT_ABORT(w, EL2, EC_DABT_SAME, ISS_WNR | FSC_PERMISSION(3), VA);
	EXPECT_ABORT(x, EL2, EC_IABT_SAME, FSC_PERMISSION(3), VA);
}

// ---- PAN, EPAN, UAO -----------------------------------------------------------------------------

#define HAS_PAN id_field(read_sysreg(id_aa64mmfr1_el1), 20)

TEST(pan_takes_el1_data_access_to_el0_memory)
{
	SKIP_UNLESS(HAS_PAN, "no FEAT_PAN");
	start(PT_AP_RW_ALL);
	EXPECT_PERMITTED_WITH(EL1, SPSR_PAN, 0);
	start(PT_AP_RO_ALL);
	EXPECT_PERMITTED_WITH(EL1, SPSR_PAN, EXEC_OK);
}

TEST(pan_leaves_privileged_memory_and_el0)
{
	SKIP_UNLESS(HAS_PAN, "no FEAT_PAN");
	start(PT_AP_RW_EL1);
	EXPECT_PERMITTED_WITH(EL1, SPSR_PAN, RWX);
	start(PT_AP_RW_ALL);
	EXPECT_PERMITTED_WITH(EL0, SPSR_PAN, RWX);
}

// Memory that EL0 may only execute is not guarded by PAN without EPAN.
TEST(pan_alone_leaves_el0_execute_only_memory)
{
	SKIP_UNLESS(HAS_PAN, "no FEAT_PAN");
	start(PT_AP_RW_EL1 | PT_PXN);
	EXPECT_PERMITTED_WITH(EL1, SPSR_PAN, RW);
}

TEST(epan_guards_el0_execute_only_memory)
{
	SKIP_UNLESS(HAS_PAN >= 3, "no FEAT_PAN3");
	start(PT_AP_RW_EL1 | PT_PXN);
	write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | SCTLR_EPAN);
	tlbi_all();
	EXPECT_PERMITTED_WITH(EL1, SPSR_PAN, 0);
	EXPECT_PERMITTED_WITH(EL1, 0, RW);
	start(PT_AP_RW_EL1 | PT_PXN | PT_UXN);
	write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | SCTLR_EPAN);
	tlbi_all();
	EXPECT_PERMITTED_WITH(EL1, SPSR_PAN, RW);
}

TEST(pan_does_not_hold_for_unprivileged_loads)
{
	SKIP_UNLESS(HAS_PAN, "no FEAT_PAN");
	start(PT_AP_RW_ALL);
	struct exc r = run_at_spsr(guest_spsr(EL1) | SPSR_PAN, load_unprivileged, VA);
	struct exc w = run_at_spsr(guest_spsr(EL1) | SPSR_PAN, store_unprivileged, VA, INSN_RET);

	EXPECT_NO_EXC(r);
	EXPECT_NO_EXC(w);
}

// But for DC ZVA, which writes.
TEST(pan_does_not_hold_for_cache_maintenance)
{
	SKIP_UNLESS(HAS_PAN, "no FEAT_PAN");
	start(PT_AP_RW_ALL);
	struct exc invalidate = run_at_spsr(guest_spsr(EL1) | SPSR_PAN, invalidate_x0, VA);
	struct exc clean = run_at_spsr(guest_spsr(EL1) | SPSR_PAN, clean_x0, VA);
	struct exc zero = run_at_spsr(guest_spsr(EL1) | SPSR_PAN, zero_x0, VA);

	EXPECT_NO_EXC(invalidate);
	EXPECT_NO_EXC(clean);
	EXPECT_ABORT(zero, EL1, EC_DABT_SAME, ISS_WNR | FSC_PERMISSION(3), VA);
}

TEST(ldtr_and_sttr_at_el1_have_the_permissions_of_el0)
{
	start(PT_AP_RW_EL1);
	struct exc r = run_at(EL1, load_unprivileged, VA);
	struct exc w = run_at(EL1, store_unprivileged, VA);

	EXPECT_ABORT(r, EL1, EC_DABT_SAME, FSC_PERMISSION(3), VA);
	EXPECT_ABORT(w, EL1, EC_DABT_SAME, ISS_WNR | FSC_PERMISSION(3), VA);
	start(PT_AP_RO_ALL);
	r = run_at(EL1, load_unprivileged, VA);
	w = run_at(EL1, store_unprivileged, VA);

	EXPECT_NO_EXC(r);
	EXPECT_ABORT(w, EL1, EC_DABT_SAME, ISS_WNR | FSC_PERMISSION(3), VA);
}

TEST(uao_makes_ldtr_and_sttr_privileged)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr2_el1), 4), "no FEAT_UAO");
	start(PT_AP_RW_EL1);
	struct exc r = run_at_spsr(guest_spsr(EL1) | SPSR_UAO, load_unprivileged, VA);
	struct exc w = run_at_spsr(guest_spsr(EL1) | SPSR_UAO, store_unprivileged, VA, INSN_RET);

	EXPECT_NO_EXC(r);
	EXPECT_NO_EXC(w);
	start(PT_AP_RW_ALL);
	r = run_at_spsr(guest_spsr(EL1) | SPSR_UAO | SPSR_PAN, load_unprivileged, VA);
	EXPECT_ABORT(r, EL1, EC_DABT_SAME, FSC_PERMISSION(3), VA);
}

TEST(ldtr_at_el2_and_el3_is_an_ordinary_load)
{
	guest_reset();
	pgtable_init(&tables, 12, 39);
	map_guest_code(&tables);
	map_page(&tables, VA, (uint64_t)scratch[4], PT_NORMAL | PT_AP_RW_ALL, 3);
	stage1_on_el2(&tables);
	struct exc e2 = run_at(EL2, load_unprivileged, VA);
	struct exc e3 = run_at(EL3, load_unprivileged, scratch[4]);

	EXPECT_NO_EXC(e2);
	EXPECT_NO_EXC(e3);
}

SNIPPET(set_pan, "msr S0_0_C4_C1_4, xzr\n\tmrs x0, S3_0_C4_C2_3"); // MSR PAN, #1
SNIPPET(set_uao, "msr S0_0_C4_C1_3, xzr\n\tmrs x0, S3_0_C4_C2_4"); // MSR UAO, #1
SNIPPET(write_pan_register, "msr S3_0_C4_C2_3, x0\n\tmrs x1, S3_0_C4_C2_3");

TEST(msr_pan_and_uao_immediate_set_pstate)
{
	SKIP_UNLESS(HAS_PAN && id_field(read_sysreg(id_aa64mmfr2_el1), 4), "no FEAT_PAN, FEAT_UAO");
	struct exc pan = run_at(EL1, set_pan);
	struct exc uao = run_at(EL1, set_uao);
	struct exc el0 = run_at(EL0, set_pan);

	EXPECT_NO_EXC(pan);
	EXPECT_REG(pan, 0, SPSR_PAN);
	EXPECT_MASKED(pan.pstate, SPSR_PAN, SPSR_PAN);
	EXPECT_REG(uao, 0, SPSR_UAO);
	EXPECT_EXC(el0, EL1, EC_UNKNOWN, 0);
}

TEST(msr_pan_register_writes_bit_22_alone)
{
	SKIP_UNLESS(HAS_PAN, "no FEAT_PAN");
	struct exc on = run_at(EL1, write_pan_register, ~0ul);
	struct exc off = run_at_spsr(guest_spsr(EL1) | SPSR_PAN, write_pan_register, ~SPSR_PAN);

	EXPECT_REG(on, 1, SPSR_PAN);
	EXPECT_REG(off, 1, 0);
}

// ---- E0PD ---------------------------------------------------------------------------------------

TEST(e0pd0_faults_el0_at_level_0_and_leaves_el1)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr2_el1), 60), "no FEAT_E0PD");
	start(PT_AP_RW_ALL);
	// The EL0 code itself must stay reachable: it runs from the upper half.
	struct pgtable upper;
	const uint64_t high = -(1ul << 39);
	const uint64_t code = high | ((uint64_t)snippets_start & ((1ul << 39) - 1));

	pgtable_init(&upper, 12, 39);
	map_range(&upper, code, (uint64_t)snippets_start, (uint64_t)(snippets_end - snippets_start),
		  PT_NORMAL | PT_AP_RO_ALL, 3);
	map_page(&upper, high, (uint64_t)scratch[5], PT_NORMAL | PT_AP_RW_ALL, 3);
	write_sysreg(ttbr1_el1, upper.root);
	write_sysreg(tcr_el1, (tcr_el1_value(&tables) & ~(BIT(23) | 0x3ful << 16)) | 25ul << 16 |
				      1ul << 24 | 1ul << 26 | 3ul << 28 | TCR_E0PD0);
	tlbi_all();
	const uint64_t delta = code - (uint64_t)snippets_start;
	struct exc e0 = run_at(EL0, (uint64_t)load_x0 + delta, VA);
	struct exc high0 = run_at(EL0, (uint64_t)load_x0_svc + delta, high);
	struct exc e1 = run_at(EL1, load_x0, VA);
	struct exc ldtr = run_at(EL1, load_unprivileged, VA);

	EXPECT_ABORT(e0, EL1, EC_DABT_LOWER, FSC_TRANSLATION(0), VA);
	EXPECT_NO_EXC(high0);
	EXPECT_NO_EXC(e1);
	EXPECT_ABORT(ldtr, EL1, EC_DABT_SAME, FSC_TRANSLATION(0), VA);
}

// ---- Read and write by one instruction ----------------------------------------------------------

SNIPPET(ldadd, "ldadd x1, x2, [x0]");
SNIPPET(cas_equal, "cas x1, x2, [x0]");
SNIPPET(swp, "swp x1, x2, [x0]");
SNIPPET(ldxr, "ldxr x1, [x0]");
SNIPPET(ldxr_stxr, "ldxr x1, [x3]\n\tstxr w2, x1, [x0]");

TEST(atomics_on_read_only_memory_fault_as_writes)
{
	start(PT_AP_RO_ALL);
	struct exc add = run_at(EL1, ldadd, VA);
	struct exc swap = run_at(EL1, swp, VA);
	struct exc load = run_at(EL1, ldxr, VA);

	EXPECT_ABORT(add, EL1, EC_DABT_SAME, ISS_WNR | FSC_PERMISSION(3), VA);
	EXPECT_ABORT(swap, EL1, EC_DABT_SAME, ISS_WNR | FSC_PERMISSION(3), VA);
	EXPECT_NO_EXC(load);
}

TEST(store_exclusive_on_read_only_memory_faults_as_a_write)
{
	start(PT_AP_RO_ALL);
	struct exc e = run_at(EL1, ldxr_stxr, VA, 0, 0, VA);

	EXPECT_ABORT(e, EL1, EC_DABT_SAME, ISS_WNR | FSC_PERMISSION(3), VA);
}

// A fault that the read alone would have raised is reported as a read.
TEST(atomics_on_unmapped_memory_fault_as_reads)
{
	QEMU_7_DIFFERS("reports a write");
	start(PT_AP_RW_ALL);
	struct exc add = run_at(EL1, ldadd, VA + 0x1000);
	struct exc swap = run_at(EL1, swp, VA + 0x1000);
	struct exc cas = run_at(EL1, cas_equal, VA + 0x1000);

	EXPECT_ABORT(add, EL1, EC_DABT_SAME, FSC_TRANSLATION(3), VA + 0x1000);
	EXPECT_ABORT(swap, EL1, EC_DABT_SAME, FSC_TRANSLATION(3), VA + 0x1000);
	EXPECT_ABORT(cas, EL1, EC_DABT_SAME, FSC_TRANSLATION(3), VA + 0x1000);
}

// ---- Cache maintenance --------------------------------------------------------------------------

TEST(cache_maintenance_of_unmapped_memory_faults_with_cm_and_wnr)
{
	static const struct sysreg ops[] = {
		SYSREG(dc_cvac, 1, 3, 7, 10, 1),
		SYSREG(dc_civac, 1, 3, 7, 14, 1),
		SYSREG(dc_ivac, 1, 0, 7, 6, 1),
		SYSREG(dc_cvau, 1, 3, 7, 11, 1),
	};

	QEMU_DIFFERS("does not translate for cache maintenance");
	start(PT_AP_RW_ALL);
	FOR_EACH_REG(r, ops)
	{
		struct exc e = access_at(EL1, WRITE, *r, VA + 0x1040);

		EXPECT_ABORT(e, EL1, EC_DABT_SAME, ISS_CM | ISS_WNR | FSC_TRANSLATION(3),
			     VA + 0x1040);
	}
}

TEST(dc_zva_faults_as_a_write_without_cm)
{
	const struct sysreg zva = SYSREG(dc_zva, 1, 3, 7, 4, 1);

	start(PT_AP_RO_ALL);
	struct exc ro = access_at(EL1, WRITE, zva, VA);
	struct exc unmapped = access_at(EL1, WRITE, zva, VA + 0x1000);

	EXPECT_ABORT(ro, EL1, EC_DABT_SAME, ISS_WNR | FSC_PERMISSION(3), VA);
	EXPECT_ABORT(unmapped, EL1, EC_DABT_SAME, ISS_WNR | FSC_TRANSLATION(3), VA + 0x1000);
}

TEST(prefetch_never_faults)
{
	start(PT_AP_RW_ALL);
	struct exc load = run_at(EL1, emit(0xf9800000), VA + 0x1000); // PRFM PLDL1KEEP, [x0]
	struct exc store = run_at(EL1, emit(0xf9800010), VA + 0x1000); // PRFM PSTL1KEEP, [x0]

	EXPECT_NO_EXC(load);
	EXPECT_NO_EXC(store);
}
