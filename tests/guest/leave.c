/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A management VM that pauses and stops the VMs which restart all the time, each at the first word,
 * and powers off while Shyper tells it events and records a trace.
 */
#include <abi/hypercall.h>

#include "guest.h"

static struct shyper_events events __attribute__((aligned(4096)));
static struct shyper_vm_info info;

static struct sbiret hc(unsigned long function, unsigned long a, unsigned long b, unsigned long c)
{
	return sbi_call(SHYPER_EXTENSION, function, a, b, c, 0, 0, 0);
}

static bool look(unsigned long id)
{
	return !hc(SHYPER_HC_VM_INFO, id, (unsigned long)&info, sizeof(info)).error;
}

static bool ended(unsigned long id)
{
	return look(id) && info.state == SHYPER_VM_ENDED;
}

static bool held(unsigned long id)
{
	return look(id) && info.state == SHYPER_VM_RUNNING && info.paused;
}

/* It may be in any part of a life, or between two; every other time it goes on at once. */
static void pause(unsigned long id)
{
	unsigned long refused = 0, ran = 0;

	for (unsigned long i = 0; i < 100; i++) {
		u64 boots;

		if (hc(SHYPER_HC_VM_PAUSE, id, 0, 0).error) {
			refused++;
			continue;
		}
		if (i & 1) {
			(void)WAIT_FOR(held(id), 1000);
			boots = info.boots;
			ran += WAIT_FOR(!held(id) || info.boots != boots, 5);
		}
		refused += hc(SHYPER_HC_VM_RESUME, id, 0, 0).error != 0;
	}
	check_eq("refused", refused, 0);
	check_eq("ran while paused", ran, 0);
}

static void stop(unsigned long id)
{
	u64 boots;

	CHECK("it restarts", WAIT_FOR(look(id) && info.boots > 10, 60000), "%lu", info.boots);
	pause(id);
	boots = info.boots;
	CHECK("goes on", WAIT_FOR(look(id) && info.boots > boots, 60000), "%lu", info.boots);
	check_err("stop", hc(SHYPER_HC_VM_STOP, id, 0, 0), SHYPER_OK);
	CHECK("ended", WAIT_FOR(ended(id), 10000), "state %u", info.state);
	boots = info.boots;
	CHECK("stays so", !WAIT_FOR(!ended(id) || info.boots != boots, 200), "boots %lu of %lu",
	      info.boots, boots);
	check_err("stop of what has ended", hc(SHYPER_HC_VM_STOP, id, 0, 0), SHYPER_E_BUSY);
}

void payload(void)
{
	for (unsigned long id = 1; look(id); id++)
		if (info.name[0] == 'b')
			stop(id);
	check_err("events", hc(SHYPER_HC_EVENTS, (unsigned long)&events, 20, 0), SHYPER_OK);
	check_err("trace", hc(SHYPER_HC_TRACE_START, BIT(SHYPER_TRACE_EVENTS) - 1, 64, 0),
		  SHYPER_OK);
}
