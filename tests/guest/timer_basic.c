// SPDX-License-Identifier: Apache-2.0
//
// timer_basic.c - the generic timers: counters and their offset, the comparators' registers, each
// timer's interrupt at each level, the meaning of the names under E2H, waiting in WFI and the event
// stream. Rules: Arm ARM D11.2.

#include "guest.h"
#include "gic.h"

#define FAR_AWAY (1ul << 40)

SNIPPET(wait_long, "mov x9, #0x2000000\n1:\tsubs x9, x9, #1\n\tb.ne 1b");
SNIPPET(wait_a_little, "mov x9, #0x1000\n1:\tsubs x9, x9, #1\n\tb.ne 1b");
SNIPPET(read_counts, "isb\n\tmrs x0, cntpct_el0\n\tisb\n\tmrs x1, cntvct_el0\n\tisb\n\t"
		     "mrs x2, cntpct_el0");
SNIPPET(read_vct, "isb\n\tmrs x0, cntvct_el0\n\tmrs x1, cntfrq_el0");
SNIPPET(set_names, "msr cntp_cval_el0, x0\n\tmsr cntv_cval_el0, x1\n\tisb");
SNIPPET(set_names_el02, "msr cntp_cval_el02, x0\n\tmsr cntv_cval_el02, x1\n\tisb");
SNIPPET(get_names, "mrs x0, cntp_cval_el0\n\tmrs x1, cntv_cval_el0");

static bool has_vhe(void)
{
	return id_field(read_sysreg(id_aa64mmfr1_el1), 8);
}

static bool has_sel2(void)
{
	return id_field(read_sysreg(id_aa64pfr0_el1), 36);
}

// Whether a timer of the tests' macros exists.
#define exists_cntp() true
#define exists_cntv() true
#define exists_cnthp() true
#define exists_cntps() true
#define exists_cnthv() has_vhe()

static uint64_t now(void)
{
	dsb_isb();
	return read_sysreg(cntpct_el0);
}

// ---- Counters -----------------------------------------------------------------------------------

TEST(frequency)
{
	QEMU_11_DIFFERS("its board counts at 1 GHz");
	struct exc e = run_at(EL0, read_vct);

	EXPECT_NO_EXC(e);
	EXPECT_REG(e, 1, 62500000);
}

TEST(counts_agree_without_offset)
{
	for (enum el el = EL0; el <= EL3; el++) {
		struct exc e = run_at(el, read_counts);

		EXPECT_NO_EXC(e);
		EXPECT_TRUE(e.x[0] <= e.x[1] && e.x[1] <= e.x[2]);
	}
}

TEST(count_goes_on)
{
	uint64_t before = now();

	run_at(EL1, wait_a_little);
	EXPECT_TRUE(now() > before);
}

TEST(offset_is_subtracted_from_the_virtual_count)
{
	write_sysreg(cntvoff_el2, 0x123456789a);
	for (enum el el = EL0; el <= EL2; el++) {
		struct exc e = run_at(el, read_counts);

		EXPECT_TRUE(e.x[0] <= e.x[1] + 0x123456789a && e.x[1] + 0x123456789a <= e.x[2]);
	}
}

TEST(offset_beyond_the_count_wraps)
{
	write_sysreg(cntvoff_el2, FAR_AWAY);
	struct exc e = run_at(EL1, read_counts);

	EXPECT_TRUE((int64_t)e.x[1] < 0);
	EXPECT_TRUE(e.x[0] <= e.x[1] + FAR_AWAY && e.x[1] + FAR_AWAY <= e.x[2]);
}

TEST(host_sees_no_offset)
{
	SKIP_UNLESS(has_vhe(), "no FEAT_VHE");
	write_sysreg(cntvoff_el2, FAR_AWAY);
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H);
	struct exc e = run_at(EL2, read_counts);

	EXPECT_TRUE(e.x[0] <= e.x[1] && e.x[1] <= e.x[2]);
	// EL0 of a guest does, EL0 of the host does not.
	write_sysreg(cnthctl_el2, CNTHCTL_E2H_EL1PCTEN);
	e = run_at(EL0, read_counts);
	EXPECT_NO_EXC(e);
	EXPECT_TRUE((int64_t)e.x[1] < 0);
	write_sysreg(cnthctl_el2, CNTHCTL_E2H_EL0PCTEN | CNTHCTL_E2H_EL0VCTEN);
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H | HCR_TGE);
	e = run_at(EL0, read_counts);
	EXPECT_NO_EXC(e);
	EXPECT_TRUE(e.x[0] <= e.x[1] && e.x[1] <= e.x[2]);
}

