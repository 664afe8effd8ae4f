/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private to blk*.c: disks of VMs. A disk's queue is served in the guest's memory, its data move
 * between there and the image without a copy.
 *
 * Who does what with a disk:
 *   update   work   looks what the driver has made of the device, starts and stops serving
 *   serve    work   takes requests from the queue and starts them
 *   finish   BH     gives ended requests back to the guest, many at a time; or blk_end() does
 * One of each runs at a time; serve and finish meet at lists without locks. Whoever may touch the
 * queue is counted in busy; where that reaches 0 and the disk is to stop, update goes on.
 */
#ifndef SHYPER_BLK_H
#define SHYPER_BLK_H

#include <linux/atomic.h>
#include <linux/bio.h>
#include <linux/fs.h>
#include <linux/llist.h>
#include <linux/workqueue.h>
#include <abi/shyper.h>

#include "blk_parse.h"
#include "kmod.h"
#include "vqueue.h"

#define BLK_REQUESTS 128	/* of a disk, under way at the same time */
#define BLK_SERVING 0x10000	/* serve, in blk_disk.busy */
#define BLK_BOUNCE 32768U	/* bytes */
#define BLK_BLOCKING 16		/* requests of a disk that may block at the same time */

/* Where a disk's data are; fixed. */
struct blk_image {
	struct file *file;		/* of an image, or of the block device */
	struct block_device *device;	/* NULL: an image file */
	struct blk_shape shape;
	u32 unit;			/* bytes that the guest had better keep to */
	u32 discard_unit;
	u32 mask;			/* bits that are 0 in addresses and lengths of buffers */
	bool direct;			/* image file: around the page cache */
	bool nowait;			/* image file: can say when it would block */
};

struct blk_disk;

struct blk_request {
	struct blk_disk *disk;		/* fixed */
	struct llist_node node;		/* in free or done */
	struct work_struct work;	/* for what may block */
	struct blk_order order;
	u32 head;
	bool durable;			/* BLK_WRITE: ends when it is safe */
	u32 pieces;
	struct bio_vec piece[VQUEUE_SEGMENTS];
	union {
		struct bio bio;
		struct kiocb iocb;
	};
};

/* Counted since the disk was set. */
struct blk_counts {
	u64 doorbells;		/* of the event interrupt */
	/* Of serve. */
	u64 requests;
	u64 read;		/* bytes */
	u64 written;		/* bytes */
	u64 flushes;
	u64 copied;		/* requests whose buffers the image could not take as they are */
	u64 polled;		/* waits awake that ended with a request */
	/* Of finish. */
	u64 batches;
	u64 interrupts;
	u64 errors;
};

struct blk_disk {
	struct shyper_server server;

	/* Fixed. */
	struct shyper_vm *vm;
	u32 number;		/* of the device in the VM */
	char id[BLK_ID_SIZE];
	struct blk_image image;
	struct guest_memory memory;
	struct workqueue_struct *blocking;	/* for requests that may block */
	struct work_struct update;
	struct work_struct serve;
	struct work_struct finish;

	/* Under vm->disk_lock. */
	bool mapped;		/* queue is set up; only then active, and only then busy for long */
	bool failed;		/* cannot serve until the driver resets it */
	struct shyper_device_queue rings;	/* as they were when it was set up */
	void *area[3];		/* mappings of rings that are not in one piece; NULL: none */
	struct shyper_device_info *info;	/* what Shyper writes */
	struct shyper_vm_info *vm_info;

	/* Fixed while busy. */
	struct vqueue queue;	/* see there: serve takes, finish gives back */
	bool durable;		/* the driver does not flush: writes end when they are safe */

	/* Of serve. */
	struct vqueue_chain chain;
	void *bounce;		/* pages, for buffers that the image cannot take */
	u64 patience;		/* of blk_poll.c: ns to wait awake */
	u64 emptied;		/* ns, of ktime: when the queue was last found empty */

	/* Lock-free. */
	bool active;		/* to be served: set and cleared by update, cleared by serve */
	bool starved;		/* serve had no request left; finish wakes it */
	bool recalled;		/* serve is to wait awake again when finish has given back */
	spinlock_t used_lock;	/* of who gives back; interrupts off */
	u64 given_back;		/* ns, of ktime: when the last request went back */
	atomic_t busy;		/* requests under way, and BLK_SERVING while serve runs */
	struct llist_head free;	/* put by finish, taken by serve */
	struct llist_head done;	/* put by anybody, taken by finish */
	struct blk_counts counts;

	struct blk_request request[BLK_REQUESTS];
};

/* Where update and serve run. */
extern struct workqueue_struct *blk_works;

/* --- blk_serve.c ---------------------------------------------------------------------------- */

/* blk_serve_init() - works and lists of a new disk. */
void blk_serve_init(struct blk_disk *disk);

/* blk_end() - a request has ended: 0 or -errno. Any context. */
void blk_end(struct blk_request *request, int err);

/* --- blk_poll.c, called by serve ------------------------------------------------------------- */

/*
 * blk_poll_wait() - the queue is empty: wait awake for the next request, if that is likely to come
 * soon. True: there is one. May take as long as the module's parameter poll_us says.
 */
bool blk_poll_wait(struct blk_disk *disk);

/* blk_poll_called() - serve was woken: how long the wait was is known now. */
void blk_poll_called(struct blk_disk *disk);

/* --- blk_image.c ---------------------------------------------------------------------------- */

/*
 * blk_image_open() - the file of a descriptor, for a holder that is alone with a writable block
 * device. 0, or an error with its words in *refusal. blk_image_close(): nothing is under way.
 */
int blk_image_open(struct blk_image *image, int fd, bool readonly, void *holder,
		   struct shyper_refusal *refusal);
void blk_image_close(struct blk_image *image);

/* --- blk_io.c ------------------------------------------------------------------------------- */

/*
 * blk_io_start() - a request that has its order and, for data, its pieces. It ends in blk_end(),
 * maybe at once. May sleep.
 */
void blk_io_start(struct blk_request *request);

/* blk_io_work() - the same for what may block for long; request->work's function. */
void blk_io_work(struct work_struct *work);

/* blk_io_copy() - read or write size bytes at this pages' address, and wait. 0 or -errno. */
int blk_io_copy(struct blk_disk *disk, const struct blk_order *order, u64 offset, void *data,
		u32 size);

#endif
