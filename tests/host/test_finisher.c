/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's test finisher: its three events, and that nothing else is one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include <hv/finisher.h>

static struct finisher finisher;
static u32 events;
static enum finisher_event last_event;
static u32 last_code;

static void event(void *ctx, enum finisher_event what, u32 code)
{
	assert_ptr_equal(ctx, &events);
	events++;
	last_event = what;
	last_code = code;
}

static int setup(void **state)
{
	(void)state;
	events = 0;
	finisher_init(&finisher, event, &events);
	return 0;
}

static void wr(u64 offset, u8 width, u64 value)
{
	struct mmio_access acc = {
		.offset = offset, .width = width, .value = value, .write = true,
	};

	assert_int_equal(finisher_mmio_ops.access(&finisher, &acc), MMIO_OK);
}

static void test_events(void **state)
{
	(void)state;
	wr(0, 4, 0x5555);
	assert_int_equal(events, 1);
	assert_int_equal(last_event, FINISHER_PASS);
	assert_int_equal(last_code, 0);
	wr(0, 4, 0xfffe3333);
	assert_int_equal(events, 2);
	assert_int_equal(last_event, FINISHER_FAIL);
	assert_int_equal(last_code, 0xfffe);
	wr(0, 2, 0x3333);
	assert_int_equal(events, 3);
	assert_int_equal(last_code, 0);
	wr(0, 2, 0x7777);
	assert_int_equal(events, 4);
	assert_int_equal(last_event, FINISHER_RESET);
}

static void test_ignored(void **state)
{
	(void)state;
	wr(0, 1, 0x55);
	wr(0, 8, 0x5555);
	wr(4, 4, 0x5555);
	wr(2, 2, 0x3333);
	wr(0, 4, 0);
	wr(0, 4, 0x55550000);
	wr(0, 4, 0x5554);
	wr(FINISHER_SIZE - 4, 4, 0x7777);
	assert_int_equal(events, 0);
}

static void test_reads(void **state)
{
	(void)state;
	for (u8 width = 1; width <= 8; width = (u8)(2 * width)) {
		for (u64 offset = 0; offset < FINISHER_SIZE; offset += width) {
			struct mmio_access acc = { .offset = offset, .width = width, .value = 1 };

			assert_int_equal(finisher_mmio_ops.access(&finisher, &acc), MMIO_OK);
			assert_int_equal(acc.value, 0);
		}
	}
	assert_int_equal(events, 0);
}

static void test_random(void **state)
{
	const u32 magic[] = { 0x5555, 0x3333, 0x7777, 0x5535 };

	(void)state;
	srandom(4);
	for (u32 i = 0; i < 100000; i++) {
		u8 width = (u8)(1 << random() % 4);
		u64 offset = (u64)random() % 32 / width * width;
		u32 low = magic[random() % 4], code = (u32)random() & 0xffff;
		u32 before = events;
		bool hit = offset == 0 && (width == 2 || width == 4) && low != 0x5535;

		wr(offset, width, width == 2 ? low : low | (u64)code << 16);
		assert_int_equal(events - before, hit);
		if (hit)
			assert_int_equal(last_code, width == 2 ? 0 : code);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_events, setup),
		cmocka_unit_test_setup(test_ignored, setup),
		cmocka_unit_test_setup(test_reads, setup),
		cmocka_unit_test_setup(test_random, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
