// SPDX-License-Identifier: Apache-2.0
// The SM3 hash and SM4 block cipher instructions (FEAT_SM3, FEAT_SM4). In all of them the newest
// word is the uppermost element.
#include "cpu/crypto/crypto.h"

#include "cpu/crypto/crypto_internal.h"

// GB/T 32907: the S-box of SM4.
static const uint8_t sm4_sbox[256] = {
	0xd6, 0x90, 0xe9, 0xfe, 0xcc, 0xe1, 0x3d, 0xb7, 0x16, 0xb6, 0x14, 0xc2, 0x28, 0xfb, 0x2c,
	0x05, 0x2b, 0x67, 0x9a, 0x76, 0x2a, 0xbe, 0x04, 0xc3, 0xaa, 0x44, 0x13, 0x26, 0x49, 0x86,
	0x06, 0x99, 0x9c, 0x42, 0x50, 0xf4, 0x91, 0xef, 0x98, 0x7a, 0x33, 0x54, 0x0b, 0x43, 0xed,
	0xcf, 0xac, 0x62, 0xe4, 0xb3, 0x1c, 0xa9, 0xc9, 0x08, 0xe8, 0x95, 0x80, 0xdf, 0x94, 0xfa,
	0x75, 0x8f, 0x3f, 0xa6, 0x47, 0x07, 0xa7, 0xfc, 0xf3, 0x73, 0x17, 0xba, 0x83, 0x59, 0x3c,
	0x19, 0xe6, 0x85, 0x4f, 0xa8, 0x68, 0x6b, 0x81, 0xb2, 0x71, 0x64, 0xda, 0x8b, 0xf8, 0xeb,
	0x0f, 0x4b, 0x70, 0x56, 0x9d, 0x35, 0x1e, 0x24, 0x0e, 0x5e, 0x63, 0x58, 0xd1, 0xa2, 0x25,
	0x22, 0x7c, 0x3b, 0x01, 0x21, 0x78, 0x87, 0xd4, 0x00, 0x46, 0x57, 0x9f, 0xd3, 0x27, 0x52,
	0x4c, 0x36, 0x02, 0xe7, 0xa0, 0xc4, 0xc8, 0x9e, 0xea, 0xbf, 0x8a, 0xd2, 0x40, 0xc7, 0x38,
	0xb5, 0xa3, 0xf7, 0xf2, 0xce, 0xf9, 0x61, 0x15, 0xa1, 0xe0, 0xae, 0x5d, 0xa4, 0x9b, 0x34,
	0x1a, 0x55, 0xad, 0x93, 0x32, 0x30, 0xf5, 0x8c, 0xb1, 0xe3, 0x1d, 0xf6, 0xe2, 0x2e, 0x82,
	0x66, 0xca, 0x60, 0xc0, 0x29, 0x23, 0xab, 0x0d, 0x53, 0x4e, 0x6f, 0xd5, 0xdb, 0x37, 0x45,
	0xde, 0xfd, 0x8e, 0x2f, 0x03, 0xff, 0x6a, 0x72, 0x6d, 0x6c, 0x5b, 0x51, 0x8d, 0x1b, 0xaf,
	0x92, 0xbb, 0xdd, 0xbc, 0x7f, 0x11, 0xd9, 0x5c, 0x41, 0x1f, 0x10, 0x5a, 0xd8, 0x0a, 0xc1,
	0x31, 0x88, 0xa5, 0xcd, 0x7b, 0xbd, 0x2d, 0x74, 0xd0, 0x12, 0xb8, 0xe5, 0xb4, 0xb0, 0x89,
	0x69, 0x97, 0x4a, 0x0c, 0x96, 0x77, 0x7e, 0x65, 0xb9, 0xf1, 0x09, 0xc5, 0x6e, 0xc6, 0x84,
	0x18, 0xf0, 0x7d, 0xec, 0x3a, 0xdc, 0x4d, 0x20, 0x79, 0xee, 0x5f, 0x3e, 0xd7, 0xcb, 0x39,
	0x48,
};

void crypto_sm3ss1(union vreg *dst, const union vreg *n, const union vreg *m, const union vreg *a)
{
	uint32_t r = crypto_rol32(crypto_rol32(n->s[3], 12) + m->s[3] + a->s[3], 7);

	*dst = (union vreg){.s = {0, 0, 0, r}};
}

// The four TT instructions move the words down alike; they differ in what is rotated by how much
// and in the new word.
static void sm3_shift(union vreg *dst, const union vreg *d, unsigned rotate, uint32_t newest)
{
	*dst = (union vreg){.s = {d->s[1], crypto_rol32(d->s[2], rotate), d->s[3], newest}};
}

static uint32_t sm3_tt1(const union vreg *d, const union vreg *n, uint32_t f, uint32_t w)
{
	return f + d->s[0] + (n->s[3] ^ crypto_rol32(d->s[3], 12)) + w;
}

