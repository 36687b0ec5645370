// SPDX-License-Identifier: Apache-2.0
// Tag instructions (FEAT_MTE, FEAT_MTE2): IRG, GMI, ADDG, SUBG, SUBP, SUBPS, and loads and stores
// of allocation tags (Arm ARM C4.1.92 to C4.1.95).
#include "cpu/exec_internal.h"
#include "cpu/mem.h"
#include "cpu/mte.h"

// ---- tags in registers --------------------------------------------------------------------------

// ChooseNonExcludedTag.
static unsigned choose_tag(unsigned tag, unsigned offset, unsigned exclude)
{
	if ((exclude & 0xffff) == 0xffff) {
		return 0;
	}
	while (offset == 0 && ((exclude >> tag) & 1)) {
		tag = (tag + 1) & 15;
	}
	for (; offset != 0; offset--) {
		do {
			tag = (tag + 1) & 15;
		} while ((exclude >> tag) & 1);
	}
	return tag;
}

// RandomTag: four steps of the LFSR in RGSR_EL1.SEED.
static unsigned random_offset(struct pe *pe)
{
	uint64_t *rgsr = &pe->sr[SR_RGSR_EL1];
	unsigned seed = (unsigned)bits(*rgsr, 23, 8), offset = 0;

	// With GCR_EL1.RRND tags are to be random whatever the seed, and zero would stay zero.
	if (bit(pe->sr[SR_GCR_EL1], 16) && seed == 0) {
		seed = 1;
	}
	for (unsigned i = 0; i < 4; i++) {
		unsigned top = (seed >> 5 ^ seed >> 3 ^ seed >> 2 ^ seed) & 1;

		seed = top << 15 | seed >> 1;
		offset |= top << i;
	}
	*rgsr = (*rgsr & ~MASK(23, 8)) | (uint64_t)seed << 8;
	return offset;
}

static NOINLINE uint64_t insert_random_tag(struct pe *pe, uint64_t address, uint64_t mask)
{
	unsigned exclude = (unsigned)((mask | pe->sr[SR_GCR_EL1]) & 0xffff), tag = 0;
	uint64_t *rgsr = &pe->sr[SR_RGSR_EL1];

	if (mte_tags_enabled(pe, pe->el == 0)) {
		unsigned offset = random_offset(pe);

		tag = choose_tag((unsigned)bits(*rgsr, 3, 0), offset, exclude);
		*rgsr = (*rgsr & ~MASK(3, 0)) | tag;
	}
	return mte_with_tag(address, tag);
}

static OP(op_irg)
{
	XD = insert_random_tag(pe, XN, XM);
	NEXT;
}

bool tr_irg(struct tr *t, uint32_t insn)
{
	struct uop *u = tr_emit(t, op_irg);

	u->rd = tr_xw_sp(F_RD(insn));
	u->rn = tr_xr_sp(F_RN(insn));
	u->rm = tr_xr(F_RM(insn));
	return true;
}

static OP(op_gmi)
{
	XD = XM | UINT64_C(1) << mte_tag(XN);
	NEXT;
}

bool tr_gmi(struct tr *t, uint32_t insn)
{
	struct uop *u = tr_emit(t, op_gmi);

	u->rd = tr_xw(F_RD(insn));
	u->rn = tr_xr_sp(F_RN(insn));
	u->rm = tr_xr(F_RM(insn));
	return true;
}

static NOINLINE unsigned next_tag(struct pe *pe, uint64_t address, unsigned offset)
{
	return mte_tags_enabled(pe, pe->el == 0)
		       ? choose_tag(mte_tag(address), offset, (unsigned)pe->sr[SR_GCR_EL1] & 0xffff)
		       : 0;
}

// imm: what is added to the address; aux: to the tag.
static OP(op_addg)
{
	XD = mte_with_tag(XN + op->imm, next_tag(pe, XN, op->aux));
	NEXT;
}

bool tr_addg(struct tr *t, uint32_t insn)
{
	struct uop *u = tr_emit(t, op_addg);
	uint64_t offset = bits(insn, 21, 16) * MTE_GRANULE;

	u->rd = tr_xw_sp(F_RD(insn));
	u->rn = tr_xr_sp(F_RN(insn));
	u->imm = bit(insn, 30) ? -offset : offset;
	u->aux = (uint32_t)bits(insn, 13, 10);
	return true;
}

