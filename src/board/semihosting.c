// SPDX-License-Identifier: Apache-2.0
// Semihosting for AArch64 (Arm, "Semihosting for AArch32 and AArch64", 2.0): console, exit, and
// files of one directory. Paths are walked component by component below the directory, without
// following symbolic links and without "..", so that a guest can't leave it.
#define _GNU_SOURCE // O_PATH
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bits.h"
#include "board/board_internal.h"
#include "cpu/pe.h"

enum semihosting_op {
	SYS_OPEN = 0x01,
	SYS_CLOSE = 0x02,
	SYS_WRITEC = 0x03,
	SYS_WRITE0 = 0x04,
	SYS_WRITE = 0x05,
	SYS_READ = 0x06,
	SYS_READC = 0x07,
	SYS_ISERROR = 0x08,
	SYS_ISTTY = 0x09,
	SYS_SEEK = 0x0a,
	SYS_FLEN = 0x0c,
	SYS_TMPNAM = 0x0d,
	SYS_REMOVE = 0x0e,
	SYS_RENAME = 0x0f,
	SYS_CLOCK = 0x10,
	SYS_TIME = 0x11,
	SYS_SYSTEM = 0x12,
	SYS_ERRNO = 0x13,
	SYS_GET_CMDLINE = 0x15,
	SYS_HEAPINFO = 0x16,
	SYS_EXIT = 0x18,
	SYS_EXIT_EXTENDED = 0x20,
	SYS_ELAPSED = 0x30,
	SYS_TICKFREQ = 0x31
};

#define ADP_STOPPED_APPLICATION_EXIT UINT64_C(0x20026)
#define FILES_MAX 64
#define PATH_SIZE 1024
#define CHUNK 4096
#define STRING_MAX \
	(UINT64_C(1) << 20) // of SYS_WRITE0: a string without an end is not printed for ever
#define WRITE_MAX (UINT64_C(1) << 28) // of SYS_WRITE: page tables can make memory without an end
#define STACK_SIZE (UINT64_C(1) << 20)
#define TICKS_PER_SECOND UINT64_C(1000000000)

// SH_EXT_EXIT_EXTENDED and SH_EXT_STDOUT_STDERR.
static const uint8_t features[] = {'S', 'H', 'F', 'B', 0x03};

enum file_kind { FILE_FREE, FILE_HOST, FILE_STDIN, FILE_STDOUT, FILE_STDERR, FILE_FEATURES };

struct semihosting_file {
	enum file_kind kind;
	int fd; // FILE_HOST
	size_t position; // FILE_FEATURES
};

struct semihosting {
	struct strata *strata;
	int dir; // -1: no files
	int error; // errno of the last failure
	struct semihosting_file files[FILES_MAX]; // handle - 1
};

struct call {
	struct semihosting *sh;
	struct pe *pe;
	uint64_t block; // X1: address of the parameters
};

static uint64_t failed(struct semihosting *sh, int err)
{
	sh->error = err;
	return UINT64_MAX;
}

// Parameter n, a 64-bit word; false when it is not readable.
static bool argument(const struct call *c, unsigned n, uint64_t *value)
{
	uint8_t bytes[8];

	*value = 0;
	if (pe_read_memory(c->pe, c->block + 8 * (uint64_t)n, bytes, sizeof(bytes)) !=
	    sizeof(bytes)) {
		return false;
	}
	for (unsigned i = 0; i < 8; i++) {
		*value |= (uint64_t)bytes[i] << (8 * i);
	}
	return true;
}

static bool arguments(const struct call *c, unsigned count, uint64_t *values)
{
	for (unsigned i = 0; i < count; i++) {
		if (!argument(c, i, &values[i])) {
			return false;
		}
	}
	return true;
}

static bool put_word(struct pe *pe, uint64_t address, uint64_t value)
{
	uint8_t bytes[8];

	for (unsigned i = 0; i < 8; i++) {
		bytes[i] = (uint8_t)(value >> (8 * i));
	}
	return pe_write_memory(pe, address, bytes, sizeof(bytes)) == sizeof(bytes);
}

static bool get_path(const struct call *c, uint64_t address, uint64_t length, char *path)
{
	if (length >= PATH_SIZE || pe_read_memory(c->pe, address, path, length) != length) {
		return false;
	}
	path[length] = '\0';
	return strlen(path) == length && length != 0;
}

