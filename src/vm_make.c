/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making and unmaking VMs: everything that a VM holds is acquired here in order and given back in
 * reverse. One path for the VMs of the boot FIT and for those of the MVM.
 */
#include <hv/board.h>
#include <hv/errno.h>
#include <hv/frames.h>
#include <hv/log.h>
#include <hv/machine.h>
#include <hv/pa.h>
#include <hv/page.h>
#include <hv/passthrough.h>
#include <hv/refuse.h>
#include <hv/string.h>
#include <hv/vm.h>
#include <hv/vm_load.h>

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

/* At least one: what is free may be in pieces, and both figures are rounded. */
static u64 missing_mib(const struct gmap_shortage *shortage)
{
	return shortage->needs_mib > shortage->free_mib ?
		       shortage->needs_mib - shortage->free_mib : 1;
}

static int no_room(const struct vm *vm, const char *what)
{
	refuse("%s refused: no memory is left for its %s; give the VMs less or the board more",
	       vm->def.name, what);
	return -ENOMEM;
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
			refuse("%s refused: node /memory@%llx, property reg: needs %llu MiB, "
			       "%llu MiB are free%s: %llu MiB are missing",
			       vm->def.name, (unsigned long long)ram->base,
			       (unsigned long long)shortage.needs_mib,
			       (unsigned long long)shortage.free_mib,
			       vm->gmap.floor ? ", some of it where the MVM cannot use it" : "",
			       (unsigned long long)missing_mib(&shortage));
		else
			refuse("%s refused: node /memory@%llx, property identity-map: the board's "
			       "memory there is absent or taken",
			       vm->def.name, (unsigned long long)ram->base);
		return err;
	}
	for (u32 i = 0; i < vm->def.passthroughs; i++) {
		const struct vmdef_passthrough *p = &vm->def.passthrough[i];
		int err = gmap_add_device(&vm->gmap, GPA(p->base), HPA(p->host), p->size);

		if (err) {
			refuse("%s refused: node %s, property %s: 0x%llx is another's",
			       vm->def.name,
			       p->host_node ? vm->def.host_node[p->host_node - 1].path :
					      "/passthrough",
			       p->host_node ? "reg" : "host-reg", (unsigned long long)p->host);
			return err;
		}
	}
	return 0;
}

void vm_release_memory(struct vm *vm)
{
	vm_load_end(vm);
	gmap_release(&vm->gmap);
	passthrough_return(vm);
}

static void remove_vcpus(struct vm *vm)
{
	arch_vm_files_exit(vm);
	for (u32 i = 0; i < vm->vcpus; i++)
		arch_hart_release(vm->vcpu[i]);
	/* A hart may still be looking at what was its vCPU. */
	arch_harts_sync(vm);
	while (vm->vcpus) {
		struct vcpu *vcpu = vm->vcpu[--vm->vcpus];

		arch_vcpu_exit(vcpu);
		free_struct(vcpu, sizeof(*vcpu));
	}
}

static int pin(struct vcpu *vcpu, const struct vmdef *def)
{
	const u64 *hartid = def->harts ? &def->hart[vcpu->index] : NULL;
	int err = arch_hart_claim(vcpu, hartid);

	if (err == -ENOMEM)
		refuse("%s refused: node /, property vcpus: vCPU %u of %u has no hart left; give "
		       "it fewer vCPUs or the board more harts", def->name, vcpu->index,
		       def->vcpus);
	else if (err)
		refuse("%s refused: node /, property harts: hart %llu for vCPU %u %s", def->name,
			(unsigned long long)*hartid, vcpu->index,
			err == -EBUSY ? "serves another vCPU" :
			err == -ERANGE ? "serves as many vCPUs as it can" :
					 "does not exist or did not start");
	return err;
}

static int add_vcpus(struct vm *vm)
{
	while (vm->vcpus < vm->def.vcpus) {
		struct vcpu *vcpu = alloc_struct(sizeof(*vcpu));
		int err;

		if (!vcpu)
			return no_room(vm, "vCPUs");
		vcpu->vm = vm;
		vcpu->index = vm->vcpus;
		vcpu->shared = vm->def.sched.shared;
		err = arch_vcpu_init(vcpu) ? no_room(vm, "vCPUs") : 0;
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

static int refused(const struct vm *vm, int err, const struct vmdef_error *error)
{
	refuse("%s refused: node %s%s%s: %s", vm->def.name, error->node,
	       error->property[0] ? ", property " : "", error->property, error->reason);
	return err;
}

/* The board's half of the definition's check. */
static int resolve(struct vm *vm)
{
	enum board_irqchip boards = arch_guest_irqchip();
	struct vmdef_error error;
	int err = vmdef_choose_irqchip(&vm->def, boards == BOARD_APLIC, boards == BOARD_IMSIC,
				       &error);

	if (!err)
		err = passthrough_resolve(&vm->def, &board, &error);
	return err ? refused(vm, err, &error) : vm_check_schedule(vm);
}

int vm_check_schedule(struct vm *vm)
{
	struct vmdef_error error;
	int err = vm->def.sched.windowed ? schedule_admit(&vm->def, &error) : 0;

	return err ? refused(vm, err, &error) : 0;
}

static int build(struct vm *vm)
{
	int err = resolve(vm);

	if (err)
		return err;
	passthrough_lend(vm);
	err = add_memory(vm);
	if (err)
		goto no_memory;
	err = add_vcpus(vm);
	if (err)
		goto no_vcpus;
	err = arch_vm_init(vm);
	if (err == -ENOMEM)
		err = no_room(vm, "address map");
	if (err)
		goto no_vcpus;
	err = arch_vm_files(vm);
	if (!err)
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
	vm_release_memory(vm);
	return err;
}

static int free_slot(void)
{
	for (u32 i = 0; i < VMS; i++)
		if (!vm_by_id(i))
			return (int)i;
	return -ENOMEM;
}

static bool name_taken(const char *name)
{
	for (u32 i = 0; i < VMS; i++)
		if (vm_by_id(i) && !strcmp(vm_by_id(i)->def.name, name))
			return true;
	return false;
}

int vm_create(const struct vmdef *def, const struct fit *fit, struct vm **out)
{
	int slot = free_slot(), err;
	struct vm *vm;

	if (slot < 0) {
		refuse("%s refused: there are %u VMs already", def->name, VMS);
		return slot;
	}
	if (name_taken(def->name)) {
		refuse("%s refused: node /, property vm-name: another VM has this name", def->name);
		return -EEXIST;
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
	vm->gmap.floor = def->host_floor;
	err = build(vm);
	if (err) {
		free_struct(vm, sizeof(*vm));
		return err;
	}
	*out = vm;
	return 0;
}

void vm_admit(struct vm *vm)
{
	vm_publish(vm->id, vm);
	log_info("%s: VM %u, %u vCPU%s, %llu MiB", vm->def.name, vm->id, vm->vcpus,
		 vm->vcpus == 1 ? "" : "s", (unsigned long long)(vm->gmap.ram >> 20));
}

void vm_remove(struct vm *vm)
{
	__atomic_store_n(&vm->state, VM_DESTROYED, __ATOMIC_RELEASE);
	if (vm_by_id(vm->id) == vm)
		vm_publish(vm->id, NULL);
	machine_exit(vm);
	arch_vm_exit(vm);
	remove_vcpus(vm);
}

bool vm_remove_step(struct vm *vm)
{
	if (vm->gmap.used && gmap_clear_step(&vm->gmap))
		return true;
	vm_release_memory(vm);
	log_info("%s: VM %u is gone", vm->def.name, vm->id);
	free_struct(vm, sizeof(*vm));
	return false;
}
