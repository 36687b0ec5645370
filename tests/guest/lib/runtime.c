// SPDX-License-Identifier: Apache-2.0
//
// runtime.c - runs the tests of an image one after another, sends snippets down to their level,
// collects what came of them, and reports by semihosting.

#include "guest.h"

#include "gic.h"
#include "pgtable.h"

#include <stdarg.h>

struct guest_entry {
	uint64_t x[31];
	uint64_t pc;
	uint64_t spsr;
};

uint64_t guest_enter(const struct guest_entry *entry);
int guest_call(void (*fn)(void));
void guest_main(void);

extern uint64_t guest_exit_x[32], guest_run_sp;
extern const struct guest_test tests_start[], tests_end[];

static struct {
	const char *name;
	unsigned failed_checks;
	const char *skipped; // the reason, or NULL
	char cmdline[256];
} current;

// What the compiler may call even in freestanding code.
void *memset(void *to, int value, size_t size)
{
	uint8_t *p = to;

	while (size--) {
		*p++ = (uint8_t)value;
	}
	return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	uint8_t *p = to;
	const uint8_t *q = from;

	while (size--) {
		*p++ = *q++;
	}
	return to;
}

// ---- Output -------------------------------------------------------------------------------------

static uint64_t semihost(uint64_t op, const void *parameter)
{
	register uint64_t x0 __asm__("x0") = op;
	register const void *x1 __asm__("x1") = parameter;

	__asm__ volatile("hlt #0xf000" : "+r"(x0) : "r"(x1) : "memory");
	return x0;
}

struct line {
	char text[240];
	size_t size;
};

static void line_char(struct line *line, char c)
{
	if (line->size < sizeof(line->text) - 1) {
		line->text[line->size++] = c;
	}
}

static void line_number(struct line *line, uint64_t value, unsigned base)
{
	char digits[20];
	unsigned n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	while (n) {
		line_char(line, digits[--n]);
	}
}

void guest_printf(const char *format, ...)
{
	struct line line = {.size = 0};
	va_list args;

	va_start(args, format);
	for (; *format; format++) {
		if (*format != '%') {
			line_char(&line, *format);
			continue;
		}
		bool is_long = *++format == 'l';
		if (is_long) {
			format++;
		}
		if (*format == 's') {
			for (const char *s = va_arg(args, const char *); *s; s++) {
				line_char(&line, *s);
			}
		} else if (*format == 'd') {
			int value = va_arg(args, int);
			if (value < 0) {
				line_char(&line, '-');
			}
			line_number(&line, value < 0 ? -(uint64_t)value : (uint64_t)value, 10);
		} else if (*format == 'x' || *format == 'u') {
			uint64_t value = is_long ? va_arg(args, uint64_t) : va_arg(args, unsigned);
			line_number(&line, value, *format == 'x' ? 16 : 10);
		} else {
			line_char(&line, *format);
		}
	}
	va_end(args);
	line.text[line.size] = '\0';
	semihost(SEMIHOST_SYS_WRITE0, line.text);
}

// ---- Expectations -------------------------------------------------------------------------------

static void fail_at(const char *file, int line)
{
	const char *base = file;

	for (const char *p = file; *p; p++) {
		if (*p == '/') {
			base = p + 1;
		}
	}
	current.failed_checks++;
	guest_printf("%s:%d: %s: ", base, line, current.name);
}

void guest_expect_eq(const char *file, int line, const char *what, uint64_t seen, uint64_t expected)
{
	if (seen != expected) {
		fail_at(file, line);
		guest_printf("%s: expected 0x%lx, seen 0x%lx\n", what, expected, seen);
	}
}

static void print_exc(const struct exc *e)
{
	if (e->el == EL_NONE) {
		guest_printf("no exception\n");
		return;
	}
	guest_printf("EL%d vector 0x%lx ESR 0x%lx (EC 0x%lx) ELR 0x%lx SPSR 0x%lx FAR 0x%lx "
		     "HPFAR 0x%lx\n",
		     e->el, e->offset, e->esr, e->esr >> 26 & 0x3f, e->elr, e->spsr, e->far,
		     e->hpfar);
}

void guest_expect_exc_at(const char *file, int line, const struct exc *e, int el, uint64_t offset,
			 uint64_t esr)
{
	if (e->el != el || e->offset != offset || e->esr != esr) {
		fail_at(file, line);
		guest_printf("expected EL%d vector 0x%lx ESR 0x%lx, seen ", el, offset, esr);
		print_exc(e);
	}
}