// Open the directory that holds the last component of path; *name is that component. -1 with errno.
static int open_parent(const struct semihosting *sh, char *path, const char **name)
{
	int dir;
	char *rest = path;

	if (sh->dir < 0) {
		errno = EACCES;
		return -1;
	}
	dir = fcntl(sh->dir, F_DUPFD_CLOEXEC, 0);
	while (dir >= 0) {
		char *slash = strchr(rest, '/');
		int next;

		if (slash != NULL) {
			*slash = '\0';
		}
		if (rest[0] == '\0' || strcmp(rest, "..") == 0 ||
		    (slash == NULL && strcmp(rest, ".") == 0)) {
			// An absolute path, a doubled or trailing slash, or a way up.
			close(dir);
			errno = EACCES;
			return -1;
		}
		if (slash == NULL) {
			*name = rest;
			return dir;
		}
		next = openat(dir, rest, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		close(dir);
		dir = next;
		rest = slash + 1;
	}
	return -1;
}

static struct semihosting_file *file_of(struct semihosting *sh, uint64_t handle)
{
	if (handle == 0 || handle > FILES_MAX || sh->files[handle - 1].kind == FILE_FREE) {
		return NULL;
	}
	return &sh->files[handle - 1];
}

static uint64_t new_file(struct semihosting *sh, struct semihosting_file file)
{
	for (unsigned i = 0; i < FILES_MAX; i++) {
		if (sh->files[i].kind == FILE_FREE) {
			sh->files[i] = file;
			return i + 1;
		}
	}
	if (file.kind == FILE_HOST) {
		close(file.fd);
	}
	return failed(sh, EMFILE);
}

static uint64_t open_host(struct semihosting *sh, char *path, uint64_t mode)
{
	// r, rb, r+, r+b, w, wb, w+, w+b, a, ab, a+, a+b
	static const int modes[12] = {
		O_RDONLY,
		O_RDONLY,
		O_RDWR,
		O_RDWR,
		O_WRONLY | O_CREAT | O_TRUNC,
		O_WRONLY | O_CREAT | O_TRUNC,
		O_RDWR | O_CREAT | O_TRUNC,
		O_RDWR | O_CREAT | O_TRUNC,
		O_WRONLY | O_CREAT | O_APPEND,
		O_WRONLY | O_CREAT | O_APPEND,
		O_RDWR | O_CREAT | O_APPEND,
		O_RDWR | O_CREAT | O_APPEND,
	};
	const char *name;
	int dir = open_parent(sh, path, &name);
	int fd;
	struct stat st;

	if (dir < 0) {
		return failed(sh, errno);
	}
	// O_NONBLOCK: a pipe or a device in the directory must not stop the machine.
	fd = openat(dir, name, modes[mode] | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666);
	close(dir);
	if (fd < 0) {
		return failed(sh, errno);
	}
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return failed(sh, EACCES);
	}
	return new_file(sh, (struct semihosting_file){.kind = FILE_HOST, .fd = fd});
}

static uint64_t sys_open(struct call *c)
{
	uint64_t arg[3];
	char path[PATH_SIZE];

	if (!arguments(c, 3, arg) || arg[1] > 11 || !get_path(c, arg[0], arg[2], path)) {
		return failed(c->sh, EINVAL);
	}
	if (strcmp(path, ":tt") == 0) {
		enum file_kind kind = arg[1] < 4   ? FILE_STDIN
				      : arg[1] < 8 ? FILE_STDOUT
						   : FILE_STDERR;

		return new_file(c->sh, (struct semihosting_file){.kind = kind, .fd = -1});
	}
	if (strcmp(path, ":semihosting-features") == 0) {
		if (arg[1] > 1) {
			return failed(c->sh, EACCES);
		}
		return new_file(c->sh, (struct semihosting_file){.kind = FILE_FEATURES, .fd = -1});
	}
	return open_host(c->sh, path, arg[1]);
}

static uint64_t sys_close(struct call *c)
{
	uint64_t handle;
	struct semihosting_file *file;

	if (!argument(c, 0, &handle)) {
		return failed(c->sh, EINVAL);
	}
	file = file_of(c->sh, handle);
	if (file == NULL) {
		return failed(c->sh, EBADF);
	}
	if (file->kind == FILE_HOST) {
		close(file->fd);
	}
	file->kind = FILE_FREE;
	return 0;
}

