// SPDX-License-Identifier: Apache-2.0
//
// sysinsn.c - system instructions and plain system registers at each level: hints, barriers, PSTATE
// accesses, thread registers, DC ZVA, exclusives across exceptions, events, and what the ID
// registers say of the levels.

#include "emit.h"
#include "pgtable.h"

// ---- Hints and barriers -------------------------------------------------------------------------

TEST(unallocated_hints_are_nops_everywhere)
{
	for (uint32_t hint = 48; hint < 128; hint += 7) {
		for (enum el el = EL0; el <= EL3; el++) {
			struct exc e = run_at(el, emit(0xd503201fu | hint << 5), 1, 2);

			EXPECT_NO_EXC(e);
			EXPECT_REG(e, 0, 1);
			EXPECT_REG(e, 1, 2);
		}
	}
}

TEST(barriers_run_at_every_level)
{
	const uint32_t barriers[] = {
		0xd5033fdf, // ISB
		0xd5033f9f, 0xd503379f, 0xd5033b9f, // DSB SY, NSH, ISH
		0xd5033fbf, 0xd50339bf, // DMB SY, ISHLD
		0xd50330ff, // SB
		0xd503309f, // SSBB
		0xd503349f, // PSSBB
		0xd503229f, // CSDB
		0xd503203f, // YIELD
		0xd50320df, // DGH
		0xd503221f, // ESB
		0xd503225f, // TSB/PSB hint space
	};

	for (unsigned i = 0; i < sizeof(barriers) / sizeof(barriers[0]); i++) {
		for (enum el el = EL0; el <= EL3; el++) {
			struct exc e = run_at(el, emit(barriers[i]));

			EXPECT_NO_EXC(e);
		}
	}
}

SNIPPET(sev_wfe, "sev\n\twfe");
SNIPPET(sevl_wfe, "sevl\n\twfe");

TEST(sev_and_sevl_let_the_next_wfe_through)
{
	for (enum el el = EL0; el <= EL3; el++) {
		struct exc a = run_at(el, sev_wfe);
		struct exc b = run_at(el, sevl_wfe);

		EXPECT_NO_EXC(a);
		EXPECT_NO_EXC(b);
	}
}

// An exception return sets the event register.
TEST(wfe_after_an_exception_return_does_not_wait)
{
	QEMU_11_DIFFERS("does not set the event register on a return");
	struct exc e = run_at(EL1, emit(0xd503205f)); // WFE

	EXPECT_NO_EXC(e);
}

// ---- PSTATE by name -----------------------------------------------------------------------------

SNIPPET(set_spsel_0, "msr SPSel, #0\n\tmov x0, sp\n\tmsr SPSel, #1\n\tmov x1, sp");
SNIPPET(daif_bits, "msr DAIFClr, #15\n\tmrs x0, DAIF\n\tmsr DAIFSet, #5\n\tmrs x1, DAIF\n\t"
		   "msr DAIFClr, #1\n\tmrs x2, DAIF\n\tmsr DAIFSet, #15");
SNIPPET(write_nzcv, "msr NZCV, x0\n\tmrs x1, NZCV");
SNIPPET(set_dit, "msr S0_3_C4_C1_2, xzr\n\tmrs x0, S3_3_C4_C2_5"); // MSR DIT, #1
SNIPPET(set_ssbs, "msr S0_3_C4_C1_1, xzr\n\tmrs x0, S3_3_C4_C2_6"); // MSR SSBS, #1

TEST(spsel_switches_the_stack_pointer_at_once)
{
	struct exc e1 = run_at(EL1, set_spsel_0);
	struct exc e2 = run_at(EL2, set_spsel_0);

	EXPECT_REG(e1, 0, stack_el0_top);
	EXPECT_REG(e1, 1, stack_el1_top);
	EXPECT_REG(e2, 0, stack_el0_top);
	EXPECT_REG(e2, 1, stack_el2_top);
}

