/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private to backend*.c: devices of VMs that user space serves. Each belongs to the descriptor that
 * has set it up, and goes with it.
 */
#ifndef SHYPER_BACKEND_H
#define SHYPER_BACKEND_H

#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <abi/shyper.h>

#include "kmod.h"

struct eventfd_ctx;

#define BACKEND_IRQFDS SHYPER_DEVICE_QUEUES

/* An eventfd that interrupts the guest when it is signalled. */
struct backend_irqfd {
	/* Fixed. */
	struct backend *backend;
	struct work_struct gone;

	/* Under backend->lock. */
	struct eventfd_ctx *eventfd;	/* NULL: none; fixed while wait is in its queue */

	/* Under the lock of the eventfd's wait queue. */
	wait_queue_entry_t wait;
	poll_table table;
	bool hung;			/* nobody has the eventfd open any more */
	u64 interrupts;
};

struct backend {
	struct shyper_server server;

	/* Fixed. */
	struct shyper_vm *vm;
	struct shyper_owner *owner;
	u32 number;		/* of the device in the VM */
	u32 device_id;
	u32 queues;
	struct work_struct ring;

	/* Under shyper_lock. */
	bool lent;		/* from boot until it has let go of the VM's memory: counted */

	struct mutex lock;	/* inside shyper_lock; guards eventfds */
	struct eventfd_ctx *kick[SHYPER_DEVICE_QUEUES];	/* NULL: nobody listens */
	struct backend_irqfd irqfd[BACKEND_IRQFDS];
	u64 kicks;		/* eventfds signalled */

	u64 doorbells;		/* of the event interrupt; of rung() */
};

extern struct workqueue_struct *backend_works;

/* --- backend_eventfd.c: with shyper_lock ----------------------------------------------------- */

void backend_eventfds_init(struct backend *backend);

/* backend_eventfds_drop() - all of them; on return nothing of theirs runs. */
void backend_eventfds_drop(struct backend *backend);

/* backend_kick() - these queues, as bits, were notified. May sleep; needs no lock. */
void backend_kick(struct backend *backend, unsigned long queues);

int backend_ioeventfd(struct backend *backend, const struct shyper_ioeventfd *values,
		      struct shyper_refusal *refusal);
int backend_irqfd(struct backend *backend, const struct shyper_irqfd *values,
		  struct shyper_refusal *refusal);

#endif
