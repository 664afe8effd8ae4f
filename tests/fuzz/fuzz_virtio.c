/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libFuzzer: two virtio consoles of one guest memory, joined by streams, whose drivers do what the
 * input says: registers, descriptors, rings, memory, ports that come and go. The sanitizers watch;
 * after each step the invariants are checked that a guest must not be able to break.
 */
#include <string.h>

#include <hv/gmap.h>
#include <hv/virtio_console.h>

#include "board.h"

#define RAM_BASE 0x80000000ull
#define RAM_SIZE 0x20000u	/* of each of two pieces that are not adjacent in the host */
#define PORTS 4U
#define QUEUES VIRTIO_CONSOLE_QUEUES(PORTS)
#define STEPS 400	/* of one input */

/* ---- The board ---- */

_Static_assert(2 * RAM_SIZE <= BOARD_SIZE, "memory");

static struct gmap_block blocks[] = {
	{ RAM_BASE, BOARD_BASE + RAM_SIZE, RAM_SIZE, GMAP_RAM },
	{ RAM_BASE + RAM_SIZE, BOARD_BASE, RAM_SIZE, GMAP_RAM },
	{ RAM_BASE + 2 * RAM_SIZE, BOARD_BASE, PAGE_SIZE, GMAP_DEVICE },
};
static const struct gmap gmap = { .count = ARRAY_SIZE(blocks), .block = blocks };

static struct side {
	struct virtio_console console;
	struct virtio_console_port port[PORTS];
	struct virtio_queue queue[QUEUES];
	struct virtqueue ring[QUEUES];
	bool wire;
} sides[2];

static struct stream streams[PORTS];
static u8 kept[PORTS][1024], lanes[PORTS][256];

/* Mostly addresses of the guest's memory; some that are not. */
static u64 take_gpa(void)
{
	u32 value = take(3);

	if (value >> 20 == 0xf)
		return (u64)value << (value & 31);
	return RAM_BASE + value % (2 * RAM_SIZE + 64);
}

/* ---- The drivers ---- */

static void put(u64 gpa, const void *data, u32 size)
{
	(void)!gmap_write(&gmap, GPA(gpa), data, size);
}

/* A megabyte in 64 KiB pieces is all that one buffer of this memory can need at once. */
static void access(struct side *side, u64 offset, u8 width, bool write, u64 value)
{
	must(driver_access(&side->console.dev, offset, width, write, value, 64) ||
	     offset == NOTIFY);
}

static void write_reg(struct side *side, u64 offset, u32 value)
{
	access(side, offset, 4, true, value);
}

static u64 ring_base(const struct side *side, u32 n)
{
	return RAM_BASE + (side == &sides[1] ? RAM_SIZE : 0) + 0x400 * n;
}

/* What a sound driver does first. */
static void start(struct side *side, u32 features)
{
	static const u8 zeros[0x400];
	struct virtio_dev *dev = &side->console.dev;

	driver_begin(dev, features & 0x30000007);
	for (u32 n = 0; n < QUEUES; n++) {
		put(ring_base(side, n), zeros, sizeof(zeros));
		driver_queue(dev, n, ring_base(side, n), 4);
	}
	driver_write(dev, STATUS, 0xf);
}

/* Put a slot into the available ring. */
static void offer_slot(struct side *side, u32 n, u16 slot)
{
	u64 base = ring_base(side, n);
	u16 index;

	if (gmap_read(&gmap, GPA(base + 0x102), &index, 2))
		return;
	put(base + 0x104 + 2 * (index % 4), &slot, 2);
	index++;
	put(base + 0x102, &index, 2);
}

/* A descriptor and its place in the available ring, then the notification. */
static void offer(struct side *side)
{
	u32 n = take(1) % QUEUES, slot = take(1) % 5, flags = take(1);
	u64 base = ring_base(side, n), gpa = take_gpa();
	u32 len = flags & 0x80 ? take(4) : take(1);
	u16 words[2] = { (u16)(flags & 7), (u16)(take(1) % 5) };

	if (!(flags & 0x40))
		words[0] = n & 1 ? 0 : 2;	/* what such a queue wants */
	put(base + 16 * slot, &gpa, 8);
	put(base + 16 * slot + 8, &len, 4);
	put(base + 16 * slot + 12, words, 4);
	offer_slot(side, n, (u16)slot);
	write_reg(side, 0x50, n);
}

/* A control message of the driver's. */
static void say(struct side *side, u16 id, u16 event, u16 value)
{
	const u16 message[4] = { id, 0, event, value };
	const u32 rest[2] = { sizeof(message), 0 };
	u64 base = ring_base(side, 3), gpa = base + 0x300;

	put(gpa, message, sizeof(message));
	put(base, &gpa, 8);
	put(base + 8, rest, 8);
	offer_slot(side, 3, 0);
	write_reg(side, 0x50, 3);
}

