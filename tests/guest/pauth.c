// SPDX-License-Identifier: Apache-2.0
//
// pauth.c - pointer authentication as seen by the levels: the enables of SCTLR_ELx, the traps of
// HCR_EL2.API and SCR_EL3.API, authentication failures with FEAT_FPAC, and what signing keeps of an
// address. The algorithms themselves are tested elsewhere.

#include "abort.h"
#include "emit.h"

SNIPPET(pacia, "pacia x0, x1");
SNIPPET(pacib, "pacib x0, x1");
SNIPPET(pacda, "pacda x0, x1");
SNIPPET(pacdb, "pacdb x0, x1");
SNIPPET(pacga, "pacga x0, x1, x2");
SNIPPET(autia, "autia x0, x1");
SNIPPET(autib, "autib x0, x1");
SNIPPET(autda, "autda x0, x1");
SNIPPET(autdb, "autdb x0, x1");
SNIPPET(pacia_autia, "mov x5, x0\n\tpacia x0, x1\n\tmov x6, x0\n\tautia x0, x1");
SNIPPET(pacib_autib, "mov x5, x0\n\tpacib x0, x1\n\tmov x6, x0\n\tautib x0, x1");
SNIPPET(pacda_autda, "mov x5, x0\n\tpacda x0, x1\n\tmov x6, x0\n\tautda x0, x1");
SNIPPET(pacdb_autdb, "mov x5, x0\n\tpacdb x0, x1\n\tmov x6, x0\n\tautdb x0, x1");
SNIPPET(pacia_xpaci, "pacia x0, x1\n\txpaci x0");
SNIPPET(paciasp_retaa,
	"mov x19, x30\n\tadr x30, 1f\n\tpaciasp\n\tmov x6, x30\n\tretaa\n1:\tmov x30, x19");
SNIPPET(retaa, "mov x19, x30\n\tmov x30, x0\n\tretaa\n\tmov x30, x19");
SNIPPET(braa, "braa x0, x1");
SNIPPET(blraaz, "blraaz x0");
SNIPPET(ldraa, "ldraa x2, [x0]");
SNIPPET(eretaa, "mov sp, x1\n\teretaa");
SNIPPET(eret_target, "brk #0x77");
SNIPPET(hint_paciaz, "paciaz");

#define EN_ALL (SCTLR_ENIA | SCTLR_ENIB | SCTLR_ENDA | SCTLR_ENDB)
#define ADDRESS 0x40123450ul
#define MODIFIER 0x1122334455667788ul
#define HAS_VHE id_field(read_sysreg(id_aa64mmfr1_el1), 8)

static unsigned pauth_level(void)
{
	uint64_t isar1 = read_sysreg(id_aa64isar1_el1), isar2 = read_sysreg(id_aa64isar2_el1);
	unsigned apa = id_field(isar1, 4), api = id_field(isar1, 8), apa3 = id_field(isar2, 12);

	return apa > api ? (apa > apa3 ? apa : apa3) : api > apa3 ? api : apa3;
}

#define NEEDS_PAUTH SKIP_UNLESS(pauth_level() >= 1, "no FEAT_PAuth")
#define NEEDS_FPAC SKIP_UNLESS(pauth_level() >= 4, "no FEAT_FPAC")
#define NEEDS_FPACCOMBINE SKIP_UNLESS(pauth_level() >= 5, "no FEAT_FPACCOMBINE")

static void set_keys(void)
{
	write_sysreg(S3_0_C2_C1_0, 0x0123456789abcdef); // APIAKeyLo, Hi
	write_sysreg(S3_0_C2_C1_1, 0x1123456789abcdef);
	write_sysreg(S3_0_C2_C1_2, 0x2123456789abcdef); // APIBKey
	write_sysreg(S3_0_C2_C1_3, 0x3123456789abcdef);
	write_sysreg(S3_0_C2_C2_0, 0x4123456789abcdef); // APDAKey
	write_sysreg(S3_0_C2_C2_1, 0x5123456789abcdef);
	write_sysreg(S3_0_C2_C2_2, 0x6123456789abcdef); // APDBKey
	write_sysreg(S3_0_C2_C2_3, 0x7123456789abcdef);
	write_sysreg(S3_0_C2_C3_0, 0x8123456789abcdef); // APGAKey
	write_sysreg(S3_0_C2_C3_1, 0x9123456789abcdef);
}

static void enable(uint64_t bits)
{
	set_keys();
	write_sysreg(sctlr_el1, SCTLR_EL1_BASE | bits);
	write_sysreg(sctlr_el2, SCTLR_EL2_BASE | bits);
	write_sysreg(sctlr_el3, SCTLR_EL3_BASE | bits);
}

