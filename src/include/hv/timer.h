/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Soft timers of Shyper, per hart: a deadline and a function. There is no tick: the hart's timer
 * is programmed for the soonest deadline only.
 */
#ifndef HV_TIMER_H
#define HV_TIMER_H

#include <hv/types.h>

struct hart;

struct timer {
	u64 deadline;	/* host timer ticks */
	/* Called on the hart where it was armed, interrupts off, after it left the list. */
	void (*fire)(struct timer *timer);
	struct timer *next;
	bool armed;
	bool held;	/* by timer_hold() */
};

/* timer_arm() - (re)arm on the calling hart. A deadline in the past fires at the next chance. */
void timer_arm(struct timer *timer, u64 deadline);

/* timer_cancel() - by the hart that armed it; a timer that is not armed is left alone. */
void timer_cancel(struct timer *timer);

/*
 * timer_hold() - cancel it by the hart that armed it, if it is armed; timer_go_on() - then it is
 * again, on the calling hart.
 */
void timer_hold(struct timer *timer);
void timer_go_on(struct timer *timer);

/* timer_expire() - fire what is due and program the hart's timer for the rest. */
void timer_expire(void);

/*
 * The architecture supplies: arch_time() ticks now; arch_timebase() Hz;
 * arch_timer_set(deadline) program this hart's timer; TIMER_NEVER turns it off.
 */
#define TIMER_NEVER (~(u64)0)
u64 arch_time(void);
u64 arch_timebase(void);
void arch_timer_set(u64 deadline);

#endif
