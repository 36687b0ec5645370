// SPDX-License-Identifier: Apache-2.0
// Integer addition and subtraction in all their forms, what is conditional on their flags, and the
// fusion of a compare with the branch after it (Arm ARM C4.1.92, C4.1.95).
#include "base/bits.h"
#include "cpu/exec_int.h"

// ---- add, subtract ------------------------------------------------------------------------------
// Each operation in 64 and 32 bits, with and without flags; the second operand is an immediate, a
// register, or a shifted or extended register.

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
DEF_ADDSUB(lsr, XM >> op->aux, WM >> op->aux);
DEF_ADDSUB(asr, (uint64_t)((int64_t)XM >> op->aux), (uint32_t)((int32_t)WM >> op->aux));
DEF_ADDSUB(uxtw, (uint64_t)WM << op->aux, WM << op->aux);
DEF_ADDSUB(sxtw, (uint64_t)(int64_t)(int32_t)WM << op->aux, WM << op->aux);
DEF_ADDSUB(extended, EXTEND_SHIFT(op->aux & 7, op->aux >> 3, XM),
	   (uint32_t)(EXTEND_SHIFT(op->aux & 7, op->aux >> 3, XM)));

bool tr_addsub_imm(struct tr *t, uint32_t insn)
{
	bool s = bit(insn, 29);
	uint64_t imm = bits(insn, 21, 10) << (bit(insn, 22) ? 12 : 0);
	struct uop *u;

	if ((insn >> 29) == 4 && t->last != NULL && t->last->fn == op_adr &&
	    F_RD(insn) == F_RN(insn) && F_RD(insn) != 31 && t->last->rd == F_RD(insn)) {
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
	if (s) {
		tr_sets_flags(t, u, addsub_imm[(insn >> 29) & 6]);
	}
	return true;
}

bool tr_addsub_reg(struct tr *t, uint32_t insn)
{
	static op_fn *const *const fns[3] = {addsub_lsl, addsub_lsr, addsub_asr};
	unsigned type = (unsigned)bits(insn, 23, 22), amount = (unsigned)bits(insn, 15, 10);
	op_fn *const *form;
	struct uop *u;

	if (type == 3 || (!F_SF(insn) && amount >= 32)) {
		return false;
	}
	form = amount == 0 ? addsub_reg : fns[type];
	u = tr_emit(t, form[insn >> 29]);
	u->rd = tr_xw(F_RD(insn));
	u->rn = tr_xr(F_RN(insn));
	u->rm = tr_xr(F_RM(insn));
	u->aux = amount;
	if (bit(insn, 29)) {
		tr_sets_flags(t, u, form[(insn >> 29) & 6]);
	}
	return true;
}

bool tr_addsub_ext(struct tr *t, uint32_t insn)
{
	unsigned option = (unsigned)bits(insn, 15, 13), amount = (unsigned)bits(insn, 12, 10);
	bool s = bit(insn, 29);
	uint32_t aux = 0;
	op_fn *const *form;
	struct uop *u;

	if (amount > 4) {
		return false;
	}
	if ((option & 3) == 3 && amount == 0) {
		form = addsub_reg;
	} else if (option == 2 || option == 6) {
		form = option == 2 ? addsub_uxtw : addsub_sxtw;
		aux = amount;
	} else {
		form = addsub_extended;
		aux = option | amount << 3;
	}
	u = tr_emit(t, form[insn >> 29]);
	u->aux = aux;
	if (s) {
		tr_sets_flags(t, u, form[(insn >> 29) & 6]);
	}
	u->rn = tr_xr_sp(F_RN(insn));
	u->rd = s ? tr_xw(F_RD(insn)) : tr_xw_sp(F_RD(insn));
	u->rm = tr_xr(F_RM(insn));
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

bool tr_adc(struct tr *t, uint32_t insn)
{
	static op_fn *const fns[8] = {op_adc_w, op_adcs_w, op_sbc_w, op_sbcs_w,
				      op_adc_x, op_adcs_x, op_sbc_x, op_sbcs_x};

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
	static op_fn *const name[16] = {name##_0,  name##_1,  name##_2,  name##_3, \
					name##_4,  name##_5,  name##_6,  name##_7, \
					name##_8,  name##_9,  name##_10, name##_11, \
					name##_12, name##_13, name##_14, name##_14};

// ---- conditional --------------------------------------------------------------------------------

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
	static op_fn *const *const fns[8] = {op_ccmn_reg_w, op_ccmn_imm_w, op_ccmp_reg_w,
					     op_ccmp_imm_w, op_ccmn_reg_x, op_ccmn_imm_x,
					     op_ccmp_reg_x, op_ccmp_imm_x};
	struct uop *u = tr_emit(
		t, fns[F_SF(insn) << 2 | bit(insn, 30) << 1 | bit(insn, 11)][bits(insn, 15, 12)]);

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

	tr_rrr(tr_emit(t, fns[F_SF(insn) << 2 | bit(insn, 30) << 1 | bit(insn, 10)]
			     [bits(insn, 15, 12)]),
	       insn);
	return true;
}

// ---- address and load ---------------------------------------------------------------------------

enum address_uop address_uop(const struct uop *u)
{
	return u->fn == op_adr         ? ADDRESS_UOP_adr
	       : u->fn == op_add_imm_x ? ADDRESS_UOP_add_imm
	       : u->fn == op_add_reg_x ? ADDRESS_UOP_add_reg
	       : u->fn == op_add_lsl_x ? ADDRESS_UOP_add_lsl
				       : ADDRESS_UOP_COUNT;
}

// ---- compare and branch -------------------------------------------------------------------------
// SUBS or ANDS and the conditional branch after it, in one uop. aux: page offset of an in-page
// target in bits 11:0, an immediate operand above.

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
DEF_FUSED(op_tst_b_imm_w, 32, op->aux >> 12, a &b, flags_logic32(pe, r))
DEF_FUSED(op_tst_b_imm_x, 64, op->aux >> 12, a &b, flags_logic64(pe, r))
DEF_FUSED(op_tst_b_reg_w, 32, XM, a &b, flags_logic32(pe, r))
DEF_FUSED(op_tst_b_reg_x, 64, XM, a &b, flags_logic64(pe, r))

// If `last` sets the flags in a way that fuses with a conditional branch, fill in the two handlers
// of the pair.
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
