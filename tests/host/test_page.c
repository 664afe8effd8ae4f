/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page allocator and ownership table: boot layouts, block choice, refusals, misuse, and random
 * sequences against a naive model, with threads at the end.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <hv/errno.h>
#include <hv/owner.h>
#include <hv/pa.h>
#include <hv/page.h>
#include <sim_ram.h>

#define BASE 0x80000000ull

/* One span of memory at BASE, the first MiB reserved; small memories are full of old data. */
static void board(u64 size)
{
	struct page_span memory = { BASE, size };
	struct page_span reserved = { BASE, MIB(1) };

	sim_ram_init(BASE, size);
	if (size <= MIB(64))
		memset(pa_ptr(HPA(BASE)), 0xa5, size);
	assert_int_equal(page_init(&memory, 1, &reserved, 1, NULL, 0), 0);
}

static struct page_counts count(void)
{
	struct page_counts counts;

	page_count(&counts);
	assert_int_equal(counts.free, page_count_owner(OWNER_FREE));
	assert_int_equal(counts.hv, page_count_owner(OWNER_HV));
	return counts;
}

static bool all_zero(u64 base, u64 size)
{
	const u8 *byte = pa_ptr(HPA(base));

	return !byte[0] && !memcmp(byte, byte + 1, size - 1);
}

static void test_init_spans(void **state)
{
	/* Two that touch, one inside, one unaligned, one empty, one that wraps. */
	struct page_span memory[] = {
		{ BASE + MIB(64), MIB(64) }, { BASE, MIB(64) }, { BASE + MIB(1), MIB(1) },
		{ BASE + MIB(200) + 1, MIB(1) }, { BASE + MIB(300), 0 },
	};
	struct page_span reserved[] = {
		{ BASE + 0x80, 1 }, { BASE + MIB(127), MIB(10) }, { 0x1000, 0x1000 }, { 0, 0 },
	};
	struct page_span kept[] = { { BASE + MIB(2) - 1, 2 }, { BASE + 0x80, 0x1000 } };

	(void)state;
	sim_ram_init(BASE, MIB(400));
	assert_int_equal(page_init(memory, 5, reserved, 4, kept, 2), 0);
	assert_int_equal(owners.regions, 2);
	assert_int_equal(page_owner(HPA(BASE)), OWNER_ABSENT);		/* reserved wins */
	assert_int_equal(page_owner(HPA(BASE + 0x1000)), OWNER_HV);	/* kept, rounded out */
	assert_int_equal(page_owner(HPA(BASE + MIB(2) - 1)), OWNER_HV);
	assert_int_equal(page_owner(HPA(BASE + MIB(2))), OWNER_HV);
	assert_int_equal(page_owner(HPA(BASE + MIB(127) - 1)), OWNER_FREE);
	assert_int_equal(page_owner(HPA(BASE + MIB(127))), OWNER_ABSENT);
	assert_int_equal(page_owner(HPA(BASE + MIB(128))), OWNER_ABSENT);
	assert_int_equal(page_owner(HPA(BASE + MIB(200))), OWNER_ABSENT);
	assert_int_equal(page_owner(HPA(BASE + MIB(200) + 0x1000)), OWNER_FREE);
	assert_int_equal(page_owner(HPA(BASE + MIB(201))), OWNER_ABSENT);
	assert_int_equal(count().total, (MIB(127) + MIB(1)) / PAGE_SIZE - 2);
}

