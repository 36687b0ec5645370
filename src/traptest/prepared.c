// SPDX-License-Identifier: Apache-2.0
// Prepared machines: memory with its maps, registers in the open state, and a checkpoint of both.
#include "traptest/prepared.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/check.h"
#include "board/state.h"
#include "cpu/pe.h"
#include "cpu/sysreg.h"
#include "explain/open.h"
#include "strata/strata.h"
#include "strata/strata_explain.h"
#include "trace/sinks.h"

#define POOL_MAX 16

struct tt_pool {
	struct tt_prepared items[POOL_MAX];
	size_t count;
};

// ---- the state of a test ------------------------------------------------------------------------

static void apply_words(struct pe *pe, const struct tt_state *state,
			const struct tt_settings *settings, uint64_t hcr)
{
	bool e2h = bit(hcr, 34), host = e2h && bit(hcr, 27);

	(void)settings;
	if (state->said_secure) {
		open_poke(pe, SR_SCR_EL3, BIT(0), state->secure ? 0 : 1);
	}
	if (state->secure && state->el == 2) {
		open_poke(pe, SR_SCR_EL3, BIT(18), BIT(18)); // EEL2
	}
	if (state->mmu) {
		open_mmu(pe, state->el == 0 ? (host ? 2 : 1) : state->el, e2h);
	}
	if (state->stage1_el1) {
		open_mmu(pe, 1, e2h);
	}
	if (state->stage2) {
		open_stage2(pe);
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
			open_poke(pe, (enum sysreg)s->reg, s->mask, s->value);
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
		open_registers_e2h(pe);
	}
	apply_words(pe, state, settings, hcr);
	// Registers first, while the PE is at its highest level; then the state; SP and PC last.
	pe_set_pstate(pe, state->spsr);
	pe_set_sp(pe, OPEN_STACK);
	pe_set_pc(pe, OPEN_CODE);
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
	board_start_bare(m->strata, OPEN_CODE);
	board_serve_test_hlt(m->strata);
	listen_to(m);
	open_memory(m->strata);
	open_registers(m->pe);
	return strata_checkpoint(m->strata);
}

void tt_image_options(const struct tt_test *test, struct strata_options *o,
		      struct strata_load *loads)
{
	const struct tt_machine *machine = &test->machine;

	strata_options_init(o);
	o->image = test->image;
	o->image_is_flat = test->image_is_flat;
	o->image_address = test->image_address;
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
	if (t->image_is_flat) {
		fprintf(file, "|@%llx", (unsigned long long)t->image_address);
	}
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
