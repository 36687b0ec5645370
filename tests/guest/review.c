// SPDX-License-Identifier: Apache-2.0
//
// review.c - corners of the architecture that are easily got wrong: PSTATE after an illegal return,
// external aborts on a stage-2 walk, unaligned Device accesses across pages, what a WFE waits for,
// BTYPE where the branch's own page has left every cache, atomics of pairs, code that is written by
// every kind of store.

#include "abort.h"

SNIPPET(eret_only, "eret");
SNIPPET(nothing, "nop");
SNIPPET(load_x0, "ldr x1, [x0]");
SNIPPET(store_x0, "str x1, [x0]");
SNIPPET(store_q, "dup v0.2d, x1\n\tstr q0, [x0]");
SNIPPET(load_pair, "ldp x1, x2, [x0]");

#define VA 0x80000000ul
#define HOLE 0x3f00000000ul // nothing answers there
#define FSC_WALK(level) (0x14u + (level))
#define SCR_EASE BIT(19)

static struct pgtable s1, s2;

// ---- Exception return ---------------------------------------------------------------------------

// SetPSTATEFromPSR: PAN is reinstated even if the return is illegal, unlike UAO, DIT and the
// others.
TEST(illegal_return_takes_pan_from_the_spsr)
{
	QEMU_DIFFERS("keeps PSTATE.PAN");
	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr1_el1), 20), "no FEAT_PAN");
	write_sysreg(sctlr_el1, SCTLR_EL1_BASE | SCTLR_SPAN);
	write_sysreg(elr_el1, nothing);
	write_sysreg(spsr_el1, SPSR_DAIF | SPSR_PAN | 0x1);
	struct exc set = run_at(EL1, eret_only);

	write_sysreg(elr_el1, nothing);
	write_sysreg(spsr_el1, SPSR_DAIF | 0x1);
	struct exc clear = run_at_spsr(guest_spsr(EL1) | SPSR_PAN, eret_only);

	EXPECT_EXC(set, EL1, EC_ILLEGAL, 0);
	EXPECT_MASKED(set.spsr, SPSR_PAN | SPSR_IL, SPSR_PAN | SPSR_IL);
	EXPECT_EXC(clear, EL1, EC_ILLEGAL, 0);
	EXPECT_MASKED(clear.spsr, SPSR_PAN | SPSR_IL, SPSR_IL);
}

// ---- External aborts on a stage-2 walk ----------------------------------------------------------

#define IPA 0x1000000000ul

static void stage2_into_the_hole(void)
{
	pgtable_init_stage2(&s2, 12, 39, 1);
	map_guest_code_stage2(&s2);
	*pgtable_entry(&s2, IPA, 1) = HOLE | 3;
	stage2_on(&s2);
}

// Second-stage aborts are EL2's; one that is external carries no instruction syndrome (FEAT_RAS).
TEST(external_abort_on_a_stage2_walk_goes_to_el2_without_isv)
{
	QEMU_DIFFERS("sets ISV");
	stage2_into_the_hole();
	struct exc e = run_at(EL1, load_x0, IPA);

	EXPECT_EXC(e, EL2, EC_DABT_LOWER, FSC_WALK(2));
	EXPECT_EQ(e.far, IPA);
}

TEST(scr_ea_takes_external_aborts_on_a_stage2_walk_to_el3)
{
	QEMU_DIFFERS("ignores SCR_EL3.EA for synchronous aborts");
	stage2_into_the_hole();
	write_sysreg(scr_el3, SCR_BASE | SCR_EA);
	struct exc load = run_at(EL1, load_x0, IPA);
	struct exc store = run_at(EL0, store_x0, IPA);
	struct exc fetch = run_at(EL1, IPA);

	EXPECT_EXC(load, EL3, EC_DABT_LOWER, FSC_WALK(2));
	EXPECT_EQ(load.far, IPA);
	EXPECT_EXC(store, EL3, EC_DABT_LOWER, FSC_WALK(2) | ISS_WNR);
	EXPECT_EXC(fetch, EL3, EC_IABT_LOWER, FSC_WALK(2));
}

