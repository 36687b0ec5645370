// SPDX-License-Identifier: Apache-2.0
// Fuzzes `strata explain`: garbled instructions and settings are read or refused with one line; and
// for random system instructions at random levels under random controls, the chain of controls says
// what the machine does.
//
//	fuzz_explain [--seed N] [--seconds N] [--iterations N] [--save FILE]
#include "base/bits.h"
#include "board/state.h"
#include "cpu/field.h"
#include "cpu/pe.h"
#include "explain/assemble.h"
#include "explain/open.h"
#include "explain/setting.h"
#include "fuzz_common.h"
#include "strata/strata.h"
#include "strata/strata_explain.h"

#define TEXT_SIZE 120

static const char *const texts[] = {"MSR TTBR0_EL1, X3",  "MRS X0, S3_0_C1_C0_0",
				    "TLBI VAE1IS, X5",    "LDR X0, [SP, #8]!",
				    "MSR DAIFSet, #2",    "STP X1, X2, [X3], #16",
				    "SYS #3, C7, C4, #1", "B.NE #8",
				    "HVC #0x1234",        "ADD V0.4S, V1.4S, V2.4S",
				    "0xd5182003",         "CPYP [X1]!, [X2]!, X3!"};
static const char *const settings[] = {"HCR_EL2.TVM=1", "SCTLR_EL1=0x30d00800",
				       "X17=0b1_0",     "HCR_EL2[27:26]=2",
				       "PSTATE.PAN=1",  "CPTR_EL2.FPEN=3",
				       "SP=16",         "S3_0_C1_C0_0=1"};
static const char *const controls[] = {
	"SCTLR_EL1",  "CPACR_EL1",  "CNTKCTL_EL1", "PMUSERENR_EL0", "MDSCR_EL1",    "SCTLR_EL2",
	"HCR_EL2",    "HCRX_EL2",   "CPTR_EL2",    "MDCR_EL2",      "CNTHCTL_EL2",  "HFGRTR_EL2",
	"HFGWTR_EL2", "HFGITR_EL2", "HDFGRTR_EL2", "HDFGWTR_EL2",   "HAFGRTR_EL2",  "ICH_HCR_EL2",
	"SCR_EL3",    "CPTR_EL3",   "MDCR_EL3",    "ICC_SRE_EL2",   "AMUSERENR_EL0"};

static void check_message(int result, const char *error)
{
	if (result != 0 && (error[0] == '\0' || strchr(error, '\n') != NULL)) {
		fprintf(stderr, "an error without a message, or with two lines: '%s'\n", error);
		abort();
	}
}

static const char *garble(struct fuzz *fuzz, const char *const *from, size_t count, char *text)
{
	const char *start = from[fuzz_random(fuzz) % count];
	size_t size = strlen(start);

	memcpy(text, start, size);
	size = fuzz_mutate(fuzz, (uint8_t *)text, size, TEXT_SIZE);
	text[size] = '\0';
	fuzz_save(fuzz, text, size);
	return text;
}

static void read_texts(struct fuzz *fuzz)
{
	char text[TEXT_SIZE + 1], error[200] = "";
	struct setting setting;
	unsigned column = 0;
	uint32_t word;
	int result;

	garble(fuzz, texts, sizeof(texts) / sizeof(texts[0]), text);
	result = assemble(text, &word, &column, error, sizeof(error));
	check_message(result, error);
	if (result != 0 && (column == 0 || column > strlen(text) + 1)) {
		fprintf(stderr, "column %u of '%s'\n", column, text);
		abort();
	}
	garble(fuzz, settings, sizeof(settings) / sizeof(settings[0]), text);
	check_message(setting_parse(text, fuzz_random(fuzz) & 1, &setting, error, sizeof(error)),
		      error);
}

// MSR, MRS, SYS or SYSL of a register that exists, more often than not.
static uint32_t random_access(struct fuzz *fuzz)
{
	struct sysreg_info info;
	uint32_t enc;

	sysreg_describe((enum sysreg)(fuzz_random(fuzz) % SYSREG_COUNT), &info);
	enc = fuzz_random(fuzz) % 8 == 0 ? 0x4000 + fuzz_random(fuzz) % 0xc000 : info.enc;
	return 0xd5000000 | enc << 5 | (uint32_t)(fuzz_random(fuzz) & 1) << 21 |
	       (uint32_t)(fuzz_random(fuzz) % 31);
}

