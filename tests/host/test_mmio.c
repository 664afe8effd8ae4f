/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The MMIO bus: what it refuses to hold, that it stays sorted, and that dispatch finds the same
 * region as a search that tries them all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <hv/errno.h>
#include <hv/mmio.h>

/* A device that records its last access, and answers reads with its own address. */
static void *last_dev;
static struct mmio_access last;

static enum mmio_result record(void *dev, struct mmio_access *acc)
{
	last_dev = dev;
	last = *acc;
	acc->value = (u64)(uintptr_t)dev;
	return MMIO_OK;
}

static enum mmio_result refuse(void *dev, struct mmio_access *acc)
{
	(void)dev;
	(void)acc;
	return MMIO_FAULT;
}

static const struct mmio_ops recorder = { .name = "recorder", .access = record };
static const struct mmio_ops refuser = { .name = "refuser", .access = refuse };

static enum mmio_result at(const struct mmio_bus *bus, u64 addr, u8 width)
{
	struct mmio_access acc = { .width = width, .offset = 0xdead };

	last_dev = NULL;
	return mmio_access(bus, GPA(addr), &acc);
}

static void test_add_refusals(void **state)
{
	struct mmio_bus bus = { 0 };

	(void)state;
	assert_int_equal(mmio_add(&bus, GPA(0x1000), 0, &recorder, NULL), -EINVAL);
	assert_int_equal(mmio_add(&bus, GPA(~(u64)0xfff), 0x1001, &recorder, NULL), -EINVAL);
	assert_int_equal(mmio_add(&bus, GPA(0x1004), 0x100, &recorder, NULL), -EINVAL);
	assert_int_equal(bus.count, 0);

	assert_int_equal(mmio_add(&bus, GPA(0x1000), 0x100, &recorder, NULL), 0);
	assert_int_equal(mmio_add(&bus, GPA(0x1000), 0x100, &recorder, NULL), -EEXIST);
	assert_int_equal(mmio_add(&bus, GPA(0x10f8), 0x100, &recorder, NULL), -EEXIST);
	assert_int_equal(mmio_add(&bus, GPA(0xff8), 9, &recorder, NULL), -EEXIST);
	assert_int_equal(mmio_add(&bus, GPA(0), ~(u64)0, &recorder, NULL), -EEXIST);
	assert_int_equal(mmio_add(&bus, GPA(0x1010), 8, &recorder, NULL), -EEXIST);
	assert_int_equal(bus.count, 1);
	assert_int_equal(mmio_add(&bus, GPA(0x1100), 8, &recorder, NULL), 0);
	assert_int_equal(mmio_add(&bus, GPA(0xff8), 8, &recorder, NULL), 0);
}

static void test_add_full(void **state)
{
	struct mmio_bus bus = { 0 }, before;

	(void)state;
	for (u64 i = 0; i < MMIO_REGIONS; i++)
		assert_int_equal(mmio_add(&bus, GPA(i << 12), 0x1000, &recorder, NULL), 0);
	before = bus;
	assert_int_equal(mmio_add(&bus, GPA(GIB(1)), 8, &recorder, NULL), -ENOMEM);
	assert_int_equal(mmio_add(&bus, GPA(0), 8, &recorder, NULL), -EEXIST);
	assert_memory_equal(&bus, &before, sizeof(bus));
}

static void test_empty_bus(void **state)
{
	struct mmio_bus bus = { 0 };

	(void)state;
	assert_int_equal(at(&bus, 0, 1), MMIO_ABSENT);
	assert_int_equal(at(&bus, ~(u64)0, 1), MMIO_ABSENT);
	assert_int_equal(at(&bus, 0x1001, 8), MMIO_ABSENT);
}

static void test_dispatch(void **state)
{
	struct mmio_bus bus = { 0 };
	struct mmio_access acc = { .width = 4, .write = true, .value = 7, .vcpu = 3 };
	int dev;

	(void)state;
	assert_int_equal(mmio_add(&bus, GPA(0x2000), 0x1000, &refuser, NULL), 0);
	assert_int_equal(mmio_add(&bus, GPA(0x1000), 0x100, &recorder, &dev), 0);

	assert_int_equal(mmio_access(&bus, GPA(0x10fc), &acc), MMIO_OK);
	assert_ptr_equal(last_dev, &dev);
	assert_int_equal(last.offset, 0xfc);
	assert_int_equal(last.value, 7);
	assert_int_equal(last.vcpu, 3);
	assert_true(last.write);
	assert_int_equal(acc.value, (u64)(uintptr_t)&dev);

	assert_int_equal(at(&bus, 0x2000, 4), MMIO_FAULT);
	assert_int_equal(at(&bus, 0xff8, 8), MMIO_ABSENT);
	assert_int_equal(at(&bus, 0x1100, 1), MMIO_ABSENT);
	assert_int_equal(at(&bus, 0x3000, 1), MMIO_ABSENT);
}

