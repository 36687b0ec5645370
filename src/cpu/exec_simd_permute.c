// SPDX-License-Identifier: Apache-2.0
// Advanced SIMD moves: DUP, INS, SMOV, UMOV, TBL, TBX, ZIP, UZP, TRN, EXT and the modified
// immediates.
#include <string.h>

#include "cpu/simd_internal.h"

// ---- copies -------------------------------------------------------------------------------------
// aux: the element of Rn; ra (INS): the element of Rd.

// imm5: the lowest set bit gives the size, what is above it the index. False when the size is
// reserved.
static bool decode_imm5(uint32_t insn, unsigned *size, unsigned *index)
{
	unsigned imm5 = (unsigned)bits(insn, 20, 16);

	if ((imm5 & 15) == 0) {
		return false;
	}
	*size = (unsigned)ctz64(imm5);
	*index = imm5 >> (*size + 1);
	return true;
}

#define DEF_DUP(name, type, view) \
	static OP(op_dup_##name##_q) \
	{ \
		VREG_AS(type, rd) = (type){0} + VN.view[op->aux]; \
		NEXT; \
	} \
	static OP(op_dup_general_##name##_q) \
	{ \
		VREG_AS(type, rd) = (type){0} + (__typeof__(VN.view[0]))XN; \
		NEXT; \
	} \
	static OP(op_dup_##name##_x) \
	{ \
		uint64_t v = VN.view[op->aux]; \
\
		VD.d[0] = v; \
		VD.d[1] = 0; \
		NEXT; \
	} \
	static OP(op_ins_##name) \
	{ \
		VD.view[op->ra] = VN.view[op->aux]; \
		NEXT; \
	} \
	static OP(op_ins_general_##name) \
	{ \
		VD.view[op->ra] = (__typeof__(VN.view[0]))XN; \
		NEXT; \
	} \
	static OP(op_umov_##name) \
	{ \
		XD = VN.view[op->aux]; \
		NEXT; \
	}

// Results of 64 bits: the upper half of Rd becomes zero.
#define DEF_DUP_LO(name, type, view) \
	static OP(op_dup_##name##_lo) \
	{ \
		VREG_AS(type, rd) = (type){0} + VN.view[op->aux]; \
		VD.d[1] = 0; \
		NEXT; \
	} \
	static OP(op_dup_general_##name##_lo) \
	{ \
		VREG_AS(type, rd) = (type){0} + (__typeof__(VN.view[0]))XN; \
		VD.d[1] = 0; \
		NEXT; \
	}

DEF_DUP_LO(b, v_uint8, b)
DEF_DUP_LO(h, v_uint16, h)
DEF_DUP_LO(s, v_uint32, s)
DEF_DUP(b, v_uint8, b)
DEF_DUP(h, v_uint16, h)
DEF_DUP(s, v_uint32, s)
DEF_DUP(d, v_uint64, d)

static OP(op_smov_b_w)
{
	XD = (uint32_t)(int8_t)VN.b[op->aux];
	NEXT;
}

static OP(op_smov_h_w)
{
	XD = (uint32_t)(int16_t)VN.h[op->aux];
	NEXT;
}

static OP(op_smov_b_x)
{
	XD = (uint64_t)(int8_t)VN.b[op->aux];
	NEXT;
}

static OP(op_smov_h_x)
{
	XD = (uint64_t)(int16_t)VN.h[op->aux];
	NEXT;
}

static OP(op_smov_s_x)
{
	XD = (uint64_t)(int32_t)VN.s[op->aux];
	NEXT;
}

bool tr_simd_dup_element(struct tr *t, uint32_t insn)
{
	static op_fn *const fns[2][4] = {
		{op_dup_b_lo, op_dup_h_lo, op_dup_s_lo, NULL},
		{op_dup_b_q, op_dup_h_q, op_dup_s_q, op_dup_d_q},
	};
	unsigned size, index;

	if (!decode_imm5(insn, &size, &index) || fns[F_Q(insn)][size] == NULL) {
		return false;
	}
	simd_emit_op(t, insn, fns[F_Q(insn)][size])->aux = index;
	return true;
}

bool tr_simd_dup_element_x(struct tr *t, uint32_t insn)
{
	static op_fn *const fns[4] = {op_dup_b_x, op_dup_h_x, op_dup_s_x, op_dup_d_x};
	unsigned size, index;

	if (!decode_imm5(insn, &size, &index)) {
		return false;
	}
	simd_emit_op(t, insn, fns[size])->aux = index;
	return true;
}

bool tr_simd_dup_general(struct tr *t, uint32_t insn)
{
	static op_fn *const fns[2][4] = {
		{op_dup_general_b_lo, op_dup_general_h_lo, op_dup_general_s_lo, NULL},
		{op_dup_general_b_q, op_dup_general_h_q, op_dup_general_s_q, op_dup_general_d_q},
	};
	unsigned size, index;

	if (!decode_imm5(insn, &size, &index) || fns[F_Q(insn)][size] == NULL) {
		return false;
	}
	simd_emit_op(t, insn, fns[F_Q(insn)][size])->rn = tr_xr(F_RN(insn));
	return true;
}

bool tr_simd_ins_general(struct tr *t, uint32_t insn)
{
	static op_fn *const fns[4] = {op_ins_general_b, op_ins_general_h, op_ins_general_s,
				      op_ins_general_d};
	unsigned size, index;
	struct uop *u;

	if (!decode_imm5(insn, &size, &index)) {
		return false;
	}
	u = simd_emit_op(t, insn, fns[size]);
	u->rn = tr_xr(F_RN(insn));
	u->ra = (uint8_t)index;
	return true;
}

bool tr_simd_ins_element(struct tr *t, uint32_t insn)
{
	static op_fn *const fns[4] = {op_ins_b, op_ins_h, op_ins_s, op_ins_d};
	unsigned size, index;
	struct uop *u;

	if (!decode_imm5(insn, &size, &index)) {
		return false;
	}
	u = simd_emit_op(t, insn, fns[size]);
	u->ra = (uint8_t)index;
	u->aux = (uint32_t)bits(insn, 14, 11) >> size;
	return true;
}

bool tr_simd_umov(struct tr *t, uint32_t insn)
{
	// Q is set for doublewords and for them alone.
	static op_fn *const fns[2][4] = {
		{op_umov_b, op_umov_h, op_umov_s, NULL},
		{NULL, NULL, NULL, op_umov_d},
	};
	unsigned size, index;
	struct uop *u;

	if (!decode_imm5(insn, &size, &index) || fns[F_Q(insn)][size] == NULL) {
		return false;
	}
	u = simd_emit_op(t, insn, fns[F_Q(insn)][size]);
	u->rd = tr_xw(F_RD(insn));
	u->aux = index;
	return true;
}

bool tr_simd_smov(struct tr *t, uint32_t insn)
{
	static op_fn *const fns[2][4] = {
		{op_smov_b_w, op_smov_h_w, NULL, NULL},
		{op_smov_b_x, op_smov_h_x, op_smov_s_x, NULL},
	};
	unsigned size, index;
	struct uop *u;

	if (!decode_imm5(insn, &size, &index) || fns[F_Q(insn)][size] == NULL) {
		return false;
	}
	u = simd_emit_op(t, insn, fns[F_Q(insn)][size]);
	u->rd = tr_xw(F_RD(insn));
	u->aux = index;
	return true;
}

// ---- table lookup -------------------------------------------------------------------------------
// aux: bytes of the table; the registers from Rn on follow each other, V31 then V0. TBX keeps Rd
// where the index is beyond the table, TBL writes zero.

static inline void table_lookup(struct pe *pe, const struct uop *op, union vreg r)
{
	uint8_t table[64];
	union vreg m = VM;

	for (unsigned i = 0; i < op->aux / 16; i++) {
		memcpy(table + 16 * (size_t)i, pe->v[(op->rn + i) & 31].b, 16);
	}
	for (unsigned i = 0; i < op->ra; i++) {
		if (m.b[i] < op->aux) {
			r.b[i] = table[m.b[i]];
		}
	}
	if (op->ra == 8) {
		r.d[1] = 0;
	}
	VD = r;
}

SIMD_WORKER(tbl)
{
	table_lookup(pe, op, (union vreg){{0}});
}

SIMD_WORKER(tbx)
{
	table_lookup(pe, op, VD);
}

bool tr_simd_tbl(struct tr *t, uint32_t insn)
{
	simd_emit(t, insn, bit(insn, 12) ? tbx : tbl, simd_bytes(insn, 0))->aux =
		16 * ((uint32_t)bits(insn, 14, 13) + 1);
	return true;
}

// ---- permutations -------------------------------------------------------------------------------
// aux: 0 for the first half or the even elements (ZIP1...), 1 for the others (ZIP2...).

#define DEF_PERMUTE(size, view, type) \
	SIMD_WORKER(zip_##size) \
	{ \
		union vreg n = VN, m = VM, r = {{0}}; \
		unsigned half = op->ra / (unsigned)sizeof(type) / 2, from = op->aux ? half : 0; \
\
		for (unsigned i = 0; i < half; i++) { \
			r.view[2 * i] = n.view[from + i]; \
			r.view[2 * i + 1] = m.view[from + i]; \
		} \
		VD = r; \
	} \
	SIMD_WORKER(uzp_##size) \
	{ \
		union vreg n = VN, m = VM, r = {{0}}; \
		unsigned half = op->ra / (unsigned)sizeof(type) / 2; \
\
		for (unsigned i = 0; i < half; i++) { \
			r.view[i] = n.view[2 * i + op->aux]; \
			r.view[half + i] = m.view[2 * i + op->aux]; \
		} \
		VD = r; \
	} \
	SIMD_WORKER(trn_##size) \
	{ \
		union vreg n = VN, m = VM, r = {{0}}; \
		unsigned half = op->ra / (unsigned)sizeof(type) / 2; \
\
		for (unsigned i = 0; i < half; i++) { \
			r.view[2 * i] = n.view[2 * i + op->aux]; \
			r.view[2 * i + 1] = m.view[2 * i + op->aux]; \
		} \
		VD = r; \
	}

DEF_PERMUTE(b, b, uint8_t)
DEF_PERMUTE(h, h, uint16_t)
DEF_PERMUTE(s, s, uint32_t)
DEF_PERMUTE(d, d, uint64_t)
TABLE_BHSD(zip);
TABLE_BHSD(uzp);
TABLE_BHSD(trn);

static bool tr_permute(struct tr *t, uint32_t insn, simd_fn *const fns[4], uint32_t second)
{
	unsigned size = F_SIZE(insn);

	if (size == 3 && !F_Q(insn)) {
		return false;
	}
	simd_emit(t, insn, fns[size], simd_bytes(insn, size))->aux = second;
	return true;
}

#define TR_PERMUTE(name) \
	bool tr_simd_##name##1(struct tr * t, uint32_t insn) \
	{ \
		return tr_permute(t, insn, name##_fns, 0); \
	} \
	bool tr_simd_##name##2(struct tr * t, uint32_t insn) \
	{ \
		return tr_permute(t, insn, name##_fns, 1); \
	}

TR_PERMUTE(zip)
TR_PERMUTE(uzp)
TR_PERMUTE(trn)

SIMD_WORKER(ext)
{
	uint8_t pair[32];
	union vreg n = VN, m = VM, r = {{0}};

	memcpy(pair, n.b, op->ra);
	memcpy(pair + op->ra, m.b, op->ra);
	memcpy(r.b, pair + op->aux, op->ra);
	VD = r;
}

bool tr_simd_ext(struct tr *t, uint32_t insn)
{
	unsigned index = (unsigned)bits(insn, 14, 11);

	if (!F_Q(insn) && index >= 8) {
		return false;
	}
	simd_emit(t, insn, ext, simd_bytes(insn, 0))->aux = index;
	return true;
}

// ---- modified immediate -------------------------------------------------------------------------

static OP(op_movi_q)
{
	VD.d[0] = op->imm;
	VD.d[1] = op->imm;
	NEXT;
}

static OP(op_movi_lo)
{
	VD.d[0] = op->imm;
	VD.d[1] = 0;
	NEXT;
}

static OP(op_orr_imm_q)
{
	VD.d[0] |= op->imm;
	VD.d[1] |= op->imm;
	NEXT;
}

static OP(op_orr_imm_lo)
{
	VD.d[0] |= op->imm;
	VD.d[1] = 0;
	NEXT;
}

static OP(op_bic_imm_q)
{
	VD.d[0] &= ~op->imm;
	VD.d[1] &= ~op->imm;
	NEXT;
}

static OP(op_bic_imm_lo)
{
	VD.d[0] &= ~op->imm;
	VD.d[1] = 0;
	NEXT;
}

static uint64_t replicate(uint64_t v, unsigned width)
{
	for (; width < 64; width *= 2) {
		v |= v << width;
	}
	return v;
}

// AdvSIMDExpandImm() but for o2.
static uint64_t expand_imm(unsigned op, unsigned cmode, unsigned imm8)
{
	uint64_t imm = 0;

	switch (cmode >> 1) {
	case 0:
	case 1:
	case 2:
	case 3:
		return replicate((uint64_t)imm8 << (cmode >> 1) * 8, 32);
	case 4:
	case 5:
		return replicate((uint64_t)imm8 << (cmode >> 1 & 1) * 8, 16);
	case 6:
		return replicate(cmode & 1 ? (uint64_t)imm8 << 16 | 0xffff
					   : (uint64_t)imm8 << 8 | 0xff,
				 32);
	default:
		break;
	}
	if (cmode == 14 && !op) {
		return replicate(imm8, 8);
	}
	if (cmode == 14) {
		for (unsigned i = 0; i < 8; i++) {
			imm |= bit(imm8, i) ? UINT64_C(0xff) << i * 8 : 0;
		}
		return imm;
	}
	return op ? simd_expand_fp_imm(imm8, 2) : replicate(simd_expand_fp_imm(imm8, 1), 32);
}

bool tr_simd_modified_imm(struct tr *t, uint32_t insn)
{
	static op_fn *const movi[2] = {op_movi_lo, op_movi_q},
			    *const orr[2] = {op_orr_imm_lo, op_orr_imm_q},
			    *const bic[2] = {op_bic_imm_lo, op_bic_imm_q};
	unsigned op = (unsigned)bit(insn, 29), cmode = (unsigned)bits(insn, 15, 12), q = F_Q(insn),
		 imm8 = (unsigned)(bits(insn, 18, 16) << 5 | bits(insn, 9, 5));
	op_fn *fn = movi[q];
	uint64_t imm;

	if (bit(insn, 11)) { // o2: only FMOV (half precision) exists
		if (op || cmode != 15 || !tr_has(t, FEAT_FP16)) {
			return false;
		}
		imm = replicate(simd_expand_fp_imm(imm8, 0), 16);
	} else {
		if (cmode == 15 && op && !q) {
			return false;
		}
		imm = expand_imm(op, cmode, imm8);
		if (cmode < 12 && (cmode & 1)) {
			fn = op ? bic[q] : orr[q];
		} else if (op && cmode < 14) {
			imm = ~imm; // MVNI
		}
	}
	simd_emit_op(t, insn, fn)->imm = imm;
	return true;
}
