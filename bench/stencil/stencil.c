// SPDX-License-Identifier: Apache-2.0
// Two guest loops, run by the threaded code of the interpreter, by stencils made of the same
// handler bodies, and as C compiled for the host. Built and started by bench/stencil/run; the
// stencils come in stencils.h.
//
// The interpreter decodes and links the blocks as always. Then each block is pasted: the code of
// each uop's handler, its holes filled with the uop's operands, into an executable buffer; and the
// handler pointer of the block's first uop is set to the result. A stencil is called as a handler
// is, so that nothing else needs to know: whatever it does not do itself (a slow path, a uop
// without a stencil) it leaves to the uop's own handler, and the threaded code goes on from there
// to the next block.
#include <elf.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/event.h"
#include "bus/bus.h"
#include "cpu/code.h"
#include "cpu/exec_internal.h"
#include "cpu/model.h"
#include "cpu/sysreg_fields.h"

#define RAM_BASE UINT64_C(0x40000000)
#define RAM_SIZE (UINT64_C(16) << 20)
#define TABLE (RAM_BASE + 0x100000)
#define NODES (RAM_BASE + 0x200000) // of the list of the mixed loop
#define WORDS (RAM_BASE + 0x300000) // and its table
#define STACK (RAM_BASE + 0x400000)
#define NODE_COUNT 256
#define NODE_SIZE 64

enum where {
	HOLE_IMM,
	HOLE_INSN,
	HOLE_RD,
	HOLE_RN,
	HOLE_RM,
	HOLE_RA,
	HOLE_PC_OFF,
	HOLE_REST,
	HOLE_SP_MASK,
	HOLE_AUX,
	HOLE_XD,
	HOLE_XN,
	HOLE_XM,
	HOLE_XA,
	HOLE_VD,
	HOLE_VN,
	HOLE_VM,
	HOLE_VA,
	HOLE_TARGET_INSNS,
	HOLE_TARGET,
	HOLE_UOP,
	HOLE_FUNCTION,
	STENCIL_NEXT,
	STENCIL_TARGET,
	STENCIL_SLOW,
	STENCIL_LEAVE
};
enum { ABS64, ABS32, ABS32S, PC32 };

struct hole {
	uint16_t offset;
	uint8_t type;
	uint8_t where;
	uintptr_t function;
	int64_t addend;
};

struct stencil {
	const char *name;
	const unsigned char *code;
	const struct hole *holes;
	unsigned size, hole_count;
};

#if HAVE_STENCILS
#include "stencils.h"
#endif
#if HAVE_PINNED
#include "pinned.h"
#endif

// ---- everything below 2 GiB, so that 32-bit holes reach it --------------------------------------

void *__real_mmap(void *addr, size_t size, int prot, int flags, int fd, off_t offset);
void *__wrap_mmap(void *addr, size_t size, int prot, int flags, int fd, off_t offset);

void *__wrap_mmap(void *addr, size_t size, int prot, int flags, int fd, off_t offset)
{
	return __real_mmap(addr, size, prot, addr == NULL ? flags | MAP_32BIT : flags, fd, offset);
}

static void fail(const char *what)
{
	fprintf(stderr, "stencil: %s\n", what);
	exit(1);
}

// ---- names of handlers: from our own symbol table -----------------------------------------------

static const char *image;

static void symbols_open(void)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0) {
		fail("cannot read /proc/self/exe");
	}
	image = __real_mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
}

// The stencil among `count` whose name is one of the names of this handler, followed by `suffix`.
static const struct stencil *stencil_of(op_fn *fn, const char *suffix,
					const struct stencil *stencils, size_t count)
{
	const Elf64_Ehdr *header = (const void *)image;
	const Elf64_Shdr *sections = (const void *)(image + header->e_shoff);

	for (unsigned i = 0; i < header->e_shnum; i++) {
		const Elf64_Sym *symbols = (const void *)(image + sections[i].sh_offset);

		for (size_t k = 0; sections[i].sh_type == SHT_SYMTAB &&
				   k < sections[i].sh_size / sizeof(*symbols);
		     k++) {
			const char *name = image + sections[sections[i].sh_link].sh_offset +
					   symbols[k].st_name;

			if (symbols[k].st_value != (uintptr_t)fn ||
			    ELF64_ST_TYPE(symbols[k].st_info) != STT_FUNC) {
				continue;
			}
			for (size_t n = 0; n < count; n++) {
				size_t length = strlen(name);

				if (strncmp(stencils[n].name, name, length) == 0 &&
				    strcmp(stencils[n].name + length, suffix) == 0) {
					return &stencils[n];
				}
			}
		}
	}
	return NULL;
}

// ---- the machine --------------------------------------------------------------------------------

static struct bus *bus;
static struct event_queue queue;
static struct pe *pe;

