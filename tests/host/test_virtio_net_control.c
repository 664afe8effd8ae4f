/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtio network device: what its driver orders by the control queue, and rings that break the
 * rules.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "net_sides.h"

/* ---- The control queue ---- */

static u32 order(struct side *side, u8 class, u8 command, const void *bytes, u32 size)
{
	struct driver_queue *queue = &side->queue[VIRTIO_NET_CONTROL];
	u64 at = side_data(side) + 0x12000;
	u32 head, len;

	*(u8 *)driver_ptr(at) = class;
	*(u8 *)driver_ptr(at + 1) = command;
	assert_int_equal(gmap_write(&driver_gmap, GPA(at + 2), bytes, size), 0);
	*(u8 *)driver_ptr(at + 1000) = 0xee;
	driver_desc(queue, 0, at, 1, D_NEXT, 1);
	driver_desc(queue, 1, at + 1, 1 + size, D_NEXT, 2);
	driver_desc(queue, 2, at + 1000, 1, D_WRITE, 0);
	driver_offer(queue, 0);
	driver_write(&side->net.dev, R_NOTIFY, VIRTIO_NET_CONTROL);
	assert_true(driver_used(queue, &head, &len));
	assert_int_equal(len, 1);
	return *(u8 *)driver_ptr(at + 1000);
}

static u32 mode(u8 command, u8 on)
{
	return order(&b, 0, command, &on, 1);
}

static bool hears(u64 mac)
{
	struct net_offload o;

	side_fill(mac, MAC_A, 60);
	sides_now += 10000000;
	side_give(&b, 0, 2048, 1);
	assert_true(side_send(&a, 60));
	if (side_receive(&b, &o, got))
		return true;
	b.queue[0].offered--;
	driver_avail_index(&b.queue[0], b.queue[0].offered);
	return false;
}

#define OWN MAC_B
#define ANOTHER 0x020000000099ull
#define GROUP 0x01005e000001ull

static void test_modes(void **state)
{
	(void)state;
	sides_start(F_MRG | F_CTRL);
	assert_true(hears(ANOTHER));
	assert_int_equal(mode(0, 0), 0);
	assert_true(hears(OWN));
	assert_true(hears(MAC_BROADCAST));
	assert_false(hears(ANOTHER));
	assert_false(hears(GROUP));
	assert_int_equal(mode(1, 1), 0);
	assert_true(hears(GROUP));
	assert_false(hears(ANOTHER));
	assert_int_equal(mode(2, 1), 0);
	assert_true(hears(ANOTHER));
	assert_int_equal(mode(3, 1), 0);
	assert_false(hears(GROUP));
	assert_int_equal(mode(4, 1), 0);
	assert_false(hears(OWN));
	assert_int_equal(mode(5, 1), 0);
	assert_false(hears(MAC_BROADCAST));
	assert_int_equal(mode(6, 1), 1);
	assert_int_equal(order(&b, 0, 0, NULL, 0), 1);
	assert_int_equal(mode(0, 1), 0);
	assert_true(hears(OWN));
}

static void test_lists(void **state)
{
	u8 lists[8 + 6 * 80] = { 1, 0, 0, 0, 2, 0, 0, 0, 0, 0x99, 1, 0, 0, 0, 1, 0, 0x5e, 0, 0, 1 };

	(void)state;
	sides_start(F_MRG | F_CTRL);
	mode(0, 0);
	assert_int_equal(order(&b, 1, 0, lists, 20), 0);
	assert_true(hears(ANOTHER) && hears(GROUP) && hears(OWN));
	assert_false(hears(ANOTHER + 1) || hears(GROUP + 1));
	/* Cut off anywhere: the old ones stay. */
	for (u32 size = 0; size < 20; size++)
		assert_int_equal(order(&b, 1, 0, lists, size), 1);
	lists[3] = 0x80;
	assert_int_equal(order(&b, 1, 0, lists, 20), 1);
	assert_true(hears(ANOTHER) && hears(GROUP));
	/* Too many to keep: all of the kind. */
	memset(lists, 0, sizeof(lists));
	lists[0] = 33;
	assert_int_equal(order(&b, 1, 0, lists, 8 + 33 * 6), 0);
	assert_true(hears(ANOTHER) && hears(ANOTHER + 1));
	assert_false(hears(GROUP));
	lists[0] = 0;
	lists[4] = 40;
	assert_int_equal(order(&b, 1, 0, lists, 8 + 40 * 6), 0);
	assert_false(hears(ANOTHER));
	assert_true(hears(GROUP));
	assert_int_equal(order(&b, 1, 0, (u8[8]){ 0 }, 8), 0);
	assert_false(hears(ANOTHER) || hears(GROUP));
}

static bool hears_tag(u8 tag)
{
	struct net_offload o;
	u32 size;

	side_fill(OWN, MAC_A, 64);
	memcpy(frame + 12, (u8[]){ 0x81, 0, 0x20, tag }, 4);
	side_give(&b, 0, 2048, 1);
	assert_true(side_send(&a, 64));
	size = side_receive(&b, &o, got);
	if (!size)
		driver_avail_index(&b.queue[0], --b.queue[0].offered);
	return size;
}

