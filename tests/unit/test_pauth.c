// SPDX-License-Identifier: Apache-2.0
// Unit tests of cpu/pauth: QARMA against its paper's test vectors and against a second,
// cell-by-cell model written from the paper; the pointer functions against rows produced by another
// model (vectors/pauth_vectors.def) and against results worked out by hand from AddPAC(), Auth()
// and Strip().
#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/pauth/pauth.h"
#include "cpu/pauth/qarma.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

// The paper's test vector, appendix A: plaintext, tweak, whitening key w0, core key k0.
#define PLAIN UINT64_C(0xfb623599da6e8127)
#define TWEAK UINT64_C(0x477d469dec0b8762)
#define KEY_W0 UINT64_C(0x84be85ce9804e94b)
#define KEY_K0 UINT64_C(0xec2802d4e0a488e9)

// QARMA-64 as the paper writes it: sixteen cells, cell 0 the most significant.
struct cells {
	uint8_t c[16];
};

static const uint8_t sigma[3][16] = {
	{0, 14, 2, 10, 9, 15, 8, 11, 6, 4, 3, 7, 13, 12, 1, 5},
	{10, 13, 14, 6, 15, 7, 3, 5, 9, 8, 0, 12, 11, 1, 2, 4},
	{11, 6, 8, 15, 12, 0, 9, 14, 3, 7, 4, 5, 13, 2, 1, 10},
};

static struct cells to_cells(uint64_t v)
{
	struct cells r;

	for (unsigned i = 0; i < 16; i++) {
		r.c[i] = (v >> (60 - 4 * i)) & 15;
	}
	return r;
}

static uint64_t from_cells(struct cells v)
{
	uint64_t r = 0;

	for (unsigned i = 0; i < 16; i++) {
		r = r << 4 | v.c[i];
	}
	return r;
}

static uint64_t model_sub(uint64_t v, unsigned s, bool inverse)
{
	struct cells x = to_cells(v);

	for (unsigned i = 0; i < 16; i++) {
		if (inverse) {
			unsigned k = 0;

			while (sigma[s][k] != x.c[i]) {
				k++;
			}
			x.c[i] = (uint8_t)k;
		} else {
			x.c[i] = sigma[s][x.c[i]];
		}
	}
	return from_cells(x);
}

static uint64_t model_shuffle(uint64_t v, bool inverse)
{
	static const uint8_t tau[16] = {0, 11, 6, 13, 10, 1, 12, 7, 5, 14, 3, 8, 15, 4, 9, 2};
	struct cells x = to_cells(v), r;

	for (unsigned i = 0; i < 16; i++) {
		if (inverse) {
			r.c[tau[i]] = x.c[i];
		} else {
			r.c[i] = x.c[tau[i]];
		}
	}
	return from_cells(r);
}

// M = circ(0, rho, rho^2, rho) on columns of the 4x4 matrix whose rows are cells 0-3, 4-7, ...
static uint64_t model_mix(uint64_t v)
{
	static const unsigned exponent[4] = {0, 1, 2, 1};
	struct cells x = to_cells(v), r;

	for (unsigned row = 0; row < 4; row++) {
		for (unsigned col = 0; col < 4; col++) {
			unsigned sum = 0;

			for (unsigned k = 1; k < 4; k++) {
				unsigned cell = x.c[4 * ((row + k) % 4) + col];

				sum ^= (cell << exponent[k] | cell >> (4 - exponent[k])) & 15;
			}
			r.c[4 * row + col] = (uint8_t)sum;
		}
	}
	return from_cells(r);
}

static uint64_t model_tweak(uint64_t v)
{
	static const uint8_t h[16] = {6, 5, 14, 15, 0, 1, 2, 3, 7, 12, 13, 4, 8, 9, 10, 11};
	static const uint8_t omega_cells[7] = {0, 1, 3, 4, 8, 11, 13};
	struct cells x = to_cells(v), r;

	for (unsigned i = 0; i < 16; i++) {
		r.c[i] = x.c[h[i]];
	}
	for (unsigned i = 0; i < 7; i++) {
		unsigned b = r.c[omega_cells[i]];

		r.c[omega_cells[i]] = (uint8_t)(((b ^ b >> 1) & 1) << 3 | b >> 1);
	}
	return from_cells(r);
}

