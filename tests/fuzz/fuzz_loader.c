// SPDX-License-Identifier: Apache-2.0
// Fuzzes the loaders: mutates small valid images and loads them. Built with sanitizers it finds
// what they find; without them, crashes, hangs and failed checks. The last input is kept in a file
// named on the command line when one dies.
//
//	fuzz_loader [--seed N] [--seconds N] [--iterations N] [--save FILE] [FILE]...
//
// With FILEs, these are loaded once each, to reproduce.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/bits.h"
#include "board/dtb.h"
#include "board/loader.h"
#include "board/symbols.h"
#include "fuzz_common.h"
#include "samples.h"

#define RAM_SIZE (UINT64_C(8) << 20)
#define SEEDS 10

struct sample {
	uint8_t data[SAMPLE_MAX];
	size_t size;
};

static void make_samples(struct sample *samples)
{
	static uint8_t inner[SAMPLE_MAX];
	size_t n;
	void *dtb;
	size_t size;
	const struct dtb_config config = {.ram_base = SAMPLE_RAM,
					  .ram_size = RAM_SIZE,
					  .pe_count = 2,
					  .cpu_compatible = "arm,armv8",
					  .append = "x"};

	samples[0].size = sample_elf(samples[0].data);
	samples[1].size = sample_image(samples[1].data);
	samples[2].size = sample_gzip(samples[2].data, samples[1].data, samples[1].size);
	samples[3].size = sample_zstd(samples[3].data, samples[1].data, samples[1].size);
	n = sample_gzip(inner, samples[1].data, samples[1].size);
	samples[4].size = sample_zboot(samples[4].data, "gzip", inner, n);
	n = sample_zstd(inner, samples[1].data, samples[1].size);
	samples[5].size = sample_zboot(samples[5].data, "zstd22", inner, n);
	samples[6].size = sample_gzip(samples[6].data, samples[0].data, samples[0].size);
	memcpy(samples[7].data, "ffff800008000000 T _text\nffff800008010000 t primary_entry\n", 57);
	samples[7].size = 57;
	if (dtb_build(&config, &dtb, &size) != 0 || size > SAMPLE_MAX) {
		abort();
	}
	memcpy(samples[8].data, dtb, size);
	samples[8].size = size;
	free(dtb);
	// A bomb: 16 MiB of zeros in a few kilobytes.
	{
		uint8_t *zeros = calloc(1, 16u << 20);

		samples[9].size =
			zeros != NULL ? sample_gzip(samples[9].data, zeros, 16u << 20) : 0;
		free(zeros);
	}
}

static void try_symbols(struct loader *loader, uint8_t *data, size_t size)
{
	uint64_t offset, start, end;

	if (elf_recognise(data, size)) {
		(void)elf_symbols(loader, "fuzz", data, size);
	} else {
		(void)symbols_add_map(loader->symbols, (const char *)data, size);
	}
	symbols_alias(loader->symbols, SAMPLE_RAM, 0x1000, UINT64_C(0xffff800008000000));
	(void)symbols_find(loader->symbols, 2, UINT64_C(0xffff800008010004), &offset);
	(void)symbols_find(loader->symbols, 1, SAMPLE_RAM + 4, &offset);
	(void)symbols_range(loader->symbols, "_text", &start, &end);
}

static void try_dtb(const uint8_t *data, size_t size)
{
	const struct dtb_config config = {.ram_base = SAMPLE_RAM,
					  .ram_size = RAM_SIZE,
					  .append = "console=ttyAMA0",
					  .initrd_start = SAMPLE_RAM,
					  .initrd_end = SAMPLE_RAM + 4096};
	char error[128];
	void *dtb;
	size_t dtb_size;

	if (dtb_adopt(&config, data, size, &dtb, &dtb_size, error, sizeof(error)) == 0) {
		free(dtb);
	}
}

// data is a copy of its own: the loaders may change it, and sanitizers see its exact end.
static void try_input(struct bus *bus, const uint8_t *input, size_t size)
{
	struct loader loader;
	struct image_info info;
	char error[256];
	uint8_t *data = malloc(size != 0 ? size : 1);

	if (data == NULL) {
		abort();
	}
	memcpy(data, input, size);
	loader_init(&loader, bus, SAMPLE_RAM, RAM_SIZE, false, error, sizeof(error));
	loader.symbols = symbols_create();
	if (image_load(&loader, "fuzz", data, size, false, 0, &info) != 0 && error[0] == '\0') {
		fprintf(stderr, "an error without a message\n");
		abort();
	}
	if (strchr(error, '\n') != NULL) {
		fprintf(stderr, "a message of two lines: %s\n", error);
		abort();
	}
	memcpy(data, input, size);
	try_symbols(&loader, data, size);
	try_dtb(input, size);
	symbols_destroy(loader.symbols);
	loader_done(&loader);
	free(data);
}

static int try_files(struct bus *bus, int argc, char **argv)
{
	static uint8_t data[SAMPLE_MAX];

	for (int i = 0; i < argc; i++) {
		FILE *f = fopen(argv[i], "rb");

		if (f == NULL) {
			perror(argv[i]);
			return 2;
		}
		try_input(bus, data, fread(data, 1, sizeof(data), f));
		fclose(f);
	}
	return 0;
}

int main(int argc, char **argv)
{
	static struct sample samples[SEEDS];
	static uint8_t data[SAMPLE_MAX];
	struct fuzz fuzz;
	struct bus *bus = bus_create();
	int first = fuzz_init(&fuzz, argc, argv);

	if (bus == NULL || bus_map_ram(bus, SAMPLE_RAM, RAM_SIZE,
				       BIT(PAS_NONSECURE) | BIT(PAS_SECURE), false) != 0) {
		return 2;
	}
	if (first < argc) {
		int status = try_files(bus, argc - first, argv + first);

		bus_destroy(bus);
		return status;
	}
	make_samples(samples);
	while (fuzz_next(&fuzz)) {
		const struct sample *sample = &samples[fuzz_random(&fuzz) % SEEDS];
		size_t size = sample->size;

		memcpy(data, sample->data, size);
		size = fuzz_mutate(&fuzz, data, size, SAMPLE_MAX);
		fuzz_save(&fuzz, data, size);
		try_input(bus, data, size);
	}
	fuzz_done(&fuzz);
	bus_destroy(bus);
	return 0;
}
