/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every call of /dev/shyper by rule: on descriptors that are not its own, in sizes that it has not,
 * with wild pointers, by a user without rights, in each state of a VM, and on one that is gone.
 * Static: any image runs it.
 *   calls_vm TREE PAYLOAD	a VM that does not end by itself; "passed" and status 0
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vm.h"

#define PAGE 4096ul

/* Whose call it is, and what its argument is. */
enum { DEVICE = 1, VM = 2, READS = 4, WRITES = 8 };

#define CALL(name, what) { #name, name, what }
static const struct {
	const char *name;
	unsigned long number;
	int what;
} calls[] = {
	CALL(SHYPER_API_VERSION, DEVICE),
	CALL(SHYPER_REASON, DEVICE | VM | READS | WRITES),
	CALL(SHYPER_SYSTEM_INFO, DEVICE | WRITES),
	CALL(SHYPER_CREATE_VM, DEVICE | READS),
	CALL(SHYPER_OPEN_VM, DEVICE),
	CALL(SHYPER_LOG_READ, DEVICE | READS | WRITES),
	CALL(SHYPER_NET_INFO, DEVICE | READS),
	CALL(SHYPER_NET_SET, DEVICE | READS),
	CALL(SHYPER_SCHED_INFO, DEVICE | READS | WRITES),
	CALL(SHYPER_SCHED_SET, DEVICE | READS),
	CALL(SHYPER_SCHEDULE_INFO, DEVICE),
	CALL(SHYPER_SCHEDULE_SET, DEVICE | READS),
	CALL(SHYPER_SCHEDULE_SWITCH, DEVICE),
	CALL(SHYPER_SCHEDULE_SHIFT, DEVICE | READS),
	CALL(SHYPER_SCHEDULE_READ, DEVICE | READS),
	CALL(SHYPER_TRACE_OPEN, DEVICE | READS),
	CALL(SHYPER_VM_INFO, VM | WRITES),
	CALL(SHYPER_VM_BOOT, VM | READS),
	CALL(SHYPER_VM_STOP, VM),
	CALL(SHYPER_VM_PAUSE, VM),
	CALL(SHYPER_VM_RESUME, VM),
	CALL(SHYPER_VM_DESTROY, VM),
	CALL(SHYPER_VM_MEMORY, VM | READS | WRITES),
	CALL(SHYPER_VM_PIN, VM | READS),
	CALL(SHYPER_VM_SET_DISK, VM | READS),
	CALL(SHYPER_VM_DEVICE_SETUP, VM | READS),
	CALL(SHYPER_VM_DEVICE_INFO, VM | READS),
	CALL(SHYPER_VM_DEVICE_RESET_DONE, VM),
	CALL(SHYPER_VM_IOEVENTFD, VM | READS),
	CALL(SHYPER_VM_IRQFD, VM | READS),
};
#define CALLS (sizeof(calls) / sizeof(calls[0]))

static char zeroes[PAGE * 8] __attribute__((aligned(4096)));

static void expect(int fd, unsigned long number, void *argument, int why, const char *name,
		   const char *how)
{
	char what[128];

	snprintf(what, sizeof(what), "%s %s", name, how);
	errno = 0;
	refused(ioctl(fd, number, argument), why, what);
}

/* Descriptors of something else. */
static void test_strangers(int vm)
{
	int strangers[] = { open("/dev/null", O_RDWR), open("/", O_RDONLY), memfd_create("m", 0) };

	for (size_t i = 0; i < CALLS; i++) {
		for (size_t n = 0; n < sizeof(strangers) / sizeof(strangers[0]); n++)
			expect(strangers[n], calls[i].number, zeroes, ENOTTY, calls[i].name,
			       "on a stranger");
		expect(-1, calls[i].number, zeroes, EBADF, calls[i].name, "on nothing");
		if (!(calls[i].what & DEVICE))
			expect(device, calls[i].number, zeroes, ENOTTY, calls[i].name,
			       "on the device");
		if (!(calls[i].what & VM))
			expect(vm, calls[i].number, zeroes, ENOTTY, calls[i].name, "on a VM");
	}
	for (size_t n = 0; n < sizeof(strangers) / sizeof(strangers[0]); n++)
		close(strangers[n]);
}

/* The number of a call holds its size and direction: another version's is another call. */
static void test_sizes(int vm)
{
	for (size_t i = 0; i < CALLS; i++) {
		int fd = calls[i].what & VM ? vm : device;

		expect(fd, calls[i].number ^ 8ul << _IOC_SIZESHIFT, zeroes, ENOTTY, calls[i].name,
		       "of another size");
		expect(fd, calls[i].number ^ 3ul << _IOC_DIRSHIFT, zeroes, ENOTTY, calls[i].name,
		       "of another direction");
		expect(fd, calls[i].number ^ 1ul << _IOC_TYPESHIFT, zeroes, ENOTTY, calls[i].name,
		       "of another driver");
	}
}

