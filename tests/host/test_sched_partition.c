/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames and the policy "partition": single decisions, and random tables and workloads against what
 * must hold of every decision, by an account of windows that the test keeps itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <hv/frames.h>
#include <hv/sched_policy.h>

#define HART 3
#define AHEAD 10
#define ENTITIES 6

static const struct sched_policy *const policy = &sched_partition;
static struct schedule schedule;
static struct frames frames;
static struct sched_entity entity[ENTITIES];
static struct sched_queue queue;
static u64 now;

static void add_table(u64 frame, u64 correction, bool relaxed)
{
	schedule.table[schedule.tables++] = (struct schedule_table){
		.frame = frame, .correction = correction, .relaxed = relaxed,
		.first = schedule.lists, .lists = 1,
	};
	schedule.list[schedule.lists++] = (struct schedule_list){ HART, schedule.windows, 0 };
}

static void add_window(u64 begin, u64 end, u32 partition)
{
	struct schedule_table *table = &schedule.table[schedule.tables - 1];

	schedule.window[schedule.windows++] = (struct schedule_window){ begin, end, partition };
	schedule.list[schedule.lists - 1].count++;
	table->longest = MAX(table->longest, end - begin);
}

/* Partition 1 in two windows that touch, a gap, partition 2; at 1000 the first frame begins. */
static int setup(void **state)
{
	(void)state;
	schedule = (struct schedule){ .switch_time = AHEAD, .late = 5, .partitions = ENTITIES };
	memset(entity, 0, sizeof(entity));
	queue = (struct sched_queue){ .entity = entity, .slice = 50 };
	add_table(1000, 0, false);
	add_window(0, 200, 0);
	add_window(200, 300, 0);
	add_window(400, 800, 1);
	now = 700;
	frames_begin(&frames, &schedule, now);
	return 0;
}

static void add(u32 partition, enum sched_state state)
{
	u32 i = queue.count++;

	entity[i] = (struct sched_entity){ .windowed = partition != 0, .partition = partition };
	policy->begin(&queue, i, now);
	policy->set_state(&queue, i, state);
}

/* What the hart's loop does (src/sched.c). */
static struct sched_choice look(void)
{
	if (!queue.windows.frame.number || now + AHEAD >= frame_end(&queue.windows.frame)) {
		frames_advance(&frames, now + AHEAD);
		sched_partition_frame(&queue, &frames.frame, HART);
	}
	return policy->choose(&queue, now);
}

static void expect(u64 at, u32 next, u64 from, u64 until)
{
	struct sched_choice choice;

	now = at;
	choice = look();
	assert_int_equal(choice.next, next);
	assert_int_equal(choice.from, from);
	assert_int_equal(choice.until, until);
}

/* ---- Frames ---- */

static void test_frames_follow_each_other(void **state)
{
	(void)state;
	assert_int_equal(frames.frame.start, 1000);
	frames_advance(&frames, 1999);
	assert_int_equal(frames.frame.number, 1);
	frames_advance(&frames, 2000);
	assert_int_equal(frames.frame.number, 2);
	assert_int_equal(frames.frame.start, 2000);
	frames_advance(&frames, 5000000);
	assert_int_equal(frames.frame.start, 5000000);
	assert_int_equal(frames.frame.number, 5000);
	frames_advance(&frames, 100);
	assert_int_equal(frames.frame.number, 5000);
}

static void test_switch_at_the_end_of_the_frame(void **state)
{
	(void)state;
	add_table(700, 0, false);
	frames.next_table = 1;
	frames_advance(&frames, 1999);
	assert_int_equal(frames.frame.table, 0);
	frames_advance(&frames, 2000);
	assert_int_equal(frames.frame.table, 1);
	assert_int_equal(frames.frame.start, 2000);
	frames_advance(&frames, 2700);
	assert_int_equal(frames.frame.table, 1);
	assert_int_equal(frames.frame.start, 2700);
}

