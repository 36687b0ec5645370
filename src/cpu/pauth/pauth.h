// SPDX-License-Identifier: Apache-2.0
// Pointer authentication on values: AddPAC(), Auth(), Strip() and PACGA of the Arm ARM, given what
// they would otherwise read from the PE. Whether an instruction is enabled or trapped
// (SCTLR_ELx.EnIA and its like, HCR_EL2.API, SCR_EL3.API) and raising the exception are the
// caller's.
#ifndef STRATA_CPU_PAUTH_PAUTH_H
#define STRATA_CPU_PAUTH_PAUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "cpu/pauth/qarma.h"

struct pauth_key {
	uint64_t hi; // AP*KeyHi_EL1: bits <127:64>
	uint64_t lo; // AP*KeyLo_EL1: bits <63:0>
};

// A memory of codes computed before: a function returns soon after it was called, and its AUT asks
// for the code that its PAC made. The whole input is the tag, so nothing ever needs to be flushed
// and nothing that a guest can see depends on it. All zero is empty.
#define PAUTH_CACHE_SIZE 256

struct pauth_cache_entry {
	uint64_t data;
	uint64_t modifier;
	struct pauth_key key;
	uint64_t pac;
	uint64_t alg_plus_1; // 0: empty
};

struct pauth_cache {
	struct pauth_cache_entry entry[PAUTH_CACHE_SIZE];
};

// One half of the address space of the current translation regime. For a regime with one range,
// lower and upper are the same.
struct pauth_range {
	bool tbi; // EffectiveTBI(): for instruction keys TBI && !TBID, for data keys TBI
	uint8_t bottom_bit; // CalculateBottomPACBit(): see pauth_bottom_bit()
};

// What the pointer functions depend on besides the pointer. An array of two, for instruction and
// data keys, is all that a translation context needs; it changes with TCR_ELx and the Exception
// level only.
struct pauth_params {
	enum pauth_algorithm alg;
	bool has_epac; // FEAT_EPAC (meaningful without FEAT_PAuth2 only)
	bool has_pauth2; // FEAT_PAuth2
	bool has_fpac; // FEAT_FPAC
	bool has_fpac_combined; // FEAT_FPACCOMBINE
	bool has_constpacfield; // FEAT_CONSTPACFIELD
	bool two_ranges; // PtrHasUpperAndLowerAddRanges()
	struct pauth_range range[2]; // by bit 55: lower, upper
	struct pauth_cache *cache; // may be null; used where the algorithm is slow
};

enum pauth_key_number {
	PAUTH_KEY_A = 0,
	PAUTH_KEY_B = 1,
};

struct pauth_auth_result {
	uint64_t ptr;
	// FEAT_FPAC: raise a PAC Fail exception (EC 0b011100) with these ISS bits; ptr is not
	// written then.
	bool fail;
	uint8_t iss; // <1>: data key, <0>: B key
};

// 64 less the effective T0SZ or T1SZ of the pointer's range, which is brought into [min_txsz,
// max_txsz] first (AArch64.PACEffectiveTxSZ(), with out-of-range values forced to the nearest
// limit). Limits as the walkers have them: min 16, or 12 for 52-bit addresses; max 39, or 48 (47
// with 64 KiB granules) with FEAT_TTST.
uint8_t pauth_bottom_bit(unsigned txsz, unsigned min_txsz, unsigned max_txsz);

// PACIA and its like: the pointer with a code inserted. `p` is for data keys (DA, DB) or
// instruction keys.
uint64_t pauth_add(const struct pauth_params *p, uint64_t ptr, uint64_t modifier,
		   struct pauth_key key);

// AUTIA and its like. `is_data` and `key_number` name the key for the failing result; `is_combined`
// is for RETAA, BRAA, LDRAA and the others that authenticate and use at once.
struct pauth_auth_result pauth_auth(const struct pauth_params *p, uint64_t ptr, uint64_t modifier,
				    struct pauth_key key, bool is_data,
				    enum pauth_key_number key_number, bool is_combined);

// XPACI, XPACD, XPACLRI.
uint64_t pauth_strip(const struct pauth_params *p, uint64_t ptr);

// PACGA: the code's upper half, the lower half zero. `alg` is that of the generic key
// (ID_AA64ISAR1_EL1.GPA and GPI, ID_AA64ISAR2_EL1.GPA3). `cache` may be null.
uint64_t pauth_generic(enum pauth_algorithm alg, struct pauth_cache *cache, uint64_t data,
		       uint64_t modifier, struct pauth_key key);

#endif