static uint64_t model_qarma(unsigned rounds, unsigned s, uint64_t plain, uint64_t tweak,
			    uint64_t w0, uint64_t k0)
{
	static const uint64_t c[7] = {UINT64_C(0),
				      UINT64_C(0x13198a2e03707344),
				      UINT64_C(0xa4093822299f31d0),
				      UINT64_C(0x082efa98ec4e6c89),
				      UINT64_C(0x452821e638d01377),
				      UINT64_C(0xbe5466cf34e90c6c),
				      UINT64_C(0x3f84d5b5b5470917)};
	const uint64_t alpha = UINT64_C(0xc0ac29b7c97c50dd);
	uint64_t w1 = (w0 >> 1 | w0 << 63) ^ w0 >> 63;
	uint64_t t[8] = {tweak};
	uint64_t x = plain ^ w0;

	for (unsigned i = 0; i < rounds; i++) {
		x ^= k0 ^ t[i] ^ c[i];
		if (i > 0) {
			x = model_mix(model_shuffle(x, false));
		}
		x = model_sub(x, s, false);
		t[i + 1] = model_tweak(t[i]);
	}
	x = model_sub(model_mix(model_shuffle(x ^ w1 ^ t[rounds], false)), s, false);
	x = model_shuffle(model_mix(model_shuffle(x, false)) ^ k0, true);
	x = model_shuffle(model_mix(model_sub(x, s, true)), true) ^ w0 ^ t[rounds];
	for (unsigned i = rounds; i-- > 0;) {
		x = model_sub(x, s, true);
		if (i > 0) {
			x = model_shuffle(model_mix(x), true);
		}
		x ^= k0 ^ t[i] ^ c[i] ^ alpha;
	}
	return x ^ w1;
}

// The paper's ciphertexts by S-box and rounds: they vouch for the model, which vouches for QARMA3.
START_TEST(model_gives_published_ciphertexts)
{
	static const uint64_t want[3][3] = {
		{UINT64_C(0x3ee99a6c82af0c38), UINT64_C(0x544b0ab95bda7c3a),
		 UINT64_C(0xc003b93999b33765)},
		{UINT64_C(0x9f5c41ec525603c9), UINT64_C(0xa512dd1e4e3ec582),
		 UINT64_C(0x270a787275c48d10)},
		{UINT64_C(0xbcaf6c89de930765), UINT64_C(0xedf67ff370a483f2),
		 UINT64_C(0x5c06a7501b63b2fd)},
	};

	for (unsigned rounds = 5; rounds <= 7; rounds++) {
		for (unsigned s = 0; s < 3; s++) {
			ck_assert_uint_eq(model_qarma(rounds, s, PLAIN, TWEAK, KEY_W0, KEY_K0),
					  want[rounds - 5][s]);
		}
	}
}
END_TEST

START_TEST(qarma5_gives_published_ciphertext)
{
	ck_assert_uint_eq(pauth_compute_pac(PAUTH_ALGORITHM_QARMA5, PLAIN, TWEAK, KEY_W0, KEY_K0),
			  UINT64_C(0xc003b93999b33765));
}
END_TEST

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state * UINT64_C(0x2545f4914f6cdd1d);
}

