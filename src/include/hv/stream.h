/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Byte streams between two ends: a machine (a guest's console, its agent's port, Shyper's log) and
 * a terminal (a port of the MVM, the board's console). Bytes wait in a ring each way. An end that
 * stops reading stalls nobody else: towards it, old bytes make room for new ones (a lane that
 * keeps), or the writer is told that there is no room and when there is again.
 *
 * Knows nothing of consoles and VMs.
 */
#ifndef HV_STREAM_H
#define HV_STREAM_H

#include <hv/spinlock.h>
#include <hv/types.h>

enum stream_end {
	STREAM_MACHINE,
	STREAM_TERMINAL,
	STREAM_ENDS,
};

/* What one end has written and the other has not read. Under the stream's lock. */
struct stream_lane {
	u8 *data;
	u32 size;	/* a power of two; 0: no storage, bytes vanish */
	bool keep;	/* the newest bytes stay, read or not; else they end with their reader */
	bool waiting;	/* a writer found no room */
	u64 head;	/* bytes ever written */
	u64 tail;	/* bytes ever read, or lost */
};

struct stream {
	/* Held by the hart that calls events; above the locks of both ends. */
	struct spinlock turn;

	struct spinlock lock;	/* a leaf */

	/* Under the lock; event is cleared under both. */
	struct stream_lane lane[STREAM_ENDS];	/* by who writes */
	struct {
		void (*event)(void *ctx);	/* NULL: nobody is connected */
		void *ctx;
		bool open;
		bool pending;	/* event is due */
	} end[STREAM_ENDS];
};

/* Storage of one lane. */
struct stream_store {
	void *data;
	u32 size;	/* bytes, a power of two; 0: none */
	bool keep;
};

/*
 * stream_set_store() - the place for what this end writes; what was in the old one is dropped.
 * NULL: none, from now on bytes vanish. Any hart; the caller owes a stream_wake(), see below. A
 * stream of zeros is ready to use: both ends closed, nobody connected, no storage.
 */
void stream_set_store(struct stream *stream, enum stream_end end, const struct stream_store *store);

/*
 * stream_connect() - from now on event(ctx) is called by stream_wake(), on any hart, without the
 * stream's lock and never by two harts at a time: there may be something to read, room to write, or
 * the other end has opened or closed. One event may stand for many. It is due at once. The event
 * may call all that follows but stream_wake() for this stream. -EBUSY: the end is taken.
 */
int __must_check stream_connect(struct stream *stream, enum stream_end end,
				void (*event)(void *ctx), void *ctx);

/*
 * stream_disconnect() - closes the end; after it the event is not called and not running on any
 * hart. Not from an event, nor under a lock that one takes.
 */
void stream_disconnect(struct stream *stream, enum stream_end end);

/*
 * The rest may be called by whoever is connected to the end, from any context. What they make due
 * is delivered by stream_wake(), which the caller owes as soon as it holds no lock that an event
 * takes; inside of an event it owes nothing.
 */

/*
 * stream_set_open() - somebody is there, or no more. What waits for an end that closes is dropped
 * unless its lane keeps. stream_is_open() - is the end open?
 */
void stream_set_open(struct stream *stream, enum stream_end end, bool open);
bool stream_is_open(struct stream *stream, enum stream_end end);

/*
 * stream_write() - as end, towards the other. Returns how many of the n bytes were taken: all when
 * the lane keeps; else what fits, and an event follows when there is room for more.
 * stream_read() - as end, what the other has written; returns how many, at most n.
 * stream_waiting() - how many bytes wait for this end.
 */
u32 stream_write(struct stream *stream, enum stream_end end, const void *buf, u32 n);
u32 stream_read(struct stream *stream, enum stream_end end, void *buf, u32 n);
u32 stream_waiting(struct stream *stream, enum stream_end end);

/*
 * stream_pause() - a writer wants to stop although there may be room. True: bytes of its wait for
 * the other end, and an event follows when some were read. False: nobody would call; go on.
 */
bool stream_pause(struct stream *stream, enum stream_end end);

/* stream_call() - the end's event is due, for a reason outside of the stream. Any context. */
void stream_call(struct stream *stream, enum stream_end end);

/*
 * stream_wake() - call the events that are due, after those that another hart calls just now. What
 * they make due in turn follows, up to a bound: an end that wants more than that must have a reason
 * of its own to be served again, as a driver's next buffers are.
 */
void stream_wake(struct stream *stream);

#endif
