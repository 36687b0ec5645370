// SPDX-License-Identifier: Apache-2.0
//
// gic.h - just enough of the board's GICv3 to bring an interrupt to a level under test. All from
// EL3, which is Secure and so sees and sets every group.
#ifndef GIC_H
#define GIC_H

#include "guest.h"

enum gic_group {
	GIC_G0, // FIQ everywhere
	GIC_G1S, // IRQ in Secure state, FIQ otherwise
	GIC_G1NS, // IRQ in Non-secure state, FIQ otherwise
};

// PPIs of the board.
#define INTID_PMU 23
#define INTID_MAINTENANCE 25
#define INTID_CNTHP 26
#define INTID_CNTV 27
#define INTID_CNTHV 28
#define INTID_CNTPS 29
#define INTID_CNTP 30
#define INTID_SPURIOUS 1023

// The distributor, the redistributor of PE 0 and the CPU interface: enabled for all groups, PMR
// open, binary points 0.
void gic_init(void);
// Gives an interrupt its group and priority (lower is more urgent) and enables it.
void gic_enable(unsigned intid, enum gic_group group, unsigned priority);
void gic_disable(unsigned intid);
// Makes it pending by software (SGIs too), or not pending.
void gic_set_pending(unsigned intid, bool pending);
bool gic_is_pending(unsigned intid);
bool gic_is_active(unsigned intid);
// Silent: nothing enabled, pending or active, and no list register in use. The runtime does it
// before each test.
void gic_reset(void);

#endif
