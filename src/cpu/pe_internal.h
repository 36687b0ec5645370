// SPDX-License-Identifier: Apache-2.0
// The state of a PE, for the files of the cpu room only.
#ifndef STRATA_CPU_PE_INTERNAL_H
#define STRATA_CPU_PE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/addr.h"
#include "base/bits.h"
#include "base/check.h"
#include "cpu/code.h"
#include "cpu/fault.h"
#include "cpu/feature.h"
#include "cpu/fp/fp.h"
#include "cpu/model.h"
#include "cpu/pe.h"
#include "cpu/sysreg.h"
#include "cpu/uop.h"
#include "cpu/vreg.h"
#include "mmu/mmu.h"

// ---- the fast TLB -------------------------------------------------------------------------------
// An index from virtual page to host pointer, derived from the architectural TLB: a subset of it at
// any time. One per translation context; a context switch selects another one and flushes nothing.

#define FAST_BITS 10
#define FAST_COUNT (1u << FAST_BITS)
#define FAST_EXEC_COUNT 256u
#define FAST_ALIGNED_COUNT 32u
#define FAST_INVALID 1 // a tag that no aligned address equals
#define FAST_CONTEXTS 256
#define CONTEXT_HINTS 1024u

struct fast_entry {
	uint64_t tag_r; // virtual page base when it may be read, else FAST_INVALID
	uint64_t tag_w; // when it may be written without any further action
	uintptr_t addend; // host address = virtual address + addend
	uint64_t pa; // physical page base, PAS in the low bits, FAST_MMIO
};

#define FAST_MMIO 4u // in pa: not RAM, the addend means nothing

struct exec_entry {
	uint64_t tag; // virtual page base
	struct code_page *page;
	bool guarded; // BTI guarded page
};

// Everything that decides a translation and what may be done with it, apart from the tables in
// memory.
struct fast_key {
	uint64_t sctlr, tcr, mair, hcr, vtcr, scr;
	uint64_t tcr2, pir, pire0, s2pir, s2por;
	uint64_t por; // that of the accesses' privilege
	uint16_t asid, vmid;
	uint8_t kind; // enum mmu_regime_kind
	bool secure, el0, pan, has_el2;
	bool tags; // checks of allocation tags may fail: see mte_checks_enabled
};

struct fast_tlb {
	struct fast_entry e[FAST_COUNT];
	struct exec_entry x[FAST_EXEC_COUNT];
	struct fast_entry
		a[FAST_ALIGNED_COUNT]; // Device memory, RAM or not: aligned accesses only, by mem.c
	uint64_t used_e[FAST_COUNT /
			64]; // which entries may hold something: what a clear has to go over
	uint64_t used_x[FAST_EXEC_COUNT / 64];
	uint32_t used_a;
	struct fast_key key;
	uint64_t id; // unique for (context, generation of its executable translations): the jump
		     // cache's tag
	uint64_t used; // for replacement
	bool empty; // e and a
	bool empty_x;
};

// Which checks apply at an EL.
struct level_checks {
	bool fp_trap; // FP/SIMD access is trapped
	bool sp; // SCTLR_ELx.SA (or SA0)
	bool align; // SCTLR_ELx.A
	bool unused;
};

// All that follows from being at an EL, computed once and kept until a control register changes.
struct level_view {
	uint32_t epoch; // valid while it is the PE's view_epoch
	struct level_checks checks;
	struct fast_tlb *fast; // of the translations
	struct fast_tlb *data; // the same, or one that is always empty where every access has to be
			       // looked at
	struct fast_tlb *unpriv; // for LDTR/STTR while PSTATE.UAO is 0
	struct mmu_regime regime;
	struct mmu_view *mmu; // of the regime
};

// What taking an exception to an EL makes of the PSTATE flags of pe_flags: flags & keep | set.
struct entry_rule {
	uint64_t keep, set;
	uint32_t epoch; // valid while it is the PE's view_epoch
	uint8_t masks; // PSTATE.DAIF and ALLINT, for pe->daif
};

// EL2's regime for the page of VNCR_EL2 (vncr.c).
struct vncr_view {
	uint32_t epoch; // as in level_view
	struct mmu_regime regime;
	struct mmu_view *mmu;
};

// ---- the jump cache: virtual PC to decoded block ------------------------------------------------

