// SPDX-License-Identifier: Apache-2.0
//
// gic_cpu.c - the physical CPU interface: acknowledge, end, priorities, preemption, binary points,
// EOImode, special INTIDs, the views of the two Security states, SGIs. Rules: IHI 0069, chapters 4
// and 12.2.

#include "guest.h"
#include "gic.h"

#define GICD 0x08000000ul
#define GICR_SGI 0x080b0000ul

SNIPPET(read_iar0, "mrs x0, icc_iar0_el1\n\tisb");
SNIPPET(read_iar1, "mrs x0, icc_iar1_el1\n\tisb");
SNIPPET(read_hppir, "mrs x0, icc_hppir0_el1\n\tmrs x1, icc_hppir1_el1");
SNIPPET(write_eoir0, "msr icc_eoir0_el1, x0\n\tisb");
SNIPPET(write_eoir1, "msr icc_eoir1_el1, x0\n\tisb");
SNIPPET(write_dir, "msr icc_dir_el1, x0\n\tisb");
SNIPPET(read_views, "mrs x0, icc_pmr_el1\n\tmrs x1, icc_rpr_el1\n\tmrs x2, icc_bpr1_el1\n\t"
		    "mrs x3, icc_ctlr_el1\n\tmrs x4, icc_igrpen1_el1");
SNIPPET(write_pmr, "msr icc_pmr_el1, x0\n\tisb");
SNIPPET(write_bpr1, "msr icc_bpr1_el1, x0\n\tisb");
SNIPPET(write_ctlr, "msr icc_ctlr_el1, x0\n\tisb");
SNIPPET(write_igrpen1, "msr icc_igrpen1_el1, x0\n\tisb");
SNIPPET(write_sgi0r, "msr icc_sgi0r_el1, x0\n\tisb");
SNIPPET(write_sgi1r, "msr icc_sgi1r_el1, x0\n\tisb");
SNIPPET(write_asgi1r, "msr icc_asgi1r_el1, x0\n\tisb");
SNIPPET(load32, "ldr w0, [x0]");
SNIPPET(store32, "str w1, [x0]\n\tdsb sy");
SNIPPET(load8, "ldrb w0, [x0]");
SNIPPET(store8, "strb w1, [x0]\n\tdsb sy");

// At EL3 with SCR_EL3.NS set, so that the Non-secure copies of banked registers are meant.
#define iar1() read_sysreg(icc_iar1_el1)
#define eoi1(intid) write_sysreg(icc_eoir1_el1, intid)
#define rpr() read_sysreg(icc_rpr_el1)

static void pend(unsigned intid, enum gic_group group, unsigned priority)
{
	gic_enable(intid, group, priority);
	gic_set_pending(intid, true);
}

static void write_scr(uint64_t scr)
{
	write_sysreg(scr_el3, scr);
}

// ---- Life of an interrupt -----------------------------------------------------------------------

TEST(acknowledge_activates_and_end_deactivates)
{
	gic_init();
	pend(1, GIC_G1NS, 0xa0);
	EXPECT_EQ(rpr(), 0xff);
	EXPECT_EQ(iar1(), 1);
	EXPECT_TRUE(gic_is_active(1) && !gic_is_pending(1));
	EXPECT_EQ(rpr(), 0xa0);
	EXPECT_EQ(iar1(), INTID_SPURIOUS);
	eoi1(1);
	EXPECT_TRUE(!gic_is_active(1));
	EXPECT_EQ(rpr(), 0xff);
}

TEST(spi_is_routed_acknowledged_and_ended)
{
	volatile uint64_t *router = (volatile uint64_t *)(GICD + 0x6000 + 8 * 40);

	gic_init();
	*router = 0;
	pend(40, GIC_G1NS, 0xa0);
	EXPECT_EQ(iar1(), 40);
	EXPECT_TRUE(gic_is_active(40) && !gic_is_pending(40));
	eoi1(40);
	EXPECT_TRUE(!gic_is_active(40));
	// Routed to a PE that does not exist: it stays pending and is not offered.
	*router = 0x30000;
	gic_set_pending(40, true);
	EXPECT_EQ(iar1(), INTID_SPURIOUS);
	EXPECT_TRUE(gic_is_pending(40));
	*router = 0;
}

