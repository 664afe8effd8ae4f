/* SPDX-License-Identifier: BSD-2-Clause */
/* SBI STA ("Steal-time Accounting Extension"). */
#include <asm/sbi.h>
#include <hv/gmap.h>
#include <hv/vcpu.h>
#include <hv/vm.h>

#define NOWHERE (~(u64)0)

static struct sbi_ret set_shmem(struct vcpu *vcpu, u64 low, u64 high, u64 flags)
{
	u8 *at = NULL;

	if (flags)
		return sbi_error(SBI_ERR_INVALID_PARAM);
	if (low != NOWHERE || high != NOWHERE) {
		if (!IS_ALIGNED(low, (u64)STEAL_SIZE))
			return sbi_error(SBI_ERR_INVALID_PARAM);
		at = high ? NULL : gmap_ram_ptr(&vcpu->vm->gmap, GPA(low), STEAL_SIZE);
		if (!at)
			return sbi_error(SBI_ERR_INVALID_ADDRESS);
	}
	steal_show(vcpu, at);
	return sbi_ok(0);
}

struct sbi_ret sbi_sta(struct vcpu *vcpu, u64 fid, const u64 *arg)
{
	if (fid != SBI_EXT_STA_STEAL_TIME_SET_SHMEM)
		return sbi_error(SBI_ERR_NOT_SUPPORTED);
	return set_shmem(vcpu, arg[0], arg[1], arg[2]);
}
