// SPDX-License-Identifier: Apache-2.0
// The tests of some files, and the workers that run them. A worker is a process of its own, so that
// a test that crashes or hangs takes nothing with it; which test it has in hand stands in memory
// that both share.
#include "traptest/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "traptest/assembler.h"

#define JOBS_MAX 64
#define FILE_SIZE_MAX (UINT64_C(64) << 20)

static double host_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

// ---- files --------------------------------------------------------------------------------------

int tt_suite_add_text(struct tt_suite *suite, const char *path, const char *text, size_t size,
		      const struct tt_context *context, char *error, size_t error_size)
{
	struct tt_file *file = tt_file_parse(path, text, size, context, error, error_size);
	int err;

	if (file == NULL) {
		return -EINVAL;
	}
	suite->files = realloc(suite->files, (suite->file_count + 1) * sizeof(*suite->files));
	CHECK(suite->files != NULL);
	suite->files[suite->file_count++] = file;
	err = tt_assemble_file(file, error, error_size);
	if (err != 0) {
		return err;
	}
	suite->entries = realloc(suite->entries,
				 (suite->count + file->item_count + 1) * sizeof(*suite->entries));
	CHECK(suite->entries != NULL);
	for (size_t i = 0; i < file->item_count; i++) {
		struct tt_entry *entry = &suite->entries[suite->count++];
		size_t room = strlen(file->stem) + strlen(file->items[i].name) + 2;

		*entry = (struct tt_entry){.file = file, .item = &file->items[i]};
		entry->name = malloc(room);
		CHECK(entry->name != NULL);
		snprintf(entry->name, room, "%s/%s", file->stem, file->items[i].name);
	}
	return 0;
}

static char *read_all(const char *path, size_t *size, char *error, size_t error_size)
{
	FILE *file = fopen(path, "rb");
	char *text = NULL;
	size_t room = 0, n = 1;

	*size = 0;
	while (file != NULL && n != 0 && *size <= FILE_SIZE_MAX) {
		room = room * 2 + 65536;
		text = realloc(text, room);
		CHECK(text != NULL);
		n = fread(text + *size, 1, room - *size, file);
		*size += n;
	}
	if (file == NULL || ferror(file) || *size > FILE_SIZE_MAX) {
		snprintf(error, error_size, "%s: can't read: %s", path,
			 *size > FILE_SIZE_MAX ? "it is too large" : strerror(errno));
		free(text);
		text = NULL;
	}
	if (file != NULL) {
		fclose(file);
	}
	return text;
}

int tt_suite_add_path(struct tt_suite *suite, const char *path, const struct tt_context *context,
		      char *error, size_t error_size)
{
	size_t size = 0;
	char *text = read_all(path, &size, error, error_size);
	int err;

	if (text == NULL) {
		return -ENOENT;
	}
	err = tt_suite_add_text(suite, path, text, size, context, error, error_size);
	free(text);
	return err;
}

void tt_suite_done(struct tt_suite *suite)
{
	for (size_t i = 0; i < suite->count; i++) {
		free(suite->entries[i].name);
		free(suite->entries[i].error);
	}
	for (size_t i = 0; i < suite->file_count; i++) {
		tt_file_free(suite->files[i]);
	}
	free(suite->entries);
	free(suite->files);
	memset(suite, 0, sizeof(*suite));
}

void tt_suite_add_unusable(struct tt_suite *suite, const char *path, const char *error)
{
	const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
	const char *dot = strrchr(name, '.');
	struct tt_entry *entry;

	suite->entries = realloc(suite->entries, (suite->count + 1) * sizeof(*suite->entries));
	CHECK(suite->entries != NULL);
	entry = &suite->entries[suite->count++];
	*entry = (struct tt_entry){.name = dot != NULL && dot != name
						   ? strndup(name, (size_t)(dot - name))
						   : strdup(name),
				   .error = strdup(error),
				   .path = path};
	CHECK(entry->name != NULL && entry->error != NULL);
}

