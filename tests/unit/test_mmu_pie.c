// SPDX-License-Identifier: Apache-2.0
// Permissions by index: stage-1 indirect permissions and overlays (FEAT_S1PIE, FEAT_S1POE), stage-2
// indirect permissions (FEAT_S2PIE). The tables are those of the Arm ARM, by hand.
#include "mmu_world.h"

#define VA UINT64_C(0x0000123456789abc)
#define PA UINT64_C(0x0000000045678000)
#define IPA UINT64_C(0x0000000051234000)

#define TCR_HA BIT(39)
#define TCR_HD BIT(40)
#define PIE BIT(1)
#define E0POE BIT(2)
#define POE BIT(3)
#define S2PIE BIT(36)
#define VTCR_HA BIT(21)
#define VTCR_HD BIT(22)
#define FSC_PERMISSION_3 0x0f

// The encodings of PIR_ELx and PIRE0_ELx as letters.
static const char *const base_of[16] = {"",  "r",         "x",  "rx", "",   "rw", "rwX", "rwx",
					"r", "r" /*GCS*/, "rx", "",   "rw", "",   "rwx", ""};
// And those of POR_ELx.
static const char *const overlay_of[16] = {"", "r", "x", "rx", "w", "rw", "wx", "rwx",
					   "", "",  "",  "",   "",  "",   "",   ""};

static uint64_t place; // of the descriptor of VA

static uint64_t index_bits(unsigned index)
{
	return (uint64_t)(index >> 2 & 3) << 53 | (uint64_t)(index >> 1 & 1) << 51 |
	       (uint64_t)(index & 1) << 6;
}

static uint64_t overlay_bits(unsigned index)
{
	return (uint64_t)index << 60;
}

static void map(uint64_t more)
{
	place = descriptor_at(w.regime.ttbr[0], VA, 12, 0, 3);
	put(place, PA | D_PAGE | D_AF | D_SH(3) | more);
}

// Half of the cases have a TLB: they also go the short way.
static void use_tlb(int i)
{
	if (i != 0) {
		w.tlb = mmu_tlb_create(w.bus, MMU_TLB_SIZED, 64, NULL, NULL);
	}
}

static void setup(void)
{
	world_setup();
	w.regime.tcr2 = PIE;
	map(0);
}

static void flush(void)
{
	if (w.tlb != NULL) {
		mmu_tlb_flush(w.tlb);
	}
}

static bool has_letter(const char *letters, char c)
{
	return strchr(letters, c) != NULL;
}

// All three kinds of access, and what each success says of the others.
static void assert_rights(const char *what, bool el0, bool pan, const char *rights)
{
	static const char letters[3] = {[MMU_READ] = 'r', [MMU_WRITE] = 'w', [MMU_EXEC] = 'x'};

	w.access.pan = pan;
	for (unsigned t = 0; t < 3; t++) {
		bool ok = try_access(VA, (enum mmu_access_type)t, el0);

		ck_assert_msg(ok == has_letter(rights, letters[t]), "%s, %s: %c is %d, not \"%s\"",
			      what, el0 ? "EL0" : "EL1", letters[t], ok, rights);
		if (ok) {
			ck_assert_msg(w.result.readable == has_letter(rights, 'r') &&
					      w.result.writable == has_letter(rights, 'w') &&
					      w.result.executable == has_letter(rights, 'x'),
				      "%s: the result of %c has other rights", what, letters[t]);
		} else {
			ck_assert_uint_eq(mmu_fault_status(&w.fault), FSC_PERMISSION_3);
			ck_assert(!w.fault.stage2);
			ck_assert(!w.fault.dirty);
			ck_assert_int_eq(w.fault.write, t == MMU_WRITE);
		}
	}
	w.access.pan = false;
}

// Encoding 6 without an overlay: not executable.
static const char *alone(unsigned encoding)
{
	return encoding == 6 ? "rw" : base_of[encoding];
}

static void permissions(unsigned index, unsigned priv, unsigned el0)
{
	w.regime.pir = (uint64_t)priv << 4 * index;
	w.regime.pire0 = (uint64_t)el0 << 4 * index;
}

