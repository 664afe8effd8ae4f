/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Life after life: finds FP and vector registers of zeros, leaves them full, and resets the system.
 * Says "not ok" for what another VM or an earlier life has left there.
 */
#include "fp.h"

static struct vec full, found;

void payload(void)
{
	static const struct fp zero;
	struct fp fp;
	bool good;

	__asm__ volatile(".4byte 0x00d00073");	/* wrs.nto: the registers may become another's */
	fp_store(&fp);
	good = !memcmp(&fp, &zero, sizeof(fp));
	for (unsigned long i = 0; i < 32; i++)
		fp.f[i] = ~i;
	fp_load(&fp);
	if (have_vector()) {
		csr_set(sstatus, SSTATUS_VS);
		vec_store(&found);
		for (unsigned long i = 0; i < 32 * vec_vlenb(); i++)
			good = good && !found.reg[i];
		memset(full.reg, 0xa5, sizeof(full.reg));
		vec_load(&full);
	}
	CHECK("nothing was left", good, "0x%lx", fp.f[0]);
	__asm__ volatile(".4byte 0x00d00073");
	sbi(SBI_EXT_SRST, 0, SBI_SRST_COLD_REBOOT, 0);
}