TEST(disabled_interrupt_stays_pending)
{
	gic_init();
	pend(1, GIC_G1NS, 0xa0);
	gic_disable(1);
	EXPECT_EQ(read_sysreg(icc_hppir1_el1), INTID_SPURIOUS);
	EXPECT_EQ(iar1(), INTID_SPURIOUS);
	EXPECT_TRUE(gic_is_pending(1));
}

TEST(disabled_group_is_not_offered)
{
	gic_init();
	pend(1, GIC_G1NS, 0xa0);
	write_sysreg(icc_igrpen1_el1, 0);
	EXPECT_EQ(iar1(), INTID_SPURIOUS);
	write_sysreg(icc_igrpen1_el1, 1);
	EXPECT_EQ(iar1(), 1);
	eoi1(1);
}

TEST(pending_again_while_active)
{
	gic_init();
	pend(1, GIC_G1NS, 0xa0);
	EXPECT_EQ(iar1(), 1);
	gic_set_pending(1, true);
	EXPECT_TRUE(gic_is_active(1) && gic_is_pending(1));
	EXPECT_EQ(iar1(), INTID_SPURIOUS);
	eoi1(1);
	EXPECT_EQ(iar1(), 1);
	eoi1(1);
}

// ---- Priorities ---------------------------------------------------------------------------------

TEST(higher_priority_comes_first)
{
	gic_init();
	pend(1, GIC_G1NS, 0xb0);
	pend(2, GIC_G1NS, 0x90);
	pend(3, GIC_G1NS, 0xa0);
	EXPECT_EQ(iar1(), 2);
	eoi1(2);
	EXPECT_EQ(iar1(), 3);
	eoi1(3);
	EXPECT_EQ(iar1(), 1);
	eoi1(1);
}

TEST(pmr_lets_only_higher_priorities_pass)
{
	gic_init();
	pend(1, GIC_G1NS, 0xa0);
	write_sysreg(icc_pmr_el1, 0xa0);
	EXPECT_EQ(read_sysreg(icc_hppir1_el1), 1); // whatever the mask
	EXPECT_EQ(iar1(), INTID_SPURIOUS);
	write_sysreg(icc_pmr_el1, 0xa8);
	EXPECT_EQ(iar1(), 1);
	eoi1(1);
}

TEST(pmr_has_five_bits)
{
	write_sysreg(icc_pmr_el1, 0xff);
	EXPECT_EQ(read_sysreg(icc_pmr_el1), 0xf8);
	EXPECT_EQ(read_sysreg(icc_ctlr_el3) >> 8 & 7, 4);
}

TEST(only_higher_group_priority_preempts)
{
	gic_init();
	pend(1, GIC_G1NS, 0xa0);
	EXPECT_EQ(iar1(), 1);
	pend(2, GIC_G1NS, 0xa0);
	EXPECT_EQ(iar1(), INTID_SPURIOUS);
	pend(3, GIC_G1NS, 0x98);
	EXPECT_EQ(iar1(), 3);
	EXPECT_EQ(rpr(), 0x98);
	eoi1(3);
	EXPECT_EQ(rpr(), 0xa0);
	EXPECT_EQ(iar1(), INTID_SPURIOUS);
	eoi1(1);
	EXPECT_EQ(iar1(), 2);
	eoi1(2);
}

TEST(preemption_is_signalled_as_an_exception)
{
	gic_init();
	pend(1, GIC_G1NS, 0xa0);
	EXPECT_EQ(iar1(), 1);
	pend(2, GIC_G1NS, 0xa0);
	struct exc equal = run_at_spsr(SPSR_M_EL1H, load32, GICD);

	EXPECT_NO_EXC(equal);
	pend(3, GIC_G1NS, 0x90);
	struct exc higher = run_at_spsr(SPSR_M_EL1H, load32, GICD);

	EXPECT_INTERRUPT(higher, EL1, VECTOR_IRQ);
	eoi1(1);
}

