// SPDX-License-Identifier: Apache-2.0
// The generic timers alone: when comparators fire, what their registers read, offsets, wrap-around,
// event streams. Expectations follow Arm ARM D11.2; the counter advances once in 16 ns.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "fake_pe.h"
#include "timer/timer.h"

#define ENABLE 1u
#define IMASK 2u
#define ISTATUS 4u

static struct pe pe;
static struct event_queue queue;
static struct timer *timer;
static bool levels[TIMER_COUNT];

static void line_changed(void *opaque, unsigned number, bool level)
{
	(void)opaque;
	levels[number] = level;
}

static void setup(void)
{
	memset(&pe, 0, sizeof(pe));
	memset(levels, 0, sizeof(levels));
	pe.el = 2;
	event_queue_init(&queue);
	timer = timer_new(&pe, &queue);
	ck_assert_ptr_nonnull(timer);
	for (unsigned i = 0; i < TIMER_COUNT; i++) {
		timer_line(timer, i)->set = line_changed;
		timer_line(timer, i)->number = i;
	}
}

static void teardown(void)
{
	timer_destroy(timer);
	ck_assert_uint_eq(queue.count, 0);
	event_queue_done(&queue);
}

static void run_to(uint64_t time)
{
	pe.time = time;
	event_queue_run(&queue, time);
}

static const struct {
	enum timer_which which;
	enum sysreg ctl, cval, tval;
	unsigned ppi;
} timers[] = {
	{TIMER_PHYS, SR_CNTP_CTL_EL0, SR_CNTP_CVAL_EL0, SR_CNTP_TVAL_EL0, 14},
	{TIMER_VIRT, SR_CNTV_CTL_EL0, SR_CNTV_CVAL_EL0, SR_CNTV_TVAL_EL0, 11},
	{TIMER_HYP, SR_CNTHP_CTL_EL2, SR_CNTHP_CVAL_EL2, SR_CNTHP_TVAL_EL2, 10},
	{TIMER_HYP_VIRT, SR_CNTHV_CTL_EL2, SR_CNTHV_CVAL_EL2, SR_CNTHV_TVAL_EL2, 12},
	{TIMER_SEC_PHYS, SR_CNTPS_CTL_EL1, SR_CNTPS_CVAL_EL1, SR_CNTPS_TVAL_EL1, 13},
	{TIMER_SEC_HYP, SR_CNTHPS_CTL_EL2, SR_CNTHPS_CVAL_EL2, SR_CNTHPS_TVAL_EL2, 4},
	{TIMER_SEC_HYP_VIRT, SR_CNTHVS_CTL_EL2, SR_CNTHVS_CVAL_EL2, SR_CNTHVS_TVAL_EL2, 3},
};

START_TEST(counter_is_time_by_16)
{
	ck_assert_uint_eq(fake_read(&pe, SR_CNTFRQ_EL0), 62500000);
	pe.time = 15;
	ck_assert_uint_eq(fake_read(&pe, SR_CNTPCT_EL0), 0);
	pe.time = 16;
	ck_assert_uint_eq(fake_read(&pe, SR_CNTPCT_EL0), 1);
	pe.time = 1000000000;
	ck_assert_uint_eq(fake_read(&pe, SR_CNTPCT_EL0), 62500000);
}
END_TEST

START_TEST(each_timer_fires_at_the_first_nanosecond)
{
	unsigned i = (unsigned)_i;

	ck_assert_uint_eq(timer_ppi(timers[i].which), timers[i].ppi);
	run_to(1605); // tick 100
	fake_write(&pe, timers[i].cval, 110);
	fake_write(&pe, timers[i].ctl, ENABLE);
	ck_assert_uint_eq(fake_read(&pe, timers[i].ctl), ENABLE);
	ck_assert_uint_eq(fake_read(&pe, timers[i].tval), 10);
	run_to(1759);
	ck_assert(!levels[timers[i].which]);
	ck_assert_uint_eq(fake_read(&pe, timers[i].ctl), ENABLE);
	run_to(1760);
	for (unsigned j = 0; j < TIMER_COUNT; j++) {
		ck_assert_int_eq(levels[j], j == (unsigned)timers[i].which);
	}
	ck_assert_uint_eq(fake_read(&pe, timers[i].ctl), ENABLE | ISTATUS);
	// It goes on counting below zero: TVAL is -1 one tick later.
	run_to(1776);
	ck_assert_uint_eq(fake_read(&pe, timers[i].tval), 0xffffffff);
	fake_write(&pe, timers[i].cval, 200);
	ck_assert(!levels[timers[i].which]);
	ck_assert_uint_eq(fake_read(&pe, timers[i].cval), 200);
}
END_TEST

