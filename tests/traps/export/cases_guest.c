// SPDX-License-Identifier: Apache-2.0
//
// cases_guest.c - runs the cases of trap tests on whatever machine it is booted on, at EL3 with the
// MMU off, and prints what came of each. compare.py generates the tables and links them to this.
//
// The instruction lies at CODE; the two words after it lead back (SVC at EL0, SMC elsewhere). The
// vectors of EL1 and EL2 hold an SMC a slot, as in the guest tests, at the places that the cases'
// page tables map.
#include "cases_guest.h"

#include "guest.h"

#define CODE UINT64_C(0x40010000)
#define SUM_FACTOR UINT64_C(0x5851f42d4c957f2d)
#define PLACES UINT64_C(0x40020000) // $data, $user, $ro, $tagged
#define PLACE_COUNT 4
#define PLACE_DISTANCE UINT64_C(0x10000)
#define PLACE_USED 0x1000
#define VECTORS(el) (UINT64_C(0x40070000) + (uint64_t)(el)*0x10000)

struct guest_entry {
	uint64_t x[31];
	uint64_t pc;
	uint64_t spsr;
};

uint64_t guest_enter(const struct guest_entry *entry);
extern uint64_t guest_exit_x[32];
extern const char lower_vectors[];

// What came of a case.
struct outcome {
	int el; // EL_NONE: the instruction retired
	uint64_t offset, esr, elr, spsr, far, hpfar, rt;
	uint64_t x; // a sum of the registers other than Rt
	uint64_t stored; // a sum of the places that cases use
	uint64_t changed; // by bit, of the case's written registers
};

static bool available[REGISTER_MAX];

// ---- registers ----------------------------------------------------------------------------------

static uint64_t read_register(unsigned i)
{
	return available[i] ? ((uint64_t(*)(void))case_register_code[i].read)() : 0;
}

static void write_register(unsigned i, uint64_t value)
{
	if (available[i]) {
		((void (*)(uint64_t))case_register_code[i].write)(value);
	}
}

// Code at EL3, from which an exception comes back; true: it ended by its RET.
static bool try_at_el3(const void *code, uint64_t x0)
{
	struct guest_entry entry = {.pc = (uint64_t)code, .spsr = guest_spsr(EL3)};
	uint64_t offset;

	entry.x[0] = x0;
	entry.x[30] = (uint64_t)case_escape;
	offset = guest_enter(&entry);
	return offset == 0x200 && read_sysreg(esr_el3) == ESR(EC_SMC, ESC_DONE);
}

static void probe_registers(void)
{
	for (unsigned i = 0; i < case_register_count; i++) {
		uint64_t value;

		available[i] = try_at_el3(case_register_code[i].read, 0);
		value = guest_exit_x[0];
		available[i] = available[i] && try_at_el3(case_register_code[i].write, value);
	}
}

// ---- memory -------------------------------------------------------------------------------------

// Also after a case in which hardware has written descriptors.
static void prepare_tables(void)
{
	for (unsigned i = 0; i < case_table_count; i++) {
		volatile uint64_t *at = (volatile uint64_t *)case_tables[i].address;

		if (*at != case_tables[i].value) {
			*at = case_tables[i].value;
		}
	}
}

static void prepare_memory(void)
{
	for (uint64_t at = UINT64_C(0x40000000); at < UINT64_C(0x40220000); at += 8) {
		*(volatile uint64_t *)at = 0;
	}
	prepare_tables();
	for (unsigned el = 1; el <= 2; el++) {
		for (unsigned i = 0; i < 0x800; i += 4) {
			*(volatile uint32_t *)(VECTORS(el) + i) =
				*(const uint32_t *)(lower_vectors + i);
		}
	}
}