// * and ?, anywhere.
bool tt_wildcard(const char *pattern, const char *text)
{
	while (*pattern != '\0' && *pattern != '*') {
		if (*text == '\0' || (*pattern != '?' && *pattern != *text)) {
			return false;
		}
		pattern++;
		text++;
	}
	if (*pattern == '\0') {
		return *text == '\0';
	}
	while (*pattern == '*') {
		pattern++;
	}
	for (;; text++) {
		if (tt_wildcard(pattern, text)) {
			return true;
		}
		if (*text == '\0') {
			return false;
		}
	}
}

static bool selected(const char *name, const char *const *filters, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strpbrk(filters[i], "*?") != NULL ? tt_wildcard(filters[i], name)
						      : strstr(name, filters[i]) != NULL) {
			return true;
		}
	}
	return count == 0;
}

void tt_suite_select(struct tt_suite *suite, const char *const *filters, size_t filter_count)
{
	size_t kept = 0;

	for (size_t i = 0; i < suite->count; i++) {
		if (suite->entries[i].error != NULL ||
		    selected(suite->entries[i].name, filters, filter_count)) {
			suite->entries[kept++] = suite->entries[i];
		} else {
			free(suite->entries[i].name);
		}
	}
	suite->count = kept;
}

// ---- one test -----------------------------------------------------------------------------------

void tt_suite_run_one(const struct tt_suite *suite, size_t index, struct tt_pool *pool,
		      struct tt_result *result)
{
	const struct tt_entry *entry = &suite->entries[index];
	double begin = host_now();

	result->used = 0;
	result->message[0] = '\0';
	result->explain = suite->explain;
	if (entry->error != NULL) {
		result->status = TT_UNUSABLE;
		tt_say(result, "%s", entry->error);
	} else if (entry->item->skip != NULL) {
		result->status = TT_SKIPPED;
		tt_say(result, "%s", entry->item->skip);
	} else if (suite->explain && !entry->item->is_case) {
		result->status = TT_SKIPPED;
		tt_say(result, "only cases are explained");
	} else if (entry->item->is_case) {
		tt_run_case(pool, entry->file, entry->item, result);
	} else {
		tt_run_test(pool, entry->file, entry->item, result);
	}
	result->seconds = host_now() - begin;
}

static double limit_of(const struct tt_suite *suite, size_t index)
{
	const struct tt_item *item = suite->entries[index].item;

	return item != NULL && !item->is_case && item->t.limit_host != 0 ? item->t.limit_host
									 : suite->limit;
}

static void deliver(const struct tt_suite *suite, size_t index, enum tt_status status,
		    double seconds, const char *message, strata_test_fn *fn, void *opaque)
{
	const struct tt_entry *entry = &suite->entries[index];
	const struct strata_test_result r = {
		.name = entry->name,
		.path = entry->file != NULL ? entry->file->path : entry->path,
		.line = entry->item != NULL ? entry->item->line : 0,
		.status = (enum strata_test_status)status,
		.message = message,
		.seconds = seconds,
	};

	fn(opaque, &r);
}

static void run_here(const struct tt_suite *suite, strata_test_fn *fn, void *opaque)
{
	struct tt_result *result = malloc(sizeof(*result));
	struct tt_pool *pool = tt_pool_create();

	CHECK(result != NULL);
	for (size_t i = 0; i < suite->count; i++) {
		tt_suite_run_one(suite, i, pool, result);
		deliver(suite, i, result->status, result->seconds, result->message, fn, opaque);
	}
	tt_pool_destroy(pool);
	free(result);
}

// ---- workers ------------------------------------------------------------------------------------

#define NO_TEST SIZE_MAX

struct shared_slot {
	_Atomic size_t test; // in hand, or NO_TEST
	_Atomic double since; // host time
};

struct shared {
	_Atomic size_t next;
	struct shared_slot slots[JOBS_MAX];
};

// What a worker writes into its pipe, followed by the message.
struct answer {
	size_t test;
	uint32_t status, size;
	double seconds;
};

struct worker {
	pid_t pid;
	int fd; // -1: gone
	char *buffer;
	size_t used, capacity;
	bool killed; // for hanging
};

struct outcome {
	bool known;
	enum tt_status status;
	double seconds;
	char *message;
};

