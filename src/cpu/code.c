// SPDX-License-Identifier: Apache-2.0
// The code cache: builds blocks of uops from a physical page's instructions, once, and drops them
// when the page is written. All uops live in one arena; a full arena is emptied as a whole.
#include "cpu/code.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "cpu/exec_internal.h"

#define CODE_PES_MAX 64

struct code_cache {
	struct bus *bus;
	const struct feature_set *features;
	struct uop *arena; // CODE_ARENA_UOPS, touched lazily
	uint32_t used;
	struct code_page **pages;
	size_t page_count;
	struct pe *pes[CODE_PES_MAX];
	unsigned pe_count;
	bool trace_insns; // a uop of its own before each instruction
};

static void code_written(void *opaque, struct bus_ram *ram, uint64_t pa);

struct code_cache *code_cache_create(struct bus *bus, const struct feature_set *features)
{
	struct code_cache *cache = calloc(1, sizeof(*cache));

	if (cache == NULL) {
		return NULL;
	}
	cache->arena = mmap(NULL, CODE_ARENA_UOPS * sizeof(struct uop), PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	cache->pages = calloc(CODE_PAGES_MAX, sizeof(*cache->pages));
	if (cache->arena == MAP_FAILED || cache->pages == NULL) {
		if (cache->arena != MAP_FAILED) {
			munmap(cache->arena, CODE_ARENA_UOPS * sizeof(struct uop));
		}
		free(cache->pages);
		free(cache);
		return NULL;
	}
	cache->bus = bus;
	cache->features = features;
	cache->used = 1; // entry 0 means "none"
	bus_set_code_listener(bus, code_written, cache);
	return cache;
}

void code_cache_trace_insns(struct code_cache *cache)
{
	CHECK(cache->used == 1);
	cache->trace_insns = true;
}

static void code_flush(struct code_cache *cache)
{
	for (size_t i = 0; i < cache->page_count; i++) {
		struct code_page *page = cache->pages[i];
		uint64_t index = (page->pa - page->ram->base) >> PAGE_SHIFT;

		page->ram->page_code[index] = NULL;
		page->ram->page_flags[index] &= (uint8_t)~BUS_PAGE_CODE;
		free(page);
	}
	cache->page_count = 0;
	cache->used = 1;
	for (unsigned i = 0; i < cache->pe_count; i++) {
		pe_code_flushed(cache->pes[i]);
	}
}

void code_cache_destroy(struct code_cache *cache)
{
	if (cache == NULL) {
		return;
	}
	cache->pe_count = 0;
	code_flush(cache);
	bus_set_code_listener(cache->bus, NULL, NULL);
	munmap(cache->arena, CODE_ARENA_UOPS * sizeof(struct uop));
	free(cache->pages);
	free(cache);
}

void code_cache_attach(struct code_cache *cache, struct pe *pe)
{
	CHECK(cache->pe_count < CODE_PES_MAX);
	cache->pes[cache->pe_count++] = pe;
}

void code_cache_detach(struct code_cache *cache, struct pe *pe)
{
	for (unsigned i = 0; i < cache->pe_count; i++) {
		if (cache->pes[i] == pe) {
			cache->pes[i] = cache->pes[--cache->pe_count];
			return;
		}
	}
}

// The page was written: every block of it dies. Whoever still holds a pointer to one finds op_dead
// there.
static void code_written(void *opaque, struct bus_ram *ram, uint64_t pa)
{
	struct code_cache *cache = opaque;
	uint64_t index = (pa - ram->base) >> PAGE_SHIFT;
	struct code_page *page = ram->page_code[index];

	ram->page_flags[index] &= (uint8_t)~BUS_PAGE_CODE;
	if (page == NULL) {
		return;
	}
	for (unsigned i = page->first; i <= page->last && i < 1024; i++) {
		if (page->entry[i] != 0) {
			cache->arena[page->entry[i] + 1].fn = op_dead;
			page->entry[i] = 0;
		}
	}
	page->first = 1024;
	page->last = 0;
	memset(page->decoded, 0, sizeof(page->decoded));
}

bool code_overlaps(const struct code_page *page, unsigned off, unsigned size)
{
	unsigned last = off + size - 1 < PAGE_SIZE ? off + size - 1 : PAGE_SIZE - 1;

	for (unsigned i = off >> 2; i <= last >> 2; i++) {
		if (bit(page->decoded[i >> 6], i & 63)) {
			return true;
		}
	}
	return false;
}

struct code_page *code_page_get(struct code_cache *cache, struct bus_ram *ram, uint64_t pa)
{
	uint64_t index = (pa - ram->base) >> PAGE_SHIFT;
	struct code_page *page = ram->page_code[index];

	if (page == NULL) {
		if (cache->page_count == CODE_PAGES_MAX) {
			code_flush(cache);
		}
		page = calloc(1, sizeof(*page));
		CHECK(page != NULL);
		page->cache = cache;
		page->ram = ram;
		page->pa = pa & ~PAGE_MASK;
		page->host = ram->host + (page->pa - ram->base);
		page->first = 1024;
		ram->page_code[index] = page;
		cache->pages[cache->page_count++] = page;
	}
	return page;
}

struct uop *tr_emit(struct tr *t, op_fn *fn)
{
	struct uop *u = t->out++;

