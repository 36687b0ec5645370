// SPDX-License-Identifier: Apache-2.0
//
// nv.h - what the tests of nested virtualization share: the controls, and which register FEAT_NV2
// keeps where in the page of VNCR_EL2. The offsets and conditions are those of the register
// descriptions and of "Enhanced support for nested virtualization" in the Arm ARM.
#ifndef NV_H
#define NV_H

#include "emit.h"

#define NV_LEVEL id_field(read_sysreg(id_aa64mmfr2_el1), 24)
#define NEEDS_NV SKIP_UNLESS(NV_LEVEL >= 1, "no FEAT_NV")
#define NEEDS_NV2 SKIP_UNLESS(NV_LEVEL >= 2, "no FEAT_NV2")

#define VNCR_EL2 S3_4_C2_C2_0
#define NV_PAGE ((volatile uint64_t *)scratch[15])

// EXPECT_NO_EXC of what a call returns.
#define EXPECT_RUNS(call) \
	do { \
		struct exc ran_ = (call); \
\
		EXPECT_NO_EXC(ran_); \
	} while (0)

#define HCR_ENSCXT BIT(53)
#define SCR_ENSCXT BIT(25)
#define SECURE ((SCR_BASE & ~SCR_NS) | SCR_ENSCXT)

// SCXTNUM_EL1 and its like are among the registers: nothing else traps them.
static inline void nv_set(uint64_t bits)
{
	write_sysreg(scr_el3, read_sysreg(scr_el3) | SCR_ENSCXT);
	write_sysreg(hcr_el2, HCR_BASE | HCR_ENSCXT | bits);
}

// UNDEFINED at EL1, which then says that it came from EL2.
#define EXPECT_UNDEFINED_NV(direction, r) \
	do { \
		struct exc undefined_ = access_at(EL1, direction, r, 0); \
\
		guest_expect_eq((r).name, __LINE__, "level", (uint64_t)undefined_.el, EL1); \
		guest_expect_eq((r).name, __LINE__, "ESR", undefined_.esr, ESR(EC_UNKNOWN, 0)); \
		guest_expect_eq((r).name, __LINE__, "SPSR.M", undefined_.spsr &SPSR_M_MASK, \
				SPSR_M_EL2H); \
	} while (0)

// NV2 with the page in scratch[15]; bits: NV1, E2H ...
static inline void nv2_set(uint64_t bits)
{
	write_sysreg(VNCR_EL2, (uint64_t)NV_PAGE);
	nv_set(HCR_NV | HCR_NV2 | bits);
}

static inline void nv_page_clear(void)
{
	for (unsigned i = 0; i < 512; i++) {
		NV_PAGE[i] = 0;
	}
}

// A name and its place in the page.
struct nv_reg {
	struct sysreg r;
	uint16_t offset;
};

#define NV_REG(name, op0, op1, crn, crm, op2, offset) \
	{ \
		SYSREG(name, op0, op1, crn, crm, op2), offset \
	}

#define FOR_EACH_NV_REG(n, array) \
	for (const struct nv_reg *n = (array); n < (array) + sizeof(array) / sizeof((array)[0]); \
	     n++)

// Reads or writes from EL1 are done at the register's offset, in full, and touch nothing else.
static inline void nv_expect_memory_read(int line, const struct nv_reg *n)
{
	uint64_t value = 0xa5a5000000000000ul | n->offset;
	struct exc e;

	nv_page_clear();
	NV_PAGE[n->offset / 8] = value;
	e = access_at(EL1, READ, n->r, 0);
	guest_expect_no_exc(n->r.name, line, &e);
	guest_expect_eq(n->r.name, line, "value", e.x[EMIT_RT], value);
}

static inline void nv_expect_memory_write(int line, const struct nv_reg *n)
{
	uint64_t value = 0xfedcba9876543210ul ^ n->offset;
	struct exc e;

	nv_page_clear();
	e = access_at(EL1, WRITE, n->r, value);
	guest_expect_no_exc(n->r.name, line, &e);
	guest_expect_eq(n->r.name, line, "memory", NV_PAGE[n->offset / 8], value);
	NV_PAGE[n->offset / 8] = 0;
	for (unsigned i = 0; i < 512; i++) {
		if (NV_PAGE[i] != 0) {
			guest_expect_eq(n->r.name, line, "elsewhere", NV_PAGE[i], 0);
		}
	}
}

#endif
