/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A control loop: sleeps until each millisecond and says how late it was, in instructions of the
 * machine, for runs under -icount shift=0, where `cycle` counts them. After SHORT and COUNT of them
 * prints `latency count N max M p9999 P p99 Q p50 R`, and the histogram in powers of two.
 */
#include "guest.h"

#define PERIOD MS
#define COUNT 10000UL
#define SHORT 200UL
#define INSNS_PER_TICK (1000000000UL / TIMEBASE)
#define LONGEST 65536UL		/* above it, all are one */

static u32 seen[LONGEST + 1];

static inline unsigned long cycles(void)
{
	unsigned long now;

	__asm__ volatile("rdcycle %0" : "=r"(now)::"memory");
	return now;
}

/* What `cycle` is when `time` is 0: the least difference seen, when a tick has just begun. */
static unsigned long origin(void)
{
	unsigned long least = ~0UL;

	for (unsigned long i = 0; i < 2000; i++) {
		unsigned long ticks = rdtime();
		unsigned long now = cycles();

		if (now - ticks * INSNS_PER_TICK < least)
			least = now - ticks * INSNS_PER_TICK;
	}
	return least;
}

static unsigned long late(unsigned long due, unsigned long from)
{
	unsigned long now;

	set_timer(due);
	do
		wfi();
	while (!(csr_read(sip) & BIT(IRQ_TIMER)));
	now = cycles();
	return now - from - due * INSNS_PER_TICK;
}

static unsigned long quantile(unsigned long below)
{
	unsigned long sum = 0, i = 0;

	for (; i < LONGEST; i++) {
		sum += seen[i];
		if (sum >= below)
			break;
	}
	return i;
}

static void histogram(void)
{
	for (unsigned long from = 0, to = 64; from <= LONGEST; from = to, to *= 2) {
		unsigned long sum = 0;

		for (unsigned long i = from; i < to && i <= LONGEST; i++)
			sum += seen[i];
		if (sum)
			say("latency below %lu: %lu\n", to, sum);
	}
}

static void report(unsigned long count, unsigned long max)
{
	say("latency count %lu max %lu p9999 %lu p99 %lu p50 %lu\n", count, max,
	    quantile(count - count / 10000), quantile(count - count / 100), quantile(count / 2));
	histogram();
	say("latency end\n");
}

void payload(void)
{
	unsigned long from = origin(), max = 0;
	u64 due = rdtime();

	csr_write(sie, SIE_STIE);
	for (unsigned long n = 1; n <= COUNT; n++) {
		unsigned long now;

		due += PERIOD;
		now = late(due, from);
		seen[now < LONGEST ? now : LONGEST]++;
		max = now > max ? now : max;
		if (n == SHORT) {
			report(n, max);
			due = rdtime();	/* printing took its time */
		}
	}
	report(COUNT, max);
	CHECK("ran", true, " ");
}
