/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Calls of the management VM (MVM) to Shyper: an SBI extension in the firmware-specific space, with
 * the SBI calling convention (a7 extension, a6 function, a0 … arguments; a0 status, a1 value).
 * Addresses are guest physical addresses of the caller; what they point to is copied, never kept,
 * but for the event page. Every call is atomic: after a refusal nothing has changed, and
 * SHYPER_HC_REASON has the words for it.
 */
#ifndef ABI_HYPERCALL_H
#define ABI_HYPERCALL_H

#include "trace.h"
#include "types.h"

#define SHYPER_EXTENSION 0x0A485950	/* firmware-specific space, "HYP" */
#define SHYPER_ABI_VERSION 4		/* raised when something below changes its meaning */

/* Functions. "id" is a VM's number; the MVM is 0 and may name itself only where it says so. */
#define SHYPER_HC_VERSION 0	/* () → SHYPER_ABI_VERSION; any VM may ask */
#define SHYPER_HC_REASON 1	/* (buffer, size) → bytes: text of the caller's last refusal */
#define SHYPER_HC_SYSTEM_INFO 2	/* (struct shyper_system_info, size); */
/*
 * (definition tree, size, floor) → id. Its memory is the MVM's to fill, and at no host address
 * below floor: an operating system may be unable to use what lies below its own memory.
 * SHYPER_E_AGAIN: its memory is being cleared; the same call goes on with that. A call to make or
 * destroy another VM meanwhile gives it up.
 */
#define SHYPER_HC_VM_CREATE 3
/*
 * (id): of a VM that does not run; its memory leaves the MVM. SHYPER_E_AGAIN: it has, and is being
 * cleared; the same call goes on with that, or another one to make or destroy a VM.
 */
#define SHYPER_HC_VM_DESTROY 4
#define SHYPER_HC_VM_BOOT 5	/* (id, struct shyper_boot, size): of one made or ended */
#define SHYPER_HC_VM_STOP 6	/* (id): at once; an event tells when it has ended */
#define SHYPER_HC_VM_PAUSE 7	/* (id): on return none of its vCPUs executes */
#define SHYPER_HC_VM_RESUME 8	/* (id) */
#define SHYPER_HC_VM_INFO 9	/* (id, struct shyper_vm_info, size); id 0 too */
#define SHYPER_HC_VM_MEMORY 10	/* (id, index, struct shyper_memory, size): of the MVM's VMs */
#define SHYPER_HC_EVENTS 11	/* (page, source): struct shyper_events there; 0, 0: none */
#define SHYPER_HC_LOG_READ 12	/* (struct shyper_log, size): see there */
/* Of devices that the MVM serves: (id, number of the device in the VM, …). */
#define SHYPER_HC_DEVICE_SETUP 13	/* (…, struct shyper_device_setup, size): before a boot */
#define SHYPER_HC_DEVICE_INFO 14	/* (…, struct shyper_device_info, size) */
#define SHYPER_HC_DEVICE_INTERRUPT 15	/* (…, 1: buffers were used, 2: configuration changed) */
#define SHYPER_HC_DEVICE_RESET_DONE 16	/* (…): the MVM has let go of all its buffers */
/*
 * (…): the MVM has let go, and serves it no more. A driver is told that the device needs a reset,
 * which helps nothing; the next boot finds it absent. Until it is set up anew.
 */
#define SHYPER_HC_DEVICE_ABANDON 17
/* Of network cards, the MVM's too: (id, number of the card in the VM, …). */
#define SHYPER_HC_NET_INFO 18	/* (…, struct shyper_net_info, size) */
#define SHYPER_HC_NET_SET 19	/* (…, SHYPER_NET_SET_*, 1: on, 0: off) */
/* Of harts and the vCPUs that share them. */
#define SHYPER_HC_SCHED_INFO 20	/* (number, struct shyper_sched_info, size): the nth hart by id */
/*
 * (id, priority | flags << 16, budget, period): what the VM's definition says in node sched, from
 * now on; a new period begins. Of a VM that shares its harts. Budget and period in microseconds, or
 * both 0.
 */
