// SPDX-License-Identifier: Apache-2.0
//
// vdev.c - the virtual device at IPA 0x0a000000: an adder.
//
//	0x0  ID      read-only, "ADD1"
//	0x4  VALUE   a write adds to it; a read of any size returns it
//	0x8  CLEAR   write anything

#include "hyp.h"

#define VDEV_ID 0x0
#define VDEV_VALUE 0x4
#define VDEV_CLEAR 0x8

static uint64_t sum;

uint64_t vdev_read(uint64_t offset, unsigned size)
{
	uint64_t value = offset == VDEV_ID ? 0x31444441 : offset == VDEV_VALUE ? sum : 0;

	return size == 8 ? value : value & ((1ul << (8 * size)) - 1);
}

void vdev_write(uint64_t offset, unsigned size, uint64_t value)
{
	if (offset == VDEV_VALUE) {
		sum += size == 8 ? value : value & ((1ul << (8 * size)) - 1);
	} else if (offset == VDEV_CLEAR) {
		sum = 0;
	}
}
