/* SPDX-License-Identifier: BSD-2-Clause */
/* The MVM's calls about harts and those who share them. The harts look and change themselves. */
#include <abi/hypercall.h>
#include <asm/hart.h>
#include <hv/errno.h>
#include <hv/frames.h>
#include <hv/refuse.h>
#include <hv/string.h>
#include <hv/vm.h>

#include "hypercall_calls.h"

_Static_assert(SHYPER_SCHED_OFF == SCHED_OFF && SHYPER_SCHED_BLOCKED == SCHED_BLOCKED &&
	       SHYPER_SCHED_READY == SCHED_READY && SHYPER_VCPUS == SCHED_VCPUS, "states");

static u32 state_of(const struct sched *s, u32 slot, struct shyper_sched_vcpu *out)
{
	const struct vcpu *vcpu = sched_get(s, slot);
	struct sched_look look;

	if (!vcpu->shared)
		return vcpu_state(vcpu) == VCPU_RUNNING ? SHYPER_SCHED_RUNNING :
		       vcpu_state(vcpu) == VCPU_SUSPENDED ? SHYPER_SCHED_BLOCKED :
							    SHYPER_SCHED_OFF;
	sched_look(s, slot, &look);
	out->ran = look.ran;
	out->waited = look.waited;
	out->windows = look.health.windows;
	out->missed = look.health.missed;
	out->late = look.health.late;
	out->late_max = look.health.late_max;
	return look.running ? SHYPER_SCHED_RUNNING : look.state;
}

/* On the hart. */
static void look(void *arg)
{
	const struct sched *s = &this_hart()->sched;
	struct shyper_sched_info *info = arg;

	info->hart = this_hart()->hartid;
	info->now = arch_time();
	for (u32 i = 0; i < SCHED_VCPUS; i++) {
		const struct vcpu *vcpu = sched_get(s, i);
		struct shyper_sched_vcpu *out = &info->vcpu[info->vcpus];

		if (!vcpu)
			continue;
		info->policy = s->windowed ? SHYPER_SCHED_PARTITION :
			       vcpu->shared ? SHYPER_SCHED_PRIORITY : SHYPER_SCHED_PINNED;
		info->vcpus++;
		out->vm = vcpu->vm->id;
		out->vcpu = vcpu->index;
		out->priority = (u16)vcpu->vm->def.sched.priority;
		out->flags = vcpu->vm->def.sched.strict ? SHYPER_SCHED_STRICT : 0;
		out->budget = vcpu->vm->def.sched.budget_us;
		out->period = vcpu->vm->def.sched.period_us;
		out->state = state_of(s, i, out);
	}
}

struct hypercall_result hc_sched_info(struct vm *caller, const u64 *arg)
{
	const struct hart *hart = arch_hart_get(arg[0]);
	struct shyper_sched_info info = { .policy = SHYPER_SCHED_FREE };

	if (!hart)
		return hypercall_done(-ENOENT);
	arch_hart_call(hart, look, &info);
	return hypercall_give(caller, arg[1], arg[2], &info, sizeof(info));
}

/* As src/vmdef.c does for definitions. */
static int check(const struct vm *vm, u64 how, u64 budget, u64 period)
{
	u64 priority = how & 0xffff, flags = how >> 16;

	if (!vm->def.sched.shared)
		refuse("%s has its harts to itself: its policy is \"pinned\"", vm->def.name);
	else if (vm->def.sched.windowed)
		refuse("%s has its windows in the schedule: its policy is \"partition\"",
		       vm->def.name);
	else if (priority > VMDEF_PRIORITY_MAX)
		refuse("priority %llu: possible are 0 to %u", (unsigned long long)priority,
		       VMDEF_PRIORITY_MAX);
	else if (flags & ~(u64)SHYPER_SCHED_STRICT)
		refuse("flags %llu: possible is %u", (unsigned long long)flags,
		       SHYPER_SCHED_STRICT);
	else if (flags && !budget)
		refuse("a strict budget of 0: nothing would be left");
	else if (!budget != !period)
		refuse("a budget of %llu us and a period of %llu us: both are 0, or none is",
		       (unsigned long long)budget, (unsigned long long)period);
	else if (budget && (period < VMDEF_PERIOD_MIN || period > VMDEF_PERIOD_MAX))
		refuse("a period of %llu us: possible are %u to %u",
		       (unsigned long long)period, VMDEF_PERIOD_MIN, VMDEF_PERIOD_MAX);
	else if (budget && (budget < VMDEF_BUDGET_MIN || budget > period))
		refuse("a budget of %llu us: possible are %u to the period, %llu",
		       (unsigned long long)budget, VMDEF_BUDGET_MIN, (unsigned long long)period);
	else
		return 0;
	return -EINVAL;
}

