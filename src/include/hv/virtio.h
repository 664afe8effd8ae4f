/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtio transport over MMIO, version 2 (virtio 1.2, section 4.2), as a guest's driver sees it.
 * Transport and device meet only at struct virtio_ops. Who serves the queues is open: a device in
 * Shyper (hv/virtqueue.h), or somebody else who asks virtio_queue_info() where they are and calls
 * virtio_interrupt() when buffers are used.
 *
 * All that the driver can read is one page, which the transport keeps current and never looks at
 * itself: it may be mapped into the guest read-only, so that only writes exit.
 */
#ifndef HV_VIRTIO_H
#define HV_VIRTIO_H

#include <hv/irqchip.h>
#include <hv/log.h>
#include <hv/mmio.h>
#include <hv/spinlock.h>
#include <hv/types.h>

struct gmap;

#define VIRTIO_MMIO_SIZE PAGE_SIZE	/* bytes of registers; the region may be larger */
#define VIRTIO_CONFIG_SIZE (PAGE_SIZE - 0x100)	/* bytes of the device's own configuration */
#define VIRTIO_QUEUE_MAX 1024		/* most entries that a queue may have here */

/* Features of the transport and the rings, section 6. Bits 0 to 23 are the device's own. */
#define VIRTIO_F_INDIRECT_DESC BIT(28)
#define VIRTIO_F_EVENT_IDX BIT(29)
#define VIRTIO_F_VERSION_1 BIT(32)

/* Device status, section 2.1. */
#define VIRTIO_ACKNOWLEDGE 0x01U
#define VIRTIO_DRIVER 0x02U
#define VIRTIO_DRIVER_OK 0x04U
#define VIRTIO_FEATURES_OK 0x08U
#define VIRTIO_NEEDS_RESET 0x40U
#define VIRTIO_FAILED 0x80U

/* Device ids, section 5. */
#define VIRTIO_ID_NET 1
#define VIRTIO_ID_BLOCK 2
#define VIRTIO_ID_CONSOLE 3

/*
 * A device. Unless it says otherwise, an op is called with the device's lock held, on the hart of
 * a vCPU or, for reset, of whoever resets the VM; it must not block. A NULL op does nothing.
 */
struct virtio_ops {
	const char *name;	/* for the log */
	u32 device_id;
	/* The driver writes width bytes (1, 2, 4, 8) at an offset of the configuration. */
	void (*config_write)(void *ctx, u32 offset, u32 width, u64 value);
	/* The driver has set status bits, not 0; virtio_status() has the new ones already. */
	void (*status)(void *ctx);
	/*
	 * The driver hands queue n over, checked and with features agreed, or takes it back. False:
	 * not yet; the driver's vCPU comes again until this is true.
	 */
	bool (*queue)(void *ctx, u32 n, bool ready);
	/* Forget the driver; leave its memory alone from now on. False: as above. */
	bool (*reset)(void *ctx);
	/*
	 * Queue n, which is ready, may have new buffers. Without the lock, from several harts at
	 * a time. True: there is more to do than one call should; the vCPU comes again.
	 */
	bool (*notify)(void *ctx, u32 n);
	/* Without the lock, after it was held and the device asked for it (virtio_put_off()). */
	void (*settle)(void *ctx);
};

/* A queue as its driver has set it up; all addresses are guest physical. */
struct virtio_queue_info {
	bool ready;
	u32 num;	/* entries, a power of two */
	u64 desc;
	u64 driver;	/* the "available" ring */
	u64 device;	/* the "used" ring */
};

struct virtio_queue {
	u32 max;			/* entries at most; fixed after init */
	struct virtio_queue_info set;	/* under the device's lock; ready is read without, too */
};

struct virtio_dev {
	/*
	 * What the driver reads, a page of its own. Written under the lock, but for what tells of
	 * interrupts; read by the guest.
	 */
	u8 page[PAGE_SIZE] __attribute__((aligned(4096)));

	/* Fixed after init. */
	const struct virtio_ops *ops;
	void *ctx;
	const char *owner;		/* the VM's name, for the log */
	const struct gmap *gmap;
	struct irq_line irq;
	u64 offered;			/* features */
	u32 queues;
	struct virtio_queue *queue;

