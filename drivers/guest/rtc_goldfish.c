/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's Goldfish RTC. Alarms are kept in guest time and handed to the host's timer as host
 * time, anew after each change of either.
 */
#include <hv/rtc_goldfish.h>
#include <hv/string.h>

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

static u64 with_low(u64 value, u32 low)
{
	return (value & ~(u64)0xffffffff) | low;
}

static u64 with_high(u64 value, u32 high)
{
	return (u32)value | (u64)high << 32;
}

static u64 guest_now(const struct rtc_goldfish *rtc)
{
	return rtc->hooks->now_ns(rtc->ctx) + rtc->offset;
}

static void set_time(struct rtc_goldfish *rtc, u64 now, u64 time)
{
	rtc->offset += time - now;
}

static void drive(struct rtc_goldfish *rtc)
{
	bool level = rtc->pending && rtc->enabled;

	if (level != rtc->level) {
		rtc->level = level;
		irq_line_set(&rtc->irq, level);
	}
}

static void stop_alarm(struct rtc_goldfish *rtc)
{
	if (rtc->running)
		rtc->hooks->disarm(rtc->ctx);
	rtc->running = false;
}

/* The alarm is set: have it come when it is due, or now if it is. */
static void check_alarm(struct rtc_goldfish *rtc)
{
	u64 host = rtc->hooks->now_ns(rtc->ctx);
	u64 now = host + rtc->offset;
	u64 left = rtc->alarm - now;

	if (rtc->alarm <= now) {
		stop_alarm(rtc);
		rtc->pending = true;
		return;
	}
	rtc->running = true;
	rtc->hooks->arm(rtc->ctx, host + MIN(left, ~host));
}

static u32 read_reg(struct rtc_goldfish *rtc, u64 reg)
{
	u64 now;

	switch (reg) {
	case TIME_LOW:
		now = guest_now(rtc);
		rtc->time_high = (u32)(now >> 32);
		return (u32)now;
	case TIME_HIGH:
		return rtc->time_high;
	case ALARM_LOW:
		return (u32)rtc->alarm;
	case ALARM_HIGH:
		return (u32)(rtc->alarm >> 32);
	case IRQ_ENABLED:
		return rtc->enabled;
	case ALARM_STATUS:
		return rtc->running;
	default:
		return 0;
	}
}

static void write_time(struct rtc_goldfish *rtc, u64 reg, u32 value)
{
	u64 now = guest_now(rtc);

	if (reg == TIME_HIGH) {
		set_time(rtc, now, with_high(now, value));
		return;
	}
	set_time(rtc, now, with_low(now, value));
	if (rtc->running)
		check_alarm(rtc);
}

static void write_reg(struct rtc_goldfish *rtc, u64 reg, u32 value)
{
	switch (reg) {
	case TIME_LOW:
	case TIME_HIGH:
		write_time(rtc, reg, value);
		break;
	case ALARM_LOW:
		rtc->alarm = with_low(rtc->alarm, value);
		check_alarm(rtc);
		break;
	case ALARM_HIGH:
		rtc->alarm = with_high(rtc->alarm, value);
		break;
	case IRQ_ENABLED:
		rtc->enabled = value & 1;
		break;
	case CLEAR_ALARM:
		stop_alarm(rtc);
		break;
	case CLEAR_INTERRUPT:
		rtc->pending = false;
		break;
	}
}

static enum mmio_result rtc_goldfish_access(void *dev, struct mmio_access *acc)
{
	struct rtc_goldfish *rtc = dev;

	if (acc->width != 4)
		return MMIO_FAULT;
	spin_lock(&rtc->lock);
	if (acc->write)
		write_reg(rtc, acc->offset, (u32)acc->value);
	else
		acc->value = read_reg(rtc, acc->offset);
	drive(rtc);
	spin_unlock(&rtc->lock);
	return MMIO_OK;
}

void rtc_goldfish_alarm(struct rtc_goldfish *rtc)
{
	spin_lock(&rtc->lock);
	if (rtc->running)
		check_alarm(rtc);
	drive(rtc);
	spin_unlock(&rtc->lock);
}

void rtc_goldfish_reset(struct rtc_goldfish *rtc)
{
	spin_lock(&rtc->lock);
	stop_alarm(rtc);
	rtc->alarm = 0;
	rtc->time_high = 0;
	rtc->pending = false;
	rtc->enabled = false;
	drive(rtc);
	spin_unlock(&rtc->lock);
}

void rtc_goldfish_init(struct rtc_goldfish *rtc, const struct irq_line *irq,
		       const struct rtc_goldfish_hooks *hooks, void *ctx)
{
	memset(rtc, 0, sizeof(*rtc));
	rtc->irq = *irq;
	rtc->hooks = hooks;
	rtc->ctx = ctx;
}

const struct mmio_ops rtc_goldfish_mmio_ops = {
	.name = "rtc_goldfish",
	.access = rtc_goldfish_access,
};
