/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtio network device: frames from one guest's memory into the other's, whatever the buffers
 * look like; offloads between drivers of different kinds; interrupts; bounded work and resets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "net_sides.h"
#include "no_fiber.h"

/* ---- The device ---- */

static void test_identity(void **state)
{
	struct virtio_dev *dev = &a.net.dev;

	(void)state;
	assert_int_equal(driver_read(dev, R_DEVICE_ID), 1);
	assert_int_equal(driver_read(dev, R_DEVICE_FEATURES), 0x209fbbab);
	assert_int_equal(driver_read(dev, R_CONFIG), 0x00000002);
	assert_int_equal(driver_read(dev, R_CONFIG + 4), 0x00010a00);
	assert_int_equal(driver_read(dev, R_CONFIG + 8), 1500 << 16);
	vswitch_leave(&a.net.port);
	vswitch_leave(&b.net.port);
	side_make(&a, MAC_A, true);
	assert_int_equal(driver_read(dev, R_DEVICE_FEATURES), 0x209f802b);
}

static void test_frames(void **state)
{
	static const u32 sizes[] = { 14, 15, 17, 18, 19, 60, 1000, 1514, 1518 };

	(void)state;
	sides_start(F_MRG);
	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (u32 pieces = 1; pieces <= 5; pieces++) {
			side_fill(MAC_B, MAC_A, sizes[i]);
			side_give(&b, 0, 2048, pieces);
			assert_true(side_send_cut(&a, &none, sizes[i], pieces));
			side_check_arrived(sizes[i]);
		}
	}
	assert_int_equal(b.net.port.counters.rx_frames, a.net.port.counters.tx_frames);
	assert_int_equal(b.net.port.counters.rx_bytes, a.net.port.counters.tx_bytes);
}

/* A frame over several buffers, the first just as long as the header; or, too few of them. */
static void test_mergeable(void **state)
{
	struct net_offload o;

	(void)state;
	sides_start(F_MRG);
	side_give(&b, 0, HEADER, 1);
	for (u32 n = 1; n < 20; n++)
		side_give(&b, n, 100, 1);
	assert_true(side_send(&a, 1514));
	assert_int_equal(side_receive(&b, &o, got), 1514);
	assert_int_equal(o.num_buffers, 17);
	assert_memory_equal(got, frame, 1514);
	/* Three are left, of 100 bytes each. */
	assert_true(side_send(&a, 300));
	side_check_nothing(&b);
	assert_int_equal(side_dropped(&b, VSWITCH_NO_BUFFER), 1);
	assert_true(side_send(&a, 288));
	side_check_arrived(288);
	assert_true(side_send(&a, 60));
	assert_int_equal(side_dropped(&b, VSWITCH_NO_BUFFER), 2);
}

/* The number of buffers is written wherever the header lies. */
static void test_header_in_pieces(void **state)
{
	struct net_offload o;

	(void)state;
	sides_start(F_MRG);
	side_give(&b, 0, 22, 2);	/* cut inside num_buffers */
	for (u32 n = 2; n < 10; n++)
		side_give(&b, n, 100, 1);
	assert_true(side_send(&a, 200));
	assert_int_equal(side_receive(&b, &o, got), 200);
	assert_int_equal(o.num_buffers, 3);
	assert_memory_equal(got, frame, 200);
}

static void test_one_buffer_only(void **state)
{
	(void)state;
	sides_start(0);
	side_give(&b, 0, 100, 1);
	side_give(&b, 1, 2048, 1);
	assert_true(side_send(&a, 89));
	side_check_nothing(&b);
	assert_int_equal(side_dropped(&b, VSWITCH_UNFIT), 1);
	assert_true(side_send(&a, 88));
	side_check_arrived(88);
}

