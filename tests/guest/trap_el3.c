// SPDX-License-Identifier: Apache-2.0
//
// trap_el3.c - what EL3 keeps from the levels below by SCR_EL3: WFI and WFE, pointer
// authentication, LORegions, error records, and that EL2's trap of the same thing comes first.

#include "emit.h"

SNIPPET(wfi, "wfi");
SNIPPET(wfe, "sevl\n\twfe\n\twfe");
SNIPPET(pacia, "pacia x0, x1");
SNIPPET(autia1716, "autia1716");
SNIPPET(pacga, "pacga x0, x1, x2");
SNIPPET(xpaci, "xpaci x0");

static const struct sysreg apiakeylo = SYSREG(apiakeylo_el1, 3, 0, 2, 1, 0);
static const struct sysreg apgakeyhi = SYSREG(apgakeyhi_el1, 3, 0, 2, 3, 1);
static const struct sysreg lorc = SYSREG(lorc_el1, 3, 0, 10, 4, 3);
static const struct sysreg lorid = SYSREG(lorid_el1, 3, 0, 10, 4, 7);
static const struct sysreg erridr = SYSREG(erridr_el1, 3, 0, 5, 3, 0);

TEST(scr_twi_traps_wfi_below_el3)
{
	write_sysreg(scr_el3, SCR_BASE | SCR_TWI);
	for (enum el el = EL0; el <= EL2; el++) {
		struct exc e = run_at(el, wfi);

		EXPECT_EXC(e, EL3, EC_WFX, ISS_WFX(0));
		EXPECT_EQ(e.elr, wfi);
	}
}

TEST(scr_twe_traps_wfe_below_el3)
{
	QEMU_7_DIFFERS("never traps WFE");
	write_sysreg(scr_el3, SCR_BASE | SCR_TWE);
	for (enum el el = EL0; el <= EL2; el++) {
		struct exc e = run_at(el, wfe);

		EXPECT_EXC(e, EL3, EC_WFX, ISS_WFX(1));
		EXPECT_EQ(e.elr, wfe + 8);
	}
}

TEST(hcr_twi_comes_before_scr_twi)
{
	write_sysreg(scr_el3, SCR_BASE | SCR_TWI);
	write_sysreg(hcr_el2, HCR_BASE | HCR_TWI);
	struct exc e1 = run_at(EL1, wfi);
	struct exc e2 = run_at(EL2, wfi);

	EXPECT_EXC(e1, EL2, EC_WFX, ISS_WFX(0));
	EXPECT_EXC(e2, EL3, EC_WFX, ISS_WFX(0));
}

TEST(scr_twi_traps_in_secure_state_too)
{
	write_sysreg(scr_el3, (SCR_BASE & ~SCR_NS) | SCR_TWI);
	struct exc e = run_at(EL1, wfi);

	EXPECT_EXC(e, EL3, EC_WFX, ISS_WFX(0));
}

TEST(scr_apk_clear_traps_keys_below_el3)
{
	write_sysreg(scr_el3, SCR_BASE & ~SCR_APK);
	EXPECT_TRAP(EL1, READ, apiakeylo, EL3);
	EXPECT_TRAP(EL1, WRITE, apgakeyhi, EL3);
	EXPECT_TRAP(EL2, READ, apiakeylo, EL3);
	EXPECT_ACCESS(EL3, READ, apiakeylo);
}

TEST(hcr_apk_comes_before_scr_apk)
{
	write_sysreg(scr_el3, SCR_BASE & ~SCR_APK);
	write_sysreg(hcr_el2, HCR_BASE & ~HCR_APK);
	EXPECT_TRAP(EL1, READ, apiakeylo, EL2);
	EXPECT_TRAP(EL2, READ, apiakeylo, EL3);
}

// An instruction is trapped only where its key is enabled; PACGA has no enable.
TEST(scr_api_clear_traps_pauth_instructions_with_enabled_keys)
{
	write_sysreg(scr_el3, SCR_BASE & ~SCR_API);
	write_sysreg(sctlr_el1, SCTLR_EL1_BASE | SCTLR_ENIA);
	write_sysreg(sctlr_el2, SCTLR_EL2_BASE | SCTLR_ENIA);
	for (enum el el = EL0; el <= EL2; el++) {
		struct exc e = run_at(el, pacia);

		EXPECT_EXC(e, EL3, EC_PAC_TRAP, 0);
		EXPECT_EQ(e.elr, pacia);
	}
	struct exc hint = run_at(EL1, autia1716);
	struct exc strip = run_at(EL1, xpaci);

	EXPECT_EXC(hint, EL3, EC_PAC_TRAP, 0);
	EXPECT_NO_EXC(strip);
}

TEST(scr_api_clear_does_not_trap_with_disabled_keys)
{
	write_sysreg(scr_el3, SCR_BASE & ~SCR_API);
	for (enum el el = EL0; el <= EL2; el++) {
		struct exc e = run_at(el, pacia, 0x1234, 5);

		EXPECT_NO_EXC(e);
		EXPECT_REG(e, 0, 0x1234);
	}
}

