/* SPDX-License-Identifier: BSD-2-Clause */
/* Making, booting and ending VMs. */
#include <hv/errno.h>
#include <hv/fit.h>
#include <hv/format.h>
#include <hv/log.h>
#include <hv/machine.h>
#include <hv/pa.h>
#include <hv/page.h>
#include <hv/refuse.h>
#include <hv/string.h>
#include <hv/timer.h>
#include <hv/vm.h>
#include <hv/vm_load.h>

static struct vm *vms[VMS];	/* set by the boot hart before the VM runs */

struct vm *vm_by_id(u32 id)
{
	return id < VMS ? __atomic_load_n(&vms[id], __ATOMIC_ACQUIRE) : NULL;
}

static enum vm_state vm_state(const struct vm *vm)
{
	return (enum vm_state)__atomic_load_n(&vm->state, __ATOMIC_ACQUIRE);
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
			return vm->exit_code >= 1 && vm->exit_code <= 254 ? vm->exit_code : 1;
	}
	return 0;
}

/* Structs of VMs and vCPUs are whole pages: zeroed, owned, and freed as a unit. */
static void *alloc_struct(size_t size)
{
	hpa_t pa;

	return page_alloc(ALIGN_UP((u64)size, PAGE_SIZE), PAGE_SIZE, OWNER_HV, &pa) ? NULL :
										      pa_ptr(pa);
}

static void free_struct(void *ptr, size_t size)
{
	page_free(ptr_pa(ptr), ALIGN_UP((u64)size, PAGE_SIZE), OWNER_HV);
}

static int add_memory(struct vm *vm)
{
	for (u32 i = 0; i < vm->def.rams; i++) {
		const struct vmdef_ram *ram = &vm->def.ram[i];
		struct gmap_shortage shortage;
		int err = ram->identity ? gmap_add_identity(&vm->gmap, GPA(ram->base), ram->size) :
					  gmap_add_ram(&vm->gmap, GPA(ram->base), ram->size);

		if (!err)
			continue;
		shortage = gmap_shortage(ram->size);
		if (err == -ENOMEM)
			refuse("%s refused: its memory at 0x%llx needs %llu MiB, "
				"%llu MiB are free",
				vm->def.name, (unsigned long long)ram->base,
				(unsigned long long)shortage.needs_mib,
				(unsigned long long)shortage.free_mib);
		else
			refuse("%s refused: the board's memory at 0x%llx is absent or taken",
				vm->def.name, (unsigned long long)ram->base);
		return err;
	}
	for (u32 i = 0; i < vm->def.passthroughs; i++) {
		const struct vmdef_passthrough *p = &vm->def.passthrough[i];
		int err = gmap_add_device(&vm->gmap, GPA(p->base), HPA(p->host), p->size);

		if (err) {
			refuse("%s refused: passthrough of 0x%llx: not a device of the board, or "
				"taken", vm->def.name, (unsigned long long)p->host);
			return err;
		}
	}
	return 0;
}

static void remove_vcpus(struct vm *vm)
{
	while (vm->vcpus) {
		struct vcpu *vcpu = vm->vcpu[--vm->vcpus];

		arch_hart_release(vcpu);
		arch_vcpu_exit(vcpu);
		free_struct(vcpu, sizeof(*vcpu));
	}
}

static int pin(struct vcpu *vcpu, const struct vmdef *def)
{
	const u64 *hartid = def->harts ? &def->hart[vcpu->index] : NULL;
	int err = arch_hart_claim(vcpu, hartid);

	if (err == -ENOMEM)
		refuse("%s refused: vCPU %u of %u has no hart left; give it fewer vCPUs or the "
			"board more harts", def->name, vcpu->index, def->vcpus);
	else if (err)
		refuse("%s refused: hart %llu for vCPU %u %s", def->name,
			(unsigned long long)*hartid, vcpu->index,
			err == -EBUSY ? "serves another vCPU" : "does not exist or did not start");
	return err;
}

static int add_vcpus(struct vm *vm)
{
	while (vm->vcpus < vm->def.vcpus) {
		struct vcpu *vcpu = alloc_struct(sizeof(*vcpu));
		int err;

		if (!vcpu)
			return -ENOMEM;
		vcpu->vm = vm;
		vcpu->index = vm->vcpus;
		err = arch_vcpu_init(vcpu);
		if (!err)
			err = pin(vcpu, &vm->def);
		if (err) {
			arch_vcpu_exit(vcpu);
			free_struct(vcpu, sizeof(*vcpu));
			return err;
		}
		vm->vcpu[vm->vcpus++] = vcpu;
	}
	return 0;
}

static int build(struct vm *vm)
{
	int err = add_memory(vm);

	if (err)
		goto no_memory;
	err = add_vcpus(vm);
	if (err)
		goto no_vcpus;
	err = arch_vm_init(vm);
	if (err)
		goto no_vcpus;
	err = machine_init(vm);
	if (err)
		goto no_machine;
	err = vm_load_check(vm);
	if (err)
		goto no_images;
	return 0;

no_images:
	machine_exit(vm);
no_machine:
	arch_vm_exit(vm);
no_vcpus:
	remove_vcpus(vm);
no_memory:
	gmap_release(&vm->gmap);
	return err;
}

