// SPDX-License-Identifier: Apache-2.0
// Unit tests of cpu/crypto: whole published algorithms built out of the instructions (FIPS 180, 197
// and 202, GB/T 32905 and 32907, the usual CRC check values), and each instruction against rows
// produced by another model (vectors/crypto_vectors.def), with every way of aliasing the operands.
#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/crypto/crypto.h"
#include "cpu/vreg.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static union vreg load(const void *bytes)
{
	union vreg v;

	memcpy(&v, bytes, sizeof(v));
	return v;
}

// Sixteen bytes as four big-endian words, word 0 in element 0.
static union vreg load_be32(const uint8_t *p)
{
	union vreg v = load(p);

	for (unsigned i = 0; i < 4; i++) {
		v.s[i] = __builtin_bswap32(v.s[i]);
	}
	return v;
}

static union vreg add32(union vreg a, const uint32_t *k)
{
	for (unsigned i = 0; i < 4; i++) {
		a.s[i] += k[i];
	}
	return a;
}

// The elements from byte n of low on, as EXT takes them.
static union vreg ext(union vreg low, union vreg high, unsigned n)
{
	union vreg pair[2] = {low, high};

	return load((const uint8_t *)pair + n);
}

static void assert_vreg(const union vreg *got, const union vreg *want, const char *what)
{
	ck_assert_msg(got->d[0] == want->d[0] && got->d[1] == want->d[1],
		      "%s: got %016llx %016llx, want %016llx %016llx", what,
		      (unsigned long long)got->d[0], (unsigned long long)got->d[1],
		      (unsigned long long)want->d[0], (unsigned long long)want->d[1]);
}

// The one message block "abc" with padding, for hashes with `size`-byte blocks.
static void abc_block(uint8_t *block, unsigned size)
{
	memset(block, 0, size);
	memcpy(block, "abc\x80", 4);
	block[size - 1] = 24;
}

enum op {
#define OP(name, insn) OP_##name,
#define CRC(name, insn) OP_##name,
#include "vectors/vectors_ops.def"
#undef OP
#undef CRC
};

static const char *const op_name[] = {
#define OP(name, insn) #name,
#define CRC(name, insn) #name,
#include "vectors/vectors_ops.def"
#undef OP
#undef CRC
};

struct row {
	enum op op;
	union vreg in[4]; // Vd before, Vn, Vm, Va
	union vreg out;
};

#define V(low, high) \
	{ \
		.d = { UINT64_C(low), UINT64_C(high) } \
	}

static const struct row rows[] = {
#include "vectors/crypto_vectors.def"
};

static void set32(union vreg *dst, uint32_t value)
{
	*dst = (union vreg){.s = {value, 0, 0, 0}};
}

