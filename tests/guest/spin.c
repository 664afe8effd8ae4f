/* SPDX-License-Identifier: BSD-2-Clause */
/* Turns its interrupts off and spins for ever, on every hart. Another VM must not notice. */
#include "guest.h"

static void spin(unsigned long arg)
{
	irqs_off();
	csr_write(sie, 0);
	for (;;)
		__asm__ volatile("" : "+r"(arg));
}

void payload(void)
{
	unsigned long n = hart_count();

	CHECK("spinning from now on", true, " ");
	for (unsigned long i = 0; i < n; i++)
		if (i != boot_hart)
			hart_run(i, spin, 0);
	spin(0);
}
