// SPDX-License-Identifier: Apache-2.0
//
// qemu_cases.c - takes the cases of trap-test files to another emulator and compares.
//
//   qemu_cases dump OUT FILE...              the records for the guest
//   qemu_cases check RESULTS DIFFERS FILE... what the guest printed against what the cases expect
//
// Left out, with the reason counted: cases marked no-qemu, those that need memory, translation or
// inputs, instructions that wait or return, and what the other emulator has not ("absent").
// DIFFERS has a line "NAME TARGET EC # why the case is right" for each known disagreement; NAME is
// a pattern, and TARGET and EC what the other emulator does ("ok -" where it does not trap).
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "cases.h"
#include "cpu/pe.h"
#include "cpu/sysreg.h"
#include "cpu/sysreg_internal.h"
#include "traptest/prepared.h"
#include "traptest/test_file.h"

#define DIFFERS_MAX 512

struct differs {
	char name[128], target[16], ec[16];
	unsigned line;
	unsigned long used;
};

struct run {
	bool dump;
	FILE *out; // of a dump
	FILE *results;
	struct tt_pool *pool;
	struct differs differs[DIFFERS_MAX];
	size_t differs_count;
	uint32_t count;
	unsigned long left_out, absent, agree, excused, differ, missing;
	// The guest's next line.
	bool has_result;
	unsigned number, target, unknown;
	unsigned long esr, elr;
	bool is_absent;
};

// What a case's behaviour may depend on and EL3 can write, in the order of writing.
static const uint16_t controls[] = {
	SR_SCR_EL3,     SR_HCR_EL2,     SR_CPTR_EL3,    SR_MDCR_EL3,       SR_SCTLR_EL1,
	SR_SCTLR_EL2,   SR_CPTR_EL2,    SR_CPACR_EL1,   SR_MDCR_EL2,       SR_HCRX_EL2,
	SR_HFGRTR_EL2,  SR_HFGWTR_EL2,  SR_HFGITR_EL2,  SR_HDFGRTR_EL2,    SR_HDFGWTR_EL2,
	SR_HAFGRTR_EL2, SR_CNTKCTL_EL1, SR_CNTHCTL_EL2, SR_PMUSERENR_EL0,  SR_AMUSERENR_EL0,
	SR_MDSCR_EL1,   SR_HSTR_EL2,    SR_VTTBR_EL2,   SR_VTCR_EL2,       SR_TCR_EL1,
	SR_TCR_EL2,     SR_TTBR0_EL1,   SR_TTBR1_EL1,   SR_TTBR0_EL2,      SR_ICC_SRE_EL3,
	SR_ICC_SRE_EL2, SR_ICC_SRE_EL1, SR_ICH_HCR_EL2, SR_CONTEXTIDR_EL1, SR_TPIDR_EL1,
};

static uint32_t msr_of(enum sysreg reg)
{
	return 0xd5000000 | (uint32_t)sysreg_rows[reg].enc << 5 | 1;
}

static bool needs_more(const struct tt_item *item)
{
	const struct tt_case *k = &item->c;
	uint32_t insn = k->insn;

	if (!item->is_case || item->skip != NULL || item->no_qemu != NULL || k->state.stage2 ||
	    k->state.stage1_el1) {
		return true;
	}
	if ((insn & 0xfffff01f) == 0xd503201f || (insn & 0xfe1f0000) == 0xd61f0000 ||
	    (insn & 0xff9ff000) == 0xd69f0000 || (insn & 0xfe000000) == 0xd6000000) {
		return k->outcome ==
		       TT_OK; // WFI and WFE would wait, ERET and branches go elsewhere
	}
	for (size_t i = 0; i < k->settings.count; i++) {
		const struct tt_setting *s = &k->settings.items[i];

		if ((s->kind != TT_SET_REG && s->kind != TT_SET_X) ||
		    (s->kind == TT_SET_X && s->reg != 3)) {
			return true;
		}
		// Without SMC the guest's vectors have no way out.
		if (s->kind == TT_SET_REG && s->reg == SR_SCR_EL3 &&
		    (s->mask & s->value & BIT(7))) {
			return true;
		}
	}
	return false;
}

static uint64_t wanted_bits(const struct tt_case *k, enum sysreg reg)
{
	uint64_t wanted = 0;

	for (size_t i = 0; i < k->settings.count; i++) {
		const struct tt_setting *s = &k->settings.items[i];

		if (s->kind == TT_SET_REG && s->reg == reg) {
			wanted |= s->mask;
		}
	}
	return wanted;
}

static bool is_control(enum sysreg reg)
{
	for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++) {
		if (controls[i] == reg) {
			return true;
		}
	}
	return false;
}

