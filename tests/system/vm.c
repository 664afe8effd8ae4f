/* SPDX-License-Identifier: BSD-2-Clause */
/* VMs by /dev/shyper. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vm.h"

int device, failures;

void open_device(void)
{
	setbuf(stdout, NULL);
	device = open("/dev/shyper", O_RDWR | O_CLOEXEC);
	if (device < 0)
		die(-1, "/dev/shyper");
}

static const char *reason(int fd)
{
	static char text[512];
	struct shyper_text t = { .buffer = (unsigned long)text, .size = sizeof(text) - 1 };

	if (ioctl(fd, SHYPER_REASON, &t))
		t.size = 0;
	text[t.size] = '\0';
	return text;
}

void die(int fd, const char *what)
{
	int err = errno;

	printf("%s: %s: %s\n", what, strerror(err), fd < 0 ? "" : reason(fd));
	exit(1);
}

void refused(long result, int why, const char *what)
{
	if (result == -1 && errno == why)
		return;
	printf("FAILED: %s: %ld, errno %d, not %d\n", what, result, errno, why);
	failures++;
}

void *contents(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *at;

	if (fd < 0)
		die(-1, path);
	*size = (size_t)lseek(fd, 0, SEEK_END);
	at = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED)
		die(-1, path);
	close(fd);
	return at;
}

int create_as(const char *path, char letter)
{
	size_t size;
	char *tree = contents(path, &size), *name = memmem(tree, size, "disk-vm", 8);
	struct shyper_create c = { .tree = (unsigned long)tree, .size = (unsigned int)size };
	int vm;

	name[6] = letter;
	vm = ioctl(device, SHYPER_CREATE_VM, &c);
	if (vm < 0)
		die(device, "create");
	printf("vm %u\n", c.id);
	return vm;
}

int create(const char *path)
{
	return create_as(path, 'm');
}

size_t load(int vm, const char *path, off_t offset)
{
	size_t size;
	void *from = contents(path, &size);
	void *to = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vm, offset);

	if (to == MAP_FAILED)
		die(vm, "mmap");
	memcpy(to, from, size);
	munmap(to, size);
	munmap(from, size);
	return size;
}

void boot(int vm, size_t initrd_size)
{
	struct shyper_boot b = { .entry = RAM + KERNEL, .initrd = RAM + INITRD,
				 .initrd_size = initrd_size, .fdt = RAM + FDT };

	if (ioctl(vm, SHYPER_VM_BOOT, &b))
		die(vm, "boot");
}

struct shyper_vm_info await_end(int vm)
{
	struct shyper_vm_info info;
	struct pollfd p = { .fd = vm, .events = POLLPRI };

	for (;;) {
		if (ioctl(vm, SHYPER_VM_INFO, &info))
			die(vm, "info");
		if (info.state == SHYPER_VM_ENDED)
			return info;
		if (poll(&p, 1, -1) < 0)
			die(-1, "poll");
	}
}

void destroy(int vm)
{
	if (ioctl(vm, SHYPER_VM_DESTROY))
		die(vm, "destroy");
}
