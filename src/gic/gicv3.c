// SPDX-License-Identifier: Apache-2.0
// GICv3: creation, input lines, and the selection of the highest priority pending interrupt of each
// PE. Every change of an interrupt's state goes through a bank of 32; from it `ready` is derived at
// once, so that a selection looks only at banks that have something to offer.
#include "gic/gicv3.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/checkpoint.h"
#include "gic/gicv3_internal.h"

// What GICD_IROUTER stores: the affinity. Interrupt_Routing_Mode is RES0 (GICD_TYPER.No1N).
#define ROUTER_MASK UINT64_C(0xff00ffffff)

// ---- selection ----------------------------------------------------------------------------------

static void bank_refresh(struct gicv3_bank *bank)
{
	bank->ready = (bank->pending | (bank->level & ~bank->edge)) & bank->enabled & ~bank->active;
}

enum gicv3_group gicv3_group_of(struct gicv3_pe *p, uint32_t intid)
{
	const struct gicv3_bank *bank = gicv3_bank_of(p, intid);

	for (enum gicv3_group group = GROUP_0; group < GROUP_1NS; group++) {
		if (bit(gicv3_bank_group(p->gic, bank, group), intid % 32)) {
			return group;
		}
	}
	return GROUP_1NS;
}

// A group's interrupts are forwarded if the distributor and the PE's CPU interface both enable it.
static bool group_forwarded(const struct gicv3_pe *p, enum gicv3_group group)
{
	static const uint64_t enable[GROUP_COUNT] = {
		[GROUP_0] = GICD_CTLR_ENABLE_G0,
		[GROUP_1S] = GICD_CTLR_ENABLE_G1S,
		[GROUP_1NS] = GICD_CTLR_ENABLE_G1NS,
	};

	return p->cpu.enabled[group] && (p->gic->ctlr & enable[group]) != 0;
}

// Is an interrupt better than the PE's best so far? Among equal priorities, an NMI has
// Superpriority.
static inline bool is_better(const struct gicv3_pe *p, uint32_t priority, bool nmi)
{
	return priority < p->best_priority || (priority == p->best_priority && nmi && !p->best_nmi);
}

// Better the PE's best with those of `ready` in the bank. Banks come in the order of INTIDs: the
// lower one wins among equal priorities.
static inline void select_in(struct gicv3_pe *p, const struct gicv3_bank *bank, unsigned n,
			     uint32_t ready)
{
	uint32_t grpmod = gicv3_one_state(p->gic) ? 0 : bank->grpmod;
	uint32_t members = 0;
	uint32_t nmis = gicv3_bank_nmi(p->gic, bank);

	if (p->forwarded & (1u << GROUP_1NS)) {
		members |= bank->group;
	}
	if (p->forwarded & (1u << GROUP_0)) {
		members |= ~bank->group & ~grpmod;
	}
	if (p->forwarded & (1u << GROUP_1S)) {
		members |= ~bank->group & grpmod;
	}
	for (members &= ready; members != 0; members &= members - 1) {
		unsigned i = (unsigned)__builtin_ctz(members);
		bool nmi = (nmis >> i) & 1;
		uint32_t priority = bank->priority[i];

		if (unlikely(nmi)) {
			// The highest of the Security state's half, whatever IPRIORITYR says.
			priority = ((bank->group >> i) & 1) && !gicv3_one_state(p->gic) ? 0x80 : 0;
		}
		if (is_better(p, priority, nmi)) {
			p->best_priority = priority;
			p->best_nmi = nmi;
			p->best_intid = n * 32 + i;
			p->best_group = (bank->group >> i) & 1 ? GROUP_1NS
					: (grpmod >> i) & 1    ? GROUP_1S
							       : GROUP_0;
		}
	}
}

// GICR_WAKER.ProcessorSleep: the redistributor would ask for the PE's power and forward nothing.
static __attribute__((noinline)) void hold_back(struct gicv3_pe *p)
{
	if (p->best_intid == INTID_SPURIOUS) {
		return;
	}
	if (!p->asleep_told) {
		p->asleep_told = true;
		log_line(p->gic->log, LOG_LEVEL_GUEST,
			 "gic: interrupt %u held back from PE %u: "
			 "GICR_WAKER.ProcessorSleep is set",
			 p->best_intid, p->index);
	}
	p->best_priority = PRIORITY_IDLE;
	p->best_intid = INTID_SPURIOUS;
	p->best_nmi = false;
}