START_TEST(qarma_agrees_with_the_model)
{
	uint64_t state = 42;

	for (unsigned i = 0; i < 2000; i++) {
		uint64_t d = next_random(&state), t = next_random(&state);
		uint64_t hi = next_random(&state), lo = next_random(&state);

		if (i < 256) {
			// One bit alone at each place of each input.
			d = i < 64 ? UINT64_C(1) << i : 0;
			t = i / 64 == 1 ? UINT64_C(1) << i % 64 : 0;
			hi = i / 64 == 2 ? UINT64_C(1) << i % 64 : 0;
			lo = i / 64 == 3 ? UINT64_C(1) << i % 64 : 0;
		}
		ck_assert_uint_eq(pauth_compute_pac(PAUTH_ALGORITHM_QARMA5, d, t, hi, lo),
				  model_qarma(5, 2, d, t, hi, lo));
		ck_assert_uint_eq(pauth_compute_pac(PAUTH_ALGORITHM_QARMA3, d, t, hi, lo),
				  model_qarma(3, 1, d, t, hi, lo));
	}
}
END_TEST

// Every bit of every input changes each bit of the code about half of the time.
START_TEST(impdef_spreads_its_inputs)
{
	enum { SAMPLES = 1000 };
	static unsigned flips[256][64];
	uint64_t state = 7;

	memset(flips, 0, sizeof(flips));
	for (unsigned n = 0; n < SAMPLES; n++) {
		uint64_t in[4], pac;

		for (unsigned i = 0; i < 4; i++) {
			in[i] = next_random(&state);
		}
		pac = pauth_compute_pac(PAUTH_ALGORITHM_IMPDEF, in[0], in[1], in[2], in[3]);
		for (unsigned i = 0; i < 256; i++) {
			uint64_t changed;

			in[i / 64] ^= UINT64_C(1) << i % 64;
			changed = pac ^ pauth_impdef_pac(in[0], in[1], in[2], in[3]);
			in[i / 64] ^= UINT64_C(1) << i % 64;
			for (unsigned b = 0; b < 64; b++) {
				flips[i][b] += (changed >> b) & 1;
			}
		}
	}
	for (unsigned i = 0; i < 256; i++) {
		for (unsigned b = 0; b < 64; b++) {
			ck_assert_msg(flips[i][b] > SAMPLES / 3 && flips[i][b] < SAMPLES * 2 / 3,
				      "input bit %u moves code bit %u %u times of %d", i, b,
				      flips[i][b], SAMPLES);
		}
	}
}
END_TEST

// The cases worked out by hand share one pointer of each range, 48-bit addresses. LOWER's code
// stands in the first row; UPPER's follows from ComputePAC() of the canonical pointer.
#define MODIFIER UINT64_C(0x3c53afd45965b83e)
#define LOWER UINT64_C(0x0000e79504a01b17)
#define UPPER UINT64_C(0xffff123456789abc)
#define FIELD_48 UINT64_C(0xff7f000000000000)

enum op { PACIA, PACIB, PACDA, PACDB, AUTIA, AUTIB, AUTDA, AUTDB, XPACI, XPACD, PACGA };

struct row {
	enum op op;
	bool tbi;
	bool tbid;
	unsigned txsz;
	uint64_t ptr, modifier, hi, lo, want;
};

static const struct row rows[] = {
#include "vectors/pauth_vectors.def"
};

// QARMA5, both ranges alike.
static struct pauth_params make_params(bool tbi, unsigned txsz)
{
	struct pauth_params p = {.alg = PAUTH_ALGORITHM_QARMA5, .two_ranges = true};

	p.range[0].tbi = p.range[1].tbi = tbi;
	p.range[0].bottom_bit = p.range[1].bottom_bit = pauth_bottom_bit(txsz, 16, 39);
	return p;
}

