/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtio network device (virtio 1.2, section 5.1): one pair of queues, a port of the virtual
 * switch (hv/vswitch.h). A frame goes in one copy from the sender's pages to the receiver's.
 *
 * What the driver sends is served by its own vCPU in bounded pieces, with the device's turn held.
 * What it receives is put into its buffers by the senders' harts, each frame with the device's lock
 * held. Order: turn, then the lock of any one device, then the switch's. A reset holds the device's
 * lock, so it only tries for the turn, and comes again.
 */
#ifndef HV_VIRTIO_NET_H
#define HV_VIRTIO_NET_H

#include <hv/virtio.h>
#include <hv/virtqueue.h>
#include <hv/vswitch.h>

#define VIRTIO_NET_RX 0U	/* queues */
#define VIRTIO_NET_TX 1U
#define VIRTIO_NET_CONTROL 2U
#define VIRTIO_NET_QUEUES 3U

#define VIRTIO_NET_ENTRIES 256U		/* of each */
#define VIRTIO_NET_ADDRESSES 32U	/* of each kind that a driver can list */
#define VIRTIO_NET_VLANS 4096U

#define VIRTIO_NET_MTU_MIN 68U
#define VIRTIO_NET_MTU_MAX 65535U

/* Addresses that the driver has listed. */
struct virtio_net_addresses {
	u32 count;
	bool many;		/* more than fit: all of their kind are meant */
	u64 mac[VIRTIO_NET_ADDRESSES];
};

/* What the driver wants to receive; section 5.1.6.5. Under the device's lock. */
struct virtio_net_filter {
	bool all;		/* promiscuous */
	bool all_groups;
	bool all_single;
	bool no_groups;
	bool no_single;
	bool no_broadcast;
	struct virtio_net_addresses listed[2];	/* of one receiver, of groups */
	u64 vlan[VIRTIO_NET_VLANS / 64];	/* bit per tag */
};

/* What each frame needs lies first: a delivery begins with the port. */
struct virtio_net {
	struct vswitch_port port;

	/* Fixed after init. */
	u64 mac;			/* of power-on */
	u32 mtu;

	u32 link_down;			/* atomic: 1: the cable is out */

	/* The turn: the driver's frames, on a hart of the driver's VM. */
	struct spinlock turn;
	struct virtqueue tx;
	struct virtqueue_chain sent;

	/* The device's lock. */
	struct virtqueue rx;
	struct virtqueue control;
	struct virtqueue_chain chain;	/* of either */
	struct virtio_net_filter filter;

	struct virtqueue_segment tx_segment[VIRTIO_NET_ENTRIES];	/* of sent */
	struct virtqueue_segment segment[VIRTIO_NET_ENTRIES];		/* of chain */
	struct virtio_queue queue[VIRTIO_NET_QUEUES];
	struct virtio_dev dev;
};

/* What a device is made of. */
struct virtio_net_params {
	const char *owner;	/* the VM's name, for the log */
	const struct gmap *gmap;
	struct irq_line irq;
	u64 mac;
	u32 mtu;
	u64 rate;		/* as struct vswitch_port has them */
	bool locked;
	bool small;
	bool monitor;
};

/* virtio_net_init() - a device that is on no switch. By the VM's maker alone. */
void virtio_net_init(struct virtio_net *net, const struct virtio_net_params *params);

/* virtio_net_reset() - power-on state. The VM does not run. */
void virtio_net_reset(struct virtio_net *net);

/*
 * virtio_net_set_link() - put the cable in, or take it out, and tell the driver. virtio_net_link():
 * is it in? Any hart.
 */
void virtio_net_set_link(struct virtio_net *net, bool up);
static inline bool virtio_net_link(const struct virtio_net *net)
{
	return !__atomic_load_n(&net->link_down, __ATOMIC_RELAXED);
}

#endif
