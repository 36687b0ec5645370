// SPDX-License-Identifier: Apache-2.0
// Advanced SIMD floating point: three registers of the same type, by element, pairwise, across
// lanes, and the later additions (complex, half-to-single and BFloat16 multiplies). Two-register
// forms are in exec_simd_fp_misc.c.
#include "cpu/simd_host.h"
#include "cpu/simd_internal.h"

#define FP_ENV (&pe->fp)

// A shape in three precisions; expr is a macro of the function prefix (fp16, fp32, fp64).
#define DEF_FP_ALL(shape, name, expr) \
	DEF_FOR_HSD(shape, name, expr(fp16), expr(fp32), expr(fp64)) \
	TABLE_HSD(name);

// ---- three registers of the same type -----------------------------------------------------------

#define FADD(p) p##_add(FP_ENV, a, b)
#define FSUB(p) p##_sub(FP_ENV, a, b)
#define FMUL(p) p##_mul(FP_ENV, a, b)
#define FMULX(p) p##_mulx(FP_ENV, a, b)
#define FDIV(p) p##_div(FP_ENV, a, b)
#define FMAX(p) p##_max(FP_ENV, a, b)
#define FMIN(p) p##_min(FP_ENV, a, b)
#define FMAXNM(p) p##_maxnum(FP_ENV, a, b)
#define FMINNM(p) p##_minnum(FP_ENV, a, b)
#define FRECPS(p) p##_recip_step_fused(FP_ENV, a, b)
#define FRSQRTS(p) p##_rsqrt_step_fused(FP_ENV, a, b)
#define FABD(p) p##_abs(FP_ENV, p##_sub(FP_ENV, a, b))
#define FMLA(p) p##_mul_add(FP_ENV, c, a, b)
#define FMLS(p) p##_mul_add(FP_ENV, c, p##_neg(FP_ENV, a), b)
#define ALL_ONES_IF(condition) -(uint64_t)(condition)
#define FCMEQ(p) ALL_ONES_IF(p##_compare_eq(FP_ENV, a, b))
#define FCMGE(p) ALL_ONES_IF(p##_compare_ge(FP_ENV, a, b))
#define FCMGT(p) ALL_ONES_IF(p##_compare_gt(FP_ENV, a, b))
#define FACGE(p) ALL_ONES_IF(p##_compare_ge(FP_ENV, p##_abs(FP_ENV, a), p##_abs(FP_ENV, b)))
#define FACGT(p) ALL_ONES_IF(p##_compare_gt(FP_ENV, p##_abs(FP_ENV, a), p##_abs(FP_ENV, b)))

DEF_FOR_HSD(DEF_BINARY, fadd, FADD(fp16), FADD(fp32), FADD(fp64))
DEF_FOR_HSD(DEF_BINARY, fsub, FSUB(fp16), FSUB(fp32), FSUB(fp64))
DEF_FOR_HSD(DEF_BINARY, fmul, FMUL(fp16), FMUL(fp32), FMUL(fp64))
DEF_FP_ALL(DEF_BINARY, fmulx, FMULX)
DEF_FP_ALL(DEF_BINARY, fdiv, FDIV)
DEF_FP_ALL(DEF_BINARY, fmax, FMAX)
DEF_FP_ALL(DEF_BINARY, fmin, FMIN)
DEF_FP_ALL(DEF_BINARY, fmaxnm, FMAXNM)
DEF_FP_ALL(DEF_BINARY, fminnm, FMINNM)
DEF_FP_ALL(DEF_BINARY, frecps, FRECPS)
DEF_FP_ALL(DEF_BINARY, frsqrts, FRSQRTS)
DEF_FP_ALL(DEF_BINARY, fabd, FABD)
DEF_FOR_HSD(DEF_TERNARY, fmla, FMLA(fp16), FMLA(fp32), FMLA(fp64))
DEF_FOR_HSD(DEF_TERNARY, fmls, FMLS(fp16), FMLS(fp32), FMLS(fp64))
DEF_FP_ALL(DEF_BINARY, fcmeq, FCMEQ)
DEF_FP_ALL(DEF_BINARY, fcmge, FCMGE)
DEF_FP_ALL(DEF_BINARY, fcmgt, FCMGT)
DEF_FP_ALL(DEF_BINARY, facge, FACGE)
DEF_FP_ALL(DEF_BINARY, facgt, FACGT)

