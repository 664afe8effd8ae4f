/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The MVM's calls that make and unmake VMs. Clearing memory takes long, so a call does part of it
 * and tells the MVM to call again; meanwhile the VM is in no list.
 */
#include <abi/hypercall.h>
#include <hv/errno.h>
#include <hv/pa.h>
#include <hv/page.h>
#include <hv/refuse.h>
#include <hv/string.h>
#include <hv/vm.h>

#include "hypercall_calls.h"

/* Pages that one call clears when nobody wants the hart: few enough for the MVM's own scheduler. */
#define CALL_STEPS 256

/* The one VM that comes or goes. */
static struct {
	struct vm *vm;		/* NULL: none */
	bool goes;
	bool kept;		/* its caller is there to go on with it */
	u64 arg[3];		/* of the call that creates it */
} job;

/* True: there is more to do, for another call. */
static bool work(bool (*step)(struct vm *vm))
{
	for (u32 n = 0; n < CALL_STEPS; n++) {
		if (!step(job.vm))
			return false;
		if (arch_hart_wanted() || arch_vcpu_wakes(arch_vcpu_current()))
			break;
	}
	return true;
}

/* Of a VM that goes; -EAGAIN while it does. */
static int go_on(void)
{
	if (work(vm_remove_step))
		return -EAGAIN;
	job.vm = NULL;
	return 0;
}

static void begin_going(struct vm *vm)
{
	vm_remove(vm);
	job.vm = vm;
	job.goes = true;
}

/* What an earlier call has left: first that, then others. */
static bool finish_other(bool same)
{
	if (!job.vm || same)
		return false;
	if (!job.goes)
		begin_going(job.vm);
	(void)!go_on();
	return true;
}

static bool clear_step(struct vm *vm)
{
	return gmap_clear_step(&vm->gmap);
}

/* Read, check and make; the definition's copy is the only thing that is ever looked at. */
static int make(const void *tree, size_t size, u64 floor, struct vm **vm)
{
	static struct vmdef def;	/* large; under the management lock */
	struct vmdef_error error;

	if (vmdef_parse(&def, tree, size, &error)) {
		refuse("node %s%s%s: %s", error.node, error.property[0] ? ", property " : "",
		       error.property, error.reason);
		return -EINVAL;
	}
	def.host_floor = floor;
	return vm_create(&def, NULL, vm);
}

static int begin_creating(struct vm *caller, const u64 *arg)
{
	u64 size = arg[1], floor = arg[2];
	struct vm *vm = NULL;
	void *tree;
	int err = IS_ALIGNED(floor, PAGE_SIZE) ? 0 : -EINVAL;

	if (!err)
		err = hypercall_tree(caller, arg[0], size, &tree);
	if (err)
		return err;
	err = make(tree, size, floor, &vm);
	hypercall_tree_free(tree, size);
	if (err)
		return err;
	job.vm = vm;
	job.goes = false;
	job.kept = true;
	memcpy(job.arg, arg, sizeof(job.arg));
	return 0;
}

/* The MVM gets it; what has failed is given back by the next call that makes or unmakes one. */
static int hand_over(struct vm *caller)
{
	struct vm *vm = job.vm;
	int err = vm_check_schedule(vm);	/* it was in no list when another one came */

	gmap_soil(&vm->gmap);
	if (!err) {
		err = arch_vm_window(caller, vm, true);
		if (err)
			refuse("%s refused: its memory cannot be shown to the MVM", vm->def.name);
	}
	if (err) {
		begin_going(vm);
		return err;
	}
	job.vm = NULL;
	vm_admit(vm);
	return 0;
}

struct hypercall_result hc_vm_create(struct vm *caller, const u64 *arg)
{
	bool same = job.vm && !job.goes && job.kept && !memcmp(arg, job.arg, sizeof(job.arg));
	struct hypercall_result result;
	struct vm *vm;
	int err = 0;

	if (finish_other(same))
		return hypercall_done(-EAGAIN);
	if (!same)
		err = begin_creating(caller, arg);
	if (err)
		return hypercall_done(err);
	if (work(clear_step))
		return hypercall_done(-EAGAIN);
	vm = job.vm;
	result = hypercall_done(hand_over(caller));
	if (!job.vm)
		result.value = vm->id;
	return result;
}

static int begin_destroying(struct vm *caller, u64 id)
{
	struct vm *vm = hypercall_named(id, false);
	enum vm_state state;
	int err;

	if (!vm)
		return -ENOENT;
	state = vm_state(vm);
	if (vm->fit || (state != VM_MADE && state != VM_ENDED)) {
		refuse("%s is running; stop it first", vm->def.name);
		return -EBUSY;
	}
	err = arch_vm_window(caller, vm, false);
	if (!err)
		begin_going(vm);
	return err;
}

struct hypercall_result hc_vm_destroy(struct vm *caller, const u64 *arg)
{
	bool same = job.vm && job.goes && job.vm->id == arg[0];
	int err = 0;

	if (finish_other(same))
		return hypercall_done(-EAGAIN);
	if (!same)
		err = begin_destroying(caller, arg[0]);
	return hypercall_done(err ? err : go_on());
}

void hypercall_vms_reset(void)
{
	job.kept = false;
}
