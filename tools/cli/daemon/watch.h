/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's eyes: a descriptor of every VM, what happened to each, and restarts that are due.
 * All that must survive the daemon is in the store.
 */
#ifndef CLI_DAEMON_WATCH_H
#define CLI_DAEMON_WATCH_H

#include <abi/shyper.h>
#include <poll.h>

#include "../lib/session.h"
#include "health.h"

struct watch_vm {
	int fd;			/* -1: no such VM */
	struct shyper_vm_info info;
	unsigned int failures;	/* runs in a row that were too short */
	uint64_t released;	/* info.boots of the run whose disks were taken back */
	uint64_t looked;	/* info.boots of the run whose disks were looked for */
	int64_t due;		/* ms of CLOCK_MONOTONIC: boot it then; 0: no */
	struct health health;
};

struct watch {
	struct session s;	/* of the daemon itself, for /dev/shyper */
	int listener;		/* for the children that boot */
	struct watch_vm vm[SHYPER_VMS];
};

/* watch_scan() - find VMs that have come, let go of those that are gone, look at all. */
void watch_scan(struct watch *w);

/* watch_fill() - descriptors to poll, SHYPER_VMS at most; returns how many. */
unsigned int watch_fill(const struct watch *w, struct pollfd *pfds);

/*
 * watch_due() - boot, or reset, what is due; ms until the next is, or another
 * look at windows, or -1.
 */
int watch_due(struct watch *w);

#endif
