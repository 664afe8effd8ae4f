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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <abi/shyper.h>

#include "vm.h"

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

static int run(char **args)
{
	int vm = create(args[0]);
	struct shyper_vm_info info;

	set_disks(vm, args + 3);
	do {
		load(vm, args[1], KERNEL);
		boot(vm, load(vm, args[2], INITRD));
		info = await_end(vm);
	} while (info.reason == SHYPER_END_REBOOT);
	destroy(vm);
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
	destroy(vm);
	destroy(other);
	puts(failures ? "failed" : "passed");
	return failures != 0;
}

int main(int argc, char **argv)
{
	open_device();
	if (argc >= 5 && !strcmp(argv[1], "run"))
		return run(argv + 2);
	if (argc == 3 && !strcmp(argv[1], "stop"))
		return stop(strtoul(argv[2], NULL, 0));
	if (argc == 4 && !strcmp(argv[1], "refuse"))
		return refuse(argv + 2);
	return 2;
}
