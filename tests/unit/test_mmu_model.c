// SPDX-License-Identifier: Apache-2.0
// Stage-1 permissions said a second time, straight from the tables of the Arm ARM (D8.4.1) and one
// step after the other, against random descriptors, registers and accesses: direct and indirect
// permissions, overlays, PAN, WXN, hierarchical permissions, dirty state, the order of the checks.
// Usage: test_mmu_model [SEED [ROUNDS]]
#include "draws.h"
#include "mmu_world.h"

#define VA UINT64_C(0x0000123456789abc)
#define PA UINT64_C(0x0000000045678000)

enum { R = 1, W = 2, X = 4 };

// ---- The rules ----------------------------------------------------------------------------------

struct verdict {
	bool ok;
	bool overlay, dirty, write; // of a fault
};

struct rules {
	bool has_el0; // the regime has an unprivileged side
	bool nv1; // ... which has no say
	bool el0;
	bool indirect;
	bool overlaid;
	bool hw_dirty;
	unsigned base, overlay; // R, W, X
};

static unsigned nibble(uint64_t reg, uint64_t index)
{
	return (unsigned)(reg >> 4 * index) & 15;
}

static unsigned letters(const char *text)
{
	return (strchr(text, 'r') != NULL ? R : 0u) | (strchr(text, 'w') != NULL ? W : 0u) |
	       (strchr(text, 'x') != NULL ? X : 0u);
}

// "-": reserved; "g": a control stack; "n": no overlay; "!": not executable where writable.
static const char *const base_table[16] = {"",   "r",   "x",   "rx", "-",   "rw", "rwx!", "rwx",
					   "rn", "rgn", "rxn", "-n", "rwn", "-n", "rwxn", "-n"};
static const char *const overlay_table[16] = {"",  "r", "x", "rx", "w", "rw", "wx", "rwx",
					      "-", "-", "-", "-",  "-", "-",  "-",  "-"};

// Indirect: gives whether writing and executing exclude each other, which is the entry's alone,
// also where something else leaves neither.
static bool indirect_base(struct rules *r, uint64_t desc, bool pan)
{
	uint64_t index = bits(desc, 54, 53) << 2 | bit(desc, 51) << 1 | bit(desc, 6);
	const char *priv = base_table[nibble(w.regime.pir, index)];
	unsigned el0_entry = r->has_el0 && !r->nv1 ? nibble(w.regime.pire0, index) : 0;
	const char *el0 = base_table[el0_entry];
	const char *mine = r->el0 ? el0 : priv;

	r->base = letters(mine);
	if ((strpbrk(priv, "xg") != NULL) && (strpbrk(el0, "wg") != NULL)) {
		r->base = 0;
	}
	if (pan && !r->el0 && r->has_el0 && !r->nv1 && el0_entry != 0) {
		r->base &= X;
	}
	r->overlaid = r->overlaid && strchr(mine, 'n') == NULL;
	return strchr(mine, '!') != NULL;
}

static bool direct_base(struct rules *r, uint64_t desc, uint64_t table, bool pan)
{
	bool read_only = bit(desc, 7) && !(r->hw_dirty && bit(desc, 51));
	bool user = r->has_el0 && !r->nv1 && bit(desc, 6);
	bool ux = r->has_el0 && (r->nv1 || !bit(desc, 54));
	bool px = !bit(desc, r->has_el0 && !r->nv1 ? 53 : 54);

	read_only = read_only || bit(table, 62);
	user = user && !(bit(table, 61) && !r->nv1);
	ux = ux && !(bit(table, 60) && !r->nv1);
	px = px && !bit(table, r->has_el0 && !r->nv1 ? 59 : 60);
	px = px && !(user && !read_only);
	if (r->el0) {
		r->base = (user ? R : 0u) | (user && !read_only ? W : 0u) | (ux ? X : 0u);
	} else {
		r->base = R | (read_only ? 0u : W) | (px ? X : 0u);
		if (pan && r->has_el0 && !r->nv1 && (user || (bit(w.regime.sctlr, 57) && ux))) {
			r->base &= X;
		}
	}
	return bit(w.regime.sctlr, 19) != 0 && (r->base & (W | X)) == (W | X);
}

