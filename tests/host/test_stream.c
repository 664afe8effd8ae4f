/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Streams: what is kept and what is refused, events, opening and closing, ends that come and go,
 * a random run against a model, and two harts that write to each other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <hv/errno.h>
#include <hv/stream.h>

#define KEPT 64U	/* bytes from the machine */
#define TYPED 16U	/* bytes from the terminal */

static struct stream stream;
static u8 kept[KEPT], typed[TYPED];
static u32 events[STREAM_ENDS];

static void count(void *ctx)
{
	assert_int_equal(stream.lock.next, stream.lock.serving);
	(*(u32 *)ctx)++;
}

static void set_stores(struct stream *of)
{
	const struct stream_store from_machine = { kept, KEPT, true };
	const struct stream_store from_terminal = { typed, TYPED, false };

	stream_set_store(of, STREAM_MACHINE, &from_machine);
	stream_set_store(of, STREAM_TERMINAL, &from_terminal);
}

static int setup(void **state)
{
	(void)state;
	memset(&stream, 0, sizeof(stream));
	set_stores(&stream);
	for (u32 end = 0; end < STREAM_ENDS; end++)
		assert_int_equal(stream_connect(&stream, end, count, &events[end]), 0);
	stream_wake(&stream);
	memset(events, 0, sizeof(events));
	return 0;
}

static void check_events(u32 machine, u32 terminal)
{
	stream_wake(&stream);
	assert_int_equal(events[STREAM_MACHINE], machine);
	assert_int_equal(events[STREAM_TERMINAL], terminal);
	memset(events, 0, sizeof(events));
}

static void check_read(enum stream_end end, const char *text)
{
	char buf[256];
	u32 n = stream_read(&stream, end, buf, sizeof(buf));

	assert_int_equal(n, strlen(text));
	assert_memory_equal(buf, text, n);
}

static void test_zero_stream_swallows(void **state)
{
	static struct stream none;
	u8 byte;

	(void)state;
	assert_int_equal(stream_write(&none, STREAM_MACHINE, "abc", 3), 3);
	assert_int_equal(stream_read(&none, STREAM_TERMINAL, &byte, 1), 0);
	assert_int_equal(stream_waiting(&none, STREAM_TERMINAL), 0);
	assert_false(stream_is_open(&none, STREAM_MACHINE));
	stream_wake(&none);
	stream_disconnect(&none, STREAM_MACHINE);
}

static void test_both_ways(void **state)
{
	(void)state;
	assert_int_equal(stream_write(&stream, STREAM_MACHINE, "login: ", 7), 7);
	check_events(0, 1);
	assert_int_equal(stream_write(&stream, STREAM_TERMINAL, "root", 4), 4);
	check_events(1, 0);
	assert_int_equal(stream_waiting(&stream, STREAM_MACHINE), 4);
	check_read(STREAM_TERMINAL, "login: ");
	check_read(STREAM_MACHINE, "root");
	check_read(STREAM_MACHINE, "");
	check_events(0, 0);
	assert_int_equal(stream_write(&stream, STREAM_MACHINE, "", 0), 0);
	check_events(0, 0);
}

/* Towards the terminal the last bytes stay, whoever is there. */
static void test_newest_is_kept(void **state)
{
	char text[100], buf[KEPT];

	(void)state;
	for (u32 i = 0; i < sizeof(text); i++)
		text[i] = (char)(' ' + i % 90);
	assert_int_equal(stream_write(&stream, STREAM_MACHINE, text, 60), 60);
	assert_int_equal(stream_write(&stream, STREAM_MACHINE, text + 60, 40), 40);
	assert_int_equal(stream_waiting(&stream, STREAM_TERMINAL), KEPT);
	assert_int_equal(stream_read(&stream, STREAM_TERMINAL, buf, sizeof(buf)), KEPT);
	assert_memory_equal(buf, text + 100 - KEPT, KEPT);
	assert_int_equal(stream_write(&stream, STREAM_MACHINE, text, 100), 100);
	assert_int_equal(stream_read(&stream, STREAM_TERMINAL, buf, sizeof(buf)), KEPT);
	assert_memory_equal(buf, text + 100 - KEPT, KEPT);
	stream_set_open(&stream, STREAM_TERMINAL, true);
	assert_int_equal(stream_write(&stream, STREAM_MACHINE, "kept", 4), 4);
	stream_set_open(&stream, STREAM_TERMINAL, false);
	check_read(STREAM_TERMINAL, "kept");
}

