/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libFuzzer: four network devices of four VMs on the virtual switch, one of them the monitor, whose
 * drivers do what the input says. A driver is sound until the input has it break the rules; the
 * device must never refuse a sound one, must deliver between two of them what can be delivered, and
 * byte for byte. What an unsound one does reaches nobody's memory but by the frames that it sends.
 */
#include <string.h>

#include <hv/gmap.h>
#include <hv/timer.h>
#include <hv/virtio_net.h>

#include "board.h"

#define SIDES 4U
#define MONITOR 3U
#define STEPS 200		/* of one input */
#define HZ 10000000u

/* The memory of each VM, two pieces that lie the other way round in the host. */
#define RAM_BASE 0x80000000ull
#define PIECE 0x3000u
#define RAM_SIZE (2 * PIECE)
#define NUM 8U			/* entries of each queue; they are 0x400 apart, from RAM_BASE on */
#define SLOTS (RAM_BASE + 0x1000)	/* of NUM buffers */
#define SLOT_SIZE 0x600u	/* one of them lies across the seam */
#define ORDER (RAM_BASE + 0x4000)	/* a command */
#define OUT (RAM_BASE + 0x4100)	/* a frame with its header; large ones have it several times */
#define OUT_SIZE (RAM_BASE + RAM_SIZE - OUT)

#define HEADER 12u
#define FRAME_MAX (65535u + 58)
#define BUDGET 131072u		/* bytes in one call, before the last frame */

#define F_GUEST_CSUM BIT(1)
#define F_MRG_RXBUF BIT(15)
#define TSO(type) ((type) == 1 ? BIT(7) : BIT(8))
#define ALL_FEATURES (BIT(0) | BIT(1) | BIT(3) | BIT(5) | 0xfull << 7 | 7ull << 11 | \
		      0x1full << 15 | BIT(20) | BIT(23) | VIRTIO_F_EVENT_IDX)

static struct side {
	struct virtio_net net;
	struct gmap gmap;
	struct gmap_block block[2];
	bool wire;
	bool sound;
	u32 vlan;
	u16 taken[3];		/* used entries that the driver has seen, queue by queue */
	u16 given;		/* buffers, ever */
	u32 room[NUM];		/* bytes of the buffer in each slot; 0: the driver has it */
	u16 order[NUM];		/* slots as they were given, at given % NUM */
} sides[SIDES];

static u64 now;
static u8 sent[HEADER + FRAME_MAX], got[HEADER + FRAME_MAX];
static u8 before[RAM_SIZE];

u64 arch_time(void)
{
	return now;
}

u64 arch_timebase(void)
{
	return HZ;
}

/* ---- Drivers ---- */

static u8 *memory(const struct side *side)
{
	return &board_ram[(u32)(side - sides) * RAM_SIZE];
}

static void put(struct side *side, u64 gpa, const void *data, u32 size)
{
	(void)!gmap_write(&side->gmap, GPA(gpa), data, size);
}

static u16 get16(const struct side *side, u64 gpa)
{
	u16 value = 0;

	(void)!gmap_read(&side->gmap, GPA(gpa), &value, 2);
	return value;
}

static u64 copied(void)
{
	u64 sum = 0;

	for (u32 i = 0; i < SIDES; i++)
		sum += sides[i].net.port.counters.rx_bytes;
	return sum;
}

/* A queue has VIRTIO_NET_ENTRIES at most, and each call takes one of them, however large. */
static void notify(struct side *side, u32 n)
{
	struct mmio_access acc = { .offset = NOTIFY, .width = 4, .write = true, .value = n };
	enum mmio_result result = MMIO_AGAIN;

	for (u32 i = 0; result == MMIO_AGAIN; i++) {
		u64 bytes = copied();

		must(i <= VIRTIO_NET_ENTRIES + 1);
		result = virtio_mmio_ops.access(&side->net.dev, &acc);
		must(copied() - bytes <= BUDGET + SIDES * FRAME_MAX);
	}
}

static u64 ring(u32 n)
{
	return RAM_BASE + 0x400 * n;
}

