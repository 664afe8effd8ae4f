/* SPDX-License-Identifier: BSD-2-Clause */
/* Counting and reporting of checks, and the payload's end. */
#include "guest.h"

static unsigned long passed;
static unsigned long failed;

bool check_line(const char *name, bool good)
{
	if (good) {
		passed++;
		say("ok %s\n", name);
	} else {
		failed++;
		say("not ok %s: ", name);
	}
	return good;
}

void check_eq(const char *name, unsigned long got, unsigned long want)
{
	CHECK(name, got == want, "got 0x%lx, want 0x%lx", got, want);
}

void check_err(const char *name, struct sbiret ret, long want)
{
	CHECK(name, ret.error == want, "error %ld, want %ld (value 0x%lx)", ret.error, want,
	      ret.value);
}

void check_trap(const char *name, struct trap t, unsigned long cause, unsigned long value)
{
	bool good = t.cause == cause && (cause == TRAP_NONE || t.value == value);

	CHECK(name, good, "cause %ld stval 0x%lx at 0x%lx, want cause %ld stval 0x%lx",
	      (long)t.cause, t.value, t.epc, (long)cause, value);
}

void check_cause(const char *name, struct trap t, unsigned long cause)
{
	CHECK(name, t.cause == cause, "cause %ld stval 0x%lx at 0x%lx, want cause %ld",
	      (long)t.cause, t.value, t.epc, (long)cause);
}

void finish(void)
{
	say("done %lu passed, %lu failed\n", passed, failed);
	sbi(SBI_EXT_SRST, 0, SBI_SRST_SHUTDOWN,
	    failed || !passed ? SBI_SRST_SYSTEM_FAILURE : SBI_SRST_NO_REASON);
	say("not ok shutdown: SRST returned\n");
	for (;;)
		wfi();
}
