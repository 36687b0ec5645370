// SPDX-License-Identifier: Apache-2.0
// The log of a machine.
#include "base/log.h"

#include <string.h>

void log_init(struct log *log, FILE *file, enum log_level level)
{
	memset(log, 0, sizeof(*log));
	log->file = file;
	log->level = level;
}

static uint32_t log_hash(const char *s)
{
	uint32_t hash = 2166136261u;

	for (; *s != '\0'; s++) {
		hash = (hash ^ (uint8_t)*s) * 16777619u;
	}
	return hash;
}

void log_line(struct log *log, enum log_level level, const char *fmt, ...)
{
	static const char *const names[] = {"error", "guest", "unimplemented", "info", "debug"};
	char text[512];
	uint8_t *seen;
	va_list args;

	if (log == NULL || log->file == NULL || level > log->level) {
		return;
	}
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	seen = &log->seen[log_hash(text) % LOG_SEEN_SIZE];
	if (*seen >= LOG_REPEAT_MAX) {
		return;
	}
	(*seen)++;
	fprintf(log->file, "strata: %s: %s%s\n", names[level], text,
		*seen == LOG_REPEAT_MAX ? " (further such lines are dropped)" : "");
}
