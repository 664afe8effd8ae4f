/* SPDX-License-Identifier: BSD-2-Clause */
/* Prints for ever, by the UART and by SBI in turns, on every hart. Another VM must not notice. */
#include "guest.h"

static void flood(unsigned long arg)
{
	static const char text[] = "flood flood flood flood flood flood flood flood flood\r\n";

	(void)arg;
	for (;;) {
		sbi(SBI_EXT_DBCN, SBI_DBCN_WRITE, sizeof(text) - 1, text, 0);
		for (size_t i = 0; i < sizeof(text) - 1; i++)
			say_char(text[i]);
	}
}

void payload(void)
{
	unsigned long n = hart_count();

	CHECK("flooding from now on", true, " ");
	for (unsigned long i = 0; i < n; i++)
		if (i != boot_hart)
			hart_run(i, flood, 0);
	flood(0);
}
