// SPDX-License-Identifier: Apache-2.0
//
// bti.c - branch target identification: what each branch leaves in PSTATE.BTYPE, which instruction
// may stand at its target in a guarded page, and the exception otherwise (EC 0x0d, ISS = BTYPE).

#include "abort.h"

SNIPPET(blr_x0, "mov x19, x30\n\tblr x0\n\tmov x30, x19");
SNIPPET(br_x0, "br x0");
SNIPPET(br_x16, "mov x16, x0\n\tbr x16");
SNIPPET(br_x17, "mov x17, x0\n\tbr x17");
SNIPPET(ret_x0, "ret x0");

#define VA 0x80000000ul
#define INSN_RET 0xd65f03c0u
#define INSN_NOP 0xd503201fu
#define INSN_BTI 0xd503241fu
#define INSN_BTI_C 0xd503245fu
#define INSN_BTI_J 0xd503249fu
#define INSN_BTI_JC 0xd50324dfu
#define INSN_PACIASP 0xd503233fu
#define INSN_PACIBSP 0xd503237fu
#define INSN_BRK_5 0xd42000a0u
#define INSN_HLT_5 0xd44000a0u
#define INSN_BR_X0 0xd61f0000u

#define NEEDS_BTI SKIP_UNLESS(id_field(read_sysreg(id_aa64pfr1_el1), 0), "no FEAT_BTI")

static struct pgtable s1;

static void start(uint64_t attrs)
{
	guest_reset();
	pgtable_init(&s1, 12, 39);
	map_guest_code(&s1);
	map_page(&s1, VA, (uint64_t)scratch[0], PT_NORMAL | PT_AP_RO_ALL | attrs, 3);
	stage1_on_el1(&s1);
}

static void put(unsigned offset, uint32_t insn)
{
	*(volatile uint32_t *)(scratch[0] + offset) = insn;
	*(volatile uint32_t *)(scratch[0] + offset + 4) = INSN_RET;
	__asm__ volatile("dsb sy\n\tic iallu\n\tdsb sy\n\tisb" ::: "memory");
}

struct landing {
	const char *name;
	uint32_t insn;
	bool accepts[4]; // by BTYPE
};

// With SCTLR_ELx.BT = 0 and 1; PACIASP differs for BTYPE 0b11.
static const struct landing plain[] = {
	{"nop", INSN_NOP, {true, false, false, false}},
	{"bti", INSN_BTI, {true, false, false, false}},
	{"bti c", INSN_BTI_C, {true, true, true, false}},
	{"bti j", INSN_BTI_J, {true, true, false, true}},
	{"bti jc", INSN_BTI_JC, {true, true, true, true}},
	{"paciasp", INSN_PACIASP, {true, true, true, true}},
	{"pacibsp", INSN_PACIBSP, {true, true, true, true}},
};
static const struct landing strict[] = {
	{"bti c", INSN_BTI_C, {true, true, true, false}},
	{"bti jc", INSN_BTI_JC, {true, true, true, true}},
	{"paciasp", INSN_PACIASP, {true, true, true, false}},
	{"pacibsp", INSN_PACIBSP, {true, true, true, false}},
};

static void expect_landings(int line, enum el el, const struct landing *landings, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		put(0, landings[i].insn);
		for (unsigned btype = 0; btype < 4; btype++) {
			struct exc e = run_at_spsr(guest_spsr(el) | SPSR_BTYPE(btype), VA);

			if (landings[i].accepts[btype]) {
				guest_expect_no_exc(landings[i].name, line, &e);
				continue;
			}
			guest_expect_exc(landings[i].name, line, &e, el < EL1 ? EL1 : el,
					 ESR(EC_BTI, btype));
			guest_expect_eq(landings[i].name, line, "elr", e.elr, VA);
			guest_expect_eq(landings[i].name, line, "SPSR.BTYPE",
					e.spsr & SPSR_BTYPE(3), SPSR_BTYPE(btype));
		}
	}
}

#define EXPECT_LANDINGS(el, array) \
	expect_landings(__LINE__, el, array, sizeof(array) / sizeof((array)[0]))

TEST(landing_instructions_at_el1)
{
	NEEDS_BTI;
	start(PT_GP);
	EXPECT_LANDINGS(EL1, plain);
}

TEST(landing_instructions_at_el0)
{
	NEEDS_BTI;
	start(PT_GP);
	EXPECT_LANDINGS(EL0, plain);
}

TEST(sctlr_bt1_makes_paciasp_strict_at_el1)
{
	NEEDS_BTI;
	start(PT_GP);
	write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | SCTLR_BT1);
	EXPECT_LANDINGS(EL1, strict);
	EXPECT_LANDINGS(EL0, plain);
}

TEST(sctlr_bt0_makes_paciasp_strict_at_el0)
{
	NEEDS_BTI;
	start(PT_GP);
	write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | SCTLR_BT0);
	EXPECT_LANDINGS(EL0, strict);
	EXPECT_LANDINGS(EL1, plain);
}

TEST(landing_instructions_at_el2)
{
	NEEDS_BTI;
	start(PT_GP);
	stage1_on_el2(&s1);
	EXPECT_LANDINGS(EL2, plain);
	write_sysreg(sctlr_el2, read_sysreg(sctlr_el2) | BIT(36));
	EXPECT_LANDINGS(EL2, strict);
}

TEST(landing_failure_of_el0_goes_to_el2_in_a_host)
{
	NEEDS_BTI;
	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr1_el1), 8), "no FEAT_VHE");
	start(PT_GP);
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H | HCR_TGE);
	stage1_on_el20(&s1);
	put(0, INSN_NOP);
	struct exc e = run_at_spsr(guest_spsr(EL0) | SPSR_BTYPE(2), VA);

	EXPECT_EXC(e, EL2, EC_BTI, 2);
}

