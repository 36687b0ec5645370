// SPDX-License-Identifier: Apache-2.0
// System registers and CPU models: what is permitted where, which control traps it, what a write
// changes, and what the ID registers of each model say. Expectations come from the Arm ARM and the
// cores' manuals.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/event.h"
#include "bus/bus.h"
#include "cpu/code.h"
#include "cpu/model.h"
#include "cpu/pe.h"
#include "cpu/pe_internal.h"
#include "cpu/sysreg.h"
#include "cpu/sysreg_internal.h"

static struct cpu_model *model;
static struct pe *pe;
static struct bus *bus;
static struct event_queue queue;
static struct code_cache *code;

#define HCR_TGE BIT(27)
#define HCR_E2H BIT(34)
#define HCR_RW BIT(31)
#define SCR_NS BIT(0)

static void drop_pe(void)
{
	if (pe != NULL) {
		pe_destroy(pe);
		code_cache_destroy(code);
		event_queue_done(&queue);
		bus_destroy(bus);
	}
	free(model);
	pe = NULL;
	model = NULL;
}

static void make_pe(const char *cpu, bool el2, bool el3)
{
	char error[256] = "";
	const char *why = NULL;
	struct pe_config config = {.affinity = 0x102, .has_el2 = el2, .has_el3 = el3};

	drop_pe();
	model = cpu_model_parse(cpu, el2, el3, error, sizeof(error));
	ck_assert_msg(model != NULL, "%s", error);
	bus = bus_create();
	event_queue_init(&queue);
	code = code_cache_create(bus, &model->features);
	config.model = model;
	config.bus = bus;
	config.queue = &queue;
	config.code = code;
	ck_assert_msg(pe_create(&pe, &config, &why) == 0, "%s", why);
	pe_reset(pe, el3 ? 3 : el2 ? 2 : 1, el3, 0);
	// Nothing trapped by the levels above, Non-secure.
	pe->sr[SR_SCR_EL3] |= (SCR_NS | BIT(11) | BIT(16) | BIT(17) | BIT(21) | BIT(25)) &
			      model->writable[SR_SCR_EL3];
	pe->sr[SR_HCR_EL2] |= (BIT(40) | BIT(41) | BIT(47) | BIT(53)) & model->writable[SR_HCR_EL2];
	pe->sr[SR_CNTHCTL_EL2] = 3;
	pe->el = 1;
	pe->sp_sel = true;
}

static void setup(void)
{
	make_pe("max", true, true);
}

static void teardown(void)
{
	drop_pe();
}

static uint16_t enc_of(enum sysreg reg)
{
	return sysreg_rows[reg].enc;
}

static struct sysreg_decision ask(enum sysreg reg, unsigned el, bool read)
{
	pe->el = (uint8_t)el;
	return sysreg_permitted(pe, enc_of(reg), read, 5);
}

#define assert_ok(reg, el, read) ck_assert_int_eq(ask(reg, el, read).outcome, SYSREG_PERMITTED)
#define assert_undefined(reg, el, read) \
	ck_assert_int_eq(ask(reg, el, read).outcome, SYSREG_UNDEFINED)
#define assert_trap(reg, el, read, to, class, why) \
	do { \
		struct sysreg_decision d_ = ask(reg, el, read); \
		ck_assert_int_eq(d_.outcome, SYSREG_TRAPPED); \
		ck_assert_uint_eq(d_.target_el, to); \
		ck_assert_uint_eq(d_.ec, class); \
		ck_assert_ptr_nonnull(d_.control); \
		ck_assert_str_eq(d_.control, why); \
	} while (0)

START_TEST(tables_are_sound)
{
	char error[256] = "";

	ck_assert_msg(sysreg_check_table(error, sizeof(error)) == 0, "%s", error);
	ck_assert_msg(sysreg_check_traps(error, sizeof(error)) == 0, "%s", error);
}
END_TEST

START_TEST(lookup_by_encoding)
{
	ck_assert_int_eq(sysreg_find(SYSREG_ENC(3, 0, 1, 0, 0)), SR_SCTLR_EL1);
	ck_assert_int_eq(sysreg_find(SYSREG_ENC(3, 6, 1, 1, 0)), SR_SCR_EL3);
	ck_assert_int_eq(sysreg_find(SYSREG_ENC(3, 4, 12, 13, 7)), SR_ICH_LR15_EL2);
	ck_assert_int_eq(sysreg_find(SYSREG_ENC(3, 3, 14, 11, 6)), SR_PMEVCNTR30_EL0);
	ck_assert_int_eq(sysreg_find(SYSREG_ENC(1, 0, 8, 3, 0)), SR_TLBI_VMALLE1IS);
	ck_assert_int_eq(sysreg_find(SYSREG_ENC(3, 0, 0, 0, 1)), SYSREG_NONE);
	ck_assert_int_eq(sysreg_find(0xffff), SYSREG_NONE);
	ck_assert_str_eq(sysreg_name(SR_TLBI_VMALLE1IS), "TLBI VMALLE1IS");
	ck_assert_str_eq(sysreg_name(SR_HCR_EL2), "HCR_EL2");
}
END_TEST

START_TEST(levels)
{
	assert_undefined(SR_SCTLR_EL1, 0, true);
	assert_ok(SR_SCTLR_EL1, 1, true);
	assert_ok(SR_SCTLR_EL1, 3, false);
	assert_undefined(SR_SCTLR_EL2, 1, true);
	assert_ok(SR_SCTLR_EL2, 2, false);
	assert_undefined(SR_SCR_EL3, 2, true);
	assert_ok(SR_SCR_EL3, 3, false);
	assert_undefined(SR_MIDR_EL1, 1, false); // read-only
	assert_undefined(SR_OSLAR_EL1, 1, true); // write-only
	assert_undefined(SR_SP_EL1, 1, true);
	assert_ok(SR_SP_EL1, 2, true);
	assert_ok(SR_TPIDRRO_EL0, 0, true);
	assert_undefined(SR_TPIDRRO_EL0, 0, false);
	assert_undefined(SR_CNTFRQ_EL0, 2, false); // only the highest level writes it
	assert_ok(SR_CNTFRQ_EL0, 3, false);
}
END_TEST

START_TEST(sp_el0_needs_sp_elx)
{
	assert_ok(SR_SP_EL0, 1, true);
	pe->sp_sel = false;
	assert_undefined(SR_SP_EL0, 1, true);
}
END_TEST