static __attribute__((noinline)) void select_ready(struct gicv3_pe *p)
{
	struct gicv3 *gic = p->gic;

	p->best_priority = PRIORITY_IDLE;
	p->best_intid = INTID_SPURIOUS;
	p->best_nmi = false;
	if (p->bank.ready != 0) {
		select_in(p, &p->bank, 0, p->bank.ready);
	}
	for (uint32_t banks = gic->ready_banks; banks != 0; banks &= banks - 1) {
		unsigned n = (unsigned)__builtin_ctz(banks);
		uint32_t ready = gic->banks[n].ready & p->routed[n];

		if (ready != 0) {
			select_in(p, &gic->banks[n], n, ready);
		}
	}
	if (unlikely(p->waker & GICR_WAKER_SLEEP)) {
		hold_back(p);
	}
	gicv3_cpu_signal(p);
}

// The group of an interrupt of the PE's own bank.
static inline enum gicv3_group own_group(const struct gicv3_pe *p, unsigned i)
{
	if ((p->bank.group >> i) & 1) {
		return GROUP_1NS;
	}
	return ((p->bank.grpmod >> i) & 1) && !gicv3_one_state(p->gic) ? GROUP_1S : GROUP_0;
}

// Select anew after a change of interrupts.
static inline void select_best(struct gicv3_pe *p)
{
	uint32_t ready = p->bank.ready;

	if (p->gic->ready_banks != 0 || (ready & (ready - 1)) != 0 ||
	    (p->waker & GICR_WAKER_SLEEP) || (ready & p->bank.nmi) != 0) {
		select_ready(p);
		return;
	}
	if (ready != 0) {
		// The usual case by far: there is one candidate.
		unsigned i = (unsigned)__builtin_ctz(ready);
		enum gicv3_group group = own_group(p, i);

		if ((p->forwarded >> group) & 1) {
			p->best_priority = p->bank.priority[i];
			p->best_nmi = false;
			p->best_intid = i;
			p->best_group = group;
			gicv3_cpu_signal(p);
			return;
		}
	}
	p->best_priority = PRIORITY_IDLE;
	p->best_intid = INTID_SPURIOUS;
	p->best_nmi = false;
	gicv3_set_line(p, PE_LINE_IRQ, false);
	gicv3_set_line(p, PE_LINE_FIQ, false);
}

void gicv3_select(struct gicv3_pe *p)
{
	p->forwarded = 0;
	for (enum gicv3_group group = GROUP_0; group < GROUP_COUNT; group++) {
		p->forwarded |= (uint8_t)(group_forwarded(p, group) << group);
	}
	select_best(p);
}

void gicv3_select_all(struct gicv3 *gic)
{
	for (unsigned i = 0; i < gic->config.pe_count; i++) {
		gicv3_select(&gic->pes[i]);
	}
}

static inline void own_changed(struct gicv3_pe *p)
{
	bank_refresh(&p->bank);
	select_best(p);
}

void gicv3_own_changed(struct gicv3_pe *p)
{
	own_changed(p);
}

void gicv3_spis_changed(struct gicv3 *gic, unsigned n, uint32_t changed)
{
	struct gicv3_bank *bank = &gic->banks[n];
	uint32_t before = bank->ready;

	bank_refresh(bank);
	gic->ready_banks = (uint32_t)bits_set(gic->ready_banks, n, n, bank->ready != 0);
	changed &= before | bank->ready;
	if (changed == 0) {
		return; // none of them was a candidate, or is one now
	}
	for (unsigned i = 0; i < gic->config.pe_count; i++) {
		if (gic->pes[i].routed[n] & changed) {
			select_best(&gic->pes[i]);
		}
	}
}

static inline void intid_changed(struct gicv3_pe *p, uint32_t intid)
{
	if (intid < INTID_SPI) {
		own_changed(p);
	} else {
		gicv3_spis_changed(p->gic, intid / 32, (uint32_t)BIT(intid % 32));
	}
}

void gicv3_activate(struct gicv3_pe *p, uint32_t intid)
{
	struct gicv3_bank *bank = gicv3_bank_of(p, intid);

	bank->active |= (uint32_t)BIT(intid % 32);
	bank->pending &= ~(uint32_t)BIT(intid % 32);
	intid_changed(p, intid);
}

void gicv3_deactivate(struct gicv3_pe *p, uint32_t intid)
{
	gicv3_bank_of(p, intid)->active &= ~(uint32_t)BIT(intid % 32);
	intid_changed(p, intid);
}

void gicv3_route(struct gicv3 *gic, uint32_t intid, uint64_t router)
{
	uint32_t mask = (uint32_t)BIT(intid % 32);

	gic->router[intid] = router & ROUTER_MASK;
	for (unsigned i = 0; i < gic->config.pe_count; i++) {
		struct gicv3_pe *p = &gic->pes[i];
		bool before = (p->routed[intid / 32] & mask) != 0;
		bool after = p->affinity == gic->router[intid];

		if (before != after) {
			p->routed[intid / 32] ^= mask;
			gicv3_select(p);
		}
	}
}

