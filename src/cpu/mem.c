// SPDX-License-Identifier: Apache-2.0
// Memory accesses that miss the fast TLB or need a check: alignment, page crossings, Device memory,
// MMIO, code pages, watchpoints; and the data aborts that come of them.
#include "cpu/mem.h"

#include "cpu/debug.h"
#include "cpu/exec_internal.h"
#include "cpu/mte.h"
#include "cpu/sysreg_fields.h"

// Where an access within one page leads.
struct target {
	uint8_t *host; // NULL: not RAM
	uint64_t pa;
	enum pas pas;
	struct bus_ram *tagged; // the RAM of Normal Tagged memory, else NULL
};

// ---- syndromes ----------------------------------------------------------------------------------

// ISV, SAS, SSE, SRT, SF, AR of a load or store of one general-purpose register without writeback,
// else 0 (Arm ARM, ISS encoding for an exception from a Data Abort; pseudocode
// LSInstructionSyndrome).
uint32_t mem_instruction_syndrome(uint32_t insn)
{
	unsigned size = insn >> 30, opc = F_SIZE(insn), rt = F_RD(insn);
	bool ordered = false;

	if ((insn & 0x3f000000) == 0x39000000 || (insn & 0x3f200c00) == 0x38000000 ||
	    (insn & 0x3f200c00) == 0x38000800 || (insn & 0x3f200c00) == 0x38200800) {
		// Unsigned offset, unscaled, unprivileged, register offset.
	} else if ((insn & 0x3f200c00) == 0x19000000) {
		ordered = true; // LDAPUR, STLUR
	} else if ((insn & 0x3fa00000) == 0x08800000) {
		ordered = bit(insn, 15); // LDAR, STLR; LDLAR, STLLR
		opc = bit(insn, 22);
	} else if ((insn & 0x3ffffc00) == 0x38bfc000) {
		ordered = true; // LDAPR
		opc = 1;
	} else if ((insn & 0x3f000000) == 0x18000000) {
		return size == 3 ? 0
				 : iss_data_syndrome(size == 1 ? 3 : 2, size == 2, rt, size != 0,
						     false);
	} else {
		return 0;
	}
	if (size == 3 && opc >= 2) {
		return 0; // PRFM
	}
	return iss_data_syndrome(size, opc >= 2, rt, opc == 2 || (opc < 2 && size == 3), ordered);
}

// Where a synchronous external abort goes (AArch64.RouteToEL3/HCR_EL2.TEA), 0 for the default.
unsigned mem_external_target(const struct pe *pe, const char **control)
{
	if (pe->has_el3 && (pe->sr[SR_SCR_EL3] & SCR_EL3_EA)) {
		*control = "SCR_EL3.EA";
		return 3;
	}
	if (pe->el < 2 && (pe_hcr_effective(pe) & HCR_EL2_TEA)) {
		*control = "HCR_EL2.TEA";
		return 2;
	}
	return 0;
}

void mem_abort(struct pe *pe, uint64_t va, const struct mmu_fault *mf, bool instruction,
	       bool cache_op)
{
	struct fault *f = &pe->fault;
	bool external = mf->type == MMU_FAULT_EXTERNAL || mf->type == MMU_FAULT_EXTERNAL_WALK;
	uint32_t iss = iss_abort(mmu_fault_status(mf), mf->write || cache_op, mf->s1ptw, cache_op,
				 false, false);

	memset(f, 0, sizeof(*f));
	f->ec = instruction ? EC_INSN_ABORT : EC_DATA_ABORT;
	f->cause = instruction ? TRACE_CAUSE_INSN_ABORT : TRACE_CAUSE_DATA_ABORT;
	f->control = mf->control;
	if (instruction) {
		iss &= ~(UINT32_C(1) << 6);
	}
	if (external) {
		f->target_el = (uint8_t)mem_external_target(pe, &f->control);
	}
	if (mf->stage2) {
		if (f->target_el == 0) {
			f->target_el = 2;
		}
		f->has_ipa = true;
		f->ipa = mf->ipa.v;
		f->ipa_ns = mf->ipa_ns;
		if (!instruction && !mf->s1ptw && !cache_op && !external && pe->cur != NULL) {
			iss |= mem_instruction_syndrome(pe->cur->insn);
		}
	}
	f->iss = iss;
	f->iss2 = (mf->overlay ? ISS2_OVERLAY : 0) | (mf->dirty ? ISS2_DIRTY_BIT : 0);
	f->has_far = true;
	f->far = va;
	f->stage = mf->stage2 ? 2 : 1;
	f->level = mf->level;
	f->s1ptw = mf->s1ptw;
	f->write = mf->write || cache_op;
}

