// SPDX-License-Identifier: Apache-2.0
//
// gic_route.c - whether an interrupt of each GIC group arrives as IRQ or FIQ (IHI 0069, 4.6.2), and
// at which level (Arm ARM D1.3.6, tables of the routing of physical interrupts), from every level
// and both Security states.

#include "guest.h"
#include "gic.h"

// Long enough for an interrupt that is pending; if none comes, the snippet ends.
SNIPPET(wait_a_little, "mov x9, #0x1000\n1:\tsubs x9, x9, #1\n\tb.ne 1b");

#define SGI 5

static struct exc run_pending(enum gic_group group, uint64_t scr, uint64_t hcr, uint64_t spsr)
{
	gic_init();
	gic_enable(SGI, group, group == GIC_G1NS ? 0xa0 : 0x20);
	gic_set_pending(SGI, true);
	write_sysreg(scr_el3, scr);
	write_sysreg(hcr_el2, hcr);
	struct exc e = run_at_spsr(spsr, wait_a_little);

	write_sysreg(scr_el3, SCR_BASE);
	return e;
}

// One test: an interrupt of a group, with SCR_EL3, HCR_EL2 and SPSR, goes to a level by a vector;
// or stays pending.
#define TAKEN(name, group, scr, hcr, spsr, to, kind) \
	TEST(name) \
	{ \
		struct exc e = run_pending(group, scr, hcr, spsr); \
\
		EXPECT_INTERRUPT(e, to, kind); \
	}
#define HELD(name, group, scr, hcr, spsr) \
	TEST(name) \
	{ \
		struct exc e = run_pending(group, scr, hcr, spsr); \
\
		EXPECT_NO_EXC(e); \
		EXPECT_TRUE(gic_is_pending(SGI)); \
	}

#define NS SCR_BASE
#define S (SCR_BASE & ~SCR_NS)
#define SEL2 (S | SCR_EEL2)
#define HCR HCR_BASE
#define HCR_HOST (HCR_BASE | HCR_E2H | HCR_TGE)

// ---- Non-secure Group 1: IRQ in the Non-secure state --------------------------------------------
TAKEN(g1ns_el0_to_el1_as_irq, GIC_G1NS, NS, HCR, SPSR_M_EL0T, EL1, VECTOR_IRQ)
TAKEN(g1ns_el1_to_el1_as_irq, GIC_G1NS, NS, HCR, SPSR_M_EL1H, EL1, VECTOR_IRQ)
TAKEN(g1ns_el1t_to_el1_as_irq, GIC_G1NS, NS, HCR, SPSR_M_EL1T, EL1, VECTOR_IRQ)
TAKEN(g1ns_el0_imo_to_el2, GIC_G1NS, NS, HCR | HCR_IMO, SPSR_M_EL0T, EL2, VECTOR_IRQ)
TAKEN(g1ns_el1_imo_to_el2_unmaskable, GIC_G1NS, NS, HCR | HCR_IMO, SPSR_M_EL1H | SPSR_DAIF, EL2,
      VECTOR_IRQ)
TAKEN(g1ns_el2_imo_to_el2, GIC_G1NS, NS, HCR | HCR_IMO, SPSR_M_EL2H, EL2, VECTOR_IRQ)
TAKEN(g1ns_el0_tge_to_el2, GIC_G1NS, NS, HCR | HCR_TGE, SPSR_M_EL0T, EL2, VECTOR_IRQ)
TAKEN(g1ns_el0_host_to_el2, GIC_G1NS, NS, HCR_HOST, SPSR_M_EL0T, EL2, VECTOR_IRQ)
TAKEN(g1ns_el2_host_to_el2, GIC_G1NS, NS, HCR_HOST, SPSR_M_EL2H, EL2, VECTOR_IRQ)
TAKEN(g1ns_el0_scr_irq_to_el3, GIC_G1NS, NS | SCR_IRQ, HCR, SPSR_M_EL0T, EL3, VECTOR_IRQ)
TAKEN(g1ns_el1_scr_irq_to_el3_unmaskable, GIC_G1NS, NS | SCR_IRQ, HCR, SPSR_M_EL1H | SPSR_DAIF, EL3,
      VECTOR_IRQ)
TAKEN(g1ns_el2_scr_irq_beats_imo, GIC_G1NS, NS | SCR_IRQ, HCR | HCR_IMO, SPSR_M_EL2H | SPSR_DAIF,
      EL3, VECTOR_IRQ)