// Whole vectors of the most used operations go to the host where it is exact.
#define DEF_HOST(name, host) \
	SIMD_WORKER(name##_host_s) \
	{ \
		if (op->ra != 16 || !simd_host_##host##_s(FP_ENV, &VD, &VN, &VM)) { \
			name##_s(pe, op); \
		} \
	} \
	SIMD_WORKER(name##_host_d) \
	{ \
		if (op->ra != 16 || !simd_host_##host##_d(FP_ENV, &VD, &VN, &VM)) { \
			name##_d(pe, op); \
		} \
	} \
	static simd_fn *const name##_host_fns[4] = {NULL, name##_h, name##_host_s, name##_host_d};

DEF_HOST(fadd, add)
DEF_HOST(fsub, sub)
DEF_HOST(fmul, mul)
DEF_HOST(fmla, fma)
DEF_HOST(fmls, fms)

TR_FP(simd_fadd, fadd_host)
TR_FP(simd_fsub, fsub_host)
TR_FP(simd_fmul, fmul_host)
TR_FP(simd_fmulx, fmulx)
TR_FP_SCALAR(simd_fmulx_x, fmulx, RN)
TR_FP(simd_fdiv, fdiv)
TR_FP(simd_fmax, fmax)
TR_FP(simd_fmin, fmin)
TR_FP(simd_fmaxnm, fmaxnm)
TR_FP(simd_fminnm, fminnm)
TR_FP(simd_frecps, frecps)
TR_FP_SCALAR(simd_frecps_x, frecps, RN)
TR_FP(simd_frsqrts, frsqrts)
TR_FP_SCALAR(simd_frsqrts_x, frsqrts, RN)
TR_FP(simd_fabd, fabd)
TR_FP_SCALAR(simd_fabd_x, fabd, RN)
// FMLA Vd.4S has handlers of its own on a host with FMA.
static bool prefer_host_fmla(struct tr *t)
{
	struct uop *u = t->out - 1;

	if ((simd_fn *)(uintptr_t)u->imm == fmla_host_s && u->ra == 16 && simd_host_has_fma()) {
		u->fn = u->fn == op_simd_call ? op_fmla_4s_host : op_fmla_4s_element_host;
	}
	return true;
}

bool tr_simd_fmla(struct tr *t, uint32_t insn)
{
	return simd_tr_fp(t, insn, fmla_host_fns) && prefer_host_fmla(t);
}

bool tr_simd_fmla_h(struct tr *t, uint32_t insn)
{
	return simd_tr_fp16(t, insn, fmla_host_fns);
}

TR_FP(simd_fmls, fmls_host)
TR_FP(simd_fcmeq, fcmeq)
TR_FP_SCALAR(simd_fcmeq_x, fcmeq, RM)
TR_FP(simd_fcmge, fcmge)
TR_FP_SCALAR(simd_fcmge_x, fcmge, RM)
TR_FP(simd_fcmgt, fcmgt)
TR_FP_SCALAR(simd_fcmgt_x, fcmgt, RM)
TR_FP(simd_facge, facge)
TR_FP_SCALAR(simd_facge_x, facge, RM)
TR_FP(simd_facgt, facgt)
TR_FP_SCALAR(simd_facgt_x, facgt, RM)

// ---- by element ---------------------------------------------------------------------------------

static bool tr_fp_element(struct tr *t, uint32_t insn, simd_fn *const fns[4], unsigned size)
{
	if (!simd_is_scalar(insn) && size == 3 && !F_Q(insn)) {
		return false;
	}
	return simd_tr_element(t, insn, fns[size], size, simd_bytes(insn, size)) &&
	       prefer_host_fmla(t);
}

// `others`: where the scalar forms' other elements come from with FPCR.NEP set.
#define TR_FP_ELEMENT(name, table, others) \
	bool tr_simd_##name##_e(struct tr *t, uint32_t insn) \
	{ \
		return tr_fp_element(t, insn, table##_fns, 2 + bit(insn, 22)); \
	} \
	bool tr_simd_##name##_ex(struct tr *t, uint32_t insn) \
	{ \
		return tr_fp_element(t, insn, table##_fns, 2 + bit(insn, 22)) && \
		       simd_merging(t, F_##others(insn)); \
	} \
	bool tr_simd_##name##_e_h(struct tr *t, uint32_t insn) \
	{ \
		return tr_fp_element(t, insn, table##_fns, 1); \
	} \
	bool tr_simd_##name##_ex_h(struct tr *t, uint32_t insn) \
	{ \
		return tr_fp_element(t, insn, table##_fns, 1) && \
		       simd_merging(t, F_##others(insn)); \
	}

TR_FP_ELEMENT(fmla, fmla_host, RD)
TR_FP_ELEMENT(fmls, fmls_host, RD)
TR_FP_ELEMENT(fmul, fmul_host, RN)
TR_FP_ELEMENT(fmulx, fmulx, RN)

// ---- pairwise -----------------------------------------------------------------------------------

// Element i of the result joins elements 2i and 2i + 1 of Rm:Rn.
#define DEF_PAIRWISE(name, view, type, expr) \
	SIMD_WORKER(name) \
	{ \
		union vreg n = VN, m = VM, r = {{0}}; \
		unsigned count = op->ra / (unsigned)sizeof(type), half = count / 2; \
\
		for (unsigned i = 0; i < count; i++) { \
			const union vreg *from = i < half ? &n : &m; \
			unsigned k = 2 * (i < half ? i : i - half); \
			type a = from->view[k], b = from->view[k + 1]; \
\
			r.view[i] = (expr); \
		} \
		VD = r; \
	}

// The scalar form joins the two elements of Rn.
#define DEF_PAIR(name, view, type, expr) \
	SIMD_WORKER(name) \
	{ \
		type a = VN.view[0], b = VN.view[1]; \
		union vreg r = {{0}}; \
\
		r.view[0] = (expr); \
		VD = r; \
	}

// Reduce(): neighbours are joined until one is left.
#define DEF_REDUCE(name, view, type, expr) \
	SIMD_WORKER(name) \
	{ \
		union vreg n = VN, r = {{0}}; \
\
		for (unsigned count = op->ra / (unsigned)sizeof(type) / 2; count != 0; \
		     count /= 2) { \
			for (unsigned i = 0; i < count; i++) { \
				type a = n.view[2 * i], b = n.view[2 * i + 1]; \
\
				n.view[i] = (expr); \
			} \
		} \
		r.view[0] = n.view[0]; \
		VD = r; \
	}

// The scalar rows of half precision have U clear, not sz; single and double go by sz.
#define DEF_FP_PAIRWISE(name, expr) \
	DEF_FP_ALL(DEF_PAIRWISE, name##p, expr) \
	DEF_FP_ALL(DEF_PAIR, name##_pair, expr) \
	TR_FP(simd_##name##p, name##p) \
	TR_FP(simd_##name##p_x, name##_pair)

DEF_FP_PAIRWISE(fadd, FADD)
DEF_FP_PAIRWISE(fmax, FMAX)
DEF_FP_PAIRWISE(fmin, FMIN)
DEF_FP_PAIRWISE(fmaxnm, FMAXNM)
DEF_FP_PAIRWISE(fminnm, FMINNM)

#define DEF_FP_ACROSS(name, expr) \
	DEF_REDUCE(name##_h, h, uint16_t, expr(fp16)) \
	DEF_REDUCE(name##_s, s, uint32_t, expr(fp32)) \
	bool tr_simd_##name(struct tr *t, uint32_t insn) \
	{ \
		simd_emit(t, insn, name##_s, 16); \
		return true; \
	} \
	bool tr_simd_##name##_h(struct tr *t, uint32_t insn) \
	{ \
		simd_emit(t, insn, name##_h, simd_bytes(insn, 1)); \
		return true; \
	}

DEF_FP_ACROSS(fmaxv, FMAX)
DEF_FP_ACROSS(fminv, FMIN)
DEF_FP_ACROSS(fmaxnmv, FMAXNM)
DEF_FP_ACROSS(fminnmv, FMINNM)

// ---- half-to-single multiplies (FEAT_FHM) -------------------------------------------------------

// aux bit 16: the second half of the sources (FMLAL2).
SIMD_WORKER(fmlal)
{
	union vreg n = VN, m = VM, d = VD, r = {{0}};
	unsigned count = op->ra / 4u, from = op->aux >> 16 ? count : 0;
	bool subtract = bit(op->insn, 10) ? bit(op->insn, 23) : bit(op->insn, 14);

	for (unsigned i = 0; i < count; i++) {
		uint16_t a = n.h[from + i];

		r.s[i] = fp32_mul_add_h(FP_ENV, d.s[i], subtract ? fp16_neg(FP_ENV, a) : a,
					m.h[from + i]);
	}
	VD = r;
}

bool tr_simd_fmlal(struct tr *t, uint32_t insn)
{
	simd_emit(t, insn, fmlal, simd_bytes(insn, 2));
	return true;
}

bool tr_simd_fmlal2(struct tr *t, uint32_t insn)
{
	simd_emit(t, insn, fmlal, simd_bytes(insn, 2))->aux = 1u << 16;
	return true;
}

static bool tr_fmlal_element(struct tr *t, uint32_t insn, uint32_t second)
{
	unsigned index = (unsigned)(bit(insn, 11) << 2 | bit(insn, 21) << 1 | bit(insn, 20));

	simd_emit_element(t, insn, fmlal, 1, (unsigned)bits(insn, 19, 16), index,
			  simd_bytes(insn, 2))
		->aux |= second << 16;
	return true;
}

bool tr_simd_fmlal_e(struct tr *t, uint32_t insn)
{
	return tr_fmlal_element(t, insn, 0);
}

bool tr_simd_fmlal2_e(struct tr *t, uint32_t insn)
{
	return tr_fmlal_element(t, insn, 1);
}

// ---- complex numbers (FEAT_FCMA) ----------------------------------------------------------------
// aux bits 17:16: rot.

#define DEF_COMPLEX(view, type, p) \
	SIMD_WORKER(fcmla_##view) \
	{ \
		union vreg n = VN, m = VM, d = VD, r = {{0}}; \
		unsigned rot = op->aux >> 16 & 3, swap = rot & 1; \
\
		for (unsigned i = 0; i < op->ra / sizeof(type); i += 2) { \
			type x = n.view[i + swap], re = m.view[i + swap], \
			     im = m.view[i + 1 - swap]; \
\
			if (rot == 1 || rot == 2) { \
				re = p##_neg(FP_ENV, re); \
			} \
			if (rot >= 2) { \
				im = p##_neg(FP_ENV, im); \
			} \
			r.view[i] = p##_mul_add(FP_ENV, d.view[i], x, re); \
			r.view[i + 1] = p##_mul_add(FP_ENV, d.view[i + 1], x, im); \
		} \
		VD = r; \
	} \
	SIMD_WORKER(fcadd_##view) \
	{ \
		union vreg n = VN, m = VM, r = {{0}}; \
		unsigned rot = op->aux >> 16 & 1; \
\
		for (unsigned i = 0; i < op->ra / sizeof(type); i += 2) { \
			type re = m.view[i + 1], im = m.view[i]; \
\
			if (rot) { \
				im = p##_neg(FP_ENV, im); \
			} else { \
				re = p##_neg(FP_ENV, re); \
			} \
			r.view[i] = p##_add(FP_ENV, n.view[i], re); \
			r.view[i + 1] = p##_add(FP_ENV, n.view[i + 1], im); \
		} \
		VD = r; \
	}

DEF_COMPLEX(h, uint16_t, fp16)
DEF_COMPLEX(s, uint32_t, fp32)
DEF_COMPLEX(d, uint64_t, fp64)
TABLE_HSD(fcmla);
TABLE_HSD(fcadd);

static bool tr_complex(struct tr *t, uint32_t insn, simd_fn *const fns[4], uint32_t rot)
{
	unsigned size = F_SIZE(insn);

	if (size == 0 || (size == 1 && !tr_has(t, FEAT_FP16)) || (size == 3 && !F_Q(insn))) {
		return false;
	}
	simd_emit(t, insn, fns[size], simd_bytes(insn, size))->aux = rot << 16;
	return true;
}

bool tr_simd_fcmla(struct tr *t, uint32_t insn)
{
	return tr_complex(t, insn, fcmla_fns, (uint32_t)bits(insn, 12, 11));
}

bool tr_simd_fcadd(struct tr *t, uint32_t insn)
{
	return tr_complex(t, insn, fcadd_fns, bit(insn, 12));
}

// The repeated element is a pair.
bool tr_simd_fcmla_e_h(struct tr *t, uint32_t insn)
{
	unsigned h = bit(insn, 11), l = bit(insn, 21);

	if (!tr_has(t, FEAT_FP16) || (!F_Q(insn) && h)) {
		return false;
	}
	simd_emit_element(t, insn, fcmla_h, 2, F_RM(insn), h << 1 | l, simd_bytes(insn, 1))->aux |=
		(uint32_t)bits(insn, 14, 13) << 16;
	return true;
}

bool tr_simd_fcmla_e(struct tr *t, uint32_t insn)
{
	if (bit(insn, 21) || !F_Q(insn)) {
		return false;
	}
	simd_emit_element(t, insn, fcmla_s, 3, F_RM(insn), bit(insn, 11), 16)->aux |=
		(uint32_t)bits(insn, 14, 13) << 16;
	return true;
}

// ---- BFloat16 (FEAT_BF16) -----------------------------------------------------------------------

SIMD_WORKER(bfdot)
{
	union vreg n = VN, m = VM, d = VD, r = {{0}};

	for (unsigned i = 0; i < op->ra / 4u; i++) {
		r.s[i] = bf16_dot_add(FP_ENV, d.s[i], n.h[2 * i], n.h[2 * i + 1], m.h[2 * i],
				      m.h[2 * i + 1]);
	}
	VD = r;
}

SIMD_WORKER(bfmmla)
{
	union vreg n = VN, m = VM, d = VD, r;

	bf16_mat_mul_add(FP_ENV, r.s, d.s, n.h, m.h);
	VD = r;
}

// BFMLALB takes the even elements, BFMLALT (Q set) the odd ones; the result always has 128 bits.
SIMD_WORKER(bfmlal)
{
	union vreg n = VN, m = VM, d = VD, r;
	unsigned odd = F_Q(op->insn);

	for (unsigned i = 0; i < 4; i++) {
		r.s[i] = bf16_mul_add(FP_ENV, d.s[i], n.h[2 * i + odd], m.h[2 * i + odd]);
	}
	VD = r;
}

bool tr_simd_bfdot(struct tr *t, uint32_t insn)
{
	simd_emit(t, insn, bfdot, simd_bytes(insn, 2));
	return true;
}

bool tr_simd_bfdot_e(struct tr *t, uint32_t insn)
{
	return simd_tr_element(t, insn, bfdot, 2, simd_bytes(insn, 2));
}

bool tr_simd_bfmmla(struct tr *t, uint32_t insn)
{
	simd_emit(t, insn, bfmmla, 16);
	return true;
}

bool tr_simd_bfmlal(struct tr *t, uint32_t insn)
{
	simd_emit(t, insn, bfmlal, 16);
	return true;
}

bool tr_simd_bfmlal_e(struct tr *t, uint32_t insn)
{
	return simd_tr_element(t, insn, bfmlal, 1, 16);
}
