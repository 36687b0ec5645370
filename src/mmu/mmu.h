// SPDX-License-Identifier: Apache-2.0
// Address translation: regimes, stage-1 and stage-2 walks, faults, and the architectural TLB. A
// regime comes by value, so that a PE and an SMMU use the same walkers; nothing here knows a CPU.
#ifndef STRATA_MMU_MMU_H
#define STRATA_MMU_MMU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "bus/bus.h"

// Translation regimes (Arm ARM D8.1.3).
enum mmu_regime_kind { MMU_REGIME_EL10, MMU_REGIME_EL20, MMU_REGIME_EL2, MMU_REGIME_EL3 };

// Which architecture features the translation honours, from the ID registers of the PE (or the
// SMMU's).
struct mmu_features {
	uint8_t pa_bits; // implemented PA size: 32, 36, 40, 42, 44, 48 or 52
	bool gran4k, gran16k, gran64k; // stage 1
	bool s2_gran4k, s2_gran16k, s2_gran64k;
	bool lva; // FEAT_LVA: 52-bit VA, 64K
	bool lpa; // FEAT_LPA: 52-bit PA, 64K
	bool lpa2; // FEAT_LPA2 at 4K and 16K (TCR.DS)
	bool haf, hdbs; // FEAT_HAFDBS: access flag; dirty state
	bool hpds, hpds2;
	bool pan, pan3; // PAN3: SCTLR.EPAN
	bool xnx, ttcnp, s2fwb, e0pd;
	bool vmid16, asid16;
	bool ttst; // FEAT_TTST small tables
	bool nv1; // FEAT_NV: HCR_EL2.{NV,NV1} change stage 1 of EL1&0
	bool bti; // GP bit
	bool sel2; // Secure EL2: VSTTBR/VSTCR
	bool mte2; // FEAT_MTE2: Normal Tagged memory
	bool s1pie, s1poe; // stage 1: indirect permissions, overlays
	bool s2pie, s2poe; // stage 2: the same
	bool xs; // the XS attribute
};

// Everything that a translation depends on; raw register values of the regime's controlling
// registers. EL1&0: _EL1 registers and, when `has_el2`, the stage-2 ones. EL2&0, EL2: _EL2
// registers. EL3: _EL3. For EL2 and EL3 tcr has the single-range layout (TCR_EL2 with E2H=0,
// TCR_EL3) and ttbr[1] is unused.
struct mmu_regime {
	enum mmu_regime_kind kind;
	bool secure; // security state of the accesses
	uint64_t sctlr; // M, A, WXN, EE, EPAN, ... of the controlling EL
	uint64_t tcr;
	uint64_t ttbr[2];
	uint64_t mair;
	// FEAT_TCR2: bits of TCR2_ELx, as 0 where a higher level keeps it from having effect; of
	// EL3 the same fields of TCR_EL3 in these places. The permission registers count where the
	// field that enables them is set.
	uint64_t tcr2;
	uint64_t pir, pire0; // FEAT_S1PIE
	uint64_t por, por_el0; // FEAT_S1POE
	bool has_el2; // EL2 implemented and enabled in this security state: stage 2 may apply to
		      // EL1&0
	uint64_t hcr; // effective HCR_EL2 (VM, DC, PTW, CD, FWB, TGE, E2H, NV, NV1)
	uint64_t vtcr, vttbr; // Non-secure (or secure's non-secure IPA) stage 2
	uint64_t vstcr, vsttbr; // Secure stage 2 (FEAT_SEL2)
	uint64_t s2pir; // FEAT_S2PIE, while VTCR_EL2.S2PIE is set
	uint64_t s2por; // FEAT_S2POE, while VTCR_EL2.S2POE is set
	uint64_t scr; // SCR_EL3.SIF, EEL2
	bool s2_ee; // SCTLR_EL2.EE: endianness of stage 2 walks (EL1&0 with has_el2)
	const struct mmu_features *features;
};

enum mmu_access_type { MMU_READ, MMU_WRITE, MMU_EXEC };

