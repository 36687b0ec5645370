// SPDX-License-Identifier: Apache-2.0
// Typed addresses: a virtual, an intermediate physical and a physical address never mix by
// accident.
#ifndef STRATA_BASE_ADDR_H
#define STRATA_BASE_ADDR_H

#include <stdint.h>

typedef struct {
	uint64_t v;
} va_t;

typedef struct {
	uint64_t v;
} ipa_t;

typedef struct {
	uint64_t v;
} pa_t;

static inline va_t va_make(uint64_t v)
{
	return (va_t){v};
}

static inline ipa_t ipa_make(uint64_t v)
{
	return (ipa_t){v};
}

static inline pa_t pa_make(uint64_t v)
{
	return (pa_t){v};
}

// Physical address spaces (Arm ARM D8.1.2). Realm and Root stay unused until FEAT_RME.
enum pas { PAS_NONSECURE, PAS_SECURE, PAS_REALM, PAS_ROOT, PAS_COUNT };

#define PAGE_SHIFT 12
#define PAGE_SIZE (UINT64_C(1) << PAGE_SHIFT)
#define PAGE_MASK (PAGE_SIZE - 1)

#endif
