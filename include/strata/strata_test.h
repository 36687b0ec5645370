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
	STRATA_TEST_BROKEN // could not be run: no image, no assembler for what is in it
};

struct strata_test_result {
	const char *name; // "FILE/NAME"
	const char *path; // of the file
	unsigned line;
	enum strata_test_status status;
	const char *message; // lines, each with its newline; empty if passed
	double seconds;
};

struct strata_test_options {
	unsigned jobs; // worker processes; 0: as many as processors. STRATA_TEST_IN_PROCESS: none
	const char *const *filters; // only tests whose name matches one; none: all
	size_t filter_count;
	const char *const *defines; // NAME=VALUE for ${NAME} in file names
	size_t define_count;
	const char *cpu; // instead of what the files say; NULL
	double limit; // host seconds for a test that says none itself; 0: 20
	bool explain; // a case also fails when strata_explain says something else than happens
};

#define STRATA_TEST_IN_PROCESS (~0u) // a test that hangs or crashes then takes the caller along

// Called in the order of the files and of the tests in them.
typedef void strata_test_fn(void *opaque, const struct strata_test_result *result);

// Run the tests of files. options may be NULL. 0 when all files could be used, whatever the tests'
// outcomes; -EINVAL, -EIO or -ENOENT with one line in error ("FILE:LINE:COLUMN: expected ...") when
// one could not: then nothing was run.
int strata_test_run_files(const char *const *paths, size_t count,
			  const struct strata_test_options *options, strata_test_fn *fn,
			  void *opaque, char *error, size_t error_size);

// The same of one file, and of a text; name stands for the file's.
int strata_test_run_file(const char *path, const struct strata_test_options *options,
			 strata_test_fn *fn, void *opaque, char *error, size_t error_size);
int strata_test_run_string(const char *name, const char *text,
			   const struct strata_test_options *options, strata_test_fn *fn,
			   void *opaque, char *error, size_t error_size);

// Run one case or test, written without the first line of a file, in this process. Returns its
// status; STRATA_TEST_BROKEN also when the text is malformed. message gets what there is to say.
enum strata_test_status strata_test_one(const char *text, char *message, size_t message_size);

// Names of all tests, one call each; nothing is run.
int strata_test_list(const char *const *paths, size_t count,
		     const struct strata_test_options *options, strata_test_fn *fn, void *opaque,
		     char *error, size_t error_size);

// The cases in a form that other machines can run (JSON lines); nothing is run.
int strata_test_export(const char *const *paths, size_t count,
		       const struct strata_test_options *options, FILE *file, char *error,
		       size_t error_size);

struct strata_options;

// Run the image of the options and write a test in this format that expects what was seen.
int strata_test_record(const struct strata_options *options, const char *name, FILE *file,
		       char *error, size_t error_size);

#ifdef __cplusplus
}
#endif

#endif
