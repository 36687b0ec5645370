// SPDX-License-Identifier: Apache-2.0
// Permission of system-register accesses where several controls compete: fine-grained traps,
// HCRX_EL2, and the controls of the features that brought registers of their own; and the list of
// all controls of an access. Expectations come from the accessors in the Arm ARM.
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

#define EVERYTHING \
	"max,fgt=on,hcx=on,evt=on,ecv=on,ecv_poff=on,tidcp1=on,rng_trap=on,nmi=on,gicv3_nmi=on," \
	"mte=on,mte2=on,mte3=on,amuv1=on,amuv1p1=on,tcr2=on,sctlr2=on,s1pie=on,s2pie=on,s1poe=on," \
	"s2poe=on,ls64=on,ls64_v=on,ls64_accdata=on"

// Bits by their place in the Arm ARM.
#define SCR_ALL_ENABLES \
	(BIT(0) | BIT(11) | BIT(16) | BIT(17) | BIT(21) | BIT(25) | BIT(26) | BIT(27) | BIT(28) | \
	 BIT(35) | BIT(36) | BIT(37) | BIT(38) | BIT(43) | BIT(44) | BIT(45))
#define SCR_FGTEN BIT(27)
#define SCR_HXEN BIT(38)
#define HCR_ENABLES (BIT(31) | BIT(40) | BIT(41) | BIT(47) | BIT(53) | BIT(56))
#define HCR_TVM BIT(26)
#define HCR_TGE BIT(27)
#define HCR_E2H BIT(34)

static void make_pe(const char *cpu, bool el2, bool el3)
{
	char error[256] = "";
	const char *why = NULL;
	struct pe_config config = {.affinity = 0, .has_el2 = el2, .has_el3 = el3};

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
	pe->sr[SR_SCR_EL3] |= SCR_ALL_ENABLES & model->writable[SR_SCR_EL3];
	pe->sr[SR_HCR_EL2] |= HCR_ENABLES & model->writable[SR_HCR_EL2];
	pe->sr[SR_HCRX_EL2] =
		(BIT(0) | BIT(1) | BIT(2) | BIT(14) | BIT(15)) & model->writable[SR_HCRX_EL2];
	pe->sr[SR_HFGRTR_EL2] = MASK(63, 50) & model->writable[SR_HFGRTR_EL2];
	pe->sr[SR_HFGWTR_EL2] = MASK(63, 50) & model->writable[SR_HFGWTR_EL2];
	pe->sr[SR_CNTHCTL_EL2] = 3;
	pe->el = 1;
	pe->sp_sel = true;
}

static void drop_pe(void)
{
	pe_destroy(pe);
	code_cache_destroy(code);
	event_queue_done(&queue);
	bus_destroy(bus);
	free(model);
}

static void setup(void)
{
	make_pe(EVERYTHING, true, true);
}

static void remake(const char *cpu, bool el2, bool el3)
{
	drop_pe();
	make_pe(cpu, el2, el3);
}

static struct sysreg_decision ask(enum sysreg reg, unsigned el, bool read)
{
	pe->el = (uint8_t)el;
	return sysreg_permitted(pe, sysreg_rows[reg].enc, read, 0);
}

enum { WRITE, READ };

#define assert_ok(reg, el, read) ck_assert_int_eq(ask(reg, el, read).outcome, SYSREG_PERMITTED)
#define assert_undefined(reg, el, read) \
	ck_assert_int_eq(ask(reg, el, read).outcome, SYSREG_UNDEFINED)
#define assert_trap(reg, el, read, to, why) \
	do { \
		struct sysreg_decision d_ = ask(reg, el, read); \
		ck_assert_int_eq(d_.outcome, SYSREG_TRAPPED); \
		ck_assert_str_eq(d_.control, why); \
		ck_assert_uint_eq(d_.target_el, to); \
		ck_assert_uint_eq(d_.ec, 0x18); \
	} while (0)

// ---- competition --------------------------------------------------------------------------------

