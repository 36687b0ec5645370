// SPDX-License-Identifier: Apache-2.0
// Prepared machines: memory with its maps, registers in the open state, and a checkpoint of both.
#include "traptest/prepared.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/check.h"
#include "board/state.h"
#include "cpu/field.h"
#include "cpu/pe.h"
#include "cpu/sysreg.h"
#include "strata/strata.h"
#include "strata/strata_explain.h"
#include "trace/sinks.h"

#define POOL_MAX 16
#define X_OPEN UINT64_C(0x5555555555555555)

struct tt_pool {
	struct tt_prepared items[POOL_MAX];
	size_t count;
};

// ---- registers ----------------------------------------------------------------------------------

static void poke(struct pe *pe, enum sysreg reg, uint64_t mask, uint64_t value)
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
	 "TCR2En SCTLR2En PIEn",
	 1},
	{SR_HCR_EL2, "RW APK API EnSCXT FIEN ATA", 1},
	{SR_HCRX_EL2, "EnAS0 EnALS EnASR MSCEn TCR2En SCTLR2En D128En EnFPM EnSDERR GCSEn", 1},
	{SR_CPACR_EL1, "FPEN", 3},
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
	{SR_VBAR_EL1, TT_VECTORS(1)},
	{SR_VBAR_EL2, TT_VECTORS(2)},
	{SR_VBAR_EL3, TT_VECTORS(3)},
	{SR_ELR_EL1, TT_CODE},
	{SR_ELR_EL2, TT_CODE},
	{SR_ELR_EL3, TT_CODE},
	{SR_SPSR_EL1, 0x3c5},
	{SR_SPSR_EL2, 0x3c9},
	{SR_SPSR_EL3, 0x3cd},
	{SR_SP_EL0, TT_STACK},
	{SR_SP_EL1, TT_STACK},
	{SR_SP_EL2, TT_STACK},
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
			poke(pe, (enum sysreg)row->reg, sysreg_field_mask(field),
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
				poke(pe, (enum sysreg)field->reg, sysreg_field_mask(field),
				     UINT64_MAX);
			}
		}
	}
}

static void open_state(struct pe *pe)
{
	for (size_t i = 0; i < sizeof(open_fields) / sizeof(open_fields[0]); i++) {
		open_named(pe, &open_fields[i], false);
	}
	for (size_t i = 0; i < sizeof(open_values) / sizeof(open_values[0]); i++) {
		poke(pe, (enum sysreg)open_values[i].reg, UINT64_MAX, open_values[i].value);
	}
	open_fine_grained(pe);
	for (unsigned i = 0; i < 31; i++) {
		pe_set_x(pe, i, X_OPEN);
	}
	pe_set_sp(pe, TT_STACK);
	pe_poked(pe);
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
	return TT_TABLES + which * UINT64_C(0x1000);
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
	for (uint64_t offset = 0; offset < TT_PLACE_SIZE; offset += 0x1000) {
		uint64_t page = address + offset;

		entry(s, which, page >> 12 & 0x1ff, page | attributes);
	}
}

