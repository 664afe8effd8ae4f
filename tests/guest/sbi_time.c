/* SPDX-License-Identifier: BSD-2-Clause */
/* The timer, by SBI and by stimecmp where the machine has it: once, past, never, cleared. */
#include "guest.h"

static void (*program)(u64 when);
static volatile unsigned long fired;
static volatile u64 fired_at;

static void program_sbi(u64 when)
{
	set_timer(when);
}

static void program_sstc(u64 when)
{
	csr_write(CSR_STIMECMP, when);
}

static void on_timer(void)
{
	fired++;
	fired_at = rdtime();
	program(-1UL);
}

static bool pending(void)
{
	return csr_read(sip) & BIT(IRQ_TIMER);
}

static void check_pending(void)
{
	program(-1UL);
	CHECK("never", !WAIT_FOR(pending(), 5), "STIP set");
	program(0);
	CHECK("in the past", WAIT_FOR(pending(), 1000), "STIP clear");
	csr_clear(sip, BIT(IRQ_TIMER));
	CHECK("STIP is read-only", pending(), "STIP clear");
	program(rdtime() + 1000 * TIMEBASE);
	CHECK("cleared by a later time", !pending(), "STIP set");
	program(rdtime() + 2 * MS);
	CHECK("soon", WAIT_FOR(pending(), 1000), "STIP clear");
	program(-1UL);
	CHECK("cleared by never", !pending(), "STIP set");
	program(1UL << 62);
	CHECK("far away", !WAIT_FOR(pending(), 2), "STIP set");
}

static void check_interrupt(void)
{
	u64 when = rdtime() + 5 * MS;

	fired = 0;
	csr_set(sie, SIE_STIE);
	program(when);
	irqs_on();
	CHECK("fires", WAIT_FOR(fired, 1000), "no interrupt");
	CHECK("not too early", fired_at >= when, "%lu ticks early", when - fired_at);
	CHECK("fires once", !WAIT_FOR(fired > 1, 10), "%lu times", fired);
	program(rdtime() - 1);
	CHECK("fires for the past", WAIT_FOR(fired == 2, 1000), "%lu times", fired);
	for (int i = 0; i < 100; i++) {
		program(rdtime() + 100);
		WAIT_FOR(fired == 3UL + (unsigned long)i, 1000);
	}
	check_eq("a hundred in a row", fired, 102);
	irqs_off();
}

static void check_wfi(void)
{
	u64 start = rdtime();

	program(start + 10 * MS);
	while (!pending())
		wfi();
	CHECK("wfi wakes", rdtime() >= start + 10 * MS, "early");
	program(-1UL);
	csr_clear(sie, SIE_STIE);
}

static void check_all(const char *by, void (*fn)(u64 when))
{
	say("# by %s\n", by);
	program = fn;
	check_pending();
	check_interrupt();
	check_wfi();
}

void payload(void)
{
	irq_handle(IRQ_TIMER, on_timer);
	check_all("SBI", program_sbi);
	if (!have_sstc())
		return;
	check_all("stimecmp", program_sstc);
	csr_write(CSR_STIMECMP, 0x123456789abcdefUL);
	check_eq("stimecmp reads back", csr_read(CSR_STIMECMP), 0x123456789abcdefUL);
	set_timer(0xfedcba987654321UL);
	check_eq("SBI writes stimecmp", csr_read(CSR_STIMECMP), 0xfedcba987654321UL);
	set_timer(-1UL);
}
