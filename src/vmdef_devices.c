/* SPDX-License-Identifier: BSD-2-Clause */
/* The node "devices" of a VM definition tree. */
#include <hv/virtio_net.h>
#include <hv/vmdef.h>

#include <hv/string.h>

#include "vmdef_parse.h"

/* --- All ------------------------------------------------------------------------------------ */

static struct vmdef_device *device_of(struct vmdef_parse *p, const struct vmdef_value *v)
{
	return vmdef_device_get(p->def, v->device);
}

static int read_status(struct vmdef_parse *p, const struct vmdef_value *v)
{
	static const char choices[] = "\"okay\" or \"disabled\"";
	static const char *const words[] = { "okay", "disabled", NULL };
	u32 n;
	int err = vmdef_read_word(p, v, words, choices, &n);

	if (!err && n == 1)
		p->disabled |= (u32)BIT(v->device);
	return err;
}

static int read_device_reg(struct vmdef_parse *p, const struct vmdef_value *v)
{
	struct vmdef_device *device = device_of(p, v);
	int err = vmdef_read_one_range(p, v, &device->base, &device->size);

	if (!err && !IS_ALIGNED(device->base, 8))
		return vmdef_refuse(p, v, "0x%lx is not a multiple of 8", device->base);
	return err;
}

static int read_interrupt(struct vmdef_parse *p, const struct vmdef_value *v)
{
	p->irq_given |= (u32)BIT(v->device);
	return vmdef_read_u32(p, v, &device_of(p, v)->irq);
}

static int read_sources(struct vmdef_parse *p, const struct vmdef_value *v)
{
	u32 sources;
	int err = vmdef_read_u32(p, v, &sources);

	if (!err && (sources < 2 || sources > VMDEF_SOURCES))
		return vmdef_refuse(p, v, "is %u; possible are 2 to %u", sources, VMDEF_SOURCES);
	if (!err && p->sources_given && sources != p->def->sources)
		return vmdef_refuse(p, v, "is %u, and %u of the other controller", sources,
				    p->def->sources);
	p->sources_given = true;
	p->def->sources = sources;
	return err;
}

/* AIA specification, 3.6: at most 6 bits number the guest files beside a hart's own. */
static int read_guest_bits(struct vmdef_parse *p, const struct vmdef_value *v)
{
	int err = vmdef_read_u32(p, v, &p->def->imsic_bits);

	if (!err && p->def->imsic_bits > 6)
		return vmdef_refuse(p, v, "is %u; possible are 0 to 6", p->def->imsic_bits);
	return err;
}

/* Messages about devices want to know whether the tree has a node for them. */
static int note_device(struct vmdef_parse *p, int node, const struct vmdef_kind *kind)
{
	p->device_node[kind->device] = node;
	return 0;
}

/* The node alone asks for the device, in its usual place unless it says another. */
static int note_optional(struct vmdef_parse *p, int node, const struct vmdef_kind *kind)
{
	const struct vmdef_device *standard = &vmdef_devices[kind->device].standard;
	struct vmdef_device *device = vmdef_device_get(p->def, kind->device);

	if (!device->size) {
		device->base = standard->base;
		device->size = standard->size;
	}
	if (!(p->irq_given & BIT(kind->device)))
		device->irq = standard->irq;
	return note_device(p, node, kind);
}

/* --- Network ------------------------------------------------------------------------------- */

static struct vmdef_net *net_of(struct vmdef_parse *p, const struct vmdef_value *v)
{
	return &p->def->net[v->device - VMDEF_NET0];
}

static int read_switch(struct vmdef_parse *p, const struct vmdef_value *v)
{
	return vmdef_read_name(p, v, net_of(p, v)->sw, sizeof(net_of(p, v)->sw));
}

static int read_mac(struct vmdef_parse *p, const struct vmdef_value *v)
{
	if (v->size != 6)
		return vmdef_refuse(p, v, "must be six bytes, is %u", v->size);
	net_of(p, v)->mac = mac_load(v->data);
	if (!net_of(p, v)->mac || (v->data[0] & 1))
		return vmdef_refuse(p, v, "is no address that a card can have");
	return 0;
}

static int read_within(struct vmdef_parse *p, const struct vmdef_value *v, u32 low, u32 high,
		       u32 *out)
{
	int err = vmdef_read_u32(p, v, out);

	if (!err && (*out < low || *out > high))
		return vmdef_refuse(p, v, "is %u; possible are %u to %u", *out, low, high);
	return err;
}

