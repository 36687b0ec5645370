// SPDX-License-Identifier: Apache-2.0
// Pointer authentication as instructions see it: enables, traps, keys and the failing
// authentication.
#ifndef STRATA_CPU_EXEC_PAUTH_H
#define STRATA_CPU_EXEC_PAUTH_H

#include <stdbool.h>
#include <stdint.h>

struct pe;
struct uop;

// Authenticate a branch target or load base with instruction key A or B (combined forms); the
// result is in pe->scratch[0]. False: pe->fault.
bool pauth_auth_branch(struct pe *pe, const struct uop *op, uint64_t ptr, uint64_t modifier,
		       bool key_b);

#endif
