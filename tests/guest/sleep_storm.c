/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sleeps and wakes as often as it can, for ever: WFI with timers of the past, of now and of never,
 * with and without interrupts enabled, and IPIs to itself and all others. Who shares its hart must
 * not notice.
 */
#include "guest.h"

static void on_timer(void)
{
	set_timer(-1UL);
}

static void on_ipi(void)
{
	csr_clear(sip, SIE_SSIE);
}

static void wait_for_store(void)
{
	__asm__ volatile(".4byte 0x00d00073" ::: "memory");	/* wrs.nto */
}

static void storm(unsigned long n)
{
	for (unsigned long i = 0;; i++) {
		csr_write(sie, i % 3 ? SIE_STIE | SIE_SSIE : 0);
		if (i % 2)
			irqs_on();
		else
			irqs_off();
		set_timer(i % 5 ? rdtime() + i % 7 - 2 : 0);
		send_ipi((1UL << n) - 1, 0);
		if (i % 3)
			wfi();
		wait_for_store();
	}
}

void payload(void)
{
	unsigned long n = hart_count();

	irq_handle(IRQ_TIMER, on_timer);
	irq_handle(IRQ_SOFT, on_ipi);
	CHECK("storm from now on", true, " ");
	for (unsigned long i = 0; i < n; i++)
		if (i != boot_hart)
			hart_run(i, storm, n);
	storm(n);
}
