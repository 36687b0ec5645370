// SPDX-License-Identifier: Apache-2.0
//
// mmu_at.c - the address translation instructions and PAR_EL1: success and failure of each stage
// and regime, the attributes that are reported, which faults are exceptions instead, and who may
// use them.

#include "abort.h"
#include "emit.h"

#define VA 0xc0000000ul
#define LOW_IPA 0x80000000ul
#define HAS_VHE id_field(read_sysreg(id_aa64mmfr1_el1), 8)

#define PAR_F BIT(0)
#define PAR_FST(fsc) ((uint64_t)(fsc) << 1)
#define PAR_PTW BIT(8)
#define PAR_S BIT(9)
#define PAR_NSE_RES1 BIT(11)
#define PAR_PA_MASK 0xffffffffff000ul
#define PAR_SH(n) ((uint64_t)(n) << 7)
#define PAR_ATTR(n) ((uint64_t)(n) << 56)
#define PAR_NS BIT(9)
#define ATTR_WB 0xff
#define ATTR_NC 0x44
#define ATTR_DEVICE 0x00

// AT <op>, x0; then PAR_EL1 into x0.
#define AT_SNIPPET(op) SNIPPET(at_##op, "at " #op ", x0\n\tisb\n\tmrs x0, par_el1")
AT_SNIPPET(s1e0r);
AT_SNIPPET(s1e0w);
AT_SNIPPET(s1e1r);
AT_SNIPPET(s1e1w);
AT_SNIPPET(s1e2r);
AT_SNIPPET(s1e2w);
AT_SNIPPET(s1e3r);
AT_SNIPPET(s1e3w);
AT_SNIPPET(s12e0r);
AT_SNIPPET(s12e0w);
AT_SNIPPET(s12e1r);
AT_SNIPPET(s12e1w);
SNIPPET(at_s1e1rp, "sys #0, c7, c9, #0, x0\n\tisb\n\tmrs x0, par_el1");
SNIPPET(at_s1e1wp, "sys #0, c7, c9, #1, x0\n\tisb\n\tmrs x0, par_el1");

SNIPPET(load, "ldr x0, [x0]");

static struct pgtable s1, s2;

static void start(uint64_t attrs)
{
	guest_reset();
	pgtable_init(&s1, 12, 39);
	map_guest_code(&s1);
	map_page(&s1, VA, (uint64_t)scratch[0], PT_NORMAL | attrs, 3);
}

static void start_el1(uint64_t attrs)
{
	start(attrs);
	stage1_on_el1(&s1);
}

static void expect_pa(int line, const struct exc *e, uint64_t pa)
{
	guest_expect_no_exc("AT", line, e);
	guest_expect_eq("AT", line, "PAR.F", e->x[0] & PAR_F, 0);
	guest_expect_eq("AT", line, "PAR.PA", e->x[0] & PAR_PA_MASK, pa & PAR_PA_MASK);
	guest_expect_eq("AT", line, "PAR[11]", e->x[0] & PAR_NSE_RES1, PAR_NSE_RES1);
}

static void expect_par_fault(int line, const struct exc *e, uint64_t bits)
{
	guest_expect_no_exc("AT", line, e);
	guest_expect_eq("AT", line, "PAR fault",
			e->x[0] & (PAR_F | PAR_FST(0x3f) | PAR_PTW | PAR_S), PAR_F | bits);
	guest_expect_eq("AT", line, "PAR[11]", e->x[0] & PAR_NSE_RES1, PAR_NSE_RES1);
}

#define EXPECT_PA(e, pa) expect_pa(__LINE__, &(e), (uint64_t)(pa))
#define EXPECT_PAR_FAULT(e, bits) expect_par_fault(__LINE__, &(e), bits)

// ---- Stage 1 of EL1&0 ---------------------------------------------------------------------------

TEST(at_s1e1r_gives_the_address)
{
	start_el1(PT_AP_RW_ALL);
	struct exc e1 = run_at(EL1, at_s1e1r, VA + 0x123);
	struct exc e2 = run_at(EL2, at_s1e1r, VA);
	struct exc e3 = run_at(EL3, at_s1e1r, VA);

	EXPECT_PA(e1, scratch[0]);
	EXPECT_PA(e2, scratch[0]);
	EXPECT_PA(e3, scratch[0]);
}