static void test_init_refuses(void **state)
{
	struct page_span wraps = { ~0ull - 10, MIB(1) };
	struct page_span tiny = { BASE + 1, PAGE_SIZE };
	struct page_span memory = { BASE, MIB(4) };
	struct page_span all = { 0, ~0ull };
	struct page_span many[PAGE_REGIONS + 1];

	(void)state;
	for (u32 i = 0; i <= PAGE_REGIONS; i++)
		many[i] = (struct page_span){ BASE + i * 2 * PAGE_SIZE, PAGE_SIZE };
	sim_ram_init(BASE, MIB(4));
	assert_int_equal(page_init(NULL, 0, NULL, 0, NULL, 0), -EINVAL);
	assert_int_equal(page_init(&wraps, 1, NULL, 0, NULL, 0), -EINVAL);
	assert_int_equal(page_init(&tiny, 1, NULL, 0, NULL, 0), -EINVAL);
	assert_int_equal(page_init(&memory, 1, &all, 1, NULL, 0), -ENOMEM);
	assert_int_equal(page_init(&memory, 1, NULL, 0, &all, 1), -ENOMEM);
	assert_int_equal(page_init(many, PAGE_REGIONS + 1, NULL, 0, NULL, 0), -E2BIG);
	assert_int_equal(page_init(many, PAGE_REGIONS, NULL, 0, NULL, 0), 0);
}

/* RAM that begins at address 0: page 0 is never handed out. */
static void test_init_zero(void **state)
{
	struct page_span memory = { 0, MIB(2) };
	hpa_t pa;

	(void)state;
	sim_ram_init(0, MIB(2));
	assert_int_equal(page_init(&memory, 1, NULL, 0, NULL, 0), 0);
	assert_int_equal(page_owner(HPA(0)), OWNER_ABSENT);
	while (!page_alloc(PAGE_SIZE, PAGE_SIZE, OWNER_HV, &pa))
		assert_true(pa.v);
	assert_int_equal(count().free, 0);
}

/* 64 GiB: the table costs 64 MiB, and init touches nothing else. */
static void test_init_large(void **state)
{
	u64 size;
	hpa_t pa;

	(void)state;
	board(GIB(64));
	assert_in_range(count().hv, MIB(64) / PAGE_SIZE, MIB(65) / PAGE_SIZE);
	assert_int_equal(page_alloc_block(MIB(2), OWNER_VM(0), &pa, &size), 0);
	/* Out of the only broken GiB, behind the table. */
	assert_in_range(pa.v, BASE + MIB(65), BASE + MIB(68));
	assert_int_equal(size, MIB(2));
}

static void test_alloc(void **state)
{
	hpa_t a, b, c;

	(void)state;
	board(MIB(16));
	assert_int_equal(page_alloc(PAGE_SIZE, PAGE_SIZE, OWNER_HV, &a), 0);
	assert_int_equal(page_alloc(KIB(16), KIB(16), OWNER_HV, &b), 0);
	assert_int_equal(page_alloc(MIB(3), MIB(1), OWNER_VM(3), &c), 0);
	assert_true(IS_ALIGNED(b.v, KIB(16)) && b.v > a.v);
	assert_true(IS_ALIGNED(c.v, MIB(1)) && c.v > b.v);
	assert_true(all_zero(c.v, MIB(3)));
	assert_int_equal(page_owner(HPA(c.v + MIB(3) - 1)), OWNER_VM(3));
	assert_int_equal(page_owner(HPA(c.v + MIB(3))), OWNER_FREE);
	assert_int_equal(page_count_owner(OWNER_VM(3)), MIB(3) / PAGE_SIZE);

	memset(pa_ptr(c), 0x5a, MIB(3));
	page_free(c, MIB(3), OWNER_VM(3));
	assert_true(all_zero(c.v, MIB(3)));
	assert_int_equal(page_owner(c), OWNER_FREE);
	assert_int_equal(page_count_owner(OWNER_VM(3)), 0);
	count();
}

