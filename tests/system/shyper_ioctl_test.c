/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exercises /dev/shyper inside the MVM: every call, every refusal. Static: any image runs it.
 *   shyper_ioctl_test all TREE       everything; "passed" and status 0, or what failed and status 1
 *   shyper_ioctl_test make TREE      a VM that runs on after us; prints its id
 *   shyper_ioctl_test unmake ID      stops and destroys it, having looked at its memory
 *   shyper_ioctl_test schedule TREE  the calls about schedules; TREE is one, with two tables
 * TREE is a compiled definition tree: RAM of 32 MiB at 0x80000000 and of 1 MiB at 0x90000000.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <abi/shyper.h>

#define RAM 0x80000000ul
#define RAM_SIZE (32ul << 20)
#define SECOND 0x10000000ul	/* offset of the second range */
#define SECOND_SIZE (1ul << 20)
#define ENTRY 0x1000ul		/* offset of the guest's code */
#define FDT 0x100000ul
#define PAGE 4096ul
#define WILD ((void *)0x10)

static const char *tree_path;
static int failures, device;

/* --- Judging -------------------------------------------------------------------------------- */

static void __attribute__((format(printf, 2, 3))) expect(int good, const char *fmt, ...)
{
	va_list ap;

	if (good)
		return;
	failures++;
	va_start(ap, fmt);
	printf("FAILED: ");
	vprintf(fmt, ap);
	printf(" (errno %d, %s)\n", errno, strerror(errno));
	va_end(ap);
}

#define OK(what) ({ \
	errno = 0; \
	long result_ = (long)(what); \
	expect(result_ >= 0, "%d: %s", __LINE__, #what); \
	result_; })

#define REFUSED(what, why) ({ \
	errno = 0; \
	long result_ = (long)(what); \
	expect(result_ == -1 && errno == (why), "%d: %s is not refused with %s", __LINE__, #what, \
	       #why); })

#define HOLDS(what) expect(!!(what), "%d: %s", __LINE__, #what)

static void *read_tree(unsigned int *size)
{
	static char tree[SHYPER_TREE_MAX];
	int fd = open(tree_path, O_RDONLY);
	ssize_t got = fd < 0 ? -1 : read(fd, tree, sizeof(tree));

	if (got <= 0) {
		perror(tree_path);
		exit(2);
	}
	close(fd);
	*size = (unsigned int)got;
	return tree;
}

static const char *reason(int fd)
{
	static char text[512];
	struct shyper_text t = { .buffer = (unsigned long)text, .size = sizeof(text) - 1 };

	OK(ioctl(fd, SHYPER_REASON, &t));
	text[t.size] = '\0';
	return text;
}

static int create(unsigned int *id)
{
	struct shyper_create c = { 0 };
	int fd;

	c.tree = (unsigned long)read_tree(&c.size);
	errno = 0;
	fd = ioctl(device, SHYPER_CREATE_VM, &c);
	expect(fd >= 0, "create: %s", fd < 0 ? reason(device) : "");
	if (fd < 0)
		exit(1);
	*id = c.id;
	return fd;
}

static struct shyper_vm_info info_of(int vm)
{
	struct shyper_vm_info info = { 0 };

	OK(ioctl(vm, SHYPER_VM_INFO, &info));
	return info;
}

static short polled(int fd, int milliseconds)
{
	struct pollfd p = { .fd = fd, .events = POLLPRI };

	OK(poll(&p, 1, milliseconds));
	return p.revents;
}

/* A state can be seen before the event that tells of it: quiet comes at last. */
static bool settles(int vm)
{
	for (int tries = 0; tries < 20; tries++) {
		if (polled(vm, 100) == 0)
			return true;
		info_of(vm);
	}
	return false;
}

/* Its stopping is reported, and then seen. */
static void await_end(int vm, unsigned int why)
{
	struct shyper_vm_info info;

	for (int tries = 0; tries < 20; tries++) {
		info = info_of(vm);
		if (info.state == SHYPER_VM_ENDED)
			break;
		HOLDS(polled(vm, 10000) == POLLPRI);
	}
	expect(info.state == SHYPER_VM_ENDED && info.reason == why, "state %u, reason %u",
	       info.state, info.reason);
}

/* --- The guest ------------------------------------------------------------------------------ */

extern const char guest_spin[], guest_off[], guest_end[];
asm(".pushsection .rodata\n"
    "guest_spin:	wfi\n"
    "		j	guest_spin\n"
    "guest_off:	li	a7, 0x53525354\n"	/* SBI SRST: shutdown, no reason */
    "		li	a6, 0\n"
    "		li	a0, 0\n"
    "		li	a1, 0\n"
    "		ecall\n"
    "		j	guest_off\n"
    "guest_end:\n"
    ".popsection\n");

static char *map(int vm, size_t size, off_t offset)
{
	char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vm, offset);

	expect(at != MAP_FAILED, "mmap of %zu bytes at %#lx", size, (long)offset);
	if (at == MAP_FAILED)
		exit(1);
	return at;
}

