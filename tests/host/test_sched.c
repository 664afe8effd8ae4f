/* SPDX-License-Identifier: BSD-2-Clause */
/* Turns of several vCPUs on one hart: who runs, who sleeps, and what others may do meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include <asm/hart.h>
#include <hv/errno.h>
#include <hv/events.h>
#include <hv/frames.h>
#include <hv/machine.h>
#include <hv/sched.h>
#include <hv/vcpu.h>
#include <hv/vm.h>

#define COUNT (SCHED_VCPUS + 1)

struct hart *hart_now;

static struct hart hart;
static struct sched sched;
static struct vm vm[COUNT];
static struct vcpu vcpu[COUNT];
static struct vcpu *loaded, *ran, *watched;
static u32 halts;
static u64 sleeps_in_guest;		/* bit per vCPU: its WFI does not exit */
static u64 wakes;			/* bit per vCPU: an interrupt is pending for it */
static u64 now;
static u64 armed;			/* 0: not */
static void (*in_guest)(struct vcpu *v);

/* ---- What the code under test needs of others ---- */

void hart_kick(struct hart *to)
{
	to->kicks++;
}

void machine_vcpu_halt(struct vm *of, u32 index)
{
	(void)of;
	assert_int_equal(index, 0);
}

bool vm_halted(struct vm *of)
{
	(void)of;
	halts++;
	return false;
}

static u64 passes;			/* ticks with each look at the time */

u64 arch_time(void)
{
	return now += passes;
}

u64 arch_timebase(void)
{
	return 1000000;
}

void timer_arm(struct timer *timer, u64 deadline)
{
	timer->armed = true;
	timer->deadline = armed = deadline;
}

void timer_cancel(struct timer *timer)
{
	timer->armed = false;
	armed = 0;
}

void arch_vcpu_reset(struct vcpu *v, const struct vcpu_start *start)
{
	v->arch.pc = start->pc;
}

void arch_vcpu_resume(struct vcpu *v, const struct vcpu_start *start)
{
	v->arch.pc = start->pc;
}

void arch_vcpu_load(struct vcpu *v)
{
	if (watched == v)
		watched = NULL;
	if (loaded && loaded != v && vcpu_sleeps(loaded))
		watched = loaded;
	loaded = v;
}

void arch_vcpu_park(struct vcpu *v)
{
	if (loaded == v)
		loaded = NULL;
	if (watched == v)
		watched = NULL;
}

void arch_vcpu_depart(struct vcpu *v)
{
	arch_vcpu_park(v);
}

void fence_serve(void)
{
}

void arch_vcpu_unload(struct vcpu *v)
{
	arch_vcpu_park(v);
}

void arch_vcpu_enter(struct vcpu *v)
{
	assert_ptr_equal(loaded, v);
	ran = v;
	now += 100;
	if (in_guest)
		in_guest(v);
}

void arch_vcpu_watch(struct vcpu *v)
{
	watched = v;
}

void arch_vcpu_soft(struct vcpu *v)
{
	wakes |= BIT(v->vm->id);
}

void arch_vcpu_external(struct vcpu *v, bool level)
{
	(void)v;
	(void)level;
}

void arch_vcpu_soft_saved(struct vcpu *v)
{
	arch_vcpu_soft(v);
}

void arch_vcpu_external_saved(struct vcpu *v, bool level)
{
	arch_vcpu_external(v, level);
}

void arch_vcpu_alone(struct vcpu *v)
{
	sleeps_in_guest = v->alone ? sleeps_in_guest | BIT(v->vm->id) :
				     sleeps_in_guest & ~BIT(v->vm->id);
}

bool arch_vcpu_wakes(const struct vcpu *v)
{
	return wakes & BIT(v->vm->id);
}

struct vcpu *arch_vcpu_current(void)
{
	return loaded;
}

static bool nothing_pending(void *chip, u32 index)
{
	(void)chip;
	(void)index;
	return false;
}

static const struct irqchip_ops chip = { .name = "none", .pending = nothing_pending };

void arch_vcpu_unwatch(struct vcpu *v)
{
	if (watched == v)
		watched = NULL;
}

static struct frames frames;
static u64 troubles;			/* bit per VM: an event */

