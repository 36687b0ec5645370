// SPDX-License-Identifier: Apache-2.0
// The command line of `strata run`: one row for each option, numbers with their suffixes, one line
// for each mistake.
#include "cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/bits.h"

enum option_id {
	OPT_HELP = 256,
	OPT_CPU,
	OPT_MEMORY,
	OPT_SMP,
	OPT_BOOT_EL,
	OPT_SECURE,
	OPT_RAM_BASE,
	OPT_INITRD,
	OPT_APPEND,
	OPT_DTB,
	OPT_DUMP_DTB,
	OPT_LOAD,
	OPT_ENTRY,
	OPT_SYMBOLS,
	OPT_SEMIHOSTING,
	OPT_SEMIHOSTING_DIR,
	OPT_MAX_INSNS,
	OPT_MAX_TIME,
	OPT_TLB,
	OPT_TRACE,
	OPT_TRACE_OUT,
	OPT_TRACE_FORMAT,
	OPT_TRACE_FILTER,
	OPT_STATS,
	OPT_SEED,
	OPT_RTC,
	OPT_NO_REBOOT,
	OPT_VERBOSE
};

struct row {
	const char *name;
	const char *argument; // NULL: takes none
	enum option_id id;
	const char *help; // lines separated by newlines
};

static const struct row rows[] = {
	{"cpu", "MODEL", OPT_CPU,
	 "core to emulate, with switches: max,pauth=off\n(default: max; models are listed below)"},
	{"memory", "SIZE", OPT_MEMORY, "RAM, with suffix K, M, G or T (default: 1G)"},
	{"ram-base", "ADDRESS", OPT_RAM_BASE, "where RAM begins (default: 0x40000000)"},
	{"smp", "N", OPT_SMP, "number of PEs (default: 1)"},
	{"boot-el", "LEVEL", OPT_BOOT_EL,
	 "exception level at which the image starts: 1, 2\nor 3 (default: 2)"},
	{"secure", NULL, OPT_SECURE, "EL3 and the Secure state are there below EL3 too"},
	{"initrd", "FILE", OPT_INITRD, "initial RAM disk"},
	{"append", "TEXT", OPT_APPEND, "command line of the kernel"},
	{"dtb", "FILE", OPT_DTB, "device tree in place of the generated one"},
	{"dump-dtb", "FILE", OPT_DUMP_DTB, "write the device tree; without IMAGE only that"},
	{"load", "FILE@ADDRESS", OPT_LOAD, "put a file into memory as it is (repeatable)"},
	{"entry", "ADDRESS", OPT_ENTRY, "where execution starts"},
	{"symbols", "FILE", OPT_SYMBOLS, "System.map, or ELF with symbols (repeatable)"},
	{"semihosting", NULL, OPT_SEMIHOSTING, "serve HLT #0xF000: console and exit"},
	{"semihosting-dir", "DIR", OPT_SEMIHOSTING_DIR, "serve semihosting, with files below DIR"},
	{"max-insns", "N", OPT_MAX_INSNS,
	 "end after N instructions (suffix k, M, G: powers\nof 1000)"},
	{"max-time", "TIME", OPT_MAX_TIME,
	 "end after this virtual time (suffix s, ms, us, ns;\nwithout: seconds)"},
	{"tlb", "MODE", OPT_TLB,
	 "sized: as big as the core's; forget: nothing is\nkept; keep: until a TLBI (default: "
	 "sized)"},
	{"trace", "WHAT", OPT_TRACE,
	 "el: every change of level; exc: every exception\nand return; insn: every instruction "
	 "too"},
	{"trace-out", "FILE", OPT_TRACE_OUT, "where the trace goes (default: standard error)"},
	{"trace-format", "FORMAT", OPT_TRACE_FORMAT, "text or jsonl (default: text)"},
	{"trace-filter", "KEY=VALUE", OPT_TRACE_FILTER,
	 "only events with this pe, from, to, cause or\nsymbol (repeatable, or a comma list)"},
	{"stats", NULL, OPT_STATS,
	 "at the end: table of transitions and a summary, on\nstandard error"},
	{"seed", "N", OPT_SEED, "give the guest a kaslr-seed, made from N"},
	{"rtc", "DATE", OPT_RTC,
	 "seconds since 1970 at the start, or 'host' for now\n(default: 2024-01-01 00:00 UTC)"},
	{"no-reboot", NULL, OPT_NO_REBOOT, "end when the guest asks for a reset"},
	{"verbose", NULL, OPT_VERBOSE, "log what the guest does wrong"},
	{"help", NULL, OPT_HELP, "print this help and exit"},
};

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

static int complain(char *error, size_t error_size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static int complain(char *error, size_t error_size, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(error, error_size, fmt, args);
	va_end(args);
	for (char *c = error; *c != '\0'; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f) {
			*c = '?';
		}
	}
	return -1;
}

