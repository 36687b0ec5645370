// SPDX-License-Identifier: Apache-2.0
//
// secure.c - the two Security states: which memory each sees, NS and NSTable in descriptors,
// SCR_EL3.SIF, Secure EL2 with its own stage 2 (VSTTBR_EL2, VSTCR_EL2) and its registers.

#include "abort.h"
#include "emit.h"

SNIPPET(load_x0, "ldr x1, [x0]");
SNIPPET(store_x0, "str x1, [x0]");
SNIPPET(call_x0, "mov x19, x30\n\tblr x0\n\tmov x30, x19");
SNIPPET(svc_1, "svc #1");
SNIPPET(read_current_el, "mrs x0, CurrentEL");

#define SECURE (SCR_BASE & ~SCR_NS)
#define SECURE_RAM 0x0e100000ul
#define VA 0xc0000000ul
#define LOW_IPA 0x80000000ul
#define HPFAR_NS BIT(63)
#define ISS_X1 (ISS_ISV | ISS_SAS(3) | ISS_SF | ISS_SRT(1))
#define VSTTBR_EL2 S3_4_C2_C6_0
#define VSTCR_EL2 S3_4_C2_C6_2
#define NEEDS_SEL2 SKIP_UNLESS(id_field(read_sysreg(id_aa64pfr0_el1), 36), "no FEAT_SEL2")
#define INSN_RET 0xd65f03c0u

static struct pgtable s1, s2, s2ns;

static volatile uint64_t *word(uint64_t address)
{
	return (volatile uint64_t *)address;
}

// ---- Physical address spaces --------------------------------------------------------------------

TEST(secure_ram_is_seen_in_secure_state_alone)
{
	*word(SECURE_RAM) = 0x5ec0;
	struct exc e3 = run_at(EL3, load_x0, SECURE_RAM);
	struct exc ns1 = run_at(EL1, load_x0, SECURE_RAM);
	struct exc ns2 = run_at(EL2, load_x0, SECURE_RAM);
	write_sysreg(scr_el3, SECURE);
	struct exc s = run_at(EL1, load_x0, SECURE_RAM);
	struct exc s0 = run_at(EL0, load_x0, SECURE_RAM);

	EXPECT_REG(e3, 1, 0x5ec0);
	EXPECT_EQ(ns1.el, EL1);
	EXPECT_MASKED(ns1.esr, 0x3f, FSC_EXTERNAL);
	EXPECT_EQ(ns2.el, EL2);
	EXPECT_MASKED(ns2.esr, 0x3f, FSC_EXTERNAL);
	EXPECT_NO_EXC(s);
	EXPECT_REG(s, 1, 0x5ec0);
	EXPECT_NO_EXC(s0);
}

TEST(secure_el2_sees_secure_ram)
{
	NEEDS_SEL2;
	*word(SECURE_RAM) = 0x5ec2;
	write_sysreg(scr_el3, SECURE | SCR_EEL2);
	struct exc e = run_at(EL2, load_x0, SECURE_RAM);

	EXPECT_NO_EXC(e);
	EXPECT_REG(e, 1, 0x5ec2);
}

static void map_code_ns(struct pgtable *pt)
{
	map_range(pt, (uint64_t)vectors_start, (uint64_t)vectors_start,
		  (uint64_t)(vectors_end - vectors_start), PT_NORMAL | PT_AP_RO_ALL | PT_NS, 3);
	map_range(pt, (uint64_t)snippets_start, (uint64_t)snippets_start,
		  (uint64_t)(snippets_end - snippets_start), PT_NORMAL | PT_AP_RO_ALL | PT_NS, 3);
}

static void start_secure(void)
{
	guest_reset();
	write_sysreg(scr_el3, SECURE);
	pgtable_init(&s1, 12, 39);
	map_code_ns(&s1);
}