static void test_hard_resync(void **state)
{
	(void)state;
	frames.shift = 300;
	frames_advance(&frames, 2000);
	assert_int_equal(frames.frame.length, 1300);
	assert_int_equal(frame_at(&frames.frame, 400), 2400);
	frames_advance(&frames, 3299);
	assert_int_equal(frames.frame.start, 2000);
	frames_advance(&frames, 3300);
	assert_int_equal(frames.frame.start, 3300);
	assert_int_equal(frames.frame.length, 1000);
	frames.shift = -400;
	frames_advance(&frames, 4300);
	assert_int_equal(frames.frame.length, 600);
	assert_int_equal(frame_at(&frames.frame, 400), 4700);
	assert_int_equal(frame_at(&frames.frame, 800), 4900);	/* cut off */
	frames_advance(&frames, 4900);
	assert_int_equal(frames.frame.length, 1000);
	assert_int_equal(frames.shift, 0);
}

static void smooth(s64 shift, u64 frames_needed)
{
	const struct schedule_table *table = &schedule.table[0];
	u64 start = frames.frame.start, number = frames.frame.number;

	frames.shift = shift;
	while (frames.shift || frames.frame.length != table->frame) {
		const struct frame *frame = &frames.frame;
		s64 all = (s64)frame->length - (s64)table->frame;

		for (u32 i = 0; i < schedule.windows; i++) {
			const struct schedule_window *w = &schedule.window[i];
			s64 change = (s64)(frame_at(frame, w->end) - frame_at(frame, w->begin)) -
				     (s64)(w->end - w->begin);

			assert_true(labs(change) <= (s64)table->correction + 1);
			assert_true(change * all >= -labs(all));
		}
		assert_int_equal(frame_at(frame, table->frame), frame_end(frame));
		frames_advance(&frames, frame_end(frame));
	}
	assert_int_equal(frames.frame.number - number, frames_needed);
	assert_int_equal(frames.frame.start,
			 start + (frames.frame.number - number) * table->frame + (u64)shift);
}

static void test_smooth_resync(void **state)
{
	(void)state;
	/* The longest window has 400 of 1000: a frame takes 20 · 1000 / 400 = 50. */
	schedule.table[0].correction = 20;
	smooth(120, 4);
	smooth(-120, 4);
	smooth(50, 2);
	smooth(-1, 2);
}

/* Nobody had a window to be smooth for. */
static void test_long_absence_ends_resync(void **state)
{
	(void)state;
	schedule.table[0].correction = 20;
	frames.shift = 450;
	frames_advance(&frames, 1000000);
	assert_int_equal(frames.shift, 0);
	assert_int_equal(frames.frame.start % 1000, 450);
	assert_true(frames.frame.start <= 1000000 && frame_end(&frames.frame) > 1000000);
}

/* ---- Single decisions ---- */

static void test_windows_of_a_frame(void **state)
{
	(void)state;
	add(1, SCHED_READY);
	add(2, SCHED_READY);
	expect(700, SCHED_NOBODY, 0, 1000 - AHEAD);
	expect(990, 0, 1000, 1200 - AHEAD);
	expect(1100, 0, 0, 1200 - AHEAD);
	expect(1190, 0, 0, 1300 - AHEAD);	/* the window goes on: no wait */
	expect(1290, SCHED_NOBODY, 0, 1400 - AHEAD);
	expect(1390, 1, 1400, 1800 - AHEAD);
	expect(1790, SCHED_NOBODY, 0, 2000 - AHEAD);
	expect(1990, 0, 2000, 2200 - AHEAD);
	assert_int_equal(entity[0].health.windows, 3);
	assert_int_equal(entity[0].health.missed, 0);
}

/* It wakes up inside its window: no start to wait for, and nothing is late. */
static void test_wakes_inside(void **state)
{
	(void)state;
	add(2, SCHED_BLOCKED);
	expect(1390, SCHED_NOBODY, 0, 1800 - AHEAD);
	policy->set_state(&queue, 0, SCHED_READY);
	expect(1500, 0, 0, 1800 - AHEAD);
	policy->set_state(&queue, 0, SCHED_BLOCKED);
	expect(1600, SCHED_NOBODY, 0, 1800 - AHEAD);
	assert_int_equal(entity[0].health.missed, 0);
}

