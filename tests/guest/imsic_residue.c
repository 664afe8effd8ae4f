/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Its interrupt file is empty when it starts, whoever had it before; it leaves everything set, and
 * reboots. When something is there it ends by a failure.
 */
#include "guest.h"

#define EIDELIVERY 0x70UL
#define EITHRESHOLD 0x72UL
#define EIP0 0x80UL
#define EIE0 0xc0UL
#define WORDS 4UL	/* of 64 identities: QEMU's files have 255 */

static unsigned long rd(unsigned long select)
{
	csr_write(0x150, select);	/* siselect, sireg */
	return csr_read(0x151);
}

static void wr(unsigned long select, unsigned long value)
{
	csr_write(0x150, select);
	csr_write(0x151, value);
}

static unsigned long residue(void)
{
	unsigned long any = rd(EIDELIVERY) | rd(EITHRESHOLD);

	for (unsigned long w = 0; w < WORDS; w++)
		any |= rd(EIP0 + 2 * w) | rd(EIE0 + 2 * w);
	return any;
}

static void dirty(void)
{
	for (unsigned long w = 0; w < WORDS; w++) {
		wr(EIE0 + 2 * w, ~0UL);
		wr(EIP0 + 2 * w, ~0UL);
	}
	wr(EITHRESHOLD, 200);
	wr(EIDELIVERY, 1);
}

void payload(void)
{
	unsigned long found = residue();

	check_eq("residue", found, 0);
	dirty();
	CHECK("dirty", residue() != 0, "not");
	if (!found)
		sbi(SBI_EXT_SRST, 0, SBI_SRST_COLD_REBOOT, SBI_SRST_NO_REASON);
}
