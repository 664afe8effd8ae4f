/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Works without a pause on all its harts, and says ten times how much of the boot hart it had:
 * thousandths of the time, where an instruction is a nanosecond (-icount shift=0).
 */
#include "guest.h"

#define ROUND 1000UL	/* iterations of two instructions */
#define SPAN (200 * MS)

static void spend(void)
{
	unsigned long n = ROUND;

	__asm__ volatile("1:	addi %0, %0, -1\n	bnez %0, 1b" : "+r"(n));
}

static void toil(unsigned long arg)
{
	(void)arg;
	for (;;)
		spend();
}

void payload(void)
{
	unsigned long harts_here = hart_count();

	for (unsigned long i = 0; i < harts_here; i++)
		if (i != boot_hart)
			hart_run(i, toil, 0);
	for (unsigned int n = 0; n < 10; n++) {
		u64 from = rdtime(), rounds = 0, ns;

		while (rdtime() - from < SPAN) {
			spend();
			rounds++;
		}
		ns = (rdtime() - from) * (1000000000UL / TIMEBASE);
		say("had %lu of 1000\n", rounds * ROUND * 2 * 1000 / ns);
	}
	for (;;)
		wfi();
}