TEST(group0_preempts_group1)
{
	gic_init();
	pend(1, GIC_G1NS, 0xa0);
	EXPECT_EQ(iar1(), 1);
	pend(2, GIC_G0, 0x40);
	EXPECT_EQ(iar1(), INTID_SPURIOUS);
	EXPECT_EQ(read_sysreg(icc_iar0_el1), 2);
	EXPECT_EQ(read_sysreg(icc_ap0r0_el1), 1u << (0x40 >> 3));
	EXPECT_EQ(read_sysreg(icc_ap1r0_el1), 1u << (0xa0 >> 3));
	EXPECT_EQ(rpr(), 0x40);
	eoi1(1); // the running priority is of Group 0: ignored
	EXPECT_TRUE(gic_is_active(1));
	write_sysreg(icc_eoir0_el1, 2);
	eoi1(1);
	EXPECT_EQ(rpr(), 0xff);
}

TEST(binary_point_joins_priorities)
{
	gic_init();
	write_sysreg(icc_bpr1_el1, 5); // Non-secure: group priority in bits [7:5]
	pend(1, GIC_G1NS, 0xb8);
	EXPECT_EQ(iar1(), 1);
	EXPECT_EQ(rpr(), 0xa0);
	pend(2, GIC_G1NS, 0xa0);
	EXPECT_EQ(iar1(), INTID_SPURIOUS);
	pend(3, GIC_G1NS, 0x98);
	EXPECT_EQ(iar1(), 3);
	EXPECT_EQ(rpr(), 0x80);
	eoi1(3);
	eoi1(1);
	EXPECT_EQ(iar1(), 2);
	eoi1(2);
}

TEST(binary_point_minima)
{
	write_sysreg(icc_bpr0_el1, 0);
	write_sysreg(icc_bpr1_el1, 0);
	EXPECT_EQ(read_sysreg(icc_bpr0_el1), 2);
	EXPECT_EQ(read_sysreg(icc_bpr1_el1), 3);
	write_scr(SCR_BASE & ~SCR_NS);
	write_sysreg(icc_bpr1_el1, 0);
	EXPECT_EQ(read_sysreg(icc_bpr1_el1), 2);
}

TEST(cbpr_makes_bpr1_follow_bpr0)
{
	write_sysreg(icc_ctlr_el3, 2); // CBPR_EL1NS
	write_sysreg(icc_bpr0_el1, 4);
	struct exc e = run_at(EL1, read_views);

	EXPECT_REG(e, 2, 5);
	EXPECT_EQ(e.x[3] & 3, 1); // ICC_CTLR_EL1.CBPR
	run_at(EL1, write_bpr1, 7);
	e = run_at(EL2, read_views);
	EXPECT_REG(e, 2, 5);
	EXPECT_EQ(read_sysreg(icc_bpr1_el1), 3); // EL3 sees the register itself
	write_sysreg(icc_bpr0_el1, 7);
	e = run_at(EL1, read_views);
	EXPECT_REG(e, 2, 7);
}

TEST(cbpr_in_the_secure_state_aliases_bpr0)
{
	write_sysreg(icc_ctlr_el3, 1); // CBPR_EL1S
	write_scr(SCR_BASE & ~SCR_NS);
	run_at(EL1, write_bpr1, 6);
	EXPECT_EQ(read_sysreg(icc_bpr0_el1), 6);
}

TEST(cbpr_is_not_writable_below_el3)
{
	run_at(EL2, write_ctlr, 3);
	struct exc e = run_at(EL2, read_views);

	EXPECT_EQ(e.x[3] & 3, 2);
	EXPECT_MASKED(read_sysreg(icc_ctlr_el3), 0x17, 0x10); // EOImode_EL1NS
}

