/* SPDX-License-Identifier: BSD-2-Clause */
/* shyper vm reboot -f NAME|ID and shyper vm reset NAME|ID: stop and boot, images read anew. */
#include "lib/eventlog.h"
#include "lib/load.h"
#include "verb.h"

static json_t *reset(struct session *s, const json_t *args, const char *event)
{
	struct session_vm vm;
	json_t *result = NULL;

	if (session_find(s, args, true, &vm))
		return NULL;
	if (vm.id == 0) {
		error_set(&s->error, "VM 0 is this machine; use shyper system reboot");
	} else if (!load_stop(s, &vm) && !load_boot(s, &vm)) {
		eventlog_add(vm.id, vm.info.name, event, NULL);
		result = verb_done(&vm, event);
	}
	session_done(&vm);
	return result;
}

static json_t *op_reboot(struct session *s, const json_t *args)
{
	if (verb_flag(args, "force"))
		return reset(s, args, "rebooted");
	error_set(&s->error, "a guest cannot be asked to reboot (it has no port for a guest "
		  "agent); reboot inside it, or use --force");
	return NULL;
}

static json_t *op_reset(struct session *s, const json_t *args)
{
	return reset(s, args, "reset");
}

const struct verb verb_vm_reboot = {
	.name = "vm reboot",
	.argument = "NAME|ID",
	.key = "vm",
	.help = "stop a VM and boot it again",
	.options = verb_force,
	.op = op_reboot,
	.print = verb_print_done,
};

const struct verb verb_vm_reset = {
	.name = "vm reset",
	.argument = "NAME|ID",
	.key = "vm",
	.help = "like the reset button of a machine",
	.op = op_reset,
	.print = verb_print_done,
};