static void desc(struct side *side, u32 n, u32 i, u64 gpa, u32 len, u16 flags)
{
	const u16 words[2] = { flags, (u16)(i + 1) };

	put(side, ring(n) + 16 * i, &gpa, 8);
	put(side, ring(n) + 16 * i + 8, &len, 4);
	put(side, ring(n) + 16 * i + 12, words, 4);
}

static void offer(struct side *side, u32 n, u16 head)
{
	u16 index = get16(side, ring(n) + 0x102);

	put(side, ring(n) + 0x104 + 2 * (index % NUM), &head, 2);
	index++;
	put(side, ring(n) + 0x102, &index, 2);
}

/* How many used entries there are that the driver has not seen. */
static u32 used(const struct side *side, u32 n)
{
	return (u16)(get16(side, ring(n) + 0x202) - side->taken[n]);
}

/* The next of them. */
static u32 take_used(struct side *side, u32 n, u32 *len)
{
	u64 at = ring(n) + 0x204 + 8 * (side->taken[n]++ % NUM);
	u32 words[2] = { 0 };

	(void)!gmap_read(&side->gmap, GPA(at), words, sizeof(words));
	*len = words[1];
	return words[0];
}

static void start(struct side *side, u64 features)
{
	static const u8 zeros[0x400];
	struct virtio_dev *dev = &side->net.dev;

	driver_begin(dev, features & dev->offered);
	for (u32 n = 0; n < VIRTIO_NET_QUEUES; n++) {
		(void)!gmap_write(&side->gmap, GPA(ring(n)), zeros, sizeof(zeros));
		driver_queue(dev, n, ring(n), NUM);
		side->taken[n] = 0;
	}
	memset(side->room, 0, sizeof(side->room));
	side->given = 0;
	driver_write(dev, STATUS, 0xf);
	side->sound = true;
}

/* ---- Buffers for what comes ---- */

static void give(struct side *side, u32 slot, u32 size)
{
	u64 at = SLOTS + SLOT_SIZE * slot;

	if (!side->sound || side->room[slot])
		return;
	desc(side, VIRTIO_NET_RX, slot, at, size, 2);
	side->order[side->given++ % NUM] = (u16)slot;
	side->room[slot] = size;
	offer(side, VIRTIO_NET_RX, (u16)slot);
}

static void give_some(struct side *side)
{
	u32 how = take(1), size = how & 1 ? SLOT_SIZE : HEADER + take(2) % (SLOT_SIZE - HEADER);

	for (u32 i = 0; i < 1 + (how >> 1) % NUM; i++)
		give(side, i, size);
	if (how & 0x80)
		notify(side, VIRTIO_NET_RX);
}

/* The next frame that has come, into got[]; its size, with header. Buffers come back in order. */
static u32 receive(struct side *side)
{
	u32 count = 1, size = 0, len;

	must(used(side, VIRTIO_NET_RX) <= NUM);
	for (u32 i = 0; i < count; i++) {
		u16 nth = side->taken[VIRTIO_NET_RX];
		u32 slot;

		must(used(side, VIRTIO_NET_RX));
		slot = take_used(side, VIRTIO_NET_RX, &len);
		must(slot == side->order[nth % NUM] && len && len <= side->room[slot]);
		must(!gmap_read(&side->gmap, GPA(SLOTS + SLOT_SIZE * slot), got + size, len));
		count = size ? count : got[10] + 256u * got[11];
		must(count && (i + 1 == count || len == side->room[slot]));
		size += len;
		side->room[slot] = 0;
	}
	return size;
}

/* ---- Frames ---- */

static u64 address(void)
{
	u32 which = take(1);

	switch (which >> 5) {
	case 0:
		return MAC_BROADCAST;
	case 1:
		return MAC_GROUP | which;
	case 2:
		return 0x020100000000 | which;	/* nobody's */
	default:
		return vswitch_mac(&sides[which % SIDES].net.port);
	}
}

