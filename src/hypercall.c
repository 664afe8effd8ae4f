/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The MVM's calls. Each is a row of a table: handler and who may call. Arguments are copied once
 * and checked here; the functions behind them refuse in words (hv/refuse.h).
 */
#include <abi/hypercall.h>
#include <asm/hart.h>
#include <hv/board.h>
#include <hv/errno.h>
#include <hv/events.h>
#include <hv/format.h>
#include <hv/hypercall.h>
#include <hv/log.h>
#include <hv/pa.h>
#include <hv/page.h>
#include <hv/refuse.h>
#include <hv/string.h>
#include <hv/timer.h>
#include <hv/trace.h>
#include <hv/vm.h>
#include <hv/vm_load.h>
#include <version.h>

#include "hypercall_calls.h"

/* The ABI's numbers are ours. */
_Static_assert(SHYPER_VM_MADE == VM_MADE && SHYPER_VM_ENDED == VM_ENDED, "states");
_Static_assert(SHYPER_END_POWEROFF == VM_POWEROFF && SHYPER_END_STOP == VM_STOP, "reasons");
_Static_assert(SHYPER_EXIT_CAUSES == EXIT_CAUSES && SHYPER_VMS == VMS, "counts");
_Static_assert(SHYPER_VCPUS == VMDEF_VCPUS && SHYPER_NAME == VMDEF_NAME &&
	       SHYPER_CAUSE == VM_CAUSE, "sizes");

static u32 busy = 1;	/* the management lock; the boot hart has it first */

/* Whoever waits does what the holder may be waiting for: fences, and letting go of vCPUs. */
static void management_lock(void)
{
	while (__atomic_exchange_n(&busy, 1, __ATOMIC_ACQUIRE)) {
		fence_serve();
		sched_let_go(&this_hart()->sched);
	}
}

static void management_unlock(void)
{
	__atomic_store_n(&busy, 0, __ATOMIC_RELEASE);
}

void hypercall_open(void)
{
	management_unlock();
}

/* Internal errors as the ABI's. */
static long status_of(int err)
{
	switch (err) {
	case 0: return SHYPER_OK;
	case -EPERM: return SHYPER_E_PERM;
	case -ENOENT: return SHYPER_E_NOENT;
	case -EFAULT: return SHYPER_E_FAULT;
	case -EEXIST:
	case -EBUSY: return SHYPER_E_BUSY;
	case -ENOMEM: return SHYPER_E_NOMEM;
	case -EAGAIN: return SHYPER_E_AGAIN;
	default: return SHYPER_E_INVAL;
	}
}

/* For refusals that come without words of their own. */
static const char *status_text(long status)
{
	switch (status) {
	case SHYPER_E_FAULT: return "the address is not in the caller's memory";
	case SHYPER_E_NOMEM: return "memory is used up";
	case SHYPER_E_NOENT: return "there is no such thing";
	case SHYPER_E_BUSY: return "somebody else has it";
	default: return "an argument is malformed";
	}
}

struct hypercall_result hypercall_done(int err)
{
	return (struct hypercall_result){ .status = status_of(err) };
}

static struct hypercall_result value(u64 v)
{
	return (struct hypercall_result){ .status = SHYPER_OK, .value = v };
}

/* Give the caller a struct; its buffer must have room for all of it. */
struct hypercall_result hypercall_give(struct vm *caller, u64 to, u64 room, const void *from,
				       u64 size)
{
	if (room < size)
		return hypercall_done(-EINVAL);
	return hypercall_done(gmap_write(&caller->gmap, GPA(to), from, size));
}

/* The VM that an id names; `self` when the MVM may name itself. */
struct vm *hypercall_named(u64 id, bool self)
{
	struct vm *vm = id < VMS && (id || self) ? vm_by_id((u32)id) : NULL;

	if (!vm)
		refuse("there is no VM %llu", (unsigned long long)id);
	return vm;
}