TEST(at_of_el1_and_el0_read_and_write_ask_the_permissions)
{
	start_el1(PT_AP_RO_EL1);
	struct exc r1 = run_at(EL1, at_s1e1r, VA);
	struct exc w1 = run_at(EL1, at_s1e1w, VA);
	struct exc r0 = run_at(EL1, at_s1e0r, VA);
	struct exc w0 = run_at(EL1, at_s1e0w, VA);

	EXPECT_PA(r1, scratch[0]);
	EXPECT_PAR_FAULT(w1, PAR_FST(FSC_PERMISSION(3)));
	EXPECT_PAR_FAULT(r0, PAR_FST(FSC_PERMISSION(3)));
	EXPECT_PAR_FAULT(w0, PAR_FST(FSC_PERMISSION(3)));
	start_el1(PT_AP_RW_ALL);
	r0 = run_at(EL1, at_s1e0r, VA);
	w0 = run_at(EL1, at_s1e0w, VA);
	EXPECT_PA(r0, scratch[0]);
	EXPECT_PA(w0, scratch[0]);
}

TEST(at_reports_translation_faults_of_every_level)
{
	for (int level = 1; level <= 3; level++) {
		start(PT_AP_RW_ALL);
		*pgtable_entry(&s1, VA, level) = 0;
		stage1_on_el1(&s1);
		struct exc e = run_at(EL1, at_s1e1r, VA);

		EXPECT_PAR_FAULT(e, PAR_FST(FSC_TRANSLATION(level)));
	}
	start_el1(PT_AP_RW_ALL);
	struct exc e = run_at(EL1, at_s1e1r, 1ul << 39);
	EXPECT_PAR_FAULT(e, PAR_FST(FSC_TRANSLATION(0)));
}

TEST(at_reports_access_flag_and_address_size_faults)
{
	start(0);
	map_page(&s1, VA, (uint64_t)scratch[0], (PT_NORMAL & ~PT_AF) | PT_AP_RW_ALL, 3);
	map_page(&s1, VA + 0x1000, 1ul << 36, PT_NORMAL | PT_AP_RW_ALL, 3);
	stage1_on_el1(&s1);
	write_sysreg(tcr_el1, tcr_el1_value(&s1) & ~(7ul << 32));
	tlbi_all();
	struct exc af = run_at(EL1, at_s1e1r, VA);
	struct exc size = run_at(EL1, at_s1e1r, VA + 0x1000);

	EXPECT_PAR_FAULT(af, PAR_FST(FSC_ACCESS(3)));
	EXPECT_PAR_FAULT(size, PAR_FST(FSC_ADDR_SIZE(3)));
}

TEST(at_does_not_change_esr_and_far)
{
	start(0);
	*pgtable_entry(&s1, VA, 3) = 0;
	stage1_on_el1(&s1);
	write_sysreg(esr_el1, 0x1);
	write_sysreg(far_el1, 0x2);
	(void)run_at(EL1, at_s1e1r, VA);

	EXPECT_EQ(read_sysreg(esr_el1), 0x1);
	EXPECT_EQ(read_sysreg(far_el1), 0x2);
}

TEST(par_reports_memory_attributes_and_shareability)
{
	const uint64_t mask = PAR_ATTR(0xff) | PAR_SH(3);

	start(0);
	map_page(&s1, VA, (uint64_t)scratch[0], PT_NORMAL | PT_AP_RW_ALL, 3);
	map_page(&s1, VA + 0x1000, (uint64_t)scratch[0],
		 PT_AF | PT_SH_OUTER | PT_ATTR(MAIR_WB) | PT_AP_RW_ALL, 3);
	map_page(&s1, VA + 0x2000, (uint64_t)scratch[0], PT_AF | PT_ATTR(MAIR_WB) | PT_AP_RW_ALL,
		 3);
	stage1_on_el1(&s1);
	struct exc inner = run_at(EL1, at_s1e1r, VA);
	struct exc outer = run_at(EL1, at_s1e1r, VA + 0x1000);
	struct exc non = run_at(EL1, at_s1e1r, VA + 0x2000);

	EXPECT_MASKED(inner.x[0], mask, PAR_ATTR(ATTR_WB) | PAR_SH(3));
	EXPECT_MASKED(outer.x[0], mask, PAR_ATTR(ATTR_WB) | PAR_SH(2));
	EXPECT_MASKED(non.x[0], mask, PAR_ATTR(ATTR_WB) | PAR_SH(0));
}

