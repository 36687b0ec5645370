// SPDX-License-Identifier: Apache-2.0
// Shared inside the mmu room: decoded walk parameters, leaves, memory attributes, and the TLB's
// inner face.
#ifndef STRATA_MMU_INTERNAL_H
#define STRATA_MMU_INTERNAL_H

#include "base/bits.h"
#include "mmu/mmu.h"

// Register fields, named once.
#define SCTLR_M BIT(0)
#define SCTLR_C BIT(2)
#define SCTLR_I BIT(12)
#define SCTLR_WXN BIT(19)
#define SCTLR_EE BIT(25)
#define SCTLR_EPAN BIT(57)

#define HCR_VM BIT(0)
#define HCR_PTW BIT(2)
#define HCR_DC BIT(12)
#define HCR_DCT BIT(57)
#define HCR_TGE BIT(27)
#define HCR_CD BIT(32)
#define HCR_ID BIT(33)
#define HCR_NV BIT(42)
#define HCR_NV1 BIT(43)
#define HCR_FWB BIT(46)

#define SCR_SIF BIT(9)

// Two-range layout (TCR_EL1, TCR_EL2 with E2H).
#define TCR_EPD0 BIT(7)
#define TCR_A1 BIT(22)
#define TCR_EPD1 BIT(23)
#define TCR_AS BIT(36)
#define TCR_TBI0 BIT(37)
#define TCR_TBI1 BIT(38)
#define TCR_HA BIT(39)
#define TCR_HD BIT(40)
#define TCR_HPD0 BIT(41)
#define TCR_HPD1 BIT(42)
#define TCR_TBID0 BIT(51)
#define TCR_TBID1 BIT(52)
#define TCR_E0PD0 BIT(55)
#define TCR_E0PD1 BIT(56)
#define TCR_DS BIT(59)
// One-range layout (TCR_EL2 without E2H, TCR_EL3).
#define TCR1R_TBI BIT(20)
#define TCR1R_HA BIT(21)
#define TCR1R_HD BIT(22)
#define TCR1R_HPD BIT(24)
#define TCR1R_TBID BIT(29)
#define TCR1R_DS BIT(32)

// TCR2_EL1, TCR2_EL2.
#define TCR2_PIE BIT(1)
#define TCR2_E0POE BIT(2)
#define TCR2_POE BIT(3)

#define VTCR_VS BIT(19)
#define VTCR_HA BIT(21)
#define VTCR_HD BIT(22)
#define VTCR_NSW BIT(29)
#define VTCR_NSA BIT(30)
#define VTCR_DS BIT(32)
#define VTCR_SL2 BIT(33)
#define VTCR_S2PIE BIT(36)
#define VTCR_S2POE BIT(37)
#define VSTCR_SW BIT(29)
#define VSTCR_SA BIT(30)

// Descriptor bits.
#define DESC_VALID BIT(0)
#define DESC_TABLE BIT(1)
#define DESC_NS BIT(5)
#define DESC_AP1 BIT(6) // stage 1: EL0 may access
#define DESC_AP2 BIT(7) // stage 1: read-only
#define DESC_NDIRTY DESC_AP2 // stage 1 with indirect permissions: clean
#define DESC_S2AP0 BIT(6) // stage 2: readable
#define DESC_S2AP1 BIT(7) // stage 2: writable
#define DESC_S2_DIRTY DESC_S2AP1 // stage 2 with indirect permissions
#define DESC_AF BIT(10)
#define DESC_NG BIT(11)
#define DESC_GP BIT(50)
#define DESC_DBM BIT(51)
#define DESC_CONTIGUOUS BIT(52)
#define DESC_PXN BIT(53)
#define DESC_UXN BIT(54)
#define DESC_PXN_TABLE BIT(59)
#define DESC_UXN_TABLE BIT(60)
#define DESC_AP_TABLE0 BIT(61)
#define DESC_AP_TABLE1 BIT(62)
#define DESC_NS_TABLE BIT(63)

// What table descriptors above a leaf take away (Arm ARM D8.4.5, hierarchical permissions).
enum {
	TABLE_NO_EL0 = 1, // APTable[0]
	TABLE_READ_ONLY = 2, // APTable[1]
	TABLE_PXN = 4, // PXNTable, and XNTable of the one-range regimes
	TABLE_UXN = 8
};