// ---- Comparators --------------------------------------------------------------------------------

// The same checks for every timer, whose registers differ in name only.
#define COMPARATOR_TESTS(timer, el) \
	TEST(timer##_condition) \
	{ \
		SKIP_UNLESS(exists_##timer(), "no such timer"); \
		write_sysreg(timer##_cval_##el, now() + FAR_AWAY); \
		EXPECT_EQ(read_sysreg(timer##_ctl_##el), 0); \
		write_sysreg(timer##_ctl_##el, CNT_CTL_ENABLE); \
		EXPECT_EQ(read_sysreg(timer##_ctl_##el), CNT_CTL_ENABLE); \
		write_sysreg(timer##_cval_##el, 0); \
		EXPECT_EQ(read_sysreg(timer##_ctl_##el), CNT_CTL_ENABLE | CNT_CTL_ISTATUS); \
		write_sysreg(timer##_ctl_##el, CNT_CTL_ENABLE | CNT_CTL_IMASK); \
		EXPECT_EQ(read_sysreg(timer##_ctl_##el), \
			  CNT_CTL_ENABLE | CNT_CTL_IMASK | CNT_CTL_ISTATUS); \
		write_sysreg(timer##_cval_##el, ~0ul); \
		EXPECT_EQ(read_sysreg(timer##_ctl_##el), CNT_CTL_ENABLE | CNT_CTL_IMASK); \
	} \
	TEST(timer##_timer_value) \
	{ \
		SKIP_UNLESS(exists_##timer(), "no such timer"); \
		uint64_t before = now(); \
		write_sysreg(timer##_tval_##el, 0x10000000); \
		uint64_t cval = read_sysreg(timer##_cval_##el); \
		uint64_t after = now(); \
		EXPECT_TRUE(before + 0x10000000 <= cval && cval <= after + 0x10000000); \
		write_sysreg(timer##_ctl_##el, CNT_CTL_ENABLE | CNT_CTL_IMASK); \
		uint64_t tval = read_sysreg(timer##_tval_##el); \
		EXPECT_TRUE(tval <= 0x10000000 && tval > 0x10000000 - 0x1000000); \
		/* Sign-extended: the condition is met at once. */ \
		run_at(EL1, wait_a_little); \
		write_sysreg(timer##_tval_##el, 0xffffffff); \
		EXPECT_TRUE(read_sysreg(timer##_cval_##el) < now()); \
		EXPECT_MASKED(read_sysreg(timer##_ctl_##el), CNT_CTL_ISTATUS, CNT_CTL_ISTATUS); \
		/* It goes on counting down, in 32 bits. */ \
		tval = read_sysreg(timer##_tval_##el); \
		EXPECT_TRUE(tval >> 32 == 0 && tval > 0x80000000); \
	}

COMPARATOR_TESTS(cntp, el0)
COMPARATOR_TESTS(cntv, el0)
COMPARATOR_TESTS(cnthp, el2)
COMPARATOR_TESTS(cntps, el1)
COMPARATOR_TESTS(cnthv, el2)

TEST(virtual_timer_compares_with_the_virtual_count)
{
	write_sysreg(cntv_cval_el0, now() + FAR_AWAY / 2);
	write_sysreg(cntv_ctl_el0, CNT_CTL_ENABLE);
	EXPECT_EQ(read_sysreg(cntv_ctl_el0), CNT_CTL_ENABLE);
	// A negative offset moves the virtual count ahead; a positive one beyond zero, that is far
	// ahead.
	write_sysreg(cntvoff_el2, -FAR_AWAY);
	EXPECT_EQ(read_sysreg(cntv_ctl_el0), CNT_CTL_ENABLE | CNT_CTL_ISTATUS);
	write_sysreg(cntvoff_el2, 0);
	EXPECT_EQ(read_sysreg(cntv_ctl_el0), CNT_CTL_ENABLE);
	write_sysreg(cntvoff_el2, FAR_AWAY);
	EXPECT_EQ(read_sysreg(cntv_ctl_el0), CNT_CTL_ENABLE | CNT_CTL_ISTATUS);
}

// ---- Interrupts ---------------------------------------------------------------------------------

#define DELAY 2000

#define FIRE(timer, el, intid, scr, hcr, spsr, to) \
	do { \
		SKIP_UNLESS(exists_##timer(), "no such timer"); \
		if (intid == INTID_CNTHV) { \
			QEMU_7_DIFFERS("the board does not connect CNTHV"); \
		} \
		gic_init(); \
		gic_enable(intid, GIC_G1NS, 0xa0); \
		write_sysreg(scr_el3, scr); \
		write_sysreg(hcr_el2, hcr); \
		write_sysreg(timer##_tval_##el, DELAY); \
		uint64_t cval = read_sysreg(timer##_cval_##el); \
		write_sysreg(timer##_ctl_##el, CNT_CTL_ENABLE); \
		struct exc e = run_at_spsr(spsr, wait_long); \
		write_sysreg(scr_el3, SCR_BASE); \
		EXPECT_INTERRUPT(e, to, VECTOR_IRQ); \
		EXPECT_TRUE(now() - read_sysreg(cntvoff_el2) >= cval); \
		EXPECT_EQ(read_sysreg(timer##_ctl_##el), CNT_CTL_ENABLE | CNT_CTL_ISTATUS); \
		EXPECT_TRUE(gic_is_pending(intid)); \
		EXPECT_EQ(read_sysreg(icc_iar1_el1), intid); \
		EXPECT_TRUE(gic_is_pending(intid)); /* level-sensitive: active and pending */ \
		write_sysreg(timer##_ctl_##el, CNT_CTL_ENABLE | CNT_CTL_IMASK); \
		EXPECT_TRUE(!gic_is_pending(intid) && gic_is_active(intid)); \
		write_sysreg(icc_eoir1_el1, intid); \
		EXPECT_EQ(read_sysreg(icc_iar1_el1), INTID_SPURIOUS); \
	} while (0)

#define INTERRUPT_TESTS(timer, el, intid) \
	TEST(timer##_fires_from_el0_to_el1) \
	{ \
		FIRE(timer, el, intid, SCR_BASE, HCR_BASE, SPSR_M_EL0T, EL1); \
	} \
	TEST(timer##_fires_at_el1) \
	{ \
		FIRE(timer, el, intid, SCR_BASE, HCR_BASE, SPSR_M_EL1H, EL1); \
	} \
	TEST(timer##_fires_from_el1_to_el2) \
	{ \
		FIRE(timer, el, intid, SCR_BASE, HCR_BASE | HCR_IMO, SPSR_M_EL1H | SPSR_DAIF, \
		     EL2); \
	} \
	TEST(timer##_fires_at_el2) \
	{ \
		FIRE(timer, el, intid, SCR_BASE, HCR_BASE | HCR_IMO, SPSR_M_EL2H, EL2); \
	} \
	TEST(timer##_fires_from_el2_to_el3) \
	{ \
		FIRE(timer, el, intid, SCR_BASE | SCR_IRQ, HCR_BASE | HCR_IMO, \
		     SPSR_M_EL2H | SPSR_DAIF, EL3); \
	}

INTERRUPT_TESTS(cntp, el0, INTID_CNTP)
INTERRUPT_TESTS(cntv, el0, INTID_CNTV)
INTERRUPT_TESTS(cnthp, el2, INTID_CNTHP)
INTERRUPT_TESTS(cntps, el1, INTID_CNTPS)
INTERRUPT_TESTS(cnthv, el2, INTID_CNTHV)

TEST(virtual_timer_fires_by_the_virtual_count)
{
	write_sysreg(cntvoff_el2, 0x100000000);
	write_sysreg(cntv_cval_el0, ~0ul);
	gic_init();
	gic_enable(INTID_CNTV, GIC_G1NS, 0xa0);
	write_sysreg(cntvoff_el2, -0x100000000ul);
	uint64_t target = now() + 0x100000000ul + DELAY;
	write_sysreg(cntv_cval_el0, target);
	write_sysreg(cntv_ctl_el0, CNT_CTL_ENABLE);
	struct exc e = run_at_spsr(SPSR_M_EL1H, wait_long);

	EXPECT_INTERRUPT(e, EL1, VECTOR_IRQ);
	EXPECT_TRUE(now() + 0x100000000ul >= target);
}

TEST(secure_timer_as_secure_group1_interrupts_secure_el1)
{
	gic_init();
	gic_enable(INTID_CNTPS, GIC_G1S, 0x20);
	write_sysreg(cntps_tval_el1, DELAY);
	write_sysreg(cntps_ctl_el1, CNT_CTL_ENABLE);
	write_sysreg(scr_el3, SCR_BASE & ~SCR_NS);
	struct exc e = run_at_spsr(SPSR_M_EL1H, wait_long);

	write_sysreg(scr_el3, SCR_BASE);
	EXPECT_INTERRUPT(e, EL1, VECTOR_IRQ);
}

TEST(secure_timer_as_group0_interrupts_el3)
{
	gic_init();
	gic_enable(INTID_CNTPS, GIC_G0, 0x20);
	write_sysreg(cntps_tval_el1, DELAY);
	write_sysreg(cntps_ctl_el1, CNT_CTL_ENABLE);
	write_sysreg(scr_el3, SCR_BASE | SCR_FIQ);
	struct exc e = run_at_spsr(SPSR_M_EL2H | SPSR_DAIF, wait_long);

	write_sysreg(scr_el3, SCR_BASE);
	EXPECT_INTERRUPT(e, EL3, VECTOR_FIQ);
}

// The Secure EL2 timers' registers exist in the Secure state only; SBSA gives them PPIs 4 and 3.
TEST(secure_el2_timers_fire)
{
	SKIP_UNLESS(has_sel2(), "no FEAT_SEL2");
	QEMU_7_DIFFERS("the Secure EL2 timers are not there");
	gic_init();
	gic_enable(20, GIC_G1S, 0x20);
	gic_enable(19, GIC_G1S, 0x20);
	write_sysreg(scr_el3, (SCR_BASE & ~SCR_NS) | SCR_EEL2);
	write_sysreg(hcr_el2, HCR_BASE | HCR_IMO);
	write_sysreg(cnthps_tval_el2, DELAY);
	write_sysreg(cnthps_ctl_el2, CNT_CTL_ENABLE);
	struct exc physical = run_at_spsr(SPSR_M_EL1H, wait_long);
	uint64_t intid = read_sysreg(icc_hppir1_el1);

	write_sysreg(cnthps_ctl_el2, 0);
	write_sysreg(cnthvs_tval_el2, DELAY);
	write_sysreg(cnthvs_ctl_el2, CNT_CTL_ENABLE);
	struct exc virtual = run_at_spsr(SPSR_M_EL1H, wait_long);
	uint64_t virtual_intid = read_sysreg(icc_hppir1_el1);

	write_sysreg(cnthvs_ctl_el2, 0);
	write_sysreg(scr_el3, SCR_BASE);
	EXPECT_INTERRUPT(physical, EL2, VECTOR_IRQ);
	EXPECT_INTERRUPT(virtual, EL2, VECTOR_IRQ);
	EXPECT_EQ(intid, 20);
	EXPECT_EQ(virtual_intid, 19);
}

TEST(masked_and_disabled_timers_do_not_fire)
{
	gic_init();
	gic_enable(INTID_CNTP, GIC_G1NS, 0xa0);
	write_sysreg(cntp_cval_el0, 0);
	write_sysreg(cntp_ctl_el0, CNT_CTL_ENABLE | CNT_CTL_IMASK);
	struct exc e = run_at_spsr(SPSR_M_EL1H, wait_a_little);

	EXPECT_NO_EXC(e);
	write_sysreg(cntp_ctl_el0, 0);
	e = run_at_spsr(SPSR_M_EL1H, wait_a_little);
	EXPECT_NO_EXC(e);
	EXPECT_TRUE(!gic_is_pending(INTID_CNTP));
	write_sysreg(cntp_ctl_el0, CNT_CTL_ENABLE);
	e = run_at_spsr(SPSR_M_EL1H, wait_a_little);
	EXPECT_INTERRUPT(e, EL1, VECTOR_IRQ);
}

// ---- Names under E2H ----------------------------------------------------------------------------

#define MARK_P 0x1111111111111111ul
#define MARK_V 0x2222222222222222ul

TEST(el2_with_e2h_means_its_own_timers)
{
	SKIP_UNLESS(has_vhe(), "no FEAT_VHE");
	write_sysreg(cntp_cval_el0, 0);
	write_sysreg(cntv_cval_el0, 0);
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H);
	run_at(EL2, set_names, MARK_P, MARK_V);
	EXPECT_EQ(read_sysreg(cnthp_cval_el2), MARK_P);
	EXPECT_EQ(read_sysreg(cnthv_cval_el2), MARK_V);
	EXPECT_EQ(read_sysreg(cntp_cval_el0), 0);
	EXPECT_EQ(read_sysreg(cntv_cval_el0), 0);
	struct exc e = run_at(EL2, get_names);

	EXPECT_REG(e, 0, MARK_P);
	EXPECT_REG(e, 1, MARK_V);
	run_at(EL2, set_names_el02, MARK_V, MARK_P);
	EXPECT_EQ(read_sysreg(cntp_cval_el0), MARK_V);
	EXPECT_EQ(read_sysreg(cntv_cval_el0), MARK_P);
	EXPECT_EQ(read_sysreg(cnthp_cval_el2), MARK_P);
}

TEST(el1_under_e2h_means_the_el1_timers)
{
	SKIP_UNLESS(has_vhe(), "no FEAT_VHE");
	write_sysreg(cnthp_cval_el2, 0);
	write_sysreg(cnthv_cval_el2, 0);
	write_sysreg(cnthctl_el2, CNTHCTL_E2H_EL1PCTEN | CNTHCTL_E2H_EL1PTEN);
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H);
	struct exc e = run_at(EL1, set_names, MARK_P, MARK_V);

	EXPECT_NO_EXC(e);
	EXPECT_EQ(read_sysreg(cntp_cval_el0), MARK_P);
	EXPECT_EQ(read_sysreg(cntv_cval_el0), MARK_V);
	EXPECT_EQ(read_sysreg(cnthp_cval_el2), 0);
	EXPECT_EQ(read_sysreg(cnthv_cval_el2), 0);
}

TEST(el0_of_the_host_means_the_el2_timers)
{
	SKIP_UNLESS(has_vhe(), "no FEAT_VHE");
	write_sysreg(cntp_cval_el0, 0);
	write_sysreg(cntv_cval_el0, 0);
	write_sysreg(cnthctl_el2, CNTHCTL_E2H_EL0VTEN | CNTHCTL_E2H_EL0PTEN);
	write_sysreg(hcr_el2, HCR_BASE | HCR_E2H | HCR_TGE);
	struct exc e = run_at(EL0, set_names, MARK_P, MARK_V);

	EXPECT_NO_EXC(e);
	EXPECT_EQ(read_sysreg(cnthp_cval_el2), MARK_P);
	EXPECT_EQ(read_sysreg(cnthv_cval_el2), MARK_V);
	EXPECT_EQ(read_sysreg(cntp_cval_el0), 0);
}

// ---- Waiting ------------------------------------------------------------------------------------

SNIPPET(wfi_once, "wfi\n\tisb\n\tmrs x0, cntpct_el0");

TEST(wfi_ends_with_a_masked_timer_interrupt)
{
	gic_init();
	gic_enable(INTID_CNTP, GIC_G1NS, 0xa0);
	write_sysreg(cntp_tval_el0, 100000);
	uint64_t cval = read_sysreg(cntp_cval_el0);
	write_sysreg(cntp_ctl_el0, CNT_CTL_ENABLE);
	struct exc e = run_at(EL1, wfi_once);

	EXPECT_NO_EXC(e);
	EXPECT_TRUE(e.x[0] >= cval);
}

TEST(wfi_ends_with_an_interrupt_for_el3)
{
	gic_init();
	gic_enable(INTID_CNTPS, GIC_G0, 0x20);
	write_sysreg(cntps_tval_el1, 100000);
	write_sysreg(cntps_ctl_el1, CNT_CTL_ENABLE);
	write_sysreg(scr_el3, SCR_BASE | SCR_FIQ);
	struct exc e = run_at(EL1, wfi_once);

	write_sysreg(scr_el3, SCR_BASE);
	EXPECT_INTERRUPT(e, EL3, VECTOR_FIQ);
	EXPECT_EQ(e.elr, wfi_once + 4);
}

// The first WFE takes the event that the exception return left (Arm ARM D1.6.1), the second waits
// for the stream.
SNIPPET(wfe_stream, "wfe\n\tisb\n\tmrs x0, cntvct_el0\n\twfe\n\tisb\n\tmrs x1, cntvct_el0");

// Bit 7 of the count rises at 128 modulo 256, and falls at 0.
TEST(event_stream_of_cntkctl_wakes_wfe)
{
	QEMU_DIFFERS("WFE does not wait, or by the host's time");
	write_sysreg(cntkctl_el1, CNTKCTL_BASE | 4 | 7 << 4);
	struct exc e = run_at(EL1, wfe_stream);

	EXPECT_NO_EXC(e);
	EXPECT_EQ((e.x[1] + 128) >> 8, ((e.x[0] + 128) >> 8) + 1);
	EXPECT_TRUE(((e.x[1] + 128) & 255) < 16); // woken at the transition
}

TEST(event_stream_of_cnthctl_wakes_wfe)
{
	QEMU_DIFFERS("WFE does not wait, or by the host's time");
	write_sysreg(cnthctl_el2, CNTHCTL_BASE | 4 | 8 | 7 << 4);
	struct exc e = run_at(EL1, wfe_stream);

	EXPECT_NO_EXC(e);
	EXPECT_EQ(e.x[1] >> 8, (e.x[0] >> 8) + 1);
	EXPECT_TRUE((e.x[1] & 255) < 16);
}