START_TEST(tcr2_goes_through_four_controls)
{
	pe->sr[SR_HCR_EL2] |= HCR_TVM;
	pe->sr[SR_HFGWTR_EL2] |= BIT(32); // TCR_EL1
	pe->sr[SR_HCRX_EL2] = 0;
	pe->sr[SR_SCR_EL3] &= ~BIT(43); // TCR2En
	assert_trap(SR_TCR2_EL1, 1, WRITE, 2, "HFGWTR_EL2.TCR_EL1");
	assert_trap(SR_TCR2_EL1, 1, READ, 2, "HCRX_EL2.TCR2En");
	pe->sr[SR_HFGWTR_EL2] = 0;
	assert_trap(SR_TCR2_EL1, 1, WRITE, 2, "HCR_EL2.TVM");
	pe->sr[SR_HCR_EL2] &= ~HCR_TVM;
	assert_trap(SR_TCR2_EL1, 1, WRITE, 2, "HCRX_EL2.TCR2En");
	pe->sr[SR_HCRX_EL2] = BIT(14);
	assert_trap(SR_TCR2_EL1, 1, WRITE, 3, "SCR_EL3.TCR2En");
	assert_trap(SR_TCR2_EL2, 2, READ, 3, "SCR_EL3.TCR2En");
	assert_ok(SR_TCR2_EL1, 3, WRITE);
	pe->sr[SR_SCR_EL3] |= BIT(43);
	assert_ok(SR_TCR2_EL1, 1, WRITE);
}
END_TEST

START_TEST(hcrx_is_zero_while_el3_keeps_it)
{
	assert_ok(SR_SCTLR2_EL1, 1, READ);
	assert_ok(SR_HCRX_EL2, 2, WRITE);
	pe->sr[SR_SCR_EL3] &= ~SCR_HXEN;
	assert_trap(SR_SCTLR2_EL1, 1, READ, 2, "HCRX_EL2.SCTLR2En");
	assert_trap(SR_HCRX_EL2, 2, WRITE, 3, "SCR_EL3.HXEn");
	assert_ok(SR_HCRX_EL2, 3, WRITE);
	// Bits that trap while they are 1 trap nothing then.
	pe->sr[SR_HCRX_EL2] |= BIT(6); // TALLINT
	assert_ok(SR_ALLINT, 1, WRITE);
	pe->sr[SR_SCR_EL3] |= SCR_HXEN;
	assert_trap(SR_ALLINT, 1, WRITE, 2, "HCRX_EL2.TALLINT");
	assert_ok(SR_ALLINT, 1, READ);
	assert_ok(SR_ALLINT, 2, WRITE);
	// Secure state without Secure EL2: no HCRX_EL2.
	pe->sr[SR_SCR_EL3] &= ~BIT(0);
	assert_ok(SR_ALLINT, 1, WRITE);
	pe->sr[SR_HCRX_EL2] = 0;
	assert_ok(SR_SCTLR2_EL1, 1, READ);
}
END_TEST

START_TEST(por_el0_has_controls_of_every_level)
{
	assert_trap(SR_POR_EL0, 0, READ, 1, "CPACR_EL1.E0POE");
	pe->sr[SR_CPACR_EL1] |= BIT(29);
	assert_ok(SR_POR_EL0, 0, READ);
	pe->sr[SR_HCR_EL2] |= BIT(30); // TRVM, of EL0 too
	assert_trap(SR_POR_EL0, 0, READ, 2, "HCR_EL2.TRVM");
	assert_ok(SR_POR_EL0, 0, WRITE);
	pe->sr[SR_HCR_EL2] &= ~BIT(30);
	pe->sr[SR_HFGWTR_EL2] &= ~BIT(59); // nPOR_EL0
	assert_trap(SR_POR_EL0, 0, WRITE, 2, "HFGWTR_EL2.nPOR_EL0");
	assert_trap(SR_POR_EL0, 1, WRITE, 2, "HFGWTR_EL2.nPOR_EL0");
	pe->sr[SR_SCR_EL3] &= ~BIT(45); // PIEn
	assert_trap(SR_POR_EL0, 0, READ, 3, "SCR_EL3.PIEn");
	assert_trap(SR_POR_EL0, 0, WRITE, 2, "HFGWTR_EL2.nPOR_EL0");
	pe->sr[SR_HCR_EL2] |= HCR_E2H | HCR_TGE | BIT(30);
	assert_trap(SR_POR_EL0, 0, WRITE, 2, "CPTR_EL2.E0POE");
	pe->sr[SR_CPTR_EL2] |= BIT(29);
	assert_trap(SR_POR_EL0, 0, READ, 3, "SCR_EL3.PIEn");
}
END_TEST

