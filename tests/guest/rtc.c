/* SPDX-License-Identifier: BSD-2-Clause */
/* The goldfish RTC: nanoseconds that advance with `time`, the latch, the alarm interrupt. */
#include "guest.h"

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

#define NS_PER_TICK (1000000000UL / TIMEBASE)
#define YEAR_2020 1577836800000000000UL
#define YEAR_2100 4102444800000000000UL

static u32 get(unsigned long reg)
{
	return read_u32(RTC_BASE + reg);
}

static void put(unsigned long reg, u32 value)
{
	write_u32(RTC_BASE + reg, value);
}

static u64 now(void)
{
	u64 low = get(TIME_LOW);

	return (u64)get(TIME_HIGH) << 32 | low;
}

static void set_alarm(u64 when)
{
	put(ALARM_HIGH, (u32)(when >> 32));
	put(ALARM_LOW, (u32)when);
}

static bool seip(void)
{
	return csr_read(sip) & SIE_SEIE;
}

static void check_time(void)
{
	u64 start = now();
	u64 ticks = rdtime();
	u64 passed;
	bool steady = true;

	CHECK("a plausible date", start > YEAR_2020 && start < YEAR_2100, "%lu ns", start);
	for (u64 last = start; rdtime() < ticks + 50 * MS;) {
		u64 next = now();

		steady &= next >= last;
		last = next;
	}
	ticks = (rdtime() - ticks) * NS_PER_TICK;
	passed = now() - start;
	CHECK("never backwards", steady, "it did");
	CHECK("as fast as time", passed > ticks / 2 && passed < ticks * 2, "%lu ns in %lu ns",
	      passed, ticks);
	get(TIME_LOW);
	check_eq("high word is latched", get(TIME_HIGH), get(TIME_HIGH));
}

static void check_alarm(void)
{
	bool early;

	wire_listen(RTC_IRQ);
	put(CLEAR_INTERRUPT, 1);
	put(IRQ_ENABLED, 1);
	check_eq("enabled", get(IRQ_ENABLED), 1);
	set_alarm(now() + 30000000);
	early = seip();
	check_eq("alarm armed", get(ALARM_STATUS), 1);
	CHECK("not at once", !early, "SEIP");
	CHECK("alarm interrupt", WAIT_FOR(seip(), 2000), "never");
	check_eq("claim", wire_claim(), RTC_IRQ);
	check_eq("alarm over", get(ALARM_STATUS), 0);
	put(CLEAR_INTERRUPT, 1);
	wire_done(RTC_IRQ);
	CHECK("quiet after it", !WAIT_FOR(seip(), 5), "SEIP");
	set_alarm(now() + 20000000);
	put(CLEAR_ALARM, 1);
	CHECK("cleared alarm", !WAIT_FOR(seip(), 50) && !get(ALARM_STATUS), "it rang");
	set_alarm(1);
	CHECK("alarm in the past rings", WAIT_FOR(seip(), 1000), "never");
	put(CLEAR_INTERRUPT, 1);
	wire_done(wire_claim());
	put(IRQ_ENABLED, 0);
	set_alarm(now() + 5000000);
	CHECK("disabled alarm is silent", !WAIT_FOR(seip(), 30), "SEIP");
}

void payload(void)
{
	check_time();
	check_alarm();
}
