/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Resets the system again and again while the other harts start, stop, interrupt and fence each
 * other: whoever is late must not come back to life in memory that is no longer the guest's.
 */
#include "guest.h"

#define LONGEST (2 * MS)	/* of a life */

static void storm(unsigned long arg)
{
	unsigned long n = hart_count();

	for (u64 end = rdtime() + arg; rdtime() < end;) {
		for (unsigned long i = 0; i < n; i++)
			sbi(SBI_EXT_HSM, SBI_HSM_START, i, hart_entry, &harts[i]);
		sbi(SBI_EXT_RFENCE, SBI_RFENCE_SFENCE_VMA, 0, -1UL, 0, 0);
		send_ipi(0, -1UL);
	}
}

void payload(void)
{
	unsigned long n = hart_count();
	u64 seed = 0;

	CHECK("storm", n > 1, "needs more harts");
	__asm__ volatile("rdcycle %0" : "=r"(seed));
	for (unsigned long i = 0; i < n; i++) {
		harts[i].run = storm;
		harts[i].arg = MS / 4;
	}
	for (u64 end = rdtime() + seed % LONGEST; rdtime() < end;)
		for (unsigned long i = 0; i < n; i++)
			sbi(SBI_EXT_HSM, SBI_HSM_START, i, hart_entry, &harts[i]);
	sbi(SBI_EXT_SRST, 0, SBI_SRST_COLD_REBOOT, 0);
}
