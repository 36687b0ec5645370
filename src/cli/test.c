// SPDX-License-Identifier: Apache-2.0
// `strata test`: runs files of trap tests, and reports to a person, as TAP and as JUnit XML.
#include "cli/test.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options.h"
#include "strata/strata_test.h"

#define LIST_MAX 256
#define RECORD_NAME_MAX 64

enum { EXIT_PASSED, EXIT_FAILED, EXIT_UNUSABLE };

struct test_options {
	struct strata_test_options o;
	const char *filters[LIST_MAX], *defines[LIST_MAX];
	const char **files;
	size_t file_count;
	const char *tap, *junit;
	bool list, verbose, export;
};

static void print_help(FILE *file)
{
	fputs("Usage: strata test [OPTION]... FILE...\n"
	      "       strata test --record [OPTION OF strata run]... IMAGE...\n"
	      "Run trap tests (docs/trap-tests.md).\n\n"
	      "  --jobs N             worker processes (default: the host's processors)\n"
	      "  --filter TEXT        only tests whose name contains TEXT; * and ? are wildcards\n"
	      "  --list               print the names of the tests, and run nothing\n"
	      "  --tap FILE           also write the results as TAP; - is standard output\n"
	      "  --junit FILE         also write them as JUnit XML; - is standard output\n"
	      "  --define NAME=VALUE  what ${NAME} means in file names\n"
	      "  --cpu MODEL          another CPU model than the files say\n"
	      "  --limit SECONDS      of the host's time, for a test that says none (default 20)\n"
	      "  --verbose            a line for each test\n"
	      "  --export             print the cases as JSON lines, for other machines to run\n"
	      "  --explain            only cases; they also fail when `strata explain` says "
	      "something else\n"
	      "  --record             run images, and print tests that expect what was seen\n",
	      file);
}

// ---- results ------------------------------------------------------------------------------------

struct kept {
	char *name, *path, *message;
	unsigned line;
	enum strata_test_status status;
	double seconds;
};

struct report {
	struct kept *kept;
	size_t count, capacity;
	size_t by_status[STRATA_TEST_UNUSABLE + 1];
	bool verbose, quiet;
};

static char *copy(const char *text)
{
	char *c = strdup(text);

	if (c == NULL) {
		abort();
	}
	return c;
}

static const char *const status_words[] = {"pass",  "FAIL",   "skip",    "HANG",
					   "CRASH", "BROKEN", "UNUSABLE"};

static void on_result(void *opaque, const struct strata_test_result *r)
{
	struct report *report = opaque;
	bool bad = r->status != STRATA_TEST_PASSED && r->status != STRATA_TEST_SKIPPED;

	if (report->count == report->capacity) {
		report->capacity = report->capacity * 2 + 64;
		report->kept = realloc(report->kept, report->capacity * sizeof(*report->kept));
		if (report->kept == NULL) {
			abort();
		}
	}
	report->kept[report->count++] = (struct kept){.name = copy(r->name),
						      .path = copy(r->path),
						      .message = copy(r->message),
						      .line = r->line,
						      .status = r->status,
						      .seconds = r->seconds};
	report->by_status[r->status]++;
	if (r->status == STRATA_TEST_UNUSABLE) {
		fflush(stdout);
		fputs(r->message, stderr);
		return;
	}
	if (report->quiet || (!bad && !report->verbose)) {
		return;
	}
	if (r->status == STRATA_TEST_SKIPPED) {
		printf("skip  %s: %s", r->name, r->message);
		return;
	}
	printf("%-5s %s", status_words[r->status], r->name);
	if (bad) {
		printf("  (%s:%u)\n%s", r->path, r->line, r->message);
	} else {
		putchar('\n');
	}
}

static void print_summary(const struct report *report)
{
	const size_t *n = report->by_status;

	printf("%zu tests: %zu passed, %zu failed", report->count - n[STRATA_TEST_UNUSABLE],
	       n[STRATA_TEST_PASSED], n[STRATA_TEST_FAILED]);
	if (n[STRATA_TEST_HUNG] != 0) {
		printf(", %zu hung", n[STRATA_TEST_HUNG]);
	}
	if (n[STRATA_TEST_CRASHED] != 0) {
		printf(", %zu crashed", n[STRATA_TEST_CRASHED]);
	}
	if (n[STRATA_TEST_BROKEN] != 0) {
		printf(", %zu could not be run", n[STRATA_TEST_BROKEN]);
	}
	if (n[STRATA_TEST_SKIPPED] != 0) {
		printf(", %zu skipped", n[STRATA_TEST_SKIPPED]);
	}
	if (n[STRATA_TEST_UNUSABLE] != 0) {
		printf("; %zu file%s could not be used", n[STRATA_TEST_UNUSABLE],
		       n[STRATA_TEST_UNUSABLE] != 1 ? "s" : "");
	}
	putchar('\n');
}

