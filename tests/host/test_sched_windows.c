/* SPDX-License-Identifier: BSD-2-Clause */
/* Turns of partitions on one hart, and of a VM with priority beside them. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "sched_sides.h"

/* VM 1 has 2000 … 2500 of every 1000 ticks, VM 2 2500 … 2900; a switch costs 50. */
static void windows(void)
{
	static struct schedule schedule;

	schedule = (struct schedule){
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
	at(2451, 2);
	at(2960, 1);
	assert_int_equal(troubles, 0);
	at(3451, 2);
	now = 4901;
	assert_false(sched_turn(&sched));
	assert_int_equal(sched.entity[1].health.missed, 1);
	now = 4960;
	assert_true(sched_turn(&sched));
	assert_int_equal(troubles, BIT(1) | BIT(2));
}

/* It waits for its timer, and the hart is away when that is due, and its window is. */
static void test_sleeper_misses_its_window(void **state)
{
	(void)state;
	windows();
	in_guest = wait_for_interrupt;
	at(1955, 1);
	at(2451, 2);
	in_guest = NULL;
	now = 2600;
	assert_false(sched_turn(&sched));
	wakes = BIT(1) | BIT(2);
	at(2960, 1);
	assert_int_equal(troubles, 0);
	at(3960, 1);
	assert_int_equal(sched.entity[0].health.missed, 0);
	assert_int_equal(sched.entity[1].health.missed, 1);
	assert_int_equal(troubles, BIT(2));
	at(4451, 2);
	assert_int_equal(sched.entity[1].health.missed, 1);
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

static struct schedule *the_schedule(void)
{
	return (struct schedule *)frames.frame.schedule;
}

/* The hart runs a VM by priority, and has looked when no partition had anything to do. */
static void test_partition_starts_beside_a_background_vm(void **state)
{
	struct hart other = { .index = 1 };

	(void)state;
	windows();
	the_schedule()->table[0].relaxed = true;
	in_guest = stop;
	at(1955, 1);
	at(2451, 2);
	in_guest = NULL;
	claim_and_start(3);
	now = 2920;
	turn(3);
	assert_int_equal(armed, 0);
	now = 3600;
	hart_now = &other;
	assert_int_equal(vcpu_start(&vcpu[1], 0x1000, 0), 0);
	hart_now = &hart;
	vcpu[3].leave = false;
	sched_interrupted(&sched, &vcpu[3]);
	assert_true(vcpu[3].leave);
	turn(3);
	at(3960, 1);
}

static void test_background_vm_does_not_disturb(void **state)
{
	struct hart other = { .index = 1 };

	(void)state;
	windows();
	the_schedule()->table[0].relaxed = true;
	claim_and_start(3);
	in_guest = wait_for_interrupt;
	turn(3);
	in_guest = NULL;
	at(1955, 1);
	assert_null(watched);
	hart_now = &other;
	vcpu_request(&vcpu[3], VCPU_REQ_SOFT);
	hart_now = &hart;
	vcpu[1].leave = false;
	sched_interrupted(&sched, &vcpu[1]);
	assert_false(vcpu[1].leave);
	/* What the partition leaves is its. */
	in_guest = wait_for_interrupt;
	turn(1);
	in_guest = NULL;
	turn(3);
}

/* The place of the schedule has another one, in which the partitions have changed places. */
static void test_another_schedule_unseen(void **state)
{
	(void)state;
	windows();
	at(1955, 1);
	strcpy(the_schedule()->partition[0].name, "two");
	strcpy(the_schedule()->partition[1].name, "one");
	at(4451, 1);
	at(4960, 2);
}

/* Numbers change: VM 2 has 0 … 300, VM 1 the rest, and a switch costs less, or more. */
static void install_another(u64 switch_time)
{
	static struct schedule other;

	other = *the_schedule();
	other.switch_time = switch_time;
	strcpy(other.partition[0].name, "two");
	strcpy(other.partition[1].name, "one");
	other.window[0] = (struct schedule_window){ 0, 300, 0 };
	other.window[1] = (struct schedule_window){ 300, 1000, 1 };
	frames.next_schedule = &other;
	frames.next_table = 0;
}

/* The first window of another schedule begins with its frame, and nobody else runs meanwhile. */
static void after_another_schedule(u64 switch_time, u64 looks)
{
	windows();
	at(1955, 1);
	at(2451, 2);
	install_another(switch_time);
	now = 2851;
	assert_false(sched_turn(&sched));
	assert_int_equal(armed, 2950);
	if (looks > armed) {
		now = armed;
		assert_false(sched_turn(&sched));
		assert_int_equal(armed, looks);
	}
	at(looks, 2);
	assert_int_equal(vcpu[2].enter_at, 3000);
	assert_in_range(vcpu[2].late, 0, 1);
	assert_in_range(now, 3100, 3110);
	assert_int_equal(armed, 3300 - switch_time);
	at(3300 - switch_time, 1);
	assert_int_equal(vcpu[1].enter_at, 3300);
	assert_in_range(vcpu[1].late, 0, 1);
	at(4000 - switch_time, 2);
	assert_int_equal(vcpu[2].enter_at, 4000);
	assert_int_equal(troubles, 0);
}

static void test_window_right_after_another_schedule(void **state)
{
	after_another_schedule(50, 2950);
	sched_setup(state);
	after_another_schedule(30, 2970);
	sched_setup(state);
	after_another_schedule(80, 2950);
}

/* What touches the frame's end goes on in the next table's first window, if that is the same's. */
static void test_window_right_after_another_table(void **state)
{
	struct schedule *s;

	(void)state;
	windows();
	s = the_schedule();
	s->tables = s->lists = 2;
	s->table[1] = (struct schedule_table){ .frame = 2000, .first = 1, .lists = 1 };
	s->list[1] = (struct schedule_list){ .hart = 0, .first = 2, .count = 2 };
	s->window[1].end = 1000;
	s->window[2] = (struct schedule_window){ 0, 700, 1 };
	s->window[3] = (struct schedule_window){ 700, 2000, 0 };
	at(1955, 1);
	at(2451, 2);
	frames.next_table = 1;
	at(2955, 2);
	assert_int_equal(vcpu[2].enter_at, 0);
	assert_int_equal(armed, 3650);
	at(3651, 1);
	assert_int_equal(vcpu[1].enter_at, 3700);
	assert_int_equal(armed, 4950);
	frames.next_table = 0;
	at(4951, 1);
	assert_int_equal(vcpu[1].enter_at, 0);
	assert_int_equal(armed, 5450);
	assert_int_equal(troubles, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_window_begins_on_time, sched_setup),
		cmocka_unit_test_setup(test_late_window_is_told, sched_setup),
		cmocka_unit_test_setup(test_sleeper_misses_its_window, sched_setup),
		cmocka_unit_test_setup(test_outside_of_its_window, sched_setup),
		cmocka_unit_test_setup(test_halts_in_its_window, sched_setup),
		cmocka_unit_test_setup(test_partition_leaves, sched_setup),
		cmocka_unit_test_setup(test_no_schedule, sched_setup),
		cmocka_unit_test_setup(test_another_schedule_unseen, sched_setup),
		cmocka_unit_test_setup(test_window_right_after_another_schedule, sched_setup),
		cmocka_unit_test_setup(test_window_right_after_another_table, sched_setup),
		cmocka_unit_test_setup(test_background_vm_does_not_disturb, sched_setup),
		cmocka_unit_test_setup(test_partition_starts_beside_a_background_vm, sched_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