TAKEN(g1ns_scr_fiq_does_not_route_irq, GIC_G1NS, NS | SCR_FIQ, HCR, SPSR_M_EL0T, EL1, VECTOR_IRQ)
TAKEN(g1ns_fmo_does_not_route_irq, GIC_G1NS, NS, HCR | HCR_FMO, SPSR_M_EL0T, EL1, VECTOR_IRQ)
HELD(g1ns_el1_masked, GIC_G1NS, NS, HCR, SPSR_M_EL1H | SPSR_I)
HELD(g1ns_el2_not_routed_to_el2, GIC_G1NS, NS, HCR, SPSR_M_EL2H)
HELD(g1ns_el2_imo_masked, GIC_G1NS, NS, HCR | HCR_IMO, SPSR_M_EL2H | SPSR_I)
TAKEN(g1ns_el1_only_f_masked, GIC_G1NS, NS, HCR, SPSR_M_EL1H | SPSR_F, EL1, VECTOR_IRQ)
// In the Secure state and at EL3 it is an FIQ.
TAKEN(g1ns_secure_el0_to_el1_as_fiq, GIC_G1NS, S, HCR, SPSR_M_EL0T, EL1, VECTOR_FIQ)
TAKEN(g1ns_secure_el1_to_el1_as_fiq, GIC_G1NS, S, HCR, SPSR_M_EL1H, EL1, VECTOR_FIQ)
TAKEN(g1ns_secure_el1_scr_fiq_to_el3, GIC_G1NS, S | SCR_FIQ, HCR, SPSR_M_EL1H | SPSR_DAIF, EL3,
      VECTOR_FIQ)
HELD(g1ns_secure_el1_f_masked, GIC_G1NS, S, HCR, SPSR_M_EL1H | SPSR_F)
TAKEN(g1ns_el3_scr_fiq_to_el3_as_fiq, GIC_G1NS, NS | SCR_FIQ, HCR, SPSR_M_EL3H, EL3, VECTOR_FIQ)
HELD(g1ns_el3_scr_irq_is_not_enough, GIC_G1NS, NS | SCR_IRQ, HCR, SPSR_M_EL3H)
HELD(g1ns_el3_masked, GIC_G1NS, NS | SCR_FIQ, HCR, SPSR_M_EL3H | SPSR_F)

// ---- Group 0: FIQ everywhere --------------------------------------------------------------------
TAKEN(g0_el0_to_el1_as_fiq, GIC_G0, NS, HCR, SPSR_M_EL0T, EL1, VECTOR_FIQ)
TAKEN(g0_el1_to_el1_as_fiq, GIC_G0, NS, HCR, SPSR_M_EL1H, EL1, VECTOR_FIQ)
TAKEN(g0_el0_fmo_to_el2, GIC_G0, NS, HCR | HCR_FMO, SPSR_M_EL0T, EL2, VECTOR_FIQ)
TAKEN(g0_el1_fmo_to_el2_unmaskable, GIC_G0, NS, HCR | HCR_FMO, SPSR_M_EL1H | SPSR_DAIF, EL2,
      VECTOR_FIQ)
TAKEN(g0_el2_fmo_to_el2, GIC_G0, NS, HCR | HCR_FMO, SPSR_M_EL2H, EL2, VECTOR_FIQ)
TAKEN(g0_el0_host_to_el2, GIC_G0, NS, HCR_HOST, SPSR_M_EL0T, EL2, VECTOR_FIQ)
TAKEN(g0_el0_scr_fiq_to_el3, GIC_G0, NS | SCR_FIQ, HCR, SPSR_M_EL0T, EL3, VECTOR_FIQ)
TAKEN(g0_el2_scr_fiq_beats_fmo, GIC_G0, NS | SCR_FIQ, HCR | HCR_FMO, SPSR_M_EL2H | SPSR_DAIF, EL3,
      VECTOR_FIQ)
