// SPDX-License-Identifier: Apache-2.0
// `strata explain` and `strata list-sysregs`: their command lines.
#include "cli/explain.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/run.h"
#include "strata/strata_explain.h"

#define SETTINGS_MAX 256
#define WORDS_MAX 32
#define INSTRUCTION_SIZE 256

struct arguments {
	struct strata_explain_options options;
	const char *settings[SETTINGS_MAX];
	const char *words[WORDS_MAX]; // what is no option
	size_t word_count;
	const char *matrix;
	const char *state; // an option that is about the state, if one was given
	bool json, all, help;
};

static void explain_help(FILE *file)
{
	fputs("Usage: strata explain [OPTION]... INSTRUCTION\n"
	      "       strata explain [OPTION]... --matrix REGISTER\n"
	      "Say where an instruction goes in a given state, and why: it completes, or which "
	      "level "
	      "takes which\nexception; the controls that are asked, in their order; and what "
	      "happens "
	      "without the one that decides.\n"
	      "INSTRUCTION is assembler text (\"MSR TTBR0_EL1, X3\", \"TLBI VAE1, X0\", \"HVC "
	      "#1\") or "
	      "a word (0xd5182003).\nControls that are not set have the value that permits.\n\n"
	      "      --el N             at this level, 0 to 3 (1)\n"
	      "      --ns, --secure     in this Security state (--ns)\n"
	      "      --sp0              with SPSel 0\n"
	      "      --mmu, --stage2    with stage 1 of the level's regime on, with stage 2 on, "
	      "and "
	      "the map of\n"
	      "                         docs/trap-tests.md\n"
	      "      --set R=V          a setting: HCR_EL2.TVM=1, SCTLR_EL1=0x30d00980, "
	      "CPACR_EL1[21:20]=1, X3=5,\n"
	      "                         SP=0x1000, PSTATE.PAN=1; may be repeated\n"
	      "      --cpu MODEL        CPU model with switches (max)\n"
	      "      --no-el2, --no-el3 a machine without this level\n"
	      "      --all              also every single field whose change would change the end\n"
	      "      --matrix REGISTER  the table of a register or system instruction: each level "
	      "and direction, who\n"
	      "                         traps it to whom, and what its name means with "
	      "HCR_EL2.E2H\n"
	      "      --json             for programs: one JSON object\n"
	      "      --help             print this help and exit\n\n"
	      "docs/explain.md describes what is printed.\n",
	      file);
}

static void list_help(FILE *file)
{
	fputs("Usage: strata list-sysregs [OPTION]...\n"
	      "List every system register and system instruction of a CPU model: name, encoding, "
	      "feature, the levels that\nread and write it, the groups and fields that trap it, "
	      "its "
	      "place in the page of VNCR_EL2, and its id for KVM's\nKVM_GET_ONE_REG.\n\n"
	      "      --cpu MODEL        CPU model with switches (max)\n"
	      "      --no-el2, --no-el3 a machine without this level\n"
	      "      --all              also those of features that the model lacks\n"
	      "      --json             for programs: one JSON array\n"
	      "      --help             print this help and exit\n",
	      file);
}

// One line, whatever the words of the command line hold.
static void complain(const char *command, const char *text)
{
	fprintf(stderr, "strata %s: ", command);
	for (; *text != '\0'; text++) {
		fputc(iscntrl((unsigned char)*text) ? '?' : *text, stderr);
	}
	fputc('\n', stderr);
}

static int usage(const char *command, const char *fmt, const char *word)
{
	char text[400];

	snprintf(text, sizeof(text), fmt, word);
	complain(command, text);
	return -1;
}

static int take_level(struct arguments *a, const char *command, const char *value)
{
	if (value[0] < '0' || value[0] > '3' || value[1] != '\0') {
		return usage(command, "--el %s: the levels are 0 to 3", value);
	}
	a->options.el = (unsigned)(value[0] - '0');
	return 0;
}

// An option with a value, after it or behind '='. NULL: it is missing.
static const char *value_of(const char *word, const char *name, int argc, char **argv, int *i)
{
	size_t n = strlen(name);

	if (word[n] == '=') {
		return word + n + 1;
	}
	return *i + 1 < argc ? argv[++*i] : NULL;
}

static bool is_option(const char *word, const char *name)
{
	size_t n = strlen(name);

	return strncmp(word, name, n) == 0 && (word[n] == '\0' || word[n] == '=');
}

static int take_valued(struct arguments *a, const char *command, int argc, char **argv, int *i)
{
	static const char *const names[] = {"--cpu", "--set", "--el", "--matrix"};
	const char *word = argv[*i];

	for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
		const char *value;

		if (!is_option(word, names[n]) || (n > 0 && strcmp(command, "explain") != 0)) {
			continue;
		}
		value = value_of(word, names[n], argc, argv, i);
		if (value == NULL || *value == '\0') {
			return usage(command, "%s needs a value", names[n]);
		}
		switch (n) {
		case 0:
			a->options.cpu = value;
			return 0;
		case 1:
			if (a->options.setting_count == SETTINGS_MAX) {
				return usage(command, "%s: too many settings", value);
			}
			a->settings[a->options.setting_count++] = value;
			a->state = names[n];
			return 0;
		case 2:
			a->state = names[n];
			return take_level(a, command, value);
		default:
			a->matrix = value;
			return 0;
		}
	}
	return usage(command, "unknown option '%s'", word);
}

