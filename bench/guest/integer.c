// SPDX-License-Identifier: Apache-2.0
//
// integer.c - plain computation: exclusives, LSE atomics, CRC by table, a mix of lists, matrices
// and states, an ALU loop, SHA-256.

#include "lib/bench.h"

// ---- Atomics ------------------------------------------------------------------------------------

#define EXCLUSIVE_ROUNDS 80000000ul
#define LSE_ROUNDS 50000000ul

static uint64_t cells[4] __attribute__((aligned(64)));

static void exclusive_el1(void)
{
	uint64_t rounds = bench_count(EXCLUSIVE_ROUNDS), left = rounds;

	if (left) {
		__asm__ volatile("1:	ldxr	x2, [%1]\n\t"
				 "add	x2, x2, %0\n\t"
				 "stxr	w3, x2, [%1]\n\t"
				 "cbnz	w3, 1b\n\t"
				 "subs	%0, %0, #1\n\t"
				 "b.ne	1b\n\t"
				 : "+r"(left)
				 : "r"(cells)
				 : "x2", "x3", "cc", "memory");
	}
	bench_done(rounds, cells[0]);
}

void bench_exclusive(void)
{
	enter_el1(exclusive_el1);
}

static void lse_el1(void)
{
	uint64_t rounds = bench_count(LSE_ROUNDS), left = rounds, sum = 0;

	if (left) {
		__asm__ volatile(".arch_extension lse\n"
				 "1:	ldadd	%0, x2, [%2]\n\t"
				 "swp	x2, x3, [%3]\n\t"
				 "mov	x4, x3\n\t"
				 "cas	x4, %0, [%4]\n\t"
				 "ldeor	x3, x5, [%5]\n\t"
				 "add	%1, %1, x5\n\t"
				 "subs	%0, %0, #1\n\t"
				 "b.ne	1b\n\t"
				 : "+r"(left), "+r"(sum)
				 : "r"(&cells[0]), "r"(&cells[1]), "r"(&cells[2]), "r"(&cells[3])
				 : "x2", "x3", "x4", "x5", "cc", "memory");
	}
	bench_done(rounds * 4, mix(mix(mix(mix(sum, cells[0]), cells[1]), cells[2]), cells[3]));
}

void bench_lse(void)
{
	enter_el1(lse_el1);
}

// ---- CRC-32 by table ----------------------------------------------------------------------------

#define CRC_SIZE (256ul << 10)
#define CRC_ROUNDS 300ul

static uint32_t crc_table[256];

static uint32_t crc_bytes(uint32_t crc, const uint8_t *p, uint64_t size)
{
	while (size--) {
		crc = crc >> 8 ^ crc_table[(crc ^ *p++) & 0xff];
	}
	return crc;
}

static void crc_el1(void)
{
	uint64_t rounds = bench_count(CRC_ROUNDS), state = 3;
	uint32_t crc = ~0u;

	for (uint32_t i = 0; i < 256; i++) {
		uint32_t value = i;

		for (unsigned bit = 0; bit < 8; bit++) {
			value = value >> 1 ^ (value & 1 ? 0xedb88320 : 0);
		}
		crc_table[i] = value;
	}
	for (uint64_t i = 0; i < CRC_SIZE; i += 8) {
		*(uint64_t *)(ARENA + i) = random_next(&state);
	}
	for (uint64_t i = 0; i < rounds; i++) {
		crc = crc_bytes(crc, (const uint8_t *)ARENA, CRC_SIZE);
	}
	bench_done(rounds * CRC_SIZE, crc);
}

void bench_crc(void)
{
	enter_el1(crc_el1);
}

// ---- The mix ------------------------------------------------------------------------------------
// Lists that are searched, reversed and sorted; small integer matrices; a scanner of numbers; a
// CRC-16 over the results.

#define MIX_ROUNDS 12000ul
#define NODES 64
#define SIDE 10

struct node {
	struct node *next;
	int16_t key, value;
};

static struct node nodes[NODES];
static int16_t mix_a[SIDE][SIDE], mix_b[SIDE][SIDE];
static int32_t mix_c[SIDE][SIDE];

static uint16_t crc16(uint16_t crc, uint32_t value)
{
	for (unsigned i = 0; i < 32; i++) {
		uint16_t bit = (crc ^ value) & 1;

		value >>= 1;
		crc >>= 1;
		if (bit) {
			crc ^= 0xa001;
		}
	}
	return crc;
}

static struct node *list_find(struct node *list, int16_t key)
{
	while (list && list->key != key) {
		list = list->next;
	}
	return list;
}

static struct node *list_reverse(struct node *list)
{
	struct node *result = NULL;

	while (list) {
		struct node *next = list->next;

		list->next = result;
		result = list;
		list = next;
	}
	return result;
}