static struct hypercall_result hc_version(struct vm *caller, const u64 *arg)
{
	(void)caller;
	(void)arg;
	return value(SHYPER_ABI_VERSION);
}

static struct hypercall_result hc_reason(struct vm *caller, const u64 *arg)
{
	const char *text = refuse_text();
	size_t size = MIN(strlen(text), (size_t)arg[1]);
	int err = gmap_write(&caller->gmap, GPA(arg[0]), text, size);

	return err ? hypercall_done(err) : value(size);
}

static struct hypercall_result hc_system_info(struct vm *caller, const u64 *arg)
{
	struct shyper_system_info info = { .timebase = arch_timebase(), .uptime = arch_time(),
					   .abi = SHYPER_ABI_VERSION, .version = SHYPER_VERSION };
	struct page_counts pages;

	page_count(&pages);
	info.pages_total = pages.total;
	info.pages_free = pages.free;
	info.pages_shyper = pages.hv;
	arch_harts_count(&info.harts, &info.harts_free);
	for (u32 i = 0; i < VMS; i++)
		info.vms |= vm_by_id(i) ? 1u << i : 0;
	return hypercall_give(caller, arg[0], arg[1], &info, sizeof(info));
}

/* The caller's tree in memory of Shyper's own, which tree_free() gives back. */
int hypercall_tree(struct vm *caller, u64 from, u64 size, void **tree)
{
	hpa_t copy;
	int err;

	if (size == 0 || size > SHYPER_TREE_MAX)
		return -EINVAL;
	if (page_alloc(ALIGN_UP(size, PAGE_SIZE), PAGE_SIZE, OWNER_HV, &copy))
		return -ENOMEM;
	*tree = pa_ptr(copy);
	err = gmap_read(&caller->gmap, GPA(from), *tree, size);
	if (err)
		hypercall_tree_free(*tree, size);
	return err;
}

void hypercall_tree_free(void *tree, u64 size)
{
	page_free(ptr_pa(tree), ALIGN_UP(size, PAGE_SIZE), OWNER_HV);
}

static struct hypercall_result hc_vm_boot(struct vm *caller, const u64 *arg)
{
	struct vm *vm = hypercall_named(arg[0], false);
	struct shyper_boot boot;
	struct vm_entry entry;
	int err;

	if (!vm)
		return hypercall_done(-ENOENT);
	if (arg[2] < sizeof(boot))
		return hypercall_done(-EINVAL);
	err = gmap_read(&caller->gmap, GPA(arg[1]), &boot, sizeof(boot));
	if (err)
		return hypercall_done(err);
	entry = (struct vm_entry){ .pc = boot.entry, .fdt = boot.fdt };
	err = vm_boot_at(vm, &entry, boot.initrd, boot.initrd_size);
	if (err)
		refuse("%s does not boot: %s", vm->def.name,
		       err == -EBUSY ? "it is running" :
		       "its entry, initrd or device tree is not in its memory");
	return hypercall_done(err);
}

static struct hypercall_result hc_vm_stop(struct vm *caller, const u64 *arg)
{
	struct vm *vm = hypercall_named(arg[0], false);
	int err;

	(void)caller;
	if (!vm)
		return hypercall_done(-ENOENT);
	err = vm_stop(vm);
	if (err)
		refuse("%s is not running", vm->def.name);
	return hypercall_done(err);
}

static struct hypercall_result hc_vm_pause(struct vm *caller, const u64 *arg)
{
	struct vm *vm = hypercall_named(arg[0], false);
	int err;

	(void)caller;
	if (!vm)
		return hypercall_done(-ENOENT);
	err = vm_pause(vm);
	if (err)
		refuse("%s is %s", vm->def.name,
		       vm_state(vm) == VM_RUNNING ? "paused already" : "not running");
	return hypercall_done(err);
}

static struct hypercall_result hc_vm_resume(struct vm *caller, const u64 *arg)
{
	struct vm *vm = hypercall_named(arg[0], false);
	int err;