START_TEST(permission_indirection_registers)
{
	ck_assert_int_eq(ask(SR_PIR_EL1, 2, READ).reg, SR_PIR_EL1);
	pe->sr[SR_HFGRTR_EL2] &= ~BIT(58);
	assert_trap(SR_PIR_EL1, 1, READ, 2, "HFGRTR_EL2.nPIR_EL1");
	assert_ok(SR_PIR_EL1, 1, WRITE);
	assert_ok(SR_PIRE0_EL1, 1, READ);
	pe->sr[SR_HCR_EL2] |= HCR_TVM;
	assert_trap(SR_PIRE0_EL1, 1, WRITE, 2, "HCR_EL2.TVM");
	assert_trap(SR_S2POR_EL1, 1, WRITE, 2, "HCR_EL2.TVM");
	pe->sr[SR_SCR_EL3] &= ~BIT(45);
	assert_trap(SR_S2PIR_EL2, 2, READ, 3, "SCR_EL3.PIEn");
	assert_trap(SR_PIR_EL2, 2, READ, 3, "SCR_EL3.PIEn");
	assert_ok(SR_PIR_EL3, 3, READ);
	assert_undefined(SR_PIR_EL12, 2, READ);
	pe->sr[SR_HCR_EL2] |= HCR_E2H;
	assert_trap(SR_PIR_EL12, 2, READ, 3, "SCR_EL3.PIEn");
	pe->sr[SR_SCR_EL3] |= BIT(45);
	ck_assert_int_eq(ask(SR_PIR_EL12, 2, READ).reg, SR_PIR_EL1);
	ck_assert_int_eq(ask(SR_PIR_EL1, 2, READ).reg, SR_PIR_EL2);
	ck_assert_int_eq(ask(SR_TFSR_EL1, 2, READ).reg, SR_TFSR_EL2);
	ck_assert_int_eq(ask(SR_POR_EL1, 2, READ).reg, SR_POR_EL2);
	ck_assert_int_eq(ask(SR_SCTLR2_EL1, 2, READ).reg, SR_SCTLR2_EL2);
}
END_TEST

START_TEST(tag_registers)
{
	assert_ok(SR_GCR_EL1, 1, READ);
	assert_undefined(SR_GCR_EL1, 0, READ);
	assert_ok(SR_TCO, 0, WRITE);
	pe->sr[SR_SCR_EL3] &= ~BIT(26); // ATA
	assert_trap(SR_RGSR_EL1, 1, WRITE, 3, "SCR_EL3.ATA");
	assert_trap(SR_TFSR_EL2, 2, READ, 3, "SCR_EL3.ATA");
	assert_ok(SR_TFSR_EL3, 3, READ);
	pe->sr[SR_HCR_EL2] &= ~BIT(56);
	assert_trap(SR_TFSRE0_EL1, 1, READ, 2, "HCR_EL2.ATA");
	assert_trap(SR_TFSRE0_EL1, 2, READ, 3, "SCR_EL3.ATA");
	assert_ok(SR_TCO, 1, WRITE);
	assert_ok(SR_GMID_EL1, 1, READ);
	assert_trap(SR_GMID_EL1, 0, READ, 1, "FEAT_IDST");
	pe->sr[SR_HCR_EL2] |= BIT(58); // TID5
	assert_trap(SR_GMID_EL1, 1, READ, 2, "HCR_EL2.TID5");
	// Tag maintenance follows the controls of the maintenance by its side.
	pe->sr[SR_HCR_EL2] |= BIT(22);
	assert_trap(SR_DC_CIGDSW, 1, WRITE, 2, "HCR_EL2.TSW");
	pe->sr[SR_HFGITR_EL2] = BIT(6);
	assert_trap(SR_DC_CIGDSW, 1, WRITE, 2, "HFGITR_EL2.DCCISW");
	assert_trap(SR_DC_GZVA, 0, WRITE, 1, "SCTLR_EL1.DZE");
	assert_trap(SR_DC_CGVAP, 0, WRITE, 1, "SCTLR_EL1.UCI");
}
END_TEST

