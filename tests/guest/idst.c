// SPDX-License-Identifier: Apache-2.0
//
// idst.c - the feature ID register space (op0 3, op1 0, 1 or 3, CRn 0): how its unallocated parts
// read, and how EL0 is told that it may not read it (FEAT_IDST: EC 0x18 in place of 0x00).

#include "emit.h"

#define HAS_IDST id_field(read_sysreg(id_aa64mmfr2_el1), 36)

static const struct sysreg known[] = {
	SYSREG(midr_el1, 3, 0, 0, 0, 0),         SYSREG(mpidr_el1, 3, 0, 0, 0, 5),
	SYSREG(revidr_el1, 3, 0, 0, 0, 6),       SYSREG(id_pfr0_el1, 3, 0, 0, 1, 0),
	SYSREG(id_isar0_el1, 3, 0, 0, 2, 0),     SYSREG(mvfr0_el1, 3, 0, 0, 3, 0),
	SYSREG(id_aa64pfr0_el1, 3, 0, 0, 4, 0),  SYSREG(id_aa64dfr0_el1, 3, 0, 0, 5, 0),
	SYSREG(id_aa64isar0_el1, 3, 0, 0, 6, 0), SYSREG(id_aa64mmfr2_el1, 3, 0, 0, 7, 2),
	SYSREG(ccsidr_el1, 3, 1, 0, 0, 0),       SYSREG(clidr_el1, 3, 1, 0, 0, 1),
	SYSREG(aidr_el1, 3, 1, 0, 0, 7),
};

// Reserved: read as zero.
static const struct sysreg reserved[] = {
	SYSREG(s3_0_c0_c3_3, 3, 0, 0, 3, 3), SYSREG(s3_0_c0_c3_7, 3, 0, 0, 3, 7),
	SYSREG(s3_0_c0_c4_3, 3, 0, 0, 4, 3), SYSREG(s3_0_c0_c4_6, 3, 0, 0, 4, 6),
	SYSREG(s3_0_c0_c5_2, 3, 0, 0, 5, 2), SYSREG(s3_0_c0_c5_6, 3, 0, 0, 5, 6),
	SYSREG(s3_0_c0_c6_6, 3, 0, 0, 6, 6), SYSREG(s3_0_c0_c7_7, 3, 0, 0, 7, 7),
};

TEST(id_registers_at_el0_are_reported_as_sysreg_traps)
{
	SKIP_UNLESS(HAS_IDST, "no FEAT_IDST");
	FOR_EACH_REG(r, known)
	{
		EXPECT_TRAP(EL0, READ, *r, EL1);
	}
}

TEST(id_registers_at_el0_go_to_el2_with_tge)
{
	SKIP_UNLESS(HAS_IDST, "no FEAT_IDST");
	write_sysreg(hcr_el2, HCR_BASE | HCR_TGE);
	FOR_EACH_REG(r, known)
	{
		EXPECT_TRAP(EL0, READ, *r, EL2);
	}
}

TEST(id_registers_at_el0_of_a_host_go_to_el2)
{
	SKIP_UNLESS(HAS_IDST, "no FEAT_IDST");
	SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr1_el1), 8), "no FEAT_VHE");
	write_sysreg(hcr_el2, HCR_BASE | HCR_TGE | HCR_E2H);
	EXPECT_TRAP(EL0, READ, known[0], EL2);
	EXPECT_TRAP(EL0, READ, known[8], EL2);
}

// It is the reads of EL0 that are reported so; a TID bit does not take them to EL2.
TEST(hcr_tid3_does_not_take_el0_reads_to_el2)
{
	SKIP_UNLESS(HAS_IDST, "no FEAT_IDST");
	write_sysreg(hcr_el2, HCR_BASE | HCR_TID1 | HCR_TID2 | HCR_TID3);
	FOR_EACH_REG(r, known)
	{
		EXPECT_TRAP(EL0, READ, *r, EL1);
	}
}

TEST(id_space_writes_at_el0_stay_ec_0)
{
	FOR_EACH_REG(r, known)
	{
		EXPECT_UNDEFINED(EL0, WRITE, *r, EL1);
	}
}

TEST(reserved_id_registers_read_as_zero)
{
	FOR_EACH_REG(r, reserved)
	{
		for (enum el el = EL1; el <= EL3; el++) {
			struct exc e = access_at(el, READ, *r, 0xdead);

			guest_expect_no_exc(r->name, __LINE__, &e);
			guest_expect_eq(r->name, __LINE__, "value", e.x[EMIT_RT], 0);
		}
	}
}

TEST(reserved_id_registers_at_el0_are_reported_as_sysreg_traps)
{
	SKIP_UNLESS(HAS_IDST, "no FEAT_IDST");
	FOR_EACH_REG(r, reserved)
	{
		EXPECT_TRAP(EL0, READ, *r, EL1);
	}
}

// CTR_EL0 and DCZID_EL0 are EL0's own.
TEST(id_registers_of_el0_are_readable_at_el0)
{
	const struct sysreg ctr = SYSREG(ctr_el0, 3, 3, 0, 0, 1);
	const struct sysreg dczid = SYSREG(dczid_el0, 3, 3, 0, 0, 7);

	EXPECT_ACCESS(EL0, READ, ctr);
	EXPECT_ACCESS(EL0, READ, dczid);
}

TEST(csselr_at_el0_is_outside_the_id_space)
{
	const struct sysreg csselr = SYSREG(csselr_el1, 3, 2, 0, 0, 0);

	EXPECT_UNDEFINED(EL0, READ, csselr, EL1);
}

TEST(unallocated_registers_outside_the_id_space_are_undefined)
{
	static const struct sysreg regs[] = {
		SYSREG(s3_0_c1_c7_7, 3, 0, 1, 7, 7),   SYSREG(s3_0_c8_c0_0, 3, 0, 8, 0, 0),
		SYSREG(s3_3_c14_c1_7, 3, 3, 14, 1, 7), SYSREG(s3_4_c9_c0_0, 3, 4, 9, 0, 0),
		SYSREG(s2_0_c6_c0_0, 2, 0, 6, 0, 0),   SYSREG(s1_0_c7_c0_0, 1, 0, 7, 0, 0),
	};

	FOR_EACH_REG(r, regs)
	{
		EXPECT_UNDEFINED(EL0, WRITE, *r, EL1);
		EXPECT_UNDEFINED(EL1, WRITE, *r, EL1);
		EXPECT_UNDEFINED(EL2, WRITE, *r, EL2);
		EXPECT_UNDEFINED(EL3, WRITE, *r, EL3);
	}
}
