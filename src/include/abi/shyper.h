/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * /dev/shyper: what user space of the MVM asks of shyper.ko. The device's own descriptor makes and
 * finds VMs; each VM has descriptors of its own, which hold it in no way: a VM lives until
 * SHYPER_VM_DESTROY, whoever closes or dies. All calls need CAP_SYS_ADMIN. Errors are errno; the
 * words for a refusal by Shyper come from SHYPER_REASON on the same descriptor.
 *
 * A VM's descriptor can be mapped: offset 0 is the start of the guest's first RAM range, offsets
 * follow the guest's addresses; SEEK_END gives the size. poll() reports POLLPRI when the VM's
 * state has changed since the last SHYPER_VM_INFO on that descriptor, or, at most once a second,
 * when a partition has missed windows or had them late (SHYPER_SCHED_INFO); POLLIN when a device
 * that was set up through it has something to tell, and POLLHUP when the VM is destroyed.
 */
#ifndef ABI_SHYPER_H
#define ABI_SHYPER_H

#include "hypercall.h"

#ifdef __KERNEL__
#include <linux/ioctl.h>
#else
#include <sys/ioctl.h>
#endif

#define SHYPER_IOCTL 0xB8

struct shyper_create {
	__u64 tree;	/* user address of the definition tree (docs/vm-definition.md) */
	__u32 size;	/* bytes */
	__u32 id;	/* out: the VM's number */
};

struct shyper_text {
	__u64 buffer;	/* user address */
	__u32 size;	/* in: room; out: bytes of text, no NUL */
	__u32 reserved;	/* 0 */
};

/* A network card of any VM, that of the MVM (0) too. */
struct shyper_net_card {
	__u32 vm;	/* in */
	__u32 card;	/* in: number in the VM */
	struct shyper_net_info info;	/* out */
};
struct shyper_net_set {
	__u32 vm;
	__u32 card;
	__u32 what;	/* SHYPER_NET_SET_* */
	__u32 value;	/* 1: on, 0: off */
};

/* Who is on a hart, and how VMs share theirs. */
struct shyper_sched_hart {
	__u32 number;	/* in: of the hart, from 0 */
	__u32 reserved;	/* 0 */
	struct shyper_sched_info info;	/* out */
};
struct shyper_sched_set {
	__u32 vm;
	__u16 priority;
	__u16 flags;	/* SHYPER_SCHED_STRICT */
	__u32 budget;	/* microseconds, as is the period; 0, 0: no limit */
	__u32 period;
};

/* A schedule of partitions, as a tree (docs/scheduling.md). */
struct shyper_schedule_tree {
	__u64 tree;	/* user address */
	__u32 size;	/* in: bytes, or room; out: bytes */
	__u32 reserved;	/* 0 */
};

/* On /dev/shyper. */
#define SHYPER_API_VERSION _IO(SHYPER_IOCTL, 0)	/* → SHYPER_ABI_VERSION */
#define SHYPER_REASON _IOWR(SHYPER_IOCTL, 1, struct shyper_text)
#define SHYPER_SYSTEM_INFO _IOR(SHYPER_IOCTL, 2, struct shyper_system_info)
#define SHYPER_CREATE_VM _IOWR(SHYPER_IOCTL, 3, struct shyper_create)	/* → descriptor */
#define SHYPER_OPEN_VM _IO(SHYPER_IOCTL, 4)	/* (id) → descriptor */
#define SHYPER_LOG_READ _IOWR(SHYPER_IOCTL, 5, struct shyper_log)
#define SHYPER_NET_INFO _IOWR(SHYPER_IOCTL, 6, struct shyper_net_card)	/* ENOENT: no such card */
#define SHYPER_NET_SET _IOW(SHYPER_IOCTL, 7, struct shyper_net_set)
#define SHYPER_SCHED_INFO _IOWR(SHYPER_IOCTL, 8, struct shyper_sched_hart) /* ENOENT: none */
#define SHYPER_SCHED_SET _IOW(SHYPER_IOCTL, 9, struct shyper_sched_set)

/*
 * The schedule of partitions; ENOENT: there is none, or no such table. SHYPER_SCHEDULE_SET puts
 * another in its place, SHYPER_SCHEDULE_SWITCH goes to the table of that number (the argument
 * itself), SHYPER_SCHEDULE_SHIFT moves all frames by so many microseconds: all from the end of the
 * frame on, which SHYPER_SCHEDULE_INFO tells. SHYPER_SCHEDULE_READ gives its tree.
 */
#define SHYPER_SCHEDULE_INFO _IOR(SHYPER_IOCTL, 10, struct shyper_schedule_info)
#define SHYPER_SCHEDULE_SET _IOW(SHYPER_IOCTL, 11, struct shyper_schedule_tree)
#define SHYPER_SCHEDULE_SWITCH _IO(SHYPER_IOCTL, 12)
#define SHYPER_SCHEDULE_SHIFT _IOW(SHYPER_IOCTL, 13, __s64)
#define SHYPER_SCHEDULE_READ _IOWR(SHYPER_IOCTL, 14, struct shyper_schedule_tree)

/*
 * SHYPER_TRACE_OPEN - have Shyper record what its harts do (trace.h), until the descriptor that it
 * returns is closed. EBUSY: somebody does. On that, SHYPER_TRACE_READ gives what the ring of a hart
 * has, from a position that the reader keeps; ENOENT: there is no such hart.
 */