START_TEST(imask_and_enable_hold_the_line)
{
	run_to(1600);
	fake_write(&pe, SR_CNTP_CTL_EL0, ENABLE | IMASK | ISTATUS); // ISTATUS cannot be written
	fake_write(&pe, SR_CNTP_CVAL_EL0, 101);
	ck_assert_uint_eq(fake_read(&pe, SR_CNTP_CTL_EL0), ENABLE | IMASK);
	run_to(1616);
	ck_assert(!levels[TIMER_PHYS]);
	ck_assert_uint_eq(fake_read(&pe, SR_CNTP_CTL_EL0), ENABLE | IMASK | ISTATUS);
	fake_write(&pe, SR_CNTP_CTL_EL0, ENABLE);
	ck_assert(levels[TIMER_PHYS]);
	fake_write(&pe, SR_CNTP_CTL_EL0, 0);
	ck_assert(!levels[TIMER_PHYS]);
	ck_assert_uint_eq(fake_read(&pe, SR_CNTP_CTL_EL0), 0);
}
END_TEST

START_TEST(tval_is_sign_extended)
{
	run_to(16 * 1000);
	fake_write(&pe, SR_CNTP_TVAL_EL0, 0x1ffffffff); // -1: the upper half is ignored
	ck_assert_uint_eq(fake_read(&pe, SR_CNTP_CVAL_EL0), 999);
	fake_write(&pe, SR_CNTP_TVAL_EL0, 0x80000000);
	ck_assert_uint_eq(fake_read(&pe, SR_CNTP_CVAL_EL0), 1000 - UINT64_C(0x80000000));
	fake_write(&pe, SR_CNTP_TVAL_EL0, 50);
	ck_assert_uint_eq(fake_read(&pe, SR_CNTP_CVAL_EL0), 1050);
	ck_assert_uint_eq(fake_read(&pe, SR_CNTP_TVAL_EL0), 50);
}
END_TEST

START_TEST(negative_tval_near_zero_is_far_in_the_future)
{
	// Count 5, TVAL -10: CVAL is 2^64 - 5, which the unsigned comparison puts at the end of
	// time.
	run_to(16 * 5);
	fake_write(&pe, SR_CNTP_CTL_EL0, ENABLE);
	fake_write(&pe, SR_CNTP_TVAL_EL0, (uint32_t)-10);
	ck_assert_uint_eq(fake_read(&pe, SR_CNTP_CVAL_EL0), -UINT64_C(5));
	ck_assert(!levels[TIMER_PHYS]);
}
END_TEST

START_TEST(far_compare_values_never_fire)
{
	fake_write(&pe, SR_CNTP_CTL_EL0, ENABLE);
	fake_write(&pe, SR_CNTP_CVAL_EL0, UINT64_MAX);
	ck_assert_uint_eq(event_queue_deadline(&queue), EVENT_NEVER);
	// 2^60 ticks are 2^64 ns: past the end of time. One less is not.
	fake_write(&pe, SR_CNTP_CVAL_EL0, UINT64_C(1) << 60);
	ck_assert_uint_eq(event_queue_deadline(&queue), EVENT_NEVER);
	fake_write(&pe, SR_CNTP_CVAL_EL0, (UINT64_C(1) << 60) - 1);
	ck_assert_uint_eq(event_queue_deadline(&queue), ((UINT64_C(1) << 60) - 1) * 16);
	run_to(UINT64_C(1) << 62);
	ck_assert(!levels[TIMER_PHYS]);
}
END_TEST

START_TEST(virtual_offset_moves_count_and_timer)
{
	run_to(16 * 1000);
	fake_write(&pe, SR_CNTVOFF_EL2, 400);
	pe.el = 1;
	ck_assert_uint_eq(fake_read(&pe, SR_CNTVCT_EL0), 600);
	ck_assert_uint_eq(fake_read(&pe, SR_CNTPCT_EL0), 1000);
	fake_write(&pe, SR_CNTV_CTL_EL0, ENABLE);
	fake_write(&pe, SR_CNTV_TVAL_EL0, 20);
	ck_assert_uint_eq(fake_read(&pe, SR_CNTV_CVAL_EL0), 620);
	run_to(16 * 1020 - 1);
	ck_assert(!levels[TIMER_VIRT]);
	run_to(16 * 1020);
	ck_assert(levels[TIMER_VIRT]);
	// A larger offset takes the condition away again.
	fake_write(&pe, SR_CNTVOFF_EL2, 401);
	ck_assert(!levels[TIMER_VIRT]);
	run_to(16 * 1021);
	ck_assert(levels[TIMER_VIRT]);
}
END_TEST