START_TEST(activity_monitors)
{
	assert_trap(SR_AMEVCNTR00_EL0, 0, READ, 1, "AMUSERENR_EL0.EN");
	assert_ok(SR_AMUSERENR_EL0, 0, READ);
	assert_undefined(SR_AMUSERENR_EL0, 0, WRITE);
	pe->sr[SR_AMUSERENR_EL0] = 1;
	assert_ok(SR_AMEVCNTR00_EL0, 0, READ);
	// Counters are written from the highest level only.
	assert_undefined(SR_AMEVCNTR00_EL0, 0, WRITE);
	assert_undefined(SR_AMEVCNTR00_EL0, 2, WRITE);
	assert_ok(SR_AMEVCNTR00_EL0, 3, WRITE);
	pe->sr[SR_HAFGRTR_EL2] = BIT(1);
	assert_trap(SR_AMEVCNTR00_EL0, 1, READ, 2, "HAFGRTR_EL2.AMEVCNTR00_EL0");
	assert_ok(SR_AMEVCNTR01_EL0, 1, READ);
	pe->sr[SR_HAFGRTR_EL2] = 1;
	assert_trap(SR_AMCNTENSET0_EL0, 0, READ, 2, "HAFGRTR_EL2.AMCNTEN0");
	pe->sr[SR_CPTR_EL2] |= BIT(30); // TAM
	assert_trap(SR_AMCFGR_EL0, 0, READ, 2, "CPTR_EL2.TAM");
	assert_ok(SR_AMCFGR_EL0, 2, READ);
	pe->sr[SR_CPTR_EL3] |= BIT(30);
	assert_trap(SR_AMCFGR_EL0, 2, READ, 3, "CPTR_EL3.TAM");
	pe->sr[SR_CPTR_EL2] &= ~BIT(30);
	assert_trap(SR_AMCFGR_EL0, 1, READ, 3, "CPTR_EL3.TAM");
	pe->sr[SR_SCR_EL3] &= ~BIT(35); // AMVOFFEN
	pe->sr[SR_CPTR_EL3] = 0;
	assert_trap(SR_AMEVCNTVOFF00_EL2, 2, READ, 3, "SCR_EL3.AMVOFFEN");
}
END_TEST

START_TEST(timer_controls_of_ecv)
{
	pe->sr[SR_CNTKCTL_EL1] = MASK(9, 8) | 3;
	pe->sr[SR_CNTHCTL_EL2] |= BIT(13); // EL1TVT
	assert_trap(SR_CNTV_CTL_EL0, 1, WRITE, 2, "CNTHCTL_EL2.EL1TVT");
	assert_trap(SR_CNTV_TVAL_EL0, 0, READ, 2, "CNTHCTL_EL2.EL1TVT");
	assert_ok(SR_CNTVCT_EL0, 1, READ);
	pe->sr[SR_CNTHCTL_EL2] = 3 | BIT(14); // EL1TVCT
	assert_trap(SR_CNTVCT_EL0, 0, READ, 2, "CNTHCTL_EL2.EL1TVCT");
	assert_trap(SR_CNTVCTSS_EL0, 1, READ, 2, "CNTHCTL_EL2.EL1TVCT");
	assert_ok(SR_CNTVCT_EL0, 2, READ);
	pe->sr[SR_CNTKCTL_EL1] = 0;
	assert_trap(SR_CNTVCT_EL0, 0, READ, 1, "CNTKCTL_EL1.EL0VCTEN");
	// A host's EL0 has its own controls.
	pe->sr[SR_HCR_EL2] |= HCR_E2H | HCR_TGE;
	assert_ok(SR_CNTVCT_EL0, 0, READ);
	pe->sr[SR_HCR_EL2] &= ~(HCR_E2H | HCR_TGE);
	pe->sr[SR_CNTHCTL_EL2] = 0;
	assert_trap(SR_CNTPCTSS_EL0, 1, READ, 2, "CNTHCTL_EL2.EL1PCTEN");
	assert_ok(SR_CNTPOFF_EL2, 2, WRITE);
	pe->sr[SR_SCR_EL3] &= ~BIT(28);
	assert_trap(SR_CNTPOFF_EL2, 2, WRITE, 3, "SCR_EL3.ECVEn");
}
END_TEST

