// SPDX-License-Identifier: Apache-2.0
//
// pie.h - what the tests of indirect permissions and overlays share: the registers by their
// encodings, indices in descriptors, and expectations for the three kinds of access to one page.
#ifndef PIE_H
#define PIE_H

#include "abort.h"

#define TCR2_EL1 S3_0_C2_C0_3
#define TCR2_EL2 S3_4_C2_C0_3
#define PIRE0_EL1 S3_0_C10_C2_2
#define PIR_EL1 S3_0_C10_C2_3
#define POR_EL1 S3_0_C10_C2_4
#define POR_EL0 S3_3_C10_C2_4
#define PIRE0_EL2 S3_4_C10_C2_2
#define PIR_EL2 S3_4_C10_C2_3
#define POR_EL2 S3_4_C10_C2_4
#define S2PIR_EL2 S3_4_C10_C2_5
#define S2POR_EL1 S3_0_C10_C2_5
#define PIR_EL3 S3_6_C10_C2_3
#define POR_EL3 S3_6_C10_C2_4
#define HCRX_EL2 S3_4_C1_C2_2
#define ID_AA64MMFR3_EL1 S3_0_C0_C7_3
#define ID_AA64MMFR4_EL1 S3_0_C0_C7_4

#define TCR2_PIE BIT(1)
#define TCR2_E0POE BIT(2)
#define TCR2_POE BIT(3)
#define TCR2_AIE BIT(4)
#define TCR2_ASID2 (7ul << 16) // A2, FNG0, FNG1
#define TCR_EL3_PIE BIT(35)
#define TCR_EL3_POE BIT(36)
#define VTCR_S2PIE BIT(36)
#define VTCR_S2POE BIT(37)
#define HCRX_TCR2EN BIT(14)
#define HCRX_SCTLR2EN BIT(15)
#define SCR_HXEN BIT(38)
#define SCR_TCR2EN BIT(43)
#define SCR_SCTLR2EN BIT(44)
#define SCR_PIEN BIT(45)
#define TCR_HA BIT(39)
#define TCR_HD BIT(40)
#define VTCR_HA BIT(21)
#define VTCR_HD BIT(22)
#define CPACR_E0POE BIT(29)

// Of a Permission fault: bits of ISS2 in ESR_ELx, and of PAR_EL1.
#define ISS2_DIRTY BIT(37)
#define ISS2_OVERLAY BIT(38)
#define PAR_DIRTY BIT(15)
#define PAR_OVERLAY BIT(14)

// read_sysreg() and write_sysreg() for the names above.
#define read_reg(reg) read_sysreg(reg)
#define write_reg(reg, value) write_sysreg(reg, value)
// The same for PIR_ELx, PIRE0_ELx and S2PIR_EL2, which may be cached in a TLB (POR_ELx may not).
#define write_pir(reg, value) \
	do { \
		write_sysreg(reg, value); \
		tlbi_all(); \
	} while (0)

// Indices: PIIndex is bits 54, 53, 51 and 6; POIndex 62:60, at stage 2 62:59. Bit 7 is nDirty at
// stage 1 and Dirty at stage 2.
#define PT_PI(n) \
	((uint64_t)((n) >> 2 & 3) << 53 | (uint64_t)((n) >> 1 & 1) << 51 | (uint64_t)((n)&1) << 6)
#define PT_PO(n) ((uint64_t)(n) << 60)
#define S2_PO(n) ((uint64_t)(n) << 59)
#define PT_NDIRTY BIT(7)
#define S2_DIRTY BIT(7)

#define PERM(n, value) ((uint64_t)(value) << 4 * (n))
// map_guest_code() gives code the index 1: read and execute, for all, not overlaid.
#define CODE_PERM PERM(1, 0xa)
// The page under test.
#define PAGE_VA 0x80000000ul
#define PAGE_INDEX 4u
#define PAGE_OVERLAY 3u
#define INSN_RET 0xd65f03c0u

SNIPPET(load_x0, "ldr x1, [x0]");
SNIPPET(store_x0, "str x1, [x0]");
SNIPPET(call_x0, "mov x19, x30\n\tblr x0\n\tmov x30, x19");

// The letters of rights in a string, as bits.
enum { CAN_READ = 1, CAN_WRITE = 2, CAN_EXEC = 4, CAN_ALL = 7 };

