// SPDX-License-Identifier: Apache-2.0
//
// vhe.c - what HCR_EL2.E2H and TGE change while running: redirection of the _EL1 and _EL0 names at
// EL2, the _EL12 and _EL02 names and where they are UNDEFINED, the EL2&0 translation regime, and a
// host's EL0.

#include "emit.h"
#include "pgtable.h"

#define HAS_VHE id_field(read_sysreg(id_aa64mmfr1_el1), 8)
#define NEEDS_VHE SKIP_UNLESS(HAS_VHE, "no FEAT_VHE")

#define HOST (HCR_BASE | HCR_E2H | HCR_TGE)

SNIPPET(load_x0, "ldr x1, [x0]");
SNIPPET(load_x0_svc, "ldr x1, [x0]" ESCAPE_SVC);
SNIPPET(store_x0, "str x1, [x0]");
SNIPPET(load_unprivileged, "ldtr x1, [x0]");
SNIPPET(branch_x0, "br x0");
SNIPPET(nothing, "nop");

// Name at EL1, its EL2 counterpart, its _EL12 name, and a value that all of the register's bits can
// hold.
struct pair {
	struct sysreg el1, el2, el12;
	uint64_t value1, value2;
};

static const struct pair pairs[] = {
	{SYSREG(ttbr0_el1, 3, 0, 2, 0, 0), SYSREG(ttbr0_el2, 3, 4, 2, 0, 0),
	 SYSREG(ttbr0_el12, 3, 5, 2, 0, 0), 0x11000, 0x22000},
	{SYSREG(ttbr1_el1, 3, 0, 2, 0, 1), SYSREG(ttbr1_el2, 3, 4, 2, 0, 1),
	 SYSREG(ttbr1_el12, 3, 5, 2, 0, 1), 0x31000, 0x42000},
	{SYSREG(esr_el1, 3, 0, 5, 2, 0), SYSREG(esr_el2, 3, 4, 5, 2, 0),
	 SYSREG(esr_el12, 3, 5, 5, 2, 0), 0x56000001, 0x5a000002},
	{SYSREG(far_el1, 3, 0, 6, 0, 0), SYSREG(far_el2, 3, 4, 6, 0, 0),
	 SYSREG(far_el12, 3, 5, 6, 0, 0), 0x1111, 0x2222},
	{SYSREG(mair_el1, 3, 0, 10, 2, 0), SYSREG(mair_el2, 3, 4, 10, 2, 0),
	 SYSREG(mair_el12, 3, 5, 10, 2, 0), 0xff44, 0xff4400},
	{SYSREG(contextidr_el1, 3, 0, 13, 0, 1), SYSREG(contextidr_el2, 3, 4, 13, 0, 1),
	 SYSREG(contextidr_el12, 3, 5, 13, 0, 1), 0x77, 0x88},
	{SYSREG(elr_el1, 3, 0, 4, 0, 1), SYSREG(elr_el2, 3, 4, 4, 0, 1),
	 SYSREG(elr_el12, 3, 5, 4, 0, 1), 0x1110, 0x2220},
	{SYSREG(spsr_el1, 3, 0, 4, 0, 0), SYSREG(spsr_el2, 3, 4, 4, 0, 0),
	 SYSREG(spsr_el12, 3, 5, 4, 0, 0), 0x3c5, 0x3c9},
	{SYSREG(cpacr_el1, 3, 0, 1, 0, 2), SYSREG(cptr_el2, 3, 4, 1, 1, 2),
	 SYSREG(cpacr_el12, 3, 5, 1, 0, 2), 0x300000, 0x100000},
	{SYSREG(cntkctl_el1, 3, 0, 14, 1, 0), SYSREG(cnthctl_el2, 3, 4, 14, 1, 0),
	 SYSREG(cntkctl_el12, 3, 5, 14, 1, 0), 0x301, 0xc02},
	{SYSREG(tcr_el1, 3, 0, 2, 0, 2), SYSREG(tcr_el2, 3, 4, 2, 0, 2),
	 SYSREG(tcr_el12, 3, 5, 2, 0, 2), 0x500100010, 0x500190019},
};

#define FOR_EACH_PAIR(p) \
	for (const struct pair *p = pairs; p < pairs + sizeof(pairs) / sizeof(pairs[0]); p++)

