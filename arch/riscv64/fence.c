/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fences across harts. A requester fills its own fence_out, sets its bit at every target and
 * interrupts them; each target executes the fence and clears its bit in the requester's
 * fence_left. One fence per requester is under way at a time, so nothing is queued or allocated.
 */
#include <asm/csr.h>
#include <asm/hart.h>
#include <asm/imsic.h>
#include <hv/vcpu.h>
#include <hv/vm.h>

/* Above this many pages one full fence is cheaper than single ones. */
#define FENCE_PAGES 64

static void fence_range(const struct fence *fence)
{
	u64 pages;

	if (fence->size == FENCE_ALL || fence->size > FENCE_PAGES * PAGE_SIZE) {
		if (fence->op == FENCE_VVMA_ASID)
			__asm__ volatile(".insn r SYSTEM, 0, 0x11, x0, x0, %0" /* hfence.vvma */
					 ::"r"(fence->asid) : "memory");
		else
			hfence_vvma_all();
		return;
	}
	/* Counted in pages: the last page of the address space has no address behind it. */
	pages = (fence->start % PAGE_SIZE + fence->size + PAGE_SIZE - 1) / PAGE_SIZE;
	for (u64 va = ALIGN_DOWN(fence->start, PAGE_SIZE); pages; pages--, va += PAGE_SIZE) {
		if (fence->op == FENCE_VVMA_ASID)
			__asm__ volatile(".insn r SYSTEM, 0, 0x11, x0, %0, %1"
					 ::"r"(va), "r"(fence->asid) : "memory");
		else
			__asm__ volatile(".insn r SYSTEM, 0, 0x11, x0, %0, x0"
					 :: "r"(va) : "memory");
	}
}

static void fence_local(const struct fence *fence)
{
	const struct hart *self = this_hart();

	switch (fence->op) {
	case FENCE_I:	/* fence_self() has done it */
		break;
	case FENCE_VVMA:
	case FENCE_VVMA_ASID:
		/*
		 * hfence.vvma acts on the VMID in hgatp ("Hypervisor Memory-Management Fences"). A
		 * vCPU that is not loaded flushes when it is loaded again.
		 */
		if (self->loaded && self->loaded->vm == fence->vm)
			fence_range(fence);
		else
			vmid_vcpu_stale(&fence->vm->arch.vmid, self->index);
		break;
	case FENCE_NOTHING:
		break;
	case FENCE_FILES:
		guest_files_empty(fence->vm);
		break;
	case FENCE_GVMA:
		hfence_gvma_all();
		/* And the messages that were sent through what is gone. */
		__asm__ volatile("fence" ::: "memory");
		break;
	case FENCE_CALL:
		fence->call(fence->arg);
		break;
	}
}

/* The firmware event that a guest's fence is to the vCPU that receives it. */
static void count_received(struct vcpu *vcpu, const struct fence *fence)
{
	static const u8 events[] = {
		[FENCE_I] = SBI_PMU_FW_FENCE_I_RECEIVED,
		[FENCE_VVMA] = SBI_PMU_FW_SFENCE_VMA_RECEIVED,
		[FENCE_VVMA_ASID] = SBI_PMU_FW_SFENCE_VMA_ASID_RECEIVED,
	};

	if (vcpu && vcpu->vm == fence->vm && fence->op < ARRAY_SIZE(events))
		vpmu_count(&vcpu->arch.pmu, events[fence->op]);
}

void fence_serve(void)
{
	struct hart *self = this_hart();
	u64 from = __atomic_exchange_n(&self->fence_from, 0, __ATOMIC_ACQUIRE);

	while (from) {
		u32 i = (u32)__builtin_ctzll(from);

		from &= from - 1;
		fence_self(&harts[i].fence_out);
		__atomic_and_fetch(&harts[i].fence_left, ~BIT(self->index), __ATOMIC_RELEASE);
	}
}

void fence_self(const struct fence *fence)
{
	if (likely(fence->op == FENCE_I))
		__asm__ volatile("fence.i" ::: "memory");
	else
		fence_local(fence);
	count_received(this_hart()->loaded, fence);
}

void fence_remote(u64 mask, const struct fence *fence)
{
	struct hart *self = this_hart();
	u64 others = mask & ~BIT(self->index);

	if (others) {
		self->fence_out = *fence;
		__atomic_store_n(&self->fence_left, others, __ATOMIC_RELEASE);
		for (u64 left = others; left; left &= left - 1) {
			struct hart *hart = &harts[__builtin_ctzll(left)];

			__atomic_or_fetch(&hart->fence_from, BIT(self->index), __ATOMIC_RELEASE);
			hart_kick(hart);
		}
	}
	if (mask & BIT(self->index))
		fence_self(fence);
	if (!others)
		return;
	/*
	 * Bounded: a target is in a guest (the interrupt takes it out), asleep (it wakes) or in
	 * Shyper, which ends every exit in bounded time and looks here before it sleeps.
	 */
	while (__atomic_load_n(&self->fence_left, __ATOMIC_ACQUIRE))
		fence_serve();
}
