/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ports of the virtio console that come and go, plain ports, resets in the middle of requests, and
 * everything that a driver may not do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include <hv/errno.h>

#include "console_sides.h"

/* ---- Plain ports ---- */

static void add_agent(void)
{
	assert_int_equal(virtio_console_add_port(&mvm.console, 9, false, "agent", &streams[9],
						 STREAM_TERMINAL), 0);
}

static void open_agent(void)
{
	both_run();
	add_agent();
	check_heard(&mvm, 9, ADD, 1, "");
	say(&mvm, 9, READY, 1);
	check_heard(&mvm, 9, NAME, 1, "agent");
	check_silence(&mvm);
	say(&guest, 1, OPEN, 1);
	check_heard(&mvm, 9, OPEN, 1, "");
	say(&mvm, 9, OPEN, 1);
	check_heard(&guest, 1, OPEN, 1, "");
}

static void test_agent(void **state)
{
	(void)state;
	open_agent();
	assert_true(transmit(&mvm, 21, "{\"execute\":\"guest-ping\"}\n", 25));
	check_arrived(&guest, 4, "{\"execute\":\"guest-ping\"}\n");
	assert_true(transmit(&guest, 5, "{\"return\":{}}\n", 14));
	check_arrived(&mvm, 20, "{\"return\":{}}\n");
	say(&mvm, 9, OPEN, 0);
	check_heard(&guest, 1, OPEN, 0, "");
	check_silence(&guest);
}

/* Nothing is lost on a plain port: the writer waits for the reader. */
static void test_plain_port_waits(void **state)
{
	struct driver_queue *queue = &guest.driver[5];
	static char out[40000];
	u32 head, len, got = 0, sent = 0;

	(void)state;
	open_agent();
	for (u32 i = 0; i < 30000; i++)
		*(u8 *)driver_ptr(RAM_BASE + 0x80000 + i) = (u8)('a' + i % 23);
	for (u32 i = 0; i < 3; i++) {
		driver_desc(queue, i, RAM_BASE + 0x80000 + 10000 * i, 10000, 0, 0);
		driver_offer(queue, i);
	}
	kick(&guest, 5);
	assert_false(driver_used(queue, &head, &len));
	for (u32 round = 0; round < 1000 && got < 30000; round++) {
		got += collect(&mvm, 20, out + got, 1200);
		sent += driver_used(queue, &head, &len);
	}
	assert_int_equal(got, 30000);
	for (u32 i = 0; i < got; i++)
		assert_int_equal(out[i], 'a' + i % 23);
	while (driver_used(queue, &head, &len))
		sent++;
	assert_int_equal(sent, 3);
}

/* The reader closes: what waits for it is dropped, the writer is free again. */
static void test_plain_port_closes(void **state)
{
	static char text[512];
	u32 head, len;

	(void)state;
	open_agent();
	for (u32 i = 0; i < 16; i++)
		(void)!transmit(&guest, 5, text, sizeof(text));
	while (driver_used(&guest.driver[5], &head, &len))
		;
	assert_int_not_equal(guest.driver[5].seen, guest.driver[5].offered);
	say(&mvm, 9, OPEN, 0);
	while (driver_used(&guest.driver[5], &head, &len))
		;
	assert_int_equal(guest.driver[5].seen, guest.driver[5].offered);
}

/* As Linux does it: buffers that were not taken are taken back by counting down. */
static void driver_detach(struct side *side, u32 n)
{
	struct driver_queue *queue = &side->driver[n];
	u32 head, len;

	while (driver_used(queue, &head, &len))
		;
	queue->offered = queue->seen;
	driver_avail_index(queue, queue->offered);
}

