/* SPDX-License-Identifier: BSD-2-Clause */
/* The MVM's calls about the virtio devices that it serves. */
#include <abi/hypercall.h>
#include <hv/errno.h>
#include <hv/machine.h>
#include <hv/refuse.h>
#include <hv/virtio_remote.h>
#include <hv/vm.h>

#include "hypercall_calls.h"

static struct virtio_remote *device(const u64 *arg, struct vm **vm)
{
	struct virtio_remote *remote = NULL;

	*vm = hypercall_named(arg[0], false);
	if (!*vm)
		return NULL;
	/* A VM of the FIT that has ended has given up its machine. */
	if (!(*vm)->fit)
		remote = machine_remote(*vm, arg[1]);
	if (!remote)
		refuse("%s has no device %llu for the MVM to serve", (*vm)->def.name,
		       (unsigned long long)arg[1]);
	return remote;
}

struct hypercall_result hc_device_setup(struct vm *caller, const u64 *arg)
{
	static struct shyper_device_setup setup;	/* under the management lock */
	struct vm *vm;
	struct virtio_remote *remote = device(arg, &vm);
	int err;

	if (!remote)
		return hypercall_done(-ENOENT);
	if (vm_state(vm) != VM_MADE && vm_state(vm) != VM_ENDED) {
		refuse("%s is running; its devices are set up before", vm->def.name);
		return hypercall_done(-EBUSY);
	}
	if (arg[3] < sizeof(setup))
		return hypercall_done(-EINVAL);
	err = gmap_read(&caller->gmap, GPA(arg[2]), &setup, sizeof(setup));
	return hypercall_done(err ? err : virtio_remote_setup(remote, &setup));
}

struct hypercall_result hc_device_info(struct vm *caller, const u64 *arg)
{
	struct shyper_device_info info;
	struct vm *vm;
	struct virtio_remote *remote = device(arg, &vm);

	if (!remote)
		return hypercall_done(-ENOENT);
	virtio_remote_info(remote, &info);
	return hypercall_give(caller, arg[2], arg[3], &info, sizeof(info));
}

struct hypercall_result hc_device_interrupt(struct vm *caller, const u64 *arg)
{
	struct vm *vm;
	struct virtio_remote *remote = device(arg, &vm);

	(void)caller;
	if (!remote)
		return hypercall_done(-ENOENT);
	if (arg[2] != 1 && arg[2] != 2)
		return hypercall_done(-EINVAL);
	virtio_interrupt(&remote->dev, arg[2] == 1);
	return hypercall_done(0);
}

struct hypercall_result hc_device_reset_done(struct vm *caller, const u64 *arg)
{
	struct vm *vm;
	struct virtio_remote *remote = device(arg, &vm);

	(void)caller;
	if (!remote)
		return hypercall_done(-ENOENT);
	virtio_remote_reset_done(remote);
	return hypercall_done(0);
}

struct hypercall_result hc_device_abandon(struct vm *caller, const u64 *arg)
{
	struct vm *vm;
	struct virtio_remote *remote = device(arg, &vm);

	(void)caller;
	if (!remote)
		return hypercall_done(-ENOENT);
	virtio_remote_abandon(remote);
	return hypercall_done(0);
}

/* Nobody calls meanwhile: the only one who may is not running. */
void hypercall_devices_reset(void)
{
	for (u32 id = 1; id < VMS; id++) {
		struct vm *vm = vm_by_id(id);

		for (u32 n = 0; vm && !vm->fit && n < SHYPER_DEVICES; n++) {
			struct virtio_remote *remote = machine_remote(vm, n);

			if (remote)
				virtio_remote_abandon(remote);
		}
	}
}
