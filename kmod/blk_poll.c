// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waiting awake. A guest that has one request at a time sends the next one soon after it has the
 * last one back; doorbell, interrupt and wake-up then take longer than the wait itself. So serve
 * watches the queue for a while before it sleeps: as long as such waits were of late, if they are
 * short, and only while nobody else wants the CPU. KVM does the same for a vCPU that halts. Often
 * who wants it is the very thread that ends the request (a write to a file); then serve comes back
 * when that has gone back to the guest.
 */
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/stat.h>

#include "blk.h"

static unsigned int poll_us = 1000;
module_param(poll_us, uint, 0644);
MODULE_PARM_DESC(poll_us, "microseconds that a disk waits awake for its guest, at most; 0: never");

static u64 limit(void)
{
	return (u64)READ_ONCE(poll_us) * NSEC_PER_USEC;
}

/* The guest had its last chance to move when the queue was empty, or when it got something back. */
static u64 waited(const struct blk_disk *disk)
{
	u64 since = max(disk->emptied, READ_ONCE(disk->given_back));

	return ktime_get_ns() - since;
}

static bool undisturbed(const struct blk_disk *disk)
{
	return READ_ONCE(disk->active) && !READ_ONCE(disk->starved) && !need_resched() &&
	       single_task_running();
}

bool blk_poll_wait(struct blk_disk *disk)
{
	u64 most = min(disk->patience, limit());

	/* The worker that ended a request for us may be on its last steps. */
	if (most && !single_task_running())
		yield();
	disk->emptied = ktime_get_ns();
	while (most && undisturbed(disk)) {
		if (vqueue_waiting(&disk->queue)) {
			disk->counts.polled++;
			return true;
		}
		if (waited(disk) >= most)
			break;
		cpu_relax();
	}
	WRITE_ONCE(disk->recalled, most && atomic_read(&disk->busy) % BLK_SERVING);
	return false;
}

/* Twice as long as would have done, or not at all. */
void blk_poll_called(struct blk_disk *disk)
{
	u64 needed = waited(disk);

	WRITE_ONCE(disk->recalled, false);
	if (needed > limit())
		disk->patience = 0;
	else if (needed > disk->patience)
		disk->patience = min(2 * needed, limit());
}