START_TEST(base_permissions)
{
	char what[32];

	use_tlb(_i);
	for (unsigned e = 0; e < 16; e++) {
		snprintf(what, sizeof(what), "base %#x", e);
		map(0);
		permissions(0, e, 0);
		assert_rights(what, false, false, alone(e));
		assert_rights(what, true, false, "");
		permissions(0, 0, e);
		assert_rights(what, false, false, "");
		assert_rights(what, true, false, alone(e));
		permissions(0, e, 1);
		assert_rights(what, true, false, "r");
		assert_rights(what, false, false, alone(e));
	}
}
END_TEST

// Privileged execution and unprivileged writing together leave nothing to either.
START_TEST(writable_at_el0_and_executable_above)
{
	use_tlb(_i);
	for (unsigned p = 0; p < 16; p++) {
		for (unsigned u = 0; u < 16; u++) {
			// 9: a guarded control stack, which is as code above and as written at EL0.
			bool conflict = (has_letter(base_of[p], 'x') || p == 6 || p == 9) &&
					(has_letter(base_of[u], 'w') || u == 9);

			permissions(0, p, u);
			assert_rights("pair", false, false, conflict ? "" : alone(p));
			assert_rights("pair", true, false, conflict ? "" : alone(u));
		}
	}
}
END_TEST

// PAN takes reading and writing where EL0 has any entry but 0b0000, whatever it allows.
START_TEST(pan)
{
	use_tlb(_i);
	for (unsigned u = 0; u < 16; u++) {
		bool conflict = has_letter(base_of[u], 'w') || u == 9;

		permissions(0, 0xc, u);
		assert_rights("pan", false, true, u == 0 ? "rw" : "");
		permissions(0, 0xa, u);
		assert_rights("pan", false, true, u == 0 ? "rx" : conflict ? "" : "x");
		assert_rights("no pan", false, false, conflict ? "" : "rx");
	}
	permissions(0, 0xc, 4);
	w.access.pan = true;
	ASSERT_FAULT(VA, MMU_READ, false, FSC_PERMISSION_3);
	ASSERT_CONTROL("PSTATE.PAN");
	w.access.pan = false;
}
END_TEST

// Bits 54, 53, 51 and 6, from the top.
START_TEST(every_index)
{
	use_tlb(_i);
	for (unsigned i = 0; i < 16; i++) {
		for (unsigned k = 0; k < 16; k++) {
			flush();
			map(index_bits(i));
			permissions(k, 0xc, 0);
			assert_rights("index", false, false, i == k ? "rw" : "");
			permissions(k, 0, 0xa);
			assert_rights("index", true, false, i == k ? "rx" : "");
		}
	}
}
END_TEST

// What an overlay makes of a base permission: W and X together as 0b0110 has them lose W if the
// overlay gives X, else X.
static void overlaid_rights(unsigned base, unsigned overlay, char *rights)
{
	const char *o = overlay_of[overlay];
	bool applies = base < 8;
	bool r = has_letter(base_of[base], 'r') && (!applies || has_letter(o, 'r'));
	bool wr = has_letter(base_of[base], 'w') && (!applies || has_letter(o, 'w'));
	bool x = (has_letter(base_of[base], 'x') || base == 6) && (!applies || has_letter(o, 'x'));

	if (base == 6 && x) {
		wr = false;
	}
	snprintf(rights, 4, "%s%s%s", r ? "r" : "", wr ? "w" : "", x ? "x" : "");
}

START_TEST(overlays)
{
	char rights[4];

	use_tlb(_i);
	w.regime.tcr2 = PIE | POE | E0POE;
	for (unsigned b = 0; b < 16; b++) {
		for (unsigned o = 0; o < 16; o++) {
			overlaid_rights(b, o, rights);
			permissions(0, b, 0);
			w.regime.por = o;
			w.regime.por_el0 = 0;
			assert_rights("overlay", false, false, rights);
			permissions(0, 0, b);
			w.regime.por = 0;
			w.regime.por_el0 = o;
			assert_rights("overlay", true, false, rights);
		}
	}
}
END_TEST

