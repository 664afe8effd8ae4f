/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest memory map: choice of blocks, refusals, copies over block and range borders, lack of
 * memory at every point, and that nothing leaks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <hv/errno.h>
#include <hv/gmap.h>
#include <hv/pa.h>
#include <hv/page.h>
#include <sim_ram.h>

#define BASE 0x80000000ull
#define VM OWNER_VM(1)

static struct gmap gmap;

static void board(u64 size)
{
	struct page_span memory = { BASE, size };
	struct page_span reserved = { BASE, MIB(1) };

	sim_ram_init(BASE, size);
	assert_int_equal(page_init(&memory, 1, &reserved, 1, NULL, 0), 0);
	gmap_init(&gmap, VM);
}

static u64 free_pages(void)
{
	struct page_counts counts;

	page_count(&counts);
	return counts.free;
}

static u64 device_claims(void)
{
	return page_owner(HPA(0x10000000)) != OWNER_ABSENT;
}

static bool overlapped(const struct gmap *map, u64 hpa, u64 size)
{
	u32 hits = 0;

	for (u32 i = 0; i < map->count; i++)
		hits += map->block[i].kind == GMAP_RAM &&
			range_overlaps(hpa, size, map->block[i].hpa, map->block[i].size);
	return hits != 1;
}

/* Sorted, without overlaps in guest and host, owned, and summing up. */
static void check(void)
{
	const struct gmap_block *block;
	u64 ram = 0, end = 0;

	gmap_for_each(&gmap, block) {
		assert_true(block->size && IS_ALIGNED(block->gpa | block->size, PAGE_SIZE));
		assert_true(block->gpa >= end);
		end = block->gpa + block->size;
		assert_true(page_may_access_all(HPA(block->hpa), block->size, VM));
		if (block->kind != GMAP_RAM)
			continue;
		ram += block->size;
		assert_false(overlapped(&gmap, block->hpa, block->size));
	}
	assert_int_equal(gmap.ram, ram);
	assert_int_equal(page_count_owner(VM), ram / PAGE_SIZE);
	assert_int_equal(gmap_top(&gmap), end);
}

/*
 * Leave only every second page of the highest `size` bytes free; at the very top and at the bottom
 * also runs of less than 64 KiB.
 */
static void fragment(u64 top, u64 size)
{
	int busy = 0;

	for (u64 at = BASE + MIB(1); at < BASE + MIB(2); at += KIB(64))
		busy += page_claim(HPA(at), PAGE_SIZE, OWNER_VM(9)) != 0;
	assert_in_range(busy, 1, 3);	/* the ownership table */
	for (u64 at = top - size; at <= top - KIB(64); at += 2 * PAGE_SIZE)
		assert_int_equal(page_claim(HPA(at), PAGE_SIZE, OWNER_VM(9)), 0);
	assert_int_equal(page_claim(HPA(BASE + MIB(2)), top - size - BASE - MIB(2),
				    OWNER_VM(9)), 0);
}

static void test_contiguous(void **state)
{
	u64 before;

	(void)state;
	board(GIB(2) + MIB(256));
	before = free_pages();
	assert_int_equal(gmap_add_ram(&gmap, GPA(BASE), MIB(256)), 0);
	assert_int_equal(gmap.count, 1);	/* 128 blocks of 2 MiB that continue each other */
	assert_true(IS_ALIGNED(gmap.block[0].hpa, MIB(2)));
	check();
	gmap_release(&gmap);
	assert_int_equal(free_pages(), before);
	assert_int_equal(gmap.count, 0);
	assert_int_equal(gmap_top(&gmap), 0);
	assert_null(gmap_find(&gmap, GPA(BASE)));
}