static const uint32_t alu_code[] = {
	0x8b010000, // 1:	add	x0, x0, x1
	0xca401c21, //		eor	x1, x1, x0, lsr #7
	0xcb000042, //		sub	x2, x2, x0
	0xb2400021, //		orr	x1, x1, #1
	0x8b010c42, //		add	x2, x2, x1, lsl #3
	0x9240f800, //		and	x0, x0, #0x7fffffffffffffff
	0xca020000, //		eor	x0, x0, x2
	0x91003421, //		add	x1, x1, #13
	0xf1000463, //		subs	x3, x3, #1
	0x54fffee1, //		b.ne	1b
};

static const uint32_t mixed_code[] = {
	0xf9400021, // 1:	ldr	x1, [x1]
	0xb40001e1, //		cbz	x1, 9f
	0x39404024, //		ldrb	w4, [x1, #16]
	0x7103209f, //		cmp	w4, #200
	0x54000180, //		b.eq	9f
	0xf9400425, //		ldr	x5, [x1, #8]
	0x8b050000, //		add	x0, x0, x5
	0x9400000a, //		bl	2f
	0xb9001420, //		str	w0, [x1, #20]
	0x927d2006, //		and	x6, x0, #0xff8
	0xf8666847, //		ldr	x7, [x2, x6]
	0xca0000e7, //		eor	x7, x7, x0
	0xf8266847, //		str	x7, [x2, x6]
	0x37380064, //		tbnz	w4, #7, 9f
	0xf1000529, //		subs	x9, x9, #1
	0x54fffe21, //		b.ne	1b
	0x14000000, // 9:	b	9b
	0xa9be7bfd, // 2:	stp	x29, x30, [sp, #-32]!
	0x910003fd, //		mov	x29, sp
	0xf9000bf3, //		str	x19, [sp, #16]
	0xaa0003f3, //		mov	x19, x0
	0xd343fc00, //		lsr	x0, x0, #3
	0x8b130000, //		add	x0, x0, x19
	0xeb13001f, //		cmp	x0, x19
	0x54000043, //		b.lo	3f
	0xd1000400, //		sub	x0, x0, #1
	0xf9400bf3, // 3:	ldr	x19, [sp, #16]
	0xa8c27bfd, //		ldp	x29, x30, [sp], #32
	0xd65f03c0, //		ret
};

// The inner loop of bench/guest/integer.c's `crc`, over one page of bytes again and again.
static const uint32_t crc_code[] = {
	0xaa0303e2, // mov	x2, x3
	0x91000463, // add	x3, x3, #0x1
	0x39400042, // ldrb	w2, [x2]
	0x4a010042, // eor	w2, w2, w1
	0x92401c42, // and	x2, x2, #0xff
	0xb8627882, // ldr	w2, [x4, x2, lsl #2]
	0x4a412041, // eor	w1, w2, w1, lsr #8
	0xeb05007f, // cmp	x3, x5
	0x54ffff01, // b.ne	0
	0xaa0603e3, // mov	x3, x6
	0x17fffff6, // b	0
};

// The 64 rounds of its `sha256`, as gcc compiled them, over the same 64 words again and again.
static const uint32_t sha_code[] = {
	0x2a1303e5, // mov	w5, w19
	0x2a1503f4, // mov	w20, w21
	0x2a0403f3, // mov	w19, w4
	0x2a0303f5, // mov	w21, w3
	0x2a0103e4, // mov	w4, w1
	0x2a1803e3, // mov	w3, w24
	0xd37ef4c2, // lsl	x2, x6, #2
	0x0a15007a, // and	w26, w3, w21
	0x8b0200f9, // add	x25, x7, x2
	0x8b080042, // add	x2, x2, x8
	0x0a230281, // bic	w1, w20, w3
	0x13832c78, // ror	w24, w3, #11
	0x4a1a0021, // eor	w1, w1, w26
	0x4ac31b18, // eor	w24, w24, w3, ror #6
	0xb85fc05a, // ldur	w26, [x2, #-4]
	0x4ac36718, // eor	w24, w24, w3, ror #25
	0xb85fc339, // ldur	w25, [x25, #-4]
	0x4a05027b, // eor	w27, w19, w5
	0x0b010301, // add	w1, w24, w1
	0x13843482, // ror	w2, w4, #13
	0x0b1a033a, // add	w26, w25, w26
	0x0a040378, // and	w24, w27, w4
	0x4ac40842, // eor	w2, w2, w4, ror #2
	0x0a050279, // and	w25, w19, w5
	0x4a190318, // eor	w24, w24, w25
	0x4ac45842, // eor	w2, w2, w4, ror #22
	0x0b1a0021, // add	w1, w1, w26
	0x0b180042, // add	w2, w2, w24
	0x0b170021, // add	w1, w1, w23
	0x910004c6, // add	x6, x6, #0x1
	0x0b160038, // add	w24, w1, w22
	0x2a1403f7, // mov	w23, w20
	0x0b020021, // add	w1, w1, w2
	0x2a0503f6, // mov	w22, w5
	0xf10104df, // cmp	x6, #0x41
	0x54fffba1, // b.ne	40080728
	0xd2800026, // mov	x6, #1
	0x17ffffdb, // b	(the first)
};