TEST(par_reports_non_cacheable_and_device_memory_as_outer_shareable)
{
	const uint64_t mask = PAR_ATTR(0xff) | PAR_SH(3);

	QEMU_7_DIFFERS("reports the shareability of the descriptor");
	start(0);
	map_page(&s1, VA + 0x2000, (uint64_t)scratch[0], PT_AF | PT_ATTR(MAIR_NC) | PT_AP_RW_ALL,
		 3);
	map_page(&s1, VA + 0x3000, (uint64_t)scratch[0], PT_DEVICE | PT_AP_RW_ALL, 3);
	stage1_on_el1(&s1);
	struct exc nc = run_at(EL1, at_s1e1r, VA + 0x2000);
	struct exc device = run_at(EL1, at_s1e1r, VA + 0x3000);

	EXPECT_MASKED(nc.x[0], mask, PAR_ATTR(ATTR_NC) | PAR_SH(2));
	EXPECT_MASKED(device.x[0], mask, PAR_ATTR(ATTR_DEVICE) | PAR_SH(2));
}

TEST(at_with_the_mmu_off_is_flat_and_device)
{
	struct exc e = run_at(EL1, at_s1e1r, VA);

	EXPECT_PA(e, VA);
	EXPECT_MASKED(e.x[0], PAR_ATTR(0xff), PAR_ATTR(ATTR_DEVICE));
}

TEST(at_s1e1_ignores_pan_and_the_p_forms_ask_it)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr1_el1), 20) >= 2, "no FEAT_PAN2");
	start_el1(PT_AP_RW_ALL);
	struct exc plain = run_at_spsr(guest_spsr(EL1) | SPSR_PAN, at_s1e1r, VA);
	struct exc rp = run_at_spsr(guest_spsr(EL1) | SPSR_PAN, at_s1e1rp, VA);
	struct exc wp = run_at_spsr(guest_spsr(EL1) | SPSR_PAN, at_s1e1wp, VA);
	struct exc no_pan = run_at(EL1, at_s1e1rp, VA);

	EXPECT_PA(plain, scratch[0]);
	EXPECT_PAR_FAULT(rp, PAR_FST(FSC_PERMISSION(3)));
	EXPECT_PAR_FAULT(wp, PAR_FST(FSC_PERMISSION(3)));
	EXPECT_PA(no_pan, scratch[0]);
}

// ---- The EL2, EL2&0 and EL3 regimes -------------------------------------------------------------

TEST(at_s1e2_uses_the_el2_regime)
{
	start(PT_AP_RO_ALL);
	stage1_on_el2(&s1);
	struct exc r2 = run_at(EL2, at_s1e2r, VA);
	struct exc w2 = run_at(EL2, at_s1e2w, VA);
	struct exc r3 = run_at(EL3, at_s1e2r, VA);
	struct exc miss = run_at(EL2, at_s1e2r, VA + 0x1000);

	EXPECT_PA(r2, scratch[0]);
	EXPECT_PAR_FAULT(w2, PAR_FST(FSC_PERMISSION(3)));
	EXPECT_PA(r3, scratch[0]);
	EXPECT_PAR_FAULT(miss, PAR_FST(FSC_TRANSLATION(3)));
}

TEST(at_s1e3_uses_the_el3_regime)
{
	start(PT_AP_RO_ALL);
	map_image_el3(&s1);
	stage1_on_el3(&s1);
	struct exc r = run_at(EL3, at_s1e3r, VA);
	struct exc w = run_at(EL3, at_s1e3w, VA);

	EXPECT_PA(r, scratch[0]);
	EXPECT_PAR_FAULT(w, PAR_FST(FSC_PERMISSION(3)));
}

// In a host, S1E0 and S1E1 of EL2 mean the EL2&0 regime.
TEST(at_s1e1_and_s1e0_in_a_host_use_the_el20_regime)
{
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	start(PT_AP_RW_EL1);
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H | HCR_TGE);
	stage1_on_el20(&s1);
	struct exc r1 = run_at(EL2, at_s1e1r, VA);
	struct exc r0 = run_at(EL2, at_s1e0r, VA);

	EXPECT_PA(r1, scratch[0]);
	EXPECT_PAR_FAULT(r0, PAR_FST(FSC_PERMISSION(3)));
}

TEST(at_s1e1_with_e2h_alone_uses_the_el1_regime)
{
	struct pgtable host;

	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	start(PT_AP_RW_ALL);
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H);
	stage1_on_el1(&s1);
	pgtable_init(&host, 12, 39);
	map_guest_code(&host);
	stage1_on_el20(&host);
	struct exc e = run_at(EL2, at_s1e1r, VA);
	struct exc e2 = run_at(EL2, at_s1e2r, VA);

	EXPECT_PA(e, scratch[0]);
	EXPECT_PAR_FAULT(e2, PAR_FST(FSC_TRANSLATION(1)));
}

