// SPDX-License-Identifier: Apache-2.0
// The open state: registers that trap nothing, memory with its maps.
#include "explain/open.h"

#include <string.h>

#include "base/bits.h"
#include "base/check.h"
#include "cpu/field.h"
#include "cpu/pe.h"
#include "strata/strata.h"

#define X_OPEN UINT64_C(0x5555555555555555)

// ---- registers ----------------------------------------------------------------------------------

void open_poke(struct pe *pe, enum sysreg reg, uint64_t mask, uint64_t value)
{
	uint64_t old = 0;

	if (!pe_has_register(pe, reg)) {
		return;
	}
	if (mask != UINT64_MAX) {
		(void)pe_peek(pe, reg, &old);
	}
	value = (old & ~mask) | (value & mask);
	// What the model lacks keeps its fixed value.
	(void)pe_poke(pe, reg, value ^ pe_impossible(pe, reg, value));
}

struct open_field {
	uint16_t reg;
	const char *names; // separated by spaces
	uint64_t value;
};

// The open state, as far as it is not the state after reset (docs/trap-tests.md has the table).
static const struct open_field open_fields[] = {
	{SR_SCR_EL3,
	 "NS RW HCE ST APK API EnSCXT FIEN ATA FGTEn FGTEn2 ECVEn HXEn AMVOFFEN EnAS0 ADEn EnTP2 "
	 "TCR2En "
	 "SCTLR2En PIEn",
	 1},
	{SR_HCR_EL2, "RW APK API EnSCXT FIEN ATA", 1},
	{SR_HCRX_EL2, "EnAS0 EnALS EnASR MSCEn TCR2En SCTLR2En D128En EnFPM EnSDERR GCSEn", 1},
	{SR_CPACR_EL1, "FPEN", 3},
	{SR_CPACR_EL1, "E0POE", 1},
	{SR_CNTHCTL_EL2, "EL1PCTEN EL1PCEN", 1},
	{SR_CNTKCTL_EL1, "EL0PCTEN EL0VCTEN EL0VTEN EL0PTEN", 1},
	{SR_SCTLR_EL1,
	 "UMA UCT UCI DZE nTWI nTWE EnRCTX EnAS0 EnALS EnASR EnTP2 MSCEn ATA0 ATA SPAN EOS EIS", 1},
	{SR_SCTLR_EL1, "TSCXT", 0},
	{SR_SCTLR_EL2, "ATA EOS EIS", 1},
	{SR_SCTLR_EL3, "ATA EOS EIS", 1},
	{SR_PMUSERENR_EL0, "EN SW CR ER", 1},
	{SR_AMUSERENR_EL0, "EN", 1},
	{SR_ICC_SRE_EL1, "SRE DFB DIB", 1},
	{SR_ICC_SRE_EL2, "SRE DFB DIB Enable", 1},
	{SR_ICC_SRE_EL3, "SRE DFB DIB Enable", 1},
	{SR_OSLSR_EL1, "OSLK", 0},
	{SR_MDCR_EL3, "SPME", 1},
};

// The same with HCR_EL2.E2H set, on top.
static const struct open_field open_fields_e2h[] = {
	{SR_CPTR_EL2, "FPEN", 3},
	{SR_CPTR_EL2, "E0POE", 1},
	{SR_CPTR_EL2, "TAM TCPAC TTA", 0},
	{SR_CNTHCTL_EL2, "EL0PCTEN EL0VCTEN EL0VTEN EL0PTEN EL1PCTEN EL1PTEN", 1},
	{SR_SCTLR_EL2,
	 "UMA UCT UCI DZE nTWI nTWE EnRCTX EnAS0 EnALS EnASR EnTP2 MSCEn ATA0 ATA SPAN EOS EIS", 1},
	{SR_SCTLR_EL2, "TSCXT", 0},
};

