/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtio network device: what its driver sends, and what the transport calls. A frame is
 * checked in a copy of its first bytes, and these are what is delivered, so that nothing can be
 * exchanged behind the check.
 *
 * Offloads: whoever may send a frame whose checksum or cutting is left to the receiver is on a
 * switch where that is possible. All ports of a switch are offered the same (vswitch_join()), and
 * the checksum is made up for a receiver that refuses partial ones. A receiver that refuses large
 * frames does not get any: for such drivers there are switches of small ports.
 */
#include <hv/errno.h>
#include <hv/string.h>
#include <hv/vm.h>

#include "virtio_net_parts.h"

_Static_assert(sizeof(struct net_offload) == OFFLOAD_SIZE &&
	       __builtin_offsetof(struct net_frame, head) == OFFLOAD_SIZE, "as on the wire");

/* Served in one call: bytes copied, with so many for each frame and copy, and each piece of one. */
#define BUDGET 131072U
#define FRAME_COST 512U
#define PIECE_COST 64U

#define LARGE (F_GUEST_TSO4 | F_GUEST_TSO6 | F_GUEST_ECN | F_HOST_TSO4 | F_HOST_TSO6 | F_HOST_ECN)
#define FEATURES (F_CSUM | F_GUEST_CSUM | F_MTU | F_MAC | F_MRG_RXBUF | F_STATUS | F_CTRL_VQ | \
		  F_CTRL_RX | F_CTRL_VLAN | F_CTRL_RX_EXTRA | F_CTRL_MAC_ADDR | \
		  VIRTIO_F_EVENT_IDX)

#define IP_END (ETH_HEADER + 20U)	/* no packet with a checksum begins its payload before */
#define TCP_HEADER 20U
#define TCP_CHECKSUM 16U	/* in its header */
#define SEGMENT_MIN 8U		/* of a large frame: Linux cuts no finer, and never has to */
#define ETH_TYPE_IPV4 0x0800U
#define ETH_TYPE_IPV6 0x86ddU
#define ETH_TYPE_VLAN 0x8100U

/* ---- Frames of the driver ---- */

static u32 ethertype(const struct net_frame *frame, u32 end)
{
	return (u32)frame->head[end - 2] << 8 | frame->head[end - 1];
}

/* Where TCP can begin at the earliest, behind IP of this version; 0: there is none. */
static u32 ip_end(const struct net_frame *frame, bool v4)
{
	u32 end = ETH_HEADER;

	if (ethertype(frame, end) == ETH_TYPE_VLAN && frame->head_size == NET_HEAD)
		end += ETH_TAG;
	if (ethertype(frame, end) != (v4 ? ETH_TYPE_IPV4 : ETH_TYPE_IPV6))
		return 0;
	return end + (v4 ? 20 : 40);
}

/*
 * A frame to be cut: into TCP segments that the MTU allows, whose headers are all there. Whoever
 * has to cut it must not be made to cut it to dust; one that is a single segment needs no cutting.
 */
static __noinline bool check_large(const struct virtio_net *net, struct net_frame *frame)
{
	struct net_offload *o = &frame->offload;
	u32 headers = (u32)o->csum_start + TCP_HEADER;
	u8 type = o->gso_type & (u8)~GSO_ECN;
	u64 feature = type == GSO_TCPV4 ? F_HOST_TSO4 : F_HOST_TSO6;
	u32 least = ip_end(frame, type == GSO_TCPV4);

	if ((type != GSO_TCPV4 && type != GSO_TCPV6) || !virtio_accepted(&net->dev, feature) ||
	    ((o->gso_type & GSO_ECN) && !virtio_accepted(&net->dev, F_HOST_ECN)))
		return false;
	if (!(o->flags & NEEDS_CSUM) || o->csum_offset != TCP_CHECKSUM || !least ||
	    o->csum_start < least || headers >= frame->size || o->gso_size < SEGMENT_MIN ||
	    headers + o->gso_size > net->mtu + ETH_HEADER + ETH_TAG)
		return false;
	/* A hint (virtio 1.2, 5.1.6.2): Linux gives what lies in its first piece, be it all. */
	if (o->hdr_len < headers || o->hdr_len >= frame->size)
		o->hdr_len = (u16)headers;
	if (frame->size <= headers + o->gso_size) {
		o->gso_type = GSO_NONE;
		o->hdr_len = o->gso_size = 0;
	}
	return true;
}