static void console_bytes(struct semihosting *sh, const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		console_put(sh->strata, data[i]);
	}
}

static void sys_write0(struct call *c)
{
	uint8_t chunk[256];

	for (uint64_t at = 0; at < STRING_MAX; at += sizeof(chunk)) {
		size_t n = pe_read_memory(c->pe, c->block + at, chunk, sizeof(chunk));
		const uint8_t *zero = memchr(chunk, 0, n);

		console_bytes(c->sh, chunk, zero != NULL ? (size_t)(zero - chunk) : n);
		if (zero != NULL || n < sizeof(chunk)) {
			return;
		}
	}
}

// Returns the number of bytes not written.
static uint64_t sys_write(struct call *c)
{
	uint64_t arg[3];
	struct semihosting_file *file;
	uint8_t chunk[CHUNK];
	uint64_t done = 0;

	if (!arguments(c, 3, arg)) {
		return failed(c->sh, EINVAL);
	}
	file = file_of(c->sh, arg[0]);
	if (file == NULL || file->kind == FILE_STDIN || file->kind == FILE_FEATURES) {
		c->sh->error = EBADF;
		return arg[2];
	}
	while (done < arg[2] && done < WRITE_MAX) {
		size_t want = arg[2] - done < CHUNK ? arg[2] - done : CHUNK;
		size_t n = pe_read_memory(c->pe, arg[1] + done, chunk, want);
		ssize_t written = (ssize_t)n;

		if (file->kind == FILE_HOST) {
			written = write(file->fd, chunk, n);
		} else {
			console_bytes(c->sh, chunk, n);
		}
		if (written < 0) {
			c->sh->error = errno;
			break;
		}
		done += (uint64_t)written;
		if ((size_t)written < want) {
			c->sh->error = EFAULT;
			break;
		}
	}
	return arg[2] - done;
}

static ssize_t read_some(struct call *c, struct semihosting_file *file, uint8_t *data, size_t size)
{
	size_t n = 0;

	if (file->kind == FILE_HOST) {
		return read(file->fd, data, size);
	}
	if (file->kind == FILE_FEATURES) {
		n = sizeof(features) - file->position < size ? sizeof(features) - file->position
							     : size;
		memcpy(data, features + file->position, n);
		file->position += n;
		return (ssize_t)n;
	}
	// A line of the console: until something was typed, then what is there.
	while (n < size && (n == 0 || c->sh->strata->console.in_count != 0)) {
		int byte = console_get(c->sh->strata);

		if (byte < 0) {
			break;
		}
		data[n++] = (uint8_t)byte;
	}
	return (ssize_t)n;
}

// Returns the number of bytes not read.
static uint64_t sys_read(struct call *c)
{
	uint64_t arg[3];
	struct semihosting_file *file;
	uint8_t chunk[CHUNK];
	uint64_t done = 0;

	if (!arguments(c, 3, arg)) {
		return failed(c->sh, EINVAL);
	}
	file = file_of(c->sh, arg[0]);
	if (file == NULL || file->kind == FILE_STDOUT || file->kind == FILE_STDERR) {
		c->sh->error = EBADF;
		return arg[2];
	}
	while (done < arg[2]) {
		size_t want = arg[2] - done < CHUNK ? arg[2] - done : CHUNK;
		ssize_t n = read_some(c, file, chunk, want);

		if (n <= 0) {
			c->sh->error = n < 0 ? errno : 0;
			break;
		}
		if (pe_write_memory(c->pe, arg[1] + done, chunk, (size_t)n) != (size_t)n) {
			c->sh->error = EFAULT;
			break;
		}
		done += (uint64_t)n;
		if ((size_t)n < want) {
			break;
		}
	}
	return arg[2] - done;
}

static uint64_t sys_istty(struct call *c)
{
	uint64_t handle;
	const struct semihosting_file *file =
		argument(c, 0, &handle) ? file_of(c->sh, handle) : NULL;

	if (file == NULL) {
		return failed(c->sh, EBADF);
	}
	return file->kind == FILE_STDIN || file->kind == FILE_STDOUT || file->kind == FILE_STDERR;
}

