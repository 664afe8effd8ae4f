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

/* The life of a VM, one call each: the function at Shyper. */
static int pass_on(struct vm_file *vf, unsigned long function)
{
	int err = hc_vm(function, vf->vm->id);

	if (err)
		hc_refused(&vf->refusal);
	return err;
}

int vm_file_enter(struct vm_file *vf)
{
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
static int enter_quiet(struct vm_file *vf)
{
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

int vm_file_enter_stopped(struct vm_file *vf)
{
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

static int control(struct vm_file *vf, unsigned int command)
{
	int err = command == SHYPER_VM_DESTROY ? enter_quiet(vf) : vm_file_enter(vf);

	if (err)
		return err;
	switch (command) {
	case SHYPER_VM_STOP:
		err = pass_on(vf, SHYPER_HC_VM_STOP);
		break;
	case SHYPER_VM_PAUSE:
		err = pass_on(vf, SHYPER_HC_VM_PAUSE);
		break;
	case SHYPER_VM_RESUME:
		err = pass_on(vf, SHYPER_HC_VM_RESUME);
		break;
	case SHYPER_VM_DESTROY:
		err = shyper_vm_destroy(vf->vm, &vf->refusal);
		break;
	}
	mutex_unlock(&shyper_lock);
	return err;
}

static int boot(struct vm_file *vf, const void __user *user)
{
	struct shyper_boot values;
	int err;

	if (copy_from_user(&values, user, sizeof(values)))
		return -EFAULT;
	err = enter_quiet(vf);
	if (err)
		return err;
	/* Whoever still believes in the VM's last life must not begin to serve it in this one. */
	mutex_lock(&vf->vm->disk_lock);
	err = hc_boot(vf->vm->id, &values);
	if (err)
		hc_refused(&vf->refusal);
	else
		shyper_backends_lend(vf->vm);
	mutex_unlock(&vf->vm->disk_lock);
	mutex_unlock(&shyper_lock);
	return err;
}

static int info(struct vm_file *vf, void __user *user)
{
	struct shyper_vm_info *values = kmalloc(sizeof(*values), GFP_KERNEL);
	/* A change from here on is news. */
	unsigned int seen = atomic_read_acquire(&vf->vm->changes);
	int err = values ? vm_file_enter(vf) : -ENOMEM;

	if (err)
		goto out;
	err = hc_vm_info(vf->vm->id, values);
	if (err)
		hc_refused(&vf->refusal);
	/* It has ended for user space when its memory is quiet; then that is news. */
	else if (values->state == SHYPER_VM_ENDED && atomic_read(&vf->vm->served))
		values->state = SHYPER_VM_STOPPING;
	mutex_unlock(&shyper_lock);
	if (!err && copy_to_user(user, values, sizeof(*values)))
		err = -EFAULT;
	if (!err)
		WRITE_ONCE(vf->seen, seen);
out:
	kfree(values);
	return err;
}

static int memory(struct vm_file *vf, void __user *user)
{
	struct shyper_vm_memory values;
	int err;

	if (copy_from_user(&values, user, sizeof(values)))
		return -EFAULT;
	if (values.reserved)
		return -EINVAL;
	err = vm_file_enter(vf);
	if (err)
		return err;
	if (values.index < vf->vm->pieces) {
		values.guest = vf->vm->piece[values.index].guest;
		values.size = vf->vm->piece[values.index].size;
	} else {
		err = -ENOENT;
	}
	mutex_unlock(&shyper_lock);
	return !err && copy_to_user(user, &values, sizeof(values)) ? -EFAULT : err;
}

static long vm_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	struct vm_file *vf = file->private_data;
	void __user *user = (void __user *)argument;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	switch (command) {
	case SHYPER_VM_STOP:
	case SHYPER_VM_PAUSE:
	case SHYPER_VM_RESUME:
	case SHYPER_VM_DESTROY:
		return control(vf, command);
	case SHYPER_VM_INFO:
		return info(vf, user);
	case SHYPER_VM_BOOT:
		return boot(vf, user);
	case SHYPER_VM_MEMORY:
		return memory(vf, user);
	case SHYPER_REASON:
		return shyper_reason(&vf->refusal, user);
	default:
		return vm_file_device(vf, command, argument);
	}
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