static uint8_t *ram(uint64_t pa, uint64_t size)
{
	uint8_t *p = bus_ram_ptr(bus, PAS_NONSECURE, pa, size);

	if (p == NULL) {
		fail("no RAM");
	}
	return p;
}

// EL1, MMU on, one block of 1 GiB of Normal memory mapped to itself.
static void machine_create(void)
{
	static struct pe_config config;
	char error[200];
	const char *why = NULL;
	struct cpu_model *model;

	bus = bus_create();
	event_queue_init(&queue);
	model = cpu_model_parse("cortex-a72", true, false, error, sizeof(error));
	if (bus == NULL || model == NULL || bus_map_ram(bus, RAM_BASE, RAM_SIZE, 0xf, false) != 0) {
		fail("cannot build the machine");
	}
	config.model = model;
	config.bus = bus;
	config.queue = &queue;
	config.code = code_cache_create(bus, &model->features);
	config.has_el2 = true;
	if (config.code == NULL || pe_create(&pe, &config, &why) != 0) {
		fail("cannot build the PE");
	}
	pe_reset(pe, 1, false, RAM_BASE);
	((uint64_t *)(void *)ram(TABLE, 4096))[1] = RAM_BASE | 1u << 10 | 3u << 8 | 1;
	sysreg_write(pe, SR_MAIR_EL1, 0xff);
	sysreg_write(pe, SR_TCR_EL1, 25u | 1u << 23 | 3u << 12 | 1u << 10 | 1u << 8);
	sysreg_write(pe, SR_TTBR0_EL1, TABLE);
	sysreg_write(pe, SR_SCTLR_EL1, pe->sr[SR_SCTLR_EL1] | 1);
	pe_context_changed(pe);
}

struct node {
	uint64_t next, weight;
	uint8_t kind, pad[3];
	uint32_t seen;
};

static void data_fill(uint8_t *nodes, uint8_t *words, uint64_t base)
{
	memset(words, 0, 4096);
	for (unsigned i = 0; i < NODE_COUNT; i++) {
		struct node node = {.weight = i * UINT64_C(0x9e3779b97f4a7c15), .kind = i & 0x7f};

		node.next = base + (i * 37 + 11) % NODE_COUNT * NODE_SIZE;
		memcpy(nodes + i * NODE_SIZE, &node, sizeof(node));
	}
}

static void state_reset(void)
{
	memset(pe->x, 0, 31 * sizeof(pe->x[0]));
	pe->x[X_SP] = STACK;
	pe->x[0] = 1;
	pe->x[1] = 2;
	pe->x[2] = 3;
	pe->x[3] = pe->x[9] = UINT64_C(1) << 60;
	pe->pc = RAM_BASE;
}

static void state_reset_mixed(void)
{
	state_reset();
	pe->x[1] = NODES;
	pe->x[2] = WORDS;
	data_fill(ram(NODES, NODE_COUNT * NODE_SIZE), ram(WORDS, 4096), NODES);
}

static void state_reset_crc(void)
{
	uint32_t *table = (void *)ram(WORDS, 1024);

	state_reset();
	for (unsigned i = 0; i < 4096; i++) {
		ram(NODES, 4096)[i] = (uint8_t)(i * 167);
	}
	for (unsigned i = 0; i < 256; i++) {
		table[i] = i * 0x9e3779b1u;
	}
	pe->x[1] = UINT32_MAX;
	pe->x[3] = pe->x[6] = NODES;
	pe->x[5] = NODES + 4096;
	pe->x[4] = WORDS;
}

static void state_reset_sha(void)
{
	state_reset_crc();
	pe->x[6] = 1;
	pe->x[7] = WORDS;
	pe->x[8] = NODES;
	for (unsigned i = 19; i < 24; i++) {
		pe->x[i] = i * 0x12345u;
	}
}

// Run at least this many instructions; how many it were. As pe_run() does when nothing happens, but
// with all registers that pinned stencils use saved once around the threaded code.
static __attribute__((noinline)) uint64_t run(uint64_t insns)
{
	uint64_t start = pe_now(pe);
	const struct uop *op;

	pe->deadline = pe->until = start + insns;
	pe->budget = (int64_t)insns;
	op = code_lookup(pe, pe->pc);
	if (op == NULL) {
		fail("no code");
	}
	pe->budget -= (int64_t)op->aux;
	op++;
	{
		register struct pe *pe_reg __asm__("rdi") = pe;
		register const struct uop *op_reg __asm__("rsi") = op;
		register op_fn *fn __asm__("rax") = op->fn;

		__asm__ volatile("mov %%rsp, %%rbx\n\tsub $256, %%rsp\n\tand $-16, %%rsp\n\tpush "
				 "%%rbx\n\tpush %%rbx\n\t"
				 "call *%%rax\n\tpop %%rsp"
				 : "+r"(pe_reg), "+r"(op_reg), "+r"(fn)
				 :
				 : "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13",
				   "r14", "r15", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3",
				   "xmm4", "xmm5", "xmm6", "xmm7");
	}
	return pe_now(pe) - start;
}

