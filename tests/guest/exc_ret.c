// SPDX-License-Identifier: Apache-2.0
//
// exc_ret.c - exception return: every legal pair of levels, everything that makes it illegal, and
// which bits of SPSR_ELx reach PSTATE and come back.

#include "guest.h"

#define HAS_VHE id_field(read_sysreg(id_aa64mmfr1_el1), 8)
#define HAS_SEL2 id_field(read_sysreg(id_aa64pfr0_el1), 36)
#define SECURE (SCR_BASE & ~SCR_NS)

SNIPPET(eret_only, "eret");
SNIPPET(nothing, "nop");
SNIPPET(brk_9, "brk #9");
SNIPPET(svc_9, "svc #9");
SNIPPET(current_el, "mrs x0, CurrentEL\n\tmrs x1, SPSel");
SNIPPET(current_el_svc, "nop" ESCAPE_SVC);

static const uint64_t own_mode[] = {SPSR_M_EL0T, SPSR_M_EL1H, SPSR_M_EL2H, SPSR_M_EL3H};

static void set_return(enum el el, uint64_t spsr, const char *pc)
{
	if (el == EL1) {
		write_sysreg(spsr_el1, spsr);
		write_sysreg(elr_el1, pc);
	} else if (el == EL2) {
		write_sysreg(spsr_el2, spsr);
		write_sysreg(elr_el2, pc);
	} else {
		write_sysreg(spsr_el3, spsr);
		write_sysreg(elr_el3, pc);
	}
}

// ---- Legal --------------------------------------------------------------------------------------

TEST(eret_from_el2_reaches_el2_el1_el0)
{
	set_return(EL2, SPSR_DAIF | SPSR_M_EL2H, brk_9);
	struct exc e2 = run_at(EL2, eret_only);
	set_return(EL2, SPSR_DAIF | SPSR_M_EL1H, brk_9);
	struct exc e1 = run_at(EL2, eret_only);
	set_return(EL2, SPSR_DAIF | SPSR_M_EL0T, brk_9);
	struct exc e0 = run_at(EL2, eret_only);

	EXPECT_EXC_AT(e2, EL2, 0x200, ESR(EC_BRK, 9));
	EXPECT_EXC_AT(e1, EL1, 0x200, ESR(EC_BRK, 9));
	EXPECT_EXC_AT(e0, EL1, 0x400, ESR(EC_BRK, 9));
}

TEST(eret_from_el1_reaches_el1_and_el0)
{
	set_return(EL1, SPSR_DAIF | SPSR_M_EL1H, brk_9);
	struct exc e1 = run_at(EL1, eret_only);
	set_return(EL1, SPSR_DAIF | SPSR_M_EL0T, brk_9);
	struct exc e0 = run_at(EL1, eret_only);

	EXPECT_EXC_AT(e1, EL1, 0x200, ESR(EC_BRK, 9));
	EXPECT_EXC_AT(e0, EL1, 0x400, ESR(EC_BRK, 9));
}

TEST(eret_from_el3_reaches_every_level)
{
	const int to[] = {EL1, EL1, EL2, EL3};
	const uint64_t offset[] = {0x400, 0x200, 0x200, 0x200};

	for (enum el el = EL0; el <= EL3; el++) {
		struct exc e = run_at(el, brk_9);

		EXPECT_EXC_AT(e, to[el], offset[el], ESR(EC_BRK, 9));
		EXPECT_MASKED(e.spsr, SPSR_M_MASK, own_mode[el]);
	}
}

TEST(eret_from_el2_with_e2h_reaches_el1_and_el0)
{
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H);
	set_return(EL2, SPSR_DAIF | SPSR_M_EL1H, brk_9);
	struct exc e1 = run_at(EL2, eret_only);
	set_return(EL2, SPSR_DAIF | SPSR_M_EL0T, brk_9);
	struct exc e0 = run_at(EL2, eret_only);

	EXPECT_EXC_AT(e1, EL1, 0x200, ESR(EC_BRK, 9));
	EXPECT_EXC_AT(e0, EL1, 0x400, ESR(EC_BRK, 9));
}

