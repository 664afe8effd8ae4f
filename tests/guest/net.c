/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A network card driven by hand, one payload for all VMs of a test. The last byte of its address
 * says what a VM does:
 *  1  checks: frames of all sizes to its neighbours and back, large ones and such that lie;
 *     filters, false addresses, floods and storms; rings that break the rules;
 *  2  echoes, with everything that the device offers;
 *  3  takes four frames and never another one;
 *  4  echoes, with a driver that has agreed to nothing;
 *  5  says what it hears, on another VLAN;
 *  6  sends to everyone, as fast as it can;
 *  7  spins, for comparison;
 *  8  finds out that it may send so much and no more: LIMIT bytes a second, an MTU of 600.
 */
#include "guest.h"
#include "virtio.h"

#define RX 0U
#define TX 1U
#define CONTROL 2U

#define F_MRG_RXBUF (1U << 15)
#define F_CTRL_VQ (1U << 17)
#define F_EVENT_IDX (1U << 29)

#define MEMORY (RAM_BASE + 0x1000000UL)
#define BUFFERS (MEMORY + 0x10000UL)	/* VIRTQ_SIZE of BUFFER_SIZE */
#define BUFFER_SIZE 2048U
#define OUT (BUFFERS + 0x40000UL)	/* what is sent, with its header */
#define IN (OUT + 0x20000UL)		/* what was received */
#define ORDER (IN + 0x20000UL)		/* a command */

#define HEADER 12U
#define ETH 14U
#define TYPE 0x88b5U		/* for experiments */
#define NONE 0xffffffffU	/* no frame */
#define LIMIT 10000U
#define AT_ONCE 131072U		/* what may come in one go */

struct offload {
	u8 flags, gso_type;
	u16 hdr_len, gso_size, csum_start, csum_offset, num_buffers;
};

static volatile struct virtq *const q = (volatile struct virtq *)MEMORY;
static u16 seen[3];	/* used entries that were taken */
static u8 own[6];
static bool mergeable;

static const struct offload plain;
static const u8 everyone[6] = { 255, 255, 255, 255, 255, 255 };

/* ---- The driver ---- */

static u64 buffer(u32 n)
{
	return BUFFERS + n * BUFFER_SIZE;
}

static void give(u32 n)
{
	virtq_put(q[RX].desc, n, buffer(n), BUFFER_SIZE, WRITE, 0);
	virtq_offer(&q[RX], (u16)n);
}

static bool open(u32 features, u32 buffers)
{
	if (!virtio_reset())
		return false;
	virtio_begin(features);
	mergeable = features & F_MRG_RXBUF;
	for (u32 n = 0; n < (features & F_CTRL_VQ ? 3 : 2); n++) {
		virtio_queue(n, &q[n]);
		seen[n] = 0;
	}
	virtio_go();
	for (u32 n = 0; n < buffers; n++)
		give(n);
	return virtio_reg(STATUS) & S_DRIVER_OK;
}

/* Takes the next used entry; false: there is none. */
static bool used(u32 n, u32 *head, u32 *len)
{
	if (q[n].used.idx == seen[n])
		return false;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	*head = q[n].used.ring[seen[n] % VIRTQ_SIZE].id;
	*len = q[n].used.ring[seen[n] % VIRTQ_SIZE].len;
	seen[n]++;
	return true;
}

/* What lies at OUT + HEADER, in as many pieces; false: the device does not take it. */
static bool send(struct offload o, u32 size, u32 pieces)
{
	u32 head, len, each = (HEADER + size) / pieces, left = HEADER + size;

	*(volatile struct offload *)OUT = o;
	for (u32 i = 0; i < pieces; i++) {
		u32 n = i + 1 < pieces ? each : left;

		virtq_put(q[TX].desc, i, OUT + each * i, n, i + 1 < pieces ? NEXT : 0,
			  (u16)(i + 1));
		left -= n;
	}
	virtq_offer(&q[TX], 0);
	virtio_notify(TX);
	return WAIT_FOR(used(TX, &head, &len), 2000);
}

/* One frame to IN, its buffers given back. Returns its size; NONE: none came in so many ms. */
static u32 receive(unsigned long ms, struct offload *o)
{
	u32 head, len, size = 0, left = 1;

	while (left--) {
		if (!WAIT_FOR(used(RX, &head, &len), ms))
			return NONE;
		memcpy((void *)(IN + size), (void *)buffer(head), len);
		if (!size) {
			*o = *(struct offload *)IN;
			left = mergeable ? o->num_buffers - 1U : 0;
		}
		size += len;
		give(head);
	}
	return size - HEADER;
}