/* Guest and host address agree modulo the leaf that could map them. */
static void test_congruent(void **state)
{
	const struct gmap_block *block;

	(void)state;
	board(GIB(3));
	assert_int_equal(gmap_add_ram(&gmap, GPA(GIB(3) - MIB(2) - KIB(68)),
				      KIB(68) + MIB(2) + GIB(1) + MIB(4) + KIB(8)), 0);
	check();
	block = gmap_find(&gmap, GPA(GIB(3) + KIB(4)));
	assert_non_null(block);
	assert_int_equal((GIB(3) - block->gpa + block->hpa) % GIB(1), 0);
	block = gmap_find(&gmap, GPA(GIB(3) - 1));
	assert_int_equal((GIB(3) - MIB(2) - block->gpa + block->hpa) % MIB(2), 0);
	block = gmap_find(&gmap, GPA(GIB(4)));
	assert_int_equal((GIB(4) - block->gpa + block->hpa) % MIB(2), 0);
	assert_null(gmap_find(&gmap, GPA(GIB(3) - MIB(2) - KIB(68) - 1)));
	assert_null(gmap_find(&gmap, GPA(GIB(4) + MIB(4) + KIB(8))));
	gmap_release(&gmap);
}

static void test_refuses(void **state)
{
	u64 before;

	(void)state;
	board(MIB(64));
	before = free_pages();
	assert_int_equal(gmap_add_ram(&gmap, GPA(BASE), 0), -EINVAL);
	assert_int_equal(gmap_add_ram(&gmap, GPA(BASE + 1), KIB(4)), -EINVAL);
	assert_int_equal(gmap_add_ram(&gmap, GPA(BASE), KIB(4) + 1), -EINVAL);
	assert_int_equal(gmap_add_ram(&gmap, GPA(~0ull << 12), KIB(8)), -EINVAL);
	assert_int_equal(gmap_add_ram(&gmap, GPA(GMAP_END - KIB(4)), KIB(8)), -EINVAL);
	assert_int_equal(gmap_add_ram(&gmap, GPA(BASE), GIB(1)), -ENOMEM);
	assert_int_equal(gmap_add_ram(&gmap, GPA(0), GMAP_END), -ENOMEM);
	assert_int_equal(gmap_add_identity(&gmap, GPA(BASE), MIB(2)), -EBUSY);
	assert_int_equal(gmap_add_identity(&gmap, GPA(0x10000000), KIB(4)), -EBUSY);
	assert_int_equal(gmap_add_device(&gmap, GPA(0), HPA(BASE + MIB(8)), KIB(4)), -EBUSY);
	assert_int_equal(gmap_add_device(&gmap, GPA(0), HPA(0x10000001), KIB(4)), -EINVAL);
	check();

	assert_int_equal(gmap_add_ram(&gmap, GPA(BASE), MIB(4)), 0);
	assert_int_equal(gmap_add_ram(&gmap, GPA(BASE - KIB(4)), KIB(4)), 0);
	assert_int_equal(gmap_add_ram(&gmap, GPA(BASE + MIB(4)), KIB(4)), 0);
	assert_int_equal(gmap_add_ram(&gmap, GPA(BASE + MIB(4) - KIB(4)), KIB(8)), -EEXIST);
	assert_int_equal(gmap_add_ram(&gmap, GPA(BASE - KIB(4)), KIB(8)), -EEXIST);
	assert_int_equal(gmap_add_ram(&gmap, GPA(BASE + MIB(1)), KIB(4)), -EEXIST);
	assert_int_equal(gmap_add_ram(&gmap, GPA(BASE - MIB(1)), MIB(8)), -EEXIST);
	assert_int_equal(gmap_add_device(&gmap, GPA(BASE), HPA(0x10000000), KIB(4)), -EEXIST);
	assert_int_equal(device_claims(), 0);
	check();
	gmap_release(&gmap);
	assert_int_equal(free_pages(), before);
}

