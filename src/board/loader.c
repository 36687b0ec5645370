// SPDX-License-Identifier: Apache-2.0
// What the loaders share: the map of what has been loaded where, files, and messages.
#include "board/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/check.h"

void loader_init(struct loader *loader, struct bus *bus, uint64_t ram_base, uint64_t ram_size,
		 bool fresh, char *error, size_t error_size)
{
	memset(loader, 0, sizeof(*loader));
	loader->bus = bus;
	loader->ram_base = ram_base;
	loader->ram_size = ram_size;
	loader->fresh = fresh;
	loader->error = error;
	loader->error_size = error_size;
	error[0] = '\0';
}

void loader_done(struct loader *loader)
{
	free(loader->ranges);
	loader->ranges = NULL;
}

int loader_fail(struct loader *loader, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(loader->error, loader->error_size, fmt, args);
	va_end(args);
	// File names may hold anything; the message stays one line.
	for (char *c = loader->error; *c != '\0'; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f) {
			*c = '?';
		}
	}
	return -err;
}

// The space in which an address is RAM: Non-secure first, as the main RAM is in both.
static struct bus_ram *find_ram(struct bus *bus, uint64_t address, enum pas *pas)
{
	static const enum pas spaces[] = {PAS_NONSECURE, PAS_SECURE};

	for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
		struct bus_ram *ram = bus_ram_find(bus, spaces[i], address);

		if (ram != NULL) {
			*pas = spaces[i];
			return ram;
		}
	}
	return NULL;
}

int loader_claim(struct loader *loader, uint64_t start, uint64_t size, const char *what)
{
	struct bus_ram *ram;
	enum pas pas;

	if (size == 0) {
		return 0;
	}
	ram = find_ram(loader->bus, start, &pas);
	if (ram == NULL || size > ram->size - (start - ram->base)) {
		return loader_fail(
			loader, EINVAL,
			"%s: 0x%llx bytes at 0x%llx are not in RAM (RAM is 0x%llx bytes at 0x%llx)",
			what, (unsigned long long)size, (unsigned long long)start,
			(unsigned long long)loader->ram_size, (unsigned long long)loader->ram_base);
	}
	for (size_t i = 0; i < loader->range_count; i++) {
		const struct loader_range *r = &loader->ranges[i];

		if (start < r->end && r->start < start + size) {
			return loader_fail(loader, EEXIST,
					   "%s: 0x%llx bytes at 0x%llx overlap %s at 0x%llx", what,
					   (unsigned long long)size, (unsigned long long)start,
					   r->what, (unsigned long long)r->start);
		}
	}
	if (loader->range_count == loader->range_capacity) {
		size_t capacity = loader->range_capacity ? loader->range_capacity * 2 : 16;
		struct loader_range *ranges = realloc(loader->ranges, capacity * sizeof(*ranges));

		if (ranges == NULL) {
			return loader_fail(loader, ENOMEM, "%s: out of memory", what);
		}
		loader->ranges = ranges;
		loader->range_capacity = capacity;
	}
	loader->ranges[loader->range_count++] = (struct loader_range){start, start + size, what};
	return 0;
}

// The lowest free aligned address at or above `from` with `size` bytes before the end of main RAM.
static bool place_from(const struct loader *loader, uint64_t size, uint64_t align, uint64_t from,
		       uint64_t *address)
{
	uint64_t end = loader->ram_base + loader->ram_size;
	bool moved = true;

	if (from > UINT64_MAX - align) {
		return false;
	}
	from = align_up(from, align);
	while (moved) {
		moved = false;
		if (from < loader->ram_base || from >= end || size > end - from) {
			return false;
		}
		for (size_t i = 0; i < loader->range_count; i++) {
			const struct loader_range *r = &loader->ranges[i];

			if (from < r->end && r->start < from + size) {
				if (r->end > UINT64_MAX - align) {
					return false;
				}
				from = align_up(r->end, align);
				moved = true;
				break;
			}
		}
	}
	*address = from;
	return true;
}

bool loader_place(const struct loader *loader, uint64_t size, uint64_t align, uint64_t from,
		  uint64_t *address)
{
	return place_from(loader, size, align, from, address) ||
	       place_from(loader, size, align, loader->ram_base, address);
}

void loader_write(struct loader *loader, uint64_t address, const void *data, uint64_t size)
{
	enum pas pas = PAS_NONSECURE;

	if (size != 0) {
		CHECK(find_ram(loader->bus, address, &pas) != NULL);
		CHECK(bus_ram_write(loader->bus, pas, address, data, size) == 0);
	}
}

void loader_zero(struct loader *loader, uint64_t address, uint64_t size)
{
	static const uint8_t zeros[PAGE_SIZE];

	if (loader->fresh) {
		return;
	}
	while (size != 0) {
		uint64_t run = size < sizeof(zeros) ? size : sizeof(zeros);

		loader_write(loader, address, zeros, run);
		address += run;
		size -= run;
	}
}

// Files that can't be mapped (pipes) are read, up to the size of RAM: nothing bigger can be loaded.
static int read_stream(struct loader *loader, const char *path, int fd, struct loader_file *file)
{
	size_t capacity = 0;
	ssize_t n;

	do {
		if (file->size == capacity) {
			uint8_t *data;

			capacity = capacity ? capacity * 2 : 65536;
			data = capacity / 2 > loader->ram_size ? NULL
							       : realloc(file->data, capacity);
			if (data == NULL) {
				loader_unmap(file);
				return loader_fail(loader, EFBIG,
						   "%s: too big for the machine's RAM", path);
			}
			file->data = data;
		}
		n = read(fd, file->data + file->size, capacity - file->size);
		if (n < 0 && errno != EINTR) {
			int err = errno;

			loader_unmap(file);
			return loader_fail(loader, err, "%s: can't read: %s", path, strerror(err));
		}
		file->size += n > 0 ? (size_t)n : 0;
	} while (n != 0);
	return 0;
}

static int map_fd(struct loader *loader, const char *path, int fd, struct loader_file *file)
{
	struct stat st;
	void *p;

	if (fstat(fd, &st) != 0) {
		return loader_fail(loader, errno, "%s: %s", path, strerror(errno));
	}
	if (S_ISDIR(st.st_mode)) {
		return loader_fail(loader, EISDIR, "%s: is a directory", path);
	}
	if (!S_ISREG(st.st_mode)) {
		return read_stream(loader, path, fd, file);
	}
	if (st.st_size == 0) {
		return 0;
	}
	p = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED) {
		return loader_fail(loader, errno, "%s: can't read: %s", path, strerror(errno));
	}
	file->data = p;
	file->size = (size_t)st.st_size;
	file->mapped = true;
	return 0;
}

int loader_map(struct loader *loader, const char *path, struct loader_file *file)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err;

	memset(file, 0, sizeof(*file));
	if (fd < 0) {
		err = errno;
		return loader_fail(loader, err, "%s: %s", path, strerror(err));
	}
	err = map_fd(loader, path, fd, file);
	close(fd);
	if (err == 0 && file->size == 0) {
		loader_unmap(file);
		err = loader_fail(loader, EINVAL, "%s: the file is empty", path);
	}
	return err;
}

void loader_unmap(struct loader_file *file)
{
	if (file->mapped) {
		munmap(file->data, file->size);
	} else {
		free(file->data);
	}
	memset(file, 0, sizeof(*file));
}
