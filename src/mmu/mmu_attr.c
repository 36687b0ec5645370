// SPDX-License-Identifier: Apache-2.0
// Memory attributes (S1DecodeMemAttrs, S2DecodeMemAttrs, S2CombineS1MemAttrs,
// AArch64.S2ApplyFWBMemAttrs), and how outcomes are encoded: PAR_EL1 and fault status codes
// (AArch64.EncodePAR, EncodeLDFSC).
#include "mmu/mmu_internal.h"

struct mem_attrs attr_device(unsigned device)
{
	return (struct mem_attrs){.is_device = true,
				  .device = (uint8_t)device,
				  .share = SHARE_OUTER,
				  .xs = true};
}

struct mem_attrs attr_normal_nc(bool xs)
{
	return (struct mem_attrs){.share = SHARE_OUTER, .xs = xs};
}

// One nibble of MAIR: 00RW write-through transient, 0100 non-cacheable, 01RW write-back transient,
// 10RW write-through, 11RW write-back.
static struct mem_hints hints_decode(unsigned nibble)
{
	struct mem_hints hints = {.cache = MEM_NC};

	if (nibble == 4) {
		return hints;
	}
	hints.cache = (nibble & 4) != 0 ? MEM_WB : MEM_WT;
	hints.transient = (nibble & 8) == 0;
	hints.alloc = nibble & 3;
	return hints;
}

static unsigned hints_encode(struct mem_hints hints)
{
	if (hints.cache == MEM_NC) {
		return 4;
	}
	return (hints.transient ? 0u : 8u) | (hints.cache == MEM_WB ? 4u : 0u) | hints.alloc;
}

// 0b01 is reserved and taken as Non-shareable.
static uint8_t share_decode(unsigned sh)
{
	return sh == 1 ? SHARE_NON : (uint8_t)sh;
}

struct mem_attrs attr_s1_decode(uint8_t mair_attr, unsigned sh)
{
	struct mem_attrs attrs = {.share = share_decode(sh)};

	if ((mair_attr & 0xf0) == 0) {
		// Device; bit 1 set is UNPREDICTABLE and ignored here.
		attrs = attr_device((mair_attr >> 2) & 3);
		attrs.xs = (mair_attr & 1) == 0;
		return attrs;
	}
	switch (mair_attr) {
	case MMU_ATTR_NC_NXS: // FEAT_XS
		attrs.share = SHARE_OUTER;
		return attrs;
	case MMU_ATTR_WT_NXS: // FEAT_XS
		attrs.inner = attrs.outer = (struct mem_hints){.cache = MEM_WT, .alloc = 2};
		return attrs;
	case 0xf0: // FEAT_MTE2: tagged write-back
		attrs.tagged = true;
		attrs.inner = attrs.outer = (struct mem_hints){.cache = MEM_WB, .alloc = 3};
		return attrs;
	default:
		attrs.outer = hints_decode(mair_attr >> 4);
		attrs.inner = hints_decode(mair_attr & 0xf);
		attrs.xs = attrs.inner.cache != MEM_WB || attrs.outer.cache != MEM_WB;
		return attrs;
	}
}

// Two bits of a stage 2 attribute: 01 non-cacheable, 10 write-through, 11 write-back. 00 in the
// inner field is reserved.
static struct mem_hints s2_hints(unsigned field)
{
	static const uint8_t caches[4] = {MEM_WB, MEM_NC, MEM_WT, MEM_WB};
	struct mem_hints hints = {.cache = caches[field], .alloc = 3};

	return hints;
}

struct mem_attrs attr_s2_decode(unsigned attr, unsigned sh)
{
	struct mem_attrs attrs = {.share = share_decode(sh)};

	if ((attr & 0xc) == 0) {
		return attr_device(attr & 3);
	}
	if (attr == 4) {
		attrs.inner = attrs.outer = s2_hints(3);
		return attrs;
	}
	attrs.outer = s2_hints(attr >> 2);
	attrs.inner = s2_hints(attr & 3);
	return attrs;
}

// Device and Normal Non-cacheable are always Outer Shareable (EffectiveShareability).
uint8_t attr_share_effective(const struct mem_attrs *attrs)
{
	if (attrs->is_device || (attrs->inner.cache == MEM_NC && attrs->outer.cache == MEM_NC)) {
		return SHARE_OUTER;
	}
	return attrs->share;
}

static uint8_t share_combine(uint8_t a, uint8_t b)
{
	if (a == SHARE_OUTER || b == SHARE_OUTER) {
		return SHARE_OUTER;
	}
	return a == SHARE_INNER || b == SHARE_INNER ? SHARE_INNER : SHARE_NON;
}

static struct mem_hints hints_combine(struct mem_hints s1, struct mem_hints s2)
{
	struct mem_hints hints = s1;

	hints.cache = s1.cache < s2.cache ? s1.cache : s2.cache;
	return hints;
}

// S2MemTagType: tagged is what stage 1 made so and stage 2 left write-back with both allocation
// hints.
static bool stays_tagged(const struct mem_attrs *s1, const struct mem_attrs *combined)
{
	return s1->tagged && !combined->is_device && hints_encode(combined->inner) == 0xf &&
	       hints_encode(combined->outer) == 0xf;
}

struct mem_attrs attr_combine(const struct mem_attrs *s1, const struct mem_attrs *s2)
{
	struct mem_attrs attrs = {.share = share_combine(s1->share, s2->share)};
	bool xs = s1->xs && s2->xs;

