// SPDX-License-Identifier: Apache-2.0
//
// gic.h - just enough of the board's GICv3 for Non-secure group 1 interrupts of PE 0.
#ifndef BENCH_GIC_H
#define BENCH_GIC_H

#include "bench.h"

#define GICD 0x08000000ul
#define GICR 0x080a0000ul
#define GICR_SGI (GICR + 0x10000)

#define GICD_CTLR 0x0
#define GICD_TYPER 0x4
#define GICR_WAKER 0x14
#define GICD_IGROUPR 0x80
#define GICD_ISENABLER 0x100
#define GICD_IPRIORITYR 0x400

#define INTID_SGI 1
#define INTID_CNTV 27
#define INTID_VIRTUAL 40

static inline volatile uint32_t *mmio(uint64_t address)
{
	return (volatile uint32_t *)address;
}

// Distributor, redistributor and the CPU interface of the present level: SGI 1 and the virtual
// timer enabled.
void gic_init(void);

#endif