#define SHYPER_HC_SCHED_SET 21
#define SHYPER_SCHED_STRICT 1	/* flag: without budget it waits for the next period */
/* Of the trace (trace.h): one at a time, until it is stopped or the MVM boots anew. */
#define SHYPER_HC_TRACE_START 22	/* (events, records of each hart's ring) */
#define SHYPER_HC_TRACE_STOP 23	/* (): when there is none, too */
#define SHYPER_HC_TRACE_READ 24	/* (struct shyper_trace_read, size) */
#define SHYPER_HC_VM_PIN 25	/* (id, vCPU, hart id): on return that hart has it, and goes on */
/* Of the schedule of partitions. Changes become true at the end of the frame. */
#define SHYPER_HC_SCHEDULE_INFO 26	/* (struct shyper_schedule_info, size); NOENT: none */
#define SHYPER_HC_SCHEDULE_SET 27	/* (tree, size): another one; it begins with its table 0 */
#define SHYPER_HC_SCHEDULE_SWITCH 28	/* (number of a table) */
/*
 * (microseconds): all frames shall begin so much later, or earlier (< 0), than they do; for who
 * keeps time for several machines. At most half a frame.
 */
#define SHYPER_HC_SCHEDULE_SHIFT 29
/* (buffer, size) → bytes: the tree of the schedule that SHYPER_HC_SCHEDULE_INFO tells of. */
#define SHYPER_HC_SCHEDULE_READ 30

/* Status in a0. */
#define SHYPER_OK 0
#define SHYPER_E_NOSYS (-2)	/* no such function (SBI_ERR_NOT_SUPPORTED) */
#define SHYPER_E_INVAL (-3)	/* an argument is malformed (SBI_ERR_INVALID_PARAM) */
#define SHYPER_E_PERM (-4)	/* not for this VM (SBI_ERR_DENIED) */
#define SHYPER_E_FAULT (-5)	/* not the caller's memory (SBI_ERR_INVALID_ADDRESS) */
#define SHYPER_E_NOENT (-101)	/* no such VM, block, … */
#define SHYPER_E_BUSY (-102)	/* the VM's state forbids it, or somebody has what it needs */
#define SHYPER_E_NOMEM (-103)	/* memory, harts or VM slots are used up */
#define SHYPER_E_AGAIN (-104)	/* no refusal: the call has done part; make it again as it was */

#define SHYPER_VMS 16
#define SHYPER_VCPUS 16
#define SHYPER_NAME 32		/* bytes with the NUL */
#define SHYPER_CAUSE 160		/* bytes with the NUL */
#define SHYPER_TREE_MAX 65536	/* bytes of a definition tree */

/* States of a VM. */
#define SHYPER_VM_MADE 0	/* has its memory; never booted, or cleared for another boot */
#define SHYPER_VM_RUNNING 1
#define SHYPER_VM_STOPPING 2
#define SHYPER_VM_ENDED 3	/* reason and exit_code say how; memory is as the guest left it */

/* Why it ended. */
#define SHYPER_END_POWEROFF 0
#define SHYPER_END_REBOOT 1	/* the guest asks to be booted again */
#define SHYPER_END_FAILURE 2	/* the guest reports that it failed */
#define SHYPER_END_CRASH 3	/* Shyper stopped it; the log says what it did */
#define SHYPER_END_STOP 4	/* the MVM stopped it */

/* Exits, in the order of shyper_vm_info.exits. */
/* sbi mmio-read mmio-write instruction ipi timer external fault other */
#define SHYPER_EXIT_CAUSES 9

struct shyper_system_info {
	__u64 pages_total;	/* of 4 KiB: RAM that firmware left */
	__u64 pages_free;
	__u64 pages_shyper;
	__u64 timebase;		/* Hz */
	__u64 uptime;		/* of Shyper, in ticks of the timebase */
	__u32 harts;
	__u32 harts_free;	/* serve no vCPU */
	__u32 vms;		/* bit n: VM n exists */
	__u32 abi;		/* SHYPER_ABI_VERSION */
	char version[64];	/* of Shyper, text with a NUL */
};

