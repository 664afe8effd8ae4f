/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps a disk as busy as it can for ever: 32 requests at a time, now and then a reset with all of
 * them under way. The VM to which things are done from outside. The disk has 8 MiB or more.
 */
#include "guest.h"
#include "virtio.h"

#define BLOCK_DEVICE 2U
#define F_FLUSH 9
#define DEEP 32U	/* requests at a time */
#define PIECE 16384U	/* bytes of each */
#define ROUNDS 100U	/* between two resets */
#define MEMORY (RAM_BASE + 0x4000000UL)	/* far behind the payload and its stacks */
#define DATA (MEMORY + 0x100000UL)

static volatile struct virtq *const q = (volatile struct virtq *)MEMORY;
static struct {
	u32 type;	/* 0: read, 1: write */
	u32 reserved;
	u64 sector;
} header[DEEP];
static volatile u8 status[DEEP];

static void must(const char *what, bool good)
{
	if (good)
		return;
	check_eq(what, good, true);
	finish();
}

/* Request n has three descriptors, which stay as they are: two of three requests write. */
static void lay(u32 n)
{
	u16 first = (u16)(3 * n), read = n % 3 == 0 ? WRITE : 0;

	header[n].type = !read;
	header[n].sector = (u64)n * (PIECE / 512);
	virtq_put(q->desc, first, (u64)&header[n], 16, NEXT, (u16)(first + 1));
	virtq_put(q->desc, first + 1U, DATA + (u64)n * PIECE, PIECE, NEXT | read,
		  (u16)(first + 2));
	virtq_put(q->desc, first + 2U, (u64)&status[n], 1, WRITE, 0);
}

static void begin(void)
{
	must("it can be reset", WAIT_FOR(virtio_reset(), 60000));
	virtio_begin(virtio_offered() & 1U << F_FLUSH);	/* without it, writes end when safe */
	virtio_queue(0, q);
	for (u32 n = 0; n < DEEP; n++)
		lay(n);
	virtio_go();
}

static void offer_all(void)
{
	for (u32 n = 0; n < DEEP; n++) {
		status[n] = 0xff;
		virtq_offer(q, (u16)(3 * n));
	}
	virtio_notify(0);
}

/* One that is lost is waited for in vain: whoever looks sees that nothing moves. */
static void await_all(void)
{
	for (;;) {
		irqs_off();
		if (q->used.idx == q->avail.idx)
			break;
		wfi();
		irqs_on();
	}
	irqs_on();
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
}

static bool all_good(void)
{
	for (u32 n = 0; n < DEEP; n++)
		if (status[n])
			return false;
	return true;
}

void payload(void)
{
	must("a block device", virtio_find(BLOCK_DEVICE));
	virtio_interrupts();
	for (;;) {
		begin();
		for (u32 round = 0; round < ROUNDS; round++) {
			offer_all();
			await_all();
			must("they end well", all_good());
		}
		offer_all();
	}
}
