/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A network device served by the kernel of the MVM: vhost-net moves frames between the guest's
 * memory and a tap, by the two kinds of eventfds. We only follow the driver.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/vhost.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend.h"

#define ADDRESS "10.99.0.1"	/* of the MVM on the tap; the guest asks for it */
#define HEADER 12		/* bytes before each frame, section 5.1.6 */
#define VERSION_1 (1ul << 32)
#define RING_FEATURES (1ul << 28 | 1ul << 29)
#define RAM_SIZE (256ul << 20)

static int vhost, tap;

static void check(long result, const char *what)
{
	if (result < 0)
		die(-1, what);
}

static void open_tap(void)
{
	struct ifreq r = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR, .ifr_name = "tap0" };
	struct sockaddr_in *address = (struct sockaddr_in *)&r.ifr_addr;
	int size = HEADER, s = socket(AF_INET, SOCK_DGRAM, 0);

	tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	check(tap, "/dev/net/tun");
	check(ioctl(tap, TUNSETIFF, &r), "tap");
	check(ioctl(tap, TUNSETVNETHDRSZ, &size), "header");
	*address = (struct sockaddr_in){ .sin_family = AF_INET };
	inet_pton(AF_INET, ADDRESS, &address->sin_addr);
	check(ioctl(s, SIOCSIFADDR, &r), "address");
	r.ifr_flags = IFF_UP | IFF_RUNNING;
	check(ioctl(s, SIOCSIFFLAGS, &r), "up");
	close(s);
}

static void open_vhost(const struct backend *b)
{
	struct {
		struct vhost_memory head;
		struct vhost_memory_region region;
	} memory = { .head.nregions = 1, .region = { .guest_phys_addr = RAM,
		     .memory_size = RAM_SIZE, .userspace_addr = (uintptr_t)b->ram } };

	vhost = open("/dev/vhost-net", O_RDWR | O_CLOEXEC);
	check(vhost, "/dev/vhost-net");
	check(ioctl(vhost, VHOST_SET_OWNER), "owner");
	check(ioctl(vhost, VHOST_SET_MEM_TABLE, &memory), "memory");
}

static void set_backend(unsigned int queue, int fd)
{
	struct vhost_vring_file f = { .index = queue, .fd = fd };

	check(ioctl(vhost, VHOST_NET_SET_BACKEND, &f), "back-end");
}

static void start_queue(struct backend *b, unsigned int n)
{
	const struct shyper_device_queue *q = &b->info.queue[n];
	struct vhost_vring_state num = { .index = n, .num = q->num }, base = { .index = n };
	struct vhost_vring_addr at = {
		.index = n,
		.desc_user_addr = (uintptr_t)host(b, q->desc),
		.avail_user_addr = (uintptr_t)host(b, q->driver),
		.used_user_addr = (uintptr_t)host(b, q->device),
	};
	struct vhost_vring_file kick = { .index = n, .fd = b->kick[n] };
	struct vhost_vring_file call = { .index = n, .fd = b->call };

	check(ioctl(vhost, VHOST_SET_VRING_NUM, &num), "queue size");
	check(ioctl(vhost, VHOST_SET_VRING_BASE, &base), "queue base");
	check(ioctl(vhost, VHOST_SET_VRING_ADDR, &at), "queue address");
	check(ioctl(vhost, VHOST_SET_VRING_KICK, &kick), "kick");
	check(ioctl(vhost, VHOST_SET_VRING_CALL, &call), "call");
	set_backend(n, tap);
}

static void net_start(struct backend *b)
{
	/* The MAC address is between the driver and us. */
	uint64_t features = b->info.features & (VERSION_1 | RING_FEATURES);

	check(ioctl(vhost, VHOST_SET_FEATURES, &features), "features");
	for (unsigned int n = 0; n < QUEUES; n++)
		start_queue(b, n);
}

/* On return vhost has let go. */
static void net_stop(struct backend *b)
{
	(void)b;
	for (unsigned int n = 0; n < QUEUES; n++)
		set_backend(n, -1);
}

int backend_net(char **args)
{
	static const unsigned char mac[] = { 0x52, 0x54, 0, 0x53, 0x48, 1 };
	struct backend_ops ops = {
		.device_id = 1, .features = 1ul << 5 | RING_FEATURES,	/* a MAC */
		.config = mac, .config_size = sizeof(mac), .start = net_start, .stop = net_stop,
	};
	struct backend b;
	uint64_t offered;

	backend_make(&b, &ops, args[0]);
	open_tap();
	open_vhost(&b);
	check(ioctl(vhost, VHOST_GET_FEATURES, &offered), "features");
	if ((offered & (VERSION_1 | RING_FEATURES)) != (VERSION_1 | RING_FEATURES))
		die(-1, "vhost's features");
	backend_serve(&b, &ops, args[1]);
	return 0;
}
