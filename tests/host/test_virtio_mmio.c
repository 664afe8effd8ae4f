/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtio transport: every register, the status machine, refusals, resets that take their time,
 * and random accesses with invariants.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <hv/errno.h>
#include <hv/virtio.h>
#include "virtio_driver.h"

#define OWN (BIT(3) | VIRTIO_F_EVENT_IDX)
#define QUEUES 3
#define QUEUE_BASE RAM_BASE

static struct virtio_dev dev;
static struct virtio_queue queues[QUEUES];
static u32 resets, statuses, settled, notified[QUEUES], ready[QUEUES];
static u32 patience;		/* calls before a reset or a queue is done */
static bool more;		/* notify wants to be called again */
static u32 config_offset, config_width;
static u64 config_value;

static void config_write(void *ctx, u32 offset, u32 width, u64 value)
{
	assert_ptr_equal(ctx, queues);
	assert_true(spin_is_locked(&dev.lock));
	config_offset = offset;
	config_width = width;
	config_value = value;
	virtio_put_off(&dev);
}

static void status(void *ctx)
{
	assert_ptr_equal(ctx, queues);
	assert_true(spin_is_locked(&dev.lock));
	statuses++;
}

static bool queue(void *ctx, u32 n, bool is_ready)
{
	assert_ptr_equal(ctx, queues);
	assert_true(n < QUEUES && spin_is_locked(&dev.lock));
	if (patience) {
		patience--;
		return false;
	}
	ready[n] = is_ready;
	return true;
}

static bool reset(void *ctx)
{
	assert_ptr_equal(ctx, queues);
	assert_true(spin_is_locked(&dev.lock));
	assert_int_equal(virtio_status(&dev), 0);
	resets++;
	if (patience) {
		patience--;
		return false;
	}
	return true;
}

static bool notify(void *ctx, u32 n)
{
	assert_ptr_equal(ctx, queues);
	assert_false(spin_is_locked(&dev.lock));
	assert_true(n < QUEUES && queues[n].set.ready && virtio_running(&dev));
	notified[n]++;
	return more;
}

static void settle(void *ctx)
{
	assert_ptr_equal(ctx, queues);
	assert_false(spin_is_locked(&dev.lock));
	settled++;
}

static const struct virtio_ops ops = {
	.name = "test", .device_id = 42, .config_write = config_write, .status = status,
	.queue = queue, .reset = reset, .notify = notify, .settle = settle,
};

static const struct virtio_ops no_ops = { .name = "none", .device_id = 1 };

static void init(const struct virtio_ops *with)
{
	const struct virtio_params params = {
		.ops = with, .ctx = queues, .owner = "vm", .gmap = &driver_gmap,
		.irq = driver_irq, .features = OWN, .queues = QUEUES, .queue = queues,
	};

	memset(queues, 0, sizeof(queues));
	for (u32 i = 0; i < QUEUES; i++)
		queues[i].max = 8u << i;
	virtio_init(&dev, &params);
}

static int setup(void **state)
{
	(void)state;
	driver_memory_init();
	resets = statuses = settled = patience = 0;
	more = false;
	memset(notified, 0, sizeof(notified));
	memset(ready, 0, sizeof(ready));
	init(&ops);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	driver_memory_exit();
	return 0;
}

static u32 rd(u64 offset)
{
	return driver_read(&dev, offset);
}

static void wr(u64 offset, u32 value)
{
	driver_write(&dev, offset, value);
}

/* With all queues ready and DRIVER_OK. */
static void start(void)
{
	struct driver_queue driver;

	driver_start(&dev, OWN);
	for (u32 i = 0; i < QUEUES; i++) {
		driver_queue_init(&driver, i, QUEUE_BASE + 0x2000 * i, 8);
		driver_queue_set(&dev, &driver);
		assert_int_equal(rd(R_QUEUE_READY), 1);
	}
	driver_ok(&dev);
	assert_true(virtio_running(&dev));
}

