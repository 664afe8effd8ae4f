/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the windows of partitions fare, for the log of events: "missed windows", while the partition
 * was ready, and "overrun", windows that Shyper began late. At most one of each and VM in
 * HEALTH_PAUSE seconds, with the numbers since the VM was made.
 */
#ifndef CLI_DAEMON_HEALTH_H
#define CLI_DAEMON_HEALTH_H

#include <stdint.h>

#define HEALTH_PAUSE 10

struct watch;

/* Of a VM, as far as the log has it. */
struct health {
	uint64_t missed;
	uint64_t late;
	int64_t next;	/* ms of CLOCK_MONOTONIC: not logged again before */
	int64_t due;	/* the same, when there is something to log; 0: there is not */
};

/* health_scan() - look at all VMs that the watch has. */
void health_scan(struct watch *w);

/* health_wait() - ms until another look is due, or -1. */
int64_t health_wait(const struct watch *w);

#endif