static void random_controls(struct fuzz *fuzz, struct pe *pe, unsigned el)
{
	bool secure = fuzz_random(fuzz) % 4 == 0;

	for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++) {
		uint64_t mask = fuzz_random(fuzz) & fuzz_random(fuzz);

		if (fuzz_random(fuzz) % 3 == 0) {
			continue;
		}
		// The MMU stays off, and EL1 there.
		if (strncmp(controls[i], "SCTLR", 5) == 0) {
			mask &= ~BIT(0);
		} else if (strcmp(controls[i], "HCR_EL2") == 0) {
			mask &= ~(BIT(0) | BIT(12) | (el == 1 ? BIT(27) : 0));
		} else if (strcmp(controls[i], "SCR_EL3") == 0) {
			mask &= ~(BIT(0) | BIT(18));
		} else if (strcmp(controls[i], "MDSCR_EL1") == 0) {
			mask &= ~BIT(0); // no software step
		}
		open_poke(pe, sysreg_by_name(controls[i]), mask, fuzz_random(fuzz));
	}
	open_poke(pe, SR_VNCR_EL2, ~UINT64_C(0), OPEN_DATA);
	if (secure) {
		open_poke(pe, SR_SCR_EL3, BIT(0), 0);
		open_poke(pe, SR_SCR_EL3, BIT(18), el == 2 ? BIT(18) : fuzz_random(fuzz));
	}
}

static void explain_access(struct fuzz *fuzz, struct strata *machine, struct strata_explainer *x)
{
	struct strata_explanation *e;
	struct pe *pe = board_pe(machine, 0);
	unsigned el = (unsigned)(fuzz_random(fuzz) % 4);
	uint32_t word = random_access(fuzz);
	char error[200];

	board_start_bare(machine, OPEN_CODE);
	open_registers(pe);
	random_controls(fuzz, pe, el);
	pe_set_pstate(pe, 0x3c0 | el << 2 | (el != 0));
	for (unsigned n = 0; n <= 30; n++) {
		pe_set_x(pe, n, OPEN_DATA);
	}
	pe_set_pc(pe, OPEN_CODE);
	pe_poked(pe);
	strata_write(machine, OPEN_CODE, &word, sizeof(word));
	if (strata_explain_machine(x, &e, machine, 0, error, sizeof(error)) != 0) {
		fprintf(stderr, "0x%08x: %s\n", word, error);
		abort();
	}
	if (!e->chain_agrees) {
		fprintf(stderr, "0x%08x at EL%u: the controls and the machine differ\n", word, el);
		strata_explain_print(e, stderr, false, false);
		for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++) {
			uint64_t value = 0;

			pe_peek(pe, sysreg_by_name(controls[i]), &value);
			fprintf(stderr, " --set %s=0x%llx", controls[i], (unsigned long long)value);
		}
		fputc('\n', stderr);
		abort();
	}
	strata_explain_free(e);
}

static void ignore(void *opaque, const struct strata_event *event)
{
	(void)opaque;
	(void)event;
}

int main(int argc, char **argv)
{
	const struct strata_explain_options cpu = {.cpu = "max"};
	struct strata_options options;
	struct strata_explainer *x;
	struct strata *machine;
	struct fuzz fuzz;
	char error[200];

	(void)fuzz_init(&fuzz, argc, argv);
	strata_options_init(&options);
	options.memory = 4 << 20;
	options.boot_el = 3;
	options.secure = true;
	options.event = ignore;
	if (strata_create(&machine, &options, error, sizeof(error)) != 0 ||
	    strata_explainer_create(&x, &cpu, error, sizeof(error)) != 0) {
		fprintf(stderr, "%s\n", error);
		return 1;
	}
	while (fuzz_next(&fuzz)) {
		read_texts(&fuzz);
		explain_access(&fuzz, machine, x);
	}
	strata_explainer_destroy(x);
	strata_destroy(machine);
	fuzz_done(&fuzz);
	return 0;
}