#define JUMP_BITS 12
#define JUMP_COUNT (1u << JUMP_BITS)

struct jump_entry {
	uint64_t pc;
	uint64_t id; // of the fast_tlb
	const struct uop *block;
	struct code_page *page;
};

struct sysreg_hook {
	sysreg_read_fn *read;
	sysreg_write_fn *write;
	void *opaque;
	bool plain_write; // a write only stores the writable bits
	bool decides; // some permission depends on this register (sysreg_mark_deciders)
	uint8_t after; // what a write has to be followed by: SYSREG_CHANGES_*, SYSREG_DECIDES
};

// A remembered permission: accesses to this encoding, from this level and SPSel, lead to `reg`
// without a trap. Valid while no deciding register was written (the epoch).
struct sysreg_cached {
	uint16_t enc;
	uint16_t reg;
	uint32_t epoch;
};
#define SYSREG_CACHE_COUNT 64u

// A remembered trap, likewise. Only the Rt of the syndrome is the instruction's own.
struct sysreg_trapped {
	uint64_t tag; // the access_tag
	uint16_t enc;
	bool read;
	struct sysreg_decision decision;
};
#define SYSREG_TRAPPED_COUNT 32u

// Reasons to leave the threaded code at the next block boundary.
enum {
	PE_ATTENTION_INTERRUPT = 1, // an unmasked interrupt is pending
	PE_ATTENTION_STOP = 2, // pe_request_stop
	PE_ATTENTION_WAIT = 4, // WFI or WFE
	PE_ATTENTION_SLOW = 8, // software step or breakpoints: one instruction at a time
	PE_ATTENTION_HALT = 16,
};

enum pe_wait { PE_WAIT_NONE, PE_WAIT_WFI, PE_WAIT_WFE };

struct pe {
	// Hot: what handlers touch. x[31] is always zero; x[X_SP] is the current stack pointer.
	uint64_t x[X_COUNT];
	uint64_t nf; // N is bit 63
	uint64_t zf; // Z is set iff this is zero
	uint64_t cf; // C: 0 or 1
	uint64_t vf; // V is bit 63
	int64_t budget; // nanoseconds until `deadline`; taken at block entry
	uint64_t deadline; // now == deadline - budget (between blocks)
	uint64_t vpage; // virtual address of the 4 KiB page being executed
	struct code_page *
		code_page; // the physical page being executed; NULL after a flush of the code cache
	uint64_t jump_id; // tag of valid jump cache entries: the context and the generation of its
			  // mappings
	struct fast_tlb *fast; // of the current context
	struct fast_tlb *fast_unpriv; // for LDTR/STTR
	struct fast_tlb *exec_fast; // for instruction fetches: the current context even while
				    // `fast` is `none`
	const struct uop *cur; // the uop in a slow path, for the exact time and PC; NULL outside
	struct level_checks checks; // of the current EL
	uint64_t access_tag; // sysreg_epoch, PE, EL, SPSel, and 16 zero bits: see pe_access_tag_set
	struct jump_entry *jumps; // JUMP_COUNT
	union vreg v[33]; // v[32]: the repeated element of by-element instructions, of no meaning
			  // between them
	struct fp_env fp;
	uint64_t scratch[16]; // for multi-register accesses

	// PSTATE.
	uint8_t el; // 0..3
	bool sp_sel;
	uint8_t daif; // D A I F in bits 3..0, ALLINT in bit 7: as in an SPSR from bit 6 on
	bool il, ss, pan, uao, dit, ssbs, tco; // with BTYPE, eight bytes in a row: see pe_flags
	uint8_t btype;

	// Exclusive monitor (one for local and global: all observers run on one host thread).
	bool excl_valid;
	uint8_t excl_size;
	uint64_t excl_pa; // physical granule address with PAS in bits 63:62
	uint64_t excl_va;

