/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A wire of the board, that of its RTC, which this VM has: one alarm after the other, and none may
 * be missed while the vCPU is moved from hart to hart. A byte of input ends it: `q`.
 */
#include "guest.h"

enum { TIME_LOW = 0x00, TIME_HIGH = 0x04, ALARM_LOW = 0x08, ALARM_HIGH = 0x0c, IRQ_ENABLED = 0x10,
       CLEAR_INTERRUPT = 0x1c };

#define ALARM_NS 2000000UL

static volatile unsigned long alarms, odd;

static u64 now(void)
{
	u64 low = read_u32(RTC_BASE + TIME_LOW);

	return (u64)read_u32(RTC_BASE + TIME_HIGH) << 32 | low;
}

/* A message each time, or an input that stays asserted: all that there is. */
static void on_wire(void)
{
	u32 source;

	while ((source = wire_claim()) != 0) {
		write_u32(RTC_BASE + CLEAR_INTERRUPT, 1);
		if (source == RTC_IRQ)
			alarms++;
		else
			odd++;
		wire_done(source);
	}
}

static void listen(void)
{
	irq_handle(IRQ_EXT, on_wire);
	wire_listen(RTC_IRQ);
	write_u32(RTC_BASE + IRQ_ENABLED, 1);
	csr_set(sie, SIE_SEIE);
	irqs_on();
}

static bool alarm(unsigned long round)
{
	u64 when = now() + ALARM_NS;

	write_u32(RTC_BASE + ALARM_HIGH, (u32)(when >> 32));
	write_u32(RTC_BASE + ALARM_LOW, (u32)when);
	return WAIT_FOR(alarms > round, 5000);
}

void payload(void)
{
	unsigned long round = 0;
	bool lost;

	say("ring of wires, %s\n", have_ssaia() ? "messages" : "PLIC");
	listen();
	while (!(lost = !alarm(round))) {
		round = alarms;
		if (round % 16 == 0 && get_char(0) == 'q')
			break;
		if (round % 128 == 0)
			say("round %lu\n", round);
	}
	irqs_off();
	CHECK("no alarm was lost", !lost, "round %lu", round);
	check_eq("and none came from elsewhere", odd, 0);
	say("rounds %lu\n", round);
}
