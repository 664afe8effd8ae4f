/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control queue of a network device: what its driver wants to receive, and under which address.
 * All with the device's lock held.
 */
#include <hv/string.h>

#include "virtio_net_parts.h"

/* Commands, section 5.1.6.5: class, command, data; and a byte for the answer. */
enum {
	CLASS_RX,
	CLASS_MAC,
	CLASS_VLAN,
};
enum { RX_ALL, RX_ALL_GROUPS, RX_ALL_SINGLE, RX_NO_GROUPS, RX_NO_SINGLE, RX_NO_BROADCAST };
enum { MAC_TABLE_SET, MAC_ADDR_SET };
enum { VLAN_ADD, VLAN_DEL };

#define COMMANDS 16U	/* in one call */
#define TAG_HIGH 0x81U	/* of ethertype 0x8100 */

/* ---- The filter ---- */

void filter_reset(struct virtio_net_filter *filter)
{
	memset(filter, 0, sizeof(*filter));
	filter->all = true;
}

static bool has_vlan(const struct virtio_net *net, const struct net_frame *frame)
{
	const u8 *type = frame->head + ETH_HEADER - 2;
	u32 tag = (u32)(type[2] & 0xf) << 8 | type[3];

	if (type[0] != TAG_HIGH || type[1] || frame->head_size < NET_HEAD ||
	    !virtio_accepted(&net->dev, F_CTRL_VLAN))
		return true;
	return net->filter.vlan[tag / 64] & BIT(tag % 64);
}

static bool is_listed(const struct virtio_net_filter *filter, u64 mac)
{
	const struct virtio_net_addresses *listed = &filter->listed[(mac & MAC_GROUP) != 0];

	for (u32 i = 0; i < listed->count; i++)
		if (listed->mac[i] == mac)
			return true;
	return listed->many;
}

bool filter_wants(const struct virtio_net *net, const struct net_frame *frame)
{
	const struct virtio_net_filter *filter = &net->filter;
	u64 mac = mac_load(frame->head);

	if (filter->all)
		return true;
	if (!has_vlan(net, frame))
		return false;
	if (mac == vswitch_mac(&net->port))
		return !filter->no_single;
	if (mac == MAC_BROADCAST)
		return !filter->no_broadcast;
	if (mac & MAC_GROUP)
		return !filter->no_groups && (filter->all_groups || is_listed(filter, mac));
	return !filter->no_single && (filter->all_single || is_listed(filter, mac));
}

/* ---- Commands ---- */

/* One command as it is read. */
struct command {
	struct virtio_net *net;
	const struct virtqueue_chain *chain;
	u64 at;		/* what comes next */
};

static bool get(struct command *c, void *into, u32 size)
{
	u64 n = virtqueue_read(&c->net->control, c->chain, c->at, into, size);

	c->at += n;
	return n == size;
}

static bool set_mode(struct command *c, u8 what)
{
	struct virtio_net_filter *filter = &c->net->filter;
	bool *const modes[] = {
		[RX_ALL] = &filter->all, [RX_ALL_GROUPS] = &filter->all_groups,
		[RX_ALL_SINGLE] = &filter->all_single, [RX_NO_GROUPS] = &filter->no_groups,
		[RX_NO_SINGLE] = &filter->no_single, [RX_NO_BROADCAST] = &filter->no_broadcast,
	};
	u8 on;

	if (what >= ARRAY_SIZE(modes) || !get(c, &on, sizeof(on)))
		return false;
	*modes[what] = on != 0;
	return true;
}

static bool get_list(struct command *c, struct virtio_net_addresses *list)
{
	u32 count;
	u8 mac[6];

	if (!get(c, &count, sizeof(count)) || count > (c->chain->readable - c->at) / sizeof(mac))
		return false;
	list->count = 0;
	list->many = count > VIRTIO_NET_ADDRESSES;
	if (list->many) {
		c->at += (u64)count * sizeof(mac);
		return true;
	}
	while (list->count < count && get(c, mac, sizeof(mac)))
		list->mac[list->count++] = mac_load(mac);
	return list->count == count;
}

static bool set_lists(struct command *c)
{
	struct virtio_net_addresses listed[2];

	if (!get_list(c, &listed[0]) || !get_list(c, &listed[1]))
		return false;
	memcpy(c->net->filter.listed, listed, sizeof(listed));
	return true;
}

/* A locked port keeps the address that its VM's definition gave it. */
static bool set_address(struct command *c)
{
	struct vswitch_port *port = &c->net->port;
	u8 mac[6];

	if (!get(c, mac, sizeof(mac)) || (mac[0] & 1) || !mac_load(mac))
		return false;
	if (port->locked && mac_load(mac) != vswitch_mac(port))
		return false;
	if (vswitch_set_mac(port, mac_load(mac)))
		return false;
	virtio_config_set(&c->net->dev, CONFIG_MAC, mac, sizeof(mac));
	return true;
}

static bool set_vlan(struct command *c, u8 what)
{
	u16 tag;

	if (what > VLAN_DEL || !get(c, &tag, sizeof(tag)) || tag >= VIRTIO_NET_VLANS)
		return false;
	if (what == VLAN_ADD)
		c->net->filter.vlan[tag / 64] |= BIT(tag % 64);
	else
		c->net->filter.vlan[tag / 64] &= ~BIT(tag % 64);
	return true;
}

static bool obey(struct command *c)
{
	u8 order[2];

	if (!get(c, order, sizeof(order)))
		return false;
	switch (order[0]) {
	case CLASS_RX:
		return set_mode(c, order[1]);
	case CLASS_MAC:
		return order[1] == MAC_TABLE_SET ? set_lists(c) :
		       order[1] == MAC_ADDR_SET && set_address(c);
	case CLASS_VLAN:
		return set_vlan(c, order[1]);
	default:
		return false;
	}
}

static bool pop(struct virtio_net *net, struct virtqueue_chain *chain)
{
	enum virtqueue_result result;

	if (!virtio_running(&net->dev))
		return false;
	result = virtqueue_pop(&net->control, chain);
	if (result == VIRTQUEUE_CHAIN && !chain->writable) {
		net->control.broken = "a command without room for the answer";
		result = VIRTQUEUE_BROKEN;
	}
	if (result == VIRTQUEUE_BROKEN)
		virtio_broken(&net->dev, VIRTIO_NET_CONTROL, net->control.broken);
	return result == VIRTQUEUE_CHAIN;
}

bool control_serve(struct virtio_net *net)
{
	u32 n = 0;

	for (; n < COMMANDS && pop(net, &net->chain); n++) {
		struct command command = { .net = net, .chain = &net->chain };
		u8 failed = !obey(&command);

		(void)virtqueue_write(&net->control, &net->chain, 0, &failed, sizeof(failed));
		virtqueue_push(&net->control, net->chain.head, sizeof(failed));
	}
	if (virtqueue_interrupt_due(&net->control))
		virtio_interrupt(&net->dev, true);
	return n == COMMANDS;
}
