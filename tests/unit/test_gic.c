// SPDX-License-Identifier: Apache-2.0
// The GICv3 alone, on PEs that are only registers and lines. Expectations follow the GIC
// architecture specification (IHI 0069): chapter 4 (physical interrupts, grouping, priorities) and
// 12 (registers). See test_gic_virt.c, too.
#include <errno.h>

#include "gic_world.h"

// ---- one Security state -------------------------------------------------------------------------

START_TEST(creation_errors)
{
	struct pe *pointer = &pes[0];
	struct gicv3_config config = {.pe_count = 1, .spi_count = 33, .pes = &pointer};
	struct gicv3 *none = NULL;

	ck_assert_int_eq(gicv3_create(&none, &config), -EINVAL);
	config.spi_count = 992;
	ck_assert_int_eq(gicv3_create(&none, &config), -EINVAL);
	config.spi_count = 32;
	config.pe_count = 0;
	ck_assert_int_eq(gicv3_create(&none, &config), -EINVAL);
	ck_assert_ptr_null(none);
}
END_TEST

START_TEST(identification_with_one_state)
{
	uint64_t typer = frame_read(DIST + GICD_TYPER, 4, false);

	ck_assert_uint_eq(typer & 0x1f, 8); // 288 INTIDs: 32 * (8 + 1)
	ck_assert_uint_eq(typer & (1u << 10), 0); // SecurityExtn
	ck_assert_uint_eq(typer & (1u << 17), 0); // LPIS
	ck_assert_uint_eq(frame_read(DIST + 0xffe8, 4, false) & 0xf0, 0x30); // PIDR2.ArchRev: GICv3
	ck_assert_uint_eq(frame_read(REDIST + 0xffe8, 4, false) & 0xf0, 0x30);
	// DS and ARE read as one.
	ck_assert_uint_eq(frame_read(DIST + GICD_CTLR, 4, false), 0x53);
	frame_write(DIST + GICD_CTLR, 4, false, 0);
	ck_assert_uint_eq(frame_read(DIST + GICD_CTLR, 4, false), 0x50);
	// Affinity, processor number, Last.
	ck_assert_uint_eq(frame_read(REDIST + GICR_TYPER, 8, false), 0);
	ck_assert_uint_eq(frame_read(REDIST + 0x20000 + GICR_TYPER, 8, false),
			  UINT64_C(0x100000100));
	ck_assert_uint_eq(frame_read(REDIST + 0x60000 + GICR_TYPER, 8, false),
			  UINT64_C(0x11100000310));
	ck_assert_uint_eq(frame_read(REDIST + 0x60000 + GICR_TYPER, 4, false), 0x310);
	ck_assert_uint_eq(frame_read(REDIST + 0x60000 + GICR_TYPER + 4, 4, false), 0x111);
}
END_TEST

START_TEST(level_spi_life)
{
	struct irq_line line = {0};

	gicv3_spi_line(gic, 5, &line);
	enable(0, 37, G1NS, 0xa0);
	ck_assert(!irq(0));
	irq_set(&line, true);
	ck_assert(irq(0) && !fiq(0));
	ck_assert(bank_bit(0, 37, ISPENDR) && !bank_bit(0, 37, ISACTIVER));
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_HPPIR1_EL1), 37);
	ck_assert_uint_eq(pes[0].intid(&pes[0], pes[0].intid_opaque, PE_LINE_IRQ), 37);
	ck_assert_uint_eq(iar1(0), 37);
	ck_assert(!irq(0));
	ck_assert(bank_bit(0, 37, ISACTIVER));
	ck_assert(bank_bit(0, 37, ISPENDR)); // active and pending: the level is still there
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_RPR_EL1), 0xa0);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_AP1R0_EL1), UINT32_C(1) << (0xa0 >> 3));
	ck_assert_uint_eq(iar1(0), SPURIOUS);
	// Ended while the level is high: signalled again. Ended when low: gone.
	eoi1(0, 37);
	ck_assert(irq(0));
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_RPR_EL1), 0xff);
	ck_assert_uint_eq(iar1(0), 37);
	irq_set(&line, false);
	eoi1(0, 37);
	ck_assert(!irq(0));
	ck_assert(!bank_bit(0, 37, ISACTIVER) && !bank_bit(0, 37, ISPENDR));
}
END_TEST

START_TEST(edge_spi_latches)
{
	struct irq_line line = {0};

	gicv3_spi_line(gic, 0, &line);
	frame_write(DIST + ICFGR + 8, 4, true, 2);
	ck_assert_uint_eq(frame_read(DIST + ICFGR + 8, 4, true), 2);
	enable(0, 32, G1NS, 0x80);
	irq_set(&line, true);
	irq_set(&line, false);
	ck_assert(irq(0));
	ck_assert_uint_eq(iar1(0), 32);
	ck_assert(!bank_bit(0, 32, ISPENDR));
	// A second edge while active is kept.
	irq_set(&line, true);
	ck_assert(!irq(0));
	ck_assert(bank_bit(0, 32, ISPENDR));
	eoi1(0, 32);
	ck_assert(irq(0));
	// The level that stays is not another edge.
	ck_assert_uint_eq(iar1(0), 32);
	eoi1(0, 32);
	ck_assert(!irq(0));
}
END_TEST