TEST(spsel_is_undefined_at_el0)
{
	struct exc e = run_at(EL0, set_spsel_0);

	EXPECT_EXC(e, EL1, EC_UNKNOWN, 0);
}

TEST(daifset_and_daifclr_change_their_bits_alone)
{
	struct exc e = run_at(EL1, daif_bits);

	EXPECT_NO_EXC(e);
	EXPECT_REG(e, 0, 0);
	EXPECT_REG(e, 1, SPSR_A | SPSR_F);
	EXPECT_REG(e, 2, SPSR_A);
}

TEST(nzcv_holds_its_four_bits)
{
	struct exc e = run_at(EL0, write_nzcv, ~0ul);

	EXPECT_NO_EXC(e);
	EXPECT_REG(e, 1, 0xf0000000);
}

TEST(dit_and_ssbs_can_be_set_at_el0)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64pfr0_el1), 48), "no FEAT_DIT");
	SKIP_UNLESS(id_field(read_sysreg(id_aa64pfr1_el1), 4) >= 2, "no FEAT_SSBS2");
	struct exc dit = run_at(EL0, set_dit);
	struct exc ssbs = run_at(EL0, set_ssbs);

	EXPECT_NO_EXC(dit);
	EXPECT_REG(dit, 0, SPSR_DIT);
	EXPECT_NO_EXC(ssbs);
	EXPECT_REG(ssbs, 0, SPSR_SSBS);
}

// ---- Thread registers ---------------------------------------------------------------------------

static const struct sysreg tpidr_el0 = SYSREG(tpidr_el0, 3, 3, 13, 0, 2);
static const struct sysreg tpidrro_el0 = SYSREG(tpidrro_el0, 3, 3, 13, 0, 3);
static const struct sysreg tpidr_el1 = SYSREG(tpidr_el1, 3, 0, 13, 0, 4);
static const struct sysreg tpidr_el2 = SYSREG(tpidr_el2, 3, 4, 13, 0, 2);

TEST(tpidr_el0_is_read_and_written_at_el0)
{
	EXPECT_ACCESS_VALUE(EL0, WRITE, tpidr_el0, 0x1234567890);
	EXPECT_EQ(read_sysreg(tpidr_el0), 0x1234567890);
	EXPECT_ACCESS(EL0, READ, tpidr_el0);
}

TEST(tpidrro_el0_is_read_only_at_el0)
{
	EXPECT_ACCESS(EL0, READ, tpidrro_el0);
	EXPECT_UNDEFINED(EL0, WRITE, tpidrro_el0, EL1);
	EXPECT_ACCESS_VALUE(EL1, WRITE, tpidrro_el0, 0x99);
	struct exc e = access_at(EL0, READ, tpidrro_el0, 0);
	EXPECT_REG(e, EMIT_RT, 0x99);
}

TEST(thread_registers_of_the_levels_are_different)
{
	EXPECT_ACCESS_VALUE(EL1, WRITE, tpidr_el0, 10);
	EXPECT_ACCESS_VALUE(EL1, WRITE, tpidr_el1, 11);
	EXPECT_ACCESS_VALUE(EL2, WRITE, tpidr_el2, 12);
	EXPECT_EQ(read_sysreg(tpidr_el0), 10);
	EXPECT_EQ(read_sysreg(tpidr_el1), 11);
	EXPECT_EQ(read_sysreg(tpidr_el2), 12);
	EXPECT_UNDEFINED(EL1, READ, tpidr_el2, EL1);
	EXPECT_UNDEFINED(EL0, READ, tpidr_el1, EL1);
}

// ---- DC ZVA -------------------------------------------------------------------------------------

SNIPPET(dc_zva, "dc zva, x0");

