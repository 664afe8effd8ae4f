/* SPDX-License-Identifier: BSD-2-Clause */
/* A VM's life: booting, pausing, ending. Making and unmaking: vm_make.c. */
#include <hv/console.h>
#include <hv/errno.h>
#include <hv/events.h>
#include <hv/fiber.h>
#include <hv/fit.h>
#include <hv/format.h>
#include <hv/hypercall.h>
#include <hv/log.h>
#include <hv/machine.h>
#include <hv/pa.h>
#include <hv/page.h>
#include <hv/refuse.h>
#include <hv/string.h>
#include <hv/timer.h>
#include <hv/vm.h>
#include <hv/vm_load.h>
#include <hv/vm_show.h>

static struct vm *vms[VMS];	/* atomic pointers; set by vm_make.c */

struct vm *vm_by_id(u32 id)
{
	return id < VMS ? __atomic_load_n(&vms[id], __ATOMIC_ACQUIRE) : NULL;
}

static u32 made;	/* entries of vms[] that are not NULL; atomic */

u32 vms_made(void)
{
	return __atomic_load_n(&made, __ATOMIC_RELAXED);
}

void vm_publish(u32 id, struct vm *vm)
{
	__atomic_fetch_add(&made, vm ? 1 : -1u, __ATOMIC_RELAXED);
	__atomic_store_n(&vms[id], vm, __ATOMIC_RELEASE);
}

u32 vms_running(void)
{
	u32 running = 0;

	for (u32 i = 0; i < VMS; i++) {
		const struct vm *vm = vm_by_id(i);

		if (vm && (vm_state(vm) == VM_RUNNING || vm_state(vm) == VM_STOPPING))
			running++;
	}
	return running;
}

u32 vms_status(void)
{
	for (u32 i = 0; i < VMS; i++) {
		const struct vm *vm = vm_by_id(i);

		if (vm && vm_state(vm) == VM_ENDED &&
		    (vm->reason == VM_FAILURE || vm->reason == VM_CRASH))
			return vm->exit_code >= 1 && vm->exit_code <= 253 ? vm->exit_code : 1;
	}
	return 0;
}

/* Its memory and devices are ready: vCPU 0 begins. */
static int begin(struct vm *vm, const struct vm_entry *entry)
{
	arch_vm_reset(vm);
	vm->booted_at = arch_time();
	vm->boots++;
	__atomic_store_n(&vm->last, NULL, __ATOMIC_RELAXED);
	for (u32 i = 0; i < vm->vcpus; i++)
		vcpu_restore(vm->vcpu[i]);
	__atomic_store_n(&vm->active, vm->vcpus, __ATOMIC_RELAXED);
	__atomic_store_n(&vm->state, VM_RUNNING, __ATOMIC_RELEASE);
	events_state(vm->id);
	return vcpu_start(vm->vcpu[0], entry->pc, entry->fdt);
}

/* The VMs that are to start at boot have: the last one to end takes the machine along. */
static bool started;

