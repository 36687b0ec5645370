// SPDX-License-Identifier: Apache-2.0
// Pointer authentication instructions: PAC*, AUT*, XPAC*, PACGA, LDRA* and their hint forms.
// Enables and traps follow AddPACIA() and its like of the Arm ARM; the arithmetic is in cpu/pauth/.
#include "cpu/exec_pauth.h"

#include "cpu/exec_internal.h"
#include "cpu/mem.h"
#include "cpu/pauth/pauth.h"
#include "cpu/sysreg_fields.h"

enum key { KEY_IA, KEY_IB, KEY_DA, KEY_DB };

static const uint64_t key_enable[4] = {SCTLR_ENIA, SCTLR_ENIB, SCTLR_ENDA, SCTLR_ENDB};

static struct pauth_key key_of(const struct pe *pe, enum key key)
{
	static const enum sysreg low[4] = {SR_APIAKeyLo_EL1, SR_APIBKeyLo_EL1, SR_APDAKeyLo_EL1,
					   SR_APDBKeyLo_EL1};
	static const enum sysreg high[4] = {SR_APIAKeyHi_EL1, SR_APIBKeyHi_EL1, SR_APDAKeyHi_EL1,
					    SR_APDBKeyHi_EL1};

	return (struct pauth_key){.hi = pe->sr[high[key]], .lo = pe->sr[low[key]]};
}

static enum pauth_algorithm algorithm_of(const struct pe *pe)
{
	return has(pe, FEAT_PACQARMA5)   ? PAUTH_ALGORITHM_QARMA5
	       : has(pe, FEAT_PACQARMA3) ? PAUTH_ALGORITHM_QARMA3
					 : PAUTH_ALGORITHM_IMPDEF;
}

// One range of the current regime: TBI, TBID, TxSZ, granule.
static struct pauth_range range_of(const struct pe *pe, bool data, bool tbi, bool tbid,
				   unsigned txsz, bool is64k, bool ds)
{
	unsigned min = 16, max = 39;

	if ((is64k && has(pe, FEAT_LVA)) || (!is64k && ds && has(pe, FEAT_LPA2))) {
		min = 12;
	}
	if (has(pe, FEAT_TTST)) {
		max = is64k ? 47 : 48;
	}
	return (struct pauth_range){.tbi = tbi && (data || !tbid),
				    .bottom_bit = pauth_bottom_bit(txsz, min, max)};
}

static void params_of(const struct pe *pe, bool data, struct pauth_params *p)
{
	uint64_t tcr = pe->regime->tcr;

	*p = (struct pauth_params){
		.alg = algorithm_of(pe),
		.has_epac = has(pe, FEAT_EPAC),
		.has_pauth2 = has(pe, FEAT_PAuth2),
		.has_fpac = has(pe, FEAT_FPAC),
		.has_fpac_combined = has(pe, FEAT_FPACCOMBINE),
		.cache = pe->pauth_cache,
	};
	if (pe->regime->kind == MMU_REGIME_EL10 || pe->regime->kind == MMU_REGIME_EL20) {
		bool ds = bit(tcr, 59);

		p->two_ranges = true;
		p->range[0] = range_of(pe, data, bit(tcr, 37), bit(tcr, 51),
				       (unsigned)bits(tcr, 5, 0), bits(tcr, 15, 14) == 1, ds);
		p->range[1] = range_of(pe, data, bit(tcr, 38), bit(tcr, 52),
				       (unsigned)bits(tcr, 21, 16), bits(tcr, 31, 30) == 3, ds);
	} else {
		p->range[0] =
			range_of(pe, data, bit(tcr, 20), bit(tcr, 29), (unsigned)bits(tcr, 5, 0),
				 bits(tcr, 15, 14) == 1, bit(tcr, 32));
		p->range[1] = p->range[0];
	}
}

// Is the use trapped (TrapPACUse)? True: pe->fault.
static bool pauth_trapped(struct pe *pe)
{
	uint64_t hcr = pe_hcr_effective(pe);
	bool host = (hcr & HCR_EL2_E2H) && (hcr & HCR_EL2_TGE);

	if (pe->el < 2 && pe_el2_enabled(pe) && !(hcr & HCR_EL2_API) && !(pe->el == 0 && host)) {
		fault_trap(pe, 2, EC_PAUTH, 0, TRACE_CAUSE_PAUTH_TRAP, "HCR_EL2.API");
		return true;
	}
	if (pe->el < 3 && pe->has_el3 && !(pe->sr[SR_SCR_EL3] & SCR_EL3_API)) {
		fault_trap(pe, 3, EC_PAUTH, 0, TRACE_CAUSE_PAUTH_TRAP, "SCR_EL3.API");
		return true;
	}
	return false;
}

// Add or authenticate; the result is in pe->scratch[0]. False: pe->fault.
static NOINLINE bool pauth_do(struct pe *pe, const struct uop *op, uint64_t ptr, uint64_t modifier,
			      enum key key, bool auth, bool combined)
{
	struct pauth_params params;
	struct pauth_auth_result result;

	pe->scratch[0] = ptr;
	if (!(pe->regime->sctlr & key_enable[key])) {
		return true;
	}
	pe->cur = op;
	if (pauth_trapped(pe)) {
		return false;
	}
	pe->cur = NULL;
	params_of(pe, key >= KEY_DA, &params);
	if (!auth) {
		pe->scratch[0] = pauth_add(&params, ptr, modifier, key_of(pe, key));
		return true;
	}
	result = pauth_auth(&params, ptr, modifier, key_of(pe, key), key >= KEY_DA,
			    key & 1 ? PAUTH_KEY_B : PAUTH_KEY_A, combined);
	if (result.fail) {
		fault_trap(pe, 0, EC_PAC_FAIL, result.iss, TRACE_CAUSE_PAUTH_FAIL, NULL);
		return false;
	}
	pe->scratch[0] = result.ptr;
	return true;
}