TEST(dc_zva_zeroes_its_block_and_nothing_else)
{
	const uint64_t size = 4ul << (read_sysreg(dczid_el0) & 0xf);
	volatile uint64_t *p = (volatile uint64_t *)scratch[0];
	struct pgtable s1;

	for (unsigned i = 0; i < 1024; i++) {
		p[i] = ~0ul;
	}
	pgtable_init(&s1, 12, 39); // DC ZVA wants Normal memory
	map_guest_code(&s1);
	map_page(&s1, (uint64_t)scratch[0], (uint64_t)scratch[0], PT_NORMAL | PT_AP_RW_ALL, 3);
	stage1_on_el1(&s1);
	struct exc e = run_at(EL0, dc_zva, scratch[0] + 2 * size + 24); // any address within

	EXPECT_NO_EXC(e);
	for (uint64_t at = 0; at < 4 * size; at += 8) {
		EXPECT_EQ(p[at / 8], at >= 2 * size && at < 3 * size ? 0 : ~0ul);
	}
}

// With the MMU off data is Device memory.
TEST(dc_zva_on_device_memory_is_an_alignment_fault)
{
	QEMU_DIFFERS("does not check memory types");
	struct exc e = run_at(EL1, dc_zva, scratch[0]);

	EXPECT_EXC(e, EL1, EC_DABT_SAME, ISS_WNR | FSC_ALIGNMENT);
	EXPECT_EQ(e.far, scratch[0]);
}

// ---- Exclusives ---------------------------------------------------------------------------------

SNIPPET(ldxr_stxr, "ldxr x1, [x0]\n\tadd x1, x1, #1\n\tstxr w2, x1, [x0]");
SNIPPET(ldxr_clrex_stxr, "mov w2, #7\n\tldxr x1, [x0]\n\tclrex\n\tstxr w2, x1, [x0]");
SNIPPET(stxr_alone, "mov w2, #7\n\tclrex\n\tstxr w2, x1, [x0]");
SNIPPET(ldxr_only, "ldxr x1, [x0]");
SNIPPET(stxr_only, "mov w2, #7\n\tstxr w2, x1, [x0]");

TEST(exclusive_pair_stores)
{
	volatile uint64_t *p = (volatile uint64_t *)scratch[0];

	*p = 41;
	struct exc e = run_at(EL1, ldxr_stxr, scratch[0]);

	EXPECT_REG(e, 2, 0);
	EXPECT_EQ(*p, 42);
}

TEST(clrex_makes_the_store_fail)
{
	volatile uint64_t *p = (volatile uint64_t *)scratch[0];

	*p = 41;
	struct exc e = run_at(EL1, ldxr_clrex_stxr, scratch[0]);
	struct exc alone = run_at(EL1, stxr_alone, scratch[0], 5);

	EXPECT_REG(e, 2, 1);
	EXPECT_REG(alone, 2, 1);
	EXPECT_EQ(*p, 41);
}

// The exception return that starts the second snippet clears the local monitor.
TEST(exception_return_clears_the_exclusive_monitor)
{
	volatile uint64_t *p = (volatile uint64_t *)scratch[0];

	*p = 41;
	(void)run_at(EL1, ldxr_only, scratch[0]);
	struct exc e = run_at(EL1, stxr_only, scratch[0], 5);

	EXPECT_REG(e, 2, 1);
	EXPECT_EQ(*p, 41);
}

// ---- Random numbers -----------------------------------------------------------------------------

SNIPPET(rndr, "mrs x0, S3_3_C2_C4_0\n\tmrs x1, NZCV\n\tmrs x2, S3_3_C2_C4_1");

TEST(rndr_gives_numbers_at_el0_and_clears_the_flags)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64isar0_el1), 60), "no FEAT_RNG");
	struct exc e = run_at_spsr(SPSR_DAIF | SPSR_N | SPSR_C, rndr);
	struct exc other = run_at(EL0, rndr);

	EXPECT_NO_EXC(e);
	EXPECT_REG(e, 1, 0);
	EXPECT_TRUE(e.x[0] != e.x[2]);
	EXPECT_TRUE(e.x[0] != other.x[0]);
}

// ---- Plain registers ----------------------------------------------------------------------------