static void stage1(struct strata *s, unsigned first, bool el0)
{
	uint64_t user = el0 ? AP_EL0 : AP_EL0 /* RES1 */, kernel = el0 ? 0 : AP_EL0;
	uint64_t never = el0 ? PAGE_PXN | PAGE_XN : PAGE_XN;
	uint64_t code = PAGE_S1(0) | AP_RO | user;
	unsigned ram = first + TABLE_L3_RAM;

	entry(s, first + TABLE_L0, 0, table(first + TABLE_L1) | 3);
	entry(s, first + TABLE_L1, 0, table(first + TABLE_L2_LOW) | 3);
	entry(s, first + TABLE_L1, 1, table(first + TABLE_L2_RAM) | 3);
	entry(s, first + TABLE_L2_LOW, TT_NOTHING >> 21 & 0x1ff,
	      table(first + TABLE_L3_NOTHING) | 3);
	entry(s, first + TABLE_L2_RAM, 0, table(ram) | 3);
	entry(s, first + TABLE_L2_RAM, 1, table(first + TABLE_L3_UNMAPPED) | 3);
	area(s, ram, TT_CODE, code);
	area(s, ram, TT_DATA, PAGE_S1(0) | kernel | never);
	area(s, ram, TT_USER, PAGE_S1(0) | user | never);
	area(s, ram, TT_RO, code | never);
	area(s, ram, TT_TAGGED, PAGE_S1(2) | user | never);
	area(s, ram, TT_STACK_PAGES, PAGE_S1(0) | kernel | never);
	area(s, ram, TT_GUARDED, code | PAGE_GP);
	for (unsigned el = 1; el <= 3; el++) {
		area(s, ram, TT_VECTORS(el), code);
	}
	area(s, ram, TT_DEVICE, PAGE_S1(1) | user | never);
	area(s, ram, TT_TABLES, PAGE_S1(0) | kernel | never);
	area(s, first + TABLE_L3_UNMAPPED, TT_UNMAPPED2, PAGE_S1(0) | user | never);
	area(s, first + TABLE_L3_NOTHING, TT_NOTHING, PAGE_S1(1) | user | never);
}

// S2AP read and write, AF, inner shareable; Normal write-back or Device-nGnRE.
#define PAGE_S2_NORMAL UINT64_C(0x7ff)
#define PAGE_S2_DEVICE UINT64_C(0x4c7)

static void stage2(struct strata *s)
{
	entry(s, TABLE_S2_L1, 0, table(TABLE_S2_L2_LOW) | 3);
	entry(s, TABLE_S2_L1, 1, table(TABLE_S2_L2_RAM) | 3);
	entry(s, TABLE_S2_L2_LOW, TT_NOTHING >> 21 & 0x1ff, table(TABLE_S2_L3_NOTHING) | 3);
	entry(s, TABLE_S2_L2_RAM, 0, table(TABLE_S2_L3_RAM) | 3);
	entry(s, TABLE_S2_L2_RAM, 1, table(TABLE_S2_L3_UNMAPPED) | 3);
	for (uint64_t place = TT_RAM_BASE; place < TT_UNMAPPED; place += TT_PLACE_SIZE) {
		area(s, TABLE_S2_L3_RAM, place,
		     place == TT_DEVICE ? PAGE_S2_DEVICE : PAGE_S2_NORMAL);
	}
	area(s, TABLE_S2_L3_UNMAPPED, TT_UNMAPPED, PAGE_S2_NORMAL);
	area(s, TABLE_S2_L3_NOTHING, TT_NOTHING, PAGE_S2_DEVICE);
}

static void prepare_memory(struct strata *s)
{
	static const uint8_t zeros[0x10000];

	for (uint64_t place = TT_RAM_BASE; place < TT_CODE + 0x100000; place += sizeof(zeros)) {
		CHECK(strata_write(s, place, zeros, sizeof(zeros)) == 0);
	}
	stage1(s, TABLE_L0, true);
	stage1(s, TABLE_ONE_L0, false);
	stage2(s);
}

// ---- the state of a test ------------------------------------------------------------------------

#define SCTLR_M BIT(0)
#define MAIR_MAP UINT64_C(0x44f004ff) // write-back, Device-nGnRE, Normal Tagged, non-cacheable
#define TCR_LOWER_HALF (16 | 1 << 8 | 1 << 10 | 3 << 12) // T0SZ 16, cacheable walks, 4 KiB
#define TCR_TWO (TCR_LOWER_HALF | BIT(23) | UINT64_C(2) << 30 | UINT64_C(4) << 32) // EPD1, TG1, IPS
#define TCR_ONE (TCR_LOWER_HALF | UINT64_C(4) << 16 | BIT(23) | BIT(31)) // PS, RES1
#define VTCR_MAP \
	(25 | 1 << 6 | 1 << 8 | 1 << 10 | 3 << 12 | UINT64_C(2) << 16 | BIT(31)) // 39 bits, level 1
