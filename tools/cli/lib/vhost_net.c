/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Network cards by vhost-net: frames go to and from a tap. Its carrier is there while a driver
 * uses the card. It goes away with us.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <linux/vhost.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vhost_unit.h"

#define VIRTIO_ID_NET 1
#define ENTRIES 256
#define HEADER 12		/* bytes before each frame: virtio 1.2, section 5.1.6 */

/* Section 5.1.3. */
#define F_CSUM (UINT64_C(1) << 0)
#define F_GUEST_CSUM (UINT64_C(1) << 1)
#define F_MTU (UINT64_C(1) << 3)
#define F_MAC (UINT64_C(1) << 5)
#define F_GUEST_TSO4 (UINT64_C(1) << 7)
#define F_GUEST_TSO6 (UINT64_C(1) << 8)
#define F_HOST_TSO4 (UINT64_C(1) << 11)
#define F_HOST_TSO6 (UINT64_C(1) << 12)
#define F_MRG_RXBUF (UINT64_C(1) << 15)
#define TAP_FEATURES (F_CSUM | F_GUEST_CSUM | F_GUEST_TSO4 | F_GUEST_TSO6 | F_HOST_TSO4 | \
		      F_HOST_TSO6)

void vhost_tap(char name[DEF_BRIDGE], uint32_t vm, uint32_t card)
{
	snprintf(name, DEF_BRIDGE, "vm%u-%u", vm % 1000, card % 1000);
}

void vhost_mac(uint8_t mac[6], const struct def *def, uint32_t card)
{
	uint32_t hash = 2166136261u;	/* FNV-1a */

	if (def_mac_possible(def->nic[card].mac)) {
		memcpy(mac, def->nic[card].mac, 6);
		return;
	}
	for (const char *at = def->name; *at; at++)
		hash = (hash ^ (uint8_t)*at) * 16777619u;
	hash = (hash ^ card) * 16777619u;
	memcpy(mac, (uint8_t[]){ 0x52, 0x49, (uint8_t)(hash >> 24), (uint8_t)(hash >> 16),
				 (uint8_t)(hash >> 8), (uint8_t)hash }, 6);
}

static void describe(const struct vhost_server *v, const struct vhost_unit *u,
		     struct shyper_device_setup *out)
{
	*out = (struct shyper_device_setup){
		.device_id = VIRTIO_ID_NET, .queues = VHOST_QUEUES, .queue_size = ENTRIES,
		.config_size = 12,
		.features = VHOST_RING_FEATURES | F_MRG_RXBUF | TAP_FEATURES | F_MAC |
			    (u->nic->mtu ? F_MTU : 0),
	};
	vhost_mac(out->config, v->def, u->number);
	out->config[10] = (uint8_t)u->nic->mtu;	/* behind status and number of pairs */
	out->config[11] = (uint8_t)(u->nic->mtu >> 8);
}

static int configure(struct vhost_server *v, const struct vhost_unit *u, struct ifreq *r)
{
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0;
	struct ifreq bridge = { .ifr_ifindex = (int)if_nametoindex(r->ifr_name) };
	struct ifreq mtu = *r;

	strcpy(bridge.ifr_name, u->nic->bridge);
	mtu.ifr_mtu = (int)u->nic->mtu;
	if (mtu.ifr_mtu && ioctl(s, SIOCSIFMTU, &mtu))
		err = vhost_fail(v, "\"mtu\"");
	if (!err && u->nic->bridge[0] && ioctl(s, SIOCBRADDIF, &bridge))
		err = error_set(&v->s->error, "bridge \"%s\": %s", u->nic->bridge,
				errno == ENODEV || errno == EOPNOTSUPP ?
				"there is none; ip link add NAME type bridge makes one" :
				strerror(errno));
	r->ifr_flags = IFF_UP;
	if (!err && ioctl(s, SIOCSIFFLAGS, r))
		err = vhost_fail(v, r->ifr_name);
	close(s);
	return err;
}

static int set_carrier(const struct vhost_unit *u, int on)
{
	return ioctl(u->tap, TUNSETCARRIER, &on);
}

static int prepare(struct vhost_server *v, struct vhost_unit *u)
{
	struct ifreq r = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int header = HEADER;

	vhost_tap(r.ifr_name, v->vm->id, u->number);
	u->tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (u->tap < 0 || ioctl(u->tap, TUNSETIFF, &r))
		return vhost_fail(v, "a tap");
	if (ioctl(u->tap, TUNSETVNETHDRSZ, &header) || set_carrier(u, 0))
		return vhost_fail(v, "the tap's header");
	return configure(v, u, &r);
}

/* What the tap may leave to the guest; what the guest leaves to it, it takes always. */
static unsigned int offloads(uint64_t features)
{
	return !(features & F_GUEST_CSUM) ? 0 :
	       TUN_F_CSUM | (features & F_GUEST_TSO4 ? TUN_F_TSO4 : 0) |
	       (features & F_GUEST_TSO6 ? TUN_F_TSO6 : 0);
}

static int set_backend(const struct vhost_unit *u, uint32_t queue, int fd)
{
	struct vhost_vring_file file = { .index = queue, .fd = fd };

	return ioctl(u->vhost, VHOST_NET_SET_BACKEND, &file);
}

static int run(const struct vhost_unit *u, uint64_t features)
{
	if (ioctl(u->tap, TUNSETOFFLOAD, offloads(features)) || set_carrier(u, 1))
		return -1;
	for (uint32_t n = 0; n < VHOST_QUEUES; n++)
		if (set_backend(u, n, u->tap))
			return -1;
	return 0;
}

static void halt(const struct vhost_unit *u)
{
	for (uint32_t n = 0; n < VHOST_QUEUES; n++)
		set_backend(u, n, -1);
	set_carrier(u, 0);
}

const struct vhost_kind vhost_net = {
	.file = "vhost-net",
	.module = "vhost_net",	/* brings tun along */
	.features = VHOST_RING_FEATURES | VHOST_F_VERSION_1 | F_MRG_RXBUF,
	.describe = describe,
	.prepare = prepare,
	.run = run,
	.halt = halt,
};
