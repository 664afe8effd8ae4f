// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices of VMs that user space serves: set up through a VM's descriptor, which owns them from
 * then on. When it is closed, however that comes, their drivers find them broken.
 */
#include <linux/bitops.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "backend.h"

struct workqueue_struct *backend_works;

/* --- Events --------------------------------------------------------------------------------- */

/* Until the work has run the doorbell stands, so that a guest cannot interrupt us without end. */
static void rung(struct shyper_server *server)
{
	struct backend *backend = container_of(server, struct backend, server);

	if (queue_work(backend_works, &backend->ring))
		backend->doorbells++;
}

static void ring(struct work_struct *work)
{
	struct backend *backend = container_of(work, struct backend, ring);

	backend_kick(backend, shyper_events_doorbells_heard(backend->vm->id, backend->number));
}

static void changed(struct shyper_server *server)
{
	struct backend *backend = container_of(server, struct backend, server);

	if (!test_and_set_bit(backend->number, &backend->owner->news))
		wake_up_all(&backend->vm->wait);
}

static const struct shyper_server_ops backend_ops = {
	.what = "user space's",
	.rung = rung,
	.changed = changed,
};

/* --- Setting up and taking away ------------------------------------------------------------- */

static struct backend *backend_of(const struct shyper_vm *vm, u32 number)
{
	struct shyper_server *server = shyper_server_of(vm->id, number);

	if (!server || server->ops != &backend_ops)
		return NULL;
	return container_of(server, struct backend, server);
}

/* The owner's device of this number; NULL: refused. */
static struct backend *owned(const struct shyper_vm *vm, const struct shyper_owner *owner,
			     u32 number, struct shyper_refusal *refusal)
{
	struct backend *backend = number < SHYPER_DEVICES ? backend_of(vm, number) : NULL;

	lockdep_assert_held(&shyper_lock);
	if (backend && backend->owner == owner)
		return backend;
	shyper_refuse(refusal, 0, "device %u of %s was not set up through this descriptor", number,
		      vm->name);
	return NULL;
}

static int add(struct shyper_vm *vm, struct shyper_owner *owner,
	       const struct shyper_vm_device_setup *values, struct shyper_refusal *refusal)
{
	struct backend *backend = kzalloc(sizeof(*backend), GFP_KERNEL);
	int err;

	if (!backend)
		return -ENOMEM;
	err = hc_device_setup(vm->id, values->device, &values->setup);
	if (err) {
		hc_refused(refusal);
		kfree(backend);
		return err;
	}
	backend->server.ops = &backend_ops;
	backend->vm = vm;
	backend->owner = owner;
	backend->number = values->device;
	backend->device_id = values->setup.device_id;
	backend->queues = values->setup.queues;
	INIT_WORK(&backend->ring, ring);
	backend_eventfds_init(backend);
	shyper_server_add(vm->id, values->device, &backend->server);
	return 0;
}

static void take_back(struct backend *backend)
{
	if (backend->lent)
		shyper_vm_let_go(backend->vm);
	backend->lent = false;
}

static void forget(struct backend *backend)
{
	shyper_server_remove(backend->vm->id, backend->number);
	cancel_work_sync(&backend->ring);
	backend_eventfds_drop(backend);
	clear_bit(backend->number, &backend->owner->news);
	take_back(backend);
	kfree(backend);
}

int shyper_backend_setup(struct shyper_vm *vm, struct shyper_owner *owner,
			 const struct shyper_vm_device_setup *values,
			 struct shyper_refusal *refusal)
{
	bool absent = !values->setup.device_id && !values->setup.queues;
	struct shyper_server *server;
	struct backend *backend;

	lockdep_assert_held(&shyper_lock);
	if (values->device >= SHYPER_DEVICES || values->reserved)
		return -EINVAL;
	server = shyper_server_of(vm->id, values->device);
	if (!absent)
		return server ? shyper_refuse(refusal, -EBUSY, "device %u of %s is %s already",
					      values->device, vm->name, server->ops->what) :
				add(vm, owner, values, refusal);
	backend = owned(vm, owner, values->device, refusal);
	if (!backend)
		return -ENOENT;
	hc_device_abandon(vm->id, values->device);
	forget(backend);
	return 0;
}

void shyper_backends_forget(struct shyper_vm *vm, const struct shyper_owner *owner)
{
	lockdep_assert_held(&shyper_lock);
	for (u32 number = 0; number < SHYPER_DEVICES; number++) {
		struct backend *backend = backend_of(vm, number);

		if (!backend || (owner && backend->owner != owner))
			continue;
		hc_device_abandon(vm->id, number);
		forget(backend);
	}
}