START_TEST(overlay_index)
{
	use_tlb(_i);
	w.regime.tcr2 = PIE | POE | E0POE;
	permissions(0, 5, 1);
	for (unsigned i = 0; i < 8; i++) {
		for (unsigned k = 0; k < 8; k++) {
			flush();
			map(overlay_bits(i));
			w.regime.por = UINT64_C(4) << 4 * k | UINT64_C(1) << 4 * i;
			w.regime.por_el0 = UINT64_C(1) << 4 * k;
			assert_rights("index", false, false, i == k ? "rw" : "r");
			assert_rights("index", true, false, i == k ? "r" : "");
		}
	}
}
END_TEST

// POE and E0POE each turn on the overlays of their own accesses.
START_TEST(overlay_enables)
{
	use_tlb(_i);
	permissions(0, 5, 1);
	w.regime.por = w.regime.por_el0 = 0;
	for (unsigned enables = 0; enables < 4; enables++) {
		w.regime.tcr2 = PIE | (enables & 1 ? POE : 0) | (enables & 2 ? E0POE : 0);
		assert_rights("enables", false, false, enables & 1 ? "" : "rw");
		assert_rights("enables", true, false, enables & 2 ? "" : "r");
	}
	w.features.s1poe = false;
	w.regime.tcr2 = PIE | POE | E0POE;
	assert_rights("absent", false, false, "rw");
	assert_rights("absent", true, false, "r");
}
END_TEST

START_TEST(overlays_of_direct_permissions)
{
	use_tlb(_i);
	w.regime.tcr2 = POE | E0POE;
	map(D_AP_EL0 | D_PXN);
	w.regime.por = 7;
	w.regime.por_el0 = 1;
	assert_rights("direct", false, false, "rw");
	assert_rights("direct", true, false, "r");
	w.regime.por = 4;
	w.regime.por_el0 = 3;
	assert_rights("direct", false, false, "w");
	assert_rights("direct", true, false, "rx");
	// SCTLR_EL1.WXN: as encoding 0b0110.
	w.regime.sctlr |= BIT(19);
	w.regime.por_el0 = 7;
	assert_rights("direct", true, false, "rx");
	w.regime.por_el0 = 5;
	assert_rights("direct", true, false, "rw");
	w.regime.sctlr &= ~BIT(19);
}
END_TEST

START_TEST(what_faults_say)
{
	use_tlb(_i);
	w.regime.tcr2 = PIE | POE | E0POE;
	permissions(0, 7, 0);
	w.regime.por = 1;
	ASSERT_FAULT(VA, MMU_WRITE, false, FSC_PERMISSION_3);
	ck_assert(w.fault.overlay);
	ck_assert(w.fault.write);
	ASSERT_CONTROL("POR_EL1");
	ck_assert_uint_eq(mmu_par_fault(&w.fault), 1 | 0x0f << 1 | BIT(11) | BIT(14));
	ASSERT_FAULT(VA, MMU_EXEC, false, FSC_PERMISSION_3);
	ck_assert(w.fault.overlay);
	// The overlay comes first: no entry of the base permissions is looked at.
	permissions(0, 0, 0);
	ASSERT_FAULT(VA, MMU_WRITE, false, FSC_PERMISSION_3);
	ck_assert(w.fault.overlay);
	ASSERT_FAULT(VA, MMU_READ, false, FSC_PERMISSION_3);
	ck_assert(!w.fault.overlay);
	ASSERT_CONTROL("PIR_EL1");
	ASSERT_FAULT(VA, MMU_READ, true, FSC_PERMISSION_3);
	ck_assert(w.fault.overlay);
	ASSERT_CONTROL("POR_EL0");
	w.regime.por_el0 = 7;
	ASSERT_FAULT(VA, MMU_READ, true, FSC_PERMISSION_3);
	ASSERT_CONTROL("PIRE0_EL1");
	// An atomic access that may do neither is reported as the read; one that may read, as the
	// write.
	w.access.atomic = true;
	w.regime.por = 0;
	permissions(0, 7, 0);
	ASSERT_FAULT(VA, MMU_WRITE, false, FSC_PERMISSION_3);
	ck_assert(!w.fault.write);
	w.regime.por = 1;
	ASSERT_FAULT(VA, MMU_WRITE, false, FSC_PERMISSION_3);
	ck_assert(w.fault.write);
	w.access.atomic = false;
}
END_TEST

