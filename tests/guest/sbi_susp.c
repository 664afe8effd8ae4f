/* SPDX-License-Identifier: BSD-2-Clause */
/* System suspend to RAM: denied while another hart runs; else resumes as a fresh hart. */
#include "guest.h"

static volatile bool leave;
static volatile bool running;

static void busy(unsigned long arg)
{
	(void)arg;
	running = true;
	while (!leave)
		;
}

static struct sbiret suspend(unsigned long type, unsigned long at)
{
	return sbi(SBI_EXT_SUSP, 0, type, at, &harts[boot_hart]);
}

static void check_errors(void)
{
	unsigned long hart = other_hart();

	check_err("fid 1", sbi(SBI_EXT_SUSP, 1), SBI_ERR_NOT_SUPPORTED);
	check_err("reserved type", suspend(1, (unsigned long)hart_entry), SBI_ERR_INVALID_PARAM);
	check_err("reserved type 2^31-1", suspend(0x7fffffff, (unsigned long)hart_entry),
		  SBI_ERR_INVALID_PARAM);
	CHECK("platform type", suspend(0x80000000, (unsigned long)hart_entry).error, "accepted");
	check_err("resume at nowhere", suspend(0, NOWHERE), SBI_ERR_INVALID_ADDRESS);
	check_err("resume at -1", suspend(0, -4096UL), SBI_ERR_INVALID_ADDRESS);
	if (hart >= MAX_HARTS)
		return;
	hart_run(hart, busy, 0);
	WAIT_FOR(running, 1000);
	check_err("another hart runs", suspend(0, (unsigned long)hart_entry), SBI_ERR_DENIED);
	leave = true;
	CHECK("it stops", hart_wait_stopped(hart), "status %ld", hart_status(hart));
}

static void typed(unsigned long arg)
{
	(void)arg;
	check_eq("woken by a key", (u32)get_char(1000), 'k');
	finish();
}

/* Sleeps until the runner types a k. */
static void sleep_until_key(void)
{
	wire_listen(UART_IRQ);
	write_u8(UART_BASE + 1, 1);
	csr_write(sie, SIE_SEIE);
	set_timer(-1UL);
	this_hart()->run = typed;
	say("susp send\n");
	check_err("suspend until a key", suspend(0, (unsigned long)hart_entry), SBI_SUCCESS);
}

static void resumed(unsigned long when)
{
	struct hart *h = this_hart();

	CHECK("not before the timer", rdtime() >= when, "early");
	check_eq("resume a0", h->first_a0, boot_hart);
	check_eq("resume satp", h->first_satp, 0);
	check_eq("resume SIE", h->first_status & SSTATUS_SIE, 0);
	sleep_until_key();
	finish();
}

void payload(void)
{
	struct hart *h = &harts[boot_hart];

	if (!sbi_probe(SBI_EXT_SUSP)) {
		CHECK_SHYPER("susp", false, "missing");
		CHECK("skipped", true, " ");
		return;
	}
	check_errors();
	h->arg = rdtime() + 20 * MS;
	h->run = resumed;
	h->first_a0 = h->first_satp = -1UL;
	mmu_on();
	csr_write(sie, SIE_STIE);
	set_timer(h->arg);
	check_err("suspend", suspend(0, (unsigned long)hart_entry), SBI_SUCCESS);
}