static uint64_t run_row(const struct row *r, struct pauth_cache *cache)
{
	bool is_data = r->op == PACDA || r->op == PACDB || r->op == AUTDA || r->op == AUTDB ||
		       r->op == XPACD;
	struct pauth_params p = make_params(r->tbi && (is_data || !r->tbid), r->txsz);
	struct pauth_key row_key = {.hi = r->hi, .lo = r->lo};

	p.cache = cache;
	switch (r->op) {
	case PACIA:
	case PACIB:
	case PACDA:
	case PACDB:
		return pauth_add(&p, r->ptr, r->modifier, row_key);
	case AUTIA:
	case AUTIB:
	case AUTDA:
	case AUTDB: {
		bool is_b = r->op == AUTIB || r->op == AUTDB;
		struct pauth_auth_result a = pauth_auth(&p, r->ptr, r->modifier, row_key, is_data,
							is_b ? PAUTH_KEY_B : PAUTH_KEY_A, false);

		ck_assert(!a.fail);
		return a.ptr;
	}
	case XPACI:
	case XPACD:
		return pauth_strip(&p, r->ptr);
	case PACGA:
		break;
	}
	return pauth_generic(p.alg, cache, r->ptr, r->modifier, row_key);
}

START_TEST(rows_of_another_model)
{
	const struct row *r = &rows[_i];

	ck_assert_uint_eq(run_row(r, NULL), r->want);
}
END_TEST

START_TEST(cache_changes_nothing)
{
	struct pauth_cache *cache = calloc(1, sizeof(*cache));

	ck_assert_ptr_nonnull(cache);
	for (unsigned pass = 0; pass < 2; pass++) {
		for (unsigned i = 0; i < COUNT(rows); i++) {
			ck_assert_uint_eq(run_row(&rows[i], cache), rows[i].want);
		}
	}
	// Neither a key's halves nor the algorithm are taken for another's.
	for (unsigned i = 0; i < 8; i++) {
		unsigned gray = i ^ i >> 1; // one of the three changes at a time
		struct pauth_key k = {.hi = gray & 1, .lo = gray & 2};
		enum pauth_algorithm alg =
			gray & 4 ? PAUTH_ALGORITHM_QARMA3 : PAUTH_ALGORITHM_QARMA5;

		ck_assert_uint_eq(pauth_generic(alg, cache, LOWER, MODIFIER, k),
				  pauth_generic(alg, NULL, LOWER, MODIFIER, k));
	}
	// All-zero inputs are not found in an empty cache.
	memset(cache, 0, sizeof(*cache));
	ck_assert_uint_ne(pauth_generic(PAUTH_ALGORITHM_QARMA5, cache, 0, 0,
					(struct pauth_key){0, 0}),
			  0);
	free(cache);
}
END_TEST

static const struct pauth_key key = {.hi = UINT64_C(0x520af5317b4e9564),
				     .lo = UINT64_C(0x829e189c00189fbb)};

static struct pauth_params pauth2(bool tbi)
{
	struct pauth_params p = make_params(tbi, 16);

	p.has_pauth2 = true;
	return p;
}

START_TEST(pauth2_adds_the_code_to_the_extension_bits)
{
	struct pauth_params p = pauth2(false);
	uint64_t code = pauth_qarma5_pac(UPPER, MODIFIER, key.hi, key.lo);

	ck_assert_uint_eq(pauth_add(&p, LOWER, MODIFIER, key), UINT64_C(0x3f03e79504a01b17));
	ck_assert_uint_eq(pauth_add(&p, UPPER, MODIFIER, key), UPPER ^ (code & FIELD_48));
	// With the top byte ignored its tag stays and takes part in the code.
	p = pauth2(true);
	code = pauth_qarma5_pac(UINT64_C(0xa5ff123456789abc), MODIFIER, key.hi, key.lo);
	ck_assert_uint_eq(pauth_add(&p, UINT64_C(0xa5ff123456789abc), MODIFIER, key),
			  UINT64_C(0xa5ff123456789abc) ^ (code & UINT64_C(0x007f000000000000)));
}
END_TEST

START_TEST(pauth2_keeps_wrong_extension_bits_wrong)
{
	struct pauth_params p = pauth2(false);
	// Signing computes the code of the canonical pointer, so the bit that was wrong is what is
	// left.
	uint64_t wrong = LOWER ^ UINT64_C(0x0010000000000000);
	uint64_t signed_ptr = pauth_add(&p, wrong, MODIFIER, key);
	struct pauth_auth_result a =
		pauth_auth(&p, signed_ptr, MODIFIER, key, false, PAUTH_KEY_A, false);

	ck_assert_uint_eq(signed_ptr, UINT64_C(0x3f13e79504a01b17));
	ck_assert_uint_eq(a.ptr, wrong);
	ck_assert(!a.fail);
}
END_TEST