START_TEST(virtual_count_before_zero_wraps)
{
	// CNTVOFF above the count: the virtual count is 2^64 - 10 and the condition is met until it
	// wraps to zero.
	fake_write(&pe, SR_CNTVOFF_EL2, 10);
	fake_write(&pe, SR_CNTV_CVAL_EL0, 5);
	fake_write(&pe, SR_CNTV_CTL_EL0, ENABLE);
	pe.el = 1;
	ck_assert_uint_eq(fake_read(&pe, SR_CNTVCT_EL0), -UINT64_C(10));
	ck_assert(levels[TIMER_VIRT]);
	run_to(16 * 10 - 1);
	ck_assert(levels[TIMER_VIRT]);
	run_to(16 * 10);
	ck_assert(!levels[TIMER_VIRT]);
	run_to(16 * 15 - 1);
	ck_assert(!levels[TIMER_VIRT]);
	run_to(16 * 15);
	ck_assert(levels[TIMER_VIRT]);
}
END_TEST

START_TEST(hosts_see_the_physical_count)
{
	const uint64_t e2h = UINT64_C(1) << 34, tge = UINT64_C(1) << 27;

	run_to(1600);
	fake_write(&pe, SR_CNTVOFF_EL2, 40);
	pe.el = 2;
	ck_assert_uint_eq(fake_read(&pe, SR_CNTVCT_EL0), 60);
	pe.sr[SR_HCR_EL2] = e2h;
	ck_assert_uint_eq(fake_read(&pe, SR_CNTVCT_EL0), 100);
	pe.el = 0;
	ck_assert_uint_eq(fake_read(&pe, SR_CNTVCT_EL0), 60);
	pe.sr[SR_HCR_EL2] = e2h | tge;
	ck_assert_uint_eq(fake_read(&pe, SR_CNTVCT_EL0), 100);
	pe.sr[SR_HCR_EL2] = tge;
	ck_assert_uint_eq(fake_read(&pe, SR_CNTVCT_EL0), 60);
	// CNTHV has no offset, whatever HCR_EL2 says.
	fake_write(&pe, SR_CNTHV_TVAL_EL2, 1);
	ck_assert_uint_eq(fake_read(&pe, SR_CNTHV_CVAL_EL2), 101);
}
END_TEST

START_TEST(event_stream_periods)
{
	// Bit 3 goes from 0 to 1 at 8, 24, 40 ... ticks.
	fake_write(&pe, SR_CNTKCTL_EL1, 1u << 2 | 3u << 4);
	run_to(16 * 8 - 1);
	ck_assert_uint_eq(pe.events, 0);
	run_to(16 * 8);
	ck_assert_uint_eq(pe.events, 1);
	run_to(16 * 24 - 1);
	ck_assert_uint_eq(pe.events, 1);
	run_to(16 * 40);
	ck_assert_uint_eq(pe.events, 3);
	// From 1 to 0: at 48, 64 ...
	fake_write(&pe, SR_CNTKCTL_EL1, 1u << 2 | 1u << 3 | 3u << 4);
	run_to(16 * 48 - 1);
	ck_assert_uint_eq(pe.events, 3);
	run_to(16 * 64);
	ck_assert_uint_eq(pe.events, 5);
	// The virtual count decides: with an offset of 4 the transitions come 4 ticks later.
	fake_write(&pe, SR_CNTVOFF_EL2, 4);
	run_to(16 * 68 - 1);
	ck_assert_uint_eq(pe.events, 5);
	run_to(16 * 68);
	ck_assert_uint_eq(pe.events, 6);
	fake_write(&pe, SR_CNTKCTL_EL1, 0);
	ck_assert_uint_eq(event_queue_deadline(&queue), EVENT_NEVER);
}
END_TEST

START_TEST(event_stream_of_el2_uses_the_physical_count)
{
	fake_write(&pe, SR_CNTVOFF_EL2, 4);
	fake_write(&pe, SR_CNTHCTL_EL2, 1u << 2 | 0u << 4);
	ck_assert_uint_eq(fake_read(&pe, SR_CNTHCTL_EL2), 4);
	// Bit 0 rises at every odd tick.
	run_to(16);
	ck_assert_uint_eq(pe.events, 1);
	run_to(16 * 9);
	ck_assert_uint_eq(pe.events, 5);
}
END_TEST

