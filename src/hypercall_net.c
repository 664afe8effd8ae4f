/* SPDX-License-Identifier: BSD-2-Clause */
/* The MVM's calls about network cards, its own and those of all other VMs. */
#include <abi/hypercall.h>
#include <hv/errno.h>
#include <hv/machine.h>
#include <hv/string.h>
#include <hv/virtio_net.h>
#include <hv/vm.h>

#include "hypercall_calls.h"

_Static_assert(SHYPER_CARDS == VMDEF_NETS && VSWITCH_DROPS < SHYPER_NET_DROPS, "counts");

/* Whoever lists cards tries them all: that there is none needs no words. */
static struct virtio_net *card(const u64 *arg, struct vm **vm)
{
	*vm = hypercall_named(arg[0], true);
	return *vm ? machine_card(*vm, arg[1]) : NULL;
}

static u32 flags_of(const struct virtio_net *net)
{
	const struct vswitch_port *port = &net->port;
	u32 flags = 0;

	flags |= port->locked ? SHYPER_NET_LOCKED : 0;
	flags |= port->small ? SHYPER_NET_SMALL : 0;
	flags |= port->monitor ? SHYPER_NET_MONITOR : 0;
	flags |= vswitch_mirrored(port) ? SHYPER_NET_MIRRORED : 0;
	flags |= virtio_net_link(net) ? SHYPER_NET_LINK : 0;
	flags |= virtio_running(&net->dev) ? SHYPER_NET_DRIVER : 0;
	return flags;
}

struct hypercall_result hc_net_info(struct vm *caller, const u64 *arg)
{
	struct shyper_net_info info = { .reserved = 0 };
	const struct vswitch_counters *counters;
	const struct vmdef_net *def;
	struct virtio_net *net;
	struct vm *vm;

	net = card(arg, &vm);
	if (!net)
		return hypercall_done(-ENOENT);
	def = &vm->def.net[arg[1]];
	memcpy(info.sw, def->sw, sizeof(info.sw));
	mac_store(info.mac, vswitch_mac(&net->port));
	info.mtu = (u16)def->mtu;
	info.vlan = def->vlan;
	info.rate = def->rate;
	info.flags = flags_of(net);
	info.features = net->dev.accepted;
	counters = &net->port.counters;
	info.tx_frames = counters->tx_frames;
	info.tx_bytes = counters->tx_bytes;
	info.rx_frames = counters->rx_frames;
	info.rx_bytes = counters->rx_bytes;
	info.copied = counters->copied;
	memcpy(info.drops, counters->drops, sizeof(counters->drops));
	return hypercall_give(caller, arg[2], arg[3], &info, sizeof(info));
}

struct hypercall_result hc_net_set(struct vm *caller, const u64 *arg)
{
	struct virtio_net *net;
	struct vm *vm;

	(void)caller;
	net = card(arg, &vm);
	if (!net)
		return hypercall_done(-ENOENT);
	if (arg[3] > 1)
		return hypercall_done(-EINVAL);
	if (arg[2] == SHYPER_NET_SET_LINK)
		virtio_net_set_link(net, arg[3]);
	else if (arg[2] == SHYPER_NET_SET_MIRROR)
		vswitch_set_mirrored(&net->port, arg[3]);
	else
		return hypercall_done(-EINVAL);
	return hypercall_done(0);
}
