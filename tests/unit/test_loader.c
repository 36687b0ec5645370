// SPDX-License-Identifier: Apache-2.0
// The loaders: every kind of image arrives whole at its place, and everything wrong is one line and
// an error.
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../fuzz/samples.h"
#include "base/bits.h"
#include "board/loader.h"
#include "board/symbols.h"

#define RAM_SIZE (UINT64_C(16) << 20)
#define SECURE_RAM UINT64_C(0x0e000000)

static struct bus *bus;
static struct loader loader;
static struct image_info info;
static char error[256];
static uint8_t image[SAMPLE_MAX], packed[SAMPLE_MAX], wrapped[SAMPLE_MAX];

static void setup(void)
{
	bus = bus_create();
	ck_assert_ptr_nonnull(bus);
	ck_assert_int_eq(bus_map_ram(bus, SAMPLE_RAM, RAM_SIZE,
				     BIT(PAS_NONSECURE) | BIT(PAS_SECURE), false),
			 0);
	ck_assert_int_eq(bus_map_ram(bus, SECURE_RAM, 0x10000, BIT(PAS_SECURE), false), 0);
	loader_init(&loader, bus, SAMPLE_RAM, RAM_SIZE, false, error, sizeof(error));
	loader.symbols = symbols_create();
	memset(&info, 0, sizeof(info));
}

static void teardown(void)
{
	symbols_destroy(loader.symbols);
	loader_done(&loader);
	bus_destroy(bus);
}

static uint8_t byte_at(uint64_t address)
{
	uint8_t value;

	ck_assert_int_eq(bus_ram_read(bus, PAS_SECURE, address, &value, 1), 0);
	return value;
}

static void fill_ram(uint64_t address, size_t size)
{
	static uint8_t junk[0x4000];

	memset(junk, 0x77, sizeof(junk));
	ck_assert_int_eq(bus_ram_write(bus, PAS_SECURE, address, junk, size), 0);
}

// The loader must refuse, with one line that holds these words.
static void refuses(uint8_t *data, size_t size, const char *words)
{
	error[0] = '\0';
	ck_assert_int_lt(image_load(&loader, "file", data, size, false, 0, &info), 0);
	ck_assert_msg(strstr(error, words) != NULL, "the message is: %s", error);
	ck_assert_ptr_eq(strchr(error, '\n'), NULL);
}

static Elf64_Ehdr *ehdr_of(uint8_t *data)
{
	return (Elf64_Ehdr *)(void *)data;
}

static Elf64_Phdr *phdr_of(uint8_t *data, unsigned n)
{
	return (Elf64_Phdr *)(void *)(data + sizeof(Elf64_Ehdr) + n * sizeof(Elf64_Phdr));
}

START_TEST(elf_segments_go_to_their_physical_addresses)
{
	size_t size = sample_elf(image);

	fill_ram(SAMPLE_RAM + 0x90000, 0x300);
	ck_assert_int_eq(image_load(&loader, "a.elf", image, size, false, 0, &info), 0);
	ck_assert_uint_eq(info.entry, SAMPLE_RAM + 0x80010);
	ck_assert(!info.is_linux);
	ck_assert_uint_eq(byte_at(SAMPLE_RAM + 0x80000), 0xc0);
	ck_assert_uint_eq(byte_at(SAMPLE_RAM + 0x800ff), 0xc0);
	ck_assert_uint_eq(byte_at(SAMPLE_RAM + 0x9003f), 0xda);
	// BSS is zeroed, and nothing behind it is touched.
	ck_assert_uint_eq(byte_at(SAMPLE_RAM + 0x90040), 0);
	ck_assert_uint_eq(byte_at(SAMPLE_RAM + 0x901ff), 0);
	ck_assert_uint_eq(byte_at(SAMPLE_RAM + 0x90200), 0x77);
}
END_TEST