static void test_tags(void **state)
{
	(void)state;
	sides_start(F_MRG);
	assert_true(hears_tag(5));
	sides_start(F_MRG | F_CTRL);
	assert_true(hears_tag(5));	/* as long as it hears everything */
	mode(0, 0);
	assert_false(hears_tag(5));
	assert_true(hears(OWN));
	assert_int_equal(order(&b, 2, 0, (u8[]){ 5, 0 }, 2), 0);
	assert_true(hears_tag(5));
	assert_false(hears_tag(6));
	assert_int_equal(order(&b, 2, 1, (u8[]){ 5, 0 }, 2), 0);
	assert_false(hears_tag(5));
	assert_int_equal(order(&b, 2, 0, (u8[]){ 0, 0x10 }, 2), 1);
	assert_int_equal(order(&b, 2, 0, (u8[]){ 0 }, 1), 1);
	assert_int_equal(order(&b, 2, 2, (u8[]){ 5, 0 }, 2), 1);
	assert_int_equal(order(&b, 3, 0, (u8[]){ 5, 0 }, 2), 1);
}

static void test_address(void **state)
{
	const u8 new[] = { 2, 0, 0, 0, 0, 0x77 };

	(void)state;
	sides_start(F_MRG | F_CTRL);
	mode(0, 0);
	assert_int_equal(order(&b, 1, 1, new, 5), 1);
	assert_int_equal(order(&b, 1, 1, (u8[]){ 1, 0, 0, 0, 0, 1 }, 6), 1);
	assert_int_equal(order(&b, 1, 1, (u8[6]){ 0 }, 6), 1);
	assert_int_equal(order(&b, 1, 1, (u8[]){ 2, 0, 0, 0, 0, 10 }, 6), 1);
	assert_int_equal(order(&b, 1, 2, new, 6), 1);
	assert_int_equal(order(&b, 1, 1, new, 6), 0);
	assert_int_equal(driver_read(&b.net.dev, R_CONFIG + 4) & 0xffff, 0x7700);
	assert_true(hears(0x020000000077));
	assert_false(hears(OWN));
	virtio_net_reset(&b.net);
	assert_int_equal(driver_read(&b.net.dev, R_CONFIG + 4) & 0xffff, 0x0b00);
	side_start(&b, F_MRG | F_CTRL);
	b.net.port.locked = true;
	assert_int_equal(order(&b, 1, 1, new, 6), 1);
	assert_int_equal(order(&b, 1, 1, (u8[]){ 2, 0, 0, 0, 0, 11 }, 6), 0);
}

/* ---- Broken rings; the other rules are virtqueue's ---- */

static void broken(struct side *side, u32 n, u64 gpa, u32 len, u32 flags, u32 next)
{
	driver_desc(&side->queue[n], 0, gpa, len, flags, next);
	driver_offer(&side->queue[n], 0);
	if (n)
		driver_write(&side->net.dev, R_NOTIFY, n);
	else
		assert_true(side_send(&a, 60));
	assert_true(driver_read(&side->net.dev, R_STATUS) & VIRTIO_NEEDS_RESET);
	assert_int_equal(driver_logged, 1);
	driver_logged = 0;
	side_start(side, F_MRG | F_CTRL);
}

static void test_broken(void **state)
{
	(void)state;
	sides_start(F_MRG | F_CTRL);
	broken(&a, VIRTIO_NET_TX, side_data(&a), 60, D_WRITE, 0);
	broken(&a, VIRTIO_NET_TX, RAM_END - 8, 60, 0, 0);
	broken(&a, VIRTIO_NET_TX, side_data(&a), 60, D_INDIRECT, 0);
	broken(&a, VIRTIO_NET_CONTROL, side_data(&a), 60, 0, 0);
	broken(&a, VIRTIO_NET_CONTROL, side_data(&a), 60, D_NEXT, NUM);
	broken(&b, VIRTIO_NET_RX, side_data(&b), 60, 0, 0);
	broken(&b, VIRTIO_NET_RX, side_data(&b), HEADER - 1, D_WRITE, 0);
	broken(&b, VIRTIO_NET_RX, RAM_END - 8, 60, D_WRITE, 0);
	broken(&b, VIRTIO_NET_RX, side_data(&b), 60, D_WRITE | D_NEXT, 0);
	side_give(&b, 0, 2048, 1);
	assert_true(side_send(&a, 60));
	side_check_arrived(60);
}

/* A frame that runs into a broken buffer behind good ones: none of them is used. */
static void test_broken_in_the_middle(void **state)
{
	u32 head, len;

	(void)state;
	sides_start(F_MRG);
	side_give(&b, 0, 100, 1);
	side_give(&b, 1, 100, 1);
	driver_desc(&b.queue[0], 2, RAM_END, 100, D_WRITE, 0);
	driver_offer(&b.queue[0], 2);
	assert_true(side_send(&a, 1000));
	assert_true(driver_read(&b.net.dev, R_STATUS) & VIRTIO_NEEDS_RESET);
	assert_false(driver_used(&b.queue[0], &head, &len));
	assert_int_equal(b.net.port.counters.rx_frames, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, sides_set_up, sides_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_modes), TEST(test_lists), TEST(test_tags), TEST(test_address),
		TEST(test_broken), TEST(test_broken_in_the_middle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
