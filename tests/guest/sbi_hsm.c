/* SPDX-License-Identifier: BSD-2-Clause */
/* Hart state management: start, stop, status, suspend in both ways, and every error. */
#include "guest.h"

/* Reserved by OpenSBI for itself on a bare board, outside RAM under Shyper. */
static unsigned long bad_address(void)
{
	return under_shyper() ? NOWHERE : RAM_BASE;
}

static volatile unsigned long stage;
static volatile unsigned long leave;
static volatile long suspend_error;

static void on_soft(void)
{
	csr_clear(sip, SIE_SSIE);
}

static void sleeper(unsigned long arg)
{
	stage = arg;
	while (leave != arg)
		;
}

static void check_start(unsigned long hart)
{
	struct hart *h = &harts[hart];

	check_eq("stopped at first", (unsigned long)hart_status(hart), SBI_HSM_STOPPED);
	check_err("start", hart_run(hart, sleeper, 1), SBI_SUCCESS);
	CHECK("runs", WAIT_FOR(stage == 1, 60000), "never seen");
	check_eq("started", (unsigned long)hart_status(hart), SBI_HSM_STARTED);
	check_eq("a0 is the hart id", h->first_a0, hart);
	check_eq("satp is 0", h->first_satp, 0);
	check_eq("SIE is 0", h->first_status & SSTATUS_SIE, 0);
	check_err("double start", hart_run(hart, sleeper, 1), SBI_ERR_ALREADY_AVAILABLE);
	leave = 1;
	CHECK("stop", hart_wait_stopped(hart), "status %ld", hart_status(hart));
	check_err("restart", hart_run(hart, sleeper, 2), SBI_SUCCESS);
	CHECK("runs again", WAIT_FOR(stage == 2, 60000), "never seen");
	leave = 2;
	CHECK("stops again", hart_wait_stopped(hart), "status %ld", hart_status(hart));
	for (unsigned long i = 3; i < 100; i++) {
		hart_run(hart, sleeper, i);
		WAIT_FOR(stage == i, 60000);
		leave = i;
		hart_wait_stopped(hart);
	}
	check_eq("a hundred lives", stage, 99);
	check_err("bad address", sbi(SBI_EXT_HSM, SBI_HSM_START, hart, bad_address()),
		  SBI_ERR_INVALID_ADDRESS);
	CHECK_SHYPER("address above RAM",
		     sbi(SBI_EXT_HSM, SBI_HSM_START, hart, -4096UL).error ==
			     SBI_ERR_INVALID_ADDRESS,
		     "accepted");
	check_eq("still stopped", (unsigned long)hart_status(hart), SBI_HSM_STOPPED);
}

static void check_errors(void)
{
	unsigned long n = hart_count();

	check_eq("own status", (unsigned long)hart_status(boot_hart), SBI_HSM_STARTED);
	check_err("start of self", hart_run(boot_hart, sleeper, 0), SBI_ERR_ALREADY_AVAILABLE);
	check_err("status of no hart", sbi(SBI_EXT_HSM, SBI_HSM_STATUS, n), SBI_ERR_INVALID_PARAM);
	check_err("status of hart -1", sbi(SBI_EXT_HSM, SBI_HSM_STATUS, -1UL),
		  SBI_ERR_INVALID_PARAM);
	CHECK_SHYPER("status of hart 2^32",
		     sbi(SBI_EXT_HSM, SBI_HSM_STATUS, 1UL << 32).error == SBI_ERR_INVALID_PARAM,
		     "accepted");
	check_err("start of no hart", sbi(SBI_EXT_HSM, SBI_HSM_START, n, hart_entry),
		  SBI_ERR_INVALID_PARAM);
	check_err("start of hart -1", sbi(SBI_EXT_HSM, SBI_HSM_START, -1UL, hart_entry),
		  SBI_ERR_INVALID_PARAM);
}