// Cache maintenance: invalidation writes, the rest reads and is checked at EL0 alone.
START_TEST(cache_maintenance)
{
	use_tlb(_i);
	w.regime.tcr2 = PIE | POE | E0POE;
	permissions(0, 5, 0);
	w.regime.por = 1;
	w.access.cache_op = true;
	ASSERT_OK(VA, MMU_READ, false);
	ASSERT_FAULT(VA, MMU_WRITE, false, FSC_PERMISSION_3);
	ck_assert(w.fault.overlay);
	w.regime.por = 0;
	ASSERT_OK(VA, MMU_READ, false);
	permissions(0, 0, 1);
	ASSERT_FAULT(VA, MMU_READ, true, FSC_PERMISSION_3);
	ck_assert(w.fault.overlay);
	w.regime.por_el0 = 1;
	ASSERT_OK(VA, MMU_READ, true);
	// Clean memory is invalidated without an update.
	permissions(0, 5, 0);
	w.regime.por = 7;
	flush();
	map(D_AP_RO);
	ASSERT_OK(VA, MMU_WRITE, false);
	w.access.cache_op = false;
}
END_TEST

START_TEST(dirty_state_of_software)
{
	use_tlb(_i);
	map(D_AP_RO); // nDirty
	permissions(0, 0xc, 0);
	ASSERT_OK(VA, MMU_READ, false);
	ck_assert(!w.result.writable);
	ASSERT_FAULT(VA, MMU_WRITE, false, FSC_PERMISSION_3);
	ck_assert(w.fault.dirty);
	ck_assert(!w.fault.overlay);
	ck_assert(w.fault.write);
	ASSERT_CONTROL("TCR_EL1.HD");
	ck_assert_uint_eq(mmu_par_fault(&w.fault), 1 | 0x0f << 1 | BIT(11) | BIT(15));
	// Without the right to write the dirty state does not matter.
	permissions(0, 8, 0);
	ASSERT_FAULT(VA, MMU_WRITE, false, FSC_PERMISSION_3);
	ck_assert(!w.fault.dirty);
	// HD without HA is nothing.
	permissions(0, 0xc, 0);
	w.regime.tcr |= TCR_HD;
	ASSERT_FAULT(VA, MMU_WRITE, false, FSC_PERMISSION_3);
	ck_assert(w.fault.dirty);
	flush();
	map(0);
	ASSERT_OK(VA, MMU_WRITE, false);
}
END_TEST

// Every page is managed: DBM is a bit of the index.
START_TEST(dirty_state_of_hardware)
{
	use_tlb(_i);
	w.regime.tcr |= TCR_HA | TCR_HD;
	for (unsigned i = 0; i < 16; i++) {
		flush();
		map(index_bits(i) | D_AP_RO);
		permissions(i, 0xc, 0);
		ASSERT_OK(VA, MMU_READ, false);
		ck_assert(!w.result.writable);
		ck_assert(get(place) & D_AP_RO);
		w.access.at = true;
		ASSERT_OK(VA, MMU_WRITE, false);
		w.access.at = false;
		ck_assert(get(place) & D_AP_RO);
		permissions(i, 8, 0);
		ASSERT_FAULT(VA, MMU_WRITE, false, FSC_PERMISSION_3);
		ck_assert(!w.fault.dirty);
		ck_assert(get(place) & D_AP_RO);
		permissions(i, 0xc, 0);
		ASSERT_OK(VA, MMU_WRITE, false);
		ck_assert(w.result.writable);
		ck_assert(!(get(place) & D_AP_RO));
		ck_assert(get(place) == (PA | D_PAGE | D_AF | D_SH(3) | index_bits(i)));
		ASSERT_OK(VA, MMU_READ, false);
		ck_assert(w.result.writable);
	}
}
END_TEST