TEST(eoimode_is_banked)
{
	QEMU_DIFFERS("ICC_CTLR_EL3.EOImode_EL1S reads as EOImode_EL1NS");
	run_at(EL2, write_ctlr, 2);
	EXPECT_MASKED(read_sysreg(icc_ctlr_el3), 0x1f, 0x10);
	run_at(EL2, write_ctlr, 0);
	write_scr(SCR_BASE & ~SCR_NS);
	run_at(EL1, write_ctlr, 2);
	EXPECT_MASKED(read_sysreg(icc_ctlr_el3), 0x1f, 0x08); // EOImode_EL1S
}

// ---- EOImode ------------------------------------------------------------------------------------

TEST(eoimode_splits_drop_and_deactivation_at_el3)
{
	gic_init();
	write_sysreg(icc_ctlr_el3, 4);
	pend(1, GIC_G1NS, 0xa0);
	EXPECT_EQ(iar1(), 1);
	eoi1(1);
	EXPECT_EQ(rpr(), 0xff);
	EXPECT_TRUE(gic_is_active(1));
	write_sysreg(icc_dir_el1, 1);
	EXPECT_TRUE(!gic_is_active(1));
}

TEST(eoimode_splits_at_el2)
{
	gic_init();
	run_at(EL2, write_ctlr, 2);
	pend(1, GIC_G1NS, 0xa0);
	struct exc e = run_at(EL2, read_iar1);

	EXPECT_REG(e, 0, 1);
	run_at(EL2, write_eoir1, 1);
	EXPECT_EQ(rpr(), 0xff);
	EXPECT_TRUE(gic_is_active(1));
	// A lower priority can be taken now, though the first is not deactivated.
	pend(2, GIC_G1NS, 0xb0);
	e = run_at(EL2, read_iar1);
	EXPECT_REG(e, 0, 2);
	run_at(EL2, write_eoir1, 2);
	run_at(EL2, write_dir, 1);
	EXPECT_TRUE(!gic_is_active(1) && gic_is_active(2));
	run_at(EL2, write_dir, 2);
	EXPECT_TRUE(!gic_is_active(2));
}

TEST(dir_does_nothing_without_eoimode)
{
	gic_init();
	pend(1, GIC_G1NS, 0xa0);
	EXPECT_EQ(iar1(), 1);
	write_sysreg(icc_dir_el1, 1);
	EXPECT_TRUE(gic_is_active(1));
	eoi1(1);
}

TEST(dir_of_an_interrupt_that_el3_takes_is_ignored_below)
{
	gic_init();
	write_sysreg(icc_ctlr_el3, 4 | 16);
	pend(1, GIC_G1NS, 0xa0);
	EXPECT_EQ(iar1(), 1);
	eoi1(1);
	// SCR_EL3.IRQ alone does not trap the access, but makes deactivation EL3's.
	write_scr(SCR_BASE | SCR_IRQ);
	run_at(EL2, write_dir, 1);
	EXPECT_TRUE(gic_is_active(1));
	write_scr(SCR_BASE);
	run_at(EL2, write_dir, 1);
	EXPECT_TRUE(!gic_is_active(1));
}

// ---- Special INTIDs and Security states ---------------------------------------------------------

TEST(el3_reads_1020_for_secure_group1)
{
	gic_init();
	pend(1, GIC_G1S, 0x20);
	EXPECT_EQ(read_sysreg(icc_hppir0_el1), 1020);
	EXPECT_EQ(read_sysreg(icc_iar0_el1), 1020);
	EXPECT_TRUE(!gic_is_active(1));
}

TEST(el3_reads_1021_for_non_secure_group1)
{
	gic_init();
	pend(1, GIC_G1NS, 0xa0);
	EXPECT_EQ(read_sysreg(icc_hppir0_el1), 1021);
	EXPECT_EQ(read_sysreg(icc_iar0_el1), 1021);
	EXPECT_TRUE(!gic_is_active(1));
}

