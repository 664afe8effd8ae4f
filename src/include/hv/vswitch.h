/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual switch: Ethernet between network ports of VMs. Ports that name the same switch and
 * the same VLAN see each other, others do not. The switch decides where a frame goes and whether
 * it may go at all; a port takes a copy or drops it, at once. Nothing is ever queued here, so
 * whoever is slow loses frames of his own and holds up nobody.
 *
 * A frame is sent on the sender's hart, with the sender's turn (hv/virtio_net.h) held; that is what
 * "the sender's side" means below. It may run beside others that send to the same port.
 */
#ifndef HV_VSWITCH_H
#define HV_VSWITCH_H

#include <hv/types.h>
#include <hv/virtqueue.h>

#define VSWITCH_NAME 32		/* bytes with the NUL */
#define VSWITCH_SWITCHES 16	/* pairs of a name and a VLAN */
#define VSWITCH_PORTS 64	/* of one switch */
#define VSWITCH_VLANS 4095	/* numbers are below; 0: none */
#define VSWITCH_RATE 100000000	/* kbit/s at most */

#define ETH_HEADER 14U
#define ETH_TAG 4U		/* a VLAN tag of the guests' own */
#define NET_HEAD (ETH_HEADER + ETH_TAG)

/* What of a frame is left to the receiver: virtio_net_hdr, virtio 1.2, section 5.1.6. */
struct net_offload {
	u8 flags;
	u8 gso_type;
	u16 hdr_len;
	u16 gso_size;
	u16 csum_start;
	u16 csum_offset;
	u16 num_buffers;
};

/* A frame that is being sent. The first two lie as on the wire. */
struct net_frame {
	struct net_offload offload;	/* checked against the rest */
	u8 head[NET_HEAD];	/* a copy of its beginning: what was checked is what is delivered */
	u32 head_size;		/* ETH_HEADER … NET_HEAD bytes, as far as the frame goes */
	u32 size;		/* of all of it, at least ETH_HEADER */
	struct virtqueue_cursor rest;	/* behind the head, in the sender's memory, */
	const u8 *whole;	/* and where that is, if it is in one piece; else NULL */
};

/* Why a frame came to nothing; counted at the port where it did. */
enum vswitch_drop {
	/* At the sender's. */
	VSWITCH_MALFORMED,	/* too short or too long, or an offload that cannot be */
	VSWITCH_SPOOFED,	/* a source address that is not its own, or another port's */
	VSWITCH_LIMITED,	/* beyond its rate */
	VSWITCH_STORM,		/* beyond what one port may send to all */
	/* At the receiver's. */
	VSWITCH_DOWN,		/* no driver, or the link is down */
	VSWITCH_NO_BUFFER,	/* the driver has given too few buffers */
	VSWITCH_UNFIT,		/* larger than a buffer, or an offload that the driver refused */
	VSWITCH_DROPS,
};

/* Written by the sender's side, or with the receiver's lock held; read by anyone, roughly. */
struct vswitch_counters {
	u64 tx_frames;		/* sent by the port's VM, dropped ones too */
	u64 tx_bytes;
	u64 rx_frames;		/* delivered to it */
	u64 rx_bytes;
	u64 copied;		/* bytes written to its VM's memory, of frames dropped then, too */
	u64 drops[VSWITCH_DROPS];
};

struct vswitch;
struct vswitch_port;

/* Called on the sender's side, with no other lock than the sender's turn. */
struct vswitch_ops {
	/* Take a copy of the frame, or drop it and count that. */
	void (*deliver)(struct vswitch_port *port, const struct net_frame *frame);
	/* That was all for now: tell the driver. */
	void (*flush)(struct vswitch_port *port);
};

/* Tokens that come with time; scaled by the timebase, so that nothing is lost to rounding. */
struct vswitch_bucket {
	u64 level;
	u64 filled;		/* host ticks */
};

struct vswitch_port {
	/* By the maker, before vswitch_join(). */
	const struct vswitch_ops *ops;
	u64 mac;		/* its own address; afterwards vswitch_set_mac() */
	u64 rate;		/* bytes per second that it may send; 0: any number */
	bool locked;		/* only its own address may be a source */
	bool small;		/* neither sends nor takes frames that are to be cut up later */
	bool monitor;		/* on no switch: gets what is mirrored */

	/* Fixed while it is on a switch. */
	struct vswitch *sw;	/* NULL: on none */
	u64 home;		/* the address with which it joined */
	u32 index;		/* in the switch */

	u32 mirrored;		/* atomic: 1: the monitor sees its frames */
	struct vswitch_counters counters;

	/* The sender's side. */
	struct vswitch_bucket bytes;
	struct vswitch_bucket storm;
	u64 touched;		/* bit per port that got frames since the last flush */
	bool monitored;		/* the monitor got some */
};

/* mac_load(), mac_store() - an address as a number, its first byte the highest of six. */
static inline u64 mac_load(const u8 *mac)
{
	return (u64)mac[0] << 40 | (u64)mac[1] << 32 | (u64)mac[2] << 24 | (u64)mac[3] << 16 |
	       (u64)mac[4] << 8 | mac[5];
}

static inline void mac_store(u8 *to, u64 mac)
{
	for (u32 i = 0; i < 6; i++)
		to[i] = (u8)(mac >> (40 - 8 * i));
}

#define MAC_GROUP BIT(40)	/* for several receivers */
#define MAC_BROADCAST GENMASK(47, 0)

/* net_drop() - count a frame that comes to nothing. */
static inline void net_drop(struct vswitch_port *port, enum vswitch_drop why)
{
	__atomic_fetch_add(&port->counters.drops[why], 1, __ATOMIC_RELAXED);
}

/*
 * vswitch_join() - connect a port, or make it the monitor. VMs' maker alone. 0; -ENOMEM: too many
 * switches or ports; -EEXIST: the address is another port's, or there is a monitor; -EINVAL: the
 * other ports of the switch are not as small as this, or smaller.
 */
int __must_check vswitch_join(struct vswitch_port *port, const char *name, u32 vlan);

/*
 * vswitch_leave() - undo that; does nothing for a port that is on no switch. The VMs' maker, or
 * who ends one; the VM does not run. Others may be delivering to the port until their harts have
 * passed their loops (arch_harts_sync()).
 */
void vswitch_leave(struct vswitch_port *port);

/* vswitch_send() - to whom it may concern. Returns how many copies were made. The sender's side. */
u32 vswitch_send(struct vswitch_port *from, const struct net_frame *frame);

/* vswitch_flush() - after one or more of these. */
void vswitch_flush(struct vswitch_port *from);

/*
 * vswitch_set_mac() - give a port another address. Any hart. -EEXIST: another port has it, or has
 * joined with it. That with which the port itself has joined is never refused. (When a port joins
 * whose address somebody has been given, that one is back at his own.)
 */
int __must_check vswitch_set_mac(struct vswitch_port *port, u64 mac);

/* vswitch_set_mirrored() - does the monitor see the port's frames? vswitch_mirrored(). Any hart. */
static inline void vswitch_set_mirrored(struct vswitch_port *port, bool on)
{
	__atomic_store_n(&port->mirrored, on, __ATOMIC_RELAXED);
}

static inline bool vswitch_mirrored(const struct vswitch_port *port)
{
	return __atomic_load_n(&port->mirrored, __ATOMIC_RELAXED);
}

/* vswitch_mac() - its address now; any hart. */
static inline u64 vswitch_mac(const struct vswitch_port *port)
{
	return __atomic_load_n(&port->mac, __ATOMIC_RELAXED);
}

#endif