static void test_alloc_refuses(void **state)
{
	u64 size;
	hpa_t pa;

	(void)state;
	board(MIB(16));
	assert_int_equal(page_alloc(0, PAGE_SIZE, OWNER_HV, &pa), -EINVAL);
	assert_int_equal(page_alloc(100, PAGE_SIZE, OWNER_HV, &pa), -EINVAL);
	assert_int_equal(page_alloc(PAGE_SIZE, 0, OWNER_HV, &pa), -EINVAL);
	assert_int_equal(page_alloc(PAGE_SIZE, 0x800, OWNER_HV, &pa), -EINVAL);
	assert_int_equal(page_alloc(PAGE_SIZE, 0x3000, OWNER_HV, &pa), -EINVAL);
	assert_int_equal(page_alloc(MIB(16), PAGE_SIZE, OWNER_HV, &pa), -ENOMEM);
	assert_int_equal(page_alloc(~0ull << 12, PAGE_SIZE, OWNER_HV, &pa), -ENOMEM);
	assert_int_equal(page_alloc(PAGE_SIZE, BIT(63), OWNER_HV, &pa), -ENOMEM);
	assert_int_equal(page_alloc_block(PAGE_SIZE - 1, OWNER_HV, &pa, &size), -EINVAL);
	assert_int_equal(page_claim(HPA(BASE + MIB(8)), 0, OWNER_VM(0)), -EINVAL);
	assert_int_equal(page_claim(HPA(BASE + MIB(8) + 1), PAGE_SIZE, OWNER_VM(0)), -EINVAL);
	assert_int_equal(page_claim(HPA(~0ull << 12), 2 * PAGE_SIZE, OWNER_VM(0)), -EINVAL);
	assert_int_equal(page_claim(HPA(BASE), MIB(2), OWNER_VM(0)), -EBUSY);
	assert_int_equal(page_claim(HPA(BASE + MIB(15)), MIB(2), OWNER_VM(0)), -EBUSY);
	assert_int_equal(page_claim(HPA(0x1000), PAGE_SIZE, OWNER_VM(0)), -EBUSY);
	count();
}

/* Blocks: from the top, out of broken GiBs first, adjoining; small pages stay below. */
static void test_blocks(void **state)
{
	hpa_t pa, next, small;
	u64 size;

	(void)state;
	board(GIB(3));
	assert_int_equal(page_alloc_block(GIB(1), OWNER_VM(0), &pa, &size), 0);
	assert_int_equal(pa.v, BASE + GIB(2));
	assert_int_equal(size, GIB(1));
	assert_int_equal(page_alloc(PAGE_SIZE, PAGE_SIZE, OWNER_HV, &small), 0);
	assert_in_range(small.v, BASE + MIB(1), BASE + MIB(6));
	assert_int_equal(page_alloc_block(GIB(1) - 1, OWNER_VM(0), &pa, &size), 0);
	assert_int_equal(size, MIB(2));
	assert_int_equal(page_alloc_block(MIB(5), OWNER_VM(0), &next, &size), 0);
	assert_int_equal(next.v, pa.v + MIB(2));
	assert_true(pa.v < BASE + GIB(1));	/* the middle GiB is whole … */
	assert_int_equal(page_alloc_block(KIB(64), OWNER_VM(0), &pa, &size), 0);
	assert_int_equal(size, KIB(64));
	assert_int_equal(pa.v >> 21, small.v >> 21);	/* 64 KiB out of the broken 2 MiB */
	assert_int_equal(page_alloc_block(~0ull, OWNER_VM(0), &pa, &size), 0);
	assert_int_equal(pa.v, BASE + GIB(1));	/* … and can still be had */
	assert_int_equal(size, GIB(1));
}

/* Nothing below the floor, wherever it lies in a GiB; above it, everything to the last page. */
static void test_blocks_above(void **state)
{
	u64 floor = BASE + GIB(1) + MIB(300) + KIB(68), left = BASE + GIB(3) - floor, size;
	hpa_t pa;

	(void)state;
	board(GIB(3));
	assert_int_equal(page_alloc_block_above(floor + 1, GIB(1), OWNER_VM(0), &pa, &size),
			 -EINVAL);
	assert_int_equal(page_alloc_block_above(~0ull << PAGE_SHIFT, GIB(1), OWNER_VM(0), &pa,
						&size), -ENOMEM);
	while (!page_alloc_block_above(floor, ~0ull, OWNER_VM(0), &pa, &size)) {
		assert_true(pa.v >= floor && size <= left && IS_ALIGNED(pa.v, size));
		left -= size;
	}
	assert_int_equal(left, 0);
	assert_int_equal(page_alloc_block(GIB(1), OWNER_VM(0), &pa, &size), 0);
	assert_true(pa.v < floor);
}

