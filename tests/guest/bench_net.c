/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions for a frame, under -icount as bench.c: this VM has two cards on one switch, sends
 * with the first, and receives with the second. Only the notification is timed: an exit, and all
 * that Shyper does for as many frames as were offered. Runs of one shape differ by what is copied.
 */
#include "guest.h"
#include "virtio.h"

#define RX 0U
#define TX 1U
#define F_MRG_RXBUF (1U << 15)
#define F_LARGE (1U << 0 | 1U << 1 | 1U << 7 | 1U << 11)	/* checksums, TSO4: both ways */

#define MEMORY (RAM_BASE + 0x1000000UL)
#define BUFFERS (MEMORY + 0x40000UL)
#define OUT (BUFFERS + 0x100000UL)
#define PAGE 4096U
#define HEADER 12U
#define HEADERS 66U		/* of Ethernet, IPv4, and TCP with its time stamps */
#define ROUNDS 200U
#define INSNS_PER_TICK (1000000000UL / TIMEBASE)

/* How a frame lies in memory. */
struct shape {
	const char *name;
	u32 size;
	u32 piece;		/* its data in pieces of so many bytes, behind HEADERS; 0: in one */
	u32 room;		/* bytes of a buffer that receives */
	u32 at_once;
	bool large;		/* to be cut into segments */
};

/* As Linux sends: small ones in one piece or two, large ones as headers and pages. */
static const struct shape shapes[] = {
	{ "one_60", 60, 0, 2048, 64, false },
	{ "one_1514", 1514, 0, 2048, 64, false },
	{ "two_790", 790, 724, 2048, 32, false },
	{ "two_1514", 1514, 1448, 2048, 32, false },
	{ "five_790", 790, 181, 2048, 16, false },
	{ "five_1514", 1514, 362, 2048, 16, false },
	{ "large_32646", 32646, PAGE / 2, PAGE / 2, 4, true },
	{ "large_65226", 65226, PAGE, PAGE, 4, true },
};

static unsigned long card[2];

/* Two for each card. */
static volatile struct virtq *queue(u32 n, u32 q)
{
	return (volatile struct virtq *)MEMORY + 2 * n + q;
}

static void open(u32 n)
{
	virtio_device = card[n];
	virtio_reset();
	virtio_begin(F_MRG_RXBUF | F_LARGE);
	virtio_queue(RX, queue(n, RX));
	virtio_queue(TX, queue(n, TX));
	virtio_go();
	/* No interrupts: they are Linux's to switch off as well. */
	queue(n, RX)->avail.flags = queue(n, TX)->avail.flags = 1;
}

/* The other card, from slot to slot. */
static bool find_cards(void)
{
	u32 found = 0;

	for (unsigned long at = SLOTS; at < SLOTS_END && found < 2; at += 0x1000) {
		u32 id = 0;
		struct trap t = TRY(id = read_u32(at + ID));

		if (t.cause == TRAP_NONE && id == 1)
			card[found++] = at;
	}
	return found == 2;
}

static void prepare(const struct shape *shape)
{
	volatile u8 *header = (volatile u8 *)OUT, *frame = header + HEADER;

	memset((void *)OUT, 0, HEADER + 2 * PAGE);
	for (u32 i = 0; i < 6; i++) {
		frame[i] = read_u8(card[1] + CONFIG + i);
		frame[6 + i] = read_u8(card[0] + CONFIG + i);
	}
	frame[12] = 0x08;
	if (!shape->large)
		return;
	header[0] = 1;			/* the checksum is left to the receiver, */
	header[1] = 1;			/* and the cutting: TCP over IPv4 */
	header[2] = HEADERS;
	header[4] = 1448 & 0xff;
	header[5] = 1448 >> 8;
	header[6] = 34;			/* where the checksum begins, */
	header[8] = 16;			/* and where it belongs */
}

/* Offers one frame from descriptor n on; pieces begin pages. Returns the next free descriptor. */
static u32 offer(const struct shape *shape, u32 n)
{
	u32 head = n, page = 1, left = shape->piece ? shape->size - HEADERS : 0, size;

	virtq_put(queue(0, TX)->desc, n++, OUT, HEADER + shape->size - left, left ? NEXT : 0,
		  (u16)(head + 1));
	for (; left; left -= size, n++) {
		size = MIN(left, shape->piece);
		virtq_put(queue(0, TX)->desc, n, OUT + PAGE * page++, size,
			  size < left ? NEXT : 0, (u16)(n + 1));
	}
	virtq_offer(queue(0, TX), (u16)head);
	return n;
}

/* Buffers for `frames` of them; returns how many. */
static u32 make_room(const struct shape *shape, u32 frames)
{
	u32 count = frames * ((HEADER + shape->size - 1) / shape->room + 1);

	for (u32 n = 0; n < count; n++) {
		virtq_put(queue(1, RX)->desc, n, BUFFERS + n * shape->room, shape->room, WRITE, 0);
		virtq_offer(queue(1, RX), (u16)n);
	}
	return count;
}

/* So many at once; ticks of the notification alone. */
static unsigned long round_of(const struct shape *shape, u32 frames)
{
	u16 before = queue(1, RX)->used.idx;
	u32 count = make_room(shape, frames);
	unsigned long start;

	for (u32 i = 0, n = 0; i < frames; i++)
		n = offer(shape, n);
	virtio_device = card[0];
	start = rdtime();
	virtio_notify(TX);
	start = rdtime() - start;
	if ((u16)(queue(1, RX)->used.idx - before) != count)
		check_eq("all arrive", (u16)(queue(1, RX)->used.idx - before), count);
	return start;
}

static void bench(const struct shape *shape, u32 frames, const char *how)
{
	unsigned long ticks = 0;

	prepare(shape);
	round_of(shape, frames);
	for (u32 i = 0; i < ROUNDS; i++)
		ticks += round_of(shape, frames);
	say("bench %s%s %lu\n", shape->name, how, ticks * INSNS_PER_TICK / (ROUNDS * frames));
}

void payload(void)
{
	CHECK("two cards", find_cards(), "fewer");
	open(0);
	open(1);
	for (u32 i = 0; i < ARRAY_SIZE(shapes); i++) {
		bench(&shapes[i], shapes[i].at_once, "");
		bench(&shapes[i], 1, "_alone");
	}
}