bool pauth_auth_branch(struct pe *pe, const struct uop *op, uint64_t ptr, uint64_t modifier,
		       bool key_b)
{
	return pauth_do(pe, op, ptr, modifier, key_b ? KEY_IB : KEY_IA, true, true);
}

// rd: pointer, in and out (x index for both); rm: modifier; aux: key | auth << 2.
static OP(op_pac)
{
	if (unlikely(!pauth_do(pe, op, XN, XM, (enum key)(op->aux & 3), op->aux >> 2, false))) {
		return exc_raise(pe, op);
	}
	XD = pe->scratch[0];
	NEXT;
}

static void emit_pac(struct tr *t, unsigned rd, uint8_t modifier, enum key key, bool auth)
{
	struct uop *u = tr_emit(t, op_pac);

	u->rd = tr_xw(rd);
	u->rn = tr_xr(rd);
	u->rm = modifier;
	u->aux = (uint32_t)key | (uint32_t)auth << 2;
}

bool tr_pac_reg(struct tr *t, uint32_t insn)
{
	bool zero = bit(insn, 13);

	if (zero && F_RN(insn) != 31) {
		return false;
	}
	emit_pac(t, F_RD(insn), zero ? X_ZERO : tr_xr_sp(F_RN(insn)), (enum key)bits(insn, 11, 10),
		 bit(insn, 12));
	return true;
}

// The forms in the hint space do nothing without FEAT_PAuth.

bool tr_hint_pac_1716(struct tr *t, uint32_t insn)
{
	if (!tr_has(t, FEAT_PAuth)) {
		return true;
	}
	emit_pac(t, 17, 16, bit(insn, 6) ? KEY_IB : KEY_IA, bit(insn, 7));
	return true;
}

bool tr_hint_pac_sp(struct tr *t, uint32_t insn)
{
	if (!tr_has(t, FEAT_PAuth)) {
		return true;
	}
	emit_pac(t, 30, bit(insn, 5) ? X_SP : X_ZERO, bit(insn, 6) ? KEY_IB : KEY_IA, bit(insn, 7));
	return true;
}

static NOINLINE uint64_t strip(const struct pe *pe, uint64_t ptr, bool data)
{
	struct pauth_params params;

	params_of(pe, data, &params);
	return pauth_strip(&params, ptr);
}

static OP(op_xpac)
{
	XD = strip(pe, XN, op->aux);
	NEXT;
}

static void emit_xpac(struct tr *t, unsigned rd, bool data)
{
	struct uop *u = tr_emit(t, op_xpac);

	u->rd = tr_xw(rd);
	u->rn = tr_xr(rd);
	u->aux = data;
}

bool tr_xpac(struct tr *t, uint32_t insn)
{
	emit_xpac(t, F_RD(insn), bit(insn, 10));
	return true;
}

bool tr_xpaclri(struct tr *t, uint32_t insn)
{
	(void)insn;
	if (!tr_has(t, FEAT_PAuth)) {
		return true;
	}
	emit_xpac(t, 30, false);
	return true;
}

static NOINLINE bool pacga(struct pe *pe, const struct uop *op, uint64_t data, uint64_t modifier)
{
	struct pauth_key key = {.hi = pe->sr[SR_APGAKeyHi_EL1], .lo = pe->sr[SR_APGAKeyLo_EL1]};

	pe->cur = op;
	if (pauth_trapped(pe)) {
		return false;
	}
	pe->cur = NULL;
	pe->scratch[0] = pauth_generic(algorithm_of(pe), pe->pauth_cache, data, modifier, key);
	return true;
}

static OP(op_pacga)
{
	if (unlikely(!pacga(pe, op, XN, XM))) {
		return exc_raise(pe, op);
	}
	XD = pe->scratch[0];
	NEXT;
}

bool tr_pacga(struct tr *t, uint32_t insn)
{
	struct uop *u = tr_emit(t, op_pacga);

	u->rd = tr_xw(F_RD(insn));
	u->rn = tr_xr(F_RN(insn));
	u->rm = tr_xr_sp(F_RM(insn));
	return true;
}

// LDRAA, LDRAB: authenticate the base with data key A or B and a zero modifier, then load. aux: key
// B.
static OP(op_ldra)
{
	uint64_t va;
	struct mem_val r;

	CHECK_SP_ALIGNMENT(XN);
	if (unlikely(!pauth_do(pe, op, XN, 0, op->aux ? KEY_DB : KEY_DA, true, true))) {
		return exc_raise(pe, op);
	}
	va = pe->scratch[0] + op->imm;
	r = mem_load(pe, op, va, 8);
	if (unlikely(!r.ok)) {
		return exc_raise(pe, op);
	}
	XD = r.v;
	if (bit(op->insn, 11)) {
		pe->x[op->rn] = va;
	}
	NEXT;
}

bool tr_ldra(struct tr *t, uint32_t insn)
{
	struct uop *u = tr_emit(t, op_ldra);

	u->rd = tr_xw(F_RD(insn));
	u->rn = tr_xr_sp(F_RN(insn));
	u->sp_mask = F_RN(insn) == 31 ? 15 : 0;
	u->imm = (uint64_t)(sext(bits(insn, 22, 22) << 9 | bits(insn, 20, 12), 10) * 8);
	u->aux = bit(insn, 23);
	return true;
}