bool schedule_frame(u64 at, struct frame *out)
{
	if (frames.frame.number)
		frames_advance(&frames, at);
	*out = frames.frame;
	return out->number != 0;
}

void events_health(u32 id)
{
	troubles |= BIT(id);
}

/* ---- Helpers ---- */

static int setup(void **state)
{
	(void)state;
	memset(vm, 0, sizeof(vm));
	memset(vcpu, 0, sizeof(vcpu));
	memset(&sched, 0, sizeof(sched));
	loaded = ran = watched = NULL;
	halts = 0;
	wakes = armed = sleeps_in_guest = 0;
	troubles = passes = 0;
	frames = (struct frames){ .frame.number = 0 };
	now = 1000;
	in_guest = NULL;
	hart = (struct hart){ .index = 0 };
	hart_now = &hart;
	for (u32 i = 0; i < COUNT; i++) {
		vm[i].id = i;
		vm[i].irqchip = &chip;
		vm[i].def.sched = (struct vmdef_sched){ .shared = true, .priority = i };
		vcpu[i] = (struct vcpu){ .vm = &vm[i], .hart = &hart, .shared = true };
	}
	return 0;
}

static void claim_and_start(u32 i)
{
	assert_int_equal(sched_claim(&sched, &vcpu[i]), 0);
	assert_int_equal(vcpu_start(&vcpu[i], 0x1000, 0), 0);
}

/* One turn runs this vCPU. */
static void turn(u32 i)
{
	ran = NULL;
	assert_true(sched_turn(&sched));
	assert_ptr_equal(ran, &vcpu[i]);
}

static void wait_for_interrupt(struct vcpu *v)
{
	vcpu_wait(v);
}

/* ---- Tests ---- */

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