TEST(non_secure_software_does_not_see_secure_interrupts)
{
	gic_init();
	pend(1, GIC_G1S, 0x20);
	struct exc e = run_at(EL2, read_hppir);

	EXPECT_REG(e, 0, INTID_SPURIOUS);
	EXPECT_REG(e, 1, INTID_SPURIOUS);
	e = run_at(EL2, read_iar1);
	EXPECT_REG(e, 0, INTID_SPURIOUS);
	EXPECT_TRUE(!gic_is_active(1));
}

TEST(non_secure_software_does_not_see_group0)
{
	gic_init();
	pend(1, GIC_G0, 0x20);
	struct exc e = run_at(EL1, read_iar0);

	EXPECT_REG(e, 0, INTID_SPURIOUS);
	EXPECT_TRUE(!gic_is_active(1));
}

TEST(secure_el1_takes_secure_group1)
{
	gic_init();
	pend(1, GIC_G1S, 0x20);
	write_scr(SCR_BASE & ~SCR_NS);
	struct exc e = run_at(EL1, read_iar1);

	EXPECT_REG(e, 0, 1);
	EXPECT_TRUE(gic_is_active(1));
	run_at(EL1, write_eoir1, 1);
	EXPECT_TRUE(!gic_is_active(1));
}

TEST(secure_el1_takes_group0)
{
	gic_init();
	pend(1, GIC_G0, 0x20);
	write_scr(SCR_BASE & ~SCR_NS);
	struct exc e = run_at(EL1, read_iar0);

	EXPECT_REG(e, 0, 1);
	run_at(EL1, write_eoir0, 1);
	EXPECT_TRUE(!gic_is_active(1));
}

TEST(secure_el1_does_not_see_non_secure_interrupts)
{
	gic_init();
	pend(1, GIC_G1NS, 0xa0);
	write_scr(SCR_BASE & ~SCR_NS);
	struct exc e = run_at(EL1, read_iar1);

	EXPECT_REG(e, 0, INTID_SPURIOUS);
}

TEST(non_secure_eoi_does_not_end_a_secure_interrupt)
{
	gic_init();
	pend(1, GIC_G0, 0x20);
	EXPECT_EQ(read_sysreg(icc_iar0_el1), 1);
	run_at(EL2, write_eoir0, 1);
	EXPECT_EQ(rpr(), 0x20);
	EXPECT_TRUE(gic_is_active(1));
	write_sysreg(icc_eoir0_el1, 1);
	EXPECT_TRUE(!gic_is_active(1));
}

TEST(igrpen1_is_banked)
{
	write_sysreg(icc_igrpen1_el3, 2); // Secure only
	struct exc ns = run_at(EL1, read_views);

	EXPECT_REG(ns, 4, 0);
	run_at(EL2, write_igrpen1, 1);
	EXPECT_EQ(read_sysreg(icc_igrpen1_el3), 3);
	write_scr(SCR_BASE & ~SCR_NS);
	run_at(EL1, write_igrpen1, 0);
	EXPECT_EQ(read_sysreg(icc_igrpen1_el3), 1);
}

// With SCR_EL3.FIQ, Non-secure software sees the lower half of the priorities. (Alone it traps
// Group 0 registers only.)
TEST(non_secure_view_of_pmr)
{
	write_scr(SCR_BASE | SCR_FIQ);
	write_sysreg(icc_pmr_el1, 0xf0);
	struct exc e = run_at(EL2, read_views);

	EXPECT_REG(e, 0, 0xe0);
	run_at(EL2, write_pmr, 0x80);
	EXPECT_EQ(read_sysreg(icc_pmr_el1), 0xc0);
	// A mask in the Secure half reads as zero and cannot be changed.
	write_sysreg(icc_pmr_el1, 0x40);
	e = run_at(EL2, read_views);
	EXPECT_REG(e, 0, 0);
	run_at(EL2, write_pmr, 0xff);
	EXPECT_EQ(read_sysreg(icc_pmr_el1), 0x40);
}