START_TEST(elf_symbols_are_kept)
{
	size_t size = sample_elf(image);
	uint64_t offset, start, end;

	ck_assert_int_eq(image_load(&loader, "a.elf", image, size, false, 0, &info), 0);
	ck_assert_uint_eq(symbols_count(loader.symbols), 2); // not the mapping symbol
	ck_assert_str_eq(symbols_find(loader.symbols, 1, UINT64_C(0xffff000000080014), &offset),
			 "start");
	ck_assert_uint_eq(offset, 4);
	ck_assert_ptr_null(symbols_find(loader.symbols, 1, UINT64_C(0xffff000000080030), &offset));
	ck_assert(symbols_range(loader.symbols, "table", &start, &end));
	ck_assert_uint_eq(start, UINT64_C(0xffff000000090000));
	ck_assert_uint_eq(end, UINT64_C(0xffff000000090040));
}
END_TEST

START_TEST(elf_may_lie_in_secure_ram)
{
	size_t size = sample_elf(image);

	phdr_of(image, 0)->p_paddr = SECURE_RAM;
	ck_assert_int_eq(image_load(&loader, "a.elf", image, size, false, 0, &info), 0);
	ck_assert_uint_eq(info.entry, SECURE_RAM + 0x10);
	ck_assert_uint_eq(byte_at(SECURE_RAM + 0xff), 0xc0);
}
END_TEST

START_TEST(elf_for_others_is_refused)
{
	size_t size = sample_elf(image);

	ehdr_of(image)->e_machine = EM_X86_64;
	refuses(image, size, "another machine");
	(void)sample_elf(image);
	ehdr_of(image)->e_ident[EI_CLASS] = ELFCLASS32;
	refuses(image, size, "64-bit");
	(void)sample_elf(image);
	ehdr_of(image)->e_ident[EI_DATA] = ELFDATA2MSB;
	refuses(image, size, "little-endian");
	(void)sample_elf(image);
	ehdr_of(image)->e_type = ET_REL;
	refuses(image, size, "not an executable");
	(void)sample_elf(image);
	phdr_of(image, 0)->p_type = PT_NOTE;
	phdr_of(image, 1)->p_type = PT_NOTE;
	refuses(image, size, "nothing to load");
}
END_TEST

START_TEST(elf_cut_off_anywhere_never_loads_wrongly)
{
	size_t size = sample_elf(image);

	// Below the end of the last segment's bytes every cut is an error.
	for (size_t cut = 4; cut < 0x340; cut++) {
		uint8_t *copy = malloc(cut);

		memcpy(copy, image, cut);
		loader.range_count = 0;
		refuses(copy, cut, "file:");
		free(copy);
	}
	loader.range_count = 0;
	ck_assert_uint_gt(size, 0x340);
}
END_TEST

START_TEST(elf_segments_outside_ram_are_refused)
{
	static const uint64_t addresses[] = {
		0,
		SAMPLE_RAM - 0x80,
		SAMPLE_RAM + RAM_SIZE - 0xff,
		SAMPLE_RAM + RAM_SIZE,
		UINT64_C(0xffffffffffffff80),
	};

	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		size_t size = sample_elf(image);

		phdr_of(image, 0)->p_paddr = addresses[i];
		refuses(image, size, "not in RAM");
	}
}
END_TEST

START_TEST(elf_sizes_that_overflow_are_refused)
{
	size_t size = sample_elf(image);

	phdr_of(image, 0)->p_memsz = UINT64_MAX;
	refuses(image, size, "not in RAM");
	(void)sample_elf(image);
	phdr_of(image, 0)->p_offset = UINT64_MAX - 0x10;
	refuses(image, size, "truncated");
	(void)sample_elf(image);
	phdr_of(image, 0)->p_filesz = 0x101;
	refuses(image, size, "more file than memory");
	(void)sample_elf(image);
	ehdr_of(image)->e_phoff = UINT64_MAX - 8;
	refuses(image, size, "file:");
}
END_TEST

START_TEST(elf_segments_that_overlap_are_refused)
{
	size_t size = sample_elf(image);

	phdr_of(image, 1)->p_paddr = SAMPLE_RAM + 0x800ff;
	refuses(image, size, "overlap");
	// The very next byte is free.
	loader.range_count = 0;
	phdr_of(image, 1)->p_paddr = SAMPLE_RAM + 0x80100;
	ck_assert_int_eq(image_load(&loader, "a.elf", image, size, false, 0, &info), 0);
}
END_TEST