static uint64_t state_sum(void)
{
	const uint64_t *words = (const void *)ram(NODES, RAM_SIZE - (NODES - RAM_BASE));
	uint64_t sum = pe_nzcv(pe) ^ pe->pc;

	for (unsigned i = 0; i < 33; i++) {
		sum = sum * 31 + pe->x[i];
	}
	for (unsigned i = 0; i < 0x201000 / 8; i++) {
		sum = sum * 31 + words[i];
	}
	return sum;
}

// ---- pasting ------------------------------------------------------------------------------------

#if HAVE_STENCILS

#define UOPS_MAX 256
#define BUFFER_SIZE 65536

struct pasted_uop {
	struct uop *uop;
	op_fn *fn; // its own handler, to which slow paths go
	const struct stencil *stencil; // NULL: left to its handler
	uint8_t *code, *stub;
	uint8_t *leave; // pinned: the way out at a branch when the budget is used up
};

struct pasted_block {
	struct uop *header;
	uint8_t *entry; // for the threaded code
	unsigned first, count; // of the uops
};

struct paste {
	struct pasted_uop uops[UOPS_MAX];
	unsigned uop_count;
	struct pasted_block blocks[64];
	unsigned block_count;
	uint8_t *buffer;
	const uint8_t *pins; // guest registers, or NULL
	size_t used, insns, stencilled;
	const struct stencil *narrow, *wide;
	size_t narrow_count, wide_count;
};

// The value of a hole of this uop; where code goes on, an address.
static uint64_t hole_value(const struct paste *p, const struct pasted_uop *u, const struct hole *h)
{
	const struct uop *op = u->uop;
	const struct pasted_block *target = NULL;

	switch (h->where) {
	case HOLE_IMM:
		return op->imm;
	case HOLE_INSN:
		return op->insn;
	case HOLE_RD:
		return op->rd;
	case HOLE_RN:
		return op->rn;
	case HOLE_RM:
		return op->rm;
	case HOLE_RA:
		return op->ra;
	case HOLE_PC_OFF:
		return op->pc_off;
	case HOLE_REST:
		return op->rest;
	case HOLE_SP_MASK:
		return op->sp_mask;
	case HOLE_AUX:
		return op->aux;
	case HOLE_XD:
		return op->rd * 8u;
	case HOLE_XN:
		return op->rn * 8u;
	case HOLE_XM:
		return op->rm * 8u;
	case HOLE_XA:
		return op->ra * 8u;
	case HOLE_VD:
		return op->rd * 16u;
	case HOLE_VN:
		return op->rn * 16u;
	case HOLE_VM:
		return op->rm * 16u;
	case HOLE_VA:
		return op->ra * 16u;
	case HOLE_UOP:
		return (uintptr_t)op;
	case HOLE_TARGET:
		return (uintptr_t)op->target;
	case HOLE_TARGET_INSNS:
		return op->target->aux;
	case HOLE_FUNCTION:
		return h->function;
	case STENCIL_NEXT:
		return (uintptr_t)u[1].code;
	case STENCIL_SLOW:
		return (uintptr_t)u->stub;
	case STENCIL_LEAVE:
		return (uintptr_t)u->leave;
	default:
		break;
	}
	for (unsigned i = 0; i < p->block_count; i++) {
		target = p->blocks[i].header == op->target ? &p->blocks[i] : target;
	}
	if (target == NULL) {
		fail("a target without a block");
	}
	return (uintptr_t)p->uops[target->first].code;
}

static bool needs_target(const struct stencil *s)
{
	for (unsigned i = 0; i < s->hole_count; i++) {
		if (s->holes[i].where == STENCIL_TARGET || s->holes[i].where == HOLE_TARGET) {
			return true;
		}
	}
	return false;
}

// Do all holes whose values are known before anything is placed fit?
static bool fits(const struct paste *p, const struct pasted_uop *u, const struct stencil *s)
{
	for (unsigned i = 0; i < s->hole_count; i++) {
		const struct hole *h = &s->holes[i];
		int64_t v;

		if (h->type == PC32 || h->type == ABS64 || h->where >= HOLE_FUNCTION) {
			continue;
		}
		v = (int64_t)hole_value(p, u, h) + h->addend;
		if (h->type == ABS32 ? v != (int64_t)(uint32_t)v : v != (int32_t)v) {
			return false;
		}
	}
	return true;
}

