/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Serving network cards with vhost-net. We only follow what the driver makes of a device: its
 * doorbells are eventfds that vhost reads, and the one that vhost writes interrupts the guest.
 * The guest's memory is mapped while a driver uses a card, since a VM whose memory is mapped
 * cannot be removed.
 */
#define _GNU_SOURCE
#include "vhost.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <linux/vhost.h>
#include <net/if.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"

#define QUEUES 2U
#define ENTRIES 256U
#define HEADER 12		/* bytes before each frame: virtio 1.2, section 5.1.6 */
#define VIRTIO_ID_NET 1
#define DRIVER_OK 4U
#define BUSY_MS 5000		/* for which the process of the run before may take to go */

/* Features of virtio-net: section 5.1.3; those of the rings: section 6. */
#define F_CSUM (UINT64_C(1) << 0)
#define F_GUEST_CSUM (UINT64_C(1) << 1)
#define F_MTU (UINT64_C(1) << 3)
#define F_MAC (UINT64_C(1) << 5)
#define F_GUEST_TSO4 (UINT64_C(1) << 7)
#define F_GUEST_TSO6 (UINT64_C(1) << 8)
#define F_HOST_TSO4 (UINT64_C(1) << 11)
#define F_HOST_TSO6 (UINT64_C(1) << 12)
#define F_MRG_RXBUF (UINT64_C(1) << 15)
#define F_INDIRECT_DESC (UINT64_C(1) << 28)
#define F_EVENT_IDX (UINT64_C(1) << 29)
#define F_VERSION_1 (UINT64_C(1) << 32)
#define VHOST_FEATURES (F_MRG_RXBUF | F_INDIRECT_DESC | F_EVENT_IDX | F_VERSION_1)
#define TAP_FEATURES (F_CSUM | F_GUEST_CSUM | F_GUEST_TSO4 | F_GUEST_TSO6 | F_HOST_TSO4 | \
		      F_HOST_TSO6)

struct card {
	uint32_t number;	/* among the VM's cards */
	uint32_t device;	/* among the VM's devices */
	const struct def_nic *nic;
	int tap;
	int vhost;
	int kick[QUEUES];
	int call;
	bool started;
};

struct server {
	struct session *s;
	const struct session_vm *vm;
	const struct def *def;
	uint8_t *ram[DEF_RAM];	/* by the definition's ranges; NULL: not mapped */
	uint32_t cards;
	struct card card[DEF_NICS];
};

static int fail(struct server *v, const char *what)
{
	return error_set(&v->s->error, "%s: %s", what, strerror(errno));
}

void vhost_tap(char name[DEF_BRIDGE], uint32_t vm, uint32_t card)
{
	snprintf(name, DEF_BRIDGE, "vm%u-%u", vm % 1000, card % 1000);
}

/* ---- Memory ---- */

static void unmap_ram(struct server *v)
{
	for (uint32_t i = 0; i < v->def->rams; i++) {
		if (v->ram[i])
			munmap(v->ram[i], v->def->ram[i].size);
		v->ram[i] = NULL;
	}
}

static int map_ram(struct server *v)
{
	for (uint32_t i = 0; i < v->def->rams; i++) {
		const struct def_range *range = &v->def->ram[i];

		if (v->ram[i])
			continue;
		v->ram[i] = device.map(v->vm->fd, range->base - v->def->ram[0].base, range->size);
		if (!v->ram[i])
			return fail(v, "the guest's memory");
	}
	return 0;
}

static int set_memory(struct server *v, int vhost)
{
	struct {
		struct vhost_memory head;
		struct vhost_memory_region region[DEF_RAM];
	} table = { .head.nregions = v->def->rams };

	for (uint32_t i = 0; i < v->def->rams; i++)
		table.region[i] = (struct vhost_memory_region){
			.guest_phys_addr = v->def->ram[i].base,
			.memory_size = v->def->ram[i].size,
			.userspace_addr = (uintptr_t)v->ram[i],
		};
	return ioctl(vhost, VHOST_SET_MEM_TABLE, &table) ? fail(v, "vhost: memory") : 0;
}

/* Shyper has found that the rings are in RAM; what is not is address 0, which vhost refuses. */
static uint64_t address(const struct server *v, uint64_t gpa)
{
	for (uint32_t i = 0; i < v->def->rams; i++)
		if (gpa - v->def->ram[i].base < v->def->ram[i].size)
			return (uintptr_t)v->ram[i] + (gpa - v->def->ram[i].base);
	return 0;
}

/* ---- A driver begins, and ends ---- */

static int set_backend(const struct card *c, uint32_t queue, int fd)
{
	struct vhost_vring_file file = { .index = queue, .fd = fd };

	return ioctl(c->vhost, VHOST_NET_SET_BACKEND, &file);
}