static struct rules rules_of(uint64_t desc, uint64_t table, bool el0, bool pan)
{
	struct rules r = {0};
	bool e0poe, exclusive;

	r.has_el0 = w.regime.kind == MMU_REGIME_EL10 || w.regime.kind == MMU_REGIME_EL20;
	r.nv1 = w.regime.kind == MMU_REGIME_EL10 && w.regime.has_el2 &&
		bits(w.regime.hcr, 43, 42) == 3;
	r.el0 = el0;
	r.indirect = bit(w.regime.tcr2, 1);
	e0poe = bit(w.regime.tcr2, 2) && r.has_el0 && !r.nv1;
	r.overlaid = el0 ? e0poe : bit(w.regime.tcr2, 3);
	r.hw_dirty = r.has_el0 ? bits(w.regime.tcr, 40, 39) == 3 : bits(w.regime.tcr, 22, 21) == 3;
	if (bit(w.regime.tcr, r.has_el0 ? 41 : 24) || r.indirect || e0poe ||
	    bit(w.regime.tcr2, 3)) {
		table = 0;
	}
	exclusive = r.indirect ? indirect_base(&r, desc, pan) : direct_base(&r, desc, table, pan);
	r.overlay = letters(
		overlay_table[nibble(el0 ? w.regime.por_el0 : w.regime.por, bits(desc, 62, 60))]);
	if (!r.overlaid) {
		r.overlay = R | W | X;
	}
	if (exclusive) {
		if (r.overlaid && (r.overlay & X) != 0) {
			r.overlay &= R | X;
		} else {
			r.base &= R | W;
		}
	}
	return r;
}

static struct verdict denied(unsigned needed, bool overlay, bool dirty)
{
	return (struct verdict){.overlay = overlay, .dirty = dirty, .write = needed == W};
}

static struct verdict judge(const struct rules *r, uint64_t desc, const struct mmu_access *access)
{
	unsigned steps[2] = {0, 0};

	if (access->type == MMU_EXEC) {
		steps[0] = X;
	} else if (access->cache_op) {
		steps[0] = access->type == MMU_WRITE ? W : r->el0 ? R : 0;
	} else {
		steps[0] = access->type == MMU_READ || access->atomic ? R : 0;
		steps[1] = access->type == MMU_WRITE ? W : 0;
	}
	for (unsigned i = 0; i < 4; i++) {
		unsigned has = i < 2 ? r->overlay : r->base;

		if ((has & steps[i & 1]) != steps[i & 1]) {
			return denied(steps[i & 1], i < 2, false);
		}
	}
	if (r->indirect && steps[1] == W && bit(desc, 7) && !r->hw_dirty) {
		return denied(W, false, true);
	}
	return (struct verdict){.ok = true};
}

// ---- Chance -------------------------------------------------------------------------------------

static void random_registers(void)
{
	w.regime.pir = next();
	w.regime.pire0 = coin(4) ? 0 : next();
	w.regime.por = coin(2) ? next() & UINT64_C(0x77777777) : next();
	w.regime.por_el0 = coin(2) ? next() & UINT64_C(0x77777777) : next();
}

static void random_regime(void)
{
	bool one;

	w.regime.kind = (enum mmu_regime_kind)(coin(2) ? 0 : next() % 4);
	one = w.regime.kind >= MMU_REGIME_EL2;
	w.features.nv1 = coin(2);
	w.regime.has_el2 = w.features.nv1 && coin(2);
	w.regime.hcr = w.regime.has_el2 ? next() & MASK(43, 42) : 0;
	w.regime.tcr = one ? UINT64_C(16) | 5 << 16 | BIT(23) | BIT(31)
			   : 16 | UINT64_C(16) << 16 | UINT64_C(2) << 30 | TCR_IPS(5);
	w.regime.tcr |= next() & (one ? MASK(22, 21) | BIT(24) : MASK(41, 39));
	w.regime.sctlr = BIT(0) | BIT(2) | BIT(12) | (next() & (BIT(19) | BIT(57)));
	w.regime.tcr2 = coin(4) ? 0 : next() & MASK(3, 1);
	random_registers();
}