struct pool_run {
	const struct tt_suite *suite;
	struct shared *shared;
	struct worker workers[JOBS_MAX];
	unsigned jobs;
	struct outcome *outcomes;
	size_t delivered, known;
	strata_test_fn *fn;
	void *opaque;
};

static void write_all(int fd, const void *data, size_t size)
{
	const char *at = data;

	while (size != 0) {
		ssize_t n = write(fd, at, size);

		if (n < 0 && errno != EINTR) {
			_exit(3); // nobody listens any more
		}
		at += n > 0 ? n : 0;
		size -= n > 0 ? (size_t)n : 0;
	}
}

static _Noreturn void work(const struct tt_suite *suite, struct shared *shared, unsigned slot,
			   int fd)
{
	struct tt_pool *pool = tt_pool_create();
	struct tt_result *result = malloc(sizeof(*result));
	size_t i;

	CHECK(result != NULL);
	while ((i = atomic_fetch_add(&shared->next, 1)) < suite->count) {
		struct answer answer;

		atomic_store(&shared->slots[slot].since, host_now());
		atomic_store(&shared->slots[slot].test, i);
		tt_suite_run_one(suite, i, pool, result);
		answer = (struct answer){.test = i,
					 .status = (uint32_t)result->status,
					 .size = (uint32_t)result->used,
					 .seconds = result->seconds};
		write_all(fd, &answer, sizeof(answer));
		write_all(fd, result->message, result->used);
		atomic_store(&shared->slots[slot].test, NO_TEST);
	}
	_exit(0);
}

static bool start(struct pool_run *run, unsigned slot)
{
	struct worker *w = &run->workers[slot];
	int fds[2];

	if (pipe(fds) != 0) {
		return false;
	}
	atomic_store(&run->shared->slots[slot].test, NO_TEST);
	fflush(NULL);
	w->pid = fork();
	if (w->pid == 0) {
		close(fds[0]);
		for (unsigned i = 0; i < run->jobs; i++) {
			if (i != slot && run->workers[i].fd >= 0) {
				close(run->workers[i].fd);
			}
		}
		signal(SIGPIPE, SIG_IGN);
		work(run->suite, run->shared, slot, fds[1]);
	}
	close(fds[1]);
	if (w->pid < 0) {
		close(fds[0]);
		return false;
	}
	w->fd = fds[0];
	w->used = 0;
	w->killed = false;
	return true;
}

static void learn(struct pool_run *run, size_t test, enum tt_status status, double seconds,
		  const char *message, size_t size)
{
	struct outcome *o = &run->outcomes[test];

	if (o->known) {
		return;
	}
	o->known = true;
	o->status = status;
	o->seconds = seconds;
	if (size != 0) {
		o->message = malloc(size + 1);
		CHECK(o->message != NULL);
		memcpy(o->message, message, size);
		o->message[size] = '\0';
	}
	run->known++;
	while (run->delivered < run->suite->count && run->outcomes[run->delivered].known) {
		o = &run->outcomes[run->delivered];
		deliver(run->suite, run->delivered, o->status, o->seconds,
			o->message != NULL ? o->message : "", run->fn, run->opaque);
		free(o->message);
		o->message = NULL;
		run->delivered++;
	}
}

static void take_answers(struct pool_run *run, struct worker *w)
{
	size_t at = 0;
	struct answer answer;

	while (w->used - at >= sizeof(answer)) {
		memcpy(&answer, w->buffer + at, sizeof(answer));
		if (w->used - at < sizeof(answer) + answer.size) {
			break;
		}
		learn(run, answer.test, (enum tt_status)answer.status, answer.seconds,
		      w->buffer + at + sizeof(answer), answer.size);
		at += sizeof(answer) + answer.size;
	}
	memmove(w->buffer, w->buffer + at, w->used - at);
	w->used -= at;
}

