// SPDX-License-Identifier: Apache-2.0
// Architecture features of a PE: the set that a model implements. The ID registers are computed
// from it, so that what is implemented is exactly what they say.
#ifndef STRATA_CPU_FEATURE_H
#define STRATA_CPU_FEATURE_H

#include <stdbool.h>
#include <stdint.h>

enum feature {
	FEAT_NONE, // a row that needs nothing
#define FEATURE(name, ...) name,
#include "cpu/feature.def"
#undef FEATURE
	FEATURE_COUNT
};

struct feature_set {
	uint64_t word[(FEATURE_COUNT + 63) / 64];
};

static inline bool feature_in(const struct feature_set *set, enum feature feature)
{
	return feature == FEAT_NONE || ((set->word[feature / 64] >> (feature % 64)) & 1);
}

const char *feature_name(enum feature feature);

// By its Arm ARM name with or without "FEAT_", in any case ("lse", "FEAT_LSE"); FEAT_NONE if there
// is none.
enum feature feature_find(const char *name);

void feature_add(struct feature_set *set, enum feature feature);

// Take a feature away, and with it every feature that needs it.
void feature_drop(struct feature_set *set, enum feature feature);

// The first prerequisite of a feature that the set lacks, or FEAT_NONE.
enum feature feature_missing(const struct feature_set *set, enum feature feature);

// Set the fields of the ID registers in id[SYSREG_COUNT] that follow from the features alone.
void feature_id_registers(const struct feature_set *set, uint64_t *id);

// Take away from writable[SYSREG_COUNT] the bits that need features that the set lacks.
void feature_mask_registers(const struct feature_set *set, uint64_t *writable);

#endif
