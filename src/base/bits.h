// SPDX-License-Identifier: Apache-2.0
// Bit-field helpers on unsigned integers; all are total functions (no undefined shifts).
#ifndef STRATA_BASE_BITS_H
#define STRATA_BASE_BITS_H

#include <stdbool.h>
#include <stdint.h>

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define BIT(n) (UINT64_C(1) << (n))
// Mask of bits hi..lo inclusive, 63 >= hi >= lo >= 0.
#define MASK(hi, lo) ((~UINT64_C(0) >> (63 - (hi))) & (~UINT64_C(0) << (lo)))

// Bits hi..lo of v, right-aligned.
static inline uint64_t bits(uint64_t v, unsigned hi, unsigned lo)
{
	return (v >> lo) & (~UINT64_C(0) >> (63 - (hi - lo)));
}

static inline bool bit(uint64_t v, unsigned n)
{
	return (v >> n) & 1;
}

// v with bits hi..lo replaced by the low bits of field.
static inline uint64_t bits_set(uint64_t v, unsigned hi, unsigned lo, uint64_t field)
{
	uint64_t mask = MASK(hi, lo);

	return (v & ~mask) | ((field << lo) & mask);
}

// Sign-extend the low `width` bits of v (1..64).
static inline int64_t sext(uint64_t v, unsigned width)
{
	return (int64_t)(v << (64 - width)) >> (64 - width);
}

// The low `width` bits of v (0..64).
static inline uint64_t zext(uint64_t v, unsigned width)
{
	return width == 0 ? 0 : v & (~UINT64_C(0) >> (64 - width));
}

static inline uint64_t ror64(uint64_t v, unsigned n)
{
	n &= 63;
	return n ? (v >> n) | (v << (64 - n)) : v;
}

static inline uint32_t ror32(uint32_t v, unsigned n)
{
	n &= 31;
	return n ? (v >> n) | (v << (32 - n)) : v;
}

static inline unsigned clz64(uint64_t v)
{
	return v ? (unsigned)__builtin_clzll(v) : 64;
}

static inline unsigned clz32(uint32_t v)
{
	return v ? (unsigned)__builtin_clz(v) : 32;
}

static inline unsigned ctz64(uint64_t v)
{
	return v ? (unsigned)__builtin_ctzll(v) : 64;
}

static inline uint64_t align_down(uint64_t v, uint64_t align)
{
	return v & ~(align - 1);
}

static inline uint64_t align_up(uint64_t v, uint64_t align)
{
	return (v + align - 1) & ~(align - 1);
}

#endif
