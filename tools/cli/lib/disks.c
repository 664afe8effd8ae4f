/* SPDX-License-Identifier: BSD-2-Clause */
/* Image files and block devices as disks of VMs. */
#include "disks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "release.h"
#include "store.h"

json_t *disks_record(const struct def *def)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < def->disks; i++) {
		const struct def_disk *disk = &def->disk[i];
		json_t *item = json_pack("{sb sb}", "readonly", disk->readonly, "mediated",
					 disk->mediated);

		if (disk->path[0] && json_object_set_new(item, "path", json_string(disk->path))) {
			json_decref(item);
			json_decref(list);
			return NULL;
		}
		json_array_append_new(list, item);
	}
	return list;
}

/* --- Mediated disks -------------------------------------------------------------------------- */

static bool has_path(const json_t *disks, const char *path)
{
	const json_t *disk;
	size_t i;

	json_array_foreach(disks, i, disk) {
		const char *other = json_string_value(json_object_get(disk, "path"));

		if (other && !strcmp(other, path))
			return true;
	}
	return false;
}

/* Records outlive the machine's reboots: what counts is that the VM is there. */
static bool is_others(const char *path, uint32_t id, uint32_t vms)
{
	bool found = false;

	for (uint32_t i = 1; i < SHYPER_VMS && !found; i++) {
		json_t *record;

		if (i == id || !(vms >> i & 1))
			continue;
		record = store_record_load(i);
		found = has_path(json_object_get(record, "disks"), path);
		json_decref(record);
	}
	return found;
}

static bool is_listed(const json_t *list, const char *path)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(list, i, entry) {
		if (json_is_string(entry) && !strcmp(json_string_value(entry), path))
			return true;
	}
	return false;
}

static bool is_own(const struct def *def, const char *path)
{
	for (uint32_t i = 0; i < def->disks; i++) {
		if (!strcmp(def->disk[i].path, path))
			return true;
	}
	return false;
}

/* The list's first that nobody has. */
static int choose(struct session *s, const struct session_vm *vm, const struct def *def,
		  const json_t *list, char path[PATH_MAX])
{
	struct shyper_system_info system;
	const json_t *entry;
	size_t i;

	if (session_system(s, &system))
		return -1;
	json_array_foreach(list, i, entry) {
		const char *name = json_string_value(entry);

		if (!name || is_own(def, name) || is_others(name, vm->id, system.vms))
			continue;
		snprintf(path, PATH_MAX, "%s", name);
		return 0;
	}
	if (!json_array_size(list))
		return error_set(&s->error, "VM %u (%s) needs a mediated disk and none is named: "
				 "run shyper system daemon mediated-cfg.json", vm->id,
				 vm->info.name);
	return error_set(&s->error, "VM %u (%s) needs a mediated disk, and other VMs have all %zu: "
			 "name more in mediated-cfg.json and start the daemon with it again",
			 vm->id, vm->info.name, json_array_size(list));
}

static int choose_all(struct session *s, const struct session_vm *vm, struct def *def,
		      json_t *record)
{
	json_t *list = store_mediated_load();
	bool chosen = false;
	int err = 0;

	for (uint32_t i = 0; i < def->disks && !err; i++) {
		struct def_disk *disk = &def->disk[i];

		if (!disk->mediated || (disk->path[0] && is_listed(list, disk->path)))
			continue;
		disk->path[0] = '\0';
		err = choose(s, vm, def, list, disk->path);
		chosen = true;
	}
	json_decref(list);
	if (err || !chosen)
		return err;
	json_object_set_new(record, "disks", disks_record(def));
	return store_record_save(vm->id, record, &s->error);
}

static void take_paths(struct def *def, const json_t *disks)
{
	const char *path;

	for (uint32_t i = 0; i < def->disks; i++) {
		path = json_string_value(json_object_get(json_array_get(disks, i), "path"));
		if (path)
			snprintf(def->disk[i].path, PATH_MAX, "%s", path);
	}
}

int disks_settle(struct session *s, const struct session_vm *vm, struct def *def, json_t *record)
{
	int lock, err;

	take_paths(def, json_object_get(record, "disks"));
	lock = store_mediated_lock(&s->error);
	if (lock < 0)
		return -1;
	err = choose_all(s, vm, def, record);
	close(lock);
	return err;
}

/* --- The module ------------------------------------------------------------------------------ */

static int open_image(struct session *s, const struct def_disk *disk)
{
	struct stat st;
	int fd;

	if (stat(disk->path, &st))
		return error_set(&s->error, "the disk %s %s", disk->path, errno == ENOENT ?
				 "does not exist" : strerror(errno));
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return error_set(&s->error, "the disk %s is neither a file nor a block device",
				 disk->path);
	fd = open(disk->path, (disk->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	if (fd < 0)
		return error_set(&s->error, "the disk %s cannot be opened: %s%s", disk->path,
				 strerror(errno), errno == EROFS || errno == EACCES ?
				 "; \"readonly\": true may help" : "");
	return fd;
}

static int refused(struct session *s, const struct session_vm *vm, int err, const char *path)
{
	if (err == -ENOTTY)
		return error_set(&s->error, "the loaded module is too old for disks: shut down all "
				 "VMs and load the shyper_riscv64.ko that came with this command");
	return session_refused(s, vm->fd, err, "the disk %s of VM %u (%s)", path, vm->id,
			       vm->info.name);
}

/* A serial number of all its bytes has no NUL. */
static int attach(struct session *s, const struct session_vm *vm, uint32_t number,
		  const struct def_disk *disk)
{
	struct shyper_disk request = {
		.device = number,
		.flags = disk->readonly ? SHYPER_DISK_READONLY : 0,
	};
	int err;

	memcpy(request.serial, disk->serial, sizeof(request.serial));
	request.fd = open_image(s, disk);
	if (request.fd < 0)
		return -1;
	err = device.set_disk(vm->fd, &request);
	if (err == -EBUSY) {
		release_others(s, vm->id);
		err = device.set_disk(vm->fd, &request);
	}
	close(request.fd);
	return err < 0 ? refused(s, vm, err, disk->path) : 0;
}

int disks_attach(struct session *s, const struct session_vm *vm, const struct def *def)
{
	/* Those of its last boot are still there when it has ended by itself. */
	disks_detach(vm);
	for (uint32_t i = 0; i < def->disks; i++) {
		if (!attach(s, vm, i, &def->disk[i]))
			continue;
		disks_detach(vm);
		return -1;
	}
	return 0;
}

void disks_detach(const struct session_vm *vm)
{
	for (uint32_t i = 0; i < SHYPER_DEVICES; i++) {
		const struct shyper_disk none = { .device = i, .fd = -1 };

		device.set_disk(vm->fd, &none);
	}
}
