/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device's side of split queues: chains of every shape, every refusal, notifications and
 * interrupts both ways, queues over the seam of the guest's memory, and random rings.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <hv/virtio.h>
#include <hv/virtqueue.h>

#include "virtio_driver.h"

#define NUM 8U
#define BASE (RAM_BASE + 0x1000)
#define DATA (RAM_BASE + 0x4000)
#define TABLE (RAM_BASE + 0x8000)
#define BOTH (VIRTIO_F_EVENT_IDX | VIRTIO_F_INDIRECT_DESC)

static struct driver_queue driver;
static struct virtqueue queue;
static struct virtqueue_segment segments[NUM];
static struct virtqueue_chain chain = { .segment = segments, .room = NUM };

static void set_up(u64 base, u32 num, u64 features)
{
	struct virtio_queue_info info = { .ready = true, .num = num };

	driver_queue_init(&driver, 0, base, num);
	info.desc = driver.desc;
	info.driver = driver.avail;
	info.device = driver.used;
	virtqueue_init(&queue, &driver_gmap, &info, features);
	chain = (struct virtqueue_chain){ .segment = segments, .room = NUM };
}

static int setup(void **state)
{
	(void)state;
	driver_memory_init();
	set_up(BASE, NUM, BOTH);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	driver_memory_exit();
	return 0;
}

static void check_used(u32 head, u32 len)
{
	u32 got_head, got_len;

	assert_true(driver_used(&driver, &got_head, &got_len));
	assert_int_equal(got_head, head);
	assert_int_equal(got_len, len);
}

static void test_not_set_up(void **state)
{
	static struct virtqueue none;

	(void)state;
	assert_int_equal(virtqueue_pop(&none, &chain), VIRTQUEUE_EMPTY);
	virtqueue_push(&none, 0, 0);
	virtqueue_arm(&none);
	assert_false(virtqueue_interrupt_due(&none));
	driver_desc(&driver, 0, DATA, 1, 0, 0);
	driver_offer(&driver, 0);
	virtqueue_exit(&queue);
	assert_int_equal(virtqueue_pop(&queue, &chain), VIRTQUEUE_EMPTY);
}

static void test_request(void **state)
{
	char text[32] = "";

	(void)state;
	assert_int_equal(virtqueue_pop(&queue, &chain), VIRTQUEUE_EMPTY);
	strcpy(driver_ptr(DATA), "hello ");
	strcpy(driver_ptr(DATA + 0x100), "world");
	driver_desc(&driver, 3, DATA, 6, D_NEXT, 5);
	driver_desc(&driver, 5, DATA + 0x100, 5, D_NEXT, 1);
	driver_desc(&driver, 1, DATA + 0x200, 4, D_NEXT | D_WRITE, 0);
	driver_desc(&driver, 0, DATA + 0x300, 100, D_WRITE, 7);
	driver_offer(&driver, 3);
	assert_int_equal(virtqueue_pop(&queue, &chain), VIRTQUEUE_CHAIN);
	assert_int_equal(chain.head, 3);
	assert_int_equal(chain.segments, 4);
	assert_int_equal(chain.readable, 11);
	assert_int_equal(chain.writable, 104);
	assert_int_equal(virtqueue_read(&queue, &chain, 0, text, sizeof(text)), 11);
	assert_string_equal(text, "hello world");
	memset(text, 0, sizeof(text));
	assert_int_equal(virtqueue_read(&queue, &chain, 4, text, 3), 3);
	assert_string_equal(text, "o w");
	assert_int_equal(virtqueue_read(&queue, &chain, 11, text, 1), 0);
	assert_int_equal(virtqueue_read(&queue, &chain, ~(u64)0, text, 1), 0);
	assert_int_equal(virtqueue_write(&queue, &chain, 2, "abcdef", 6), 6);
	assert_memory_equal(driver_ptr(DATA + 0x202), "ab", 2);
	assert_memory_equal(driver_ptr(DATA + 0x300), "cdef", 4);
	assert_int_equal(virtqueue_write(&queue, &chain, 103, "xy", 2), 1);
	assert_false(driver_used(&driver, &(u32){ 0 }, &(u32){ 0 }));
	virtqueue_push(&queue, chain.head, 8);
	check_used(3, 8);
	assert_int_equal(virtqueue_pop(&queue, &chain), VIRTQUEUE_EMPTY);
}

