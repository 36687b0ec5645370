// SPDX-License-Identifier: Apache-2.0
// Unit tests of cpu/pmu: counting by virtual time, widths of FEAT_PMUv3p5 (which no core model
// has), the divider, and when the overflow event stands on the queue. The PE is real; its time is
// moved by hand.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/event.h"
#include "bus/bus.h"
#include "cpu/code.h"
#include "cpu/model.h"
#include "cpu/pe_internal.h"
#include "cpu/pmu.h"
#include "cpu/sysreg_fields.h"

#define C BIT(31)
#define E 1u
#define D 8u
#define LC 0x40u
#define LP 0x80u
#define CYCLES 0x11u
#define M BIT(26) // EL3 (Secure) does not count
#define NSH BIT(27)
#define ODD_CHAIN 0x1eu

static struct bus *bus;
static struct event_queue queue;
static struct cpu_model *model;
static struct code_cache *code;
static struct pe *pe;
static bool level;
static unsigned edges;

static void line_set(void *opaque, unsigned number, bool l)
{
	(void)opaque;
	(void)number;
	level = l;
	edges++;
}

static void add_feature(enum feature feature)
{
	model->features.word[feature / 64] |= BIT(feature % 64);
}

static void setup(void)
{
	char error[200];
	const char *why = NULL;
	struct pe_config config = {0};

	bus = bus_create();
	event_queue_init(&queue);
	model = cpu_model_parse("max", true, true, error, sizeof(error));
	ck_assert_msg(model != NULL, "%s", error);
	add_feature(FEAT_PMUv3p5);
	model->writable[SR_PMCR_EL0] |= LP;
	model->writable[SR_MDCR_EL2] |= MDCR_EL2_HLP | MDCR_EL2_HCCD;
	model->writable[SR_MDCR_EL3] |= MDCR_EL3_SCCD;
	code = code_cache_create(bus, &model->features);
	config.model = model;
	config.bus = bus;
	config.queue = &queue;
	config.code = code;
	config.has_el2 = config.has_el3 = true;
	ck_assert_int_eq(pe_create(&pe, &config, &why), 0);
	pmu_line(pe)->set = line_set;
	level = false;
	edges = 0;
	pe_reset(pe, 1, false, 0x40000000);
}

static void teardown(void)
{
	pe_destroy(pe);
	code_cache_destroy(code);
	free(model);
	event_queue_done(&queue);
	bus_destroy(bus);
}

// n instructions pass.
static void run(uint64_t n)
{
	pe->deadline += n;
	event_queue_run(&queue, pe_now(pe));
}

static void go_to(unsigned el, bool secure)
{
	pe->sr[SR_SCR_EL3] =
		secure ? pe->sr[SR_SCR_EL3] & ~SCR_EL3_NS : pe->sr[SR_SCR_EL3] | SCR_EL3_NS;
	pe->el = (uint8_t)el;
	if (pe->pmu_active) {
		pmu_el_changed(pe);
	}
}

static uint64_t get(enum sysreg reg)
{
	return sysreg_read(pe, reg);
}

static void set(enum sysreg reg, uint64_t value)
{
	sysreg_write(pe, reg, value);
}

static void count_cycles(unsigned control)
{
	set(SR_PMCNTENSET_EL0, C);
	set(SR_PMCR_EL0, control | E);
}

// Counter 0 counts cycles.
static void count_event(uint64_t value)
{
	set(SR_PMEVTYPER0_EL0, CYCLES);
	set(SR_PMEVCNTR0_EL0, value);
	set(SR_PMCNTENSET_EL0, 1);
	set(SR_PMCR_EL0, LC | E);
}

