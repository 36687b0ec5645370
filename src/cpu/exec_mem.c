// SPDX-License-Identifier: Apache-2.0
// Loads and stores of one general-purpose or SIMD&FP register, in every addressing mode (Arm ARM
// C4.1.94). Pairs are in exec_pair.c, exclusives and atomics in exec_atomic.c.
#include "cpu/exec_internal.h"
#include "cpu/mem.h"

// Addressing modes: where the access goes and what is written back to the base afterwards.
enum mode { MODE_IMM, MODE_PRE, MODE_POST, MODE_LSL, MODE_EXT, MODE_COUNT };

static inline uint64_t extend_offset(uint32_t aux, uint64_t v)
{
	switch (aux & 7) {
	case 2:
		v = (uint32_t)v;
		break;
	case 6:
		v = (uint64_t)(int32_t)v;
		break;
	default:
		break;
	}
	return v << (aux >> 3);
}

#define ADDRESS_imm base + op->imm
#define ADDRESS_pre base + op->imm
#define ADDRESS_post base
#define ADDRESS_lsl base + (XM << op->aux)
#define ADDRESS_ext base + extend_offset(op->aux, XM)
#define WRITEBACK_imm
#define WRITEBACK_pre pe->x[op->rn] = va
#define WRITEBACK_post pe->x[op->rn] = base + op->imm
#define WRITEBACK_lsl
#define WRITEBACK_ext