static void test_malformed(void **state)
{
	static const u32 sizes[] = { 0, 1, 13, 1519, 65535, 65594 };
	struct driver_queue *queue = &a.queue[VIRTIO_NET_TX];
	u32 head, len;

	(void)state;
	sides_start(F_MRG);
	side_give(&b, 0, 2048, 1);
	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		assert_true(side_send(&a, sizes[i]));
		assert_int_equal(side_dropped(&a, VSWITCH_MALFORMED), i + 1);
	}
	/* Not even a header. */
	driver_desc(queue, 0, side_data(&a), HEADER - 1, 0, 0);
	driver_offer(queue, 0);
	driver_write(&a.net.dev, R_NOTIFY, VIRTIO_NET_TX);
	assert_true(driver_used(queue, &head, &len));
	assert_int_equal(side_dropped(&a, VSWITCH_MALFORMED), ARRAY_SIZE(sizes) + 1);
	assert_true(side_send(&a, 100));
	side_check_arrived(100);
}

/* No driver, or no cable, at either end. */
static void test_down(void **state)
{
	(void)state;
	side_start(&a, 0);
	side_fill(MAC_B, MAC_A, 60);
	assert_true(side_send(&a, 60));
	assert_int_equal(side_dropped(&b, VSWITCH_DOWN), 1);
	side_start(&b, 0);
	side_give(&b, 0, 2048, 1);
	virtio_net_set_link(&b.net, false);
	assert_int_equal(driver_read(&b.net.dev, R_CONFIG + 4) >> 16, 0);
	assert_true(driver_read(&b.net.dev, R_INTERRUPT) & 2);
	assert_true(side_send(&a, 60));
	assert_int_equal(side_dropped(&b, VSWITCH_DOWN), 2);
	virtio_net_set_link(&b.net, true);
	virtio_net_set_link(&a.net, false);
	assert_true(side_send(&a, 60));
	assert_int_equal(side_dropped(&a, VSWITCH_DOWN), 1);
	virtio_net_set_link(&a.net, true);
	assert_true(side_send(&a, 60));
	side_check_arrived(60);
}

/* ---- Offloads ---- */

static struct net_offload partial(void)
{
	return (struct net_offload){ .flags = 1, .csum_start = 34, .csum_offset = 16 };
}

static u32 sum(const u8 *at, u32 size)
{
	u32 total = 0;

	for (u32 i = 0; i < size; i++)
		total += i & 1 ? at[i] : (u32)at[i] << 8;
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return total;
}

static void test_checksum_passes(void **state)
{
	struct net_offload o = partial(), back;

	(void)state;
	sides_start(F_CSUM | F_GUEST_CSUM);
	side_give(&b, 0, 2048, 3);
	assert_true(side_send_cut(&a, &o, 1001, 4));
	assert_int_equal(side_receive(&b, &back, got), 1001);
	assert_memory_equal(got, frame, 1001);
	o.num_buffers = 1;
	assert_memory_equal(&back, &o, HEADER);
}

static void test_checksum_is_made(void **state)
{
	struct net_offload o = partial(), back;
	u32 pseudo;

	(void)state;
	side_start(&a, F_CSUM);
	side_start(&b, F_MRG);
	for (u32 size = 52; size < 200; size++) {
		side_fill(MAC_B, MAC_A, size);
		pseudo = (u32)frame[50] << 8 | frame[51];
		for (u32 n = 0; n < 4; n++)
			side_give(&b, n, 64, 1);
		assert_true(side_send_cut(&a, &o, size, size % 5 + 1));
		assert_int_equal(side_receive(&b, &back, got), size);
		assert_int_equal(back.flags | back.csum_start | back.csum_offset, 0);
		/* With the pseudo header's sum, all ones. */
		pseudo += sum(got + 34, size - 34);
		assert_int_equal((pseudo & 0xffff) + (pseudo >> 16), 0xffff);
		got[50] = frame[50];
		got[51] = frame[51];
		assert_memory_equal(got, frame, size);
		side_start(&b, F_MRG);
	}
}

/* A sum of 0 is sent as all ones. */
static void test_checksum_of_zero(void **state)
{
	struct net_offload o = partial(), back;

	(void)state;
	side_start(&a, F_CSUM);
	side_start(&b, 0);
	side_fill(MAC_B, MAC_A, 60);
	memset(frame + 34, 0, 26);
	frame[50] = frame[51] = 0xff;
	side_give(&b, 0, 2048, 1);
	assert_true(side_send_cut(&a, &o, 60, 1));
	assert_int_equal(side_receive(&b, &back, got), 60);
	assert_int_equal(got[50] << 8 | got[51], 0xffff);
}