// One Normal cacheability: MAIR-style.
enum mem_cache { MEM_NC, MEM_WT, MEM_WB };

struct mem_hints {
	uint8_t cache; // enum mem_cache
	uint8_t alloc; // read-allocate 2 | write-allocate 1
	bool transient;
};

enum mem_share { SHARE_NON = 0, SHARE_OUTER = 2, SHARE_INNER = 3 };

struct mem_attrs {
	bool is_device;
	uint8_t device; // 0 nGnRnE .. 3 GRE
	struct mem_hints inner, outer;
	uint8_t share; // enum mem_share
	bool tagged; // FEAT_MTE2: Normal Tagged
	bool xs; // FEAT_XS: the XS attribute
};

struct mem_attrs attr_device(unsigned device);
struct mem_attrs attr_normal_nc(bool xs);
struct mem_attrs attr_s1_decode(uint8_t mair_attr, unsigned sh);
struct mem_attrs attr_s2_decode(unsigned attr, unsigned sh);
struct mem_attrs attr_combine(const struct mem_attrs *s1, const struct mem_attrs *s2);
struct mem_attrs attr_combine_fwb(const struct mem_attrs *s1, unsigned s2_attr, unsigned sh,
				  bool fnxs);
uint8_t attr_share_effective(const struct mem_attrs *attrs);

// Stage 1 parameters for one VA range (AArch64.GetS1TTWParams and what follows from them).
struct s1_params {
	uint8_t granule; // log2 of the granule
	uint8_t ia_bits;
	uint8_t oa_bits;
	int8_t start_level;
	uint8_t addr_top; // 63, or 55 when the top byte is ignored
	uint8_t addr_top_fetch; // the same for instruction fetches
	uint8_t sh; // TCR.SHx, used with DS
	bool upper; // the VA selects TTBR1
	bool two_ranges;
	bool size_fault; // TxSZ out of range and treated as a fault
	bool hpd, ha, hd, ee, ds, nv1, epd, e0pd;
	uint64_t table; // base address of the first table
};

// Stage 2 parameters for one IPA space.
struct s2_params {
	uint8_t granule;
	uint8_t ia_bits;
	uint8_t oa_bits;
	int8_t start_level;
	uint8_t sh;
	bool size_fault; // T0SZ out of range
	bool level_fault; // SL0/SL2 invalid or inconsistent with T0SZ
	bool ha, hd, ee, ds, ptw, fwb;
	bool indirect; // permissions by S2PIR_EL2
	bool overlaid; // and by S2POR_EL1
	enum pas table_pas;
	enum pas output_pas;
	uint64_t table;
};

bool regime_two_ranges(const struct mmu_regime *regime);
bool regime_s1_enabled(const struct mmu_regime *regime);
bool regime_s2_enabled(const struct mmu_regime *regime);
bool regime_secure(const struct mmu_regime *regime);
bool regime_nv1(const struct mmu_regime *regime); // effective HCR_EL2.{NV,NV1}, of EL1&0
void s1_params_decode(const struct mmu_regime *regime, bool upper, struct s1_params *params);
void s2_params_decode(const struct mmu_regime *regime, enum pas ipa_pas, struct s2_params *params);
// log2 of what one descriptor of this level maps.
unsigned level_shift(unsigned granule, int level);
// log2 of how many neighbours a contiguous entry of this level spans; 0 where the bit is not used.
unsigned contiguous_shift(unsigned granule, int level);

// Names of deciding controls.
enum control {
	CONTROL_TXSZ0,
	CONTROL_TXSZ1,
	CONTROL_EPD0,
	CONTROL_EPD1,
	CONTROL_E0PD0,
	CONTROL_E0PD1,
	CONTROL_IPS,
	CONTROL_WXN,
	CONTROL_EPAN,
	CONTROL_HD,
	CONTROL_PIR,
	CONTROL_PIRE0,
	CONTROL_POR,
	CONTROL_COUNT
};
const char *control_name(const struct mmu_regime *regime, enum control control);