/* All buffers towards the driver, then what Linux says of two ports. */
static void greet(struct side *side)
{
	const u32 rest[2] = { 64, 2 };

	for (u32 n = 0; n < QUEUES; n += 2) {
		for (u16 slot = 0; slot < 4; slot++) {
			u64 gpa = ring_base(side, n) + 0x300 + 64 * (slot % 4);

			put(ring_base(side, n) + 16 * slot, &gpa, 8);
			put(ring_base(side, n) + 16 * slot + 8, rest, 8);
			offer_slot(side, n, slot);
		}
	}
	say(side, 0, 0, 1);
	for (u16 id = 0; id < 2; id++) {
		say(side, id, 3, 1);
		say(side, id, 6, 1);
	}
}

static void ports(struct side *side)
{
	u32 id = take(1) % (PORTS + 1), how = take(1);

	if (how & 1)
		(void)!virtio_console_add_port(&side->console, id, how & 2, how & 4 ? "port" : NULL,
					       &streams[id % PORTS],
					       side == sides ? STREAM_MACHINE : STREAM_TERMINAL);
	else if (how & 8)
		(void)!virtio_console_resize(&side->console, id, 80, (u16)how);
	else
		(void)!virtio_console_remove_port(&side->console, id);
}

static void step(void)
{
	u32 op = take(1);
	struct side *side = &sides[op >> 7];
	u32 word;

	switch (op & 7) {
	case 0:
		start(side, op & 8 ? 0x30000007 : take(4));
		if (op & 16)
			greet(side);
		break;
	case 1:
		write_reg(side, take(1) * 4, take(4));
		break;
	case 2:
		access(side, take(2) & 0x1ff8, (u8)(1 << (op >> 4 & 3)), op & 8, take(4));
		break;
	case 3:
		word = take(4);
		put(take_gpa(), &word, 4);
		break;
	case 4:
		word = take(2);
		say(side, (u16)(word % 6), (u16)(word >> 8 & 7), (u16)(word >> 12 & 1));
		break;
	case 5:
		ports(side);
		break;
	default:
		offer(side);
	}
}

/* ---- What must hold ---- */

static void check(void)
{
	for (u32 i = 0; i < 2; i++) {
		const struct virtio_dev *dev = &sides[i].console.dev;

		must(!spin_is_locked(&dev->lock) && sides[i].wire == (dev->interrupts != 0));
		for (u32 n = 0; n < QUEUES; n++)
			must(sides[i].ring[n].num <= sides[i].queue[n].max);
	}
	for (u32 i = 0; i < PORTS; i++) {
		must(!spin_is_locked(&streams[i].turn) && !spin_is_locked(&streams[i].lock));
		must(stream_waiting(&streams[i], STREAM_TERMINAL) <= sizeof(kept[i]) &&
		     stream_waiting(&streams[i], STREAM_MACHINE) <= sizeof(lanes[i]));
	}
}

static void set_up(void)
{
	memset(board_ram, 0, 2 * RAM_SIZE);
	memset(streams, 0, sizeof(streams));
	for (u32 i = 0; i < PORTS; i++) {
		const struct stream_store out = { kept[i], sizeof(kept[i]), i & 1 };
		const struct stream_store in = { lanes[i], sizeof(lanes[i]), false };

		stream_set_store(&streams[i], STREAM_MACHINE, &out);
		stream_set_store(&streams[i], STREAM_TERMINAL, &in);
	}
	for (u32 i = 0; i < 2; i++) {
		struct side *side = &sides[i];
		const struct virtio_console_params params = {
			.owner = "vm", .gmap = &gmap, .ports = PORTS, .port = side->port,
			.queue = side->queue, .ring = side->ring,
			.irq = { .ops = &board_chip, .chip = &side->wire, .source = 1 },
		};

		side->wire = false;
		must(!virtio_console_init(&side->console, &params));
		for (u32 id = 0; id < 2; id++)
			must(!virtio_console_add_port(&side->console, id, !id, id ? "agent" : NULL,
						      &streams[id],
						      i ? STREAM_TERMINAL : STREAM_MACHINE));
		start(side, 0x30000007);
		greet(side);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	input_begin(data, size);
	set_up();
	for (u32 i = 0; input_left() && i < STEPS; i++) {
		step();
		check();
	}
	for (u32 i = 0; i < 2; i++)
		virtio_console_exit(&sides[i].console);
	return 0;
}
