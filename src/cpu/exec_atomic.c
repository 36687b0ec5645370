// SPDX-License-Identifier: Apache-2.0
// Exclusives, compare-and-swap and the atomic memory operations of FEAT_LSE (Arm ARM C4.1.94). All
// observers run on one host thread, one after the other, so that a plain read-modify-write is
// atomic.
#include "cpu/exec_internal.h"
#include "cpu/mem.h"

// A host pointer to `size` bytes of RAM that may be read and written, or NULL with pe->fault set.
static inline void *atomic_ptr(struct pe *pe, const struct uop *op, uint64_t va, unsigned size,
			       unsigned flags)
{
	const struct fast_entry *entry = mem_entry(pe->fast, va);

	if (likely((va & (size - 1)) == 0) && mem_hit(entry->tag_w, va, size) &&
	    entry->tag_r == entry->tag_w) {
		return (void *)(uintptr_t)(va + entry->addend);
	}
	return mem_atomic_ptr(pe, op, va, size, flags);
}

// ---- exclusives ---------------------------------------------------------------------------------

// What the monitor remembers of an address whose page is in the fast TLB: the physical address, PAS
// in bits 63:62.
static inline uint64_t entry_physical(const struct fast_entry *entry, uint64_t va)
{
	return (entry->pa & ~PAGE_MASK) | (va & PAGE_MASK) | (entry->pa & 3) << 62;
}

// Load `size` bytes (16: a pair into scratch[0..1]) and arm the monitor. False: pe->fault.
static NOINLINE bool load_exclusive(struct pe *pe, const struct uop *op, uint64_t va, unsigned size)
{
	unsigned flags = MEM_EXCLUSIVE | (bit(op->insn, 15) ? MEM_ORDERED : 0);
	uint64_t pa;

	if (!mem_physical(pe, op, va, size, false, flags, &pa)) {
		return false;
	}
	if (size == 16) {
		if (!mem_load16_slow(pe, op, va, pe->scratch, flags)) {
			return false;
		}
	} else {
		struct mem_val r = mem_load_slow(pe, op, va, size, flags);

		if (!r.ok) {
			return false;
		}
		pe->scratch[0] = r.v;
	}
	pe->excl_valid = true;
	pe->excl_size = (uint8_t)size;
	pe->excl_pa = pa;
	return true;
}

enum { STORE_EXCLUSIVE_DONE, STORE_EXCLUSIVE_FAILED, STORE_EXCLUSIVE_FAULT };

// Store scratch[0..1] if the monitor still covers it (AArch64.ExclusiveMonitorsPass).
static NOINLINE int store_exclusive(struct pe *pe, const struct uop *op, uint64_t va, unsigned size)
{
	unsigned flags = MEM_EXCLUSIVE | (bit(op->insn, 15) ? MEM_ORDERED : 0);
	uint64_t pa;

	// The alignment check comes before the monitor's; translation faults are reported either
	// way.
	if (!mem_physical(pe, op, va, size, true, flags, &pa)) {
		return STORE_EXCLUSIVE_FAULT;
	}
	if (!pe->excl_valid || pe->excl_pa != pa || pe->excl_size != size) {
		pe->excl_valid = false;
		return STORE_EXCLUSIVE_FAILED;
	}
	if (!(size == 16 ? mem_store16_slow(pe, op, va, pe->scratch, flags)
			 : mem_store_slow(pe, op, va, size, pe->scratch[0], flags))) {
		return STORE_EXCLUSIVE_FAULT;
	}
	pe->excl_valid = false;
	return STORE_EXCLUSIVE_DONE;
}

// aux: size. rd: Rt, rm: Rt2 (pairs), ra: Rs.
static NOINLINE OP(op_ldxr_slow)
{
	uint64_t va = XN;

	CHECK_SP_ALIGNMENT(va);
	if (unlikely(!load_exclusive(pe, op, va, op->aux))) {
		return exc_raise(pe, op);
	}
	XD = pe->scratch[0];
	NEXT;
}

