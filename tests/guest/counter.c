/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts aloud, ten times a second, for ever: the VM that must not notice what others do. */
#include "guest.h"

void payload(void)
{
	u64 next = rdtime();

	for (unsigned long n = 0;; n++) {
		say("count %lu late %lu us\n", n, (rdtime() - next) / (TIMEBASE / 1000000));
		next += 100 * MS;
		set_timer(next);
		csr_set(sie, SIE_STIE);
		while (rdtime() < next)
			wfi();
	}
}
