// SPDX-License-Identifier: Apache-2.0
//
// abort.h - what the tests of the MMU share: expectations for aborts, and one property told for
// each granule.
#ifndef ABORT_H
#define ABORT_H

#include "guest.h"
#include "pgtable.h"

// An abort with exactly this syndrome and FAR. (QEMU 7.2 sets ISV, SAS, SRT, SF and AR for aborts
// that EL2 takes from itself; the architecture has them for stage 2 only. They are not compared
// there.)
#define EXPECT_ABORT(e, to, ec, iss, far_) \
	expect_abort(__LINE__, &(e), to, ec, iss, (uint64_t)(far_))

static inline void expect_abort(int line, const struct exc *e, int to, uint64_t ec, uint64_t iss,
				uint64_t far)
{
	struct exc seen = *e;

	if (guest_qemu() && guest_qemu() < 11 && to == EL2 && ec == EC_DABT_SAME) {
		seen.esr &= ~(ISS_ISV | ISS_SAS(3) | ISS_SSE | ISS_SRT(31) | ISS_SF | ISS_AR);
	}
	guest_expect_exc("abort", line, &seen, to, ESR(ec, iss));
	guest_expect_eq("abort", line, "FAR", seen.far, far);
}

// TEST_GRANULES(name) { body } gives the tests name_4k, name_16k and name_64k; the body sees
// granule, as a shift.
#define TEST_GRANULES(name) \
	static void granules_##name(unsigned granule); \
	TEST(name##_4k) \
	{ \
		granules_##name(12); \
	} \
	TEST(name##_16k) \
	{ \
		granules_##name(14); \
	} \
	TEST(name##_64k) \
	{ \
		granules_##name(16); \
	} \
	static void granules_##name(unsigned granule)

// The highest level that may hold a block without FEAT_LPA2 and 52-bit addresses.
static inline int first_block_level(unsigned granule)
{
	return granule == 12 ? 1 : 2;
}

#endif
