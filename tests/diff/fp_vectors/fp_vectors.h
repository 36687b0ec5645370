// SPDX-License-Identifier: Apache-2.0
// One comparison, as the host tool writes it and the bare-metal program reads it.
#ifndef FP_VECTORS_H
#define FP_VECTORS_H

#include <stdint.h>

struct fp_vector {
	uint64_t a;
	uint64_t b;
	uint64_t c;
	uint64_t result;
	uint32_t fpcr;
	uint16_t op; // row of fp_ops.def, from 0
	uint8_t fpsr_in; // cumulative bits before
	uint8_t fpsr_out; // and after
};

#endif
