// SPDX-License-Identifier: Apache-2.0
//
// nmi.c - FEAT_NMI: PSTATE.ALLINT, SCTLR_ELx.{NMI, SPINTMASK}, HCRX_EL2.{TALLINT, VINMI, VFNMI},
// and which interrupts they mask (Arm ARM D1.3.6). FEAT_GICv3_NMI: the non-maskable property, its
// priority, ICC_NMIAR1_EL1 and the NMI bits of the active and running priorities (IHI 0069H).

#include "emit.h"
#include "gic.h"

#define NEEDS_NMI SKIP_UNLESS(id_field(read_sysreg(id_aa64pfr1_el1), 36) >= 1, "no FEAT_NMI")
#define NEEDS_GIC_NMI SKIP_UNLESS(has_gic_nmi(), "no FEAT_GICv3_NMI")

#define SPSR_ALLINT BIT(13)
#define SCTLR_NMI BIT(61)
#define SCTLR_SPINTMASK BIT(62)
#define SCR_HXEN BIT(38)
#define HCRX_TALLINT BIT(6)
#define HCRX_VINMI BIT(7)
#define HCRX_VFNMI BIT(8)
#define ISR_IS BIT(10)
#define ISR_FS BIT(9)
#define ISR_I BIT(7)
#define ISR_F BIT(6)
#define NMI BIT(63) // of AP1R0 and RPR
#define NMI_NS BIT(62) // of RPR

#define allint S3_0_C4_C3_0
#define hcrx_el2 S3_4_C1_C2_2
#define icc_nmiar1_el1 S3_0_C12_C9_5
#define icc_ap1r0_el1 S3_0_C12_C9_0
#define icc_rpr_el1 S3_0_C12_C11_3
#define icc_pmr_el1 S3_0_C4_C6_0
#define ich_ap1r0_el2 S3_4_C12_C9_0
#define ich_hcr_el2 S3_4_C12_C11_0
#define ich_vmcr_el2 S3_4_C12_C11_7
#define ich_lr0_el2 S3_4_C12_C12_0
#define ich_lr1_el2 S3_4_C12_C12_1

#define INTID_NMI 1022
#define SGI 3
#define OTHER_SGI 5

static const struct sysreg allint_row = SYSREG(allint, 3, 0, 4, 3, 0);

// MSR ALLINT, #imm.
SNIPPET(set_allint, ".inst 0xd501411f");
SNIPPET(clear_allint, ".inst 0xd501401f");
SNIPPET(allint_2, ".inst 0xd501421f");
SNIPPET(set_and_read, ".inst 0xd501411f\n\tmrs x0, S3_0_C4_C3_0\n\t.inst 0xd501401f\n\t"
		      "mrs x1, S3_0_C4_C3_0");
SNIPPET(write_and_read, "msr S3_0_C4_C3_0, x0\n\tmrs x0, S3_0_C4_C3_0\n\tmrs x1, daif");
SNIPPET(read_allint, "mrs x0, S3_0_C4_C3_0");
SNIPPET(svc, "svc #7");
SNIPPET(smc, "smc #7");
SNIPPET(window, "nop\n\tisb\n\tnop\n\tnop");
SNIPPET(spin, "1: b 1b");
SNIPPET(read_isr, "isb\n\tmrs x0, isr_el1");
SNIPPET(unmask_allint, ".inst 0xd501401f\n\tisb\n\tnop\n\tnop");
SNIPPET(use_sp_el0, "msr spsel, #0\n\tisb\n\tnop\n\tnop");
SNIPPET(wfi_once, "wfi\n\tmov x9, #1");
SNIPPET(ack1, "mrs x0, icc_iar1_el1\n\tisb");
SNIPPET(ack_nmi, "mrs x0, S3_0_C12_C9_5\n\tisb\n\tmrs x1, icc_rpr_el1\n\tmrs x2, S3_0_C12_C9_0");
SNIPPET(end1, "msr icc_eoir1_el1, x0\n\tisb\n\tmrs x1, icc_rpr_el1\n\tmrs x2, S3_0_C12_C9_0");

static volatile uint32_t *const inmir0 = (volatile uint32_t *)0x080b0f80;
static volatile uint32_t *const gicd_typer = (volatile uint32_t *)0x08000004;

static bool has_gic_nmi(void)
{
	return *gicd_typer >> 9 & 1;
}

