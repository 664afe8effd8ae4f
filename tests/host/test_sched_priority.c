/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The policy "priority": single decisions, and random workloads against what must hold of every
 * decision, by an account of budgets that the test keeps itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <hv/sched_policy.h>

#define SLICE 50
#define ENTITIES 6

static const struct sched_policy *const policy = &sched_priority;
static struct sched_entity entity[ENTITIES];
static struct sched_queue queue;
static u64 now;

static void add(u32 priority, u64 budget, u64 period)
{
	entity[queue.count] = (struct sched_entity){ .params = { priority, budget, period,
							       false } };
	policy->begin(&queue, queue.count++, now);
}

static void add_ready(u32 priority, u64 budget, u64 period)
{
	add(priority, budget, period);
	policy->set_state(&queue, queue.count - 1, SCHED_READY);
}

static void add_strict(u32 priority, u64 budget, u64 period)
{
	add_ready(priority, budget, period);
	entity[queue.count - 1].params.strict = true;
}

static int setup(void **state)
{
	(void)state;
	now = 1000;
	queue = (struct sched_queue){ .entity = entity, .slice = SLICE };
	return 0;
}

/* The one chosen runs for so long. */
static void run(u32 i, u64 ticks)
{
	policy->charge(&queue, i, now, now + ticks);
	now += ticks;
}

static void expect(u32 next, u64 ticks)
{
	struct sched_choice choice = policy->choose(&queue, now);

	assert_int_equal(choice.next, next);
	assert_int_equal(choice.until, ticks == SCHED_NEVER ? SCHED_NEVER : now + ticks);
}

/* ---- Single decisions ---- */

static void test_nobody(void **state)
{
	(void)state;
	expect(SCHED_NOBODY, SCHED_NEVER);
	add(3, 0, 0);
	expect(SCHED_NOBODY, SCHED_NEVER);
	policy->set_state(&queue, 0, SCHED_BLOCKED);
	expect(SCHED_NOBODY, SCHED_NEVER);
}

static void test_alone_without_end(void **state)
{
	(void)state;
	add_ready(3, 40, 100);
	add(5, 0, 0);
	expect(0, SCHED_NEVER);
	run(0, 5000);
	expect(0, SCHED_NEVER);
}

static void test_higher_priority_runs(void **state)
{
	(void)state;
	add_ready(1, 0, 0);
	add_ready(7, 0, 0);
	add_ready(3, 0, 0);
	expect(1, SCHED_NEVER);
	policy->set_state(&queue, 1, SCHED_BLOCKED);
	expect(2, SCHED_NEVER);
	policy->set_state(&queue, 1, SCHED_READY);
	expect(1, SCHED_NEVER);
}

static void test_turns_inside_a_priority(void **state)
{
	(void)state;
	add_ready(2, 0, 0);
	add_ready(2, 0, 0);
	add_ready(2, 0, 0);
	for (u32 i = 0; i < 9; i++) {
		expect(i % 3, SLICE);
		run(i % 3, SLICE);
	}
}

static void test_interrupted_turn_goes_on(void **state)
{
	(void)state;
	add_ready(2, 0, 0);
	add_ready(2, 0, 0);
	add(9, 0, 0);
	run(0, 20);
	policy->set_state(&queue, 2, SCHED_READY);
	expect(2, SCHED_NEVER);
	run(2, 500);
	policy->set_state(&queue, 2, SCHED_BLOCKED);
	expect(0, SLICE - 20);
	run(0, SLICE - 20);
	expect(1, SLICE);
}

/* Nobody gets more by sleeping often. */
static void test_who_slept_comes_last(void **state)
{
	(void)state;
	add_ready(2, 0, 0);
	add_ready(2, 0, 0);
	run(0, 1);
	policy->set_state(&queue, 0, SCHED_BLOCKED);
	policy->set_state(&queue, 0, SCHED_READY);
	expect(1, SLICE);
}

