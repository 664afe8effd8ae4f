/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device's side of a split virtqueue (virtio 1.2, section 2.7), for devices that Shyper serves
 * itself. What the driver wrote is read once, checked completely, and used from the copy. A queue
 * whose driver broke the rules yields nothing more until it is set up again.
 *
 * No lock: one caller at a time for each queue, who holds whatever keeps it so.
 */
#ifndef HV_VIRTQUEUE_H
#define HV_VIRTQUEUE_H

#include <hv/gmap.h>
#include <hv/types.h>

struct virtio_queue_info;

/* Private to virtqueue.c, but for broken. */
struct virtqueue {
	const struct gmap *gmap;
	u32 num;		/* entries; 0: the queue is not set up */
	u64 desc;		/* guest physical, as the two below */
	u64 driver;
	u64 device;
	u8 *desc_ram;		/* the same where Shyper sees them; NULL: in several pieces */
	u8 *driver_ram;
	u8 *device_ram;
	u64 ram_gpa;		/* the block of RAM where a buffer was last: guest physical, */
	u64 ram_size;		/* bytes, */
	u8 *ram;		/* and where Shyper sees it */
	bool event_idx;		/* features agreed on */
	bool indirect;
	bool quiet;		/* virtqueue_quiet() was called */
	bool usual;		/* set up, and each ring in one piece */
	u16 next_avail;		/* chains ever taken, modulo 2^16 */
	u16 next_used;		/* chains ever given back */
	u16 told;		/* next_used when an interrupt was last considered */
	const char *broken;	/* what the driver did; NULL: nothing wrong */
};

struct virtqueue_segment {
	u8 *ram;	/* where Shyper sees it; NULL: in several pieces */
	u64 gpa;	/* all of it is RAM */
	u32 len;	/* not 0 */
};

/* One request: first what the device reads, then what it writes. */
struct virtqueue_chain {
	/* By the caller, before virtqueue_pop(). */
	struct virtqueue_segment *segment;
	u32 room;		/* segments that fit: at least the most entries of the queue */

	u32 head;
	u32 segments;
	u32 readable_segments;	/* the first ones */
	u64 readable;		/* bytes */
	u64 writable;
};

enum virtqueue_result {
	VIRTQUEUE_CHAIN,	/* here is one */
	VIRTQUEUE_EMPTY,	/* none; the driver will notify when there is */
	VIRTQUEUE_BROKEN,	/* queue->broken says why */
};

/*
 * virtqueue_init() - a queue as its driver set it up; the transport has checked sizes, alignment
 * and that the rings are in RAM. features: those agreed on. virtqueue_exit(): it yields nothing.
 */
void virtqueue_init(struct virtqueue *queue, const struct gmap *gmap,
		    const struct virtio_queue_info *info, u64 features);
void virtqueue_exit(struct virtqueue *queue);

/*
 * virtqueue_quiet() - nobody waits for what the driver adds: it need not notify. After _init(), for
 * as long as the queue is set up.
 */
void virtqueue_quiet(struct virtqueue *queue);

/* virtqueue_pop() - take the next chain that the driver offers. */
enum virtqueue_result virtqueue_pop(struct virtqueue *queue, struct virtqueue_chain *chain);

/*
 * virtqueue_read() - copy up to size bytes of what the device may read, from offset on; _write()
 * - into what it may write. Both return how many: fewer than size at the end of the chain.
 */
u64 virtqueue_read(const struct virtqueue *queue, const struct virtqueue_chain *chain, u64 offset,
		   void *buf, u64 size);
u64 virtqueue_write(const struct virtqueue *queue, const struct virtqueue_chain *chain, u64 offset,
		    const void *buf, u64 size);

/* A place in a chain; begin with virtqueue_start(). */
struct virtqueue_cursor {
	const struct virtqueue *queue;
	const struct virtqueue_segment *segment;
	u32 left;		/* segments, with this one */
	u64 offset;		/* in this one */
};

/*
 * virtqueue_start() - where the part that the device reads begins, or the part that it writes, and
 * offset bytes on. virtqueue_step() - the next bytes, as Shyper sees them: *n of them, at most
 * want, which is not 0. NULL: the part ends. The cursor moves behind them. virtqueue_take() - copy
 * up to size bytes from there; returns how many.
 */
static inline struct virtqueue_cursor virtqueue_start(const struct virtqueue *queue,
						      const struct virtqueue_chain *chain,
						      bool writable, u64 offset)
{
	struct virtqueue_cursor cursor = {
		.queue = queue,
		.segment = chain->segment + (writable ? chain->readable_segments : 0),
		.left = writable ? chain->segments - chain->readable_segments :
				   chain->readable_segments,
		.offset = offset,
	};

	while (cursor.left && cursor.offset >= cursor.segment->len) {
		cursor.offset -= cursor.segment->len;
		cursor.segment++;
		cursor.left--;
	}
	return cursor;
}

static inline u8 *virtqueue_step(struct virtqueue_cursor *cursor, u64 want, u64 *n)
{
	const struct virtqueue_segment *segment = cursor->segment;
	u64 offset = cursor->offset;
	u8 *at;

	if (!cursor->left)
		return NULL;
	*n = MIN(want, segment->len - offset);
	at = likely(segment->ram) ? segment->ram + offset :
				    gmap_ram_piece(cursor->queue->gmap,
						   GPA(segment->gpa + offset), *n, n);
	cursor->offset += *n;
	if (cursor->offset == segment->len) {
		cursor->offset = 0;
		cursor->segment++;
		cursor->left--;
	}
	return at;
}

u64 virtqueue_take(struct virtqueue_cursor *cursor, void *buf, u64 size);

/* virtqueue_push() - give a chain back, with the number of bytes written from its start on. */
void virtqueue_push(struct virtqueue *queue, u32 head, u32 written);

/*
 * Several chains for one packet: virtqueue_stage() gives one back, but the driver does not see it
 * before virtqueue_publish(). virtqueue_rewind() - instead: the last `staged` and `popped` ones are
 * as if they had never been taken.
 */
void virtqueue_stage(struct virtqueue *queue, u32 head, u32 written);
void virtqueue_publish(struct virtqueue *queue);
void virtqueue_rewind(struct virtqueue *queue, u32 popped, u32 staged);

/*
 * virtqueue_interrupt_due() - after pushes: does the driver want to be interrupted for them? Once
 * it was asked, those pushes are settled.
 */
bool virtqueue_interrupt_due(struct virtqueue *queue);

/* virtqueue_arm() - have the driver notify when it adds something to what it has offered. */
void virtqueue_arm(struct virtqueue *queue);

#endif