// ---- TAP ----------------------------------------------------------------------------------------

static void tap_text(FILE *file, const char *text)
{
	for (; *text != '\0' && *text != '\n'; text++) {
		if (*text == '#' || *text == '\\') {
			fputc('\\', file);
		}
		fputc(*text, file);
	}
}

// How many bytes at `text` are one character that YAML and XML may have; 0: none.
static size_t character_size(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;
	size_t size = c[0] < 0x80                    ? 1
		      : c[0] >= 0xc2 && c[0] <= 0xdf ? 2
		      : c[0] >= 0xe0 && c[0] <= 0xef ? 3
		      : c[0] >= 0xf0 && c[0] <= 0xf4 ? 4
						     : 0;

	if (size == 1) {
		return c[0] == '\t' || c[0] == '\n' || (c[0] >= 0x20 && c[0] != 0x7f);
	}
	for (size_t i = 1; i < size; i++) {
		if ((c[i] & 0xc0) != 0x80) {
			return 0;
		}
	}
	// Not: controls, surrogates, numbers written too long or too large, U+FFFE and U+FFFF.
	if ((c[0] == 0xc2 && c[1] < 0xa0) || (c[0] == 0xe0 && c[1] < 0xa0) ||
	    (c[0] == 0xed && c[1] >= 0xa0) || (c[0] == 0xf0 && c[1] < 0x90) ||
	    (c[0] == 0xf4 && c[1] >= 0x90) || (c[0] == 0xef && c[1] == 0xbf && c[2] >= 0xbe)) {
		return 0;
	}
	return size;
}

// The message as a YAML block. Its indentation is said, since the first line's may be the deepest.
static void tap_message(FILE *file, const struct kept *k)
{
	const char *at = k->message;
	bool begin = true;

	fprintf(file, "  ---\n  outcome: %s\n  at: \"", status_words[k->status]);
	for (const char *c = k->path; *c != '\0'; c++) {
		if (*c == '"' || *c == '\\') {
			fputc('\\', file);
		}
		fputc(character_size(c) == 1 || (unsigned char)*c >= 0x80 ? *c : '?', file);
	}
	if (k->line != 0) {
		fprintf(file, ":%u", k->line);
	}
	fputs("\"\n  message: |2\n", file);
	while (*at != '\0') {
		size_t size = character_size(at);

		if (begin && *at != '\n') {
			fputs("    ", file);
		}
		begin = *at == '\n';
		fprintf(file, "%.*s", size != 0 ? (int)size : 1, size != 0 ? at : "?");
		at += size != 0 ? size : 1;
	}
	fputs(begin ? "  ...\n" : "\n  ...\n", file);
}

static void write_tap(FILE *file, const struct report *report)
{
	fprintf(file, "TAP version 13\n1..%zu\n", report->count);
	for (size_t i = 0; i < report->count; i++) {
		const struct kept *k = &report->kept[i];
		bool ok = k->status == STRATA_TEST_PASSED || k->status == STRATA_TEST_SKIPPED;

		fprintf(file, "%sok %zu - ", ok ? "" : "not ", i + 1);
		tap_text(file, k->name);
		if (k->status == STRATA_TEST_SKIPPED) {
			fputs(" # SKIP ", file);
			tap_text(file, k->message);
		}
		fputc('\n', file);
		if (!ok) {
			tap_message(file, k);
		}
	}
}

// ---- JUnit --------------------------------------------------------------------------------------

static void xml_part(FILE *file, const char *text, size_t length)
{
	const char *end = text + length;

	while (text < end) {
		size_t size = character_size(text);

		if (*text == '&') {
			fputs("&amp;", file);
		} else if (*text == '<') {
			fputs("&lt;", file);
		} else if (*text == '>') {
			fputs("&gt;", file);
		} else if (*text == '"') {
			fputs("&quot;", file);
		} else if (size == 0) {
			fputc('?', file); // XML has no such characters
		} else {
			fprintf(file, "%.*s", (int)size, text);
		}
		text += size != 0 ? size : 1;
	}
}