START_TEST(pauth2_authenticates)
{
	static const uint64_t pointers[] = {LOWER, UPPER, 0, ~UINT64_C(0)};

	for (unsigned tbi = 0; tbi < 2; tbi++) {
		struct pauth_params p = pauth2(tbi);

		for (unsigned i = 0; i < COUNT(pointers); i++) {
			uint64_t signed_ptr = pauth_add(&p, pointers[i], MODIFIER, key);
			struct pauth_auth_result a;

			ck_assert_uint_ne(signed_ptr, pointers[i]);
			a = pauth_auth(&p, signed_ptr, MODIFIER, key, false, PAUTH_KEY_A, false);
			ck_assert_uint_eq(a.ptr, pointers[i]);
			ck_assert_uint_eq(pauth_strip(&p, signed_ptr), pointers[i]);
			// Without FEAT_FPAC the wrong code is left in the pointer, and no error
			// code.
			a = pauth_auth(&p, signed_ptr ^ UINT64_C(0x0004000000000000), MODIFIER, key,
				       false, PAUTH_KEY_B, false);
			ck_assert(!a.fail);
			ck_assert_uint_eq(a.ptr, pointers[i] ^ UINT64_C(0x0004000000000000));
		}
	}
}
END_TEST

START_TEST(fpac_fails_with_the_key_in_the_syndrome)
{
	struct pauth_params p = pauth2(false);

	p.has_fpac = true;
	for (unsigned upper = 0; upper < 2; upper++) {
		uint64_t good = pauth_add(&p, upper ? UPPER : LOWER, MODIFIER, key);

		for (unsigned which = 0; which < 4; which++) {
			bool is_data = which & 2;
			enum pauth_key_number number = which & 1 ? PAUTH_KEY_B : PAUTH_KEY_A;
			struct pauth_auth_result a =
				pauth_auth(&p, good, MODIFIER, key, is_data, number, false);

			ck_assert(!a.fail);
			ck_assert_uint_eq(a.ptr, upper ? UPPER : LOWER);
			// Any bit of the field makes it fail, here the lowest and the highest.
			a = pauth_auth(&p, good ^ UINT64_C(0x0001000000000000), MODIFIER, key,
				       is_data, number, false);
			ck_assert(a.fail);
			ck_assert_uint_eq(a.iss, which);
			a = pauth_auth(&p, good ^ UINT64_C(0x8000000000000000), MODIFIER, key,
				       is_data, number, false);
			ck_assert(a.fail);
			ck_assert_uint_eq(a.iss, which);
			// Not for the combined instructions without FEAT_FPACCOMBINE.
			a = pauth_auth(&p, good ^ UINT64_C(0x8000000000000000), MODIFIER, key,
				       is_data, number, true);
			ck_assert(!a.fail);
			p.has_fpac_combined = true;
			a = pauth_auth(&p, good ^ UINT64_C(0x8000000000000000), MODIFIER, key,
				       is_data, number, true);
			ck_assert(a.fail);
			p.has_fpac_combined = false;
		}
	}
	// A tag is no part of the code.
	p.range[0].tbi = p.range[1].tbi = true;
	ck_assert(!pauth_auth(&p, pauth_add(&p, UINT64_C(0x5a00000000001000), MODIFIER, key),
			      MODIFIER, key, true, PAUTH_KEY_A, false)
			   .fail);
}
END_TEST

