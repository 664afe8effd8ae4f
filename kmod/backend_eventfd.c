// SPDX-License-Identifier: GPL-2.0-only
/*
 * Eventfds of a back-end: one for each queue that Shyper's doorbells signal (ioeventfd), and some
 * that interrupt the guest (irqfd). vhost takes both as they are.
 */
#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/fs.h>

#include "backend.h"

/* --- From the guest ------------------------------------------------------------------------- */

void backend_kick(struct backend *backend, unsigned long queues)
{
	unsigned int queue;

	mutex_lock(&backend->lock);
	for_each_set_bit(queue, &queues, SHYPER_DEVICE_QUEUES) {
		if (!backend->kick[queue])
			continue;
		eventfd_signal(backend->kick[queue]);
		backend->kicks++;
	}
	mutex_unlock(&backend->lock);
}

static void drop_kick(struct backend *backend, u32 queue)
{
	if (backend->kick[queue])
		eventfd_ctx_put(backend->kick[queue]);
	backend->kick[queue] = NULL;
}

/* Keeps the reference to the eventfd when it succeeds. */
static int set_kick(struct backend *backend, u32 queue, struct eventfd_ctx *eventfd,
		    struct shyper_refusal *refusal)
{
	if (backend->kick[queue])
		return shyper_refuse(refusal, -EEXIST, "queue %u has an eventfd already", queue);
	backend->kick[queue] = eventfd;
	return 0;
}

static int clear_kick(struct backend *backend, u32 queue, const struct eventfd_ctx *eventfd,
		      struct shyper_refusal *refusal)
{
	if (backend->kick[queue] != eventfd)
		return shyper_refuse(refusal, -ENOENT, "queue %u does not have this eventfd",
				     queue);
	drop_kick(backend, queue);
	return 0;
}

int backend_ioeventfd(struct backend *backend, const struct shyper_ioeventfd *values,
		      struct shyper_refusal *refusal)
{
	bool deassign = values->flags & SHYPER_EVENTFD_DEASSIGN;
	struct eventfd_ctx *eventfd;
	int err;

	if (values->queue >= backend->queues)
		return shyper_refuse(refusal, -EINVAL, "device %u has %u queues",
				     backend->number, backend->queues);
	eventfd = eventfd_ctx_fdget(values->fd);
	if (IS_ERR(eventfd))
		return shyper_refuse(refusal, PTR_ERR(eventfd), "not an eventfd");
	mutex_lock(&backend->lock);
	err = deassign ? clear_kick(backend, values->queue, eventfd, refusal) :
			 set_kick(backend, values->queue, eventfd, refusal);
	mutex_unlock(&backend->lock);
	if (err || deassign)
		eventfd_ctx_put(eventfd);
	return err;
}

/* --- To the guest --------------------------------------------------------------------------- */

/* With the lock of the eventfd's wait queue, interrupts off. */
static int signalled(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key)
{
	struct backend_irqfd *irqfd = container_of(wait, struct backend_irqfd, wait);
	__poll_t events = key_to_poll(key);
	u64 count;

	if (events & EPOLLIN) {
		eventfd_ctx_do_read(irqfd->eventfd, &count);
		irqfd->interrupts++;
		hc_device_interrupt(irqfd->backend->vm->id, irqfd->backend->number);
	}
	if (events & EPOLLHUP) {
		irqfd->hung = true;
		queue_work(backend_works, &irqfd->gone);
	}
	return 0;
}

static void enqueue(struct file *file, wait_queue_head_t *queue, poll_table *table)
{
	add_wait_queue(queue, &container_of(table, struct backend_irqfd, table)->wait);
}

/* On return signalled() is not called any more. */
static void detach(struct backend_irqfd *irqfd)
{
	u64 count;

	if (!irqfd->eventfd)
		return;
	eventfd_ctx_remove_wait_queue(irqfd->eventfd, &irqfd->wait, &count);
	eventfd_ctx_put(irqfd->eventfd);
	irqfd->eventfd = NULL;
}

