/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A device that the MVM serves, as its driver sees it and as the MVM does: absent until it is set
 * up, events for what the driver does, and a reset that waits until the MVM has let go.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <hv/check.h>
#include <hv/errno.h>
#include <hv/events.h>
#include <hv/gmap.h>
#include <hv/log.h>
#include <hv/string.h>
#include <hv/virtio_remote.h>

/* Registers of virtio-mmio, section 4.2.2. */
#define DEVICE_ID 0x008
#define DEVICE_FEATURES 0x010
#define DEVICE_FEATURES_SEL 0x014
#define DRIVER_FEATURES 0x020
#define DRIVER_FEATURES_SEL 0x024
#define QUEUE_SEL 0x030
#define QUEUE_NUM_MAX 0x034
#define QUEUE_NUM 0x038
#define QUEUE_READY 0x044
#define QUEUE_NOTIFY 0x050
#define INTERRUPT_STATUS 0x060
#define STATUS 0x070
#define QUEUE_DESC 0x080
#define QUEUE_DRIVER 0x090
#define QUEUE_DEVICE 0x0a0
#define CONFIG 0x100

#define VM 3
#define NUMBER 2

static struct virtio_remote remote;
static struct gmap gmap;
static u32 doorbells, rung, changes;
static bool level;

/* What the device is linked to: memory that is all RAM below 1 MiB, events, a log, a wire. */
bool gmap_is_ram(const struct gmap *map, gpa_t gpa, u64 len)
{
	(void)map;
	return len == 0 || range_inside(gpa.v, len, 0, MIB(1));
}

void events_doorbell(u32 id, u32 device, u32 queue)
{
	assert_int_equal(id, VM);
	assert_int_equal(device, NUMBER);
	doorbells++;
	rung = queue;
}

void events_device(u32 id, u32 device)
{
	assert_int_equal(id, VM);
	assert_int_equal(device, NUMBER);
	changes++;
}

void virtio_complain(struct virtio_dev *of, u32 n, const char *why)
{
	(void)of;
	(void)n;
	(void)why;
}

void panic(const char *fmt, ...)
{
	fail_msg("%s", fmt);
	__builtin_trap();
}

static void set_line(void *chip, u32 source, bool high)
{
	(void)chip;
	assert_int_equal(source, 7);
	level = high;
}

static const struct irqchip_ops chip = { .name = "test", .set_line = set_line };

static enum mmio_result touch(bool write, u64 offset, u64 value, u64 *out)
{
	struct mmio_access access = {
		.offset = offset, .width = 4, .write = write, .value = value,
	};
	enum mmio_result result = virtio_mmio_ops.access(&remote.dev, &access);

	if (out)
		*out = access.value;
	return result;
}

static u32 rd(u64 offset)
{
	u64 value = 0;

	assert_int_equal(touch(false, offset, 0, &value), MMIO_OK);
	return (u32)value;
}

static void wr(u64 offset, u32 value)
{
	assert_int_equal(touch(true, offset, value, NULL), MMIO_OK);
}

static const struct shyper_device_setup disk = {
	.device_id = VIRTIO_ID_BLOCK, .queues = 2, .queue_size = 256, .config_size = 8,
	.features = BIT(9) | VIRTIO_F_EVENT_IDX, .config = { 0x78, 0x56, 0x34, 0x12 },
};

static int fresh(void **state)
{
	struct irq_line irq = { .ops = &chip, .source = 7 };

	(void)state;
	doorbells = changes = 0;
	level = false;
	virtio_remote_init(&remote, VM, NUMBER, "test", &gmap, &irq);
	return 0;
}

static void drive(void)
{
	wr(STATUS, 0);
	wr(STATUS, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER);
	wr(DRIVER_FEATURES_SEL, 1);
	wr(DRIVER_FEATURES, 1);
	wr(DRIVER_FEATURES_SEL, 0);
	wr(DRIVER_FEATURES, 1 << 9);
	wr(STATUS, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK);
	assert_true(rd(STATUS) & VIRTIO_FEATURES_OK);
	wr(QUEUE_SEL, 1);
	wr(QUEUE_NUM, 64);
	wr(QUEUE_DESC, 0x1000);
	wr(QUEUE_DRIVER, 0x2000);
	wr(QUEUE_DEVICE, 0x3000);
	wr(QUEUE_READY, 1);
	wr(STATUS, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK);
}