static void test_misaligned_and_straddling(void **state)
{
	struct mmio_bus bus = { 0 };

	(void)state;
	assert_int_equal(mmio_add(&bus, GPA(0x1000), 0xc, &recorder, &bus), 0);
	for (u8 width = 2; width <= 8; width = (u8)(2 * width)) {
		assert_int_equal(at(&bus, 0x1000, width), MMIO_OK);
		assert_int_equal(at(&bus, 0x1001, width), MMIO_FAULT);
		assert_int_equal(at(&bus, 0xfff, width), MMIO_ABSENT);
		assert_null(last_dev);
	}
	/* Aligned, but the region ends after four of its eight bytes. */
	assert_int_equal(at(&bus, 0x1008, 8), MMIO_ABSENT);
	assert_null(last_dev);
	assert_int_equal(at(&bus, 0x1008, 4), MMIO_OK);
	/* A width that no instruction has is refused, not dispatched. */
	assert_int_equal(at(&bus, 0x1000, 16), MMIO_ABSENT);
}

static void test_ends_of_the_address_space(void **state)
{
	struct mmio_bus bus = { 0 };

	(void)state;
	assert_int_equal(mmio_add(&bus, GPA(0), 8, &recorder, &bus), 0);
	assert_int_equal(mmio_add(&bus, GPA(~(u64)7), 8, &recorder, &bus), 0);
	assert_int_equal(at(&bus, 0, 8), MMIO_OK);
	assert_int_equal(at(&bus, ~(u64)7, 8), MMIO_OK);
	assert_int_equal(at(&bus, ~(u64)0, 1), MMIO_OK);
	assert_int_equal(last.offset, 7);
	assert_int_equal(at(&bus, ~(u64)0, 8), MMIO_FAULT);
	assert_int_equal(at(&bus, 8, 1), MMIO_ABSENT);
}

static const struct mmio_region *by_hand(const struct mmio_bus *bus, u64 addr)
{
	for (u32 i = 0; i < bus->count; i++) {
		if (addr - bus->region[i].base < bus->region[i].size)
			return &bus->region[i];
	}
	return NULL;
}

static void check_one(const struct mmio_bus *bus, u64 addr, u8 width)
{
	const struct mmio_region *want = by_hand(bus, addr);
	enum mmio_result result = at(bus, addr, width);

	if (!want) {
		assert_int_equal(result, MMIO_ABSENT);
	} else if (addr % width) {
		assert_int_equal(result, MMIO_FAULT);
	} else if (want->size - (addr - want->base) < width) {
		assert_int_equal(result, MMIO_ABSENT);
	} else {
		assert_int_equal(result, MMIO_OK);
		assert_ptr_equal(last_dev, want->dev);
		assert_int_equal(last.offset, addr - want->base);
	}
}

/* Random buses of every size, each address space small enough that most probes hit an edge. */
static void test_random(void **state)
{
	(void)state;
	srandom(1);
	for (int round = 0; round < 300; round++) {
		struct mmio_bus bus = { 0 };
		int devs[200];

		for (int i = 0; i < round % 200; i++)
			(void)!mmio_add(&bus, GPA(random() % 512 * 8), (u64)random() % 64,
					&recorder, &devs[i]);
		for (u32 i = 1; i < bus.count; i++)
			assert_true(bus.region[i - 1].base + bus.region[i - 1].size <=
				    bus.region[i].base);
		for (int i = 0; i < 500; i++)
			check_one(&bus, (u64)random() % 4200, (u8)(1 << random() % 4));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add_refusals),
		cmocka_unit_test(test_add_full),
		cmocka_unit_test(test_empty_bus),
		cmocka_unit_test(test_dispatch),
		cmocka_unit_test(test_misaligned_and_straddling),
		cmocka_unit_test(test_ends_of_the_address_space),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
