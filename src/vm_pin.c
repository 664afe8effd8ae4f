/* SPDX-License-Identifier: BSD-2-Clause */
/* Moving a vCPU to another hart while its VM runs, sleeps, is paused, stopped or not booted yet. */
#include <asm/hart.h>
#include <hv/check.h>
#include <hv/errno.h>
#include <hv/log.h>
#include <hv/refuse.h>
#include <hv/vm.h>

typedef unsigned long long llu;

static int refuse_hart(const struct vcpu *vcpu, u64 hartid, int err)
{
	const char *why = "serves a vCPU that has it to itself";

	if (err == -ENOENT)
		why = "does not exist or did not start";
	else if (err == -ERANGE)
		why = "serves another vCPU of this VM, or as many as it can";
	else if (!vcpu->shared)
		why = "serves a vCPU already, and this VM shares with nobody (sched policy)";
	refuse("%s: vCPU %u cannot go to hart %llu, which %s", vcpu->vm->def.name, vcpu->index,
	       (llu)hartid, why);
	return err;
}

/* Checked before anything changes. */
static int find(struct vm *vm, u64 index, u64 hartid, struct hart **hart)
{
	int err;

	if (vm->fit) {
		refuse("%s is of the boot image, whose VMs stay on their harts", vm->def.name);
		return -EBUSY;
	}
	if (vm->def.sched.windowed) {
		refuse("%s runs in windows of harts that the schedule names", vm->def.name);
		return -EBUSY;
	}
	if (index >= vm->vcpus) {
		refuse("%s has no vCPU %llu; it has %u, from 0", vm->def.name, (llu)index,
		       vm->vcpus);
		return -EINVAL;
	}
	*hart = arch_hart_find(hartid);
	if (*hart == vm->vcpu[index]->hart)
		return 0;
	err = *hart ? sched_fits(&(*hart)->sched, vm->vcpu[index]) : -ENOENT;
	return err ? refuse_hart(vm->vcpu[index], hartid, err) : 0;
}

/* The times that it has had so far. */
static struct sched_look times_of(const struct vcpu *vcpu)
{
	const struct sched *s = &vcpu->hart->sched;
	struct sched_look look = { 0 };

	for (u32 i = 0; i < SCHED_VCPUS; i++)
		if (sched_get(s, i) == vcpu)
			sched_look(s, i, &look);
	return look;
}

int vm_pin(struct vm *vm, u64 index, u64 hartid)
{
	struct sched_look times;
	struct hart *hart;
	struct vcpu *vcpu;
	int err = find(vm, index, hartid, &hart);

	if (err)
		return err;
	vcpu = vm->vcpu[index];
	if (hart == vcpu->hart)
		return 0;
	vcpu_depart(vcpu);
	times = times_of(vcpu);
	sched_release(&vcpu->hart->sched, vcpu);
	arch_vcpu_move(vcpu, hart);
	CHECK(sched_claim(&hart->sched, vcpu) == 0);
	sched_adopt(&hart->sched, vcpu, &times);
	vcpu_arrive(vcpu);
	log_info("%s: vCPU %u is on hart %llu now", vm->def.name, vcpu->index, (llu)hartid);
	return 0;
}
