/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtio console: the control protocol as a Linux driver speaks it, data both ways between a
 * guest and the MVM, drivers of other kinds, and random ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hv/errno.h>

#include "console_sides.h"
#include "no_fiber.h"

static u32 silences;

static void silent(void *ctx)
{
	assert_ptr_equal(ctx, &guest);
	silences++;
}

static void test_identity(void **state)
{
	struct virtio_dev *dev = &mvm.console.dev;

	(void)state;
	assert_int_equal(driver_read(dev, R_DEVICE_ID), 3);
	assert_int_equal(driver_read(dev, R_DEVICE_FEATURES), 0x30000007);
	assert_int_equal(driver_read(dev, R_CONFIG + 4), PORTS);
	assert_int_equal(driver_read(dev, R_CONFIG), 0);
	for (u32 n = 0; n < QUEUES; n++) {
		driver_write(dev, R_QUEUE_SEL, n);
		assert_int_not_equal(driver_read(dev, R_QUEUE_NUM_MAX), 0);
	}
	driver_write(dev, R_QUEUE_SEL, QUEUES);
	assert_int_equal(driver_read(dev, R_QUEUE_NUM_MAX), 0);
}

/* hvc numbers follow the order in which ports are called consoles. */
static void test_announced_in_order(void **state)
{
	(void)state;
	side_start(&mvm, FEATURES);
	check_silence(&mvm);
	say(&mvm, 0xffffffff, DEVICE_READY, 1);
	for (u32 i = 0; i < HVCS; i++)
		check_heard(&mvm, i, ADD, 1, "");
	check_silence(&mvm);
	for (u32 i = 0; i < HVCS; i++) {
		say(&mvm, i, READY, 1);
		check_heard(&mvm, i, CONSOLE, 1, "");
	}
	check_silence(&mvm);
	for (u32 i = 0; i < HVCS; i++)
		assert_false(stream_is_open(&streams[i], STREAM_TERMINAL));
	say(&mvm, 3, OPEN, 1);
	assert_true(stream_is_open(&streams[3], STREAM_TERMINAL));
	say(&mvm, 3, OPEN, 0);
	assert_false(stream_is_open(&streams[3], STREAM_TERMINAL));
}

/* More to say than the driver has buffers for: the rest follows, nothing is lost. */
static void test_few_control_buffers(void **state)
{
	struct driver_queue *queue = &mvm.driver[2];
	u32 head, len, heard = 0;

	(void)state;
	side_start(&mvm, FEATURES);
	driver_write(&mvm.console.dev, R_QUEUE_SEL, 2);
	driver_write(&mvm.console.dev, R_QUEUE_READY, 0);
	driver_queue_init(queue, 2, queue_base(&mvm, 2), 16);
	refill(&mvm, 2, 0);
	driver_queue_set(&mvm.console.dev, queue);
	say(&mvm, 0, DEVICE_READY, 1);
	while (driver_used(queue, &head, &len)) {
		const struct control *control = driver_ptr(buffer(&mvm, 2, head));

		assert_int_equal(control->id, heard++);
		refill(&mvm, 2, head);
		kick(&mvm, 2);
	}
	assert_int_equal(heard, HVCS);
}

static void test_named_port(void **state)
{
	(void)state;
	side_start(&guest, FEATURES);
	say(&guest, 0, DEVICE_READY, 1);
	check_heard(&guest, 0, ADD, 1, "");
	check_heard(&guest, 1, ADD, 1, "");
	stream_set_open(&streams[9], STREAM_TERMINAL, true);
	stream_wake(&streams[9]);
	say(&guest, 1, READY, 1);
	check_heard(&guest, 1, NAME, 1, "org.qemu.guest_agent.0");
	check_heard(&guest, 1, OPEN, 1, "");
	stream_set_open(&streams[9], STREAM_TERMINAL, false);
	stream_wake(&streams[9]);
	check_heard(&guest, 1, OPEN, 0, "");
	check_silence(&guest);
}

static void test_login(void **state)
{
	(void)state;
	both_run();
	assert_true(transmit(&guest, 1, "login: ", 7));
	check_arrived(&mvm, 4, "login: ");
	assert_true(mvm.console.dev.interrupts & 1);
	assert_true(transmit(&mvm, 5, "root\n", 5));
	check_arrived(&guest, 0, "root\n");
	check_arrived(&mvm, 0, "");
	check_arrived(&mvm, 6, "");
}

/* What is printed while nobody listens is there for whoever comes, the end of it at least. */
static void test_output_is_kept(void **state)
{
	char line[64], out[KEPT + 8192];
	u32 n;

	(void)state;
	side_start(&guest, FEATURES);
	greet(&guest);
	for (u32 i = 0; i < 5000; i++) {
		int size = snprintf(line, sizeof(line), "line %04u of many\n", i);

		assert_true(transmit(&guest, 1, line, (u32)size));
	}
	side_start(&mvm, FEATURES);
	greet(&mvm);
	n = collect(&mvm, 4, out, sizeof(out));
	assert_in_range(n, KEPT - 4 * BUFFER, KEPT + BUFFER);
	assert_string_equal(out + n - 18, "line 4999 of many\n");
}

