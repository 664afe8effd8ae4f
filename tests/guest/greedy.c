/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does one thing for ever on all its harts, to take time from whoever shares them: what "deed="
 * on the kernel command line names.
 */
#include "guest.h"

static unsigned long others;	/* mask of all its harts */
static volatile unsigned long sink;

static void sleep_awake(void)
{
	csr_set(sip, SIE_SSIE);		/* pending and enabled: no WFI lasts */
	csr_write(sie, SIE_SSIE);
	for (;;)
		wfi();
}

static void nothing(void)
{
}

/* Its handler leaves it pending, so that not one instruction passes between two. */
static void timers_past(void)
{
	irq_handle(IRQ_TIMER, nothing);
	set_timer(0);
	csr_write(sie, SIE_STIE);
	irqs_on();
	for (;;)
		;
}

static void timers_anew(void)
{
	csr_write(sie, 0);
	for (;;)
		set_timer(rdtime());
}

static void timers_soon(void)
{
	csr_write(sie, SIE_STIE);
	for (;;) {
		set_timer(rdtime() + 1);
		wfi();
	}
}

static void clear_ipi(void)
{
	csr_clear(sip, SIE_SSIE);
}

static void ipis(void)
{
	irq_handle(IRQ_SOFT, clear_ipi);
	csr_write(sie, SIE_SSIE);
	irqs_on();
	for (;;)
		send_ipi(others, 0);
}

static void ipis_to_sleepers(void)
{
	irq_handle(IRQ_SOFT, clear_ipi);
	csr_write(sie, SIE_SSIE);
	irqs_on();
	for (;;) {
		send_ipi(others, 0);
		wfi();
	}
}

static void fences(void)
{
	csr_write(sie, 0);
	for (;;) {
		sbi_call(SBI_EXT_RFENCE, 0, others, 0, 0, 0, 0, 0);
		sbi_call(SBI_EXT_RFENCE, 1, others, 0, 0, ~0UL, 0, 0);
	}
}

static void yields(void)
{
	for (;;)
		__asm__ volatile(".4byte 0x00d00073" ::: "memory");	/* wrs.nto */
}

static void exits(void)
{
	for (;;) {
		sink = *(volatile u8 *)UART_BASE;
		TRY(*(volatile u32 *)NOWHERE = 0);
		TRY(csr_write(0x600, 0));	/* hstatus */
	}
}

static void irqs_off_spin(void)
{
	irqs_off();
	csr_write(sie, 0);
	for (;;)
		;
}

static const struct {
	const char *name;
	void (*run)(void);
} deeds[] = {
	{ "spin", irqs_off_spin }, { "wfi", sleep_awake }, { "timers-past", timers_past },
	{ "timers-anew", timers_anew }, { "timers-soon", timers_soon }, { "ipis", ipis },
	{ "ipis-wfi", ipis_to_sleepers }, { "fences", fences }, { "yields", yields },
	{ "exits", exits },
};

/* Does the text at p, in the device tree, name the deed? */
static bool names(const char *p, const char *name)
{
	const char *key = "deed=";

	while (*key)
		if (*p++ != *key++)
			return false;
	while (*name)
		if (*p++ != *name++)
			return false;
	return !*p;
}

static unsigned long chosen(void)
{
	const char *tree = (const char *)boot_dtb;
	unsigned long size = __builtin_bswap32(((const u32 *)boot_dtb)[1]);

	for (unsigned long at = 0; at + 32 < size; at++)
		for (unsigned long i = 0; i < ARRAY_SIZE(deeds); i++)
			if (names(tree + at, deeds[i].name))
				return i;
	return ARRAY_SIZE(deeds);
}

static void run(unsigned long i)
{
	deeds[i].run();
}

void payload(void)
{
	unsigned long n = hart_count(), i = chosen();

	CHECK("a deed", i < ARRAY_SIZE(deeds), "none on the command line");
	if (i == ARRAY_SIZE(deeds))
		finish();
	others = (1UL << n) - 1;
	for (unsigned long hart = 0; hart < n; hart++)
		if (hart != boot_hart)
			hart_run(hart, run, i);
	run(i);
}
