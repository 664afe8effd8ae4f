/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shyper vm boot NAME|ID: load the images into the VM's memory and start it. The daemon, which
 * boots what has ended, says in "boots" which end it has seen; it does nothing after a later one.
 */
#include "lib/eventlog.h"
#include "lib/load.h"
#include "verb.h"

static bool is_late(const json_t *args, const struct shyper_vm_info *info)
{
	const json_t *boots = json_object_get(args, "boots");

	return boots && (uint64_t)json_integer_value(boots) != info->boots;
}

static json_t *op(struct session *s, const json_t *args)
{
	struct session_vm vm;
	json_t *result = NULL;

	if (session_find(s, args, true, &vm))
		return NULL;
	if (json_object_get(args, "display"))
		session_note(s, "--display is ignored: guests have no display");
	if (is_late(args, &vm.info)) {
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