static void stop(struct vcpu *v)
{
	vcpu_stop(v);
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

/* ---- Windows ---- */

/* VM 1 has 2000 … 2500 of every 1000 ticks, VM 2 2500 … 2900; a switch costs 50. */
static void windows(void)
{
	static struct schedule schedule = {
		.switch_time = 50, .late = 20, .partitions = 2, .tables = 1, .lists = 1,
		.partition = { { .name = "one" }, { .name = "two" } },
		.table = { { .frame = 1000, .lists = 1 } },
		.list = { { .hart = 0, .count = 2 } },
		.window = { { 0, 500, 0 }, { 500, 900, 1 } },
	};

	strcpy(vm[1].def.name, "one");
	strcpy(vm[2].def.name, "two");
	vm[1].def.sched.windowed = vm[2].def.sched.windowed = true;
	now = 1500;
	passes = 1;
	frames_begin(&frames, &schedule, now);
	claim_and_start(1);
	claim_and_start(2);
	assert_false(sched_turn(&sched));
	assert_int_equal(armed, 1950);
}

static void at(u64 time, u32 i)
{
	now = time;
	vcpu[i].late = 1000;
	turn(i);
}

static void test_window_begins_on_time(void **state)
{
	(void)state;
	windows();
	at(1955, 1);
	/* The guest's stay is 100 ticks; before, it was waited for the window. */
	assert_in_range(now, 2100, 2110);
	assert_in_range(vcpu[1].late, 0, 1);
	assert_int_equal(armed, 2450);
	at(2300, 1);
	assert_int_equal(vcpu[1].enter_at, 0);
	at(2451, 2);
	assert_in_range(now, 2600, 2610);
	assert_int_equal(troubles, 0);
	assert_int_equal(sched.entity[1].health.windows, 1);
}

static void test_late_window_is_told(void **state)
{
	(void)state;
	windows();
	at(2030, 1);
	assert_in_range(vcpu[1].late, 31, 33);
	assert_int_equal(troubles, BIT(1));
	assert_int_equal(sched.entity[0].health.late, 1);
	/* Once. */
	troubles = 0;
	at(2960, 1);
	assert_int_equal(troubles, 0);
	/* VM 2 had no window between. */
	assert_int_equal(sched.entity[1].health.missed, 0);
	at(3451, 2);
	now = 4901;
	assert_false(sched_turn(&sched));
	at(5451, 2);
	assert_int_equal(sched.entity[1].health.missed, 1);
	assert_int_equal(troubles, BIT(2));
}

/* Nothing that comes for one outside of its window touches the one that runs. */
static void test_outside_of_its_window(void **state)
{
	(void)state;
	windows();
	in_guest = wait_for_interrupt;
	at(1955, 1);
	now = 2200;
	assert_false(sched_turn(&sched));
	assert_ptr_equal(watched, &vcpu[1]);
	in_guest = NULL;
	at(2451, 2);
	assert_null(watched);
	wakes = BIT(1);
	vcpu[2].leave = false;
	vcpu_request(&vcpu[1], VCPU_REQ_SOFT);
	sched_interrupted(&sched, &vcpu[2]);
	assert_false(vcpu[2].leave);
	at(2700, 2);
	at(2960, 1);
}

static void test_halts_in_its_window(void **state)
{
	(void)state;
	windows();
	at(1955, 1);
	at(2451, 2);
	vcpu_request(&vcpu[1], VCPU_REQ_HALT);
	vcpu[2].leave = false;
	sched_interrupted(&sched, &vcpu[2]);
	assert_false(vcpu[2].leave);
	at(2700, 2);
	assert_int_equal(halts, 0);
	now = 2960;
	assert_true(sched_turn(&sched));
	assert_int_equal(halts, 1);
	assert_int_equal(vcpu_state(&vcpu[1]), VCPU_HALTED);
	at(3451, 2);
}

static void test_partition_leaves(void **state)
{
	(void)state;
	windows();
	assert_true(sched.windowed);
	sched_release(&sched, &vcpu[1]);
	assert_true(sched.windowed);
	now = 1960;
	assert_false(sched_turn(&sched));
	at(2451, 2);
	sched_release(&sched, &vcpu[2]);
	assert_false(sched.windowed);
	assert_false(sched_turn(&sched));
	assert_int_equal(armed, 0);
}

static void test_no_schedule(void **state)
{
	(void)state;
	windows();
	frames.frame.number = 0;
	sched = (struct sched){ .used = 0 };
	vcpu[1].state = vcpu[2].state = VCPU_STOPPED;
	claim_and_start(1);
	armed = 0;
	assert_false(sched_turn(&sched));
	assert_int_equal(armed, 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_claims, setup),
		cmocka_unit_test_setup(test_claims_refused, setup),
		cmocka_unit_test_setup(test_alone_needs_no_timer, setup),
		cmocka_unit_test_setup(test_the_only_one_that_shares_needs_no_timer, setup),
		cmocka_unit_test_setup(test_alone_sleeps_in_the_guest, setup),
		cmocka_unit_test_setup(test_alone_with_a_budget_is_not_charged_for_sleep, setup),
		cmocka_unit_test_setup(test_look, setup),
		cmocka_unit_test_setup(test_change, setup),
		cmocka_unit_test_setup(test_sleeper_leaves_the_hart_to_others, setup),
		cmocka_unit_test_setup(test_all_sleep, setup),
		cmocka_unit_test_setup(test_equals_take_turns, setup),
		cmocka_unit_test_setup(test_equal_yields, setup),
		cmocka_unit_test_setup(test_end_of_decision_takes_it_out, setup),
		cmocka_unit_test_setup(test_request_to_a_sleeper, setup),
		cmocka_unit_test_setup(test_start_of_another, setup),
		cmocka_unit_test_setup(test_paused_is_out, setup),
		cmocka_unit_test_setup(test_halt_of_one_that_is_not_loaded, setup),
		cmocka_unit_test_setup(test_suspended_is_watched, setup),
		cmocka_unit_test_setup(test_stopped_sleeper_starts_awake, setup),
		cmocka_unit_test_setup(test_window_begins_on_time, setup),
		cmocka_unit_test_setup(test_late_window_is_told, setup),
		cmocka_unit_test_setup(test_outside_of_its_window, setup),
		cmocka_unit_test_setup(test_halts_in_its_window, setup),
		cmocka_unit_test_setup(test_partition_leaves, setup),
		cmocka_unit_test_setup(test_no_schedule, setup),
		cmocka_unit_test_setup(test_what_fits, setup),
		cmocka_unit_test_setup(test_moved_from_the_calling_hart, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