START_TEST(absent_features_are_undefined)
{
	make_pe("cortex-a72", true, true);
	assert_undefined(SR_APIAKeyLo_EL1, 1, true);
	assert_undefined(SR_LORC_EL1, 1, true);
	assert_undefined(SR_PAN, 1, true);
	assert_undefined(SR_CNTHV_CTL_EL2, 2, true);
	assert_undefined(SR_TTBR1_EL2, 2, true);
	assert_undefined(SR_SCTLR_EL12, 2, true);
	assert_undefined(SR_TLBI_RVAE1IS, 1, false);
	assert_undefined(SR_DC_CVAP, 1, false);
	make_pe("max", true, false);
	assert_undefined(SR_VSTTBR_EL2, 2, true);
	assert_ok(SR_CNTFRQ_EL0, 2, false);
}
END_TEST

START_TEST(virtual_memory_traps)
{
	pe->sr[SR_HCR_EL2] |= BIT(26); // TVM
	assert_trap(SR_TTBR0_EL1, 1, false, 2, 0x18, "HCR_EL2.TVM");
	assert_ok(SR_TTBR0_EL1, 1, true);
	assert_ok(SR_TTBR0_EL1, 2, false);
	// MSR TTBR0_EL1, X5: Op0 3, Op2 0, Op1 0, CRn 2, Rt 5, CRm 0, write.
	ck_assert_uint_eq(ask(SR_TTBR0_EL1, 1, false).iss, 3u << 20 | 2u << 10 | 5u << 5);
	assert_ok(SR_VBAR_EL1, 1, false);
	pe->sr[SR_HCR_EL2] ^= BIT(26) | BIT(30); // TRVM
	assert_trap(SR_SCTLR_EL1, 1, true, 2, 0x18, "HCR_EL2.TRVM");
	ck_assert_uint_eq(ask(SR_SCTLR_EL1, 1, true).iss, 3u << 20 | 1u << 10 | 5u << 5 | 1);
	assert_ok(SR_SCTLR_EL1, 1, false);
	pe->sr[SR_SCR_EL3] &= ~SCR_NS; // Secure, EL2 not enabled there
	assert_ok(SR_SCTLR_EL1, 1, true);
}
END_TEST

START_TEST(el0_controls_and_tge)
{
	assert_trap(SR_CTR_EL0, 0, true, 1, 0x18, "SCTLR_EL1.UCT");
	pe->sr[SR_SCTLR_EL1] |= BIT(15);
	assert_ok(SR_CTR_EL0, 0, true);
	pe->sr[SR_HCR_EL2] |= BIT(17); // TID2
	assert_trap(SR_CTR_EL0, 0, true, 2, 0x18, "HCR_EL2.TID2");
	pe->sr[SR_HCR_EL2] = HCR_RW | HCR_TGE;
	pe->sr[SR_SCTLR_EL1] = 0;
	assert_trap(SR_CTR_EL0, 0, true, 2, 0x18, "SCTLR_EL1.UCT");
	// A host: SCTLR_EL2 and no HCR_EL2 trap.
	pe->sr[SR_HCR_EL2] = HCR_RW | HCR_TGE | HCR_E2H | BIT(17);
	pe->sr[SR_SCTLR_EL2] = 0;
	assert_trap(SR_CTR_EL0, 0, true, 2, 0x18, "SCTLR_EL2.UCT");
	pe->sr[SR_SCTLR_EL2] = BIT(15);
	assert_ok(SR_CTR_EL0, 0, true);
	assert_trap(SR_DAIF, 0, true, 2, 0x18, "HCR_EL2.TGE");
}
END_TEST

START_TEST(e2h_redirection)
{
	ck_assert_int_eq(ask(SR_SCTLR_EL1, 2, true).reg, SR_SCTLR_EL1);
	assert_undefined(SR_SCTLR_EL12, 2, true);
	pe->sr[SR_HCR_EL2] |= HCR_E2H;
	ck_assert_int_eq(ask(SR_SCTLR_EL1, 2, true).reg, SR_SCTLR_EL2);
	ck_assert_int_eq(ask(SR_CPACR_EL1, 2, true).reg, SR_CPTR_EL2);
	ck_assert_int_eq(ask(SR_CNTKCTL_EL1, 2, true).reg, SR_CNTHCTL_EL2);
	ck_assert_int_eq(ask(SR_CNTP_CTL_EL0, 2, true).reg, SR_CNTHP_CTL_EL2);
	ck_assert_int_eq(ask(SR_CNTV_CVAL_EL0, 2, true).reg, SR_CNTHV_CVAL_EL2);
	ck_assert_int_eq(ask(SR_ELR_EL1, 2, true).reg, SR_ELR_EL2);
	ck_assert_int_eq(ask(SR_SCTLR_EL12, 2, true).reg, SR_SCTLR_EL1);
	ck_assert_int_eq(ask(SR_CNTV_CTL_EL02, 2, true).reg, SR_CNTV_CTL_EL0);
	ck_assert_int_eq(ask(SR_SCTLR_EL12, 3, true).reg, SR_SCTLR_EL1);
	ck_assert_int_eq(ask(SR_SCTLR_EL1, 1, true).reg, SR_SCTLR_EL1);
	ck_assert_int_eq(ask(SR_SCTLR_EL1, 3, true).reg, SR_SCTLR_EL1);
	ck_assert_int_eq(ask(SR_TPIDR_EL1, 2, true).reg, SR_TPIDR_EL1);
	assert_undefined(SR_SCTLR_EL12, 1, true);
	// EL0 of a host has the EL2 timers.
	pe->sr[SR_HCR_EL2] |= HCR_TGE;
	pe->sr[SR_CNTHCTL_EL2] = BIT(8) | BIT(9);
	ck_assert_int_eq(ask(SR_CNTV_CTL_EL0, 0, true).reg, SR_CNTHV_CTL_EL2);
	ck_assert_int_eq(ask(SR_CNTP_CTL_EL0, 0, true).reg, SR_CNTHP_CTL_EL2);
	// Secure EL2: the Secure timers.
	pe->sr[SR_SCR_EL3] = BIT(18);
	ck_assert_int_eq(ask(SR_CNTP_CTL_EL0, 2, true).reg, SR_CNTHPS_CTL_EL2);
}
END_TEST