static uint64_t read_el3(struct sysreg r)
{
	return access_at(EL3, READ, r, 0).x[EMIT_RT];
}

static void write_el3(struct sysreg r, uint64_t value)
{
	(void)access_at(EL3, WRITE, r, value);
}

static void expect_value(int line, const struct sysreg *r, uint64_t seen, uint64_t expected)
{
	guest_expect_eq(r->name, line, "value", seen, expected);
}

// ---- Redirection --------------------------------------------------------------------------------

TEST(without_e2h_el1_names_mean_el1_at_el2)
{
	NEEDS_VHE;
	FOR_EACH_PAIR(p)
	{
		write_el3(p->el1, p->value1);
		write_el3(p->el2, p->value2);
		expect_value(__LINE__, &p->el1, access_at(EL2, READ, p->el1, 0).x[EMIT_RT],
			     p->value1);
		guest_reset();
	}
}

TEST(e2h_redirects_reads_of_el1_names_at_el2)
{
	NEEDS_VHE;
	FOR_EACH_PAIR(p)
	{
		write_sysreg(hcr_el2, HCR_BASE | HCR_E2H);
		write_el3(p->el1, p->value1);
		write_el3(p->el2, p->value2);
		uint64_t seen = access_at(EL2, READ, p->el1, 0).x[EMIT_RT];
		expect_value(__LINE__, &p->el1, seen, read_el3(p->el2));
		expect_value(__LINE__, &p->el1, seen, p->value2);
		guest_reset();
	}
}

TEST(e2h_redirects_writes_of_el1_names_at_el2)
{
	NEEDS_VHE;
	FOR_EACH_PAIR(p)
	{
		write_sysreg(hcr_el2, HCR_BASE | HCR_E2H);
		write_el3(p->el1, p->value1);
		write_el3(p->el2, 0);
		(void)access_at(EL2, WRITE, p->el1, p->value2);
		expect_value(__LINE__, &p->el1, read_el3(p->el1), p->value1);
		expect_value(__LINE__, &p->el2, read_el3(p->el2), p->value2);
		guest_reset();
	}
}

TEST(e2h_does_not_redirect_at_el3)
{
	NEEDS_VHE;
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H);
	write_sysreg(far_el1, 0x1111);
	write_sysreg(far_el2, 0x2222);
	EXPECT_EQ(read_sysreg(far_el1), 0x1111);
	EXPECT_EQ(read_sysreg(far_el2), 0x2222);
}

TEST(e2h_does_not_redirect_at_el1)
{
	NEEDS_VHE;
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H);
	write_sysreg(far_el1, 0x1111);
	write_sysreg(far_el2, 0x2222);
	struct exc e = access_at(EL1, READ, pairs[3].el1, 0);

	EXPECT_REG(e, EMIT_RT, 0x1111);
}

TEST(e2h_redirects_with_tge_too)
{
	NEEDS_VHE;
	write_sysreg(hcr_el2, HOST);
	write_sysreg(far_el1, 0x1111);
	write_sysreg(far_el2, 0x2222);
	struct exc e = access_at(EL2, READ, pairs[3].el1, 0);

	EXPECT_REG(e, EMIT_RT, 0x2222);
}

TEST(e2h_el2_names_still_mean_el2)
{
	NEEDS_VHE;
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H);
	write_sysreg(far_el2, 0x2222);
	struct exc e = access_at(EL2, READ, pairs[3].el2, 0);

	EXPECT_REG(e, EMIT_RT, 0x2222);
}

// Registers without a counterpart at EL2 are not redirected.
TEST(e2h_does_not_redirect_tpidr_par_and_sp)
{
	const struct sysreg tpidr = SYSREG(tpidr_el1, 3, 0, 13, 0, 4);
	const struct sysreg sp_el1 = SYSREG(sp_el1, 3, 4, 4, 1, 0);

	NEEDS_VHE;
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H);
	write_sysreg(tpidr_el1, 0x1111);
	write_sysreg(tpidr_el2, 0x2222);
	struct exc t = access_at(EL2, READ, tpidr, 0);
	struct exc s = access_at(EL2, READ, sp_el1, 0);

	EXPECT_REG(t, EMIT_RT, 0x1111);
	EXPECT_REG(s, EMIT_RT, stack_el1_top);
}