TAKEN(g0_el3_scr_fiq_to_el3, GIC_G0, NS | SCR_FIQ, HCR, SPSR_M_EL3H, EL3, VECTOR_FIQ)
TAKEN(g0_secure_el1_to_el1_as_fiq, GIC_G0, S, HCR, SPSR_M_EL1H, EL1, VECTOR_FIQ)
TAKEN(g0_secure_el0_scr_fiq_to_el3, GIC_G0, S | SCR_FIQ, HCR, SPSR_M_EL0T, EL3, VECTOR_FIQ)
HELD(g0_el1_f_masked, GIC_G0, NS, HCR, SPSR_M_EL1H | SPSR_F)
HELD(g0_el2_not_routed_to_el2, GIC_G0, NS, HCR, SPSR_M_EL2H)
HELD(g0_el3_not_routed_to_el3, GIC_G0, NS, HCR, SPSR_M_EL3H)

// ---- Secure Group 1: IRQ in the Secure state below EL3, else FIQ --------------------------------
TAKEN(g1s_secure_el0_to_el1_as_irq, GIC_G1S, S, HCR, SPSR_M_EL0T, EL1, VECTOR_IRQ)
TAKEN(g1s_secure_el1_to_el1_as_irq, GIC_G1S, S, HCR, SPSR_M_EL1H, EL1, VECTOR_IRQ)
TAKEN(g1s_secure_el1_scr_irq_to_el3, GIC_G1S, S | SCR_IRQ, HCR, SPSR_M_EL1H | SPSR_DAIF, EL3,
      VECTOR_IRQ)
TAKEN(g1s_el0_to_el1_as_fiq, GIC_G1S, NS, HCR, SPSR_M_EL0T, EL1, VECTOR_FIQ)
TAKEN(g1s_el2_scr_fiq_to_el3_as_fiq, GIC_G1S, NS | SCR_FIQ, HCR, SPSR_M_EL2H | SPSR_DAIF, EL3,
      VECTOR_FIQ)
TAKEN(g1s_el1_fmo_to_el2_as_fiq, GIC_G1S, NS, HCR | HCR_FMO, SPSR_M_EL1H, EL2, VECTOR_FIQ)
TAKEN(g1s_el3_scr_fiq_to_el3_as_fiq, GIC_G1S, S | SCR_FIQ, HCR, SPSR_M_EL3H, EL3, VECTOR_FIQ)
HELD(g1s_el3_scr_irq_is_not_enough, GIC_G1S, S | SCR_IRQ, HCR, SPSR_M_EL3H)
HELD(g1s_secure_el1_i_masked, GIC_G1S, S, HCR, SPSR_M_EL1H | SPSR_I)

// ---- Secure EL2 (FEAT_SEL2) ---------------------------------------------------------------------
static bool has_sel2(void)
{
	return id_field(read_sysreg(id_aa64pfr0_el1), 36) != 0;
}

TEST(g1s_secure_el1_imo_to_secure_el2)
{
	SKIP_UNLESS(has_sel2(), "no FEAT_SEL2");
	struct exc e = run_pending(GIC_G1S, SEL2, HCR | HCR_IMO, SPSR_M_EL1H | SPSR_DAIF);

	EXPECT_INTERRUPT(e, EL2, VECTOR_IRQ);
}

TEST(g1ns_secure_el0_fmo_to_secure_el2_as_fiq)
{
	SKIP_UNLESS(has_sel2(), "no FEAT_SEL2");
	struct exc e = run_pending(GIC_G1NS, SEL2, HCR | HCR_FMO, SPSR_M_EL0T);

	EXPECT_INTERRUPT(e, EL2, VECTOR_FIQ);
}

TEST(secure_el1_without_eel2_ignores_imo)
{
	struct exc e = run_pending(GIC_G1S, S, HCR | HCR_IMO, SPSR_M_EL1H);

	EXPECT_INTERRUPT(e, EL1, VECTOR_IRQ);
}

// ---- Both lines at once -------------------------------------------------------------------------

TEST(higher_priority_group_alone_is_signalled)
{
	gic_init();
	gic_enable(1, GIC_G1NS, 0xa0);
	gic_enable(2, GIC_G0, 0x20);
	gic_set_pending(1, true);
	gic_set_pending(2, true);
	// The Group 0 interrupt is masked by F; the CPU interface does not offer the other instead.
	struct exc e = run_at_spsr(SPSR_M_EL1H | SPSR_F, wait_a_little);

	EXPECT_NO_EXC(e);
	gic_set_pending(2, false);
	struct exc again = run_at_spsr(SPSR_M_EL1H | SPSR_F, wait_a_little);

	EXPECT_INTERRUPT(again, EL1, VECTOR_IRQ);
}