START_TEST(without_pauth2_there_is_no_fpac)
{
	struct pauth_params p = make_params(false, 16);
	struct pauth_auth_result a;

	p.has_fpac = p.has_fpac_combined = true;
	a = pauth_auth(&p, LOWER, MODIFIER, key, false, PAUTH_KEY_A, false);
	ck_assert(!a.fail);
	// Error codes 01 and 10 in bits <62:61>, or <54:53> below a tag.
	ck_assert_uint_eq(a.ptr, LOWER | UINT64_C(0x2000000000000000));
	a = pauth_auth(&p, LOWER, MODIFIER, key, false, PAUTH_KEY_B, false);
	ck_assert_uint_eq(a.ptr, LOWER | UINT64_C(0x4000000000000000));
	p = make_params(true, 16);
	a = pauth_auth(&p, LOWER | UINT64_C(0x9900000000000000), MODIFIER, key, false, PAUTH_KEY_B,
		       false);
	ck_assert_uint_eq(a.ptr, LOWER | UINT64_C(0x9940000000000000));
	a = pauth_auth(&p, UPPER, MODIFIER, key, false, PAUTH_KEY_A, false);
	ck_assert_uint_eq(a.ptr, UPPER & ~UINT64_C(0x0040000000000000));
}
END_TEST

START_TEST(epac_zeroes_the_code_of_a_wrong_pointer)
{
	struct pauth_params p = make_params(false, 16);

	p.has_epac = true;
	ck_assert_uint_eq(pauth_add(&p, LOWER, MODIFIER, key), UINT64_C(0x3f03e79504a01b17));
	// Bit 63 says which range; bit 55 is where the result says so.
	ck_assert_uint_eq(pauth_add(&p, LOWER | UINT64_C(0x0010000000000000), MODIFIER, key),
			  LOWER);
	ck_assert_uint_eq(pauth_add(&p, LOWER | UINT64_C(0x8010000000000000), MODIFIER, key),
			  LOWER | UINT64_C(0x0080000000000000));
}
END_TEST

// Bit 55 decides if either range ignores the top byte, else bit 63.
START_TEST(range_of_the_result)
{
	struct pauth_params p = pauth2(false);
	uint64_t ptr = UINT64_C(0x0080000000001000);

	ck_assert_uint_eq(pauth_add(&p, ptr, MODIFIER, key) & UINT64_C(0x0080000000000000), 0);
	p.range[0].tbi = true;
	ck_assert_uint_ne(pauth_add(&p, ptr, MODIFIER, key) & UINT64_C(0x0080000000000000), 0);
	p.range[0].tbi = false;
	p.has_constpacfield = true;
	ck_assert_uint_ne(pauth_add(&p, ptr, MODIFIER, key) & UINT64_C(0x0080000000000000), 0);
	// FEAT_CONSTPACFIELD is for FEAT_PAuth2 only.
	p.has_pauth2 = false;
	ck_assert_uint_eq(pauth_add(&p, ptr, MODIFIER, key) & UINT64_C(0x0080000000000000), 0);
	// A regime with one range has no other half to ask.
	p = pauth2(true);
	p.two_ranges = false;
	ck_assert_uint_ne(pauth_add(&p, ptr, MODIFIER, key) & UINT64_C(0x0080000000000000), 0);
	p = pauth2(false);
	p.two_ranges = false;
	ck_assert_uint_eq(pauth_add(&p, ptr, MODIFIER, key) & UINT64_C(0x0080000000000000), 0);
}
END_TEST

START_TEST(ranges_of_different_sizes)
{
	struct pauth_params p = pauth2(false);
	uint64_t lower, upper;

	p.range[1].bottom_bit = pauth_bottom_bit(25, 16, 39);
	lower = pauth_add(&p, LOWER, MODIFIER, key);
	upper = pauth_add(&p, UINT64_C(0xffffffb456789abc), MODIFIER, key);
	ck_assert_uint_eq(lower & UINT64_C(0x0000ffffffffffff), LOWER);
	ck_assert_uint_eq(upper & UINT64_C(0x0000007fffffffff), UINT64_C(0x3456789abc));
	// The upper range's code reaches down to bit 39.
	ck_assert_uint_eq((upper ^ UINT64_C(0xffffffb456789abc)) & UINT64_C(0xff7fff8000000000),
			  pauth_qarma5_pac(UINT64_C(0xffffffb456789abc), MODIFIER, key.hi, key.lo) &
				  UINT64_C(0xff7fff8000000000));
	ck_assert_uint_eq(pauth_strip(&p, upper), UINT64_C(0xffffffb456789abc));
	ck_assert_uint_eq(pauth_strip(&p, lower), LOWER);
}
END_TEST

