/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Serves devices of a VM from user space of the MVM, by /dev/shyper alone. Static: any image runs
 * it. All print "passed" at the end.
 *   backend_vm rng TREE PAYLOAD	a source of entropy (tests/guest/virtio_rng.c)
 *   backend_vm die TREE PAYLOAD	the same; its server is killed in the middle
 *   backend_vm net TREE PAYLOAD	a network device, by vhost-net (tests/guest/virtio_net.c)
 *   backend_vm refuse TREE DISK	what the calls must refuse
 * TREE is tests/system/disk_vm.dts.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend.h"

/* --- A source of entropy ---------------------------------------------------------------------- */

#define DIES 1ul	/* feature: will be killed */
#define LAST 7		/* requests until then */

struct desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
};

struct avail {
	uint16_t flags, idx, ring[];
};

struct used {
	uint16_t flags, idx;
	struct {
		uint32_t id, len;
	} ring[];
};

static struct {
	bool running, mortal;
	uint16_t taken[QUEUES];
	uint32_t heard[QUEUES];
	uint8_t round;
} rng;

static void rng_start(struct backend *b)
{
	(void)b;
	rng.running = true;
	memset(rng.taken, 0, sizeof(rng.taken));
}

static void rng_stop(struct backend *b)
{
	(void)b;
	rng.running = false;
}

static void answer(struct backend *b, unsigned int queue, const struct desc *d)
{
	unsigned char *to = host(b, d->addr);

	if (rng.mortal && rng.round == LAST)
		kill(getpid(), SIGKILL);
	if (queue) {
		memcpy(to, rng.heard, sizeof(rng.heard));
		return;
	}
	rng.round++;
	for (uint32_t i = 0; i < d->len; i++)
		to[i] = (unsigned char)(rng.round * 31 + i);
}

static void rng_kicked(struct backend *b, unsigned int queue, unsigned long times)
{
	const struct shyper_device_queue *at = &b->info.queue[queue];
	const struct desc *desc = host(b, at->desc);
	const struct avail *avail = host(b, at->driver);
	struct used *used = host(b, at->device);
	uint64_t one = 1;

	rng.heard[queue] += (uint32_t)times;
	if (!rng.running)
		return;
	while (rng.taken[queue] != __atomic_load_n(&avail->idx, __ATOMIC_ACQUIRE)) {
		uint16_t n = rng.taken[queue]++, head = avail->ring[n % at->num];

		answer(b, queue, &desc[head]);
		used->ring[n % at->num].id = head;
		used->ring[n % at->num].len = desc[head].len;
		__atomic_store_n(&used->idx, rng.taken[queue], __ATOMIC_RELEASE);
	}
	if (write(b->call, &one, sizeof(one)) != sizeof(one))
		die(-1, "interrupt");
}

static int run_rng(char **args, bool mortal)
{
	struct backend_ops ops = {
		.device_id = 4, .features = mortal ? DIES : 0,
		.start = rng_start, .stop = rng_stop, .kicked = rng_kicked,
	};
	struct backend b;

	rng.mortal = mortal;
	backend_make(&b, &ops, args[0]);
	backend_serve(&b, &ops, args[1]);
	return 0;
}

/* The VM goes on without its server, and ends well; and nothing of the server's is in the way. */
static int run_mortal(char **args)
{
	struct shyper_vm_info info;
	pid_t child = fork();
	int status, vm;

	if (!child)
		_exit(run_rng(args, true));
	if (waitpid(child, &status, 0) != child || !WIFSIGNALED(status))
		die(-1, "the server was not killed");
	vm = ioctl(device, SHYPER_OPEN_VM, 1);
	if (vm < 0)
		die(device, "open");
	info = await_end(vm);
	printf("ended: reason %u, code %u\n", info.reason, info.exit_code);
	destroy(vm);
	return 0;
}

/* --- Refusals --------------------------------------------------------------------------------- */