START_TEST(clearing_pending_of_a_level_keeps_the_level)
{
	struct irq_line line = {0};

	gicv3_ppi_line(gic, 1, 11, &line);
	enable(1, 27, G1NS, 0x80);
	pend(1, 27);
	ck_assert(irq(1) && !irq(0));
	frame_write(frame(1, 27) + ICPENDR, 4, true, 1u << 27);
	ck_assert(!irq(1));
	irq_set(&line, true);
	frame_write(frame(1, 27) + ICPENDR, 4, true, 1u << 27);
	ck_assert(irq(1));
	frame_write(frame(1, 27) + ICENABLER, 4, true, 1u << 27);
	ck_assert(!irq(1));
}
END_TEST

START_TEST(enables_of_groups_gate)
{
	enable(0, 40, G1NS, 0x80);
	pend(0, 40);
	ck_assert(irq(0));
	frame_write(DIST + GICD_CTLR, 4, false, 1);
	ck_assert(!irq(0));
	frame_write(DIST + GICD_CTLR, 4, false, 3);
	ck_assert(irq(0));
	fake_write(&pes[0], SR_ICC_IGRPEN1_EL1, 0);
	ck_assert(!irq(0));
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_HPPIR1_EL1), SPURIOUS);
	fake_write(&pes[0], SR_ICC_IGRPEN1_EL1, 1);
	ck_assert(irq(0));
	// A disabled group does not stand in the way of the other.
	enable(0, 41, G0, 0xc0);
	pend(0, 41);
	fake_write(&pes[0], SR_ICC_IGRPEN1_EL1, 0);
	ck_assert(!irq(0) && fiq(0));
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_IAR0_EL1), 41);
}
END_TEST

START_TEST(priorities_mask_and_order)
{
	enable(0, 40, G1NS, 0xa0);
	enable(0, 41, G1NS, 0x90);
	enable(0, 3, G1NS, 0xa7); // implemented bits: 0xa0
	pend(0, 40);
	pend(0, 41);
	pend(0, 3);
	ck_assert_uint_eq(frame_read(frame(0, 3) + IPRIORITYR + 3, 1, true), 0xa0);
	fake_write(&pes[0], SR_ICC_PMR_EL1, 0x90); // strictly higher priorities only
	ck_assert(!irq(0));
	ck_assert_uint_eq(iar1(0), SPURIOUS);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_HPPIR1_EL1), 41); // HPPIR does not look at PMR
	fake_write(&pes[0], SR_ICC_PMR_EL1, 0x98);
	ck_assert_uint_eq(iar1(0), 41);
	eoi1(0, 41);
	fake_write(&pes[0], SR_ICC_PMR_EL1, 0xff);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_PMR_EL1), 0xf8);
	ck_assert_uint_eq(iar1(0), 3); // the lowest INTID of equals
	eoi1(0, 3);
	ck_assert_uint_eq(iar1(0), 40);
	eoi1(0, 40);
	ck_assert_uint_eq(iar1(0), SPURIOUS);
}
END_TEST

START_TEST(preemption_and_nesting)
{
	enable(0, 40, G1NS, 0xa0);
	enable(0, 41, G1NS, 0x98);
	enable(0, 42, G1NS, 0xa0);
	pend(0, 40);
	ck_assert_uint_eq(iar1(0), 40);
	pend(0, 42);
	ck_assert(!irq(0)); // equal priority does not preempt
	pend(0, 41);
	ck_assert(irq(0));
	ck_assert_uint_eq(iar1(0), 41);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_RPR_EL1), 0x98);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_AP1R0_EL1), UINT32_C(3) << (0x98 >> 3));
	eoi1(0, 41);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_RPR_EL1), 0xa0);
	ck_assert(!irq(0));
	eoi1(0, 40);
	ck_assert_uint_eq(iar1(0), 42);
}
END_TEST

START_TEST(binary_point_groups_priorities)
{
	// BPR1 = 5: Group 1 uses bits [7:5] (one more than the value says of subpriority in BPR0).
	fake_write(&pes[0], SR_ICC_BPR1_EL1, 5);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_BPR1_EL1), 5);
	enable(0, 40, G1NS, 0xb8);
	enable(0, 41, G1NS, 0xa8);
	enable(0, 42, G1NS, 0x98);
	pend(0, 40);
	ck_assert_uint_eq(iar1(0), 40);
	// The active priority is the group priority.
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_RPR_EL1), 0xa0);
	pend(0, 41);
	ck_assert(!irq(0)); // 0xa8 and 0xb8 are both in group 0xa0
	pend(0, 42);
	ck_assert(irq(0));
	ck_assert_uint_eq(iar1(0), 42);
	eoi1(0, 42);
	eoi1(0, 40);
	ck_assert_uint_eq(iar1(0), 41);
}
END_TEST