static void alignment_abort(struct pe *pe, uint64_t va, bool write)
{
	struct mmu_fault mf = {.type = MMU_FAULT_ALIGNMENT, .write = write};

	mem_abort(pe, va, &mf, false, false);
}

bool mem_sp_misaligned(struct pe *pe)
{
	if (!pe->checks.sp) {
		return false;
	}
	fault_trap(pe, 0, EC_SP_ALIGNMENT, 0, TRACE_CAUSE_SP_ALIGNMENT, NULL);
	return true;
}

// ---- translation --------------------------------------------------------------------------------

static bool in_16_bytes(uint64_t va, unsigned size)
{
	return (va & 15) + size <= 16;
}

// AArch64.UnalignedAccessFaults for Normal memory. Device memory is checked after the translation.
static bool unaligned_faults(const struct pe *pe, uint64_t va, unsigned size, unsigned flags)
{
	bool lse2 = has(pe, FEAT_LSE2);

	if (pe->checks.align) {
		return true;
	}
	if (flags & (MEM_ATOMIC | MEM_EXCLUSIVE)) {
		return !lse2 || !in_16_bytes(va, size);
	}
	if (flags & MEM_ORDERED) {
		return !lse2 || (!(pe->regime->sctlr & SCTLR_NAA) && !in_16_bytes(va, size));
	}
	return false;
}

// Keep what a translation led to. Normal RAM is for the handlers; aligned accesses to Device
// memory, RAM or not, find theirs in aligned_entry. What code is decoded from stays out of reach of
// writes.
static inline __attribute__((always_inline)) void fill(struct pe *pe, struct fast_tlb *fast,
						       uint64_t va, const struct mmu_result *r,
						       struct bus_ram *ram)
{
	uint64_t page = va & ~PAGE_MASK, pa = r->pa.v & ~PAGE_MASK;
	unsigned number = (unsigned)(va >> PAGE_SHIFT);
	struct fast_entry *e;
	bool writable = r->writable;

	// A tagged address would escape the TLBIs for its page.
	if (fast == pe->none || r->transient || (int64_t)(va << 8) >> 8 != (int64_t)va) {
		return;
	}
	// Every access to tagged memory is looked at where it may have to be checked.
	if (unlikely(r->attr == MMU_ATTR_TAGGED) && fast->key.tags) {
		return;
	}
	if (!r->aligned) {
		if (ram == NULL) {
			return;
		}
		number &= FAST_COUNT - 1;
		e = &fast->e[number];
		fast->used_e[number / 64] |= BIT(number % 64);
	} else {
		number &= FAST_ALIGNED_COUNT - 1;
		e = &fast->a[number];
		fast->used_a |= UINT32_C(1) << number;
	}
	e->pa = pa | (uint64_t)r->pas;
	if (ram != NULL) {
		uint8_t *flags = &ram->page_flags[(pa - ram->base) >> PAGE_SHIFT];

		e->addend = (uintptr_t)(ram->host + (pa - ram->base)) - page;
		writable = writable && !(*flags & BUS_PAGE_CODE) && !ram->read_only;
		if (writable) {
			*flags |= BUS_PAGE_WRITABLE_MAPPED | BUS_PAGE_WRITTEN;
		}
	} else {
		e->pa |= FAST_MMIO;
	}
	e->tag_r = r->readable ? page : FAST_INVALID;
	e->tag_w = writable ? page : FAST_INVALID;
	fast->empty = false;
}

// Translate an access that lies within one page. False: pe->fault.
static inline __attribute__((always_inline)) bool locate_inline(struct pe *pe, uint64_t va,
								unsigned size, bool write,
								unsigned flags,
								struct target *target)
{
	struct fast_tlb *fast = (flags & MEM_UNPRIV) ? pe->fast_unpriv : pe->fast;
	struct mmu_access access = {
		.va = va_make(va),
		.type = write ? MMU_WRITE : MMU_READ,
		.el0 = pe->el == 0 || ((flags & MEM_UNPRIV) && pe_unpriv_is_el0(pe)),
		.atomic = (flags & MEM_ATOMIC) != 0,
		.size = (uint8_t)size,
		.misaligned = (va & (size - 1)) != 0 || (flags & MEM_MISALIGNED) != 0,
	};
	struct mmu_result result;
	struct mmu_fault mf;
	struct bus_ram *ram;