#define VSTCR_MAP (25 | 1 << 6 | BIT(31))

static void mmu_el1(struct pe *pe)
{
	poke(pe, SR_TTBR0_EL1, UINT64_MAX, table(TABLE_L0));
	poke(pe, SR_TCR_EL1, UINT64_MAX, TCR_TWO);
	poke(pe, SR_MAIR_EL1, UINT64_MAX, MAIR_MAP);
	poke(pe, SR_SCTLR_EL1, SCTLR_M, SCTLR_M);
}

static void mmu_el2(struct pe *pe, bool e2h)
{
	poke(pe, SR_TTBR0_EL2, UINT64_MAX, table(e2h ? TABLE_L0 : TABLE_ONE_L0));
	poke(pe, SR_TCR_EL2, UINT64_MAX, e2h ? TCR_TWO : TCR_ONE);
	poke(pe, SR_MAIR_EL2, UINT64_MAX, MAIR_MAP);
	poke(pe, SR_SCTLR_EL2, SCTLR_M, SCTLR_M);
}

static void mmu_el3(struct pe *pe)
{
	poke(pe, SR_TTBR0_EL3, UINT64_MAX, table(TABLE_ONE_L0));
	poke(pe, SR_TCR_EL3, UINT64_MAX, TCR_ONE);
	poke(pe, SR_MAIR_EL3, UINT64_MAX, MAIR_MAP);
	poke(pe, SR_SCTLR_EL3, SCTLR_M, SCTLR_M);
}

static void mmu_stage2(struct pe *pe)
{
	poke(pe, SR_VTTBR_EL2, UINT64_MAX, table(TABLE_S2_L1));
	poke(pe, SR_VTCR_EL2, UINT64_MAX, VTCR_MAP);
	poke(pe, SR_VSTTBR_EL2, UINT64_MAX, table(TABLE_S2_L1));
	poke(pe, SR_VSTCR_EL2, UINT64_MAX, VSTCR_MAP);
	poke(pe, SR_HCR_EL2, BIT(0), BIT(0));
}

static void apply_words(struct pe *pe, const struct tt_state *state,
			const struct tt_settings *settings, uint64_t hcr)
{
	bool e2h = bit(hcr, 34), host = e2h && bit(hcr, 27);

	(void)settings;
	if (state->said_secure) {
		poke(pe, SR_SCR_EL3, BIT(0), state->secure ? 0 : 1);
	}
	if (state->secure && state->el == 2) {
		poke(pe, SR_SCR_EL3, BIT(18), BIT(18)); // EEL2
	}
	if (state->mmu) {
		if (state->el == 3) {
			mmu_el3(pe);
		} else if (state->el == 2 || (state->el == 0 && host)) {
			mmu_el2(pe, e2h);
		} else {
			mmu_el1(pe);
		}
	}
	if (state->stage1_el1) {
		mmu_el1(pe);
	}
	if (state->stage2) {
		mmu_stage2(pe);
	}
}

static uint64_t hcr_of(const struct tt_settings *settings)
{
	uint64_t hcr = 0;

	for (size_t i = 0; i < settings->count; i++) {
		const struct tt_setting *s = &settings->items[i];

		if (s->kind == TT_SET_REG && s->reg == SR_HCR_EL2) {
			hcr = (hcr & ~s->mask) | s->value;
		}
	}
	return hcr;
}

static void apply_settings(struct strata *strata, struct pe *pe, const struct tt_settings *settings)
{
	for (size_t i = 0; i < settings->count; i++) {
		const struct tt_setting *s = &settings->items[i];

		switch (s->kind) {
		case TT_SET_REG:
			poke(pe, (enum sysreg)s->reg, s->mask, s->value);
			break;
		case TT_SET_X:
			pe_set_x(pe, s->reg, s->value);
			break;
		case TT_SET_SP:
			pe_set_sp(pe, s->value);
			break;
		case TT_SET_PC:
			pe_set_pc(pe, s->value);
			break;
		case TT_SET_MEM:
			(void)strata_write(strata, s->address, &s->value, s->size);
			break;
		case TT_SET_TAG:
			(void)board_set_tag(strata, s->address, (unsigned)s->value);
			break;
		case TT_SET_LINE:
			pe_set_line(pe, (enum pe_line)s->reg, true);
			break;
		}
	}
}

