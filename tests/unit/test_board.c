// SPDX-License-Identifier: Apache-2.0
// The machine as a whole, through the public interface: small programs of hand-made instructions
// are run at a level, and what PSCI, SMCCC, semihosting, the console, the limits and the run loop
// do is seen from outside.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "strata/strata.h"

#define BASE UINT64_C(0x40000000)
#define DATA UINT64_C(0x40010000)
#define UART UINT64_C(0x09000000)

// ---- a small assembler --------------------------------------------------------------------------

static uint32_t code[512];
static unsigned at;

static void emit(uint32_t insn)
{
	ck_assert_uint_lt(at, 512);
	code[at++] = insn;
}

static void mov(unsigned rd, uint64_t value)
{
	emit(0xd2800000 | (uint32_t)(value & 0xffff) << 5 | rd); // movz
	for (unsigned i = 1; i < 4; i++) {
		uint32_t part = (uint32_t)(value >> (16 * i)) & 0xffff;

		if (part != 0) {
			emit(0xf2800000 | i << 21 | part << 5 | rd); // movk
		}
	}
}

static void mov_reg(unsigned rd, unsigned rm)
{
	emit(0xaa0003e0 | rm << 16 | rd);
}

static void str(unsigned rt, unsigned rn, unsigned offset) // 64 bits
{
	emit(0xf9000000 | (offset / 8) << 10 | rn << 5 | rt);
}

static void ldr(unsigned rt, unsigned rn, unsigned offset)
{
	emit(0xf9400000 | (offset / 8) << 10 | rn << 5 | rt);
}

static void str32(unsigned rt, unsigned rn, unsigned offset)
{
	emit(0xb9000000 | (offset / 4) << 10 | rn << 5 | rt);
}

static void ldr32(unsigned rt, unsigned rn, unsigned offset)
{
	emit(0xb9400000 | (offset / 4) << 10 | rn << 5 | rt);
}

static void add(unsigned rd, unsigned rn, unsigned imm)
{
	emit(0x91000000 | imm << 10 | rn << 5 | rd);
}

static void branch_to(unsigned target)
{
	emit(0x14000000 | ((target - at) & 0x3ffffff));
}

static void cbz_to(unsigned rt, unsigned target)
{
	emit(0xb4000000 | ((target - at) & 0x7ffff) << 5 | rt);
}

static void cbnz_to(unsigned rt, unsigned target)
{
	emit(0xb5000000 | ((target - at) & 0x7ffff) << 5 | rt);
}

static void hvc(void)
{
	emit(0xd4000002);
}

static void smc(void)
{
	emit(0xd4000003);
}

static void hlt_semihosting(void)
{
	emit(0xd45e0000);
}

static void wfi(void)
{
	emit(0xd503207f);
}

static void semihosting(unsigned op, uint64_t parameter)
{
	mov(0, op);
	mov(1, parameter);
	hlt_semihosting();
}

// End with what is in Xn as the status.
static void exit_with(unsigned n)
{
	mov_reg(19, n);
	mov(1, DATA + 0xf00);
	mov(0, 0x20026);
	str(0, 1, 0);
	str(19, 1, 8);
	mov(0, 0x18);
	hlt_semihosting();
}

// Store a block of words at an address of the data page, with X9 and X10.
static void put_block(uint64_t address, unsigned count, const uint64_t *words)
{
	mov(9, address);
	for (unsigned i = 0; i < count; i++) {
		mov(10, words[i]);
		str(10, 9, 8 * i);
	}
}

// ---- the machine --------------------------------------------------------------------------------

static char directory[64];
static char image[128];
static struct strata_options options;
static struct strata_result result;
static struct strata *machine;
static char output[4096];
static size_t output_size;
static const char *input;

static void console_write(void *opaque, const void *data, size_t size)
{
	(void)opaque;
	ck_assert_uint_lt(output_size + size, sizeof(output));
	memcpy(output + output_size, data, size);
	output_size += size;
	output[output_size] = '\0';
}

static int console_read(void *opaque, void *data, size_t size, uint64_t timeout)
{
	(void)opaque;
	(void)timeout;
	ck_assert_uint_gt(size, 0);
	if (*input == '\0') {
		return STRATA_CONSOLE_END;
	}
	size = size < strlen(input) ? size : strlen(input);
	memcpy(data, input, size);
	input += size;
	return (int)size;
}