START_TEST(random_numbers_and_accelerator_data)
{
	assert_ok(SR_RNDR, 0, READ);
	pe->sr[SR_SCR_EL3] |= BIT(40); // TRNDR, of EL3 itself too
	assert_trap(SR_RNDR, 0, READ, 3, "SCR_EL3.TRNDR");
	assert_trap(SR_RNDRRS, 3, READ, 3, "SCR_EL3.TRNDR");
	assert_ok(SR_ACCDATA_EL1, 1, READ);
	pe->sr[SR_SCR_EL3] &= ~BIT(37); // ADEn
	assert_trap(SR_ACCDATA_EL1, 1, READ, 3, "SCR_EL3.ADEn");
	assert_trap(SR_ACCDATA_EL1, 2, READ, 3, "SCR_EL3.ADEn");
	pe->sr[SR_HFGRTR_EL2] &= ~BIT(50);
	assert_trap(SR_ACCDATA_EL1, 1, READ, 2, "HFGRTR_EL2.nACCDATA_EL1");
	assert_undefined(SR_ACCDATA_EL1, 0, READ);
	// Fields that trap while they are 0 trap nothing while fine-grained traps are off.
	pe->sr[SR_SCR_EL3] = (pe->sr[SR_SCR_EL3] | BIT(37)) & ~SCR_FGTEN;
	assert_ok(SR_ACCDATA_EL1, 1, READ);
}
END_TEST

START_TEST(debug_communication_channel)
{
	pe->sr[SR_MDCR_EL3] |= BIT(27);
	assert_trap(SR_MDCCINT_EL1, 1, READ, 3, "MDCR_EL3.TDCC");
	assert_trap(SR_MDCCSR_EL0, 0, READ, 3, "MDCR_EL3.TDCC");
	assert_trap(SR_OSDTRTX_EL1, 2, WRITE, 3, "MDCR_EL3.TDCC");
	assert_ok(SR_MDSCR_EL1, 1, READ);
	pe->sr[SR_MDCR_EL2] |= BIT(27);
	assert_trap(SR_DBGDTR_EL0, 0, WRITE, 2, "MDCR_EL2.TDCC");
	assert_trap(SR_OSDTRRX_EL1, 1, READ, 2, "MDCR_EL2.TDCC");
	pe->sr[SR_MDSCR_EL1] |= BIT(12);
	assert_trap(SR_DBGDTR_EL0, 0, WRITE, 1, "MDSCR_EL1.TDCC");
}
END_TEST

START_TEST(implementation_defined_encodings)
{
	uint16_t reg = SYSREG_ENC(3, 3, 15, 2, 1);
	uint16_t sys = SYSREG_ENC(1, 0, 11, 0, 0);
	struct sysreg_decision d;

	pe->el = 0;
	ck_assert_int_eq(sysreg_permitted(pe, reg, true, 0).outcome, SYSREG_UNDEFINED);
	pe->sr[SR_HCR_EL2] |= BIT(20);
	d = sysreg_permitted(pe, sys, false, 0);
	ck_assert_str_eq(d.control, "HCR_EL2.TIDCP");
	ck_assert_uint_eq(d.target_el, 2);
	pe->sr[SR_SCTLR_EL1] |= BIT(63);
	d = sysreg_permitted(pe, reg, true, 0);
	ck_assert_str_eq(d.control, "SCTLR_EL1.TIDCP");
	ck_assert_uint_eq(d.target_el, 1);
	ck_assert_uint_eq(d.ec, 0x18);
	pe->sr[SR_HCR_EL2] |= HCR_TGE;
	ck_assert_uint_eq(sysreg_permitted(pe, reg, true, 0).target_el, 2);
	pe->sr[SR_HCR_EL2] |= HCR_E2H;
	ck_assert_int_eq(sysreg_permitted(pe, reg, true, 0).outcome, SYSREG_UNDEFINED);
	pe->sr[SR_SCTLR_EL2] |= BIT(63);
	d = sysreg_permitted(pe, reg, true, 0);
	ck_assert_str_eq(d.control, "SCTLR_EL2.TIDCP");
	pe->el = 1;
	pe->sr[SR_HCR_EL2] &= ~(HCR_TGE | BIT(20));
	ck_assert_int_eq(sysreg_permitted(pe, reg, true, 0).outcome, SYSREG_UNDEFINED);
}
END_TEST