START_TEST(binary_point_minimum_and_cbpr)
{
	fake_write(&pes[0], SR_ICC_BPR0_EL1, 0);
	fake_write(&pes[0], SR_ICC_BPR1_EL1, 0);
	// Five bits: BPR0 is at least 2, the other 3.
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_BPR0_EL1), 2);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_BPR1_EL1), 3);
	fake_write(&pes[0], SR_ICC_BPR0_EL1, 4);
	fake_write(&pes[0], SR_ICC_CTLR_EL1, 1);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_CTLR_EL1) & 3, 1);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_BPR1_EL1), 5);
	fake_write(&pes[0], SR_ICC_BPR1_EL1, 7); // ignored
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_BPR1_EL1), 5);
	fake_write(&pes[0], SR_ICC_BPR0_EL1, 7);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_BPR1_EL1), 7);
	// BPR0 = 4: groups of 32 priorities, for Group 1, too.
	fake_write(&pes[0], SR_ICC_BPR0_EL1, 4);
	enable(0, 40, G1NS, 0xb8);
	enable(0, 41, G1NS, 0xa0);
	pend(0, 40);
	ck_assert_uint_eq(iar1(0), 40);
	pend(0, 41);
	ck_assert(!irq(0));
	fake_write(&pes[0], SR_ICC_CTLR_EL1, 0);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_BPR1_EL1), 3);
}
END_TEST

START_TEST(eoimode_splits)
{
	fake_write(&pes[0], SR_ICC_CTLR_EL1, 2);
	enable(0, 40, G1NS, 0xa0);
	pend(0, 40);
	ck_assert_uint_eq(iar1(0), 40);
	eoi1(0, 40);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_RPR_EL1), 0xff);
	ck_assert(bank_bit(0, 40, ISACTIVER));
	pend(0, 40);
	ck_assert(!irq(0)); // active still
	fake_write(&pes[0], SR_ICC_DIR_EL1, 40);
	ck_assert(!bank_bit(0, 40, ISACTIVER));
	ck_assert(irq(0));
	// With EOImode 0, DIR does nothing.
	fake_write(&pes[0], SR_ICC_CTLR_EL1, 0);
	ck_assert_uint_eq(iar1(0), 40);
	fake_write(&pes[0], SR_ICC_DIR_EL1, 40);
	ck_assert(bank_bit(0, 40, ISACTIVER));
	eoi1(0, 40);
	ck_assert(!bank_bit(0, 40, ISACTIVER));
}
END_TEST

START_TEST(eoi_of_special_and_unknown_intids_is_ignored)
{
	enable(0, 40, G1NS, 0xa0);
	pend(0, 40);
	ck_assert_uint_eq(iar1(0), 40);
	for (uint32_t intid = 1019; intid <= 1023; intid++) {
		eoi1(0, intid);
	}
	eoi1(0, 8192);
	eoi1(0, 0xffffff);
	fake_write(&pes[0], SR_ICC_EOIR0_EL1, 40); // the other group
	fake_write(&pes[0], SR_ICC_DIR_EL1, 5000);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_RPR_EL1), 0xa0);
	eoi1(0, 40);
	eoi1(0, 40); // once more, with nothing active
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_RPR_EL1), 0xff);
}
END_TEST

START_TEST(routing_of_spis)
{
	enable(0, 100, G1NS, 0x80);
	pend(0, 100);
	ck_assert(irq(0));
	frame_write(DIST + IROUTER + 8 * 100, 8, false, 0x111);
	ck_assert(!irq(0) && irq(3));
	ck_assert_uint_eq(frame_read(DIST + IROUTER + 8 * 100, 8, false), 0x111);
	// By halves, and to no PE at all.
	frame_write(DIST + IROUTER + 8 * 100, 4, false, 0x100);
	ck_assert(!irq(3) && irq(2));
	frame_write(DIST + IROUTER + 8 * 100 + 4, 4, false, 1);
	ck_assert_uint_eq(frame_read(DIST + IROUTER + 8 * 100, 8, false), UINT64_C(0x100000100));
	ck_assert(!irq(0) && !irq(1) && !irq(2) && !irq(3));
	frame_write(DIST + IROUTER + 8 * 100, 8, false, 1);
	ck_assert(irq(1));
	ck_assert_uint_eq(iar1(1), 100);
	// Moved while active: ended where it was taken.
	frame_write(DIST + IROUTER + 8 * 100, 8, false, 0);
	pend(0, 100);
	ck_assert(!irq(0));
	eoi1(1, 100);
	ck_assert(irq(0) && !irq(1));
	// No router for SGIs, PPIs and beyond the last SPI.
	frame_write(DIST + IROUTER + 8 * 31, 8, false, 1);
	ck_assert_uint_eq(frame_read(DIST + IROUTER + 8 * 31, 8, false), 0);
	frame_write(DIST + IROUTER + 8 * 288, 8, false, 1);
	ck_assert_uint_eq(frame_read(DIST + IROUTER + 8 * 288, 8, false), 0);
}
END_TEST