static void test_identity(void **state)
{
	(void)state;
	assert_int_equal(rd(R_MAGIC), 0x74726976);
	assert_int_equal(rd(R_VERSION), 2);
	assert_int_equal(rd(R_DEVICE_ID), 42);
	assert_int_not_equal(rd(R_VENDOR), 0);
	assert_int_equal(rd(R_STATUS), 0);
	assert_int_equal(rd(R_INTERRUPT), 0);
	assert_int_equal(rd(R_GENERATION), 0);
	for (u32 i = 0; i < 3; i++) {
		wr(R_SHM_SEL, i);
		for (u32 offset = R_SHM_LEN; offset < R_QUEUE_RESET; offset += 4)
			assert_int_equal(rd(offset), UINT32_MAX);
	}
	wr(R_QUEUE_RESET, 1);
	assert_int_equal(rd(R_QUEUE_RESET), 0);
	for (u32 offset = 0; offset < 0x10; offset += 4) {
		u32 before = rd(offset);

		wr(offset, 0x12345678);
		assert_int_equal(rd(offset), before);
	}
}

static void test_features(void **state)
{
	(void)state;
	assert_int_equal(rd(R_DEVICE_FEATURES), (u32)OWN);
	wr(R_DEVICE_FEATURES_SEL, 1);
	assert_int_equal(rd(R_DEVICE_FEATURES), 1);
	wr(R_DEVICE_FEATURES_SEL, 2);
	assert_int_equal(rd(R_DEVICE_FEATURES), 0);
	wr(R_DEVICE_FEATURES_SEL, UINT32_MAX);
	assert_int_equal(rd(R_DEVICE_FEATURES), 0);
	driver_start(&dev, BIT(3));
	assert_true(virtio_accepted(&dev, BIT(3) | VIRTIO_F_VERSION_1));
	assert_false(virtio_accepted(&dev, BIT(3) | VIRTIO_F_EVENT_IDX));
	/* Agreed is agreed. */
	wr(R_DRIVER_FEATURES_SEL, 0);
	wr(R_DRIVER_FEATURES, (u32)OWN);
	assert_false(virtio_accepted(&dev, VIRTIO_F_EVENT_IDX));
}

static void try_features(u64 features, bool good)
{
	wr(R_STATUS, 0);
	wr(R_STATUS, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER);
	wr(R_DRIVER_FEATURES_SEL, 0);
	wr(R_DRIVER_FEATURES, (u32)features);
	wr(R_DRIVER_FEATURES_SEL, 1);
	wr(R_DRIVER_FEATURES, (u32)(features >> 32));
	wr(R_DRIVER_FEATURES_SEL, 2);
	wr(R_DRIVER_FEATURES, UINT32_MAX);
	wr(R_STATUS, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK);
	assert_int_equal(!!(rd(R_STATUS) & VIRTIO_FEATURES_OK), good);
	wr(R_STATUS, 0xf | VIRTIO_DRIVER_OK);
	assert_int_equal(!!(rd(R_STATUS) & VIRTIO_DRIVER_OK), good);
}

static void test_feature_refusals(void **state)
{
	(void)state;
	try_features(VIRTIO_F_VERSION_1, true);
	try_features(VIRTIO_F_VERSION_1 | OWN, true);
	try_features(OWN, false);
	try_features(0, false);
	for (u32 bit = 0; bit < 64; bit++)
		try_features(VIRTIO_F_VERSION_1 | BIT(bit),
			     ((OWN | VIRTIO_F_VERSION_1) >> bit) & 1);
}

static void test_status_bits_stay(void **state)
{
	(void)state;
	wr(R_STATUS, VIRTIO_ACKNOWLEDGE);
	wr(R_STATUS, VIRTIO_DRIVER);
	assert_int_equal(rd(R_STATUS), VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER);
	assert_int_equal(statuses, 2);
	wr(R_STATUS, VIRTIO_DRIVER | VIRTIO_NEEDS_RESET | 0x30);
	assert_int_equal(rd(R_STATUS), VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER);
	wr(R_STATUS, VIRTIO_FAILED);
	assert_int_equal(rd(R_STATUS), VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FAILED);
	wr(R_STATUS, 0xffffff00);
	assert_int_equal(rd(R_STATUS), 0);
	assert_int_equal(resets, 1);
}

