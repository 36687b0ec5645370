// SPDX-License-Identifier: Apache-2.0
// Trap tests from C (docs/trap-tests.md): run a file, a text or a single test, and hear of each how
// it went.
#ifndef STRATA_STRATA_TEST_H
#define STRATA_STRATA_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

enum strata_test_status {
	STRATA_TEST_PASSED,
	STRATA_TEST_FAILED,
	STRATA_TEST_SKIPPED, // message: why
	STRATA_TEST_HUNG, // ended by a limit
	STRATA_TEST_CRASHED, // with its worker
	STRATA_TEST_BROKEN, // could not be run: there is no such image, no such machine
	STRATA_TEST_UNUSABLE // no test, but a file that can't be read or is malformed
};

struct strata_test_result {
	const char *name; // "FILE/NAME"; of an unusable file "FILE"
	const char *path; // of the file, as it was given
	unsigned line; // where the test begins, from 1; 0 of an unusable file
	enum strata_test_status status;
	const char *message; // lines, each with its newline, at most 16 KiB; empty if passed
	double seconds; // of the host's time
};

struct strata_test_options {
	// Worker processes (forked), at most 64; 0: as many as processors. STRATA_TEST_IN_PROCESS:
	// none.
	unsigned jobs;
	// Only tests whose full name contains one of these, or is like one with * and ?; none: all.
	const char *const *filters;
	size_t filter_count;
	const char *const *defines; // NAME=VALUE for ${NAME} in file names
	size_t define_count;
	const char *cpu; // instead of what the files say, "max,mte=off"; NULL
	double limit; // seconds of the host's time for a test that says none itself; 0: 20
	bool explain; // a case also fails when strata_explain says something else than happens
};

#define STRATA_TEST_IN_PROCESS (~0u) // a test that hangs or crashes then takes the caller along

// Called in this process, in the order of the files and of the tests in them. What the result
// points to is valid during the call.
typedef void strata_test_fn(void *opaque, const struct strata_test_result *result);

// Run the tests of files. options may be NULL. 0 when all files could be used, whatever the tests'
// outcomes. Of a file that can't be used nothing is run, fn hears of it as STRATA_TEST_UNUSABLE,
// and the others are run: -EINVAL (malformed), -ENOENT (can't be read) or -EIO (nowhere to put what
// is assembled), with the first one's message in error, one line without a newline, cut to
// error_size ("FILE:LINE:COLUMN: expected ...").
int strata_test_run_files(const char *const *paths, size_t count,
			  const struct strata_test_options *options, strata_test_fn *fn,
			  void *opaque, char *error, size_t error_size);

// The same of one file, and of a text that begins like a file; name stands for the file's. A text
// that can't be used is returned only, and fn is not called.
int strata_test_run_file(const char *path, const struct strata_test_options *options,
			 strata_test_fn *fn, void *opaque, char *error, size_t error_size);
int strata_test_run_string(const char *name, const char *text,
			   const struct strata_test_options *options, strata_test_fn *fn,
			   void *opaque, char *error, size_t error_size);

// Run one case or test, written without the first line of a file (but with a machine, defaults or
// requires before it, if it needs them), in this process: of its limits those of instructions and
// of virtual time hold, that of the host's time does not. Returns its status; STRATA_TEST_BROKEN
// also when the text is malformed ("test:LINE:COLUMN: expected ...", from line 1 of the text) or
// has not exactly one test. message gets what there is to say, lines with their newlines, cut to
// message_size; 4096 bytes are enough for most.
enum strata_test_status strata_test_one(const char *text, char *message, size_t message_size);

// Names of all tests, one call each with status 0 and, for what would be skipped, the reason as
// message; nothing is run. Errors as above, but no other file's tests are named.
int strata_test_list(const char *const *paths, size_t count,
		     const struct strata_test_options *options, strata_test_fn *fn, void *opaque,
		     char *error, size_t error_size);

// The cases in a form that other machines can run (JSON lines); nothing is run.
int strata_test_export(const char *const *paths, size_t count,
		       const struct strata_test_options *options, FILE *file, char *error,
		       size_t error_size);

struct strata_options;

// Run the image of the options and write a test of this name (letters, digits, . _ -) that expects
// what was seen. 0, or -errno as strata_create with a line in error; then nothing is written.
int strata_test_record(const struct strata_options *options, const char *name, FILE *file,
		       char *error, size_t error_size);

#ifdef __cplusplus
}
#endif

#endif
