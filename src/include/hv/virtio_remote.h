/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio device that the MVM serves: Shyper has the transport (hv/virtio.h), the MVM has the
 * queues, which it reads and writes in the guest's memory. Shyper tells it of notifications and of
 * changes by event bits (hv/events.h); the MVM asks and answers by hypercalls.
 */
#ifndef HV_VIRTIO_REMOTE_H
#define HV_VIRTIO_REMOTE_H

#include <abi/hypercall.h>
#include <hv/types.h>
#include <hv/virtio.h>

struct virtio_remote {
	struct virtio_dev dev;
	struct virtio_queue queue[SHYPER_DEVICE_QUEUES];

	/* Fixed after init. */
	u32 vm;			/* whose driver it is for */
	u32 number;		/* of the device in the VM */
	const char *owner;
	const struct gmap *gmap;
	struct irq_line irq;

	/* Changed while the VM does not run. */
	struct virtio_ops ops;	/* the device id is the MVM's choice */

	/* Under the device's lock. */
	bool serving;		/* the MVM may hold buffers: from DRIVER_OK until reset-done */
	bool abandoned;		/* until it is set up anew the MVM serves it no more */
};

/* virtio_remote_init() - an absent device (DeviceID 0). By the VM's maker alone. */
void virtio_remote_init(struct virtio_remote *remote, u32 vm, u32 number, const char *owner,
			const struct gmap *gmap, const struct irq_line *irq);

/*
 * virtio_remote_setup() - become the device that the MVM describes. Management lock; the VM does
 * not run. 0; -EINVAL: a count or size is out of range.
 */
int __must_check virtio_remote_setup(struct virtio_remote *remote,
				     const struct shyper_device_setup *setup);

/* virtio_remote_info() - what the driver has made of it. Any hart. */
void virtio_remote_info(struct virtio_remote *remote, struct shyper_device_info *info);

/* virtio_remote_reset_done() - the MVM has let go of a resetting device's buffers. Any hart. */
void virtio_remote_reset_done(struct virtio_remote *remote);

/*
 * virtio_remote_abandon() - the MVM has let go and serves it no more: a driver finds it broken, at
 * once and after each reset. Any hart.
 */
void virtio_remote_abandon(struct virtio_remote *remote);

/*
 * virtio_remote_restart() - power-on state; still set up, unless it was abandoned. The VM does not
 * run; the MVM knows.
 */
void virtio_remote_restart(struct virtio_remote *remote);

#endif
