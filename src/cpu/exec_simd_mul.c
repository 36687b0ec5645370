// SPDX-License-Identifier: Apache-2.0
// Advanced SIMD: widening and narrowing arithmetic on registers of different types, saturating
// doubling multiplies, dot products, matrix multiplies, polynomial multiplies, and the integer
// by-element forms of all multiplies.
#include "cpu/crypto/crypto.h"
#include "cpu/simd_internal.h"

#define WIDTH(v) ((unsigned)sizeof(v) * 8)

// ---- long: elements of twice the size -----------------------------------------------------------
// a and b are elements of the selected halves of Rn and Rm, extended to the result's type; c is the
// element of Rd. The scalar forms (SQDMULL and its kin) have one element.

#define DEF_LONG(name, from, from_type, to, to_type, expr) \
	SIMD_WORKER(name) \
	{ \
		union vreg n = simd_source_half(op, VN), m = simd_source_half(op, VM), d = VD, \
			   r = {{0}}; \
		unsigned count = simd_is_scalar(op->insn) ? 1 : 16 / (unsigned)sizeof(to_type); \
\
		for (unsigned i = 0; i < count; i++) { \
			to_type a = (from_type)n.from[i], b = (from_type)m.from[i], \
				c = (to_type)d.to[i]; \
\
			(void)c; \
			r.to[i] = (expr); \
		} \
		VD = r; \
	}