static void run(enum op op, union vreg *dst, const union vreg *d, const union vreg *n,
		const union vreg *m, const union vreg *a)
{
	switch (op) {
	case OP_AESE:
		crypto_aese(dst, d, n);
		break;
	case OP_AESD:
		crypto_aesd(dst, d, n);
		break;
	case OP_AESMC:
		crypto_aesmc(dst, n);
		break;
	case OP_AESIMC:
		crypto_aesimc(dst, n);
		break;
	case OP_SHA1C:
		crypto_sha1c(dst, d, n->s[0], m);
		break;
	case OP_SHA1P:
		crypto_sha1p(dst, d, n->s[0], m);
		break;
	case OP_SHA1M:
		crypto_sha1m(dst, d, n->s[0], m);
		break;
	case OP_SHA1H:
		set32(dst, crypto_sha1h(n->s[0]));
		break;
	case OP_SHA1SU0:
		crypto_sha1su0(dst, d, n, m);
		break;
	case OP_SHA256H:
		crypto_sha256h(dst, d, n, m);
		break;
	case OP_SHA256H2:
		crypto_sha256h2(dst, d, n, m);
		break;
	case OP_SHA256SU1:
		crypto_sha256su1(dst, d, n, m);
		break;
	case OP_SHA512H:
		crypto_sha512h(dst, d, n, m);
		break;
	case OP_SHA512H2:
		crypto_sha512h2(dst, d, n, m);
		break;
	case OP_SHA512SU1:
		crypto_sha512su1(dst, d, n, m);
		break;
	case OP_SM3PARTW1:
		crypto_sm3partw1(dst, d, n, m);
		break;
	case OP_SM3PARTW2:
		crypto_sm3partw2(dst, d, n, m);
		break;
	case OP_SHA1SU1:
		crypto_sha1su1(dst, d, n);
		break;
	case OP_SHA256SU0:
		crypto_sha256su0(dst, d, n);
		break;
	case OP_SHA512SU0:
		crypto_sha512su0(dst, d, n);
		break;
	case OP_SM4E:
		crypto_sm4e(dst, d, n);
		break;
	case OP_EOR3:
		crypto_eor3(dst, n, m, a);
		break;
	case OP_BCAX:
		crypto_bcax(dst, n, m, a);
		break;
	case OP_SM3SS1:
		crypto_sm3ss1(dst, n, m, a);
		break;
	case OP_RAX1:
		crypto_rax1(dst, n, m);
		break;
	case OP_SM4EKEY:
		crypto_sm4ekey(dst, n, m);
		break;
	case OP_XAR_0:
		crypto_xar(dst, n, m, 0);
		break;
	case OP_XAR_29:
		crypto_xar(dst, n, m, 29);
		break;
	case OP_XAR_63:
		crypto_xar(dst, n, m, 63);
		break;
	case OP_SM3TT1A_0:
		crypto_sm3tt1a(dst, d, n, m, 0);
		break;
	case OP_SM3TT1A_1:
		crypto_sm3tt1a(dst, d, n, m, 1);
		break;
	case OP_SM3TT1A_2:
		crypto_sm3tt1a(dst, d, n, m, 2);
		break;
	case OP_SM3TT1A_3:
		crypto_sm3tt1a(dst, d, n, m, 3);
		break;
	case OP_SM3TT1B_2:
		crypto_sm3tt1b(dst, d, n, m, 2);
		break;
	case OP_SM3TT2A_3:
		crypto_sm3tt2a(dst, d, n, m, 3);
		break;
	case OP_SM3TT2B_3:
		crypto_sm3tt2b(dst, d, n, m, 3);
		break;
	case OP_PMUL8:
		crypto_pmul8(dst, n, m);
		break;
	case OP_PMULL8:
		crypto_pmull8(dst, n->d[0], m->d[0]);
		break;
	case OP_PMULL8_2:
		crypto_pmull8(dst, n->d[1], m->d[1]);
		break;
	case OP_PMULL64:
		crypto_pmull64(dst, n->d[0], m->d[0]);
		break;
	case OP_PMULL64_2:
		crypto_pmull64(dst, n->d[1], m->d[1]);
		break;
	case OP_CRC32B:
		set32(dst, crypto_crc32b(d->s[0], n->b[0]));
		break;
	case OP_CRC32H:
		set32(dst, crypto_crc32h(d->s[0], n->h[0]));
		break;
	case OP_CRC32W:
		set32(dst, crypto_crc32w(d->s[0], n->s[0]));
		break;
	case OP_CRC32X:
		set32(dst, crypto_crc32x(d->s[0], n->d[0]));
		break;
	case OP_CRC32CB:
		set32(dst, crypto_crc32cb(d->s[0], n->b[0]));
		break;
	case OP_CRC32CH:
		set32(dst, crypto_crc32ch(d->s[0], n->h[0]));
		break;
	case OP_CRC32CW:
		set32(dst, crypto_crc32cw(d->s[0], n->s[0]));
		break;
	case OP_CRC32CX:
		set32(dst, crypto_crc32cx(d->s[0], n->d[0]));
		break;
	}
}

START_TEST(rows_of_another_model)
{
	const struct row *r = &rows[_i];
	union vreg dst, in[4];

	memset(&dst, 0xee, sizeof(dst));
	run(r->op, &dst, &r->in[0], &r->in[1], &r->in[2], &r->in[3]);
	assert_vreg(&dst, &r->out, op_name[r->op]);

	for (unsigned same = 0; same < 4; same++) {
		memcpy(in, r->in, sizeof(in));
		run(r->op, &in[same], &in[0], &in[1], &in[2], &in[3]);
		assert_vreg(&in[same], &r->out, op_name[r->op]);
		for (unsigned i = 0; i < 4; i++) {
			if (i != same) {
				assert_vreg(&in[i], &r->in[i], "a source was changed");
			}
		}
	}
}
END_TEST

// All operands in one register: the result is that of three equal but separate registers.
START_TEST(all_operands_the_same)
{
	const struct row *r = &rows[_i];
	const union vreg x[4] = {r->in[1], r->in[1], r->in[1], r->in[1]};
	union vreg one = x[0], apart;

	run(r->op, &apart, &x[0], &x[1], &x[2], &x[3]);
	run(r->op, &one, &one, &one, &one, &one);
	assert_vreg(&one, &apart, op_name[r->op]);
}
END_TEST

