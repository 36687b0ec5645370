// SPDX-License-Identifier: Apache-2.0
// Exception syndromes: EC values and the one builder of each ISS (Arm ARM D24.2.37-40, ESR_ELx).
#ifndef STRATA_CPU_ESR_H
#define STRATA_CPU_ESR_H

#include <stdbool.h>
#include <stdint.h>

enum ec {
	EC_UNKNOWN = 0x00,
	EC_WFX = 0x01,
	EC_FP = 0x07,
	EC_PAUTH = 0x09,
	EC_LS64 = 0x0a,
	EC_BTI = 0x0d,
	EC_ILLEGAL_STATE = 0x0e,
	EC_SVC = 0x15,
	EC_HVC = 0x16,
	EC_SMC = 0x17,
	EC_SYSREG = 0x18,
	EC_ERET = 0x1a,
	EC_PAC_FAIL = 0x1c,
	EC_INSN_ABORT = 0x20, // from a lower EL; +1 from the same
	EC_PC_ALIGNMENT = 0x22,
	EC_DATA_ABORT = 0x24, // from a lower EL; +1 from the same
	EC_DATA_ABORT_SAME = 0x25, // also of EL1's accesses to the page of VNCR_EL2
	EC_SP_ALIGNMENT = 0x26,
	EC_MOPS = 0x27,
	EC_FP_EXCEPTION = 0x2c,
	EC_SERROR = 0x2f,
	EC_BREAKPOINT = 0x30, // from a lower EL; +1 from the same
	EC_STEP = 0x32, // likewise
	EC_WATCHPOINT = 0x34, // likewise
	EC_WATCHPOINT_SAME = 0x35, // as EC_DATA_ABORT_SAME
	EC_BRK = 0x3c,
};

#define ESR_IL (UINT64_C(1) << 25)

static inline uint64_t esr_make(unsigned ec, bool il, uint32_t iss)
{
	return (uint64_t)ec << 26 | (uint64_t)il << 25 | (iss & 0x1ffffff);
}

// MRS/MSR/SYS trap: EC 0x18 (AArch64.SystemRegisterTrap).
#define ISS_SYSREG_RT (0x1fu << 5)

static inline uint32_t iss_sysreg(unsigned op0, unsigned op1, unsigned crn, unsigned crm,
				  unsigned op2, unsigned rt, bool read)
{
	return op0 << 20 | op2 << 17 | op1 << 14 | crn << 10 | rt << 5 | crm << 1 | (read ? 1 : 0);
}

// WFI 0, WFE 1, WFIT 2, WFET 3 in TI; RN and RV for the timed forms. COND is AL with CV set.
static inline uint32_t iss_wfx(unsigned ti, bool timed, unsigned rn)
{
	return 1u << 24 | 0xeu << 20 | (timed ? rn << 5 | 1u << 2 : 0) | ti;
}

static inline uint32_t iss_fp(void)
{
	return 1u << 24 | 0xeu << 20;
}

// Data abort with the instruction syndrome (aborts to EL2 from a single general-purpose register
// access).
#define ISS_INSN_SYNDROME (UINT32_C(0x7ff) << 14) // ISV and what it says to be valid

static inline uint32_t iss_data_syndrome(unsigned sas, bool sse, unsigned srt, bool sf, bool ar)
{
	return 1u << 24 | sas << 22 | (sse ? 1u << 21 : 0) | srt << 16 | (sf ? 1u << 15 : 0) |
	       (ar ? 1u << 14 : 0);
}

// Of a Data Abort or Watchpoint exception: of an instruction that maintains caches; and the access
// was made by way of VNCR_EL2.
#define ISS_CM (UINT32_C(1) << 8)
#define ISS_VNCR (UINT32_C(1) << 13)

// ISS2 of Instruction and Data Aborts: what a Permission fault is due to.
#define ISS2_DIRTY_BIT (UINT32_C(1) << 5)
#define ISS2_OVERLAY (UINT32_C(1) << 6)

// Trapped ERET, ERETAA, ERETAB (AArch64.CheckForERetTrap).
static inline uint32_t iss_eret(bool pac, bool key_b)
{
	return pac ? 2u | (key_b ? 1 : 0) : 0;
}

static inline uint32_t iss_abort(unsigned fsc, bool write, bool s1ptw, bool cache_op, bool fnv,
				 bool ea)
{
	return fsc | (write ? 1u << 6 : 0) | (s1ptw ? 1u << 7 : 0) | (cache_op ? 1u << 8 : 0) |
	       (ea ? 1u << 9 : 0) | (fnv ? 1u << 10 : 0);
}

#endif