START_TEST(fp_access)
{
	pe->sr[SR_CPTR_EL2] = 0x33ff;
	pe->sr[SR_CPACR_EL1] = 0;
	assert_trap(SR_FPCR, 1, true, 1, 0x07, "CPACR_EL1.FPEN");
	ck_assert_uint_eq(ask(SR_FPCR, 1, true).iss, 0x1e00000);
	pe->sr[SR_CPACR_EL1] = 1 << 20;
	assert_ok(SR_FPCR, 1, true);
	assert_trap(SR_FPSR, 0, true, 1, 0x07, "CPACR_EL1.FPEN");
	pe->sr[SR_HCR_EL2] |= HCR_TGE;
	assert_trap(SR_FPSR, 0, true, 2, 0x00, "CPACR_EL1.FPEN"); // AdvSIMDFPAccessTrap
	pe->sr[SR_HCR_EL2] &= ~HCR_TGE;
	pe->sr[SR_CPACR_EL1] = 3 << 20;
	pe->sr[SR_CPTR_EL2] |= BIT(10);
	assert_trap(SR_FPCR, 0, false, 2, 0x07, "CPTR_EL2.TFP");
	assert_trap(SR_FPCR, 2, false, 2, 0x07, "CPTR_EL2.TFP");
	// The other layout: bit 10 means nothing, FPEN does.
	pe->sr[SR_HCR_EL2] |= HCR_E2H;
	pe->sr[SR_CPTR_EL2] = BIT(10) | 3 << 20;
	assert_ok(SR_FPCR, 2, false);
	pe->sr[SR_CPTR_EL2] = 0;
	assert_trap(SR_FPCR, 2, false, 2, 0x07, "CPTR_EL2.FPEN");
	assert_trap(SR_FPCR, 1, false, 2, 0x07, "CPTR_EL2.FPEN");
	pe->sr[SR_CPTR_EL2] = 3 << 20;
	pe->sr[SR_CPTR_EL3] = BIT(10);
	assert_trap(SR_FPCR, 1, true, 3, 0x07, "CPTR_EL3.TFP");
	assert_trap(SR_FPCR, 3, true, 3, 0x07, "CPTR_EL3.TFP");
}
END_TEST

START_TEST(id_space)
{
	struct sysreg_decision d;

	assert_ok(SR_ID_AA64PFR0_EL1, 1, true);
	assert_ok(SR_S3_0_C0_C7_7, 1, true); // reserved: reads as zero
	pe->el = 1;
	ck_assert_uint_eq(sysreg_read(pe, SR_S3_0_C0_C7_7), 0);
	pe->sr[SR_HCR_EL2] |= BIT(18); // TID3
	assert_trap(SR_ID_AA64PFR0_EL1, 1, true, 2, 0x18, "HCR_EL2.TID3");
	assert_trap(SR_S3_0_C0_C7_7, 1, true, 2, 0x18, "HCR_EL2.TID3");
	assert_ok(SR_MIDR_EL1, 1, true); // no group
	assert_trap(SR_MIDR_EL1, 0, true, 1, 0x18, "FEAT_IDST");
	// S3_0_C0_C0_1 does not exist.
	d = sysreg_permitted(pe, SYSREG_ENC(3, 0, 0, 0, 1), true, 0);
	ck_assert_int_eq(d.outcome, SYSREG_TRAPPED);
	ck_assert_uint_eq(d.ec, 0x18);
	d = sysreg_permitted(pe, SYSREG_ENC(3, 0, 0, 0, 1), false, 0);
	ck_assert_int_eq(d.outcome, SYSREG_UNDEFINED);
	make_pe("cortex-a53", true, true);
	assert_undefined(SR_MIDR_EL1, 0, true);
}
END_TEST

START_TEST(implementation_defined_space)
{
	uint16_t enc = SYSREG_ENC(3, 0, 15, 1, 0);
	struct sysreg_decision d;

	pe->el = 1;
	ck_assert_int_eq(sysreg_permitted(pe, enc, true, 0).outcome, SYSREG_UNDEFINED);
	pe->sr[SR_HCR_EL2] |= BIT(20);
	d = sysreg_permitted(pe, enc, true, 0);
	ck_assert_int_eq(d.outcome, SYSREG_TRAPPED);
	ck_assert_uint_eq(d.target_el, 2);
	ck_assert_str_eq(d.control, "HCR_EL2.TIDCP");
	pe->el = 2;
	ck_assert_int_eq(sysreg_permitted(pe, enc, true, 0).outcome, SYSREG_UNDEFINED);
}
END_TEST

START_TEST(maintenance_traps)
{
	pe->sr[SR_HCR_EL2] |= BIT(25); // TTLB
	assert_trap(SR_TLBI_VAE1, 1, false, 2, 0x18, "HCR_EL2.TTLB");
	assert_ok(SR_TLBI_VAE1, 2, false);
	pe->sr[SR_HCR_EL2] ^= BIT(25) | BIT(54); // TTLBIS
	assert_ok(SR_TLBI_VAE1, 1, false);
	assert_trap(SR_TLBI_RVAE1IS, 1, false, 2, 0x18, "HCR_EL2.TTLBIS");
	assert_ok(SR_TLBI_VAE1OS, 1, false);
	pe->sr[SR_HCR_EL2] ^= BIT(54) | BIT(22); // TSW
	assert_trap(SR_DC_CSW, 1, false, 2, 0x18, "HCR_EL2.TSW");
	ck_assert_uint_eq(ask(SR_DC_CSW, 1, false).iss,
			  1u << 20 | 2u << 17 | 7u << 10 | 5u << 5 | 10u << 1);
	assert_trap(SR_DC_ZVA, 0, false, 1, 0x18, "SCTLR_EL1.DZE");
	pe->sr[SR_SCTLR_EL1] |= BIT(14) | BIT(26);
	pe->sr[SR_HCR_EL2] |= BIT(28); // TDZ
	assert_trap(SR_DC_ZVA, 0, false, 2, 0x18, "HCR_EL2.TDZ");
	assert_ok(SR_DC_CIVAC, 0, false);
	pe->sr[SR_HCR_EL2] |= BIT(23); // TPCP
	assert_trap(SR_DC_CIVAC, 0, false, 2, 0x18, "HCR_EL2.TPCP");
	pe->sr[SR_HCR_EL2] |= BIT(50); // TICAB
	assert_trap(SR_IC_IALLUIS, 1, false, 2, 0x18, "HCR_EL2.TICAB");
	assert_ok(SR_IC_IALLU, 1, false);
	// Stage-1 EL2 operations at EL3 need EL2 enabled in the Security state.
	assert_ok(SR_TLBI_VAE2, 3, false);
	pe->sr[SR_SCR_EL3] &= ~SCR_NS;
	assert_undefined(SR_TLBI_VAE2, 3, false);
}
END_TEST

