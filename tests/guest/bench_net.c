/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions for a frame, under -icount as bench.c: this VM has two cards on one switch, sends
 * with the first, and receives with the second. Only the notification is timed: an exit, and all
 * that Shyper does for as many frames as were offered. Sizes differ by what is copied.
 */
#include "guest.h"
#include "virtio.h"

#define RX 0U
#define TX 1U
#define F_MRG_RXBUF (1U << 15)

#define MEMORY (RAM_BASE + 0x1000000UL)
#define BUFFERS (MEMORY + 0x40000UL)
#define BUFFER_SIZE 2048U
#define OUT (BUFFERS + 0x100000UL)
#define HEADER 12U
#define ROUNDS 200U
#define INSNS_PER_TICK (1000000000UL / TIMEBASE)

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
	virtio_begin(F_MRG_RXBUF);
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

static void prepare(u32 size)
{
	volatile u8 *frame = (volatile u8 *)OUT + HEADER;

	memset((void *)OUT, 0, HEADER + size);
	for (u32 i = 0; i < 6; i++) {
		frame[i] = read_u8(card[1] + CONFIG + i);
		frame[6 + i] = read_u8(card[0] + CONFIG + i);
	}
	frame[12] = 0x88;
	frame[13] = 0xb5;
}

/* `frames` of them at once; ticks of the notification alone. */
static unsigned long round_of(u32 size, u32 frames)
{
	unsigned long start;

	for (u32 n = 0; n < frames; n++) {
		virtq_put(queue(1, RX)->desc, n, BUFFERS + n * BUFFER_SIZE, BUFFER_SIZE, WRITE, 0);
		virtq_offer(queue(1, RX), (u16)n);
		virtq_put(queue(0, TX)->desc, n, OUT, HEADER + size, 0, 0);
		virtq_offer(queue(0, TX), (u16)n);
	}
	virtio_device = card[0];
	start = rdtime();
	virtio_notify(TX);
	return rdtime() - start;
}

static void bench(const char *name, u32 size, u32 frames)
{
	unsigned long ticks = 0;
	u16 before = queue(1, RX)->used.idx;

	prepare(size);
	round_of(size, frames);
	for (u32 i = 0; i < ROUNDS; i++)
		ticks += round_of(size, frames);
	check_eq("all arrive", (u16)(queue(1, RX)->used.idx - before),
		 (u16)(frames * (ROUNDS + 1)));
	say("bench %s %lu\n", name, ticks * INSNS_PER_TICK / (ROUNDS * frames));
}

void payload(void)
{
	CHECK("two cards", find_cards(), "fewer");
	open(0);
	open(1);
	bench("frame_60", 60, 64);
	bench("frame_1514", 1514, 64);
	bench("frame_60_alone", 60, 1);
	bench("frame_1514_alone", 1514, 1);
}