START_TEST(nothing_costs_anything_while_off)
{
	ck_assert(!pe->pmu_active);
	set(SR_PMCNTENSET_EL0, C | 1);
	ck_assert(!pe->pmu_active);
	set(SR_PMINTENSET_EL1, C | 1);
	ck_assert_uint_eq(event_queue_deadline(&queue), EVENT_NEVER);
	set(SR_PMCR_EL0, LC | E);
	ck_assert(pe->pmu_active);
	set(SR_PMCNTENCLR_EL0, C | 1);
	ck_assert(!pe->pmu_active);
	ck_assert_uint_eq(event_queue_deadline(&queue), EVENT_NEVER);
}
END_TEST

START_TEST(cycles_are_instructions_and_waiting_is_none)
{
	count_cycles(LC);
	run(1000);
	ck_assert_uint_eq(get(SR_PMCCNTR_EL0), 1000);
	pe_advance(pe, pe_now(pe) + 5000);
	ck_assert_uint_eq(get(SR_PMCCNTR_EL0), 1000);
	run(1);
	ck_assert_uint_eq(get(SR_PMCCNTR_EL0), 1001);
}
END_TEST

START_TEST(time_at_a_level_is_attributed_to_it)
{
	set(SR_PMCCFILTR_EL0, M | BIT(30)); // U: EL1 alone
	count_cycles(LC);
	run(100);
	go_to(0, false);
	run(1000);
	go_to(1, false);
	run(10);
	go_to(2, false);
	run(10000);
	go_to(3, false);
	run(100000);
	go_to(1, false);
	ck_assert_uint_eq(get(SR_PMCCNTR_EL0), 110);
}
END_TEST

// Without LC (which the models have as RES1, and D as RES0) the counter is divided by 64 with D,
// and overflows at 32 bits.
START_TEST(divider)
{
	model->writable[SR_PMCR_EL0] |= LC | D;
	count_cycles(LC | D); // LC turns the divider off
	run(10);
	ck_assert_uint_eq(get(SR_PMCCNTR_EL0), 10);
	set(SR_PMCCNTR_EL0, 0);
	pe->sr[SR_PMCR_EL0] &= ~(uint64_t)LC;
	count_cycles(D);
	run(63);
	ck_assert_uint_eq(get(SR_PMCCNTR_EL0), 0);
	run(1);
	ck_assert_uint_eq(get(SR_PMCCNTR_EL0), 1);
	run(64 * 10 + 63);
	ck_assert_uint_eq(get(SR_PMCCNTR_EL0), 11);
	run(1);
	ck_assert_uint_eq(get(SR_PMCCNTR_EL0), 12);
	set(SR_PMCCNTR_EL0, 0xffffffff);
	set(SR_PMINTENSET_EL1, C);
	ck_assert_uint_eq(event_queue_deadline(&queue), pe_now(pe) + 64);
	run(64);
	ck_assert(level);
	ck_assert_uint_eq(get(SR_PMOVSSET_EL0), C);
	ck_assert_uint_eq(get(SR_PMCCNTR_EL0), UINT64_C(0x100000000));
}
END_TEST

START_TEST(event_counters_of_v3p5_are_64_bits)
{
	count_event(0xfffffff0);
	run(32);
	ck_assert_uint_eq(get(SR_PMEVCNTR0_EL0), UINT64_C(0x100000010));
	ck_assert_uint_eq(get(SR_PMOVSCLR_EL0), 1);
	set(SR_PMOVSCLR_EL0, 1);
	set(SR_PMCR_EL0, LC | LP | E);
	set(SR_PMEVCNTR0_EL0, 0xfffffff0);
	run(32);
	ck_assert_uint_eq(get(SR_PMOVSCLR_EL0), 0);
	set(SR_PMEVCNTR0_EL0, ~UINT64_C(0) - 15);
	run(15);
	ck_assert_uint_eq(get(SR_PMOVSCLR_EL0), 0);
	run(1);
	ck_assert_uint_eq(get(SR_PMOVSCLR_EL0), 1);
	ck_assert_uint_eq(get(SR_PMEVCNTR0_EL0), 0);
}
END_TEST

