/* SPDX-License-Identifier: BSD-2-Clause */
/* What all requests need: the device, VMs by name or number, and words for refusals. */
#include "session.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "store.h"

#define END_SECONDS 10

void session_begin(struct session *s)
{
	s->fd = -1;
	s->notes = json_array();
	s->error = (struct error){ 0 };
}

void session_end(struct session *s)
{
	if (s->fd >= 0)
		close(s->fd);
	json_decref(s->notes);
}

void session_note(struct session *s, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_array_append_new(s->notes, json_string(text));
}

void session_progress(struct session *s, const char *what, uint64_t done, uint64_t total)
{
	json_t *line = json_pack("{s{ss sI sI}}", "progress", "what", what, "done",
				 (json_int_t)done, "total", (json_int_t)total);

	s->send(s, line);
}

/* --- The device ------------------------------------------------------------------------------ */

static int no_device(struct session *s, int err)
{
	switch (-err) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return error_set(&s->error, "/dev/shyper is not there: load the module with "
				 "insmod shyper_riscv64.ko (this must be the management VM)");
	case EACCES:
	case EPERM:
		return error_set(&s->error, "/dev/shyper may not be opened: become root");
	default:
		return error_set(&s->error, "/dev/shyper: %s", strerror(-err));
	}
}

int session_device(struct session *s)
{
	struct shyper_system_info info;

	if (s->fd >= 0)
		return 0;
	s->fd = device.open();
	if (s->fd < 0)
		return no_device(s, s->fd);
	if (session_system(s, &info))
		return -1;
	if (info.abi != SHYPER_ABI_VERSION)
		return error_set(&s->error, "this command speaks version %d of Shyper's interface, "
				 "the running Shyper version %u: install those of one build",
				 SHYPER_ABI_VERSION, info.abi);
	return 0;
}

/* Shyper's own words, when it has any, say more than the errno. */
void session_why(int fd, int err, char *buf, size_t size)
{
	if (err == -EPERM)
		snprintf(buf, size, "%s: become root", strerror(EPERM));
	else if (device.reason(fd, buf, size) <= 0)
		snprintf(buf, size, "%s", strerror(-err));
	buf[strcspn(buf, "\n")] = '\0';
}