TEST(scr_api_clear_traps_pacga_always)
{
	write_sysreg(scr_el3, SCR_BASE & ~SCR_API);
	struct exc e1 = run_at(EL1, pacga);
	struct exc e3 = run_at(EL3, pacga);

	EXPECT_EXC(e1, EL3, EC_PAC_TRAP, 0);
	EXPECT_NO_EXC(e3);
}

TEST(scr_tlor_traps_lor_registers)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr1_el1), 16), "no FEAT_LOR");
	write_sysreg(scr_el3, SCR_BASE | SCR_TLOR);
	EXPECT_TRAP(EL1, READ, lorc, EL3);
	EXPECT_TRAP(EL2, WRITE, lorc, EL3);
	EXPECT_TRAP(EL1, READ, lorid, EL3);
	write_sysreg(hcr_el2, HCR_BASE | HCR_TLOR);
	EXPECT_TRAP(EL1, READ, lorc, EL2);
}

// LORSA, LOREA, LORN and LORC exist in Non-secure state alone.
TEST(lor_registers_are_undefined_in_secure_state)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr1_el1), 16), "no FEAT_LOR");
	QEMU_7_DIFFERS("traps to EL3 instead");
	write_sysreg(scr_el3, SCR_BASE & ~SCR_NS);
	EXPECT_UNDEFINED(EL1, READ, lorc, EL1);
	EXPECT_ACCESS(EL1, READ, lorid);
}

TEST(scr_terr_traps_error_records)
{
	write_sysreg(scr_el3, SCR_BASE | SCR_TERR);
	EXPECT_TRAP(EL1, READ, erridr, EL3);
	EXPECT_TRAP(EL2, READ, erridr, EL3);
	write_sysreg(hcr_el2, HCR_BASE | HCR_TERR);
	EXPECT_TRAP(EL1, READ, erridr, EL2);
}

// ---- GIC system registers by SCR_EL3.{IRQ, FIQ} and ICC_SRE_EL3 ---------------------------------

static const struct sysreg igrpen0 = SYSREG(icc_igrpen0_el1, 3, 0, 12, 12, 6);
static const struct sysreg igrpen1 = SYSREG(icc_igrpen1_el1, 3, 0, 12, 12, 7);
static const struct sysreg pmr = SYSREG(icc_pmr_el1, 3, 0, 4, 6, 0);
static const struct sysreg sre1 = SYSREG(icc_sre_el1, 3, 0, 12, 12, 5);
static const struct sysreg sre2 = SYSREG(icc_sre_el2, 3, 4, 12, 9, 5);

TEST(scr_fiq_traps_group_0_registers_to_el3)
{
	write_sysreg(scr_el3, SCR_BASE | SCR_FIQ);
	EXPECT_TRAP(EL1, READ, igrpen0, EL3);
	EXPECT_TRAP(EL2, READ, igrpen0, EL3);
	EXPECT_ACCESS(EL1, READ, igrpen1);
	EXPECT_ACCESS(EL1, READ, pmr);
}

TEST(scr_irq_traps_group_1_registers_to_el3)
{
	write_sysreg(scr_el3, SCR_BASE | SCR_IRQ);
	EXPECT_TRAP(EL1, READ, igrpen1, EL3);
	EXPECT_TRAP(EL2, READ, igrpen1, EL3);
	EXPECT_ACCESS(EL1, READ, igrpen0);
	EXPECT_ACCESS(EL1, READ, pmr);
}

TEST(scr_irq_and_fiq_together_trap_common_registers_to_el3)
{
	write_sysreg(scr_el3, SCR_BASE | SCR_IRQ | SCR_FIQ);
	EXPECT_TRAP(EL1, READ, pmr, EL3);
	EXPECT_TRAP(EL2, WRITE, pmr, EL3);
	EXPECT_ACCESS(EL3, READ, pmr);
}

// With IMO or FMO the names mean the virtual interface at EL1.
TEST(virtual_interface_registers_are_not_trapped_by_scr)
{
	write_sysreg(scr_el3, SCR_BASE | SCR_IRQ | SCR_FIQ);
	write_sysreg(hcr_el2, HCR_BASE | HCR_IMO | HCR_FMO);
	EXPECT_ACCESS(EL1, READ, igrpen0);
	EXPECT_ACCESS(EL1, READ, igrpen1);
	EXPECT_ACCESS(EL1, READ, pmr);
	EXPECT_TRAP(EL2, READ, pmr, EL3);
}

TEST(icc_sre_enable_clear_traps_lower_sre)
{
	QEMU_7_DIFFERS("ICC_SRE is read-only");
	write_sysreg(S3_4_C12_C9_5, 0x7); // ICC_SRE_EL2 without Enable
	SKIP_UNLESS(!(read_sysreg(S3_4_C12_C9_5) & 8), "ICC_SRE_EL2.Enable is RAO/WI");
	EXPECT_TRAP(EL1, READ, sre1, EL2);
	EXPECT_ACCESS(EL2, READ, sre2);
	write_sysreg(S3_6_C12_C12_5, 0x7); // ICC_SRE_EL3 without Enable
	EXPECT_TRAP(EL2, READ, sre2, EL3);
	EXPECT_TRAP(EL2, READ, sre1, EL3);
}