/* What is left to the receiver must be possible; and what it is not to believe is dropped. */
static bool check_offload(const struct virtio_net *net, struct net_frame *frame)
{
	struct net_offload *o = &frame->offload;

	o->flags &= NEEDS_CSUM;
	if (!(o->flags & NEEDS_CSUM))
		o->csum_start = o->csum_offset = 0;
	else if (!virtio_accepted(&net->dev, F_CSUM) || o->csum_start < IP_END ||
		 (u32)o->csum_start + o->csum_offset + 2 > frame->size)
		return false;
	if (o->gso_type != GSO_NONE)
		return check_large(net, frame);
	o->hdr_len = o->gso_size = 0;
	return frame->size <= net->mtu + ETH_HEADER + ETH_TAG;
}

/* Read the beginning of a frame. False: it is none. */
static bool parse(const struct virtio_net *net, const struct virtqueue_chain *chain,
		  struct net_frame *frame)
{
	const struct virtqueue_segment *first = chain->segment;
	u32 read = START_SIZE;

	if (likely(first->ram && first->len > read)) {
		copy_start(frame, first->ram, first->ram);
		frame->rest = (struct virtqueue_cursor){ &net->tx, first, chain->segments, read };
	} else {
		frame->rest = virtqueue_start(&net->tx, chain, false, 0);
		read = (u32)virtqueue_take(&frame->rest, frame, read);
	}
	if (read < OFFLOAD_SIZE + ETH_HEADER || chain->readable > OFFLOAD_SIZE + FRAME_MAX)
		return false;
	frame->head_size = read - OFFLOAD_SIZE;
	frame->size = (u32)chain->readable - OFFLOAD_SIZE;
	frame->offload.num_buffers = 1;
	frame->whole = frame->rest.left == 1 && frame->rest.segment->ram ?
		       frame->rest.segment->ram + frame->rest.offset : NULL;
	return check_offload(net, frame);
}

/* Returns what it cost. */
static u32 send(struct virtio_net *net, const struct virtqueue_chain *chain)
{
	struct vswitch_port *port = &net->port;
	struct net_frame frame;

	port->counters.tx_frames++;
	if (!parse(net, chain, &frame)) {
		net_drop(port, VSWITCH_MALFORMED);
		return FRAME_COST;
	}
	port->counters.tx_bytes += frame.size;
	if (!virtio_net_link(net)) {
		net_drop(port, VSWITCH_DOWN);
		return FRAME_COST;
	}
	return FRAME_COST + vswitch_send(port, &frame) * (frame.size + FRAME_COST);
}

static __noinline void tx_broken(struct virtio_net *net)
{
	virtio_lock(&net->dev);
	virtio_broken(&net->dev, VIRTIO_NET_TX, net->tx.broken);
	virtio_unlock(&net->dev);
}

/* The next frame of the driver; false: there is none. */
static bool pop(struct virtio_net *net, struct virtqueue_chain *chain)
{
	enum virtqueue_result result;

	if (!virtio_running(&net->dev))
		return false;
	result = virtqueue_pop(&net->tx, chain);
	if (result == VIRTQUEUE_CHAIN && chain->writable) {
		net->tx.broken = "a buffer of the wrong direction";
		result = VIRTQUEUE_BROKEN;
	}
	if (result == VIRTQUEUE_BROKEN)
		tx_broken(net);
	return result == VIRTQUEUE_CHAIN;
}

/* The turn is held. True: there is more than a call should do, or who shares the hart wants it. */
static bool serve_tx(struct virtio_net *net)
{
	const struct vcpu *vcpu = arch_vcpu_current();
	bool shares = vcpu && vcpu->shared;
	u32 spent = 0;

	while (spent < BUDGET && pop(net, &net->sent)) {
		spent += send(net, &net->sent) + net->sent.segments * PIECE_COST;
		virtqueue_push(&net->tx, net->sent.head, 0);
		if (unlikely(shares) && arch_hart_wanted())
			spent = BUDGET;
	}
	vswitch_flush(&net->port);
	if (virtqueue_interrupt_due(&net->tx))
		virtio_interrupt(&net->dev, true);
	return spent >= BUDGET;
}

/* ---- What the transport calls ---- */