	uint64_t lor[4][3]; // the LORegion descriptors that LORC_EL1.DS does not select: see
			    // write_lorc
	uint64_t sp_el3;
	uint64_t *sp_banks[4]; // where SP_ELx is kept while another stack pointer is in use
	uint64_t pc; // valid between blocks
	uint64_t until; // what the caller of pe_run asked for
	unsigned attention; // PE_ATTENTION_*
	enum pe_wait wait;
	uint64_t wait_until; // WFIT/WFET: virtual time, EVENT_NEVER if none
	bool wait_trap; // FEAT_TWED: a WFE that is to be trapped when it has waited so long
	bool wait_trap_due; // it has
	uint32_t wait_insn; // that WFE
	bool event_register; // WFE
	bool halted;
	bool lines[PE_LINE_COUNT];
	uint8_t lines_high; // how many of them are high
	uint8_t superpriority; // the lines whose interrupt has it, by bit (FEAT_NMI)
	// Who watches the changes of level: four bytes in a row, see pe_watched.
	bool tracing; // some sink is attached (looked up at every pe_run)
	bool pmu_active; // some counter is enabled: EL changes matter to it
	bool watch_active; // some watchpoint is enabled in the current context
	bool break_active; // breakpoints or step: PE_ATTENTION_SLOW
	uint64_t idle; // time spent waiting: insns == now - idle
	uint64_t idle_start; // time at the last reset
	struct event wait_event;

	struct fault fault; // of the instruction being executed
	struct trace_event event; // being put together, while tracing

	// Progress watch: exceptions in a row without an instruction retired.
	uint64_t stuck_insns;
	unsigned stuck_count;

	uint16_t access_reg; // enum sysreg, on the way from MRS or MSR to its slow twin
	uint32_t sysreg_epoch;
	struct sysreg_cached sysreg_cache[2][8]
					 [SYSREG_CACHE_COUNT]; // by read, EL and SPSel, encoding
	struct sysreg_trapped sysreg_trapped[SYSREG_TRAPPED_COUNT];
	uint64_t sr[SYSREG_COUNT];
	struct sysreg_hook hooks[SYSREG_COUNT];

	// Translation.
	struct mmu_tlb *tlb;
	const struct mmu_regime *regime; // of the current EL: in its view
	struct mmu_view *mmu; // the same, decoded
	struct fast_tlb *contexts; // FAST_CONTEXTS
	struct level_view views[4][2]; // by EL and PAN
	struct level_view *view_at[4][2]; // where they are
	struct entry_rule entry_rules[4]; // by the EL that takes the exception
	struct vncr_view vncr;
	uint32_t view_epoch; // of valid views: raised when a register that they depend on changed
	uint64_t context_tags[FAST_CONTEXTS]; // what a drop is matched against: CONTEXT_TAG_*
	uint16_t context_hint[CONTEXT_HINTS]; // by hash of the key: where the context probably is
	unsigned context_count; // in use; the first of `contexts`
	uint64_t context_sequence;
	uint64_t context_clock;
	struct exec_entry exec_transient; // a fetch translation that must not be kept
	struct fast_tlb *none; // an always-empty one, for contexts that must take the slow path
			       // (watchpoints)

	const struct cpu_model *model;
	struct bus *bus;
	struct event_queue *queue;
	struct code_cache *code;
	struct trace *trace;
	struct log *log;
	struct pe_services services;
	unsigned index;
	uint64_t affinity;
	bool has_el2, has_el3;
	bool step_armed; // the instruction about to run is being stepped
	bool stepped, stepped_exclusive; // the last one was, and was a Load-Exclusive
	uint64_t stepped_insns; // pe_insns() after it
	void (*state_changed)(struct pe *pe, void *opaque);
	void *state_changed_opaque;
	uint32_t (*intid)(struct pe *pe, void *opaque, enum pe_line line);
	void *intid_opaque;
	uint8_t gic_priority_bits, gic_list_registers; // decide which registers there are
	uint64_t amu_since; // when the activity monitors were last brought up to date (cpu/amu.c)
	struct pmu *pmu; // cpu/pmu.c
	struct pauth_cache *pauth_cache;
	uint64_t rng; // state of RNDR
	struct uop step_uops[16]; // one instruction and its end, for stepping
};

// The entry of the exec array for pc, about to be filled.
static inline struct exec_entry *fast_exec_slot(struct fast_tlb *fast, uint64_t pc)
{
	unsigned i = (unsigned)(pc >> PAGE_SHIFT) & (FAST_EXEC_COUNT - 1);

	fast->used_x[i / 64] |= BIT(i % 64);
	fast->empty_x = false;
	return &fast->x[i];
}

// ---- time ---------------------------------------------------------------------------------------

