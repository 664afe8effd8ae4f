/* SPDX-License-Identifier: BSD-2-Clause */
/* The legacy calls that old payloads still make: their result is in a0, a1 is kept. */
#include "guest.h"

static long legacy(unsigned long ext, unsigned long arg)
{
	return sbi(ext, 0, arg, 0x1234).error;
}

void payload(void)
{
	for (const char *s = "legacy says hello\n"; *s; s++)
		if (legacy(SBI_EXT_LEGACY_PUTCHAR, (unsigned long)*s))
			CHECK("putchar", false, "failed at %s", s);
	check_eq("putchar keeps a1",
		 (unsigned long)sbi(SBI_EXT_LEGACY_PUTCHAR, 0, ' ', 0x1234).value, 0x1234);
	check_eq("getchar without input", (unsigned long)legacy(SBI_EXT_LEGACY_GETCHAR, 0), -1UL);
	say("legacy send\n");
	CHECK("getchar", WAIT_FOR(legacy(SBI_EXT_LEGACY_GETCHAR, 0) == 'k', 20000), "no k came");
	check_eq("registers kept: putchar",
		 sbi_changed_registers(SBI_EXT_LEGACY_PUTCHAR, 0, ' ', 0), 0);
	CHECK("shutdown comes next", true, " ");
	say("done 1 passed, 0 failed\n");
	sbi(SBI_EXT_LEGACY_SHUTDOWN, 0);
	CHECK("shutdown", false, "returned");
}