TEST(scr_ease_sends_external_aborts_to_the_serror_vector)
{
	QEMU_DIFFERS("has no FEAT_DoubleFault");
	SKIP_UNLESS(id_field(read_sysreg(id_aa64pfr0_el1), 28) >= 2, "no FEAT_DoubleFault");
	stage2_into_the_hole();
	write_sysreg(scr_el3, SCR_BASE | SCR_EA | SCR_EASE);
	struct exc direct = run_at(EL2, load_x0, HOLE);
	struct exc walk = run_at(EL1, load_x0, IPA);

	EXPECT_EQ(direct.el, EL3);
	EXPECT_EQ(direct.offset, 0x580);
	EXPECT_EXC_AT(walk, EL3, 0x580, ESR(EC_DABT_LOWER, FSC_WALK(2)));
}

// ---- Alignment ----------------------------------------------------------------------------------

// An unaligned access to Device memory faults, also where its two halves lie in two pages and each
// byte by itself is aligned.
TEST(device_access_across_pages_must_be_aligned)
{
	QEMU_7_DIFFERS("does not check alignment on Device memory");
	pgtable_init(&s1, 12, 39);
	map_guest_code(&s1);
	map_page(&s1, VA, (uint64_t)scratch[0], PT_DEVICE | PT_AP_RW_ALL, 3);
	map_page(&s1, VA + 0x1000, (uint64_t)scratch[0] + 0x1000, PT_DEVICE | PT_AP_RW_ALL, 3);
	stage1_on_el1(&s1);
	struct exc load = run_at(EL1, load_x0, VA + 0xffc);
	struct exc store = run_at(EL1, store_x0, VA + 0xffc);
	struct exc pair = run_at(EL1, load_pair, VA + 0xff8);
	struct exc store_quad = run_at(EL1, store_q, VA + 0xff9);

	EXPECT_ABORT(load, EL1, EC_DABT_SAME, FSC_ALIGNMENT, VA + 0xffc);
	EXPECT_ABORT(store, EL1, EC_DABT_SAME, FSC_ALIGNMENT | ISS_WNR, VA + 0xffc);
	EXPECT_NO_EXC(pair);
	EXPECT_EQ(store_quad.el, EL1);
	EXPECT_MASKED(store_quad.esr, 0x3f, FSC_ALIGNMENT);
}

SNIPPET(casp_w, "casp w2, w3, w4, w5, [x0]");
SNIPPET(casp_x, "casp x2, x3, x4, x5, [x0]");

// FEAT_LSE2: a pair of words is one access of eight bytes, unaligned within 16 bytes as any other.
TEST(casp_of_words_may_be_unaligned_within_16_bytes)
{
	QEMU_7_DIFFERS("has no FEAT_LSE2 and demands full alignment");
	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr2_el1), 32), "no FEAT_LSE2");
	pgtable_init(&s1, 12, 39);
	map_guest_code(&s1);
	map_page(&s1, VA, (uint64_t)scratch[0], PT_NORMAL | PT_AP_RW_ALL, 3);
	stage1_on_el1(&s1);
	for (unsigned i = 0; i < 4; i++) {
		((volatile uint64_t *)scratch[0])[i] = 0;
	}
	struct exc inside = run_at(EL1, casp_w, VA + 4, 0, 0, 0, 0x11111111, 0x22222222);
	struct exc across = run_at(EL1, casp_w, VA + 12, 0, 0, 0, 1, 2);
	struct exc quad = run_at(EL1, casp_x, VA + 8, 0, 0, 0, 1, 2);

	EXPECT_NO_EXC(inside);
	EXPECT_EQ(((volatile uint32_t *)scratch[0])[1], 0x11111111);
	EXPECT_EQ(((volatile uint32_t *)scratch[0])[2], 0x22222222);
	EXPECT_EQ(across.el, EL1);
	EXPECT_MASKED(across.esr, 0x3f, FSC_ALIGNMENT);
	EXPECT_EQ(quad.el, EL1);
	EXPECT_MASKED(quad.esr, 0x3f, FSC_ALIGNMENT);
}

// ---- Waiting ------------------------------------------------------------------------------------

SNIPPET(wfi, "wfi");
SNIPPET(wfe, "sevl\n\twfe\n\twfe"); // the first clears the event register

// A masked interrupt is a reason to leave WFI, none to leave WFE: that one would wait, and so is
// trapped.
TEST(masked_interrupt_ends_wfi_but_not_wfe)
{
	write_sysreg(hcr_el2, HCR_BASE | HCR_IMO | HCR_VI | HCR_TWI | HCR_TWE);
	struct exc i = run_at(EL1, wfi);

	EXPECT_NO_EXC(i);
	if (!guest_qemu()) { // which never traps WFE
		struct exc e = run_at(EL1, wfe);

		EXPECT_EXC(e, EL2, EC_WFX, ISS_WFX(1));
		EXPECT_EQ(e.elr, wfe + 8);
	}
}