void tt_apply(struct tt_prepared *m, const struct tt_state *state,
	      const struct tt_settings *settings)
{
	uint64_t hcr = hcr_of(settings);
	struct pe *pe = m->pe;

	if (bit(hcr, 34)) {
		for (size_t i = 0; i < sizeof(open_fields_e2h) / sizeof(open_fields_e2h[0]); i++) {
			open_named(pe, &open_fields_e2h[i], true);
		}
	}
	apply_words(pe, state, settings, hcr);
	// Registers first, while the PE is at its highest level; then the state; SP and PC last.
	pe_set_pstate(pe, state->spsr);
	pe_set_sp(pe, TT_STACK);
	pe_set_pc(pe, TT_CODE);
	apply_settings(m->strata, pe, settings);
	pe_set_pstate(pe, state->spsr);
	pe_poked(pe);
}

void tt_apply_settings(struct strata *strata, const struct tt_settings *settings)
{
	apply_settings(strata, board_pe(strata, 0), settings);
	pe_poked(board_pe(strata, 0));
}

// ---- looking ------------------------------------------------------------------------------------

static uint64_t slot_value(struct strata *strata, struct pe *pe, const struct tt_slot *slot)
{
	uint64_t value = 0;

	switch (slot->subject) {
	case TT_X:
		return pe_x(pe, slot->reg);
	case TT_REG:
		(void)pe_peek(pe, (enum sysreg)slot->reg, &value);
		return value;
	case TT_TAG:
		return board_tag(strata, slot->address);
	default:
		(void)strata_read(strata, slot->address, &value, slot->size);
		return value;
	}
}

void tt_look(struct strata *strata, unsigned index, const struct tt_slots *slots,
	     const struct trace_event *event, struct tt_record *record)
{
	static const uint16_t vbars[4] = {SR_VBAR_EL1, SR_VBAR_EL1, SR_VBAR_EL2, SR_VBAR_EL3};
	static const uint16_t fars[4] = {SR_FAR_EL1, SR_FAR_EL1, SR_FAR_EL2, SR_FAR_EL3};
	struct pe *pe = board_pe(strata, index);
	unsigned el = pe_el(pe);

	record->has_event = event != NULL;
	if (event != NULL) {
		record->event = *event;
		snprintf(record->sysreg, sizeof(record->sysreg), "%s",
			 event->sysreg != NULL ? event->sysreg : "");
		record->event.sysreg = NULL;
	}
	record->vbar = sysreg_get(pe, (enum sysreg)vbars[el]);
	record->far = sysreg_get(pe, (enum sysreg)fars[el]);
	record->hpfar = sysreg_get(pe, SR_HPFAR_EL2);
	record->pstate = pe_pstate(pe);
	record->sp = pe_sp(pe);
	record->pc = event != NULL ? event->vector : pe_pc(pe);
	for (size_t i = 0; i < slots->count; i++) {
		record->values[i] = slot_value(strata, pe, &slots->items[i]);
	}
}

// ---- the pool -----------------------------------------------------------------------------------

static void on_event(void *opaque, const struct trace_event *event)
{
	struct tt_prepared *m = opaque;

	if (m->event != NULL) {
		m->event(m->event_opaque, event);
	}
}

static void ignore_event(void *opaque, const struct strata_event *event)
{
	(void)opaque;
	(void)event;
}