// FIPS 197, appendix A: SubWord through AESE, whose ShiftRows does nothing to four equal columns.
static uint32_t aes_sub_word(uint32_t w)
{
	const union vreg zero = {.d = {0, 0}};
	union vreg v = {.s = {w, w, w, w}};

	crypto_aese(&v, &v, &zero);
	return v.s[0];
}

static void aes128_expand(union vreg key[11], const uint8_t *bytes)
{
	uint32_t rcon = 1;

	key[0] = load(bytes);
	for (unsigned i = 1; i < 11; i++) {
		uint32_t last = key[i - 1].s[3];
		uint32_t t = aes_sub_word(last >> 8 | last << 24) ^ rcon;

		for (unsigned k = 0; k < 4; k++) {
			t ^= key[i - 1].s[k];
			key[i].s[k] = t;
		}
		rcon = rcon << 1 ^ (rcon & 0x80 ? 0x11b : 0);
	}
}

// FIPS 197, appendix C.1.
static const uint8_t aes_key[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
static const uint8_t aes_plain[16] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
				      0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
static const uint8_t aes_cipher[16] = {0x69, 0xc4, 0xe0, 0xd8, 0x6a, 0x7b, 0x04, 0x30,
				       0xd8, 0xcd, 0xb7, 0x80, 0x70, 0xb4, 0xc5, 0x5a};

START_TEST(aes128_encrypts)
{
	union vreg key[11], x = load(aes_plain), want = load(aes_cipher);

	aes128_expand(key, aes_key);
	for (unsigned i = 0; i < 9; i++) {
		crypto_aese(&x, &x, &key[i]);
		crypto_aesmc(&x, &x);
	}
	crypto_aese(&x, &x, &key[9]);
	crypto_eor3(&x, &x, &key[10], &(union vreg){.d = {0, 0}});
	assert_vreg(&x, &want, "AES-128");
}
END_TEST

START_TEST(aes128_decrypts)
{
	union vreg key[11], x = load(aes_cipher), want = load(aes_plain), k;

	aes128_expand(key, aes_key);
	// The equivalent inverse cipher (FIPS 197, 5.3.5).
	crypto_aesd(&x, &x, &key[10]);
	for (unsigned i = 9; i > 0; i--) {
		crypto_aesimc(&x, &x);
		crypto_aesimc(&k, &key[i]);
		crypto_aesd(&x, &x, &k);
	}
	crypto_eor3(&x, &x, &key[0], &(union vreg){.d = {0, 0}});
	assert_vreg(&x, &want, "AES-128 inverse");
}
END_TEST

START_TEST(sha1_of_abc)
{
	static const uint32_t k[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
	union vreg abcd = {.s = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}};
	uint32_t e = 0xc3d2e1f0, next_e;
	union vreg start = abcd, w[20];
	uint8_t block[64];

	abc_block(block, 64);
	for (unsigned i = 0; i < 4; i++) {
		w[i] = load_be32(block + 16 * i);
	}
	for (unsigned i = 4; i < 20; i++) {
		crypto_sha1su0(&w[i], &w[i - 4], &w[i - 3], &w[i - 2]);
		crypto_sha1su1(&w[i], &w[i], &w[i - 1]);
	}
	for (unsigned i = 0; i < 20; i++) {
		union vreg wk = add32(w[i], (uint32_t[]){k[i / 5], k[i / 5], k[i / 5], k[i / 5]});

		next_e = crypto_sha1h(abcd.s[0]);
		if (i < 5) {
			crypto_sha1c(&abcd, &abcd, e, &wk);
		} else if (i >= 10 && i < 15) {
			crypto_sha1m(&abcd, &abcd, e, &wk);
		} else {
			crypto_sha1p(&abcd, &abcd, e, &wk);
		}
		e = next_e;
	}
	abcd = add32(abcd, start.s);
	ck_assert_uint_eq(abcd.s[0], 0xa9993e36);
	ck_assert_uint_eq(abcd.s[1], 0x4706816a);
	ck_assert_uint_eq(abcd.s[2], 0xba3e2571);
	ck_assert_uint_eq(abcd.s[3], 0x7850c26c);
	ck_assert_uint_eq(e + 0xc3d2e1f0, 0x9cd0d89d);
}
END_TEST

// FIPS 180-4, 4.2.3; the constants of SHA-256 (4.2.2) are the upper halves of the first 64.
static const uint64_t sha512_k[80] = {
	UINT64_C(0x428a2f98d728ae22), UINT64_C(0x7137449123ef65cd), UINT64_C(0xb5c0fbcfec4d3b2f),
	UINT64_C(0xe9b5dba58189dbbc), UINT64_C(0x3956c25bf348b538), UINT64_C(0x59f111f1b605d019),
	UINT64_C(0x923f82a4af194f9b), UINT64_C(0xab1c5ed5da6d8118), UINT64_C(0xd807aa98a3030242),
	UINT64_C(0x12835b0145706fbe), UINT64_C(0x243185be4ee4b28c), UINT64_C(0x550c7dc3d5ffb4e2),
	UINT64_C(0x72be5d74f27b896f), UINT64_C(0x80deb1fe3b1696b1), UINT64_C(0x9bdc06a725c71235),
	UINT64_C(0xc19bf174cf692694), UINT64_C(0xe49b69c19ef14ad2), UINT64_C(0xefbe4786384f25e3),
	UINT64_C(0x0fc19dc68b8cd5b5), UINT64_C(0x240ca1cc77ac9c65), UINT64_C(0x2de92c6f592b0275),
	UINT64_C(0x4a7484aa6ea6e483), UINT64_C(0x5cb0a9dcbd41fbd4), UINT64_C(0x76f988da831153b5),
	UINT64_C(0x983e5152ee66dfab), UINT64_C(0xa831c66d2db43210), UINT64_C(0xb00327c898fb213f),
	UINT64_C(0xbf597fc7beef0ee4), UINT64_C(0xc6e00bf33da88fc2), UINT64_C(0xd5a79147930aa725),
	UINT64_C(0x06ca6351e003826f), UINT64_C(0x142929670a0e6e70), UINT64_C(0x27b70a8546d22ffc),
	UINT64_C(0x2e1b21385c26c926), UINT64_C(0x4d2c6dfc5ac42aed), UINT64_C(0x53380d139d95b3df),
	UINT64_C(0x650a73548baf63de), UINT64_C(0x766a0abb3c77b2a8), UINT64_C(0x81c2c92e47edaee6),
	UINT64_C(0x92722c851482353b), UINT64_C(0xa2bfe8a14cf10364), UINT64_C(0xa81a664bbc423001),
	UINT64_C(0xc24b8b70d0f89791), UINT64_C(0xc76c51a30654be30), UINT64_C(0xd192e819d6ef5218),
	UINT64_C(0xd69906245565a910), UINT64_C(0xf40e35855771202a), UINT64_C(0x106aa07032bbd1b8),
	UINT64_C(0x19a4c116b8d2d0c8), UINT64_C(0x1e376c085141ab53), UINT64_C(0x2748774cdf8eeb99),
	UINT64_C(0x34b0bcb5e19b48a8), UINT64_C(0x391c0cb3c5c95a63), UINT64_C(0x4ed8aa4ae3418acb),
	UINT64_C(0x5b9cca4f7763e373), UINT64_C(0x682e6ff3d6b2b8a3), UINT64_C(0x748f82ee5defb2fc),
	UINT64_C(0x78a5636f43172f60), UINT64_C(0x84c87814a1f0ab72), UINT64_C(0x8cc702081a6439ec),
	UINT64_C(0x90befffa23631e28), UINT64_C(0xa4506cebde82bde9), UINT64_C(0xbef9a3f7b2c67915),
	UINT64_C(0xc67178f2e372532b), UINT64_C(0xca273eceea26619c), UINT64_C(0xd186b8c721c0c207),
	UINT64_C(0xeada7dd6cde0eb1e), UINT64_C(0xf57d4f7fee6ed178), UINT64_C(0x06f067aa72176fba),
	UINT64_C(0x0a637dc5a2c898a6), UINT64_C(0x113f9804bef90dae), UINT64_C(0x1b710b35131c471b),
	UINT64_C(0x28db77f523047d84), UINT64_C(0x32caab7b40c72493), UINT64_C(0x3c9ebe0a15c9bebc),
	UINT64_C(0x431d67c49c100d4c), UINT64_C(0x4cc5d4becb3e42b6), UINT64_C(0x597f299cfc657e2a),
	UINT64_C(0x5fcb6fab3ad6faec), UINT64_C(0x6c44198c4a475817),
};

START_TEST(sha256_of_abc)
{
	static const uint32_t want[8] = {0xba7816bf, 0x8f01cfea, 0x414140de, 0x5dae2223,
					 0xb00361a3, 0x96177a9c, 0xb410ff61, 0xf20015ad};
	union vreg abcd = {.s = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a}};
	union vreg efgh = {.s = {0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
	union vreg start[2] = {abcd, efgh}, w[16];
	uint8_t block[64];

	abc_block(block, 64);
	for (unsigned i = 0; i < 4; i++) {
		w[i] = load_be32(block + 16 * i);
	}
	for (unsigned i = 4; i < 16; i++) {
		crypto_sha256su0(&w[i], &w[i - 4], &w[i - 3]);
		crypto_sha256su1(&w[i], &w[i], &w[i - 2], &w[i - 1]);
	}
	for (unsigned i = 0; i < 16; i++) {
		union vreg before = abcd, wk;
		uint32_t k[4];

		for (unsigned j = 0; j < 4; j++) {
			k[j] = (uint32_t)(sha512_k[4 * i + j] >> 32);
		}
		wk = add32(w[i], k);
		crypto_sha256h(&abcd, &abcd, &efgh, &wk);
		crypto_sha256h2(&efgh, &efgh, &before, &wk);
	}
	abcd = add32(abcd, start[0].s);
	efgh = add32(efgh, start[1].s);
	for (unsigned i = 0; i < 4; i++) {
		ck_assert_uint_eq(abcd.s[i], want[i]);
		ck_assert_uint_eq(efgh.s[i], want[4 + i]);
	}
}
END_TEST

START_TEST(sha512_of_abc)
{
	static const uint64_t want[8] = {
		UINT64_C(0xddaf35a193617aba), UINT64_C(0xcc417349ae204131),
		UINT64_C(0x12e6fa4e89a97ea2), UINT64_C(0x0a9eeee64b55d39a),
		UINT64_C(0x2192992a274fc1a8), UINT64_C(0x36ba3c23a3feebbd),
		UINT64_C(0x454d4423643ce80e), UINT64_C(0x2a9ac94fa54ca49f),
	};
	const union vreg start[4] = {
		{.d = {UINT64_C(0x6a09e667f3bcc908), UINT64_C(0xbb67ae8584caa73b)}},
		{.d = {UINT64_C(0x3c6ef372fe94f82b), UINT64_C(0xa54ff53a5f1d36f1)}},
		{.d = {UINT64_C(0x510e527fade682d1), UINT64_C(0x9b05688c2b3e6c1f)}},
		{.d = {UINT64_C(0x1f83d9abfb41bd6b), UINT64_C(0x5be0cd19137e2179)}},
	};
	union vreg ab = start[0], cd = start[1], ef = start[2], gh = start[3], w[40];
	uint8_t block[128];

	abc_block(block, 128);
	for (unsigned i = 0; i < 8; i++) {
		w[i] = load(block + 16 * i);
		w[i].d[0] = __builtin_bswap64(w[i].d[0]);
		w[i].d[1] = __builtin_bswap64(w[i].d[1]);
	}
	for (unsigned i = 8; i < 40; i++) {
		union vreg w9 = ext(w[i - 4], w[i - 3], 8);

		crypto_sha512su0(&w[i], &w[i - 8], &w[i - 7]);
		crypto_sha512su1(&w[i], &w[i], &w[i - 1], &w9);
	}
	for (unsigned i = 0; i < 40; i++) {
		union vreg fg = ext(ef, gh, 8), de = ext(cd, ef, 8), sum, next_ef;

		// The sum's halves are swapped: h goes with the round that comes first.
		sum.d[0] = gh.d[0] + w[i].d[1] + sha512_k[2 * i + 1];
		sum.d[1] = gh.d[1] + w[i].d[0] + sha512_k[2 * i];
		crypto_sha512h(&sum, &sum, &fg, &de);
		next_ef = (union vreg){.d = {cd.d[0] + sum.d[0], cd.d[1] + sum.d[1]}};
		crypto_sha512h2(&sum, &sum, &cd, &ab);
		gh = ef;
		ef = next_ef;
		cd = ab;
		ab = sum;
	}
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_uint_eq(ab.d[i] + start[0].d[i], want[i]);
		ck_assert_uint_eq(cd.d[i] + start[1].d[i], want[2 + i]);
		ck_assert_uint_eq(ef.d[i] + start[2].d[i], want[4 + i]);
		ck_assert_uint_eq(gh.d[i] + start[3].d[i], want[6 + i]);
	}
}
END_TEST

// FIPS 202: Keccak-f[1600] on two states, one a lane. Lanes are numbered x + 5y.
static void keccak(union vreg a[25])
{
	static const uint64_t round_constant[24] = {
		0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000,
		0x000000000000808b, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
		0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
		0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003,
		0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
		0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
	};
	// Rotations of lane x + 5y (FIPS 202, table 2, modulo 64).
	static const unsigned rotation[25] = {0,  1,  62, 28, 27, 36, 44, 6,  55, 20, 3,  10, 43,
					      25, 39, 41, 45, 15, 21, 8,  18, 2,  61, 56, 14};

	for (unsigned round = 0; round < 24; round++) {
		union vreg c[5], d[5], b[25];
		union vreg rc = {.d = {round_constant[round], round_constant[round]}};

		for (unsigned x = 0; x < 5; x++) {
			crypto_eor3(&c[x], &a[x], &a[x + 5], &a[x + 10]);
			crypto_eor3(&c[x], &c[x], &a[x + 15], &a[x + 20]);
		}
		for (unsigned x = 0; x < 5; x++) {
			crypto_rax1(&d[x], &c[(x + 4) % 5], &c[(x + 1) % 5]);
		}
		for (unsigned x = 0; x < 5; x++) {
			for (unsigned y = 0; y < 5; y++) {
				crypto_xar(&b[y + 5 * ((2 * x + 3 * y) % 5)], &a[x + 5 * y], &d[x],
					   (64 - rotation[x + 5 * y]) & 63);
			}
		}
		for (unsigned x = 0; x < 5; x++) {
			for (unsigned y = 0; y < 25; y += 5) {
				crypto_bcax(&a[x + y], &b[x + y], &b[(x + 2) % 5 + y],
					    &b[(x + 1) % 5 + y]);
			}
		}
		a[0].d[0] ^= rc.d[0];
		a[0].d[1] ^= rc.d[1];
	}
}

START_TEST(sha3_256_of_nothing_and_of_abc)
{
	static const uint8_t want[2][32] = {
		{0xa7, 0xff, 0xc6, 0xf8, 0xbf, 0x1e, 0xd7, 0x66, 0x51, 0xc1, 0x47,
		 0x56, 0xa0, 0x61, 0xd6, 0x62, 0xf5, 0x80, 0xff, 0x4d, 0xe4, 0x3b,
		 0x49, 0xfa, 0x82, 0xd8, 0x0a, 0x4b, 0x80, 0xf8, 0x43, 0x4a},
		{0x3a, 0x98, 0x5d, 0xa7, 0x4f, 0xe2, 0x25, 0xb2, 0x04, 0x5c, 0x17,
		 0x2d, 0x6b, 0xd3, 0x90, 0xbd, 0x85, 0x5f, 0x08, 0x6e, 0x3e, 0x9d,
		 0x52, 0x5b, 0x46, 0xbf, 0xe2, 0x45, 0x11, 0x43, 0x15, 0x32},
	};
	uint8_t block[2][136] = {{0x06}, {'a', 'b', 'c', 0x06}};
	union vreg a[25];

	memset(a, 0, sizeof(a));
	for (unsigned lane = 0; lane < 2; lane++) {
		block[lane][135] |= 0x80;
		for (unsigned i = 0; i < 17; i++) {
			memcpy(&a[i].d[lane], block[lane] + 8 * i, 8);
		}
	}
	keccak(a);
	for (unsigned lane = 0; lane < 2; lane++) {
		for (unsigned i = 0; i < 4; i++) {
			ck_assert_mem_eq(&a[i].d[lane], want[lane] + 8 * i, 8);
		}
	}
}
END_TEST

static uint32_t rol32(uint32_t x, unsigned n)
{
	return n % 32 == 0 ? x : x << (n % 32) | x >> (32 - n % 32);
}

START_TEST(sm3_of_abc)
{
	// GB/T 32905, A.1. The registers hold D, C, B, A and H, G, F, E, the first word uppermost.
	static const uint32_t want[8] = {0x66c7f0f4, 0x62eeedd9, 0xd1f2d46b, 0xdc10e4e2,
					 0x4167c487, 0x5cf2f7a2, 0x297da02b, 0x8f4ba8e0};
	union vreg dcba = {.s = {0xda8a0600, 0x172442d7, 0x4914b2b9, 0x7380166f}};
	union vreg hgfe = {.s = {0xb0fb0e4e, 0xe38dee4d, 0x163138aa, 0xa96f30bc}};
	union vreg start[2] = {dcba, hgfe}, w[17];
	uint8_t block[64];

	abc_block(block, 64);
	for (unsigned i = 0; i < 4; i++) {
		w[i] = load_be32(block + 16 * i);
	}
	for (unsigned i = 4; i < 17; i++) {
		// W[j-13], W[j-9] and W[j-6] straddle two registers.
		union vreg w9 = ext(w[i - 3], w[i - 2], 12);
		union vreg w13 = ext(w[i - 4], w[i - 3], 12), w6 = ext(w[i - 2], w[i - 1], 8);

		crypto_sm3partw1(&w[i], &w9, &w[i - 4], &w[i - 1]);
		crypto_sm3partw2(&w[i], &w[i], &w6, &w13);
	}
	for (unsigned j = 0; j < 64; j++) {
		unsigned q = j / 4;
		union vreg t = {.s = {0, 0, 0, rol32(j < 16 ? 0x79cc4519 : 0x7a879d8a, j)}};
		union vreg ss1, prime;

		for (unsigned i = 0; i < 4; i++) {
			prime.s[i] = w[q].s[i] ^ w[q + 1].s[i];
		}
		crypto_sm3ss1(&ss1, &dcba, &t, &hgfe);
		if (j < 16) {
			crypto_sm3tt1a(&dcba, &dcba, &ss1, &prime, j % 4);
			crypto_sm3tt2a(&hgfe, &hgfe, &ss1, &w[q], j % 4);
		} else {
			crypto_sm3tt1b(&dcba, &dcba, &ss1, &prime, j % 4);
			crypto_sm3tt2b(&hgfe, &hgfe, &ss1, &w[q], j % 4);
		}
	}
	for (unsigned i = 0; i < 4; i++) {
		ck_assert_uint_eq(dcba.s[3 - i] ^ start[0].s[3 - i], want[i]);
		ck_assert_uint_eq(hgfe.s[3 - i] ^ start[1].s[3 - i], want[4 + i]);
	}
}
END_TEST

START_TEST(sm4_encrypts)
{
	// GB/T 32907, A.1: key and plaintext are the same.
	static const uint8_t text[16] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
					 0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10};
	static const uint32_t fk[4] = {0xa3b1bac6, 0x56aa3350, 0x677d9197, 0xb27022dc};
	union vreg key = load_be32(text), x = load_be32(text);

	for (unsigned i = 0; i < 4; i++) {
		key.s[i] ^= fk[i];
	}
	for (unsigned i = 0; i < 8; i++) {
		union vreg ck;

		for (unsigned k = 0; k < 16; k++) {
			ck.s[k / 4] = ck.s[k / 4] << 8 | (uint8_t)((16 * i + k) * 7);
		}
		crypto_sm4ekey(&key, &key, &ck);
		crypto_sm4e(&x, &x, &key);
	}
	// The words come out in reverse.
	ck_assert_uint_eq(x.s[3], 0x681edf34);
	ck_assert_uint_eq(x.s[2], 0xd206965e);
	ck_assert_uint_eq(x.s[1], 0x86b3e94f);
	ck_assert_uint_eq(x.s[0], 0x536e4246);
}
END_TEST

