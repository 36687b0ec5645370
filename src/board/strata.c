// SPDX-License-Identifier: Apache-2.0
// The public interface: puts a machine together from its options, and answers questions about it.
#include "strata/strata.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/checkpoint.h"
#include "board/board_internal.h"
#include "cpu/model.h"
#include "cpu/pe.h"
#include "cpu/sysreg.h"

static int fail(char *error, size_t error_size, int err, const char *text)
{
	snprintf(error, error_size, "%s", text);
	return -err;
}

// ---- trace --------------------------------------------------------------------------------------

static const char *name_symbol(void *opaque, unsigned el, uint64_t addr, uint64_t *offset)
{
	return symbols_find(opaque, el, addr, offset);
}

static bool name_range(void *opaque, const char *name, uint64_t *start, uint64_t *end)
{
	return symbols_range(opaque, name, start, end);
}

static void public_event(void *opaque, const struct trace_event *e)
{
	struct strata *s = opaque;
	const struct strata_event event = {
		.time = e->time,
		.cycles = e->cycles,
		.insns = e->insns,
		.pe = e->pe,
		.is_return = e->type == TRACE_RETURN,
		.from_el = e->from_el,
		.to_el = e->to_el,
		.from_secure = e->from_secure,
		.to_secure = e->to_secure,
		.cause = trace_cause_name(e->cause),
		.control = e->control,
		.sysreg = e->sysreg,
		.has_esr = e->has_esr,
		.has_far = e->has_far,
		.has_ipa = e->has_ipa,
		.esr = e->esr,
		.elr = e->elr,
		.pc = e->pc,
		.spsr = e->spsr,
		.far = e->far,
		.ipa = e->ipa,
		.vector = e->vector,
		.level_time = e->level_time,
	};

	if (e->type != TRACE_INSN) {
		s->options.event(s->options.event_opaque, &event);
	}
}

static bool attach(struct strata *s, struct trace_sink *sink)
{
	if (sink != NULL) {
		trace_attach(s->trace, sink);
	}
	return sink != NULL;
}

// The last step, so that a file is only written when the machine is sound.
static int open_trace(struct strata *s, const struct trace_names *names, char *error,
		      size_t error_size)
{
	const struct strata_options *o = &s->options;
	static const enum trace_detail details[] = {[STRATA_TRACE_EL] = TRACE_DETAIL_LEVELS,
						    [STRATA_TRACE_EXC] = TRACE_DETAIL_EXCEPTIONS,
						    [STRATA_TRACE_INSN] = TRACE_DETAIL_INSNS};
	FILE *file = stderr;
	struct trace_sink *sink;
	bool ok = true;

	if (o->trace != STRATA_TRACE_OFF) {
		if (o->trace_out != NULL) {
			file = s->trace_file = fopen(o->trace_out, "w");
			if (file == NULL) {
				snprintf(error, error_size, "%s: can't write: %s", o->trace_out,
					 strerror(errno));
				return -EIO;
			}
			setvbuf(file, NULL, _IOFBF, 1 << 16);
		}
		sink = o->trace_format == STRATA_TRACE_JSONL ? trace_sink_jsonl_create(file, names)
							     : trace_sink_text_create(file, names);
		ok = attach(s, trace_sink_filter_create(s->filter, details[o->trace], sink));
	}
	if (ok && o->stats) {
		ok = attach(s, trace_sink_filter_create(s->filter, TRACE_DETAIL_EXCEPTIONS,
							trace_sink_stats_create(stderr)));
	}
	if (ok && o->event != NULL) {
		ok = attach(s, trace_sink_callback_create(public_event, s));
	}
	return ok ? 0 : fail(error, error_size, ENOMEM, "out of memory");
}

static int setup_trace(struct strata *s, const struct trace_names *names, char *error,
		       size_t error_size)
{
	for (size_t i = 0; i < s->options.trace_filter_count; i++) {
		const char *text = s->options.trace_filters[i];
		char message[160];

		if (!trace_filter_parse(s->filter, text, names, message, sizeof(message))) {
			snprintf(error, error_size, "--trace-filter %s: %s", text, message);
			return -EINVAL;
		}
	}
	return s->trace != NULL ? open_trace(s, names, error, error_size) : 0;
}

// ---- creation -----------------------------------------------------------------------------------

static int check_options(const struct strata_options *o, char *error, size_t error_size)
{
	if (o->smp < 1 || o->smp > STRATA_PES_MAX) {
		snprintf(error, error_size, "%u PEs are out of range (1 to %d)", o->smp,
			 STRATA_PES_MAX);
		return -EINVAL;
	}
	if (o->boot_el < 1 || o->boot_el > 3) {
		snprintf(error, error_size, "there is no EL%u to boot at (1 to 3)", o->boot_el);
		return -EINVAL;
	}
	if (o->semihosting_dir != NULL && !o->semihosting) {
		return fail(error, error_size, EINVAL,
			    "a semihosting directory without semihosting");
	}
	return 0;
}