static void on_output(void *opaque, const void *data, size_t size)
{
	struct tt_console *c = &((struct tt_prepared *)opaque)->console;

	if (c->output_size + size + 1 > c->output_capacity) {
		c->output_capacity = (c->output_size + size + 1) * 2;
		c->output = realloc(c->output, c->output_capacity);
		CHECK(c->output != NULL);
	}
	memcpy(c->output + c->output_size, data, size);
	c->output_size += size;
	c->output[c->output_size] = '\0';
}

static int on_input(void *opaque, void *data, size_t size, uint64_t timeout_ns)
{
	struct tt_console *c = &((struct tt_prepared *)opaque)->console;

	(void)timeout_ns;
	size = size < c->input_size ? size : c->input_size;
	if (size == 0) {
		return STRATA_CONSOLE_END;
	}
	memcpy(data, c->input, size);
	c->input += size;
	c->input_size -= size;
	return (int)size;
}

static void listen_to(struct tt_prepared *m)
{
	struct trace_sink *sink = trace_sink_callback_create(on_event, m);

	CHECK(sink != NULL);
	m->pe = board_pe(m->strata, 0);
	board_attach(m->strata, sink);
}

static void connect(struct tt_prepared *m, struct strata_options *o)
{
	o->event = ignore_event;
	o->console.write = on_output;
	o->console.read = on_input;
	o->console.opaque = m;
}

static int create(struct tt_prepared *m, const struct tt_machine *machine, char *error,
		  size_t error_size)
{
	struct strata_options o;
	int err;

	strata_options_init(&o);
	o.cpu = machine->cpu;
	o.memory = machine->memory != 0 ? machine->memory : UINT64_C(16) << 20;
	o.boot_el = machine->el3 ? 3 : machine->el2 ? 2 : 1;
	if (o.memory < (UINT64_C(4) << 20)) {
		snprintf(error, error_size, "the machine of cases needs 4 MiB of memory");
		return -1;
	}
	if (machine->el3 && !machine->el2) {
		snprintf(error, error_size, "there is no machine with EL3 and without EL2");
		return -1;
	}
	connect(m, &o);
	err = strata_create(&m->strata, &o, error, error_size);
	if (err != 0) {
		return err;
	}
	board_start_bare(m->strata, TT_CODE);
	board_serve_test_hlt(m->strata);
	listen_to(m);
	prepare_memory(m->strata);
	open_state(m->pe);
	return strata_checkpoint(m->strata);
}

void tt_image_options(const struct tt_test *test, struct strata_options *o,
		      struct strata_load *loads)
{
	const struct tt_machine *machine = &test->machine;

	strata_options_init(o);
	o->image = test->image;
	o->cpu = machine->cpu;
	o->memory = machine->memory != 0 ? machine->memory : UINT64_C(128) << 20;
	o->ram_base = machine->ram_base != 0 ? machine->ram_base : o->ram_base;
	o->smp = machine->smp;
	o->boot_el = machine->boot_el;
	o->secure = machine->secure;
	o->initrd = machine->initrd;
	o->append = machine->append;
	o->dtb = machine->dtb;
	o->has_entry = machine->has_entry;
	o->entry = machine->entry;
	o->semihosting = machine->semihosting;
	o->has_seed = machine->has_seed;
	o->seed = machine->seed;
	o->tlb = (enum strata_tlb)machine->tlb;
	o->no_reboot = true;
	for (size_t i = 0; i < machine->load_count; i++) {
		loads[i].path = machine->loads[i].path;
		loads[i].address = machine->loads[i].address;
	}
	o->loads = loads;
	o->load_count = machine->load_count;
	o->symbols = test->symbols.items;
	o->symbol_count = test->symbols.count;
}

static int create_image(struct tt_prepared *m, const struct tt_test *test, char *error,
			size_t error_size)
{
	struct strata_load loads[sizeof(test->machine.loads) / sizeof(test->machine.loads[0])];
	struct strata_options o;
	int err;

	tt_image_options(test, &o, loads);
	connect(m, &o);
	err = strata_create(&m->strata, &o, error, error_size);
	if (err != 0) {
		return err;
	}
	listen_to(m);
	return strata_checkpoint(m->strata);
}