static void xml_text(FILE *file, const char *text)
{
	xml_part(file, text, strlen(text));
}

// The first line of the message is an attribute, since some readers show nothing else.
static void junit_case(FILE *file, const struct kept *k)
{
	static const char *const tags[] = {"",      "failure", "skipped", "error",
					   "error", "error",   "error"};
	const char *slash = strchr(k->name, '/'), *line = k->message + strspn(k->message, " ");

	fputs("  <testcase classname=\"", file);
	xml_part(file, k->name, slash != NULL ? (size_t)(slash - k->name) : strlen(k->name));
	fputs("\" name=\"", file);
	xml_text(file, slash != NULL ? slash + 1 : k->name);
	fputs("\" file=\"", file);
	xml_text(file, k->path);
	if (k->line != 0) {
		fprintf(file, "\" line=\"%u", k->line);
	}
	fprintf(file, "\" time=\"%.6f\"", k->seconds);
	if (k->status == STRATA_TEST_PASSED) {
		fputs("/>\n", file);
		return;
	}
	fprintf(file, "><%s message=\"", tags[k->status]);
	xml_part(file, line, strcspn(line, "\n"));
	fputs("\">", file);
	xml_text(file, k->message);
	fprintf(file, "</%s></testcase>\n", tags[k->status]);
}

static void write_junit(FILE *file, const struct report *report)
{
	const size_t *n = report->by_status;
	double seconds = 0;

	for (size_t i = 0; i < report->count; i++) {
		seconds += report->kept[i].seconds;
	}
	fprintf(file,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"strata test\" "
		"tests=\"%zu\" "
		"failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\" time=\"%.6f\">\n",
		report->count, n[STRATA_TEST_FAILED],
		n[STRATA_TEST_HUNG] + n[STRATA_TEST_CRASHED] + n[STRATA_TEST_BROKEN] +
			n[STRATA_TEST_UNUSABLE],
		n[STRATA_TEST_SKIPPED], seconds);
	for (size_t i = 0; i < report->count; i++) {
		junit_case(file, &report->kept[i]);
	}
	fputs("</testsuite>\n", file);
}

static int write_report(const char *path, const struct report *report,
			void (*writer)(FILE *file, const struct report *report))
{
	FILE *file;
	bool ok;

	if (path == NULL) {
		return 0;
	}
	if (strcmp(path, "-") == 0) {
		writer(stdout, report);
		return 0;
	}
	file = fopen(path, "w");
	ok = file != NULL;
	if (ok) {
		writer(file, report);
		ok = !ferror(file);
		ok = fclose(file) == 0 && ok;
	}
	if (!ok) {
		fprintf(stderr, "strata test: can't write %s: %s\n", path, strerror(errno));
	}
	return ok ? 0 : -1;
}

// ---- the command --------------------------------------------------------------------------------

static bool parse_count(const char *text, double max, double *value)
{
	char *end;

	*value = strtod(text, &end);
	return *end == '\0' && end != text && *value > 0 && *value <= max;
}

// An option with a value; its text, or NULL with a message.
static const char *value_of(int argc, char **argv, int *i)
{
	const char *equals = strchr(argv[*i], '=');

	if (equals != NULL) {
		return equals + 1;
	}
	if (*i + 1 >= argc) {
		fprintf(stderr, "strata test: %s needs a value\n", argv[*i]);
		return NULL;
	}
	return argv[++*i];
}

static bool is_option(const char *arg, const char *name)
{
	size_t size = strlen(name);

	return strncmp(arg, name, size) == 0 && (arg[size] == '\0' || arg[size] == '=');
}

static bool add_to(const char **list, size_t *count, const char *value, const char *what)
{
	if (*count == LIST_MAX) {
		fprintf(stderr, "strata test: at most %d %s\n", LIST_MAX, what);
		return false;
	}
	list[(*count)++] = value;
	return true;
}