/* Until nothing is left, the blocks shrink; all come back. */
static void test_blocks_exhaust(void **state)
{
	static hpa_t block[20000];
	static u64 sizes[20000];
	u64 last = ~0ull, free;
	u32 n = 0;

	(void)state;
	board(MIB(40) + KIB(200));
	free = count().free;
	for (; !page_alloc_block(~0ull, OWNER_VM(1), &block[n], &sizes[n]); n++) {
		assert_true(sizes[n] <= last && IS_ALIGNED(block[n].v, sizes[n]));
		last = sizes[n];
	}
	assert_int_equal(count().free, 0);
	assert_int_equal(last, PAGE_SIZE);
	while (n--)
		page_free(block[n], sizes[n], OWNER_VM(1));
	assert_int_equal(count().free, free);
}

static void test_misuse(void **state)
{
	hpa_t pa;

	(void)state;
	board(MIB(16));
	assert_int_equal(page_alloc(KIB(16), PAGE_SIZE, OWNER_VM(1), &pa), 0);
	memset(pa_ptr(pa), 0x77, KIB(16));
	expect_assert_failure(page_free(pa, KIB(16), OWNER_VM(2)));
	owners.lock.serving = owners.lock.next;
	expect_assert_failure(page_free(pa, KIB(20), OWNER_VM(1)));
	owners.lock.serving = owners.lock.next;
	expect_assert_failure(page_free(HPA(pa.v + 1), KIB(4), OWNER_VM(1)));
	expect_assert_failure(page_free(pa, 0, OWNER_VM(1)));
	expect_assert_failure(page_free(HPA(0x1000), PAGE_SIZE, OWNER_HV));
	expect_assert_failure(page_free(HPA(BASE + MIB(10)), PAGE_SIZE, OWNER_FREE));
	expect_assert_failure(page_free(HPA(BASE), PAGE_SIZE, OWNER_ABSENT));
	assert_int_equal(*(u8 *)pa_ptr(pa), 0x77);	/* nothing was scrubbed */
	expect_assert_failure(assert_true(page_claim_device(HPA(0), PAGE_SIZE, OWNER_FREE)));
	page_free(pa, KIB(16), OWNER_VM(1));
	expect_assert_failure(page_free(pa, KIB(16), OWNER_VM(1)));
}

static void test_share(void **state)
{
	hpa_t pa;

	(void)state;
	board(MIB(16));
	assert_int_equal(page_alloc(KIB(16), PAGE_SIZE, OWNER_VM(1), &pa), 0);
	assert_true(page_may_access(pa, OWNER_VM(1)));
	assert_false(page_may_access(pa, OWNER_VM(2)));
	assert_int_equal(page_share(pa, KIB(8), OWNER_VM(2), OWNER_VM(3)), -EPERM);
	assert_int_equal(page_share(pa, KIB(8), OWNER_VM(1), OWNER_VM(1)), -EPERM);
	assert_int_equal(page_share(pa, KIB(32), OWNER_VM(1), OWNER_VM(2)), -EPERM);
	assert_int_equal(page_share(pa, 0, OWNER_VM(1), OWNER_VM(2)), -EINVAL);
	assert_int_equal(page_share(pa, 17, OWNER_VM(1), OWNER_VM(2)), -EINVAL);
	assert_int_equal(page_share(HPA(0x1000), KIB(4), OWNER_VM(1), OWNER_VM(2)), -EPERM);
	assert_int_equal(page_share(pa, KIB(8), OWNER_FREE, OWNER_VM(2)), -EPERM);
	assert_int_equal(page_share(pa, KIB(8), OWNER_VM(1), OWNER_VM(2)), 0);
	assert_int_equal(page_share(pa, KIB(16), OWNER_VM(1), OWNER_VM(3)), -EBUSY);
	assert_true(page_may_access_all(pa, KIB(8), OWNER_VM(2)));
	assert_false(page_may_access_all(pa, KIB(8) + 1, OWNER_VM(2)));
	assert_true(page_may_access_all(pa, KIB(16), OWNER_VM(1)));
	assert_false(page_may_access(pa, OWNER_VM(3)));
	assert_false(page_may_access(pa, OWNER_ABSENT));
	expect_assert_failure(page_free(pa, KIB(16), OWNER_VM(1)));
	owners.lock.serving = owners.lock.next;
	expect_assert_failure(page_unshare(pa, KIB(8), OWNER_VM(1), OWNER_VM(3)));
	owners.lock.serving = owners.lock.next;
	page_unshare(pa, KIB(8), OWNER_VM(1), OWNER_VM(2));
	assert_false(page_may_access(pa, OWNER_VM(2)));
	page_free(pa, KIB(16), OWNER_VM(1));
}