TEST(spsr_and_elr_hold_what_is_written)
{
	write_sysreg(elr_el1, 0xffff000012345678);
	write_sysreg(spsr_el1, 0xf00003c5);
	EXPECT_EQ(read_sysreg(elr_el1), 0xffff000012345678);
	EXPECT_EQ(read_sysreg(spsr_el1), 0xf00003c5);
}

TEST(esr_and_far_can_be_written)
{
	write_sysreg(esr_el1, 0xffffffff);
	write_sysreg(far_el1, ~0ul);
	write_sysreg(esr_el2, 0x5a5a5a5a);
	EXPECT_EQ(read_sysreg(esr_el1), 0xffffffff);
	EXPECT_EQ(read_sysreg(far_el1), ~0ul);
	EXPECT_EQ(read_sysreg(esr_el2), 0x5a5a5a5a);
}

// ---- ID registers -------------------------------------------------------------------------------

TEST(id_aa64pfr0_names_the_levels_as_aarch64)
{
	uint64_t pfr0 = read_sysreg(id_aa64pfr0_el1);

	for (unsigned lsb = 4; lsb <= 12; lsb += 4) {
		EXPECT_TRUE(id_field(pfr0, lsb) == 1 || id_field(pfr0, lsb) == 2);
	}
}

TEST(id_registers_read_the_same_at_el1_el2_el3)
{
	static const struct sysreg regs[] = {
		SYSREG(id_aa64pfr0_el1, 3, 0, 0, 4, 0),  SYSREG(id_aa64pfr1_el1, 3, 0, 0, 4, 1),
		SYSREG(id_aa64isar0_el1, 3, 0, 0, 6, 0), SYSREG(id_aa64isar1_el1, 3, 0, 0, 6, 1),
		SYSREG(id_aa64mmfr0_el1, 3, 0, 0, 7, 0), SYSREG(id_aa64mmfr1_el1, 3, 0, 0, 7, 1),
		SYSREG(id_aa64mmfr2_el1, 3, 0, 0, 7, 2), SYSREG(id_aa64dfr0_el1, 3, 0, 0, 5, 0),
		SYSREG(ctr_el0, 3, 3, 0, 0, 1),          SYSREG(clidr_el1, 3, 1, 0, 0, 1),
	};

	FOR_EACH_REG(r, regs)
	{
		uint64_t el1 = access_at(EL1, READ, *r, 0).x[EMIT_RT];
		uint64_t el2 = access_at(EL2, READ, *r, 0).x[EMIT_RT];
		uint64_t el3 = access_at(EL3, READ, *r, 0).x[EMIT_RT];

		guest_expect_eq(r->name, __LINE__, "EL2 and EL1", el2, el1);
		guest_expect_eq(r->name, __LINE__, "EL3 and EL1", el3, el1);
	}
}

// What ID registers promise must be there: one instruction or register of each.
TEST(promised_features_do_not_trap)
{
	static const struct {
		unsigned op1, crm, op2, lsb;
		uint32_t insn;
	} promises[] = {
		{0, 6, 0, 20, 0xb8e00000}, // LSE: LDADDAL W0, W0, [X0]
		{0, 6, 0, 16, 0x1ac04000}, // CRC32B W0, W0, W0
		{0, 6, 0, 52, 0xd500401f}, // FlagM: CFINV
		{0, 6, 1, 36, 0xd50330ff}, // SB
		{0, 6, 1, 20, 0xb8bfc000}, // LRCPC: LDAPR W0, [X0]
		{0, 6, 1, 0, 0xd50b7c20}, // DPB: DC CVAP, X0
	};

	for (unsigned i = 0; i < sizeof(promises) / sizeof(promises[0]); i++) {
		struct sysreg id = {
			"id", 3, 0, 0, (uint8_t)promises[i].crm, (uint8_t)promises[i].op2};
		uint64_t value = access_at(EL3, READ, id, 0).x[EMIT_RT];

		if (id_field(value, promises[i].lsb)) {
			struct exc e = run_at(EL1, emit(promises[i].insn), scratch[0]);

			EXPECT_NO_EXC(e);
		}
	}
}