TEST(non_secure_view_of_rpr)
{
	gic_init();
	pend(1, GIC_G1NS, 0xa0);
	EXPECT_EQ(iar1(), 1);
	write_scr(SCR_BASE | SCR_FIQ);
	struct exc e = run_at(EL2, read_views);

	EXPECT_REG(e, 1, 0x40);
	pend(2, GIC_G0, 0x20);
	EXPECT_EQ(read_sysreg(icc_iar0_el1), 2);
	e = run_at(EL2, read_views);
	EXPECT_REG(e, 1, 0);
	write_sysreg(icc_eoir0_el1, 2);
	eoi1(1);
	e = run_at(EL2, read_views);
	EXPECT_REG(e, 1, 0xff);
}

// ---- The frames from the Non-secure side --------------------------------------------------------

TEST(non_secure_accesses_see_only_non_secure_interrupts)
{
	gic_init();
	gic_enable(40, GIC_G0, 0x20);
	gic_enable(41, GIC_G1S, 0x20);
	gic_enable(42, GIC_G1NS, 0xa0);
	struct exc e = run_at(EL2, load32, GICD + 0x104);

	EXPECT_REG(e, 0, 1u << 10);
	run_at(EL2, store32, GICD + 0x184, 7u << 8); // ICENABLER
	EXPECT_MASKED(*(volatile uint32_t *)(GICD + 0x104), 7u << 8, 3u << 8);
	e = run_at(EL2, load32, GICD + 0x84); // IGROUPR
	EXPECT_REG(e, 0, 0);
	e = run_at(EL2, load32, GICD + 0xd04); // IGRPMODR
	EXPECT_REG(e, 0, 0);
	run_at(EL2, store32, GICD + 0x204, 7u << 8); // ISPENDR
	EXPECT_TRUE(!gic_is_pending(40) && !gic_is_pending(41) && gic_is_pending(42));
}

TEST(non_secure_view_of_priorities)
{
	gic_init();
	gic_enable(40, GIC_G0, 0x20);
	gic_enable(42, GIC_G1NS, 0xa0);
	struct exc e = run_at(EL2, load8, GICD + 0x400 + 42);

	EXPECT_REG(e, 0, 0x40);
	e = run_at(EL2, load8, GICD + 0x400 + 40);
	EXPECT_REG(e, 0, 0);
	run_at(EL2, store8, GICD + 0x400 + 42, 0x60);
	run_at(EL2, store8, GICD + 0x400 + 40, 0x60);
	EXPECT_EQ(*(volatile uint8_t *)(GICD + 0x400 + 42), 0xb0);
	EXPECT_EQ(*(volatile uint8_t *)(GICD + 0x400 + 40), 0x20);
}

TEST(distributor_control_views)
{
	gic_init();
	EXPECT_MASKED(*(volatile uint32_t *)GICD, 0x7f, 0x37);
	struct exc e = run_at(EL2, load32, GICD);

	EXPECT_REG(e, 0, 0x12); // ARE_NS, EnableGrp1A
	run_at(EL2, store32, GICD, 0x10);
	EXPECT_MASKED(*(volatile uint32_t *)GICD, 0x7f, 0x35);
	// SecurityExtn; Non-secure WAKER is RAZ/WI.
	EXPECT_MASKED(*(volatile uint32_t *)(GICD + 4), 1u << 10, 1u << 10);
	e = run_at(EL2, load32, 0x080a0014);
	EXPECT_REG(e, 0, 0);
}

TEST(identification_registers)
{
	volatile uint32_t *rd = (volatile uint32_t *)0x080a0000;

	EXPECT_MASKED(*(volatile uint32_t *)(GICD + 0xffe8), 0xf0, 0x30);
	EXPECT_MASKED(rd[0xffe8 / 4], 0xf0, 0x30);
	EXPECT_EQ(rd[3], 0); // affinity 0.0.0.0
	EXPECT_MASKED(rd[2], 0xffff10, 0x10); // processor number 0, Last
}