static void drain(void)
{
	struct offload o;

	while (receive(20, &o) != NONE)
		;
}

/* ---- Frames ---- */

static u8 *out(void)
{
	return (u8 *)OUT + HEADER;
}

static const u8 *in(void)
{
	return (const u8 *)IN + HEADER;
}

static void address(const u8 *to, const u8 *from, u16 type)
{
	memcpy(out(), to, 6);
	memcpy(out() + 6, from, 6);
	out()[12] = (u8)(type >> 8);
	out()[13] = (u8)type;
}

static const u8 *neighbour(u8 n)
{
	static u8 mac[6];

	memcpy(mac, own, 6);
	mac[5] = n;
	return mac;
}

static void fill(u32 size, u32 seed)
{
	for (u32 i = ETH; i < size; i++) {
		seed = seed * 1103515245 + 12345;
		out()[i] = (u8)(seed >> 16);
	}
}

/* What was sent comes back, addresses exchanged; perhaps behind older frames. */
static bool echoed(u32 sent, struct offload *o)
{
	u32 size;

	do
		size = receive(2000, o);
	while (size != NONE && (size != sent || memcmp(in(), out() + 6, 6) ||
				memcmp(in() + 6, out(), 6) ||
				memcmp(in() + 12, out() + 12, sent - 12)));
	return size != NONE;
}

static bool ping(u8 to, u32 size, u32 pieces)
{
	struct offload o;

	address(neighbour(to), own, TYPE);
	fill(size, size);
	return send(plain, size, pieces) && echoed(size, &o);
}

/* It may have no buffer left for the first ones. */
static bool answers(u8 to, u32 size)
{
	bool answered = false;

	for (u32 i = 0; i < 10 && !answered; i++)
		answered = ping(to, size, 1);
	return answered;
}

/* ---- The others ---- */

static void __attribute__((noreturn)) echo(void)
{
	struct offload o;

	for (;;) {
		u32 size = receive(1000, &o);
		u8 to[6];

		if (size == NONE || memcmp(in(), own, 6))
			continue;
		memcpy(to, in() + 6, 6);
		memcpy(out(), in(), size);
		address(to, own, (u16)(in()[12] << 8 | in()[13]));
		send(o, size, 1);
	}
}

static void __attribute__((noreturn)) listen(void)
{
	struct offload o;

	for (;;)
		if (receive(1000, &o) != NONE)
			say("heard\n");
}

/* Full rings of the smallest frames. What nobody has asked for is as good as what all get. */
static void __attribute__((noreturn)) storm(void)
{
	u8 unknown[6] = { 2, 1, 0, 0, 0, 1 };

	for (u64 n = 0;; n++) {
		u32 head, len, slot = n % VIRTQ_SIZE;
		u64 at = OUT + 64 * slot;

		unknown[5] = (u8)n;
		address(n & 1 ? everyone : unknown, own, TYPE);
		memcpy((void *)at, (void *)OUT, HEADER + ETH);
		virtq_put(q[TX].desc, slot, at, 60 + HEADER, 0, 0);
		virtq_offer(&q[TX], (u16)slot);
		if (slot < VIRTQ_SIZE - 1)
			continue;
		virtio_notify(TX);
		while (used(TX, &head, &len))
			;
	}
}

static void __attribute__((noreturn)) spin(void)
{
	for (;;)
		(void)rdtime();
}

/* ---- What works ---- */

static void check_device(void)
{
	check_eq("link", read_u8(virtio_device + CONFIG + 6), 1);
	check_eq("MTU", read_u16(virtio_device + CONFIG + 10), 1500);
	check_eq("opens", open(virtio_offered(), VIRTQ_SIZE), true);
	/* Interrupts are on, and nobody takes them here. */
	CHECK("first echo", WAIT_FOR(ping(2, 60, 1), 20000), "none in 20 s");
	check_eq("interrupt status", virtio_reg(INTERRUPT) & 1, 1);
	drain();
}

static void check_sizes(void)
{
	static const u32 sizes[] = { 14, 15, 17, 18, 19, 60, 64, 1000, 1513, 1514, 1518 };

	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		check_eq("echo of a frame", ping(2, sizes[i], 1), true);
		check_eq("in pieces", ping(2, sizes[i], sizes[i] > 60 ? 7 : 3), true);
	}
}