// The worker is gone: whatever test it had in hand is lost with it.
static void bury(struct pool_run *run, unsigned slot)
{
	struct worker *w = &run->workers[slot];
	size_t test = atomic_load(&run->shared->slots[slot].test);
	char text[160];
	int status = 0, n;

	close(w->fd);
	w->fd = -1;
	while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR) {
	}
	if (test != NO_TEST && test < run->suite->count) {
		if (w->killed) {
			n = snprintf(text, sizeof(text),
				     "      no end within %.0f s of the host's time\n",
				     limit_of(run->suite, test));
		} else if (WIFSIGNALED(status)) {
			n = snprintf(text, sizeof(text), "      the worker crashed: %s\n",
				     strsignal(WTERMSIG(status)));
		} else {
			n = snprintf(text, sizeof(text), "      the worker ended with status %d\n",
				     WEXITSTATUS(status));
		}
		learn(run, test, w->killed ? TT_HUNG : TT_CRASHED,
		      host_now() - atomic_load(&run->shared->slots[slot].since), text, (size_t)n);
	}
	if (run->known < run->suite->count && atomic_load(&run->shared->next) < run->suite->count) {
		(void)start(run, slot);
	}
}

static void listen_to(struct pool_run *run, unsigned slot)
{
	struct worker *w = &run->workers[slot];
	ssize_t n;

	if (w->capacity - w->used < 65536) {
		w->capacity = w->capacity * 2 + 131072;
		w->buffer = realloc(w->buffer, w->capacity);
		CHECK(w->buffer != NULL);
	}
	n = read(w->fd, w->buffer + w->used, w->capacity - w->used);
	if (n > 0) {
		w->used += (size_t)n;
		take_answers(run, w);
	} else if (n == 0 || errno != EINTR) {
		bury(run, slot);
	}
}

static void kill_hanging(struct pool_run *run)
{
	for (unsigned i = 0; i < run->jobs; i++) {
		struct worker *w = &run->workers[i];
		size_t test = atomic_load(&run->shared->slots[i].test);
		double since = atomic_load(&run->shared->slots[i].since);

		if (w->fd >= 0 && !w->killed && test != NO_TEST && test < run->suite->count &&
		    host_now() - since > limit_of(run->suite, test)) {
			w->killed = true;
			kill(w->pid, SIGKILL);
		}
	}
}

static void wait_for_workers(struct pool_run *run)
{
	for (;;) {
		struct pollfd fds[JOBS_MAX];
		unsigned slots[JOBS_MAX], count = 0;

		for (unsigned i = 0; i < run->jobs; i++) {
			if (run->workers[i].fd >= 0) {
				slots[count] = i;
				fds[count++] =
					(struct pollfd){.fd = run->workers[i].fd, .events = POLLIN};
			}
		}
		if (count == 0) {
			return;
		}
		if (poll(fds, count, 100) > 0) {
			for (unsigned i = 0; i < count; i++) {
				if (fds[i].revents != 0) {
					listen_to(run, slots[i]);
				}
			}
		}
		kill_hanging(run);
	}
}

void tt_suite_run(const struct tt_suite *suite, unsigned jobs, strata_test_fn *fn, void *opaque)
{
	struct pool_run run = {.suite = suite, .fn = fn, .opaque = opaque};

	if (jobs == 0 || suite->count == 0) {
		run_here(suite, fn, opaque);
		return;
	}
	run.jobs = jobs < JOBS_MAX ? jobs : JOBS_MAX;
	run.jobs = run.jobs < suite->count ? run.jobs : (unsigned)suite->count;
	run.shared = mmap(NULL, sizeof(*run.shared), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	run.outcomes = calloc(suite->count, sizeof(*run.outcomes));
	CHECK(run.shared != MAP_FAILED && run.outcomes != NULL);
	for (unsigned i = 0; i < run.jobs; i++) {
		run.workers[i].fd = -1;
	}
	for (unsigned i = 0; i < run.jobs; i++) {
		(void)start(&run, i);
	}
	wait_for_workers(&run);
	for (size_t i = 0; i < suite->count; i++) {
		if (!run.outcomes[i].known) {
			static const char text[] = "      no worker could be started\n";

			learn(&run, i, TT_BROKEN, 0, text, sizeof(text) - 1);
		}
	}
	for (unsigned i = 0; i < run.jobs; i++) {
		free(run.workers[i].buffer);
	}
	munmap(run.shared, sizeof(*run.shared));
	free(run.outcomes);
}