static void test_checksum_lies(void **state)
{
	static const struct net_offload lies[] = {
		{ .flags = 1, .csum_start = 33, .csum_offset = 16 },
		{ .flags = 1, .csum_start = 34, .csum_offset = 65 },
		{ .flags = 1, .csum_start = 99, .csum_offset = 0 },
		{ .flags = 1, .csum_start = 100, .csum_offset = 0 },
		{ .flags = 1, .csum_start = 0xffff, .csum_offset = 0xffff },
		{ .flags = 1, .csum_start = 34, .csum_offset = 0xffff },
		{ .flags = 1, .csum_start = 98, .csum_offset = 1 },
		/* Modulo 2^16 these are in the frame. */
		{ .flags = 1, .csum_start = 0x8000, .csum_offset = 0x8022 },
		{ .flags = 1, .csum_start = 36, .csum_offset = 0xfffe },
		{ .flags = 1, .csum_start = 0xfff0, .csum_offset = 0x32 },
	};
	struct net_offload o;

	(void)state;
	sides_start(F_CSUM);
	side_give(&b, 0, 2048, 1);
	for (u32 i = 0; i < ARRAY_SIZE(lies); i++) {
		assert_true(side_send_cut(&a, &lies[i], 100, 1));
		assert_int_equal(side_dropped(&a, VSWITCH_MALFORMED), i + 1);
	}
	side_check_nothing(&b);
	/* Who has not agreed to it leaves no checksum to others. */
	sides_start(0);
	side_give(&b, 0, 2048, 1);
	o = (struct net_offload){ .flags = 1, .csum_start = 34 };
	assert_true(side_send_cut(&a, &o, 100, 1));
	assert_int_equal(side_dropped(&a, VSWITCH_MALFORMED), ARRAY_SIZE(lies) + 1);
	/* Other flags and fields mean nothing here, and do not reach others. */
	o = (struct net_offload){ .flags = 0xfe, .hdr_len = 9, .gso_size = 9, .csum_start = 9,
				  .num_buffers = 9 };
	assert_true(side_send_cut(&a, &o, 100, 1));
	assert_int_equal(side_receive(&b, &o, got), 100);
	assert_memory_equal(got, frame, 100);
	assert_int_equal(o.flags | o.gso_type | o.hdr_len | o.gso_size | o.csum_start, 0);
	assert_int_equal(o.num_buffers, 1);
}

/* The field may be the frame's last two bytes, wherever the sum begins. */
static void test_checksum_at_the_end(void **state)
{
	static const struct net_offload ends[] = {
		{ .flags = 1, .csum_start = 34, .csum_offset = 64 },
		{ .flags = 1, .csum_start = 97, .csum_offset = 1 },
		{ .flags = 1, .csum_start = 98, .csum_offset = 0 },
	};
	struct net_offload back;

	(void)state;
	sides_start(F_CSUM | F_MRG);
	for (u32 i = 0; i < ARRAY_SIZE(ends); i++) {
		u16 value = (u16)~sum(frame + ends[i].csum_start, 100 - ends[i].csum_start);

		side_give(&b, i, 2048, 1);
		assert_true(side_send_cut(&a, &ends[i], 100, 3));
		assert_int_equal(side_receive(&b, &back, got), 100);
		assert_memory_equal(got, frame, 98);
		assert_int_equal(got[98] << 8 | got[99], value ? value : 0xffff);
	}
}

/* To everyone: one driver completes the checksum itself, the other gets it complete. */
static void test_checksum_to_both_kinds(void **state)
{
	struct net_offload o = partial(), back;

	(void)state;
	side_make(&c, MAC_C, false);
	sides_start(F_CSUM);
	side_start(&c, F_GUEST_CSUM);
	side_fill(MAC_BROADCAST, MAC_A, 100);
	side_give(&b, 0, 2048, 1);
	side_give(&c, 0, 2048, 1);
	o.csum_offset = 65;
	assert_true(side_send_cut(&a, &o, 100, 1));
	side_check_nothing(&b);
	side_check_nothing(&c);
	o.csum_offset = 16;
	assert_true(side_send_cut(&a, &o, 100, 1));
	assert_int_equal(side_receive(&c, &back, got), 100);
	assert_memory_equal(got, frame, 100);
	assert_int_equal(back.flags, 1);
	assert_int_equal(side_receive(&b, &back, got), 100);
	assert_int_equal(back.flags, 0);
	assert_memory_not_equal(got, frame, 100);
}