/* An offload that may be right, or anything. */
static struct net_offload offload(u32 how)
{
	struct net_offload o = { .flags = 0 };
	u8 raw[HEADER];

	if (how & 3)
		o = (struct net_offload){ .flags = 1, .csum_start = (u16)(33 + take(1) % 32),
					  .csum_offset = (u16)(how & 2 ? 16 : take(1) % 32) };
	if (how & 2) {
		o.gso_type = how & 4 ? 1 : 4;
		o.gso_size = take(2) & 0xfff;
		o.hdr_len = (u16)(o.csum_start + (how & 1 ? 20 : take(2) % 8192));
	}
	if ((how & 0x18) == 0x18) {
		for (u32 i = 0; i < HEADER; i++)
			raw[i] = (u8)take(1);
		memcpy(&o, raw, HEADER);
	}
	return o;
}

static u32 frame_size(u32 how)
{
	static const u16 special[] = { 0, 13, 14, 17, 18, 19, 60, 1514, 1518, 1519 };

	if (how & 2)
		return how & 0x20 ? take(2) + 58 : 100 + take(2) % 8000;
	return how & 0x20 ? special[take(1) % ARRAY_SIZE(special)] : take(2) % 1600;
}

/* Writes header and beginning to OUT; the rest is what lies there. */
static void compose(struct side *side, struct net_offload o, u32 how)
{
	static const u16 types[] = { 0x0800, 0x86dd, 0x8100, 0x0806 };
	u16 type = types[how >> 6 & 3];
	u8 head[HEADER + 20] = { 0 };

	if (o.gso_type && (how & 0x20))
		type = o.gso_type == 1 ? 0x0800 : 0x86dd;
	memcpy(head, &o, HEADER);
	mac_store(head + HEADER, address());
	mac_store(head + HEADER + 6, take(1) & 0xf ? vswitch_mac(&side->net.port) : address());
	head[HEADER + 12] = (u8)(type >> 8);
	head[HEADER + 13] = (u8)type;
	for (u32 i = HEADER + 14; i < sizeof(head); i++)
		head[i] = (u8)(how * i);
	if (type == 0x8100 && o.gso_type) {
		head[HEADER + 16] = o.gso_type == 1 ? 0x08 : 0x86;
		head[HEADER + 17] = o.gso_type == 1 ? 0x00 : 0xdd;
	}
	put(side, OUT, head, sizeof(head));
}

/* A chain of so many bytes, into sent[], too. Returns the size as it can be, in NUM pieces. */
static u32 chain(struct side *side, u32 size)
{
	u32 first = take(1) & 0x7f, done = 0, i = 0, n;

	for (; done < size && i < NUM; done += n, i++) {
		u64 at = i && !done ? OUT : OUT + (done < OUT_SIZE ? done : 0);

		n = MIN(size - done, (u32)(RAM_BASE + RAM_SIZE - at));
		if (!i && first && first < n)
			n = first;
		desc(side, VIRTIO_NET_TX, i, at, n, done + n < size && i + 1 < NUM ? 1 : 0);
		must(!gmap_read(&side->gmap, GPA(at), sent + done, n));
	}
	return done;
}

/* ---- What must come of a frame ---- */

static u16 sum(const u8 *at, u32 size)
{
	u32 total = 0;

	for (u32 i = 0; i < size; i++)
		total += i & 1 ? at[i] : (u32)at[i] << 8;
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return (u16)total;
}

/* Everything but the field, and with it the sum is what it should be. */
static void check_summed(u32 size, const struct net_offload *o)
{
	u32 at = HEADER + o->csum_start + o->csum_offset;
	u32 partial = (u32)sent[at] << 8 | sent[at + 1];

	must(!memcmp(sent + HEADER, got + HEADER, at - HEADER));
	must(!memcmp(sent + at + 2, got + at + 2, size - at - 2));
	if (!(o->csum_offset & 1))
		must((sum(got + HEADER + o->csum_start, size - HEADER - o->csum_start) +
		      partial) % 0xffff == 0);
}