TEST(eret_to_secure_el2_is_legal_with_eel2)
{
	SKIP_UNLESS(HAS_SEL2, "no FEAT_SEL2");
	write_sysreg(scr_el3, SECURE | SCR_EEL2);
	struct exc e = run_at(EL2, current_el);

	EXPECT_NO_EXC(e);
	EXPECT_REG(e, 0, 2 << 2);
}

// ---- Illegal ------------------------------------------------------------------------------------

// A return from el that must fail: el stays, PSTATE.IL is set, and the next instruction, that at
// ELR, raises EC 0x0e at el.
static void expect_illegal(int line, enum el el, uint64_t spsr)
{
	struct exc e;

	if (el == EL3) {
		e = run_at_spsr(spsr, nothing);
		e.start = guest_spsr(EL3);
	} else {
		set_return(el, spsr, nothing);
		e = run_at(el, eret_only);
	}
	guest_expect_exc("exc_ret.c", line, &e, el, ESR(EC_ILLEGAL, 0));
	guest_expect_eq("exc_ret.c", line, "elr", e.elr, (uint64_t)nothing);
	guest_expect_eq("exc_ret.c", line, "spsr.IL", e.spsr & SPSR_IL, SPSR_IL);
}

#define EXPECT_ILLEGAL(el, spsr) expect_illegal(__LINE__, el, SPSR_DAIF | (spsr))

TEST(eret_to_a_higher_level_is_illegal)
{
	EXPECT_ILLEGAL(EL1, SPSR_M_EL2H);
	EXPECT_ILLEGAL(EL1, SPSR_M_EL2T);
	EXPECT_ILLEGAL(EL1, SPSR_M_EL3H);
	EXPECT_ILLEGAL(EL2, SPSR_M_EL3H);
	EXPECT_ILLEGAL(EL2, SPSR_M_EL3T);
}

TEST(eret_to_el0_with_spsel_1_is_illegal)
{
	EXPECT_ILLEGAL(EL1, 0x1);
	EXPECT_ILLEGAL(EL2, 0x1);
	EXPECT_ILLEGAL(EL3, 0x1);
}

TEST(eret_with_m1_set_is_illegal)
{
	const uint64_t modes[] = {0x2, 0x3, 0x6, 0x7, 0xa, 0xb, 0xe, 0xf};

	for (unsigned i = 0; i < 8; i++) {
		EXPECT_ILLEGAL(EL1, modes[i]);
		EXPECT_ILLEGAL(EL2, modes[i]);
		EXPECT_ILLEGAL(EL3, modes[i]);
	}
}

// AArch32 modes of EL1, EL2 and EL3 where those levels use AArch64; and reserved modes.
TEST(eret_to_aarch32_of_an_aarch64_level_is_illegal)
{
	const uint64_t modes[] = {0x11, 0x12, 0x13, 0x16, 0x17, 0x1a, 0x1b, 0x1f, 0x14, 0x1e};

	for (unsigned i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		EXPECT_ILLEGAL(EL1, modes[i]);
		EXPECT_ILLEGAL(EL2, modes[i]);
		EXPECT_ILLEGAL(EL3, modes[i]);
	}
}

TEST(eret_to_aarch32_el0_is_illegal_without_aarch32)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64pfr0_el1), 0) == 1, "EL0 may use AArch32");
	EXPECT_ILLEGAL(EL1, 0x10);
	EXPECT_ILLEGAL(EL2, 0x10);
	EXPECT_ILLEGAL(EL3, 0x10);
}

TEST(eret_to_el1_with_tge_is_illegal)
{
	write_sysreg(hcr_el2, HCR_BASE | HCR_TGE);
	EXPECT_ILLEGAL(EL2, SPSR_M_EL1H);
	EXPECT_ILLEGAL(EL2, SPSR_M_EL1T);
	EXPECT_ILLEGAL(EL3, SPSR_M_EL1H);
}

TEST(eret_to_el1_with_tge_and_e2h_is_illegal)
{
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	write_sysreg(hcr_el2, HCR_BASE | HCR_TGE | HCR_E2H);
	EXPECT_ILLEGAL(EL2, SPSR_M_EL1H);
	EXPECT_ILLEGAL(EL3, SPSR_M_EL1T);
}

