/* SPDX-License-Identifier: BSD-2-Clause */
/* shyper vm boot NAME|ID: load the images into the VM's memory and start it. */
#include "lib/eventlog.h"
#include "lib/load.h"
#include "verb.h"

static json_t *op(struct session *s, const json_t *args)
{
	struct session_vm vm;
	json_t *result = NULL;

	if (session_find(s, args, true, &vm))
		return NULL;
	if (json_object_get(args, "display"))
		session_note(s, "--display is ignored: guests have no display");
	if (verb_is_late(args, &vm)) {
		result = verb_done(&vm, "booted by somebody else");
	} else if (!load_boot(s, &vm)) {
		eventlog_add(vm.id, vm.info.name, "booted", NULL);
		result = verb_done(&vm, "booted");
	}
	session_done(&vm);
	return result;
}

static const struct verb_option options[] = {
	{ "display", 0, "TYPE", "accepted for Rust-Shyper's users, without effect" },
	{ NULL, 0, NULL, NULL },
};

const struct verb verb_vm_boot = {
	.name = "vm boot",
	.alias = "vm start",
	.argument = "NAME|ID",
	.key = "vm",
	.help = "load a VM's images and start it",
	.options = options,
	.op = op,
	.print = verb_print_done,
};