START_TEST(denied_by_an_overlay_is_not_made_dirty)
{
	use_tlb(_i);
	w.regime.tcr |= TCR_HA | TCR_HD;
	w.regime.tcr2 = PIE | POE;
	permissions(0, 5, 0);
	w.regime.por = 1;
	map(D_AP_RO);
	ASSERT_FAULT(VA, MMU_WRITE, false, FSC_PERMISSION_3);
	ck_assert(w.fault.overlay);
	ck_assert(get(place) & D_AP_RO);
	w.regime.por = 5;
	ASSERT_OK(VA, MMU_WRITE, false);
	ck_assert(!(get(place) & D_AP_RO));
}
END_TEST

START_TEST(no_hierarchical_permissions)
{
	uint64_t table = descriptor_at(w.regime.ttbr[0], VA, 12, 0, 2);

	use_tlb(_i);
	put(table, get(table) | MASK(62, 59));
	permissions(0, 0xe, 0);
	assert_rights("tables", false, false, "rwx");
	permissions(0, 8, 0xe);
	assert_rights("tables", true, false, "rwx");
	// Nor beside overlays, whichever of the two is on.
	map(D_AP_EL0);
	w.regime.por = w.regime.por_el0 = 7;
	for (unsigned i = 0; i < 2; i++) {
		w.regime.tcr2 = i == 0 ? POE : E0POE;
		flush();
		assert_rights("tables", false, false, "rw");
		assert_rights("tables", true, false, "rwx");
	}
	w.regime.tcr2 = 0;
	flush();
	assert_rights("tables", false, false, "r");
	assert_rights("tables", true, false, "");
	// The EL2 regime has no E0POE.
	w.regime.kind = MMU_REGIME_EL2;
	w.regime.tcr = 16 | UINT64_C(5) << 16;
	w.regime.tcr2 = E0POE;
	flush();
	assert_rights("tables", false, false, "r");
}
END_TEST

// The TLB holds indices: the registers change without it.
START_TEST(registers_are_not_held_by_the_tlb)
{
	use_tlb(1);
	w.regime.tcr2 = PIE | POE | E0POE;
	w.regime.por = w.regime.por_el0 = 7;
	permissions(0, 0xc, 0);
	assert_rights("tlb", false, false, "rw");
	put(place, 0); // from here on out of the TLB
	permissions(0, 0xa, 0);
	assert_rights("tlb", false, false, "rx");
	permissions(0, 7, 0);
	assert_rights("tlb", false, false, "rwx");
	w.regime.por = 2;
	assert_rights("tlb", false, false, "x");
	w.regime.tcr2 = PIE;
	assert_rights("tlb", false, false, "rwx");
}
END_TEST

// One range: no unprivileged accesses, no PAN, no POR_EL0.
START_TEST(one_range)
{
	static const enum mmu_regime_kind kinds[] = {MMU_REGIME_EL2, MMU_REGIME_EL3};

	w.regime.tcr = 16 | TCR_TG0_4K | UINT64_C(5) << 16;
	w.regime.tcr2 = PIE | POE | E0POE;
	w.regime.por_el0 = 0;
	w.regime.pire0 = ~UINT64_C(0) / 15 * 0xe;
	for (unsigned k = 0; k < 2; k++) {
		w.regime.kind = kinds[k];
		w.regime.pir = 0xe;
		assert_rights("one range", false, true, "rwx");
		w.regime.pir = 7;
		w.regime.por = 3;
		assert_rights("one range", false, false, "rx");
		ASSERT_FAULT(VA, MMU_WRITE, false, FSC_PERMISSION_3);
		ASSERT_CONTROL(k == 0 ? "POR_EL2" : "POR_EL3");
	}
}
END_TEST