static int create(struct strata *s, const struct strata_options *options, char *error,
		  size_t error_size)
{
	bool wants_trace =
		options->trace != STRATA_TRACE_OFF || options->stats || options->event != NULL;
	struct trace_names names = {.symbol = name_symbol, .symbol_range = name_range};
	int err = options_copy(&s->options, options);

	if (err != 0) {
		return fail(error, error_size, ENOMEM, "out of memory");
	}
	log_init(&s->log, stderr, options->verbose != 0 ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
	s->console.host = options->console;
	s->has_el3 = options->secure || options->boot_el == 3;
	s->has_el2 = options->boot_el >= 2;
	s->psci = options->boot_el == 3      ? BOARD_PSCI_NONE
		  : s->has_el2 || s->has_el3 ? BOARD_PSCI_SMC
					     : BOARD_PSCI_HVC;
	s->symbols = symbols_create();
	s->filter = trace_filter_create();
	names.opaque = s->symbols;
	if (wants_trace) {
		s->trace = trace_create(&names);
	}
	if (s->symbols == NULL || s->filter == NULL || (wants_trace && s->trace == NULL)) {
		return fail(error, error_size, ENOMEM, "out of memory");
	}
	err = virt_create(s, error, error_size);
	if (err == 0) {
		err = board_load(s, true, error, error_size);
	}
	if (err == 0 && options->semihosting) {
		s->semihosting = semihosting_create(s, error, error_size);
		err = s->semihosting == NULL ? -EINVAL : 0;
	}
	if (err == 0) {
		err = setup_trace(s, &names, error, error_size);
	}
	if (err == 0 && s->runnable) {
		board_reset(s);
	}
	return err;
}

int strata_create(struct strata **strata, const struct strata_options *options, char *error,
		  size_t error_size)
{
	struct strata *s;
	int err = check_options(options, error, error_size);

	if (err != 0) {
		return err;
	}
	s = calloc(1, sizeof(*s));
	if (s == NULL) {
		return fail(error, error_size, ENOMEM, "out of memory");
	}
	s->running = -1;
	atomic_init(&s->stop, false);
	err = create(s, options, error, error_size);
	if (err != 0) {
		strata_destroy(s);
		return err;
	}
	*strata = s;
	return 0;
}

void strata_finish(struct strata *s)
{
	if (s->trace != NULL && !s->finished) {
		trace_finish(s->trace);
		s->finished = true;
	}
}

void strata_destroy(struct strata *s)
{
	if (s == NULL) {
		return;
	}
	strata_finish(s);
	checkpoint_destroy(s->checkpoint);
	virt_destroy(s);
	semihosting_destroy(s->semihosting);
	trace_destroy(s->trace);
	trace_filter_destroy(s->filter);
	symbols_destroy(s->symbols);
	if (s->trace_file != NULL) {
		fclose(s->trace_file);
	}
	options_free(&s->options);
	free(s);
}

// ---- questions ----------------------------------------------------------------------------------

unsigned strata_pe_count(const struct strata *s)
{
	return s->pe_count;
}

uint64_t strata_x(const struct strata *s, unsigned pe, unsigned n)
{
	return pe < s->pe_count && n <= 30 ? pe_x(s->pes[pe].pe, n) : 0;
}

uint64_t strata_pc(const struct strata *s, unsigned pe)
{
	return pe < s->pe_count ? pe_pc(s->pes[pe].pe) : 0;
}

unsigned strata_el(const struct strata *s, unsigned pe)
{
	return pe < s->pe_count ? pe_el(s->pes[pe].pe) : 0;
}

uint64_t strata_time(const struct strata *s)
{
	return board_time(s);
}

void strata_dump(const struct strata *s, FILE *file)
{
	for (unsigned i = 0; i < s->pe_count; i++) {
		uint64_t offset;
		const char *name =
			symbols_find(s->symbols, pe_el(s->pes[i].pe), pe_pc(s->pes[i].pe), &offset);

		if (name != NULL) {
			fprintf(file, "PE %u is at %s+0x%llx\n", i, name,
				(unsigned long long)offset);
		}
		if (pe_is_halted(s->pes[i].pe)) {
			fprintf(file, "PE %u is off\n", i);
		}
		pe_dump(s->pes[i].pe, file);
	}
}

// The main RAM first, then what only the Secure state sees.
static enum pas space_of(struct strata *s, uint64_t address)
{
	return bus_ram_find(s->bus, PAS_NONSECURE, address) != NULL ? PAS_NONSECURE : PAS_SECURE;
}

int strata_read(struct strata *s, uint64_t address, void *data, size_t size)
{
	return bus_ram_read(s->bus, space_of(s, address), address, data, size);
}

int strata_write(struct strata *s, uint64_t address, const void *data, size_t size)
{
	return bus_ram_write(s->bus, space_of(s, address), address, data, size);
}

void strata_power_key(struct strata *s)
{
	virt_press_power_key(s);
}

void strata_list_cpus(void (*fn)(void *opaque, const char *name, const char *description),
		      void *opaque)
{
	cpu_model_list(fn, opaque);
}
