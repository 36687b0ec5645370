// SPDX-License-Identifier: Apache-2.0
//
// trap_hcr.c - the trap bits of HCR_EL2: each register or instruction of each group goes to EL2
// with its exact syndrome when the bit is set, and nowhere when it is clear; and who is not
// trapped.

#include "emit.h"

#define ID_MMFR2 read_sysreg(id_aa64mmfr2_el1)
#define HAS_EVT (id_field(ID_MMFR2, 56) >= 2)
#define NEEDS_EVT SKIP_UNLESS(HAS_EVT, "no FEAT_EVT")
#define HAS_VHE id_field(read_sysreg(id_aa64mmfr1_el1), 8)

static void set_hcr(uint64_t bits)
{
	write_sysreg(hcr_el2, HCR_BASE | bits);
}

static void clear_hcr(uint64_t bits)
{
	write_sysreg(hcr_el2, HCR_BASE & ~bits);
}

// ---- TVM, TRVM ----------------------------------------------------------------------------------

static const struct sysreg vm_controls[] = {
	SYSREG(sctlr_el1, 3, 0, 1, 0, 0),       SYSREG(ttbr0_el1, 3, 0, 2, 0, 0),
	SYSREG(ttbr1_el1, 3, 0, 2, 0, 1),       SYSREG(tcr_el1, 3, 0, 2, 0, 2),
	SYSREG(afsr0_el1, 3, 0, 5, 1, 0),       SYSREG(afsr1_el1, 3, 0, 5, 1, 1),
	SYSREG(esr_el1, 3, 0, 5, 2, 0),         SYSREG(far_el1, 3, 0, 6, 0, 0),
	SYSREG(mair_el1, 3, 0, 10, 2, 0),       SYSREG(amair_el1, 3, 0, 10, 3, 0),
	SYSREG(contextidr_el1, 3, 0, 13, 0, 1),
};

TEST(hcr_tvm_traps_each_write_of_a_vm_control_from_el1)
{
	set_hcr(HCR_TVM);
	FOR_EACH_REG(r, vm_controls)
	{
		EXPECT_TRAP(EL1, WRITE, *r, EL2);
	}
}

TEST(hcr_tvm_leaves_reads_alone)
{
	set_hcr(HCR_TVM);
	FOR_EACH_REG(r, vm_controls)
	{
		EXPECT_ACCESS(EL1, READ, *r);
	}
}

TEST(hcr_trvm_traps_each_read_of_a_vm_control_from_el1)
{
	set_hcr(HCR_TRVM);
	FOR_EACH_REG(r, vm_controls)
	{
		EXPECT_TRAP(EL1, READ, *r, EL2);
	}
}

TEST(hcr_trvm_leaves_writes_alone)
{
	const struct sysreg far = SYSREG(far_el1, 3, 0, 6, 0, 0);

	set_hcr(HCR_TRVM);
	EXPECT_ACCESS_VALUE(EL1, WRITE, far, 0x1234);
	EXPECT_EQ(read_sysreg(far_el1), 0x1234);
}

TEST(hcr_tvm_and_trvm_do_not_trap_el2)
{
	set_hcr(HCR_TVM | HCR_TRVM);
	FOR_EACH_REG(r, vm_controls)
	{
		EXPECT_ACCESS(EL2, READ, *r);
	}
	EXPECT_ACCESS_VALUE(EL2, WRITE, vm_controls[7], 0x4321);
	EXPECT_EQ(read_sysreg(far_el1), 0x4321);
}

TEST(hcr_tvm_and_trvm_do_not_trap_el2_with_e2h)
{
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	set_hcr(HCR_TVM | HCR_TRVM | HCR_E2H);
	EXPECT_ACCESS(EL2, READ, vm_controls[0]);
	EXPECT_ACCESS_VALUE(EL2, WRITE, vm_controls[7], 0x4321);
	EXPECT_EQ(read_sysreg(far_el2), 0x4321);
}

TEST(hcr_tvm_says_nothing_in_secure_state_without_secure_el2)
{
	write_sysreg(scr_el3, SCR_BASE & ~SCR_NS);
	set_hcr(HCR_TVM | HCR_TRVM);
	EXPECT_ACCESS_VALUE(EL1, WRITE, vm_controls[7], 0x99);
	EXPECT_EQ(read_sysreg(far_el1), 0x99);
}

TEST(hcr_tvm_traps_in_secure_state_with_secure_el2)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64pfr0_el1), 36), "no FEAT_SEL2");
	write_sysreg(scr_el3, (SCR_BASE & ~SCR_NS) | SCR_EEL2);
	set_hcr(HCR_TVM);
	EXPECT_TRAP(EL1, WRITE, vm_controls[7], EL2);
}

// An access that is UNDEFINED without the trap stays so: EL0 never sees these registers.
TEST(hcr_tvm_leaves_el0_accesses_undefined_at_el1)
{
	set_hcr(HCR_TVM | HCR_TRVM);
	EXPECT_UNDEFINED(EL0, WRITE, vm_controls[0], EL1);
	EXPECT_UNDEFINED(EL0, READ, vm_controls[0], EL1);
}