// ---- input lines --------------------------------------------------------------------------------

static void bank_set_level(struct gicv3_bank *bank, uint32_t mask, bool level)
{
	if (level) {
		bank->pending |= mask & bank->edge & ~bank->level;
		bank->level |= mask;
	} else {
		bank->level &= ~mask;
	}
}

static void spi_set(void *opaque, unsigned number, bool level)
{
	struct gicv3 *gic = opaque;
	uint32_t mask = (uint32_t)BIT(number % 32);

	bank_set_level(&gic->banks[number / 32], mask, level);
	gicv3_spis_changed(gic, number / 32, mask);
}

static void ppi_set(void *opaque, unsigned number, bool level)
{
	struct gicv3_pe *p = opaque;

	bank_set_level(&p->bank, (uint32_t)BIT(number), level);
	own_changed(p);
}

void gicv3_spi_line(struct gicv3 *gic, unsigned spi, struct irq_line *line)
{
	CHECK(spi < gic->config.spi_count);
	line->set = spi_set;
	line->opaque = gic;
	line->number = INTID_SPI + spi;
}

void gicv3_ppi_line(struct gicv3 *gic, unsigned pe, unsigned ppi, struct irq_line *line)
{
	CHECK(pe < gic->config.pe_count && ppi < INTID_SPI - INTID_PPI);
	line->set = ppi_set;
	line->opaque = &gic->pes[pe];
	line->number = INTID_PPI + ppi;
}

// ---- reset --------------------------------------------------------------------------------------

static void bank_reset(struct gicv3_bank *bank)
{
	uint32_t valid = bank->valid;
	uint32_t level = bank->level;

	memset(bank, 0, sizeof(*bank));
	bank->valid = valid;
	bank->level = level;
}

void gicv3_reset_pe(struct gicv3 *gic, unsigned pe)
{
	struct gicv3_pe *p;

	CHECK(pe < gic->config.pe_count);
	p = &gic->pes[pe];
	gicv3_cpu_reset(p);
	if (gic->handed_over) {
		p->cpu.pmr = PRIORITY_MASK;
	}
	gicv3_virt_reset(p);
	// The PE forgot its inputs: tell them all, whatever we told before.
	for (enum pe_line line = 0; line < PE_LINE_COUNT; line++) {
		if (line != PE_LINE_SERROR) {
			p->lines[line] = false;
			pe_set_line(p->pe, line, false);
			p->superpriority[line] = false;
			pe_set_superpriority(p->pe, line, false);
		}
	}
	gicv3_select(p);
}

void gicv3_reset(struct gicv3 *gic)
{
	gic->ctlr = gic->config.has_security ? 0 : GICD_CTLR_DS;
	gic->handed_over = false;
	for (unsigned i = 0; i < gic->config.pe_count; i++) {
		struct gicv3_pe *p = &gic->pes[i];

		bank_reset(&p->bank);
		p->bank.edge = 0xffff; // SGIs are edge-triggered, always
		p->waker = GICR_WAKER_SLEEP | GICR_WAKER_ASLEEP;
		p->asleep_told = false;
		gicv3_cpu_reset(p);
	}
	for (unsigned n = 1; n < BANK_COUNT; n++) {
		bank_reset(&gic->banks[n]);
		gicv3_spis_changed(gic, n, 0);
	}
	for (uint32_t intid = INTID_SPI; intid < gic->intid_count; intid++) {
		gicv3_route(gic, intid, 0);
	}
	for (unsigned i = 0; i < gic->config.pe_count; i++) {
		bank_refresh(&gic->pes[i].bank);
		gicv3_reset_pe(gic, i);
	}
}

void gicv3_hand_over(struct gicv3 *gic)
{
	if (!gic->config.has_security) {
		return;
	}
	gic->handed_over = true;
	for (unsigned n = 1; n < BANK_COUNT; n++) {
		gic->banks[n].group = gic->banks[n].valid;
		memset(gic->banks[n].priority, 0x80, sizeof(gic->banks[n].priority));
	}
	for (unsigned i = 0; i < gic->config.pe_count; i++) {
		struct gicv3_pe *p = &gic->pes[i];

		p->bank.group = p->bank.valid;
		memset(p->bank.priority, 0x80, sizeof(p->bank.priority));
		p->waker = 0;
		// A priority mask in the Secure half could not be raised by Non-secure software
		// (ICC_PMR_EL1).
		p->cpu.pmr = PRIORITY_MASK;
	}
	gicv3_select_all(gic);
}

// ---- creation -----------------------------------------------------------------------------------

