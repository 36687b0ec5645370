// SPDX-License-Identifier: Apache-2.0
// Unit tests of cpu/debug: every combination of HMC, SSC and PMC against a table written from the
// Arm ARM (Summary of breakpoint HMC, SSC, and PMC encodings), and what asks for the slow paths of
// the engine.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/event.h"
#include "bus/bus.h"
#include "cpu/code.h"
#include "cpu/debug.h"
#include "cpu/model.h"
#include "cpu/pe_internal.h"
#include "cpu/sysreg_fields.h"

#define CONTROL(hmc, ssc, pxc) (1u | (pxc) << 1 | 0xfu << 5 | (hmc) << 13 | (ssc) << 14)
#define TYPE(n) ((uint64_t)(n) << 20)
#define WATCH_LOAD (1u << 3)
#define WATCH_ALL_BYTES (0xffu << 5)

static struct bus *bus;
static struct event_queue queue;
static struct cpu_model *model;
static struct code_cache *code;
static struct pe *pe;

static void setup_levels(bool has_el2, bool has_el3)
{
	char error[200];
	const char *why = NULL;
	struct pe_config config = {0};

	bus = bus_create();
	event_queue_init(&queue);
	model = cpu_model_parse("cortex-a72", has_el2, has_el3, error, sizeof(error));
	ck_assert_msg(model != NULL, "%s", error);
	code = code_cache_create(bus, &model->features);
	config.model = model;
	config.bus = bus;
	config.queue = &queue;
	config.code = code;
	config.has_el2 = has_el2;
	config.has_el3 = has_el3;
	ck_assert_int_eq(pe_create(&pe, &config, &why), 0);
	pe_reset(pe, 1, false, 0x40000000);
}

static void setup(void)
{
	setup_levels(true, true);
}

static void teardown(void)
{
	pe_destroy(pe);
	code_cache_destroy(code);
	free(model);
	event_queue_done(&queue);
	bus_destroy(bus);
}

static void go_to(unsigned el, bool secure)
{
	if (pe->has_el3) {
		pe->sr[SR_SCR_EL3] =
			secure ? pe->sr[SR_SCR_EL3] & ~SCR_EL3_NS : pe->sr[SR_SCR_EL3] | SCR_EL3_NS;
	}
	pe_set_el_sp(pe, el, true);
	pe_context_changed(pe);
	pe_debug_changed(pe);
}

// Debug exceptions enabled at EL0, EL1 and, Non-secure, EL2.
static void open_everything(void)
{
	sysreg_write(pe, SR_OSLAR_EL1, 0);
	sysreg_write(pe, SR_MDCR_EL2, MDCR_EL2_TDE);
	sysreg_write(pe, SR_MDSCR_EL1, MDSCR_EL1_MDE | MDSCR_EL1_KDE);
	pe->daif = 0;
}

// What matches without Secure EL2, by HMC, SSC and PMC: levels as bits 0 to 2, Non-secure and
// Secure.
static const struct {
	unsigned hmc, ssc, pmc, ns, s;
} states[] = {
	{0, 0, 1, 2, 2}, {0, 0, 2, 1, 1}, {0, 0, 3, 3, 3}, {0, 1, 1, 2, 0}, {0, 1, 2, 1, 0},
	{0, 1, 3, 3, 0}, {0, 2, 1, 0, 2}, {0, 2, 2, 0, 1}, {0, 2, 3, 0, 3}, {1, 0, 1, 6, 2},
	{1, 0, 3, 7, 3}, {1, 1, 1, 6, 0}, {1, 1, 3, 7, 0}, {1, 2, 0, 0, 0}, {1, 2, 1, 0, 2},
	{1, 2, 3, 0, 3}, {1, 3, 0, 4, 0},
};
#define STATES (sizeof(states) / sizeof(states[0]))

static void expected(unsigned hmc, unsigned ssc, unsigned pmc, unsigned *ns, unsigned *s)
{
	*ns = *s = 0; // all others are reserved
	for (size_t i = 0; i < STATES; i++) {
		if (states[i].hmc == hmc && states[i].ssc == ssc && states[i].pmc == pmc) {
			*ns = states[i].ns;
			*s = states[i].s;
		}
	}
}

