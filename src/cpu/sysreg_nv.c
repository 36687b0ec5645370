// SPDX-License-Identifier: Apache-2.0
// Nested virtualization: which accesses from EL1 it traps or does in memory. No model has it yet.
#include "cpu/sysreg_nv.h"

unsigned sysreg_nv_decide(const struct pe *pe, enum sysreg reg, bool read,
			  enum sysreg_nv_stage stage, struct sysreg_control *controls)
{
	(void)pe, (void)reg, (void)read, (void)stage, (void)controls;
	return 0;
}
