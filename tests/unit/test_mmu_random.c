// SPDX-License-Identifier: Apache-2.0
// Random registers, tables and accesses: nothing crashes (run it under UBSan), a translation that
// hits the TLB says what the walk said, and a walk that may not write leaves memory alone. Usage:
// test_mmu_random [SEED [ROUNDS]]
#include "draws.h"
#include "mmu_world.h"

#define TABLE_AREA (RAM_BASE + 0x200000)
#define TABLE_PAGES 24

static void random_features(struct mmu_features *f)
{
	static const uint8_t sizes[] = {32, 36, 40, 42, 44, 48, 52};

	*f = all_features();
	f->pa_bits = coin(2) ? 48 : sizes[next() % 7];
	f->gran4k = !coin(16);
	f->gran16k = !coin(4);
	f->gran64k = !coin(4);
	f->s2_gran4k = !coin(16);
	f->s2_gran16k = !coin(4);
	f->s2_gran64k = !coin(4);
	f->lva = !coin(4);
	f->lpa = !coin(4);
	f->lpa2 = !coin(4);
	f->haf = !coin(4);
	f->hdbs = f->haf && !coin(4);
	f->hpds = !coin(4);
	f->pan = !coin(4);
	f->pan3 = f->pan && !coin(4);
	f->xnx = !coin(4);
	f->s2fwb = !coin(4);
	f->e0pd = !coin(4);
	f->ttst = !coin(4);
	f->vmid16 = !coin(4);
	f->asid16 = !coin(4);
	f->nv1 = coin(4);
	f->s1pie = coin(2);
	f->s1poe = coin(2);
	f->s2pie = coin(4);
	f->s2poe = f->s2pie && coin(2);
}

static uint64_t random_table(void)
{
	return TABLE_AREA + (next() % TABLE_PAGES) * 0x1000;
}

static uint64_t random_size(void)
{
	return coin(8) ? next() & 63 : 12 + next() % 30;
}

static void random_regime(struct mmu_regime *r)
{
	r->kind = (enum mmu_regime_kind)(next() % 4);
	r->secure = coin(4);
	r->sctlr = next() | !coin(8);
	r->sctlr &= coin(4) ? ~UINT64_C(0) : ~BIT(25);
	r->tcr = next();
	if (!coin(16)) {
		r->tcr = bits_set(r->tcr, 5, 0, random_size());
		r->tcr = bits_set(r->tcr, 21, 16, r->kind < MMU_REGIME_EL2 ? random_size() : 5);
		r->tcr = bits_set(r->tcr, 34, 32, coin(4) ? next() & 7 : 5);
		r->tcr &= ~(BIT(7) | BIT(23));
	}
	r->ttbr[0] = coin(16) ? next() : random_table();
	r->ttbr[1] = coin(16) ? next() : random_table();
	r->mair = next();
	r->tcr2 = next();
	r->pir = next();
	r->pire0 = next();
	r->por = next();
	r->por_el0 = next();
	r->s2pir = next() | next();
	r->s2por = next() | next();
	r->has_el2 = !coin(3);
	r->hcr = coin(2) ? 0 : next() & (MASK(33, 0) | BIT(42) | BIT(43) | BIT(46));
	r->hcr &= coin(4) ? ~UINT64_C(0) : ~(BIT(12) | BIT(27));
	r->vtcr = bits_set(next(), 5, 0, random_size());
	r->vtcr = bits_set(r->vtcr, 18, 16, 5);
	if (!coin(4)) {
		// A consistent one: 4K, level 1.
		r->vtcr &= ~(MASK(15, 14) | MASK(33, 32));
		r->vtcr = bits_set(r->vtcr, 5, 0, 25 + next() % 8);
		r->vtcr = bits_set(r->vtcr, 7, 6, 1);
		r->hcr &= ~BIT(2);
	}
	r->vttbr = random_table() | (next() & 3) << 48;
	r->vstcr = bits_set(next(), 5, 0, random_size());
	r->vsttbr = random_table();
	r->scr = next() & BIT(9);
	r->s2_ee = coin(16);
}

