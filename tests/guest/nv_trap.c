// SPDX-License-Identifier: Apache-2.0
//
// nv_trap.c - HCR_EL2.NV, NV1 and AT without NV2: which names of EL2 and of its host go to EL2
// instead of being UNDEFINED at EL1, what NV1 adds, what CurrentEL says, and where none of it
// applies.

#include "nv.h"

// Registers of EL2, readable and writable.
static const struct sysreg el2_registers[] = {
	SYSREG(vpidr_el2, 3, 4, 0, 0, 0),       SYSREG(vmpidr_el2, 3, 4, 0, 0, 5),
	SYSREG(sctlr_el2, 3, 4, 1, 0, 0),       SYSREG(actlr_el2, 3, 4, 1, 0, 1),
	SYSREG(hcr_el2, 3, 4, 1, 1, 0),         SYSREG(mdcr_el2, 3, 4, 1, 1, 1),
	SYSREG(cptr_el2, 3, 4, 1, 1, 2),        SYSREG(hstr_el2, 3, 4, 1, 1, 3),
	SYSREG(hacr_el2, 3, 4, 1, 1, 7),        SYSREG(ttbr0_el2, 3, 4, 2, 0, 0),
	SYSREG(ttbr1_el2, 3, 4, 2, 0, 1),       SYSREG(tcr_el2, 3, 4, 2, 0, 2),
	SYSREG(vttbr_el2, 3, 4, 2, 1, 0),       SYSREG(vtcr_el2, 3, 4, 2, 1, 2),
	SYSREG(spsr_el2, 3, 4, 4, 0, 0),        SYSREG(elr_el2, 3, 4, 4, 0, 1),
	SYSREG(sp_el1, 3, 4, 4, 1, 0),          SYSREG(afsr0_el2, 3, 4, 5, 1, 0),
	SYSREG(afsr1_el2, 3, 4, 5, 1, 1),       SYSREG(esr_el2, 3, 4, 5, 2, 0),
	SYSREG(vsesr_el2, 3, 4, 5, 2, 3),       SYSREG(far_el2, 3, 4, 6, 0, 0),
	SYSREG(hpfar_el2, 3, 4, 6, 0, 4),       SYSREG(mair_el2, 3, 4, 10, 2, 0),
	SYSREG(amair_el2, 3, 4, 10, 3, 0),      SYSREG(vbar_el2, 3, 4, 12, 0, 0),
	SYSREG(vdisr_el2, 3, 4, 12, 1, 1),      SYSREG(contextidr_el2, 3, 4, 13, 0, 1),
	SYSREG(tpidr_el2, 3, 4, 13, 0, 2),      SYSREG(scxtnum_el2, 3, 4, 13, 0, 7),
	SYSREG(cntvoff_el2, 3, 4, 14, 0, 3),    SYSREG(cnthctl_el2, 3, 4, 14, 1, 0),
	SYSREG(cnthp_tval_el2, 3, 4, 14, 2, 0), SYSREG(cnthp_ctl_el2, 3, 4, 14, 2, 1),
	SYSREG(cnthp_cval_el2, 3, 4, 14, 2, 2), SYSREG(cnthv_tval_el2, 3, 4, 14, 3, 0),
	SYSREG(cnthv_ctl_el2, 3, 4, 14, 3, 1),  SYSREG(cnthv_cval_el2, 3, 4, 14, 3, 2),
};

static const struct sysreg gic_registers[] = {
	SYSREG(ich_ap0r0_el2, 3, 4, 12, 8, 0), SYSREG(ich_ap1r0_el2, 3, 4, 12, 9, 0),
	SYSREG(icc_sre_el2, 3, 4, 12, 9, 5),   SYSREG(ich_hcr_el2, 3, 4, 12, 11, 0),
	SYSREG(ich_vmcr_el2, 3, 4, 12, 11, 7), SYSREG(ich_lr0_el2, 3, 4, 12, 12, 0),
};

static const struct sysreg read_only[] = {
	SYSREG(ich_vtr_el2, 3, 4, 12, 11, 1),
	SYSREG(ich_misr_el2, 3, 4, 12, 11, 2),
	SYSREG(ich_eisr_el2, 3, 4, 12, 11, 3),
	SYSREG(ich_elrsr_el2, 3, 4, 12, 11, 5),
};