// HLP, not LP, is for the counters of EL2.
START_TEST(hlp_widens_the_counters_of_el2)
{
	set(SR_MDCR_EL2, 0);
	set(SR_MDCR_EL2, MDCR_EL2_HPME | MDCR_EL2_HLP);
	count_event(0);
	go_to(2, false);
	set(SR_PMEVTYPER0_EL0, CYCLES | NSH);
	set(SR_PMEVCNTR0_EL0, 0xffffffff);
	set(SR_PMCNTENSET_EL0, 1);
	run(1);
	ck_assert_uint_eq(get(SR_PMEVCNTR0_EL0), UINT64_C(0x100000000));
	ck_assert_uint_eq(get(SR_PMOVSCLR_EL0), 0);
	set(SR_MDCR_EL2, MDCR_EL2_HPME);
	set(SR_PMEVCNTR0_EL0, 0xffffffff);
	run(1);
	ck_assert_uint_eq(get(SR_PMOVSCLR_EL0), 1);
}
END_TEST

START_TEST(hccd_and_sccd)
{
	set(SR_PMCCFILTR_EL0, NSH);
	count_cycles(LC);
	set(SR_MDCR_EL2, get(SR_MDCR_EL2) | MDCR_EL2_HCCD);
	run(5);
	go_to(2, false);
	run(100);
	go_to(1, false);
	ck_assert_uint_eq(get(SR_PMCCNTR_EL0), 5);
	go_to(1, true);
	run(7);
	ck_assert_uint_eq(get(SR_PMCCNTR_EL0), 12);
	set(SR_MDCR_EL3, MDCR_EL3_SCCD);
	run(100);
	ck_assert_uint_eq(get(SR_PMCCNTR_EL0), 12);
	go_to(1, false);
	run(1);
	ck_assert_uint_eq(get(SR_PMCCNTR_EL0), 13);
}
END_TEST

START_TEST(overflow_event_stands_at_the_overflow)
{
	count_event(0xffffffff - 999);
	ck_assert_uint_eq(event_queue_deadline(&queue), EVENT_NEVER); // nobody wants the interrupt
	set(SR_PMINTENSET_EL1, 1);
	ck_assert_uint_eq(event_queue_deadline(&queue), pe_now(pe) + 1000);
	run(999);
	ck_assert(!level);
	run(1);
	ck_assert(level);
	ck_assert_uint_eq(event_queue_deadline(&queue), EVENT_NEVER);
	set(SR_PMOVSCLR_EL0, 1);
	ck_assert(!level);
	ck_assert_uint_eq(event_queue_deadline(&queue), pe_now(pe) + (UINT64_C(1) << 32));
}
END_TEST

START_TEST(overflow_event_goes_while_the_level_does_not_count)
{
	set(SR_PMINTENSET_EL1, 1);
	count_event(0xffffffff - 999);
	run(400);
	go_to(2, false); // NSH = 0
	ck_assert_uint_eq(event_queue_deadline(&queue), EVENT_NEVER);
	run(100000);
	go_to(1, false);
	ck_assert_uint_eq(event_queue_deadline(&queue), pe_now(pe) + 600);
	run(600);
	ck_assert(level);
}
END_TEST

START_TEST(chained_pair_is_predicted)
{
	count_event(0xffffffff - 99);
	set(SR_PMEVTYPER1_EL0, ODD_CHAIN);
	set(SR_PMEVCNTR1_EL0, 0xfffffffe);
	set(SR_PMCNTENSET_EL0, 2);
	set(SR_PMINTENSET_EL1, 2);
	ck_assert_uint_eq(event_queue_deadline(&queue), pe_now(pe) + 100 + (UINT64_C(1) << 32));
	run(100);
	ck_assert_uint_eq(get(SR_PMEVCNTR1_EL0), 0xffffffff);
	ck_assert(!level);
	run(UINT64_C(1) << 32);
	ck_assert(level);
	ck_assert_uint_eq(get(SR_PMOVSCLR_EL0), 3);
}
END_TEST