static void setup(void)
{
	strcpy(directory, "/tmp/strata-board-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(image, sizeof(image), "%s/image", directory);
	strata_options_init(&options);
	options.image = image;
	options.image_is_flat = true;
	options.image_address = BASE;
	options.memory = UINT64_C(16) << 20;
	options.cpu = "max";
	options.max_insns = 1000000;
	options.semihosting = true;
	options.console.write = console_write;
	options.console.read = console_read;
	machine = NULL;
	at = 0;
	output_size = 0;
	output[0] = '\0';
	input = "";
}

static void teardown(void)
{
	char command[128];

	strata_destroy(machine);
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	ck_assert_int_eq(system(command), 0);
}

static void create(void)
{
	char error[256] = "";
	FILE *f = fopen(image, "wb");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(code, 4, at, f), at);
	fclose(f);
	ck_assert_msg(strata_create(&machine, &options, error, sizeof(error)) == 0, "%s", error);
}

static void run(void)
{
	create();
	strata_run(machine, &result);
}

// Run, and the program must exit with this status.
static void run_exits(int status)
{
	run();
	ck_assert_msg(result.outcome == STRATA_EXITED, "outcome %d: %s", result.outcome,
		      result.message);
	ck_assert_int_eq(result.status, status);
}

static uint64_t word_at(uint64_t address)
{
	uint64_t value;

	ck_assert_int_eq(strata_read(machine, address, &value, sizeof(value)), 0);
	return value;
}

// ---- PSCI ---------------------------------------------------------------------------------------

// Call by the conduit of the level, and keep X0 in the data page.
static void psci(unsigned slot, uint64_t id, uint64_t a1, uint64_t a2, uint64_t a3)
{
	mov(0, id);
	mov(1, a1);
	mov(2, a2);
	mov(3, a3);
	if (options.boot_el == 2 || options.secure) {
		smc();
	} else {
		hvc();
	}
	mov(9, DATA);
	str(0, 9, 8 * slot);
}

START_TEST(psci_answers_at_both_levels)
{
	static const struct {
		uint64_t id, a1, a2;
		int64_t answer;
	} calls[] = {
		{0x84000000, 0, 0, 0x10001}, // VERSION
		{0x84000006, 0, 0, 2}, // MIGRATE_INFO_TYPE
		{0xc4000004, 0, 0, 0}, // AFFINITY_INFO of this PE: on
		{0x84000004, 1, 0, 1}, // of PE 1: off
		{0xc4000004, 0, 1, 0}, // of the cluster: on
		{0xc4000004, 77, 0, -2},
		{0xc4000004, 0, 4, -2},
		{0x8400000a, 0xc4000003, 0, 0}, // FEATURES: CPU_ON
		{0x8400000a, 0x80000000, 0, 0}, // SMCCC_VERSION
		{0x8400000a, 0xc4000008, 0, -1}, // SYSTEM_OFF has no 64-bit form
		{0x8400000a, 0x8400000e, 0, -1}, // SYSTEM_SUSPEND
		{0xc4000003, 0, BASE, -4}, // CPU_ON of this PE: already on
		{0xc4000003, 9, BASE, -2}, // no such PE
		{0xc4000003, 1, 0x1000, -9}, // not RAM
		{0x84000005, 0, 0, -1}, // MIGRATE
		{0x8400001f, 0, 0, -1}, // no function of this number
		{0xc4000001, 0x80000000, 0, -2}, // CPU_SUSPEND: reserved bits
		{0xc4000001, 0x10000, 0x1000, -9}, // power down to nowhere
		{0x80000000, 0, 0, 0x10002}, // SMCCC_VERSION
		{0x80000001, 0x80000001, 0, 0}, // ARCH_FEATURES
		{0x80000001, 0x80000002, 0, -1}, // SOC_ID
		{0x80000001, 0x80008000, 0, 1}, // WORKAROUND_1: not required
		{0xc6000001, 0, 0, -1}, // a call of another owner
	};
	const unsigned count = sizeof(calls) / sizeof(calls[0]);

	options.boot_el = 1 + (unsigned)_i;
	options.smp = 2;
	for (unsigned i = 0; i < count; i++) {
		psci(i, calls[i].id, calls[i].a1, calls[i].a2, 0);
	}
	mov(20, 7);
	exit_with(20);
	run_exits(7);
	for (unsigned i = 0; i < count; i++) {
		ck_assert_msg((int64_t)word_at(DATA + 8 * i) == calls[i].answer,
			      "call %u (0x%llx): %lld", i, (unsigned long long)calls[i].id,
			      (long long)word_at(DATA + 8 * i));
	}
}
END_TEST