static const struct sysreg host_names[] = {
	SYSREG(sctlr_el12, 3, 5, 1, 0, 0),       SYSREG(cpacr_el12, 3, 5, 1, 0, 2),
	SYSREG(ttbr0_el12, 3, 5, 2, 0, 0),       SYSREG(ttbr1_el12, 3, 5, 2, 0, 1),
	SYSREG(tcr_el12, 3, 5, 2, 0, 2),         SYSREG(spsr_el12, 3, 5, 4, 0, 0),
	SYSREG(elr_el12, 3, 5, 4, 0, 1),         SYSREG(afsr0_el12, 3, 5, 5, 1, 0),
	SYSREG(afsr1_el12, 3, 5, 5, 1, 1),       SYSREG(esr_el12, 3, 5, 5, 2, 0),
	SYSREG(far_el12, 3, 5, 6, 0, 0),         SYSREG(mair_el12, 3, 5, 10, 2, 0),
	SYSREG(amair_el12, 3, 5, 10, 3, 0),      SYSREG(vbar_el12, 3, 5, 12, 0, 0),
	SYSREG(contextidr_el12, 3, 5, 13, 0, 1), SYSREG(scxtnum_el12, 3, 5, 13, 0, 7),
	SYSREG(cntkctl_el12, 3, 5, 14, 1, 0),    SYSREG(cntp_tval_el02, 3, 5, 14, 2, 0),
	SYSREG(cntp_ctl_el02, 3, 5, 14, 2, 1),   SYSREG(cntp_cval_el02, 3, 5, 14, 2, 2),
	SYSREG(cntv_tval_el02, 3, 5, 14, 3, 0),  SYSREG(cntv_ctl_el02, 3, 5, 14, 3, 1),
	SYSREG(cntv_cval_el02, 3, 5, 14, 3, 2),
};

static const struct sysreg el2_instructions[] = {
	SYSREG(at_s1e2r, 1, 4, 7, 8, 0),          SYSREG(at_s1e2w, 1, 4, 7, 8, 1),
	SYSREG(at_s12e1r, 1, 4, 7, 8, 4),         SYSREG(at_s12e1w, 1, 4, 7, 8, 5),
	SYSREG(at_s12e0r, 1, 4, 7, 8, 6),         SYSREG(at_s12e0w, 1, 4, 7, 8, 7),
	SYSREG(tlbi_ipas2e1is, 1, 4, 8, 0, 1),    SYSREG(tlbi_ipas2le1is, 1, 4, 8, 0, 5),
	SYSREG(tlbi_alle2is, 1, 4, 8, 3, 0),      SYSREG(tlbi_vae2is, 1, 4, 8, 3, 1),
	SYSREG(tlbi_alle1is, 1, 4, 8, 3, 4),      SYSREG(tlbi_vale2is, 1, 4, 8, 3, 5),
	SYSREG(tlbi_vmalls12e1is, 1, 4, 8, 3, 6), SYSREG(tlbi_ipas2e1, 1, 4, 8, 4, 1),
	SYSREG(tlbi_ipas2le1, 1, 4, 8, 4, 5),     SYSREG(tlbi_alle2, 1, 4, 8, 7, 0),
	SYSREG(tlbi_vae2, 1, 4, 8, 7, 1),         SYSREG(tlbi_alle1, 1, 4, 8, 7, 4),
	SYSREG(tlbi_vale2, 1, 4, 8, 7, 5),        SYSREG(tlbi_vmalls12e1, 1, 4, 8, 7, 6),
};

static const struct sysreg el1_instructions[] = {
	SYSREG(at_s1e1r, 1, 0, 7, 8, 0),       SYSREG(at_s1e1w, 1, 0, 7, 8, 1),
	SYSREG(at_s1e0r, 1, 0, 7, 8, 2),       SYSREG(at_s1e0w, 1, 0, 7, 8, 3),
	SYSREG(at_s1e1rp, 1, 0, 7, 9, 0),      SYSREG(at_s1e1wp, 1, 0, 7, 9, 1),
	SYSREG(tlbi_vmalle1is, 1, 0, 8, 3, 0), SYSREG(tlbi_vmalle1, 1, 0, 8, 7, 0),
	SYSREG(tlbi_vae1, 1, 0, 8, 7, 1),      SYSREG(tlbi_aside1, 1, 0, 8, 7, 2),
	SYSREG(tlbi_vaae1, 1, 0, 8, 7, 3),     SYSREG(tlbi_vale1, 1, 0, 8, 7, 5),
};