// A whole number, decimal or 0x hexadecimal, at the start of text; *rest is what follows.
static bool parse_digits(const char *text, uint64_t *value, const char **rest)
{
	char *end;
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	unsigned char first = (unsigned char)(hex ? text[2] : text[0]);
	bool digit = (first >= '0' && first <= '9') ||
		     (hex && ((first >= 'a' && first <= 'f') || (first >= 'A' && first <= 'F')));

	if (!digit) {
		return false;
	}
	errno = 0;
	*value = strtoull(text, &end, hex ? 16 : 10);
	*rest = end;
	return errno == 0;
}

static bool parse_number(const char *text, uint64_t *value)
{
	const char *rest;

	return parse_digits(text, value, &rest) && *rest == '\0';
}

struct suffix {
	const char *name;
	uint64_t factor;
};

// A number with one of the suffixes (the last has a NULL name), or without any: times `plain`.
static bool parse_scaled(const char *text, const struct suffix *suffixes, uint64_t plain,
			 uint64_t *value)
{
	const char *rest;
	uint64_t factor = plain;

	if (!parse_digits(text, value, &rest)) {
		return false;
	}
	if (*rest != '\0') {
		while (suffixes->name != NULL && strcmp(rest, suffixes->name) != 0) {
			suffixes++;
		}
		if (suffixes->name == NULL) {
			return false;
		}
		factor = suffixes->factor;
	}
	return !__builtin_mul_overflow(*value, factor, value);
}

static const struct suffix size_suffixes[] = {
	{"K", BIT(10)},   {"k", BIT(10)},   {"M", BIT(20)}, {"m", BIT(20)},
	{"G", BIT(30)},   {"g", BIT(30)},   {"T", BIT(40)}, {"KiB", BIT(10)},
	{"MiB", BIT(20)}, {"GiB", BIT(30)}, {NULL, 0},
};

static const struct suffix count_suffixes[] = {
	{"k", 1000}, {"K", 1000}, {"M", 1000000}, {"G", 1000000000}, {NULL, 0},
};

static const struct suffix time_suffixes[] = {
	{"s", 1000000000}, {"ms", 1000000}, {"us", 1000}, {"ns", 1}, {NULL, 0},
};

// Cut "FILE@ADDRESS". 1: there is an address; 0: none; -1: no memory.
static int split_address(struct run_options *options, const char *text, const char **path,
			 uint64_t *address)
{
	const char *at = strrchr(text, '@');
	char *name;

	*path = text;
	if (at == NULL || at == text || !parse_number(at + 1, address)) {
		return 0;
	}
	name = strndup(text, (size_t)(at - text));
	if (name == NULL || options->owned_count == RUN_LIST_MAX + 1) {
		free(name);
		return -1;
	}
	options->owned[options->owned_count++] = name;
	*path = name;
	return 1;
}

static bool add(const char **list, size_t *count, const char *value)
{
	if (*count == RUN_LIST_MAX) {
		return false;
	}
	list[(*count)++] = value;
	return true;
}

static bool add_load(struct run_options *options, const char *value)
{
	struct strata_options *m = &options->machine;
	struct strata_load *load = &options->loads[m->load_count];

	if (m->load_count == RUN_LIST_MAX ||
	    split_address(options, value, &load->path, &load->address) != 1) {
		return false;
	}
	m->load_count++;
	return true;
}

static bool choose(const char *value, const char *const *names, unsigned *choice)
{
	for (unsigned i = 0; names[i] != NULL; i++) {
		if (strcmp(value, names[i]) == 0) {
			*choice = i;
			return true;
		}
	}
	return false;
}

static bool set_trace(struct strata_options *m, enum option_id id, const char *value)
{
	static const char *const traces[] = {"off", "el", "exc", "insn", NULL};
	static const char *const formats[] = {"text", "jsonl", NULL};
	static const char *const tlbs[] = {"sized", "forget", "keep", NULL};
	unsigned choice;

	switch (id) {
	case OPT_TRACE:
		if (!choose(value, traces, &choice)) {
			return false;
		}
		m->trace = (enum strata_trace)choice;
		return true;
	case OPT_TRACE_FORMAT:
		if (!choose(value, formats, &choice)) {
			return false;
		}
		m->trace_format = (enum strata_trace_format)choice;
		return true;
	default:
		if (!choose(value, tlbs, &choice)) {
			return false;
		}
		m->tlb = (enum strata_tlb)choice;
		return true;
	}
}

static bool set_rtc(struct strata_options *m, const char *value)
{
	uint64_t seconds;

	if (strcmp(value, "host") == 0) {
		m->rtc = (uint32_t)time(NULL);
		return true;
	}
	if (!parse_number(value, &seconds) || seconds > UINT32_MAX) {
		return false;
	}
	m->rtc = (uint32_t)seconds;
	return true;
}

