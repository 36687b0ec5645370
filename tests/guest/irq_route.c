// SPDX-License-Identifier: Apache-2.0
//
// irq_route.c - IRQ and FIQ: the target level by SCR_EL3.{IRQ, FIQ}, HCR_EL2.{IMO, FMO, TGE, E2H},
// the Security state, and when PSTATE masks them; virtual interrupts and virtual SError; ESB.

#include "emit.h"
#include "gic.h"

#define HAS_VHE id_field(read_sysreg(id_aa64mmfr1_el1), 8)
#define HAS_SEL2 id_field(read_sysreg(id_aa64pfr0_el1), 36)
#define HAS_RAS id_field(read_sysreg(id_aa64pfr0_el1), 28)
#define NEEDS_RAS SKIP_UNLESS(HAS_RAS, "no FEAT_RAS")

#define SECURE (SCR_BASE & ~SCR_NS)
#define SGI 3

SNIPPET(window, "nop\n\tisb\n\tnop\n\tnop");
SNIPPET(spin, "1: b 1b");
SNIPPET(read_isr, "isb\n\tmrs x0, isr_el1");
SNIPPET(unmask, "msr DAIFClr, #15\n\tisb\n\tnop\n\tnop");

// An interrupt that arrives as IRQ or FIQ in either Security state: group 0 is FIQ everywhere; for
// IRQ the group must be that of the state.
static void pend(bool fiq, bool secure)
{
	gic_init();
	gic_enable(SGI, fiq ? GIC_G0 : secure ? GIC_G1S : GIC_G1NS, 0x40);
	gic_set_pending(SGI, true);
}

// Where the interrupt is taken with the level's mask bit clear (open) and set (masked); EL_NONE: it
// stays pending.
struct route {
	int open[4], masked[4];
};

static void expect_route(int line, bool fiq, const struct route *route, enum el last)
{
	const uint64_t mask = fiq ? SPSR_F : SPSR_I;
	const uint64_t kind = fiq ? VECTOR_FIQ : VECTOR_IRQ;

	for (enum el el = EL0; el <= last; el++) {
		for (unsigned masked = 0; masked < 2; masked++) {
			uint64_t spsr = guest_spsr(el) & ~(masked ? 0 : mask);
			int to = masked ? route->masked[el] : route->open[el];
			struct exc e;

			if (to == -2) {
				continue; // that level cannot be entered in this state
			}
			e = run_at_spsr(spsr, to == EL_NONE ? window : spin);
			if (to == EL_NONE) {
				guest_expect_no_exc(masked ? "masked" : "open", line, &e);
			} else {
				guest_expect_interrupt(masked ? "masked" : "open", line, &e, to,
						       kind);
			}
		}
	}
}

// Both kinds of interrupt in the Non-secure state.
#define EXPECT_ROUTE(scr, hcr, ...) \
	do { \
		const struct route route_ = __VA_ARGS__; \
		const uint64_t scr_irq[] = {SCR_IRQ, SCR_FIQ}, hcr_imo[] = {HCR_IMO, HCR_FMO}; \
		for (unsigned fiq_ = 0; fiq_ < 2; fiq_++) { \
			const uint64_t THE_SCR = scr_irq[fiq_], THE_MO = hcr_imo[fiq_]; \
			(void)THE_SCR; \
			(void)THE_MO; \
			guest_reset(); \
			pend(fiq_, false); \
			write_sysreg(scr_el3, SCR_BASE | (scr)); \
			write_sysreg(hcr_el2, HCR_BASE | (hcr)); \
			expect_route(__LINE__, fiq_, &route_, EL2); \
		} \
	} while (0)

#define NO EL_NONE
#define NA (-2)

// ---- Physical interrupts, Non-secure, SCR_EL3.{IRQ, FIQ} = 0 ------------------------------------

TEST(interrupt_goes_to_el1_with_all_routing_clear)
{
	EXPECT_ROUTE(0, 0, {{EL1, EL1, NO, NA}, {NO, NO, NO, NA}});
}

TEST(interrupt_goes_to_el2_with_imo_fmo)
{
	// From below EL2 the masks do not count.
	EXPECT_ROUTE(0, THE_MO, {{EL2, EL2, EL2, NA}, {EL2, EL2, NO, NA}});
}

