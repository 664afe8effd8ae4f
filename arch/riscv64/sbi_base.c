/* SPDX-License-Identifier: BSD-2-Clause */
/* SBI BASE: versions and what there is ("Base Extension"). */
#include <asm/exit.h>
#include <asm/sbi.h>
#include <hv/vcpu.h>

/* Functions 0 to 2. */
static const u64 constants[] = {
	[SBI_EXT_BASE_GET_SPEC_VERSION] = SBI_SPEC_VERSION(2, 0),
	[SBI_EXT_BASE_GET_IMPL_ID] = SHYPER_SBI_IMPL_ID,
	[SBI_EXT_BASE_GET_IMPL_VERSION] = SHYPER_SBI_IMPL_VERSION,
};

__hot struct sbi_ret sbi_base(struct vcpu *vcpu, u64 fid, const u64 *arg)
{
	(void)vcpu;
	if (fid < ARRAY_SIZE(constants))
		return sbi_ok(constants[fid]);
	switch (fid) {
	case SBI_EXT_BASE_PROBE_EXTENSION:
		return sbi_ok(sbi_find(arg[0]) != NULL);
	case SBI_EXT_BASE_GET_MVENDORID:
	case SBI_EXT_BASE_GET_MARCHID:
	case SBI_EXT_BASE_GET_MIMPID:
		/* The board's own: guests choose their errata work-arounds by them. */
		return sbi_call(SBI_EXT_BASE, fid, 0, 0, 0);
	}
	return sbi_error(SBI_ERR_NOT_SUPPORTED);
}
