/* SPDX-License-Identifier: BSD-2-Clause */
/* Soft timers: a short sorted list per hart; the hart's timer stands at its head. */
#include <asm/hart.h>
#include <hv/timer.h>

static void unlink(struct hart *hart, struct timer *timer)
{
	for (struct timer **link = &hart->timers; *link; link = &(*link)->next) {
		if (*link == timer) {
			*link = timer->next;
			break;
		}
	}
	timer->armed = false;
}

static void program(const struct hart *hart)
{
	arch_timer_set(hart->timers ? hart->timers->deadline : TIMER_NEVER);
}

void timer_arm(struct timer *timer, u64 deadline)
{
	struct hart *hart = this_hart();
	struct timer **link = &hart->timers;

	if (timer->armed)
		unlink(hart, timer);
	timer->deadline = deadline;
	while (*link && (*link)->deadline <= deadline)
		link = &(*link)->next;
	timer->next = *link;
	timer->armed = true;
	*link = timer;
	program(hart);
}

void timer_cancel(struct timer *timer)
{
	if (!timer->armed)
		return;
	unlink(this_hart(), timer);
	program(this_hart());
}

void timer_hold(struct timer *timer)
{
	timer->held = timer->armed;
	timer_cancel(timer);
}

void timer_go_on(struct timer *timer)
{
	if (timer->held)
		timer_arm(timer, timer->deadline);
	timer->held = false;
}

void timer_expire(void)
{
	struct hart *hart = this_hart();
	u64 now = arch_time();

	/* Timers that a handler arms anew for the past wait for the next interrupt: bounded. */
	while (hart->timers && hart->timers->deadline <= now) {
		struct timer *timer = hart->timers;

		hart->timers = timer->next;
		timer->armed = false;
		timer->fire(timer);
	}
	program(hart);
}