TEST(pages_without_gp_and_the_mmu_off_accept_everything)
{
	NEEDS_BTI;
	start(0);
	put(0, INSN_NOP);
	for (unsigned btype = 1; btype < 4; btype++) {
		struct exc mapped = run_at_spsr(guest_spsr(EL1) | SPSR_BTYPE(btype), VA);
		struct exc flat = run_at_spsr(guest_spsr(EL2) | SPSR_BTYPE(btype), scratch[0]);

		EXPECT_NO_EXC(mapped);
		EXPECT_NO_EXC(flat);
	}
}

// A breakpoint instruction is compatible with every branch.
TEST(brk_comes_before_the_branch_target_exception)
{
	NEEDS_BTI;
	start(PT_GP);
	put(0, INSN_BRK_5);
	for (unsigned btype = 1; btype < 4; btype++) {
		struct exc e = run_at_spsr(guest_spsr(EL1) | SPSR_BTYPE(btype), VA);

		EXPECT_EXC(e, EL1, EC_BRK, 5);
	}
	put(0, INSN_HLT_5);
	struct exc hlt = run_at_spsr(guest_spsr(EL1) | SPSR_BTYPE(3), VA);
	EXPECT_EXC(hlt, EL1, EC_UNKNOWN, 0);
}

// SPSR.BTYPE is what the branch left, in any page.
TEST(brk_at_a_branch_target_saves_btype)
{
	NEEDS_BTI;
	start(0);
	put(0x200, INSN_BRK_5);
	for (unsigned i = 0; i < 3; i++) {
		struct exc call = run_at(EL1, blr_x0, VA + 0x200);
		struct exc jump = run_at(EL1, br_x16, VA + 0x200);
		struct exc flat = run_at(EL2, blr_x0, scratch[0] + 0x200);

		EXPECT_EXC(call, EL1, EC_BRK, 5);
		EXPECT_MASKED(call.spsr, SPSR_BTYPE(3), SPSR_BTYPE(2));
		EXPECT_EXC(jump, EL1, EC_BRK, 5);
		EXPECT_MASKED(jump.spsr, SPSR_BTYPE(3), SPSR_BTYPE(1));
		EXPECT_MASKED(flat.spsr, SPSR_BTYPE(3), SPSR_BTYPE(2));
	}
}

// ---- What branches leave ------------------------------------------------------------------------

static void expect_btype(int line, const char *branch, unsigned btype)
{
	put(0, INSN_NOP);
	struct exc e = run_at(EL1, branch, VA);

	if (btype) {
		guest_expect_exc("bti.c", line, &e, EL1, ESR(EC_BTI, btype));
		guest_expect_eq("bti.c", line, "elr", e.elr, VA);
	} else {
		guest_expect_no_exc("bti.c", line, &e);
	}
}

TEST(blr_sets_btype_2)
{
	NEEDS_BTI;
	start(PT_GP);
	expect_btype(__LINE__, blr_x0, 2);
}

TEST(br_x16_and_x17_set_btype_1)
{
	NEEDS_BTI;
	start(PT_GP);
	expect_btype(__LINE__, br_x16, 1);
	expect_btype(__LINE__, br_x17, 1);
}

TEST(br_of_another_register_sets_btype_1_outside_guarded_pages)
{
	NEEDS_BTI;
	start(PT_GP);
	expect_btype(__LINE__, br_x0, 1);
}

TEST(br_of_another_register_sets_btype_3_in_a_guarded_page)
{
	NEEDS_BTI;
	start(PT_GP);
	put(0, INSN_NOP);
	put(0x100, INSN_BR_X0);
	struct exc e = run_at(EL1, VA + 0x100, VA);

	EXPECT_EXC(e, EL1, EC_BTI, 3);
	EXPECT_EQ(e.elr, VA);
}

TEST(ret_sets_btype_0)
{
	NEEDS_BTI;
	start(PT_GP);
	put(0, INSN_NOP);
	struct exc e = run_at(EL1, ret_x0, VA, 0, 0, 0, 0, 0, 0, 0);

	// The RET in the page returns by x30 as usual.
	EXPECT_NO_EXC(e);
}

TEST(guarded_page_is_left_alone_by_direct_branches)
{
	NEEDS_BTI;
	start(PT_GP);
	put(0x10, INSN_NOP);
	put(0, 0x14000004u); // B .+16
	struct exc b = run_at(EL1, VA);
	put(0, 0xb4000080u); // CBZ X0, .+16
	struct exc cbz = run_at(EL1, VA);

	EXPECT_NO_EXC(b);
	EXPECT_NO_EXC(cbz);
}

TEST(exception_return_takes_btype_from_the_spsr)
{
	SNIPPET(eret_only, "eret");

	NEEDS_BTI;
	start(PT_GP);
	put(0, INSN_BTI_C);
	write_sysreg(elr_el1, VA);
	write_sysreg(spsr_el1, guest_spsr(EL0) | SPSR_BTYPE(3));
	struct exc bad = run_at(EL1, eret_only);
	write_sysreg(elr_el1, VA);
	write_sysreg(spsr_el1, guest_spsr(EL0));
	struct exc good = run_at(EL1, eret_only);

	EXPECT_EXC_AT(bad, EL1, 0x400, ESR(EC_BTI, 3));
	// Back at EL0, the page's RET goes to x30: the SMC stub of EL1, which is UNDEFINED at EL0.
	EXPECT_TRUE(good.el == EL_NONE || good.esr == ESR(EC_UNKNOWN, 0));
}
