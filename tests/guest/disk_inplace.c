/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio disk used on command: 'i' writes and reads whole pages, which are BUFFER and BACK in
 * memory, at every size up to 1 MiB; 'o' does so once at odd addresses there; 'q' ends. The disk
 * has 2 MiB or more.
 */
#include "guest.h"
#include "virtio.h"

enum { IN = 0, OUT = 1 };

#define MEMORY (RAM_BASE + 0x4000000UL)
#define BUFFER (RAM_BASE + 0x5000000UL)
#define BACK (RAM_BASE + 0x6000000UL)
#define LARGEST (1U << 20)

struct request {
	u32 type, reserved;
	u64 sector;
	u8 status;
};

static volatile struct virtq *const q = (volatile struct virtq *)MEMORY;
static volatile struct request *const r = (volatile struct request *)(MEMORY + 0x10000UL);

static bool transfer(u32 type, u64 data, u32 size)
{
	u16 seen = q->used.idx;
	bool done;

	*r = (struct request){ .type = type, .status = 0xff };
	virtq_put(q->desc, 0, (u64)r, 16, NEXT, 1);
	virtq_put(q->desc, 1, data, size, (u16)(NEXT | (type == IN ? WRITE : 0)), 2);
	virtq_put(q->desc, 2, (u64)&r->status, 1, WRITE, 0);
	virtq_offer(q, 0);
	virtio_notify(0);
	done = WAIT_FOR(q->used.idx != seen, 20000);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	virtio_set(ACK, virtio_reg(INTERRUPT));
	return done && r->status == 0;
}

static void fill(u64 at, u32 size, u64 seed)
{
	for (u32 i = 0; i < size / 8; i++)
		((volatile u64 *)at)[i] = seed = seed * 6364136223846793005UL + 1;
}

static void at_odd_addresses(void)
{
	check_eq("write from an odd address", transfer(OUT, BUFFER + 1, 4096), true);
	check_eq("read to an odd address", transfer(IN, BACK + 1, 4096), true);
}

static void in_place(void)
{
	for (u32 size = 4096; size <= LARGEST; size *= 2) {
		fill(BUFFER, size, size);
		memset((void *)BACK, 0, size);
		check_eq("write", transfer(OUT, BUFFER, size), true);
		check_eq("read", transfer(IN, BACK, size), true);
		check_eq("the same", !memcmp((void *)BUFFER, (void *)BACK, size), true);
	}
}

void payload(void)
{
	int command = 0;

	check_eq("a block device", virtio_find(2), true);
	check_eq("reset", virtio_reset(), true);
	virtio_begin(0);
	virtio_queue(0, q);
	virtio_go();
	while (command != 'q') {
		say("ready\n");
		command = get_char(300000);
		if (command == 'i')
			in_place();
		else if (command == 'o')
			at_odd_addresses();
		else if (command < 0)
			command = 'q';
	}
}