// What NV1 traps while NV2 is 0.
static const struct sysreg nv1_registers[] = {
	SYSREG(spsr_el1, 3, 0, 4, 0, 0),
	SYSREG(elr_el1, 3, 0, 4, 0, 1),
	SYSREG(vbar_el1, 3, 0, 12, 0, 0),
	SYSREG(scxtnum_el1, 3, 0, 13, 0, 7),
};

static const struct sysreg el1_registers[] = {
	SYSREG(cpacr_el1, 3, 0, 1, 0, 2),  SYSREG(ttbr0_el1, 3, 0, 2, 0, 0),
	SYSREG(ttbr1_el1, 3, 0, 2, 0, 1),  SYSREG(tcr_el1, 3, 0, 2, 0, 2),
	SYSREG(sp_el0, 3, 0, 4, 1, 0),     SYSREG(esr_el1, 3, 0, 5, 2, 0),
	SYSREG(far_el1, 3, 0, 6, 0, 0),    SYSREG(mair_el1, 3, 0, 10, 2, 0),
	SYSREG(tpidr_el1, 3, 0, 13, 0, 4), SYSREG(contextidr_el1, 3, 0, 13, 0, 1),
	SYSREG(mdscr_el1, 2, 0, 0, 2, 2),  SYSREG(cntkctl_el1, 3, 0, 14, 1, 0),
};

static const struct sysreg el3_registers[] = {
	SYSREG(sctlr_el3, 3, 6, 1, 0, 0),
	SYSREG(scr_el3, 3, 6, 1, 1, 0),
	SYSREG(elr_el3, 3, 6, 4, 0, 1),
	SYSREG(sp_el2, 3, 6, 4, 1, 0),
};

static const struct sysreg current_el = SYSREG(CurrentEL, 3, 0, 4, 2, 2);
static const struct sysreg vbar_el1 = SYSREG(vbar_el1, 3, 0, 12, 0, 0);

TEST(max_has_nv2)
{
	QEMU_7_DIFFERS("it has no nested virtualization");
	EXPECT_EQ(NV_LEVEL, 2);
}

TEST(the_control_bits_are_read_as_written)
{
	NEEDS_NV;
	nv_set(HCR_NV | HCR_NV1 | HCR_AT);
	EXPECT_MASKED(read_sysreg(hcr_el2), HCR_NV | HCR_NV1 | HCR_AT, HCR_NV | HCR_NV1 | HCR_AT);
	nv_set(0);
	EXPECT_MASKED(read_sysreg(hcr_el2), HCR_NV | HCR_NV1 | HCR_AT, 0);
}

// ---- EL2's names at EL1 ------------------------------------------------------------------------

TEST(without_nv_el2_registers_are_undefined_at_el1)
{
	FOR_EACH_REG(r, el2_registers)
	{
		EXPECT_UNDEFINED(EL1, READ, *r, EL1);
		EXPECT_UNDEFINED(EL1, WRITE, *r, EL1);
	}
}

TEST(nv_traps_reads_of_el2_registers)
{
	NEEDS_NV;
	nv_set(HCR_NV);
	FOR_EACH_REG(r, el2_registers)
	{
		EXPECT_TRAP(EL1, READ, *r, EL2);
	}
}

TEST(nv_traps_writes_of_el2_registers)
{
	NEEDS_NV;
	nv_set(HCR_NV);
	FOR_EACH_REG(r, el2_registers)
	{
		EXPECT_TRAP(EL1, WRITE, *r, EL2);
	}
}

TEST(nv_traps_el2_registers_of_the_gic)
{
	NEEDS_NV;
	nv_set(HCR_NV);
	FOR_EACH_REG(r, gic_registers)
	{
		EXPECT_TRAP(EL1, READ, *r, EL2);
		EXPECT_TRAP(EL1, WRITE, *r, EL2);
	}
}

TEST(nv_traps_reads_alone_of_read_only_registers)
{
	QEMU_11_DIFFERS("traps writes of read-only registers of the GIC");
	NEEDS_NV;
	nv_set(HCR_NV);
	FOR_EACH_REG(r, read_only)
	{
		EXPECT_TRAP(EL1, READ, *r, EL2);
		EXPECT_UNDEFINED_NV(WRITE, *r);
	}
}

TEST(nv_traps_the_names_of_el2s_host)
{
	NEEDS_NV;
	nv_set(HCR_NV);
	FOR_EACH_REG(r, host_names)
	{
		EXPECT_TRAP(EL1, READ, *r, EL2);
		EXPECT_TRAP(EL1, WRITE, *r, EL2);
	}
}

