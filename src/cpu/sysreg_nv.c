// SPDX-License-Identifier: Apache-2.0
// Nested virtualization: which accesses from EL1 it traps to EL2 (HCR_EL2.NV, NV1), does in memory
// or turns to another register (NV2). The conditions are those of EffectiveHCR_EL2_NVx() in the
// accessors of the Arm ARM.
#include "cpu/sysreg_nv.h"

#include "cpu/esr.h"
#include "cpu/pe_internal.h"
#include "cpu/sysreg_fields.h"
#include "cpu/sysreg_internal.h"

#define NV HCR_EL2_NV
#define NV_NV1 (HCR_EL2_NV | HCR_EL2_NV1)
#define NV_NV2 (HCR_EL2_NV | HCR_EL2_NV2)

static unsigned op1_of(const struct sysreg_row *row)
{
	return (row->enc >> 11) & 7;
}

// A control of HCR_EL2 that holds while all bits of `set` are 1, asked while `clear` are 0.
static struct sysreg_control nv_control(const struct pe *pe, const char *name, uint64_t set,
					uint64_t clear)
{
	uint64_t hcr = pe->sr[SR_HCR_EL2];

	return (struct sysreg_control){.name = name,
				       .reg = SR_HCR_EL2,
				       .mask = set,
				       .test = SYSREG_ALL,
				       .from = 2,
				       .involved = (hcr & clear) == 0,
				       .holds = (hcr & set) == set};
}

static struct sysreg_control traps(struct sysreg_control c)
{
	c.outcome = SYSREG_TRAPPED;
	c.target_el = 2;
	c.ec = EC_SYSREG;
	return c;
}

static struct sysreg_control in_memory(struct sysreg_control c, unsigned offset)
{
	c.outcome = SYSREG_IN_MEMORY;
	c.vncr = (uint16_t)offset;
	return c;
}

// FEAT_NV2: what EL1's own exceptions leave is in EL1's registers, which is where a guest
// hypervisor finds it by the names of EL2's.
static enum sysreg nv2_counterpart(enum sysreg reg)
{
	switch (reg) {
	case SR_SPSR_EL2:
		return SR_SPSR_EL1;
	case SR_ELR_EL2:
		return SR_ELR_EL1;
	case SR_ESR_EL2:
		return SR_ESR_EL1;
	case SR_FAR_EL2:
		return SR_FAR_EL1;
	case SR_TFSR_EL2:
		return SR_TFSR_EL1;
	default:
		return SYSREG_NONE;
	}
}

// FEAT_ECV: CNTHCTL_EL2 can trap the timers that NV2 keeps in memory.
static bool timer_control(const struct pe *pe, enum sysreg reg, struct sysreg_control *c)
{
	bool physical = reg == SR_CNTP_CTL_EL02 || reg == SR_CNTP_CVAL_EL02;
	uint64_t mask = physical ? CNTHCTL_EL2_EL1NVPCT : CNTHCTL_EL2_EL1NVVCT;

	if (!physical && reg != SR_CNTV_CTL_EL02 && reg != SR_CNTV_CVAL_EL02) {
		return false;
	}
	*c = traps((struct sysreg_control){.name = physical ? "CNTHCTL_EL2.EL1NVPCT"
							    : "CNTHCTL_EL2.EL1NVVCT",
					   .when = "HCR_EL2.{NV,NV1,NV2} = {1,0,1}",
					   .reg = SR_CNTHCTL_EL2,
					   .mask = mask,
					   .test = SYSREG_SET,
					   .from = 2,
					   .involved = pe_nv(pe) == NV_NV2,
					   .holds = (pe->sr[SR_CNTHCTL_EL2] & mask) != 0});
	return true;
}

// Registers of EL2 and names of its host, by their op1. Those of Secure EL2 are not there in
// Non-secure state, and the reset registers of EL2 only where EL2 is the highest level; of
// counters, list registers and active priorities those that there are.
static bool is_el2_name(const struct pe *pe, const struct sysreg_row *row)
{
	unsigned op1 = op1_of(row);

	return (op1 == 4 || op1 == 5) && !(row->rules & RULE_RVBAR2) &&
	       sysreg_is_implemented(pe, row) &&
	       (!(row->rules & RULE_SECURE_EL2) || pe_is_secure(pe));
}