static void nmi_property(unsigned intid, bool nmi)
{
	*inmir0 = nmi ? *inmir0 | 1u << intid : *inmir0 & ~(1u << intid);
	dsb_isb();
}

// A pending SGI of a group, with the non-maskable property or without.
static void pend(unsigned intid, enum gic_group group, unsigned priority, bool nmi)
{
	gic_enable(intid, group, priority);
	nmi_property(intid, nmi);
	gic_set_pending(intid, true);
}

static void pend_nmi(enum gic_group group)
{
	gic_init();
	pend(SGI, group, 0xa0, true);
}

static void pend_plain(enum gic_group group)
{
	gic_init();
	pend(SGI, group, 0xa0, false);
}

// SCTLR_EL1 to EL3 with NMI, and SPINTMASK perhaps.
static void nmi_on(uint64_t more)
{
	write_sysreg(sctlr_el1, SCTLR_EL1_BASE | SCTLR_NMI | more);
	write_sysreg(sctlr_el2, SCTLR_EL2_BASE | SCTLR_NMI | more);
}

static void hcrx(uint64_t value)
{
	write_sysreg(scr_el3, read_sysreg(scr_el3) | SCR_HXEN);
	write_sysreg(hcrx_el2, value);
}

// ---- PSTATE.ALLINT ------------------------------------------------------------------------------

TEST(allint_is_bit_13_and_leaves_daif)
{
	NEEDS_NMI;
	for (enum el el = EL1; el <= EL3; el++) {
		struct exc e = run_at(el, write_and_read, ~0ul);

		EXPECT_NO_EXC(e);
		EXPECT_REG(e, 0, SPSR_ALLINT);
		EXPECT_REG(e, 1, SPSR_DAIF);
		e = run_at_spsr(guest_spsr(el) | SPSR_ALLINT, write_and_read, 0);
		EXPECT_REG(e, 0, 0);
	}
}

TEST(allint_is_not_for_el0)
{
	NEEDS_NMI;
	EXPECT_UNDEFINED(EL0, READ, allint_row, EL1);
	EXPECT_UNDEFINED(EL0, WRITE, allint_row, EL1);
	struct exc e = run_at(EL0, set_allint);

	EXPECT_EXC(e, EL1, EC_UNKNOWN, 0);
	e = run_at(EL0, clear_allint);
	EXPECT_EXC(e, EL1, EC_UNKNOWN, 0);
}

TEST(msr_allint_immediate)
{
	NEEDS_NMI;
	for (enum el el = EL1; el <= EL3; el++) {
		struct exc e = run_at(el, set_and_read);

		EXPECT_NO_EXC(e);
		EXPECT_REG(e, 0, SPSR_ALLINT);
		EXPECT_REG(e, 1, 0);
	}
	// CRm<3:1> other than 0 is not allocated.
	struct exc e = run_at(EL1, allint_2);

	EXPECT_EXC(e, EL1, EC_UNKNOWN, 0);
}

TEST(spsr_restores_and_saves_allint)
{
	NEEDS_NMI;
	struct exc e = run_at_spsr(guest_spsr(EL1) | SPSR_ALLINT, read_allint);

	EXPECT_REG(e, 0, SPSR_ALLINT);
	e = run_at_spsr(guest_spsr(EL1) | SPSR_ALLINT, svc);
	EXPECT_EXC(e, EL1, EC_SVC, 7);
	EXPECT_MASKED(e.spsr, SPSR_ALLINT, SPSR_ALLINT);
	e = run_at(EL1, svc);
	EXPECT_MASKED(e.spsr, SPSR_ALLINT, 0);
	// EL0 may have it, too; it means nothing there.
	e = run_at_spsr(guest_spsr(EL0) | SPSR_ALLINT, svc);
	EXPECT_MASKED(e.spsr, SPSR_ALLINT, SPSR_ALLINT);
}