START_TEST(one_long_run_counts_each_overflow_of_the_even_counter)
{
	count_event(0);
	set(SR_PMEVTYPER1_EL0, ODD_CHAIN);
	set(SR_PMEVCNTR1_EL0, 0);
	set(SR_PMCNTENSET_EL0, 2);
	run((UINT64_C(5) << 32) + 3);
	ck_assert_uint_eq(get(SR_PMEVCNTR1_EL0), 5);
	ck_assert_uint_eq(get(SR_PMEVCNTR0_EL0), (UINT64_C(5) << 32) + 3);
}
END_TEST

// While the PE waits nothing is scheduled, or a machine that waits would be woken every few cycles
// for nothing.
START_TEST(waiting_pe_has_no_overflow_event)
{
	set(SR_PMINTENSET_EL1, 1);
	count_event(0xffffffff - 9);
	pe->wait = PE_WAIT_WFI;
	ck_assert_uint_eq(event_queue_deadline(&queue), pe_now(pe) + 10);
	event_queue_run(&queue, pe_now(pe) + 10);
	ck_assert(!level);
	ck_assert_uint_eq(event_queue_deadline(&queue), EVENT_NEVER);
	pe_advance(pe, pe_now(pe) + 123456);
	pe->wait = PE_WAIT_NONE;
	pmu_woken(pe);
	ck_assert_uint_eq(event_queue_deadline(&queue), pe_now(pe) + 10);
	run(10);
	ck_assert(level);
}
END_TEST

// Another PE is ahead: the event fires before this one gets there. It must neither be lost nor fire
// for ever.
START_TEST(lagging_pe_gets_its_event_later)
{
	set(SR_PMINTENSET_EL1, 1);
	count_event(0xffffffff - 999);
	event_queue_run(&queue, pe_now(pe) + 50000);
	ck_assert(!level);
	ck_assert_uint_ne(event_queue_deadline(&queue), EVENT_NEVER);
	pe->deadline += 60000;
	event_queue_run(&queue, pe_now(pe));
	ck_assert(level);
}
END_TEST

START_TEST(reset_silences_everything)
{
	set(SR_PMINTENSET_EL1, 1);
	count_event(0xffffffff);
	run(10);
	ck_assert(level);
	pe_reset(pe, 1, false, 0);
	ck_assert(!level);
	ck_assert(!pe->pmu_active);
	ck_assert_uint_eq(get(SR_PMEVCNTR0_EL0), 0);
	ck_assert_uint_eq(get(SR_PMOVSSET_EL0), 0);
	ck_assert_uint_eq(get(SR_PMCNTENSET_EL0), 0);
	ck_assert_uint_eq(get(SR_PMCR_EL0) >> 11 & 31, model->pmu_counters);
	ck_assert_uint_eq(event_queue_deadline(&queue), EVENT_NEVER);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pmu");
	TCase *tcase = tcase_create("pmu");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, nothing_costs_anything_while_off);
	tcase_add_test(tcase, cycles_are_instructions_and_waiting_is_none);
	tcase_add_test(tcase, time_at_a_level_is_attributed_to_it);
	tcase_add_test(tcase, divider);
	tcase_add_test(tcase, event_counters_of_v3p5_are_64_bits);
	tcase_add_test(tcase, hlp_widens_the_counters_of_el2);
	tcase_add_test(tcase, hccd_and_sccd);
	tcase_add_test(tcase, overflow_event_stands_at_the_overflow);
	tcase_add_test(tcase, overflow_event_goes_while_the_level_does_not_count);
	tcase_add_test(tcase, chained_pair_is_predicted);
	tcase_add_test(tcase, one_long_run_counts_each_overflow_of_the_even_counter);
	tcase_add_test(tcase, waiting_pe_has_no_overflow_event);
	tcase_add_test(tcase, lagging_pe_gets_its_event_later);
	tcase_add_test(tcase, reset_silences_everything);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