static bool set_small(unsigned *field, const char *value, unsigned low, unsigned high)
{
	uint64_t number;

	if (!parse_number(value, &number) || number < low || number > high) {
		return false;
	}
	*field = (unsigned)number;
	return true;
}

// Options whose argument is a number. False: not a good one.
static bool set_number(struct strata_options *m, enum option_id id, const char *value)
{
	switch (id) {
	case OPT_MEMORY:
		return parse_scaled(value, size_suffixes, 1, &m->memory) && m->memory != 0;
	case OPT_RAM_BASE:
		return parse_scaled(value, size_suffixes, 1, &m->ram_base);
	case OPT_SMP:
		return set_small(&m->smp, value, 1, STRATA_PES_MAX);
	case OPT_BOOT_EL:
		return set_small(&m->boot_el, value, 1, 3);
	case OPT_ENTRY:
		m->has_entry = true;
		return parse_number(value, &m->entry);
	case OPT_MAX_INSNS:
		return parse_scaled(value, count_suffixes, 1, &m->max_insns) && m->max_insns != 0;
	case OPT_MAX_TIME:
		return parse_scaled(value, time_suffixes, 1000000000, &m->max_time) &&
		       m->max_time != 0;
	default: // OPT_SEED
		m->has_seed = true;
		return parse_number(value, &m->seed);
	}
}

static void set_flag(struct run_options *options, enum option_id id)
{
	struct strata_options *m = &options->machine;

	switch (id) {
	case OPT_SECURE:
		m->secure = true;
		break;
	case OPT_SEMIHOSTING:
		m->semihosting = true;
		break;
	case OPT_STATS:
		m->stats = true;
		break;
	case OPT_NO_REBOOT:
		m->no_reboot = true;
		break;
	case OPT_VERBOSE:
		m->verbose++;
		break;
	default:
		options->help = true;
		break;
	}
}

// One option with its argument. False: the argument is wrong.
static bool set_option(struct run_options *options, enum option_id id, const char *value)
{
	struct strata_options *m = &options->machine;

	switch (id) {
	case OPT_CPU:
		m->cpu = value;
		return true;
	case OPT_INITRD:
		m->initrd = value;
		return true;
	case OPT_APPEND:
		m->append = value;
		return true;
	case OPT_DTB:
		m->dtb = value;
		return true;
	case OPT_DUMP_DTB:
		m->dump_dtb = value;
		return true;
	case OPT_LOAD:
		return add_load(options, value);
	case OPT_SYMBOLS:
		return add(options->symbols, &m->symbol_count, value);
	case OPT_SEMIHOSTING_DIR:
		m->semihosting = true;
		m->semihosting_dir = value;
		return true;
	case OPT_TRACE_OUT:
		m->trace_out = value;
		return true;
	case OPT_TRACE_FILTER:
		return add(options->filters, &m->trace_filter_count, value);
	case OPT_TRACE:
	case OPT_TRACE_FORMAT:
	case OPT_TLB:
		return set_trace(m, id, value);
	case OPT_RTC:
		return set_rtc(m, value);
	case OPT_HELP:
	case OPT_SECURE:
	case OPT_SEMIHOSTING:
	case OPT_STATS:
	case OPT_NO_REBOOT:
	case OPT_VERBOSE:
		set_flag(options, id);
		return true;
	default:
		return set_number(m, id, value);
	}
}

static const struct row *find_row(int id)
{
	for (size_t i = 0; i < ROW_COUNT; i++) {
		if (rows[i].id == (enum option_id)id) {
			return &rows[i];
		}
	}
	return NULL;
}

// The word that getopt_long just refused.
static int complain_unknown(char **argv, int before, char *error, size_t error_size, bool missing)
{
	const char *word = argv[optind > before ? optind - 1 : optind];

	if (word != NULL && strncmp(word, "--", 2) != 0 && optopt != 0 && optopt < 256) {
		return complain(error, error_size, "unknown option '-%c' (see strata run --help)",
				optopt);
	}
	return complain(error, error_size, "%s '%s' (see strata run --help)",
			missing       ? "an argument is missing after"
			: optopt != 0 ? "no argument is allowed in"
				      : "unknown option",
			word != NULL ? word : "?");
}