// Whatever SCTLR_ELx.NMI is, exceptions set ALLINT to the inverse of the target's SPINTMASK.
TEST(exception_entry_sets_allint)
{
	NEEDS_NMI;
	for (unsigned i = 0; i < 4; i++) {
		uint64_t sctlr = (i & 1 ? SCTLR_NMI : 0) | (i & 2 ? SCTLR_SPINTMASK : 0);
		uint64_t set = i & 2 ? 0 : SPSR_ALLINT;

		write_sysreg(sctlr_el1, SCTLR_EL1_BASE | sctlr);
		write_sysreg(sctlr_el2, SCTLR_EL2_BASE);
		struct exc e = run_at(EL0, svc);

		EXPECT_EXC(e, EL1, EC_SVC, 7);
		EXPECT_MASKED(e.pstate, SPSR_ALLINT | SPSR_DAIF, set | SPSR_DAIF);
		write_sysreg(sctlr_el1, SCTLR_EL1_BASE);
		write_sysreg(sctlr_el2, SCTLR_EL2_BASE | sctlr);
		write_sysreg(hcr_el2, HCR_BASE | HCR_TSC);
		e = run_at_spsr(guest_spsr(EL1) | SPSR_ALLINT, smc);
		EXPECT_EXC(e, EL2, EC_SMC, 7);
		EXPECT_MASKED(e.pstate, SPSR_ALLINT, set);
		write_sysreg(hcr_el2, HCR_BASE);
	}
}

TEST(sctlr_fields_can_be_written)
{
	const uint64_t both = SCTLR_NMI | SCTLR_SPINTMASK;

	NEEDS_NMI;
	write_sysreg(sctlr_el1, SCTLR_EL1_BASE | both);
	EXPECT_MASKED(read_sysreg(sctlr_el1), both, both);
	write_sysreg(sctlr_el2, SCTLR_EL2_BASE | both);
	EXPECT_MASKED(read_sysreg(sctlr_el2), both, both);
	write_sysreg(sctlr_el3, SCTLR_EL3_BASE | both);
	EXPECT_MASKED(read_sysreg(sctlr_el3), both, both);
	write_sysreg(sctlr_el3, SCTLR_EL3_BASE);
}

// ---- HCRX_EL2.TALLINT ---------------------------------------------------------------------------

TEST(tallint_traps_writes_of_el1)
{
	NEEDS_NMI;
	hcrx(HCRX_TALLINT);
	EXPECT_TRAP(EL1, WRITE, allint_row, EL2);
	EXPECT_ACCESS(EL1, READ, allint_row);
	EXPECT_ACCESS(EL2, WRITE, allint_row);
	EXPECT_UNDEFINED(EL0, WRITE, allint_row, EL1);
	struct exc e = run_at(EL1, set_allint);

	EXPECT_EXC(e, EL2, EC_SYSREG, ISS_SYSREG_WRITE(0, 1, 4, 1, 0, 31));
	// Clearing by the immediate form is not trapped.
	e = run_at(EL1, clear_allint);
	EXPECT_NO_EXC(e);
	e = run_at(EL2, set_allint);
	EXPECT_NO_EXC(e);
}

TEST(tallint_needs_hxen)
{
	NEEDS_NMI;
	hcrx(HCRX_TALLINT);
	write_sysreg(scr_el3, SCR_BASE);
	EXPECT_ACCESS(EL1, WRITE, allint_row);
	struct exc e = run_at(EL1, set_allint);

	EXPECT_NO_EXC(e);
	hcrx(0);
}

// ---- Masks: physical interrupts -----------------------------------------------------------------

TEST(without_sctlr_nmi_an_nmi_is_an_interrupt_like_others)
{
	NEEDS_GIC_NMI;
	pend_nmi(GIC_G1NS);
	struct exc e = run_at(EL1, window);

	EXPECT_NO_EXC(e); // PSTATE.I
	e = run_at_spsr((guest_spsr(EL1) & ~SPSR_I) | SPSR_ALLINT, spin);
	EXPECT_INTERRUPT(e, EL1, VECTOR_IRQ); // ALLINT means nothing
}

TEST(nmi_is_not_masked_by_i)
{
	NEEDS_GIC_NMI;
	nmi_on(0);
	pend_nmi(GIC_G1NS);
	struct exc e = run_at(EL1, spin);

	EXPECT_INTERRUPT(e, EL1, VECTOR_IRQ);
	EXPECT_MASKED(e.spsr, SPSR_I, SPSR_I);
}

TEST(allint_masks_everything)
{
	NEEDS_GIC_NMI;
	nmi_on(0);
	pend_nmi(GIC_G1NS);
	struct exc e = run_at_spsr(guest_spsr(EL1) | SPSR_ALLINT, window);

	EXPECT_NO_EXC(e);
	e = run_at_spsr((guest_spsr(EL1) & ~SPSR_DAIF) | SPSR_ALLINT, window);
	EXPECT_NO_EXC(e);
	pend_plain(GIC_G1NS);
	e = run_at_spsr((guest_spsr(EL1) & ~SPSR_DAIF) | SPSR_ALLINT, window);
	EXPECT_NO_EXC(e);
}