static void test_queue_registers(void **state)
{
	struct virtio_queue_info info;

	(void)state;
	for (u32 i = 0; i < 5; i++) {
		wr(R_QUEUE_SEL, i);
		assert_int_equal(rd(R_QUEUE_NUM_MAX), i < QUEUES ? 8u << i : 0);
		assert_int_equal(rd(R_QUEUE_READY), 0);
		wr(R_QUEUE_READY, 1);
		assert_int_equal(rd(R_QUEUE_READY), 0);
	}
	start();
	assert_int_equal(virtio_queue_info(&dev, 1, &info), 0);
	assert_true(info.ready);
	assert_int_equal(info.num, 8);
	assert_int_equal(info.desc, QUEUE_BASE + 0x2000);
	assert_int_equal(info.driver, QUEUE_BASE + 0x2080);
	assert_int_equal(info.device, QUEUE_BASE + 0x2098);
	assert_int_equal(virtio_queue_info(&dev, QUEUES, &info), -EINVAL);
	/* What is ready stays as it is. */
	wr(R_QUEUE_SEL, 1);
	wr(R_QUEUE_NUM, 4);
	for (u32 offset = R_DESC; offset <= R_DEVICE + 4; offset += 4)
		wr(offset, 0xffff);
	assert_int_equal(virtio_queue_info(&dev, 1, &info), 0);
	assert_int_equal(info.num, 8);
	assert_int_equal(info.desc, QUEUE_BASE + 0x2000);
	assert_int_equal(info.device, QUEUE_BASE + 0x2098);
	wr(R_QUEUE_READY, 0);
	assert_int_equal(rd(R_QUEUE_READY), 0);
	assert_int_equal(ready[1], 0);
	wr(R_QUEUE_NUM, 4);
	wr(R_QUEUE_READY, 1);
	assert_int_equal(rd(R_QUEUE_READY), 1);
	assert_int_equal(virtio_status(&dev) & VIRTIO_NEEDS_RESET, 0);
}

/* Whatever is wrong with a queue: not ready, the device needs a reset, one line in the log. */
static void refuse_queue(u64 desc, u64 avail, u64 used, u32 num)
{
	const struct driver_queue driver = { .n = 0, .num = num, .desc = desc, .avail = avail,
					     .used = used };

	driver_start(&dev, 0);
	driver_logged = 0;
	driver_queue_set(&dev, &driver);
	assert_int_equal(rd(R_QUEUE_READY), 0);
	assert_true(rd(R_STATUS) & VIRTIO_NEEDS_RESET);
	assert_int_equal(driver_logged, 1);
	assert_int_equal(ready[0], 0);
	driver_ok(&dev);
	assert_false(virtio_running(&dev));
	driver_queue_set(&dev, &driver);
	assert_int_equal(rd(R_QUEUE_READY), 0);
	wr(R_NOTIFY, 0);
	assert_int_equal(driver_logged, 1);
}

static void test_queue_refusals(void **state)
{
	const u64 desc = RAM_BASE, avail = RAM_BASE + 0x1000, used = RAM_BASE + 0x2000;

	(void)state;
	refuse_queue(desc, avail, used, 0);
	refuse_queue(desc, avail, used, 3);
	refuse_queue(desc, avail, used, 16);
	refuse_queue(desc, avail, used, 0x10008);
	refuse_queue(desc, avail, used, UINT32_MAX);
	refuse_queue(desc + 8, avail, used, 8);
	refuse_queue(desc, avail + 1, used, 8);
	refuse_queue(desc, avail, used + 2, 8);
	refuse_queue(0, avail, used, 8);
	refuse_queue(RAM_END - 64, avail, used, 8);
	refuse_queue(desc, RAM_END - 2, used, 8);
	refuse_queue(desc, avail, RAM_END - 4, 8);
	refuse_queue(desc, avail, RAM_END, 8);	/* a device */
	refuse_queue(~(u64)0xf, avail, used, 8);
	refuse_queue(desc, ~(u64)1, used, 8);
	refuse_queue(desc, avail, ~(u64)3, 8);
	/* At the very end, and over the seam, it is fine. */
	driver_start(&dev, 0);
	driver_queue_set(&dev, &(struct driver_queue){
		.num = 8, .desc = RAM_END - 128, .avail = RAM_SEAM - 2, .used = RAM_SEAM - 4 });
	assert_int_equal(rd(R_QUEUE_READY), 1);
}