static bool take_switch(struct arguments *a, const char *command, const char *word)
{
	struct {
		const char *name;
		bool *flag;
		bool value, both;
	} const switches[] = {
		{"--json", &a->json, true, true},
		{"--help", &a->help, true, true},
		{"--no-el2", &a->options.no_el2, true, true},
		{"--no-el3", &a->options.no_el3, true, true},
		{"--all", &a->all, true, true},
		{"--ns", &a->options.secure, false, false},
		{"--secure", &a->options.secure, true, false},
		{"--sp0", &a->options.sp0, true, false},
		{"--mmu", &a->options.mmu, true, false},
		{"--stage2", &a->options.stage2, true, false},
	};

	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
		if (strcmp(word, switches[i].name) == 0 &&
		    (switches[i].both || strcmp(command, "explain") == 0)) {
			*switches[i].flag = switches[i].value;
			if (!switches[i].both) {
				a->state = switches[i].name;
			}
			return true;
		}
	}
	return false;
}

// "-8]" of "LDR X0, [X1, -8]" is no option.
static bool is_operand(const struct arguments *a, const char *word)
{
	return word[0] != '-' || (a->word_count > 0 && isdigit((unsigned char)word[1]));
}

static int parse(struct arguments *a, int argc, char **argv)
{
	const char *command = argv[0];
	bool options = true;

	a->options.el = 1;
	a->options.settings = a->settings;
	for (int i = 1; i < argc; i++) {
		if (options && strcmp(argv[i], "--") == 0) {
			options = false;
		} else if (!options || is_operand(a, argv[i])) {
			if (a->word_count == WORDS_MAX) {
				return usage(command, "'%s' is too much", argv[i]);
			}
			a->words[a->word_count++] = argv[i];
		} else if (!take_switch(a, command, argv[i]) &&
			   take_valued(a, command, argc, argv, &i) != 0) {
			return -1;
		}
	}
	return 0;
}

// The words of the instruction need no quotes around them.
static int join(const struct arguments *a, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < a->word_count; i++) {
		int n = snprintf(text + used, size - used, "%s%s", i > 0 ? " " : "", a->words[i]);

		if (n < 0 || (size_t)n >= size - used) {
			return usage("explain", "the instruction is too long%s", "");
		}
		used += (size_t)n;
	}
	return 0;
}

static int explain_instruction(const struct arguments *a, char *error, size_t error_size)
{
	struct strata_explanation *explanation;
	char text[INSTRUCTION_SIZE];
	int err;

	if (join(a, text, sizeof(text)) != 0) {
		return RUN_USAGE;
	}
	err = strata_explain(&explanation, &a->options, text, error, error_size);
	if (err == 0) {
		strata_explain_print(explanation, stdout, a->json, a->all);
		strata_explain_free(explanation);
	}
	return err;
}

static int finish(const char *command, int err, const char *error)
{
	if (err == RUN_USAGE) {
		return err;
	}
	if (err != 0) {
		complain(command, error);
		return RUN_USAGE;
	}
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "strata %s: can't write the output\n", command);
		return RUN_HOST;
	}
	return 0;
}

int explain_command(int argc, char **argv)
{
	struct arguments a = {0};
	char error[512] = "";
	int err;

	if (parse(&a, argc, argv) != 0) {
		return RUN_USAGE;
	}
	if (a.help) {
		explain_help(stdout);
		return 0;
	}
	if (a.matrix != NULL && a.word_count != 0) {
		usage("explain", "--matrix takes no instruction besides its register ('%s')",
		      a.words[0]);
		return RUN_USAGE;
	}
	if (a.matrix != NULL && a.state != NULL) {
		usage("explain", "--matrix shows all states: %s has no meaning with it", a.state);
		return RUN_USAGE;
	}
	if (a.matrix == NULL && a.word_count == 0) {
		usage("explain", "no instruction is given%s (see strata explain --help)", "");
		return RUN_USAGE;
	}
	err = a.matrix != NULL ? strata_explain_matrix(&a.options, a.matrix, stdout, a.json, error,
						       sizeof(error))
			       : explain_instruction(&a, error, sizeof(error));
	return finish("explain", err, error);
}

int list_sysregs_command(int argc, char **argv)
{
	struct arguments a = {0};
	char error[512] = "";

	if (parse(&a, argc, argv) != 0) {
		return RUN_USAGE;
	}
	if (a.help) {
		list_help(stdout);
		return 0;
	}
	if (a.word_count != 0) {
		usage("list-sysregs", "'%s' is no option", a.words[0]);
		return RUN_USAGE;
	}
	return finish("list-sysregs",
		      strata_list_sysregs(&a.options, stdout, a.json, a.all, error, sizeof(error)),
		      error);
}