TEST(clearing_allint_lets_the_nmi_in)
{
	NEEDS_GIC_NMI;
	nmi_on(0);
	pend_nmi(GIC_G1NS);
	struct exc e = run_at_spsr(guest_spsr(EL1) | SPSR_ALLINT, unmask_allint);

	EXPECT_INTERRUPT(e, EL1, VECTOR_IRQ);
}

TEST(plain_interrupts_are_masked_by_i_as_ever)
{
	NEEDS_GIC_NMI;
	nmi_on(0);
	pend_plain(GIC_G1NS);
	struct exc e = run_at(EL1, window);

	EXPECT_NO_EXC(e);
	e = run_at_spsr(guest_spsr(EL1) & ~SPSR_I, spin);
	EXPECT_INTERRUPT(e, EL1, VECTOR_IRQ);
}

TEST(spintmask_masks_while_sp_elx_is_used)
{
	NEEDS_GIC_NMI;
	nmi_on(SCTLR_SPINTMASK);
	pend_nmi(GIC_G1NS);
	struct exc e = run_at(EL1, window);

	EXPECT_NO_EXC(e);
	// Plain interrupts as well.
	pend_plain(GIC_G1NS);
	e = run_at_spsr(guest_spsr(EL1) & ~SPSR_DAIF, window);
	EXPECT_NO_EXC(e);
	// With SP_EL0 it is PSTATE.I again, for plain ones.
	e = run_at_spsr(SPSR_M_EL1T, spin);
	EXPECT_EXC_AT(e, EL1, VECTOR_CURRENT_SP0 + VECTOR_IRQ, e.esr);
	pend_nmi(GIC_G1NS);
	e = run_at_spsr(SPSR_M_EL1T | SPSR_DAIF, spin);
	EXPECT_EXC_AT(e, EL1, VECTOR_CURRENT_SP0 + VECTOR_IRQ, e.esr);
}

TEST(leaving_sp_elx_lets_the_nmi_in)
{
	NEEDS_GIC_NMI;
	nmi_on(SCTLR_SPINTMASK);
	pend_nmi(GIC_G1NS);
	struct exc e = run_at(EL1, use_sp_el0);

	EXPECT_EQ(e.el, EL1);
	EXPECT_EQ(e.offset, VECTOR_CURRENT_SP0 + VECTOR_IRQ);
}

TEST(allint_means_nothing_at_el0)
{
	NEEDS_GIC_NMI;
	nmi_on(0);
	pend_nmi(GIC_G1NS);
	struct exc e = run_at_spsr(guest_spsr(EL0) | SPSR_ALLINT, spin);

	EXPECT_INTERRUPT(e, EL1, VECTOR_IRQ);
	// A plain interrupt is masked there by I.
	pend_plain(GIC_G1NS);
	e = run_at_spsr(guest_spsr(EL0) | SPSR_ALLINT, window);
	EXPECT_NO_EXC(e);
}

TEST(secure_nmi_is_an_fiq_in_non_secure_state)
{
	QEMU_11_DIFFERS("has no NMI among the FIQs");
	NEEDS_GIC_NMI;
	nmi_on(0);
	pend_nmi(GIC_G1S);
	struct exc e = run_at(EL1, spin);

	EXPECT_INTERRUPT(e, EL1, VECTOR_FIQ);
	EXPECT_MASKED(e.spsr, SPSR_F, SPSR_F);
	e = run_at_spsr(guest_spsr(EL1) | SPSR_ALLINT, window);
	EXPECT_NO_EXC(e);
	pend_plain(GIC_G1S);
	e = run_at(EL1, window);
	EXPECT_NO_EXC(e);
}

TEST(nmi_at_el2)
{
	NEEDS_GIC_NMI;
	nmi_on(0);
	write_sysreg(hcr_el2, HCR_BASE | HCR_IMO);
	pend_nmi(GIC_G1NS);
	struct exc e = run_at(EL2, spin);

	EXPECT_INTERRUPT(e, EL2, VECTOR_IRQ);
	e = run_at_spsr(guest_spsr(EL2) | SPSR_ALLINT, window);
	EXPECT_NO_EXC(e);
	write_sysreg(sctlr_el2, SCTLR_EL2_BASE);
	e = run_at(EL2, window);
	EXPECT_NO_EXC(e);
	// From below neither masks.
	e = run_at_spsr(guest_spsr(EL1) | SPSR_ALLINT, spin);
	EXPECT_INTERRUPT(e, EL2, VECTOR_IRQ);
}