	(void)caller;
	if (!vm)
		return hypercall_done(-ENOENT);
	err = vm_resume(vm);
	if (err)
		refuse("%s is not paused", vm->def.name);
	return hypercall_done(err);
}

static struct hypercall_result hc_vm_pin(struct vm *caller, const u64 *arg)
{
	struct vm *vm = hypercall_named(arg[0], false);

	(void)caller;
	return hypercall_done(vm ? vm_pin(vm, arg[1], arg[2]) : -ENOENT);
}

static struct hypercall_result hc_vm_info(struct vm *caller, const u64 *arg)
{
	struct vm *vm = hypercall_named(arg[0], true);
	struct shyper_vm_info info = { 0 };

	if (!vm)
		return hypercall_done(-ENOENT);
	memcpy(info.name, vm->def.name, sizeof(info.name));
	info.state = vm_state(vm);
	info.reason = vm->reason;
	info.exit_code = vm->exit_code;
	info.paused = info.state == VM_RUNNING && vm->paused;
	info.vcpus = vm->vcpus;
	info.blocks = vm->gmap.count;
	info.ram = vm->gmap.ram;
	info.booted_at = vm->booted_at;
	info.boots = vm->boots;
	if (info.state == VM_ENDED && vm->reason == VM_CRASH)
		memcpy(info.cause, vm->cause, sizeof(info.cause));
	for (u32 i = 0; i < vm->vcpus; i++) {
		info.hart[i] = vm->vcpu[i]->hart->hartid;
		for (u32 cause = 0; cause < EXIT_CAUSES; cause++)
			info.exits[cause] += vm->vcpu[i]->exits[cause];
	}
	return hypercall_give(caller, arg[1], arg[2], &info, sizeof(info));
}

static struct hypercall_result hc_vm_memory(struct vm *caller, const u64 *arg)
{
	struct vm *vm = hypercall_named(arg[0], true);
	const struct gmap_block *block;
	struct shyper_memory memory;
	u64 left = arg[1];

	/* Memory of the FIT's VMs is not for the MVM; it comes and goes with their lives. */
	if (!vm || vm->fit)
		return hypercall_done(-ENOENT);
	gmap_for_each(&vm->gmap, block) {
		if (block->kind != GMAP_RAM || left--)
			continue;
		memory = (struct shyper_memory){ .guest = block->gpa, .host = block->hpa,
						 .size = block->size };
		return hypercall_give(caller, arg[2], arg[3], &memory, sizeof(memory));
	}
	return hypercall_done(-ENOENT);
}

static struct hypercall_result hc_events(struct vm *caller, const u64 *arg)
{
	if (arg[0] == 0 && arg[1] == 0) {
		events_detach();
		return hypercall_done(0);
	}
	return hypercall_done(arg[1] >> 32 ? -EINVAL : events_attach(caller, arg[0], (u32)arg[1]));
}

static struct hypercall_result hc_log_read(struct vm *caller, const u64 *arg)
{
	static struct shyper_log log;	/* a page; under the management lock */
	int err;

	if (arg[1] < sizeof(log))
		return hypercall_done(-EINVAL);
	err = gmap_read(&caller->gmap, GPA(arg[0]), &log.sequence, sizeof(log.sequence));
	if (err)
		return hypercall_done(err);
	memset(log.text, 0, sizeof(log.text));
	log.size = (u32)log_read(&log.sequence, LOG_DEBUG, log.text, sizeof(log.text));
	return hypercall_give(caller, arg[0], arg[1], &log, sizeof(log));
}

