/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A wire of the board, that of its RTC, which this VM has: one alarm after the other, and none may
 * be missed while the vCPU is moved from hart to hart. A byte of input ends it: `q`.
 */
#include "guest.h"

enum { TIME_LOW = 0x00, TIME_HIGH = 0x04, ALARM_LOW = 0x08, ALARM_HIGH = 0x0c, IRQ_ENABLED = 0x10,
       CLEAR_INTERRUPT = 0x1c };

#define SETIPNUM_LE (APLIC_BASE + 0x2000)
#define ALARM_NS 2000000UL

static volatile unsigned long alarms, odd;

static u64 now(void)
{
	u64 low = read_u32(RTC_BASE + TIME_LOW);

	return (u64)read_u32(RTC_BASE + TIME_HIGH) << 32 | low;
}

static void wr(unsigned long select, unsigned long value)
{
	csr_write(0x150, select);
	csr_write(0x151, value);
}

static void served(u32 source)
{
	write_u32(RTC_BASE + CLEAR_INTERRUPT, 1);
	if (source == RTC_IRQ)
		alarms++;
	else
		odd++;
}

/* Level-sensitive by messages: AIA specification, 4.9.2. */
static void on_message(void)
{
	unsigned long top;

	for (;;) {
		__asm__ volatile("csrrw %0, 0x15c, zero" : "=r"(top)::"memory");
		if (!top)
			return;
		served((u32)(top >> 16));
		write_u32(SETIPNUM_LE, RTC_IRQ);
	}
}

static void on_plic(void)
{
	u32 source = read_u32(plic_claim(1));

	if (!source)
		return;
	served(source);
	write_u32(plic_claim(1), source);
}

static void listen(void)
{
	if (have_ssaia()) {
		wr(0xc0, 1UL << RTC_IRQ);
		wr(0x70, 1);
		write_u32(APLIC_BASE, 0x104);
		write_u32(APLIC_BASE + 4 * RTC_IRQ, 6);
		write_u32(APLIC_BASE + 0x3000 + 4 * RTC_IRQ, RTC_IRQ);
		write_u32(APLIC_BASE + 0x1edc, RTC_IRQ);
		irq_handle(IRQ_EXT, on_message);
	} else {
		write_u32(plic_prio(RTC_IRQ), 1);
		write_u32(plic_enable(1, RTC_IRQ), 1U << RTC_IRQ);
		write_u32(plic_threshold(1), 0);
		irq_handle(IRQ_EXT, on_plic);
	}
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