#define ALL_MODES(DEF, name, ...) \
	DEF(name, imm, __VA_ARGS__) \
	DEF(name, pre, __VA_ARGS__) \
	DEF(name, post, __VA_ARGS__) \
	DEF(name, lsl, __VA_ARGS__) \
	DEF(name, ext, __VA_ARGS__) \
	static op_fn *const name[MODE_COUNT] = {name##_imm, name##_pre, name##_post, name##_lsl, \
						name##_ext};

// ---- general-purpose registers ------------------------------------------------------------------

// Each handler does the plain case and leaves every other one to its slow twin, by a tail call.
#define DEF_LOAD(name, mode, size, convert) \
	static NOINLINE OP(name##_##mode##_slow) \
	{ \
		uint64_t base = XN, va = ADDRESS_##mode; \
		struct mem_val r; \
\
		CHECK_SP_ALIGNMENT(base); \
		r = mem_load_slow(pe, op, va, size, MEM_PLAIN); \
		if (!r.ok) { \
			return exc_raise(pe, op); \
		} \
		XD = convert r.v; \
		WRITEBACK_##mode; \
		NEXT; \
	} \
	static OP(name##_##mode) \
	{ \
		uint64_t base = XN, va = ADDRESS_##mode; \
		const struct fast_entry *entry = mem_entry(pe->fast, va); \
\
		if (!MEM_FAST(entry->tag_r, base, va, size)) { \
			return name##_##mode##_slow(pe, op); \
		} \
		XD = convert host_load(mem_host(entry, va), size); \
		WRITEBACK_##mode; \
		NEXT; \
	}

#define DEF_STORE(name, mode, size) \
	static NOINLINE OP(name##_##mode##_slow) \
	{ \
		uint64_t base = XN, va = ADDRESS_##mode; \
\
		CHECK_SP_ALIGNMENT(base); \
		if (!mem_store_slow(pe, op, va, size, XD, MEM_PLAIN)) { \
			return exc_raise(pe, op); \
		} \
		WRITEBACK_##mode; \
		NEXT; \
	} \
	static OP(name##_##mode) \
	{ \
		uint64_t base = XN, va = ADDRESS_##mode; \
		const struct fast_entry *entry = mem_entry(pe->fast, va); \
\
		if (!MEM_FAST(entry->tag_w, base, va, size)) { \
			return name##_##mode##_slow(pe, op); \
		} \
		host_store(mem_host(entry, va), size, XD); \
		WRITEBACK_##mode; \
		NEXT; \
	}

ALL_MODES(DEF_STORE, strb, 1)
ALL_MODES(DEF_STORE, strh, 2)
ALL_MODES(DEF_STORE, str_w, 4)
ALL_MODES(DEF_STORE, str_x, 8)
ALL_MODES(DEF_LOAD, ldrb, 1, (uint64_t))
ALL_MODES(DEF_LOAD, ldrh, 2, (uint64_t))
ALL_MODES(DEF_LOAD, ldr_w, 4, (uint64_t))
ALL_MODES(DEF_LOAD, ldr_x, 8, (uint64_t))
ALL_MODES(DEF_LOAD, ldrsb_x, 1, (uint64_t)(int8_t))
ALL_MODES(DEF_LOAD, ldrsh_x, 2, (uint64_t)(int16_t))
ALL_MODES(DEF_LOAD, ldrsw_x, 4, (uint64_t)(int32_t))
ALL_MODES(DEF_LOAD, ldrsb_w, 1, (uint32_t)(int8_t))
ALL_MODES(DEF_LOAD, ldrsh_w, 2, (uint32_t)(int16_t))

// By size and opc; NULL: PRFM or unallocated.
static op_fn *const *const ldst_gpr[4][4] = {
	{strb, ldrb, ldrsb_x, ldrsb_w},
	{strh, ldrh, ldrsh_x, ldrsh_w},
	{str_w, ldr_w, ldrsw_x, NULL},
	{str_x, ldr_x, NULL, NULL},
};

// Two in a row, in one handler: the second uop is the first's neighbour and keeps its own handler,
// which is what a slow first one goes on with.
#define LOAD_PLAIN(name, size) \
	do { \
		uint64_t base = XN, va = base + op->imm; \
		const struct fast_entry *entry = mem_entry(pe->fast, va); \
		if (!MEM_FAST(entry->tag_r, base, va, size)) { \
			return name##_slow(pe, op); \
		} \
		XD = host_load(mem_host(entry, va), size); \
	} while (0)

#define STORE_PLAIN(name, size) \
	do { \
		uint64_t base = XN, va = base + op->imm; \
		const struct fast_entry *entry = mem_entry(pe->fast, va); \
		if (!MEM_FAST(entry->tag_w, base, va, size)) { \
			return name##_slow(pe, op); \
		} \
		host_store(mem_host(entry, va), size, XD); \
	} while (0)

static OP(ldr_x_imm_twice)
{
	LOAD_PLAIN(ldr_x_imm, 8);
	op++;
	LOAD_PLAIN(ldr_x_imm, 8);
	NEXT;
}

static OP(str_x_imm_twice)
{
	STORE_PLAIN(str_x_imm, 8);
	op++;
	STORE_PLAIN(str_x_imm, 8);
	NEXT;
}

static OP(ldr_w_imm_twice)
{
	LOAD_PLAIN(ldr_w_imm, 4);
	op++;
	LOAD_PLAIN(ldr_w_imm, 4);
	NEXT;
}

// An address (exec_addsub.c) and the load after it, likewise: the load keeps its own uop, so that a
// fault has its PC and finds the address written.
#define COMPUTE_adr pe->vpage + op->imm
#define COMPUTE_add_imm XN + op->imm
#define COMPUTE_add_reg XN + XM
#define COMPUTE_add_lsl XN + (XM << op->aux)
#define DEF_ADDRESS_LOAD(kind, name, size) \
	static OP(kind##_##name) \
	{ \
		XD = COMPUTE_##kind; \
		op++; \
		LOAD_PLAIN(name, size); \
		NEXT; \
	}
#define DEF_ADDRESS_LOADS(name, size) \
	DEF_ADDRESS_LOAD(adr, name, size) \
	DEF_ADDRESS_LOAD(add_imm, name, size) \
	DEF_ADDRESS_LOAD(add_reg, name, size) \
	DEF_ADDRESS_LOAD(add_lsl, name, size) \
	static op_fn *const address_##name[ADDRESS_UOP_COUNT] = {adr_##name, add_imm_##name, \
								 add_reg_##name, add_lsl_##name};

DEF_ADDRESS_LOADS(ldr_x_imm, 8)
DEF_ADDRESS_LOADS(ldr_w_imm, 4)
DEF_ADDRESS_LOADS(ldrb_imm, 1)

static void tr_run(struct tr *t, const struct uop *u)
{
	enum address_uop address;

	if (t->last == NULL || t->last + 1 != u) {
		return;
	}
	address = address_uop(t->last);
	if (address != ADDRESS_UOP_COUNT) {
		op_fn *const *fns = u->fn == ldr_x_imm   ? address_ldr_x_imm
				    : u->fn == ldr_w_imm ? address_ldr_w_imm
				    : u->fn == ldrb_imm  ? address_ldrb_imm
							 : NULL;

		t->last->fn = fns != NULL ? fns[address] : t->last->fn;
		return;
	}
	if (t->last->fn != u->fn) {
		return;
	}
	if (u->fn == ldr_x_imm) {
		t->last->fn = ldr_x_imm_twice;
	} else if (u->fn == str_x_imm) {
		t->last->fn = str_x_imm_twice;
	} else if (u->fn == ldr_w_imm) {
		t->last->fn = ldr_w_imm_twice;
	}
}

// ---- SIMD&FP registers --------------------------------------------------------------------------

#define DEF_LOAD_V(name, mode, size) \
	static NOINLINE OP(name##_##mode##_slow) \
	{ \
		uint64_t base = XN, va = ADDRESS_##mode; \
		struct mem_val r; \
\
		CHECK_SP_ALIGNMENT(base); \
		r = mem_load_slow(pe, op, va, size, MEM_PLAIN); \
		if (!r.ok) { \
			return exc_raise(pe, op); \
		} \
		VD.d[0] = r.v; \
		VD.d[1] = 0; \
		WRITEBACK_##mode; \
		NEXT; \
	} \
	static OP(name##_##mode) \
	{ \
		uint64_t base = XN, va = ADDRESS_##mode; \
		const struct fast_entry *entry = mem_entry(pe->fast, va); \
\
		if (!MEM_FAST(entry->tag_r, base, va, size)) { \
			return name##_##mode##_slow(pe, op); \
		} \
		VD.d[0] = host_load(mem_host(entry, va), size); \
		VD.d[1] = 0; \
		WRITEBACK_##mode; \
		NEXT; \
	}

#define DEF_STORE_V(name, mode, size) \
	static NOINLINE OP(name##_##mode##_slow) \
	{ \
		uint64_t base = XN, va = ADDRESS_##mode; \
\
		CHECK_SP_ALIGNMENT(base); \
		if (!mem_store_slow(pe, op, va, size, VD.d[0], MEM_PLAIN)) { \
			return exc_raise(pe, op); \
		} \
		WRITEBACK_##mode; \
		NEXT; \
	} \
	static OP(name##_##mode) \
	{ \
		uint64_t base = XN, va = ADDRESS_##mode; \
		const struct fast_entry *entry = mem_entry(pe->fast, va); \
\
		if (!MEM_FAST(entry->tag_w, base, va, size)) { \
			return name##_##mode##_slow(pe, op); \
		} \
		host_store(mem_host(entry, va), size, VD.d[0]); \
		WRITEBACK_##mode; \
		NEXT; \
	}

#define DEF_LOAD_Q(name, mode, unused) \
	static NOINLINE OP(name##_##mode##_slow) \
	{ \
		uint64_t base = XN, va = ADDRESS_##mode; \
\
		CHECK_SP_ALIGNMENT(base); \
		if (!mem_load16_slow(pe, op, va, &VD, MEM_PLAIN)) { \
			return exc_raise(pe, op); \
		} \
		WRITEBACK_##mode; \
		NEXT; \
	} \
	static OP(name##_##mode) \
	{ \
		uint64_t base = XN, va = ADDRESS_##mode; \
		const struct fast_entry *entry = mem_entry(pe->fast, va); \
\
		if (!MEM_FAST(entry->tag_r, base, va, 16)) { \
			return name##_##mode##_slow(pe, op); \
		} \
		memcpy(&VD, mem_host(entry, va), 16); \
		WRITEBACK_##mode; \
		NEXT; \
	}

#define DEF_STORE_Q(name, mode, unused) \
	static NOINLINE OP(name##_##mode##_slow) \
	{ \
		uint64_t base = XN, va = ADDRESS_##mode; \
\
		CHECK_SP_ALIGNMENT(base); \
		if (!mem_store16_slow(pe, op, va, &VD, MEM_PLAIN)) { \
			return exc_raise(pe, op); \
		} \
		WRITEBACK_##mode; \
		NEXT; \
	} \
	static OP(name##_##mode) \
	{ \
		uint64_t base = XN, va = ADDRESS_##mode; \
		const struct fast_entry *entry = mem_entry(pe->fast, va); \
\
		if (!MEM_FAST(entry->tag_w, base, va, 16)) { \
			return name##_##mode##_slow(pe, op); \
		} \
		memcpy(mem_host(entry, va), &VD, 16); \
		WRITEBACK_##mode; \
		NEXT; \
	}

ALL_MODES(DEF_STORE_V, str_b, 1)
ALL_MODES(DEF_STORE_V, str_h, 2)
ALL_MODES(DEF_STORE_V, str_s, 4)
ALL_MODES(DEF_STORE_V, str_d, 8)
ALL_MODES(DEF_STORE_Q, str_q, 0)
ALL_MODES(DEF_LOAD_V, ldr_b, 1)
ALL_MODES(DEF_LOAD_V, ldr_h, 2)
ALL_MODES(DEF_LOAD_V, ldr_s, 4)
ALL_MODES(DEF_LOAD_V, ldr_d, 8)
ALL_MODES(DEF_LOAD_Q, ldr_q, 0)

static op_fn *const *const ldst_vec[4][4] = {
	{str_b, ldr_b, str_q, ldr_q},
	{str_h, ldr_h, NULL, NULL},
	{str_s, ldr_s, NULL, NULL},
	{str_d, ldr_d, NULL, NULL},
};

// ---- unprivileged -------------------------------------------------------------------------------

#define DEF_LOAD_UNPRIV(name, size, convert) \
	static OP(name) \
	{ \
		uint64_t base = XN, va = base + op->imm; \
		struct mem_val r; \
\
		CHECK_SP_ALIGNMENT(base); \
		r = mem_load_from(pe, pe->fast_unpriv, op, va, size, MEM_UNPRIV); \
		if (unlikely(!r.ok)) { \
			return exc_raise(pe, op); \
		} \
		XD = convert r.v; \
		NEXT; \
	}

#define DEF_STORE_UNPRIV(name, size) \
	static OP(name) \
	{ \
		uint64_t base = XN, va = base + op->imm; \
\
		CHECK_SP_ALIGNMENT(base); \
		if (unlikely(!mem_store_to(pe, pe->fast_unpriv, op, va, size, XD, MEM_UNPRIV))) { \
			return exc_raise(pe, op); \
		} \
		NEXT; \
	}

DEF_STORE_UNPRIV(sttrb, 1)
DEF_STORE_UNPRIV(sttrh, 2)
DEF_STORE_UNPRIV(sttr_w, 4)
DEF_STORE_UNPRIV(sttr_x, 8)
DEF_LOAD_UNPRIV(ldtrb, 1, (uint64_t))
DEF_LOAD_UNPRIV(ldtrh, 2, (uint64_t))
DEF_LOAD_UNPRIV(ldtr_w, 4, (uint64_t))
DEF_LOAD_UNPRIV(ldtr_x, 8, (uint64_t))
DEF_LOAD_UNPRIV(ldtrsb_x, 1, (uint64_t)(int8_t))
DEF_LOAD_UNPRIV(ldtrsh_x, 2, (uint64_t)(int16_t))
DEF_LOAD_UNPRIV(ldtrsw_x, 4, (uint64_t)(int32_t))
DEF_LOAD_UNPRIV(ldtrsb_w, 1, (uint32_t)(int8_t))
DEF_LOAD_UNPRIV(ldtrsh_w, 2, (uint32_t)(int16_t))

static op_fn *const ldst_unpriv[4][4] = {
	{sttrb, ldtrb, ldtrsb_x, ldtrsb_w},
	{sttrh, ldtrh, ldtrsh_x, ldtrsh_w},
	{sttr_w, ldtr_w, ldtrsw_x, NULL},
	{sttr_x, ldtr_x, NULL, NULL},
};

// ---- load-acquire, store-release ----------------------------------------------------------------
// One host thread runs every PE, so that order is given; what is left is the stricter alignment.

#define DEF_LOAD_ORDERED(name, size, convert) \
	static OP(name) \
	{ \
		uint64_t base = XN, va = base + op->imm; \
		struct mem_val r; \
\
		CHECK_SP_ALIGNMENT(base); \
		r = unlikely(va & (size - 1)) \
			    ? mem_load_slow(pe, op, va, size, MEM_ORDERED) \
			    : mem_load_from(pe, pe->fast, op, va, size, MEM_ORDERED); \
		if (unlikely(!r.ok)) { \
			return exc_raise(pe, op); \
		} \
		XD = convert r.v; \
		NEXT; \
	}

#define DEF_STORE_ORDERED(name, size) \
	static OP(name) \
	{ \
		uint64_t base = XN, va = base + op->imm; \
\
		CHECK_SP_ALIGNMENT(base); \
		if (unlikely(!(va & (size - 1) ? mem_store_slow(pe, op, va, size, XD, MEM_ORDERED) \
					       : mem_store_to(pe, pe->fast, op, va, size, XD, \
							      MEM_ORDERED)))) { \
			return exc_raise(pe, op); \
		} \
		NEXT; \
	}

DEF_STORE_ORDERED(stlrb, 1)
DEF_STORE_ORDERED(stlrh, 2)
DEF_STORE_ORDERED(stlr_w, 4)
DEF_STORE_ORDERED(stlr_x, 8)
DEF_LOAD_ORDERED(ldarb, 1, (uint64_t))
DEF_LOAD_ORDERED(ldarh, 2, (uint64_t))
DEF_LOAD_ORDERED(ldar_w, 4, (uint64_t))
DEF_LOAD_ORDERED(ldar_x, 8, (uint64_t))
DEF_LOAD_ORDERED(ldapursb_x, 1, (uint64_t)(int8_t))
DEF_LOAD_ORDERED(ldapursh_x, 2, (uint64_t)(int16_t))
DEF_LOAD_ORDERED(ldapursw_x, 4, (uint64_t)(int32_t))
DEF_LOAD_ORDERED(ldapursb_w, 1, (uint32_t)(int8_t))
DEF_LOAD_ORDERED(ldapursh_w, 2, (uint32_t)(int16_t))

static op_fn *const ldst_order[4][4] = {
	{stlrb, ldarb, ldapursb_x, ldapursb_w},
	{stlrh, ldarh, ldapursh_x, ldapursh_w},
	{stlr_w, ldar_w, ldapursw_x, NULL},
	{stlr_x, ldar_x, NULL, NULL},
};

// ---- translators --------------------------------------------------------------------------------

static OP(op_prefetch)
{
	NEXT;
}

static void tr_base(struct uop *u, uint32_t insn)
{
	u->rn = tr_xr_sp(F_RN(insn));
	u->sp_mask = F_RN(insn) == 31 ? 15 : 0;
}

// Emit a general-purpose access of this kind, or PRFM where opc 2 of size 3 stands for it.
static struct uop *tr_gpr(struct tr *t, uint32_t insn, enum mode mode)
{
	unsigned size = insn >> 30, opc = F_SIZE(insn);
	op_fn *const *fns = ldst_gpr[size][opc];
	struct uop *u;

	if (fns == NULL) {
		if (size == 3 && opc == 2 && mode != MODE_PRE && mode != MODE_POST) {
			return tr_emit(t, op_prefetch);
		}
		return NULL;
	}
	u = tr_emit(t, fns[mode]);
	tr_base(u, insn);
	u->rd = opc == 0 ? tr_xr(F_RD(insn)) : tr_xw(F_RD(insn));
	return u;
}

static struct uop *tr_vec(struct tr *t, uint32_t insn, enum mode mode)
{
	op_fn *const *fns = ldst_vec[insn >> 30][F_SIZE(insn)];
	struct uop *u;

	if (fns == NULL) {
		return NULL;
	}
	u = tr_emit(t, fns[mode]);
	tr_base(u, insn);
	u->rd = (uint8_t)F_RD(insn);
	return u;
}

// log2 of the access size of a SIMD&FP load or store of one register.
static unsigned vec_scale(uint32_t insn)
{
	return insn >> 30 | (bit(insn, 23) ? 4 : 0);
}

bool tr_ldst_uimm(struct tr *t, uint32_t insn)
{
	struct uop *u = tr_gpr(t, insn, MODE_IMM);

	if (u == NULL) {
		return false;
	}
	u->imm = bits(insn, 21, 10) << (insn >> 30);
	tr_run(t, u);
	return true;
}

bool tr_ldst_uimm_v(struct tr *t, uint32_t insn)
{
	struct uop *u = tr_vec(t, insn, MODE_IMM);

	if (u == NULL) {
		return false;
	}
	u->imm = bits(insn, 21, 10) << vec_scale(insn);
	return true;
}

static bool tr_unprivileged(struct tr *t, uint32_t insn)
{
	unsigned opc = F_SIZE(insn);
	op_fn *fn = ldst_unpriv[insn >> 30][opc];
	struct uop *u;

	if (fn == NULL) {
		return false;
	}
	u = tr_emit(t, fn);
	tr_base(u, insn);
	u->rd = opc == 0 ? tr_xr(F_RD(insn)) : tr_xw(F_RD(insn));
	u->imm = (uint64_t)sext(bits(insn, 20, 12), 9);
	return true;
}

static const enum mode imm9_modes[4] = {MODE_IMM, MODE_POST, MODE_COUNT, MODE_PRE};

bool tr_ldst_imm9(struct tr *t, uint32_t insn)
{
	enum mode mode = imm9_modes[bits(insn, 11, 10)];
	struct uop *u;

	if (mode == MODE_COUNT) {
		return tr_unprivileged(t, insn);
	}
	u = tr_gpr(t, insn, mode);
	if (u == NULL) {
		return false;
	}
	u->imm = (uint64_t)sext(bits(insn, 20, 12), 9);
	return true;
}

bool tr_ldst_imm9_v(struct tr *t, uint32_t insn)
{
	enum mode mode = imm9_modes[bits(insn, 11, 10)];
	struct uop *u = mode == MODE_COUNT ? NULL : tr_vec(t, insn, mode);

	if (u == NULL) {
		return false;
	}
	u->imm = (uint64_t)sext(bits(insn, 20, 12), 9);
	return true;
}

// Register offset: option and the scaled shift.
static bool tr_offset(struct uop *u, uint32_t insn, unsigned scale)
{
	unsigned option = (unsigned)bits(insn, 15, 13), shift = bit(insn, 12) ? scale : 0;

	if (u == NULL) {
		return false;
	}
	u->rm = tr_xr(F_RM(insn));
	u->aux = (option & 3) == 3 ? shift : option | shift << 3;
	return true;
}

static enum mode offset_mode(uint32_t insn)
{
	return bits(insn, 14, 13) == 3 ? MODE_LSL : MODE_EXT;
}

bool tr_ldst_reg(struct tr *t, uint32_t insn)
{
	if (!bit(insn, 14)) {
		return false;
	}
	return tr_offset(tr_gpr(t, insn, offset_mode(insn)), insn, insn >> 30);
}

bool tr_ldst_reg_v(struct tr *t, uint32_t insn)
{
	if (!bit(insn, 14)) {
		return false;
	}
	return tr_offset(tr_vec(t, insn, offset_mode(insn)), insn, vec_scale(insn));
}

static bool tr_order(struct tr *t, uint32_t insn, unsigned opc, uint64_t imm)
{
	op_fn *fn = ldst_order[insn >> 30][opc];
	struct uop *u;

	if (fn == NULL) {
		return false;
	}
	u = tr_emit(t, fn);
	tr_base(u, insn);
	u->rd = opc == 0 ? tr_xr(F_RD(insn)) : tr_xw(F_RD(insn));
	u->imm = imm;
	return true;
}

bool tr_ldst_ordered(struct tr *t, uint32_t insn)
{
	if (!bit(insn, 15) && !tr_has(t, FEAT_LOR)) {
		return false; // LDLAR, STLLR
	}
	return tr_order(t, insn, bit(insn, 22), 0);
}

bool tr_ldapur(struct tr *t, uint32_t insn)
{
	return tr_order(t, insn, F_SIZE(insn), (uint64_t)sext(bits(insn, 20, 12), 9));
}

bool tr_ldapr(struct tr *t, uint32_t insn)
{
	return tr_order(t, insn, 1, 0);
}

// ---- literals -----------------------------------------------------------------------------------

#define DEF_LITERAL(name, size, store) \
	static OP(name) \
	{ \
		struct mem_val r = mem_load(pe, op, pe->vpage + op->imm, size); \
\
		if (unlikely(!r.ok)) { \
			return exc_raise(pe, op); \
		} \
		store; \
		NEXT; \
	}

DEF_LITERAL(ldr_lit_w, 4, XD = r.v)
DEF_LITERAL(ldr_lit_x, 8, XD = r.v)
DEF_LITERAL(ldrsw_lit, 4, XD = (uint64_t)(int32_t)r.v)
DEF_LITERAL(ldr_lit_s, 4, (VD.d[0] = r.v, VD.d[1] = 0))
DEF_LITERAL(ldr_lit_d, 8, (VD.d[0] = r.v, VD.d[1] = 0))

static OP(ldr_lit_q)
{
	if (unlikely(!mem_load16(pe, op, pe->vpage + op->imm, &VD))) {
		return exc_raise(pe, op);
	}
	NEXT;
}

static uint64_t literal_offset(const struct tr *t, uint32_t insn)
{
	return (uint64_t)(sext(bits(insn, 23, 5), 19) * 4) + t->pc_off;
}

bool tr_ldr_lit(struct tr *t, uint32_t insn)
{
	static op_fn *const fns[4] = {ldr_lit_w, ldr_lit_x, ldrsw_lit, op_prefetch};
	struct uop *u = tr_emit(t, fns[insn >> 30]);

	u->rd = tr_xw(F_RD(insn));
	u->imm = literal_offset(t, insn);
	return true;
}

bool tr_ldr_lit_v(struct tr *t, uint32_t insn)
{
	static op_fn *const fns[4] = {ldr_lit_s, ldr_lit_d, ldr_lit_q, NULL};
	struct uop *u;

	if (fns[insn >> 30] == NULL) {
		return false;
	}
	u = tr_emit(t, fns[insn >> 30]);
	u->rd = (uint8_t)F_RD(insn);
	u->imm = literal_offset(t, insn);
	return true;
}
