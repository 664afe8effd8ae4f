/* SPDX-License-Identifier: BSD-2-Clause */
/* `time` never runs backwards, on one hart or from hart to hart, and keeps pace with the RTC. */
#include "guest.h"

#define RTC_LOW RTC_BASE
#define ROUNDS 2000UL

static volatile u64 theirs;
static volatile unsigned long turn;
static volatile bool ready;

static void other(unsigned long arg)
{
	(void)arg;
	ready = true;
	for (unsigned long i = 0; i < ROUNDS; i++) {
		while (turn != 2 * i + 1)
			;
		theirs = rdtime();
		turn = 2 * i + 2;
	}
}

/* Passes the turn to and fro: each reading must lie between its neighbours. */
static void check_pair(unsigned long hart)
{
	unsigned long bad = 0;
	u64 last = 0;

	hart_run(hart, other, 0);
	WAIT_FOR(ready, 2000);
	for (unsigned long i = 0; i < ROUNDS; i++) {
		u64 before = rdtime();

		__asm__ volatile("fence" ::: "memory");
		turn = 2 * i + 1;
		while (turn != 2 * i + 2)
			;
		__asm__ volatile("fence" ::: "memory");
		bad += theirs < before || theirs > rdtime() || before < last;
		last = theirs;
	}
	check_eq("monotonic over harts", bad, 0);
}

static void check_one(void)
{
	unsigned long bad = 0;
	u64 last = rdtime();

	for (unsigned long i = 0; i < 100000; i++) {
		u64 next = rdtime();

		bad += next < last;
		last = next;
	}
	check_eq("monotonic", bad, 0);
}

static void check_rate(void)
{
	u32 start = read_u32(RTC_LOW);
	u64 ticks = rdtime();
	u32 ns;

	WAIT_FOR(false, 200);
	ticks = rdtime() - ticks;
	ns = read_u32(RTC_LOW) - start;
	CHECK("timebase", ns > ticks * 80 && ns < ticks * 120,
	      "%lu ticks in %u ns", ticks, ns);
}

void payload(void)
{
	check_one();
	check_rate();
	if (other_hart() < MAX_HARTS)
		check_pair(other_hart());
}