#define DEF_LONG_BHS(name, sign, expr) \
	DEF_LONG(name##_b, b, sign##8_t, h, sign##16_t, expr) \
	DEF_LONG(name##_h, h, sign##16_t, s, sign##32_t, expr) \
	DEF_LONG(name##_s, s, sign##32_t, d, sign##64_t, expr) \
	TABLE_BHS(name)

// Products of the two widest types fit (2^62 or 2^64 - ...); sums wrap.
#define ABS_DIFF(a, b) ((a) > (b) ? (a) - (b) : (b) - (a))
DEF_LONG_BHS(saddl, int, a + b);
DEF_LONG_BHS(uaddl, uint, a + b);
DEF_LONG_BHS(ssubl, int, a - b);
DEF_LONG_BHS(usubl, uint, a - b);
DEF_LONG_BHS(sabdl, int, ABS_DIFF(a, b));
DEF_LONG_BHS(uabdl, uint, ABS_DIFF(a, b));
DEF_LONG_BHS(sabal, int, (uint64_t)c + (uint64_t)ABS_DIFF(a, b));
DEF_LONG_BHS(uabal, uint, (uint64_t)c + (uint64_t)ABS_DIFF(a, b));
DEF_LONG_BHS(smull, int, (uint64_t)a *(uint64_t)b);
DEF_LONG_BHS(umull, uint, (uint64_t)a *b);
DEF_LONG_BHS(smlal, int, (uint64_t)c + (uint64_t)a * (uint64_t)b);
DEF_LONG_BHS(umlal, uint, c + (uint64_t)a * b);
DEF_LONG_BHS(smlsl, int, (uint64_t)c - (uint64_t)a * (uint64_t)b);
DEF_LONG_BHS(umlsl, uint, c - (uint64_t)a * b);

#define DOUBLE_MULTIPLY(a, b) \
	(__int128)(int64_t)simd_sat_signed(pe, (__int128)(a) * (b)*2, WIDTH(a))
#define SIGNED_PRODUCT(a, b) (__int128)sext(DOUBLE_MULTIPLY(a, b), WIDTH(a))
#define DEF_LONG_HS(name, expr) \
	DEF_LONG(name##_h, h, int16_t, s, int32_t, expr) \
	DEF_LONG(name##_s, s, int32_t, d, int64_t, expr) \
	TABLE_HS(name)

DEF_LONG_HS(sqdmull, simd_sat_signed(pe, (__int128)a *b * 2, WIDTH(a)));
DEF_LONG_HS(sqdmlal, simd_sat_signed(pe, c + SIGNED_PRODUCT(a, b), WIDTH(a)));
DEF_LONG_HS(sqdmlsl, simd_sat_signed(pe, c - SIGNED_PRODUCT(a, b), WIDTH(a)));

// Rows of this group have sources of 8, 16 or 32 bits, whatever Q says; by element 16 or 32 bits.
static bool tr_long(struct tr *t, uint32_t insn, simd_fn *const fns[4])
{
	unsigned size = F_SIZE(insn);

	if (fns[size] == NULL) {
		return false;
	}
	simd_emit(t, insn, fns[size], 16);
	return true;
}

static bool tr_by_element(struct tr *t, uint32_t insn, simd_fn *const fns[4])
{
	unsigned size = F_SIZE(insn);

	if ((size != 1 && size != 2) || fns[size] == NULL) {
		return false;
	}
	return simd_tr_element(t, insn, fns[size], size, simd_bytes(insn, size));
}

#define TR_LONG(row, name) \
	bool tr_##row(struct tr *t, uint32_t insn) \
	{ \
		return tr_long(t, insn, name##_fns); \
	}
#define TR_ELEMENT(row, name) \
	bool tr_##row(struct tr *t, uint32_t insn) \
	{ \
		return tr_by_element(t, insn, name##_fns); \
	}

TR_LONG(simd_saddl, saddl)
TR_LONG(simd_uaddl, uaddl)
TR_LONG(simd_ssubl, ssubl)
TR_LONG(simd_usubl, usubl)
TR_LONG(simd_sabdl, sabdl)
TR_LONG(simd_uabdl, uabdl)
TR_LONG(simd_sabal, sabal)
TR_LONG(simd_uabal, uabal)
TR_LONG(simd_smull, smull)
TR_LONG(simd_umull, umull)
TR_LONG(simd_smlal, smlal)
TR_LONG(simd_umlal, umlal)
TR_LONG(simd_smlsl, smlsl)
TR_LONG(simd_umlsl, umlsl)
TR_LONG(simd_sqdmull, sqdmull)
TR_LONG(simd_sqdmull_x, sqdmull)
TR_LONG(simd_sqdmlal, sqdmlal)
TR_LONG(simd_sqdmlal_x, sqdmlal)
TR_LONG(simd_sqdmlsl, sqdmlsl)
TR_LONG(simd_sqdmlsl_x, sqdmlsl)
TR_ELEMENT(simd_smull_e, smull)
TR_ELEMENT(simd_umull_e, umull)
TR_ELEMENT(simd_smlal_e, smlal)
TR_ELEMENT(simd_umlal_e, umlal)
TR_ELEMENT(simd_smlsl_e, smlsl)
TR_ELEMENT(simd_umlsl_e, umlsl)
TR_ELEMENT(simd_sqdmull_e, sqdmull)
TR_ELEMENT(simd_sqdmull_ex, sqdmull)
TR_ELEMENT(simd_sqdmlal_e, sqdmlal)
TR_ELEMENT(simd_sqdmlal_ex, sqdmlal)
TR_ELEMENT(simd_sqdmlsl_e, sqdmlsl)
TR_ELEMENT(simd_sqdmlsl_ex, sqdmlsl)

// ---- wide: Rn has elements of the result's size -------------------------------------------------

#define DEF_WIDE(name, from, from_type, to, to_type, operator) \
	SIMD_WORKER(name) \
	{ \
		union vreg n = VN, m = simd_source_half(op, VM), r; \
\
		for (unsigned i = 0; i < 16 / sizeof(to_type); i++) { \
			r.to[i] = n.to[i] operator(uint64_t)(to_type)(from_type) m.from[i]; \
		} \
		VD = r; \
	}

#define DEF_WIDE_BHS(name, sign, operator) \
	DEF_WIDE(name##_b, b, sign##8_t, h, sign##16_t, operator) \
	DEF_WIDE(name##_h, h, sign##16_t, s, sign##32_t, operator) \
	DEF_WIDE(name##_s, s, sign##32_t, d, sign##64_t, operator) \
	TABLE_BHS(name); \
	TR_LONG(simd_##name, name)

DEF_WIDE_BHS(saddw, int, +)
DEF_WIDE_BHS(uaddw, uint, +)
DEF_WIDE_BHS(ssubw, int, -)
DEF_WIDE_BHS(usubw, uint, -)

// ---- narrow: the high halves of sums and differences --------------------------------------------

#define DEF_HIGH_NARROW(name, from, from_type, to, width, operator, round) \
	SIMD_WORKER(name) \
	{ \
		union vreg n = VN, m = VM, r = {{0}}; \
\
		for (unsigned i = 0; i < 64 / (width); i++) { \
			from_type sum = \
				(from_type)((uint64_t)n.from[i] operator(uint64_t) m.from[i] + \
					    ((uint64_t)(round) << ((width)-1))); \
\
			r.to[i] = sum >> (width); \
		} \
		simd_write_half(pe, op, r.d[0]); \
	}

#define DEF_HIGH_NARROW_BHS(name, operator, round) \
	DEF_HIGH_NARROW(name##_b, h, uint16_t, b, 8, operator, round) \
	DEF_HIGH_NARROW(name##_h, s, uint32_t, h, 16, operator, round) \
	DEF_HIGH_NARROW(name##_s, d, uint64_t, s, 32, operator, round) \
	TABLE_BHS(name); \
	TR_LONG(simd_##name, name)

DEF_HIGH_NARROW_BHS(addhn, +, 0)
DEF_HIGH_NARROW_BHS(raddhn, +, 1)
DEF_HIGH_NARROW_BHS(subhn, -, 0)
DEF_HIGH_NARROW_BHS(rsubhn, -, 1)

// ---- doubling multiplies, high half -------------------------------------------------------------

#define SAT_HIGH(v, a) simd_sat_signed(pe, (v) >> WIDTH(a), WIDTH(a))
#define ROUND_HALF(a) ((__int128)1 << (WIDTH(a) - 1))

#define DEF_SAME_HS(shape, name, expr) \
	shape(name##_h, h, int16_t, expr) shape(name##_s, s, int32_t, expr) TABLE_HS(name); \
	TR_SIZED(simd_##name, name) \
	TR_SIZED(simd_##name##_x, name) \
	TR_ELEMENT(simd_##name##_e, name) \
	TR_ELEMENT(simd_##name##_ex, name)

DEF_SAME_HS(DEF_BINARY, sqdmulh, SAT_HIGH((__int128)a *b * 2, a))
DEF_SAME_HS(DEF_BINARY, sqrdmulh, SAT_HIGH((__int128)a *b * 2 + ROUND_HALF(a), a))
// FEAT_RDM: the accumulator takes part before the rounding.
DEF_SAME_HS(DEF_TERNARY, sqrdmlah,
	    SAT_HIGH((__int128)c * 2 * ROUND_HALF(a) + (__int128)a * b * 2 + ROUND_HALF(a), a))
DEF_SAME_HS(DEF_TERNARY, sqrdmlsh,
	    SAT_HIGH((__int128)c * 2 * ROUND_HALF(a) - (__int128)a * b * 2 + ROUND_HALF(a), a))

// ---- multiplies of one size, by element ---------------------------------------------------------

DEF_BINARY(mul_e_h, h, uint16_t, (uint32_t)a *b)
DEF_BINARY(mul_e_s, s, uint32_t, a *b)
DEF_TERNARY(mla_e_h, h, uint16_t, c + (uint32_t)a * b)
DEF_TERNARY(mla_e_s, s, uint32_t, c + a * b)
DEF_TERNARY(mls_e_h, h, uint16_t, c - (uint32_t)a * b)
DEF_TERNARY(mls_e_s, s, uint32_t, c - a * b)
TABLE_HS(mul_e);
TABLE_HS(mla_e);
TABLE_HS(mls_e);
TR_ELEMENT(simd_mul_e, mul_e)
TR_ELEMENT(simd_mla_e, mla_e)
TR_ELEMENT(simd_mls_e, mls_e)

// ---- dot products and matrices of bytes ---------------------------------------------------------

#define DEF_DOT(name, n_type, m_type) \
	SIMD_WORKER(name) \
	{ \
		union vreg n = VN, m = VM, d = VD, r = {{0}}; \
\
		for (unsigned i = 0; i < op->ra / 4u; i++) { \
			uint32_t sum = d.s[i]; \
\
			for (unsigned k = 4 * i; k < 4 * i + 4; k++) { \
				sum += (uint32_t)((n_type)n.b[k] * (m_type)m.b[k]); \
			} \
			r.s[i] = sum; \
		} \
		VD = r; \
	}

DEF_DOT(sdot, int8_t, int8_t)
DEF_DOT(udot, uint8_t, uint8_t)
DEF_DOT(usdot, uint8_t, int8_t)
DEF_DOT(sudot, int8_t, uint8_t)

#define TR_DOT(row, worker) \
	bool tr_##row(struct tr *t, uint32_t insn) \
	{ \
		simd_emit(t, insn, worker, simd_bytes(insn, 2)); \
		return true; \
	}
#define TR_DOT_ELEMENT(row, worker) \
	bool tr_##row(struct tr *t, uint32_t insn) \
	{ \
		return simd_tr_element(t, insn, worker, 2, simd_bytes(insn, 2)); \
	}

TR_DOT(simd_sdot, sdot)
TR_DOT(simd_udot, udot)
TR_DOT(simd_usdot, usdot)
TR_DOT_ELEMENT(simd_sdot_e, sdot)
TR_DOT_ELEMENT(simd_udot_e, udot)
TR_DOT_ELEMENT(simd_usdot_e, usdot)
TR_DOT_ELEMENT(simd_sudot_e, sudot)

// 2x8 times 8x2 into 2x2 words.
#define DEF_MATRIX(name, n_type, m_type) \
	SIMD_WORKER(name) \
	{ \
		union vreg n = VN, m = VM, r = VD; \
\
		for (unsigned i = 0; i < 4; i++) { \
			for (unsigned k = 0; k < 8; k++) { \
				r.s[i] += (uint32_t)((n_type)n.b[i / 2 * 8 + k] * \
						     (m_type)m.b[i % 2 * 8 + k]); \
			} \
		} \
		VD = r; \
	} \
	bool tr_simd_##name(struct tr *t, uint32_t insn) \
	{ \
		simd_emit(t, insn, name, 16); \
		return true; \
	}

DEF_MATRIX(smmla, int8_t, int8_t)
DEF_MATRIX(ummla, uint8_t, uint8_t)
DEF_MATRIX(usmmla, uint8_t, int8_t)

// ---- polynomials --------------------------------------------------------------------------------

SIMD_WORKER(pmul)
{
	crypto_pmul8(&VD, &VN, &VM);
	if (op->ra == 8) {
		VD.d[1] = 0;
	}
}

bool tr_simd_pmul(struct tr *t, uint32_t insn)
{
	if (F_SIZE(insn) != 0) {
		return false;
	}
	simd_emit(t, insn, pmul, simd_bytes(insn, 0));
	return true;
}

SIMD_WORKER(pmull_b)
{
	crypto_pmull8(&VD, VN.d[simd_upper(op)], VM.d[simd_upper(op)]);
}

SIMD_WORKER(pmull_d)
{
	crypto_pmull64(&VD, VN.d[simd_upper(op)], VM.d[simd_upper(op)]);
}

bool tr_simd_pmull(struct tr *t, uint32_t insn)
{
	switch (F_SIZE(insn)) {
	case 0:
		simd_emit(t, insn, pmull_b, 16);
		return true;
	case 3:
		if (!tr_has(t, FEAT_PMULL)) {
			return false;
		}
		simd_emit(t, insn, pmull_d, 16);
		return true;
	default:
		return false;
	}
}
