// SPDX-License-Identifier: Apache-2.0
// Integer data processing but for addition and subtraction: logic, moves, bit fields, shifts,
// multiplication, division (Arm ARM C4.1.92, C4.1.95).
#include "base/bits.h"
#include "cpu/crypto/crypto.h"
#include "cpu/exec_int.h"

// MOV between registers, and of a constant.
OP(op_mov_x)
{
	XD = XN;
	NEXT;
}

static OP(op_mov_imm)
{
	XD = op->imm;
	NEXT;
}

// ---- logical ------------------------------------------------------------------------------------

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
DEF_LOGIC(lsl, XM << op->aux, WM << op->aux);
DEF_LOGIC(lsr, XM >> op->aux, WM >> op->aux);
DEF_LOGIC(asr, (uint64_t)((int64_t)XM >> op->aux), (uint32_t)((int32_t)WM >> op->aux));
DEF_LOGIC(ror, ror64(XM, op->aux), ror32(WM, op->aux));
DEF_LOGIC(not, ~XM, ~WM);
DEF_LOGIC(not_lsl, ~(XM << op->aux), ~(WM << op->aux));
DEF_LOGIC(not_lsr, ~(XM >> op->aux), ~(WM >> op->aux));
DEF_LOGIC(not_asr, ~(uint64_t)((int64_t)XM >> op->aux), ~(uint32_t)((int32_t)WM >> op->aux));
DEF_LOGIC(not_ror, ~ror64(XM, op->aux), ~ror32(WM, op->aux));

// The ANDS handlers that fuse: immediate W, X, register W, X.
op_fn *logic_ands_fn(unsigned which)
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

	if (!logic_immediate((unsigned)bits(insn, 22, 22), (unsigned)bits(insn, 15, 10),
			     (unsigned)bits(insn, 21, 16), F_SF(insn), &imm)) {
		return false;
	}
	u = tr_emit(t, logic_imm[insn >> 29]);
	u->rd = opc == 3 ? tr_xw(F_RD(insn)) : tr_xw_sp(F_RD(insn));
	u->rn = tr_xr(F_RN(insn));
	u->imm = F_SF(insn) ? imm : (uint32_t)imm;
	if (opc == 1 && F_RN(insn) == 31) {
		u->fn = op_mov_imm;
	}
	if (opc == 3) {
		tr_sets_flags(t, u, logic_imm[(insn >> 29) & 4]);
	}
	return true;
}

bool tr_logic_reg(struct tr *t, uint32_t insn)
{
	static op_fn *const *const fns[2][4] = {{logic_lsl, logic_lsr, logic_asr, logic_ror},
						{logic_not_lsl, logic_not_lsr, logic_not_asr,
						 logic_not_ror}};
	unsigned type = (unsigned)bits(insn, 23, 22), amount = (unsigned)bits(insn, 15, 10);
	bool invert = bit(insn, 21);
	op_fn *const *form = amount != 0 ? fns[invert][type] : invert ? logic_not : logic_reg;
	struct uop *u;

	if (!F_SF(insn) && amount >= 32) {
		return false;
	}
	u = tr_emit(t, form[insn >> 29]);
	tr_rrr(u, insn);
	u->aux = amount;
	if (bits(insn, 30, 29) == 3) {
		tr_sets_flags(t, u, form[(insn >> 29) & 4]);
	}
	if (F_SF(insn) && amount == 0 && !invert && bits(insn, 30, 29) == 1 && F_RN(insn) == 31) {
		u->fn = op_mov_x;
		u->rn = u->rm;
	}
	return true;
}

// ---- moves, addresses ---------------------------------------------------------------------------

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
	if (opc == 3 && t->last != NULL && t->last->fn == op_mov_imm &&
	    t->last->rd == tr_xw(F_RD(insn))) {
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

OP(op_adr)
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

// ---- bit fields ---------------------------------------------------------------------------------

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

static OP(op_sbfx_x) // the field ends at bit 63 - ra after a left shift by ra; then arithmetic
		     // shift by rm
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

static OP(op_bfm) // imm: mask of the destination bits that are replaced; ra, rm: shift right, then
		  // left
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
	unsigned opc = (unsigned)bits(insn, 30, 29), sf = F_SF(insn),
		 r = (unsigned)bits(insn, 21, 16), s = (unsigned)bits(insn, 15, 10),
		 size = sf ? 64 : 32;
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

static OP(op_ror_x)
{
	XD = ror64(XN, op->aux);
	NEXT;
}

static OP(op_ror_w)
{
	XD = ror32(WN, op->aux);
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
	if (F_RN(insn) == F_RM(insn)) {
		u = tr_emit(t, F_SF(insn) ? op_ror_x : op_ror_w);
	} else {
		u = tr_emit(t, F_SF(insn) ? op_extr_x : op_extr_w);
	}
	tr_rrr(u, insn);
	u->aux = lsb;
	return true;
}

// ---- two and one source -------------------------------------------------------------------------

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

	XD = b == 0 ? 0 : b == -1 ? (uint32_t) - (uint32_t)a : (uint32_t)(a / b);
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
	static op_fn *const fns[8] = {op_crc32b,  op_crc32h,  op_crc32w,  op_crc32x,
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
	static op_fn *const fns[8] = {NULL, op_rev16_w, op_rev_w,   NULL,
				      NULL, op_rev16_x, op_rev32_x, op_rev_x};
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

// ---- flag manipulation --------------------------------------------------------------------------

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

// ---- multiply -----------------------------------------------------------------------------------

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
