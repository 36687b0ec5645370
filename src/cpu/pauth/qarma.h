// SPDX-License-Identifier: Apache-2.0
// ComputePAC() of the Arm ARM: the tweakable block ciphers QARMA5 and QARMA3, and an implementation
// defined algorithm for models that care for speed. Pure functions; every input is legal.
#ifndef STRATA_CPU_PAUTH_QARMA_H
#define STRATA_CPU_PAUTH_QARMA_H

#include <stdint.h>

enum pauth_algorithm {
	PAUTH_ALGORITHM_QARMA5, // FEAT_PACQARMA5
	PAUTH_ALGORITHM_QARMA3, // FEAT_PACQARMA3
	PAUTH_ALGORITHM_IMPDEF, // FEAT_PACIMP
};

// The whole 64-bit code; callers take the bits that the pointer's layout has room for. key_hi is
// bits <127:64> of the key (the AP*KeyHi_EL1 register; "key0" in the pseudocode), key_lo bits
// <63:0>.
uint64_t pauth_compute_pac(enum pauth_algorithm alg, uint64_t data, uint64_t modifier,
			   uint64_t key_hi, uint64_t key_lo);

// The ciphers by themselves. pauth_impdef_pac() is no cryptography: it spreads its inputs well and
// does not resist anyone who sets out to forge a code.
uint64_t pauth_qarma5_pac(uint64_t data, uint64_t modifier, uint64_t key_hi, uint64_t key_lo);
uint64_t pauth_qarma3_pac(uint64_t data, uint64_t modifier, uint64_t key_hi, uint64_t key_lo);
uint64_t pauth_impdef_pac(uint64_t data, uint64_t modifier, uint64_t key_hi, uint64_t key_lo);

#endif