static void absent_until_set_up(void **state)
{
	(void)state;
	assert_int_equal(rd(DEVICE_ID), 0);
	assert_int_equal(virtio_remote_setup(&remote, &disk), 0);
	assert_int_equal(rd(DEVICE_ID), VIRTIO_ID_BLOCK);
	assert_int_equal(rd(CONFIG), 0x12345678);
	wr(QUEUE_SEL, 1);
	assert_int_equal(rd(QUEUE_NUM_MAX), 256);
	wr(QUEUE_SEL, 2);
	assert_int_equal(rd(QUEUE_NUM_MAX), 0);
}

static void absent_again(void **state)
{
	const struct shyper_device_setup nothing = { .device_id = 0 };

	(void)state;
	assert_int_equal(virtio_remote_setup(&remote, &disk), 0);
	assert_int_equal(virtio_remote_setup(&remote, &nothing), 0);
	assert_int_equal(rd(DEVICE_ID), 0);
	assert_int_equal(rd(QUEUE_NUM_MAX), 0);
}

static void setup_refuses(void **state)
{
	static const struct {
		u32 id, queues, size, config;
		u64 features;
	} bad[] = {
		{ 0, 1, 64, 0, 0 },	      { 2, 0, 64, 0, 0 },
		{ 2, SHYPER_DEVICE_QUEUES + 1, 64, 0, 0 },
		{ 2, 1, 0, 0, 0 },	      { 2, 1, 65, 0, 0 },
		{ 2, 1, 2048, 0, 0 },	      { 2, 1, 64, SHYPER_DEVICE_CONFIG + 1, 0 },
		{ 2, 1, 64, 0, BIT(24) },     { 2, 1, 64, 0, BIT(33) },
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		struct shyper_device_setup setup = {
			.device_id = bad[i].id, .queues = bad[i].queues,
			.queue_size = bad[i].size, .config_size = bad[i].config,
			.features = bad[i].features,
		};

		assert_int_equal(virtio_remote_setup(&remote, &setup), -EINVAL);
		assert_int_equal(rd(DEVICE_ID), 0);
	}
}

static void mvm_learns_of_the_driver(void **state)
{
	struct shyper_device_info info;

	(void)state;
	assert_int_equal(virtio_remote_setup(&remote, &disk), 0);
	drive();
	assert_true(changes > 0);
	virtio_remote_info(&remote, &info);
	assert_true(info.status & VIRTIO_DRIVER_OK);
	assert_int_equal(info.features, BIT(9) | VIRTIO_F_VERSION_1);
	assert_int_equal(info.queue[0].ready, 0);
	assert_int_equal(info.queue[1].ready, 1);
	assert_int_equal(info.queue[1].num, 64);
	assert_int_equal(info.queue[1].desc, 0x1000);
	assert_int_equal(info.queue[1].driver, 0x2000);
	assert_int_equal(info.queue[1].device, 0x3000);
	assert_int_equal(info.queue[2].num, 0);
	assert_int_equal(doorbells, 0);
	wr(QUEUE_NOTIFY, 1);
	assert_int_equal(doorbells, 1);
	assert_int_equal(rung, 1);
	wr(QUEUE_NOTIFY, 0);	/* not ready: nobody need look */
	assert_int_equal(doorbells, 1);
}

static void interrupts_reach_the_driver(void **state)
{
	const struct shyper_device_setup nothing = { .device_id = 0 };

	(void)state;
	assert_int_equal(virtio_remote_setup(&remote, &disk), 0);
	virtio_interrupt(&remote.dev, true);
	assert_false(level);	/* nobody is there */
	drive();
	virtio_interrupt(&remote.dev, true);
	assert_true(level);
	assert_int_equal(rd(INTERRUPT_STATUS), 1);
	/* Another device in its place signals nothing, and can again. */
	assert_int_equal(virtio_remote_setup(&remote, &nothing), 0);
	assert_false(level);
	assert_int_equal(virtio_remote_setup(&remote, &disk), 0);
	drive();
	virtio_interrupt(&remote.dev, true);
	assert_true(level);
}