// Merge sort from runs of one upwards.
static struct node *list_sort(struct node *list, bool by_value)
{
	for (unsigned run = 1;; run *= 2) {
		struct node *p = list, *tail = NULL;
		unsigned merges = 0;

		list = NULL;
		while (p) {
			struct node *q = p;
			unsigned p_size = 0, q_size = run;

			merges++;
			while (p_size < run && q) {
				p_size++;
				q = q->next;
			}
			while (p_size || (q_size && q)) {
				struct node *least;

				if (!p_size ||
				    (q_size && q &&
				     (by_value ? q->value < p->value : q->key < p->key))) {
					least = q;
					q = q->next;
					q_size--;
				} else {
					least = p;
					p = p->next;
					p_size--;
				}
				if (tail) {
					tail->next = least;
				} else {
					list = least;
				}
				tail = least;
			}
			p = q;
		}
		tail->next = NULL;
		if (merges <= 1) {
			return list;
		}
	}
}

static uint32_t matrix_round(int16_t factor)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < SIDE; i++) {
		for (unsigned j = 0; j < SIDE; j++) {
			int32_t cell = 0;

			for (unsigned k = 0; k < SIDE; k++) {
				cell += mix_a[i][k] * mix_b[k][j];
			}
			mix_c[i][j] = cell;
			sum += (uint32_t)(cell >> 3);
			mix_a[i][j] = (int16_t)(mix_a[i][j] + factor);
		}
	}
	return sum;
}

enum scan_state {
	SCAN_START,
	SCAN_SIGN,
	SCAN_INTEGER,
	SCAN_FRACTION,
	SCAN_EXPONENT,
	SCAN_BAD,
	SCAN_STATES
};

static enum scan_state scan_step(enum scan_state state, uint8_t c)
{
	bool digit = c >= '0' && c <= '9';

	switch (state) {
	case SCAN_START:
		return digit                  ? SCAN_INTEGER
		       : c == '+' || c == '-' ? SCAN_SIGN
		       : c == '.'             ? SCAN_FRACTION
					      : SCAN_BAD;
	case SCAN_SIGN:
		return digit ? SCAN_INTEGER : c == '.' ? SCAN_FRACTION : SCAN_BAD;
	case SCAN_INTEGER:
		return digit      ? SCAN_INTEGER
		       : c == '.' ? SCAN_FRACTION
		       : c == 'e' ? SCAN_EXPONENT
				  : SCAN_BAD;
	case SCAN_FRACTION:
		return digit ? SCAN_FRACTION : c == 'e' ? SCAN_EXPONENT : SCAN_BAD;
	case SCAN_EXPONENT:
		return digit || c == '-' ? SCAN_EXPONENT : SCAN_BAD;
	default:
		return state;
	}
}

static uint32_t scan_text(uint8_t *text, uint32_t *seen)
{
	enum scan_state state = SCAN_START;
	uint32_t words = 0;

	for (uint8_t *p = text; *p; p++) {
		if (*p == ',') {
			seen[state]++;
			words++;
			state = SCAN_START;
		} else {
			state = scan_step(state, *p);
		}
	}
	return words;
}

static void mix_el1(void)
{
	static uint8_t text[] = "5012,-874,+122,.5,35.54400,.1234500,-110.700,+0.64400,5.500e3,-."
				"123e-2,-87e832,T0.3e-1F,";
	uint32_t seen[SCAN_STATES] = {0};
	uint64_t rounds = bench_count(MIX_ROUNDS), state = 21;
	struct node *list = NULL;
	uint16_t crc = 0;

	for (unsigned i = 0; i < NODES; i++) {
		nodes[i] = (struct node){list, (int16_t)(i * 37 % NODES),
					 (int16_t)random_next(&state)};
		list = &nodes[i];
	}
	for (unsigned i = 0; i < SIDE * SIDE; i++) {
		(&mix_a[0][0])[i] = (int16_t)(random_next(&state) >> 54);
		(&mix_b[0][0])[i] = (int16_t)(random_next(&state) >> 54);
	}
	for (uint64_t i = 0; i < rounds; i++) {
		for (int16_t key = 0; key < 16; key++) {
			struct node *found =
				list_find(list,
					  (int16_t)((key * 5 + (int16_t)(i & 63)) % (NODES + 3)));

			if (found) {
				crc = crc16(crc, (uint32_t)found->value);
				found->value = (int16_t)(found->value * 3 + key);
			}
			list = list_reverse(list);
		}
		list = list_sort(list, true);
		crc = crc16(crc, (uint32_t)list->value);
		list = list_sort(list, false);
		crc = crc16(crc, matrix_round((int16_t)(i & 7) - 3));
		for (unsigned j = 0; j < 4; j++) {
			crc = crc16(crc, scan_text(text, seen));
			text[(i + j * 7) % 80] ^= i & 1 ? 1 : 0;
			text[(i + j * 7) % 80] =
				text[(i + j * 7) % 80] ? text[(i + j * 7) % 80] : '0';
		}
		crc = crc16(crc, seen[SCAN_BAD]);
	}
	bench_done(rounds, crc);
}

