/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtual switch between ports that only count: who gets what, who may send what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include <hv/errno.h>
#include <hv/timer.h>
#include <hv/vswitch.h>

#define HZ 10000000ull
#define PORTS 6U
#define MAC(n) (0x020000000000ull + (n))
#define ELSEWHERE(n) (0x020100000000ull + (n))

static u64 now;

u64 arch_time(void)
{
	return now;
}

u64 arch_timebase(void)
{
	return HZ;
}

static struct side {
	struct vswitch_port port;
	u32 got;
	u32 flushed;
	u32 size;	/* of the last frame */
} sides[VSWITCH_PORTS + 2];

static void deliver(struct vswitch_port *port, const struct net_frame *frame)
{
	struct side *side = container_of(port, struct side, port);

	side->got++;
	side->size = frame->size;
}

static void flush(struct vswitch_port *port)
{
	container_of(port, struct side, port)->flushed++;
}

static const struct vswitch_ops ops = { .deliver = deliver, .flush = flush };

static struct vswitch_port *make(u32 n)
{
	sides[n] = (struct side){ .port = { .ops = &ops, .mac = MAC(n) } };
	return &sides[n].port;
}

static void join(u32 n, const char *name, u32 vlan)
{
	assert_int_equal(vswitch_join(make(n), name, vlan), 0);
}

