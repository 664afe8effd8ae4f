/* SPDX-License-Identifier: BSD-2-Clause */
/* Turns of several vCPUs on one hart: who runs, who sleeps, and what others may do meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "sched_sides.h"

static void test_claims(void **state)
{
	(void)state;
	for (u32 i = 0; i < SCHED_VCPUS; i++)
		assert_int_equal(sched_claim(&sched, &vcpu[i]), 0);
	assert_int_equal(sched_count(&sched), SCHED_VCPUS);
	assert_int_equal(sched_claim(&sched, &vcpu[SCHED_VCPUS]), -ERANGE);
	sched_release(&sched, &vcpu[3]);
	assert_int_equal(sched_count(&sched), SCHED_VCPUS - 1);
	assert_int_equal(sched_claim(&sched, &vcpu[SCHED_VCPUS]), 0);
	assert_ptr_equal(sched_get(&sched, 3), &vcpu[SCHED_VCPUS]);
}

static void test_claims_refused(void **state)
{
	(void)state;
	vcpu[0].shared = false;
	assert_int_equal(sched_claim(&sched, &vcpu[0]), 0);
	assert_int_equal(sched_claim(&sched, &vcpu[1]), -EBUSY);
	sched_release(&sched, &vcpu[0]);
	assert_int_equal(sched_claim(&sched, &vcpu[1]), 0);
	assert_int_equal(sched_claim(&sched, &vcpu[0]), -EBUSY);
	vcpu[2].vm = &vm[1];
	assert_int_equal(sched_claim(&sched, &vcpu[2]), -ERANGE);
}

static void test_alone_needs_no_timer(void **state)
{
	(void)state;
	vcpu[0].shared = false;
	claim_and_start(0);
	turn(0);
	assert_int_equal(armed, 0);
	in_guest = wait_for_interrupt;
	turn(0);
	assert_false(vcpu[0].waiting);
	turn(0);
}

static void test_the_only_one_that_shares_needs_no_timer(void **state)
{
	(void)state;
	claim_and_start(0);
	turn(0);
	assert_int_equal(armed, 0);
}

static void test_alone_sleeps_in_the_guest(void **state)
{
	(void)state;
	claim_and_start(1);
	turn(1);
	assert_int_equal(sleeps_in_guest, BIT(1));
	claim_and_start(2);
	turn(2);
	turn(2);
	assert_int_equal(vcpu[2].alone, false);
	vm[2].paused = 1;
	turn(1);
	assert_int_equal(sleeps_in_guest, BIT(1));
	vm[2].paused = 0;
	turn(2);
	wakes = 0;
	in_guest = wait_for_interrupt;
	turn(2);
	turn(1);
	assert_int_equal(sleeps_in_guest, 0);
}

static void test_alone_with_a_budget_is_not_charged_for_sleep(void **state)
{
	(void)state;
	vm[1].def.sched.budget_us = 100;
	vm[1].def.sched.period_us = 1000;
	claim_and_start(1);
	turn(1);
	assert_int_equal(sleeps_in_guest, 0);
}

/* What the next look at a slot is to find. */
static void look(u32 slot, enum sched_state state, bool running, u64 has_run, u64 waited)
{
	struct sched_look l;

	sched_look(&sched, slot, &l);
	assert_int_equal(l.state, state);
	assert_int_equal(l.running, running);
	assert_int_equal(l.ran, has_run);
	assert_int_equal(l.waited, waited);
}

/* The guest has been there for 100 by now. */
static void look_from_within(struct vcpu *v)
{
	(void)v;
	look(0, SCHED_READY, false, 0, 100);
	look(1, SCHED_READY, true, 100, 0);
}

static void test_look(void **state)
{
	(void)state;
	claim_and_start(1);
	claim_and_start(2);
	look(0, SCHED_OFF, false, 0, 0);
	in_guest = look_from_within;
	turn(2);
	look(0, SCHED_READY, false, 0, 100);
	in_guest = wait_for_interrupt;
	turn(2);
	in_guest = NULL;
	turn(1);
	look(0, SCHED_READY, false, 100, 200);
	look(1, SCHED_BLOCKED, false, 200, 0);
}

/* Without budget it waits, though nobody else runs; asleep it does not. */
static void test_strict_waits_for_its_budget(void **state)
{
	(void)state;
	vm[1].def.sched = (struct vmdef_sched){ .shared = true, .budget_us = 100,
						.period_us = 1000, .strict = true };
	claim_and_start(1);
	turn(1);
	assert_false(sched_turn(&sched));
	assert_int_equal(armed, 1000 + 1000);
	look(0, SCHED_READY, false, 100, 0);
	now += 300;
	look(0, SCHED_READY, false, 100, 300);
	assert_false(sched_turn(&sched));	/* something else woke the hart */
	look(0, SCHED_READY, false, 100, 300);
	now = armed;
	in_guest = wait_for_interrupt;
	turn(1);
	look(0, SCHED_READY, false, 200, 900);
	assert_false(sched_turn(&sched));
	now += 5000;
	assert_false(sched_turn(&sched));
	look(0, SCHED_BLOCKED, false, 200, 900);
}