static OP(op_subp)
{
	XD = (uint64_t)sext(XN, 56) - (uint64_t)sext(XM, 56);
	NEXT;
}

static OP(op_subps)
{
	uint64_t a = (uint64_t)sext(XN, 56), b = (uint64_t)sext(XM, 56), r = a - b;

	flags_sub64(pe, a, b, r);
	XD = r;
	NEXT;
}

bool tr_subp(struct tr *t, uint32_t insn)
{
	struct uop *u = tr_emit(t, bit(insn, 29) ? op_subps : op_subp);

	u->rd = tr_xw(F_RD(insn));
	u->rn = tr_xr_sp(F_RN(insn));
	u->rm = tr_xr_sp(F_RM(insn));
	return true;
}

// ---- tags in memory -----------------------------------------------------------------------------

// AArch64.MemTag, read: 0 where there are no tags or they are out of reach.
static bool read_tag(struct pe *pe, const struct uop *op, uint64_t va, unsigned *tag)
{
	struct mem_tags place;

	if (!mem_locate_tags(pe, op, va, false, &place)) {
		return false;
	}
	*tag = place.ram != NULL && mte_tags_enabled(pe, pe->el == 0)
		       ? bus_tag_get(place.ram, place.pa)
		       : 0;
	return true;
}

static bool write_tag(struct pe *pe, const struct uop *op, uint64_t va, unsigned tag)
{
	struct mem_tags place;

	if (!mem_locate_tags(pe, op, va, true, &place)) {
		return false;
	}
	if (place.ram != NULL && mte_tags_enabled(pe, pe->el == 0)) {
		bus_tag_set(place.ram, place.pa, tag);
	}
	return true;
}

static NOINLINE bool load_tag(struct pe *pe, const struct uop *op, uint64_t va)
{
	unsigned tag;

	if (!read_tag(pe, op, va & ~(uint64_t)(MTE_GRANULE - 1), &tag)) {
		return false;
	}
	XD = mte_with_tag(XD, tag);
	return true;
}

static OP(op_ldg)
{
	uint64_t base = XN;

	CHECK_SP_ALIGNMENT(base);
	if (!load_tag(pe, op, base + op->imm)) {
		return exc_raise(pe, op);
	}
	NEXT;
}

enum { STG_ZERO = 1, STG_TWO = 2, STG_PRE = 4, STG_POST = 8 };

// The bytes of the instruction's granules to zero, where it zeroes them.
static bool zero_data(struct pe *pe, const struct uop *op, uint64_t va, unsigned size)
{
	for (unsigned i = 0; i < size; i += 8) {
		if (!mem_store_slow(pe, op, va + i, 8, 0, MEM_UNTAGGED)) {
			return false;
		}
	}
	return true;
}

static NOINLINE bool store_tags(struct pe *pe, const struct uop *op, uint64_t va)
{
	unsigned granules = op->aux & STG_TWO ? 2 : 1;

	if ((va & (MTE_GRANULE - 1)) != 0) {
		mem_alignment_fault(pe, op, va, true);
		return false;
	}
	if ((op->aux & STG_ZERO) && !zero_data(pe, op, va, granules * MTE_GRANULE)) {
		return false;
	}
	for (unsigned i = 0; i < granules; i++) {
		if (!write_tag(pe, op, va + i * MTE_GRANULE, mte_tag(XD))) {
			return false;
		}
	}
	return true;
}

static OP(op_stg)
{
	uint64_t base = XN;

	CHECK_SP_ALIGNMENT(base);
	if (!store_tags(pe, op, op->aux & STG_POST ? base : base + op->imm)) {
		return exc_raise(pe, op);
	}
	if (op->aux & (STG_PRE | STG_POST)) {
		pe->x[op->rn] = base + op->imm;
	}
	NEXT;
}

// LDGM: the tags of 16 granules.
static NOINLINE bool load_block(struct pe *pe, const struct uop *op, uint64_t va)
{
	uint64_t data = 0;

	va &= ~(uint64_t)((4u << GMID_BS) - 1);
	for (unsigned i = 0; i < 16; i++) {
		unsigned tag;

		if (!read_tag(pe, op, va + i * MTE_GRANULE, &tag)) {
			return false;
		}
		data |= (uint64_t)tag << (4 * i);
	}
	XD = data;
	return true;
}

