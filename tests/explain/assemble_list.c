// SPDX-License-Identifier: Apache-2.0
// Print every example of the small assembler: its word, and its text. Compared with other
// assemblers and disassemblers by assemble.py.
#include <capstone/capstone.h>
#include <stdio.h>

#include "explain/assemble.h"

struct listing {
	csh capstone;
	unsigned failed;
};

// WORD <tab> text <tab> what capstone reads there (nothing if it does not know it)
static void print(void *opaque, const char *text)
{
	struct listing *l = opaque;
	char error[200];
	uint32_t word;
	cs_insn *insn;

	if (assemble(text, &word, NULL, error, sizeof(error)) != 0) {
		printf("error\t%s\t%s\n", text, error);
		l->failed++;
		return;
	}
	printf("%08x\t%s\t", word, text);
	if (cs_disasm(l->capstone, (const uint8_t *)&word, 4, 0, 1, &insn) == 1) {
		printf("%s %s", insn->mnemonic, insn->op_str);
		cs_free(insn, 1);
	}
	putchar('\n');
}

int main(void)
{
	struct listing l = {0};

	if (cs_open(CS_ARCH_ARM64, CS_MODE_LITTLE_ENDIAN, &l.capstone) != CS_ERR_OK) {
		fputs("no capstone\n", stderr);
		return 2;
	}
	assemble_examples(print, &l);
	cs_close(&l.capstone);
	return l.failed != 0;
}