START_TEST(timer_controls)
{
	assert_trap(SR_CNTVCT_EL0, 0, true, 1, 0x18, "CNTKCTL_EL1.EL0VCTEN");
	pe->sr[SR_CNTKCTL_EL1] = 3;
	assert_ok(SR_CNTVCT_EL0, 0, true);
	assert_ok(SR_CNTPCT_EL0, 1, true);
	pe->sr[SR_CNTHCTL_EL2] = 2;
	assert_trap(SR_CNTPCT_EL0, 1, true, 2, 0x18, "CNTHCTL_EL2.EL1PCTEN");
	assert_ok(SR_CNTP_CTL_EL0, 1, true);
	pe->sr[SR_CNTHCTL_EL2] = 1;
	assert_trap(SR_CNTP_CTL_EL0, 1, true, 2, 0x18, "CNTHCTL_EL2.EL1PCEN");
	// E2H: the bits moved up.
	pe->sr[SR_HCR_EL2] |= HCR_E2H;
	pe->sr[SR_CNTHCTL_EL2] = 3;
	assert_trap(SR_CNTP_CTL_EL0, 1, true, 2, 0x18, "CNTHCTL_EL2.EL1PTEN");
	pe->sr[SR_CNTHCTL_EL2] = BIT(10) | BIT(11);
	assert_ok(SR_CNTP_CTL_EL0, 1, true);
	assert_ok(SR_CNTV_CTL_EL0, 1, true);
	// The Secure physical timer.
	assert_undefined(SR_CNTPS_CTL_EL1, 1, true);
	pe->sr[SR_SCR_EL3] &= ~(SCR_NS | BIT(11));
	assert_trap(SR_CNTPS_CTL_EL1, 1, true, 3, 0x18, "SCR_EL3.ST");
	pe->sr[SR_SCR_EL3] |= BIT(11);
	assert_ok(SR_CNTPS_CTL_EL1, 1, true);
	assert_undefined(SR_CNTPS_CTL_EL1, 2, true);
	assert_ok(SR_CNTPS_CTL_EL1, 3, true);
}
END_TEST

START_TEST(gic_traps)
{
	assert_ok(SR_ICC_IAR1_EL1, 1, true);
	pe->sr[SR_SCR_EL3] |= BIT(1); // IRQ
	assert_trap(SR_ICC_IAR1_EL1, 1, true, 3, 0x18, "SCR_EL3.IRQ");
	assert_ok(SR_ICC_PMR_EL1, 1, true);
	assert_ok(SR_ICC_IAR0_EL1, 1, true);
	pe->sr[SR_HCR_EL2] |= BIT(4); // IMO: the virtual interface
	assert_ok(SR_ICC_IAR1_EL1, 1, true);
	assert_trap(SR_ICC_IAR1_EL1, 2, true, 3, 0x18, "SCR_EL3.IRQ");
	assert_trap(SR_ICC_SGI1R_EL1, 1, false, 2, 0x18, "HCR_EL2.IMO");
	pe->sr[SR_ICH_HCR_EL2] = BIT(12);
	assert_trap(SR_ICC_IAR1_EL1, 1, true, 2, 0x18, "ICH_HCR_EL2.TALL1");
	pe->sr[SR_ICH_HCR_EL2] = BIT(10);
	assert_trap(SR_ICC_PMR_EL1, 1, false, 2, 0x18, "ICH_HCR_EL2.TC");
	pe->sr[SR_ICC_SRE_EL2] = 7;
	assert_trap(SR_ICC_SRE_EL1, 1, true, 2, 0x18, "ICC_SRE_EL2.Enable");
	assert_undefined(SR_ICH_HCR_EL2, 1, true);
	assert_ok(SR_ICH_HCR_EL2, 2, true);
}
END_TEST

START_TEST(gic_traps_of_each_group)
{
	pe->sr[SR_ICH_HCR_EL2] = BIT(11); // TALL0
	assert_trap(SR_ICC_IAR0_EL1, 1, true, 2, 0x18, "ICH_HCR_EL2.TALL0");
	assert_ok(SR_ICC_IAR1_EL1, 1, true);
	pe->sr[SR_ICH_HCR_EL2] = BIT(14); // TDIR
	assert_trap(SR_ICC_DIR_EL1, 1, false, 2, 0x18, "ICH_HCR_EL2.TDIR");
	pe->sr[SR_ICH_HCR_EL2] = BIT(10); // TC
	assert_trap(SR_ICC_DIR_EL1, 1, false, 2, 0x18, "ICH_HCR_EL2.TC");
	assert_trap(SR_ICC_SGI0R_EL1, 1, false, 2, 0x18, "ICH_HCR_EL2.TC");
	pe->sr[SR_ICH_HCR_EL2] = 0;
	pe->sr[SR_HCR_EL2] |= BIT(3); // FMO
	assert_trap(SR_ICC_SGI1R_EL1, 1, false, 2, 0x18, "HCR_EL2.FMO");
	pe->sr[SR_SCR_EL3] |= BIT(2); // FIQ
	assert_ok(SR_ICC_IAR0_EL1, 1, true); // virtual
	pe->sr[SR_HCR_EL2] &= ~BIT(3);
	assert_trap(SR_ICC_IAR0_EL1, 1, true, 3, 0x18, "SCR_EL3.FIQ");
	assert_ok(SR_ICC_PMR_EL1, 1, true); // only while both go to EL3
	assert_ok(SR_ICC_SGI1R_EL1, 1, false);
	pe->sr[SR_SCR_EL3] |= BIT(1);
	assert_trap(SR_ICC_PMR_EL1, 1, true, 3, 0x18, "SCR_EL3.{IRQ,FIQ}");
	assert_trap(SR_ICC_DIR_EL1, 2, false, 3, 0x18, "SCR_EL3.{IRQ,FIQ}");
	assert_trap(SR_ICC_SGI1R_EL1, 2, false, 3, 0x18, "SCR_EL3.{IRQ,FIQ}");
	pe->sr[SR_HCR_EL2] |= BIT(4); // IMO alone makes the common registers virtual
	assert_ok(SR_ICC_PMR_EL1, 1, true);
	pe->sr[SR_ICC_SRE_EL3] = 7;
	assert_trap(SR_ICC_SRE_EL1, 1, true, 3, 0x18, "ICC_SRE_EL3.Enable");
	assert_trap(SR_ICC_SRE_EL2, 2, true, 3, 0x18, "ICC_SRE_EL3.Enable");
	assert_ok(SR_ICC_SRE_EL2, 3, true);
}
END_TEST