START_TEST(cpu_on_starts_the_other_pe)
{
	unsigned loop;
	unsigned entry;

	options.boot_el = 1 + (unsigned)_i;
	options.smp = 3;
	// PE 2 begins at word 128 with X0 = 0x1234: it stores X0 and MPIDR_EL1, and goes off.
	entry = 128;
	psci(0, 0xc4000003, 2, BASE + 4 * entry, 0x1234);
	mov(9, DATA);
	loop = at;
	ldr(5, 9, 0x80);
	cbz_to(5, loop);
	loop = at;
	psci(1, 0xc4000004, 2, 0, 0); // until it is off
	cbz_to(0, loop);
	mov(20, 3);
	exit_with(20);
	ck_assert_uint_lt(at, entry);
	at = entry;
	mov(9, DATA);
	emit(0xd53800a1); // mrs x1, mpidr_el1
	str(1, 9, 0x88);
	emit(0xd5384242); // mrs x2, currentel
	str(2, 9, 0x90);
	str(0, 9, 0x80);
	mov(0, 0x84000002); // CPU_OFF
	if (options.boot_el == 2 || options.secure) {
		smc();
	} else {
		hvc();
	}
	branch_to(at);
	run_exits(3);
	ck_assert_uint_eq(word_at(DATA), 0);
	ck_assert_uint_eq(word_at(DATA + 8), 1);
	ck_assert_uint_eq(word_at(DATA + 0x80), 0x1234);
	ck_assert_uint_eq(word_at(DATA + 0x88) & 0xff00ffffff, 2);
	ck_assert_uint_eq(word_at(DATA + 0x90) >> 2, options.boot_el);
}
END_TEST

static void str_word(uint64_t address, uint32_t value)
{
	mov(10, address);
	mov(11, value);
	emit(0xb900014b); // str w11, [x10]
}

// CPU_SUSPEND is a WFI: it lasts until the virtual timer's interrupt, though that is masked.
START_TEST(cpu_suspend_waits_for_an_interrupt)
{
	options.boot_el = 1 + (unsigned)_i;
	str_word(0x08000000, 2); // GICD_CTLR: Group 1
	str_word(0x080a0014, 0); // GICR_WAKER
	str_word(0x080b0080, 0xffffffff); // GICR_IGROUPR0
	str_word(0x080b0100, 1u << 27); // GICR_ISENABLER0: CNTV
	mov(1, 0xf0);
	emit(0xd5184601); // msr icc_pmr_el1, x1
	mov(1, 1);
	emit(0xd518cce1); // msr icc_igrpen1_el1, x1
	mov(1, 10000);
	emit(0xd51be301); // msr cntv_tval_el0, x1
	mov(1, 1);
	emit(0xd51be321); // msr cntv_ctl_el0, x1
	emit(0xd53be040); // mrs x0, cntvct_el0
	mov(9, DATA);
	str(0, 9, 0x10);
	psci(0, 0xc4000001, 0, 0, 0);
	emit(0xd53be040); // mrs x0, cntvct_el0
	str(0, 9, 0x18);
	// The interrupt is still there: the next one is over at once.
	psci(1, 0xc4000001, 0x02000000, 0, 0);
	mov(20, 5);
	exit_with(20);
	run_exits(5);
	ck_assert_uint_eq(word_at(DATA), 0);
	ck_assert_uint_eq(word_at(DATA + 8), 0);
	ck_assert_uint_ge(word_at(DATA + 0x18) - word_at(DATA + 0x10), 9990);
	ck_assert_uint_lt(word_at(DATA + 0x18) - word_at(DATA + 0x10), 10100);
}
END_TEST

START_TEST(system_off_ends_the_run)
{
	psci(0, 0x84000008, 0, 0, 0);
	branch_to(at);
	run();
	ck_assert_int_eq(result.outcome, STRATA_POWERED_OFF);
}
END_TEST

START_TEST(system_reset_starts_again)
{
	// A word that survives resets counts the runs; the code itself is damaged before each and
	// comes back whole.
	unsigned skip;

	mov(9, DATA);
	ldr(5, 9, 0);
	add(5, 5, 1);
	str(5, 9, 0);
	emit(0xd1000ca6); // sub x6, x5, #3
	skip = at++;
	mov(9, BASE);
	mov(10, 0);
	str(10, 9, 0);
	psci(4, 0x84000009, 0, 0, 0);
	branch_to(at);
	code[skip] = 0xb4000006 | ((at - skip) & 0x7ffff) << 5; // cbz x6
	exit_with(5);
	run_exits(3);
	ck_assert_uint_lt(result.insns, 200); // of all three runs, each counted once
}
END_TEST

