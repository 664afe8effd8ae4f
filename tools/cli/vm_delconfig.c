/* SPDX-License-Identifier: BSD-2-Clause */
/* shyper vm delconfig ID [-f]: forget a VM's configuration, and the VM with it. */
#include "verb.h"
#include "vm_remove.h"

static json_t *op(struct session *s, const json_t *args)
{
	struct session_vm vm;
	json_t *result = NULL;

	if (session_find(s, args, true, &vm))
		return NULL;
	if (vm.info.state == SHYPER_VM_RUNNING && !verb_flag(args, "force"))
		error_set(&s->error, "VM %u (%s) is %s: shut it down first, or use --force", vm.id,
			  vm.info.name, session_state(&vm.info));
	else
		result = vm_remove(s, &vm);
	session_done(&vm);
	return result;
}

const struct verb verb_vm_delconfig = {
	.name = "vm delconfig",
	.argument = "NAME|ID",
	.key = "vm",
	.help = "forget the configuration of a VM that does not run, and the VM with it",
	.options = verb_force,
	.op = op,
	.print = verb_print_done,
};