START_TEST(other_controls)
{
	assert_trap(SR_DAIF, 0, false, 1, 0x18, "SCTLR_EL1.UMA");
	assert_trap(SR_CNTFRQ_EL0, 0, true, 1, 0x18, "CNTKCTL_EL1.{EL0PCTEN,EL0VCTEN}");
	pe->sr[SR_CNTKCTL_EL1] = 2;
	assert_ok(SR_CNTFRQ_EL0, 0, true);
	assert_trap(SR_PMEVCNTR0_EL0, 0, true, 1, 0x18, "PMUSERENR_EL0.{EN,ER}");
	assert_trap(SR_PMEVCNTR0_EL0, 0, false, 1, 0x18, "PMUSERENR_EL0.EN");
	pe->sr[SR_PMUSERENR_EL0] = 8; // ER: read only
	assert_ok(SR_PMEVCNTR0_EL0, 0, true);
	assert_trap(SR_PMEVCNTR0_EL0, 0, false, 1, 0x18, "PMUSERENR_EL0.EN");
	pe->sr[SR_HCR_EL2] |= BIT(21); // TACR
	assert_trap(SR_ACTLR_EL1, 1, false, 2, 0x18, "HCR_EL2.TACR");
	assert_ok(SR_ERXPFGCTL_EL1, 1, true);
	pe->sr[SR_SCR_EL3] &= ~BIT(21); // FIEN
	assert_trap(SR_ERXPFGCTL_EL1, 1, true, 3, 0x18, "SCR_EL3.FIEN");
	// EL0 of a host.
	pe->sr[SR_HCR_EL2] |= HCR_E2H | HCR_TGE;
	pe->sr[SR_CNTHCTL_EL2] = 0;
	assert_trap(SR_CNTFRQ_EL0, 0, true, 2, 0x18, "CNTHCTL_EL2.{EL0PCTEN,EL0VCTEN}");
	pe->sr[SR_SCTLR_EL2] |= BIT(20); // TSCXT
	assert_trap(SR_SCXTNUM_EL0, 0, true, 2, 0x18, "SCTLR_EL2.TSCXT");
}
END_TEST

START_TEST(pmu_and_debug_traps)
{
	assert_trap(SR_PMCCNTR_EL0, 0, true, 1, 0x18, "PMUSERENR_EL0.{EN,CR}");
	pe->sr[SR_PMUSERENR_EL0] = 4; // CR
	assert_ok(SR_PMCCNTR_EL0, 0, true);
	assert_trap(SR_PMCCNTR_EL0, 0, false, 1, 0x18, "PMUSERENR_EL0.EN");
	assert_ok(SR_PMUSERENR_EL0, 0, true);
	assert_undefined(SR_PMUSERENR_EL0, 0, false);
	pe->sr[SR_MDCR_EL2] |= BIT(5);
	assert_trap(SR_PMCR_EL0, 1, true, 2, 0x18, "MDCR_EL2.TPMCR");
	assert_ok(SR_PMCNTENSET_EL0, 1, true);
	pe->sr[SR_MDCR_EL3] = BIT(6);
	assert_trap(SR_PMCNTENSET_EL0, 2, true, 3, 0x18, "MDCR_EL3.TPM");
	// Six event counters; two are EL2's.
	pe->sr[SR_MDCR_EL3] = 0;
	pe->sr[SR_MDCR_EL2] = 4;
	assert_ok(SR_PMEVCNTR3_EL0, 1, true);
	assert_trap(SR_PMEVCNTR4_EL0, 1, true, 2, 0x18, "MDCR_EL2.HPMN");
	assert_ok(SR_PMEVCNTR5_EL0, 2, true);
	assert_undefined(SR_PMEVCNTR6_EL0, 2, true);
	// Six breakpoints, four watchpoints.
	assert_ok(SR_DBGBVR5_EL1, 1, true);
	assert_undefined(SR_DBGBVR6_EL1, 1, true);
	assert_ok(SR_DBGWCR3_EL1, 1, true);
	assert_undefined(SR_DBGWCR4_EL1, 1, true);
	pe->sr[SR_MDCR_EL2] = BIT(9);
	assert_trap(SR_MDSCR_EL1, 1, true, 2, 0x18, "MDCR_EL2.TDA");
	assert_ok(SR_OSLAR_EL1, 1, false);
	pe->sr[SR_MDCR_EL2] = BIT(8);
	assert_trap(SR_OSLAR_EL1, 1, false, 2, 0x18, "MDCR_EL2.TDE");
	pe->sr[SR_MDCR_EL2] = 0;
	pe->sr[SR_MDCR_EL3] = BIT(9);
	assert_trap(SR_MDCR_EL2, 2, true, 3, 0x18, "MDCR_EL3.TDA");
}
END_TEST

START_TEST(lower_target_decides_first)
{
	pe->sr[SR_HCR_EL2] &= ~BIT(40);
	pe->sr[SR_SCR_EL3] &= ~BIT(16);
	assert_trap(SR_APIAKeyLo_EL1, 1, true, 2, 0x18, "HCR_EL2.APK");
	assert_trap(SR_APIAKeyLo_EL1, 2, true, 3, 0x18, "SCR_EL3.APK");
	assert_ok(SR_APIAKeyLo_EL1, 3, true);
	pe->sr[SR_CPTR_EL2] |= BIT(31);
	pe->sr[SR_CPTR_EL3] |= BIT(31);
	assert_trap(SR_CPACR_EL1, 1, true, 2, 0x18, "CPTR_EL2.TCPAC");
	assert_trap(SR_CPTR_EL2, 2, true, 3, 0x18, "CPTR_EL3.TCPAC");
}
END_TEST

START_TEST(secure_state_registers)
{
	assert_undefined(SR_VSTTBR_EL2, 2, true); // Non-secure
	assert_undefined(SR_VSTTBR_EL2, 3, true);
	assert_ok(SR_LORC_EL1, 1, true);
	pe->sr[SR_SCR_EL3] = BIT(18); // Secure, EEL2
	assert_ok(SR_VSTTBR_EL2, 2, true);
	assert_ok(SR_VSTTBR_EL2, 3, true);
	pe->sr[SR_SCR_EL3] |= SCR_NS;
	pe->sr[SR_SCR_EL3] = 0;
	assert_undefined(SR_LORC_EL1, 1, true);
	assert_ok(SR_LORID_EL1, 1, true);
}
END_TEST