static bool parse_valued(struct test_options *t, const char *name, const char *value)
{
	double number;

	if (is_option(name, "--filter")) {
		return add_to(t->filters, &t->o.filter_count, value, "filters");
	}
	if (is_option(name, "--define")) {
		if (strchr(value, '=') == NULL) {
			fprintf(stderr, "strata test: --define %s: expected NAME=VALUE\n", value);
			return false;
		}
		return add_to(t->defines, &t->o.define_count, value, "definitions");
	}
	if (is_option(name, "--tap")) {
		t->tap = value;
	} else if (is_option(name, "--junit")) {
		t->junit = value;
	} else if (is_option(name, "--cpu")) {
		t->o.cpu = value;
	} else if (!parse_count(value, is_option(name, "--jobs") ? 64 : 1e6, &number) ||
		   (is_option(name, "--jobs") && number != (unsigned)number)) {
		fprintf(stderr, "strata test: %s: '%s' is no number in range\n", name, value);
		return false;
	} else if (is_option(name, "--jobs")) {
		t->o.jobs = (unsigned)number;
	} else {
		t->o.limit = number;
	}
	return true;
}

static bool parse(struct test_options *t, int argc, char **argv)
{
	static const char *const valued[] = {"--filter", "--define", "--tap",  "--junit",
					     "--cpu",    "--jobs",   "--limit"};
	bool only_files = false;

	for (int i = 1; i < argc; i++) {
		const char *arg = argv[i];
		bool done = false;

		if (only_files || arg[0] != '-') {
			t->files[t->file_count++] = arg;
			continue;
		}
		only_files = strcmp(arg, "--") == 0;
		if (only_files) {
			continue;
		}
		for (size_t k = 0; !done && k < sizeof(valued) / sizeof(valued[0]); k++) {
			if (is_option(arg, valued[k])) {
				const char *value = value_of(argc, argv, &i);

				if (value == NULL || !parse_valued(t, valued[k], value)) {
					return false;
				}
				done = true;
			}
		}
		if (strcmp(arg, "--list") == 0) {
			t->list = true;
		} else if (strcmp(arg, "--verbose") == 0) {
			t->verbose = true;
		} else if (strcmp(arg, "--export") == 0) {
			t->export = true;
		} else if (strcmp(arg, "--explain") == 0) {
			t->o.explain = true;
		} else if (!done) {
			fprintf(stderr,
				"strata test: unknown option '%s' (see strata test --help)\n", arg);
			return false;
		}
	}
	if (t->file_count == 0) {
		fputs("strata test: no file is given (see strata test --help)\n", stderr);
	}
	if (t->tap != NULL && t->junit != NULL && strcmp(t->tap, t->junit) == 0) {
		fputs("strata test: --tap and --junit want different files\n", stderr);
		return false;
	}
	return t->file_count != 0;
}

static void on_name(void *opaque, const struct strata_test_result *r)
{
	(void)opaque;
	printf("%s%s%s\n", r->name, r->message[0] != '\0' ? "  # skipped: " : "", r->message);
}

static int run(const struct test_options *t)
{
	struct report report = {.verbose = t->verbose};
	char error[512];
	bool to_stdout = (t->tap != NULL && strcmp(t->tap, "-") == 0) ||
			 (t->junit != NULL && strcmp(t->junit, "-") == 0);
	int status = EXIT_PASSED;

	if (t->list) {
		if (strata_test_list(t->files, t->file_count, &t->o, on_name, NULL, error,
				     sizeof(error)) != 0) {
			fprintf(stderr, "%s\n", error);
			return EXIT_UNUSABLE;
		}
		return EXIT_PASSED;
	}
	if (t->export) {
		if (strata_test_export(t->files, t->file_count, &t->o, stdout, error,
				       sizeof(error)) != 0) {
			fprintf(stderr, "%s\n", error);
			return EXIT_UNUSABLE;
		}
		return EXIT_PASSED;
	}
	report.quiet = to_stdout;
	if (strata_test_run_files(t->files, t->file_count, &t->o, on_result, &report, error,
				  sizeof(error)) != 0) {
		status = EXIT_UNUSABLE;
	}
	if (!to_stdout) {
		print_summary(&report);
	}
	if (report.count == 0 && t->o.filter_count != 0) {
		fputs("strata test: no test has a name that --filter asks for\n", stderr);
		status = EXIT_UNUSABLE;
	} else if (status == EXIT_PASSED &&
		   report.by_status[STRATA_TEST_PASSED] + report.by_status[STRATA_TEST_SKIPPED] !=
			   report.count) {
		status = EXIT_FAILED;
	}
	if (write_report(t->tap, &report, write_tap) != 0 ||
	    write_report(t->junit, &report, write_junit) != 0) {
		status = EXIT_UNUSABLE;
	}
	for (size_t i = 0; i < report.count; i++) {
		free(report.kept[i].name);
		free(report.kept[i].path);
		free(report.kept[i].message);
	}
	free(report.kept);
	return status;
}