// The end of a walk of either stage.
struct leaf {
	uint64_t desc; // the descriptor as it stands in memory
	uint64_t oa; // output address of the whole entry (aligned to its size)
	uint8_t shift; // log2 of the size of the entry, contiguity included
	int8_t level;
	uint8_t table_perms; // TABLE_*
	enum pas pas; // of the output
	bool global;
};

// A place in a stage-1 or stage-2 walk, as the walk cache keeps it: the table to look in next.
struct walk_point {
	uint64_t table;
	int8_t level;
	uint8_t table_perms;
	enum pas pas;
};

// The architectural TLB, inner face. A tag names whose entries (see tlb_tags_s1, tlb_tag_s2) and
// remembers where the TLB keeps their context. All take tlb == NULL as an empty TLB that keeps
// nothing.
struct tlb_tag {
	uint64_t key;
	uint16_t id; // a hint, checked on use
};

// Of non-global and global stage-1 entries; of stage-2 entries.
void tlb_tags_s1(const struct mmu_regime *regime, struct tlb_tag *by_asid, struct tlb_tag *global);
void tlb_tag_s2(const struct mmu_regime *regime, enum pas ipa_pas, struct tlb_tag *tag);

bool tlb_lookup_s1(struct mmu_tlb *tlb, struct tlb_tag *by_asid, struct tlb_tag *global,
		   uint64_t va, bool exec, struct leaf *leaf);
bool tlb_lookup_s2(struct mmu_tlb *tlb, struct tlb_tag *tag, uint64_t ipa, bool exec,
		   struct leaf *leaf);
void tlb_insert_s1(struct mmu_tlb *tlb, struct tlb_tag *tag, uint64_t va, bool exec,
		   const struct leaf *leaf);
void tlb_insert_s2(struct mmu_tlb *tlb, struct tlb_tag *tag, uint64_t ipa, bool exec,
		   const struct leaf *leaf);
// The deepest known table of a walk of this granule below start_level; false: start at the top.
bool tlb_walk_lookup(struct mmu_tlb *tlb, struct tlb_tag *tag, uint64_t ia, unsigned granule,
		     int start_level, struct walk_point *point);
void tlb_walk_insert(struct mmu_tlb *tlb, struct tlb_tag *tag, uint64_t ia, unsigned granule,
		     const struct walk_point *point);
struct bus *tlb_bus(struct mmu_tlb *tlb);
bool tlb_keeps(const struct mmu_tlb *tlb);
bool tlb_never_forgets(const struct mmu_tlb *tlb);

// The RAM in which the last table was found, by PAS; RAM is never unmapped. size 0: none yet.
struct ram_window {
	uint64_t base;
	uint64_t size;
	const uint8_t *host;
};
struct ram_window *tlb_windows(struct mmu_tlb *tlb); // PAS_COUNT

// The stage-2 leaf that something was derived from, as it was then (tlb_s2_ref_holds); entry NULL:
// from none.
struct tlb_entry;
struct s2_ref {
	const struct tlb_entry *entry;
	uint64_t tag, owner, oa, desc;
};

// Where stage 2 maps a page of stage-1 tables: good while the TLB has the entry that says so.
#define TABLE_HINTS 8
#define TABLE_HINT_NONE UINT64_MAX
struct table_hint {
	uint64_t page; // table_hint_page, or TABLE_HINT_NONE
	struct s2_ref ref;
	const uint8_t *host;
};

// The last-level table (4K granule) of the 2 MiB around a VA: good while the TLB dropped no table
// pointer since, and, where stage 2 is on, has the entry that maps it.
#define WALK_HINTS 4
struct walk_hint {
	uint64_t region; // VA >> 21, sign-extended
	uint64_t walk_changes;
	struct s2_ref ref;
	const uint8_t *host;
	uint8_t table_perms;
};

// What the short way (mmu_fast.c) needs of a VA range; ok: it may be taken.
struct fast_range {
	bool ok;
	uint8_t ia_bits, oa_bits;
	int8_t start_level;
	uint64_t outside[2]; // data, fetches: VA bits that have to be as in `fill`
	uint64_t fill;
	uint64_t table;
};

static inline uint64_t table_hint_page(uint64_t ipa, enum pas pas)
{
	return ipa >> PAGE_SHIFT | (uint64_t)pas << 62;
}