START_TEST(no_reboot_ends_at_the_reset)
{
	options.no_reboot = true;
	psci(0, 0x84000009, 0, 0, 0);
	branch_to(at);
	run();
	ck_assert_int_eq(result.outcome, STRATA_RESET);
}
END_TEST

// With EL3 there but no firmware of the user's in it, PSCI answers SMC as it does without.
START_TEST(psci_answers_with_el3_present)
{
	options.boot_el = 1 + (unsigned)_i;
	options.secure = true;
	psci(0, 0x84000000, 0, 0, 0); // VERSION
	psci(1, 0x84000008, 0, 0, 0); // SYSTEM_OFF
	branch_to(at);
	run();
	ck_assert_int_eq(result.outcome, STRATA_POWERED_OFF);
	ck_assert_uint_eq(word_at(DATA), 0x10001);
}
END_TEST

START_TEST(nothing_of_psci_at_el3)
{
	options.boot_el = 3;
	// SMC is taken to EL3 itself, to an empty vector page: stuck or not, it is no answer.
	mov(0, 0x84000008);
	smc();
	branch_to(at);
	run();
	ck_assert_int_ne(result.outcome, STRATA_POWERED_OFF);
}
END_TEST

START_TEST(secure_gpio_powers_off)
{
	options.boot_el = 3;
	options.secure = true;
	mov(9, 0x090b0000);
	mov(10, 1);
	str32(10, 9, 0x400); // line 0 is an output
	str32(10, 9, 0x004); // high
	branch_to(at);
	run();
	ck_assert_int_eq(result.outcome, STRATA_POWERED_OFF);
}
END_TEST

// ---- the run loop -------------------------------------------------------------------------------

START_TEST(limits_are_kept)
{
	options.max_insns = 12345;
	options.smp = 1 + (unsigned)_i;
	branch_to(at);
	run();
	ck_assert_int_eq(result.outcome, STRATA_LIMIT);
	ck_assert_uint_ge(result.insns, 12345);
	ck_assert_uint_le(result.insns, 12345 + 64 * options.smp);
	ck_assert_ptr_nonnull(strstr(result.message, "12345 instructions"));
}
END_TEST

START_TEST(virtual_time_is_limited)
{
	options.max_insns = 0;
	options.max_time = 50000;
	branch_to(at);
	run();
	ck_assert_int_eq(result.outcome, STRATA_LIMIT);
	ck_assert_uint_ge(result.time, 50000);
	ck_assert_uint_lt(result.time, 50100);
}
END_TEST

START_TEST(waiting_for_nothing_is_stuck)
{
	wfi();
	branch_to(0);
	run();
	ck_assert_int_eq(result.outcome, STRATA_STUCK);
	ck_assert_ptr_nonnull(strstr(result.message, "nothing pending"));
}
END_TEST

START_TEST(an_event_stream_keeps_no_one_waiting)
{
	// EVNTEN, EVNTI 4: an event every 32 counts, 512 ns. It wakes from WFE but not from WFI.
	unsigned loop;

	mov(0, 0x44);
	emit(0xd518e100); // msr cntkctl_el1, x0
	mov(5, 100);
	loop = at;
	emit(0xd503205f); // wfe
	emit(0xd10004a5); // sub x5, x5, #1
	cbnz_to(5, loop);
	wfi();
	branch_to(at);
	run();
	ck_assert_int_eq(result.outcome, STRATA_STUCK);
	ck_assert_ptr_nonnull(strstr(result.message, "nothing pending"));
	ck_assert_uint_ge(result.time, 99 * 512);
	ck_assert_uint_lt(result.insns, 1000);
}
END_TEST

START_TEST(all_off_is_stuck)
{
	psci(0, 0x84000002, 0, 0, 0);
	branch_to(at);
	run();
	ck_assert_int_eq(result.outcome, STRATA_STUCK);
	ck_assert_ptr_nonnull(strstr(result.message, "off"));
}
END_TEST

START_TEST(an_exception_loop_is_stuck)
{
	// UNDEFINED with VBAR at zero, where there is nothing: a prefetch abort for ever.
	mov(0, 0);
	emit(0xd51cc000); // msr vbar_el2, x0
	emit(0x00000000); // udf #0
	branch_to(at);
	run();
	ck_assert_int_eq(result.outcome, STRATA_STUCK);
	ck_assert_str_ne(result.message, "");
}
END_TEST

