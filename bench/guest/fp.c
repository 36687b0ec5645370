// SPDX-License-Identifier: Apache-2.0
//
// fp.c - a single-precision matrix multiply by Advanced SIMD, and scalar double precision: the orbits of five bodies.

#include "lib/bench.h"

#include <arm_neon.h>

// ---- Matrix multiply -----------------------------------------------------------------------------

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

#define ROW(c, row)                                                                                \
	{                                                                                          \
		float32x4_t a = vld1q_f32(&matrix_a[row][k]);                                      \
		c = vfmaq_laneq_f32(c, b0, a, 0);                                                  \
		c = vfmaq_laneq_f32(c, b1, a, 1);                                                  \
		c = vfmaq_laneq_f32(c, b2, a, 2);                                                  \
		c = vfmaq_laneq_f32(c, b3, a, 3);                                                  \
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

// ---- Scalar double precision ---------------------------------------------------------------------

#define BODIES 5
#define STEPS 120000ul

struct body {
	double x, y, z, vx, vy, vz, mass;
};

static void pull(struct body *a, struct body *b, double dt)
{
	double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
	double square = dx * dx + dy * dy + dz * dz + 0.01, root;

	__asm__("fsqrt %d0, %d1" : "=w"(root) : "w"(square));
	double force = dt / (square * root);

	a->vx -= dx * b->mass * force;
	a->vy -= dy * b->mass * force;
	a->vz -= dz * b->mass * force;
	b->vx += dx * a->mass * force;
	b->vy += dy * a->mass * force;
	b->vz += dz * a->mass * force;
}

static void double_el1(void)
{
	static struct body bodies[BODIES];
	uint64_t steps = bench_count(STEPS), state = 11, sum = 0;
	union {
		double value;
		uint64_t bits;
	} pun;

	for (unsigned i = 0; i < BODIES; i++) {
		double *p = &bodies[i].x;

		for (unsigned j = 0; j < 7; j++) {
			p[j] = (double)(random_next(&state) >> 12) / 0x1p52 + 0.125;
		}
	}
	for (uint64_t n = 0; n < steps; n++) {
		for (unsigned i = 0; i < BODIES; i++) {
			for (unsigned j = i + 1; j < BODIES; j++) {
				pull(&bodies[i], &bodies[j], 0x1p-10);
			}
		}
		for (unsigned i = 0; i < BODIES; i++) {
			bodies[i].x += bodies[i].vx * 0x1p-10;
			bodies[i].y += bodies[i].vy * 0x1p-10;
			bodies[i].z += bodies[i].vz * 0x1p-10;
		}
	}
	for (unsigned i = 0; i < BODIES; i++) {
		pun.value = bodies[i].x + bodies[i].y * 2 + bodies[i].vz;
		sum = mix(sum, pun.bits);
	}
	bench_done(steps, sum);
}

void bench_double(void)
{
	enter_el1(double_el1);
}