static const struct {
	uint16_t reg;
	uint64_t value;
} open_values[] = {
	{SR_VBAR_EL1, OPEN_VECTORS(1)},
	{SR_VBAR_EL2, OPEN_VECTORS(2)},
	{SR_VBAR_EL3, OPEN_VECTORS(3)},
	{SR_ELR_EL1, OPEN_CODE},
	{SR_ELR_EL2, OPEN_CODE},
	{SR_ELR_EL3, OPEN_CODE},
	{SR_SPSR_EL1, 0x3c5},
	{SR_SPSR_EL2, 0x3c9},
	{SR_SPSR_EL3, 0x3cd},
	{SR_SP_EL0, OPEN_STACK},
	{SR_SP_EL1, OPEN_STACK},
	{SR_SP_EL2, OPEN_STACK},
	{SR_CPTR_EL3, 0},
	{SR_HSTR_EL2, 0},
};

static void open_named(struct pe *pe, const struct open_field *row, bool e2h)
{
	const char *name = row->names;

	while (*name != '\0') {
		size_t size = strcspn(name, " ");
		char text[32];
		const struct sysreg_field *field;

		CHECK(size < sizeof(text));
		memcpy(text, name, size);
		text[size] = '\0';
		field = sysreg_field_find((enum sysreg)row->reg, text, e2h);
		if (field != NULL) {
			open_poke(pe, (enum sysreg)row->reg, sysreg_field_mask(field),
				  row->value << field->lo);
		}
		name += size + (name[size] == ' ');
	}
}

// Fine-grained controls whose field begins with n permit when they are 1.
static void open_fine_grained(struct pe *pe)
{
	static const uint16_t regs[] = {SR_HFGRTR_EL2,  SR_HFGWTR_EL2,  SR_HFGITR_EL2,
					SR_HDFGRTR_EL2, SR_HDFGWTR_EL2, SR_HAFGRTR_EL2};
	const struct sysreg_field *field;

	for (size_t i = 0; (field = sysreg_field_at(i)) != NULL; i++) {
		for (size_t k = 0; k < sizeof(regs) / sizeof(regs[0]); k++) {
			if (field->reg == regs[k] && field->name[0] == 'n') {
				open_poke(pe, (enum sysreg)field->reg, sysreg_field_mask(field),
					  UINT64_MAX);
			}
		}
	}
}

void open_registers(struct pe *pe)
{
	for (size_t i = 0; i < sizeof(open_fields) / sizeof(open_fields[0]); i++) {
		open_named(pe, &open_fields[i], false);
	}
	for (size_t i = 0; i < sizeof(open_values) / sizeof(open_values[0]); i++) {
		open_poke(pe, (enum sysreg)open_values[i].reg, UINT64_MAX, open_values[i].value);
	}
	open_fine_grained(pe);
	for (unsigned i = 0; i < 31; i++) {
		pe_set_x(pe, i, X_OPEN);
	}
	pe_set_sp(pe, OPEN_STACK);
	pe_poked(pe);
}

void open_registers_e2h(struct pe *pe)
{
	for (size_t i = 0; i < sizeof(open_fields_e2h) / sizeof(open_fields_e2h[0]); i++) {
		open_named(pe, &open_fields_e2h[i], true);
	}
}

// ---- memory -------------------------------------------------------------------------------------

// Page tables in the order in which they lie from $tables on.
enum table {
	TABLE_L0, // of EL1&0 and EL2&0
	TABLE_L1,
	TABLE_L2_LOW,
	TABLE_L2_RAM,
	TABLE_L3_NOTHING,
	TABLE_L3_RAM,
	TABLE_L3_UNMAPPED,
	TABLE_ONE_L0, // of EL2 and EL3, which have no EL0
	TABLE_S2_L1 = 2 * TABLE_ONE_L0,
	TABLE_S2_L2_LOW,
	TABLE_S2_L2_RAM,
	TABLE_S2_L3_NOTHING,
	TABLE_S2_L3_RAM,
	TABLE_S2_L3_UNMAPPED,
	TABLE_COUNT
};

static uint64_t table(unsigned which)
{
	return OPEN_TABLES + which * UINT64_C(0x1000);
}

static void write64(struct strata *s, uint64_t address, uint64_t value)
{
	CHECK(strata_write(s, address, &value, sizeof(value)) == 0);
}

static void entry(struct strata *s, unsigned which, uint64_t index, uint64_t value)
{
	write64(s, table(which) + 8 * index, value);
}

