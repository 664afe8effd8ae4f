/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VMIDs by generation; the rules are in asm/vmid.h. Why no translation of another VM survives:
 * a hart that enters with generation G holds translations of generation G only, for it flushed
 * when it came from an older one; and within G no number is given out twice. What a VM still
 * running with an older number adds to its hart is gone at that hart's next vmid_enter().
 */
#include <asm/vmid.h>

#include <hv/check.h>

#define TAG_GENERATION(tag) ((tag) >> VMID_NUMBER_BITS)
#define TAG_NUMBER(tag) ((u16)(tag))

void vmid_space_init(struct vmid_space *space, u8 bits)
{
	/* Number 0 stays with hgatp = 0, which every hart has while it runs no guest. */
	*space = (struct vmid_space){ .numbers = 1u << bits, .next = 1, .generation = 1 };
}

void vmid_init(struct vmid_space *space, struct vmid *vm)
{
	*vm = (struct vmid){ .tag = 0 };
	spin_lock(&space->lock);
	vm->serial = ++space->serials;
	spin_unlock(&space->lock);
}

static u64 generation(const struct vmid_space *space)
{
	return __atomic_load_n(&space->generation, __ATOMIC_ACQUIRE);
}

static u64 tag_new_locked(struct vmid_space *space)
{
	if (space->next >= space->numbers) {
		space->next = 1;
		__atomic_store_n(&space->generation, space->generation + 1, __ATOMIC_RELEASE);
	}
	return VMID_TAG(space->generation, space->next++);
}

/* The VM's tag in the current generation; a new one when it has none. */
static u64 tag_get(struct vmid_space *space, struct vmid *vm)
{
	u64 tag = __atomic_load_n(&vm->tag, __ATOMIC_ACQUIRE);

	if (TAG_GENERATION(tag) == generation(space))
		return tag;
	spin_lock(&space->lock);
	tag = vm->tag;	/* another hart may have been faster */
	if (TAG_GENERATION(tag) != space->generation) {
		tag = tag_new_locked(space);
		__atomic_store_n(&vm->tag, tag, __ATOMIC_RELEASE);
	}
	spin_unlock(&space->lock);
	return tag;
}

void vmid_nowhere(struct vmid_place *place)
{
	static const u64 none;

	*place = (struct vmid_place){ .vcpu = &none, .tag = 1 };
}

/* Did another vCPU of the VM run here last, or this one elsewhere? Notes that it runs here now. */
static bool vcpu_changed(struct vmid *vm, u64 vm_generation, u32 hart_index, u32 vcpu,
			 struct vmid_place *place)
{
	struct vmid_place now = { .vcpu = &vm->vcpu[hart_index],
				  .tag = VMID_TAG(vm_generation, vcpu + 1) };
	/* Whoever made it stale has changed the tables before: acquire. */
	u64 last = __atomic_exchange_n(&vm->vcpu[hart_index], now.tag, __ATOMIC_ACQ_REL);
	bool changed = last != now.tag || place->vcpu != now.vcpu;

	*place = now;
	return changed;
}

/* Without VMIDs a hart may hold translations of one VM only. */
static struct vmid_enter enter_untagged(struct vmid *vm, struct vmid_hart *hart,
					u32 hart_index, u32 vcpu,
					struct vmid_place *place)
{
	bool other = hart->serial != vm->serial;
	bool changed = vcpu_changed(vm, 0, hart_index, vcpu, place);

	hart->serial = vm->serial;
	return (struct vmid_enter){ .flush_all = other, .flush_vcpu = other || changed };
}

struct vmid_enter vmid_enter(struct vmid_space *space, struct vmid *vm, struct vmid_hart *hart,
			     u32 hart_index, u32 vcpu, struct vmid_place *place)
{
	struct vmid_enter enter = { .number = 0 };
	u64 tag;

	CHECK(hart_index < VMID_HARTS);
	if (space->numbers == 1)
		return enter_untagged(vm, hart, hart_index, vcpu, place);
	tag = tag_get(space, vm);
	enter.number = TAG_NUMBER(tag);
	enter.flush_all = hart->generation != TAG_GENERATION(tag);
	enter.flush_vcpu = vcpu_changed(vm, TAG_GENERATION(tag), hart_index, vcpu, place);
	hart->generation = TAG_GENERATION(tag);
	hart->serial = vm->serial;
	return enter;
}

enum vmid_fence vmid_fence(const struct vmid_space *space, const struct vmid *vm,
			   const struct vmid_hart *hart, u16 *number)
{
	u64 tag = __atomic_load_n(&vm->tag, __ATOMIC_ACQUIRE);

	*number = TAG_NUMBER(tag);
	if (space->numbers == 1)
		return hart->serial == vm->serial ? VMID_FENCE_ALL : VMID_FENCE_NONE;
	if (!hart->generation)
		return VMID_FENCE_NONE;
	/*
	 * The VM may run here with the number it had in the hart's generation while it has another
	 * one by now: then only everything is sure to hit.
	 */
	return TAG_GENERATION(tag) == hart->generation ? VMID_FENCE_NUMBER : VMID_FENCE_ALL;
}
