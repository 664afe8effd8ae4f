/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VM's definition, read out of its definition tree (binding: docs/vm-definition.md) and checked
 * completely before anything is allocated. One path makes every VM, from the FIT or from the MVM.
 */
#ifndef HV_VMDEF_H
#define HV_VMDEF_H

#include <hv/types.h>

#define VMDEF_NAME 32		/* bytes with the NUL */
#define VMDEF_CMDLINE 2048	/* bytes with the NUL */
#define VMDEF_VCPUS 16
#define VMDEF_RAM 8		/* RAM ranges */
#define VMDEF_VIRTIO 8		/* devices that the MVM serves */
#define VMDEF_NETS 4		/* network devices */
#define VMDEF_SWITCH "lan"	/* the switch of those that name none */
#define VMDEF_MTU 1500U
#define VMDEF_PASSTHROUGH 32
#define VMDEF_IRQS 64		/* passed-through wires, in all */
#define VMDEF_HOST_NODES 32	/* devices of the board, given by their path */
#define VMDEF_PATH 128		/* bytes of a path with the NUL */
#define VMDEF_SOURCES 128		/* most that the VM's chip may have, source 0 included */
#define VMDEF_HOST_SOURCES 1024	/* of any board: PLIC specification 1.0 */
#define VMDEF_DEFAULT_SOURCES 96	/* of the VM's, as on QEMU's virt machine */
#define VMDEF_ADDRESS_END BIT(56)	/* physical addresses have 56 bits */
#define VMDEF_TREE_SIZE 65536	/* bytes of a definition tree */

/* What the guest's interrupts come by. */
enum vmdef_irqchip {
	VMDEF_IRQCHIP_BOARDS,	/* PLIC or APLIC, as the board has; until vm_create() has chosen */
	VMDEF_IRQCHIP_PLIC,
	VMDEF_IRQCHIP_APLIC,	/* and IMSICs, if imsic is there */
	VMDEF_IRQCHIP_NONE,
};

enum vmdef_action {
	VMDEF_RESTART,	/* reload the images and boot again */
	VMDEF_STOP,
	VMDEF_MACHINE_OFF,	/* of a poweroff: the board goes off with the VM */
};

struct vmdef_ram {
	u64 base;	/* guest physical */
	u64 size;
	bool identity;	/* guest address = host address (a VM that drives DMA itself) */
};

struct vmdef_device {
	u64 base;	/* size 0: the device is absent */
	u64 size;
	u32 irq;	/* source on the VM's irqchip; 0: none */
};

/* A network device, a port of a virtual switch (hv/vswitch.h). */
struct vmdef_net {
	struct vmdef_device device;
	char sw[VMDEF_NAME];	/* the switch's name */
	u64 mac;		/* mac_load(); 0: made from the VM's name */
	u32 vlan;		/* 0: none */
	u32 rate;		/* kbit/s that it may send; 0: any number */
	u32 mtu;
	bool locked;		/* no other source address than its own */
	bool small;		/* no large frames on this switch */
	bool monitor;		/* on no switch: gets what is mirrored */
};

/* Where a range or wire came from: its node of the definition, or its number + 1 in host_node[]. */
struct vmdef_passthrough {
	u64 base;	/* guest physical, page aligned */
	u64 host;	/* host physical, page aligned */
	u64 size;
	u32 host_node;	/* 0: given in numbers */
};

struct vmdef_irq {
	u32 host;	/* source on the board's controller */
	u32 guest;	/* source on the VM's */
	u32 trigger;	/* enum irq_trigger, as the board's tree has it; 0: unknown */
	u32 host_node;
};

/* A device of the board; passthrough_resolve() makes ranges and wires of it. */
struct vmdef_host_node {
	char path[VMDEF_PATH];	/* in the board's tree */
	bool no_dma;		/* it reads and writes no memory by itself */
};

/* How its vCPUs share their harts with those of other VMs. */
struct vmdef_sched {
	bool shared;		/* false: each has its hart to itself, and the rest is 0 */
	bool windowed;		/* it is a partition of the schedule, and the rest is 0 */
	u32 priority;		/* 0 … VMDEF_PRIORITY_MAX; the highest one runs */
	u32 budget_us;		/* of each period that it has at this priority; 0: no limit */
	u32 period_us;
	bool strict;		/* without budget it waits for the next period */
};
#define VMDEF_PRIORITY_MAX 31
#define VMDEF_BUDGET_MIN 100
#define VMDEF_PERIOD_MIN 1000
#define VMDEF_PERIOD_MAX 10000000

