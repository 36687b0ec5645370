// SPDX-License-Identifier: Apache-2.0
// Left rotations (base/bits.h has those to the right) and the Boolean functions that the hash
// instructions share.
#ifndef STRATA_CPU_CRYPTO_CRYPTO_INTERNAL_H
#define STRATA_CPU_CRYPTO_CRYPTO_INTERNAL_H

#include <stdint.h>

#include "base/bits.h"

static inline uint32_t crypto_rol32(uint32_t x, unsigned n)
{
	return ror32(x, -n);
}

static inline uint64_t crypto_rol64(uint64_t x, unsigned n)
{
	return ror64(x, -n);
}

// SHAchoose(), SHAparity() and SHAmajority() of the Arm ARM.
static inline uint32_t crypto_choose32(uint32_t x, uint32_t y, uint32_t z)
{
	return ((y ^ z) & x) ^ z;
}

static inline uint32_t crypto_parity32(uint32_t x, uint32_t y, uint32_t z)
{
	return x ^ y ^ z;
}

static inline uint32_t crypto_majority32(uint32_t x, uint32_t y, uint32_t z)
{
	return (x & y) | ((x | y) & z);
}

#endif