/* Buffers over the seam of the guest's memory, and rings in pieces that are not adjacent. */
static void test_over_the_seam(void **state)
{
	char text[9] = "";

	(void)state;
	for (u64 offset = 16; offset <= 16 * NUM + 100; offset += 16) {
		set_up(RAM_SEAM - offset, NUM, BOTH);
		*(u32 *)driver_ptr(RAM_SEAM - 4) = 0;
		for (u32 i = 0; i < 3 * NUM; i++) {
			driver_desc(&driver, i % NUM, RAM_BASE + 4, 8, 0, 0);
			driver_offer(&driver, i % NUM);
			assert_int_equal(virtqueue_pop(&queue, &chain), VIRTQUEUE_CHAIN);
			assert_int_equal(chain.head, i % NUM);
			virtqueue_push(&queue, chain.head, i);
			check_used(i % NUM, i);
			assert_int_equal(virtqueue_pop(&queue, &chain), VIRTQUEUE_EMPTY);
			assert_int_equal(driver_avail_event(&driver), i + 1);
		}
	}
	set_up(BASE, NUM, 0);
	driver_desc(&driver, 0, RAM_SEAM - 4, 8, 0, 0);
	memcpy(driver_ptr(RAM_SEAM - 4), "over", 4);
	memcpy(driver_ptr(RAM_SEAM), "seam", 4);
	driver_offer(&driver, 0);
	assert_int_equal(virtqueue_pop(&queue, &chain), VIRTQUEUE_CHAIN);
	assert_int_equal(virtqueue_read(&queue, &chain, 0, text, 8), 8);
	assert_string_equal(text, "overseam");
}

static void test_indirect(void **state)
{
	(void)state;
	for (u32 i = 0; i < NUM - 1; i++)
		driver_desc_at(TABLE + 4, i, DATA + i, 1, i < NUM - 2 ? D_NEXT : D_WRITE, i + 1);
	driver_desc(&driver, 2, DATA + 0x100, 7, D_NEXT, 6);
	driver_desc(&driver, 6, TABLE + 4, 16 * (NUM - 1), D_INDIRECT, 0);
	driver_offer(&driver, 2);
	assert_int_equal(virtqueue_pop(&queue, &chain), VIRTQUEUE_CHAIN);
	assert_int_equal(chain.head, 2);
	assert_int_equal(chain.segments, NUM);
	assert_int_equal(chain.readable, 7 + NUM - 2);
	assert_int_equal(chain.writable, 1);
}

static void test_all_of_memory(void **state)
{
	(void)state;
	driver_desc(&driver, 0, RAM_BASE, (u32)(RAM_END - RAM_BASE), 0, 0);
	driver_offer(&driver, 0);
	assert_int_equal(virtqueue_pop(&queue, &chain), VIRTQUEUE_CHAIN);
	assert_int_equal(chain.readable, RAM_END - RAM_BASE);
}

/* The head is offered; the queue breaks, stays broken, and works again when it is set up anew. */
static void check_refused(u32 head)
{
	driver_offer(&driver, head);
	assert_int_equal(virtqueue_pop(&queue, &chain), VIRTQUEUE_BROKEN);
	assert_non_null(queue.broken);
	assert_int_equal(virtqueue_pop(&queue, &chain), VIRTQUEUE_BROKEN);
	assert_false(driver_used(&driver, &(u32){ 0 }, &(u32){ 0 }));
	set_up(BASE, NUM, BOTH);
	assert_int_equal(virtqueue_pop(&queue, &chain), VIRTQUEUE_EMPTY);
}