static void load(int vm, const char *from, const char *to)
{
	char *at = map(vm, PAGE, ENTRY);

	memcpy(at, from, (size_t)(to - from));
	munmap(at, PAGE);
}

static int boot(int vm)
{
	struct shyper_boot b = { .entry = RAM + ENTRY, .fdt = RAM + FDT };

	return ioctl(vm, SHYPER_VM_BOOT, &b);
}

static void stop(int vm)
{
	OK(ioctl(vm, SHYPER_VM_STOP));
	await_end(vm, SHYPER_END_STOP);
}

/* --- Tests ---------------------------------------------------------------------------------- */

static void test_system(void)
{
	struct shyper_system_info s = { 0 };
	struct shyper_log log = { 0 };
	struct shyper_sched_hart hart = { .number = 0 };

	HOLDS(ioctl(device, SHYPER_API_VERSION) == SHYPER_ABI_VERSION);
	OK(ioctl(device, SHYPER_SYSTEM_INFO, &s));
	HOLDS(s.abi == SHYPER_ABI_VERSION && s.vms & 1);
	HOLDS(s.pages_free && s.pages_free < s.pages_total);
	OK(ioctl(device, SHYPER_LOG_READ, &log));
	HOLDS(log.size && log.size <= sizeof(log.text) && log.sequence);
	OK(ioctl(device, SHYPER_SCHED_INFO, &hart));
	HOLDS(hart.info.policy == SHYPER_SCHED_PINNED && hart.info.vcpus == 1);
	HOLDS(hart.info.vcpu[0].vm == 0 && hart.info.vcpu[0].state == SHYPER_SCHED_RUNNING);
}

/* The frame may end at any time, so a change is awaited. */
static void await_table(unsigned int table)
{
	struct shyper_schedule_info i = { 0 };

	for (int tries = 0; tries < 1000; tries++) {
		OK(ioctl(device, SHYPER_SCHEDULE_INFO, &i));
		if (!i.pending && i.table == table)
			break;
		usleep(10000);
	}
	HOLDS(!i.pending && i.table == table && i.next == table);
}

static void test_schedule_refusals(struct shyper_schedule_tree *good)
{
	struct shyper_schedule_tree t = *good;
	char junk[64] = "junk";
	__s64 far = 1 << 30;

	t.reserved = 1;
	REFUSED(ioctl(device, SHYPER_SCHEDULE_SET, &t), EINVAL);
	REFUSED(ioctl(device, SHYPER_SCHEDULE_READ, &t), EINVAL);
	t = (struct shyper_schedule_tree){ .tree = good->tree, .size = SHYPER_TREE_MAX + 1 };
	REFUSED(ioctl(device, SHYPER_SCHEDULE_SET, &t), EINVAL);
	t.size = 0;
	REFUSED(ioctl(device, SHYPER_SCHEDULE_SET, &t), EINVAL);
	t = (struct shyper_schedule_tree){ .tree = 0x10, .size = 100 };
	REFUSED(ioctl(device, SHYPER_SCHEDULE_SET, &t), EFAULT);
	t = (struct shyper_schedule_tree){ .tree = (unsigned long)junk, .size = sizeof(junk) };
	REFUSED(ioctl(device, SHYPER_SCHEDULE_SET, &t), EINVAL);
	HOLDS(strstr(reason(device), "node /"));
	REFUSED(ioctl(device, SHYPER_SCHEDULE_SWITCH, 2), ENOENT);
	HOLDS(strstr(reason(device), "no table 2"));
	REFUSED(ioctl(device, SHYPER_SCHEDULE_SWITCH, -1ul), ENOENT);
	REFUSED(ioctl(device, SHYPER_SCHEDULE_SHIFT, &far), EINVAL);
	HOLDS(strstr(reason(device), "half a frame"));
	far = (__s64)1 << 63;
	REFUSED(ioctl(device, SHYPER_SCHEDULE_SHIFT, &far), EINVAL);
}