// ---- BTYPE --------------------------------------------------------------------------------------

// A page of code at VA (guarded) calls one at FAR_CODE (not guarded), whose pages a cache of
// translations may confuse for being a power of two apart, and then does BR X0. That its page is
// guarded must be known then: BTYPE is 0b11, which BTI c does not accept.
SNIPPET(guarded_caller, "mov x4, x30\n"
			"1:\tblr x1\n\t"
			"add x1, x1, #16\n\t"
			"sub x2, x2, #1\n\t"
			"cbnz x2, 1b\n\t"
			"br x0\n\t"
			"nop\n\t"
			"bti c\n\t"
			"ret x4");
SNIPPET(callee,
	"ret\n\tnop\n\tnop\n\tnop\n\tret\n\tnop\n\tnop\n\tnop\n\tret\n\tnop\n\tnop\n\tnop\n\tret");

TEST(br_of_a_guarded_page_is_known_after_calls_to_other_pages)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64pfr1_el1), 0), "no FEAT_BTI");
	for (unsigned shift = 16; shift < 26; shift++) {
		uint64_t far_code = VA + (1ul << shift);

		guest_reset();
		pgtable_init(&s1, 12, 39);
		map_guest_code(&s1);
		for (unsigned i = 0; i < 9; i++) {
			((volatile uint32_t *)scratch[0])[i] =
				((const uint32_t *)guarded_caller)[i];
		}
		for (unsigned i = 0; i < 13; i++) {
			((volatile uint32_t *)scratch[1])[i] = ((const uint32_t *)callee)[i];
		}
		__asm__ volatile("dsb sy\n\tic iallu\n\tdsb sy\n\tisb" ::: "memory");
		map_page(&s1, VA, (uint64_t)scratch[0], PT_NORMAL | PT_AP_RO_ALL | PT_GP, 3);
		map_page(&s1, far_code, (uint64_t)scratch[1], PT_NORMAL | PT_AP_RO_ALL, 3);
		stage1_on_el1(&s1);
		struct exc e = run_at(EL1, VA, VA + 28, far_code, 4);

		EXPECT_EXC(e, EL1, EC_BTI, 3);
		EXPECT_EQ(e.elr, VA + 28);
		EXPECT_MASKED(e.spsr, SPSR_BTYPE(3), SPSR_BTYPE(3));
	}
}

// ---- Code that is written -----------------------------------------------------------------------

#define MOV_X0(n) (0xd2800000u | (uint32_t)(n) << 5)
#define INSN_RET 0xd65f03c0u

// The immediate of the ADD at x0, which stands in the loop, is one more in each round.
SNIPPET(patch_itself, "mov x5, #0\n\t"
		      "mov x6, #50\n"
		      "1:\tldr w7, [x0]\n\t"
		      "add w7, w7, #0x400\n\t"
		      "str w7, [x0]\n\t"
		      "dsb ish\n\tic ivau, x0\n\tdsb ish\n\tisb\n\t"
		      "add x5, x5, #0\n\t"
		      "subs x6, x6, #1\n\t"
		      "b.ne 1b");

// The same for a comparison that begins the block it is in, with a branch after it.
SNIPPET(patch_a_comparison, "mov x5, #0\n\t"
			    "b 2f\n"
			    "1:\tadd x5, x5, #1\n\t"
			    "ldr w7, [x0]\n\t"
			    "sub w7, w7, #0x400\n\t"
			    "str w7, [x0]\n\t"
			    "dsb ish\n\tic ivau, x0\n\tdsb ish\n\tisb\n"
			    "2:\tcmp x5, #40\n\t"
			    "b.lo 1b");

