/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts of a virtio device under races: they are raised and acknowledged without a lock, by
 * several harts at a time. Device threads raise one kind each and wait until it was handled; driver
 * threads look at the wire, read the page as a guest does, and acknowledge what they saw. A wire
 * that stays low or a page that shows nothing hangs the test, and its alarm ends it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <hv/virtio.h>
#include "virtio_driver.h"

#define ROUNDS 100000
#define KINDS 2		/* buffers were used, configuration changed */
#define DRIVERS 2

static struct virtio_dev dev;
static struct virtio_queue queue = { .max = 8 };
static u32 wire;
static u32 asked[KINDS];
static u32 finished;

static void set_line(void *chip, u32 source, bool level)
{
	(void)chip;
	(void)source;
	__atomic_store_n(&wire, level, __ATOMIC_SEQ_CST);
}

static const struct irqchip_ops chip = { .name = "wire", .set_line = set_line };
static const struct virtio_ops ops = { .name = "race", .device_id = 42 };

static void *device(void *arg)
{
	u32 kind = (u32)(uintptr_t)arg;

	for (u32 round = 0; round < ROUNDS; round++) {
		__atomic_store_n(&asked[kind], 1, __ATOMIC_RELEASE);
		virtio_interrupt(&dev, kind == 0);
		while (__atomic_load_n(&asked[kind], __ATOMIC_ACQUIRE))
			sched_yield();
	}
	return NULL;
}

static u32 shown(void)
{
	return __atomic_load_n((const u32 *)(const void *)&dev.page[R_INTERRUPT], __ATOMIC_ACQUIRE);
}

static void handle(u32 interrupts)
{
	driver_write(&dev, R_ACK, interrupts);
	for (u32 kind = 0; kind < KINDS; kind++)
		if (interrupts & BIT(kind))
			__atomic_store_n(&asked[kind], 0, __ATOMIC_RELEASE);
}

static void *driver(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&finished, __ATOMIC_ACQUIRE)) {
		u32 interrupts = __atomic_load_n(&wire, __ATOMIC_SEQ_CST) ? shown() : 0;

		if (interrupts)
			handle(interrupts);
		else
			sched_yield();
	}
	return NULL;
}

static void run_threads(void)
{
	pthread_t drivers[DRIVERS], devices[KINDS];

	for (u32 i = 0; i < DRIVERS; i++)
		assert_int_equal(pthread_create(&drivers[i], NULL, driver, NULL), 0);
	for (uintptr_t i = 0; i < KINDS; i++)
		assert_int_equal(pthread_create(&devices[i], NULL, device, (void *)i), 0);
	for (u32 i = 0; i < KINDS; i++)
		pthread_join(devices[i], NULL);
	__atomic_store_n(&finished, 1, __ATOMIC_RELEASE);
	for (u32 i = 0; i < DRIVERS; i++)
		pthread_join(drivers[i], NULL);
}

static void test_threads(void **state)
{
	const struct virtio_params params = {
		.ops = &ops, .owner = "vm", .gmap = &driver_gmap, .queues = 1, .queue = &queue,
		.irq = { .ops = &chip, .chip = &wire, .source = 1 },
	};

	(void)state;
	driver_memory_init();
	virtio_init(&dev, &params);
	driver_start(&dev, 0);
	driver_ok(&dev);
	alarm(120);
	run_threads();
	alarm(0);
	assert_int_equal(shown(), dev.interrupts);
	assert_int_equal(wire, dev.interrupts != 0);
	driver_write(&dev, R_STATUS, 0);
	assert_int_equal(wire | shown(), 0);
	driver_memory_exit();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