static const char *const sign[] = {pacia, pacib, pacda, pacdb};
static const char *const auth[] = {autia, autib, autda, autdb};
static const char *const both[] = {pacia_autia, pacib_autib, pacda_autda, pacdb_autdb};
static const uint64_t enables[] = {SCTLR_ENIA, SCTLR_ENIB, SCTLR_ENDA, SCTLR_ENDB};

// ---- Enables ------------------------------------------------------------------------------------

TEST(signing_does_nothing_with_its_key_disabled)
{
	NEEDS_PAUTH;
	for (unsigned key = 0; key < 4; key++) {
		enable(EN_ALL & ~enables[key]);
		for (enum el el = EL0; el <= EL3; el++) {
			struct exc s = run_at(el, sign[key], ADDRESS, MODIFIER);
			struct exc a = run_at(el, auth[key], ADDRESS | 0x7ful << 48, MODIFIER);

			EXPECT_NO_EXC(s);
			EXPECT_REG(s, 0, ADDRESS);
			EXPECT_NO_EXC(a);
			EXPECT_REG(a, 0, ADDRESS | 0x7ful << 48);
		}
	}
}

TEST(each_key_signs_and_authenticates_where_it_is_enabled)
{
	NEEDS_PAUTH;
	for (unsigned key = 0; key < 4; key++) {
		enable(enables[key]);
		for (enum el el = EL0; el <= EL3; el++) {
			struct exc e = run_at(el, both[key], ADDRESS, MODIFIER);

			EXPECT_NO_EXC(e);
			EXPECT_REG(e, 0, ADDRESS);
			EXPECT_TRUE(e.x[6] != ADDRESS);
			// Address bits and bit 55 stay: 48 bits at most are in use without TBI.
			EXPECT_MASKED(e.x[6], 0xfffffffful | BIT(55), ADDRESS);
		}
	}
}

TEST(the_enable_is_that_of_the_level)
{
	NEEDS_PAUTH;
	set_keys();
	write_sysreg(sctlr_el1, SCTLR_EL1_BASE | SCTLR_ENIA);
	struct exc e0 = run_at(EL0, pacia, ADDRESS, MODIFIER);
	struct exc e1 = run_at(EL1, pacia, ADDRESS, MODIFIER);
	struct exc e2 = run_at(EL2, pacia, ADDRESS, MODIFIER);

	EXPECT_TRUE(e0.x[0] != ADDRESS);
	EXPECT_EQ(e1.x[0], e0.x[0]);
	EXPECT_REG(e2, 0, ADDRESS);
}

TEST(sctlr_el2_enables_keys_for_el0_of_a_host)
{
	NEEDS_PAUTH;
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	set_keys();
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H | HCR_TGE);
	write_sysreg(sctlr_el1, SCTLR_EL1_BASE | SCTLR_ENIA);
	struct exc off = run_at(EL0, pacia, ADDRESS, MODIFIER);
	write_sysreg(sctlr_el2, SCTLR_EL2_BASE | SCTLR_ENIA);
	struct exc on = run_at(EL0, pacia, ADDRESS, MODIFIER);

	EXPECT_REG(off, 0, ADDRESS);
	EXPECT_TRUE(on.x[0] != ADDRESS);
}

TEST(keys_are_told_apart)
{
	uint64_t signed_by[4];

	NEEDS_PAUTH;
	enable(EN_ALL);
	for (unsigned key = 0; key < 4; key++) {
		signed_by[key] = run_at(EL1, sign[key], ADDRESS, MODIFIER).x[0];
		for (unsigned other = 0; other < key; other++) {
			EXPECT_TRUE(signed_by[key] != signed_by[other]);
		}
	}
}

TEST(pacga_needs_no_enable_and_fills_the_upper_half)
{
	NEEDS_PAUTH;
	set_keys();
	struct exc e = run_at(EL0, pacga, ~0ul, ADDRESS, MODIFIER);
	struct exc other = run_at(EL0, pacga, ~0ul, ADDRESS + 8, MODIFIER);

	EXPECT_NO_EXC(e);
	EXPECT_MASKED(e.x[0], 0xffffffff, 0);
	EXPECT_TRUE(e.x[0] != 0);
	EXPECT_TRUE(e.x[0] != other.x[0]);
}