// Virtual time now: exact in a slow path (pe->cur set), else at a block boundary.
static inline uint64_t pe_now(const struct pe *pe)
{
	return pe->deadline - (uint64_t)pe->budget - (pe->cur != NULL ? pe->cur->rest : 0);
}

// PC of the instruction of a uop of the page being executed.
static inline uint64_t pe_uop_pc(const struct pe *pe, const struct uop *op)
{
	return pe->vpage + op->pc_off;
}

// Leave the threaded code at the next block boundary.
static inline void pe_kick(struct pe *pe)
{
	if (pe->budget > 0) {
		pe->deadline -= (uint64_t)pe->budget;
		pe->budget = 0;
	}
}

static inline void pe_attend(struct pe *pe, unsigned why)
{
	pe->attention |= why;
	pe_kick(pe);
}

// ---- state helpers ------------------------------------------------------------------------------

static inline bool has(const struct pe *pe, enum feature feature)
{
	return feature_in(&pe->model->features, feature);
}

// PSTATE.{IL,SS,PAN,UAO,DIT,SSBS,TCO,BTYPE} in one word: zero if none of them is set.
static inline uint64_t pe_flags(const struct pe *pe)
{
	uint64_t flags;

	_Static_assert(offsetof(struct pe, btype) == offsetof(struct pe, il) + 7, "one word");
	memcpy(&flags, &pe->il, sizeof(flags));
	return flags;
}

static inline void pe_set_flags(struct pe *pe, uint64_t flags)
{
	memcpy(&pe->il, &flags, sizeof(flags));
}

// One of the flags of pe_flags there, as all ones or as 1.
#define PE_FLAG_SHIFT(name) (8 * (offsetof(struct pe, name) - offsetof(struct pe, il)))
#define PE_FLAG_MASK(name) (UINT64_C(0xff) << PE_FLAG_SHIFT(name))
#define PE_FLAG(name) (UINT64_C(1) << PE_FLAG_SHIFT(name))

// Is there a trace, an event counter, a watchpoint, a breakpoint or a step?
static inline bool pe_watched(const struct pe *pe)
{
	uint32_t watchers;

	_Static_assert(offsetof(struct pe, break_active) == offsetof(struct pe, tracing) + 3,
		       "one word");
	memcpy(&watchers, &pe->tracing, sizeof(watchers));
	return watchers != 0;
}

// After a change of EL, SPSel or sysreg_epoch: what a permission that is remembered in a uop is
// good for. Uops serve all PEs, hence the index.
static inline void pe_access_tag_set(struct pe *pe)
{
	pe->access_tag = (uint64_t)pe->sysreg_epoch << 32 |
			 (uint64_t)((pe->index + 1) << 3 | (unsigned)pe->el << 1 | pe->sp_sel)
				 << 16;
}

#define PE_DAIF_MASK 0xfu
#define PE_ALLINT 0x80u // in pe->daif

// The masks of an SPSR, for pe->daif. Without FEAT_NMI no SPSR has bit 13.
static inline uint8_t pe_masks_of(uint64_t spsr)
{
	return (uint8_t)((spsr >> 6) & (PE_DAIF_MASK | PE_ALLINT));
}

// NZCV in bits 31:28.
static inline uint32_t pe_nzcv(const struct pe *pe)
{
	return (uint32_t)((pe->nf >> 63) << 31 | (uint64_t)(pe->zf == 0) << 30 | pe->cf << 29 |
			  (pe->vf >> 63) << 28);
}

static inline void pe_set_nzcv(struct pe *pe, uint32_t nzcv)
{
	pe->nf = (uint64_t)(nzcv >> 31) << 63;
	pe->zf = !((nzcv >> 30) & 1);
	pe->cf = (nzcv >> 29) & 1;
	pe->vf = (uint64_t)((nzcv >> 28) & 1) << 63;
}

// SCR_EL3.NS == 0; without EL3 always Non-secure.
static inline bool pe_secure_below_el3(const struct pe *pe)
{
	return pe->has_el3 && !(pe->sr[SR_SCR_EL3] & 1);
}

// The SCR_EL3 in effect; without EL3: as if NS, HCE, RW... allowed everything.
uint64_t pe_scr(const struct pe *pe);

#define PE_SCR_EEL2 (UINT64_C(1) << 18)