static void refuse_desc(u64 gpa, u32 len, u32 flags, u32 next)
{
	driver_desc(&driver, 0, gpa, len, flags, next);
	check_refused(0);
}

static void test_bad_buffers(void **state)
{
	(void)state;
	refuse_desc(DATA, 0, 0, 0);
	refuse_desc(DATA, 0, D_WRITE, 0);
	refuse_desc(0, 1, 0, 0);
	refuse_desc(RAM_BASE - 1, 2, 0, 0);
	refuse_desc(RAM_END - 1, 2, 0, 0);
	refuse_desc(RAM_END, 1, 0, 0);	/* a device */
	refuse_desc(RAM_BASE, UINT32_MAX, 0, 0);
	refuse_desc(~(u64)0, 1, 0, 0);
	refuse_desc(~(u64)0 - 0xfff, UINT32_MAX, D_WRITE, 0);
	refuse_desc(DATA, 1, D_NEXT, NUM);
	refuse_desc(DATA, 1, D_NEXT, 0xffff);
	check_refused(NUM);
	check_refused(0xffff);
	driver_desc(&driver, 1, DATA, 1, 0, 0);
	refuse_desc(DATA, 1, D_NEXT | D_WRITE, 1);	/* readable behind writable */
}

static void test_loops(void **state)
{
	(void)state;
	refuse_desc(DATA, 1, D_NEXT, 0);
	driver_desc(&driver, 1, DATA, 1, D_NEXT, 0);
	refuse_desc(DATA, 1, D_NEXT, 1);
	driver_desc_at(TABLE, 0, DATA, 1, D_NEXT, 0);
	refuse_desc(TABLE, 16, D_INDIRECT, 0);
	/* Longer than the queue, by way of a table. */
	for (u32 i = 0; i <= NUM; i++)
		driver_desc_at(TABLE, i, DATA, 1, i < NUM ? D_NEXT : 0, i + 1);
	refuse_desc(TABLE, 16 * (NUM + 1), D_INDIRECT, 0);
}

static void test_bad_tables(void **state)
{
	(void)state;
	driver_desc_at(TABLE, 0, DATA, 1, 0, 0);
	refuse_desc(TABLE, 0, D_INDIRECT, 0);
	refuse_desc(TABLE, 15, D_INDIRECT, 0);
	refuse_desc(TABLE, 24, D_INDIRECT, 0);
	refuse_desc(TABLE, 16, D_INDIRECT | D_NEXT, 1);
	refuse_desc(0, 16, D_INDIRECT, 0);
	refuse_desc(RAM_END - 8, 16, D_INDIRECT, 0);
	refuse_desc(~(u64)15, 16, D_INDIRECT, 0);
	refuse_desc(RAM_BASE, 0xfffffff0, D_INDIRECT, 0);
	driver_desc_at(TABLE, 0, DATA, 1, D_NEXT, 1);
	refuse_desc(TABLE, 16, D_INDIRECT, 0);
	driver_desc_at(TABLE, 0, TABLE + 16, 16, D_INDIRECT, 0);	/* nested */
	refuse_desc(TABLE, 32, D_INDIRECT, 0);
	set_up(BASE, NUM, VIRTIO_F_EVENT_IDX);
	driver_desc_at(TABLE, 0, DATA, 1, 0, 0);
	refuse_desc(TABLE, 16, D_INDIRECT, 0);
}

