/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VM beside one that abuses its interrupt controller: it would take any interrupt that is not
 * its own, and reads all of its APLIC and its interrupt file, again and again. No end.
 */
#include "guest.h"


static volatile unsigned long taken;

static void on_interrupt(void)
{
	taken++;
	csr_clear(sie, -1UL);
}

/* Deaf for as long as it looks, for what is taken is not pending any more. */
static unsigned long file(void)
{
	unsigned long any = 0;

	if (!have_ssaia())
		return 0;
	irqs_off();
	for (unsigned long w = 0; w < 4; w++) {
		any |= imsic_read(IMSIC_EIP0 + 2 * w);
		any |= imsic_read(IMSIC_EIE0 + 2 * w) ^ (w ? -1UL : -2UL);
	}
	any |= imsic_read(IMSIC_EIDELIVERY) ^ 1;
	any |= imsic_read(IMSIC_EITHRESHOLD);
	irqs_on();
	return any;
}

/* sourcecfg, setip, in_clrip, setie, target, IDCs; domaincfg is read-only but for what we write. */
static unsigned long aplic(void)
{
	unsigned long any = 0;

	for (unsigned long at = 4; at < 0x1000; at += 4)
		any |= read_u32(APLIC_BASE + at);
	for (unsigned long at = 0x1c00; at < 0x1f00; at += 4)
		any |= read_u32(APLIC_BASE + at);
	return any;
}

void payload(void)
{
	irq_handle(IRQ_SOFT, on_interrupt);
	irq_handle(IRQ_EXT, on_interrupt);
	for (unsigned long w = 0; have_ssaia() && w < 4; w++)
		imsic_write(IMSIC_EIE0 + 2 * w, -1UL);
	if (have_ssaia())
		imsic_write(IMSIC_EIDELIVERY, 1);
	write_u32(APLIC_BASE, 0x100);
	csr_set(sie, SIE_SSIE | SIE_SEIE);
	irqs_on();
	for (unsigned long n = 1;; n++) {
		unsigned long dirt = file() | aplic();

		WAIT_FOR(taken, 50);
		if (dirt || taken)
			say("victim hit: 0x%lx, %lu\n", dirt, taken);
		else
			say("victim clean %lu\n", n);
	}
}
