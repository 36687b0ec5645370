// SPDX-License-Identifier: Apache-2.0
// Compares translations with outcomes recorded from an independent implementation (xlat.jsonl.gz):
// eight AT instructions and four real accesses for each situation of EL1&0 registers, stage 2 and
// tables in memory. Disagreements must stand in the list of exceptions, with the rule that decides;
// an exception that is not needed any more is an error too.
//
// Usage: xlat_check DATA.jsonl.gz EXCEPTIONS.txt
//
// A line of EXCEPTIONS: "ID KEY RULE...", where ID or KEY may be "*". Each must match at
// least one disagreement. '#' starts a comment.
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/bits.h"
#include "base/check.h"
#include "bus/bus.h"
#include "mmu/mmu.h"

#define RAM_BASE UINT64_C(0x80000000)
#define RAM_SIZE UINT64_C(0x80000000)
#define LINE_SIZE (1u << 20)
#define WORDS_MAX 256
#define EXCEPTIONS_MAX 512

#define SPSR_PAN BIT(22)
#define SPSR_UAO BIT(23)

struct exception_row {
	char id[32];
	char key[16];
	unsigned uses;
};

struct situation {
	const char *id;
	struct mmu_regime regime;
	uint64_t spsr;
	uint64_t code_base;
	uint64_t va;
	uint64_t word_pa[WORDS_MAX];
	uint64_t word[WORDS_MAX];
	size_t word_count;
};

struct checker {
	struct bus *bus;
	struct exception_row exceptions[EXCEPTIONS_MAX];
	size_t exception_count;
	bool with_tlb;
	struct mmu_tlb *tlb;
	size_t compared;
	size_t excepted;
	size_t failed;
};

static const struct mmu_features features = {
	.pa_bits = 56,
	.gran4k = true,
	.gran16k = true,
	.gran64k = true,
	.s2_gran4k = true,
	.s2_gran16k = true,
	.s2_gran64k = true,
	.lva = true,
	.lpa = true,
	.lpa2 = true,
	.haf = true,
	.hdbs = true,
	.hpds = true,
	.hpds2 = true,
	.pan = true,
	.pan3 = true,
	.xnx = true,
	.ttcnp = true,
	.s2fwb = true,
	.xs = true,
	.e0pd = true,
	.vmid16 = true,
	.asid16 = true,
	.ttst = true,
	.nv1 = true,
	.bti = true,
	.sel2 = true,
};

static void disagree(struct checker *checker, const char *id, const char *key, const char *want,
		     const char *got)
{
	for (size_t i = 0; i < checker->exception_count; i++) {
		struct exception_row *row = &checker->exceptions[i];

		if ((strcmp(row->id, "*") == 0 || strcmp(row->id, id) == 0) &&
		    (strcmp(row->key, "*") == 0 || strcmp(row->key, key) == 0)) {
			row->uses++;
			checker->excepted++;
			return;
		}
	}
	checker->failed++;
	printf("%s %s%s: want %s, got %s\n", id, key, checker->with_tlb ? " (TLB)" : "", want, got);
}

static void memory_load(struct checker *checker, const struct situation *s)
{
	for (size_t i = 0; i < s->word_count; i++) {
		CHECK(bus_ram_write(checker->bus, PAS_NONSECURE, s->word_pa[i], &s->word[i], 8) ==
		      0);
	}
}

static void memory_clear(struct checker *checker, const struct situation *s)
{
	uint64_t zero = 0;

	for (size_t i = 0; i < s->word_count; i++) {
		CHECK(bus_ram_write(checker->bus, PAS_NONSECURE, s->word_pa[i], &zero, 8) == 0);
	}
}

static bool translate(struct checker *checker, const struct situation *s,
		      const struct mmu_access *access, struct mmu_result *result,
		      struct mmu_fault *fault)
{
	if (checker->with_tlb) {
		return mmu_translate(checker->tlb, &s->regime, access, result, fault);
	}
	return mmu_walk(checker->bus, &s->regime, access, false, result, fault);
}

static void check_at(struct checker *checker, const struct situation *s, const char *key,
		     const char *want)
{
	struct mmu_access access = {.va = va_make(s->va), .at = true, .size = 1};
	struct mmu_result result;
	struct mmu_fault fault;
	uint64_t par;
	uint64_t expected = strtoull(want, NULL, 16);
	uint64_t mask = ~UINT64_C(0);
	char got[32];

	access.s1_only = strncmp(key, "s1e", 3) == 0;
	access.el0 = strstr(key, "e0") != NULL;
	access.type = key[strlen(key) - 1] == 'w' ? MMU_WRITE : MMU_READ;
	memory_load(checker, s);
	if (checker->with_tlb) {
		mmu_tlb_flush(checker->tlb);
	}
	par = translate(checker, s, &access, &result, &fault) ? mmu_par_success(&s->regime, &result)
							      : mmu_par_fault(&fault);
	// Bits 11:9 of a success are UNKNOWN or IMPLEMENTATION DEFINED.
	if ((expected & 1) == 0 && (par & 1) == 0) {
		mask = ~MASK(11, 9);
	}
	checker->compared++;
	if (((par ^ expected) & mask) != 0) {
		snprintf(got, sizeof(got), "%016" PRIx64, par);
		disagree(checker, s->id, key, want, got);
	}
}