// Whether the hypervisor above is a host itself does not matter.
TEST(nv_traps_the_same_with_e2h)
{
	NEEDS_NV;
	nv_set(HCR_NV | HCR_E2H);
	FOR_EACH_REG(r, el2_registers)
	{
		EXPECT_TRAP(EL1, READ, *r, EL2);
	}
	FOR_EACH_REG(r, host_names)
	{
		EXPECT_TRAP(EL1, WRITE, *r, EL2);
	}
}

TEST(without_nv_the_names_of_el2s_host_are_undefined_at_el1)
{
	nv_set(HCR_E2H);
	FOR_EACH_REG(r, host_names)
	{
		EXPECT_UNDEFINED(EL1, READ, *r, EL1);
	}
}

TEST(nv_traps_instructions_of_el2)
{
	NEEDS_NV;
	nv_set(HCR_NV);
	FOR_EACH_REG(r, el2_instructions)
	{
		EXPECT_TRAP(EL1, WRITE, *r, EL2);
	}
}

TEST(without_nv_instructions_of_el2_are_undefined_at_el1)
{
	FOR_EACH_REG(r, el2_instructions)
	{
		EXPECT_UNDEFINED(EL1, WRITE, *r, EL1);
	}
}

TEST(nv_leaves_instructions_of_el1_alone)
{
	NEEDS_NV;
	nv_set(HCR_NV);
	FOR_EACH_REG(r, el1_instructions)
	{
		EXPECT_ACCESS(EL1, WRITE, *r);
	}
}

TEST(nv_leaves_registers_of_el1_alone)
{
	NEEDS_NV;
	nv_set(HCR_NV);
	FOR_EACH_REG(r, el1_registers)
	{
		EXPECT_ACCESS(EL1, READ, *r);
	}
	FOR_EACH_REG(r, nv1_registers)
	{
		EXPECT_ACCESS(EL1, READ, *r);
	}
}

TEST(nv_leaves_el2_itself_alone)
{
	NEEDS_NV;
	nv_set(HCR_NV | HCR_NV1);
	FOR_EACH_REG(r, el2_registers)
	{
		EXPECT_ACCESS(EL2, READ, *r);
	}
	FOR_EACH_REG(r, nv1_registers)
	{
		EXPECT_ACCESS(EL2, READ, *r);
	}
}

TEST(el3_registers_stay_undefined_with_nv)
{
	NEEDS_NV;
	nv_set(HCR_NV | HCR_NV1);
	FOR_EACH_REG(r, el3_registers)
	{
		EXPECT_UNDEFINED(EL1, READ, *r, EL1);
		EXPECT_UNDEFINED(EL1, WRITE, *r, EL1);
	}
}

TEST(unallocated_encodings_stay_undefined_with_nv)
{
	static const struct sysreg unallocated[] = {
		SYSREG(s3_4_c1_c0_7, 3, 4, 1, 0, 7),
		SYSREG(s3_4_c9_c9_1, 3, 4, 9, 9, 1),
		SYSREG(s3_5_c3_c3_3, 3, 5, 3, 3, 3),
		SYSREG(s1_4_c7_c9_0, 1, 4, 7, 9, 0),
	};

	NEEDS_NV;
	nv_set(HCR_NV);
	FOR_EACH_REG(r, unallocated)
	{
		EXPECT_UNDEFINED_NV(WRITE, *r);
	}
}

TEST(el2_registers_are_undefined_at_el0_with_nv)
{
	NEEDS_NV;
	nv_set(HCR_NV | HCR_NV1);
	FOR_EACH_REG(r, el2_registers)
	{
		EXPECT_UNDEFINED(EL0, READ, *r, EL1);
	}
}

TEST(prediction_restriction_by_a_guest_hypervisor_is_trapped)
{
	static const struct sysreg rctx[] = {
		SYSREG(cfp_rctx, 1, 3, 7, 3, 4),
		SYSREG(dvp_rctx, 1, 3, 7, 3, 5),
		SYSREG(cpp_rctx, 1, 3, 7, 3, 7),
	};

	NEEDS_NV;
	FOR_EACH_REG(r, rctx)
	{
		nv_set(0);
		EXPECT_ACCESS(EL1, WRITE, *r);
		nv_set(HCR_NV);
		EXPECT_TRAP(EL1, WRITE, *r, EL2);
	}
}