/* Many at a time, in order. */
static void check_many(void)
{
	const u32 many = 64, size = 1514;
	struct offload o;
	bool good = true;
	u32 head, len;

	address(neighbour(2), own, TYPE);
	for (u32 n = 0; n < many; n++) {
		u64 at = OUT + 2048 * (n % 32);

		memcpy((void *)at, (void *)OUT, HEADER + ETH);
		*(volatile u32 *)(at + HEADER + ETH) = n;
		virtq_put(q[TX].desc, n, at, HEADER + size, 0, 0);
		virtq_offer(&q[TX], (u16)n);
		if (n % 32 == 31)
			virtio_notify(TX);
	}
	for (u32 n = 0; n < many; n++) {
		u32 number;

		good &= receive(2000, &o) == size;
		memcpy(&number, in() + ETH, 4);
		good &= number == n;
	}
	while (used(TX, &head, &len))
		;
	check_eq("64 frames in order", good, true);
}

/* A sum over bytes as a TCP packet has it. */
static u16 sum(const u8 *at, u32 size, u32 total)
{
	for (u32 i = 0; i < size; i++)
		total += i & 1 ? at[i] : (u32)at[i] << 8;
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return (u16)total;
}

static struct offload make_partial(u32 size, u16 type)
{
	struct offload o = { .flags = 1, .csum_start = 34, .csum_offset = 16 };

	fill(size, size);
	address(neighbour(2), own, type);
	out()[50] = 0x12;	/* the pseudo header's sum */
	out()[51] = 0x34;
	return o;
}

static void check_checksum(void)
{
	struct offload o = make_partial(1001, 0x800), back;

	check_eq("partial checksum: sent", send(o, 1001, 3), true);
	check_eq("comes as it is", echoed(1001, &back), true);
	check_eq("to be completed", back.flags == 1 && back.csum_start == 34 &&
		 back.csum_offset == 16, true);
	/* Whoever cannot complete it gets it complete, and sends it back so. */
	memcpy(out(), neighbour(4), 6);
	check_eq("to a plain driver: sent", send(o, 1001, 3), true);
	check_eq("comes back", receive(2000, &back), 1001);
	check_eq("complete", back.flags, 0);
	check_eq("the checksum", sum(in() + 34, 1001 - 34, 0x1234), 0xffff);
	o.csum_start = 35;
	check_eq("at an odd place: sent", send(o, 1001, 3), true);
	check_eq("comes back", receive(2000, &back), 1001);
}

static struct offload make_large(u32 size)
{
	struct offload o = make_partial(size, 0x800);

	o.gso_type = 1;
	o.hdr_len = 54;
	o.gso_size = 1448;
	return o;
}

static void check_large(void)
{
	struct offload o = make_large(60000), back;

	check_eq("60000 bytes: sent", send(o, 60000, 17), true);
	check_eq("uncut", echoed(60000, &back), true);
	check_eq("to be cut", back.gso_type == 1 && back.gso_size == 1448, true);
	check_eq("several buffers", back.num_buffers, (60000 + HEADER - 1) / BUFFER_SIZE + 1);
	memcpy(out(), neighbour(4), 6);
	check_eq("to a plain driver: sent", send(o, 60000, 17), true);
	check_eq("not for it", receive(100, &back), NONE);
	memcpy(out(), everyone, 6);
	check_eq("to everyone: sent", send(o, 60000, 17), true);
	check_eq("nobody answers", receive(100, &back), NONE);
}

/* ---- What is refused: the frame is gone, and the next one arrives ---- */

static void refused(const char *name, struct offload o, u32 size)
{
	struct offload back;

	check_eq(name, send(o, size, 1), true);
	check_eq("is dropped", receive(20, &back), NONE);
	check_eq("the next one", ping(2, 64, 1), true);
}

static void check_lies(void)
{
	struct offload o = make_partial(100, 0x800);

	refused("no frame", plain, 0);
	refused("13 bytes", plain, 13);
	address(neighbour(2), own, TYPE);
	refused("1519 bytes", plain, 1519);
	refused("65535 bytes", plain, 65535);
	o.csum_start = 99;
	refused("checksum behind the end", o, 100);
	o.csum_start = 0xffff;
	refused("checksum far away", o, 100);
	o.csum_start = 34;
	o.csum_offset = 0xffff;
	refused("checksum offset far away", o, 100);
	o.csum_offset = 65;
	refused("checksum across the end", o, 100);
	o = make_partial(100, 0x800);
	o.csum_start = 13;
	refused("checksum in the header", o, 100);
}