/* A sound driver has received this of what its neighbour sent. */
static void check_frame(const struct side *from, const struct side *to, u32 size)
{
	const struct virtio_dev *dev = &to->net.dev;
	struct net_offload o, was;
	u64 source = mac_load(got + HEADER + 6);

	memcpy(&o, got, HEADER);
	memcpy(&was, sent, HEADER);
	must(size >= HEADER + 14 && size <= HEADER + FRAME_MAX);
	must(o.num_buffers == 1 || (dev->accepted & F_MRG_RXBUF));
	must(!(source & MAC_GROUP) && source);
	must(!from->net.port.locked || source == vswitch_mac(&from->net.port));
	for (u32 i = 0; i < SIDES; i++)
		must(&sides[i] == from || sides[i].net.port.sw != from->net.port.sw ||
		     vswitch_mac(&sides[i].net.port) != source);
	if ((was.flags & 1) && !o.flags) {
		check_summed(size, &was);
		return;
	}
	must(!memcmp(sent + HEADER, got + HEADER, size - HEADER));
	must(o.flags == (was.flags & 1));
	must(o.gso_type == was.gso_type ||
	     (!o.gso_type && size - HEADER <= was.csum_start + 20u + was.gso_size));
	must(!o.flags || ((dev->accepted & F_GUEST_CSUM) && o.csum_start >= 34 &&
			  HEADER + o.csum_start + o.csum_offset + 2 <= size));
	must(!o.gso_type || ((dev->accepted & TSO(o.gso_type & 0x7f)) && o.gso_size >= 8 &&
			     o.flags && o.csum_start >= 34 && o.csum_offset == 16 &&
			     o.csum_start + 20 + o.gso_size <= 1518 &&
			     o.hdr_len >= o.csum_start + 20 && HEADER + o.hdr_len < size));
}

/* Would anybody call it wrong that this frame comes to nothing at its receiver? */
static bool must_come(const struct side *from, const struct side *to, u32 size)
{
	const struct net_offload *o = (const void *)sent;
	u32 room = 0, first = to->order[to->taken[VIRTIO_NET_RX] % NUM];

	for (u32 i = 0; i < NUM; i++)
		room += to->room[i];
	if (!(to->net.dev.accepted & F_MRG_RXBUF))
		room = to->taken[VIRTIO_NET_RX] == to->given ? 0 : to->room[first];
	return to->sound && to->net.filter.all && virtio_net_link(&to->net) && room >= size &&
	       virtio_net_link(&from->net) && !from->net.port.rate &&
	       from->net.port.sw && from->net.port.sw == to->net.port.sw &&
	       !o->flags && !o->gso_type &&
	       size >= HEADER + 14 && size <= HEADER + 1514 &&
	       mac_load(sent + HEADER) == vswitch_mac(&to->net.port) &&
	       mac_load(sent + HEADER + 6) == vswitch_mac(&from->net.port);
}

static u64 lost(const struct side *side)
{
	const u64 *drops = side->net.port.counters.drops;

	return drops[VSWITCH_DOWN] + drops[VSWITCH_NO_BUFFER] + drops[VSWITCH_UNFIT];
}

/* One receiver: at most one copy, what is right, and where it belongs. */
static void check_receiver(const struct side *from, struct side *to, u32 size, bool wanted,
			   u64 frames, u64 losses)
{
	u64 more = to->net.port.counters.rx_frames - frames;

	must(more + lost(to) - losses <= 1 && (!wanted || more));
	must(!more || to == &sides[MONITOR] || to->vlan == from->vlan);
	if (!to->sound)
		return;
	must((used(to, VIRTIO_NET_RX) != 0) == more);
	if (more) {
		must(receive(to) == size && !used(to, VIRTIO_NET_RX));
		check_frame(from, to, size);
	}
}

