// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VMs that exist in Shyper, as objects here: made by SHYPER_CREATE_VM, or found when the module
 * is loaded. They live on without descriptors, and without the module.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "kmod.h"

static struct shyper_vm *vms[SHYPER_VMS];	/* written under shyper_lock and table_lock */
static DEFINE_SPINLOCK(table_lock);		/* for reading from interrupts */

static void table_set(u32 id, struct shyper_vm *vm)
{
	unsigned long flags;

	spin_lock_irqsave(&table_lock, flags);
	vms[id] = vm;
	spin_unlock_irqrestore(&table_lock, flags);
}

void shyper_vm_changed(unsigned int id)
{
	struct shyper_vm *vm;
	unsigned long flags;

	spin_lock_irqsave(&table_lock, flags);
	vm = vms[id];
	if (vm) {
		atomic_inc(&vm->changes);
		wake_up_all(&vm->wait);
	}
	spin_unlock_irqrestore(&table_lock, flags);
}

void shyper_vm_let_go(struct shyper_vm *vm)
{
	if (!atomic_dec_and_test(&vm->served))
		return;
	/* For whoever waits for it this is the end of the VM. */
	atomic_inc(&vm->changes);
	wake_up_all(&vm->wait);
}

struct shyper_vm *shyper_vm_get(unsigned long id)
{
	lockdep_assert_held(&shyper_lock);
	if (id >= SHYPER_VMS || !vms[id])
		return NULL;
	kref_get(&vms[id]->ref);
	return vms[id];
}

static void release(struct kref *ref)
{
	kfree(container_of(ref, struct shyper_vm, ref));
}

void shyper_vm_put(struct shyper_vm *vm)
{
	kref_put(&vm->ref, release);
}

/* An object for a VM that exists, in the table. Its memory may remain out of sight. */
static int add(u32 id, int *memory_error)
{
	struct shyper_vm_info *info = kmalloc(sizeof(*info), GFP_KERNEL);
	struct shyper_vm *vm = kzalloc(sizeof(*vm), GFP_KERNEL);
	int err = -ENOMEM;

	if (!info || !vm)
		goto failed;
	err = hc_vm_info(id, info);
	if (err)
		goto failed;
	vm->id = id;
	strscpy(vm->name, info->name, sizeof(vm->name));
	kref_init(&vm->ref);
	init_waitqueue_head(&vm->wait);
	mutex_init(&vm->disk_lock);
	*memory_error = shyper_memory_open(vm);
	table_set(id, vm);
	kfree(info);
	return 0;

failed:
	kfree(vm);
	kfree(info);
	return err;
}

/* The table's reference goes; descriptors see that it is gone. */
static void remove(struct shyper_vm *vm)
{
	table_set(vm->id, NULL);
	shyper_disks_forget(vm);
	shyper_backends_forget(vm, NULL);
	WRITE_ONCE(vm->gone, true);
	wake_up_all(&vm->wait);
	shyper_vm_put(vm);
}

int shyper_vms_find(void)
{
	struct shyper_system_info *info = kmalloc(sizeof(*info), GFP_KERNEL);
	int err, memory_error;

	lockdep_assert_held(&shyper_lock);
	if (!info)
		return -ENOMEM;
	err = hc_system_info(info);
	for (u32 id = 0; id < SHYPER_VMS && !err; id++) {
		if (!(info->vms & BIT(id)))
			continue;
		err = add(id, &memory_error);
		if (!err && memory_error && memory_error != -ENOENT)
			pr_warn("VM %u: its memory cannot be mapped (error %d)\n", id,
				memory_error);
	}
	kfree(info);
	if (err)
		shyper_vms_forget();
	return err;
}

void shyper_vms_forget(void)
{
	for (u32 id = 0; id < SHYPER_VMS; id++) {
		if (!vms[id])
			continue;
		shyper_memory_close(vms[id]);
		remove(vms[id]);
	}
}

struct shyper_vm *shyper_vm_create(const void *tree, u32 size, struct shyper_refusal *refusal)
{
	int id = hc_create(tree, size, shyper_memory_floor()), err, memory_error = 0;

	if (id < 0) {
		hc_refused(refusal);
		return ERR_PTR(id);
	}
	err = add(id, &memory_error);
	if (!err && !memory_error)
		return shyper_vm_get(id);
	shyper_refuse(refusal, err, "the MVM's kernel cannot take the VM's memory (error %d)",
		      err ? err : memory_error);
	if (!err)
		remove(vms[id]);
	hc_vm(SHYPER_HC_VM_DESTROY, id);
	return ERR_PTR(err ? err : memory_error);
}

/* It does not run and its memory is nobody's: Shyper may take it back. */
static int destroy(struct shyper_vm *vm, struct shyper_refusal *refusal)
{
	int err;

	shyper_memory_close(vm);
	err = hc_vm(SHYPER_HC_VM_DESTROY, vm->id);
	if (!err) {
		remove(vm);
		return 0;
	}
	hc_refused(refusal);
	if (shyper_memory_open(vm))
		pr_warn("%s: its memory cannot be mapped any more\n", vm->name);
	shyper_memory_thaw(vm);
	return err;
}

int shyper_vm_runs(struct shyper_vm *vm)
{
	struct shyper_vm_info *info = kmalloc(sizeof(*info), GFP_KERNEL);
	int err = info ? hc_vm_info(vm->id, info) : -ENOMEM;

	if (!err)
		err = info->state == SHYPER_VM_RUNNING || info->state == SHYPER_VM_STOPPING;
	kfree(info);
	return err;
}

int shyper_vm_destroy(struct shyper_vm *vm, struct shyper_refusal *refusal)
{
	int err = shyper_vm_runs(vm);

	if (err < 0)
		return err;
	/* Asked here, too: its memory goes first, and would have to come back. */
	if (err)
		return shyper_refuse(refusal, -EBUSY, "%s is running; stop it first", vm->name);
	err = shyper_memory_freeze(vm);
	if (err)
		return shyper_refuse(refusal, err,
				     "the memory of %s is in use: %d mappings, %lu pages",
				     vm->name, atomic_read(&vm->maps), shyper_memory_used(vm));
	return destroy(vm, refusal);
}