TEST(ns_of_a_descriptor_chooses_the_address_space)
{
	start_secure();
	*word(SECURE_RAM) = 0x5ec1;
	map_page(&s1, VA, SECURE_RAM, PT_NORMAL | PT_AP_RW_ALL, 3);
	map_page(&s1, VA + 0x1000, SECURE_RAM, PT_NORMAL | PT_AP_RW_ALL | PT_NS, 3);
	stage1_on_el1(&s1);
	struct exc s = run_at(EL1, load_x0, VA);
	struct exc ns = run_at(EL1, load_x0, VA + 0x1000);

	EXPECT_NO_EXC(s);
	EXPECT_REG(s, 1, 0x5ec1);
	EXPECT_EQ(ns.el, EL1);
	EXPECT_MASKED(ns.esr, 0x3f, FSC_EXTERNAL);
}

TEST(nstable_makes_everything_below_non_secure)
{
	start_secure();
	map_page(&s1, VA, SECURE_RAM, PT_NORMAL | PT_AP_RW_ALL, 3);
	*pgtable_entry(&s1, VA, 2) |= PT_NS_TABLE;
	stage1_on_el1(&s1);
	struct exc e = run_at(EL1, load_x0, VA);

	EXPECT_EQ(e.el, EL1);
	EXPECT_MASKED(e.esr, 0x3f, FSC_EXTERNAL);
}

TEST(ns_of_a_descriptor_is_ignored_in_non_secure_state)
{
	guest_reset();
	pgtable_init(&s1, 12, 39);
	map_guest_code(&s1);
	map_page(&s1, VA, SECURE_RAM, PT_NORMAL | PT_AP_RW_ALL, 3);
	stage1_on_el1(&s1);
	struct exc e = run_at(EL1, load_x0, VA);

	EXPECT_EQ(e.el, EL1);
	EXPECT_MASKED(e.esr, 0x3f, FSC_EXTERNAL);
}

TEST(el3_chooses_the_address_space_by_ns)
{
	guest_reset();
	*word(SECURE_RAM) = 0x5ec3;
	pgtable_init(&s1, 12, 39);
	map_image_el3(&s1);
	map_page(&s1, VA, SECURE_RAM, PT_NORMAL | PT_AP_RW_ALL, 3);
	map_page(&s1, VA + 0x1000, SECURE_RAM, PT_NORMAL | PT_AP_RW_ALL | PT_NS, 3);
	stage1_on_el3(&s1);
	struct exc s = run_at(EL3, load_x0, VA);
	struct exc ns = run_at(EL3, load_x0, VA + 0x1000);

	EXPECT_NO_EXC(s);
	EXPECT_REG(s, 1, 0x5ec3);
	EXPECT_EQ(ns.el, EL3);
	EXPECT_MASKED(ns.esr, 0x3f, FSC_EXTERNAL);
}

// ---- SCR_EL3.SIF --------------------------------------------------------------------------------

TEST(sif_forbids_secure_fetches_from_non_secure_memory)
{
	start_secure();
	// The code of this test must itself be in Secure memory then: a copy in Secure RAM, in
	// which the vectors are reached as well.
	const uint64_t code = SECURE_RAM + 0x10000;
	volatile uint32_t *insn = (volatile uint32_t *)code;

	insn[0] = INSN_RET;
	*(volatile uint32_t *)scratch[0] = INSN_RET;
	__asm__ volatile("dsb sy\n\tic iallu\n\tdsb sy\n\tisb" ::: "memory");
	guest_reset();
	pgtable_init(&s1, 12, 39);
	map_guest_code(&s1); // NS = 0: the RAM of the image is reached from both
	map_page(&s1, VA, (uint64_t)scratch[0], PT_NORMAL | PT_AP_RO_ALL | PT_NS, 3);
	map_page(&s1, VA + 0x1000, code, PT_NORMAL | PT_AP_RO_ALL, 3);
	stage1_on_el1(&s1);
	write_sysreg(scr_el3, SECURE);
	struct exc off = run_at(EL1, call_x0, VA);
	write_sysreg(scr_el3, SECURE | SCR_SIF);
	tlbi_all();
	struct exc on = run_at(EL1, call_x0, VA);
	struct exc secure = run_at(EL1, call_x0, VA + 0x1000);
	struct exc data = run_at(EL1, load_x0, VA);

	EXPECT_NO_EXC(off);
	EXPECT_ABORT(on, EL1, EC_IABT_SAME, FSC_PERMISSION(3), VA);
	EXPECT_NO_EXC(secure);
	EXPECT_NO_EXC(data);
}