/* The other way a writer is refused, and told when there is room. */
static void test_refused_until_room(void **state)
{
	u8 byte;

	(void)state;
	assert_int_equal(stream_write(&stream, STREAM_TERMINAL, "0123456789abcdefXYZ", 19), TYPED);
	assert_int_equal(stream_write(&stream, STREAM_TERMINAL, "X", 1), 0);
	check_events(1, 0);
	assert_int_equal(stream_read(&stream, STREAM_MACHINE, &byte, 1), 1);
	check_events(0, 1);
	assert_int_equal(stream_read(&stream, STREAM_MACHINE, &byte, 1), 1);
	check_events(0, 0);
	assert_int_equal(stream_write(&stream, STREAM_TERMINAL, "XYZ", 3), 2);
	check_events(1, 0);
	check_read(STREAM_MACHINE, "23456789abcdefXY");
	check_events(0, 1);
}

static void test_pause(void **state)
{
	u8 byte;

	(void)state;
	assert_false(stream_pause(&stream, STREAM_TERMINAL));
	assert_int_equal(stream_write(&stream, STREAM_TERMINAL, "a", 1), 1);
	assert_true(stream_pause(&stream, STREAM_TERMINAL));
	check_events(1, 0);
	assert_int_equal(stream_read(&stream, STREAM_MACHINE, &byte, 1), 1);
	check_events(0, 1);
}

/* An end that closes takes with it what waited for it, and lets the writer go on. */
static void test_close_drops(void **state)
{
	(void)state;
	stream_set_open(&stream, STREAM_MACHINE, true);
	assert_true(stream_is_open(&stream, STREAM_MACHINE));
	check_events(0, 1);
	stream_set_open(&stream, STREAM_MACHINE, true);
	check_events(0, 0);
	assert_int_equal(stream_write(&stream, STREAM_TERMINAL, "0123456789abcdefX", 17), TYPED);
	check_events(1, 0);
	stream_set_open(&stream, STREAM_MACHINE, false);
	assert_false(stream_is_open(&stream, STREAM_MACHINE));
	assert_int_equal(stream_waiting(&stream, STREAM_MACHINE), 0);
	check_events(0, 1);
}

static void test_connect_and_disconnect(void **state)
{
	(void)state;
	assert_int_equal(stream_connect(&stream, STREAM_TERMINAL, count, &events[1]), -EBUSY);
	stream_set_open(&stream, STREAM_TERMINAL, true);
	check_events(1, 0);
	stream_disconnect(&stream, STREAM_TERMINAL);
	assert_false(stream_is_open(&stream, STREAM_TERMINAL));
	check_events(1, 0);
	assert_int_equal(stream_write(&stream, STREAM_MACHINE, "late", 4), 4);
	check_events(0, 0);
	assert_int_equal(stream_connect(&stream, STREAM_TERMINAL, count, &events[1]), 0);
	check_events(0, 1);
	check_read(STREAM_TERMINAL, "late");
}

/* Somebody outside has a reason. */
static void test_called_for_nothing(void **state)
{
	(void)state;
	stream_call(&stream, STREAM_MACHINE);
	check_events(1, 0);
	stream_disconnect(&stream, STREAM_MACHINE);
	stream_call(&stream, STREAM_MACHINE);
	check_events(0, 0);
}

static void test_store_goes(void **state)
{
	(void)state;
	stream_write(&stream, STREAM_TERMINAL, "0123456789abcdefX", 17);
	check_events(1, 0);
	stream_set_store(&stream, STREAM_TERMINAL, NULL);
	check_events(0, 1);
	assert_int_equal(stream_waiting(&stream, STREAM_MACHINE), 0);
	assert_int_equal(stream_write(&stream, STREAM_TERMINAL, "gone", 4), 4);
	check_read(STREAM_MACHINE, "");
	check_events(0, 0);
	set_stores(&stream);
	assert_int_equal(stream_write(&stream, STREAM_TERMINAL, "here", 4), 4);
	check_read(STREAM_MACHINE, "here");
}

/* Two ends that answer each other for ever do not keep the caller for ever. */
static void echo(void *ctx)
{
	enum stream_end end = *(enum stream_end *)ctx;
	u8 byte;

	events[end]++;
	if (stream_read(&stream, end, &byte, 1))
		stream_write(&stream, end, &byte, 1);
}

static void test_wake_is_bounded(void **state)
{
	static enum stream_end ends[] = { STREAM_MACHINE, STREAM_TERMINAL };

	(void)state;
	for (u32 end = 0; end < STREAM_ENDS; end++) {
		stream_disconnect(&stream, end);
		assert_int_equal(stream_connect(&stream, end, echo, &ends[end]), 0);
	}
	stream_write(&stream, STREAM_MACHINE, "!", 1);
	stream_wake(&stream);
	assert_in_range(events[0] + events[1], 4, 16);
	stream_wake(&stream);
	assert_in_range(events[0] + events[1], 8, 32);
}

/* Random operations against a model that keeps all bytes. */
struct model {
	u8 byte[1 << 20];
	u32 head, tail, size;
	bool keep;
};

