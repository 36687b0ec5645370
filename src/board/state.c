// SPDX-License-Identifier: Apache-2.0
// The machine's state from outside: checkpoints, registers by name, single steps.
#include "board/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/checkpoint.h"
#include "board/board_internal.h"
#include "cpu/pe.h"
#include "cpu/sysreg.h"
#include "device/pl011.h"
#include "device/pl031.h"
#include "device/pl061.h"
#include "gic/gicv3.h"
#include "timer/timer.h"

// ---- checkpoints --------------------------------------------------------------------------------

static void add_run(struct strata *s, struct checkpoint *c)
{
	struct board_console *console = &s->console;

	checkpoint_add(c, &s->now, sizeof(s->now));
	checkpoint_add(c, &s->idle_since, sizeof(s->idle_since));
	checkpoint_add(c, &s->next_poll, sizeof(s->next_poll));
	checkpoint_add(c, &s->ended, sizeof(s->ended));
	checkpoint_add(c, &s->reset_wanted, sizeof(s->reset_wanted));
	checkpoint_add(c, &s->outcome, sizeof(s->outcome));
	checkpoint_add(c, &s->status, sizeof(s->status));
	checkpoint_add(c, s->message, sizeof(s->message));
	checkpoint_add(c, &s->power_off_line, sizeof(s->power_off_line));
	checkpoint_add(c, &s->restart_line, sizeof(s->restart_line));
	checkpoint_add(c, console->in, sizeof(console->in));
	checkpoint_add(c, &console->in_head, sizeof(console->in_head));
	checkpoint_add(c, &console->in_count, sizeof(console->in_count));
	checkpoint_add(c, &console->ended, sizeof(console->ended));
}

static void add_devices(struct strata *s, struct checkpoint *c)
{
	gicv3_checkpoint(s->gic, c);
	pl011_checkpoint(s->uart, c);
	pl031_checkpoint(s->rtc, c);
	pl061_checkpoint(s->gpio, c);
	if (s->secure_uart != NULL) {
		pl011_checkpoint(s->secure_uart, c);
	}
	if (s->secure_gpio != NULL) {
		pl061_checkpoint(s->secure_gpio, c);
	}
}

int strata_checkpoint(struct strata *s)
{
	struct checkpoint *c = checkpoint_create();

	if (c == NULL) {
		return -ENOMEM;
	}
	console_flush(s);
	checkpoint_destroy(s->checkpoint);
	s->checkpoint = NULL;
	for (unsigned i = 0; i < s->pe_count; i++) {
		pe_checkpoint(s->pes[i].pe, c);
		timer_checkpoint(s->pes[i].timer, c);
	}
	add_devices(s, c);
	if (s->trace != NULL) {
		trace_checkpoint(s->trace, c);
	}
	add_run(s, c);
	checkpoint_add_queue(c, &s->queue);
	if (bus_checkpoint(s->bus) != 0) {
		checkpoint_destroy(c);
		return -ENOMEM;
	}
	s->checkpoint = c;
	return 0;
}

int strata_restore(struct strata *s)
{
	if (s->checkpoint == NULL) {
		return -EINVAL;
	}
	console_flush(s);
	bus_restore(s->bus);
	checkpoint_restore(s->checkpoint);
	for (unsigned i = 0; i < s->pe_count; i++) {
		pe_restored(s->pes[i].pe);
	}
	s->running = -1;
	return 0;
}

// ---- registers by name --------------------------------------------------------------------------

// X0 to X30 as 0 to 30, SP and PC; -1: another name.
enum { NAME_SP = 31, NAME_PC = 32 };

static int general_name(const char *name)
{
	char *end;
	unsigned long n;

	if (strcasecmp(name, "sp") == 0) {
		return NAME_SP;
	}
	if (strcasecmp(name, "pc") == 0) {
		return NAME_PC;
	}
	if ((name[0] != 'x' && name[0] != 'X') || name[1] < '0' || name[1] > '9') {
		return -1;
	}
	n = strtoul(name + 1, &end, 10);
	return *end == '\0' && n <= 30 ? (int)n : -1;
}

