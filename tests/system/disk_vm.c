/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs one VM with disks inside the MVM, by /dev/shyper alone. Static: any image runs it.
 *   disk_vm run TREE IMAGE INITRD [ro:]DISK…	boot, wait for its end, destroy; prints how it ended
 *   disk_vm stop ID				end VM ID at once
 *   disk_vm refuse TREE DISK			what SHYPER_VM_SET_DISK must refuse; "passed"
 * TREE is a compiled definition tree with RAM of at least 256 MiB at 0x80000000.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <abi/shyper.h>

#define RAM 0x80000000ul
#define KERNEL 0x00200000ul	/* offsets */
#define INITRD 0x08000000ul
#define FDT 0x0f000000ul

static int device;

static const char *reason(int fd)
{
	static char text[512];
	struct shyper_text t = { .buffer = (unsigned long)text, .size = sizeof(text) - 1 };

	if (ioctl(fd, SHYPER_REASON, &t))
		t.size = 0;
	text[t.size] = '\0';
	return text;
}

static void die(int fd, const char *what)
{
	int err = errno;

	printf("%s: %s: %s\n", what, strerror(err), fd < 0 ? "" : reason(fd));
	exit(1);
}

static void *contents(const char *path, size_t *size)
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

/* Names are unique: the last letter of this one's is given. */
static int create_as(const char *path, char letter)
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

static int create(const char *path)
{
	return create_as(path, 'm');
}

static size_t load(int vm, const char *path, off_t offset)
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

static int set(int vm, unsigned int n, const char *path, unsigned int flags)
{
	struct shyper_disk d = { .device = n, .flags = flags };
	int result;

	d.fd = open(path, (flags & SHYPER_DISK_READONLY ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	if (d.fd < 0)
		die(-1, path);
	snprintf(d.serial, sizeof(d.serial), "serial-%u", n);
	result = ioctl(vm, SHYPER_VM_SET_DISK, &d);
	close(d.fd);
	return result;
}

static void set_disks(int vm, char **disks)
{
	for (unsigned int n = 0; disks[n]; n++) {
		int readonly = !strncmp(disks[n], "ro:", 3);

		if (set(vm, n, disks[n] + 3 * readonly, readonly ? SHYPER_DISK_READONLY : 0))
			die(vm, disks[n]);
	}
}

static struct shyper_vm_info await_end(int vm)
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

static int run(char **args)
{
	int vm = create(args[0]);
	struct shyper_boot b = { .entry = RAM + KERNEL, .initrd = RAM + INITRD, .fdt = RAM + FDT };
	struct shyper_vm_info info;

	set_disks(vm, args + 3);
	do {
		load(vm, args[1], KERNEL);
		b.initrd_size = load(vm, args[2], INITRD);
		if (ioctl(vm, SHYPER_VM_BOOT, &b))
			die(vm, "boot");
		info = await_end(vm);
	} while (info.reason == SHYPER_END_REBOOT);
	if (ioctl(vm, SHYPER_VM_DESTROY))
		die(vm, "destroy");
	printf("ended: reason %u, code %u, mmio writes %llu\n", info.reason, info.exit_code,
	       (unsigned long long)info.exits[2]);
	return 0;
}

static int stop(unsigned long id)
{
	int vm = ioctl(device, SHYPER_OPEN_VM, id);

	if (vm < 0 || ioctl(vm, SHYPER_VM_STOP))
		die(vm < 0 ? device : vm, "stop");
	return 0;
}

static int failures;

static void refused(long result, int why, const char *what)
{
	if (result == -1 && errno == why)
		return;
	printf("FAILED: %s: %ld, errno %d, not %d\n", what, result, errno, why);
	failures++;
}

static int refuse(char **args)
{
	struct shyper_disk d = { .device = SHYPER_DEVICES };
	int vm = create(args[0]), other = create_as(args[0], 'n'), pipes[2];

	refused(ioctl(vm, SHYPER_VM_SET_DISK, (void *)16), EFAULT, "a wild pointer");
	refused(ioctl(vm, SHYPER_VM_SET_DISK, &d), EINVAL, "no such device");
	d = (struct shyper_disk){ .flags = 2 };
	refused(ioctl(vm, SHYPER_VM_SET_DISK, &d), EINVAL, "unknown flags");
	d = (struct shyper_disk){ .reserved2 = 1 };
	refused(ioctl(vm, SHYPER_VM_SET_DISK, &d), EINVAL, "reserved");
	d = (struct shyper_disk){ .fd = 1000 };
	refused(ioctl(vm, SHYPER_VM_SET_DISK, &d), EBADF, "no descriptor");
	d.fd = -1;
	refused(ioctl(vm, SHYPER_VM_SET_DISK, &d), ENOENT, "taking away nothing");
	if (pipe(pipes))
		die(-1, "pipe");
	d.fd = pipes[0];
	refused(ioctl(vm, SHYPER_VM_SET_DISK, &d), EACCES, "half a pipe");
	d.flags = SHYPER_DISK_READONLY;
	refused(ioctl(vm, SHYPER_VM_SET_DISK, &d), EINVAL, "a pipe");
	d.fd = open(args[1], O_RDONLY);
	d.flags = 0;
	refused(ioctl(vm, SHYPER_VM_SET_DISK, &d), EACCES, "a file to read only");
	d.flags = SHYPER_DISK_READONLY;
	d.device = 7;
	refused(ioctl(vm, SHYPER_VM_SET_DISK, &d), ENOENT, "a device not in the definition");
	d.fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	d.device = 0;
	refused(ioctl(vm, SHYPER_VM_SET_DISK, &d), EINVAL, "an empty file");
	refused(set(vm, 0, "/dev/vda", 0), EBUSY, "a mounted device");
	if (set(vm, 0, args[1], 0))
		die(vm, "set");
	refused(set(vm, 0, args[1], 0), EBUSY, "a second time");
	refused(set(vm, 1, args[1], 0), EBUSY, "an image in use here");
	refused(set(other, 0, args[1], SHYPER_DISK_READONLY), EBUSY, "an image in use elsewhere");
	d = (struct shyper_disk){ .fd = -1 };
	if (ioctl(vm, SHYPER_VM_SET_DISK, &d) || set(vm, 0, args[1], SHYPER_DISK_READONLY) ||
	    set(other, 1, args[1], SHYPER_DISK_READONLY))
		die(vm, "taking away and sharing");
	if (ioctl(vm, SHYPER_VM_DESTROY) || ioctl(other, SHYPER_VM_DESTROY))
		die(vm, "destroy");
	puts(failures ? "failed" : "passed");
	return failures != 0;
}

int main(int argc, char **argv)
{
	setbuf(stdout, NULL);
	device = open("/dev/shyper", O_RDWR | O_CLOEXEC);
	if (device < 0)
		die(-1, "/dev/shyper");
	if (argc >= 5 && !strcmp(argv[1], "run"))
		return run(argv + 2);
	if (argc == 3 && !strcmp(argv[1], "stop"))
		return stop(strtoul(argv[2], NULL, 0));
	if (argc == 4 && !strcmp(argv[1], "refuse"))
		return refuse(argv + 2);
	return 2;
}