static void test_yield(void **state)
{
	(void)state;
	add_ready(2, 0, 0);
	add_ready(2, 0, 0);
	add_ready(1, 0, 0);
	run(0, 3);
	policy->yield(&queue, 0);
	expect(1, SLICE);
	policy->yield(&queue, 1);
	expect(0, SLICE);
}

static void test_budget_ends(void **state)
{
	(void)state;
	add_ready(9, 40, 100);
	add_ready(1, 0, 0);
	expect(0, 40);
	run(0, 40);
	expect(1, 60);
	run(1, 60);
	expect(0, 40);
}

/* What was not used does not add up, and a long sleep does not make it wrong. */
static void test_budget_does_not_add_up(void **state)
{
	(void)state;
	add_ready(9, 40, 100);
	add_ready(1, 0, 0);
	policy->set_state(&queue, 0, SCHED_BLOCKED);
	run(1, 1030);
	policy->set_state(&queue, 0, SCHED_READY);
	expect(0, 40);
	run(0, 40);
	expect(1, 30);
}

static void test_budget_over_the_end_of_a_period(void **state)
{
	(void)state;
	add_ready(9, 40, 100);
	add(1, 0, 0);
	run(0, 110);	/* alone: 10 ticks of it belong to the second period */
	policy->set_state(&queue, 1, SCHED_READY);
	expect(0, 30);
}

static void test_strict_budget(void **state)
{
	(void)state;
	add_strict(9, 40, 100);
	expect(0, 40);
	run(0, 40);
	expect(SCHED_NOBODY, 60);
	now += 60;
	expect(0, 40);
}

/* It leaves the hart to those behind it, and to them alone. */
static void test_strict_beside_others(void **state)
{
	(void)state;
	add_strict(9, 40, 100);
	add_strict(9, 10, 100);
	add_ready(1, 20, 100);
	run(0, 40);
	expect(1, 10);
	run(1, 10);
	expect(2, 20);
	run(2, 30);
	expect(2, 20);	/* without budget, until the others' is back */
	policy->set_state(&queue, 2, SCHED_BLOCKED);
	expect(SCHED_NOBODY, 20);
}

static void test_shares_are_exact(void **state)
{
	(void)state;
	add_ready(1, 60, 100);
	add_ready(1, 40, 100);
	for (u32 period = 1; period <= 1000; period++) {
		while (now < 1000 + 100 * period) {
			struct sched_choice choice = policy->choose(&queue, now);

			run(choice.next, MIN(choice.until, 1000 + 100 * period) - now);
		}
		assert_int_equal(entity[0].ran, 60 * period);
		assert_int_equal(entity[1].ran, 40 * period);
	}
}

/* ---- Random workloads ---- */

/* The test's own account. */
static struct {
	u64 begun;
	u64 period;	/* number of the one counted */
	u64 used;
} account[ENTITIES];

static u64 used_now(u32 i)
{
	const struct sched_params *params = &entity[i].params;

	return account[i].period == (now - account[i].begun) / params->period ?
		       account[i].used : 0;
}

static bool funded(u32 i)
{
	return !entity[i].params.budget || used_now(i) < entity[i].params.budget;
}

static void account_run(u32 i, u64 ticks)
{
	u64 period = entity[i].params.period;

	while (ticks && period) {
		u64 number = (now - account[i].begun) / period;
		u64 part = MIN(ticks, account[i].begun + (number + 1) * period - now);

		account[i].used = used_now(i) + part;
		account[i].period = number;
		policy->charge(&queue, i, now, now + part);
		now += part;
		ticks -= part;
	}
	run(i, ticks);
}