// HCR_EL2 in effect for the Security state: 0 when EL2 is not enabled.
static inline uint64_t pe_hcr_effective(const struct pe *pe)
{
	if (!pe->has_el2 || (pe_secure_below_el3(pe) && !(pe->sr[SR_SCR_EL3] & PE_SCR_EEL2))) {
		return 0;
	}
	return pe->sr[SR_HCR_EL2];
}

static inline bool pe_e2h(const struct pe *pe)
{
	return (pe_hcr_effective(pe) >> 34) & 1;
}

static inline bool pe_tge(const struct pe *pe)
{
	return (pe_hcr_effective(pe) >> 27) & 1;
}

// HCR_EL2.{NV,NV1,NV2} as they apply to EL1 (EffectiveHCR_EL2_NVx): all 0 without NV, for which
// software may not count on NV1 or NV2 alone.
#define PE_NV (UINT64_C(1) << 42)
#define PE_NV1 (UINT64_C(1) << 43)
#define PE_NV2 (UINT64_C(1) << 45)

static inline uint64_t pe_nv(const struct pe *pe)
{
	uint64_t hcr = pe_hcr_effective(pe);

	return (hcr & PE_NV) ? hcr & (PE_NV | PE_NV1 | PE_NV2) : 0;
}

// Is the current EL0/EL2 in the EL2&0 regime (E2H, and at EL0 also TGE)?
bool pe_in_host(const struct pe *pe);

// The EL whose SCTLR/TCR/... govern the current translation regime: 1, 2 or 3
// (S1TranslationRegime).
unsigned pe_regime_el(const struct pe *pe);

// Stack pointer banking: change EL and SPSel together with the copy of SP to and from SP_ELx
// storage.
void pe_set_el_sp(struct pe *pe, unsigned el, bool sp_sel);

// ---- notifications ------------------------------------------------------------------------------

// Something that the translation context, FP access or checks depend on changed (EL, PAN, a control
// register).
void pe_context_changed(struct pe *pe);

// Compute the view of the current EL anew.
void pe_view_build(struct pe *pe, struct level_view *view, bool pan);

// Only EL, PAN or UAO changed; the registers did not.
static inline void pe_context_select(struct pe *pe)
{
	// PAN applies to privileged accesses in a regime with unprivileged ones.
	bool pan = pe->pan && (pe->el == 1 || (pe->el == 2 && pe_e2h(pe)));
	struct level_view *view = pe->view_at[pe->el][pan];

	if (unlikely(view->epoch != pe->view_epoch)) {
		pe_view_build(pe, view, pan);
	}
	pe->regime = &view->regime;
	pe->mmu = view->mmu;
	pe->exec_fast = view->fast;
	pe->jump_id = view->fast->id;
	pe->fast = view->data;
	pe->fast_unpriv = pe->uao ? view->data : view->unpriv;
	pe->checks = view->checks;
}

// An interrupt mask, line or routing bit changed: look whether an interrupt is now to be taken.
void pe_interrupts_changed(struct pe *pe);
// ISR_EL1 as read at the current EL.
uint64_t pe_isr(const struct pe *pe);
// Breakpoint, watchpoint or step controls changed.
void pe_debug_changed(struct pe *pe);

// SPSR layout of the current PSTATE (PSTATE to SPSR for an exception to AArch64).
uint64_t pe_spsr_from_pstate(const struct pe *pe);

// Build the translation regime that applies to `el` in Security state `secure` (EL0 uses EL1&0 or
// EL2&0).
void pe_regime_build(const struct pe *pe, unsigned el, bool secure, struct mmu_regime *regime);

// Do LDTR and STTR make accesses as EL0 would while PSTATE.UAO is 0? And now?
bool pe_has_unpriv(const struct pe *pe);
bool pe_unpriv_is_el0(const struct pe *pe);

// Forget all contexts (reset).
void pe_contexts_reset(struct pe *pe);

// Would an FP/SIMD instruction trap now? (CPACR_EL1, CPTR_EL2, CPTR_EL3; exception.c)
bool fp_access_trapped(const struct pe *pe);

// The architectural TLB dropped entries: the fast TLBs follow (mmu_tlb_dropped_fn).
void pe_tlb_dropped(void *opaque, const struct mmu_tlb_drop *drop);

// Is an interrupt a reason to leave WFI, or WFE (wfe)?
bool pe_wakes(struct pe *pe, bool wfe);

#endif