static const struct {
	const char *name;
	struct hypercall_result (*handle)(struct vm *caller, const u64 *arg);
	bool anyone;	/* not only the MVM; it takes no lock, for its caller may be moved */
} calls[] = {
	[SHYPER_HC_VERSION] = { "version", hc_version, true },
	[SHYPER_HC_REASON] = { "reason", hc_reason, false },
	[SHYPER_HC_SYSTEM_INFO] = { "system-info", hc_system_info, false },
	[SHYPER_HC_VM_CREATE] = { "vm-create", hc_vm_create, false },
	[SHYPER_HC_VM_DESTROY] = { "vm-destroy", hc_vm_destroy, false },
	[SHYPER_HC_VM_BOOT] = { "vm-boot", hc_vm_boot, false },
	[SHYPER_HC_VM_STOP] = { "vm-stop", hc_vm_stop, false },
	[SHYPER_HC_VM_PAUSE] = { "vm-pause", hc_vm_pause, false },
	[SHYPER_HC_VM_RESUME] = { "vm-resume", hc_vm_resume, false },
	[SHYPER_HC_VM_INFO] = { "vm-info", hc_vm_info, false },
	[SHYPER_HC_VM_MEMORY] = { "vm-memory", hc_vm_memory, false },
	[SHYPER_HC_EVENTS] = { "events", hc_events, false },
	[SHYPER_HC_LOG_READ] = { "log-read", hc_log_read, false },
	[SHYPER_HC_DEVICE_SETUP] = { "device-setup", hc_device_setup, false },
	[SHYPER_HC_DEVICE_INFO] = { "device-info", hc_device_info, false },
	[SHYPER_HC_DEVICE_INTERRUPT] = { "device-interrupt", hc_device_interrupt, false },
	[SHYPER_HC_DEVICE_RESET_DONE] = { "device-reset-done", hc_device_reset_done, false },
	[SHYPER_HC_DEVICE_ABANDON] = { "device-abandon", hc_device_abandon, false },
	[SHYPER_HC_NET_INFO] = { "net-info", hc_net_info, false },
	[SHYPER_HC_NET_SET] = { "net-set", hc_net_set, false },
	[SHYPER_HC_SCHED_INFO] = { "sched-info", hc_sched_info, false },
	[SHYPER_HC_SCHED_SET] = { "sched-set", hc_sched_set, false },
	[SHYPER_HC_TRACE_START] = { "trace-start", hc_trace_start, false },
	[SHYPER_HC_TRACE_STOP] = { "trace-stop", hc_trace_stop, false },
	[SHYPER_HC_TRACE_READ] = { "trace-read", hc_trace_read, false },
	[SHYPER_HC_VM_PIN] = { "vm-pin", hc_vm_pin, false },
	[SHYPER_HC_SCHEDULE_INFO] = { "schedule-info", hc_schedule_info, false },
	[SHYPER_HC_SCHEDULE_SET] = { "schedule-set", hc_schedule_set, false },
	[SHYPER_HC_SCHEDULE_SWITCH] = { "schedule-switch", hc_schedule_switch, false },
	[SHYPER_HC_SCHEDULE_SHIFT] = { "schedule-shift", hc_schedule_shift, false },
	[SHYPER_HC_SCHEDULE_READ] = { "schedule-read", hc_schedule_read, false },
};

struct hypercall_result hypercall(struct vcpu *vcpu, u64 function, const u64 *arg)
{
	struct vm *caller = vcpu->vm;
	struct hypercall_result result;

	if (function >= ARRAY_SIZE(calls))
		return (struct hypercall_result){ .status = SHYPER_E_NOSYS };
	if (!calls[function].anyone && !caller->def.management)
		return (struct hypercall_result){ .status = SHYPER_E_PERM };
	if (calls[function].anyone)
		return calls[function].handle(caller, arg);
	management_lock();
	if (function != SHYPER_HC_REASON)
		refuse_forget();
	result = calls[function].handle(caller, arg);
	if (result.status != SHYPER_OK && result.status != SHYPER_E_AGAIN)
		refuse_status(calls[function].name, status_text(result.status));
	management_unlock();
	return result;
}

void hypercall_reset(const struct vm *vm)
{
	if (!vm->def.management)
		return;
	events_detach();
	trace_stop();
	hypercall_devices_reset();
	hypercall_vms_reset();
}
