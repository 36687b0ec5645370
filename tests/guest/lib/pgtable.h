// SPDX-License-Identifier: Apache-2.0
//
// pgtable.h - builds translation tables for tests: any granule, any level of leaf, stage 1 and
// stage 2.
//
//	struct pgtable pt;
//
//	pgtable_init(&pt, 12, 39); // 4 KiB granule, 39-bit VA: starts at level 1
//	map_guest_code(&pt); // vectors and snippets, for every stage-1 regime
//	map_page(&pt, 0x80000000, (uint64_t)scratch, PT_NORMAL | PT_AP_RW_EL1, 3);
//	*pgtable_entry(&pt, 0x80001000, 3) = 0; // any descriptor by hand
//	stage1_on_el1(&pt);
//
// The tables live until the next guest_reset().
#ifndef PGTABLE_H
#define PGTABLE_H

#include "guest.h"

// Stage-1 leaf attributes. PT_NORMAL: Write-Back memory, inner shareable, access flag set.
#define PT_ATTR(index) ((uint64_t)(index) << 2)
#define PT_NS BIT(5)
#define PT_AP_RW_EL1 (0ul << 6)
#define PT_AP_RW_ALL (1ul << 6)
#define PT_AP_RO_EL1 (2ul << 6)
#define PT_AP_RO_ALL (3ul << 6)
#define PT_SH_INNER (3ul << 8)
#define PT_SH_OUTER (2ul << 8)
#define PT_AF BIT(10)
#define PT_NG BIT(11)
#define PT_GP BIT(50)
#define PT_DBM BIT(51)
#define PT_CONTIGUOUS BIT(52)
#define PT_PXN BIT(53)
#define PT_UXN BIT(54) // XN of the EL2 and EL3 regimes
#define PT_NORMAL (PT_AF | PT_SH_INNER | PT_ATTR(MAIR_WB))
#define PT_DEVICE (PT_AF | PT_ATTR(MAIR_DEVICE))
// In table descriptors.
#define PT_PXN_TABLE BIT(59)
#define PT_XN_TABLE BIT(60)
#define PT_AP_TABLE(n) ((uint64_t)(n) << 61)
#define PT_NS_TABLE BIT(63)

// Stage-2 leaf attributes. S2_NORMAL: Write-Back, inner shareable, access flag set, no access
// right.
#define S2_MEMATTR(n) ((uint64_t)(n) << 2)
#define S2_R BIT(6)
#define S2_W BIT(7)
#define S2_RW (S2_R | S2_W)
#define S2_XN(n) ((uint64_t)(n) << 53) // 0 exec, 1 EL0 only, 2 none, 3 EL1 only (FEAT_XNX)
#define S2_NORMAL (PT_AF | PT_SH_INNER | S2_MEMATTR(0xf))
#define S2_DEVICE (PT_AF | S2_MEMATTR(0))

struct pgtable {
	uint64_t *root;
	unsigned granule_shift; // 12, 14 or 16
	unsigned ia_bits; // size of the input address: 64 - TxSZ
	int start_level;
	bool lpa2; // 4 KiB and 16 KiB: descriptors carry PA[51:50] in bits [9:8] (TCR.DS = 1)
};

// Stage 1, or stage 2 without concatenation.
void pgtable_init(struct pgtable *pt, unsigned granule_shift, unsigned ia_bits);
// Stage 2 that starts at a given level, with up to 16 concatenated tables.
void pgtable_init_stage2(struct pgtable *pt, unsigned granule_shift, unsigned ia_bits,
			 int start_level);
// The descriptor for va at level; tables above it are made where they are missing.
uint64_t *pgtable_entry(struct pgtable *pt, uint64_t va, int level);
// A block (level < 3) or page descriptor.
void map_page(struct pgtable *pt, uint64_t va, uint64_t pa, uint64_t attrs, int level);
void map_range(struct pgtable *pt, uint64_t va, uint64_t pa, uint64_t size, uint64_t attrs,
	       int level);
// What a walk needs of the image at the lower levels: vectors and snippets, identity mapped,
// read-only and executable by all; and for the EL3 regime everything, tables included.
void map_guest_code(struct pgtable *pt);
void map_guest_code_stage2(struct pgtable *pt);
void map_image_el3(struct pgtable *pt);
// The bytes that one entry of a level covers.
uint64_t pgtable_level_size(const struct pgtable *pt, int level);
// A block of zeroed memory aligned to align (a power of two), from the same pool.
void *pgtable_alloc(uint64_t size, uint64_t align);
void pgtable_pool_reset(void);

// Values of TCR_EL1 (TTBR0 side, walks by TTBR1 disabled, 48-bit output), TCR_EL2/TCR_EL3,
// VTCR_EL2.
uint64_t tcr_el1_value(const struct pgtable *pt);
uint64_t tcr_el2_value(const struct pgtable *pt);
uint64_t vtcr_value(const struct pgtable *pt);

// Turn a regime on over the tables: MAIR, TCR, TTBR0, SCTLR.M (plus caches), TLB invalidated.
// stage1_on_el20() wants HCR_EL2.E2H set by the test. stage2_on() sets VTTBR_EL2 with VMID 0,
// VTCR_EL2 and HCR_EL2.VM.
void stage1_on_el1(const struct pgtable *pt);
void stage1_on_el2(const struct pgtable *pt);
void stage1_on_el20(const struct pgtable *pt);
void stage1_on_el3(const struct pgtable *pt);
void stage2_on(const struct pgtable *pt);

#endif
