// SPDX-License-Identifier: Apache-2.0
//
// pgtable.c - translation tables for tests (see pgtable.h).

#include "pgtable.h"

#define POOL_SIZE (32ul << 20)

#define DESC_VALID 1ul
#define DESC_TABLE 3ul
#define DESC_PAGE 3ul
#define DESC_BLOCK 1ul

static uint64_t pool_next;

void pgtable_pool_reset(void)
{
	pool_next = (uint64_t)image_end;
}

void *pgtable_alloc(uint64_t size, uint64_t align)
{
	uint64_t at = (pool_next + align - 1) & ~(align - 1);

	if (at + size > (uint64_t)image_end + POOL_SIZE) {
		guest_printf("out of memory for translation tables\n");
		__asm__ volatile("udf #0"); // ends the test as failed
	}
	pool_next = at + size;
	for (uint64_t *p = (uint64_t *)at; p < (uint64_t *)(at + size); p++) {
		*p = 0;
	}
	return (void *)at;
}

static unsigned stride(const struct pgtable *pt)
{
	return pt->granule_shift - 3;
}

static unsigned level_lsb(const struct pgtable *pt, int level)
{
	return pt->granule_shift + (unsigned)(3 - level) * stride(pt);
}

uint64_t pgtable_level_size(const struct pgtable *pt, int level)
{
	return BIT(level_lsb(pt, level));
}

void pgtable_init_stage2(struct pgtable *pt, unsigned granule_shift, unsigned ia_bits,
			 int start_level)
{
	pt->granule_shift = granule_shift;
	pt->ia_bits = ia_bits;
	pt->start_level = start_level;
	pt->lpa2 = false;
	uint64_t size = 8ul << (ia_bits - level_lsb(pt, start_level));
	// TTBR alignment is that of the table's size, at least 64 bytes; small tables get a whole
	// granule here.
	uint64_t granule = BIT(granule_shift);
	size = size < granule ? granule : size;
	pt->root = pgtable_alloc(size, size);
}

void pgtable_init(struct pgtable *pt, unsigned granule_shift, unsigned ia_bits)
{
	unsigned levels = (ia_bits - granule_shift + granule_shift - 4) / (granule_shift - 3);

	pgtable_init_stage2(pt, granule_shift, ia_bits, 4 - (int)levels);
}

static uint64_t address_bits(const struct pgtable *pt, uint64_t pa)
{
	if (pt->granule_shift == 16) {
		return (pa & 0xffffffff0000) | (pa >> 48 & 0xf) << 12;
	}
	if (pt->lpa2) {
		return (pa & 0x3fffffffff000) | (pa >> 50 & 3) << 8;
	}
	return pa & 0xfffffffff000;
}

uint64_t *pgtable_entry(struct pgtable *pt, uint64_t va, int level)
{
	uint64_t ia = va & (BIT(pt->ia_bits) - 1);
	uint64_t *table = pt->root;
	uint64_t *entry = &table[ia >> level_lsb(pt, pt->start_level)];

	for (int l = pt->start_level; l < level; l++) {
		if (!(*entry & DESC_VALID)) {
			uint64_t size = BIT(pt->granule_shift);
			*entry = (uint64_t)pgtable_alloc(size, size) | DESC_TABLE;
		}
		table = (uint64_t *)(*entry & 0xfffffffff000 & ~(BIT(pt->granule_shift) - 1));
		entry = &table[ia >> level_lsb(pt, l + 1) & (BIT(stride(pt)) - 1)];
	}
	return entry;
}

void map_page(struct pgtable *pt, uint64_t va, uint64_t pa, uint64_t attrs, int level)
{
	*pgtable_entry(pt, va, level) =
		address_bits(pt, pa) | attrs | (level == 3 ? DESC_PAGE : DESC_BLOCK);
}

void map_range(struct pgtable *pt, uint64_t va, uint64_t pa, uint64_t size, uint64_t attrs,
	       int level)
{
	uint64_t step = pgtable_level_size(pt, level);

	for (uint64_t done = 0; done < size; done += step) {
		map_page(pt, va + done, pa + done, attrs, level);
	}
}

static void map_code(struct pgtable *pt, uint64_t attrs)
{
	map_range(pt, (uint64_t)vectors_start, (uint64_t)vectors_start,
		  (uint64_t)(vectors_end - vectors_start), attrs, 3);
	map_range(pt, (uint64_t)snippets_start, (uint64_t)snippets_start,
		  (uint64_t)(snippets_end - snippets_start), attrs, 3);
}

