/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames to the driver of a network device, on the sender's hart with the receiver's lock held: one
 * copy, from page to page. Buffers are taken as they are needed; when there are too few, it is as
 * if none had been taken.
 */
#include <hv/string.h>

#include "virtio_net_parts.h"

/* A frame on its way into buffers. */
struct sink {
	struct virtio_net *net;
	struct virtqueue_chain chain;	/* being filled */
	struct virtqueue_cursor at;	/* in it */
	u32 chains;			/* taken */
	u32 segments;			/* of all of them */
	u32 staged;			/* of these */
	u32 written;			/* into the current one */
	u32 copied;			/* into all of them */
	u8 *count[2];			/* where num_buffers is, if there are several */
};

/* ---- Buffers ---- */

static __noinline bool refuse(struct virtio_net *net, enum virtqueue_result result)
{
	if (result == VIRTQUEUE_CHAIN)
		net->rx.broken = "a buffer of the wrong direction, or too short";
	if (result != VIRTQUEUE_EMPTY)
		virtio_broken(&net->dev, VIRTIO_NET_RX, net->rx.broken);
	return false;
}

static bool pop(struct virtio_net *net, struct virtqueue_chain *chain)
{
	enum virtqueue_result result = virtqueue_pop(&net->rx, chain);

	return likely(result == VIRTQUEUE_CHAIN && !chain->readable &&
		      chain->writable >= OFFLOAD_SIZE) || refuse(net, result);
}

static void begin_buffer(struct sink *sink)
{
	struct virtio_net *net = sink->net;

	sink->at = virtqueue_start(&net->rx, &sink->chain, true, 0);
	sink->written = 0;
	sink->chains++;
	sink->segments += sink->chain.segments;
}

static void note_count(struct sink *sink)
{
	struct virtqueue_cursor at = virtqueue_start(&sink->net->rx, &sink->chain, true,
						     OFFLOAD_COUNT);
	u64 n;

	for (u32 i = 0; i < ARRAY_SIZE(sink->count); i++)
		sink->count[i] = virtqueue_step(&at, 1, &n);
}

/*
 * The current buffer is full. Why there is no other one is counted by the caller. A driver that
 * offers the same descriptors again and again makes no sender walk more of them than there are.
 */
static bool next_buffer(struct sink *sink, enum vswitch_drop *why)
{
	if (!virtio_accepted(&sink->net->dev, F_MRG_RXBUF)) {
		*why = VSWITCH_UNFIT;
		return false;
	}
	if (sink->chains == 1)
		note_count(sink);
	virtqueue_stage(&sink->net->rx, sink->chain.head, sink->written);
	sink->staged++;
	*why = VSWITCH_NO_BUFFER;
	if (sink->segments >= sink->net->rx.num || !pop(sink->net, &sink->chain))
		return false;
	begin_buffer(sink);
	return true;
}

static bool put(struct sink *sink, const u8 *from, u64 size, enum vswitch_drop *why)
{
	u64 n;

	for (; size; from += n, size -= n) {
		u8 *to = virtqueue_step(&sink->at, size, &n);

		if (to) {
			memcpy(to, from, n);
			sink->written += (u32)n;
			sink->copied += (u32)n;
		} else if (next_buffer(sink, why)) {
			n = 0;
		} else {
			return false;
		}
	}
	return true;
}

/* ---- A frame in pieces ---- */

/* The next size bytes of the sender's memory, of which there are as many. */
static bool pour(struct sink *sink, struct virtqueue_cursor *from, u64 size,
		 enum vswitch_drop *why)
{
	for (u64 n; size; size -= n) {
		const u8 *at = virtqueue_step(from, size, &n);

		if (!put(sink, at, n, why))
			return false;
	}
	return true;
}

/* Sum of big-endian halves modulo 2^16 - 1 (RFC 1071) of the next size bytes. */
static u16 sum(struct virtqueue_cursor from, u64 size)
{
	u64 total = 0;
	bool odd = false;

	for (u64 n; size; size -= n) {
		const u8 *at = virtqueue_step(&from, size, &n);

		for (u64 i = 0; i < n; i++, odd = !odd)
			total += odd ? at[i] : (u64)at[i] << 8;
	}
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return (u16)total;
}

static void skip(struct virtqueue_cursor *at, u64 size)
{
	for (u64 n; size; size -= n)
		(void)virtqueue_step(at, size, &n);
}

/*
 * The rest of a frame whose checksum is partial: the sum of the pseudo header is where it belongs.
 * A sum of 0 means "none" to UDP, and the other zero says the same to all. The sender may change
 * the data meanwhile, and spoils its own frame.
 */
static bool pour_summed(struct sink *sink, const struct net_frame *frame, enum vswitch_drop *why)
{
	const struct net_offload *o = &frame->offload;
	struct virtqueue_cursor rest = frame->rest, body = frame->rest;
	u32 before = (u32)o->csum_start + o->csum_offset - frame->head_size;
	u16 value;

	skip(&body, o->csum_start - frame->head_size);
	value = (u16)~sum(body, frame->size - o->csum_start);
	value = value ? value : 0xffff;
	if (!pour(sink, &rest, before, why) ||
	    !put(sink, (u8[]){ (u8)(value >> 8), (u8)value }, 2, why))
		return false;
	skip(&rest, 2);
	return pour(sink, &rest, frame->size - frame->head_size - before - 2, why);
}