START_TEST(event_counters_of_el2)
{
	pe->sr[SR_PMUSERENR_EL0] = 1;
	pe->sr[SR_MDCR_EL2] = (pe->sr[SR_MDCR_EL2] & ~UINT64_C(31)) | 3;
	assert_ok(SR_PMEVCNTR2_EL0, 1, READ);
	assert_trap(SR_PMEVCNTR3_EL0, 1, READ, 2, "MDCR_EL2.HPMN");
	assert_trap(SR_PMEVTYPER5_EL0, 0, WRITE, 2, "MDCR_EL2.HPMN");
	assert_ok(SR_PMEVCNTR3_EL0, 2, READ);
	assert_undefined(SR_PMEVCNTR6_EL0, 1, READ); // six counters
	pe->sr[SR_HDFGRTR_EL2] = BIT(12);
	assert_trap(SR_PMEVCNTR3_EL0, 1, READ, 2, "HDFGRTR_EL2.PMEVCNTRn_EL0");
	pe->sr[SR_PMUSERENR_EL0] = 0;
	assert_trap(SR_PMEVCNTR3_EL0, 0, READ, 1, "PMUSERENR_EL0.{EN,ER}");
	pe->sr[SR_MDCR_EL3] |= BIT(6);
	assert_trap(SR_PMEVCNTR2_EL0, 2, READ, 3, "MDCR_EL3.TPM");
}
END_TEST

START_TEST(instructions_with_fields)
{
	pe->el = 1;
	ck_assert_ptr_null(sysreg_traps_eret(pe));
	pe->sr[SR_HFGITR_EL2] = BIT(51) | BIT(52);
	ck_assert_str_eq(sysreg_traps_eret(pe), "HFGITR_EL2.ERET");
	ck_assert_ptr_null(sysreg_traps_svc(pe));
	pe->el = 0;
	ck_assert_str_eq(sysreg_traps_svc(pe), "HFGITR_EL2.SVC_EL0");
	pe->el = 2;
	ck_assert_ptr_null(sysreg_traps_eret(pe));
	ck_assert_ptr_null(sysreg_traps_svc(pe));
	pe->el = 1;
	pe->sr[SR_SCR_EL3] &= ~SCR_FGTEN;
	ck_assert_ptr_null(sysreg_traps_eret(pe));
}
END_TEST

// ---- absent features ----------------------------------------------------------------------------