/* The one that hung may have been taken away meanwhile, and another be in its place. */
static void gone(struct work_struct *work)
{
	struct backend_irqfd *irqfd = container_of(work, struct backend_irqfd, gone);

	mutex_lock(&irqfd->backend->lock);
	if (irqfd->hung)
		detach(irqfd);
	mutex_unlock(&irqfd->backend->lock);
}

static struct backend_irqfd *find(struct backend *backend, const struct eventfd_ctx *eventfd)
{
	for (u32 i = 0; i < BACKEND_IRQFDS; i++)
		if (backend->irqfd[i].eventfd == eventfd)
			return &backend->irqfd[i];
	return NULL;
}

/* Keeps the reference to the eventfd when it succeeds. */
static int attach(struct backend *backend, struct file *file, struct eventfd_ctx *eventfd,
		  struct shyper_refusal *refusal)
{
	struct backend_irqfd *irqfd = find(backend, NULL);

	if (find(backend, eventfd))
		return shyper_refuse(refusal, -EEXIST, "device %u has this eventfd already",
				     backend->number);
	if (!irqfd)
		return shyper_refuse(refusal, -ENOSPC, "device %u has %u eventfds already",
				     backend->number, BACKEND_IRQFDS);
	irqfd->eventfd = eventfd;
	irqfd->hung = false;
	init_waitqueue_func_entry(&irqfd->wait, signalled);
	init_poll_funcptr(&irqfd->table, enqueue);
	/* It was signalled before we could hear that. */
	if (vfs_poll(file, &irqfd->table) & EPOLLIN)
		hc_device_interrupt(backend->vm->id, backend->number);
	return 0;
}

static int detach_one(struct backend *backend, const struct eventfd_ctx *eventfd,
		      struct shyper_refusal *refusal)
{
	struct backend_irqfd *irqfd = find(backend, eventfd);

	if (!irqfd)
		return shyper_refuse(refusal, -ENOENT, "device %u does not have this eventfd",
				     backend->number);
	detach(irqfd);
	return 0;
}

int backend_irqfd(struct backend *backend, const struct shyper_irqfd *values,
		  struct shyper_refusal *refusal)
{
	bool deassign = values->flags & SHYPER_EVENTFD_DEASSIGN;
	struct file *file = eventfd_fget(values->fd);
	struct eventfd_ctx *eventfd;
	int err;

	if (IS_ERR(file))
		return shyper_refuse(refusal, PTR_ERR(file), "not an eventfd");
	eventfd = eventfd_ctx_fileget(file);	/* which it is */
	mutex_lock(&backend->lock);
	err = deassign ? detach_one(backend, eventfd, refusal) :
			 attach(backend, file, eventfd, refusal);
	mutex_unlock(&backend->lock);
	if (err || deassign)
		eventfd_ctx_put(eventfd);
	fput(file);
	return err;
}

/* --- Both ----------------------------------------------------------------------------------- */

void backend_eventfds_init(struct backend *backend)
{
	mutex_init(&backend->lock);
	for (u32 i = 0; i < BACKEND_IRQFDS; i++) {
		backend->irqfd[i].backend = backend;
		INIT_WORK(&backend->irqfd[i].gone, gone);
	}
}

void backend_eventfds_drop(struct backend *backend)
{
	mutex_lock(&backend->lock);
	for (u32 queue = 0; queue < SHYPER_DEVICE_QUEUES; queue++)
		drop_kick(backend, queue);
	for (u32 i = 0; i < BACKEND_IRQFDS; i++)
		detach(&backend->irqfd[i]);
	mutex_unlock(&backend->lock);
	for (u32 i = 0; i < BACKEND_IRQFDS; i++)
		cancel_work_sync(&backend->irqfd[i].gone);
}
