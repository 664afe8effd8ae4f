/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets between guest and management VM, by vhost-vsock. The device's third queue, for events,
 * stays the device's: the one event there is, the transport's reset, only a VM that moves needs.
 */
#include <errno.h>
#include <linux/vhost.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vhost_unit.h"

#define VIRTIO_ID_VSOCK 19
#define ENTRIES 128
#define F_SEQPACKET (UINT64_C(1) << 1)		/* virtio 1.2, section 5.10.3 */

static void describe(const struct vhost_server *v, const struct vhost_unit *u,
		     struct shyper_device_setup *out)
{
	(void)v;
	*out = (struct shyper_device_setup){
		.device_id = VIRTIO_ID_VSOCK, .queues = VHOST_QUEUES + 1, .queue_size = ENTRIES,
		.config_size = 8, .features = VHOST_RING_FEATURES | F_SEQPACKET,
	};
	for (unsigned int i = 0; i < sizeof(u->cid); i++)
		out->config[i] = (uint8_t)(u->cid >> 8 * i);
}

static int prepare(struct vhost_server *v, struct vhost_unit *u)
{
	uint64_t cid = u->cid;

	if (!vhost_patient(u->vhost, VHOST_VSOCK_SET_GUEST_CID, &cid, EADDRINUSE))
		return 0;
	return error_set(&v->s->error, "\"vsock\": cid %u: %s", u->cid, errno == EADDRINUSE ?
			 "another VM has it" : strerror(errno));
}

static int set_running(const struct vhost_unit *u, int on)
{
	return ioctl(u->vhost, VHOST_VSOCK_SET_RUNNING, &on);
}

static int run(const struct vhost_unit *u, uint64_t features)
{
	(void)features;
	return set_running(u, 1);
}

static void halt(const struct vhost_unit *u)
{
	set_running(u, 0);
}

const struct vhost_kind vhost_vsock = {
	.file = "vhost-vsock",
	.module = "vhost_vsock",
	.features = VHOST_RING_FEATURES | VHOST_F_VERSION_1 | F_SEQPACKET,
	.describe = describe,
	.prepare = prepare,
	.run = run,
	.halt = halt,
};