static bool notify(void *ctx, u32 n)
{
	struct virtio_net *net = ctx;
	bool more = false;

	if (n == VIRTIO_NET_TX) {
		spin_lock(&net->turn);
		more = serve_tx(net);
		spin_unlock(&net->turn);
	} else if (n == VIRTIO_NET_CONTROL) {
		virtio_lock(&net->dev);
		more = control_serve(net);
		virtio_unlock(&net->dev);
	}
	return more;
}

static struct virtqueue *ring(struct virtio_net *net, u32 n)
{
	return n == VIRTIO_NET_TX ? &net->tx : n == VIRTIO_NET_RX ? &net->rx : &net->control;
}

/* Buffers for what comes are looked for when something comes, not when they are added. */
static void set_queue(struct virtio_net *net, u32 n, bool ready)
{
	struct virtqueue *queue = ring(net, n);

	if (!ready) {
		virtqueue_exit(queue);
		return;
	}
	virtqueue_init(queue, net->dev.gmap, &net->queue[n].set, net->dev.accepted);
	if (n == VIRTIO_NET_RX)
		virtqueue_quiet(queue);
}

static bool queue(void *ctx, u32 n, bool ready)
{
	struct virtio_net *net = ctx;

	if (!spin_trylock(&net->turn))
		return false;
	set_queue(net, n, ready);
	spin_unlock(&net->turn);
	return true;
}

static void show_mac(struct virtio_net *net)
{
	u8 bytes[6];

	mac_store(bytes, vswitch_mac(&net->port));
	virtio_config_set(&net->dev, CONFIG_MAC, bytes, sizeof(bytes));
}

static bool reset(void *ctx)
{
	struct virtio_net *net = ctx;

	if (!spin_trylock(&net->turn))
		return false;
	for (u32 n = 0; n < VIRTIO_NET_QUEUES; n++)
		virtqueue_exit(ring(net, n));
	spin_unlock(&net->turn);
	filter_reset(&net->filter);
	(void)!vswitch_set_mac(&net->port, net->mac);	/* its own: nobody can keep it */
	show_mac(net);
	return true;
}

static const struct virtio_ops net_ops = {
	.name = "virtio-net",
	.device_id = VIRTIO_ID_NET,
	.queue = queue,
	.reset = reset,
	.notify = notify,
};

static const struct vswitch_ops port_ops = { .deliver = net_deliver, .flush = net_flush };

/* ---- Making ---- */

static void show_link(struct virtio_net *net)
{
	u16 status = (u16)(virtio_net_link(net) ? LINK_UP : 0);

	virtio_config_set(&net->dev, CONFIG_STATUS, &status, sizeof(status));
}

void virtio_net_init(struct virtio_net *net, const struct virtio_net_params *params)
{
	const struct virtio_params transport = {
		.ops = &net_ops, .ctx = net, .owner = params->owner, .gmap = params->gmap,
		.irq = params->irq, .features = FEATURES | (params->small ? 0 : LARGE),
		.queues = VIRTIO_NET_QUEUES, .queue = net->queue,
	};
	u16 mtu = (u16)params->mtu;

	memset(net, 0, sizeof(*net));
	net->mac = params->mac;
	net->mtu = params->mtu;
	net->port = (struct vswitch_port){
		.ops = &port_ops, .mac = params->mac, .rate = params->rate,
		.locked = params->locked, .small = params->small, .monitor = params->monitor,
	};
	for (u32 n = 0; n < VIRTIO_NET_QUEUES; n++)
		net->queue[n].max = VIRTIO_NET_ENTRIES;
	net->sent = (struct virtqueue_chain){ .segment = net->tx_segment,
					      .room = VIRTIO_NET_ENTRIES };
	net->chain = (struct virtqueue_chain){ .segment = net->segment,
					       .room = VIRTIO_NET_ENTRIES };
	filter_reset(&net->filter);
	virtio_init(&net->dev, &transport);
	virtio_config_set(&net->dev, CONFIG_MTU, &mtu, sizeof(mtu));
	show_mac(net);
	show_link(net);
}

/* Nobody holds the turn for long: the VM's vCPUs are the ones to take it. */
void virtio_net_reset(struct virtio_net *net)
{
	while (!virtio_reset(&net->dev))
		;
}

void virtio_net_set_link(struct virtio_net *net, bool up)
{
	virtio_lock(&net->dev);
	__atomic_store_n(&net->link_down, !up, __ATOMIC_RELAXED);
	show_link(net);
	virtio_interrupt(&net->dev, false);
	virtio_unlock(&net->dev);
}