static void test_wild_pointers(int vm)
{
	char *gap = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			 0);
	void *const wild[] = {
		NULL, (void *)16, (void *)-16ul, (void *)-4096ul, (void *)(1ul << 63),
		(void *)0x80000000, gap + 2 * PAGE - 4, gap + PAGE,
	};

	munmap(gap + PAGE, PAGE);
	for (size_t i = 0; i < CALLS; i++) {
		int fd = calls[i].what & VM ? vm : device;

		if (!(calls[i].what & (READS | WRITES)))
			continue;
		for (size_t n = 0; n < sizeof(wild) / sizeof(wild[0]); n++)
			expect(fd, calls[i].number, wild[n], EFAULT, calls[i].name,
			       "with a wild pointer");
		if (calls[i].what & WRITES) {
			mprotect(gap, PAGE, PROT_READ);
			expect(fd, calls[i].number, gap, EFAULT, calls[i].name,
			       "where nothing may be written");
			mprotect(gap, PAGE, PROT_READ | PROT_WRITE);
		}
	}
	munmap(gap, PAGE);
}

static void test_without_rights(int vm)
{
	int status = 1;
	pid_t child = fork();

	if (!child) {
		failures = 0;
		if (setgid(1000) || setuid(1000))
			die(-1, "setuid");
		refused(open("/dev/shyper", O_RDWR), EACCES, "open");
		refused(open("/dev/shyper", O_RDONLY), EACCES, "open to read");
		for (size_t i = 0; i < CALLS; i++) {
			int fd = calls[i].what & VM ? vm : device;

			expect(fd, calls[i].number, zeroes, EPERM, calls[i].name, "by a user");
			expect(fd, calls[i].number, (void *)16, EPERM, calls[i].name,
			       "by a user, wild");
		}
		expect(vm, _IO(SHYPER_IOCTL, 99), NULL, EPERM, "an unknown call", "by a user");
		_exit(failures != 0);
	}
	waitpid(child, &status, 0);
	failures += status != 0;
}

/* What each state allows: 0, or the errno. A call that is allowed is not made. */
static void test_state(int vm, const char *state, int stop, int pause, int resume, int destroy,
		       int boot_again)
{
	struct shyper_boot b = { .entry = RAM + KERNEL, .fdt = RAM + FDT };
	struct shyper_disk d = { .fd = -1 };
	struct shyper_vm_pin wild = { .vcpu = -1u };

	if (stop)
		expect(vm, SHYPER_VM_STOP, NULL, stop, "stop", state);
	if (pause)
		expect(vm, SHYPER_VM_PAUSE, NULL, pause, "pause", state);
	if (resume)
		expect(vm, SHYPER_VM_RESUME, NULL, resume, "resume", state);
	if (destroy)
		expect(vm, SHYPER_VM_DESTROY, NULL, destroy, "destroy", state);
	if (boot_again)
		expect(vm, SHYPER_VM_BOOT, &b, boot_again, "boot", state);
	expect(vm, SHYPER_VM_PIN, &wild, EINVAL, "pin of no vCPU", state);
	wild = (struct shyper_vm_pin){ .hart = -1ul };
	expect(vm, SHYPER_VM_PIN, &wild, ENOENT, "pin to no hart", state);
	wild = (struct shyper_vm_pin){ .reserved = 1 };
	expect(vm, SHYPER_VM_PIN, &wild, EINVAL, "pin with a reserved word", state);
	expect(vm, SHYPER_VM_SET_DISK, &d, boot_again ? boot_again : ENOENT, "set disk", state);
}

static void do_call(int vm, unsigned long number, const char *what)
{
	if (ioctl(vm, number))
		die(vm, what);
}

static void test_states(int vm, const char *payload)
{
	load(vm, payload, KERNEL);
	test_state(vm, "when made", EBUSY, EBUSY, EBUSY, 0, 0);
	boot(vm, 0);
	test_state(vm, "when running", 0, 0, EBUSY, EBUSY, EBUSY);
	do_call(vm, SHYPER_VM_PAUSE, "pause");
	test_state(vm, "when paused", 0, EBUSY, 0, EBUSY, EBUSY);
	do_call(vm, SHYPER_VM_RESUME, "resume");
	do_call(vm, SHYPER_VM_PAUSE, "pause");
	do_call(vm, SHYPER_VM_STOP, "stop of a paused VM");
	await_end(vm);
	test_state(vm, "when ended", EBUSY, EBUSY, EBUSY, 0, 0);
}

static void test_gone(int vm)
{
	destroy(vm);
	for (size_t i = 0; i < CALLS; i++) {
		if ((calls[i].what & VM) && calls[i].number != SHYPER_REASON)
			expect(vm, calls[i].number,
			       calls[i].what & (READS | WRITES) ? zeroes : NULL, ENODEV,
			       calls[i].name, "when it is gone");
	}
}

int main(int argc, char **argv)
{
	struct shyper_system_info before, after;
	int vm;

	if (argc != 3)
		return 2;
	open_device();
	if (ioctl(device, SHYPER_SYSTEM_INFO, &before))
		die(device, "system info");
	vm = create(argv[1]);
	test_strangers(vm);
	test_sizes(vm);
	test_wild_pointers(vm);
	test_without_rights(vm);
	test_states(vm, argv[2]);
	test_gone(vm);
	if (ioctl(device, SHYPER_SYSTEM_INFO, &after))
		die(device, "system info");
	if (before.pages_free != after.pages_free || before.vms != after.vms) {
		puts("FAILED: something is left");
		failures++;
	}
	puts(failures ? "failed" : "passed");
	return failures != 0;
}