struct shyper_vm_info {
	char name[SHYPER_NAME];
	__u32 state;		/* SHYPER_VM_* */
	__u32 reason;		/* SHYPER_END_*, when ended */
	__u32 exit_code;
	__u32 paused;		/* 1: while running */
	__u32 vcpus;
	__u32 blocks;		/* of memory, see SHYPER_HC_VM_MEMORY */
	__u64 ram;		/* bytes */
	__u64 hart[SHYPER_VCPUS];	/* hart id of each vCPU */
	__u64 booted_at;	/* ticks of Shyper's uptime */
	__u64 boots;
	__u64 exits[SHYPER_EXIT_CAUSES];
	char cause[SHYPER_CAUSE];	/* what the guest did, when ended by a crash */
};

/* A piece of a VM's RAM, contiguous for guest and host. The MVM sees it at the host's address. */
struct shyper_memory {
	__u64 guest;		/* guest physical address */
	__u64 host;		/* host physical address */
	__u64 size;		/* bytes */
};

/* What the MVM has put into the guest's memory. Shyper adds the guest's device tree. */
struct shyper_boot {
	__u64 entry;		/* guest physical: pc of vCPU 0 */
	__u64 initrd;		/* guest physical */
	__u64 initrd_size;	/* bytes; 0: none */
	__u64 fdt;		/* guest physical, 64 KiB that nothing else uses, 8-byte aligned */
};

#define SHYPER_DEVICES 8	/* a VM's devices that the MVM serves */
#define SHYPER_DEVICE_QUEUES 8
#define SHYPER_DEVICE_CONFIG 256

/*
 * What a virtio device (definition tree: node devices/virtio) shows to its driver. A device that
 * was never set up is absent (DeviceID 0), and becomes so again by a setup of zeroes.
 */
struct shyper_device_setup {
	__u32 device_id;	/* virtio specification, section 5: 2 is a block device */
	__u32 queues;		/* 1 .. SHYPER_DEVICE_QUEUES */
	__u32 queue_size;	/* entries at most, a power of two up to 1024 */
	__u32 config_size;	/* bytes of config that count */
	__u64 features;		/* beside VIRTIO_F_VERSION_1, which is always offered */
	__u8 config[SHYPER_DEVICE_CONFIG];
};

/*
 * What its driver has made of it. Queues count only while status has DRIVER_OK and not NEEDS_RESET.
 * Addresses are guest physical and were RAM when the queue became ready, as were the whole rings.
 */
struct shyper_device_info {
	__u32 status;		/* device status, section 2.1 */
	__u32 resetting;	/* 1: the driver waits for SHYPER_HC_DEVICE_RESET_DONE */
	__u64 features;		/* accepted */
	struct shyper_device_queue {
		__u32 ready;
		__u32 num;
		__u64 desc;
		__u64 driver;	/* available ring */
		__u64 device;	/* used ring */
	} queue[SHYPER_DEVICE_QUEUES];
};

#define SHYPER_CARDS 4		/* a VM's network cards */
#define SHYPER_NET_DROPS 8

/* Flags of a card. */
#define SHYPER_NET_LOCKED 0x01		/* sends from its own address only */
#define SHYPER_NET_SMALL 0x02		/* no large frames on its switch */
#define SHYPER_NET_MONITOR 0x04		/* on no switch: gets what is mirrored */
#define SHYPER_NET_MIRRORED 0x08	/* the monitor sees its frames */
#define SHYPER_NET_LINK 0x10		/* the cable is in */
#define SHYPER_NET_DRIVER 0x20		/* the guest's driver uses it */

/* What can be switched. */
#define SHYPER_NET_SET_MIRROR 1
#define SHYPER_NET_SET_LINK 2