	if (s1->is_device || s2->is_device) {
		unsigned device = !s2->is_device || (s1->is_device && s1->device < s2->device)
					  ? s1->device
					  : s2->device;

		attrs = attr_device(device);
		attrs.xs = xs;
		return attrs;
	}
	attrs.xs = xs;
	attrs.inner = hints_combine(s1->inner, s2->inner);
	attrs.outer = hints_combine(s1->outer, s2->outer);
	attrs.share = attr_share_effective(&attrs);
	attrs.tagged = stays_tagged(s1, &attrs);
	return attrs;
}

static struct mem_hints hints_forced_wb(const struct mem_attrs *s1, struct mem_hints hints)
{
	if (s1->is_device || hints.cache == MEM_NC) {
		return (struct mem_hints){.cache = MEM_WB, .alloc = 3};
	}
	hints.cache = MEM_WB;
	return hints;
}

struct mem_attrs attr_combine_fwb(const struct mem_attrs *s1, unsigned s2_attr, unsigned sh,
				  bool fnxs)
{
	struct mem_attrs attrs = *s1;
	uint8_t share = share_combine(s1->share, share_decode(sh));

	if ((s2_attr & 4) == 0) {
		unsigned device = s2_attr & 3;

		attrs = attr_device(s1->is_device && s1->device < device ? s1->device : device);
		attrs.xs = s1->xs && !fnxs;
		return attrs;
	}
	switch (s2_attr & 3) {
	case 3:
		break;
	case 2:
		attrs = (struct mem_attrs){.inner = hints_forced_wb(s1, s1->inner),
					   .outer = hints_forced_wb(s1, s1->outer)};
		break;
	default:
		if (!s1->is_device) {
			attrs = attr_normal_nc(s1->xs);
		}
		break;
	}
	attrs.xs = attrs.xs && !fnxs;
	attrs.share = share;
	attrs.share = attr_share_effective(&attrs);
	attrs.tagged = stays_tagged(s1, &attrs);
	return attrs;
}

void attr_report(const struct mem_attrs *attrs, struct attr_result *result)
{
	result->device = attrs->device;
	result->shareability = attr_share_effective(attrs);
	if (attrs->is_device) {
		result->memtype = MMU_MEM_DEVICE;
		result->attr = (uint8_t)(attrs->device << 2 | !attrs->xs);
		return;
	}
	result->memtype = attrs->inner.cache == MEM_NC && attrs->outer.cache == MEM_NC
				  ? MMU_MEM_NORMAL_NC
				  : MMU_MEM_NORMAL;
	if (attrs->tagged) {
		result->attr = MMU_ATTR_TAGGED;
		return;
	}
	result->attr = (uint8_t)(hints_encode(attrs->outer) << 4 | hints_encode(attrs->inner));
	// EncodePARAttrs: read-allocate write-through, as the outer attribute says it, and
	// Non-cacheable.
	if (!attrs->xs && result->attr >> 4 == 0xa && attrs->inner.cache == MEM_WT) {
		result->attr = MMU_ATTR_WT_NXS;
	} else if (!attrs->xs && result->attr == 0x44) {
		result->attr = MMU_ATTR_NC_NXS;
	}
}

uint8_t mmu_fault_status(const struct mmu_fault *fault)
{
	unsigned level = (unsigned)(fault->level < 0 ? 0 : fault->level) & 3;
	bool minus_one = fault->level < 0;

	switch (fault->type) {
	case MMU_FAULT_ADDRESS_SIZE:
		return minus_one ? 0x29 : (uint8_t)(0x00 | level);
	case MMU_FAULT_TRANSLATION:
		return minus_one ? 0x2b : (uint8_t)(0x04 | level);
	case MMU_FAULT_ACCESS_FLAG:
		return (uint8_t)(0x08 | level);
	case MMU_FAULT_PERMISSION:
		return (uint8_t)(0x0c | level);
	case MMU_FAULT_EXTERNAL:
		return 0x10;
	case MMU_FAULT_EXTERNAL_WALK:
		return minus_one ? 0x13 : (uint8_t)(0x14 | level);
	case MMU_FAULT_ALIGNMENT:
		return 0x21;
	case MMU_FAULT_TLB_CONFLICT:
		return 0x30;
	case MMU_FAULT_UNSUPPORTED_HW_UPDATE:
		return 0x31;
	case MMU_FAULT_UNSUPPORTED_ATOMIC:
	case MMU_FAULT_EXCLUSIVE:
		return 0x35;
	case MMU_FAULT_NONE:
		break;
	}
	return 0;
}

uint64_t mmu_par_success(const struct mmu_regime *regime, const struct mmu_result *result)
{
	(void)regime;
	return (uint64_t)result->attr << 56 | (result->pa.v & MASK(55, 12)) | BIT(11) |
	       (uint64_t)result->ns << 9 | (uint64_t)result->shareability << 7;
}

uint64_t mmu_par_fault(const struct mmu_fault *fault)
{
	return (uint64_t)fault->dirty << 15 | (uint64_t)fault->overlay << 14 | BIT(11) |
	       (uint64_t)fault->stage2 << 9 | (uint64_t)fault->s1ptw << 8 |
	       (uint64_t)mmu_fault_status(fault) << 1 | 1;
}