// HCR_EL2.{NV,NV1}: EL1's guest is a hypervisor, whose memory has no unprivileged side.
START_TEST(nested_virtualization)
{
	w.features.nv1 = true;
	w.regime.has_el2 = true;
	w.regime.hcr = BIT(42) | BIT(43);
	w.regime.tcr2 = PIE | POE | E0POE;
	w.regime.por = 7;
	permissions(0, 0xe, 0xe);
	assert_rights("nv1", false, true, "rwx");
	assert_rights("nv1", true, false, "");
	w.regime.hcr = BIT(42);
	assert_rights("nv", false, false, "");
}
END_TEST

START_TEST(fetches_from_nonsecure_memory)
{
	w.regime.secure = true;
	w.regime.scr = BIT(9);
	ck_assert_int_eq(bus_ram_write(w.bus, PAS_SECURE, place,
				       &(uint64_t){PA | D_PAGE | D_AF | D_NS}, 8),
			 0);
	permissions(0, 0xe, 0);
	ASSERT_FAULT(VA, MMU_EXEC, false, FSC_PERMISSION_3);
	ASSERT_CONTROL("SCR_EL3.SIF");
	ASSERT_OK(VA, MMU_WRITE, false);
}
END_TEST

START_TEST(absent)
{
	w.features.s1pie = false;
	permissions(0, 0, 0);
	map(0);
	assert_rights("direct", false, false, "rwx");
	assert_rights("direct", true, false, "x");
}
END_TEST

// ---- stage 2 ------------------------------------------------------------------------------------

// The encodings of S2PIR_EL2: r, w, x at EL1, u for execution at EL0; m: walks may write.
static const char *const s2_base_of[16] = {"",  "",   "rm", "rm",  "w",   "",     "rm",   "rm",
					   "r", "ru", "rx", "rxu", "rwm", "rwum", "rwxm", "rwxum"};

static uint64_t s2_top;

static uint64_t s2_place(uint64_t ipa)
{
	return descriptor_at(s2_top, ipa, 12, 0, 3);
}

static void s2_map(uint64_t ipa, uint64_t pa, uint64_t more)
{
	put(s2_place(ipa), pa | D_PAGE | D_AF | D_S2_MEM(15) | D_SH(3) | more);
}

// Stage 1 with direct permissions maps VA to IPA, for all to do anything with. Entry 15 of
// S2PIR_EL2 is RW for the tables of stage 1.
static void s2_setup(void)
{
	world_setup();
	s2_top = new_table(12);
	w.regime.has_el2 = true;
	w.regime.hcr = BIT(0);
	w.regime.vtcr = 16 | UINT64_C(2) << 6 | UINT64_C(5) << 16 | S2PIE;
	w.regime.vttbr = s2_top;
	place = descriptor_at(w.regime.ttbr[0], VA, 12, 0, 3);
	put(place, IPA | D_PAGE | D_AF | D_AP_EL0);
	for (uint64_t table = RAM_BASE + 0x100000; table < w.free_table; table += 0x1000) {
		s2_map(table, table, index_bits(15) | D_S2_W);
	}
	w.regime.s2pir = UINT64_C(15) << 60;
}

static void s2_permissions(unsigned index, unsigned encoding)
{
	w.regime.s2pir = UINT64_C(15) << 60 | (uint64_t)encoding << 4 * index;
}

static void assert_s2(const char *rights, bool el0, enum mmu_access_type type, char letter)
{
	bool ok = try_access(VA, type, el0);

	ck_assert_msg(ok == has_letter(rights, letter), "%c of \"%s\" is %d", letter, rights, ok);
	if (ok) {
		ck_assert_int_eq(w.result.readable, has_letter(rights, 'r'));
		ck_assert_int_eq(w.result.writable, has_letter(rights, 'w'));
	} else {
		ck_assert_uint_eq(mmu_fault_status(&w.fault), FSC_PERMISSION_3);
		ck_assert(w.fault.stage2 && !w.fault.s1ptw && !w.fault.dirty && !w.fault.overlay);
		ck_assert_int_eq(w.fault.write, type == MMU_WRITE);
		ASSERT_CONTROL("S2PIR_EL2");
	}
}