static void test_notify(void **state)
{
	u64 value = 0;

	(void)state;
	wr(R_NOTIFY, 0);
	start();
	wr(R_NOTIFY, 1);
	wr(R_NOTIFY, QUEUES);
	wr(R_NOTIFY, UINT32_MAX);
	assert_int_equal(notified[0], 0);
	assert_int_equal(notified[1], 1);
	more = true;
	assert_int_equal(driver_access(&dev, R_NOTIFY, 4, true, &value), MMIO_AGAIN);
	more = false;
	wr(R_NOTIFY, 0);
	assert_int_equal(notified[0], 2);
	wr(R_QUEUE_SEL, 0);
	wr(R_QUEUE_READY, 0);
	wr(R_NOTIFY, 0);
	virtio_lock(&dev);
	virtio_broken(&dev, 1, "test");
	virtio_unlock(&dev);
	wr(R_NOTIFY, 1);
	assert_int_equal(notified[0], 2);
	assert_int_equal(notified[1], 1);
}

static void test_interrupts(void **state)
{
	(void)state;
	virtio_interrupt(&dev, true);
	assert_false(driver_wire);
	start();
	virtio_interrupt(&dev, true);
	assert_true(driver_wire);
	assert_int_equal(rd(R_INTERRUPT), 1);
	virtio_interrupt(&dev, false);
	virtio_interrupt(&dev, true);
	assert_int_equal(rd(R_INTERRUPT), 3);
	assert_int_equal(driver_edges, 1);
	wr(R_ACK, 1);
	assert_true(driver_wire);
	assert_int_equal(rd(R_INTERRUPT), 2);
	wr(R_ACK, UINT32_MAX);
	assert_false(driver_wire);
	virtio_interrupt(&dev, true);
	wr(R_STATUS, 0);
	assert_false(driver_wire);
	assert_int_equal(rd(R_INTERRUPT), 0);
}

static u32 pulses;

static void count_pulse(void *chip, u32 source)
{
	(void)chip;
	(void)source;
	pulses++;
}

/* Told of edges, the guest hears of each bit that it has not seen, whatever is still set. */
static void test_edges(void **state)
{
	static const struct irqchip_ops chip = { .name = "edges", .pulse = count_pulse };

	(void)state;
	dev.irq = (struct irq_line){ .ops = &chip, .source = 1, .edge = true };
	pulses = 0;
	start();
	virtio_interrupt(&dev, true);
	assert_int_equal(pulses, 1);
	virtio_interrupt(&dev, true);
	assert_int_equal(pulses, 1);
	virtio_interrupt(&dev, false);
	assert_int_equal(pulses, 2);
	wr(R_ACK, 1);
	virtio_interrupt(&dev, true);
	assert_int_equal(pulses, 3);
	wr(R_ACK, UINT32_MAX);
	assert_int_equal(pulses, 3);
}

static void test_broken(void **state)
{
	(void)state;
	start();
	virtio_lock(&dev);
	virtio_broken(&dev, 2, "test");
	virtio_broken(&dev, 1, "again");
	virtio_unlock(&dev);
	assert_true(rd(R_STATUS) & VIRTIO_NEEDS_RESET);
	assert_int_equal(rd(R_INTERRUPT), 2);
	assert_int_equal(driver_logged, 1);
	wr(R_STATUS, VIRTIO_DRIVER_OK);
	assert_true(rd(R_STATUS) & VIRTIO_NEEDS_RESET);
	start();
	assert_int_equal(driver_logged, 1);
}