struct shyper_trace_open {
	__u32 events;	/* bits 1 << SHYPER_TRACE_* */
	__u32 slots;	/* records of a ring */
};
#define SHYPER_TRACE_OPEN _IOW(SHYPER_IOCTL, 49, struct shyper_trace_open)	/* → descriptor */
#define SHYPER_TRACE_READ _IOWR(SHYPER_IOCTL, 48, struct shyper_trace_read)

/* On a VM's descriptor. */
#define SHYPER_VM_INFO _IOR(SHYPER_IOCTL, 16, struct shyper_vm_info)
#define SHYPER_VM_BOOT _IOW(SHYPER_IOCTL, 17, struct shyper_boot)
#define SHYPER_VM_STOP _IO(SHYPER_IOCTL, 18)
#define SHYPER_VM_PAUSE _IO(SHYPER_IOCTL, 19)
#define SHYPER_VM_RESUME _IO(SHYPER_IOCTL, 20)
#define SHYPER_VM_DESTROY _IO(SHYPER_IOCTL, 21)	/* EBUSY while it runs or memory is mapped */
#define SHYPER_VM_MEMORY _IOWR(SHYPER_IOCTL, 22, struct shyper_vm_memory)

/*
 * SHYPER_VM_SET_DISK - have the module serve virtio block device `device` of the VM from this file
 * or block device, in place; fd -1 takes it away. EBUSY while the VM runs. The descriptor may be
 * closed afterwards.
 */
#define SHYPER_DISK_READONLY 1
struct shyper_disk {
	__u32 device;		/* number of the device in the VM */
	__s32 fd;		/* of an image file or a block device, opened O_RDWR or O_RDONLY */
	__u32 flags;		/* SHYPER_DISK_* */
	__u32 reserved;		/* 0 */
	char serial[20];	/* for GET_ID, padded with NULs */
	__u32 reserved2;	/* 0 */
};
#define SHYPER_VM_SET_DISK _IOW(SHYPER_IOCTL, 23, struct shyper_disk)

/*
 * SHYPER_VM_DEVICE_SETUP - serve virtio device `device` of the VM from user space or with vhost:
 * what its driver is to see. EBUSY while the VM runs, or when somebody serves it already. From then
 * on the device belongs to this descriptor alone: when it is closed, or asks for device_id 0 and
 * queues 0, a driver that is there finds the device broken, and the next boot finds it absent.
 *
 * After POLLIN, SHYPER_VM_DEVICE_INFO tells what the driver has made of it. Its queues may be used
 * while status has DRIVER_OK. When it says `resetting`, because the driver resets the device or the
 * VM has ended, let go of all buffers and say so by SHYPER_VM_DEVICE_RESET_DONE: until then the
 * driver waits, and a VM that has ended is still stopping, and does not boot again.
 */
struct shyper_vm_device_setup {
	__u32 device;		/* number of the device in the VM */
	__u32 reserved;		/* 0 */
	struct shyper_device_setup setup;
};
struct shyper_vm_device_info {
	__u32 device;		/* in */
	__u32 reserved;		/* 0 */
	struct shyper_device_info info;	/* out */
};
#define SHYPER_VM_DEVICE_SETUP _IOW(SHYPER_IOCTL, 24, struct shyper_vm_device_setup)
#define SHYPER_VM_DEVICE_INFO _IOWR(SHYPER_IOCTL, 25, struct shyper_vm_device_info)
#define SHYPER_VM_DEVICE_RESET_DONE _IO(SHYPER_IOCTL, 26)	/* (device) */

/*
 * Eventfds of such a device, as KVM has them. SHYPER_VM_IOEVENTFD - signal it when the driver has
 * notified the queue; one for each queue. What was notified before is not repeated.
 * SHYPER_VM_IRQFD - when it is signalled, take its count and interrupt the guest, since buffers
 * were used; up to SHYPER_DEVICE_QUEUES. Closing all of its descriptors takes it away.
 */
#define SHYPER_EVENTFD_DEASSIGN 1	/* take this eventfd away again */
struct shyper_ioeventfd {
	__u32 device;
	__u32 queue;
	__s32 fd;
	__u32 flags;		/* SHYPER_EVENTFD_* */
};
struct shyper_irqfd {
	__u32 device;
	__s32 fd;
	__u32 flags;		/* SHYPER_EVENTFD_* */
	__u32 reserved;		/* 0 */
};
#define SHYPER_VM_IOEVENTFD _IOW(SHYPER_IOCTL, 27, struct shyper_ioeventfd)
#define SHYPER_VM_IRQFD _IOW(SHYPER_IOCTL, 28, struct shyper_irqfd)

/* SHYPER_VM_PIN - one of its vCPUs goes to another hart, whatever it is doing. */
struct shyper_vm_pin {
	__u32 vcpu;
	__u32 reserved;	/* 0 */
	__u64 hart;	/* its id */
};
#define SHYPER_VM_PIN _IOW(SHYPER_IOCTL, 29, struct shyper_vm_pin)

/* The guest's RAM ranges as one file: what lies at which offset. */
struct shyper_vm_memory {
	__u32 index;	/* in: block by number */
	__u32 reserved;	/* 0 */
	__u64 guest;	/* out: guest physical address; offset = guest - guest of block 0 */
	__u64 size;	/* out: bytes */
};

#endif