struct shyper_net_info {
	char sw[SHYPER_NAME];	/* name of its switch */
	__u8 mac[6];		/* as the driver has set it */
	__u16 mtu;
	__u32 vlan;		/* 0: none */
	__u32 rate;		/* kbit/s that it may send; 0: any number */
	__u32 flags;		/* SHYPER_NET_* */
	__u32 reserved;		/* 0 */
	__u64 features;		/* that the driver has accepted */
	__u64 tx_frames;	/* sent by the VM, those that were dropped too */
	__u64 tx_bytes;
	__u64 rx_frames;	/* delivered to it */
	__u64 rx_bytes;
	__u64 copied;		/* bytes written to its memory, with the header of virtio */
	/*
	 * Frames that came to nothing. Its own: malformed, spoofed (false source), limited (beyond
	 * its rate), storm (too many to all). For it: down (no driver or link), no-buffer, unfit
	 * (larger than its driver takes). The last one is 0.
	 */
	__u64 drops[SHYPER_NET_DROPS];
};

/* Who may be on a hart. */
#define SHYPER_SCHED_FREE 0	/* serves no vCPU */
#define SHYPER_SCHED_PINNED 1	/* one vCPU that has it to itself */
#define SHYPER_SCHED_PRIORITY 2
#define SHYPER_SCHED_PARTITION 3	/* windows of a schedule; what they leave, by priority */

/* What a vCPU does. */
#define SHYPER_SCHED_OFF 0	/* stopped or paused */
#define SHYPER_SCHED_BLOCKED 1	/* waits for an interrupt */
#define SHYPER_SCHED_READY 2	/* could run */
#define SHYPER_SCHED_RUNNING 3	/* of a pinned one: runs, or sleeps on the hart */

struct shyper_sched_info {
	__u64 hart;		/* its id */
	__u64 now;		/* in ticks of the timebase, as are all times here */
	__u32 policy;		/* SHYPER_SCHED_FREE … */
	__u32 vcpus;		/* that count in what follows */
	struct shyper_sched_vcpu {
		__u32 vm;
		__u32 vcpu;	/* number in the VM */
		__u32 state;	/* SHYPER_SCHED_OFF … */
		__u16 priority;
		__u16 flags;	/* SHYPER_SCHED_STRICT */
		__u32 budget;	/* microseconds of each period; 0: no limit */
		__u32 period;
		/*
		 * Since the VM was made. 0 of a pinned one: Shyper does not look. One that shares
		 * runs even while it sleeps, as long as all others on its hart are off.
		 */
		__u64 ran;
		__u64 waited;	/* ready, and did not run: stolen from it */
		/* Of a partition. */
		__u64 windows;	/* that found it ready */
		__u64 missed;	/* went by before the hart came to them, or were cut off */
		__u64 late;	/* began later than the schedule allows */
		__u64 late_max;
	} vcpu[SHYPER_VCPUS];
};

#define SHYPER_TABLES 8

struct shyper_schedule_info {
	__u64 frame;		/* number of the one that runs, or begins first */
	__u64 start;		/* of it, in ticks of Shyper's uptime */
	__u64 length;
	__s64 shift;		/* ticks that frames have still to move */
	__u32 table;		/* of this frame */
	__u32 next;		/* of the one after it */
	__u32 pending;		/* 1: that is of another schedule, whose tables stand here */
	__u32 tables;
	char name[SHYPER_TABLES][SHYPER_NAME];
};

struct shyper_log {
	__u64 sequence;		/* in: from where, 0 the oldest; out: where to go on */
	__u32 size;		/* out: bytes in text, whole lines; 0: nothing newer */
	__u32 reserved;		/* 0 */
	char text[4080];
};

/* The bit of a queue among the doorbells of its VM: one for each, in one word. */
#define SHYPER_DOORBELL(device, queue) ((device) * SHYPER_DEVICE_QUEUES + (queue))

/*
 * Shared page of events, written by Shyper with atomic ORs; the MVM takes bits with an atomic
 * exchange by 0 and then looks at what they name. One interrupt of the MVM's PLIC (the source it
 * chose) is requested after bits were set.
 */
struct shyper_events {
	__u64 state;			/* bit id: the VM's state has changed */
	__u64 doorbell[SHYPER_VMS];	/* bit SHYPER_DOORBELL(…): VM id's driver has notified */
	__u64 device[SHYPER_VMS];	/* bit n: ask SHYPER_HC_DEVICE_INFO of device n */
	__u64 health;			/* bit id: a window of partition id was missed or late */
};

#endif
