/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's clock: time, alarm and interrupt against a host clock that the test turns by hand,
 * refusals, and random accesses with invariants.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include <hv/rtc_goldfish.h>

enum {
	TIME_LOW = 0x00,
	TIME_HIGH = 0x04,
	ALARM_LOW = 0x08,
	ALARM_HIGH = 0x0c,
	IRQ_ENABLED = 0x10,
	CLEAR_ALARM = 0x14,
	ALARM_STATUS = 0x18,
	CLEAR_INTERRUPT = 0x1c,
};

static struct rtc_goldfish rtc;
static u64 host;	/* the host's time, ns */
static u64 deadline;	/* 0: disarmed */
static bool wire;

static u64 now_ns(void *ctx)
{
	assert_ptr_equal(ctx, &host);
	return host;
}

static void arm(void *ctx, u64 when)
{
	assert_ptr_equal(ctx, &host);
	assert_true(spin_is_locked(&rtc.lock));
	deadline = when;
}

static void disarm(void *ctx)
{
	assert_ptr_equal(ctx, &host);
	deadline = 0;
}

static void set_line(void *chip, u32 source, bool level)
{
	assert_ptr_equal(chip, &wire);
	assert_int_equal(source, 11);
	assert_int_not_equal(level, wire);
	wire = level;
}

static const struct rtc_goldfish_hooks hooks = { now_ns, arm, disarm };
static const struct irqchip_ops chip = { .name = "wire", .set_line = set_line };
static const struct irq_line irq = { .ops = &chip, .chip = &wire, .source = 11 };

static u32 rd(u64 reg)
{
	struct mmio_access acc = { .offset = reg, .width = 4, .value = ~(u64)0 };

	assert_int_equal(rtc_goldfish_mmio_ops.access(&rtc, &acc), MMIO_OK);
	assert_int_equal(acc.value >> 32, 0);
	return (u32)acc.value;
}

static void wr(u64 reg, u64 value)
{
	struct mmio_access acc = { .offset = reg, .width = 4, .value = (u32)value, .write = true };

	assert_int_equal(rtc_goldfish_mmio_ops.access(&rtc, &acc), MMIO_OK);
}

static u64 get_time(void)
{
	u64 low = rd(TIME_LOW);

	return low | (u64)rd(TIME_HIGH) << 32;
}

static void set_time(u64 ns)
{
	wr(TIME_HIGH, ns >> 32);
	wr(TIME_LOW, ns);
}

static void set_alarm(u64 ns)
{
	wr(ALARM_HIGH, ns >> 32);
	wr(ALARM_LOW, ns);
}

/* The host's timer: time passes, and the deadline comes when it is reached. */
static void pass(u64 ns)
{
	host += ns;
	if (deadline && host >= deadline) {
		deadline = 0;
		rtc_goldfish_alarm(&rtc);
	}
}

static int setup(void **state)
{
	(void)state;
	host = 0x18000000ffffff00;
	deadline = 0;
	wire = false;
	rtc_goldfish_init(&rtc, &irq, &hooks, &host);
	return 0;
}

static void test_time(void **state)
{
	u32 low;

	(void)state;
	assert_int_equal(get_time(), host);
	/* The high half is the one of the moment when the low half was read. */
	low = rd(TIME_LOW);
	pass(0x1000);
	assert_int_equal(low | (u64)rd(TIME_HIGH) << 32, host - 0x1000);
	assert_int_equal(get_time(), host);

	set_time(0x123456789abcdef0);
	assert_int_equal(get_time(), 0x123456789abcdef0);
	pass(0x70000000);
	assert_int_equal(get_time(), 0x12345678 * ((u64)1 << 32) + 0x9abcdef0 + 0x70000000);
	set_time(~(u64)0);
	pass(2);
	assert_int_equal(get_time(), 1);
}

static void test_alarm(void **state)
{
	(void)state;
	wr(IRQ_ENABLED, 0xfffffffe);
	assert_int_equal(rd(IRQ_ENABLED), 0);
	wr(IRQ_ENABLED, 1);
	assert_int_equal(rd(IRQ_ENABLED), 1);
	set_alarm(host + 1000);
	assert_int_equal(rd(ALARM_STATUS), 1);
	assert_int_equal(rd(ALARM_LOW), (u32)(host + 1000));
	assert_int_equal(rd(ALARM_HIGH), (host + 1000) >> 32);
	assert_int_equal(deadline, host + 1000);
	pass(999);
	assert_false(wire);
	pass(1);
	assert_true(wire);
	assert_int_equal(rd(ALARM_STATUS), 0);
	wr(CLEAR_INTERRUPT, 0);
	assert_false(wire);
	pass(1000);
	assert_false(wire);
}

static void test_alarm_in_the_past(void **state)
{
	(void)state;
	set_alarm(host);
	assert_int_equal(rd(ALARM_STATUS), 0);
	assert_false(wire);
	wr(IRQ_ENABLED, 1);	/* it waited for this */
	assert_true(wire);
	wr(IRQ_ENABLED, 0);
	assert_false(wire);
	wr(IRQ_ENABLED, 1);
	wr(CLEAR_ALARM, 1);	/* clears alarms, not interrupts */
	assert_true(wire);
	wr(CLEAR_INTERRUPT, 1);
	assert_false(wire);
}

