// SPDX-License-Identifier: Apache-2.0
// The memory map and interrupt numbers of the board `virt`: those of QEMU's machine of that name.
#ifndef STRATA_BOARD_VIRT_MAP_H
#define STRATA_BOARD_VIRT_MAP_H

#include <stdint.h>

#define VIRT_GIC_DIST_BASE UINT64_C(0x08000000)
#define VIRT_GIC_DIST_SIZE UINT64_C(0x00010000)
#define VIRT_GIC_REDIST_BASE UINT64_C(0x080a0000)
#define VIRT_GIC_REDIST_STRIDE UINT64_C(0x00020000) // per PE
#define VIRT_GIC_REDIST_SIZE UINT64_C(0x00f60000)
#define VIRT_UART_BASE UINT64_C(0x09000000)
#define VIRT_RTC_BASE UINT64_C(0x09010000)
#define VIRT_GPIO_BASE UINT64_C(0x09030000)
#define VIRT_SECURE_UART_BASE UINT64_C(0x09040000)
#define VIRT_SECURE_GPIO_BASE UINT64_C(0x090b0000)
#define VIRT_SECURE_RAM_BASE UINT64_C(0x0e000000)
#define VIRT_SECURE_RAM_SIZE UINT64_C(0x01000000)
#define VIRT_RAM_BASE UINT64_C(0x40000000)

// SPI numbers (INTID - 32).
enum virt_spi {
	VIRT_SPI_SECURE_GPIO = 0,
	VIRT_SPI_UART = 1,
	VIRT_SPI_RTC = 2,
	VIRT_SPI_GPIO = 7,
	VIRT_SPI_SECURE_UART = 8,
	VIRT_SPI_COUNT = 256
};

// PPI numbers (INTID - 16).
enum virt_ppi {
	VIRT_PPI_PMU = 7,
	VIRT_PPI_MAINTENANCE = 9,
	VIRT_PPI_TIMER_HYP = 10,
	VIRT_PPI_TIMER_VIRT = 11,
	VIRT_PPI_TIMER_HYP_VIRT = 12,
	VIRT_PPI_TIMER_SECURE = 13,
	VIRT_PPI_TIMER_PHYS = 14
};

// Lines of the GPIOs.
#define VIRT_GPIO_POWER_KEY 3
#define VIRT_SECURE_GPIO_POWEROFF 0
#define VIRT_SECURE_GPIO_RESTART 1

// MPIDR_EL1 affinity of PE `index`: 16 to a cluster, as one ICC_SGI1R target list reaches.
static inline uint64_t virt_affinity(unsigned index)
{
	return (uint64_t)(index / 16) << 8 | index % 16;
}

#endif