TEST(eret_from_el3_to_secure_el1_ignores_tge_without_secure_el2)
{
	write_sysreg(hcr_el2, HCR_BASE | HCR_TGE);
	write_sysreg(scr_el3, SECURE);
	struct exc e = run_at(EL1, current_el);

	EXPECT_NO_EXC(e);
}

TEST(eret_to_secure_el1_with_tge_and_secure_el2_is_illegal)
{
	SKIP_UNLESS(HAS_SEL2, "no FEAT_SEL2");
	write_sysreg(hcr_el2, HCR_BASE | HCR_TGE);
	write_sysreg(scr_el3, SECURE | SCR_EEL2);
	EXPECT_ILLEGAL(EL3, SPSR_M_EL1H);
}

TEST(eret_to_secure_el2_without_eel2_is_illegal)
{
	write_sysreg(scr_el3, SECURE);
	EXPECT_ILLEGAL(EL3, SPSR_M_EL2H);
	EXPECT_ILLEGAL(EL3, SPSR_M_EL2T);
}

TEST(illegal_return_keeps_the_stack_pointer_selection)
{
	set_return(EL1, SPSR_DAIF | SPSR_M_EL2T, nothing);
	struct exc h = run_at(EL1, eret_only);
	struct exc t = run_at_spsr(SPSR_DAIF | SPSR_M_EL1T, eret_only);

	EXPECT_EXC(h, EL1, EC_ILLEGAL, 0);
	EXPECT_MASKED(h.spsr, SPSR_M_MASK, SPSR_M_EL1H);
	// The first run left its own ELR and SPSR in the return registers: EL1h, legal again.
	(void)t;
	set_return(EL1, SPSR_DAIF | SPSR_M_EL2H, nothing);
	t = run_at_spsr(SPSR_DAIF | SPSR_M_EL1T, eret_only);
	EXPECT_EXC_AT(t, EL1, 0x000, ESR(EC_ILLEGAL, 0));
	EXPECT_MASKED(t.spsr, SPSR_M_MASK, SPSR_M_EL1T);
}

TEST(illegal_return_takes_the_masks_of_the_spsr)
{
	set_return(EL2, SPSR_A | SPSR_I | SPSR_Z | SPSR_V | SPSR_M_EL3H, nothing);
	struct exc e = run_at(EL2, eret_only);

	EXPECT_EXC(e, EL2, EC_ILLEGAL, 0);
	EXPECT_MASKED(e.spsr, 0xf0000000 | SPSR_DAIF, SPSR_A | SPSR_I | SPSR_Z | SPSR_V);
}

// What comes of fetching the next instruction has priority over the Illegal Execution state.
TEST(illegal_return_to_an_unaligned_address_is_a_pc_alignment_fault)
{
	for (enum el el = EL1; el <= EL2; el++) {
		set_return(el, SPSR_DAIF | SPSR_M_EL3H, nothing + 2);
		struct exc e = run_at(el, eret_only);

		EXPECT_EXC_AT(e, el, 0x200, ESR(EC_PC_ALIGN, 0));
		EXPECT_EQ(e.elr, nothing + 2);
		EXPECT_EQ(e.far, nothing + 2);
		EXPECT_MASKED(e.spsr, SPSR_IL | SPSR_M_MASK, SPSR_IL | own_mode[el]);
		EXPECT_MASKED(e.pstate, SPSR_IL, 0);
	}
}

TEST(illegal_return_to_where_nothing_can_be_fetched_is_an_instruction_abort)
{
	const char *beyond = (const char *)(1ul << 52); // more than any physical address

	set_return(EL2, SPSR_DAIF | SPSR_M_EL3H, beyond);
	struct exc e = run_at(EL2, eret_only);

	EXPECT_EXC_AT(e, EL2, 0x200, ESR(EC_IABT_SAME, FSC_ADDR_SIZE(0)));
	EXPECT_EQ(e.elr, beyond);
	EXPECT_MASKED(e.spsr, SPSR_IL, SPSR_IL);
}

TEST(legal_return_with_il_to_an_unaligned_address_is_a_pc_alignment_fault)
{
	set_return(EL2, SPSR_DAIF | SPSR_IL | SPSR_M_EL1H, nothing + 1);
	struct exc e = run_at(EL2, eret_only);

	EXPECT_EXC_AT(e, EL1, 0x200, ESR(EC_PC_ALIGN, 0));
	EXPECT_EQ(e.far, nothing + 1);
	EXPECT_MASKED(e.spsr, SPSR_IL | SPSR_M_MASK, SPSR_IL | SPSR_M_EL1H);
}