static void check_large_lies(void)
{
	struct offload o = make_large(3000);

	o.gso_size = 0;
	refused("segments of 0 bytes", o, 3000);
	o = make_large(3000);
	o.gso_size = 1;
	refused("segments of 1 byte", o, 3000);
	o = make_large(3000);
	o.csum_offset = 6;
	refused("the checksum of UDP in TCP", o, 3000);
	o = make_large(3000);
	o.gso_size = 1465;
	refused("segments beyond the MTU", o, 3000);
	o = make_large(3000);
	o.gso_type = 4;
	refused("IPv6 that is IPv4", o, 3000);
	o = make_large(3000);
	o.gso_type = 3;
	refused("UDP", o, 3000);
	o = make_large(3000);
	o.gso_type = 5;
	refused("UDP in segments", o, 3000);
	o = make_large(3000);
	o.gso_type = 0xff;
	refused("an unknown kind", o, 3000);
	o = make_large(3000);
	o.flags = 0;
	refused("large without a checksum", o, 3000);
	o = make_large(3000);
	o.csum_start = 2990;
	refused("nothing but header", o, 3000);
}

static void check_sources(void)
{
	struct offload back;
	u8 mac[6];

	address(neighbour(2), neighbour(4), TYPE);
	refused("another's address", plain, 64);
	address(neighbour(2), everyone, TYPE);
	refused("everyone's address", plain, 64);
	memset(mac, 0, 6);
	address(neighbour(2), mac, TYPE);
	refused("no address", plain, 64);
	/* Addresses that nobody has: we are a bridge, and the last one is answered. */
	memcpy(mac, own, 6);
	for (u32 i = 0; i < 5000; i++) {
		mac[2] = (u8)(i >> 8);
		mac[3] = (u8)i;
		address(neighbour(2), mac, TYPE);
		send(plain, 64, 1);
	}
	drain();
	check_eq("after 5000 addresses", answers(2, 64), true);
	mac[4] = 0x77;
	address(neighbour(2), mac, TYPE);
	check_eq("from behind us: sent", send(plain, 64, 1), true);
	check_eq("answered", echoed(64, &back), true);
}

/* The echo answers what is for it alone, so nothing comes back but from whoever floods. */
static void check_floods(void)
{
	u64 start;
	bool taken = true;

	address(neighbour(3), own, TYPE);
	start = rdtime();
	for (u32 i = 0; i < 3000; i++)
		taken &= send(plain, 1514, 1);
	check_eq("3000 frames to somebody who takes none", taken, true);
	CHECK("in time", rdtime() - start < 5000 * MS, "%lu ms", (rdtime() - start) / MS);
	check_eq("others answer", ping(2, 64, 1), true);
	address(everyone, own, TYPE);
	for (u32 i = 0; i < 3000; i++)
		taken &= send(plain, 64, 1);
	check_eq("3000 frames to everyone", taken, true);
	check_eq("others answer", answers(2, 1514), true);
}

/* ---- Rings that break the rules ---- */