static int test_schedule(void)
{
	static char back[SHYPER_TREE_MAX];
	struct shyper_schedule_tree t = { 0 }, r = { .tree = (unsigned long)back };
	struct shyper_schedule_info i = { 0 };
	__s64 shift = 100;

	REFUSED(ioctl(device, SHYPER_SCHEDULE_INFO, &i), ENOENT);
	HOLDS(strstr(reason(device), "no schedule"));
	REFUSED(ioctl(device, SHYPER_SCHEDULE_READ, &r), ENOENT);
	REFUSED(ioctl(device, SHYPER_SCHEDULE_SWITCH, 0), ENOENT);
	REFUSED(ioctl(device, SHYPER_SCHEDULE_SHIFT, &shift), ENOENT);
	t.tree = (unsigned long)read_tree(&t.size);
	OK(ioctl(device, SHYPER_SCHEDULE_SET, &t));
	await_table(0);
	OK(ioctl(device, SHYPER_SCHEDULE_INFO, &i));
	HOLDS(i.tables == 2 && i.frame && i.length && !strcmp(i.name[1], "two"));
	OK(ioctl(device, SHYPER_SCHEDULE_SWITCH, 1));
	await_table(1);
	OK(ioctl(device, SHYPER_SCHEDULE_SHIFT, &shift));
	REFUSED(ioctl(device, SHYPER_SCHEDULE_READ, &r), EINVAL);
	r.size = sizeof(back);
	OK(ioctl(device, SHYPER_SCHEDULE_READ, &r));
	HOLDS(r.size == t.size && !memcmp(back, (void *)t.tree, r.size));
	r.tree = 0x10;
	REFUSED(ioctl(device, SHYPER_SCHEDULE_READ, &r), EFAULT);
	test_schedule_refusals(&t);
	puts(failures ? "failed" : "passed");
	return failures != 0;
}

