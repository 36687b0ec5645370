// SPDX-License-Identifier: Apache-2.0
// JSON, a value at a time.
#include "explain/explain.h"

static void put_string(FILE *file, const char *string)
{
	fputc('"', file);
	for (const unsigned char *c = (const unsigned char *)string; *c != '\0'; c++) {
		if (*c == '"' || *c == '\\') {
			fputc('\\', file);
			fputc(*c, file);
		} else if (*c < 0x20 || *c >= 0x7f) {
			fprintf(file, "\\u%04x", *c);
		} else {
			fputc(*c, file);
		}
	}
	fputc('"', file);
}

static void put_key(struct json *json, const char *key)
{
	if (json->begun) {
		fputc(',', json->file);
	}
	json->begun = true;
	if (key != NULL) {
		put_string(json->file, key);
		fputc(':', json->file);
	}
}

void json_open(struct json *json, const char *key, char bracket)
{
	put_key(json, key);
	fputc(bracket, json->file);
	json->begun = false;
}

void json_close(struct json *json, char bracket)
{
	fputc(bracket, json->file);
	json->begun = true;
}

void json_text(struct json *json, const char *key, const char *value)
{
	put_key(json, key);
	put_string(json->file, value);
}

// 64-bit values as hexadecimal strings: readers of JSON may keep numbers as doubles.
void json_hex(struct json *json, const char *key, uint64_t value)
{
	put_key(json, key);
	fprintf(json->file, "\"0x%llx\"", (unsigned long long)value);
}

void json_number(struct json *json, const char *key, uint64_t value)
{
	put_key(json, key);
	fprintf(json->file, "%llu", (unsigned long long)value);
}

void json_bool(struct json *json, const char *key, bool value)
{
	put_key(json, key);
	fputs(value ? "true" : "false", json->file);
}

void json_end(struct json *json, const struct strata_explain_end *end)
{
	static const char *const names[] = {
		[STRATA_EXPLAIN_COMPLETES] = "completes", [STRATA_EXPLAIN_RETURNS] = "returns",
		[STRATA_EXPLAIN_MEMORY] = "memory",       [STRATA_EXPLAIN_UNDEFINED] = "undefined",
		[STRATA_EXPLAIN_EXCEPTION] = "exception",
	};

	json_text(json, "outcome", names[end->outcome]);
	json_number(json, "el", end->el);
	json_bool(json, "secure", end->secure);
	if (end->outcome == STRATA_EXPLAIN_UNDEFINED || end->outcome == STRATA_EXPLAIN_EXCEPTION) {
		json_number(json, "ec", end->ec);
		json_hex(json, "iss", end->iss);
	}
	if (end->has_far) {
		json_hex(json, "far", end->far);
	}
	if (end->control[0] != '\0') {
		json_text(json, "control", end->control);
	}
	json_text(json, "text", end->text);
}