static void change_within(struct vcpu *v)
{
	vm[1].def.sched = (struct vmdef_sched){ .shared = true, .priority = 9 };
	sched_change(&sched, &vcpu[1]);
	assert_true(v->leave);
	look(1, SCHED_READY, true, 100, 0);
	now += 50;
}

static void test_change(void **state)
{
	(void)state;
	claim_and_start(1);
	claim_and_start(2);
	in_guest = change_within;
	turn(2);
	in_guest = NULL;
	look(1, SCHED_READY, false, 150, 0);
	turn(1);
	/* A budget, of one that has not run yet and of one that has. */
	claim_and_start(3);
	vm[3].def.sched = (struct vmdef_sched){ .shared = true, .priority = 20,
						.budget_us = 200, .period_us = 1000 };
	sched_change(&sched, &vcpu[3]);
	turn(3);
	turn(3);
	turn(1);
	vm[3].def.sched.budget_us = 300;
	sched_change(&sched, &vcpu[3]);
	turn(3);
	turn(3);
	turn(3);
	turn(1);
}

static void test_sleeper_leaves_the_hart_to_others(void **state)
{
	(void)state;
	claim_and_start(1);
	claim_and_start(2);
	turn(2);
	in_guest = wait_for_interrupt;
	turn(2);
	in_guest = NULL;
	turn(1);
	assert_ptr_equal(watched, &vcpu[2]);
	wakes = BIT(2);
	turn(2);
	assert_null(watched);
}

static void test_all_sleep(void **state)
{
	(void)state;
	in_guest = wait_for_interrupt;
	claim_and_start(1);
	claim_and_start(2);
	turn(2);
	turn(1);
	assert_false(sched_turn(&sched));
	assert_int_equal(armed, 0);
	wakes = BIT(1);
	turn(1);
}

static void test_equals_take_turns(void **state)
{
	(void)state;
	vm[1].def.sched.priority = vm[2].def.sched.priority = 4;
	claim_and_start(1);
	claim_and_start(2);
	turn(1);
	assert_int_equal(armed, 1000 + 5000);
	for (u32 i = 1; i < 50; i++)
		turn(1);
	turn(2);
	assert_int_equal(sched.entity[0].ran, 5000);
	assert_int_equal(sched.entity[1].waited, 5000);
}

static void yield(struct vcpu *v)
{
	vcpu_yield(v);
}

static void test_equal_yields(void **state)
{
	(void)state;
	vm[1].def.sched.priority = vm[2].def.sched.priority = 4;
	claim_and_start(1);
	claim_and_start(2);
	in_guest = yield;
	for (u32 i = 0; i < 6; i++)
		turn(1 + i % 2);
	vcpu[1].shared = false;
	vcpu[1].leave = false;
	vcpu_yield(&vcpu[1]);
	assert_false(vcpu[1].leave);
}

static void test_end_of_decision_takes_it_out(void **state)
{
	(void)state;
	vm[1].def.sched.priority = 2;
	claim_and_start(1);
	claim_and_start(2);
	turn(1);
	vcpu[1].leave = false;
	sched.timer.fire(&sched.timer);
	assert_true(vcpu[1].leave);
}

static void test_request_to_a_sleeper(void **state)
{
	(void)state;
	test_sleeper_leaves_the_hart_to_others(state);
	wakes = 0;
	in_guest = wait_for_interrupt;
	turn(2);
	in_guest = NULL;
	turn(1);
	/* From this hart at once, from another by an interrupt. */
	vcpu[1].leave = false;
	vcpu_request(&vcpu[2], VCPU_REQ_SOFT);
	assert_true(vcpu[1].leave);
	vcpu[1].leave = false;
	sched_interrupted(&sched, &vcpu[1]);
	assert_true(vcpu[1].leave);
	turn(2);
	vcpu[2].leave = false;
	sched_interrupted(&sched, &vcpu[2]);
	assert_false(vcpu[2].leave);
}

static void test_start_of_another(void **state)
{
	(void)state;
	claim_and_start(1);
	turn(1);
	claim_and_start(2);
	vcpu[1].leave = false;
	sched_interrupted(&sched, &vcpu[1]);
	assert_true(vcpu[1].leave);
	turn(2);
}

