/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network devices of a VM (drivers/guest/machine_net.c): made as the definition says, and ports
 * of the switches that it names.
 */
#ifndef HV_MACHINE_NET_H
#define HV_MACHINE_NET_H

#include <hv/types.h>
#include <hv/vmdef.h>

struct vm;
struct virtio_net;

/* In struct machine; NULL: absent. */
struct machine_net {
	struct virtio_net *device[VMDEF_NETS];
};

/* machine_net_init() - make the devices of the VM and connect them. 0 or -errno, refused. */
int __must_check machine_net_init(struct vm *vm, struct machine_net *nets);

/*
 * machine_net_stop() - the VM is over: nothing of its memory is touched any more. May be called
 * more than once. machine_net_exit() - and free the devices, when no hart can be in one.
 * machine_net_reset() - power-on. The VM does not run.
 */
void machine_net_stop(struct machine_net *nets);
void machine_net_exit(struct machine_net *nets);
void machine_net_reset(struct machine_net *nets);

#endif
