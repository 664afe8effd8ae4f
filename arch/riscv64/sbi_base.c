/* SPDX-License-Identifier: BSD-2-Clause */
/* SBI BASE: versions and what there is ("Base Extension"). */
#include <asm/exit.h>
#include <asm/sbi.h>
#include <hv/vcpu.h>

/* The machine ids are the board's own: guests choose their errata work-arounds by them. */
static struct sbi_ret machine_id(u64 fid)
{
	return sbi_call(SBI_EXT_BASE, fid, 0, 0, 0);
}

__hot struct sbi_ret sbi_base(struct vcpu *vcpu, u64 fid, const u64 *arg)
{
	(void)vcpu;
	switch (fid) {
	case SBI_EXT_BASE_GET_SPEC_VERSION:
		return sbi_ok(SBI_SPEC_VERSION(2, 0));
	case SBI_EXT_BASE_GET_IMPL_ID:
		return sbi_ok(SHYPER_SBI_IMPL_ID);
	case SBI_EXT_BASE_GET_IMPL_VERSION:
		return sbi_ok(SHYPER_SBI_IMPL_VERSION);
	case SBI_EXT_BASE_PROBE_EXTENSION:
		return sbi_ok(sbi_find(arg[0]) != NULL);
	case SBI_EXT_BASE_GET_MVENDORID:
	case SBI_EXT_BASE_GET_MARCHID:
	case SBI_EXT_BASE_GET_MIMPID:
		return machine_id(fid);
	}
	return sbi_error(SBI_ERR_NOT_SUPPORTED);
}
