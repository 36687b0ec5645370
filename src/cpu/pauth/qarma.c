// SPDX-License-Identifier: Apache-2.0
// QARMA-64 (Avanzi, "The QARMA Block Cipher Family") as ComputePACQARMA() of the Arm ARM uses it,
// and the implementation defined algorithm.
//
// A 64-bit word is sixteen 4-bit cells, cell 0 being the least significant, in four rows of 16
// bits. All steps work on whole words: permutations of cells as sums of masked rotations, the
// matrix as rotations of rows, the S-boxes two cells at a time.
#include "cpu/pauth/qarma.h"

#include "base/bits.h"

#define EACH_CELL UINT64_C(0x1111111111111111)
#define QARMA_ROUNDS_MAX 5

// S-boxes for two cells at once, built from the sixteen values for one.
#define SUB_PAIRS(high, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, sa, sb, sc, sd, se, sf) \
	(high) << 4 | (s0), (high) << 4 | (s1), (high) << 4 | (s2), (high) << 4 | (s3), \
		(high) << 4 | (s4), (high) << 4 | (s5), (high) << 4 | (s6), (high) << 4 | (s7), \
		(high) << 4 | (s8), (high) << 4 | (s9), (high) << 4 | (sa), (high) << 4 | (sb), \
		(high) << 4 | (sc), (high) << 4 | (sd), (high) << 4 | (se), (high) << 4 | (sf)
#define SUB_TABLE(s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, sa, sb, sc, sd, se, sf) \
	SUB_PAIRS(s0, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, sa, sb, sc, sd, se, sf), \
		SUB_PAIRS(s1, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, sa, sb, sc, sd, se, sf), \
		SUB_PAIRS(s2, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, sa, sb, sc, sd, se, sf), \
		SUB_PAIRS(s3, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, sa, sb, sc, sd, se, sf), \
		SUB_PAIRS(s4, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, sa, sb, sc, sd, se, sf), \
		SUB_PAIRS(s5, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, sa, sb, sc, sd, se, sf), \
		SUB_PAIRS(s6, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, sa, sb, sc, sd, se, sf), \
		SUB_PAIRS(s7, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, sa, sb, sc, sd, se, sf), \
		SUB_PAIRS(s8, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, sa, sb, sc, sd, se, sf), \
		SUB_PAIRS(s9, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, sa, sb, sc, sd, se, sf), \
		SUB_PAIRS(sa, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, sa, sb, sc, sd, se, sf), \
		SUB_PAIRS(sb, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, sa, sb, sc, sd, se, sf), \
		SUB_PAIRS(sc, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, sa, sb, sc, sd, se, sf), \
		SUB_PAIRS(sd, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, sa, sb, sc, sd, se, sf), \
		SUB_PAIRS(se, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, sa, sb, sc, sd, se, sf), \
		SUB_PAIRS(sf, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, sa, sb, sc, sd, se, sf)

// PACSub() and PACInvSub(): QARMA's sigma 2 and its inverse.
static const uint8_t sigma2[256] = {
	SUB_TABLE(0xb, 0x6, 0x8, 0xf, 0xc, 0x0, 0x9, 0xe, 0x3, 0x7, 0x4, 0x5, 0xd, 0x2, 0x1, 0xa)};
static const uint8_t sigma2_inverse[256] = {
	SUB_TABLE(0x5, 0xe, 0xd, 0x8, 0xa, 0xb, 0x1, 0x9, 0x2, 0x6, 0xf, 0x0, 0x4, 0xc, 0x7, 0x3)};
// PACSub1(): QARMA's sigma 1, which is its own inverse.
static const uint8_t sigma1[256] = {
	SUB_TABLE(0xa, 0xd, 0xe, 0x6, 0xf, 0x7, 0x3, 0x5, 0x9, 0x8, 0x0, 0xc, 0xb, 0x1, 0x2, 0x4)};

static const uint64_t round_constant[QARMA_ROUNDS_MAX] = {
	UINT64_C(0x0000000000000000), UINT64_C(0x13198a2e03707344), UINT64_C(0xa4093822299f31d0),
	UINT64_C(0x082efa98ec4e6c89), UINT64_C(0x452821e638d01377),
};