/* Ports 0 to 3 on one switch, 4 on another VLAN, 5 on another switch. */
static int set_up(void **state)
{
	(void)state;
	now += 1000 * HZ;
	for (u32 n = 0; n < 4; n++)
		join(n, "lan", 0);
	join(4, "lan", 7);
	join(5, "other", 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (u32 n = 0; n < ARRAY_SIZE(sides); n++) {
		vswitch_leave(&sides[n].port);
		sides[n].port = (struct vswitch_port){ .sw = NULL };
	}
	return 0;
}

static void store(u8 *at, u64 mac)
{
	for (u32 i = 0; i < 6; i++)
		at[i] = (u8)(mac >> (40 - 8 * i));
}

static struct net_frame frame_of(u64 to, u64 from, u32 size)
{
	struct net_frame frame = { .size = size, .head_size = NET_HEAD };

	store(frame.head, to);
	store(frame.head + 6, from);
	return frame;
}

/* Which ports got a frame; they forget it. */
static u32 who(void)
{
	u32 mask = 0;

	for (u32 n = 0; n < ARRAY_SIZE(sides) && n < 32; n++) {
		mask |= sides[n].got ? 1U << n : 0;
		sides[n].got = 0;
	}
	return mask;
}

static u32 send_as(u32 port, u64 to, u64 from)
{
	struct net_frame frame = frame_of(to, from, 100);

	vswitch_send(&sides[port].port, &frame);
	return who();
}

static u32 send(u32 port, u64 to)
{
	return send_as(port, to, MAC(port));
}

static u64 drops(u32 port, enum vswitch_drop why)
{
	return sides[port].port.counters.drops[why];
}

static void test_own_addresses(void **state)
{
	(void)state;
	assert_int_equal(send(0, MAC(2)), 1 << 2);
	assert_int_equal(send(2, MAC(0)), 1 << 0);
	assert_int_equal(send(0, MAC(0)), 0);
	/* Not here: to all, but to those of the same switch and VLAN. */
	assert_int_equal(send(0, MAC(4)), 0xe);
	assert_int_equal(send(0, MAC(5)), 0xe);
	assert_int_equal(send(4, MAC(0)), 0);
	assert_int_equal(send(5, MAC(0)), 0);
}

static void test_groups(void **state)
{
	(void)state;
	assert_int_equal(send(0, MAC_BROADCAST), 0xe);
	assert_int_equal(send(3, 0x01005e000001), 0x7);
	assert_int_equal(send(4, MAC_BROADCAST), 0);
}

static void test_learns(void **state)
{
	(void)state;
	assert_int_equal(send(1, ELSEWHERE(1)), 0xd);
	assert_int_equal(send_as(0, MAC(1), ELSEWHERE(1)), 1 << 1);
	assert_int_equal(send(1, ELSEWHERE(1)), 1 << 0);
	/* It moves, and is known to nobody else. */
	assert_int_equal(send_as(2, MAC(1), ELSEWHERE(1)), 1 << 1);
	assert_int_equal(send(1, ELSEWHERE(1)), 1 << 2);
	assert_int_equal(send(2, ELSEWHERE(1)), 0);
	assert_int_equal(send(4, ELSEWHERE(1)), 0);
}

static void test_forgets(void **state)
{
	(void)state;
	send_as(0, MAC(1), ELSEWHERE(1));
	now += 200 * HZ;
	assert_int_equal(send(1, ELSEWHERE(1)), 1 << 0);
	send_as(0, MAC(1), ELSEWHERE(1));
	now += 299 * HZ;
	assert_int_equal(send(1, ELSEWHERE(1)), 1 << 0);
	now += HZ;
	assert_int_equal(send(1, ELSEWHERE(1)), 0xd);
	send_as(0, MAC(1), ELSEWHERE(1));
	assert_int_equal(send(1, ELSEWHERE(1)), 1 << 0);
	vswitch_leave(&sides[0].port);
	assert_int_equal(send(1, ELSEWHERE(1)), 0xc);
	assert_int_equal(send(1, MAC(0)), 0xc);
}

/* Who sends stays known, for hours; who is only sent to does not. */
static void test_ages(void **state)
{
	(void)state;
	for (u32 i = 0; i < 24; i++) {
		send_as(0, MAC(1), ELSEWHERE(1));
		now += 299 * HZ;
		assert_int_equal(send(1, ELSEWHERE(1)), 1 << 0);
	}
	now += HZ;
	assert_int_equal(send(1, ELSEWHERE(1)), 0xd);
	/* Within a second nothing is written anew: its age counts from the first frame. */
	send_as(0, MAC(1), ELSEWHERE(1));
	now += HZ - 1;
	send_as(0, MAC(1), ELSEWHERE(1));
	now += 299 * HZ;
	assert_int_equal(send(1, ELSEWHERE(1)), 1 << 0);
	now += 1;
	assert_int_equal(send(1, ELSEWHERE(1)), 0xd);
	/* Another hart may have read the time a little later than this one. */
	send_as(0, MAC(1), ELSEWHERE(1));
	now -= 5;
	assert_int_equal(send(1, ELSEWHERE(1)), 1 << 0);
	/* Who was forgotten is learned anew, elsewhere too. */
	now += 1000 * HZ;
	send_as(2, MAC(1), ELSEWHERE(1));
	assert_int_equal(send(1, ELSEWHERE(1)), 1 << 2);
}

/* All places are taken; five minutes later all are free. */
static void test_flood_is_forgotten(void **state)
{
	(void)state;
	for (u64 i = 0; i < 100000; i++)
		send_as(i & 1, MAC(2), 0x060000000000 + i * 0x10001);
	now += 300 * HZ;
	for (u64 i = 99900; i < 100000; i++)
		assert_int_equal(send(2, 0x060000000000 + i * 0x10001), 0xb);
	for (u32 i = 0; i < 64; i++)
		send_as(3, MAC(2), ELSEWHERE(i));
	for (u32 i = 0; i < 64; i++)
		assert_int_equal(send(2, ELSEWHERE(i)), 1 << 3);
}

static void test_spoofed(void **state)
{
	(void)state;
	assert_int_equal(send_as(0, MAC(1), MAC(2)), 0);
	assert_int_equal(send_as(0, MAC(1), MAC_BROADCAST), 0);
	assert_int_equal(send_as(0, MAC(1), 0x01005e000001), 0);
	assert_int_equal(send_as(0, MAC(1), 0), 0);
	assert_int_equal(drops(0, VSWITCH_SPOOFED), 4);
	assert_int_equal(send(1, MAC(2)), 1 << 2);
	sides[0].port.locked = true;
	assert_int_equal(send_as(0, MAC(1), ELSEWHERE(1)), 0);
	assert_int_equal(drops(0, VSWITCH_SPOOFED), 5);
	assert_int_equal(send(0, MAC(1)), 1 << 1);
}

/* However many addresses one port invents: own ones stay, and what others have taught. */
static void test_flood_of_addresses(void **state)
{
	u32 lost = 0;

	(void)state;
	for (u32 i = 0; i < 64; i++)
		send_as(1, MAC(2), ELSEWHERE(i));
	for (u64 i = 0; i < 100000; i++)
		send_as(0, MAC(1), 0x060000000000 + i * 0x10001);
	for (u32 i = 0; i < 64; i++)
		lost += send(2, ELSEWHERE(i)) != 1 << 1;
	assert_in_range(lost, 0, 0);
	assert_int_equal(send(2, MAC(0)), 1 << 0);
	/* And one that comes later still finds a place. */
	send_as(3, MAC(2), ELSEWHERE(1000));
	assert_int_equal(send(2, ELSEWHERE(1000)), 1 << 3);
}

/* Two ports that have all places lose those that were silent for longest. */
static void test_flood_from_two(void **state)
{
	(void)state;
	for (u64 i = 0; i < 100000; i++)
		send_as(i & 1, MAC(2), 0x060000000000 + i * 0x10001);
	now += HZ;
	for (u32 i = 0; i < 64; i++) {
		send_as(3, MAC(2), ELSEWHERE(i));
		assert_int_equal(send(2, ELSEWHERE(i)), 1 << 3);
	}
}

static void test_address_of_nobody(void **state)
{
	(void)state;
	assert_int_equal(send(1, 0), 0xd);
	vswitch_leave(&sides[2].port);
	assert_int_equal(send(1, 0), 0x9);
}

static void test_rate(void **state)
{
	struct net_frame frame = frame_of(MAC(1), MAC(0), 1000);
	u32 sent = 0;

	(void)state;
	sides[0].port.rate = 10000000;
	for (u32 i = 0; i < 5000; i++)
		vswitch_send(&sides[0].port, &frame);
	assert_int_equal(sides[1].got, 1000);	/* a tenth of a second's worth */
	assert_int_equal(drops(0, VSWITCH_LIMITED), 4000);
	who();
	for (u32 i = 0; i < 20000; i++) {
		now += HZ / 20000;
		vswitch_send(&sides[0].port, &frame);
		sent = sides[1].got;
	}
	assert_in_range(sent, 9999, 10001);
	now += 100 * HZ;
	who();
	for (u32 i = 0; i < 5000; i++)
		vswitch_send(&sides[0].port, &frame);
	assert_int_equal(sides[1].got, 1000);
}

/* The highest rate at the highest timebase; and a rate so low that the least burst counts. */
/* Who may send less in a second than at once gets no more by pausing for one. */
static void test_slow_rate(void **state)
{
	struct net_frame frame = frame_of(MAC(1), MAC(0), 1000);

	(void)state;
	sides[0].port.rate = 10000;
	for (u32 i = 0; i < 500; i++)
		vswitch_send(&sides[0].port, &frame);
	assert_int_equal(sides[1].got, 131);
	for (u32 second = 1; second <= 5; second++) {
		now += HZ;
		for (u32 i = 0; i < 500; i++)
			vswitch_send(&sides[0].port, &frame);
		assert_in_range(sides[1].got, 131 + 10 * second, 132 + 10 * second);
	}
	now += 14 * HZ;
	who();
	for (u32 i = 0; i < 500; i++)
		vswitch_send(&sides[0].port, &frame);
	assert_int_equal(sides[1].got, 131);
}

static void test_extreme_rates(void **state)
{
	struct net_frame frame = frame_of(MAC(1), MAC(0), 65535);

	(void)state;
	sides[0].port.rate = (u64)VSWITCH_RATE * 125;
	for (u32 i = 0; i < 1000; i++)
		assert_int_equal(vswitch_send(&sides[0].port, &frame), 1);
	who();
	sides[0].port.rate = 125;
	now += HZ;
	for (u32 i = 0; i < 1000; i++)
		vswitch_send(&sides[0].port, &frame);
	assert_int_equal(sides[1].got, 2);
}

static void test_storm(void **state)
{
	(void)state;
	for (u32 i = 0; i < 1000; i++)
		send(0, MAC_BROADCAST);
	assert_int_equal(drops(0, VSWITCH_STORM), 1000 - 256);
	assert_int_equal(send(0, ELSEWHERE(1)), 0);
	assert_int_equal(send(0, MAC(1)), 1 << 1);
	assert_int_equal(send(1, MAC_BROADCAST), 0xd);
	now += HZ / 100;
	for (u32 i = 0; i < 10; i++)
		assert_int_equal(send(0, MAC_BROADCAST), 0xe);
	assert_int_equal(send(0, MAC_BROADCAST), 0);
}

static void test_large_ones_are_not_flooded(void **state)
{
	struct net_frame frame = frame_of(MAC_BROADCAST, MAC(0), 60000);

	(void)state;
	frame.offload.gso_type = 1;
	assert_int_equal(vswitch_send(&sides[0].port, &frame), 0);
	assert_int_equal(who(), 0);
	frame = frame_of(MAC(1), MAC(0), 60000);
	frame.offload.gso_type = 1;
	assert_int_equal(vswitch_send(&sides[0].port, &frame), 1);
	assert_int_equal(sides[1].size, 60000);
}

static void test_flush(void **state)
{
	(void)state;
	send(0, MAC(1));
	send(0, MAC(1));
	send(0, MAC(3));
	vswitch_flush(&sides[0].port);
	assert_int_equal(sides[1].flushed, 1);
	assert_int_equal(sides[2].flushed, 0);
	assert_int_equal(sides[3].flushed, 1);
	vswitch_flush(&sides[0].port);
	assert_int_equal(sides[1].flushed, 1);
	/* A port may go before. */
	send(0, MAC_BROADCAST);
	vswitch_leave(&sides[2].port);
	vswitch_flush(&sides[0].port);
	assert_int_equal(sides[2].flushed, 0);
	assert_int_equal(sides[3].flushed, 2);
}

static void test_mirror(void **state)
{
	struct vswitch_port *monitor = make(6);

	(void)state;
	monitor->monitor = true;
	sides[1].port.mirrored = 1;
	assert_int_equal(send(0, MAC(1)), 1 << 1);	/* nobody to see it */
	assert_int_equal(vswitch_join(monitor, "", 0), 0);
	assert_int_equal(send(0, MAC(1)), 1 << 1 | 1 << 6);
	assert_int_equal(send(1, MAC(0)), 1 << 0 | 1 << 6);
	assert_int_equal(send(0, MAC(2)), 1 << 2);
	sides[0].port.mirrored = 1;
	send_as(0, MAC(1), MAC(0));
	vswitch_flush(&sides[0].port);
	assert_int_equal(sides[6].flushed, 1);
	assert_int_equal(send(0, MAC_BROADCAST), 0xe | 1 << 6);
	/* What it sends itself goes nowhere. */
	assert_int_equal(send(6, MAC_BROADCAST), 0);
	assert_int_equal(vswitch_join(make(7), "lan", 0), 0);
	sides[8].port = (struct vswitch_port){ .ops = &ops, .monitor = true };
	assert_int_equal(vswitch_join(&sides[8].port, "", 0), -EEXIST);
	vswitch_leave(monitor);
	assert_int_equal(send(0, MAC(1)), 1 << 1);
}

static void test_other_address(void **state)
{
	(void)state;
	assert_int_equal(vswitch_set_mac(&sides[0].port, MAC(1)), -EEXIST);
	assert_int_equal(send(1, MAC(0)), 1 << 0);
	assert_int_equal(vswitch_set_mac(&sides[0].port, ELSEWHERE(9)), 0);
	assert_int_equal(send(1, ELSEWHERE(9)), 1 << 0);
	assert_int_equal(vswitch_set_mac(&sides[0].port, ELSEWHERE(9)), 0);
	assert_int_equal(vswitch_set_mac(&sides[4].port, MAC(1)), 0);
	assert_int_equal(vswitch_mac(&sides[4].port), MAC(1));
}

/* Nobody gets the address of a port that is not at home, or keeps that of a new one. */
static void test_squatters(void **state)
{
	(void)state;
	assert_int_equal(vswitch_set_mac(&sides[0].port, MAC(10)), 0);
	assert_int_equal(vswitch_set_mac(&sides[0].port, MAC(10)), 0);
	assert_int_equal(vswitch_set_mac(&sides[1].port, MAC(0)), -EEXIST);
	assert_int_equal(vswitch_set_mac(&sides[3].port, MAC(10)), -EEXIST);
	sides[11].port = (struct vswitch_port){ .ops = &ops, .mac = MAC(0) };
	assert_int_equal(vswitch_join(&sides[11].port, "lan", 0), -EEXIST);
	assert_int_equal(vswitch_join(make(10), "lan", 0), 0);
	assert_int_equal(vswitch_mac(&sides[10].port), MAC(10));
	assert_int_equal(vswitch_mac(&sides[0].port), MAC(0));
	assert_int_equal(send(3, MAC(10)), 1 << 10);
	assert_int_equal(send(10, MAC(0)), 1 << 0);
	assert_int_equal(send_as(0, MAC(1), MAC(10)), 0);
	assert_int_equal(drops(0, VSWITCH_SPOOFED), 1);
	assert_int_equal(vswitch_set_mac(&sides[0].port, MAC(0)), 0);
	vswitch_leave(&sides[10].port);
	assert_int_equal(vswitch_set_mac(&sides[0].port, MAC(10)), 0);
	assert_int_equal(vswitch_set_mac(&sides[0].port, MAC(0)), 0);
	assert_int_equal(send(3, MAC(0)), 1 << 0);
}

static void test_refused_ports(void **state)
{
	struct vswitch_port *port = make(10);

	(void)state;
	port->mac = MAC(1);
	assert_int_equal(vswitch_join(port, "lan", 0), -EEXIST);
	assert_int_equal(vswitch_join(port, "lan", 8), 0);
	vswitch_leave(port);
	port->mac = MAC(10);
	port->small = true;
	assert_int_equal(vswitch_join(port, "lan", 0), -EINVAL);
	assert_int_equal(vswitch_join(port, "small", 0), 0);
	assert_int_equal(vswitch_join(make(11), "small", 0), -EINVAL);
	vswitch_leave(port);
	vswitch_leave(port);
	assert_int_equal(vswitch_join(make(11), "small", 0), 0);
}

static void test_full(void **state)
{
	char name[16];
	u32 n;

	(void)state;
	for (n = 6; n < VSWITCH_PORTS + 2; n++)
		join(n, "lan", 0);
	sides[4].port.mac = MAC(200);
	vswitch_leave(&sides[4].port);
	assert_int_equal(vswitch_join(&sides[4].port, "lan", 0), -ENOMEM);
	assert_int_equal(send(VSWITCH_PORTS + 1, MAC(1)), 1 << 1);
	assert_int_equal(vswitch_send(&sides[0].port,
				      &(struct net_frame){ .head = { 0xff }, .size = 60 }), 0);
	for (n = 6; n < VSWITCH_PORTS + 2; n++)
		vswitch_leave(&sides[n].port);
	for (n = 0; n < VSWITCH_SWITCHES - 2; n++) {
		snprintf(name, sizeof(name), "s%u", n);
		join(6 + n, name, 0);
	}
	assert_int_equal(vswitch_join(&sides[4].port, "more", 0), -ENOMEM);
	vswitch_leave(&sides[6].port);
	assert_int_equal(vswitch_join(&sides[4].port, "more", 0), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_own_addresses), TEST(test_groups), TEST(test_learns),
		TEST(test_forgets), TEST(test_ages), TEST(test_flood_is_forgotten),
		TEST(test_spoofed), TEST(test_flood_of_addresses),
		TEST(test_flood_from_two), TEST(test_address_of_nobody),
		TEST(test_rate), TEST(test_slow_rate), TEST(test_extreme_rates), TEST(test_storm),
		TEST(test_large_ones_are_not_flooded), TEST(test_flush), TEST(test_mirror),
		TEST(test_other_address), TEST(test_squatters), TEST(test_refused_ports),
		TEST(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