START_TEST(writable_bits)
{
	pe->el = 3;
	sysreg_write(pe, SR_HCR_EL2, 0);
	ck_assert_uint_eq(sysreg_read(pe, SR_HCR_EL2), HCR_RW); // EL1 is AArch64 only
	sysreg_write(pe, SR_HCR_EL2, ~UINT64_C(0));
	ck_assert(!(pe->sr[SR_HCR_EL2] & BIT(39))); // FEAT_TME is absent
	ck_assert(!(pe->sr[SR_HCR_EL2] & BIT(29))); // HCD: RES0 with EL3
	ck_assert(pe->sr[SR_HCR_EL2] & HCR_E2H);
	sysreg_write(pe, SR_SCR_EL3, 0);
	ck_assert_uint_eq(sysreg_read(pe, SR_SCR_EL3), 0x430);
	sysreg_write(pe, SR_SCTLR_EL1, 0);
	ck_assert_uint_eq(sysreg_read(pe, SR_SCTLR_EL1), 0x30000180); // LSMAOE nTLSMD SED ITD
	sysreg_write(pe, SR_VBAR_EL1, 0xffffffff80001fff);
	ck_assert_uint_eq(sysreg_read(pe, SR_VBAR_EL1), 0xffffffff80001800);
	sysreg_write(pe, SR_ACTLR_EL1, 0xffff);
	ck_assert_uint_eq(sysreg_read(pe, SR_ACTLR_EL1), 0);
	sysreg_write(pe, SR_TPIDR_EL0, 0x0123456789abcdef);
	ck_assert_uint_eq(sysreg_read(pe, SR_TPIDR_EL0), 0x0123456789abcdef);
	sysreg_write(pe, SR_SPSR_EL1, 0xffffffffffffffff);
	ck_assert_uint_eq(sysreg_read(pe, SR_SPSR_EL1), 0xf3f03fdf);
	make_pe("cortex-a72", true, true);
	sysreg_write(pe, SR_SCTLR_EL2, 0);
	ck_assert_uint_eq(sysreg_read(pe, SR_SCTLR_EL2), 0x30c50830);
	sysreg_write(pe, SR_SCTLR_EL1, 0);
	ck_assert_uint_eq(sysreg_read(pe, SR_SCTLR_EL1), 0x30d00980); // SPAN, TSCXT are RES1 too
	sysreg_write(pe, SR_HCR_EL2, HCR_E2H | HCR_TGE);
	ck_assert_uint_eq(sysreg_read(pe, SR_HCR_EL2), HCR_RW | HCR_TGE);
	make_pe("max", false, true);
	pe->el = 3;
	sysreg_write(pe, SR_VBAR_EL2, 0x80000000);
	ck_assert_uint_eq(sysreg_read(pe, SR_VBAR_EL2), 0); // EL2 is absent: RES0
	sysreg_write(pe, SR_CPTR_EL2, 0x80000000);
	ck_assert_uint_eq(sysreg_read(pe, SR_CPTR_EL2), 0);
	// But the virtual identities, which are the PE's own then.
	sysreg_write(pe, SR_VPIDR_EL2, 0x12345678);
	ck_assert_uint_eq(sysreg_read(pe, SR_VPIDR_EL2), 0x000f0510);
	sysreg_write(pe, SR_VMPIDR_EL2, 0x80000042);
	ck_assert_uint_eq(sysreg_read(pe, SR_VMPIDR_EL2), 0x80000102);
}
END_TEST

START_TEST(cptr_el2_has_two_layouts)
{
	pe->el = 2;
	sysreg_write(pe, SR_CPTR_EL2, BIT(10) | BIT(31));
	ck_assert_uint_eq(sysreg_read(pe, SR_CPTR_EL2), 0x800037ff);
	pe->sr[SR_HCR_EL2] |= HCR_E2H;
	sysreg_write(pe, SR_CPTR_EL2, ~UINT64_C(0));
	ck_assert_uint_eq(sysreg_read(pe, SR_CPTR_EL2), 0xe0300000); // with TCPAC, TAM and E0POE
}
END_TEST

START_TEST(pstate_registers)
{
	sysreg_write(pe, SR_NZCV, 0xffffffffa0000000);
	ck_assert_uint_eq(sysreg_read(pe, SR_NZCV), 0xa0000000);
	sysreg_write(pe, SR_DAIF, 0xfff);
	ck_assert_uint_eq(sysreg_read(pe, SR_DAIF), 0x3c0);
	ck_assert_uint_eq(pe->daif, 0xf);
	ck_assert_uint_eq(sysreg_read(pe, SR_CurrentEL), 4);
	ck_assert_uint_eq(sysreg_read(pe, SR_SPSel), 1);
	sysreg_write(pe, SR_PAN, BIT(22));
	ck_assert(pe->pan);
	ck_assert_uint_eq(sysreg_read(pe, SR_PAN), BIT(22));
	sysreg_write(pe, SR_UAO, BIT(23));
	ck_assert_uint_eq(sysreg_read(pe, SR_UAO), BIT(23));
	sysreg_write(pe, SR_SSBS, BIT(12));
	ck_assert_uint_eq(sysreg_read(pe, SR_SSBS), BIT(12));
	sysreg_write(pe, SR_DIT, ~UINT64_C(0));
	ck_assert_uint_eq(sysreg_read(pe, SR_DIT), BIT(24));
	sysreg_write(pe, SR_FPCR, ~UINT64_C(0));
	ck_assert_uint_eq(sysreg_read(pe, SR_FPCR), 0x07c80007);
	sysreg_write(pe, SR_FPSR, ~UINT64_C(0));
	ck_assert_uint_eq(pe->fp.fpsr, 0x0800009f);
}
END_TEST

START_TEST(identification_registers)
{
	pe->sr[SR_VPIDR_EL2] = 0x12345678;
	pe->sr[SR_VMPIDR_EL2] = 0x80000042;
	pe->el = 1;
	ck_assert_uint_eq(sysreg_read(pe, SR_MIDR_EL1), 0x12345678);
	ck_assert_uint_eq(sysreg_read(pe, SR_MPIDR_EL1), 0x80000042);
	pe->el = 2;
	ck_assert_uint_eq(sysreg_read(pe, SR_MIDR_EL1), 0x000f0510);
	ck_assert_uint_eq(sysreg_read(pe, SR_MPIDR_EL1), 0x80000102);
	pe->sr[SR_CSSELR_EL1] = 1;
	ck_assert_uint_eq(sysreg_read(pe, SR_CCSIDR_EL1), 0x201fe012);
	pe->sr[SR_CSSELR_EL1] = 2;
	ck_assert_uint_eq(sysreg_read(pe, SR_CCSIDR_EL1), 0x70ffe07a);
	pe->sr[SR_CSSELR_EL1] = 15;
	ck_assert_uint_eq(sysreg_read(pe, SR_CCSIDR_EL1), 0);
	ck_assert_uint_eq(sysreg_read(pe, SR_DCZID_EL0), 4);
	pe->el = 0;
	ck_assert_uint_eq(sysreg_read(pe, SR_DCZID_EL0), 0x14); // SCTLR_EL1.DZE is 0
	pe->sr[SR_SCTLR_EL1] |= BIT(14);
	ck_assert_uint_eq(sysreg_read(pe, SR_DCZID_EL0), 4);
	pe->sr[SR_HCR_EL2] |= BIT(28);
	ck_assert_uint_eq(sysreg_read(pe, SR_DCZID_EL0), 0x14);
}
END_TEST

