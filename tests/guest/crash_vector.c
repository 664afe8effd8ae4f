/* SPDX-License-Identifier: BSD-2-Clause */
/* Loses its trap vector: nothing in the guest can end that, so Shyper does. */
#include "guest.h"

void payload(void)
{
	CHECK("losing the trap vector now", true, " ");
	irqs_off();
	csr_write(stvec, NOWHERE);
	__asm__ volatile("unimp");
}
