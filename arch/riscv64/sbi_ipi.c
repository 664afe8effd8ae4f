/* SPDX-License-Identifier: BSD-2-Clause */
/* SBI IPI ("IPI Extension"). */
#include <asm/exit.h>
#include <asm/sbi.h>
#include <hv/vcpu.h>
#include <hv/vm.h>

__hot struct sbi_ret sbi_ipi(struct vcpu *vcpu, u64 fid, const u64 *arg)
{
	struct vm *vm = vcpu->vm;
	u64 vcpus;

	if (fid != SBI_EXT_IPI_SEND_IPI)
		return sbi_error(SBI_ERR_NOT_SUPPORTED);
	if (!sbi_hart_mask(vm, arg[0], arg[1], &vcpus))
		return sbi_error(SBI_ERR_INVALID_PARAM);
	vpmu_count(&vcpu->arch.pmu, SBI_PMU_FW_IPI_SENT);
	for (; vcpus; vcpus &= vcpus - 1) {
		struct vcpu *target = vm->vcpu[__builtin_ctzll(vcpus)];

		if (target == vcpu)
			arch_vcpu_soft(vcpu);
		else
			vcpu_request(target, VCPU_REQ_SOFT);
	}
	return sbi_ok(0);
}
