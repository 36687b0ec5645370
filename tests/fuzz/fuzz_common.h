// SPDX-License-Identifier: Apache-2.0
// What the fuzz drivers share: options, a repeatable source of randomness, mutations, and when to
// stop.
#ifndef STRATA_TESTS_FUZZ_COMMON_H
#define STRATA_TESTS_FUZZ_COMMON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct fuzz {
	uint64_t seed, state;
	uint64_t iterations, iterations_max;
	uint64_t seconds_max;
	time_t begin;
	const char *save; // the current input goes here before it is tried; NULL: not
};

// Reads --seed, --seconds, --iterations and --save; returns the index of the first other argument.
static inline int fuzz_init(struct fuzz *fuzz, int argc, char **argv)
{
	int i = 1;

	memset(fuzz, 0, sizeof(*fuzz));
	fuzz->seed = 1;
	while (i + 1 < argc && strncmp(argv[i], "--", 2) == 0) {
		if (strcmp(argv[i], "--seed") == 0) {
			fuzz->seed = strtoull(argv[i + 1], NULL, 0);
		} else if (strcmp(argv[i], "--seconds") == 0) {
			fuzz->seconds_max = strtoull(argv[i + 1], NULL, 0);
		} else if (strcmp(argv[i], "--iterations") == 0) {
			fuzz->iterations_max = strtoull(argv[i + 1], NULL, 0);
		} else if (strcmp(argv[i], "--save") == 0) {
			fuzz->save = argv[i + 1];
		} else {
			break;
		}
		i += 2;
	}
	if (fuzz->seconds_max == 0 && fuzz->iterations_max == 0) {
		fuzz->iterations_max = 20000;
	}
	fuzz->state = fuzz->seed;
	fuzz->begin = time(NULL);
	return i;
}

static inline uint64_t fuzz_random(struct fuzz *fuzz)
{
	uint64_t z;

	fuzz->state += UINT64_C(0x9e3779b97f4a7c15);
	z = fuzz->state;
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static inline bool fuzz_next(struct fuzz *fuzz)
{
	if (fuzz->iterations_max != 0 && fuzz->iterations >= fuzz->iterations_max) {
		return false;
	}
	if (fuzz->seconds_max != 0 && (uint64_t)(time(NULL) - fuzz->begin) >= fuzz->seconds_max) {
		return false;
	}
	fuzz->iterations++;
	return true;
}

static inline void fuzz_save(const struct fuzz *fuzz, const void *data, size_t size)
{
	FILE *f = fuzz->save != NULL ? fopen(fuzz->save, "wb") : NULL;

	if (f != NULL) {
		(void)!fwrite(data, 1, size, f);
		fclose(f);
	}
}

static inline void fuzz_done(const struct fuzz *fuzz)
{
	printf("%llu inputs, seed %llu, %lld s: nothing found\n",
	       (unsigned long long)fuzz->iterations, (unsigned long long)fuzz->seed,
	       (long long)(time(NULL) - fuzz->begin));
}

// Values at which arithmetic on sizes and addresses goes wrong.
static inline uint64_t fuzz_interesting(struct fuzz *fuzz)
{
	static const uint64_t values[] = {0,
					  1,
					  0x7f,
					  0x80,
					  0xff,
					  0x7fff,
					  0xffff,
					  0x10000,
					  0x3fffffff,
					  0x40000000,
					  0x407fffff,
					  0x40800000,
					  0x7fffffff,
					  0x80000000,
					  0xffffffff,
					  UINT64_C(0x100000000),
					  UINT64_C(0x7fffffffffffffff),
					  UINT64_C(0x8000000000000000),
					  UINT64_C(0xfffffffffffff000),
					  UINT64_C(0xffffffffffffffff)};

	return values[fuzz_random(fuzz) % (sizeof(values) / sizeof(values[0]))] +
	       fuzz_random(fuzz) % 3 - 1;
}

static inline size_t fuzz_mutate_once(struct fuzz *fuzz, uint8_t *data, size_t size, size_t max)
{
	// Headers are where the decisions are: half of the changes go to the first 256 bytes.
	size_t span = fuzz_random(fuzz) & 1 && size > 256 ? 256 : size;
	size_t at = span != 0 ? fuzz_random(fuzz) % span : 0;
	size_t width = (size_t)1 << (fuzz_random(fuzz) % 4);
	uint64_t value;
	size_t n;

	switch (size == 0 ? 6 : fuzz_random(fuzz) % 8) {
	case 0: // one bit
		data[at] ^= (uint8_t)(1u << (fuzz_random(fuzz) % 8));
		return size;
	case 1: // one byte
		data[at] = (uint8_t)fuzz_random(fuzz);
		return size;
	case 2: // an aligned field
	case 3:
		value = fuzz_interesting(fuzz);
		at &= ~(width - 1);
		for (size_t i = 0; i < width && at + i < size; i++) {
			data[at + i] = (uint8_t)(value >> (8 * i));
		}
		return size;
	case 4: // cut off
		return fuzz_random(fuzz) % (size + 1);
	case 5: // copy a piece over another
		n = fuzz_random(fuzz) % 64;
		for (size_t i = 0; i < n && at + i < size; i++) {
			data[at + i] = data[fuzz_random(fuzz) % size];
		}
		return size;
	case 6: // grow
		n = fuzz_random(fuzz) % 64;
		for (size_t i = 0; i < n && size < max; i++) {
			data[size++] = (uint8_t)fuzz_random(fuzz);
		}
		return size;
	default: // a little up or down
		data[at] = (uint8_t)(data[at] + fuzz_random(fuzz) % 9 - 4);
		return size;
	}
}

// Change data in place a few times; returns the new size, at most max.
static inline size_t fuzz_mutate(struct fuzz *fuzz, uint8_t *data, size_t size, size_t max)
{
	size_t count = fuzz_random(fuzz) % 8;

	for (size_t i = 0; i < count; i++) {
		size = fuzz_mutate_once(fuzz, data, size, max);
	}
	return size;
}

#endif