static unsigned decide_foreign(const struct pe *pe, enum sysreg reg, struct sysreg_control *c)
{
	const struct sysreg_row *row = &sysreg_rows[reg];
	enum sysreg instead = nv2_counterpart(reg);
	unsigned offset = row->alias != 0 ? sysreg_rows[row->alias].vncr : row->vncr;
	unsigned count = 0;

	if (!is_el2_name(pe, row)) {
		return 0;
	}
	if (has(pe, FEAT_NV2) && instead != SYSREG_NONE) {
		c[count] = nv_control(pe, "HCR_EL2.NV2", NV_NV2, 0);
		c[count].outcome = SYSREG_PERMITTED;
		c[count++].instead = instead;
	} else if (has(pe, FEAT_NV2) && offset != 0) {
		count += timer_control(pe, reg, &c[count]);
		// _EL12 and _EL02 names are in memory while the _EL1 names are EL1's own registers.
		c[count] = nv_control(pe, "HCR_EL2.NV2", NV_NV2, row->alias != 0 ? HCR_EL2_NV1 : 0);
		c[count].when = row->alias != 0 ? "HCR_EL2.NV1 = 0" : NULL;
		c[count] = in_memory(c[count], offset);
		count++;
	}
	c[count++] = traps(nv_control(pe, "HCR_EL2.NV", NV, 0));
	return count;
}

// Without NV2 these are trapped by NV1: what an exception to EL1 saves and where it goes, and what
// goes with it.
static bool is_nv1_trapped(enum sysreg reg)
{
	return reg == SR_SPSR_EL1 || reg == SR_ELR_EL1 || reg == SR_VBAR_EL1 ||
	       reg == SR_TFSR_EL1 || reg == SR_SCXTNUM_EL1;
}

// Registers of EL1 without an _EL12 name: to a guest hypervisor always its guest's.
static bool is_always_in_memory(enum sysreg reg)
{
	return reg == SR_MDSCR_EL1 || reg == SR_ACTLR_EL1 || reg == SR_S2POR_EL1;
}

static bool is_prediction_restriction(const struct sysreg_row *row)
{
	return row->enc >> 3 == SYSREG_ENC(1, 3, 7, 3, 0) >> 3; // CFP, DVP, COSP, CPP RCTX
}

static unsigned decide_traps(const struct pe *pe, enum sysreg reg, struct sysreg_control *c)
{
	if (is_prediction_restriction(&sysreg_rows[reg])) {
		*c = traps(nv_control(pe, "HCR_EL2.NV", NV, 0));
		return 1;
	}
	if (is_nv1_trapped(reg)) {
		*c = traps(nv_control(pe, "HCR_EL2.NV1", NV_NV1, HCR_EL2_NV2));
		c->when = has(pe, FEAT_NV2) ? "HCR_EL2.NV2 = 0" : NULL;
		return 1;
	}
	return 0;
}

static unsigned decide_last(const struct pe *pe, enum sysreg reg, struct sysreg_control *c)
{
	unsigned offset = sysreg_rows[reg].vncr;

	if (offset == 0 || !has(pe, FEAT_NV2)) {
		return 0;
	}
	*c = in_memory(nv_control(pe, "HCR_EL2.NV2",
				  is_always_in_memory(reg) ? NV_NV2 : NV_NV2 | HCR_EL2_NV1, 0),
		       offset);
	return 1;
}

unsigned sysreg_nv_decide(const struct pe *pe, enum sysreg reg, bool read,
			  enum sysreg_nv_stage stage, struct sysreg_control *controls)
{
	(void)read;
	switch (stage) {
	case SYSREG_NV_FOREIGN:
		return decide_foreign(pe, reg, controls);
	case SYSREG_NV_TRAPS:
		return decide_traps(pe, reg, controls);
	case SYSREG_NV_LAST:
		return decide_last(pe, reg, controls);
	}
	return 0;
}
