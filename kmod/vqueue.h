/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device's side of a split virtqueue in a guest's memory (virtio 1.2, section 2.7). Whatever
 * the guest wrote is read once, checked completely and used from the copy. A queue whose driver
 * broke the rules yields nothing more.
 *
 * Two may work on a queue at the same time: one who takes chains (vqueue_pop(), _waiting(),
 * _quiet(), _arm()) and one who gives them back (vqueue_push(), _publish(), _interrupt_due()).
 */
#ifndef SHYPER_VQUEUE_H
#define SHYPER_VQUEUE_H

#include "guest.h"

/* Features, as bits of a mask. */
#define VQUEUE_F_INDIRECT_DESC (1ULL << 28)
#define VQUEUE_F_EVENT_IDX (1ULL << 29)

#define VQUEUE_MAX 256		/* entries that we offer */
#define VQUEUE_SEGMENTS 128	/* of a chain, at most */

/* The rings as they lie in memory: sections 2.7.5, 2.7.6 and 2.7.8. */
struct virtq_desc {
	u64 addr;
	u32 len;
	u16 flags;
	u16 next;
};

struct virtq_avail {
	u16 flags;
	u16 idx;
	u16 ring[];	/* num heads, and used_event */
};

struct virtq_used {
	u16 flags;
	u16 idx;
	struct virtq_used_elem {
		u32 id;
		u32 len;
	} ring[];	/* num of them, and avail_event */
};

struct vqueue {
	/* Fixed by vqueue_init(). */
	const struct guest_memory *memory;
	u32 num;		/* entries, a power of two */
	const struct virtq_desc *desc;
	const struct virtq_avail *avail;
	struct virtq_used *used;
	bool event_idx;		/* features agreed on */
	bool indirect;

	/* Of who takes chains. */
	u16 next_avail;		/* chains ever taken, modulo 2^16 */
	const char *broken;	/* what the driver did wrong; NULL: nothing */

	/* Of who gives them back. */
	u16 next_used;		/* chains ever given back */
	u16 told;		/* next_used when an interrupt was last considered */
};

/* What the driver has told of its rings: they are in one piece here, and as large as num says. */
struct vqueue_rings {
	u32 num;
	const void *desc;
	const void *avail;
	void *used;
};

struct vqueue_segment {
	u64 gpa;	/* all of it is RAM */
	u32 size;	/* not 0 */
};

/* One request: first the segments that the device reads, then those it writes. */
struct vqueue_chain {
	u32 head;
	u32 segments;
	u32 readable_segments;
	u64 readable;		/* bytes */
	u64 writable;
	struct vqueue_segment segment[VQUEUE_SEGMENTS];
};

enum vqueue_result {
	VQUEUE_CHAIN,	/* here is one */
	VQUEUE_EMPTY,	/* none */
	VQUEUE_BROKEN,	/* queue->broken says why */
};

/* vqueue_init() - features: those agreed on. False: a size or an alignment is out of the rules. */
bool vqueue_init(struct vqueue *queue, const struct guest_memory *memory,
		 const struct vqueue_rings *rings, u64 features);

/* vqueue_pop() - take the next chain that the driver offers. */
enum vqueue_result vqueue_pop(struct vqueue *queue, struct vqueue_chain *chain);

/* vqueue_waiting() - the driver offers more. */
bool vqueue_waiting(const struct vqueue *queue);

/*
 * vqueue_quiet() - notifications are of no use for now. vqueue_arm() - they are again; true: there
 * is something already, for which none may come.
 */
void vqueue_quiet(struct vqueue *queue);
bool vqueue_arm(struct vqueue *queue);

/*
 * vqueue_push() - give a chain back, of which the first `written` writable bytes were written. The
 * driver sees it after vqueue_publish().
 */
void vqueue_push(struct vqueue *queue, u32 head, u32 written);
void vqueue_publish(struct vqueue *queue);

/* vqueue_interrupt_due() - does the driver want an interrupt for what was published since? */
bool vqueue_interrupt_due(struct vqueue *queue);

/* A walk along the bytes of a chain. */
struct vqueue_cursor {
	const struct vqueue_chain *chain;
	u32 segment;
	u32 offset;		/* in it */
	u64 left;		/* bytes to go; they do not leave the chain */
};

/*
 * vqueue_readable() - size bytes that the device reads, from skip on; vqueue_writable() - the first
 * size bytes that it writes. The caller knows that there are so many.
 */
struct vqueue_cursor vqueue_readable(const struct vqueue_chain *chain, u64 skip, u64 size);
struct vqueue_cursor vqueue_writable(const struct vqueue_chain *chain, u64 size);

/* vqueue_step() - the next bytes, at most `most`, and *size of them; NULL: that was all. */
void *vqueue_step(const struct guest_memory *memory, struct vqueue_cursor *cursor, u64 most,
		  u32 *size);

#endif