static uint64_t sys_seek(struct call *c)
{
	uint64_t arg[2];
	struct semihosting_file *file = arguments(c, 2, arg) ? file_of(c->sh, arg[0]) : NULL;

	if (file == NULL) {
		return failed(c->sh, EBADF);
	}
	if (file->kind == FILE_FEATURES && arg[1] <= sizeof(features)) {
		file->position = (size_t)arg[1];
		return 0;
	}
	if (file->kind != FILE_HOST || arg[1] > INT64_MAX) {
		return failed(c->sh, EINVAL);
	}
	return lseek(file->fd, (off_t)arg[1], SEEK_SET) < 0 ? failed(c->sh, errno) : 0;
}

static uint64_t sys_flen(struct call *c)
{
	uint64_t handle;
	const struct semihosting_file *file =
		argument(c, 0, &handle) ? file_of(c->sh, handle) : NULL;
	struct stat st;

	if (file == NULL) {
		return failed(c->sh, EBADF);
	}
	if (file->kind == FILE_FEATURES) {
		return sizeof(features);
	}
	if (file->kind != FILE_HOST) {
		return failed(c->sh, EINVAL);
	}
	return fstat(file->fd, &st) != 0 ? failed(c->sh, errno) : (uint64_t)st.st_size;
}

static uint64_t sys_tmpnam(struct call *c)
{
	uint64_t arg[3];
	char name[32];
	size_t size;

	if (!arguments(c, 3, arg) || arg[1] > 255) {
		return failed(c->sh, EINVAL);
	}
	size = (size_t)snprintf(name, sizeof(name), "semihosting-%02x.tmp", (unsigned)arg[1]) + 1;
	if (arg[2] < size || pe_write_memory(c->pe, arg[0], name, size) != size) {
		return failed(c->sh, EINVAL);
	}
	return 0;
}

static uint64_t sys_remove(struct call *c)
{
	uint64_t arg[2];
	char path[PATH_SIZE];
	const char *name;
	int dir;
	int status;

	if (!arguments(c, 2, arg) || !get_path(c, arg[0], arg[1], path)) {
		return failed(c->sh, EINVAL);
	}
	dir = open_parent(c->sh, path, &name);
	if (dir < 0) {
		return failed(c->sh, errno);
	}
	status = unlinkat(dir, name, 0) != 0 ? errno : 0;
	close(dir);
	return status != 0 ? failed(c->sh, status) : 0;
}

static uint64_t sys_rename(struct call *c)
{
	uint64_t arg[4];
	char from[PATH_SIZE], to[PATH_SIZE];
	const char *from_name, *to_name;
	int from_dir, to_dir;
	int status;

	if (!arguments(c, 4, arg) || !get_path(c, arg[0], arg[1], from) ||
	    !get_path(c, arg[2], arg[3], to)) {
		return failed(c->sh, EINVAL);
	}
	from_dir = open_parent(c->sh, from, &from_name);
	if (from_dir < 0) {
		return failed(c->sh, errno);
	}
	to_dir = open_parent(c->sh, to, &to_name);
	if (to_dir < 0) {
		status = errno;
		close(from_dir);
		return failed(c->sh, status);
	}
	status = renameat(from_dir, from_name, to_dir, to_name) != 0 ? errno : 0;
	close(from_dir);
	close(to_dir);
	return status != 0 ? failed(c->sh, status) : 0;
}

static uint64_t sys_get_cmdline(struct call *c)
{
	const struct strata_options *o = &c->sh->strata->options;
	uint64_t arg[2];
	char line[1024];
	size_t size;
	int n;

	n = snprintf(line, sizeof(line), "%s%s%s", o->image != NULL ? o->image : "",
		     o->append != NULL ? " " : "", o->append != NULL ? o->append : "");
	size = n < 0 ? 0 : (size_t)n;
	if (size >= sizeof(line) || !arguments(c, 2, arg) || arg[1] < size + 1 ||
	    pe_write_memory(c->pe, arg[0], line, size + 1) != size + 1 ||
	    !put_word(c->pe, c->block + 8, size)) {
		return failed(c->sh, EINVAL);
	}
	return 0;
}

// Heap from the end of what was loaded, stack from the end of RAM downwards.
static uint64_t sys_heapinfo(struct call *c)
{
	const struct strata *s = c->sh->strata;
	uint64_t base = s->options.ram_base;
	uint64_t end = base + s->options.memory;
	uint64_t heap = s->image_end > base && s->image_end < end
				? align_up(s->image_end, PAGE_SIZE)
				: base;
	uint64_t limit = end - heap > 2 * STACK_SIZE ? end - STACK_SIZE : heap + (end - heap) / 2;
	uint64_t block;

	if (!argument(c, 0, &block) || !put_word(c->pe, block, heap) ||
	    !put_word(c->pe, block + 8, limit) || !put_word(c->pe, block + 16, end) ||
	    !put_word(c->pe, block + 24, limit)) {
		return failed(c->sh, EINVAL);
	}
	return 0;
}