START_TEST(event_stream_of_the_scaled_counter)
{
	// EVNTIS: bit 3 of the counter from bit 8 on, that is bit 11, which rises at 2048, 6144 ...
	fake_write(&pe, SR_CNTKCTL_EL1, 1u << 17 | 1u << 2 | 3u << 4);
	run_to(16 * 2048 - 1);
	ck_assert_uint_eq(pe.events, 0);
	run_to(16 * 2048);
	ck_assert_uint_eq(pe.events, 1);
	run_to(16 * 6144 - 1);
	ck_assert_uint_eq(pe.events, 1);
	run_to(16 * 6144);
	ck_assert_uint_eq(pe.events, 2);
	fake_write(&pe, SR_CNTKCTL_EL1, 0);
}
END_TEST

#define ECV (UINT64_C(1) << 12) // CNTHCTL_EL2
#define ECVEN (UINT64_C(1) << 28) // SCR_EL3

START_TEST(physical_offset_is_for_el1_and_el0)
{
	run_to(16 * 1000);
	fake_write(&pe, SR_CNTPOFF_EL2, 300);
	fake_write(&pe, SR_CNTHCTL_EL2, ECV);
	for (unsigned el = 0; el < 4; el++) {
		pe.el = el;
		ck_assert_uint_eq(fake_read(&pe, SR_CNTPCT_EL0), el < 2 ? 700 : 1000);
		ck_assert_uint_eq(fake_read(&pe, SR_CNTPCTSS_EL0), el < 2 ? 700 : 1000);
		ck_assert_uint_eq(fake_read(&pe, SR_CNTVCT_EL0), 1000);
		ck_assert_uint_eq(fake_read(&pe, SR_CNTVCTSS_EL0), 1000);
		fake_write(&pe, SR_CNTP_TVAL_EL0, 50);
		ck_assert_uint_eq(fake_read(&pe, SR_CNTP_CVAL_EL0), el < 2 ? 750 : 1050);
		ck_assert_uint_eq(fake_read(&pe, SR_CNTP_TVAL_EL0), 50);
	}
	// The other timers of the system counter know nothing of it.
	fake_write(&pe, SR_CNTHP_TVAL_EL2, 1);
	ck_assert_uint_eq(fake_read(&pe, SR_CNTHP_CVAL_EL2), 1001);
	fake_write(&pe, SR_CNTPS_TVAL_EL1, 1);
	ck_assert_uint_eq(fake_read(&pe, SR_CNTPS_CVAL_EL1), 1001);
}
END_TEST

START_TEST(physical_offset_moves_the_timer)
{
	run_to(16 * 1000);
	fake_write(&pe, SR_CNTHCTL_EL2, ECV);
	fake_write(&pe, SR_CNTP_CTL_EL0, ENABLE);
	fake_write(&pe, SR_CNTP_CVAL_EL0, 900);
	ck_assert(levels[TIMER_PHYS]);
	fake_write(&pe, SR_CNTPOFF_EL2, 200); // the view is 800 now
	ck_assert(!levels[TIMER_PHYS]);
	ck_assert_uint_eq(fake_read(&pe, SR_CNTP_CTL_EL0), ENABLE); // seen from EL2, too
	run_to(16 * 1100 - 1);
	ck_assert(!levels[TIMER_PHYS]);
	run_to(16 * 1100);
	ck_assert(levels[TIMER_PHYS]);
	// Without ECV the offset counts as zero.
	fake_write(&pe, SR_CNTP_CVAL_EL0, 1000);
	ck_assert(!levels[TIMER_PHYS]);
	fake_write(&pe, SR_CNTHCTL_EL2, 0);
	ck_assert(levels[TIMER_PHYS]);
	fake_write(&pe, SR_CNTHCTL_EL2, ECV);
	ck_assert(!levels[TIMER_PHYS]);
	// Nor for a host with its EL0.
	fake_write(&pe, SR_HCR_EL2, UINT64_C(1) << 34);
	ck_assert(!levels[TIMER_PHYS]);
	fake_write(&pe, SR_HCR_EL2, UINT64_C(1) << 34 | UINT64_C(1) << 27);
	ck_assert(levels[TIMER_PHYS]);
	fake_write(&pe, SR_HCR_EL2, 0);
	ck_assert(!levels[TIMER_PHYS]);
}
END_TEST