static void test_paused_is_out(void **state)
{
	(void)state;
	claim_and_start(1);
	claim_and_start(2);
	turn(2);
	vm[2].paused = 1;
	vcpu_request(&vcpu[2], VCPU_REQ_LEAVE);
	turn(1);
	vm[2].paused = 0;
	vcpu_request(&vcpu[2], VCPU_REQ_LEAVE);
	sched_interrupted(&sched, &vcpu[1]);
	assert_true(vcpu[1].leave);
	turn(2);
}

static void test_halt_of_one_that_is_not_loaded(void **state)
{
	(void)state;
	claim_and_start(1);
	claim_and_start(2);
	turn(2);
	vcpu_request(&vcpu[1], VCPU_REQ_HALT);
	vcpu[2].leave = false;
	sched_interrupted(&sched, &vcpu[2]);
	assert_true(vcpu[2].leave);
	ran = NULL;
	assert_true(sched_turn(&sched));
	assert_null(ran);
	assert_int_equal(halts, 1);
	assert_ptr_equal(loaded, &vcpu[2]);
	sched_release(&sched, &vcpu[1]);
	turn(2);
}

static void suspend(struct vcpu *v)
{
	vcpu_suspend(v, NULL);
}

static void test_suspended_is_watched(void **state)
{
	(void)state;
	claim_and_start(1);
	claim_and_start(2);
	in_guest = suspend;
	turn(2);
	in_guest = NULL;
	turn(1);
	assert_ptr_equal(watched, &vcpu[2]);
	wakes = BIT(2);
	turn(2);
	assert_int_equal(vcpu_state(&vcpu[2]), VCPU_RUNNING);
}

static void test_stopped_sleeper_starts_awake(void **state)
{
	(void)state;
	claim_and_start(2);
	in_guest = wait_for_interrupt;
	turn(2);
	wakes = BIT(2);
	in_guest = stop;
	turn(2);
	assert_false(sched_turn(&sched));
	wakes = 0;
	in_guest = NULL;
	assert_int_equal(vcpu_start(&vcpu[2], 0x2000, 0), 0);
	turn(2);
	turn(2);
}

static void test_what_fits(void **state)
{
	(void)state;
	assert_int_equal(sched_fits(&sched, &vcpu[1]), 0);
	assert_int_equal(sched_claim(&sched, &vcpu[1]), 0);
	assert_int_equal(sched_fits(&sched, &vcpu[2]), 0);
	vcpu[2].shared = false;
	assert_int_equal(sched_fits(&sched, &vcpu[2]), -EBUSY);
	assert_int_equal(sched_count(&sched), 1);
}

/* Its hart is in a call of another vCPU, which moves it, or waits for who does. */
static void test_moved_from_the_calling_hart(void **state)
{
	test_sleeper_leaves_the_hart_to_others(state);
	assert_ptr_equal(loaded, &vcpu[2]);
	in_guest = wait_for_interrupt;
	vcpu[1].waiting = true;
	watched = &vcpu[1];
	hart.sched = sched;
	vcpu_depart(&vcpu[1]);
	assert_null(watched);
	assert_ptr_equal(loaded, &vcpu[2]);
	in_guest = NULL;
	wakes |= BIT(1);
	vcpu[2].waiting = false;
	turn(2);
	wakes = BIT(1);
	vcpu[2].waiting = true;
	assert_false(sched_turn(&sched));
	vcpu_arrive(&vcpu[1]);
	turn(1);
}

/* Whoever moves one waits for its hart, which is busy with a more important one. */
static void test_moved_while_it_starves(void **state)
{
	(void)state;
	claim_and_start(1);
	claim_and_start(2);
	turn(2);
	vcpu[1].away = VCPU_ASKED;
	vcpu[2].leave = false;
	sched_interrupted(&sched, &vcpu[2]);
	assert_true(vcpu[2].leave);
	turn(2);
	assert_int_equal(vcpu[1].away, VCPU_AWAY);
}

static void test_moved_before_it_starts(void **state)
{
	(void)state;
	assert_int_equal(sched_claim(&sched, &vcpu[1]), 0);
	claim_and_start(2);
	turn(2);
	vcpu[1].away = VCPU_ASKED;
	vcpu[2].leave = false;
	sched_interrupted(&sched, &vcpu[2]);
	assert_true(vcpu[2].leave);
	turn(2);
	assert_int_equal(vcpu[1].away, VCPU_AWAY);
}

/* It was ready when the calling hart let go of it, in a call of another one. */
static void test_moved_and_not_run_any_more(void **state)
{
	(void)state;
	claim_and_start(1);
	claim_and_start(3);
	claim_and_start(2);
	turn(3);
	loaded = &vcpu[1];
	vcpu[3].away = VCPU_ASKED;
	sched_let_go(&sched);
	assert_int_equal(vcpu[3].away, VCPU_AWAY);
	sched_release(&sched, &vcpu[3]);
	turn(2);
}

