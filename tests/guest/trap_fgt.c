// SPDX-License-Identifier: Apache-2.0
//
// trap_fgt.c - fine-grained traps (FEAT_FGT): each field of HFGRTR_EL2, HFGWTR_EL2, HDFGRTR_EL2,
// HDFGWTR_EL2 and HFGITR_EL2 traps its register or instruction and nothing else; from which levels,
// and what switches all of them off.

#include "emit.h"

#define NEEDS_FGT \
	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr0_el1), 56) >= 1, "no FEAT_FGT"); \
	enable()
#define SCR_FGTEN BIT(27)

#define SET_HFGRTR(value) write_sysreg(S3_4_C1_C1_4, value)
#define SET_HFGWTR(value) write_sysreg(S3_4_C1_C1_5, value)
#define SET_HFGITR(value) write_sysreg(S3_4_C1_C1_6, value)
#define SET_HDFGRTR(value) write_sysreg(S3_4_C3_C1_4, value)
#define SET_HDFGWTR(value) write_sysreg(S3_4_C3_C1_5, value)

static const struct sysreg hfgrtr = SYSREG(hfgrtr_el2, 3, 4, 1, 1, 4);
static const struct sysreg hdfgwtr = SYSREG(hdfgwtr_el2, 3, 4, 3, 1, 5);
static const struct sysreg sctlr = SYSREG(sctlr_el1, 3, 0, 1, 0, 0);
static const struct sysreg par = SYSREG(par_el1, 3, 0, 7, 4, 0);
static const struct sysreg apiakeylo = SYSREG(apiakeylo_el1, 3, 0, 2, 1, 0);
static const struct sysreg mdscr = SYSREG(mdscr_el1, 2, 0, 0, 2, 2);

// A field: its bit, its register, and in which of the two trap registers it exists.
struct field {
	struct sysreg reg;
	uint8_t bit;
	bool read, write;
};

#define FIELD(bit, read, write, ...) \
	{ \
		SYSREG(__VA_ARGS__), bit, read, write \
	}
#define RW(bit, ...) FIELD(bit, true, true, __VA_ARGS__)
#define R(bit, ...) FIELD(bit, true, false, __VA_ARGS__)
#define W(bit, ...) FIELD(bit, false, true, __VA_ARGS__)