	access.pan = pe->pan && !access.el0;
	if (!mmu_view_translate(pe->tlb, pe->mmu, &access, &result, &mf)) {
		mem_abort(pe, va, &mf, false, false);
		return false;
	}
	target->pa = result.pa.v;
	target->pas = result.pas;
	target->host = NULL;
	target->tagged = NULL;
	ram = bus_ram_find(pe->bus, result.pas, result.pa.v);
	if (unlikely(result.attr == MMU_ATTR_TAGGED)) {
		target->tagged = ram;
		if (!(flags & MEM_UNTAGGED) &&
		    !mte_check(pe, va, size, write, access.atomic, access.el0, ram, result.pa.v)) {
			return false;
		}
	}
	if (ram != NULL) {
		target->host = ram->host + (result.pa.v - ram->base);
		if (write) {
			uint64_t index = (result.pa.v - ram->base) >> PAGE_SHIFT;

			ram->page_flags[index] |= BUS_PAGE_WRITTEN;
			if (ram->read_only) {
				target->host = NULL;
			} else if ((ram->page_flags[index] & BUS_PAGE_CODE) &&
				   code_overlaps(ram->page_code[index],
						 (unsigned)(result.pa.v & PAGE_MASK), size)) {
				bus_code_written(pe->bus, ram, result.pa.v);
			}
		}
	}
	fill(pe, fast, va, &result, ram);
	return true;
}

static NOINLINE bool locate(struct pe *pe, uint64_t va, unsigned size, bool write, unsigned flags,
			    struct target *target)
{
	return locate_inline(pe, va, size, write, flags, target);
}

// The entry of Device memory for a plain aligned access, or NULL.
static inline const struct fast_entry *aligned_entry(const struct pe *pe, uint64_t va,
						     unsigned size, bool write, unsigned flags)
{
	const struct fast_tlb *fast = (flags & MEM_UNPRIV) ? pe->fast_unpriv : pe->fast;
	const struct fast_entry *e = &fast->a[(va >> PAGE_SHIFT) & (FAST_ALIGNED_COUNT - 1)];

	return unlikely(fast->used_a != 0) && (write ? e->tag_w : e->tag_r) == (va & ~PAGE_MASK) &&
			       (va & (size - 1)) == 0 && (flags & MEM_MISALIGNED) == 0
		       ? e
		       : NULL;
}

static struct bus_attrs attrs_of(const struct pe *pe, enum pas pas)
{
	return (struct bus_attrs){.pas = pas, .pe = pe->index, .privileged = pe->el != 0};
}

static inline uint64_t entry_pa(const struct fast_entry *e, uint64_t va)
{
	return (e->pa & ~PAGE_MASK) | (va & PAGE_MASK);
}

static inline enum pas entry_pas(const struct fast_entry *e)
{
	return (enum pas)(e->pa & 3);
}

static void external_abort(struct pe *pe, uint64_t va, bool write)
{
	struct mmu_fault mf = {.type = MMU_FAULT_EXTERNAL, .write = write};

	mem_abort(pe, va, &mf, false, false);
}

// ---- plain accesses -----------------------------------------------------------------------------

static bool crosses_page(uint64_t va, unsigned size)
{
	return (va & PAGE_MASK) + size > PAGE_SIZE;
}

// An access across a page boundary: both pages must let it through before anything is done. It is
// not aligned, and so neither may be Device memory (of the second it is a choice,
// Unpredictable_DEVPAGE2). False: pe->fault.
static NOINLINE bool locate_both(struct pe *pe, uint64_t va, unsigned size, bool write,
				 unsigned flags)
{
	uint64_t last = va + size - 1;
	struct target target;

	flags |= MEM_MISALIGNED;
	if (!locate(pe, va, 1, write, flags, &target)) {
		return false;
	}
	if (!locate(pe, last, 1, write, flags, &target)) {
		pe->fault.far = last & ~PAGE_MASK;
		// The syndrome describes an access from its lowest address on alone
		// (AArch64.InstructionSyndromeValid).
		pe->fault.iss &= ~ISS_INSN_SYNDROME;
		return false;
	}
	return true;
}