START_TEST(sgi_targets)
{
	for (unsigned i = 0; i < PES; i++) {
		enable(i, 7, G1NS, 0x80);
	}
	// Aff1 0, list 0b11: PEs 0 and 1.
	fake_write(&pes[0], SR_ICC_SGI1R_EL1, 7u << 24 | 3);
	ck_assert(irq(0) && irq(1) && !irq(2) && !irq(3));
	ck_assert_uint_eq(iar1(0), 7);
	ck_assert_uint_eq(iar1(1), 7);
	eoi1(0, 7);
	eoi1(1, 7);
	// Aff1 1, list 0b10: Aff0 1, which does not exist; with RS 1: Aff0 17.
	fake_write(&pes[0], SR_ICC_SGI1R_EL1, 7u << 24 | 1u << 16 | 2);
	ck_assert(!irq(3));
	fake_write(&pes[0], SR_ICC_SGI1R_EL1, UINT64_C(1) << 44 | 7u << 24 | 1u << 16 | 2);
	ck_assert(irq(3) && !irq(2) && !irq(1) && !irq(0));
	ck_assert_uint_eq(iar1(3), 7);
	eoi1(3, 7);
	// IRM: all but the sender.
	fake_write(&pes[2], SR_ICC_SGI1R_EL1, UINT64_C(1) << 40 | 7u << 24);
	ck_assert(irq(0) && irq(1) && !irq(2) && irq(3));
	// Another Aff2 or Aff3: nobody.
	iar1(0);
	eoi1(0, 7);
	fake_write(&pes[2], SR_ICC_SGI1R_EL1, UINT64_C(1) << 32 | 7u << 24 | 1);
	fake_write(&pes[2], SR_ICC_SGI1R_EL1, UINT64_C(1) << 48 | 7u << 24 | 1);
	ck_assert(!irq(0));
	// SGI0R names Group 0, which SGI 7 is not.
	fake_write(&pes[2], SR_ICC_SGI0R_EL1, 7u << 24 | 1);
	ck_assert(!irq(0) && !fiq(0));
	enable(0, 7, G0, 0x80);
	fake_write(&pes[2], SR_ICC_SGI0R_EL1, 7u << 24 | 1);
	ck_assert(fiq(0));
}
END_TEST

START_TEST(sgis_are_edge_triggered_always)
{
	frame_write(REDIST + 0x10000 + ICFGR, 4, false, 0);
	ck_assert_uint_eq(frame_read(REDIST + 0x10000 + ICFGR, 4, false), 0xaaaaaaaa);
	frame_write(REDIST + 0x10000 + ICFGR + 4, 4, false, 0xffffffff);
	ck_assert_uint_eq(frame_read(REDIST + 0x10000 + ICFGR + 4, 4, false), 0xaaaaaaaa);
}
END_TEST

START_TEST(sleeping_redistributor_forwards_nothing)
{
	enable(0, 40, G1NS, 0x80);
	frame_write(REDIST + GICR_WAKER, 4, false, 2);
	ck_assert_uint_eq(frame_read(REDIST + GICR_WAKER, 4, false), 6);
	pend(0, 40);
	ck_assert(!irq(0));
	frame_write(REDIST + GICR_WAKER, 4, false, 0);
	ck_assert_uint_eq(frame_read(REDIST + GICR_WAKER, 4, false), 0);
	ck_assert(irq(0));
}
END_TEST

START_TEST(message_based_spis)
{
	enable(0, 50, G1NS, 0x80);
	frame_write(DIST + 0x40, 4, false, 50); // SETSPI_NSR, level-sensitive
	ck_assert_uint_eq(iar1(0), 50);
	eoi1(0, 50);
	ck_assert(irq(0));
	frame_write(DIST + 0x48, 4, false, 50); // CLRSPI_NSR
	ck_assert(!irq(0));
	frame_write(DIST + 0x40, 4, false, 5); // no SPIs
	frame_write(DIST + 0x40, 4, false, 1000);
	ck_assert(!irq(0));
}
END_TEST

START_TEST(reserved_offsets_and_sizes)
{
	ck_assert_uint_eq(frame_read(DIST + 0xbff0, 4, false), 0);
	frame_write(DIST + 0xbff0, 4, false, 1);
	ck_assert_uint_eq(frame_read(DIST + ISENABLER, 1, false), 0);
	ck_assert_uint_eq(frame_read(DIST + ISENABLER + 8, 8, false), 0);
	ck_assert_uint_eq(frame_read(REDIST + 0x10000 + 0x900, 4, false), 0);
	// In the distributor SGIs and PPIs read as zero with affinity routing.
	frame_write(DIST + ISENABLER, 4, false, ~UINT32_C(0));
	ck_assert_uint_eq(frame_read(DIST + ISENABLER, 4, false), 0);
	// Beyond the last SPI, too.
	frame_write(DIST + ISENABLER + 36, 4, false, ~UINT32_C(0));
	ck_assert_uint_eq(frame_read(DIST + ISENABLER + 36, 4, false), 0);
	frame_write(DIST + IPRIORITYR + 288, 1, false, 0x80);
	ck_assert_uint_eq(frame_read(DIST + IPRIORITYR + 288, 1, false), 0);
	// Priorities by word and by byte.
	frame_write(DIST + IPRIORITYR + 64, 4, false, 0xa0b0c0d0);
	ck_assert_uint_eq(frame_read(DIST + IPRIORITYR + 66, 1, false), 0xb0);
	frame_write(DIST + IPRIORITYR + 65, 1, false, 0x40);
	ck_assert_uint_eq(frame_read(DIST + IPRIORITYR + 64, 4, false), 0xa0b040d0);
}
END_TEST

START_TEST(warm_reset_of_a_pe_keeps_its_redistributor)
{
	enable(0, 40, G1NS, 0x80);
	pend(0, 40);
	ck_assert(irq(0));
	gicv3_reset_pe(gic, 0);
	ck_assert(!irq(0));
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_PMR_EL1), 0);
	fake_write(&pes[0], SR_ICC_PMR_EL1, 0xff);
	fake_write(&pes[0], SR_ICC_IGRPEN1_EL1, 1);
	ck_assert(irq(0));
	gicv3_reset(gic);
	ck_assert(!irq(0));
	ck_assert(!bank_bit(0, 40, ISENABLER) && !bank_bit(0, 40, ISPENDR));
}
END_TEST