static void check_suspend_errors(void)
{
	static const u32 reserved[] = {1, 0x0fffffff, 0x80000001, 0x8fffffff};
	static const u32 platform[] = {0x10000000, 0x7fffffff, 0x90000000, 0xffffffff};

	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++)
		check_err("reserved type", sbi(SBI_EXT_HSM, SBI_HSM_SUSPEND, reserved[i]),
			  SBI_ERR_INVALID_PARAM);
	for (size_t i = 0; i < ARRAY_SIZE(platform); i++) {
		long error = sbi(SBI_EXT_HSM, SBI_HSM_SUSPEND, platform[i]).error;

		CHECK("platform type",
		      error == SBI_ERR_INVALID_PARAM || error == SBI_ERR_NOT_SUPPORTED,
		      "error %ld", error);
	}
	check_err("resume at nowhere",
		  sbi(SBI_EXT_HSM, SBI_HSM_SUSPEND, SBI_HSM_NON_RETENTIVE, bad_address()),
		  SBI_ERR_INVALID_ADDRESS);
}

static void check_suspend_self(void)
{
	u64 when = rdtime() + 10 * MS;

	csr_set(sie, SIE_STIE);
	set_timer(when);
	check_err("suspend until the timer", sbi(SBI_EXT_HSM, SBI_HSM_SUSPEND, SBI_HSM_RETENTIVE),
		  SBI_SUCCESS);
	WAIT_FOR(rdtime() >= when, 100); /* it may come back early, as WFI may */
	set_timer(-1UL);
	csr_clear(sie, SIE_STIE);
	csr_set(sie, SIE_SSIE);
	csr_set(sip, SIE_SSIE);
	check_err("suspend with an IPI pending",
		  sbi(SBI_EXT_HSM, SBI_HSM_SUSPEND, SBI_HSM_RETENTIVE), SBI_SUCCESS);
	csr_clear(sip, SIE_SSIE);
	csr_clear(sie, SIE_SSIE);
}

static void doze(unsigned long arg)
{
	(void)arg;
	csr_set(sie, SIE_SSIE);
	suspend_error = 99;
	while (!(csr_read(sip) & SIE_SSIE))
		suspend_error = sbi(SBI_EXT_HSM, SBI_HSM_SUSPEND, SBI_HSM_RETENTIVE).error;
	csr_clear(sip, SIE_SSIE);
}

static void check_retentive(unsigned long hart)
{
	hart_run(hart, doze, 0);
	CHECK("suspended", WAIT_FOR(hart_status(hart) == SBI_HSM_SUSPENDED, 60000), "status %ld",
	      hart_status(hart));
	CHECK("start of a suspended hart", hart_run(hart, doze, 0).error, "accepted");
	send_ipi(1, hart);
	CHECK("woken by IPI", hart_wait_stopped(hart), "status %ld", hart_status(hart));
	check_eq("returned success", (unsigned long)suspend_error, 0);
}

static void resumed(unsigned long arg)
{
	stage = arg;
}

/* Leaves paging and interrupts on: the resume must find both off. */
static void deep(unsigned long arg)
{
	struct hart *h = this_hart();

	(void)arg;
	mmu_on();
	csr_set(sie, SIE_SSIE);
	irqs_on();
	h->run = resumed;
	h->arg = 0x600d;
	h->first_satp = 1;
	h->first_a0 = -1UL;
	sbi(SBI_EXT_HSM, SBI_HSM_SUSPEND, SBI_HSM_NON_RETENTIVE, hart_entry, h);
	stage = 0xbad;
}

static void check_non_retentive(unsigned long hart)
{
	struct hart *h = &harts[hart];

	hart_run(hart, deep, 0);
	CHECK("deep suspended", WAIT_FOR(hart_status(hart) == SBI_HSM_SUSPENDED, 60000),
	      "status %ld", hart_status(hart));
	send_ipi(1, hart);
	CHECK("resumed", WAIT_FOR(stage == 0x600d, 60000), "stage 0x%lx", stage);
	CHECK("stopped after it", hart_wait_stopped(hart), "status %ld", hart_status(hart));
	check_eq("resume a0", h->first_a0, hart);
	check_eq("resume satp", h->first_satp, 0);
	check_eq("resume SIE", h->first_status & SSTATUS_SIE, 0);
}

void payload(void)
{
	unsigned long hart = other_hart();

	irq_handle(IRQ_SOFT, on_soft);
	check_eq("boot a0", harts[boot_hart].first_a0, boot_hart);
	check_eq("boot satp", harts[boot_hart].first_satp, 0);
	check_eq("boot SIE", harts[boot_hart].first_status & SSTATUS_SIE, 0);
	check_errors();
	check_suspend_errors();
	check_suspend_self();
	if (hart < MAX_HARTS) {
		check_start(hart);
		check_retentive(hart);
		check_non_retentive(hart);
	}
}