static void check_choice(const struct sched_choice *choice)
{
	u32 next = choice->next;

	for (u32 i = 0; i < queue.count; i++) {
		if (entity[i].state != SCHED_READY || (entity[i].params.strict && !funded(i)))
			continue;
		assert_int_not_equal(next, SCHED_NOBODY);
		if (funded(i) != funded(next))
			assert_true(funded(next));
		else
			assert_true(entity[next].params.priority >= entity[i].params.priority);
	}
	assert_true(choice->until > now);
	if (next == SCHED_NOBODY)
		return;
	assert_int_equal(entity[next].state, SCHED_READY);
	assert_true(funded(next) || !entity[next].params.strict);
}

/* At any moment before its end the choice would have been the same. */
static void check_until(const struct sched_choice *choice)
{
	struct sched_entity copy[ENTITIES];
	struct sched_queue then = queue;
	u64 span = MIN(choice->until - now, 1000), at = now + (u64)rand() % span;

	memcpy(copy, entity, sizeof(copy));
	then.entity = copy;
	if (choice->next != SCHED_NOBODY)
		policy->charge(&then, choice->next, now, at);
	assert_int_equal(policy->choose(&then, at).next, choice->next);
}

static void random_entities(void)
{
	for (u32 n = 1 + (u32)rand() % ENTITIES, i = 0; i < n; i++) {
		u64 period = rand() % 2 ? 100 + (u64)rand() % 400 : 0;

		add((u32)rand() % 3, period ? 1 + (u64)rand() % period : 0, period);
		entity[i].params.strict = period && rand() % 2;
		account[i].begun = now;
		account[i].period = account[i].used = 0;
		now += (u64)rand() % 30;
	}
}

static void random_workload(void)
{
	setup(NULL);
	random_entities();
	for (u32 step = 0; step < 2000; step++) {
		struct sched_choice choice;
		u64 ticks = (u64)rand() % 120;

		policy->set_state(&queue, (u32)rand() % queue.count,
				  (enum sched_state)(rand() % 4 ? SCHED_READY : rand() % 2));
		choice = policy->choose(&queue, now);
		check_choice(&choice);
		check_until(&choice);
		ticks = MIN(ticks, choice.until - now);
		if (choice.next == SCHED_NOBODY)
			now += ticks;
		else
			account_run(choice.next, ticks);
	}
}

static void test_random(void **state)
{
	(void)state;
	for (u32 seed = 1; seed <= 300; seed++) {
		srand(seed);
		random_workload();
	}
}

/* Those of one priority that are always ready get the same, to a slice. */
static void test_random_fairness(void **state)
{
	(void)state;
	srand(7);
	for (u32 i = 0; i < ENTITIES; i++)
		add_ready(1, 0, 0);
	for (u32 step = 0; step < 10000; step++) {
		struct sched_choice choice = policy->choose(&queue, now);
		u64 ticks = (u64)rand() % 40;

		run(choice.next, MIN(ticks, choice.until - now));
	}
	for (u32 i = 1; i < ENTITIES; i++)
		assert_in_range(entity[i].ran + SLICE, entity[0].ran, entity[0].ran + 2 * SLICE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_nobody, setup),
		cmocka_unit_test_setup(test_alone_without_end, setup),
		cmocka_unit_test_setup(test_higher_priority_runs, setup),
		cmocka_unit_test_setup(test_turns_inside_a_priority, setup),
		cmocka_unit_test_setup(test_interrupted_turn_goes_on, setup),
		cmocka_unit_test_setup(test_who_slept_comes_last, setup),
		cmocka_unit_test_setup(test_yield, setup),
		cmocka_unit_test_setup(test_budget_ends, setup),
		cmocka_unit_test_setup(test_budget_does_not_add_up, setup),
		cmocka_unit_test_setup(test_budget_over_the_end_of_a_period, setup),
		cmocka_unit_test_setup(test_strict_budget, setup),
		cmocka_unit_test_setup(test_strict_beside_others, setup),
		cmocka_unit_test_setup(test_shares_are_exact, setup),
		cmocka_unit_test(test_random),
		cmocka_unit_test_setup(test_random_fairness, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
