/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shyper vm config FILE: read a definition, make the VM, remember it. Everything that can be known
 * before is checked before, so that a refusal leaves nothing behind.
 */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/blame.h"
#include "lib/disks.h"
#include "lib/eventlog.h"
#include "lib/layout.h"
#include "lib/store.h"
#include "lib/tree.h"
#include "verb.h"

struct config {
	struct document doc;
	struct def def;
	char path[PATH_MAX];	/* absolute */
	char folder[PATH_MAX];
	json_t *notes;
	uint64_t tree[SHYPER_TREE_MAX / 8];
	size_t tree_size;
};

static int locate(struct session *s, const char *file, struct config *c)
{
	char copy[PATH_MAX];

	if (!realpath(file, c->path))
		return error_set(&s->error, "%s: %s", file, strerror(errno));
	strcpy(copy, c->path);
	strcpy(c->folder, dirname(copy));
	return 0;
}

/* The place of a refusal about sizes is the definition's memory. */
static int check_layout(struct session *s, struct config *c)
{
	struct layout layout;
	char position[PATH_MAX + 32];

	if (!layout_plan(&c->def, &layout, &s->error))
		return 0;
	document_position(&c->doc, &(struct where){ NULL, "memory", 0 }, false, position,
			  sizeof(position));
	return error_prefix(&s->error, "%s: ", position);
}

static int read_config(struct session *s, const char *file, struct config *c)
{
	if (locate(s, file, c) || document_read(&c->doc, file, &s->error) ||
	    def_parse(&c->def, &c->doc, &c->notes, &s->error) ||
	    def_resolve(&c->def, &c->doc, c->folder, c->notes, &s->error) ||
	    check_layout(s, c))
		return -1;
	c->tree_size = tree_write(&c->def, c->tree, sizeof(c->tree), &s->error);
	return c->tree_size ? 0 : -1;
}

static json_t *make_record(const struct config *c, uint32_t id)
{
	json_t *record = json_pack("{si si ss ss sO ss}", "version", 1, "id", (int)id, "name",
				   c->def.name, "file", c->path, "definition", c->doc.root,
				   "kernel", c->def.kernel);

	if (!record)
		return NULL;
	if (c->def.initrd[0])
		json_object_set_new(record, "initrd", json_string(c->def.initrd));
	if (json_object_set_new(record, "disks", disks_record(&c->def))) {
		json_decref(record);
		return NULL;
	}
	json_object_set_new(record, "restart", json_string(def_restart_names[c->def.restart]));
	if (c->def.vsock)
		json_object_set_new(record, "cid", json_integer(def_cid(&c->def, id)));
	return record;
}

/* Nobody else makes a VM meanwhile: what is left over of an older one of that number goes. */
static int remember(struct session *s, const struct config *c, uint32_t id)
{
	json_t *record = make_record(c, id);
	int lock, err = -1;

	if (!record)
		return error_set(&s->error, "%s: names of files must be UTF-8", c->doc.name);
	lock = store_lock(id, &s->error);
	if (lock >= 0) {
		store_forget(id);
		err = store_record_save(id, record, &s->error);
		close(lock);
	}
	json_decref(record);
	return err;
}

/* Two at the same moment may both pass: then the second does not boot. */
static int check_cid(struct session *s, const struct config *c, uint32_t id)
{
	uint32_t cid = def_cid(&c->def, id);
	struct shyper_system_info system;
	char position[PATH_MAX + 32];
	bool taken = false;

	if (!cid)
		return 0;
	if (session_system(s, &system))
		return -1;
	for (uint32_t other = 1; other < SHYPER_VMS && !taken; other++) {
		json_t *record = other == id || !(system.vms >> other & 1) ? NULL :
				 store_record_load(other);

		taken = json_integer_value(json_object_get(record, "cid")) == cid;
		if (taken)
			error_set(&s->error, "vsock: cid %u is VM %u's already; name another with "
				  "\"cid\"", cid, other);
		json_decref(record);
	}
	if (!taken)
		return 0;
	document_position(&c->doc, &(struct where){ NULL, "vsock", 0 }, false, position,
			  sizeof(position));
	return error_prefix(&s->error, "%s: ", position);
}

static json_t *refused(struct session *s, const struct config *c, int err)
{
	char why[512];

	session_why(s->fd, err, why, sizeof(why));
	blame(&c->def, &c->doc, why, &s->error);
	return NULL;
}

static json_t *make(struct session *s, const struct config *c)
{
	struct session_vm vm = { .lock = -1 };

	if (session_device(s))
		return NULL;
	vm.fd = device.create(s->fd, c->tree, c->tree_size, &vm.id);
	if (vm.fd < 0)
		return refused(s, c, vm.fd);
	snprintf(vm.info.name, sizeof(vm.info.name), "%s", c->def.name);
	if (check_cid(s, c, vm.id) || remember(s, c, vm.id)) {
		device.command(vm.fd, DEVICE_DESTROY);
		session_done(&vm);
		return NULL;
	}
	session_done(&vm);
	eventlog_add(vm.id, c->def.name, "configured", NULL);
	json_array_extend(s->notes, c->notes);
	return verb_done(&vm, "configured");
}

static json_t *op(struct session *s, const json_t *args)
{
	const char *file = json_string_value(json_object_get(args, "file"));
	struct config *c;
	json_t *result = NULL;

	if (!file) {
		s->error.usage = true;
		error_set(&s->error, "the name of a configuration file is missing");
		return NULL;
	}
	c = calloc(1, sizeof(*c));
	if (!c) {
		error_set(&s->error, "not enough memory");
		return NULL;
	}
	if (!read_config(s, file, c))
		result = make(s, c);
	json_decref(c->notes);
	document_free(&c->doc);
	free(c);
	return result;
}

const struct verb verb_vm_config = {
	.name = "vm config",
	.argument = "FILE",
	.key = "file",
	.help = "make a VM from a JSON file",
	.op = op,
	.print = verb_print_done,
};