static const struct field hfg[] = {
	RW(0, afsr0_el1, 3, 0, 5, 1, 0),
	RW(1, afsr1_el1, 3, 0, 5, 1, 1),
	R(2, aidr_el1, 3, 1, 0, 0, 7),
	RW(3, amair_el1, 3, 0, 10, 3, 0),
	RW(4, apdakeylo_el1, 3, 0, 2, 2, 0),
	RW(4, apdakeyhi_el1, 3, 0, 2, 2, 1),
	RW(5, apdbkeylo_el1, 3, 0, 2, 2, 2),
	RW(5, apdbkeyhi_el1, 3, 0, 2, 2, 3),
	RW(6, apgakeylo_el1, 3, 0, 2, 3, 0),
	RW(6, apgakeyhi_el1, 3, 0, 2, 3, 1),
	RW(7, apiakeylo_el1, 3, 0, 2, 1, 0),
	RW(7, apiakeyhi_el1, 3, 0, 2, 1, 1),
	RW(8, apibkeylo_el1, 3, 0, 2, 1, 2),
	RW(8, apibkeyhi_el1, 3, 0, 2, 1, 3),
	R(9, ccsidr_el1, 3, 1, 0, 0, 0),
	R(10, clidr_el1, 3, 1, 0, 0, 1),
	RW(11, contextidr_el1, 3, 0, 13, 0, 1),
	RW(12, cpacr_el1, 3, 0, 1, 0, 2),
	RW(13, csselr_el1, 3, 2, 0, 0, 0),
	R(14, ctr_el0, 3, 3, 0, 0, 1),
	R(15, dczid_el0, 3, 3, 0, 0, 7),
	RW(16, esr_el1, 3, 0, 5, 2, 0),
	RW(17, far_el1, 3, 0, 6, 0, 0),
	R(18, isr_el1, 3, 0, 12, 1, 0),
	RW(19, lorc_el1, 3, 0, 10, 4, 3),
	RW(20, lorea_el1, 3, 0, 10, 4, 1),
	R(21, lorid_el1, 3, 0, 10, 4, 7),
	RW(22, lorn_el1, 3, 0, 10, 4, 2),
	RW(23, lorsa_el1, 3, 0, 10, 4, 0),
	RW(24, mair_el1, 3, 0, 10, 2, 0),
	R(25, midr_el1, 3, 0, 0, 0, 0),
	R(26, mpidr_el1, 3, 0, 0, 0, 5),
	RW(27, par_el1, 3, 0, 7, 4, 0),
	R(28, revidr_el1, 3, 0, 0, 0, 6),
	RW(29, sctlr_el1, 3, 0, 1, 0, 0),
	RW(30, scxtnum_el1, 3, 0, 13, 0, 7),
	RW(31, scxtnum_el0, 3, 3, 13, 0, 7),
	RW(32, tcr_el1, 3, 0, 2, 0, 2),
	RW(33, tpidr_el1, 3, 0, 13, 0, 4),
	RW(34, tpidrro_el0, 3, 3, 13, 0, 3),
	RW(35, tpidr_el0, 3, 3, 13, 0, 2),
	RW(36, ttbr0_el1, 3, 0, 2, 0, 0),
	RW(37, ttbr1_el1, 3, 0, 2, 0, 1),
	RW(38, vbar_el1, 3, 0, 12, 0, 0),
	RW(39, icc_igrpen0_el1, 3, 0, 12, 12, 6),
	RW(39, icc_igrpen1_el1, 3, 0, 12, 12, 7),
	R(40, erridr_el1, 3, 0, 5, 3, 0),
	RW(41, errselr_el1, 3, 0, 5, 3, 1),
	R(42, erxfr_el1, 3, 0, 5, 4, 0),
	RW(43, erxctlr_el1, 3, 0, 5, 4, 1),
	RW(44, erxstatus_el1, 3, 0, 5, 4, 2),
	RW(45, erxmisc0_el1, 3, 0, 5, 5, 0),
	RW(45, erxmisc1_el1, 3, 0, 5, 5, 1),
	RW(45, erxmisc2_el1, 3, 0, 5, 5, 2),
	RW(45, erxmisc3_el1, 3, 0, 5, 5, 3),
	R(46, erxpfgf_el1, 3, 0, 5, 4, 4),
	RW(47, erxpfgctl_el1, 3, 0, 5, 4, 5),
	RW(48, erxpfgcdn_el1, 3, 0, 5, 4, 6),
	RW(49, erxaddr_el1, 3, 0, 5, 4, 3),
};

static const struct field hdfg[] = {
	RW(0, dbgbcr0_el1, 2, 0, 0, 0, 5),       RW(0, dbgbcr1_el1, 2, 0, 0, 1, 5),
	RW(1, dbgbvr0_el1, 2, 0, 0, 0, 4),       RW(2, dbgwcr0_el1, 2, 0, 0, 0, 7),
	RW(3, dbgwvr0_el1, 2, 0, 0, 0, 6),       RW(4, mdscr_el1, 2, 0, 0, 2, 2),
	RW(5, dbgclaimset_el1, 2, 0, 7, 8, 6),   RW(5, dbgclaimclr_el1, 2, 0, 7, 9, 6),
	R(6, dbgauthstatus_el1, 2, 0, 7, 14, 6), RW(7, dbgprcr_el1, 2, 0, 1, 4, 4),
	W(8, oslar_el1, 2, 0, 1, 0, 4),          R(9, oslsr_el1, 2, 0, 1, 1, 4),
	RW(10, oseccr_el1, 2, 0, 0, 6, 2),       RW(12, pmevcntr0_el0, 3, 3, 14, 8, 0),
	RW(12, pmxevcntr_el0, 3, 3, 9, 13, 2),   RW(13, pmevtyper0_el0, 3, 3, 14, 12, 0),
	RW(13, pmxevtyper_el0, 3, 3, 9, 13, 1),  RW(14, pmccfiltr_el0, 3, 3, 14, 15, 7),
	RW(15, pmccntr_el0, 3, 3, 9, 13, 0),     RW(16, pmcntenset_el0, 3, 3, 9, 12, 1),
	RW(16, pmcntenclr_el0, 3, 3, 9, 12, 2),  RW(17, pmintenset_el1, 3, 0, 9, 14, 1),
	RW(17, pmintenclr_el1, 3, 0, 9, 14, 2),  RW(18, pmovsset_el0, 3, 3, 9, 14, 3),
	RW(18, pmovsclr_el0, 3, 3, 9, 12, 3),    RW(19, pmselr_el0, 3, 3, 9, 12, 5),
	W(20, pmswinc_el0, 3, 3, 9, 12, 4),      W(21, pmcr_el0, 3, 3, 9, 12, 0),
	R(22, pmmir_el1, 3, 0, 9, 14, 6),        RW(57, pmuserenr_el0, 3, 3, 9, 14, 0),
	R(58, pmceid0_el0, 3, 3, 9, 12, 6),      R(58, pmceid1_el0, 3, 3, 9, 12, 7),
};