static uint32_t sm3_tt2(const union vreg *d, const union vreg *n, uint32_t g, uint32_t w)
{
	uint32_t t = g + d->s[0] + n->s[3] + w;

	return t ^ crypto_rol32(t, 9) ^ crypto_rol32(t, 17);
}

void crypto_sm3tt1a(union vreg *dst, const union vreg *d, const union vreg *n, const union vreg *m,
		    unsigned index)
{
	uint32_t f = crypto_parity32(d->s[3], d->s[2], d->s[1]);

	sm3_shift(dst, d, 9, sm3_tt1(d, n, f, m->s[index & 3]));
}

void crypto_sm3tt1b(union vreg *dst, const union vreg *d, const union vreg *n, const union vreg *m,
		    unsigned index)
{
	uint32_t f = crypto_majority32(d->s[3], d->s[2], d->s[1]);

	sm3_shift(dst, d, 9, sm3_tt1(d, n, f, m->s[index & 3]));
}

void crypto_sm3tt2a(union vreg *dst, const union vreg *d, const union vreg *n, const union vreg *m,
		    unsigned index)
{
	uint32_t g = crypto_parity32(d->s[3], d->s[2], d->s[1]);

	sm3_shift(dst, d, 19, sm3_tt2(d, n, g, m->s[index & 3]));
}

void crypto_sm3tt2b(union vreg *dst, const union vreg *d, const union vreg *n, const union vreg *m,
		    unsigned index)
{
	uint32_t g = crypto_choose32(d->s[3], d->s[2], d->s[1]);

	sm3_shift(dst, d, 19, sm3_tt2(d, n, g, m->s[index & 3]));
}

// SM3's permutation P1.
static uint32_t sm3_p1(uint32_t x)
{
	return x ^ crypto_rol32(x, 15) ^ crypto_rol32(x, 23);
}

void crypto_sm3partw1(union vreg *dst, const union vreg *d, const union vreg *n,
		      const union vreg *m)
{
	uint32_t w0 = sm3_p1(d->s[0] ^ n->s[0] ^ crypto_rol32(m->s[1], 15));
	uint32_t w1 = sm3_p1(d->s[1] ^ n->s[1] ^ crypto_rol32(m->s[2], 15));
	uint32_t w2 = sm3_p1(d->s[2] ^ n->s[2] ^ crypto_rol32(m->s[3], 15));
	// W[j-3] of the last word is this group's first.
	uint32_t w3 = sm3_p1(d->s[3] ^ n->s[3] ^ crypto_rol32(w0, 15));

	*dst = (union vreg){.s = {w0, w1, w2, w3}};
}

void crypto_sm3partw2(union vreg *dst, const union vreg *d, const union vreg *n,
		      const union vreg *m)
{
	uint32_t t0 = n->s[0] ^ crypto_rol32(m->s[0], 7);
	uint32_t t1 = n->s[1] ^ crypto_rol32(m->s[1], 7);
	uint32_t t2 = n->s[2] ^ crypto_rol32(m->s[2], 7);
	uint32_t t3 = n->s[3] ^ crypto_rol32(m->s[3], 7);

	*dst = (union vreg){.s = {d->s[0] ^ t0, d->s[1] ^ t1, d->s[2] ^ t2,
				  d->s[3] ^ t3 ^ sm3_p1(crypto_rol32(t0, 15))}};
}

static uint32_t sm4_substitute(uint32_t x)
{
	return sm4_sbox[x & 0xff] | (uint32_t)sm4_sbox[(x >> 8) & 0xff] << 8 |
	       (uint32_t)sm4_sbox[(x >> 16) & 0xff] << 16 | (uint32_t)sm4_sbox[x >> 24] << 24;
}

void crypto_sm4e(union vreg *dst, const union vreg *d, const union vreg *n)
{
	uint32_t x0 = d->s[0], x1 = d->s[1], x2 = d->s[2], x3 = d->s[3];
	const union vreg key = *n;

	for (unsigned i = 0; i < 4; i++) {
		uint32_t t = sm4_substitute(x1 ^ x2 ^ x3 ^ key.s[i]);

		t ^= crypto_rol32(t, 2) ^ crypto_rol32(t, 10) ^ crypto_rol32(t, 18) ^
		     crypto_rol32(t, 24) ^ x0;
		x0 = x1;
		x1 = x2;
		x2 = x3;
		x3 = t;
	}
	*dst = (union vreg){.s = {x0, x1, x2, x3}};
}

void crypto_sm4ekey(union vreg *dst, const union vreg *n, const union vreg *m)
{
	uint32_t x0 = n->s[0], x1 = n->s[1], x2 = n->s[2], x3 = n->s[3];
	const union vreg constant = *m;

	for (unsigned i = 0; i < 4; i++) {
		uint32_t t = sm4_substitute(x1 ^ x2 ^ x3 ^ constant.s[i]);

		t ^= crypto_rol32(t, 13) ^ crypto_rol32(t, 23) ^ x0;
		x0 = x1;
		x1 = x2;
		x2 = x3;
		x3 = t;
	}
	*dst = (union vreg){.s = {x0, x1, x2, x3}};
}