TEST(sif_says_nothing_in_non_secure_state)
{
	guest_reset();
	*(volatile uint32_t *)scratch[0] = INSN_RET;
	__asm__ volatile("dsb sy\n\tic iallu\n\tdsb sy\n\tisb" ::: "memory");
	pgtable_init(&s1, 12, 39);
	map_guest_code(&s1);
	map_page(&s1, VA, (uint64_t)scratch[0], PT_NORMAL | PT_AP_RO_ALL | PT_NS, 3);
	stage1_on_el1(&s1);
	write_sysreg(scr_el3, SCR_BASE | SCR_SIF);
	tlbi_all();
	struct exc e = run_at(EL1, call_x0, VA);

	EXPECT_NO_EXC(e);
}

// ---- Secure EL2 ---------------------------------------------------------------------------------

TEST(secure_el2_exists_with_eel2)
{
	NEEDS_SEL2;
	write_sysreg(scr_el3, SECURE | SCR_EEL2);
	struct exc e = run_at(EL2, read_current_el);
	struct exc svc = run_at(EL2, svc_1);

	EXPECT_NO_EXC(e);
	EXPECT_REG(e, 0, 2 << 2);
	EXPECT_EXC(svc, EL2, EC_SVC, 1);
}

TEST(eel2_says_nothing_in_non_secure_state)
{
	NEEDS_SEL2;
	write_sysreg(scr_el3, SCR_BASE | SCR_EEL2);
	struct exc e = run_at(EL2, read_current_el);

	EXPECT_NO_EXC(e);
}

TEST(vsttbr_and_vstcr_are_undefined_in_non_secure_state)
{
	static const struct sysreg regs[] = {
		SYSREG(vsttbr_el2, 3, 4, 2, 6, 0),
		SYSREG(vstcr_el2, 3, 4, 2, 6, 2),
	};

	NEEDS_SEL2;
	FOR_EACH_REG(r, regs)
	{
		EXPECT_UNDEFINED(EL2, READ, *r, EL2);
		EXPECT_UNDEFINED(EL1, READ, *r, EL1);
	}
	write_sysreg(scr_el3, SECURE | SCR_EEL2);
	FOR_EACH_REG(r, regs)
	{
		EXPECT_ACCESS(EL2, READ, *r);
		EXPECT_UNDEFINED(EL1, READ, *r, EL1);
		EXPECT_ACCESS(EL3, READ, *r);
	}
}

// Secure stage 2: code and data for S-EL1 with its MMU off are Secure IPAs.
static void start_secure_s2(void)
{
	guest_reset();
	write_sysreg(scr_el3, SECURE | SCR_EEL2);
	pgtable_init_stage2(&s2, 12, 40, 1);
	map_guest_code_stage2(&s2);
	pgtable_init_stage2(&s2ns, 12, 40, 1);
	map_guest_code_stage2(&s2ns);
}

static void secure_s2_on(void)
{
	write_sysreg(vtcr_el2, vtcr_value(&s2));
	// SA and SW are 0: Secure translations and walks stay Secure.
	write_sysreg(VSTCR_EL2, vtcr_value(&s2) & (BIT(31) | 0xc0ff)); // RES1, TG0, SL0, T0SZ
	write_sysreg(VSTTBR_EL2, s2.root);
	write_sysreg(vttbr_el2, s2ns.root);
	write_sysreg(hcr_el2, HCR_BASE | HCR_VM);
	tlbi_all();
}

TEST(secure_stage2_translates_by_vsttbr)
{
	NEEDS_SEL2;
	start_secure_s2();
	map_page(&s2, LOW_IPA, (uint64_t)scratch[1], S2_NORMAL | S2_RW, 3);
	secure_s2_on();
	*word((uint64_t)scratch[1]) = 0x2222;
	struct exc e = run_at(EL1, load_x0, LOW_IPA);

	EXPECT_NO_EXC(e);
	EXPECT_REG(e, 1, 0x2222);
}