// ---- two Security states ------------------------------------------------------------------------

START_TEST(identification_with_two_states)
{
	ck_assert_uint_eq(frame_read(DIST + GICD_TYPER, 4, true) & (1u << 10), 1u << 10);
	ck_assert_uint_eq(frame_read(DIST + GICD_CTLR, 4, true), 0x37);
	// Non-secure: EnableGrp1A and ARE_NS at bits 1 and 4; it reaches nothing else.
	ck_assert_uint_eq(frame_read(DIST + GICD_CTLR, 4, false), 0x12);
	frame_write(DIST + GICD_CTLR, 4, false, 0x55);
	ck_assert_uint_eq(frame_read(DIST + GICD_CTLR, 4, true), 0x35);
	ck_assert_uint_eq(frame_read(REDIST + GICR_WAKER, 4, false), 0);
	frame_write(REDIST + GICR_WAKER, 4, false, 2);
	ck_assert_uint_eq(frame_read(REDIST + GICR_WAKER, 4, true), 0);
}
END_TEST

START_TEST(lines_by_group_and_state)
{
	static const struct {
		enum group group;
		unsigned el;
		bool secure, fiq;
	} rows[] = {
		{G0, 1, false, true},  {G0, 1, true, true},     {G0, 3, false, true},
		{G1S, 1, false, true}, {G1S, 1, true, false},   {G1S, 0, true, false},
		{G1S, 3, true, true},  {G1NS, 2, false, false}, {G1NS, 0, false, false},
		{G1NS, 1, true, true}, {G1NS, 3, false, true},  {G1NS, 3, true, true},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enable(0, 2, rows[i].group, 0x40);
		pend(0, 2);
		fake_enter(&pes[0], rows[i].el, rows[i].secure);
		ck_assert_msg(fiq(0) == rows[i].fiq && irq(0) == !rows[i].fiq, "row %u", i);
	}
}
END_TEST

START_TEST(secure_interrupts_are_hidden_from_non_secure_accesses)
{
	enable(0, 64, G0, 0x20);
	enable(0, 65, G1S, 0x30);
	enable(0, 66, G1NS, 0x90);
	ck_assert_uint_eq(frame_read(DIST + ISENABLER + 8, 4, false), 4);
	ck_assert_uint_eq(frame_read(DIST + ISENABLER + 8, 4, true), 7);
	frame_write(DIST + ICENABLER + 8, 4, false, 7);
	ck_assert_uint_eq(frame_read(DIST + ISENABLER + 8, 4, true), 3);
	ck_assert_uint_eq(frame_read(DIST + IGROUPR + 8, 4, false), 0);
	frame_write(DIST + IGROUPR + 8, 4, false, 0);
	ck_assert_uint_eq(frame_read(DIST + IGROUPR + 8, 4, true), 4);
	frame_write(DIST + IGRPMODR + 8, 4, false, 0);
	ck_assert_uint_eq(frame_read(DIST + IGRPMODR + 8, 4, true), 2);
	// Priorities: hidden, and shifted.
	ck_assert_uint_eq(frame_read(DIST + IPRIORITYR + 64, 4, false), 0x200000);
	frame_write(DIST + IPRIORITYR + 64, 4, false, 0x00f0f0f0);
	ck_assert_uint_eq(frame_read(DIST + IPRIORITYR + 64, 4, true), 0x00f83020);
	// Routing.
	frame_write(DIST + IROUTER + 8 * 64, 8, false, 1);
	ck_assert_uint_eq(frame_read(DIST + IROUTER + 8 * 64, 8, true), 0);
	frame_write(DIST + IROUTER + 8 * 66, 8, false, 1);
	ck_assert_uint_eq(frame_read(DIST + IROUTER + 8 * 66, 8, true), 1);
	// Pending bits: hidden, until NSACR gives leave.
	frame_write(DIST + ISPENDR + 8, 4, false, 1);
	ck_assert_uint_eq(frame_read(DIST + ISPENDR + 8, 4, true), 0);
	frame_write(DIST + NSACR + 16, 4, true, 1);
	frame_write(DIST + ISPENDR + 8, 4, false, 3);
	ck_assert_uint_eq(frame_read(DIST + ISPENDR + 8, 4, true), 1);
	frame_write(DIST + ICPENDR + 8, 4, false, 1);
	ck_assert_uint_eq(frame_read(DIST + ISPENDR + 8, 4, true), 1);
	frame_write(DIST + NSACR + 16, 4, true, 2);
	frame_write(DIST + ICPENDR + 8, 4, false, 1);
	ck_assert_uint_eq(frame_read(DIST + ISPENDR + 8, 4, true), 0);
	ck_assert_uint_eq(frame_read(DIST + NSACR + 16, 4, false), 0);
}
END_TEST