void bench_mix(void)
{
	enter_el1(mix_el1);
}

// ---- ALU loop -----------------------------------------------------------------------------------

#define ALU_ROUNDS 160000000ul

static void alu_el1(void)
{
	uint64_t rounds = bench_count(ALU_ROUNDS), left = rounds, a = 1, b = 2, c = 3;

	if (left) {
		__asm__ volatile("1:	add	%0, %0, %1\n\t"
				 "eor	%1, %1, %0, lsr #7\n\t"
				 "sub	%2, %2, %0\n\t"
				 "orr	%1, %1, #1\n\t"
				 "add	%2, %2, %1, lsl #3\n\t"
				 "and	%0, %0, #0x7fffffffffffffff\n\t"
				 "eor	%0, %0, %2\n\t"
				 "add	%1, %1, #13\n\t"
				 "subs	%3, %3, #1\n\t"
				 "b.ne	1b\n\t"
				 : "+r"(a), "+r"(b), "+r"(c), "+r"(left)::"cc");
	}
	bench_done(rounds, mix(mix(a, b), c));
}

void bench_alu(void)
{
	enter_el1(alu_el1);
}

// ---- SHA-256 in C -------------------------------------------------------------------------------

#define SHA_BLOCKS 500000ul

// The cube roots of the first 64 primes (FIPS 180-4, 4.2.2) come from integer arithmetic:
// floor(frac(cbrt(p)) * 2^32).
static uint32_t sha_k[64];

static void sha_constants(void)
{
	unsigned n = 0;

	for (uint64_t p = 2; n < 64; p++) {
		bool prime = true;

		for (uint64_t d = 2; d * d <= p; d++) {
			prime = prime && p % d;
		}
		if (!prime) {
			continue;
		}
		// The largest r with r^3 <= p * 2^96: r = cbrt(p) * 2^32.
		uint64_t r = 0;
		for (int bit = 34; bit >= 0; bit--) {
			uint64_t next = r | BIT(bit);
			unsigned __int128 cube = (unsigned __int128)next * next * next;

			if (cube <= (unsigned __int128)p << 96) {
				r = next;
			}
		}
		sha_k[n++] = (uint32_t)r;
	}
}

static inline uint32_t ror(uint32_t value, unsigned by)
{
	return value >> by | value << (32 - by);
}

static void sha_block(uint32_t *h, const uint32_t *block)
{
	uint32_t w[64], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], f = h[5], g = h[6],
			k = h[7];

	for (unsigned i = 0; i < 16; i++) {
		w[i] = __builtin_bswap32(block[i]);
	}
	for (unsigned i = 16; i < 64; i++) {
		uint32_t s0 = ror(w[i - 15], 7) ^ ror(w[i - 15], 18) ^ w[i - 15] >> 3;
		uint32_t s1 = ror(w[i - 2], 17) ^ ror(w[i - 2], 19) ^ w[i - 2] >> 10;

		w[i] = w[i - 16] + s0 + w[i - 7] + s1;
	}
	for (unsigned i = 0; i < 64; i++) {
		uint32_t s1 = ror(e, 6) ^ ror(e, 11) ^ ror(e, 25);
		uint32_t t1 = k + s1 + ((e & f) ^ (~e & g)) + sha_k[i] + w[i];
		uint32_t s0 = ror(a, 2) ^ ror(a, 13) ^ ror(a, 22);
		uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));

		k = g;
		g = f;
		f = e;
		e = d + t1;
		d = c;
		c = b;
		b = a;
		a = t1 + t2;
	}
	h[0] += a;
	h[1] += b;
	h[2] += c;
	h[3] += d;
	h[4] += e;
	h[5] += f;
	h[6] += g;
	h[7] += k;
}

static void sha_el1(void)
{
	uint32_t h[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
			 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
	uint64_t blocks = bench_count(SHA_BLOCKS), state = 17, sum = 0;

	sha_constants();
	if (sha_k[0] != 0x428a2f98 || sha_k[63] != 0xc67178f2) {
		bench_fail("SHA-256 constants", sha_k[0]);
	}
	for (uint64_t i = 0; i < 4096; i += 8) {
		*(uint64_t *)(ARENA + i) = random_next(&state);
	}
	for (uint64_t i = 0; i < blocks; i++) {
		sha_block(h, (const uint32_t *)(ARENA + i % 64 * 64));
	}
	for (unsigned i = 0; i < 8; i++) {
		sum = mix(sum, h[i]);
	}
	bench_done(blocks, sum);
}

void bench_sha256(void)
{
	enter_el1(sha_el1);
}