static void test_device_refuses(void)
{
	struct shyper_create c = { .tree = 0x10, .size = 100 };
	struct shyper_text t = { .buffer = 0x10, .size = 100, .reserved = 1 };
	struct shyper_log log = { .reserved = 1 };
	struct shyper_sched_hart hart = { .number = 64 };
	struct shyper_sched_set set = { .priority = 1 };
	char junk[256] = "junk";

	REFUSED(ioctl(device, _IO(SHYPER_IOCTL, 99)), ENOTTY);
	REFUSED(ioctl(device, SHYPER_VM_STOP), ENOTTY);
	REFUSED(ioctl(device, SHYPER_SYSTEM_INFO, WILD), EFAULT);
	REFUSED(ioctl(device, SHYPER_REASON, WILD), EFAULT);
	REFUSED(ioctl(device, SHYPER_REASON, &t), EINVAL);
	REFUSED(ioctl(device, SHYPER_LOG_READ, WILD), EFAULT);
	REFUSED(ioctl(device, SHYPER_LOG_READ, &log), EINVAL);
	REFUSED(ioctl(device, SHYPER_SCHED_INFO, &hart), ENOENT);
	hart = (struct shyper_sched_hart){ .reserved = 1 };
	REFUSED(ioctl(device, SHYPER_SCHED_INFO, &hart), EINVAL);
	REFUSED(ioctl(device, SHYPER_SCHED_SET, &set), EINVAL);
	HOLDS(strstr(reason(device), "pinned"));
	REFUSED(ioctl(device, SHYPER_OPEN_VM, 5), ENOENT);
	HOLDS(strstr(reason(device), "no VM 5"));
	REFUSED(ioctl(device, SHYPER_OPEN_VM, SHYPER_VMS), ENOENT);
	REFUSED(ioctl(device, SHYPER_OPEN_VM, -1ul), ENOENT);
	t.reserved = 0;
	REFUSED(ioctl(device, SHYPER_REASON, &t), EFAULT);
	REFUSED(ioctl(device, SHYPER_CREATE_VM, WILD), EFAULT);
	REFUSED(ioctl(device, SHYPER_CREATE_VM, &c), EFAULT);
	c.size = 0;
	REFUSED(ioctl(device, SHYPER_CREATE_VM, &c), EINVAL);
	c.size = SHYPER_TREE_MAX + 1;
	REFUSED(ioctl(device, SHYPER_CREATE_VM, &c), EINVAL);
	c.tree = (unsigned long)junk;
	c.size = sizeof(junk);
	REFUSED(ioctl(device, SHYPER_CREATE_VM, &c), EINVAL);
	HOLDS(reason(device)[0]);
	HOLDS(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, device, 0) == MAP_FAILED);
}

/* The VM's id cannot be told, so there is no VM. */
static void test_create_is_all_or_nothing(void)
{
	struct shyper_create *c = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct shyper_system_info before, after;

	c->tree = (unsigned long)read_tree(&c->size);
	mprotect(c, PAGE, PROT_READ);
	OK(ioctl(device, SHYPER_SYSTEM_INFO, &before));
	REFUSED(ioctl(device, SHYPER_CREATE_VM, c), EFAULT);
	OK(ioctl(device, SHYPER_SYSTEM_INFO, &after));
	HOLDS(before.vms == after.vms && before.pages_free == after.pages_free);
	munmap(c, PAGE);
}

/* The MVM itself can be looked at, and nothing else. */
static void test_mvm(void)
{
	int vm = (int)OK(ioctl(device, SHYPER_OPEN_VM, 0));
	struct shyper_vm_info info = info_of(vm);
	struct shyper_vm_memory m = { 0 };

	HOLDS(info.state == SHYPER_VM_RUNNING && info.vcpus && info.name[0]);
	REFUSED(ioctl(vm, SHYPER_VM_STOP), ENOENT);
	REFUSED(ioctl(vm, SHYPER_VM_PAUSE), ENOENT);
	REFUSED(ioctl(vm, SHYPER_VM_DESTROY), EBUSY);
	REFUSED(ioctl(vm, SHYPER_VM_MEMORY, &m), ENOENT);
	REFUSED(boot(vm), ENOENT);
	HOLDS(lseek(vm, 0, SEEK_END) == 0);
	REFUSED((long)mmap(NULL, PAGE, PROT_READ, MAP_SHARED, vm, 0), ENODEV);
	close(vm);
}

static sigjmp_buf on_bus_error;

static void bus_error(int number)
{
	(void)number;
	siglongjmp(on_bus_error, 1);
}

static int faults(volatile char *at)
{
	signal(SIGBUS, bus_error);
	if (sigsetjmp(on_bus_error, 1))
		return 1;
	(void)*at;
	return 0;
}

static void test_memory_refuses(int vm)
{
	size_t all = SECOND + SECOND_SIZE;
	struct shyper_vm_memory m = { .reserved = 1 };

	REFUSED((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, vm, 0), EINVAL);
	REFUSED((long)mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, vm, 0), EPERM);
	REFUSED((long)mmap(NULL, all + PAGE, PROT_READ, MAP_SHARED, vm, 0), EINVAL);
	REFUSED((long)mmap(NULL, PAGE, PROT_READ, MAP_SHARED, vm, (off_t)all), EINVAL);
	REFUSED((long)mmap(NULL, PAGE, PROT_READ, MAP_SHARED, vm, -(off_t)PAGE), EOVERFLOW);
	REFUSED(ioctl(vm, SHYPER_VM_MEMORY, &m), EINVAL);
	REFUSED(ioctl(vm, SHYPER_VM_MEMORY, WILD), EFAULT);
	m = (struct shyper_vm_memory){ .index = -1u };
	REFUSED(ioctl(vm, SHYPER_VM_MEMORY, &m), ENOENT);
}

