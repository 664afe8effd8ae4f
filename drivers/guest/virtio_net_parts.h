/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to virtio_net*.c.
 */
#ifndef VIRTIO_NET_PARTS_H
#define VIRTIO_NET_PARTS_H

#include <hv/string.h>
#include <hv/virtio_net.h>

/* Features, section 5.1.3. */
#define F_CSUM BIT(0)
#define F_GUEST_CSUM BIT(1)
#define F_MTU BIT(3)
#define F_MAC BIT(5)
#define F_GUEST_TSO4 BIT(7)
#define F_GUEST_TSO6 BIT(8)
#define F_GUEST_ECN BIT(9)
#define F_HOST_TSO4 BIT(11)
#define F_HOST_TSO6 BIT(12)
#define F_HOST_ECN BIT(13)
#define F_MRG_RXBUF BIT(15)
#define F_STATUS BIT(16)
#define F_CTRL_VQ BIT(17)
#define F_CTRL_RX BIT(18)
#define F_CTRL_VLAN BIT(19)
#define F_CTRL_RX_EXTRA BIT(20)
#define F_CTRL_MAC_ADDR BIT(23)

/* struct net_offload, section 5.1.6. */
#define OFFLOAD_SIZE 12U
#define OFFLOAD_COUNT 10U	/* num_buffers is there */
#define NEEDS_CSUM 1U
#define GSO_NONE 0U
#define GSO_TCPV4 1U
#define GSO_TCPV6 4U
#define GSO_ECN 0x80U

/* Configuration, section 5.1.4. */
#define CONFIG_MAC 0U
#define CONFIG_STATUS 6U
#define CONFIG_MTU 10U
#define LINK_UP 1U

#define FRAME_MAX (65535U + ETH_HEADER + ETH_TAG + 40U)	/* IPv6 does not count its own header */

/*
 * copy_start() - offload and head of a struct net_frame, without a loop, and without misaligned
 * accesses where the guest's end of it is at an odd address.
 */
#define START_SIZE (OFFLOAD_SIZE + NET_HEAD)
static inline void copy_start(void *to, const void *from, const void *guest)
{
	typedef u16 __attribute__((may_alias)) half_t;
	half_t *d = to;
	const half_t *s = from;

	if ((uintptr_t)guest & 1) {
		memcpy(to, from, START_SIZE);
		return;
	}
#pragma GCC unroll 15
	for (u32 i = 0; i < START_SIZE / 2; i++)
		d[i] = s[i];
}

/* ---- virtio_net_rx.c ---- */

/* net_deliver(), net_flush() - the port's, hv/vswitch.h. */
void net_deliver(struct vswitch_port *port, const struct net_frame *frame);
void net_flush(struct vswitch_port *port);

/* ---- virtio_net_control.c; with the device's lock held ---- */

/* filter_reset() - what a driver that has said nothing receives: everything. */
void filter_reset(struct virtio_net_filter *filter);

/* filter_wants() - is the frame for this driver? */
bool filter_wants(const struct virtio_net *net, const struct net_frame *frame);

/* control_serve() - what the driver orders. True: there is more than one call should do. */
bool control_serve(struct virtio_net *net);

#endif