TEST(trapped_sysreg_write_has_no_effect)
{
	write_sysreg(far_el1, 0x55);
	set_hcr(HCR_TVM);
	(void)access_at(EL1, WRITE, vm_controls[7], 0x77);
	EXPECT_EQ(read_sysreg(far_el1), 0x55);
}

TEST(trapped_sysreg_read_leaves_rt)
{
	set_hcr(HCR_TRVM);
	struct exc e = access_at(EL1, READ, vm_controls[7], 0x7777);

	EXPECT_REG(e, EMIT_RT, 0x7777);
}

// The ISS carries Rt as encoded; XZR is 31.
SNIPPET(write_xzr_to_far, "msr far_el1, xzr");
SNIPPET(read_far_to_x30, "mrs x29, far_el1");

TEST(sysreg_syndrome_carries_rt)
{
	set_hcr(HCR_TVM | HCR_TRVM);
	struct exc w = run_at(EL1, write_xzr_to_far);
	struct exc r = run_at(EL1, read_far_to_x30);

	EXPECT_EXC(w, EL2, EC_SYSREG, ISS_SYSREG_WRITE(3, 0, 6, 0, 0, 31));
	EXPECT_EXC(r, EL2, EC_SYSREG, ISS_SYSREG_READ(3, 0, 6, 0, 0, 29));
}

// ---- TID0 to TID4 -------------------------------------------------------------------------------

static const struct sysreg tid1_regs[] = {
	SYSREG(revidr_el1, 3, 0, 0, 0, 6),
	SYSREG(aidr_el1, 3, 1, 0, 0, 7),
};

static const struct sysreg tid2_regs[] = {
	SYSREG(ccsidr_el1, 3, 1, 0, 0, 0),
	SYSREG(clidr_el1, 3, 1, 0, 0, 1),
	SYSREG(csselr_el1, 3, 2, 0, 0, 0),
};

static const struct sysreg ctr_el0 = SYSREG(ctr_el0, 3, 3, 0, 0, 1);

static const struct sysreg tid3_regs[] = {
	SYSREG(id_pfr0_el1, 3, 0, 0, 1, 0),      SYSREG(id_pfr1_el1, 3, 0, 0, 1, 1),
	SYSREG(id_dfr0_el1, 3, 0, 0, 1, 2),      SYSREG(id_afr0_el1, 3, 0, 0, 1, 3),
	SYSREG(id_mmfr0_el1, 3, 0, 0, 1, 4),     SYSREG(id_mmfr1_el1, 3, 0, 0, 1, 5),
	SYSREG(id_mmfr2_el1, 3, 0, 0, 1, 6),     SYSREG(id_mmfr3_el1, 3, 0, 0, 1, 7),
	SYSREG(id_isar0_el1, 3, 0, 0, 2, 0),     SYSREG(id_isar1_el1, 3, 0, 0, 2, 1),
	SYSREG(id_isar2_el1, 3, 0, 0, 2, 2),     SYSREG(id_isar3_el1, 3, 0, 0, 2, 3),
	SYSREG(id_isar4_el1, 3, 0, 0, 2, 4),     SYSREG(id_isar5_el1, 3, 0, 0, 2, 5),
	SYSREG(id_mmfr4_el1, 3, 0, 0, 2, 6),     SYSREG(id_isar6_el1, 3, 0, 0, 2, 7),
	SYSREG(mvfr0_el1, 3, 0, 0, 3, 0),        SYSREG(mvfr1_el1, 3, 0, 0, 3, 1),
	SYSREG(mvfr2_el1, 3, 0, 0, 3, 2),        SYSREG(id_aa64pfr0_el1, 3, 0, 0, 4, 0),
	SYSREG(id_aa64pfr1_el1, 3, 0, 0, 4, 1),  SYSREG(id_aa64zfr0_el1, 3, 0, 0, 4, 4),
	SYSREG(id_aa64dfr0_el1, 3, 0, 0, 5, 0),  SYSREG(id_aa64dfr1_el1, 3, 0, 0, 5, 1),
	SYSREG(id_aa64afr0_el1, 3, 0, 0, 5, 4),  SYSREG(id_aa64afr1_el1, 3, 0, 0, 5, 5),
	SYSREG(id_aa64isar0_el1, 3, 0, 0, 6, 0), SYSREG(id_aa64isar1_el1, 3, 0, 0, 6, 1),
	SYSREG(id_aa64isar2_el1, 3, 0, 0, 6, 2), SYSREG(id_aa64mmfr0_el1, 3, 0, 0, 7, 0),
	SYSREG(id_aa64mmfr1_el1, 3, 0, 0, 7, 1), SYSREG(id_aa64mmfr2_el1, 3, 0, 0, 7, 2),
};

// ID group 0 has no register in AArch64 state (JIDR, FPSID).
TEST(hcr_tid0_traps_nothing_in_aarch64)
{
	set_hcr(HCR_TID0);
	FOR_EACH_REG(r, tid1_regs)
	{
		EXPECT_ACCESS(EL1, READ, *r);
	}
	EXPECT_ACCESS(EL1, READ, ctr_el0);
	EXPECT_ACCESS(EL1, READ, tid2_regs[1]);
}

