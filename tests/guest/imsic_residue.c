/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Its interrupt file is empty when it starts, whoever had it before; it leaves everything set, the
 * RTC's wire high and its own messages under way, and reboots. When something is there it ends by a
 * failure; also when a minute's alarm has never come, so that nothing was under way.
 */
#include "guest.h"

#define WORDS 4UL	/* of 64 identities: QEMU's files have 255 */

#define RTC_ALARM_LOW (RTC_BASE + 0x08)
#define RTC_ALARM_HIGH (RTC_BASE + 0x0c)
#define RTC_IRQ_ENABLED (RTC_BASE + 0x10)
#define WIRE_ID 70UL	/* identities of the RTC's messages, and of others */
#define SENT_ID 200U

static unsigned long residue(void)
{
	unsigned long any = imsic_read(IMSIC_EIDELIVERY) | imsic_read(IMSIC_EITHRESHOLD);

	for (unsigned long w = 0; w < WORDS; w++)
		any |= imsic_read(IMSIC_EIP0 + 2 * w) | imsic_read(IMSIC_EIE0 + 2 * w);
	return any;
}

static void dirty(void)
{
	for (unsigned long w = 0; w < WORDS; w++) {
		imsic_write(IMSIC_EIE0 + 2 * w, ~0UL);
		imsic_write(IMSIC_EIP0 + 2 * w, ~0UL);
	}
	imsic_write(IMSIC_EITHRESHOLD, 200);
	imsic_write(IMSIC_EIDELIVERY, 1);
}

/*
 * An alarm of long ago makes the RTC's wire high at once. One message of it comes, and the next is
 * asked for, as for a level that is still high, when nobody looks any more.
 */
static bool wire(void)
{
	bool came;

	imsic_write(IMSIC_EIP0 + 2 * (WIRE_ID / 64), 0);
	write_u32(APLIC_BASE, 0x104);
	write_u32(APLIC_BASE + 4 * RTC_IRQ, 6);
	write_u32(APLIC_BASE + 0x3000 + 4 * RTC_IRQ, (u32)boot_hart << 18 | WIRE_ID);
	write_u32(APLIC_BASE + 0x1edc, RTC_IRQ);
	write_u32(RTC_IRQ_ENABLED, 1);
	write_u32(RTC_ALARM_HIGH, 0);
	write_u32(RTC_ALARM_LOW, 1);
	came = WAIT_FOR(imsic_read(IMSIC_EIP0 + 2 * (WIRE_ID / 64)) >> WIRE_ID % 64 & 1, 60000);
	imsic_write(IMSIC_EIP0 + 2 * (WIRE_ID / 64), 0);
	return came;
}

/* To itself: by the wire, by a message of the APLIC's own, by one of the hart's. */
static void send(void)
{
	write_u32(APLIC_BASE + 0x2000, RTC_IRQ);
	write_u32(APLIC_BASE + 0x3000, (u32)boot_hart << 18 | SENT_ID);
	write_u32(IMSIC_BASE + 0x1000 * boot_hart, SENT_ID + 1);
}

void payload(void)
{
	unsigned long found = residue();

	check_eq("residue", found, 0);
	CHECK("the wire is high", wire(), "no message of it");
	dirty();
	CHECK("dirty", residue() != 0, "not");
	send();
	if (!found)
		sbi(SBI_EXT_SRST, 0, SBI_SRST_COLD_REBOOT, SBI_SRST_NO_REASON);
}