/* A reset that waits for somebody: the driver sees its old status, and nothing else happens. */
static void test_slow_reset(void **state)
{
	u64 zero = 0, one = 1;

	(void)state;
	start();
	virtio_interrupt(&dev, true);
	patience = 3;
	assert_int_equal(driver_access(&dev, R_STATUS, 4, true, &zero), MMIO_AGAIN);
	assert_int_equal(rd(R_STATUS), 0xf);
	assert_int_equal(virtio_status(&dev), 0);
	assert_false(virtio_running(&dev));
	wr(R_NOTIFY, 0);
	assert_int_equal(notified[0], 0);
	assert_int_equal(driver_access(&dev, R_QUEUE_SEL, 4, true, &one), MMIO_AGAIN);
	assert_false(virtio_reset(&dev));
	wr(R_QUEUE_SEL, 1);
	assert_int_equal(rd(R_STATUS), 0);
	assert_int_equal(rd(R_QUEUE_NUM_MAX), 16);
	assert_int_equal(rd(R_QUEUE_READY), 0);
	assert_false(driver_wire);
	assert_int_equal(resets, 5);
}

static void test_slow_queue(void **state)
{
	u64 zero = 0;

	(void)state;
	start();
	wr(R_QUEUE_SEL, 2);
	patience = 2;
	assert_int_equal(driver_access(&dev, R_QUEUE_READY, 4, true, &zero), MMIO_AGAIN);
	assert_int_equal(rd(R_QUEUE_READY), 1);
	assert_int_equal(driver_access(&dev, R_QUEUE_READY, 4, true, &zero), MMIO_AGAIN);
	wr(R_QUEUE_READY, 0);
	assert_int_equal(rd(R_QUEUE_READY), 0);
}

static void test_config(void **state)
{
	const u8 bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	u32 generation = rd(R_GENERATION);
	u64 value = 0;

	(void)state;
	virtio_config_set(&dev, 0, bytes, sizeof(bytes));
	assert_int_not_equal(rd(R_GENERATION), generation);
	assert_int_equal(driver_access(&dev, R_CONFIG + 3, 1, false, &value), MMIO_OK);
	assert_int_equal(value, 4);
	assert_int_equal(driver_access(&dev, R_CONFIG + 6, 2, false, &value), MMIO_OK);
	assert_int_equal(value, 0x0807);
	assert_int_equal(rd(R_CONFIG + 4), 0x08070605);
	assert_int_equal(driver_access(&dev, R_CONFIG, 8, false, &value), MMIO_OK);
	assert_int_equal(value, 0x0807060504030201);
	virtio_config_set(&dev, VIRTIO_CONFIG_SIZE - 4, bytes, 4);
	assert_int_equal(rd(0xffc), 0x04030201);
	generation = rd(R_GENERATION);
	virtio_config_set(&dev, VIRTIO_CONFIG_SIZE - 4, bytes, 5);
	virtio_config_set(&dev, UINT32_MAX, bytes, 4);
	assert_int_equal(rd(R_GENERATION), generation);
	value = 0xa5;
	assert_int_equal(driver_access(&dev, R_CONFIG + 9, 1, true, &value), MMIO_OK);
	assert_int_equal(config_offset, 9);
	assert_int_equal(config_width, 1);
	assert_int_equal(config_value, 0xa5);
	assert_int_equal(settled, 1);
}

static void test_widths(void **state)
{
	u64 value = 1;

	(void)state;
	for (u64 offset = 0; offset < R_CONFIG; offset += 8) {
		assert_int_equal(driver_access(&dev, offset, 1, true, &value), MMIO_FAULT);
		assert_int_equal(driver_access(&dev, offset, 2, true, &value), MMIO_FAULT);
		assert_int_equal(driver_access(&dev, offset, 8, true, &value), MMIO_FAULT);
	}
	assert_int_equal(driver_access(&dev, 0x1000, 4, false, &value), MMIO_FAULT);
	assert_int_equal(driver_access(&dev, 0x1000, 4, true, &value), MMIO_FAULT);
	assert_int_equal(driver_access(&dev, (u64)1 << 40, 4, false, &value), MMIO_FAULT);
	value = 0;
	assert_int_equal(driver_access(&dev, R_MAGIC, 1, false, &value), MMIO_OK);
	assert_int_equal(value, 'v');
}