TEST(hcr_tid1_traps_id_group_1)
{
	set_hcr(HCR_TID1);
	FOR_EACH_REG(r, tid1_regs)
	{
		EXPECT_TRAP(EL1, READ, *r, EL2);
		EXPECT_ACCESS(EL2, READ, *r);
	}
}

// MIDR and MPIDR are virtualised instead.
TEST(no_tid_bit_traps_midr_and_mpidr)
{
	const struct sysreg midr = SYSREG(midr_el1, 3, 0, 0, 0, 0);
	const struct sysreg mpidr = SYSREG(mpidr_el1, 3, 0, 0, 0, 5);

	set_hcr(HCR_TID0 | HCR_TID1 | HCR_TID2 | HCR_TID3);
	EXPECT_ACCESS(EL1, READ, midr);
	EXPECT_ACCESS(EL1, READ, mpidr);
}

TEST(vpidr_and_vmpidr_are_what_el1_reads)
{
	const struct sysreg midr = SYSREG(midr_el1, 3, 0, 0, 0, 0);
	const struct sysreg mpidr = SYSREG(mpidr_el1, 3, 0, 0, 0, 5);
	uint64_t real_midr = read_sysreg(midr_el1), real_mpidr = read_sysreg(mpidr_el1);

	write_sysreg(vpidr_el2, 0x410fd0c1);
	write_sysreg(vmpidr_el2, 0x80000203);
	struct exc e1 = access_at(EL1, READ, midr, 0);
	struct exc e2 = access_at(EL2, READ, midr, 0);
	struct exc m1 = access_at(EL1, READ, mpidr, 0);
	struct exc m2 = access_at(EL2, READ, mpidr, 0);

	EXPECT_REG(e1, EMIT_RT, 0x410fd0c1);
	EXPECT_REG(m1, EMIT_RT, 0x80000203);
	EXPECT_REG(e2, EMIT_RT, real_midr);
	EXPECT_REG(m2, EMIT_RT, real_mpidr);
}

TEST(vpidr_is_not_seen_in_secure_state_without_secure_el2)
{
	const struct sysreg midr = SYSREG(midr_el1, 3, 0, 0, 0, 0);

	write_sysreg(vpidr_el2, 0x410fd0c1);
	write_sysreg(scr_el3, SCR_BASE & ~SCR_NS);
	struct exc e = access_at(EL1, READ, midr, 0);

	EXPECT_REG(e, EMIT_RT, read_sysreg(midr_el1));
}

TEST(hcr_tid2_traps_cache_id_reads_and_csselr_writes)
{
	set_hcr(HCR_TID2);
	FOR_EACH_REG(r, tid2_regs)
	{
		EXPECT_TRAP(EL1, READ, *r, EL2);
		EXPECT_ACCESS(EL2, READ, *r);
	}
	EXPECT_TRAP(EL1, WRITE, tid2_regs[2], EL2);
}

TEST(hcr_tid2_traps_ctr_el0_from_el1_and_el0)
{
	set_hcr(HCR_TID2);
	EXPECT_TRAP(EL1, READ, ctr_el0, EL2);
	EXPECT_TRAP(EL0, READ, ctr_el0, EL2);
	EXPECT_ACCESS(EL2, READ, ctr_el0);
}

TEST(hcr_tid2_does_not_trap_ctr_el0_of_a_host)
{
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	set_hcr(HCR_TID2 | HCR_E2H | HCR_TGE);
	write_sysreg(sctlr_el2, SCTLR_EL2_BASE | SCTLR_UCT);
	EXPECT_ACCESS(EL0, READ, ctr_el0);
}

// SCTLR_EL1.UCT is asked first.
TEST(sctlr_uct_comes_before_hcr_tid2)
{
	set_hcr(HCR_TID2);
	write_sysreg(sctlr_el1, SCTLR_EL1_BASE & ~SCTLR_UCT);
	EXPECT_TRAP(EL0, READ, ctr_el0, EL1);
}

TEST(hcr_tid3_traps_each_id_register_of_group_3)
{
	set_hcr(HCR_TID3);
	FOR_EACH_REG(r, tid3_regs)
	{
		EXPECT_TRAP(EL1, READ, *r, EL2);
		EXPECT_ACCESS(EL2, READ, *r);
	}
}

TEST(id_registers_are_read_at_el1_without_tid3)
{
	FOR_EACH_REG(r, tid3_regs)
	{
		EXPECT_ACCESS(EL1, READ, *r);
	}
}

TEST(id_registers_are_not_writable)
{
	FOR_EACH_REG(r, tid3_regs)
	{
		EXPECT_UNDEFINED(EL1, WRITE, *r, EL1);
	}
}

TEST(hcr_tid4_traps_cache_id_but_not_ctr)
{
	NEEDS_EVT;
	set_hcr(HCR_TID4);
	FOR_EACH_REG(r, tid2_regs)
	{
		EXPECT_TRAP(EL1, READ, *r, EL2);
	}
	EXPECT_TRAP(EL1, WRITE, tid2_regs[2], EL2);
	EXPECT_ACCESS(EL1, READ, ctr_el0);
	EXPECT_ACCESS(EL0, READ, ctr_el0);
}