/* Pieces follow each other, and are what the definition says. */
static void test_pieces(int vm)
{
	struct shyper_vm_memory m = { 0 };
	unsigned long sum = 0, end = RAM;

	for (; ioctl(vm, SHYPER_VM_MEMORY, &m) == 0; m.index++) {
		HOLDS(m.guest >= end && m.size % PAGE == 0);
		sum += m.size;
		end = m.guest + m.size;
	}
	HOLDS(errno == ENOENT);
	HOLDS(sum == RAM_SIZE + SECOND_SIZE && end == RAM + SECOND + SECOND_SIZE);
	HOLDS(lseek(vm, 0, SEEK_END) == (off_t)(SECOND + SECOND_SIZE));
	REFUSED(lseek(vm, -1, SEEK_SET), EINVAL);
}

/* All of it is memory, zeroed at first; a hole is none. */
static void test_mapping(int vm)
{
	char *at = map(vm, SECOND + SECOND_SIZE, 0), *other;
	unsigned long nonzero = 0;

	for (unsigned long i = 0; i < RAM_SIZE; i += PAGE) {
		unsigned long *word = (unsigned long *)(at + i);

		nonzero += *word != 0;
		*word = i;
	}
	HOLDS(nonzero == 0);
	strcpy(at + SECOND + SECOND_SIZE - 8, "end");
	HOLDS(faults(at + RAM_SIZE) && faults(at + SECOND - 1) && !faults(at + SECOND));
	HOLDS(mremap(at, SECOND + SECOND_SIZE, SECOND + 2 * SECOND_SIZE, 0) == MAP_FAILED);
	REFUSED(mprotect(at, PAGE, PROT_READ | PROT_EXEC), EACCES);
	/* A part goes, the others stay; a second mapping sees the same. */
	munmap(at + 16 * PAGE, 16 * PAGE);
	other = map(vm, PAGE, (off_t)RAM_SIZE - (off_t)PAGE);
	HOLDS(*(unsigned long *)other == RAM_SIZE - PAGE);
	munmap(other, PAGE);
	munmap(at, SECOND + SECOND_SIZE);
	at = map(vm, SECOND_SIZE, SECOND);
	HOLDS(!strcmp(at + SECOND_SIZE - 8, "end"));
	munmap(at, SECOND_SIZE);
}

/* Direct I/O reaches the guest's pages: they are pages like all others. */
static void test_direct_io(int vm)
{
	const char *path = "/root/shyper-ioctl-test";
	char *at = map(vm, 64 * PAGE, 0);
	int file = (int)OK(open(path, O_RDWR | O_CREAT | O_TRUNC | O_DIRECT, 0600));

	memset(at, 'w', 32 * PAGE);
	HOLDS(OK(pwrite(file, at, 32 * PAGE, 0)) == 32 * PAGE);
	HOLDS(OK(pread(file, at + 32 * PAGE, 32 * PAGE, 0)) == 32 * PAGE);
	HOLDS(!memcmp(at, at + 32 * PAGE, 32 * PAGE));
	close(file);
	unlink(path);
	munmap(at, 64 * PAGE);
}

