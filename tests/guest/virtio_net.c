/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A network device whose other end has the address 10.99.0.1 (tests/system/backend_net.c): it is
 * asked for by ARP, many times, and answers come by interrupt; after a reset, too.
 */
#include "guest.h"
#include "virtio.h"

#define MEMORY (RAM_BASE + 0x4000000UL)
#define FRAMES (MEMORY + 0x100000UL)
#define FRAME 2048U	/* bytes of a buffer */
#define HEADER 12U	/* of virtio, before each frame */
#define ARP 28U
#define ROUNDS 100U

enum { RECEIVE, TRANSMIT };

static volatile struct virtq *const q = (volatile struct virtq *)MEMORY;
static u8 mac[6];

/* Ethernet and ARP: who has 10.99.0.1, tell 10.99.0.2. */
static const u8 question[14 + ARP] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0x08, 0x06,
	0, 1, 0x08, 0, 6, 4, 0, 1, 0, 0, 0, 0, 0, 0, 10, 99, 0, 2,
	0, 0, 0, 0, 0, 0, 10, 99, 0, 1,
};

static u8 *frame(u32 n)
{
	return (u8 *)(FRAMES + (unsigned long)n * FRAME);
}

static void give_buffer(u32 n)
{
	virtq_put(q[RECEIVE].desc, n, (u64)frame(n), FRAME, WRITE, 0);
	virtq_offer(&q[RECEIVE], (u16)n);
}

static void set_up(void)
{
	virtio_begin(1U << 5);
	virtio_queue(RECEIVE, &q[RECEIVE]);
	virtio_queue(TRANSMIT, &q[TRANSMIT]);
	for (u32 n = 0; n < VIRTQ_SIZE - 1; n++)
		give_buffer(n);
	virtio_go();
	virtio_notify(RECEIVE);
}

/* Sent from the buffer behind those for receiving. */
static void send(void)
{
	u8 *out = frame(VIRTQ_SIZE);

	memset(out, 0, HEADER);
	memcpy(out + HEADER, question, sizeof(question));
	memcpy(out + HEADER + 6, mac, 6);
	memcpy(out + HEADER + 22, mac, 6);
	virtq_put(q[TRANSMIT].desc, 0, (u64)out, HEADER + sizeof(question), 0, 0);
	virtq_offer(&q[TRANSMIT], 0);
	virtio_notify(TRANSMIT);
}

static bool is_answer(const u8 *in)
{
	const u8 *arp = in + HEADER + 14;

	return !memcmp(in + HEADER, mac, 6) && arp[7] == 2 && !memcmp(arp + 14, question + 38, 4) &&
	       !memcmp(arp + 18, mac, 6);
}

/* Take frames out of the queue until an answer is among them; others are of no interest. */
static bool answered(u16 *seen)
{
	bool found = false;

	while (!found && *seen != q[RECEIVE].used.idx) {
		u32 n;

		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		n = q[RECEIVE].used.ring[(*seen)++ % VIRTQ_SIZE].id;
		found = is_answer(frame(n));
		give_buffer(n);
		virtio_notify(RECEIVE);
	}
	return found;
}

static void check_answers(void)
{
	u32 answers = 0;
	u16 seen = 0;

	for (u32 i = 0; i < ROUNDS; i++) {
		unsigned long before = virtio_used;

		send();
		answers += WAIT_FOR(virtio_used != before && answered(&seen), 5000);
	}
	check_eq("answers by interrupt", answers, ROUNDS);
	check_eq("what was sent came back", q[TRANSMIT].used.idx, ROUNDS);
}

void payload(void)
{
	check_eq("a network device", virtio_find(1), true);
	check_eq("reset", virtio_reset(), true);
	for (u32 i = 0; i < 6; i++)
		mac[i] = read_u8(virtio_device + CONFIG + i);
	virtio_interrupts();
	set_up();
	check_answers();
	check_eq("a reset that waits", virtio_reset(), true);
	set_up();
	check_answers();
}