static void reset_waits_for_the_mvm(void **state)
{
	struct shyper_device_info info;

	(void)state;
	assert_int_equal(virtio_remote_setup(&remote, &disk), 0);
	drive();
	changes = 0;
	assert_int_equal(touch(true, STATUS, 0, NULL), MMIO_AGAIN);
	assert_true(changes > 0);
	virtio_remote_info(&remote, &info);
	assert_int_equal(info.resetting, 1);
	assert_int_equal(touch(true, STATUS, 0, NULL), MMIO_AGAIN);
	virtio_remote_reset_done(&remote);
	assert_int_equal(touch(true, STATUS, 0, NULL), MMIO_OK);
	assert_int_equal(rd(STATUS), 0);
	virtio_remote_info(&remote, &info);
	assert_int_equal(info.resetting, 0);
	drive();		/* and may be driven anew */
}

static void reset_done_out_of_turn_is_nothing(void **state)
{
	(void)state;
	assert_int_equal(virtio_remote_setup(&remote, &disk), 0);
	drive();
	virtio_remote_reset_done(&remote);
	assert_int_equal(touch(true, STATUS, 0, NULL), MMIO_AGAIN);
}

static void restart_does_not_wait(void **state)
{
	(void)state;
	assert_int_equal(virtio_remote_setup(&remote, &disk), 0);
	drive();
	virtio_remote_restart(&remote);
	assert_int_equal(rd(STATUS), 0);
	assert_int_equal(rd(DEVICE_ID), VIRTIO_ID_BLOCK);
	assert_int_equal(rd(CONFIG), 0x12345678);
}

static void abandoned_is_broken(void **state)
{
	(void)state;
	assert_int_equal(virtio_remote_setup(&remote, &disk), 0);
	drive();
	changes = 0;
	virtio_remote_abandon(&remote);
	assert_true(rd(STATUS) & VIRTIO_NEEDS_RESET);
	assert_true(level);
	assert_int_equal(rd(INTERRUPT_STATUS), 2);
	wr(QUEUE_NOTIFY, 1);
	drive();		/* its reset waits for nobody, and does not help */
	assert_true(rd(STATUS) & VIRTIO_NEEDS_RESET);
	assert_int_equal(doorbells, 0);
	assert_int_equal(changes, 0);
}

static void abandoned_before_its_driver_came(void **state)
{
	(void)state;
	assert_int_equal(virtio_remote_setup(&remote, &disk), 0);
	virtio_remote_abandon(&remote);
	assert_int_equal(rd(STATUS), 0);
	assert_false(level);
	drive();
	assert_true(rd(STATUS) & VIRTIO_NEEDS_RESET);
}

static void abandoned_during_a_reset(void **state)
{
	(void)state;
	assert_int_equal(virtio_remote_setup(&remote, &disk), 0);
	drive();
	assert_int_equal(touch(true, STATUS, 0, NULL), MMIO_AGAIN);
	virtio_remote_abandon(&remote);
	assert_int_equal(touch(true, STATUS, 0, NULL), MMIO_OK);
	assert_int_equal(rd(STATUS), 0);
}

static void abandoned_is_absent_at_the_next_boot(void **state)
{
	(void)state;
	assert_int_equal(virtio_remote_setup(&remote, &disk), 0);
	drive();
	virtio_remote_abandon(&remote);
	virtio_remote_restart(&remote);
	assert_int_equal(rd(DEVICE_ID), 0);
	assert_int_equal(rd(STATUS), 0);
	assert_int_equal(virtio_remote_setup(&remote, &disk), 0);
	drive();
	assert_false(rd(STATUS) & VIRTIO_NEEDS_RESET);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(absent_until_set_up, fresh),
		cmocka_unit_test_setup(absent_again, fresh),
		cmocka_unit_test_setup(setup_refuses, fresh),
		cmocka_unit_test_setup(mvm_learns_of_the_driver, fresh),
		cmocka_unit_test_setup(interrupts_reach_the_driver, fresh),
		cmocka_unit_test_setup(reset_waits_for_the_mvm, fresh),
		cmocka_unit_test_setup(reset_done_out_of_turn_is_nothing, fresh),
		cmocka_unit_test_setup(restart_does_not_wait, fresh),
		cmocka_unit_test_setup(abandoned_is_broken, fresh),
		cmocka_unit_test_setup(abandoned_before_its_driver_came, fresh),
		cmocka_unit_test_setup(abandoned_during_a_reset, fresh),
		cmocka_unit_test_setup(abandoned_is_absent_at_the_next_boot, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
