// SPDX-License-Identifier: Apache-2.0
// The text of a trap-test file as logical lines and words, each with its place for messages.
#ifndef STRATA_TRAPTEST_LINES_H
#define STRATA_TRAPTEST_LINES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tt_arena;

// Reads a stretch of one logical line, from `at` to `end`.
struct tt_cursor {
	const char *at, *end;
};

struct tt_lines_origin {
	size_t offset; // into the logical line
	unsigned line;
	unsigned column;
};

struct tt_place {
	unsigned line, column;
};

struct tt_reader {
	const char *path;
	struct tt_arena *arena;
	const char *next, *end; // of the file's text
	unsigned line; // number of the physical line last read
	// The logical line.
	char *text;
	size_t size, capacity;
	struct tt_lines_origin *origins;
	size_t origin_count, origin_capacity;
	bool failed;
	char *error;
	size_t error_size;
};

void tt_reader_init(struct tt_reader *r, const char *path, const char *text, size_t size,
		    struct tt_arena *arena, char *error, size_t error_size);
void tt_reader_done(struct tt_reader *r);

// The next logical line that is not empty, without its comment. False at the end of the text.
bool tt_next_line(struct tt_reader *r, struct tt_cursor *c);

// The next physical line as it is, for assembly. False at the end of the text.
bool tt_next_raw(struct tt_reader *r, const char **text, size_t *size);

// The number of the line that the logical line began on.
unsigned tt_line_number(const struct tt_reader *r);

// Note what is wrong at a place of the current logical line, if nothing was noted before. Returns
// false.
bool tt_fail(struct tt_reader *r, const char *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
// The same of another line than the current one.
bool tt_fail_place(struct tt_reader *r, struct tt_place place, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
struct tt_place tt_place_of(const struct tt_reader *r, const char *at);
bool tt_expected(struct tt_reader *r, const struct tt_cursor *c, const char *what);

void tt_skip_space(struct tt_cursor *c);
bool tt_at_end(struct tt_cursor *c); // after spaces
bool tt_is_word(const struct tt_cursor *word, const char *text);

// The next word up to a space (or one of `stops`); empty at the end.
struct tt_cursor tt_word(struct tt_cursor *c, const char *stops);

// Take the text if it comes next.
bool tt_take(struct tt_cursor *c, const char *text);

// Cut at the next `separator` outside of brackets and quotes, or at the end; false when c is used
// up.
bool tt_cut(struct tt_cursor *c, char separator, struct tt_cursor *part);

// A number, or $place[+offset]. False: noted.
bool tt_number(struct tt_reader *r, struct tt_cursor *c, uint64_t *value);

// "text" with escapes.
bool tt_string(struct tt_reader *r, struct tt_cursor *c, const char **text);

char *tt_text(struct tt_reader *r, struct tt_cursor c); // a copy, without spaces around it

#endif