// Never contiguous: a set that is not one would make the outcome depend on what the TLB holds.
static uint64_t random_descriptor(void)
{
	uint64_t desc = next() & ~(MASK(49, 12) | MASK(63, 59) | D_CONT);

	if (coin(16)) {
		return next() & ~D_CONT;
	}
	desc |= coin(2) ? random_table() | 3
			: (RAM_BASE + (next() & 0x3ffff000)) | 1 | (coin(2) ? 2 : 0);
	if (!coin(4)) {
		desc |= D_AF | D_S2_R;
	}
	if (coin(8)) {
		desc |= next() & MASK(63, 59);
	}
	return desc;
}

static void random_tables(void)
{
	uint64_t page[512];

	for (unsigned i = 0; i < TABLE_PAGES; i++) {
		for (unsigned k = 0; k < 512; k++) {
			page[k] = random_descriptor();
		}
		ck_assert_int_eq(bus_ram_write(w.bus, PAS_NONSECURE, TABLE_AREA + i * 0x1000, page,
					       sizeof(page)),
				 0);
	}
}

static void random_access(struct mmu_access *a)
{
	memset(a, 0, sizeof(*a));
	a->va.v = coin(2) ? next() >> (16 + next() % 40) : next() | MASK(63, 48);
	if (coin(8)) {
		a->va.v = next();
	}
	a->type = (enum mmu_access_type)(next() % 3);
	a->el0 = coin(2);
	a->pan = !a->el0 && coin(2);
	a->atomic = a->type == MMU_WRITE && coin(4);
	a->cache_op = a->type != MMU_EXEC && coin(8);
	a->at = a->type != MMU_EXEC && coin(8);
	a->s1_only = a->at && coin(2);
	a->size = 4;
	a->misaligned = a->type != MMU_EXEC && coin(4);
}

static void random_tlbi(struct mmu_tlb *tlb, uint64_t va)
{
	struct mmu_tlbi m = {.op = (enum mmu_tlbi_op)(next() % 7),
			     .kind = (enum mmu_regime_kind)(next() % 4),
			     .secure = coin(2),
			     .ipa_ns = coin(2),
			     .last_level_only = coin(2),
			     .use_vmid = coin(2),
			     .asid = (uint16_t)next(),
			     .vmid = (uint16_t)(next() & 3),
			     .ttl = (uint8_t)(next() & 15)};

	m.start = coin(4) ? next() : va & ~PAGE_MASK;
	m.end = coin(4) ? next() : m.start + 0x1000;
	mmu_tlb_invalidate(tlb, &m);
}

static bool results_equal(const struct mmu_result *a, const struct mmu_result *b)
{
	return a->pa.v == b->pa.v && a->pas == b->pas && a->memtype == b->memtype &&
	       a->device == b->device && a->attr == b->attr && a->shareability == b->shareability &&
	       a->guarded == b->guarded && a->ns == b->ns && a->global == b->global &&
	       a->readable == b->readable && a->writable == b->writable &&
	       a->executable == b->executable && a->page_shift == b->page_shift &&
	       a->ipa.v == b->ipa.v && a->has_stage2 == b->has_stage2 && a->aligned == b->aligned;
}

static bool faults_equal(const struct mmu_fault *a, const struct mmu_fault *b)
{
	return a->type == b->type && a->level == b->level && a->stage2 == b->stage2 &&
	       a->s1ptw == b->s1ptw && a->write == b->write && a->ipa.v == b->ipa.v &&
	       a->ipa_ns == b->ipa_ns && a->overlay == b->overlay && a->dirty == b->dirty &&
	       a->control == b->control;
}