static const struct {
	const char *name;
	u32 queue;
	struct desc desc[2];
	u16 head;
	u16 more;	/* advance of the index beyond the one */
} rules[] = {
	{ "TX: a loop", TX, { { OUT, 16, NEXT, 1 }, { OUT, 16, NEXT, 0 } }, 0, 0 },
	{ "TX: next out of range", TX, { { OUT, 16, NEXT, VIRTQ_SIZE } }, 0, 0 },
	{ "TX: head out of range", TX, { { 0 } }, 0xffff, 0 },
	{ "TX: no RAM", TX, { { 0x1000, 64, 0, 0 } }, 0, 0 },
	{ "TX: the device's registers", TX, { { 0x1000a000, 64, 0, 0 } }, 0, 0 },
	{ "TX: 4 GiB", TX, { { OUT, 0xffffffff, 0, 0 } }, 0, 0 },
	{ "TX: around the address space", TX, { { ~0UL - 7, 64, 0, 0 } }, 0, 0 },
	{ "TX: empty", TX, { { OUT, 0, 0, 0 } }, 0, 0 },
	{ "TX: to be written", TX, { { OUT, 64, WRITE, 0 } }, 0, 0 },
	{ "TX: both", TX, { { OUT, 64, NEXT, 1 }, { OUT, 64, WRITE, 0 } }, 0, 0 },
	{ "TX: an indirect table", TX, { { OUT, 64, INDIRECT, 0 } }, 0, 0 },
	{ "TX: index too far", TX, { { OUT, 64, 0, 0 } }, 0, VIRTQ_SIZE + 7 },
	{ "RX: to be read", RX, { { IN, 2048, 0, 0 } }, 0, 0 },
	{ "RX: shorter than a header", RX, { { IN, 11, WRITE, 0 } }, 0, 0 },
	{ "RX: no RAM", RX, { { 0x1000, 2048, WRITE, 0 } }, 0, 0 },
	{ "RX: a loop", RX, { { IN, 64, WRITE | NEXT, 0 } }, 0, 0 },
	{ "RX: index too far", RX, { { IN, 2048, WRITE, 0 } }, 0, VIRTQ_SIZE + 7 },
	{ "CONTROL: no room for an answer", CONTROL, { { ORDER, 3, 0, 0 } }, 0, 0 },
	{ "CONTROL: no RAM", CONTROL, { { 0x1000, 64, NEXT, 1 }, { ORDER, 1, WRITE, 0 } },
	  0, 0 },
};

static u32 usual(void)
{
	return virtio_offered() & ~F_EVENT_IDX;
}

static void break_rule(u32 n)
{
	volatile struct virtq *queue = &q[rules[n].queue];

	queue->desc[0] = rules[n].desc[0];
	queue->desc[1] = rules[n].desc[1];
	queue->avail.ring[queue->avail.idx % VIRTQ_SIZE] = rules[n].head;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	queue->avail.idx = (u16)(queue->avail.idx + 1 + rules[n].more);
	if (rules[n].queue == RX) {
		address(neighbour(2), own, TYPE);
		send(plain, 64, 1);	/* its echo finds the buffer */
	} else {
		virtio_notify(rules[n].queue);
	}
}

static void check_rules(void)
{
	for (u32 n = 0; n < ARRAY_SIZE(rules); n++) {
		check_eq("opens", open(usual(), rules[n].queue == RX ? 0 : VIRTQ_SIZE), true);
		break_rule(n);
		CHECK(rules[n].name, WAIT_FOR(virtio_reg(STATUS) & S_NEEDS_RESET,
					      2000), "accepted");
		check_eq("opens again", open(usual(), VIRTQ_SIZE), true);
		check_eq("works again", ping(2, 64, 1), true);
	}
}

/* Rings that change while they are looked at: whatever comes of it, the device comes back. */
static void check_changing(void)
{
	u32 seed = 1;

	for (u32 i = 0; i < 20000; i++) {
		volatile u32 *words = (volatile u32 *)q[i & 1].desc;

		seed = seed * 1103515245 + 12345;
		words[(seed >> 8) % 64] = (seed & 7) ? (u32)OUT + (seed >> 16) : seed;
		*(volatile u32 *)(OUT + (seed >> 8) % 60 / 4 * 4) = seed;
		q[i & 1].avail.ring[i % VIRTQ_SIZE] = (u16)(seed >> 28);
		if (!(i % 4))
			q[i & 1].avail.idx++;
		if (!(i % 16))
			virtio_set(NOTIFY, TX);
		if (!(i % 500))
			open(usual(), 8);
	}
	check_eq("after changing rings", open(usual(), VIRTQ_SIZE), true);
	drain();
	check_eq("works again", ping(2, 64, 1), true);
}

/* ---- The control queue ---- */

static u32 order(u8 class, u8 command, const void *data, u32 size)
{
	u32 head, len;
	volatile u8 *at = (volatile u8 *)ORDER;

	at[0] = class;
	at[1] = command;
	memcpy((void *)(ORDER + 2), data, size);
	at[2 + size] = 0xee;
	virtq_put(q[CONTROL].desc, 0, ORDER, 2 + size, NEXT, 1);
	virtq_put(q[CONTROL].desc, 1, ORDER + 2 + size, 1, WRITE, 0);
	virtq_offer(&q[CONTROL], 0);
	virtio_notify(CONTROL);
	if (!WAIT_FOR(used(CONTROL, &head, &len), 2000))
		return 0xff;
	return at[2 + size];
}