TEST(interrupt_goes_to_el2_with_tge)
{
	EXPECT_ROUTE(0, HCR_TGE, {{EL2, NA, EL2, NA}, {EL2, NA, NO, NA}});
}

TEST(interrupt_goes_to_el1_with_e2h_alone)
{
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	EXPECT_ROUTE(0, HCR_E2H, {{EL1, EL1, NO, NA}, {NO, NO, NO, NA}});
}

TEST(interrupt_goes_to_el2_with_e2h_and_imo_fmo)
{
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	EXPECT_ROUTE(0, HCR_E2H | THE_MO, {{EL2, EL2, EL2, NA}, {EL2, EL2, NO, NA}});
}

// In a host the masks of EL0 hold against an interrupt for EL2.
TEST(interrupt_goes_to_el2_in_a_host_and_is_maskable_at_el0)
{
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	EXPECT_ROUTE(0, HCR_E2H | HCR_TGE, {{EL2, NA, EL2, NA}, {NO, NA, NO, NA}});
}

// ---- SCR_EL3 = 1 --------------------------------------------------------------------------------

TEST(interrupt_goes_to_el3_with_scr_irq_fiq_unmaskably)
{
	EXPECT_ROUTE(THE_SCR, 0, {{EL3, EL3, EL3, NA}, {EL3, EL3, EL3, NA}});
}

TEST(scr_irq_fiq_come_before_imo_fmo_and_tge)
{
	EXPECT_ROUTE(THE_SCR, THE_MO, {{EL3, EL3, EL3, NA}, {EL3, EL3, EL3, NA}});
	EXPECT_ROUTE(THE_SCR, HCR_TGE, {{EL3, NA, EL3, NA}, {EL3, NA, EL3, NA}});
}

TEST(scr_irq_fiq_come_before_a_host)
{
	SKIP_UNLESS(HAS_VHE, "no FEAT_VHE");
	EXPECT_ROUTE(THE_SCR, HCR_TGE | HCR_E2H, {{EL3, NA, EL3, NA}, {EL3, NA, EL3, NA}});
}

TEST(imo_does_not_route_fiq_and_fmo_does_not_route_irq)
{
	pend(true, false);
	write_sysreg(hcr_el2, HCR_BASE | HCR_IMO);
	struct exc fiq = run_at_spsr(SPSR_M_EL0T, spin);
	guest_reset();
	pend(false, false);
	write_sysreg(hcr_el2, HCR_BASE | HCR_FMO);
	struct exc irq = run_at_spsr(SPSR_M_EL0T, spin);

	EXPECT_INTERRUPT(fiq, EL1, VECTOR_FIQ);
	EXPECT_INTERRUPT(irq, EL1, VECTOR_IRQ);
}

TEST(scr_irq_does_not_route_fiq)
{
	pend(true, false);
	write_sysreg(scr_el3, SCR_BASE | SCR_IRQ);
	struct exc fiq = run_at_spsr(SPSR_M_EL0T, spin);

	EXPECT_INTERRUPT(fiq, EL1, VECTOR_FIQ);
}

TEST(interrupt_at_el3_is_taken_with_scr_fiq_and_mask_clear)
{
	pend(true, false);
	write_sysreg(scr_el3, SCR_BASE | SCR_FIQ);
	struct exc open = run_at_spsr(guest_spsr(EL3) & ~SPSR_F, spin);
	struct exc masked = run_at(EL3, window);

	EXPECT_INTERRUPT(open, EL3, VECTOR_FIQ);
	EXPECT_NO_EXC(masked);
}

TEST(interrupt_at_el3_is_not_taken_without_scr_fiq)
{
	pend(true, false);
	struct exc e = run_at_spsr(guest_spsr(EL3) & ~SPSR_F, window);

	EXPECT_NO_EXC(e);
}

// ---- Secure state -------------------------------------------------------------------------------

TEST(secure_interrupts_go_to_secure_el1)
{
	const struct route route = {{EL1, EL1, NA, NA}, {NO, NO, NA, NA}};

	for (unsigned fiq = 0; fiq < 2; fiq++) {
		guest_reset();
		pend(fiq, true);
		write_sysreg(scr_el3, SECURE);
		write_sysreg(hcr_el2, HCR_BASE | HCR_IMO | HCR_FMO); // no effect: EL2 is disabled
		expect_route(__LINE__, fiq, &route, EL1);
	}
}