static const struct field instructions[] = {
	W(0, ic_ialluis, 1, 0, 7, 1, 0),      W(1, ic_iallu, 1, 0, 7, 5, 0),
	W(2, ic_ivau, 1, 3, 7, 5, 1),         W(3, dc_ivac, 1, 0, 7, 6, 1),
	W(4, dc_isw, 1, 0, 7, 6, 2),          W(5, dc_csw, 1, 0, 7, 10, 2),
	W(6, dc_cisw, 1, 0, 7, 14, 2),        W(7, dc_cvau, 1, 3, 7, 11, 1),
	W(8, dc_cvap, 1, 3, 7, 12, 1),        W(9, dc_cvadp, 1, 3, 7, 13, 1),
	W(10, dc_civac, 1, 3, 7, 14, 1),      W(11, dc_zva, 1, 3, 7, 4, 1),
	W(12, at_s1e1r, 1, 0, 7, 8, 0),       W(13, at_s1e1w, 1, 0, 7, 8, 1),
	W(14, at_s1e0r, 1, 0, 7, 8, 2),       W(15, at_s1e0w, 1, 0, 7, 8, 3),
	W(16, at_s1e1rp, 1, 0, 7, 9, 0),      W(17, at_s1e1wp, 1, 0, 7, 9, 1),
	W(18, tlbi_vmalle1os, 1, 0, 8, 1, 0), W(19, tlbi_vae1os, 1, 0, 8, 1, 1),
	W(20, tlbi_aside1os, 1, 0, 8, 1, 2),  W(21, tlbi_vaae1os, 1, 0, 8, 1, 3),
	W(22, tlbi_vale1os, 1, 0, 8, 1, 5),   W(23, tlbi_vaale1os, 1, 0, 8, 1, 7),
	W(24, tlbi_rvae1os, 1, 0, 8, 5, 1),   W(25, tlbi_rvaae1os, 1, 0, 8, 5, 3),
	W(26, tlbi_rvale1os, 1, 0, 8, 5, 5),  W(27, tlbi_rvaale1os, 1, 0, 8, 5, 7),
	W(28, tlbi_vmalle1is, 1, 0, 8, 3, 0), W(29, tlbi_vae1is, 1, 0, 8, 3, 1),
	W(30, tlbi_aside1is, 1, 0, 8, 3, 2),  W(31, tlbi_vaae1is, 1, 0, 8, 3, 3),
	W(32, tlbi_vale1is, 1, 0, 8, 3, 5),   W(33, tlbi_vaale1is, 1, 0, 8, 3, 7),
	W(34, tlbi_rvae1is, 1, 0, 8, 2, 1),   W(35, tlbi_rvaae1is, 1, 0, 8, 2, 3),
	W(36, tlbi_rvale1is, 1, 0, 8, 2, 5),  W(37, tlbi_rvaale1is, 1, 0, 8, 2, 7),
	W(38, tlbi_rvae1, 1, 0, 8, 6, 1),     W(39, tlbi_rvaae1, 1, 0, 8, 6, 3),
	W(40, tlbi_rvale1, 1, 0, 8, 6, 5),    W(41, tlbi_rvaale1, 1, 0, 8, 6, 7),
	W(42, tlbi_vmalle1, 1, 0, 8, 7, 0),   W(43, tlbi_vae1, 1, 0, 8, 7, 1),
	W(44, tlbi_aside1, 1, 0, 8, 7, 2),    W(45, tlbi_vaae1, 1, 0, 8, 7, 3),
	W(46, tlbi_vale1, 1, 0, 8, 7, 5),     W(47, tlbi_vaale1, 1, 0, 8, 7, 7),
	W(48, cfp_rctx, 1, 3, 7, 3, 4),       W(49, dvp_rctx, 1, 3, 7, 3, 5),
	W(50, cpp_rctx, 1, 3, 7, 3, 7),       W(54, dc_cvac, 1, 3, 7, 10, 1),
};

