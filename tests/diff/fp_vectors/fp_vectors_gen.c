// SPDX-License-Identifier: Apache-2.0
// Writes random operations with the library's answers, for fp_vectors_run.c to judge on another
// implementation of the architecture. Usage: fp_vectors_gen count-per-operation seed > file
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "cpu/fp/fp.h"

#include "fp_vectors.h"

enum kind { H, S, D, B, X };

static uint64_t random_next(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15ull);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

// A bit pattern of 1 + exp_bits + frac_bits: often special, often near another one.
static uint64_t random_float(uint64_t *state, unsigned exp_bits, unsigned frac_bits)
{
	uint64_t r = random_next(state);
	uint64_t exp_max = (1ull << exp_bits) - 1;
	uint64_t bias = exp_max / 2;
	uint64_t frac_mask = (1ull << frac_bits) - 1;
	uint64_t exp = random_next(state) & exp_max;
	uint64_t frac = random_next(state) & frac_mask;

	switch (r & 15) {
	case 0: // the special exponents
		exp = r & 16 ? 0 : exp_max;
		break;
	case 1:
		exp = r & 16 ? r >> 8 & 3 : exp_max - (r >> 8 & 3);
		break;
	case 2: // zeros, infinities
		exp = r & 16 ? 0 : exp_max;
		frac = 0;
		break;
	case 3: // integers and halves
		exp = bias + (r >> 8) % (frac_bits + 3) - 1;
		frac &= ~(frac_mask >> (r >> 20) % (frac_bits + 1));
		break;
	case 4: // integers about 2^31 and 2^63
		exp = (bias + (r & 16 ? 30 : 62) + (r >> 8 & 1)) & exp_max;
		frac = (r & 32 ? frac_mask : 0) ^ (r >> 16 & 3);
		break;
	case 5:
	case 6:
	case 7: // near one: sums that meet and cancel
		exp = bias + (r >> 8 & 15) - 8;
		break;
	case 8: // far down and far up
		exp = r & 16 ? r >> 8 & 15 : exp_max - (r >> 8 & 15);
		break;
	default:
		break;
	}
	switch (r >> 40 & 7) {
	case 0: // few bits
		frac &= random_next(state) & random_next(state) & random_next(state);
		break;
	case 1: // many bits
		frac |= (random_next(state) | random_next(state) | random_next(state)) & frac_mask;
		break;
	case 2: // short
		frac &= ~(frac_mask >> (r >> 44) % (frac_bits + 1));
		break;
	default:
		break;
	}
	return (r >> 63) << (exp_bits + frac_bits) | (exp & exp_max) << frac_bits | frac;
}

static uint64_t random_operand(uint64_t *state, enum kind kind, bool accumulator)
{
	uint64_t r = random_next(state);

	switch (kind) {
	case H:
		// Upper halves are live: FMLAL reads its accumulator whole.
		return accumulator
			       ? (r & 3 ? random_float(state, 8, 23) : random_float(state, 5, 10))
			       : random_float(state, 5, 10);
	case S:
		return random_float(state, 8, 23);
	case D:
		return random_float(state, 11, 52);
	case B:
		return random_float(state, 8, 7) | random_float(state, 8, 7) << 16 |
		       random_float(state, 8, 7) << 32 | random_float(state, 8, 7) << 48;
	case X:
		break;
	}
	r >>= random_next(state) & 63;
	return random_next(state) & 1 ? 0 - r : r;
}

static uint64_t js_with_z(struct fp_env *env, uint64_t a)
{
	bool z;
	uint64_t result = fp64_to_js(env, a, &z);

	return result | (uint64_t)z << 33; // NZCV, shifted up by 3
}

static uint64_t mmla_row(uint64_t a, uint64_t b, uint64_t c)
{
	uint32_t sum[4] = {(uint32_t)b, (uint32_t)(b >> 32), (uint32_t)c, (uint32_t)(c >> 32)};
	uint16_t x[8];
	uint16_t y[8];

	for (unsigned i = 0; i < 4; i++) {
		x[i] = x[i + 4] = (uint16_t)(a >> (16 * i));
		y[i] = (uint16_t)(b >> (16 * i));
		y[i + 4] = (uint16_t)(c >> (16 * i));
	}
	bf16_mat_mul_add(sum, sum, x, y);
	return sum[0] | (uint64_t)sum[1] << 32;
}

#define OP(name, kind, call, assembly) \
	static uint64_t op_##name(struct fp_env *env, uint64_t a, uint64_t b, uint64_t c) \
	{ \
		(void)env; \
		(void)a; \
		(void)b; \
		(void)c; \
		return call; \
	}
#include "fp_ops.def"
#undef OP

struct op {
	enum kind kind;
	uint64_t (*run)(struct fp_env *env, uint64_t a, uint64_t b, uint64_t c);
};

#define OP(name, kind, call, assembly) {kind, op_##name},
static const struct op ops[] = {
#include "fp_ops.def"
};
#undef OP

static bool write_vector(unsigned index, uint64_t *state)
{
	const struct op *op = &ops[index];
	struct fp_vector v = {.op = (uint16_t)index};
	uint64_t r = random_next(state);

	v.a = random_operand(state, op->kind, false);
	v.b = random_operand(state, op->kind, false);
	v.c = random_operand(state, op->kind, true);
	if ((r >> 40 & 31) == 0) {
		v.b = v.a; // equal operands
	} else if ((r >> 40 & 31) == 1) {
		v.b = v.a ^ 1;
	}
	v.fpcr = (uint32_t)(r & 3) << FP_CR_RMODE_SHIFT;
	v.fpcr |= r & 4 ? 0 : FP_CR_FZ;
	v.fpcr |= r & 8 ? 0 : FP_CR_FZ16;
	v.fpcr |= r & 0x30 ? 0 : FP_CR_DN;
	v.fpcr |= r & 0xc0 ? 0 : FP_CR_AHP;
	if (r & 0x300) {
		v.fpcr &= ~FP_CR_RMODE; // the common mode deserves most attention
	}
	v.fpsr_in = r & 0x400 ? FP_SR_IXC : 0;

	struct fp_env env = {.fpcr = v.fpcr, .fpsr = v.fpsr_in};
	v.result = op->run(&env, v.a, v.b, v.c);
	v.fpsr_out = (uint8_t)env.fpsr;
	return fwrite(&v, sizeof(v), 1, stdout) == 1;
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: %s count-per-operation seed > file\n", argv[0]);
		return 2;
	}
	unsigned long count = strtoul(argv[1], NULL, 0);
	uint64_t state = strtoull(argv[2], NULL, 0);

	for (unsigned i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		for (unsigned long n = 0; n < count; n++) {
			if (!write_vector(i, &state)) {
				perror("fp_vectors_gen: stdout");
				return 1;
			}
		}
	}
	return 0;
}