// Does the access hit a watchpoint? True: pe->fault, which is the abort of the translation if there
// is one, since that comes first; a failed check of tags comes later (AArch64.MemSingle).
static bool watched(struct pe *pe, uint64_t va, unsigned size, bool write, unsigned flags)
{
	bool unprivileged = (flags & MEM_UNPRIV) && pe_unpriv_is_el0(pe);
	struct target target;

	flags |= MEM_UNTAGGED;

	if (!debug_watchpoint_as(pe, va, size, write, unprivileged)) {
		return false;
	}
	if (!crosses_page(va, size)) {
		if (!locate(pe, va, size, write, flags, &target)) {
			return true;
		}
	} else if (!locate_both(pe, va, size, write, flags)) {
		return true;
	}
	return debug_watchpoint_as(pe, va, size, write, unprivileged);
}

bool mem_watched_store(struct pe *pe, const struct uop *op, uint64_t va, unsigned size)
{
	pe->cur = op;
	return pe->watch_active && watched(pe, va, size, true, MEM_PLAIN);
}

static inline bool checks(struct pe *pe, uint64_t va, unsigned size, bool write, unsigned flags)
{
	if ((va & (size - 1)) != 0 && unaligned_faults(pe, va, size, flags)) {
		alignment_abort(pe, va, write);
		return false;
	}
	return !pe->watch_active || !watched(pe, va, size, write, flags);
}

// memcpy of one of the sizes there are.
static inline uint64_t ram_load(const void *host, unsigned size)
{
	switch (size) {
	case 1:
		return host_load(host, 1);
	case 2:
		return host_load(host, 2);
	case 4:
		return host_load(host, 4);
	default:
		return host_load(host, 8);
	}
}

static inline void ram_store(void *host, unsigned size, uint64_t value)
{
	switch (size) {
	case 1:
		host_store(host, 1, value);
		break;
	case 2:
		host_store(host, 2, value);
		break;
	case 4:
		host_store(host, 4, value);
		break;
	default:
		host_store(host, 8, value);
		break;
	}
}

static inline __attribute__((always_inline)) struct mem_val
load_aligned_page(struct pe *pe, uint64_t va, unsigned size, unsigned flags)
{
	struct mem_val r = {0, 0};
	struct target target;

	if (!locate_inline(pe, va, size, false, flags, &target)) {
		return r;
	}
	if (likely(target.host != NULL)) {
		r.v = ram_load(target.host, size);
	} else if (bus_read(pe->bus, target.pa, size, attrs_of(pe, target.pas), &r.v) != BUS_OK) {
		external_abort(pe, va, false);
		return r;
	}
	r.ok = 1;
	return r;
}

static NOINLINE struct mem_val load_in_page(struct pe *pe, uint64_t va, unsigned size,
					    unsigned flags)
{
	const struct fast_entry *entry =
		mem_entry((flags & MEM_UNPRIV) ? pe->fast_unpriv : pe->fast, va);

	if (mem_hit(entry->tag_r, va, size)) { // the neighbour of one that missed
		return (struct mem_val){ram_load(mem_host(entry, va), size), 1};
	}
	return load_aligned_page(pe, va, size, flags);
}

struct mem_val mem_load_slow(struct pe *pe, const struct uop *op, uint64_t va, unsigned size,
			     unsigned flags)
{
	const struct fast_entry *e = aligned_entry(pe, va, size, false, flags);
	struct mem_val r = {0, 0};

	pe->cur = op;
	if (e != NULL) {
		if (!(e->pa & FAST_MMIO)) {
			r.v = ram_load(mem_host(e, va), size);
		} else if (bus_read(pe->bus, entry_pa(e, va), size, attrs_of(pe, entry_pas(e)),
				    &r.v) != BUS_OK) {
			external_abort(pe, va, false);
			return r;
		}
		pe->cur = NULL;
		r.ok = 1;
		return r;
	}
	if (!checks(pe, va, size, false, flags)) {
		return r;
	}
	if (!crosses_page(va, size)) {
		r = load_aligned_page(pe, va, size, flags);
	} else {
		if (!locate_both(pe, va, size, false, flags)) {
			return r;
		}
		for (unsigned i = 0; i < size; i++) {
			struct mem_val byte = load_in_page(pe, va + i, 1, flags);

			if (!byte.ok) {
				return byte;
			}
			r.v |= byte.v << (8 * i);
		}
		r.ok = 1;
	}
	if (r.ok) {
		pe->cur = NULL;
	}
	return r;
}

