/* SPDX-License-Identifier: BSD-2-Clause */
/* Serving a device from user space. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "backend.h"

#define RAM_SIZE (256ul << 20)
#define DRIVER_OK 4

static void set_up(struct backend *b, const struct backend_ops *ops)
{
	struct shyper_vm_device_setup s = { .setup = {
		.device_id = ops->device_id, .queues = QUEUES, .queue_size = ENTRIES,
		.config_size = ops->config_size, .features = ops->features,
	} };

	if (ops->config_size)
		memcpy(s.setup.config, ops->config, ops->config_size);
	if (ioctl(b->vm, SHYPER_VM_DEVICE_SETUP, &s))
		die(b->vm, "device setup");
}

static void join(struct backend *b)
{
	struct shyper_irqfd irq = { .fd = b->call };

	for (unsigned int n = 0; n < QUEUES; n++) {
		struct shyper_ioeventfd io = { .queue = n, .fd = b->kick[n] };

		if (ioctl(b->vm, SHYPER_VM_IOEVENTFD, &io))
			die(b->vm, "ioeventfd");
	}
	if (ioctl(b->vm, SHYPER_VM_IRQFD, &irq))
		die(b->vm, "irqfd");
}

void backend_make(struct backend *b, const struct backend_ops *ops, const char *tree)
{
	b->vm = create(tree);
	b->ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, b->vm, 0);
	if (b->ram == MAP_FAILED)
		die(b->vm, "mmap");
	for (unsigned int n = 0; n < QUEUES; n++)
		b->kick[n] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	b->call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	set_up(b, ops);
	join(b);
}

/* Look what the driver has made of the device, and follow. */
static void follow(struct backend *b, const struct backend_ops *ops, bool *started)
{
	struct shyper_vm_device_info i = { 0 };
	bool ready;

	if (ioctl(b->vm, SHYPER_VM_DEVICE_INFO, &i))
		die(b->vm, "device info");
	b->info = i.info;
	ready = (i.info.status & DRIVER_OK) && !i.info.resetting && i.info.queue[0].ready &&
		i.info.queue[1].ready;
	if (*started && !ready)
		ops->stop(b);
	if (!*started && ready)
		ops->start(b);
	*started = ready;
	if (i.info.resetting && ioctl(b->vm, SHYPER_VM_DEVICE_RESET_DONE, 0))
		die(b->vm, "reset done");
}

static bool ended(struct backend *b)
{
	struct shyper_vm_info info;

	if (ioctl(b->vm, SHYPER_VM_INFO, &info))
		die(b->vm, "info");
	if (info.state == SHYPER_VM_ENDED)
		printf("ended: reason %u, code %u\n", info.reason, info.exit_code);
	return info.state == SHYPER_VM_ENDED;
}

static void kicked(struct backend *b, const struct backend_ops *ops, unsigned int queue)
{
	uint64_t times;

	if (read(b->kick[queue], &times, sizeof(times)) == sizeof(times))
		ops->kicked(b, queue, times);
}

void backend_serve(struct backend *b, const struct backend_ops *ops, const char *payload)
{
	struct pollfd p[] = {
		{ .fd = b->vm, .events = POLLIN | POLLPRI },
		{ .fd = ops->kicked ? b->kick[0] : -1, .events = POLLIN },
		{ .fd = ops->kicked ? b->kick[1] : -1, .events = POLLIN },
	};
	bool started = false;

	load(b->vm, payload, KERNEL);
	boot(b->vm, 0);
	do {
		if (poll(p, 3, -1) < 0)
			die(-1, "poll");
		if (p[0].revents & POLLIN)
			follow(b, ops, &started);
		for (unsigned int n = 0; n < QUEUES; n++)
			if (p[1 + n].revents)
				kicked(b, ops, n);
	} while (!(p[0].revents & POLLPRI) || !ended(b));
	if (started) {
		printf("FAILED: the guest has ended, and the device was not told\n");
		exit(1);
	}
	munmap(b->ram, RAM_SIZE);
	destroy(b->vm);
	close(b->vm);
}