/* A piece of the FIT or of the MVM's memory that is copied into guest RAM at every boot. */
struct vmdef_image {
	char name[VMDEF_NAME];	/* name of the FIT's image node; "" : none */
	u64 load;		/* guest physical; not given: 0, the place is Shyper's choice */
	bool load_given;
};

struct vmdef {
	char name[VMDEF_NAME];
	u32 vcpus;
	u32 harts;			/* entries of hart[]; 0: Shyper chooses */
	u64 hart[VMDEF_VCPUS];		/* hart id of each vCPU */
	struct vmdef_sched sched;
	u32 rams;
	struct vmdef_ram ram[VMDEF_RAM];	/* sorted by base; ram[0] holds kernel and tree */
	struct vmdef_image kernel;
	struct vmdef_image initrd;
	u64 entry;			/* guest physical; entry_given false: start of kernel */
	bool entry_given;
	char cmdline[VMDEF_CMDLINE];
	enum vmdef_irqchip irqchip;
	struct vmdef_device plic;	/* irq unused, as of the next two; size 0 when not chosen */
	struct vmdef_device aplic;
	struct vmdef_device imsic;	/* a page for each vCPU, … */
	u32 imsic_bits;			/* 2^imsic_bits pages from one to the next (guest index) */
	u32 sources;			/* of either: numbers 1 .. sources - 1 exist */
	struct vmdef_device uart;
	struct vmdef_device finisher;
	struct vmdef_device rtc;
	struct vmdef_device console;	/* virtio; absent unless the tree names it */
	struct vmdef_device virtio[VMDEF_VIRTIO];	/* served by the MVM; as console */
	struct vmdef_net net[VMDEF_NETS];		/* as console */
	u32 passthroughs;
	struct vmdef_passthrough passthrough[VMDEF_PASSTHROUGH];
	u32 irqs;
	struct vmdef_irq irq[VMDEF_IRQS];
	u32 host_nodes;
	struct vmdef_host_node host_node[VMDEF_HOST_NODES];
	u64 host_floor;			/* no host memory below; its maker's, not the tree's */
	bool autostart;
	enum vmdef_action on_poweroff;
	bool management;		/* may make and control other VMs: the MVM */
	enum vmdef_action on_reboot;
	enum vmdef_action on_crash;	/* the guest reports failure, or Shyper stops it */
	u32 max_restarts;		/* after crashes; 0: without limit */
	bool time_stops;		/* its time stands still while it is paused */
	u8 max_leaf;			/* log2 of the largest G-stage leaf: 12, 16, 21, 30 */
};

/* vmdef_imsic_stride() - bytes from the page of one vCPU's interrupt file to the next one's. */
static inline u64 vmdef_imsic_stride(const struct vmdef *def)
{
	return (u64)PAGE_SIZE << def->imsic_bits;
}

/* Why a definition was refused: node, property and reason, ready to print. */
struct vmdef_error {
	char node[64];
	char property[64];
	char reason[160];
};

/*
 * vmdef_parse() - read and check a definition tree of at most size bytes. fdt must be 8-byte
 * aligned; data inside a FIT is only 4-byte aligned, so it is copied first when need be, and so
 * is a tree that somebody else can still write to. Needs 2.5 KiB of stack. Nothing outside *def
 * and *error is touched; def is meaningful only on success. Unknown properties and nodes are
 * refused. Says nothing of the board (harts that exist, memory that is free): vm_create() does.
 * Any context, no lock. Returns 0, or -EINVAL with *error filled in.
 */
int __must_check vmdef_parse(struct vmdef *def, const void *fdt, size_t size,
			     struct vmdef_error *error);

/*
 * vmdef_choose_irqchip() - the board's harts can give guests IMSICs (imsic), an emulated APLIC
 * (aplic) or neither; a PLIC can always be emulated. Devices of controllers that are not chosen
 * become absent. 0, or -EINVAL with *error filled in: the definition wants what the board lacks.
 */
int __must_check vmdef_choose_irqchip(struct vmdef *def, bool aplic, bool imsic,
				      struct vmdef_error *error);

/*
 * vmdef_check_host() - the relations once more, after host nodes became ranges and wires. 0, or
 * -EINVAL with *error filled in; there a node of the board is named by its path on the board.
 */
int __must_check vmdef_check_host(struct vmdef *def, struct vmdef_error *error);

#endif