/* A sound driver sends one frame, and nothing but its used ring changes. */
static void send_checked(struct side *side, u32 size, bool look)
{
	u64 frames[SIDES], losses[SIDES];
	bool wanted[SIDES];
	u32 len;

	for (u32 i = 0; i < SIDES; i++) {
		frames[i] = sides[i].net.port.counters.rx_frames;
		losses[i] = lost(&sides[i]);
		wanted[i] = &sides[i] != side && must_come(side, &sides[i], size);
	}
	if (look)
		memcpy(before, memory(side), RAM_SIZE);
	notify(side, VIRTIO_NET_TX);
	must(used(side, VIRTIO_NET_TX) == 1 && take_used(side, VIRTIO_NET_TX, &len) == 0 && !len);
	/* The rings are in the first page of the lower piece, which is the host's upper one. */
	must(!look || (!memcmp(before, memory(side), PIECE) &&
		       !memcmp(before + PIECE + 0x1000, memory(side) + PIECE + 0x1000,
			       PIECE - 0x1000)));
	for (u32 i = 0; i < SIDES; i++)
		if (&sides[i] != side)
			check_receiver(side, &sides[i], size, wanted[i], frames[i], losses[i]);
}

static void send(struct side *side)
{
	u32 how = take(1), wish = HEADER + frame_size(how), size;

	compose(side, offload(how), how);
	size = chain(side, wish);
	offer(side, VIRTIO_NET_TX, 0);
	if (side->sound)
		send_checked(side, size, how & 8);
	else
		notify(side, VIRTIO_NET_TX);
}

/* ---- Commands ---- */

/* From a sound driver each one is answered, by yes or no. */
static void command(struct side *side)
{
	u8 text[48], answer = 0xee;
	u32 size = 2 + take(1) % 40, len;

	text[0] = (u8)(take(1) % 4);
	text[1] = (u8)(take(1) % 7);
	for (u32 i = 2; i < size; i++)
		text[i] = (u8)take(1);
	put(side, ORDER, text, size);
	put(side, ORDER + 64, &answer, 1);
	desc(side, VIRTIO_NET_CONTROL, 0, ORDER, size, 1);
	desc(side, VIRTIO_NET_CONTROL, 1, ORDER + 64, 1, 2);
	offer(side, VIRTIO_NET_CONTROL, 0);
	notify(side, VIRTIO_NET_CONTROL);
	if (!side->sound)
		return;
	(void)!gmap_read(&side->gmap, GPA(ORDER + 64), &answer, 1);
	must(answer <= 1 && used(side, VIRTIO_NET_CONTROL) == 1);
	must(take_used(side, VIRTIO_NET_CONTROL, &len) == 0 && len == 1);
}

/* Its own address with another last byte: what a bridge or a bond does. */
static void set_address(struct side *side)
{
	u64 mac = vswitch_mac(&sides[take(1) % SIDES].net.port) ^ (take(1) & 0xf);

	(void)!vswitch_set_mac(&side->net.port, mac);
}

/* ---- Those that break the rules ---- */

static u64 take_gpa(void)
{
	u32 value = take(3);

	if (value >> 20 == 0xf)
		return (u64)value << (value & 31);
	return RAM_BASE + value % (RAM_SIZE + 64);
}

static void offer_anything(struct side *side)
{
	u32 n = take(1) % VIRTIO_NET_QUEUES, i = take(1) % (NUM + 1), how = take(1);
	u32 len = how & 0x80 ? take(4) : take(1) * 8;
	u16 flags = (u16)(how & 7);

	if (!(how & 0x40))
		flags = n == VIRTIO_NET_RX ? 2 : 0;
	side->sound = false;
	desc(side, n, i, take_gpa(), len, flags);
	offer(side, n, (u16)i);
	notify(side, n);
}

static void break_rules(struct side *side, u32 op)
{
	struct virtio_dev *dev = &side->net.dev;
	u32 word;

	side->sound = false;
	switch (op) {
	case 0:
		driver_access(dev, take(1) * 4, 4, true, take(4), VIRTIO_NET_ENTRIES + 2);
		break;
	case 1:
		word = take(1);
		driver_access(dev, take(2) & 0x1ff8, (u8)(1 << (word & 3)), word & 8, take(4),
			      VIRTIO_NET_ENTRIES + 2);
		break;
	case 2:
		word = take(4);
		put(side, take_gpa(), &word, 4);
		break;
	default:
		offer_anything(side);
	}
}

