/* SPDX-License-Identifier: BSD-2-Clause */
/* Two consoles with drivers for host tests; see console_sides.h. */
#include "console_sides.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

struct side guest, mvm;
struct stream streams[PORTS];
static u8 kept[PORTS][KEPT], lanes[PORTS][LANE];

/* ---- The driver ---- */

u64 queue_base(const struct side *side, u32 n)
{
	return side->base + 0x1000 * n;
}

u64 buffer(const struct side *side, u32 n, u32 i)
{
	return side->base + 0x20000 + 0x2000 * n + BUFFER * i;
}

bool is_rx(u32 n)
{
	return !(n & 1);
}

void kick(struct side *side, u32 n)
{
	u64 value = n;

	while (driver_access(&side->console.dev, R_NOTIFY, 4, true, &value) == MMIO_AGAIN)
		;
}

void refill(struct side *side, u32 n, u32 i)
{
	driver_desc(&side->driver[n], i, buffer(side, n, i), BUFFER, D_WRITE, 0);
	driver_offer(&side->driver[n], i);
}

static void set_up_queue(struct side *side, u32 n)
{
	struct driver_queue *queue = &side->driver[n];

	driver_queue_init(queue, n, queue_base(side, n), side->queue[n].max);
	for (u32 i = 0; is_rx(n) && i < queue->num; i++)
		refill(side, n, i);
	driver_queue_set(&side->console.dev, queue);
	assert_true(side->queue[n].set.ready);
}

/* From reset to DRIVER_OK, all buffers offered. */
void side_start(struct side *side, u64 features)
{
	driver_start(&side->console.dev, features);
	for (u32 n = 0; n < VIRTIO_CONSOLE_QUEUES(side->console.ports); n++)
		set_up_queue(side, n);
	driver_ok(&side->console.dev);
	for (u32 n = 0; n < VIRTIO_CONSOLE_QUEUES(side->console.ports); n++)
		kick(side, n);
}

/* Send bytes in one buffer; false: the device has not given it back. */
bool transmit(struct side *side, u32 n, const void *data, u32 size)
{
	struct driver_queue *queue = &side->driver[n];
	u32 head, len, slot = queue->offered % queue->num;

	memcpy(driver_ptr(buffer(side, n, slot)), data, size);
	driver_desc(queue, slot, buffer(side, n, slot), size, 0, 0);
	driver_offer(queue, slot);
	kick(side, n);
	return driver_used(queue, &head, &len) && head == slot && len == 0;
}

/* What has arrived in queue n, up to size bytes, buffers offered again; its length. */
u32 collect(struct side *side, u32 n, char *out, u32 size)
{
	u32 head, len, done = 0;

	while (done + BUFFER < size && driver_used(&side->driver[n], &head, &len)) {
		memcpy(out + done, driver_ptr(buffer(side, n, head)), len);
		done += len;
		refill(side, n, head);
		kick(side, n);
	}
	out[done] = 0;
	return done;
}

void check_arrived(struct side *side, u32 n, const char *text)
{
	char out[8192];

	collect(side, n, out, sizeof(out));
	assert_string_equal(out, text);
}

void say(struct side *side, u32 id, u16 event, u16 value)
{
	const struct control control = { id, event, value };

	assert_true(transmit(side, 3, &control, sizeof(control)));
}

/* The next control message; its text, if any, into text. */
static struct control hear(struct side *side, char text[64])
{
	struct control control;
	u32 head, len;
	u8 *data;

	assert_true(driver_used(&side->driver[2], &head, &len));
	assert_in_range(len, sizeof(control), sizeof(control) + 63);
	data = driver_ptr(buffer(side, 2, head));
	memcpy(&control, data, sizeof(control));
	memset(text, 0, 64);
	memcpy(text, data + sizeof(control), len - sizeof(control));
	refill(side, 2, head);
	kick(side, 2);
	return control;
}

void check_heard(struct side *side, u32 id, u16 event, u16 value, const char *text)
{
	char got[64];
	struct control control = hear(side, got);

	assert_int_equal(control.id, id);
	assert_int_equal(control.event, event);
	assert_int_equal(control.value, value);
	assert_string_equal(got, text);
}

void check_silence(struct side *side)
{
	u32 head, len;

	assert_false(driver_used(&side->driver[2], &head, &len));
}

/* Answer as Linux does: every port that is added is ready; a console is opened, too. */
void answer(struct side *side)
{
	char text[64];

	while (side->driver[2].seen != *(u16 *)driver_ptr(side->driver[2].used + 2)) {
		struct control control = hear(side, text);

		if (control.event == ADD)
			say(side, control.id, READY, 1);
		if (control.event == CONSOLE)
			say(side, control.id, OPEN, 1);
	}
}

void greet(struct side *side)
{
	say(side, 0xffffffff, DEVICE_READY, 1);
	answer(side);
}

/* ---- The board ---- */

static void init(struct side *side, u64 base, u32 ports, void (*on_silent)(void *ctx))
{
	const struct virtio_console_params params = {
		.owner = "vm", .gmap = &driver_gmap, .ports = ports, .port = side->port,
		.queue = side->queue, .ring = side->ring, .silent = on_silent, .ctx = side,
	};

	side->base = base;
	assert_int_equal(virtio_console_init(&side->console, &params), 0);
}

void sides_init_guest(void (*on_silent)(void *ctx))
{
	init(&guest, RAM_BASE, 2, on_silent);
}

/* The guest: a console, an agent. The MVM: eight consoles, the guest is behind the second. */
int sides_setup(void **state)
{
	(void)state;
	driver_memory_init();
	memset(streams, 0, sizeof(streams));
	for (u32 i = 0; i < PORTS; i++) {
		const struct stream_store out = { kept[i], i < HVCS ? KEPT : LANE, i < HVCS };
		const struct stream_store in = { lanes[i], LANE, false };

		stream_set_store(&streams[i], STREAM_MACHINE, &out);
		stream_set_store(&streams[i], STREAM_TERMINAL, &in);
	}
	sides_init_guest(NULL);
	init(&mvm, RAM_SEAM, PORTS, NULL);
	for (u32 i = 0; i < HVCS; i++)
		assert_int_equal(virtio_console_add_port(&mvm.console, i, true, NULL, &streams[i],
							 STREAM_TERMINAL), 0);
	assert_int_equal(virtio_console_add_port(&guest.console, 0, true, NULL, &streams[1],
						 STREAM_MACHINE), 0);
	assert_int_equal(virtio_console_add_port(&guest.console, 1, false, "org.qemu.guest_agent.0",
						 &streams[9], STREAM_MACHINE), 0);
	return 0;
}

int sides_teardown(void **state)
{
	(void)state;
	virtio_console_exit(&guest.console);
	virtio_console_exit(&mvm.console);
	driver_memory_exit();
	return 0;
}

void both_run(void)
{
	side_start(&mvm, FEATURES);
	greet(&mvm);
	side_start(&guest, FEATURES);
	greet(&guest);
	answer(&mvm);
}