#define DEF_LDXR(size) \
	static OP(op_ldxr_##size) \
	{ \
		uint64_t va = XN; \
		const struct fast_entry *entry = mem_entry(pe->fast, va); \
\
		if (!MEM_FAST(entry->tag_r, va, va, size) || (va & (size - 1)) != 0) { \
			return op_ldxr_slow(pe, op); \
		} \
		pe->excl_valid = true; \
		pe->excl_size = size; \
		pe->excl_pa = entry_physical(entry, va); \
		XD = host_load(mem_host(entry, va), size); \
		NEXT; \
	}
DEF_LDXR(1)
DEF_LDXR(2)
DEF_LDXR(4)
DEF_LDXR(8)

static OP(op_ldxp)
{
	uint64_t va = XN;

	CHECK_SP_ALIGNMENT(va);
	if (unlikely(!load_exclusive(pe, op, va, op->aux))) {
		return exc_raise(pe, op);
	}
	if (op->aux == 8) {
		uint64_t both = pe->scratch[0];

		XD = (uint32_t)both;
		XM = both >> 32;
	} else {
		XD = pe->scratch[0];
		XM = pe->scratch[1];
	}
	NEXT;
}

static NOINLINE OP(op_stxr_slow)
{
	uint64_t va = XN;
	int result;

	CHECK_SP_ALIGNMENT(va);
	pe->scratch[0] = XD;
	result = store_exclusive(pe, op, va, op->aux);
	if (unlikely(result == STORE_EXCLUSIVE_FAULT)) {
		return exc_raise(pe, op);
	}
	XA = result == STORE_EXCLUSIVE_FAILED;
	NEXT;
}

#define DEF_STXR(size) \
	static OP(op_stxr_##size) \
	{ \
		uint64_t va = XN, value = XD; \
		const struct fast_entry *entry = mem_entry(pe->fast, va); \
		bool failed; \
\
		if (!MEM_FAST(entry->tag_w, va, va, size) || (va & (size - 1)) != 0) { \
			return op_stxr_slow(pe, op); \
		} \
		failed = !pe->excl_valid || pe->excl_size != size || \
			 pe->excl_pa != entry_physical(entry, va); \
		pe->excl_valid = false; \
		if (!failed) { \
			host_store(mem_host(entry, va), size, value); \
		} \
		XA = failed; \
		NEXT; \
	}
DEF_STXR(1)
DEF_STXR(2)
DEF_STXR(4)
DEF_STXR(8)

static OP(op_stxp)
{
	uint64_t va = XN;
	int result;

	CHECK_SP_ALIGNMENT(va);
	if (op->aux == 8) {
		pe->scratch[0] = (uint32_t)XD | XM << 32;
	} else {
		pe->scratch[0] = XD;
		pe->scratch[1] = XM;
	}
	result = store_exclusive(pe, op, va, op->aux);
	if (unlikely(result == STORE_EXCLUSIVE_FAULT)) {
		return exc_raise(pe, op);
	}
	XA = result == STORE_EXCLUSIVE_FAILED;
	NEXT;
}

static void tr_base(struct uop *u, uint32_t insn)
{
	u->rn = tr_xr_sp(F_RN(insn));
	u->sp_mask = F_RN(insn) == 31 ? 15 : 0;
}

static bool tr_exclusive(struct tr *t, uint32_t insn, bool pair, unsigned size)
{
	static op_fn *const loads[4] = {op_ldxr_1, op_ldxr_2, op_ldxr_4, op_ldxr_8};
	static op_fn *const stores[4] = {op_stxr_1, op_stxr_2, op_stxr_4, op_stxr_8};
	bool load = bit(insn, 22);
	struct uop *u;

	if (pair) {
		u = tr_emit(t, load ? op_ldxp : op_stxp);
	} else {
		u = tr_emit(t, load ? loads[insn >> 30] : stores[insn >> 30]);
	}

	tr_base(u, insn);
	u->rd = load ? tr_xw(F_RD(insn)) : tr_xr(F_RD(insn));
	u->rm = load ? tr_xw(F_RA(insn)) : tr_xr(F_RA(insn));
	u->ra = tr_xw(F_RM(insn));
	u->aux = size;
	return true;
}

bool tr_ldst_excl(struct tr *t, uint32_t insn)
{
	return tr_exclusive(t, insn, false, 1u << (insn >> 30));
}

bool tr_ldst_excl_pair(struct tr *t, uint32_t insn)
{
	return tr_exclusive(t, insn, true, bit(insn, 30) ? 16 : 8);
}

static OP(op_clrex)
{
	pe->excl_valid = false;
	NEXT;
}

bool tr_clrex(struct tr *t, uint32_t insn)
{
	(void)insn;
	tr_emit(t, op_clrex);
	return true;
}

// ---- compare and swap ---------------------------------------------------------------------------

#define DEF_CAS(name, size) \
	static OP(name) \
	{ \
		uint64_t va = XN, old; \
		void *p; \
\
		CHECK_SP_ALIGNMENT(va); \
		p = atomic_ptr(pe, op, va, size, MEM_ATOMIC); \
		if (unlikely(p == NULL)) { \
			return exc_raise(pe, op); \
		} \
		old = host_load(p, size); \
		if (old == (pe->x[op->aux] & (~UINT64_C(0) >> (64 - 8 * (size))))) { \
			host_store(p, size, XD); \
		} \
		pe->x[op->rm] = old; \
		NEXT; \
	}

DEF_CAS(op_casb, 1)
DEF_CAS(op_cash, 2)
DEF_CAS(op_cas_w, 4)
DEF_CAS(op_cas_x, 8)

bool tr_cas(struct tr *t, uint32_t insn)
{
	static op_fn *const fns[4] = {op_casb, op_cash, op_cas_w, op_cas_x};
	struct uop *u = tr_emit(t, fns[insn >> 30]);

	tr_base(u, insn);
	u->rd = tr_xr(F_RD(insn));
	u->rm = tr_xw(F_RM(insn));
	u->aux = tr_xr(F_RM(insn));
	return true;
}

static uint64_t pair_low(const struct pe *pe, unsigned r, bool wide)
{
	return wide ? pe->x[r] : (uint32_t)pe->x[r] | pe->x[r + 1] << 32;
}

static uint64_t pair_high(const struct pe *pe, unsigned r, bool wide)
{
	return !wide ? 0 : r == 30 ? 0 : pe->x[r + 1];
}

static void pair_set(struct pe *pe, unsigned r, bool wide, uint64_t low, uint64_t high)
{
	pe->x[r] = wide ? low : (uint32_t)low;
	if (r != 30) {
		pe->x[r + 1] = wide ? high : low >> 32;
	}
}

// Rs, Rs+1 in ra; Rt, Rt+1 in rd. Register 31 as the odd one is the zero register: x[31] reads as
// zero.
static OP(op_casp)
{
	bool wide = op->aux;
	uint64_t va = XN, low, high = 0;
	uint8_t *p;

	CHECK_SP_ALIGNMENT(va);
	p = atomic_ptr(pe, op, va, wide ? 16 : 8, MEM_ATOMIC);
	if (unlikely(p == NULL)) {
		return exc_raise(pe, op);
	}
	low = host_load(p, 8);
	if (wide) {
		high = host_load(p + 8, 8);
	}
	if (low == pair_low(pe, op->ra, wide) && high == pair_high(pe, op->ra, wide)) {
		host_store(p, 8, pair_low(pe, op->rd, wide));
		if (wide) {
			host_store(p + 8, 8, pair_high(pe, op->rd, wide));
		}
	}
	pair_set(pe, op->ra, wide, low, high);
	NEXT;
}

bool tr_casp(struct tr *t, uint32_t insn)
{
	struct uop *u;

	if ((F_RM(insn) & 1) || (F_RD(insn) & 1)) {
		return false;
	}
	u = tr_emit(t, op_casp);
	tr_base(u, insn);
	u->rd = (uint8_t)F_RD(insn);
	u->ra = (uint8_t)F_RM(insn);
	u->aux = bit(insn, 30);
	return true;
}

// ---- atomic memory operations -------------------------------------------------------------------

#define SIGNED_MAX(type) ((type)old > (type)value ? old : value)
#define SIGNED_MIN(type) ((type)old < (type)value ? old : value)

// s, u: signed and unsigned types of the element.
#define DEF_ATOMICS(suffix, size, s, u) \
	DEF_ATOMIC(ldadd_##suffix, size, u, old + value) \
	DEF_ATOMIC(ldclr_##suffix, size, u, old & ~value) \
	DEF_ATOMIC(ldeor_##suffix, size, u, old ^ value) \
	DEF_ATOMIC(ldset_##suffix, size, u, old | value) \
	DEF_ATOMIC(ldsmax_##suffix, size, u, SIGNED_MAX(s)) \
	DEF_ATOMIC(ldsmin_##suffix, size, u, SIGNED_MIN(s)) \
	DEF_ATOMIC(ldumax_##suffix, size, u, old > value ? old : value) \
	DEF_ATOMIC(ldumin_##suffix, size, u, old < value ? old : value) \
	DEF_ATOMIC(swp_##suffix, size, u, value) \
	static op_fn *const atomics_##suffix[9] = {ldadd_##suffix,  ldclr_##suffix, \
						   ldeor_##suffix,  ldset_##suffix, \
						   ldsmax_##suffix, ldsmin_##suffix, \
						   ldumax_##suffix, ldumin_##suffix, \
						   swp_##suffix};

#define DEF_ATOMIC(name, size, u, result) \
	static OP(name) \
	{ \
		uint64_t va = XN; \
		u old, value = (u)XM; \
		void *p; \
\
		CHECK_SP_ALIGNMENT(va); \
		p = atomic_ptr(pe, op, va, size, MEM_ATOMIC); \
		if (unlikely(p == NULL)) { \
			return exc_raise(pe, op); \
		} \
		old = (u)host_load(p, size); \
		host_store(p, size, (u)(result)); \
		XD = old; \
		NEXT; \
	}

DEF_ATOMICS(b, 1, int8_t, uint8_t)
DEF_ATOMICS(h, 2, int16_t, uint16_t)
DEF_ATOMICS(w, 4, int32_t, uint32_t)
DEF_ATOMICS(x, 8, int64_t, uint64_t)

bool tr_atomic(struct tr *t, uint32_t insn)
{
	static op_fn *const *const fns[4] = {atomics_b, atomics_h, atomics_w, atomics_x};
	unsigned opc = (unsigned)bits(insn, 15, 12);
	struct uop *u;

	if (opc > 8) {
		return false;
	}
	u = tr_emit(t, fns[insn >> 30][opc]);
	tr_base(u, insn);
	u->rd = tr_xw(F_RD(insn));
	u->rm = tr_xr(F_RM(insn));
	return true;
}