static void test_boot_refuses(int vm)
{
	struct shyper_boot right = { .entry = RAM + ENTRY, .fdt = RAM + FDT }, b;

	REFUSED(ioctl(vm, SHYPER_VM_BOOT, WILD), EFAULT);
	b = right;
	b.entry = 0;
	REFUSED(ioctl(vm, SHYPER_VM_BOOT, &b), EINVAL);
	HOLDS(reason(vm)[0]);
	b = right;
	b.entry++;
	REFUSED(ioctl(vm, SHYPER_VM_BOOT, &b), EINVAL);
	b = right;
	b.fdt = RAM + RAM_SIZE - PAGE;
	REFUSED(ioctl(vm, SHYPER_VM_BOOT, &b), EINVAL);
	b = right;
	b.initrd = RAM + RAM_SIZE;
	b.initrd_size = PAGE;
	REFUSED(ioctl(vm, SHYPER_VM_BOOT, &b), EINVAL);
	b.initrd_size = -1ul;
	REFUSED(ioctl(vm, SHYPER_VM_BOOT, &b), EINVAL);
	REFUSED(ioctl(vm, SHYPER_VM_STOP), EBUSY);
	REFUSED(ioctl(vm, SHYPER_VM_PAUSE), EBUSY);
	REFUSED(ioctl(vm, SHYPER_VM_RESUME), EBUSY);
	REFUSED(ioctl(vm, SHYPER_VM_INFO, WILD), EFAULT);
	REFUSED(ioctl(vm, SHYPER_CREATE_VM, WILD), ENOTTY);
	HOLDS(info_of(vm).state == SHYPER_VM_MADE);
}

static void test_life(int vm)
{
	struct shyper_vm_info info;

	load(vm, guest_spin, guest_off);
	OK(boot(vm));
	HOLDS(polled(vm, 10000) == POLLPRI);
	info = info_of(vm);
	HOLDS(info.state == SHYPER_VM_RUNNING && !info.paused);
	HOLDS(info.boots == 1 && info.vcpus == 1);
	HOLDS(polled(vm, 0) == 0);
	REFUSED(boot(vm), EBUSY);
	REFUSED(ioctl(vm, SHYPER_VM_DESTROY), EBUSY);
	HOLDS(strstr(reason(vm), "running"));
	OK(ioctl(vm, SHYPER_VM_PAUSE));
	HOLDS(info_of(vm).paused == 1);
	REFUSED(ioctl(vm, SHYPER_VM_PAUSE), EBUSY);
	OK(ioctl(vm, SHYPER_VM_RESUME));
	REFUSED(ioctl(vm, SHYPER_VM_RESUME), EBUSY);
	stop(vm);
	HOLDS(settles(vm));
	REFUSED(ioctl(vm, SHYPER_VM_STOP), EBUSY);
	load(vm, guest_off, guest_end);
	OK(boot(vm));
	await_end(vm, SHYPER_END_POWEROFF);
	HOLDS(info_of(vm).boots == 2);
}

/* Memory that is mapped or under I/O is not taken away. */
static void test_destroy_waits_for_users(int vm, unsigned int id)
{
	char *at = map(vm, 4 * PAGE, 0);
	struct iovec piece = { .iov_base = at, .iov_len = 4 * PAGE };
	struct shyper_vm_info info;
	char sink[4 * PAGE];
	int end[2], second = (int)OK(ioctl(device, SHYPER_OPEN_VM, id));

	REFUSED(ioctl(vm, SHYPER_VM_DESTROY), EBUSY);
	HOLDS(strstr(reason(vm), "1 mappings"));
	/* A pipe holds the pages after they are unmapped. */
	OK(pipe(end));
	HOLDS(OK(vmsplice(end[1], &piece, 1, 0)) > 0);
	munmap(at, 4 * PAGE);
	REFUSED(ioctl(vm, SHYPER_VM_DESTROY), EBUSY);
	HOLDS(strstr(reason(vm), "0 mappings"));
	OK(read(end[0], sink, sizeof(sink)));
	close(end[0]);
	close(end[1]);
	/* After the refusals it works as before. */
	at = map(vm, PAGE, 0);
	at[0] = 1;
	munmap(at, PAGE);
	OK(ioctl(vm, SHYPER_VM_DESTROY));
	HOLDS(polled(second, 0) & POLLHUP && polled(vm, 0) & POLLHUP);
	REFUSED(ioctl(second, SHYPER_VM_INFO, &info), ENODEV);
	REFUSED(ioctl(vm, SHYPER_VM_DESTROY), ENODEV);
	REFUSED(boot(vm), ENODEV);
	REFUSED((long)mmap(NULL, PAGE, PROT_READ, MAP_SHARED, second, 0), ENODEV);
	REFUSED(ioctl(device, SHYPER_OPEN_VM, id), ENOENT);
	close(second);
	close(vm);
}

