/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Faults of Shyper itself, on demand: the boot argument selftest=KIND has the boot hart commit one
 * some seconds after the VMs were started, so that tests see what a user would.
 */
#include <asm/boot.h>
#include <asm/hart.h>
#include <asm/selftest.h>
#include <hv/check.h>
#include <hv/log.h>
#include <hv/string.h>
#include <hv/timer.h>

#define DELAY_SECONDS 4

static void do_panic(void)
{
	panic("selftest");
}

/* Page 0 is mapped for nobody. */
static void do_fault(void)
{
	volatile uintptr_t nowhere = 8;

	*(volatile u64 *)nowhere = 0;
}

/* Text is not writable, data is not executable. */
static void do_text(void)
{
	*(volatile u32 *)(uintptr_t)_image_start = 0;
}

static void do_exec(void)
{
	static u32 code[2] = { 0x00008067, 0x00008067 };	/* ret */
	void (*run)(void);
	u32 *at = code;

	memcpy(&run, &at, sizeof(run));
	run();
}

/* Far more than a stack holds; volatile, so that every level has its frame. */
static u64 recurse(u64 depth)
{
	volatile u64 frame[64];

	frame[depth % 64] = depth;
	return depth ? recurse(depth - 1) + frame[depth % 64] : 0;
}

static void do_stack(void)
{
	log_err("selftest: %llu", (unsigned long long)recurse(100000));
}

/* Overruns an array on the stack, which the canary must notice. */
static void do_smash(void)
{
	char buf[16];
	char *volatile at = buf;

	for (u32 i = 0; i < 64; i++)
		at[i] = 'x';
	log_err("selftest: %c", buf[0]);
}

static const struct {
	const char *name;
	void (*run)(void);
} kinds[] = {
	{ "panic", do_panic }, { "fault", do_fault }, { "text", do_text },
	{ "exec", do_exec },   { "stack", do_stack }, { "smash", do_smash },
};

static void (*chosen)(void);
static struct timer timer;

static void fire(struct timer *unused)
{
	(void)unused;
	chosen();
	log_err("selftest: nothing noticed it");
}

bool selftest_choose(const char *kind, size_t len)
{
	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strlen(kinds[i].name) == len && !memcmp(kinds[i].name, kind, len))
			chosen = kinds[i].run;
	return chosen != NULL;
}

void selftest_start(void)
{
	if (!chosen)
		return;
	timer.fire = fire;
	timer_arm(&timer, arch_time() + DELAY_SECONDS * arch_timebase());
}
