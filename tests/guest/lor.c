// SPDX-License-Identifier: Apache-2.0
//
// lor.c - FEAT_LOR: the LORegion descriptors and what selects them.

#include "guest.h"

// The assembler has these names only for Armv8.1: S3_0_C10_C4_0 is LORSA_EL1, 1 LOREA_EL1, 2
// LORN_EL1, 3 LORC_EL1, 7 LORID_EL1.
#define DS(n) ((uint64_t)(n) << 2)
#define NEEDS_LOR SKIP_UNLESS(id_field(read_sysreg(id_aa64mmfr1_el1), 16) >= 1, "no FEAT_LOR")
#define NEEDS_TWO SKIP_UNLESS((read_sysreg(S3_0_C10_C4_7) >> 16 & 0xff) >= 2, "one descriptor")

TEST(lorc_ds_selects_a_descriptor_of_its_own)
{
	NEEDS_LOR;
	NEEDS_TWO;
	write_sysreg(S3_0_C10_C4_3, DS(0));
	write_sysreg(S3_0_C10_C4_0, 0x40000001);
	write_sysreg(S3_0_C10_C4_1, 0x40ff0000);
	write_sysreg(S3_0_C10_C4_2, 1);
	write_sysreg(S3_0_C10_C4_3, DS(1));
	write_sysreg(S3_0_C10_C4_0, 0x80000000);
	write_sysreg(S3_0_C10_C4_1, 0x800f0000);
	write_sysreg(S3_0_C10_C4_2, 0);
	write_sysreg(S3_0_C10_C4_3, DS(0));
	EXPECT_EQ(read_sysreg(S3_0_C10_C4_0), 0x40000001);
	EXPECT_EQ(read_sysreg(S3_0_C10_C4_1), 0x40ff0000);
	EXPECT_EQ(read_sysreg(S3_0_C10_C4_2), 1);
	write_sysreg(S3_0_C10_C4_3, DS(1));
	EXPECT_EQ(read_sysreg(S3_0_C10_C4_0), 0x80000000);
	EXPECT_EQ(read_sysreg(S3_0_C10_C4_1), 0x800f0000);
	EXPECT_EQ(read_sysreg(S3_0_C10_C4_2), 0);
	write_sysreg(S3_0_C10_C4_3, 0);
}

// DS has as many bits as number the descriptors, Num as many as number the regions; both are powers
// of two in what Strata has.
TEST(lorc_and_lorn_count_no_further_than_lorid)
{
	NEEDS_LOR;
	uint64_t descriptors = read_sysreg(S3_0_C10_C4_7) >> 16 & 0xff,
		 regions = read_sysreg(S3_0_C10_C4_7) & 0xff;

	SKIP_UNLESS(descriptors != 0 && regions != 0, "no regions");
	write_sysreg(S3_0_C10_C4_2, ~0ul);
	EXPECT_EQ(read_sysreg(S3_0_C10_C4_2), regions - 1);
	write_sysreg(S3_0_C10_C4_3, ~0ul);
	EXPECT_EQ(read_sysreg(S3_0_C10_C4_3), DS(descriptors - 1) | 1);
	write_sysreg(S3_0_C10_C4_3, 0);
}