int session_refused(struct session *s, int fd, int err, const char *fmt, ...)
{
	char what[128], why[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	session_why(fd, err, why, sizeof(why));
	return error_set(&s->error, "%s: %s", what, why);
}

int session_system(struct session *s, struct shyper_system_info *info)
{
	int err;

	*info = (struct shyper_system_info){ 0 };
	err = device.system_info(s->fd, info);
	return err < 0 ? session_refused(s, s->fd, err, "/dev/shyper") : 0;
}

/* --- VMs ------------------------------------------------------------------------------------- */

int session_open(struct session *s, uint32_t id, bool change, struct session_vm *vm)
{
	*vm = (struct session_vm){ .id = id, .fd = -1, .lock = -1 };
	if (session_device(s))
		return -1;
	if (change) {
		vm->lock = store_lock(id, &s->error);
		if (vm->lock < 0)
			return -1;
	}
	vm->fd = device.open_vm(s->fd, id);
	if (vm->fd == -ENOENT || vm->fd == -EINVAL) {
		error_set(&s->error, "there is no VM %u; `shyper vm list` shows those there are",
			  id);
	} else if (vm->fd < 0) {
		session_refused(s, s->fd, vm->fd, "VM %u", id);
	} else if (!session_info(s, vm)) {
		return 0;
	}
	session_done(vm);
	return -1;
}

void session_done(struct session_vm *vm)
{
	if (vm->fd >= 0)
		close(vm->fd);
	if (vm->lock >= 0)
		close(vm->lock);
	vm->fd = vm->lock = -1;
}

int session_info(struct session *s, struct session_vm *vm)
{
	int err = device.info(vm->fd, &vm->info);

	if (err < 0)
		return session_refused(s, vm->fd, err, "VM %u", vm->id);
	vm->info.name[sizeof(vm->info.name) - 1] = '\0';
	return 0;
}

static int find_name(struct session *s, const char *name, uint32_t *id)
{
	struct shyper_system_info info;
	uint32_t found = 0;

	if (session_device(s) || session_system(s, &info))
		return -1;
	for (uint32_t i = 0; i < SHYPER_VMS; i++) {
		struct session_vm vm;

		if (!(info.vms >> i & 1) || session_open(s, i, false, &vm))
			continue;
		if (!strcmp(vm.info.name, name)) {
			*id = i;
			found++;
		}
		session_done(&vm);
	}
	if (found > 1)
		return error_set(&s->error, "%u VMs are named \"%s\": use the id that `shyper vm "
				 "list` shows", found, name);
	return found ? 0 : error_set(&s->error, "there is no VM \"%s\"; `shyper vm list` shows "
				     "those there are", name);
}

int session_find(struct session *s, const json_t *args, bool change, struct session_vm *vm)
{
	const char *name = json_string_value(json_object_get(args, "vm"));
	uint32_t id = SHYPER_VMS;

	*vm = (struct session_vm){ .fd = -1, .lock = -1 };
	if (!name || !*name) {
		s->error.usage = true;
		return error_set(&s->error, "a VM's name or id is missing");
	}
	if (name[strspn(name, "0123456789")]) {
		if (find_name(s, name, &id))
			return -1;
	} else if (strlen(name) < 4) {
		id = (uint32_t)strtoul(name, NULL, 10);
	}
	if (id >= SHYPER_VMS)
		return error_set(&s->error, "there is no VM %s; ids are 0 to %d", name,
				 SHYPER_VMS - 1);
	if (change && id == 0)
		return error_set(&s->error, "VM 0 is this machine: it is not made, changed or "
				 "ended like the others; see shyper system");
	return session_open(s, id, change, vm);
}

int session_poll_end(struct session *s, struct session_vm *vm, int ms)
{
	struct pollfd pfd = { .fd = vm->fd, .events = device.poll_events };
	uint64_t boots = vm->info.boots;

	if (vm->info.state == SHYPER_VM_ENDED)
		return 1;
	poll(&pfd, 1, ms);
	if (session_info(s, vm))
		return -1;
	return vm->info.state == SHYPER_VM_ENDED || vm->info.boots != boots;
}

int session_await_end(struct session *s, struct session_vm *vm)
{
	int64_t deadline = clock_ms() + END_SECONDS * 1000;
	int ended;

	while (!(ended = session_poll_end(s, vm, 100))) {
		if (clock_ms() > deadline)
			return error_set(&s->error, "VM %u (%s) has not ended after %d seconds; "
					 "`shyper system log` may say why", vm->id, vm->info.name,
					 END_SECONDS);
	}
	return ended < 0 ? -1 : 0;
}

json_t *session_record(struct session *s, const struct session_vm *vm)
{
	json_t *record = store_record_load(vm->id);
	const char *name = json_string_value(json_object_get(record, "name"));

	if (name && !strcmp(name, vm->info.name))
		return record;
	json_decref(record);
	error_set(&s->error, "VM %u (%s) has no configuration in %s: it was not made by `shyper vm "
		  "config`", vm->id, vm->info.name, store_folder());
	return NULL;
}

/* --- Words ----------------------------------------------------------------------------------- */

const char *session_state(const struct shyper_vm_info *info)
{
	static const char *const words[] = {
		[SHYPER_VM_MADE] = "made", [SHYPER_VM_RUNNING] = "running",
		[SHYPER_VM_STOPPING] = "stopping", [SHYPER_VM_ENDED] = "ended",
	};

	if (info->state == SHYPER_VM_RUNNING && info->paused)
		return "paused";
	return info->state < sizeof(words) / sizeof(words[0]) ? words[info->state] : "unknown";
}

const char *session_reason(uint32_t reason)
{
	static const char *const words[] = {
		[SHYPER_END_POWEROFF] = "poweroff", [SHYPER_END_REBOOT] = "reboot",
		[SHYPER_END_FAILURE] = "failure", [SHYPER_END_CRASH] = "crash",
		[SHYPER_END_STOP] = "stop",
	};

	return reason < sizeof(words) / sizeof(words[0]) ? words[reason] : "unknown";
}

/* Shyper's words end in a NUL, but an interface is no place for trust. */
void session_set_cause(json_t *out, const struct shyper_vm_info *info)
{
	size_t size = strnlen(info->cause, sizeof(info->cause));

	if (info->reason == SHYPER_END_CRASH && size)
		json_object_set_new(out, "cause", json_stringn(info->cause, size));
}
