// SPDX-License-Identifier: Apache-2.0
//
// random_guest.c - random MRS, MSR and SYS words at every level under random values of the control
// registers, on whatever machine it is booted on (at EL3, with the MMU off). It prints what came of
// each; random_accesses.py compares two machines. The same number of a case means the same case
// on every machine.
//
// The command line: seed=N, from=N and to=N (numbers of cases), slow=1 (print at once), probe=1
// (print what the machine has), words=1 (print which of the known encodings EL3 can use).
#include "random_guest.h"

#include "guest.h"

#define CODE UINT64_C(0x40010000)
#define DATA UINT64_C(0x40020000)
#define VECTORS(el) (UINT64_C(0x40070000) + (uint64_t)(el)*0x10000)
#define ROUND 64 // cases on one set of control registers
#define HCR_E2H_BIT BIT(34)
#define HCR_TGE_BIT BIT(27)
#define SCR_NS_BIT BIT(0)
#define SCR_EEL2_BIT BIT(18)
#define USUAL UINT64_C(0x5555555555555500) // Xn is this and n
#define PSTATE_BITS (BIT(12) | BIT(22) | BIT(23) | BIT(24) | BIT(25)) // SSBS, PAN, UAO, DIT, TCO
#define PSTATE_IL BIT(20)
// What exceptions change. They leave the flags and DIT (AArch64.TakeException), which QEMU 7.2
// clears. ALLINT is in random_more_pstate.
#define PSTATE_AT_VECTOR (BIT(12) | BIT(20) | BIT(22) | BIT(23) | BIT(25) | UINT64_C(0x3df))
#define NO_REGISTER 0xff
#define PSTATE_VALUE 0xfe // and the value in the bits above
#define VNCR_VALUE 0xfd // and the offset in the bits above
#define VNCR_CHANGED 0x1000u // plus the offset
#define VNCR_SIZE 0x1000u
#define HCR_NV2_BIT BIT(45)

struct guest_entry {
	uint64_t x[31];
	uint64_t pc;
	uint64_t spsr;
};

uint64_t guest_enter(const struct guest_entry *entry);
extern uint64_t guest_exit_x[32];
extern const char lower_vectors[];

struct random_case {
	uint32_t word;
	int el;
	uint64_t spsr, x;
};

struct outcome {
	int el; // EL_NONE: the instruction retired
	uint64_t offset, esr, elr, spsr;
	uint64_t pstate; // after the instruction, or at the vector of EL1 or EL2
};

static bool available[REGISTER_MAX];
static uint64_t value[REGISTER_MAX]; // what each register reads as at the beginning of a case
static uint64_t seed;

// ---- output: many lines in one call
// --------------------------------------------------------------

static char text[8192];
static size_t text_size;

static void flush(void)
{
	register uint64_t x0 __asm__("x0") = SEMIHOST_SYS_WRITE0;
	register const char *x1 __asm__("x1") = text;

	text[text_size] = '\0';
	__asm__ volatile("hlt #0xf000" : "+r"(x0) : "r"(x1) : "memory");
	text_size = 0;
}

static void put(char c)
{
	text[text_size++] = c;
	if (text_size == sizeof(text) - 1) {
		flush();
	}
}

static void put_hex(uint64_t number)
{
	int shift = 60;

	while (shift > 0 && number >> shift == 0) {
		shift -= 4;
	}
	for (; shift >= 0; shift -= 4) {
		put("0123456789abcdef"[number >> shift & 15]);
	}
	put(' ');
}

// ---- chance: a number that depends on nothing but the seed and its place
// ---------------------------

