// SPDX-License-Identifier: Apache-2.0
// Whole-vector floating point on the host. The host's IEEE 754 operation gives the architecture's
// result and raises no flag but Inexact whenever rounding is to nearest, denormals are neither
// flushed nor reported, and every lane's result is a normal number away from the smallest one (so
// no operand was a NaN or an infinity, and neither overflow nor underflow is near). Inexact has to
// be set already: then there is no flag to find out.
#include "cpu/simd_host.h"

#include "cpu/simd_internal.h"

#if defined(__x86_64__)

#include <immintrin.h>

static bool host_usable(const struct fp_env *env)
{
	return (env->fpcr & (FP_CR_RMODE | FP_CR_FZ | FP_CR_FIZ | FP_CR_AH)) == 0 &&
	       (env->fpsr & FP_SR_IXC) != 0;
}

// Is the biased exponent of every lane in [2, 254]?
static inline __attribute__((always_inline)) bool lanes_plain_s(__m128 r)
{
	__m128i e = _mm_srli_epi32(_mm_slli_epi32(_mm_castps_si128(r), 1), 24);
	__m128i bad = _mm_or_si128(_mm_cmplt_epi32(e, _mm_set1_epi32(2)),
				   _mm_cmpgt_epi32(e, _mm_set1_epi32(254)));

	return _mm_movemask_epi8(bad) == 0;
}

// Likewise in [2, 2046]; the exponent sits in the upper half of each lane.
static inline __attribute__((always_inline)) bool lanes_plain_d(__m128d r)
{
	__m128i e = _mm_srli_epi32(_mm_slli_epi32(_mm_castpd_si128(r), 1), 21);
	__m128i bad = _mm_or_si128(_mm_cmplt_epi32(e, _mm_set1_epi32(2)),
				   _mm_cmpgt_epi32(e, _mm_set1_epi32(2046)));

	return (_mm_movemask_epi8(bad) & 0xf0f0) == 0;
}

#define LOAD_S(v) _mm_load_ps((const float *)(const void *)(v))
#define LOAD_D(v) _mm_load_pd((const double *)(const void *)(v))

#define DEF_HOST_S(name, attributes, supported, expr) \
	attributes bool name(const struct fp_env *env, union vreg *d, const union vreg *n, \
			     const union vreg *m) \
	{ \
		__m128 r; \
\
		if (!host_usable(env) || !(supported)) { \
			return false; \
		} \
		r = (expr); \
		if (!lanes_plain_s(r)) { \
			return false; \
		} \
		_mm_store_ps((float *)(void *)d, r); \
		return true; \
	}

#define DEF_HOST_D(name, attributes, supported, expr) \
	attributes bool name(const struct fp_env *env, union vreg *d, const union vreg *n, \
			     const union vreg *m) \
	{ \
		__m128d r; \
\
		if (!host_usable(env) || !(supported)) { \
			return false; \
		} \
		r = (expr); \
		if (!lanes_plain_d(r)) { \
			return false; \
		} \
		_mm_store_pd((double *)(void *)d, r); \
		return true; \
	}

#define WITH_FMA __attribute__((target("fma")))
#define HAS_FMA __builtin_cpu_supports("fma")

DEF_HOST_S(simd_host_add_s, , true, _mm_add_ps(LOAD_S(n), LOAD_S(m)))
DEF_HOST_D(simd_host_add_d, , true, _mm_add_pd(LOAD_D(n), LOAD_D(m)))
DEF_HOST_S(simd_host_sub_s, , true, _mm_sub_ps(LOAD_S(n), LOAD_S(m)))
DEF_HOST_D(simd_host_sub_d, , true, _mm_sub_pd(LOAD_D(n), LOAD_D(m)))
DEF_HOST_S(simd_host_mul_s, , true, _mm_mul_ps(LOAD_S(n), LOAD_S(m)))
DEF_HOST_D(simd_host_mul_d, , true, _mm_mul_pd(LOAD_D(n), LOAD_D(m)))
DEF_HOST_S(simd_host_fma_s, WITH_FMA, HAS_FMA, _mm_fmadd_ps(LOAD_S(n), LOAD_S(m), LOAD_S(d)))
DEF_HOST_D(simd_host_fma_d, WITH_FMA, HAS_FMA, _mm_fmadd_pd(LOAD_D(n), LOAD_D(m), LOAD_D(d)))
DEF_HOST_S(simd_host_fms_s, WITH_FMA, HAS_FMA, _mm_fnmadd_ps(LOAD_S(n), LOAD_S(m), LOAD_S(d)))
DEF_HOST_D(simd_host_fms_d, WITH_FMA, HAS_FMA, _mm_fnmadd_pd(LOAD_D(n), LOAD_D(m), LOAD_D(d)))

bool simd_host_has_fma(void)
{
	return HAS_FMA;
}

// The multiplier is a vector, or the element that aux names (index in 7:0, register in 15:8).
#define DEF_FMLA(name, multiplier, general) \
	WITH_FMA OP(name) \
	{ \
		__m128 r = _mm_fmadd_ps(LOAD_S(&VN), (multiplier), LOAD_S(&VD)); \
\
		if (!host_usable(&pe->fp) || !lanes_plain_s(r)) { \
			return general(pe, op); \
		} \
		_mm_store_ps((float *)(void *)&VD, r); \
		NEXT; \
	}

DEF_FMLA(op_fmla_4s_host, LOAD_S(&VM), op_simd_call)
DEF_FMLA(op_fmla_4s_element_host,
	 _mm_castsi128_ps(_mm_set1_epi32((int)pe->v[op->aux >> 8 & 31].s[op->aux & 3])),
	 op_simd_element_s)

#else

bool simd_host_has_fma(void)
{
	return false;
}

OP(op_fmla_4s_host)
{
	return op_simd_call(pe, op);
}

OP(op_fmla_4s_element_host)
{
	return op_simd_element_s(pe, op);
}

#define DEF_NO_HOST(name) \
	bool name(const struct fp_env *env, union vreg *d, const union vreg *n, \
		  const union vreg *m) \
	{ \
		(void)env; \
		(void)d; \
		(void)n; \
		(void)m; \
		return false; \
	}

DEF_NO_HOST(simd_host_add_s)
DEF_NO_HOST(simd_host_add_d)
DEF_NO_HOST(simd_host_sub_s)
DEF_NO_HOST(simd_host_sub_d)
DEF_NO_HOST(simd_host_mul_s)
DEF_NO_HOST(simd_host_mul_d)
DEF_NO_HOST(simd_host_fma_s)
DEF_NO_HOST(simd_host_fma_d)
DEF_NO_HOST(simd_host_fms_s)
DEF_NO_HOST(simd_host_fms_d)

#endif
