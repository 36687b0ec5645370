// SPDX-License-Identifier: Apache-2.0
// Fuzzes the parser of trap tests: files made of real statements, shuffled and mutated. Whatever
// comes, it is accepted or refused with one line that names the file.
//
//	fuzz_traptest [--seed N] [--seconds N] [--iterations N] [--save FILE]
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz_common.h"
#include "traptest/test_file.h"

#define TEXT_MAX 8192

static const char *const lines[] = {
	"machine cpu=max el2=yes el3=yes memory=16M\n",
	"requires FEAT_VHE, !FEAT_LS64\n",
	"section s1\n",
	"default HCR_EL2.TVM=1, X1=$data+0x10\n",
	"qemu=no \"not there\"\n",
	"case a: HCR_EL2.TVM=1 | NS EL1 | MSR TTBR0_EL1, X3 | EL2 ec=0x18 iss=insn "
	"control=HCR_EL2.TVM\n",
	"case b: HCR_EL2[26]=1, SCR_EL3.NS=0 | S EL1 mmu | MRS X3, TTBR0_EL1 | ok reads TTBR0_EL1 "
	"| no-qemu \"x\"\n",
	"case c: [$data]:4=7, tag[$tagged]=3, irq | EL0 DAIF=0 NZCV=5 | 0xd5182003 | undefined EL1 "
	"spsr.m=0\n",
	"case d: - | EL2 SP0 PAN | STR X3, [X1, #8]! | ok stores [$data] writes none\n",
	"case e: X3=0b1_01 | EL3 | TLBI VAE1, X0 | ok X3={1,3..5}/0xff PSTATE.EL=3\n",
	"case f: - \\\n  | EL1 | SVC #5 | \\\n EL1 ec=0x15 imm=5 elr=+4\n",
	"test t1\n state NS EL1\n set HCR_EL2.TSC=1\n asm\n hvc #1\n end\n asm EL2+0x400\n eret\n "
	"end\n",
	" vectors EL1 skip\n",
	" expect\n EL1 -> EL2 cause=HVC imm=1 x1..5\n repeat x2\n any 0..3\n end\n any except "
	"to=EL3\n end\n",
	" not S-EL1 -> EL3 return\n",
	" count EL1->EL2 cause=HVC <= 10\n count cause=SMC == 1\n",
	" cycles in EL2 < 100\n insns <= 5\n time < 5ms\n",
	" after X5=0, [$data]=1, HCR_EL2.TVM=0\n",
	" output \"a\\x41\\n\"\n",
	" ends stopped EL2\n",
	" watch to=EL2\n until cause=IRQ\n limit insns=5 time=1ms host=2\n",
	"end\n",
	"test t2\n hex\n d4000022 // x\n end\n needs /nonexistent\n",
	" machine boot-el=2 smp=2 append=\"a b\" load=x@0x1000 tlb=keep\n image x\n symbols y\n "
	"input \"q\"\n",
	"# a comment\n",
	"\n",
};

#define LINE_COUNT (sizeof(lines) / sizeof(lines[0]))

static size_t compose(struct fuzz *fuzz, char *text)
{
	size_t size = 0, count = 1 + fuzz_random(fuzz) % 24;

	size += (size_t)snprintf(text, TEXT_MAX, "strata-trap-tests 1\n");
	for (size_t i = 0; i < count; i++) {
		// In order more often than not, so that blocks come about.
		const char *line =
			lines[fuzz_random(fuzz) % 3 != 0 ? i % LINE_COUNT
							 : fuzz_random(fuzz) % LINE_COUNT];
		size_t n = strlen(line);

		if (size + n < TEXT_MAX) {
			memcpy(text + size, line, n);
			size += n;
		}
	}
	return size;
}

int main(int argc, char **argv)
{
	static char text[TEXT_MAX];
	const struct tt_context context = {0};
	uint64_t accepted = 0;
	struct fuzz fuzz;

	(void)fuzz_init(&fuzz, argc, argv);
	while (fuzz_next(&fuzz)) {
		char error[512] = "";
		size_t size = compose(&fuzz, text);
		struct tt_file *file;

		if (fuzz_random(&fuzz) % 4 != 0) {
			size = fuzz_mutate(&fuzz, (uint8_t *)text, size, TEXT_MAX);
		}
		fuzz_save(&fuzz, text, size);
		file = tt_file_parse("file.traps", text, size, &context, error, sizeof(error));
		if (file == NULL &&
		    (strncmp(error, "file.traps:", 11) != 0 || strchr(error, '\n') != NULL)) {
			fprintf(stderr, "refused with '%s'\n", error);
			abort();
		}
		accepted += file != NULL;
		tt_file_free(file);
	}
	printf("%llu accepted\n", (unsigned long long)accepted);
	fuzz_done(&fuzz);
	return 0;
}