static void test_index_leaps(void **state)
{
	(void)state;
	driver_avail_index(&driver, NUM + 1);
	assert_int_equal(virtqueue_pop(&queue, &chain), VIRTQUEUE_BROKEN);
	set_up(BASE, NUM, BOTH);
	driver_avail_index(&driver, 0xffff);
	assert_int_equal(virtqueue_pop(&queue, &chain), VIRTQUEUE_BROKEN);
	set_up(BASE, NUM, BOTH);
	for (u32 i = 0; i < NUM; i++) {
		driver_desc(&driver, i, DATA, 1, 0, 0);
		driver_offer(&driver, i);
	}
	for (u32 i = 0; i < NUM; i++)
		assert_int_equal(virtqueue_pop(&queue, &chain), VIRTQUEUE_CHAIN);
	assert_int_equal(virtqueue_pop(&queue, &chain), VIRTQUEUE_EMPTY);
	driver_avail_index(&driver, NUM - 1);	/* backwards */
	assert_int_equal(virtqueue_pop(&queue, &chain), VIRTQUEUE_BROKEN);
}

/* A caller with less room than the queue has entries is our own mistake, and still contained. */
static void test_little_room(void **state)
{
	(void)state;
	driver_desc(&driver, 1, DATA, 1, 0, 0);
	driver_desc(&driver, 0, DATA, 1, D_NEXT, 1);
	driver_offer(&driver, 0);
	chain.room = 1;
	assert_int_equal(virtqueue_pop(&queue, &chain), VIRTQUEUE_BROKEN);
}

static void offer_one(void)
{
	driver_desc(&driver, 0, DATA, 1, 0, 0);
	driver_offer(&driver, 0);
}

static void give_back(u32 n)
{
	while (n--) {
		offer_one();
		assert_int_equal(virtqueue_pop(&queue, &chain), VIRTQUEUE_CHAIN);
		virtqueue_push(&queue, chain.head, 0);
	}
}

static void test_interrupts_by_flag(void **state)
{
	(void)state;
	set_up(BASE, NUM, 0);
	assert_false(virtqueue_interrupt_due(&queue));
	give_back(1);
	assert_true(virtqueue_interrupt_due(&queue));
	assert_false(virtqueue_interrupt_due(&queue));
	driver_avail_flags(&driver, 1);
	give_back(2);
	assert_false(virtqueue_interrupt_due(&queue));
	driver_avail_flags(&driver, 0xfffe);
	give_back(1);
	assert_true(virtqueue_interrupt_due(&queue));
}

static void test_interrupts_by_event(void **state)
{
	(void)state;
	driver_used_event(&driver, 0);
	give_back(1);
	assert_true(virtqueue_interrupt_due(&queue));
	give_back(1);
	assert_false(virtqueue_interrupt_due(&queue));	/* it has not moved its event */
	driver_used_event(&driver, 4);
	give_back(2);
	assert_false(virtqueue_interrupt_due(&queue));
	give_back(1);
	assert_true(virtqueue_interrupt_due(&queue));
	driver_used_event(&driver, 6);
	give_back(5);
	assert_true(virtqueue_interrupt_due(&queue));
	/* Over the end of 16 bits. */
	driver_used_event(&driver, 0xffff);
	for (u32 done = 10; done < 0xffff; done++) {
		give_back(1);
		assert_false(virtqueue_interrupt_due(&queue));
	}
	give_back(1);
	assert_true(virtqueue_interrupt_due(&queue));
	driver_used_event(&driver, 1);
	give_back(1);
	assert_false(virtqueue_interrupt_due(&queue));
	give_back(1);
	assert_true(virtqueue_interrupt_due(&queue));
}

static void test_arming(void **state)
{
	(void)state;
	assert_int_equal(driver_avail_event(&driver), 0);
	offer_one();
	assert_int_equal(virtqueue_pop(&queue, &chain), VIRTQUEUE_CHAIN);
	assert_int_equal(driver_avail_event(&driver), 0);
	assert_int_equal(virtqueue_pop(&queue, &chain), VIRTQUEUE_EMPTY);
	assert_int_equal(driver_avail_event(&driver), 1);
	offer_one();
	offer_one();
	virtqueue_arm(&queue);
	assert_int_equal(driver_avail_event(&driver), 3);
	set_up(BASE, NUM, 0);
	assert_int_equal(virtqueue_pop(&queue, &chain), VIRTQUEUE_EMPTY);
	virtqueue_arm(&queue);
	assert_int_equal(driver_avail_event(&driver), 0);
}

