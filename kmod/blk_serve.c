// SPDX-License-Identifier: GPL-2.0-only
/* Requests from the guest's queue to the image, and their results back. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/blkdev.h>
#include <linux/bottom_half.h>
#include <linux/rcupdate.h>

#include "blk.h"
#include "kmod.h"

/* --- Back to the guest ---------------------------------------------------------------------- */

/* n fewer are busy; the last one lets update go on that wants to stop. */
static void leave(struct blk_disk *disk, int n)
{
	if (atomic_sub_and_test(n, &disk->busy) && !READ_ONCE(disk->active) &&
	    READ_ONCE(disk->mapped))
		queue_work(blk_works, &disk->update);
}

static bool alone(const struct blk_disk *disk)
{
	return atomic_read(&disk->busy) % BLK_SERVING == 1;
}

static u8 status_of(int err)
{
	if (!err)
		return BLK_OK;
	return err == -EOPNOTSUPP ? BLK_UNSUPP : BLK_IOERR;
}

static void give_back(struct blk_disk *disk, const struct blk_request *request)
{
	const struct blk_order *order = &request->order;
	u32 data = order->kind == BLK_READ || order->kind == BLK_GET_ID ? order->bytes : 0;

	if (order->status != BLK_OK) {
		disk->counts.errors++;
		data = 0;
	}
	WRITE_ONCE(*order->status_at, order->status);
	vqueue_push(&disk->queue, request->head, data + 1);
}

/* All that has ended; returns how many that were. With used_lock. */
static int give_back_all(struct blk_disk *disk)
{
	struct llist_node *ended = llist_reverse_order(llist_del_all(&disk->done));
	struct blk_request *request, *next;
	int n = 0;

	llist_for_each_entry_safe(request, next, ended, node) {
		give_back(disk, request);
		llist_add(&request->node, &disk->free);
		n++;
	}
	if (!n)
		return 0;
	vqueue_publish(&disk->queue);
	WRITE_ONCE(disk->given_back, ktime_get_ns());
	disk->counts.batches++;
	if (vqueue_interrupt_due(&disk->queue)) {
		disk->counts.interrupts++;
		hc_device_interrupt(disk->vm->id, disk->number);
	}
	return n;
}

/* Outside of interrupts, only who enables bottom halves runs them at once. */
static void finish_soon(struct blk_disk *disk)
{
	bool plain = in_task() && !irqs_disabled();

	if (plain)
		local_bh_disable();
	queue_work(system_bh_wq, &disk->finish);
	if (plain)
		local_bh_enable();
}

static void finish_now(struct blk_disk *disk)
{
	unsigned long flags;
	int n;

	spin_lock_irqsave(&disk->used_lock, flags);
	n = give_back_all(disk);
	spin_unlock_irqrestore(&disk->used_lock, flags);
	if (!n)
		return;
	if (xchg(&disk->starved, false) || READ_ONCE(disk->recalled))
		queue_work(blk_works, &disk->serve);
	leave(disk, n);
}

static void finish(struct work_struct *work)
{
	finish_now(container_of(work, struct blk_disk, finish));
}

/*
 * A request that was alone goes back at once. Of several, as many as end in one interrupt are given
 * back together, with one interrupt for the guest.
 */
void blk_end(struct blk_request *request, int err)
{
	struct blk_disk *disk = request->disk;

	if (request->order.kind != BLK_NOTHING)
		request->order.status = status_of(err);
	/* Once nothing is busy the disk may be taken away: not before we are out of here. */
	rcu_read_lock();
	if (llist_add(&request->node, &disk->done)) {
		if (alone(disk))
			finish_now(disk);
		else
			finish_soon(disk);
	}
	rcu_read_unlock();
}

/* --- From the guest ------------------------------------------------------------------------- */

/* Buffers as pieces of pages; false: the image cannot take them so. */
static bool add_pieces(struct blk_disk *disk, struct blk_request *request)
{
	struct vqueue_cursor cursor = blk_data(&disk->chain, &request->order);
	void *data;
	u32 size;

	request->pieces = 0;
	while ((data = vqueue_step(&disk->memory, &cursor, U32_MAX, &size))) {
		if (request->pieces == VQUEUE_SEGMENTS ||
		    (((unsigned long)data | size) & disk->image.mask))
			return false;
		bvec_set_virt(&request->piece[request->pieces++], data, size);
	}
	return true;
}

/* The part of a request's data that stands in the bounce buffer, to it or from it. */
static void copy_part(struct blk_disk *disk, struct vqueue_cursor *cursor, u32 part, bool write)
{
	u32 done = 0, size;

	while (done < part) {
		void *data = vqueue_step(&disk->memory, cursor, part - done, &size);

		if (write)
			memcpy(disk->bounce + done, data, size);
		else
			memcpy(data, disk->bounce + done, size);
		done += size;
	}
}