// ---- TACR, TIDCP --------------------------------------------------------------------------------

TEST(hcr_tacr_traps_actlr_el1)
{
	const struct sysreg actlr = SYSREG(actlr_el1, 3, 0, 1, 0, 1);

	EXPECT_ACCESS(EL1, READ, actlr);
	EXPECT_ACCESS(EL1, WRITE, actlr);
	set_hcr(HCR_TACR);
	EXPECT_TRAP(EL1, READ, actlr, EL2);
	EXPECT_TRAP(EL1, WRITE, actlr, EL2);
	EXPECT_ACCESS(EL2, READ, actlr);
}

static const struct sysreg impdef_regs[] = {
	SYSREG(s3_0_c11_c0_0, 3, 0, 11, 0, 0),
	SYSREG(s3_0_c15_c9_7, 3, 0, 15, 9, 7),
	SYSREG(s3_7_c15_c15_7, 3, 7, 15, 15, 7),
	SYSREG(s3_3_c11_c2_1, 3, 3, 11, 2, 1),
};

TEST(impdef_registers_are_undefined_without_tidcp)
{
	FOR_EACH_REG(r, impdef_regs)
	{
		EXPECT_UNDEFINED(EL1, READ, *r, EL1);
		EXPECT_UNDEFINED(EL1, WRITE, *r, EL1);
		EXPECT_UNDEFINED(EL2, READ, *r, EL2);
	}
}

TEST(hcr_tidcp_traps_the_impdef_register_space)
{
	QEMU_7_DIFFERS("does not implement HCR_EL2.TIDCP");
	set_hcr(HCR_TIDCP);
	FOR_EACH_REG(r, impdef_regs)
	{
		EXPECT_TRAP(EL1, READ, *r, EL2);
		EXPECT_TRAP(EL1, WRITE, *r, EL2);
		EXPECT_UNDEFINED(EL2, READ, *r, EL2);
	}
}

TEST(hcr_tidcp_traps_the_impdef_instruction_space)
{
	const struct sysreg sys = SYSREG(s1_1_c11_c0_1, 1, 1, 11, 0, 1);
	const struct sysreg sys15 = SYSREG(s1_6_c15_c2_3, 1, 6, 15, 2, 3);

	QEMU_7_DIFFERS("does not implement HCR_EL2.TIDCP");
	set_hcr(HCR_TIDCP);
	EXPECT_TRAP(EL1, WRITE, sys, EL2);
	EXPECT_TRAP(EL1, WRITE, sys15, EL2);
}

// ---- Cache maintenance: TSW, TPCP, TPU, TOCU, TICAB, TDZ ----------------------------------------

static const struct sysreg set_way_ops[] = {
	SYSREG(dc_isw, 1, 0, 7, 6, 2),
	SYSREG(dc_csw, 1, 0, 7, 10, 2),
	SYSREG(dc_cisw, 1, 0, 7, 14, 2),
};

static const struct sysreg dc_ivac = SYSREG(dc_ivac, 1, 0, 7, 6, 1);

static const struct sysreg poc_ops[] = {
	// allowed at EL0 by SCTLR_EL1.UCI
	SYSREG(dc_civac, 1, 3, 7, 14, 1),
	SYSREG(dc_cvac, 1, 3, 7, 10, 1),
	SYSREG(dc_cvap, 1, 3, 7, 12, 1),
	SYSREG(dc_cvadp, 1, 3, 7, 13, 1),
};

static const struct sysreg pou_ops[] = {
	// allowed at EL0 by SCTLR_EL1.UCI
	SYSREG(ic_ivau, 1, 3, 7, 5, 1),
	SYSREG(dc_cvau, 1, 3, 7, 11, 1),
};

static const struct sysreg ic_iallu = SYSREG(ic_iallu, 1, 0, 7, 5, 0);
static const struct sysreg ic_ialluis = SYSREG(ic_ialluis, 1, 0, 7, 1, 0);
static const struct sysreg dc_zva = SYSREG(dc_zva, 1, 3, 7, 4, 1);
static const struct sysreg dczid = SYSREG(dczid_el0, 3, 3, 0, 0, 7);

static void expect_maintenance(enum el el, const struct sysreg *r)
{
	EXPECT_ACCESS_VALUE(el, WRITE, *r, scratch[0]);
}

TEST(hcr_tsw_traps_set_way_operations)
{
	FOR_EACH_REG(r, set_way_ops)
	{
		EXPECT_ACCESS(EL1, WRITE, *r);
	}
	set_hcr(HCR_TSW);
	FOR_EACH_REG(r, set_way_ops)
	{
		EXPECT_TRAP(EL1, WRITE, *r, EL2);
		EXPECT_ACCESS(EL2, WRITE, *r);
	}
}