struct mmu_access {
	va_t va;
	enum mmu_access_type type;
	bool el0; // made with EL0 privilege (EL0, LDTR/STTR, AT S1E0*)
	bool pan; // effective PSTATE.PAN for this access (0 for el0 accesses)
	bool atomic; // read-modify-write: on permission failure of the read, reported as read; WnR
		     // rules D8.15
	bool cache_op; // DC/IC by VA: CM = 1; WnR = 1; needs read (or write for DC IVAC) permission
		       // as given by `type`
	bool at; // AT instruction: no hardware update of dirty state for the target page
	bool s1_only; // AT S1*: do not apply stage 2 to the output (walks still go through stage 2)
	uint8_t size; // bytes; for alignment 1..64
	bool misaligned; // not aligned to its size, or DC ZVA: faults on Device memory
};

// Memory type of the output, after combining both stages.
enum mmu_memtype { MMU_MEM_DEVICE, MMU_MEM_NORMAL_NC, MMU_MEM_NORMAL };

struct mmu_result {
	pa_t pa;
	enum pas pas;
	enum mmu_memtype memtype;
	uint8_t device; // MMU_MEM_DEVICE: 0 nGnRnE, 1 nGnRE, 2 nGRE, 3 GRE
	uint8_t attr; // MAIR-format attribute byte, as PAR_EL1.ATTR reports it
	uint8_t shareability; // 0 non, 2 outer, 3 inner, as PAR_EL1.SH
	bool aligned; // Device memory by one of the stages: what is not aligned faults
	bool guarded; // stage-1 GP
	bool ns; // output NS bit as PAR_EL1.NS reports it
	bool global; // stage 1 nG == 0
	// What an access of this privilege may do here without any further walk or descriptor
	// update.
	bool readable, writable, executable;
	uint8_t page_shift; // log2 of the naturally aligned VA range around va with this same
			    // mapping, >= 12
	ipa_t ipa; // stage-1 output of EL1&0 (== pa without stage 2)
	bool has_stage2;
	// The TLB holds nothing that this result came from (MMU_TLB_FORGET, an AT that may not
	// update): it is good for this one access, nothing may be derived from it. Never set for a
	// flat mapping.
	bool transient;
};

// attr of Normal Tagged memory (FEAT_MTE2).
#define MMU_ATTR_TAGGED 0xf0
#define MMU_ATTR_NC_NXS 0x40 // FEAT_XS: Normal Non-cacheable without the XS attribute
#define MMU_ATTR_WT_NXS 0xa0 // the same, write-through

enum mmu_fault_type {
	MMU_FAULT_NONE,
	MMU_FAULT_ADDRESS_SIZE,
	MMU_FAULT_TRANSLATION,
	MMU_FAULT_ACCESS_FLAG,
	MMU_FAULT_PERMISSION,
	MMU_FAULT_ALIGNMENT,
	MMU_FAULT_EXTERNAL, // synchronous external abort, not on a walk
	MMU_FAULT_EXTERNAL_WALK,
	MMU_FAULT_TLB_CONFLICT,
	MMU_FAULT_UNSUPPORTED_ATOMIC, // IMPLEMENTATION DEFINED fault (unsupported Exclusive or
				      // Atomic access), 0b110101
	MMU_FAULT_UNSUPPORTED_HW_UPDATE,
	MMU_FAULT_EXCLUSIVE // as above, for exclusives
};

struct mmu_fault {
	enum mmu_fault_type type;
	int8_t level; // -1..3
	bool stage2; // fault reported by stage 2 (goes to EL2)
	bool s1ptw; // stage 2 fault on a stage 1 walk
	bool write; // ISS.WnR
	bool overlay; // permission: ISS2.Overlay, an overlay took it away
	bool dirty; // permission: ISS2.DirtyBit, clean memory whose state software keeps
	ipa_t ipa; // stage2: the faulting IPA
	bool ipa_ns; // HPFAR_EL2.NS
	const char *control; // what decided, where one control did: e.g. "SCTLR_EL1.WXN",
			     // "PSTATE.PAN", "TCR_EL1.EPD0"; or NULL
};

// The fault status code, ISS bits [5:0] (Arm ARM ESR_ELx DFSC/IFSC; EncodeLDFSC).
uint8_t mmu_fault_status(const struct mmu_fault *fault);

// TLB behaviour (docs/design.md "two TLBs").
enum mmu_tlb_mode {
	MMU_TLB_SIZED, // like a core: entries are kept until a TLBI or until capacity evicts them
	MMU_TLB_FORGET, // never stale: nothing is kept
	MMU_TLB_KEEP // never forgets by itself
};

struct mmu_tlb;

