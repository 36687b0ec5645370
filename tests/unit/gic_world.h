// SPDX-License-Identifier: Apache-2.0
// A GICv3 with four fake PEs on a bus, and the few words in which its tests are written.
#ifndef STRATA_TESTS_GIC_WORLD_H
#define STRATA_TESTS_GIC_WORLD_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "bus/bus.h"
#include "fake_pe.h"
#include "gic/gicv3.h"

#define PES 4
#define DIST UINT64_C(0x8000000)
#define REDIST UINT64_C(0x80a0000)
#define SPURIOUS 1023

#define GICD_CTLR 0x0
#define GICD_TYPER 0x4
#define IGROUPR 0x80
#define ISENABLER 0x100
#define ICENABLER 0x180
#define ISPENDR 0x200
#define ICPENDR 0x280
#define ISACTIVER 0x300
#define ICACTIVER 0x380
#define IPRIORITYR 0x400
#define ICFGR 0xc00
#define IGRPMODR 0xd00
#define NSACR 0xe00
#define IROUTER 0x6000
#define GICR_TYPER 0x8
#define GICR_WAKER 0x14

#define SCR_IRQ 2u
#define SCR_FIQ 4u
#define HCR_FMO (UINT64_C(1) << 3)
#define HCR_IMO (UINT64_C(1) << 4)

enum group { G0, G1S, G1NS };

static struct pe pes[PES];
static struct bus *bus;
static struct gicv3 *gic;

static inline uint64_t frame_read(uint64_t address, unsigned size, bool secure)
{
	uint64_t data = 0xdead;
	struct bus_attrs attrs = {.pas = secure ? PAS_SECURE : PAS_NONSECURE};

	ck_assert_int_eq(bus_read(bus, address, size, attrs, &data), BUS_OK);
	return data;
}

static inline void frame_write(uint64_t address, unsigned size, bool secure, uint64_t data)
{
	struct bus_attrs attrs = {.pas = secure ? PAS_SECURE : PAS_NONSECURE};

	ck_assert_int_eq(bus_write(bus, address, size, attrs, data), BUS_OK);
}

// The frame of an INTID's registers, for a PE's own or an SPI.
static inline uint64_t frame(unsigned pe, unsigned intid)
{
	return intid < 32 ? REDIST + pe * 0x20000 + 0x10000 : DIST;
}

static inline bool bank_bit(unsigned pe, unsigned intid, uint64_t offset)
{
	return (frame_read(frame(pe, intid) + offset + intid / 32 * 4, 4, true) >> (intid % 32)) &
	       1;
}

static inline void bank_set(unsigned pe, unsigned intid, uint64_t offset, bool value)
{
	uint64_t address = frame(pe, intid) + offset + intid / 32 * 4;
	uint32_t old = (uint32_t)frame_read(address, 4, true);

	frame_write(address, 4, true,
		    (old & ~(UINT32_C(1) << (intid % 32))) | (uint32_t)value << (intid % 32));
}

static inline void enable(unsigned pe, unsigned intid, enum group group, unsigned priority)
{
	bank_set(pe, intid, IGROUPR, group == G1NS);
	bank_set(pe, intid, IGRPMODR, group == G1S);
	frame_write(frame(pe, intid) + IPRIORITYR + intid, 1, true, priority);
	frame_write(frame(pe, intid) + ISENABLER + intid / 32 * 4, 4, true,
		    UINT32_C(1) << (intid % 32));
}

static inline void pend(unsigned pe, unsigned intid)
{
	frame_write(frame(pe, intid) + ISPENDR + intid / 32 * 4, 4, true,
		    UINT32_C(1) << (intid % 32));
}

static inline void create(bool security, unsigned spi_count)
{
	struct pe *pointers[PES];
	struct gicv3_config config = {.pe_count = PES,
				      .spi_count = spi_count,
				      .has_security = security,
				      .dist_base = DIST,
				      .redist_base = REDIST,
				      .pes = pointers};

	memset(pes, 0, sizeof(pes));
	bus = bus_create();
	for (unsigned i = 0; i < PES; i++) {
		pes[i].index = i;
		// 0.0.0.0, 0.0.0.1, 0.0.1.0, 0.0.1.17
		pes[i].affinity = (uint64_t)(i / 2) << 8 | (i == 3 ? 17 : i % 2);
		pes[i].has_el3 = security;
		pointers[i] = &pes[i];
	}
	config.bus = bus;
	ck_assert_int_eq(gicv3_create(&gic, &config), 0);
}

// All groups enabled everywhere, PMR open, as firmware would; PEs are then at Non-secure EL2.
static inline void open_all(bool security)
{
	frame_write(DIST + GICD_CTLR, 4, true, security ? 7 : 3);
	for (unsigned i = 0; i < PES; i++) {
		fake_enter(&pes[i], security ? 3 : 2, security);
		frame_write(REDIST + i * 0x20000 + GICR_WAKER, 4, true, 0);
		fake_write(&pes[i], SR_ICC_PMR_EL1, 0xff);
		fake_write(&pes[i], SR_ICC_IGRPEN0_EL1, 1);
		if (security) {
			fake_write(&pes[i], SR_ICC_IGRPEN1_EL3, 3);
		} else {
			fake_write(&pes[i], SR_ICC_IGRPEN1_EL1, 1);
		}
		fake_enter(&pes[i], 2, false);
	}
}

static inline void setup_two(void)
{
	create(true, 288);
	open_all(true);
}

static inline void setup_one(void)
{
	create(false, 256);
	open_all(false);
}

static inline void teardown(void)
{
	gicv3_destroy(gic);
	bus_destroy(bus);
}

static inline uint64_t iar1(unsigned pe)
{
	return fake_read(&pes[pe], SR_ICC_IAR1_EL1);
}

static inline void eoi1(unsigned pe, uint64_t intid)
{
	fake_write(&pes[pe], SR_ICC_EOIR1_EL1, intid);
}

static inline bool irq(unsigned pe)
{
	return pes[pe].lines[PE_LINE_IRQ];
}

static inline bool fiq(unsigned pe)
{
	return pes[pe].lines[PE_LINE_FIQ];
}

#endif