START_TEST(physical_offset_needs_leave_of_el3)
{
	pe.has_el3 = true;
	run_to(16 * 1000);
	fake_write(&pe, SR_CNTPOFF_EL2, 300);
	fake_write(&pe, SR_CNTHCTL_EL2, ECV);
	pe.el = 1;
	ck_assert_uint_eq(fake_read(&pe, SR_CNTPCT_EL0), 1000);
	fake_write(&pe, SR_SCR_EL3, ECVEN | 1);
	ck_assert_uint_eq(fake_read(&pe, SR_CNTPCT_EL0), 700);
	// Secure, where EL2 is not enabled.
	pe.secure = true;
	fake_write(&pe, SR_SCR_EL3, ECVEN);
	ck_assert_uint_eq(fake_read(&pe, SR_CNTPCT_EL0), 1000);
	pe.secure = false;
	fake_write(&pe, SR_SCR_EL3, 1);
	ck_assert_uint_eq(fake_read(&pe, SR_CNTPCT_EL0), 1000);
}
END_TEST

START_TEST(physical_offset_beyond_the_count_wraps)
{
	fake_write(&pe, SR_CNTHCTL_EL2, ECV);
	fake_write(&pe, SR_CNTPOFF_EL2, 10);
	fake_write(&pe, SR_CNTP_CVAL_EL0, 5);
	fake_write(&pe, SR_CNTP_CTL_EL0, ENABLE);
	pe.el = 1;
	ck_assert_uint_eq(fake_read(&pe, SR_CNTPCT_EL0), -UINT64_C(10));
	ck_assert(levels[TIMER_PHYS]);
	run_to(16 * 10);
	ck_assert(!levels[TIMER_PHYS]);
	run_to(16 * 15);
	ck_assert(levels[TIMER_PHYS]);
}
END_TEST

START_TEST(time_never_runs_behind_the_interrupt)
{
	// The queue fires at 1600 while this PE's own clock is still at 1500: it must see the
	// condition as met.
	fake_write(&pe, SR_CNTP_CTL_EL0, ENABLE);
	fake_write(&pe, SR_CNTP_CVAL_EL0, 100);
	pe.time = 1500;
	event_queue_run(&queue, 1600);
	ck_assert(levels[TIMER_PHYS]);
	ck_assert_uint_eq(fake_read(&pe, SR_CNTP_CTL_EL0), ENABLE | ISTATUS);
	ck_assert_uint_eq(fake_read(&pe, SR_CNTPCT_EL0), 100);
}
END_TEST

START_TEST(reset_silences_everything)
{
	for (unsigned i = 0; i < TIMER_COUNT; i++) {
		fake_write(&pe, timers[i].ctl, ENABLE);
	}
	ck_assert(levels[TIMER_PHYS]);
	fake_write(&pe, SR_CNTKCTL_EL1, 1u << 2);
	pe.sr[SR_CNTKCTL_EL1] = 0; // the PE's own part of a reset
	pe.sr[SR_CNTFRQ_EL0] = 0;
	timer_reset(timer);
	for (unsigned i = 0; i < TIMER_COUNT; i++) {
		ck_assert(!levels[i]);
		ck_assert_uint_eq(fake_read(&pe, timers[i].ctl), 0);
	}
	ck_assert_uint_eq(fake_read(&pe, SR_CNTFRQ_EL0), 62500000);
	ck_assert_uint_eq(event_queue_deadline(&queue), EVENT_NEVER);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("timer");
	TCase *tcase = tcase_create("timer");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, counter_is_time_by_16);
	tcase_add_loop_test(tcase, each_timer_fires_at_the_first_nanosecond, 0, TIMER_COUNT);
	tcase_add_test(tcase, imask_and_enable_hold_the_line);
	tcase_add_test(tcase, tval_is_sign_extended);
	tcase_add_test(tcase, negative_tval_near_zero_is_far_in_the_future);
	tcase_add_test(tcase, far_compare_values_never_fire);
	tcase_add_test(tcase, virtual_offset_moves_count_and_timer);
	tcase_add_test(tcase, virtual_count_before_zero_wraps);
	tcase_add_test(tcase, hosts_see_the_physical_count);
	tcase_add_test(tcase, event_stream_periods);
	tcase_add_test(tcase, event_stream_of_el2_uses_the_physical_count);
	tcase_add_test(tcase, event_stream_of_the_scaled_counter);
	tcase_add_test(tcase, physical_offset_is_for_el1_and_el0);
	tcase_add_test(tcase, physical_offset_moves_the_timer);
	tcase_add_test(tcase, physical_offset_needs_leave_of_el3);
	tcase_add_test(tcase, physical_offset_beyond_the_count_wraps);
	tcase_add_test(tcase, time_never_runs_behind_the_interrupt);
	tcase_add_test(tcase, reset_silences_everything);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