	memset(u, 0, sizeof(*u));
	u->fn = fn;
	u->insn = t->insn;
	u->pc_off = t->pc_off;
	return u;
}

// Translate t->insn; true if the block may go on after it.
static bool translate(struct tr *t, bool *fp_checked)
{
	int index = a64_decode(t->insn);
	const struct a64_row *row = index < 0 ? NULL : &a64_rows[index];
	struct uop *start = t->out;

	if (row == NULL || !feature_in(t->features, (enum feature)row->feature)) {
		tr_emit(t, op_undefined)->aux = (uint32_t)index;
		return false;
	}
	if ((row->flags & TR_FP) && !*fp_checked) {
		tr_emit(t, op_fp_check);
	}
	if (!row->translate(t, t->insn)) {
		t->out = start; // an unallocated encoding is UNDEFINED whether FP is enabled or not
		tr_emit(t, op_undefined)->aux = UINT32_MAX;
		return false;
	}
	*fp_checked |= (row->flags & TR_FP) != 0;
	if (!(row->flags & TR_PURE)) {
		t->flags_from = NULL;
	}
	if (t->goes_on) {
		t->goes_on = false;
		return true;
	}
	return !(row->flags & TR_ENDS_BLOCK);
}

bool code_insn_feature(uint32_t insn, enum feature *feature)
{
	int index = a64_decode(insn);

	*feature = index < 0 ? FEAT_NONE : (enum feature)a64_rows[index].feature;
	return index >= 0;
}

static uint32_t page_insn(const struct code_page *page, unsigned off)
{
	uint32_t insn;

	memcpy(&insn, page->host + off, sizeof(insn));
	return insn;
}

// Go on at the next instruction, in this page or the next one.
static void emit_fall_through(struct tr *t)
{
	struct uop *u;

	if (t->pc_off + 4u < PAGE_SIZE) {
		u = tr_emit(t, op_b_in);
		u->target = NULL;
		u->aux = t->pc_off + 4u;
	} else {
		u = tr_emit(t, op_b_out);
		u->imm = PAGE_SIZE;
	}
}

// Where every instruction is traced none may vanish in another one.
static void emit_trace(const struct code_cache *cache, struct tr *t)
{
	if (cache->trace_insns) {
		tr_emit(t, op_trace_insn);
		t->last = t->flags_from = NULL;
	}
}

static struct uop *build_block(struct code_page *page, unsigned off)
{
	struct code_cache *cache = page->cache;
	struct uop *entry = &cache->arena[cache->used];
	struct tr t = {.features = cache->features, .out = entry};
	uint8_t ordinal = 0;
	bool fp_checked = false, more = true;
	struct uop *done, *first;

	t.pc_off = (uint16_t)off;
	tr_emit(&t, op_leave_before); // the header; it only ever stands before the block
	done = t.out;
	while (more) {
		t.insn = page_insn(page, off);
		page->decoded[off >> 8] |= BIT((off >> 2) & 63);
		t.pc_off = (uint16_t)off;
		first = t.out;
		emit_trace(cache, &t);
		more = translate(&t, &fp_checked);
		if (t.fused) {
			first = done = t.last;
			t.fused = false;
		}
		t.last = t.out - first == 1 ? first : t.out == first ? t.last : NULL;
		for (ordinal++; done < t.out; done++) {
			done->rest = ordinal; // corrected below
		}
		off += 4;
		if (more && (off == PAGE_SIZE || ordinal == TR_BLOCK_MAX)) {
			break;
		}
	}
	// A block that ends in something other than a branch goes on at the next instruction; after
	// a branch this uop is never reached.
	if (more) {
		emit_fall_through(&t);
	} else {
		tr_emit(&t, op_leave_next);
	}
	for (struct uop *u = entry + 1; u < t.out; u++) {
		u->rest = u < done ? (uint8_t)(ordinal - u->rest) : 0;
	}
	entry->aux = ordinal;
	cache->used = (uint32_t)(t.out - cache->arena);
	return entry;
}

const struct uop *code_block(struct code_page *page, unsigned off)
{
	struct code_cache *cache = page->cache;
	unsigned i = off >> 2;

	if (likely(page->entry[i] != 0)) {
		return &cache->arena[page->entry[i]];
	}
	if (cache->used + 4 * TR_BLOCK_MAX + 8 > CODE_ARENA_UOPS) {
		struct bus_ram *ram = page->ram;
		uint64_t pa = page->pa;

		code_flush(cache);
		page = code_page_get(cache, ram, pa);
	}
	page->entry[i] = cache->used;
	if (page->first > i) {
		page->first = (uint16_t)i;
	}
	if (page->last < i) {
		page->last = (uint16_t)i;
	}
	if (!(page->ram->page_flags[(page->pa - page->ram->base) >> PAGE_SHIFT] & BUS_PAGE_CODE)) {
		code_protect(page);
	}
	return build_block(page, off);
}

// From now on a store to the page must be seen: no fast TLB may hold it writable.
void code_protect(struct code_page *page)
{
	uint64_t index = (page->pa - page->ram->base) >> PAGE_SHIFT;
	uint8_t *flags = &page->ram->page_flags[index];

	if (*flags & BUS_PAGE_WRITABLE_MAPPED) {
		for (unsigned i = 0; i < page->cache->pe_count; i++) {
			pe_write_protect(page->cache->pes[i], page->host);
		}
	}
	*flags = (uint8_t)((*flags & ~BUS_PAGE_WRITABLE_MAPPED) | BUS_PAGE_CODE);
}

unsigned code_translate_one(struct code_cache *cache, uint32_t insn, unsigned off, struct uop *out)
{
	struct tr t = {.features = cache->features,
		       .out = out,
		       .pc_off = (uint16_t)off,
		       .insn = insn};
	bool fp_checked = false;
	unsigned count;

	emit_trace(cache, &t);
	if (translate(&t, &fp_checked)) {
		emit_fall_through(&t);
	} else {
		tr_emit(&t, op_leave_next);
	}
	count = (unsigned)(t.out - out);
	CHECK(count <= 8);
	return count;
}