/* A reader with its buffers full stalls nobody; it gets the newest when it comes back. */
static void test_reader_that_stops(void **state)
{
	char text[1000], out[KEPT + 8192];
	u32 n;

	(void)state;
	both_run();
	memset(text, 'x', sizeof(text));
	for (u32 i = 0; i < 200; i++)
		assert_true(transmit(&guest, 1, text, sizeof(text)));
	assert_true(transmit(&guest, 1, "end", 3));
	n = collect(&mvm, 4, out, sizeof(out));
	assert_in_range(n, KEPT, KEPT + 8 * BUFFER);
	assert_string_equal(out + n - 3, "end");
}

/* Typed into a guest that does not read: a console drops what is too much, the MVM goes on. */
static void test_typing_ahead(void **state)
{
	char text[500];

	(void)state;
	side_start(&mvm, FEATURES);
	greet(&mvm);
	memset(text, 'y', sizeof(text));
	for (u32 i = 0; i < 20; i++)
		assert_true(transmit(&mvm, 5, text, sizeof(text)));
	assert_int_equal(stream_waiting(&streams[1], STREAM_MACHINE), LANE);
}

/* One buffer of more than a call may take: the vCPU comes again, all of it passes. */
static void test_huge_buffer(void **state)
{
	struct driver_queue *queue = &guest.driver[1];
	u32 head, len, again = 0;
	u64 value = 1;

	(void)state;
	side_start(&guest, FEATURES);
	greet(&guest);
	driver_desc(queue, 0, RAM_BASE, (u32)(RAM_END - RAM_BASE), D_NEXT, 1);
	driver_desc(queue, 1, RAM_BASE, (u32)(RAM_END - RAM_BASE), 0, 0);
	driver_offer(queue, 0);
	while (driver_access(&guest.console.dev, R_NOTIFY, 4, true, &value) == MMIO_AGAIN)
		again++;
	assert_in_range(again, 2 * (RAM_END - RAM_BASE) / 65536, 100);
	assert_true(driver_used(queue, &head, &len));
	assert_int_equal(stream_waiting(&streams[1], STREAM_TERMINAL), KEPT);
}

/* Who shares the hart waits for a piece of it, however large it is. */
static void test_steps_back(void **state)
{
	struct driver_queue *queue = &guest.driver[1];
	u64 value = 1;
	u32 calls = 0;

	(void)state;
	both_run();
	driver_desc(queue, 0, buffer(&guest, 1, 0), 4096, 0, 0);
	driver_offer(queue, 0);
	no_fiber_wanted = true;
	while (driver_access(&guest.console.dev, R_NOTIFY, 4, true, &value) == MMIO_AGAIN)
		calls++;
	no_fiber_wanted = false;
	assert_int_equal(calls, 4096 / 512);
}

static void test_size(void **state)
{
	(void)state;
	assert_int_equal(virtio_console_resize(&guest.console, 0, 132, 43), 0);
	side_start(&guest, FEATURES);
	assert_int_equal(driver_read(&guest.console.dev, R_CONFIG), 43 << 16 | 132);
	say(&guest, 0, DEVICE_READY, 1);
	check_heard(&guest, 0, ADD, 1, "");
	check_heard(&guest, 1, ADD, 1, "");
	say(&guest, 0, READY, 1);
	check_heard(&guest, 0, CONSOLE, 1, "");
	check_heard(&guest, 0, RESIZE, 1, "\x2b");	/* rows, then columns; then NULs */
	assert_int_equal(virtio_console_resize(&guest.console, 0, 'c', 'r'), 0);
	check_heard(&guest, 0, RESIZE, 1, "r");
	assert_true(guest.console.dev.interrupts & 2);
}

/* ---- Other drivers ---- */

static void test_without_multiport(void **state)
{
	(void)state;
	side_start(&mvm, FEATURES);
	greet(&mvm);
	assert_true(transmit(&mvm, 5, "early", 5));
	side_start(&guest, VIRTIO_F_EVENT_IDX);
	assert_true(stream_is_open(&streams[1], STREAM_MACHINE));
	check_arrived(&guest, 0, "early");
	assert_true(transmit(&guest, 1, "old driver", 10));
	check_arrived(&mvm, 4, "old driver");
	driver_write(&guest.console.dev, R_STATUS, 0);
	assert_false(stream_is_open(&streams[1], STREAM_MACHINE));
}