// The outcome of one access as the text "el esr far hpfar", or "ok".
static void outcome_text(char *text, size_t size, bool ok, bool fetch,
			 const struct mmu_fault *fault, uint64_t far)
{
	unsigned ec;
	uint64_t esr;
	uint64_t hpfar = 0;

	if (ok) {
		snprintf(text, size, "ok");
		return;
	}
	ec = fetch ? 0x20 : 0x24;
	if (!fault->stage2) {
		ec++;
	}
	esr = (uint64_t)ec << 26 | BIT(25) | mmu_fault_status(fault);
	esr |= (uint64_t)fault->s1ptw << 7;
	if (!fetch) {
		esr |= (uint64_t)fault->write << 6;
	}
	// The recorder leaves HPFAR_EL2 at 0 for permission faults, except on a walk.
	if (fault->stage2 && (fault->type != MMU_FAULT_PERMISSION || fault->s1ptw)) {
		hpfar = fault->ipa.v >> 12 << 4;
	}
	snprintf(text, size, "%d %08" PRIx64 " %016" PRIx64 " %016" PRIx64, fault->stage2 ? 2 : 1,
		 esr, far, hpfar);
}

// AArch64.BranchAddr: a branch drops a tag that instruction addresses ignore.
static uint64_t branch_address(const struct situation *s, uint64_t va)
{
	bool upper = bit(va, 55);
	bool tbi = bit(s->regime.tcr, upper ? 38 : 37) && !bit(s->regime.tcr, upper ? 52 : 51);

	return !tbi ? va : upper ? va | MASK(63, 56) : va & MASK(55, 0);
}

static void check_op(struct checker *checker, const struct situation *s, const char *key,
		     const char *want)
{
	static const struct {
		const char *key;
		unsigned offset;
		enum mmu_access_type type;
	} ops[] = {{"ldr", 0x40, MMU_READ},
		   {"str", 0x48, MMU_WRITE},
		   {"ldtr", 0x50, MMU_READ},
		   {"exec", 0x58, MMU_EXEC}};
	struct mmu_access access = {.size = 4};
	struct mmu_result result;
	struct mmu_fault fault;
	char got[80];
	bool ok;
	size_t op = 0;
	bool fetch = true;

	while (strcmp(ops[op].key, key) != 0) {
		op++;
	}
	memory_load(checker, s);
	if (checker->with_tlb) {
		mmu_tlb_flush(checker->tlb);
	}
	// First the instruction itself must be fetched.
	access.va = va_make(s->code_base + ops[op].offset);
	access.type = MMU_EXEC;
	ok = translate(checker, s, &access, &result, &fault);
	if (ok) {
		access.type = ops[op].type;
		fetch = access.type == MMU_EXEC;
		access.va = va_make(fetch ? branch_address(s, s->va) : s->va);
		access.size = fetch ? 4 : 8;
		access.el0 = strcmp(key, "ldtr") == 0 && (s->spsr & SPSR_UAO) == 0;
		access.pan = !fetch && !access.el0 && (s->spsr & SPSR_PAN) != 0;
		ok = translate(checker, s, &access, &result, &fault);
	}
	outcome_text(got, sizeof(got), ok, fetch, &fault, access.va.v);
	checker->compared++;
	if (strcmp(got, want) != 0) {
		disagree(checker, s->id, key, want, got);
	}
}

static uint64_t number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	CHECK(json_is_string(value));
	return strtoull(json_string_value(value), NULL, 0);
}

