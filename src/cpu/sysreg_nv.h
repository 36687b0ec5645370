// SPDX-License-Identifier: Apache-2.0
// Nested virtualization (FEAT_NV, FEAT_NV2): its say in accesses from EL1.
#ifndef STRATA_CPU_SYSREG_NV_H
#define STRATA_CPU_SYSREG_NV_H

#include <stdbool.h>

#include "cpu/sysreg.h"

// Where in the order of an accessor's checks nested virtualization is asked.
enum sysreg_nv_stage {
	SYSREG_NV_FOREIGN, // of an EL2 or EL3 register or an _EL12 or _EL02 name, which EL1 has
			   // not: without an answer the access is UNDEFINED
	SYSREG_NV_TRAPS, // of an access that EL1 has, before the other traps to EL2
	SYSREG_NV_LAST, // of one that nothing traps, before it is made
};
#define SYSREG_NV_CONTROLS_MAX 4u

// Its controls of this access from EL1 at this stage, in their order; returns how many were filled
// in. The first that is involved and holds decides.
unsigned sysreg_nv_decide(const struct pe *pe, enum sysreg reg, bool read,
			  enum sysreg_nv_stage stage, struct sysreg_control *controls);

#endif