/* ---- The board's side ---- */

static void join(struct side *side, u32 vlan)
{
	(void)!vswitch_join(&side->net.port, "lan", vlan);
	side->vlan = vlan;
}

static void manage(struct side *side)
{
	u32 how = take(1);

	switch (how >> 5) {
	case 0:
		now += (u64)take(2) * HZ / 64;
		break;
	case 1:
		virtio_net_set_link(&side->net, how & 1);
		break;
	case 2:
		vswitch_set_mirrored(&side->net.port, how & 1);
		break;
	case 3:
		vswitch_leave(&side->net.port);
		join(side, how & 1 ? 7 : 0);
		break;
	case 4:
		side->net.port.rate = how & 1 ? take(3) : 0;
		break;
	case 5:
		virtio_net_reset(&side->net);
		side->sound = false;
		break;
	case 6:
		set_address(side);
		break;
	default:
		start(side, how & 1 ? ALL_FEATURES : take(4));
	}
}

static void step(void)
{
	u32 op = take(1);
	struct side *side = &sides[op >> 6];

	switch (op & 0xf) {
	case 0:
		manage(side);
		break;
	case 1:
	case 2:
		command(side);
		break;
	case 3:
		break_rules(side, op >> 4 & 3);
		break;
	case 4:
	case 5:
	case 6:
		give_some(side);
		break;
	default:
		send(side);
	}
}

/* ---- What must hold ---- */

static void check(void)
{
	for (u32 i = 0; i < SIDES; i++) {
		struct side *side = &sides[i];
		const struct virtio_net *net = &side->net;

		must(!spin_is_locked(&net->dev.lock) && !spin_is_locked(&net->turn));
		must(side->wire == (net->dev.interrupts != 0));
		must(net->rx.num <= VIRTIO_NET_ENTRIES && net->tx.num <= VIRTIO_NET_ENTRIES);
		must(!net->port.touched && !net->port.monitored);
		must(!side->sound || virtio_running(&net->dev));
		/* What an unsound one has sent it. */
		while (side->sound && used(side, VIRTIO_NET_RX))
			receive(side);
		must(net->filter.listed[0].count <= VIRTIO_NET_ADDRESSES &&
		     net->filter.listed[1].count <= VIRTIO_NET_ADDRESSES);
	}
}

static void make(struct side *side, u32 n)
{
	const struct virtio_net_params params = {
		.owner = "vm", .gmap = &side->gmap, .mac = 0x020000000010 + 0x10 * n, .mtu = 1500,
		.irq = { .ops = &board_chip, .chip = &side->wire, .source = 1 },
		.locked = n == 2, .monitor = n == MONITOR,
	};
	u64 host = BOARD_BASE + (u64)RAM_SIZE * n;

	side->block[0] = (struct gmap_block){ RAM_BASE, host + PIECE, PIECE, GMAP_RAM };
	side->block[1] = (struct gmap_block){ RAM_BASE + PIECE, host, PIECE, GMAP_RAM };
	side->gmap = (struct gmap){ .count = 2, .block = side->block };
	side->wire = false;
	virtio_net_init(&side->net, &params);
	join(side, 0);
	start(side, ALL_FEATURES);
	for (u32 slot = 0; slot < NUM; slot++)
		give(side, slot, SLOT_SIZE);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static u8 pattern[SIDES * RAM_SIZE];

	input_begin(data, size);
	now = 1000ull * HZ;
	for (u32 i = 0; !pattern[sizeof(pattern) - 1]; i++)
		pattern[i] = (u8)(~i ^ i >> 8);
	memcpy(board_ram, pattern, sizeof(pattern));
	for (u32 i = 0; i < SIDES; i++)
		make(&sides[i], i);
	for (u32 i = 0; input_left() && i < STEPS; i++) {
		step();
		check();
	}
	for (u32 i = 0; i < SIDES; i++)
		vswitch_leave(&sides[i].net.port);
	return 0;
}