static void test_port_comes_and_goes(void **state)
{
	static char text[512];
	u32 head, len;

	(void)state;
	open_agent();
	for (u32 round = 0; round < 3; round++) {
		for (u32 i = 0; i < 14; i++)
			(void)!transmit(&mvm, 21, text, sizeof(text));
		assert_int_equal(virtio_console_remove_port(&mvm.console, 9), 0);
		check_heard(&mvm, 9, REMOVE, 1, "");
		check_heard(&guest, 1, OPEN, 0, "");
		assert_int_equal(virtio_console_remove_port(&mvm.console, 9), -EINVAL);
		driver_detach(&mvm, 20);
		driver_detach(&mvm, 21);
		assert_false(transmit(&mvm, 21, "lost", 4));
		driver_detach(&mvm, 21);
		add_agent();
		check_heard(&mvm, 9, ADD, 1, "");
		say(&mvm, 9, OPEN, 1);	/* of its former life */
		check_silence(&guest);
		say(&mvm, 9, READY, 1);
		check_heard(&mvm, 9, NAME, 1, "agent");
		check_heard(&mvm, 9, OPEN, 1, "");
		for (u32 i = 0; i < 4; i++)
			refill(&mvm, 20, i);
		say(&mvm, 9, OPEN, 1);
		check_heard(&guest, 1, OPEN, 1, "");
		while (driver_used(&guest.driver[4], &head, &len)) {
			refill(&guest, 4, head);
			kick(&guest, 4);
		}
		assert_true(transmit(&guest, 5, "hi", 2));
		check_arrived(&mvm, 20, "hi");
		assert_true(virtio_running(&mvm.console.dev));
	}
}

static void test_gone_before_announced(void **state)
{
	(void)state;
	side_start(&mvm, FEATURES);
	add_agent();
	assert_int_equal(virtio_console_remove_port(&mvm.console, 9), 0);
	say(&mvm, 0, DEVICE_READY, 1);
	for (u32 i = 0; i < HVCS; i++)
		check_heard(&mvm, i, ADD, 1, "");
	check_silence(&mvm);
}

static void test_port_refusals(void **state)
{
	struct virtio_console *console = &mvm.console;

	(void)state;
	assert_int_equal(virtio_console_add_port(console, PORTS, true, NULL, &streams[10],
						 STREAM_TERMINAL), -EINVAL);
	assert_int_equal(virtio_console_add_port(console, 10, true, "", &streams[10],
						 STREAM_TERMINAL), -EINVAL);
	assert_int_equal(virtio_console_add_port(console, 10, true,
						 "a name of thirty-two characters.",
						 &streams[10], STREAM_TERMINAL), -EINVAL);
	assert_int_equal(virtio_console_add_port(console, 10, false, "x", &streams[1],
						 STREAM_TERMINAL), -EBUSY);
	assert_int_equal(virtio_console_add_port(console, 1, false, "x", &streams[10],
						 STREAM_TERMINAL), -EBUSY);
	assert_int_equal(virtio_console_add_port(console, 10, false, "x", &streams[10],
						 STREAM_TERMINAL), 0);
	assert_int_equal(virtio_console_remove_port(console, PORTS), -EINVAL);
	assert_int_equal(virtio_console_remove_port(console, 11), -EINVAL);
	assert_int_equal(virtio_console_resize(console, PORTS, 80, 24), -EINVAL);
	assert_int_equal(virtio_console_resize(console, 10, 80, 24), -EINVAL);
	assert_int_equal(virtio_console_resize(console, 11, 80, 24), -EINVAL);
}

/* ---- Resets and refusals ---- */

static void test_reset_in_flight(void **state)
{
	static char text[512];

	(void)state;
	open_agent();
	for (u32 i = 0; i < 16; i++)
		(void)!transmit(&guest, 5, text, sizeof(text));
	driver_write(&guest.console.dev, R_STATUS, 0);
	assert_int_equal(driver_read(&guest.console.dev, R_STATUS), 0);
	check_heard(&mvm, 1, OPEN, 0, "");
	check_heard(&mvm, 9, OPEN, 0, "");
	/* Its memory is its own again: nothing moves there any more. */
	memset(driver_ptr(RAM_BASE), 0xa5, MIB(1));
	assert_true(transmit(&mvm, 5, "nobody", 6));
	(void)!transmit(&mvm, 21, "nobody", 6);
	for (u32 i = 0; i < MIB(1); i++)
		assert_int_equal(*((u8 *)driver_ptr(RAM_BASE) + i), 0xa5);
	side_start(&guest, FEATURES);
	greet(&guest);
	assert_true(transmit(&guest, 1, "again", 5));
	check_arrived(&mvm, 4, "again");
}