static const uint64_t alpha = UINT64_C(0xc0ac29b7c97c50dd);

// The cells that `mask` selects, moved up by n bits (modulo 64).
static inline uint64_t move_cells(uint64_t x, uint64_t mask, unsigned n)
{
	return ror64(x & mask, 64 - n);
}

// PACCellShuffle(): output cell i is input cell 13, 6, 11, 0, 7, 12, 1, 10, 8, 3, 14, 5, 2, 9, 4,
// 15 for i = 0 to 15. Cells that move equally far are moved together.
static inline uint64_t shuffle_cells(uint64_t x)
{
	return (x & UINT64_C(0xf000000f00000000)) |
	       move_cells(x, UINT64_C(0x00f000000000000f), 12) |
	       move_cells(x, UINT64_C(0x0000000000f0f000), 24) |
	       move_cells(x, UINT64_C(0x00000f00f0000000), 52) |
	       move_cells(x, UINT64_C(0x00000000000f0f00), 40) |
	       move_cells(x, UINT64_C(0x000000f000000000), 16) |
	       move_cells(x, UINT64_C(0x00000000000000f0), 20) |
	       move_cells(x, UINT64_C(0x0000f00000000000), 28) |
	       move_cells(x, UINT64_C(0x000f000000000000), 36) |
	       move_cells(x, UINT64_C(0x000000000f000000), 44) |
	       move_cells(x, UINT64_C(0x0f00000000000000), 48);
}

// PACCellInvShuffle(): the same moves backwards.
static inline uint64_t unshuffle_cells(uint64_t x)
{
	return (x & UINT64_C(0xf000000f00000000)) |
	       move_cells(x, UINT64_C(0x000000000000f00f), 52) |
	       move_cells(x, UINT64_C(0x0000f0f000000000), 40) |
	       move_cells(x, UINT64_C(0x00000000f00f0000), 12) |
	       move_cells(x, UINT64_C(0x0f0f000000000000), 24) |
	       move_cells(x, UINT64_C(0x00f0000000000000), 48) |
	       move_cells(x, UINT64_C(0x000000000f000000), 44) |
	       move_cells(x, UINT64_C(0x0000000000000f00), 36) |
	       move_cells(x, UINT64_C(0x0000000000f00000), 28) |
	       move_cells(x, UINT64_C(0x00000000000000f0), 20) |
	       move_cells(x, UINT64_C(0x00000f0000000000), 16);
}

// PACMult(): each row becomes rot1 of the next, rot2 of the next but one and rot1 of the one
// before, rotations being within cells. The matrix is its own inverse.
static inline uint64_t mix_rows(uint64_t x)
{
	uint64_t rot1 = ((x & (EACH_CELL * 7)) << 1) | ((x >> 3) & EACH_CELL);
	uint64_t rot2 = ((x & (EACH_CELL * 3)) << 2) | ((x >> 2) & (EACH_CELL * 3));

	return ror64(rot1, 16) ^ ror64(rot2, 32) ^ ror64(rot1, 48);
}

static inline uint64_t substitute(uint64_t x, const uint8_t *pair)
{
	return (uint64_t)pair[x & 0xff] | (uint64_t)pair[(x >> 8) & 0xff] << 8 |
	       (uint64_t)pair[(x >> 16) & 0xff] << 16 | (uint64_t)pair[(x >> 24) & 0xff] << 24 |
	       (uint64_t)pair[(x >> 32) & 0xff] << 32 | (uint64_t)pair[(x >> 40) & 0xff] << 40 |
	       (uint64_t)pair[(x >> 48) & 0xff] << 48 | (uint64_t)pair[x >> 56] << 56;
}