#define PINS 8

static int pin_slot(const uint8_t *pins, unsigned r)
{
	for (int i = 0; i < PINS; i++) {
		if (pins[i] == r) {
			return i;
		}
	}
	return -1;
}

static void pin_suffix(char *out, size_t size, const uint8_t *pins, const struct uop *op)
{
	snprintf(out, size, " %d %d %d", pin_slot(pins, op->rd), pin_slot(pins, op->rn),
		 pin_slot(pins, op->rm));
}

static const struct stencil *choose(struct paste *p, struct pasted_uop *u)
{
	char suffix[32] = "";
	const struct stencil *s;

	if (p->pins != NULL) {
		pin_suffix(suffix, sizeof(suffix), p->pins, u->uop);
	}
	s = stencil_of(u->fn, suffix, p->narrow, p->narrow_count);
	if (s == NULL || !fits(p, u, s)) {
		s = stencil_of(u->fn, suffix, p->wide, p->wide_count);
	}
	return s != NULL && fits(p, u, s) ? s : NULL;
}

static void patch(const struct paste *p, const struct pasted_uop *u, const struct stencil *s,
		  uint8_t *at)
{
	memcpy(at, s->code, s->size);
	for (unsigned i = 0; i < s->hole_count; i++) {
		const struct hole *h = &s->holes[i];
		uint64_t v = hole_value(p, u, h) + (uint64_t)h->addend;

		if (h->type == PC32) {
			v -= (uintptr_t)at + h->offset;
		}
		memcpy(at + h->offset, &v, h->type == ABS64 ? 8 : 4);
	}
}

// preserve_none passes pe in r12 and the pinned registers in r13, r14, r15, rdi, rsi, rdx, rcx, r8.
static const uint8_t pin_host[PINS] = {13, 14, 15, 7, 6, 2, 1, 8};

// Store or load the pinned registers: MOV with a base of r12 and a displacement.
static uint8_t *emit_pins(uint8_t *at, const uint8_t *pins, bool load)
{
	for (unsigned i = 0; i < PINS; i++) {
		uint32_t offset = (uint32_t)offsetof(struct pe, x) + pins[i] * 8u;

		*at++ = (uint8_t)(0x49 | (pin_host[i] >> 3) << 2);
		*at++ = load ? 0x8b : 0x89;
		*at++ = (uint8_t)(0x84 | (pin_host[i] & 7) << 3);
		*at++ = 0x24;
		memcpy(at, &offset, 4);
		at += 4;
	}
	return at;
}

static uint8_t *emit_jump(uint8_t *at, const void *to)
{
	uint32_t distance = (uint32_t)((uintptr_t)to - ((uintptr_t)at + 5));

	*at++ = 0xe9;
	memcpy(at, &distance, 4);
	return at + 4;
}

// Leave the stencils: store the pinned registers, pe to rdi; mov $uop, %esi; jmp handler.
static uint8_t *emit_stub(uint8_t *at, const uint8_t *pins, const struct uop *op, op_fn *fn)
{
	uint32_t uop = (uint32_t)(uintptr_t)op;

	if (pins != NULL) {
		at = emit_pins(at, pins, false);
		memcpy(at, "\x4c\x89\xe7", 3);
		at += 3;
	}
	*at++ = 0xbe;
	memcpy(at, &uop, 4);
	return emit_jump(at + 4, (const void *)(uintptr_t)fn);
}

#define STUB_SIZE 10
#define PIN_STUB_SIZE (STUB_SIZE + 3 + 8 * PINS)

// Decode and link the targets of the branches of all blocks, those not taken yet too: an unlinked
// branch would be left to its handler, and with it the rest of the block.
static bool link_targets(const struct paste *p, struct code_page *page)
{
	bool more = false;

	for (unsigned i = 0; i < p->uop_count; i++) {
		struct uop *op = p->uops[i].uop;
		const struct stencil *s =
			stencil_of(op->fn, "", stencils_plain,
				   sizeof(stencils_plain) / sizeof(stencils_plain[0]));

		if (s != NULL && needs_target(s) && op->target == NULL) {
			op->target = code_block(page, op->aux & PAGE_MASK & ~UINT64_C(3));
			more = true;
		}
	}
	return more;
}

static void collect(struct paste *p)
{
	struct code_page *page = pe->code_page;

	do {
		p->uop_count = p->block_count = 0;
		for (unsigned i = page->first; i <= page->last; i++) {
			struct pasted_block *block = &p->blocks[p->block_count];
			struct uop *u;

			if (page->entry[i] == 0) {
				continue;
			}
			block->header = (struct uop *)(uintptr_t)code_block(page, i * 4);
			block->first = p->uop_count;
			// To the header of the block after it, or the end of what is decoded.
			for (u = block->header + 1; u->fn != NULL && u->fn != op_leave_before;
			     u++) {
				if (p->uop_count == UOPS_MAX - 1) {
					fail("too many uops");
				}
				p->uops[p->uop_count++] =
					(struct pasted_uop){.uop = u, .fn = u->fn};
			}
			block->count = p->uop_count - block->first;
			p->block_count++;
		}
	} while (link_targets(p, page));
}

