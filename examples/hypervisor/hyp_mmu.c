// SPDX-License-Identifier: Apache-2.0
//
// hyp_mmu.c - the hypervisor's own stage 1: identity, 4 KiB granule, 39-bit addresses, so that
// tables start at level 1.
//
//	level 1  [0] 0x00000000  1 GiB block, device memory
//	         [1] 0x40000000  -> level 2
//	level 2      [0] 0x40000000 -> level 3: our code read-only, the rest not executable
//	             [n]              2 MiB blocks, data only
//
// Two regimes, one table: the EL2 regime (E2H = 0) has a single execute-never bit and one privilege
// level; EL2&0 (E2H = 1) looks like EL1&0, with separate bits for EL2 and EL0.

#include "hyp.h"

#define DESC_BLOCK 1ul
#define DESC_TABLE 3ul
#define DESC_PAGE 3ul
#define ATTR_DEVICE (0ul << 2)
#define ATTR_NORMAL (1ul << 2)
#define AP_RO (1ul << 7)
#define SH_INNER (3ul << 8)
#define AF (1ul << 10)
#define BIT_53 (1ul << 53)
#define BIT_54 (1ul << 54)

#if HYP_VHE
#define DATA (BIT_54 | BIT_53) // UXN, PXN
#define CODE (AP_RO | BIT_54) // UXN: nothing of ours is for EL0
#else
#define AP1_RES1 (1ul << 6)
#define DATA (AP1_RES1 | BIT_54) // XN
#define CODE (AP1_RES1 | AP_RO)
#endif

// Memory types by index: 0 Device-nGnRnE, 1 Normal Write-Back.
#define MAIR 0xff00ul
// T0SZ, walks cacheable and inner shareable, 4 KiB granule.
#define TCR_COMMON ((64 - 39) | 1ul << 8 | 1ul << 10 | 3ul << 12)
#define TCR_CLASSIC (TCR_COMMON | 2ul << 16 | 1ul << 31 | 1ul << 23) // PS 40 bits, RES1
#define TCR_VHE (TCR_COMMON | 2ul << 32 | 1ul << 23) // IPS in another place, EPD1
#define SCTLR_M (1ul << 0)
#define SCTLR_C (1ul << 2)
#define SCTLR_I (1ul << 12)

extern char hyp_code_start[], hyp_code_end[];

static uint64_t pool[16][PAGE_SIZE / 8] __attribute__((aligned(4096)));
static unsigned pool_used;

uint64_t *page_alloc(void)
{
	if (pool_used == sizeof(pool) / sizeof(pool[0])) {
		uart_print("[EL2] out of pages\n");
		hyp_power_off();
	}
	return pool[pool_used++];
}

static void fill_tables(uint64_t *level1)
{
	uint64_t *level2 = page_alloc(), *level3 = page_alloc();

	level1[0] = 0x00000000ul | AF | ATTR_DEVICE | DATA | DESC_BLOCK;
	level1[1] = (uint64_t)level2 | DESC_TABLE;
	level2[0] = (uint64_t)level3 | DESC_TABLE;
	for (uint64_t n = 1; n < 512; n++) {
		uint64_t pa = 0x40000000ul + (n << 21);
		level2[n] = pa | AF | SH_INNER | ATTR_NORMAL | DATA | DESC_BLOCK;
	}
	for (uint64_t n = 0; n < 512; n++) {
		uint64_t pa = 0x40000000ul + n * PAGE_SIZE;
		bool code = pa >= (uint64_t)hyp_code_start && pa < (uint64_t)hyp_code_end;
		level3[n] = pa | AF | SH_INNER | ATTR_NORMAL | (code ? CODE : DATA) | DESC_PAGE;
	}
}

void hyp_mmu_enable(void)
{
	uint64_t *level1 = page_alloc();

	fill_tables(level1);
	write_sysreg(OWN(mair), MAIR);
	write_sysreg(OWN(tcr), HYP_VHE ? TCR_VHE : TCR_CLASSIC);
	write_sysreg(OWN(ttbr0), level1);
	dsb();
	isb();
	__asm__ volatile("tlbi alle2\n\tdsb ish\n\tisb" ::: "memory");
	write_sysreg(OWN(sctlr), 0x30c50830ul | SCTLR_M | SCTLR_C | SCTLR_I);
	isb();
}
