// SPDX-License-Identifier: Apache-2.0
// What the files of Advanced SIMD, floating point and crypto instructions share.
//
// Most of these instructions are worker functions, `void (struct pe *, const struct uop *)`, which
// one small handler calls: a worker may use locals freely, since it is no handler. The hot and
// simple ones are handlers of their own.
//
// One worker serves the scalar form (one element), the 64-bit and the 128-bit vector form: op->ra
// holds the number of bytes of the result, op->imm the worker, op->aux what the translator computed
// (a shift, an index).
#ifndef STRATA_CPU_SIMD_INTERNAL_H
#define STRATA_CPU_SIMD_INTERNAL_H

#include "cpu/exec_internal.h"
#include "cpu/fp/fp.h"

typedef void simd_fn(struct pe *pe, const struct uop *op);

// The result of a scalar floating-point instruction: element 0 of Vd. The others become zero, or
// with FPCR.NEP set (IsMerging()) those of the register that the uop's field `others` names.
#define WRITE_SCALAR(view, others, value) \
	do { \
		uint64_t result_ = (value); \
\
		if (unlikely(pe->fp.fpcr & FP_CR_NEP)) { \
			VD = pe->v[op->others]; \
			VD.view[0] = (__typeof__(VD.view[0]))result_; \
		} else { \
			VD.d[0] = result_; \
			VD.d[1] = 0; \
		} \
	} while (0)

// Workers and vector handlers are compiled for three kinds of x86-64 host, of which the dynamic
// loader takes the best one that the machine has; elsewhere, and where a sanitizer watches, there
// is one, of portable C. None of the three may fuse a multiplication with an addition.
#if defined(SIMD_CLONES)
#elif defined(__x86_64__) && STRATA_TAIL_CALLS
#define SIMD_CLONES __attribute__((target_clones("default", "sse4.2", "avx2")))
#else
#define SIMD_CLONES
#endif

#define SIMD_WORKER(name) SIMD_CLONES static void name(struct pe *pe, const struct uop *op)
#define SIMD_OP(name) SIMD_CLONES static OP(name)

#define FP_SR_QC (1u << 27) // cumulative saturation

// Whole registers as host vectors. Comparisons give all ones or zero in each element, as the
// instructions do.
#define SIMD_VECTOR(type) type##_t __attribute__((vector_size(16), may_alias))
typedef SIMD_VECTOR(int8) v_int8;
typedef SIMD_VECTOR(int16) v_int16;
typedef SIMD_VECTOR(int32) v_int32;
typedef SIMD_VECTOR(int64) v_int64;
typedef SIMD_VECTOR(uint8) v_uint8;
typedef SIMD_VECTOR(uint16) v_uint16;
typedef SIMD_VECTOR(uint32) v_uint32;
typedef SIMD_VECTOR(uint64) v_uint64;

#define VREG_AS(type, field) (*(type *)&pe->v[op->field])

op_fn op_simd_call, op_simd_merging, op_simd_element_h, op_simd_element_s, op_simd_element_d;

// Emit a worker call, or a handler of its own, with Rd, Rn, Rm from their usual places.
struct uop *simd_emit(struct tr *t, uint32_t insn, simd_fn *fn, unsigned bytes);
struct uop *simd_emit_op(struct tr *t, uint32_t insn, op_fn *fn);

// Is this the encoding of a scalar form (01 U 1111...) rather than of a vector one (0Q U 0111...)?
static inline bool simd_is_scalar(uint32_t insn)
{
	return bit(insn, 28);
}

// Bytes of the result for elements of `size` (log2 of bytes).
static inline unsigned simd_bytes(uint32_t insn, unsigned size)
{
	return simd_is_scalar(insn) ? 1u << size : F_Q(insn) ? 16 : 8;
}

// Translators for the common shapes. Tables are indexed by log2 of the element's bytes; NULL is
// unallocated. Element size in bits 23:22; a vector of one 64-bit element is reserved.
bool simd_tr_sized(struct tr *t, uint32_t insn, simd_fn *const fns[4]);
// The same with handlers, [0] for results of 64 bits (and scalar ones), [1] for 128 bits.
bool simd_tr_sized_op(struct tr *t, uint32_t insn, op_fn *const fns[2][4]);
// Floating point: single or double by bit 22.
bool simd_tr_fp(struct tr *t, uint32_t insn, simd_fn *const fns[4]);
// Floating point: half precision.
bool simd_tr_fp16(struct tr *t, uint32_t insn, simd_fn *const fns[4]);

// The last instruction emitted, a scalar floating-point one, obeys FPCR.NEP: its other elements may
// have to come from the register `others`. True always, for translators to end with.
bool simd_merging(struct tr *t, unsigned others);

// By element: Rm's element, repeated into v[32], is what the worker sees as Rm. `size` is that of
// the element (1 to 3, or of the group of elements that is repeated); the index and Rm are decoded
// as for that size.
bool simd_tr_element(struct tr *t, uint32_t insn, simd_fn *fn, unsigned size, unsigned bytes);
// The same with the index and register given; aux bits 31:16 are the caller's.
struct uop *simd_emit_element(struct tr *t, uint32_t insn, simd_fn *fn, unsigned size, unsigned rm,
			      unsigned index, unsigned bytes);