START_TEST(linux_image_lies_two_megabytes_up_with_its_bss)
{
	size_t size = sample_image(image);
	uint64_t base = SAMPLE_RAM + (UINT64_C(2) << 20);

	fill_ram(base, 0x3001);
	ck_assert_int_eq(image_load(&loader, "Image", image, size, false, 0, &info), 0);
	ck_assert(info.is_linux);
	ck_assert_uint_eq(info.base, base);
	ck_assert_uint_eq(info.entry, base);
	ck_assert_uint_eq(info.size, 0x3000);
	ck_assert_uint_eq(byte_at(base + 0xfff), 0x5a);
	ck_assert_uint_eq(byte_at(base + 0x1000), 0);
	ck_assert_uint_eq(byte_at(base + 0x2fff), 0);
	ck_assert_uint_eq(byte_at(base + 0x3000), 0x77);
}
END_TEST

START_TEST(linux_text_offset_counts)
{
	size_t size = sample_image(image);

	sample_put64(image + 8, 0x80000);
	ck_assert_int_eq(image_load(&loader, "Image", image, size, false, 0, &info), 0);
	ck_assert_uint_eq(info.entry, SAMPLE_RAM + (UINT64_C(2) << 20) + 0x80000);
	// A header without a size means the old offset, whatever the field says.
	loader.range_count = 0;
	sample_put64(image + 8, 0);
	sample_put64(image + 16, 0);
	ck_assert_int_eq(image_load(&loader, "Image", image, size, false, 0, &info), 0);
	ck_assert_uint_eq(info.entry, SAMPLE_RAM + (UINT64_C(2) << 20) + 0x80000);
	ck_assert_uint_eq(info.size, size);
}
END_TEST

START_TEST(linux_images_that_do_not_fit_are_refused)
{
	size_t size = sample_image(image);

	sample_put64(image + 16, RAM_SIZE + 1);
	refuses(image, size, "needs");
	sample_put64(image + 16, UINT64_MAX);
	refuses(image, size, "needs");
	sample_put64(image + 16, RAM_SIZE);
	sample_put64(image + 8, 0x1000);
	refuses(image, size, "no room");
	(void)sample_image(image);
	sample_put64(image + 8, UINT64_MAX - 0xfff);
	refuses(image, size, "text offset");
	(void)sample_image(image);
	sample_put64(image + 24, 1);
	refuses(image, size, "big-endian");
}
END_TEST

START_TEST(compressed_images_are_unpacked)
{
	size_t size = sample_image(image);
	size_t gzip_size = sample_gzip(packed, image, size);
	size_t n;

	ck_assert_int_eq(image_load(&loader, "Image.gz", packed, gzip_size, false, 0, &info), 0);
	ck_assert_uint_eq(byte_at(info.base + 0xfff), 0x5a);
	n = sample_zboot(wrapped, "gzip", packed, gzip_size);
	loader.range_count = 0;
	fill_ram(info.base, 0x1000);
	ck_assert_int_eq(image_load(&loader, "vmlinuz.efi", wrapped, n, false, 0, &info), 0);
	ck_assert_uint_eq(byte_at(info.base + 0xfff), 0x5a);
	n = sample_zstd(packed, image, size);
	loader.range_count = 0;
	fill_ram(info.base, 0x1000);
	ck_assert_int_eq(image_load(&loader, "Image.zst", packed, n, false, 0, &info), 0);
	ck_assert_uint_eq(byte_at(info.base + 0xfff), 0x5a);
	n = sample_zboot(wrapped, "zstd22", packed, n);
	loader.range_count = 0;
	fill_ram(info.base, 0x1000);
	ck_assert_int_eq(image_load(&loader, "vmlinuz.efi", wrapped, n, false, 0, &info), 0);
	ck_assert(info.is_linux);
	ck_assert_uint_eq(byte_at(info.base + 0xfff), 0x5a);
	n = sample_elf(image);
	n = sample_gzip(packed, image, n);
	loader.range_count = 0;
	ck_assert_int_eq(image_load(&loader, "a.elf.gz", packed, n, false, 0, &info), 0);
	ck_assert_uint_eq(info.entry, SAMPLE_RAM + 0x80010);
}
END_TEST