// ---- PSTATE by SPSR and back --------------------------------------------------------------------

// Starts nop at el with the bits set in SPSR_EL3 and looks at PSTATE at the end.
static void expect_kept(int line, enum el el, uint64_t bits, uint64_t among)
{
	struct exc e = run_at_spsr((guest_spsr(el) & ~(among & SPSR_DAIF)) | bits, nothing);

	guest_expect_no_exc("exc_ret.c", line, &e);
	guest_expect_eq("exc_ret.c", line, "pstate", e.pstate & among, bits);
}

#define EXPECT_KEPT(el, bits, among) expect_kept(__LINE__, el, bits, among)

TEST(each_flag_travels_through_the_spsr)
{
	const uint64_t nzcv = SPSR_N | SPSR_Z | SPSR_C | SPSR_V;

	for (enum el el = EL0; el <= EL2; el++) {
		for (uint64_t f = 0; f < 16; f++) {
			EXPECT_KEPT(el, f << 28, nzcv);
		}
	}
}

TEST(each_mask_travels_through_the_spsr)
{
	for (enum el el = EL0; el <= EL2; el++) {
		for (uint64_t m = 0; m < 16; m++) {
			EXPECT_KEPT(el, m << 6, SPSR_DAIF);
		}
	}
}

TEST(pan_travels_through_the_spsr)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr1_el1), 20), "no FEAT_PAN");
	EXPECT_KEPT(EL1, SPSR_PAN, SPSR_PAN);
	EXPECT_KEPT(EL1, 0, SPSR_PAN);
	EXPECT_KEPT(EL2, SPSR_PAN, SPSR_PAN);
	EXPECT_KEPT(EL0, SPSR_PAN, SPSR_PAN);
}

TEST(uao_travels_through_the_spsr)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr2_el1), 4), "no FEAT_UAO");
	EXPECT_KEPT(EL1, SPSR_UAO, SPSR_UAO);
	EXPECT_KEPT(EL1, 0, SPSR_UAO);
	EXPECT_KEPT(EL2, SPSR_UAO, SPSR_UAO);
}

TEST(dit_travels_through_the_spsr)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64pfr0_el1), 48), "no FEAT_DIT");
	for (enum el el = EL0; el <= EL2; el++) {
		EXPECT_KEPT(el, SPSR_DIT, SPSR_DIT);
		EXPECT_KEPT(el, 0, SPSR_DIT);
	}
}

TEST(ssbs_travels_through_the_spsr)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64pfr1_el1), 4), "no FEAT_SSBS");
	for (enum el el = EL0; el <= EL2; el++) {
		EXPECT_KEPT(el, SPSR_SSBS, SPSR_SSBS);
		EXPECT_KEPT(el, 0, SPSR_SSBS);
	}
}

TEST(btype_travels_through_the_spsr)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64pfr1_el1), 0), "no FEAT_BTI");
	for (uint64_t b = 0; b < 4; b++) {
		struct exc e = run_at_spsr(guest_spsr(EL1) | SPSR_BTYPE(b), brk_9);

		EXPECT_EXC(e, EL1, EC_BRK, 9);
		EXPECT_MASKED(e.spsr, SPSR_BTYPE(3), SPSR_BTYPE(b));
		EXPECT_MASKED(e.pstate, SPSR_BTYPE(3), 0);
	}
}

TEST(btype_is_cleared_by_any_instruction)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64pfr1_el1), 0), "no FEAT_BTI");
	struct exc e = run_at_spsr(guest_spsr(EL1) | SPSR_BTYPE(3), nothing);

	EXPECT_NO_EXC(e);
	EXPECT_MASKED(e.pstate, SPSR_BTYPE(3), 0);
}

TEST(ss_is_lost_without_software_step)
{
	EXPECT_KEPT(EL1, 0, SPSR_SS);
	struct exc e = run_at_spsr(guest_spsr(EL1) | SPSR_SS, nothing);

	EXPECT_NO_EXC(e);
	EXPECT_MASKED(e.pstate, SPSR_SS, 0);
}