static void test_device(void **state)
{
	hpa_t uart = HPA(0x10000000);

	(void)state;
	board(MIB(16));
	assert_int_equal(page_claim_device(uart, KIB(4), OWNER_HV), 0);
	assert_int_equal(page_claim_device(uart, KIB(8), OWNER_VM(1)), -EBUSY);
	assert_int_equal(page_claim_device(HPA(uart.v + KIB(4)), KIB(8), OWNER_VM(1)), 0);
	assert_int_equal(page_claim_device(HPA(uart.v + KIB(12)), KIB(4), OWNER_VM(1)), 0);
	assert_int_equal(page_claim_device(HPA(BASE), KIB(4), OWNER_VM(1)), -EBUSY);
	assert_int_equal(page_claim_device(HPA(BASE - KIB(4)), KIB(8), OWNER_VM(1)), -EBUSY);
	assert_int_equal(page_claim_device(HPA(0x2000), 0, OWNER_VM(1)), -EINVAL);
	assert_int_equal(page_claim_device(HPA(0x2001), KIB(4), OWNER_VM(1)), -EINVAL);
	assert_int_equal(page_owner(uart), OWNER_HV);
	assert_int_equal(page_owner(HPA(uart.v + KIB(4))), OWNER_VM(1));
	assert_int_equal(page_owner(HPA(uart.v + KIB(16))), OWNER_ABSENT);
	assert_true(page_may_access_all(HPA(uart.v + KIB(4)), KIB(12), OWNER_VM(1)));
	assert_false(page_may_access_all(HPA(uart.v + KIB(4)), KIB(16), OWNER_VM(1)));
	assert_false(page_may_access_all(uart, KIB(8), OWNER_VM(1)));
	assert_false(page_may_access_all(HPA(0x1000), ~0ull, OWNER_VM(1)));
	expect_assert_failure(page_free_device(uart, KIB(4), OWNER_VM(1)));
	page_free_device(uart, KIB(4), OWNER_HV);
	page_free_device(HPA(uart.v + KIB(4)), KIB(8), OWNER_VM(1));
	page_free_device(HPA(uart.v + KIB(12)), KIB(4), OWNER_VM(1));
	assert_int_equal(page_owner(uart), OWNER_ABSENT);

	for (u64 i = 0; i < PAGE_DEVICES; i++)
		assert_int_equal(page_claim_device(HPA(i << 12), KIB(4), OWNER_VM(1)), 0);
	assert_int_equal(page_claim_device(uart, KIB(4), OWNER_HV), -ENOMEM);
	for (u64 i = 0; i < PAGE_DEVICES; i++)
		page_free_device(HPA(i << 12), KIB(4), OWNER_VM(1));
}