static NOINLINE bool store_block(struct pe *pe, const struct uop *op, uint64_t va)
{
	va &= ~(uint64_t)((4u << GMID_BS) - 1);
	for (unsigned i = 0; i < 16; i++) {
		if (!write_tag(pe, op, va + i * MTE_GRANULE, (unsigned)(XD >> (4 * i)) & 15)) {
			return false;
		}
	}
	return true;
}

// STZGM: a block of DC ZVA, with the tag in the low bits of Xt.
static NOINLINE bool zero_block(struct pe *pe, const struct uop *op, uint64_t va)
{
	unsigned size = 4u << pe->sr[SR_DCZID_EL0];

	va &= ~(uint64_t)(size - 1);
	if (!zero_data(pe, op, va, size)) {
		return false;
	}
	for (unsigned i = 0; i < size; i += MTE_GRANULE) {
		if (!write_tag(pe, op, va + i, (unsigned)XD & 15)) {
			return false;
		}
	}
	return true;
}

#define DEF_BLOCK(name, work) \
	static OP(name) \
	{ \
		uint64_t base = XN; \
\
		if (pe->el == 0) { \
			return exc_undefined(pe, op); \
		} \
		CHECK_SP_ALIGNMENT(base); \
		if (!work(pe, op, base)) { \
			return exc_raise(pe, op); \
		} \
		NEXT; \
	}

DEF_BLOCK(op_ldgm, load_block)
DEF_BLOCK(op_stgm, store_block)
DEF_BLOCK(op_stzgm, zero_block)

bool tr_ldst_tags(struct tr *t, uint32_t insn)
{
	static op_fn *const blocks[4] = {op_stzgm, op_ldg, op_stgm, op_ldgm};
	unsigned opc = (unsigned)bits(insn, 23, 22), mode = (unsigned)bits(insn, 11, 10);
	struct uop *u;

	if (mode == 0 && opc != 1 && (bits(insn, 20, 12) != 0 || !tr_has(t, FEAT_MTE2))) {
		return false;
	}
	u = tr_emit(t, mode == 0 ? blocks[opc] : op_stg);
	u->rn = tr_xr_sp(F_RN(insn));
	u->sp_mask = F_RN(insn) == 31 ? 15 : 0;
	u->imm = (uint64_t)sext(bits(insn, 20, 12), 9) << 4;
	if (mode == 0) {
		// LDG merges the tag into Xt: XZR is read as zero and what it would be is dropped.
		u->rd = opc == 1 || opc == 3 ? tr_xw(F_RD(insn)) : tr_xr(F_RD(insn));
		return true;
	}
	u->rd = tr_xr_sp(F_RD(insn));
	u->aux = (opc & 1 ? STG_ZERO : 0u) | (opc & 2 ? STG_TWO : 0u) | (mode == 3 ? STG_PRE : 0u) |
		 (mode == 1 ? STG_POST : 0u);
	return true;
}

// ---- STGP ---------------------------------------------------------------------------------------

static NOINLINE bool store_pair(struct pe *pe, const struct uop *op, uint64_t va)
{
	if ((va & (MTE_GRANULE - 1)) != 0) {
		mem_alignment_fault(pe, op, va, true);
		return false;
	}
	return mem_store_slow(pe, op, va, 8, XD, MEM_UNTAGGED) &&
	       mem_store_slow(pe, op, va + 8, 8, XM, MEM_UNTAGGED) &&
	       write_tag(pe, op, va, mte_tag(va));
}

static OP(op_stgp)
{
	uint64_t base = XN;

	CHECK_SP_ALIGNMENT(base);
	if (!store_pair(pe, op, op->aux & STG_POST ? base : base + op->imm)) {
		return exc_raise(pe, op);
	}
	if (op->aux & (STG_PRE | STG_POST)) {
		pe->x[op->rn] = base + op->imm;
	}
	NEXT;
}

bool tr_stgp(struct tr *t, uint32_t insn)
{
	unsigned mode = (unsigned)bits(insn, 24, 23);
	struct uop *u;

	if (mode == 0) {
		return false;
	}
	u = tr_emit(t, op_stgp);
	u->rd = tr_xr(F_RD(insn));
	u->rm = tr_xr(F_RA(insn));
	u->rn = tr_xr_sp(F_RN(insn));
	u->sp_mask = F_RN(insn) == 31 ? 15 : 0;
	u->imm = (uint64_t)sext(bits(insn, 21, 15), 7) << 4;
	u->aux = mode == 1 ? STG_POST : mode == 3 ? STG_PRE : 0;
	return true;
}
