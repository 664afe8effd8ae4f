// SPDX-License-Identifier: GPL-2.0-only
/* Calls on a VM's descriptor about its devices: disks, and devices that user space serves. */
#include "vm_file.h"

static int set_disk(void *file, void *values)
{
	struct vm_file *vf = file;

	return shyper_disk_set(vf->vm, values, &vf->refusal);
}

static int set_up(void *file, void *values)
{
	struct vm_file *vf = file;

	return shyper_backend_setup(vf->vm, &vf->owner, values, &vf->refusal);
}

static int info(void *file, void *values)
{
	struct vm_file *vf = file;
	struct shyper_vm_device_info *device = values;

	if (device->reserved)
		return -EINVAL;
	return shyper_backend_info(vf->vm, &vf->owner, device->device, &device->info,
				   &vf->refusal);
}

static int reset_done(void *file, void *number)
{
	struct vm_file *vf = file;
	unsigned long device = *(unsigned long *)number;

	if (device >= SHYPER_DEVICES)
		return -EINVAL;
	return shyper_backend_reset_done(vf->vm, &vf->owner, device, &vf->refusal);
}

static int ioeventfd(void *file, void *values)
{
	struct vm_file *vf = file;

	return shyper_backend_ioeventfd(vf->vm, &vf->owner, values, &vf->refusal);
}

static int irqfd(void *file, void *values)
{
	struct vm_file *vf = file;

	return shyper_backend_irqfd(vf->vm, &vf->owner, values, &vf->refusal);
}

static const struct shyper_call calls[] = {
	{ SHYPER_VM_SET_DISK, vm_file_enter_stopped, set_disk },
	{ SHYPER_VM_DEVICE_SETUP, vm_file_enter_stopped, set_up },
	{ SHYPER_VM_DEVICE_INFO, vm_file_enter, info },
	{ SHYPER_VM_DEVICE_RESET_DONE, vm_file_enter, reset_done },
	{ SHYPER_VM_IOEVENTFD, vm_file_enter, ioeventfd },
	{ SHYPER_VM_IRQFD, vm_file_enter, irqfd },
};

long vm_file_device(struct vm_file *vf, unsigned int command, unsigned long argument)
{
	return shyper_call(calls, ARRAY_SIZE(calls), vf, command, argument);
}