TEST(e2h_vbar_el1_at_el2_is_vbar_el2)
{
	const struct sysreg vbar1 = SYSREG(vbar_el1, 3, 0, 12, 0, 0);
	const struct sysreg vbar12 = SYSREG(vbar_el12, 3, 5, 12, 0, 0);

	NEEDS_VHE;
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H);
	write_sysreg(vbar_el1, 0x1000);
	struct exc e2 = access_at(EL2, READ, vbar1, 0);
	struct exc e12 = access_at(EL2, READ, vbar12, 0);

	EXPECT_REG(e2, EMIT_RT, lower_vectors);
	EXPECT_REG(e12, EMIT_RT, 0x1000);
}

TEST(e2h_sctlr_el1_at_el2_is_sctlr_el2)
{
	const struct sysreg sctlr1 = SYSREG(sctlr_el1, 3, 0, 1, 0, 0);
	const struct sysreg sctlr12 = SYSREG(sctlr_el12, 3, 5, 1, 0, 0);

	NEEDS_VHE;
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H);
	write_sysreg(sctlr_el1, SCTLR_EL1_BASE | SCTLR_SA0);
	struct exc e2 = access_at(EL2, READ, sctlr1, 0);
	struct exc e12 = access_at(EL2, READ, sctlr12, 0);

	EXPECT_REG(e2, EMIT_RT, read_sysreg(sctlr_el2));
	EXPECT_REG(e12, EMIT_RT, read_sysreg(sctlr_el1));
}

// ---- _EL12 names --------------------------------------------------------------------------------

TEST(el12_names_reach_el1_registers_with_e2h)
{
	NEEDS_VHE;
	FOR_EACH_PAIR(p)
	{
		write_sysreg(hcr_el2, HCR_BASE | HCR_E2H);
		write_el3(p->el1, p->value1);
		expect_value(__LINE__, &p->el12, access_at(EL2, READ, p->el12, 0).x[EMIT_RT],
			     p->value1);
		(void)access_at(EL2, WRITE, p->el12, 0);
		expect_value(__LINE__, &p->el12, read_el3(p->el1), 0);
		guest_reset();
	}
}

TEST(el12_names_are_undefined_without_e2h)
{
	QEMU_7_DIFFERS("allows them");
	NEEDS_VHE;
	FOR_EACH_PAIR(p)
	{
		EXPECT_UNDEFINED(EL2, READ, p->el12, EL2);
		EXPECT_UNDEFINED(EL2, WRITE, p->el12, EL2);
		EXPECT_UNDEFINED(EL3, READ, p->el12, EL3);
	}
}

TEST(el12_names_are_undefined_at_el1_and_el0)
{
	NEEDS_VHE;
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H);
	FOR_EACH_PAIR(p)
	{
		EXPECT_UNDEFINED(EL1, READ, p->el12, EL1);
		EXPECT_UNDEFINED(EL1, WRITE, p->el12, EL1);
		EXPECT_UNDEFINED(EL0, READ, p->el12, EL1);
	}
}

TEST(el12_names_reach_el1_registers_at_el3_with_e2h)
{
	NEEDS_VHE;
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H);
	write_sysreg(far_el1, 0x1111);
	struct exc e = access_at(EL3, READ, pairs[3].el12, 0);

	EXPECT_NO_EXC(e);
	EXPECT_REG(e, EMIT_RT, 0x1111);
}

TEST(el12_names_at_el0_of_a_host_are_undefined_at_el2)
{
	NEEDS_VHE;
	write_sysreg(hcr_el2, HOST);
	EXPECT_UNDEFINED(EL0, READ, pairs[3].el12, EL2);
}

// ---- Timers: redirection of the _EL0 names and _EL02 --------------------------------------------

static const struct sysreg cntp_cval = SYSREG(cntp_cval_el0, 3, 3, 14, 2, 2);
static const struct sysreg cntv_cval = SYSREG(cntv_cval_el0, 3, 3, 14, 3, 2);
static const struct sysreg cntv_ctl = SYSREG(cntv_ctl_el0, 3, 3, 14, 3, 1);
static const struct sysreg el02_regs[] = {
	SYSREG(cntp_tval_el02, 3, 5, 14, 2, 0), SYSREG(cntp_ctl_el02, 3, 5, 14, 2, 1),
	SYSREG(cntp_cval_el02, 3, 5, 14, 2, 2), SYSREG(cntv_tval_el02, 3, 5, 14, 3, 0),
	SYSREG(cntv_ctl_el02, 3, 5, 14, 3, 1),  SYSREG(cntv_cval_el02, 3, 5, 14, 3, 2),
};