static void name_of(const char *path, char *name, size_t size)
{
	const char *slash = strrchr(path, '/');

	snprintf(name, size, "%s", slash != NULL ? slash + 1 : path);
	name[strcspn(name, "@")] = '\0';
	if (strrchr(name, '.') != NULL && strrchr(name, '.') != name) {
		*strrchr(name, '.') = '\0';
	}
	for (char *c = name; *c != '\0'; c++) {
		if (strchr("._-", *c) == NULL && (*c < '0' || (*c | 32) < 'a' || (*c | 32) > 'z') &&
		    (*c < '0' || *c > '9')) {
			*c = '_';
		}
	}
	if (name[0] == '\0') {
		snprintf(name, size, "recorded");
	}
}

// Names are unique in a file: "name", "name-2", ...
static void make_unique(char (*names)[RECORD_NAME_MAX], size_t count)
{
	char *name = names[count], base[RECORD_NAME_MAX - 8];
	unsigned n = 1;

	snprintf(base, sizeof(base), "%.*s", (int)sizeof(base) - 1, name);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(names[i], name) == 0) {
			snprintf(name, RECORD_NAME_MAX, "%s-%u", base, ++n);
			i = SIZE_MAX; // once more from the first
		}
	}
}

// Nothing is printed of an image that can't be run.
static int record_to(const struct strata_options *machine, const char *name, bool first,
		     char *error, size_t error_size)
{
	size_t size = 0;
	char *text = NULL;
	FILE *file = open_memstream(&text, &size);
	int err;

	if (file == NULL) {
		abort();
	}
	err = strata_test_record(machine, name, file, error, error_size);
	fclose(file);
	if (err == 0) {
		printf("%s\n%s", first ? "strata-trap-tests 1\n" : "", text);
	}
	free(text);
	return err;
}

// One image, with the options of `strata run`. names has those of the images before.
static int record_one(int argc, char **argv, char (*names)[RECORD_NAME_MAX], size_t count)
{
	struct run_options options;
	char error[512];
	int status = EXIT_PASSED;

	if (run_options_parse(&options, argc, argv, error, sizeof(error)) != 0) {
		fprintf(stderr, "strata test --record: %s\n", error);
		status = EXIT_UNUSABLE;
	} else if (options.help) {
		print_help(stdout);
	} else {
		const char *image = options.machine.image != NULL ? options.machine.image : "";

		name_of(image, names[count], RECORD_NAME_MAX);
		make_unique(names, count);
		if (record_to(&options.machine, names[count], count == 0, error, sizeof(error)) !=
		    0) {
			fprintf(stderr, "strata test --record: %s\n", error);
			status = EXIT_UNUSABLE;
		}
	}
	run_options_done(&options);
	return status;
}

// What stands after -- are images, each of which is run with the options before.
static int record(int argc, char **argv)
{
	char(*names)[RECORD_NAME_MAX] = calloc((size_t)argc + 1, sizeof(*names));
	int options = 1, status = EXIT_PASSED;

	if (names == NULL) {
		abort();
	}
	while (options < argc && strcmp(argv[options], "--") != 0) {
		options++;
	}
	if (options >= argc - 1) {
		status = record_one(options, argv, names, 0);
	}
	for (int i = options + 1; i < argc && status == EXIT_PASSED; i++) {
		argv[options] = argv[i];
		status = record_one(options + 1, argv, names, (size_t)(i - options - 1));
	}
	free(names);
	return status;
}

int test_command(int argc, char **argv)
{
	struct test_options *t;
	int status = EXIT_UNUSABLE;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--record") == 0) {
			memmove(&argv[i], &argv[i + 1], (size_t)(argc - i) * sizeof(*argv));
			return record(argc - 1, argv);
		}
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			print_help(stdout);
			return EXIT_PASSED;
		}
	}
	t = calloc(1, sizeof(*t));
	if (t != NULL) {
		t->files = calloc((size_t)argc + 1, sizeof(*t->files));
		t->o.filters = t->filters;
		t->o.defines = t->defines;
		if (t->files != NULL && parse(t, argc, argv)) {
			status = run(t);
		}
		free(t->files);
	}
	free(t);
	return status;
}