START_TEST(s2_base_permissions)
{
	use_tlb(_i);
	for (unsigned i = 0; i < 15; i += 7) {
		flush();
		s2_map(IPA, PA, index_bits(i) | D_S2_W);
		for (unsigned e = 0; e < 16; e++) {
			const char *rights = s2_base_of[e];

			s2_permissions(i, e);
			for (unsigned el0 = 0; el0 < 2; el0++) {
				assert_s2(rights, el0, MMU_READ, 'r');
				assert_s2(rights, el0, MMU_WRITE, 'w');
			}
			// Stage 1 leaves execution to EL0 where EL0 writes: see below for EL1.
			assert_s2(rights, true, MMU_EXEC, 'u');
		}
	}
	flush();
	put(place, IPA | D_PAGE | D_AF);
	s2_map(IPA, PA, D_S2_W);
	for (unsigned e = 0; e < 16; e++) {
		s2_permissions(0, e);
		assert_s2(s2_base_of[e], false, MMU_EXEC, 'x');
	}
}
END_TEST

START_TEST(s2_dirty_state)
{
	uint64_t s2_desc = s2_place(IPA);

	use_tlb(_i);
	s2_map(IPA, PA, 0); // clean
	s2_permissions(0, 0xc);
	ASSERT_OK(VA, MMU_READ, false);
	ck_assert(!w.result.writable);
	ASSERT_S2_FAULT(VA, MMU_WRITE, false, FSC_PERMISSION_3, false);
	ck_assert(w.fault.dirty && w.fault.write);
	ASSERT_CONTROL("VTCR_EL2.HD");
	s2_permissions(0, 8);
	ASSERT_S2_FAULT(VA, MMU_WRITE, false, FSC_PERMISSION_3, false);
	ck_assert(!w.fault.dirty);
	s2_permissions(0, 0xc);
	w.regime.vtcr |= VTCR_HA | VTCR_HD;
	ASSERT_OK(VA, MMU_READ, false);
	ck_assert(!(get(s2_desc) & D_S2_W));
	ASSERT_OK(VA, MMU_WRITE, false);
	ck_assert(w.result.writable);
	ck_assert(get(s2_desc) & D_S2_W);
}
END_TEST

// "Mostly read-only" memory: stage 1's hardware updates are made, stores are not.
START_TEST(s2_tables_of_stage_1)
{
	uint64_t page = place & ~UINT64_C(0xfff);

	use_tlb(_i);
	w.regime.tcr |= TCR_HA | TCR_HD;
	s2_map(IPA, PA, index_bits(15) | D_S2_W);
	for (unsigned e = 0; e < 16; e++) {
		const char *rights = s2_base_of[e];

		flush();
		s2_map(page, page, index_bits(1) | D_S2_W);
		s2_permissions(1, e);
		put(place, IPA | D_PAGE | D_AF | D_AP_EL0);
		if (has_letter(rights, 'r')) {
			ASSERT_OK(VA, MMU_READ, false);
		} else {
			ASSERT_S2_FAULT(VA, MMU_READ, false, FSC_PERMISSION_3, true);
		}
		flush();
		put(place, IPA | D_PAGE | D_AP_EL0); // AF is to be set
		if (has_letter(rights, 'r') && has_letter(rights, 'm')) {
			ASSERT_OK(VA, MMU_READ, false);
			ck_assert(get(place) & D_AF);
		} else {
			ASSERT_S2_FAULT(VA, MMU_READ, false, FSC_PERMISSION_3, true);
			ck_assert(!(get(place) & D_AF));
		}
	}
	// Clean tables: the update makes them dirty, or software has to.
	flush();
	s2_map(page, page, index_bits(1));
	s2_permissions(1, 2);
	put(place, IPA | D_PAGE | D_AP_EL0);
	ASSERT_S2_FAULT(VA, MMU_READ, false, FSC_PERMISSION_3, true);
	ck_assert(w.fault.dirty);
	w.regime.vtcr |= VTCR_HA | VTCR_HD;
	ASSERT_OK(VA, MMU_READ, false);
	ck_assert(get(s2_place(page)) & D_S2_W);
	ck_assert(get(place) & D_AF);
}
END_TEST

