// SPDX-License-Identifier: Apache-2.0
// The SHA1*, SHA256* and SHA512* instructions (FEAT_SHA1, FEAT_SHA256, FEAT_SHA512).
#include "cpu/crypto/crypto.h"

#include "base/bits.h"
#include "cpu/crypto/crypto_internal.h"

// Four SHA-1 rounds. X holds A to D with A lowest, y is E; each round's <Y,X> = ROL(Y:X, 32) moves
// the new word into A. Inlined into its three callers so that the function is a constant there.
static inline void sha1_hash(union vreg *dst, const union vreg *d, uint32_t y, const union vreg *m,
			     uint32_t (*f)(uint32_t, uint32_t, uint32_t))
{
	uint32_t x0 = d->s[0], x1 = d->s[1], x2 = d->s[2], x3 = d->s[3];
	const union vreg w = *m;

	for (unsigned e = 0; e < 4; e++) {
		uint32_t t = y + crypto_rol32(x0, 5) + f(x1, x2, x3) + w.s[e];

		y = x3;
		x3 = x2;
		x2 = crypto_rol32(x1, 30);
		x1 = x0;
		x0 = t;
	}
	*dst = (union vreg){.s = {x0, x1, x2, x3}};
}

void crypto_sha1c(union vreg *dst, const union vreg *d, uint32_t n, const union vreg *m)
{
	sha1_hash(dst, d, n, m, crypto_choose32);
}

void crypto_sha1p(union vreg *dst, const union vreg *d, uint32_t n, const union vreg *m)
{
	sha1_hash(dst, d, n, m, crypto_parity32);
}

void crypto_sha1m(union vreg *dst, const union vreg *d, uint32_t n, const union vreg *m)
{
	sha1_hash(dst, d, n, m, crypto_majority32);
}

uint32_t crypto_sha1h(uint32_t n)
{
	return crypto_rol32(n, 30);
}

void crypto_sha1su0(union vreg *dst, const union vreg *d, const union vreg *n, const union vreg *m)
{
	uint64_t low = d->d[1] ^ d->d[0] ^ m->d[0];
	uint64_t high = n->d[0] ^ d->d[1] ^ m->d[1];

	dst->d[0] = low;
	dst->d[1] = high;
}

void crypto_sha1su1(union vreg *dst, const union vreg *d, const union vreg *n)
{
	uint32_t t0 = d->s[0] ^ n->s[1];
	uint32_t t1 = d->s[1] ^ n->s[2];
	uint32_t t2 = d->s[2] ^ n->s[3];
	uint32_t t3 = d->s[3];

	// The last word depends on this very group's first: ROL(ROL(t0, 1), 1).
	*dst = (union vreg){.s = {crypto_rol32(t0, 1), crypto_rol32(t1, 1), crypto_rol32(t2, 1),
				  crypto_rol32(t3, 1) ^ crypto_rol32(t0, 2)}};
}

static uint32_t sha256_big_sigma0(uint32_t x)
{
	return ror32(x, 2) ^ ror32(x, 13) ^ ror32(x, 22);
}

static uint32_t sha256_big_sigma1(uint32_t x)
{
	return ror32(x, 6) ^ ror32(x, 11) ^ ror32(x, 25);
}

static uint32_t sha256_small_sigma0(uint32_t x)
{
	return ror32(x, 7) ^ ror32(x, 18) ^ (x >> 3);
}

static uint32_t sha256_small_sigma1(uint32_t x)
{
	return ror32(x, 17) ^ ror32(x, 19) ^ (x >> 10);
}

// SHA256hash(): four rounds on X = A..D and Y = E..H, in place.
static void sha256_hash(union vreg *x, union vreg *y, const union vreg *w)
{
	for (unsigned e = 0; e < 4; e++) {
		uint32_t t = y->s[3] + sha256_big_sigma1(y->s[0]) +
			     crypto_choose32(y->s[0], y->s[1], y->s[2]) + w->s[e];
		uint32_t new_e = t + x->s[3];
		uint32_t new_a = t + sha256_big_sigma0(x->s[0]) +
				 crypto_majority32(x->s[0], x->s[1], x->s[2]);

		*x = (union vreg){.s = {new_a, x->s[0], x->s[1], x->s[2]}};
		*y = (union vreg){.s = {new_e, y->s[0], y->s[1], y->s[2]}};
	}
}