START_TEST(damaged_compression_is_refused)
{
	size_t size = sample_image(image);
	size_t n = sample_gzip(packed, image, size);

	refuses(packed, n - 1, "truncated");
	refuses(packed, 12, "truncated");
	packed[n - 8] ^= 1; // the checksum
	refuses(packed, n, "damaged");
	n = sample_zstd(packed, image, size);
	refuses(packed, n - 1, "truncated");
	n = sample_zboot(wrapped, "xz", packed, n);
	refuses(wrapped, n, "unknown compression 'xz'");
	n = sample_zstd(packed, image, size);
	n = sample_zboot(wrapped, "zstd", packed, n);
	refuses(wrapped, n - 1, "truncated");
}
END_TEST

START_TEST(bombs_are_bounded_by_ram)
{
	size_t big = (size_t)RAM_SIZE + 1;
	uint8_t *zeros = calloc(1, big);
	size_t n;

	ck_assert_ptr_nonnull(zeros);
	n = sample_gzip(packed, zeros, big);
	refuses(packed, n, "bigger than the machine's RAM");
	n = sample_zstd(packed, zeros, big);
	refuses(packed, n, "bigger than the machine's RAM");
	free(zeros);
}
END_TEST

START_TEST(compression_within_compression_ends)
{
	uint8_t *a = malloc(SAMPLE_MAX);
	uint8_t *b = malloc(SAMPLE_MAX);
	size_t n = sample_image(a);

	for (unsigned i = 0; i < 6; i++) {
		uint8_t *t = a;

		n = sample_gzip(b, a, n);
		a = b;
		b = t;
	}
	refuses(a, n, "too many times");
	free(a);
	free(b);
}
END_TEST

START_TEST(unknown_files_need_an_address)
{
	static uint8_t text[] = "#!/bin/sh\n";

	refuses(text, sizeof(text), "FILE@ADDRESS");
	ck_assert_int_eq(image_load(&loader, "flat", text, sizeof(text), true, SAMPLE_RAM + 0x1001,
				    &info),
			 0);
	ck_assert_uint_eq(info.entry, SAMPLE_RAM + 0x1001);
	ck_assert_uint_eq(byte_at(SAMPLE_RAM + 0x1001), '#');
	ck_assert_int_lt(image_load(&loader, "flat", text, sizeof(text), true, SAMPLE_RAM - 1,
				    &info),
			 0);
	ck_assert_ptr_nonnull(strstr(error, "not in RAM"));
}
END_TEST

START_TEST(placing_finds_the_lowest_gap)
{
	uint64_t address;

	ck_assert_int_eq(loader_claim(&loader, SAMPLE_RAM, 0x1001, "a"), 0);
	ck_assert_int_eq(loader_claim(&loader, SAMPLE_RAM + 0x4000, 0x1000, "b"), 0);
	ck_assert(loader_place(&loader, 0x2000, 0x1000, SAMPLE_RAM, &address));
	ck_assert_uint_eq(address, SAMPLE_RAM + 0x2000);
	ck_assert(loader_place(&loader, 0x2001, 0x1000, SAMPLE_RAM, &address));
	ck_assert_uint_eq(address, SAMPLE_RAM + 0x5000);
	// From above the end of RAM it falls back to the whole of it.
	ck_assert(loader_place(&loader, 0x100, 0x100, SAMPLE_RAM + RAM_SIZE, &address));
	ck_assert_uint_eq(address, SAMPLE_RAM + 0x1100);
	ck_assert(!loader_place(&loader, RAM_SIZE, 0x1000, SAMPLE_RAM, &address));
	ck_assert(!loader_place(&loader, UINT64_MAX, 0x1000, SAMPLE_RAM, &address));
	ck_assert(loader_place(&loader, RAM_SIZE - 0x5000, 0x1000, SAMPLE_RAM, &address));
}
END_TEST