// The first offset of the group of vectors for an exception from start's level to el (AArch64
// state).
static uint64_t vector_group(uint64_t start, int el)
{
	if ((int)(start >> 2 & 3) < el) {
		return VECTOR_LOWER_A64;
	}
	return (start & 1) ? VECTOR_CURRENT_SPX : VECTOR_CURRENT_SP0;
}

void guest_expect_exc(const char *file, int line, const struct exc *e, int el, uint64_t esr)
{
	guest_expect_exc_at(file, line, e, el, vector_group(e->start, el) + VECTOR_SYNC, esr);
	if (e->el == el && (e->spsr & SPSR_M_MASK) != (e->start & SPSR_M_MASK)) {
		fail_at(file, line);
		guest_printf("expected SPSR_EL%d.M 0x%lx, seen 0x%lx\n", el, e->start & SPSR_M_MASK,
			     e->spsr & SPSR_M_MASK);
	}
}

void guest_expect_interrupt(const char *file, int line, const struct exc *e, int el, uint64_t kind)
{
	uint64_t offset = vector_group(e->start, el) + kind;

	if (e->el != el || e->offset != offset) {
		fail_at(file, line);
		guest_printf("expected EL%d vector 0x%lx, seen ", el, offset);
		print_exc(e);
	}
}

void guest_expect_no_exc(const char *file, int line, const struct exc *e)
{
	if (e->el != EL_NONE) {
		fail_at(file, line);
		guest_printf("expected no exception, seen ");
		print_exc(e);
	}
}

void guest_skip(const char *reason)
{
	current.skipped = reason;
}

// ---- Down and back ------------------------------------------------------------------------------

static bool within(uint64_t address, const char *from, uint64_t size)
{
	return address - (uint64_t)from < size;
}

static void read_level(struct exc *e, int el, uint64_t offset)
{
	e->el = el;
	e->offset = offset;
	if (el == EL1) {
		// By the _EL1 names EL3 always sees the EL1 registers: E2H redirects at EL2 only.
		e->esr = read_sysreg(esr_el1);
		e->elr = read_sysreg(elr_el1);
		e->spsr = read_sysreg(spsr_el1);
		e->far = read_sysreg(far_el1);
	} else if (el == EL2) {
		e->esr = read_sysreg(esr_el2);
		e->elr = read_sysreg(elr_el2);
		e->spsr = read_sysreg(spsr_el2);
		e->far = read_sysreg(far_el2);
	} else {
		e->esr = read_sysreg(esr_el3);
		e->elr = read_sysreg(elr_el3);
		e->spsr = read_sysreg(spsr_el3);
		e->far = read_sysreg(far_el3);
	}
}

// PSTATE of the present level in SPSR format, as far as it can be read without the flags.
static uint64_t present_pstate(void)
{
	uint64_t pstate = read_sysreg(daif) | read_sysreg(CurrentEL) | read_sysreg(SPSel);
	uint64_t mmfr1 = read_sysreg(id_aa64mmfr1_el1);

	if (id_field(mmfr1, 20)) {
		pstate |= read_sysreg(S3_0_C4_C2_3); // PAN
	}
	if (id_field(read_sysreg(id_aa64mmfr2_el1), 4)) {
		pstate |= read_sysreg(S3_0_C4_C2_4); // UAO
	}
	if (id_field(read_sysreg(id_aa64pfr0_el1), 48)) {
		pstate |= read_sysreg(S3_3_C4_C2_5); // DIT
	}
	if (id_field(read_sysreg(id_aa64pfr1_el1), 4) >= 2) {
		pstate |= read_sysreg(S3_3_C4_C2_6); // SSBS
	}
	return pstate;
}

static void set_finished(struct exc *e, uint64_t pstate)
{
	*e = (struct exc){.el = EL_NONE, .pstate = pstate, .start = e->start};
}