TEST(hcr_tpcp_traps_maintenance_to_the_point_of_coherency)
{
	FOR_EACH_REG(r, poc_ops)
	{
		expect_maintenance(EL1, r);
		expect_maintenance(EL0, r);
	}
	set_hcr(HCR_TPCP);
	EXPECT_TRAP(EL1, WRITE, dc_ivac, EL2);
	FOR_EACH_REG(r, poc_ops)
	{
		EXPECT_TRAP(EL1, WRITE, *r, EL2);
		EXPECT_TRAP(EL0, WRITE, *r, EL2);
		expect_maintenance(EL2, r);
	}
}

TEST(hcr_tpcp_does_not_trap_pou_maintenance)
{
	set_hcr(HCR_TPCP);
	FOR_EACH_REG(r, pou_ops)
	{
		expect_maintenance(EL1, r);
	}
}

TEST(hcr_tpcp_comes_after_sctlr_uci)
{
	set_hcr(HCR_TPCP);
	write_sysreg(sctlr_el1, SCTLR_EL1_BASE & ~SCTLR_UCI);
	EXPECT_TRAP(EL0, WRITE, poc_ops[0], EL1);
}

TEST(hcr_tpu_traps_maintenance_to_the_point_of_unification)
{
	set_hcr(HCR_TPU);
	FOR_EACH_REG(r, pou_ops)
	{
		EXPECT_TRAP(EL1, WRITE, *r, EL2);
		EXPECT_TRAP(EL0, WRITE, *r, EL2);
		expect_maintenance(EL2, r);
	}
	EXPECT_TRAP(EL1, WRITE, ic_iallu, EL2);
	EXPECT_TRAP(EL1, WRITE, ic_ialluis, EL2);
}

TEST(hcr_tpu_says_nothing_at_el0_of_a_host)
{
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	set_hcr(HCR_TPU | HCR_TPCP | HCR_E2H | HCR_TGE);
	write_sysreg(sctlr_el2, SCTLR_EL2_BASE | SCTLR_UCI);
	expect_maintenance(EL0, &pou_ops[0]);
	expect_maintenance(EL0, &poc_ops[0]);
}

TEST(hcr_tocu_traps_pou_maintenance_but_not_ialluis)
{
	NEEDS_EVT;
	set_hcr(HCR_TOCU);
	FOR_EACH_REG(r, pou_ops)
	{
		EXPECT_TRAP(EL1, WRITE, *r, EL2);
		EXPECT_TRAP(EL0, WRITE, *r, EL2);
	}
	EXPECT_TRAP(EL1, WRITE, ic_iallu, EL2);
	EXPECT_ACCESS(EL1, WRITE, ic_ialluis);
}

TEST(hcr_ticab_traps_ialluis_alone)
{
	NEEDS_EVT;
	set_hcr(HCR_TICAB);
	EXPECT_TRAP(EL1, WRITE, ic_ialluis, EL2);
	EXPECT_ACCESS(EL1, WRITE, ic_iallu);
	expect_maintenance(EL1, &pou_ops[0]);
}

TEST(cache_maintenance_by_set_way_is_undefined_at_el0)
{
	FOR_EACH_REG(r, set_way_ops)
	{
		EXPECT_UNDEFINED(EL0, WRITE, *r, EL1);
	}
	EXPECT_UNDEFINED(EL0, WRITE, dc_ivac, EL1);
	EXPECT_UNDEFINED(EL0, WRITE, ic_iallu, EL1);
	EXPECT_UNDEFINED(EL0, WRITE, ic_ialluis, EL1);
}

TEST(hcr_tdz_traps_dc_zva_from_el1_and_el0)
{
	set_hcr(HCR_TDZ);
	EXPECT_TRAP(EL1, WRITE, dc_zva, EL2);
	EXPECT_TRAP(EL0, WRITE, dc_zva, EL2);
}

TEST(hcr_tdz_sets_dczid_dzp_for_el1_and_el0_only)
{
	const uint64_t dzp = BIT(4);

	clear_hcr(HCR_TDZ);
	struct exc clear = access_at(EL1, READ, dczid, 0);
	set_hcr(HCR_TDZ);
	struct exc e0 = access_at(EL0, READ, dczid, 0);
	struct exc e1 = access_at(EL1, READ, dczid, 0);
	struct exc e2 = access_at(EL2, READ, dczid, 0);

	EXPECT_MASKED(clear.x[EMIT_RT], dzp, 0);
	EXPECT_MASKED(e0.x[EMIT_RT], dzp, dzp);
	EXPECT_MASKED(e1.x[EMIT_RT], dzp, dzp);
	EXPECT_MASKED(e2.x[EMIT_RT], dzp, 0);
}

// ---- TLB maintenance: TTLB, TTLBIS, TTLBOS ------------------------------------------------------