// ---- Security state -----------------------------------------------------------------------------

TEST(nv_has_no_effect_where_el2_is_not_enabled)
{
	NEEDS_NV;
	nv_set(HCR_NV | HCR_NV1);
	write_sysreg(scr_el3, SECURE);
	FOR_EACH_REG(r, el2_registers)
	{
		EXPECT_UNDEFINED(EL1, READ, *r, EL1);
	}
	FOR_EACH_REG(r, nv1_registers)
	{
		EXPECT_ACCESS(EL1, READ, *r);
	}
	EXPECT_EQ(access_at(EL1, READ, current_el, 0).x[EMIT_RT], 1 << 2);
}

TEST(nv_holds_under_secure_el2)
{
	NEEDS_NV;
	nv_set(HCR_NV);
	write_sysreg(scr_el3, SECURE | SCR_EEL2);
	FOR_EACH_REG(r, el2_registers)
	{
		EXPECT_TRAP(EL1, READ, *r, EL2);
	}
}

TEST(registers_of_secure_el2_are_trapped_in_secure_state_only)
{
	static const struct sysreg secure_el2[] = {
		SYSREG(vsttbr_el2, 3, 4, 2, 6, 0),
		SYSREG(vstcr_el2, 3, 4, 2, 6, 2),
		SYSREG(cnthvs_ctl_el2, 3, 4, 14, 4, 1),
		SYSREG(cnthps_ctl_el2, 3, 4, 14, 5, 1),
	};

	NEEDS_NV;
	nv_set(HCR_NV);
	FOR_EACH_REG(r, secure_el2)
	{
		EXPECT_UNDEFINED_NV(READ, *r);
	}
	write_sysreg(scr_el3, SECURE | SCR_EEL2);
	FOR_EACH_REG(r, secure_el2)
	{
		EXPECT_TRAP(EL1, READ, *r, EL2);
	}
}

// ---- CurrentEL ----------------------------------------------------------------------------------

TEST(current_el_is_el1_without_nv)
{
	EXPECT_EQ(access_at(EL1, READ, current_el, 0).x[EMIT_RT], 1 << 2);
}

TEST(current_el_is_el2_to_a_guest_hypervisor)
{
	NEEDS_NV;
	nv_set(HCR_NV);
	EXPECT_EQ(access_at(EL1, READ, current_el, 0).x[EMIT_RT], 2 << 2);
	nv_set(HCR_NV | HCR_NV1);
	EXPECT_EQ(access_at(EL1, READ, current_el, 0).x[EMIT_RT], 2 << 2);
	nv_set(HCR_NV | HCR_E2H);
	EXPECT_EQ(access_at(EL1, READ, current_el, 0).x[EMIT_RT], 2 << 2);
}

TEST(current_el_at_el2_and_el3_is_what_it_is)
{
	NEEDS_NV;
	nv_set(HCR_NV);
	EXPECT_EQ(access_at(EL2, READ, current_el, 0).x[EMIT_RT], 2 << 2);
	EXPECT_EQ(access_at(EL3, READ, current_el, 0).x[EMIT_RT], 3 << 2);
}

// A remembered answer does not outlive the control.
TEST(current_el_follows_nv_at_once)
{
	NEEDS_NV;
	for (int i = 0; i < 3; i++) {
		nv_set(HCR_NV);
		EXPECT_EQ(access_at(EL1, READ, current_el, 0).x[EMIT_RT], 2 << 2);
		nv_set(0);
		EXPECT_EQ(access_at(EL1, READ, current_el, 0).x[EMIT_RT], 1 << 2);
	}
}

// ---- NV1 ----------------------------------------------------------------------------------------

TEST(nv1_traps_what_exceptions_to_el1_use)
{
	NEEDS_NV;
	nv_set(HCR_NV | HCR_NV1);
	FOR_EACH_REG(r, nv1_registers)
	{
		EXPECT_TRAP(EL1, READ, *r, EL2);
		EXPECT_TRAP(EL1, WRITE, *r, EL2);
	}
}

TEST(nv1_leaves_other_registers_of_el1_alone)
{
	NEEDS_NV;
	nv_set(HCR_NV | HCR_NV1);
	FOR_EACH_REG(r, el1_registers)
	{
		EXPECT_ACCESS(EL1, READ, *r);
	}
}