/* ---- Random rings: whatever the driver writes, what comes out is in its memory ---- */

static u64 random_gpa(void)
{
	switch (rand() % 8) {
	case 0:
		return (u64)rand() << 32 | (u64)rand();
	case 1:
		return RAM_END - (u64)rand() % 64;
	case 2:
		return TABLE + (u64)rand() % 128;
	default:
		return RAM_BASE + (u32)rand() % (RAM_END - RAM_BASE);
	}
}

static void random_desc(u64 table, u32 i)
{
	u32 len = rand() % 8 ? (u32)rand() % 300 : (u32)rand() * 3;
	u32 flags = (u32)(rand() % 4 ? rand() & 3 : rand());

	if (flags & D_INDIRECT)
		len &= ~15u;
	driver_desc_at(table, i, random_gpa(), len, flags, (u32)rand() % (NUM + 1));
}

static void check_chain(void)
{
	u64 readable = 0, writable = 0;
	u8 bytes[64];

	assert_in_range(chain.segments, 1, NUM);
	for (u32 i = 0; i < chain.segments; i++) {
		const struct virtqueue_segment *segment = &segments[i];

		assert_int_not_equal(segment->len, 0);
		assert_true(gmap_is_ram(&driver_gmap, GPA(segment->gpa), segment->len));
		*(i < chain.readable_segments ? &readable : &writable) += segment->len;
	}
	assert_int_equal(readable, chain.readable);
	assert_int_equal(writable, chain.writable);
	assert_int_equal(virtqueue_read(&queue, &chain, 0, bytes, sizeof(bytes)),
			 MIN(readable, (u64)sizeof(bytes)));
	/* Not into the rings, for the test's own sake. */
	if (writable && segments[chain.readable_segments].gpa > BASE + 0x1000)
		(void)virtqueue_write(&queue, &chain, 0, bytes, 1);
}

static void test_random_rings(void **state)
{
	u32 chains = 0, broken = 0;

	(void)state;
	srand(3);
	for (u32 round = 0; round < 20000; round++) {
		set_up(BASE, NUM, (u64)(u32)rand() & BOTH);
		for (u32 i = 0; i < NUM; i++) {
			random_desc(driver.desc, i);
			random_desc(TABLE, i);
			driver_offer(&driver, (u32)rand() % (NUM + !(rand() % 16)));
		}
		if (!(rand() % 16))
			driver_avail_index(&driver, (u16)rand());
		while (virtqueue_pop(&queue, &chain) == VIRTQUEUE_CHAIN) {
			check_chain();
			virtqueue_push(&queue, chain.head, 1);
			(void)!virtqueue_interrupt_due(&queue);
			chains++;
		}
		broken += queue.broken != NULL;
	}
	assert_true(chains > 10000);
	assert_true(broken > 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_not_set_up, setup, teardown),
		cmocka_unit_test_setup_teardown(test_request, setup, teardown),
		cmocka_unit_test_setup_teardown(test_over_the_seam, setup, teardown),
		cmocka_unit_test_setup_teardown(test_indirect, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all_of_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_buffers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_loops, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_tables, setup, teardown),
		cmocka_unit_test_setup_teardown(test_index_leaps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_little_room, setup, teardown),
		cmocka_unit_test_setup_teardown(test_interrupts_by_flag, setup, teardown),
		cmocka_unit_test_setup_teardown(test_interrupts_by_event, setup, teardown),
		cmocka_unit_test_setup_teardown(test_arming, setup, teardown),
		cmocka_unit_test_setup_teardown(test_random_rings, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