static void check_line(struct checker *checker, const json_t *line)
{
	struct situation s = {.id = json_string_value(json_object_get(line, "id"))};
	const json_t *regs = json_object_get(line, "regs");
	const char *key;
	json_t *value;

	s.regime.kind = MMU_REGIME_EL10;
	s.regime.has_el2 = true;
	s.regime.features = &features;
	s.regime.scr = 0xd31;
	s.regime.sctlr = number(regs, "SCTLR_EL1");
	s.regime.tcr = number(regs, "TCR_EL1");
	s.regime.ttbr[0] = number(regs, "TTBR0_EL1");
	s.regime.ttbr[1] = number(regs, "TTBR1_EL1");
	s.regime.mair = number(regs, "MAIR_EL1");
	s.regime.hcr = number(regs, "HCR_EL2");
	s.regime.vtcr = number(regs, "VTCR_EL2");
	s.regime.vttbr = number(regs, "VTTBR_EL2");
	s.spsr = number(regs, "SPSR_EL3");
	s.code_base = number(regs, "CODE_BASE");
	s.va = number(regs, "VA");
	json_object_foreach(json_object_get(line, "mem"), key, value)
	{
		CHECK(s.word_count < WORDS_MAX);
		s.word_pa[s.word_count] = strtoull(key, NULL, 0);
		s.word[s.word_count++] = strtoull(json_string_value(value), NULL, 0);
	}
	json_object_foreach(json_object_get(line, "at"), key, value)
	{
		check_at(checker, &s, key, json_string_value(value));
	}
	json_object_foreach(json_object_get(line, "ops"), key, value)
	{
		char want[80];

		if (json_is_string(value)) {
			snprintf(want, sizeof(want), "%s", json_string_value(value));
		} else {
			snprintf(want, sizeof(want), "%d %s %s %s",
				 (int)json_integer_value(json_object_get(value, "el")),
				 json_string_value(json_object_get(value, "esr")),
				 json_string_value(json_object_get(value, "far")),
				 json_string_value(json_object_get(value, "hpfar")));
		}
		check_op(checker, &s, key, want);
	}
	memory_clear(checker, &s);
}

static int exceptions_read(struct checker *checker, const char *path)
{
	FILE *file = fopen(path, "r");
	char line[1024];

	if (file == NULL) {
		perror(path);
		return -1;
	}
	while (fgets(line, sizeof(line), file) != NULL) {
		struct exception_row *row = &checker->exceptions[checker->exception_count];
		int rule = 0;

		if (line[0] == '#' || line[0] == '\n') {
			continue;
		}
		CHECK(checker->exception_count < EXCEPTIONS_MAX);
		if (sscanf(line, "%31s %15s %n", row->id, row->key, &rule) != 2 ||
		    line[rule] == '\0') {
			fprintf(stderr, "%s: not \"ID KEY RULE\": %s", path, line);
			fclose(file);
			return -1;
		}
		row->uses = 0;
		checker->exception_count++;
	}
	fclose(file);
	return 0;
}

static size_t data_check(struct checker *checker, const char *path)
{
	gzFile file = gzopen(path, "rb");
	char *text = malloc(LINE_SIZE);
	size_t lines = 0;

	CHECK(text != NULL);
	if (file == NULL) {
		perror(path);
		free(text);
		return 0;
	}
	while (gzgets(file, text, LINE_SIZE) != NULL) {
		json_error_t error;
		json_t *line = json_loads(text, 0, &error);

		if (line == NULL) {
			fprintf(stderr, "%s:%zu: %s\n", path, lines + 1, error.text);
			lines = 0;
			break;
		}
		check_line(checker, line);
		json_decref(line);
		lines++;
	}
	gzclose(file);
	free(text);
	return lines;
}

int main(int argc, char **argv)
{
	static struct checker checker;
	size_t lines;
	size_t unused = 0;

	if (argc < 3) {
		fprintf(stderr, "usage: %s DATA.jsonl.gz EXCEPTIONS.txt\n", argv[0]);
		return 2;
	}
	if (exceptions_read(&checker, argv[2]) != 0) {
		return 2;
	}
	checker.bus = bus_create();
	CHECK(checker.bus != NULL);
	CHECK(bus_map_ram(checker.bus, RAM_BASE, RAM_SIZE, BIT(PAS_NONSECURE), false) == 0);
	checker.tlb = mmu_tlb_create(checker.bus, MMU_TLB_SIZED, 256, NULL, NULL);
	CHECK(checker.tlb != NULL);
	lines = data_check(&checker, argv[1]);
	checker.with_tlb = true;
	if (lines != 0) {
		lines = data_check(&checker, argv[1]);
	}
	for (size_t i = 0; i < checker.exception_count; i++) {
		if (checker.exceptions[i].uses == 0) {
			unused++;
			printf("exception not needed: %s %s\n", checker.exceptions[i].id,
			       checker.exceptions[i].key);
		}
	}
	printf("%zu situations, %zu outcomes compared, %zu excepted, %zu disagree, %zu exceptions "
	       "not needed\n",
	       lines, checker.compared, checker.excepted, checker.failed, unused);
	mmu_tlb_destroy(checker.tlb);
	bus_destroy(checker.bus);
	return lines == 0 || checker.failed != 0 || unused != 0 ? 1 : 0;
}
