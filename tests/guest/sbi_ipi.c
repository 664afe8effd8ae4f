/* SPDX-License-Identifier: BSD-2-Clause */
/* Software interrupts: to self, by mask, to all, to nobody, and harts that do not exist. */
#include "guest.h"

#define ROUNDS 500UL

static volatile unsigned long balls;
static volatile bool stop;
static volatile unsigned long ready;

static void on_soft(void)
{
	csr_clear(sip, SIE_SSIE);
}

static void on_ball(void)
{
	csr_clear(sip, SIE_SSIE);
	balls++;
	send_ipi(1, boot_hart);
}

static bool pending(void)
{
	return csr_read(sip) & SIE_SSIE;
}

static void check_self(void)
{
	check_err("self", sbi(SBI_EXT_IPI, 0, 1, boot_hart), SBI_SUCCESS);
	CHECK("SSIP set", WAIT_FOR(pending(), 1000), "clear");
	csr_clear(sip, SIE_SSIE);
	CHECK("SSIP cleared", !pending(), "still set");
	csr_set(sip, SIE_SSIE);
	CHECK("SSIP set by software", pending(), "clear");
	csr_clear(sip, SIE_SSIE);
	check_err("all", sbi(SBI_EXT_IPI, 0, 0, -1UL), SBI_SUCCESS);
	CHECK("all includes self", WAIT_FOR(pending(), 1000), "clear");
	csr_clear(sip, SIE_SSIE);
	check_err("nobody", sbi(SBI_EXT_IPI, 0, 0, boot_hart), SBI_SUCCESS);
	CHECK("nobody is not self", !WAIT_FOR(pending(), 2), "SSIP set");
	send_ipi(1UL << boot_hart, 0);
	CHECK("mask bit of self", WAIT_FOR(pending(), 1000), "clear");
	csr_set(sie, SIE_SSIE);
	irqs_on();
	CHECK("taken", WAIT_FOR(this_hart()->irqs[IRQ_SOFT] == 1, 1000), "no interrupt");
	irqs_off();
}

static void check_errors(void)
{
	unsigned long n = hart_count();

	CHECK_SHYPER("bad hart", sbi(SBI_EXT_IPI, 0, 1, n).error == SBI_ERR_INVALID_PARAM, "ok");
	CHECK_SHYPER("bad base",
		     sbi(SBI_EXT_IPI, 0, 1, 1UL << 40).error == SBI_ERR_INVALID_PARAM, "ok");
	check_err("base -2", sbi(SBI_EXT_IPI, 0, 3, -2UL), SBI_ERR_INVALID_PARAM);
	CHECK_SHYPER("one bad of two",
		     sbi(SBI_EXT_IPI, 0, 3, n - 1).error == SBI_ERR_INVALID_PARAM, "ok");
	CHECK_SHYPER("mask full", sbi(SBI_EXT_IPI, 0, -1UL, 0).error == SBI_ERR_INVALID_PARAM,
		     "ok");
	csr_clear(sip, SIE_SSIE);
}

/* Answers each IPI with one to the boot hart, asleep in between. */
static void player(unsigned long arg)
{
	(void)arg;
	csr_set(sie, SIE_SSIE);
	ready++;
	irqs_on();
	while (!stop)
		wfi();
}

static void check_pair(unsigned long hart)
{
	unsigned long i;

	irq_handle(IRQ_SOFT, on_ball);
	csr_clear(sie, SIE_SSIE);
	hart_run(hart, player, 0);
	WAIT_FOR(ready == 1, 1000);
	for (i = 0; i < ROUNDS; i++) {
		send_ipi(1, hart);
		if (!WAIT_FOR(pending(), 2000))
			break;
		csr_clear(sip, SIE_SSIE);
	}
	check_eq("ping-pong", i, ROUNDS);
	check_eq("answers", balls, ROUNDS);
	stop = true;
	send_ipi(1, hart);
	CHECK("player stops", hart_wait_stopped(hart), "status %ld", hart_status(hart));
}

static void check_all_harts(void)
{
	unsigned long n = hart_count();

	irq_handle(IRQ_SOFT, on_soft);
	csr_clear(sip, SIE_SSIE);
	stop = false;
	ready = 0;
	for (unsigned long i = 0; i < n; i++)
		if (i != boot_hart)
			hart_run(i, player, 0);
	WAIT_FOR(ready == n - 1, 2000);
	stop = true;
	check_err("to all", sbi(SBI_EXT_IPI, 0, 0, -1UL), SBI_SUCCESS);
	for (unsigned long i = 0; i < n; i++)
		if (i != boot_hart)
			CHECK("reached", hart_wait_stopped(i), "hart %lu", i);
	CHECK("and self", WAIT_FOR(pending(), 1000), "SSIP clear");
}

void payload(void)
{
	irq_handle(IRQ_SOFT, on_soft);
	check_self();
	check_errors();
	if (other_hart() < MAX_HARTS) {
		check_pair(other_hart());
		check_all_harts();
	}
}
