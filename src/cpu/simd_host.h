// SPDX-License-Identifier: Apache-2.0
// Whole-vector floating point on the host's SIMD unit, where that is exact: see simd_host.c.
#ifndef STRATA_CPU_SIMD_HOST_H
#define STRATA_CPU_SIMD_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "cpu/fp/fp.h"
#include "cpu/uop.h"
#include "cpu/vreg.h"

// Four single-precision or two double-precision lanes. True: *d holds the result and no flag
// changed. False: nothing was done; the element-wise way has to be taken. The pointers may be
// equal.
bool simd_host_add_s(const struct fp_env *env, union vreg *d, const union vreg *n,
		     const union vreg *m);
bool simd_host_add_d(const struct fp_env *env, union vreg *d, const union vreg *n,
		     const union vreg *m);
bool simd_host_sub_s(const struct fp_env *env, union vreg *d, const union vreg *n,
		     const union vreg *m);
bool simd_host_sub_d(const struct fp_env *env, union vreg *d, const union vreg *n,
		     const union vreg *m);
bool simd_host_mul_s(const struct fp_env *env, union vreg *d, const union vreg *n,
		     const union vreg *m);
bool simd_host_mul_d(const struct fp_env *env, union vreg *d, const union vreg *n,
		     const union vreg *m);
// d + n * m, fused; needs a host with FMA.
bool simd_host_fma_s(const struct fp_env *env, union vreg *d, const union vreg *n,
		     const union vreg *m);
bool simd_host_fma_d(const struct fp_env *env, union vreg *d, const union vreg *n,
		     const union vreg *m);
// d - n * m, fused.
bool simd_host_fms_s(const struct fp_env *env, union vreg *d, const union vreg *n,
		     const union vreg *m);
bool simd_host_fms_d(const struct fp_env *env, union vreg *d, const union vreg *n,
		     const union vreg *m);

// FMLA Vd.4S with a vector and with an element of one, as handlers of their own: the worker's call
// is more than the work. Only where simd_host_has_fma(); what is not exact goes to the general
// handler.
bool simd_host_has_fma(void);
op_fn op_fmla_4s_host, op_fmla_4s_element_host;

#endif
