/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Serving devices with vhost. We only follow what the driver makes of a device: its doorbells are
 * eventfds that vhost reads, and the one that vhost writes interrupts the guest. The guest's
 * memory is mapped while a driver uses a device, since a VM whose memory is mapped cannot be
 * removed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/vhost.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "vhost_unit.h"

#define DRIVER_OK 4U

int vhost_fail(struct vhost_server *v, const char *what)
{
	return error_set(&v->s->error, "%s: %s", what, strerror(errno));
}

int vhost_patient(int fd, unsigned long call, const void *argument, int wait)
{
	int64_t end = clock_ms() + VHOST_BUSY_MS;
	int result;

	while ((result = ioctl(fd, call, argument)) < 0 && errno == wait && clock_ms() < end)
		usleep(50000);
	return result;
}

/* ---- Memory ---- */

static void unmap_ram(struct vhost_server *v)
{
	for (uint32_t i = 0; i < v->def->rams; i++) {
		if (v->ram[i])
			munmap(v->ram[i], v->def->ram[i].size);
		v->ram[i] = NULL;
	}
}

static int map_ram(struct vhost_server *v)
{
	for (uint32_t i = 0; i < v->def->rams; i++) {
		const struct def_range *range = &v->def->ram[i];

		if (v->ram[i])
			continue;
		v->ram[i] = device.map(v->vm->fd, range->base - v->def->ram[0].base, range->size);
		if (!v->ram[i])
			return vhost_fail(v, "the guest's memory");
	}
	return 0;
}

static int set_memory(struct vhost_server *v, int vhost)
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
	return ioctl(vhost, VHOST_SET_MEM_TABLE, &table) ? vhost_fail(v, "vhost: memory") : 0;
}

/* ---- A driver begins, and ends ---- */

static int start_queue(struct vhost_server *v, const struct vhost_unit *u, uint32_t n,
		       const struct shyper_device_info *info)
{
	struct vhost_vring_state num = { n, info->queue[n].num }, base = { n, 0 };
	struct vhost_vring_file kick = { n, u->kick[n] }, call = { n, u->call };
	/* With the words of the event index. */
	struct vhost_vring_addr at = {
		.index = n,
		.desc_user_addr = vhost_address(v, info->queue[n].desc, 16 * num.num),
		.avail_user_addr = vhost_address(v, info->queue[n].driver, 6 + 2 * num.num),
		.used_user_addr = vhost_address(v, info->queue[n].device, 6 + 8 * num.num),
	};

	if (!at.desc_user_addr || !at.avail_user_addr || !at.used_user_addr)
		return error_set(&v->s->error, "queue %u is not within one range of RAM", n);
	if (ioctl(u->vhost, VHOST_SET_VRING_NUM, &num) ||
	    ioctl(u->vhost, VHOST_SET_VRING_BASE, &base) ||
	    ioctl(u->vhost, VHOST_SET_VRING_ADDR, &at) ||
	    ioctl(u->vhost, VHOST_SET_VRING_KICK, &kick) ||
	    ioctl(u->vhost, VHOST_SET_VRING_CALL, &call))
		return vhost_fail(v, "vhost: a queue");
	return 0;
}

/* A doorbell may have rung before vhost ran, which does not look into its queues by itself. */
static void ring_all(const struct vhost_unit *u)
{
	for (uint32_t n = 0; n < VHOST_QUEUES; n++)
		eventfd_write(u->kick[n], 1);
}

static int start(struct vhost_server *v, struct vhost_unit *u,
		 const struct shyper_device_info *info)
{
	uint64_t features = info->features & u->kind->features;

	if (map_ram(v))
		return -1;
	if (ioctl(u->vhost, VHOST_SET_FEATURES, &features))
		return vhost_fail(v, "vhost: features");
	if (set_memory(v, u->vhost))
		return -1;
	for (uint32_t n = 0; n < VHOST_QUEUES; n++)
		if (start_queue(v, u, n, info))
			return -1;
	if (u->kind->run(u, info->features))
		return vhost_fail(v, "vhost");
	ring_all(u);
	u->started = true;
	return 0;
}

/* On return vhost has let go of the guest's memory. */
static void stop(struct vhost_server *v, struct vhost_unit *u)
{
	bool used = false;

	u->kind->halt(u);
	u->started = false;
	for (uint32_t i = 0; i < v->units; i++)
		used |= v->unit[i].started;
	if (!used)
		unmap_ram(v);
}

/* A guest can bring this about as often as it likes: the log hears of it once for each device. */
static void complain(const struct vhost_server *v, struct vhost_unit *u)
{
	if (!u->complained)
		fprintf(stderr, "shyper: VM %u, device %u: %s\n", v->vm->id, u->device,
			v->s->error.text);
	u->complained = true;
}