static void test_identity_and_device(void **state)
{
	u64 before;

	(void)state;
	board(MIB(64));
	before = free_pages();
	assert_int_equal(gmap_add_identity(&gmap, GPA(BASE + MIB(32)), MIB(4)), 0);
	assert_int_equal(gmap_add_device(&gmap, GPA(0x20000000), HPA(0x10000000), KIB(8)), 0);
	assert_int_equal(gmap_add_device(&gmap, GPA(0x30000000), HPA(0x10001000), KIB(4)), -EBUSY);
	assert_int_equal(page_claim_device(HPA(0x10001000), KIB(4), OWNER_VM(2)), -EBUSY);
	assert_int_equal(gmap_find(&gmap, GPA(BASE + MIB(33)))->hpa, BASE + MIB(32));
	assert_int_equal(gmap_find(&gmap, GPA(0x20001fff))->kind, GMAP_DEVICE);
	assert_int_equal(gmap.block[0].gpa, 0x20000000);
	assert_false(gmap_is_ram(&gmap, GPA(0x20000000), 1));
	assert_null(gmap_ram_ptr(&gmap, GPA(0x20000000), 1));
	check();
	gmap_release(&gmap);
	assert_int_equal(free_pages(), before);
	assert_int_equal(device_claims(), 0);
}

static void test_access(void **state)
{
	u8 buf[KIB(16)], back[KIB(16)];
	u64 edge;

	(void)state;
	board(MIB(64));
	fragment(BASE + MIB(64), MIB(32));
	assert_int_equal(gmap_add_ram(&gmap, GPA(BASE), KIB(512)), 0);
	assert_int_equal(gmap_add_ram(&gmap, GPA(BASE + KIB(512)), KIB(512)), 0);
	edge = BASE + MIB(1);
	for (u32 i = 0; i < sizeof(buf); i++)
		buf[i] = (u8)(i * 7 + i / 256);

	/* Over page, block and range borders. */
	assert_int_equal(gmap_write(&gmap, GPA(BASE + KIB(512) - 77), buf, sizeof(buf)), 0);
	assert_int_equal(gmap_read(&gmap, GPA(BASE + KIB(512) - 77), back, sizeof(back)), 0);
	assert_memory_equal(buf, back, sizeof(buf));
	assert_int_equal(*(u8 *)gmap_ram_ptr(&gmap, GPA(BASE + KIB(512)), 1), buf[77]);

	/* Partly outside: refused, and neither side touched. */
	memset(back, 0x55, sizeof(back));
	assert_int_equal(gmap_write(&gmap, GPA(edge - 8), back, 9), -EFAULT);
	assert_int_equal(gmap_write(&gmap, GPA(edge - 8), buf, 8), 0);
	assert_int_equal(gmap_read(&gmap, GPA(edge - 8), back, 9), -EFAULT);
	assert_int_equal(back[0], 0x55);
	assert_int_equal(gmap_read(&gmap, GPA(BASE - 1), back, 2), -EFAULT);
	assert_int_equal(gmap_read(&gmap, GPA(BASE), back, ~0ull), -EFAULT);
	assert_int_equal(gmap_read(&gmap, GPA(~0ull), back, 2), -EFAULT);
	assert_int_equal(gmap_read(&gmap, GPA(0), back, 0), 0);
	assert_true(gmap_is_ram(&gmap, GPA(BASE), MIB(1)));
	assert_false(gmap_is_ram(&gmap, GPA(BASE), MIB(1) + 1));
	assert_false(gmap_is_ram(&gmap, GPA(~0ull), 2));

	assert_null(gmap_ram_ptr(&gmap, GPA(BASE), 0));
	assert_null(gmap_ram_ptr(&gmap, GPA(edge - 8), 9));
	assert_null(gmap_ram_ptr(&gmap, GPA(BASE - 1), 2));
	assert_null(gmap_ram_ptr(&gmap, GPA(BASE), ~0ull));
	assert_non_null(gmap_ram_ptr(&gmap, GPA(edge - KIB(4)), KIB(4)));
	assert_null(gmap_ram_ptr(&gmap, GPA(edge - KIB(8)), KIB(8)));	/* not contiguous */
	check();
	gmap_release(&gmap);
}