static void state_changed(struct pe *pe, void *opaque)
{
	(void)pe;
	gicv3_cpu_signal(opaque);
}

static uint32_t intid_source(struct pe *pe, void *opaque, enum pe_line line)
{
	const struct gicv3_pe *p = opaque;

	(void)pe;
	if ((unsigned)line >= PE_LINE_COUNT || !p->lines[line]) {
		return INTID_SPURIOUS;
	}
	switch (line) {
	case PE_LINE_IRQ:
	case PE_LINE_FIQ:
		return p->best_intid;
	case PE_LINE_VIRQ:
	case PE_LINE_VFIQ:
		return gicv3_virt_intid(p);
	default:
		return INTID_SPURIOUS;
	}
}

static void pe_connect(struct gicv3 *gic, unsigned i)
{
	struct gicv3_pe *p = &gic->pes[i];

	p->gic = gic;
	p->pe = gic->config.pes[i];
	p->index = i;
	p->affinity = pe_affinity(p->pe);
	p->sgi_affinity = bits(p->affinity, 39, 32) << 48 | bits(p->affinity, 7, 4) << 44 |
			  bits(p->affinity, 23, 16) << 32 | bits(p->affinity, 15, 8) << 16;
	p->has_el3 = pe_has(p->pe, FEAT_EL3);
	p->has_nmi = pe_has(p->pe, FEAT_GICv3_NMI);
	gic->has_nmi = gic->has_nmi || p->has_nmi;
	p->bank.valid = ~UINT32_C(0);
	gicv3_ppi_line(gic, i, GICV3_PPI_MAINTENANCE, &p->virt.maintenance);
	pe_set_gic(p->pe, PRIORITY_BITS, LR_COUNT);
	gicv3_cpu_bind(p);
	gicv3_virt_bind(p);
	pe_set_state_listener(p->pe, state_changed, p);
	pe_set_intid_source(p->pe, intid_source, p);
}

static int map_frames(struct gicv3 *gic)
{
	const struct gicv3_config *config = &gic->config;
	uint8_t pas = BIT(PAS_NONSECURE) | BIT(PAS_SECURE);
	int err;

	if (config->bus == NULL) {
		return 0;
	}
	err = bus_map(config->bus, config->dist_base, GICV3_DIST_SIZE, pas, &gicv3_mmio_dist_type,
		      gic);
	if (err == 0) {
		err = bus_map(config->bus, config->redist_base,
			      GICV3_REDIST_SIZE * config->pe_count, pas, &gicv3_mmio_redist_type,
			      gic);
	}
	return err;
}

int gicv3_create(struct gicv3 **result, const struct gicv3_config *config)
{
	struct gicv3 *gic;
	int err;

	if (config->pe_count == 0 || config->pe_count > GICV3_PE_MAX ||
	    config->spi_count % 32 != 0 || config->spi_count > GICV3_SPI_MAX) {
		return -EINVAL;
	}
	gic = calloc(1, sizeof(*gic));
	if (gic == NULL) {
		return -ENOMEM;
	}
	gic->config = *config;
	gic->config.pes = malloc(config->pe_count * sizeof(*config->pes));
	gic->pes = calloc(config->pe_count, sizeof(*gic->pes));
	if (gic->config.pes == NULL || gic->pes == NULL) {
		err = -ENOMEM;
		goto fail;
	}
	memcpy(gic->config.pes, config->pes, config->pe_count * sizeof(*config->pes));
	gic->log = config->log;
	gic->intid_count = INTID_SPI + config->spi_count;
	for (unsigned n = 1; n <= config->spi_count / 32; n++) {
		gic->banks[n].valid = ~UINT32_C(0);
	}
	err = map_frames(gic);
	if (err != 0) {
		goto fail;
	}
	for (unsigned i = 0; i < config->pe_count; i++) {
		pe_connect(gic, i);
	}
	gicv3_reset(gic);
	*result = gic;
	return 0;
fail:
	free(gic->config.pes);
	free(gic->pes);
	free(gic);
	return err;
}

void gicv3_checkpoint(struct gicv3 *gic, struct checkpoint *checkpoint)
{
	checkpoint_add(checkpoint, gic, sizeof(*gic));
	checkpoint_add(checkpoint, gic->pes, gic->config.pe_count * sizeof(*gic->pes));
}

void gicv3_destroy(struct gicv3 *gic)
{
	if (gic == NULL) {
		return;
	}
	for (unsigned i = 0; i < gic->config.pe_count; i++) {
		pe_set_state_listener(gic->pes[i].pe, NULL, NULL);
		pe_set_intid_source(gic->pes[i].pe, NULL, NULL);
	}
	free(gic->config.pes);
	free(gic->pes);
	free(gic);
}
