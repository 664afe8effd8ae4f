/* SPDX-License-Identifier: BSD-2-Clause */
/* All harts start at once, run, see each other's memory and exclude each other. */
#include "guest.h"

#define ADDS 500UL

static volatile unsigned long running;
static unsigned long total;
static unsigned long lock;
static unsigned long guarded;

static void work(unsigned long arg)
{
	__atomic_fetch_add(&running, 1, __ATOMIC_SEQ_CST);
	while (running < arg)
		;
	for (unsigned long i = 0; i < ADDS; i++) {
		__atomic_fetch_add(&total, 1, __ATOMIC_RELAXED);
		while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
			;
		guarded++;
		__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
	}
}

void payload(void)
{
	unsigned long n = hart_count();

	say("harts %lu, boot hart %lu\n", n, boot_hart);
	for (unsigned long i = 0; i < n; i++)
		if (i != boot_hart)
			check_err("start", hart_run(i, work, n), SBI_SUCCESS);
	CHECK("all run", WAIT_FOR(running == n - 1, 60000), "%lu of %lu", running, n - 1);
	work(n);
	for (unsigned long i = 0; i < n; i++)
		if (i != boot_hart)
			CHECK("stopped", WAIT_FOR(hart_status(i) == SBI_HSM_STOPPED, 60000),
			      "hart %lu status %ld", i, hart_status(i));
	check_eq("atomic adds", total, n * ADDS);
	check_eq("adds under a lock", guarded, n * ADDS);
	for (unsigned long i = 0; i < n; i++)
		check_eq("a0 was the hart id", harts[i].first_a0, i);
}