START_TEST(state_match_of_every_combination)
{
	open_everything();
	for (unsigned i = 0; i < 32; i++) {
		unsigned hmc = i >> 4, ssc = i >> 2 & 3, pmc = i & 3, ns, s;

		expected(hmc, ssc, pmc, &ns, &s);
		pe->sr[SR_DBGBCR0_EL1] = CONTROL(hmc, ssc, pmc);
		for (unsigned el = 0; el <= 3; el++) {
			go_to(el, false);
			ck_assert_msg(debug_slow(pe) == (el < 3 && (ns >> el & 1)),
				      "HMC %u SSC %u PMC %u EL%u", hmc, ssc, pmc, el);
		}
		for (unsigned el = 0; el <= 1; el++) {
			go_to(el, true);
			ck_assert_msg(debug_slow(pe) == (s >> el & 1),
				      "HMC %u SSC %u PMC %u Secure EL%u", hmc, ssc, pmc, el);
		}
	}
}
END_TEST

// Watchpoints have the same table.
START_TEST(state_match_of_watchpoints)
{
	open_everything();
	for (unsigned i = 0; i < 32; i++) {
		unsigned hmc = i >> 4, ssc = i >> 2 & 3, pac = i & 3, ns, s;

		expected(hmc, ssc, pac, &ns, &s);
		pe->sr[SR_DBGWVR0_EL1] = 0x1000;
		pe->sr[SR_DBGWCR0_EL1] = CONTROL(hmc, ssc, pac) | WATCH_ALL_BYTES | WATCH_LOAD;
		for (unsigned el = 0; el <= 2; el++) {
			go_to(el, false);
			ck_assert_int_eq(debug_watchpoint(pe, 0x1000, 1, false), ns >> el & 1);
			ck_assert(!debug_watchpoint(pe, 0x1000, 1, true));
			ck_assert(!debug_watchpoint(pe, 0x1008, 8, false));
		}
		for (unsigned el = 0; el <= 1; el++) {
			go_to(el, true);
			ck_assert_int_eq(debug_watchpoint(pe, 0x1000, 1, false), s >> el & 1);
		}
	}
}
END_TEST

START_TEST(without_el2_and_el3_only_hmc_0_ssc_0_is_there)
{
	teardown();
	setup_levels(false, false);
	sysreg_write(pe, SR_OSLAR_EL1, 0);
	sysreg_write(pe, SR_MDSCR_EL1, MDSCR_EL1_MDE | MDSCR_EL1_KDE);
	pe->daif = 0;
	for (unsigned i = 0; i < 32; i++) {
		pe->sr[SR_DBGBCR0_EL1] = CONTROL(i >> 4, i >> 2 & 3, i & 3);
		go_to(1, false);
		ck_assert_int_eq(debug_slow(pe), i == 1 || i == 3);
		go_to(0, false);
		ck_assert_int_eq(debug_slow(pe), i == 2 || i == 3);
	}
}
END_TEST

START_TEST(reserved_types_are_not_slow)
{
	open_everything();
	go_to(0, false);
	for (unsigned type = 0; type < 16; type++) {
		// Breakpoint 0 of six has no context comparison.
		pe->sr[SR_DBGBCR0_EL1] = CONTROL(0u, 0u, 2u) | TYPE(type);
		ck_assert_msg(debug_slow(pe) == (type <= 1), "type %u", type);
	}
	pe->sr[SR_DBGBCR0_EL1] = 0;
	for (unsigned type = 0; type < 16; type++) {
		// Breakpoint 5 has; CONTEXTIDR_EL2 needs FEAT_VHE or FEAT_Debugv8p2, which this
		// core has not.
		bool alone = type == 0 || type == 1 || type == 2 || type == 8 || type == 10;

		pe->sr[SR_DBGBCR5_EL1] = CONTROL(0u, 0u, 2u) | TYPE(type);
		ck_assert_msg(debug_slow(pe) == alone, "type %u", type);
	}
}
END_TEST

START_TEST(os_lock_is_set_at_reset)
{
	pe->sr[SR_MDSCR_EL1] = MDSCR_EL1_MDE;
	pe->sr[SR_DBGBCR0_EL1] = CONTROL(0u, 0u, 2u);
	go_to(0, false);
	ck_assert(!debug_exceptions_enabled(pe));
	ck_assert(!debug_slow(pe));
	go_to(1, false);
	sysreg_write(pe, SR_OSLAR_EL1, 0);
	go_to(0, false);
	ck_assert(debug_exceptions_enabled(pe));
	ck_assert(debug_slow(pe));
}
END_TEST