// ---- Both stages --------------------------------------------------------------------------------

static void start_both(uint64_t s1_attrs)
{
	guest_reset();
	pgtable_init_stage2(&s2, 12, 40, 1);
	map_guest_code_stage2(&s2);
	pgtable_init(&s1, 12, 39);
	map_guest_code(&s1);
	map_page(&s1, VA, LOW_IPA, PT_NORMAL | s1_attrs, 3);
	uint64_t tables = (uint64_t)image_end & ~0x1ffffful;
	map_range(&s2, tables, tables, 0x400000, S2_NORMAL | S2_RW, 2);
	stage1_on_el1(&s1);
}

TEST(at_s12_gives_the_physical_and_s1_the_intermediate_address)
{
	start_both(PT_AP_RW_ALL);
	map_page(&s2, LOW_IPA, (uint64_t)scratch[1], S2_NORMAL | S2_RW, 3);
	stage2_on(&s2);
	struct exc s1e1 = run_at(EL2, at_s1e1r, VA);
	struct exc s12e1 = run_at(EL2, at_s12e1r, VA);
	struct exc s12e0 = run_at(EL2, at_s12e0w, VA);
	struct exc from3 = run_at(EL3, at_s12e1r, VA);
	struct exc from1 = run_at(EL1, at_s1e1r, VA);

	EXPECT_PA(s1e1, LOW_IPA);
	EXPECT_PA(s12e1, scratch[1]);
	EXPECT_PA(s12e0, scratch[1]);
	EXPECT_PA(from3, scratch[1]);
	EXPECT_PA(from1, LOW_IPA);
}

TEST(at_s12_reports_stage2_faults_with_s)
{
	start_both(PT_AP_RW_ALL);
	map_page(&s2, LOW_IPA, (uint64_t)scratch[1], S2_NORMAL | S2_R, 3);
	stage2_on(&s2);
	struct exc read = run_at(EL2, at_s12e1r, VA);
	struct exc write = run_at(EL2, at_s12e1w, VA);
	*pgtable_entry(&s2, LOW_IPA, 3) = 0;
	tlbi_all();
	struct exc gone = run_at(EL2, at_s12e1r, VA);

	EXPECT_PA(read, scratch[1]);
	EXPECT_PAR_FAULT(write, PAR_S | PAR_FST(FSC_PERMISSION(3)));
	EXPECT_PAR_FAULT(gone, PAR_S | PAR_FST(FSC_TRANSLATION(3)));
}

TEST(at_s12_reports_stage1_faults_without_s)
{
	start_both(PT_AP_RO_ALL);
	map_page(&s2, LOW_IPA, (uint64_t)scratch[1], S2_NORMAL | S2_RW, 3);
	stage2_on(&s2);
	struct exc write = run_at(EL2, at_s12e1w, VA);
	struct exc miss = run_at(EL2, at_s12e0r, VA + 0x1000);

	EXPECT_PAR_FAULT(write, PAR_FST(FSC_PERMISSION(3)));
	EXPECT_PAR_FAULT(miss, PAR_FST(FSC_TRANSLATION(3)));
}

// A stage-2 fault on the stage-1 walk of AT S1E1 executed at EL1 is an exception to EL2; at EL2 it
// is reported in PAR with PTW and S.
TEST(at_s1_with_a_stage2_fault_on_the_walk)
{
	const uint64_t hole = 0x200000000ul;

	start_both(PT_AP_RW_ALL);
	*pgtable_entry(&s1, VA, 2) = hole | 3;
	stage2_on(&s2);
	struct exc e2 = run_at(EL2, at_s12e1r, VA);
	struct exc e1 = run_at(EL1, at_s1e1r, VA);

	EXPECT_EQ(e1.el, EL2);
	EXPECT_EQ(e1.esr >> 26, EC_DABT_LOWER);
	EXPECT_MASKED(e1.esr, ISS_CM | ISS_S1PTW, ISS_CM | ISS_S1PTW);
	EXPECT_EQ(e1.far, VA);
	EXPECT_EQ(e1.hpfar, hole >> 12 << 4);
	EXPECT_NO_EXC(e2);
	EXPECT_MASKED(e2.x[0], PAR_F | PAR_PTW | PAR_S, PAR_F | PAR_PTW | PAR_S);
}