static int free_slot(void)
{
	for (u32 i = 0; i < VMS; i++)
		if (!vms[i])
			return (int)i;
	return -ENOMEM;
}

int vm_create(const struct vmdef *def, const struct fit *fit, struct vm **out)
{
	int slot = free_slot(), err;
	struct vm *vm;

	if (slot < 0) {
		refuse("%s refused: there are %u VMs already", def->name, VMS);
		return slot;
	}
	vm = alloc_struct(sizeof(*vm));
	if (!vm) {
		refuse("%s refused: no memory for its description", def->name);
		return -ENOMEM;
	}
	vm->id = (u32)slot;
	vm->def = *def;
	vm->fit = fit;
	gmap_init(&vm->gmap, OWNER_VM(vm->id));
	err = build(vm);
	if (err) {
		free_struct(vm, sizeof(*vm));
		return err;
	}
	__atomic_store_n(&vms[slot], vm, __ATOMIC_RELEASE);
	log_info("%s: VM %u, %u vCPU%s, %llu MiB", def->name, vm->id, vm->vcpus,
		 vm->vcpus == 1 ? "" : "s", (unsigned long long)(vm->gmap.ram >> 20));
	*out = vm;
	return 0;
}

int vm_boot(struct vm *vm)
{
	struct vm_entry entry;
	int err;

	machine_reset(vm);
	err = vm_load(vm, &entry);
	if (err)
		return err;
	arch_vm_reset(vm);
	vm->booted_at = arch_time();
	for (u32 i = 0; i < vm->vcpus; i++)
		vcpu_restore(vm->vcpu[i]);
	__atomic_store_n(&vm->active, vm->vcpus, __ATOMIC_RELAXED);
	__atomic_store_n(&vm->state, VM_RUNNING, __ATOMIC_RELEASE);
	return vcpu_start(vm->vcpu[0], entry.pc, entry.fdt);
}

void vm_end(struct vm *vm, enum vm_reason reason, u32 code)
{
	u32 expected = VM_RUNNING;

	if (!__atomic_compare_exchange_n(&vm->state, &expected, VM_STOPPING, false,
					 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return;
	vm->reason = reason;
	vm->exit_code = code;
	for (u32 i = 0; i < vm->vcpus; i++)
		vcpu_request(vm->vcpu[i], VCPU_REQ_HALT);
}

void vm_crash(struct vm *vm, const char *fmt, ...)
{
	char text[LOG_LINE];
	va_list ap;

	va_start(ap, fmt);
	vformat(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (vm_state(vm) == VM_RUNNING)
		log_err("%s: stopped by Shyper: %s", vm->def.name, text);
	vm_end(vm, VM_CRASH, 0);
}

static void log_exits(const struct vm *vm)
{
	static const char *const names[EXIT_CAUSES] = {
		[EXIT_SBI] = "sbi",
		[EXIT_MMIO_READ] = "mmio-read", [EXIT_MMIO_WRITE] = "mmio-write",
		[EXIT_VIRTUAL_INSTRUCTION] = "instruction", [EXIT_IPI] = "ipi",
		[EXIT_TIMER] = "timer", [EXIT_EXTERNAL] = "external", [EXIT_FAULT] = "fault",
		[EXIT_OTHER] = "other",
	};
	char line[LOG_LINE];
	u64 total = 0;
	int used = 0;

	for (u32 cause = 0; cause < EXIT_CAUSES; cause++) {
		u64 sum = 0;

		for (u32 i = 0; i < vm->vcpus; i++)
			sum += vm->vcpu[i]->exits[cause];
		total += sum;
		used += format(line + used, sizeof(line) - (size_t)used, " %s %llu", names[cause],
			       (unsigned long long)sum);
	}
	log_info("%s: exits %llu:%s", vm->def.name, (unsigned long long)total, line);
}

static bool restarts(struct vm *vm)
{
	switch (vm->reason) {
	case VM_POWEROFF:
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

/* Nobody runs it any more: the guest's memory and devices go back. The last VM ends the machine. */
static void end(struct vm *vm)
{
	arch_vm_exit(vm);
	machine_exit(vm);
	gmap_release(&vm->gmap);
	__atomic_store_n(&vm->state, VM_ENDED, __ATOMIC_RELEASE);
	if (!vms_running())
		arch_machine_off(vms_status());
}

void vm_halted(struct vm *vm)
{
	static const char *const reasons[] = {
		[VM_POWEROFF] = "powered off", [VM_REBOOT] = "reboots",
		[VM_FAILURE] = "reports failure", [VM_CRASH] = "crashed",
	};
	bool again;

	if (__atomic_sub_fetch(&vm->active, 1, __ATOMIC_ACQ_REL))
		return;
	again = restarts(vm);
	log_info("%s: %s (code %u)%s", vm->def.name, reasons[vm->reason], vm->exit_code,
		 again ? ", starting again" : "");
	log_exits(vm);
	if (again && vm_boot(vm) == 0)
		return;
	end(vm);
}
