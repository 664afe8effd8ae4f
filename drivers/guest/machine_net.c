/* SPDX-License-Identifier: BSD-2-Clause */
/* The network devices of a VM and the switches that they are on. */
#include <hv/machine_net.h>

#include <hv/crc32.h>
#include <hv/errno.h>
#include <hv/machine_irq.h>
#include <hv/pa.h>
#include <hv/page.h>
#include <hv/refuse.h>
#include <hv/string.h>
#include <hv/virtio_net.h>
#include <hv/vm.h>

#define NET_SIZE ALIGN_UP((u64)sizeof(struct virtio_net), PAGE_SIZE)

/*
 * An address for those who name none: the same at every start, and another for each VM's name. Of
 * the kind that nobody is given, IEEE 802: 52:48.
 */
static u64 made_mac(const struct vm *vm, u32 n)
{
	u32 hash = crc32(0, vm->def.name, strlen(vm->def.name));
	u8 number = (u8)n;

	return 0x524800000000 | crc32(hash, &number, 1);
}

static int refuse_join(const struct vm *vm, u32 n, int err)
{
	const struct vmdef_net *def = &vm->def.net[n];
	const char *name = vm->def.name;

	if (err == -EEXIST && def->monitor)
		refuse("%s refused: node /devices/net%u, property monitor: there is one already",
		       name, n);
	else if (err == -EEXIST)
		refuse("%s refused: node /devices/net%u, property mac: switch \"%s\" has a port of "
		       "this address; give another", name, n, def->sw);
	else if (err == -EINVAL)
		refuse("%s refused: node /devices/net%u, property small-frames: the other ports of "
		       "switch \"%s\" say otherwise; all must agree", name, n, def->sw);
	else
		refuse("%s refused: node /devices/net%u, property switch: there are too many "
		       "switches, or ports on \"%s\"", name, n, def->sw);
	return err;
}

static int make(struct vm *vm, u32 n, struct virtio_net **out)
{
	const struct vmdef_net *def = &vm->def.net[n];
	const struct virtio_net_params params = {
		.owner = vm->def.name, .gmap = &vm->gmap,
		.irq = machine_irq_edge(vm, def->device.irq),
		.mac = def->mac ? def->mac : made_mac(vm, n), .mtu = def->mtu,
		.rate = def->rate * (u64)125, .locked = def->locked, .small = def->small,
		.monitor = def->monitor,
	};
	hpa_t page;
	int err = page_alloc(NET_SIZE, PAGE_SIZE, OWNER_HV, &page);

	if (err) {
		refuse("%s refused: no memory for its devices", vm->def.name);
		return err;
	}
	*out = pa_ptr(page);
	virtio_net_init(*out, &params);
	err = machine_add_virtio(vm, &def->device, &(*out)->dev);
	if (err)
		return err;
	err = vswitch_join(&(*out)->port, def->sw, def->vlan);
	return err ? refuse_join(vm, n, err) : 0;
}

int machine_net_init(struct vm *vm, struct machine_net *nets)
{
	int err = 0;

	for (u32 n = 0; !err && n < VMDEF_NETS; n++)
		if (vm->def.net[n].device.size)
			err = make(vm, n, &nets->device[n]);
	return err;
}

/* Off the switch first: whoever has found the port by then finds it without a driver. */
void machine_net_stop(struct machine_net *nets)
{
	for (u32 n = 0; n < VMDEF_NETS; n++)
		if (nets->device[n])
			vswitch_leave(&nets->device[n]->port);
	machine_net_reset(nets);
}

void machine_net_exit(struct machine_net *nets)
{
	machine_net_stop(nets);
	for (u32 n = 0; n < VMDEF_NETS; n++) {
		if (nets->device[n])
			page_free(ptr_pa(nets->device[n]), NET_SIZE, OWNER_HV);
		nets->device[n] = NULL;
	}
}

void machine_net_reset(struct machine_net *nets)
{
	for (u32 n = 0; n < VMDEF_NETS; n++)
		if (nets->device[n])
			virtio_net_reset(nets->device[n]);
}
