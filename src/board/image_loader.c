// SPDX-License-Identifier: Apache-2.0
// Images other than ELF: arm64 Linux `Image` (Linux, Documentation/arch/arm64/booting.rst),
// compressed ones, the EFI zboot wrapping of both, and flat binaries.
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "board/loader.h"

#define WRAPPINGS_MAX 3 // zboot around gzip around an image is as deep as it gets

#define IMAGE_HEADER_SIZE 64
#define IMAGE_ALIGN (UINT64_C(2) << 20)
#define IMAGE_FLAG_BIG_ENDIAN 1
#define IMAGE_OLD_TEXT_OFFSET UINT64_C(0x80000) // of kernels whose header has no size (before 3.17)

#define ZBOOT_HEADER_SIZE 64

static uint64_t get64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static bool linux_recognise(const uint8_t *data, size_t size)
{
	return size >= IMAGE_HEADER_SIZE && memcmp(data + 56, "ARM\x64", 4) == 0;
}

// The header: two instructions, text_offset, image_size, flags, ..., magic at 56.
static int linux_load(struct loader *loader, const char *name, const uint8_t *data, size_t size,
		      struct image_info *info)
{
	uint64_t text_offset = get64(data + 8);
	uint64_t image_size = get64(data + 16);
	uint64_t flags = get64(data + 24);
	uint64_t base;
	int err;

	if (flags & IMAGE_FLAG_BIG_ENDIAN) {
		return loader_fail(loader, EINVAL, "%s: is a big-endian kernel", name);
	}
	if (image_size == 0) {
		text_offset = IMAGE_OLD_TEXT_OFFSET;
		image_size = size;
	}
	if (text_offset >= IMAGE_ALIGN) {
		return loader_fail(loader, EINVAL,
				   "%s: text offset 0x%llx of the kernel is not below 2 MiB", name,
				   (unsigned long long)text_offset);
	}
	// A file longer than its image size still has to be there wholly.
	image_size = image_size > size ? image_size : size;
	if (image_size > loader->ram_size) {
		return loader_fail(loader, EINVAL,
				   "%s: the kernel needs 0x%llx bytes, RAM is 0x%llx bytes", name,
				   (unsigned long long)image_size,
				   (unsigned long long)loader->ram_size);
	}
	// The first 2 MiB stay free, as other boards have it (for a device tree, a boot stub, a
	// spin table).
	base = align_up(loader->ram_base, IMAGE_ALIGN) + IMAGE_ALIGN;
	if (!loader_place(loader, text_offset + image_size, IMAGE_ALIGN, base, &base)) {
		return loader_fail(loader, EINVAL,
				   "%s: no room in RAM for the kernel's 0x%llx bytes", name,
				   (unsigned long long)image_size);
	}
	base += text_offset;
	err = loader_claim(loader, base, image_size, name);
	if (err != 0) {
		return err;
	}
	loader_write(loader, base, data, size);
	loader_zero(loader, base + size, image_size - size);
	*info = (struct image_info){.entry = base,
				    .base = base,
				    .size = image_size,
				    .is_linux = true};
	return 0;
}

static bool zboot_recognise(const uint8_t *data, size_t size)
{
	return size >= ZBOOT_HEADER_SIZE && data[0] == 'M' && data[1] == 'Z' &&
	       memcmp(data + 4, "zimg", 4) == 0;
}

// Linux, include/linux/efi zboot header: payload offset at 8, size at 12, name of the compression
// at 24.
static int zboot_payload(struct loader *loader, const char *name, const uint8_t *data, size_t size,
			 size_t *offset, size_t *length, enum compression *kind)
{
	char method[17] = "";

	memcpy(method, data + 24, sizeof(method) - 1);
	*offset = get32(data + 8);
	*length = get32(data + 12);
	if (*offset > size || *length > size - *offset) {
		return loader_fail(loader, EINVAL, "%s: truncated zboot kernel", name);
	}
	if (strcmp(method, "gzip") == 0) {
		*kind = COMPRESSION_GZIP;
	} else if (strncmp(method, "zstd", 4) == 0) {
		*kind = COMPRESSION_ZSTD;
	} else {
		for (char *c = method; *c != '\0'; c++) {
			*c = *c > ' ' && *c < 0x7f ? *c : '?';
		}
		return loader_fail(loader, EINVAL, "%s: zboot kernel with unknown compression '%s'",
				   name, method);
	}
	return 0;
}

static int flat_load(struct loader *loader, const char *name, const uint8_t *data, size_t size,
		     uint64_t address, struct image_info *info)
{
	int err = loader_claim(loader, address, size, name);

	if (err == 0) {
		loader_write(loader, address, data, size);
		*info = (struct image_info){.entry = address, .base = address, .size = size};
	}
	return err;
}

static int image_load_depth(struct loader *loader, const char *name, uint8_t *data, size_t size,
			    unsigned depth, struct image_info *info)
{
	enum compression kind = decompress_recognise(data, size);
	size_t offset = 0;
	size_t length = size;
	uint8_t *inner;
	size_t inner_size;
	int err = 0;

	if (elf_recognise(data, size)) {
		return elf_load(loader, name, data, size, info);
	}
	if (zboot_recognise(data, size)) {
		err = zboot_payload(loader, name, data, size, &offset, &length, &kind);
	} else if (linux_recognise(data, size)) {
		return linux_load(loader, name, data, size, info);
	} else if (kind == COMPRESSION_NONE) {
		return loader_fail(loader, EINVAL,
				   "%s: neither an ELF, an arm64 Linux image nor a compressed one"
				   " (a flat binary needs an address: FILE@ADDRESS)",
				   name);
	}
	if (err == 0 && depth == WRAPPINGS_MAX) {
		err = loader_fail(loader, EINVAL, "%s: compressed too many times over", name);
	}
	if (err == 0) {
		err = decompress(loader, name, kind, data + offset, length, loader->ram_size,
				 &inner, &inner_size);
	}
	if (err == 0) {
		err = image_load_depth(loader, name, inner, inner_size, depth + 1, info);
		free(inner);
	}
	return err;
}

int image_load(struct loader *loader, const char *name, uint8_t *data, size_t size, bool flat,
	       uint64_t address, struct image_info *info)
{
	memset(info, 0, sizeof(*info));
	return flat ? flat_load(loader, name, data, size, address, info)
		    : image_load_depth(loader, name, data, size, 0, info);
}