TEST(xpaci_strips_whatever_the_enables_say)
{
	NEEDS_PAUTH;
	enable(EN_ALL);
	struct exc low = run_at(EL1, pacia_xpaci, ADDRESS, MODIFIER);
	struct exc high = run_at(EL1, pacia_xpaci, 0xffffffff80000000, MODIFIER);

	EXPECT_REG(low, 0, ADDRESS);
	EXPECT_REG(high, 0, 0xffffffff80000000);
}

TEST(paciasp_and_retaa_return)
{
	NEEDS_PAUTH;
	enable(EN_ALL);
	for (enum el el = EL0; el <= EL3; el++) {
		struct exc e = run_at(el, paciasp_retaa);

		EXPECT_NO_EXC(e);
		EXPECT_TRUE(e.x[6] != 0);
	}
}

TEST(eretaa_returns_to_an_authenticated_address)
{
	NEEDS_PAUTH;
	enable(EN_ALL);
	const uint64_t sp = (uint64_t)stack_el1_top;
	struct exc s = run_at(EL1, pacia, eret_target, sp);

	write_sysreg(elr_el1, s.x[0]);
	write_sysreg(spsr_el1, guest_spsr(EL0));
	struct exc e = run_at(EL1, eretaa, 0, sp);

	EXPECT_EXC_AT(e, EL1, 0x400, ESR(EC_BRK, 0x77));
	EXPECT_EQ(e.elr, eret_target);
}

// ---- Traps --------------------------------------------------------------------------------------

TEST(hcr_api_clear_traps_enabled_instructions_of_el1_and_el0)
{
	NEEDS_PAUTH;
	enable(EN_ALL);
	write_sysreg(hcr_el2, HCR_BASE & ~HCR_API);
	for (unsigned key = 0; key < 4; key++) {
		struct exc s1 = run_at(EL1, sign[key], ADDRESS, MODIFIER);
		struct exc a1 = run_at(EL1, auth[key], ADDRESS, MODIFIER);
		struct exc s0 = run_at(EL0, sign[key], ADDRESS, MODIFIER);
		struct exc s2 = run_at(EL2, sign[key], ADDRESS, MODIFIER);

		EXPECT_EXC(s1, EL2, EC_PAC_TRAP, 0);
		EXPECT_EQ(s1.elr, sign[key]);
		EXPECT_REG(s1, 0, ADDRESS);
		EXPECT_EXC(a1, EL2, EC_PAC_TRAP, 0);
		EXPECT_EXC(s0, EL2, EC_PAC_TRAP, 0);
		EXPECT_NO_EXC(s2);
	}
}

TEST(hcr_api_clear_traps_combined_forms)
{
	NEEDS_PAUTH;
	enable(EN_ALL);
	write_sysreg(hcr_el2, HCR_BASE & ~HCR_API);
	struct exc ret = run_at(EL1, retaa, ADDRESS);
	struct exc br = run_at(EL1, braa, ADDRESS);
	struct exc load = run_at(EL1, ldraa, ADDRESS);
	struct exc hint = run_at(EL1, hint_paciaz);

	EXPECT_EXC(ret, EL2, EC_PAC_TRAP, 0);
	EXPECT_EQ(ret.elr, retaa + 8);
	EXPECT_EXC(br, EL2, EC_PAC_TRAP, 0);
	EXPECT_EXC(load, EL2, EC_PAC_TRAP, 0);
	EXPECT_EXC(hint, EL2, EC_PAC_TRAP, 0);
}

TEST(hcr_api_clear_does_not_trap_disabled_keys)
{
	NEEDS_PAUTH;
	write_sysreg(hcr_el2, HCR_BASE & ~HCR_API);
	struct exc e = run_at(EL1, pacia, ADDRESS, MODIFIER);
	struct exc g = run_at(EL1, pacga, 0, ADDRESS, MODIFIER);

	EXPECT_NO_EXC(e);
	EXPECT_EXC(g, EL2, EC_PAC_TRAP, 0);
}

TEST(hcr_api_says_nothing_at_el0_of_a_host)
{
	NEEDS_PAUTH;
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	enable(EN_ALL);
	write_sysreg(hcr_el2, (HCR_BASE & ~HCR_API) | HCR_E2H | HCR_TGE);
	struct exc e = run_at(EL0, pacia, ADDRESS, MODIFIER);

	EXPECT_NO_EXC(e);
}

TEST(hcr_api_comes_before_scr_api)
{
	NEEDS_PAUTH;
	enable(EN_ALL);
	write_sysreg(scr_el3, SCR_BASE & ~SCR_API);
	write_sysreg(hcr_el2, HCR_BASE & ~HCR_API);
	struct exc e1 = run_at(EL1, pacia, ADDRESS, MODIFIER);
	struct exc e2 = run_at(EL2, pacia, ADDRESS, MODIFIER);

	EXPECT_EXC(e1, EL2, EC_PAC_TRAP, 0);
	EXPECT_EXC(e2, EL3, EC_PAC_TRAP, 0);
}