// EL1 does not take what EL2 has, nor EL2 what is EL1's.
TEST(nmi_for_el1_stays_pending_at_el2)
{
	NEEDS_GIC_NMI;
	nmi_on(0);
	pend_nmi(GIC_G1NS);
	struct exc e = run_at_spsr(guest_spsr(EL2) & ~SPSR_DAIF, window);

	EXPECT_NO_EXC(e);
}

TEST(nmi_at_el3)
{
	QEMU_11_DIFFERS("has no NMI among the FIQs");
	NEEDS_GIC_NMI;
	write_sysreg(scr_el3, SCR_BASE | SCR_FIQ);
	pend_nmi(GIC_G1NS); // an FIQ at EL3
	write_sysreg(sctlr_el3, SCTLR_EL3_BASE | SCTLR_NMI);
	struct exc e = run_at(EL3, spin);

	EXPECT_EQ(e.el, EL3);
	EXPECT_EQ(e.offset, VECTOR_CURRENT_SPX + VECTOR_FIQ);
	e = run_at_spsr(guest_spsr(EL3) | SPSR_ALLINT, window);
	EXPECT_NO_EXC(e);
	write_sysreg(sctlr_el3, SCTLR_EL3_BASE);
	e = run_at(EL3, window);
	EXPECT_NO_EXC(e);
}

TEST(isr_tells_superpriority)
{
	QEMU_11_DIFFERS("has no NMI among the FIQs");
	NEEDS_GIC_NMI;
	pend_nmi(GIC_G1NS);
	struct exc e = run_at(EL1, read_isr);

	EXPECT_REG(e, 0, ISR_IS | ISR_I);
	pend_plain(GIC_G1NS);
	e = run_at(EL1, read_isr);
	EXPECT_REG(e, 0, ISR_I);
	pend_nmi(GIC_G1S);
	e = run_at(EL1, read_isr);
	EXPECT_REG(e, 0, ISR_FS | ISR_F);
}

TEST(wfi_ends_for_an_nmi_that_allint_masks)
{
	NEEDS_GIC_NMI;
	nmi_on(0);
	pend_nmi(GIC_G1NS);
	struct exc e = run_at_spsr(guest_spsr(EL1) | SPSR_ALLINT, wfi_once);

	EXPECT_NO_EXC(e);
	EXPECT_REG(e, 9, 1);
}

// ---- Masks: virtual interrupts ------------------------------------------------------------------

TEST(vinmi_gives_vi_superpriority)
{
	NEEDS_NMI;
	nmi_on(0);
	write_sysreg(hcr_el2, HCR_BASE | HCR_IMO | HCR_VI);
	struct exc e = run_at(EL1, window);

	EXPECT_NO_EXC(e);
	hcrx(HCRX_VINMI);
	e = run_at(EL1, spin);
	EXPECT_INTERRUPT(e, EL1, VECTOR_IRQ);
	e = run_at(EL0, spin);
	EXPECT_INTERRUPT(e, EL1, VECTOR_IRQ);
	e = run_at_spsr((guest_spsr(EL1) & ~SPSR_DAIF) | SPSR_ALLINT, window);
	EXPECT_NO_EXC(e);
	// Without SCTLR_EL1.NMI, PSTATE.I masks it.
	write_sysreg(sctlr_el1, SCTLR_EL1_BASE);
	e = run_at(EL1, window);
	EXPECT_NO_EXC(e);
	hcrx(0);
}

TEST(vfnmi_gives_vf_superpriority)
{
	NEEDS_NMI;
	nmi_on(0);
	write_sysreg(hcr_el2, HCR_BASE | HCR_FMO | HCR_VF);
	hcrx(HCRX_VINMI);
	struct exc e = run_at(EL1, window);

	EXPECT_NO_EXC(e);
	hcrx(HCRX_VFNMI);
	e = run_at(EL1, spin);
	EXPECT_INTERRUPT(e, EL1, VECTOR_FIQ);
	hcrx(0);
}

