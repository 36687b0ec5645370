// SPDX-License-Identifier: Apache-2.0
//
// fp.c - a single-precision matrix multiply by Advanced SIMD, and scalar double precision.

#include "lib/bench.h"

#include <arm_neon.h>

// ---- Matrix multiply ----------------------------------------------------------------------------

#define N 64
#define MULTIPLIES 90ul

static float matrix_a[N][N] __attribute__((aligned(64)));
static float matrix_b[N][N] __attribute__((aligned(64)));
static float matrix_c[N][N] __attribute__((aligned(64)));

// Blocks of four rows by four columns, in registers; rows of B times the lanes of A.
static void multiply(void)
{
	for (unsigned i = 0; i < N; i += 4) {
		for (unsigned j = 0; j < N; j += 4) {
			float32x4_t c0 = vdupq_n_f32(0), c1 = c0, c2 = c0, c3 = c0;

			for (unsigned k = 0; k < N; k += 4) {
				float32x4_t b0 = vld1q_f32(&matrix_b[k][j]);
				float32x4_t b1 = vld1q_f32(&matrix_b[k + 1][j]);
				float32x4_t b2 = vld1q_f32(&matrix_b[k + 2][j]);
				float32x4_t b3 = vld1q_f32(&matrix_b[k + 3][j]);

#define ROW(c, row) \
	{ \
		float32x4_t a = vld1q_f32(&matrix_a[row][k]); \
		c = vfmaq_laneq_f32(c, b0, a, 0); \
		c = vfmaq_laneq_f32(c, b1, a, 1); \
		c = vfmaq_laneq_f32(c, b2, a, 2); \
		c = vfmaq_laneq_f32(c, b3, a, 3); \
	}
				ROW(c0, i)
				ROW(c1, i + 1)
				ROW(c2, i + 2)
				ROW(c3, i + 3)
			}
			vst1q_f32(&matrix_c[i][j], c0);
			vst1q_f32(&matrix_c[i + 1][j], c1);
			vst1q_f32(&matrix_c[i + 2][j], c2);
			vst1q_f32(&matrix_c[i + 3][j], c3);
		}
	}
}

static void sgemm_el1(void)
{
	uint64_t count = bench_count(MULTIPLIES), state = 5, sum = 0;
	const uint32_t *bits = (const uint32_t *)matrix_c;

	for (unsigned i = 0; i < N * N; i++) {
		(&matrix_a[0][0])[i] = (float)(random_next(&state) >> 40) / 16777216.0f - 0.5f;
		(&matrix_b[0][0])[i] = (float)(random_next(&state) >> 40) / 16777216.0f - 0.5f;
	}
	for (uint64_t i = 0; i < count; i++) {
		multiply();
		matrix_a[i % N][i * 7 % N] += 0.25f; // so that each product is another
	}
	for (unsigned i = 0; i < N * N; i++) {
		sum = mix(sum, bits[i]);
	}
	bench_done(count * N * N * N, sum);
}

void bench_sgemm(void)
{
	enter_el1(sgemm_el1);
}

// ---- Scalar double precision --------------------------------------------------------------------
// A smoothing of a row of values, a polynomial of each by Horner's rule, and one division and one
// root for each row.

#define CELLS 256
#define STEPS 25000ul

static double row_a[CELLS + 2], row_b[CELLS + 2];

static double step(const double *from, double *to, double weight)
{
	double norm = 1.0, root;

	for (unsigned i = 1; i <= CELLS; i++) {
		double x = (from[i - 1] + from[i + 1]) * weight + from[i] * 0.5;
		double p = (((0.0078125 * x - 0.125) * x + 0.375) * x - 0.0625) * x;

		to[i] = x + p * 0.03125;
		norm += x * x;
	}
	__asm__("fsqrt %d0, %d1" : "=w"(root) : "w"(norm));
	to[0] = to[CELLS] / root;
	to[CELLS + 1] = to[1];
	return root;
}

static void double_el1(void)
{
	uint64_t steps = bench_count(STEPS), state = 11, sum = 0;
	double total = 0;
	union {
		double value;
		uint64_t bits;
	} pun;

	for (unsigned i = 0; i < CELLS + 2; i++) {
		row_a[i] = (double)(random_next(&state) >> 12) / 0x1p52 - 0.25;
	}
	for (uint64_t n = 0; n < steps; n++) {
		total += n & 1 ? step(row_b, row_a, 0.25) : step(row_a, row_b, 0.25);
		row_a[1 + n % CELLS] += 0.0625;
	}
	for (unsigned i = 0; i < CELLS; i++) {
		pun.value = row_a[i] + row_b[i] * 3;
		sum = mix(sum, pun.bits);
	}
	pun.value = total;
	bench_done(steps * CELLS, mix(sum, pun.bits));
}

void bench_double(void)
{
	enter_el1(double_el1);
}
