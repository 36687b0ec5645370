// SPDX-License-Identifier: Apache-2.0
// Fuzzes the command line: random words out of real options, numbers and junk. Whatever comes, it
// is accepted or refused with one line.
//
//	fuzz_options [--seed N] [--seconds N] [--iterations N] [--save FILE]
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options.h"
#include "fuzz_common.h"

#define WORDS_MAX 24
#define WORD_SIZE 96

static const char *const words[] = {
	"--cpu",
	"max",
	"--memory",
	"1G",
	"--smp",
	"4",
	"--boot-el",
	"2",
	"--secure",
	"--ram-base",
	"0x40000000",
	"--initrd",
	"file",
	"--append",
	"a b",
	"--dtb",
	"--dump-dtb",
	"--load",
	"f@0x1000",
	"--entry",
	"0x1000",
	"--symbols",
	"--semihosting",
	"--semihosting-dir",
	"dir",
	"--max-insns",
	"1M",
	"--max-time",
	"1ms",
	"--tlb",
	"keep",
	"--trace",
	"exc",
	"--trace-out",
	"--trace-format",
	"jsonl",
	"--trace-filter",
	"pe=0,cause=HVC",
	"--stats",
	"--seed",
	"7",
	"--rtc",
	"host",
	"--no-reboot",
	"--verbose",
	"--help",
	"--",
	"-",
	"-h",
	"image@0x40000000",
	"image",
	"",
	"@",
	"=",
	"--memory=18446744073709551615K",
	"--smp=0x7fffffffffffffff",
	"--load=@@@1",
	"--s",
	"--trace",
	"--trace-",
	"--m",
};

#define WORD_COUNT (sizeof(words) / sizeof(words[0]))

int main(int argc, char **argv)
{
	static struct run_options options;
	struct fuzz fuzz;

	(void)fuzz_init(&fuzz, argc, argv);
	while (fuzz_next(&fuzz)) {
		static char text[WORDS_MAX][WORD_SIZE + 1];
		char *list[WORDS_MAX + 2];
		char error[200] = "";
		int n = 1 + (int)(fuzz_random(&fuzz) % WORDS_MAX);

		list[0] = (char *)(uintptr_t) "run";
		for (int i = 0; i < n; i++) {
			const char *word = words[fuzz_random(&fuzz) % WORD_COUNT];
			size_t size = strlen(word);

			memcpy(text[i], word, size);
			if (fuzz_random(&fuzz) % 4 == 0) {
				size = fuzz_mutate(&fuzz, (uint8_t *)text[i], size, WORD_SIZE);
			}
			text[i][size] = '\0';
			list[1 + i] = text[i];
		}
		list[1 + n] = NULL;
		fuzz_save(&fuzz, text, sizeof(text));
		if (run_options_parse(&options, n + 1, list, error, sizeof(error)) != 0 &&
		    error[0] == '\0') {
			fprintf(stderr, "an error without a message\n");
			abort();
		}
		if (strchr(error, '\n') != NULL) {
			fprintf(stderr, "a message of two lines: %s\n", error);
			abort();
		}
		run_options_done(&options);
	}
	fuzz_done(&fuzz);
	return 0;
}
