/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A source of entropy that user space of the MVM serves (tests/system/backend_vm.c): bytes come by
 * interrupt, each queue is heard for itself, a reset is waited for. Through a queue that no other
 * such device has it tells how often each was heard. If it offers DIES, it does in the middle.
 */
#include "guest.h"
#include "virtio.h"

#define MEMORY (RAM_BASE + 0x4000000UL)
#define BUFFER (MEMORY + 0x100000UL)
#define BYTES 64U
#define DIES 1U		/* feature */

static volatile struct virtq *const q = (volatile struct virtq *)MEMORY;	/* of them */
static volatile u8 *const bytes = (volatile u8 *)BUFFER;
static volatile u32 *const heard = (volatile u32 *)BUFFER;	/* by queue */
static u8 round;

static void set_up(u32 features)
{
	virtio_begin(features);
	virtio_queue(0, &q[0]);
	virtio_queue(1, &q[1]);
	virtio_go();
}

/* Have the buffer filled; false: no interrupt came, or not by a used buffer. */
static bool ask(u32 n)
{
	unsigned long before = virtio_used;
	u16 used = q[n].used.idx;

	for (u32 i = 0; i < BYTES; i++)
		bytes[i] = 0;
	virtq_put(q[n].desc, 0, BUFFER, BYTES, WRITE, 0);
	virtq_offer(&q[n], 0);
	virtio_notify(n);
	return WAIT_FOR(virtio_used != before && q[n].used.idx != used, 5000);
}

/* Of its answers no two are alike. */
static bool good(void)
{
	bool same = true;

	round++;
	for (u32 i = 0; i < BYTES; i++)
		same &= bytes[i] == (u8)(round * 31 + i);
	return same;
}

static void check_bytes(u32 rounds)
{
	u32 right = 0;

	for (u32 i = 0; i < rounds; i++)
		right += ask(0) && good();
	check_eq("bytes by interrupt", right, rounds);
}

static void check_queues(void)
{
	u32 first, second;

	check_eq("the other queue", ask(1), true);
	first = heard[0];
	second = heard[1];
	for (u32 i = 0; i < 5; i++)
		ask(1);
	check_eq("the first is not heard when the other is notified", heard[0], first);
	check_eq("which is", heard[1], second + 5);
	check_bytes(5);
	check_eq("the other queue", ask(1), true);
	check_eq("and the other way round", heard[0], first + 5);
	check_eq("what it was", heard[1], second + 6);
}

/* It has nothing to do, and is not to drown in that. */
static void check_flood(void)
{
	for (u32 i = 0; i < 20000; i++)
		virtio_notify(0);
	check_bytes(5);
}

static void check_death(void)
{
	while (ask(0))
		round++;
	CHECK("some answers", round >= 5, "%u", round);
	check_eq("then it needs a reset",
		 WAIT_FOR(virtio_reg(STATUS) & S_NEEDS_RESET, 20000), true);
	CHECK("by interrupt", virtio_changed, "none came");
	check_eq("which waits for nobody", virtio_reset(), true);
	set_up(DIES);
	check_eq("and does not help", virtio_reg(STATUS) & S_NEEDS_RESET, S_NEEDS_RESET);
}

void payload(void)
{
	check_eq("a source of entropy", virtio_find(4), true);
	check_eq("reset", virtio_reset(), true);
	virtio_interrupts();
	if (virtio_offered() & DIES) {
		set_up(DIES);
		check_death();
		return;
	}
	set_up(0);
	check_bytes(50);
	check_queues();
	check_flood();
	check_eq("a reset that waits", virtio_reset(), true);
	set_up(0);
	check_bytes(50);
}