START_TEST(priority_views_of_non_secure_software)
{
	pes[0].sr[SR_SCR_EL3] |= SCR_FIQ;
	fake_enter(&pes[0], 3, false);
	fake_write(&pes[0], SR_ICC_PMR_EL1, 0xf0);
	fake_enter(&pes[0], 1, false);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_PMR_EL1), 0xe0);
	fake_write(&pes[0], SR_ICC_PMR_EL1, 0x80);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_PMR_EL1), 0x80);
	fake_enter(&pes[0], 3, false);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_PMR_EL1), 0xc0);
	// A mask in the Secure half is out of reach, and reads as zero.
	fake_write(&pes[0], SR_ICC_PMR_EL1, 0x40);
	fake_enter(&pes[0], 1, false);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_PMR_EL1), 0);
	fake_write(&pes[0], SR_ICC_PMR_EL1, 0xff);
	fake_enter(&pes[0], 3, false);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_PMR_EL1), 0x40);
	fake_write(&pes[0], SR_ICC_PMR_EL1, 0xf8);
	// The running priority is shifted as well; idle is 0xff for all.
	fake_enter(&pes[0], 1, false);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_RPR_EL1), 0xff);
	enable(0, 40, G1NS, 0xa0);
	pend(0, 40);
	ck_assert_uint_eq(iar1(0), 40);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_RPR_EL1), 0x40);
	// Without SCR_EL3.FIQ the whole range is seen.
	pes[0].sr[SR_SCR_EL3] &= ~(uint64_t)SCR_FIQ;
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_RPR_EL1), 0xa0);
}
END_TEST

START_TEST(special_identifiers)
{
	// EL3, IAR0: 1020 for a Secure Group 1 interrupt, 1021 for a Non-secure one; neither is
	// acknowledged.
	enable(0, 40, G1S, 0x20);
	pend(0, 40);
	fake_enter(&pes[0], 3, true);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_HPPIR0_EL1), 1020);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_IAR0_EL1), 1020);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_HPPIR1_EL1), 40);
	ck_assert(!bank_bit(0, 40, ISACTIVER));
	// Non-secure software does not see it; Secure EL1 does.
	fake_enter(&pes[0], 1, false);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_IAR0_EL1), SPURIOUS);
	ck_assert_uint_eq(iar1(0), SPURIOUS);
	fake_enter(&pes[0], 1, true);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_IAR0_EL1), SPURIOUS);
	ck_assert_uint_eq(iar1(0), 40);
	eoi1(0, 40);
	ck_assert(!bank_bit(0, 40, ISACTIVER));
	enable(0, 41, G1NS, 0x90);
	pend(0, 41);
	ck_assert_uint_eq(iar1(0), SPURIOUS); // Secure EL1 and a Non-secure interrupt
	fake_enter(&pes[0], 3, true);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_IAR0_EL1), 1021);
	// Group 0 is not Non-secure software's.
	enable(0, 42, G0, 0x10);
	pend(0, 42);
	fake_enter(&pes[0], 2, false);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_IAR0_EL1), SPURIOUS);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_HPPIR0_EL1), SPURIOUS);
	fake_enter(&pes[0], 3, false);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_IAR0_EL1), 42);
	// Nor may it end it.
	fake_enter(&pes[0], 2, false);
	fake_write(&pes[0], SR_ICC_EOIR0_EL1, 42);
	ck_assert(bank_bit(0, 42, ISACTIVER));
	fake_enter(&pes[0], 3, false);
	fake_write(&pes[0], SR_ICC_EOIR0_EL1, 42);
	ck_assert(!bank_bit(0, 42, ISACTIVER));
}
END_TEST

START_TEST(banked_registers)
{
	struct pe *pe = &pes[0];

	fake_enter(pe, 3, true); // SCR_EL3.NS 0
	fake_write(pe, SR_ICC_BPR1_EL1, 0);
	ck_assert_uint_eq(fake_read(pe, SR_ICC_BPR1_EL1), 2);
	fake_write(pe, SR_ICC_IGRPEN1_EL1, 0);
	ck_assert_uint_eq(fake_read(pe, SR_ICC_IGRPEN1_EL3), 1);
	fake_write(pe, SR_ICC_AP1R0_EL1, 0x10);
	fake_enter(pe, 3, false); // NS 1
	ck_assert_uint_eq(fake_read(pe, SR_ICC_BPR1_EL1), 3);
	ck_assert_uint_eq(fake_read(pe, SR_ICC_IGRPEN1_EL1), 1);
	ck_assert_uint_eq(fake_read(pe, SR_ICC_AP1R0_EL1), 0);
	fake_write(pe, SR_ICC_IGRPEN1_EL3, 2);
	ck_assert_uint_eq(fake_read(pe, SR_ICC_IGRPEN1_EL1), 0);
	fake_enter(pe, 1, true);
	ck_assert_uint_eq(fake_read(pe, SR_ICC_IGRPEN1_EL1), 1);
	fake_write(pe, SR_ICC_CTLR_EL1, 3); // EOImode; CBPR is EL3's
	ck_assert_uint_eq(fake_read(pe, SR_ICC_CTLR_EL1) & 3, 2);
	fake_enter(pe, 1, false);
	ck_assert_uint_eq(fake_read(pe, SR_ICC_CTLR_EL1) & 3, 0);
	fake_enter(pe, 3, false);
	ck_assert_uint_eq(fake_read(pe, SR_ICC_CTLR_EL3) & 0x1f, 0x08);
	fake_write(pe, SR_ICC_CTLR_EL3, 0x16); // CBPR_EL1NS, EOImode_EL3, EOImode_EL1NS
	ck_assert_uint_eq(fake_read(pe, SR_ICC_CTLR_EL3) & 0x1f, 0x16);
	ck_assert_uint_eq((fake_read(pe, SR_ICC_CTLR_EL3) >> 8) & 7, 4); // PRIbits
	fake_enter(pe, 1, false);
	ck_assert_uint_eq(fake_read(pe, SR_ICC_CTLR_EL1) & 3, 3);
	ck_assert_uint_eq(fake_read(pe, SR_ICC_BPR1_EL1), 3); // BPR0 (2) + 1
	fake_enter(pe, 3, false);
	ck_assert_uint_eq(fake_read(pe, SR_ICC_BPR1_EL1), 3); // EL3 sees the register itself
	// Secure, with CBPR: BPR1 is BPR0.
	fake_write(pe, SR_ICC_CTLR_EL3, 1);
	fake_enter(pe, 1, true);
	fake_write(pe, SR_ICC_BPR1_EL1, 6);
	ck_assert_uint_eq(fake_read(pe, SR_ICC_BPR0_EL1), 6);
}
END_TEST