static void test_device_without_ops(void **state)
{
	(void)state;
	init(&no_ops);
	start();
	wr(R_NOTIFY, 0);
	wr(R_CONFIG, 1);
	wr(R_QUEUE_READY, 0);
	wr(R_STATUS, 0);
	assert_int_equal(rd(R_STATUS), 0);
}

/* ---- Random accesses ---- */

static void check_invariants(void)
{
	u32 shown = rd(R_STATUS), now = virtio_status(&dev), sel = dev.queue_sel;

	assert_int_equal(rd(R_MAGIC), 0x74726976);
	assert_true(dev.resetting || shown == now);
	assert_int_equal(driver_wire, rd(R_INTERRUPT) != 0);
	if (now & VIRTIO_DRIVER_OK)
		assert_true(now & VIRTIO_FEATURES_OK);
	if (now & VIRTIO_FEATURES_OK) {
		assert_true(virtio_accepted(&dev, VIRTIO_F_VERSION_1));
		assert_int_equal(dev.accepted & ~(OWN | VIRTIO_F_VERSION_1), 0);
	}
	assert_int_equal(rd(R_QUEUE_READY), sel < QUEUES && queues[sel].set.ready);
	for (u32 i = 0; i < QUEUES; i++) {
		const struct virtio_queue_info *set = &queues[i].set;

		if (!set->ready)
			continue;
		assert_true(set->num && set->num <= queues[i].max);
		assert_true(gmap_is_ram(&driver_gmap, GPA(set->desc), 16 * set->num));
		assert_true(gmap_is_ram(&driver_gmap, GPA(set->device), 6 + 8 * set->num));
	}
}

static u64 random_value(u64 offset)
{
	static const u32 values[] = {
		0, 1, 2, 3, 4, 7, 8, 0xf, 0x80, 0x1000, 0x80000000, 0x80001000, 0x801ffff0,
		0x80200000, 0xffffffff, (u32)OWN,
	};

	if (offset == R_STATUS && rand() % 8)
		return (u64)(rand() % 3 ? 0xb : 0xf);
	return values[(u32)rand() % ARRAY_SIZE(values)];
}

static void test_random_accesses(void **state)
{
	static const u8 widths[] = { 4, 4, 4, 4, 1, 2, 8 };

	(void)state;
	srand(2);
	for (u32 i = 0; i < 200000; i++) {
		u8 width = widths[(u32)rand() % ARRAY_SIZE(widths)];
		u64 offset = ALIGN_DOWN((u64)rand() % (rand() % 8 ? 0x110 : 0x1010), (u64)width);
		u64 value = random_value(offset);

		if (!(rand() & 63))
			patience = (u32)rand() % 3;
		more = !(rand() & 7);
		(void)!driver_access(&dev, offset, width, rand() & 3, &value);
		if (!(rand() & 15))
			virtio_interrupt(&dev, rand() & 1);
		check_invariants();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_identity, setup, teardown),
		cmocka_unit_test_setup_teardown(test_features, setup, teardown),
		cmocka_unit_test_setup_teardown(test_feature_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_status_bits_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(test_queue_registers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_queue_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_notify, setup, teardown),
		cmocka_unit_test_setup_teardown(test_interrupts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_edges, setup, teardown),
		cmocka_unit_test_setup_teardown(test_broken, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slow_reset, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slow_queue, setup, teardown),
		cmocka_unit_test_setup_teardown(test_config, setup, teardown),
		cmocka_unit_test_setup_teardown(test_widths, setup, teardown),
		cmocka_unit_test_setup_teardown(test_device_without_ops, setup, teardown),
		cmocka_unit_test_setup_teardown(test_random_accesses, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