START_TEST(idle_time_is_skipped)
{
	unsigned loop;

	// The EL2 physical timer in 10 virtual seconds: WFI until its interrupt is pending.
	mov(0, UINT64_C(62500000) * 10);
	emit(0xd51ce200); // msr cnthp_tval_el2, x0
	mov(0, 1);
	emit(0xd51ce220); // msr cnthp_ctl_el2, x0
	// Redistributor: awake, Group 1, enabled.
	mov(9, 0x080a0000);
	str32(31, 9, 0x14); // GICR_WAKER
	mov(9, 0x080b0000);
	mov(10, 0xffffffff);
	str32(10, 9, 0x80);
	mov(10, 1 << 26);
	str32(10, 9, 0x100);
	mov(9, 0x08000000);
	mov(10, 0x12);
	str32(10, 9, 0);
	// CPU interface: system registers, any priority, Group 1.
	mov(0, 0xff);
	emit(0xd5184600); // msr icc_pmr_el1, x0
	mov(0, 1);
	emit(0xd518cce0); // msr icc_igrpen1_el1, x0
	// HCR_EL2.IMO, so that the interrupt is one of EL2's and ends the WFI.
	mov(0, (UINT64_C(1) << 31) | (1 << 4));
	emit(0xd51c1100); // msr hcr_el2, x0
	emit(0xd5033fdf); // isb
	loop = at;
	wfi();
	emit(0xd53ce220); // mrs x0, cnthp_ctl_el2
	emit(0xd3420800); // ubfx x0, x0, #2, #1: ISTATUS
	cbz_to(0, loop);
	mov(20, 9);
	exit_with(20);
	run_exits(9);
	ck_assert_uint_ge(result.time, UINT64_C(10000000000));
	ck_assert_uint_lt(result.time, UINT64_C(10000100000));
	ck_assert_uint_lt(result.insns, 1000);
}
END_TEST

static void add_event(void *opaque, const struct strata_event *event)
{
	uint64_t *hash = opaque;

	*hash = (*hash ^ event->time) * UINT64_C(0x100000001b3);
	*hash = (*hash ^ event->pe) * UINT64_C(0x100000001b3);
	*hash = (*hash ^ event->pc) * UINT64_C(0x100000001b3);
	*hash = (*hash ^ event->to_el) * UINT64_C(0x100000001b3);
}

START_TEST(exclusives_and_interleaving_are_repeatable)
{
	uint64_t hash[2] = {0, 0};
	uint64_t time[2];
	unsigned loop, entry, retry, done;

	options.smp = 4;
	options.event = add_event;
	// PE 0 starts the others at `entry`; all four add to one counter by exclusives, 1000 times
	// each.
	entry = 64;
	for (unsigned i = 1; i < 4; i++) {
		psci(0, 0xc4000003, i, BASE + 4 * entry, 0);
	}
	branch_to(entry);
	at = entry;
	mov(9, DATA + 0x100);
	mov(5, 1000);
	loop = at;
	retry = at;
	emit(0xc85f7d20); // ldxr x0, [x9]
	add(0, 0, 1);
	emit(0xc8017d20); // stxr w1, x0, [x9]
	cbnz_to(1, retry);
	emit(0xd10004a5); // sub x5, x5, #1
	cbnz_to(5, loop);
	done = at;
	ldr(0, 9, 0);
	mov(1, 4000);
	emit(0xcb010000); // sub x0, x0, x1
	cbnz_to(0, done);
	mov(20, 4);
	exit_with(20);
	for (unsigned i = 0; i < 2; i++) {
		options.event_opaque = &hash[i];
		run_exits(4);
		ck_assert_uint_eq(word_at(DATA + 0x100), 4000);
		time[i] = result.insns;
		strata_destroy(machine);
		machine = NULL;
	}
	ck_assert_uint_eq(hash[0], hash[1]);
	ck_assert_uint_eq(time[0], time[1]);
}
END_TEST