// A sum of what the places hold, which are then empty again.
static uint64_t sum_places(void)
{
	uint64_t sum = 0;

	for (uint64_t i = 0; i < PLACE_COUNT; i++) {
		for (uint64_t k = 0; k < PLACE_USED; k += 8) {
			volatile uint64_t *at =
				(volatile uint64_t *)(PLACES + i * PLACE_DISTANCE + k);

			sum = sum * SUM_FACTOR + *at;
			if (*at != 0) {
				*at = 0;
			}
		}
	}
	return sum;
}

static void put_code(uint64_t address, uint32_t insn, bool el0)
{
	volatile uint32_t *code = (volatile uint32_t *)address;

	code[0] = insn;
	code[1] = (el0 ? 0xd4000001u : 0xd4000003u) | (uint32_t)ESC_DONE << 5;
	code[2] = code[1];
	__asm__ volatile("dc cvau, %0\n\tdsb sy\n\tic iallu\n\tdsb sy\n\tisb" ::"r"(address)
			 : "memory");
}

// ---- a case -------------------------------------------------------------------------------------

static void look(struct outcome *o, int el, uint64_t offset)
{
	o->el = el;
	o->offset = offset;
	if (el == EL1) {
		o->esr = read_sysreg(esr_el1);
		o->elr = read_sysreg(elr_el1);
		o->spsr = read_sysreg(spsr_el1);
		o->far = read_sysreg(far_el1);
	} else if (el == EL2) {
		o->esr = read_sysreg(esr_el2);
		o->elr = read_sysreg(elr_el2);
		o->spsr = read_sysreg(spsr_el2);
		o->far = read_sysreg(far_el2);
	} else {
		o->esr = read_sysreg(esr_el3);
		o->elr = read_sysreg(elr_el3);
		o->spsr = read_sysreg(spsr_el3);
		o->far = read_sysreg(far_el3);
	}
	o->hpfar = read_sysreg(hpfar_el2);
}

static bool is_done(uint64_t esr)
{
	return esr == ESR(EC_SMC, ESC_DONE) || esr == ESR(EC_SVC, ESC_DONE);
}

static bool is_slot(uint64_t esr)
{
	return esr >> 26 == EC_SMC && (esr & 0xf87f) == ESC_SLOT;
}

// Which level took the first exception, if any (see collect() of the guest tests' runtime).
static void collect(struct outcome *o, uint64_t offset)
{
	uint64_t esr = read_sysreg(esr_el3), spsr = read_sysreg(spsr_el3);
	int from = spsr >> 2 & 3;
	bool call;

	if (!(offset & 0x180) && is_slot(esr) && (from == EL1 || from == EL2)) {
		look(o, from, esr & 0x780);
	} else {
		look(o, EL3, offset);
	}
	// HCR_EL2.TSC: the SMC in a vector of EL1 went to EL2 first.
	if (o->el == EL2 && is_slot(o->esr) && o->elr - VECTORS(1) < 0x800) {
		look(o, EL1, o->esr & 0x780);
	}
	// The way back; or what the state that the instruction left makes of it.
	call = o->esr >> 26 >= EC_SVC && o->esr >> 26 <= EC_SMC;
	if (!(o->offset & 0x180) && (is_done(o->esr) || (!call && o->elr == CODE + 4))) {
		o->el = EL_NONE;
	}
}