#define FIELDS(f, array) \
	const struct field *f = (array); \
	f < (array) + sizeof(array) / sizeof((array)[0]); \
	f++

SNIPPET(svc_77, "svc #0x77");

// What QEMU 11.1 does not have, or not trap: the registers of error records (it has no record:
// UNDEFINED, as they may be), DBGAUTHSTATUS_EL1, DBGPRCR_EL1, and the trap of PMUSERENR_EL0.
static bool left_out(const struct field *f)
{
	const struct sysreg *r = &f->reg;
	bool record = r->op0 == 3 && r->crn == 5 && r->crm >= 3 && (r->crm != 3 || r->op2 != 0);
	bool debug = r->op0 == 2 && (r->crm == 14 || (r->crn == 1 && r->op2 == 4 && r->crm == 4));
	bool pmuserenr = r->op0 == 3 && r->crn == 9 && r->crm == 14 && r->op2 == 0;

	return guest_qemu() && (record || debug || pmuserenr);
}

static void set_all(uint64_t read, uint64_t write)
{
	SET_HFGRTR(read);
	SET_HDFGRTR(read);
	SET_HFGWTR(write);
	SET_HDFGWTR(write);
	SET_HFGITR(0);
}

// Nothing else traps: SCXTNUM and the error records' injection are open to EL1.
static void enable(void)
{
	write_sysreg(scr_el3, SCR_BASE | SCR_FGTEN | BIT(21) | BIT(25));
	write_sysreg(hcr_el2, HCR_BASE | BIT(47) | BIT(53));
	set_all(0, 0);
}

// ---- each field ---------------------------------------------------------------------------------

TEST(each_field_of_hfgrtr_traps_reads_from_el1)
{
	NEEDS_FGT;
	for (FIELDS(f, hfg)) {
		if (f->read && !left_out(f)) {
			SET_HFGRTR(BIT(f->bit));
			EXPECT_TRAP(EL1, READ, f->reg, EL2);
			EXPECT_ACCESS(EL2, READ, f->reg);
		}
	}
	set_all(0, 0);
}

TEST(the_other_fields_of_hfgrtr_do_not)
{
	NEEDS_FGT;
	for (FIELDS(f, hfg)) {
		if (f->read && !left_out(f)) {
			SET_HFGRTR(~BIT(f->bit));
			EXPECT_ACCESS(EL1, READ, f->reg);
		}
	}
	set_all(0, 0);
}

TEST(each_field_of_hfgwtr_traps_writes_from_el1_and_no_reads)
{
	NEEDS_FGT;
	for (FIELDS(f, hfg)) {
		if (f->write && !left_out(f)) {
			set_all(0, 0);
			SET_HFGWTR(BIT(f->bit));
			EXPECT_TRAP(EL1, WRITE, f->reg, EL2);
			EXPECT_ACCESS(EL1, READ, f->reg);
		}
	}
	set_all(0, 0);
}

TEST(each_field_of_hdfgrtr_traps_reads_from_el1)
{
	NEEDS_FGT;
	for (FIELDS(f, hdfg)) {
		if (f->read && !left_out(f)) {
			set_all(0, 0);
			SET_HDFGRTR(BIT(f->bit));
			EXPECT_TRAP(EL1, READ, f->reg, EL2);
			SET_HDFGRTR(~BIT(f->bit));
			EXPECT_ACCESS(EL1, READ, f->reg);
		}
	}
	set_all(0, 0);
}