/* Does the driver complete the checksum, if there is something to complete? */
static bool takes_partial(const struct virtio_net *net, const struct net_frame *frame)
{
	return !(frame->offload.flags & NEEDS_CSUM) || (net->dev.accepted & F_GUEST_CSUM);
}

/* Its head may be shorter than the copy of it; then nothing is behind it. */
static bool fill(struct sink *sink, const struct net_frame *frame, enum vswitch_drop *why)
{
	static const struct net_offload plain = { .num_buffers = 1 };
	struct virtqueue_cursor rest = frame->rest;

	if (!takes_partial(sink->net, frame))
		return put(sink, (const u8 *)&plain, sizeof(plain), why) &&
		       put(sink, frame->head, frame->head_size, why) &&
		       pour_summed(sink, frame, why);
	return put(sink, (const u8 *)frame, OFFLOAD_SIZE + frame->head_size, why) &&
	       pour(sink, &rest, frame->size - frame->head_size, why);
}

/* ---- Delivery ---- */

/* A large frame wants a driver that takes its kind, and its checksum. */
static bool takes_large(const struct virtio_net *net, u8 gso_type)
{
	u64 need = F_GUEST_CSUM;

	need |= (gso_type & ~GSO_ECN) == GSO_TCPV4 ? F_GUEST_TSO4 : F_GUEST_TSO6;
	need |= gso_type & GSO_ECN ? F_GUEST_ECN : 0;
	return virtio_accepted(&net->dev, need);
}

/* Section 5.1.4.1: nothing longer than the driver was told, but what is to be cut. */
static bool fits(const struct virtio_net *net, const struct net_frame *frame)
{
	if (unlikely(frame->offload.gso_type))
		return takes_large(net, frame->offload.gso_type);
	return likely(frame->size <= net->mtu + ETH_HEADER + ETH_TAG) ||
	       !virtio_accepted(&net->dev, F_MTU);
}

#define DELIVERED VSWITCH_DROPS	/* not dropped */

/* Piece by piece, with further buffers, if the first one is too small. */
static __noinline enum vswitch_drop store_pieces(struct virtio_net *net,
						 const struct net_frame *frame)
{
	struct sink sink = { .net = net, .chain = net->chain };
	enum vswitch_drop why;
	bool filled;

	begin_buffer(&sink);
	filled = fill(&sink, frame, &why);
	net->port.counters.copied += sink.copied;
	if (!filled) {
		virtqueue_rewind(&net->rx, sink.chains, sink.staged);
		return why;
	}
	if (sink.chains > 1) {
		*sink.count[0] = (u8)sink.chains;
		*sink.count[1] = (u8)(sink.chains >> 8);
	}
	virtqueue_stage(&net->rx, sink.chain.head, sink.written);
	virtqueue_publish(&net->rx);
	return DELIVERED;
}

static __noinline void gather(u8 *to, struct virtqueue_cursor from, u64 size)
{
	for (u64 n; size; to += n, size -= n) {
		const u8 *at = virtqueue_step(&from, size, &n);

		memcpy(to, at, n);
	}
}

/* Mostly the buffer is in one piece and large enough, and often the frame is, too. */
static enum vswitch_drop store(struct virtio_net *net, const struct net_frame *frame)
{
	u32 size = OFFLOAD_SIZE + frame->size;
	u8 *to;

	if (!pop(net, &net->chain))
		return VSWITCH_NO_BUFFER;
	to = net->chain.segments == 1 ? net->chain.segment->ram : NULL;
	if (unlikely(!to || net->chain.writable < size || !takes_partial(net, frame) ||
		     (!frame->whole && size < START_SIZE)))
		return store_pieces(net, frame);
	copy_start(to, frame, to);
	if (likely(frame->whole))
		memcpy(to + START_SIZE, frame->whole, size - START_SIZE);
	else
		gather(to + START_SIZE, frame->rest, size - START_SIZE);
	net->port.counters.copied += size;
	virtqueue_push(&net->rx, net->chain.head, size);
	return DELIVERED;
}

static void receive(struct virtio_net *net, const struct net_frame *frame)
{
	struct vswitch_counters *counters = &net->port.counters;
	enum vswitch_drop why = VSWITCH_DOWN;

	if (virtio_running(&net->dev) && net->rx.num && virtio_net_link(net)) {
		if (unlikely(!net->filter.all) && !filter_wants(net, frame))
			return;
		why = VSWITCH_UNFIT;
		if (fits(net, frame))
			why = store(net, frame);
	}
	if (unlikely(why != DELIVERED)) {
		net_drop(&net->port, why);
		return;
	}
	counters->rx_frames++;
	counters->rx_bytes += frame->size;
}

void net_deliver(struct vswitch_port *port, const struct net_frame *frame)
{
	struct virtio_net *net = container_of(port, struct virtio_net, port);

	virtio_lock(&net->dev);
	receive(net, frame);
	virtio_unlock(&net->dev);
}

void net_flush(struct vswitch_port *port)
{
	struct virtio_net *net = container_of(port, struct virtio_net, port);

	virtio_lock(&net->dev);
	if (virtqueue_interrupt_due(&net->rx))
		virtio_interrupt(&net->dev, true);
	virtio_unlock(&net->dev);
}