static const struct sysreg tlbi_local[] = {
	SYSREG(tlbi_vmalle1, 1, 0, 8, 7, 0), SYSREG(tlbi_vae1, 1, 0, 8, 7, 1),
	SYSREG(tlbi_aside1, 1, 0, 8, 7, 2),  SYSREG(tlbi_vaae1, 1, 0, 8, 7, 3),
	SYSREG(tlbi_vale1, 1, 0, 8, 7, 5),   SYSREG(tlbi_vaale1, 1, 0, 8, 7, 7),
	SYSREG(tlbi_rvae1, 1, 0, 8, 6, 1),   SYSREG(tlbi_rvaae1, 1, 0, 8, 6, 3),
	SYSREG(tlbi_rvale1, 1, 0, 8, 6, 5),  SYSREG(tlbi_rvaale1, 1, 0, 8, 6, 7),
};

static const struct sysreg tlbi_inner[] = {
	SYSREG(tlbi_vmalle1is, 1, 0, 8, 3, 0), SYSREG(tlbi_vae1is, 1, 0, 8, 3, 1),
	SYSREG(tlbi_aside1is, 1, 0, 8, 3, 2),  SYSREG(tlbi_vaae1is, 1, 0, 8, 3, 3),
	SYSREG(tlbi_vale1is, 1, 0, 8, 3, 5),   SYSREG(tlbi_vaale1is, 1, 0, 8, 3, 7),
	SYSREG(tlbi_rvae1is, 1, 0, 8, 2, 1),   SYSREG(tlbi_rvaae1is, 1, 0, 8, 2, 3),
	SYSREG(tlbi_rvale1is, 1, 0, 8, 2, 5),  SYSREG(tlbi_rvaale1is, 1, 0, 8, 2, 7),
};

static const struct sysreg tlbi_outer[] = {
	SYSREG(tlbi_vmalle1os, 1, 0, 8, 1, 0), SYSREG(tlbi_vae1os, 1, 0, 8, 1, 1),
	SYSREG(tlbi_aside1os, 1, 0, 8, 1, 2),  SYSREG(tlbi_vaae1os, 1, 0, 8, 1, 3),
	SYSREG(tlbi_vale1os, 1, 0, 8, 1, 5),   SYSREG(tlbi_vaale1os, 1, 0, 8, 1, 7),
	SYSREG(tlbi_rvae1os, 1, 0, 8, 5, 1),   SYSREG(tlbi_rvaae1os, 1, 0, 8, 5, 3),
	SYSREG(tlbi_rvale1os, 1, 0, 8, 5, 5),  SYSREG(tlbi_rvaale1os, 1, 0, 8, 5, 7),
};

TEST(tlbi_of_el1_runs_at_el1_and_el2_and_is_undefined_at_el0)
{
	FOR_EACH_REG(r, tlbi_local)
	{
		EXPECT_ACCESS(EL1, WRITE, *r);
		EXPECT_ACCESS(EL2, WRITE, *r);
		EXPECT_UNDEFINED(EL0, WRITE, *r, EL1);
	}
	FOR_EACH_REG(r, tlbi_outer)
	{
		EXPECT_ACCESS(EL1, WRITE, *r);
	}
}

TEST(hcr_ttlb_traps_every_tlbi_of_el1)
{
	set_hcr(HCR_TTLB);
	FOR_EACH_REG(r, tlbi_local)
	{
		EXPECT_TRAP(EL1, WRITE, *r, EL2);
		EXPECT_ACCESS(EL2, WRITE, *r);
	}
	FOR_EACH_REG(r, tlbi_inner)
	{
		EXPECT_TRAP(EL1, WRITE, *r, EL2);
	}
	FOR_EACH_REG(r, tlbi_outer)
	{
		EXPECT_TRAP(EL1, WRITE, *r, EL2);
	}
}

TEST(hcr_ttlbis_traps_inner_shareable_tlbi_alone)
{
	NEEDS_EVT;
	set_hcr(HCR_TTLBIS);
	FOR_EACH_REG(r, tlbi_inner)
	{
		EXPECT_TRAP(EL1, WRITE, *r, EL2);
	}
	FOR_EACH_REG(r, tlbi_local)
	{
		EXPECT_ACCESS(EL1, WRITE, *r);
	}
	FOR_EACH_REG(r, tlbi_outer)
	{
		EXPECT_ACCESS(EL1, WRITE, *r);
	}
}

TEST(hcr_ttlbos_traps_outer_shareable_tlbi_alone)
{
	NEEDS_EVT;
	set_hcr(HCR_TTLBOS);
	FOR_EACH_REG(r, tlbi_outer)
	{
		EXPECT_TRAP(EL1, WRITE, *r, EL2);
	}
	FOR_EACH_REG(r, tlbi_local)
	{
		EXPECT_ACCESS(EL1, WRITE, *r);
	}
	FOR_EACH_REG(r, tlbi_inner)
	{
		EXPECT_ACCESS(EL1, WRITE, *r);
	}
}