TEST(exception_entry_clears_il_and_ss)
{
	struct exc e = run_at_spsr(guest_spsr(EL0) | SPSR_IL, nothing);

	EXPECT_EXC(e, EL1, EC_ILLEGAL, 0);
	EXPECT_MASKED(e.pstate, SPSR_IL | SPSR_SS, 0);
}

TEST(exception_entry_keeps_flags_and_dit)
{
	QEMU_DIFFERS("clears them");
	struct exc e = run_at_spsr(guest_spsr(EL0) | SPSR_DIT | SPSR_N, svc_9);

	EXPECT_MASKED(e.spsr, SPSR_DIT | SPSR_N, SPSR_DIT | SPSR_N);
	EXPECT_MASKED(e.pstate, SPSR_DIT | SPSR_N, SPSR_DIT | SPSR_N);
}

TEST(exception_entry_sets_ssbs_by_sctlr_dssbs)
{
	const uint64_t dssbs = 1ul << 44;

	SKIP_UNLESS(id_field(read_sysreg(id_aa64pfr1_el1), 4), "no FEAT_SSBS");
	struct exc clear = run_at_spsr(guest_spsr(EL0) | SPSR_SSBS, svc_9);
	write_sysreg(sctlr_el1, SCTLR_EL1_BASE | dssbs);
	struct exc set = run_at_spsr(guest_spsr(EL0), svc_9);

	EXPECT_MASKED(clear.spsr, SPSR_SSBS, SPSR_SSBS);
	EXPECT_MASKED(clear.pstate, SPSR_SSBS, 0);
	EXPECT_MASKED(set.pstate, SPSR_SSBS, SPSR_SSBS);
}

TEST(exception_entry_clears_uao_and_keeps_pan_by_span)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr2_el1), 4), "no FEAT_UAO");
	struct exc e = run_at_spsr(guest_spsr(EL1) | SPSR_UAO | SPSR_PAN, svc_9);

	EXPECT_MASKED(e.spsr, SPSR_UAO | SPSR_PAN, SPSR_UAO | SPSR_PAN);
	EXPECT_MASKED(e.pstate, SPSR_UAO | SPSR_PAN, SPSR_PAN);
}

// SCTLR_EL2.SPAN counts only where EL2 is a host; otherwise entry to EL2 leaves PAN.
TEST(entry_to_el2_sets_pan_in_a_host_alone)
{
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	write_sysreg(sctlr_el2, SCTLR_EL2_BASE & ~SCTLR_SPAN);
	struct exc plain = run_at(EL2, svc_9);
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H | HCR_TGE);
	struct exc host = run_at(EL0, svc_9);
	write_sysreg(sctlr_el2, SCTLR_EL2_BASE | SCTLR_SPAN);
	struct exc span = run_at(EL0, svc_9);
	write_sysreg(sctlr_el2, SCTLR_EL2_BASE & ~SCTLR_SPAN);
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H);
	struct exc no_tge = run_at(EL2, svc_9);

	EXPECT_MASKED(plain.pstate, SPSR_PAN, 0);
	EXPECT_MASKED(host.pstate, SPSR_PAN, SPSR_PAN);
	EXPECT_MASKED(span.pstate, SPSR_PAN, 0);
	EXPECT_MASKED(no_tge.pstate, SPSR_PAN, 0);
}

TEST(entry_from_sp0_mode_selects_spx)
{
	for (enum el el = EL1; el <= EL2; el++) {
		struct exc e = run_at_spsr(SPSR_DAIF | (uint64_t)el << 2, svc_9);

		EXPECT_EXC_AT(e, el, 0x000, ESR(EC_SVC, 9));
		EXPECT_MASKED(e.pstate, SPSR_M_MASK, (uint64_t)el << 2 | 1);
		EXPECT_MASKED(e.spsr, SPSR_M_MASK, (uint64_t)el << 2);
	}
}

TEST(spsr_res0_bits_are_not_saved)
{
	struct exc e = run_at_spsr(guest_spsr(EL0), current_el_svc);

	EXPECT_NO_EXC(e);
	EXPECT_MASKED(e.pstate, 0xffffffff00000000ul, 0);
}
