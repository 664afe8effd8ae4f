/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loses its stack: every trap's first store faults again, for ever. Only this guest may suffer;
 * the runner ends it.
 */
#include "guest.h"

void payload(void)
{
	CHECK("losing the stack now", true, " ");
	__asm__ volatile("li sp, 0\nunimp");
}