static void test_begins_late(void **state)
{
	(void)state;
	add(1, SCHED_READY);
	add(2, SCHED_READY);
	expect(990, 0, 1000, 1200 - AHEAD);
	expect(1455, 1, 1400, 1800 - AHEAD);
	sched_partition_began(&queue, 1, 55);
	assert_int_equal(entity[1].health.late, 1);
	assert_int_equal(entity[1].health.late_max, 55);
	sched_partition_began(&queue, 1, 5);
	assert_int_equal(entity[1].health.late, 1);
	/* The hart was held until the frame after the next. */
	expect(3700, 1, 3400, 3800 - AHEAD);
}

static void test_missed(void **state)
{
	(void)state;
	add(1, SCHED_READY);
	add(2, SCHED_READY);
	expect(990, 0, 1000, 1200 - AHEAD);
	expect(1850, SCHED_NOBODY, 0, 2000 - AHEAD);
	assert_int_equal(entity[0].health.missed, 1);
	assert_int_equal(entity[1].health.missed, 1);
	expect(5100, 0, 5000, 5200 - AHEAD);
	assert_int_equal(entity[0].health.missed, 1 + 3 * 2);
	assert_int_equal(entity[1].health.missed, 1 + 3);
	policy->set_state(&queue, 1, SCHED_OFF);
	expect(9100, 0, 9000, 9200 - AHEAD);
	assert_int_equal(entity[1].health.missed, 1 + 3);
}

/* What it would have done in a window that nobody has looked at is not known: its timer was due. */
static void test_missed_while_it_slept(void **state)
{
	(void)state;
	add(1, SCHED_READY);
	add(2, SCHED_BLOCKED);
	expect(990, 0, 1000, 1200 - AHEAD);
	expect(1390, SCHED_NOBODY, 0, 1800 - AHEAD);	/* it sleeps in its window */
	expect(1800, SCHED_NOBODY, 0, 2000 - AHEAD);
	assert_int_equal(entity[1].health.missed, 0);
	expect(2350, SCHED_NOBODY, 0, 2400 - AHEAD);
	expect(2780, SCHED_NOBODY, 0, 2800 - AHEAD);
	assert_int_equal(entity[1].health.missed, 0);
	expect(3350, SCHED_NOBODY, 0, 3400 - AHEAD);
	expect(3800, SCHED_NOBODY, 0, 4000 - AHEAD);
	assert_int_equal(entity[1].health.missed, 1);
	expect(6350, SCHED_NOBODY, 0, 6400 - AHEAD);
	assert_int_equal(entity[1].health.missed, 1 + 2);
	assert_int_equal(entity[1].health.windows, 0);
}

/* A partition without a VM, or with one that is stopped, costs nothing. */
static void test_nobody_there(void **state)
{
	(void)state;
	add(1, SCHED_OFF);
	expect(990, SCHED_NOBODY, 0, SCHED_NEVER);
	policy->set_state(&queue, 0, SCHED_READY);
	expect(7100, 0, 0, 7200 - AHEAD);	/* in a window of which nobody knew */
	expect(7190, 0, 0, 7300 - AHEAD);
	expect(7990, 0, 8000, 8200 - AHEAD);
	assert_int_equal(entity[0].health.missed, 0);
	assert_int_equal(entity[0].health.late, 0);
}

static void test_strict_gives_nothing_away(void **state)
{
	(void)state;
	add(1, SCHED_BLOCKED);
	add(0, SCHED_READY);
	expect(1100, SCHED_NOBODY, 0, 1200 - AHEAD);
	expect(1350, SCHED_NOBODY, 0, 1400 - AHEAD);
}

static void test_relaxed(void **state)
{
	(void)state;
	schedule.table[0].relaxed = true;
	add(1, SCHED_READY);
	add(0, SCHED_READY);
	add(0, SCHED_READY);
	expect(990, 0, 1000, 1200 - AHEAD);
	policy->set_state(&queue, 0, SCHED_BLOCKED);
	expect(1150, 1, 0, 1200 - AHEAD);	/* less than a slice is left */
	expect(1300, 1, 0, 1350);
	policy->charge(&queue, 1, 1300, 1350);
	expect(1350, 2, 0, 1400 - AHEAD);
	policy->set_state(&queue, 0, SCHED_OFF);
	expect(1390, 2, 0, 1440);
}