TEST(vinmi_alone_is_no_interrupt)
{
	NEEDS_NMI;
	nmi_on(0);
	write_sysreg(hcr_el2, HCR_BASE | HCR_IMO | HCR_FMO);
	hcrx(HCRX_VINMI | HCRX_VFNMI);
	struct exc e = run_at_spsr(guest_spsr(EL1) & ~SPSR_DAIF, window);

	EXPECT_NO_EXC(e);
	e = run_at(EL1, read_isr);
	EXPECT_REG(e, 0, 0);
	hcrx(0);
}

TEST(vinmi_needs_hxen)
{
	NEEDS_NMI;
	nmi_on(0);
	hcrx(HCRX_VINMI);
	write_sysreg(scr_el3, SCR_BASE);
	write_sysreg(hcr_el2, HCR_BASE | HCR_IMO | HCR_VI);
	struct exc e = run_at(EL1, window);

	EXPECT_NO_EXC(e);
	hcrx(0);
}

TEST(isr_of_el1_tells_virtual_superpriority)
{
	NEEDS_NMI;
	write_sysreg(hcr_el2, HCR_BASE | HCR_IMO | HCR_FMO | HCR_VI | HCR_VF);
	hcrx(HCRX_VINMI);
	struct exc e = run_at(EL1, read_isr);

	EXPECT_REG(e, 0, ISR_IS | ISR_I | ISR_F);
	hcrx(HCRX_VFNMI);
	e = run_at(EL1, read_isr);
	EXPECT_REG(e, 0, ISR_FS | ISR_I | ISR_F);
	hcrx(0);
}

// ---- The GIC: the property and its priority -----------------------------------------------------

TEST(inmir_is_zero_for_group_0)
{
	QEMU_11_DIFFERS("keeps the bits of Group 0");
	NEEDS_GIC_NMI;
	gic_init();
	gic_enable(SGI, GIC_G1NS, 0xa0);
	gic_enable(OTHER_SGI, GIC_G0, 0xa0);
	*inmir0 = 1u << SGI | 1u << OTHER_SGI;
	EXPECT_MASKED(*inmir0, 1u << SGI | 1u << OTHER_SGI, 1u << SGI);
	gic_enable(OTHER_SGI, GIC_G1S, 0xa0);
	*inmir0 = 1u << OTHER_SGI;
	EXPECT_MASKED(*inmir0, 1u << SGI | 1u << OTHER_SGI, 1u << OTHER_SGI);
	*inmir0 = 0;
}

TEST(nmi_is_acknowledged_by_nmiar1)
{
	NEEDS_GIC_NMI;
	nmi_on(0);
	pend_nmi(GIC_G1NS);
	struct exc e = run_at_spsr(guest_spsr(EL1) | SPSR_ALLINT, ack1);

	EXPECT_REG(e, 0, INTID_NMI);
	EXPECT_TRUE(gic_is_pending(SGI) && !gic_is_active(SGI));
	e = run_at_spsr(guest_spsr(EL1) | SPSR_ALLINT, ack_nmi);
	EXPECT_REG(e, 0, SGI);
	EXPECT_REG(e, 1, NMI | 0x80); // one half of the priorities: 0x80 of 8 bits, see below
	EXPECT_REG(e, 2, NMI);
	EXPECT_TRUE(!gic_is_pending(SGI) && gic_is_active(SGI));
	e = run_at_spsr(guest_spsr(EL1) | SPSR_ALLINT, end1, SGI);
	EXPECT_REG(e, 1, 0xff);
	EXPECT_REG(e, 2, 0);
	EXPECT_TRUE(!gic_is_active(SGI));
}

// With SCR_EL3.FIQ, Non-secure software sees its half of the priorities as the whole.
TEST(running_priority_of_an_nmi_saturates_to_zero)
{
	NEEDS_GIC_NMI;
	write_sysreg(scr_el3, SCR_BASE | SCR_FIQ);
	nmi_on(0);
	pend_nmi(GIC_G1NS);
	struct exc e = run_at_spsr(guest_spsr(EL1) | SPSR_ALLINT, ack_nmi);

	EXPECT_REG(e, 0, SGI);
	EXPECT_REG(e, 1, NMI);
	EXPECT_EQ(read_sysreg(icc_rpr_el1), NMI_NS | 0x80); // EL3 sees it in full
}

TEST(without_sctlr_nmi_iar1_acknowledges_nmis)
{
	NEEDS_GIC_NMI;
	pend_nmi(GIC_G1NS);
	struct exc e = run_at(EL1, ack1);

	EXPECT_REG(e, 0, SGI);
	EXPECT_EQ(read_sysreg(icc_ap1r0_el1), NMI);
	e = run_at(EL1, end1, SGI);
	EXPECT_REG(e, 1, 0xff);
}