/* True when the caller is the one, or one of those, to end the machine. */
static bool vms_done(void)
{
	/*
	 * Pairs with the same fence on the other hart: of the end of the boot and the end of the
	 * last VM, at least one sees the other.
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&started, __ATOMIC_RELAXED) && !vms_running();
}

void vms_started(void)
{
	__atomic_store_n(&started, true, __ATOMIC_RELAXED);
	if (vms_done())
		arch_machine_off(vms_status());
}

/* Fill its memory. */
static int load(struct vm *vm)
{
	int err;

	machine_reset(vm);
	hypercall_reset(vm);
	err = vm_load(vm, &vm->entry);
	/* Others have had the hart meanwhile, and may have sent it something. */
	if (!err)
		machine_reset(vm);
	return err;
}

int vm_boot(struct vm *vm)
{
	int err = load(vm);

	return err ? err : begin(vm, &vm->entry);
}

int vm_boot_at(struct vm *vm, const struct vm_entry *entry, u64 initrd, u64 initrd_size)
{
	enum vm_state state = vm_state(vm);
	int err;

	if (vm->fit || (state != VM_MADE && state != VM_ENDED))
		return -EBUSY;
	if (!gmap_ram_ptr(&vm->gmap, GPA(entry->pc), 2) || !IS_ALIGNED(entry->pc, (u64)2))
		return -EINVAL;
	machine_reset(vm);
	err = vm_load_fdt(vm, entry->fdt, initrd, initrd_size);
	if (err)
		return err;
	log_info("%s: starts", vm->def.name);
	__atomic_store_n(&vm->paused, 0, __ATOMIC_RELAXED);	/* it may have ended so */
	return begin(vm, entry);
}

/* False: it ends already, or does not run. */
static bool stop_running(struct vm *vm)
{
	u32 expected = VM_RUNNING;

	return __atomic_compare_exchange_n(&vm->state, &expected, VM_STOPPING, false,
					   __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static void halt(struct vm *vm, enum vm_reason reason, u32 code)
{
	vm->reason = reason;
	vm->exit_code = code;
	for (u32 i = 0; i < vm->vcpus; i++)
		vcpu_request(vm->vcpu[i], VCPU_REQ_HALT);
}

void vm_end(struct vm *vm, enum vm_reason reason, u32 code)
{
	if (stop_running(vm))
		halt(vm, reason, code);
}

void vm_crash(struct vm *vm, const char *fmt, ...)
{
	va_list ap;

	if (!stop_running(vm))
		return;
	va_start(ap, fmt);
	vformat(vm->cause, sizeof(vm->cause), fmt, ap);
	va_end(ap);
	halt(vm, VM_CRASH, 0);
}

/* It runs, or may in a moment: nobody knows before its end is wound up. */
static bool goes_on(const struct vm *vm)
{
	enum vm_state state = vm_state(vm);

	return state == VM_RUNNING || (state == VM_STOPPING && vm->fit);
}

/* It has told restarts() or vm_finish() before it looks whether the VM runs. */
int vm_stop(struct vm *vm)
{
	if (!goes_on(vm))
		return -EBUSY;
	__atomic_store_n(&vm->stopped, true, __ATOMIC_SEQ_CST);
	vm_end(vm, VM_STOP, 0);
	return 0;
}

/* One that restarts just now begins paused. */
int vm_pause(struct vm *vm)
{
	if (!goes_on(vm) || vm->paused)
		return -EBUSY;
	__atomic_store_n(&vm->paused, 1, __ATOMIC_SEQ_CST);
	for (u32 i = 0; i < vm->vcpus; i++)
		vcpu_request(vm->vcpu[i], VCPU_REQ_LEAVE);
	arch_harts_sync(vm);
	if (vm->def.time_stops)
		arch_vm_time_stop(vm);
	vm->paused_at = arch_time();
	return 0;
}

int vm_resume(struct vm *vm)
{
	bool runs = vm_state(vm) == VM_RUNNING;

	if (!goes_on(vm) || !vm->paused)
		return -EBUSY;
	if (vm->def.time_stops && runs)
		arch_vm_time_go_on(vm, arch_time() - MAX(vm->paused_at, vm->booted_at));
	__atomic_store_n(&vm->paused, 0, __ATOMIC_SEQ_CST);
	for (u32 i = 0; i < vm->vcpus; i++)
		vcpu_request(vm->vcpu[i], VCPU_REQ_LEAVE);
	return 0;
}

static bool restarts(struct vm *vm)
{
	/* The MVM decides about its VMs, and has their images. */
	if (!vm->fit || __atomic_load_n(&vm->stopped, __ATOMIC_RELAXED))
		return false;
	switch (vm->reason) {
	case VM_POWEROFF:
	case VM_STOP:
		return false;
	case VM_REBOOT:
		return vm->def.on_reboot == VMDEF_RESTART;
	case VM_FAILURE:
	case VM_CRASH:
		vm->crashes++;
		return vm->def.on_crash == VMDEF_RESTART &&
		       (!vm->def.max_restarts || vm->crashes <= vm->def.max_restarts);
	}
	return false;
}

static bool takes_machine_along(const struct vm *vm)
{
	return vm->reason == VM_POWEROFF && vm->def.on_poweroff == VMDEF_MACHINE_OFF;
}

static void say(struct vm *vm, enum log_level level, const char *what, const char *rest)
{
	log_begin(&vm->line, level, arch_time());
	fiber_breathe();
	log_compose(&vm->line, "%s: %s%s", vm->def.name, what, rest);
	fiber_breathe();
	log_put(&vm->line);
	fiber_breathe();
}

/* How it ended and what it did; how many ends before were not told. */
static void say_end(struct vm *vm, u32 dropped)
{
	if (dropped) {
		format(vm->words, sizeof(vm->words), LOG_DROPPED, dropped);
		say(vm, LOG_WARN, vm->words, "");
	}
	if (vm->reason == VM_CRASH)
		say(vm, LOG_ERR, "stopped by Shyper: ", vm->cause);
	vm_show_end(vm, vm->words, sizeof(vm->words));
	say(vm, LOG_INFO, vm->words, vm->again ? ", starting again" : "");
	vm_show_exits(vm, vm->words, sizeof(vm->words));
	say(vm, LOG_INFO, vm->words, "");
}

/*
 * Nobody runs it any more. The memory and devices of a VM of the FIT go back; those of the MVM's
 * VMs stay until it destroys them.
 */
static void give_back(struct vm *vm)
{
	console_vm_gone(vm->id);
	if (!vm->fit) {
		machine_ended(vm);
		return;
	}
	hypercall_reset(vm);
	machine_stop(vm);
	arch_vm_exit(vm);
	gmap_soil(&vm->gmap);
	while (gmap_clear_step(&vm->gmap))
		fiber_breathe();
	vm_release_memory(vm);
}

/* All that is left to do before it begins again, or is no more. */
static void wind_up(void *arg)
{
	struct vm *vm = arg;
	u32 dropped = 0;

	for (u32 i = 0; i < vm->vcpus; i++)
		while (vcpu_say(vm->vcpu[i]))
			fiber_breathe();
	/* A guest may reset as often as it likes, and not drive all else out of the log. */
	if (!vm->again || log_admits(&vm->end_limit, &dropped))
		say_end(vm, dropped);
	vm->again = vm->again && !load(vm);
	if (!vm->again)
		give_back(vm);
}

/* The last VM ends the machine. */
static void end(struct vm *vm)
{
	bool off = takes_machine_along(vm);
	u32 id = vm->id;

	__atomic_store_n(&vm->last, NULL, __ATOMIC_RELAXED);
	__atomic_store_n(&vm->state, VM_ENDED, __ATOMIC_RELEASE);
	/* From here on the MVM may destroy it: vm is not touched any more. */
	events_state(id);
	if (vms_done() || off)
		arch_machine_off(vms_status());
}

bool vm_halted(struct vm *vm)
{
	if (__atomic_sub_fetch(&vm->active, 1, __ATOMIC_ACQ_REL))
		return false;
	vm->again = restarts(vm);
	fiber_begin(&vm->fiber, wind_up, vm);
	return true;
}

bool vm_finish(struct vm *vm)
{
	if (fiber_run(&vm->fiber))
		return true;
	if (!vm->again) {
		end(vm);
		return false;
	}
	/* That it is stopped meanwhile is no error: the last vCPU to halt comes here again. */
	(void)!begin(vm, &vm->entry);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);	/* pairs with vm_stop() */
	if (__atomic_load_n(&vm->stopped, __ATOMIC_RELAXED))
		vm_end(vm, VM_STOP, 0);
	return false;
}
