// SPDX-License-Identifier: Apache-2.0
// PSCI 1.1 (Arm DEN 0022) and the general calls of SMCCC 1.2 (Arm DEN 0028), as firmware above the
// guest offers them.
#include "base/bits.h"
#include "board/board_internal.h"
#include "board/virt_map.h"
#include "cpu/pe.h"

enum {
	SMCCC_VERSION = 0x80000000,
	SMCCC_ARCH_FEATURES = 0x80000001,
	SMCCC_ARCH_SOC_ID = 0x80000002,
	SMCCC_ARCH_WORKAROUND_1 = 0x80008000,
	SMCCC_ARCH_WORKAROUND_2 = 0x80007fff,
	SMCCC_ARCH_WORKAROUND_3 = 0x80003fff
};

// Without the bits of the calling convention.
enum {
	PSCI_VERSION = 0x00,
	PSCI_CPU_SUSPEND = 0x01,
	PSCI_CPU_OFF = 0x02,
	PSCI_CPU_ON = 0x03,
	PSCI_AFFINITY_INFO = 0x04,
	PSCI_MIGRATE_INFO_TYPE = 0x06,
	PSCI_SYSTEM_OFF = 0x08,
	PSCI_SYSTEM_RESET = 0x09,
	PSCI_FEATURES = 0x0a
};

#define PSCI_BASE32 0x84000000u
#define PSCI_BASE64 0xc4000000u
#define PSCI_1_1 0x00010001u
#define SMCCC_1_2 0x00010002u

enum {
	SUCCESS = 0,
	NOT_SUPPORTED = -1,
	INVALID_PARAMETERS = -2,
	ALREADY_ON = -4,
	INVALID_ADDRESS = -9,
	TOS_NOT_PRESENT = 2, // MIGRATE_INFO_TYPE: nothing to migrate
	WORKAROUND_NOT_REQUIRED = 1
};

enum { AFFINITY_ON = 0, AFFINITY_OFF = 1 };

#define AFFINITY_MASK UINT64_C(0xff00ffffff)
#define POWER_STATE_RESERVED UINT64_C(0xfcfe0000) // of the original format

static int find_pe(const struct strata *s, uint64_t affinity)
{
	for (unsigned i = 0; i < s->pe_count; i++) {
		if (virt_affinity(i) == affinity) {
			return (int)i;
		}
	}
	return -1;
}

static bool is_ram(struct strata *s, uint64_t address)
{
	return (address & 3) == 0 && bus_ram_find(s->bus, PAS_NONSECURE, address) != NULL;
}

static int64_t cpu_on(struct strata *s, uint64_t target, uint64_t entry, uint64_t context)
{
	int index = (target & ~AFFINITY_MASK) == 0 ? find_pe(s, target) : -1;

	if (index < 0) {
		return INVALID_PARAMETERS;
	}
	if (!is_ram(s, entry)) {
		return INVALID_ADDRESS;
	}
	if (!pe_is_halted(s->pes[index].pe)) {
		return ALREADY_ON;
	}
	return board_boot_pe(s, (unsigned)index, entry, context) == 0 ? SUCCESS
								      : INVALID_PARAMETERS;
}

// Of the lowest level only this PE counts; above, any PE of the node that is on (5.7.2).
static int64_t affinity_info(struct strata *s, uint64_t target, uint64_t level)
{
	unsigned shift = level < 3 ? (unsigned)level * 8 : 32;
	bool found = false;

	if (level > 3 || (target & ~AFFINITY_MASK) != 0) {
		return INVALID_PARAMETERS;
	}
	for (unsigned i = 0; i < s->pe_count; i++) {
		if (virt_affinity(i) >> shift == target >> shift) {
			found = true;
			if (!pe_is_halted(s->pes[i].pe)) {
				return AFFINITY_ON;
			}
		}
	}
	return found ? AFFINITY_OFF : INVALID_PARAMETERS;
}

// Every state is a standby state, left as WFI is: a power-down request, too, may end with a wake-up
// back at the caller (5.4.5).
static int64_t cpu_suspend(struct strata *s, struct pe *pe, uint64_t power_state, uint64_t entry)
{
	bool power_down = bit(power_state, 16);

	if ((power_state & POWER_STATE_RESERVED) != 0) {
		return INVALID_PARAMETERS;
	}
	if (power_down && !is_ram(s, entry)) {
		return INVALID_ADDRESS;
	}
	pe_standby(pe);
	return SUCCESS;
}