#define TR_SIZED(row, table) \
	bool tr_##row(struct tr *t, uint32_t insn) \
	{ \
		return simd_tr_sized(t, insn, table##_fns); \
	}
#define TR_SIZED_OP(row, table) \
	bool tr_##row(struct tr *t, uint32_t insn) \
	{ \
		return simd_tr_sized_op(t, insn, table##_fns); \
	}
#define TR_FP(row, table) \
	bool tr_##row(struct tr *t, uint32_t insn) \
	{ \
		return simd_tr_fp(t, insn, table##_fns); \
	} \
	bool tr_##row##_h(struct tr *t, uint32_t insn) \
	{ \
		return simd_tr_fp16(t, insn, table##_fns); \
	}
// The scalar form, whose other elements are those of the register in field F_others.
#define TR_FP_SCALAR(row, table, others) \
	bool tr_##row(struct tr *t, uint32_t insn) \
	{ \
		return simd_tr_fp(t, insn, table##_fns) && simd_merging(t, F_##others(insn)); \
	} \
	bool tr_##row##_h(struct tr *t, uint32_t insn) \
	{ \
		return simd_tr_fp16(t, insn, table##_fns) && simd_merging(t, F_##others(insn)); \
	}

// ---- element-wise workers -----------------------------------------------------------------------

// expr of a and b, the elements of Rn and Rm.
#define DEF_BINARY(name, view, type, expr) \
	SIMD_WORKER(name) \
	{ \
		union vreg n = VN, m = VM, r = {{0}}; \
		unsigned count = op->ra / (unsigned)sizeof(type); \
\
		for (unsigned i = 0; i < count; i++) { \
			type a = (type)n.view[i], b = (type)m.view[i]; \
\
			r.view[i] = (expr); \
		} \
		VD = r; \
	}

// expr of a, b and c, the elements of Rn, Rm and Rd.
#define DEF_TERNARY(name, view, type, expr) \
	SIMD_WORKER(name) \
	{ \
		union vreg n = VN, m = VM, d = VD, r = {{0}}; \
		unsigned count = op->ra / (unsigned)sizeof(type); \
\
		for (unsigned i = 0; i < count; i++) { \
			type a = (type)n.view[i], b = (type)m.view[i], c = (type)d.view[i]; \
\
			r.view[i] = (expr); \
		} \
		VD = r; \
	}

// expr of a, the elements of Rn.
#define DEF_UNARY(name, view, type, expr) \
	SIMD_WORKER(name) \
	{ \
		union vreg n = VN, r = {{0}}; \
		unsigned count = op->ra / (unsigned)sizeof(type); \
\
		for (unsigned i = 0; i < count; i++) { \
			type a = (type)n.view[i]; \
\
			r.view[i] = (expr); \
		} \
		VD = r; \
	}

// A shape for each element size; sign is int or uint.
#define DEF_FOR_BHS(shape, name, sign, expr) \
	shape(name##_b, b, sign##8_t, expr) shape(name##_h, h, sign##16_t, expr) \
		shape(name##_s, s, sign##32_t, expr)
#define DEF_FOR_BHSD(shape, name, sign, expr) \
	DEF_FOR_BHS(shape, name, sign, expr) \
	shape(name##_d, d, sign##64_t, expr)
#define DEF_FOR_HSD(shape, name, expr16, expr32, expr64) \
	shape(name##_h, h, uint16_t, expr16) shape(name##_s, s, uint32_t, expr32) \
		shape(name##_d, d, uint64_t, expr64)

#define TABLE_BHSD(name) \
	static simd_fn *const name##_fns[4] = {name##_b, name##_h, name##_s, name##_d}
#define TABLE_BHS(name) static simd_fn *const name##_fns[4] = {name##_b, name##_h, name##_s, NULL}
#define TABLE_HSD(name) static simd_fn *const name##_fns[4] = {NULL, name##_h, name##_s, name##_d}
#define TABLE_HS(name) static simd_fn *const name##_fns[4] = {NULL, name##_h, name##_s, NULL}

// VFPExpandImm() for half (0), single (1) and double (2) precision.
uint64_t simd_expand_fp_imm(unsigned imm8, unsigned type);

// Vector conversions with fixed point, by signedness (1: unsigned) and element size; aux is
// fraction bits in 7:0 and rounding in 11:8 (SIMD_ROUNDING_DYNAMIC: by FPCR).
#define SIMD_ROUNDING_DYNAMIC 15u
extern simd_fn *const simd_to_fixed_fns[2][4];
extern simd_fn *const simd_from_fixed_fns[2][4];

// ---- halves -------------------------------------------------------------------------------------
// "2" forms (Q set) take the upper half of their narrow sources and write the upper half of narrow
// results.

static inline unsigned simd_upper(const struct uop *op)
{
	return !simd_is_scalar(op->insn) && F_Q(op->insn);
}

// The half of a register that a widening instruction takes, in the low half.
static inline union vreg simd_source_half(const struct uop *op, union vreg v)
{
	v.d[0] = v.d[simd_upper(op)];
	return v;
}

static inline void simd_write_half(struct pe *pe, const struct uop *op, uint64_t value)
{
	if (simd_upper(op)) {
		VD.d[1] = value;
	} else {
		VD.d[0] = value;
		VD.d[1] = 0;
	}
}

// ---- saturation ---------------------------------------------------------------------------------

// SignedSatQ() and UnsignedSatQ(), with FPSR.QC.
static inline uint64_t simd_sat_signed(struct pe *pe, __int128 v, unsigned width)
{
	__int128 max = ((__int128)1 << (width - 1)) - 1;

	if (v > max || v < -max - 1) {
		pe->fp.fpsr |= FP_SR_QC;
		v = v > max ? max : -max - 1;
	}
	return (uint64_t)v;
}

static inline uint64_t simd_sat_unsigned(struct pe *pe, __int128 v, unsigned width)
{
	__int128 max = ((__int128)1 << width) - 1;

	if (v > max || v < 0) {
		pe->fp.fpsr |= FP_SR_QC;
		v = v > max ? max : 0;
	}
	return (uint64_t)v;
}

#endif