static struct net_offload large(void)
{
	struct net_offload o = partial();

	o.gso_type = 1;
	o.gso_size = 1448;
	o.hdr_len = 54;
	return o;
}

static void test_large(void **state)
{
	struct net_offload o = large(), back;

	(void)state;
	sides_start(LARGE | F_MRG);
	for (u32 n = 0; n < 40; n++)
		side_give(&b, n, 2048, 1);
	assert_true(side_send_cut(&a, &o, 65593, 17));
	assert_int_equal(side_receive(&b, &back, got), 65593);
	assert_memory_equal(got, frame, 65593);
	o.num_buffers = 33;
	assert_memory_equal(&back, &o, HEADER);
	assert_true(side_send_cut(&a, &o, 65594, 17));
	assert_int_equal(side_dropped(&a, VSWITCH_MALFORMED), 1);
}

static void test_large_to_others(void **state)
{
	struct net_offload o = large();

	(void)state;
	sides_start(LARGE | F_HOST_ECN);
	side_start(&b, F_GUEST_CSUM);
	side_give(&b, 0, 4096, 1);
	assert_true(side_send_cut(&a, &o, 3000, 2));
	side_start(&b, F_GUEST_TSO4);
	assert_true(side_send_cut(&a, &o, 3000, 2));
	assert_int_equal(side_dropped(&b, VSWITCH_UNFIT), 2);
	side_start(&b, LARGE);
	side_give(&b, 0, 4096, 1);
	o.gso_type |= 0x80;
	assert_true(side_send_cut(&a, &o, 3000, 2));
	assert_int_equal(side_dropped(&b, VSWITCH_UNFIT), 3);
	side_start(&b, LARGE | F_GUEST_ECN);
	side_give(&b, 0, 4096, 1);
	assert_true(side_send_cut(&a, &o, 3000, 2));
	assert_int_equal(b.net.port.counters.rx_frames, 1);
}

static void test_large_lies(void **state)
{
	struct net_offload o;
	u32 n = 0;

	(void)state;
	sides_start(LARGE | F_MRG);
	side_give(&b, 0, 4096, 1);
#define LIE(size, ...)                                                            \
	do {                                                                      \
		o = large();                                                      \
		__VA_ARGS__;                                                      \
		assert_true(side_send_cut(&a, &o, size, 2));                           \
		assert_int_equal(side_dropped(&a, VSWITCH_MALFORMED), ++n);            \
	} while (0)
	LIE(3000, o.gso_size = 0);
	LIE(3000, o.gso_size = 1);	/* to dust */
	LIE(3000, o.gso_size = 7);
	LIE(3000, o.gso_size = 0xffff);
	LIE(3000, o.gso_size = 1518 - 34 - 20 + 1);	/* beyond the MTU */
	LIE(3000, o.gso_type = 2);
	LIE(3000, o.gso_type = 3);
	LIE(3000, o.gso_type = 4);	/* not agreed on */
	LIE(3000, o.gso_type = 5);
	LIE(3000, o.gso_type = 0x83);
	LIE(3000, o.gso_type = 0x7f);
	LIE(3000, o.gso_type = 0x81);	/* not agreed on */
	LIE(3000, o.gso_type = 0x80);
	LIE(3000, o.flags = 0);
	LIE(3000, o.csum_offset = 6);	/* UDP's */
	LIE(3000, o.csum_offset = 0xffff);
	LIE(3000, o.csum_start = 33);
	LIE(3000, o.csum_start = 2980);	/* nothing but headers */
	LIE(3000, o.csum_start = 2999);
	LIE(65000, o.csum_start = 0xfff0);
	LIE(3000, frame[12] = 0x86);
	memcpy(frame + 12, (u8[]){ 0x81, 0, 0, 5, 8, 0 }, 6);
	LIE(3000, o.csum_start = 37);	/* in the IP header behind the tag */
	side_check_nothing(&b);
	/* Without agreement on checksums, on large frames. */
	sides_start(LARGE & ~F_CSUM);
	LIE(3000, (void)0);
	sides_start(LARGE & ~F_HOST_TSO4);
	LIE(3000, (void)0);
}