static void set_all_cval(void)
{
	write_sysreg(cntp_cval_el0, 0x10000000001);
	write_sysreg(cntv_cval_el0, 0x10000000002);
	write_sysreg(cnthp_cval_el2, 0x10000000003);
	write_sysreg(cnthv_cval_el2, 0x10000000004);
}

TEST(e2h_redirects_cntp_and_cntv_of_el2_to_the_el2_timers)
{
	NEEDS_VHE;
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H);
	set_all_cval();
	struct exc p = access_at(EL2, READ, cntp_cval, 0);
	struct exc v = access_at(EL2, READ, cntv_cval, 0);

	EXPECT_REG(p, EMIT_RT, 0x10000000003);
	EXPECT_REG(v, EMIT_RT, 0x10000000004);
}

TEST(without_e2h_cntp_and_cntv_of_el2_are_those_of_el1)
{
	NEEDS_VHE;
	set_all_cval();
	struct exc p = access_at(EL2, READ, cntp_cval, 0);
	struct exc v = access_at(EL2, READ, cntv_cval, 0);

	EXPECT_REG(p, EMIT_RT, 0x10000000001);
	EXPECT_REG(v, EMIT_RT, 0x10000000002);
}

TEST(host_redirects_cntp_and_cntv_of_el0_to_the_el2_timers)
{
	NEEDS_VHE;
	write_sysreg(hcr_el2, HOST);
	write_sysreg(cnthctl_el2, CNTHCTL_E2H_EL0PTEN | CNTHCTL_E2H_EL0VTEN);
	set_all_cval();
	struct exc p = access_at(EL0, READ, cntp_cval, 0);
	struct exc v = access_at(EL0, READ, cntv_cval, 0);

	EXPECT_REG(p, EMIT_RT, 0x10000000003);
	EXPECT_REG(v, EMIT_RT, 0x10000000004);
}

TEST(e2h_without_tge_leaves_el0_and_el1_their_timers)
{
	NEEDS_VHE;
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H);
	write_sysreg(cnthctl_el2, CNTHCTL_E2H_EL1PCTEN | CNTHCTL_E2H_EL1PTEN);
	set_all_cval();
	struct exc p0 = access_at(EL0, READ, cntp_cval, 0);
	struct exc p1 = access_at(EL1, READ, cntp_cval, 0);
	struct exc v1 = access_at(EL1, READ, cntv_cval, 0);

	EXPECT_REG(p0, EMIT_RT, 0x10000000001);
	EXPECT_REG(p1, EMIT_RT, 0x10000000001);
	EXPECT_REG(v1, EMIT_RT, 0x10000000002);
}

TEST(el02_names_reach_the_el0_timers_with_e2h)
{
	NEEDS_VHE;
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H);
	set_all_cval();
	struct exc p = access_at(EL2, READ, el02_regs[2], 0);
	struct exc v = access_at(EL2, READ, el02_regs[5], 0);
	(void)access_at(EL2, WRITE, el02_regs[2], 0x10000000007);

	EXPECT_REG(p, EMIT_RT, 0x10000000001);
	EXPECT_REG(v, EMIT_RT, 0x10000000002);
	EXPECT_EQ(read_sysreg(cntp_cval_el0), 0x10000000007);
	EXPECT_EQ(read_sysreg(cnthp_cval_el2), 0x10000000003);
}

TEST(el02_names_are_undefined_without_e2h)
{
	QEMU_7_DIFFERS("reports EC 0x18");
	NEEDS_VHE;
	FOR_EACH_REG(r, el02_regs)
	{
		EXPECT_UNDEFINED(EL2, READ, *r, EL2);
		EXPECT_UNDEFINED(EL3, READ, *r, EL3);
	}
}

TEST(el02_names_are_undefined_below_el2)
{
	NEEDS_VHE;
	FOR_EACH_REG(r, el02_regs)
	{
		EXPECT_UNDEFINED(EL1, READ, *r, EL1);
	}
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H);
	FOR_EACH_REG(r, el02_regs)
	{
		EXPECT_UNDEFINED(EL1, READ, *r, EL1);
		EXPECT_UNDEFINED(EL0, READ, *r, EL1);
		EXPECT_ACCESS(EL2, READ, *r);
	}
}

