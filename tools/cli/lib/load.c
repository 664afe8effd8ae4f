/* SPDX-License-Identifier: BSD-2-Clause */
/* Images are read straight into the guest's memory, through a map of the VM's descriptor. */
#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "disks.h"
#include "layout.h"
#include "lost.h"
#include "store.h"
#include "vhost.h"

#define CHUNK (UINT64_C(1) << 20)
#define STEPS 100	/* progress reports of one file */

static int read_all(struct session *s, const char *what, const char *path, int fd, uint8_t *to,
		    uint64_t size)
{
	uint64_t done = 0, step = size / STEPS + 1, told = 0;

	while (done < size) {
		size_t want = (size_t)(size - done < CHUNK ? size - done : CHUNK);
		ssize_t got = read(fd, to + done, want);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return error_set(&s->error, "%s: %s", path, got < 0 ? strerror(errno) :
					 "became shorter while it was loaded");
		done += (uint64_t)got;
		if (done - told >= step || done == size) {
			session_progress(s, what, done, size);
			told = done;
		}
	}
	return 0;
}

static int load_file(struct session *s, const struct session_vm *vm, const struct def *def,
		     const char *what, const char *path, const struct layout_piece *piece)
{
	uint64_t offset = piece->at - def->ram[0].base, inside = offset % DEF_PAGE;
	size_t size = (size_t)((inside + piece->size + DEF_PAGE - 1) / DEF_PAGE * DEF_PAGE);
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;
	uint8_t *map;

	if (fd < 0)
		return error_set(&s->error, "%s: %s", path, strerror(errno));
	map = device.map(vm->fd, offset - inside, size);
	if (!map) {
		err = error_set(&s->error, "VM %u: its memory cannot be mapped: %s", vm->id,
				strerror(errno));
	} else {
		err = read_all(s, what, path, fd, map + inside, piece->size);
		munmap(map, size);
	}
	close(fd);
	return err;
}

/* The record's definition; file names are those that `vm config` found. */
static int read_record(struct session *s, const struct session_vm *vm, struct def *def)
{
	json_t *record = session_record(s, vm), *notes = NULL;
	struct document doc = { .name = "stored configuration" };
	const char *kernel, *initrd;
	int err;

	if (!record)
		return -1;
	doc.root = json_object_get(record, "definition");
	err = def_parse(def, &doc, &notes, &s->error);
	json_decref(notes);
	if (!err)
		err = disks_settle(s, vm, def, record);
	kernel = json_string_value(json_object_get(record, "kernel"));
	initrd = json_string_value(json_object_get(record, "initrd"));
	snprintf(def->kernel, sizeof(def->kernel), "%s", kernel ? kernel : "");
	snprintf(def->initrd, sizeof(def->initrd), "%s", initrd ? initrd : "");
	json_decref(record);
	return err;
}

static int fill_and_start(struct session *s, struct session_vm *vm, const struct def *def)
{
	struct shyper_boot boot;
	struct layout l;
	int err;

	if (layout_plan(def, &l, &s->error))
		return -1;
	if (load_file(s, vm, def, "kernel", def->kernel, &l.kernel))
		return -1;
	if (l.initrd.size && load_file(s, vm, def, "initrd", def->initrd, &l.initrd))
		return -1;
	boot = (struct shyper_boot){
		.entry = l.entry,
		.initrd = l.initrd.at,
		.initrd_size = l.initrd.size,
		.fdt = l.fdt,
	};
	err = device.boot(vm->fd, &boot);
	return err < 0 ? session_refused(s, vm->fd, err, "VM %u (%s) cannot boot", vm->id,
					 vm->info.name) : 0;
}

int load_boot(struct session *s, struct session_vm *vm)
{
	static struct def def;	/* large */
	pid_t server;

	if (vm->info.state == SHYPER_VM_RUNNING || vm->info.state == SHYPER_VM_STOPPING)
		return error_set(&s->error, "VM %u (%s) is %s already", vm->id, vm->info.name,
				 session_state(&vm->info));
	if (read_record(s, vm, &def) || disks_attach(s, vm, &def))
		return -1;
	if (vhost_start(s, vm, &def, &server))
		goto detach;
	if (fill_and_start(s, vm, &def))
		goto stop;
	store_hold(vm->id, false);
	if (def.disks)
		lost_note(s, vm);
	return 0;
stop:
	vhost_stop(server);
detach:
	disks_detach(vm);
	return -1;
}

int load_stop(struct session *s, struct session_vm *vm)
{
	int err;

	/* Also one that is about to end: a VM of the boot image may be between two lives. */
	if (vm->info.state != SHYPER_VM_RUNNING && vm->info.state != SHYPER_VM_STOPPING)
		goto ended;
	err = device.command(vm->fd, DEVICE_STOP);
	if (session_info(s, vm))
		return -1;
	/* It may have ended by itself meanwhile. */
	if (err < 0 && vm->info.state == SHYPER_VM_RUNNING)
		return session_refused(s, vm->fd, err, "VM %u (%s) cannot be stopped", vm->id,
				       vm->info.name);
	if (session_await_end(s, vm))
		return -1;
ended:
	disks_detach(vm);
	return 0;
}