TEST(each_field_of_hdfgwtr_traps_writes_from_el1_and_no_reads)
{
	NEEDS_FGT;
	for (FIELDS(f, hdfg)) {
		if (f->write && !left_out(f)) {
			set_all(0, 0);
			SET_HDFGWTR(BIT(f->bit));
			EXPECT_TRAP(EL1, WRITE, f->reg, EL2);
			if (f->read) {
				EXPECT_ACCESS(EL1, READ, f->reg);
			}
		}
	}
	set_all(0, 0);
}

TEST(pmcr_has_a_field_for_writes_only)
{
	QEMU_11_DIFFERS("keeps all bits of the trap registers");
	const struct sysreg pmcr = SYSREG(pmcr_el0, 3, 3, 9, 12, 0);

	NEEDS_FGT;
	SET_HDFGRTR(~0ul);
	EXPECT_ACCESS(EL1, READ, pmcr);
	EXPECT_EQ(read_sysreg(S3_4_C3_C1_4) & BIT(21), 0);
	set_all(0, 0);
}

TEST(each_field_of_hfgitr_traps_its_instruction_from_el1)
{
	NEEDS_FGT;
	for (FIELDS(f, instructions)) {
		SET_HFGITR(BIT(f->bit));
		EXPECT_TRAP(EL1, WRITE, f->reg, EL2);
	}
	set_all(0, 0);
}

TEST(the_other_fields_of_hfgitr_leave_tlb_maintenance_alone)
{
	NEEDS_FGT;
	for (FIELDS(f, instructions)) {
		if (f->reg.crn == 8) {
			// Not ERET and SVC: the snippet comes back by SVC.
			SET_HFGITR(~(BIT(f->bit) | BIT(51) | BIT(52) | BIT(53)));
			EXPECT_ACCESS(EL1, WRITE, f->reg);
		}
	}
	set_all(0, 0);
}

// ---- levels, switches, order --------------------------------------------------------------------

TEST(el0_is_trapped_too)
{
	const struct sysreg tpidr = SYSREG(tpidr_el0, 3, 3, 13, 0, 2);
	const struct sysreg dczid = SYSREG(dczid_el0, 3, 3, 0, 0, 7);

	NEEDS_FGT;
	SET_HFGRTR(BIT(35) | BIT(15));
	SET_HFGWTR(BIT(35));
	EXPECT_TRAP(EL0, READ, tpidr, EL2);
	EXPECT_TRAP(EL0, WRITE, tpidr, EL2);
	EXPECT_TRAP(EL0, READ, dczid, EL2);
	set_all(0, 0);
}

TEST(el0_of_a_host_is_not)
{
	const struct sysreg tpidr = SYSREG(tpidr_el0, 3, 3, 13, 0, 2);

	NEEDS_FGT;
	SET_HFGRTR(BIT(35));
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H | HCR_TGE);
	EXPECT_ACCESS(EL0, READ, tpidr);
	// With TGE alone EL0 is not a host's.
	write_sysreg(hcr_el2, HCR_BASE | HCR_TGE);
	EXPECT_TRAP(EL0, READ, tpidr, EL2);
	write_sysreg(hcr_el2, HCR_BASE);
	set_all(0, 0);
}

TEST(el1_of_a_guest_with_e2h_is_trapped)
{
	NEEDS_FGT;
	SET_HFGRTR(BIT(29));
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H);
	EXPECT_TRAP(EL1, READ, sctlr, EL2);
	write_sysreg(hcr_el2, HCR_BASE);
	set_all(0, 0);
}

TEST(scr_fgten_clear_switches_all_off)
{
	NEEDS_FGT;
	SET_HFGRTR(~0ul);
	SET_HDFGRTR(~0ul);
	write_sysreg(scr_el3, SCR_BASE);
	EXPECT_ACCESS(EL1, READ, par);
	EXPECT_ACCESS(EL1, READ, mdscr);
	write_sysreg(scr_el3, SCR_BASE | SCR_FGTEN);
	set_all(0, 0);
}