static void test_clear_alarm(void **state)
{
	(void)state;
	wr(IRQ_ENABLED, 1);
	set_alarm(host + 1000);
	wr(CLEAR_ALARM, 1);
	assert_int_equal(rd(ALARM_STATUS), 0);
	assert_int_equal(deadline, 0);
	/* The timer had fired on another hart before it was disarmed. */
	host += 2000;
	rtc_goldfish_alarm(&rtc);
	assert_false(wire);
}

static void test_alarm_follows_time(void **state)
{
	(void)state;
	wr(IRQ_ENABLED, 1);
	set_time(1000000);
	set_alarm(1005000);
	assert_int_equal(deadline, host + 5000);
	set_time(1003000);
	assert_int_equal(deadline, host + 2000);
	set_time(900000);
	assert_int_equal(deadline, host + 105000);
	/* A deadline that comes too early arms again. */
	rtc_goldfish_alarm(&rtc);
	assert_int_equal(deadline, host + 105000);
	assert_false(wire);
	set_time(2000000);
	assert_true(wire);
	assert_int_equal(rd(ALARM_STATUS), 0);
	assert_int_equal(deadline, 0);
	/* A new time does not bring an old alarm back. */
	wr(CLEAR_INTERRUPT, 1);
	set_time(900000);
	assert_int_equal(rd(ALARM_STATUS), 0);
	assert_int_equal(deadline, 0);
}

static void test_alarm_far_away(void **state)
{
	(void)state;
	set_time(0);
	set_alarm(~(u64)0);
	assert_int_equal(deadline, ~(u64)0);
	assert_int_equal(rd(ALARM_STATUS), 1);
}

static void test_refusals(void **state)
{
	const u8 bad[] = { 1, 2, 8 };

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		struct mmio_access acc = { .width = bad[i] };

		assert_int_equal(rtc_goldfish_mmio_ops.access(&rtc, &acc), MMIO_FAULT);
		acc.write = true;
		assert_int_equal(rtc_goldfish_mmio_ops.access(&rtc, &acc), MMIO_FAULT);
	}
	/* Reserved registers, and the ones that are only written. */
	for (u64 reg = CLEAR_INTERRUPT + 4; reg < RTC_GOLDFISH_SIZE; reg += 4) {
		wr(reg, ~(u64)0);
		assert_int_equal(rd(reg), 0);
	}
	assert_int_equal(rd(CLEAR_ALARM), 0);
	assert_int_equal(rd(CLEAR_INTERRUPT), 0);
	wr(ALARM_STATUS, 1);
	assert_int_equal(rd(ALARM_STATUS), 0);
	assert_int_equal(get_time(), host);
}

static void test_reset(void **state)
{
	(void)state;
	wr(IRQ_ENABLED, 1);
	set_time(5000);
	set_alarm(4000);
	assert_true(wire);
	set_alarm(9000);
	rtc_goldfish_reset(&rtc);
	assert_false(wire);
	assert_int_equal(deadline, 0);
	assert_int_equal(rd(ALARM_STATUS) | rd(ALARM_LOW) | rd(IRQ_ENABLED), 0);
	assert_int_equal(get_time(), 5000);
}

static void random_access(void)
{
	u8 width = (u8)(1 << random() % 4);
	struct mmio_access acc = {
		.offset = (u64)random() % 0x28 / width * width,
		.width = random() % 8 ? 4 : width,
		.write = random() % 2,
		.value = random() % 2 ? (u32)random() : (u32)host,
	};

	acc.offset -= acc.offset % acc.width;
	assert_int_equal(rtc_goldfish_mmio_ops.access(&rtc, &acc),
			 acc.width == 4 ? MMIO_OK : MMIO_FAULT);
	assert_true(acc.write || acc.width != 4 || acc.value <= 0xffffffff);
}

static void test_random(void **state)
{
	(void)state;
	srandom(5);
	for (u32 i = 0; i < 200000; i++) {
		random_access();
		if (random() % 4 == 0)
			pass((u64)random() << random() % 16);
		if (i % 5000 == 0)
			rtc_goldfish_reset(&rtc);
		assert_int_equal(wire, rtc.pending && rtc.enabled);
		/* A running alarm has a deadline, and one that is not running has none. */
		assert_int_equal(deadline != 0, rtc.running);
		assert_true(!rtc.running || deadline > host);
		assert_false(spin_is_locked(&rtc.lock));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_time, setup),
		cmocka_unit_test_setup(test_alarm, setup),
		cmocka_unit_test_setup(test_alarm_in_the_past, setup),
		cmocka_unit_test_setup(test_clear_alarm, setup),
		cmocka_unit_test_setup(test_alarm_follows_time, setup),
		cmocka_unit_test_setup(test_alarm_far_away, setup),
		cmocka_unit_test_setup(test_refusals, setup),
		cmocka_unit_test_setup(test_reset, setup),
		cmocka_unit_test_setup(test_random, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