START_TEST(attention_follows_the_level)
{
	open_everything();
	sysreg_write(pe, SR_DBGBCR0_EL1, CONTROL(0u, 0u, 2u));
	go_to(1, false);
	ck_assert(!(pe->attention & PE_ATTENTION_SLOW));
	go_to(0, false);
	ck_assert(pe->attention & PE_ATTENTION_SLOW);
	go_to(2, false);
	ck_assert(!(pe->attention & PE_ATTENTION_SLOW));
	go_to(0, false);
	sysreg_write(pe, SR_MDSCR_EL1, 0);
	ck_assert(!(pe->attention & PE_ATTENTION_SLOW));
	ck_assert(!pe->break_active);
}
END_TEST

START_TEST(watchpoints_take_the_fast_tlb_away_and_give_it_back)
{
	open_everything();
	go_to(1, false);
	ck_assert(pe->fast != pe->none);
	sysreg_write(pe, SR_DBGWCR0_EL1, CONTROL(0u, 0u, 1u) | WATCH_ALL_BYTES | WATCH_LOAD);
	ck_assert(pe->watch_active);
	ck_assert(pe->fast == pe->none);
	// LDTR and STTR of EL1 count as EL0's, so that EL0's watchpoints matter there too.
	sysreg_write(pe, SR_DBGWCR0_EL1, CONTROL(0u, 0u, 2u) | WATCH_ALL_BYTES | WATCH_LOAD);
	ck_assert(pe->watch_active);
	go_to(2, false);
	ck_assert(!pe->watch_active);
	ck_assert(pe->fast != pe->none);
	go_to(1, false);
	sysreg_write(pe, SR_DBGWCR0_EL1, 0);
	ck_assert(!pe->watch_active);
	ck_assert(pe->fast != pe->none);
}
END_TEST

START_TEST(watchpoint_masks)
{
	open_everything();
	go_to(0, false);
	for (unsigned mask = 0; mask < 32; mask++) {
		uint64_t size = UINT64_C(1) << mask, base = UINT64_C(0x700000000000);

		pe->sr[SR_DBGWVR0_EL1] = base;
		pe->sr[SR_DBGWCR0_EL1] =
			CONTROL(0u, 0u, 2u) | WATCH_ALL_BYTES | WATCH_LOAD | (uint64_t)mask << 24;
		if (mask == 1 || mask == 2) {
			ck_assert(!debug_watchpoint(pe, base, 8, false)); // reserved
			continue;
		}
		size = mask == 0 ? 8 : size;
		ck_assert(debug_watchpoint(pe, base, 1, false));
		ck_assert(debug_watchpoint(pe, base + size - 1, 1, false));
		ck_assert(!debug_watchpoint(pe, base + size, 1, false));
		ck_assert(!debug_watchpoint(pe, base - 1, 1, false));
		ck_assert(debug_watchpoint(pe, base - 1, 2, false));
		ck_assert(!debug_watchpoint(pe, base - 8, 8, false));
	}
}
END_TEST

START_TEST(step_is_active_by_mdscr_ss)
{
	open_everything();
	sysreg_write(pe, SR_MDSCR_EL1, MDSCR_EL1_SS);
	go_to(0, false);
	ck_assert(debug_step_active(pe));
	ck_assert(pe->attention & PE_ATTENTION_SLOW);
	go_to(2, false); // KDE is 0
	ck_assert(!debug_step_active(pe));
	ck_assert(!(pe->attention & PE_ATTENTION_SLOW));
}
END_TEST

START_TEST(target_level)
{
	go_to(0, false);
	ck_assert_uint_eq(debug_target_el(pe), 1);
	pe->sr[SR_MDCR_EL2] = MDCR_EL2_TDE;
	ck_assert_uint_eq(debug_target_el(pe), 2);
	go_to(0, true); // EL2 is not enabled in Secure state
	ck_assert_uint_eq(debug_target_el(pe), 1);
	go_to(0, false);
	pe->sr[SR_MDCR_EL2] = 0;
	pe->sr[SR_HCR_EL2] |= HCR_EL2_TGE;
	ck_assert_uint_eq(debug_target_el(pe), 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("debug");
	TCase *tcase = tcase_create("debug");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, state_match_of_every_combination);
	tcase_add_test(tcase, state_match_of_watchpoints);
	tcase_add_test(tcase, without_el2_and_el3_only_hmc_0_ssc_0_is_there);
	tcase_add_test(tcase, reserved_types_are_not_slow);
	tcase_add_test(tcase, os_lock_is_set_at_reset);
	tcase_add_test(tcase, attention_follows_the_level);
	tcase_add_test(tcase, watchpoints_take_the_fast_tlb_away_and_give_it_back);
	tcase_add_test(tcase, watchpoint_masks);
	tcase_add_test(tcase, step_is_active_by_mdscr_ss);
	tcase_add_test(tcase, target_level);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