// Attributes of a page. S1: AF, inner shareable, MAIR index.
#define PAGE_S1(index) (UINT64_C(0x703) | (uint64_t)(index) << 2)
#define AP_RO BIT(7)
#define AP_EL0 BIT(6)
#define PAGE_GP BIT(50)
#define PAGE_PXN BIT(53)
#define PAGE_XN BIT(54) // UXN where there is an EL0

// The pages of an area, in the table that covers it.
static void area(struct strata *s, unsigned which, uint64_t address, uint64_t attributes)
{
	for (uint64_t offset = 0; offset < OPEN_PLACE_SIZE; offset += 0x1000) {
		uint64_t page = address + offset;

		entry(s, which, page >> 12 & 0x1ff, page | attributes);
	}
}

static void stage1(struct strata *s, unsigned first, bool el0)
{
	uint64_t user = AP_EL0, kernel = el0 ? 0 : AP_EL0; // AP[1] is RES1 without an EL0
	uint64_t never = el0 ? PAGE_PXN | PAGE_XN : PAGE_XN;
	uint64_t code = PAGE_S1(0) | AP_RO | user;
	unsigned ram = first + TABLE_L3_RAM;

	entry(s, first + TABLE_L0, 0, table(first + TABLE_L1) | 3);
	entry(s, first + TABLE_L1, 0, table(first + TABLE_L2_LOW) | 3);
	entry(s, first + TABLE_L1, 1, table(first + TABLE_L2_RAM) | 3);
	entry(s, first + TABLE_L2_LOW, OPEN_NOTHING >> 21 & 0x1ff,
	      table(first + TABLE_L3_NOTHING) | 3);
	entry(s, first + TABLE_L2_RAM, 0, table(ram) | 3);
	entry(s, first + TABLE_L2_RAM, 1, table(first + TABLE_L3_UNMAPPED) | 3);
	area(s, ram, OPEN_CODE, code);
	area(s, ram, OPEN_DATA, PAGE_S1(0) | kernel | never);
	area(s, ram, OPEN_USER, PAGE_S1(0) | user | never);
	area(s, ram, OPEN_RO, code | never);
	area(s, ram, OPEN_TAGGED, PAGE_S1(2) | user | never);
	area(s, ram, OPEN_STACK_PAGES, PAGE_S1(0) | kernel | never);
	area(s, ram, OPEN_GUARDED, code | PAGE_GP);
	for (unsigned el = 1; el <= 3; el++) {
		area(s, ram, OPEN_VECTORS(el), code);
	}
	area(s, ram, OPEN_DEVICE, PAGE_S1(1) | user | never);
	area(s, ram, OPEN_TABLES, PAGE_S1(0) | kernel | never);
	area(s, first + TABLE_L3_UNMAPPED, OPEN_UNMAPPED2, PAGE_S1(0) | user | never);
	area(s, first + TABLE_L3_NOTHING, OPEN_NOTHING, PAGE_S1(1) | user | never);
}

// S2AP read and write, AF, inner shareable; Normal write-back or Device-nGnRE.
#define PAGE_S2_NORMAL UINT64_C(0x7ff)
#define PAGE_S2_DEVICE UINT64_C(0x4c7)

static void stage2(struct strata *s)
{
	entry(s, TABLE_S2_L1, 0, table(TABLE_S2_L2_LOW) | 3);
	entry(s, TABLE_S2_L1, 1, table(TABLE_S2_L2_RAM) | 3);
	entry(s, TABLE_S2_L2_LOW, OPEN_NOTHING >> 21 & 0x1ff, table(TABLE_S2_L3_NOTHING) | 3);
	entry(s, TABLE_S2_L2_RAM, 0, table(TABLE_S2_L3_RAM) | 3);
	entry(s, TABLE_S2_L2_RAM, 1, table(TABLE_S2_L3_UNMAPPED) | 3);
	for (uint64_t place = OPEN_RAM_BASE; place < OPEN_UNMAPPED; place += OPEN_PLACE_SIZE) {
		area(s, TABLE_S2_L3_RAM, place,
		     place == OPEN_DEVICE ? PAGE_S2_DEVICE : PAGE_S2_NORMAL);
	}
	area(s, TABLE_S2_L3_UNMAPPED, OPEN_UNMAPPED, PAGE_S2_NORMAL);
	area(s, TABLE_S2_L3_NOTHING, OPEN_NOTHING, PAGE_S2_DEVICE);
}