START_TEST(crc_check_values)
{
	static const char text[] = "123456789";
	uint32_t a = ~0u, c = ~0u;
	uint64_t x;
	uint32_t w;
	uint16_t h;

	for (unsigned i = 0; i < 9; i++) {
		a = crypto_crc32b(a, (uint8_t)text[i]);
		c = crypto_crc32cb(c, (uint8_t)text[i]);
	}
	ck_assert_uint_eq(~a, 0xcbf43926);
	ck_assert_uint_eq(~c, 0xe3069283);

	memcpy(&x, text, 8);
	ck_assert_uint_eq(~crypto_crc32b(crypto_crc32x(~0u, x), '9'), 0xcbf43926);
	ck_assert_uint_eq(~crypto_crc32cb(crypto_crc32cx(~0u, x), '9'), 0xe3069283);

	a = c = ~0u;
	for (unsigned i = 0; i < 8; i += 4) {
		memcpy(&w, text + i, 4);
		a = crypto_crc32w(a, w);
		c = crypto_crc32cw(c, w);
	}
	ck_assert_uint_eq(~crypto_crc32b(a, '9'), 0xcbf43926);
	ck_assert_uint_eq(~crypto_crc32cb(c, '9'), 0xe3069283);

	a = c = ~0u;
	for (unsigned i = 0; i < 8; i += 2) {
		memcpy(&h, text + i, 2);
		a = crypto_crc32h(a, h);
		c = crypto_crc32ch(c, h);
	}
	ck_assert_uint_eq(~crypto_crc32b(a, '9'), 0xcbf43926);
	ck_assert_uint_eq(~crypto_crc32cb(c, '9'), 0xe3069283);
}
END_TEST