// Store w1, w2 (in x1 both) over the function at x0 in one of many ways, and call it.
#define CALL "dsb ish\n\tic ivau, x0\n\tdsb ish\n\tisb\n\tmov x19, x30\n\tblr x0\n\tmov x30, x19"
SNIPPET(by_str, "str x1, [x0]\n\t" CALL);
SNIPPET(by_strb, "strb w1, [x0]\n\t" CALL); // the low byte has the immediate's low bits
SNIPPET(by_stp, "lsr x2, x1, #32\n\tstp w1, w2, [x0]\n\t" CALL);
SNIPPET(by_stp_pre, "lsr x2, x1, #32\n\tsub x0, x0, #8\n\tstp w1, w2, [x0, #8]!\n\t" CALL);
SNIPPET(by_stp_run, "stp x1, x1, [x0]\n\tstp x1, x1, [x0, #16]\n\t" CALL);
SNIPPET(by_sttr, "sttr x1, [x0]\n\t" CALL);
SNIPPET(by_stlr, "stlr x1, [x0]\n\t" CALL);
SNIPPET(by_stxr, "ldxr x3, [x0]\n\tstxr w4, x1, [x0]\n\t" CALL);
SNIPPET(by_stxp, "lsr x2, x1, #32\n\tldxp w3, w5, [x0]\n\tstxp w4, w1, w2, [x0]\n\t" CALL);
SNIPPET(by_swp, "swp x1, x3, [x0]\n\t" CALL);
SNIPPET(by_cas, "ldr x3, [x0]\n\tcas x3, x1, [x0]\n\t" CALL);
SNIPPET(by_str_q, "dup v0.2d, x1\n\tstr q0, [x0]\n\t" CALL);
SNIPPET(by_st1, "dup v0.2d, x1\n\tst1 {v0.2s}, [x0]\n\t" CALL);
SNIPPET(by_st2,
	"lsr x2, x1, #32\n\tdup v0.4s, w1\n\tdup v1.4s, w2\n\tst2 {v0.4s, v1.4s}, [x0]\n\t" CALL);

static void put_code(unsigned page, const char *from, unsigned words)
{
	for (unsigned i = 0; i < words; i++) {
		((volatile uint32_t *)scratch[page])[i] = ((const uint32_t *)from)[i];
	}
	__asm__ volatile("dsb sy\n\tic iallu\n\tdsb sy\n\tisb" ::: "memory");
}

static void put_function(unsigned value)
{
	((volatile uint32_t *)scratch[1])[0] = MOV_X0(value);
	((volatile uint32_t *)scratch[1])[1] = INSN_RET;
	__asm__ volatile("dsb sy\n\tic iallu\n\tdsb sy\n\tisb" ::: "memory");
}

static void written_code(bool mmu)
{
	static const char *const ways[] = {by_str,  by_strb,  by_stp,  by_stp_pre, by_stp_run,
					   by_sttr, by_stlr,  by_stxr, by_stxp,    by_swp,
					   by_cas,  by_str_q, by_st1,  by_st2};

	guest_reset();
	if (mmu) {
		pgtable_init(&s1, 12, 39);
		map_guest_code(&s1);
		map_range(&s1, (uint64_t)scratch, (uint64_t)scratch, 0x40000,
			  PT_NORMAL | PT_AP_RW_EL1, 3);
		stage1_on_el1(&s1);
	}
	put_code(0, patch_itself, 13);
	struct exc itself = run_at(EL1, scratch[0], scratch[0] + 36);

	EXPECT_NO_EXC(itself);
	EXPECT_REG(itself, 5, 50 * 51 / 2);
	put_code(0, patch_a_comparison, 13);
	struct exc comparison = run_at(EL1, scratch[0], scratch[0] + 40);

	EXPECT_NO_EXC(comparison);
	EXPECT_REG(comparison, 5, 20);
	for (unsigned i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if ((ways[i] == by_swp || ways[i] == by_cas) &&
		    !id_field(read_sysreg(id_aa64isar0_el1), 20)) {
			continue; // no FEAT_LSE
		}
		for (unsigned round = 0; round < 3; round++) {
			uint64_t code = (uint64_t)INSN_RET << 32 | MOV_X0(2 + round);

			put_function(1);
			struct exc before = run_at(EL1, scratch[1]);
			struct exc e = run_at(EL1, ways[i], scratch[1], code);

			EXPECT_REG(before, 0, 1);
			if (ways[i] == by_sttr && mmu) {
				EXPECT_EXC(e, EL1, EC_DABT_SAME, 0xf | ISS_WNR); // EL0 may not
				continue;
			}
			EXPECT_NO_EXC(e);
			EXPECT_REG(e, 0, 2 + round);
		}
	}
}

TEST(written_code_is_executed_as_written)
{
	written_code(false);
}

TEST(written_code_is_executed_as_written_with_the_mmu_on)
{
	written_code(true);
}
