// SPDX-License-Identifier: GPL-2.0-only
/* Calls on a VM's descriptor about its devices: disks, and devices that user space serves. */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "vm_file.h"

static int set_disk(struct vm_file *vf, const void __user *user)
{
	struct shyper_disk values;
	int err;

	if (copy_from_user(&values, user, sizeof(values)))
		return -EFAULT;
	err = vm_file_enter_stopped(vf);
	if (err)
		return err;
	err = shyper_disk_set(vf->vm, &values, &vf->refusal);
	mutex_unlock(&shyper_lock);
	return err;
}

static int set_up(struct vm_file *vf, const void __user *user)
{
	struct shyper_vm_device_setup *values = memdup_user(user, sizeof(*values));
	int err;

	if (IS_ERR(values))
		return PTR_ERR(values);
	err = vm_file_enter_stopped(vf);
	if (!err) {
		err = shyper_backend_setup(vf->vm, &vf->owner, values, &vf->refusal);
		mutex_unlock(&shyper_lock);
	}
	kfree(values);
	return err;
}

static int info(struct vm_file *vf, void __user *user)
{
	struct shyper_vm_device_info *values = memdup_user(user, sizeof(*values));
	int err;

	if (IS_ERR(values))
		return PTR_ERR(values);
	err = values->reserved ? -EINVAL : vm_file_enter(vf);
	if (err)
		goto out;
	err = shyper_backend_info(vf->vm, &vf->owner, values->device, &values->info, &vf->refusal);
	mutex_unlock(&shyper_lock);
	if (!err && copy_to_user(user, values, sizeof(*values)))
		err = -EFAULT;
out:
	kfree(values);
	return err;
}

static int reset_done(struct vm_file *vf, unsigned long number)
{
	int err = number < SHYPER_DEVICES ? vm_file_enter(vf) : -EINVAL;

	if (err)
		return err;
	err = shyper_backend_reset_done(vf->vm, &vf->owner, number, &vf->refusal);
	mutex_unlock(&shyper_lock);
	return err;
}

static int ioeventfd(struct vm_file *vf, const void __user *user)
{
	struct shyper_ioeventfd values;
	int err;

	if (copy_from_user(&values, user, sizeof(values)))
		return -EFAULT;
	err = vm_file_enter(vf);
	if (err)
		return err;
	err = shyper_backend_ioeventfd(vf->vm, &vf->owner, &values, &vf->refusal);
	mutex_unlock(&shyper_lock);
	return err;
}

static int irqfd(struct vm_file *vf, const void __user *user)
{
	struct shyper_irqfd values;
	int err;

	if (copy_from_user(&values, user, sizeof(values)))
		return -EFAULT;
	err = vm_file_enter(vf);
	if (err)
		return err;
	err = shyper_backend_irqfd(vf->vm, &vf->owner, &values, &vf->refusal);
	mutex_unlock(&shyper_lock);
	return err;
}

long vm_file_device(struct vm_file *vf, unsigned int command, unsigned long argument)
{
	void __user *user = (void __user *)argument;

	switch (command) {
	case SHYPER_VM_SET_DISK:
		return set_disk(vf, user);
	case SHYPER_VM_DEVICE_SETUP:
		return set_up(vf, user);
	case SHYPER_VM_DEVICE_INFO:
		return info(vf, user);
	case SHYPER_VM_DEVICE_RESET_DONE:
		return reset_done(vf, argument);
	case SHYPER_VM_IOEVENTFD:
		return ioeventfd(vf, user);
	case SHYPER_VM_IRQFD:
		return irqfd(vf, user);
	default:
		return -ENOTTY;
	}
}