/* On the vCPU's hart. */
static void change(void *vcpu)
{
	sched_change(&this_hart()->sched, vcpu);
}

struct hypercall_result hc_sched_set(struct vm *caller, const u64 *arg)
{
	struct vm *vm = hypercall_named(arg[0], true);
	int err;

	(void)caller;
	if (!vm)
		return hypercall_done(-ENOENT);
	err = check(vm, arg[1], arg[2], arg[3]);
	if (err)
		return hypercall_done(err);
	vm->def.sched.priority = arg[1] & 0xffff;
	vm->def.sched.strict = arg[1] >> 16;
	vm->def.sched.budget_us = (u32)arg[2];
	vm->def.sched.period_us = (u32)arg[3];
	for (u32 i = 0; i < vm->vcpus; i++)
		arch_hart_call(vm->vcpu[i]->hart, change, vm->vcpu[i]);
	return hypercall_done(0);
}

/* --- The schedule -------------------------------------------------------------------------- */

_Static_assert(SHYPER_TABLES == SCHEDULE_TABLES && SHYPER_NAME == VMDEF_NAME, "sizes");

struct hypercall_result hc_schedule_info(struct vm *caller, const u64 *arg)
{
	const struct schedule *s = schedule_live();
	struct shyper_schedule_info info = { 0 };
	struct frames now;

	if (!s) {
		refuse("there is no schedule");
		return hypercall_done(-ENOENT);
	}
	schedule_frames(&now);
	info.frame = now.frame.number;
	info.start = now.frame.start;
	info.length = now.frame.length;
	info.shift = now.shift;
	info.table = now.frame.table;
	info.next = now.next_table == FRAMES_SAME ? info.table : now.next_table;
	info.pending = now.next_schedule != NULL;
	info.tables = s->tables;
	for (u32 i = 0; i < s->tables; i++)
		memcpy(info.name[i], s->table[i].name, SHYPER_NAME);
	return hypercall_give(caller, arg[0], arg[1], &info, sizeof(info));
}

struct hypercall_result hc_schedule_set(struct vm *caller, const u64 *arg)
{
	static struct schedule s;	/* large; under the management lock */
	struct vmdef_error error;
	void *tree;
	int err = hypercall_tree(caller, arg[0], arg[1], &tree);

	if (err)
		return hypercall_done(err);
	err = schedule_parse(&s, tree, arg[1], &error);
	if (!err)
		err = schedule_install(&s, tree, &error);
	hypercall_tree_free(tree, arg[1]);
	if (err)
		refuse("node %s%s%s: %s", error.node, error.property[0] ? ", property " : "",
		       error.property, error.reason);
	return hypercall_done(err);
}

struct hypercall_result hc_schedule_read(struct vm *caller, const u64 *arg)
{
	size_t size;
	const void *tree = schedule_tree(&size);
	struct hypercall_result result;

	if (!tree) {
		refuse("there is no schedule");
		return hypercall_done(-ENOENT);
	}
	result = hypercall_give(caller, arg[0], arg[1], tree, size);
	result.value = size;
	return result;
}

struct hypercall_result hc_schedule_switch(struct vm *caller, const u64 *arg)
{
	int err = schedule_switch(arg[0]);

	(void)caller;
	if (err)
		refuse(err == -EBUSY ? "the schedule waits for the end of the frame; try again" :
		       "the schedule has no table %llu", (unsigned long long)arg[0]);
	return hypercall_done(err);
}

struct hypercall_result hc_schedule_shift(struct vm *caller, const u64 *arg)
{
	s64 us = (s64)arg[0];
	int err = schedule_shift(us);

	(void)caller;
	if (err)
		refuse(err == -ENOENT ? "there is no schedule" :
		       "a shift by %lld us: at most half a frame of any table is possible",
		       (long long)us);
	return hypercall_done(err);
}