START_TEST(without_their_feature_registers_do_not_exist)
{
	static const enum sysreg regs[] = {
		SR_HFGRTR_EL2,
		SR_HAFGRTR_EL2,
		SR_HCRX_EL2,
		SR_CNTPOFF_EL2,
		SR_VNCR_EL2,
		SR_TFSR_EL2,
		SR_TCR2_EL2,
		SR_SCTLR2_EL1,
		SR_PIR_EL1,
		SR_POR_EL0,
		SR_S2PIR_EL2,
		SR_GMID_EL1,
		SR_TCO,
		SR_ALLINT,
		SR_ACCDATA_EL1,
		SR_AMCR_EL0,
		SR_ICC_NMIAR1_EL1,
		SR_CNTPCTSS_EL0,
		SR_AMEVTYPER10_EL0,
	};

	remake("neoverse-n1", true, true);
	for (size_t i = 0; i < sizeof(regs) / sizeof(regs[0]); i++) {
		assert_undefined(regs[i], 2, READ);
	}
	ck_assert_uint_eq(model->writable[SR_SCR_EL3] & (SCR_FGTEN | SCR_HXEN | BIT(40)), 0);
	ck_assert_uint_eq(model->writable[SR_HCR_EL2] & (MASK(45, 42) | BIT(56) | BIT(58)), 0);
	ck_assert_uint_eq(model->writable[SR_MDCR_EL2] & BIT(27), 0);
	ck_assert_uint_eq(model->writable[SR_SCTLR_EL1] & BIT(63), 0);
	// Their controls are no part of any list.
	pe->sr[SR_HFGITR_EL2] = ~UINT64_C(0);
	pe->sr[SR_SCR_EL3] |= SCR_FGTEN;
	assert_ok(SR_TLBI_VMALLE1, 1, WRITE);
}
END_TEST

START_TEST(without_el2_there_is_no_fine_grained_trap)
{
	remake("max", false, true);
	assert_undefined(SR_HFGRTR_EL2, 3, READ);
	pe->sr[SR_HFGRTR_EL2] = ~UINT64_C(0);
	assert_ok(SR_SCTLR_EL1, 1, READ);
}
END_TEST

START_TEST(without_el3_fine_grained_traps_need_no_leave)
{
	remake("max", true, false);
	assert_ok(SR_HFGRTR_EL2, 2, READ);
	assert_ok(SR_HCRX_EL2, 2, READ);
	pe->sr[SR_HFGRTR_EL2] |= BIT(29);
	assert_trap(SR_SCTLR_EL1, 1, READ, 2, "HFGRTR_EL2.SCTLR_EL1");
}
END_TEST

// ---- the list of controls -----------------------------------------------------------------------

START_TEST(the_list_of_a_register_is_in_order)
{
	static const char *const names[] = {"HFGWTR_EL2.TCR_EL1", "HCR_EL2.TVM", "HCRX_EL2.TCR2En",
					    "SCR_EL3.TCR2En"};
	struct sysreg_chain chain;
	struct sysreg_control c;
	size_t n = 0;

	pe->el = 1;
	sysreg_chain_begin(&chain, pe, sysreg_rows[SR_TCR2_EL1].enc, false);
	while (n < 4 && sysreg_chain_next(&chain, &c)) {
		ck_assert_str_eq(c.name, names[n++]);
		ck_assert(c.involved);
		ck_assert(!c.holds);
		ck_assert_int_eq(c.outcome, SYSREG_TRAPPED);
	}
	ck_assert_uint_eq(n, 4);
	ck_assert_int_eq(c.reg, SR_SCR_EL3);
	ck_assert_uint_eq(c.mask, BIT(43));
	ck_assert_int_eq(c.test, SYSREG_CLEAR);
	ck_assert_uint_eq(c.from, 6); // EL1, EL2
	ck_assert_uint_eq(c.target_el, 3);
	ck_assert_uint_eq(c.ec, 0x18);
	// At last, in memory for a guest hypervisor.
	ck_assert(sysreg_chain_next(&chain, &c));
	ck_assert_str_eq(c.name, "HCR_EL2.NV2");
	ck_assert_int_eq(c.outcome, SYSREG_IN_MEMORY);
	ck_assert_uint_eq(c.vncr, 0x270);
	ck_assert_uint_eq(c.mask, MASK(43, 42) | BIT(45));
	ck_assert(!c.holds);
	ck_assert(!sysreg_chain_next(&chain, &c));
}
END_TEST

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void random_controls(uint64_t *seed)
{
	static const enum sysreg regs[] = {
		SR_SCTLR_EL1,   SR_SCTLR_EL2,   SR_HCR_EL2,     SR_HCRX_EL2,      SR_SCR_EL3,
		SR_CPACR_EL1,   SR_CPTR_EL2,    SR_CPTR_EL3,    SR_MDCR_EL2,      SR_MDCR_EL3,
		SR_CNTKCTL_EL1, SR_CNTHCTL_EL2, SR_HFGRTR_EL2,  SR_HFGWTR_EL2,    SR_HFGITR_EL2,
		SR_HDFGRTR_EL2, SR_HDFGWTR_EL2, SR_HAFGRTR_EL2, SR_MDSCR_EL1,     SR_PMUSERENR_EL0,
		SR_ICH_HCR_EL2, SR_ICC_SRE_EL2, SR_ICC_SRE_EL3, SR_AMUSERENR_EL0,
	};

	for (size_t i = 0; i < sizeof(regs) / sizeof(regs[0]); i++) {
		uint64_t value = next_random(seed);

		value |= next_random(seed) & 1 ? next_random(seed) : 0;
		value &= next_random(seed) & 1 ? next_random(seed) : ~UINT64_C(0);
		sysreg_write(pe, regs[i], value);
	}
	pe->sp_sel = next_random(seed) & 1;
}