static enum sysreg find_register(const struct pe *pe, const char *name)
{
	for (unsigned reg = 0; reg < SYSREG_COUNT; reg++) {
		if (strcasecmp(sysreg_name((enum sysreg)reg), name) == 0) {
			return pe_has_register(pe, (enum sysreg)reg) ? (enum sysreg)reg
								     : SYSREG_NONE;
		}
	}
	return SYSREG_NONE;
}

int strata_set_register(struct strata *s, unsigned index, const char *name, uint64_t value)
{
	struct pe *pe = index < s->pe_count ? s->pes[index].pe : NULL;
	int general = general_name(name);
	enum sysreg reg;

	if (pe == NULL) {
		return -ENOENT;
	}
	if (general == NAME_SP) {
		pe_set_sp(pe, value);
	} else if (general == NAME_PC) {
		pe_set_pc(pe, value);
	} else if (general >= 0) {
		pe_set_x(pe, (unsigned)general, value);
	} else {
		reg = find_register(pe, name);
		if (reg == SYSREG_NONE) {
			return -ENOENT;
		}
		if (pe_impossible(pe, reg, value) != 0 || !pe_poke(pe, reg, value)) {
			return -EINVAL;
		}
		pe_poked(pe);
	}
	return 0;
}

int strata_get_register(struct strata *s, unsigned index, const char *name, uint64_t *value)
{
	struct pe *pe = index < s->pe_count ? s->pes[index].pe : NULL;
	int general = general_name(name);
	enum sysreg reg;

	if (pe == NULL) {
		return -ENOENT;
	}
	if (general >= 0) {
		*value = general == NAME_SP   ? pe_sp(pe)
			 : general == NAME_PC ? pe_pc(pe)
					      : pe_x(pe, (unsigned)general);
		return 0;
	}
	reg = find_register(pe, name);
	if (reg == SYSREG_NONE) {
		return -ENOENT;
	}
	return pe_peek(pe, reg, value) ? 0 : -EINVAL;
}

// ---- for the rooms above ------------------------------------------------------------------------

struct pe *board_pe(struct strata *s, unsigned index)
{
	return s->pes[index].pe;
}

void board_attach(struct strata *s, struct trace_sink *sink)
{
	trace_attach(s->trace, sink);
}

void board_step(struct strata *s, unsigned index)
{
	s->running = (int)index;
	pe_step(s->pes[index].pe);
	s->running = -1;
}

void board_serve_test_hlt(struct strata *s)
{
	s->test_hlt = true;
}

void board_start_bare(struct strata *s, uint64_t entry)
{
	s->psci = BOARD_PSCI_NONE;
	s->entry = entry;
	s->has_dtb = false;
	s->runnable = true;
	board_reset(s);
	for (unsigned i = 0; i < s->pe_count; i++) {
		pe_without_firmware(s->pes[i].pe);
	}
	for (unsigned i = 1; i < s->pe_count; i++) {
		pe_halt(s->pes[i].pe);
	}
}

unsigned board_tag(struct strata *s, uint64_t address)
{
	struct bus_ram *ram = bus_ram_find(s->bus, PAS_NONSECURE, address);

	return ram != NULL ? bus_tag_get(ram, address) : 0;
}

bool board_set_tag(struct strata *s, uint64_t address, unsigned tag)
{
	struct bus_ram *ram = bus_ram_find(s->bus, PAS_NONSECURE, address);

	if (ram == NULL || !pe_has(s->pes[0].pe, FEAT_MTE2)) {
		return tag == 0;
	}
	bus_tag_set(ram, address, tag);
	return true;
}

void board_quit(struct strata *s)
{
	board_end(s, STRATA_QUIT, "%s", "");
}

const char *board_symbol(const struct strata *s, unsigned el, uint64_t address)
{
	uint64_t offset;

	return symbols_find(s->symbols, el, address, &offset);
}

void board_set_limits(struct strata *s, uint64_t max_insns, uint64_t max_time)
{
	s->options.max_insns = max_insns;
	s->options.max_time = max_time;
	if (s->ended && s->outcome == STRATA_LIMIT) {
		s->ended = false;
	}
}