/* The header of IPv6 is longer. */
static void test_large_ipv6(void **state)
{
	struct net_offload o = large(), back;

	(void)state;
	sides_start(LARGE | F_GUEST_TSO6 | F_HOST_TSO6);
	side_give(&b, 0, 4096, 1);
	frame[12] = 0x86;
	frame[13] = 0xdd;
	o.gso_size = 1400;
	o.gso_type = 4;
	o.csum_start = 53;
	assert_true(side_send_cut(&a, &o, 3000, 2));
	assert_int_equal(side_dropped(&a, VSWITCH_MALFORMED), 1);
	o.csum_start = 54;
	assert_true(side_send_cut(&a, &o, 3000, 2));
	assert_int_equal(side_receive(&b, &back, got), 3000);
	assert_int_equal(back.gso_type, 4);
}

/* What is one segment needs no cutting, and reaches those who take no large frames. */
static void test_large_of_one_segment(void **state)
{
	struct net_offload o = large(), back;

	(void)state;
	sides_start(LARGE | F_MRG);
	side_give(&b, 0, 4096, 1);
	assert_true(side_send_cut(&a, &o, 54 + 1448 + 1, 2));
	assert_int_equal(side_receive(&b, &back, got), 54 + 1448 + 1);
	assert_int_equal(back.gso_type, 1);
	side_start(&b, F_GUEST_CSUM);
	for (u32 size = 55; size <= 54 + 1448; size += 1447) {
		side_give(&b, 0, 4096, 1);
		assert_true(side_send_cut(&a, &o, size, 2));
		assert_int_equal(side_receive(&b, &back, got), size);
		assert_int_equal(back.gso_type | back.gso_size | back.hdr_len, 0);
		assert_int_equal(back.flags, 1);
		assert_memory_equal(got, frame, size);
	}
}

/* Nobody gets a longer frame than he was told that there are (section 5.1.4.1). */
static void test_mtu_of_the_receiver(void **state)
{
	(void)state;
	sides_start(F_MRG);
	b.net.mtu = 600;
	side_give(&b, 0, 2048, 1);
	assert_true(side_send(&a, 619));
	side_check_arrived(619);
	side_start(&b, F_MTU);
	side_give(&b, 0, 2048, 1);
	assert_true(side_send(&a, 619));
	side_check_nothing(&b);
	assert_int_equal(side_dropped(&b, VSWITCH_UNFIT), 1);
	assert_true(side_send(&a, 618));
	side_check_arrived(618);
}

/* The length of the headers is a hint, and becomes what the checksum's place says. */
static void test_large_hints(void **state)
{
	static const u16 hints[] = { 0, 53, 54, 60, 3000, 0xffff };

	(void)state;
	sides_start(LARGE);
	for (u32 i = 0; i < ARRAY_SIZE(hints); i++) {
		struct net_offload o = large(), back;

		side_give(&b, 0, 4096, 1);
		o.hdr_len = hints[i];
		assert_true(side_send_cut(&a, &o, 3000, 2));
		assert_int_equal(side_receive(&b, &back, got), 3000);
		assert_int_equal(back.hdr_len, hints[i] == 60 ? 60 : 54);
	}
}

/* A guest's own VLAN tag stands before the type. */
static void test_large_with_tag(void **state)
{
	struct net_offload o = large();

	(void)state;
	sides_start(LARGE);
	side_give(&b, 0, 4096, 1);
	memcpy(frame + 12, (u8[]){ 0x81, 0, 0, 5, 8, 0 }, 6);
	o.csum_start += 4;
	o.hdr_len += 4;
	assert_true(side_send_cut(&a, &o, 3000, 2));
	assert_int_equal(b.net.port.counters.rx_frames, 1);
}