void crypto_sha256h(union vreg *dst, const union vreg *d, const union vreg *n, const union vreg *m)
{
	union vreg x = *d, y = *n;

	sha256_hash(&x, &y, m);
	*dst = x;
}

void crypto_sha256h2(union vreg *dst, const union vreg *d, const union vreg *n, const union vreg *m)
{
	union vreg x = *n, y = *d;

	sha256_hash(&x, &y, m);
	*dst = y;
}

void crypto_sha256su0(union vreg *dst, const union vreg *d, const union vreg *n)
{
	*dst = (union vreg){.s = {d->s[0] + sha256_small_sigma0(d->s[1]),
				  d->s[1] + sha256_small_sigma0(d->s[2]),
				  d->s[2] + sha256_small_sigma0(d->s[3]),
				  d->s[3] + sha256_small_sigma0(n->s[0])}};
}

void crypto_sha256su1(union vreg *dst, const union vreg *d, const union vreg *n,
		      const union vreg *m)
{
	// T0 is the window of n and m that starts one word in; the upper two words need the lower
	// two.
	uint32_t w0 = sha256_small_sigma1(m->s[2]) + d->s[0] + n->s[1];
	uint32_t w1 = sha256_small_sigma1(m->s[3]) + d->s[1] + n->s[2];
	uint32_t w2 = sha256_small_sigma1(w0) + d->s[2] + n->s[3];
	uint32_t w3 = sha256_small_sigma1(w1) + d->s[3] + m->s[0];

	*dst = (union vreg){.s = {w0, w1, w2, w3}};
}

static uint64_t sha512_big_sigma0(uint64_t x)
{
	return ror64(x, 28) ^ ror64(x, 34) ^ ror64(x, 39);
}

static uint64_t sha512_big_sigma1(uint64_t x)
{
	return ror64(x, 14) ^ ror64(x, 18) ^ ror64(x, 41);
}

static uint64_t sha512_small_sigma0(uint64_t x)
{
	return ror64(x, 1) ^ ror64(x, 8) ^ (x >> 7);
}

static uint64_t sha512_small_sigma1(uint64_t x)
{
	return ror64(x, 19) ^ ror64(x, 61) ^ (x >> 6);
}

static uint64_t choose64(uint64_t x, uint64_t y, uint64_t z)
{
	return ((y ^ z) & x) ^ z;
}

static uint64_t majority64(uint64_t x, uint64_t y, uint64_t z)
{
	return (x & y) | ((x | y) & z);
}

void crypto_sha512h(union vreg *dst, const union vreg *d, const union vreg *n, const union vreg *m)
{
	uint64_t high = choose64(m->d[1], n->d[0], n->d[1]) + sha512_big_sigma1(m->d[1]) + d->d[1];
	uint64_t next = high + m->d[0];
	uint64_t low = choose64(next, m->d[1], n->d[0]) + sha512_big_sigma1(next) + d->d[0];

	dst->d[0] = low;
	dst->d[1] = high;
}

void crypto_sha512h2(union vreg *dst, const union vreg *d, const union vreg *n, const union vreg *m)
{
	uint64_t high =
		majority64(n->d[0], m->d[1], m->d[0]) + sha512_big_sigma0(m->d[0]) + d->d[1];
	uint64_t low = majority64(high, m->d[0], m->d[1]) + sha512_big_sigma0(high) + d->d[0];

	dst->d[0] = low;
	dst->d[1] = high;
}

void crypto_sha512su0(union vreg *dst, const union vreg *d, const union vreg *n)
{
	uint64_t low = d->d[0] + sha512_small_sigma0(d->d[1]);
	uint64_t high = d->d[1] + sha512_small_sigma0(n->d[0]);

	dst->d[0] = low;
	dst->d[1] = high;
}

void crypto_sha512su1(union vreg *dst, const union vreg *d, const union vreg *n,
		      const union vreg *m)
{
	uint64_t low = d->d[0] + sha512_small_sigma1(n->d[0]) + m->d[0];
	uint64_t high = d->d[1] + sha512_small_sigma1(n->d[1]) + m->d[1];

	dst->d[0] = low;
	dst->d[1] = high;
}