// Lay the blocks out, then fill in the code.
static struct paste *paste(const uint8_t *pins, const struct stencil *narrow, size_t narrow_count,
			   const struct stencil *wide, size_t wide_count)
{
	struct paste *p = calloc(1, sizeof(*p));
	size_t stub = pins != NULL ? PIN_STUB_SIZE : STUB_SIZE;

	p->pins = pins;
	p->narrow = narrow;
	p->narrow_count = narrow_count;
	p->wide = wide;
	p->wide_count = wide_count;
	collect(p);
	p->buffer = __real_mmap(NULL, BUFFER_SIZE, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (p->buffer == MAP_FAILED) {
		fail("no memory below 2 GiB");
	}
	for (unsigned b = 0; b < p->block_count; b++) {
		struct pasted_block *block = &p->blocks[b];

		p->insns += block->header->aux;
		p->used = (p->used + 15) & ~(size_t)15;
		for (unsigned i = block->first; i < block->first + block->count; i++) {
			struct pasted_uop *u = &p->uops[i];

			u->stencil = choose(p, u);
			u->code = p->buffer + p->used;
			p->used += u->stencil != NULL ? u->stencil->size : stub;
			p->stencilled += u->stencil != NULL;
		}
		block->entry = p->uops[block->first].code;
		for (unsigned i = block->first; i < block->first + block->count; i++) {
			struct pasted_uop *u = &p->uops[i];
			bool branch = u->stencil != NULL && needs_target(u->stencil);

			u->stub = p->buffer + p->used;
			p->used += stub;
			u->leave = p->buffer + p->used;
			p->used += pins != NULL && branch ? stub : 0;
		}
		if (pins != NULL) {
			block->entry = p->buffer + p->used;
			p->used += PIN_STUB_SIZE;
		}
	}
	for (unsigned i = 0; i < p->uop_count; i++) {
		struct pasted_uop *u = &p->uops[i];

		if (u->stencil != NULL) {
			patch(p, u, u->stencil, u->code);
		} else {
			emit_stub(u->code, pins, u->uop, u->fn);
		}
		emit_stub(u->stub, pins, u->uop, u->fn);
		if (pins != NULL && u->leave + stub <= p->buffer + p->used && u->stencil != NULL &&
		    needs_target(u->stencil)) {
			emit_stub(u->leave, pins, u->uop->target, op_leave_before);
		}
	}
	for (unsigned b = 0; pins != NULL && b < p->block_count; b++) {
		uint8_t *at = p->blocks[b].entry;

		memcpy(at, "\x49\x89\xfc", 3); // pe to r12
		emit_jump(emit_pins(at + 3, pins, true), p->uops[p->blocks[b].first].code);
	}
	mprotect(p->buffer, BUFFER_SIZE, PROT_READ | PROT_EXEC);
	if (getenv("STENCIL_VERBOSE") != NULL) {
		for (unsigned i = 0; i < p->uop_count; i++) {
			fprintf(stderr, "%03x %s at %p\n", p->uops[i].uop->pc_off,
				p->uops[i].stencil != NULL ? p->uops[i].stencil->name : "(handler)",
				(void *)p->uops[i].code);
		}
	}
	return p;
}

static void install(const struct paste *p, bool on)
{
	for (unsigned b = 0; p != NULL && b < p->block_count; b++) {
		const struct pasted_uop *u = &p->uops[p->blocks[b].first];

		u->uop->fn = on ? (op_fn *)(uintptr_t)p->blocks[b].entry : u->fn;
		// Where pinned code of other blocks goes: the header's imm is free.
		p->blocks[b].header->imm = on && p->pins != NULL ? (uintptr_t)u->code : 0;
	}
}

// The stencils with pinned operands that the blocks need: handler, slots of rd, rn and rm, is the
// immediate wide. Which kind of relocation the compiler picks for an immediate is known only
// afterwards: for one below 0, both.
static void list_instances(const struct paste *p, const uint8_t *pins)
{
	for (unsigned i = 0; i < p->uop_count; i++) {
		const struct pasted_uop *u = &p->uops[i];
		bool wide = u->stencil >= p->wide && u->stencil < p->wide + p->wide_count;
		char suffix[32];

		if (u->stencil == NULL) {
			continue;
		}
		pin_suffix(suffix, sizeof(suffix), pins, u->uop);
		printf("%s%s %d\n", u->stencil->name, suffix, wide);
		if (!wide && (int64_t)u->uop->imm < 0) {
			printf("%s%s 1\n", u->stencil->name, suffix);
		}
	}
}
#endif

// ---- the ceiling: the same work in C ------------------------------------------------------------

static void native_alu(uint64_t left)
{
	uint64_t a = pe->x[0], b = pe->x[1], c = pe->x[2];

	while (left-- != 0) {
		a += b;
		b ^= a >> 7;
		c -= a;
		b |= 1;
		c += b << 3;
		a &= INT64_MAX;
		a ^= c;
		b += 13;
		__asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c));
	}
	pe->x[0] = a;
	pe->x[1] = b;
	pe->x[2] = c;
}