/* ---- Interrupts ---- */

static void test_interrupts(void **state)
{
	(void)state;
	sides_start(F_MRG);
	side_give(&b, 0, 2048, 1);
	side_give(&b, 1, 2048, 1);
	assert_true(side_send(&a, 60));
	assert_int_equal(b.interrupts, 1);
	assert_int_equal(driver_read(&b.net.dev, R_INTERRUPT), 1);
	driver_write(&b.net.dev, R_ACK, 1);
	driver_avail_flags(&b.queue[0], 1);
	assert_true(side_send(&a, 60));
	assert_int_equal(b.interrupts, 1);
	/* Nobody waits for new buffers. */
	assert_int_equal(*(u16 *)driver_ptr(b.queue[0].used), 1);
	assert_int_equal(*(u16 *)driver_ptr(a.queue[1].used), 0);
}

static void test_interrupt_events(void **state)
{
	struct driver_queue *queue = &b.queue[0];

	(void)state;
	sides_start(F_MRG | EVENT_IDX);
	for (u32 n = 0; n < 4; n++)
		side_give(&b, n, 2048, 1);
	driver_used_event(queue, 2);
	side_send(&a, 60);
	side_send(&a, 60);
	assert_int_equal(b.interrupts, 0);
	side_send(&a, 60);
	assert_int_equal(b.interrupts, 1);
	assert_int_equal(driver_avail_event(queue), 0);
	assert_int_equal(driver_avail_event(&a.queue[1]), 3);
}

/* ---- Bounded work, resets ---- */

/* Many frames in one notification take several calls, and all arrive in order. */
/* Descriptors of four bytes are all one chain, which the driver offers again and again. */
static void offer_long_chain(struct side *side, u32 n, u32 flags)
{
	for (u32 i = 0; i < NUM; i++)
		driver_desc(&side->queue[n], i, side_data(side) + 0x14000 + 4 * i, 4,
			    flags | (i + 1 == NUM ? 0 : D_NEXT), i + 1);
	for (u32 i = 0; i < NUM; i++)
		driver_offer(&side->queue[n], 0);
}

static void test_receiver_costs_no_more(void **state)
{
	(void)state;
	sides_start(F_MRG);
	offer_long_chain(&b, VIRTIO_NET_RX, D_WRITE);
	assert_true(side_send_cut(&a, &none, 200, 1));
	assert_int_equal(b.net.port.counters.rx_frames, 1);
	assert_true(side_send_cut(&a, &none, 1514, 1));
	assert_int_equal(side_dropped(&b, VSWITCH_NO_BUFFER), 1);
}

static void test_pieces_cost(void **state)
{
	u64 n = VIRTIO_NET_TX;

	(void)state;
	sides_start(F_MRG);
	offer_long_chain(&a, VIRTIO_NET_TX, 0);
	assert_int_equal(driver_access(&a.net.dev, R_NOTIFY, 4, true, &n), MMIO_AGAIN);
	assert_in_range(a.net.port.counters.tx_frames, 1, NUM / 2);
}

static void test_budget(void **state)
{
	struct driver_queue *queue = &a.queue[VIRTIO_NET_TX];
	struct net_offload o = large();
	enum mmio_result result;
	u32 calls = 0, head, len;
	u64 n = VIRTIO_NET_TX;

	(void)state;
	sides_start(LARGE | F_MRG);
	for (u32 i = 0; i < NUM; i++)
		side_give(&b, i, 2048, 1);
	assert_int_equal(gmap_write(&driver_gmap, GPA(side_data(&a)), &o, HEADER), 0);
	assert_int_equal(gmap_write(&driver_gmap, GPA(side_data(&a) + HEADER), frame, 60000), 0);
	driver_desc(queue, 0, side_data(&a), 60000, 0, 0);
	for (u32 i = 0; i < NUM; i++)
		driver_offer(queue, 0);
	do {
		result = driver_access(&a.net.dev, R_NOTIFY, 4, true, &n);
		calls++;
	} while (result == MMIO_AGAIN);
	assert_int_equal(result, MMIO_OK);
	/* Three frames or so a call; those without a buffer cost no less. */
	assert_in_range(calls, NUM / 4, NUM / 2);
	for (u32 i = 0; i < NUM; i++)
		assert_true(driver_used(queue, &head, &len));
	assert_false(driver_used(queue, &head, &len));
}