TEST(nmiar1_is_for_nmis_only)
{
	NEEDS_GIC_NMI;
	nmi_on(0);
	pend_plain(GIC_G1NS);
	struct exc e = run_at(EL1, ack_nmi);

	EXPECT_REG(e, 0, INTID_SPURIOUS);
	EXPECT_TRUE(gic_is_pending(SGI));
	e = run_at(EL1, ack1);
	EXPECT_REG(e, 0, SGI);
}

TEST(nmi_comes_before_every_priority_of_its_state)
{
	NEEDS_GIC_NMI;
	gic_init();
	pend(SGI, GIC_G1NS, 0xf0, true);
	pend(OTHER_SGI, GIC_G1NS, 0x80, false);
	EXPECT_EQ(read_sysreg(icc_hppir1_el1), SGI);
	// Secure priorities above 0x80 are higher.
	pend(OTHER_SGI, GIC_G1S, 0x78, false);
	EXPECT_EQ(read_sysreg(icc_hppir1_el1), OTHER_SGI);
	// A Secure NMI has priority 0.
	pend(SGI, GIC_G1S, 0xf0, true);
	pend(OTHER_SGI, GIC_G1S, 0, false);
	EXPECT_EQ(read_sysreg(icc_hppir1_el1), SGI);
}

TEST(nmi_preempts_the_highest_plain_priority)
{
	NEEDS_GIC_NMI;
	nmi_on(0);
	gic_init();
	pend(OTHER_SGI, GIC_G1NS, 0x80, false);
	struct exc e = run_at(EL1, ack1);

	EXPECT_REG(e, 0, OTHER_SGI);
	pend(SGI, GIC_G1NS, 0xf0, true);
	e = run_at(EL1, spin);
	EXPECT_INTERRUPT(e, EL1, VECTOR_IRQ);
	e = run_at_spsr(guest_spsr(EL1) | SPSR_ALLINT, ack_nmi);
	EXPECT_REG(e, 0, SGI);
	EXPECT_REG(e, 2, NMI | BIT(0x80 >> 3));
	// Another NMI does not preempt it.
	pend(7, GIC_G1NS, 0xa0, true);
	e = run_at(EL1, window);
	EXPECT_NO_EXC(e);
	// The ends come in order: the NMI first.
	e = run_at_spsr(guest_spsr(EL1) | SPSR_ALLINT, end1, SGI);
	EXPECT_REG(e, 1, 0x80);
	EXPECT_REG(e, 2, BIT(0x80 >> 3));
	e = run_at(EL1, spin);
	EXPECT_INTERRUPT(e, EL1, VECTOR_IRQ);
	nmi_property(7, false);
}

TEST(priority_mask_does_not_hold_nmis)
{
	NEEDS_GIC_NMI;
	nmi_on(0);
	pend_nmi(GIC_G1NS);
	write_sysreg(icc_pmr_el1, 0x80);
	struct exc e = run_at(EL1, spin);

	EXPECT_INTERRUPT(e, EL1, VECTOR_IRQ);
	// A mask in the Secure half shuts out all that is Non-secure.
	write_sysreg(icc_pmr_el1, 0x78);
	e = run_at(EL1, window);
	EXPECT_NO_EXC(e);
}

TEST(no_priority_mask_holds_secure_nmis)
{
	QEMU_11_DIFFERS("has no NMI among the FIQs");
	NEEDS_GIC_NMI;
	nmi_on(0);
	pend_nmi(GIC_G1S);
	write_sysreg(icc_pmr_el1, 0);
	struct exc e = run_at(EL1, spin);

	EXPECT_INTERRUPT(e, EL1, VECTOR_FIQ);
}

TEST(active_priorities_keep_the_nmi_bit)
{
	QEMU_11_DIFFERS("does not let ICC_AP1R0_EL1.NMI be written at EL3");
	NEEDS_GIC_NMI;
	gic_init();
	write_sysreg(icc_ap1r0_el1, NMI);
	EXPECT_EQ(read_sysreg(icc_ap1r0_el1), NMI);
	EXPECT_EQ(read_sysreg(icc_rpr_el1), NMI_NS | 0x80);
	write_sysreg(icc_ap1r0_el1, 0);
	EXPECT_EQ(read_sysreg(icc_rpr_el1), 0xff);
	write_sysreg(scr_el3, SCR_BASE & ~SCR_NS);
	write_sysreg(icc_ap1r0_el1, NMI);
	EXPECT_EQ(read_sysreg(icc_rpr_el1), NMI);
	write_sysreg(icc_ap1r0_el1, 0);
}