// Every table entry: the bytewise CRC by its definition, a bit at a time.
START_TEST(crc_tables_by_definition)
{
	for (unsigned byte = 0; byte < 256; byte++) {
		for (unsigned place = 0; place < 8; place++) {
			uint32_t a = 0, c = 0;

			for (unsigned i = 0; i < 8; i++) {
				a ^= i == place ? byte : 0;
				c ^= i == place ? byte : 0;
				for (unsigned k = 0; k < 8; k++) {
					a = a >> 1 ^ (a & 1 ? 0xedb88320 : 0);
					c = c >> 1 ^ (c & 1 ? 0x82f63b78 : 0);
				}
			}
			ck_assert_uint_eq(crypto_crc32x(0, (uint64_t)byte << 8 * place), a);
			ck_assert_uint_eq(crypto_crc32cx(0, (uint64_t)byte << 8 * place), c);
		}
	}
}
END_TEST

// PolynomialMult() by its definition.
static void multiply(uint64_t *low, uint64_t *high, uint64_t n, uint64_t m)
{
	*low = *high = 0;
	for (unsigned i = 0; i < 64; i++) {
		if ((n >> i) & 1) {
			*low ^= m << i;
			*high ^= i == 0 ? 0 : m >> (64 - i);
		}
	}
}