void open_memory(struct strata *s)
{
	static const uint8_t zeros[0x10000];

	for (uint64_t place = OPEN_RAM_BASE; place < OPEN_CODE + 0x100000; place += sizeof(zeros)) {
		CHECK(strata_write(s, place, zeros, sizeof(zeros)) == 0);
	}
	stage1(s, TABLE_L0, true);
	stage1(s, TABLE_ONE_L0, false);
	stage2(s);
}

// ---- the maps in use ------------------------------------------------------------------------

#define SCTLR_M_C (BIT(0) | BIT(2)) // on, cacheable
#define MAIR_MAP UINT64_C(0x44f004ff) // write-back, Device-nGnRE, Normal Tagged, non-cacheable
#define TCR_LOWER_HALF (16 | 1 << 8 | 1 << 10 | 3 << 12) // T0SZ 16, cacheable walks, 4 KiB
#define TCR_TWO (TCR_LOWER_HALF | BIT(23) | UINT64_C(2) << 30 | UINT64_C(4) << 32) // EPD1, TG1, IPS
#define TCR_ONE (TCR_LOWER_HALF | UINT64_C(4) << 16 | BIT(23) | BIT(31)) // PS, RES1
#define VTCR_MAP \
	(25 | 1 << 6 | 1 << 8 | 1 << 10 | 3 << 12 | UINT64_C(2) << 16 | BIT(31)) // 39 bits, level 1
#define VSTCR_MAP (25 | 1 << 6 | BIT(31))

static void mmu_el1(struct pe *pe)
{
	open_poke(pe, SR_TTBR0_EL1, UINT64_MAX, table(TABLE_L0));
	open_poke(pe, SR_TCR_EL1, UINT64_MAX, TCR_TWO);
	open_poke(pe, SR_MAIR_EL1, UINT64_MAX, MAIR_MAP);
	open_poke(pe, SR_SCTLR_EL1, SCTLR_M_C, SCTLR_M_C);
}

static void mmu_el2(struct pe *pe, bool e2h)
{
	open_poke(pe, SR_TTBR0_EL2, UINT64_MAX, table(e2h ? TABLE_L0 : TABLE_ONE_L0));
	open_poke(pe, SR_TCR_EL2, UINT64_MAX, e2h ? TCR_TWO : TCR_ONE);
	open_poke(pe, SR_MAIR_EL2, UINT64_MAX, MAIR_MAP);
	open_poke(pe, SR_SCTLR_EL2, SCTLR_M_C, SCTLR_M_C);
}

static void mmu_el3(struct pe *pe)
{
	open_poke(pe, SR_TTBR0_EL3, UINT64_MAX, table(TABLE_ONE_L0));
	open_poke(pe, SR_TCR_EL3, UINT64_MAX, TCR_ONE);
	open_poke(pe, SR_MAIR_EL3, UINT64_MAX, MAIR_MAP);
	open_poke(pe, SR_SCTLR_EL3, SCTLR_M_C, SCTLR_M_C);
}

void open_mmu(struct pe *pe, unsigned el, bool e2h)
{
	if (el == 3) {
		mmu_el3(pe);
	} else if (el == 2) {
		mmu_el2(pe, e2h);
	} else {
		mmu_el1(pe);
	}
}

void open_stage2(struct pe *pe)
{
	open_poke(pe, SR_VTTBR_EL2, UINT64_MAX, table(TABLE_S2_L1));
	open_poke(pe, SR_VTCR_EL2, UINT64_MAX, VTCR_MAP);
	open_poke(pe, SR_VSTTBR_EL2, UINT64_MAX, table(TABLE_S2_L1));
	open_poke(pe, SR_VSTCR_EL2, UINT64_MAX, VSTCR_MAP);
	open_poke(pe, SR_HCR_EL2, BIT(0), BIT(0));
}
