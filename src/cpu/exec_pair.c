// SPDX-License-Identifier: Apache-2.0
// LDP, STP, LDNP, STNP, LDPSW of general-purpose and SIMD&FP registers (Arm ARM C4.1.94).
#include "cpu/exec_internal.h"
#include "cpu/mem.h"

// The second register is op->rm. Both loads complete before a register changes, so that a fault on
// the second leaves everything as it was.

#define PRE_imm base + op->imm
#define PRE_pre base + op->imm
#define PRE_post base
#define AFTER_imm
#define AFTER_pre pe->x[op->rn] = va
#define AFTER_post pe->x[op->rn] = base + op->imm

#define ALL_MODES(DEF, name, ...) \
	DEF(name, imm, __VA_ARGS__) \
	DEF(name, pre, __VA_ARGS__) \
	DEF(name, post, __VA_ARGS__) \
	static op_fn *const name[4] = {name##_imm, name##_post, name##_imm, name##_pre};

// store: what becomes of the loaded values a and b.
#define DEF_LOAD_PAIR(name, mode, size, store) \
	static NOINLINE OP(name##_##mode##_slow) \
	{ \
		uint64_t base = XN, va = PRE_##mode; \
		struct mem_val first, second; \
		uint64_t a, b; \
\
		CHECK_SP_ALIGNMENT(base); \
		first = mem_load_slow(pe, op, va, size, MEM_PLAIN); \
		if (!first.ok) { \
			return exc_raise(pe, op); \
		} \
		second = mem_load_slow(pe, op, va + size, size, MEM_PLAIN); \
		if (!second.ok) { \
			return exc_raise(pe, op); \
		} \
		a = first.v; \
		b = second.v; \
		store; \
		AFTER_##mode; \
		NEXT; \
	} \
	static OP(name##_##mode) \
	{ \
		uint64_t base = XN, va = PRE_##mode; \
		const struct fast_entry *entry = mem_entry(pe->fast, va); \
		uint64_t a, b; \
\
		if (!MEM_FAST(entry->tag_r, base, va, 2 * size)) { \
			return name##_##mode##_slow(pe, op); \
		} \
		a = host_load(mem_host(entry, va), size); \
		b = host_load(mem_host(entry, va + size), size); \
		store; \
		AFTER_##mode; \
		NEXT; \
	}

#define DEF_STORE_PAIR(name, mode, size, first, second) \
	static NOINLINE OP(name##_##mode##_slow) \
	{ \
		uint64_t base = XN, va = PRE_##mode; \
\
		CHECK_SP_ALIGNMENT(base); \
		if (!mem_store_slow(pe, op, va, size, first, MEM_PLAIN) || \
		    !mem_store_slow(pe, op, va + size, size, second, MEM_PLAIN)) { \
			return exc_raise(pe, op); \
		} \
		AFTER_##mode; \
		NEXT; \
	} \
	static OP(name##_##mode) \
	{ \
		uint64_t base = XN, va = PRE_##mode; \
		const struct fast_entry *entry = mem_entry(pe->fast, va); \
\
		if (!MEM_FAST(entry->tag_w, base, va, 2 * size)) { \
			return name##_##mode##_slow(pe, op); \
		} \
		host_store(mem_host(entry, va), size, first); \
		host_store(mem_host(entry, va + size), size, second); \
		AFTER_##mode; \
		NEXT; \
	}

ALL_MODES(DEF_STORE_PAIR, stp_w, 4, XD, XM)
ALL_MODES(DEF_STORE_PAIR, stp_x, 8, XD, XM)
ALL_MODES(DEF_LOAD_PAIR, ldp_w, 4, (XD = a, XM = b))
ALL_MODES(DEF_LOAD_PAIR, ldpsw, 4, (XD = (uint64_t)(int32_t)a, XM = (uint64_t)(int32_t)b))
ALL_MODES(DEF_LOAD_PAIR, ldp_x, 8, (XD = a, XM = b))
ALL_MODES(DEF_STORE_PAIR, stp_s, 4, VD.d[0], VM.d[0])
ALL_MODES(DEF_STORE_PAIR, stp_d, 8, VD.d[0], VM.d[0])
ALL_MODES(DEF_LOAD_PAIR, ldp_s, 4, (VD.d[0] = a, VD.d[1] = 0, VM.d[0] = b, VM.d[1] = 0))
ALL_MODES(DEF_LOAD_PAIR, ldp_d, 8, (VD.d[0] = a, VD.d[1] = 0, VM.d[0] = b, VM.d[1] = 0))

#define DEF_LDP_Q(name, mode, unused) \
	static NOINLINE OP(name##_##mode##_slow) \
	{ \
		uint64_t base = XN, va = PRE_##mode; \
\
		CHECK_SP_ALIGNMENT(base); \
		if (!mem_load16_slow(pe, op, va, &pe->scratch[0], MEM_PLAIN) || \
		    !mem_load16_slow(pe, op, va + 16, &pe->scratch[2], MEM_PLAIN)) { \
			return exc_raise(pe, op); \
		} \
		memcpy(&VD, &pe->scratch[0], 16); \
		memcpy(&VM, &pe->scratch[2], 16); \
		AFTER_##mode; \
		NEXT; \
	} \
	static OP(name##_##mode) \
	{ \
		uint64_t base = XN, va = PRE_##mode; \
		const struct fast_entry *entry = mem_entry(pe->fast, va); \
\
		if (!MEM_FAST(entry->tag_r, base, va, 32)) { \
			return name##_##mode##_slow(pe, op); \
		} \
		memcpy(&VD, mem_host(entry, va), 16); \
		memcpy(&VM, mem_host(entry, va + 16), 16); \
		AFTER_##mode; \
		NEXT; \
	}

#define DEF_STP_Q(name, mode, unused) \
	static NOINLINE OP(name##_##mode##_slow) \
	{ \
		uint64_t base = XN, va = PRE_##mode; \
\
		CHECK_SP_ALIGNMENT(base); \
		if (!mem_store16_slow(pe, op, va, &VD, MEM_PLAIN) || \
		    !mem_store16_slow(pe, op, va + 16, &VM, MEM_PLAIN)) { \
			return exc_raise(pe, op); \
		} \
		AFTER_##mode; \
		NEXT; \
	} \
	static OP(name##_##mode) \
	{ \
		uint64_t base = XN, va = PRE_##mode; \
		const struct fast_entry *entry = mem_entry(pe->fast, va); \
\
		if (!MEM_FAST(entry->tag_w, base, va, 32)) { \
			return name##_##mode##_slow(pe, op); \
		} \
		memcpy(mem_host(entry, va), &VD, 16); \
		memcpy(mem_host(entry, va + 16), &VM, 16); \
		AFTER_##mode; \
		NEXT; \
	}

ALL_MODES(DEF_LDP_Q, ldp_q, 0)
ALL_MODES(DEF_STP_Q, stp_q, 0)

// ---- runs of pairs ------------------------------------------------------------------------------
// Frames are saved and restored by runs of STP or LDP. Where neighbouring registers go to
// neighbouring addresses, pe->x is laid out as memory is, and the run is one copy; aux of its first
// uop counts the pairs. Two that are not neighbours are one dispatch. The other uops of a run keep
// their own handlers: what is not the plain case does its own pair and goes on with the next uop as
// ever.

static inline __attribute__((always_inline)) void copy_pairs(void *to, const void *from,
							     unsigned count)
{
	unsigned char *d = to;
	const unsigned char *s = from;

	for (; count >= 4; count -= 4, d += 64, s += 64) {
		memcpy(d, s, 64);
	}
	for (; count != 0; count--, d += 16, s += 16) {
		memcpy(d, s, 16);
	}
}

static OP(stp_x_run)
{
	uint64_t base = XN, va = base + op->imm;
	const struct fast_entry *entry = mem_entry(pe->fast, va);

	if (!MEM_FAST(entry->tag_w, base, va, 16 * op->aux)) {
		return stp_x_imm_slow(pe, op);
	}
	copy_pairs(mem_host(entry, va), &XD, op->aux);
	GOTO_OP(op + op->aux);
}

static OP(ldp_x_run)
{
	uint64_t base = XN, va = base + op->imm;
	const struct fast_entry *entry = mem_entry(pe->fast, va);

	if (!MEM_FAST(entry->tag_r, base, va, 16 * op->aux)) {
		return ldp_x_imm_slow(pe, op);
	}
	copy_pairs(&XD, mem_host(entry, va), op->aux);
	GOTO_OP(op + op->aux);
}

#define STP_X_PLAIN \
	do { \
		uint64_t base = XN, va = base + op->imm; \
		const struct fast_entry *entry = mem_entry(pe->fast, va); \
		if (!MEM_FAST(entry->tag_w, base, va, 16)) { \
			return stp_x_imm_slow(pe, op); \
		} \
		host_store(mem_host(entry, va), 8, XD); \
		host_store(mem_host(entry, va + 8), 8, XM); \
	} while (0)

#define LDP_X_PLAIN \
	do { \
		uint64_t base = XN, va = base + op->imm, a, b; \
		const struct fast_entry *entry = mem_entry(pe->fast, va); \
		if (!MEM_FAST(entry->tag_r, base, va, 16)) { \
			return ldp_x_imm_slow(pe, op); \
		} \
		a = host_load(mem_host(entry, va), 8); \
		b = host_load(mem_host(entry, va + 8), 8); \
		XD = a; \
		XM = b; \
	} while (0)

static OP(stp_x_imm_twice)
{
	STP_X_PLAIN;
	op++;
	STP_X_PLAIN;
	NEXT;
}

static OP(ldp_x_imm_twice)
{
	LDP_X_PLAIN;
	op++;
	LDP_X_PLAIN;
	NEXT;
}

// Is u the pair after the `count` of the run that begins at first? A load must leave the base
// alone.
static bool run_goes_on(const struct uop *first, const struct uop *u, unsigned count)
{
	return u->rn == first->rn && u->imm == first->imm + 16 * count &&
	       first->rm == first->rd + 1 && u->rd == first->rd + 2 * count && u->rm == u->rd + 1 &&
	       !(first->rn >= first->rd && first->rn <= u->rm);
}

// u is a pair with an immediate offset: join it to the run or the pair before it.
static void tr_run(struct tr *t, struct uop *u)
{
	op_fn *run = u->fn == stp_x_imm ? stp_x_run : ldp_x_run;
	struct uop *first = t->run;
	unsigned count;

	t->run = u;
	if (t->last == NULL || t->last + 1 != u || t->last->fn != u->fn) {
		return;
	}
	count = (unsigned)(u - first);
	if (first->fn == (count > 1 ? run : u->fn) && run_goes_on(first, u, count)) {
		first->fn = run;
		first->aux = count + 1;
		t->run = first;
	} else if (first == t->last) {
		first->fn = u->fn == stp_x_imm ? stp_x_imm_twice : ldp_x_imm_twice;
	}
}

// Fill in the operands common to all pairs; scale is log2 of one register's size.
static void tr_pair(struct uop *u, uint32_t insn, unsigned scale)
{
	u->rn = tr_xr_sp(F_RN(insn));
	u->sp_mask = F_RN(insn) == 31 ? 15 : 0;
	u->imm = (uint64_t)sext(bits(insn, 21, 15), 7) << scale;
}

bool tr_ldst_pair(struct tr *t, uint32_t insn)
{
	static op_fn *const *const fns[4][2] = {{stp_w, ldp_w},
						{NULL, ldpsw},
						{stp_x, ldp_x},
						{NULL, NULL}};
	unsigned opc = insn >> 30, mode = (unsigned)bits(insn, 24, 23);
	bool load = bit(insn, 22);
	struct uop *u;

	if (fns[opc][load] == NULL || (opc == 1 && mode == 0)) {
		return false;
	}
	u = tr_emit(t, fns[opc][load][mode]);
	tr_pair(u, insn, opc == 2 ? 3 : 2);
	u->rd = load ? tr_xw(F_RD(insn)) : tr_xr(F_RD(insn));
	u->rm = load ? tr_xw(F_RA(insn)) : tr_xr(F_RA(insn));
	if (u->fn == stp_x_imm || u->fn == ldp_x_imm) {
		tr_run(t, u);
	}
	return true;
}

bool tr_ldst_pair_v(struct tr *t, uint32_t insn)
{
	static op_fn *const *const fns[3][2] = {{stp_s, ldp_s}, {stp_d, ldp_d}, {stp_q, ldp_q}};
	unsigned opc = insn >> 30, mode = (unsigned)bits(insn, 24, 23);
	struct uop *u;

	if (opc == 3) {
		return false;
	}
	u = tr_emit(t, fns[opc][bit(insn, 22)][mode]);
	tr_pair(u, insn, opc + 2);
	u->rd = (uint8_t)F_RD(insn);
	u->rm = (uint8_t)F_RA(insn);
	return true;
}