/* A budget that is used up is not full again on another hart. */
static void test_moved_without_budget(void **state)
{
	static struct sched other;
	struct sched_look was;

	(void)state;
	vm[2].def.sched.budget_us = 100;
	vm[2].def.sched.period_us = 1000;
	claim_and_start(1);
	claim_and_start(2);
	turn(2);
	turn(1);
	sched_look(&sched, 1, &was);
	sched_release(&sched, &vcpu[2]);
	assert_int_equal(sched_claim(&other, &vcpu[2]), 0);
	sched_adopt(&other, &vcpu[2], &was);
	sched_release(&sched, &vcpu[1]);
	assert_int_equal(sched_claim(&other, &vcpu[1]), 0);
	sched = other;
	turn(1);
	now = was.refill;
	turn(2);
}

static void test_start_from_its_own_hart(void **state)
{
	(void)state;
	claim_and_start(1);
	turn(1);
	vcpu[1].leave = false;
	claim_and_start(2);
	assert_true(vcpu[1].leave);
	turn(2);
}

/* The first to ask it costs the hart a turn; what it sleeps through costs no more. */
static void test_deaf_sleeper_is_not_woken(void **state)
{
	struct hart other = { .index = 1 };

	(void)state;
	deaf = VCPU_REQ_SOFT;
	claim_and_start(1);
	claim_and_start(2);
	in_guest = wait_for_interrupt;
	turn(2);
	turn(1);
	in_guest = NULL;
	wakes = BIT(2);
	turn(2);
	for (u32 i = 0; i < 5; i++) {
		hart_now = &other;
		vcpu_request(&vcpu[1], VCPU_REQ_SOFT);
		hart_now = &hart;
		assert_int_equal(hart.kicks, 1);
		vcpu[2].leave = false;
		sched_interrupted(&sched, &vcpu[2]);
		assert_int_equal(vcpu[2].leave, i == 0);
		turn(2);
	}
	/* Another interrupt does. */
	deaf = 0;
	wakes |= BIT(1);
	in_guest = wait_for_interrupt;
	wakes &= ~BIT(2);
	turn(2);
	in_guest = NULL;
	turn(1);
	assert_int_equal(vcpu[1].requests, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_claims, sched_setup),
		cmocka_unit_test_setup(test_claims_refused, sched_setup),
		cmocka_unit_test_setup(test_alone_needs_no_timer, sched_setup),
		cmocka_unit_test_setup(test_the_only_one_that_shares_needs_no_timer, sched_setup),
		cmocka_unit_test_setup(test_alone_sleeps_in_the_guest, sched_setup),
		cmocka_unit_test_setup(test_alone_with_a_budget_is_not_charged_for_sleep,
					sched_setup),
		cmocka_unit_test_setup(test_look, sched_setup),
		cmocka_unit_test_setup(test_strict_waits_for_its_budget, sched_setup),
		cmocka_unit_test_setup(test_change, sched_setup),
		cmocka_unit_test_setup(test_sleeper_leaves_the_hart_to_others, sched_setup),
		cmocka_unit_test_setup(test_all_sleep, sched_setup),
		cmocka_unit_test_setup(test_equals_take_turns, sched_setup),
		cmocka_unit_test_setup(test_equal_yields, sched_setup),
		cmocka_unit_test_setup(test_end_of_decision_takes_it_out, sched_setup),
		cmocka_unit_test_setup(test_request_to_a_sleeper, sched_setup),
		cmocka_unit_test_setup(test_start_of_another, sched_setup),
		cmocka_unit_test_setup(test_paused_is_out, sched_setup),
		cmocka_unit_test_setup(test_halt_of_one_that_is_not_loaded, sched_setup),
		cmocka_unit_test_setup(test_suspended_is_watched, sched_setup),
		cmocka_unit_test_setup(test_stopped_sleeper_starts_awake, sched_setup),
		cmocka_unit_test_setup(test_what_fits, sched_setup),
		cmocka_unit_test_setup(test_moved_from_the_calling_hart, sched_setup),
		cmocka_unit_test_setup(test_deaf_sleeper_is_not_woken, sched_setup),
		cmocka_unit_test_setup(test_start_from_its_own_hart, sched_setup),
		cmocka_unit_test_setup(test_moved_and_not_run_any_more, sched_setup),
		cmocka_unit_test_setup(test_moved_without_budget, sched_setup),
		cmocka_unit_test_setup(test_moved_before_it_starts, sched_setup),
		cmocka_unit_test_setup(test_moved_while_it_starves, sched_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
