// SPDX-License-Identifier: Apache-2.0
//
// nv_memory.c - FEAT_NV2: which registers EL1 finds in the page of VNCR_EL2, at which offset, and
// by which of their names; which names mean another register; what is still trapped, and what
// comes first.

#include "nv.h"

// Registers of EL2 (and of EL1, without an _EL12 name) that are in memory whatever NV1 is.
static const struct nv_reg always[] = {
	NV_REG(vttbr_el2, 3, 4, 2, 1, 0, 0x020),  NV_REG(vtcr_el2, 3, 4, 2, 1, 2, 0x040),
	NV_REG(vmpidr_el2, 3, 4, 0, 0, 5, 0x050), NV_REG(cntvoff_el2, 3, 4, 14, 0, 3, 0x060),
	NV_REG(hcr_el2, 3, 4, 1, 1, 0, 0x078),    NV_REG(hstr_el2, 3, 4, 1, 1, 3, 0x080),
	NV_REG(vpidr_el2, 3, 4, 0, 0, 0, 0x088),  NV_REG(tpidr_el2, 3, 4, 13, 0, 2, 0x090),
	NV_REG(vncr_el2, 3, 4, 2, 2, 0, 0x0b0),   NV_REG(actlr_el1, 3, 0, 1, 0, 1, 0x118),
	NV_REG(mdscr_el1, 2, 0, 0, 2, 2, 0x158),  NV_REG(sp_el1, 3, 4, 4, 1, 0, 0x240),
	NV_REG(vdisr_el2, 3, 4, 12, 1, 1, 0x500), NV_REG(vsesr_el2, 3, 4, 5, 2, 3, 0x508),
};

static const struct nv_reg gic[] = {
	NV_REG(ich_lr0_el2, 3, 4, 12, 12, 0, 0x400),  NV_REG(ich_lr1_el2, 3, 4, 12, 12, 1, 0x408),
	NV_REG(ich_lr2_el2, 3, 4, 12, 12, 2, 0x410),  NV_REG(ich_lr3_el2, 3, 4, 12, 12, 3, 0x418),
	NV_REG(ich_ap0r0_el2, 3, 4, 12, 8, 0, 0x480), NV_REG(ich_ap1r0_el2, 3, 4, 12, 9, 0, 0x4a0),
	NV_REG(ich_hcr_el2, 3, 4, 12, 11, 0, 0x4c0),  NV_REG(ich_vmcr_el2, 3, 4, 12, 11, 7, 0x4c8),
};

// With fine-grained traps.
static const struct nv_reg fgt[] = {
	NV_REG(hfgrtr_el2, 3, 4, 1, 1, 4, 0x1b8),  NV_REG(hfgwtr_el2, 3, 4, 1, 1, 5, 0x1c0),
	NV_REG(hfgitr_el2, 3, 4, 1, 1, 6, 0x1c8),  NV_REG(hdfgrtr_el2, 3, 4, 3, 1, 4, 0x1d0),
	NV_REG(hdfgwtr_el2, 3, 4, 3, 1, 5, 0x1d8),
};

// In memory by their _EL1 (_EL0) names with NV1, by their _EL12 (_EL02) names without.
struct pair {
	struct sysreg el1, el12;
	uint16_t offset;
	uint64_t bits; // what the register itself can hold
};