struct tt_pool *tt_pool_create(void)
{
	struct tt_pool *pool = calloc(1, sizeof(*pool));

	CHECK(pool != NULL);
	return pool;
}

static void release(struct tt_prepared *m)
{
	strata_explainer_destroy(m->explainer);
	strata_destroy(m->strata);
	free(m->console.output);
	free(m->key);
}

void tt_pool_destroy(struct tt_pool *pool)
{
	for (size_t i = 0; pool != NULL && i < pool->count; i++) {
		release(&pool->items[i]);
	}
	free(pool);
}

// The machine of this key, restored; NULL: there is none.
static struct tt_prepared *find(struct tt_pool *pool, const char *key)
{
	for (size_t i = 0; i < pool->count; i++) {
		struct tt_prepared *m = &pool->items[i];

		if (strcmp(m->key, key) == 0) {
			m->event = NULL;
			CHECK(strata_restore(m->strata) == 0);
			m->console.output_size = m->console.input_size = 0;
			return m;
		}
	}
	return NULL;
}

// A place for another machine; the last one makes room where there is none.
static struct tt_prepared *place(struct tt_pool *pool)
{
	struct tt_prepared *m;

	if (pool->count == POOL_MAX) {
		release(&pool->items[--pool->count]);
	}
	m = &pool->items[pool->count];
	memset(m, 0, sizeof(*m));
	return m;
}

static struct tt_prepared *keep(struct tt_pool *pool, struct tt_prepared *m, const char *key,
				int err)
{
	if (err != 0) {
		strata_destroy(m->strata);
		m->strata = NULL;
		return NULL;
	}
	m->key = strdup(key);
	CHECK(m->key != NULL);
	pool->count++;
	return m;
}

struct tt_prepared *tt_pool_get(struct tt_pool *pool, const struct tt_machine *machine, char *error,
				size_t error_size)
{
	struct tt_prepared *m;
	char key[256];

	snprintf(key, sizeof(key), "%s %d %d %llu", machine->cpu, machine->el2, machine->el3,
		 (unsigned long long)machine->memory);
	m = find(pool, key);
	if (m == NULL) {
		m = place(pool);
		m = keep(pool, m, key, create(m, machine, error, error_size));
	}
	return m;
}

// Everything that makes a machine another one, in one text.
static char *image_key(const struct tt_test *t)
{
	const struct tt_machine *m = &t->machine;
	size_t size = 0;
	char *key = NULL;
	FILE *file = open_memstream(&key, &size);

	CHECK(file != NULL);
	fprintf(file, "%s|%s|%llu|%u|%u|%d|%d|%d%llx|%d%llx|%llx|%s|%s|%s|%d", t->image, m->cpu,
		(unsigned long long)m->memory, m->boot_el, m->smp, m->secure, m->semihosting,
		m->has_entry, (unsigned long long)m->entry, m->has_seed,
		(unsigned long long)m->seed, (unsigned long long)m->ram_base,
		m->initrd != NULL ? m->initrd : "", m->append != NULL ? m->append : "",
		m->dtb != NULL ? m->dtb : "", m->tlb);
	for (size_t i = 0; i < m->load_count; i++) {
		fprintf(file, "|%s@%llx", m->loads[i].path,
			(unsigned long long)m->loads[i].address);
	}
	for (size_t i = 0; i < t->symbols.count; i++) {
		fprintf(file, "|%s", t->symbols.items[i]);
	}
	fclose(file);
	CHECK(key != NULL);
	return key;
}

struct tt_prepared *tt_pool_get_image(struct tt_pool *pool, const struct tt_test *test, char *error,
				      size_t error_size)
{
	char *key = image_key(test);
	struct tt_prepared *m = find(pool, key);

	if (m == NULL) {
		m = place(pool);
		m = keep(pool, m, key, create_image(m, test, error, error_size));
	}
	free(key);
	return m;
}