TEST(secure_interrupts_go_to_secure_el2_with_eel2_and_imo_fmo)
{
	const struct route route = {{EL2, EL2, EL2, NA}, {EL2, EL2, NO, NA}};

	SKIP_UNLESS(HAS_SEL2, "no FEAT_SEL2");
	for (unsigned fiq = 0; fiq < 2; fiq++) {
		guest_reset();
		pend(fiq, true);
		write_sysreg(scr_el3, SECURE | SCR_EEL2);
		write_sysreg(hcr_el2, HCR_BASE | HCR_IMO | HCR_FMO);
		expect_route(__LINE__, fiq, &route, EL2);
	}
}

TEST(secure_interrupts_go_to_el3_with_scr)
{
	const struct route route = {{EL3, EL3, NA, NA}, {EL3, EL3, NA, NA}};

	for (unsigned fiq = 0; fiq < 2; fiq++) {
		guest_reset();
		pend(fiq, true);
		write_sysreg(scr_el3, SECURE | SCR_IRQ | SCR_FIQ);
		expect_route(__LINE__, fiq, &route, EL1);
	}
}

TEST(non_secure_group_1_is_fiq_in_secure_state)
{
	pend(false, false);
	write_sysreg(scr_el3, SECURE | SCR_FIQ);
	struct exc e = run_at_spsr(SPSR_M_EL1H, spin);

	EXPECT_INTERRUPT(e, EL3, VECTOR_FIQ);
}

// ---- Order and moment ---------------------------------------------------------------------------

TEST(fiq_and_irq_pending_together_are_both_taken_in_turn)
{
	gic_init();
	gic_enable(SGI, GIC_G0, 0x20);
	gic_set_pending(SGI, true);
	struct exc first = run_at_spsr(SPSR_M_EL0T, spin);
	gic_set_pending(SGI, false);
	struct exc none = run_at_spsr(SPSR_M_EL1H, window);

	EXPECT_INTERRUPT(first, EL1, VECTOR_FIQ);
	EXPECT_NO_EXC(none);
}

TEST(unmasking_takes_the_pending_interrupt_with_the_next_instruction_as_return_address)
{
	pend(false, false);
	struct exc e = run_at(EL1, unmask);

	EXPECT_INTERRUPT(e, EL1, VECTOR_IRQ);
	// Before ISB it may be recognised at either of two places.
	EXPECT_TRUE(e.elr >= (uint64_t)unmask + 4 && e.elr <= (uint64_t)unmask + 8);
	EXPECT_MASKED(e.spsr, SPSR_DAIF, 0);
	EXPECT_MASKED(e.pstate, SPSR_DAIF, SPSR_DAIF);
}

TEST(isr_el1_shows_physical_interrupts)
{
	pend(false, false);
	struct exc irq = run_at(EL1, read_isr);
	guest_reset();
	pend(true, false);
	struct exc fiq = run_at(EL1, read_isr);
	guest_reset();
	struct exc none = run_at(EL1, read_isr);

	EXPECT_REG(irq, 0, BIT(7));
	EXPECT_REG(fiq, 0, BIT(6));
	EXPECT_REG(none, 0, 0);
}

TEST(isr_el1_at_el1_shows_virtual_interrupts_with_imo_fmo_amo)
{
	write_sysreg(hcr_el2, HCR_BASE | HCR_IMO | HCR_FMO | HCR_AMO | HCR_VI | HCR_VF | HCR_VSE);
	struct exc e1 = run_at(EL1, read_isr);
	struct exc e2 = run_at(EL2, read_isr);

	EXPECT_REG(e1, 0, BIT(8) | BIT(7) | BIT(6));
	EXPECT_REG(e2, 0, 0);
}

TEST(wfi_ends_with_a_masked_interrupt_pending)
{
	pend(false, false);
	struct exc e = run_at(EL1, emit(0xd503207f)); // WFI

	EXPECT_NO_EXC(e);
}

// ---- Virtual interrupts by HCR_EL2 --------------------------------------------------------------