static int start_queue(struct server *v, const struct card *c, uint32_t n,
		       const struct shyper_device_info *info)
{
	struct vhost_vring_state num = { n, info->queue[n].num }, base = { n, 0 };
	struct vhost_vring_file kick = { n, c->kick[n] }, call = { n, c->call };
	struct vhost_vring_addr at = {
		.index = n,
		.desc_user_addr = address(v, info->queue[n].desc),
		.avail_user_addr = address(v, info->queue[n].driver),
		.used_user_addr = address(v, info->queue[n].device),
	};

	if (ioctl(c->vhost, VHOST_SET_VRING_NUM, &num) ||
	    ioctl(c->vhost, VHOST_SET_VRING_BASE, &base) ||
	    ioctl(c->vhost, VHOST_SET_VRING_ADDR, &at) ||
	    ioctl(c->vhost, VHOST_SET_VRING_KICK, &kick) ||
	    ioctl(c->vhost, VHOST_SET_VRING_CALL, &call) || set_backend(c, n, c->tap))
		return fail(v, "vhost: a queue");
	return 0;
}

/* What the tap may leave to the guest; what the guest leaves to it, it takes always. */
static unsigned int offloads(uint64_t features)
{
	return !(features & F_GUEST_CSUM) ? 0 :
	       TUN_F_CSUM | (features & F_GUEST_TSO4 ? TUN_F_TSO4 : 0) |
	       (features & F_GUEST_TSO6 ? TUN_F_TSO6 : 0);
}

static int start(struct server *v, struct card *c, const struct shyper_device_info *info)
{
	uint64_t features = info->features & VHOST_FEATURES;

	if (map_ram(v))
		return -1;
	if (ioctl(c->tap, TUNSETOFFLOAD, offloads(info->features)))
		return fail(v, "the tap's offloads");
	if (ioctl(c->vhost, VHOST_SET_FEATURES, &features))
		return fail(v, "vhost: features");
	if (set_memory(v, c->vhost))
		return -1;
	for (uint32_t n = 0; n < QUEUES; n++)
		if (start_queue(v, c, n, info))
			return -1;
	c->started = true;
	return 0;
}

/* On return vhost has let go of the guest's memory. */
static void stop(struct server *v, struct card *c)
{
	bool used = false;

	for (uint32_t n = 0; n < QUEUES; n++)
		set_backend(c, n, -1);
	c->started = false;
	for (uint32_t i = 0; i < v->cards; i++)
		used |= v->card[i].started;
	if (!used)
		unmap_ram(v);
}

static int follow(struct server *v, struct card *c)
{
	struct shyper_vm_device_info ask = { .device = c->device };
	const struct shyper_device_info *info = &ask.info;
	bool ready;

	if (ioctl(v->vm->fd, SHYPER_VM_DEVICE_INFO, &ask))
		return fail(v, "the device");
	ready = (info->status & DRIVER_OK) && !info->resetting && info->queue[0].ready &&
		info->queue[1].ready;
	if (c->started && !ready)
		stop(v, c);
	/* Queues that vhost refuses are the driver's fault: its card is dead, others go on. */
	if (!c->started && ready && start(v, c, info)) {
		fprintf(stderr, "shyper: VM %u, card %u: %s\n", v->vm->id, c->number,
			v->s->error.text);
		stop(v, c);
	}
	if (info->resetting && ioctl(v->vm->fd, SHYPER_VM_DEVICE_RESET_DONE, c->device))
		return fail(v, "the device's reset");
	return 0;
}

/* ---- Making a card ---- */

/* An address for a card that names none: the same at every start, and another for each name. */
static void choose_mac(const struct server *v, const struct card *c, uint8_t mac[6])
{
	uint32_t hash = 2166136261u;	/* FNV-1a */

	if (def_mac_possible(c->nic->mac)) {
		memcpy(mac, c->nic->mac, 6);
		return;
	}
	for (const char *at = v->def->name; *at; at++)
		hash = (hash ^ (uint8_t)*at) * 16777619u;
	hash = (hash ^ c->number) * 16777619u;
	memcpy(mac, (uint8_t[]){ 0x52, 0x49, (uint8_t)(hash >> 24), (uint8_t)(hash >> 16),
				 (uint8_t)(hash >> 8), (uint8_t)hash }, 6);
}

static int set_up(struct server *v, const struct card *c)
{
	uint64_t mtu = c->nic->mtu ? F_MTU : 0;
	struct shyper_vm_device_setup ask = { .device = c->device, .setup = {
		.device_id = VIRTIO_ID_NET, .queues = QUEUES, .queue_size = ENTRIES,
		.config_size = 12,
		.features = (VHOST_FEATURES & ~F_VERSION_1) | TAP_FEATURES | F_MAC | mtu,
	} };
	int64_t end = clock_ms() + BUSY_MS;

	choose_mac(v, c, ask.setup.config);
	ask.setup.config[10] = (uint8_t)c->nic->mtu;	/* behind status and number of pairs */
	ask.setup.config[11] = (uint8_t)(c->nic->mtu >> 8);
	while (ioctl(v->vm->fd, SHYPER_VM_DEVICE_SETUP, &ask)) {
		if (errno != EBUSY || clock_ms() > end)
			return fail(v, "the device");
		usleep(50000);
	}
	return 0;
}