static void wait_for(pid_t child)
{
	int status = 0;

	OK(waitpid(child, &status, 0));
	if (WIFEXITED(status))
		failures += WEXITSTATUS(status);
}

/* Descriptors that an unprivileged process holds serve for memory alone. */
static void test_unprivileged(int vm)
{
	struct shyper_vm_info info;
	pid_t child = fork();
	char *at;

	if (child) {
		wait_for(child);
		return;
	}
	failures = 0;
	OK(setuid(1000));
	REFUSED(open("/dev/shyper", O_RDWR), EACCES);
	REFUSED(ioctl(device, SHYPER_API_VERSION), EPERM);
	REFUSED(ioctl(vm, SHYPER_VM_INFO, &info), EPERM);
	REFUSED(ioctl(vm, SHYPER_VM_DESTROY), EPERM);
	at = map(vm, PAGE, 0);
	at[0] = 2;
	fflush(stdout);
	_exit(failures != 0);
}

/* A VM outlives the one who made it, however that ends. */
static void test_owner_is_killed(void)
{
	unsigned int id, *told = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child = fork();
	int vm;

	if (!child) {
		vm = create(&id);
		map(vm, RAM_SIZE, 0)[5 * PAGE] = 'k';
		load(vm, guest_spin, guest_off);
		OK(boot(vm));
		*told = id;
		kill(getpid(), SIGKILL);
	}
	wait_for(child);
	vm = (int)OK(ioctl(device, SHYPER_OPEN_VM, *told));
	HOLDS(info_of(vm).state == SHYPER_VM_RUNNING);
	HOLDS(map(vm, PAGE, 5 * PAGE)[0] == 'k');
	stop(vm);
	REFUSED(ioctl(vm, SHYPER_VM_DESTROY), EBUSY);
	close(vm);	/* and the mapping goes with the process, or here: */
	munmap(told, PAGE);
}

/* A trace ends with its descriptor, however that is closed. */
static void test_trace(void)
{
	static struct shyper_trace_read out;
	struct shyper_trace_open all = { .events = (1u << SHYPER_TRACE_EVENTS) - 1, .slots = 1024 };
	struct shyper_trace_open none = { .events = 0, .slots = 1024 };
	unsigned int records = 0;
	pid_t child;
	int trace;

	REFUSED(ioctl(device, SHYPER_TRACE_OPEN, &none), EINVAL);
	HOLDS(strstr(reason(device), "events"));
	child = fork();
	if (!child) {
		OK(ioctl(device, SHYPER_TRACE_OPEN, &all));
		kill(getpid(), SIGKILL);
	}
	wait_for(child);
	trace = (int)OK(ioctl(device, SHYPER_TRACE_OPEN, &all));
	REFUSED(ioctl(device, SHYPER_TRACE_OPEN, &all), EBUSY);
	HOLDS(strstr(reason(device), "one at a time"));
	REFUSED(ioctl(trace, SHYPER_SYSTEM_INFO, &out), ENOTTY);
	REFUSED(ioctl(trace, SHYPER_TRACE_OPEN, &all), ENOTTY);
	REFUSED(ioctl(trace, SHYPER_TRACE_READ, WILD), EFAULT);
	REFUSED(ioctl(device, SHYPER_TRACE_READ, &out), ENOTTY);
	for (; ioctl(trace, SHYPER_TRACE_READ, &out) == 0; out.hart++) {
		HOLDS(out.count <= SHYPER_TRACE_CHUNK && !out.lost);
		records += out.count;
		out.sequence = 0;
	}
	HOLDS(errno == ENOENT && out.hart && records);
	close(trace);
	close((int)OK(ioctl(device, SHYPER_TRACE_OPEN, &all)));
}

