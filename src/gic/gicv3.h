// SPDX-License-Identifier: Apache-2.0
// GICv3: distributor, redistributors, CPU interfaces and their virtual halves, for all PEs of a
// board.
#ifndef STRATA_GIC_GICV3_H
#define STRATA_GIC_GICV3_H

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "bus/bus.h"

struct checkpoint;
struct pe;
struct gicv3;

#define GICV3_DIST_SIZE UINT64_C(0x10000)
#define GICV3_REDIST_SIZE UINT64_C(0x20000) // of each PE: RD_base and SGI_base frames
#define GICV3_SPI_MAX 960 // INTIDs 32..991
#define GICV3_PE_MAX 512

// PPI number (INTID - 16) of the maintenance interrupt, connected inside.
#define GICV3_PPI_MAINTENANCE 9

struct gicv3_config {
	unsigned pe_count; // 1..GICV3_PE_MAX
	unsigned spi_count; // multiple of 32, 0..GICV3_SPI_MAX; INTIDs 32 .. 32 + spi_count - 1
	bool has_security; // two Security states (the PEs have EL3); else GICD_CTLR.DS reads as one
	struct bus *bus; // to map the frames on, in the Non-secure and Secure address spaces; NULL:
			 // not mapped
	uint64_t dist_base; // physical address of the distributor, GICV3_DIST_SIZE bytes
	uint64_t redist_base; // of PE 0's redistributor; the others follow, GICV3_REDIST_SIZE bytes
			      // each
	struct pe **pes; // pe_count PEs, in order of their index; the array is copied
	struct log *log; // may be NULL
};

// Create, bind the ICC_* and ICH_* registers of all PEs, map the frames, reset. 0, or -EINVAL,
// -ENOMEM or what bus_map said.
int gicv3_create(struct gicv3 **gic, const struct gicv3_config *config);
void gicv3_destroy(struct gicv3 *gic); // after this the PEs' hooks must not be called any more
void gicv3_checkpoint(struct gicv3 *gic, struct checkpoint *checkpoint);

// Cold reset of everything. To be called after the reset of the PEs. The levels of the input lines
// stay.
void gicv3_reset(struct gicv3 *gic);

// Reset of one PE's CPU interface alone (a warm boot of this PE, PSCI CPU_ON), after pe_reset.
void gicv3_reset_pe(struct gicv3 *gic, unsigned pe);

// Do what Secure firmware does before it enters Non-secure software at reset: every interrupt in
// Non-secure Group 1 at the highest Non-secure priority, all redistributors awake, priority masks
// open. Nothing to do with one Security state. To be called after gicv3_reset by a board that boots
// below EL3 without firmware.
void gicv3_hand_over(struct gicv3 *gic);

// Fill in set, opaque and number of a line that drives SPI `spi` (INTID 32 + spi), or PPI `ppi`
// (INTID 16 + ppi, 0..15) of a PE. The line's level is not touched; it has to be low.
void gicv3_spi_line(struct gicv3 *gic, unsigned spi, struct irq_line *line);
void gicv3_ppi_line(struct gicv3 *gic, unsigned pe, unsigned ppi, struct irq_line *line);

#endif