// A WFE with the exclusive monitor armed waits for another observer's store to the location: no
// SEV, no event stream (Arm ARM, "WFE wake-up events": the global monitor going from Exclusive to
// Open).
START_TEST(a_store_wakes_a_wfe_with_the_monitor_armed)
{
	unsigned loop, entry = 64, out;

	options.boot_el = 1;
	options.smp = 2;
	psci(0, 0xc4000003, 1, BASE + 4 * entry, 0);
	mov(9, DATA + 0x100);
	loop = at;
	emit(0xc85f7d20); // ldxr x0, [x9]
	out = at;
	emit(0); // cbnz x0, out
	emit(0xd503205f); // wfe
	branch_to(loop);
	code[out] = 0xb5000000 | (at - out) << 5;
	mov_reg(20, 0);
	exit_with(20);
	ck_assert_uint_lt(at, entry);
	// PE 1: some ten thousand instructions, the store, then WFI for ever.
	at = entry;
	mov(9, DATA + 0x100);
	mov(5, 10000);
	loop = at;
	emit(0xd10004a5); // sub x5, x5, #1
	cbnz_to(5, loop);
	mov(0, 5);
	str(0, 9, 0);
	loop = at;
	wfi();
	branch_to(loop);
	run_exits(5);
}
END_TEST

// ---- console and semihosting --------------------------------------------------------------------

START_TEST(uart_echoes)
{
	unsigned loop;

	// Poll for a byte and send it back; end at 'q'. One byte enters in a virtual millisecond.
	options.max_insns = 100000000;
	input = "hello, this is more than one FIFO full of text q";
	mov(9, UART);
	loop = at;
	ldr32(0, 9, 0x18);
	emit(0xd3441000); // ubfx x0, x0, #4, #1: RXFE
	cbnz_to(0, loop);
	ldr32(0, 9, 0);
	str32(0, 9, 0);
	emit(0xd101c400); // sub x0, x0, #'q'
	cbnz_to(0, loop);
	mov(20, 1);
	exit_with(20);
	run_exits(1);
	ck_assert_str_eq(output, "hello, this is more than one FIFO full of text q");
}
END_TEST

START_TEST(semihosting_console)
{
	static const uint64_t text[] = {UINT64_C(0x6f77206f6c6c6568), UINT64_C(0x000000000a646c72)};

	input = "z";
	put_block(DATA, 2, text);
	semihosting(0x04, DATA); // WRITE0
	semihosting(0x03, DATA + 4); // WRITEC: 'o'
	semihosting(0x07, 0); // READC
	mov_reg(20, 0);
	semihosting(0x07, 0); // no more
	add(0, 0, 1);
	cbnz_to(0, at);
	exit_with(20);
	run_exits('z');
	ck_assert_str_eq(output, "hello world\no");
}
END_TEST

START_TEST(exit_codes)
{
	// A reason other than an application's exit is a failure; without semihosting HLT is not
	// ours at all.
	const uint64_t block[] = {0x20023, 0};

	put_block(DATA, 2, block);
	semihosting(0x20, DATA);
	run_exits(1);
	strata_destroy(machine);
	machine = NULL;
	options.semihosting = false;
	run();
	ck_assert_int_ne(result.outcome, STRATA_EXITED);
}
END_TEST

// Open a file by name in the guest; returns the handle or -1 as the guest sees it (in the low
// byte).
static int try_open(const char *name, uint64_t mode)
{
	uint64_t words[32] = {0};
	const uint64_t block[] = {DATA + 0x100, mode, strlen(name)};

	at = 0;
	ck_assert_uint_lt(strlen(name), sizeof(words));
	memcpy(words, name, strlen(name));
	put_block(DATA + 0x100, (unsigned)(strlen(name) / 8 + 1), words);
	put_block(DATA, 3, block);
	semihosting(0x01, DATA);
	mov_reg(20, 0);
	exit_with(20);
	run();
	ck_assert_int_eq(result.outcome, STRATA_EXITED);
	strata_destroy(machine);
	machine = NULL;
	return result.status;
}