TEST(secure_stage2_fault_goes_to_secure_el2_with_hpfar_ns_0)
{
	NEEDS_SEL2;
	start_secure_s2();
	secure_s2_on();
	struct exc e = run_at(EL1, load_x0, LOW_IPA + 0x2008);

	EXPECT_ABORT(e, EL2, EC_DABT_LOWER, ISS_X1 | FSC_TRANSLATION(1), LOW_IPA + 0x2008);
	EXPECT_EQ(e.hpfar, (LOW_IPA + 0x2000) >> 12 << 4);
}

// A Non-secure IPA, by NS in S-EL1's stage 1, is translated by VTTBR_EL2 and reported with
// HPFAR.NS.
TEST(non_secure_ipa_of_secure_el1_is_translated_by_vttbr)
{
	NEEDS_SEL2;
	start_secure_s2();
	uint64_t tables = (uint64_t)image_end & ~0x1ffffful;
	pgtable_init(&s1, 12, 39);
	map_guest_code(&s1);
	map_page(&s1, VA, LOW_IPA, PT_NORMAL | PT_AP_RW_ALL | PT_NS, 3);
	map_page(&s1, VA + 0x1000, LOW_IPA + 0x1000, PT_NORMAL | PT_AP_RW_ALL | PT_NS, 3);
	map_page(&s1, VA + 0x2000, LOW_IPA, PT_NORMAL | PT_AP_RW_ALL, 3);
	map_range(&s2, tables, tables, 0x400000, S2_NORMAL | S2_RW, 2);
	map_page(&s2, LOW_IPA, (uint64_t)scratch[1], S2_NORMAL | S2_RW, 3);
	map_page(&s2ns, LOW_IPA, (uint64_t)scratch[2], S2_NORMAL | S2_RW, 3);
	stage1_on_el1(&s1);
	secure_s2_on();
	*word((uint64_t)scratch[1]) = 0x1111;
	*word((uint64_t)scratch[2]) = 0x2222;
	struct exc ns = run_at(EL1, load_x0, VA);
	struct exc s = run_at(EL1, load_x0, VA + 0x2000);
	struct exc fault = run_at(EL1, load_x0, VA + 0x1000);

	EXPECT_NO_EXC(ns);
	EXPECT_REG(ns, 1, 0x2222);
	EXPECT_NO_EXC(s);
	EXPECT_REG(s, 1, 0x1111);
	EXPECT_ABORT(fault, EL2, EC_DABT_LOWER, ISS_X1 | FSC_TRANSLATION(3), VA + 0x1000);
	EXPECT_EQ(fault.hpfar, HPFAR_NS | (LOW_IPA + 0x1000) >> 12 << 4);
}

TEST(stage2_of_el2_says_nothing_in_secure_state_without_eel2)
{
	guest_reset();
	pgtable_init_stage2(&s2, 12, 40, 1);
	stage2_on(&s2);
	write_sysreg(scr_el3, SECURE);
	struct exc e = run_at(EL1, load_x0, scratch[0]);

	EXPECT_NO_EXC(e);
}

// ---- Exceptions between states ------------------------------------------------------------------

TEST(smc_reports_the_state_it_came_from_by_scr_ns_alone)
{
	SNIPPET(smc_5, "smc #5");

	struct exc ns = run_at(EL1, smc_5);
	write_sysreg(scr_el3, SECURE);
	struct exc s = run_at(EL1, smc_5);

	EXPECT_EXC(ns, EL3, EC_SMC, 5);
	EXPECT_EXC(s, EL3, EC_SMC, 5);
	EXPECT_EQ(ns.spsr, s.spsr);
}

TEST(el2_registers_of_el3_are_there_whatever_the_state)
{
	write_sysreg(scr_el3, SECURE);
	write_sysreg(far_el2, 0x77);
	write_sysreg(scr_el3, SCR_BASE);
	EXPECT_EQ(read_sysreg(far_el2), 0x77);
}