// Tells a genuine exception at EL3 from the ways back out of the vectors of EL1 and EL2, and those
// apart from a snippet that has finished.
static void collect(struct exc *e, uint64_t offset)
{
	uint64_t esr = read_sysreg(esr_el3);
	uint64_t elr = read_sysreg(elr_el3);
	uint64_t spsr = read_sysreg(spsr_el3);
	uint64_t ec = esr >> 26 & 0x3f, imm = esr & 0xffff;
	uint64_t escape_size = (uint64_t)escape_stubs_end - (uint64_t)escape_smc;
	int from = spsr >> 2 & 3;

	if (offset & 0x180) { // an interrupt
		read_level(e, EL3, offset);
		e->pstate = present_pstate();
	} else if ((ec == EC_SMC && imm == ESC_DONE) || within(elr, escape_smc, escape_size)) {
		set_finished(e, spsr);
	} else if (ec == EC_SMC && (imm & 0xf87f) == ESC_SLOT && (from == EL1 || from == EL2)) {
		read_level(e, from, imm & 0x780);
		e->pstate = spsr;
	} else if (from == EL1 && within(elr, lower_vectors_smd_el1, 0x800)) {
		read_level(e, EL1, elr & 0x780);
		e->pstate = spsr;
	} else if (from == EL2 && within(elr, lower_vectors_smd_el2, 0x800)) {
		read_level(e, EL2, elr & 0x780);
		e->pstate = spsr;
	} else {
		read_level(e, EL3, offset);
		e->pstate = present_pstate();
	}
	e->hpfar = read_sysreg(hpfar_el2);

	// HCR_EL2.TSC: the SMC in a vector slot of EL1 went to EL2 first.
	if (e->el == EL2 && e->esr >> 26 == EC_SMC && (e->esr & 0xf87f) == ESC_SLOT &&
	    within(e->elr, lower_vectors, 0x800)) {
		uint64_t at_vector = e->spsr;
		read_level(e, EL1, e->esr & 0x780);
		e->pstate = at_vector;
	}
	// The end of a snippet at EL0, or at EL1 under HCR_EL2.TSC.
	// (An interrupt leaves an old syndrome in ESR.)
	if ((e->el == EL1 || e->el == EL2) && !(e->offset & 0x180)) {
		if (e->esr == ESR(EC_SVC, ESC_DONE) ||
		    (e->el == EL2 && e->esr == ESR(EC_SMC, ESC_DONE))) {
			set_finished(e, e->spsr);
		}
	}
}

struct exc guest_run(uint64_t spsr, uint64_t pc, const uint64_t x[8])
{
	static const char *const stub[4] = {escape_svc, escape_smc, escape_smc, escape_smc};
	static const char *const stub_smd[4] = {escape_svc, escape_smd_el1, escape_smd_el2,
						escape_smc};
	struct exc e = {.start = spsr};
	struct guest_entry entry = {.pc = pc, .spsr = spsr};
	unsigned el = spsr >> 2 & 3;
	bool no_smc = read_sysreg(scr_el3) & SCR_SMD;

	for (unsigned i = 0; i < 8; i++) {
		entry.x[i] = x[i];
	}
	entry.x[30] = (uint64_t)(no_smc ? stub_smd[el] : stub[el]);
	if (no_smc) {
		write_sysreg(cptr_el3, read_sysreg(cptr_el3) | CPTR_TCPAC);
		if (read_sysreg(vbar_el1) == (uint64_t)lower_vectors) {
			write_sysreg(vbar_el1, lower_vectors_smd_el1);
		}
		if (read_sysreg(vbar_el2) == (uint64_t)lower_vectors) {
			write_sysreg(vbar_el2, lower_vectors_smd_el2);
		}
	}
	dsb_isb();
	collect(&e, guest_enter(&entry));
	for (unsigned i = 0; i < 31; i++) {
		e.x[i] = guest_exit_x[i];
	}
	return e;
}

// TLBI ALLE1 and ALLE2 act on the Security state that SCR_EL3 selects; ALLE2 is UNDEFINED where EL2
// is not enabled there.
void tlbi_all(void)
{
	uint64_t scr = read_sysreg(scr_el3);
	bool has_sel2 = id_field(read_sysreg(id_aa64pfr0_el1), 36);

	__asm__ volatile("dsb sy" ::: "memory");
	write_sysreg(scr_el3, (scr & ~SCR_NS) | (has_sel2 ? SCR_EEL2 : 0));
	__asm__ volatile("tlbi alle1" ::: "memory");
	if (has_sel2) {
		__asm__ volatile("tlbi alle2" ::: "memory");
	}
	write_sysreg(scr_el3, scr | SCR_NS);
	__asm__ volatile("tlbi alle1\n\ttlbi alle2\n\ttlbi alle3\n\tdsb sy\n\tisb" ::: "memory");
	write_sysreg(scr_el3, scr);
}

