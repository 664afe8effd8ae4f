// SPDX-License-Identifier: GPL-2.0-only
/* A VM's descriptor. */
#include <linux/anon_inodes.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "vm_file.h"

/* How long disks and back-ends of a VM that has ended may take for what is under way. */
#define QUIET_WAIT (30 * HZ)

int vm_file_enter(void *file)
{
	struct vm_file *vf = file;

	if (mutex_lock_killable(&shyper_lock))
		return -EINTR;
	vf->refusal.size = 0;
	if (!vf->vm->gone)
		return 0;
	shyper_refuse(&vf->refusal, 0, "%s was destroyed", vf->vm->name);
	mutex_unlock(&shyper_lock);
	return -ENODEV;
}

/* 1: disks or back-ends still use the memory of a VM that does not run; 0; or an error. */
static int not_quiet(struct shyper_vm *vm)
{
	int runs = atomic_read(&vm->served) ? shyper_vm_runs(vm) : 1;

	return runs < 0 ? runs : !runs;
}

/*
 * The same for what the VM's memory must be quiet for: of one that does not run, wait until disks
 * and back-ends have let go. Who asks for it of one that runs is told by Shyper.
 */
static int enter_quiet(void *file)
{
	struct vm_file *vf = file;
	struct shyper_vm *vm = vf->vm;
	long left = QUIET_WAIT;
	int err;

	for (;;) {
		err = vm_file_enter(vf);
		if (err)
			return err;
		err = not_quiet(vm);
		if (!err)
			return 0;
		if (err > 0 && !left)
			err = shyper_refuse(&vf->refusal, -EBUSY,
					    "disks or back-ends of %s do not let go of its memory",
					    vm->name);
		mutex_unlock(&shyper_lock);
		if (err < 0)
			return err;
		left = wait_event_interruptible_timeout(vm->wait, !atomic_read(&vm->served), left);
		if (left < 0)
			return left;
	}
}

int vm_file_enter_stopped(void *file)
{
	struct vm_file *vf = file;
	int err = enter_quiet(vf);

	if (err)
		return err;
	err = shyper_vm_runs(vf->vm);
	if (err > 0)
		err = shyper_refuse(&vf->refusal, -EBUSY, "%s is running; stop it first",
				    vf->vm->name);
	if (err)
		mutex_unlock(&shyper_lock);
	return err;
}

static int stop(void *file, void *none)
{
	struct vm_file *vf = file;

	return shyper_told(&vf->refusal, hc_vm(SHYPER_HC_VM_STOP, vf->vm->id));
}

static int pause(void *file, void *none)
{
	struct vm_file *vf = file;

	return shyper_told(&vf->refusal, hc_vm(SHYPER_HC_VM_PAUSE, vf->vm->id));
}

static int resume(void *file, void *none)
{
	struct vm_file *vf = file;

	return shyper_told(&vf->refusal, hc_vm(SHYPER_HC_VM_RESUME, vf->vm->id));
}

static int destroy(void *file, void *none)
{
	struct vm_file *vf = file;

	return shyper_vm_destroy(vf->vm, &vf->refusal);
}

static int boot(void *file, void *values)
{
	struct vm_file *vf = file;
	int err;

	/* Whoever still believes in the VM's last life must not begin to serve it in this one. */
	mutex_lock(&vf->vm->disk_lock);
	err = shyper_told(&vf->refusal, hc_boot(vf->vm->id, values));
	if (!err)
		shyper_backends_lend(vf->vm);
	mutex_unlock(&vf->vm->disk_lock);
	return err;
}

static int info(void *file, void *values)
{
	struct vm_file *vf = file;
	struct shyper_vm_info *info = values;
	/* A change from here on is news. */
	unsigned int seen = atomic_read_acquire(&vf->vm->changes);
	int err = shyper_told(&vf->refusal, hc_vm_info(vf->vm->id, info));

	if (err)
		return err;
	/* It has ended for user space when its memory is quiet; then that is news. */
	if (info->state == SHYPER_VM_ENDED && atomic_read(&vf->vm->served))
		info->state = SHYPER_VM_STOPPING;
	WRITE_ONCE(vf->seen, seen);
	return 0;
}