// What an access could use from the TLB, AT uses too. Neither has to be there, but a hypervisor
// that looks up the IPA of a fault with AT gets no further where the access and AT see different
// things: here stage 2 of a translation table lost its Access flag, which needs no TLBI.
TEST(at_goes_by_what_the_tlb_holds)
{
	const uint64_t alias = 0x200000000ul, block = 0x1ffffful;

	QEMU_DIFFERS("AT always walks the tables");
	start_both(PT_AP_RW_ALL);
	map_page(&s2, LOW_IPA, (uint64_t)scratch[1], S2_NORMAL | S2_RW, 3);
	uint64_t *table = pgtable_entry(&s1, VA, 2);
	uint64_t level3 = *table & ~0xffful;

	map_range(&s2, alias, level3 & ~block, block + 1, S2_NORMAL | S2_RW, 2);
	*table = (alias + (level3 & block)) | 3;
	stage2_on(&s2);
	struct exc read = run_at(EL1, load, VA);
	*pgtable_entry(&s2, alias, 2) &= ~BIT(10);
	dsb_isb();
	struct exc held = run_at(EL2, at_s1e1r, VA);
	tlbi_all();
	struct exc walked = run_at(EL2, at_s1e1r, VA);

	EXPECT_NO_EXC(read);
	EXPECT_PA(held, LOW_IPA);
	EXPECT_PAR_FAULT(walked, PAR_PTW | PAR_S | PAR_FST(FSC_ACCESS(2)));
}

// Without stage 2, S12 is the same as S1.
TEST(at_s12_without_stage2_is_stage1_alone)
{
	start_el1(PT_AP_RW_ALL);
	struct exc e = run_at(EL2, at_s12e1r, VA);

	EXPECT_PA(e, scratch[0]);
}

TEST(at_s1_ignores_stage2_of_the_output_address)
{
	start_both(PT_AP_RW_ALL);
	stage2_on(&s2); // LOW_IPA is not mapped
	struct exc e1 = run_at(EL1, at_s1e1r, VA);

	EXPECT_PA(e1, LOW_IPA);
}

TEST(s2fwb_changes_the_attributes_of_stage2)
{
	const uint64_t mask = PAR_ATTR(0xff);

	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr2_el1), 40), "no FEAT_S2FWB");
	start_both(PT_AP_RW_ALL);
	*pgtable_entry(&s1, VA, 3) = LOW_IPA | PT_AF | PT_ATTR(MAIR_NC) | PT_AP_RW_ALL | 3;
	map_page(&s2, LOW_IPA, (uint64_t)scratch[1], S2_NORMAL | S2_RW, 3); // MemAttr 0b1111
	stage2_on(&s2);
	struct exc without = run_at(EL2, at_s12e1r, VA);
	// With FWB, MemAttr[2] = 1 and [1:0] = 10: Write-Back whatever stage 1 says; 11: as stage
	// 1.
	write_sysreg(hcr_el2, read_sysreg(hcr_el2) | HCR_FWB);
	*pgtable_entry(&s2, LOW_IPA, 3) =
		(uint64_t)scratch[1] | PT_AF | PT_SH_INNER | S2_MEMATTR(6) | S2_RW | 3;
	tlbi_all();
	struct exc forced = run_at(EL2, at_s12e1r, VA);
	*pgtable_entry(&s2, LOW_IPA, 3) =
		(uint64_t)scratch[1] | PT_AF | PT_SH_INNER | S2_MEMATTR(7) | S2_RW | 3;
	tlbi_all();
	struct exc kept = run_at(EL2, at_s12e1r, VA);
	*pgtable_entry(&s2, LOW_IPA, 3) =
		(uint64_t)scratch[1] | PT_AF | PT_SH_INNER | S2_MEMATTR(1) | S2_RW | 3;
	tlbi_all();
	struct exc device = run_at(EL2, at_s12e1r, VA);

	EXPECT_MASKED(without.x[0], mask, PAR_ATTR(ATTR_NC));
	EXPECT_MASKED(forced.x[0], mask, PAR_ATTR(ATTR_WB));
	EXPECT_MASKED(kept.x[0], mask, PAR_ATTR(ATTR_NC));
	EXPECT_MASKED(device.x[0], PAR_ATTR(0xf3), PAR_ATTR(0)); // Device-nGnRE: 0x04
}