void map_guest_code(struct pgtable *pt)
{
	// With AP = RO_ALL the same descriptor is right for EL1&0, EL2&0, EL2 and EL3 (where AP[1]
	// is RES1).
	map_code(pt, PT_NORMAL | PT_AP_RO_ALL);
}

void map_guest_code_stage2(struct pgtable *pt)
{
	map_code(pt, S2_NORMAL | S2_R);
}

void map_image_el3(struct pgtable *pt)
{
	uint64_t size = (uint64_t)(image_end - image_start) + (8ul << 20);

	map_range(pt, (uint64_t)image_start, (uint64_t)image_start, size, PT_NORMAL | PT_AP_RW_ALL,
		  3);
}

// ---- Control registers --------------------------------------------------------------------------

#define WALK_ATTRS (1ul << 8 | 1ul << 10 | 3ul << 12) // IRGN0, ORGN0 Write-Back, SH0 inner
#define PS_48 5ul

static uint64_t tg0(const struct pgtable *pt)
{
	return (pt->granule_shift == 12 ? 0ul : pt->granule_shift == 16 ? 1ul : 2ul) << 14;
}

uint64_t tcr_el1_value(const struct pgtable *pt)
{
	uint64_t epd1 = BIT(23), tg1_4k = 2ul << 30, t1sz = 16ul << 16;

	return (64 - pt->ia_bits) | WALK_ATTRS | tg0(pt) | t1sz | epd1 | tg1_4k | PS_48 << 32 |
	       (pt->lpa2 ? BIT(59) : 0);
}

uint64_t tcr_el2_value(const struct pgtable *pt)
{
	return (64 - pt->ia_bits) | WALK_ATTRS | tg0(pt) | PS_48 << 16 | BIT(31) | BIT(23) |
	       (pt->lpa2 ? BIT(32) : 0);
}

uint64_t vtcr_value(const struct pgtable *pt)
{
	// SL0: 4 KiB 2, 1, 0 for levels 0, 1, 2; 16 and 64 KiB 3, 2, 1 for 0 (16 KiB, LPA2 only),
	// 1, 2 and 0 for 3.
	uint64_t sl0 = pt->granule_shift == 12 ? (uint64_t)(2 - pt->start_level)
					       : (uint64_t)(3 - pt->start_level);

	return (64 - pt->ia_bits) | sl0 << 6 | WALK_ATTRS | tg0(pt) | PS_48 << 16 | BIT(31) |
	       (pt->lpa2 ? BIT(32) : 0);
}

void stage1_on_el1(const struct pgtable *pt)
{
	write_sysreg(mair_el1, MAIR_BASE);
	write_sysreg(tcr_el1, tcr_el1_value(pt));
	write_sysreg(ttbr0_el1, pt->root);
	tlbi_all();
	write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | SCTLR_M | SCTLR_C | SCTLR_I);
}

static void stage1_on_el2_with(const struct pgtable *pt, uint64_t tcr)
{
	write_sysreg(mair_el2, MAIR_BASE);
	write_sysreg(tcr_el2, tcr);
	write_sysreg(ttbr0_el2, pt->root);
	tlbi_all();
	write_sysreg(sctlr_el2, read_sysreg(sctlr_el2) | SCTLR_M | SCTLR_C | SCTLR_I);
}

void stage1_on_el2(const struct pgtable *pt)
{
	stage1_on_el2_with(pt, tcr_el2_value(pt));
}

void stage1_on_el20(const struct pgtable *pt)
{
	stage1_on_el2_with(pt, tcr_el1_value(pt));
}

void stage1_on_el3(const struct pgtable *pt)
{
	write_sysreg(mair_el3, MAIR_BASE);
	write_sysreg(tcr_el3, tcr_el2_value(pt));
	write_sysreg(ttbr0_el3, pt->root);
	tlbi_all();
	write_sysreg(sctlr_el3, read_sysreg(sctlr_el3) | SCTLR_M | SCTLR_C | SCTLR_I);
}

void stage2_on(const struct pgtable *pt)
{
	write_sysreg(vtcr_el2, vtcr_value(pt));
	write_sysreg(vttbr_el2, pt->root);
	write_sysreg(hcr_el2, read_sysreg(hcr_el2) | HCR_VM);
	tlbi_all();
}