/* Ranges that meet in guest and host are one for gmap_ram_ptr(), yet separate blocks. */
static void test_adjacent(void **state)
{
	u8 *ptr;

	(void)state;
	board(MIB(64));
	assert_int_equal(gmap_add_identity(&gmap, GPA(BASE + MIB(32)), MIB(2)), 0);
	assert_int_equal(gmap_add_identity(&gmap, GPA(BASE + MIB(34)), MIB(2)), 0);
	assert_int_equal(gmap.count, 2);
	ptr = gmap_ram_ptr(&gmap, GPA(BASE + MIB(32)), MIB(4));
	assert_ptr_equal(ptr, pa_ptr(HPA(BASE + MIB(32))));
	assert_null(gmap_ram_ptr(&gmap, GPA(BASE + MIB(32)), MIB(4) + 1));
	gmap_release(&gmap);
}

static u32 clear_all(void)
{
	u32 steps = 0;

	while (gmap_clear_step(&gmap))
		steps++;
	return steps;
}

static void dirty(u64 gpa, u64 size)
{
	u8 byte = 0xa5;

	for (u64 at = 0; at < size; at += KIB(2))
		assert_int_equal(gmap_write(&gmap, GPA(gpa + at), &byte, 1), 0);
}

static bool zero(u64 gpa, u64 size)
{
	u8 page[PAGE_SIZE], none[PAGE_SIZE] = { 0 };

	for (u64 at = 0; at < size; at += PAGE_SIZE) {
		assert_int_equal(gmap_read(&gmap, GPA(gpa + at), page, PAGE_SIZE), 0);
		if (memcmp(page, none, PAGE_SIZE))
			return false;
	}
	return true;
}

/* A page at a time, all of it, each time that somebody may have written; never given back else. */
static void test_clear(void **state)
{
	const u32 pages = (u32)(MIB(9) / PAGE_SIZE);

	(void)state;
	board(MIB(64));
	assert_int_equal(gmap_add_ram(&gmap, GPA(BASE), MIB(5)), 0);
	assert_int_equal(gmap_add_device(&gmap, GPA(0x20000000), HPA(0x10000000), KIB(8)), 0);
	assert_int_equal(gmap_add_identity(&gmap, GPA(BASE + MIB(32)), MIB(4)), 0);
	dirty(BASE, MIB(5));	/* as it was found at boot */
	assert_false(gmap_is_clear(&gmap));
	assert_int_equal(clear_all(), pages);
	assert_true(gmap_is_clear(&gmap));
	assert_true(zero(BASE, MIB(5)) && zero(BASE + MIB(32), MIB(4)));

	gmap_soil(&gmap);
	dirty(BASE, MIB(5));
	dirty(BASE + MIB(32), MIB(4));
	assert_false(gmap_is_clear(&gmap));
	expect_assert_failure(gmap_release(&gmap));
	for (u32 i = 0; i < pages / 2; i++)
		assert_true(gmap_clear_step(&gmap));
	gmap_soil(&gmap);	/* anew */
	dirty(BASE, MIB(5));
	assert_int_equal(clear_all(), pages);
	assert_true(zero(BASE, MIB(5)) && zero(BASE + MIB(32), MIB(4)));
	gmap_release(&gmap);

	/* What is known to be clear is not cleared again. */
	assert_int_equal(gmap_add_identity(&gmap, GPA(BASE + MIB(32)), MIB(4)), 0);
	assert_true(zero(BASE + MIB(32), MIB(4)));
	assert_int_equal(clear_all(), 2);
	gmap_soil(&gmap);
	assert_int_equal(clear_all(), MIB(4) / PAGE_SIZE);
	gmap_release(&gmap);
	/* Given back by who has never seen it. */
	assert_int_equal(gmap_add_ram(&gmap, GPA(BASE), MIB(40)), 0);
	assert_true(gmap_clear_step(&gmap));
	gmap_release(&gmap);
	assert_int_equal(gmap_add_identity(&gmap, GPA(BASE + MIB(40)), MIB(2)), 0);
	assert_true(clear_all() > 1);
	gmap_release(&gmap);
}

/* 4 KiB fragments: the array grows; memory ends in the middle; all of it comes back. */
static void test_fragmented(void **state)
{
	u64 before;

	(void)state;
	board(MIB(64));
	fragment(BASE + MIB(64), MIB(8));
	before = free_pages();
	assert_int_equal(gmap_add_ram(&gmap, GPA(GIB(4)), MIB(3)), 0);
	assert_true(gmap.count > 512);
	check();
	assert_int_equal(gmap_add_ram(&gmap, GPA(GIB(2)), KIB(64)), 0);
	check();
	gmap_release(&gmap);
	assert_int_equal(free_pages(), before);
}

