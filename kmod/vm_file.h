/* SPDX-License-Identifier: GPL-2.0-only */
/* Private to vm_file*.c: a VM's descriptor. */
#ifndef SHYPER_VM_FILE_H
#define SHYPER_VM_FILE_H

#include "kmod.h"

struct vm_file {
	struct shyper_vm *vm;		/* fixed */
	struct shyper_refusal refusal;	/* under shyper_lock */
	struct shyper_owner owner;	/* of devices that were set up here */
	unsigned int seen;		/* vm->changes that user space knows of */
};

/*
 * vm_file_enter() - take shyper_lock for a call; on an error it is not held. -ENODEV: the VM is
 * gone, and its id may be another's. _stopped(): the VM does not run and nobody uses its memory;
 * -EBUSY if not.
 */
int vm_file_enter(void *vm_file);
int vm_file_enter_stopped(void *vm_file);

/* vm_file_device() - calls about a VM's devices. Without shyper_lock. */
long vm_file_device(struct vm_file *vf, unsigned int command, unsigned long argument);

#endif