/* The device wants a reset, says so once, leaves the others alone, and works after it. */
static void check_broken(void)
{
	assert_true(driver_read(&guest.console.dev, R_STATUS) & VIRTIO_NEEDS_RESET);
	assert_int_equal(driver_logged, 1);
	for (u32 n = 0; n < 6; n++)
		kick(&guest, n);
	assert_true(transmit(&mvm, 5, "x", 1));
	assert_int_equal(driver_logged, 1);
	side_start(&guest, FEATURES);
	greet(&guest);
	assert_true(transmit(&guest, 1, "ok", 2));
	check_arrived(&mvm, 4, "ok");
	driver_logged = 0;
}

static void offer_bad(u32 n, u64 gpa, u32 len, u32 flags)
{
	struct driver_queue *queue = &guest.driver[n];
	u32 slot = queue->offered % queue->num;

	driver_desc(queue, slot, gpa, len, flags, slot);
	driver_offer(queue, slot);
	kick(&guest, n);
}

static void test_bad_requests(void **state)
{
	(void)state;
	both_run();
	for (u32 n = 1; n < 6; n += 2) {
		offer_bad(n, RAM_BASE, 8, D_WRITE);
		check_broken();
		offer_bad(n, RAM_BASE, 0, 0);
		check_broken();
		offer_bad(n, RAM_END - 4, 8, 0);
		check_broken();
		offer_bad(n, RAM_BASE, 8, D_NEXT);
		check_broken();
		offer_bad(n, RAM_BASE, 24, D_INDIRECT);
		check_broken();
	}
}

/* A buffer towards the driver of which a part is not for us to write. */
static void test_bad_receive_buffers(void **state)
{
	(void)state;
	both_run();
	driver_desc(&guest.driver[0], 0, RAM_BASE, 8, 0, 0);
	assert_true(transmit(&mvm, 5, "x", 1));
	check_broken();
	for (u32 i = 0; i < 16; i++)
		driver_desc(&guest.driver[2], i, RAM_BASE + 0x80000, 7, D_WRITE, 0);
	assert_int_equal(virtio_console_resize(&guest.console, 0, 80, 24), 0);
	check_broken();
}

static void test_odd_control(void **state)
{
	(void)state;
	both_run();
	assert_true(transmit(&guest, 3, "short", 5));
	for (u32 id = 0; id < 5; id++)
		for (u32 event = 0; event < 12; event++)
			for (u32 value = 2; value < 4; value++)
				say(&guest, id, (u16)event, (u16)value);
	say(&guest, 0xffffffff, READY, 1);
	say(&guest, 2, OPEN, 1);
	say(&guest, 0, DEVICE_READY, 0);
	assert_true(virtio_running(&guest.console.dev));
	assert_int_equal(driver_logged, 0);
}

static void test_init_refusals(void **state)
{
	static struct side side;
	struct virtio_console_params params = { .owner = "vm", .gmap = &driver_gmap };

	(void)state;
	assert_int_equal(virtio_console_init(&side.console, &params), -EINVAL);
	params.ports = VIRTIO_CONSOLE_PORTS + 1;
	assert_int_equal(virtio_console_init(&side.console, &params), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SIDES_TEST(test_agent),
		SIDES_TEST(test_plain_port_waits),
		SIDES_TEST(test_plain_port_closes),
		SIDES_TEST(test_port_comes_and_goes),
		SIDES_TEST(test_gone_before_announced),
		SIDES_TEST(test_port_refusals),
		SIDES_TEST(test_reset_in_flight),
		SIDES_TEST(test_bad_requests),
		SIDES_TEST(test_bad_receive_buffers),
		SIDES_TEST(test_odd_control),
		SIDES_TEST(test_init_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