static void expect_virtual(int line, uint64_t vbit, uint64_t mo, uint64_t mask, uint64_t kind)
{
	guest_reset();
	write_sysreg(hcr_el2, HCR_BASE | mo | vbit);
	struct exc e0 = run_at_spsr(guest_spsr(EL0) & ~mask, spin);
	struct exc e1 = run_at_spsr(guest_spsr(EL1) & ~mask, spin);
	struct exc masked = run_at(EL1, window);
	struct exc e2 = run_at_spsr(guest_spsr(EL2) & ~mask, window);
	write_sysreg(hcr_el2, HCR_BASE | vbit);
	struct exc no_mo = run_at_spsr(guest_spsr(EL1) & ~mask, window);

	guest_expect_interrupt("EL0", line, &e0, EL1, kind);
	guest_expect_interrupt("EL1", line, &e1, EL1, kind);
	guest_expect_no_exc("masked", line, &masked);
	guest_expect_no_exc("EL2", line, &e2);
	guest_expect_no_exc("without MO", line, &no_mo);
}

TEST(hcr_vi_is_a_virtual_irq_for_el1_with_imo)
{
	expect_virtual(__LINE__, HCR_VI, HCR_IMO, SPSR_I, VECTOR_IRQ);
}

TEST(hcr_vf_is_a_virtual_fiq_for_el1_with_fmo)
{
	expect_virtual(__LINE__, HCR_VF, HCR_FMO, SPSR_F, VECTOR_FIQ);
}

TEST(virtual_interrupts_are_disabled_by_tge)
{
	write_sysreg(hcr_el2, HCR_BASE | HCR_TGE | HCR_IMO | HCR_FMO | HCR_VI | HCR_VF);
	struct exc e = run_at_spsr(SPSR_M_EL0T, emit(0xd503201f));

	EXPECT_NO_EXC(e);
}

TEST(virtual_interrupts_are_disabled_in_secure_state_without_secure_el2)
{
	write_sysreg(hcr_el2, HCR_BASE | HCR_IMO | HCR_FMO | HCR_VI | HCR_VF);
	write_sysreg(scr_el3, SECURE);
	struct exc e = run_at_spsr(SPSR_M_EL1H, window);

	EXPECT_NO_EXC(e);
}

TEST(virtual_interrupts_reach_secure_el1_with_secure_el2)
{
	SKIP_UNLESS(HAS_SEL2, "no FEAT_SEL2");
	write_sysreg(hcr_el2, HCR_BASE | HCR_IMO | HCR_FMO | HCR_VI);
	write_sysreg(scr_el3, SECURE | SCR_EEL2);
	struct exc e = run_at_spsr(SPSR_M_EL1H, spin);

	EXPECT_INTERRUPT(e, EL1, VECTOR_IRQ);
}

TEST(physical_irq_goes_to_el2_while_a_virtual_one_is_pending)
{
	pend(false, false);
	write_sysreg(hcr_el2, HCR_BASE | HCR_IMO | HCR_VI);
	struct exc e = run_at_spsr(guest_spsr(EL1), spin); // I masks the virtual one only

	EXPECT_INTERRUPT(e, EL2, VECTOR_IRQ);
}

// ---- Virtual SError -----------------------------------------------------------------------------

#define VSESR_EL2 S3_4_C5_C2_3
#define VDISR_EL2 S3_4_C12_C1_1
#define DISR_EL1 S3_0_C12_C1_1
#define ESR_IDS BIT(24)
#define DISR_A BIT(31)

SNIPPET(esb, "hint #16\n\tmrs x0, S3_0_C12_C1_1");
SNIPPET(read_disr, "mrs x0, S3_0_C12_C1_1");
SNIPPET(clear_disr, "msr S3_0_C12_C1_1, xzr");

TEST(hcr_vse_is_a_virtual_serror_for_el1_with_vsesr_as_syndrome)
{
	NEEDS_RAS;
	write_sysreg(VSESR_EL2, ESR_IDS | 0x123456);
	write_sysreg(hcr_el2, HCR_BASE | HCR_AMO | HCR_VSE);
	struct exc e = run_at_spsr(guest_spsr(EL1) & ~SPSR_A, spin);

	EXPECT_EXC_AT(e, EL1, 0x380, ESR(EC_SERROR, ESR_IDS | 0x123456));
	EXPECT_EQ(e.elr, spin);
}