static void test_emergency_write(void **state)
{
	char out[8];

	(void)state;
	driver_write(&guest.console.dev, R_CONFIG + 8, 'p');
	driver_write(&guest.console.dev, R_CONFIG + 8, 'a');
	driver_write(&guest.console.dev, R_CONFIG + 4, 'x');
	assert_int_equal(stream_read(&streams[1], STREAM_TERMINAL, out, sizeof(out)), 2);
	assert_memory_equal(out, "pa", 2);
	assert_int_equal(virtio_console_remove_port(&guest.console, 0), 0);
	driver_write(&guest.console.dev, R_CONFIG + 8, 'x');
}

/* Until the guest prints here, what is typed is for its UART. */
static void test_silent_guest(void **state)
{
	char out[8];

	(void)state;
	virtio_console_exit(&guest.console);
	sides_init_guest(silent);
	assert_int_equal(virtio_console_add_port(&guest.console, 0, true, NULL, &streams[1],
						 STREAM_MACHINE), 0);
	both_run();
	silences = 0;
	assert_true(transmit(&mvm, 5, "a", 1));
	assert_int_equal(silences, 1);
	check_arrived(&guest, 0, "");
	assert_int_equal(stream_read(&streams[1], STREAM_MACHINE, out, sizeof(out)), 1);
	assert_true(transmit(&guest, 1, "$ ", 2));
	assert_true(transmit(&mvm, 5, "b", 1));
	assert_int_equal(silences, 1);
	check_arrived(&guest, 0, "b");
	virtio_console_reset(&guest.console);
	assert_true(transmit(&mvm, 5, "c", 1));
	assert_int_equal(silences, 2);
}

/* ---- Random drivers ---- */

static void random_descriptors(struct side *side, u32 n)
{
	struct driver_queue *queue = &side->driver[n];
	u32 slot = (u32)rand() % queue->num, flags = is_rx(n) ? D_WRITE : 0;
	u64 gpa = buffer(side, n, 0);

	if (!(rand() % 500)) {
		flags = (u32)rand() & 7;
		gpa = (u64)rand() << (rand() % 8);
	}
	driver_desc(queue, slot, gpa, (u32)rand() % 600 + 8, flags, (u32)rand() % queue->num);
	if (n == 3) {
		const struct control control = { (u32)rand() % 13, (u16)(rand() % 8),
						 (u16)(rand() & 1) };

		memcpy(driver_ptr(buffer(side, n, 0)), &control, sizeof(control));
	}
	driver_offer(queue, slot);
}

static void random_step(struct side *side)
{
	u32 n = (u32)rand() % VIRTIO_CONSOLE_QUEUES(side->console.ports), id = (u32)rand() % PORTS;
	u32 head, len;

	switch (rand() % 32) {
	case 0:
		(void)!virtio_console_remove_port(&side->console, id);
		break;
	case 1:
		(void)!virtio_console_add_port(&side->console, id, rand() & 1, "p", &streams[id],
					       side == &guest ? STREAM_MACHINE : STREAM_TERMINAL);
		break;
	case 2:
		(void)!virtio_console_resize(&side->console, id, 80, (u16)rand());
		break;
	case 3:
		if (!(rand() % 8))
			side_start(side, rand() & 1 ? FEATURES : (u64)(u32)rand() & FEATURES);
		break;
	case 4:
		stream_wake(&streams[id]);
		break;
	default:
		for (u32 i = 0; i < 4; i++)
			random_descriptors(side, n);
		kick(side, n);
		while (driver_used(&side->driver[n], &head, &len))
			assert_true(head < side->driver[n].num);
	}
	if (driver_read(&side->console.dev, R_STATUS) & VIRTIO_NEEDS_RESET)
		side_start(side, FEATURES);
}

static void test_random_drivers(void **state)
{
	(void)state;
	srand(4);
	both_run();
	for (u32 i = 0; i < 60000; i++) {
		random_step(rand() & 1 ? &guest : &mvm);
		for (u32 id = 0; id < PORTS; id++) {
			assert_int_equal(streams[id].turn.next, streams[id].turn.serving);
			assert_in_range(stream_waiting(&streams[id], STREAM_TERMINAL), 0, KEPT);
			assert_in_range(stream_waiting(&streams[id], STREAM_MACHINE), 0, LANE);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SIDES_TEST(test_identity),
		SIDES_TEST(test_announced_in_order),
		SIDES_TEST(test_few_control_buffers),
		SIDES_TEST(test_named_port),
		SIDES_TEST(test_login),
		SIDES_TEST(test_output_is_kept),
		SIDES_TEST(test_reader_that_stops),
		SIDES_TEST(test_typing_ahead),
		SIDES_TEST(test_huge_buffer),
		SIDES_TEST(test_steps_back),
		SIDES_TEST(test_size),
		SIDES_TEST(test_without_multiport),
		SIDES_TEST(test_emergency_write),
		SIDES_TEST(test_silent_guest),
		SIDES_TEST(test_random_drivers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