START_TEST(no_room_for_a_code)
{
	struct pauth_params p = pauth2(true);

	p.range[0].bottom_bit = p.range[1].bottom_bit = pauth_bottom_bit(9, 9, 48);
	ck_assert_uint_eq(p.range[0].bottom_bit, 55);
	ck_assert_uint_eq(pauth_add(&p, LOWER, MODIFIER, key), LOWER);
	ck_assert_uint_eq(pauth_strip(&p, LOWER), LOWER);
	p.has_fpac = true;
	ck_assert(!pauth_auth(&p, LOWER, MODIFIER, key, false, PAUTH_KEY_A, false).fail);
	// All sizes, however odd, are legal input.
	for (unsigned txsz = 0; txsz < 64; txsz++) {
		for (unsigned tbi = 0; tbi < 2; tbi++) {
			p = pauth2(tbi);
			p.range[0].bottom_bit = pauth_bottom_bit(txsz, 8, 48);
			p.range[1].bottom_bit = p.range[0].bottom_bit;
			p.has_fpac = true;
			ck_assert(!pauth_auth(&p, pauth_add(&p, 0, MODIFIER, key), MODIFIER, key,
					      false, PAUTH_KEY_A, false)
					   .fail);
		}
	}
}
END_TEST

START_TEST(bottom_bit_forces_sizes_into_range)
{
	ck_assert_uint_eq(pauth_bottom_bit(0, 16, 39), 48);
	ck_assert_uint_eq(pauth_bottom_bit(0, 12, 39), 52);
	ck_assert_uint_eq(pauth_bottom_bit(16, 16, 39), 48);
	ck_assert_uint_eq(pauth_bottom_bit(39, 16, 39), 25);
	ck_assert_uint_eq(pauth_bottom_bit(63, 16, 39), 25);
	ck_assert_uint_eq(pauth_bottom_bit(63, 16, 48), 16);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pauth");
	TCase *algorithm = tcase_create("algorithm");
	TCase *pointer = tcase_create("pointer");
	SRunner *runner;
	int failed;

	tcase_add_test(algorithm, model_gives_published_ciphertexts);
	tcase_add_test(algorithm, qarma5_gives_published_ciphertext);
	tcase_add_test(algorithm, qarma_agrees_with_the_model);
	tcase_add_test(algorithm, impdef_spreads_its_inputs);
	tcase_add_loop_test(pointer, rows_of_another_model, 0, (int)COUNT(rows));
	tcase_add_test(pointer, cache_changes_nothing);
	tcase_add_test(pointer, pauth2_adds_the_code_to_the_extension_bits);
	tcase_add_test(pointer, pauth2_keeps_wrong_extension_bits_wrong);
	tcase_add_test(pointer, pauth2_authenticates);
	tcase_add_test(pointer, fpac_fails_with_the_key_in_the_syndrome);
	tcase_add_test(pointer, without_pauth2_there_is_no_fpac);
	tcase_add_test(pointer, epac_zeroes_the_code_of_a_wrong_pointer);
	tcase_add_test(pointer, range_of_the_result);
	tcase_add_test(pointer, ranges_of_different_sizes);
	tcase_add_test(pointer, no_room_for_a_code);
	tcase_add_test(pointer, bottom_bit_forces_sizes_into_range);
	suite_add_tcase(suite, algorithm);
	suite_add_tcase(suite, pointer);

	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