START_TEST(dir_by_level_and_routing)
{
	struct pe *pe = &pes[0];

	fake_enter(pe, 3, false);
	fake_write(pe, SR_ICC_CTLR_EL3, 0x1c); // EOImode everywhere
	enable(0, 40, G1S, 0x20);
	enable(0, 41, G1NS, 0x90);
	bank_set(0, 40, ISACTIVER, true);
	bank_set(0, 41, ISACTIVER, true);
	fake_enter(pe, 1, false);
	fake_write(pe, SR_ICC_DIR_EL1, 40); // not ours
	ck_assert(bank_bit(0, 40, ISACTIVER));
	pe->sr[SR_SCR_EL3] |= SCR_IRQ; // routed to EL3
	fake_write(pe, SR_ICC_DIR_EL1, 41);
	ck_assert(bank_bit(0, 41, ISACTIVER));
	pe->sr[SR_SCR_EL3] &= ~(uint64_t)SCR_IRQ;
	fake_write(pe, SR_ICC_DIR_EL1, 41);
	ck_assert(!bank_bit(0, 41, ISACTIVER));
	fake_enter(pe, 1, true);
	fake_write(pe, SR_ICC_DIR_EL1, 40);
	ck_assert(!bank_bit(0, 40, ISACTIVER));
}
END_TEST

START_TEST(sgis_between_security_states)
{
	struct pe *pe = &pes[0];
	uint64_t sgi = 1u << 24 | 2; // SGI 1 to PE 1

	enable(1, 1, G1S, 0x20);
	fake_enter(pe, 1, false);
	fake_write(pe, SR_ICC_SGI1R_EL1, sgi);
	ck_assert(!bank_bit(1, 1, ISPENDR));
	fake_write(pe, SR_ICC_ASGI1R_EL1, sgi); // NSACR forbids
	ck_assert(!bank_bit(1, 1, ISPENDR));
	frame_write(frame(1, 1) + NSACR, 4, true, 1u << 2); // enough for Group 0 only
	fake_write(pe, SR_ICC_ASGI1R_EL1, sgi);
	ck_assert(!bank_bit(1, 1, ISPENDR));
	frame_write(frame(1, 1) + NSACR, 4, true, 2u << 2);
	fake_write(pe, SR_ICC_ASGI1R_EL1, sgi);
	ck_assert(bank_bit(1, 1, ISPENDR));
	frame_write(frame(1, 1) + ICPENDR, 4, true, 2);
	// Group 0 at the target: NSACR 1 suffices.
	enable(1, 1, G0, 0x20);
	frame_write(frame(1, 1) + NSACR, 4, true, 0);
	fake_write(pe, SR_ICC_SGI0R_EL1, sgi);
	ck_assert(!bank_bit(1, 1, ISPENDR));
	frame_write(frame(1, 1) + NSACR, 4, true, 1u << 2);
	fake_write(pe, SR_ICC_SGI0R_EL1, sgi);
	ck_assert(bank_bit(1, 1, ISPENDR));
	frame_write(frame(1, 1) + ICPENDR, 4, true, 2);
	// From the Secure state.
	frame_write(frame(1, 1) + NSACR, 4, true, 0);
	fake_enter(pe, 1, true);
	fake_write(pe, SR_ICC_SGI1R_EL1, sgi);
	ck_assert(bank_bit(1, 1, ISPENDR));
	frame_write(frame(1, 1) + ICPENDR, 4, true, 2);
	enable(1, 1, G1NS, 0x20);
	fake_write(pe, SR_ICC_SGI1R_EL1, sgi);
	ck_assert(!bank_bit(1, 1, ISPENDR));
	fake_write(pe, SR_ICC_ASGI1R_EL1, sgi);
	ck_assert(bank_bit(1, 1, ISPENDR));
}
END_TEST