START_TEST(polynomial_products_of_bytes)
{
	// In sixteen lanes at once: all multipliers, each against sixteen neighbouring
	// multiplicands.
	for (unsigned i = 0; i < 256; i++) {
		for (unsigned k = 0; k < 256; k += 16) {
			union vreg n, m, product, low, high;
			bool same = true;

			memset(&n, (int)i, sizeof(n));
			for (unsigned e = 0; e < 16; e++) {
				m.b[e] = (uint8_t)(k + e);
			}
			crypto_pmul8(&product, &n, &m);
			crypto_pmull8(&low, n.d[0], m.d[0]);
			crypto_pmull8(&high, n.d[1], m.d[1]);
			for (unsigned e = 0; e < 16; e++) {
				uint64_t want, above;

				multiply(&want, &above, i, k + e);
				same &= product.b[e] == (uint8_t)want;
				same &= (e < 8 ? low.h[e] : high.h[e - 8]) == want;
			}
			ck_assert_msg(same, "a product of %#x is wrong", i);
		}
	}
}
END_TEST

START_TEST(polynomial_products_of_doublewords)
{
	uint64_t low, high, state = 1;
	union vreg got;

	for (unsigned i = 0; i < 64; i++) {
		for (unsigned k = 0; k < 64; k++) {
			state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
			for (unsigned dense = 0; dense < 2; dense++) {
				uint64_t a = UINT64_C(1) << i, b = UINT64_C(1) << k;

				if (dense) {
					a ^= state;
					b ^= ~state * 3;
				}
				multiply(&low, &high, a, b);
				crypto_pmull64(&got, a, b);
				ck_assert_uint_eq(got.d[0], low);
				ck_assert_uint_eq(got.d[1], high);
			}
		}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("crypto");
	TCase *published = tcase_create("published");
	TCase *instruction = tcase_create("instruction");
	SRunner *runner;
	int failed;

	tcase_add_test(published, aes128_encrypts);
	tcase_add_test(published, aes128_decrypts);
	tcase_add_test(published, sha1_of_abc);
	tcase_add_test(published, sha256_of_abc);
	tcase_add_test(published, sha512_of_abc);
	tcase_add_test(published, sha3_256_of_nothing_and_of_abc);
	tcase_add_test(published, sm3_of_abc);
	tcase_add_test(published, sm4_encrypts);
	tcase_add_test(published, crc_check_values);
	tcase_add_test(published, crc_tables_by_definition);
	tcase_add_test(published, polynomial_products_of_bytes);
	tcase_add_test(published, polynomial_products_of_doublewords);
	tcase_add_loop_test(instruction, rows_of_another_model, 0, (int)COUNT(rows));
	tcase_add_loop_test(instruction, all_operands_the_same, 0, (int)COUNT(rows));
	suite_add_tcase(suite, published);
	suite_add_tcase(suite, instruction);

	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