static bool store_in_page(struct pe *pe, uint64_t va, unsigned size, uint64_t value, unsigned flags)
{
	const struct fast_entry *entry;
	struct target target;

	entry = mem_entry((flags & MEM_UNPRIV) ? pe->fast_unpriv : pe->fast, va);
	if (mem_hit(entry->tag_w, va, size)) {
		ram_store(mem_host(entry, va), size, value);
		return true;
	}
	if (!locate_inline(pe, va, size, true, flags, &target)) {
		return false;
	}
	if (target.host != NULL) {
		ram_store(target.host, size, value);
	} else {
		uint64_t data = size == 8 ? value : value & (BIT(8 * size) - 1);

		if (bus_write(pe->bus, target.pa, size, attrs_of(pe, target.pas), data) != BUS_OK) {
			external_abort(pe, va, true);
			return false;
		}
	}
	return true;
}

bool mem_store_slow(struct pe *pe, const struct uop *op, uint64_t va, unsigned size, uint64_t value,
		    unsigned flags)
{
	const struct fast_entry *e = aligned_entry(pe, va, size, true, flags);

	pe->cur = op;
	if (e != NULL) {
		if (!(e->pa & FAST_MMIO)) {
			ram_store(mem_host(e, va), size, value);
		} else if (bus_write(pe->bus, entry_pa(e, va), size, attrs_of(pe, entry_pas(e)),
				     zext(value, 8 * size)) != BUS_OK) {
			external_abort(pe, va, true);
			return false;
		}
		pe->cur = NULL;
		return true;
	}
	if (!checks(pe, va, size, true, flags)) {
		return false;
	}
	if (!crosses_page(va, size)) {
		if (!store_in_page(pe, va, size, value, flags)) {
			return false;
		}
	} else {
		if (!locate_both(pe, va, size, true, flags)) {
			return false;
		}
		for (unsigned i = 0; i < size; i++) {
			if (!store_in_page(pe, va + i, 1, (value >> (8 * i)) & 0xff, flags)) {
				return false;
			}
		}
	}
	pe->cur = NULL;
	return true;
}

bool mem_load16_slow(struct pe *pe, const struct uop *op, uint64_t va, void *out, unsigned flags)
{
	struct mem_val low, high;

	if ((va & 15) != 0 && unaligned_faults(pe, va, 16, flags)) {
		pe->cur = op;
		alignment_abort(pe, va, false);
		return false;
	}
	flags = (flags & MEM_UNPRIV) | ((va & 15) != 0 ? MEM_MISALIGNED : 0);
	if (pe->watch_active) {
		pe->cur = op;
		if (watched(pe, va, 16, false, flags)) {
			return false;
		}
	}
	low = mem_load_slow(pe, op, va, 8, flags);
	if (!low.ok) {
		return false;
	}
	high = mem_load_slow(pe, op, va + 8, 8, flags);
	if (!high.ok) {
		return false;
	}
	memcpy(out, &low.v, 8);
	memcpy((uint8_t *)out + 8, &high.v, 8);
	return true;
}

bool mem_store16_slow(struct pe *pe, const struct uop *op, uint64_t va, const void *in,
		      unsigned flags)
{
	uint64_t low, high;

	if ((va & 15) != 0 && unaligned_faults(pe, va, 16, flags)) {
		pe->cur = op;
		alignment_abort(pe, va, true);
		return false;
	}
	memcpy(&low, in, 8);
	memcpy(&high, (const uint8_t *)in + 8, 8);
	flags = (flags & MEM_UNPRIV) | ((va & 15) != 0 ? MEM_MISALIGNED : 0);
	if (pe->watch_active) {
		pe->cur = op;
		if (watched(pe, va, 16, true, flags)) {
			return false;
		}
	}
	return mem_store_slow(pe, op, va, 8, low, flags) &&
	       mem_store_slow(pe, op, va + 8, 8, high, flags);
}

// ---- atomics and exclusives ---------------------------------------------------------------------

static bool atomic_misaligned(struct pe *pe, uint64_t va, unsigned size, bool write, unsigned flags)
{
	if ((va & (size - 1)) == 0) {
		return false;
	}
	if (unaligned_faults(pe, va, size, flags)) {
		alignment_abort(pe, va, write);
		return true;
	}
	return false;
}

