// SPDX-License-Identifier: Apache-2.0
// PMUL and PMULL: multiplication of polynomials over GF(2), PolynomialMult() of the Arm ARM.
#include "cpu/crypto/crypto.h"

#define EACH_BYTE UINT64_C(0x0101010101010101)
#define EACH_HALF UINT64_C(0x0001000100010001)

// Eight products modulo x^8 at once: a byte's shift loses what would reach its neighbour.
static uint64_t pmul8_lanes(uint64_t n, uint64_t m)
{
	uint64_t product = 0;

	for (unsigned i = 0; i < 8; i++) {
		uint64_t take = ((n >> i) & EACH_BYTE) * 0xff;

		product ^= take & ((m & (EACH_BYTE * (0xffu >> i))) << i);
	}
	return product;
}

// Four products of bytes held in halfwords, which have room for all 15 bits.
static uint64_t pmull8_lanes(uint64_t n, uint64_t m)
{
	uint64_t product = 0;

	for (unsigned i = 0; i < 8; i++) {
		uint64_t take = ((n >> i) & EACH_HALF) * 0xffff;

		product ^= take & (m << i);
	}
	return product;
}

// The four lowest bytes as halfwords.
static uint64_t widen_low_bytes(uint64_t x)
{
	x &= UINT32_MAX;
	x = (x | (x << 16)) & UINT64_C(0x0000ffff0000ffff);
	return (x | (x << 8)) & (EACH_HALF * 0xff);
}

void crypto_pmul8(union vreg *dst, const union vreg *n, const union vreg *m)
{
	dst->d[0] = pmul8_lanes(n->d[0], m->d[0]);
	dst->d[1] = pmul8_lanes(n->d[1], m->d[1]);
}

void crypto_pmull8(union vreg *dst, uint64_t n, uint64_t m)
{
	dst->d[0] = pmull8_lanes(widen_low_bytes(n), widen_low_bytes(m));
	dst->d[1] = pmull8_lanes(widen_low_bytes(n >> 32), widen_low_bytes(m >> 32));
}

void crypto_pmull64(union vreg *dst, uint64_t n, uint64_t m)
{
	// Four bits of n at a time against a table of the multiples of m. The multiples are kept in
	// one word by leaving out m's top three bits, whose products are added afterwards.
	uint64_t low_m = m & (UINT64_MAX >> 3);
	uint64_t multiple[16];
	uint64_t high = 0, low = 0;

	multiple[0] = 0;
	multiple[1] = low_m;
	for (unsigned i = 2; i < 16; i += 2) {
		multiple[i] = multiple[i / 2] << 1;
		multiple[i + 1] = multiple[i] ^ low_m;
	}
	for (int shift = 60; shift >= 0; shift -= 4) {
		high = (high << 4) | (low >> 60);
		low = (low << 4) ^ multiple[(n >> shift) & 15];
	}
	for (unsigned bit = 61; bit < 64; bit++) {
		uint64_t take = -((m >> bit) & 1);

		low ^= take & (n << bit);
		high ^= take & (n >> (64 - bit));
	}
	dst->d[0] = low;
	dst->d[1] = high;
}