// TweakShuffle(): a permutation of cells, then a linear feedback shift in seven of them (output
// cells 2, 4, 7, 11, 12, 14, 15).
static inline uint64_t next_tweak(uint64_t t)
{
	const uint64_t feedback = UINT64_C(0xff0ff000f00f0f00);
	uint64_t x = move_cells(t, UINT64_C(0xffff0000ffff0000), 48) |
		     move_cells(t, UINT64_C(0x000000000000ff00), 12) |
		     move_cells(t, UINT64_C(0x00000000000000ff), 48) |
		     move_cells(t, UINT64_C(0x0000f00000000000), 36) |
		     move_cells(t, UINT64_C(0x0000000f00000000), 60) |
		     move_cells(t, UINT64_C(0x00000f0000000000), 16) |
		     move_cells(t, UINT64_C(0x000000f000000000), 24);
	uint64_t shifted = ((x >> 1) & (EACH_CELL * 7)) | (((x ^ (x >> 1)) & EACH_CELL) << 3);
	return (x & ~feedback) | (shifted & feedback);
}

// ComputePACQARMA(). `last` is the pseudocode's "iterations": 4 for QARMA5, 2 for QARMA3. The
// tweak's backward updates give the forward ones' values in reverse, so those are kept instead.
static inline uint64_t qarma(uint64_t data, uint64_t modifier, uint64_t key0, uint64_t key1,
			     unsigned last, const uint8_t *sub, const uint8_t *inverse_sub)
{
	uint64_t modk0 = (key0 << 63) | ((key0 >> 1) ^ (key0 >> 63));
	uint64_t round_key[QARMA_ROUNDS_MAX];
	uint64_t tweak = modifier;
	uint64_t x = data ^ key0;

	for (unsigned i = 0; i <= last; i++) {
		round_key[i] = key1 ^ tweak ^ round_constant[i];
		tweak = next_tweak(tweak);
		x ^= round_key[i];
		if (i > 0) {
			x = mix_rows(shuffle_cells(x));
		}
		x = substitute(x, sub);
	}

	// A full round with the whitening key, the reflector, and the same round backwards.
	x = substitute(mix_rows(shuffle_cells(x ^ modk0 ^ tweak)), sub);
	x = unshuffle_cells(mix_rows(shuffle_cells(x)) ^ key1);
	x = unshuffle_cells(mix_rows(substitute(x, inverse_sub))) ^ key0 ^ tweak;

	for (unsigned i = last; i > 0; i--) {
		x = unshuffle_cells(mix_rows(substitute(x, inverse_sub)));
		x ^= round_key[i] ^ alpha;
	}
	return substitute(x, inverse_sub) ^ round_key[0] ^ alpha ^ modk0;
}

uint64_t pauth_qarma5_pac(uint64_t data, uint64_t modifier, uint64_t key_hi, uint64_t key_lo)
{
	return qarma(data, modifier, key_hi, key_lo, 4, sigma2, sigma2_inverse);
}

uint64_t pauth_qarma3_pac(uint64_t data, uint64_t modifier, uint64_t key_hi, uint64_t key_lo)
{
	return qarma(data, modifier, key_hi, key_lo, 2, sigma1, sigma1);
}

// Multiplications by odd constants, xorshifts and rotations, each of them invertible: with all else
// equal, two pointers or two modifiers never share a 64-bit code.
uint64_t pauth_impdef_pac(uint64_t data, uint64_t modifier, uint64_t key_hi, uint64_t key_lo)
{
	uint64_t x = (data ^ key_lo) * UINT64_C(0x9e3779b97f4a7c15);
	uint64_t y = (modifier ^ key_hi) * UINT64_C(0xff51afd7ed558ccd);

	x = (x ^ (x >> 32)) + ror64(y ^ (y >> 32), 21);
	x *= UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 29)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 32);
}

uint64_t pauth_compute_pac(enum pauth_algorithm alg, uint64_t data, uint64_t modifier,
			   uint64_t key_hi, uint64_t key_lo)
{
	switch (alg) {
	case PAUTH_ALGORITHM_QARMA5:
		return pauth_qarma5_pac(data, modifier, key_hi, key_lo);
	case PAUTH_ALGORITHM_QARMA3:
		return pauth_qarma3_pac(data, modifier, key_hi, key_lo);
	case PAUTH_ALGORITHM_IMPDEF:
		break;
	}
	return pauth_impdef_pac(data, modifier, key_hi, key_lo);
}