// What AT says of memory that is write-back in stage 1 and weaker in stage 2.
static void weaken_by_stage_2(struct exc *nc, struct exc *device)
{
	start_both(PT_AP_RW_ALL);
	map_page(&s2, LOW_IPA, (uint64_t)scratch[1], PT_AF | S2_MEMATTR(5) | S2_RW,
		 3); // Non-cacheable
	stage2_on(&s2);
	*nc = run_at(EL2, at_s12e1r, VA);
	map_page(&s2, LOW_IPA, (uint64_t)scratch[1], S2_DEVICE | S2_RW, 3);
	tlbi_all();
	*device = run_at(EL2, at_s12e1r, VA);
}

TEST(the_weaker_memory_type_of_the_two_stages_wins)
{
	struct exc nc, device;

	weaken_by_stage_2(&nc, &device);

	// Less what FEAT_XS says.
	EXPECT_MASKED(nc.x[0], PAR_ATTR(0xfb) | PAR_SH(3), PAR_ATTR(ATTR_NC & 0xfb) | PAR_SH(2));
	EXPECT_MASKED(device.x[0], PAR_ATTR(0xfe) | PAR_SH(3), PAR_ATTR(ATTR_DEVICE) | PAR_SH(2));
}

TEST(memory_that_is_write_back_in_stage_1_has_not_the_xs_attribute)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64isar1_el1), 56) >= 1, "no FEAT_XS");
	QEMU_11_DIFFERS("PAR_EL1.ATTR does not say what stage 1 makes of XS");
	struct exc nc, device;

	weaken_by_stage_2(&nc, &device);

	EXPECT_MASKED(nc.x[0], PAR_ATTR(0xff), PAR_ATTR(0x40));
	EXPECT_MASKED(device.x[0], PAR_ATTR(0xff), PAR_ATTR(0x01));
}

// ---- Who may use them ---------------------------------------------------------------------------

static const struct sysreg at_el1_ops[] = {
	SYSREG(s1e1r, 1, 0, 7, 8, 0), SYSREG(s1e1w, 1, 0, 7, 8, 1),  SYSREG(s1e0r, 1, 0, 7, 8, 2),
	SYSREG(s1e0w, 1, 0, 7, 8, 3), SYSREG(s1e1rp, 1, 0, 7, 9, 0), SYSREG(s1e1wp, 1, 0, 7, 9, 1),
};
static const struct sysreg at_el2_ops[] = {
	SYSREG(s1e2r, 1, 4, 7, 8, 0),  SYSREG(s1e2w, 1, 4, 7, 8, 1),  SYSREG(s12e1r, 1, 4, 7, 8, 4),
	SYSREG(s12e1w, 1, 4, 7, 8, 5), SYSREG(s12e0r, 1, 4, 7, 8, 6), SYSREG(s12e0w, 1, 4, 7, 8, 7),
};
static const struct sysreg at_el3_ops[] = {
	SYSREG(s1e3r, 1, 6, 7, 8, 0),
	SYSREG(s1e3w, 1, 6, 7, 8, 1),
};

TEST(at_of_el1_is_undefined_at_el0)
{
	FOR_EACH_REG(r, at_el1_ops)
	{
		EXPECT_UNDEFINED(EL0, WRITE, *r, EL1);
		EXPECT_ACCESS(EL1, WRITE, *r);
	}
}

TEST(at_of_el2_is_undefined_below_el2)
{
	FOR_EACH_REG(r, at_el2_ops)
	{
		EXPECT_UNDEFINED(EL0, WRITE, *r, EL1);
		EXPECT_UNDEFINED(EL1, WRITE, *r, EL1);
		EXPECT_ACCESS(EL2, WRITE, *r);
	}
}

TEST(at_of_el3_is_undefined_below_el3)
{
	FOR_EACH_REG(r, at_el3_ops)
	{
		EXPECT_UNDEFINED(EL0, WRITE, *r, EL1);
		EXPECT_UNDEFINED(EL1, WRITE, *r, EL1);
		EXPECT_UNDEFINED(EL2, WRITE, *r, EL2);
		EXPECT_ACCESS(EL3, WRITE, *r);
	}
}

TEST(par_el1_can_be_written)
{
	const struct sysreg par = SYSREG(par_el1, 3, 0, 7, 4, 0);

	EXPECT_ACCESS_VALUE(EL1, WRITE, par, 0x801);
	EXPECT_MASKED(read_sysreg(par_el1), PAR_F, PAR_F);
	EXPECT_UNDEFINED(EL0, READ, par, EL1);
}