static uint64_t sys_exit(struct call *c)
{
	struct strata *s = c->sh->strata;
	uint64_t arg[2];

	if (!arguments(c, 2, arg)) {
		arg[0] = c->block; // as on AArch32: the reason itself
		arg[1] = 0;
	}
	s->status = arg[0] == ADP_STOPPED_APPLICATION_EXIT ? (int)(arg[1] & 0xff) : 1;
	board_end(s, STRATA_EXITED, "%s", "");
	return 0;
}

static uint64_t virtual_time(const struct semihosting *sh)
{
	return event_queue_time(&sh->strata->queue);
}

static uint64_t dispatch(struct call *c, uint32_t op)
{
	struct semihosting *sh = c->sh;
	uint64_t value;
	uint8_t byte;

	switch (op) {
	case SYS_OPEN:
		return sys_open(c);
	case SYS_CLOSE:
		return sys_close(c);
	case SYS_WRITEC:
		if (pe_read_memory(c->pe, c->block, &byte, 1) == 1) {
			console_put(sh->strata, byte);
		}
		return c->block; // X0 is corrupted by definition
	case SYS_WRITE0:
		sys_write0(c);
		return c->block;
	case SYS_WRITE:
		return sys_write(c);
	case SYS_READ:
		return sys_read(c);
	case SYS_READC:
		return (uint64_t)(int64_t)console_get(sh->strata);
	case SYS_ISERROR:
		return argument(c, 0, &value) && (int64_t)value < 0;
	case SYS_ISTTY:
		return sys_istty(c);
	case SYS_SEEK:
		return sys_seek(c);
	case SYS_FLEN:
		return sys_flen(c);
	case SYS_TMPNAM:
		return sys_tmpnam(c);
	case SYS_REMOVE:
		return sys_remove(c);
	case SYS_RENAME:
		return sys_rename(c);
	case SYS_CLOCK:
		return virtual_time(sh) / (TICKS_PER_SECOND / 100);
	case SYS_TIME:
		return sh->strata->options.rtc + virtual_time(sh) / TICKS_PER_SECOND;
	case SYS_ERRNO:
		return (uint64_t)sh->error;
	case SYS_GET_CMDLINE:
		return sys_get_cmdline(c);
	case SYS_HEAPINFO:
		return sys_heapinfo(c);
	case SYS_EXIT:
	case SYS_EXIT_EXTENDED:
		return sys_exit(c);
	case SYS_ELAPSED:
		return put_word(c->pe, c->block, virtual_time(sh)) ? 0 : failed(sh, EFAULT);
	case SYS_TICKFREQ:
		return TICKS_PER_SECOND;
	case SYS_SYSTEM: // no command of the host's
	default:
		return failed(sh, ENOSYS);
	}
}

bool semihosting_call(struct semihosting *sh, struct pe *pe)
{
	struct call c = {.sh = sh, .pe = pe, .block = pe_x(pe, 1)};

	pe_set_x(pe, 0, dispatch(&c, (uint32_t)pe_x(pe, 0)));
	return true;
}

struct semihosting *semihosting_create(struct strata *s, char *error, size_t error_size)
{
	struct semihosting *sh = calloc(1, sizeof(*sh));
	const char *dir = s->options.semihosting_dir;

	if (sh == NULL) {
		snprintf(error, error_size, "out of memory");
		return NULL;
	}
	sh->strata = s;
	sh->dir = -1;
	if (dir != NULL) {
		sh->dir = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (sh->dir < 0) {
			snprintf(error, error_size, "%s: %s", dir, strerror(errno));
			free(sh);
			return NULL;
		}
	}
	return sh;
}

void semihosting_destroy(struct semihosting *sh)
{
	if (sh == NULL) {
		return;
	}
	for (unsigned i = 0; i < FILES_MAX; i++) {
		if (sh->files[i].kind == FILE_HOST) {
			close(sh->files[i].fd);
		}
	}
	if (sh->dir >= 0) {
		close(sh->dir);
	}
	free(sh);
}