static void destroy_all(void)
{
	struct shyper_system_info s;

	OK(ioctl(device, SHYPER_SYSTEM_INFO, &s));
	for (unsigned int id = 1; id < SHYPER_VMS; id++) {
		int vm = s.vms >> id & 1 ? (int)OK(ioctl(device, SHYPER_OPEN_VM, id)) : -1;

		if (vm < 0)
			continue;
		if (info_of(vm).state == SHYPER_VM_RUNNING)
			stop(vm);
		OK(ioctl(vm, SHYPER_VM_DESTROY));
		close(vm);
	}
}

/* In a process of its own, so that its mappings end with it. */
static void isolated(void (*test)(void))
{
	pid_t child = fork();

	if (!child) {
		failures = 0;
		test();
		fflush(stdout);
		_exit(failures != 0);
	}
	wait_for(child);
}

static void test_whole_life(void)
{
	unsigned int id;
	int vm = create(&id);

	HOLDS(id > 0 && id < SHYPER_VMS);
	test_pieces(vm);
	test_memory_refuses(vm);
	test_mapping(vm);
	test_direct_io(vm);
	test_unprivileged(vm);
	test_boot_refuses(vm);
	test_life(vm);
	test_destroy_waits_for_users(vm, id);
}

static void test_cycles(void)
{
	for (int i = 0; i < 20; i++) {
		unsigned int id;
		int vm = create(&id);

		load(vm, guest_spin, guest_off);
		OK(boot(vm));
		stop(vm);
		OK(ioctl(vm, SHYPER_VM_DESTROY));
		close(vm);
	}
}

static int test_all(void)
{
	struct shyper_system_info before, after;

	test_system();
	test_device_refuses();
	test_create_is_all_or_nothing();
	test_mvm();
	OK(ioctl(device, SHYPER_SYSTEM_INFO, &before));
	isolated(test_whole_life);
	isolated(test_owner_is_killed);
	isolated(test_trace);
	isolated(destroy_all);
	isolated(test_cycles);
	OK(ioctl(device, SHYPER_SYSTEM_INFO, &after));
	expect(before.pages_free == after.pages_free && before.vms == after.vms &&
	       before.harts_free == after.harts_free,
	       "free pages %llu then %llu, VMs %#x then %#x, free harts %u then %u",
	       (unsigned long long)before.pages_free, (unsigned long long)after.pages_free,
	       before.vms, after.vms, before.harts_free, after.harts_free);
	puts(failures ? "failed" : "passed");
	return failures != 0;
}

/* --- A VM that stays ------------------------------------------------------------------------ */

static int make_vm(void)
{
	unsigned int id;
	int vm = create(&id);

	strcpy(map(vm, PAGE, 9 * PAGE), "kept");
	load(vm, guest_spin, guest_off);
	OK(boot(vm));
	printf("%u\n", id);
	return failures != 0;
}

static int unmake_vm(unsigned long id)
{
	int vm = (int)OK(ioctl(device, SHYPER_OPEN_VM, id));
	char *at = map(vm, PAGE, 9 * PAGE);

	HOLDS(info_of(vm).state == SHYPER_VM_RUNNING);
	HOLDS(!strcmp(at, "kept"));
	munmap(at, PAGE);
	stop(vm);
	OK(ioctl(vm, SHYPER_VM_DESTROY));
	return failures != 0;
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	setbuf(stdout, NULL);
	device = open("/dev/shyper", O_RDWR | O_CLOEXEC);
	if (device < 0) {
		perror("/dev/shyper");
		return 1;
	}
	tree_path = argv[2];
	if (!strcmp(argv[1], "all"))
		return test_all();
	if (!strcmp(argv[1], "make"))
		return make_vm();
	if (!strcmp(argv[1], "unmake"))
		return unmake_vm(strtoul(argv[2], NULL, 0));
	if (!strcmp(argv[1], "schedule"))
		return test_schedule();
	return 2;
}
