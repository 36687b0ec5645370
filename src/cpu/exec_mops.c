// SPDX-License-Identifier: Apache-2.0
// Memory copy and memory set (FEAT_MOPS; SETG* with FEAT_MTE): CPYF*, CPY*, SET*, SETG* (Arm ARM
// C6.2, CPYFP and its like; MemCpyStageWrongOption). This is the implementation that the
// architecture calls option B: PSTATE.C is 1 between the stages; addresses are those of the next
// byte (backward: of the last one and 1), the size is what is left. The prologue checks and sets
// that up, the main stage does all of the work, the epilogue what a main stage left. A main stage
// that has much to do goes on at itself, so that interrupts and limits are seen, and a fault finds
// the registers at what was done.
#include "cpu/esr.h"
#include "cpu/exec_internal.h"
#include "cpu/mem.h"
#include "cpu/mte.h"
#include "cpu/sysreg_fields.h"

#define SIZE_MAX_55 UINT64_C(0x007fffffffffffff)
#define SIZE_MAX_63 UINT64_C(0x7fffffffffffffff)
#define WORK_MAX 65536u // bytes of one execution

enum stage { STAGE_PROLOGUE, STAGE_MAIN, STAGE_EPILOGUE };
enum outcome { DONE, AGAIN, FAULTED };

// aux of a uop.
#define MOPS_STAGE(aux) ((enum stage)((aux)&3))
#define MOPS_WRITE_UNPRIV 4u
#define MOPS_READ_UNPRIV 8u
#define MOPS_SET 16u
#define MOPS_TAGS 32u // SETG
#define MOPS_FORWARD 64u // CPYF
#define MOPS_OPTIONS_SHIFT 8

// CheckMOPSEnabled.
static bool enabled(const struct pe *pe)
{
	uint64_t hcr = pe_hcr_effective(pe);
	bool host = (hcr & HCR_EL2_E2H) && (hcr & HCR_EL2_TGE);

	if (pe->el < 2 && pe_el2_enabled(pe) && !(pe->el == 0 && host)) {
		bool hcrx =
			has(pe, FEAT_HCX) && (!pe->has_el3 || (pe->sr[SR_SCR_EL3] & SCR_EL3_HXEn));

		if (!hcrx || !(pe->sr[SR_HCRX_EL2] & HCRX_EL2_MSCEn)) {
			return false;
		}
	}
	return pe->el != 0 || (pe->sr[host ? SR_SCTLR_EL2 : SR_SCTLR_EL1] & SCTLR_MSCEN) != 0;
}

// MismatchedMemCpyException: the main stage or the epilogue finds PSTATE.C as option A leaves it.
static void wrong_option(struct pe *pe, const struct uop *op)
{
	bool to_el2 = pe->el == 1 && pe_el2_enabled(pe) && has(pe, FEAT_HCX) &&
		      (!pe->has_el3 || (pe->sr[SR_SCR_EL3] & SCR_EL3_HXEn)) &&
		      (pe->sr[SR_HCRX_EL2] & HCRX_EL2_MCE2);
	uint32_t iss = (op->aux & MOPS_SET ? 1u << 24 : 0u) |
		       (op->aux & MOPS_TAGS ? 1u << 23 : 0u) |
		       (op->aux >> MOPS_OPTIONS_SHIFT) << 19 |
		       (MOPS_STAGE(op->aux) == STAGE_EPILOGUE ? 1u << 18 : 0u) | 1u << 17 |
		       F_RD(op->insn) << 10 | F_RM(op->insn) << 5 | F_RN(op->insn);

	fault_trap(pe, to_el2 ? 2 : 0, EC_MOPS, iss, TRACE_CAUSE_MOPS,
		   to_el2 ? "HCRX_EL2.MCE2" : NULL);
}

// The host address of va if the fast TLB lets an access to its page through.
static uint8_t *plain(const struct fast_tlb *fast, uint64_t va, bool write)
{
	const struct fast_entry *e = mem_entry(fast, va);

	return mem_hit(write ? e->tag_w : e->tag_r, va, 1) ? mem_host(e, va) : NULL;
}