static int memory(void *file, void *values)
{
	struct shyper_vm *vm = ((struct vm_file *)file)->vm;
	struct shyper_vm_memory *piece = values;

	if (piece->reserved)
		return -EINVAL;
	if (piece->index >= vm->pieces)
		return -ENOENT;
	piece->guest = vm->piece[piece->index].guest;
	piece->size = vm->piece[piece->index].size;
	return 0;
}

static int pin(void *file, void *values)
{
	struct vm_file *vf = file;
	const struct shyper_vm_pin *pin = values;

	if (pin->reserved)
		return -EINVAL;
	return shyper_told(&vf->refusal, hc_vm_pin(vf->vm->id, pin->vcpu, pin->hart));
}

static const struct shyper_call calls[] = {
	{ SHYPER_VM_STOP, vm_file_enter, stop },
	{ SHYPER_VM_PAUSE, vm_file_enter, pause },
	{ SHYPER_VM_RESUME, vm_file_enter, resume },
	{ SHYPER_VM_DESTROY, enter_quiet, destroy },
	{ SHYPER_VM_INFO, vm_file_enter, info },
	{ SHYPER_VM_BOOT, enter_quiet, boot },
	{ SHYPER_VM_MEMORY, vm_file_enter, memory },
	{ SHYPER_VM_PIN, vm_file_enter, pin },
};

static long vm_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	struct vm_file *vf = file->private_data;
	long result;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (command == SHYPER_REASON)
		return shyper_reason(&vf->refusal, (void __user *)argument);
	result = shyper_call(calls, ARRAY_SIZE(calls), vf, command, argument);
	return result == -ENOTTY ? vm_file_device(vf, command, argument) : result;
}

static __poll_t vm_poll(struct file *file, poll_table *table)
{
	struct vm_file *vf = file->private_data;
	__poll_t events = 0;

	poll_wait(file, &vf->vm->wait, table);
	if (atomic_read_acquire(&vf->vm->changes) != READ_ONCE(vf->seen))
		events |= EPOLLPRI;
	if (READ_ONCE(vf->owner.news))
		events |= EPOLLIN | EPOLLRDNORM;
	if (READ_ONCE(vf->vm->gone))
		events |= EPOLLHUP;
	return events;
}

/* Needs no capability: who was given the descriptor may, e.g. a vhost-user server. */
static int vm_mmap(struct file *file, struct vm_area_struct *area)
{
	struct vm_file *vf = file->private_data;

	return shyper_memory_map(vf->vm, area);
}

/* The size of the memory is that of the file: vhost-user servers ask for it. */
static loff_t vm_llseek(struct file *file, loff_t offset, int whence)
{
	struct vm_file *vf = file->private_data;

	return fixed_size_llseek(file, offset, whence, READ_ONCE(vf->vm->size));
}

static int vm_release(struct inode *inode, struct file *file)
{
	struct vm_file *vf = file->private_data;

	mutex_lock(&shyper_lock);
	if (!vf->vm->gone)
		shyper_backends_forget(vf->vm, &vf->owner);
	mutex_unlock(&shyper_lock);
	shyper_vm_put(vf->vm);
	kfree(vf);
	return 0;
}

static const struct file_operations vm_operations = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = vm_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = vm_mmap,
	.poll = vm_poll,
	.llseek = vm_llseek,
	.release = vm_release,
};

struct file *shyper_vm_file(struct shyper_vm *vm)
{
	struct vm_file *vf = kzalloc(sizeof(*vf), GFP_KERNEL);
	struct file *file;

	if (!vf) {
		shyper_vm_put(vm);
		return ERR_PTR(-ENOMEM);
	}
	vf->vm = vm;
	vf->seen = atomic_read(&vm->changes);
	file = anon_inode_getfile("[shyper-vm]", &vm_operations, vf, O_RDWR);
	if (IS_ERR(file)) {
		shyper_vm_put(vm);
		kfree(vf);
	}
	return file;
}
