// SPDX-License-Identifier: Apache-2.0
// What the two files of integer data processing share.
#ifndef STRATA_CPU_EXEC_INT_H
#define STRATA_CPU_EXEC_INT_H

#include "cpu/exec_internal.h"

// Handlers that the translators of the other file look for or use.
op_fn op_mov_x, op_adr;

// The ANDS handlers that fuse with a branch: immediate W, X, register W, X.
op_fn *logic_ands_fn(unsigned which);

// Operands Rd, Rn, Rm, with X31 as zero.
static inline void tr_rrr(struct uop *u, uint32_t insn)
{
	u->rd = tr_xw(F_RD(insn));
	u->rn = tr_xr(F_RN(insn));
	u->rm = tr_xr(F_RM(insn));
}

#endif