START_TEST(files_stay_in_their_directory)
{
	static const char *const escapes[] = {"../x",        "..",          "a/../../x",
					      "/etc/passwd", "sub/../../x", "link",
					      "linkdir/f",   "linkup/f",    "",
					      ".",           "sub",         "sub/",
					      "sub//f",      "fifo"};
	char path[256];

	options.semihosting_dir = directory;
	snprintf(path, sizeof(path), "%s/sub", directory);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/sub/f", directory);
	fclose(fopen(path, "w"));
	snprintf(path, sizeof(path), "%s/link", directory);
	ck_assert_int_eq(symlink("/etc/passwd", path), 0);
	snprintf(path, sizeof(path), "%s/linkdir", directory);
	ck_assert_int_eq(symlink("sub", path), 0);
	snprintf(path, sizeof(path), "%s/linkup", directory);
	ck_assert_int_eq(symlink("..", path), 0);
	snprintf(path, sizeof(path), "%s/fifo", directory);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
		ck_assert_msg(try_open(escapes[i], 0) == 0xff, "opened '%s'", escapes[i]);
		ck_assert_msg(try_open(escapes[i], 4) == 0xff, "wrote '%s'", escapes[i]);
	}
	ck_assert_int_eq(try_open("sub/f", 0), 1);
	ck_assert_int_eq(try_open("./sub/f", 0), 1);
	ck_assert_int_eq(try_open("new", 4), 1);
	ck_assert_int_eq(try_open(":tt", 0), 1);
	ck_assert_int_eq(try_open(":semihosting-features", 0), 1);
	ck_assert_int_eq(try_open("sub/f", 12), 0xff); // no such mode
	options.semihosting_dir = NULL;
	ck_assert_int_eq(try_open("sub/f", 0), 0xff);
}
END_TEST

START_TEST(files_are_written_and_read)
{
	static const uint64_t name[] = {UINT64_C(0x747365742e78)}; // "x.test"
	static const uint64_t text[] = {UINT64_C(0x3736353433323130)}; // "01234567"
	const uint64_t open_write[] = {DATA + 0x100, 4, 6};
	const uint64_t open_read[] = {DATA + 0x100, 0, 6};
	const uint64_t write_block[] = {1, DATA + 0x200, 8};
	const uint64_t read_block[] = {1, DATA + 0x300, 16};
	const uint64_t seek_block[] = {1, 3};
	const uint64_t remove_block[] = {DATA + 0x100, 6};
	char path[128], contents[16] = "";
	FILE *f;

	options.semihosting_dir = directory;
	put_block(DATA + 0x100, 1, name);
	put_block(DATA + 0x200, 1, text);
	put_block(DATA, 3, open_write);
	semihosting(0x01, DATA);
	put_block(DATA, 3, write_block);
	semihosting(0x05, DATA);
	mov(9, DATA);
	str(0, 9, 0x400); // 0: all written
	semihosting(0x02, DATA); // close
	put_block(DATA, 3, open_read);
	semihosting(0x01, DATA);
	put_block(DATA, 2, seek_block);
	semihosting(0x0c, DATA); // flen
	mov(9, DATA);
	str(0, 9, 0x408);
	semihosting(0x0a, DATA); // seek
	put_block(DATA, 3, read_block);
	semihosting(0x06, DATA);
	mov(9, DATA);
	str(0, 9, 0x410); // 16 - 5 not read
	semihosting(0x09, DATA); // no terminal
	mov(9, DATA);
	str(0, 9, 0x418);
	if (_i == 1) {
		put_block(DATA, 2, remove_block);
		semihosting(0x0e, DATA);
	}
	mov(20, 0);
	exit_with(20);
	run_exits(0);
	ck_assert_uint_eq(word_at(DATA + 0x400), 0);
	ck_assert_uint_eq(word_at(DATA + 0x408), 8);
	ck_assert_uint_eq(word_at(DATA + 0x410), 11);
	ck_assert_uint_eq(word_at(DATA + 0x418), 0);
	ck_assert_uint_eq(word_at(DATA + 0x300) & UINT64_C(0xffffffffff), UINT64_C(0x3736353433));
	snprintf(path, sizeof(path), "%s/x.test", directory);
	f = fopen(path, "r");
	if (_i == 1) {
		ck_assert_ptr_null(f);
		return;
	}
	ck_assert_ptr_nonnull(f);
	ck_assert_ptr_nonnull(fgets(contents, sizeof(contents), f));
	ck_assert_str_eq(contents, "01234567");
	fclose(f);
}
END_TEST

START_TEST(clocks_are_virtual)
{
	unsigned loop;

	mov(5, 20000);
	loop = at;
	emit(0xd10004a5); // sub x5, x5, #1
	cbnz_to(5, loop);
	semihosting(0x30, DATA); // ELAPSED
	semihosting(0x31, 0); // TICKFREQ
	mov(9, DATA);
	str(0, 9, 8);
	semihosting(0x11, 0); // TIME
	mov(9, DATA);
	str(0, 9, 16);
	semihosting(0x13, 0); // ERRNO
	exit_with(0);
	run_exits(0);
	ck_assert_uint_ge(word_at(DATA), 40000);
	ck_assert_uint_lt(word_at(DATA), 41000);
	ck_assert_uint_eq(word_at(DATA + 8), 1000000000);
	ck_assert_uint_eq(word_at(DATA + 16), options.rtc);
}
END_TEST

