/* SPDX-License-Identifier: BSD-2-Clause */
/* The real /dev/shyper, which shyper.ko makes. */
#include "device.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

static int call(int fd, unsigned long request, void *argument)
{
	int result;

	do {
		result = ioctl(fd, request, argument);
	} while (result < 0 && errno == EINTR);
	return result < 0 ? -errno : result;
}

static int open_device(void)
{
	int fd = open("/dev/shyper", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int system_info(int fd, struct shyper_system_info *info)
{
	return call(fd, SHYPER_SYSTEM_INFO, info);
}

static int log_read(int fd, struct shyper_log *log)
{
	return call(fd, SHYPER_LOG_READ, log);
}

static int create(int fd, const void *tree, size_t size, uint32_t *id)
{
	struct shyper_create request = { .tree = (uintptr_t)tree, .size = (uint32_t)size };
	int vm = call(fd, SHYPER_CREATE_VM, &request);

	*id = request.id;
	return vm;
}

static int open_vm(int fd, uint32_t id)
{
	int vm = ioctl(fd, SHYPER_OPEN_VM, (unsigned long)id);

	return vm < 0 ? -errno : vm;
}

static int reason(int fd, char *buf, size_t size)
{
	struct shyper_text text = { .buffer = (uintptr_t)buf, .size = (uint32_t)size - 1 };
	int error = call(fd, SHYPER_REASON, &text);

	buf[error || text.size >= size ? 0 : text.size] = '\0';
	return error ? error : (int)text.size;
}

static int net_info(int fd, struct shyper_net_card *card)
{
	return call(fd, SHYPER_NET_INFO, card);
}

static int net_set(int fd, const struct shyper_net_set *set)
{
	struct shyper_net_set copy = *set;

	return call(fd, SHYPER_NET_SET, &copy);
}

static int sched_info(int fd, struct shyper_sched_hart *hart)
{
	return call(fd, SHYPER_SCHED_INFO, hart);
}

static int sched_set(int fd, const struct shyper_sched_set *set)
{
	struct shyper_sched_set copy = *set;

	return call(fd, SHYPER_SCHED_SET, &copy);
}

static int schedule_info(int fd, struct shyper_schedule_info *info)
{
	return call(fd, SHYPER_SCHEDULE_INFO, info);
}

static int schedule_set(int fd, const void *tree, size_t size)
{
	struct shyper_schedule_tree request = { .tree = (uintptr_t)tree, .size = (uint32_t)size };

	return call(fd, SHYPER_SCHEDULE_SET, &request);
}

static int schedule_switch(int fd, uint32_t table)
{
	int result = ioctl(fd, SHYPER_SCHEDULE_SWITCH, (unsigned long)table);

	return result < 0 ? -errno : result;
}

static int schedule_shift(int fd, int64_t us)
{
	__s64 copy = us;

	return call(fd, SHYPER_SCHEDULE_SHIFT, &copy);
}

static int schedule_read(int fd, void *tree, size_t size)
{
	struct shyper_schedule_tree request = { .tree = (uintptr_t)tree, .size = (uint32_t)size };
	int result = call(fd, SHYPER_SCHEDULE_READ, &request);

	return result < 0 ? result : (int)request.size;
}

static int trace_open(int fd, const struct shyper_trace_open *request)
{
	struct shyper_trace_open copy = *request;

	return call(fd, SHYPER_TRACE_OPEN, &copy);
}

static int trace_read(int trace, struct shyper_trace_read *out)
{
	return call(trace, SHYPER_TRACE_READ, out);
}

static int info(int vm, struct shyper_vm_info *out)
{
	return call(vm, SHYPER_VM_INFO, out);
}

static int boot(int vm, const struct shyper_boot *request)
{
	struct shyper_boot copy = *request;

	return call(vm, SHYPER_VM_BOOT, &copy);
}

static int command(int vm, enum device_command number)
{
	static const unsigned long requests[] = {
		[DEVICE_STOP] = SHYPER_VM_STOP,
		[DEVICE_PAUSE] = SHYPER_VM_PAUSE,
		[DEVICE_RESUME] = SHYPER_VM_RESUME,
		[DEVICE_DESTROY] = SHYPER_VM_DESTROY,
	};

	return call(vm, requests[number], NULL);
}

static int pin(int vm, const struct shyper_vm_pin *values)
{
	struct shyper_vm_pin copy = *values;

	return call(vm, SHYPER_VM_PIN, &copy);
}

static int memory(int vm, struct shyper_vm_memory *block)
{
	return call(vm, SHYPER_VM_MEMORY, block);
}

static int set_disk(int vm, const struct shyper_disk *disk)
{
	struct shyper_disk copy = *disk;

	return call(vm, SHYPER_VM_SET_DISK, &copy);
}

static void *map(int vm, uint64_t offset, size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vm, (off_t)offset);

	return at == MAP_FAILED ? NULL : at;
}

/* --- Consoles and ports ---------------------------------------------------------------------- */

#define HVCS 8	/* Linux has that many; Shyper gives hvc n to VM n */
#define PORTS "/sys/class/virtio-ports"

static bool is_named(const char *port, const char *name)
{
	char path[sizeof(PORTS) + NAME_MAX + 8], text[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), PORTS "/%s/name", port);
	file = fopen(path, "r");
	if (!file)
		return false;
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	fclose(file);
	text[strcspn(text, "\n")] = '\0';
	return !strcmp(text, name);
}

static bool find_port(const char *name, char *path, size_t size)
{
	DIR *ports = opendir(PORTS);
	struct dirent *entry;
	bool found = false;

	while (ports && !found && (entry = readdir(ports))) {
		found = is_named(entry->d_name, name);
		if (found)
			snprintf(path, size, "/dev/%s", entry->d_name);
	}
	if (ports)
		closedir(ports);
	return found;
}

static int open_terminal(const char *path)
{
	int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int open_port(const char *what, uint32_t id)
{
	char name[32], path[NAME_MAX + 8];

	snprintf(name, sizeof(name), "shyper.%s.%u", what, id);
	return find_port(name, path, sizeof(path)) ? open_terminal(path) : -ENOENT;
}

static int console(uint32_t id)
{
	char path[16];

	if (id >= HVCS)
		return open_port("console", id);
	snprintf(path, sizeof(path), "/dev/hvc%u", id);
	return open_terminal(path);
}

/* Linux gives a port to one process at a time. */
static int agent(uint32_t id)
{
	return open_port("agent", id);
}

const struct device device = {
	.poll_events = POLLPRI,
	.open = open_device,
	.system_info = system_info,
	.log_read = log_read,
	.net_info = net_info,
	.net_set = net_set,
	.sched_info = sched_info,
	.sched_set = sched_set,
	.schedule_info = schedule_info,
	.schedule_set = schedule_set,
	.schedule_switch = schedule_switch,
	.schedule_shift = schedule_shift,
	.schedule_read = schedule_read,
	.trace_open = trace_open,
	.trace_read = trace_read,
	.create = create,
	.open_vm = open_vm,
	.reason = reason,
	.info = info,
	.boot = boot,
	.command = command,
	.pin = pin,
	.memory = memory,
	.set_disk = set_disk,
	.map = map,
	.console = console,
	.agent = agent,
};