static bool psci_known(uint32_t id)
{
	switch (id & 0xff) {
	case PSCI_CPU_SUSPEND:
	case PSCI_CPU_ON:
	case PSCI_AFFINITY_INFO:
		return true;
	case PSCI_VERSION:
	case PSCI_CPU_OFF:
	case PSCI_MIGRATE_INFO_TYPE:
	case PSCI_SYSTEM_OFF:
	case PSCI_SYSTEM_RESET:
	case PSCI_FEATURES:
		return id < PSCI_BASE64; // these have no 64-bit form
	default:
		return false;
	}
}

static bool is_psci(uint32_t id)
{
	return (id & ~UINT32_C(0x4000001f)) == PSCI_BASE32;
}

static int64_t psci_features(uint32_t id)
{
	return id == SMCCC_VERSION || (is_psci(id) && psci_known(id)) ? SUCCESS : NOT_SUPPORTED;
}

static int64_t psci(struct strata *s, struct pe *pe, uint32_t id)
{
	uint64_t mask = id >= PSCI_BASE64 ? UINT64_MAX : UINT32_MAX;
	uint64_t a1 = pe_x(pe, 1) & mask;
	uint64_t a2 = pe_x(pe, 2) & mask;
	uint64_t a3 = pe_x(pe, 3) & mask;

	if (!psci_known(id)) {
		return NOT_SUPPORTED;
	}
	switch (id & 0xff) {
	case PSCI_VERSION:
		return PSCI_1_1;
	case PSCI_CPU_SUSPEND:
		return cpu_suspend(s, pe, a1, a2);
	case PSCI_CPU_OFF:
		pe_halt(pe);
		return SUCCESS; // seen by no one
	case PSCI_CPU_ON:
		return cpu_on(s, a1, a2, a3);
	case PSCI_AFFINITY_INFO:
		return affinity_info(s, a1, a2);
	case PSCI_MIGRATE_INFO_TYPE:
		return TOS_NOT_PRESENT;
	case PSCI_SYSTEM_OFF:
		board_end(s, STRATA_POWERED_OFF, "%s", "");
		return SUCCESS;
	case PSCI_SYSTEM_RESET:
		if (s->options.no_reboot) {
			board_end(s, STRATA_RESET, "%s", "");
		}
		s->reset_wanted = true;
		pe_request_stop(pe);
		return SUCCESS;
	case PSCI_FEATURES:
		return psci_features((uint32_t)a1);
	default:
		return NOT_SUPPORTED;
	}
}

static int64_t arch_features(uint32_t id)
{
	switch (id) {
	case SMCCC_VERSION:
	case SMCCC_ARCH_FEATURES:
		return SUCCESS;
	case SMCCC_ARCH_WORKAROUND_1:
	case SMCCC_ARCH_WORKAROUND_2:
	case SMCCC_ARCH_WORKAROUND_3:
		return WORKAROUND_NOT_REQUIRED; // nothing is speculated here
	default:
		return NOT_SUPPORTED;
	}
}

bool psci_call(struct strata *s, struct pe *pe)
{
	uint32_t id = (uint32_t)pe_x(pe, 0);

	if (is_psci(id)) {
		pe_set_x(pe, 0, (uint64_t)psci(s, pe, id));
		return true;
	}
	switch (id) {
	case SMCCC_VERSION:
		pe_set_x(pe, 0, SMCCC_1_2);
		break;
	case SMCCC_ARCH_FEATURES:
		pe_set_x(pe, 0, (uint64_t)arch_features((uint32_t)pe_x(pe, 1)));
		break;
	case SMCCC_ARCH_WORKAROUND_1:
	case SMCCC_ARCH_WORKAROUND_2:
	case SMCCC_ARCH_WORKAROUND_3:
		break; // no results
	default:
		pe_set_x(pe, 0, (uint64_t)(int64_t)NOT_SUPPORTED);
		break;
	}
	return true;
}