/* Who shares the hart waits for few frames, however many were offered. */
static void test_steps_back(void **state)
{
	struct driver_queue *queue = &a.queue[VIRTIO_NET_TX];
	u64 n = VIRTIO_NET_TX;

	(void)state;
	sides_start(F_MRG);
	driver_desc(queue, 0, side_data(&a), HEADER + 60, 0, 0);
	for (u32 i = 0; i < NUM; i++)
		driver_offer(queue, 0);
	no_fiber_wanted = true;
	for (u32 i = 1; i <= 3; i++) {
		assert_int_equal(driver_access(&a.net.dev, R_NOTIFY, 4, true, &n), MMIO_AGAIN);
		assert_in_range(a.net.port.counters.tx_frames, i, 4 * i);
	}
	no_fiber_wanted = false;
	assert_int_equal(driver_access(&a.net.dev, R_NOTIFY, 4, true, &n), MMIO_OK);
	assert_int_equal(a.net.port.counters.tx_frames, NUM);
}

/* A reset waits for the turn, and no longer. */
static void test_reset_under_way(void **state)
{
	u64 zero = 0;

	(void)state;
	sides_start(F_MRG);
	spin_lock(&b.net.turn);
	assert_int_equal(driver_access(&b.net.dev, R_STATUS, 4, true, &zero), MMIO_AGAIN);
	/* What comes meanwhile is for nobody. */
	side_give(&b, 0, 2048, 1);
	assert_true(side_send(&a, 60));
	assert_int_equal(side_dropped(&b, VSWITCH_DOWN), 1);
	assert_int_equal(driver_access(&b.net.dev, R_STATUS, 4, true, &zero), MMIO_AGAIN);
	spin_unlock(&b.net.turn);
	assert_int_equal(driver_access(&b.net.dev, R_STATUS, 4, true, &zero), MMIO_OK);
	assert_int_equal(driver_read(&b.net.dev, R_STATUS), 0);
	virtio_net_reset(&b.net);
	side_start(&b, F_MRG);
	side_give(&b, 0, 2048, 1);
	assert_true(side_send(&a, 60));
	side_check_arrived(60);
}

static void test_queue_taken_back(void **state)
{
	u64 no = 0;

	(void)state;
	sides_start(F_MRG);
	side_give(&b, 0, 2048, 1);
	driver_write(&b.net.dev, R_QUEUE_SEL, 0);
	spin_lock(&b.net.turn);
	assert_int_equal(driver_access(&b.net.dev, R_QUEUE_READY, 4, true, &no), MMIO_AGAIN);
	spin_unlock(&b.net.turn);
	driver_write(&b.net.dev, R_QUEUE_READY, 0);
	assert_true(side_send(&a, 60));
	assert_int_equal(side_dropped(&b, VSWITCH_DOWN), 1);
	driver_queue_set(&b.net.dev, &b.queue[0]);
	assert_true(side_send(&a, 60));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, sides_set_up, sides_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_identity), TEST(test_frames), TEST(test_mergeable),
		TEST(test_header_in_pieces), TEST(test_one_buffer_only), TEST(test_malformed),
		TEST(test_down), TEST(test_checksum_passes), TEST(test_checksum_is_made),
		TEST(test_checksum_of_zero), TEST(test_checksum_lies),
		TEST(test_checksum_at_the_end), TEST(test_checksum_to_both_kinds), TEST(test_large),
		TEST(test_large_to_others), TEST(test_large_lies), TEST(test_large_hints),
		TEST(test_large_with_tag), TEST(test_large_ipv6), TEST(test_large_of_one_segment),
		TEST(test_mtu_of_the_receiver),
		TEST(test_interrupts), TEST(test_interrupt_events), TEST(test_budget),
		TEST(test_steps_back),
		TEST(test_receiver_costs_no_more), TEST(test_pieces_cost),
		TEST(test_reset_under_way), TEST(test_queue_taken_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