START_TEST(debug_registers)
{
	ck_assert_uint_eq(sysreg_read(pe, SR_OSLSR_EL1), 0xa); // locked at reset
	sysreg_write(pe, SR_MDSCR_EL1, BIT(14) | BIT(15));
	ck_assert_uint_eq(sysreg_read(pe, SR_MDSCR_EL1), BIT(14) | BIT(15));
	sysreg_write(pe, SR_OSLAR_EL1, 0);
	ck_assert_uint_eq(sysreg_read(pe, SR_OSLSR_EL1), 0x8);
	sysreg_write(pe, SR_MDSCR_EL1, BIT(0));
	ck_assert_uint_eq(sysreg_read(pe, SR_MDSCR_EL1), BIT(14) | BIT(0)); // HDE is read-only now
	sysreg_write(pe, SR_DBGCLAIMSET_EL1, 0x5);
	ck_assert_uint_eq(sysreg_read(pe, SR_DBGCLAIMCLR_EL1), 0x5);
	ck_assert_uint_eq(sysreg_read(pe, SR_DBGCLAIMSET_EL1), 0xff);
	sysreg_write(pe, SR_DBGCLAIMCLR_EL1, 0x1);
	ck_assert_uint_eq(sysreg_read(pe, SR_DBGCLAIMCLR_EL1), 0x4);
}
END_TEST

START_TEST(disr_follows_serror_routing)
{
	pe->el = 1;
	sysreg_write(pe, SR_DISR_EL1, BIT(31));
	ck_assert_uint_eq(sysreg_read(pe, SR_DISR_EL1), BIT(31));
	pe->sr[SR_HCR_EL2] |= BIT(5); // AMO: EL1 sees VDISR_EL2
	ck_assert_uint_eq(sysreg_read(pe, SR_DISR_EL1), 0);
	pe->sr[SR_VDISR_EL2] = 0x123;
	ck_assert_uint_eq(sysreg_read(pe, SR_DISR_EL1), 0x123);
	pe->el = 2;
	ck_assert_uint_eq(sysreg_read(pe, SR_DISR_EL1), BIT(31));
	pe->sr[SR_SCR_EL3] |= BIT(3); // EA
	ck_assert_uint_eq(sysreg_read(pe, SR_DISR_EL1), 0);
}
END_TEST

START_TEST(random_numbers)
{
	uint64_t a = sysreg_read(pe, SR_RNDR);
	uint64_t b = sysreg_read(pe, SR_RNDRRS);

	ck_assert_uint_ne(a, b);
	pe_set_nzcv(pe, 0xf0000000);
	(void)sysreg_read(pe, SR_RNDR);
	ck_assert_uint_eq(pe_nzcv(pe), 0);
	make_pe("max", true, true);
	ck_assert_uint_eq(sysreg_read(pe, SR_RNDR), a); // the same machine, the same numbers
}
END_TEST

// The manuals' values without what is not implemented: mixed endianness, AArch32, tracing,
// profiling, SVE, ...
START_TEST(model_id_registers)
{
	make_pe("cortex-a53", true, true);
	ck_assert_uint_eq(model->id[SR_MIDR_EL1], 0x410fd034);
	ck_assert_uint_eq(model->id[SR_ID_AA64PFR0_EL1], 0x01001111);
	ck_assert_uint_eq(model->id[SR_ID_AA64ISAR0_EL1], 0x00011120);
	ck_assert_uint_eq(model->id[SR_ID_AA64MMFR0_EL1], 0x00001022);
	ck_assert_uint_eq(model->id[SR_ID_AA64MMFR1_EL1], 0);
	ck_assert_uint_eq(model->id[SR_ID_AA64DFR0_EL1], 0x10305106);
	ck_assert_uint_eq(model->mmu.pa_bits, 40);
	ck_assert(!model->mmu.gran16k);
	make_pe("cortex-a72", true, true);
	ck_assert_uint_eq(model->id[SR_MIDR_EL1], 0x410fd083);
	ck_assert_uint_eq(model->id[SR_ID_AA64MMFR0_EL1], 0x00001024);
	ck_assert_uint_eq(model->id[SR_CTR_EL0], 0x8444c004);
	make_pe("neoverse-n1", true, true);
	ck_assert_uint_eq(model->id[SR_ID_AA64PFR0_EL1], UINT64_C(0x1100000011111111));
	ck_assert_uint_eq(model->id[SR_ID_AA64PFR1_EL1], 0x20);
	ck_assert_uint_eq(model->id[SR_ID_AA64ISAR0_EL1], UINT64_C(0x0000100010211120));
	ck_assert_uint_eq(model->id[SR_ID_AA64ISAR1_EL1], 0x00100001);
	ck_assert_uint_eq(model->id[SR_ID_AA64MMFR0_EL1], 0x00101025);
	ck_assert_uint_eq(model->id[SR_ID_AA64MMFR1_EL1], 0x10212122);
	ck_assert_uint_eq(model->id[SR_ID_AA64MMFR2_EL1], 0x00001011);
	ck_assert_uint_eq(model->id[SR_ID_AA64DFR0_EL1], 0x10305408);
	make_pe("neoverse-v1", true, true);
	ck_assert_uint_eq(model->id[SR_ID_AA64ISAR0_EL1], UINT64_C(0x1011111110212120));
	ck_assert_uint_eq(model->id[SR_ID_AA64ISAR1_EL1], UINT64_C(0x0011100001211032));
	ck_assert_uint_eq(model->id[SR_ID_AA64DFR0_EL1], UINT64_C(0xf010305509));
	make_pe("max", true, true);
	ck_assert_uint_eq(model->id[SR_ID_AA64PFR0_EL1], UINT64_C(0x1201201021111111));
	ck_assert_uint_eq(bits(model->id[SR_ID_AA64MMFR0_EL1], 3, 0), 6); // 52 bits
	ck_assert_uint_eq(bits(model->id[SR_ID_AA64MMFR0_EL1], 31, 28), 1); // 4K with LPA2
	ck_assert_uint_eq(bits(model->id[SR_ID_AA64MMFR0_EL1], 23, 20), 2); // 16K with LPA2
	ck_assert_uint_eq(bits(model->id[SR_ID_AA64MMFR1_EL1], 11, 8), 1); // VHE
	ck_assert_uint_eq(bits(model->id[SR_ID_AA64ISAR1_EL1], 11, 8),
			  5); // API: PAuth2 with FPAC, combined
	ck_assert_uint_eq(bits(model->id[SR_ID_AA64ISAR1_EL1], 7, 4), 0);
	ck_assert_uint_eq(bits(model->id[SR_ID_AA64ISAR2_EL1], 3, 0), 2); // WFxT
	ck_assert_uint_eq(model->id[SR_ID_PFR0_EL1], 0); // no AArch32
	make_pe("max", false, false);
	ck_assert_uint_eq(bits(model->id[SR_ID_AA64PFR0_EL1], 15, 8), 0);
	ck_assert_uint_eq(bits(model->id[SR_ID_AA64PFR0_EL1], 39, 36), 0); // SEL2 needs both
	ck_assert_uint_eq(bits(model->id[SR_ID_AA64MMFR1_EL1], 11, 8), 0);
}
END_TEST