static uint64_t mix(uint64_t a, uint64_t b)
{
	uint64_t z = seed + a * UINT64_C(0x9e3779b97f4a7c15) + b * UINT64_C(0xd1b54a32d192ed03);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

// ---- registers
// -----------------------------------------------------------------------------------

static uint64_t read_register(unsigned i)
{
	return available[i] ? ((uint64_t(*)(void))random_registers[i].read)() : 0;
}

static void write_register(unsigned i, uint64_t v)
{
	if (available[i]) {
		((void (*)(uint64_t))random_registers[i].write)(v);
	}
}

// Code at EL3, from which an exception comes back; true: it ended by its RET.
static bool try_at_el3(const void *code, uint64_t x0)
{
	struct guest_entry entry = {.pc = (uint64_t)code, .spsr = guest_spsr(EL3)};
	uint64_t offset;

	entry.x[0] = x0;
	entry.x[30] = (uint64_t)random_escape;
	offset = guest_enter(&entry);
	return offset == 0x200 && read_sysreg(esr_el3) == ESR(EC_SMC, ESC_DONE);
}

static void probe_registers(void)
{
	for (unsigned i = 0; i < random_register_count; i++) {
		uint64_t now;

		available[i] = try_at_el3(random_registers[i].read, 0);
		now = guest_exit_x[0];
		available[i] = available[i] && try_at_el3(random_registers[i].write, now);
	}
}

static void open_registers(bool e2h)
{
	for (unsigned i = 0; i < random_register_count; i++) {
		uint64_t open = random_registers[i].open[e2h];

		write_register(i, i == 1 && e2h ? open | HCR_E2H_BIT : open);
	}
}

static void print_ids(void)
{
	for (unsigned i = 0; i < random_id_count; i++) {
		put('i');
		put('d');
		put(' ');
		put_hex(random_ids[i].enc);
		put_hex(((uint64_t(*)(void))random_ids[i].read)());
		put('\n');
	}
	flush();
}

// Which bits of each can be set and cleared.
static void print_masks(void)
{
	for (unsigned i = 0; i < random_register_count; i++) {
		for (unsigned e2h = 0; e2h < 2; e2h++) {
			const struct random_register *r = &random_registers[i];
			uint64_t ones, zeros;

			open_registers(e2h != 0);
			write_register(i, r->open[e2h] | r->mask[e2h]);
			ones = read_register(i);
			write_register(i, r->open[e2h] & ~r->mask[e2h]);
			zeros = read_register(i);
			open_registers(false);
			put('m');
			put(' ');
			put_hex(i);
			put_hex(e2h);
			put_hex(available[i]);
			put_hex((ones ^ zeros) & r->mask[e2h]);
			put('\n');
			flush();
		}
	}
}

static uint64_t random_bits(uint64_t a, uint64_t b)
{
	uint64_t v = mix(a, b);

	switch (mix(a, b + 1) % 5) {
	case 0:
		return 0;
	case 1:
		return BIT(v % 64) | BIT(v >> 6 & 63);
	case 2:
		return v & mix(a, b + 2);
	case 3:
		return ~BIT(v % 64);
	default:
		return v;
	}
}

// The page of VNCR_EL2: every place has a value of its own.
static uint64_t vncr_value(uint64_t round, unsigned offset)
{
	return mix(round << 16 | offset, 11);
}

static volatile uint64_t *vncr_place(unsigned offset)
{
	return (volatile uint64_t *)(random_vncr_page + offset);
}

static void fill_vncr_page(uint64_t round)
{
	for (unsigned i = 0; i < VNCR_SIZE; i += 8) {
		*vncr_place(i) = vncr_value(round, i);
	}
}

// The first place that has changed; put back.
static unsigned restore_vncr_page(uint64_t round)
{
	unsigned changed = NO_REGISTER;

	for (unsigned i = VNCR_SIZE; i > 0; i -= 8) {
		uint64_t old = vncr_value(round, i - 8);

		if (*vncr_place(i - 8) != old) {
			*vncr_place(i - 8) = old;
			changed = VNCR_CHANGED + i - 8;
		}
	}
	return changed;
}

// Random control registers of a round: each bit that varies is its open value in about one register
// of three.
static void set_registers(uint64_t round)
{
	uint64_t hcr = 0;

	for (unsigned i = 0; i < random_register_count; i++) {
		const struct random_register *r = &random_registers[i];
		bool e2h = hcr & HCR_E2H_BIT;
		uint64_t mask = r->mask[e2h], v = r->open[e2h], key = round << 16 | i << 4;

		if (mix(key, 9) % 3 != 0) {
			v = (v & ~mask) | (random_bits(key, 10) & mask);
		}
		if (i == 1) {
			hcr = v;
		}
		value[i] = v;
		write_register(i, v);
	}
	put('r');
	put(' ');
	put_hex(round);
	for (unsigned i = 0; i < random_register_count; i++) {
		write_register(i, value[i]);
		value[i] = read_register(i);
		put_hex(value[i]);
	}
	put('\n');
}

// ---- memory
// --------------------------------------------------------------------------------------

static void prepare_vectors(void)
{
	for (unsigned el = 1; el <= 2; el++) {
		for (unsigned i = 0; i < 0x800; i += 4) {
			*(volatile uint32_t *)(VECTORS(el) + i) =
				*(const uint32_t *)(lower_vectors + i);
		}
	}
}

static void put_code(uint32_t insn, bool el0)
{
	volatile uint32_t *code = (volatile uint32_t *)CODE;

	code[0] = insn;
	code[1] = (el0 ? 0xd4000001u : 0xd4000003u) | (uint32_t)ESC_DONE << 5;
	__asm__ volatile("dsb sy\n\tic iallu\n\tdsb sy\n\tisb" ::: "memory");
}

// ---- a case
// --------------------------------------------------------------------------------------

static bool never_written(uint32_t enc)
{
	for (unsigned i = 0; i < random_never_written_count; i++) {
		if (random_never_written[i] == enc) {
			return true;
		}
	}
	return false;
}

static uint32_t random_word(uint64_t n)
{
	uint64_t a = mix(n, 1), b = mix(n, 2);
	uint32_t enc = random_encodings[a % random_encoding_count], rt = b & 31;
	bool read = b >> 5 & 1;

	switch (b >> 8 & 15) {
	case 0: // anywhere
		enc = (uint32_t)(mix(n, 3) & 0xffff);
		enc = enc < 0x4000 ? enc | 0x8000 : enc;
		break;
	case 1: // beside a known one
		enc ^= 1u << (b >> 16 & 15);
		enc = enc < 0x4000 ? enc | 0x4000 : enc;
		break;
	case 2: // MSR (immediate)
		return 0xd500401fu | (uint32_t)(mix(n, 3) & 0x70fe0);
	default:
		break;
	}
	if (!read && never_written(enc)) {
		read = true;
	}
	rt = !read && enc >= 0x8000 && rt == 31 ? 30 : rt;
	return 0xd5000000u | (uint32_t)read << 21 | enc << 5 | rt;
}

// What is written: bits that may vary, for a register that gets random values.
static uint64_t random_x(uint64_t n, uint32_t word)
{
	uint32_t enc = word >> 5 & 0xffff;

	if (enc < 0x8000) {
		return DATA + (mix(n, 4) & 0xff8);
	}
	for (unsigned i = 0; i < random_register_count; i++) {
		if (random_registers[i].enc == enc) {
			uint64_t mask = random_registers[i].mask[0] & random_registers[i].mask[1];

			return (random_registers[i].open[0] & ~mask) | (mix(n, 4) & mask);
		}
	}
	return mix(n, 4) & ~UINT64_C(1);
}

static void draw(uint64_t n, struct random_case *c)
{
	bool el2 = (value[0] & (SCR_NS_BIT | SCR_EEL2_BIT)) != 0;

	c->word = random_word(n);
	c->x = random_x(n, c->word);
	c->el = (int)(mix(n, 5) & 3);
	if (c->el == EL2 && !el2) {
		c->el = EL1;
	}
	if (!el2 && (c->word >> 5 & 0x87ff) == 0x8687) {
		c->el = EL3; // QEMU 7.2 stops at SCXTNUM_EL0 and _EL1 without EL2
	}
	if (c->el == EL1 && el2 && (value[1] & HCR_TGE_BIT)) {
		c->el = EL0;
	}
	c->spsr = guest_spsr((enum el)c->el) & ~(mix(n, 6) % 8 == 0 ? BIT(0) : 0);
	c->spsr |= mix(n, 7) & (UINT64_C(0xf0000000) | PSTATE_BITS | random_more_pstate);
	c->spsr |= mix(n, 8) % 32 == 0 ? PSTATE_IL : 0;
}

static void look(struct outcome *o, int el, uint64_t offset)
{
	o->el = el;
	o->offset = offset;
	if (el == EL1) {
		o->esr = read_sysreg(esr_el1);
		o->elr = read_sysreg(elr_el1);
		o->spsr = read_sysreg(spsr_el1);
	} else if (el == EL2) {
		o->esr = read_sysreg(esr_el2);
		o->elr = read_sysreg(elr_el2);
		o->spsr = read_sysreg(spsr_el2);
	} else {
		o->esr = read_sysreg(esr_el3);
		o->elr = read_sysreg(elr_el3);
		o->spsr = read_sysreg(spsr_el3);
	}
}

static bool is_slot(uint64_t esr)
{
	return esr >> 26 == EC_SMC && (esr & 0xf87f) == ESC_SLOT;
}

static bool is_done(uint64_t esr)
{
	return esr == ESR(EC_SMC, ESC_DONE) || esr == ESR(EC_SVC, ESC_DONE);
}

// Which level took the first exception, if any (see collect() of the guest tests' runtime).
static void collect(struct outcome *o, uint64_t offset)
{
	uint64_t esr = read_sysreg(esr_el3), spsr = read_sysreg(spsr_el3);
	int from = spsr >> 2 & 3;

	if (!(offset & 0x180) && is_slot(esr) && (from == EL1 || from == EL2)) {
		look(o, from, esr & 0x780);
		o->pstate = spsr;
	} else {
		look(o, EL3, offset);
	}
	// HCR_EL2.TSC: the SMC in a vector of EL1 went to EL2 first.
	if (o->el == EL2 && is_slot(o->esr) && o->elr - VECTORS(1) < 0x800) {
		o->pstate = o->spsr;
		look(o, EL1, o->esr & 0x780);
	}
	if (!(o->offset & 0x180) && is_done(o->esr)) {
		*o = (struct outcome){.el = EL_NONE, .pstate = o->spsr};
	}
}

// Registers that have changed, in bits that both machines have; put back. Those that exceptions
// write are not looked at when one was taken.
static unsigned restore(bool taken)
{
	unsigned changed = NO_REGISTER;

	for (unsigned i = 0; i < random_register_count; i++) {
		uint64_t mask = random_registers[i].mask[0] | random_registers[i].mask[1];
		uint64_t now = read_register(i);

		if (((now ^ value[i]) & mask) != 0 && changed == NO_REGISTER && !taken) {
			changed = i;
		}
		if (now != value[i]) {
			write_register(i, value[i]);
		}
	}
	return changed;
}

static unsigned count_bits(uint64_t v)
{
	unsigned n = 0;

	for (; v != 0; v &= v - 1) {
		n++;
	}
	return n;
}

// The register that a read's result comes from, where its value tells.
static unsigned source_of(uint64_t v)
{
	for (unsigned i = 2; i < random_register_count; i++) {
		const struct random_register *r = &random_registers[i];

		if (v == value[i] && v != r->open[0] && v != r->open[1] && count_bits(v) > 2 &&
		    count_bits(r->mask[0]) >= 30) {
			return i;
		}
	}
	return NO_REGISTER;
}

static void run_case(uint64_t n)
{
	struct random_case c;
	struct guest_entry entry;
	struct outcome o = {0};
	uint64_t source = NO_REGISTER;
	bool nv2 = value[1] & HCR_NV2_BIT;
	unsigned changed, stored;

	draw(n, &c);
	put_code(c.word, c.el == EL0);
	for (unsigned i = 0; i < 31; i++) {
		entry.x[i] = USUAL + i;
	}
	if ((c.word & 31) != 31) {
		entry.x[c.word & 31] = c.x;
	}
	entry.pc = CODE;
	entry.spsr = c.spsr;
	write_sysreg(vbar_el1, VECTORS(1));
	write_sysreg(vbar_el2, VECTORS(2));
	put('c');
	put(' ');
	put_hex(n);
	put_hex(c.word);
	put_hex((uint64_t)c.el);
	collect(&o, guest_enter(&entry));
	if (o.el == EL_NONE && (c.word >> 21 & 1) && (c.word & 31) != 31) {
		uint64_t seen = guest_exit_x[c.word & 31];

		// The fields of PSTATE must be the same; otherwise values are the machines' own.
		source = (c.word & 0xfff8ff00) == 0xd5384200 ? PSTATE_VALUE | seen << 8
							     : source_of(seen);
		for (unsigned i = 0; i < VNCR_SIZE && nv2; i += 8) {
			source = seen == *vncr_place(i) ? VNCR_VALUE | i << 8 : source;
		}
	}
	put_hex((uint64_t)(o.el + 1));
	put_hex(o.esr);
	put_hex(o.el == EL_NONE ? 0 : o.elr - CODE);
	put_hex(o.spsr & ~UINT64_C(0x200c00));
	put_hex(o.pstate &
		(o.el == EL_NONE ? ~UINT64_C(0x200c00) : PSTATE_AT_VECTOR | random_more_pstate));
	put_hex(o.offset);
	changed = restore(o.el != EL_NONE || c.el == EL0);
	stored = nv2 ? restore_vncr_page(n / ROUND) : NO_REGISTER;
	put_hex(stored != NO_REGISTER ? stored : changed);
	put_hex(source);
	put('\n');
}

// Which known encodings EL3 can read, and can write (not asked where a write would do harm).
static void print_words(void)
{
	for (unsigned i = 0; i < random_encoding_count; i++) {
		for (unsigned k = 0; k < 4; k++) {
			uint32_t enc = random_encodings[i];
			struct guest_entry entry = {.pc = CODE, .spsr = guest_spsr(EL3)};
			struct outcome o = {0};

			if (!(k & 1) && never_written(enc)) {
				continue;
			}
			guest_reset();
			open_registers(k >> 1);
			write_register(0, random_registers[0].open[0] | SCR_EEL2_BIT);
			put_code(0xd5000000u | (k & 1) << 21 | enc << 5, false);
			entry.x[0] = random_x(1, enc << 5);
			collect(&o, guest_enter(&entry));
			put('w');
			put(' ');
			put_hex(i);
			put_hex(k & 1);
			put_hex(o.el == EL3 && o.esr >> 26 == 0);
			put('\n');
			flush();
		}
	}
}

static uint64_t option(const char *line, const char *name)
{
	uint64_t n = 0;

	for (; *line != '\0'; line++) {
		size_t k = 0;

		while (name[k] != '\0' && line[k] == name[k]) {
			k++;
		}
		if (name[k] == '\0') {
			for (line += k; *line >= '0' && *line <= '9'; line++) {
				n = n * 10 + (uint64_t)(*line - '0');
			}
			return n;
		}
	}
	return 0;
}

static void run_cases(uint64_t from, uint64_t to, bool slow)
{
	uint64_t round = UINT64_MAX;

	for (uint64_t n = from; n < to; n++) {
		if (n / ROUND != round) {
			round = n / ROUND;
			flush();
			guest_reset();
			open_registers(false);
			set_registers(round);
			fill_vncr_page(round);
		}
		if (slow) {
			put('b');
			put(' ');
			put_hex(n);
			put('\n');
			flush();
		}
		run_case(n);
		if (slow) {
			flush();
		}
	}
	flush();
}

// One `test' of the guest tests' runtime, which brings the stack, the vectors and the exit.
TEST(accesses)
{
	static char line[256];
	uint64_t block[2] = {(uint64_t)line, sizeof(line)};
	register uint64_t x0 __asm__("x0") = SEMIHOST_SYS_GET_CMDLINE;
	register uint64_t *x1 __asm__("x1") = block;

	__asm__ volatile("hlt #0xf000" : "+r"(x0) : "r"(x1) : "memory");
	seed = option(line, "seed=");
	prepare_vectors();
	probe_registers();
	if (option(line, "probe=") != 0) {
		print_ids();
		print_masks();
	} else if (option(line, "words=") != 0) {
		print_words();
	} else {
		run_cases(option(line, "from="), option(line, "to="), option(line, "slow=") != 0);
	}
	flush();
	guest_printf("end\n");
}
