/* SPDX-License-Identifier: BSD-2-Clause */
/* Two virtio network devices and their drivers; see net_sides.h. */
#include "net_sides.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <hv/timer.h>

u64 sides_now = 1000000000;
struct side a, b, c;
u8 frame[70000];
u8 got[70000];
const struct net_offload none;

u64 arch_time(void)
{
	return sides_now;
}

u64 arch_timebase(void)
{
	return 10000000;
}

static void set_line(void *chip, u32 source, bool level)
{
	struct side *side = chip;

	(void)source;
	if (level == side->wire)
		abort();
	side->wire = level;
	side->interrupts += level;
}

static const struct irqchip_ops chip = { .name = "wire", .set_line = set_line };

static u64 side_base(const struct side *side)
{
	return side == &a ? RAM_BASE : side == &b ? RAM_BASE + 0x180000 : RAM_BASE + 0x70000;
}

static u64 queue_base(const struct side *side, u32 n)
{
	return side_base(side) + 0x2000 * n;
}

/* Where a side's frames are. B's lie across the seam of the host's memory. */
u64 side_data(const struct side *side)
{
	return side == &a ? RAM_BASE + 0x10000 : side == &b ? RAM_SEAM - 0x8003 :
	       RAM_BASE + 0x78000;
}

void side_make(struct side *side, u64 mac, bool small)
{
	const struct virtio_net_params params = {
		.owner = "vm", .gmap = &driver_gmap, .mac = mac, .mtu = 1500, .small = small,
		.irq = { .ops = &chip, .chip = side, .source = 1 },
	};

	memset(side, 0, sizeof(*side));
	virtio_net_init(&side->net, &params);
	assert_int_equal(vswitch_join(&side->net.port, "lan", 0), 0);
}

int sides_set_up(void **state)
{
	(void)state;
	driver_memory_init();
	side_make(&a, MAC_A, false);
	side_make(&b, MAC_B, false);
	return 0;
}

int sides_tear_down(void **state)
{
	(void)state;
	vswitch_leave(&a.net.port);
	vswitch_leave(&b.net.port);
	vswitch_leave(&c.net.port);
	driver_memory_exit();
	return 0;
}

void side_start(struct side *side, u64 features)
{
	driver_start(&side->net.dev, features);
	for (u32 n = 0; n < 3; n++) {
		driver_queue_init(&side->queue[n], n, queue_base(side, n), NUM);
		driver_queue_set(&side->net.dev, &side->queue[n]);
	}
	driver_ok(&side->net.dev);
}

void side_fill(u64 to, u64 from, u32 size)
{
	for (u32 i = 0; i < 6; i++) {
		frame[i] = (u8)(to >> (40 - 8 * i));
		frame[6 + i] = (u8)(from >> (40 - 8 * i));
	}
	frame[12] = 0x08;
	frame[13] = 0x00;
	for (u32 i = 14; i < size; i++)
		frame[i] = (u8)(i * 7 + size);
}

/* frame[] cut into pieces at odd places; the last has the rest. Returns whether it was taken. */
bool side_send_cut(struct side *side, const struct net_offload *o, u32 size, u32 pieces)
{
	struct driver_queue *queue = &side->queue[VIRTIO_NET_TX];
	u64 at = side_data(side);
	u32 left = HEADER + size, head, len;

	assert_int_equal(gmap_write(&driver_gmap, GPA(at), o, HEADER), 0);
	assert_int_equal(gmap_write(&driver_gmap, GPA(at + HEADER), frame, size), 0);
	for (u32 i = 0; i < pieces; i++) {
		u32 n = i + 1 == pieces ? left : (HEADER + size) / pieces - (i & 1);

		driver_desc(queue, i, at, n, i + 1 == pieces ? 0 : D_NEXT, i + 1);
		at += n;
		left -= n;
	}
	driver_offer(queue, 0);
	driver_write(&side->net.dev, R_NOTIFY, VIRTIO_NET_TX);
	return driver_used(queue, &head, &len);
}

bool side_send(struct side *side, u32 size)
{
	return side_send_cut(side, &none, size, 1);
}

/* A buffer of so many bytes at place n of the side's; pieces: descriptors that it consists of. */
void side_give(struct side *side, u32 n, u32 size, u32 pieces)
{
	u64 at = side_data(side) + 0x14000 + 4096 * n;

	for (u32 i = 0; i < pieces; i++) {
		u32 len = i + 1 == pieces ? size - size / pieces * i : size / pieces;

		driver_desc(&side->queue[0], n + i, at + size / pieces * i, len,
			    D_WRITE | (i + 1 == pieces ? 0 : D_NEXT), n + i + 1);
	}
	driver_offer(&side->queue[0], n);
}

/* What has come into buffers of one descriptor each, or one of several; its size; 0: nothing. */
u32 side_receive(struct side *side, struct net_offload *o, u8 *into)
{
	u32 head, len, size = 0, count = 1;
	gpa_t at;

	for (u32 i = 0; i < count; i++) {
		if (!driver_used(&side->queue[0], &head, &len)) {
			assert_int_equal(i, 0);
			return 0;
		}
		at = GPA(side_data(side) + 0x14000 + 4096 * head);
		assert_int_equal(gmap_read(&driver_gmap, at, into + size, len), 0);
		size += len;
		if (i == 0) {
			memcpy(o, into, HEADER);
			count = o->num_buffers;
		}
	}
	memmove(into, into + HEADER, size - HEADER);
	return size - HEADER;
}

void side_check_arrived(u32 size)
{
	struct net_offload o;

	assert_int_equal(side_receive(&b, &o, got), size);
	assert_memory_equal(got, frame, size);
	assert_int_equal(o.flags | o.gso_type, 0);
}

void side_check_nothing(struct side *side)
{
	struct net_offload o;

	assert_int_equal(side_receive(side, &o, got), 0);
}

u64 side_dropped(const struct side *side, enum vswitch_drop why)
{
	return side->net.port.counters.drops[why];
}

void sides_start(u64 features)
{
	side_start(&a, features);
	side_start(&b, features);
	side_fill(MAC_B, MAC_A, sizeof(frame));
}
