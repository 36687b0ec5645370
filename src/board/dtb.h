// SPDX-License-Identifier: Apache-2.0
// The device tree that describes the board to the guest.
#ifndef STRATA_BOARD_DTB_H
#define STRATA_BOARD_DTB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dtb_psci { DTB_PSCI_NONE, DTB_PSCI_HVC, DTB_PSCI_SMC };

struct dtb_config {
	uint64_t ram_base, ram_size;
	unsigned pe_count;
	const char *cpu_compatible; // "arm,cortex-a72"
	enum dtb_psci psci;
	bool el2; // the GIC has a maintenance interrupt
	bool vhe; // the timers have a hypervisor virtual one
	bool secure; // Secure devices exist
	bool pmu;
	bool has_kaslr_seed;
	uint64_t seed;
	const char *append; // NULL: none
	uint64_t initrd_start, initrd_end; // equal: none
};

// Bytes that the tree may grow by before it is placed: what /chosen and /memory can add.
#define DTB_SIZE_MAX (UINT64_C(2) << 20)

// Build the tree. 0 with *dtb to be freed and its size, or -ENOMEM.
int dtb_build(const struct dtb_config *config, void **dtb, size_t *size);

// Take the tree of a file (any contents) and replace its /memory and complete its /chosen. 0, or
// -EINVAL with a message, or -ENOMEM.
int dtb_adopt(const struct dtb_config *config, const void *data, size_t data_size, void **dtb,
	      size_t *size, char *error, size_t error_size);

#endif