#define PAIR(name, crn, crm, op2, offset_, bits_) \
	{ \
		.el1 = SYSREG(name##_el1, 3, 0, crn, crm, op2), \
		.el12 = SYSREG(name##_el12, 3, 5, crn, crm, op2), .offset = (offset_), \
		.bits = (bits_) \
	}
#define TIMER(name, crm, op2, offset_, bits_) \
	{ \
		.el1 = SYSREG(name##_el0, 3, 3, 14, crm, op2), \
		.el12 = SYSREG(name##_el02, 3, 5, 14, crm, op2), .offset = (offset_), \
		.bits = (bits_) \
	}

static const struct pair pairs[] = {
	PAIR(cpacr, 1, 0, 2, 0x100, 0x300000),  PAIR(contextidr, 13, 0, 1, 0x108, 0x77),
	PAIR(sctlr, 1, 0, 0, 0x110, 0),         PAIR(tcr, 2, 0, 2, 0x120, 0x500100010),
	PAIR(afsr0, 5, 1, 0, 0x128, 0),         PAIR(afsr1, 5, 1, 1, 0x130, 0),
	PAIR(esr, 5, 2, 0, 0x138, 0x56000001),  PAIR(mair, 10, 2, 0, 0x140, 0xff44),
	PAIR(amair, 10, 3, 0, 0x148, 0),        PAIR(spsr, 4, 0, 0, 0x160, 0x3c5),
	PAIR(scxtnum, 13, 0, 7, 0x188, 0x1234), PAIR(ttbr0, 2, 0, 0, 0x200, 0x11000),
	PAIR(ttbr1, 2, 0, 1, 0x210, 0x22000),   PAIR(far, 6, 0, 0, 0x220, 0x3333),
	PAIR(elr, 4, 0, 1, 0x230, 0x4440),      PAIR(vbar, 12, 0, 0, 0x250, 0),
	TIMER(cntv_cval, 3, 2, 0x168, 0x555),   TIMER(cntv_ctl, 3, 1, 0x170, 0x2),
	TIMER(cntp_cval, 2, 2, 0x178, 0x666),   TIMER(cntp_ctl, 2, 1, 0x180, 0x2),
};

#define FOR_EACH_PAIR(p) \
	for (const struct pair *p = pairs; p < pairs + sizeof(pairs) / sizeof(pairs[0]); p++)

static const struct sysreg still_trapped[] = {
	SYSREG(sctlr_el2, 3, 4, 1, 0, 0),       SYSREG(actlr_el2, 3, 4, 1, 0, 1),
	SYSREG(mdcr_el2, 3, 4, 1, 1, 1),        SYSREG(cptr_el2, 3, 4, 1, 1, 2),
	SYSREG(hacr_el2, 3, 4, 1, 1, 7),        SYSREG(ttbr0_el2, 3, 4, 2, 0, 0),
	SYSREG(ttbr1_el2, 3, 4, 2, 0, 1),       SYSREG(tcr_el2, 3, 4, 2, 0, 2),
	SYSREG(afsr0_el2, 3, 4, 5, 1, 0),       SYSREG(afsr1_el2, 3, 4, 5, 1, 1),
	SYSREG(hpfar_el2, 3, 4, 6, 0, 4),       SYSREG(mair_el2, 3, 4, 10, 2, 0),
	SYSREG(amair_el2, 3, 4, 10, 3, 0),      SYSREG(vbar_el2, 3, 4, 12, 0, 0),
	SYSREG(contextidr_el2, 3, 4, 13, 0, 1), SYSREG(scxtnum_el2, 3, 4, 13, 0, 7),
	SYSREG(cnthctl_el2, 3, 4, 14, 1, 0),    SYSREG(cnthp_ctl_el2, 3, 4, 14, 2, 1),
	SYSREG(cnthp_cval_el2, 3, 4, 14, 2, 2), SYSREG(cnthv_ctl_el2, 3, 4, 14, 3, 1),
	SYSREG(icc_sre_el2, 3, 4, 12, 9, 5),    SYSREG(cntkctl_el12, 3, 5, 14, 1, 0),
	SYSREG(cntp_tval_el02, 3, 5, 14, 2, 0), SYSREG(cntv_tval_el02, 3, 5, 14, 3, 0),
	SYSREG(tlbi_alle2, 1, 4, 8, 7, 0),      SYSREG(at_s1e2w, 1, 4, 7, 8, 1),
};

// EL2's name, and EL1's register that it means with NV2.
static const struct {
	struct sysreg el2, el1;
	uint64_t value1, value2;
} redirected[] = {
	{SYSREG(spsr_el2, 3, 4, 4, 0, 0), SYSREG(spsr_el1, 3, 0, 4, 0, 0), 0x3c5, 0x80},
	{SYSREG(elr_el2, 3, 4, 4, 0, 1), SYSREG(elr_el1, 3, 0, 4, 0, 1), 0x1230, 0x4560},
	{SYSREG(esr_el2, 3, 4, 5, 2, 0), SYSREG(esr_el1, 3, 0, 5, 2, 0), 0x56000001, 0x5a000002},
	{SYSREG(far_el2, 3, 4, 6, 0, 0), SYSREG(far_el1, 3, 0, 6, 0, 0), 0x7890, 0xabc0},
};

static uint64_t read_el3(struct sysreg r)
{
	return access_at(EL3, READ, r, 0).x[EMIT_RT];
}

static void write_el3(struct sysreg r, uint64_t value)
{
	(void)access_at(EL3, WRITE, r, value);
}

// ---- VNCR_EL2 -----------------------------------------------------------------------------------

TEST(vncr_el2_holds_a_page_address)
{
	NEEDS_NV2;
	write_sysreg(VNCR_EL2, 0x34567890abc);
	EXPECT_EQ(read_sysreg(VNCR_EL2), 0x34567890000);
	write_sysreg(VNCR_EL2, 0xffffff8000001000);
	EXPECT_EQ(read_sysreg(VNCR_EL2), 0xffffff8000001000);
}

TEST(vncr_el2_is_undefined_at_el1_without_nv_and_trapped_without_nv2)
{
	const struct sysreg vncr = SYSREG(vncr_el2, 3, 4, 2, 2, 0);

	NEEDS_NV2;
	EXPECT_UNDEFINED(EL1, READ, vncr, EL1);
	nv_set(HCR_NV);
	EXPECT_TRAP(EL1, READ, vncr, EL2);
	EXPECT_TRAP(EL1, WRITE, vncr, EL2);
}

// ---- In memory ----------------------------------------------------------------------------------

TEST(reads_of_el2_registers_come_from_memory)
{
	NEEDS_NV2;
	for (uint64_t nv1 = 0; nv1 <= HCR_NV1; nv1 += HCR_NV1) {
		nv2_set(nv1);
		FOR_EACH_NV_REG(n, always)
		{
			nv_expect_memory_read(__LINE__, n);
		}
	}
}

TEST(writes_of_el2_registers_go_to_memory)
{
	NEEDS_NV2;
	for (uint64_t nv1 = 0; nv1 <= HCR_NV1; nv1 += HCR_NV1) {
		nv2_set(nv1);
		FOR_EACH_NV_REG(n, always)
		{
			nv_expect_memory_write(__LINE__, n);
		}
	}
}

TEST(registers_of_the_virtual_gic_are_in_memory)
{
	NEEDS_NV2;
	nv2_set(0);
	FOR_EACH_NV_REG(n, gic)
	{
		nv_expect_memory_read(__LINE__, n);
		nv_expect_memory_write(__LINE__, n);
	}
}

TEST(fine_grained_traps_are_in_memory)
{
	NEEDS_NV2;
	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr0_el1), 56), "no FEAT_FGT");
	nv2_set(0);
	FOR_EACH_NV_REG(n, fgt)
	{
		nv_expect_memory_read(__LINE__, n);
		nv_expect_memory_write(__LINE__, n);
	}
}

TEST(the_same_with_e2h)
{
	NEEDS_NV2;
	nv2_set(HCR_E2H);
	FOR_EACH_NV_REG(n, always)
	{
		nv_expect_memory_read(__LINE__, n);
		nv_expect_memory_write(__LINE__, n);
	}
}

TEST(the_registers_themselves_are_not_written)
{
	NEEDS_NV2;
	nv2_set(0);
	uint64_t hcr = read_sysreg(hcr_el2), vncr = read_sysreg(VNCR_EL2);
	write_sysreg(vttbr_el2, 0x5000);
	write_sysreg(tpidr_el2, 0x1111);
	FOR_EACH_NV_REG(n, always)
	{
		(void)access_at(EL1, WRITE, n->r, ~0ul);
	}
	EXPECT_EQ(read_sysreg(hcr_el2), hcr);
	EXPECT_EQ(read_sysreg(VNCR_EL2), vncr);
	EXPECT_EQ(read_sysreg(vttbr_el2), 0x5000);
	EXPECT_EQ(read_sysreg(tpidr_el2), 0x1111);
}

TEST(the_stack_pointer_of_el1_is_not_moved_by_its_name)
{
	const struct sysreg sp = SYSREG(sp_el1, 3, 4, 4, 1, 0);

	NEEDS_NV2;
	nv2_set(0);
	uint64_t before = read_sysreg(sp_el1);
	(void)access_at(EL1, WRITE, sp, 0x123);
	EXPECT_EQ(read_sysreg(sp_el1), before);
	EXPECT_EQ(NV_PAGE[0x240 / 8], 0x123);
}

TEST(another_page_is_used_at_once)
{
	NEEDS_NV2;
	nv2_set(0);
	NV_PAGE[0x90 / 8] = 0x1111;
	*(volatile uint64_t *)(scratch[14] + 0x90) = 0x2222;
	EXPECT_EQ(access_at(EL1, READ, always[7].r, 0).x[EMIT_RT], 0x1111);
	write_sysreg(VNCR_EL2, (uint64_t)scratch[14]);
	EXPECT_EQ(access_at(EL1, READ, always[7].r, 0).x[EMIT_RT], 0x2222);
	(void)access_at(EL1, WRITE, always[7].r, 0x3333);
	EXPECT_EQ(NV_PAGE[0x90 / 8], 0x1111);
}

TEST(only_the_bits_of_the_page_number_count)
{
	NEEDS_NV2;
	nv2_set(0);
	write_sysreg(VNCR_EL2, (uint64_t)NV_PAGE | 0xfff);
	FOR_EACH_NV_REG(n, always)
	{
		nv_expect_memory_read(__LINE__, n);
	}
}

// ---- By which name ------------------------------------------------------------------------------

TEST(with_nv1_the_el1_names_are_in_memory)
{
	NEEDS_NV2;
	nv2_set(HCR_NV1);
	FOR_EACH_PAIR(p)
	{
		const struct nv_reg n = {p->el1, p->offset};

		nv_expect_memory_read(__LINE__, &n);
		nv_expect_memory_write(__LINE__, &n);
	}
}

TEST(with_nv1_the_el1_registers_are_not_written)
{
	NEEDS_NV2;
	nv2_set(HCR_NV1);
	FOR_EACH_PAIR(p)
	{
		uint64_t before = read_el3(p->el1);

		(void)access_at(EL1, WRITE, p->el1, ~before);
		guest_expect_eq(p->el1.name, __LINE__, "value", read_el3(p->el1), before);
	}
}

TEST(with_nv1_the_el12_names_are_trapped)
{
	NEEDS_NV2;
	nv2_set(HCR_NV1);
	FOR_EACH_PAIR(p)
	{
		EXPECT_TRAP(EL1, READ, p->el12, EL2);
		EXPECT_TRAP(EL1, WRITE, p->el12, EL2);
	}
}

TEST(without_nv1_the_el12_names_are_in_memory)
{
	NEEDS_NV2;
	nv2_set(0);
	FOR_EACH_PAIR(p)
	{
		const struct nv_reg n = {p->el12, p->offset};

		nv_expect_memory_read(__LINE__, &n);
		nv_expect_memory_write(__LINE__, &n);
	}
}

TEST(without_nv1_the_el12_names_need_no_e2h_above)
{
	NEEDS_NV2;
	nv2_set(HCR_E2H);
	FOR_EACH_PAIR(p)
	{
		const struct nv_reg n = {p->el12, p->offset};

		nv_expect_memory_write(__LINE__, &n);
	}
}

TEST(without_nv1_the_el1_names_are_the_registers)
{
	NEEDS_NV2;
	nv2_set(0);
	FOR_EACH_PAIR(p)
	{
		if (p->bits == 0) {
			continue;
		}
		write_el3(p->el1, p->bits);
		NV_PAGE[p->offset / 8] = ~0ul;
		guest_expect_eq(p->el1.name, __LINE__, "value",
				access_at(EL1, READ, p->el1, 0).x[EMIT_RT], read_el3(p->el1));
		guest_expect_eq(p->el1.name, __LINE__, "memory", NV_PAGE[p->offset / 8], ~0ul);
	}
}

TEST(nv2_without_nv_has_no_effect)
{
	NEEDS_NV2;
	write_sysreg(VNCR_EL2, (uint64_t)NV_PAGE);
	nv_set(HCR_NV2 | HCR_NV1);
	EXPECT_UNDEFINED(EL1, READ, always[0].r, EL1);
	FOR_EACH_PAIR(p)
	{
		EXPECT_UNDEFINED(EL1, READ, p->el12, EL1);
		EXPECT_EQ(access_at(EL1, READ, p->el1, 0).el, EL_NONE);
	}
}

TEST(nv2_leaves_el2_and_el3_alone)
{
	NEEDS_NV2;
	nv2_set(HCR_NV1);
	nv_page_clear();
	write_sysreg(vttbr_el2, 0x5000);
	EXPECT_EQ(access_at(EL2, READ, always[0].r, 0).x[EMIT_RT], 0x5000);
	write_sysreg(far_el1, 0x77);
	EXPECT_EQ(access_at(EL2, READ, pairs[13].el1, 0).x[EMIT_RT], 0x77);
	EXPECT_EQ(NV_PAGE[0x20 / 8], 0);
}

TEST(el0_uses_its_own_timers)
{
	const struct sysreg cntp_cval = SYSREG(cntp_cval_el0, 3, 3, 14, 2, 2);

	NEEDS_NV2;
	write_sysreg(cntp_cval_el0, 0x1234);
	nv2_set(HCR_NV1);
	NV_PAGE[0x178 / 8] = 0x9999;
	EXPECT_EQ(access_at(EL0, READ, cntp_cval, 0).x[EMIT_RT], 0x1234);
	EXPECT_EQ(access_at(EL1, READ, cntp_cval, 0).x[EMIT_RT], 0x9999);
}

// A permission that is remembered for one setting is not used for another.
TEST(answers_change_with_the_controls)
{
	NEEDS_NV2;
	write_sysreg(far_el1, 0x1111);
	NV_PAGE[0x220 / 8] = 0x2222;
	for (int i = 0; i < 3; i++) {
		nv2_set(HCR_NV1);
		NV_PAGE[0x220 / 8] = 0x2222;
		EXPECT_EQ(access_at(EL1, READ, pairs[13].el1, 0).x[EMIT_RT], 0x2222);
		nv2_set(0);
		EXPECT_EQ(access_at(EL1, READ, pairs[13].el1, 0).x[EMIT_RT], 0x1111);
		EXPECT_EQ(access_at(EL1, READ, pairs[13].el12, 0).x[EMIT_RT], 0x2222);
		nv_set(HCR_NV);
		EXPECT_TRAP(EL1, READ, pairs[13].el12, EL2);
	}
}

// ---- Redirected ---------------------------------------------------------------------------------

TEST(what_exceptions_leave_is_read_by_el2_names)
{
	NEEDS_NV2;
	for (uint64_t nv1 = 0; nv1 <= HCR_NV1; nv1 += HCR_NV1) {
		nv2_set(nv1);
		for (unsigned i = 0; i < sizeof(redirected) / sizeof(redirected[0]); i++) {
			write_el3(redirected[i].el1, redirected[i].value1);
			write_el3(redirected[i].el2, redirected[i].value2);
			struct exc e = access_at(EL1, READ, redirected[i].el2, 0);

			guest_expect_no_exc(redirected[i].el2.name, __LINE__, &e);
			guest_expect_eq(redirected[i].el2.name, __LINE__, "value", e.x[EMIT_RT],
					redirected[i].value1);
		}
	}
}

TEST(writes_by_el2_names_go_to_el1s_registers)
{
	NEEDS_NV2;
	nv2_set(HCR_NV1);
	nv_page_clear();
	for (unsigned i = 0; i < sizeof(redirected) / sizeof(redirected[0]); i++) {
		uint64_t before;

		write_el3(redirected[i].el1, 0);
		write_el3(redirected[i].el2, redirected[i].value2);
		before = read_el3(redirected[i].el2);
		(void)access_at(EL1, WRITE, redirected[i].el2, redirected[i].value1);
		guest_expect_eq(redirected[i].el1.name, __LINE__, "EL1's",
				read_el3(redirected[i].el1), redirected[i].value1);
		guest_expect_eq(redirected[i].el2.name, __LINE__, "EL2's",
				read_el3(redirected[i].el2), before);
	}
	for (unsigned i = 0; i < 512; i++) {
		EXPECT_EQ(NV_PAGE[i], 0);
	}
}

TEST(without_nv2_they_are_trapped)
{
	NEEDS_NV;
	nv_set(HCR_NV);
	for (unsigned i = 0; i < sizeof(redirected) / sizeof(redirected[0]); i++) {
		EXPECT_TRAP(EL1, READ, redirected[i].el2, EL2);
	}
}

// ---- What is still trapped, and what comes first ------------------------------------------------

TEST(what_has_no_place_in_the_page_is_trapped)
{
	NEEDS_NV2;
	for (uint64_t nv1 = 0; nv1 <= HCR_NV1; nv1 += HCR_NV1) {
		nv2_set(nv1);
		FOR_EACH_REG(r, still_trapped)
		{
			EXPECT_TRAP(EL1, WRITE, *r, EL2);
		}
	}
}

TEST(tvm_comes_before_the_memory)
{
	NEEDS_NV2;
	nv2_set(HCR_NV1 | HCR_TVM);
	nv_page_clear();
	EXPECT_TRAP(EL1, WRITE, pairs[3].el1, EL2);
	EXPECT_EQ(NV_PAGE[0x120 / 8], 0);
	EXPECT_ACCESS(EL1, READ, pairs[3].el1);
}

TEST(trvm_comes_before_the_memory)
{
	NEEDS_NV2;
	nv2_set(HCR_NV1 | HCR_TRVM);
	EXPECT_TRAP(EL1, READ, pairs[13].el1, EL2);
	EXPECT_ACCESS(EL1, WRITE, pairs[13].el1);
}

TEST(tvm_does_not_concern_the_el12_names)
{
	NEEDS_NV2;
	nv2_set(HCR_TVM | HCR_TRVM);
	EXPECT_ACCESS(EL1, WRITE, pairs[3].el12);
	EXPECT_ACCESS(EL1, READ, pairs[3].el12);
}

TEST(tacr_comes_before_the_memory)
{
	const struct sysreg actlr = SYSREG(actlr_el1, 3, 0, 1, 0, 1);

	NEEDS_NV2;
	nv2_set(HCR_TACR);
	EXPECT_TRAP(EL1, READ, actlr, EL2);
}

TEST(tcpac_comes_before_the_memory)
{
	NEEDS_NV2;
	nv2_set(HCR_NV1);
	write_sysreg(cptr_el2, CPTR_EL2_BASE | CPTR_TCPAC);
	EXPECT_TRAP(EL1, READ, pairs[0].el1, EL2);
	nv2_set(0);
	EXPECT_ACCESS(EL1, READ, pairs[0].el12);
}

TEST(tda_comes_before_the_memory)
{
	const struct sysreg mdscr = SYSREG(mdscr_el1, 2, 0, 0, 2, 2);

	NEEDS_NV2;
	nv2_set(0);
	write_sysreg(mdcr_el2, read_sysreg(mdcr_el2) | MDCR_EL2_TDA);
	EXPECT_TRAP(EL1, READ, mdscr, EL2);
}

TEST(fine_grained_traps_come_before_the_memory)
{
	NEEDS_NV2;
	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr0_el1), 56), "no FEAT_FGT");
	write_sysreg(scr_el3, SCR_BASE | BIT(27)); // FGTEn
	nv2_set(HCR_NV1);
	write_sysreg(S3_4_C1_C1_4, BIT(36)); // HFGRTR_EL2.TTBR0_EL1
	EXPECT_TRAP(EL1, READ, pairs[11].el1, EL2);
	EXPECT_ACCESS(EL1, WRITE, pairs[11].el1);
	write_sysreg(S3_4_C1_C1_4, 0);
	EXPECT_ACCESS(EL1, READ, pairs[11].el1);
}

TEST(el3s_traps_come_before_the_memory)
{
	const struct sysreg mdscr = SYSREG(mdscr_el1, 2, 0, 0, 2, 2);

	NEEDS_NV2;
	nv2_set(0);
	write_sysreg(mdcr_el3, MDCR_EL3_BASE | MDCR_EL3_TDA);
	EXPECT_TRAP(EL1, READ, mdscr, EL3);
}

TEST(nv1_no_longer_traps_vbar_and_its_like)
{
	const struct nv_reg vbar = NV_REG(vbar_el1, 3, 0, 12, 0, 0, 0x250);
	const struct nv_reg elr = NV_REG(elr_el1, 3, 0, 4, 0, 1, 0x230);
	const struct nv_reg spsr = NV_REG(spsr_el1, 3, 0, 4, 0, 0, 0x160);

	NEEDS_NV2;
	nv2_set(HCR_NV1);
	nv_expect_memory_write(__LINE__, &vbar);
	nv_expect_memory_write(__LINE__, &elr);
	nv_expect_memory_write(__LINE__, &spsr);
}
