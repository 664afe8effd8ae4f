/* SPDX-License-Identifier: BSD-2-Clause */
/* What the process that serves a VM's vhost devices has, and what the kinds of these differ in. */
#ifndef CLI_VHOST_UNIT_H
#define CLI_VHOST_UNIT_H

#include "vhost.h"

#define VHOST_QUEUES 2U			/* that vhost serves; a device may have more */
#define VHOST_UNITS (DEF_NICS + 1)

/* Features of the rings, which vhost handles: virtio 1.2, section 6. */
#define VHOST_RING_FEATURES (UINT64_C(1) << 28 | UINT64_C(1) << 29)
#define VHOST_F_VERSION_1 (UINT64_C(1) << 32)

struct vhost_server;

/* A device. */
struct vhost_unit {
	const struct vhost_kind *kind;
	uint32_t device;		/* among the VM's */
	int vhost;
	int kick[VHOST_QUEUES];
	int call;
	bool started;
	bool complained;		/* of a start that failed */
	uint32_t number;		/* a card's, among the VM's cards */
	const struct def_nic *nic;	/* likewise */
	int tap;			/* likewise */
	uint32_t cid;			/* a socket device's */
};

/* Functions that return int: 0, or -1 with the session's error or, in run, errno set. */
struct vhost_kind {
	const char *file;		/* of the kernel's, below /dev */
	const char *module;		/* that has it */
	uint64_t features;		/* that vhost must know */
	/* what the guest will see */
	void (*describe)(const struct vhost_server *v, const struct vhost_unit *u,
			 struct shyper_device_setup *out);
	/* what is needed besides the open file */
	int (*prepare)(struct vhost_server *v, struct vhost_unit *u);
	/* the queues are set; those of the driver's features that it knows */
	int (*run)(const struct vhost_unit *u, uint64_t features);
	/* let go of the queues, even after a run that has failed */
	void (*halt)(const struct vhost_unit *u);
};

extern const struct vhost_kind vhost_net, vhost_vsock;

struct vhost_server {
	struct session *s;
	const struct session_vm *vm;
	const struct def *def;
	uint8_t *ram[DEF_RAM];		/* by the definition's ranges; NULL: not mapped */
	uint32_t units;
	struct vhost_unit unit[VHOST_UNITS];
};

#define VHOST_BUSY_MS 5000	/* for which the process of the run before may take to go */

/*
 * vhost_address() - where `size` bytes of the guest's memory are in ours; 0 if they are not all in
 * one range of its RAM: vhost would go on past the end of our mapping of the first.
 */
static inline uint64_t vhost_address(const struct vhost_server *v, uint64_t gpa, uint64_t size)
{
	for (uint32_t i = 0; i < v->def->rams; i++) {
		const struct def_range *ram = &v->def->ram[i];

		if (gpa - ram->base < ram->size && size <= ram->size - (gpa - ram->base))
			return (uintptr_t)v->ram[i] + (gpa - ram->base);
	}
	return 0;
}

/* vhost_fail() - "what: " and errno's words become the error. Returns -1. */
int vhost_fail(struct vhost_server *v, const char *what);

/*
 * vhost_patient() - ioctl(), again and again while it fails with errno `wait`, as it does until
 * the process of the run before has gone. Returns its last result.
 */
int vhost_patient(int fd, unsigned long call, const void *argument, int wait);

#endif