TEST(nv1_still_traps_el2_registers)
{
	NEEDS_NV;
	nv_set(HCR_NV | HCR_NV1);
	FOR_EACH_REG(r, el2_registers)
	{
		EXPECT_TRAP(EL1, READ, *r, EL2);
	}
	FOR_EACH_REG(r, host_names)
	{
		EXPECT_TRAP(EL1, READ, *r, EL2);
	}
}

// CONSTRAINED UNPREDICTABLE; here NV1 alone means nothing.
TEST(nv1_without_nv_has_no_effect)
{
	NEEDS_NV;
	nv_set(HCR_NV1);
	FOR_EACH_REG(r, nv1_registers)
	{
		EXPECT_ACCESS(EL1, READ, *r);
	}
	EXPECT_UNDEFINED(EL1, READ, el2_registers[4], EL1);
}

TEST(a_trapped_write_changes_nothing)
{
	NEEDS_NV;
	uint64_t vbar = read_sysreg(vbar_el1);
	nv_set(HCR_NV | HCR_NV1);
	(void)access_at(EL1, WRITE, vbar_el1, 0x777000);
	EXPECT_EQ(read_sysreg(vbar_el1), vbar);
}

// ---- AT -----------------------------------------------------------------------------------------

static const struct sysreg at_el1[] = {
	SYSREG(at_s1e1r, 1, 0, 7, 8, 0),  SYSREG(at_s1e1w, 1, 0, 7, 8, 1),
	SYSREG(at_s1e0r, 1, 0, 7, 8, 2),  SYSREG(at_s1e0w, 1, 0, 7, 8, 3),
	SYSREG(at_s1e1rp, 1, 0, 7, 9, 0), SYSREG(at_s1e1wp, 1, 0, 7, 9, 1),
};

TEST(hcr_at_traps_stage_1_translations_from_el1)
{
	NEEDS_NV;
	nv_set(HCR_AT);
	FOR_EACH_REG(r, at_el1)
	{
		EXPECT_TRAP(EL1, WRITE, *r, EL2);
	}
}

TEST(hcr_at_does_not_need_nv_and_does_not_mind_it)
{
	NEEDS_NV;
	nv_set(HCR_AT | HCR_NV);
	FOR_EACH_REG(r, at_el1)
	{
		EXPECT_TRAP(EL1, WRITE, *r, EL2);
	}
	nv_set(HCR_NV);
	FOR_EACH_REG(r, at_el1)
	{
		EXPECT_ACCESS(EL1, WRITE, *r);
	}
}

TEST(hcr_at_leaves_el2_and_tlb_maintenance_alone)
{
	NEEDS_NV;
	nv_set(HCR_AT);
	FOR_EACH_REG(r, at_el1)
	{
		EXPECT_ACCESS(EL2, WRITE, *r);
	}
	EXPECT_ACCESS(EL1, WRITE, el1_instructions[7]);
}

// TLB maintenance of EL1 is a matter of TTLB, also at virtual EL2.
TEST(ttlb_traps_a_guest_hypervisors_el1_maintenance)
{
	NEEDS_NV;
	nv_set(HCR_NV | HCR_TTLB);
	EXPECT_TRAP(EL1, WRITE, el1_instructions[7], EL2);
	EXPECT_TRAP(EL1, WRITE, el2_instructions[15], EL2);
}

// EL2's trap by NV1 comes before EL3's.
TEST(nv1_traps_before_el3)
{
	NEEDS_NV;
	nv_set(HCR_NV | HCR_NV1);
	write_sysreg(scr_el3, SCR_BASE); // EnSCXT 0
	EXPECT_TRAP(EL1, READ, nv1_registers[3], EL2);
	nv_set(HCR_NV);
	write_sysreg(scr_el3, SCR_BASE);
	EXPECT_TRAP(EL1, READ, nv1_registers[3], EL3);
}

// ---- TVM before NV1 -----------------------------------------------------------------------------

TEST(tvm_and_nv1_trap_alike)
{
	static const struct sysreg ttbr0_el1 = SYSREG(ttbr0_el1, 3, 0, 2, 0, 0);

	NEEDS_NV;
	nv_set(HCR_NV | HCR_NV1 | HCR_TVM);
	EXPECT_TRAP(EL1, WRITE, ttbr0_el1, EL2);
	EXPECT_ACCESS(EL1, READ, ttbr0_el1);
	EXPECT_TRAP(EL1, WRITE, vbar_el1, EL2);
}