/* --- Serving -------------------------------------------------------------------------------- */

void shyper_backends_lend(struct shyper_vm *vm)
{
	lockdep_assert_held(&shyper_lock);
	for (u32 number = 0; number < SHYPER_DEVICES; number++) {
		struct backend *backend = backend_of(vm, number);

		if (!backend)
			continue;
		backend->lent = true;
		atomic_inc(&vm->served);
	}
}

static int vm_state(const struct shyper_vm *vm)
{
	struct shyper_vm_info *info = kmalloc(sizeof(*info), GFP_KERNEL);
	int result = info ? hc_vm_info(vm->id, info) : -ENOMEM;

	if (!result)
		result = info->state;
	kfree(info);
	return result;
}

int shyper_backend_info(struct shyper_vm *vm, struct shyper_owner *owner, u32 number,
			struct shyper_device_info *info, struct shyper_refusal *refusal)
{
	struct backend *backend = owned(vm, owner, number, refusal);
	int state;

	if (!backend)
		return -ENOENT;
	/* What happens from here on is news. */
	clear_bit(number, &owner->news);
	shyper_events_device_heard(vm->id, number);
	state = vm_state(vm);
	if (state < 0)
		return state;
	if (state == SHYPER_VM_RUNNING)
		return hc_device_info(vm->id, number, info);
	/* Its driver is no more. */
	memset(info, 0, sizeof(*info));
	info->resetting = backend->lent;
	return 0;
}

int shyper_backend_reset_done(struct shyper_vm *vm, struct shyper_owner *owner, u32 number,
			      struct shyper_refusal *refusal)
{
	struct backend *backend = owned(vm, owner, number, refusal);
	int state;

	if (!backend)
		return -ENOENT;
	state = vm_state(vm);
	if (state < 0)
		return state;
	if (state == SHYPER_VM_RUNNING)
		hc_device_reset_done(vm->id, number);
	else
		take_back(backend);
	return 0;
}

int shyper_backend_ioeventfd(struct shyper_vm *vm, struct shyper_owner *owner,
			     const struct shyper_ioeventfd *values, struct shyper_refusal *refusal)
{
	struct backend *backend;

	if (values->flags & ~SHYPER_EVENTFD_DEASSIGN)
		return -EINVAL;
	backend = owned(vm, owner, values->device, refusal);
	return backend ? backend_ioeventfd(backend, values, refusal) : -ENOENT;
}

int shyper_backend_irqfd(struct shyper_vm *vm, struct shyper_owner *owner,
			 const struct shyper_irqfd *values, struct shyper_refusal *refusal)
{
	struct backend *backend;

	if ((values->flags & ~SHYPER_EVENTFD_DEASSIGN) || values->reserved)
		return -EINVAL;
	backend = owned(vm, owner, values->device, refusal);
	return backend ? backend_irqfd(backend, values, refusal) : -ENOENT;
}

/* --- For people ----------------------------------------------------------------------------- */

static void show(struct seq_file *out, struct backend *backend)
{
	unsigned int kicks = 0, irqfds = 0;
	u64 interrupts = 0;

	mutex_lock(&backend->lock);
	for (u32 queue = 0; queue < SHYPER_DEVICE_QUEUES; queue++)
		kicks += !!backend->kick[queue];
	for (u32 i = 0; i < BACKEND_IRQFDS; i++) {
		irqfds += !!backend->irqfd[i].eventfd;
		interrupts += READ_ONCE(backend->irqfd[i].interrupts);
	}
	seq_printf(out, "%2u %6u %9u %6u %4s %10u %6u %9llu %9llu %10llu\n", backend->vm->id,
		   backend->number, backend->device_id, backend->queues,
		   backend->lent ? "yes" : "no", kicks, irqfds, backend->doorbells,
		   backend->kicks, interrupts);
	mutex_unlock(&backend->lock);
}

void shyper_backends_show(struct seq_file *out, struct shyper_vm *vm)
{
	lockdep_assert_held(&shyper_lock);
	for (u32 number = 0; number < SHYPER_DEVICES; number++) {
		struct backend *backend = backend_of(vm, number);

		if (backend)
			show(out, backend);
	}
}

/* --- The module's part ---------------------------------------------------------------------- */

int shyper_backends_init(void)
{
	backend_works = alloc_workqueue("shyper-backends", WQ_UNBOUND, 0);
	return backend_works ? 0 : -ENOMEM;
}

void shyper_backends_exit(void)
{
	destroy_workqueue(backend_works);
}