// ---- The virtual CPU interface ------------------------------------------------------------------

#define LR_NMI (BIT(62) | BIT(60) | BIT(59)) // pending, Group 1, NMI
#define LR_PLAIN(priority) (BIT(62) | BIT(60) | (uint64_t)(priority) << 48)

static void guest(void)
{
	write_sysreg(hcr_el2, HCR_BASE | HCR_IMO | HCR_FMO);
	write_sysreg(ich_vmcr_el2, 0xf8ul << 24 | 3);
	write_sysreg(ich_hcr_el2, 1);
}

TEST(list_register_with_nmi_is_a_virtual_nmi)
{
	NEEDS_GIC_NMI;
	guest();
	nmi_on(0);
	write_sysreg(ich_lr0_el2, LR_NMI | 40);
	EXPECT_EQ(read_sysreg(ich_lr0_el2), LR_NMI | 40);
	struct exc e = run_at(EL1, spin);

	EXPECT_INTERRUPT(e, EL1, VECTOR_IRQ);
	e = run_at_spsr(guest_spsr(EL1) | SPSR_ALLINT, read_isr);
	EXPECT_REG(e, 0, ISR_IS | ISR_I);
	e = run_at_spsr(guest_spsr(EL1) | SPSR_ALLINT, window);
	EXPECT_NO_EXC(e);
	write_sysreg(ich_lr0_el2, LR_PLAIN(0xa0) | 40);
	e = run_at(EL1, window);
	EXPECT_NO_EXC(e);
}

TEST(virtual_nmi_is_acknowledged_by_nmiar1)
{
	NEEDS_GIC_NMI;
	guest();
	nmi_on(0);
	write_sysreg(ich_lr0_el2, LR_NMI | 40);
	struct exc e = run_at_spsr(guest_spsr(EL1) | SPSR_ALLINT, ack1);

	EXPECT_REG(e, 0, INTID_NMI);
	e = run_at_spsr(guest_spsr(EL1) | SPSR_ALLINT, ack_nmi);
	EXPECT_REG(e, 0, 40);
	EXPECT_REG(e, 1, NMI);
	EXPECT_REG(e, 2, NMI);
	EXPECT_EQ(read_sysreg(ich_ap1r0_el2), NMI);
	EXPECT_EQ(read_sysreg(ich_lr0_el2) >> 62, 2); // active
	e = run_at_spsr(guest_spsr(EL1) | SPSR_ALLINT, end1, 40);
	EXPECT_REG(e, 1, 0xff);
	EXPECT_EQ(read_sysreg(ich_lr0_el2) >> 62, 0);
}

TEST(virtual_nmi_comes_first)
{
	NEEDS_GIC_NMI;
	guest();
	nmi_on(0);
	write_sysreg(ich_lr0_el2, LR_PLAIN(0) | 40);
	write_sysreg(ich_lr1_el2, LR_NMI | 41);
	struct exc e = run_at_spsr(guest_spsr(EL1) | SPSR_ALLINT, ack_nmi);

	EXPECT_REG(e, 0, 41);
	// And preempts the highest plain priority.
	e = run_at_spsr(guest_spsr(EL1) | SPSR_ALLINT, end1, 41);
	e = run_at_spsr(guest_spsr(EL1) | SPSR_ALLINT, ack1);
	EXPECT_REG(e, 0, 40);
	write_sysreg(ich_lr1_el2, LR_NMI | 42);
	e = run_at(EL1, spin);
	EXPECT_INTERRUPT(e, EL1, VECTOR_IRQ);
}

TEST(virtual_priority_mask_does_not_hold_nmis)
{
	NEEDS_GIC_NMI;
	guest();
	nmi_on(0);
	write_sysreg(ich_vmcr_el2, 3); // VPMR 0
	write_sysreg(ich_lr0_el2, LR_NMI | 40);
	struct exc e = run_at(EL1, spin);

	EXPECT_INTERRUPT(e, EL1, VECTOR_IRQ);
	write_sysreg(ich_lr0_el2, LR_PLAIN(0) | 40);
	e = run_at_spsr(guest_spsr(EL1) & ~SPSR_DAIF, window);
	EXPECT_NO_EXC(e);
}