static void test_out_of_memory(void **state)
{
	u64 total, room;

	(void)state;
	board(MIB(8));
	assert_int_equal(gmap_add_ram(&gmap, GPA(0), MIB(1)), 0);
	total = free_pages();
	/*
	 * As many pages as are free by count, but the array needs some as well: fails at the last
	 * block, or in the growth of the array.
	 */
	for (u64 spare = 0; spare < 4; spare++) {
		u64 size = (total - spare) * PAGE_SIZE;
		int ret = gmap_add_ram(&gmap, GPA(GIB(1)), size);

		assert_true(ret == 0 || ret == -ENOMEM);
		check();
		if (ret)
			assert_int_equal(gmap.ram, MIB(1));
		gmap_release(&gmap);
		assert_int_equal(gmap_add_ram(&gmap, GPA(0), MIB(1)), 0);
		assert_int_equal(free_pages(), total);
	}
	gmap_release(&gmap);

	/* Only single pages are left: the array cannot grow past its first one. */
	board(MIB(64));
	fragment(BASE + MIB(64), MIB(8));
	for (hpa_t pa; !page_alloc(KIB(8), PAGE_SIZE, OWNER_VM(9), &pa);)
		;
	room = free_pages();
	assert_int_equal(gmap_add_ram(&gmap, GPA(0), KIB(400)), 0);
	assert_int_equal(gmap_add_ram(&gmap, GPA(MIB(2)), KIB(400)), -ENOMEM);
	assert_int_equal(gmap.ram, KIB(400));
	check();
	gmap_release(&gmap);
	assert_int_equal(free_pages(), room);
}

static void test_shortage(void **state)
{
	struct gmap_shortage s;

	(void)state;
	board(MIB(8));
	s = gmap_shortage(MIB(16) + 1);
	assert_int_equal(s.needs_mib, 17);
	assert_int_equal(s.free_mib, 6);
	s = gmap_shortage(~0ull);
	assert_int_equal(s.needs_mib, ((u64)1 << 44));
}

static void random_add(u64 gpa, u64 size)
{
	int ret;

	switch (rand() % 3) {
	case 0:
		ret = gmap_add_ram(&gmap, GPA(gpa), size);
		break;
	case 1:
		ret = gmap_add_identity(&gmap, GPA(gpa), size);
		break;
	default:
		ret = gmap_add_device(&gmap, GPA(gpa), HPA(gpa - MIB(64) + MIB(3)), size);
	}
	assert_in_range(-ret, 0, EINVAL);
}

static void test_random(void **state)
{
	u64 before;

	(void)state;
	srand(5);
	board(MIB(64));
	before = free_pages();
	for (u32 round = 0; round < 40; round++) {
		for (u32 i = 0; i < 40; i++)
			random_add(BASE - MIB(16) + (u64)(rand() % 0x6000) * PAGE_SIZE,
				   (u64)(1 + rand() % 600) * PAGE_SIZE);
		check();
		for (u32 i = 0; i < 200; i++) {
			u64 gpa = BASE - MIB(16) + (u64)rand() % MIB(112);
			const struct gmap_block *block = gmap_find(&gmap, GPA(gpa));

			assert_int_equal(gmap_is_ram(&gmap, GPA(gpa), 1),
					 block && block->kind == GMAP_RAM);
			if (block)
				assert_in_range(gpa, block->gpa, block->gpa + block->size - 1);
		}
		gmap_release(&gmap);
		assert_int_equal(free_pages(), before);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contiguous),
		cmocka_unit_test(test_congruent),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_identity_and_device),
		cmocka_unit_test(test_access),
		cmocka_unit_test(test_adjacent),
		cmocka_unit_test(test_clear),
		cmocka_unit_test(test_fragmented),
		cmocka_unit_test(test_out_of_memory),
		cmocka_unit_test(test_shortage),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
