// SPDX-License-Identifier: Apache-2.0
// Integer data processing: handlers and their translators (Arm ARM C4.1.92 and C4.1.95).
#include "base/bits.h"
#include "cpu/crypto/crypto.h"
#include "cpu/exec_internal.h"

// ---- add, subtract --------------------------------------------------------------------------------------------
// Each operation in 64 and 32 bits, with and without flags; the second operand is an immediate, a register, or a
// shifted or extended register.

#define EXTEND_SHIFT(option, shift, v) extend_reg((option), (v)) << (shift)

static inline uint64_t extend_reg(unsigned option, uint64_t v)
{
	switch (option) {
	case 0:
		return (uint8_t)v;
	case 1:
		return (uint16_t)v;
	case 2:
		return (uint32_t)v;
	case 4:
		return (uint64_t)(int8_t)v;
	case 5:
		return (uint64_t)(int16_t)v;
	case 6:
		return (uint64_t)(int32_t)v;
	default:
		return v;
	}
}

// aux of a shifted-register operand: shift type in bits 7:6, amount in 5:0.
static inline uint64_t shift_reg64(uint32_t aux, uint64_t v)
{
	unsigned n = aux & 63;

	switch (aux >> 6) {
	case 0:
		return v << n;
	case 1:
		return v >> n;
	case 2:
		return (uint64_t)((int64_t)v >> n);
	default:
		return ror64(v, n);
	}
}

static inline uint32_t shift_reg32(uint32_t aux, uint32_t v)
{
	unsigned n = aux & 31;

	switch (aux >> 6) {
	case 0:
		return v << n;
	case 1:
		return v >> n;
	case 2:
		return (uint32_t)((int32_t)v >> n);
	default:
		return ror32(v, n);
	}
}

