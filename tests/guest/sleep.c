/* SPDX-License-Identifier: BSD-2-Clause */
/* Sleep on a hart that others may share: each WFI ends when it is due, by every kind of wake-up. */
#include "guest.h"

#define ROUNDS 50UL

static volatile unsigned long late_max;

static void check_timer(void)
{
	unsigned long early = 0;

	csr_write(sie, SIE_STIE);
	for (unsigned long i = 0; i < ROUNDS; i++) {
		u64 due = rdtime() + 2 * MS;

		set_timer(due);
		wfi();
		while (rdtime() < due) {	/* a WFI may end early, but not always */
			early++;
			wfi();
		}
		late_max = rdtime() - due > late_max ? rdtime() - due : late_max;
	}
	set_timer(-1UL);
	csr_write(sie, 0);
	CHECK("sleeps until the timer", early < ROUNDS, "%lu of %lu early", early, ROUNDS);
	say("# at most %lu ticks late\n", late_max);
}

/* What is pending already, and enabled, lets no WFI sleep, though interrupts are off. */
static void check_pending(void)
{
	csr_write(sie, SIE_STIE);
	set_timer(0);
	for (unsigned long i = 0; i < ROUNDS; i++)
		wfi();
	CHECK("still pending", csr_read(sip) & BIT(IRQ_TIMER), "0x%lx", csr_read(sip));
	set_timer(-1UL);
	csr_write(sie, SIE_SSIE);
	send_ipi(1UL << boot_hart, 0);
	wfi();
	CHECK("woken by itself", csr_read(sip) & BIT(IRQ_SOFT), "0x%lx", csr_read(sip));
	csr_clear(sip, SIE_SSIE);
	csr_write(sie, 0);
}

static volatile unsigned long answers;
static volatile bool leave;

static void answer(unsigned long arg)
{
	(void)arg;
	csr_write(sie, SIE_SSIE);
	while (!leave) {
		wfi();
		if (!(csr_read(sip) & BIT(IRQ_SOFT)))
			continue;
		csr_clear(sip, SIE_SSIE);
		answers++;
	}
}

static void check_ipi(unsigned long hart)
{
	unsigned long i = 0;

	hart_run(hart, answer, 0);
	WAIT_FOR(hart_status(hart) == SBI_HSM_STARTED, 2000);
	for (; i < ROUNDS; i++) {
		send_ipi(1UL << hart, 0);
		if (!WAIT_FOR(answers > i, 5000))
			break;
	}
	check_eq("woken by another hart", i, ROUNDS);
	leave = true;
	send_ipi(1UL << hart, 0);
	CHECK("it leaves", hart_wait_stopped(hart), "it is still there");
}

void payload(void)
{
	check_timer();
	check_pending();
	if (other_hart() < MAX_HARTS)
		check_ipi(other_hart());
}
