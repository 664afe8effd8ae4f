/* SPDX-License-Identifier: BSD-2-Clause */
/* Wall-clock time from the Goldfish RTC and the timebase. */
#include <hv/board.h>
#include <hv/clock.h>
#include <hv/timer.h>

#define NS 1000000000ull
#define TIME_LOW 0x00	/* reading it latches TIME_HIGH */
#define TIME_HIGH 0x04

static u64 epoch_ns;	/* at epoch_ticks; fixed after clock_init() */
static u64 epoch_ticks;

static u64 ticks_to_ns(u64 ticks)
{
	u64 hz = arch_timebase();

	return ticks / hz * NS + ticks % hz * NS / hz;
}

void clock_init(const struct board *from)
{
	epoch_ticks = arch_time();
	if (from->rtc.size) {
		const volatile u32 *rtc = (const volatile u32 *)(uintptr_t)from->rtc.base;
		u32 low = rtc[TIME_LOW / 4];

		epoch_ns = (u64)rtc[TIME_HIGH / 4] << 32 | low;
	}
}

u64 clock_ns(void)
{
	return epoch_ns + ticks_to_ns(arch_time() - epoch_ticks);
}

u64 clock_ns_to_ticks(u64 ns)
{
	u64 hz = arch_timebase(), now = clock_ns(), left = ns > now ? ns - now : 0;
	u64 ticks = left / NS * hz + left % NS * hz / NS;

	return arch_time() + MIN(ticks, TIMER_NEVER / 4);
}
