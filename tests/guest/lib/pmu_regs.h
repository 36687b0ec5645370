// SPDX-License-Identifier: Apache-2.0
//
// pmu_regs.h - fields of the performance monitor registers, by the names of the Arm ARM.
#ifndef PMU_REGS_H
#define PMU_REGS_H

#include "gic.h"
#include "guest.h"

#define PMCR_E BIT(0)
#define PMCR_P BIT(1)
#define PMCR_C BIT(2)
#define PMCR_D BIT(3)
#define PMCR_DP BIT(5)
#define PMCR_LC BIT(6)
#define PMCR_LP BIT(7)
#define PMCR_N(v) ((v) >> 11 & 0x1f)

// The cycle counter's bit in PMCNTENSET_EL0, PMOVSSET_EL0 and PMINTENSET_EL1.
#define PMU_C BIT(31)

// PMEVTYPER<n>_EL0, PMCCFILTR_EL0
#define FILTER_P BIT(31)
#define FILTER_U BIT(30)
#define FILTER_NSK BIT(29)
#define FILTER_NSU BIT(28)
#define FILTER_NSH BIT(27)
#define FILTER_M BIT(26)
#define FILTER_SH BIT(24) // FEAT_SEL2
#define EVENT_SW_INCR 0x00
#define EVENT_INST_RETIRED 0x08
#define EVENT_EXC_TAKEN 0x09
#define EVENT_EXC_RETURN 0x0a
#define EVENT_CPU_CYCLES 0x11
#define EVENT_CHAIN 0x1e

// MDCR_EL2, MDCR_EL3
#define MDCR_EL2_HPMD BIT(17)
#define MDCR_EL2_HCCD BIT(23)
#define MDCR_EL2_HLP BIT(26)
#define MDCR_EL3_SCCD BIT(23)

#endif