// Told to the owner whenever entries are dropped, for whatever reason, so that what was derived
// goes too.
struct mmu_tlb_drop {
	bool all; // everything of every regime
	bool all_va; // every VA of the tags below
	enum mmu_regime_kind kind;
	bool secure;
	bool any_asid, any_vmid; // else:
	uint16_t asid, vmid; // asid: entries with this ASID, and global ones when `global`
	bool global;
	uint64_t va; // [va, va + 2^shift)
	uint8_t shift;
	bool exec; // some dropped entry had been used for an instruction fetch
};
typedef void mmu_tlb_dropped_fn(void *opaque, const struct mmu_tlb_drop *drop);

// entries: capacity of the leaf TLB for MMU_TLB_SIZED (power of two, 64..65536).
struct mmu_tlb *mmu_tlb_create(struct bus *bus, enum mmu_tlb_mode mode, size_t entries,
			       mmu_tlb_dropped_fn *dropped, void *opaque);
void mmu_tlb_destroy(struct mmu_tlb *tlb);
void mmu_tlb_flush(struct mmu_tlb *tlb); // reset

// Translate one access through the TLB, walking on a miss (AArch64.TranslateAddress, without
// watchpoints). Alignment faults are those of the memory type; SCTLR.A is the PE's.
// True: *result valid. False: *fault valid. bus is the one given at creation.
bool mmu_translate(struct mmu_tlb *tlb, const struct mmu_regime *regime,
		   const struct mmu_access *access, struct mmu_result *result,
		   struct mmu_fault *fault);

// A regime with what follows from it, decoded once: for whoever translates often by the same
// registers. It refers to the regime, which must stay as it is until the view is set again, and
// serves one TLB.
struct mmu_view;
struct mmu_view *mmu_view_create(void);
void mmu_view_destroy(struct mmu_view *view);
void mmu_view_set(struct mmu_view *view,
		  const struct mmu_regime *regime); // cheap: decoding waits for the first use
bool mmu_view_translate(struct mmu_tlb *tlb, struct mmu_view *view, const struct mmu_access *access,
			struct mmu_result *result, struct mmu_fault *fault);

// The same without any TLB (AT instructions of the friendliest kind, debuggers: `no_update` forbids
// AF/dirty writes).
bool mmu_walk(struct bus *bus, const struct mmu_regime *regime, const struct mmu_access *access,
	      bool no_update, struct mmu_result *result, struct mmu_fault *fault);

// PAR_EL1 for the outcome of an AT instruction (AArch64.EncodePAR), 64-bit format.
uint64_t mmu_par_success(const struct mmu_regime *regime, const struct mmu_result *result);
uint64_t mmu_par_fault(const struct mmu_fault *fault);

// The effective ASID and VMID with which this regime tags entries (TCR.A1, TCR.AS; VTCR.VS). 0
// where none.
uint16_t mmu_regime_asid(const struct mmu_regime *regime);
uint16_t mmu_regime_vmid(const struct mmu_regime *regime);

// TLB maintenance as a DVM message: decoded from a TLBI instruction by the PE, delivered to every
// listener of the domain (Arm ARM D8.14). va/ipa ranges are inclusive of start, exclusive of end
// (end 0 means to the top).
enum mmu_tlbi_op {
	MMU_TLBI_ALL, // everything of the regime (ALLE1/2/3: both stages and all VMIDs for EL1&0)
	MMU_TLBI_VMALL, // VMALLE1: stage 1 of the current VMID
	MMU_TLBI_VMALLS12, // stages 1 and 2 of the current VMID
	MMU_TLBI_ASID,
	MMU_TLBI_VA, // by VA and ASID (plus global)
	MMU_TLBI_VAA, // by VA, any ASID
	MMU_TLBI_IPA // stage 2, by IPA
};

struct mmu_tlbi {
	enum mmu_tlbi_op op;
	enum mmu_regime_kind kind;
	bool secure;
	bool ipa_ns; // MMU_TLBI_IPA in Secure state: which IPA space
	bool last_level_only; // *L*: leaf entries only
	bool use_vmid; // EL1&0 with EL2 enabled: match vmid
	uint16_t asid, vmid;
	uint64_t start, end; // VA or IPA range
	uint8_t ttl; // hint: 0 none, else granule<<2 | level
};

void mmu_tlb_invalidate(struct mmu_tlb *tlb, const struct mmu_tlbi *message);

// Number of entries held, for tests and statistics.
size_t mmu_tlb_count(const struct mmu_tlb *tlb);

#endif
