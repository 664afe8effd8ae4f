/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads all 4096 CSRs. Those of a plain S-mode hart answer, all others are illegal instructions:
 * whatever else the board's harts have, Shyper neither swaps nor resets it.
 */
#include "exec.h"
#include "guest.h"

#define SIREG 0x151
#define CSRRS_A0(csr) (0x2573 | (u32)(csr) << 20)	/* csrrs a0, csr, x0 */

static bool known(u32 csr)
{
	static const u16 numbers[] = {
		0x001, 0x002, 0x003,				/* fflags, frm, fcsr */
		0x100, 0x104, 0x105, 0x106, 0x10a,		/* sstatus … senvcfg */
		0x140, 0x141, 0x142, 0x143, 0x144, 0x180,	/* sscratch … sip, satp */
		0xc00, 0xc01, 0xc02,				/* cycle, time, instret */
	};

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (numbers[i] == csr)
			return true;
	if (csr == 0x14d)
		return have_sstc();
	return have_ssaia() && (csr == 0x150 || csr == 0x15c || csr == 0xdb0);
}

void payload(void)
{
	struct exec e;

	for (u32 csr = 0; csr < 4096; csr++) {
		unsigned long want = known(csr) ? TRAP_NONE : 2;

		if (csr == SIREG && have_ssaia())
			continue;	/* it depends on siselect */
		exec_fill(&e);
		exec_insn(&e, CSRRS_A0(csr), EXEC_INSIDE);
		if (e.cause != want)
			CHECK("csr", false, "0x%x: cause %ld", csr, (long)e.cause);
	}
	CHECK("scan", true, " ");
}
