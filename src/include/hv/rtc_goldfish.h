/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Goldfish real-time clock ("Android/Goldfish RTC" in Linux's bindings): nanoseconds since the
 * epoch in two 32-bit halves, and one alarm. Setting the time moves this VM's clock only.
 *
 * Only aligned 4-byte accesses are answered; reserved registers read as zero and ignore writes.
 * A read of TIME_LOW latches TIME_HIGH. A write of either half of the time takes effect at once;
 * the alarm is armed by a write of ALARM_LOW, and compared anew after one of TIME_LOW. Drivers
 * therefore write the high halves first, as Linux does.
 */
#ifndef HV_RTC_GOLDFISH_H
#define HV_RTC_GOLDFISH_H

#include <hv/irqchip.h>
#include <hv/mmio.h>
#include <hv/spinlock.h>

#define RTC_GOLDFISH_SIZE 0x1000	/* of the region, on virt */

/*
 * What the clock needs. All are called with its lock held, on any hart, and must not block; none
 * may take a lock under which rtc_goldfish_alarm() is called.
 */
struct rtc_goldfish_hooks {
	/* Host time, nanoseconds since the epoch. Monotonic. */
	u64 (*now_ns)(void *ctx);
	/* Have rtc_goldfish_alarm() called when now_ns() is deadline_ns; replaces the last. */
	void (*arm)(void *ctx, u64 deadline_ns);
	/* Forget the deadline. A call that is under way already does no harm. */
	void (*disarm)(void *ctx);
};

/* Private to rtc_goldfish.c. */
struct rtc_goldfish {
	/* Fixed after init. */
	struct irq_line irq;
	const struct rtc_goldfish_hooks *hooks;
	void *ctx;

	/* Under the lock. */
	struct spinlock lock;
	u64 offset;		/* guest time - host time, nanoseconds, modulo 2^64 */
	u64 alarm;		/* guest time */
	u32 time_high;		/* latched by the last read of TIME_LOW */
	bool running;		/* the alarm has a deadline ahead */
	bool pending;		/* the alarm came and was not cleared */
	bool enabled;		/* the interrupt reaches the wire */
	bool level;		/* of the wire, as driven last */
};

/*
 * rtc_goldfish_init() - host time, no alarm. By the VM's maker alone. irq is copied; hooks must
 * outlive the clock.
 */
void rtc_goldfish_init(struct rtc_goldfish *rtc, const struct irq_line *irq,
		       const struct rtc_goldfish_hooks *hooks, void *ctx);

/*
 * rtc_goldfish_alarm() - the deadline given to arm() has come. Any hart; takes the clock's lock.
 * Too early, too late or without an alarm it does what is right then: arms again, or nothing.
 */
void rtc_goldfish_alarm(struct rtc_goldfish *rtc);

/*
 * rtc_goldfish_reset() - no alarm, wire low. The time goes on as the guest has set it: a clock
 * outlives a reboot. The VM is stopped.
 */
void rtc_goldfish_reset(struct rtc_goldfish *rtc);

/* dev is the struct rtc_goldfish. */
extern const struct mmio_ops rtc_goldfish_mmio_ops;

#endif