static inline unsigned rights_of(const char *letters)
{
	unsigned rights = 0;

	for (; *letters; letters++) {
		rights |= *letters == 'r' ? CAN_READ : *letters == 'w' ? CAN_WRITE : CAN_EXEC;
	}
	return rights;
}

static inline void expect_one(int line, const char *what, struct exc *e, bool allowed, enum el to,
			      uint64_t ec, uint64_t iss)
{
	if (allowed) {
		guest_expect_no_exc(what, line, e);
	} else {
		expect_abort(line, e, to, ec, iss | FSC_PERMISSION(3), PAGE_VA);
	}
}

// Reads, writes and calls the page, with SPSR bits; what is not allowed faults to a level, and by
// an overlay where by_overlay says so.
static inline void expect_rights(int line, enum el el, uint64_t pstate, enum el to,
				 unsigned allowed, unsigned by_overlay)
{
	const uint64_t spsr = guest_spsr(el) | pstate;
	const uint64_t same = el == to;
	const uint64_t overlay[3] = {by_overlay & CAN_READ ? ISS2_OVERLAY : 0,
				     by_overlay & CAN_WRITE ? ISS2_OVERLAY : 0,
				     by_overlay & CAN_EXEC ? ISS2_OVERLAY : 0};
	struct exc r = run_at_spsr(spsr, load_x0, PAGE_VA);
	struct exc w = run_at_spsr(spsr, store_x0, PAGE_VA, INSN_RET);
	struct exc x = run_at_spsr(spsr, call_x0, PAGE_VA);

	expect_one(line, "read", &r, allowed & CAN_READ, to, EC_DABT_LOWER + same, overlay[0]);
	expect_one(line, "write", &w, allowed & CAN_WRITE, to, EC_DABT_LOWER + same,
		   overlay[1] | ISS_WNR);
	expect_one(line, "exec", &x, allowed & CAN_EXEC, to, EC_IABT_LOWER + same, overlay[2]);
}

#define EXPECT_RIGHTS(el, letters) expect_rights(__LINE__, el, 0, EL1, rights_of(letters), 0)
#define EXPECT_RIGHTS_WITH(el, pstate, letters) \
	expect_rights(__LINE__, el, pstate, EL1, rights_of(letters), 0)
#define EXPECT_RIGHTS_TO(el, to, letters) expect_rights(__LINE__, el, 0, to, rights_of(letters), 0)
// What is missing of the base permissions is missing; the rest is taken by the overlay.
#define EXPECT_OVERLAID(el, letters) \
	expect_rights(__LINE__, el, 0, EL1, rights_of(letters), ~rights_of(letters))
#define EXPECT_OVERLAID_TO(el, to, letters) \
	expect_rights(__LINE__, el, 0, to, rights_of(letters), ~rights_of(letters))

// Nothing of this is trapped or without effect.
static inline void permissions_reset(void)
{
	guest_reset();
	write_sysreg(scr_el3, SCR_BASE | SCR_HXEN | SCR_TCR2EN | SCR_SCTLR2EN | SCR_PIEN);
	write_reg(HCRX_EL2, HCRX_TCR2EN | HCRX_SCTLR2EN);
	write_reg(TCR2_EL1, 0);
	write_reg(TCR2_EL2, 0);
	*(volatile uint32_t *)scratch[4] = INSN_RET;
	__asm__ volatile("dsb sy\n\tic iallu\n\tdsb sy\n\tisb" ::: "memory");
}

// PERM_TEST(feature's field of ID_AA64MMFR3_EL1, name): a test that is skipped without the feature.
#define FIELD_S1PIE 8
#define FIELD_S2PIE 12
#define FIELD_S1POE 16
#define FIELD_S2POE 20
#define FIELD_AIE 24
#define FIELD_MEC 28
#define FIELD_ASID2 8 // of ID_AA64MMFR4_EL1
#define PERM_TEST(field, name) \
	static void perm_##name(void); \
	TEST(name) \
	{ \
		SKIP_UNLESS(id_field(read_reg(ID_AA64MMFR3_EL1), field), "not implemented"); \
		perm_##name(); \
	} \
	static void perm_##name(void)

#endif