// ---- Known state before each test ---------------------------------------------------------------

static void reset_debug(void)
{
	uint64_t dfr0 = read_sysreg(id_aa64dfr0_el1);
	unsigned breakpoints = id_field(dfr0, 12) + 1, watchpoints = id_field(dfr0, 20) + 1;

	write_sysreg(oslar_el1, 0);
	write_sysreg(osdlr_el1, 0);
	write_sysreg(mdscr_el1, 0);
#define CLEAR_PAIR(n) \
	if (breakpoints > (n)) { \
		write_sysreg(dbgbcr##n##_el1, 0); \
	} \
	if (watchpoints > (n)) { \
		write_sysreg(dbgwcr##n##_el1, 0); \
	}
	CLEAR_PAIR(0)
	CLEAR_PAIR(1)
	CLEAR_PAIR(2)
	CLEAR_PAIR(3)
	CLEAR_PAIR(4)
	CLEAR_PAIR(5)
	CLEAR_PAIR(6)
	CLEAR_PAIR(7)
#undef CLEAR_PAIR
	write_sysreg(mdcr_el3, MDCR_EL3_BASE);
	write_sysreg(mdcr_el2, 0);
	if (id_field(dfr0, 8)) { // PMUv3
		write_sysreg(pmcr_el0, 0);
		write_sysreg(pmcntenclr_el0, 0xffffffff);
		write_sysreg(pmintenclr_el1, 0xffffffff);
		write_sysreg(pmovsclr_el0, 0xffffffff);
		write_sysreg(pmuserenr_el0, 0);
		write_sysreg(pmccfiltr_el0, 0);
		write_sysreg(mdcr_el2, read_sysreg(pmcr_el0) >> 11 & 0x1f); // HPMN
	}
}

static void reset_timers(bool has_vhe)
{
	write_sysreg(cntp_ctl_el0, 0);
	write_sysreg(cntv_ctl_el0, 0);
	write_sysreg(cnthp_ctl_el2, 0);
	write_sysreg(cntps_ctl_el1, 0);
	if (has_vhe) {
		write_sysreg(cnthv_ctl_el2, 0);
	}
	write_sysreg(cntvoff_el2, 0);
	write_sysreg(cnthctl_el2, CNTHCTL_BASE);
	write_sysreg(cntkctl_el1, CNTKCTL_BASE);
}

static void reset_el1(void)
{
	write_sysreg(sctlr_el1, SCTLR_EL1_BASE);
	write_sysreg(cpacr_el1, CPACR_BASE);
	write_sysreg(vbar_el1, lower_vectors);
	write_sysreg(ttbr0_el1, 0);
	write_sysreg(ttbr1_el1, 0);
	write_sysreg(tcr_el1, 0);
	write_sysreg(mair_el1, MAIR_BASE);
	write_sysreg(contextidr_el1, 0);
	write_sysreg(esr_el1, 0);
	write_sysreg(elr_el1, 0);
	write_sysreg(spsr_el1, 0);
	write_sysreg(far_el1, 0);
	write_sysreg(par_el1, 0);
	write_sysreg(tpidr_el0, 0);
	write_sysreg(tpidrro_el0, 0);
	write_sysreg(tpidr_el1, 0);
	write_sysreg(sp_el0, stack_el0_top);
	write_sysreg(sp_el1, stack_el1_top);
}

static void reset_el2(void)
{
	write_sysreg(sctlr_el2, SCTLR_EL2_BASE);
	write_sysreg(cptr_el2, CPTR_EL2_BASE);
	write_sysreg(hstr_el2, 0);
	write_sysreg(vbar_el2, lower_vectors);
	write_sysreg(ttbr0_el2, 0);
	write_sysreg(tcr_el2, BIT(31) | BIT(23));
	write_sysreg(mair_el2, MAIR_BASE);
	write_sysreg(vttbr_el2, 0);
	write_sysreg(vtcr_el2, BIT(31));
	write_sysreg(esr_el2, 0);
	write_sysreg(elr_el2, 0);
	write_sysreg(spsr_el2, 0);
	write_sysreg(far_el2, 0);
	write_sysreg(hpfar_el2, 0);
	write_sysreg(tpidr_el2, 0);
	write_sysreg(sp_el2, stack_el2_top);
	write_sysreg(vpidr_el2, read_sysreg(midr_el1));
	write_sysreg(vmpidr_el2, read_sysreg(mpidr_el1));
}

void guest_reset(void)
{
	bool has_vhe = id_field(read_sysreg(id_aa64mmfr1_el1), 8);

	__asm__ volatile("msr DAIFSet, #15" ::: "memory");
	write_sysreg(sctlr_el3, SCTLR_EL3_BASE);
	write_sysreg(scr_el3, SCR_BASE);
	write_sysreg(hcr_el2, HCR_BASE);
	write_sysreg(cptr_el3, CPTR_EL3_BASE);
	write_sysreg(ttbr0_el3, 0);
	write_sysreg(tcr_el3, BIT(31) | BIT(23));
	write_sysreg(mair_el3, MAIR_BASE);
	write_sysreg(esr_el3, 0);
	write_sysreg(far_el3, 0);
	reset_el2();
	reset_el1();
	if (has_vhe) {
		write_sysreg(S3_4_C2_C0_1, 0); // TTBR1_EL2
		write_sysreg(S3_4_C13_C0_1, 0); // CONTEXTIDR_EL2
	}
	reset_debug();
	reset_timers(has_vhe);
	gic_reset();
	tlbi_all();
	pgtable_pool_reset();
}

// ---- The run ------------------------------------------------------------------------------------

static const char *find(const char *text, const char *part)
{
	for (; *text; text++) {
		size_t i = 0;
		while (part[i] && text[i] == part[i]) {
			i++;
		}
		if (!part[i]) {
			return text;
		}
	}
	return NULL;
}

static void read_cmdline(void)
{
	uint64_t block[2] = {(uint64_t)current.cmdline, sizeof(current.cmdline)};

	if (semihost(SEMIHOST_SYS_GET_CMDLINE, block) != 0) {
		current.cmdline[0] = '\0';
	}
	current.cmdline[sizeof(current.cmdline) - 1] = '\0';
}

unsigned guest_qemu(void)
{
	const char *p = find(current.cmdline, " under=qemu-");
	unsigned version = 0;

	for (p = p ? p + 12 : ""; *p >= '0' && *p <= '9'; p++) {
		version = version * 10 + (unsigned)(*p - '0');
	}
	return version;
}

// The text after "only=" up to the next space, or "" (which every name contains).
static void read_filter(char *filter, size_t size)
{
	const char *p = find(current.cmdline, " only=");
	size_t n = 0;

	for (p = p ? p + 6 : ""; *p && *p != ' ' && n < size - 1; p++) {
		filter[n++] = *p;
	}
	filter[n] = '\0';
}

static bool run_test(const struct guest_test *test)
{
	current.name = test->name;
	current.failed_checks = 0;
	current.skipped = NULL;
	guest_reset();
	int vector = guest_call(test->fn);
	if (vector) {
		current.failed_checks++;
		guest_printf("%s: the test's own code took an exception at EL3: vector 0x%x "
			     "ESR 0x%lx ELR 0x%lx FAR 0x%lx\n",
			     test->name, (unsigned)vector - 1, read_sysreg(esr_el3),
			     read_sysreg(elr_el3), read_sysreg(far_el3));
	}
	return !current.failed_checks;
}

void guest_main(void)
{
	unsigned passed = 0, failed = 0, skipped = 0;
	uint64_t exit_block[2] = {SEMIHOST_APPLICATION_EXIT, 0};
	char filter[64];

	read_cmdline();
	bool list = find(current.cmdline, " list") != NULL;
	read_filter(filter, sizeof(filter));
	for (const struct guest_test *test = tests_start; test < tests_end; test++) {
		if (!find(test->name, filter)) {
			continue;
		}
		if (list) {
			guest_printf("%s\n", test->name);
			continue;
		}
		bool good = run_test(test);
		if (!good) {
			failed++;
			guest_printf("FAIL %s\n", test->name);
		} else if (current.skipped) {
			skipped++;
			guest_printf("SKIP %s: %s\n", test->name, current.skipped);
		} else {
			passed++;
			guest_printf("ok   %s\n", test->name);
		}
	}
	if (skipped) {
		guest_printf("%u skipped\n", skipped);
	}
	if (!list) {
		guest_printf("%u passed, %u failed\n", passed, failed);
	}
	exit_block[1] = failed != 0;
	semihost(SEMIHOST_SYS_EXIT_EXTENDED, exit_block);
}