TEST(tlbi_of_el2_is_undefined_at_el1)
{
	const struct sysreg alle2 = SYSREG(tlbi_alle2, 1, 4, 8, 7, 0);
	const struct sysreg alle1 = SYSREG(tlbi_alle1, 1, 4, 8, 7, 4);
	const struct sysreg alle3 = SYSREG(tlbi_alle3, 1, 6, 8, 7, 0);
	const struct sysreg ipas2e1 = SYSREG(tlbi_ipas2e1, 1, 4, 8, 4, 1);

	EXPECT_UNDEFINED(EL1, WRITE, alle2, EL1);
	EXPECT_UNDEFINED(EL1, WRITE, alle1, EL1);
	EXPECT_UNDEFINED(EL1, WRITE, ipas2e1, EL1);
	EXPECT_UNDEFINED(EL2, WRITE, alle3, EL2);
	EXPECT_ACCESS(EL2, WRITE, alle2);
	EXPECT_ACCESS(EL2, WRITE, alle1);
	EXPECT_ACCESS(EL2, WRITE, ipas2e1);
}

// ---- TLOR, TERR, APK, EnSCXT --------------------------------------------------------------------

static const struct sysreg lor_regs[] = {
	SYSREG(lorsa_el1, 3, 0, 10, 4, 0), SYSREG(lorea_el1, 3, 0, 10, 4, 1),
	SYSREG(lorn_el1, 3, 0, 10, 4, 2),  SYSREG(lorc_el1, 3, 0, 10, 4, 3),
	SYSREG(lorid_el1, 3, 0, 10, 4, 7),
};

TEST(hcr_tlor_traps_the_lor_registers)
{
	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr1_el1), 16), "no FEAT_LOR");
	FOR_EACH_REG(r, lor_regs)
	{
		EXPECT_ACCESS(EL1, READ, *r);
	}
	set_hcr(HCR_TLOR);
	FOR_EACH_REG(r, lor_regs)
	{
		EXPECT_TRAP(EL1, READ, *r, EL2);
		EXPECT_ACCESS(EL2, READ, *r);
	}
	EXPECT_TRAP(EL1, WRITE, lor_regs[0], EL2);
}

TEST(hcr_terr_traps_error_records)
{
	const struct sysreg erridr = SYSREG(erridr_el1, 3, 0, 5, 3, 0);

	EXPECT_ACCESS(EL1, READ, erridr);
	set_hcr(HCR_TERR);
	EXPECT_TRAP(EL1, READ, erridr, EL2);
	EXPECT_ACCESS(EL2, READ, erridr);
}

static const struct sysreg pauth_keys[] = {
	SYSREG(apiakeylo_el1, 3, 0, 2, 1, 0), SYSREG(apiakeyhi_el1, 3, 0, 2, 1, 1),
	SYSREG(apibkeylo_el1, 3, 0, 2, 1, 2), SYSREG(apibkeyhi_el1, 3, 0, 2, 1, 3),
	SYSREG(apdakeylo_el1, 3, 0, 2, 2, 0), SYSREG(apdakeyhi_el1, 3, 0, 2, 2, 1),
	SYSREG(apdbkeylo_el1, 3, 0, 2, 2, 2), SYSREG(apdbkeyhi_el1, 3, 0, 2, 2, 3),
	SYSREG(apgakeylo_el1, 3, 0, 2, 3, 0), SYSREG(apgakeyhi_el1, 3, 0, 2, 3, 1),
};

TEST(hcr_apk_clear_traps_pauth_keys_of_el1)
{
	FOR_EACH_REG(r, pauth_keys)
	{
		EXPECT_ACCESS(EL1, READ, *r);
	}
	clear_hcr(HCR_APK);
	FOR_EACH_REG(r, pauth_keys)
	{
		EXPECT_TRAP(EL1, READ, *r, EL2);
		EXPECT_TRAP(EL1, WRITE, *r, EL2);
		EXPECT_ACCESS(EL2, READ, *r);
	}
}

TEST(hcr_enscxt_clear_traps_scxtnum)
{
	const struct sysreg scxtnum1 = SYSREG(scxtnum_el1, 3, 0, 13, 0, 7);
	const struct sysreg scxtnum0 = SYSREG(scxtnum_el0, 3, 3, 13, 0, 7);
	const uint64_t scr_enscxt = BIT(25), hcr_enscxt = BIT(53);

	SKIP_UNLESS(id_field(read_sysreg(id_aa64pfr0_el1), 56) >= 2, "no FEAT_CSV2_2");
	write_sysreg(scr_el3, SCR_BASE | scr_enscxt);
	write_sysreg(sctlr_el1, SCTLR_EL1_BASE & ~SCTLR_TSCXT);
	EXPECT_TRAP(EL1, READ, scxtnum1, EL2);
	EXPECT_TRAP(EL1, WRITE, scxtnum0, EL2);
	EXPECT_TRAP(EL0, READ, scxtnum0, EL2);
	EXPECT_ACCESS(EL2, READ, scxtnum1);
	set_hcr(hcr_enscxt);
	EXPECT_ACCESS(EL1, READ, scxtnum1);
	EXPECT_ACCESS(EL0, READ, scxtnum0);
	write_sysreg(scr_el3, SCR_BASE);
	EXPECT_TRAP(EL1, READ, scxtnum1, EL3);
	EXPECT_TRAP(EL2, READ, scxtnum1, EL3);
	EXPECT_TRAP(EL0, READ, scxtnum0, EL3);
}

// ---- TWI, TWE -----------------------------------------------------------------------------------