TEST(e2h_cntv_ctl_at_el2_enables_cnthv)
{
	NEEDS_VHE;
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H);
	write_sysreg(cnthv_cval_el2, ~0ul >> 1);
	(void)access_at(EL2, WRITE, cntv_ctl, CNT_CTL_ENABLE);

	EXPECT_EQ(read_sysreg(cnthv_ctl_el2), CNT_CTL_ENABLE);
	EXPECT_EQ(read_sysreg(cntv_ctl_el0), 0);
}

// CNTVCT_EL0 has no offset at EL2 with E2H, nor at EL0 of a host.
TEST(virtual_counter_has_no_offset_in_a_host)
{
	const struct sysreg cntvct = SYSREG(cntvct_el0, 3, 3, 14, 0, 2);
	const uint64_t big = 1ul << 40;

	NEEDS_VHE;
	write_sysreg(cntvoff_el2, big);
	write_sysreg(cnthctl_el2, CNTHCTL_BASE);
	struct exc plain2 = access_at(EL2, READ, cntvct, 0);
	struct exc plain1 = access_at(EL1, READ, cntvct, 0);
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H);
	struct exc e2h = access_at(EL2, READ, cntvct, 0);
	struct exc e2h1 = access_at(EL1, READ, cntvct, 0);
	write_sysreg(hcr_el2, HOST);
	write_sysreg(cnthctl_el2, CNTHCTL_E2H_EL0VCTEN);
	struct exc host0 = access_at(EL0, READ, cntvct, 0);

	EXPECT_TRUE(plain1.x[EMIT_RT] > -big);
	EXPECT_TRUE(plain2.x[EMIT_RT] > -big);
	EXPECT_TRUE(e2h1.x[EMIT_RT] > -big);
	EXPECT_TRUE(e2h.x[EMIT_RT] < big);
	EXPECT_TRUE(host0.x[EMIT_RT] < big);
}

// ---- The EL2&0 regime ---------------------------------------------------------------------------

#define VA 0x80000000ul

static void host_tables(struct pgtable *pt, uint64_t hcr, uint64_t attrs)
{
	write_sysreg(hcr_el2, hcr);
	pgtable_init(pt, 12, 39);
	map_guest_code(pt);
	map_page(pt, VA, (uint64_t)scratch[0], PT_NORMAL | attrs, 3);
	stage1_on_el20(pt);
}

TEST(el0_of_a_host_is_translated_by_ttbr0_el2)
{
	struct pgtable pt;

	NEEDS_VHE;
	host_tables(&pt, HOST, PT_AP_RW_ALL);
	*(volatile uint64_t *)scratch[0] = 0x1234;
	struct exc r = run_at(EL0, load_x0_svc, VA);
	struct exc f = run_at(EL0, load_x0, VA + 0x1000);

	EXPECT_NO_EXC(r);
	EXPECT_REG(r, 1, 0x1234);
	EXPECT_EXC(f, EL2, EC_DABT_LOWER, FSC_TRANSLATION(3));
	EXPECT_EQ(f.far, VA + 0x1000);
}

TEST(privileged_page_faults_at_el0_of_a_host)
{
	struct pgtable pt;

	NEEDS_VHE;
	host_tables(&pt, HOST, PT_AP_RW_EL1);
	struct exc e0 = run_at(EL0, load_x0, VA);
	struct exc e2 = run_at(EL2, load_x0, VA);

	EXPECT_EXC(e0, EL2, EC_DABT_LOWER, FSC_PERMISSION(3));
	EXPECT_NO_EXC(e2);
}

TEST(read_only_page_faults_on_store_at_el0_of_a_host)
{
	struct pgtable pt;

	NEEDS_VHE;
	host_tables(&pt, HOST, PT_AP_RO_ALL);
	struct exc e = run_at(EL0, store_x0, VA);

	EXPECT_EXC(e, EL2, EC_DABT_LOWER, ISS_WNR | FSC_PERMISSION(3));
}