START_TEST(hits_say_what_walks_say)
{
	struct mmu_features features;
	struct mmu_regime regime;
	struct mmu_access access;
	struct mmu_result first, second, third;
	struct mmu_fault fault[3];
	unsigned successes = 0;
	unsigned with_s2 = 0;

	state = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
	memset(&regime, 0, sizeof(regime));
	w.tlb = mmu_tlb_create(w.bus, MMU_TLB_SIZED, 64, NULL, NULL);
	for (unsigned i = 0; i < rounds; i++) {
		bool ok[3];

		if (i % 200 == 0) {
			random_tables();
		}
		random_features(&features);
		random_regime(&regime);
		regime.features = &features;
		random_access(&access);
		mmu_tlb_flush(w.tlb);
		// Random tables overlap, so that a hardware update may change the way of the next
		// walk: walk until all updates are made.
		for (unsigned k = 0; k < 4; k++) {
			ok[0] = mmu_walk(w.bus, &regime, &access, false, &first, &fault[0]);
		}
		ok[1] = mmu_translate(w.tlb, &regime, &access, &second, &fault[1]);
		ok[2] = mmu_translate(w.tlb, &regime, &access, &third, &fault[2]);
		ck_assert_msg(ok[0] == ok[1] && ok[1] == ok[2], "round %u", i);
		if (ok[0]) {
			successes++;
			with_s2 += first.has_stage2;
			ck_assert_msg(results_equal(&first, &second) &&
					      results_equal(&second, &third),
				      "round %u", i);
			ck_assert(first.page_shift >= 12);
			(void)mmu_par_success(&regime, &first);
		} else {
			ck_assert_msg(faults_equal(&fault[0], &fault[1]) &&
					      faults_equal(&fault[1], &fault[2]),
				      "round %u", i);
			ck_assert(mmu_par_fault(&fault[0]) & 1);
		}
	}
	ck_assert_uint_gt(successes, rounds / 40);
	ck_assert_uint_gt(with_s2, rounds / 4000);
}
END_TEST

START_TEST(anything_goes)
{
	struct mmu_features features = all_features();
	struct mmu_regime regime;
	struct mmu_access access;
	struct mmu_result result;
	struct mmu_fault fault;

	state = seed * UINT64_C(0xd1342543de82ef95) | 1;
	memset(&regime, 0, sizeof(regime));
	w.tlb = mmu_tlb_create(w.bus, _i == 0 ? MMU_TLB_SIZED : MMU_TLB_KEEP, 64, NULL, NULL);
	random_tables();
	for (unsigned i = 0; i < rounds; i++) {
		if (coin(500)) {
			random_tables();
		}
		if (coin(8)) {
			random_features(&features);
			random_regime(&regime);
		}
		regime.features = &features;
		random_access(&access);
		(void)mmu_translate(w.tlb, &regime, &access, &result, &fault);
		if (coin(4)) {
			random_tlbi(w.tlb, access.va.v);
		}
	}
	ck_assert_uint_gt(mmu_tlb_count(w.tlb) + 1, 0);
}
END_TEST

START_TEST(walks_without_updates_write_nothing)
{
	static uint8_t before[TABLE_PAGES * 0x1000];
	static uint8_t after[TABLE_PAGES * 0x1000];
	struct mmu_features features;
	struct mmu_regime regime;
	struct mmu_access access;
	struct mmu_result result;
	struct mmu_fault fault;

	state = seed * UINT64_C(0xa0761d6478bd642f) | 1;
	memset(&regime, 0, sizeof(regime));
	random_tables();
	ck_assert_int_eq(bus_ram_read(w.bus, PAS_NONSECURE, TABLE_AREA, before, sizeof(before)), 0);
	for (unsigned i = 0; i < rounds; i++) {
		random_features(&features);
		random_regime(&regime);
		regime.features = &features;
		random_access(&access);
		(void)mmu_walk(w.bus, &regime, &access, true, &result, &fault);
	}
	ck_assert_int_eq(bus_ram_read(w.bus, PAS_NONSECURE, TABLE_AREA, after, sizeof(after)), 0);
	ck_assert_mem_eq(before, after, sizeof(before));
}
END_TEST

int main(int argc, char **argv)
{
	Suite *suite = suite_create("mmu_random");
	TCase *tcase = tcase_create("random");

	draws_arguments(argc, argv);
	tcase_add_checked_fixture(tcase, world_setup, world_teardown);
	tcase_set_timeout(tcase, 600);
	tcase_add_test(tcase, hits_say_what_walks_say);
	tcase_add_loop_test(tcase, anything_goes, 0, 2);
	tcase_add_test(tcase, walks_without_updates_write_nothing);
	suite_add_tcase(suite, tcase);
	return world_run(suite);
}