/* Odd buffers are copied, one request at a time: no driver that cares for speed has any. */
static int serve_copy(struct blk_disk *disk, const struct blk_order *order)
{
	struct vqueue_cursor cursor = blk_data(&disk->chain, order);
	bool write = order->kind == BLK_WRITE;
	int err = 0;

	disk->counts.copied++;
	for (u64 at = 0; at < order->bytes && !err && READ_ONCE(disk->active); at += BLK_BOUNCE) {
		u32 part = min_t(u64, order->bytes - at, BLK_BOUNCE);

		if (write)
			copy_part(disk, &cursor, part, true);
		err = blk_io_copy(disk, order, at, disk->bounce, part);
		if (!err && !write)
			copy_part(disk, &cursor, part, false);
		cond_resched();
	}
	return READ_ONCE(disk->active) ? err : -EIO;
}

static void give_id(struct blk_disk *disk, const struct blk_order *order)
{
	struct vqueue_cursor cursor = blk_data(&disk->chain, order);
	const char *from = disk->id;
	void *data;
	u32 size;

	while ((data = vqueue_step(&disk->memory, &cursor, BLK_ID_SIZE, &size))) {
		memcpy(data, from, size);
		from += size;
	}
}

static void count(struct blk_counts *counts, const struct blk_order *order)
{
	counts->requests++;
	if (order->kind == BLK_READ)
		counts->read += order->bytes;
	else if (order->kind == BLK_WRITE)
		counts->written += order->bytes;
	else if (order->kind == BLK_FLUSH)
		counts->flushes++;
}

static void start(struct blk_disk *disk, struct blk_request *request)
{
	const struct blk_order *order = &request->order;

	request->head = disk->chain.head;
	request->durable = disk->durable;
	count(&disk->counts, order);
	if (order->kind == BLK_NOTHING) {
		blk_end(request, 0);
	} else if (order->kind == BLK_GET_ID) {
		give_id(disk, order);
		blk_end(request, 0);
	} else if (order->kind <= BLK_WRITE && !add_pieces(disk, request)) {
		blk_end(request, serve_copy(disk, order));
	} else {
		blk_io_start(request);
	}
}

static struct blk_request *take_free(struct blk_disk *disk)
{
	struct llist_node *node = llist_del_first(&disk->free);

	return node ? llist_entry(node, struct blk_request, node) : NULL;
}

/* NULL: none; then finish wakes serve when there is. */
static struct blk_request *get_request(struct blk_disk *disk)
{
	struct blk_request *request = take_free(disk);

	if (request)
		return request;
	xchg(&disk->starved, true);
	/* One may have come before finish could see that. */
	request = take_free(disk);
	if (request)
		xchg(&disk->starved, false);
	return request;
}

/* The device is served no more until its driver resets it; the rest of the machine goes on. */
static void broken(struct blk_disk *disk, const char *why)
{
	WRITE_ONCE(disk->failed, true);
	WRITE_ONCE(disk->active, false);
	pr_warn_ratelimited("%s, disk %u: the driver broke the queue: %s\n", disk->vm->name,
			    disk->number, why);
}

/* One request; false: none, or none can be taken now. */
static bool serve_one(struct blk_disk *disk)
{
	struct blk_request *request = get_request(disk);
	const char *why = disk->queue.broken;

	if (!request)
		return false;
	switch (vqueue_pop(&disk->queue, &disk->chain)) {
	case VQUEUE_CHAIN:
		why = blk_parse(&disk->memory, &disk->chain, &disk->image.shape, &request->order);
		break;
	case VQUEUE_BROKEN:
		why = disk->queue.broken;
		break;
	case VQUEUE_EMPTY:
		llist_add(&request->node, &disk->free);
		return false;
	}
	if (why) {
		llist_add(&request->node, &disk->free);
		broken(disk, why);
		return false;
	}
	atomic_inc(&disk->busy);
	start(disk, request);
	return true;
}

/* Those that are there, on their way together. */
static void serve_some(struct blk_disk *disk)
{
	struct blk_plug plug;

	blk_start_plug(&plug);
	while (READ_ONCE(disk->active) && serve_one(disk))
		cond_resched();
	blk_finish_plug(&plug);
}

static void serve_all(struct blk_disk *disk)
{
	do {
		vqueue_quiet(&disk->queue);
		do {
			serve_some(disk);
		} while (blk_poll_wait(disk));
	} while (READ_ONCE(disk->active) && !READ_ONCE(disk->starved) &&
		 vqueue_arm(&disk->queue));
}

static void serve(struct work_struct *work)
{
	struct blk_disk *disk = container_of(work, struct blk_disk, serve);

	shyper_events_doorbells_heard(disk->vm->id, disk->number);
	atomic_add(BLK_SERVING, &disk->busy);
	/* Either update sees that we are busy, or we see that it stops us. */
	smp_mb__after_atomic();
	if (READ_ONCE(disk->active)) {
		blk_poll_called(disk);
		serve_all(disk);
	}
	leave(disk, BLK_SERVING);
}

void blk_serve_init(struct blk_disk *disk)
{
	INIT_WORK(&disk->serve, serve);
	INIT_WORK(&disk->finish, finish);
	init_llist_head(&disk->free);
	init_llist_head(&disk->done);
	spin_lock_init(&disk->used_lock);
	for (u32 i = 0; i < BLK_REQUESTS; i++) {
		disk->request[i].disk = disk;
		INIT_WORK(&disk->request[i].work, blk_io_work);
		llist_add(&disk->request[i].node, &disk->free);
	}
}