static int connect_events(struct server *v, struct card *c)
{
	struct shyper_irqfd irq = { .device = c->device };

	for (uint32_t n = 0; n < QUEUES; n++) {
		struct shyper_ioeventfd io = { .device = c->device, .queue = n };

		c->kick[n] = io.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (io.fd < 0 || ioctl(v->vm->fd, SHYPER_VM_IOEVENTFD, &io))
			return fail(v, "a doorbell");
	}
	c->call = irq.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return irq.fd < 0 || ioctl(v->vm->fd, SHYPER_VM_IRQFD, &irq) ? fail(v, "interrupts") : 0;
}

static int configure(struct server *v, const struct card *c, struct ifreq *r)
{
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0;
	struct ifreq bridge = { .ifr_ifindex = (int)if_nametoindex(r->ifr_name) };
	struct ifreq mtu = *r;

	strcpy(bridge.ifr_name, c->nic->bridge);
	mtu.ifr_mtu = (int)c->nic->mtu;
	if (mtu.ifr_mtu && ioctl(s, SIOCSIFMTU, &mtu))
		err = fail(v, "\"mtu\"");
	if (!err && c->nic->bridge[0] && ioctl(s, SIOCBRADDIF, &bridge))
		err = error_set(&v->s->error, "bridge \"%s\": %s", c->nic->bridge,
				errno == ENODEV || errno == EOPNOTSUPP ?
				"there is none; ip link add NAME type bridge makes one" :
				strerror(errno));
	r->ifr_flags = IFF_UP;
	if (!err && ioctl(s, SIOCSIFFLAGS, r))
		err = fail(v, r->ifr_name);
	close(s);
	return err;
}

/* It goes away with us. */
static int open_tap(struct server *v, struct card *c)
{
	struct ifreq r = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int header = HEADER;

	vhost_tap(r.ifr_name, v->vm->id, c->number);
	c->tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (c->tap < 0 || ioctl(c->tap, TUNSETIFF, &r))
		return fail(v, "a tap");
	if (ioctl(c->tap, TUNSETVNETHDRSZ, &header))
		return fail(v, "the tap's header");
	return configure(v, c, &r);
}

static int open_vhost(struct server *v, struct card *c)
{
	uint64_t offered;

	c->vhost = open("/dev/vhost-net", O_RDWR | O_CLOEXEC);
	if (c->vhost < 0 || ioctl(c->vhost, VHOST_SET_OWNER))
		return fail(v, "/dev/vhost-net");
	if (ioctl(c->vhost, VHOST_GET_FEATURES, &offered) ||
	    (offered & VHOST_FEATURES) != VHOST_FEATURES)
		return error_set(&v->s->error, "/dev/vhost-net: the kernel's is too old");
	return 0;
}

/* Both are modules of Debian's kernel; where they are built in, there is nothing to load. */
static void load_modules(void)
{
	char *words[] = { "modprobe", "-qa", "tun", "vhost_net", NULL };
	extern char **environ;
	pid_t pid;

	if (!posix_spawnp(&pid, words[0], NULL, NULL, words, environ))
		waitpid(pid, NULL, 0);
}

static int make_cards(struct server *v)
{
	for (uint32_t i = 0; i < v->def->nics; i++) {
		struct card *c = &v->card[v->cards];

		if (!v->def->nic[i].vhost)
			continue;
		*c = (struct card){ .number = i, .device = v->def->disks + v->cards,
				    .nic = &v->def->nic[i] };
		v->cards++;
		/* The device first: only whoever has it makes the tap. */
		if (set_up(v, c) || open_vhost(v, c) || open_tap(v, c) || connect_events(v, c))
			return -1;
	}
	return 0;
}

/* ---- While the VM runs ---- */

/* Has it run, and ended? 1: yes, 0: no, -1: the error is set. */
static int has_ended(struct server *v)
{
	struct shyper_vm_info info;
	int err = device.info(v->vm->fd, &info);

	if (err < 0)
		return error_set(&v->s->error, "VM %u: %s", v->vm->id, strerror(-err));
	return info.state == SHYPER_VM_ENDED && info.boots != v->vm->info.boots;
}

int vhost_serve(struct session *s, const struct session_vm *vm, const struct def *def)
{
	struct server v = { .s = s, .vm = vm, .def = def };
	struct pollfd p = { .fd = vm->fd, .events = POLLIN | POLLPRI };
	int ended = 0;

	load_modules();
	if (make_cards(&v))
		return -1;
	printf("ready\n");
	fflush(stdout);
	dup2(STDERR_FILENO, STDOUT_FILENO);	/* nobody hears us any more */
	while (!ended) {
		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			return fail(&v, "poll");
		for (uint32_t i = 0; i < v.cards && (p.revents & POLLIN); i++)
			if (follow(&v, &v.card[i]))
				return -1;
		if (p.revents & (POLLHUP | POLLERR | POLLNVAL))
			return 0;
		if (p.revents & POLLPRI)
			ended = has_ended(&v);
	}
	return ended < 0 ? -1 : 0;
}
