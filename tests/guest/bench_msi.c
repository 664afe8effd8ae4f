/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * As bench.c, for messages: to the hart's own interrupt file, and there and back between two harts
 * that are asleep in WFI. Files are a page apart: on the bare board without guest files.
 */
#include "guest.h"

#define REPEAT 20000UL
#define INSNS_PER_TICK (1000000000UL / TIMEBASE)
#define ID 1UL

static volatile u32 *file_of(unsigned long hart)
{
	return (volatile u32 *)(IMSIC_BASE + hart * 0x1000);
}

static void wr(unsigned long select, unsigned long value)
{
	csr_write(0x150, select);	/* siselect, sireg */
	csr_write(0x151, value);
}

static void set_up(void)
{
	wr(0x72, 0);		/* eithreshold */
	wr(0xc0, 1UL << ID);	/* eie0 */
	wr(0x70, 1);		/* eidelivery */
	csr_write(sie, SIE_SEIE);
}

/* Store and claim; the loop's two instructions are taken off by the caller. */
static unsigned long to_self(unsigned long n)
{
	unsigned long start = rdtime();

	__asm__ volatile(".balign 8\n1:	sw %2, 0(%1)\n	csrrw t0, 0x15c, zero\n"
			 "	addi %0, %0, -1\n	bnez %0, 1b\n"
			 : "+r"(n) : "r"(file_of(boot_hart)), "r"(ID) : "t0", "memory");
	return rdtime() - start;
}

static void wait_ball(void)
{
	unsigned long top;

	do {
		while (!(csr_read(sip) & SIE_SEIE))
			wfi();
		__asm__ volatile("csrrw %0, 0x15c, zero" : "=r"(top)::"memory");
	} while (!top);
}

static volatile bool ready;

static void answer(unsigned long n)
{
	set_up();
	ready = true;
	for (; n; n--) {
		wait_ball();
		*file_of(boot_hart) = ID;
	}
}

static void round_trip(unsigned long hart)
{
	unsigned long n = REPEAT / 10;
	unsigned long start;

	hart_run(hart, answer, n + 1);
	WAIT_FOR(ready, 1000);
	*file_of(hart) = ID;
	wait_ball();
	start = rdtime();
	for (unsigned long i = 0; i < n; i++) {
		*file_of(hart) = ID;
		wait_ball();
	}
	say("bench msi_round_trip %lu\n", (rdtime() - start) * INSNS_PER_TICK / n);
}

void payload(void)
{
	set_up();
	if (other_hart() < MAX_HARTS) {
		round_trip(other_hart());
	} else {
		unsigned long cost = to_self(REPEAT) * INSNS_PER_TICK;

		say("bench msi_self %lu\n", (cost + REPEAT / 2) / REPEAT - 2);
	}
	CHECK("bench ran", true, " ");
}
