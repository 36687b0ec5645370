// SPDX-License-Identifier: Apache-2.0
// Small valid images made in memory, for the tests and the fuzzer of the loaders. Every maker
// returns the number of bytes written to `out`, which has SAMPLE_MAX of them.
#ifndef STRATA_TESTS_SAMPLES_H
#define STRATA_TESTS_SAMPLES_H

#include <elf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define SAMPLE_MAX 65536
#define SAMPLE_RAM UINT64_C(0x40000000)

// An ELF64 with a code segment (0x100 bytes at RAM + 0x80000, linked at 0xffff000000080000), a data
// segment with BSS (0x40 of 0x200 bytes at RAM + 0x90000) and the symbols `start` (function) and
// `table` (object).
static inline size_t sample_elf(uint8_t *out)
{
	static const char strings[] = "\0start\0table\0$x";
	static const char section_names[] = "\0.symtab\0.strtab\0.shstrtab";
	Elf64_Ehdr ehdr = {
		.e_type = ET_EXEC,
		.e_machine = EM_AARCH64,
		.e_version = EV_CURRENT,
		.e_entry = UINT64_C(0xffff000000080010),
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 2,
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = 4,
		.e_shstrndx = 3,
		.e_shoff = 0x600,
	};
	Elf64_Phdr code = {
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_X,
		.p_offset = 0x200,
		.p_vaddr = UINT64_C(0xffff000000080000),
		.p_paddr = SAMPLE_RAM + 0x80000,
		.p_filesz = 0x100,
		.p_memsz = 0x100,
		.p_align = 8,
	};
	Elf64_Phdr data = {
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_W,
		.p_offset = 0x300,
		.p_vaddr = UINT64_C(0xffff000000090000),
		.p_paddr = SAMPLE_RAM + 0x90000,
		.p_filesz = 0x40,
		.p_memsz = 0x200,
		.p_align = 8,
	};
	Elf64_Sym symbols[4] = {
		{0},
		{.st_name = 1,
		 .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
		 .st_shndx = 1,
		 .st_value = UINT64_C(0xffff000000080010),
		 .st_size = 0x20},
		{.st_name = 7,
		 .st_info = ELF64_ST_INFO(STB_LOCAL, STT_OBJECT),
		 .st_shndx = 1,
		 .st_value = UINT64_C(0xffff000000090000),
		 .st_size = 0x40},
		{.st_name = 13, .st_shndx = 1, .st_value = UINT64_C(0xffff000000080010)},
	};
	Elf64_Shdr sections[4] = {
		{0},
		{.sh_name = 1,
		 .sh_type = SHT_SYMTAB,
		 .sh_offset = 0x400,
		 .sh_size = sizeof(symbols),
		 .sh_link = 2,
		 .sh_entsize = sizeof(Elf64_Sym),
		 .sh_info = 1,
		 .sh_addralign = 8},
		{.sh_name = 9,
		 .sh_type = SHT_STRTAB,
		 .sh_offset = 0x500,
		 .sh_size = sizeof(strings),
		 .sh_addralign = 1},
		{.sh_name = 17,
		 .sh_type = SHT_STRTAB,
		 .sh_offset = 0x540,
		 .sh_size = sizeof(section_names),
		 .sh_addralign = 1},
	};

	memset(out, 0, 0x700);
	memcpy(ehdr.e_ident, ELFMAG, SELFMAG);
	ehdr.e_ident[EI_CLASS] = ELFCLASS64;
	ehdr.e_ident[EI_DATA] = ELFDATA2LSB;
	ehdr.e_ident[EI_VERSION] = EV_CURRENT;
	memcpy(out, &ehdr, sizeof(ehdr));
	memcpy(out + sizeof(ehdr), &code, sizeof(code));
	memcpy(out + sizeof(ehdr) + sizeof(code), &data, sizeof(data));
	memset(out + 0x200, 0xc0, 0x100);
	memset(out + 0x300, 0xda, 0x40);
	memcpy(out + 0x400, symbols, sizeof(symbols));
	memcpy(out + 0x500, strings, sizeof(strings));
	memcpy(out + 0x540, section_names, sizeof(section_names));
	memcpy(out + 0x600, sections, sizeof(sections));
	return 0x700;
}

static inline void sample_put64(uint8_t *p, uint64_t v)
{
	for (unsigned i = 0; i < 8; i++) {
		p[i] = (uint8_t)(v >> (8 * i));
	}
}

// An arm64 Image of 0x1000 bytes in the file and 0x3000 in memory, text offset 0.
static inline size_t sample_image(uint8_t *out)
{
	memset(out, 0x5a, 0x1000);
	memset(out, 0, 64);
	sample_put64(out + 8, 0);
	sample_put64(out + 16, 0x3000);
	sample_put64(out + 24, 0xa);
	memcpy(out + 56, "ARM\x64", 4);
	return 0x1000;
}

static inline size_t sample_gzip(uint8_t *out, const uint8_t *data, size_t size)
{
	z_stream stream;
	size_t n;

	memset(&stream, 0, sizeof(stream));
	if (deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
		abort();
	}
	stream.next_in = (Bytef *)(uintptr_t)data;
	stream.avail_in = (uInt)size;
	stream.next_out = out;
	stream.avail_out = SAMPLE_MAX;
	if (deflate(&stream, Z_FINISH) != Z_STREAM_END) {
		abort();
	}
	n = SAMPLE_MAX - stream.avail_out;
	deflateEnd(&stream);
	return n;
}

static inline size_t sample_zstd(uint8_t *out, const uint8_t *data, size_t size)
{
	size_t n = ZSTD_compress(out, SAMPLE_MAX, data, size, 3);

	if (ZSTD_isError(n)) {
		abort();
	}
	return n;
}

// An EFI zboot image around a payload that is compressed as `method` says.
static inline size_t sample_zboot(uint8_t *out, const char *method, const uint8_t *payload,
				  size_t size)
{
	memset(out, 0, 128);
	memcpy(out, "MZ\0\0zimg", 8);
	sample_put64(out + 8, 128 | (uint64_t)size << 32);
	memcpy(out + 24, method, strlen(method));
	memcpy(out + 56, "\xcd\x23\x82\x81", 4);
	memcpy(out + 128, payload, size);
	return 128 + size;
}

#endif