// The decision is the first control of the list that is involved and holds; what it traps goes to
// the level that the control names, never downwards, and the controls' levels rise.
START_TEST(the_decision_is_the_first_that_holds)
{
	uint64_t seed = 0x9e3779b97f4a7c15;

	for (unsigned round = 0; round < 60; round++) {
		random_controls(&seed);
		for (unsigned n = 0; n < 4 * SYSREG_COUNT; n++) {
			uint16_t enc = sysreg_rows[n / 4].enc;
			bool read = next_random(&seed) & 1;
			struct sysreg_decision d;
			struct sysreg_chain chain;
			struct sysreg_control c;
			unsigned level = 0;
			bool decided = false;

			pe->el = (uint8_t)(n % 4);
			d = sysreg_permitted(pe, enc, read, 0);
			sysreg_chain_begin(&chain, pe, enc, read);
			while (sysreg_chain_next(&chain, &c)) {
				if (c.outcome == SYSREG_TRAPPED && c.reg != SYSREG_NONE) {
					unsigned to =
						c.target_el == 2 && level == 0 ? 1 : c.target_el;

					ck_assert_uint_ge(to, level);
					level = c.target_el == 3 ? 3 : level;
					ck_assert_ptr_nonnull(c.name);
				}
				if (decided || !c.involved || !c.holds) {
					continue;
				}
				decided = true;
				ck_assert_int_eq(d.outcome, c.outcome);
				if (c.outcome == SYSREG_TRAPPED) {
					ck_assert_ptr_eq(d.control, c.name);
					ck_assert_uint_eq(d.target_el, c.target_el);
					ck_assert_uint_eq(d.ec, c.ec);
					ck_assert_uint_ge(d.target_el, pe->el);
				}
			}
			if (!decided) {
				ck_assert_int_eq(d.outcome, SYSREG_PERMITTED);
			}
		}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("permit");
	TCase *tcase = tcase_create("permit");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, drop_pe);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, tcr2_goes_through_four_controls);
	tcase_add_test(tcase, hcrx_is_zero_while_el3_keeps_it);
	tcase_add_test(tcase, por_el0_has_controls_of_every_level);
	tcase_add_test(tcase, permission_indirection_registers);
	tcase_add_test(tcase, tag_registers);
	tcase_add_test(tcase, activity_monitors);
	tcase_add_test(tcase, timer_controls_of_ecv);
	tcase_add_test(tcase, random_numbers_and_accelerator_data);
	tcase_add_test(tcase, debug_communication_channel);
	tcase_add_test(tcase, implementation_defined_encodings);
	tcase_add_test(tcase, event_counters_of_el2);
	tcase_add_test(tcase, instructions_with_fields);
	tcase_add_test(tcase, without_their_feature_registers_do_not_exist);
	tcase_add_test(tcase, without_el2_there_is_no_fine_grained_trap);
	tcase_add_test(tcase, without_el3_fine_grained_traps_need_no_leave);
	tcase_add_test(tcase, the_list_of_a_register_is_in_order);
	tcase_add_test(tcase, the_decision_is_the_first_that_holds);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