SNIPPET(wfi, "wfi");
SNIPPET(wfe, "sevl\n\twfe\n\twfe"); // the first clears the event register, the second would wait
SNIPPET(wfe_with_event, "sevl\n\twfe");
SNIPPET(wfet_x5, "sevl\n\twfe\n\t.inst 0xd5031005"); // WFET x5, likewise

TEST(hcr_twi_traps_wfi_from_el1_and_el0)
{
	set_hcr(HCR_TWI);
	struct exc e1 = run_at(EL1, wfi);
	struct exc e0 = run_at(EL0, wfi);

	EXPECT_EXC(e1, EL2, EC_WFX, ISS_WFX(0));
	EXPECT_EQ(e1.elr, wfi);
	EXPECT_EXC(e0, EL2, EC_WFX, ISS_WFX(0));
}

TEST(hcr_twe_traps_wfe_from_el1_and_el0)
{
	QEMU_7_DIFFERS("never traps WFE");
	set_hcr(HCR_TWE);
	struct exc e1 = run_at(EL1, wfe);
	struct exc e0 = run_at(EL0, wfe);

	EXPECT_EXC(e1, EL2, EC_WFX, ISS_WFX(1));
	EXPECT_EQ(e1.elr, wfe + 8);
	EXPECT_EXC(e0, EL2, EC_WFX, ISS_WFX(1));
}

TEST(hcr_twe_does_not_trap_a_wfe_that_would_not_wait)
{
	set_hcr(HCR_TWE);
	struct exc e = run_at(EL1, wfe_with_event);

	EXPECT_NO_EXC(e);
}

TEST(sctlr_ntwi_comes_before_hcr_twi)
{
	set_hcr(HCR_TWI);
	write_sysreg(sctlr_el1, SCTLR_EL1_BASE & ~SCTLR_NTWI);
	struct exc e = run_at(EL0, wfi);

	EXPECT_EXC(e, EL1, EC_WFX, ISS_WFX(0));
}

TEST(sctlr_el2_ntwi_clear_traps_wfi_at_el0_of_a_host)
{
	QEMU_7_DIFFERS("asks SCTLR_EL1.nTWI, which has no effect in a host");
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	set_hcr(HCR_E2H | HCR_TGE);
	write_sysreg(sctlr_el2, SCTLR_EL2_BASE & ~SCTLR_NTWI);
	struct exc e = run_at(EL0, wfi);

	EXPECT_EXC(e, EL2, EC_WFX, ISS_WFX(0));
}

// WFIT/WFET <Xt>: 1101 0101 0000 0011 0001 0000 00:op 1:op2 Rt. RN, RV and TI of the syndrome.
TEST(hcr_twi_twe_trap_wfit_and_wfet_with_their_register)
{
	const uint32_t wfit = 0xd5031020;
	const uint64_t rn5_valid = 5ul << 5 | 1ul << 2;

	SKIP_UNLESS(id_field(read_sysreg(id_aa64isar2_el1), 0) >= 2, "no FEAT_WFxT");
	set_hcr(HCR_TWI | HCR_TWE);
	struct exc i = run_at(EL1, emit(wfit | 5), 0, 0, 0, 0, 0, ~0ul);
	struct exc e = run_at(EL1, wfet_x5, 0, 0, 0, 0, 0, ~0ul);

	EXPECT_EXC(i, EL2, EC_WFX, ISS_WFX(2) | rn5_valid);
	EXPECT_EXC(e, EL2, EC_WFX, ISS_WFX(3) | rn5_valid);
	EXPECT_EQ(e.elr, wfet_x5 + 8);
}

// WFIT ends by itself, so that the absence of a trap can be seen.
TEST(hcr_twi_says_nothing_at_el0_of_a_host)
{
	const uint32_t wfit = 0xd5031020;

	SKIP_UNLESS(id_field(read_sysreg(id_aa64isar2_el1), 0) >= 2, "no FEAT_WFxT");
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	set_hcr(HCR_TWI | HCR_E2H | HCR_TGE);
	write_sysreg(sctlr_el2, SCTLR_EL2_BASE | SCTLR_NTWI);
	struct exc e = run_at(EL0, emit(wfit | 5), 0, 0, 0, 0, 0, read_sysreg(cntvct_el0) + 1000);

	EXPECT_NO_EXC(e);
}

TEST(wfit_with_a_past_time_does_not_wait)
{
	const uint32_t wfit = 0xd5031020;

	SKIP_UNLESS(id_field(read_sysreg(id_aa64isar2_el1), 0) >= 2, "no FEAT_WFxT");
	struct exc e = run_at(EL1, emit(wfit | 5), 0, 0, 0, 0, 0, 0);

	EXPECT_NO_EXC(e);
}

// ---- HSTR_EL2 has no effect on AArch64 ----------------------------------------------------------

TEST(hstr_el2_traps_nothing_in_aarch64)
{
	write_sysreg(hstr_el2, 0xffff);
	FOR_EACH_REG(r, vm_controls)
	{
		EXPECT_ACCESS(EL1, READ, *r);
	}
	EXPECT_ACCESS(EL0, READ, ctr_el0);
}