START_TEST(bad_parameters_do_no_harm)
{
	// Every operation with parameters at no address, at the end of memory, and of junk.
	static const uint64_t addresses[] = {0, UINT64_C(0xfffffffffffffffc),
					     BASE + (UINT64_C(16) << 20) - 4, DATA};
	uint64_t junk[4] = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};

	options.semihosting_dir = directory;
	put_block(DATA, 4, junk);
	for (unsigned op = 0; op < 0x34; op++) {
		if (op == 0x18 || op == 0x20) {
			continue;
		}
		semihosting(op, addresses[_i]);
	}
	mov(20, 6);
	exit_with(20);
	run_exits(6);
}
END_TEST

START_TEST(x0_has_the_device_tree)
{
	uint64_t tree;

	// The image is in the way of the start of RAM, so the tree lies behind it.
	mov(9, DATA);
	str(0, 9, 0);
	mov(20, 0);
	exit_with(20);
	run_exits(0);
	tree = word_at(DATA);
	ck_assert_uint_gt(tree, BASE);
	ck_assert_uint_eq(word_at(tree) & 0xffffffff, 0xedfe0dd0);
	strata_destroy(machine);
	machine = NULL;
	options.image_address = BASE + 0x200000;
	run_exits(0);
	ck_assert_uint_eq(word_at(DATA), BASE);
}
END_TEST

START_TEST(levels_and_states)
{
	options.boot_el = 1 + (unsigned)_i;
	emit(0xd5384240); // mrs x0, currentel
	emit(0xd342fc00); // lsr x0, x0, #2
	exit_with(0);
	run_exits((int)options.boot_el);
	ck_assert_uint_eq(strata_el(machine, 0), options.boot_el);
	ck_assert_uint_eq(strata_x(machine, 0, 19), options.boot_el);
}
END_TEST

START_TEST(two_machines_in_one_process)
{
	struct strata *first;

	options.semihosting = true;
	mov(20, 1);
	exit_with(20);
	create();
	first = machine;
	at = 0;
	mov(20, 2);
	exit_with(20);
	create();
	strata_run(first, &result);
	ck_assert_int_eq(result.status, 1);
	strata_run(machine, &result);
	ck_assert_int_eq(result.status, 2);
	strata_destroy(first);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("board");
	TCase *tcase = tcase_create("board");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, psci_answers_at_both_levels, 0, 2);
	tcase_add_loop_test(tcase, cpu_on_starts_the_other_pe, 0, 2);
	tcase_add_loop_test(tcase, cpu_suspend_waits_for_an_interrupt, 0, 2);
	tcase_add_test(tcase, system_off_ends_the_run);
	tcase_add_test(tcase, system_reset_starts_again);
	tcase_add_test(tcase, no_reboot_ends_at_the_reset);
	tcase_add_loop_test(tcase, psci_answers_with_el3_present, 0, 2);
	tcase_add_test(tcase, nothing_of_psci_at_el3);
	tcase_add_test(tcase, secure_gpio_powers_off);
	tcase_add_loop_test(tcase, limits_are_kept, 0, 4);
	tcase_add_test(tcase, virtual_time_is_limited);
	tcase_add_test(tcase, waiting_for_nothing_is_stuck);
	tcase_add_test(tcase, an_event_stream_keeps_no_one_waiting);
	tcase_add_test(tcase, all_off_is_stuck);
	tcase_add_test(tcase, an_exception_loop_is_stuck);
	tcase_add_test(tcase, idle_time_is_skipped);
	tcase_add_test(tcase, exclusives_and_interleaving_are_repeatable);
	tcase_add_test(tcase, a_store_wakes_a_wfe_with_the_monitor_armed);
	tcase_add_test(tcase, uart_echoes);
	tcase_add_test(tcase, semihosting_console);
	tcase_add_test(tcase, exit_codes);
	tcase_add_test(tcase, files_stay_in_their_directory);
	tcase_add_loop_test(tcase, files_are_written_and_read, 0, 2);
	tcase_add_test(tcase, clocks_are_virtual);
	tcase_add_loop_test(tcase, bad_parameters_do_no_harm, 0, 4);
	tcase_add_test(tcase, x0_has_the_device_tree);
	tcase_add_loop_test(tcase, levels_and_states, 0, 3);
	tcase_add_test(tcase, two_machines_in_one_process);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