	/* Lock-free. */
	u32 interrupts;			/* bit 0: buffers used, bit 1: configuration changed */

	/* Under the lock; status is read without it, too. */
	struct spinlock lock;
	u32 status;
	u64 accepted;			/* features */
	u32 device_sel;			/* which half of the offered features shows */
	u32 driver_sel;			/* which half of the accepted ones is written */
	u32 queue_sel;
	bool resetting;			/* ops->reset is not done yet */
	bool put_off;			/* ops->settle is wanted */
	const char *complaint;		/* why it needs a reset, not logged yet; NULL: nothing */
	u32 complaint_queue;
	struct log_limit log_limit;
};

/* What a device is made of. All that it points to stays where it is, but irq is copied. */
struct virtio_params {
	const struct virtio_ops *ops;
	void *ctx;			/* handed to ops */
	const char *owner;
	const struct gmap *gmap;	/* the memory of the driver's VM */
	struct irq_line irq;
	u64 features;			/* beside VIRTIO_F_VERSION_1, which is always there */
	u32 queues;
	struct virtio_queue *queue;	/* as many; max is set, a power of two */
};

/* virtio_init() - power-on state, configuration all zero. By the VM's maker alone. */
void virtio_init(struct virtio_dev *dev, const struct virtio_params *params);

/*
 * virtio_reset() - as if the driver had written 0 to the status. Any hart, takes the lock. False:
 * the device is not done yet; call again.
 */
bool virtio_reset(struct virtio_dev *dev);

/*
 * virtio_lock() / virtio_unlock() - the device's lock. After dropping it, the latter does what
 * may not be done under it: it logs, and calls ops->settle when virtio_put_off() was called.
 */
void virtio_lock(struct virtio_dev *dev);
void virtio_unlock(struct virtio_dev *dev);
void virtio_put_off(struct virtio_dev *dev);

/* virtio_status() - of this moment; any hart, lock-free. */
static inline u32 virtio_status(const struct virtio_dev *dev)
{
	return __atomic_load_n(&dev->status, __ATOMIC_ACQUIRE);
}

/* virtio_running() - the driver uses the device and the device is sound; as virtio_status(). */
static inline bool virtio_running(const struct virtio_dev *dev)
{
	return (virtio_status(dev) & (VIRTIO_DRIVER_OK | VIRTIO_NEEDS_RESET)) == VIRTIO_DRIVER_OK;
}

/* virtio_accepted() - all of these features were agreed on. The lock is held. */
bool virtio_accepted(const struct virtio_dev *dev, u64 features);

/*
 * virtio_queue_info() - a copy of what the driver has set, under the lock. 0; -EINVAL: there is no
 * queue n. The rings were in the VM's RAM when the queue became ready.
 */
int __must_check virtio_queue_info(struct virtio_dev *dev, u32 n, struct virtio_queue_info *info);

/*
 * virtio_interrupt() - tell the driver: buffers were used (true) or the configuration has changed
 * (false). Any hart, lock-free, with the lock held or not. Nothing happens before DRIVER_OK.
 */
void virtio_interrupt(struct virtio_dev *dev, bool used_ring);

/*
 * virtio_config_set() - change size bytes of the configuration. The lock is held, or the VM does
 * not run. The range lies inside VIRTIO_CONFIG_SIZE. To tell the driver: virtio_interrupt().
 */
void virtio_config_set(struct virtio_dev *dev, u32 offset, const void *data, u32 size);

/*
 * virtio_fail() - the device needs a reset, and does nothing until then; the driver is told. The
 * lock is held, and the driver has the device.
 */
void virtio_fail(struct virtio_dev *dev);

/*
 * virtio_broken() - the same because the driver broke the rules at queue n. why is a constant; it
 * is logged once per reset. The lock is held.
 */
void virtio_broken(struct virtio_dev *dev, u32 n, const char *why);

/*
 * The machine supplies (drivers/guest/machine.c): virtio_complain() - what virtio_broken() said
 * goes to the log, if dev->log_limit admits it. No lock is held.
 */
void virtio_complain(struct virtio_dev *dev, u32 n, const char *why);

/* dev is the struct virtio_dev. */
extern const struct mmio_ops virtio_mmio_ops;

#endif