// ---- Authentication failures --------------------------------------------------------------------

// FEAT_FPAC: EC 0x1c; ISS[1] says data key, ISS[0] says B key.
TEST(fpac_failure_names_the_key_and_stays_at_el1)
{
	NEEDS_FPAC;
	enable(EN_ALL);
	for (unsigned key = 0; key < 4; key++) {
		struct exc s = run_at(EL1, sign[key], ADDRESS, MODIFIER);
		struct exc bad = run_at(EL1, auth[key], s.x[0], MODIFIER + 1);
		struct exc bad0 = run_at(EL0, auth[key], s.x[0] ^ BIT(54), MODIFIER);

		EXPECT_EXC(bad, EL1, EC_FPAC, key);
		EXPECT_EQ(bad.elr, auth[key]);
		EXPECT_EXC(bad0, EL1, EC_FPAC, key);
	}
}

TEST(fpac_failure_at_el2_and_el3_stays_there)
{
	NEEDS_FPAC;
	enable(EN_ALL);
	struct exc s = run_at(EL2, pacia, ADDRESS, MODIFIER);
	struct exc e2 = run_at(EL2, autia, s.x[0], MODIFIER + 1);
	struct exc e3 = run_at(EL3, autia, s.x[0], MODIFIER + 1);

	EXPECT_EXC(e2, EL2, EC_FPAC, 0);
	EXPECT_EXC(e3, EL3, EC_FPAC, 0);
}

TEST(fpac_failure_of_el0_goes_to_el2_with_tge)
{
	NEEDS_FPAC;
	enable(EN_ALL);
	struct exc s = run_at(EL0, pacdb, ADDRESS, MODIFIER);
	write_sysreg(hcr_el2, HCR_BASE | HCR_TGE);
	struct exc e = run_at(EL0, autdb, s.x[0], MODIFIER + 1);

	EXPECT_EXC(e, EL2, EC_FPAC, 3);
}

TEST(fpaccombine_failure_of_branches_and_loads)
{
	NEEDS_FPACCOMBINE;
	enable(EN_ALL);
	struct exc s = run_at(EL1, pacia, ADDRESS, MODIFIER);
	struct exc ret = run_at(EL1, retaa, s.x[0]);
	struct exc br = run_at(EL1, braa, s.x[0], MODIFIER + 1);
	struct exc call = run_at(EL1, blraaz, s.x[0]);
	struct exc load = run_at(EL1, ldraa, s.x[0]);

	EXPECT_EXC(ret, EL1, EC_FPAC, 0);
	EXPECT_EQ(ret.elr, retaa + 8);
	EXPECT_EXC(br, EL1, EC_FPAC, 0);
	EXPECT_EXC(call, EL1, EC_FPAC, 0);
	EXPECT_EXC(load, EL1, EC_FPAC, 2);
}

// Without FPACCOMBINE, or FPAC at all, the address is spoiled and faults when it is used.
TEST(failed_authentication_gives_an_address_that_faults)
{
	NEEDS_PAUTH;
	SKIP_UNLESS(pauth_level() < 4, "FEAT_FPAC");
	enable(EN_ALL);
	struct exc s = run_at(EL1, pacia, ADDRESS, MODIFIER);
	struct exc a = run_at(EL1, autia, s.x[0], MODIFIER + 1);

	EXPECT_NO_EXC(a);
	EXPECT_TRUE(a.x[0] != ADDRESS);
	EXPECT_MASKED(a.x[0], 0xffffffff, ADDRESS);
}

TEST(signature_depends_on_the_modifier_and_on_the_key)
{
	NEEDS_PAUTH;
	enable(EN_ALL);
	struct exc one = run_at(EL1, pacia, ADDRESS, MODIFIER);
	struct exc same = run_at(EL2, pacia, ADDRESS, MODIFIER);
	struct exc two = run_at(EL1, pacia, ADDRESS, MODIFIER + 1);
	write_sysreg(S3_0_C2_C1_0, 0x55);
	struct exc three = run_at(EL1, pacia, ADDRESS, MODIFIER);

	EXPECT_EQ(same.x[0], one.x[0]);
	EXPECT_TRUE(two.x[0] != one.x[0]);
	EXPECT_TRUE(three.x[0] != one.x[0]);
}
