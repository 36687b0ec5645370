// SPDX-License-Identifier: Apache-2.0
// Lines, words, numbers and strings of a trap-test file.
#include "explain/open.h"
#include "traptest/lines.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "traptest/arena.h"
#include "traptest/test_file.h"

void tt_reader_init(struct tt_reader *r, const char *path, const char *text, size_t size,
		    struct tt_arena *arena, char *error, size_t error_size)
{
	static const char mark[] = "\xef\xbb\xbf"; // some editors begin a file with it

	*r = (struct tt_reader){.path = path,
				.arena = arena,
				.next = text + (size >= 3 && memcmp(text, mark, 3) == 0 ? 3 : 0),
				.end = text + size,
				.error = error,
				.error_size = error_size};
	r->capacity = 256;
	r->text = malloc(r->capacity);
	CHECK(r->text != NULL);
}

void tt_reader_done(struct tt_reader *r)
{
	free(r->text);
	free(r->origins);
}

bool tt_next_raw(struct tt_reader *r, const char **text, size_t *size)
{
	const char *end;

	if (r->next >= r->end) {
		return false;
	}
	end = memchr(r->next, '\n', (size_t)(r->end - r->next));
	*text = r->next;
	*size = (size_t)((end != NULL ? end : r->end) - r->next);
	r->next = end != NULL ? end + 1 : r->end;
	r->line++;
	if (*size != 0 && (*text)[*size - 1] == '\r') {
		(*size)--;
	}
	return true;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

// The last character of the quoted text that begins at `at`: its closing mark, where it has one.
static const char *quoted_end(const char *at, const char *end)
{
	for (at++; at < end && *at != '"'; at++) {
		at += *at == '\\' && at + 1 < end;
	}
	return at < end ? at : end - 1;
}

// Where the comment of a line begins: a '#' at its beginning, or one between spaces.
static size_t comment_start(const char *text, size_t size)
{
	bool only_space = true;

	for (size_t i = 0; i < size; i++) {
		if (text[i] == '#' && (only_space || (is_space(text[i - 1]) &&
						      (i + 1 == size || is_space(text[i + 1]))))) {
			return i;
		}
		only_space = only_space && is_space(text[i]);
		if (text[i] == '"') {
			i = (size_t)(quoted_end(text + i, text + size) - text);
		}
	}
	return size;
}

static void append(struct tt_reader *r, const char *text, size_t size, unsigned column)
{
	if (r->origin_count == r->origin_capacity) {
		r->origin_capacity = r->origin_capacity * 2 + 4;
		r->origins = realloc(r->origins, r->origin_capacity * sizeof(*r->origins));
		CHECK(r->origins != NULL);
	}
	r->origins[r->origin_count++] = (struct tt_lines_origin){r->size, r->line, column};
	if (r->size + size + 1 > r->capacity) {
		r->capacity = (r->size + size + 1) * 2;
		r->text = realloc(r->text, r->capacity);
		CHECK(r->text != NULL);
	}
	memcpy(r->text + r->size, text, size);
	r->size += size;
	r->text[r->size] = '\0';
}

bool tt_next_line(struct tt_reader *r, struct tt_cursor *c)
{
	const char *text;
	size_t size;

	do {
		bool more = true;

		r->size = 0;
		r->origin_count = 0;
		if (r->failed || !tt_next_raw(r, &text, &size)) {
			return false;
		}
		while (more) {
			size = comment_start(text, size);
			while (size != 0 && is_space(text[size - 1])) {
				size--;
			}
			more = size != 0 && text[size - 1] == '\\';
			append(r, text, more ? size - 1 : size, 1);
			more = more && tt_next_raw(r, &text, &size);
		}
		for (size_t i = 0; i < r->size; i++) {
			if (r->text[i] == '\0') {
				return tt_fail(r, r->text + i, "a zero byte is no text");
			}
		}
		*c = (struct tt_cursor){r->text, r->text + r->size};
	} while (tt_at_end(c));
	return true;
}

unsigned tt_line_number(const struct tt_reader *r)
{
	return r->origin_count != 0 ? r->origins[0].line : r->line;
}

struct tt_place tt_place_of(const struct tt_reader *r, const char *at)
{
	struct tt_place place = {r->line != 0 ? r->line : 1, 1};
	size_t offset;

	if (at != NULL && at >= r->text && at <= r->text + r->size) {
		offset = (size_t)(at - r->text);
		for (size_t i = 0; i < r->origin_count && r->origins[i].offset <= offset; i++) {
			place.line = r->origins[i].line;
			place.column =
				r->origins[i].column + (unsigned)(offset - r->origins[i].offset);
		}
	}
	return place;
}

static void fail_at(struct tt_reader *r, struct tt_place place, const char *fmt, va_list args)
{
	int n;

	if (r->failed) {
		return;
	}
	r->failed = true;
	n = snprintf(r->error, r->error_size, "%s:%u:%u: ", r->path, place.line, place.column);
	if (n >= 0 && (size_t)n < r->error_size) {
		vsnprintf(r->error + n, r->error_size - (size_t)n, fmt, args);
	}
}

bool tt_fail(struct tt_reader *r, const char *at, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fail_at(r, tt_place_of(r, at), fmt, args);
	va_end(args);
	return false;
}

bool tt_fail_place(struct tt_reader *r, struct tt_place place, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fail_at(r, place, fmt, args);
	va_end(args);
	return false;
}

bool tt_expected(struct tt_reader *r, const struct tt_cursor *c, const char *what)
{
	struct tt_cursor at = *c;

	tt_skip_space(&at);
	return tt_fail(r, at.at, "expected %s", what);
}

void tt_skip_space(struct tt_cursor *c)
{
	while (c->at < c->end && is_space(*c->at)) {
		c->at++;
	}
}

bool tt_at_end(struct tt_cursor *c)
{
	tt_skip_space(c);
	return c->at >= c->end;
}

bool tt_is_word(const struct tt_cursor *word, const char *text)
{
	size_t size = strlen(text);

	return (size_t)(word->end - word->at) == size && memcmp(word->at, text, size) == 0;
}

struct tt_cursor tt_word(struct tt_cursor *c, const char *stops)
{
	struct tt_cursor word;
	unsigned depth = 0;

	tt_skip_space(c);
	word.at = c->at;
	while (c->at < c->end) {
		char ch = *c->at;

		if (depth == 0 && (is_space(ch) || (stops != NULL && strchr(stops, ch) != NULL))) {
			break;
		}
		if (ch == '"') {
			c->at = quoted_end(c->at, c->end);
		}
		depth += ch == '[' || ch == '{';
		depth -= (ch == ']' || ch == '}') && depth != 0;
		c->at++;
	}
	word.end = c->at;
	return word;
}

bool tt_take(struct tt_cursor *c, const char *text)
{
	size_t size = strlen(text);

	if ((size_t)(c->end - c->at) < size || memcmp(c->at, text, size) != 0) {
		return false;
	}
	c->at += size;
	return true;
}

bool tt_cut(struct tt_cursor *c, char separator, struct tt_cursor *part)
{
	unsigned depth = 0;

	if (c->at > c->end) {
		return false;
	}
	part->at = c->at;
	while (c->at < c->end) {
		char ch = *c->at;

		if (ch == separator && depth == 0) {
			break;
		}
		if (ch == '"') {
			c->at = quoted_end(c->at, c->end);
		}
		depth += ch == '[' || ch == '{';
		depth -= (ch == ']' || ch == '}') && depth != 0;
		c->at++;
	}
	part->end = c->at;
	c->at++; // beyond the end when this was the last
	return true;
}

static int digit(char c, unsigned base)
{
	int value = c >= '0' && c <= '9'   ? c - '0'
		    : c >= 'a' && c <= 'f' ? c - 'a' + 10
		    : c >= 'A' && c <= 'F' ? c - 'A' + 10
					   : 99;

	return value < (int)base ? value : -1;
}

static bool plain_number(struct tt_reader *r, struct tt_cursor *c, uint64_t *value)
{
	const char *begin = c->at;
	unsigned base = 10;
	bool any = false;

	*value = 0;
	if (tt_take(c, "0x") || tt_take(c, "0X")) {
		base = 16;
	} else if (tt_take(c, "0b") || tt_take(c, "0B")) {
		base = 2;
	}
	while (c->at < c->end && (digit(*c->at, base) >= 0 || (any && *c->at == '_'))) {
		if (*c->at != '_') {
			uint64_t next = *value * base + (uint64_t)digit(*c->at, base);

			if (*value > (UINT64_MAX - (uint64_t)digit(*c->at, base)) / base) {
				return tt_fail(r, begin, "the number does not fit 64 bits");
			}
			*value = next;
		}
		any = true;
		c->at++;
	}
	if (!any) {
		return tt_fail(r, c->at, "expected a number");
	}
	return true;
}

bool tt_place(const char *name, size_t size, uint64_t *address)
{
	static const struct {
		const char *name;
		uint64_t address;
	} places[] = {
		{"code", OPEN_CODE},           {"data", OPEN_DATA},
		{"user", OPEN_USER},           {"ro", OPEN_RO},
		{"tagged", OPEN_TAGGED},       {"stack", OPEN_STACK},
		{"guarded", OPEN_GUARDED},     {"vectors1", OPEN_VECTORS(1)},
		{"vectors2", OPEN_VECTORS(2)}, {"vectors3", OPEN_VECTORS(3)},
		{"device", OPEN_DEVICE},       {"tables", OPEN_TABLES},
		{"unmapped", OPEN_UNMAPPED},   {"unmapped2", OPEN_UNMAPPED2},
		{"nothing", OPEN_NOTHING},
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (strlen(places[i].name) == size && memcmp(places[i].name, name, size) == 0) {
			*address = places[i].address;
			return true;
		}
	}
	return false;
}

bool tt_number(struct tt_reader *r, struct tt_cursor *c, uint64_t *value)
{
	const char *begin = c->at;
	uint64_t offset;

	if (!tt_take(c, "$")) {
		return plain_number(r, c, value);
	}
	while (c->at < c->end && isalnum((unsigned char)*c->at)) {
		c->at++;
	}
	if (!tt_place(begin + 1, (size_t)(c->at - begin - 1), value)) {
		return tt_fail(r, begin, "expected the name of a place ($data, $code, ...)");
	}
	if (c->at < c->end && (*c->at == '+' || *c->at == '-')) {
		bool minus = *c->at++ == '-';

		if (!plain_number(r, c, &offset)) {
			return false;
		}
		*value = minus ? *value - offset : *value + offset;
	}
	return true;
}

static bool escape(struct tt_reader *r, struct tt_cursor *c, char *out)
{
	static const char names[] = "nrt\"\\";
	static const char bytes[] = "\n\r\t\"\\";
	const char *found;

	if (c->at < c->end && *c->at == 'x') {
		int high = c->at + 1 < c->end ? digit(c->at[1], 16) : -1;
		int low = c->at + 2 < c->end ? digit(c->at[2], 16) : -1;

		if (high < 0 || low < 0) {
			return tt_fail(r, c->at, "expected two hexadecimal digits");
		}
		if (high == 0 && low == 0) {
			return tt_fail(r, c->at, "a text has no zero byte");
		}
		*out = (char)(high << 4 | low);
		c->at += 3;
		return true;
	}
	found = c->at < c->end ? strchr(names, *c->at) : NULL;
	if (found == NULL || *found == '\0') {
		return tt_fail(r, c->at, "expected one of n r t x \" \\ after the backslash");
	}
	*out = bytes[found - names];
	c->at++;
	return true;
}

bool tt_string(struct tt_reader *r, struct tt_cursor *c, const char **text)
{
	char *out;
	size_t size = 0;

	tt_skip_space(c);
	if (!tt_take(c, "\"")) {
		return tt_expected(r, c, "a text in quotation marks");
	}
	out = tt_alloc(r->arena, (size_t)(c->end - c->at) + 1);
	while (c->at < c->end && *c->at != '"') {
		if (*c->at == '\\') {
			c->at++;
			if (!escape(r, c, &out[size++])) {
				return false;
			}
		} else {
			out[size++] = *c->at++;
		}
	}
	if (!tt_take(c, "\"")) {
		return tt_expected(r, c, "a quotation mark that ends the text");
	}
	*text = out;
	return true;
}

char *tt_text(struct tt_reader *r, struct tt_cursor c)
{
	tt_skip_space(&c);
	while (c.end > c.at && is_space(c.end[-1])) {
		c.end--;
	}
	return tt_copy(r->arena, c.at, (size_t)(c.end - c.at));
}