START_TEST(feature_switches)
{
	make_pe("max,pauth=off", true, true);
	ck_assert(!pe_has(pe, FEAT_PAuth));
	ck_assert(!pe_has(pe, FEAT_FPAC));
	ck_assert_uint_eq(bits(model->id[SR_ID_AA64ISAR1_EL1], 11, 4), 0);
	ck_assert_uint_eq(bits(model->id[SR_ID_AA64ISAR1_EL1], 31, 24), 0);
	ck_assert(!(model->writable[SR_SCTLR_EL1] & BIT(31)));
	assert_undefined(SR_APIAKeyLo_EL1, 3, true);
	make_pe("max,pauth-algorithm=qarma3", true, true);
	ck_assert_uint_eq(bits(model->id[SR_ID_AA64ISAR2_EL1], 15, 8), 0x51);
	ck_assert_uint_eq(bits(model->id[SR_ID_AA64ISAR1_EL1], 11, 4), 0);
	make_pe("max,PAuth-Algorithm=QARMA5", true, true);
	ck_assert_uint_eq(bits(model->id[SR_ID_AA64ISAR1_EL1], 7, 4), 5);
	make_pe("max,FEAT_LSE=off", true, true);
	ck_assert(!pe_has(pe, FEAT_LSE2)); // a dependent goes too
	ck_assert(pe_has(pe, FEAT_VHE));
	make_pe("max,lpa=off", true, true);
	ck_assert(!pe_has(pe, FEAT_LPA2));
	ck_assert_uint_eq(model->mmu.pa_bits, 48);
	ck_assert_uint_eq(bits(model->id[SR_ID_AA64MMFR0_EL1], 3, 0), 5);
	make_pe("cortex-a72,lse=on,lse2=on", true, true);
	ck_assert(pe_has(pe, FEAT_LSE2));
	make_pe("cortex-a72,pauth=on", true, true);
	ck_assert_uint_eq(bits(model->id[SR_ID_AA64ISAR1_EL1], 11, 8), 1);
	make_pe("cortex-a72,fp=off", true, true);
	ck_assert_uint_eq(bits(model->id[SR_ID_AA64PFR0_EL1], 23, 16), 0xff);
	ck_assert_uint_eq(bits(model->id[SR_ID_AA64ISAR0_EL1], 15, 4),
			  0); // no cryptography without SIMD
}
END_TEST

static void assert_refused(const char *text, const char *part)
{
	char error[256] = "";
	struct cpu_model *m = cpu_model_parse(text, true, true, error, sizeof(error));

	ck_assert_msg(m == NULL, "%s was accepted", text);
	ck_assert_msg(strstr(error, part) != NULL, "%s: '%s' does not say '%s'", text, error, part);
	ck_assert_ptr_null(strchr(error, '\n'));
}

START_TEST(model_errors)
{
	assert_refused("", "unknown CPU model");
	assert_refused(",", "unknown CPU model");
	assert_refused("cortex-a99", "'cortex-a99'");
	assert_refused("max,frobnicate=on", "'frobnicate'");
	assert_refused("max,lse", "lse=on");
	assert_refused("max,lse=maybe", "lse=maybe");
	assert_refused("cortex-a72,lse2=on", "FEAT_LSE");
	assert_refused("max,lpa2=on,lva=off,lpa2=on", "FEAT_LVA");
	assert_refused("cortex-a72,pauth-algorithm=qarma5", "FEAT_PAuth");
	assert_refused("max,pauth-algorithm=rot13", "qarma5");
	assert_refused("max,el3=off", "board");
	assert_refused("max,gran4k=off,gran16k=off,gran64k=off", "GRAN4K");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sysreg");
	TCase *tcase = tcase_create("sysreg");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, tables_are_sound);
	tcase_add_test(tcase, lookup_by_encoding);
	tcase_add_test(tcase, levels);
	tcase_add_test(tcase, sp_el0_needs_sp_elx);
	tcase_add_test(tcase, absent_features_are_undefined);
	tcase_add_test(tcase, virtual_memory_traps);
	tcase_add_test(tcase, el0_controls_and_tge);
	tcase_add_test(tcase, e2h_redirection);
	tcase_add_test(tcase, fp_access);
	tcase_add_test(tcase, id_space);
	tcase_add_test(tcase, implementation_defined_space);
	tcase_add_test(tcase, maintenance_traps);
	tcase_add_test(tcase, timer_controls);
	tcase_add_test(tcase, gic_traps);
	tcase_add_test(tcase, gic_traps_of_each_group);
	tcase_add_test(tcase, other_controls);
	tcase_add_test(tcase, pmu_and_debug_traps);
	tcase_add_test(tcase, lower_target_decides_first);
	tcase_add_test(tcase, secure_state_registers);
	tcase_add_test(tcase, writable_bits);
	tcase_add_test(tcase, cptr_el2_has_two_layouts);
	tcase_add_test(tcase, pstate_registers);
	tcase_add_test(tcase, identification_registers);
	tcase_add_test(tcase, debug_registers);
	tcase_add_test(tcase, disr_follows_serror_routing);
	tcase_add_test(tcase, random_numbers);
	tcase_add_test(tcase, model_id_registers);
	tcase_add_test(tcase, feature_switches);
	tcase_add_test(tcase, model_errors);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
