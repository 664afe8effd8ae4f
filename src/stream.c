/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Byte streams. Data moves under the stream's lock, events are called without it: an end serves its
 * guest under a lock of its own, and two ends that called each other under theirs would wait for
 * ever. Harts take turns in calling events and go round instead of down, so the stack stays flat.
 */
#include <hv/stream.h>

#include <hv/errno.h>
#include <hv/string.h>

/*
 * Events in one stream_wake(): both ends learn what the caller did, and a reader's room is filled
 * once or twice more. The bound is for a hart that would go on for two other machines.
 */
#define ROUNDS 6

static enum stream_end other(enum stream_end end)
{
	return end == STREAM_MACHINE ? STREAM_TERMINAL : STREAM_MACHINE;
}

static struct stream_lane *lane_to(struct stream *stream, enum stream_end end)
{
	return &stream->lane[other(end)];
}

int stream_connect(struct stream *stream, enum stream_end end, void (*event)(void *ctx), void *ctx)
{
	int err = 0;

	spin_lock(&stream->lock);
	if (stream->end[end].event) {
		err = -EBUSY;
	} else {
		stream->end[end].event = event;
		stream->end[end].ctx = ctx;
		stream->end[end].pending = true;
	}
	spin_unlock(&stream->lock);
	return err;
}

/* ---- Open and closed ---- */

/* The writer that waits for room finds some. The lock is held, as in set_open(). */
static void made_room(struct stream *stream, enum stream_end reader)
{
	struct stream_lane *lane = lane_to(stream, reader);

	if (!lane->waiting)
		return;
	lane->waiting = false;
	stream->end[other(reader)].pending = true;
}

void stream_set_store(struct stream *stream, enum stream_end end, const struct stream_store *store)
{
	static const struct stream_store none;
	struct stream_lane *lane = &stream->lane[end];

	if (!store)
		store = &none;
	spin_lock(&stream->lock);
	lane->data = store->data;
	lane->size = store->size;
	lane->keep = store->keep;
	lane->tail = lane->head;
	made_room(stream, other(end));
	spin_unlock(&stream->lock);
}

static void set_open(struct stream *stream, enum stream_end end, bool open)
{
	struct stream_lane *lane = lane_to(stream, end);

	if (stream->end[end].open == open)
		return;
	stream->end[end].open = open;
	stream->end[other(end)].pending = true;
	if (!open && !lane->keep) {
		lane->tail = lane->head;
		made_room(stream, end);
	}
}

void stream_set_open(struct stream *stream, enum stream_end end, bool open)
{
	spin_lock(&stream->lock);
	set_open(stream, end, open);
	spin_unlock(&stream->lock);
}

bool stream_is_open(struct stream *stream, enum stream_end end)
{
	bool open;

	spin_lock(&stream->lock);
	open = stream->end[end].open;
	spin_unlock(&stream->lock);
	return open;
}

void stream_disconnect(struct stream *stream, enum stream_end end)
{
	spin_lock(&stream->turn);
	spin_lock(&stream->lock);
	set_open(stream, end, false);
	stream->end[end].event = NULL;
	spin_unlock(&stream->lock);
	spin_unlock(&stream->turn);
}

/* ---- Bytes ---- */

/* Both pieces of the ring from position at on; into it, or out of it. */
static void ring_copy(const struct stream_lane *lane, u64 at, u8 *to, const u8 *from, u32 n)
{
	u32 offset = (u32)at & (lane->size - 1);
	u32 first = MIN(n, lane->size - offset);

	if (from) {
		memcpy(lane->data + offset, from, first);
		memcpy(lane->data, from + first, n - first);
	} else {
		memcpy(to, lane->data + offset, first);
		memcpy(to + first, lane->data, n - first);
	}
}

/* How many of n bytes find a place; a lane that keeps makes room for them. */
static u32 room_for(struct stream_lane *lane, u32 n)
{
	u32 room = lane->size - (u32)(lane->head - lane->tail);

	if (n <= room)
		return n;
	if (!lane->keep) {
		lane->waiting = true;
		return room;
	}
	n = MIN(n, lane->size);
	lane->tail += n - room;
	return n;
}

u32 stream_write(struct stream *stream, enum stream_end end, const void *buf, u32 n)
{
	struct stream_lane *lane = &stream->lane[end];
	const u8 *from = buf;
	u32 stored;

	spin_lock(&stream->lock);
	if (lane->size && n) {
		stored = room_for(lane, n);
		/* Of more than the lane can keep, the end. */
		if (lane->keep)
			from += n - stored;
		else
			n = stored;
		ring_copy(lane, lane->head, NULL, from, stored);
		lane->head += stored;
		stream->end[other(end)].pending |= stored != 0;
	}
	spin_unlock(&stream->lock);
	return n;
}

u32 stream_read(struct stream *stream, enum stream_end end, void *buf, u32 n)
{
	struct stream_lane *lane = lane_to(stream, end);

	spin_lock(&stream->lock);
	n = (u32)MIN(n, lane->head - lane->tail);
	if (n) {
		ring_copy(lane, lane->tail, buf, NULL, n);
		lane->tail += n;
		made_room(stream, end);
	}
	spin_unlock(&stream->lock);
	return n;
}

u32 stream_waiting(struct stream *stream, enum stream_end end)
{
	const struct stream_lane *lane = lane_to(stream, end);
	u32 n;

	spin_lock(&stream->lock);
	n = (u32)(lane->head - lane->tail);
	spin_unlock(&stream->lock);
	return n;
}

bool stream_pause(struct stream *stream, enum stream_end end)
{
	struct stream_lane *lane = &stream->lane[end];
	bool waits;

	spin_lock(&stream->lock);
	waits = lane->head != lane->tail;
	if (waits)
		lane->waiting = true;
	spin_unlock(&stream->lock);
	return waits;
}

/* ---- Events ---- */

/* The end to call next: not the last one again when the other waits. The lock is held. */
static enum stream_end due(const struct stream *stream, enum stream_end last)
{
	enum stream_end first = last == STREAM_MACHINE ? STREAM_TERMINAL : STREAM_MACHINE;

	if (stream->end[first].pending && stream->end[first].event)
		return first;
	if (stream->end[other(first)].pending && stream->end[other(first)].event)
		return other(first);
	return STREAM_ENDS;
}

void stream_call(struct stream *stream, enum stream_end end)
{
	spin_lock(&stream->lock);
	stream->end[end].pending = true;
	spin_unlock(&stream->lock);
}

void stream_wake(struct stream *stream)
{
	enum stream_end end = STREAM_ENDS;

	spin_lock(&stream->turn);
	for (u32 i = 0; i < ROUNDS; i++) {
		spin_lock(&stream->lock);
		end = due(stream, end);
		if (end != STREAM_ENDS)
			stream->end[end].pending = false;
		spin_unlock(&stream->lock);
		if (end == STREAM_ENDS)
			break;
		/* The turn keeps the event connected. */
		stream->end[end].event(stream->end[end].ctx);
	}
	spin_unlock(&stream->turn);
}