TEST(distributor_tells_its_size)
{
	QEMU_7_DIFFERS("ITLinesNumber is one too small for its SPIs");
	EXPECT_MASKED(*(volatile uint32_t *)(GICD + 4), 0x1f, 8); // 256 SPIs: INTIDs 0 to 287
}

// ---- SGIs ---------------------------------------------------------------------------------------

#define SGIR(intid, list) ((uint64_t)(intid) << 24 | (list))

static void enable_sgis(void)
{
	gic_init();
	gic_enable(1, GIC_G0, 0x20);
	gic_enable(2, GIC_G1S, 0x20);
	gic_enable(3, GIC_G1NS, 0xa0);
	*(volatile uint32_t *)(GICR_SGI + 0xe00) = 0; // NSACR
}

TEST(sgi1r_sends_group1_of_the_senders_state)
{
	enable_sgis();
	for (unsigned i = 1; i <= 3; i++) {
		run_at(EL1, write_sgi1r, SGIR(i, 1));
	}
	EXPECT_TRUE(!gic_is_pending(1) && !gic_is_pending(2) && gic_is_pending(3));
	gic_set_pending(3, false);
	write_scr(SCR_BASE & ~SCR_NS);
	run_at(EL1, write_sgi1r, SGIR(2, 1));
	run_at(EL1, write_sgi1r, SGIR(3, 1));
	EXPECT_TRUE(gic_is_pending(2) && !gic_is_pending(3));
}

TEST(sgi0r_needs_permission_from_the_non_secure_state)
{
	enable_sgis();
	run_at(EL2, write_sgi0r, SGIR(1, 1));
	EXPECT_TRUE(!gic_is_pending(1));
	*(volatile uint32_t *)(GICR_SGI + 0xe00) = 1u << 2;
	run_at(EL2, write_sgi0r, SGIR(1, 1));
	EXPECT_TRUE(gic_is_pending(1));
	*(volatile uint32_t *)(GICR_SGI + 0xe00) = 0;
	gic_set_pending(1, false);
	write_sysreg(icc_sgi0r_el1, SGIR(1, 1)); // from EL3, which is Secure
	EXPECT_TRUE(gic_is_pending(1));
}

TEST(asgi1r_sends_to_the_other_state)
{
	enable_sgis();
	run_at(EL2, write_asgi1r, SGIR(2, 1));
	EXPECT_TRUE(!gic_is_pending(2)); // NSACR
	*(volatile uint32_t *)(GICR_SGI + 0xe00) = 2u << 4;
	run_at(EL2, write_asgi1r, SGIR(2, 1));
	EXPECT_TRUE(gic_is_pending(2));
	*(volatile uint32_t *)(GICR_SGI + 0xe00) = 0;
	write_scr(SCR_BASE & ~SCR_NS);
	run_at(EL1, write_asgi1r, SGIR(3, 1));
	EXPECT_TRUE(gic_is_pending(3));
}

TEST(sgi_needs_the_target_in_its_list)
{
	enable_sgis();
	run_at(EL2, write_sgi1r, SGIR(3, 0xfffe));
	EXPECT_TRUE(!gic_is_pending(3));
	run_at(EL2, write_sgi1r, SGIR(3, 1) | 1ul << 16); // Aff1 1
	EXPECT_TRUE(!gic_is_pending(3));
	run_at(EL2, write_sgi1r, SGIR(3, 1) | 1ul << 40); // IRM: all others
	EXPECT_TRUE(!gic_is_pending(3));
	run_at(EL2, write_sgi1r, SGIR(3, 1));
	EXPECT_TRUE(gic_is_pending(3));
}

TEST(sgi_registers_trap_to_el2_with_imo)
{
	write_sysreg(hcr_el2, HCR_BASE | HCR_IMO);
	struct exc e = run_at(EL1, write_sgi1r, 0);

	EXPECT_EXC(e, EL2, EC_SYSREG, ISS_SYSREG_WRITE(3, 0, 12, 11, 5, 0));
}
