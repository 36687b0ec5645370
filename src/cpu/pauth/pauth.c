// SPDX-License-Identifier: Apache-2.0
// AddPAC(), Auth(), Strip() and PACGA of the Arm ARM as functions of values.
//
// A pointer's code occupies its bits from the range's bottom bit to 54, and 56 to 63 too unless the
// top byte is ignored. Bit 55 always tells which range the pointer belongs to.
#include "cpu/pauth/pauth.h"

#include <stddef.h>

#include "base/bits.h"

// Bits hi..lo, none where lo is above hi.
static uint64_t field_mask(unsigned hi, unsigned lo)
{
	return lo > hi ? 0 : MASK(hi, lo);
}

// The bits that hold the code.
static uint64_t pac_mask(const struct pauth_range *r)
{
	return field_mask(54, r->bottom_bit) | (r->tbi ? 0 : MASK(63, 56));
}

// The bits that a pointer without a code has equal to its bit 55, bit 55 included.
static uint64_t extension_mask(const struct pauth_range *r)
{
	return field_mask(r->tbi ? 55 : 63, r->bottom_bit);
}

static uint64_t extend(uint64_t ptr, uint64_t mask, bool ones)
{
	return ones ? ptr | mask : ptr & ~mask;
}

// There is no room for a code: the top byte is ignored and the addresses reach up to bit 54 or
// further.
static bool has_no_field(const struct pauth_range *r)
{
	return r->tbi && r->bottom_bit >= 55;
}

static uint64_t compute(enum pauth_algorithm alg, struct pauth_cache *cache, uint64_t data,
			uint64_t modifier, struct pauth_key key)
{
	struct pauth_cache_entry *e;
	uint64_t hash;

	// The implementation defined algorithm costs less than the look-up.
	if (cache == NULL || alg == PAUTH_ALGORITHM_IMPDEF) {
		return pauth_compute_pac(alg, data, modifier, key.hi, key.lo);
	}
	hash = (data ^ ror64(modifier, 17)) * UINT64_C(0x9e3779b97f4a7c15);
	e = &cache->entry[(hash >> 32) % PAUTH_CACHE_SIZE];
	if (e->data != data || e->modifier != modifier || e->key.hi != key.hi ||
	    e->key.lo != key.lo || e->alg_plus_1 != (uint64_t)alg + 1) {
		e->data = data;
		e->modifier = modifier;
		e->key = key;
		e->alg_plus_1 = (uint64_t)alg + 1;
		e->pac = pauth_compute_pac(alg, data, modifier, key.hi, key.lo);
	}
	return e->pac;
}

uint8_t pauth_bottom_bit(unsigned txsz, unsigned min_txsz, unsigned max_txsz)
{
	if (txsz < min_txsz) {
		txsz = min_txsz;
	}
	if (txsz > max_txsz) {
		txsz = max_txsz;
	}
	return (uint8_t)(64 - txsz);
}

// AddPAC(): the range that the result will belong to. Bit 63 says so, as in an address that has no
// code yet, unless the top byte may be ignored: in a two-range regime, in either half.
static bool select_upper(const struct pauth_params *p, uint64_t ptr)
{
	bool by_bit55 = p->range[bit(ptr, 55)].tbi;

	if (p->two_ranges) {
		by_bit55 = p->range[0].tbi || p->range[1].tbi;
	}
	if (p->has_pauth2 && p->has_constpacfield) {
		by_bit55 = true;
	}
	return bit(ptr, by_bit55 ? 55 : 63);
}

uint64_t pauth_add(const struct pauth_params *p, uint64_t ptr, uint64_t modifier,
		   struct pauth_key key)
{
	bool upper = select_upper(p, ptr);
	// Whether the top byte is ignored goes by bit 55, how far addresses reach by the selected
	// range.
	struct pauth_range r = {
		.tbi = p->range[bit(ptr, 55)].tbi,
		.bottom_bit = p->range[upper].bottom_bit,
	};
	uint64_t extension = extension_mask(&r);
	uint64_t field = pac_mask(&r);
	uint64_t pac;

	if (has_no_field(&r)) {
		return ptr;
	}
	pac = compute(p->alg, p->cache, extend(ptr, extension, upper), modifier, key);
	if (p->has_pauth2) {
		// The code is added to what is there, so a pointer that was not canonical stays
		// wrong.
		pac ^= ptr;
	} else if ((ptr & extension) != 0 && (ptr & extension) != extension) {
		if (p->has_epac) {
			pac = 0;
		} else {
			pac ^= BIT(r.tbi ? 54 : 62);
		}
	}
	ptr = (ptr & ~(extension | field)) | (pac & field);
	return extend(ptr, BIT(55), upper);
}

struct pauth_auth_result pauth_auth(const struct pauth_params *p, uint64_t ptr, uint64_t modifier,
				    struct pauth_key key, bool is_data,
				    enum pauth_key_number key_number, bool is_combined)
{
	bool upper = bit(ptr, 55);
	const struct pauth_range *r = &p->range[upper];
	struct pauth_auth_result result = {.ptr = ptr};
	uint64_t field = pac_mask(r);
	uint64_t original = extend(ptr, extension_mask(r), upper);
	uint64_t pac;

	if (has_no_field(r)) {
		return result;
	}
	pac = compute(p->alg, p->cache, original, modifier, key);
	if (!p->has_pauth2) {
		result.ptr = original;
		if (((pac ^ ptr) & field) != 0) {
			// An error code in place of two extension bits makes the pointer unusable.
			unsigned low = r->tbi ? 53 : 61;

			result.ptr =
				bits_set(original, low + 1, low, key_number == PAUTH_KEY_B ? 2 : 1);
		}
		return result;
	}
	result.ptr = ptr ^ (pac & field);
	if (p->has_fpac_combined || (p->has_fpac && !is_combined)) {
		result.fail = (result.ptr & field) != (upper ? field : 0);
		result.iss = (uint8_t)(is_data << 1 | (key_number == PAUTH_KEY_B));
	}
	return result;
}

uint64_t pauth_strip(const struct pauth_params *p, uint64_t ptr)
{
	bool upper = bit(ptr, 55);
	const struct pauth_range *r = &p->range[upper];

	if (has_no_field(r)) {
		return ptr;
	}
	return extend(ptr, extension_mask(r), upper);
}

uint64_t pauth_generic(enum pauth_algorithm alg, struct pauth_cache *cache, uint64_t data,
		       uint64_t modifier, struct pauth_key key)
{
	return compute(alg, cache, data, modifier, key) & MASK(63, 32);
}