static inline unsigned table_hint_index(uint64_t ipa)
{
	return (unsigned)(ipa >> PAGE_SHIFT ^ ipa >> (PAGE_SHIFT + 3)) & (TABLE_HINTS - 1);
}

// A memory type as the result of a translation reports it.
struct attr_result {
	uint8_t memtype; // enum mmu_memtype
	uint8_t device;
	uint8_t attr;
	uint8_t shareability;
	bool aligned;
};

enum {
	VIEW_S1 = 1, // what is common to both ranges
	VIEW_RANGE0 = 2,
	VIEW_RANGE1 = 4,
	VIEW_S2_NS = 8,
	VIEW_S2_S = 16,
};

void attr_report(const struct mem_attrs *attrs, struct attr_result *result);

#define ATTR_KEY_NONE UINT32_MAX

// What may be done with memory, and what an entry of PIR_ELx says besides.
enum {
	RIGHT_READ = 1,
	RIGHT_WRITE = 2,
	RIGHT_FETCH = 4,
	RIGHTS_ALL = 7,
	RIGHT_OVERLAID = 8, // an overlay may take away
	RIGHT_WXN = 16 // not written and executed both
};

// Which column of the base permissions an access takes; of the overlays there are the first two.
enum base_column { BASE_PRIV, BASE_EL0, BASE_PAN, BASE_COUNT };

// A regime, decoded where and when it was needed.
struct mmu_view {
	const struct mmu_regime *regime;
	uint8_t ready; // VIEW_*
	bool s1_on, s2_on, secure;
	bool two_ranges;
	bool wxn;
	bool pan; // PSTATE.PAN means something
	bool epan;
	bool hd; // hardware keeps the dirty state of stage 1
	bool sif; // no fetches from Non-secure memory
	bool nv1; // EL1&0 with HCR_EL2.{NV,NV1}
	// Stage-1 permissions by index, if they are not all in the descriptors (mmu_perm.c).
	bool indexed; // one or more of the following
	bool indirect;
	bool overlaid[2]; // by overlay_of
	uint8_t base[BASE_COUNT][16]; // RIGHT_*, by base_of and index
	uint8_t overlay[2][8];
	struct tlb_tag by_asid, global;
	struct tlb_tag s2_tag[2]; // by IPA space: Non-secure, Secure
	struct s1_params s1[2];
	struct s2_params s2[2];
	// Combinations of attributes and what they gave; by data or fetches, and index into MAIR.
	uint32_t attr_key[2][8];
	struct attr_result attr[2][8];
	struct table_hint hints[TABLE_HINTS];
	struct walk_hint walks[WALK_HINTS];
	struct fast_range fast[2];
};

void view_prepare(struct mmu_view *view);
const struct s1_params *view_s1(struct mmu_view *view, bool upper);
const struct s2_params *view_s2(struct mmu_view *view, bool secure_space);

// Everything a translation carries along.
struct walker {
	struct bus *bus;
	struct mmu_tlb *tlb; // NULL: none
	struct mmu_view *view;
	const struct mmu_regime *regime; // the view's
	const struct mmu_access *access;
	struct ram_window *windows; // PAS_COUNT
	bool no_update;
	struct mmu_fault *fault;
};

// What stage 2 is asked to allow.
struct s2_access {
	bool read, write, fetch;
	bool el0;
	bool walk; // made by a stage 1 walk
	bool cache_op;
	bool at;
	bool misaligned;
};

struct s2_output {
	struct leaf leaf;
	uint64_t pa;
	bool readable, writable, px, ux; // as they stand, without a descriptor update
	bool fwb;
	const struct s2_params *params;
	bool held; // the TLB holds it now
};

// Stage 2 for one address. False: w->fault is filled.
bool s2_translate(struct walker *w, uint64_t ipa, enum pas ipa_pas, const struct s2_access *access,
		  struct s2_output *out);