START_TEST(s2_absent)
{
	s2_map(IPA, PA, D_S2_R);
	w.features.s2pie = false;
	for (uint64_t table = RAM_BASE + 0x100000; table < w.free_table; table += 0x1000) {
		s2_map(table, table, D_S2_R | D_S2_W);
	}
	ASSERT_OK(VA, MMU_READ, false);
	ASSERT_S2_FAULT(VA, MMU_WRITE, false, FSC_PERMISSION_3, false);
	ASSERT_OK(VA, MMU_EXEC, true);
}
END_TEST

// Both stages at once.
START_TEST(both_stages)
{
	char rights[4];

	use_tlb(_i);
	w.regime.tcr2 = PIE | POE;
	w.regime.por = 5;
	s2_map(IPA, PA, D_S2_W);
	for (unsigned e = 0; e < 16; e++) {
		for (unsigned s = 0; s < 16; s++) {
			const char *s2 = s2_base_of[e];
			bool r, wr;

			permissions(1, s, 0); // bit 6 of the descriptor
			s2_permissions(0, e);
			overlaid_rights(s, 5, rights);
			r = has_letter(rights, 'r') && has_letter(s2, 'r');
			wr = has_letter(rights, 'w') && has_letter(s2, 'w');
			ck_assert_int_eq(try_access(VA, MMU_READ, false), r);
			ck_assert_int_eq(try_access(VA, MMU_WRITE, false), wr);
			if (wr) {
				ck_assert_int_eq(w.result.readable, r);
			} else {
				ck_assert_int_eq(w.fault.stage2, has_letter(rights, 'w'));
			}
		}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mmu_pie");
	TCase *s1 = tcase_create("stage 1");
	TCase *s2 = tcase_create("stage 2");

	tcase_add_checked_fixture(s1, setup, world_teardown);
	tcase_add_loop_test(s1, base_permissions, 0, 2);
	tcase_add_loop_test(s1, writable_at_el0_and_executable_above, 0, 2);
	tcase_add_loop_test(s1, pan, 0, 2);
	tcase_add_loop_test(s1, every_index, 0, 2);
	tcase_add_loop_test(s1, overlays, 0, 2);
	tcase_add_loop_test(s1, overlay_index, 0, 2);
	tcase_add_loop_test(s1, overlay_enables, 0, 2);
	tcase_add_loop_test(s1, overlays_of_direct_permissions, 0, 2);
	tcase_add_loop_test(s1, what_faults_say, 0, 2);
	tcase_add_loop_test(s1, cache_maintenance, 0, 2);
	tcase_add_loop_test(s1, dirty_state_of_software, 0, 2);
	tcase_add_loop_test(s1, dirty_state_of_hardware, 0, 2);
	tcase_add_loop_test(s1, denied_by_an_overlay_is_not_made_dirty, 0, 2);
	tcase_add_loop_test(s1, no_hierarchical_permissions, 0, 2);
	tcase_add_test(s1, registers_are_not_held_by_the_tlb);
	tcase_add_test(s1, one_range);
	tcase_add_test(s1, nested_virtualization);
	tcase_add_test(s1, fetches_from_nonsecure_memory);
	tcase_add_test(s1, absent);
	suite_add_tcase(suite, s1);
	tcase_add_checked_fixture(s2, s2_setup, world_teardown);
	tcase_add_loop_test(s2, s2_base_permissions, 0, 2);
	tcase_add_loop_test(s2, s2_dirty_state, 0, 2);
	tcase_add_loop_test(s2, s2_tables_of_stage_1, 0, 2);
	tcase_add_test(s2, s2_absent);
	tcase_add_loop_test(s2, both_stages, 0, 2);
	suite_add_tcase(suite, s2);
	return world_run(suite);
}