/* The echo answers another address; does the answer reach us? */
static bool answered_as(const u8 *mac)
{
	struct offload back;

	address(neighbour(2), mac, TYPE);
	return send(plain, 64, 1) && echoed(64, &back);
}

static void check_filter(void)
{
	const u8 off = 0, other[6] = { 2, 0, 0, 0, 0, 9 };
	u8 lists[4 + 6 + 4] = { 1 };

	check_eq("heard by default", answered_as(other), true);
	check_eq("promiscuous off", order(0, 0, &off, 1), 0);
	check_eq("another's frames stay away", answered_as(other), false);
	check_eq("own ones come", ping(2, 64, 1), true);
	memcpy(lists + 4, other, 6);
	check_eq("a list", order(1, 0, lists, sizeof(lists)), 0);
	check_eq("listed ones come", answered_as(other), true);
	lists[0] = 9;
	check_eq("a list that is too short", order(1, 0, lists, sizeof(lists)), 1);
	check_eq("the old one stays", answered_as(other), true);
	check_eq("an unknown mode", order(0, 77, &off, 1), 1);
	check_eq("an unknown class", order(99, 0, &off, 1), 1);
	check_eq("no data", order(0, 0, &off, 0), 1);
}

static void check_address(void)
{
	const u8 group[6] = { 1, 2, 3, 4, 5, 6 };
	u8 mac[6];

	memcpy(mac, own, 6);
	check_eq("a neighbour's address", order(1, 1, neighbour(2), 6), 1);
	check_eq("a group's address", order(1, 1, group, 6), 1);
	mac[4] ^= 0x55;
	check_eq("a new address", order(1, 1, mac, 6), 0);
	check_eq("shows", read_u8(virtio_device + CONFIG + 4), mac[4]);
	memcpy(own, mac, 6);
	mac[4] ^= 0x55;
	own[4] = mac[4];
	check_eq("opens", open(usual(), VIRTQ_SIZE), true);
	check_eq("a reset brings the old one back", read_u8(virtio_device + CONFIG + 4), mac[4]);
}

/* ---- What a definition allows ---- */

static void check_mtu(void)
{
	CHECK("first echo", WAIT_FOR(ping(2, 60, 1), 20000), "none in 20 s");
	check_eq("MTU", read_u16(virtio_device + CONFIG + 10), 600);
	check_eq("the longest frame", ping(2, 618, 1), true);
	refused("one byte more", plain, 619);
	drain();
}

static void check_rate(void)
{
	const u32 size = 600, all = 1000;
	unsigned long start = rdtime(), bytes;
	u32 back = 0, seconds;
	struct offload o;

	address(neighbour(2), own, TYPE);
	/* The echo has one buffer, and is not always back in time. */
	for (u32 i = 0; i < AT_ONCE / size && back < AT_ONCE / 2 / size; i++) {
		send(plain, size, 1);
		back += receive(1000, &o) != NONE;
	}
	check_eq("half of what is allowed at once", back, AT_ONCE / 2 / size);
	for (u32 i = back; i < all; i++) {
		send(plain, size, 1);
		while (receive(1, &o) != NONE)
			back++;
	}
	while (receive(2000, &o) != NONE)
		back++;
	seconds = (u32)((rdtime() - start) / (1000 * MS)) + 1;
	bytes = (unsigned long)back * size;
	CHECK("not more than allowed", bytes <= AT_ONCE + (u64)LIMIT * seconds, "%u frames in %u s",
	      back, seconds);
	CHECK("it goes on", WAIT_FOR(ping(2, size, 1), 20000), "not in 20 s");
}

static void test(void)
{
	check_device();
	check_sizes();
	check_many();
	check_checksum();
	check_large();
	check_lies();
	check_large_lies();
	check_sources();
	check_floods();
	check_filter();
	check_address();
	check_rules();
	check_changing();
}

void payload(void)
{
	check_eq("a network device", virtio_find(1), true);
	for (u32 i = 0; i < 6; i++)
		own[i] = read_u8(virtio_device + CONFIG + i);
	if (own[5] == 1) {
		test();
		return;
	}
	say("role %u\n", own[5]);
	open(own[5] == 4 ? 0 : virtio_offered(), own[5] == 3 ? 4 : VIRTQ_SIZE);
	if (own[5] == 5)
		listen();
	if (own[5] == 8) {
		check_mtu();
		check_rate();
		return;
	}
	if (own[5] == 6)
		storm();
	if (own[5] == 7)
		spin();
	echo();
}