START_TEST(system_map_gives_names)
{
	static const char map[] = "0000000000000000 A _absolute\n"
				  "ffff800008000000 t .head.text\n"
				  "ffff800008000000 T _text\n"
				  "ffff800008010000 t __pi_memcpy\n"
				  "ffff800008010000 T memcpy\n"
				  "ffff800008010000 t $x\n"
				  "ffff800008020000 T last\t[module]\n";
	uint64_t offset, start, end;

	ck_assert_int_eq(symbols_add_map(loader.symbols, map, sizeof(map) - 1), 5);
	ck_assert_str_eq(symbols_find(loader.symbols, 1, UINT64_C(0xffff800008010008), &offset),
			 "memcpy");
	ck_assert_uint_eq(offset, 8);
	ck_assert_str_eq(symbols_find(loader.symbols, 1, UINT64_C(0xffff800008020000), &offset),
			 "last");
	ck_assert_ptr_null(symbols_find(loader.symbols, 1, 0x1000, &offset));
	ck_assert(symbols_range(loader.symbols, "memcpy", &start, &end));
	ck_assert_uint_eq(end, UINT64_C(0xffff800008020000));
	ck_assert(!symbols_range(loader.symbols, "nothing", &start, &end));
	// Before the MMU is on, and in a hypervisor's own mapping, the kernel runs at other
	// addresses.
	symbols_alias(loader.symbols, SAMPLE_RAM + 0x200000, 0x100000,
		      UINT64_C(0xffff800008000000));
	ck_assert_str_eq(symbols_find(loader.symbols, 1, SAMPLE_RAM + 0x210004, &offset), "memcpy");
	ck_assert_str_eq(symbols_find(loader.symbols, 2, UINT64_C(0x0000ffff80210004), &offset),
			 "memcpy");
	ck_assert_ptr_null(symbols_find(loader.symbols, 0, UINT64_C(0x0000ffff80210004), &offset));
}
END_TEST

START_TEST(what_is_no_system_map_is_refused)
{
	ck_assert_int_eq(symbols_add_map(loader.symbols, "hello world\n", 12), -EINVAL);
	ck_assert_int_eq(symbols_add_map(loader.symbols, "12 T\n", 5), -EINVAL);
	ck_assert_int_eq(symbols_add_map(loader.symbols, "", 0), 0);
}
END_TEST

START_TEST(files_that_are_not_there_are_named)
{
	struct loader_file file;

	ck_assert_int_eq(loader_map(&loader, "/nonexistent/kernel", &file), -ENOENT);
	ck_assert_ptr_nonnull(strstr(error, "/nonexistent/kernel"));
	ck_assert_int_eq(loader_map(&loader, "/", &file), -EISDIR);
	ck_assert_int_eq(loader_map(&loader, "/dev/null", &file), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error, "empty"));
	// An endless file ends at the size of RAM.
	ck_assert_int_eq(loader_map(&loader, "/dev/zero", &file), -EFBIG);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("loader");
	TCase *tcase = tcase_create("loader");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, elf_segments_go_to_their_physical_addresses);
	tcase_add_test(tcase, elf_symbols_are_kept);
	tcase_add_test(tcase, elf_may_lie_in_secure_ram);
	tcase_add_test(tcase, elf_for_others_is_refused);
	tcase_add_test(tcase, elf_cut_off_anywhere_never_loads_wrongly);
	tcase_add_test(tcase, elf_segments_outside_ram_are_refused);
	tcase_add_test(tcase, elf_sizes_that_overflow_are_refused);
	tcase_add_test(tcase, elf_segments_that_overlap_are_refused);
	tcase_add_test(tcase, linux_image_lies_two_megabytes_up_with_its_bss);
	tcase_add_test(tcase, linux_text_offset_counts);
	tcase_add_test(tcase, linux_images_that_do_not_fit_are_refused);
	tcase_add_test(tcase, compressed_images_are_unpacked);
	tcase_add_test(tcase, damaged_compression_is_refused);
	tcase_add_test(tcase, bombs_are_bounded_by_ram);
	tcase_add_test(tcase, compression_within_compression_ends);
	tcase_add_test(tcase, unknown_files_need_an_address);
	tcase_add_test(tcase, placing_finds_the_lowest_gap);
	tcase_add_test(tcase, system_map_gives_names);
	tcase_add_test(tcase, what_is_no_system_map_is_refused);
	tcase_add_test(tcase, files_that_are_not_there_are_named);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