static void random_access(void)
{
	memset(&w.access, 0, sizeof(w.access));
	w.access.va = va_make(VA);
	w.access.size = 4;
	w.access.type = (enum mmu_access_type)(next() % 3);
	w.access.el0 = w.regime.kind < MMU_REGIME_EL2 && coin(2);
	w.access.pan = !w.access.el0 && coin(3);
	w.access.cache_op = w.access.type != MMU_EXEC && coin(6);
	w.access.atomic = w.access.type == MMU_WRITE && !w.access.cache_op && coin(3);
	w.access.pan = w.access.pan && !w.access.cache_op;
}

// ---- Both ---------------------------------------------------------------------------------------

static void compare(unsigned round, uint64_t place, uint64_t table)
{
	uint64_t desc = get(place);
	struct rules r = rules_of(desc, table, w.access.el0, w.access.pan);
	struct verdict v = judge(&r, desc, &w.access);
	bool update = v.ok && w.access.type == MMU_WRITE && !w.access.cache_op && r.hw_dirty &&
		      bit(desc, 7) && (r.indirect || bit(desc, 51));
	bool ok = translate_access();

	ck_assert_msg(ok == v.ok, "round %u: %d, not %d", round, ok, v.ok);
	ck_assert_msg(get(place) == (update ? desc & ~BIT(7) : desc), "round %u: dirty", round);
	if (ok) {
		unsigned rights = r.base & r.overlay;
		bool clean = bit(get(place), 7) && (r.indirect || bit(desc, 51));

		ck_assert_msg(w.result.readable == ((rights & R) != 0), "round %u: r", round);
		ck_assert_msg(w.result.writable == ((rights & W) != 0 && !clean), "round %u: w",
			      round);
		ck_assert_msg(w.result.executable == ((rights & X) != 0), "round %u: x", round);
		return;
	}
	ck_assert_msg(mmu_fault_status(&w.fault) == 0x0f, "round %u: %#x", round,
		      mmu_fault_status(&w.fault));
	ck_assert_msg(w.fault.overlay == v.overlay, "round %u: overlay", round);
	ck_assert_msg(w.fault.dirty == v.dirty, "round %u: dirty bit", round);
	ck_assert_msg(w.access.cache_op || w.fault.write == v.write, "round %u: WnR", round);
}

// Every other round has a TLB: it also goes the short way, and changes registers under its entries.
START_TEST(permissions_are_what_the_tables_say)
{
	const uint64_t leaf_bits = MASK(62, 60) | MASK(54, 53) | BIT(51) | BIT(11) | MASK(7, 6);
	uint64_t place = descriptor_at(w.regime.ttbr[0], VA, 12, 0, 3);
	uint64_t table_place = descriptor_at(w.regime.ttbr[0], VA, 12, 0, 2);
	uint64_t below = get(table_place);
	struct mmu_tlb *tlb = mmu_tlb_create(w.bus, MMU_TLB_SIZED, 64, NULL, NULL);

	state = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
	for (unsigned i = 0; i < rounds; i++) {
		uint64_t table = coin(2) ? next() & MASK(62, 59) : 0;

		random_regime();
		put(table_place, below | table);
		put(place, PA | D_PAGE | D_AF | D_SH(3) | (next() & leaf_bits));
		mmu_tlb_flush(tlb);
		w.tlb = i & 1 ? tlb : NULL;
		for (unsigned k = 0; k < 8; k++) {
			random_access();
			compare(i, place, table);
			if (coin(2)) {
				random_registers();
			}
		}
	}
	w.tlb = tlb;
}
END_TEST

int main(int argc, char **argv)
{
	Suite *suite = suite_create("mmu_model");
	TCase *tcase = tcase_create("model");

	draws_arguments(argc, argv);
	tcase_add_checked_fixture(tcase, world_setup, world_teardown);
	tcase_set_timeout(tcase, 600);
	tcase_add_test(tcase, permissions_are_what_the_tables_say);
	suite_add_tcase(suite, tcase);
	return world_run(suite);
}
