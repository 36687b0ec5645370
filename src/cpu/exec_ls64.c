// SPDX-License-Identifier: Apache-2.0
// Loads and stores of 64 bytes (FEAT_LS64, LS64_V, LS64_ACCDATA): LD64B, ST64B, ST64BV, ST64BV0
// (Arm ARM C6.2; CheckLDST64BEnabled, CheckST64BVEnabled, CheckST64BV0Enabled). Every memory
// supports them, and accepts every store: the status of ST64BV and ST64BV0 is 0.
#include "cpu/esr.h"
#include "cpu/exec_internal.h"
#include "cpu/mem.h"
#include "cpu/sysreg_fields.h"

#define BLOCK 64u

enum kind { KIND_ST64BV, KIND_ST64BV0, KIND_PLAIN }; // as ISS has them

static const struct {
	uint64_t sctlr, hcrx;
	const char *el1, *host, *el2;
} controls[3] = {
	{SCTLR_ENASR, HCRX_EL2_EnASR, "SCTLR_EL1.EnASR", "SCTLR_EL2.EnASR", "HCRX_EL2.EnASR"},
	{SCTLR_ENAS0, HCRX_EL2_EnAS0, "SCTLR_EL1.EnAS0", "SCTLR_EL2.EnAS0", "HCRX_EL2.EnAS0"},
	{SCTLR_ENALS, HCRX_EL2_EnALS, "SCTLR_EL1.EnALS", "SCTLR_EL2.EnALS", "HCRX_EL2.EnALS"},
};

// Where the instruction is trapped to, and by what; 0: nowhere.
static unsigned trap_target(const struct pe *pe, enum kind kind, const char **control)
{
	uint64_t hcr = pe_hcr_effective(pe);
	bool host = (hcr & HCR_EL2_E2H) && (hcr & HCR_EL2_TGE);

	if (pe->el == 0 && !(pe->sr[host ? SR_SCTLR_EL2 : SR_SCTLR_EL1] & controls[kind].sctlr)) {
		*control = host ? controls[kind].host : controls[kind].el1;
		return host || (hcr & HCR_EL2_TGE) ? 2 : 1;
	}
	if (pe->el < 2 && pe_el2_enabled(pe) && !(pe->el == 0 && host)) {
		bool hcrx =
			has(pe, FEAT_HCX) && (!pe->has_el3 || (pe->sr[SR_SCR_EL3] & SCR_EL3_HXEn));

		if (!hcrx || !(pe->sr[SR_HCRX_EL2] & controls[kind].hcrx)) {
			*control = controls[kind].el2;
			return 2;
		}
	}
	if (kind == KIND_ST64BV0 && pe->el < 3 && pe->has_el3 &&
	    !(pe->sr[SR_SCR_EL3] & SCR_EL3_EnAS0)) {
		*control = "SCR_EL3.EnAS0";
		return 3;
	}
	return 0;
}

// True: the access may begin. Else pe->fault.
static bool begin(struct pe *pe, const struct uop *op, uint64_t va, bool write)
{
	const char *control = NULL;
	unsigned target = trap_target(pe, (enum kind)op->aux, &control);

	if (target != 0) {
		fault_trap(pe, target, EC_LS64, op->aux, TRACE_CAUSE_LS64, control);
		return false;
	}
	if (((va & op->sp_mask) != 0 && mem_sp_misaligned(pe))) {
		return false;
	}
	if ((va & (BLOCK - 1)) != 0) {
		mem_alignment_fault(pe, op, va, write);
		return false;
	}
	return true;
}

// What a Translation, Access flag or Permission fault, at either stage and taken to any Exception
// level, tells of the instruction (LS64InstructionSyndrome): the kind, the register of the status
// of a store that has one, and a valid syndrome of 64-bit registers from Xt on, which a stage-2
// fault on a stage-1 walk never has (Arm ARM, ESR_EL2.ISV; D8.15.4.1).
static void add_syndrome(struct pe *pe, const struct uop *op)
{
	static const uint8_t load_store_type[3] = {1, 3, 2}; // LST, by kind
	unsigned status = pe->fault.iss & 63;

	if (pe->fault.ec != EC_DATA_ABORT || ((status < 4 || status > 15) && status != 0x2b)) {
		return;
	}
	pe->fault.iss |= (uint32_t)load_store_type[op->aux] << 11;
	if (!pe->fault.s1ptw) {
		pe->fault.iss |= iss_data_syndrome(3, false, F_RD(op->insn), true, false);
	}
	if (op->aux != KIND_PLAIN) {
		pe->fault.iss2 |= F_RM(op->insn);
	}
}

static NOINLINE bool load_block(struct pe *pe, const struct uop *op)
{
	uint64_t va = XN;

	if (!begin(pe, op, va, false)) {
		return false;
	}
	for (unsigned i = 0; i < 8; i++) {
		struct mem_val v = mem_load_slow(pe, op, va + 8 * i, 8, MEM_PLAIN);

		if (!v.ok) {
			add_syndrome(pe, op);
			return false;
		}
		pe->scratch[i] = v.v;
	}
	memcpy(&XD, pe->scratch, BLOCK); // Xt to X(t+7), and t + 7 is below 31
	return true;
}

static NOINLINE bool store_block(struct pe *pe, const struct uop *op)
{
	uint64_t va = XN;

	if (!begin(pe, op, va, true)) {
		return false;
	}
	memcpy(pe->scratch, &XD, BLOCK);
	if (op->aux == KIND_ST64BV0) {
		pe->scratch[0] = (pe->scratch[0] & ~UINT64_C(0xffffffff)) |
				 (pe->sr[SR_ACCDATA_EL1] & UINT32_MAX);
	}
	if (mem_watched_store(pe, op, va, BLOCK)) {
		add_syndrome(pe, op);
		return false;
	}
	for (unsigned i = 0; i < 8; i++) {
		if (!mem_store_slow(pe, op, va + 8 * i, 8, pe->scratch[i], MEM_PLAIN)) {
			add_syndrome(pe, op);
			return false;
		}
	}
	if (op->aux != KIND_PLAIN) {
		XM = 0; // accepted
	}
	return true;
}

static OP(op_ld64b)
{
	if (!load_block(pe, op)) {
		return exc_raise(pe, op);
	}
	NEXT;
}

static OP(op_st64b)
{
	if (!store_block(pe, op)) {
		return exc_raise(pe, op);
	}
	NEXT;
}

static bool emit(struct tr *t, uint32_t insn, op_fn *fn, enum kind kind)
{
	struct uop *u;

	if ((F_RD(insn) & 1) != 0 || F_RD(insn) > 22) {
		return false;
	}
	u = tr_emit(t, fn);
	u->rd = (uint8_t)F_RD(insn);
	u->rn = tr_xr_sp(F_RN(insn));
	u->rm = tr_xw(F_RM(insn));
	u->sp_mask = F_RN(insn) == 31 ? 15 : 0;
	u->aux = kind;
	return true;
}

bool tr_ldst64b(struct tr *t, uint32_t insn)
{
	return emit(t, insn, bit(insn, 14) ? op_ld64b : op_st64b, KIND_PLAIN);
}

bool tr_st64bv(struct tr *t, uint32_t insn)
{
	return emit(t, insn, op_st64b, KIND_ST64BV);
}

bool tr_st64bv0(struct tr *t, uint32_t insn)
{
	return emit(t, insn, op_st64b, KIND_ST64BV0);
}