/* Pages of Shyper's device have another owner for a time. */
static void test_lent_device(void **state)
{
	const hpa_t imsic = HPA(0x28000000), page = HPA(0x28001000);

	(void)state;
	board(MIB(16));
	assert_int_equal(page_lend_device(page, KIB(4), OWNER_VM(1)), -EBUSY);
	assert_int_equal(page_claim_device(imsic, KIB(16), OWNER_HV), 0);
	assert_int_equal(page_lend_device(HPA(0x28003000), KIB(8), OWNER_VM(1)), -EBUSY);
	assert_int_equal(page_lend_device(page, KIB(4), OWNER_VM(1)), 0);
	assert_int_equal(page_lend_device(page, KIB(4), OWNER_VM(2)), -EBUSY);
	assert_int_equal(page_lend_device(imsic, KIB(16), OWNER_VM(2)), -EBUSY);
	assert_int_equal(page_claim_device(page, KIB(4), OWNER_VM(2)), -EBUSY);
	assert_int_equal(page_owner(imsic), OWNER_HV);
	assert_int_equal(page_owner(page), OWNER_VM(1));
	assert_int_equal(page_owner(HPA(0x28002000)), OWNER_HV);
	assert_true(page_may_access_all(page, KIB(4), OWNER_VM(1)));
	assert_false(page_may_access_all(page, KIB(8), OWNER_VM(1)));
	assert_false(page_may_access_all(imsic, KIB(16), OWNER_HV));
	expect_assert_failure(page_return_device(page, KIB(4), OWNER_VM(2)));
	page_return_device(page, KIB(4), OWNER_VM(1));
	assert_true(page_may_access_all(imsic, KIB(16), OWNER_HV));
	page_free_device(imsic, KIB(16), OWNER_HV);
}

/* Memory of VMs is handed out as it is; what is given back clear is known to be so from then on. */
static void test_give_back(void **state)
{
	u64 size;
	hpa_t pa;

	(void)state;
	board(MIB(16));
	assert_int_equal(page_alloc_block(MIB(2), OWNER_VM(1), &pa, &size), 0);
	assert_int_equal(size, MIB(2));
	assert_false(all_zero(pa.v, MIB(2)));
	assert_int_equal(page_clear_ahead(pa), 0);
	page_give_back(pa, MIB(2), OWNER_VM(1), false);
	assert_int_equal(page_clear_ahead(pa), 0);

	assert_int_equal(page_claim(pa, MIB(2), OWNER_VM(1)), 0);
	page_clear(pa, MIB(2));
	page_give_back(pa, MIB(2) - PAGE_SIZE, OWNER_VM(1), true);
	assert_int_equal(page_clear_ahead(pa), 0);	/* not all of the 2 MiB */
	page_free(HPA(pa.v + MIB(2) - PAGE_SIZE), PAGE_SIZE, OWNER_VM(1));
	assert_int_equal(page_claim(pa, MIB(2), OWNER_VM(1)), 0);
	page_give_back(pa, MIB(2), OWNER_VM(1), true);
	assert_int_equal(page_clear_ahead(pa), MIB(2));
	assert_int_equal(page_clear_ahead(HPA(pa.v + MIB(1))), MIB(1));
	assert_int_equal(page_clear_ahead(HPA(pa.v + MIB(2))), 0);
	assert_int_equal(page_owner(pa), OWNER_FREE);
	count();
	expect_assert_failure(page_give_back(pa, MIB(2), OWNER_HV, true));
	expect_assert_failure(page_give_back(pa, MIB(2), OWNER_VM(1), true));
}

/* --- Random sequences against a list of what is held ---------------------------------------- */

struct held {
	u64 base;
	u64 size;
	owner_t owner;
};

static bool held_overlaps(const struct held *held, u32 n, u64 base, u64 size)
{
	for (u32 i = 0; i < n; i++) {
		if (range_overlaps(held[i].base, held[i].size, base, size))
			return true;
	}
	return false;
}