static void run_case(const struct test_case *c, struct outcome *o)
{
	struct guest_entry entry = {.pc = c->pc, .spsr = c->pstate};
	uint64_t before[64];

	*o = (struct outcome){.el = EL_NONE};
	guest_reset();
	prepare_tables();
	put_code(c->pc & ~UINT64_C(3), c->insn, (c->pstate >> 2 & 3) == 0);
	for (unsigned i = 0; i < case_register_count; i++) {
		write_register(i, case_open[i]);
	}
	for (unsigned i = 0; i < c->change_count; i++) {
		write_register(case_changes[c->changes + i].reg,
			       case_changes[c->changes + i].value);
	}
	for (unsigned i = 0; i < c->change_count; i++) {
		unsigned reg = case_changes[c->changes + i].reg;

		// A bit that does not stay belongs to what this machine lacks.
		if (!available[reg] ||
		    ((read_register(reg) ^ case_changes[c->changes + i].value) &
		     (case_open[reg] ^ case_changes[c->changes + i].value)) != 0) {
			guest_printf("case %u lacks %u\n", c->number, reg);
			o->offset = 1;
			return;
		}
	}
	for (unsigned i = 0; i < c->memory_count; i++) {
		const struct case_memory *m = &case_memory[c->memory + i];

		for (unsigned k = 0; k < m->size; k++) {
			((volatile uint8_t *)m->address)[k] = (uint8_t)(m->value >> 8 * k);
		}
	}
	for (unsigned i = 0; i < c->written_count; i++) {
		before[i] = read_register(case_written[c->written + i]);
	}
	for (unsigned i = 0; i < 31; i++) {
		entry.x[i] = UINT64_C(0x5555555555555555);
	}
	for (unsigned i = 0; i < c->x_count; i++) {
		entry.x[case_x[c->x + i].reg] = case_x[c->x + i].value;
	}
	write_sysreg(vbar_el1, VECTORS(1));
	write_sysreg(vbar_el2, VECTORS(2));
	tlbi_all();
	collect(o, guest_enter(&entry));
	o->rt = (c->insn & 31) == 31 ? 0 : guest_exit_x[c->insn & 31];
	for (unsigned i = 0; i < 31; i++) {
		o->x = o->x * SUM_FACTOR + (i == (c->insn & 31) ? 0 : guest_exit_x[i]);
	}
	for (unsigned i = 0; i < c->written_count; i++) {
		o->changed |= (uint64_t)(before[i] != read_register(case_written[c->written + i]))
			      << i;
	}
	o->stored = sum_places();
	for (unsigned i = 0; i < c->memory_count; i++) {
		const struct case_memory *m = &case_memory[c->memory + i];

		for (unsigned k = 0; k < m->size; k++) {
			((volatile uint8_t *)m->address)[k] = 0;
		}
	}
}

static uint64_t first_case(void)
{
	static char line[256];
	uint64_t block[2] = {(uint64_t)line, sizeof(line)}, n = 0;
	register uint64_t x0 __asm__("x0") = SEMIHOST_SYS_GET_CMDLINE;
	register uint64_t *x1 __asm__("x1") = block;
	const char *at = line;

	__asm__ volatile("hlt #0xf000" : "+r"(x0) : "r"(x1) : "memory");
	while (*at != '\0' &&
	       !(at[0] == 'f' && at[1] == 'r' && at[2] == 'o' && at[3] == 'm' && at[4] == '=')) {
		at++;
	}
	for (at += *at != '\0' ? 5 : 0; *at >= '0' && *at <= '9'; at++) {
		n = n * 10 + (uint64_t)(*at - '0');
	}
	return n;
}

// One `test' of the guest tests' runtime, which brings the stack, the vectors and the exit.
TEST(cases)
{
	prepare_memory();
	probe_registers();
	for (unsigned i = 0; i < case_id_count; i++) {
		guest_printf("id %x %lx\n", case_ids[i].enc,
			     ((uint64_t(*)(void))case_ids[i].read)());
	}
	for (unsigned i = 0; i < case_register_count; i++) {
		if (!available[i]) {
			guest_printf("absent %u\n", i);
		}
	}
	for (unsigned i = (unsigned)first_case(); i < case_count; i++) {
		struct outcome o;

		guest_printf("begin %u\n", cases[i].number);
		run_case(&cases[i], &o);
		if (o.offset == 1) {
			continue;
		}
		guest_reset();
		guest_printf("case %u el %d esr %lx elr %lx spsr %lx far %lx hpfar %lx rt %lx "
			     "changed %lx "
			     "offset %lx x %lx stored %lx\n",
			     cases[i].number, o.el, o.esr, o.elr, o.spsr, o.far, o.hpfar, o.rt,
			     o.changed, o.offset, o.x, o.stored);
	}
	guest_printf("end\n");
}