// The bytes from va to the end of its page, or going back to its beginning (va is one past the
// first).
static uint64_t page_part(uint64_t va, bool backward)
{
	uint64_t offset = va & PAGE_MASK;

	return backward ? (offset == 0 ? PAGE_SIZE : offset) : PAGE_SIZE - offset;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

// Copy one piece of what is left; returns its size, 0: pe->fault.
static uint64_t copy_piece(struct pe *pe, const struct uop *op, uint64_t left, bool backward)
{
	unsigned read = op->aux & MOPS_READ_UNPRIV ? MEM_UNPRIV : MEM_PLAIN,
		 write = op->aux & MOPS_WRITE_UNPRIV ? MEM_UNPRIV : MEM_PLAIN;
	const struct fast_tlb *rfast = read ? pe->fast_unpriv : pe->fast,
			      *wfast = write ? pe->fast_unpriv : pe->fast;
	uint64_t to = XD, from = XM,
		 size = least(left, least(page_part(to, backward), page_part(from, backward)));
	uint8_t *w = plain(wfast, backward ? to - 1 : to, true),
		*r = plain(rfast, backward ? from - 1 : from, false);
	struct mem_val v;

	if (w != NULL && r != NULL) {
		if (backward) {
			memmove(w + 1 - size, r + 1 - size, size);
		} else {
			memmove(w, r, size);
		}
		return size;
	}
	size = size >= 8 && ((to | from) & 7) == 0 ? 8 : 1;
	if (backward) {
		to -= size;
		from -= size;
	}
	v = mem_load_slow(pe, op, from, (unsigned)size, read);
	if (!v.ok || !mem_store_slow(pe, op, to, (unsigned)size, v.v, write)) {
		return 0;
	}
	return size;
}

static uint64_t set_piece(struct pe *pe, const struct uop *op, uint64_t left)
{
	unsigned write = op->aux & MOPS_WRITE_UNPRIV ? MEM_UNPRIV : MEM_PLAIN;
	uint64_t to = XD, size = least(left, page_part(to, false)),
		 value = (XM & 0xff) * UINT64_C(0x0101010101010101);
	uint8_t *w = plain(write ? pe->fast_unpriv : pe->fast, to, true);
	struct mem_tags place;

	if (op->aux & MOPS_TAGS) {
		if (!mem_store_slow(pe, op, to, 8, value, write | MEM_UNTAGGED) ||
		    !mem_store_slow(pe, op, to + 8, 8, value, write | MEM_UNTAGGED) ||
		    !mem_locate_tags(pe, op, to, true, &place)) {
			return 0;
		}
		if (place.ram != NULL && mte_tags_enabled(pe, pe->el == 0)) {
			bus_tag_set(place.ram, place.pa, mte_tag(to));
		}
		return MTE_GRANULE;
	}
	if (w != NULL) {
		memset(w, (int)(XM & 0xff), size);
		return size;
	}
	size = size >= 8 && (to & 7) == 0 ? 8 : 1;
	return mem_store_slow(pe, op, to, (unsigned)size, value, write) ? size : 0;
}

static enum outcome work(struct pe *pe, const struct uop *op)
{
	bool set = op->aux & MOPS_SET, backward = !set && (int64_t)pe->nf < 0;
	uint64_t done = 0;

	while (XN != 0) {
		uint64_t piece;

		if (done >= WORK_MAX) {
			return AGAIN;
		}
		piece = least(XN, WORK_MAX - done);
		piece = set ? set_piece(pe, op, piece) : copy_piece(pe, op, piece, backward);
		if (piece == 0) {
			return FAULTED;
		}
		done += piece;
		XD += backward ? -piece : piece;
		if (!set) {
			XM += backward ? -piece : piece;
		}
		XN -= piece;
	}
	return DONE;
}

static void set_flags(struct pe *pe, bool backward)
{
	pe_set_nzcv(pe, (backward ? UINT32_C(8) << 28 : 0) | UINT32_C(2) << 28);
}

// Sizes saturate: those of CPY to what has no tag, those of SETG to whole granules.
static uint64_t saturated(const struct uop *op, uint64_t size)
{
	uint64_t max = op->aux & MOPS_TAGS ? SIZE_MAX_63 & ~(uint64_t)(MTE_GRANULE - 1)
		       : op->aux & (MOPS_SET | MOPS_FORWARD) ? SIZE_MAX_63
							     : SIZE_MAX_55;

	return least(size, max);
}

// The direction of CPY follows from how the areas overlap.
static void prologue(struct pe *pe, const struct uop *op)
{
	uint64_t to = zext(XD, 56), from = zext(XM, 56);

	XN = saturated(op, XN);
	if (op->aux & MOPS_SET) {
		set_flags(pe, false);
		return;
	}
	if (!(op->aux & MOPS_FORWARD) && from < to && from + XN > to) {
		XD += XN;
		XM += XN;
		set_flags(pe, true);
	} else {
		set_flags(pe, false);
	}
}

static NOINLINE enum outcome execute(struct pe *pe, const struct uop *op)
{
	enum stage stage = MOPS_STAGE(op->aux);
	uint64_t size = stage == STAGE_PROLOGUE ? saturated(op, XN) : XN;

	if (!enabled(pe)) {
		fault_undefined(pe);
		return FAULTED;
	}
	if (stage != STAGE_PROLOGUE && XN != 0 && pe->cf == 0) {
		wrong_option(pe, op);
		return FAULTED;
	}
	if ((op->aux & MOPS_TAGS) && size != 0 && ((XD | size) & (MTE_GRANULE - 1)) != 0) {
		mem_alignment_fault(pe, op, XD, true);
		return FAULTED;
	}
	if (stage == STAGE_PROLOGUE) {
		prologue(pe, op);
		return DONE;
	}
	return work(pe, op);
}

static OP(op_mops)
{
	switch (execute(pe, op)) {
	case FAULTED:
		return exc_raise(pe, op);
	case AGAIN:
		pe->step_armed = false; // a step is of the whole instruction
		GOTO_PC(pe_uop_pc(pe, op));
	default:
		GOTO_NEXT_PC;
	}
}

static bool emit(struct tr *t, uint32_t insn, enum stage stage, uint32_t aux, unsigned options)
{
	unsigned d = F_RD(insn), s = F_RM(insn), n = F_RN(insn);
	struct uop *u;

	if (d == s || d == n || s == n || d == 31 || n == 31 || (!(aux & MOPS_SET) && s == 31)) {
		return false;
	}
	u = tr_emit(t, op_mops);
	u->rd = tr_xr(d);
	u->rm = tr_xr(s);
	u->rn = tr_xr(n);
	u->aux = (uint32_t)stage | aux | options << MOPS_OPTIONS_SHIFT;
	return true;
}

// CPYF (o0 0), CPY (o0 1); op1: 0 prologue, 1 main, 2 epilogue.
bool tr_mem_copy(struct tr *t, uint32_t insn)
{
	unsigned op1 = (unsigned)bits(insn, 23, 22), options = (unsigned)bits(insn, 15, 12);
	uint32_t aux = (bit(insn, 26) ? 0 : MOPS_FORWARD) | (options & 1 ? MOPS_WRITE_UNPRIV : 0u) |
		       (options & 2 ? MOPS_READ_UNPRIV : 0u);

	if (op1 == 3) {
		return false;
	}
	return emit(t, insn, (enum stage)op1, aux, options);
}

// SET (o0 0), SETG (o0 1); the stage in bits 15:14.
bool tr_mem_set(struct tr *t, uint32_t insn)
{
	unsigned stage = (unsigned)bits(insn, 15, 14), options = (unsigned)bits(insn, 13, 12);
	uint32_t aux =
		MOPS_SET | (bit(insn, 26) ? MOPS_TAGS : 0) | (options & 1 ? MOPS_WRITE_UNPRIV : 0u);

	if (stage == 3 || (bit(insn, 26) && !tr_has(t, FEAT_MTE))) {
		return false;
	}
	return emit(t, insn, (enum stage)stage, aux, options);
}