TEST(scr_fgten_clear_keeps_the_registers_for_el3)
{
	NEEDS_FGT;
	EXPECT_ACCESS(EL2, READ, hfgrtr);
	EXPECT_UNDEFINED(EL1, READ, hfgrtr, EL1);
	EXPECT_UNDEFINED(EL1, WRITE, hdfgwtr, EL1);
	write_sysreg(scr_el3, SCR_BASE);
	EXPECT_TRAP(EL2, READ, hfgrtr, EL3);
	EXPECT_TRAP(EL2, WRITE, hdfgwtr, EL3);
	EXPECT_ACCESS(EL3, READ, hfgrtr);
	EXPECT_UNDEFINED(EL1, READ, hfgrtr, EL1);
}

TEST(without_el2_in_secure_state_nothing_is_trapped)
{
	NEEDS_FGT;
	SET_HFGRTR(BIT(29));
	write_sysreg(scr_el3, (SCR_BASE | SCR_FGTEN) & ~SCR_NS);
	EXPECT_ACCESS(EL1, READ, sctlr);
	write_sysreg(scr_el3, SCR_BASE | SCR_FGTEN);
	set_all(0, 0);
}

TEST(el1s_own_trap_comes_first)
{
	const struct sysreg ctr = SYSREG(ctr_el0, 3, 3, 0, 0, 1);

	NEEDS_FGT;
	SET_HFGRTR(BIT(14));
	write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) & ~BIT(15)); // UCT
	EXPECT_TRAP(EL0, READ, ctr, EL1);
	write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | BIT(15));
	EXPECT_TRAP(EL0, READ, ctr, EL2);
	set_all(0, 0);
}

TEST(a_fine_grained_trap_comes_before_el3s)
{
	NEEDS_FGT;
	SET_HFGRTR(BIT(7));
	write_sysreg(scr_el3, (SCR_BASE | SCR_FGTEN) & ~SCR_APK);
	EXPECT_TRAP(EL1, READ, apiakeylo, EL2);
	SET_HFGRTR(0);
	EXPECT_TRAP(EL1, READ, apiakeylo, EL3);
	set_all(0, 0);
}

TEST(svc_is_trapped_before_it_is_executed)
{
	NEEDS_FGT;
	SET_HFGITR(BIT(52));
	struct exc e0 = run_at(EL0, svc_77);
	struct exc e1 = run_at(EL1, svc_77);

	EXPECT_EXC(e0, EL2, EC_SVC, 0x77);
	EXPECT_EQ(e0.elr, svc_77);
	EXPECT_EXC(e1, EL1, EC_SVC, 0x77);
	EXPECT_EQ(e1.elr, svc_77 + 4);
	SET_HFGITR(BIT(53));
	e0 = run_at(EL0, svc_77);
	e1 = run_at(EL1, svc_77);
	EXPECT_EXC(e0, EL1, EC_SVC, 0x77);
	EXPECT_EQ(e0.elr, svc_77 + 4);
	EXPECT_EXC(e1, EL2, EC_SVC, 0x77);
	EXPECT_EQ(e1.elr, svc_77);
	set_all(0, 0);
}

TEST(only_the_fields_of_present_features_can_be_set)
{
	QEMU_11_DIFFERS("keeps all bits of the trap registers");
	NEEDS_FGT;
	set_all(~0ul, ~0ul);
	// Write traps of read-only registers do not exist, nor read traps of write-only ones.
	EXPECT_EQ(read_sysreg(S3_4_C1_C1_5) &
			  (BIT(2) | BIT(9) | BIT(10) | BIT(14) | BIT(15) | BIT(18)),
		  0);
	EXPECT_EQ(read_sysreg(S3_4_C1_C1_4) & 0x3fffffffffful, 0x3fffffffffful);
	EXPECT_EQ(read_sysreg(S3_4_C3_C1_4) & (BIT(8) | BIT(20) | BIT(21)), 0);
	EXPECT_EQ(read_sysreg(S3_4_C3_C1_5) & (BIT(6) | BIT(9) | BIT(22) | BIT(58)), 0);
	set_all(0, 0);
}