#define REFUSED(fd, call, argument, why) \
	refused(ioctl(fd, call, argument), why, #call " " #argument " " #why)

static struct shyper_vm_device_setup rng_setup(unsigned int number)
{
	return (struct shyper_vm_device_setup){ .device = number, .setup = {
		.device_id = 4, .queues = 2, .queue_size = 64 } };
}

static void refuse_setup(int vm)
{
	struct shyper_vm_device_setup s = rng_setup(SHYPER_DEVICES), nothing = { .device = 1 };

	REFUSED(vm, SHYPER_VM_DEVICE_SETUP, (void *)16, EFAULT);
	REFUSED(vm, SHYPER_VM_DEVICE_SETUP, &s, EINVAL);
	s = rng_setup(0);
	s.reserved = 1;
	REFUSED(vm, SHYPER_VM_DEVICE_SETUP, &s, EINVAL);
	s = rng_setup(7);
	REFUSED(vm, SHYPER_VM_DEVICE_SETUP, &s, ENOENT);
	s = rng_setup(0);
	s.setup.queues = SHYPER_DEVICE_QUEUES + 1;
	REFUSED(vm, SHYPER_VM_DEVICE_SETUP, &s, EINVAL);
	s = rng_setup(0);
	s.setup.queue_size = 65;
	REFUSED(vm, SHYPER_VM_DEVICE_SETUP, &s, EINVAL);
	s = rng_setup(0);
	s.setup.config_size = SHYPER_DEVICE_CONFIG + 1;
	REFUSED(vm, SHYPER_VM_DEVICE_SETUP, &s, EINVAL);
	s = rng_setup(0);
	s.setup.features = 1ul << 40;
	REFUSED(vm, SHYPER_VM_DEVICE_SETUP, &s, EINVAL);
	REFUSED(vm, SHYPER_VM_DEVICE_SETUP, &nothing, ENOENT);
}

/* Whoever has not set a device up has no part in it. */
static void refuse_others(int vm)
{
	struct shyper_vm_device_info i = { .device = 0 };
	int event = eventfd(0, 0);
	struct shyper_ioeventfd io = { .fd = event };
	struct shyper_irqfd irq = { .fd = event };

	REFUSED(vm, SHYPER_VM_DEVICE_INFO, &i, ENOENT);
	REFUSED(vm, SHYPER_VM_DEVICE_RESET_DONE, 0, ENOENT);
	REFUSED(vm, SHYPER_VM_IOEVENTFD, &io, ENOENT);
	REFUSED(vm, SHYPER_VM_IRQFD, &irq, ENOENT);
	close(event);
}

static void refuse_wild(int vm)
{
	struct shyper_vm_device_info i = { .reserved = 1 };

	REFUSED(vm, SHYPER_VM_DEVICE_INFO, (void *)16, EFAULT);
	REFUSED(vm, SHYPER_VM_DEVICE_INFO, &i, EINVAL);
	i = (struct shyper_vm_device_info){ .device = SHYPER_DEVICES };
	REFUSED(vm, SHYPER_VM_DEVICE_INFO, &i, ENOENT);
	REFUSED(vm, SHYPER_VM_DEVICE_RESET_DONE, SHYPER_DEVICES, EINVAL);
	REFUSED(vm, SHYPER_VM_DEVICE_RESET_DONE, -1ul, EINVAL);
	REFUSED(vm, SHYPER_VM_IOEVENTFD, (void *)16, EFAULT);
	REFUSED(vm, SHYPER_VM_IRQFD, (void *)16, EFAULT);
}

static void refuse_ioeventfd(int vm, int event, int other)
{
	struct shyper_ioeventfd io = { .queue = 2, .fd = event };

	REFUSED(vm, SHYPER_VM_IOEVENTFD, &io, EINVAL);
	io = (struct shyper_ioeventfd){ .fd = event, .flags = 2 };
	REFUSED(vm, SHYPER_VM_IOEVENTFD, &io, EINVAL);
	io = (struct shyper_ioeventfd){ .fd = 1000 };
	REFUSED(vm, SHYPER_VM_IOEVENTFD, &io, EBADF);
	io.fd = device;
	REFUSED(vm, SHYPER_VM_IOEVENTFD, &io, EINVAL);
	io = (struct shyper_ioeventfd){ .fd = event, .flags = SHYPER_EVENTFD_DEASSIGN };
	REFUSED(vm, SHYPER_VM_IOEVENTFD, &io, ENOENT);
	io.flags = 0;
	if (ioctl(vm, SHYPER_VM_IOEVENTFD, &io))
		die(vm, "ioeventfd");
	REFUSED(vm, SHYPER_VM_IOEVENTFD, &io, EEXIST);
	io = (struct shyper_ioeventfd){ .fd = other, .flags = SHYPER_EVENTFD_DEASSIGN };
	REFUSED(vm, SHYPER_VM_IOEVENTFD, &io, ENOENT);
	io.fd = event;
	if (ioctl(vm, SHYPER_VM_IOEVENTFD, &io))
		die(vm, "taking an ioeventfd away");
	REFUSED(vm, SHYPER_VM_IOEVENTFD, &io, ENOENT);
}

static void refuse_irqfd(int vm, int event, int other)
{
	struct shyper_irqfd irq = { .fd = event, .flags = 2 };

	REFUSED(vm, SHYPER_VM_IRQFD, &irq, EINVAL);
	irq = (struct shyper_irqfd){ .fd = event, .reserved = 1 };
	REFUSED(vm, SHYPER_VM_IRQFD, &irq, EINVAL);
	irq = (struct shyper_irqfd){ .fd = 1000 };
	REFUSED(vm, SHYPER_VM_IRQFD, &irq, EBADF);
	irq.fd = device;
	REFUSED(vm, SHYPER_VM_IRQFD, &irq, EINVAL);
	irq = (struct shyper_irqfd){ .fd = event, .flags = SHYPER_EVENTFD_DEASSIGN };
	REFUSED(vm, SHYPER_VM_IRQFD, &irq, ENOENT);
	irq.flags = 0;
	if (ioctl(vm, SHYPER_VM_IRQFD, &irq))
		die(vm, "irqfd");
	REFUSED(vm, SHYPER_VM_IRQFD, &irq, EEXIST);
	irq = (struct shyper_irqfd){ .fd = other, .flags = SHYPER_EVENTFD_DEASSIGN };
	REFUSED(vm, SHYPER_VM_IRQFD, &irq, ENOENT);
	irq.fd = event;
	if (ioctl(vm, SHYPER_VM_IRQFD, &irq))
		die(vm, "taking an irqfd away");
	REFUSED(vm, SHYPER_VM_IRQFD, &irq, ENOENT);
}

/* As many as there may be; those whose eventfd is closed make room. */
static void fill_irqfds(int vm)
{
	struct shyper_irqfd irq = { 0 };
	int event[SHYPER_DEVICE_QUEUES + 1], tries = 0;

	for (unsigned int i = 0; i <= SHYPER_DEVICE_QUEUES; i++) {
		event[i] = irq.fd = eventfd(0, 0);
		if (i == SHYPER_DEVICE_QUEUES)
			REFUSED(vm, SHYPER_VM_IRQFD, &irq, ENOSPC);
		else if (ioctl(vm, SHYPER_VM_IRQFD, &irq))
			die(vm, "irqfd");
	}
	close(event[3]);
	while (ioctl(vm, SHYPER_VM_IRQFD, &irq)) {
		if (errno != ENOSPC || ++tries == 1000)
			die(vm, "a closed eventfd is still there");
		usleep(10000);
	}
	for (unsigned int i = 0; i <= SHYPER_DEVICE_QUEUES; i++)
		close(event[i]);
}

static int set_disk(int vm, const char *path)
{
	struct shyper_disk d = { .fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1 };
	int result = ioctl(vm, SHYPER_VM_SET_DISK, &d);

	if (path)
		close(d.fd);
	return result;
}

/* One device, two who want it. */
static void refuse_two(int vm, const char *disk)
{
	struct shyper_vm_device_setup s = rng_setup(0), nothing = { .device = 0 };
	int again = ioctl(device, SHYPER_OPEN_VM, 1);

	REFUSED(vm, SHYPER_VM_DEVICE_SETUP, &s, EBUSY);
	REFUSED(again, SHYPER_VM_DEVICE_SETUP, &s, EBUSY);
	REFUSED(again, SHYPER_VM_DEVICE_SETUP, &nothing, ENOENT);
	refuse_others(again);
	refused(set_disk(vm, disk), EBUSY, "a disk where user space serves");
	refused(set_disk(vm, NULL), ENOENT, "taking away a disk that is none");
	if (ioctl(vm, SHYPER_VM_DEVICE_SETUP, &nothing) || set_disk(vm, disk))
		die(vm, "a disk in its place");
	REFUSED(vm, SHYPER_VM_DEVICE_SETUP, &s, EBUSY);
	REFUSED(vm, SHYPER_VM_DEVICE_SETUP, &nothing, ENOENT);
	if (set_disk(vm, NULL) || ioctl(again, SHYPER_VM_DEVICE_SETUP, &s))
		die(again, "the device for another descriptor");
	close(again);	/* and it is nobody's */
	if (ioctl(vm, SHYPER_VM_DEVICE_SETUP, &s))
		die(vm, "the device of a closed descriptor");
}

/* A program that does nothing: j 0. */
static void refuse_running(int vm)
{
	struct shyper_vm_device_setup s = rng_setup(1), nothing = { .device = 0 };
	struct shyper_vm_device_info i = { .device = 0 };
	static const uint32_t spin = 0x0000006f;
	struct shyper_boot b = { .entry = RAM + KERNEL, .fdt = RAM + FDT };
	struct pollfd p = { .fd = vm, .events = POLLIN };
	FILE *file = fopen("/tmp/spin", "w");

	if (!file || fwrite(&spin, sizeof(spin), 1, file) != 1 || fclose(file))
		die(-1, "/tmp/spin");
	load(vm, "/tmp/spin", KERNEL);
	boot(vm, 0);
	REFUSED(vm, SHYPER_VM_DEVICE_SETUP, &s, EBUSY);
	REFUSED(vm, SHYPER_VM_DEVICE_SETUP, &nothing, EBUSY);
	if (ioctl(vm, SHYPER_VM_DEVICE_INFO, &i) || i.info.status || i.info.resetting)
		die(vm, "the device is not untouched");
	if (ioctl(vm, SHYPER_VM_STOP) || poll(&p, 1, 10000) != 1)
		die(vm, "stop");
	/* Nobody has let go of its memory yet. */
	for (int tries = 0; !i.info.resetting && tries < 1000; tries++) {
		usleep(10000);
		if (ioctl(vm, SHYPER_VM_DEVICE_INFO, &i))
			die(vm, "info");
	}
	alarm(1);
	refused(ioctl(vm, SHYPER_VM_BOOT, &b), EINTR, "a boot before its back-end has let go");
	if (!i.info.resetting || ioctl(vm, SHYPER_VM_DEVICE_RESET_DONE, 0))
		die(vm, "reset done");
	await_end(vm);
}

static void nothing_to_do(int signal)
{
	(void)signal;
}

static int refuse(char **args)
{
	struct sigaction action = { .sa_handler = nothing_to_do };
	int vm = create(args[0]), event = eventfd(0, 0), other = eventfd(0, 0);
	struct shyper_vm_device_setup s = rng_setup(0);
	struct shyper_vm_device_info i = { .device = 0 };

	sigaction(SIGALRM, &action, NULL);
	refuse_setup(vm);
	refuse_others(vm);
	if (ioctl(vm, SHYPER_VM_DEVICE_SETUP, &s))
		die(vm, "setup");
	refuse_wild(vm);
	refuse_ioeventfd(vm, event, other);
	refuse_irqfd(vm, event, other);
	fill_irqfds(vm);
	refuse_two(vm, args[1]);
	refuse_running(vm);
	destroy(vm);
	REFUSED(vm, SHYPER_VM_DEVICE_INFO, &i, ENODEV);
	REFUSED(vm, SHYPER_VM_DEVICE_SETUP, &s, ENODEV);
	return failures != 0;
}

int main(int argc, char **argv)
{
	int result = 2;

	if (argc != 4)
		return result;
	open_device();
	if (!strcmp(argv[1], "rng"))
		result = run_rng(argv + 2, false);
	else if (!strcmp(argv[1], "die"))
		result = run_mortal(argv + 2);
	else if (!strcmp(argv[1], "net"))
		result = backend_net(argv + 2);
	else if (!strcmp(argv[1], "refuse"))
		result = refuse(argv + 2);
	puts(result ? "failed" : "passed");
	return result;
}