bool descriptor_write(struct walker *w, uint64_t pa, enum pas pas, bool big_endian, uint64_t desc);
// Common to both stages: what a descriptor is and where it points.
enum desc_kind { DESC_INVALID, DESC_IS_TABLE, DESC_IS_LEAF };
enum desc_kind desc_kind(uint64_t desc, unsigned granule, int level, bool ds, unsigned pa_bits);
uint64_t desc_address(uint64_t desc, unsigned granule, unsigned low, bool ds, bool lpa);
bool address_fits(uint64_t address, unsigned bits);

// Stage-1 rights of an access's privilege and what took some of them away. `base` does not say
// what an update of dirty state would be needed for.
struct s1_rights {
	uint8_t base, overlay; // RIGHT_*; overlay: all where none applies
	bool clean; // indirect permissions, not dirty
	const char *no_data; // the control that removed reading and writing
	const char *no_exec; // the control that removed execution
};
void perm_view_prepare(struct mmu_view *view);
void s1_rights(const struct walker *w, const struct s1_params *params, const struct leaf *leaf,
	       struct s1_rights *rights);
bool s1_permits(struct walker *w, const struct s1_params *params, const struct leaf *leaf,
		const struct s1_rights *rights);
// The access makes clean memory dirty, which hardware is to note in the descriptor.
bool s1_needs_dirty(const struct walker *w, const struct s1_params *params, uint64_t desc);

// AArch64.S2ComputePermissions.
enum {
	S2_R = 1,
	S2_W = 2,
	S2_PX = 4,
	S2_UX = 8,
	S2_WALK_W = 16, // written by walks of stage 1
	S2_ALL = 31
};
struct s2_rights {
	uint8_t base, overlay; // S2_*; overlay: all where none applies
};
void s2_rights(const struct walker *w, const struct s2_params *params, uint64_t desc,
	       struct s2_rights *rights);

bool fault_set(struct walker *w, enum mmu_fault_type type, int level, const char *control);

// Stage 1 walk (AArch64.S1Walk): the leaf, and where its descriptor lies.
struct s1_place {
	uint64_t desc_ipa;
	enum pas desc_ipa_pas;
	uint64_t desc_pa;
	enum pas desc_pas;
};
bool s1_walk(struct walker *w, const struct s1_params *params, uint64_t va, struct leaf *leaf,
	     struct s1_place *place);

// mmu_view_translate without the short way.
bool mmu_long_translate(struct mmu_tlb *tlb, struct mmu_view *view, const struct mmu_access *access,
			struct mmu_result *result, struct mmu_fault *fault);

// Read a stage 1 descriptor at the IPA place->desc_ipa through stage 2; remembers where it was in
// the hint.
bool s1_descriptor_by_s2(struct walker *w, const struct s1_params *params,
			 const struct walk_point *point, struct s1_place *place, uint64_t *desc,
			 struct table_hint *hint);
uint8_t s1_table_perms(const struct s1_params *params, uint64_t desc);

// What the attributes of a result depend on, besides the view and whether it is a fetch.
#define ATTR_SH_SHIFT 3 // above the index into MAIR
#define ATTR_S1_OFF BIT(6)
#define ATTR_S2 BIT(7)
#define ATTR_S2_SHIFT 8 // bits 11:2 of the stage 2 descriptor

void attr_combine_stages(const struct walker *w, uint32_t s1_key, const struct s2_output *s2,
			 struct attr_result *out);

// s2 == NULL: of stage 1 alone.
static inline void report_attrs(const struct walker *w, uint32_t s1_key, const struct s2_output *s2,
				struct mmu_result *result)
{
	bool fetch = w->access->type == MMU_EXEC;
	struct attr_result *attrs = &w->view->attr[fetch][s1_key & 7];
	uint32_t key = s1_key;

	if (s2 != NULL) {
		key |= ATTR_S2 | (uint32_t)bits(s2->leaf.desc, 11, 2) << ATTR_S2_SHIFT;
	}
	if (unlikely(w->view->attr_key[fetch][s1_key & 7] != key)) {
		attr_combine_stages(w, s1_key, s2, attrs);
		w->view->attr_key[fetch][s1_key & 7] = key;
	}
	result->memtype = (enum mmu_memtype)attrs->memtype;
	result->device = attrs->device;
	result->attr = attrs->attr;
	result->shareability = attrs->shareability;
	result->aligned = attrs->aligned;
}

#endif
