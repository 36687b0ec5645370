// SPDX-License-Identifier: Apache-2.0
// One 128-bit vector register, seen as elements of each size. Element 0 is the least significant,
// as Elem[] of the Arm ARM counts; that the views agree with one another leans on a little-endian
// host.
#ifndef STRATA_CPU_VREG_H
#define STRATA_CPU_VREG_H

#include <stdint.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "union vreg needs a little-endian host: its views share storage");

union vreg {
	uint8_t b[16];
	uint16_t h[8];
	uint32_t s[4];
	uint64_t d[2];
} __attribute__((aligned(16)));

_Static_assert(sizeof(union vreg) == 16, "a vector register is 128 bits");

#endif
