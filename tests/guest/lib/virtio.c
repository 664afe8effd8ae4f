/* SPDX-License-Identifier: BSD-2-Clause */
/* Driving a virtio device over MMIO. */
#include "guest.h"
#include "virtio.h"

unsigned long virtio_device;
volatile unsigned long virtio_used, virtio_changed;

bool virtio_find(u32 id)
{
	u32 magic = 0;

	/* A VM may have nothing in a slot. */
	for (unsigned long at = SLOTS; at < SLOTS_END; at += 0x1000) {
		struct trap t = TRY(magic = read_u32(at + MAGIC));

		if (t.cause == TRAP_NONE && magic == 0x74726976 && read_u32(at + VERSION) == 2 &&
		    read_u32(at + ID) == id) {
			virtio_device = at;
			return true;
		}
	}
	return false;
}

u32 virtio_reg(unsigned long offset)
{
	return read_u32(virtio_device + offset);
}

void virtio_set(unsigned long offset, u32 value)
{
	write_u32(virtio_device + offset, value);
}

u32 virtio_offered(void)
{
	virtio_set(OFFERED_SEL, 0);
	return virtio_reg(OFFERED);
}

bool virtio_reset(void)
{
	virtio_set(STATUS, 0);
	return WAIT_FOR(virtio_reg(STATUS) == 0, 2000);
}

void virtio_begin(u32 features)
{
	virtio_set(STATUS, S_ACKNOWLEDGE | S_DRIVER);
	virtio_set(ACCEPTED_SEL, 1);
	virtio_set(ACCEPTED, 1);
	virtio_set(ACCEPTED_SEL, 0);
	virtio_set(ACCEPTED, features);
	virtio_set(STATUS, S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK);
}

static void set_address(unsigned long offset, u64 at)
{
	virtio_set(offset, (u32)at);
	virtio_set(offset + 4, (u32)(at >> 32));
}

void virtio_place(u32 n, u32 num, u64 desc, u64 driver, u64 device)
{
	virtio_set(QUEUE_SEL, n);
	virtio_set(NUM, num);
	set_address(DESC, desc);
	set_address(DRIVER, driver);
	set_address(USED, device);
	virtio_set(READY, 1);
}

void virtio_queue(u32 n, volatile struct virtq *q)
{
	memset((void *)q, 0, sizeof(*q));
	virtio_place(n, VIRTQ_SIZE, (u64)q->desc, (u64)&q->avail, (u64)&q->used);
}

void virtio_go(void)
{
	virtio_set(STATUS, S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK | S_DRIVER_OK);
}

void virtq_put(volatile struct desc *table, u32 n, u64 addr, u32 len, u16 flags, u16 next)
{
	table[n] = (struct desc){ addr, len, flags, next };
}

void virtq_offer(volatile struct virtq *q, u16 head)
{
	q->avail.ring[q->avail.idx % VIRTQ_SIZE] = head;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	q->avail.idx++;
}

void virtio_notify(u32 n)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	virtio_set(NOTIFY, n);
}

static void interrupt(void)
{
	u32 source = wire_claim(), why = virtio_reg(INTERRUPT);

	virtio_set(ACK, why);
	virtio_used += why & 1;
	virtio_changed += why >> 1 & 1;
	if (source)
		wire_done(source);
}

void virtio_interrupts(void)
{
	irq_handle(IRQ_EXT, interrupt);
	wire_listen((u32)((virtio_device - SLOTS) / 0x1000 + 1));
	csr_set(sie, SIE_SEIE);
	irqs_on();
}