START_TEST(messages_from_the_non_secure_state)
{
	enable(0, 50, G0, 0x20);
	frame_write(DIST + 0x40, 4, false, 50); // SETSPI_NSR
	ck_assert(!bank_bit(0, 50, ISPENDR));
	frame_write(DIST + NSACR + 12, 4, true, 1u << 4); // INTID 50: may be set, but not cleared
	frame_write(DIST + 0x40, 4, false, 50);
	ck_assert(bank_bit(0, 50, ISPENDR));
	frame_write(DIST + 0x48, 4, false, 50);
	ck_assert(bank_bit(0, 50, ISPENDR));
	frame_write(DIST + NSACR + 12, 4, true, 2u << 4);
	frame_write(DIST + 0x48, 4, false, 50);
	ck_assert(!bank_bit(0, 50, ISPENDR));
	// The Secure registers are for Secure accesses.
	frame_write(DIST + 0x50, 4, false, 50);
	ck_assert(!bank_bit(0, 50, ISPENDR));
	frame_write(DIST + 0x50, 4, true, 50);
	ck_assert(bank_bit(0, 50, ISPENDR));
	frame_write(DIST + 0x58, 4, true, 50);
	ck_assert(!bank_bit(0, 50, ISPENDR));
}
END_TEST

START_TEST(disabling_security)
{
	frame_write(DIST + GICD_CTLR, 4, true, 0x47);
	// Now anyone sees everything, Group 1 Secure is gone, and DS cannot be taken back.
	ck_assert_uint_eq(frame_read(DIST + GICD_CTLR, 4, false), 0x53);
	frame_write(DIST + GICD_CTLR, 4, true, 3);
	ck_assert_uint_eq(frame_read(DIST + GICD_CTLR, 4, true), 0x53);
	frame_write(DIST + ISENABLER + 4, 4, false, 1);
	ck_assert(bank_bit(0, 32, ISENABLER));
	ck_assert_uint_eq(frame_read(DIST + GICD_TYPER, 4, true) & (1u << 10), 0);
}
END_TEST

START_TEST(hand_over_to_non_secure_software)
{
	gicv3_reset(gic);
	gicv3_hand_over(gic);
	fake_enter(&pes[0], 2, false);
	pes[0].sr[SR_SCR_EL3] |= SCR_FIQ;
	frame_write(DIST + GICD_CTLR, 4, false, 2);
	fake_write(&pes[0], SR_ICC_IGRPEN1_EL1, 1);
	fake_write(&pes[0], SR_ICC_PMR_EL1, 0xf0);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_PMR_EL1), 0xf0);
	frame_write(DIST + ISENABLER + 4, 4, false, 2);
	frame_write(DIST + IPRIORITYR + 33, 1, false, 0xa0);
	frame_write(DIST + ISPENDR + 4, 4, false, 2);
	ck_assert(irq(0));
	ck_assert_uint_eq(iar1(0), 33);
	gicv3_reset_pe(gic, 0);
	fake_write(&pes[0], SR_ICC_PMR_EL1, 0xa0);
	ck_assert_uint_eq(fake_read(&pes[0], SR_ICC_PMR_EL1), 0xa0);
}
END_TEST

static TCase *one_state(void)
{
	TCase *tcase = tcase_create("one security state");

	tcase_add_checked_fixture(tcase, setup_one, teardown);
	tcase_add_test(tcase, creation_errors);
	tcase_add_test(tcase, identification_with_one_state);
	tcase_add_test(tcase, level_spi_life);
	tcase_add_test(tcase, edge_spi_latches);
	tcase_add_test(tcase, clearing_pending_of_a_level_keeps_the_level);
	tcase_add_test(tcase, enables_of_groups_gate);
	tcase_add_test(tcase, priorities_mask_and_order);
	tcase_add_test(tcase, preemption_and_nesting);
	tcase_add_test(tcase, binary_point_groups_priorities);
	tcase_add_test(tcase, binary_point_minimum_and_cbpr);
	tcase_add_test(tcase, eoimode_splits);
	tcase_add_test(tcase, eoi_of_special_and_unknown_intids_is_ignored);
	tcase_add_test(tcase, routing_of_spis);
	tcase_add_test(tcase, sgi_targets);
	tcase_add_test(tcase, sgis_are_edge_triggered_always);
	tcase_add_test(tcase, sleeping_redistributor_forwards_nothing);
	tcase_add_test(tcase, message_based_spis);
	tcase_add_test(tcase, reserved_offsets_and_sizes);
	tcase_add_test(tcase, warm_reset_of_a_pe_keeps_its_redistributor);
	return tcase;
}

static TCase *two_states(void)
{
	TCase *tcase = tcase_create("two security states");

	tcase_add_checked_fixture(tcase, setup_two, teardown);
	tcase_add_test(tcase, identification_with_two_states);
	tcase_add_test(tcase, lines_by_group_and_state);
	tcase_add_test(tcase, secure_interrupts_are_hidden_from_non_secure_accesses);
	tcase_add_test(tcase, priority_views_of_non_secure_software);
	tcase_add_test(tcase, special_identifiers);
	tcase_add_test(tcase, banked_registers);
	tcase_add_test(tcase, dir_by_level_and_routing);
	tcase_add_test(tcase, sgis_between_security_states);
	tcase_add_test(tcase, messages_from_the_non_secure_state);
	tcase_add_test(tcase, disabling_security);
	tcase_add_test(tcase, hand_over_to_non_secure_software);
	return tcase;
}

int main(void)
{
	Suite *suite = suite_create("gic");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, one_state());
	suite_add_tcase(suite, two_states());
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