static bool dump_case(struct run *run, const struct tt_file *file, const struct tt_item *item)
{
	char error[200];
	struct tt_prepared *m = tt_pool_get(run->pool, &file->machine, error, sizeof(error));
	const struct tt_case *k = &item->c;
	struct case_register registers[64];
	struct case_record record = {.insn = k->insn, .spsr = k->state.spsr};
	uint64_t value = 0;

	if (m == NULL) {
		fprintf(stderr, "%s\n", error);
		return false;
	}
	tt_apply(m, &k->state, &k->settings);
	record.x3 = pe_x(m->pe, 3);
	record.is_call = (k->insn & 0xff000000) == 0xd4000000;
	for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++) {
		enum sysreg reg = (enum sysreg)controls[i];

		if (!pe_peek(m->pe, reg, &value)) {
			continue;
		}
		if (k->state.mmu && (reg == SR_SCTLR_EL1 || reg == SR_SCTLR_EL2)) {
			value &= ~BIT(0); // the accesses of these cases do not need translation
		}
		registers[record.register_count++] =
			(struct case_register){.msr = msr_of(reg),
					       .value = value,
					       .wanted = wanted_bits(k, reg)};
	}
	for (size_t i = 0; i < k->settings.count; i++) {
		const struct tt_setting *s = &k->settings.items[i];
		enum sysreg reg = (enum sysreg)s->reg;

		if (s->kind == TT_SET_REG && !is_control(reg) && pe_peek(m->pe, reg, &value)) {
			registers[record.register_count++] =
				(struct case_register){.msr = msr_of(reg), .value = value};
		}
	}
	return fwrite(&record, sizeof(record), 1, run->out) == 1 &&
	       fwrite(registers, sizeof(registers[0]), record.register_count, run->out) ==
		       record.register_count;
}

// ---- comparing ----------------------------------------------------------------------------------

static void next_result(struct run *run)
{
	char text[256];

	run->has_result = false;
	while (fgets(text, sizeof(text), run->results) != NULL) {
		run->is_absent = strstr(text, "absent") != NULL;
		if (sscanf(text, "%x %x %lx %lx %x", &run->number, &run->target, &run->esr,
			   &run->elr, &run->unknown) == 5 ||
		    (run->is_absent && sscanf(text, "%x", &run->number) == 1)) {
			run->has_result = true;
			return;
		}
	}
}

static bool value_has(const struct tt_value *value, uint64_t seen)
{
	for (unsigned i = 0; i < value->count; i++) {
		if ((seen & value->mask) >= value->range[i].lo &&
		    (seen & value->mask) <= value->range[i].hi) {
			return true;
		}
	}
	return value->any;
}

static bool agrees(const struct run *run, const struct tt_case *k)
{
	uint32_t iss;

	if (k->outcome == TT_OK || run->target == 9) {
		return (k->outcome == TT_OK) == (run->target == 9);
	}
	if (run->target != k->el) {
		return false;
	}
	for (size_t i = 0; i < k->checks.count; i++) {
		const struct tt_check *c = &k->checks.items[i];

		if (c->subject == TT_ESR && !value_has(&c->value, bits(run->esr, c->hi, c->lo))) {
			return false;
		}
		if (c->subject == TT_ISS_INSN &&
		    (!tt_iss_of_insn((unsigned)bits(run->esr, 31, 26), k->insn, &iss) ||
		     iss != bits(run->esr, 24, 0))) {
			return false;
		}
	}
	return true;
}

static bool excused(struct run *run, const char *name, const char *target, const char *ec)
{
	for (size_t i = 0; i < run->differs_count; i++) {
		struct differs *d = &run->differs[i];

		if (fnmatch(d->name, name, 0) == 0 && fnmatch(d->target, target, 0) == 0 &&
		    fnmatch(d->ec, ec, 0) == 0) {
			d->used++;
			return true;
		}
	}
	return false;
}

static void check_case(struct run *run, const struct tt_file *file, const struct tt_item *item)
{
	char name[200], target[16], ec[16];

	while (run->has_result && run->number < run->count) {
		next_result(run);
	}
	snprintf(name, sizeof(name), "%s/%s", file->stem, item->name);
	if (!run->has_result || run->number != run->count) {
		if (excused(run, name, "none", "-")) {
			run->excused++;
		} else {
			printf("%s: no answer\n", name);
			run->missing++;
		}
		return;
	}
	if (run->is_absent) {
		run->absent++;
		return;
	}
	if (agrees(run, &item->c)) {
		run->agree++;
		return;
	}
	if (run->unknown) {
		run->absent++;
		return;
	}
	snprintf(target, sizeof(target), run->target == 9 ? "ok" : "EL%u", run->target);
	snprintf(ec, sizeof(ec), run->target == 9 ? "-" : "0x%02x",
		 (unsigned)bits(run->esr, 31, 26));
	if (excused(run, name, target, ec)) {
		run->excused++;
		return;
	}
	run->differ++;
	printf("%s: %s with %s expects %s; there: %s %s iss 0x%06x\n", name, item->c.insn_text,
	       item->c.settings_text, item->c.expected_text, target, ec,
	       (unsigned)bits(run->esr, 24, 0));
}