// AP[1] is RES1 in the EL2 regime and a permission in EL2&0; XN becomes UXN and PXN.
TEST(pxn_and_uxn_hold_in_the_el20_regime)
{
	struct pgtable pt;

	NEEDS_VHE;
	host_tables(&pt, HOST, PT_AP_RO_ALL | PT_PXN);
	struct exc e2 = run_at(EL2, branch_x0, VA);
	guest_reset();
	host_tables(&pt, HOST, PT_AP_RO_ALL | PT_UXN);
	struct exc e0 = run_at(EL0, branch_x0, VA);

	EXPECT_EXC(e2, EL2, EC_IABT_SAME, FSC_PERMISSION(3));
	EXPECT_EXC(e0, EL2, EC_IABT_LOWER, FSC_PERMISSION(3));
	EXPECT_EQ(e0.far, VA);
}

TEST(pan_holds_at_el2_with_e2h_alone)
{
	struct pgtable pt;

	NEEDS_VHE;
	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr1_el1), 20), "no FEAT_PAN");
	QEMU_7_DIFFERS("sets ISV for aborts taken from EL2");
	host_tables(&pt, HOST, PT_AP_RW_ALL);
	struct exc pan = run_at_spsr(guest_spsr(EL2) | SPSR_PAN, load_x0, VA);
	struct exc no_pan = run_at(EL2, load_x0, VA);
	guest_reset();
	pgtable_init(&pt, 12, 39);
	map_guest_code(&pt);
	map_page(&pt, VA, (uint64_t)scratch[0], PT_NORMAL | PT_AP_RW_ALL, 3);
	stage1_on_el2(&pt);
	struct exc plain = run_at_spsr(guest_spsr(EL2) | SPSR_PAN, load_x0, VA);

	EXPECT_EXC(pan, EL2, EC_DABT_SAME, FSC_PERMISSION(3));
	EXPECT_NO_EXC(no_pan);
	EXPECT_NO_EXC(plain);
}

TEST(ldtr_at_el2_is_unprivileged_in_a_host_alone)
{
	struct pgtable pt;

	NEEDS_VHE;
	host_tables(&pt, HOST, PT_AP_RW_EL1);
	struct exc host = run_at(EL2, load_unprivileged, VA);
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H);
	struct exc e2h = run_at(EL2, load_unprivileged, VA);

	EXPECT_EQ(host.el, EL2);
	EXPECT_EQ(host.esr >> 26, EC_DABT_SAME);
	EXPECT_MASKED(host.esr, 0x3f, FSC_PERMISSION(3));
	EXPECT_NO_EXC(e2h);
}

static uint64_t tcr_both_halves(const struct pgtable *pt)
{
	const uint64_t epd1 = BIT(23), walk1 = 1ul << 24 | 1ul << 26 | 3ul << 28;

	return (tcr_el1_value(pt) & ~(epd1 | 0x3ful << 16)) | (64ul - pt->ia_bits) << 16 | walk1;
}

TEST(ttbr1_el2_translates_the_upper_half_with_e2h)
{
	struct pgtable pt, upper;
	const uint64_t high = 0xffffff8000000000ul;

	NEEDS_VHE;
	host_tables(&pt, HOST, PT_AP_RW_ALL);
	pgtable_init(&upper, 12, 39);
	map_page(&upper, high, (uint64_t)scratch[1], PT_NORMAL | PT_AP_RW_ALL, 3);
	write_sysreg(tcr_el2, tcr_both_halves(&pt));
	write_sysreg(S3_4_C2_C0_1, upper.root); // TTBR1_EL2
	tlbi_all();
	*(volatile uint64_t *)scratch[1] = 0x5678;
	struct exc e0 = run_at(EL0, load_x0_svc, high);
	struct exc e2 = run_at(EL2, load_x0, high);
	struct exc miss = run_at(EL0, load_x0, high + 0x200000);

	EXPECT_NO_EXC(e0);
	EXPECT_REG(e0, 1, 0x5678);
	EXPECT_NO_EXC(e2);
	EXPECT_REG(e2, 1, 0x5678);
	EXPECT_EXC(miss, EL2, EC_DABT_LOWER, FSC_TRANSLATION(2));
}