static int read_vlan(struct vmdef_parse *p, const struct vmdef_value *v)
{
	return read_within(p, v, 1, VSWITCH_VLANS - 1, &net_of(p, v)->vlan);
}

static int read_rate(struct vmdef_parse *p, const struct vmdef_value *v)
{
	return read_within(p, v, 1, VSWITCH_RATE, &net_of(p, v)->rate);
}

static int read_mtu(struct vmdef_parse *p, const struct vmdef_value *v)
{
	return read_within(p, v, VIRTIO_NET_MTU_MIN, VIRTIO_NET_MTU_MAX, &net_of(p, v)->mtu);
}

static int read_locked(struct vmdef_parse *p, const struct vmdef_value *v)
{
	return vmdef_read_flag(p, v, &net_of(p, v)->locked);
}

static int read_small(struct vmdef_parse *p, const struct vmdef_value *v)
{
	return vmdef_read_flag(p, v, &net_of(p, v)->small);
}

static int read_monitor(struct vmdef_parse *p, const struct vmdef_value *v)
{
	return vmdef_read_flag(p, v, &net_of(p, v)->monitor);
}

static int note_net(struct vmdef_parse *p, int node, const struct vmdef_kind *kind)
{
	struct vmdef_net *net = &p->def->net[kind->device - VMDEF_NET0];

	if (net->monitor && net->sw[0])
		return vmdef_refuse_node(p, node, "monitor", "excludes switch: the monitor is on "
					 "none");
	if (!net->sw[0])
		memcpy(net->sw, VMDEF_SWITCH, sizeof(VMDEF_SWITCH));
	if (!net->mtu)
		net->mtu = VMDEF_MTU;
	return note_optional(p, node, kind);
}

/* --- The shape of the node ----------------------------------------------------------------- */

static const struct vmdef_property irqchip_properties[] = {
	{ "status", false, read_status },
	{ "reg", false, read_device_reg },
	{ "sources", false, read_sources },
	{ NULL, false, NULL },
};

static const struct vmdef_property irq_device_properties[] = {
	{ "status", false, read_status },
	{ "reg", false, read_device_reg },
	{ "interrupt", false, read_interrupt },
	{ NULL, false, NULL },
};

static const struct vmdef_property net_properties[] = {
	{ "status", false, read_status },
	{ "reg", false, read_device_reg },
	{ "interrupt", false, read_interrupt },
	{ "switch", false, read_switch },
	{ "mac", false, read_mac },
	{ "vlan", false, read_vlan },
	{ "rate", false, read_rate },
	{ "mtu", false, read_mtu },
	{ "locked", false, read_locked },
	{ "small-frames", false, read_small },
	{ "monitor", false, read_monitor },
	{ NULL, false, NULL },
};

static const struct vmdef_property plain_device_properties[] = {
	{ "status", false, read_status },
	{ "reg", false, read_device_reg },
	{ NULL, false, NULL },
};

static const struct vmdef_property imsic_properties[] = {
	{ "reg", false, read_device_reg },
	{ "guest-index-bits", false, read_guest_bits },
	{ NULL, false, NULL },
};

const struct vmdef_kind vmdef_device_kinds[] = {
	{ .name = "plic", .device = VMDEF_PLIC, .properties = irqchip_properties,
	  .check = note_device },
	{ .name = "aplic", .device = VMDEF_APLIC, .properties = irqchip_properties,
	  .check = note_device },
	{ .name = "imsic", .device = VMDEF_IMSIC, .properties = imsic_properties,
	  .check = note_device },
	{ .name = "uart", .device = VMDEF_UART, .properties = irq_device_properties,
	  .check = note_device },
	{ .name = "test", .device = VMDEF_FINISHER, .properties = plain_device_properties,
	  .check = note_device },
	{ .name = "rtc", .device = VMDEF_RTC, .properties = irq_device_properties,
	  .check = note_device },
	{ .name = "console", .device = VMDEF_CONSOLE, .properties = irq_device_properties,
	  .check = note_optional },
#define VIRTIO(n)                                                                        \
	{ .name = "virtio" #n, .device = VMDEF_VIRTIO0 + (n),                            \
	  .properties = irq_device_properties, .check = note_optional }
	VIRTIO(0), VIRTIO(1), VIRTIO(2), VIRTIO(3), VIRTIO(4), VIRTIO(5), VIRTIO(6), VIRTIO(7),
#undef VIRTIO
#define NET(n)                                                                           \
	{ .name = "net" #n, .device = VMDEF_NET0 + (n), .properties = net_properties,    \
	  .check = note_net }
	NET(0), NET(1), NET(2), NET(3),
#undef NET
	{ .properties = NULL },
};
