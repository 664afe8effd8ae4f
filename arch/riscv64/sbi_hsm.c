/* SPDX-License-Identifier: BSD-2-Clause */
/* SBI HSM ("Hart State Management Extension"). */
#include <asm/sbi.h>
#include <hv/vcpu.h>
#include <hv/vm.h>

static struct sbi_ret hart_start(struct vm *vm, const u64 *arg)
{
	if (arg[0] >= vm->vcpus)
		return sbi_error(SBI_ERR_INVALID_PARAM);
	if (!sbi_start_valid(vm, arg[1]))
		return sbi_error(SBI_ERR_INVALID_ADDRESS);
	if (vcpu_start(vm->vcpu[arg[0]], arg[1], arg[2]))
		return sbi_error(SBI_ERR_ALREADY_AVAILABLE);
	return sbi_ok(0);
}

static struct sbi_ret hart_get_status(const struct vm *vm, u64 hartid)
{
	static const u8 status[] = {
		[VCPU_STOPPED] = SBI_HSM_STATE_STOPPED,
		[VCPU_CLAIMED] = SBI_HSM_STATE_START_PENDING,
		[VCPU_STARTING] = SBI_HSM_STATE_START_PENDING,
		[VCPU_RUNNING] = SBI_HSM_STATE_STARTED,
		[VCPU_SUSPENDED] = SBI_HSM_STATE_SUSPENDED,
		[VCPU_HALTED] = SBI_HSM_STATE_STOPPED,
	};

	if (hartid >= vm->vcpus)
		return sbi_error(SBI_ERR_INVALID_PARAM);
	return sbi_ok(status[vcpu_state(vm->vcpu[hartid])]);
}

/* suspend_type is 32 bits wide. No platform-specific type exists here, so none is valid. */
static struct sbi_ret hart_suspend(struct vcpu *vcpu, const u64 *arg)
{
	u32 type = (u32)arg[0];
	struct vcpu_start resume = { .pc = arg[1], .arg = arg[2] };

	if (type == SBI_HSM_SUSPEND_RETENTIVE) {
		vcpu_suspend(vcpu, NULL);
	} else if (type == SBI_HSM_SUSPEND_NON_RETENTIVE) {
		if (!sbi_start_valid(vcpu->vm, resume.pc))
			return sbi_error(SBI_ERR_INVALID_ADDRESS);
		vcpu_suspend(vcpu, &resume);
	} else {
		return sbi_error(SBI_ERR_INVALID_PARAM);
	}
	return sbi_ok(0);
}

struct sbi_ret sbi_hsm(struct vcpu *vcpu, u64 fid, const u64 *arg)
{
	switch (fid) {
	case SBI_EXT_HSM_HART_START:
		return hart_start(vcpu->vm, arg);
	case SBI_EXT_HSM_HART_STOP:
		vcpu_stop(vcpu);
		return sbi_ok(0);	/* nobody sees it */
	case SBI_EXT_HSM_HART_GET_STATUS:
		return hart_get_status(vcpu->vm, arg[0]);
	case SBI_EXT_HSM_HART_SUSPEND:
		return hart_suspend(vcpu, arg);
	}
	return sbi_error(SBI_ERR_NOT_SUPPORTED);
}