static __attribute__((noinline, noipa)) uint64_t native_f(uint64_t x)
{
	uint64_t r = (x >> 3) + x;

	if (r >= x) {
		r -= 1;
	}
	return r;
}

// The list holds host addresses here.
static uint8_t native_nodes[NODE_COUNT * NODE_SIZE] __attribute__((aligned(64))),
	native_words[4096] __attribute__((aligned(64)));

static void native_mixed(uint64_t left)
{
	uint64_t x = 1;
	struct node *node = (struct node *)(void *)native_nodes;

	while (left-- != 0) {
		uint64_t *word;

		node = (struct node *)(uintptr_t)node->next;
		if (node == NULL || node->kind == 200) {
			break;
		}
		x = native_f(x + node->weight);
		node->seen = (uint32_t)x;
		word = (uint64_t *)(void *)(native_words + (x & 0xff8));
		*word ^= x;
		if (node->kind & 0x80) {
			break;
		}
		__asm__ volatile("" ::: "memory");
	}
	pe->x[0] = x;
}

static void native_crc(uint64_t left)
{
	const uint8_t *bytes = ram(NODES, 4096);
	const uint32_t *table = (const void *)ram(WORDS, 1024);
	uint32_t crc = UINT32_MAX;

	for (; left >= 4096; left -= 4096) {
		for (const uint8_t *p = bytes; p < bytes + 4096; p++) {
			crc = crc >> 8 ^ table[(crc ^ *p) & 0xff];
		}
	}
	pe->x[1] = crc;
}

static inline uint32_t ror(uint32_t v, unsigned n)
{
	return v >> n | v << (32 - n);
}

static void native_sha(uint64_t left)
{
	const uint32_t *k = (const void *)ram(WORDS, 1024), *w = (const void *)ram(NODES, 4096);
	uint32_t s[8] = {1, 2, 3, 4, 5, 6, 7, 8};

	for (; left >= 64; left -= 64) {
		for (unsigned i = 0; i < 64; i++) {
			uint32_t a = s[0], e = s[4];
			uint32_t t1 = s[7] + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) +
				      ((e & s[5]) ^ (~e & s[6])) + k[i] + w[i];
			uint32_t t2 = (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) +
				      ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));

			memmove(s + 1, s, 7 * sizeof(*s));
			s[4] += t1;
			s[0] = t1 + t2;
		}
	}
	memcpy(pe->x, s, sizeof(s));
}

// ---- measuring ----------------------------------------------------------------------------------

#define RUNS_MAX 101

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(const double *values, unsigned count)
{
	double sorted[RUNS_MAX];

	memcpy(sorted, values, count * sizeof(*values));
	qsort(sorted, count, sizeof(*sorted), compare);
	return sorted[count / 2];
}

struct variant {
	const char *name;
	const void *paste; // NULL: threaded
	void (*native)(uint64_t turns);
	double ns[RUNS_MAX], ratio[RUNS_MAX];
};

#define VARIANTS 5

static void measure(const char *title, struct variant *variants, void (*reset)(void),
		    unsigned per_turn, unsigned runs, uint64_t insns)
{
	uint64_t expected = 0, insns_run = 0;

	for (unsigned r = 0; r < runs; r++) {
		for (unsigned v = 0; v < VARIANTS; v++) {
			struct variant *variant = &variants[v];
			double start;
			uint64_t done;

			if (variant->name == NULL) {
				continue;
			}
			reset();
#if HAVE_STENCILS
			install(variant->paste, true);
#endif
			start = cpu_ns();
			done = insns_run;
			if (variant->native != NULL) {
				variant->native(insns_run / per_turn);
			} else {
				done = run(insns);
			}
			variant->ns[r] = (cpu_ns() - start) / (double)done;
			variant->ratio[r] = variants[0].ns[r] / variant->ns[r];
#if HAVE_STENCILS
			install(variant->paste, false);
#endif
			if (variant->native == NULL) {
				uint64_t sum = state_sum() * 31 + done;

				insns_run = done;

				if (r == 0 && v == 0) {
					expected = sum;
				} else if (sum != expected) {
					fprintf(stderr, "%s, %s: wrong result\n", title,
						variant->name);
					exit(1);
				}
			}
		}
	}
	printf("%s: %" PRIu64
	       " instructions, %u runs in turn; same registers, flags, memory and time\n",
	       title, insns_run, runs);
	for (unsigned v = 0; v < VARIANTS; v++) {
		if (variants[v].name != NULL) {
			printf("  %-32s %7.3f ns an instruction   %5.2f x\n", variants[v].name,
			       median(variants[v].ns, runs), median(variants[v].ratio, runs));
		}
	}
}