static int follow(struct vhost_server *v, struct vhost_unit *u)
{
	struct shyper_vm_device_info ask = { .device = u->device };
	const struct shyper_device_info *info = &ask.info;
	bool ready;

	if (ioctl(v->vm->fd, SHYPER_VM_DEVICE_INFO, &ask))
		return vhost_fail(v, "the device");
	ready = (info->status & DRIVER_OK) && !info->resetting && info->queue[0].ready &&
		info->queue[1].ready;
	if (u->started && !ready)
		stop(v, u);
	/* Queues that vhost refuses are the driver's fault: its device is dead, others go on. */
	if (!u->started && ready && start(v, u, info)) {
		complain(v, u);
		stop(v, u);
	}
	if (info->resetting && ioctl(v->vm->fd, SHYPER_VM_DEVICE_RESET_DONE, u->device))
		return vhost_fail(v, "the device's reset");
	return 0;
}

/* ---- Making a device ---- */

static int connect_events(struct vhost_server *v, struct vhost_unit *u)
{
	struct shyper_irqfd irq = { .device = u->device };

	for (uint32_t n = 0; n < VHOST_QUEUES; n++) {
		struct shyper_ioeventfd io = { .device = u->device, .queue = n };

		u->kick[n] = io.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (io.fd < 0 || ioctl(v->vm->fd, SHYPER_VM_IOEVENTFD, &io))
			return vhost_fail(v, "a doorbell");
	}
	u->call = irq.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return irq.fd < 0 || ioctl(v->vm->fd, SHYPER_VM_IRQFD, &irq) ?
	       vhost_fail(v, "interrupts") : 0;
}

/* They are modules of Debian's kernel; where they are built in, there is nothing to load. */
static void load_module(const char *name)
{
	char *words[] = { "modprobe", "-q", (char *)(uintptr_t)name, NULL };
	extern char **environ;
	pid_t pid;

	if (!posix_spawnp(&pid, words[0], NULL, NULL, words, environ))
		waitpid(pid, NULL, 0);
}

static int open_vhost(struct vhost_server *v, struct vhost_unit *u)
{
	uint64_t offered;
	char path[32];

	load_module(u->kind->module);
	snprintf(path, sizeof(path), "/dev/%s", u->kind->file);
	u->vhost = open(path, O_RDWR | O_CLOEXEC);
	if (u->vhost < 0 || ioctl(u->vhost, VHOST_SET_OWNER))
		return vhost_fail(v, path);
	if (ioctl(u->vhost, VHOST_GET_FEATURES, &offered) || u->kind->features & ~offered)
		return error_set(&v->s->error, "%s: the kernel's is too old", path);
	return 0;
}

/* The device first: only whoever has it makes what others see, like a tap. */
static int make(struct vhost_server *v, struct vhost_unit unit)
{
	struct vhost_unit *u = &v->unit[v->units];
	struct shyper_vm_device_setup ask = { .device = v->def->disks + v->units };

	*u = unit;
	u->device = ask.device;
	v->units++;
	u->kind->describe(v, u, &ask.setup);
	if (vhost_patient(v->vm->fd, SHYPER_VM_DEVICE_SETUP, &ask, EBUSY))
		return vhost_fail(v, "the device");
	return open_vhost(v, u) || u->kind->prepare(v, u) || connect_events(v, u) ? -1 : 0;
}

static int make_all(struct vhost_server *v)
{
	const struct def *def = v->def;

	for (uint32_t i = 0; i < def->nics; i++) {
		const struct def_nic *nic = &def->nic[i];

		if (nic->vhost && make(v, (struct vhost_unit){ .kind = &vhost_net, .number = i,
							       .nic = nic }))
			return -1;
	}
	return def->vsock ? make(v, (struct vhost_unit){ .kind = &vhost_vsock,
							 .cid = def_cid(def, v->vm->id) }) : 0;
}

/* ---- While the VM runs ---- */

/* Has it run, and ended? 1: yes, 0: no, -1: the error is set. */
static int has_ended(struct vhost_server *v)
{
	struct shyper_vm_info info;
	int err = device.info(v->vm->fd, &info);

	if (err < 0)
		return error_set(&v->s->error, "VM %u: %s", v->vm->id, strerror(-err));
	return info.state == SHYPER_VM_ENDED && info.boots != v->vm->info.boots;
}

int vhost_serve(struct session *s, const struct session_vm *vm, const struct def *def)
{
	struct vhost_server v = { .s = s, .vm = vm, .def = def };
	struct pollfd p = { .fd = vm->fd, .events = POLLIN | POLLPRI };
	int ended = 0;

	if (make_all(&v))
		return -1;
	printf("ready\n");
	fflush(stdout);
	dup2(STDERR_FILENO, STDOUT_FILENO);	/* nobody hears us any more */
	while (!ended) {
		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			return vhost_fail(&v, "poll");
		for (uint32_t i = 0; i < v.units && (p.revents & POLLIN); i++)
			if (follow(&v, &v.unit[i]))
				return -1;
		if (p.revents & (POLLHUP | POLLERR | POLLNVAL))
			return 0;
		if (p.revents & POLLPRI)
			ended = has_ended(&v);
	}
	return ended < 0 ? -1 : 0;
}
