/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VM as people write it down, in one of two JSON forms: the native one and Rust-Shyper's. What
 * only Shyper can know (harts that are free, memory that is left, overlaps) it checks itself.
 */
#ifndef CLI_DEF_H
#define CLI_DEF_H

#include <abi/hypercall.h>
#include <limits.h>

#include "reader.h"

#define DEF_CMDLINE 2048	/* bytes with the NUL */
#define DEF_RAM 8
#define DEF_PASSTHROUGH 32
#define DEF_IRQS 64
#define DEF_DISKS SHYPER_DEVICES
#define DEF_NICS 4
#define DEF_BRIDGE 16			/* bytes of a network interface's name, with the NUL */
#define DEF_SERIAL 20		/* bytes */
#define DEF_CID_MIN 3		/* below: nobody's, one's own, the host's */
#define DEF_CID_MAX 0xfffffffe
#define DEF_ADDRESS_END (UINT64_C(1) << 56)
#define DEF_RAM_BASE UINT64_C(0x80000000)
#define DEF_PAGE UINT64_C(4096)

enum def_restart {
	DEF_NEVER,
	DEF_ON_FAILURE,
	DEF_ALWAYS,
};

/* An address that may be left to us. */
struct def_address {
	bool given;
	uint64_t at;
};

struct def_range {
	uint64_t base;	/* guest physical */
	uint64_t size;
};

/* Where a virtio device is. */
struct def_place {
	struct def_range range;		/* size 0: where such a device is by default */
	uint32_t irq;			/* 0: the default one */
	uint32_t item;			/* in Rust-Shyper's list of emulated devices */
};

struct def_disk {
	struct def_place place;
	char path[PATH_MAX];		/* absolute once def_resolve() has been there */
	char serial[DEF_SERIAL + 1];
	bool readonly;
	bool mediated;			/* path is "" or what was chosen of the daemon's list */
};

/* A network card; what is 0 or empty is left to Shyper. */
struct def_nic {
	struct def_place place;
	char sw[SHYPER_NAME];		/* name of its switch */
	uint8_t mac[6];
	uint32_t vlan;
	uint32_t rate;			/* kbit/s */
	uint32_t mtu;
	bool locked;
	bool small;			/* small frames only */
	bool vhost;			/* no switch: a tap of the MVM's kernel, which joins … */
	char bridge[DEF_BRIDGE];	/* "": no bridge */
};

/* A device of the board: one range, wires, or both. */
struct def_passthrough {
	struct def_range range;		/* size 0: wires only */
	uint64_t host;
	uint32_t first_irq;		/* in def.irq[] */
	uint32_t irqs;
	uint32_t item;			/* in the file's list */
};

/* What the guest's interrupts come by. */
enum def_irqchip { DEF_IRQCHIP_BOARDS, DEF_IRQCHIP_PLIC, DEF_IRQCHIP_APLIC };

/* docs/vm-definition.md, sched. */
#define DEF_PRIORITY_MAX 31
#define DEF_BUDGET_MIN 100
#define DEF_PERIOD_MIN 1000
#define DEF_PERIOD_MAX 10000000
struct def_sched {
	bool shared;			/* false: each vCPU has its hart to itself */
	bool windowed;			/* shared: in windows, that a schedule has for it */
	uint64_t priority;
	uint64_t budget_us;		/* 0: no limit */
	uint64_t period_us;
	bool strict;			/* none left: it waits for the next period */
};

struct def {
	bool native;			/* false: Rust-Shyper's form */
	char name[SHYPER_NAME];
	char cmdline[DEF_CMDLINE];
	char kernel[PATH_MAX];		/* absolute once def_resolve() has been there */
	char initrd[PATH_MAX];		/* "": none */
	struct def_address kernel_load;
	struct def_address entry;
	struct def_address initrd_load;
	struct def_address fdt_load;
	uint32_t vcpus;
	uint32_t harts;			/* 0: Shyper chooses, else one for each vCPU */
	uint64_t hart[SHYPER_VCPUS];	/* the first is vCPU 0's */
	struct def_sched sched;
	uint32_t rams;
	struct def_range ram[DEF_RAM];	/* sorted; the first holds kernel and device tree */
	enum def_irqchip irqchip;
	struct def_range irqchip_range;	/* size 0: where it is on QEMU's virt board */
	uint32_t irqchip_item;		/* in the list of emulated devices */
	uint32_t files;			/* interrupt files that the file names, of an APLIC's VM */
	uint64_t file[SHYPER_VCPUS];	/* where the guest has them */
	uint32_t passthroughs;
	struct def_passthrough passthrough[DEF_PASSTHROUGH];
	uint32_t irqs;
	uint32_t irq[DEF_IRQS];		/* source on the board and on the VM's PLIC */
	uint32_t disks;
	struct def_disk disk[DEF_DISKS];	/* by the number of their device */
	uint32_t nics;
	struct def_nic nic[DEF_NICS];	/* by the number of their device */
	bool vsock;			/* sockets between it and the MVM */
	uint32_t cid;			/* its address for these; 0: by its number */
	bool time_stops;		/* while it is paused */
	bool console;			/* a virtio console, at … */
	struct def_place console_place;
	enum def_restart restart;
};

extern const char *const def_restart_names[];	/* by enum def_restart, NULL at the end */

/* def_mac_possible() - a card can have this address: it is one card's, and not 0. */
bool def_mac_possible(const uint8_t mac[6]);

/* def_cid() - the address of VM id for sockets, 0: it has none. */
uint32_t def_cid(const struct def *def, uint32_t id);

/* The two forms; def comes with defaults in it. Both are def_parse()'s. */
int def_native(struct reader *r, struct def *def);
int def_rust(struct reader *r, struct def *def);

/*
 * def_parse() - read and check a definition. notes becomes a list of texts for the user. Returns
 * 0, or -1 with the error set; notes is the caller's to release in both cases.
 */
int def_parse(struct def *def, const struct document *doc, json_t **notes, struct error *error);

/*
 * def_resolve() - file names become absolute, by the folder of the definition's file or else by
 * the current one, and kernel and initrd are there. Returns 0, or -1 with the error set.
 */
int def_resolve(struct def *def, const struct document *doc, const char *folder, json_t *notes,
		struct error *error);

#endif
