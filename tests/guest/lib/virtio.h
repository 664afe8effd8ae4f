/* SPDX-License-Identifier: BSD-2-Clause */
/* A driver's side of virtio over MMIO (version 2), for payloads that drive one device by hand. */
#ifndef GUEST_VIRTIO_H
#define GUEST_VIRTIO_H

#include <hv/types.h>

#define SLOTS 0x10001000UL	/* of a page each */
#define SLOTS_END 0x1000e000UL

/* Registers. */
enum {
	MAGIC = 0x00, VERSION = 0x04, ID = 0x08, VENDOR = 0x0c, OFFERED = 0x10, OFFERED_SEL = 0x14,
	ACCEPTED = 0x20,
	ACCEPTED_SEL = 0x24, QUEUE_SEL = 0x30, NUM_MAX = 0x34, NUM = 0x38, READY = 0x44,
	NOTIFY = 0x50, INTERRUPT = 0x60, ACK = 0x64, STATUS = 0x70, DESC = 0x80, DRIVER = 0x90,
	USED = 0xa0, CONFIG = 0x100,
};

enum {
	S_ACKNOWLEDGE = 1, S_DRIVER = 2, S_DRIVER_OK = 4, S_FEATURES_OK = 8, S_NEEDS_RESET = 64,
};
enum { NEXT = 1, WRITE = 2, INDIRECT = 4 };

#define VIRTQ_SIZE 128U

struct desc {
	u64 addr;
	u32 len;
	u16 flags, next;
};

struct virtq {
	struct desc desc[VIRTQ_SIZE] __attribute__((aligned(4096)));
	struct {
		u16 flags, idx, ring[VIRTQ_SIZE], event;
	} avail __attribute__((aligned(4096)));
	struct {
		u16 flags, idx;
		struct {
			u32 id, len;
		} ring[VIRTQ_SIZE];
		u16 event;
	} used __attribute__((aligned(4096)));
};

extern unsigned long virtio_device;	/* where its registers are */

/* virtio_find() - look for the first device of this kind, in slots with modern devices. */
bool virtio_find(u32 id);

u32 virtio_reg(unsigned long offset);
void virtio_set(unsigned long offset, u32 value);

/* virtio_offered() - the lower half of the features. */
u32 virtio_offered(void);

/* virtio_reset() - false: not done within two seconds. */
bool virtio_reset(void);

/*
 * virtio_begin() - agree on these features of the lower half; virtio_queue() - hand over a queue,
 * emptied; virtio_place() - one of any size, its parts anywhere; virtio_go() - the device may
 * begin.
 */
void virtio_begin(u32 features);
void virtio_queue(u32 n, volatile struct virtq *q);
void virtio_place(u32 n, u32 num, u64 desc, u64 driver, u64 device);
void virtio_go(void);

/* virtq_put() - write a descriptor; virtq_offer() - offer the chain that begins there. */
void virtq_put(volatile struct desc *table, u32 n, u64 addr, u32 len, u16 flags, u16 next);
void virtq_offer(volatile struct virtq *q, u16 head);

/* virtio_notify() - of what was offered. */
void virtio_notify(u32 n);

/*
 * virtio_interrupts() - count the device's interrupts from now on, each acknowledged and completed.
 * Its source is that of its slot on the virt board.
 */
void virtio_interrupts(void);
extern volatile unsigned long virtio_used;	/* interrupts for used buffers */
extern volatile unsigned long virtio_changed;	/* for changes of the configuration */

#endif