void *mem_atomic_ptr(struct pe *pe, const struct uop *op, uint64_t va, unsigned size,
		     unsigned flags)
{
	struct target target;

	pe->cur = op;
	// The read alone would fault: WnR is 0.
	if (atomic_misaligned(pe, va, size, false, flags)) {
		return NULL;
	}
	// What the write alone is not permitted comes before a watchpoint of the read.
	if (pe->watch_active &&
	    (!locate(pe, va, size, true, flags | MEM_UNTAGGED, &target) ||
	     debug_watchpoint(pe, va, size, false) || debug_watchpoint(pe, va, size, true))) {
		return NULL;
	}
	if (!locate(pe, va, size, true, flags, &target)) {
		return NULL;
	}
	if (target.host == NULL) {
		struct mmu_fault mf = {.type = MMU_FAULT_UNSUPPORTED_ATOMIC, .write = true};

		mem_abort(pe, va, &mf, false, false);
		return NULL;
	}
	pe->cur = NULL;
	return target.host;
}

bool mem_locate_tags(struct pe *pe, const struct uop *op, uint64_t va, bool write,
		     struct mem_tags *place)
{
	struct target target;

	pe->cur = op;
	if ((pe->watch_active && watched(pe, va, MTE_GRANULE, write, MEM_UNTAGGED)) ||
	    !locate(pe, va, 1, write, MEM_UNTAGGED, &target)) {
		return false;
	}
	pe->cur = NULL;
	place->ram = target.tagged;
	place->pa = target.pa;
	return true;
}

void mem_alignment_fault(struct pe *pe, const struct uop *op, uint64_t va, bool write)
{
	pe->cur = op;
	alignment_abort(pe, va, write);
}

bool mem_physical(struct pe *pe, const struct uop *op, uint64_t va, unsigned size, bool write,
		  unsigned flags, uint64_t *pa)
{
	const struct fast_entry *entry = mem_entry(pe->fast, va);
	struct target target;

	pe->cur = op;
	if (atomic_misaligned(pe, va, size, write, flags)) {
		return false;
	}
	if (mem_hit(write ? entry->tag_w : entry->tag_r, va, size)) {
		*pa = ((entry->pa & ~PAGE_MASK) | (va & PAGE_MASK)) | (entry->pa & 3) << 62;
	} else {
		// Its tags are checked with the access itself, if that is made.
		if (!locate(pe, va, size, write, flags | MEM_UNTAGGED, &target)) {
			return false;
		}
		if (target.host == NULL) {
			struct mmu_fault mf = {.type = MMU_FAULT_EXCLUSIVE, .write = write};

			mem_abort(pe, va, &mf, false, false);
			return false;
		}
		*pa = target.pa | (uint64_t)target.pas << 62;
	}
	pe->cur = NULL;
	return true;
}

// ---- a debugger's view --------------------------------------------------------------------------

static uint8_t *peek(struct pe *pe, uint64_t va, struct bus_ram **ram, uint64_t *pa)
{
	struct mmu_access access = {.va = va_make(va), .type = MMU_READ, .size = 1, .at = true};
	struct mmu_result result;
	struct mmu_fault mf;

	if (!mmu_walk(pe->bus, pe->regime, &access, true, &result, &mf)) {
		return NULL;
	}
	*ram = bus_ram_find(pe->bus, result.pas, result.pa.v);
	*pa = result.pa.v;
	return *ram == NULL ? NULL : (*ram)->host + (result.pa.v - (*ram)->base);
}

size_t pe_read_memory(struct pe *pe, uint64_t va, void *data, size_t size)
{
	struct bus_ram *ram;
	uint64_t pa;
	size_t done = 0;

	while (done < size) {
		uint8_t *host = peek(pe, va + done, &ram, &pa);
		size_t chunk = PAGE_SIZE - ((va + done) & PAGE_MASK);

		if (host == NULL) {
			break;
		}
		chunk = chunk < size - done ? chunk : size - done;
		memcpy((uint8_t *)data + done, host, chunk);
		done += chunk;
	}
	return done;
}

size_t pe_write_memory(struct pe *pe, uint64_t va, const void *data, size_t size)
{
	struct bus_ram *ram;
	uint64_t pa;
	size_t done = 0;

	while (done < size) {
		uint8_t *host = peek(pe, va + done, &ram, &pa);
		size_t chunk = PAGE_SIZE - ((va + done) & PAGE_MASK);

		if (host == NULL || ram->read_only) {
			break;
		}
		chunk = chunk < size - done ? chunk : size - done;
		memcpy(host, (const uint8_t *)data + done, chunk);
		bus_code_written(pe->bus, ram, pa);
		done += chunk;
	}
	return done;
}
