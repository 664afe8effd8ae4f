/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two virtio network devices on one switch, a and b, in one guest memory, and the drivers' side of
 * both. Host tests of the device use it. A third one, c, is there for those who make it.
 */
#ifndef NET_SIDES_H
#define NET_SIDES_H

#include <hv/virtio_net.h>

#include "virtio_driver.h"

#define NUM 64U			/* entries of each queue */
#define HEADER 12U
#define F_CSUM BIT(0)
#define F_GUEST_CSUM BIT(1)
#define F_MTU BIT(3)
#define F_GUEST_TSO4 BIT(7)
#define F_GUEST_TSO6 BIT(8)
#define F_GUEST_ECN BIT(9)
#define F_HOST_TSO4 BIT(11)
#define F_HOST_TSO6 BIT(12)
#define F_HOST_ECN BIT(13)
#define F_MRG BIT(15)
#define F_CTRL (BIT(17) | BIT(18) | BIT(19) | BIT(23))
#define LARGE (F_CSUM | F_GUEST_CSUM | F_GUEST_TSO4 | F_HOST_TSO4)
#define EVENT_IDX VIRTIO_F_EVENT_IDX

#define MAC_A 0x02000000000aull
#define MAC_B 0x02000000000bull
#define MAC_C 0x02000000000cull

extern struct side {
	struct virtio_net net;
	struct driver_queue queue[3];
	bool wire;
	u32 interrupts;
} a, b, c;

extern u64 sides_now;			/* host time; 10 MHz */
extern u8 frame[70000];			/* to be sent */
extern u8 got[70000];			/* received */
extern const struct net_offload none;

/* sides_set_up() - fresh memory and devices, not started. For cmocka, as sides_tear_down(). */
int sides_set_up(void **state);
int sides_tear_down(void **state);

/* side_make() - a device anew, on the switch. */
void side_make(struct side *side, u64 mac, bool small);

/* side_start() - a driver that agrees to these features. sides_start(): both; frame[] is filled. */
void side_start(struct side *side, u64 features);
void sides_start(u64 features);

/* side_data() - where the side's frames and buffers are. B's lie across a seam of host memory. */
u64 side_data(const struct side *side);

/* side_fill() - frame[] from one address to the other, IPv4, with a pattern. */
void side_fill(u64 to, u64 from, u32 size);

/*
 * side_send_cut() - frame[] with this header, in so many descriptors of odd sizes, and notify.
 * False: the device has not taken it. side_send(): in one, without offloads.
 */
bool side_send_cut(struct side *side, const struct net_offload *o, u32 size, u32 pieces);
bool side_send(struct side *side, u32 size);

/* side_give() - a buffer of so many bytes in so many descriptors from n on. */
void side_give(struct side *side, u32 n, u32 size, u32 pieces);

/* side_receive() - the next frame; its size, 0: none. Several buffers have one piece each. */
u32 side_receive(struct side *side, struct net_offload *o, u8 *into);

/* side_check_arrived() - b has frame[] as it is; side_check_nothing() - the side has none. */
void side_check_arrived(u32 size);
void side_check_nothing(struct side *side);

/* side_dropped() - how many frames the side's port has counted so. */
u64 side_dropped(const struct side *side, enum vswitch_drop why);

#endif