// ---- files --------------------------------------------------------------------------------------

static char *read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	char *text = NULL;
	long length;

	if (file != NULL && fseek(file, 0, SEEK_END) == 0 && (length = ftell(file)) >= 0 &&
	    fseek(file, 0, SEEK_SET) == 0 && (text = malloc((size_t)length + 1)) != NULL) {
		*size = fread(text, 1, (size_t)length, file);
		text[*size] = '\0';
	}
	if (file != NULL) {
		fclose(file);
	}
	return text;
}

static bool do_file(struct run *run, const char *path)
{
	struct tt_context context = {0};
	char error[400];
	size_t size = 0;
	char *text = read_file(path, &size);
	struct tt_file *file;
	bool good = true;

	if (text == NULL) {
		perror(path);
		return false;
	}
	file = tt_file_parse(path, text, size, &context, error, sizeof(error));
	free(text);
	if (file == NULL) {
		fprintf(stderr, "%s\n", error);
		return false;
	}
	for (size_t i = 0; i < file->item_count && good; i++) {
		const struct tt_item *item = &file->items[i];

		if (needs_more(item)) {
			run->left_out++;
			continue;
		}
		if (run->dump) {
			good = dump_case(run, file, item);
		} else {
			check_case(run, file, item);
		}
		run->count++;
	}
	tt_file_free(file);
	return good;
}

static bool load_differs(struct run *run, const char *path)
{
	FILE *file = fopen(path, "r");
	char text[400];
	unsigned line = 0;

	if (file == NULL) {
		perror(path);
		return false;
	}
	while (fgets(text, sizeof(text), file) != NULL) {
		struct differs *d = &run->differs[run->differs_count];

		line++;
		if (text[0] == '#' || text[0] == '\n') {
			continue;
		}
		if (run->differs_count == DIFFERS_MAX || strchr(text, '#') == NULL ||
		    sscanf(text, "%127s %15s %15s #", d->name, d->target, d->ec) != 3) {
			fprintf(stderr, "%s:%u: not \"NAME TARGET EC # why\"\n", path, line);
			fclose(file);
			return false;
		}
		d->line = line;
		run->differs_count++;
	}
	fclose(file);
	return true;
}

static int dump(struct run *run, int argc, char **argv)
{
	struct cases_head head = {.magic = CASES_MAGIC};
	bool good = true;

	run->out = fopen(argv[2], "wb");
	if (run->out == NULL) {
		perror(argv[2]);
		return 2;
	}
	good = fwrite(&head, sizeof(head), 1, run->out) == 1;
	for (int i = 3; i < argc && good; i++) {
		good = do_file(run, argv[i]);
	}
	head.count = run->count;
	good = good && fseek(run->out, 0, SEEK_SET) == 0 &&
	       fwrite(&head, sizeof(head), 1, run->out) == 1;
	good = fclose(run->out) == 0 && good;
	printf("%u cases, %lu left out\n", run->count, run->left_out);
	return good ? 0 : 2;
}

static int check(struct run *run, int argc, char **argv)
{
	bool good = load_differs(run, argv[3]);

	run->results = fopen(argv[2], "r");
	if (run->results == NULL) {
		perror(argv[2]);
		return 2;
	}
	next_result(run);
	for (int i = 4; i < argc && good; i++) {
		good = do_file(run, argv[i]);
	}
	fclose(run->results);
	printf("%u cases: %lu agree, %lu are known to differ, %lu disagree, %lu need what is "
	       "absent "
	       "there, %lu without an answer; %lu left out\n",
	       run->count, run->agree, run->excused, run->differ, run->absent, run->missing,
	       run->left_out);
	for (size_t i = 0; i < run->differs_count; i++) {
		if (run->differs[i].used == 0) {
			printf("%s: line %u excuses nothing\n", argv[3], run->differs[i].line);
			good = false;
		}
	}
	return good && run->differ == 0 && run->missing == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct run *run = calloc(1, sizeof(*run));
	int status = 2;

	if (run == NULL || argc < 4) {
		fprintf(stderr, "usage: qemu_cases dump OUT FILE...\n"
				"       qemu_cases check RESULTS DIFFERS FILE...\n");
	} else if (strcmp(argv[1], "dump") == 0) {
		run->dump = true;
		run->pool = tt_pool_create();
		status = dump(run, argc, argv);
		tt_pool_destroy(run->pool);
	} else if (strcmp(argv[1], "check") == 0) {
		status = check(run, argc, argv);
	}
	free(run);
	return status;
}