static void model_write(struct model *model, enum stream_end end, const u8 *bytes, u32 n)
{
	u32 room = model->size - (model->head - model->tail);
	u32 taken = stream_write(&stream, end, bytes, n);

	assert_int_equal(taken, model->keep || n <= room ? n : room);
	memcpy(model->byte + model->head, bytes, taken);
	model->head += taken;
	if (model->head - model->tail > model->size)
		model->tail = model->head - model->size;
}

static void model_read(struct model *model, enum stream_end end, u32 n)
{
	u8 bytes[128];
	u32 got = stream_read(&stream, end, bytes, n);

	assert_int_equal(got, MIN(n, model->head - model->tail));
	assert_memory_equal(bytes, model->byte + model->tail, got);
	model->tail += got;
}

static void test_random_against_model(void **state)
{
	static struct model models[STREAM_ENDS];
	u8 bytes[128];

	(void)state;
	srand(1);
	models[STREAM_MACHINE] = (struct model){ .size = KEPT, .keep = true };
	models[STREAM_TERMINAL] = (struct model){ .size = TYPED };
	for (u32 i = 0; i < 20000; i++) {
		enum stream_end end = rand() & 1;
		struct model *writes = &models[end], *reads = &models[!end];
		u32 n = (u32)rand() % (end == STREAM_MACHINE ? 100 : 24);

		if (writes->head > sizeof(writes->byte) - 128)
			break;
		for (u32 j = 0; j < n; j++)
			bytes[j] = (u8)rand();
		if (rand() & 1)
			model_write(writes, end, bytes, n);
		else
			model_read(reads, end, n);
		assert_int_equal(stream_waiting(&stream, end), reads->head - reads->tail);
		if (!(rand() & 7))
			stream_wake(&stream);
	}
}

/* ---- Two harts ---- */

#define AMOUNT 200000U

static struct {
	u32 sent, received;
	bool wrong;
} side[STREAM_ENDS];

/* Sends a sequence, checks the other's. One at a time for each end, as stream_wake() promises. */
static void pump(enum stream_end end)
{
	u8 bytes[8], byte;

	while (stream_read(&stream, end, &byte, 1)) {
		side[end].wrong |= byte != (u8)side[end].received;
		side[end].received++;
	}
	while (side[end].sent < AMOUNT) {
		u32 n = MIN(AMOUNT - side[end].sent, (u32)sizeof(bytes));

		for (u32 i = 0; i < n; i++)
			bytes[i] = (u8)(side[end].sent + i);
		n = stream_write(&stream, end, bytes, n);
		if (!n)
			break;
		side[end].sent += n;
	}
}

static void pump_event(void *ctx)
{
	pump(*(enum stream_end *)ctx);
}

static void *wake_often(void *arg)
{
	(void)arg;
	while (__atomic_load_n(&side[0].received, __ATOMIC_RELAXED) < AMOUNT ||
	       __atomic_load_n(&side[1].received, __ATOMIC_RELAXED) < AMOUNT) {
		stream_wake(&stream);
		sched_yield();
	}
	return NULL;
}

static void test_two_harts(void **state)
{
	static enum stream_end ends[] = { STREAM_MACHINE, STREAM_TERMINAL };
	const struct stream_store store = { kept, KEPT, false };
	pthread_t other;

	(void)state;
	memset(&stream, 0, sizeof(stream));
	memset(side, 0, sizeof(side));
	set_stores(&stream);
	stream_set_store(&stream, STREAM_MACHINE, &store);
	for (u32 end = 0; end < STREAM_ENDS; end++)
		assert_int_equal(stream_connect(&stream, end, pump_event, &ends[end]), 0);
	assert_int_equal(pthread_create(&other, NULL, wake_often, NULL), 0);
	wake_often(NULL);
	pthread_join(other, NULL);
	for (u32 end = 0; end < STREAM_ENDS; end++) {
		assert_false(side[end].wrong);
		assert_int_equal(side[end].sent, AMOUNT);
		assert_int_equal(side[end].received, AMOUNT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zero_stream_swallows),
		cmocka_unit_test_setup(test_both_ways, setup),
		cmocka_unit_test_setup(test_newest_is_kept, setup),
		cmocka_unit_test_setup(test_refused_until_room, setup),
		cmocka_unit_test_setup(test_pause, setup),
		cmocka_unit_test_setup(test_close_drops, setup),
		cmocka_unit_test_setup(test_connect_and_disconnect, setup),
		cmocka_unit_test_setup(test_called_for_nothing, setup),
		cmocka_unit_test_setup(test_store_goes, setup),
		cmocka_unit_test_setup(test_wake_is_bounded, setup),
		cmocka_unit_test_setup(test_random_against_model, setup),
		cmocka_unit_test(test_two_harts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