static int parse_all(struct run_options *options, int argc, char **argv, char *error,
		     size_t error_size)
{
	struct option table[ROW_COUNT + 1];
	int id;

	memset(table, 0, sizeof(table));
	for (size_t i = 0; i < ROW_COUNT; i++) {
		table[i].name = rows[i].name;
		table[i].has_arg = rows[i].argument != NULL ? required_argument : no_argument;
		table[i].val = (int)rows[i].id;
	}
	optind = 0; // also resets what a former call left behind
	opterr = 0;
	for (;;) {
		int before = optind;

		id = getopt_long(argc, argv, ":h", table, NULL);
		if (id == -1) {
			return 0;
		}
		if (id == '?' || id == ':') {
			return complain_unknown(argv, before, error, error_size, id == ':');
		}
		if (id == 'h') {
			id = OPT_HELP;
		}
		if (!set_option(options, (enum option_id)id, optarg)) {
			const struct row *row = find_row(id);

			return complain(
				error, error_size,
				"--%s: '%s' is not a %s that can be used (see strata run --help)",
				row->name, optarg, row->argument);
		}
		if (options->help) {
			return 0;
		}
	}
}

static int take_image(struct run_options *options, const char *text, char *error, size_t error_size)
{
	struct strata_options *m = &options->machine;
	int has = access(text, F_OK) == 0
			  ? 0
			  : split_address(options, text, &m->image, &m->image_address);

	if (has < 0) {
		return complain(error, error_size, "out of memory");
	}
	if (has == 0) {
		m->image = text;
	}
	m->image_is_flat = has == 1;
	return 0;
}

int run_options_parse(struct run_options *options, int argc, char **argv, char *error,
		      size_t error_size)
{
	struct strata_options *m = &options->machine;

	memset(options, 0, sizeof(*options));
	strata_options_init(m);
	if (parse_all(options, argc, argv, error, error_size) != 0) {
		return -1;
	}
	if (options->help) {
		return 0;
	}
	m->loads = options->loads;
	m->symbols = options->symbols;
	m->trace_filters = options->filters;
	if (argc - optind > 1) {
		return complain(error, error_size,
				"one image at a time: '%s' is too many (see --load)",
				argv[optind + 1]);
	}
	if (optind < argc && take_image(options, argv[optind], error, error_size) != 0) {
		return -1;
	}
	if (m->image == NULL && m->load_count == 0 && m->dump_dtb == NULL) {
		return complain(error, error_size, "no image is given (see strata run --help)");
	}
	if (m->trace == STRATA_TRACE_OFF && m->trace_out != NULL) {
		return complain(error, error_size, "--trace-out needs --trace el, exc or insn");
	}
	if (m->trace == STRATA_TRACE_OFF && !m->stats && m->trace_filter_count != 0) {
		return complain(error, error_size, "--trace-filter needs --trace or --stats");
	}
	return 0;
}

void run_options_done(struct run_options *options)
{
	for (size_t i = 0; i < options->owned_count; i++) {
		free(options->owned[i]);
	}
	options->owned_count = 0;
}

#define HELP_COLUMN 30

static void print_row(FILE *file, const struct row *row)
{
	const char *line = row->help;
	int n = fprintf(file, "      --%s%s%s", row->name, row->argument != NULL ? "=" : "",
			row->argument != NULL ? row->argument : "");

	while (line != NULL) {
		const char *newline = strchr(line, '\n');
		int length = newline != NULL ? (int)(newline - line) : (int)strlen(line);

		if (n >= HELP_COLUMN) {
			fputc('\n', file);
			n = 0;
		}
		fprintf(file, "%*s%.*s\n", HELP_COLUMN - n, "", length, line);
		n = 0;
		line = newline != NULL ? newline + 1 : NULL;
	}
}

static void print_cpu(void *opaque, const char *name, const char *description)
{
	fprintf(opaque, "  %-20s %s\n", name, description);
}

void run_options_help(FILE *file)
{
	fputs("Usage: strata run IMAGE[@ADDRESS] [OPTION]...\n"
	      "Run IMAGE on the board `virt` (the memory map of QEMU's), with the console on "
	      "standard\n"
	      "input and output. IMAGE is an ELF, an arm64 Linux Image (also compressed by gzip or "
	      "zstd,\n"
	      "or as EFI zboot), or with @ADDRESS a flat binary.\n\n",
	      file);
	for (size_t i = 0; i < ROW_COUNT; i++) {
		print_row(file, &rows[i]);
	}
	fputs("\nCPU models and switches:\n", file);
	strata_list_cpus(print_cpu, file);
	fputs("\nKeys at a terminal: Ctrl-A x ends the run, Ctrl-A p presses the power key, Ctrl-A "
	      "h prints\n"
	      "help, Ctrl-A Ctrl-A sends one Ctrl-A.\n\n"
	      "Exit status:\n"
	      "  0  the guest powered off\n"
	      "  2  wrong options or images; nothing was started\n"
	      "  3  --max-insns or --max-time was reached\n"
	      "  4  the guest is stuck: an exception loop, or every PE waits for nothing\n"
	      "  5  the user ended the run\n"
	      "  6  the guest asked for a reset, with --no-reboot\n"
	      "  7  the host failed\n"
	      "  128 + N  ended by signal N\n"
	      "A guest that exits by semihosting gives the status itself.\n",
	      file);
}