#if HAVE_STENCILS
#define STENCILS(name) stencils_##name, sizeof(stencils_##name) / sizeof(stencils_##name[0])

static void size_report(const char *name, const struct paste *p)
{
	printf("  %s: %u blocks, %zu instructions, %u uops of which %zu are stencils, %zu bytes of "
	       "code and stubs "
	       "(uops: %zu)\n",
	       name, p->block_count, p->insns, p->uop_count, p->stencilled, p->used,
	       (p->uop_count + p->block_count) * sizeof(struct uop));
}
#endif

// Eight guest registers that the pinned variant keeps in host registers.
static const struct loop {
	const char *name;
	const uint32_t *code;
	size_t size;
	void (*reset)(void);
	void (*native)(uint64_t turns);
	unsigned per_turn; // instructions in a turn of the C
	uint8_t pins[8];
} loops[] = {
	{"alu", alu_code, sizeof(alu_code), state_reset, native_alu, 10, {0, 1, 2, 3, 4, 5, 6, 7}},
	{"sha256",
	 sha_code,
	 sizeof(sha_code),
	 state_reset_sha,
	 native_sha,
	 36,
	 {1, 2, 3, 4, 24, 26, 25, 6}},
	{"crc",
	 crc_code,
	 sizeof(crc_code),
	 state_reset_crc,
	 native_crc,
	 9,
	 {1, 2, 3, 4, 5, 6, 7, 8}},
	{"mixed",
	 mixed_code,
	 sizeof(mixed_code),
	 state_reset_mixed,
	 native_mixed,
	 28,
	 {0, 1, 2, 9, X_SP, 19, 29, 7}},
};

#if HAVE_STENCILS
// How long filling in the code of a uop takes, its stencil known.
static double patch_ns(const struct paste *p)
{
	uint8_t scratch[1024];
	double start = cpu_ns();
	unsigned count = 0;

	for (unsigned r = 0; r < 20000; r++) {
		for (unsigned i = 0; i < p->uop_count; i++) {
			if (p->uops[i].stencil != NULL &&
			    p->uops[i].stencil->size <= sizeof(scratch)) {
				patch(p, &p->uops[i], p->uops[i].stencil, scratch);
				count++;
			}
		}
	}
	return count != 0 ? (cpu_ns() - start) / count : 0;
}
#endif

static void run_loop(const struct loop *loop, bool list __attribute__((unused)), unsigned runs,
		     uint64_t insns)
{
	struct variant v[VARIANTS] = {{.name = "threaded"}};

	bus_ram_write(bus, PAS_NONSECURE, RAM_BASE, loop->code, loop->size);
	loop->reset();
	run(100000);
#if HAVE_STENCILS
	v[1] = (struct variant){.name = "stencils",
				.paste = paste(NULL, STENCILS(plain), STENCILS(plain64))};
	v[2] = (struct variant){.name = "stencils, GOTO_SLOW",
				.paste = paste(NULL, STENCILS(macro), STENCILS(macro64))};
	if (list) {
		list_instances(v[1].paste, loop->pins);
		return;
	}
	printf("\n");
	size_report(loop->name, v[1].paste);
	size_report("  with GOTO_SLOW", v[2].paste);
	printf("  filling in a uop takes %.0f ns\n", patch_ns(v[1].paste));
#endif
#if HAVE_PINNED
	v[3] = (struct variant){.name = "stencils, 8 registers pinned",
				.paste = paste(loop->pins, STENCILS(pinned), STENCILS(pinned64))};
	size_report("  pinned", v[3].paste);
#endif
	v[4] = (struct variant){.name = "C", .native = loop->native};
	data_fill(native_nodes, native_words, (uintptr_t)native_nodes);
	measure(loop->name, v, loop->reset, loop->per_turn, runs, insns);
}

int main(int argc, char **argv)
{
	bool list = argc > 1 && strcmp(argv[1], "--instances") == 0;
	unsigned runs = argc > 1 && !list ? (unsigned)atoi(argv[1]) : 11;
	uint64_t insns = argc > 2 ? strtoull(argv[2], NULL, 10) : 5000000;

	if (runs == 0 || runs > RUNS_MAX || insns == 0 || insns > INT64_MAX / 2) {
		fail("usage: stencil [RUNS (1 to 101) [INSTRUCTIONS]]");
	}
	symbols_open();
	machine_create();
	for (size_t i = 0; i < sizeof(loops) / sizeof(loops[0]); i++) {
		run_loop(&loops[i], list, runs, insns);
	}
	return 0;
}