#define DEF_ADDSUB(form, operand64, operand32) \
	static OP(op_add_##form##_x) \
	{ \
		XD = XN + (operand64); \
		NEXT; \
	} \
	static OP(op_sub_##form##_x) \
	{ \
		XD = XN - (operand64); \
		NEXT; \
	} \
	static OP(op_add_##form##_w) \
	{ \
		XD = (uint32_t)(WN + (operand32)); \
		NEXT; \
	} \
	static OP(op_sub_##form##_w) \
	{ \
		XD = (uint32_t)(WN - (operand32)); \
		NEXT; \
	} \
	static OP(op_adds_##form##_x) \
	{ \
		uint64_t a = XN, b = (operand64), r = a + b; \
\
		flags_add64(pe, a, b, r); \
		XD = r; \
		NEXT; \
	} \
	static OP(op_subs_##form##_x) \
	{ \
		uint64_t a = XN, b = (operand64), r = a - b; \
\
		flags_sub64(pe, a, b, r); \
		XD = r; \
		NEXT; \
	} \
	static OP(op_adds_##form##_w) \
	{ \
		uint32_t a = WN, b = (uint32_t)(operand32), r = a + b; \
\
		flags_add32(pe, a, b, r); \
		XD = r; \
		NEXT; \
	} \
	static OP(op_subs_##form##_w) \
	{ \
		uint32_t a = WN, b = (uint32_t)(operand32), r = a - b; \
\
		flags_sub32(pe, a, b, r); \
		XD = r; \
		NEXT; \
	} \
	static op_fn *const addsub_##form[8] = { \
		op_add_##form##_w, op_adds_##form##_w, op_sub_##form##_w, op_subs_##form##_w, \
		op_add_##form##_x, op_adds_##form##_x, op_sub_##form##_x, op_subs_##form##_x, \
	}

DEF_ADDSUB(imm, op->imm, (uint32_t)op->imm);
DEF_ADDSUB(reg, XM, WM);
DEF_ADDSUB(lsl, XM << op->aux, WM << op->aux);
DEF_ADDSUB(shifted, shift_reg64(op->aux, XM), shift_reg32(op->aux, WM));
DEF_ADDSUB(extended, EXTEND_SHIFT(op->aux & 7, op->aux >> 3, XM), (uint32_t)(EXTEND_SHIFT(op->aux & 7, op->aux >> 3, XM)));

static OP(op_mov_x)
{
	XD = XN;
	NEXT;
}

static OP(op_mov_imm)
{
	XD = op->imm;
	NEXT;
}

static op_fn op_adr;

bool tr_addsub_imm(struct tr *t, uint32_t insn)
{
	bool s = bit(insn, 29);
	uint64_t imm = bits(insn, 21, 10) << (bit(insn, 22) ? 12 : 0);
	struct uop *u;

	if ((insn >> 29) == 4 && t->last != NULL && t->last->fn == op_adr && F_RD(insn) == F_RN(insn) &&
	    F_RD(insn) != 31 && t->last->rd == F_RD(insn)) {
		t->last->imm += imm; // ADRP, then ADD of the page offset
		return true;
	}
	u = tr_emit(t, addsub_imm[insn >> 29]);
	u->rn = tr_xr_sp(F_RN(insn));
	u->rd = s ? tr_xw(F_RD(insn)) : tr_xw_sp(F_RD(insn));
	u->imm = imm;
	if (imm == 0 && (insn >> 29) == 4) {
		u->fn = op_mov_x; // MOV to or from SP
	}
	return true;
}

bool tr_addsub_reg(struct tr *t, uint32_t insn)
{
	unsigned type = (unsigned)bits(insn, 23, 22), amount = (unsigned)bits(insn, 15, 10);
	struct uop *u;

	if (type == 3 || (!F_SF(insn) && amount >= 32)) {
		return false;
	}
	u = tr_emit(t, amount == 0 ? addsub_reg[insn >> 29] :
		       type == 0   ? addsub_lsl[insn >> 29] :
				     addsub_shifted[insn >> 29]);
	u->rd = tr_xw(F_RD(insn));
	u->rn = tr_xr(F_RN(insn));
	u->rm = tr_xr(F_RM(insn));
	u->aux = type << 6 | amount;
	return true;
}

bool tr_addsub_ext(struct tr *t, uint32_t insn)
{
	unsigned option = (unsigned)bits(insn, 15, 13), amount = (unsigned)bits(insn, 12, 10);
	bool s = bit(insn, 29);
	struct uop *u;

	if (amount > 4) {
		return false;
	}
	if ((option & 3) == 3 && amount == 0) {
		u = tr_emit(t, addsub_reg[insn >> 29]);
	} else {
		u = tr_emit(t, addsub_extended[insn >> 29]);
	}
	u->rn = tr_xr_sp(F_RN(insn));
	u->rd = s ? tr_xw(F_RD(insn)) : tr_xw_sp(F_RD(insn));
	u->rm = tr_xr(F_RM(insn));
	u->aux = option | amount << 3;
	return true;
}

// ADC, SBC: AddWithCarry(operand1, operand2 or its complement, C).
static inline uint64_t add_carry64(struct pe *pe, uint64_t a, uint64_t b, bool flags)
{
	uint64_t r = a + b + pe->cf;

	if (flags) {
		pe->vf = (a ^ r) & (b ^ r);
		pe->cf = pe->cf ? r <= a : r < a;
		pe->nf = r;
		pe->zf = r;
	}
	return r;
}

static inline uint32_t add_carry32(struct pe *pe, uint32_t a, uint32_t b, bool flags)
{
	uint32_t r = a + b + (uint32_t)pe->cf;

	if (flags) {
		pe->vf = (uint64_t)((a ^ r) & (b ^ r)) << 32;
		pe->cf = pe->cf ? r <= a : r < a;
		pe->nf = (uint64_t)r << 32;
		pe->zf = r;
	}
	return r;
}

#define DEF_ADC(name, width, operand, flags) \
	static OP(name) \
	{ \
		XD = add_carry##width(pe, (uint##width##_t)XN, (uint##width##_t)(operand), flags); \
		NEXT; \
	}

DEF_ADC(op_adc_x, 64, XM, false)
DEF_ADC(op_adcs_x, 64, XM, true)
DEF_ADC(op_sbc_x, 64, ~XM, false)
DEF_ADC(op_sbcs_x, 64, ~XM, true)
DEF_ADC(op_adc_w, 32, XM, false)
DEF_ADC(op_adcs_w, 32, XM, true)
DEF_ADC(op_sbc_w, 32, ~XM, false)
DEF_ADC(op_sbcs_w, 32, ~XM, true)

static void tr_rrr(struct uop *u, uint32_t insn)
{
	u->rd = tr_xw(F_RD(insn));
	u->rn = tr_xr(F_RN(insn));
	u->rm = tr_xr(F_RM(insn));
}

bool tr_adc(struct tr *t, uint32_t insn)
{
	static op_fn *const fns[8] = {op_adc_w, op_adcs_w, op_sbc_w, op_sbcs_w, op_adc_x, op_adcs_x, op_sbc_x, op_sbcs_x};

	tr_rrr(tr_emit(t, fns[insn >> 29]), insn);
	return true;
}

// One handler for each condition: the condition is then a few instructions instead of a switch.
#define FOR_CONDITIONS(DEF, ...) \
	DEF(0, __VA_ARGS__) \
	DEF(1, __VA_ARGS__) \
	DEF(2, __VA_ARGS__) \
	DEF(3, __VA_ARGS__) \
	DEF(4, __VA_ARGS__) \
	DEF(5, __VA_ARGS__) \
	DEF(6, __VA_ARGS__) \
	DEF(7, __VA_ARGS__) \
	DEF(8, __VA_ARGS__) \
	DEF(9, __VA_ARGS__) \
	DEF(10, __VA_ARGS__) \
	DEF(11, __VA_ARGS__) \
	DEF(12, __VA_ARGS__) \
	DEF(13, __VA_ARGS__) \
	DEF(14, __VA_ARGS__)
#define CONDITION_TABLE(name) \
	static op_fn *const name[16] = {name##_0,  name##_1,  name##_2,	 name##_3,  name##_4,  name##_5, \
					name##_6,  name##_7,  name##_8,	 name##_9,  name##_10, name##_11, \
					name##_12, name##_13, name##_14, name##_14};

// ---- compare and branch ---------------------------------------------------------------------------------------
// SUBS or ANDS and the conditional branch after it, in one uop. aux: page offset of an in-page target in bits 11:0, an
// immediate operand above.

#define DEF_FUSED_ONE(cond, name, width, operand, result, set_flags) \
	static OP(name##_in_##cond) \
	{ \
		uint##width##_t a = (uint##width##_t)XN, b = (uint##width##_t)(operand); \
		uint##width##_t r = (uint##width##_t)(result); \
\
		set_flags; \
		XD = r; \
		if (cond_holds(pe, cond)) { \
			pe->budget += op->rest; \
			GOTO_IN_PAGE; \
		} \
		NEXT; \
	} \
	static OP(name##_out_##cond) \
	{ \
		uint##width##_t a = (uint##width##_t)XN, b = (uint##width##_t)(operand); \
		uint##width##_t r = (uint##width##_t)(result); \
\
		set_flags; \
		XD = r; \
		if (cond_holds(pe, cond)) { \
			pe->budget += op->rest; \
			GOTO_OUT_OF_PAGE; \
		} \
		NEXT; \
	}
#define DEF_FUSED(name, width, operand, result, set_flags) \
	FOR_CONDITIONS(DEF_FUSED_ONE, name, width, operand, result, set_flags) \
	CONDITION_TABLE(name##_in) \
	CONDITION_TABLE(name##_out)

DEF_FUSED(op_cmp_b_imm_w, 32, op->aux >> 12, a - b, flags_sub32(pe, a, b, r))
DEF_FUSED(op_cmp_b_imm_x, 64, op->aux >> 12, a - b, flags_sub64(pe, a, b, r))
DEF_FUSED(op_cmp_b_reg_w, 32, XM, a - b, flags_sub32(pe, a, b, r))
DEF_FUSED(op_cmp_b_reg_x, 64, XM, a - b, flags_sub64(pe, a, b, r))
DEF_FUSED(op_tst_b_imm_w, 32, op->aux >> 12, a & b, flags_logic32(pe, r))
DEF_FUSED(op_tst_b_imm_x, 64, op->aux >> 12, a & b, flags_logic64(pe, r))
DEF_FUSED(op_tst_b_reg_w, 32, XM, a & b, flags_logic32(pe, r))
DEF_FUSED(op_tst_b_reg_x, 64, XM, a & b, flags_logic64(pe, r))

static op_fn *logic_ands_fn(unsigned which);

// If `last` sets the flags in a way that fuses with a conditional branch, fill in the two handlers of the pair.
bool fuse_compare(const struct uop *last, unsigned cond, op_fn **in, op_fn **out)
{
	op_fn *fn = last->fn;
	bool imm = true;

	if (fn == op_subs_imm_w) {
		*in = op_cmp_b_imm_w_in[cond], *out = op_cmp_b_imm_w_out[cond];
	} else if (fn == op_subs_imm_x) {
		*in = op_cmp_b_imm_x_in[cond], *out = op_cmp_b_imm_x_out[cond];
	} else if (fn == logic_ands_fn(0)) {
		*in = op_tst_b_imm_w_in[cond], *out = op_tst_b_imm_w_out[cond];
	} else if (fn == logic_ands_fn(1)) {
		*in = op_tst_b_imm_x_in[cond], *out = op_tst_b_imm_x_out[cond];
	} else {
		imm = false;
		if (fn == op_subs_reg_w) {
			*in = op_cmp_b_reg_w_in[cond], *out = op_cmp_b_reg_w_out[cond];
		} else if (fn == op_subs_reg_x) {
			*in = op_cmp_b_reg_x_in[cond], *out = op_cmp_b_reg_x_out[cond];
		} else if (fn == logic_ands_fn(2)) {
			*in = op_tst_b_reg_w_in[cond], *out = op_tst_b_reg_w_out[cond];
		} else if (fn == logic_ands_fn(3)) {
			*in = op_tst_b_reg_x_in[cond], *out = op_tst_b_reg_x_out[cond];
		} else {
			return false;
		}
	}
	return !imm || last->imm < BIT(20);
}

// ---- logical --------------------------------------------------------------------------------------------------

#define DEF_LOGIC(form, operand64, operand32) \
	static OP(op_and_##form##_x) \
	{ \
		XD = XN & (operand64); \
		NEXT; \
	} \
	static OP(op_orr_##form##_x) \
	{ \
		XD = XN | (operand64); \
		NEXT; \
	} \
	static OP(op_eor_##form##_x) \
	{ \
		XD = XN ^ (operand64); \
		NEXT; \
	} \
	static OP(op_ands_##form##_x) \
	{ \
		uint64_t r = XN & (operand64); \
\
		flags_logic64(pe, r); \
		XD = r; \
		NEXT; \
	} \
	static OP(op_and_##form##_w) \
	{ \
		XD = WN & (operand32); \
		NEXT; \
	} \
	static OP(op_orr_##form##_w) \
	{ \
		XD = WN | (operand32); \
		NEXT; \
	} \
	static OP(op_eor_##form##_w) \
	{ \
		XD = WN ^ (operand32); \
		NEXT; \
	} \
	static OP(op_ands_##form##_w) \
	{ \
		uint32_t r = WN & (operand32); \
\
		flags_logic32(pe, r); \
		XD = r; \
		NEXT; \
	} \
	static op_fn *const logic_##form[8] = { \
		op_and_##form##_w, op_orr_##form##_w, op_eor_##form##_w, op_ands_##form##_w, \
		op_and_##form##_x, op_orr_##form##_x, op_eor_##form##_x, op_ands_##form##_x, \
	}

DEF_LOGIC(imm, op->imm, (uint32_t)op->imm);
DEF_LOGIC(reg, XM, WM);
DEF_LOGIC(shifted, shift_reg64(op->aux, XM), shift_reg32(op->aux, WM));
DEF_LOGIC(not, ~XM, ~WM);
DEF_LOGIC(not_shifted, ~shift_reg64(op->aux, XM), ~shift_reg32(op->aux, WM));

// The ANDS handlers that fuse: immediate W, X, register W, X.
static op_fn *logic_ands_fn(unsigned which)
{
	static op_fn *const fns[4] = {op_ands_imm_w, op_ands_imm_x, op_ands_reg_w, op_ands_reg_x};

	return fns[which];
}

// DecodeBitMasks for logical immediates; false if reserved.
static bool logic_immediate(unsigned n, unsigned imms, unsigned immr, bool is64, uint64_t *result)
{
	unsigned key = n << 6 | (~imms & 0x3f), len, size, s, r;
	uint64_t element;

	if (key < 2 || (!is64 && n)) {
		return false;
	}
	len = 31 - clz32(key);
	size = 1u << len;
	s = imms & (size - 1);
	r = immr & (size - 1);
	if (s == size - 1) {
		return false;
	}
	element = zext(~UINT64_C(0), s + 1);
	if (r != 0) {
		element = zext(element >> r | element << (size - r), size);
	}
	for (; size < 64; size *= 2) {
		element |= element << size;
	}
	*result = element;
	return true;
}

bool tr_logic_imm(struct tr *t, uint32_t insn)
{
	unsigned opc = (unsigned)bits(insn, 30, 29);
	struct uop *u;
	uint64_t imm;

	if (!logic_immediate((unsigned)bits(insn, 22, 22), (unsigned)bits(insn, 15, 10), (unsigned)bits(insn, 21, 16),
			     F_SF(insn), &imm)) {
		return false;
	}
	u = tr_emit(t, logic_imm[insn >> 29]);
	u->rd = opc == 3 ? tr_xw(F_RD(insn)) : tr_xw_sp(F_RD(insn));
	u->rn = tr_xr(F_RN(insn));
	u->imm = F_SF(insn) ? imm : (uint32_t)imm;
	if (opc == 1 && F_RN(insn) == 31) {
		u->fn = op_mov_imm;
	}
	return true;
}

bool tr_logic_reg(struct tr *t, uint32_t insn)
{
	unsigned type = (unsigned)bits(insn, 23, 22), amount = (unsigned)bits(insn, 15, 10);
	struct uop *u;

	if (!F_SF(insn) && amount >= 32) {
		return false;
	}
	if (bit(insn, 21)) {
		u = tr_emit(t, amount ? logic_not_shifted[insn >> 29] : logic_not[insn >> 29]);
	} else {
		u = tr_emit(t, amount ? logic_shifted[insn >> 29] : logic_reg[insn >> 29]);
		if (F_SF(insn) && amount == 0 && bits(insn, 30, 29) == 1 && F_RN(insn) == 31) {
			u->fn = op_mov_x;
			tr_rrr(u, insn);
			u->rn = tr_xr(F_RM(insn));
			return true;
		}
	}
	tr_rrr(u, insn);
	u->aux = type << 6 | amount;
	return true;
}

// ---- moves, addresses -----------------------------------------------------------------------------------------

static OP(op_movk)
{
	XD = (pe->x[op->rn] & ~(UINT64_C(0xffff) << op->aux)) | op->imm;
	NEXT;
}

bool tr_move_wide(struct tr *t, uint32_t insn)
{
	unsigned opc = (unsigned)bits(insn, 30, 29), shift = (unsigned)bits(insn, 22, 21) * 16;
	uint64_t imm = bits(insn, 20, 5) << shift;
	struct uop *u;

	if (opc == 1 || (!F_SF(insn) && shift >= 32)) {
		return false;
	}
	if (opc == 3 && t->last != NULL && t->last->fn == op_mov_imm && t->last->rd == tr_xw(F_RD(insn))) {
		// MOVZ or MOVK, then MOVK: one constant.
		imm |= t->last->imm & ~(UINT64_C(0xffff) << shift);
		t->last->imm = F_SF(insn) ? imm : (uint32_t)imm;
		return true;
	}
	u = tr_emit(t, opc == 3 ? op_movk : op_mov_imm);
	u->rd = tr_xw(F_RD(insn));
	u->rn = tr_xr(F_RD(insn));
	u->aux = shift;
	if (opc == 0) {
		imm = ~imm;
	}
	u->imm = F_SF(insn) ? imm : (uint32_t)imm;
	if (opc == 3 && !F_SF(insn)) {
		// MOVK Wd clears the upper half: done by the handler that masks the old value.
		struct uop *clear;

		clear = tr_emit(t, logic_imm[4]);
		clear->rd = u->rd;
		clear->rn = u->rd;
		clear->imm = UINT32_MAX;
	}
	return true;
}

static OP(op_adr)
{
	XD = pe->vpage + op->imm;
	NEXT;
}

bool tr_adr(struct tr *t, uint32_t insn)
{
	int64_t imm = sext(bits(insn, 23, 5) << 2 | bits(insn, 30, 29), 21);
	struct uop *u = tr_emit(t, op_adr);

	u->rd = tr_xw(F_RD(insn));
	u->imm = bit(insn, 31) ? (uint64_t)imm << 12 : (uint64_t)imm + t->pc_off;
	return true;
}

// ---- bit fields -----------------------------------------------------------------------------------------------

static OP(op_ubfx) // LSR, UBFX, UXTB...: rotate right by rm, keep imm
{
	XD = (XN >> op->rm) & op->imm;
	NEXT;
}

static OP(op_ubfiz) // LSL, UBFIZ
{
	XD = (XN & op->imm) << op->rm;
	NEXT;
}

static OP(op_ubfiz_w)
{
	XD = (uint32_t)((XN & op->imm) << op->rm);
	NEXT;
}

static OP(op_sbfx_x) // the field ends at bit 63 - ra after a left shift by ra; then arithmetic shift by rm
{
	XD = (uint64_t)((int64_t)(XN << op->ra) >> op->rm);
	NEXT;
}

static OP(op_sbfx_w)
{
	XD = (uint32_t)((int64_t)(XN << op->ra) >> op->rm);
	NEXT;
}

static OP(op_sbfiz_x)
{
	XD = (uint64_t)((int64_t)(XN << op->ra) >> op->ra) << op->rm;
	NEXT;
}

static OP(op_sbfiz_w)
{
	XD = (uint32_t)((uint64_t)((int64_t)(XN << op->ra) >> op->ra) << op->rm);
	NEXT;
}

static OP(op_bfm) // imm: mask of the destination bits that are replaced; ra, rm: shift right, then left
{
	XD = (pe->x[op->aux] & ~op->imm) | (((XN >> op->ra) << op->rm) & op->imm);
	NEXT;
}

static OP(op_bfm_w)
{
	XD = (uint32_t)((pe->x[op->aux] & ~op->imm) | (((XN >> op->ra) << op->rm) & op->imm));
	NEXT;
}

bool tr_bitfield(struct tr *t, uint32_t insn)
{
	unsigned opc = (unsigned)bits(insn, 30, 29), sf = F_SF(insn), r = (unsigned)bits(insn, 21, 16),
		 s = (unsigned)bits(insn, 15, 10), size = sf ? 64 : 32;
	struct uop *u;

	if (opc == 3 || bit(insn, 22) != sf || (!sf && (r >= 32 || s >= 32))) {
		return false;
	}
	u = tr_emit(t, op_ubfx);
	u->rd = tr_xw(F_RD(insn));
	u->rn = tr_xr(F_RN(insn));
	if (s >= r) { // extract bits s..r to bit 0
		unsigned width = s - r + 1;

		u->rm = (uint8_t)r;
		switch (opc) {
		case 0:
			u->fn = sf ? op_sbfx_x : op_sbfx_w;
			u->ra = (uint8_t)(63 - s);
			u->rm = (uint8_t)(63 - s + r);
			break;
		case 1:
			u->fn = sf ? op_bfm : op_bfm_w;
			u->aux = tr_xr(F_RD(insn));
			u->ra = (uint8_t)r;
			u->rm = 0;
			u->imm = zext(~UINT64_C(0), width);
			break;
		default:
			u->imm = zext(~UINT64_C(0), width);
			break;
		}
	} else { // insert bits s..0 at bit size - r
		unsigned width = s + 1, shift = size - r;

		u->rm = (uint8_t)shift;
		switch (opc) {
		case 0:
			u->fn = sf ? op_sbfiz_x : op_sbfiz_w;
			u->ra = (uint8_t)(63 - s);
			break;
		case 1:
			u->fn = sf ? op_bfm : op_bfm_w;
			u->aux = tr_xr(F_RD(insn));
			u->ra = 0;
			u->imm = zext(~UINT64_C(0), width) << shift;
			break;
		default:
			u->fn = sf ? op_ubfiz : op_ubfiz_w;
			u->imm = zext(~UINT64_C(0), width);
			break;
		}
	}
	return true;
}

static OP(op_extr_x)
{
	XD = op->aux ? XM >> op->aux | XN << (64 - op->aux) : XM;
	NEXT;
}

static OP(op_extr_w)
{
	XD = (uint32_t)((XN << 32 | WM) >> op->aux);
	NEXT;
}

bool tr_extr(struct tr *t, uint32_t insn)
{
	unsigned lsb = (unsigned)bits(insn, 15, 10);
	struct uop *u;

	if (bit(insn, 22) != F_SF(insn) || (!F_SF(insn) && lsb >= 32)) {
		return false;
	}
	u = tr_emit(t, F_SF(insn) ? op_extr_x : op_extr_w);
	tr_rrr(u, insn);
	u->aux = lsb;
	return true;
}

// ---- two and one source ---------------------------------------------------------------------------------------

static OP(op_udiv_x)
{
	uint64_t b = XM;

	XD = b ? XN / b : 0;
	NEXT;
}

static OP(op_udiv_w)
{
	uint32_t b = WM;

	XD = b ? WN / b : 0;
	NEXT;
}

static OP(op_sdiv_x)
{
	int64_t a = (int64_t)XN, b = (int64_t)XM;

	XD = b == 0 ? 0 : b == -1 ? -(uint64_t)a : (uint64_t)(a / b);
	NEXT;
}

static OP(op_sdiv_w)
{
	int32_t a = (int32_t)WN, b = (int32_t)WM;

	XD = b == 0 ? 0 : b == -1 ? (uint32_t)-(uint32_t)a : (uint32_t)(a / b);
	NEXT;
}

bool tr_div(struct tr *t, uint32_t insn)
{
	static op_fn *const fns[4] = {op_udiv_w, op_sdiv_w, op_udiv_x, op_sdiv_x};

	tr_rrr(tr_emit(t, fns[F_SF(insn) << 1 | bit(insn, 10)]), insn);
	return true;
}

static OP(op_lslv_x)
{
	XD = XN << (XM & 63);
	NEXT;
}

static OP(op_lsrv_x)
{
	XD = XN >> (XM & 63);
	NEXT;
}

static OP(op_asrv_x)
{
	XD = (uint64_t)((int64_t)XN >> (XM & 63));
	NEXT;
}

static OP(op_rorv_x)
{
	XD = ror64(XN, XM & 63);
	NEXT;
}

static OP(op_lslv_w)
{
	XD = WN << (XM & 31);
	NEXT;
}

static OP(op_lsrv_w)
{
	XD = WN >> (XM & 31);
	NEXT;
}

static OP(op_asrv_w)
{
	XD = (uint32_t)((int32_t)WN >> (XM & 31));
	NEXT;
}

static OP(op_rorv_w)
{
	XD = ror32(WN, XM & 31);
	NEXT;
}

bool tr_shift_var(struct tr *t, uint32_t insn)
{
	static op_fn *const fns[8] = {op_lslv_w, op_lsrv_w, op_asrv_w, op_rorv_w,
				      op_lslv_x, op_lsrv_x, op_asrv_x, op_rorv_x};

	tr_rrr(tr_emit(t, fns[F_SF(insn) << 2 | bits(insn, 11, 10)]), insn);
	return true;
}

#define DEF_CRC(name) \
	static OP(op_##name) \
	{ \
		XD = crypto_##name(WN, XM); \
		NEXT; \
	}
#define DEF_CRC_NARROW(name, type) \
	static OP(op_##name) \
	{ \
		XD = crypto_##name(WN, (type)XM); \
		NEXT; \
	}

DEF_CRC_NARROW(crc32b, uint8_t)
DEF_CRC_NARROW(crc32h, uint16_t)
DEF_CRC_NARROW(crc32w, uint32_t)
DEF_CRC(crc32x)
DEF_CRC_NARROW(crc32cb, uint8_t)
DEF_CRC_NARROW(crc32ch, uint16_t)
DEF_CRC_NARROW(crc32cw, uint32_t)
DEF_CRC(crc32cx)

bool tr_crc32(struct tr *t, uint32_t insn)
{
	static op_fn *const fns[8] = {op_crc32b, op_crc32h, op_crc32w, op_crc32x,
				      op_crc32cb, op_crc32ch, op_crc32cw, op_crc32cx};

	if (F_SF(insn) != (bits(insn, 11, 10) == 3)) {
		return false;
	}
	tr_rrr(tr_emit(t, fns[bits(insn, 12, 10)]), insn);
	return true;
}

static uint64_t reverse_bits(uint64_t v)
{
	v = (v >> 1 & 0x5555555555555555) | (v & 0x5555555555555555) << 1;
	v = (v >> 2 & 0x3333333333333333) | (v & 0x3333333333333333) << 2;
	v = (v >> 4 & 0x0f0f0f0f0f0f0f0f) | (v & 0x0f0f0f0f0f0f0f0f) << 4;
	return __builtin_bswap64(v);
}

static OP(op_rbit_x)
{
	XD = reverse_bits(XN);
	NEXT;
}

static OP(op_rbit_w)
{
	XD = reverse_bits(XN) >> 32;
	NEXT;
}

static void tr_rr(struct uop *u, uint32_t insn)
{
	u->rd = tr_xw(F_RD(insn));
	u->rn = tr_xr(F_RN(insn));
}

bool tr_rbit(struct tr *t, uint32_t insn)
{
	tr_rr(tr_emit(t, F_SF(insn) ? op_rbit_x : op_rbit_w), insn);
	return true;
}

static OP(op_rev16_x)
{
	uint64_t v = XN;

	XD = (v >> 8 & 0x00ff00ff00ff00ff) | (v & 0x00ff00ff00ff00ff) << 8;
	NEXT;
}

static OP(op_rev16_w)
{
	uint32_t v = WN;

	XD = (v >> 8 & 0x00ff00ff) | (v & 0x00ff00ff) << 8;
	NEXT;
}

static OP(op_rev32_x)
{
	XD = ror64(__builtin_bswap64(XN), 32);
	NEXT;
}

static OP(op_rev_w)
{
	XD = __builtin_bswap32(WN);
	NEXT;
}

static OP(op_rev_x)
{
	XD = __builtin_bswap64(XN);
	NEXT;
}

bool tr_rev(struct tr *t, uint32_t insn)
{
	static op_fn *const fns[8] = {NULL, op_rev16_w, op_rev_w, NULL, NULL, op_rev16_x, op_rev32_x, op_rev_x};
	op_fn *fn = fns[F_SF(insn) << 2 | bits(insn, 11, 10)];

	if (fn == NULL) {
		return false;
	}
	tr_rr(tr_emit(t, fn), insn);
	return true;
}

static OP(op_clz_x)
{
	XD = clz64(XN);
	NEXT;
}

static OP(op_clz_w)
{
	XD = clz32(WN);
	NEXT;
}

static OP(op_cls_x)
{
	XD = clz64(XN ^ (uint64_t)((int64_t)XN >> 1)) - 1;
	NEXT;
}

static OP(op_cls_w)
{
	XD = clz32(WN ^ (uint32_t)((int32_t)WN >> 1)) - 1;
	NEXT;
}

bool tr_clz(struct tr *t, uint32_t insn)
{
	static op_fn *const fns[4] = {op_clz_w, op_cls_w, op_clz_x, op_cls_x};

	tr_rr(tr_emit(t, fns[F_SF(insn) << 1 | bit(insn, 10)]), insn);
	return true;
}

// ---- flag manipulation ----------------------------------------------------------------------------------------

static OP(op_rmif)
{
	uint32_t nzcv = pe_nzcv(pe) >> 28, value = (uint32_t)ror64(XN, op->rm), mask = op->aux;

	pe_set_nzcv(pe, ((nzcv & ~mask) | (value & mask)) << 28);
	NEXT;
}

bool tr_rmif(struct tr *t, uint32_t insn)
{
	struct uop *u = tr_emit(t, op_rmif);

	u->rn = tr_xr(F_RN(insn));
	u->rm = (uint8_t)bits(insn, 20, 15);
	u->aux = insn & 15;
	return true;
}

static OP(op_setf) // aux: width of the value, 8 or 16
{
	uint64_t v = XN;

	pe->nf = v << (64 - op->aux);
	pe->zf = v << (64 - op->aux);
	pe->vf = (v << (64 - op->aux)) ^ (v << (63 - op->aux));
	NEXT;
}

bool tr_setf(struct tr *t, uint32_t insn)
{
	struct uop *u = tr_emit(t, op_setf);

	u->rn = tr_xr(F_RN(insn));
	u->aux = bit(insn, 14) ? 16 : 8;
	return true;
}

static OP(op_cfinv)
{
	pe->cf ^= 1;
	NEXT;
}

bool tr_cfinv(struct tr *t, uint32_t insn)
{
	(void)insn;
	tr_emit(t, op_cfinv);
	return true;
}

static OP(op_xaflag)
{
	bool z = pe->zf == 0, c = pe->cf;

	pe->nf = !c && !z ? BIT(63) : 0;
	pe->zf = !(z && c);
	pe->vf = !c && z ? BIT(63) : 0;
	pe->cf = c || z;
	NEXT;
}

bool tr_xaflag(struct tr *t, uint32_t insn)
{
	(void)insn;
	tr_emit(t, op_xaflag);
	return true;
}

static OP(op_axflag)
{
	bool z = pe->zf == 0, c = pe->cf, v = pe->vf >> 63;

	pe->nf = 0;
	pe->zf = !(z || v);
	pe->cf = c && !v;
	pe->vf = 0;
	NEXT;
}

bool tr_axflag(struct tr *t, uint32_t insn)
{
	(void)insn;
	tr_emit(t, op_axflag);
	return true;
}

// ---- conditional ----------------------------------------------------------------------------------------------

#define ADDSUB_add +
#define ADDSUB_sub -
#define DEF_CCMP_ONE(cond, name, width, operand, addsub) \
	static OP(name##_##cond) \
	{ \
		uint##width##_t a = (uint##width##_t)XN, b = (uint##width##_t)(operand); \
\
		if (cond_holds(pe, cond)) { \
			flags_##addsub##width(pe, a, b, (uint##width##_t)(a ADDSUB_##addsub b)); \
		} else { \
			pe_set_nzcv(pe, op->aux << 28); \
		} \
		NEXT; \
	}
#define DEF_CCMP(name, width, operand, addsub) \
	FOR_CONDITIONS(DEF_CCMP_ONE, name, width, operand, addsub) \
	CONDITION_TABLE(name)

DEF_CCMP(op_ccmn_reg_w, 32, XM, add)
DEF_CCMP(op_ccmn_reg_x, 64, XM, add)
DEF_CCMP(op_ccmp_reg_w, 32, XM, sub)
DEF_CCMP(op_ccmp_reg_x, 64, XM, sub)
DEF_CCMP(op_ccmn_imm_w, 32, op->imm, add)
DEF_CCMP(op_ccmn_imm_x, 64, op->imm, add)
DEF_CCMP(op_ccmp_imm_w, 32, op->imm, sub)
DEF_CCMP(op_ccmp_imm_x, 64, op->imm, sub)

bool tr_ccmp(struct tr *t, uint32_t insn)
{
	static op_fn *const *const fns[8] = {op_ccmn_reg_w, op_ccmn_imm_w, op_ccmp_reg_w, op_ccmp_imm_w,
					     op_ccmn_reg_x, op_ccmn_imm_x, op_ccmp_reg_x, op_ccmp_imm_x};
	struct uop *u = tr_emit(t, fns[F_SF(insn) << 2 | bit(insn, 30) << 1 | bit(insn, 11)][bits(insn, 15, 12)]);

	u->rn = tr_xr(F_RN(insn));
	if (bit(insn, 11)) {
		u->imm = F_RM(insn);
	} else {
		u->rm = tr_xr(F_RM(insn));
	}
	u->aux = insn & 15;
	return true;
}

#define DEF_CSEL_ONE(cond, name, width, otherwise) \
	static OP(name##_##cond) \
	{ \
		uint##width##_t m = (uint##width##_t)XM, n = (uint##width##_t)XN; \
\
		XD = cond_holds(pe, cond) ? n : (uint##width##_t)(otherwise); \
		NEXT; \
	}
#define DEF_CSEL(name, width, otherwise) \
	FOR_CONDITIONS(DEF_CSEL_ONE, name, width, otherwise) \
	CONDITION_TABLE(name)

DEF_CSEL(op_csel_w, 32, m)
DEF_CSEL(op_csinc_w, 32, m + 1)
DEF_CSEL(op_csinv_w, 32, ~m)
DEF_CSEL(op_csneg_w, 32, -m)
DEF_CSEL(op_csel_x, 64, m)
DEF_CSEL(op_csinc_x, 64, m + 1)
DEF_CSEL(op_csinv_x, 64, ~m)
DEF_CSEL(op_csneg_x, 64, -m)

bool tr_csel(struct tr *t, uint32_t insn)
{
	static op_fn *const *const fns[8] = {op_csel_w, op_csinc_w, op_csinv_w, op_csneg_w,
					     op_csel_x, op_csinc_x, op_csinv_x, op_csneg_x};

	tr_rrr(tr_emit(t, fns[F_SF(insn) << 2 | bit(insn, 30) << 1 | bit(insn, 10)][bits(insn, 15, 12)]), insn);
	return true;
}

// ---- multiply -------------------------------------------------------------------------------------------------

static OP(op_madd_x)
{
	XD = XA + XN * XM;
	NEXT;
}

static OP(op_msub_x)
{
	XD = XA - XN * XM;
	NEXT;
}

static OP(op_madd_w)
{
	XD = (uint32_t)(WA + WN * WM);
	NEXT;
}

static OP(op_msub_w)
{
	XD = (uint32_t)(WA - WN * WM);
	NEXT;
}

static void tr_rrrr(struct uop *u, uint32_t insn)
{
	tr_rrr(u, insn);
	u->ra = tr_xr(F_RA(insn));
}

bool tr_madd(struct tr *t, uint32_t insn)
{
	static op_fn *const fns[4] = {op_madd_w, op_msub_w, op_madd_x, op_msub_x};

	tr_rrrr(tr_emit(t, fns[F_SF(insn) << 1 | bit(insn, 15)]), insn);
	return true;
}

static OP(op_smaddl)
{
	XD = XA + (uint64_t)((int64_t)(int32_t)WN * (int32_t)WM);
	NEXT;
}

static OP(op_smsubl)
{
	XD = XA - (uint64_t)((int64_t)(int32_t)WN * (int32_t)WM);
	NEXT;
}

static OP(op_umaddl)
{
	XD = XA + (uint64_t)WN * WM;
	NEXT;
}

static OP(op_umsubl)
{
	XD = XA - (uint64_t)WN * WM;
	NEXT;
}

bool tr_maddl(struct tr *t, uint32_t insn)
{
	static op_fn *const fns[4] = {op_smaddl, op_smsubl, op_umaddl, op_umsubl};

	tr_rrrr(tr_emit(t, fns[bit(insn, 23) << 1 | bit(insn, 15)]), insn);
	return true;
}

static OP(op_smulh)
{
	XD = (uint64_t)(((__int128)(int64_t)XN * (int64_t)XM) >> 64);
	NEXT;
}

static OP(op_umulh)
{
	XD = (uint64_t)(((unsigned __int128)XN * XM) >> 64);
	NEXT;
}

bool tr_mulh(struct tr *t, uint32_t insn)
{
	tr_rrr(tr_emit(t, bit(insn, 23) ? op_umulh : op_smulh), insn);
	return true;
}
