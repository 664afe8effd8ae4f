/* SPDX-License-Identifier: BSD-2-Clause */
/* SBI RFENCE ("RFENCE Extension"). Guests have no H extension, so no hfence of theirs exists. */
#include <asm/exit.h>
#include <asm/hart.h>
#include <asm/sbi.h>
#include <hv/vcpu.h>
#include <hv/vm.h>

/* Functions by number: what to execute, and the firmware event counted for the sender. */
static const struct {
	enum fence_op op;
	u32 event;
} fences[] = {
	[SBI_EXT_RFENCE_REMOTE_FENCE_I] = { FENCE_I, SBI_PMU_FW_FENCE_I_SENT },
	[SBI_EXT_RFENCE_REMOTE_SFENCE_VMA] = { FENCE_VVMA, SBI_PMU_FW_SFENCE_VMA_SENT },
	[SBI_EXT_RFENCE_REMOTE_SFENCE_VMA_ASID] = { FENCE_VVMA_ASID,
						    SBI_PMU_FW_SFENCE_VMA_ASID_SENT },
};

/* A vCPU that shares its hart, and is not loaded there, gets its fences when it is. */
static void make_stale(struct vcpu *sender, u64 vcpus)
{
	struct vm *vm = sender->vm;

	for (vcpus &= ~BIT(sender->index); vcpus; vcpus &= vcpus - 1) {
		const struct vcpu *vcpu = vm->vcpu[__builtin_ctzll(vcpus)];

		if (vcpu->shared)
			vmid_vcpu_stale(&vm->arch.vmid, vcpu->hart->index);
	}
}

static bool loaded(const struct vcpu *vcpu)
{
	return __atomic_load_n(&vcpu->hart->loaded, __ATOMIC_ACQUIRE) == vcpu;
}

/*
 * The harts of those vCPUs that may use translations: a stopped one flushes when it starts. The
 * guest has changed its tables before this call. The fence keeps that order: a vCPU that is seen
 * stopped here is started later, and its first walk finds the change. One that is seen not loaded
 * is loaded later, and finds itself stale (arch_vcpu_load() names itself before it looks).
 */
static u64 harts_of(struct vcpu *sender, u64 vcpus)
{
	const struct vm *vm = sender->vm;
	u64 mask = 0;

	make_stale(sender, vcpus);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (; vcpus; vcpus &= vcpus - 1) {
		const struct vcpu *vcpu = vm->vcpu[__builtin_ctzll(vcpus)];
		enum vcpu_state state = vcpu_state(vcpu);

		if ((state == VCPU_STARTING || state == VCPU_RUNNING || state == VCPU_SUSPENDED) &&
		    (!vcpu->shared || loaded(vcpu)))
			mask |= BIT(vcpu->hart->index);
	}
	return mask;
}

__hot struct sbi_ret sbi_rfence(struct vcpu *vcpu, u64 fid, const u64 *arg)
{
	struct fence fence = { .start = arg[2], .size = arg[3], .asid = arg[4],
			       .vm = vcpu->vm };
	u64 vcpus;

	if (fid >= ARRAY_SIZE(fences))
		return sbi_error(SBI_ERR_NOT_SUPPORTED);
	if (!sbi_hart_mask(vcpu->vm, arg[0], arg[1], &vcpus))
		return sbi_error(SBI_ERR_INVALID_PARAM);
	fence.op = fences[fid].op;
	vpmu_count(&vcpu->arch.pmu, fences[fid].event);
	/* "start_addr and size both 0, or size is all ones": everything; so is what would wrap. */
	if (fence.size == 0 || fence.start + fence.size < fence.start)
		fence.size = FENCE_ALL;
	if (vcpus == BIT(vcpu->index))
		fence_self(&fence);	/* it runs: no need to look */
	else
		fence_remote(harts_of(vcpu, vcpus), &fence);
	return sbi_ok(0);
}