/* One that is in no table never runs, in windows or beside them. */
static void test_of_no_partition(void **state)
{
	(void)state;
	schedule.table[0].relaxed = true;
	add(1, SCHED_BLOCKED);
	add(0, SCHED_READY);
	entity[1].windowed = true;
	expect(1100, SCHED_NOBODY, 0, 1200 - AHEAD);
	expect(1350, SCHED_NOBODY, 0, 1400 - AHEAD);
}

static void test_cut_window_is_missed(void **state)
{
	(void)state;
	add(1, SCHED_READY);
	add(2, SCHED_READY);
	expect(990, 0, 1000, 1200 - AHEAD);
	frames.shift = -500;
	expect(1990, 0, 2000, 2200 - AHEAD);
	expect(2190, 0, 0, 2300 - AHEAD);
	assert_int_equal(entity[1].health.missed, 1);
	expect(2390, 1, 2400, 2500 - AHEAD);	/* 400 … 500 is left of it */
	expect(2490, 0, 2500, 2700 - AHEAD);
	frames.shift = -500;
	entity[1].state = SCHED_READY;
	expect(2690, 0, 0, 2800 - AHEAD);
	expect(2890, 1, 2900, 3300 - AHEAD);
}

/* ---- Random tables and workloads ---- */

static u64 random_below(u64 n)
{
	return (u64)rand() % n;
}

static void random_table(void)
{
	u64 at = 0;

	add_table(2000, rand() % 2 ? 1 + random_below(20) : 0, rand() % 2);
	while (at < 1900) {
		u64 end = at + AHEAD + 1 + random_below(300);

		if (end > 2000)
			break;
		if (rand() % 4)
			add_window(at, end, (u32)random_below(3));
		at = rand() % 2 ? end : end + random_below(100);
	}
}

/* The window that t lies in, found anew; NULL: none. */
static const struct schedule_window *window_of(const struct frame *frame, u64 t)
{
	const struct schedule_list *list = &schedule.list[frame->table];

	for (u32 i = list->first; i < list->first + list->count; i++)
		if (frame_at(frame, schedule.window[i].begin) <= t &&
		    t < frame_at(frame, schedule.window[i].end))
			return &schedule.window[i];
	return NULL;
}

static void check(const struct sched_choice *choice)
{
	const struct frame *frame = &queue.windows.frame;
	const struct schedule_window *w = window_of(frame, now + AHEAD);
	const struct sched_entity *e = NULL;

	assert_true(choice->until > now);
	for (u32 i = 0; i < queue.count && w; i++)
		if (entity[i].windowed && entity[i].partition == w->partition + 1)
			e = &entity[i];
	if (e && e->state == SCHED_READY) {
		assert_ptr_equal(&entity[choice->next], e);
		assert_int_equal(choice->until, frame_at(frame, w->end) - AHEAD);
		assert_true(!choice->from || choice->from == frame_at(frame, w->begin));
		return;
	}
	assert_int_equal(choice->from, 0);
	if (choice->next == SCHED_NOBODY)
		return;
	assert_false(entity[choice->next].windowed);
	assert_int_equal(entity[choice->next].state, SCHED_READY);
	assert_true(schedule.table[frame->table].relaxed);
}

/* Until the choice ends it stays the same; looking again changes nothing that counts. */
static void check_until(const struct sched_choice *choice)
{
	struct sched_entity copy[ENTITIES];
	struct sched_queue then = queue;
	u64 span = MIN(choice->until - now, 500);

	memcpy(copy, entity, sizeof(copy));
	then.entity = copy;
	if (choice->next != SCHED_NOBODY)
		policy->charge(&then, choice->next, now, now + span - 1);
	assert_int_equal(policy->choose(&then, now + span - 1).next, choice->next);
}