TEST(taking_a_virtual_serror_clears_hcr_vse)
{
	NEEDS_RAS;
	write_sysreg(VSESR_EL2, 0);
	write_sysreg(hcr_el2, HCR_BASE | HCR_AMO | HCR_VSE);
	struct exc e = run_at_spsr(guest_spsr(EL0) & ~SPSR_A, spin);
	struct exc again = run_at_spsr(guest_spsr(EL1) & ~SPSR_A, window);

	EXPECT_EXC_AT(e, EL1, 0x580, ESR(EC_SERROR, 0));
	EXPECT_MASKED(read_sysreg(hcr_el2), HCR_VSE, 0);
	EXPECT_NO_EXC(again);
}

TEST(virtual_serror_is_masked_by_pstate_a)
{
	write_sysreg(hcr_el2, HCR_BASE | HCR_AMO | HCR_VSE);
	struct exc e = run_at(EL1, window);
	struct exc at_el2 = run_at_spsr(guest_spsr(EL2) & ~SPSR_A, window);

	EXPECT_NO_EXC(e);
	EXPECT_NO_EXC(at_el2);
	EXPECT_MASKED(read_sysreg(hcr_el2), HCR_VSE, HCR_VSE);
}

TEST(virtual_serror_needs_amo)
{
	write_sysreg(hcr_el2, HCR_BASE | HCR_VSE);
	struct exc e = run_at_spsr(guest_spsr(EL1) & ~SPSR_A, window);

	EXPECT_NO_EXC(e);
}

TEST(virtual_serror_is_disabled_by_tge)
{
	write_sysreg(hcr_el2, HCR_BASE | HCR_VSE | HCR_AMO | HCR_TGE);
	struct exc e = run_at_spsr(guest_spsr(EL0) & ~SPSR_A, emit(0xd503201f));

	EXPECT_NO_EXC(e);
}

TEST(esb_defers_a_masked_virtual_serror_to_vdisr)
{
	NEEDS_RAS;
	write_sysreg(VSESR_EL2, ESR_IDS | 0x4321);
	write_sysreg(VDISR_EL2, 0);
	write_sysreg(hcr_el2, HCR_BASE | HCR_AMO | HCR_VSE);
	struct exc e = run_at(EL1, esb);

	EXPECT_NO_EXC(e);
	EXPECT_REG(e, 0, DISR_A | ESR_IDS | 0x4321); // DISR_EL1 is VDISR_EL2 there
	EXPECT_EQ(read_sysreg(VDISR_EL2), DISR_A | ESR_IDS | 0x4321);
	EXPECT_MASKED(read_sysreg(hcr_el2), HCR_VSE, 0);
	EXPECT_EQ(read_sysreg(DISR_EL1), 0);
}

TEST(esb_without_a_pending_error_leaves_disr)
{
	NEEDS_RAS;
	write_sysreg(DISR_EL1, 0);
	write_sysreg(VDISR_EL2, 0);
	for (enum el el = EL1; el <= EL3; el++) {
		struct exc e = run_at(el, esb);

		EXPECT_NO_EXC(e);
		EXPECT_REG(e, 0, 0);
	}
}

TEST(disr_el1_means_vdisr_at_el1_with_amo)
{
	NEEDS_RAS;
	write_sysreg(VDISR_EL2, DISR_A | 0x55);
	write_sysreg(DISR_EL1, 0);
	struct exc plain = run_at(EL1, read_disr);
	write_sysreg(hcr_el2, HCR_BASE | HCR_AMO);
	struct exc amo = run_at(EL1, read_disr);
	struct exc el2 = run_at(EL2, read_disr);
	(void)run_at(EL1, clear_disr);

	EXPECT_REG(plain, 0, 0);
	EXPECT_REG(amo, 0, DISR_A | 0x55);
	EXPECT_REG(el2, 0, 0);
	EXPECT_EQ(read_sysreg(VDISR_EL2), 0);
}

TEST(disr_el1_is_raz_wi_below_el3_with_scr_ea)
{
	NEEDS_RAS;
	write_sysreg(DISR_EL1, DISR_A | 0x66);
	write_sysreg(scr_el3, SCR_BASE | SCR_EA);
	struct exc e1 = run_at(EL1, read_disr);
	struct exc e2 = run_at(EL2, read_disr);
	(void)run_at(EL1, clear_disr);

	EXPECT_REG(e1, 0, 0);
	EXPECT_REG(e2, 0, 0);
	EXPECT_EQ(read_sysreg(DISR_EL1), DISR_A | 0x66);
	write_sysreg(DISR_EL1, 0);
}