static int random_take(struct held *out)
{
	u64 max = PAGE_SIZE << (rand() % 12);
	hpa_t pa = HPA(BASE + (u64)(rand() % 0x2000) * PAGE_SIZE);

	*out = (struct held){ .size = ALIGN_UP(1 + (u64)rand() % max, PAGE_SIZE),
			      .owner = OWNER_VM(rand() % 4) };
	switch (rand() % 3) {
	case 0:
		if (page_alloc(out->size, max, out->owner, &pa))
			return -ENOMEM;
		assert_true(all_zero(pa.v, out->size));
		break;
	case 1:
		if (page_alloc_block(max, out->owner, &pa, &out->size))
			return -ENOMEM;
		break;
	default:
		if (page_claim(pa, out->size, out->owner))
			return -ENOMEM;
	}
	out->base = pa.v;
	return 0;
}

static void check_known(const struct held *one)
{
	u64 n;

	for (u64 at = one->base; at < one->base + one->size; at += n) {
		n = page_clear_ahead(HPA(at));
		assert_true(!n || all_zero(at, MIN(n, one->base + one->size - at)));
		n = MAX(n, PAGE_SIZE);
	}
}

static void random_free(const struct held *one)
{
	if (rand() % 2) {
		page_free(HPA(one->base), one->size, one->owner);
		return;
	}
	page_clear(HPA(one->base), one->size);
	page_give_back(HPA(one->base), one->size, one->owner, true);
}

static void test_random(void **state)
{
	static struct held held[4096];
	u64 free;
	u32 n = 0;

	(void)state;
	srand(1);
	board(MIB(32));
	free = count().free;
	for (u32 i = 0; i < 8000; i++) {
		struct held one;

		if (n < 4096 && rand() % 5 < 3 && !random_take(&one)) {
			assert_false(held_overlaps(held, n, one.base, one.size));
			check_known(&one);
			memset(pa_ptr(HPA(one.base)), 0xff, one.size);
			held[n++] = one;
			free -= one.size / PAGE_SIZE;
		} else if (n) {
			u32 at = (u32)rand() % n;

			random_free(&held[at]);
			free += held[at].size / PAGE_SIZE;
			held[at] = held[--n];
		}
		if (i % 512 == 0)
			assert_int_equal(count().free, free);
	}
	while (n--)
		page_free(HPA(held[n].base), held[n].size, held[n].owner);
	assert_true(page_count_owner(OWNER_FREE) == count().free);
}

static void *hammer(void *arg)
{
	owner_t owner = *(owner_t *)arg;

	for (u32 i = 0; i < 300; i++) {
		hpa_t pa, block;
		u64 size;

		if (page_alloc(KIB(16), KIB(16), owner, &pa))
			return "alloc";
		if (page_alloc_block(KIB(64), owner, &block, &size))
			return "block";
		if (!all_zero(pa.v, KIB(16)) || !page_may_access_all(block, size, owner))
			return "state";
		memset(pa_ptr(pa), owner, KIB(16));
		page_free(pa, KIB(16), owner);
		page_free(block, size, owner);
	}
	return NULL;
}

static void test_threads(void **state)
{
	owner_t owner[3] = { OWNER_HV, OWNER_VM(0), OWNER_VM(1) };
	pthread_t thread[3];
	u64 free;

	(void)state;
	board(MIB(8));
	free = count().free;
	for (u32 i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, hammer, &owner[i]), 0);
	for (u32 i = 0; i < 3; i++) {
		void *failed;

		pthread_join(thread[i], &failed);
		assert_null(failed);
	}
	assert_int_equal(count().free, free);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_init_spans),
		cmocka_unit_test(test_init_refuses),
		cmocka_unit_test(test_init_zero),
		cmocka_unit_test(test_init_large),
		cmocka_unit_test(test_alloc),
		cmocka_unit_test(test_alloc_refuses),
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_blocks_above),
		cmocka_unit_test(test_blocks_exhaust),
		cmocka_unit_test(test_misuse),
		cmocka_unit_test(test_share),
		cmocka_unit_test(test_device),
		cmocka_unit_test(test_lent_device),
		cmocka_unit_test(test_give_back),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