// Without E2H there is no upper half: level 0 translation fault.
TEST(upper_half_faults_at_el2_without_e2h)
{
	struct pgtable pt;

	QEMU_7_DIFFERS("sets ISV for aborts taken from EL2");
	pgtable_init(&pt, 12, 39);
	map_guest_code(&pt);
	stage1_on_el2(&pt);
	struct exc e = run_at(EL2, load_x0, 0xffffff8000000000ul);

	EXPECT_EXC(e, EL2, EC_DABT_SAME, FSC_TRANSLATION(0));
}

TEST(tge_without_e2h_turns_stage_1_of_el0_off)
{
	QEMU_DIFFERS("leaves it on (S1Enabled: HCR_EL2.{DC, TGE} must be 0)");
	struct pgtable pt;

	pgtable_init(&pt, 12, 39);
	map_guest_code(&pt);
	stage1_on_el1(&pt);
	write_sysreg(hcr_el2, HCR_BASE | HCR_TGE);
	*(volatile uint64_t *)scratch[0] = 0x77;
	struct exc e = run_at(EL0, load_x0_svc, scratch[0]);

	EXPECT_NO_EXC(e);
	EXPECT_REG(e, 1, 0x77);
}

TEST(stage_2_applies_to_el0_under_tge_but_not_in_a_host)
{
	struct pgtable s2;

	NEEDS_VHE;
	pgtable_init_stage2(&s2, 12, 40, 1);
	map_guest_code_stage2(&s2);
	stage2_on(&s2);
	struct exc guest = run_at(EL0, load_x0, scratch[0]);
	write_sysreg(hcr_el2, HCR_BASE | HCR_VM | HCR_TGE);
	struct exc tge = run_at(EL0, load_x0, scratch[0]);
	write_sysreg(hcr_el2, HOST | HCR_VM);
	struct exc host = run_at(EL0, load_x0_svc, scratch[0]);

	EXPECT_EQ(guest.el, EL2);
	EXPECT_MASKED(guest.esr, 0x3f, FSC_TRANSLATION(3));
	EXPECT_EQ(tge.el, EL2);
	EXPECT_MASKED(tge.esr, 0x3f, FSC_TRANSLATION(3));
	EXPECT_NO_EXC(host);
}

// ---- TCR_EL2 layout -----------------------------------------------------------------------------

// TBI is bit 20 in the EL2 layout and TBI0 bit 37 in the EL2&0 layout.
TEST(tcr_el2_tbi_moves_with_e2h)
{
	struct pgtable pt;
	const uint64_t tagged = VA | 0x5ul << 56;

	NEEDS_VHE;
	host_tables(&pt, HCR_BASE | HCR_E2H, PT_AP_RW_EL1);
	write_sysreg(tcr_el2, tcr_el1_value(&pt) | BIT(37));
	struct exc e2h = run_at(EL2, load_x0, tagged);
	write_sysreg(tcr_el2, tcr_el1_value(&pt));
	tlbi_all();
	struct exc e2h_off = run_at(EL2, load_x0, tagged);
	guest_reset();
	pgtable_init(&pt, 12, 39);
	map_guest_code(&pt);
	map_page(&pt, VA, (uint64_t)scratch[0], PT_NORMAL | PT_AP_RW_ALL, 3);
	stage1_on_el2(&pt);
	write_sysreg(tcr_el2, tcr_el2_value(&pt) | BIT(20));
	struct exc plain = run_at(EL2, load_x0, tagged);

	EXPECT_NO_EXC(e2h);
	EXPECT_EQ(e2h_off.el, EL2);
	EXPECT_MASKED(e2h_off.esr, 0x3f, FSC_TRANSLATION(0));
	EXPECT_NO_EXC(plain);
}

TEST(hcr_e2h_takes_effect_by_a_write_at_el2)
{
	const struct sysreg hcr = SYSREG(hcr_el2, 3, 4, 1, 1, 0);

	NEEDS_VHE;
	write_sysreg(far_el1, 0x1111);
	write_sysreg(far_el2, 0x2222);
	(void)access_at(EL2, WRITE, hcr, HCR_BASE | HCR_E2H);
	struct exc on = access_at(EL2, READ, pairs[3].el1, 0);
	(void)access_at(EL2, WRITE, hcr, HCR_BASE);
	struct exc off = access_at(EL2, READ, pairs[3].el1, 0);

	EXPECT_REG(on, EMIT_RT, 0x2222);
	EXPECT_REG(off, EMIT_RT, 0x1111);
}
