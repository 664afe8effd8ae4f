/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The MMIO bus of a VM: the regions of its guest physical address space that devices answer.
 * Filled while the VM is made, constant while it runs, hence read without a lock on exits.
 */
#ifndef HV_MMIO_H
#define HV_MMIO_H

#include <hv/types.h>

#define MMIO_REGIONS 48		/* per VM: the board's devices plus 32 virtio slots */

/* One access of a guest. The device sees offsets, never addresses. */
struct mmio_access {
	u64 offset;	/* from the region's base, bytes */
	u64 value;	/* write: the value, zero-extended; read: filled in by the device */
	u32 vcpu;	/* index of the vCPU in its VM */
	u8 width;	/* 1, 2, 4 or 8 bytes */
	bool write;
};

enum mmio_result {
	MMIO_OK,	/* done; for a read, value is valid */
	MMIO_AGAIN,	/* not done yet: the guest does it again, after interrupts if any */
	MMIO_FAULT,	/* the device refuses this width or offset: the guest gets a fault */
	MMIO_ABSENT,	/* no device there (bus only), or the access straddles a region's end */
};

struct mmio_ops {
	const char *name;
	/*
	 * Perform one access: naturally aligned, wholly inside the region. Called on the hart
	 * of the vCPU, from its exit path: must not block, allocate or loop without a bound.
	 * The device does its own locking.
	 */
	enum mmio_result (*access)(void *dev, struct mmio_access *acc);
};

struct mmio_region {
	u64 base;	/* guest physical address */
	u64 size;	/* bytes */
	const struct mmio_ops *ops;
	void *dev;	/* handed to ops->access */
};

/* Fixed once the VM runs; regions are sorted by base. */
struct mmio_bus {
	u32 count;
	struct mmio_region region[MMIO_REGIONS];
};

/*
 * mmio_add() - put a device on the bus. Called while the VM is made, by its maker alone.
 * An all-zero bus is an empty one. Returns 0; -EINVAL: the range is empty, wraps, or does not start
 * at a multiple of 8 (the widest access: so offsets are aligned as addresses are); -EEXIST: it
 * overlaps another; -ENOMEM: the bus is full. On error the bus is unchanged.
 */
int __must_check mmio_add(struct mmio_bus *bus, gpa_t base, u64 size,
			  const struct mmio_ops *ops, void *dev);

/*
 * mmio_access() - dispatch one access at a guest physical address. acc->offset is filled in here,
 * the rest by the caller. Misaligned accesses are MMIO_FAULT when they begin inside a device, and
 * MMIO_ABSENT when they begin outside of all. No lock.
 */
enum mmio_result mmio_access(const struct mmio_bus *bus, gpa_t addr, struct mmio_access *acc);

#endif