/* It ran from `from` on: all of that lies in its windows. */
static void check_run(const struct sched_choice *choice, u64 to)
{
	u64 begin = MAX(now, choice->from);
	const struct schedule_window *w = window_of(&queue.windows.frame, begin);

	if (!entity[choice->next].windowed || to <= begin)
		return;
	/* The last window of the frame before goes on in this one's first. */
	if (begin < queue.windows.frame.start) {
		assert_true(queue.windows.goes_on && queue.windows.next == 0);
		return;
	}
	assert_non_null(w);
	assert_int_equal(entity[choice->next].partition, w->partition + 1);
}

static void random_workload(void)
{
	setup(NULL);
	schedule.tables = schedule.lists = schedule.windows = 0;
	random_table();
	random_table();
	frames_begin(&frames, &schedule, now);
	for (u32 i = 0; i < ENTITIES; i++)
		add(i < 3 ? i + 1 : 0, SCHED_READY);
	for (u32 step = 0; step < 2000; step++) {
		struct sched_choice choice;
		u64 to;

		policy->set_state(&queue, (u32)random_below(ENTITIES),
				  (enum sched_state)(rand() % 4 ? SCHED_READY : rand() % 2));
		if (rand() % 64 == 0)
			frames.next_table = (u32)random_below(2);
		if (rand() % 64 == 0)
			frames.shift = rand() % 1000 - 500;
		choice = look();
		check(&choice);
		check_until(&choice);
		to = now + 1 + random_below(200);
		to = MIN(choice.until, to);
		if (choice.next != SCHED_NOBODY) {
			check_run(&choice, to);
			policy->charge(&queue, choice.next, now, to);
		}
		now = to;
	}
	/* The hart has looked at every window's begin, so nothing was missed but what was cut. */
	for (u32 i = 0; i < 3; i++)
		assert_int_equal(entity[i].health.late, 0);
}

static void test_random(void **state)
{
	(void)state;
	for (u32 seed = 1; seed <= 300; seed++) {
		srand(seed);
		random_workload();
	}
}

/* The sum of a partition's time is exact, whatever the others do, and however harts look. */
static void test_sums_are_exact(void **state)
{
	u64 ran[2] = { 0, 0 };

	setup(state);
	add(1, SCHED_READY);
	add(2, SCHED_READY);
	srand(5);
	for (now = 990; now < 1000 + 1000 * 1000 - AHEAD;) {
		struct sched_choice choice = look();
		u64 to = now + 1 + random_below(150);

		to = MIN(choice.until, to);
		if (choice.next != SCHED_NOBODY && to > MAX(now, choice.from))
			ran[choice.next] += to - MAX(now, choice.from);
		now = to;
	}
	assert_int_equal(ran[0], 1000 * (300 - AHEAD));
	assert_int_equal(ran[1], 1000 * (400 - AHEAD));
	assert_int_equal(entity[0].health.windows, 2000);
	assert_int_equal(entity[0].health.missed + entity[1].health.missed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_frames_follow_each_other, setup),
		cmocka_unit_test_setup(test_switch_at_the_end_of_the_frame, setup),
		cmocka_unit_test_setup(test_hard_resync, setup),
		cmocka_unit_test_setup(test_smooth_resync, setup),
		cmocka_unit_test_setup(test_long_absence_ends_resync, setup),
		cmocka_unit_test_setup(test_windows_of_a_frame, setup),
		cmocka_unit_test_setup(test_wakes_inside, setup),
		cmocka_unit_test_setup(test_begins_late, setup),
		cmocka_unit_test_setup(test_missed, setup),
		cmocka_unit_test_setup(test_missed_while_it_slept, setup),
		cmocka_unit_test_setup(test_nobody_there, setup),
		cmocka_unit_test_setup(test_strict_gives_nothing_away, setup),
		cmocka_unit_test_setup(test_relaxed, setup),
		cmocka_unit_test_setup(test_of_no_partition, setup),
		cmocka_unit_test_setup(test_cut_window_is_missed, setup),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_sums_are_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
