// SPDX-License-Identifier: Apache-2.0
// The log of a machine: what the guest did that a person should know about (an unimplemented
// feature used, a guest error at a device). Lines go to stderr or a file; repeated lines from one
// place are limited.
#ifndef STRATA_BASE_LOG_H
#define STRATA_BASE_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_GUEST,
	LOG_LEVEL_UNIMP,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};

#define LOG_SEEN_SIZE 1024

struct log {
	FILE *file; // NULL: silent
	enum log_level level; // lines above this level are dropped
	uint8_t seen[LOG_SEEN_SIZE]; // how often a line (by hash) was printed, saturating
};

#define LOG_REPEAT_MAX 8 // identical lines printed before the rest is dropped

void log_init(struct log *log, FILE *file, enum log_level level);

// Print one line, "strata: LEVEL: text". A line printed LOG_REPEAT_MAX times already is dropped.
// log may be NULL.
void log_line(struct log *log, enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
